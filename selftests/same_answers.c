// SPDX-License-Identifier: GPL-2.0
/*
 * Prints what the kernel says about every kind of mapping, to be compared byte
 * for byte between two kernels: smaps, smaps_rollup, numa_maps, mincore(),
 * pagemap and PAGEMAP_SCAN.
 *
 *   same_answers [-a] [SCENE...]
 *   same_answers [-a] -s SEED [-n STEPS] [-o STEP,STEP...]
 *   same_answers -l
 *
 * A scene is a process of its own: it builds mappings at fixed addresses and
 * reports on them, in lines that begin with "# " ahead of the scene's verdict:
 *
 *   # SCENE: SITUATION: INTERFACE
 *   #  what that says
 *
 * What differs from one boot to the next is not printed (page frames and swap
 * slots have numbers in the order in which they are seen) or is made to be the
 * same: everything runs on one CPU, memory comes from one node, and khugepaged,
 * writeback and KSM stand still unless a scene wants them. Of long lists the end
 * is a hash, unless there is -a.
 *
 * With -s, steps that SEED decides on are taken one after the other, and after
 * each the hash of all that the kernel says is printed; after the last, all of it
 * in full. What a step does depends on SEED and its number alone, so -n stops
 * at the first one that differs, and -o leaves out those that don't matter; then
 * there is a report after the last one only, which is much faster.
 *
 * Changes settings in /sys and /proc/sys while it runs and poisons memory: for a
 * guest. Files are made in the working directory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mempolicy.h>
#include <linux/mman.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "vm_util.h"
#include "test_hmm_uapi.h"

#define KB			1024UL
#define MB			(1024 * KB)
#define GB			(1024 * MB)
#define TB			(1024 * GB)

/* Where mappings are made: nothing else is there, whatever is randomized. */
#define AREA			(16 * TB)
#define AREA_SIZE		(1 * TB)
#define MAX_PAGES		((1UL << 19) + 16)
#define MAX_VMAS		1024
#define MAX_STEPS		10000
/* A scene that takes longer hangs. Emulated debug kernels are slow. */
#define TIMEOUT			300
#define THP_DIR			"/sys/kernel/mm/transparent_hugepage/"
#define KSM_DIR			"/sys/kernel/mm/ksm/"
#define HUGETLB_DIR(node, kb)	\
	"/sys/devices/system/node/node" node "/hugepages/hugepages-" kb "kB/"
#define TRACE_INSTANCE		"/sys/kernel/tracing/instances/same_answers"
#define RW			(PROT_READ | PROT_WRITE)
#define ANON			(MAP_PRIVATE | MAP_ANONYMOUS)

#define PM_FRAME		(BIT_ULL(55) - 1)
#define PM_FLAGS		(~PM_FRAME)
/* vm_util.h doesn't go together with linux/kernel-page-flags.h. */
#define KPF_LRU			BIT_ULL(5)
#define KPF_ZERO_PAGE		BIT_ULL(24)

struct range {
	unsigned long start, end;
	const char *label;	/* is printed in place of the start */
};

struct vma {
	unsigned long start, end;
	const struct range *range;
};

static unsigned long ps;	/* size of a page */
static unsigned long pmd;	/* size of a huge page */
static unsigned long max_lines = 12; /* of a list; a hash stands for those behind */
static bool hide_lru;		/* reclaim makes pages active or not as it likes */
static __u64 hide_pagemap;	/* flags of pagemap that are there by chance */
static bool quiet;		/* nothing is printed, but goes to @digest */
static unsigned long digest;
static const char *scene_name, *situation;
static char *skip_reason;	/* shared with the process that runs the scenes */

static struct range ranges[8];
static int nr_ranges;
static struct vma vmas[MAX_VMAS];
static int nr_vmas;

static void __noreturn lacking(const char *what)
{
	strcpy(skip_reason, what);
	fflush(stdout);
	_exit(KSFT_SKIP);
}

#define need(expr)	do {							\
	if (!(expr)) {								\
		ksft_print_msg("line %d: %s: %s\n", __LINE__, #expr, strerror(errno));	\
		fflush(stdout);							\
		_exit(KSFT_FAIL);						\
	}									\
} while (0)

/* ------------------------------------------------------------ printing */

static unsigned long lines, hash;

static void hash_text(unsigned long *sum, const char *c)
{
	for (; *c; c++)
		*sum = (*sum ^ (unsigned char)*c) * 0x100000001b3;
}

static void __printf(1, 2) say(const char *fmt, ...)
{
	char buf[1024], *c;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	for (c = buf + strlen(buf); c > buf && c[-1] == ' ';)
		*--c = 0;
	if (quiet)
		hash_text(&digest, buf);
	else
		printf("# %s\n", buf);
}

static const char *interface;

/* Of one without items nothing is printed. */
static void list(const char *title)
{
	interface = title;
	lines = 0;
	hash = 0xcbf29ce484222325;
}

static void __printf(1, 2) item(const char *fmt, ...)
{
	char buf[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (!lines)
		say("%s: %s: %s", scene_name, situation, interface);
	if (lines++ < max_lines)
		say(" %s", buf);
	else
		hash_text(&hash, buf);
}

static void end_list(void)
{
	if (lines > max_lines)
		say(" and %lu more, %016lx", lines - max_lines, hash);
}

static const char *where(unsigned long addr)
{
	static char bufs[4][64];
	static int n;
	char *buf = bufs[n++ % 4];
	int i;

	/* The end of a range may be the start of another. */
	for (i = 0; i < 2 * nr_ranges; i++) {
		const struct range *range = &ranges[i % nr_ranges];

		if (addr >= range->start && addr < range->end + i / nr_ranges) {
			snprintf(buf, sizeof(bufs[0]), "%s+%lx", range->label,
				 addr - range->start);
			return buf;
		}
	}
	return "elsewhere";
}

static const struct range *in_range(unsigned long start)
{
	int i;

	for (i = 0; i < nr_ranges; i++)
		if (start >= ranges[i].start && start < ranges[i].end)
			return &ranges[i];
	return NULL;
}

static void add_range(unsigned long start, unsigned long end, const char *label)
{
	need(nr_ranges < (int)ARRAY_SIZE(ranges));
	ranges[nr_ranges++] = (struct range){ start, end, label };
}

/* ------------------------------------------- page frames and swap slots */

static struct {
	__u64 key;
	long id;
} seen[1 << 15];
static long nr_seen[3];
static __u64 last_pfn, last_head;
static __u64 kpageflags[128], kpageflags_first = ~0ULL;

enum { SEEN_PAGE, SEEN_FOLIO, SEEN_SLOT };

/* A page that was freed may come back in another's place, or not. */
static void forget(void)
{
	memset(seen, 0, sizeof(seen));
	memset(nr_seen, 0, sizeof(nr_seen));
	last_pfn = last_head = 0;
	kpageflags_first = ~0ULL;
}

/* Numbers from 1, in the order in which they are asked for. */
static long number(int kind, __u64 value)
{
	__u64 key = (value << 2 | kind) + 1;
	size_t i = (key * 0x9e3779b97f4a7c15) >> 49;

	while (seen[i].key && seen[i].key != key)
		i = (i + 1) % ARRAY_SIZE(seen);
	if (!seen[i].key) {
		need(nr_seen[kind] < (long)ARRAY_SIZE(seen) / 4);
		seen[i].key = key;
		seen[i].id = ++nr_seen[kind];
	}
	return seen[i].id;
}

static __u64 page_flags(__u64 pfn)
{
	static int fd = -1;

	if (pfn - kpageflags_first >= ARRAY_SIZE(kpageflags)) {
		if (fd < 0)
			fd = open("/proc/kpageflags", O_RDONLY);
		kpageflags_first = pfn & ~(ARRAY_SIZE(kpageflags) - 1);
		memset(kpageflags, 0, sizeof(kpageflags));
		need(pread(fd, kpageflags, sizeof(kpageflags), kpageflags_first * 8) >= 0);
	}
	return kpageflags[pfn - kpageflags_first];
}

struct frame {
	enum { NOTHING, VALUE, ZERO, SLOT, PAGE, FOLIO, ZERO_FOLIO } kind;
	int leaf;		/* type of a softleaf, or -1 */
	long folio;
	__u64 flags;		/* of the page, of those in frame_flags */
	long id;		/* grows by one along a run of pages or slots */
};

/* What madvise() and mlock() have done. */
static const struct {
	int bit;
	char name;
} frame_flags[] = {
	{ 33, 'M' }, { 18, 'U' }, { 6, 'A' }, { 2, 'R' }, { 4, 'D' }, { 14, 'S' }, { 21, 'K' },
};

static void name_page(__u64 pfn, struct frame *frame)
{
	__u64 flags = page_flags(pfn), head;
	size_t i;

	/* The vdso's pages are everyone's. */
	for (i = 0; flags & KPF_LRU && i < ARRAY_SIZE(frame_flags); i++)
		frame->flags |= flags & BIT_ULL(frame_flags[i].bit);
	if (hide_lru)
		frame->flags &= ~(BIT_ULL(6) | BIT_ULL(2));

	if (flags & (KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL)) {
		/* The folio of the page before, or else it is searched for. */
		head = pfn;
		if (!(flags & KPF_COMPOUND_HEAD) && pfn == last_pfn + 1) {
			head = last_head;
		} else {
			while (head && !(page_flags(head) & KPF_COMPOUND_HEAD))
				head--;
		}
		last_pfn = pfn;
		last_head = head;
		frame->kind = flags & KPF_ZERO_PAGE ? ZERO_FOLIO : FOLIO;
		frame->folio = number(SEEN_FOLIO, head);
		frame->id = pfn - head;
	} else if (flags & KPF_ZERO_PAGE) {
		frame->kind = ZERO;
		frame->id = 0;
	} else {
		frame->kind = PAGE;
		frame->id = number(SEEN_PAGE, pfn);
	}
}

static void name_frame(__u64 entry, struct frame *frame)
{
	__u64 value = entry & PM_FRAME;

	*frame = (struct frame){ .kind = value ? VALUE : NOTHING, .leaf = -1, .id = value };
	if (entry & PM_PRESENT) {
		name_page(value, frame);
	} else if (entry & PM_SWAP) {
		frame->leaf = value & 31;
		value >>= 5;
		/* Markers have a few bits there, and the others a page. */
		if (frame->leaf < 16) {
			frame->kind = SLOT;
			frame->id = number(SEEN_SLOT, value << 5 | frame->leaf);
			frame->leaf = -1;
		} else if (value < 64) {
			frame->kind = VALUE;
			frame->id = value;
		} else {
			name_page(value, frame);
		}
	}
}

static bool goes_on(const struct frame *first, const struct frame *frame, unsigned long nr)
{
	return frame->kind == first->kind && frame->leaf == first->leaf &&
	       frame->folio == first->folio && frame->flags == first->flags &&
	       frame->id == first->id + (first->kind >= SLOT ? (long)nr : 0);
}

static const char *frame_text(const struct frame *frame)
{
	static const char *const kinds[] = {
		"", "value", "zero page", "slot", "page", "folio", "zero folio",
	};
	static char buf[96];
	char *c = buf;
	size_t i;

	if (frame->leaf >= 0)
		c += sprintf(c, "type %d ", frame->leaf);
	c += sprintf(c, "%s", kinds[frame->kind]);
	if (frame->kind >= FOLIO)
		c += sprintf(c, " %ld page", frame->folio);
	if (frame->kind != NOTHING && frame->kind != ZERO)
		c += sprintf(c, " %ld", frame->id);
	*c++ = ' ';
	for (i = 0; i < ARRAY_SIZE(frame_flags); i++)
		if (frame->flags & BIT_ULL(frame_flags[i].bit))
			*c++ = frame_flags[i].name;
	*c = 0;
	return buf;
}

/* ------------------------------------------------------------- reports */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static struct {
	char name[32];
	long kb;		/* of all mappings: what smaps_rollup should say */
} sums[40];
static int nr_summed;		/* mappings */
static bool sums_differ;

static long *sum_of(const char *name)
{
	int i;

	for (i = 0; sums[i].name[0] && strcmp(sums[i].name, name);)
		i++;
	need(i < (int)ARRAY_SIZE(sums) - 1);
	strcpy(sums[i].name, name);
	return &sums[i].kb;
}

static char smaps[1 << 20], smaps_rollup[4096];

static void read_all(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	long got;

	need(fd >= 0);
	while ((got = read(fd, buf + len, size - 1 - len)) > 0)
		len += got;
	need(len < size - 1);
	buf[len] = 0;
	close(fd);
}

static void check_sum(const char *name, long kb, long sum, bool print)
{
	/* Shares are rounded in each mapping. */
	if (strstr(name, "Pss") || !strcmp(name, "Locked"))
		sum += kb >= sum && kb <= sum + nr_summed ? kb - sum : 0;
	if (kb != sum && print)
		item("%s is %ld kB more than the sum of smaps", name, kb - sum);
	sums_differ |= kb != sum;
}

/*
 * smaps_rollup can't leave out the program itself, whose numbers depend on what
 * else runs. But it must be the sum of smaps.
 */
static void check_rollup(bool print)
{
	long kb, parts = 0;
	char *line, name[32];

	nr_summed = 0;
	sums_differ = false;
	memset(sums, 0, sizeof(sums));
	for (line = smaps; line; line = strchr(line + 1, '\n')) {
		if (sscanf(line, " %31[^: ]: %ld kB", name, &kb) == 2) {
			*sum_of(name) += kb;
			nr_summed += !strcmp(name, "Size");
		}
	}
	for (line = smaps_rollup; line; line = strchr(line + 1, '\n')) {
		if (sscanf(line, " %31[^: ]: %ld kB", name, &kb) != 2)
			continue;
		if (!strcmp(name, "Pss_Anon") || !strcmp(name, "Pss_File") ||
		    !strcmp(name, "Pss_Shmem"))
			parts += kb;
		else
			check_sum(name, kb, *sum_of(name), print);
	}
	check_sum("Pss by kinds of pages", parts + 2, *sum_of("Pss"), print);
}

static void read_both(void)
{
	read_all("/proc/self/smaps", smaps, sizeof(smaps));
	read_all("/proc/self/smaps_rollup", smaps_rollup, sizeof(smaps_rollup));
}

static void print_smaps(void)
{
	char *line, *next, *out = NULL, name[32], perms[8], text[1024];
	unsigned long start, end, off;
	const struct range *in;
	int n, try = 0;
	long val;

	/* Once for nothing: then all that it takes is mapped, and this process's own. */
	read_both();
	/* Processes that come and go share pages with this one. */
	do {
		read_both();
		check_rollup(false);
	} while (sums_differ && try++ < 3);

	list("smaps_rollup");
	check_rollup(true);
	end_list();
	list("smaps");
	nr_vmas = 0;
	/* The fields that are not zero, a line for each mapping. */
	for (line = smaps; *line; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = 0;
		n = 0;
		if (sscanf(line, "%lx-%lx %7s %lx %*x:%*x %*u%n", &start, &end, perms, &off,
			   &n) >= 4 && n) {
			in = in_range(start);
			out = NULL;
			if (!in)
				continue;
			need(nr_vmas < MAX_VMAS);
			vmas[nr_vmas++] = (struct vma){ start, end, in };
			n += strspn(line + n, " ");
			out = text + sprintf(text, "%s-%s %s %lx %s:", where(start), where(end),
					     perms, off, base_name(line + n));
		} else if (out && sscanf(line, "%31[^:]: %ld kB", name, &val) == 2 && val) {
			out += sprintf(out, " %s %ld", name, val);
		} else if (out && !strncmp(line, "VmFlags:", 8)) {
			item("%s %s", text, line);
		}
	}
	end_list();
}

static void print_numa_maps(void)
{
	FILE *fp = fopen("/proc/self/numa_maps", "r");
	char line[1024], text[1024], *word, *rest, *out;
	unsigned long start;

	list("numa_maps");
	if (!fp)
		item("there is none");
	while (fp && fgets(line, sizeof(line), fp)) {
		line[strcspn(line, "\n")] = 0;
		start = strtoul(line, &rest, 16);
		if (!in_range(start))
			continue;
		out = text + sprintf(text, "%s", where(start));
		for (word = strtok(rest, " "); word; word = strtok(NULL, " ")) {
			if (!strncmp(word, "file=", 5))
				word = (char *)base_name(word + 5);
			if (!hide_lru || strncmp(word, "active=", 7))
				out += sprintf(out, " %s", word);
		}
		item("%s", text);
	}
	if (fp)
		fclose(fp);
	end_list();
}

static void print_mincore(void)
{
	static unsigned char vec[MAX_PAGES], part[64];
	unsigned long pages, i, j, run, bad;
	int v;

	list("mincore");
	for (v = 0; v < nr_vmas; v++) {
		char *p = (char *)vmas[v].start;

		pages = (vmas[v].end - vmas[v].start) / ps;
		need(pages <= MAX_PAGES);
		if (mincore(p, pages * ps, vec)) {
			item("%s: %s", where(vmas[v].start), strerror(errno));
			continue;
		}
		for (i = 0; i < pages; i += run) {
			for (run = 1; i + run < pages && vec[i + run] == vec[i];)
				run++;
			item("%s %lu: %d", where(vmas[v].start + i * ps), run, vec[i]);
		}
		/* In pieces that begin and end anywhere in a table. */
		for (i = 0, bad = 0; i < pages && i < 2048 && !quiet; i += 37) {
			j = pages - i < 37 ? pages - i : 37;
			if (mincore(p + i * ps, j * ps, part) || memcmp(part, vec + i, j))
				bad++;
		}
		if (bad)
			item("%s: %lu pieces differ", where(vmas[v].start), bad);
	}
	end_list();
}

static int open_pagemap(bool privileged)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct caps[2], less[2];
	int fd;

	/* Who opens it matters, not who reads. */
	if (!privileged) {
		need(!syscall(__NR_capget, &head, caps));
		memcpy(less, caps, sizeof(caps));
		less[0].effective &= ~(1U << CAP_SYS_ADMIN);
		need(!syscall(__NR_capset, &head, less));
	}
	fd = open("/proc/self/pagemap", O_RDONLY);
	need(fd >= 0);
	if (!privileged)
		need(!syscall(__NR_capset, &head, caps));
	return fd;
}

static const char *flag_names(__u64 entry)
{
	static char bufs[2][16];
	static int n;
	char *buf = bufs[n++ % 2], *c = buf;
	int bit;

	for (bit = 0; bit < 9; bit++)
		if (entry & BIT_ULL(63 - bit))
			*c++ = "PSF??GUXD"[bit];
	*c = 0;
	return buf;
}

static void print_entries(unsigned long start, const __u64 *entries, unsigned long pages)
{
	struct frame frame, next;
	unsigned long i, run;

	name_frame(entries[0], &next);
	for (i = 0; i < pages; i += run) {
		frame = next;
		for (run = 1; i + run < pages; run++) {
			name_frame(entries[i + run], &next);
			if (((entries[i + run] ^ entries[i]) & PM_FLAGS) ||
			    !goes_on(&frame, &next, run))
				break;
		}
		item("%s %lu: %s %s", where(start + i * ps), run, flag_names(entries[i]),
		     frame_text(&frame));
	}
}

static bool read_pagemap(int fd, unsigned long start, __u64 *entries, unsigned long pages)
{
	long got = pread(fd, entries, pages * sizeof(*entries), start / ps * sizeof(*entries));
	unsigned long i;

	for (i = 0; i < pages; i++)
		entries[i] &= ~hide_pagemap;
	return got == (long)(pages * sizeof(*entries));
}

/*
 * What a read returns must not depend on where it began and how long it was:
 * one walk covers 2 MB, and a run of entries may be cut anywhere.
 */
static void compare_chunks(int fd, unsigned long start, const __u64 *entries, unsigned long pages)
{
	static const unsigned int sizes[] = { 1, 7, 511, 513, 1536 };
	static __u64 buf[1536];
	unsigned long i, n, k, bad, step;
	size_t s;
	bool whole;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		/* Each is a system call: not too many, all over the range. */
		step = (pages / 60) | 1;
		if (step < sizes[s])
			step = sizes[s];
		for (i = 0, bad = 0; i < pages; i += step) {
			n = pages - i < sizes[s] ? pages - i : sizes[s];
			memset(buf, 0xff, n * sizeof(*buf));
			whole = read_pagemap(fd, start + i * ps, buf, n);
			for (k = 0; k < n && whole; k++)
				bad += buf[k] != entries[i + k];
			if (!whole)
				item("%s: read of %lu entries is short", where(start + i * ps), n);
		}
		if (bad)
			item("%s: %lu entries differ, read %u at a time", where(start), bad,
			     sizes[s]);
	}
}

static void print_pagemap(unsigned long start, unsigned long end)
{
	static __u64 entries[MAX_PAGES], hidden[MAX_PAGES];
	unsigned long pages = (end - start) / ps, i, bad = 0;
	size_t len = pages * sizeof(*entries);
	int fd = open_pagemap(true);

	need(pages <= MAX_PAGES);
	list("pagemap");
	memset(entries, 0xff, len);
	if (!read_pagemap(fd, start, entries, pages))
		item("read of %lu entries is short", pages);
	print_entries(start, entries, pages);
	if (!quiet)
		compare_chunks(fd, start, entries, pages);
	close(fd);

	fd = open_pagemap(false);
	memset(hidden, 0xff, len);
	if (!read_pagemap(fd, start, hidden, pages))
		item("read of %lu entries is short without CAP_SYS_ADMIN", pages);
	for (i = 0; i < pages; i++)
		bad += hidden[i] != (entries[i] & PM_FLAGS);
	if (bad)
		item("without CAP_SYS_ADMIN %lu entries have other flags, or a frame", bad);
	close(fd);
	end_list();
}

#define ALL	(PAGE_IS_WPALLOWED | PAGE_IS_WRITTEN | PAGE_IS_FILE | PAGE_IS_PRESENT |	\
		 PAGE_IS_SWAPPED | PAGE_IS_PFNZERO | PAGE_IS_HUGE | PAGE_IS_SOFT_DIRTY |	\
		 PAGE_IS_GUARD | PAGE_IS_ACCESSED)
#define LEAF	(PAGE_IS_PRESENT | PAGE_IS_SWAPPED)

static struct page_region regions[MAX_PAGES / 16];

static void print_region(const struct page_region *region)
{
	char buf[16], *c = buf;
	int bit;

	for (bit = 0; bit < 10; bit++)
		if (region->categories & BIT_ULL(bit))
			*c++ = "AWFPSZHDGa"[bit];
	*c = 0;
	if (region->end)
		item("%s %lu: %s", where(region->start),
		     (unsigned long)(region->end - region->start) / ps, buf);
}

/*
 * Scans on and on from where the scan before has ended, until it gets to the
 * end, does not move, or has been called often enough. @trace prints each call.
 */
static void scan(struct pm_scan_arg arg, bool trace)
{
	int fd = open_pagemap(true), calls;
	struct page_region last = {};
	long i, n;

	arg.size = sizeof(arg);
	arg.vec = arg.vec_len ? (unsigned long)regions : 0;
	for (calls = 0; arg.start < arg.end && calls < 100; calls++) {
		arg.walk_end = 0x5eed;
		n = ioctl(fd, PAGEMAP_SCAN, &arg);
		if (n < 0)
			item("from %s: %s", where(arg.start), strerror(errno));
		else if (trace)
			item("from %s: %ld, ends at %s", where(arg.start), n, where(arg.walk_end));
		for (i = 0; i < n; i++) {
			if (!trace && last.end == regions[i].start &&
			    last.categories == regions[i].categories) {
				last.end = regions[i].end;
				continue;
			}
			print_region(&last);
			last = regions[i];
		}
		if (n < 0 || arg.walk_end == arg.start || arg.walk_end == 0x5eed)
			break;
		arg.start = arg.walk_end;
	}
	print_region(&last);
	close(fd);
}

static void print_scans(unsigned long start, unsigned long end)
{
	const unsigned long pages = (end - start) / ps, many = ARRAY_SIZE(regions);
	const struct {
		const char *name;
		struct pm_scan_arg arg;
	} queries[] = {
		{ "scan: any category", { .category_anyof_mask = ALL, .return_mask = ALL,
		  .vec_len = many } },
		{ "scan: anything", { .return_mask = ALL, .vec_len = many } },
		{ "scan: written", { .category_mask = PAGE_IS_WRITTEN,
		  .return_mask = PAGE_IS_WRITTEN, .vec_len = many } },
		{ "scan: present, not zero", {
		  .category_mask = PAGE_IS_PRESENT | PAGE_IS_PFNZERO,
		  .category_inverted = PAGE_IS_PFNZERO, .return_mask = PAGE_IS_HUGE,
		  .vec_len = many } },
		{ "scan: not soft-dirty", { .category_mask = PAGE_IS_SOFT_DIRTY,
		  .category_inverted = PAGE_IS_SOFT_DIRTY, .return_mask = LEAF, .vec_len = many } },
		{ "scan: where writes are tracked", { .category_anyof_mask = LEAF,
		  .return_mask = ALL, .flags = PM_SCAN_CHECK_WPASYNC, .vec_len = many } },
		{ "scan: a few pages at a time", { .category_anyof_mask = ALL,
		  .return_mask = ALL, .max_pages = pages / 41 + 3, .vec_len = many } },
		{ "scan: two regions at a time", { .category_anyof_mask = LEAF,
		  .return_mask = LEAF | PAGE_IS_HUGE, .vec_len = 2 } },
		{ "scan: no output", { .category_mask = PAGE_IS_PRESENT } },
		{ "scan: without the first and last page", { .category_anyof_mask = ALL,
		  .return_mask = ALL, .vec_len = many } },
	};
	size_t q;

	/* All in full only if they are printed. */
	for (q = 0; q < (quiet ? 1 : ARRAY_SIZE(queries)); q++) {
		struct pm_scan_arg arg = queries[q].arg;
		bool last = q == ARRAY_SIZE(queries) - 1;

		arg.start = last && pages > 2 ? start + ps : start;
		arg.end = last && pages > 2 ? end - ps : end;
		list(queries[q].name);
		scan(arg, last || !arg.vec_len);
		end_list();
	}
}

/* What CPUs have put aside for the LRU lists gets there before no page is moved. */
static void settle(void)
{
	int none;

	syscall(__NR_move_pages, 0, 0, NULL, &none, &none, 0);
}

/* Everything there is to say now about the mappings of the scene. */
static void report(const char *title)
{
	unsigned long start, end;
	int v, next;

	situation = title;
	forget();
	settle();
	print_smaps();
	print_numa_maps();
	print_mincore();
	for (v = 0; v < nr_vmas; v = next) {
		/* With what is between them, and around them if there is room. */
		for (next = v + 1; next < nr_vmas && vmas[next].range == vmas[v].range &&
		     vmas[next].start - vmas[next - 1].end < 4 * MB;)
			next++;
		start = vmas[v].start;
		end = vmas[next - 1].end;
		if (vmas[v].range->start + 2 * ps <= start && end + 2 * ps <= vmas[v].range->end) {
			start -= 2 * ps;
			end += 2 * ps;
		}
		print_pagemap(start, end);
		print_scans(start, end);
	}
	fflush(stdout);
}

/* ------------------------------------------------------------ the tools */

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC), ret = -1;

	if (fd >= 0) {
		ret = write(fd, text, strlen(text)) == (long)strlen(text) ? 0 : -1;
		close(fd);
	}
	return ret;
}

static long read_long(const char *path, long otherwise)
{
	FILE *fp = fopen(path, "r");
	long val;

	if (!fp)
		return otherwise;
	if (fscanf(fp, "%ld", &val) != 1)
		val = otherwise;
	fclose(fp);
	return val;
}

/* NULL, and errno, if the kernel doesn't want to. */
static char *try_map(unsigned long addr, size_t len, int prot, int flags, int fd, off_t off)
{
	char *p = mmap((void *)addr, len, prot, flags | MAP_FIXED_NOREPLACE, fd, off);

	return p == MAP_FAILED ? NULL : p;
}

/* At an offset from AREA, as all below. */
static char *map(unsigned long at, size_t len, int prot, int flags, int fd, off_t off)
{
	char *p = try_map(AREA + at, len, prot, flags, fd, off);

	need(p);
	return p;
}

/* Small pages: khugepaged and faults make nothing else of them. */
static char *map_small(unsigned long at, size_t len)
{
	char *p = map(at, len, RW, ANON, -1, 0);

	madvise(p, len, MADV_NOHUGEPAGE);
	return p;
}

static void put(char *p, size_t len, size_t step)
{
	size_t i;

	for (i = 0; i < len; i += step)
		__atomic_store_n((unsigned long *)(p + i), (unsigned long)(p + i),
				 __ATOMIC_RELAXED);
}

static void get(const char *p, size_t len, size_t step)
{
	size_t i;

	for (i = 0; i < len; i += step)
		FORCE_READ(p[i]);
}

/* How many pages have all categories of @mask. */
static unsigned long count(const char *p, size_t len, __u64 mask)
{
	struct pm_scan_arg arg = {
		.size = sizeof(arg), .start = (unsigned long)p, .end = (unsigned long)p + len,
		.vec = (unsigned long)regions, .vec_len = ARRAY_SIZE(regions),
		.category_mask = mask, .return_mask = mask,
	};
	int fd = open_pagemap(true);
	unsigned long pages = 0;
	long i, n;

	n = ioctl(fd, PAGEMAP_SCAN, &arg);
	need(n >= 0);
	for (i = 0; i < n; i++)
		pages += (regions[i].end - regions[i].start) / ps;
	close(fd);
	return pages;
}

/* Writes to (or reads) a range of which huge pages are to be made. */
static void make_huge(char *p, size_t len, bool write)
{
	if (madvise(p, len, MADV_HUGEPAGE))
		lacking("no THP");
	if (write)
		put(p, len, ps);
	else
		get(p, len, ps);
	madvise(p, len, MADV_NOHUGEPAGE);
	if (count(p, len, PAGE_IS_HUGE) != len / ps)
		lacking("got no huge page");
}

static char *map_thp(unsigned long at, size_t len)
{
	char *p = map(at, len, RW, ANON, -1, 0);

	make_huge(p, len, true);
	return p;
}

static __u64 pfn_of(char *p)
{
	int fd = open_pagemap(true);
	__u64 entry = pagemap_get_entry(fd, p);

	close(fd);
	return entry & PM_FRAME;
}

#define MTHP	(64 * KB)

/* Folios of 64 kB: more than a page, and mapped by PTEs only. */
static char *map_mthp(unsigned long at, size_t len)
{
	char *p = map(at, len, RW, ANON, -1, 0);
	unsigned long pfn, n = 1;

	madvise(p, len, MADV_HUGEPAGE);
	put(p, len, ps);
	madvise(p, len, MADV_NOHUGEPAGE);
	forget();
	for (pfn = pfn_of(p); page_flags(pfn + n) & KPF_COMPOUND_TAIL;)
		n++;
	if (n != MTHP / ps)
		lacking("got no folio of 64 kB");
	return p;
}

/* Of shared memory, the same contents in each of its pages' places. */
static int make_shmem(size_t len, bool huge)
{
	int fd = memfd_create("shmem", 0);
	char *p;

	need(fd >= 0 && !ftruncate(fd, len));
	p = try_map(AREA + AREA_SIZE + 4 * GB, len, RW, MAP_SHARED, fd, 0);
	need(p);
	if (huge)
		make_huge(p, len, true);
	madvise(p, len, MADV_NOHUGEPAGE);
	put(p, len, ps);
	munmap(p, len);
	return fd;
}

static int make_file(const char *dir, size_t len)
{
	static char buf[64 * KB];
	char path[256];
	size_t i;
	int fd;

	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	need(fd >= 0 && !unlink(path) && !posix_fallocate(fd, 0, len));
	for (i = 0; i < len; i += sizeof(buf))
		need(pwrite(fd, buf, sizeof(buf), i) == sizeof(buf));
	need(!fsync(fd));
	return fd;
}

#define HUGETLB(log)	(MAP_HUGETLB | MAP_NORESERVE | ((log) << 26))

static int make_hugetlb(unsigned int log, size_t len)
{
	int fd = memfd_create("hugetlb", MFD_HUGETLB | (log << 26));

	need(fd >= 0 && !ftruncate(fd, len));
	return fd;
}

static void need_swap(void)
{
	FILE *fp = fopen("/proc/swaps", "r");
	char line[256];

	if (!fp || !fgets(line, sizeof(line), fp) || !fgets(line, sizeof(line), fp))
		lacking("no swap");
	fclose(fp);
}

/* A page that something looks at just then stays where it is. */
static void page_out(char *p, size_t len)
{
	int try;

	hide_lru = true;
	for (try = 0; try < 20; try++) {
		settle();
		madvise(p, len, MADV_PAGEOUT);
		if (!count(p, len, PAGE_IS_PRESENT))
			return;
		usleep(20000);
	}
	lacking("can't page out");
}

/*
 * clear_refs leaves the TLB alone, and the CPU doesn't set the accessed bit of
 * what it has there. To unmap many pages flushes all of it.
 */
static void clear_refs(const char *what)
{
	char *p;

	need(!write_text("/proc/self/clear_refs", what));
	p = mmap(NULL, 64 * ps, RW, ANON, -1, 0);
	madvise(p, 64 * ps, MADV_NOHUGEPAGE);
	put(p, 64 * ps, ps);
	munmap(p, 64 * ps);
}

/*
 * A child with the same mappings, which does something to them, and stays
 * there until the scene ends.
 */
static void with_child(void (*act)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (act)
			act();
		fflush(stdout);
		raise(SIGSTOP);
		_exit(0);
	}
	need(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
}

static int open_uffd(__u64 features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		lacking("userfaultfd can't do it");
	return fd;
}

static void uffd_register_mode(int fd, char *p, size_t len, __u64 mode)
{
	struct uffdio_register arg = {
		.range = { .start = (unsigned long)p, .len = len }, .mode = mode,
	};

	need(!ioctl(fd, UFFDIO_REGISTER, &arg));
}

static void uffd_wp(int fd, char *p, size_t len, bool on)
{
	struct uffdio_writeprotect arg = {
		.range = { .start = (unsigned long)p, .len = len },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	need(!ioctl(fd, UFFDIO_WRITEPROTECT, &arg));
}

/* One scan that write-protects, or several if it may not do all at once. */
static void scan_wp(const char *name, char *p, size_t len, struct pm_scan_arg arg)
{
	situation = name;
	list("scan, write-protects");
	arg.flags |= PM_SCAN_WP_MATCHING;
	arg.start = (unsigned long)p;
	arg.end = (unsigned long)p + len;
	arg.return_mask = arg.vec_len ? ALL : 0;
	scan(arg, true);
	end_list();
}

/*
 * Most of what can be done to memory is done to some of each of these: small
 * pages on both sides of a table's end, written to, read and left out; two huge
 * pages; six folios of 64 kB; shared memory on both sides of a table's end, some
 * of which is not mapped.
 */
static char *small, *huge, *medium, *shared;

#define SMALL	(60 * ps)
#define HUGE	(2 * pmd)
#define MEDIUM	(6 * MTHP)
#define SHARED	(60 * ps)
#define ALL_OF_IT	(shared + SHARED - small)

static void map_usual(void)
{
	small = map_small(pmd - 20 * ps, SMALL);
	put(small, 30 * ps, ps);
	get(small + 30 * ps, 10 * ps, ps);
	huge = map_thp(2 * pmd, HUGE);
	medium = map_mthp(4 * pmd + 4 * MTHP, MEDIUM);
	shared = map(6 * pmd - 20 * ps, SHARED, RW, MAP_SHARED, make_shmem(90 * ps, false), 3 * ps);
	madvise(shared, SHARED, MADV_NOHUGEPAGE);
	put(shared, 20 * ps, ps);
	get(shared + 25 * ps, 5 * ps, ps);
	settle();
}

/* A little of each. */
static void touch_usual(void (*touch)(char *p))
{
	touch(small + 3 * ps);
	touch(small + 22 * ps);
	touch(huge + 5 * ps);
	touch(huge + pmd + 20 * ps);
	touch(medium + 7 * ps);
	touch(medium + 2 * MTHP + 15 * ps);
	touch(shared + 4 * ps);
	touch(shared + 26 * ps);
}

static void put_two(char *p)
{
	put(p, 2 * ps, ps);
}

static void get_two(char *p)
{
	get(p, 2 * ps, ps);
}

static void drop_two(char *p)
{
	need(!madvise(p, 2 * ps, MADV_DONTNEED));
}

/* Of hugetlb, private and shared: the last is a hole. */
static char *hugetlb, *hugetlb_shared;

#define HUGETLB_LEN	(8 * MB)

static void map_hugetlb(void)
{
	if (read_long(HUGETLB_DIR("0", "2048") "free_hugepages", 0) < 12)
		lacking("not enough hugetlb pages of 2 MB on node 0");
	hugetlb = map(8 * MB, HUGETLB_LEN, RW, ANON | HUGETLB(21), -1, 0);
	hugetlb_shared = map(18 * MB, HUGETLB_LEN, RW, MAP_SHARED | MAP_NORESERVE,
			     make_hugetlb(21, 10 * MB), 2 * MB);
	put(hugetlb, 4 * MB, 2 * MB);
	get(hugetlb + 6 * MB - ps, ps, ps);
	put(hugetlb_shared, 4 * MB, 2 * MB);
	get(hugetlb_shared + 4 * MB, ps, ps);
}

/* ----------------------------------------------------------- the scenes */

/* Pages in a pattern, across three tables: the second is missing. */
static void scene_anon(void)
{
	char *p = map_small(pmd - 2 * ps, 2 * pmd + 9 * ps);
	int i;

	put(p, 5 * ps, ps);
	get(p + 7 * ps, 4 * ps, ps);
	put(p + 16 * ps, 20 * ps, 2 * ps);
	get(p + 40 * ps, 20 * ps, 3 * ps);
	p += 2 * pmd;
	put(p + 2 * ps, 3 * ps, ps);
	get(p + 5 * ps, 2 * ps, ps);
	/* Small mappings near each other. */
	for (i = 0; i < 12; i++)
		put(map_small(4 * pmd + (5 * i - 30) * ps, (2 + i % 3) * ps), 2 * ps, (1 + i % 2) * ps);
	report("written, read and left out");
	need(!madvise(p + 4 * ps, ps, MADV_DONTNEED));
	put(p + 5 * ps, ps, ps);
	report("one dropped, one zero page written to");
}

/* Missing tables of every level, and one page in each of three. */
static void scene_sparse(void)
{
	char *p = map_small(512 * GB - 64 * MB - ps, GB + 70 * MB);

	map_small(GB - 5 * ps, 2 * pmd);
	put(p, ps, ps);
	put(p + 64 * MB, ps, ps);
	put(p + GB + 70 * MB - ps, ps, ps);
	report("three pages, and a mapping without");
}

/* Where address spaces begin and end: at a power of two, or a page before it. */
static void scene_ends(void)
{
	unsigned long addr = read_long("/proc/sys/vm/mmap_min_addr", 65536);
	char *p = try_map(addr, 6 * ps, RW, ANON, -1, 0);
	int bit;

	if (p) {
		add_range(addr, addr + 8 * ps, "lowest");
		put(p, 3 * ps, ps);
	}
	for (p = NULL, bit = 57; bit > 40 && !p; bit--) {
		addr = (1UL << bit) - 6 * ps;
		p = try_map(addr, 6 * ps, RW, ANON, -1, 0);
		if (!p)
			p = try_map(addr -= ps, 6 * ps, RW, ANON, -1, 0);
	}
	need(p);
	add_range(addr, addr + 6 * ps, "top");
	put(p + 2 * ps, 4 * ps, ps);
	report("the lowest and the highest address");
}

static void scene_usual(void)
{
	map_usual();
	report("pages and folios of different sizes");
	touch_usual(drop_two);
	need(!munmap(small + 10 * ps, 3 * ps));
	need(!munmap(huge + pmd + 200 * ps, 100 * ps));
	need(!munmap(medium + 4 * MTHP + 5 * ps, MTHP));
	need(!mprotect(huge + 300 * ps, 5 * ps, PROT_READ));
	report("some dropped, unmapped, protected");
}

static void act_share(void)
{
	touch_usual(drop_two);
	munmap(small, 5 * ps);
	munmap(medium + 4 * ps, 5 * ps);
	put(medium + MTHP + 7 * ps, 2 * ps, ps);
	report("seen by the child");
}

/* The pages of a folio are not mapped equally often. */
static void scene_child(void)
{
	map_usual();
	with_child(act_share);
	with_child(NULL);
	report("with two children");
}

static void scene_huge_zero(void)
{
	char *p = map(2 * pmd, 3 * pmd, RW, ANON, -1, 0);

	make_huge(p, 2 * pmd, false);
	report("two huge zero pages");
	need(!madvise(p + 9 * ps, 7 * ps, MADV_DONTNEED));
	put(p + pmd + 2 * ps, ps, ps);
	report("one split, one written to");
}

static void *move(char *p, size_t len, int flags, unsigned long at)
{
	return mremap(p, len, len, MREMAP_MAYMOVE | MREMAP_FIXED | flags, (void *)(AREA + at));
}

static void scene_moved(void)
{
	map_usual();
	need(move(small, SMALL, MREMAP_DONTUNMAP, 10 * pmd + 7 * ps) != MAP_FAILED);
	need(move(huge, pmd, 0, 8 * pmd) != MAP_FAILED);
	need(move(huge + pmd, pmd, 0, 12 * pmd + 7 * ps) != MAP_FAILED);
	need(move(medium, MEDIUM, 0, 11 * pmd - 7 * ps) != MAP_FAILED);
	report("moved, some to where it can't be huge");
}

static void scene_shmem(void)
{
	int fd = make_shmem(600 * ps, false);
	char *p = map(pmd - 60 * ps, 200 * ps, RW, MAP_SHARED, fd, 3 * ps);

	need(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 30 * ps, 10 * ps));
	madvise(p, 200 * ps, MADV_NOHUGEPAGE);
	get(p, 10 * ps, ps);
	put(p + 20 * ps, 4 * ps, ps);
	p = map(2 * pmd - 20 * ps, 500 * ps, RW, MAP_PRIVATE, fd, 60 * ps);
	madvise(p, 500 * ps, MADV_NOHUGEPAGE);
	get(p, 40 * ps, ps);
	put(p + 10 * ps, 20 * ps, 2 * ps);
	get(map(4 * pmd, 16 * ps, PROT_READ, MAP_SHARED, fd, 0), 5 * ps, ps);
	/* Beyond the end of the file. */
	map(5 * pmd, 8 * ps, RW, MAP_SHARED, fd, 596 * ps);
	report("shared, private, read-only, beyond the end");
}

static void scene_shmem_huge(void)
{
	int fd = make_shmem(2 * pmd, true), mid = memfd_create("shmem", 0);
	char *p = map(2 * pmd, 2 * pmd, RW, MAP_SHARED, fd, 0), *q;

	make_huge(p, 2 * pmd, true);
	need(mid >= 0 && !ftruncate(mid, 16 * MTHP));
	q = map(5 * pmd + 4 * MTHP, 8 * MTHP, RW, MAP_SHARED, mid, 2 * MTHP);
	madvise(q, 8 * MTHP, MADV_HUGEPAGE);
	put(q, 8 * MTHP, MTHP);
	report("mapped by PMDs, and in folios of 64 kB");
	get(q, 8 * MTHP, ps);
	q = map(6 * pmd + 5 * ps, pmd, RW, MAP_SHARED, fd, 3 * ps);
	get(q, 30 * ps, ps);
	put(q + 40 * ps, 5 * ps, ps);
	q = map(8 * pmd, 2 * pmd, RW, MAP_PRIVATE, fd, 0);
	madvise(q, 2 * pmd, MADV_HUGEPAGE);
	get(q, ps, ps);
	put(q + 3 * ps, 5 * ps, ps);
	get(q + pmd, ps, ps);
	report("also elsewhere, by PTEs and privately");
	need(!madvise(p + 4 * ps, ps, MADV_DONTNEED));
	clear_refs("3");
	put(p + 300 * ps, 6 * ps, 2 * ps);
	report("one of them split");
}

static void scene_file(void)
{
	int fd = make_file(".", MB);
	char *p = map(pmd - 20 * ps, 100 * ps, RW, MAP_PRIVATE, fd, 7 * ps);
	char *q = map(2 * pmd - 20 * ps, 100 * ps, RW, MAP_SHARED, fd, 7 * ps);

	get(p, 50 * ps, ps);
	put(p + 10 * ps, 10 * ps, 2 * ps);
	get(q, 60 * ps, ps);
	/* Not mapped, and some of it not in the page cache. */
	map(3 * pmd, 60 * ps, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 150 * ps);
	need(!posix_fadvise(fd, 160 * ps, 20 * ps, POSIX_FADV_DONTNEED));
	report("private and shared, clean");
	put(q + 5 * ps, 30 * ps, 5 * ps);
	need(!msync(q, 20 * ps, MS_SYNC));
	report("some dirty, some written back");
	clear_refs("3");
	put(p + 30 * ps, ps, ps);
	get(q + 7 * ps, 2 * ps, ps);
	report("not referenced but for three pages");
}

/* What else there is to ask mmap() for. */
static void scene_others(void)
{
	int id = shmget(IPC_PRIVATE, 8 * ps, IPC_CREAT | 0600), fd;
	char *p;

	need(id >= 0 && shmat(id, (void *)AREA + pmd, 0) != (void *)-1);
	need(!shmctl(id, IPC_RMID, NULL));
	put((char *)AREA + pmd, 4 * ps, ps);
	put(map(2 * pmd, 8 * ps, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), 4 * ps, ps);
	put(map(3 * pmd, 8 * ps, RW, ANON | MAP_GROWSDOWN, -1, 0) - ps, 3 * ps, ps);
	fd = open("/dev/zero", O_RDWR);
	put(map(4 * pmd, 8 * ps, RW, MAP_PRIVATE, fd, 0), 4 * ps, 2 * ps);
	put(map(5 * pmd, 8 * ps, RW, MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0), 4 * ps, ps);
	fd = syscall(__NR_memfd_secret, 0);
	if (fd >= 0 && !ftruncate(fd, 8 * ps))
		put(map(6 * pmd, 8 * ps, RW, MAP_SHARED, fd, 0), 4 * ps, ps);
	p = map_small(7 * pmd, 8 * ps);
	need(!madvise(p, 4 * ps, MADV_WIPEONFORK) && !madvise(p, 2 * ps, MADV_DONTFORK));
	map(8 * pmd, 8 * ps, RW, ANON | MAP_POPULATE, -1, 0);
	report("of many kinds");
}

static void act_dontneed(void)
{
	madvise(hugetlb_shared, 2 * MB, MADV_DONTNEED);
}

static void scene_hugetlb(void)
{
	int fd;

	map_hugetlb();
	report("private and shared, with holes");
	/* In the page cache, with an entry, without one and without a table. */
	fd = make_hugetlb(21, 8 * MB);
	put(map(32 * MB, 8 * MB, RW, MAP_SHARED | MAP_NORESERVE, fd, 0), 6 * MB, 2 * MB);
	get(map(GB, 8 * MB, RW, MAP_SHARED | MAP_NORESERVE, fd, 0) + 2 * MB, ps, ps);
	put(map(2 * GB, 8 * MB, RW, MAP_PRIVATE | MAP_NORESERVE, fd, 0), ps, ps);
	map(40 * GB, 8 * MB, RW, MAP_SHARED | MAP_NORESERVE, fd, 0);
	with_child(act_dontneed);
	put(hugetlb + 2 * MB, ps, ps);
	report("a file mapped four times, and a child");
}

static void act_get_gigabyte(void)
{
	get((char *)AREA + GB, ps, ps);
	get((char *)AREA + GB + 10 * MB, ps, ps);
	report("seen by the child");
}

/* Two processes have a PMD table in common, and what maps it has entries. */
static void scene_hugetlb_pmd_shared(void)
{
	char *p;

	map_hugetlb();
	munmap(hugetlb, 18 * MB);
	p = map(GB, GB, RW, MAP_SHARED | MAP_NORESERVE, make_hugetlb(21, GB), 0);
	put(p, ps, ps);
	put(p + 10 * MB, 4 * MB, 2 * MB);
	put(p + GB - 2 * MB, ps, ps);
	with_child(act_get_gigabyte);
	report("with a child");
}

static void scene_hugetlb_1g(void)
{
	char *p;

	if (read_long(HUGETLB_DIR("1", "1048576") "free_hugepages", 0) < 1)
		lacking("no hugetlb page of 1 GB on node 1");
	syscall(__NR_set_mempolicy, MPOL_DEFAULT, NULL, 0);
	/* pagemap asks hugetlb_pmd_shared() about a PUD table, whose count nobody sets. */
	hide_pagemap = PM_MMAP_EXCLUSIVE;
	p = map(GB, 2 * GB, RW, ANON | HUGETLB(30), -1, 0);
	put(p + 5 * MB, ps, ps);
	report("private, and a hole");
	munmap(p, 2 * GB);
	p = map(4 * GB, GB, RW, MAP_SHARED | MAP_NORESERVE, make_hugetlb(30, GB), 0);
	get(p, ps, ps);
	with_child(NULL);
	report("shared, with a child");
}

static void act_drop_some(void)
{
	drop_two(medium + 3 * ps);
	drop_two(medium + MTHP);
	drop_two(small + 3 * ps);
}

/* Also slots one after the other, which are not used equally often. */
static void scene_swap(void)
{
	need_swap();
	map_usual();
	page_out(small, 20 * ps);
	page_out(huge, pmd);
	page_out(medium, 4 * MTHP);
	page_out(shared, 30 * ps);
	report("partly swapped out");
	with_child(act_drop_some);
	with_child(NULL);
	report("with two children, one has dropped some");
	/* In the swap cache, but not mapped. */
	need(!madvise(small + 10 * ps, 15 * ps, MADV_WILLNEED));
	need(!madvise(shared + 5 * ps, 10 * ps, MADV_WILLNEED));
	touch_usual(get_two);
	put(medium + MTHP + 2 * ps, ps, ps);
	report("some wanted soon, some read and some written again");
}

/* What a private mapping has not copied is swapped out below its holes. */
static void scene_shmem_swap(void)
{
	const size_t len = 2 * pmd;
	char *p, *q;
	int fd;

	need_swap();
	fd = make_shmem(len, false);
	p = map(2 * pmd, len, RW, MAP_SHARED, fd, 0);
	madvise(p, len, MADV_NOHUGEPAGE);
	put(p, len, ps);
	page_out(p, len);
	/* A table of its own, and pages in it. */
	q = map(6 * pmd, len, RW, MAP_PRIVATE, fd, 0);
	put(q + 5 * ps, 10 * ps, 3 * ps);
	/* Tables up to the PMD, from a neighbour; and none at all. */
	put(map_small(GB + 8 * pmd, ps), ps, ps);
	map(GB + 10 * pmd, len, RW, MAP_PRIVATE, fd, 0);
	map(600 * GB, len - 7 * ps, RW, MAP_PRIVATE, fd, 3 * ps);
	map(10 * GB, len, PROT_READ, MAP_PRIVATE, fd, 0);
	get(p, 20 * ps, ps);
	report("private: holes in a PTE table, of PMD and of PUD entries");
}

/* A large folio of shared memory, in one swap entry: holes at odd places. */
static void scene_shmem_swap_huge(void)
{
	char *p, *q;
	int fd;

	need_swap();
	fd = make_shmem(2 * pmd, true);
	p = map(2 * pmd, 2 * pmd, RW, MAP_SHARED, fd, 0);
	make_huge(p, 2 * pmd, true);
	page_out(p, 2 * pmd);
	q = map(6 * pmd + 3 * ps, pmd, RW, MAP_PRIVATE, fd, 100 * ps);
	madvise(q, pmd, MADV_NOHUGEPAGE);
	report("swapped out, a private mapping without tables");
	put(map_small(6 * pmd, ps), ps, ps);
	report("and with one");
}

static void scene_ksm(void)
{
	char *p = map_small(pmd - 20 * ps, 60 * ps);
	long scans;
	int i;

	for (i = 0; i < 60; i++)
		memset(p + i * ps, i % 3 ? 'x' : i, ps);
	/* A page of zeros is a KSM page like others, unless use_zero_pages. */
	memset(p + 50 * ps, 0, 4 * ps);
	if (madvise(p, 60 * ps, MADV_MERGEABLE) || write_text(KSM_DIR "run", "1"))
		lacking("no KSM");
	scans = read_long(KSM_DIR "full_scans", 0);
	for (i = 0; i < 6000 && read_long(KSM_DIR "full_scans", 0) < scans + 4; i++)
		usleep(10000);
	need(!write_text(KSM_DIR "run", "0"));
	report("merged");
	put(p + ps, ps, ps);
	need(!madvise(p + 30 * ps, 30 * ps, MADV_UNMERGEABLE));
	report("one written to, half not merged any more");
}

static void scene_guard(void)
{
	char *p;

	map_usual();
	if (madvise(small + 3 * ps, 4 * ps, MADV_GUARD_INSTALL))
		lacking("no guard regions");
	need(!madvise(small + 25 * ps, 20 * ps, MADV_GUARD_INSTALL));
	need(!madvise(huge + 10 * ps, 20 * ps, MADV_GUARD_INSTALL));
	need(!madvise(medium + 10 * ps, 20 * ps, MADV_GUARD_INSTALL));
	need(!madvise(shared + 15 * ps, 20 * ps, MADV_GUARD_INSTALL));
	/* In a table that the guards alone need; and in a file's page cache. */
	need(!madvise(map_small(8 * pmd, 3 * pmd) + pmd, 4 * ps, MADV_GUARD_INSTALL));
	p = map(7 * pmd, 16 * ps, RW, MAP_PRIVATE, make_file(".", 64 * KB), 0);
	get(p, 5 * ps, ps);
	need(!madvise(p + 2 * ps, 5 * ps, MADV_GUARD_INSTALL));
	report("guard regions");
}

#define WP	UFFDIO_REGISTER_MODE_WP
#define WP_FEATURES	(UFFD_FEATURE_WP_UNPOPULATED | UFFD_FEATURE_WP_HUGETLBFS_SHMEM)

static int uffd_usual(__u64 features, __u64 mode)
{
	int fd = open_uffd(features);

	map_usual();
	uffd_register_mode(fd, small, SMALL, mode);
	uffd_register_mode(fd, huge, HUGE, mode);
	uffd_register_mode(fd, medium, MEDIUM, mode);
	uffd_register_mode(fd, shared, SHARED, mode);
	return fd;
}

static void scene_uffd_wp(void)
{
	int fd = uffd_usual(WP_FEATURES, WP);

	uffd_wp(fd, small + 5 * ps, 40 * ps, true);
	uffd_wp(fd, huge, pmd, true);
	uffd_wp(fd, huge + pmd + 7 * ps, 9 * ps, true);
	uffd_wp(fd, medium + 5 * ps, 40 * ps, true);
	uffd_wp(fd, shared + 5 * ps, 40 * ps, true);
	report("write-protected, with markers");
	uffd_wp(fd, small + 8 * ps, 4 * ps, false);
	uffd_wp(fd, huge + 5 * ps, 2 * ps, false);
	uffd_wp(fd, shared + 20 * ps, 7 * ps, false);
	/* Of shared memory the marker outlives the page. */
	touch_usual(drop_two);
	report("partly not any more");
}

static void scene_uffd_wp_swap(void)
{
	int fd;

	need_swap();
	fd = uffd_usual(WP_FEATURES, WP);
	uffd_wp(fd, small + 10 * ps, 10 * ps, true);
	uffd_wp(fd, medium + 5 * ps, 20 * ps, true);
	page_out(small, 30 * ps);
	page_out(medium, MEDIUM);
	uffd_wp(fd, small + 25 * ps, 3 * ps, true);
	report("swapped out before and after it was write-protected");
}

static void scene_uffd_wp_hugetlb(void)
{
	int fd = open_uffd(WP_FEATURES);

	map_hugetlb();
	uffd_register_mode(fd, hugetlb, HUGETLB_LEN, WP);
	uffd_register_mode(fd, hugetlb_shared, HUGETLB_LEN, WP);
	uffd_wp(fd, hugetlb + 2 * MB, 6 * MB, true);
	uffd_wp(fd, hugetlb_shared + 2 * MB, 6 * MB, true);
	report("write-protected, with markers");
	uffd_wp(fd, hugetlb + 4 * MB, 2 * MB, false);
	need(!madvise(hugetlb_shared + 2 * MB, 2 * MB, MADV_DONTNEED));
	report("partly not any more");
}

#define ASYNC_FEATURES	(UFFD_FEATURE_WP_ASYNC | WP_FEATURES)
#define WRITTEN(...)	((struct pm_scan_arg){ .category_mask = PAGE_IS_WRITTEN, __VA_ARGS__ })

/* The end of a scan is not the mapping's, and lies in a table that is missing. */
static void scene_wp_async(void)
{
	size_t len = 3 * pmd;
	char *p, *other;
	int fd;

	fd = open_uffd(ASYNC_FEATURES);
	p = map_small(pmd - 40 * ps, len);
	put(p, 10 * ps, ps);
	get(p + 10 * ps, 5 * ps, ps);
	put(p + 60 * ps, 20 * ps, 2 * ps);
	uffd_register_mode(fd, p, len, WP);
	scan_wp("some pages", p + 3 * ps, 20 * ps, WRITTEN(.vec_len = 100));
	report("write-protected here and there");
	scan_wp("seven pages at most", p, len / 2, WRITTEN(.vec_len = 100, .max_pages = 7));
	scan_wp("two regions at a time", p, len / 4 * 3,
		WRITTEN(.vec_len = 2, .flags = PM_SCAN_CHECK_WPASYNC));
	report("three quarters write-protected");
	scan_wp("all, no output", p, len, WRITTEN());
	put(p + 2 * ps, 3 * ps, ps);
	put(p + 2 * pmd, 10 * ps, 3 * ps);
	report("all write-protected, and some written to");
	other = map_small(6 * pmd, 4 * ps);
	put(other, 4 * ps, ps);
	scan_wp("beyond the tracked mapping", p + pmd, 6 * pmd,
		WRITTEN(.vec_len = 1000, .flags = PM_SCAN_CHECK_WPASYNC));
	scan_wp("the same, skipping others", p + pmd, 6 * pmd, WRITTEN(.vec_len = 1000));
	report("in the end");
}

static void scene_wp_async_usual(void)
{
	uffd_usual(ASYNC_FEATURES, WP);
	scan_wp("some of all", small + 5 * ps, 10 * ps, WRITTEN(.vec_len = 100));
	scan_wp("a huge page", huge, pmd, WRITTEN(.vec_len = 100));
	scan_wp("part of a huge page", huge + pmd + 5 * ps, 20 * ps, WRITTEN(.vec_len = 100));
	scan_wp("part of folios", medium + 5 * ps, 20 * ps, WRITTEN(.vec_len = 100));
	scan_wp("part of shared memory", shared + 10 * ps, 30 * ps, WRITTEN(.vec_len = 100));
	report("some write-protected");
	touch_usual(put_two);
	scan_wp("700 pages at most", small, ALL_OF_IT, WRITTEN(.vec_len = 1000, .max_pages = 700));
	scan_wp("what is present", small, ALL_OF_IT, ((struct pm_scan_arg){
		.category_mask = PAGE_IS_PRESENT, .vec_len = 1000 }));
	report("all");
}

static void scene_wp_async_hugetlb(void)
{
	int fd = open_uffd(ASYNC_FEATURES);

	map_hugetlb();
	uffd_register_mode(fd, hugetlb, HUGETLB_LEN, WP);
	uffd_register_mode(fd, hugetlb_shared, HUGETLB_LEN, WP);
	scan_wp("one and a half", hugetlb_shared, 3 * MB, WRITTEN(.vec_len = 100));
	report("some write-protected");
	scan_wp("a limit within a huge page", hugetlb, HUGETLB_LEN,
		WRITTEN(.vec_len = 100, .max_pages = 700));
	scan_wp("holes too", hugetlb_shared, HUGETLB_LEN, ((struct pm_scan_arg){ .vec_len = 100 }));
	report("holes too");
	put(hugetlb + 2 * MB, ps, ps);
	put(hugetlb_shared + 6 * MB, ps, ps);
	report("two written to again");
}

static void uffd_rwp(int fd, char *p, size_t len)
{
	struct uffdio_rwprotect arg = {
		.range = { .start = (unsigned long)p, .len = len },
		.mode = UFFDIO_RWPROTECT_MODE_RWP,
	};

	need(!ioctl(fd, UFFDIO_RWPROTECT, &arg));
}

static void scene_rwp(void)
{
	int fd = uffd_usual(UFFD_FEATURE_RWP | UFFD_FEATURE_RWP_ASYNC, UFFDIO_REGISTER_MODE_RWP);

	uffd_rwp(fd, small, 35 * ps);
	uffd_rwp(fd, huge, HUGE);
	uffd_rwp(fd, medium, 3 * MTHP);
	report("protected");
	get(small + 3 * ps, 6 * ps, 2 * ps);
	put(small + 20 * ps, 2 * ps, ps);
	get(huge, ps, ps);
	put(medium + 7 * ps, 2 * ps, ps);
	report("some accessed");
}

static void uffd_poison(int fd, char *p, size_t len, char *poison, size_t poison_len)
{
	struct uffdio_poison arg = {
		.range = { .start = (unsigned long)poison, .len = poison_len },
	};

	uffd_register_mode(fd, p, len, UFFDIO_REGISTER_MODE_MISSING);
	need(!ioctl(fd, UFFDIO_POISON, &arg));
}

static void scene_uffd_poison(void)
{
	int fd = open_uffd(UFFD_FEATURE_POISON);
	char *p = map_small(pmd - 20 * ps, 60 * ps);

	put(p, 10 * ps, ps);
	uffd_poison(fd, p, 60 * ps, p + 15 * ps, 10 * ps);
	map_hugetlb();
	uffd_poison(fd, hugetlb, HUGETLB_LEN, hugetlb + 6 * MB, 2 * MB);
	report("poison markers");
}

static void ignore(int sig)
{
	(void)sig;
}

static void scene_hwpoison(void)
{
	__u64 pfns[3];
	char *p[3];
	int i;

	if (access("/sys/kernel/debug/hwpoison/unpoison-pfn", W_OK))
		lacking("it can't be undone");
	map_hugetlb();
	p[0] = map_small(pmd - 20 * ps, 40 * ps);
	put(p[0], 30 * ps, ps);
	p[1] = p[0] + 5 * ps;
	p[2] = hugetlb + 5 * ps;
	/* Who has it mapped is told. */
	signal(SIGBUS, ignore);
	for (i = 0; i < 3; i++) {
		pfns[i] = pfn_of(p[i]);
		need(!madvise(p[i], ps, MADV_HWPOISON));
	}
	report("two pages and one of hugetlb");
	munmap(p[0], 40 * ps);
	munmap(hugetlb, HUGETLB_LEN);
	for (i = 0; i < 3; i++)
		unpoison_memory(pfns[i]);
}

/* The firmware's memory, by VM_PFNMAP. */
static void scene_pfnmap(void)
{
	int fd = open("/dev/mem", O_RDONLY);
	char *p = fd < 0 ? NULL : try_map(AREA + pmd - 3 * ps, 16 * ps, PROT_READ, MAP_SHARED, fd,
					   0xf0000);

	if (!p)
		lacking("can't map /dev/mem");
	get(p, ps, ps);
	report("the BIOS");
}

/*
 * A mapping with VM_MIXEDMAP: the kernel's pages and, where sub-buffers are
 * larger than a page, the zero page, whose PTEs are special, among them.
 */
static void scene_trace_buffer(void)
{
	char *p = NULL;
	size_t len;
	int fd;

	if (mkdir(TRACE_INSTANCE, 0700) && errno != EEXIST)
		lacking("no trace buffer");
	need(!write_text(TRACE_INSTANCE "/buffer_subbuf_size_kb", "16"));
	need(!write_text(TRACE_INSTANCE "/buffer_size_kb", "96"));
	fd = open(TRACE_INSTANCE "/per_cpu/cpu0/trace_pipe_raw", O_RDONLY | O_NONBLOCK);
	need(fd >= 0);
	for (len = 64 * ps; len && !p; len -= ps)
		p = try_map(AREA + pmd - 6 * ps, len, PROT_READ, MAP_SHARED, fd, 0);
	if (!p)
		lacking("can't map a trace buffer");
	get(p, len, ps);
	report("with zero pages in between");
}

/* These have random addresses, and not all of their pages can be read. */
static void scene_vdso(void)
{
	static char names[8][16];
	char line[512], name[16];
	unsigned long start, end;
	FILE *fp = fopen("/proc/self/maps", "r");
	int n = 0;

	while (fp && fgets(line, sizeof(line), fp) && n < 8) {
		if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %15s", &start, &end, name) != 3 ||
		    (strcmp(name, "[vvar]") && strcmp(name, "[vdso]")))
			continue;
		/* The clock is read or not, whenever the C library likes. */
		get((char *)start, ps, ps);
		add_range(start, end, strcpy(names[n++], name));
	}
	report("of this process");
}

static void act_unlock(void)
{
	munlock(small, 10 * ps);
}

static void scene_mlocked(void)
{
	map_usual();
	need(!mlock(small + 3 * ps, 40 * ps));
	need(!mlock2(small + 50 * ps, 10 * ps, MLOCK_ONFAULT));
	put(small + 55 * ps, 2 * ps, ps);
	need(!mlock(huge, pmd));
	need(!mlock(huge + pmd + 8 * ps, 9 * ps));
	need(!mlock(medium, MTHP));
	need(!mlock(medium + 2 * MTHP + 3 * ps, 2 * MTHP));
	need(!mlock(shared + 5 * ps, 25 * ps));
	report("mlocked, some in part");
	need(!munlock(small + 5 * ps, 10 * ps));
	need(!munlock(huge, 7 * ps));
	need(!munlock(medium, 5 * ps));
	need(!munmap(medium + 2 * MTHP + 5 * ps, 4 * ps));
	with_child(act_unlock);
	report("partly not any more, and with a child");
	need(!mlock(medium + 3 * MTHP, 3 * MTHP));
	need(!munlock(huge, HUGE));
	report("whole folios");
}

static void scene_prot_none(void)
{
	map_usual();
	need(!mprotect(small + 10 * ps, 30 * ps, PROT_NONE));
	need(!mprotect(huge, pmd, PROT_NONE));
	need(!mprotect(huge + pmd + 4 * ps, 4 * ps, PROT_NONE));
	need(!mprotect(medium + 4 * ps, 20 * ps, PROT_NONE));
	need(!mprotect(shared + 4 * ps, 20 * ps, PROT_NONE));
	report("PROT_NONE");
}

static void scene_soft_dirty(void)
{
	need_swap();
	map_usual();
	clear_refs("4");
	report("cleared");
	touch_usual(put_two);
	map_small(7 * pmd, 4 * ps);
	page_out(small, 10 * ps);
	page_out(medium, MTHP);
	report("written to, swapped out, and a new mapping");
	touch_usual(drop_two);
	clear_refs("4");
	touch_usual(put_two);
	report("cleared and written to again");
}

static void scene_referenced(void)
{
	map_usual();
	clear_refs("2");
	report("anonymous memory cleared");
	clear_refs("1");
	touch_usual(get_two);
	report("all cleared, some touched");
	clear_refs("3");
	report("files cleared");
}

static void scene_lazyfree(void)
{
	map_usual();
	need(!madvise(small + 4 * ps, 20 * ps, MADV_FREE));
	need(!madvise(huge, pmd, MADV_FREE));
	need(!madvise(huge + pmd + 8 * ps, 64 * ps, MADV_FREE));
	need(!madvise(medium, 4 * MTHP, MADV_FREE));
	report("MADV_FREE");
	touch_usual(get_two);
	put(small + 6 * ps, 3 * ps, ps);
	put(huge, ps, ps);
	put(huge + pmd + 30 * ps, 2 * ps, ps);
	put(medium + MTHP + 5 * ps, 2 * ps, ps);
	report("some written to");
}

/* On the first mount with the option dax. */
static void scene_fs_dax(void)
{
	char line[512], dir[128], opts[256], *p, *q, *r;
	FILE *fp = fopen("/proc/self/mounts", "r");
	int fd = -1;

	while (fp && fd < 0 && fgets(line, sizeof(line), fp))
		if (sscanf(line, "%*s %127s %*s %255s", dir, opts) == 2 && strstr(opts, ",dax"))
			fd = make_file(dir, 4 * pmd);
	if (fd < 0)
		lacking("no file system with DAX is mounted");
	p = map(2 * pmd, 4 * pmd, RW, MAP_SHARED, fd, 0);
	get(p, ps, ps);
	put(p + pmd, ps, ps);
	q = map(6 * pmd + 3 * ps, pmd, RW, MAP_SHARED, fd, 3 * pmd);
	get(q, 20 * ps, ps);
	put(q + 30 * ps, 4 * ps, ps);
	r = map(8 * pmd, 2 * pmd, RW, MAP_PRIVATE, fd, 0);
	get(r, 10 * ps, ps);
	put(r + 4 * ps, 8 * ps, 3 * ps);
	need(!mlock(p, ps));
	report("shared, unaligned and private");
	clear_refs("1");
	get(p + pmd, ps, ps);
	put(q + 31 * ps, ps, ps);
	report("not referenced but for two pages");
}

/* Devices differ in the size of what maps them. */
static void scene_dev_dax(void)
{
	char path[64], *p, *found = NULL;
	unsigned long align, len;
	int fd, i;

	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/sys/bus/dax/devices/dax%d.0/align", i);
		align = read_long(path, 0);
		len = align > 4 * MB ? align : 4 * MB;
		snprintf(path, sizeof(path), "/dev/dax%d.0", i);
		fd = open(path, O_RDWR);
		p = fd < 0 || !align ? NULL : try_map(AREA + (4 + 4 * i) * GB, len, RW,
						       MAP_SHARED, fd, 0);
		if (!p)
			continue;
		found = p;
		say("%s: aligned to %lu kB", scene_name, align / KB);
		put(p, 10 * ps, ps);
	}
	if (!found)
		lacking("no device DAX");
	report("written to");
}

static void dmirror(int fd, unsigned int what, char *p, size_t len)
{
	static char buf[4 * MB];
	struct hmm_dmirror_cmd cmd = {
		.addr = (unsigned long)p, .ptr = (unsigned long)buf, .npages = len / ps,
	};

	need(len <= sizeof(buf) && !ioctl(fd, what, &cmd));
}

static void scene_device(void)
{
	int fd = open("/dev/hmm_dmirror0", O_RDWR);
	char *p;

	if (fd < 0)
		lacking("no test_hmm");
	map_usual();
	dmirror(fd, HMM_DMIRROR_MIGRATE_TO_DEV, small + 5 * ps, 10 * ps);
	dmirror(fd, HMM_DMIRROR_MIGRATE_TO_DEV, huge, pmd);
	dmirror(fd, HMM_DMIRROR_MIGRATE_TO_DEV, medium, MTHP);
	dmirror(fd, HMM_DMIRROR_EXCLUSIVE, small + 20 * ps, 5 * ps);
	/* The module's own pages, by VM_MIXEDMAP. */
	p = map(7 * pmd - 2 * ps, 8 * ps, RW, MAP_SHARED, fd, 0);
	put(p + ps, 3 * ps, ps);
	report("on the device, or for it alone");
	with_child(NULL);
	need(!madvise(huge + 5 * ps, ps, MADV_DONTNEED));
	get(small + 7 * ps, ps, ps);
	report("one read, one dropped, with a child");
}

static long set_policy(char *p, size_t len, int mode, unsigned long nodes, int flags)
{
	return syscall(__NR_mbind, p, len, mode, &nodes, 8, flags);
}

static void scene_numa(void)
{
	char *p = map_small(7 * pmd, 60 * ps);

	if (set_policy(p, 60 * ps, MPOL_INTERLEAVE, 3, 0))
		lacking("one node only");
	put(p, 40 * ps, ps);
	map_usual();
	report("pages on two nodes, others on one");
	set_policy(p, 20 * ps, MPOL_BIND, 2, MPOL_MF_MOVE);
	set_policy(huge, pmd, MPOL_BIND, 2, MPOL_MF_MOVE);
	set_policy(medium, 2 * MTHP, MPOL_BIND, 2, MPOL_MF_MOVE);
	set_policy(shared, 20 * ps, MPOL_BIND, 2, MPOL_MF_MOVE);
	report("some moved");
}

/* ------------------------------------------------------------ by chance */

#define CHANCE_SIZE	(6 * pmd)

static unsigned long long seed, state;
static int steps = 200;
static bool only[MAX_STEPS + 1], only_some;
static int chance_shmem, chance_file, chance_hugetlb, chance_uffd;

static unsigned long chance(unsigned long below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % below;
}

/* A range of what is mapped, or of holes. */
struct part {
	char *p;
	size_t len;
};

/* Three in four are a few pages, to be near each other. */
static struct part chance_part(void)
{
	unsigned long at = chance(8) ? chance(CHANCE_SIZE / ps) * ps :
				       chance(CHANCE_SIZE / pmd) * pmd;
	size_t len = chance(4) ? ps * (1 + chance(24)) : ps * (1 + chance(3 * pmd / ps));

	if (len > CHANCE_SIZE - at)
		len = CHANCE_SIZE - at;
	return (struct part){ (char *)AREA + at, len };
}

/* Writes to or reads every second page or so. */
static long fault(struct part a)
{
	int advice = chance(3) ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;
	long faulted = 0;
	size_t k;

	for (k = 0; k < a.len; k += (1 + chance(3)) * ps)
		faulted += !madvise(a.p + k, ps, advice);
	return faulted;
}

static long write_protect(struct part a)
{
	struct pm_scan_arg arg = {
		.size = sizeof(arg), .start = (unsigned long)a.p,
		.end = (unsigned long)a.p + a.len, .flags = PM_SCAN_WP_MATCHING,
		.category_mask = chance(2) ? PAGE_IS_WRITTEN : 0,
	};
	int fd = open_pagemap(true);
	long ret = uffd_register(chance_uffd, a.p, a.len, false, true, false);

	ret += ioctl(fd, PAGEMAP_SCAN, &arg);
	close(fd);
	return ret;
}

static long do_map(char *p, size_t len, int flags, int fd, off_t off)
{
	return mmap(p, len, RW, flags | MAP_FIXED, fd, off) == MAP_FAILED ? -1 : 0;
}

/* Does one of a few things to @a, and returns what came of it. */
static long chance_step(struct part a, const char **name)
{
	static const struct {
		const char *name;
		int value;
	} advice[] = {
		{ "dontneed", MADV_DONTNEED }, { "free", MADV_FREE }, { "cold", MADV_COLD },
		{ "pageout", MADV_PAGEOUT }, { "willneed", MADV_WILLNEED },
		{ "guard", MADV_GUARD_INSTALL }, { "no guard", MADV_GUARD_REMOVE },
		{ "collapse", MADV_COLLAPSE },
	}, *which;
	static int children;
	long ret;
	int i;

#define STEP(text)	(*name = (text))
	switch (chance(34)) {
	case 0 ... 3:
		STEP("anonymous");
		ret = do_map(a.p, a.len, ANON, -1, 0);
		madvise(a.p, a.len, MADV_NOHUGEPAGE);
		return ret;
	case 4 ... 9:
		STEP("fault");
		return fault(a);
	case 10 ... 16:
		which = &advice[chance(ARRAY_SIZE(advice))];
		STEP(which->name);
		ret = madvise(a.p, a.len, which->value);
		/* Reclaim passes over what is busy, and may clear accessed bits. */
		for (i = 0; which->value == MADV_PAGEOUT && i < 5; i++) {
			settle();
			madvise(a.p, a.len, MADV_PAGEOUT);
			clear_refs("1");
		}
		return ret;
	case 17 ... 19:
		STEP("huge");
		a.p = (char *)((unsigned long)a.p & ~(pmd - 1));
		do_map(a.p, pmd, ANON, -1, 0);
		madvise(a.p, pmd, MADV_HUGEPAGE);
		ret = madvise(a.p, chance(2) ? pmd : 5 * ps,
			      chance(3) ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
		madvise(a.p, pmd, MADV_NOHUGEPAGE);
		return ret;
	case 20 ... 21:
		STEP("shared");
		return do_map(a.p, a.len, MAP_SHARED, chance_shmem, chance(64) * ps);
	case 22 ... 23:
		STEP("private");
		return do_map(a.p, a.len, MAP_PRIVATE, chance(2) ? chance_shmem : chance_file,
			      chance(64) * ps);
	case 24:
		STEP("hugetlb");
		return do_map((char *)((unsigned long)a.p & ~(2 * MB - 1)), 2 * MB,
			      (chance(2) ? MAP_SHARED : MAP_PRIVATE) | MAP_NORESERVE,
			      chance_hugetlb, chance(3) * 2 * MB);
	case 25:
		STEP("unmap");
		return munmap(a.p, a.len);
	case 26 ... 27:
		STEP("protect");
		return mprotect(a.p, a.len, chance(2) ? RW : chance(2) ? PROT_READ : PROT_NONE);
	case 28:
		STEP("lock");
		return mlock2(a.p, a.len, chance(2) ? MLOCK_ONFAULT : 0);
	case 29:
		STEP("unlock");
		return munlock(a.p, a.len);
	case 30:
		STEP("move");
		return move(a.p, a.len, 0, chance((CHANCE_SIZE - a.len) / ps + 1) * ps) ==
		       MAP_FAILED ? -1 : 0;
	case 31:
		STEP("clear_refs");
		clear_refs(chance(2) ? "1" : "4");
		return 0;
	case 32:
		STEP("fork");
		if (children < 4)
			with_child(NULL);
		return children++;
	default:
		STEP("write-protect");
		return write_protect(a);
	}
}

static void take_step(int nr)
{
	const char *name;
	struct part part;
	long ret;
	int i;

	/* What others have done doesn't matter to what this one will do. */
	state = (seed * MAX_STEPS + nr) * 0x9e3779b97f4a7c15 + 1;
	for (i = 0; i < 8; i++)
		chance(2);
	part = chance_part();
	settle();
	errno = 0;
	ret = chance_step(part, &name);
	if (ret < 0)
		ret = -errno;
	digest = 0xcbf29ce484222325;
	if (!only_some) {
		quiet = true;
		report("");
		quiet = false;
	}
	say("step %d: %s %s %lu: %ld, %016lx", nr, name, where((unsigned long)part.p),
	    part.len / ps, ret, digest);
}

static void by_chance(void)
{
	int i;

	alarm(0);	/* there may be any number of steps */
	chance_shmem = make_shmem(2 * pmd, false);
	chance_file = make_file(".", MB);
	chance_hugetlb = make_hugetlb(21, 6 * MB);
	chance_uffd = open_uffd(ASYNC_FEATURES);
	hide_lru = true;
	map_small(0, CHANCE_SIZE);
	for (i = 1; i <= steps; i++)
		if (!only_some || only[i])
			take_step(i);
	report("in the end");
}

/* ------------------------------------------------------------- running */

#define SCENE(name)	{ #name, scene_##name }

static const struct scene {
	const char *name;
	void (*run)(void);
} scenes[] = {
	SCENE(anon), SCENE(sparse), SCENE(ends), SCENE(usual), SCENE(child), SCENE(huge_zero),
	SCENE(moved), SCENE(shmem), SCENE(shmem_huge), SCENE(file), SCENE(others),
	SCENE(hugetlb), SCENE(hugetlb_pmd_shared), SCENE(hugetlb_1g),
	SCENE(swap), SCENE(shmem_swap), SCENE(shmem_swap_huge), SCENE(ksm),
	SCENE(guard), SCENE(uffd_wp), SCENE(uffd_wp_swap), SCENE(uffd_wp_hugetlb),
	SCENE(wp_async), SCENE(wp_async_usual), SCENE(wp_async_hugetlb), SCENE(rwp),
	SCENE(uffd_poison), SCENE(pfnmap), SCENE(trace_buffer), SCENE(vdso), SCENE(mlocked),
	SCENE(prot_none), SCENE(soft_dirty), SCENE(referenced), SCENE(lazyfree), SCENE(fs_dax),
	SCENE(dev_dax), SCENE(device), SCENE(numa), SCENE(hwpoison),
};

/* In this order, and put back in the other: one may need that another was set. */
static struct setting {
	const char *path, *value;
	char old[64];
} settings[] = {
	{ THP_DIR "enabled", "madvise" },
	{ THP_DIR "defrag", "madvise" },
	{ THP_DIR "use_zero_page", "1" },
	{ THP_DIR "shmem_enabled", "advise" },
	{ THP_DIR "hugepages-2048kB/enabled", "inherit" },
	{ THP_DIR "hugepages-2048kB/shmem_enabled", "inherit" },
	{ THP_DIR "hugepages-64kB/enabled", "madvise" },
	{ THP_DIR "hugepages-64kB/shmem_enabled", "advise" },
	/* It would collapse at any time what a scene has left in pieces. */
	{ THP_DIR "khugepaged/scan_sleep_millisecs", "4294967295" },
	{ "/sys/kernel/mm/lru_gen/enabled", "0" },
	{ KSM_DIR "run", "0" },
	{ KSM_DIR "sleep_millisecs", "10" },
	{ KSM_DIR "pages_to_scan", "1000" },
	{ KSM_DIR "use_zero_pages", "0" },
	{ KSM_DIR "smart_scan", "0" },
	{ KSM_DIR "max_page_sharing", "256" },
	{ "/proc/sys/vm/dirty_writeback_centisecs", "0" },
	{ "/proc/sys/vm/page-cluster", "0" },
	{ "/proc/sys/kernel/numa_balancing", "0" },
	{ HUGETLB_DIR("0", "2048") "nr_hugepages", "16" },
	{ HUGETLB_DIR("1", "1048576") "nr_hugepages", "1" },
};

static void set_up(void)
{
	char buf[256], *start;
	size_t i;
	long got;
	int fd;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		fd = open(settings[i].path, O_RDONLY);
		got = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
		close(fd);
		if (got <= 0)
			continue;
		buf[got] = 0;
		/* One of several words is the one in brackets. */
		start = strchr(buf, '[');
		start = start ? start + 1 : buf;
		snprintf(settings[i].old, sizeof(settings[i].old), "%.*s",
			 (int)strcspn(start, "]\n"), start);
		write_text(settings[i].path, settings[i].value);
	}
	write_text("/proc/sys/vm/compact_memory", "1");
	/* There may be none. */
	if (system("modprobe -q test_hmm 2>/dev/null"))
		;
}

static void put_back(void)
{
	size_t i;

	rmdir(TRACE_INSTANCE);
	if (system("modprobe -q -r test_hmm 2>/dev/null"))
		;
	for (i = ARRAY_SIZE(settings); i-- > 0;)
		if (settings[i].old[0])
			write_text(settings[i].path, settings[i].old);
}

static void run(const char *name, void (*act)(void))
{
	unsigned long node = 1;
	cpu_set_t cpu;
	int status;
	pid_t pid;

	/* What the kernel has to say about it is found in its log. */
	write_text("/dev/kmsg", name);
	scene_name = name;
	fflush(stdout);
	*skip_reason = 0;
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(TIMEOUT);
		/* What a CPU has put aside for later is not seen from another. */
		CPU_ZERO(&cpu);
		CPU_SET(0, &cpu);
		sched_setaffinity(0, sizeof(cpu), &cpu);
		syscall(__NR_set_mempolicy, MPOL_BIND, &node, 8);
		add_range(AREA, AREA + AREA_SIZE, "area");
		act();
		fflush(stdout);
		_exit(KSFT_PASS);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		ksft_exit_fail_perror(name);
	/* Its children die with it; their memory must be free before the next. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	if (WIFSIGNALED(status))
		ksft_print_msg("%s\n", WTERMSIG(status) == SIGALRM ? "it hangs" :
			       strsignal(WTERMSIG(status)));
	ksft_test_result_code(WIFEXITED(status) ? WEXITSTATUS(status) : KSFT_FAIL, name,
			      *skip_reason ? "%s" : NULL, skip_reason);
}

static int find_scene(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(scenes) && strcmp(scenes[i].name, name);)
		i++;
	if (i == ARRAY_SIZE(scenes))
		ksft_exit_fail_msg("there is no scene %s; -l lists them\n", name);
	return i;
}

int main(int argc, char **argv)
{
	bool random = false;
	char name[32], *c;
	size_t i;
	int opt;

	ps = psize();
	pmd = read_pmd_pagesize() ?: 2 * MB;
	while ((opt = getopt(argc, argv, "als:n:o:")) != -1) {
		switch (opt) {
		case 'a':
			max_lines = -1;
			break;
		case 'l':
			for (i = 0; i < ARRAY_SIZE(scenes); i++)
				printf("%s\n", scenes[i].name);
			return 0;
		case 's':
			random = true;
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			steps = atoi(optarg);
			break;
		case 'o':
			only_some = true;
			for (c = strtok(optarg, ","); c; c = strtok(NULL, ","))
				if (atoi(c) > 0 && atoi(c) <= MAX_STEPS)
					only[atoi(c)] = true;
			break;
		default:
			return KSFT_FAIL;
		}
	}
	if (steps > MAX_STEPS)
		steps = MAX_STEPS;
	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("needs root\n");
	skip_reason = mmap(NULL, ps, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (skip_reason == MAP_FAILED)
		ksft_exit_fail_perror("mmap");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ksft_set_plan(random ? 1 : optind < argc ? argc - optind : ARRAY_SIZE(scenes));
	set_up();
	if (random) {
		snprintf(name, sizeof(name), "seed %llu", seed);
		run(name, by_chance);
	} else if (optind < argc) {
		for (; optind < argc; optind++)
			run(argv[optind], scenes[find_scene(argv[optind])].run);
	} else {
		for (i = 0; i < ARRAY_SIZE(scenes); i++)
			run(scenes[i].name, scenes[i].run);
	}
	put_back();
	ksft_finished();
}
