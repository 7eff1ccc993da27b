#!/usr/bin/env bats
# report and bench: from results to the text for the list, and for somebody's own CI.

# shellcheck disable=SC2154 # bats and helper.bash set these
load helper

# toy_results: what make run left, all of it good.
toy_results() {
	toy_stack
	cache=${stack%/stack/linux} results=${stack%/linux}/results
	mkdir -p "$results"
	git -C "$stack" rev-parse 'HEAD^{tree}' >"$results/tree"
	touch "$results"/{splats.txt,console.log}
	printf 'kunit quick 60 kunit\nmm/cow quick 60 mm/cow\nmm/slow all 60 mm/slow\nstack/pgtable_paths quick 60 x\n' >ci/data/tests
	printf '%s\t%s\t%s\t%s\t\n' \
		SAME "kunit: damon" pass pass \
		ADDED "kunit: pt_range_walk: one" - pass \
		ADDED "kunit: pt_range_walk: two" - skip \
		SAME kunit pass pass \
		SAME "mm/cow: one" pass pass \
		KNOWN "mm/cow: two" pass fail \
		SAME "mm/cow: three" skip skip \
		SAME mm/cow pass pass \
		SAME "stack/pgtable_paths: fork" pass pass \
		SAME stack/pgtable_paths pass pass >"$results/table.tsv"
}

report() { ci/report >"$t/out" && digest=$cache/report/digest.txt; }

# figure NAME VALUE: that is what the report has.
figure() {
	grep "^$1	" "$cache/report/figures.tsv"
	[ "$(awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$cache/report/figures.tsv")" = "$2" ]
}

@test "the report shows a kernel that complained" {
	toy_results
	report
	run ! grep -q FAILED "$digest"
	figure complaints 0
	printf '11-before\n12:[    3.4] BUG: KASAN: use-after-free <x>\n--\n14:WARNING: y\n' >"$results/splats.txt"
	report
	grep -q '^FAILED make run: the kernel complained: BUG: KASAN: use-after-free <x>$' "$digest"
	figure complaints 2
	# or only in a guest that ran a test once more
	mkdir "$results/again1"
	mv "$results/splats.txt" "$results/again1/"
	report
	grep -q '^FAILED make run: the kernel complained: BUG: KASAN' "$digest"
}

@test "the report shows a run that did not get to its end" {
	toy_results
	rm "$results"/{table.tsv,tree}
	printf 'x\n[    9.1] Kernel panic - not syncing: oops\r\n' >"$results/console.log"
	printf '# start mm/cow\n' >"$results/results.ktap"
	report
	grep -q '^FAILED the last make run: the guest did not get to the end of its tests, but to mm/cow: Kernel panic - not syncing: oops' "$digest"
	run ! grep -q 'make run was not run' "$digest"
	# unless it is still at it
	(
		exec 9>>"$XDG_CACHE_HOME/pgtable-stack/lock"
		flock 9
		exec sleep 300
	) 3>&- &
	holder=$!
	sleep 1
	report
	run ! grep -q FAILED "$digest"
	grep -q 'make run did not get to its end, or is still at it' "$digest"
	# and what it is at may be another version than patches/ has
	cp -a patches "$t/before"
	sed -i 's/^+thirty/+THIRTY/' patches/0002*
	fails "patches/ is not what is applied" ci/report
	fails "another run (process" make report
	cp "$t/before/"* patches/
	kill "$holder"
	wait "$holder" || true
	mv "$stack" "$stack.gone"
	fails "there is no worktree of the stack" ci/report
	mv "$stack.gone" "$stack"
	report
	grep -q FAILED "$digest"
	# and so does one in which a test was run once more
	rm -r "$results"
	mkdir -p "$results/again1"
	git -C "$stack" rev-parse 'HEAD^{tree}' >"$results/tree"
	printf 'NEW\tmm/cow\tpass\tfail\t\n' >"$results/table.tsv"
	touch "$results/again1/console.log"
	printf 'mm/cow\tquick\t60\tmm/cow\n' >"${results%/results}/tests.again"
	report
	grep -q '^FAILED make run: a guest that ran mm/cow once more did not get to its end$' "$digest"
	grep -q '^  NEW mm/cow: fail, base pass$' "$digest"
}

@test "x86_64 is booted by make run, not by make matrix" {
	toy_results
	mkdir "$cache/matrix"
	cp "$results/tree" "$cache/matrix/"
	printf 'x86_64\tobjects\t-\tas base (0 warnings)\t-\nalpha\tobjects\t-\tas base (0 warnings)\t-\n' >"$cache/matrix/table"
	report
	grep -q '^  alpha  *as base (0 warnings)$' "$digest"
	grep -q 'architectures without a result: x86_64-rt, ' "$digest"
	sed -n 's/^machines.paths\t//p' "$cache/report/figures.tsv" | grep '^    x86_64           1 passed,   0 skipped'
	rm "$results"/*
	report
	sed -n 's/^machines.paths\t//p' "$cache/report/figures.tsv" | grep '^    x86_64         not booted'
}

@test "what a run says to somebody's own CI, as JSON" {
	results=$t/results
	mkdir "$results"
	printf '%s\t%s\t%s\t%s\t%s\n' \
		SAME "mm/cow: a <b> \"c\"" pass pass "" \
		KNOWN "mm/rmap: k" pass fail "fails now and then" >"$results/table.tsv"
	touch "$results/splats.txt"
	# asserts PYTHON: of that, whose parser is Python's.
	asserts() {
		ci/report --json "$results" | python3 -c "import json, sys; r = json.load(sys.stdin); assert $1, r"
	}
	asserts 'r["tests"][1] == {"status": "KNOWN", "test": "mm/rmap: k", "base": "pass", "verdict": "fail", "remark": "fails now and then"}'
	asserts 'r["tests"][0]["test"] == "mm/cow: a <b> \"c\"" and not r["complaints"] and not r["worse"]'
	printf '12:BUG: <x>\n' >"$results/splats.txt"
	printf 'NEW\tmm/cow\tpass\tfail\t\n' >>"$results/table.tsv"
	asserts '"BUG: <x>" in r["complaints"] and r["worse"]'
	rm "$results"/*
	fails "has no results of a run" ci/report --json "$results"
}

@test "report: called wrongly it says how" {
	for args in --cover --json "--cover 1 2" --foo report; do
		# shellcheck disable=SC2086 # words
		fails "ci/report --json DIR" ci/report $args
	done
	run -0 ci/report --help
	[[ "$output" == *"@ratio.fault.least@"* ]]
	[ ! -e "$XDG_CACHE_HOME" ]
}

@test "a report that is interrupted ends what it runs" {
	toy_results
	printf '#!/bin/sh\necho $$ >"%s"\nexec sleep 300\n' "$t/pid" >ci/each-patch
	ci/report 3>&- &
	until [ -s "$t/pid" ]; do sleep 0.1; done
	kill "$!"
	timeout 5 tail --pid="$!" -f /dev/null
	rc=0
	wait "$!" || rc=$?
	[ "$rc" = 143 ]
	run ! kill -0 "$(cat "$t/pid")"
}

# toy_bench: ci/bench, whose guests count 1000 for the base and 900 for the stack.
toy_bench() {
	toy_results
	mkdir -p "$stack/scripts" "$cache"/{base,stack}/{bench,debug}
	printf '#!/bin/sh\n' | tee ci/build >"$stack/scripts/bloat-o-meter"
	chmod +x "$stack/scripts/bloat-o-meter"
	cp "$(type -P true)" "$cache/base/bench/vmlinux"
	cp "$(type -P bash)" "$cache/stack/bench/vmlinux"
	mkdir "$cache"/{base,stack}/bench/mm
	touch "$cache"/{base,stack}/{bench,debug}/System.map
	cp "$(type -P true)" "$cache/base/bench/mm/memory.o"
	cp "$(type -P true)" "$cache/stack/bench/mm/memory.o"
	cat >ci/guest <<-'S'
		#!/bin/bash
		[ ! -e "$(dirname "$0")/stop-$1" ] || exit 3
		mkdir -p "$4"
		n=1000
		[ "$1" = base ] || n=900
		cost=(fault_cost "fault, a page" "$n" walk_cost "smaps, order-0 pages" "$n")
		cost+=(walk_cost "mlock, order-0 pages" "$n" walk_cost "smaps, hugetlb 2M" "$n" walk_cost "smaps, a page in 4M" "$n")
		printf '# start stack/%s\r\n    # cost\t%s\t%s\r\n' "${cost[@]}" >"$4/results.ktap"
		printf '# start stack/walk_holds\n' >>"$4/results.ktap"
		printf '    # hold\t%s\t%s\t%s\n' 0 PTE "smaps, pages" 1 hugetlb "smaps, hugetlb, 2M" 2 PTE "smaps, large, ones" \
			3 PTE "smaps, few" 4 PTE "move_pages, pages" >>"$4/results.ktap"
		[ "${more:-}" != "$1" ] || printf '    # hold\t3\tPTE\tsmaps, more\n' >>"$4/results.ktap"
		hold=(0 PTE 1000 1 PMD 1$n 2 PTE $((1400 - n)) 0 PMD 99999 3 PTE $((n * 29 - 26000)) 4 PTE 5000)
		[ -z "${no_lock:-}" ] || hold[3]=5
		printf '%s\t%s\t%s\n' "${hold[@]}" >"${PLUGIN##*out=}"
		printf 'stack/walk_cost\t%s\t\nkunit\tfail\t\n' ${walked:-pass} >"$4/rows.tsv"
	S
}

@test "half a bench is no figure" {
	toy_bench
	touch ci/stop-stack
	run ci/bench
	[ "$status" != 0 ]
	report
	grep -q 'make bench did not get to its end' "$digest"
	run ! grep -q 1000 "$digest"
	rm ci/stop-stack
	ci/bench
	report
	grep -q '^  smaps, order-0 pages  *1000  *900  0.90$' "$digest"
	grep -q '^  vmlinux ' "$digest"
	figure 'ratio:smaps-order-0-pages' 0.90
	figure ratio.fault.least 0.90
	figure text.base:vmlinux "$(size "$(type -P true)" | awk 'NR == 2 { print $1 }')"
	figure text.part:1 +0
	figure text:mm/memory.o '+0.0%'
	# Where nothing was counted is a mark; not each kind is in the table.
	grep -q '^costs	  *smaps  *numa_maps  *mincore  *mlock\\n  order-0 pages  *900  0.90  *-  *-  *900  0.90\\n  hugetlb 2M  *900  0.90  *-  *-  *-$' "$cache/report/figures.tsv"
	# Of two kinds the longest, its ratio, and the worst; each table by itself, and hugetlb's
	# is a PMD table. move_pages is left out.
	grep -q '^smaps, hugetlb, 2M, lock of a hugetlb table	11000	1900	stack/walk_holds	bench$' "$cache/bench/costs.tsv"
	grep -q '^holds	.*PTE table  *PMD table  *hugetlb table\\n  smaps  *1000 1.00 1.25  *-  *1900 0.17 0.17$' "$cache/report/figures.tsv"
	run ! grep -q 'lock of' "$digest"
	export more no_lock walked
	no_lock=1 fails "no lock was seen on base of a hugetlb table" ci/bench
	walked=skip fails "not all was counted on base: stack/walk_cost" ci/bench
	for more in base stack; do
		more=$more fails "base and stack were not asked for the same" ci/bench
	done
	# Of the debug kernel there are no figures for a letter that says "without".
	CONFIG=debug ci/bench
	report
	grep -q 'Instructions, base, patched, ratio (CONFIG=debug)' "$digest"
	run ! grep cost "$cache/report/figures.tsv"
	# Nor is what was stopped taken for a whole of two halves.
	touch ci/stop-stack
	run ci/bench
	report
	grep -q 'make bench did not get to its end' "$digest"
	run ! grep -q '1000' "$digest"
}

@test "the figures of a report" {
	toy_results
	mkdir "$cache/matrix"{,/s390,/arm64}
	cp "$results/tree" "$cache/matrix/"
	printf '%s\twhole\tbuilt\t-\t%s\n' s390 "s390 3 passed, 0 failed, 1 skipped" \
		arm64 "FAILED: the guest hangs" >"$cache/matrix/table"
	printf '%s\n' arm-lpae$'\twhole\tbuilt\t-\t'"arm-lpae 9 passed, 0 failed, 0 skipped" \
		s390$'\twhole\tbuilt\t-\t'"older" >"$cache/matrix/table.no-base"
	printf 'stack/pgtable_paths: fork\tpass\t\nstack/pgtable_paths: split\tskip\t\nkunit: pt\tpass\t\nkunit\tpass\t\n' >"$cache/matrix/s390/rows.tsv"
	printf '%s\t%s\t%s\t%s\ts390\n' mm/a.o 100 90 1 mm/b.o 50 57 1 mm/c.o 7 9 - mm/d.o 7 8 3 >"$cache/matrix/s390.sizes"
	printf 'a: x\n b\n' >"$results/answers.base"
	echo 'scene: one: smaps' >"$results/answers.known"
	touch "$results/answers.diff"
	report
	figure text.part:1:s390 -3
	figure text.part.base:1:s390 150
	figure text.part:3:s390 +1
	figure base "7.3 (commit $(git -C "$LINUX" rev-parse HEAD | cut -c 1-12))"
	figure tests.groups "KUnit and mm"
	figure tests.upstream 6
	figure tests.upstream.same 5
	figure tests.upstream.known 1
	figure tests.upstream.skip 1
	figure paths.pass 1
	figure answers.lines 2
	figure answers.differences 0
	figure answers.meant 1
	sed -n 's/^machines.paths\t//p' "$cache/report/figures.tsv" | sed 's/\\n/\n/g' >"$t/paths"
	grep -qx '    x86_64           1 passed,   0 skipped' "$t/paths"
	grep -qx '    s390             1 passed,   1 skipped' "$t/paths"
	grep -qx '    arm64          failed' "$t/paths"
	grep -qx '    arm-lpae         0 passed,   0 skipped' "$t/paths"
	grep -qx '    m68k           not booted' "$t/paths"
	grep -q '^machines.kunit	.*s390             1 passed,   0 skipped' "$cache/report/figures.tsv"
	# Not of a few tests, nor of another stack.
	sed -i '/kunit/d' "$results/table.tsv"
	report
	run ! grep '^tests' "$cache/report/figures.tsv"
	echo other >"$results/tree"
	report
	run ! grep '^complaints' "$cache/report/figures.tsv"
	grep -q '^machines.paths	    x86_64         not booted' "$cache/report/figures.tsv"
	echo other >"$cache/matrix/tree"
	report
	run ! grep ':s390' "$cache/report/figures.tsv"
}

@test "the cover letter says which figures are missing, and which command makes them" {
	toy_results
	printf '%s\n' "Part 1" "------" "" "mm: toy" "" "@tests.upstream.same@ of @tests.upstream@," "patch @no:2@:" \
		"" " - an item of" "   @no:1@ line" " - as" "   it was" "" "@costs@" >cover-letter.txt
	cp cover-letter.txt "$t/cover-letter"
	echo '@alone:1@ @machines.kunit@' >>cover-letter.txt
	fails "nobody filled in: @alone:1@ @costs@" ci/report --cover 1
	[[ "$output" == *"make each-patch makes @alone:1@"*"make matrix makes @machines.kunit@"* ]]
	cp "$t/cover-letter" cover-letter.txt
	fails "nobody filled in: @costs@ @tests.upstream@ @tests.upstream.same@" ci/report --cover 1
	[[ "$output" == *"make bench makes @costs@"*"make run makes @tests.upstream@ @tests.upstream.same@"*'then "make report"'* ]]
	ci/report --check 1
	report
	fails "nobody filled in: @costs@" ci/report --cover 1
	[[ "$output" != *"make run"* ]]
	printf 'costs\t    one\\n    two & three\n' >>"$cache/report/figures.tsv"
	ci/report --cover 1 >"$t/letter"
	grep -qx '5 of 6, patch 2:' "$t/letter"
	grep -qx ' - an item of 1 line' "$t/letter"
	grep -qx ' - as' "$t/letter"
	[ "$(tail -n 2 "$t/letter")" = $'    one\n    two & three' ]
	# A report of another version of the stack
	sed -i 's/^+thirty/+THIRTY/' patches/0002*
	ci/apply
	fails "the last report is of another version of the stack" ci/report --cover 1
	# and what no report will ever have
	echo '@tests.upstream.sane@ @no:3@' >>cover-letter.txt
	fails "no figure that ci/report knows, or no patch of this part: @no:3@ @tests.upstream.sane@" ci/report --check 1
}
