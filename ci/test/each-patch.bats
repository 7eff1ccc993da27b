#!/usr/bin/env bats
# each-patch: which check is run when, and what of it is kept. Stand-ins for ci/build,
# ci/guest and the kernel's scripts say what the tests want to hear.

# shellcheck disable=SC2154 # bats and helper.bash set these
load helper

# A toy stack of three patches, the third one s390's. The kernel's scripts and the
# compiler complain of each line of mm/memory.c with a word in $t/WHO.
toy_checks() {
	mkdir -p "$t/linux/scripts" "$t/linux/arch/s390/mm"
	echo old >"$t/linux/arch/s390/mm/fault.c"
	printf '#!/bin/sh\n! grep -h . %s/checkpatch\n' "$t" >"$t/linux/scripts/checkpatch.pl"
	printf '#!/bin/sh\nshift; grep -Hnf %s/kernel-doc "$@" || :\n' "$t" >"$t/linux/scripts/kernel-doc"
	printf '#!/bin/sh\necho "add/remove: 0/0 grow/shrink: 1/1 up/down: 7/-9 (-2)"; echo "Total: Before=100, After=98, chg -2%%"\n' \
		>"$t/linux/scripts/bloat-o-meter"
	chmod +x "$t/linux/scripts/"*
	touch "$t"/{checkpatch,kernel-doc,compiler,left,calls}
	echo "# none" >ci/data/checkpatch-exceptions
	toy_stack
	echo new >"$stack/arch/s390/mm/fault.c"
	git -C "$stack" commit -qam "s390: something new"
	ci/export
	dir=${stack%/stack/linux}/each-patch
	sed -i '/^s390-/d' ci/data/arches # one row is enough
	cat >ci/build <<-S
		#!/bin/bash
		echo "\${0##*/} \$* at \$(git -C $dir/linux log -1 --format=%s)" >>$t/calls
		[ ! -e $t/broken ] || ! grep -qf $t/broken $dir/linux/mm/memory.c || { echo "error: does not build" >&2; exit 3; }
		[ ! -e $t/lacking ] || { echo "error: there is no room" >&2; exit 4; }
		case \$0-\$1 in *objects-*) out=$dir/arch/\$2.objects ;; *-w1) out=$dir/fast.w1 ;; *) out=$dir/debug ;; esac
		mkdir -p \$out
		cp /bin/true \$out/vmlinux
		grep -hf $t/compiler $dir/linux/{mm/memory.c,arch/s390/mm/fault.c} | sort >\$out/warnings
		cp $t/left \$out/left
		echo "== built"
	S
	cp ci/build ci/objects
	cat >ci/guest <<-S
		#!/bin/bash
		echo "guest" >>$t/calls
		mkdir -p $dir/guest
		touch $dir/guest/splats.txt
		printf 'kunit: a\t%s\t\n' "\$(cat $t/verdict 2>/dev/null || echo pass)" >$dir/guest/rows.tsv
	S
}

verdicts() { ci/each-patch --rows "$@" | cut -f 1-4 | tr '\t' ' ' | sed 's/-[^ ]*//'; }

@test "every check of every patch has a row, and is not run again" {
	toy_checks
	ci/each-patch
	diff - <(verdicts) <<-E
		0001 checkpatch - pass
		0001 kernel-doc - pass
		0001 objects x86_64 pass
		0001 build x86_64 pass
		0001 boot x86_64 pass
		0002 checkpatch - pass
		0002 kernel-doc - pass
		0002 objects x86_64 pass
		0002 build x86_64 pass
		0002 boot x86_64 pass
		0003 checkpatch - pass
		0003 kernel-doc - pass
		0003 objects x86_64 same
		0003 build x86_64 same
		0003 boot x86_64 same
		0003 objects s390 pass
	E
	# Each tree once, the base for the first comparison.
	[ "$(grep -c '^objects each-patch x86_64 mm/memory.o at' "$t/calls")" = 3 ]
	[ "$(grep -c '^build --w1 each-patch fast at' "$t/calls")" = 3 ]
	[ "$(grep -c '^guest' "$t/calls")" = 2 ]
	grep -q '^objects each-patch s390 arch/s390/mm/fault.o at s390: something new' "$t/calls"
	: >"$t/calls"
	ci/each-patch
	[ ! -s "$t/calls" ]
}

@test "a patch of what is generic of page tables is looked at on s390 and ppc64le, too" {
	toy_checks
	cd "$stack"
	mkdir -p include/{asm-generic,linux} arch/powerpc/mm
	touch_and_commit() { echo "$1" >>"$1"; git add .; git commit -qm "mm: touch $1"; }
	touch_and_commit include/asm-generic/pgalloc.h
	touch_and_commit include/linux/pgtable.h
	touch_and_commit mm/pgtable-generic.c
	touch_and_commit include/linux/mmzone.h
	touch_and_commit arch/powerpc/mm/mem.c
	cd -
	ci/export
	CHECKS=objects verdicts | sed -n '/^000[4-8]/{s/ untested$//; p}' >"$t/rows"
	diff - <(grep -v ' ppc\(64\|32-.*\)$' "$t/rows") <<-E
		0004 objects x86_64
		0004 objects s390
		0004 objects ppc64le
		0005 objects x86_64
		0005 objects s390
		0005 objects ppc64le
		0006 objects x86_64
		0006 objects s390
		0006 objects ppc64le
		0007 objects x86_64
		0008 objects x86_64 same
		0008 objects ppc64le
	E
	[ "$(ci/each-patch --shards)" = '["patches-1", "arch-s390", "arch-powerpc", "patches-7"]' ]
	for p in 4 6; do PATCH=$p CHECKS=objects ci/each-patch s390; done
	grep -qx -e 'objects each-patch s390 usual at mm: touch include/asm-generic/pgalloc.h' "$t/calls"
	grep -qx -e 'objects each-patch s390 mm/pgtable-generic.o at mm: touch mm/pgtable-generic.c' "$t/calls"
}

@test "after an edit only what depends on it is run again, and the edit taken back nothing" {
	toy_checks
	ci/each-patch
	cp -a patches "$t/before"
	: >"$t/calls"
	sed -i 's/^+thirty/+THIRTY/' patches/0002*
	ci/apply
	ci/each-patch
	run ! grep "spell out ten" "$t/calls"
	[ "$(grep -c "^objects each-patch x86_64 mm/memory.o at mm: spell out thirty" "$t/calls")" = 1 ]
	cp "$t/before/"* patches/
	ci/apply
	: >"$t/calls"
	ci/each-patch
	[ ! -s "$t/calls" ]
}

@test "what the parent did not say fails the patch that brings it, and no other" {
	toy_checks
	echo thirty >"$t/compiler"
	echo ten >"$t/kernel-doc"
	fails "FAILED  0002-mm-spell-out-thirty.patch, objects x86_64: 1 new: thirty" ci/each-patch
	[ "$(verdicts | grep fail | xargs)" = "0001 kernel-doc - fail 0002 objects x86_64 fail 0002 build x86_64 fail" ]
	# A failure is tried again.
	: >"$t/kernel-doc"
	fails "0002-mm-spell-out-thirty.patch, objects x86_64" ci/each-patch
	[ "$(verdicts | grep -c fail)" = 2 ]
}

@test "a complaint that a file has had already is new where it comes a second time" {
	toy_checks
	sed -i 's/^+thirty/+ten/' patches/0002*
	ci/apply
	echo ten | tee "$t/compiler" >"$t/kernel-doc"
	CHECKS="kernel-doc objects" fails "FAILED  0002-mm-spell-out-thirty.patch, kernel-doc -: 1 new: mm/memory.c:ten" ci/each-patch
	[[ "$output" == *"FAILED  0002-mm-spell-out-thirty.patch, objects x86_64: 1 new: ten"* ]]
}

@test "a patch that doesn't build, one that doesn't boot, one whose log complains" {
	toy_checks
	echo 1 >"$t/broken"
	fails "0001-mm-spell-out-ten.patch, build x86_64: does not build" ci/each-patch
	rm "$t/broken"
	echo fail >"$t/verdict"
	fails "0002-mm-spell-out-thirty.patch, boot x86_64: 1 tests fail" ci/each-patch
	echo skip >"$t/verdict"
	fails "boot x86_64: 0 tests fail" ci/each-patch
	rm "$t/verdict"
	sed -i 's,^touch.*splats.txt,echo "12:BUG: bad" >'"$dir/guest/splats.txt," ci/guest
	fails "boot x86_64: the kernel complained: 12:BUG: bad" ci/each-patch
}

@test "checkpatch: what the list of exceptions has passes, what it hasn't doesn't" {
	toy_checks
	accept() { printf '%s\t%s\tfor a reason\n' "$@" >>ci/data/checkpatch-exceptions; }
	printf '%s\n' "0001: ERROR:SPACING: no space" "0001: CHECK:CAMELCASE: no" "0001: CHECK:SPACING: no" >"$t/checkpatch"
	accept SPACING 'mm: spell out *' SPACING 's390: something new'
	CHECKS=checkpatch fails "FAILED  0002-mm-spell-out-thirty.patch, checkpatch -: checkpatch has 1 complaints about 'mm: spell out thirty' that ci/data/checkpatch-exceptions doesn't accept" ci/each-patch
	accept CAMELCASE 'mm: spell out *' CAMELCASE '*new'
	CHECKS=checkpatch ci/each-patch
	[ "$(CHECKS=checkpatch PATCH=1 ci/each-patch --rows | cut -f 6)" = \
		"clean, but for what ci/data/checkpatch-exceptions accepts: 1 CAMELCASE, 2 SPACING" ]
	run -0 ci/checks/checkpatch 1
	[[ "$output" == *"accepted: "*"ERROR:SPACING: no space"* ]]
	echo "it broke" >"$t/checkpatch"
	CHECKS=checkpatch ci/each-patch # it depends on what is unchanged
	fails "checkpatch has 1 complaints" ci/checks/checkpatch 1
}

@test "checkpatch: an exception that isn't needed any more is an error, and one of no patch" {
	toy_checks
	export CHECKS=checkpatch
	printf 'SPACING\tmm: spell out t*\tfor a reason\n' >ci/data/checkpatch-exceptions
	fails "0001-mm-spell-out-ten.patch, checkpatch -: ci/data/checkpatch-exceptions accepts SPACING of 'mm: spell out ten', and checkpatch doesn't complain of that" ci/each-patch
	[[ "$output" == *"1 passed, 2 failed"* ]]
	printf 'SPACING\tmm: spell out forty\tfor a reason\n' >ci/data/checkpatch-exceptions
	fails "accepts SPACING of 'mm: spell out forty', and no patch has that subject" ci/each-patch
	CHECKS=kernel-doc ci/each-patch
}

@test "checkpatch: a message from standard input, whose subject is folded" {
	toy_checks
	printf 'SPACING\tmm: a long one\tfor a reason\n' >ci/data/checkpatch-exceptions
	echo "0001: CHECK:SPACING: no space" >"$t/checkpatch"
	printf 'Subject: [PATCH v2 3/4] mm: a\n long one\n\nText.\n---\n' | ci/checkpatch "$stack" /dev/stdin MISSING_SIGN_OFF FROM_SIGN_OFF_MISMATCH
}

@test "a git that fails is not one without files" {
	toy_checks
	mkdir "$t/bin"
	printf '#!/bin/bash\n[[ "$*" != *name-only* ]] || exit 128\nexec %s "$@"\n' "$(command -v git)" >"$t/bin/git"
	chmod +x "$t/bin/git"
	for c in "kernel-doc 1" "objects 1 x86_64"; do
		# shellcheck disable=SC2086 # words
		PATH=$t/bin:$PATH fails "stopped (exit code 128)" ci/checks/$c
	done
}

@test "checkpatch: a license that the kernel doesn't have" {
	toy_checks
	mkdir -p "$stack/LICENSES/preferred"
	printf 'Valid-License-Identifier: %s\n' GPL-2.0 GPL-2.0-only >"$stack/LICENSES/preferred/GPL-2.0"
	for ok in GPL-2.0-only '(GPL-2.0 OR GPL-2.0-only) */'; do
		sed "s,^+thirty,+/* SPDX-License-Identifier: $ok," patches/0002* >"$t/p"
		ci/checkpatch "$stack" "$t/p"
	done
	sed -i 's/2.0-only/9.9/' "$t/p"
	fails "$stack/LICENSES doesn't have: GPL-9.9" ci/checkpatch "$stack" "$t/p"
}

@test "a kernel-doc that doesn't run is not one that has nothing to say" {
	toy_checks
	CHECKS=kernel-doc ci/each-patch
	rm -r "$dir/results"
	printf '#!/usr/bin/env no-python\n' >"$stack/scripts/kernel-doc"
	CHECKS=kernel-doc PATCH=1 fails "0001-mm-spell-out-ten.patch, kernel-doc -: kernel-doc does not run: " ci/each-patch
	[[ "$output" == *no-python* ]]
	rm "$stack/scripts/kernel-doc"
	CHECKS=kernel-doc PATCH=1 fails "kernel-doc does not run: " ci/each-patch
	[ "$(verdicts | grep -c 'kernel-doc - pass')" = 0 ]
}

@test "a narrowed run leaves the rows of the others, and says what all have left" {
	toy_checks
	CHECKS=checkpatch ci/each-patch
	PATCH=2 CHECKS='checkpatch kernel-doc' run -0 ci/each-patch
	[[ "$output" == *"== of all checks, 9 of 16 have no result yet: 2 kernel-doc, 3 objects, 2 build, 2 boot"* ]]
	diff "$dir/rows/all.tsv" <(ci/each-patch --rows)
	[ "$(grep -c $'checkpatch\t-\tpass' "$dir/rows/all.tsv")" = 3 ]
	# what the run itself was about: ci/check counts these
	[ "$(cut -f 2,4 "$dir/last.tsv" | xargs)" = "checkpatch pass kernel-doc pass" ]
	PATCH=1 SHARD=patches-1 CHECKS=objects run -0 ci/each-patch
	[[ "$output" == *"== of all checks of patches-1, 7 of 15 have no result yet"* ]]
	[ "$(wc -l <"$dir/rows/patches-1.tsv")" = 15 ]
	run -0 ci/each-patch
	[[ "$output" != *"of all checks"* ]]
}

@test "another sparse, or another ci/checkpatch, and what they said before is no result" {
	toy_checks
	mkdir "$t/bin"
	sparse() { printf '#!/bin/sh\necho "%s (Debian: x-3)"\n' "$1" >"$t/bin/sparse"; chmod +x "$t/bin/sparse"; }
	export PATH=$t/bin:$PATH CHECKS="checkpatch objects" PATCH=2
	sparse v0.6.4-66-g0196afe1
	ci/each-patch
	[ "$(ci/each-patch --rows | awk -F '\t' '$2 == "objects" { print $7 }' | sed 's/-[0-9a-f]*$//')" = \
		"gcc-$(gcc -dumpfullversion)-sparse-v0.6.4-66-g0196afe1" ]
	: >"$t/calls"
	echo '# a comment' >>ci/checkpatch
	run -0 ci/each-patch
	[ ! -s "$t/calls" ]
	[[ "$output" != *"ci/checks/checkpatch"* ]]
	sparse 0.6.5
	run -0 ci/each-patch
	# the parent as well: what the other one said of it is not compared with
	[ "$(grep -c '^objects each-patch x86_64' "$t/calls")" = 2 ]
	[[ "$output" != *"ci/checks/checkpatch"* ]]
	# a rule that is stricter
	sed -i 's/^\[ $bad = 0 \]/[ $bad = 1 ]/' ci/checkpatch
	fails "0002-mm-spell-out-thirty.patch, checkpatch -:" ci/each-patch
}

@test "a patch whose parent doesn't build is not at fault" {
	toy_checks
	echo '^10$' >"$t/broken" # the base's
	ci/each-patch
	ci/each-patch --rows | awk -F '\t' '$3 == "x86_64" && $2 != "boot" { print $1, $2, $4, $6 }' | sed 's/-[^ ]*//' >"$t/rows"
	diff - "$t/rows" <<-E
		0001 objects pass compiles, with 0 warnings; its parent does not
		0001 build pass compiles, with 0 warnings; its parent does not
		0002 objects pass as the parent (0 warnings): mm/memory.o
		0002 build pass as the parent (0 warnings); Total: Before=100, After=98, chg -2%
		0003 objects same nothing that is compiled there differs from the parent
		0003 build same nothing that is compiled there differs from the parent
	E
}

@test "what the machine lacks is no failure of a patch" {
	toy_checks
	touch "$t/lacking"
	fails "error: there is no room" ci/each-patch
	[[ "$output" != *FAILED* ]]
	[ -z "$(grep -l fail "$dir"/results/*.tsv)" ]
	grep -q $'objects\tx86_64\tuntested' "$dir/rows/all.tsv"
	rm "$t/lacking"
	ci/each-patch
}

@test "a run that is stopped leaves the rows that it has" {
	toy_checks
	printf '#!/bin/sh\nkill -TERM $PPID; sleep 1; exit 143\n' >ci/guest
	SHARD=patches-1 run ci/each-patch
	[ "$status" = 143 ]
	[ "$(cut -f 2-4 "$dir/rows/patches-1.tsv" | sed -n 1,5p | tr '\t' ' ')" = "checkpatch - pass
kernel-doc - pass
objects x86_64 pass
build x86_64 pass
boot x86_64 untested" ]
}

@test "what is not compiled is not called compiled, and the report says so" {
	toy_checks
	echo mm/memory.o >"$t/left"
	CHECKS=objects ci/each-patch
	PATCH=2 CHECKS=objects ci/each-patch --rows | grep -F $'as the parent (0 warnings): none; not compiled: mm/memory.o\t'
	CHECKS=objects PATCH=2 ci/report
	digest=${dir%/each-patch}/report/digest.txt
	grep -q '^On Linux .*, 3 patches:$' "$digest"
	grep -q '^  boot        1 same, 2 untested$' "$digest"
	run ! grep '^alone' "${digest%/*}/figures.tsv"
	PATCH=1 ci/each-patch
	ci/report
	[ "$(grep '^alone' "${digest%/*}/figures.tsv" | sort | xargs)" = "alone.of:1 2 alone:1 1" ]
	sed -n '/^Not tested/,$p' "$digest" | tr -s ' \n' ' ' | grep -F 'not compiled for single patches, of patch 2: mm/memory.o (on x86_64)'
}

@test "other tools, and other judges, and what there is is no result" {
	toy_checks
	export PATCH=2
	mkdir "$t/bin"
	export PATH=$t/bin:$PATH
	ci/each-patch
	left() { MINUTES=0 ci/each-patch >/dev/null; awk '$4 == "untested" { print $2 }' "$dir/last.tsv" | xargs; }
	[ -z "$(left)" ]
	for tool in "ld build boot" "qemu-system-x86_64 boot" "python3 kernel-doc"; do
		printf '#!/bin/sh\necho "%s 99.1"\n' "${tool%% *}" >"$t/bin/${tool%% *}"
		chmod +x "$t/bin/${tool%% *}"
		[ "$(left)" = "${tool#* }" ]
		rm "$t/bin"/*
	done
	[ "$(ACCEL=tcg,thread=multi left)" = boot ]
	# what judges, by the files that a check uses, comments apart
	cp -r ci "$t/judges"
	while read -r file lines; do
		echo "# a comment" >>"$file"
		[ -z "$(left)" ]
		echo 'CONFIG_X=y' >>"$file"
		[ "$(left)" = "$lines" ]
		cp "$t/judges/${file#ci/}" "$file" 2>/dev/null || sed -i '$d' "$file"
	done <<-FILES
		ci/checks/boot boot
		ci/checks/patch.sh checkpatch kernel-doc objects build boot
		ci/rows boot
		ci/objects objects
		ci/kbuild.sh objects build boot
		configs/fast.config build
		configs/arch/x86_64.config objects
		configs/stack.config objects boot
	FILES
	rm ci/data/splats
	fails "ci/checks/boot uses what is not there" ci/each-patch
}

@test "a half-written result is none" {
	toy_checks
	CHECKS=checkpatch ci/each-patch
	whole=$(ls "$dir"/results/*.tsv | head -n 1)
	for n in 20 60 "$(($(wc -c <"$whole") - 3))"; do
		head -c "$n" "$whole" >"$t/half"
		cp "$t/half" "$whole"
		run ci/each-patch --rows
		[[ "$output" == *"line 1 of $whole is not a whole row: taken for no result"* ]]
		[ "$(verdicts 2>/dev/null | grep -c 'checkpatch - untested')" = 1 ]
		CHECKS=checkpatch ci/each-patch
		[ "$(verdicts | grep -c 'checkpatch - pass')" = 3 ]
	done
	sed 's/\tpass\t[0-9]*/\tpass\tabc/' "$whole" >"$whole.new"
	mv "$whole.new" "$whole"
	[ "$(verdicts 2>/dev/null | grep -c 'checkpatch - untested')" = 1 ]
	# What a run that was killed leaves is no result either.
	mv "$whole" "$whole.tmp"
	[ "$(verdicts | grep -c 'checkpatch - untested')" = 1 ]
}

@test "results of another version of the stack are left out, and said to be" {
	toy_checks
	CHECKS=objects ci/each-patch
	mkdir "$t/rows"
	mv "$dir/rows/all.tsv" "$t/rows/"
	rm -r "$dir/results"
	ROWS=$t/rows run -0 --separate-stderr ci/each-patch --rows
	[ -z "$stderr" ]
	[ "$(grep -c $'objects\t.*\tpass' <<<"$output")" = 3 ]
	# An artifact of GitHub's has the directories that its path's * stood for.
	mkdir -p "$t/artifact/7.3.4-1/each-patch/rows"
	cp "$t/rows/all.tsv" "$t/artifact/7.3.4-1/each-patch/rows/"
	diff <(echo "$output") <(ROWS=$t/artifact ci/each-patch --rows)
	sed -i 's/^+thirty/+THIRTY/' patches/0002*
	ci/apply
	ROWS=$t/rows run -0 --separate-stderr ci/each-patch --rows
	[[ "$stderr" == "note: 2 rows in $t/rows are of another version of the stack"* ]]
	[ "$(grep -c $'0002.*objects\t.*\tuntested' <<<"$output")" = 1 ]
	ROWS=$t/linux fails "is no directory with rows" ci/each-patch --rows
}

@test "the shards are all of the work, each check in one of them" {
	toy_checks
	ci/each-patch --rows >"$t/all"
	[ "$(ci/each-patch --shards)" = '["patches-1", "arch-s390"]' ]
	for s in patches-1 arch-s390; do SHARD=$s ci/each-patch --rows; done >"$t/parts"
	diff "$t/all" "$t/parts"
	SHARD=arch-s390 ci/each-patch
	[ "$(cut -f 2-4 "$dir/rows/arch-s390.tsv")" = $'objects\ts390\tpass' ]
	SHARD=patches-2 fails "there is no shard 'patches-2' of this stack" ci/each-patch
	[[ "$output" == *"'make shards' lists them: patches-1 arch-s390"* ]]
}

@test "PATCH, ARCH, CHECKS and MINUTES narrow it, and what is not there is said" {
	toy_checks
	[ "$(PATCH=2 verdicts | cut -c 1-4 | sort -u)" = 0002 ]
	[ "$(PATCH=0002-3 verdicts | cut -c 1-4 | sort -u | xargs)" = "0002 0003" ]
	[ "$(PATCH='s*ten' verdicts | cut -c 1-4 | sort -u)" = 0001 ]
	[ "$(verdicts s390)" = "0003 objects s390 untested" ]
	[ "$(CHECKS='boot build' verdicts | cut -d ' ' -f 2 | sort -u | xargs)" = "boot build" ]
	PATCH=4 fails "no check is selected by PATCH=4" ci/each-patch
	PATCH=3 CHECKS=boot SHARD=arch-s390 fails "no check is selected by PATCH=3 CHECKS='boot' SHARD=arch-s390 ARCH='s390 um'" ci/each-patch s390 um
	for m in 1.5 -1 abc; do MINUTES=$m fails "MINUTES=$m is not a whole number of minutes" ci/each-patch; done
	MINUTES=08 CHECKS=checkpatch ci/each-patch --rows
	CHECKS=sparse fails "there is no check 'sparse'" ci/each-patch
	fails "ci/data/arches has no row 's309'" ci/each-patch s309
	fails "usage:" ci/each-patch --row
	MINUTES=0 run -0 ci/each-patch
	[[ "$output" == *"13 of 16 checks have no result yet"* ]]
	[ ! -s "$t/calls" ]
}

@test "the report has what failed, what was not tested, and nothing of another stack" {
	toy_checks
	echo thirty >"$t/compiler"
	CHECKS="objects build" fails "a patch fails by itself" ci/each-patch
	c=${stack%/stack/linux}
	mkdir -p "$c"/{matrix,bench,stack/results}
	printf 's390\twhole\tbuilt\tFAILED: 1 new <warning>\t\nalpha\tobjects\t-\tas base (0 warnings)\t-\n' >"$c/matrix/table"
	printf '%s\n' $'NEW\tmm/cow: one\tpass\tfail\t' $'SAME\tmm/cow\tpass\tpass\t' $'SAME\tmm/rmap: <a>\tskip\tskip\tSKIP no swap' $'SAME\tmm/rmap\tskip\tskip\tSKIP no swap' \
		>"$c/stack/results/table.tsv"
	printf 'smaps\t200\t190\tstack/walk_cost\tfast\n' >"$c/bench/costs.tsv"
	touch "$c/bench/text.tsv"
	git -C "$stack" rev-parse 'HEAD^{tree}' | tee "$c"/{matrix,bench,stack/results}/tree
	ci/report
	digest=$c/report/digest.txt
	grep -q '^  objects     2 pass, 1 same, 1 fail$' "$digest"
	grep -q '^  boot        1 same, 2 untested$' "$digest"
	[ "$(grep '^alone' "$c/report/figures.tsv" | sort | xargs)" = "alone.of:1 2 alone:1 0" ]
	grep -q '^  FAILED 0002-mm-spell-out-thirty.patch: objects x86_64: 1 new: thirty$' "$digest"
	grep -q '^  s390  *built; FAILED: 1 new <warning>$' "$digest"
	grep -q '^  alpha  *as base (0 warnings)$' "$digest"
	grep -q '^Tests in the guest: 1 pass, 1 fail, 2 skipped$' "$digest"
	grep -q '^  against the base: NEW 1, SAME 3$' "$digest"
	grep -q '^  NEW mm/cow: one: fail, base pass$' "$digest"
	grep -q '^  smaps  *200  *190  0.95$' "$digest"
	sed -n '/^Not tested/,$p' "$digest" >"$t/not"
	grep -q 'boot of single patches: 2 of 3' "$t/not"
	grep -q 'architectures without a result: x86_64, x86_64-rt,' "$t/not"
	grep -q 'mm/uffd-unit-tests' "$t/not"

	sed -i 's/^+thirty/+THIRTY/' patches/0002*
	ci/apply
	ci/report
	grep -q '^  objects     1 pass, 1 same, 2 untested$' "$digest"
	for what in matrix run bench; do
		grep -q "make $what was run on another version of the stack" "$digest"
	done
	run ! grep -E 'smaps|mm/cow|s390.*FAILED' "$digest"
	rm -r "$c/bench"
	ci/report
	grep -q "make bench was not run" "$digest"
}

@test "the workflow's steps are commands that the README names" {
	mapfile -t commands < <(sed -nE 's/^ +(- )?run: //p' .github/workflows/stack.yml)
	[ "${#commands[@]}" = 12 ]
	for c in "${commands[@]}"; do
		case $c in
		"|") continue ;; # how the kernel is handed on: see guest.bats
		"list=\$(make shards) && echo \"list=\$list\" >>\"\$GITHUB_OUTPUT\"") c="make shards" ;;
		"make each-patch SHARD=\${{ matrix.shard }}") c="make each-patch SHARD=" ;;
		"make report ROWS=rows") c="make report ROWS=" ;;
		esac
		grep -qF "$c" README || { echo "not in README: $c"; return 1; }
		[[ $c != make* ]] || grep -qE "(^|[ :])$(cut -d ' ' -f 2 <<<"$c")( |:)" Makefile
	done
}

# A toy Linux that is configured, and compiles what its make.log says.
toy_kbuild() {
	toy_stack
	mkdir -p "$stack"/{scripts/kconfig,arch/x86/mm,mm/sub,kernel}
	cat >"$stack/Kbuild.toy" <<-M
		tinyconfig: ; @mkdir -p \$O; : >\$O/.config
		olddefconfig: ;
		all: ; @cat $t/make.log; touch \$O/vmlinux
		%.o: ; @mkdir -p \$O/\$(@D); touch \$O/\$@; echo "\$@: warning: W=\$W C=\$C" | sed "s,[^ ]*linux/,,"
	M
	printf '#!/bin/sh\nwhile [ "$1" != -O ]; do shift; done\nout=$2/.config\nshift 3\ncat "$@" >"$out.new"; mv "$out.new" "$out"\n' \
		>"$stack/scripts/kconfig/merge_config.sh"
	chmod +x "$stack/scripts/kconfig/merge_config.sh"
	printf 'config KUNIT\nconfig KUNIT_DEBUGFS\nconfig PT_RANGE_WALK_KUNIT_TEST\n' >"$stack/Kconfig"
	printf 'obj-y := memory.o pair.o\npair-y := one.o sub/two.o\nobj-$(CONFIG_NOT_HERE) += not.o\nobj-$(CONFIG_SMP) += smp.o\n' >"$stack/mm/Makefile"
	touch "$t/make.log"
	printf '\ninclude Kbuild.toy\n' >>"$stack/Makefile"
	out=${stack%/linux}
}

@test "objects: those that are configured are compiled, the others are named" {
	toy_kbuild
	ci/objects stack x86_64 mm/memory.o mm/not.o mm/one.o mm/sub/two.o mm/smp.o
	diff - "$out/arch/x86_64.objects/warnings" <<-E
		mm/memory.o: warning: W=1 C=1
		mm/one.o: warning: W=1 C=1
		mm/smp.o: warning: W=1 C=1
		mm/sub/two.o: warning: W=1 C=1
	E
	[ "$(cat "$out/arch/x86_64.objects/left")" = mm/not.o ]
	run -0 ci/objects stack x86_64 mm/not.o
	[[ "$output" == *"0 warnings; not configured: mm/not.o" ]]
	run -0 ci/objects stack x86_64 usual mm/memory.o
	grep -q '^kernel/fork.o: warning: W=1' "$out/arch/x86_64.objects/warnings"
	# What the Makefile can't be asked is not taken for "no".
	echo 'nonsense here' >>"$stack/mm/Makefile"
	fails "the Makefile of mm can't be asked what it builds" ci/objects stack x86_64 mm/memory.o
	[[ "$output" == *"missing separator"* ]]
}

@test "build --w1: what was said earlier stays, but for files that are gone or that .gitignore ignores" {
	toy_kbuild
	mkdir -p "$out/fast.w1/mm"
	for f in old new; do
		echo "source_mm/$f.o := $stack/mm/$f.c" >"$out/fast.w1/mm/.$f.o.cmd"
		touch "$stack/mm/$f.c"
	done
	printf '  CC      mm/%s.o\nmm/%s.c:1:2: warning: hm\n' old old new new >"$t/make.log"
	printf '  GEN     x\nx.rst: warning: ignored by one of the .gitignore files%s\n' '' '!' >>"$t/make.log"
	ci/build --w1 stack fast
	diff - "$out/fast.w1/warnings" <<-E
		mm/new.c: warning: hm
		mm/old.c: warning: hm
		x.rst: warning: ignored by one of the .gitignore files!
	E
	rm "$stack/mm/new.c"
	echo "  CC      x" >"$t/make.log"
	touch "$out/fast.w1.built"
	ci/build --w1 stack fast
	[ ! -e "$out/fast.w1.built" ]
	[ "$(cat "$out/fast.w1/warnings")" = "mm/old.c: warning: hm" ]
}

@test "git bisect run finds a planted bug, passes over what doesn't build, and leaves nothing behind" {
	toy_checks
	cd "$stack"
	git checkout -q -b planted
	for n in 5 bug nobuild 15 20 25; do
		sed -i /^nobuild/d mm/memory.c
		echo "$n" >>mm/memory.c
		git commit -qam "mm: $n"
	done
	git checkout -q -
	before=$(git rev-parse HEAD; git symbolic-ref HEAD; git status --porcelain)
	echo ^nobuild >"$t/broken"
	cat >"$t/repo/ci/guest" <<-S
		#!/bin/bash
		[ "\$*" = "each-patch fast \$3 $dir/bisect" ] && grep -q mincore_selftest "\$3" || exit 4
		mkdir -p $dir/bisect
		touch $dir/bisect/splats.txt
		printf 'mincore: a\t%s\t\n' "\$(grep -q bug $dir/linux/mm/memory.c && echo fail || echo pass)" >$dir/bisect/rows.tsv
	S
	git bisect start planted "planted~6"
	TESTS='^mincore$' run -0 git bisect run "$t/repo/ci/bisect-run"
	echo "$output"
	[ "$(git log -1 --format=%s refs/bisect/bad)" = "mm: bug" ]
	[[ "$output" == *"is skipped: it doesn't build"* ]]
	git bisect reset
	[ "$(git rev-parse HEAD; git symbolic-ref HEAD; git status --porcelain)" = "$before" ]
	# What is no verdict ends it.
	for why in "TESTS=^nothing" "TESTS=" "TESTS=mincore CONFIG=debug"; do
		# shellcheck disable=SC2086 # words
		env $why "$t/repo/ci/bisect-run" && return 1 || [ $? = 255 ]
	done
}
