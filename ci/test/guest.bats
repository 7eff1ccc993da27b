#!/usr/bin/env bats
# guest, rows, compare, ktest: what a guest did is judged right. A stand-in for
# QEMU plays most guests; two tests boot the kernel that was built.

# shellcheck disable=SC2154 # bats and helper.bash set these
load helper

# fake CONSOLE RESULTS [COMMAND]: the next guest's two serial ports.
fake() {
	mkdir -p "$t/bin"
	printf '%b' "$1" >"$t/console"
	printf '%b' "$2" >"$t/results"
	cat >"$t/bin/qemu-system-x86_64" <<-S
		#!/bin/bash
		port=$t/console
		for a; do
			case \$a in file:*) cat "\$port" >"\${a#file:}"; port=$t/results ;; esac
		done
		${3:-true}
	S
	chmod +x "$t/bin/qemu-system-x86_64"
	export PATH=$t/bin:$PATH ACCEL=tcg KERNEL=$t/bin/qemu-system-x86_64
	printf 'mm/a quick 10 mm/a\nmm/b quick 10 mm/b\n' >"$t/list"
}

done_='# end of tests\n'

@test "verdicts come from KTAP, nested and not" {
	toy_stack
	fake '' "KTAP version 1\n1..2\n# start mm/a\n    TAP version 13\n    1..3\n    ok 1 - one\n    # noise\n    not ok 2 two # SKIP no swap\n    not ok 3 three at 0xdead\nnot ok 1 mm/a # exit code 1\n# start kunit\n    KTAP version 1\n        ok 1 case\n        ok 2 case\n    ok 1 suite\nok 2 kunit\n$done_"
	ci/guest stack debug "$t/list" "$t/dir"
	diff - "$t/dir/rows.tsv" <<-E
		mm/a: one	pass	
		mm/a: two	skip	SKIP no swap
		mm/a: three at 0x	fail	
		mm/a	fail	exit code 1
		kunit: suite: case	pass	
		kunit: suite: case (2)	pass	
		kunit: suite	pass	
		kunit	pass	
	E
}

@test "a guest that panics" {
	toy_stack
	fake 'firmware \0\nLinux version\n[ 1.0] Kernel panic - not syncing: no luck\n[ 1.0] Call Trace:\n' '# start mm/a\n'
	fails "the guest panics: Kernel panic - not syncing: no luck, in test mm/a" ci/guest stack debug "$t/list" "$t/dir"
	[[ "$output" == *"Call Trace:"* ]]
	[ ! -e "$t/dir/rows.tsv" ]
}

@test "a guest that hangs" {
	toy_stack
	fake 'Linux version\n' '# start mm/b\n' 'exec sleep 100'
	IDLE=3 fails "the guest hangs: no sign of life for 3 s, in test mm/b" ci/guest stack debug "$t/list" "$t/dir"
}

@test "a guest that hangs before its init is booted once more, and no more" {
	toy_stack
	fake 'Linux version\n' '' 'exec sleep 100'
	IDLE=3 fails "the guest hangs: no sign of life for 3 s" ci/guest stack debug "$t/list" "$t/dir"
	[ "$(grep -c 'booting once more' <<<"$output")" = 1 ]
	fake 'Linux version\n' '' "[ ! -e $t/second ] || { printf '%b' 'ok 1 mm/a\\n$done_' >$t/dir/results.ktap; exit; }; touch $t/second; exec sleep 100"
	IDLE=3 ci/guest stack debug "$t/list" "$t/dir"
}

@test "a guest whose boot KASAN misreads is booted again" {
	toy_stack
	report='BUG: KASAN: wild-memory-access in do_raw_spin_lock\n cpu_detect+0x2\n identify_cpu+0x2\n'
	fake "$report" '' 'exec sleep 100'
	fails "the guest stumbles over identify_cpu()" ci/guest stack debug "$t/list" "$t/dir"
	[ "$(grep -c 'booting once more' <<<"$output")" = 3 ]
	# The same report of something else is what it says.
	fake "${report/identify_cpu/identity}" "# start mm/a\nok 1 mm/a\n$done_"
	ci/guest stack debug "$t/list" "$t/dir"
	[ -s "$t/dir/splats.txt" ]
}

@test "a guest that babbles on and on" {
	toy_stack
	fake 'Linux version\n' '' "while sleep 0.2; do echo x >>$t/dir/console.log; done"
	LIMIT=4 fails "the guest did not end within 4 s" ci/guest stack debug "$t/list" "$t/dir"
}

@test "a guest that prints nothing, one that stops early, a QEMU that fails" {
	toy_stack
	fake '' ''
	fails "the guest was not started by QEMU" ci/guest stack debug "$t/list" "$t/dir"
	fake 'Linux version\n' 'KTAP version 1\n1..2\nok 1 mm/a\n# start mm/b\n'
	fails "the guest ended before its tests did, in test mm/b" ci/guest stack debug "$t/list" "$t/dir"
	[ ! -e "$t/dir/rows.tsv" ]
	fake '' '' 'echo "no such machine" >&2; exit 1'
	fails "no such machine" ci/guest stack debug "$t/list" "$t/dir"
}

@test "a QEMU that is gone before it opened its ports" {
	toy_stack
	fake '' ''
	printf '#!/bin/sh\necho "no such machine" >&2\nexit 1\n' >"$t/bin/qemu-system-x86_64"
	fails "the guest was not started by QEMU" ci/guest stack debug "$t/list" "$t/dir"
	[[ "$output" == *"no such machine"* ]]
}

@test "a machine with one serial port, which does not switch itself off" {
	toy_stack
	fake '' ''
	export KERNEL=$t/bin/qemu-system-s390x
	mv "$t/bin/qemu-system-x86_64" "$KERNEL"
	printf '%b' "[ 1.0] Linux\r\nKTAP version 1\n# start stack/a\n    ok 1 one\n[ 2.0] ok then\r\nok 1 stack/a\n${done_}[ 3.0] reboot: System halted\r\n" >"$t/console"
	echo 'exec sleep 100' >>"$KERNEL"
	mkdir -p "$XDG_CACHE_HOME/pgtable-stack/"git-*/stack/arch/s390
	MACHINE=s390 ci/guest stack s390 "$t/list" "$t/dir"
	[ "$(xargs <"$t/dir/rows.tsv")" = "stack/a: one pass stack/a pass" ]
	MACHINE=s309 fails "there is no machine 's309'" ci/guest stack s390 "$t/list" "$t/dir"
}

@test "an architecture that there is not" {
	toy_stack
	fails "there is no configuration 's309'" ci/build stack s309
	fails "ci/data/arches has no row 's309'" ci/matrix arm64 s309
}

@test "a row of the matrix that fails says why, and the others are done" {
	toy_stack
	printf '#!/bin/sh\necho "does $*"\ncase "$*" in *alpha*) [ -e %s ] || { echo "error: no luck" >&2; exit 3; } ;; esac\necho "== compiled"\n' \
		"$t/luck" >ci/objects
	rm -f "$t/bin/"*
	fails "1 of 2 rows failed" ci/matrix --no-base alpha arc
	[[ "$output" == *"alpha"*"FAILED: no luck"*"arc"*"compiled"* ]]
	# What was well is not done again, what was not is.
	touch "$t/luck"
	run ci/matrix --no-base alpha arc
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep ^does <<<"$output")" = "does stack alpha" ]
	# With another way to build, all is.
	echo "# other" >>ci/objects
	run ci/matrix --no-base alpha arc
	[ "$(grep -c ^does <<<"$output")" = 2 ]
}

@test "a size or address in a test's name doesn't make another test of it" {
	for n in 1 16; do
		printf '    ok 1 Success reaping a child with %sMB of memory\n    ok 2 at 0x%sa\nok 1 mm/mrelease_test\n' $n $n | ci/rows >"$t/rows.$n"
	done
	[ "$(wc -l <"$t/rows.1")" = 3 ]
	cmp "$t/rows.1" "$t/rows.16"
}

@test "no kernel, no test" {
	toy_stack
	printf 'mm/a quick 10 mm/a\n' >"$t/list"
	fails "there is no kernel" ci/guest stack debug "$t/list" "$t/dir"
	TESTS=nonsense fails "TESTS=nonsense selects no test" ci/ktest stack
}

@test "how long the stress test runs" {
	toy_stack
	STRESS=long fails "STRESS=long does not begin with a number of seconds" ci/ktest base
	printf '#!/bin/sh\ncat "$3"\nexit 1\n' >ci/guest
	stand_in_build
	printf 'stack/walk_stress quick 600 stack/walk_stress\nmm/a quick 10 mm/a -t 1\n' >ci/data/tests
	fails $'600 stack/walk_stress\nmm/a quick 10 mm/a -t 1' ci/ktest base
	STRESS='1800 -s 7' fails $'2400\tstack/walk_stress -t 1800 -s 7\nmm/a quick 10 mm/a -t 1' ci/ktest base
	baseline=$(echo "$XDG_CACHE_HOME"/pgtable-stack/git-*)/baseline-gcc-$(gcc -dumpfullversion).tsv
	printf '# x\n' >"$baseline"
	printf 'stack/walk_stress\tquick\t600\tstack/walk_stress\n' >ci/data/tests
	fails "is the baseline of something else" ci/ktest stack
	printf '# %s\nstack/walk_stress\tpass\t\n' "$(sed -n 's/^ *wanted is //p' <<<"$output")" >"$baseline"
	STRESS=1800 fails $'2400\tstack/walk_stress -t 1800' ci/ktest stack
}

@test "a line of the kernel's log that complains fails the run, with the lines around it" {
	toy_stack
	while read -r line; do
		fake "before\n[ 1.0] $line\nafter\n" "ok 1 mm/a\n$done_"
		ci/guest stack debug "$t/list" "$t/dir"
		printf 'mm/a\tpass\t\n' >"$t/base.tsv"
		fails "the kernel complained" ci/compare "$t/base.tsv" "$t/dir"
		[[ "$output" == *"before"*"$line"*"after"* ]]
	done <<-'E'
		WARNING: CPU: 0 PID: 1 at mm/memory.c:1 f+0x0/0x1
		WARNING: possible circular locking dependency detected
		BUG: KASAN: use-after-free in f+0x0/0x1
		BUG: sleeping function called from invalid context at mm/memory.c:1
		BUG: Bad rss-counter state mm:1 type:MM_ANONPAGES val:1
		BUG: non-zero pgtables_bytes on freeing mm: 4096
		Oops: general protection fault, probably for non-canonical address 0x0
		Unable to handle kernel paging request at virtual address ff600000
		Oops [#1]
		kernel BUG at mm/page_table_check.c:1!
		rcu: INFO: rcu_preempt self-detected stall on CPU
		INFO: task a:1 blocked for more than 120 seconds.
		watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [a:1]
		UBSAN: array-index-out-of-bounds in mm/memory.c:1:1
	E
	fake "all is well\n" "ok 1 mm/a\n$done_"
	ci/guest stack debug "$t/list" "$t/dir"
	ci/compare "$t/base.tsv" "$t/dir"
}

@test "against the base: SAME, NEW, FIXED, VANISHED, ADDED, KNOWN" {
	mkdir "$t/dir"
	touch "$t/dir/splats.txt"
	printf 'mm/k\tflaky; may go when it is not\n' >>ci/data/known-failures
	printf '%s\t%s\t\n' mm/a pass mm/b fail mm/c pass mm/k pass mm/s skip >"$t/base.tsv"
	printf '%s\t%s\t%s\n' mm/a pass '' mm/b pass '' mm/c pass '' mm/d pass '' mm/k fail '' mm/s skip 'SKIP no swap' >"$t/dir/rows.tsv"
	run ci/compare "$t/base.tsv" "$t/dir"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(cut -f1,2 "$t/dir/table.tsv" | xargs)" = "SAME mm/a FIXED mm/b SAME mm/c KNOWN mm/k SAME mm/s ADDED mm/d" ]
	[[ "$output" == *"KNOWN    mm/k: fail, base pass (flaky; may go when it is not)"* ]]
	[[ "$output" == *"skipped  1: SKIP no swap"* ]]
	printf '%s\t%s\t%s\n' mm/a pass '' mm/b pass '' mm/c pass '' mm/k skip 'gave up' mm/s skip '' >"$t/dir/rows.tsv"
	run ci/compare "$t/base.tsv" "$t/dir"
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"KNOWN    mm/k: skip, base pass (flaky; may go when it is not)"* ]]

	# a program that is known for one of its tests
	printf 'mm/p: one\tflaky\nmm/p\tsee above\n' >>ci/data/known-failures
	printf '%s\t%s\t\n' mm/p:\ one pass mm/p pass >"$t/base.tsv"
	printf '%s\t%s\t\n' mm/p:\ one fail mm/p fail >"$t/dir/rows.tsv"
	run ci/compare "$t/base.tsv" "$t/dir"
	[ "$status" = 0 ]
	[ "$(cut -f1 "$t/dir/table.tsv" | xargs)" = "KNOWN KNOWN" ]
	printf '%s\t%s\t\n' mm/p:\ one pass mm/p fail >"$t/dir/rows.tsv"
	fails "NEW      mm/p: fail, base pass" ci/compare "$t/base.tsv" "$t/dir"
	printf '%s\t%s\t\n' mm/a pass mm/b fail mm/c pass mm/k pass mm/s skip >"$t/base.tsv"

	# each of these is worse than the base
	for rows in 'mm/a fail mm/c pass' 'mm/c pass' 'mm/a skip mm/c pass' 'mm/a pass mm/c pass mm/new fail'; do
		# shellcheck disable=SC2086
		printf '%s\t%s\t\n' $rows mm/b fail mm/k pass mm/s skip >"$t/dir/rows.tsv"
		fails "worse than on the base" ci/compare "$t/base.tsv" "$t/dir"
	done
}

@test "a test that printed verdicts on the base and prints none now has vanished" {
	mkdir "$t/dir"
	touch "$t/dir/splats.txt"
	printf 'mm/a: one\tpass\t\nmm/a\tpass\t\n' >"$t/base.tsv"
	printf 'mm/a\tpass\t\n' >"$t/dir/rows.tsv"
	fails "VANISHED mm/a: one: -, base pass" ci/compare "$t/base.tsv" "$t/dir"
}

@test "a failure of the base that no list explains is an error" {
	mkdir "$t/dir"
	touch "$t/dir/splats.txt"
	printf 'mm/a\tfail\t\n' | tee "$t/base.tsv" >"$t/dir/rows.tsv"
	fails "UNKNOWN  mm/a: fail, base fail" ci/compare "$t/base.tsv" "$t/dir"
}

@test "a baseline of another configuration, or without a test, is an error" {
	toy_stack
	baseline=$XDG_CACHE_HOME/pgtable-stack/git-$(git -C "$LINUX" rev-parse HEAD | cut -c 1-12)/baseline-gcc-$(gcc -dumpfullversion).tsv
	printf '# Linux 6.1\nmincore\tpass\t\n' >"$baseline"
	TESTS=mincore fails "is the baseline of something else" ci/ktest stack
	printf '# %s\nmincore\tpass\t\n' "$(sed -n 's/^ *wanted is //p' <<<"$output")" >"$baseline"
	TESTS=cachestat fails "the baseline has no verdict for cachestat" ci/ktest stack
}

@test "worse than the base once is a flake, worse again is not, and a complaint is final" {
	toy_stack
	stand_in_build
	cache_of=$(echo "$XDG_CACHE_HOME"/pgtable-stack/git-*)
	TESTS=mincore fails "is the baseline of something else" bash -c 'echo "# x" >"$0" && ci/ktest stack' \
		"$cache_of/baseline-gcc-$(gcc -dumpfullversion).tsv"
	printf '# %s\nmincore\tpass\t\ncachestat\tpass\t\n' "$(sed -n 's/^ *wanted is //p' <<<"$output")" \
		>"$cache_of/baseline-gcc-$(gcc -dumpfullversion).tsv"
	# The first guest runs both and one fails, the others run that one.
	both="not ok 1 mincore\nok 2 cachestat\n$done_" one="ok 1 mincore\n$done_"
	guests() {
		fake "$1" ''
		printf '%b' "$2" >"$t/results1"
		printf '%b' "$3" >"$t/results2"
		printf '%b' "$4" >"$t/results3"
		echo 0 >"$t/n"
		sed -i "2i n=\$((\$(cat $t/n) + 1)); echo \$n >$t/n; cp $t/results\$n $t/results" "$t/bin/qemu-system-x86_64"
	}
	export TESTS='^(mincore|cachestat)$'
	guests '' "$both" "$one" "$one"
	run ci/ktest stack
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"FLAKY    mincore: fail, base pass, and as the base in two more runs"* ]]
	[ "$(cut -f1,2 "$cache_of/stack/results/table.tsv" | xargs)" = "FLAKY mincore SAME cachestat" ]
	guests '' "$both" "$one" "not $one"
	fails "worse than on the base, and not by chance: mincore" ci/ktest stack
	[ "$(cat "$t/n")" = 3 ]
	guests '[ 1.0] BUG: KASAN: use-after-free in f+0x0/0x1\n' "$both" "$one" "$one"
	fails "the kernel complained" ci/ktest stack
	[ "$(cat "$t/n")" = 1 ]
}

# real APPEND: boots the kernel that was built.
real() {
	export XDG_CACHE_HOME=$real_cache PGTABLE_STACK_LOCKED=$locked
	[ -z "$real_linux" ] || export LINUX=$real_linux
	printf 'mm/a quick 10 mm/a\n' >"$t/list"
	APPEND=$1 ci/guest stack debug "$t/list" "$t/dir"
}

@test "a failure of a test of our own is not excused by chance" {
	toy_stack
	stand_in_build
	export TESTS='^(kunit|stack/walk_stress)$'
	baseline=$(echo "$XDG_CACHE_HOME"/pgtable-stack/git-*)/baseline-gcc-$(gcc -dumpfullversion).tsv
	echo "# x" >"$baseline"
	fails "is the baseline of something else" ci/ktest stack
	printf '# %s\nkunit\tpass\t\nstack/walk_stress\tpass\t\n' "$(sed -n 's/^ *wanted is //p' <<<"$output")" >"$baseline"
	fake '' "    not ok 1 pt_range_walk_race\nnot ok 1 kunit\nok 2 stack/walk_stress\n$done_"
	fails "a test of our own fails, by chance or not: kunit: pt_range_walk_race" ci/ktest stack
	fake '' "ok 1 kunit\nnot ok 2 stack/walk_stress # exit code 1\n$done_"
	fails "a test of our own fails, by chance or not: stack/walk_stress" ci/ktest stack
	[ ! -e "${baseline%/*}/stack/results/again1" ]
}

@test "what is built is built anew after an edit, whatever it is of, and not without one" {
	toy_stack
	stand_in_build
	printf '#!/bin/sh\nexit 1\n' >ci/guest
	printf 'mm/a quick 10 mm/a\n' >ci/data/tests
	builds() { wc -l <"$XDG_CACHE_HOME/pgtable-stack/builds"; }
	n=0
	# What was edited within the second in which the build began is built twice.
	built() {
		sleep 1.1
		run ! ci/ktest base
		n=$((n + $1))
		[ "$(builds)" = $n ]
	}
	tree=${stack%/stack/linux}/base/linux
	mkdir -p "$tree/tools/testing/selftests/mm/page_frag"
	out=${tree%/linux}/debug
	built 1
	built 0
	[[ "$output" == *"base-debug is built, and nothing has changed since"* ]]
	echo >"$tree/new.c"
	built 1
	for edited in "$tree"/{new.c,tools/testing/selftests/mm/page_frag/page_frag_test.c} \
		selftests/walk_stress.c configs/debug.config ci/guest-init "$out/arch/x86/boot/bzImage"; do
		echo >>"$edited"
		built 1
		built 0
	done
	rm "$tree/new.c"
	built 1
	echo >"$tree/tools/testing/selftests/mm/page_frag/page_frag_test.o"
	built 0
	mv "$tree" "$tree.gone"
	built 1
	mv "$tree.gone" "$tree"
	rm -r "$out/kselftest"
	built 1
	# Somebody else's build, and one that fails.
	ci/build --kselftest base debug
	n=$((n + 1))
	built 1
	built 0
	sed -i 's/^echo.*/&\nexit 1/' ci/build
	built 1
	built 1
}

@test "answers of the base that were being written are none" {
	toy_stack
	stand_in_build
	printf 'stack/same_answers\tquick\t60\tstack/same_answers\n' >ci/data/tests
	fake '' "# start stack/same_answers\n    # scene: a\n    #  line 1\nok 1 stack/same_answers\n# took 3 ms\n$done_"
	cat >"$t/bin/sed" <<-'S'
		#!/bin/bash
		case "$*" in *"# start stack/same_answers"*) echo "scene: a"; exit 1 ;; esac
		exec /usr/bin/sed "$@"
	S
	chmod +x "$t/bin/sed"
	run ! ci/ktest base
	run -0 find "$XDG_CACHE_HOME" -name '*.answers' -o -name 'baseline-*.tsv'
	[ -z "$output" ]
}

@test "a kernel is not built on a disk that is nearly full, TESTS may be no regular expression" {
	toy_stack
	printf '#!/bin/sh\nprintf "x\\nx 9999 0 100\\n"\n' >"$t/df"
	mkdir -p "$t/bin"
	install "$t/df" "$t/bin/df"
	PATH=$t/bin:$PATH fails "building a kernel needs 3000 MB" ci/build --kselftest stack debug
	TESTS='mm/(' fails "TESTS=mm/( is no regular expression" ci/ktest stack
}

@test "a complaint that comes twice is not taken for the one that was there" {
	# shellcheck disable=SC2034 # comparable() reads it
	which=each-patch
	eval "$(sed -n '/^complaint=/p; /^comparable()/p; /^complaints()/p' ci/kbuild.sh)"
	line='warning: incorrect type in argument 1 (different address spaces)'
	printf '/x/each-patch/linux/%s\n' "mm/a.c:10:5: $line" "mm/a.c:99:5: $line" "include/a.h:1:2: $line" \
		"include/a.h:1:2: $line" >"$t/log"
	comparable "$t/log" | complaints >"$t/warnings"
	[ "$(grep -c '^mm/a.c' "$t/warnings")" = 2 ]
	[ "$(grep -c '^include/a.h' "$t/warnings")" = 1 ]
}

@test "a real kernel that panics" {
	fails "the guest panics: Kernel panic - not syncing: Requested init /nonexistent failed" real init=/nonexistent
}

@test "a real kernel that hangs" {
	TRIES=1 IDLE=60 fails "the guest hangs: no sign of life for 60 s" real "init=/usr/bin/sleep -- 1000"
}
