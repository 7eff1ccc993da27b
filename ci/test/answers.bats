#!/usr/bin/env bats
# answers, and what compare and ktest make of stack/same_answers.

# shellcheck disable=SC2154 # bats and helper.bash set these
load helper

# Two kernels that nobody builds: a guest that runs "play WHICH ARGUMENTS" for
# each line of its list, and counts the boots.
stand_in() {
	toy_stack
	stand_in_build
	cat >ci/guest <<-'S'
		#!/bin/bash
		[ "$1" != --machine ] || exec echo "tcg, CPU max, QEMU 7.2"
		which=$1 list=$3 dir=$4
		. "$(dirname "$0")/play"
		echo "$which" >>"$(dirname "$0")/boots"
		mkdir -p "$dir"
		: >"$dir/splats.txt"
		while read -r name _ _ _ arguments; do
			echo "# start $name"
			echo "    TAP version 13"
			# shellcheck disable=SC2086 # words
			play "$which" $arguments | sed 's/^/    # /'
			echo "    ${verdict:-ok} 1 anon"
			echo "    # Totals: pass:1"
			echo "ok 1 $name"
			echo "# took 1 ms"
		done <"$list" >"$dir/results.ktap"
		"$(dirname "$0")/rows" "$dir/results.ktap" >"$dir/rows.tsv"
	S
}

@test "two kernels that say the same, and two that don't" {
	stand_in
	echo 'play() { shift; printf "%s\n" "$1 $2: before: smaps" " area+0: Rss 4"; }' >ci/play
	run ci/answers anon
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"base and patched kernel say the same: 2 lines"* ]]
	echo 'play() { printf "%s\n" "$3: before: smaps" " 1" " 2" " 3" " area+0: Rss $([ $1 = base ] && echo 4 || echo 8)"; }' >ci/play
	fails "base (-) and patched kernel (+) say different things, in 1 places" ci/answers anon
	[[ "$output" == *"@@ anon: before: smaps"*"- area+0: Rss 4"*"+ area+0: Rss 8"* ]]
	[[ "$output" == *"the same again: make answers ARGS='anon'"* ]]
	fails "usage:" ci/answers -x
}

@test "a difference that is meant to be is known line by line" {
	stand_in
	echo 'play() { local n=$([ $1 = base ] && echo 4 || echo 8); printf "%s\n" "anon: before: smaps" " Rss $n" "anon: before: mincore" " 1" " 2" "anon: behind: smaps" " Rss $n"; }' >ci/play
	printf '# why\n@@ anon: before: smaps\n- Rss 4\n+ Rss 8\n\n' >ci/data/known-answers
	fails "say different things, in 1 places" ci/answers anon
	[[ "$output" == *"known    anon: before: smaps"* && "$output" == *"@@ anon: behind: smaps"* ]]
	[[ "$output" != *"@@ anon: before: smaps"* ]]
	printf '# why\n@@ anon: behind: smaps\n- Rss 4\n+ Rss 8\n' >>ci/data/known-answers
	run -0 ci/answers anon
	echo "$output"
	[[ "$output" == *"say the same but for what is in ci/data/known-answers: 7 lines"* ]]
	for other in '- Rss 5\n+ Rss 8' '- Rss 4\n+ Rss 9' '- Rss 4\n+ Rss 8\n+ Rss 9' '+ Rss 8'; do
		printf "@@ anon: before: smaps\n$other\n@@ anon: behind: smaps\n- Rss 4\n+ Rss 8\n" >ci/data/known-answers
		fails "say different things, in 2 places" ci/answers anon
	done
	# What is known and not so any more is a difference, too, if that scene ran.
	known='- Rss 4\n+ Rss 8\n'
	printf "@@ anon: before: smaps\n*\n@@ anon: behind: smaps\n$known@@ other: smaps\n$known@@? anon: smaps\n$known" >ci/data/known-answers
	ci/answers anon
	printf "@@ anon: before: smaps\n@@ anon: behind: smaps\n$known" >ci/data/known-answers
	ci/answers anon
	printf "@@ anon: after: smaps\n$known" >>ci/data/known-answers
	fails "(known, and not so any more)" ci/answers anon
	[[ "$output" == *"@@ anon: after: smaps"*"in 1 places"* ]]
	: >ci/data/known-answers
	fails "say different things, in 2 places" ci/answers anon
	# What is the same because it was cut short on both is no success.
	echo 'verdict="not ok"; play() { printf "%s\n" "anon: before: smaps" " Rss 4"; }' >ci/play
	fails "a scene fails, and the rest of it was not compared" ci/answers anon
	[[ "$output" == *"stack/rows.tsv: stack/same_answers: anon"* ]]
}

@test "of steps the first after which there is a difference is named, and some are tried alone" {
	stand_in
	# After step 41, if there were 3 and 17 before; each step says what all did.
	cat >ci/play <<-'S'
		play() {
			local which=$1 n=200 only='' all='' option OPTIND=1
			shift
			while getopts as:n:o: option; do
				case $option in n) n=$OPTARG ;; o) only=,$OPTARG, ;; esac
			done
			for ((i = 1; i <= n; i++)); do
				[[ -z $only || $only == *,$i,* ]] || continue
				all+=,$i,
				[[ $which == stack && $all == *,3,*,17,*,41,* ]] && all+=broken
				echo "step $i: $all"
			done
			echo "seed 7: in the end: mincore"
			echo " $all"
		}
	S
	fails "say different things, in 2 places" ci/answers -s 7 -n 60
	[[ "$output" == *"step 41 is the first after which they do"*"the same again: make answers ARGS='-s 7 -n 60'"* ]]
	fails "the same again: make answers ARGS='-s 7 -n 41 -o 3,17,41'" ci/answers -s 7 -n 41 -o 3,17,41
	run -0 ci/answers -s 7 -n 40
	[[ "$output" == *"base and patched kernel say the same: 42 lines"* ]]
	run -0 ci/answers -s 7 -n 41 -o 17,41
}

@test "a complaint of the kernel is not passed over" {
	stand_in
	echo 'play() { echo "$3: smaps"; }' >ci/play
	sed -i 's,: >"$dir/splats.txt",echo "BUG: KASAN: oops" >"$dir/splats.txt",' ci/guest
	fails "the kernel complained" ci/answers anon
	[[ "$output" == *"BUG: KASAN: oops"* ]]
}

# said RSS: a run of it on the patched kernel is in $t/dir.
said() {
	mkdir -p "$t/dir"
	touch "$t/dir/splats.txt"
	printf '%s\n' "# start stack/same_answers" "    TAP version 13" "    1..2" \
		"    # small: one: smaps" "    #  area+1000: Rss 4" "    ok 1 small" \
		"    # huge: one: smaps" "    #  area+2000: Rss $1" "    # huge: two: smaps" "    #  area+2000: Rss 8" "    ok 2 huge" \
		"    # Totals: pass:2 fail:0 xfail:0 xpass:0 skip:0 error:0" "ok 1 stack/same_answers" "# took 1 ms" \
		"# end of tests" >"$t/dir/results.ktap"
	ci/rows "$t/dir/results.ktap" >"$t/dir/rows.tsv"
}

@test "a scene that says something else than on the base has failed" {
	said 8
	cp "$t/dir/rows.tsv" "$t/base.tsv"
	printf '%s\n' "# its key" "small: one: smaps" " area+1000: Rss 4" \
		"huge: one: smaps" " area+2000: Rss 8" "huge: two: smaps" " area+2000: Rss 8" >"$t/answers"
	ci/compare "$t/base.tsv" "$t/dir" "$t/answers"
	said 12
	fails "NEW      stack/same_answers: huge: fail, base pass (all of it: make answers ARGS=huge)" \
		ci/compare "$t/base.tsv" "$t/dir" "$t/answers"
	[[ "$output" == *"- area+2000: Rss 8"*"+ area+2000: Rss 12"*"differ in what they say about mappings: 1 places"* ]]
	[ "$(cut -f 1,2 "$t/dir/table.tsv" | xargs)" = "SAME stack/same_answers: small NEW stack/same_answers: huge NEW stack/same_answers" ]
	# A line less, and a situation less.
	said 8
	sed -i '/area+1000/d' "$t/dir/results.ktap"
	fails "NEW      stack/same_answers: small: fail" ci/compare "$t/base.tsv" "$t/dir" "$t/answers"
	said 8
	sed -i '/huge: two/,/Rss/d' "$t/dir/results.ktap"
	fails "NEW      stack/same_answers: huge: fail" ci/compare "$t/base.tsv" "$t/dir" "$t/answers"
	# What no scene has said.
	said 8
	sed -i 's/# small/# middle: one: smaps\n&/' "$t/dir/results.ktap"
	fails "NEW      stack/same_answers: fail" ci/compare "$t/base.tsv" "$t/dir" "$t/answers"
	# What is meant to differ, and doesn't any more.
	said 8
	printf '@@ huge: one: smaps\n- Rss 1\n+ Rss 2\n' >ci/data/known-answers
	fails "NEW      stack/same_answers: huge: fail" ci/compare "$t/base.tsv" "$t/dir" "$t/answers"
}

@test "the base's answers are kept, and those of another program are an error" {
	stand_in
	echo 'play() { echo "anon: before: smaps"; echo " Rss 4"; }' >ci/play
	TESTS=same_answers ci/ktest base
	answers=$(echo "$XDG_CACHE_HOME"/pgtable-stack/git-*/baseline-debug.answers)
	[ "$(sed 1d "$answers" | xargs)" = "anon: before: smaps Rss 4" ]
	TESTS=same_answers ci/ktest stack
	echo 'play() { echo "anon: before: smaps"; echo " Rss 8"; }' >ci/play
	TESTS=same_answers fails "a test of our own fails, by chance or not: stack/same_answers" ci/ktest stack
	echo >>selftests/same_answers.c
	TESTS=same_answers fails ".answers is the baseline of something else" ci/ktest stack
	[[ "$output" == *"make it again: make baseline CONFIG=debug TESTS=same_answers"* ]]
	rm "$answers"
	TESTS=same_answers fails ".answers is the baseline of something else" ci/ktest stack
	TESTS=same_answers ci/ktest base
	TESTS=same_answers ci/ktest stack
}
