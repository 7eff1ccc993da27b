#!/usr/bin/env bats
# fetch: the base comes whole and verified, or not at all.

# shellcheck disable=SC2154 # bats and helper.bash set these
load helper

# A signed archive at $t/archive with a toy linux-source-7.3.
toy_archive() {
	local version=${1:-7.3.4-1} suite=$t/archive/dists/trixie-backports
	export GNUPGHOME=$t/gnupg${whose:-} MIRROR=file://$t/archive KEYRING=$t/key.gpg
	if [ ! -d "$GNUPGHOME" ]; then
		mkdir -m 700 "$GNUPGHOME"
		gpg -q --batch --passphrase '' --quick-gen-key toy ed25519 sign never
		gpg -q --export toy >"$KEYRING"
	fi
	mkdir -p "$t/src/linux-source-7.3/mm" "$t/pkg/DEBIAN" "$t/pkg/usr/src" "$t/archive/pool"
	printf 'VERSION = 7\nPATCHLEVEL = %s\n' "${2:-3}" >"$t/src/linux-source-7.3/Makefile"
	seq 1 40 >"$t/src/linux-source-7.3/mm/memory.c"
	echo '*' >"$t/src/linux-source-7.3/.gitignore"
	tar -C "$t/src" -cJf "$t/pkg/usr/src/linux-source-7.3.tar.xz" linux-source-7.3
	printf 'Package: linux-source-7.3\nVersion: %s\nArchitecture: all\nMaintainer: toy <toy@localhost>\nDescription: toy\n' \
		"$version" >"$t/pkg/DEBIAN/control"
	rm -f "$t/archive/pool/"*
	dpkg-deb -b "$t/pkg" "$t/archive/pool/linux-source-7.3_$version.deb" >/dev/null
	mkdir -p "$suite/main/binary-amd64"
	(cd "$t/archive" && dpkg-scanpackages -m pool 2>/dev/null >"$suite/main/binary-amd64/Packages")
	sign
	{
		echo "# base: $version"
		echo "# sha256: $(sha256sum <"$t/archive/pool/linux-source-7.3_$version.deb" | cut -d' ' -f1)"
	} >series
	c=$XDG_CACHE_HOME/pgtable-stack
}

sign() {
	local suite=$t/archive/dists/trixie-backports
	(
		cd "$suite" || exit
		printf 'Origin: Debian\nSuite: trixie-backports\nCodename: trixie-backports\nArchitectures: amd64\nComponents: main\nDate: %s\nSHA256:\n' \
			"$(date -Ru)"
		f=main/binary-amd64/Packages
		printf ' %s %s %s\n' "$(sha256sum <$f | cut -d' ' -f1)" "$(wc -c <$f)" $f
	) >"$suite/Release"
	gpg -q --batch --yes --clearsign -o "$suite/InRelease" "$suite/Release"
}

teardown() {
	for home in "$t"/gnupg*; do
		[ ! -d "$home" ] || GNUPGHOME=$home gpgconf --kill all
	done
	! mountpoint -q "$t/small" || umount "$t/small"
}

nothing_imported() {
	[ -z "$(git -C "$c/linux.git" tag 2>/dev/null)" ]
	run ci/apply
	[[ "$output" == *"there is no base tree yet"* ]]
}

@test "the base is fetched, imported with all its files, and not fetched again" {
	toy_archive
	ci/fetch
	[ "$(git -C "$c/linux.git" ls-tree -r --name-only base/7.3.4-1 | xargs)" = ".gitignore Makefile mm/memory.c" ]
	commit=$(git -C "$c/linux.git" rev-parse base/7.3.4-1)
	rm -rf "$t/archive"
	ci/fetch
	# Anyone gets the same commit.
	rm -rf "$c"
	toy_archive
	ci/fetch
	[ "$commit" = "$(git -C "$c/linux.git" rev-parse base/7.3.4-1)" ]
}

@test "an archive that can't be reached" {
	toy_archive
	MIRROR=http://127.0.0.1:9/debian fails "the archive could not be reached" ci/fetch
	MIRROR=file://$t/nowhere fails "the archive could not be reached" ci/fetch
	nothing_imported
	ci/fetch
}

@test "a signature by a key that is not in the keyring" {
	toy_archive
	mv "$KEYRING" "$t/theirs"
	# An agent outlives its directory, and would take the socket of the next one there
	# with it: each key has a directory of its own.
	agent=$(pgrep -f "^gpg-agent --homedir $GNUPGHOME ")
	kill -STOP "$agent"
	whose=-other toy_archive 7.3.4-1
	kill -CONT "$agent"
	sleep 1
	[ -S "$(gpgconf --list-dirs agent-socket)" ]
	mv "$t/theirs" "$KEYRING"
	fails "the signature of trixie-backports does not verify" ci/fetch
	nothing_imported
}

@test "a machine without Debian's apt is told to name a tree" {
	toy_archive
	without apt-get
	PATH=$t/without fails "the base comes from Debian's archive, and this machine has no apt-get" ci/fetch
	[ "$status" = 4 ]
}

@test "an index that was changed after it was signed" {
	toy_archive
	sed -i 's/^Codename.*/Codename: other/' "$t/archive/dists/trixie-backports/InRelease"
	fails "the signature of trixie-backports does not verify" ci/fetch
	nothing_imported
}

@test "a corrupt download" {
	toy_archive
	deb=$(echo "$t"/archive/pool/*.deb)
	printf XXXXXXXX | dd of="$deb" bs=1 seek=300 conv=notrunc status=none
	fails "is corrupt: its checksum is not the archive's" ci/fetch
	nothing_imported
}

@test "a truncated download, and the whole one afterwards" {
	toy_archive
	deb=$(echo "$t"/archive/pool/*.deb)
	cp "$deb" "$t/whole"
	truncate -s -100 "$deb"
	fails "is corrupt: its checksum is not the archive's" ci/fetch
	nothing_imported
	cp "$t/whole" "$deb"
	ci/fetch
}

@test "a cached package that has gone bad is downloaded again" {
	toy_archive
	mkdir -p "$c/download"
	echo bad >"$c/download/linux-source-7.3_7.3.4-1.deb"
	ci/fetch
}

@test "the tested version is gone: the newest is taken, and said" {
	toy_archive 7.3.9-1
	sed -i 's/^# base: .*/# base: 7.3.4-1/' series
	run ci/fetch
	[ "$status" = 0 ]
	[[ "$output" == *"7.3.4-1, which the stack was tested on, is gone from the archive; taking 7.3.9-1"* ]]
	run ci/fetch
	[[ "$output" == *"note: the stack was tested on 7.3.4-1"* ]]
}

@test "rebase: onto Debian's next version, which series names afterwards" {
	toy_archive 7.3.4-1
	ci/fetch
	toy_patch
	seq() { command seq 0 40; }
	toy_archive 7.3.5-1
	unset -f seq
	sed -i "s/^# base: .*/# base: 7.3.4-1/; s/^# sha256: .*/# sha256: $(sha256sum <"$c/download/linux-source-7.3_7.3.4-1.deb" | cut -d' ' -f1)/" series
	printf '\n# Part 1: toy\n0001-mm-spell-out-ten.patch\n' >>series
	BASE=7.3.6-1 fails "trixie-backports has no linux-source-7.3 7.3.6-1" ci/rebase
	[[ "$output" == *"it has 7.3.5-1"* ]]
	BASE=7.3.4-1 fails "the stack stands on 7.3.4-1 already" ci/rebase
	BASE=7.3.5-1 ci/rebase
	grep -qx '# base: 7.3.5-1' series
	grep -qx "# sha256: $(sha256sum <"$t/archive/pool/linux-source-7.3_7.3.5-1.deb" | cut -d' ' -f1)" series
	grep -qx '@@ -8,7 +8,7 @@.*' patches/0001*
	ci/fetch
	ci/apply
}

# A stack of one patch on the base.
toy_patch() {
	printf '\n# Part 1: toy\n0001-mm-spell-out-ten.patch\n' >>series
	cat >patches/0001-mm-spell-out-ten.patch <<-'P'
		From: A <a@localhost>
		Date: Thu, 1 Jan 2026 00:00:00 +0000
		Subject: [PATCH] mm: spell out ten

		---
		diff --git a/mm/memory.c b/mm/memory.c
		--- a/mm/memory.c
		+++ b/mm/memory.c
		@@ -7,7 +7,7 @@
		 7
		 8
		 9
		-10
		+ten
		 11
		 12
		 13
	P
}

@test "rebase: on a machine that has no base yet it is fetched first" {
	toy_archive 7.3.4-1
	toy_patch
	BASE=7.3.4-1 fails "the stack stands on 7.3.4-1 already" ci/rebase
	rm -rf "$XDG_CACHE_HOME"
	git init -q "$t/linux"
	printf 'VERSION = 7\nPATCHLEVEL = 3\n' >"$t/linux/Makefile"
	mkdir "$t/linux/mm"
	seq 1 40 | sed 's/^10$/X/' >"$t/linux/mm/memory.c"
	git -C "$t/linux" add .
	git -C "$t/linux" commit -qm newer
	LINUX=$t/linux fails "'mm: spell out ten' does not apply to $t/linux:" ci/rebase
	rm -rf "$XDG_CACHE_HOME" "$t/archive"
	LINUX=$t/linux fails "the archive could not be reached" ci/rebase
}

@test "rebase: a package that is gone leaves no empty checksum in series" {
	toy_archive 7.3.4-1
	ci/fetch
	toy_patch
	cp series "$t/series"
	cp -a patches "$t/before"
	toy_archive 7.3.5-1
	cp "$t/series" series
	BASE=7.3.5-1 ci/fetch
	rm "$c/download/linux-source-7.3_7.3.5-1.deb"
	BASE=7.3.5-1 fails "$c/download/linux-source-7.3_7.3.5-1.deb is gone, and its checksum belongs into series" ci/rebase
	diff series "$t/series"
	diff -r patches "$t/before"
	eval "$(sed -n 's/^       \(git .*\)make fetch BASE=\([^;]*\); make rebase$/\1BASE=\2 ci\/fetch/p' <<<"$output")"
	ci/rebase
	grep -qx "# sha256: $(sha256sum <"$t/archive/pool/linux-source-7.3_7.3.5-1.deb" | cut -d' ' -f1)" series
}

@test "a newer base in series is fetched, an older one serves when it can't be" {
	toy_archive 7.3.4-1
	ci/fetch
	toy_archive 7.3.5-1
	MIRROR=file://$t/nowhere run ci/fetch
	[ "$status" = 0 ]
	[[ "$output" == *"base: linux-source-7.3 7.3.4-1"*"tested on 7.3.5-1, and the archive could not be asked"* ]]
	ci/fetch
	git -C "$c/linux.git" rev-parse -q --verify refs/tags/base/7.3.5-1
}

@test "the tested version with another checksum is refused" {
	toy_archive
	sed -i 's/^# sha256: ../# sha256: 00/' series
	fails "is not the one that was tested" ci/fetch
	nothing_imported
}

@test "a package that holds another version of Linux is refused" {
	toy_archive 7.3.4-1 1
	fails "holds Linux 7.1" ci/fetch
	nothing_imported
}

@test "an import that was killed is begun anew" {
	toy_archive
	git init -q --bare "$c/linux.git"
	echo half >"$c/linux.git/objects/pack/tmp_pack_half"
	nothing_imported
	ci/fetch
	[ "$(git -C "$c/linux.git" ls-tree -r --name-only base/7.3.4-1 | wc -l)" = 3 ]
	[ ! -e "$c/linux.git/objects/pack/tmp_pack_half" ]
}

@test "a source that ends early is not imported" {
	toy_archive
	mkdir "$t/bin"
	printf '#!/bin/sh\n/usr/bin/xz "$@" | head -c 3000\n' >"$t/bin/xz"
	chmod +x "$t/bin/xz"
	PATH=$t/bin:$PATH fails "could not be unpacked" ci/fetch
	nothing_imported
}

@test "the commit is what git add makes of the files, and the same everywhere" {
	toy_archive
	ln -s Makefile "$t/src/linux-source-7.3/link"
	printf '#!/bin/sh\n' >"$t/src/linux-source-7.3/mm/a script"
	chmod +x "$t/src/linux-source-7.3/mm/a script"
	: >"$t/src/linux-source-7.3/mm/empty"
	p=mm/$(printf 'x%.0s' {1..120})
	echo long >"$t/src/linux-source-7.3/$p"
	toy_archive
	ci/fetch
	git init -q "$t/added"
	git -C "$t/added" --work-tree="$t/src/linux-source-7.3" add -f .
	[ "$(git -C "$t/added" write-tree)" = "$(git -C "$c/linux.git" rev-parse 'base/7.3.4-1^{tree}')" ]
	[ "$(git -C "$c/linux.git" cat-file commit base/7.3.4-1 | tail -n +2)" = "$(printf '%s\n' \
		"author linux-source <linux-source@localhost> 0 +0000" \
		"committer linux-source <linux-source@localhost> 0 +0000" "" "linux-source-7.3 7.3.4-1")" ]
}

@test "a small disk is refused before anything is fetched" {
	[ "$(id -u)" = 0 ] || skip "mounting a tmpfs needs root"
	toy_archive
	mkdir "$t/small"
	mount -t tmpfs -o size=100m tmpfs "$t/small" || skip "no tmpfs may be mounted here"
	XDG_CACHE_HOME=$t/small fails "fetching and importing the base needs 800 MB" ci/fetch
}

@test "a disk that fills up in the middle" {
	[ "$(id -u)" = 0 ] || skip "mounting a tmpfs needs root"
	toy_archive
	mkdir "$t/small"
	mount -t tmpfs -o size=100m tmpfs "$t/small" || skip "no tmpfs may be mounted here"
	export XDG_CACHE_HOME=$t/small c=$t/small/pgtable-stack
	# A df that was right a moment ago, and a neighbour who takes the rest.
	mkdir "$t/bin"
	cat >"$t/bin/dpkg-deb" <<-'S'
		#!/bin/sh
		dd if=/dev/zero of="$XDG_CACHE_HOME/neighbour" bs=1M 2>/dev/null
		exec /usr/bin/dpkg-deb "$@"
	S
	cat >"$t/bin/df" <<-'S'
		#!/bin/sh
		[ -e "$XDG_CACHE_HOME/neighbour" ] && exec /usr/bin/df "$@"
		printf 'x\nx 9999 0 9999\n'
	S
	chmod +x "$t"/bin/*
	PATH=$t/bin:$PATH fails "the disk that holds $c is full" ci/fetch
	rm "$XDG_CACHE_HOME/neighbour" "$t/bin/df"
	nothing_imported
}
