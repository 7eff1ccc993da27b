// SPDX-License-Identifier: GPL-2.0
/*
 * Sends a PTE table (pgtable_t) along each path it can take through mm/:
 * allocated by a fault, deposited below a huge page, withdrawn, moved, copied,
 * freed at once, freed by RCU, freed because an allocation failed.
 *
 * Each test checks the data, what is mapped huge and how many tables the
 * process has, and then that the system has as many page-table pages as before:
 * a table that is lost on its way shows in nr_page_table_pages, one that is
 * counted or freed twice does as well.
 */
#include "kselftest_harness.h"
#include <fcntl.h>
#include <linux/mman.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include "vm_util.h"
#include "hugepage_settings.h"

#define NR_SPANS	3
#define SEED		0x5eed0001UL
#define FAIL_DIR	"/sys/kernel/debug/fail_page_alloc/"
/* Emulated machines with a debug kernel are slow, and settle() waits. */
#define TIMEOUT		600

/*
 * With THP the kernel says what a PTE table maps. Without, it is a page full of
 * PTEs, except where a table is smaller.
 */
#if defined(__s390x__)
#define PTES_PER_TABLE	256
#elif defined(__m68k__)
#define PTES_PER_TABLE	64
#else
#define PTES_PER_TABLE	(psize() / sizeof(long))
#endif

static char *area;	/* NR_SPANS spans of anonymous memory, aligned */
static size_t span;	/* what one PTE table maps: the size of a huge page */
static long table;	/* bytes that VmPTE counts for one PTE table */
static bool thp;

/* The number after @name in a file with a line for each name, or -1. */
static long read_field(const char *path, const char *name)
{
	FILE *fp = fopen(path, "r");
	char line[256];
	long val = -1;

	if (!fp)
		return -1;
	if (check_for_pattern(fp, name, line, sizeof(line)))
		sscanf(line + strlen(name), "%ld", &val);
	fclose(fp);
	return val;
}

static long vmpte(void)
{
	return read_field("/proc/self/status", "VmPTE:") * 1024;
}

/*
 * The process has @nr tables more than at the time of @before. VmPTE is in
 * kB, and a table may be smaller than that (fragments on powerpc).
 */
#define EXPECT_TABLES(nr, before)					\
	EXPECT_LT(labs(vmpte() - (before) - (nr) * table), 1024)

static long nr_huge(const char *field)
{
	return read_field("/proc/self/smaps_rollup", field) * 1024 / (long)span;
}

#define EXPECT_HUGE(nr)		EXPECT_EQ(nr, nr_huge("AnonHugePages:"))
#define EXPECT_SHMEM_HUGE(nr)	EXPECT_EQ(nr, nr_huge("ShmemPmdMapped:"))

/* A page that turns up in another's place is to be noticed, not its middle. */
static void fill(char *p, size_t len, unsigned long seed)
{
	size_t i;

	for (i = 0; i < len; i += psize()) {
		*(unsigned long *)(p + i) = seed + i;
		*(unsigned long *)(p + i + psize() - sizeof(long)) = ~(seed + i);
	}
}

static bool has(const char *p, size_t len, unsigned long first, unsigned long step,
		unsigned long invert)
{
	size_t i;

	for (i = 0; i < len; i += psize(), first += step) {
		if (FORCE_READ(*(unsigned long *)(p + i)) != first ||
		    FORCE_READ(*(unsigned long *)(p + i + psize() - sizeof(long))) !=
		    (first ^ invert))
			return false;
	}
	return true;
}

static bool intact(const char *p, size_t len, unsigned long seed)
{
	return has(p, len, seed, psize(), ~0UL);
}

static bool zeroed(const char *p, size_t len)
{
	return has(p, len, 0, 0, 0);
}

/*
 * Memory may become huge only while a test asks for it: khugepaged would
 * collapse at any time what a test has split.
 */
static bool map_thp(char *p, unsigned long seed)
{
	long before = nr_huge("AnonHugePages:");

	madvise(p, span, MADV_HUGEPAGE);
	fill(p, span, seed);
	madvise(p, span, MADV_NOHUGEPAGE);
	return thp && nr_huge("AnonHugePages:") == before + 1;
}

#define MAP_THP(p, seed) do {						\
	if (!map_thp(p, seed))						\
		SKIP(return, "got no huge page (no THP, or no memory)");\
} while (0)

static bool map_huge_zero(char *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	bool huge;

	if (!thp || !detect_huge_zeropage() || madvise(p, span, MADV_HUGEPAGE))
		return false;
	FORCE_READ(*p);
	/* One read has populated all of it. */
	huge = pagemap_get_entry(fd, p + span - psize()) & PM_PRESENT;
	close(fd);
	return !madvise(p, span, MADV_NOHUGEPAGE) && huge;
}

#define MAP_HUGE_ZERO(p) do {						\
	if (!map_huge_zero(p))						\
		SKIP(return, "got no huge zero page");			\
} while (0)

static int collapse(char *p)
{
	int ret = -1;

	if (!madvise(p, span, MADV_HUGEPAGE))
		ret = madvise(p, span, MADV_COLLAPSE);
	return madvise(p, span, MADV_NOHUGEPAGE) ?: ret;
}

#define COLLAPSE(p) do {						\
	if (!thp)							\
		SKIP(return, "no THP");					\
	ASSERT_EQ(0, collapse(p));					\
} while (0)

/*
 * A file of a span's size with data, small pages and nothing mapped. To write
 * to it may leave the process a table more, shared with what is mapped nearby:
 * count them afterwards.
 */
static int make_memfd(void)
{
	int fd = memfd_create("pgtable_paths", 0);
	char *p;

	if (fd < 0 || ftruncate(fd, span))
		return -1;
	p = mmap(NULL, span, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	madvise(p, span, MADV_NOHUGEPAGE);
	fill(p, span, SEED);
	munmap(p, span);
	return fd;
}

static bool map_fd(char *p, int fd, int type)
{
	if (mmap(p, span, PROT_READ | PROT_WRITE, type | MAP_FIXED, fd, 0) != p)
		return false;
	madvise(p, span, MADV_NOHUGEPAGE);
	return true;
}

/*
 * Reads nr_page_table_pages until it is @want or, if that is negative, until
 * it has not changed for a while. Tables are freed by RCU, the counters are per
 * CPU, and khugepaged looks away from a dead process (its PGD) every ten seconds.
 */
static long settle(long want)
{
	long now = -1, last;
	int i, fd, same = 0;

	for (i = 0; i < 300; i++) {
		fd = open("/proc/sys/vm/stat_refresh", O_WRONLY);
		if (fd >= 0 && write(fd, "1", 1) < 0)
			ksft_print_msg("stat_refresh: %s\n", strerror(errno));
		close(fd);
		last = now;
		now = read_field("/proc/vmstat", "nr_page_table_pages ");
		same = now == last ? same + 1 : 0;
		if (want < 0 ? same == 5 : now == want)
			return now;
		usleep(50000);
	}
	return want < 0 ? -1 : now;
}

/*
 * Returns in a child, which runs the test, while the parent compares the
 * system's page-table pages before that child was born and after it has died.
 *
 * No tolerance: the way to live with what other processes do meanwhile is to
 * run the test again. A table that the test loses is lost every time.
 */
static void measure(struct __test_metadata *_metadata)
{
	long before, after = -1;
	int try, status;
	cpu_set_t cpu;
	pid_t pid;

	/* An idle CPU keeps the mm that it ran last, and with it the PGD. */
	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpu), &cpu));

	for (try = 0; try < 4; try++) {
		before = settle(-1);
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid)
			return;
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		if (WIFSIGNALED(status))
			raise(WTERMSIG(status));
		if (WEXITSTATUS(status) || _metadata->exit_code != KSFT_PASS)
			_exit(WEXITSTATUS(status));
		if (before < 0)
			SKIP(_exit(0), "passed, but nr_page_table_pages does not settle: something else is running");
		after = settle(before);
		if (after == before)
			_exit(0);
		TH_LOG("nr_page_table_pages %ld before, %ld after, running again", before, after);
	}
	EXPECT_EQ(before, after);
	_exit(0);
}

static int map_area(void)
{
	if (mmap(area, NR_SPANS * span, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != area)
		return -1;
	/* Fails without THP, where there is nothing to forbid. */
	madvise(area, NR_SPANS * span, MADV_NOHUGEPAGE);
	return 0;
}

/*
 * Reserves aligned address space with a margin that nothing merges with. All of
 * it, and a page that stays mapped behind it, is below one PMD table: what
 * VmPTE shows then are PTE tables.
 */
static void setup_area(struct __test_metadata *_metadata)
{
	size_t len = (NR_SPANS + 1) * span;
	char *behind;
	long before;

	area = mmap(NULL, 2 * len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_TRUE(area != MAP_FAILED);
	area = (char *)(((unsigned long)area + len) & ~(len - 1));
	behind = area + NR_SPANS * span;
	ASSERT_TRUE(mmap(behind, psize(), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == behind);
	*behind = 1;

	ASSERT_EQ(0, map_area());
	before = vmpte();
	fill(area, span, SEED);
	table = vmpte() - before;
#if defined(__m68k__) || defined(__powerpc64__)
	/* VmPTE may not show it: with Motorola's MMU, or radix and 64K pages. */
	if (table < 1024)
		table = 256;
#endif
	ASSERT_GT(table, 0);
	ASSERT_EQ(0, map_area());
	EXPECT_TABLES(0, before);
}

static void setup(struct __test_metadata *_metadata)
{
	span = read_pmd_pagesize();
	thp = span && thp_is_enabled();
	if (!span)
		span = PTES_PER_TABLE * psize();
	measure(_metadata);
	setup_area(_metadata);
}

FIXTURE(path) {};
FIXTURE_SETUP(path) { setup(_metadata); }
FIXTURE_TEARDOWN(path) {}

FIXTURE(split) {};
FIXTURE_VARIANT(split) { int (*act)(char *half); };
FIXTURE_SETUP(split) { setup(_metadata); }
FIXTURE_TEARDOWN(split) {}

static int act_munmap(char *half) { return munmap(half, span / 2); }
static int act_dontneed(char *half) { return madvise(half, psize(), MADV_DONTNEED); }
static int act_free(char *half) { return madvise(half, span / 2, MADV_FREE); }
static int act_mprotect(char *half) { return mprotect(half, span / 2, PROT_NONE); }
static int act_mlock(char *half) { return mlock(half, psize()); }

FIXTURE_VARIANT_ADD(split, munmap) { .act = act_munmap };
FIXTURE_VARIANT_ADD(split, dontneed) { .act = act_dontneed };
FIXTURE_VARIANT_ADD(split, madv_free) { .act = act_free };
FIXTURE_VARIANT_ADD(split, mprotect) { .act = act_mprotect };
FIXTURE_VARIANT_ADD(split, mlock) { .act = act_mlock };

/* A fault deposits a table, the split withdraws and populates it. */
TEST_F_TIMEOUT(split, thp, TIMEOUT)
{
	long before = vmpte();

	MAP_THP(area, SEED);
	EXPECT_TABLES(1, before);
	ASSERT_EQ(0, variant->act(area + span / 2));
	EXPECT_HUGE(0);
	EXPECT_TABLES(1, before);
	EXPECT_TRUE(intact(area, span / 2, SEED));
	ASSERT_EQ(0, munmap(area, span));
	EXPECT_TABLES(0, before);
}

TEST_F_TIMEOUT(split, huge_zero, TIMEOUT)
{
	long before = vmpte();

	MAP_HUGE_ZERO(area);
	EXPECT_TABLES(1, before);
	ASSERT_EQ(0, variant->act(area + span / 2));
	EXPECT_TABLES(1, before);
	EXPECT_TRUE(zeroed(area, span / 2));
	fill(area, span / 2, SEED);
	EXPECT_TRUE(intact(area, span / 2, SEED));
	ASSERT_EQ(0, munmap(area, span));
	EXPECT_TABLES(0, before);
}

/* The write takes over the table that the zero page has deposited. */
TEST_F_TIMEOUT(path, huge_zero_write, TIMEOUT)
{
	long before = vmpte();

	MAP_HUGE_ZERO(area);
	MAP_HUGE_ZERO(area + span);
	MAP_THP(area, SEED);
	EXPECT_TABLES(2, before);
	EXPECT_TRUE(intact(area, span, SEED));
	ASSERT_EQ(0, madvise(area + span, span, MADV_DONTNEED));
	EXPECT_TABLES(1, before);
	EXPECT_TRUE(zeroed(area + span, span));
}

/* Three deposits at one PMD table make a list; each way out of it. */
TEST_F_TIMEOUT(path, deposit_list, TIMEOUT)
{
	long before = vmpte();
	int i;

	for (i = 0; i < NR_SPANS; i++)
		MAP_THP(area + i * span, SEED + i);
	EXPECT_TABLES(3, before);
	ASSERT_EQ(0, act_dontneed(area + span));
	EXPECT_HUGE(2);
	EXPECT_TABLES(3, before);
	ASSERT_EQ(0, madvise(area, span, MADV_DONTNEED));
	EXPECT_TABLES(2, before);
	EXPECT_TRUE(zeroed(area + span, psize()));
	EXPECT_TRUE(intact(area + span + psize(), span - psize(), SEED + 1 + psize()));
	EXPECT_TRUE(intact(area + 2 * span, span, SEED + 2));
	ASSERT_EQ(0, munmap(area + 2 * span, span));
	EXPECT_HUGE(0);
	EXPECT_TABLES(1, before);
	EXPECT_TRUE(zeroed(area, span));
	EXPECT_TABLES(2, before);
}

/* The table of the collapsed pages becomes the deposit, and a table again. */
TEST_F_TIMEOUT(path, collapse_anon, TIMEOUT)
{
	long before = vmpte();
	int i;

	fill(area, span, SEED);
	for (i = 0; i < 2; i++) {
		EXPECT_HUGE(0);
		COLLAPSE(area);
		EXPECT_HUGE(1);
		EXPECT_TABLES(1, before);
		EXPECT_TRUE(intact(area, span / 2, SEED));
		ASSERT_EQ(0, act_dontneed(area + span / 2));
	}
	EXPECT_TABLES(1, before);
	EXPECT_TRUE(zeroed(area + span / 2, psize()));
}

/*
 * pte_free_defer() from retract_page_tables(), for both mappings, and from the
 * collapse of a mapping whose PTEs map a huge page already.
 */
TEST_F_TIMEOUT(path, collapse_shmem, TIMEOUT)
{
	int fd = make_memfd();
	long before = vmpte(), deposit;
	char *other = area + span;

	ASSERT_GE(fd, 0);
	ASSERT_TRUE(map_fd(area, fd, MAP_SHARED) && map_fd(other, fd, MAP_SHARED));
	EXPECT_TRUE(intact(area, span, SEED) && intact(other, span, SEED));
	EXPECT_TABLES(2, before);
	COLLAPSE(area);
	EXPECT_SHMEM_HUGE(1);
	/* Some architectures deposit a table below a file's huge page, too. */
	deposit = (vmpte() - before) / table;
	EXPECT_TRUE(deposit == 0 || deposit == 1);
	EXPECT_TABLES(deposit, before);
	EXPECT_TRUE(intact(other, span, SEED) && intact(area, span, SEED));
	EXPECT_SHMEM_HUGE(1);
	EXPECT_TABLES(deposit + 1, before);
	COLLAPSE(other);
	EXPECT_SHMEM_HUGE(2);
	EXPECT_TABLES(2 * deposit, before);
	EXPECT_TRUE(intact(other, span, SEED) && intact(area, span, SEED));
	ASSERT_EQ(0, munmap(area, 2 * span));
	EXPECT_TABLES(0, before);
}

/* do_set_pmd() by fault-around and by a write; the preallocated table is unused. */
TEST_F_TIMEOUT(path, file_huge_fault, TIMEOUT)
{
	int fd = make_memfd();
	long before = vmpte(), deposit;

	ASSERT_GE(fd, 0);
	ASSERT_TRUE(map_fd(area, fd, MAP_SHARED));
	COLLAPSE(area);
	deposit = (vmpte() - before) / table;
	ASSERT_TRUE(map_fd(area, fd, MAP_SHARED));
	EXPECT_TABLES(0, before);
	ASSERT_EQ(0, madvise(area, span, MADV_HUGEPAGE));
	FORCE_READ(*area);
	EXPECT_SHMEM_HUGE(1);
	EXPECT_TABLES(deposit, before);
	/* The split just forgets the PMD. */
	ASSERT_EQ(0, act_dontneed(area + span / 2));
	EXPECT_SHMEM_HUGE(0);
	EXPECT_TABLES(0, before);
	fill(area, psize(), SEED);
	EXPECT_SHMEM_HUGE(1);
	EXPECT_TABLES(deposit, before);
	EXPECT_TRUE(intact(area, span, SEED));
}

/* vmf->prealloc_pte becomes the table: fault-around, shared write, private write. */
TEST_F_TIMEOUT(path, file_prealloc, TIMEOUT)
{
	int fd = make_memfd();
	long before = vmpte();

	ASSERT_GE(fd, 0);
	ASSERT_TRUE(map_fd(area, fd, MAP_SHARED));
	EXPECT_TRUE(intact(area, psize(), SEED));
	EXPECT_TABLES(1, before);
	ASSERT_TRUE(map_fd(area, fd, MAP_SHARED));
	EXPECT_TABLES(0, before);
	fill(area, psize(), SEED);
	EXPECT_TABLES(1, before);
	ASSERT_TRUE(map_fd(area + span, fd, MAP_PRIVATE));
	fill(area + span, psize(), ~SEED);
	EXPECT_TABLES(2, before);
	EXPECT_TRUE(intact(area, span, SEED));
	EXPECT_TRUE(intact(area + span, psize(), ~SEED));
}

/* An empty table is freed by the zap (CONFIG_PT_RECLAIM), and comes back. */
TEST_F_TIMEOUT(path, dontneed_frees_table, TIMEOUT)
{
	long before = vmpte(), left;

	fill(area, 2 * span, SEED);
	EXPECT_TABLES(2, before);
	ASSERT_EQ(0, madvise(area, span, MADV_DONTNEED));
	left = vmpte() - before;
	EXPECT_TRUE(intact(area + span, span, SEED + span));
	EXPECT_TRUE(zeroed(area, span));
	EXPECT_TABLES(2, before);
	if (table < 1024)
		SKIP(return, "VmPTE doesn't show a table this small");
	if (left == 2 * table)
		SKIP(return, "the kernel leaves empty tables (CONFIG_PT_RECLAIM=n)");
	EXPECT_EQ(table, left);
}

/* Reclaim discards the whole huge page, having split its PMD or not. */
TEST_F_TIMEOUT(path, lazyfree, TIMEOUT)
{
	long before = vmpte();

	MAP_THP(area, SEED);
	ASSERT_EQ(0, madvise(area, span, MADV_FREE));
	ASSERT_EQ(0, madvise(area, span, MADV_PAGEOUT));
	EXPECT_HUGE(0);
	EXPECT_TRUE(zeroed(area, span));
	EXPECT_TABLES(1, before);
	ASSERT_EQ(0, munmap(area, span));
	EXPECT_TABLES(0, before);
}

/* Split to be swapped out, swapped in by faults and by a collapse. */
TEST_F_TIMEOUT(path, swap, TIMEOUT)
{
	int fd = open("/proc/self/pagemap", O_RDONLY), i, swapped;
	size_t off;

	if (read_field("/proc/meminfo", "SwapFree:") < (long)(2 * span / 1024))
		SKIP(return, "no swap");
	MAP_THP(area, SEED);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, madvise(area, span, MADV_PAGEOUT));
		EXPECT_HUGE(0);
		for (swapped = 0, off = 0; off < span; off += psize())
			swapped += !!(pagemap_get_entry(fd, area + off) & PM_SWAP);
		EXPECT_GT(swapped, 0);
		if (i)
			COLLAPSE(area);
		EXPECT_TRUE(intact(area, span, SEED));
		EXPECT_HUGE(i);
	}
}

FIXTURE(move) {};
FIXTURE_VARIANT(move) { bool huge, far, unaligned; };
FIXTURE_SETUP(move) { setup(_metadata); }
FIXTURE_TEARDOWN(move) {}

FIXTURE_VARIANT_ADD(move, ptes_near) {};
FIXTURE_VARIANT_ADD(move, ptes_far) { .far = true };
FIXTURE_VARIANT_ADD(move, ptes_unaligned) { .unaligned = true };
FIXTURE_VARIANT_ADD(move, thp_near) { .huge = true };
FIXTURE_VARIANT_ADD(move, thp_far) { .huge = true, .far = true };
FIXTURE_VARIANT_ADD(move, thp_unaligned) { .huge = true, .unaligned = true };

static void *move(char *from, char *to)
{
	return mremap(from, span, span, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

/*
 * The table moves with its PMD; its deposit only if the PMD goes to another PMD
 * table; where the PTEs have to be moved there is a new table.
 */
TEST_F_TIMEOUT(move, mremap, TIMEOUT)
{
	size_t pmd_table = psize() / sizeof(long) * span;
	char *to = area + 2 * span;
	long before;

	if (variant->far) {
		to = mmap(NULL, pmd_table + span, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (pmd_table <= span || to == MAP_FAILED)
			SKIP(return, "no address space below another PMD table");
		/* One of its ends is next to the area. */
		if (to > area)
			to += pmd_table - span;
		to = (char *)(((unsigned long)to + span - 1) & ~(span - 1));
	} else if (variant->unaligned) {
		to = area + span + psize();
	}

	before = vmpte();
	if (variant->huge)
		MAP_THP(area, SEED);
	else
		fill(area, span, SEED);
	ASSERT_TRUE(move(area, to) == to);
	EXPECT_HUGE(variant->huge && !variant->unaligned);
	/* Far away there are new tables of the upper levels. */
	if (!variant->far)
		EXPECT_TABLES(variant->unaligned ? 2 : 1, before);
	EXPECT_TRUE(intact(to, span, SEED));
	/* A deposit that was left behind would be missed here. */
	ASSERT_EQ(0, act_dontneed(to + span / 2));
	EXPECT_HUGE(0);
	EXPECT_TRUE(intact(to, span / 2, SEED));
	EXPECT_TRUE(zeroed(to + span / 2, psize()));
}

static int open_uffd(__u64 features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	return fd < 0 || ioctl(fd, UFFDIO_API, &api) ? -1 : fd;
}

/* UFFDIO_MOVE takes the deposit along, even below the same PMD table. */
TEST_F_TIMEOUT(path, uffd_move, TIMEOUT)
{
	struct uffdio_move arg = {
		.dst = (unsigned long)area, .src = (unsigned long)area + span, .len = span,
	};
	int uffd = open_uffd(UFFD_FEATURE_MOVE);
	long before = vmpte();

	if (uffd < 0)
		SKIP(return, "no UFFDIO_MOVE");
	MAP_THP(area + span, SEED);
	ASSERT_EQ(0, uffd_register(uffd, area, span, true, false, false));
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_MOVE, &arg));
	EXPECT_HUGE(1);
	EXPECT_TABLES(1, before);
	EXPECT_TRUE(intact(area, span, SEED));
	ASSERT_EQ(0, act_dontneed(area + span / 2));
	EXPECT_HUGE(0);
	EXPECT_TRUE(intact(area, span / 2, SEED));
}

/* The table for a huge page is allocated before userfaultfd takes the fault. */
TEST_F_TIMEOUT(path, uffd_missing, TIMEOUT)
{
	int uffd = open_uffd(UFFD_FEATURE_SIGBUS);
	long before = vmpte();

	if (uffd < 0 || !thp)
		SKIP(return, "no userfaultfd or no THP");
	ASSERT_EQ(0, uffd_register(uffd, area, span, true, false, false));
	ASSERT_EQ(0, madvise(area, span, MADV_HUGEPAGE));
	EXPECT_EQ(-1, madvise(area, span, MADV_POPULATE_WRITE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, madvise(area, span, MADV_POPULATE_READ));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_TABLES(0, before);
}

static void fill_mixed(void)
{
	/* Whether they are huge matters to the test of fork() without errors only. */
	map_thp(area, SEED);
	map_huge_zero(area + span);
	fill(area + 2 * span, span, ~SEED);
}

static bool intact_mixed(void)
{
	return intact(area, span, SEED) && zeroed(area + span, span) &&
		intact(area + 2 * span, span, ~SEED);
}

/*
 * A child gets a deposit for each huge PMD. It breaks COW, zaps one deposit and
 * exits with the others; the parent breaks COW below a second child, and exits.
 */
TEST_F_TIMEOUT(path, fork, TIMEOUT)
{
	int status, pipefd[2], i;
	long before;
	pid_t pid;
	char c;

	MAP_THP(area, SEED);
	MAP_HUGE_ZERO(area + span);
	fill(area + 2 * span, span, ~SEED);
	ASSERT_EQ(0, pipe(pipefd));
	for (i = 0; i < 2; i++) {
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid && !i) {
			before = vmpte();
			EXPECT_HUGE(1);
			EXPECT_TRUE(intact_mixed());
			fill(area, psize(), SEED + 1);
			EXPECT_HUGE(0);
			EXPECT_TABLES(0, before);
			EXPECT_TRUE(intact(area + psize(), span - psize(), SEED + psize()));
			EXPECT_TRUE(intact(area, psize(), SEED + 1));
			ASSERT_EQ(0, munmap(area + span, span));
			EXPECT_TABLES(-1, before);
			_exit(0);
		} else if (!pid) {
			close(pipefd[1]);
			EXPECT_EQ(0, read(pipefd[0], &c, 1));
			EXPECT_HUGE(1);
			EXPECT_TRUE(intact_mixed());
			_exit(0);
		}
		if (i) {
			fill(area, psize(), SEED + 1);
			EXPECT_HUGE(0);
			EXPECT_TRUE(intact(area, psize(), SEED + 1));
			fill(area, psize(), SEED);
			close(pipefd[1]);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
		EXPECT_TRUE(intact_mixed());
		EXPECT_HUGE(!i);
	}
	MAP_THP(area + span, SEED);
}

/*
 * Every page allocation of an action is made to fail, one in each run, by
 * /proc/self/fail-nth: no other process is hit, and it is the same each time.
 */
static const char * const fail_settings[][2] = {
	{ "min-order", "0" },
	{ "ignore-gfp-wait", "N" },
	{ "ignore-gfp-highmem", "N" },	/* CONFIG_HIGHPTE */
	{ "verbose", "0" },
};

FIXTURE(fail) {
	char saved[ARRAY_SIZE(fail_settings)][16];
};

FIXTURE_VARIANT(fail) {
	void (*prepare)(void);
	int (*act)(void);	/* 0 or -1, may be repeated when it has failed */
	bool (*check)(void);
	bool hidden;		/* the kernel tries again, nobody sees the failure */
};

FIXTURE_SETUP(fail)
{
	char path[128];
	size_t i;

	if (access("/proc/self/fail-nth", W_OK) || access(FAIL_DIR, W_OK))
		SKIP(return, "no fail_page_alloc in debugfs, or no fail-nth");
	for (i = 0; i < ARRAY_SIZE(fail_settings); i++) {
		snprintf(path, sizeof(path), FAIL_DIR "%s", fail_settings[i][0]);
		read_file(path, self->saved[i], sizeof(self->saved[i]));
		write_file(path, fail_settings[i][1], strlen(fail_settings[i][1]) + 1);
	}
	setup(_metadata);
}

FIXTURE_TEARDOWN_PARENT(fail)
{
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fail_settings); i++) {
		snprintf(path, sizeof(path), FAIL_DIR "%s", fail_settings[i][0]);
		write_file(path, self->saved[i], strlen(self->saved[i]) + 1);
	}
}

static void prepare_huge(void) { madvise(area, span, MADV_HUGEPAGE); }
static void prepare_file(void) { map_fd(area, make_memfd(), MAP_SHARED); }
static void prepare_private(void) { map_fd(area, make_memfd(), MAP_PRIVATE); }
static void prepare_fill(void) { fill(area, span, SEED); }
static void prepare_thp(void) { map_thp(area, SEED); }

static int act_read(void) { return madvise(area, psize(), MADV_POPULATE_READ); }
static int act_write(void) { return madvise(area, psize(), MADV_POPULATE_WRITE); }
static int act_touch(void)
{
	*area = 0;
	return 0;
}

static int act_move(void) { return move(area, area + span + psize()) == MAP_FAILED ? -1 : 0; }

static int act_fork(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(!intact_mixed());
	return pid < 0 || waitpid(pid, &status, 0) != pid || status ? -1 : 0;
}

static bool check_zero(void) { return zeroed(area, span); }
static bool check_file(void) { return intact(area, span, SEED); }
static bool check_moved(void) { return intact(area + span + psize(), span, SEED); }

FIXTURE_VARIANT_ADD(fail, pte_fault) {
	.prepare = NULL, .act = act_write, .check = check_zero };
FIXTURE_VARIANT_ADD(fail, touch) {
	.prepare = prepare_huge, .act = act_touch, .check = check_zero, .hidden = true };
FIXTURE_VARIANT_ADD(fail, thp_fault) {
	.prepare = prepare_huge, .act = act_write, .check = check_zero };
FIXTURE_VARIANT_ADD(fail, huge_zero_fault) {
	.prepare = prepare_huge, .act = act_read, .check = check_zero };
FIXTURE_VARIANT_ADD(fail, file_read) {
	.prepare = prepare_file, .act = act_read, .check = check_file };
FIXTURE_VARIANT_ADD(fail, file_write) {
	.prepare = prepare_file, .act = act_write, .check = check_file };
FIXTURE_VARIANT_ADD(fail, file_cow) {
	.prepare = prepare_private, .act = act_write, .check = check_file };
FIXTURE_VARIANT_ADD(fail, mremap_ptes) {
	.prepare = prepare_fill, .act = act_move, .check = check_moved };
FIXTURE_VARIANT_ADD(fail, mremap_thp) {
	.prepare = prepare_thp, .act = act_move, .check = check_moved };
FIXTURE_VARIANT_ADD(fail, fork) {
	.prepare = fill_mixed, .act = act_fork, .check = intact_mixed };

enum { NOT_HIT, HIT, HIT_ENOMEM, WRONG_ERROR, NOT_REPEATED, WRONG_DATA };

static int fail_one(const FIXTURE_VARIANT(fail) *variant, int nth)
{
	int fd = open("/proc/self/fail-nth", O_RDWR), len, ret, err;
	char buf[16] = "";

	if (variant->prepare)
		variant->prepare();
	len = snprintf(buf, sizeof(buf), "%d", nth);
	if (pwrite(fd, buf, len, 0) != len)
		return WRONG_ERROR;
	ret = variant->act();
	err = errno;
	/* Counted down to 0 is hit. */
	if (pread(fd, buf, sizeof(buf), 0) <= 0 || pwrite(fd, "0", 1, 0) != 1)
		return WRONG_ERROR;
	nth = atoi(buf);
	if (ret && (err != ENOMEM || nth))
		return WRONG_ERROR;
	if (ret && variant->act())
		return NOT_REPEATED;
	if (!variant->check())
		return WRONG_DATA;
	return nth ? NOT_HIT : ret ? HIT_ENOMEM : HIT;
}

TEST_F_TIMEOUT(fail, nth, TIMEOUT)
{
	int nth, status, result, spared = 0, count[WRONG_DATA + 1] = {};
	pid_t pid;

	/*
	 * Slab and the kernel's debugging allocate in some runs and not in
	 * others: a run that was spared is not yet the last one to be hit.
	 */
	for (nth = 1; spared < 10; nth++) {
		ASSERT_LT(nth, 2000);
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid)
			_exit(fail_one(variant, nth));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFEXITED(status))
			TH_LOG("allocation %d, signal %d", nth, WTERMSIG(status));
		result = WEXITSTATUS(status);
		ASSERT_LE(result, HIT_ENOMEM)
			TH_LOG("allocation %d", nth);
		count[result]++;
		spared = result == NOT_HIT ? spared + 1 : 0;
	}
	ksft_print_msg("%d allocations failed, %d times seen as ENOMEM\n",
		       count[HIT] + count[HIT_ENOMEM], count[HIT_ENOMEM]);
	/*
	 * A table smaller than a page is there without an allocation most of
	 * the time. And mostly the kernel finds another way than ENOMEM.
	 */
	EXPECT_TRUE(table < (long)psize() || count[HIT] + count[HIT_ENOMEM] > 0);
	EXPECT_TRUE(!variant->hidden || !count[HIT_ENOMEM]);
}

/*
 * Without restartable sequences: a process that is preempted after a fork has the
 * kernel write to its memory, and if the allocation that fails is that page's, it
 * is killed. glibc listens to this only when the program starts.
 */
static __attribute__((constructor)) void no_rseq(int argc, char **argv)
{
	if (getenv("GLIBC_TUNABLES"))
		return;
	setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
	execv("/proc/self/exe", argv);
}

TEST_HARNESS_MAIN
