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
	printf '#!/bin/sh\nsleep 2\nexit 3\n' >ci/ktest
	run ci/check
	echo "$output"
	[ "$status" = 3 ]
	[[ "$output" == *"FAILED  x86_64 against the base"* ]]
	grep -qE '^ +[0-9]+ +[0-9]+   x86_64 against the base$' <<<"$output"
	grep -qE '^[0-9]+ passed, 1 failed, 0 skipped$' <<<"${lines[-1]}"
	grep -q 'objects stack ppc64le' "$t/ran"
	grep -q 'each-patch objects' "$t/ran"
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
}
