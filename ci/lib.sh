# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those who source it
# Sourced by the scripts in ci/: where things are, how they fail, who may
# work in the cache. Everything downloaded or built lives in $cache, never in
# the repository.

set -euo pipefail
export LC_ALL=C
called_with=("$@")

# The head of each script says what it is for, and how it is called in lines
# "#   ci/NAME WORD": a WORD in capitals stands for anything but an option, A|B for one
# of them, [WORD] may be left out, WORD... repeated. Without such a line it takes none.
if [ "${BASH_SOURCE[-1]}" = "$0" ]; then
	head=$(sed -n '2,/^[^#]/s/^# \?//p' "$0")
	uses=$(grep -E "^ +([^ ]+=[^ ]* )*ci/([a-z]+/)?${0##*/}( |\$)" <<<"$head") || true
	called=
	for word; do word=${word:-_}; called+=" ${word// /_}"; done
	if [[ ${1:-} = @(-h|--help) ]]; then
		echo "$head"
		exit 0
	elif ! [[ $called =~ ^($(sed -E '
		s,^( *[^ ]+=[^ ]*)* *ci/[^ ]*,,
		s/  .*//
		s/[^][ ]*\|[^][ ]*/(&)/g
		s/ \[([^] ]*)\.\.\.\]/( \1)*/g
		s/ \[([^]]*)\]/( \1)?/g
		s/ ([^] ]*)\.\.\./( \1)+/g
		s/[A-Z][A-Z_.,a-z]*/[^ -][^ ]*/g' <<<"$uses" | paste -sd'|'))$ ]]; then
		printf '%s\n' "usage:" "${uses:-    ci/${0##*/}, without arguments}" \
			"$0 --help says more" >&2
		exit 2
	fi
fi

# What make passes on to every make below, and what a kernel build would take
# for its own, is not meant for them.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL ARCH CROSS_COMPILE

# git does the same for everybody: nothing that the environment, the person or the
# machine tells it counts, and no settings but these. as_user COMMAND runs with the
# person's: to ask who that is, and for b4.
export PGTABLE_STACK_GIT_CONFIG=${PGTABLE_STACK_GIT_CONFIG-${GIT_CONFIG_GLOBAL:-}}
for name in ${!GIT_@}; do
	case $name in GIT_EXEC_PATH | GIT_AUTHOR_NAME | GIT_AUTHOR_EMAIL | GIT_COMMITTER_NAME | GIT_COMMITTER_EMAIL) ;;
	*) unset "$name" ;;
	esac
done
git_setting() {
	local n=${GIT_CONFIG_COUNT:-0}
	export "GIT_CONFIG_KEY_$n=$1" "GIT_CONFIG_VALUE_$n=$2" GIT_CONFIG_COUNT=$((n + 1))
}
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_ATTR_NOSYSTEM=1
git_setting core.attributesFile /dev/null
git_setting core.excludesFile /dev/null
git_setting core.hooksPath /dev/null
git_setting core.fsmonitor false
git_setting diff.orderFile /dev/null
git_setting core.autocrlf false
git_setting commit.cleanup verbatim
git_setting commit.gpgSign false
git_setting tag.gpgSign false
git_setting rebase.backend merge
git_setting safe.bareRepository all
git_setting safe.directory '*'
git_setting gc.auto 0
as_user() (
	unset GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM
	[ -z "$PGTABLE_STACK_GIT_CONFIG" ] || export GIT_CONFIG_GLOBAL=$PGTABLE_STACK_GIT_CONFIG
	"$@"
)

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:?is not set, and XDG_CACHE_HOME neither}/.cache}/pgtable-stack
repo=$cache/linux.git
series=$top/series
patches=$top/patches

# die MESSAGE [NEXT STEP...]: the one message of a failure, and the end of it.
# A full disk makes any step fail in ways of its own, so that is said first. The exit
# code is 3; 2 if it was called wrongly; 4 if the machine lacks something, and what was to
# be tested is not at fault.
die() {
	local mb code=${code:-3}
	mb=$(free_mb)
	if [ "$mb" -lt 64 ]; then
		code=4
		printf 'error: the disk that holds %s is full (%s MB free)\n' "$cache" "$mb" >&2
		set -- "$@" "make room or point XDG_CACHE_HOME elsewhere, then run the same command: it goes on where it stopped"
		printf '       %s\n' "$@" >&2
	else
		printf 'error: %s\n' "$1" >&2
		[ $# -lt 2 ] || printf '       %s\n' "${@:2}" >&2
	fi
	exit "$code"
}

say() { printf '== %s\n' "$*"; }

# What a script has to put away however it ends: at_exit='rm -rf "$tmp"'.
at_exit=:

on_exit() {
	local rc=$?
	trap '' INT TERM HUP
	eval "$at_exit" || true
	# Where the work is done, it was said why that ended, unless SIGKILL ended it.
	[ -z "${waits_for:-}" ] || [ $rc = 137 ] || return 0
	# die has said why, and anything else that failed was not expected to.
	case $rc in
	0 | 2 | 3 | 4) ;;
	130 | 143) echo "${0##*/} was interrupted; the same command goes on from here" >&2 ;;
	*) (die "${0##*/} stopped (exit code $rc), see above") || exit $((rc == 137 ? rc : 3)) ;;
	esac
}
trap on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Of the nearest directory that exists: $cache may not be there yet.
free_mb() {
	local d=$cache
	until [ -d "$d" ]; do d=$(dirname "$d"); done
	df -Pm "$d" | awk 'NR == 2 { print $4 }'
}

# need_mb MEGABYTES WHAT
need_mb() {
	local have
	have=$(free_mb)
	[ "$have" -ge "$1" ] ||
		code=4 die "$2 needs $1 MB, and $cache has $have MB free" \
			"make room or point XDG_CACHE_HOME to a larger disk"
}

# packages: the lines of ci/data/packages, and Debian's cross compilers of ci/data/arches.
packages() {
	grep -v '^#' "$top/ci/data/packages"
	awk '$4 ~ /^[a-z0-9]+-(linux-.*|elf)-$/ && !n[$4]++ { tool = $4 "gcc"; sub(/-$/, "", $4); print "gcc-" $4, tool, "matrix" }' \
		"$top/ci/data/arches"
}

# need TOOL...: packages() says which package has it.
need() {
	local t p
	for t; do
		command -v "$t" >/dev/null && continue
		p=$(packages | awk -v t=",$t," 'index("," $2 ",", t) && !n++ { print $1 }')
		code=4 die "the tool '$t' is missing" \
			"run 'make deps', or install the package ${p:-that has it}"
	done
}

# One run at a time in one cache. The lock goes with the processes that inherit it,
# so nothing stale is left by one that was killed. The script that takes it runs
# itself again, in a process group of its own, and only waits: a signal takes effect
# at once, whatever is in the foreground there, and reaches the whole group. That
# ends with this process, even if SIGKILL ends it.
lock_cache() {
	[ "${PGTABLE_STACK_LOCKED:-}" != "$cache" ] || return 0
	local rc=0
	mkdir -p "$cache"
	exec 9>>"$cache/lock"
	flock -n 9 ||
		die "another run (process $(tail -n 1 "$cache/lock")) is working in $cache" \
			"wait for it, or give this one a cache of its own with XDG_CACHE_HOME"
	echo $$ >"$cache/lock"
	export PGTABLE_STACK_LOCKED=$cache
	set -m
	{
		{ tail -f --pid=$$ -s 0.5 /dev/null; kill -KILL 0; } >/dev/null 2>&1 9>&- &
		exec "$BASH" "$0" ${called_with[@]+"${called_with[@]}"}
	} <&0 &
	waits_for=$! at_exit="end_work; $at_exit"
	set +m
	wait "$waits_for" || rc=$?
	exit "$rc"
}

# The script at work has 4 s to put away what is its own. It is told each second: a
# command that was just being started may have missed the signal.
end_work() {
	local told='' end=$((SECONDS + 4))
	trap '' INT TERM HUP
	while [ $SECONDS -lt $end ] && kill -0 "$waits_for"; do
		[ "$told" = $SECONDS ] || kill -- "-$waits_for"
		told=$SECONDS
		sleep 0.1
	done
	kill -KILL -- "-$waits_for"
} 2>/dev/null

# git am records who applied: a machine without an identity is no reason to fail.
for who in AUTHOR COMMITTER; do
	ident=$(as_user git -C "${LINUX:-.}" var "GIT_${who}_IDENT" 2>/dev/null) ||
		ident='pgtable-stack <pgtable-stack@localhost>'
	email=${ident#*<}
	export "GIT_${who}_NAME=${ident%% <*}" "GIT_${who}_EMAIL=${email%%>*}"
done

# The patches that series lists, in order.
listed() { sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' "$series"; }

# patches_sum: the checksums of the listed patches. stack/applied in the cache has those of
# what is applied.
patches_sum() {
	local p
	for p in $(listed); do sha256sum <"$patches/$p"; done
}

# series_field KEY: the value of a "# KEY: value" line of series.
series_field() { sed -n "s/^# $1: *//p" "$series"; }

# borrow TREE: $repo, the cache's, finds the objects of that git tree as well, where
# they are. Nothing is written there: branches and worktrees are $repo's.
borrow() {
	local objects shallow list=$repo/objects/info/alternates
	[ -d "$repo" ] || git init -q --bare --template= "$repo"
	objects=$(git -C "$1" rev-parse --path-format=absolute --git-path objects)
	grep -sqxF -e "$objects" "$list" || echo "$objects" >>"$list"
	shallow=$(git -C "$1" rev-parse --path-format=absolute --git-path shallow)
	[ ! -e "$shallow" ] || {
		sort -u "$shallow" >"$repo/shallow.$$"
		[ ! -e "$repo/shallow" ] || sort -u -o "$repo/shallow.$$" "$repo/shallow.$$" "$repo/shallow"
		mv "$repo/shallow.$$" "$repo/shallow"
	}
}

# Of a tree that is gone, git would complain with each command.
forget_the_gone() {
	local dir list=$repo/objects/info/alternates
	[ -e "$list" ] || return 0
	while IFS= read -r dir; do
		[ -d "$dir" ] || sed -i "\\|^${dir//[][\\.*^$|]/\\&}\$|d" "$list"
	done < <(cat "$list")
}

# Sets $id (a directory's name for this base), $base_id (the base's, in ci/baseline),
# $base (the commit) and $version.
# With LINUX= the base is that tree's HEAD, otherwise Debian's source.
find_base() {
	local why missing
	if [ -n "${LINUX:-}" ]; then
		why=$(git -C "$LINUX" rev-parse 'HEAD^{commit}' 2>&1 >/dev/null) ||
			die "LINUX=$LINUX is not a git tree of Linux" "$why"
		base=$(git -C "$LINUX" rev-parse 'HEAD^{commit}')
		id=git-${base:0:12}
		forget_the_gone
		borrow "$LINUX"
		if ! git -C "$repo" rev-parse -q --verify "refs/stack/$id" >/dev/null &&
			git -C "$LINUX" config --get-regexp '^remote\..*\.promisor$' >/dev/null; then
			missing=$(git -C "$repo" rev-list --objects --missing=print "$base^{tree}" 2>&1 | grep -vc '^[0-9a-f]' || true)
			[ "$missing" = 0 ] ||
				die "LINUX=$LINUX is a partial clone, and lacks $missing objects of its HEAD" \
					"this gets them, or says why it can't:" \
					"git -C $LINUX diff --shortstat \$(git hash-object -t tree /dev/null) HEAD"
		fi
		version=$(git -C "$repo" show "$base:Makefile" 2>/dev/null |
			awk '$1 == "VERSION" { v = $3 } $1 == "PATCHLEVEL" { print v "." $3; exit }') || true
		[[ $version =~ ^[0-9]+\.[0-9]+$ ]] ||
			die "LINUX=$LINUX has no kernel Makefile at its top: not a Linux tree"
		[ "$(printf '%s\n' 7.3 "$version" | sort -V | head -n 1)" = 7.3 ] ||
			die "LINUX=$LINUX is Linux $version, and the stack stands on 7.3" \
				"check out 7.3 or newer (mm-unstable, mm-new) there"
	else
		forget_the_gone
		version=$(base_version)
		[ -n "$version" ] || die "there is no base tree yet" "run 'make fetch'"
		base=$(git -C "$repo" rev-parse "$(tag_of "$version")^{commit}")
		id=${version//\~/-}
	fi
	base_id=$id
	# .ci/run doesn't depend on what a person has in the worktree, nor touches it.
	id+=${STACK_OF:+-$STACK_OF}
}

# Debian's versions have characters that a git tag must not have.
tag_of() { printf 'base/%s\n' "${1//\~/-}"; }

# The base among those fetched: the tested version, or else the newest.
base_version() {
	local tested
	[ -d "$repo" ] || return 0
	tested=$(series_field base)
	if git -C "$repo" rev-parse -q --verify "refs/tags/$(tag_of "$tested")" >/dev/null; then
		echo "$tested"
	else
		git -C "$repo" for-each-ref --sort=-version:refname --count=1 \
			--format='%(contents:subject)' 'refs/tags/base/*' 2>/dev/null |
			sed 's/^linux-source-[^ ]* //'
	fi
}

# sent_tags: what b4 send tagged in $repo, the last one last, in lines of TAG NAME.
# NAME is pgtable-1a-v1. Debian 12's b4 names the tag after the branch, as
# sent/NAME; Debian 13's after the change-id: sent/20261126-b4-pgtable-1a-HASH-v1.
sent_tags() {
	git -C "$repo" for-each-ref --sort=creatordate --format='%(refname:lstrip=2)' 'refs/tags/sent/*' |
		sed -nE 's,^sent/([0-9]{8}-(b4-)?)?(pgtable-[0-9]+[a-z]?)(-[0-9a-f]{12})?(-v[0-9]+)$,& \3\5,p'
}

# sent_on TAG: the commit that the patches in it stood on for those who got them.
sent_on() {
	git -C "$repo" for-each-ref --format='%(contents)' "refs/tags/$1" | sed -n 's/^base-commit: //p'
}

# answers TEST KTAP: what a run of same_answers printed, without its verdicts.
answers() { sed -n "\\,^# start $1\$,,/^# took/{/^    # Totals/d; s/^    # //p}" "$2"; }

# apart DIR: in_apart is git in a repository there, of nobody's settings and with an
# empty worktree, that has the objects of $repo. git am needs no more: it checks
# out what it patches.
apart() {
	apart=$1
	mkdir -p "$apart/tree" "$apart/git/info"
	[ -e "$apart/git/HEAD" ] || git init -q --bare --template= "$apart/git"
	echo "$repo/objects" >"$apart/git/objects/info/alternates"
	[ ! -e "$repo/shallow" ] || cp "$repo/shallow" "$apart/git/"
}
in_apart() { GIT_DIR=$apart/git GIT_WORK_TREE=$apart/tree git -C "$apart/tree" "$@"; }

# answers_differ BASE SAID DIR: compares what same_answers said. DIR/answers.known has the
# places (a hunk's header is scene, situation and interface) where ci/data/known-answers has
# the difference, answers.diff the others, and what that has of scenes in SAID and isn't so.
answers_differ() {
	git diff --no-index --no-color --no-ext-diff -U0 "$1" "$2" | sed '1,4d' >"$3/answers.all" || [ $? = 1 ]
	: >"$3/answers.known"
	awk -v known="$3/answers.known" '
		function end() {
			if (list == 1) while (n) { is_known[heads[n] body] = may_be[n]; n-- }
			else {
				any = heads[1] "*\n"
				if (heads[1] body in is_known || any in is_known) { print place >known; seen[heads[1] body]; seen[any] }
				else printf "%s", text
			}
			n = 0; text = body = ""
		}
		FILENAME != file { if (n) end(); file = FILENAME; list = file == ARGV[1] ? 1 : file == ARGV[2] ? 2 : 3 }
		list == 3 { if (/^[^ ]/) ran[$1]; next }
		list == 1 && (/^#/ || !NF) { next }
		/^@@/ && body != "" { end() }
		{ text = text $0 "\n" }
		!/^@@/ { body = body $0 "\n"; next }
		{ may_be[++n] = sub(/^@@\? /, "@@ "); sub(/^@@ .* @@ /, "@@ "); heads[n] = $0 "\n"; place = substr($0, 4) }
		END {
			if (n) end()
			for (hunk in is_known) {
				split(hunk, word, " ")
				if (!is_known[hunk] && !(hunk in seen) && word[2] in ran) print hunk "(known, and not so any more)"
			}
		}' "$top/ci/data/known-answers" "$3/answers.all" "$2" >"$3/answers.diff"
}

# format_patch TREE [OPTION...] A..B: git format-patch that depends on the commits alone.
format_patch() {
	local range apart
	range=$(git -C "$1" rev-parse "${@: -1}")
	apart "$cache/apart"
	# How the kernel wants the functions in the hunks' headers to be found.
	git -C "$1" show "${range%%$'\n'*}:.gitattributes" >"$apart/git/info/attributes" 2>/dev/null || true
	# shellcheck disable=SC2086 # words
	in_apart format-patch -q --zero-commit --full-index --no-signature --no-numbered --no-renames \
		--diff-algorithm=myers "${@:2:$#-2}" $range
}

# Sets what ci/data/arches says of ROW: arch, srcarch, prefix, how; and compiler.
read_row() {
	read -r arch srcarch prefix how < <(
		awk -v r="$1" '$1 == r { print $2, $3, $4, $5 }' "$top/ci/data/arches") || return
	case $prefix in
	-) compiler=gcc ;;
	clang) compiler=clang-19 ;;
	*) compiler=${prefix}gcc ;;
	esac
}

# tests: the lines of ci/data/tests, with a line for each program that a * stands for.
tests() {
	local line of
	while IFS= read -r line; do
		of=${line%%\**}
		if [ "$of" = "$line" ]; then
			echo "$line"
		else
			git -C "$repo" show "$base:tools/testing/selftests/${of}Makefile" |
				awk -v line="$line" '/^TEST_GEN_PROGS \+= / { l = line; gsub(/\*/, $3, l); print l; n++ } END { exit !n }' ||
				die "Linux $version has no Makefile that names the tests $of*"
		fi
	done < <(grep -vE '^(#|$)' "$top/ci/data/tests")
}

# all_rows: those of ci/data/arches. known_rows ROW...: is each one of them?
all_rows() { awk '!/^#/ { print $1 }' "$top/ci/data/arches"; }
known_rows() {
	local row
	for row; do
		grep -qxF -e "$row" <<<"$(all_rows)" ||
			code=2 die "ci/data/arches has no row '$row'" "it has $(all_rows | xargs)"
	done
}

# new_worktree TREE WHAT COMMIT [BRANCH]: checks it out there, whatever was there before.
new_worktree() {
	local head=(--detach)
	[ -z "${4:-}" ] || head=(-B "$4")
	need_mb 2000 "a worktree of $2"
	say "checking out $2"
	git -C "$repo" worktree remove -f -f "$1" 2>/dev/null || true
	rm -rf "$1"
	git -C "$repo" worktree add -q -f "${head[@]}" "$1" "$3"
}

# outcome LOG COMMAND...: runs it, with its output in LOG as well, and sets
# $result: its last line that begins with ==, or else what it failed with. That is no
# outcome if the machine lacks something, or somebody stopped it: so does this.
outcome() {
	local log=$1 rc=0
	shift
	"$@" 2>&1 | tee "$log" || rc=$?
	case $rc in 4 | 130 | 143) exit $rc ;; esac
	result=$(sed -n '$s/^== //p' "$log")
	[ $rc = 0 ] || result=$(sed -n 's/^error: //p' "$log" | tail -n 1)
	return $rc
}

# stamp DIR: the results in it are of the stack as it is applied.
stamp() { git -C "$cache/$id/stack/linux" rev-parse 'HEAD^{tree}' >"$1/tree"; }

# uncommitted TREE: files that were changed there, and new ones. In the .gitignore of
# Debian's source is a rule, /*, by which git ignores everything; upstream's selftests
# leave a .mod.c in the source.
uncommitted() {
	git -C "$1" diff --name-only HEAD &&
		git -C "$1" ls-files --others --exclude-standard --exclude='!/*' --exclude='*.mod.c'
}

# not_in_the_middle TREE [BRANCH]: a worktree belongs to whoever is at something in it.
# Nor is what is there the stack, if it isn't that branch.
not_in_the_middle() {
	local dir state what at
	dir=$(git -C "$1" rev-parse --absolute-git-dir)
	while read -r state what; do
		[ ! -e "$dir/$state" ] || die "$1 is in the middle of a git ${what%% *}" \
			"finish it there, or give it up: git -C $1 $what"
	done <<-'STATES'
		rebase-apply/applying am --abort
		rebase-apply rebase --abort
		rebase-merge rebase --abort
		CHERRY_PICK_HEAD cherry-pick --abort
		REVERT_HEAD revert --abort
		sequencer cherry-pick --quit
		MERGE_HEAD merge --abort
		BISECT_LOG bisect reset
	STATES
	at=$(git -C "$1" symbolic-ref -q --short HEAD) || at="no branch"
	[ -z "${2:-}" ] || [ "$at" = "$2" ] || die "$1 is on $at, and the stack is $2" \
		"git -C $1 checkout $2" "or, if what is there now is to be the stack: git -C $1 checkout -B $2"
}

# Kbuild and QEMU's options can't carry such paths.
case $top$cache in *[[:space:]:,]*)
	die "neither $top nor $cache may have a space, a colon or a comma in it" ;;
esac
