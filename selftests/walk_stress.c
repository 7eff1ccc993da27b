// SPDX-License-Identifier: GPL-2.0
/*
 * Walks page tables while they change: every kind of walker that the series has
 * converted (smaps, smaps_rollup, numa_maps, mincore, mlock, users of
 * folio_walk_start()) and those next to them, each in a thread or process of its
 * own, while others fault, unmap, free tables, collapse, split, move, fork,
 * migrate, swap, poison and protect.
 *
 *	walk_stress [-t SECONDS] [-s SEED] [-x WORKER]...
 *
 * What a walker says must never be impossible in itself (the parts of Rss sum up,
 * a byte of mincore() is 0 or 1, ...). And there are witnesses: ranges that nobody
 * touches, in the same page tables as what changes, of which it is known to the
 * page what each walker has to say at any time. In the "quiet" process everything
 * that smaps_rollup counts stays as it is, although VMAs and tables come and go.
 *
 * Every worker must get on, nobody may be killed, and in the end the system has as
 * many page tables and, but for poisoned ones, mlocked pages as before. What the
 * kernel finds to complain about (lockdep, KASAN, DEBUG_VM, PAGE_TABLE_CHECK) is for
 * its log. A slow machine is no failure: patience is measured in beat()s, and who does
 * not get on but might run is skipped by name, with all that is known of the CPUs.
 *
 * Preemption: the worker "preempt" is a realtime thread that takes a random CPU
 * away from whoever runs there at random times; "schedule" changes niceness and
 * CPU of the others, and sends them signals.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/mempolicy.h>
#include <linux/mman.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <regex.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "kselftest.h"
#include "vm_util.h"

#define BUF_SIZE	(1UL << 20)
#define WIT_PAGES	64		/* pages of a witness within a table */
#define STUCK		300UL		/* beats for a round at most, see beat(); or a third of all */
#define LIMIT		600UL		/* seconds behind those of -t, for all there is to do */
#define MAX_WORKERS	64
#define MAX_PAGES	512
#define KPF_MLOCKED	33

#define ANON_SPANS	10
#define SHMEM_SPANS	4
#define FILE_SPANS	2

/*
 * Fixed and far below where mmap() looks for room: nothing else turns up in what
 * was unmapped for a moment, and all processes know where things are.
 */
#define ANON_BASE	((char *)(1UL << 36))
#define SHMEM_BASE	(ANON_BASE + (1UL << 28))
#define FILE_BASE	(ANON_BASE + (2UL << 28))
#define SCRATCH_BASE	(ANON_BASE + (3UL << 28))
#define CODE_BASE	(ANON_BASE + (4UL << 28))
#define HPRIV_BASE	(ANON_BASE + (5UL << 28))
/* Aligned and large enough for processes to share the PMD table. */
#define HSHARE_SIZE	(1UL << 30)
#define HSHARE_BASE	(ANON_BASE + 2 * HSHARE_SIZE)
#define HSHARE2_BASE	(ANON_BASE + 3 * HSHARE_SIZE)
#define HPRIV_PAGES	8		/* a witness of 4 is in the middle */

enum what { HOLE, DATA, ZERO, SWAPPED, GUARD, WP, WP_HOLE };

struct witness {
	const char *name;
	char *p;
	size_t unit;			/* size of its pages */
	unsigned int nr;
	bool on;
	unsigned long rss, anon, swap, hugetlb;	/* bytes */
	unsigned char page[MAX_PAGES];
};

enum { W_SMALL, W_SWAP, W_GUARD, W_UFFD, W_THP, W_SHMEM, W_HUGETLB, NR_WITNESSES };

static const char * const fields[] = {
	"Size", "Rss", "Pss", "Pss_Dirty", "Shared_Clean", "Shared_Dirty",
	"Private_Clean", "Private_Dirty", "Referenced", "Anonymous", "KSM",
	"LazyFree", "AnonHugePages", "ShmemPmdMapped", "FilePmdMapped",
	"Shared_Hugetlb", "Private_Hugetlb", "Swap", "SwapPss", "Locked",
	"Pss_Anon", "Pss_File", "Pss_Shmem",
};

enum {
	SIZE, RSS, PSS, PSS_DIRTY, SHARED_CLEAN, SHARED_DIRTY, PRIVATE_CLEAN,
	PRIVATE_DIRTY, REFERENCED, ANONYMOUS, KSM, LAZYFREE, ANON_HUGE, SHMEM_HUGE,
	FILE_HUGE, SHARED_HUGETLB, PRIVATE_HUGETLB, SWAP, SWAP_PSS, LOCKED,
	PSS_ANON, PSS_FILE, PSS_SHMEM, NR_FIELDS
};

struct vma {
	unsigned long start, end;
	bool file;
	unsigned long v[NR_FIELDS];
};

struct state {
	atomic_ulong rounds, exact, failed, began;
	atomic_int tid;
	char why_not[80];
};

static struct shared {
	atomic_bool last_lap, stop;
	atomic_uint go, nr_ready;	/* workers that wait for go */
	atomic_ulong beats;		/* see beat() */
	atomic_uint tickets, served;
	atomic_ulong migrating, migrations, nr_vmas;
	pid_t victim, quiet;
	unsigned long quiet_values[NR_FIELDS];
	struct witness w[NR_WITNESSES];
	struct state s[MAX_WORKERS];
	atomic_ulong failed;		/* of no worker in particular */
	atomic_uint nr_poisoned;
	unsigned long poisoned[4096];	/* PFNs */
} *sh;

static size_t span, hsize;
static char *cell_mlock, *cell_poison;	/* WIT_PAGES each, of one worker alone */
static int shmem_fd = -1, file_fd = -1, code_fd = -1, hpriv_ok, hshare_fd = -1, hshare2_fd = -1;
static char code_path[64];
static unsigned long seed;

/* What may be changed at will: the arenas without witnesses and cells. */
enum kind { ANON, SHMEM, FILEMAP };
static struct interval { char *p; size_t len; enum kind kind; } intervals[32];
static unsigned int nr_intervals;

static __thread struct state *me;
static __thread const char *my_name;
static __thread unsigned long rng;
static __thread char *buf;
static __thread sigjmp_buf *escape;
static __thread unsigned long round_begin_migrations;
static __thread unsigned long rest;	/* us to wait behind the round */

/*
 * Two dozen threads that always want the mmap lock would get nowhere: so many of
 * the mutators in the victim are at it at a time.
 */
#define NR_AT_A_TIME	3

static unsigned long min(unsigned long a, unsigned long b)
{
	return a < b ? a : b;
}

static unsigned long rnd(unsigned long below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng % below;
}

static unsigned long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void nap(unsigned long us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

static void futex(atomic_uint *word, int op, unsigned int val, unsigned int bits)
{
	syscall(SYS_futex, word, op, val, NULL, NULL, bits);
}

/*
 * First come, first served. Nobody polls: two dozen threads that look every 10 ms take
 * all that a slow machine has. There are fewer of them than bits.
 */
static void take_turn(void)
{
	unsigned int ticket = atomic_fetch_add(&sh->tickets, 1), served;

	while (served = atomic_load(&sh->served), (int)(ticket - served) >= NR_AT_A_TIME)
		futex(&sh->served, FUTEX_WAIT_BITSET, served, 1U << ticket % 32);
}

static void end_turn(void)
{
	unsigned int served = atomic_fetch_add(&sh->served, 1) + 1;

	futex(&sh->served, FUTEX_WAKE_BITSET, INT_MAX, 1U << (served + NR_AT_A_TIME - 1) % 32);
}

/* Counts, and says it for the first few. By write(), in one piece. */
__attribute__((format(printf, 1, 2)))
static void fail(const char *fmt, ...)
{
	char line[400];
	va_list ap;
	int n;

	if (atomic_fetch_add(me ? &me->failed : &sh->failed, 1) >= 5)
		return;
	n = snprintf(line, sizeof(line), "# %s: ", my_name ?: "walk_stress");
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (write(STDOUT_FILENO, line, n) != n)
		abort();
}

__attribute__((format(printf, 1, 2)))
static void cannot(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(me->why_not, sizeof(me->why_not), fmt, ap);
	va_end(ap);
}

static bool write_to(const char *path, const char *fmt, ...)
{
	char text[200];
	va_list ap;
	int fd, n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* Without O_APPEND, uprobe_events loses what it has. */
	fd = open(path, O_WRONLY | O_CLOEXEC | (strstr(path, "uprobe_events") ? O_APPEND : 0));
	if (fd < 0)
		return false;
	n = write(fd, text, n) == n;
	close(fd);
	return n;
}

/*
 * The clock by which main() is patient: a nap and some work like the others'. Where
 * CPUs are slow, or don't run for minutes while the guest's time goes on, it is slow
 * as well. A second and less where they are not.
 */
static void beat(void)
{
	char text[4096];
	int fd, i;

	nap(500000);
	for (i = 0; i < 4; i++) {
		fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
		while (read(fd, text, sizeof(text)) > 0)
			;
		close(fd);
	}
	atomic_fetch_add(&sh->beats, 1);
}

/* Reads a file into @buf in pieces of random size. 0 if that was not to be. */
static size_t slurp(const char *path)
{
	size_t len = 0, piece = rnd(3) ? 65536 : 700 + rnd(8000);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	if (fd < 0)
		return 0;
	while (n && len + piece < BUF_SIZE) {
		n = read(fd, buf + len, piece);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			len += n;
	}
	close(fd);
	buf[len] = 0;
	if (n < 0) {
		/* Of a process that exits. */
		if (errno != ESRCH && !atomic_load(&sh->stop))
			fail("read %s: %s", path, strerror(errno));
		return 0;
	}
	if (n) {
		fail("%s is too long", path);
		return 0;
	}
	/* All is about to end: the process may have gone before all of it was read. */
	return atomic_load(&sh->stop) ? 0 : len;
}

static long read_field(const char *path, const char *name)
{
	char line[256];
	long val = -1;
	FILE *fp = fopen(path, "r");

	if (!fp)
		return -1;
	if (check_for_pattern(fp, name, line, sizeof(line)))
		sscanf(line + strlen(name), "%ld", &val);
	fclose(fp);
	return val;
}

/* Was no migration that may hit a witness under way since the round began? */
static bool no_migration(void)
{
	return !atomic_load(&sh->migrating) &&
	       atomic_load(&sh->migrations) == round_begin_migrations;
}

/* Signals: a fault of a mutator that lost a race is part of the game. */

static bool in_arena(const void *p)
{
	return (char *)p >= ANON_BASE && (char *)p < HSHARE2_BASE + HSHARE_SIZE;
}

static void handler(int sig, siginfo_t *info, void *ctx)
{
	/* Memory failure tells processes with a copy of the page, too. */
	if (sig == SIGUSR1 || (sig == SIGBUS && info->si_code == BUS_MCEERR_AO))
		return;
	if (escape && in_arena(info->si_addr))
		siglongjmp(*escape, 1);
	fail("signal %d, code %d, at %p", sig, info->si_code, info->si_addr);
	_exit(99);
}

/* Runs a statement that may fault. */
#define MAY_FAULT(stmt) do {				\
	sigjmp_buf here;				\
							\
	if (!sigsetjmp(here, 1)) {			\
		escape = &here;				\
		stmt;					\
	}						\
	escape = NULL;					\
} while (0)

/* Settings of the system, put back at the end. */

static struct setting { const char *path; char old[64]; } settings[32];
static unsigned int nr_settings;

static void set(const char *path, const char *val)
{
	struct setting *s = &settings[nr_settings];
	char *open_bracket, *close_bracket;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY);
	if (fd < 0)
		return;
	n = read(fd, s->old, sizeof(s->old) - 1);
	close(fd);
	if (n <= 0)
		return;
	s->old[n] = 0;
	/* always [madvise] never */
	open_bracket = strchr(s->old, '[');
	close_bracket = strchr(s->old, ']');
	if (open_bracket && close_bracket) {
		*close_bracket = 0;
		memmove(s->old, open_bracket + 1, strlen(open_bracket));
	}
	s->path = path;
	if (write_to(path, "%s", val))
		nr_settings++;
}

static void reset_settings(void)
{
	while (nr_settings--)
		write_to(settings[nr_settings].path, "%s", settings[nr_settings].old);
}

/* Where mutators do their work. */

static char *map_kind(char *p, size_t len, enum kind kind, int flags)
{
	const char *base = kind == SHMEM ? SHMEM_BASE : FILE_BASE;

	if (kind == ANON)
		return mmap(p, len, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED | flags, -1, 0);
	return mmap(p, len, PROT_READ | PROT_WRITE,
		    (rnd(3) ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED | flags,
		    kind == SHMEM ? shmem_fd : file_fd, p - base);
}

/* Random pages of a random interval, or a whole table's worth of them. */
static enum kind pick(char **p, size_t *len)
{
	const struct interval *iv = &intervals[rnd(nr_intervals)];
	unsigned long nr = iv->len / psize(), from, to;
	char *table = (char *)(((unsigned long)iv->p + span - 1) & ~(span - 1));

	if (rnd(2) && iv->p + iv->len >= table + span) {
		nr = (iv->p + iv->len - table) / span;
		from = rnd(nr);
		*p = table + from * span;
		*len = span * (1 + (nr - from > 1 && !rnd(3)));
		return iv->kind;
	}
	from = rnd(nr);
	nr -= from;
	to = from + 1 + rnd(rnd(2) ? min(nr, 2 * MAX_PAGES) : min(nr, 16));
	*p = iv->p + from * psize();
	*len = (to - from) * psize();
	return iv->kind;
}

static enum kind pick_table(char **p)
{
	enum kind kind;
	size_t len;
	int i = 0;

	do {
		kind = pick(p, &len);
	} while ((len < span || (unsigned long)*p & (span - 1)) && i++ < 50);
	return kind;
}

static void touch(char *p, size_t len, bool write, unsigned int step)
{
	volatile char *q = p;
	size_t i;

	for (i = 0; i < len; i += step * psize()) {
		if (write)
			q[i + 8] = i | 1;
		else
			(void)q[i + 8];
	}
}

/* Mutators. Most of what they do may fail, as they step on each other's feet. */

static void m_touch(void)
{
	char *p;
	size_t len;

	pick(&p, &len);
	len = min(len, span);
	if (!rnd(3))
		madvise(p, len, rnd(2) ? MADV_POPULATE_READ : MADV_POPULATE_WRITE);
	else
		MAY_FAULT(touch(p, len, rnd(3), 1 + rnd(4)));
}

static void m_remap(void)
{
	enum kind kind;
	char *p;
	size_t len;

	kind = pick(&p, &len);
	if (rnd(2)) {
		munmap(p, len);
		if (rnd(2))
			nap(rnd(3000));
	}
	map_kind(p, len, kind, rnd(8) ? 0 : MAP_POPULATE);
	if (rnd(2))
		madvise(p, len, rnd(3) ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

static void m_dontneed(void)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_DONTNEED, MADV_FREE, MADV_DONTNEED_LOCKED, MADV_REMOVE
	};
	char *p;
	size_t len;

	pick(&p, &len);
	madvise(p, len, advice[rnd(ARRAY_SIZE(advice))]);
	if (rnd(2))
		MAY_FAULT(touch(p, psize(), rnd(2), 1));
}

static void m_collapse(void)
{
	char *p;

	pick_table(&p);
	madvise(p, span, MADV_HUGEPAGE);
	if (rnd(2))
		MAY_FAULT(touch(p, span, rnd(2), 1 + rnd(32)));
	madvise(p, span, MADV_COLLAPSE);
}

static void m_split(void)
{
	static const int advice[] = { MADV_DONTNEED, MADV_FREE, MADV_COLD, MADV_PAGEOUT };
	char *p, *q;

	pick_table(&p);
	madvise(p, span, MADV_HUGEPAGE);
	MAY_FAULT(touch(p, span, rnd(4), MAX_PAGES));
	q = p + rnd(span / psize()) * psize();
	switch (rnd(5)) {
	case 0:
		/* To larger folios than that it warns of what can't be split so. */
		write_to("/sys/kernel/debug/split_huge_pages", "%d,%#lx,%#lx,0",
			 getpid(), (long)p, (long)p + span);
		break;
	case 1:
		mprotect(q, psize(), PROT_READ);
		mprotect(q, psize(), PROT_READ | PROT_WRITE);
		break;
	case 2:
		mlock(q, psize());
		munlock(q, psize());
		break;
	default:
		madvise(q, psize(), advice[rnd(ARRAY_SIZE(advice))]);
	}
}

static void m_mremap(void)
{
	char *p, *q = SCRATCH_BASE + rnd(4) * span;
	enum kind kind;
	size_t len;

	kind = pick(&p, &len);
	if (rnd(2))
		q += ((unsigned long)p & (span - 1));
	else
		q += rnd(span / psize()) * psize();
	if (mremap(p, len, len, MREMAP_MAYMOVE | MREMAP_FIXED |
		   (rnd(4) ? 0 : MREMAP_DONTUNMAP), q) == MAP_FAILED)
		return;
	MAY_FAULT(touch(q, len, rnd(2), 1 + rnd(64)));
	if (!rnd(3) || mremap(q, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, p) == MAP_FAILED) {
		munmap(q, len);
		map_kind(p, len, kind, 0);
	}
}

static void m_fork(void)
{
	pid_t pid = fork();
	int i, status;
	char *p;
	size_t len;

	if (pid < 0)
		return;
	if (!pid) {
		for (i = rnd(8); i; i--) {
			pick(&p, &len);
			MAY_FAULT(touch(p, min(len, span), rnd(2), 1 + rnd(8)));
			if (!rnd(4))
				madvise(p, len, MADV_DONTNEED);
		}
		if (hpriv_ok && rnd(2))
			MAY_FAULT(touch(HPRIV_BASE, hsize, rnd(2), 1));
		if (rnd(2))
			slurp("/proc/self/smaps_rollup");
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail("a child ended with status %#x", status);
}

static int nr_nodes = 1;

static void migrate_all(pid_t pid)
{
	unsigned long from = 1UL << rnd(nr_nodes), to = 1UL << rnd(nr_nodes);

	atomic_fetch_add(&sh->migrating, 1);
	syscall(SYS_migrate_pages, pid, sizeof(long) * 8, &from, &to);
	atomic_fetch_add(&sh->migrations, 1);
	atomic_fetch_sub(&sh->migrating, 1);
}

static void m_migrate(void)
{
	unsigned long nodes = 1UL << rnd(nr_nodes);
	void *pages[8];
	int to[8], status[8];
	unsigned int i, n = 1 + rnd(8), node = rnd(nr_nodes);
	size_t len;
	char *p;

	pick(&p, &len);
	switch (rnd(24)) {
	case 0:
		/* The witnesses as well. */
		migrate_all(rnd(2) ? 0 : sh->quiet);
		break;
	case 1 ... 6:
		syscall(SYS_mbind, p, len, MPOL_BIND, &nodes, sizeof(long) * 8, MPOL_MF_MOVE);
		syscall(SYS_mbind, p, len, MPOL_DEFAULT, NULL, 0, 0);
		break;
	default:
		for (i = 0; i < n; i++) {
			pages[i] = p + i * psize() % len;
			to[i] = node;
		}
		syscall(SYS_move_pages, 0, n, pages, to, status, MPOL_MF_MOVE);
	}
}

static void m_pageout(void)
{
	char *p;
	size_t len;

	pick(&p, &len);
	if (rnd(4))
		len = min(len, 64 * psize());
	madvise(p, len, rnd(4) ? MADV_PAGEOUT : MADV_COLD);
	switch (rnd(4)) {
	case 0:
		madvise(p, len, MADV_WILLNEED);
		break;
	case 1:
		MAY_FAULT(touch(p, min(len, span), rnd(2), 1 + rnd(4)));
		break;
	}
}

static void m_mprotect(void)
{
	static const int prot[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };
	char *p;
	size_t len;

	pick(&p, &len);
	mprotect(p, len, prot[rnd(3)]);
	if (rnd(2))
		mprotect(p, len, PROT_READ | PROT_WRITE);
}

/*
 * Not in files: over a uffd-wp marker there MADV_GUARD_INSTALL goes round for ever,
 * with any kernel. It zaps what is in the way, and zapping keeps such a marker.
 */
static void m_guard(void)
{
	char *p;
	size_t len;

	if (pick(&p, &len) != ANON)
		return;
	madvise(p, len, MADV_GUARD_INSTALL);
	if (rnd(3))
		madvise(p, len, MADV_GUARD_REMOVE);
}

static void m_mlock_any(void)
{
	char *p;
	size_t len;

	pick(&p, &len);
	len = min(len, span);
	if (rnd(2))
		mlock(p, len);
	else
		syscall(SYS_mlock2, p, len, MLOCK_ONFAULT);
	munlock(p, len);
}

static void m_ksm(void)
{
	char *p;
	size_t len;

	pick(&p, &len);
	if (!madvise(p, len, MADV_MERGEABLE))
		nap(rnd(20000));
	if (rnd(2))
		madvise(p, len, MADV_UNMERGEABLE);
}

static int uffd = -1;

static bool i_uffd(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED |
			    UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM,
	};

	if (uffd >= 0)
		return true;
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api)) {
		cannot("no asynchronous userfaultfd-wp: %s", strerror(errno));
		return false;
	}
	return true;
}

static bool uffd_wp(char *p, size_t len)
{
	struct uffdio_register reg = {
		.range = { (unsigned long)p, len }, .mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_writeprotect wp = {
		.range = reg.range, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	return !ioctl(uffd, UFFDIO_REGISTER, &reg) && !ioctl(uffd, UFFDIO_WRITEPROTECT, &wp);
}

/*
 * Not in the file of a disk: over a marker whose page is not in the page cache,
 * filemap_fault() says VM_FAULT_NOPAGE for ever if the VMA is mlock()ed, with any
 * kernel. mlock() itself never comes back from that, nor gives up the mmap lock.
 */
static void m_uffd(void)
{
	struct uffdio_range range;
	char *p;
	size_t len;

	if (pick(&p, &len) == FILEMAP)
		return;
	uffd_wp(p, len);
	if (rnd(2))
		MAY_FAULT(touch(p, min(len, span), rnd(2), 1 + rnd(8)));
	if (rnd(2)) {
		range.start = (unsigned long)p;
		range.len = len;
		ioctl(uffd, UFFDIO_UNREGISTER, &range);
	}
}

static bool i_poison(void)
{
	char *p = cell_poison;

	*p = 1;
	if (access("/sys/kernel/debug/hwpoison/unpoison-pfn", W_OK)) {
		cannot("no way to unpoison");
		return false;
	}
	return true;
}

/* In a cell of its own: a read fault elsewhere would have it poison the zero page. */
static void m_poison(void)
{
	char *p = cell_poison + rnd(WIT_PAGES) * psize();
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned int i = atomic_load(&sh->nr_poisoned);
	uint64_t e;

	MAY_FAULT(touch(p, psize(), true, 1));
	if (pread(fd, &e, 8, (unsigned long)p / psize() * 8) == 8 && (e & PM_PRESENT) &&
	    i < ARRAY_SIZE(sh->poisoned)) {
		sh->poisoned[i] = e & ((1UL << 55) - 1);
		atomic_store(&sh->nr_poisoned, i + 1);
		MAY_FAULT(madvise(p, psize(), rnd(3) ? MADV_SOFT_OFFLINE : MADV_HWPOISON));
	}
	close(fd);
	if (rnd(2))
		MAY_FAULT(touch(p, psize(), true, 1));
	if (rnd(2))
		mmap(p, psize(), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	rest = rnd(400000);
}

static bool i_hugetlb(void)
{
	if (hshare_fd < 0)
		cannot("not enough free huge pages");
	return hshare_fd >= 0;
}

static char *map_hugetlb(char *p, int fd)
{
	return mmap(p, HSHARE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd, 0);
}

/* In the victim: the second file, and around the witness in private memory. */
static void m_hugetlb(void)
{
	char *p = HSHARE2_BASE + rnd(8) * hsize, *q;

	q = HPRIV_BASE + (rnd(2) ? rnd(2) : HPRIV_PAGES - 1 - rnd(2)) * hsize;
	switch (rnd(6)) {
	case 0:
		madvise(p, hsize, MADV_DONTNEED);
		break;
	case 1:
		mprotect(HSHARE2_BASE, HSHARE_SIZE, PROT_READ);
		mprotect(HSHARE2_BASE, HSHARE_SIZE, PROT_READ | PROT_WRITE);
		break;
	case 2:
		munmap(HSHARE2_BASE, HSHARE_SIZE);
		map_hugetlb(HSHARE2_BASE, hshare2_fd);
		break;
	case 3:
		fallocate(hshare2_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  p - HSHARE2_BASE, hsize);
		break;
	case 4:
		madvise(q, hsize, MADV_DONTNEED);
		break;
	}
	MAY_FAULT(touch(p, hsize, rnd(2), MAX_PAGES));
	MAY_FAULT(touch(q, hsize, rnd(2), MAX_PAGES));
	/* Shares the PMD table with the other process; adds to it only. */
	MAY_FAULT(touch(HSHARE_BASE + (8 + rnd(4)) * hsize, hsize, rnd(2), MAX_PAGES));
}

/* In a process of its own: shares and unshares the victim's PMD tables. */
static void m_hugetlb_share(void)
{
	int fd = rnd(2) ? hshare_fd : hshare2_fd;
	char *p = fd == hshare_fd ? HSHARE_BASE : HSHARE2_BASE;
	unsigned char vec[16];

	if (map_hugetlb(p, fd) == MAP_FAILED) {
		fail("mmap: %s", strerror(errno));
		return;
	}
	MAY_FAULT(touch(p + rnd(12) * hsize, hsize, rnd(2), MAX_PAGES));
	if (mincore(p + rnd(12) * hsize, 16 * psize(), vec))
		fail("mincore: %s", strerror(errno));
	switch (rnd(4)) {
	case 0:
		mprotect(p, HSHARE_SIZE, PROT_READ);
		break;
	case 1:
		munmap(p + hsize, HSHARE_SIZE - hsize);
		break;
	case 2:
		slurp("/proc/self/smaps");
		break;
	}
	munmap(p, HSHARE_SIZE);
}

static void m_compact(void)
{
	write_to("/proc/sys/vm/compact_memory", "1");
	rest = rnd(20000000);
}

static void m_clear_refs(void)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/clear_refs", sh->victim);
	write_to(path, "%lu", rnd(2) ? 4 : 1 + rnd(3));
	rest = rnd(100000);
}

static void m_schedule(void)
{
	unsigned int cpus = sysconf(_SC_NPROCESSORS_ONLN), i = rnd(MAX_WORKERS);
	/* The last place has no worker: it stands for the quiet process. */
	int tid = i == MAX_WORKERS - 1 ? sh->quiet : atomic_load(&sh->s[i].tid);
	cpu_set_t set;

	rest = 1 + rnd(20000);
	if (!tid || tid == gettid())
		return;
	switch (rnd(3)) {
	case 0:
		CPU_ZERO(&set);
		CPU_SET(rnd(cpus), &set);
		for (i = 0; i < cpus && rnd(2); i++)
			CPU_SET(i, &set);
		sched_setaffinity(tid, sizeof(set), &set);
		break;
	case 1:
		setpriority(PRIO_PROCESS, tid, rnd(8));
		break;
	default:
		syscall(SYS_tkill, tid, SIGUSR1);
	}
}

static bool i_preempt(void)
{
	struct sched_param param = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &param)) {
		cannot("no realtime scheduling: %s", strerror(errno));
		return false;
	}
	return true;
}

static void m_preempt(void)
{
	struct timespec a, b;
	long ns = rnd(300000), took;
	cpu_set_t set;

	clock_gettime(CLOCK_MONOTONIC, &a);
	CPU_ZERO(&set);
	CPU_SET(rnd(sysconf(_SC_NPROCESSORS_ONLN)), &set);
	sched_setaffinity(0, sizeof(set), &set);
	do {
		clock_gettime(CLOCK_MONOTONIC, &b);
		took = (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec;
	} while (took < ns);
	/* A fraction of a CPU, however slow that is: the others need the rest. */
	rest = 1 + rnd(5000) + took / 1000 * 4;
}

#define UPROBE_EVENTS	"/sys/kernel/tracing/uprobe_events"
#define UPROBE_ENABLE	"/sys/kernel/tracing/events/walk_stress/probe/enable"

static bool i_uprobe(void)
{
	if (code_fd >= 0 && write_to(UPROBE_EVENTS, "p:walk_stress/probe %s:0\n", code_path))
		return true;
	cannot("no uprobes: %s", strerror(errno));
	return false;
}

static void m_uprobe(void)
{
	if (!write_to(UPROBE_ENABLE, "1"))
		fail("can't enable the uprobe: %s", strerror(errno));
	nap(rnd(20000));
	if (!write_to(UPROBE_ENABLE, "0"))
		fail("can't disable the uprobe: %s", strerror(errno));
}

/* Runs what is probed, and unmaps it and faults it in again. */
static void m_code(void)
{
	if (!rnd(4))
		madvise(CODE_BASE, psize(), MADV_DONTNEED);
	((void (*)(void))CODE_BASE)();
	rest = rnd(20000);
}

static bool i_code(void)
{
	if (code_fd < 0)
		cannot("no code to probe on this architecture");
	return code_fd >= 0;
}

/* Walkers. */

static int field(const char *name, size_t len)
{
	int i;

	for (i = 0; i < NR_FIELDS; i++) {
		if (strlen(fields[i]) == len && !strncmp(fields[i], name, len))
			return i;
	}
	return -1;
}

/* Returns what is behind the VMA at @s. */
static char *parse_vma(char *s, struct vma *v)
{
	char *next, *colon;
	int i, n = 0;

	memset(v, 0, sizeof(*v));
	if (sscanf(s, "%lx-%lx", &v->start, &v->end) != 2) {
		fail("not the line of a VMA: %.60s", s);
		return NULL;
	}
	next = strchr(s, '\n');
	if (!next) {
		fail("the last line has no end");
		return NULL;
	}
	v->file = memchr(s, '/', next - s);
	for (s = next + 1; *s >= 'A' && *s <= 'Z'; s = next + 1, n++) {
		next = strchr(s, '\n');
		colon = strchr(s, ':');
		if (!next || !colon || colon > next) {
			fail("a line without an end or a colon: %.60s", s);
			return NULL;
		}
		i = field(s, colon - s);
		if (i >= 0)
			v->v[i] = strtoul(colon + 1, NULL, 10);
	}
	if (n < 15)
		fail("%lx has %d lines only", v->start, n);
	return s;
}

#define CHECK(cond, vma) do {							\
	if (!(cond))								\
		fail_vma(vma, #cond);						\
} while (0)

static void fail_vma(const struct vma *vma, const char *cond)
{
	const unsigned long *v = vma->v;

	fail("%lx-%lx: not so: %s (Size %lu Rss %lu Pss %lu Anonymous %lu Swap %lu Locked %lu)",
	     vma->start, vma->end, cond, v[SIZE], v[RSS], v[PSS], v[ANONYMOUS], v[SWAP], v[LOCKED]);
}

static void check_vma(const struct vma *vma, bool rollup)
{
	const unsigned long *v = vma->v;

	CHECK(v[PSS] <= v[RSS], vma);
	CHECK(v[PSS_DIRTY] <= v[PSS], vma);
	CHECK(v[SHARED_CLEAN] + v[SHARED_DIRTY] +
	      v[PRIVATE_CLEAN] + v[PRIVATE_DIRTY] == v[RSS], vma);
	CHECK(v[REFERENCED] <= v[RSS], vma);
	CHECK(v[ANONYMOUS] <= v[RSS], vma);
	CHECK(v[KSM] <= v[RSS], vma);
	CHECK(v[LAZYFREE] <= v[ANONYMOUS], vma);
	CHECK(v[SWAP_PSS] <= v[SWAP], vma);
	CHECK(v[LOCKED] <= v[PSS], vma);
	if (rollup) {
		CHECK(v[PSS_ANON] + v[PSS_FILE] + v[PSS_SHMEM] <= v[PSS], vma);
		CHECK(v[PSS_ANON] + v[PSS_FILE] + v[PSS_SHMEM] + 3 >= v[PSS], vma);
		return;
	}
	CHECK(v[SIZE] == (vma->end - vma->start) / 1024, vma);
	CHECK(v[RSS] <= v[SIZE], vma);
	/* shmem counts a large swap entry as a whole, if the VMA begins or ends in it. */
	CHECK(v[SWAP] <= v[SIZE] + (vma->file ? 2 * (2048 - 4) : 0), vma);
	CHECK(vma->file || v[RSS] + v[SWAP] <= v[SIZE], vma);
	CHECK(v[LOCKED] == 0 || v[LOCKED] == v[PSS], vma);
	CHECK(v[ANON_HUGE] <= v[ANONYMOUS], vma);
	CHECK(v[SHMEM_HUGE] + v[FILE_HUGE] <= v[RSS], vma);
	CHECK(v[SHARED_HUGETLB] + v[PRIVATE_HUGETLB] <= v[SIZE], vma);
}

static void check_witness_vma(const struct vma *vma, const struct witness *w)
{
	const unsigned long *v = vma->v;

	if (vma->end - vma->start != w->nr * w->unit || v[RSS] * 1024 != w->rss ||
	    v[PSS] * 1024 != w->rss || v[ANONYMOUS] * 1024 != w->anon ||
	    v[SWAP] * 1024 != w->swap || v[SWAP_PSS] * 1024 != w->swap ||
	    (v[PRIVATE_HUGETLB] + v[SHARED_HUGETLB]) * 1024 != w->hugetlb ||
	    /* What is being migrated counts as shared. */
	    (v[SHARED_HUGETLB] && no_migration()) ||
	    (v[LOCKED] && v[LOCKED] * 1024 != w->rss))
		fail("witness %s: Size %lu Rss %lu Pss %lu Anonymous %lu Swap %lu SwapPss %lu "
		     "Private_Hugetlb %lu Shared_Hugetlb %lu Locked %lu; "
		     "Rss %lu, Anonymous %lu, Swap %lu, Hugetlb %lu expected",
		     w->name, v[SIZE], v[RSS], v[PSS], v[ANONYMOUS], v[SWAP], v[SWAP_PSS],
		     v[PRIVATE_HUGETLB], v[SHARED_HUGETLB], v[LOCKED],
		     w->rss / 1024, w->anon / 1024, w->swap / 1024, w->hugetlb / 1024);
	else
		atomic_fetch_add(&me->exact, 1);
}

static struct witness *witness_at(unsigned long addr)
{
	int i;

	for (i = 0; i < NR_WITNESSES; i++) {
		if (sh->w[i].on && (unsigned long)sh->w[i].p == addr)
			return &sh->w[i];
	}
	return NULL;
}

static const char *proc(pid_t pid, const char *file)
{
	static __thread char path[60];

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	else
		snprintf(path, sizeof(path), "/proc/self/%s", file);
	return path;
}

static int nr_on(void)
{
	int i, n = 0;

	for (i = 0; i < NR_WITNESSES; i++)
		n += sh->w[i].on;
	return n;
}

static void w_smaps(pid_t pid)
{
	unsigned long last = 0, nr_vmas = 0;
	struct vma v;
	int seen = 0;
	char *s;

	if (!slurp(proc(pid, "smaps")))
		return;
	for (s = buf; s && *s; nr_vmas++) {
		struct witness *w;

		s = parse_vma(s, &v);
		if (!s)
			return;
		/* A VMA may have grown at its start since the one before was shown. */
		CHECK(v.start < v.end && v.end > last, &v);
		last = v.end;
		check_vma(&v, false);
		w = witness_at(v.start);
		if (w) {
			check_witness_vma(&v, w);
			seen++;
		}
		if (v.start == (unsigned long)HSHARE_BASE) {
			/* 4 that are always there, and up to 4 or 8 of the others. */
			CHECK(v.v[SHARED_HUGETLB] + v.v[PRIVATE_HUGETLB] >= 4 * hsize / 1024, &v);
			CHECK(v.v[SHARED_HUGETLB] + v.v[PRIVATE_HUGETLB] <= 12 * hsize / 1024, &v);
		}
	}
	if (seen != nr_on())
		fail("%d of %d witnesses are there", seen, nr_on());
	atomic_store(&sh->nr_vmas, nr_vmas);
}

static void w_smaps_self(void) { w_smaps(0); }
static void w_smaps_other(void) { w_smaps(sh->victim); }

static void w_rollup(pid_t pid)
{
	unsigned long rss = 0, anon = 0, swap = 0, hugetlb = 0;
	struct vma v;
	char *s;
	int i;

	if (!slurp(proc(pid, "smaps_rollup")))
		return;
	s = parse_vma(buf, &v);
	if (!s)
		return;
	if (*s)
		fail("something behind the sum: %.60s", s);
	check_vma(&v, true);
	for (i = 0; i < NR_WITNESSES; i++) {
		if (!sh->w[i].on)
			continue;
		rss += sh->w[i].rss;
		anon += sh->w[i].anon;
		swap += sh->w[i].swap;
		hugetlb += sh->w[i].hugetlb;
	}
	CHECK(v.v[RSS] >= rss / 1024, &v);
	CHECK(v.v[ANONYMOUS] >= anon / 1024, &v);
	CHECK(v.v[SWAP] >= swap / 1024, &v);
	CHECK(v.v[PRIVATE_HUGETLB] + v.v[SHARED_HUGETLB] >= hugetlb / 1024, &v);
}

static void w_rollup_self(void) { w_rollup(0); }
static void w_rollup_other(void) { w_rollup(sh->victim); }

static const int quiet_fields[] = { ANONYMOUS, SWAP, ANON_HUGE };

/* Its VMAs and page tables change, what they map doesn't. */
static void w_rollup_quiet(void)
{
	struct vma v;
	unsigned int i;

	if (!slurp(proc(sh->quiet, "smaps_rollup")) || !parse_vma(buf, &v))
		return;
	check_vma(&v, true);
	/* If the folio of a file is split, what mapped it isn't there any more, locked or not. */
	CHECK(v.v[RSS] <= sh->quiet_values[RSS], &v);
	for (i = 0; i < ARRAY_SIZE(quiet_fields); i++) {
		int f = quiet_fields[i];

		if (v.v[f] != sh->quiet_values[f])
			fail("%s is %lu, and has to be %lu", fields[f], v.v[f],
			     sh->quiet_values[f]);
		else
			atomic_fetch_add(&me->exact, 1);
	}
}

static void w_smaps_quiet(void)
{
	unsigned long sum[NR_FIELDS] = { 0 };
	struct vma v;
	unsigned int i, f;
	char *s;

	if (!slurp(proc(sh->quiet, "smaps")))
		return;
	for (s = buf; s && *s; ) {
		s = parse_vma(s, &v);
		if (!s)
			return;
		check_vma(&v, false);
		for (f = 0; f < NR_FIELDS; f++)
			sum[f] += v.v[f];
	}
	if (sum[RSS] > sh->quiet_values[RSS])
		fail("the sum of Rss is %lu, more than %lu", sum[RSS], sh->quiet_values[RSS]);
	for (i = 0; i < ARRAY_SIZE(quiet_fields); i++) {
		f = quiet_fields[i];
		if (sum[f] != sh->quiet_values[f])
			fail("the sum of %s is %lu, and has to be %lu", fields[f], sum[f],
			     sh->quiet_values[f]);
		else
			atomic_fetch_add(&me->exact, 1);
	}
}

static unsigned long number_after(const char *line, const char *key)
{
	const char *s = strstr(line, key);

	return s ? strtoul(s + strlen(key), NULL, 10) : 0;
}

static void w_numa(pid_t pid)
{
	static const char * const parts[] = {
		" anon=", " dirty=", " swapcache=", " active=", " writeback=", " mapped="
	};
	char *s, *end, key[16];
	int seen = 0, node;
	unsigned int i;

	if (!slurp(proc(pid, "numa_maps")))
		return;
	for (s = buf; *s; s = end + 1) {
		unsigned long addr, sum = 0, pages, anon;
		struct witness *w;

		end = strchr(s, '\n');
		if (!end || sscanf(s, "%lx ", &addr) != 1) {
			fail("not the line of a VMA: %.60s", s);
			return;
		}
		*end = 0;
		for (node = 0; node < nr_nodes; node++) {
			snprintf(key, sizeof(key), " N%d=", node);
			sum += number_after(s, key);
		}
		for (i = 0; i < ARRAY_SIZE(parts); i++) {
			if (number_after(s, parts[i]) > sum)
				fail("more%s than pages: %s", parts[i], s);
		}
		w = witness_at(addr);
		if (!w)
			continue;
		seen++;
		pages = (w->rss + w->hugetlb) / w->unit;
		anon = (w->anon + w->hugetlb) / w->unit;
		/* A page that is being migrated isn't counted. */
		if (sum > pages || number_after(s, " anon=") > anon ||
		    (no_migration() && (sum != pages || number_after(s, " anon=") != anon)))
			fail("witness %s: %lu pages, %lu anonymous expected: %s",
			     w->name, pages, anon, s);
		else if (no_migration())
			atomic_fetch_add(&me->exact, 1);
	}
	if (seen != nr_on())
		fail("%d of %d witnesses are there", seen, nr_on());
}

static void w_numa_self(void) { w_numa(0); }
static void w_numa_other(void) { w_numa(sh->victim); }

/* The kind of the page at @p, in a witness that spans it. */
static enum what page_at(const struct witness *w, const char *p)
{
	return w->page[(p - w->p) / w->unit];
}

static void check_mincore(const struct witness *w, const char *p,
			  const unsigned char *vec, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++, p += psize()) {
		enum what page = page_at(w, p);
		int want = page == DATA || page == ZERO || page == WP;

		if (page == SWAPPED ? vec[i] > 1 : vec[i] != want) {
			fail("witness %s, page %ld (kind %d): %d, %d expected", w->name,
			     (long)(p - w->p) / psize(), page, vec[i], want);
			return;
		}
	}
	atomic_fetch_add(&me->exact, 1);
}

static void w_mincore(void)
{
	static const struct { char *p; size_t spans; } arena[] = {
		{ ANON_BASE, ANON_SPANS }, { SHMEM_BASE, SHMEM_SPANS }, { FILE_BASE, FILE_SPANS }
	};
	unsigned char *vec = (unsigned char *)buf;
	struct witness *w = &sh->w[rnd(NR_WITNESSES)];
	size_t nr, from, to, i, before = 0, behind = 0;
	char *p;
	int a = rnd(3);

	if (w->on) {
		nr = w->nr * w->unit / psize();
		from = rnd(nr);
		to = from + 1 + rnd(nr - from);
		p = w->p + from * psize();
		/* In one go with what lies around it, if that is mapped. */
		if (!from && w->unit == psize() && rnd(2))
			before = rnd(100);
		if (to == nr && w->unit == psize() && rnd(2))
			behind = rnd(100);
		memset(vec, 0xff, before + to - from + behind);
		if (!mincore(p - before * psize(), (before + to - from + behind) * psize(), vec))
			check_mincore(w, p, vec + before, to - from);
		else if (!before && !behind)
			fail("witness %s: mincore: %s", w->name, strerror(errno));
		else if (errno != ENOMEM)
			fail("around witness %s: mincore: %s", w->name, strerror(errno));
	}
	if (hshare_fd >= 0) {
		nr = hsize / psize();
		memset(vec, 0xff, 16);
		if (mincore(HSHARE_BASE + rnd(4 * nr - 8) * psize(), 8 * psize(), vec) ||
		    mincore(HSHARE_BASE + (16 + rnd(400)) * hsize, 8 * psize(), vec + 8))
			fail("shared hugetlb: mincore: %s", strerror(errno));
		for (i = 0; i < 16; i++) {
			if (vec[i] != (i < 8))
				fail("shared hugetlb: %d for page %zu", vec[i], i);
		}
	}
	nr = arena[a].spans * span / psize();
	from = rnd(nr);
	to = from + 1 + rnd(nr - from);
	memset(vec, 0xff, to - from);
	if (mincore(arena[a].p + from * psize(), (to - from) * psize(), vec)) {
		if (errno != ENOMEM)
			fail("mincore: %s", strerror(errno));
		return;
	}
	for (i = 0; i < to - from; i++) {
		if (vec[i] > 1) {
			fail("mincore: %#x for page %zu", vec[i], from + i);
			return;
		}
	}
}

/*
 * Pages that nobody else changes are locked by the walk alone (they are there
 * already, and fresh: no delayed munlock is about them), and some only.
 */
static void w_mlock(void)
{
	size_t from = rnd(WIT_PAGES), to = from + 1 + rnd(WIT_PAGES - from), i;
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int kpf = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	uint64_t before[WIT_PAGES], flags[WIT_PAGES], after[WIT_PAGES];
	off_t at = (unsigned long)cell_mlock / psize() * 8;
	/*
	 * With any kernel mlock2() passes over a page that compaction is moving, and
	 * nobody locks that if it is back too soon (VM_IO). Not twice in a row.
	 */
	static bool missed_before;
	unsigned int missed = 0;

	mmap(cell_mlock, WIT_PAGES * psize(), PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	madvise(cell_mlock, WIT_PAGES * psize(), MADV_NOHUGEPAGE);
	touch(cell_mlock, WIT_PAGES * psize(), true, 1);
	if (syscall(SYS_mlock2, cell_mlock + from * psize(), (to - from) * psize(),
		    MLOCK_ONFAULT)) {
		if (errno != EINTR)
			fail("mlock2: %s", strerror(errno));
		goto out;
	}
	if (pread(pagemap, before, sizeof(before), at) != sizeof(before)) {
		fail("pagemap: %s", strerror(errno));
		goto out;
	}
	for (i = 0; i < WIT_PAGES; i++) {
		flags[i] = 0;
		if ((before[i] & PM_PRESENT) &&
		    pread(kpf, &flags[i], 8, (before[i] & ((1UL << 55) - 1)) * 8) != 8)
			fail("kpageflags: %s", strerror(errno));
	}
	if (pread(pagemap, after, sizeof(after), at) != sizeof(after)) {
		fail("pagemap: %s", strerror(errno));
		goto out;
	}
	for (i = 0; i < WIT_PAGES; i++) {
		bool want = i >= from && i < to;

		/* Swapped out, or migrated meanwhile */
		if (!(before[i] & PM_PRESENT) || ((before[i] ^ after[i]) & ((1UL << 55) - 1)) ||
		    !no_migration())
			continue;
		if (!!(flags[i] & (1UL << KPF_MLOCKED)) == want)
			atomic_fetch_add(&me->exact, 1);
		else if (!missed++ && missed_before)
			fail("page %zu, %zu to %zu are locked: its flags are %#lx", i, from, to,
			     (unsigned long)flags[i]);
	}
	missed_before = missed;
out:
	munlock(cell_mlock, rnd(2) ? WIT_PAGES * psize() : to * psize());
	close(pagemap);
	close(kpf);
}

/* mlock() brings in what is missing. */
static void w_mlock_populate(void)
{
	static char *cell;
	unsigned char vec[WIT_PAGES];
	size_t i, nr = rnd(2) ? WIT_PAGES : 1 + rnd(WIT_PAGES), len = WIT_PAGES * psize();

	if (!cell)
		cell = cell_mlock + len;
	mmap(cell, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	touch(cell, len, rnd(2), 1 + rnd(8));
	if (rnd(2))
		madvise(cell, len, MADV_PAGEOUT);
	if (mlock(cell, nr * psize())) {
		if (errno != EINTR && errno != EAGAIN)
			fail("mlock: %s", strerror(errno));
	} else if (mincore(cell, nr * psize(), vec)) {
		fail("mincore: %s", strerror(errno));
	} else {
		for (i = 0; i < nr; i++) {
			if (vec[i] != 1)
				fail("mlock()ed page %zu of %zu: %#x", i, nr, vec[i]);
		}
		atomic_fetch_add(&me->exact, 1);
	}
	if (munlock(cell, len))
		fail("munlock: %s", strerror(errno));
}

static const uint64_t pm_bits = PM_PRESENT | PM_SWAP | PM_UFFD_WP | PM_GUARD_REGION;

static void check_pagemap(const struct witness *w, size_t i, uint64_t e)
{
	uint64_t want = 0;

	switch (w->page[i * psize() / w->unit]) {
	case DATA:
	case ZERO:
		want = PM_PRESENT;
		break;
	case SWAPPED:
		want = PM_SWAP;
		break;
	case GUARD:
		e &= ~PM_SWAP;
		want = PM_GUARD_REGION;
		break;
	case WP:
		want = PM_PRESENT | PM_UFFD_WP;
		break;
	case WP_HOLE:
		e &= ~PM_SWAP;
		want = PM_UFFD_WP;
		break;
	}
	/* What is being migrated looks like what was swapped out, and hugetlb like a hole. */
	if ((want & PM_PRESENT) && !no_migration()) {
		if (e & PM_SWAP)
			e ^= PM_PRESENT | PM_SWAP;
		else if (w - sh->w == W_HUGETLB)
			e |= PM_PRESENT;
	}
	if ((e & pm_bits) != want)
		fail("witness %s, page %zu: %#lx, %#lx expected", w->name, i,
		     (unsigned long)e, (unsigned long)want);
	else
		atomic_fetch_add(&me->exact, 1);
}

static void w_pagemap(pid_t pid)
{
	int fd = open(proc(pid, "pagemap"), O_RDONLY | O_CLOEXEC);
	struct witness *w = &sh->w[rnd(NR_WITNESSES)];
	uint64_t *e = (uint64_t *)buf;
	size_t i, nr;
	ssize_t n;

	if (fd < 0)
		return;
	if (w->on) {
		nr = w->nr * w->unit / psize();
		n = pread(fd, e, nr * 8, (unsigned long)w->p / psize() * 8);
		if (n != (ssize_t)nr * 8) {
			if (n < 0 && errno != EINTR)
				fail("witness %s: pagemap: %zd of %zu bytes", w->name, n, nr * 8);
		} else {
			for (i = 0; i < nr; i++)
				check_pagemap(w, i, e[i]);
		}
	}
	/* More at once than it has a buffer for, from anywhere. */
	n = pread(fd, e, 4 * MAX_PAGES * sizeof(*e),
		  ((unsigned long)ANON_BASE / psize() + rnd(ANON_SPANS * MAX_PAGES)) * 8);
	if (n < 0 && errno != EINTR)
		fail("pagemap: %s", strerror(errno));
	close(fd);
}

static void w_pagemap_self(void) { w_pagemap(0); }
static void w_pagemap_other(void) { w_pagemap(sh->victim); }

static void w_scan(void)
{
	struct page_region *r = (struct page_region *)buf;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	struct witness *w = &sh->w[rnd(NR_WITNESSES)];
	struct pm_scan_arg arg = {
		.size = sizeof(arg), .vec = (unsigned long)r, .vec_len = 4096,
		.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
		.return_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
	};
	long n, i, k = 0;
	size_t len;
	char *p;

	if (w->on && w - sh->w != W_GUARD && w - sh->w != W_UFFD) {
		arg.start = (unsigned long)w->p;
		arg.end = arg.start + w->nr * w->unit;
		n = ioctl(fd, PAGEMAP_SCAN, &arg);
		if (n < 0 && errno != EINTR)
			fail("witness %s: PAGEMAP_SCAN: %s", w->name, strerror(errno));
		for (i = 0, p = w->p; n >= 0 && p < w->p + w->nr * w->unit; i++, p += psize()) {
			enum what page = page_at(w, p);
			unsigned long got = 0, want = page == HOLE ? 0 :
				page == SWAPPED ? PAGE_IS_SWAPPED : PAGE_IS_PRESENT;

			while (k < n && r[k].end <= (unsigned long)p)
				k++;
			if (k < n && r[k].start <= (unsigned long)p)
				got = r[k].categories;
			if (want == PAGE_IS_PRESENT && got == PAGE_IS_SWAPPED && !no_migration())
				got = want;
			if (got != want) {
				fail("witness %s, page %ld: %#lx, %#lx expected",
				     w->name, i, got, want);
				break;
			}
			atomic_fetch_add(&me->exact, 1);
		}
	}
	pick(&p, &len);
	arg.start = (unsigned long)p;
	arg.end = arg.start + len;
	arg.walk_end = 0;
	if (rnd(2)) {
		arg.flags = PM_SCAN_WP_MATCHING | (rnd(2) ? PM_SCAN_CHECK_WPASYNC : 0);
		arg.category_anyof_mask = 0;
		arg.category_mask = arg.return_mask = PAGE_IS_WRITTEN;
	}
	if (rnd(2))
		arg.max_pages = 1 + rnd(300);
	n = ioctl(fd, PAGEMAP_SCAN, &arg);
	if (n >= 0 && (arg.walk_end < arg.start || arg.walk_end > arg.end))
		fail("PAGEMAP_SCAN of %llx-%llx ends at %llx", arg.start, arg.end, arg.walk_end);
	for (i = 0; i < n; i++) {
		if (r[i].start < arg.start || r[i].end > arg.end || r[i].start >= r[i].end ||
		    (i && r[i].start < r[i - 1].end))
			fail("PAGEMAP_SCAN of %llx-%llx: region %llx-%llx",
			     arg.start, arg.end, r[i].start, r[i].end);
	}
	close(fd);
}

/* Users of folio_walk_start(). */
static void w_move_pages(pid_t pid)
{
	struct witness *w = &sh->w[rnd(NR_WITNESSES)];
	void *pages[WIT_PAGES];
	int status[WIT_PAGES];
	size_t i, len;
	long ret;
	char *p;

	if (w->on) {
		for (i = 0; i < WIT_PAGES; i++) {
			pages[i] = w->p + i * (w->nr * w->unit / WIT_PAGES);
			status[i] = -1000;
		}
		ret = syscall(SYS_move_pages, pid, WIT_PAGES, pages, NULL, status, 0);
		if (ret && errno != EINTR && errno != ESRCH)
			fail("move_pages: %s", strerror(errno));
		for (i = 0; !ret && i < WIT_PAGES; i++) {
			enum what page = page_at(w, pages[i]);
			bool want = page == DATA || page == WP, got = status[i] >= 0;

			if (page == SWAPPED || page == ZERO || page == HOLE ||
			    page == GUARD || page == WP_HOLE)
				want = false;
			if (got != want && (got || no_migration()))
				fail("witness %s, page %zu (kind %d): node %d",
				     w->name, i, page, status[i]);
			else if (status[i] >= nr_nodes)
				fail("witness %s, page %zu: there is no node %d",
				     w->name, i, status[i]);
			else
				atomic_fetch_add(&me->exact, 1);
		}
	}
	pick(&p, &len);
	for (i = 0; i < WIT_PAGES; i++)
		pages[i] = p + rnd(len / psize()) * psize();
	if (!syscall(SYS_move_pages, pid, WIT_PAGES, pages, NULL, status, 0)) {
		for (i = 0; i < WIT_PAGES; i++) {
			if (status[i] >= nr_nodes)
				fail("there is no node %d", status[i]);
		}
	}
}

static void w_move_pages_self(void) { w_move_pages(0); }
static void w_move_pages_other(void) { w_move_pages(sh->victim); }

enum where { VICTIM, OUTSIDE };

static const struct worker {
	const char *name;
	enum where where;
	void (*round)(void);
	bool (*init)(void);
} workers[] = {
	{ "walk: smaps", VICTIM, w_smaps_self },
	{ "walk: smaps of another", OUTSIDE, w_smaps_other },
	{ "walk: smaps of the quiet process", OUTSIDE, w_smaps_quiet },
	{ "walk: smaps_rollup", VICTIM, w_rollup_self },
	{ "walk: smaps_rollup of another", OUTSIDE, w_rollup_other },
	{ "walk: smaps_rollup of the quiet process", OUTSIDE, w_rollup_quiet },
	{ "walk: numa_maps", VICTIM, w_numa_self },
	{ "walk: numa_maps of another", OUTSIDE, w_numa_other },
	{ "walk: mincore", VICTIM, w_mincore },
	{ "walk: mlock2 and munlock", VICTIM, w_mlock },
	{ "walk: mlock", VICTIM, w_mlock_populate },
	{ "walk: move_pages", VICTIM, w_move_pages_self },
	{ "walk: move_pages of another", OUTSIDE, w_move_pages_other },
	{ "walk: pagemap", VICTIM, w_pagemap_self },
	{ "walk: pagemap of another", OUTSIDE, w_pagemap_other },
	{ "walk: PAGEMAP_SCAN", VICTIM, w_scan },
	{ "change: fault", VICTIM, m_touch },
	{ "change: munmap and mmap", VICTIM, m_remap },
	{ "change: MADV_DONTNEED", VICTIM, m_dontneed },
	{ "change: MADV_COLLAPSE", VICTIM, m_collapse },
	{ "change: split", VICTIM, m_split },
	{ "change: mremap", VICTIM, m_mremap },
	{ "change: fork", VICTIM, m_fork },
	{ "change: migrate", VICTIM, m_migrate },
	{ "change: swap out", VICTIM, m_pageout },
	{ "change: mprotect", VICTIM, m_mprotect },
	{ "change: guard regions", VICTIM, m_guard },
	{ "change: mlock", VICTIM, m_mlock_any },
	{ "change: KSM", VICTIM, m_ksm },
	{ "change: userfaultfd-wp", VICTIM, m_uffd, i_uffd },
	{ "change: poison", VICTIM, m_poison, i_poison },
	{ "change: hugetlb", VICTIM, m_hugetlb, i_hugetlb },
	{ "change: hugetlb, shared PMD tables", OUTSIDE, m_hugetlb_share, i_hugetlb },
	{ "change: compact", OUTSIDE, m_compact },
	{ "change: clear_refs", OUTSIDE, m_clear_refs },
	{ "change: uprobe", OUTSIDE, m_uprobe, i_uprobe },
	{ "probed code", VICTIM, m_code, i_code },
	{ "schedule", OUTSIDE, m_schedule },
	{ "preempt", OUTSIDE, m_preempt, i_preempt },
};

static bool excluded[ARRAY_SIZE(workers)];

/* Those that NR_AT_A_TIME is for. */
static bool takes_turns(const struct worker *w)
{
	return w->where == VICTIM && w->name[0] == 'c';
}

static void *work(void *arg)
{
	const struct worker *w = arg;
	unsigned int i = w - workers;

	me = &sh->s[i];
	my_name = w->name;
	/* Any but 0, and not alike in the beginning. */
	rng = (seed + 1) * 0x9e3779b97f4a7c15UL ^ (i + 1) * 0xbf58476d1ce4e5b9UL ?: 1;
	buf = mmap(NULL, BUF_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (buf == MAP_FAILED) {
		fail("mmap: %s", strerror(errno));
		return NULL;
	}
	for (i = 0; i < 10; i++)
		rnd(2);
	atomic_store(&me->tid, gettid());
	atomic_fetch_add(&sh->nr_ready, 1);
	while (!atomic_load(&sh->go))
		futex(&sh->go, FUTEX_WAIT, 0, 0);
	if (w->init && !w->init()) {
		atomic_store(&me->tid, 0);
		return NULL;
	}
	while (!atomic_load(&sh->stop)) {
		bool wait = takes_turns(w);

		/* It is for those who have done nothing yet: see main(). */
		while (wait && me->rounds && atomic_load(&sh->last_lap) && !atomic_load(&sh->stop))
			nap(200000);
		if (wait)
			take_turn();
		atomic_store(&me->began, sh->beats + 1);
		round_begin_migrations = atomic_load(&sh->migrating) ?
					 ~0UL : atomic_load(&sh->migrations);
		w->round();
		if (wait)
			end_turn();
		atomic_fetch_add(&me->rounds, 1);
		atomic_store(&me->began, 0);
		/* Those outside leave the CPUs to those who hold the victim's locks. */
		nap(rest + rnd(w->where == VICTIM || rest ? 2000 : 200000));
	}
	atomic_store(&me->began, 0);
	atomic_store(&me->tid, 0);
	return NULL;
}

/* The victim and its witnesses. */

static void expect(struct witness *w)
{
	unsigned int i;

	for (i = 0; i < w->nr; i++) {
		enum what page = w->page[i];
		bool data = page == DATA || page == WP;

		if (w - sh->w == W_HUGETLB) {
			w->hugetlb += data * w->unit;
			continue;
		}
		w->rss += data * w->unit;
		if (w - sh->w != W_SHMEM)
			w->anon += data * w->unit;
		w->swap += (page == SWAPPED) * w->unit;
	}
	w->on = true;
}

static struct witness *new_witness(int i, const char *name, char *p, size_t unit, unsigned int nr)
{
	struct witness *w = &sh->w[i];

	w->name = name;
	w->p = p;
	w->unit = unit;
	w->nr = nr;
	return w;
}

/* A byte of its own on each page: never 0, never alike. */
static void write_pages(struct witness *w)
{
	unsigned int i;

	for (i = 0; i < w->nr; i++) {
		if (w->page[i] == DATA || w->page[i] == SWAPPED || w->page[i] == WP)
			*(unsigned long *)(w->p + i * w->unit) = (unsigned long)w->p + i + 1;
		else if (w->page[i] == ZERO)
			FORCE_READ(w->p[i * w->unit]);
	}
}

static bool contents(const struct witness *w)
{
	unsigned int i;

	for (i = 0; i < w->nr; i++) {
		unsigned long *p = (unsigned long *)(w->p + i * w->unit), want = 0;

		if (w->page[i] == GUARD)
			continue;
		if (w->page[i] == DATA || w->page[i] == SWAPPED || w->page[i] == WP)
			want = (unsigned long)w->p + i + 1;
		if (FORCE_READ(*p) != want)
			return false;
	}
	return true;
}

static bool only(const struct witness *w, uint64_t bit)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t e[WIT_PAGES];
	bool ret;
	unsigned int i;

	ret = pread(fd, e, sizeof(e), (unsigned long)w->p / psize() * 8) == sizeof(e);
	for (i = 0; ret && i < w->nr; i++)
		ret = w->page[i] == HOLE || (e[i] & bit);
	close(fd);
	return ret;
}

#define DIE(what) ksft_exit_fail_msg("%s: %s\n", what, strerror(errno))

static void lock_witness(struct witness *w)
{
	size_t len = w->nr * w->unit;

	if (madvise(w->p, len, MADV_DONTFORK) ||
	    (w - sh->w != W_THP && madvise(w->p, len, MADV_NOHUGEPAGE)) ||
	    (w - sh->w != W_SWAP && syscall(SYS_mlock2, w->p, len, MLOCK_ONFAULT)))
		DIE("witness");
}

static char *middle(char *base, int i)
{
	return base + i * span + span / 2 - WIT_PAGES / 2 * psize();
}

static void set_up_victim(void)
{
	struct witness *w;
	unsigned int i;

	if (map_kind(ANON_BASE, ANON_SPANS * span, ANON, 0) != ANON_BASE ||
	    mmap(SHMEM_BASE, SHMEM_SPANS * span, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, shmem_fd, 0) == MAP_FAILED ||
	    mmap(FILE_BASE, FILE_SPANS * span, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, file_fd, 0) == MAP_FAILED)
		DIE("mmap");
	madvise(ANON_BASE, ANON_SPANS * span, MADV_HUGEPAGE);
	if (code_fd >= 0 && mmap(CODE_BASE, psize(), PROT_READ | PROT_EXEC,
				 MAP_PRIVATE | MAP_FIXED, code_fd, 0) == MAP_FAILED)
		DIE("mmap of code");

	w = new_witness(W_SMALL, "small", middle(ANON_BASE, 4), psize(), WIT_PAGES);
	lock_witness(w);
	for (i = 0; i < 16; i++)
		w->page[i] = i % 4 == 0 ? DATA : i % 4 == 2 ? ZERO : HOLE;
	for (i = 16; i < 32; i++)
		w->page[i] = DATA;
	for (i = 48; i < WIT_PAGES; i++)
		w->page[i] = ZERO;
	write_pages(w);
	expect(w);

	w = new_witness(W_SWAP, "swap", middle(ANON_BASE, 5), psize(), WIT_PAGES);
	lock_witness(w);
	for (i = 0; i < 48; i++)
		w->page[i] = SWAPPED;
	write_pages(w);
	for (i = 0; i < 100 && !only(w, PM_SWAP); i++) {
		madvise(w->p, w->nr * w->unit, MADV_PAGEOUT);
		nap(20000);
	}
	if (only(w, PM_SWAP))
		expect(w);
	else
		ksft_print_msg("nothing gets swapped out: no witness of that\n");

	w = new_witness(W_GUARD, "guard", middle(ANON_BASE, 6), psize(), WIT_PAGES);
	for (i = 0; i < 48; i++)
		w->page[i] = i % 3 ? GUARD : i % 2 ? DATA : HOLE;
	for (i = 0; i < w->nr; i++) {
		if (w->page[i] == GUARD && madvise(w->p + i * psize(), psize(), MADV_GUARD_INSTALL))
			DIE("MADV_GUARD_INSTALL");
	}
	lock_witness(w);
	write_pages(w);
	expect(w);

	me = &sh->s[0]; /* for cannot(), which its worker says again */
	w = new_witness(W_UFFD, "uffd-wp", middle(ANON_BASE, 7), psize(), WIT_PAGES);
	if (i_uffd()) {
		lock_witness(w);
		for (i = 0; i < WIT_PAGES; i++)
			w->page[i] = i < 32 || i % 8 == 0 ? WP : WP_HOLE;
		write_pages(w);
		if (!uffd_wp(w->p, w->nr * w->unit))
			DIE("userfaultfd-wp");
		expect(w);
	}
	me->why_not[0] = 0;
	me = NULL;

	/* Huge or not: it says the same in small pages. */
	w = new_witness(W_THP, "THP", ANON_BASE + 8 * span, psize(), MAX_PAGES);
	lock_witness(w);
	memset(w->page, DATA, sizeof(w->page));
	write_pages(w);
	expect(w);

	/* At both ends of each half, so that a large folio won't cover holes of it. */
	w = new_witness(W_SHMEM, "shmem", middle(SHMEM_BASE, 1), psize(), WIT_PAGES);
	lock_witness(w);
	for (i = 0; i < WIT_PAGES; i++)
		w->page[i] = (i < 16 ? i % 2 == 0 : i < 33 || i == WIT_PAGES - 1) ? DATA : HOLE;
	write_pages(w);
	expect(w);

	if (hshare_fd < 0)
		return;
	if (mmap(HPRIV_BASE, HPRIV_PAGES * hsize, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE | MAP_FIXED,
		 -1, 0) == MAP_FAILED ||
	    map_hugetlb(HSHARE_BASE, hshare_fd) == MAP_FAILED ||
	    map_hugetlb(HSHARE2_BASE, hshare2_fd) == MAP_FAILED)
		DIE("mmap of huge pages");
	hpriv_ok = 1;
	w = new_witness(W_HUGETLB, "hugetlb", HPRIV_BASE + 2 * hsize, hsize, 4);
	if (madvise(w->p, w->nr * hsize, MADV_DONTFORK))
		DIE("MADV_DONTFORK");
	w->page[0] = w->page[2] = DATA;
	write_pages(w);
	expect(w);
	for (i = 0; i < 4; i++)
		HSHARE_BASE[i * hsize] = 1;
}

static void victim(int ready)
{
	pthread_t thread[ARRAY_SIZE(workers)];
	unsigned int i;

	my_name = "victim";
	set_up_victim();
	/* Puts the witnesses' folios on the list of what compaction passes by. */
	write_to("/proc/sys/vm/compact_memory", "1");
	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		if (workers[i].where == VICTIM && !excluded[i] &&
		    pthread_create(&thread[i], NULL, work, (void *)&workers[i]))
			DIE("pthread_create");
	}
	if (write(ready, "", 1) != 1)
		DIE("pipe");
	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		if (workers[i].where == VICTIM && !excluded[i])
			pthread_join(thread[i], NULL);
	}
	for (i = 0; i < NR_WITNESSES; i++) {
		if (sh->w[i].on && !contents(&sh->w[i]))
			fail("witness %s has other contents now", sh->w[i].name);
	}
	_exit(0);
}

/*
 * The quiet process. Zero pages aren't counted: with them, tables come and go, and
 * VMAs are split and merged under the nose of whoever reads smaps_rollup.
 */
static void quiet(int ready)
{
	char *p = SCRATCH_BASE;
	unsigned int i;
	struct vma v;

	my_name = "quiet";
	rng = seed + 0x1234567;
	buf = mmap(NULL, BUF_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map_kind(ANON_BASE, 2 * span, ANON, 0);
	madvise(ANON_BASE, 2 * span, MADV_NOHUGEPAGE);
	touch(ANON_BASE, span, true, 3);
	if (map_kind(p, 4 * span, ANON, 0) != p || mlockall(MCL_CURRENT) || munlock(p, 4 * span) ||
	    madvise(p, 4 * span, MADV_DONTNEED))
		DIE("quiet process");
	for (i = 0; i < 2; i++) {
		/* The second time, reading needs no more memory. */
		if (!slurp("/proc/self/smaps_rollup") || !parse_vma(buf, &v))
			DIE("smaps_rollup");
	}
	memcpy(sh->quiet_values, v.v, sizeof(v.v));
	if (write(ready, "", 1) != 1)
		DIE("pipe");
	while (!atomic_load(&sh->stop)) {
		char *q = p + rnd(4) * span;

		madvise(q, span, rnd(2) ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
		touch(q, span, false, 1 + rnd(512));
		switch (rnd(4)) {
		case 0:
			mprotect(q + rnd(512) * psize(), psize(), PROT_READ);
			break;
		case 1:
			munmap(q, span);
			map_kind(q, span, ANON, 0);
			break;
		case 2:
			mprotect(p, 4 * span, PROT_READ | PROT_WRITE);
			break;
		}
		madvise(q, span, MADV_DONTNEED);
		nap(rnd(3000));
	}
	_exit(0);
}

/* Setting up. */

static void add_interval(char *p, char *end, enum kind kind)
{
	if (p < end)
		intervals[nr_intervals++] = (struct interval){ p, end - p, kind };
}

static void make_intervals(void)
{
	size_t len = WIT_PAGES * psize();
	char *p = ANON_BASE;
	int i;

	for (i = 4; i < 8; i++) {
		add_interval(p, middle(ANON_BASE, i), ANON);
		p = middle(ANON_BASE, i) + len;
	}
	add_interval(p, ANON_BASE + 8 * span, ANON);
	/* A span for the witness THP; cells at the end of the one behind it. */
	cell_mlock = ANON_BASE + 10 * span - 3 * len;
	cell_poison = ANON_BASE + 10 * span - len;
	add_interval(ANON_BASE + 9 * span, cell_mlock, ANON);
	add_interval(SHMEM_BASE, middle(SHMEM_BASE, 1), SHMEM);
	add_interval(middle(SHMEM_BASE, 1) + len, SHMEM_BASE + SHMEM_SPANS * span, SHMEM);
	add_interval(FILE_BASE, FILE_BASE + FILE_SPANS * span, FILEMAP);
}

static void make_files(void)
{
	char path[] = "walk_stress.XXXXXX";

	shmem_fd = memfd_create("walk_stress", MFD_CLOEXEC);
	file_fd = mkstemp(path);
	if (shmem_fd < 0 || file_fd < 0 || unlink(path) ||
	    ftruncate(shmem_fd, SHMEM_SPANS * span) || ftruncate(file_fd, FILE_SPANS * span))
		DIE("making files");

	hsize = read_field("/proc/meminfo", "Hugepagesize:") * 1024;
	if ((long)hsize > 0 && read_field("/proc/meminfo", "HugePages_Free:") >= 32) {
		hshare_fd = memfd_create("walk_stress", MFD_CLOEXEC | MFD_HUGETLB);
		hshare2_fd = memfd_create("walk_stress", MFD_CLOEXEC | MFD_HUGETLB);
		if (hshare_fd < 0 || hshare2_fd < 0 || ftruncate(hshare_fd, HSHARE_SIZE) ||
		    ftruncate(hshare2_fd, HSHARE_SIZE))
			DIE("making files of huge pages");
	}
#ifdef __x86_64__
	char dir[40];

	if (getcwd(dir, sizeof(dir))) {
		snprintf(code_path, sizeof(code_path), "%s/walk_stress.code", dir);
		code_fd = open(code_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
		/* nop; ret */
		if (code_fd < 0 || write(code_fd, "\x90\xc3", 2) != 2 ||
		    ftruncate(code_fd, psize()))
			DIE("making a file of code");
	}
#endif
}

/* Until @want, or the same for a while: RCU and per-CPU counters take their time. */
static long settle(const char *counter, long want, long slack)
{
	long val = -1, last;
	int i, same = 0;

	for (i = 0; i < 200 && same < 5; i++) {
		write_to("/proc/sys/vm/stat_refresh", "1");
		last = val;
		val = read_field("/proc/vmstat", counter);
		if (want >= 0 && labs(val - want) <= slack)
			return val;
		same = want < 0 && val == last ? same + 1 : 0;
		nap(100000);
	}
	return val;
}

static pid_t start(void (*fn)(int))
{
	int fd[2];
	pid_t pid;
	char c;

	fflush(stdout);
	if (pipe(fd))
		DIE("pipe");
	pid = fork();
	if (pid < 0)
		DIE("fork");
	if (!pid) {
		close(fd[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fn(fd[1]);
	}
	close(fd[1]);
	if (read(fd[0], &c, 1) != 1)
		ksft_exit_fail_msg("a process did not get ready\n");
	close(fd[0]);
	return pid;
}

/* The lines of a file that match. */
static void show(const char *path, const char *pattern)
{
	FILE *fp = fopen(path, "r");
	char line[400];
	regex_t re;

	if (!fp)
		return;
	regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB);
	while (fgets(line, sizeof(line), fp)) {
		if (!regexec(&re, line, 0, NULL, 0))
			ksft_print_msg("%s: %.*s\n", path, (int)strcspn(line, "\n"), line);
	}
	regfree(&re);
	fclose(fp);
}

/* Where does a thread sit? */
static void show_thread(int tid)
{
	static const char * const files[] = { "stat", "wchan", "stack", "syscall" };
	char path[60];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", tid, files[i]);
		show(path, ".");
	}
	snprintf(path, sizeof(path), "/proc/%d/sched", tid);
	show(path, "exec|switches|vruntime|policy|prio");
}

/* What do the CPUs do meanwhile, and who waits for them? */
static void show_cpus(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		ksft_print_msg("at %lu s:\n", now());
		show("/proc/stat", "^(cpu|ctxt|procs)");
		show("/proc/interrupts", "CPU0|LOC:|RES:|CAL:|TLB:");
		if (!i)
			nap(5000000);
	}
	show("/sys/kernel/debug/sched/debug", ".");
	/* In the kernel's log: who runs, who is blocked, and who holds which locks? */
	write_to("/proc/sysrq-trigger", "l");
	write_to("/proc/sysrq-trigger", "w");
	write_to("/proc/sysrq-trigger", "d");
}

/* How much has a thread run, and how often has it begun to? */
static bool look(int tid, unsigned long *ticks, unsigned long *switches)
{
	unsigned long user, sys;
	char path[60], line[500];
	bool runnable = false;
	FILE *fp;

	*ticks = *switches = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	fp = fopen(path, "r");
	if (fp && fgets(line, sizeof(line), fp) && strrchr(line, ')') &&
	    sscanf(strrchr(line, ')'), ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu",
		   &user, &sys) == 2) {
		runnable = strrchr(line, ')')[2] == 'R';
		*ticks = user + sys;
	}
	if (fp)
		fclose(fp);
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	*switches = read_field(path, "voluntary_ctxt_switches:") +
		    read_field(path, "nonvoluntary_ctxt_switches:");
	return runnable;
}

/*
 * Does the kernel keep threads from getting on? It does if one runs and runs, or if
 * all of them wait, and none has run at all meanwhile. But if one might run, and isn't
 * let, or is woken in vain, then that may be the machine's fault as well: the others
 * may wait for it.
 */
static bool kernel_hangs(const int *tids, unsigned int nr)
{
	unsigned long ticks_then[2 * MAX_WORKERS], switches_then[2 * MAX_WORKERS];
	unsigned long ticks, switches, begin;
	bool wait = true, run = false;
	unsigned int i, n;

	for (i = 0; i < nr; i++) {
		show_thread(tids[i]);
		look(tids[i], &ticks_then[i], &switches_then[i]);
	}
	show_cpus();
	for (n = 0, begin = now(); n < 20; n++) {
		beat();
		/* A CPU that slow proves nothing, and there is no time for more. */
		if (now() > begin + 80) {
			wait = false;
			break;
		}
		for (i = 0; i < nr; i++) {
			if (look(tids[i], &ticks, &switches) || switches != switches_then[i])
				wait = false;
			run |= ticks > ticks_then[i] + sysconf(_SC_CLK_TCK);
		}
	}
	return run || wait;
}

static void progress(unsigned long seconds)
{
	unsigned long walked = 0, changed = 0, exact = 0, failed = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		*(workers[i].name[0] == 'w' ? &walked : &changed) += sh->s[i].rounds;
		exact += sh->s[i].exact;
		failed += sh->s[i].failed;
	}
	ksft_print_msg("%lu s: %lu rounds of walkers, %lu of the others, %lu exact answers, "
		       "%lu wrong; %lu VMAs\n",
		       seconds, walked, changed, exact, failed + sh->failed, sh->nr_vmas);
}

int main(int argc, char *argv[])
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGUSR1 };
	unsigned long seconds = 30, stuck = STUCK, begin, began, shown, limit;
	unsigned int nr_workers = 0;
	long tables, locked, after;
	pid_t pids[ARRAY_SIZE(workers) + 2];
	int stuck_tids[2 * MAX_WORKERS];
	unsigned int i, nr_pids = 0, nr_stuck;
	bool usage = false, hung = false, late = false, killed = false, waiting;
	int opt, status;
	pid_t pid;

	seed = time(NULL);
	while ((opt = getopt(argc, argv, "t:s:x:")) != -1) {
		switch (opt) {
		case 't':
			seconds = strtoul(optarg, NULL, 0);
			break;
		case 's':
			seed = strtoul(optarg, NULL, 0);
			break;
		case 'x':
			for (i = 0; i < ARRAY_SIZE(workers); i++)
				excluded[i] |= !!strstr(workers[i].name, optarg);
			break;
		default:
			usage = true;
		}
	}
	if (usage || optind < argc)
		ksft_exit_fail_msg("usage: walk_stress [-t SECONDS] [-s SEED] [-x WORKER]...\n");

	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("must be run as root\n");
	span = read_pmd_pagesize() ?: MAX_PAGES * psize();
	if (span != MAX_PAGES * psize())
		ksft_exit_skip("made for page tables of %d entries\n", MAX_PAGES);
	ksft_set_plan(ARRAY_SIZE(workers) + 4);
	limit = now() + seconds + LIMIT;
	ksft_print_msg("%lu seconds, seed %lu: -t %lu -s %lu\n", seconds, seed, seconds, seed);

	while (access("/sys/devices/system/node/node1", F_OK) == 0 && nr_nodes < 2)
		nr_nodes++;
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED)
		DIE("mmap");
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &sa, NULL);

	set("/sys/kernel/mm/transparent_hugepage/enabled", "madvise");
	set("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "advise");
	set("/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled", "always");
	set("/sys/kernel/mm/transparent_hugepage/hugepages-64kB/shmem_enabled", "advise");
	set("/sys/kernel/mm/transparent_hugepage/hugepages-256kB/enabled", "madvise");
	set("/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs", "1000");
	set("/sys/kernel/mm/transparent_hugepage/khugepaged/alloc_sleep_millisecs", "1000");
	set("/sys/kernel/mm/ksm/sleep_millisecs", "200");
	set("/sys/kernel/mm/ksm/run", "1");
	set("/proc/sys/vm/compact_unevictable_allowed", "0");
	/*
	 * A task may wait for a folio that one of low priority is moving, and for a CPU
	 * that the emulator doesn't let run. How long is too long is said here, and not
	 * by what the kernel has for real machines.
	 */
	set("/proc/sys/kernel/hung_task_timeout_secs", "0");
	set("/proc/sys/kernel/watchdog_thresh", "60");
	set("/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout", "300");

	make_intervals();
	make_files();
	tables = settle("nr_page_table_pages ", -1, 0);
	locked = settle("nr_mlock ", -1, 0);

	sh->quiet = start(quiet);
	pids[nr_pids++] = sh->quiet;
	sh->victim = start(victim);
	pids[nr_pids++] = sh->victim;
	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		if (workers[i].where != OUTSIDE || excluded[i])
			continue;
		pid = fork();
		if (pid < 0)
			DIE("fork");
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			work((void *)&workers[i]);
			_exit(0);
		}
		pids[nr_pids++] = pid;
	}
	for (i = 0; i < ARRAY_SIZE(workers); i++)
		nr_workers += !excluded[i];
	/*
	 * A thread that is made while others are at it waits for the mmap lock, time
	 * and again, and on a slow machine the last would not get there. It goes without
	 * one that doesn't all the same.
	 */
	while (sh->nr_ready < nr_workers && sh->beats < STUCK && now() < limit)
		beat();
	if (sh->nr_ready < nr_workers) {
		ksft_print_msg("%u of %u workers are ready\n", sh->nr_ready, nr_workers);
		for (i = 0; i < nr_pids; i++)
			show_thread(pids[i]);
		show_cpus();
	}

	if (seconds / 3 > stuck)
		stuck = seconds / 3;
	begin = shown = now();
	began = sh->beats;
	atomic_store(&sh->go, 1);
	futex(&sh->go, FUTEX_WAKE, INT_MAX, 0);
	ksft_print_msg("witnesses: %d of %d\n", nr_on(), NR_WITNESSES);
	for (waiting = true; waiting && !late && !killed && now() < limit; ) {
		beat();
		waiting = now() < begin + seconds;
		/*
		 * smaps_rollup gives up a contended mmap lock at every VMA, and where CPUs
		 * are slow, a round may last as long as somebody changes something.
		 */
		if (!waiting)
			atomic_store(&sh->last_lap, true);
		if (now() >= shown + 30) {
			shown = now();
			progress(shown - begin);
		}
		for (i = 0; i < ARRAY_SIZE(workers); i++) {
			struct state *s = &sh->s[i];

			if (excluded[i] || s->why_not[0])
				continue;
			/* A slow machine is no failure, a thread that gets nowhere is. */
			if (!s->rounds && sh->beats < began + seconds + stuck)
				waiting = true;
			late |= s->began && sh->beats > s->began + stuck;
		}
		for (i = 0; i < nr_pids; i++) {
			if (waitpid(pids[i], &status, WNOHANG) != pids[i])
				continue;
			pids[i] = pids[--nr_pids];
			/* One that can't do its work says so. */
			if (WIFEXITED(status) && !WEXITSTATUS(status))
				continue;
			ksft_print_msg("a process ended with status %#x\n", status);
			killed = true;
		}
	}
	nr_stuck = 0;
	for (i = 0; i < ARRAY_SIZE(workers) && !killed; i++) {
		struct state *s = &sh->s[i];

		began = s->began;
		if (excluded[i] || s->why_not[0] || (s->rounds && (!began || sh->beats <= began + stuck)))
			continue;
		ksft_print_msg("%s: %s round %lu\n", workers[i].name,
			       began ? "no end of" : "no begin of", s->rounds);
		if (began)
			stuck_tids[nr_stuck++] = s->tid;
		snprintf(s->why_not, sizeof(s->why_not), "did not get on, with a round that has no %s",
			 began ? "end" : "begin");
	}
	if (nr_stuck)
		hung = kernel_hangs(stuck_tids, nr_stuck);
	atomic_store(&sh->stop, true);
	progress(now() - begin);

	limit += 60;
	for (began = sh->beats; nr_pids && sh->beats < began + STUCK && now() < limit; beat()) {
		for (i = 0; i < nr_pids; i++) {
			if (waitpid(pids[i], &status, WNOHANG) != pids[i])
				continue;
			if (!WIFEXITED(status) || WEXITSTATUS(status)) {
				ksft_print_msg("a process ended with status %#x\n", status);
				killed = true;
			}
			pids[i--] = pids[--nr_pids];
		}
	}
	nr_stuck = 0;
	for (i = 0; i < nr_pids; i++)
		stuck_tids[nr_stuck++] = pids[i];
	for (i = 0; i < ARRAY_SIZE(workers) && nr_pids; i++) {
		if (!sh->s[i].began)
			continue;
		stuck_tids[nr_stuck++] = sh->s[i].tid;
		snprintf(sh->s[i].why_not, sizeof(sh->s[i].why_not), "its last round has no end");
	}
	late |= nr_stuck;
	if (nr_stuck && !hung)
		hung = kernel_hangs(stuck_tids, nr_stuck);
	for (i = 0; i < nr_pids; i++) {
		ksft_print_msg("process %d does not end\n", pids[i]);
		kill(pids[i], SIGKILL);
	}

	write_to("/sys/kernel/tracing/events/enable", "0");
	write_to(UPROBE_EVENTS, "-:walk_stress/probe\n");
	if (code_path[0])
		unlink(code_path);
	reset_settings();
	for (i = 0; i < sh->nr_poisoned; i++)
		write_to("/sys/kernel/debug/hwpoison/unpoison-pfn", "%lu", sh->poisoned[i]);

	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		struct state *s = &sh->s[i];

		if (excluded[i] || (s->why_not[0] && !hung && !s->failed)) {
			ksft_test_result_skip("%s: %s\n", workers[i].name,
					      excluded[i] ? "excluded" : s->why_not);
			continue;
		}
		ksft_print_msg("%s: %lu rounds, %lu exact answers, %lu wrong\n", workers[i].name,
			       s->rounds, s->exact, s->failed);
		ksft_test_result(s->rounds && !s->failed, "%s\n", workers[i].name);
	}
	if (late && !hung)
		ksft_test_result_skip("nobody hangs: some did not get on, and might have run\n");
	else
		ksft_test_result(!hung, "nobody hangs\n");
	ksft_test_result(!killed && !sh->failed, "nobody is killed\n");
	if (nr_pids && !hung) {
		ksft_test_result_skip("page tables: of a process that does not end\n");
		ksft_test_result_skip("mlocked pages: of a process that does not end\n");
		ksft_finished();
	}
	/* In the 16 are what other processes have more now than at the beginning. */
	after = settle("nr_page_table_pages ", tables, 16);
	ksft_print_msg("page tables: %ld before, %ld after\n", tables, after);
	ksft_test_result(labs(after - tables) <= 16, "page tables\n");
	/* One that was poisoned while it was mlocked stays counted, with any kernel. */
	after = settle("nr_mlock ", locked, sh->nr_poisoned);
	ksft_print_msg("mlocked pages: %ld before, %ld after, %u poisoned\n", locked, after,
		       sh->nr_poisoned);
	ksft_test_result(labs(after - locked) <= sh->nr_poisoned, "mlocked pages\n");
	ksft_finished();
}
