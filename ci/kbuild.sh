# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # used, or set, by those who source it
# Sourced by ci/build and ci/objects, with $which, $config and $suffix: configures
# $out, a directory of objects, and brings what runs make there.
declare -F die >/dev/null || . "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need bc bison flex gcc ccache
lock_cache
find_base
tree=$cache/$id/$which/linux
out=$cache/$id/$which/$config
arch='' how=''
read_row "$config" || compiler=gcc prefix=-
row=${arch:+$config}
[ -z "$row" ] || out=$cache/$id/$which/arch/$row
out+=$suffix
[ "$prefix" != - ] || prefix=
case $how:$prefix in
types:* | assembly:*) cc=$top/ci/wrappers/cc ;;
*:clang) cc= ;;
*) cc="ccache $compiler" ;;
esac
need "$compiler"
# Read by the wrapper that stands for a compiler.
export ROW_ARCH=${arch:=x86_64} ROW_GCC=$compiler ROW_HOW=$how
# Base and stack lie alike, relative to their objects: what they share is compiled once.
# What is not in the cache isn't preprocessed twice (CCACHE_DEPEND), a quarter of the time.
# But ccache then doesn't see what .incbin includes: arm's zImage would get an older kernel.
export CCACHE_DIR=$cache/ccache CCACHE_BASEDIR=$cache CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
[ "$arch" != arm ] || unset CCACHE_DEPEND
mkdir -p "$out"
if [ "$suffix" = .objects ]; then
	need_mb 500 "compiling objects"
elif [ ! -e "$out/vmlinux" ]; then
	need_mb 3000 "building a kernel"
fi

# Nobody works in the base's tree: one that is not clean was left half done.
if [ "$which" = base ] && { [ ! -e "$tree/.git" ] || ! git -C "$tree" diff --quiet HEAD; }; then
	new_worktree "$tree" "the base" "$base"
fi
make=(make -C "$tree" O="$out" ARCH="$arch" -j"$(nproc)")
if [ -n "$cc" ]; then
	make+=(CC="$cc" CROSS_COMPILE="$prefix")
else
	make+=(LLVM=-19)
fi

# lost_options CONFIG FRAGMENT...: the options that fragments ask for and CONFIG, a .config,
# lacks. merge_config.sh and olddefconfig drop what has an unmet dependency without a word.
lost_options() {
	awk '!/^CONFIG_[A-Za-z0-9_]+=/ { next }
		{ option = $0; sub(/=.*/, "", option); value = substr($0, length(option) + 2) }
		FILENAME == ARGV[1] { has[option] = value; next }
		value != (option in has ? has[option] : "n")' "$@"
}

# The configuration, made anew when a fragment, the tree's Kconfig files or
# the compiler changed.
case $config in
debug | fast) fragments=("$top/configs/"{common,x86_64,"$config"}.config) start=tinyconfig ;;
bench) fragments=("$top/configs/bench.config") start=tinyconfig ;;
mm-ci)
	fragments=("$tree"/tools/testing/selftests/{mm,damon,proc}/config "$top/configs/mm-ci.config")
	start="x86_64_defconfig kvm_guest.config"
	;;
*)
	[ -n "$row" ] || code=2 die "there is no configuration '$config'" \
		"configs/ has debug, fast, bench and mm-ci; ci/data/arches has $(all_rows | xargs)"
	fragments=("$top/configs/arch/"{common,"$row"}.config) start=tinyconfig
	;;
esac
# The series' own tests, where they will be run. Not in a kernel that is measured.
case $which:$config$suffix:$how in
base:* | each-patch:fast.w1:*) ;;
each-patch:debug:* | each-patch:fast:* | each-patch:x86_64.objects:* | each-patch:*:whole)
	# Not the options that a later patch adds.
	has=$(git -C "$tree" grep -hE '^(menu)?config ' -- '*Kconfig*' | sed 's/.* /CONFIG_/')
	grep ^CONFIG_ "$top/configs/stack.config" | awk -F = 'NR == FNR { has[$1]; next } $1 in has' \
		<(echo "$has") - >"$out/stack.config"
	fragments+=("$out/stack.config")
	;;
*:debug:* | *:whole) fragments+=("$top/configs/stack.config") ;;
esac
key=$({
	cat "${fragments[@]}"
	git -C "$tree" ls-files -s '*Kconfig*'
	git -C "$tree" diff HEAD -- '*Kconfig*'
	"$compiler" --version
} | sha256sum)
if [ "$key" != "$(cat "$out/.config-key" 2>/dev/null)" ]; then
	say "configuring $which-$config"
	rm -f "$out/.config-key"
	# shellcheck disable=SC2086 # one or two targets
	"${make[@]}" -s $start >"$out/config.log" 2>&1 &&
		(cd "$tree" && KCONFIG_CONFIG=$out/.config scripts/kconfig/merge_config.sh -m -O "$out" \
			"$out/.config" "${fragments[@]}") >>"$out/config.log" 2>&1 &&
		"${make[@]}" -s olddefconfig >>"$out/config.log" 2>&1 || {
		tail -n 20 "$out/config.log" >&2
		die "configuring failed" "the whole log is $out/config.log"
	}
	# What an architecture can't have of arch/common.config it goes without, and without
	# those suites of stack.config that want THP or userfaultfd.
	if [ -n "$row" ]; then
		lost=$(lost_options "$out/.config" "${fragments[0]}" "${fragments[@]:2}")
		[ -z "$lost" ] || say "note: $row goes without $(xargs <<<"${lost//CONFIG_/}")"
		fragments=("${fragments[@]:1:1}")
	fi
	lost=$(lost_options "$out/.config" "${fragments[@]}")
	[ -z "$lost" ] || die "these options did not end up in .config: $(xargs <<<"$lost")" \
		"a dependency is missing in configs/, or the tree has renamed them"
	echo "$key" >"$out/.config-key"
fi

# build NAME MAKE-ARGUMENT...: runs make, its output in NAME.log, with a line of
# progress every ten seconds. Both in the background: a signal to this script
# is not kept waiting.
building=
at_exit='kill $building 2>/dev/null'
build() {
	local log=$out/$1.log make_pid start=$SECONDS
	shift
	"${make[@]}" "$@" >"$log" 2>&1 &
	make_pid=$!
	while trap - EXIT TERM && sleep 10 >/dev/null 2>&1; do
		printf '   %4d s, %5d lines of make: %s\n' $((SECONDS - start)) \
			"$(wc -l <"$log")" "$(tail -n 1 "$log" | cut -c 1-60)"
	done 9>&- &
	building="$make_pid $!"
	wait "$make_pid" || {
		grep -nE -m 20 '(error|Error|undefined reference|warning):|\*\*\*|No space left' "$log" >&2 ||
			tail -n 20 "$log" >&2
		die "$which-$config does not build" "the whole log is $log"
	}
	kill "${building#* }"
}

# What compilers, sparse and others say, and paths and numbers in it that are
# others for the parent, or with every patch.
complaint='warning:|error:|WARNING:'
# A complaint about a header comes with each file that includes it.
complaints() { { grep -E "$complaint" || [ $? = 1 ]; } | awk '!/^[^: ]*\.h:/ || !said[$0]++' | sort; }
comparable() { sed -E "s,^.*/$which/linux/,,; s,^(\.\./)+linux/,,; s/:[0-9]+(:[0-9]+)?:/:/g" "$1"; }
