// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to walk page tables, in instructions: meant for a guest under
 * QEMU's -icount shift=0, where the time-stamp counter counts them. Each figure
 * is the least of REPEATS, less what the same call costs for a single page that
 * isn't there (seq_file, system call), for each page, or for each VMA where these
 * are tiny. See ci/bench.
 */
#define _GNU_SOURCE
#include "kselftest.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

#define REPEATS		5
#define PAGE		4096UL
#define SPAN		(2UL << 20)
#define LENGTH		(16 * SPAN)
#define TINY		1024
#define MTHP		"/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled"

static char *area;
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
	munmap(area, LENGTH);
	if (mmap(area, length, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0) != area)
		ksft_exit_fail_perror("mmap");
}

static void touch(unsigned long step)
{
	unsigned long i;

	for (i = 0; i < LENGTH; i += step)
		area[i] = 1;
}

static void one_page(void) { map(PAGE, 0); madvise(area, PAGE, MADV_NOHUGEPAGE); }
static void no_pages(void) { map(LENGTH, 0); madvise(area, LENGTH, MADV_NOHUGEPAGE); }
static void pages(void) { no_pages(); touch(PAGE); }
static void page_per_table(void) { no_pages(); touch(SPAN); }

static void large_folios(void)
{
	put(MTHP, "always");
	map(LENGTH, 0);
	touch(16 * PAGE);
	put(MTHP, "never");
}

static void huge_pages(void)
{
	map(LENGTH, 0);
	madvise(area, LENGTH, MADV_HUGEPAGE);
	touch(SPAN);
}

static void huge_pages_by_ptes(void)
{
	unsigned long i;

	huge_pages();
	for (i = 0; i < LENGTH; i += SPAN) {
		mprotect(area + i, PAGE, PROT_READ);
		mprotect(area + i, PAGE, PROT_READ | PROT_WRITE);
	}
	/* So that all entries agree. */
	touch(PAGE);
}

static void hugetlb(void) { map(LENGTH, MAP_HUGETLB); touch(SPAN); }

static void tiny_vmas(void)
{
	unsigned long i;

	no_pages();
	for (i = 0; i < TINY; i++) {
		area[2 * i * PAGE] = 1;
		mprotect(area + (2 * i + 1) * PAGE, PAGE, PROT_NONE);
	}
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
	void (*make)(void);
	unsigned long length;
	unsigned long units;
} kinds[] = {
	{ "order-0 pages", pages, LENGTH, LENGTH / PAGE },
	{ "64K folios", large_folios, LENGTH, LENGTH / PAGE },
	{ "2M folios by PTEs", huge_pages_by_ptes, LENGTH, LENGTH / PAGE },
	{ "2M folios by PMD", huge_pages, LENGTH, LENGTH / PAGE },
	{ "hugetlb 2M", hugetlb, LENGTH, LENGTH / PAGE },
	{ "no pages", no_pages, LENGTH, LENGTH / PAGE },
	{ "a page per table", page_per_table, LENGTH, LENGTH / PAGE },
	{ "VMAs of a page", tiny_vmas, 2 * TINY * PAGE, 2 * TINY },
};

static const struct {
	const char *name;
	void (*act)(unsigned long length);
	void (*prepare)(unsigned long length);
} walks[] = {
	{ "smaps", smaps },
	{ "smaps_rollup", smaps_rollup },
	{ "numa_maps", numa_maps },
	{ "mincore", do_mincore },
	{ "mlock", do_mlock, do_munlock },
	{ "munlock", do_munlock, do_mlock },
	{ "move_pages", do_move_pages },
};

static unsigned long long measure(int walk, void (*make)(void), unsigned long length)
{
	unsigned long long start, cost, least = ~0ULL;
	int n;

	make();
	for (n = 0; n < REPEATS; n++) {
		if (walks[walk].prepare)
			walks[walk].prepare(length);
		start = __rdtsc();
		walks[walk].act(length);
		cost = __rdtsc() - start;
		if (cost < least)
			least = cost;
	}
	return least;
}

int main(void)
{
	unsigned long long one, cost;
	size_t i, k;

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(walks) * ARRAY_SIZE(kinds));
	put("/proc/sys/vm/nr_hugepages", "32");
	area = mmap(NULL, LENGTH + SPAN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		ksft_exit_fail_msg("no address space\n");
	area = (char *)(((unsigned long)area + SPAN - 1) & ~(SPAN - 1));

	for (i = 0; i < ARRAY_SIZE(walks); i++) {
		for (k = 0; k < ARRAY_SIZE(kinds); k++) {
			/* Each time: smaps has all of the process, which changes. */
			one = measure(i, one_page, PAGE);
			cost = measure(i, kinds[k].make, kinds[k].length);
			ksft_print_msg("cost\t%s, %s\t%.3f\n", walks[i].name, kinds[k].name,
				       (double)(long long)(cost - one) / kinds[k].units);
			ksft_test_result_pass("%s, %s\n", walks[i].name, kinds[k].name);
		}
	}
	ksft_finished();
}
