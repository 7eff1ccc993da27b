#!/usr/bin/env bats
# coccicheck: the rules of coccinelle/, on a toy stack.

# shellcheck disable=SC2154 # bats and helper.bash set these
load helper

toy_rules() {
	toy_stack
	rm -r "$XDG_CACHE_HOME"
	git -C "$LINUX" worktree prune
	# What generates patches of the real stack.
	grep -l "^// Generates" coccinelle/*.cocci | xargs rm
	ci/apply
	stack=$(echo "$XDG_CACHE_HOME"/pgtable-stack/git-*/stack/linux)
}

@test "coccicheck: the rules fire on their fixtures and not on the tree" {
	toy_rules
	ci/coccicheck
}

@test "coccicheck: what comes back in the stack is found by each rule" {
	toy_rules
	for rule in pgtable_page_type pgtable_page_fields range_walk_end; do
		sed 's/fires/x/' "coccinelle/$rule.c" >"$stack/mm/$rule.c"
	done
	git -C "$stack" add .
	git -C "$stack" commit -qm "mm: bring it all back"
	fails "a rule of coccinelle/ fired where it must not" ci/coccicheck
	[[ "$output" == *"-typedef struct page *pgtable_t;"* ]]
	[[ "$output" == *"-	free_desc(page_ptdesc(virt_to_page(addr)));"* ]]
	[[ "$output" == *"-		return -EBUSY;"* ]]
}

@test "coccicheck: a function that spatch doesn't parse is not taken for one without a fault" {
	toy_rules
	sed -n '/left_behind_guard/,/^}/{s/scoped_guard/strange_guard/; p}' coccinelle/range_walk_end.c >"$stack/mm/new.c"
	git -C "$stack" add .
	git -C "$stack" commit -qm "mm: strange"
	fails "range_walk_end: spatch doesn't parse these functions: coccinelle/macros.h is for that" ci/coccicheck
	[[ "$output" == *"mm/new.c: "*"folio_walk_start(&fw, vma, addr, 0);"* ]]
}

@test "coccicheck: a rule that does not fire on its fixture, or has none" {
	toy_rules
	sed -i 's,/\* fires \*/,,' coccinelle/pgtable_page_type.c
	fails "pgtable_page_type has no fixture" ci/coccicheck
	echo 'typedef struct page *pgtable_t2; /* fires */' >coccinelle/pgtable_page_type.c
	fails "a rule of coccinelle/ fired where it must not, or not where it must" ci/coccicheck
}

@test "coccicheck: a semantic patch whose patch the stack lacks, or has otherwise" {
	toy_rules
	cat >coccinelle/ten.cocci <<-'C'
		// Patch: mm: make it eleven
		// Generates: mm/eleven.c
		@@ @@
		- ten()
		+ eleven()
	C
	fails "ten generates the patch 'mm: make it eleven' of mm/eleven.c, and the stack has none" ci/coccicheck
	for n in ten eleven twelve; do
		echo "void f(void) { $n(); }" >"$stack/mm/eleven.c"
		git -C "$stack" add .
		git -C "$stack" commit -qm "mm: make it $n"
	done
	ci/coccicheck
	sed -i 's/eleven$/twelve/' coccinelle/ten.cocci
	fails "a rule of coccinelle/ fired where it must not" ci/coccicheck
}
