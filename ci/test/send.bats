#!/usr/bin/env bats
# send, posted, and the cover letters of ci/report: from the stack to the messages, and what was sent.

# shellcheck disable=SC2154 # bats and helper.bash set these
load helper

# A toy stack that can be sent, by a person.
toy_send() {
	b4 prep --help 2>/dev/null | grep -e --check-deps >/dev/null || skip "ci/send wants b4 0.14 or newer"
	toy_stack
	rm -r "$XDG_CACHE_HOME"
	git -C "$LINUX" worktree prune
	mkdir "$LINUX/scripts"
	cat >"$LINUX/scripts/get_maintainer.pl" <<-'S'
		#!/bin/sh
		case "$*" in
		*--nol*) echo "Mary Maintainer <mary@mm.org>" ;;
		*--nom*) echo linux-mm@kvack.org ;;
		esac
		! grep -q thirty || echo "Thelma Thirty <thelma@mm.org>"
	S
	cat >"$LINUX/scripts/checkpatch.pl" <<-'S'
		#!/bin/sh
		for f; do :; done
		[ -f "$f" ] || f=-
		echo "as where Python lacks what the script for SPDX tags wants" >&2
		! grep '^+thirteen' "$f" >/dev/null || { echo "mm/memory.c:13: ERROR:SPELLING: thirteen"; exit 1; }
	S
	chmod +x "$LINUX"/scripts/*
	git -C "$LINUX" add .
	git -C "$LINUX" commit -qm scripts
	git -C "$LINUX" config user.name "Jo Sender"
	git -C "$LINUX" config user.email jo@kernel.org
	cat >cover-letter.txt <<-'T'
		Part 1
		------

		mm: spell out numbers

		Numbers are spelled out, in @files@ file.
	T
	rm -rf posted
	ci/apply
	stack=$(echo "$XDG_CACHE_HOME"/pgtable-stack/git-*/stack/linux)
	cache=${stack%/stack/linux}
	repo=$XDG_CACHE_HOME/pgtable-stack/linux.git
	export SIGNOFF=yes
}

# edit PATTERN: the stack's last patch, exported.
edit() {
	sed -i "$1" "$stack/mm/memory.c"
	git -C "$stack" commit -q -a --amend --no-edit
	ci/export
}

# What a person does: b4 send, through a mail server that keeps all.
really_send() {
	mkdir -p "$t/outbox"
	printf '#!/bin/sh\ncat >"$(mktemp "%s/XXXXXX")"\n' "$t/outbox" >"$t/sendmail"
	chmod +x "$t/sendmail"
	(cd "$cache/send/linux" && git config sendemail.smtpserver "$t/sendmail" &&
		printf '\n\n' | b4 send --no-sign)
}

@test "send: messages signed off, to the maintainers; git am makes the stack's tree of them" {
	toy_send
	ci/send 1
	[ "$(ls "$cache/send/1" | wc -l)" = 3 ]
	for m in "$cache"/send/1/*.eml; do
		grep -qx 'From: Jo Sender <jo@kernel.org>' "$m"
		grep -q '^To: .*Mary Maintainer' "$m"
		grep -q 'linux-mm@kvack.org' "$m"
	done
	grep -qx 'Subject: \[PATCH 0/2\] mm: spell out numbers' "$cache"/send/1/0000-*
	grep -qx 'Numbers are spelled out, in 1 file.' "$cache"/send/1/0000-*
	grep -qx "base-commit: $(git -C "$LINUX" rev-parse HEAD)" "$cache"/send/1/0000-*
	[ "$(grep -c '^Signed-off-by: Jo Sender <jo@kernel.org>$' "$cache/send/1.mbox")" = 2 ]
	run ! grep -q localhost "$cache/send/1.mbox"
	git clone -q "$LINUX" "$t/read"
	git -C "$t/read" am -q "$cache/send/1.mbox"
	[ "$(git -C "$t/read" rev-parse 'HEAD^{tree}')" = "$(git -C "$stack" rev-parse 'HEAD^{tree}')" ]
	[ "$(git -C "$t/read" log -1 --format='%an %ae')" = "Jo Sender jo@kernel.org" ]
	# and nothing of it came into the stack
	ci/export
	run ! grep -q Signed-off-by patches/*
}

@test "send: mails do not follow the sender's settings, nor when b4 send is run by hand" {
	toy_send
	echo '*.c -diff' >"$t/attributes"
	for s in diff.{noprefix,mnemonicPrefix,relative,suppressBlankEmpty}=true diff.context=1 diff.interHunkContext=40 \
		diff.srcPrefix=x/ diff.orderFile="$t/gone" color.{ui,diff}=always core.attributesFile="$t/attributes" \
		core.abbrev=4 log.showSignature=true i18n.{commitEncoding,logOutputEncoding}=ISO-8859-1 \
		trailer.separators=% trailer.where=start am.messageId=true apply.whitespace=error-all; do
		git config -f "$t/gitconfig" "${s%%=*}" "${s#*=}"
		# the repository's own
		[[ $s == trailer* ]] || git -C "$LINUX" config "${s%%=*}" "${s#*=}"
	done
	export GIT_CONFIG_GLOBAL=$t/gitconfig
	ASSISTED_BY='Robot:v1' ci/send 1
	really_send
	git clone -q "$LINUX" "$t/read"
	for patch in 1 2; do
		for m in "$cache"/send/1/000$patch-* "$(grep -rl "^Subject: \[PATCH $patch/2\]" "$t/outbox")"; do
			run ! grep $'\e' "$m"
			tr -d '\r' <"$m" | grep -x 'diff --git a/mm/memory.c b/mm/memory.c'
			[ "$(grep -cE '^ [0-9]+' "$m")" = 7 ] # six lines of context, and the diffstat's
		done
		GIT_CONFIG_GLOBAL=/dev/null git -C "$t/read" am -q "$m"
	done
	[ "$(git -C "$t/read" rev-parse 'HEAD^{tree}')" = "$(git -C "$stack" rev-parse 'HEAD^{tree}')" ]
	[ "$(git -C "$t/read" log -1 --format=%b)" = "Assisted-by: Robot:v1
Signed-off-by: Jo Sender <jo@kernel.org>" ]
	# What isn't one of our branches still does.
	git -C "$cache/send/linux" show --color=never b4/pgtable-1 | grep -x 'diff --git a/mm/memory.c b/mm/memory.c'
	git -C "$LINUX" show | run ! grep -x 'diff --git a/.*'
}

@test "send: a mail that the lists' servers refuse" {
	toy_send
	seq 20000 | sed 's/$/ many/' >"$stack/mm/memory.c"
	git -C "$stack" commit -q -a --amend -m "mm: spell out many"
	ci/export
	fails "0002-mm-spell-out-many.patch makes a mail of " ci/send 1
	[[ "$output" == *" bytes, and the lists take 100,000"* ]]
	[ ! -e "$cache/send/1.mbox" ]
}

@test "send: a b4 that is too old is named" {
	toy_stack
	mkdir "$t/bin"
	printf '#!/bin/sh\necho 0.12.0\n' >"$t/bin/b4"
	chmod +x "$t/bin/b4"
	PATH=$t/bin:$PATH fails "b4 0.12.0 neither checks patches nor names those that they stand on" ci/send 1
	[ "$status" = 4 ]
}

@test "send: called wrongly it says how" {
	for args in "" "1 2" --foo --check; do
		# shellcheck disable=SC2086 # words
		fails "SIGNOFF=yes [ASSISTED_BY=...] ci/send [PART]" ci/send $args
	done
}

@test "send: a sender who is the placeholder, or nobody" {
	toy_send
	git -C "$LINUX" config user.email maintainers@users.noreply.seed.example
	fails "the sender is Jo Sender <maintainers@users.noreply.seed.example>, a placeholder" ci/send 1
	git -C "$LINUX" config user.email you@example.com
	fails "a placeholder" ci/send 1
	for address in you@your.domain your@kernel.org name@domain.tld root@host.local jo@localhost; do
		git -C "$LINUX" config user.email "$address"
		fails "the sender is Jo Sender <$address>, a placeholder" ci/send 1
	done
	# The stack's author, with another address.
	git -C "$LINUX" config user.email jo@kernel.org
	git -C "$LINUX" config user.name A
	fails "the sender, A, is the placeholder that wrote the patches" ci/send 1
	git -C "$LINUX" config user.name "Jo Sender"
	git -C "$LINUX" config --unset user.email
	fails "git has no name and address for the sender" ci/send 1
	[ ! -e "$cache/send" ]
}

@test "send: nobody signs off" {
	toy_send
	SIGNOFF='' fails "nobody signs these patches off" ci/send 1
	[[ "$output" == *"if Jo Sender <jo@kernel.org> certifies that, add SIGNOFF=yes"* ]]
	[ ! -e "$cache/send" ]
}

@test "send: a cover letter with an unfilled figure" {
	toy_send
	printf '\n%s\n' 'It takes @cost:smaps-pages@ instructions, and @lost:mm@ lines, and @gone:7@.' >>cover-letter.txt
	fails "cover-letter.txt, part 1, has figures that nobody filled in: @cost:smaps-pages@ @gone:7@" ci/send 1
	sed -i 's/, and @gone:7@/, and @gone:2@ of patch @no:2@/' cover-letter.txt
	mkdir "$cache/report"
	printf 'tree\t%s\ncost:smaps-pages\t4711\n' "$(git -C "$stack" rev-parse 'HEAD^{tree}')" >"$cache/report/figures.tsv"
	ci/send 1
	grep -qx 'It takes 4711 instructions, and 0 lines, and 1 of patch 2.' "$cache"/send/1/0000-*
}

@test "send: what is between @s and no figure's name is not sent; what isn't meant for one is" {
	toy_send
	cp cover-letter.txt "$t/cover"
	for odd in @Files@ @TODO@ '@cost smaps@'; do
		{ cat "$t/cover"; printf '\n%s\n' "It is $odd of @files@, says me@mm.org."; } >cover-letter.txt
		fails "cover-letter.txt, part 1, has what is no figure's name between @s: $odd" ci/send 1
		fails "no figure's name" ci/report --check 1
	done
	[ ! -e "$cache/send" ]
	text="   @@
   expression tlb;
   @@
   @@ -1,2 +1,3 @@ int f(void)
Me <me@mm.org>, you <you.too@lists.mm.org>; me@mm.org, you@mm.org: @ 5 @ 6."
	cp "$t/cover" cover-letter.txt
	printf '%s\n' '' "$text" >>cover-letter.txt
	[[ "$(ci/report --cover 1)" == *"$text"* ]]
}

@test "send: a part that has no cover letter, or is none" {
	toy_send
	sed -i 's/Part 1/Part 2/' cover-letter.txt
	fails "cover-letter.txt has no section 'Part 1'" ci/send 1
	fails "series has no part '2' with patches in it" ci/send 2
	[[ "$output" == *"there are: 1"* ]]
	fails "which part?" ci/send
}

@test "send: a patch without a subject prefix" {
	toy_send
	git -C "$stack" commit -q --amend -m "Spell out thirty"
	ci/export
	fails "without a prefix that names the subsystem: Spell out thirty" ci/send 1
	git -C "$stack" commit -q --amend -m "Spell out thirty, as it is nicer: really"
	ci/export
	fails "without a prefix that names the subsystem: Spell out thirty, as it is nicer: really" ci/send 1
	[ ! -e "$cache/send" ]
	for subject in "s390, x86/mm: a" "fs/proc/task_mmu: a" "mm: thp: a" "hugetlb cgroup: a"; do
		git -C "$stack" commit -q --amend -m "$subject"
		ci/export
		ci/send 1
	done
}

@test "send: what checkpatch complains of" {
	toy_send
	ci/send 1
	edit 's/^13$/thirteen/'
	fails "b4 prep --check complains of what ci/data/checkpatch-exceptions does not accept" ci/send 1
	[[ "$output" == *"ERROR:SPELLING: thirteen"* ]]
	# Nothing is left that could be sent.
	[ "$(cd "$cache/send" && echo *)" = linux ]
}

@test "send: what a person wrote into the cover letter is kept, or asked about" {
	toy_send
	ci/send 1
	(cd "$cache/send/linux" && EDITOR='sed -i 0,/^Cc:/s/^Cc:/Cc:extra@mm.org,/' b4 prep --edit-cover)
	for _ in 1 2; do
		ci/send 1
		[ "$(tr -d '\r' <"$(echo "$cache"/send/1/0000-*)" | grep -c 'extra@mm.org')" = 1 ]
		[ "$(grep -c 'mary@mm.org' "$cache"/send/1/0000-*)" = 1 ]
	done
	(cd "$cache/send/linux" && EDITOR="sed -i 's/^Numbers/All numbers/'" b4 prep --edit-cover)
	fails "the text of the cover letter was changed in b4/pgtable-1, and would be lost" ci/send 1
	[[ "$output" == *"> All numbers are spelled out"* ]]
	git -C "$repo" config branch.b4/pgtable-1.description | grep -x 'All numbers are spelled out, in 1 file.'
	sed -i 's/^Numbers/All numbers/' cover-letter.txt
	git -C "$cache/send/linux" config --unset branch.b4/pgtable-1.pgtable-text
	ci/send 1
	grep -q '^All numbers' "$cache"/send/1/0000-*
}

@test "send: the next version from another cache, with what posted/ has" {
	toy_send
	ci/send 1
	change_id=$(grep -h '^change-id' "$cache"/send/1/0000-*)
	really_send
	ci/posted
	[ "$(cd posted && echo *)" = "pgtable-1-v1.bundle pgtable-1.b4" ]
	edit 's/^20$/twenty/'
	rm -rf "$XDG_CACHE_HOME"
	git clone -q "$LINUX" "$t/other"
	for of in user.name user.email; do git -C "$t/other" config "$of" "$(git -C "$LINUX" config "$of")"; done
	export LINUX=$t/other
	ci/apply
	cache=$(echo "$XDG_CACHE_HOME"/pgtable-stack/git-*)
	fails "does not say what changed since the version that was sent" ci/send 1
	(cd "$cache/send/linux" && EDITOR='sed -i s/EDITME:.*/twenty/' b4 prep --edit-cover)
	run -0 ci/send 1
	[[ "$output" == *"git range-diff against sent/"*" ! 2:  "*"++twenty"* ]]
	grep -qx 'Subject: \[PATCH v2 0/2\] mm: spell out numbers' "$cache"/send/1/0000-*
	[ "$(grep -h '^change-id' "$cache"/send/1/0000-*)" = "$change_id" ]
	really_send
	ci/posted
	[ "$(cd posted && echo *)" = "pgtable-1-v1.bundle pgtable-1-v2.bundle pgtable-1.b4" ]
	# Without that, no version is sent twice.
	rm posted/pgtable-1.b4
	git -C "$repo" config --unset branch.b4/pgtable-1.b4-tracking
	fails "b4 would send v1, and sent/" ci/send 1
	[[ "$output" == *"b4 prep --force-revision 3, then the same command again"* ]]
	(cd "$cache/send/linux" && b4 prep --force-revision 3 && EDITOR='sed -i s/EDITME:.*/more/' b4 prep --edit-cover)
	ci/send 1
	grep -q 'PATCH v3 0/2' "$cache"/send/1/0000-*
}

# spell_out_to LAST: a patch for each number from 14 on.
spell_out_to() {
	for i in $(seq 14 "$1"); do
		sed -i "s/^$i\$/number $i/" "$stack/mm/memory.c"
		git -C "$stack" commit -qam "mm: spell out $i"
	done
	ci/export
}

@test "send: a long part has to be cut; a cut part is sent in postings" {
	toy_send
	spell_out_to 27
	fails "part 1 has 16 patches, and 15 are about what a posting has" ci/send 1
	sed -i 's/^# Part 1.*/&\n# Posting 1a/; s/^0003-/# Posting 1b\n&/' series
	fails "part 1 has 16 patches, and is sent in 2 postings" ci/send 1
	[[ "$output" == *"make send PART=1a: patches 1-2, make send PART=1b: patches 3-16"* ]]
	ci/send 1b
	grep -qx 'Subject: \[PATCH 00/14\] mm: spell out numbers (2 of 2)' "$cache"/send/1b/0000-*
	grep -q 'This is posting 2 of 2: patches 3-16 of 16' "$cache"/send/1b/0000-*
	# on the posting before
	run -0 ci/send 1a
	[[ "$output" != *"note: posting"* ]]
	[[ "$(ci/report --cover 1b)" == "mm: spell out numbers (2 of 2)"*"posting 2 of 2: patches 3-16 of 16, by the numbers above."* ]]
	[ "$(ci/report --cover 1 | head -n 1)" = "mm: spell out numbers" ]
	fails "series has no part '1c' with patches in it" ci/report --cover 1c
	git clone -q "$LINUX" "$t/read"
	git -C "$t/read" am -q "$cache/send/1a.mbox" "$cache/send/1b.mbox"
	[ "$(git -C "$t/read" rev-parse 'HEAD^{tree}')" = "$(git -C "$stack" rev-parse 'HEAD^{tree}')" ]
}

@test "send: a posting that stands on others says so, and on what everybody has" {
	toy_send
	spell_out_to 15
	sed -i 's/^# Part 1.*/&\n# Posting 1a/; s/^0002-/# Posting 1b\n&/; s/^0004-/# Part 3: more\n&/' series
	printf '%s\n' '' '' 'Part 3' ------ '' 'mm: spell out more' '' 'More of it.' >>cover-letter.txt
	base=$(git -C "$LINUX" rev-parse HEAD)
	ids() { git -C "$stack" log -p --reverse "$base..$1" | git patch-id --stable | sed 's/ .*//'; }
	for posting in "1a HEAD~4" "1b HEAD~3" "3 HEAD~1"; do
		read -r part below <<<"$posting"
		[ "$part" != 1a ] || below=$base
		ci/send "$part"
		grep -qx "base-commit: $base" "$cache/send/$part"/000[01]-*
		[ "$(sed -n 's/^prerequisite-patch-id: //p' "$cache/send/$part"/000[01]-*)" = "$(ids "$below")" ]
	done
	ci/report --cover 3 | grep -A 4 -x 'To be applied first, in this order:' | tail -n 2 >"$t/below"
	printf '    mm: spell out numbers (%s of 2)\n' 1 2 | diff - "$t/below"
	[ "$(ci/report --cover 1b | tail -n 1)" = "    mm: spell out numbers (1 of 2)" ]
	run ! grep -q 'applied first' <<<"$(ci/report --cover 1a)"
	# and the next version is compared with its own patches only
	ci/send 1b
	really_send
	git -C "$stack" reset -q --hard HEAD~1
	edit 's/^20$/twenty/'
	(cd "$cache/send/linux" && EDITOR='sed -i s/EDITME:.*/twenty/' b4 prep --edit-cover)
	run -0 ci/send 1b
	echo "$output"
	[[ "$output" == *"git range-diff against sent/"*"1:  "*" = 1:  "*"2:  "*" ! 2:  "*"++twenty"* ]]
	[[ "$output" != *"3:  "* && "$output" != *" < "* ]]
	[ "$(grep -h '^prerequisite-patch-id: ' "$cache"/send/1b/0000-* | wc -l)" = 1 ]
}

@test "send: on a local import of Debian's source, that is noted" {
	toy_send
	git -C "$XDG_CACHE_HOME/pgtable-stack/linux.git" tag -a -m 'linux-source-7.3 7.3.4-1' base/7.3.4-1 "$(git -C "$LINUX" rev-parse HEAD)"
	for of in user.name user.email; do
		git -C "$XDG_CACHE_HOME/pgtable-stack/linux.git" config "$of" "$(git -C "$LINUX" config "$of")"
	done
	run -0 ci/send 1
	[[ "$output" != *"note: base-commit"* ]]
	LINUX='' ci/apply
	LINUX='' run -0 ci/send 1
	[[ "$output" == *"note: base-commit $(git -C "$LINUX" rev-parse HEAD | cut -c 1-12) is this cache's import of Debian's source"* ]]
}

@test "send: a posting that is long as well is noted" {
	toy_send
	spell_out_to 28
	sed -i 's/^# Part 1.*/&\n# Posting 1a/; s/^0017-/# Posting 1b\n&/' series
	run -0 ci/send 1a
	[ "$(grep -c "note: posting 1a has 16 patches, and 15 are about what a posting has" <<<"$output")" = 1 ]
}

@test "send: a tag that says what assisted" {
	toy_send
	ASSISTED_BY='Robot:v1 sparse' ci/send 1
	for m in "$cache"/send/1/000[12]-*; do
		[ "$(grep -A 1 -x 'Assisted-by: Robot:v1 sparse' "$m" | tail -n 1)" = "Signed-off-by: Jo Sender <jo@kernel.org>" ]
	done
	ci/send 1
	run ! grep -q Assisted-by "$cache/send/1.mbox"
}

@test "send: what ci/data/checkpatch-exceptions accepts passes b4 prep --check, but not the sender's own check" {
	toy_send
	sed -i 's/^13$/thirteen/' "$stack/mm/memory.c"
	git -C "$stack" commit -qa --amend --no-edit
	ci/export
	printf 'SPELLING\tmm: spell out thirty\tfor a reason\n' >>ci/data/checkpatch-exceptions
	run -0 ci/send 1
	[[ "$output" == *"== b4 prep --check"*"Success: 2, Warning: 0, Error: 0"* ]]
	# The same by hand.
	(cd "$cache/send/linux" && b4 -n prep --no-cache --check 2>&1) | grep -x 'Success: 2, Warning: 0, Error: 0'
	git -C "$LINUX" config b4.prep-perpatch-check-cmd 'sed -n /^+ten/p'
	fails "b4 prep --check complains of what ci/data/checkpatch-exceptions does not accept" ci/send 1
	[[ "$output" == *": +ten"*"Success: 2, Warning: 1, Error: 0"* ]]
}

@test "send: the tree in LINUX= is never written, and clean leaves nothing of it" {
	toy_send
	state() { (cd "$LINUX" && find . -type f -exec sha256sum {} + | sort && git worktree list && git for-each-ref); }
	state >"$t/before"
	ci/send 1
	really_send
	ci/posted
	diff "$t/before" <(state)
	ci/clean
	diff "$t/before" <(state)
	[ "$(git -C "$repo" for-each-ref --format='%(refname)' | grep -vc '^refs/tags/sent/')" = 0 ]
	# What was sent is known all the same.
	change_id=$(grep -rhi '^change-id' "$t/outbox" | sort -u | tr -d '\r')
	ci/apply
	fails "does not say what changed since the version that was sent" ci/send 1
	(cd "$cache/send/linux" && EDITOR='sed -i s/EDITME:.*/none/' b4 prep --edit-cover)
	ci/send 1
	grep -qx 'Subject: \[PATCH v2 0/2\] mm: spell out numbers' "$cache"/send/1/0000-*
	[ "$(grep -h '^change-id' "$cache"/send/1/0000-*)" = "$change_id" ]
}

@test "send: onto a tree that moved" {
	toy_send
	ci/send 1
	change_id=$(grep -h '^change-id' "$cache"/send/1/0000-*)
	old=$cache/send/linux
	echo mine >>"$old/mm/memory.c"
	git -C "$LINUX" commit -q --allow-empty -m "the tree moves"
	ci/apply
	for _ in 1 2; do
		ci/send 1
		cache=$(echo "$XDG_CACHE_HOME"/pgtable-stack/git-"$(git -C "$LINUX" rev-parse HEAD | cut -c 1-12)")
		grep -qx "base-commit: $(git -C "$LINUX" rev-parse HEAD)" "$cache"/send/1/0000-*
		[ "$(grep -h '^change-id' "$cache"/send/1/0000-*)" = "$change_id" ]
	done
	[ "$(git -C "$cache/send/linux" branch --show-current)" = b4/pgtable-1 ]
	# What was in the old worktree still is.
	[ "$(git -C "$old" diff --name-only)" = mm/memory.c ]
	# That worktree may be gone as well, and a worktree of the user's may be in the way.
	git -C "$cache/send/linux" checkout -q --detach
	git -C "$old" checkout -q -f b4/pgtable-1
	rm -r "$old"
	ci/send 1
	git -C "$cache/send/linux" checkout -q --detach
	git -C "$repo" worktree add -q "$t/elsewhere" b4/pgtable-1
	fails "b4/pgtable-1 is checked out in $t/elsewhere" ci/send 1
}

@test "send: killed in the checkout, or in git am, it begins anew" {
	toy_send
	mkdir "$t/bin"
	git=$(command -v git)
	for at in "worktree add" " checkout -q --detach" " am -q --patch-format"; do
		cat >"$t/bin/git" <<-S
			#!/bin/bash
			case "\$*" in *"$at"*) ;; *) exec $git "\$@" ;; esac
			case "\$*" in
			*worktree*) $git -C "\$2" "\${@:3:2}" --no-checkout "\${@:5}" ;;
			*checkout*) echo half >>"\$2/mm/memory.c" ;;
			*) mkdir "\$($git -C "\$2" rev-parse --path-format=absolute --git-path rebase-apply)" ;;
			esac
			kill -9 \$PPID
		S
		chmod +x "$t/bin/git"
		rm -rf "$cache/send"
		PATH=$t/bin:$PATH run ci/send 1
		echo "$output"
		[ "$status" = 137 ]
		git -C "$repo" worktree list | grep -q send/linux
		ci/clean
		[ -z "$(git -C "$repo" for-each-ref refs/heads refs/b4-made)" ]
		ci/apply
		PATH=$t/bin:$PATH run ci/send 1
		[ "$status" = 137 ]
		ci/send 1
	done
}

@test "send: what was sent is kept, and the next version compared with it" {
	toy_send
	ci/send 1
	change_id=$(grep -h '^change-id' "$cache"/send/1/0000-*)
	fails "nothing was sent from $repo since" ci/posted
	[[ "$output" == *"XDG_CACHE_HOME=PATH make posted"* ]]
	[ ! -e posted ]
	run -0 ci/send 1
	[ "${lines[-1]}" = "    cd $cache/send/linux && b4 send; make -C $PWD posted LINUX=$LINUX" ]
	really_send
	grep -rq '^Subject: \[PATCH 2/2\]' "$t/outbox"
	ci/posted
	[ "$(cd posted && echo *)" = "pgtable-1-v1.bundle pgtable-1.b4" ]
	fails "nothing was sent from $repo since" ci/posted
	# The next version.
	edit 's/^20$/twenty/'
	fails "does not say what changed since the version that was sent" ci/send 1
	(cd "$cache/send/linux" && EDITOR='sed -i s/EDITME:.*/twenty/' b4 prep --edit-cover)
	run ci/send 1
	echo "$output"
	[ "$status" = 0 ]
	# named after the branch, or after the change-id, as the b4 is
	tag=$(git -C "$repo" tag -l 'sent/*')
	[[ $tag =~ ^sent/([0-9]+-(b4-)?)?pgtable-1(-[0-9a-f]+)?-v1$ ]]
	[[ "$output" == *"git range-diff against $tag:"* ]]
	[[ "$output" == *"1:  "*" = 1:  "*"2:  "*" ! 2:  "*"++twenty"* ]]
	[[ "$output" != *" < "* ]]
	grep -qx 'Subject: \[PATCH v2 0/2\] mm: spell out numbers' "$cache"/send/1/0000-*
	grep -qx -- '- twenty' "$cache"/send/1/0000-*
	[ "$(grep -h '^change-id' "$cache"/send/1/0000-*)" = "$change_id" ]
	[ "$(grep -c 'Mary Maintainer' "$cache"/send/1/0000-*)" = 1 ]
	# It comes back from posted/ if the cache doesn't have it.
	was=$(git -C "$repo" rev-parse "$tag^{commit}")
	git -C "$repo" tag -d "$tag"
	ci/posted
	[ "$(git -C "$repo" rev-parse "$tag^{commit}")" = "$was" ]
}

@test "posted: b4's tag has one of two names" {
	toy_stack
	repo=$XDG_CACHE_HOME/pgtable-stack/linux.git
	of() { git -C "$repo" rev-parse -q --verify "refs/tags/$1^{commit}"; }
	mine=sent/20261126-mine-0123456789ab-v1
	tags='sent/pgtable-1-v1 sent/20261126-b4-pgtable-1-7143b306ba91-v2 sent/20261125-pgtable-1b-0043b306ba91-v12'
	for tag in $tags $mine; do
		git -C "$repo" tag -a -m sent "$tag" "$(git -C "$stack" rev-parse HEAD)"
	done
	ci/posted
	[ "$(cd posted && echo *)" = "pgtable-1-v1.bundle pgtable-1-v2.bundle pgtable-1b-v12.bundle" ]
	# shellcheck disable=SC2086 # words
	git -C "$repo" tag -d $tags
	ci/posted
	for tag in $tags; do
		[ "$(of "$tag")" = "$(of "$mine")" ]
	done
	# begun anew with b4: another v2
	git -C "$repo" tag -a -m anew sent/20261127-b4-pgtable-1-aa43b306ba91-v2 "$(git -C "$LINUX" rev-parse HEAD)"
	run -0 ci/posted --if-any
	[[ "$output" == *"note: sent/20261127-b4-pgtable-1-aa43b306ba91-v2 is not kept: posted/pgtable-1-v2.bundle has another"* ]]
}

@test "send: work in the branch that b4 has is not overwritten" {
	toy_send
	ci/send 1
	echo more >>"$cache/send/linux/mm/memory.c"
	fails "has changes" ci/send 1
	grep -q more "$cache/send/linux/mm/memory.c"
}

@test "send: commits that a person made there are not overwritten" {
	toy_send
	ci/send 1
	git -C "$cache/send/linux" commit -q --amend -m "mm: spell out thirty" -m "Reviewed-by: R <r@mm.org>"
	was=$(git -C "$cache/send/linux" rev-parse b4/pgtable-1)
	fails "b4/pgtable-1 has commits that were not made here" ci/send 1
	[ "$(git -C "$cache/send/linux" rev-parse b4/pgtable-1)" = "$was" ]
	git -C "$cache/send/linux" checkout -q -B b4/pgtable-1 refs/b4-made/pgtable-1
	ci/send 1
}
