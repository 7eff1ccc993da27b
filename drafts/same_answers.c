// SPDX-License-Identifier: GPL-2.0
/*
 * Prints what the kernel says about every kind of mapping, to be compared byte
 * for byte between two kernels: smaps, smaps_rollup, numa_maps, mincore(),
 * pagemap, PAGEMAP_SCAN, and HMM where its test module is.
 *
 *   same_answers [-ak] [-s SCENE]...
 *   same_answers [-ak] -r SEED [-n STEPS]
 *   same_answers -l
 *
 * A scene is a process of its own: it builds mappings at fixed addresses and
 * reports on them. What differs from one boot to the next is not printed (page
 * frames and swap slots have numbers in the order in which they are seen), or
 * is made to be the same: everything runs on one CPU, memory comes from one
 * node, and khugepaged, writeback and KSM stand still unless a scene wants them.
 * What the machine lacks is a line of the output as well.
 *
 * Needs root, changes settings in /sys and /proc/sys while it runs (-k: keeps
 * them) and poisons memory: for a guest. Files are made in the working
 * directory. Long lists end in a hash, or not (-a).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/kernel-page-flags.h>
#include <linux/mempolicy.h>
#include <linux/mman.h>
#include <linux/perf_event.h>
#include <linux/rseq.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "test_hmm_uapi.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE		0x08
#endif

#define KB			1024UL
#define MB			(1024 * KB)
#define GB			(1024 * MB)
#define TB			(1024 * GB)

/* Where mappings are made: nothing else is there, whatever is randomized. */
#define AREA			(16 * TB)
#define AREA_SIZE		(1 * TB)
/* A page of code that outlives the program; see strip(). */
#define STUB			(AREA - 1 * GB)
#define MAX_PAGES		((1UL << 19) + 16)
#define MAX_VMAS		4096
/* A scene that takes longer hangs. Emulated debug kernels are slow. */
#define TIMEOUT			1800
#define THP_DIR			"/sys/kernel/mm/transparent_hugepage/"
#define KSM_DIR			"/sys/kernel/mm/ksm/"
#define TRACE_INSTANCE		"/sys/kernel/tracing/instances/same_answers"
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define BIT(n)			(1ULL << (n))
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#define __noreturn		__attribute__((noreturn))

/* pagemap's bits; see Documentation/admin-guide/mm/pagemap.rst */
#define PM_FRAME		(BIT(55) - 1)
#define PM_PRESENT		BIT(63)
#define PM_SWAP			BIT(62)
#define PM_FLAGS		(~PM_FRAME)
/* Not in the UAPI, as in tools/mm/page-types.c. */
#define KPF_MLOCKED		33

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
static bool keep_settings;
static unsigned long max_lines = 40; /* of a list; a hash stands for those behind */
static bool hide_active;	/* whether swap makes a page active, depends on the past */
static const char *scene_name;
static bool scene_begun;
static int done_fd[2];		/* a scene that has ended says so there */

static struct range ranges[8];
static int nr_ranges;
static struct vma vmas[MAX_VMAS];
static int nr_vmas;

/* ------------------------------------------------------------- failing */

static void begin(void)
{
	if (!scene_begun)
		printf("scene %s\n", scene_name);
	scene_begun = true;
}

static void __noreturn lacking(const char *reason)
{
	printf("scene %s: not here: %s\n", scene_name, reason);
	fflush(stdout);
	_exit(0);
}

static void __noreturn die(const char *what)
{
	printf("scene %s: error: %s: %s\n", scene_name, what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

#define need(expr)	do { if (!(expr)) die(#expr); } while (0)

/* ------------------------------------------------------------ printing */

static unsigned long lines, hash;

static void __printf(1, 2) item(const char *fmt, ...)
{
	char buf[512], *c;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	for (c = buf + strlen(buf); c > buf && c[-1] == ' ';)
		*--c = 0;
	if (lines++ < max_lines) {
		printf("    %s\n", buf);
		return;
	}
	for (c = buf; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
}

static void __printf(1, 2) list(const char *fmt, ...)
{
	va_list ap;

	printf("  ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	lines = 0;
	hash = 0xcbf29ce484222325;
}

static void end_list(void)
{
	if (lines > max_lines)
		printf("    and %lu more, %016lx\n", lines - max_lines, hash);
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

/* ------------------------------------------- page frames and swap slots */

static struct {
	__u64 key;
	long id;
} seen[1 << 15];
static long nr_seen[3];
static __u64 last_pfn, last_head;
static __u64 kpageflags[512], kpageflags_first = ~0ULL;

enum { SEEN_PAGE, SEEN_FOLIO, SEEN_SLOT };

/* A page that was freed may come back in another's place, or not. */
static void forget(void)
{
	memset(seen, 0, sizeof(seen));
	memset(nr_seen, 0, sizeof(nr_seen));
	last_pfn = 0;
	kpageflags_first = ~0ULL;
}

/* Numbers from 1, in the order in which they are asked for. */
static long number(int kind, __u64 value)
{
	__u64 key = value << 2 | kind;
	size_t i = (key * 0x9e3779b97f4a7c15) >> 49;

	key++;
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
	int fd;

	if (pfn - kpageflags_first >= ARRAY_SIZE(kpageflags)) {
		fd = open("/proc/kpageflags", O_RDONLY);
		kpageflags_first = pfn & ~(ARRAY_SIZE(kpageflags) - 1);
		memset(kpageflags, 0, sizeof(kpageflags));
		need(pread(fd, kpageflags, sizeof(kpageflags), kpageflags_first * 8) >= 0);
		close(fd);
	}
	return kpageflags[pfn - kpageflags_first];
}

#define COMPOUND	(BIT(KPF_COMPOUND_HEAD) | BIT(KPF_COMPOUND_TAIL))

struct frame {
	char text[48];		/* what doesn't change along a run */
	char flags[8];		/* of its folio: what madvise() and mlock() have done */
	long id;		/* what grows by one along it, if step */
	bool step;
};

static void name_page(__u64 pfn, const char *leaf, struct frame *frame)
{
	static const struct {
		int bit;
		char name;
	} names[] = {
		{ KPF_MLOCKED, 'M' }, { KPF_UNEVICTABLE, 'U' }, { KPF_ACTIVE, 'A' },
		{ KPF_REFERENCED, 'R' }, { KPF_DIRTY, 'D' }, { KPF_SWAPBACKED, 'S' },
		{ KPF_KSM, 'K' },
	};
	__u64 flags = page_flags(pfn), head;
	char *c = frame->flags;
	size_t i;

	/* The vdso's pages are everyone's. */
	for (i = 0; flags & BIT(KPF_LRU) && i < ARRAY_SIZE(names); i++)
		if (flags & BIT(names[i].bit) && !(hide_active && names[i].name == 'A'))
			*c++ = names[i].name;

	frame->step = true;
	if (pfn < MB / ps) {
		/* The firmware's: asked for by address. */
		snprintf(frame->text, sizeof(frame->text), "%spfn ", leaf);
		frame->id = pfn;
	} else if (flags & COMPOUND) {
		/* The folio of the page before, or else it is searched for. */
		head = pfn == last_pfn + 1 ? last_head : pfn;
		if (flags & BIT(KPF_COMPOUND_HEAD))
			head = pfn;
		while (head && !(page_flags(head) & BIT(KPF_COMPOUND_HEAD)))
			head--;
		last_pfn = pfn;
		last_head = head;
		snprintf(frame->text, sizeof(frame->text), "%s%s%ld page ", leaf,
			 flags & BIT(KPF_ZERO_PAGE) ? "zero folio " : "folio ",
			 number(SEEN_FOLIO, head));
		frame->id = pfn - head;
	} else if (flags & BIT(KPF_ZERO_PAGE)) {
		snprintf(frame->text, sizeof(frame->text), "%szero page", leaf);
		frame->step = false;
		frame->id = 0;
	} else {
		snprintf(frame->text, sizeof(frame->text), "%spage ", leaf);
		frame->id = number(SEEN_PAGE, pfn);
	}
}

static void name_frame(__u64 entry, struct frame *frame)
{
	__u64 value = entry & PM_FRAME;
	unsigned int type = value & 31;
	char leaf[16];

	memset(frame, 0, sizeof(*frame));
	if (entry & PM_PRESENT) {
		name_page(value, "", frame);
	} else if (entry & PM_SWAP) {
		value >>= 5;
		snprintf(leaf, sizeof(leaf), "type %u ", type);
		/* Markers have a few bits there, and the others a page. */
		if (type < 16) {
			snprintf(frame->text, sizeof(frame->text), "slot ");
			frame->id = number(SEEN_SLOT, value << 5 | type);
			frame->step = true;
		} else if (value < 64) {
			snprintf(frame->text, sizeof(frame->text), "%svalue %llu", leaf,
				 (unsigned long long)value);
		} else {
			name_page(value, leaf, frame);
		}
	} else if (value) {
		snprintf(frame->text, sizeof(frame->text), "value %llx", (unsigned long long)value);
	}
}

/* ------------------------------------------------------------- reports */

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

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The fields of a VMA, or of all of them, that are not zero: on one line. */
static void print_field(const char *line)
{
	char name[64], text[256];
	unsigned long val;

	if (!strncmp(line, "VmFlags:", 8)) {
		snprintf(text, sizeof(text), "%s", line);
		text[strcspn(text, "\n")] = 0;
		printf(" %s", text);
	} else if (sscanf(line, "%63[^:]: %lu", name, &val) == 2 && val) {
		printf(" %s %lu", name, val);
	}
}

static void print_smaps(bool print)
{
	FILE *fp = fopen("/proc/self/smaps", "r");
	unsigned long start, end, off;
	char line[512], perms[8];
	const struct range *in = NULL;
	bool first = true;
	int n;

	need(fp);
	nr_vmas = 0;
	if (print)
		printf("  smaps");
	while (fgets(line, sizeof(line), fp)) {
		n = 0;
		if (sscanf(line, "%lx-%lx %7s %lx %*x:%*x %*u %n", &start, &end, perms, &off,
			   &n) >= 4 && n) {
			in = in_range(start);
			if (!in)
				continue;
			need(nr_vmas < MAX_VMAS);
			vmas[nr_vmas++] = (struct vma){ start, end, in };
			line[strcspn(line, "\n")] = 0;
			if (print)
				printf("%s    %s-%s %s %lx %s:", "\n", where(start), where(end),
				       perms, off, base_name(line + n));
			first = false;
		} else if (in && print) {
			print_field(line);
		}
	}
	fclose(fp);
	if (print)
		printf("%s\n", first ? " none" : "");
}

static void print_rollup(pid_t pid)
{
	char path[64], line[512];
	FILE *fp;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	fp = fopen(path, "r");
	if (!fp || !fgets(line, sizeof(line), fp)) {
		printf("  rollup: %s\n", strerror(errno));
		return;
	}
	printf("  rollup\n   ");
	while (fgets(line, sizeof(line), fp))
		print_field(line);
	printf("\n");
	fclose(fp);
}

static void print_numa_maps(void)
{
	FILE *fp = fopen("/proc/self/numa_maps", "r");
	char line[1024], *word, *rest;
	unsigned long start;

	if (!fp) {
		printf("  numa_maps: not here\n");
		return;
	}
	printf("  numa_maps\n");
	while (fgets(line, sizeof(line), fp)) {
		line[strcspn(line, "\n")] = 0;
		start = strtoul(line, &rest, 16);
		if (!in_range(start))
			continue;
		printf("    %s", where(start));
		for (word = strtok(rest, " "); word; word = strtok(NULL, " ")) {
			if (!strncmp(word, "file=", 5))
				word = (char *)base_name(word + 5);
			if (!hide_active || strncmp(word, "active=", 7))
				printf(" %s", word);
		}
		printf("\n");
	}
	fclose(fp);
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
		for (i = 0, bad = 0; i < pages && i < 2048; i += 37) {
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

	if (privileged)
		return open("/proc/self/pagemap", O_RDONLY);
	/* Who opens it matters, not who reads. */
	need(!syscall(__NR_capget, &head, caps));
	memcpy(less, caps, sizeof(caps));
	less[0].effective &= ~(1U << CAP_SYS_ADMIN);
	need(!syscall(__NR_capset, &head, less));
	fd = open("/proc/self/pagemap", O_RDONLY);
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
		if (entry & BIT(63 - bit))
			*c++ = "PSF??GUXD"[bit];
	*c = 0;
	return buf;
}

static void print_entries(unsigned long start, const __u64 *entries, unsigned long pages)
{
	struct frame frame, next;
	unsigned long i, run;
	char id[24];

	for (i = 0; i < pages; i += run) {
		if (i)
			frame = next;
		else
			name_frame(entries[0], &frame);
		for (run = 1; i + run < pages; run++) {
			name_frame(entries[i + run], &next);
			if (((entries[i + run] ^ entries[i]) & PM_FLAGS) ||
			    strcmp(next.text, frame.text) || strcmp(next.flags, frame.flags) ||
			    (frame.step && next.id != frame.id + (long)run))
				break;
		}
		snprintf(id, sizeof(id), "%ld", frame.id);
		item("%s %lu: %s %s%s %s", where(start + i * ps), run, flag_names(entries[i]),
		     frame.text, frame.step ? id : "", frame.flags);
	}
}

/*
 * What a read returns must not depend on where it began and how long it was:
 * one walk covers 2 MB, and a run of entries may be cut anywhere.
 */
static void compare_chunks(int fd, unsigned long start, const __u64 *entries, unsigned long pages)
{
	static const unsigned int sizes[] = { 1, 7, 511, 512, 513, 1025, 1536, 65537 };
	static __u64 buf[65537];
	unsigned long i, n, k, bad, step;
	size_t s;
	long got;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		/* Each is a system call: not too many, all over the range. */
		step = (pages / 500) | 1;
		if (step < sizes[s])
			step = sizes[s];
		for (i = 0, bad = 0; i < pages; i += step) {
			n = pages - i < sizes[s] ? pages - i : sizes[s];
			memset(buf, 0xff, n * sizeof(*buf));
			got = pread(fd, buf, n * sizeof(*buf), (start / ps + i) * sizeof(*buf));
			if (got != (long)(n * sizeof(*buf))) {
				item("%s: read of %lu entries returns %ld", where(start + i * ps),
				     n, got);
				continue;
			}
			for (k = 0; k < n; k++) {
				if (buf[k] == entries[i + k])
					continue;
				if (!bad++)
					item("%s: %s in a read of %lu entries, %s in one of %lu",
					     where(start + (i + k) * ps), flag_names(buf[k]), n,
					     flag_names(entries[i + k]), pages);
			}
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
	int fd = open_pagemap(true);
	long got;

	need(fd >= 0 && pages <= MAX_PAGES);
	list("pagemap");
	memset(entries, 0xff, pages * sizeof(*entries));
	got = pread(fd, entries, pages * sizeof(*entries), start / ps * sizeof(*entries));
	if (got != (long)(pages * sizeof(*entries)))
		item("%s: read of %lu entries returns %ld", where(start), pages, got);
	else
		print_entries(start, entries, pages);
	compare_chunks(fd, start, entries, pages);
	close(fd);

	fd = open_pagemap(false);
	need(fd >= 0);
	memset(hidden, 0xff, pages * sizeof(*hidden));
	if (pread(fd, hidden, pages * sizeof(*hidden), start / ps * sizeof(*hidden)) != got)
		item("without CAP_SYS_ADMIN it returns something else");
	for (i = 0; i < pages; i++)
		if (hidden[i] != (entries[i] & PM_FLAGS))
			bad++;
	if (bad)
		item("without CAP_SYS_ADMIN %lu entries have other flags, or a frame", bad);
	close(fd);
	end_list();
}

#define ALL	(PAGE_IS_WPALLOWED | PAGE_IS_WRITTEN | PAGE_IS_FILE | PAGE_IS_PRESENT |	\
		 PAGE_IS_SWAPPED | PAGE_IS_PFNZERO | PAGE_IS_HUGE | PAGE_IS_SOFT_DIRTY |	\
		 PAGE_IS_GUARD | PAGE_IS_ACCESSED)
#define LEAF	(PAGE_IS_PRESENT | PAGE_IS_SWAPPED)

static const char *categories(__u64 mask)
{
	static char buf[16];
	char *c = buf;
	int bit;

	for (bit = 0; bit < 10; bit++)
		if (mask & BIT(bit))
			*c++ = "AWFPSZHDGa"[bit];
	*c = 0;
	return buf;
}

static struct page_region regions[MAX_PAGES / 16];

/*
 * Scans on and on from where the scan before has ended, until it gets to the
 * end, does not move, or has been called often enough. @trace prints each call.
 */
static void scan(struct pm_scan_arg arg, bool trace)
{
	int fd = open_pagemap(true), calls;
	struct page_region last = {};
	unsigned long start;
	long i, n;

	arg.size = sizeof(arg);
	arg.vec = arg.vec_len ? (unsigned long)regions : 0;
	for (calls = 0; arg.start < arg.end && calls < 200; calls++) {
		start = arg.start;
		arg.walk_end = 0x5eed;
		n = ioctl(fd, PAGEMAP_SCAN, &arg);
		if (n < 0) {
			item("from %s: %s", where(arg.start), strerror(errno));
			break;
		}
		if (trace)
			item("from %s: %ld, ends at %s", where(arg.start), n, where(arg.walk_end));
		for (i = 0; i < n; i++) {
			if (!trace && last.end == regions[i].start &&
			    last.categories == regions[i].categories) {
				last.end = regions[i].end;
				continue;
			}
			if (last.end)
				item("%s %lu: %s", where(last.start),
				     (unsigned long)(last.end - last.start) / ps,
				     categories(last.categories));
			last = regions[i];
		}
		arg.start = arg.walk_end;
		if (arg.start == start || arg.walk_end == 0x5eed)
			break;
	}
	if (last.end)
		item("%s %lu: %s", where(last.start), (unsigned long)(last.end - last.start) / ps,
		     categories(last.categories));
	close(fd);
}

static void print_scans(unsigned long start, unsigned long end)
{
	const unsigned long pages = (end - start) / ps;
	const struct {
		const char *name;
		__u64 mask, inverted, anyof, ret, flags;
		unsigned long max_pages, vec_len;
	} queries[] = {
		{ .name = "anything", .ret = ALL, .vec_len = ARRAY_SIZE(regions) },
		{ .name = "any category", .anyof = ALL, .ret = ALL,
		  .vec_len = ARRAY_SIZE(regions) },
		{ .name = "written", .mask = PAGE_IS_WRITTEN, .ret = PAGE_IS_WRITTEN,
		  .vec_len = ARRAY_SIZE(regions) },
		{ .name = "present or swapped", .anyof = LEAF, .ret = LEAF | PAGE_IS_FILE,
		  .vec_len = 700 },
		{ .name = "present, not zero", .mask = PAGE_IS_PRESENT | PAGE_IS_PFNZERO,
		  .inverted = PAGE_IS_PFNZERO, .ret = PAGE_IS_HUGE | PAGE_IS_PRESENT,
		  .vec_len = ARRAY_SIZE(regions) },
		{ .name = "huge", .mask = PAGE_IS_HUGE, .ret = ALL, .vec_len = 1 },
		{ .name = "not soft-dirty", .mask = PAGE_IS_SOFT_DIRTY,
		  .inverted = PAGE_IS_SOFT_DIRTY, .ret = LEAF, .vec_len = ARRAY_SIZE(regions) },
		{ .name = "in tracked mappings", .mask = PAGE_IS_WPALLOWED, .ret = ALL,
		  .vec_len = ARRAY_SIZE(regions) },
		{ .name = "where writes are tracked", .anyof = LEAF, .ret = ALL,
		  .flags = PM_SCAN_CHECK_WPASYNC, .vec_len = ARRAY_SIZE(regions) },
		{ .name = "a few pages at a time", .anyof = ALL, .ret = ALL,
		  .max_pages = pages / 41 + 3, .vec_len = ARRAY_SIZE(regions) },
		{ .name = "two regions at a time", .anyof = LEAF, .ret = LEAF | PAGE_IS_HUGE,
		  .vec_len = 2 },
		{ .name = "no output", .mask = PAGE_IS_PRESENT },
	};
	size_t q;

	for (q = 0; q < ARRAY_SIZE(queries); q++) {
		list("scan: %s", queries[q].name);
		scan((struct pm_scan_arg){
			.start = start, .end = end,
			.flags = queries[q].flags,
			.vec_len = queries[q].vec_len,
			.max_pages = queries[q].max_pages,
			.category_mask = queries[q].mask,
			.category_inverted = queries[q].inverted,
			.category_anyof_mask = queries[q].anyof,
			.return_mask = queries[q].ret,
		}, queries[q].vec_len <= 1);
		end_list();
	}
	list("scan: without its first and last page");
	if (pages > 2)
		scan((struct pm_scan_arg){
			.start = start + ps, .end = end - ps, .vec_len = ARRAY_SIZE(regions),
			.category_anyof_mask = ALL, .return_mask = ALL,
		}, true);
	end_list();
}

/* What HMM sees, a byte for each page: a device may have all of the mapping. */
static void print_hmm(unsigned long start, unsigned long end)
{
	static unsigned char prot[4096];
	unsigned long pages = (end - start) / ps, i, run;
	struct hmm_dmirror_cmd cmd = {
		.addr = start, .ptr = (unsigned long)prot, .npages = pages,
	};
	int fd = open("/dev/hmm_dmirror0", O_RDWR);

	if (fd < 0)
		return;
	if (pages <= sizeof(prot)) {
		list("hmm");
		if (ioctl(fd, HMM_DMIRROR_SNAPSHOT, &cmd)) {
			item("%s: %s", where(start), strerror(errno));
			pages = 0;
		}
		for (i = 0; i < pages; i += run) {
			for (run = 1; i + run < pages && prot[i + run] == prot[i];)
				run++;
			item("%s %lu: %02x", where(start + i * ps), run, prot[i]);
		}
		end_list();
	}
	close(fd);
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

	begin();
	forget();
	settle();
	printf(" %s\n", title);
	print_smaps(true);
	print_numa_maps();
	print_mincore();
	for (v = 0; v < nr_vmas; v = next) {
		/* With what is between them, and around them if there is room. */
		for (next = v + 1; next < nr_vmas && vmas[next].range == vmas[v].range &&
		     vmas[next].start - vmas[next - 1].end < 4 * MB;)
			next++;
		start = vmas[v].start;
		end = vmas[next - 1].end;
		if (vmas[v].range->start <= start - 2 * ps && vmas[v].range->end >= end + 2 * ps) {
			start -= 2 * ps;
			end += 2 * ps;
		}
		print_pagemap(start, end);
		print_scans(start, end);
	}
	for (v = 0; v < nr_vmas; v++)
		print_hmm(vmas[v].start, vmas[v].end);
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

#define RW	(PROT_READ | PROT_WRITE)

/* Small pages: khugepaged and faults make nothing else of them. */
static char *map_small(unsigned long at, size_t len)
{
	char *p = map(at, len, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

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
		__atomic_load_n(p + i, __ATOMIC_RELAXED);
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
	char *p = map(at, len, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	make_huge(p, len, true);
	return p;
}

static size_t folio_pages(const char *p)
{
	int fd = open_pagemap(true);
	__u64 entry = 0;
	size_t n = 1;

	need(pread(fd, &entry, 8, (unsigned long)p / ps * 8) == 8);
	close(fd);
	forget();
	entry &= PM_FRAME;
	while (page_flags(entry + n) & BIT(KPF_COMPOUND_TAIL))
		n++;
	return n;
}

#define MTHP	(64 * KB)

/* Folios of 64 kB: more than a page, and mapped by PTEs only. */
static char *map_mthp(unsigned long at, size_t len)
{
	char *p = map(at, len, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (access(THP_DIR "hugepages-64kB/enabled", F_OK))
		lacking("no folios of 64 kB");
	madvise(p, len, MADV_HUGEPAGE);
	put(p, len, ps);
	madvise(p, len, MADV_NOHUGEPAGE);
	if (folio_pages(p) != MTHP / ps)
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

static int make_file(const char *dir, const char *name, size_t len)
{
	static char buf[64 * KB];
	char path[256];
	size_t i;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		lacking("can't make a file");
	unlink(path);
	for (i = 0; i < len; i += sizeof(buf)) {
		memset(buf, 'a' + i / sizeof(buf) % 26, sizeof(buf));
		need(pwrite(fd, buf, sizeof(buf), i) == sizeof(buf));
	}
	need(!fsync(fd));
	return fd;
}

static int make_hugetlb(unsigned int log)
{
	int fd = memfd_create("hugetlb", MFD_HUGETLB | (log << 26));

	if (fd < 0)
		lacking("no hugetlb of this size");
	return fd;
}

static void need_hugetlb(size_t size, long nr)
{
	char path[128];

	snprintf(path, sizeof(path),
		 "/sys/devices/system/node/node0/hugepages/hugepages-%lukB/free_hugepages",
		 size / KB);
	if (read_long(path, 0) < nr)
		lacking("not enough huge pages on node 0");
}

#define HUGETLB(log)	(MAP_HUGETLB | MAP_NORESERVE | ((log) << 26))

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

	hide_active = true;
	for (try = 0; try < 20; try++) {
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
	p = mmap(NULL, 64 * ps, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
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
	int fd[2];
	pid_t pid;
	char c;

	fflush(stdout);
	need(!pipe(fd));
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (act)
			act();
		fflush(stdout);
		need(write(fd[1], "", 1) == 1);
		for (;;)
			pause();
	}
	close(fd[1]);
	need(read(fd[0], &c, 1) == 1);
	close(fd[0]);
}

static int open_uffd(__u64 features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		lacking("userfaultfd can't do it");
	return fd;
}

static void uffd_register(int fd, char *p, size_t len, __u64 mode)
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
	begin();
	list("write-protect: %s", name);
	arg.flags |= PM_SCAN_WP_MATCHING;
	arg.start = (unsigned long)p;
	arg.end = (unsigned long)p + len;
	arg.return_mask = arg.vec_len ? ALL : 0;
	scan(arg, true);
	end_list();
	fflush(stdout);
}

/*
 * smaps_rollup can't leave out the program, whose numbers depend on what else
 * runs. So it takes itself away in the end, and leaves the mappings of the
 * scene and this code, which unmaps a list of ranges, writes a byte and waits.
 */
#if defined(__x86_64__)
asm(".pushsection .rodata\n"
	".balign 16\n"
	"strip_code:\n"
	"	mov	%rdi, %rbx\n"
	"1:	mov	(%rbx), %rdi\n"
	"	mov	8(%rbx), %rsi\n"
	"	add	$16, %rbx\n"
	"	test	%rsi, %rsi\n"
	"	jz	2f\n"
	"	mov	$11, %eax\n"		/* munmap */
	"	syscall\n"
	"	jmp	1b\n"
	"2:	mov	%rbx, %rsi\n"
	"	mov	$1, %edx\n"
	"	mov	$1, %eax\n"		/* write */
	"	syscall\n"
	"3:	mov	$34, %eax\n"		/* pause */
	"	syscall\n"
	"	jmp	3b\n"
	"strip_code_end:\n"
	".popsection\n");
#elif defined(__aarch64__)
asm(".pushsection .rodata\n"
	".balign 16\n"
	"strip_code:\n"
	"	mov	x19, x0\n"
	"1:	ldp	x0, x1, [x19], #16\n"
	"	cbz	x1, 2f\n"
	"	mov	x8, #215\n"		/* munmap */
	"	svc	#0\n"
	"	b	1b\n"
	"2:	mov	x1, x19\n"
	"	mov	x2, #1\n"
	"	mov	x8, #64\n"		/* write */
	"	svc	#0\n"
	"3:	mov	x0, #0\n"
	"	mov	x1, #0\n"
	"	mov	x2, #0\n"
	"	mov	x3, #0\n"
	"	mov	x8, #73\n"		/* ppoll */
	"	svc	#0\n"
	"	b	3b\n"
	"strip_code_end:\n"
	".popsection\n");
#endif

static void strip(void)
{
#if defined(__x86_64__) || defined(__aarch64__)
	extern const char strip_code[], strip_code_end[];
	const size_t code_len = (strip_code_end - strip_code + 15) & ~15UL;
	unsigned long start, end, *todo;
	char line[512];
	void *stub;
	FILE *fp;
	size_t n;

	stub = try_map(STUB, ps, RW | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(stub);
	memcpy(stub, strip_code, strip_code_end - strip_code);
	__builtin___clear_cache(stub, stub + code_len);
	todo = stub + code_len;
	/* The kernel would write there. Which size the C library has named is not known. */
	for (n = 32; __rseq_size && n <= 512; n += 32) {
		if (!syscall(__NR_rseq, __builtin_thread_pointer() + __rseq_offset, n,
			     RSEQ_FLAG_UNREGISTER, RSEQ_SIG))
			break;
	}
	n = 0;
	fp = fopen("/proc/self/maps", "r");
	need(fp);
	while (fgets(line, sizeof(line), fp)) {
		if (sscanf(line, "%lx-%lx", &start, &end) != 2 || in_range(start) ||
		    start == STUB || strstr(line, "[vsyscall]"))
			continue;
		need((n + 2) * 16 + code_len < ps);
		todo[2 * n] = start;
		todo[2 * n++ + 1] = end - start;
	}
	todo[2 * n] = done_fd[1];
	todo[2 * n + 1] = 0;
	((void (*)(void *))stub)(todo);
#endif
}

/* ----------------------------------------------------------- the scenes */

/* Pages in a pattern, across three tables: the second is missing. */
static void scene_anon(void)
{
	char *p = map_small(pmd - 2 * ps, 2 * pmd + 9 * ps);

	put(p, 5 * ps, ps);
	get(p + 7 * ps, 4 * ps, ps);
	put(p + 16 * ps, 20 * ps, 2 * ps);
	get(p + 40 * ps, 20 * ps, 3 * ps);
	p = p + 2 * pmd;
	put(p + 2 * ps, 3 * ps, ps);
	get(p + 5 * ps, 2 * ps, ps);
	report("written, read and left out");
	need(!madvise(p + 4 * ps, ps, MADV_DONTNEED));
	put(p + 5 * ps, ps, ps);
	report("one dropped, one zero page written to");
}

/* Missing tables of every level, and one page in each of three. */
static void scene_sparse(void)
{
	char *p = map_small(512 * GB - 64 * MB - ps, GB + 70 * MB);

	put(p, ps, ps);
	put(p + 64 * MB, ps, ps);
	put(p + GB + 70 * MB - ps, ps, ps);
	report("three pages");
}

static void scene_untouched(void)
{
	map_small(GB - 5 * ps, GB + 9 * ps);
	report("nothing there");
}

static void scene_gaps(void)
{
	int i;

	for (i = 0; i < 12; i++) {
		char *p = map_small(pmd - 30 * ps + i * 5 * ps, 2 * ps + i % 3 * ps);

		if (i % 4)
			put(p, 2 * ps, ps);
	}
	/* Not to be merged, and with a table of its own after a gap. */
	get(map(2 * pmd + ps, 3 * ps, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 3 * ps, ps);
	report("small mappings near each other");
}

static void scene_thp(void)
{
	char *p = map(2 * pmd - 4 * ps, 3 * pmd + 8 * ps, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(p, 3 * pmd + 8 * ps, MADV_NOHUGEPAGE);
	put(p, 4 * ps, ps);
	make_huge(p + 4 * ps, pmd, true);
	make_huge(p + 4 * ps + 2 * pmd, pmd, true);
	report("two huge pages, a hole between them");
	clear_refs("1");
	report("not referenced");
	get(p + 4 * ps, ps, ps);
	report("one referenced");
}

static void scene_thp_split(void)
{
	char *p = map_thp(2 * pmd, 4 * pmd);

	need(!madvise(p + 3 * ps, ps, MADV_DONTNEED));
	need(!madvise(p + 100 * ps, 50 * ps, MADV_DONTNEED));
	need(!munmap(p + pmd + 200 * ps, 312 * ps));
	need(!mprotect(p + 2 * pmd + 8 * ps, 5 * ps, PROT_READ));
	report("split by dropping, unmapping and protecting pages");
	clear_refs("1");
	get(p, 3 * ps, ps);
	put(p + 40 * ps, ps, ps);
	put(p + 2 * pmd + 20 * ps, 10 * ps, 2 * ps);
	report("some referenced");
}

static void scene_mthp(void)
{
	char *p = map_mthp(8 * MTHP, 8 * MTHP);

	report("folios of 64 kB");
	need(!munmap(p, 3 * ps));
	need(!madvise(p + MTHP + 4 * ps, 2 * ps, MADV_DONTNEED));
	clear_refs("1");
	get(p + 2 * MTHP + 3 * ps, 3 * ps, ps);
	put(p + 4 * MTHP + ps, ps, ps);
	report("some pages gone, four referenced");
}

static void scene_huge_zero(void)
{
	char *p = map(2 * pmd, 3 * pmd, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	make_huge(p, 2 * pmd, false);
	report("two huge zero pages");
	need(!madvise(p + 9 * ps, 7 * ps, MADV_DONTNEED));
	report("one split");
	put(p + 2 * ps, ps, ps);
	put(p + pmd + 2 * ps, ps, ps);
	report("both written to");
}

static void scene_shmem(void)
{
	int fd = make_shmem(600 * ps, false);
	char *p = map(pmd - 60 * ps, 200 * ps, RW, MAP_SHARED, fd, 3 * ps), *q;

	need(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 30 * ps, 10 * ps));
	madvise(p, 200 * ps, MADV_NOHUGEPAGE);
	get(p, 10 * ps, ps);
	put(p + 20 * ps, 4 * ps, ps);
	q = map(2 * pmd - 20 * ps, 500 * ps, RW, MAP_PRIVATE, fd, 60 * ps);
	madvise(q, 500 * ps, MADV_NOHUGEPAGE);
	get(q, 40 * ps, ps);
	put(q + 10 * ps, 20 * ps, 2 * ps);
	get(map(4 * pmd, 16 * ps, PROT_READ, MAP_SHARED, fd, 0), 5 * ps, ps);
	/* Beyond the end of the file. */
	map(5 * pmd, 8 * ps, RW, MAP_SHARED, fd, 596 * ps);
	report("shared, private, read-only, beyond the end");
}

static void scene_shmem_huge(void)
{
	int fd = make_shmem(2 * pmd, true);
	char *p = map(2 * pmd, 2 * pmd, RW, MAP_SHARED, fd, 0), *q;

	make_huge(p, 2 * pmd, true);
	report("mapped by PMDs");
	q = map(6 * pmd + 5 * ps, pmd, RW, MAP_SHARED, fd, 3 * ps);
	get(q, 30 * ps, ps);
	put(q + 40 * ps, 5 * ps, ps);
	q = map(8 * pmd, 2 * pmd, RW, MAP_PRIVATE, fd, 0);
	madvise(q, 2 * pmd, MADV_HUGEPAGE);
	get(q, ps, ps);
	put(q + 3 * ps, 5 * ps, ps);
	get(q + pmd, ps, ps);
	madvise(q, 2 * pmd, MADV_NOHUGEPAGE);
	report("also elsewhere, by PTEs and privately");
	need(!madvise(p + 4 * ps, ps, MADV_DONTNEED));
	clear_refs("3");
	put(p + 300 * ps, 6 * ps, 2 * ps);
	report("one of them split");
}

static void scene_shmem_mthp(void)
{
	int fd = memfd_create("shmem", 0);
	char *p;

	need(fd >= 0 && !ftruncate(fd, 16 * MTHP));
	p = map(4 * MTHP, 8 * MTHP, RW, MAP_SHARED, fd, 2 * MTHP);
	madvise(p, 8 * MTHP, MADV_HUGEPAGE);
	put(p, 8 * MTHP, MTHP);
	madvise(p, 8 * MTHP, MADV_NOHUGEPAGE);
	report("written to once per 64 kB");
	get(p, 8 * MTHP, ps);
	clear_refs("1");
	put(p + 3 * ps, 3 * ps, ps);
	get(p + 2 * MTHP + 5 * ps, ps, ps);
	report("read all over, then some referenced");
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
	report("shared, swapped out");
	/* A table of its own, and pages in it. */
	q = map(6 * pmd, len, RW, MAP_PRIVATE, fd, 0);
	put(q + 5 * ps, 10 * ps, 3 * ps);
	/* Tables up to the PMD, from a neighbour; and none at all. */
	map_small(GB + 8 * pmd, ps)[0] = 1;
	map(GB + 10 * pmd, len, RW, MAP_PRIVATE, fd, 0);
	map(20 * GB + pmd, len, RW, MAP_PRIVATE, fd, 0);
	map(600 * GB, len - 7 * ps, RW, MAP_PRIVATE, fd, 3 * ps);
	map(10 * GB, len, PROT_READ, MAP_PRIVATE, fd, 0);
	report("private: holes in a PTE table, of PMD and of PUD entries");
	get(p, 20 * ps, ps);
	report("some swapped in again");
}

static void scene_file_private(void)
{
	int fd = make_file(".", "file", 64 * 16 * KB);
	char *p = map(pmd - 20 * ps, 100 * ps, RW, MAP_PRIVATE, fd, 7 * ps);

	need(!ftruncate(fd, 300 * ps));
	get(p, 50 * ps, ps);
	put(p + 10 * ps, 10 * ps, 2 * ps);
	report("read, and some copied");
	/* Not in the page cache, and never read. */
	map(2 * pmd, 60 * ps, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 230 * ps);
	clear_refs("3");
	put(p + 30 * ps, ps, ps);
	report("file pages not referenced, holes in the page cache");
}

static void scene_file_shared(void)
{
	int fd = make_file(".", "file", MB);
	char *p = map(pmd - 20 * ps, 100 * ps, RW, MAP_SHARED, fd, 7 * ps);

	get(p, 60 * ps, ps);
	report("clean");
	put(p + 5 * ps, 30 * ps, 5 * ps);
	report("dirty");
	need(!msync(p, 20 * ps, MS_SYNC));
	clear_refs("1");
	get(p + 7 * ps, 2 * ps, ps);
	report("part written back");
}

static void scene_hugetlb(void)
{
	char *p;

	need_hugetlb(2 * MB, 8);
	p = try_map(AREA + 8 * MB, 16 * MB, RW, MAP_PRIVATE | MAP_ANONYMOUS | HUGETLB(21), -1, 0);
	if (!p)
		lacking("no hugetlb of 2 MB");
	put(p, 4 * MB, ps);
	get(p + 6 * MB, 2 * MB, ps);
	put(p + 10 * MB, ps, ps);
	report("private, with holes");
	with_child(NULL);
	report("with a child");
	put(p + 2 * MB, ps, ps);
	report("one copied");
}

static void act_dontneed_second(void)
{
	madvise((char *)AREA + 10 * MB, 2 * MB, MADV_DONTNEED);
}

static void scene_hugetlb_shared(void)
{
	char *p, *q;
	int fd;

	need_hugetlb(2 * MB, 8);
	fd = make_hugetlb(21);
	need(!ftruncate(fd, 16 * MB));
	p = try_map(AREA + 8 * MB, 12 * MB, RW, MAP_SHARED | MAP_NORESERVE, fd, 2 * MB);
	need(p);
	put(p, 6 * MB, ps);
	put(p + 8 * MB, ps, ps);
	report("shared, with holes");
	q = try_map(AREA + 32 * MB, 16 * MB, RW, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
	need(q);
	get(q, 8 * MB, 2 * MB);
	put(q + 4 * MB, 2 * MB, 2 * MB);
	report("also mapped privately");
	with_child(act_dontneed_second);
	report("with a child that has dropped one");
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
	int fd;

	need_hugetlb(2 * MB, 8);
	fd = make_hugetlb(21);
	need(!ftruncate(fd, GB));
	p = try_map(AREA + GB, GB, RW, MAP_SHARED | MAP_NORESERVE, fd, 0);
	need(p);
	put(p, ps, ps);
	put(p + 10 * MB, 4 * MB, ps);
	put(p + GB - 2 * MB, ps, ps);
	report("alone");
	with_child(act_get_gigabyte);
	report("with a child");
}

static void scene_hugetlb_1g(void)
{
	char *p;

	need_hugetlb(GB, 1);
	p = try_map(AREA + GB, 2 * GB, RW, MAP_PRIVATE | MAP_ANONYMOUS | HUGETLB(30), -1, 0);
	if (!p)
		lacking("no hugetlb of 1 GB");
	report("nothing there");
	put(p + 5 * MB, ps, ps);
	report("private, and a hole");
	with_child(NULL);
	report("with a child");
}

static void scene_hugetlb_1g_shared(void)
{
	char *p;
	int fd;

	need_hugetlb(GB, 1);
	fd = make_hugetlb(30);
	need(!ftruncate(fd, GB));
	p = try_map(AREA + 2 * GB, GB, RW, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (!p)
		lacking("no hugetlb of 1 GB");
	get(p, ps, ps);
	report("1 GB, shared");
	with_child(NULL);
	report("with a child");
}

static void scene_swap(void)
{
	char *p;

	need_swap();
	p = map_small(pmd - 40 * ps, 100 * ps);
	put(p, 90 * ps, ps);
	page_out(p, 20 * ps);
	page_out(p + 30 * ps, 30 * ps);
	report("partly swapped out");
	get(p + 2 * ps, 2 * ps, ps);
	put(p + 8 * ps, 2 * ps, ps);
	report("some read and some written again");
}

static void act_drop_some(void)
{
	char *p = (char *)AREA + 8 * MTHP;

	madvise(p + 3 * ps, 2 * ps, MADV_DONTNEED);
	madvise(p + 9 * ps, ps, MADV_DONTNEED);
	madvise(p + MTHP, 2 * ps, MADV_DONTNEED);
}

/* Read from swap, but not mapped. */
static void scene_swap_cached(void)
{
	char *p, *q;
	int fd;

	need_swap();
	p = map_small(pmd - 40 * ps, 100 * ps);
	put(p, 90 * ps, ps);
	page_out(p, 90 * ps);
	need(!madvise(p + 10 * ps, 30 * ps, MADV_WILLNEED));
	fd = make_shmem(40 * ps, false);
	q = map(4 * pmd, 40 * ps, RW, MAP_SHARED, fd, 0);
	put(q, 40 * ps, ps);
	page_out(q, 40 * ps);
	need(!madvise(q + 5 * ps, 20 * ps, MADV_WILLNEED));
	report("some of it wanted soon");
}

/* Slots one after the other, which are not used equally often. */
static void scene_swap_shared(void)
{
	char *p;

	need_swap();
	p = map_mthp(8 * MTHP, 4 * MTHP);
	page_out(p, 4 * MTHP);
	report("folios swapped out");
	with_child(act_drop_some);
	report("with a child that has dropped some");
	with_child(NULL);
	report("with another child");
	get(p + 5 * ps, 2 * ps, ps);
	report("two read");
}

static void scene_swap_thp(void)
{
	char *p;

	need_swap();
	p = map_thp(2 * pmd, 2 * pmd);
	page_out(p, pmd);
	report("a huge page swapped out");
}

static void scene_ksm(void)
{
	char *p = map_small(pmd - 20 * ps, 60 * ps);
	long scans;
	int i;

	if (access(KSM_DIR "run", W_OK) || keep_settings)
		lacking("no KSM, or it must not be started");
	for (i = 0; i < 60; i++)
		memset(p + i * ps, i % 3 ? 'x' : i, ps);
	/* A page of zeros is a KSM page like others, unless use_zero_pages. */
	memset(p + 50 * ps, 0, 4 * ps);
	if (madvise(p, 60 * ps, MADV_MERGEABLE))
		lacking("no KSM");
	scans = read_long(KSM_DIR "full_scans", 0);
	need(!write_text(KSM_DIR "run", "1"));
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
	int fd = make_file(".", "file", 64 * KB);
	char *p = map_small(pmd - 10 * ps, 40 * ps), *q = map_thp(2 * pmd, pmd);
	char *f = map(4 * pmd, 64 * KB, RW, MAP_PRIVATE, fd, 0);

	put(p, 20 * ps, ps);
	get(f, 5 * ps, ps);
	if (madvise(p + 3 * ps, 4 * ps, MADV_GUARD_INSTALL))
		lacking("no guard regions");
	need(!madvise(p + 25 * ps, 5 * ps, MADV_GUARD_INSTALL));
	need(!madvise(q + 10 * ps, 20 * ps, MADV_GUARD_INSTALL));
	need(!madvise(f + 2 * ps, 5 * ps, MADV_GUARD_INSTALL));
	/* In a table that the guards alone need. */
	need(!madvise(map_small(8 * pmd, 3 * pmd) + pmd, 4 * ps, MADV_GUARD_INSTALL));
	report("guard regions");
}

#define WP_FEATURES	(UFFD_FEATURE_WP_UNPOPULATED | UFFD_FEATURE_WP_HUGETLBFS_SHMEM)

static void scene_uffd_wp_anon(void)
{
	int fd = open_uffd(WP_FEATURES);
	char *p = map_small(pmd - 20 * ps, pmd + 60 * ps), *q = map_thp(4 * pmd, 2 * pmd);

	put(p, 10 * ps, ps);
	get(p + 10 * ps, 4 * ps, ps);
	uffd_register(fd, p, pmd + 60 * ps, UFFDIO_REGISTER_MODE_WP);
	uffd_register(fd, q, 2 * pmd, UFFDIO_REGISTER_MODE_WP);
	uffd_wp(fd, p + 5 * ps, 30 * ps, true);
	uffd_wp(fd, q, pmd, true);
	uffd_wp(fd, q + pmd + 7 * ps, 9 * ps, true);
	report("write-protected, with markers");
	uffd_wp(fd, p + 8 * ps, 4 * ps, false);
	uffd_wp(fd, q + 5 * ps, ps, false);
	put(p + 8 * ps, ps, ps);
	need(!madvise(p + 6 * ps, ps, MADV_DONTNEED));
	report("partly not any more");
}

static void scene_uffd_wp_swap(void)
{
	int fd = open_uffd(WP_FEATURES);
	char *p;

	need_swap();
	p = map_small(pmd - 20 * ps, 40 * ps);
	put(p, 40 * ps, ps);
	uffd_register(fd, p, 40 * ps, UFFDIO_REGISTER_MODE_WP);
	uffd_wp(fd, p + 10 * ps, 10 * ps, true);
	page_out(p, 40 * ps);
	uffd_wp(fd, p + 30 * ps, 5 * ps, true);
	report("swapped out before and after it was write-protected");
}

static void scene_uffd_wp_shmem(void)
{
	int fd = open_uffd(WP_FEATURES), small = make_shmem(200 * ps, false);
	int huge = make_shmem(pmd, true);
	char *p = map(pmd - 20 * ps, 150 * ps, RW, MAP_SHARED, small, 3 * ps);
	char *q = map(4 * pmd, pmd, RW, MAP_SHARED, huge, 0);
	char *r = map(6 * pmd, pmd, RW, MAP_SHARED, huge, 0);

	make_huge(q, pmd, true);
	make_huge(r, pmd, true);
	put(p, 10 * ps, ps);
	uffd_register(fd, p, 150 * ps, UFFDIO_REGISTER_MODE_WP);
	uffd_register(fd, q, pmd, UFFDIO_REGISTER_MODE_WP);
	uffd_register(fd, r, pmd, UFFDIO_REGISTER_MODE_WP);
	uffd_wp(fd, p + 5 * ps, 30 * ps, true);
	uffd_wp(fd, q, pmd, true);
	uffd_wp(fd, r + 9 * ps, 3 * ps, true);
	report("write-protected, with markers");
	/* The marker outlives the page. */
	need(!madvise(p + 5 * ps, 3 * ps, MADV_DONTNEED));
	uffd_wp(fd, p + 20 * ps, 2 * ps, false);
	report("some dropped");
}

static void scene_uffd_wp_hugetlb(void)
{
	int fd = open_uffd(WP_FEATURES), memfd;
	char *p, *q;

	need_hugetlb(2 * MB, 8);
	memfd = make_hugetlb(21);
	need(!ftruncate(memfd, 12 * MB));
	p = try_map(AREA + 8 * MB, 12 * MB, RW, MAP_SHARED | MAP_NORESERVE, memfd, 0);
	q = try_map(AREA + 32 * MB, 8 * MB, RW, MAP_PRIVATE | MAP_ANONYMOUS | HUGETLB(21), -1, 0);
	need(p && q);
	put(p, 4 * MB, ps);
	put(q, 2 * MB, ps);
	uffd_register(fd, p, 12 * MB, UFFDIO_REGISTER_MODE_WP);
	uffd_register(fd, q, 8 * MB, UFFDIO_REGISTER_MODE_WP);
	uffd_wp(fd, p + 2 * MB, 6 * MB, true);
	uffd_wp(fd, q, 6 * MB, true);
	report("write-protected, with markers");
	uffd_wp(fd, q + 2 * MB, 2 * MB, false);
	need(!madvise(p + 2 * MB, 2 * MB, MADV_DONTNEED));
	report("partly not any more");
}

#define ASYNC_FEATURES	(UFFD_FEATURE_WP_ASYNC | WP_FEATURES)
#define WRITTEN(...)	((struct pm_scan_arg){ .category_mask = PAGE_IS_WRITTEN, __VA_ARGS__ })

static void wp_scans(char *p, size_t len)
{
	/* The end that was asked for is not the mapping's. */
	scan_wp("some pages", p + 3 * ps, 20 * ps, WRITTEN(.vec_len = 100));
	report("write-protected here and there");
	scan_wp("seven pages at most", p, len / 2, WRITTEN(.vec_len = 100, .max_pages = 7));
	scan_wp("two regions at a time", p, len / 4 * 3,
		WRITTEN(.vec_len = 2, .flags = PM_SCAN_CHECK_WPASYNC));
	report("three quarters write-protected");
	scan_wp("what is present", p, len, ((struct pm_scan_arg){
		.category_mask = PAGE_IS_PRESENT | PAGE_IS_WRITTEN, .vec_len = 1000 }));
	report("and what is present");
	scan_wp("all, no output", p, len, WRITTEN());
	report("all write-protected");
}

static void scene_wp_async_anon(void)
{
	const size_t len = 3 * pmd;
	int fd = open_uffd(ASYNC_FEATURES);
	/* The third table is missing. */
	char *p = map_small(pmd - 40 * ps, len), *other;

	put(p, 10 * ps, ps);
	get(p + 10 * ps, 5 * ps, ps);
	put(p + 60 * ps, 20 * ps, 2 * ps);
	uffd_register(fd, p, len, UFFDIO_REGISTER_MODE_WP);
	wp_scans(p, len);
	put(p + 2 * ps, 3 * ps, ps);
	put(p + 2 * pmd, 10 * ps, 3 * ps);
	report("written to again");
	scan_wp("to see what is written", p, len, WRITTEN(.vec_len = 1000));
	other = map_small(8 * pmd, 4 * ps);
	put(other, 4 * ps, ps);
	scan_wp("beyond the tracked mapping", p + pmd, 8 * pmd,
		WRITTEN(.vec_len = 1000, .flags = PM_SCAN_CHECK_WPASYNC));
	scan_wp("the same, skipping others", p + pmd, 8 * pmd, WRITTEN(.vec_len = 1000));
	report("in the end");
}

static void scene_wp_async_thp(void)
{
	int fd = open_uffd(ASYNC_FEATURES);
	char *p = map(2 * pmd, 4 * pmd, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(p, 4 * pmd, MADV_NOHUGEPAGE);
	make_huge(p, pmd, true);
	make_huge(p + pmd, pmd, true);
	make_huge(p + 2 * pmd, pmd, false);
	uffd_register(fd, p, 4 * pmd, UFFDIO_REGISTER_MODE_WP);
	scan_wp("a huge page", p, pmd, WRITTEN(.vec_len = 100));
	report("a huge page write-protected");
	scan_wp("part of one", p + pmd + 5 * ps, 20 * ps, WRITTEN(.vec_len = 100));
	report("a second one split");
	scan_wp("up to a third of the next", p, 4 * pmd,
		WRITTEN(.vec_len = 1000, .max_pages = 512 + 100));
	scan_wp("and a hole", p + 3 * pmd - ps, 10 * ps, WRITTEN(.vec_len = 1000));
	report("all kinds");
}

static void scene_wp_async_shmem(void)
{
	int fd = open_uffd(ASYNC_FEATURES), memfd = make_shmem(pmd, false);
	char *p = map(pmd - 40 * ps, pmd, RW, MAP_SHARED, memfd, 0);

	madvise(p, pmd, MADV_NOHUGEPAGE);
	put(p, 10 * ps, ps);
	get(p + 100 * ps, 5 * ps, ps);
	uffd_register(fd, p, pmd, UFFDIO_REGISTER_MODE_WP);
	wp_scans(p, pmd);
	put(p + 2 * ps, 3 * ps, ps);
	report("written to again");
}

static void scene_wp_async_hugetlb(void)
{
	int fd = open_uffd(ASYNC_FEATURES), memfd;
	char *p;

	need_hugetlb(2 * MB, 8);
	memfd = make_hugetlb(21);
	need(!ftruncate(memfd, 16 * MB));
	p = try_map(AREA + 8 * MB, 16 * MB, RW, MAP_SHARED | MAP_NORESERVE, memfd, 0);
	need(p);
	put(p, 4 * MB, ps);
	put(p + 6 * MB, 2 * MB, ps);
	uffd_register(fd, p, 16 * MB, UFFDIO_REGISTER_MODE_WP);
	scan_wp("one and a half", p, 3 * MB, WRITTEN(.vec_len = 100));
	report("some write-protected");
	scan_wp("a limit within a huge page", p, 16 * MB,
		WRITTEN(.vec_len = 100, .max_pages = 700));
	scan_wp("holes too", p, 10 * MB, ((struct pm_scan_arg){ .vec_len = 100 }));
	report("holes too");
	scan_wp("all, no output", p, 16 * MB, ((struct pm_scan_arg){}));
	report("all write-protected");
	put(p + 6 * MB, ps, ps);
	put(p + 12 * MB, ps, ps);
	report("two written to again");
}

static void scene_rwp(void)
{
	int fd = open_uffd(UFFD_FEATURE_RWP | UFFD_FEATURE_RWP_ASYNC);
	char *p = map_small(pmd - 20 * ps, 60 * ps), *q = map_thp(4 * pmd, pmd);
	struct uffdio_rwprotect arg = {
		.range = { .start = (unsigned long)p, .len = 40 * ps },
		.mode = UFFDIO_RWPROTECT_MODE_RWP,
	};

	put(p, 30 * ps, ps);
	uffd_register(fd, p, 60 * ps, UFFDIO_REGISTER_MODE_RWP);
	uffd_register(fd, q, pmd, UFFDIO_REGISTER_MODE_RWP);
	need(!ioctl(fd, UFFDIO_RWPROTECT, &arg));
	arg.range = (struct uffdio_range){ .start = (unsigned long)q, .len = pmd };
	need(!ioctl(fd, UFFDIO_RWPROTECT, &arg));
	report("protected");
	get(p + 3 * ps, 6 * ps, 2 * ps);
	put(p + 20 * ps, 2 * ps, ps);
	report("some accessed");
	get(q, ps, ps);
	report("the huge page accessed");
}

static void scene_uffd_poison(void)
{
	int fd = open_uffd(UFFD_FEATURE_POISON);
	char *p = map_small(pmd - 20 * ps, 60 * ps), *q;
	struct uffdio_poison arg = {
		.range = { .start = (unsigned long)p + 15 * ps, .len = 10 * ps },
	};

	put(p, 10 * ps, ps);
	uffd_register(fd, p, 60 * ps, UFFDIO_REGISTER_MODE_MISSING);
	need(!ioctl(fd, UFFDIO_POISON, &arg));
	report("poison markers");
	need_hugetlb(2 * MB, 4);
	q = try_map(AREA + 32 * MB, 8 * MB, RW, MAP_PRIVATE | MAP_ANONYMOUS | HUGETLB(21), -1, 0);
	need(q);
	put(q, ps, ps);
	uffd_register(fd, q, 8 * MB, UFFDIO_REGISTER_MODE_MISSING);
	arg.range = (struct uffdio_range){ .start = (unsigned long)q + 2 * MB, .len = 4 * MB };
	need(!ioctl(fd, UFFDIO_POISON, &arg));
	report("of hugetlb, too");
}

static void ignore(int sig)
{
	(void)sig;
}

static void unpoison(__u64 pfn)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%llx\n", (unsigned long long)pfn);
	write_text("/sys/kernel/debug/hwpoison/unpoison-pfn", text);
}

static void scene_hwpoison(void)
{
	int fd = open_pagemap(true), i;
	__u64 small[2] = {}, huge = 0;
	char *p, *q;

	if (keep_settings || access("/sys/kernel/debug/hwpoison/unpoison-pfn", W_OK))
		lacking("can't be undone");
	p = map_small(pmd - 20 * ps, 40 * ps);
	put(p, 30 * ps, ps);
	/* Who has it mapped is told. */
	signal(SIGBUS, ignore);
	for (i = 0; i < 2; i++) {
		char *victim = p + (5 + i) * ps;

		need(pread(fd, &small[i], 8, (unsigned long)victim / ps * 8) == 8);
		if (madvise(victim, ps, MADV_HWPOISON))
			lacking("can't poison");
	}
	report("two pages poisoned");
	unpoison(small[0] & PM_FRAME);
	unpoison(small[1] & PM_FRAME);

	need_hugetlb(2 * MB, 4);
	q = try_map(AREA + 32 * MB, 4 * MB, RW, MAP_PRIVATE | MAP_ANONYMOUS | HUGETLB(21), -1, 0);
	need(q);
	put(q, 4 * MB, ps);
	need(pread(fd, &huge, 8, ((unsigned long)q / ps + 5) * 8) == 8);
	if (madvise(q + 5 * ps, ps, MADV_HWPOISON))
		item("can't poison a huge page");
	report("and one of hugetlb");
	unpoison(huge & PM_FRAME);
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
	const char *dir = TRACE_INSTANCE "/";
	char path[128], kb[24];
	size_t len;
	char *p;
	int fd;

	if (keep_settings || (mkdir(TRACE_INSTANCE, 0700) && errno != EEXIST))
		lacking("no trace buffer");
	snprintf(kb, sizeof(kb), "%lu", 4 * ps / KB);
	snprintf(path, sizeof(path), "%sbuffer_subbuf_size_kb", dir);
	need(!write_text(path, kb));
	snprintf(kb, sizeof(kb), "%lu", 24 * ps / KB);
	snprintf(path, sizeof(path), "%sbuffer_size_kb", dir);
	need(!write_text(path, kb));
	snprintf(path, sizeof(path), "%sper_cpu/cpu0/trace_pipe_raw", dir);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	need(fd >= 0);
	for (len = 64 * ps; len; len -= ps) {
		p = try_map(AREA + pmd - 6 * ps, len, PROT_READ, MAP_SHARED, fd, 0);
		if (p)
			break;
	}
	if (!len)
		lacking("can't map a trace buffer");
	get(p, len, ps);
	report("with zero pages in between");
}

static void scene_io_ring(void)
{
	const size_t len = 128 * sizeof(struct io_uring_sqe);
	struct io_uring_params params = {};
	int fd = syscall(__NR_io_uring_setup, 128, &params);
	char *p;

	if (fd < 0)
		lacking("no io_uring");
	/* It wants to choose the address. */
	p = mmap(NULL, len, RW, MAP_SHARED, fd, IORING_OFF_SQES);
	need(p != MAP_FAILED);
	add_range((unsigned long)p, (unsigned long)p + len, "ring");
	report("its entries");
}

static void scene_perf_ring(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY,
	};
	int fd = syscall(__NR_perf_event_open, &attr, 0, -1, -1, 0);
	char *p = fd < 0 ? NULL : try_map(AREA + pmd - 2 * ps, 9 * ps, RW, MAP_SHARED, fd, 0);

	if (!p)
		lacking("no perf events");
	get(p, 9 * ps, ps);
	report("a ring buffer");
}

/* These have random addresses. */
static void scene_vdso(void)
{
	static char names[8][16];
	char line[512], name[16];
	unsigned long start, end;
	FILE *fp = fopen("/proc/self/maps", "r");
	int n = 0;

	need(fp);
	while (fgets(line, sizeof(line), fp) && n < 8) {
		if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %15s", &start, &end, name) != 3 ||
		    (strncmp(name, "[vvar", 5) && strcmp(name, "[vdso]")))
			continue;
		snprintf(names[n], sizeof(names[n]), "%s", name);
		/* The clock is read or not, whenever the C library likes. */
		get((char *)start, strcmp(name, "[vdso]") ? ps : end - start, ps);
		add_range(start, end, names[n++]);
	}
	fclose(fp);
	report("of this process");
}

static void act_unlock(void)
{
	munlock((char *)AREA + pmd - 20 * ps, 10 * ps);
}

static void scene_mlocked(void)
{
	char *p = map_small(pmd - 20 * ps, 60 * ps), *q = map_thp(4 * pmd, 2 * pmd);
	int fd = make_shmem(40 * ps, false);
	char *r = map(8 * pmd, 40 * ps, RW, MAP_SHARED, fd, 0);
	char *s = map(10 * pmd, 40 * ps, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	put(p, 10 * ps, ps);
	need(!mlock(p, 30 * ps));
	need(!mlock2(p + 40 * ps, 20 * ps, MLOCK_ONFAULT));
	put(p + 45 * ps, 3 * ps, ps);
	need(!mlock(q, pmd));
	need(!mlock(q + pmd + 8 * ps, 9 * ps));
	need(!mlock(r + 5 * ps, 10 * ps));
	need(!mlock(s, 10 * ps));
	report("mlocked");
	need(!munlock(p + 5 * ps, 10 * ps));
	need(!munlock(q, 7 * ps));
	report("partly not any more");
	with_child(act_unlock);
	report("with a child");
}

static void scene_mlocked_mthp(void)
{
	char *p = map_mthp(8 * MTHP, 6 * MTHP);

	need(!mlock(p, MTHP));
	need(!mlock(p + 2 * MTHP + 3 * ps, 2 * MTHP));
	report("folios mlocked, two of them in part");
	need(!munlock(p, 5 * ps));
	need(!munmap(p + 2 * MTHP + 5 * ps, 4 * ps));
	report("partly not any more");
}

static void scene_prot_none(void)
{
	char *p = map_small(pmd - 20 * ps, 60 * ps), *q = map_thp(4 * pmd, 2 * pmd);

	put(p, 20 * ps, ps);
	get(p + 20 * ps, 10 * ps, ps);
	need(!mprotect(p + 10 * ps, 30 * ps, PROT_NONE));
	need(!mprotect(q, pmd, PROT_NONE));
	need(!mprotect(q + pmd + 4 * ps, 4 * ps, PROT_NONE));
	report("PROT_NONE");
}

static void scene_soft_dirty(void)
{
	char *p = map_small(pmd - 20 * ps, 60 * ps), *q = map_thp(4 * pmd, 2 * pmd);
	int fd = make_shmem(40 * ps, false);
	char *r = map(8 * pmd, 40 * ps, RW, MAP_SHARED, fd, 0);

	put(p, 20 * ps, ps);
	get(p + 20 * ps, 10 * ps, ps);
	put(r, 20 * ps, ps);
	clear_refs("4");
	report("cleared");
	put(p + 3 * ps, 30 * ps, 7 * ps);
	put(q + 5 * ps, ps, ps);
	put(r + 7 * ps, 2 * ps, ps);
	get(r + 30 * ps, 2 * ps, ps);
	map_small(10 * pmd, 4 * ps);
	report("written to, and a new mapping");
	need(!madvise(q + pmd, ps, MADV_DONTNEED));
	clear_refs("4");
	put(q + pmd + 7 * ps, 20 * ps, 5 * ps);
	report("cleared and written to again");
}

static void scene_soft_dirty_swap(void)
{
	char *p;

	need_swap();
	p = map_small(pmd - 20 * ps, 60 * ps);
	put(p, 40 * ps, ps);
	page_out(p, 20 * ps);
	clear_refs("4");
	put(p + 22 * ps, 6 * ps, 2 * ps);
	page_out(p + 20 * ps, 20 * ps);
	report("cleared, written to and swapped out");
}

static void scene_referenced(void)
{
	int fd = make_file(".", "file", 64 * KB);
	char *p = map_small(pmd - 20 * ps, 60 * ps), *q = map_thp(4 * pmd, pmd);
	char *f = map(8 * pmd, 64 * KB, RW, MAP_SHARED, fd, 0);

	put(p, 40 * ps, ps);
	get(f, 16 * ps, ps);
	clear_refs("2");
	report("anonymous memory cleared");
	clear_refs("1");
	get(p + 5 * ps, 9 * ps, 3 * ps);
	get(f + 2 * ps, ps, ps);
	report("all cleared, some touched");
	get(q + 9 * ps, ps, ps);
	clear_refs("3");
	report("files cleared");
}

static void scene_lazyfree(void)
{
	char *p = map_small(pmd - 20 * ps, 60 * ps), *q = map_thp(4 * pmd, 3 * pmd);

	put(p, 40 * ps, ps);
	need(!madvise(p + 4 * ps, 20 * ps, MADV_FREE));
	need(!madvise(q, pmd, MADV_FREE));
	need(!madvise(q + pmd + 8 * ps, 64 * ps, MADV_FREE));
	report("MADV_FREE");
	put(p + 6 * ps, 3 * ps, ps);
	get(p + 10 * ps, 3 * ps, ps);
	put(q, ps, ps);
	put(q + pmd + 20 * ps, 2 * ps, ps);
	report("some written to");
}

static void scene_lazyfree_mthp(void)
{
	char *p = map_mthp(8 * MTHP, 6 * MTHP);

	need(!madvise(p, 4 * MTHP, MADV_FREE));
	report("folios freed lazily");
	put(p + 5 * ps, 2 * ps, ps);
	put(p + 2 * MTHP, ps, ps);
	get(p + 3 * MTHP, ps, ps);
	report("some written to");
}

static void scene_cold(void)
{
	char *p = map_small(pmd - 20 * ps, 60 * ps), *q = map_thp(4 * pmd, 2 * pmd);

	put(p, 40 * ps, ps);
	need(!madvise(p + 4 * ps, 20 * ps, MADV_COLD));
	need(!madvise(q, pmd, MADV_COLD));
	need(!madvise(q + pmd + 8 * ps, 64 * ps, MADV_COLD));
	report("MADV_COLD");
	get(p + 6 * ps, 3 * ps, ps);
	get(q + pmd + 10 * ps, 3 * ps, ps);
	report("some touched");
}

/* The first mount with the option dax, or NULL. */
static const char *dax_dir(void)
{
	static char dir[128];
	char line[512], opts[256];
	FILE *fp = fopen("/proc/self/mounts", "r");

	while (fp && fgets(line, sizeof(line), fp)) {
		if (sscanf(line, "%*s %127s %*s %255s", dir, opts) == 2 && strstr(opts, ",dax")) {
			fclose(fp);
			return dir;
		}
	}
	return NULL;
}

static void scene_fs_dax(void)
{
	const char *dir = dax_dir();
	char *p, *q, *r;
	int fd;

	if (!dir)
		lacking("no file system with DAX is mounted");
	fd = make_file(dir, "dax", 4 * pmd);
	p = map(2 * pmd, 4 * pmd, RW, MAP_SHARED, fd, 0);
	get(p, ps, ps);
	put(p + pmd, ps, ps);
	report("shared, aligned");
	q = map(8 * pmd + 3 * ps, pmd, RW, MAP_SHARED, fd, 0);
	get(q, 20 * ps, ps);
	put(q + 30 * ps, 4 * ps, ps);
	r = map(12 * pmd, 2 * pmd, RW, MAP_PRIVATE, fd, 0);
	get(r, 10 * ps, ps);
	put(r + 4 * ps, 8 * ps, 3 * ps);
	need(!mlock(p, ps));
	report("also unaligned and private");
	clear_refs("1");
	get(p + pmd, ps, ps);
	put(q + 31 * ps, ps, ps);
	report("not referenced but for two pages");
}

/* Devices differ in the size of what maps them. */
static void scene_dev_dax(void)
{
	char path[64], title[64];
	unsigned long align;
	int fd, i, some = 0;
	char *p;

	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "/sys/bus/dax/devices/dax%d.0/align", i);
		align = read_long(path, 0);
		snprintf(path, sizeof(path), "/dev/dax%d.0", i);
		fd = open(path, O_RDWR);
		if (fd < 0 || !align)
			continue;
		p = try_map(AREA + (4 + 4 * i) * GB, align > 4 * MB ? align : 4 * MB, RW,
			    MAP_SHARED, fd, 0);
		if (!p)
			continue;
		some++;
		snprintf(title, sizeof(title), "by %lu kB, not touched", align / KB);
		report(title);
		put(p, 10 * ps, ps);
		snprintf(title, sizeof(title), "by %lu kB, touched", align / KB);
		report(title);
		munmap(p, align > 4 * MB ? align : 4 * MB);
	}
	if (!some)
		lacking("no device DAX");
}

static int open_dmirror(void)
{
	int fd = open("/dev/hmm_dmirror0", O_RDWR);

	if (fd < 0)
		lacking("no test_hmm");
	return fd;
}

static void dmirror(int fd, unsigned int what, char *p, size_t len)
{
	static char buf[4 * MB];
	struct hmm_dmirror_cmd cmd = {
		.addr = (unsigned long)p, .ptr = (unsigned long)buf, .npages = len / ps,
	};

	need(len <= sizeof(buf) && !ioctl(fd, what, &cmd));
}

static void scene_device_private(void)
{
	int fd = open_dmirror();
	char *p = map_small(pmd - 20 * ps, 60 * ps), *q = map_thp(4 * pmd, pmd);

	put(p, 40 * ps, ps);
	dmirror(fd, HMM_DMIRROR_MIGRATE_TO_DEV, p + 5 * ps, 10 * ps);
	report("pages on the device");
	dmirror(fd, HMM_DMIRROR_MIGRATE_TO_DEV, q, pmd);
	report("and a huge page");
	with_child(NULL);
	report("with a child");
	need(!madvise(q + 5 * ps, ps, MADV_DONTNEED));
	get(p + 7 * ps, ps, ps);
	report("one read, one dropped");
}

static void scene_device_exclusive(void)
{
	int fd = open_dmirror();
	char *p = map_small(pmd - 20 * ps, 60 * ps);

	put(p, 40 * ps, ps);
	dmirror(fd, HMM_DMIRROR_EXCLUSIVE, p + 5 * ps, 8 * ps);
	report("exclusive to the device");
}

/* The module's own pages, by VM_MIXEDMAP. */
static void scene_device_pages(void)
{
	int fd = open_dmirror();
	char *p = map(pmd - 2 * ps, 8 * ps, RW, MAP_SHARED, fd, 0);

	put(p + ps, 3 * ps, ps);
	report("mapped");
}

static void act_share(void)
{
	char *p = (char *)AREA;

	munmap(p + 2 * MB - 15 * ps, 5 * ps);
	put(p + 2 * MB - 8 * ps, 2 * ps, ps);
	madvise(p + 8 * MB + 50 * ps, 100 * ps, MADV_DONTNEED);
	munmap(p + 16 * MB + 4 * ps, 5 * ps);
	put(p + 16 * MB + MTHP + 7 * ps, 2 * ps, ps);
	report("seen by the child");
}

/* The pages of a folio are not mapped equally often. */
static void scene_shared_child(void)
{
	char *p = map_small(2 * MB - 20 * ps, 60 * ps);

	if (pmd > 2 * MB)
		lacking("huge pages are larger than 2 MB");
	put(p, 40 * ps, ps);
	get(p + 40 * ps, 5 * ps, ps);
	map_thp(8 * MB, 2 * pmd);
	map_mthp(16 * MB, 4 * MTHP);
	with_child(act_share);
	report("with a child");
	with_child(NULL);
	report("with another child");
}

static long set_policy(char *p, size_t len, int mode, unsigned long nodes, int flags)
{
	return syscall(__NR_mbind, p, len, mode, &nodes, 8, flags);
}

static void scene_numa(void)
{
	const unsigned long both = 3, second = 2;
	char *p = map_small(pmd - 20 * ps, 60 * ps), *q;
	void *pages[60];
	int status[60], i;

	if (set_policy(p, 60 * ps, MPOL_INTERLEAVE, both, 0))
		lacking("one node only");
	put(p, 40 * ps, ps);
	q = map_thp(4 * pmd, 2 * pmd);
	report("pages on two nodes, a huge page on one");
	for (i = 0; i < 60; i++)
		pages[i] = p + i * ps;
	need(!syscall(__NR_move_pages, 0, 60, pages, NULL, status, 0));
	list("nodes");
	for (i = 0; i < 60; i++)
		item("%s: %d", where((unsigned long)pages[i]), status[i]);
	end_list();
	i = set_policy(p + 3 * ps, 20 * ps, MPOL_BIND, second, MPOL_MF_STRICT);
	printf("  strict: %s\n", i ? strerror(errno) : "fine");
	i = set_policy(p + 3 * ps, 20 * ps, MPOL_BIND, second, MPOL_MF_STRICT | MPOL_MF_MOVE);
	printf("  moved: %s\n", i ? strerror(errno) : "fine");
	i = set_policy(q, pmd, MPOL_BIND, second, MPOL_MF_STRICT | MPOL_MF_MOVE);
	printf("  huge page moved: %s\n", i ? strerror(errno) : "fine");
	report("moved");
}

static void scene_lowest(void)
{
	unsigned long start = read_long("/proc/sys/vm/mmap_min_addr", 65536);
	char *p;

	start = (start + ps - 1) & ~(ps - 1);
	p = try_map(start, 6 * ps, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!p)
		lacking("can't map there");
	add_range(start, start + 8 * ps, "lowest");
	put(p, 3 * ps, ps);
	report("at the lowest address");
}

static void scene_highest(void)
{
	unsigned long addr;
	char *p = NULL;
	int bit;

	/* A task's addresses end at a power of two, or a page before it. */
	for (bit = 57; bit > 40 && !p; bit--) {
		addr = (1UL << bit) - 6 * ps;
		p = try_map(addr, 6 * ps, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (!p) {
			addr -= ps;
			p = try_map(addr, 6 * ps, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		}
	}
	need(p);
	madvise(p, 6 * ps, MADV_NOHUGEPAGE);
	add_range(addr, addr + 6 * ps, "top");
	put(p + 2 * ps, 4 * ps, ps);
	report("at the highest address");
}

static void scene_moved(void)
{
	char *p = map_thp(2 * pmd, 2 * pmd), *q = map_small(8 * pmd - 5 * ps, 20 * ps);

	put(q, 10 * ps, ps);
	need(mremap(p, pmd, pmd, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)AREA + 16 * pmd) !=
	     MAP_FAILED);
	need(mremap(p + pmd, pmd, pmd, MREMAP_MAYMOVE | MREMAP_FIXED,
		    (void *)AREA + 20 * pmd + 7 * ps) != MAP_FAILED);
	need(mremap(q, 20 * ps, 20 * ps, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
		    (void *)AREA + 12 * pmd - 3 * ps) != MAP_FAILED);
	report("moved, one off its alignment, one left behind");
}

static void scene_collapsed(void)
{
	int fd = make_shmem(pmd, false);
	char *p = map_small(2 * pmd, pmd), *q = map(4 * pmd, pmd, RW, MAP_SHARED, fd, 0);
	char *r = map(8 * pmd, pmd, RW, MAP_SHARED, fd, 0);

	put(p, pmd, 2 * ps);
	put(q, 10 * ps, ps);
	put(r, 10 * ps, ps);
	/* Until now it was not allowed. */
	madvise(p, pmd, MADV_HUGEPAGE);
	madvise(q, pmd, MADV_HUGEPAGE);
	if (madvise(p, pmd, MADV_COLLAPSE) || madvise(q, pmd, MADV_COLLAPSE))
		lacking("can't collapse");
	madvise(p, pmd, MADV_NOHUGEPAGE);
	madvise(q, pmd, MADV_NOHUGEPAGE);
	report("by MADV_COLLAPSE");
	get(r, 3 * ps, ps);
	report("another mapping of it read");
}

/* What else there is to ask mmap() for. */
static void scene_others(void)
{
	int id = shmget(IPC_PRIVATE, 8 * ps, IPC_CREAT | 0600), fd;
	char *p;

	need(id >= 0 && shmat(id, (void *)AREA + pmd, 0) != (void *)-1);
	need(!shmctl(id, IPC_RMID, NULL));
	put((char *)AREA + pmd, 4 * ps, ps);
	p = map(2 * pmd, 8 * ps, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	put(p, 4 * ps, ps);
	p = map(3 * pmd, 8 * ps, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);
	put(p - ps, 3 * ps, ps);
	fd = open("/dev/zero", O_RDWR);
	put(map(4 * pmd, 8 * ps, RW, MAP_PRIVATE, fd, 0), 4 * ps, 2 * ps);
	get(map(5 * pmd, 8 * ps, RW, MAP_SHARED, fd, 0), 4 * ps, ps);
	p = try_map(AREA + 6 * pmd, 8 * ps, RW, MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);
	if (p)
		put(p, 4 * ps, ps);
	fd = syscall(__NR_memfd_secret, 0);
	if (fd >= 0 && !ftruncate(fd, 8 * ps)) {
		p = try_map(AREA + 7 * pmd, 8 * ps, RW, MAP_SHARED, fd, 0);
		if (p)
			put(p, 4 * ps, ps);
	}
	p = map_small(8 * pmd, 8 * ps);
	put(p, 4 * ps, ps);
	need(!madvise(p, 4 * ps, MADV_WIPEONFORK));
	need(!madvise(p + 4 * ps, 2 * ps, MADV_DONTFORK));
	map(9 * pmd, 8 * ps, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	map(10 * pmd, 8 * ps, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	report("of many kinds");
}

/* ------------------------------------------------------------ by chance */

static unsigned long long seed, state;
static int steps = 200;

static unsigned long chance(unsigned long below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % below;
}

/* Three in four lengths are a few pages, to be near each other. */
static size_t chance_len(size_t max)
{
	size_t len = chance(4) ? ps * (1 + chance(24)) : ps * (1 + chance(3 * pmd / ps));

	return len < max ? len : max;
}

/* A range of what is mapped, or of holes. */
static void chance_step(int shmem_fd, int file_fd, size_t size)
{
	static int children;
	unsigned long at = chance(8) ? chance(size / ps) * ps : chance(size / pmd) * pmd;
	size_t len = chance_len(size - at);
	char *p = (char *)AREA + at;
	unsigned long what = chance(28);
	static const int advice[] = {
		MADV_DONTNEED, MADV_FREE, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, MADV_GUARD_INSTALL, MADV_WILLNEED,
	};
	size_t k;

	switch (what) {
	case 0 ... 3:
		mmap(p, len, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		madvise(p, len, MADV_NOHUGEPAGE);
		break;
	case 4:
		mmap(p, len, RW, MAP_SHARED | MAP_FIXED, shmem_fd, chance(64) * ps);
		break;
	case 5:
		mmap(p, len, RW, MAP_PRIVATE | MAP_FIXED, chance(2) ? shmem_fd : file_fd,
		     chance(64) * ps);
		break;
	case 6:
		munmap(p, len);
		break;
	case 7 ... 8:
		/* Huge if it is aligned and free. */
		p = (char *)((unsigned long)p & ~(pmd - 1));
		mmap(p, pmd, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		madvise(p, pmd, MADV_HUGEPAGE);
		madvise(p, pmd, chance(3) ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
		madvise(p, pmd, MADV_NOHUGEPAGE);
		break;
	case 9 ... 12:
		for (k = 0; k < len; k += (1 + chance(3)) * ps)
			madvise(p + k, ps, MADV_POPULATE_WRITE);
		break;
	case 13 ... 14:
		for (k = 0; k < len; k += (1 + chance(3)) * ps)
			madvise(p + k, ps, MADV_POPULATE_READ);
		break;
	case 15 ... 20:
		madvise(p, len, advice[chance(ARRAY_SIZE(advice))]);
		break;
	case 21:
		mprotect(p, len, chance(3) ? PROT_READ : chance(2) ? PROT_NONE : RW);
		break;
	case 22:
		mprotect(p, len, RW);
		break;
	case 23:
		if (chance(2))
			mlock(p, len);
		else
			mlock2(p, len, MLOCK_ONFAULT);
		break;
	case 24:
		munlock(p, len);
		break;
	case 25:
		mremap(p, len, len, MREMAP_MAYMOVE | MREMAP_FIXED,
		       (char *)AREA + chance((size - len) / ps + 1) * ps);
		break;
	case 26:
		clear_refs(chance(2) ? "1" : "4");
		break;
	case 27:
		if (children++ < 4)
			with_child(NULL);
		break;
	}
}

static void by_chance(void)
{
	int shmem_fd = make_shmem(2 * pmd, false), file_fd = make_file(".", "file", MB), i;
	char title[64];

	hide_active = true;
	state = seed * 0x9e3779b97f4a7c15 + 1;
	for (i = 1; i <= steps; i++) {
		settle();
		chance_step(shmem_fd, file_fd, 12 * pmd);
		if (i % 25 && i != steps)
			continue;
		snprintf(title, sizeof(title), "seed %llu, step %d", seed, i);
		report(title);
	}
}

/* -------------------------------------------------------- the framework */

#define SCENE(name)	{ #name, scene_##name }

static const struct scene {
	const char *name;
	void (*run)(void);
} scenes[] = {
	SCENE(anon), SCENE(sparse), SCENE(untouched), SCENE(gaps),
	SCENE(thp), SCENE(thp_split), SCENE(mthp), SCENE(huge_zero), SCENE(moved), SCENE(collapsed),
	SCENE(shmem), SCENE(shmem_huge), SCENE(shmem_mthp), SCENE(shmem_swap),
	SCENE(file_private), SCENE(file_shared), SCENE(others),
	SCENE(hugetlb), SCENE(hugetlb_shared), SCENE(hugetlb_pmd_shared),
	SCENE(hugetlb_1g), SCENE(hugetlb_1g_shared),
	SCENE(swap), SCENE(swap_cached), SCENE(swap_shared), SCENE(swap_thp),
	SCENE(ksm), SCENE(guard),
	SCENE(uffd_wp_anon), SCENE(uffd_wp_swap), SCENE(uffd_wp_shmem), SCENE(uffd_wp_hugetlb),
	SCENE(wp_async_anon), SCENE(wp_async_thp), SCENE(wp_async_shmem), SCENE(wp_async_hugetlb),
	SCENE(rwp), SCENE(uffd_poison), SCENE(hwpoison),
	SCENE(pfnmap), SCENE(trace_buffer), SCENE(io_ring), SCENE(perf_ring), SCENE(vdso),
	SCENE(mlocked), SCENE(mlocked_mthp), SCENE(prot_none),
	SCENE(soft_dirty), SCENE(soft_dirty_swap), SCENE(referenced),
	SCENE(lazyfree), SCENE(lazyfree_mthp), SCENE(cold),
	SCENE(fs_dax), SCENE(dev_dax),
	SCENE(device_private), SCENE(device_exclusive), SCENE(device_pages),
	SCENE(shared_child), SCENE(numa), SCENE(lowest), SCENE(highest),
};

static const struct setting {
	const char *path, *value;
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
	{ KSM_DIR "run", "0" },
	{ KSM_DIR "sleep_millisecs", "10" },
	{ KSM_DIR "pages_to_scan", "1000" },
	{ KSM_DIR "use_zero_pages", "0" },
	{ KSM_DIR "smart_scan", "0" },
	{ KSM_DIR "max_page_sharing", "256" },
	{ "/proc/sys/vm/dirty_writeback_centisecs", "0" },
	{ "/proc/sys/vm/page-cluster", "0" },
	{ "/proc/sys/kernel/numa_balancing", "0" },
	{ "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages", "16" },
};

static char old_settings[ARRAY_SIZE(settings)][64];

static void set_up(void)
{
	char buf[256], *start;
	size_t i, len;
	long got;
	int fd;

	for (i = 0; i < ARRAY_SIZE(settings) && !keep_settings; i++) {
		fd = open(settings[i].path, O_RDONLY);
		if (fd < 0)
			continue;
		got = read(fd, buf, sizeof(buf) - 1);
		close(fd);
		if (got <= 0)
			continue;
		buf[got] = 0;
		/* One of several words is the one in brackets. */
		start = strchr(buf, '[');
		start = start ? start + 1 : buf;
		len = strcspn(start, "]\n");
		snprintf(old_settings[i], sizeof(old_settings[i]), "%.*s", (int)len, start);
		write_text(settings[i].path, settings[i].value);
	}
}

static void put_back(void)
{
	size_t i;

	rmdir(TRACE_INSTANCE);
	/* The other way round: one may need that another was set. */
	for (i = ARRAY_SIZE(settings); i-- > 0;)
		if (old_settings[i][0])
			write_text(settings[i].path, old_settings[i]);
}

static int run(const char *name, void (*act)(void))
{
	struct pollfd wait = { .events = POLLIN };
	int status = 0, ready[2];
	unsigned long node = 1;
	cpu_set_t cpu;
	bool ended;
	pid_t pid;
	char c;

	fflush(stdout);
	need(!pipe(ready));
	pid = fork();
	need(pid >= 0);
	scene_name = name;
	if (!pid) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		memcpy(done_fd, ready, sizeof(ready));
		close(ready[0]);
		/* What a CPU has put aside for later is not seen from another. */
		CPU_ZERO(&cpu);
		CPU_SET(0, &cpu);
		sched_setaffinity(0, sizeof(cpu), &cpu);
		syscall(__NR_set_mempolicy, MPOL_BIND, &node, 8);
		add_range(AREA, AREA + AREA_SIZE, "area");
		act();
		fflush(stdout);
		strip();
		_exit(0);
	}
	close(ready[1]);
	wait.fd = ready[0];
	if (poll(&wait, 1, TIMEOUT * 1000) != 1) {
		printf("scene %s: error: it hangs\n", name);
		/* And may not be killed. */
		kill(-pid, SIGKILL);
		return 1;
	}
	ended = read(ready[0], &c, 1) == 1;
	if (ended)
		print_rollup(pid);
	close(ready[0]);
	if (ended)
		kill(-pid, SIGKILL);
	need(waitpid(pid, &status, 0) == pid);
	kill(-pid, SIGKILL);
	if (!ended && WIFSIGNALED(status))
		printf("scene %s: error: killed by signal %d\n", name, WTERMSIG(status));
	return !ended && status;
}

int main(int argc, char **argv)
{
	bool only[ARRAY_SIZE(scenes)] = {}, some = false, random = false;
	int opt, ret = 0;
	size_t i;

	ps = sysconf(_SC_PAGESIZE);
	pmd = read_long(THP_DIR "hpage_pmd_size", 2 * MB);
	while ((opt = getopt(argc, argv, "akls:r:n:")) != -1) {
		switch (opt) {
		case 'a':
			max_lines = -1;
			break;
		case 'k':
			keep_settings = true;
			break;
		case 'l':
			for (i = 0; i < ARRAY_SIZE(scenes); i++)
				printf("%s\n", scenes[i].name);
			return 0;
		case 's':
			for (i = 0; i < ARRAY_SIZE(scenes) && strcmp(scenes[i].name, optarg);)
				i++;
			if (i == ARRAY_SIZE(scenes)) {
				fprintf(stderr, "there is no scene %s; -l lists them\n", optarg);
				return 1;
			}
			only[i] = true;
			some = true;
			break;
		case 'r':
			random = true;
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			steps = atoi(optarg);
			break;
		default:
			return 1;
		}
	}
	if (geteuid()) {
		fprintf(stderr, "needs root\n");
		return 1;
	}
	set_up();
	if (random) {
		ret = run("by_chance", by_chance);
	} else {
		for (i = 0; i < ARRAY_SIZE(scenes); i++)
			if (!some || only[i])
				ret |= run(scenes[i].name, scenes[i].run);
	}
	put_back();
	return ret;
}
