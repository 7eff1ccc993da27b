#!/usr/bin/env bats
# deps: names what it installs first, and nothing else happens without a word.

# shellcheck disable=SC2154 # bats and helper.bash set these
load helper

# A machine that lacks two packages, seen by the user with this id.
machine() {
	mkdir "$t/bin"
	cat >"$t/bin/dpkg-query" <<-'S'
		#!/bin/sh
		case "$*" in *quilt* | *bison*) exit 1 ;; esac
		echo installed
	S
	printf '#!/bin/sh\necho %s\n' "$1" >"$t/bin/id"
	printf '#!/bin/sh\necho "apt-get $*"\n' >"$t/bin/apt-get"
	printf '#!/bin/sh\n%s\n' "${2:-exit 1}" >"$t/bin/sudo"
	chmod +x "$t"/bin/*
	export PATH=$t/bin:$PATH
}

@test "root: what is missing is named, then installed" {
	machine 0
	run ci/deps </dev/null
	echo "$output"
	[ "$status" = 0 ]
	[ "${lines[0]}" = "== installing with apt-get: bison quilt" ]
	[ "${lines[1]}" = "apt-get -o DPkg::Lock::Timeout=300 update -qq" ]
}

@test "a user with sudo installs through it" {
	machine 1000 'echo "sudo $*" >>'"$t/sudo.log"
	run ci/deps </dev/null
	[ "$status" = 0 ]
	grep -q 'sudo apt-get .* update' "$t/sudo.log"
	grep -q 'install -y -qq --no-remove --no-install-recommends bison quilt' "$t/sudo.log"
}

@test "a user who may not install is told exactly what is missing" {
	machine 1000
	fails "these packages are missing and this user may not install them: bison quilt" ci/deps </dev/null
}

@test "nothing is missing: nothing is installed" {
	machine 1000
	printf '#!/bin/sh\necho installed\n' >"$t/bin/dpkg-query"
	run ci/deps </dev/null
	[ "$status" = 0 ]
	[ "$output" = "== packages: none is missing" ]
}

@test "each target installs what it needs, and no more" {
	machine 1000
	printf '#!/bin/sh\nexit 1\n' >"$t/bin/dpkg-query"
	fails "not install them: git debian-archive-keyring xz-utils python3" ci/deps apply </dev/null
	[[ "$output" != *qemu* && "$output" != *gcc* ]]
	fails "qemu-system-x86" ci/deps run </dev/null
	[[ "$output" == *" mount "* && "$output" != *-linux-gnu* && "$output" != *shellcheck* ]]
	run make -n applies
	[ "$output" = $'ci/deps apply\nci/fetch\nci/applies' ]
	run make -n run
	[[ "$output" == *$'ci/deps run\n'*"ci/ktest stack" ]]
	fails "usage:" ci/deps aply
}

@test "what apt says is shown if it fails, and only then" {
	machine 0
	printf '#!/bin/sh\ncase $* in *install*) echo pmstatus:x:50:Unpacking x >&3; echo Setting up x ;; esac\n' >"$t/bin/apt-get"
	run -0 ci/deps </dev/null
	[[ "$output" == *"50 %, Unpacking x"* && "$output" != *"Setting up x" ]]
	echo "case \$* in *install*) echo disk on fire; exit 100 ;; esac" >>"$t/bin/apt-get"
	fails $'disk on fire\nerror: apt-get could not install them (exit code 100), see above' ci/deps </dev/null
	[ "$status" = 4 ]
}

@test "a machine that is not Debian goes on if it has all, or is told what it lacks" {
	without dpkg-query
	PATH=$t/without ci/deps check
	rm "$t/without/"{bison,mount}
	echo "libodd-dev <no/such/header.h> run" >>ci/data/packages
	PATH=$t/without fails "this is not Debian, and these are missing: bison mount <no/such/header.h>" ci/deps run
	[ "$status" = 4 ]
	PATH=$t/without ci/deps apply
}

@test "what only make matrix needs is installed for it alone" {
	machine 0
	sed -i 's/bison/lld-19/' "$t/bin/dpkg-query"
	run ci/deps </dev/null
	[ "${lines[0]}" = "== installing with apt-get: quilt" ]
	run ci/deps matrix </dev/null
	[ "${lines[0]}" = "== installing with apt-get: quilt lld-19" ]
}
