# shellcheck shell=bash disable=SC2034,SC2154 # bats and the tests have a part in them
bats_require_minimum_version 1.5.0

# A copy of the repository with a stack of its own, on a toy tree that passes
# for Linux 7.3, so that a test takes no time and leaves nothing behind.

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	t=$BATS_TEST_TMPDIR
	unset "${!GIT_@}" PGTABLE_STACK_GIT_CONFIG
	export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@localhost
	export GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@localhost
	locked=${PGTABLE_STACK_LOCKED:-}
	real_linux=${LINUX:+$(realpath "$LINUX")}
	real_of=${STACK_OF:-}
	unset PGTABLE_STACK_LOCKED STACK_OF LINUX MIRROR KEYRING TESTS STRESS PATCH CHECKS SHARD MINUTES ROWS BASE
	unset ACCEL PLUGIN KERNEL APPEND IDLE LIMIT TRIES MACHINE CONFIG ARCH MAKEFLAGS MAKELEVEL
	cp -a "$top" "$t/repo" 2>/dev/null || true
	rm -rf "$t/repo/.git" "$t/repo/patches"
	mkdir "$t/repo/patches"
	cd "$t/repo" || return
	real_cache=${XDG_CACHE_HOME:-$HOME/.cache}
	export XDG_CACHE_HOME=$t/cache
}

# A toy Linux at $LINUX with a stack of two patches, applied.
toy_stack() {
	export LINUX=$t/linux
	git init -q "$LINUX"
	printf 'VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\n' >"$LINUX/Makefile"
	mkdir -p "$LINUX"/{mm,tools/testing/selftests/proc}
	printf 'TEST_GEN_PROGS :=\nTEST_GEN_PROGS += one\nTEST_GEN_PROGS += two\n' >"$LINUX/tools/testing/selftests/proc/Makefile"
	seq 1 40 >"$LINUX/mm/memory.c"
	git -C "$LINUX" add .
	git -C "$LINUX" commit -qm base
	printf '# base: 7.3.4-1\n\n# Part 1: toy\n' >series
	git -C "$LINUX" checkout -q -b toy
	sed -i 's/^10$/ten/' "$LINUX/mm/memory.c"
	git -C "$LINUX" commit -qam "mm: spell out ten"
	sed -i 's/^30$/thirty/' "$LINUX/mm/memory.c"
	git -C "$LINUX" commit -qam "mm: spell out thirty"
	git -C "$LINUX" format-patch -q --zero-commit --full-index --no-signature -N \
		-o "$t/repo/patches" HEAD~2
	git -C "$LINUX" checkout -q -
	(cd patches && printf '%s\n' *) >>series
	ci/apply
	stack=$(echo "$XDG_CACHE_HOME"/pgtable-stack/git-*/stack/linux)
}

# A ci/build that builds nothing but what ktest looks for, and counts.
stand_in_build() {
	cat >ci/build <<-'S'
		#!/usr/bin/env bash
		#   ci/build [--kselftest] stack|base CONFIG
		. "$(dirname "$0")/lib.sh"
		find_base
		out=$cache/$id/$2/$3
		rm -rf "$out/kselftest"
		mkdir -p "$out/arch/x86/boot" "$out/kselftest"
		touch "$out/arch/x86/boot/bzImage"
		echo "$2" >>"$cache/builds"
	S
}

# fails MESSAGE COMMAND...: it exits non-zero and its output has MESSAGE.
fails() {
	local message=$1
	shift
	run "$@"
	echo "$output"
	[ "$status" != 0 ]
	[[ "$output" == *"$message"* ]]
}

# without COMMAND...: a directory, to be the PATH, that has all but these.
without() {
	mkdir "$t/without"
	cp -s /usr/bin/* /usr/sbin/* "$t/without" 2>/dev/null || true
	(cd "$t/without" && rm "$@")
}
