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
	fails "is no git worktree of $XDG_CACHE_HOME/pgtable-stack/linux.git any more" ci/apply
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
	# What a kill in git reset leaves: the marker, and some of the files.
	touch "${stack%/stack/linux}/applying"
	sed -i 's/thirty/30/' "$stack/mm/memory.c"
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
	fails "in the middle of a git rebase" ci/export
	[[ "$output" == *"git -C $stack rebase --abort"* ]]
	fails "in the middle of a git rebase" ci/apply
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
	# What is applied may be written in another way than git's.
	sed -i '/^index /d' patches/0001-mm-spell-out-ten.patch
	ci/apply
	ci/export
	! [[ $(sed 's/ .*//' patches/0001-mm-spell-out-ten.patch) != *index* ]]
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

# As a maintainer's: what changes diffs, mails, commits and checkouts.
settings() {
	cat <<-'E'
		[core]
			autocrlf = true
			hooksPath = /nonexistent
			attributesFile = ATTRIBUTES
			excludesFile = ATTRIBUTES
			fsmonitor = false
			quotePath = false
			abbrev = 40
			commentChar = m
			whitespace = tab-in-indent,cr-at-eol
			pager = false
			editor = false
		[color]
			ui = always
		[commit]
			gpgSign = true
			cleanup = strip
		[tag]
			gpgSign = true
		[safe]
			bareRepository = explicit
		[diff]
			noprefix = true
			mnemonicPrefix = true
			context = 9
			interHunkContext = 9
			suppressBlankEmpty = true
			algorithm = patience
			indentHeuristic = false
			external = false
			orderFile = /nonexistent
			renames = copies
			relative = true
			submodule = log
		[diff "cpp"]
			xfuncname = "^.*$"
			textconv = false
		[format]
			signoff = true
			subjectPrefix = RFC
			numbered = true
			suffix = .txt
			encodeEmailHeaders = true
			filenameMaxLength = 16
			signature = me
			headers = "X-Me: yes\n"
			attach = yes
			from = Me <me@localhost>
			to = me@localhost
			cc = me@localhost
			thread = deep
			coverLetter = true
			useAutoBase = true
			notes = true
			mboxrd = true
			noprefix = true
			pretty = oneline
			outputDirectory = /nonexistent
		[am]
			keepcr = true
			threeWay = true
			messageId = true
		[mailinfo]
			scissors = true
			quotedCr = strip
		[apply]
			whitespace = error-all
			ignoreWhitespace = change
		[i18n]
			commitEncoding = ISO-8859-1
			logOutputEncoding = ISO-8859-1
		[log]
			showSignature = true
			date = relative
			decorate = full
			follow = true
			mailmap = false
		[rebase]
			autoSquash = true
			backend = apply
			missingCommitsCheck = error
			updateRefs = true
			autoStash = true
		[merge]
			renames = false
			conflictStyle = diff3
		[protocol "file"]
			allow = never
		[protocol]
			allow = never
		[checkout]
			defaultRemote = x
		[submodule]
			recurse = true
		[status]
			showUntrackedFiles = no
		[init]
			templateDir = /nonexistent
			defaultBranch = whatever
		[extensions]
		[user]
			useConfigOnly = true
	E
}

@test "neither the user's git settings nor the tree's, nor the environment, change what comes out" {
	toy_stack
	printf '*.[ch] diff=cpp\n' >"$stack/.gitattributes"
	git -C "$stack" add .gitattributes
	sed -i 's/^3$/int three(void)/; s/^22$//' "$stack/mm/memory.c"
	git -C "$stack" commit -qam "mm: a rather long subject, of which a file of sixteen letters has no room — not at all"
	sed -i 's/^24$/twentyfour/' "$stack/mm/memory.c"
	git -C "$stack" commit -qam "mm: an em dash, and a comment" -m "— and é, which Latin 1 has" -m "more" --cleanup=verbatim
	ci/export
	[ -e patches/0003-mm-a-rather-long-subject-of-which-a-file-of-sixteen-.patch ]
	grep -q '^@@.* ten$' patches/0004*
	cp -a patches "$t/before"
	printf '*.c text eol=crlf\n*.h diff\n' >"$t/attributes"
	settings | sed "s,ATTRIBUTES,$t/attributes," >"$t/gitconfig"
	export GIT_CONFIG_GLOBAL=$t/gitconfig GIT_DIFF_OPTS=-u7 GIT_TRACE=1 GIT_EXTERNAL_DIFF=false
	export GIT_PAGER=false GIT_EDITOR=false GIT_DEFAULT_HASH=sha256 GIT_TEMPLATE_DIR=/nonexistent
	export GIT_COMMITTER_DATE='1 Jan 2001 00:00' GIT_ALLOW_PROTOCOL=none GIT_DIR=/nonexistent
	cat "$t/gitconfig" >>"$LINUX/.git/config"
	rm -rf "$XDG_CACHE_HOME"
	ci/apply
	ci/export
	diff -r patches "$t/before"
	run ! grep -q $'\r' "$stack/mm/memory.c"
	# nor those that somebody made in the worktree
	unset "${!GIT_@}"
	cat "$t/gitconfig" >>"$XDG_CACHE_HOME/pgtable-stack/linux.git/config"
	ci/export
	diff -r patches "$t/before"
	# A patch that somebody edited: git writes other blobs into it.
	sed -i 's/thirty/THIRTY/' patches/0002*
	ci/apply
	run ! grep -q $'\r' "$stack/mm/memory.c"
	ci/export
	grep -qx +THIRTY patches/0002*
	run -0 ci/apply
	[[ "$output" == *", 0 of them new" ]]
}

# refused MESSAGE: by export, which writes nothing.
refused() {
	rm -rf "$t/before"
	cp -a patches "$t/before"
	fails "$1" ci/export
	[[ "$output" == *"${2:-0002-mm-spell-out-thirty.patch}"* ]]
	diff -r patches "$t/before"
	[ -z "$(ls -d .export* 2>/dev/null)" ]
}

@test "export refuses what git am would make something else of, and says what" {
	toy_stack
	reword() { git -C "$stack" commit -q --amend --cleanup=verbatim -m "$1"; }
	hunk=$(printf '%s\n' 'diff --git a/mm/memory.c b/mm/memory.c' '--- a/mm/memory.c' '+++ b/mm/memory.c' '@@ -1 +1 @@' -1 +one)
	title="mm: spell out thirty"
	reword "$title"$'\n\nSuch as\n\n'"$hunk"$'\n\nand so on.\n'
	refused "git am makes something else of 0002"
	[[ "$output" == *"what it may take for something else: diff --git a/mm/memory.c"* ]]
	reword "$title"$'\n\nAbove.\n---\nBelow.\n'
	refused "git am makes something else of 0002"
	[[ "$output" == *"< Below."*"what it may take for something else: ---"* ]]
	reword "[x86] $title"$'\n\nText.\n'
	refused "git am makes something else of 0002" "what it may take for something else: [x86]"
	reword "$title"$'\n\nFrom: Somebody Else <else@localhost>\n\nText.\n'
	reword "$title"$'\n\nSubject: another\n\nText.\n'
	refused "git am makes something else of 0002"
	reword "$title"$'\n\nText.\n\nFrom 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nMore.\n'
	refused "git am makes something else of 0002"
	reword "$title"$'\nin two lines\n\nText.\n'
	refused "git am makes something else of 0002"
	reword "$title"$'\n\nSuch as\n\n'"$(sed 's/^/    /' <<<"$hunk")"$'\n\nand so on.\n'
	refused "quilt makes something else of 0002"
	if command -v b4 >/dev/null; then
		reword "$title"$'\n\nText.\n\nTested: x86_64,\nand others.\n'
		refused "b4 am makes something else of these patches"
		[[ "$output" == *"0002-mm-spell-out-thirty.patch: "* ]]
		reword "$title"$'\n\nA line.\n-- >8 --\nText.\n'
		refused "b4 am makes something else of these patches"
	fi
	reword "$title"$'\n\nText, with a colon: this.\n\n  # and a comment\n\nTested-by: T <t@mm.org>\n'
	printf 'a\r\nb\r\n' >"$stack/mm/crlf.c"
	git -C "$stack" add mm/crlf.c
	git -C "$stack" commit -qm "mm: a file as Windows has it"
	refused "git am makes something else of 0003" "a carriage return at the end of a line"
	git -C "$stack" rm -q mm/crlf.c
	head -c 100 /dev/zero >"$stack/mm/zero"
	git -C "$stack" add mm/zero
	git -C "$stack" commit -q --amend -m "mm: what is no text"
	refused "quilt makes something else of 0003" 0003-mm-what-is-no-text.patch
	git -C "$stack" reset -q --hard HEAD~1
	git -C "$stack" commit -q --amend --no-edit --author='Jérôme É. Ö <j@mm.org>' --date='2026-01-01T00:00:00+0900'
	ci/export
	grep -q '^Date: Thu, 1 Jan 2026 00:00:00 +0900' patches/0002*
}

@test "export says that there is no b4, and proves the rest" {
	toy_stack
	without -f b4
	PATH=$t/without run -0 ci/export
	[ "$(grep -c 'note: b4 is not installed' <<<"$output")" = 1 ]
	git -C "$stack" commit -q --amend -m "[x86] mm: spell out thirty"
	PATH=$t/without fails "git am makes something else of 0002" ci/export
}

@test "a patch for lines that end in CR LF: git am refuses it, and so does applies" {
	toy_stack
	git -C "$LINUX" checkout -q toy~2
	printf '1\r\n2\r\n3\r\n' >"$LINUX/mm/crlf.c"
	git -C "$LINUX" add mm/crlf.c
	git -C "$LINUX" commit -qm "CR LF"
	sed -i 's/^2\r/two\r/' "$LINUX/mm/crlf.c"
	git -C "$LINUX" commit -qam "mm: two"
	git -C "$LINUX" format-patch -q --start-number 3 -o "$PWD/patches" HEAD~1
	git -C "$LINUX" checkout -q HEAD~1
	echo 0003-mm-two.patch >>series
	git -C "$LINUX" am -q "$PWD"/patches/000[12]*
	run ! git -C "$LINUX" am "$PWD"/patches/0003*
	git -C "$LINUX" am --abort
	git -C "$LINUX" checkout -q -f HEAD~2
	fails "git am refuses 0003-mm-two.patch, though git apply takes it: hunk 1 (@@ -1,3 +1,3 @@) of mm/crlf.c" ci/applies
	[[ "$output" == *"lines that end in CR LF"* ]]
}

@test "an empty commit is named; so is an empty patch" {
	toy_stack
	git -C "$stack" commit -q --allow-empty -m "mm: nothing"
	refused "a commit changes nothing, and git am refuses such a patch" "mm: nothing"
	git -C "$stack" reset -q --hard HEAD~1
	sed -i '/^diff/,$d' patches/0002*
	fails "0002-mm-spell-out-thirty.patch changes nothing: git am refuses it" ci/applies
}

@test "whatever else is checked out, patches/ stay, and it is said how to go on" {
	toy_stack
	branch=$(git -C "$stack" branch --show-current)
	git -C "$stack" bisect start -q HEAD HEAD~2
	refused "in the middle of a git bisect" "git -C $stack bisect reset"
	fails "in the middle of a git bisect" ci/apply
	fails "in the middle of a git bisect" ci/clean
	git -C "$stack" bisect reset
	git -C "$stack" checkout -q --detach HEAD~1
	refused "is on no branch, and the stack is $branch" "git -C $stack checkout $branch"
	fails "is on no branch, and the stack is $branch" ci/apply
	git -C "$stack" checkout -q -b mine
	refused "is on mine, and the stack is $branch" "git -C $stack checkout -B $branch"
	git -C "$stack" checkout -q "$branch"
	git -C "$stack" checkout -q -b other HEAD~1
	sed -i 's/^30$/dreissig/' "$stack/mm/memory.c"
	git -C "$stack" commit -qam "mm: dreissig"
	git -C "$stack" checkout -q "$branch"
	for at in cherry-pick "merge -q"; do
		# shellcheck disable=SC2086 # words
		run ! git -C "$stack" $at other
		refused "in the middle of a git ${at% -q}" "git -C $stack ${at% -q} --abort"
		fails "in the middle of a git ${at% -q}" ci/apply
		git -C "$stack" ${at% -q} --abort
	done
	run ! git -C "$stack" revert --no-edit HEAD~1 HEAD~2
	refused "in the middle of a git revert" "git -C $stack revert --abort"
	git -C "$stack" revert --abort
	git -C "$stack" reset -q --hard "$(git -C "$LINUX" commit-tree -m else 'HEAD^{tree}')"
	refused "does not stand on the base" "$stack"
	git -C "$stack" reset -q --hard "${branch#stack-git-}"
	refused "there is no commit on the base" "refs/stack/${branch#stack-}"
	git -C "$stack" reset -q --hard "refs/stack/${branch#stack-}"
	ci/export
	# What is dropped on purpose is named.
	git -C "$stack" reset -q --hard HEAD~1
	run -0 ci/export
	[[ "$output" == *"removed from patches/: 0002-mm-spell-out-thirty.patch"* ]]
}

@test "a worktree that somebody removed: its commits are kept" {
	toy_stack
	git -C "$stack" commit -q --amend -m "mm: mine"
	mine=$(git -C "$stack" rev-parse HEAD)
	rm -rf "$stack"
	run -0 ci/apply
	[[ "$output" == *"had commits that patches/ does not have: branch stack-git-"*"-${mine:0:12} of "* ]]
	git -C "$stack" branch --contains "$mine" | grep "${mine:0:12}"
}

@test "a comment behind a patch stays in series, also if the patch goes" {
	toy_stack
	sed -i 's/^0001-.*/& # why/; s/^0002-.*/& # not yet/' series
	cp series "$t/series"
	ci/export
	diff series "$t/series"
	git -C "$stack" commit -q --amend -m "mm: thirty"
	ci/export
	[ "$(tail -n 3 series | xargs -d '\n')" = "0001-mm-spell-out-ten.patch # why 0002-mm-thirty.patch # not yet (0002-mm-spell-out-thirty.patch)" ]
	# Nor does one above a patch come twice, for two of a name.
	sed -i 's/^0002-/# above\n&/' series
	sed -i 's/^20$/twenty/' "$stack/mm/memory.c"
	git -C "$stack" commit -qam "mm: thirty"
	ci/export
	[ "$(grep -c '^# above' series)" = 1 ]
	ci/apply
}

@test "two clones with the same HEAD, in one cache" {
	toy_stack
	git clone -q "$LINUX" "$t/other"
	LINUX=$t/other ci/apply
	LINUX=$t/other ci/export
	rm -rf "$LINUX"
	LINUX=$t/other ci/apply
	git -C "$stack" commit -q --amend -m "mm: thirty"
	LINUX=$t/other ci/export
	LINUX=$t/other ci/clean
}

@test "the tree in LINUX= is never written" {
	toy_stack
	git clone -q "$LINUX" "$t/theirs" # in which nothing was done yet
	export LINUX=$t/theirs
	state() { (cd "$LINUX" && find . -type f -exec sha256sum {} + | sort && git worktree list); }
	state >"$t/before"
	rm -rf "$XDG_CACHE_HOME"
	ci/applies
	ci/apply
	git -C "$stack" commit -q --amend -m "mm: thirty"
	ci/export
	diff "$t/before" <(state)
	ci/clean
	diff "$t/before" <(state)
	[ -z "$(git -C "$XDG_CACHE_HOME/pgtable-stack/linux.git" for-each-ref)" ]
	# What a former version left there goes.
	id=$(git -C "$LINUX" rev-parse HEAD | sed 's/^\(.\{12\}\).*/git-\1/')
	git -C "$LINUX" worktree add -q -B "stack-$id" "${stack%/git-*}/$id/stack/linux"
	git -C "$LINUX" update-ref "refs/stack/$id" HEAD
	fails "is no git worktree of" ci/apply
	ci/clean
	[ "$(git -C "$LINUX" for-each-ref --format='%(refname)' | grep -c stack)" = 0 ]
	[ "$(git -C "$LINUX" worktree list | wc -l)" = 1 ]
}

@test "a shallow clone will do; so does a partial one, if it has all of its HEAD" {
	toy_stack
	git -C "$LINUX" config uploadpack.allowFilter true
	git -C "$LINUX" commit -q --allow-empty -m more
	git clone -q --depth=1 "file://$LINUX" "$t/shallow"
	git clone -q --filter=blob:none --sparse "file://$LINUX" "$t/partial"
	mv "$LINUX" "$LINUX.gone"
	LINUX=$t/partial fails "is a partial clone, and lacks 2 objects of its HEAD" ci/apply
	[[ "$output" == *"git -C $t/partial diff --shortstat"* ]]
	LINUX=$t/shallow ci/apply
	LINUX=$t/shallow ci/export
	LINUX=$t/shallow ci/clean
	mv "$LINUX.gone" "$LINUX"
	git -C "$t/partial" diff --shortstat "$(git hash-object -t tree /dev/null)" HEAD
	mv "$LINUX" "$LINUX.gone"
	rm -rf "$t/shallow"
	LINUX=$t/partial ci/apply
	LINUX=$t/partial ci/export
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

@test "clean removes the branches of ci/send, but not what a person made of them" {
	toy_stack
	repo=$XDG_CACHE_HOME/pgtable-stack/linux.git
	for part in 1 2 3; do
		for ref in heads/b4/pgtable-$part heads/b4-base/pgtable-$part b4-made/pgtable-$part; do
			git -C "$repo" update-ref "refs/$ref" "$(git -C "$stack" rev-parse HEAD)"
		done
	done
	git -C "$repo" update-ref refs/heads/b4/pgtable-2 "$(git -C "$stack" rev-parse HEAD~1)"
	git -C "$repo" worktree add -q "$t/mine" b4/pgtable-3
	git -C "$repo" config branch.b4/pgtable-1.description "A cover letter."
	run -0 ci/clean
	for part in 2 3; do [[ "$output" == *"note: b4/pgtable-$part stays in $repo"* ]]; done
	[[ "$output" != *"b4/pgtable-1 stays"* ]]
	[ "$(git -C "$repo" for-each-ref --format='%(refname)' | grep -c 'pgtable-1$')" = 0 ]
	[ "$(git -C "$repo" for-each-ref --format='%(refname)' | grep -c 'pgtable-[23]$')" = 6 ]
	[ "$(git -C "$repo" config branch.b4/pgtable-1.description)" = "A cover letter." ]
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
	mv "$cache/../linux.git" "$cache/../gone.git"
	run -0 ci/clean
	for tree in "$stack" "$cache/send/linux"; do
		[[ "$output" == *"note: $tree stays, for its git repository is gone"* ]]
		[ -e "$tree/mm/memory.c" ]
	done
	[ ! -e "$cache/bench" ]
	mv "$cache/../gone.git" "$cache/../linux.git"
	ci/clean
	[ "$(find "$cache" -mindepth 1 -maxdepth 1)" = "" ]
}

@test "no list goes into a grep that leaves early: under pipefail that may be a failure" {
	# The few lines of a tail are written at once.
	diff /dev/null <(cat ci/* ci/checks/* 2>/dev/null | sed -E ':a; /(^|[^|])\|$/{N; s/\n[ \t]*/ /; ba}' |
		grep -E '[^|]\| *grep -[a-zA-Z]*q' | grep -v 'tail -n')
}

@test "what needs the base installs what fetching it takes, and what doesn't, nothing" {
	for target in run applies apply matrix each-patch build report coccicheck cover send posted bench; do
		[[ "$(make -n "$target" | grep -v about | grep -m 1 ci/)" == ci/deps* ]]
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
	for tool in bash df dirname sed awk cat env cut tail mkdir flock sort head git grep paste; do
		ln -s "$(command -v $tool)" "$t/bin/"
	done
	PATH=$t/bin fails "the tool 'bc' is missing" ci/build stack debug
	[[ "$output" == *"install the package bc"* ]]
}

@test "each script says what it is for, and does nothing else" {
	for script in $(grep -sl '/lib\.sh"$' ci/*); do
		[ -x "$script" ] || continue
		[ "$("$script" --help)" = "$(awk 'NR > 1 { if (!sub(/^# ?/, "")) exit; print }' "$script")" ]
		[ "$("$script" -h | wc -l)" -gt 1 ]
	done
	[ ! -e "$XDG_CACHE_HOME/pgtable-stack" ]
}

@test "an option that did not end up in .config is found" {
	printf 'CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_S="a=b c"\n' >"$t/.config"
	printf '# a comment\nCONFIG_A=y\nCONFIG_C=n\nCONFIG_D=n\n' >"$t/one"
	printf 'CONFIG_S="a=b c"\n' >"$t/two"
	eval "$(sed -n '/^lost_options()/,/^}/p' ci/kbuild.sh)"
	[ -z "$(lost_options "$t/.config" "$t/one" "$t/two")" ]
	printf 'CONFIG_B=y\nCONFIG_C=y\nCONFIG_A=n\nCONFIG_E=7\n' >"$t/one"
	[ "$(lost_options "$t/.config" "$t/one" "$t/two" | xargs)" = "CONFIG_B=y CONFIG_C=y CONFIG_A=n CONFIG_E=7" ]
}
