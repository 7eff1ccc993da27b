#!/usr/bin/env bats
# check: what it counts, how long each step took, what it leaves out.

# shellcheck disable=SC2154 # bats and helper.bash set these
load helper

# A toy stack, with commands that do nothing in place of what takes long.
toy_check() {
	local s
	mkdir "$t/bin"
	toy_stack
	for s in shellcheck yamllint; do
		printf '#!/bin/sh\n' >"$t/bin/$s"
	done
	printf '#!/bin/sh\nprintf "1..1\\nok 1 $2\\n"\n' >"$t/bin/bats"
	for s in fetch coccicheck report objects matrix ktest; do
		printf '#!/bin/sh\necho "$0 $*" >>"%s/ran"\n' "$t" >"ci/$s"
	done
	cat >ci/each-patch <<-'S'
		#!/usr/bin/env bash
		#   ci/each-patch [ROW...]
		. "$(dirname "$0")/lib.sh"
		find_base
		mkdir -p "$cache/$id/each-patch"
		printf 'a\tb\tc\tpass\n' >"$cache/$id/each-patch/last.tsv"
		echo "ci/each-patch $CHECKS" >>"$(dirname "$0")/../../ran"
	S
	chmod +x "$t/bin/"* ci/*
	PATH=$t/bin:$PATH
}

@test "all steps are counted, and timed" {
	toy_check
	cat >ci/ktest <<-'S'
		#!/usr/bin/env bash
		#   ci/ktest stack
		. "$(dirname "$0")/lib.sh"
		find_base
		mkdir -p "$cache/$id/stack/results"
		printf '%s\tmm/a\tx\t%s\t\n' NEW fail VANISHED - UNKNOWN fail KNOWN fail SAME pass FIXED pass SAME xfail SAME skip \
			>"$cache/$id/stack/results/table.tsv"
		sleep 2
		exit 3
	S
	printf '#!/bin/sh\nprintf "1..3\\nok 1 a\\nnot ok 2 b\\nok 3 c # skip d\\n"\nexit 1\n' >"$t/bin/bats"
	run ci/check
	echo "$output"
	[ "$status" = 3 ]
	[ "$(sed -n 's/^ok      //p' <<<"$output" | paste -sd,)" = "every patch applies, without fuzz,git am,export gives back patches/ and series,no tag that \
only a person gives,shellcheck,yamllint .github,cover letters: ci/report knows their figures,the rules of coccinelle/,objects of arm64,objects of \
ppc64le,s390 builds, boots and passes the tests" ]
	[ "$(sed -n 's/^FAILED  //p' <<<"$output")" = "x86_64 against the base" ]
	grep -qE '^ +[0-9]+ +[0-9]+   x86_64 against the base$' <<<"$output"
	# Of these 11, two of each-patch, three of the table, two of bats; ktest, three, two; two, two.
	[ "${lines[-1]}" = "18 passed, 6 failed, 4 skipped" ]
	grep -q 'objects stack ppc64le' "$t/ran"
	grep -q 'each-patch objects' "$t/ran"
	# Nor is a bats that runs nothing, or fails by itself, a success; nor a step, nor what is in the background.
	printf '#!/bin/sh\n' | tee ci/ktest >"$t/bin/bats"
	printf '#!/bin/sh\nexit 1\n' >"$t/bin/shellcheck"
	printf '#!/bin/sh\necho "BASH_ENV"; kill -9 $PPID\n' >ci/coccicheck
	run ci/check
	echo "$output"
	[ "$status" = 3 ]
	[ "$(sed -n 's/^FAILED  //p' <<<"$output" | paste -sd,)" = "shellcheck,others: it ended before its end" ]
	[ "${lines[-1]}" = "8 passed, 4 failed, 0 skipped" ]
}

@test "a tag that only a person gives, and a run that doesn't get to its end" {
	toy_check
	sed -i 's/^---$/Acked-by: B\n&/' patches/0002*
	ci/apply
	ci/export
	run ci/check
	[ "$status" = 3 ]
	[[ "$output" == *"FAILED  no tag that only a person gives"*"        patches/0002-mm-spell-out-thirty.patch: Acked-by: B"* ]]
	printf '#!/bin/sh\nkill "$(cat "%s")"\nsleep 5\n' "$XDG_CACHE_HOME/pgtable-stack/lock" >ci/ktest
	run ci/check
	echo "$output"
	[ "$status" = 143 ]
	grep -qE '^not finished: [0-9]+ passed, ' <<<"$output"
	printf '#!/bin/sh\nexit 3\n' >ci/fetch
	run ci/check
	[ "$status" = 3 ]
	grep -qE "^not finished: [0-9]+ passed, 1 failed, 0 skipped$" <<<"${lines[-1]}"
}

@test "past CHECK_MINUTES nothing begins that may be left out, and it is named" {
	toy_check
	CHECK_MINUTES=0 run ci/check
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"skipped objects of arm64: CHECK_MINUTES=0 are over"* ]]
	grep -qE '^[0-9]+ passed, 0 failed, 6 skipped$' <<<"${lines[-1]}"
	[ "$(sort -u "$t/ran" | grep -vE 'report|fetch' | xargs)" = "ci/each-patch checkpatch kernel-doc ci/ktest stack" ]
}

@test ".ci/run goes on where a person's worktree has changes, and leaves them alone" {
	toy_stack
	echo mine >>"$stack/mm/memory.c"
	fails "has changes that patches/ does not have" ci/apply
	printf 'check:\n\t@ci/apply\n' >Makefile
	run .ci/run
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"-ci/stack/linux"* ]]
	[ "$(tail -n 1 "$stack/mm/memory.c")" = mine ]
	# The base is the same, and so is its baseline.
	ids() { STACK_OF=$1 bash -c '. ci/lib.sh; find_base; echo "$base_id $id"'; }
	read -r base id < <(ids '')
	[ "$id" = "$base" ]
	[ "$(ids ci)" = "$base $base-ci" ]
}
