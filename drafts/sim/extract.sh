#!/bin/sh
# extract.sh <rev> <outdir>: take walker and page-table macros out of the tree as they stand at <rev>
set -e
T=/root/.cache/pgtable-stack/7.3.4-1-bpo13+1/p3/linux; R=$1; O=$2; mkdir -p "$O/asm-generic"
g() { git -C $T show "$R:$1"; }
g mm/pagewalk.c | sed -n '/^\/\* Give up page table and lock, but not the position/,$p' | sed '/^ \* folio_walk_start - /,$d' | sed '$d' > "$O/walk.inc"
grep -q '^static void pt_range_walk_leave_table' "$O/walk.inc"
g include/linux/pagewalk.h | sed -n '/^typedef unsigned int __bitwise pt_item_t;/,/^#endif \/\* CONFIG_MMU/p' | sed '$d' > "$O/walkh.inc"
grep -q for_each_folio_range "$O/walkh.inc"
for f in nop4d nopud nopmd; do g include/asm-generic/pgtable-$f.h > "$O/asm-generic/pgtable-$f.h"; done
# from linux/pgtable.h: the index and offset functions, addr_end and none_or_clear_bad
P="$O/pgtable.inc"
g include/linux/pgtable.h > "$O/pgtable.h"
sed -n '/^static inline unsigned long pte_index/,/^#define pgd_index(a)/p' "$O/pgtable.h" > "$P"; echo '#endif' >> "$P"
sed -n '/^\/\* Find an entry in the second-level page table/,/^#define pgd_offset(mm/p' "$O/pgtable.h" >> "$P"; echo '#endif' >> "$P"
sed -n '/^#define pgd_addr_end(addr, end)/,/^static inline pte_t __ptep_modify_prot_start/p' "$O/pgtable.h" | sed '$d' >> "$P"
sed -n '/^enum pgtable_level {/,/^};/p' "$O/pgtable.h" > "$O/level.inc"
