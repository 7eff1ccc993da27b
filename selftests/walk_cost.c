// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to walk page tables, in instructions: meant for a guest under
 * QEMU's -icount shift=0, where the time-stamp counter counts them. Each figure is
 * the least of REPEATS, for each page or VMA, less what the same call costs for the
 * same VMAs with nothing in them; where there is nothing, less what it costs for a
 * VMA of one page. Of mincore(), pagemap and PAGEMAP_SCAN always the latter: they have
 * to tell what is not mapped, and mincore() looks for that in the page cache. Of VMAs of a
 * page it is for each VMA; where they are filled, half of them are, those between have
 * PROT_NONE. See ci/bench.
 *
 * As walk_holds it measures nothing itself: it only tells ci/holds.c, in QEMU, where a
 * walk begins and ends.
 */
#define _GNU_SOURCE
#include "kselftest.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#define REPEATS		5
#define PAGE		4096UL
#define SPAN		(2UL << 20)
#define LENGTH		(16 * SPAN)
#define AREA		0x100000000000UL
#define TINY		1024
#define THP		"/sys/kernel/mm/transparent_hugepage/"
/* ci/holds.c sees each byte that is written here. */
#define MARK		((volatile char *)0x6fff00000000UL)
#define NEW_TABLES	4094
#define NO_ROW		4095

static char *area;
static pid_t child;
static unsigned char vec[LENGTH / PAGE];
static void *addresses[LENGTH / PAGE];
static int status[LENGTH / PAGE];

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		ksft_exit_fail_msg("%s: can't write %s\n", path, text);
	close(fd);
}

static void map(unsigned long length, int flags)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		child = 0;
	}
	munmap(area, LENGTH);
	if (mmap(area, length, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_FIXED |
		 flags, -1, 0) != area)
		ksft_exit_fail_perror("mmap");
}

/* The VMAs. */
static void one_page(void) { map(PAGE, MAP_PRIVATE); madvise(area, PAGE, MADV_NOHUGEPAGE); }
static void small(void) { map(LENGTH, MAP_PRIVATE); madvise(area, LENGTH, MADV_NOHUGEPAGE); }
static void large(void) { map(LENGTH, MAP_PRIVATE); }
static void huge(void) { map(LENGTH, MAP_PRIVATE); madvise(area, LENGTH, MADV_HUGEPAGE); }
static void shmem(void) { map(LENGTH, MAP_SHARED); }
static void hugetlb(void) { map(LENGTH, MAP_PRIVATE | MAP_HUGETLB); }
static void hugetlb_shared(void) { map(LENGTH, MAP_SHARED | MAP_HUGETLB); }

static void tiny(void)
{
	unsigned long i;

	small();
	for (i = 0; i < TINY; i++)
		mprotect(area + (2 * i + 1) * PAGE, PAGE, PROT_NONE);
}

/* And what is in them. */
static void touch(unsigned long start, unsigned long step)
{
	unsigned long i;

	for (i = start; i < LENGTH; i += step)
		area[i] = 1;
}

static void pages(void) { touch(0, PAGE); }
static void every_other(void) { touch(0, 2 * PAGE); }
static void page_in_64k(void) { touch(0, 16 * PAGE); }
static void page_per_table(void) { touch(0, SPAN); }
static void page_per_two(void) { touch(0, 2 * SPAN); }

static void large_folios(void)
{
	put(THP "hugepages-64kB/enabled", "always");
	touch(0, 16 * PAGE);
	put(THP "hugepages-64kB/enabled", "never");
}

/* 64K of small pages, and a folio of 64K. */
static void alternating(void)
{
	unsigned long i, j;

	for (i = 0; i < LENGTH; i += 32 * PAGE) {
		for (j = 0; j < 16; j++)
			area[i + j * PAGE] = 1;
	}
	put(THP "hugepages-64kB/enabled", "always");
	touch(16 * PAGE, 32 * PAGE);
	put(THP "hugepages-64kB/enabled", "never");
}

static void large_shmem(void)
{
	put(THP "hugepages-64kB/shmem_enabled", "always");
	pages();
	put(THP "hugepages-64kB/shmem_enabled", "never");
}

static void huge_shmem(void)
{
	put(THP "hugepages-2048kB/shmem_enabled", "always");
	pages();
	put(THP "hugepages-2048kB/shmem_enabled", "never");
}

/* Where no huge page may be mapped as such, a fault maps all of it by PTEs. */
static void huge_shmem_by_ptes(void)
{
	huge_shmem();
	madvise(area, LENGTH, MADV_NOHUGEPAGE);
	madvise(area, LENGTH, MADV_DONTNEED);
	pages();
}

static void huge_by_ptes(void)
{
	unsigned long i;

	page_per_table();
	for (i = 0; i < LENGTH; i += SPAN) {
		mprotect(area + i, PAGE, PROT_READ);
		mprotect(area + i, PAGE, PROT_READ | PROT_WRITE);
	}
	/* So that all entries agree. */
	pages();
}

/* The same mappings in another process, which splits huge ones. */
static void start_child(void)
{
	int ready[2];
	char c;

	if (pipe(ready))
		ksft_exit_fail_perror("pipe");
	child = fork();
	if (!child) {
		unsigned long i;

		for (i = 0; i < LENGTH; i += SPAN)
			mprotect(area + i, PAGE, PROT_READ);
		write(ready[1], "", 1);
		pause();
		_exit(0);
	}
	if (child < 0 || read(ready[0], &c, 1) != 1)
		ksft_exit_fail_perror("fork");
	close(ready[0]);
	close(ready[1]);
}

/* Huge here, by PTEs there: each page has a count of its own. */
static void huge_and_child(void) { page_per_table(); start_child(); }
static void pages_and_child(void) { pages(); start_child(); }

/* No page is like the one before. */
static void written_and_read(void)
{
	unsigned long i;

	for (i = 0; i < LENGTH; i += 2 * PAGE) {
		area[i] = 1;
		*(volatile char *)(area + i + PAGE);
	}
}

static void tiny_pages(void)
{
	unsigned long i;

	for (i = 0; i < TINY; i++)
		area[2 * i * PAGE] = 1;
}

static void read_all(const char *path)
{
	static char buffer[1 << 16];
	int fd = open(path, O_RDONLY);

	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	close(fd);
}

static void smaps(unsigned long length) { read_all("/proc/self/smaps"); }
static void smaps_rollup(unsigned long length) { read_all("/proc/self/smaps_rollup"); }
static void numa_maps(unsigned long length) { read_all("/proc/self/numa_maps"); }
static void do_mincore(unsigned long length) { mincore(area, length, vec); }
/* MLOCK_ONFAULT: only the pages that are there, without faulting in the others. */
static void do_mlock(unsigned long length) { syscall(SYS_mlock2, area, length, 1); }
static void do_munlock(unsigned long length) { munlock(area, length); }

static void pagemap(unsigned long length)
{
	static char entries[LENGTH / PAGE * 8];
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (pread(fd, entries, length / PAGE * 8, (unsigned long)area / PAGE * 8) < 0)
		ksft_exit_fail_perror("pagemap");
	close(fd);
}

static void scan(unsigned long length, unsigned long category, unsigned long flags)
{
	static struct page_region regions[LENGTH / PAGE];
	struct pm_scan_arg arg = {
		.size = sizeof(arg), .flags = flags, .start = (unsigned long)area,
		.end = (unsigned long)area + length, .category_mask = category,
		.return_mask = category, .vec = (unsigned long)regions,
		.vec_len = flags ? 0 : LENGTH / PAGE,
	};
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (flags)
		arg.vec = arg.return_mask = 0;
	if (ioctl(fd, PAGEMAP_SCAN, &arg) < 0)
		ksft_exit_fail_perror("PAGEMAP_SCAN");
	close(fd);
}

static void scan_present(unsigned long length) { scan(length, PAGE_IS_PRESENT, 0); }
static void scan_written(unsigned long length) { scan(length, PAGE_IS_WRITTEN, 0); }

/* So that nothing is written. This is the last walk of a mapping. */
static void write_protect(unsigned long length)
{
	static int uffd = -1;
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_ASYNC };
	struct uffdio_register all = {
		.range = { (unsigned long)area, length }, .mode = UFFDIO_REGISTER_MODE_WP,
	};

	if (uffd < 0) {
		uffd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
		if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
			ksft_exit_fail_perror("userfaultfd");
	}
	/* Of hugetlb not less than a page. */
	if (ioctl(uffd, UFFDIO_REGISTER, &all) &&
	    (all.range.len = SPAN, ioctl(uffd, UFFDIO_REGISTER, &all)))
		ksft_exit_fail_perror("UFFDIO_REGISTER");
	scan(all.range.len, PAGE_IS_WRITTEN, PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC);
}

/* Asks for the nodes of all pages: a folio_walk_start() for each. */
static void do_move_pages(unsigned long length)
{
	unsigned long i;

	for (i = 0; i < length / PAGE; i++)
		addresses[i] = area + i * PAGE;
	syscall(SYS_move_pages, 0, length / PAGE, addresses, NULL, status, 0);
}

static const struct {
	const char *name;
	void (*layout)(void);
	void (*fill)(void);
	unsigned long length;
	const char *level;	/* of which the locks are of interest */
} kinds[] = {
	{ "order-0 pages", small, pages, LENGTH, "PTE" },
	{ "64K folios", large, large_folios, LENGTH, "PTE" },
	{ "2M folios by PTEs", huge, huge_by_ptes, LENGTH, "PTE" },
	{ "2M folios by PMD", huge, page_per_table, LENGTH, "PMD" },
	{ "2M, PTEs in a child", huge, huge_and_child, LENGTH, "PMD" },
	{ "order-0, in a child too", small, pages_and_child, LENGTH, "PTE" },
	{ "shmem, order-0 pages", shmem, pages, LENGTH, "PTE" },
	{ "shmem, written and read", shmem, written_and_read, LENGTH, "PTE" },
	{ "shmem, 64K folios", shmem, large_shmem, LENGTH, "PTE" },
	{ "shmem, 2M by PTEs", shmem, huge_shmem_by_ptes, LENGTH, "PTE" },
	{ "shmem, 2M by PMD", shmem, huge_shmem, LENGTH, "PMD" },
	{ "hugetlb 2M", hugetlb, page_per_table, LENGTH, "hugetlb" },
	{ "hugetlb 2M, shared", hugetlb_shared, page_per_table, LENGTH, "hugetlb" },
	{ "hugetlb 2M, every other", hugetlb, page_per_two, LENGTH, "hugetlb" },
	{ "every other page", small, every_other, LENGTH, "PTE" },
	{ "shmem, every other page", shmem, every_other, LENGTH, "PTE" },
	{ "a page in 64K", small, page_in_64k, LENGTH, "PTE" },
	{ "small and 64K in turn", large, alternating, LENGTH, "PTE" },
	{ "a page in 2M", small, page_per_table, LENGTH, "PTE" },
	{ "a page in 4M", small, page_per_two, LENGTH, "PTE" },
	{ "no pages", small, NULL, LENGTH },
	{ "VMAs of a page", tiny, NULL, 2 * TINY * PAGE },
	{ "VMAs of a page, filled", tiny, tiny_pages, 2 * TINY * PAGE, "PTE" },
};

static const struct {
	const char *name;
	void (*act)(unsigned long length);
	void (*prepare)(unsigned long length);
	bool no_empty;	/* less a call for one page */
	bool no_hugetlb;
} walks[] = {
	{ "smaps", smaps },
	{ "smaps_rollup", smaps_rollup },
	{ "numa_maps", numa_maps },
	{ "mincore", do_mincore, .no_empty = true },
	/* (It would fault in all of hugetlb, whatever the flag, and walks nothing.) */
	{ "mlock", do_mlock, do_munlock, .no_hugetlb = true },
	{ "munlock", do_munlock, do_mlock, .no_hugetlb = true },
	{ "move_pages", do_move_pages },
	{ "pagemap", pagemap, .no_empty = true },
	{ "PAGEMAP_SCAN present", scan_present, .no_empty = true },
	{ "PAGEMAP_SCAN unwritten", scan_written, write_protect, .no_empty = true },
};

static int row = -1;

static unsigned long long measure(int walk, unsigned long length)
{
	unsigned long long start, cost, least = ~0ULL;
	int n;

	for (n = 0; n < REPEATS; n++) {
		if (walks[walk].prepare)
			walks[walk].prepare(length);
		if (row >= 0)
			MARK[row] = 1;
		start = __rdtsc();
		walks[walk].act(length);
		cost = __rdtsc() - start;
		if (row >= 0)
			MARK[NO_ROW] = 1;
		if (cost < least)
			least = cost;
	}
	return least;
}

int main(int argc, char **argv)
{
	const bool holds = strstr(argv[0], "walk_holds");
	size_t i, k;

	ksft_print_header();
	put("/proc/sys/vm/nr_hugepages", "32");
	/* Transparent ones of this size, where it is said. */
	put(THP "enabled", "madvise");
	put(THP "khugepaged/scan_sleep_millisecs", "3600000");
	/* Always the same place, and upper tables of its own. */
	area = mmap((void *)AREA, LENGTH, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_FIXED_NOREPLACE, -1, 0);
	if (area != (void *)AREA)
		ksft_exit_fail_msg("no address space\n");
	if (holds && mmap((void *)MARK, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
			  MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0) != MARK)
		ksft_exit_fail_perror("mmap");

	/* Kinds in the outer loop: each mapping is filled once, which takes longest. */
	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		const bool is_hugetlb = kinds[k].level && !strcmp(kinds[k].level, "hugetlb");
		unsigned long long empty[ARRAY_SIZE(walks)], cost;

		if (holds && !kinds[k].level)
			continue;
		if (kinds[k].fill)
			kinds[k].layout();
		else
			one_page();
		/* smaps has all of the process, of which a child shares pages. */
		if (kinds[k].fill == huge_and_child || kinds[k].fill == pages_and_child)
			start_child();
		/* Each time: smaps has all of the process, which changes. */
		for (i = 0; !holds && i < ARRAY_SIZE(walks); i++) {
			if (!is_hugetlb || !walks[i].no_hugetlb)
				empty[i] = measure(i, kinds[k].fill && !walks[i].no_empty ?
						   kinds[k].length : PAGE);
		}
		if (holds)
			MARK[NEW_TABLES] = 1;
		kinds[k].layout();
		if (kinds[k].fill)
			kinds[k].fill();
		for (i = 0; i < ARRAY_SIZE(walks); i++) {
			if (is_hugetlb && walks[i].no_hugetlb)
				continue;
			row += holds;
			cost = measure(i, kinds[k].length);
			if (holds)
				ksft_print_msg("hold\t%d\t%s\t%s, %s\n", row, kinds[k].level,
					       walks[i].name, kinds[k].name);
			else
				ksft_print_msg("cost\t%s, %s\t%.3f\n", walks[i].name, kinds[k].name,
					       (double)(long long)(cost - empty[i]) / (kinds[k].length / PAGE));
		}
	}
	one_page();
	ksft_set_plan(1);
	ksft_test_result_pass("all was walked\n");
	ksft_finished();
}
