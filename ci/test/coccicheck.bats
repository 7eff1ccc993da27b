#!/usr/bin/env bats
# coccicheck: the rules of coccinelle/, on a toy stack.

# shellcheck disable=SC2154 # bats and helper.bash set these
load helper

# The toy's base has a user of .hugetlb_entry, which the list knows.
toy_rules() {
	toy_stack
	rm -r "$XDG_CACHE_HOME"
	git -C "$LINUX" worktree prune
	cat >"$LINUX/mm/old.c" <<-'C'
		static const struct mm_walk_ops old_ops = {
			.hugetlb_entry = old_hugetlb,
		};
	C
	git -C "$LINUX" add .
	git -C "$LINUX" commit -qm "an old user"
	rm coccinelle/pgtable_ptdesc.cocci
	echo "mm/old.c 1" >coccinelle/hugetlb_entry.known
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

@test "coccicheck: a new user of hugetlb_entry, and one more where there was one" {
	toy_rules
	sed 's/old/new/' "$stack/mm/old.c" >"$stack/mm/new.c"
	sed 's/old/older/' "$LINUX/mm/old.c" >>"$stack/mm/old.c"
	git -C "$stack" add .
	git -C "$stack" commit -qm "mm: more users"
	fails "hugetlb_entry: a new one, or one that is gone" ci/coccicheck
	[[ "$output" == *"+mm/new.c 1"* ]]
	[[ "$output" == *"+mm/old.c 2"* ]]
	# The list is not the place to allow it.
	printf 'mm/old.c 2\nmm/new.c 1\n' >coccinelle/hugetlb_entry.known
	fails "coccinelle/hugetlb_entry.known got longer" ci/coccicheck
	[[ "$output" == *"mm/old.c has 2, in the base 1"* ]]
	[[ "$output" == *"mm/new.c has 1, in the base 0"* ]]
}

@test "coccicheck: the list is for no new user, where the last old one is gone" {
	toy_rules
	sed 's/old/new/' "$stack/mm/old.c" >"$stack/mm/new.c"
	git -C "$stack" rm -q mm/old.c
	git -C "$stack" add .
	git -C "$stack" commit -qm "mm: another user"
	echo 'mm/new.c 1' >coccinelle/hugetlb_entry.known
	fails "coccinelle/hugetlb_entry.known got longer: mm/new.c has 1, in the base 0" ci/coccicheck
	sed -i 's/$/ for a reason/' coccinelle/hugetlb_entry.known
	ci/coccicheck
}

@test "coccicheck: a function that spatch doesn't parse is not taken for one without a fault" {
	toy_rules
	sed -n '/left_behind_guard/,/^}/{s/scoped_guard/strange_guard/; p}' coccinelle/range_walk_end.c >"$stack/mm/new.c"
	git -C "$stack" add .
	git -C "$stack" commit -qm "mm: strange"
	fails "range_walk_end: spatch doesn't parse these functions: coccinelle/macros.h is for that" ci/coccicheck
	[[ "$output" == *"mm/new.c: "*"folio_walk_start(&fw, vma, addr, 0);"* ]]
}

@test "coccicheck: a user that is gone has to go from the list" {
	toy_rules
	git -C "$stack" rm -q mm/old.c
	git -C "$stack" commit -qm "mm: no old user"
	fails "one that is gone and has to go from coccinelle/hugetlb_entry.known" ci/coccicheck
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
