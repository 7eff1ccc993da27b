# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those who source it
# Sourced by the checks beside it, ci/checks/NAME PATCH [ROW]. PATCH is a number, or a
# commit of the stack's repository; what was found is printed, the verdict in the last
# line. The exit code is 0 if the patch passes, 3 if it fails, 4 if the machine lacks
# something. In the head of a check ci/each-patch reads on which Rows it is run ("-"
# is none, "touched" those whose kernel the patch touches), and which Tools and files
# (Uses) may change its verdict.
declare -F die >/dev/null || . "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

row=${2:-$(sed -n 's/^# Rows: //p' "$0")}
case $row in
- | x86_64) ;;
touched) code=2 die "which row of ci/data/arches?" "ci/checks/${0##*/} $1 ROW" ;;
*) known_rows "$row" ;;
esac
lock_cache
find_base
stack=$cache/$id/stack/linux
[ -e "$stack/.git" ] || die "there is no worktree of the stack" "run 'make apply'"
mapfile -t commits < <(git -C "$stack" rev-list --reverse "$base..refs/stack/$id")
commit=
[[ ! $1 =~ ^[0-9]{1,4}$ ]] || [ $((10#$1)) = 0 ] || commit=${commits[10#$1 - 1]:-}
[ -n "$commit" ] || commit=$(git -C "$stack" rev-parse -q --verify "$1^{commit}") ||
	code=2 die "there is no patch $1" "the stack has 1 to ${#commits[@]}; or name a commit"
parent=$(git -C "$stack" rev-parse -q --verify "$commit^") || true # the base has none
dir=$cache/$id/each-patch
mkdir -p "$dir"
tmp=$(mktemp -d)
at_exit='rm -rf "$tmp"'

# at COMMIT: the worktree at it; only files that differ are written, so that make
# compiles little on the way up.
at() {
	if [ ! -e "$dir/linux/.git" ]; then
		new_worktree "$dir/linux" "a tree to go through the patches in" "$1"
	else
		rm -f "$(git -C "$dir/linux" rev-parse --path-format=absolute --git-path index.lock)"
		git -C "$dir/linux" checkout -q -f --detach "$1"
	fi
}

# of_both COMMAND...: runs it at the parent, then at the patch. What it leaves in $into,
# warnings and more, is $tmp/parent and $tmp/patch, and kept for the next patch. What
# the parent doesn't compile is no fault of the patch.
of_both() {
	local rc=0
	side parent "$parent" "$@" || rc=$?
	case $rc in 0 | 3) ;; *) exit $rc ;; esac
	side patch "$commit" "$@" || exit
	[ $rc = 0 ] || { say "compiles, with $(wc -l <"$tmp/patch/warnings") warnings; its parent does not"; exit 0; }
}
side() {
	local kept
	read_row "$row"
	# shellcheck disable=SC2046 # words
	kept=$dir/said/$({
		git -C "$stack" rev-parse "$2^{tree}"
		echo "$row ${*:3}"
		"$compiler" --version
		ld --version
		sparse --version
		cd "$top" && cat $(sed -n "s/ROW/$row/; s/^# Uses: //p" "$0")
	} 2>&1 | sha256sum | cut -c 1-16)
	into=$kept.tmp
	[ -e "$kept" ] || { rm -rf "$into" && mkdir -p "$into" && at "$2" && "${@:3}" && mv "$into" "$kept"; } || return
	ln -s "$kept" "$tmp/$1"
}

# The whole kernel with W=1, and its symbols, whose sizes are all that bloat-o-meter
# looks at.
whole() {
	"$top/ci/build" --w1 each-patch fast && cp "$dir/fast.w1/warnings" "$into" &&
		objcopy --only-keep-debug "$dir/fast.w1/vmlinux" "$into/vmlinux"
}

# new PARENT PATCH: the lines that the parent doesn't have, or not as often, fail the
# check. Both are sorted. Without its number a second complaint of a file may read as
# the first, so no line is dropped here: complaints() does so with what a header has
# said again for each file that includes it.
new() {
	local lines
	lines=$(comm -13 "$1" "$2")
	[ -z "$lines" ] || { echo "$lines"; die "$(wc -l <<<"$lines") new: $(head -n 1 <<<"$lines")"; }
}
