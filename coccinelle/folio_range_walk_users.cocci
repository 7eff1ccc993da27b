// folio_walk_start() is a walk of one page: what that means to its users. (In
// arch/s390/mm/fault.c an attribute behind the function is too much for spatch.)
//
// Patch: mm/pagewalk: make folio_walk_start() a walk of one page
// Generates: kernel/events/uprobes.c mm/huge_memory.c mm/ksm.c mm/migrate.c mm/rmap.c

@@
@@
- struct folio_walk
+ struct folio_range_walk

@@
@@
- FW_LEVEL_PTE
+ PGTABLE_LEVEL_PTE

@@
struct folio_range_walk fw;
identifier f = {level, page, pte, ptep};
@@
- fw.f
+ fw.pt.f

@@
struct folio_range_walk *fw;
identifier f = {level, page, pte, ptep};
@@
- fw->f
+ fw->pt.f

@@
expression fw, vma;
@@
- folio_walk_end(fw, vma)
+ folio_walk_end(fw)
