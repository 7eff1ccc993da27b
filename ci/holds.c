// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU's (qemu-system -plugin) that tells how long page-table locks are
 * held, in instructions of the guest, for selftests/walk_holds. See ci/bench.
 *
 * The kernel is not changed. A lock is a word of 4 bytes that pte_alloc_one() or
 * __pmd_alloc() has cleared in a struct ptdesc: that tells the level. It is taken by
 * the next store of 4 bytes there, given up by one of 1 byte, and no page-table lock
 * any more after one of 8. What is executed between the entry of an interrupt and its
 * iret doesn't count. One CPU, no debugging of locks, no paravirt spinlocks.
 *
 *	file=...,map=System.map,out=FILE
 *
 * FILE gets lines "row level instructions", the longest hold in that row. The guest
 * says which row it is in by a store to MARK + row; the last one is none.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is used of qemu-plugin.h, which no package of Debian has: the same since 4.2. */
typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { QEMU_PLUGIN_CB_NO_REGS };
enum { QEMU_PLUGIN_MEM_W = 2 };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
		void (*cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
		void (*cb)(unsigned int cpu, void *data), int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
		void (*cb)(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t addr, void *data),
		int flags, int rw, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
		void (*cb)(qemu_plugin_id_t id, void *data), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
unsigned int qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info);

#define EXPORT		__attribute__((visibility("default")))
EXPORT int qemu_plugin_version = PLUGIN_VERSION;

#define MARK		0x6fff00000000UL
#define ROWS		4096
/* The struct pages of x86_64 without KASLR, with four and five levels of tables. */
#define VMEMMAP_L4	0xffffea0000000000UL
#define VMEMMAP_L5	0xffd4000000000000UL
#define VMEMMAP_SIZE	0x10000000000UL

enum level { NO_TABLE, PTE, PMD, NR_LEVELS };
static const char *const level_name[] = { "-", "PTE", "PMD" };

static struct symbol { uint64_t addr; char name[64]; } *symbols;
static size_t nr_symbols;
static uint64_t iret;
static const char *out;

/* Each translated block. Of each instruction in it: how many are before, and a level. */
struct block { uint64_t insns; bool interrupt, iret; };
#define DATA(insns, level)	((void *)((uintptr_t)(insns) << 2 | (level)))

/* Instructions that were executed up to the end of this block. */
static uint64_t now;
static const struct block *current;
static uint64_t in_interrupts, interrupt_start;
static unsigned int depth, open;

#define LOCKS		(1 << 16)
static struct lock {
	uint64_t addr, start, in_interrupts;
	enum level level;
	bool held;
	int row;
} locks[LOCKS];

static int row = ROWS - 1;
static uint64_t longest[ROWS][NR_LEVELS];

static struct lock *find_lock(uint64_t addr)
{
	size_t i = (addr >> 2) * 0x9e3779b97f4a7c15UL >> 48;

	while (locks[i].addr && locks[i].addr != addr)
		i = (i + 1) % LOCKS;
	return &locks[i];
}

static const struct symbol *find_symbol(uint64_t addr)
{
	size_t low = 0, high = nr_symbols;

	while (high - low > 1) {
		size_t mid = (low + high) / 2;

		if (symbols[mid].addr <= addr)
			low = mid;
		else
			high = mid;
	}
	return &symbols[low];
}

static void on_block(unsigned int cpu, void *data)
{
	current = data;
	if (open && current->interrupt && !depth++)
		interrupt_start = now;
	now += current->insns;
	if (open && current->iret && depth && !--depth)
		in_interrupts += now - interrupt_start;
}

static void on_store(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t addr, void *data)
{
	const enum level inits = (uintptr_t)data & 3;
	const unsigned int size = 1U << qemu_plugin_mem_size_shift(info);
	const uint64_t at = now - current->insns + ((uintptr_t)data >> 2);
	struct lock *lock;

	if (addr - MARK < ROWS)
		row = addr - MARK;
	if (addr - VMEMMAP_L4 >= VMEMMAP_SIZE && addr - VMEMMAP_L5 >= VMEMMAP_SIZE)
		return;
	lock = find_lock(addr);
	if (inits && size == 4) {
		lock->addr = addr;
		lock->level = inits;
		open -= lock->held;
		lock->held = false;
	} else if (!lock->addr || !lock->level) {
		return;
	} else if (size == 4 && !lock->held) {
		if (!open++)
			depth = 0;
		lock->held = true;
		lock->row = row;
		lock->start = at;
		lock->in_interrupts = in_interrupts;
	} else if (size == 1 && lock->held) {
		uint64_t hold = at - lock->start - (in_interrupts - lock->in_interrupts);

		open--;
		lock->held = false;
		if (lock->row == row && hold > longest[row][lock->level])
			longest[row][lock->level] = hold;
	} else if (size == 8) {
		open -= lock->held;
		lock->held = false;
		lock->level = NO_TABLE;
	}
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	const size_t n = qemu_plugin_tb_n_insns(tb);
	struct block *block = calloc(1, sizeof(*block));
	size_t i;

	block->insns = n;
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint64_t addr = qemu_plugin_insn_vaddr(insn);
		const struct symbol *symbol = find_symbol(addr);
		enum level inits = !strcmp(symbol->name, "pte_alloc_one") ? PTE :
				   !strcmp(symbol->name, "__pmd_alloc") ? PMD : NO_TABLE;

		qemu_plugin_register_vcpu_mem_cb(insn, on_store, QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_W, DATA(i, inits));
		if (addr == iret)
			block->iret = true;
		if (!i)
			block->interrupt = !strcmp(symbol->name, "irq_entries_start") ||
				!strcmp(symbol->name, "spurious_entries_start") ||
				(addr == symbol->addr &&
				 (!strncmp(symbol->name, "asm_sysvec_", 11) ||
				  !strncmp(symbol->name, "asm_exc_", 8)));
	}
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, block);
}

static void on_exit_(qemu_plugin_id_t id, void *data)
{
	FILE *f = fopen(out, "w");
	int r, l;

	if (!f)
		return;
	for (r = 0; r < ROWS - 1; r++) {
		for (l = PTE; l < NR_LEVELS; l++) {
			if (longest[r][l])
				fprintf(f, "%d\t%s\t%lu\n", r, level_name[l], longest[r][l]);
		}
	}
	fclose(f);
}

static int compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	struct symbol s;
	char type, line[512];
	FILE *map = NULL;
	int i;

	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "map=", 4))
			map = fopen(argv[i] + 4, "r");
		else if (!strncmp(argv[i], "out=", 4))
			out = strdup(argv[i] + 4);
	}
	if (!map || !out)
		return 1;
	/* Addresses of per-CPU data, and the like, are none of functions. */
	while (fgets(line, sizeof(line), map)) {
		if (sscanf(line, "%lx %c %63s", &s.addr, &type, s.name) != 3 || !strchr("tT", type))
			continue;
		if (!strcmp(s.name, "native_irq_return_iret")) {
			iret = s.addr;
			continue;
		}
		symbols = realloc(symbols, (nr_symbols + 1) * sizeof(s));
		symbols[nr_symbols++] = s;
	}
	fclose(map);
	if (!nr_symbols || !iret)
		return 1;
	qsort(symbols, nr_symbols, sizeof(s), compare);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_, NULL);
	return 0;
}
