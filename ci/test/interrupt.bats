#!/usr/bin/env bats
# A signal takes effect within five seconds, and leaves no process and no lock.

# shellcheck disable=SC2154 # bats and helper.bash set these
load helper

# A script with what none of ours should be kept waiting by: a child in the
# foreground that misses the first signal, one in the background that ignores them, a
# script within; and what it puts away takes longer (of one) than until it is told again.
toy_script() {
	cat >ci/toy <<-'S'
		#!/usr/bin/env bash
		#   ci/toy [WORD...]
		. "$(dirname "$0")/lib.sh"
		lock_cache
		who=${1:-outer} at_exit='[ "$who" = inner ] || sleep 1.2; echo "$who" >>"$cache/put-away"'
		[ $# -gt 0 ] || "$0" inner
		(trap '' INT TERM; exec sleep 1001) &
		touch "$cache/ready"
		"$BASH" -c 'trap "trap - TERM" TERM; while :; do sleep 0.1; done'
	S
	chmod +x ci/toy
}

# still: is there a process that works in this test's cache?
still() {
	found=$(grep -lsxz "PGTABLE_STACK_LOCKED=$XDG_CACHE_HOME/pgtable-stack" /proc/[0-9]*/environ) || true
	[ -n "$found" ]
}

teardown() {
	local p
	! still || for p in $found; do kill -KILL "${p//[^0-9]/}"; done
}

# interrupted SIGNAL: starts the script, sends it that, and waits for 5 s at most.
interrupted() {
	local pid dir=$XDG_CACHE_HOME/pgtable-stack i
	rm -rf "$dir"
	# A shell's child in the background ignores SIGINT otherwise, and nohup's SIGHUP.
	env --default-signal=INT,HUP ci/toy >"$t/out" 2>&1 3>&- &
	pid=$!
	for ((i = 0; i < 300; i++)); do
		[ ! -e "$dir/ready" ] || break
		sleep 0.1
	done
	still
	kill "-$1" "$pid"
	for ((i = 0; i < 50; i++)); do
		still || break
		sleep 0.1
	done
	! still || return 1
	wait "$pid" || echo "exit code $?" >>"$t/out"
	flock -n "$dir/lock" true
}

@test "SIGINT, SIGTERM and SIGHUP end a script, its children and their children" {
	toy_script
	for s in INT:130 TERM:143 HUP:143; do
		interrupted "${s%:*}"
		cat "$t/out"
		grep -qx "exit code ${s#*:}" "$t/out"
		grep -q "toy was interrupted; the same command goes on from here" "$t/out"
		# Both had the time to put away what is theirs.
		[ "$(sort "$XDG_CACHE_HOME/pgtable-stack/put-away" | xargs)" = "inner outer" ]
	done
}

@test "after SIGKILL nothing lives on that holds the lock" {
	toy_script
	interrupted KILL
}

@test "arguments, input and exit code are those of the script" {
	mkdir -p "$XDG_CACHE_HOME"
	cat >ci/toy <<-'S'
		#!/usr/bin/env bash
		#   ci/toy [WORD...]
		. "$(dirname "$0")/lib.sh"
		tmp=$(mktemp "$XDG_CACHE_HOME/tmp.XXXXXX") at_exit='rm "$tmp"'
		lock_cache
		printf '<%s>' "$@" "$(cat)"
		exit 4
	S
	chmod +x ci/toy
	run ci/toy "a  b" \\ '*' <<<input
	[ "$status" = 4 ]
	[ "$output" = '<a  b><\><*><input>' ]
	# What it made before it had the lock is put away as well.
	[ -z "$(find "$XDG_CACHE_HOME" -name 'tmp.*')" ]
}
