#!/usr/bin/env bats
# apply, applies, export: the stack between patches/ and git.

# shellcheck disable=SC2154 # bats and helper.bash set these
load helper

@test "export leaves an unchanged stack byte for byte as it was" {
	toy_stack
	cp -a patches "$t/before"
	cp series "$t/series"
	ci/export
	diff -r patches "$t/before"
	diff series "$t/series"
}

@test "an edited commit and a new one come out as patches, comments of series in place" {
	toy_stack
	sed -i 's/^20$/twenty/' "$stack/mm/memory.c"
	git -C "$stack" commit -qam "mm: spell out twenty"
	git -C "$stack" -c sequence.editor='sed -i "1{h;d};2{G}"' rebase -q -i HEAD~2
	ci/export
	[ "$(tail -n 4 series | xargs)" = "# Part 1: toy 0001-mm-spell-out-ten.patch \
0002-mm-spell-out-twenty.patch 0003-mm-spell-out-thirty.patch" ]
	[ "$(ls patches | wc -l)" = 3 ]
	ci/apply
	[ "$(grep -c '^[a-z]' "$stack/mm/memory.c")" = 3 ]
}

@test "git am and quilt give the same tree as apply" {
	toy_stack
	git -C "$LINUX" checkout -q -b am
	git -C "$LINUX" am -q "$PWD"/patches/*.patch
	[ "$(git -C "$LINUX" rev-parse 'HEAD^{tree}')" = "$(git -C "$stack" rev-parse 'HEAD^{tree}')" ]
	git -C "$LINUX" reset -q --hard HEAD~2
	(cd "$LINUX" && QUILT_PATCHES=$OLDPWD/patches QUILT_SERIES=$OLDPWD/series quilt --quiltrc - push -a --fuzz=0)
	diff "$LINUX/mm/memory.c" "$stack/mm/memory.c"
}

@test "a patch with a bad hunk is named with its file and hunk" {
	toy_stack
	sed -i 's/^-30$/-31/' patches/0002*
	fails "0002-mm-spell-out-thirty.patch does not apply: hunk 1 (@@ -27,7 +27,7 @@" ci/applies
	[[ "$output" == *"of mm/memory.c"* ]]
	fails "0002-mm-spell-out-thirty.patch does not apply" ci/apply
	# and the worktree is as it was
	[ "$(git -C "$stack" log --oneline HEAD~2..HEAD | wc -l)" = 2 ]
	git -C "$stack" diff --quiet HEAD
}

@test "a patch that needs fuzz is refused as such" {
	toy_stack
	sed -i 's/^ 27$/ 27 and a bit/' patches/0002*
	fails "0002-mm-spell-out-thirty.patch applies only with fuzz: hunk 1" ci/applies
	fails "applies only with fuzz" ci/apply
}

@test "a truncated patch is refused" {
	toy_stack
	head -n -4 patches/0002* >"$t/short"
	cp "$t/short" patches/0002*
	fails "0002-mm-spell-out-thirty.patch does not apply: corrupt patch" ci/applies
}

@test "a patch that series does not list is an error" {
	toy_stack
	cp patches/0002* patches/0003-mm-forgotten.patch
	fails "series does not list: 0003-mm-forgotten.patch" ci/applies
	fails "series does not list: 0003-mm-forgotten.patch" ci/apply
}

@test "a patch without what git am wants is refused, and named" {
	toy_stack
	p=0002-mm-spell-out-thirty.patch
	sed -i '/^From: /d' "patches/$p"
	fails "$p has no author: git am refuses it" ci/applies
}

@test "a series without an empty line keeps each patch once" {
	toy_stack
	sed -i '/^$/d; /^# Part/d' series
	cp series "$t/series"
	ci/export
	diff series "$t/series"
}

@test "a worktree that git doesn't know any more is named" {
	toy_stack
	tree=$(echo "$XDG_CACHE_HOME"/pgtable-stack/git-*/stack/linux)
	rm -rf "$(git -C "$tree" rev-parse --absolute-git-dir)"
	fails "is no git worktree any more" ci/apply
	[ -e "$tree/Makefile" ]
}

@test "a patch that series lists and patches/ lacks is an error" {
	toy_stack
	rm patches/0001*
	fails "series lists 0001-mm-spell-out-ten.patch, and patches/ does not have it" ci/applies
}

@test "a tree of another version is refused" {
	toy_stack
	sed -i 's/PATCHLEVEL = 3/PATCHLEVEL = 1/' "$LINUX/Makefile"
	git -C "$LINUX" commit -qam older
	fails "is Linux 7.1, and the stack stands on 7.3" ci/applies
}

@test "a tree that is not git, or not Linux, is refused" {
	mkdir "$t/plain"
	LINUX=$t/plain fails "is not a git tree of Linux" ci/applies
	git init -q "$t/other"
	git -C "$t/other" commit -q --allow-empty -m x
	LINUX=$t/other fails "not a Linux tree" ci/applies
}

@test "applies leaves the user's tree alone" {
	toy_stack
	state() { (cd "$LINUX" && find . -type f -printf '%p %s\n' | sort); }
	state >"$t/before"
	ci/applies
	diff "$t/before" <(state)
}

@test "work in the stack that was not exported is not overwritten" {
	toy_stack
	echo more >>"$stack/mm/memory.c"
	fails "has changes that patches/ does not have" ci/apply
	fails "not committed" ci/export
	git -C "$stack" commit -qam "fixup! mm: spell out ten"
	fails "has changes that patches/ does not have" ci/apply
	fails "still have to be squashed" ci/export
	fails "has changes that patches/ does not have" ci/clean
	grep -q more "$stack/mm/memory.c"
}

@test "an apply that was killed in the middle is begun anew" {
	toy_stack
	sed -i 's/thirty/THIRTY/' patches/0002*
	# What a kill between two commits leaves: the marker and am's state.
	git -C "$stack" reset -q --hard HEAD~2
	sed 's/^-30$/-31/' patches/0002* >"$t/bad"
	touch "${stack%/stack/linux}/applying"
	run ! git -C "$stack" am -q patches/0001* "$t/bad"
	ci/apply
	grep -qx THIRTY "$stack/mm/memory.c"
	[ "$(git -C "$stack" log --oneline | wc -l)" = 3 ]
}

@test "somebody's own git am in the stack is left alone" {
	toy_stack
	sed 's/^-30$/-31/' patches/0002* >"$t/bad"
	run ! git -C "$stack" am -q "$t/bad"
	fails "in the middle of a git am" ci/apply
}

@test "a rebase in the middle is neither exported nor overwritten" {
	toy_stack
	git -C "$stack" -c sequence.editor='sed -i 1s/pick/edit/' rebase -q -i HEAD~2
	fails "in the middle of a git am or rebase" ci/export
	fails "in the middle of a git am or rebase" ci/apply
	[ "$(ls patches | wc -l)" = 2 ]
}

@test "a new file that was not added is not left behind" {
	toy_stack
	touch "$stack/mm/new.c"
	fails "files that are not committed: mm/new.c" ci/export
}

@test "nor is one that the .gitignore of Debian's source has git ignore" {
	toy_stack
	printf '%s\n' '*.o' '#' '# Debian packaging' '/*' '!/debian/' >"$stack/.gitignore"
	git -C "$stack" add -f .gitignore
	git -C "$stack" commit -q --amend --no-edit
	ci/export
	touch "$stack/mm/memory.o" "$stack/mm/test.mod.c"
	ci/export
	touch "$stack/mm/new.c"
	[ -z "$(git -C "$stack" status --porcelain)" ]
	fails "files that are not committed: mm/new.c" ci/export
	fails "$stack has changes that patches/ does not have" ci/clean
	[ -e "$stack/mm/new.c" ]
}

@test "what somebody did in patches/ is not overwritten" {
	toy_stack
	git -C "$stack" commit -q --amend -m "mm: spell thirty"
	echo mine >>patches/0001-mm-spell-out-ten.patch
	touch patches/0003-mine.patch
	cp -a patches "$t/before"
	fails "patches/ has what was not applied, and would be lost: 0001-mm-spell-out-ten.patch 0003-mine.patch" ci/export
	diff -r patches "$t/before"
	sed -i '$d' patches/0001-mm-spell-out-ten.patch
	rm patches/0003-mine.patch
	ci/export
	[ "$(cd patches && echo *)" = "0001-mm-spell-out-ten.patch 0002-mm-spell-thirty.patch" ]
}

@test "a checkout that was killed, and a lock that git left, are no obstacle" {
	toy_stack
	applying=${stack%/stack/linux}/applying
	touch "$applying" "$(git -C "$stack" rev-parse --path-format=absolute --git-path index.lock)"
	rm "$stack/mm/memory.c"
	ci/apply
	grep -qx thirty "$stack/mm/memory.c"
	[ ! -e "$applying" ]
}

@test "neither the user's git settings nor the tree's change what comes out" {
	toy_stack
	cp -a patches "$t/before"
	cat >"$t/gitconfig" <<-'E'
		[core]
			autocrlf = true
			hooksPath = /nonexistent
		[commit]
			gpgSign = true
		[safe]
			bareRepository = explicit
		[diff]
			noprefix = true
			context = 9
		[format]
			signoff = true
			subjectPrefix = RFC
			numbered = true
	E
	export GIT_CONFIG_GLOBAL=$t/gitconfig GIT_DIFF_OPTS=-u7
	git -C "$LINUX" config format.signoff true
	git -C "$LINUX" config diff.context 1
	rm -rf "$XDG_CACHE_HOME"
	git -C "$LINUX" worktree prune
	ci/apply
	ci/export
	diff -r patches "$t/before"
	run ! grep -q $'\r' "$stack/mm/memory.c"
}

@test "clean removes what can be made again, and apply makes it" {
	toy_stack
	mkdir "$XDG_CACHE_HOME/pgtable-stack/something-else"
	ci/clean
	[ ! -e "$stack" ]
	[ -d "$XDG_CACHE_HOME/pgtable-stack/something-else" ]
	ci/apply
	grep -qx thirty "$stack/mm/memory.c"
}

@test "clean leaves work that was not exported, and what it can't judge" {
	toy_stack
	cache=${stack%/stack/linux}
	touch "$stack/mm/new.c"
	fails "$stack has changes that patches/ does not have" ci/clean
	rm "$stack/mm/new.c"
	mkdir -p "$cache"/{send,bench,same_answers}
	git -C "$stack" worktree add -q --detach "$cache/send/linux"
	echo mine >>"$cache/send/linux/mm/memory.c"
	fails "$cache/send/linux has changes that patches/ does not have" ci/clean
	grep -q mine "$cache/send/linux/mm/memory.c"
	git -C "$cache/send/linux" checkout -q mm/memory.c
	mv "$LINUX" "$LINUX.gone"
	LINUX='' run -0 ci/clean
	for tree in "$stack" "$cache/send/linux"; do
		[[ "$output" == *"note: $tree stays, for its git repository is gone"* ]]
		[ -e "$tree/mm/memory.c" ]
	done
	[ ! -e "$cache/bench" ]
	mv "$LINUX.gone" "$LINUX"
	ci/clean
	[ "$(find "$cache" -mindepth 1 -maxdepth 1)" = "" ]
}

@test "no list goes into a grep that leaves early: under pipefail that may be a failure" {
	# The few lines of a tail are written at once.
	diff /dev/null <(grep -snE '[^|]\| *grep -[a-zA-Z]*q' ci/* | grep -v 'tail -n')
}

@test "what needs the base installs what fetching it takes, and what doesn't, nothing" {
	for target in run applies apply matrix each-patch build report coccicheck cover send posted bench; do
		[ "$(make -n "$target" | grep -m 1 ci/)" = ci/deps ]
	done
	for target in help clean export; do run ! grep ci/deps <(make -n "$target"); done
	run ! grep ci/deps <(make -n applies LINUX=x)
}

@test "two runs in one cache: the second says who is there" {
	toy_stack
	(
		exec 9>>"$XDG_CACHE_HOME/pgtable-stack/lock"
		flock 9
		echo 4711 >"$XDG_CACHE_HOME/pgtable-stack/lock"
		sleep 20
	) 3>&- &
	holder=$!
	sleep 1
	fails "another run (process 4711) is working in" ci/apply
	kill "$holder"
}

@test "a missing tool is named with its package" {
	toy_stack
	mkdir "$t/bin"
	for tool in bash df dirname sed awk cat env cut tail mkdir flock sort head git; do
		ln -s "$(command -v $tool)" "$t/bin/"
	done
	PATH=$t/bin fails "the tool 'bc' is missing" ci/build stack debug
	[[ "$output" == *"install the package bc"* ]]
}

@test "each script says what it is for, and does nothing else" {
	for script in $(grep -l '/lib\.sh"$' ci/*); do
		[ "$("$script" --help)" = "$(awk 'NR > 1 { if (!sub(/^# ?/, "")) exit; print }' "$script")" ]
		[ "$("$script" -h | wc -l)" -gt 1 ]
	done
	[ ! -e "$XDG_CACHE_HOME/pgtable-stack" ]
}

@test "an option that did not end up in .config is found" {
	printf 'CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_S="a=b c"\n' >"$t/.config"
	printf '# a comment\nCONFIG_A=y\nCONFIG_C=n\nCONFIG_D=n\n' >"$t/one"
	printf 'CONFIG_S="a=b c"\n' >"$t/two"
	[ -z "$(ci/lost-options "$t/.config" "$t/one" "$t/two")" ]
	printf 'CONFIG_B=y\nCONFIG_C=y\nCONFIG_A=n\nCONFIG_E=7\n' >"$t/one"
	[ "$(ci/lost-options "$t/.config" "$t/one" "$t/two" | xargs)" = "CONFIG_B=y CONFIG_C=y CONFIG_A=n CONFIG_E=7" ]
}
