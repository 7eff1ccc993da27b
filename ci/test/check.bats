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
	for s in fetch coccicheck cover build matrix ktest; do
		printf '#!/bin/sh\necho "$0 $*" >>"%s/ran"\n' "$t" >"ci/$s"
	done
	printf '#!/bin/sh\necho "1 toy 2"\n' >ci/parts
	cat >ci/bisect <<-'S'
		#!/usr/bin/env bash
		. "$(dirname "$0")/lib.sh"
		find_base
		mkdir -p "$cache/$id/bisect"
		printf 'a\tb\tc\tpass\n' >"$cache/$id/bisect/last.tsv"
		echo "ci/bisect $CHECKS" >>"$(dirname "$0")/../../ran"
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
	grep -q 'build --objects stack ppc64le' "$t/ran"
	grep -q 'bisect objects' "$t/ran"
}

@test "past CHECK_MINUTES nothing begins that may be left out, and it is named" {
	toy_check
	CHECK_MINUTES=0 run ci/check
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"skipped objects of arm64: CHECK_MINUTES=0 are over"* ]]
	grep -qE '^[0-9]+ passed, 0 failed, 6 skipped$' <<<"${lines[-1]}"
	[ "$(sort -u "$t/ran" | grep -vE 'cover|fetch' | xargs)" = "ci/bisect checkpatch kernel-doc ci/ktest stack" ]
}
