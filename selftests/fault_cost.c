// SPDX-License-Identifier: GPL-2.0
/*
 * What the life of a page table costs, in instructions: meant for a guest under
 * QEMU's -icount shift=0, where the time-stamp counter counts them. Each figure
 * is the least of REPEATS, for one of @nr tables. See ci/bench.
 */
#define _GNU_SOURCE
#include "kselftest.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#define NR		64
#define REPEATS		7
#define SPAN		(2UL << 20)

static char *area;
static int nr;

static void map(int advice)
{
	munmap(area, 2 * NR * SPAN);
	mmap(area, nr * SPAN, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	madvise(area, nr * SPAN, advice);
}

static void touch(void)
{
	int i;

	for (i = 0; i < nr; i++)
		area[i * SPAN] = 1;
}

static void map_small(void) { map(MADV_NOHUGEPAGE); }
static void map_small_touch(void) { map_small(); touch(); }
static void map_huge(void) { map(MADV_HUGEPAGE); }
static void map_huge_touch(void) { map_huge(); touch(); }

static void unmap(void) { munmap(area, nr * SPAN); }

static void split(void)
{
	int i;

	for (i = 0; i < nr; i++)
		madvise(area + i * SPAN, 4096, MADV_DONTNEED);
}

static void move(void)
{
	int i;

	for (i = 0; i < nr; i++)
		mremap(area + i * SPAN, SPAN, SPAN, MREMAP_MAYMOVE | MREMAP_FIXED,
		       area + (nr + i) * SPAN);
}

static void fork_wait(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static const struct {
	const char *name;
	void (*prepare)(void);
	void (*act)(void);
	int nr;
} costs[] = {
	{ "fault in a page and its PTE table", map_small, touch, NR },
	{ "unmap a page and its PTE table", map_small_touch, unmap, NR },
	{ "fork and exit, a page and its PTE table", map_small_touch, fork_wait, NR },
	{ "move a PTE table's page", map_small_touch, move, NR },
	{ "fault in a huge page", map_huge, touch, NR / 8 },
	{ "unmap a huge page", map_huge_touch, unmap, NR / 8 },
	{ "split a huge page's PMD entry", map_huge_touch, split, NR / 8 },
	{ "move a huge page", map_huge_touch, move, NR / 8 },
	{ "fork and exit, a huge page", map_huge_touch, fork_wait, NR / 8 },
};

int main(void)
{
	unsigned long long start, cost, least;
	size_t i, n;

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(costs));
	area = mmap(NULL, 3 * NR * SPAN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		ksft_exit_fail_msg("no address space\n");
	area = (char *)(((unsigned long)area + SPAN - 1) & ~(SPAN - 1));

	for (i = 0; i < ARRAY_SIZE(costs); i++) {
		least = ~0ULL;
		nr = costs[i].nr;
		for (n = 0; n < REPEATS; n++) {
			costs[i].prepare();
			start = __rdtsc();
			costs[i].act();
			cost = __rdtsc() - start;
			if (cost < least)
				least = cost;
		}
		ksft_print_msg("cost\t%s\t%llu\n", costs[i].name, least / nr);
		ksft_test_result_pass("%s\n", costs[i].name);
	}
	ksft_finished();
}
