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
		[ "\$1" != --version ] || { echo "QEMU emulator version $qemu.22 (Debian)"; exit; }
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

# base_says TEST...: the baseline has these, with the key that ktest wants.
base_says() {
	export ACCEL=tcg
	baseline=$(echo "$XDG_CACHE_HOME"/pgtable-stack/git-*)/baseline-debug-gcc-$(gcc -dumpfullversion)-qemu-$qemu.tsv
	echo "# x" >"$baseline"
	TESTS=$1 fails "is the baseline of something else" ci/ktest stack
	{
		sed -n 's/^ *wanted is /# /p' <<<"$output"
		printf '%s\tpass\t\n' "$@"
	} >"$baseline"
}

done_='# end of tests\n'
qemu=$(qemu-system-x86_64 --version | sed -n '1s/.*version \([0-9]*\.[0-9]*\).*/\1/p')

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

@test "a * in ci/data/tests that stands for nothing is an error" {
	toy_stack
	printf 'proc/*\tquick\t60\tproc/*\n' >ci/data/tests
	DRY=1 ACCEL=tcg ci/ktest stack
	[ "$(cut -f 1 "${stack%/linux}/tests" | xargs)" = "proc/one proc/two" ]
	sed -i '/+=/d' "$LINUX/tools/testing/selftests/proc/Makefile"
	git -C "$LINUX" commit -qam "other names"
	ci/apply
	fails "has no Makefile that names the tests proc/*" ci/ktest stack
}

@test "how long the stress test runs" {
	toy_stack
	STRESS=long fails "STRESS=long does not begin with a number of seconds" ci/ktest base
	printf '#!/bin/sh\n[ "$1" != --machine ] || exec echo "tcg, CPU max, QEMU %s"\ncat "$3"\nexit 1\n' "$qemu" >ci/guest
	stand_in_build
	printf 'stack/walk_stress quick 600 stack/walk_stress\nmm/a quick 10 mm/a -t 1\n' >ci/data/tests
	# (Two guests may print theirs in any order.)
	fails "mm/a quick 10 mm/a -t 1" ci/ktest base
	[[ "$output" == *"600 stack/walk_stress"* ]]
	STRESS='1800 -s 7' fails "mm/a quick 10 mm/a -t 1" ci/ktest base
	[[ "$output" == *$'2400\tstack/walk_stress -t 1800 -s 7'* ]]
	printf 'stack/walk_stress\tquick\t600\tstack/walk_stress\n' >ci/data/tests
	base_says stack/walk_stress
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
	base_says mincore
	TESTS=cachestat fails "the baseline has no verdict for cachestat" ci/ktest stack
}

@test "worse than the base once is a flake, worse again is not, and a complaint is final" {
	toy_stack
	stand_in_build
	cache_of=$(echo "$XDG_CACHE_HOME"/pgtable-stack/git-*)
	base_says mincore cachestat
	# The first guest runs both and one fails, the others run that one.
	both="not ok 1 mincore\nok 2 cachestat\n$done_" one="ok 1 mincore\n$done_"
	guests() {
		fake "$1" ''
		printf '%b' "$2" >"$t/results1"
		printf '%b' "$3" >"$t/results2"
		printf '%b' "$4" >"$t/results3"
		echo 0 >"$t/n"
		sed -i "3i n=\$((\$(cat $t/n) + 1)); echo \$n >$t/n; cp $t/results\$n $t/results" "$t/bin/qemu-system-x86_64"
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
	export XDG_CACHE_HOME=$real_cache PGTABLE_STACK_LOCKED=$locked STACK_OF=$real_of
	[ -z "$real_linux" ] || export LINUX=$real_linux
	printf 'mm/a quick 10 mm/a\n' >"$t/list"
	APPEND=$1 ci/guest stack debug "$t/list" "$t/dir"
}

@test "a failure of a test of our own is not excused by chance" {
	toy_stack
	stand_in_build
	export TESTS='^(kunit|stack/walk_stress)$'
	base_says kunit stack/walk_stress
	fake '' "    not ok 1 pt_range_walk_race\nnot ok 1 kunit\nok 2 stack/walk_stress\n$done_"
	fails "a test of our own fails, by chance or not: kunit: pt_range_walk_race" ci/ktest stack
	fake '' "ok 1 kunit\nnot ok 2 stack/walk_stress # exit code 1\n$done_"
	fails "a test of our own fails, by chance or not: stack/walk_stress" ci/ktest stack
	[ ! -e "${baseline%/*}/stack/results/again1" ]
}

@test "what is built is built anew after an edit, whatever it is of, and not without one" {
	toy_stack
	stand_in_build
	printf '#!/bin/sh\n[ "$1" = --machine ] && echo tcg\n' >ci/guest
	printf 'mm/a quick 10 mm/a\n' >ci/data/tests
	builds() { wc -l <"$XDG_CACHE_HOME/pgtable-stack/builds"; }
	n=0
	built() {
		run ! ci/ktest base
		n=$((n + $1))
		[ "$(builds)" = $n ]
	}
	tree=${stack%/stack/linux}/base/linux
	out=${tree%/linux}/debug
	built 1
	built 0
	# As ci/build does when there is none.
	git -C "$stack" worktree add -q --detach "$tree" HEAD~2
	mkdir -p "$XDG_CACHE_HOME/pgtable-stack/linux.git/info"
	echo '*.o' >>"$XDG_CACHE_HOME/pgtable-stack/linux.git/info/exclude"
	mkdir -p "$tree/tools/testing/selftests/mm/page_frag"
	built 0
	[[ "$output" == *"base-debug is built, and nothing has changed since"* ]]
	echo >"$tree/new.c"
	built 1
	for edited in "$tree"/{new.c,mm/memory.c,tools/testing/selftests/mm/page_frag/page_frag_test.c} \
		selftests/walk_stress.c configs/debug.config ci/kbuild.sh; do
		echo >>"$edited"
		built 1
		built 0
	done
	rm "$tree/new.c"
	built 1
	echo >"$tree/tools/testing/selftests/mm/page_frag/page_frag_test.o"
	built 0
	rm -r "$out/kselftest"
	built 1
	# Somebody else's build began, and took the mark away.
	rm "$out.built"
	built 1
	built 0
	# Of two machines: what made the kernel is the same, when that was isn't.
	git -C "$tree" reset -q --hard
	built 1
	find "$tree" "$out" selftests configs ci -exec touch {} +
	built 0
	# Another compiler or linker, another version of a package.
	mkdir "$t/other"
	for tool in gcc ld dpkg-query; do
		printf '#!/bin/sh\n[ "$1" = -dumpfullversion ] || echo other\nexec %s "$@"\n' "$(type -P $tool)" >"$t/other/$tool"
		chmod +x "$t/other/$tool"
		PATH=$t/other:$PATH built 1
		PATH=$t/other:$PATH built 0
	done
	built 1
	# One that fails.
	sed -i 's/^echo.*/&\nexit 1/' ci/build
	built 1
	built 1
}

@test "a kernel that the workflow hands on is not built again" {
	toy_stack
	stand_in_build
	base_says mincore
	fake '' "ok 1 mincore\n$done_"
	export TESTS=mincore HOME=$t/home
	steps() { # JOB: its commands of more than a line
		python3 -c 'import sys, yaml
for step in yaml.safe_load(open(".github/workflows/stack.yml"))["jobs"][sys.argv[1]]["steps"]:
    if "\n" in step.get("run", ""): print(step["run"])' "$1"
	}
	mkdir "$HOME"
	ln -s "$XDG_CACHE_HOME" "$HOME/.cache"
	make -s LINUX="$LINUX" build
	mkdir "${stack%/linux}/debug/modroot"
	sh -e <(steps build)
	rm -rf "${stack%/linux}"
	sh -e <(steps check)
	ci/apply
	KERNEL='' run -0 ci/ktest stack
	[[ "$output" == *"stack-debug is built, and nothing has changed since"* ]]
	[ "$(wc -l <"$XDG_CACHE_HOME/pgtable-stack/builds")" = 1 ]
}

@test "what takes long is shared out to two guests by what it took, and put together" {
	toy_stack
	stand_in_build
	cat >ci/guest <<-'S'
		#!/usr/bin/env bash
		[ "$1" != --machine ] || { echo "tcg, CPU max, QEMU 7.2"; exit; }
		mkdir -p "$4"
		touch "$4/splats.txt"
		while read -r name _ _ ms; do
			echo "$name" >>"$4/ran"
			printf '# start %s\nok 1 %s\n# took %s ms\n' "$name" "$name" "$ms" >>"$4/results.ktap"
			printf '%s\tpass\t\n' "$name" >>"$4/rows.tsv"
		done <"$3"
		[ ! -e "$4/ran" ] || ! grep -qx "${FAILS:-none}" "$4/ran"
	S
	printf '%s\tquick\t1000\t%s\n' a 90000 b 30000 c 40000 d 10000 >ci/data/tests
	here=$(echo "$XDG_CACHE_HOME"/pgtable-stack/git-*)
	export TESTS=all
	ran() { for g in 1 2; do xargs <"$here/base/results/$g/ran"; done; }
	ci/ktest base
	[ "$(ran | wc -w)" = 4 ]
	[ "$(ran | wc -l)" = 2 ]
	ci/ktest base
	ran
	[ "$(ran | sort | paste -sd /)" = "a/b c d" ]
	[ "$(grep -c pass "$here"/baseline-debug-gcc-*.tsv)" = 4 ]
	[ "$(grep -c '^# start' "$here/base/results/results.ktap")" = 4 ]
	# One that fails fails the run, and what is short goes to one.
	FAILS=c fails "" ci/ktest base
	export TESTS='^[cd]$'
	ci/ktest base
	[ ! -e "$here/base/results/2" ]
}

@test "answers of the base that were being written are none" {
	toy_stack
	stand_in_build
	printf 'stack/same_answers\tquick\t60\tstack/same_answers\n' >ci/data/tests
	fake '' "# start stack/same_answers\n    # scene: a\n    #  line 1\nok 1 stack/same_answers\n# took 3 ms\n$done_"
	cat >"$t/bin/sed" <<-S
		#!/bin/bash
		case "\$*" in *"# start stack/same_answers"*) touch "$t/asked"; echo "scene: a"; exit 1 ;; esac
		exec /usr/bin/sed "\$@"
	S
	chmod +x "$t/bin/sed"
	run ! ci/ktest base
	[ -e "$t/asked" ]
	grep -q '# start stack/same_answers' "$XDG_CACHE_HOME/pgtable-stack/"*/base/results/results.ktap
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

# nobody COMMAND...: a guest's script that takes this for its guest may do no harm.
nobody() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --no-new-privs timeout 10 "$@"
	else
		timeout 10 "$@"
	fi
}

@test "guest-init does nothing but in a guest, and --help says what it is" {
	init=$(mktemp)
	cp ci/guest-init "$init"
	chmod 644 "$init"
	cd /
	LIST=/dev/null OUT=/tmp fails "this is for the guest that ci/guest boots, and does nothing here" nobody bash "$init"
	[ "$status" = 2 ]
	run nobody bash "$init" --help
	rm "$init"
	[ "$status" = 0 ]
	[[ "$output" == "The guest's init: "* ]]
}

@test "every script says how it is called, and --help runs nothing" {
	for script in ci/* ci/checks/* ci/wrappers/*; do
		case $script in
		ci/guest-init) continue ;;
		esac
		[ -f "$script" ] && [ -x "$script" ] || continue
		run "$script" --help
		echo "$script: $output"
		[ "$status" = 0 ] && [ -n "$output" ]
		[[ $script != ci/wrappers/* ]] || continue # they take what the compiler takes
		run "$script" --no-such-option
		echo "$script: $output"
		[ "$status" = 2 ]
		[[ "$output" == *"$script"* ]]
	done
	[ ! -e "$XDG_CACHE_HOME" ]
	for wrong in "ci/guest" "ci/guest stack debug" "ci/guest no-such debug a b" "ci/build --w1 stack" \
		"ci/build --objects stack" "ci/ktest" "ci/ktest no-such" "ci/answers -s" "ci/answers -s 7 -x" \
		"ci/report --chek 1" "ci/fetch now" "ci/sizes a b" "ci/export --to" "ci/checks/boot" "ci/checks/boot 1 a b"; do
		# shellcheck disable=SC2086 # words
		fails "usage:" $wrong
		[ "$status" = 2 ]
	done
}

@test "what the guest needs of this machine is looked for before anything is built" {
	toy_stack
	stand_in_build
	echo "odd-package mount,no-such-command guest" >>ci/data/packages
	fails "the tool 'no-such-command' is missing" ci/ktest base
	[[ "$output" == *"or install the package odd-package"* ]]
	[ "$status" = 4 ]
	[ ! -e "$XDG_CACHE_HOME/pgtable-stack/builds" ]
}

@test "a guest that lacks something of this machine names it" {
	toy_stack
	fake 'Linux version\nguest-init: this machine has no mount\r\n[ 1.0] Kernel panic - not syncing: Attempted to kill init!\n' ''
	fails "error: the guest did not begin: this machine has no mount" ci/guest stack debug "$t/list" "$t/dir"
	[ "$status" = 4 ]
}

@test "a KVM that aborts is not used, and nothing is said of it" {
	toy_stack
	fake '' '' 'kill -ABRT $$'
	sed -i 's,/dev/kvm,/dev/null,' ci/guest
	unset ACCEL
	run -0 --separate-stderr ci/guest --machine stack debug
	[ "$output" = "tcg, CPU max, QEMU $qemu" ]
	# shellcheck disable=SC2154
	[ -z "$stderr" ]
	fake '' '' 'echo "Linux version"'
	unset ACCEL
	run -0 ci/guest --machine stack debug
	[[ "$output" == "kvm, CPU max of "?*", QEMU $qemu" ]]
	KERNEL=$t/none run -0 ci/guest --machine stack debug
	[[ "$output" == "unknown, "* ]]
}

@test "another accelerator, CPU or QEMU has verdicts of its own" {
	toy_stack
	stand_in_build
	base_says mincore
	export TESTS=mincore
	fake '' "ok 1 mincore\n$done_"
	ci/ktest stack
	sed -i "s/version $qemu/version 99.9/" "$t/bin/qemu-system-x86_64"
	run -0 ci/ktest stack
	[[ "$output" == *"there is no baseline for "*", tcg, CPU max, QEMU 99.9: making it"* ]]
	ACCEL=kvm run -0 ci/ktest stack
	[[ "$output" == *"there is no baseline for "*", kvm, CPU max of "*", QEMU 99.9: making it"* ]]
	[ "$(find "${baseline%/*}" -name 'baseline-*.tsv' | wc -l)" = 3 ]
}

@test "each configuration has verdicts and results of its own" {
	toy_stack
	stand_in_build
	export TESTS=mincore
	fake '' "ok 1 mincore\n$done_"
	CONFIG=slow fails "there is no configuration 'slow'" ci/ktest stack
	for config in fast mm-ci; do
		CONFIG=$config ci/ktest stack
		[ "$(cut -f 1,2 "${stack%linux}results-$config/table.tsv" | xargs)" = "SAME mincore" ]
		baseline=$(echo "${stack%stack/linux}baseline-$config"-gcc-*)
		grep -q "^# Linux git-.*, configuration $config .*, tcg, CPU max, QEMU $qemu\$" "$baseline"
		python3 -m json.tool "${stack%linux}results-$config/results.json" >/dev/null
	done
	[ "$(xargs <"$XDG_CACHE_HOME/pgtable-stack/builds")" = "base stack base stack" ]
	# Another worktree, the same base: no baseline is made again.
	export STACK_OF=ci
	ci/apply
	CONFIG=fast ci/ktest stack
	[ "$(xargs <"$XDG_CACHE_HOME/pgtable-stack/builds")" = "base stack base stack stack" ]
	[ ! -e "${stack%linux}results" ]
}

@test "DRY=1 prints the command, and builds and boots nothing" {
	toy_stack
	stand_in_build
	export ACCEL=tcg
	DRY=1 run -0 ci/ktest stack
	[[ "${lines[-1]}" == "qemu-system-x86_64 "*" -append '"*" init="*"/init "* ]]
	[ ! -e "$XDG_CACHE_HOME/pgtable-stack/builds" ]
	# What it prints boots.
	fake '' "ok 1 mincore\n$done_"
	ln -s "$t/bin/qemu-system-x86_64" "$t/bin/other"
	bash -c "${lines[-1]}"
	grep -q mincore "${stack%linux}results/results.ktap"
}

@test "a prompt on this terminal" {
	toy_stack
	fake '' '' 'printf "%s\n" "$@"; cat'
	run -0 ci/guest --shell stack debug <<<"from the terminal"
	[[ "$output" == *$'-serial\nmon:stdio'*"from the terminal" ]]
	[[ "$output" == *"readonly=on"* && "$output" != *"LIST="* && "$output" != *"-monitor"* ]]
}

@test "how long and how much disk a run takes is said before it begins" {
	run -0 ci/ktest about
	[[ "$output" == *"the first time this takes "*" to build on "*"4 GB of $XDG_CACHE_HOME"* ]]
	mkdir -p "$XDG_CACHE_HOME/pgtable-stack/some/stack"
	touch "$XDG_CACHE_HOME/pgtable-stack/some/stack/debug.built"
	run -0 ci/ktest about
	[ -z "$output" ]
	CONFIG=fast run -0 ci/ktest about
	[[ "$output" == *"the build of fast (not measured)"* ]]
}

# gone PROCESS: within five seconds.
gone() {
	local i
	for ((i = 0; i < 50; i++)); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	kill -KILL "$1"
	return 1
}

@test "a signal takes effect at once, and leaves no QEMU, SIGKILL neither" {
	toy_stack
	for signal in TERM INT KILL; do
		rm -f "$t/pid"
		fake 'Linux version\n' '# start mm/a\n' "trap '' TERM; echo \$\$ >$t/pid; while :; do sleep 1; done"
		# Not a job of this shell's, which would ignore SIGINT.
		env --default-signal=INT ci/guest stack debug "$t/list" "$t/dir" >"$t/log" 2>&1 3>&- &
		guest=$!
		until [ -s "$t/pid" ]; do sleep 0.1; done
		kill -"$signal" "$guest"
		gone "$guest"
		gone "$(cat "$t/pid")"
		wait "$guest" || rc=$?
		case $signal in TERM) [ "$rc" = 143 ] ;; INT) [ "$rc" = 130 ] ;; esac
	done
}

# bats test_tags=kernel
@test "a real kernel that panics" {
	fails "the guest panics: Kernel panic - not syncing: Requested init /nonexistent failed" real "kunit.enable=0 init=/nonexistent"
}

# bats test_tags=kernel
@test "a real kernel that hangs" {
	TRIES=1 IDLE=60 fails "the guest hangs: no sign of life for 60 s" real "init=/usr/bin/sleep -- 1000"
}

# bats test_tags=kernel
@test "a real guest names what it lacks" {
	fails "the guest did not begin: this machine has no no-such-command other" real "kunit.enable=0 NEEDS=mount,no-such-command,other"
}

# bats test_tags=kernel
@test "a real prompt, the root file system read-only" {
	export XDG_CACHE_HOME=$real_cache STACK_OF=$real_of
	[ -z "$real_linux" ] || export LINUX=$real_linux
	# What comes before its driver listens is lost.
	APPEND=kunit.enable=0 run -0 ci/guest --shell stack debug < <(printf '\n%.0s' {1..100}; echo "touch /etc/x; echo \$((6 * 7))d; exit")
	[[ "$output" == *"touch: cannot touch '/etc/x': Read-only file system"*42d* ]]
}

@test "walk_stress: who runs and runs hangs, or who waits; not who might run and isn't let" {
	# Its judgement alone: the stress is for a guest.
	{
		cat <<-'C'
			#include <stdbool.h>
			#include <stdio.h>
			#include <stdlib.h>
			#include <string.h>
			#include <time.h>
			#include <unistd.h>
			#define MAX_WORKERS 1
			static void show_thread(int tid) { }
			static void show_cpus(void) { }
			static bool look(int tid, unsigned long *ticks, unsigned long *switches);
			static int check_for_pattern(FILE *fp, const char *pattern, char *buf, size_t len)
			{
				while (fgets(buf, len, fp))
					if (!strncmp(buf, pattern, strlen(pattern)))
						return 1;
				return 0;
			}
			static int busy;
			static void beat(void) /* of a busy one, until it has had 100 ms of a CPU */
			{
				unsigned long switches, begin, ticks;

				usleep(150000);
				for (look(busy, &begin, &switches), ticks = begin; busy && ticks < begin + 10; usleep(1000))
					look(busy, &ticks, &switches);
			}
		C
		sed -n '/^static.* now(/,/^}/p; /^static.* read_field(/,/^}/p; /^static bool look(/,/^}/p; /^static bool kernel_hangs(/,/^}/p' \
			selftests/walk_stress.c
		echo 'int main(int c, char **v) { int tid = atoi(v[1]); busy = c > 2 ? tid : 0; return !kernel_hangs(&tid, 1); }'
	} >"$t/judge.c"
	gcc -o "$t/judge" "$t/judge.c"
	bash -c 'while ((SECONDS < 60)); do :; done' 3>&- &
	"$t/judge" $! busy
	kill $!
	sleep 60 3>&- &
	until [ "$(cut -d ' ' -f 2,3 "/proc/$!/stat")" = "(sleep) S" ]; do sleep 0.1; done
	sleep 0.2
	"$t/judge" $!
	kill $!
	bash -c 'while ((SECONDS < 60)); do sleep 0.1; done' 3>&- &
	run ! "$t/judge" $!
	kill $!
}
