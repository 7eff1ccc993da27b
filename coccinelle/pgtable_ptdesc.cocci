// pgtable_t becomes struct ptdesc *: the changes that every architecture with
// one PTE table per page has in common. For these they are all of it.
//
// Generates: arch/csky arch/loongarch arch/mips arch/nios2 arch/sh

@@
@@
- typedef struct page *pgtable_t;
+ typedef struct ptdesc *pgtable_t;

@@
typedef pgtable_t;
identifier pte;
@@
pmd_populate(...,
- pgtable_t pte
+ struct ptdesc *ptdesc
 )
{
<...
- page_address(pte)
+ ptdesc_address(ptdesc)
...>
}

@@
identifier tlb, pte, address;
@@
-#define __pte_free_tlb(tlb, pte, address) tlb_remove_ptdesc((tlb), page_ptdesc(pte))
+#define __pte_free_tlb(tlb, ptdesc, address) tlb_remove_ptdesc((tlb), (ptdesc))
