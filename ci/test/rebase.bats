#!/usr/bin/env bats
# rebase: the stack on another base. (On Debian's next version: fetch.bats.)

# shellcheck disable=SC2154 # bats and helper.bash set these
load helper

# A toy stack, and a newer toy Linux as the branch "newer".
toy_rebase() {
	toy_stack
	git -C "$LINUX" branch -q newer
	work=$XDG_CACHE_HOME/pgtable-stack/rebase/linux
}

# newer SED-SCRIPT: a commit on that branch.
newer() {
	git -C "$LINUX" worktree add -q "$t/newer" newer 2>/dev/null || true
	sed -i "$1" "$t/newer/mm/memory.c"
	git -C "$t/newer" commit -qam "$1"
}

conflict() {
	newer 's/^30$/30 and more/'
	BASE=newer fails "'mm: spell out thirty' does not apply to $LINUX:newer" ci/rebase
	[[ "$output" == *"conflicts: mm/memory.c"* ]]
	[[ "$output" == *"resolve them in $work, git add -u them there, then 'make rebase' goes on"* ]]
}

resolve() {
	sed -i '/^[<=>|]\{7\}/d; /^30 and more$/d; /^30$/d' "$work/mm/memory.c"
	git -C "$work" add mm/memory.c
}

# The patches make, on the newer Linux, what they shall.
stands_on_newer() {
	git clone -q -b newer "$LINUX" "$t/read"
	git -C "$t/read" am -q "$PWD"/patches/*.patch
	grep -qx ten "$t/read/mm/memory.c"
	grep -qx thirty "$t/read/mm/memory.c"
}

@test "rebase: without a conflict; the range-diff is shown and patches/ written" {
	toy_rebase
	newer 's/^8$/eight/'
	before=$(git -C "$LINUX" for-each-ref)
	BASE=newer run ci/rebase
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *"1:  "*" ! 1:  "*"mm: spell out ten"*"2:  "*" = 2:  "*"mm: spell out thirty"* ]]
	grep -q '^ eight$' patches/0001*
	[ "$(tail -n 3 series | xargs)" = "# Part 1: toy 0001-mm-spell-out-ten.patch 0002-mm-spell-out-thirty.patch" ]
	[ ! -e "${work%/linux}" ]
	[ "$before" = "$(git -C "$LINUX" for-each-ref)" ]
	stands_on_newer
}

@test "rebase: stops at a conflict, goes on once it is resolved" {
	toy_rebase
	cp -a patches "$t/before"
	conflict
	diff -r patches "$t/before"
	fails "still to be resolved in $work: mm/memory.c" ci/rebase
	resolve
	BASE=newer ci/rebase
	grep -qx -- '-30 and more' patches/0002*
	stands_on_newer
}

@test "rebase: what marks a conflict does not come into patches/" {
	toy_rebase
	cp -a patches "$t/before"
	conflict
	git -C "$work" add -u
	fails "what marks a conflict is still in $work: mm/memory.c" ci/rebase
	# nor if the person goes on with git
	GIT_EDITOR=true git -C "$work" rebase --continue
	fails "what marks a conflict is in a commit: mm/memory.c" ci/rebase
	diff -r patches "$t/before"
	resolve
	git -C "$work" commit -q --amend --no-edit
	ci/rebase
	stands_on_newer
}

@test "rebase: a conflict leaves the changelog as it was" {
	toy_rebase
	git -C "$stack" commit -q --amend --cleanup=verbatim -m "mm: spell out thirty" -m "# echo 1 >/proc/x"
	ci/export
	conflict
	resolve
	ci/rebase
	grep -qx '# echo 1 >/proc/x' patches/0002*
	run ! grep -q 'Conflicts' patches/0002*
}

@test "rebase: no settings change a changelog, with a conflict or without" {
	toy_rebase
	git -C "$stack" commit -q --amend --cleanup=verbatim -m "mm: spell out thirty" -m "# echo 1 >/proc/x"
	ci/export
	printf '[commit]\n\tcleanup = strip\n[rebase]\n\tbackend = apply\n[merge]\n\tconflictStyle = zdiff3\n' >"$t/gitconfig"
	export GIT_CONFIG_GLOBAL=$t/gitconfig
	cat "$t/gitconfig" >>"$LINUX/.git/config"
	cat "$t/gitconfig" >>"$XDG_CACHE_HOME/pgtable-stack/linux.git/config"
	newer 's/^8$/eight/'
	BASE=newer ci/rebase
	grep -qx '# echo 1 >/proc/x' patches/0002*
	git -C "$LINUX" checkout -q newer~0
	conflict
	resolve
	ci/rebase
	grep -qx '# echo 1 >/proc/x' patches/0002*
}

@test "rebase: work that was not exported is not left behind, on no base" {
	toy_rebase
	newer 's/^8$/eight/'
	git -C "$stack" commit -q --allow-empty -m "mm: more"
	BASE=newer fails "$stack has commits or changes that patches/ does not have" ci/rebase
	git -C "$stack" reset -q --hard HEAD~1
	touch "$stack/mm/new.c"
	BASE=newer fails "$stack has commits or changes that patches/ does not have" ci/rebase
	rm "$stack/mm/new.c"
	BASE=newer ci/rebase
}

@test "rebase: stopped while it writes, or shows, it is whole" {
	toy_rebase
	newer 's/^8$/eight/'
	git=$(command -v git)
	mkdir "$t/bin"
	printf '#!/bin/bash\n[[ "$*" != *range-diff* ]] || exit 141\nexec %s "$@"\n' "$git" >"$t/bin/git"
	chmod +x "$t/bin/git"
	mv ci/export ci/export.all
	printf '#!/bin/bash\n"$0.all" "$@"; rm %s/patches/0002*; kill -9 $PPID\n' "$PWD" >ci/export
	chmod +x ci/export
	BASE=newer run ci/rebase
	[ "$status" = 137 ]
	mv ci/export.all ci/export
	PATH=$t/bin:$PATH run ci/rebase
	[ "$status" != 0 ]
	[ ! -e "${work%/linux}" ]
	stands_on_newer
}

@test "rebase: in the middle of a rebase nothing is lost" {
	toy_rebase
	conflict
	echo "half resolved" >>"$work/mm/memory.c"
	git -C "$LINUX" branch -q other newer~0
	BASE=other fails "a rebase onto $LINUX:newer is in the middle, in $work" ci/rebase
	[[ "$output" == *"go on with it: make rebase; or give it up: rm -r"* ]]
	grep -q "half resolved" "$work/mm/memory.c"
	[ "$(git -C "$work" diff --name-only --diff-filter=U)" = mm/memory.c ]
	resolve
	sed -i '/half resolved/d' "$work/mm/memory.c"
	git -C "$work" add mm/memory.c
	# and the person goes on with git
	GIT_EDITOR=true git -C "$work" rebase --continue
	ci/rebase
	stands_on_newer
}

@test "rebase: given up, and begun anew" {
	toy_rebase
	cp -a patches "$t/before"
	conflict
	rm -r "${work%/linux}"
	diff -r patches "$t/before"
	newer 's/^30 and more$/30/'
	BASE=newer ci/rebase
	stands_on_newer
}

@test "rebase: patches/ that changed meanwhile are not overwritten" {
	toy_rebase
	conflict
	echo >>series
	cp series "$t/series"
	resolve
	fails "patches/ or series changed since the rebase began" ci/rebase
	diff series "$t/series"
	sed -i '$d' series
	ci/rebase
	stands_on_newer
}

@test "rebase: a patch that the new base has is gone from the stack" {
	toy_rebase
	newer 's/^10$/ten/'
	BASE=newer ci/rebase
	[ "$(ls patches)" = 0001-mm-spell-out-thirty.patch ]
	stands_on_newer
}

@test "rebase: no base, one that isn't there, the one it stands on" {
	toy_rebase
	LINUX='' fails "onto which base?" ci/rebase
	BASE=nowhere fails "has no commit 'nowhere'" ci/rebase
	BASE=newer fails "the stack stands on $LINUX:newer already" ci/rebase
	sed -i 's/^-30$/-31/' patches/0002*
	# The base in series, as fetched.
	git -C "$XDG_CACHE_HOME/pgtable-stack/linux.git" tag base/7.3.4-1 "$(git -C "$LINUX" rev-parse newer)"
	BASE=newer fails "applies neither to the base in series nor to the HEAD of LINUX" ci/rebase
	[ ! -e "${work%/linux}" ]
}

@test "rebase: what is not committed in patches/ is committed first" {
	toy_rebase
	git init -q
	git add -A
	git commit -qm all
	echo "# more" >>series
	newer 's/^8$/eight/'
	BASE=newer fails "patches/ or series have changes that are not committed" ci/rebase
	git commit -qam more
	BASE=newer ci/rebase
}
