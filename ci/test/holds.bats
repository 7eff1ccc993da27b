#!/usr/bin/env bats
# holds.c: how long a lock is held, of blocks of instructions that this plays as QEMU would.

# shellcheck disable=SC2154 # bats and helper.bash set these
load helper

@test "the longest hold of a walk, the least of the walks, without interrupts" {
	cat >"$t/qemu.c" <<-'C'
		#define PLUGIN_VERSION 1
		#include "holds.c"

		/* All instructions lie at the first one's address, and 10 are a block. */
		struct qemu_plugin_insn { uint64_t addr; void (*store)(unsigned int, uint32_t, uint64_t, void *); void *data; };
		struct qemu_plugin_tb { struct qemu_plugin_insn insn[10]; void (*exec)(unsigned int, void *); void *data; };
		static void (*translate)(uint64_t, struct qemu_plugin_tb *), (*at_exit)(uint64_t, void *);
		void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*cb)(uint64_t, struct qemu_plugin_tb *)) { translate = cb; }
		void qemu_plugin_register_atexit_cb(uint64_t id, void (*cb)(uint64_t, void *), void *data) { at_exit = cb; }
		void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*cb)(unsigned int, void *), int flags, void *data) { tb->exec = cb; tb->data = data; }
		void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, void (*cb)(unsigned int, uint32_t, uint64_t, void *), int flags, int rw, void *data) { insn->store = cb; insn->data = data; }
		size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb) { return 10; }
		struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i) { return (void *)&tb->insn[i]; }
		uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn) { return insn->addr; }
		unsigned int qemu_plugin_mem_size_shift(uint32_t info) { return info; }

		/* Lines WHERE NTH-INSTRUCTION [SIZE-SHIFT ADDRESS]: a block, and what it stores. */
		int main(int argc, char **argv)
		{
			unsigned long where, addr;
			unsigned int i, shift;
			char line[80];

			if (qemu_plugin_install(1, NULL, argc - 1, argv + 1))
				return 1;
			while (fgets(line, sizeof(line), stdin)) {
				struct qemu_plugin_tb tb = {};
				int n = sscanf(line, "%lx %u %u %lx", &where, &i, &shift, &addr);

				for (int j = 0; j < 10; j++)
					tb.insn[j].addr = where;
				translate(1, &tb);
				tb.exec(0, tb.data);
				if (n == 4 && tb.insn[i].store)
					tb.insn[i].store(0, shift, addr, tb.insn[i].data);
			}
			at_exit(1, NULL);
			return 0;
		}
	C
	gcc -Wall -I ci -o "$t/qemu" "$t/qemu.c"
	f=ffffffffff
	for w in PTE:1 PMD:2 lock:3 unlock:4 stubs:5 entry:6 iret:7; do
		echo "${w%:*} $f${w#*:}0 $f$((${w#*:} + 1))0"
	done >"$t/functions"
	# What is stored to.
	mark=6fff0000 pte=ffffea0000000128 pmd=ffffea0000000228
	walk() { echo "1000 0 0 ${mark}$(printf %04x "$1")"; cat; echo "1000 0 0 ${mark}0fff"; }
	hold() { echo "${f}30 2 2 $1"; cat; echo "${f}40 5 0 $1"; } # 10 - 2 + 5 instructions, and what is between
	block() { echo "${f}80 0"; }
	interrupt() { echo "${f}${1}0 0"; block; block; echo "${f}70 0"; }
	{
		# Of a table that was there before, and locks that nobody has allocated.
		echo "${f}10 0 2 $pte"
		echo "1000 0 0 ${mark}0ffe"
		walk 1 < <(hold $pte </dev/null)
		walk 1 < <(hold ${pte/128/328} </dev/null)
		echo "${f}10 0 2 $pte"
		echo "${f}20 0 2 $pmd"
		# page_type is stored to, too, and is none.
		echo "${f}10 3 2 ${pte/128/130}"
		# Nor is what is stored to by 8 bytes, there or elsewhere.
		echo "${f}10 0 3 ${pte/128/140}"
		walk 1 < <(hold ${pte/128/140} </dev/null)
		# Walks: 13 and 23, then 43; one lock in another.
		walk 2 < <(hold $pte </dev/null; hold $pte < <(block))
		walk 2 < <(hold $pte < <(block; block; block))
		walk 3 < <(hold $pmd < <(hold $pte </dev/null))
		# Other stores of these sizes there are neither.
		walk 4 < <(echo "${f}80 2 2 $pte"; block; echo "${f}80 5 0 $pte"; echo "${f}80 0 2 ${pte/128/130}")
		walk 5 < <(hold $pte < <(echo "${f}80 5 0 $pte"))
		walk 4 < <(echo "${f}40 2 2 $pte"; echo "${f}40 5 0 $pte")
		walk 5 < <(hold $pte < <(echo "${f}30 5 0 $pte"))
		# Interrupts, also where one begins in another; a block within ENTRY is no beginning.
		walk 8 < <(hold $pte < <(block; interrupt 5; interrupt 6))
		walk 9 < <(hold $pte < <(echo "${f}61 0"; echo "${f}50 0"; interrupt 6; block; echo "${f}70 0"))
		# Between the walks nothing counts, nor does a hold that begins there.
		hold $pte </dev/null
		echo "${f}30 2 2 $pte"
		walk 6 < <(echo "${f}40 5 0 $pte")
		# A page that is another table now.
		echo "${f}20 0 2 $pte"
		walk 7 < <(hold $pte </dev/null)
	} >"$t/played"
	"$t/qemu" functions="$t/functions" out="$t/out" <"$t/played"
	cat "$t/functions" "$t/out"
	[ "$(xargs <"$t/out")" = "2 PTE 23 3 PTE 13 3 PMD 33 5 PTE 23 7 PMD 13 8 PTE 23 9 PTE 23" ]
	# Not all of the functions, no locks without end.
	sed '3s/.*/lock/' "$t/functions" >"$t/half"
	run ! "$t/qemu" functions="$t/half" out="$t/out" </dev/null
	for ((i = 0; i < 70000; i++)); do printf '%s10 0 2 ffffea%010x\n' $f $((i * 64)); done >"$t/played"
	fails "there are more than 65536 locks" "$t/qemu" functions="$t/functions" out="$t/out" <"$t/played"
}
