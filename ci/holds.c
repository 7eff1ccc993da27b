// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU's (qemu-system -plugin) that tells how long page-table locks are
 * held, in instructions of the guest, for selftests/walk_holds. See ci/bench.
 *
 * The kernel is not changed. A lock is a word of 4 bytes in a struct ptdesc that
 * pte_alloc_one() or __pmd_alloc() has cleared: that tells the level. _raw_spin_lock()
 * takes it by a store, _raw_spin_unlock() gives it up by one. What is executed between
 * the entry of an interrupt and its iret doesn't count. One CPU, no debugging of locks, no
 * paravirt spinlocks.
 *
 *	file=...,functions=FILE,out=FILE
 *
 * FUNCTIONS has lines "what start end", see the enum. OUT gets lines "row level
 * instructions": of each walk the longest hold, of the walks of a row the least of these.
 * The guest stores to MARK + row where a walk begins, to MARK + NO_ROW where it ends, and
 * to MARK + NEW_TABLES where the tables that count begin to be allocated.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What is used of qemu-plugin.h, which no package of Debian has. It was tried with QEMU 7.2
 * and is the same in the later ones' documentation; they were not tried.
 */
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
#define NEW_TABLES	4094
#define NO_ROW		4095
#define USER_END	0x800000000000UL
/* The struct pages of x86_64 without KASLR, with four and five levels of tables. */
#define VMEMMAP_L4	0xffffea0000000000UL
#define VMEMMAP_L5	0xffd4000000000000UL
#define VMEMMAP_SIZE	0x10000000000UL

/* Functions that allocate a table, lock and unlock; then where an interrupt begins. */
enum what { USER, PTE, PMD, LOCK, UNLOCK, STUBS, ENTRY, IRET, NR_WHATS };
static const char *const names[] = { "-", "PTE", "PMD", "lock", "unlock", "stubs", "entry", "iret" };
static struct function { uint64_t start, end; enum what what; } functions[512];
static size_t nr_functions;
static const char *out;

/* What is known of a translated block: its instructions, whether an interrupt begins or ends in it. */
struct block { uint64_t insns; bool interrupt, iret; };
/* The data of a store's callback: its place in the block, and the function that it is in. */
#define DATA(insns, what)	((void *)((uintptr_t)(insns) << 3 | (what)))

/* Instructions that were executed up to the end of this block. */
static uint64_t now;
static const struct block *current;
static uint64_t in_interrupts, interrupt_start;
static unsigned int interrupt_depth, nr_held;

#define LOCKS		(1 << 16)
static struct lock {
	uint64_t addr, start, in_interrupts;
	enum what level;
	unsigned int generation;
	bool held;
	int row;
} locks[LOCKS];

static int row = NO_ROW;
static unsigned int generation;
static uint64_t longest[PMD + 1], least[NO_ROW][PMD + 1];

static struct lock *find_lock(uint64_t addr)
{
	size_t i = (addr >> 2) * 0x9e3779b97f4a7c15UL >> 48, n;

	for (n = 0; n < LOCKS; n++, i++) {
		struct lock *lock = &locks[i % LOCKS];

		if (!lock->addr || lock->addr == addr)
			return lock;
	}
	fprintf(stderr, "holds.c: there are more than %d locks\n", LOCKS);
	abort();
}

static void on_block(unsigned int cpu, void *data)
{
	current = data;
	if (nr_held && current->interrupt && !interrupt_depth++)
		interrupt_start = now;
	now += current->insns;
	if (nr_held && current->iret && interrupt_depth && !--interrupt_depth)
		in_interrupts += now - interrupt_start;
}

static void on_mark(int mark)
{
	int level;

	if (mark == NEW_TABLES) {
		generation++;
		return;
	}
	for (level = PTE; level <= PMD; level++) {
		if (row != NO_ROW && longest[level] &&
		    (!least[row][level] || longest[level] < least[row][level]))
			least[row][level] = longest[level];
		longest[level] = 0;
	}
	row = mark;
}

static void on_store(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t addr, void *data)
{
	const enum what in = (uintptr_t)data & 7;
	const unsigned int size = 1U << qemu_plugin_mem_size_shift(info);
	const uint64_t when = now - current->insns + ((uintptr_t)data >> 3);
	struct lock *lock;

	if (addr - MARK <= NO_ROW && in == USER)
		on_mark(addr - MARK);
	if (addr - VMEMMAP_L4 >= VMEMMAP_SIZE && addr - VMEMMAP_L5 >= VMEMMAP_SIZE)
		return;
	lock = find_lock(addr);
	if (in <= PMD && size == 4) {
		nr_held -= lock->held;
		*lock = (struct lock){ .addr = addr, .level = in, .generation = generation };
	} else if (!lock->addr || lock->generation != generation) {
		return;
	} else if (in == LOCK && size == 4 && !lock->held) {
		/* Tasks that are switched in an interrupt don't hold one of these locks. */
		if (!nr_held++)
			interrupt_depth = 0;
		lock->held = true;
		lock->row = row;
		lock->start = when;
		lock->in_interrupts = in_interrupts;
	} else if (in == UNLOCK && size == 1 && lock->held) {
		uint64_t hold = when - lock->start - (in_interrupts - lock->in_interrupts);

		nr_held--;
		lock->held = false;
		if (lock->row == row && hold > longest[lock->level])
			longest[lock->level] = hold;
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
		const struct function *f = functions;

		while (f < functions + nr_functions && (addr < f->start || addr >= f->end))
			f++;
		if (f->what == IRET)
			block->iret = true;
		else if (!i && (f->what == STUBS || (f->what == ENTRY && addr == f->start)))
			block->interrupt = true;
		if (addr < USER_END || (f->what >= PTE && f->what <= UNLOCK))
			qemu_plugin_register_vcpu_mem_cb(insn, on_store, QEMU_PLUGIN_CB_NO_REGS,
							 QEMU_PLUGIN_MEM_W, DATA(i, f->what));
	}
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, block);
}

static void on_exit_(qemu_plugin_id_t id, void *data)
{
	FILE *f = fopen(out, "w");
	int r, level;

	for (r = 0; f && r < NO_ROW; r++) {
		for (level = PTE; level <= PMD; level++) {
			if (least[r][level])
				fprintf(f, "%d\t%s\t%lu\n", r, names[level], least[r][level]);
		}
	}
	if (f)
		fclose(f);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	struct function f;
	FILE *file = NULL;
	char name[8];
	int i;

	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "functions=", 10))
			file = fopen(argv[i] + 10, "r");
		else if (!strncmp(argv[i], "out=", 4))
			out = strdup(argv[i] + 4);
	}
	/* The last one stays empty. */
	while (file && nr_functions < sizeof(functions) / sizeof(f) - 1 &&
	       fscanf(file, "%7s %lx %lx", name, &f.start, &f.end) == 3) {
		for (f.what = PTE; f.what < NR_WHATS && strcmp(name, names[f.what]); f.what++)
			;
		functions[nr_functions++] = f;
	}
	if (!file || !feof(file) || !out)
		return 1;
	fclose(file);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_, NULL);
	return 0;
}
