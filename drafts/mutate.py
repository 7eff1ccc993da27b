import re,sys
import sys; T=sys.argv.pop(1) + '/'  # the stack's worktree
F={}
def load(p):
    if p not in F: F[p]=open(T+p).read()
    return F[p]
def sub(p,a,b,cnt=1):
    s=load(p)
    if s.count(a)!=cnt: print("!!",p,s.count(a),repr(a)[:90]); return
    F[p]=s.replace(a,b)
W='mm/pagewalk.c'; H='include/linux/pagewalk.h'; I='mm/internal.h'; P='fs/proc/task_mmu.c'; C='mm/mincore.c'; L='mm/mlock.c'
sub(H,'#define PTW_NONE\t\t((__force','extern int ptw_mut;\n#define MUT(n) unlikely(ptw_mut == (n))\n\n#define PTW_NONE\t\t((__force')
sub(W,'/* Give up page table and lock, but not','int ptw_mut;\ncore_param(ptw_mut, ptw_mut, int, 0644);\n\n/* Give up page table and lock, but not')
sub(W,'#include <linux/pagewalk.h>\n','#include <linux/pagewalk.h>\n#include <linux/moduleparam.h>\n')
# 1 hole one page short
sub(W,'		w->size = (unsigned long)nr << PAGE_SHIFT;\n		w->__next = addr + w->size;\n		w->__fast_end = type == PTW_FOLIO ? end : 0;',
'		w->size = (unsigned long)nr << PAGE_SHIFT;\n		w->__next = addr + w->size;\n		if (MUT(1) && type == PTW_NONE && nr > 1)\n			w->size -= PAGE_SIZE;\n		w->__fast_end = type == PTW_FOLIO || MUT(24) ? end : 0;')
# 2 table end
sub(W,'	const unsigned long end = w->__pte_end;\n','	const unsigned long end = w->__pte_end - (MUT(2) ? PAGE_SIZE : 0);\n')
# 3,4
sub(W,'	if (!(w->__flags & PTW_RESPECT_ALL))\n','	if (!(w->__flags & PTW_RESPECT_ALL) || MUT(4))\n')
sub(W,'	max_nr = min_t(unsigned long, max_nr, folio_nr_pages(folio) -\n					      folio_page_idx(folio, w->page));\n	return','	if (!MUT(3))\n	max_nr = min_t(unsigned long, max_nr, folio_nr_pages(folio) -\n					      folio_page_idx(folio, w->page));\n	return')
# 5,6
sub(H,'	if (w->ptl || w->__hugetlb_locked)\n','	if (MUT(5) && w->ptl && !w->__pte_end && !w->__hstate)\n		return;\n	if (MUT(68) && w->ptl && w->__pte_end)\n		return;\n	if (w->ptl || w->__hugetlb_locked)\n')
sub(W,'	pt_range_walk_leave_table(w);\n	pt_range_walk_unlock_hugetlb(w);\n}','	pt_range_walk_leave_table(w);\n	if (MUT(6) && w->__next < w->__end)\n		return;\n	pt_range_walk_unlock_hugetlb(w);\n}')
# 7
sub(W,'		if (addr < w->__pte_end) {\n','		if (addr < w->__pte_end) {\n			if (MUT(7)) {\n				spin_unlock(w->ptl);\n				spin_lock(w->ptl);\n			}\n')
# 8
sub(W,'	if (pmd_none(pmd) || !pmd_is_entry(pmd)) {\n','	if (!MUT(8) && (pmd_none(pmd) || !pmd_is_entry(pmd))) {\n')
# 9
sub(W,'		if (!ptep)\n			continue;\n		w->ptep = ptep;','		if (!ptep) {\n			if (MUT(9))\n				addr = next;\n			continue;\n		}\n		w->ptep = ptep;')
# 10
sub(W,'		else if (is_huge_zero_pfn(pmd_pfn(pmd)))','		else if (!MUT(10) && is_huge_zero_pfn(pmd_pfn(pmd)))')
# 11
sub(W,'					if (!pte_present(cur))\n						break;','					if (!pte_present(cur) && !(MUT(11) && !pte_none(cur)))\n						break;')
# 12,13
sub(W,'		pt_range_walk_set(w, type, level, addr, next);\n		w->__hpte = pte;','		pt_range_walk_set(w, type, level, addr, next);\n		if (MUT(12))\n			w->size = PAGE_SIZE;\n		w->__hpte = pte;')
sub(W,'pte_page(pte) +\n					       ((addr - haddr) >> PAGE_SHIFT));','pte_page(pte) +\n					       (MUT(13) ? 0 : (addr - haddr) >> PAGE_SHIFT));')
# 14
sub(W,'		return;\n	w->__huge_end = 0;','		return;\n	if (!MUT(14))\n	w->__huge_end = 0;')
# 15,16
sub(W,'	process_mm_walk_lock(vma->vm_mm, w->__lock);\n	process_vma_walk_lock(vma, w->__lock);\n','	if (!MUT(16))\n	process_mm_walk_lock(vma->vm_mm, w->__lock);\n	if (!MUT(15))\n	process_vma_walk_lock(vma, w->__lock);\n')
# 17
sub(W,'	pt_range_walk_set(w, PTW_NONE, level, addr, next);\n	pt_range_walk_clear_entry(w);','	pt_range_walk_set(w, PTW_NONE, level, addr, next);\n	if (MUT(17))\n		w->size = ALIGN(next, PMD_SIZE) - addr;\n	if (!MUT(57))\n	pt_range_walk_clear_entry(w);')
# 18,19
sub(W,'((addr & ~PUD_MASK) >> PAGE_SHIFT));','(MUT(18) ? 0 : (addr & ~PUD_MASK) >> PAGE_SHIFT));')
sub(W,'((addr & ~PMD_MASK) >> PAGE_SHIFT));','(MUT(19) ? 0 : (addr & ~PMD_MASK) >> PAGE_SHIFT));')
# 20
sub(W,'		if (!pte_same(ptep_get(ptep + nr), pte))\n			break;\n	}\n	return nr;\n}\n\nstatic unsigned int\nspecial','		if (!pte_same(ptep_get(ptep + nr), pte) &&\n		    !(MUT(20) && pte_present(ptep_get(ptep + nr)) && pte_pfn(ptep_get(ptep + nr)) == pte_pfn(pte)))\n			break;\n	}\n	return nr;\n}\n\nstatic unsigned int\nspecial')
# 21,22,23
sub(W,'	if (type == PTW_HWPOISON)\n		return 1;','	if (type == PTW_HWPOISON && !MUT(22))\n		return 1;')
sub(W,'	if (folio) {\n		unsigned long size = folio_nr_pages(folio);','	if (folio && !MUT(21)) {\n		unsigned long size = folio_nr_pages(folio);')
sub(W,'		if (!pte_same(ptep_get(ptep + nr), expected))\n			break;\n	}\n	return nr;\n}\n\n/*\n * Look','		if (!pte_same(ptep_get(ptep + nr), expected) &&\n		    !(MUT(23) && type == PTW_MARKER && pte_is_marker(ptep_get(ptep + nr))))\n			break;\n	}\n	return nr;\n}\n\n/*\n * Look')
# 25
sub(H,'CONFIG_ARCH_HAS_PTE_SPECIAL) && !pte_special(pte) &&','CONFIG_ARCH_HAS_PTE_SPECIAL) && (!pte_special(pte) || MUT(25)) &&')
# 51
sub(W,'	if (level == PGTABLE_LEVEL_PUD)\n		return end;\n	end = pud_addr_end','	if (level == PGTABLE_LEVEL_PUD || MUT(51))\n		return end;\n	end = pud_addr_end')
# 53
sub(W,'				next = hugetlb_missing_end(w, next, tbl_end);\n				if','				if (!MUT(53))\n				next = hugetlb_missing_end(w, next, tbl_end);\n				if')
# 54
sub(W,'		w->__pud_end = next;\n','		w->__pud_end = MUT(54) ? w->__end : next;\n')
# 55
sub(W,'if (addr < w->__huge_end && !need_resched()) {','if (addr < w->__huge_end && (MUT(55) || !need_resched())) {')
# 56
sub(W,'			 w->__end > vma->vm_end ||','			 (!MUT(56) && w->__end > vma->vm_end) ||')
# 58
sub(W,'	return !(w->__flags & PTW_NO_FOLIO) && softleaf','	return (MUT(58) || !(w->__flags & PTW_NO_FOLIO)) && softleaf')
# 60 61
sub(I,'	const auto step = pte_val(pte_advance_pfn(pte, 1)) - pte_val(pte);','	const auto step = MUT(60) ? (1UL << PFN_PTE_SHIFT) : pte_val(pte_advance_pfn(pte, 1)) - pte_val(pte);')
sub(I,'	expected_pte = __pte_batch_clear_ignored(pte_advance_pfn(pte, nr), flags);','	expected_pte = __pte_batch_clear_ignored(MUT(61) ? pte : pte_advance_pfn(pte, nr), flags);')
sub(I,'static inline pte_t __pte_batch_clear_ignored','extern int ptw_mut;\n#ifndef MUT\n#define MUT(n) unlikely(ptw_mut == (n))\n#endif\nstatic inline pte_t __pte_batch_clear_ignored')
sub(H,'#define MUT(n) unlikely','#undef MUT\n#define MUT(n) unlikely')
# 66 upper: after a PUD hole with NONE unwanted, skip as p4d
# 67 pmd skip loop reads one too far
sub(W,'				addr = next;\n				if (addr >= w->__pmd_end)\n					break;','				addr = next;\n				if (addr >= w->__pmd_end + (MUT(67) ? PMD_SIZE : 0))\n					break;')
# 69 hugetlb softleaf page without offset; 70 young of hugetlb from the raw entry
sub(W,'softleaf_to_page(w->leaf) +\n						       ((addr - haddr)','softleaf_to_page(w->leaf) +\n						       (MUT(69) ? 0 : (addr - haddr)')
sub(W,'		return pte_young(w->__hpte);','		return MUT(70) ? true : pte_young(w->__hpte);')
# 71 dirty of PMD not looked at
sub(H,'		return pmd_dirty(w->pmd);','		return MUT(71) ? false : pmd_dirty(w->pmd);')
# 72 lock of huge pmd kept until the next (never dropped between)  -> skip
# 73 large: batch to end of table of first item only (max_nr off by one)
sub(W,'	unsigned int max_nr = (w->__pte_end - w->addr) >> PAGE_SHIFT;','	unsigned int max_nr = ((w->__pte_end - w->addr) >> PAGE_SHIFT) + (MUT(73) ? 8 : 0);')
# 74 pmd_item_types wrong: nonpresent skipped when only FOLIO|NONPRESENT...: pmd with unwanted types not skipped -> no
# 75 pud recheck missing
sub(W,'	if (pud_none(pud) || !pud_is_entry(pud)) {\n		w->__next = addr;','	if (!MUT(75) && (pud_none(pud) || !pud_is_entry(pud))) {\n		w->__next = addr;')
# --- users ---
sub(P,'	for_each_pt_range(w, vma, start ?: vma->vm_start, vma->vm_end, types,\n			  PTW_RESPECT_ALL,','	if (MUT(34))\n		types &= ~PTW_DEVICE_EXCLUSIVE;\n	if (MUT(76))\n		types &= ~PTW_HWPOISON;\n	if (MUT(77))\n		types &= ~PTW_MIGRATION;\n	for_each_pt_range(w, vma, (MUT(65) ? 0 : start) ?: vma->vm_start, vma->vm_end, types,\n			  MUT(27) ? 0 : PTW_RESPECT_ALL,')
sub(P,'		for_each_folio_range(w, vma, vma->vm_start, vma->vm_end,\n				     PTW_RESPECT_ALL,','		for_each_folio_range(w, vma, vma->vm_start, vma->vm_end,\n				     MUT(28) ? 0 : PTW_RESPECT_ALL,')
sub(P,'pte_young(w->pte) == row->young && pte_dirty(w->pte) == row->dirty;','(MUT(36) || pte_young(w->pte) == row->young) && (MUT(37) || pte_dirty(w->pte) == row->dirty);')
sub(P,'	       READ_ONCE(folio->flags.f) == row->flags.f &&\n	       READ_ONCE(folio->mapping) == row->mapping &&\n	       page_mapped_once(w->page) &&','	       READ_ONCE(folio->flags.f) == row->flags.f &&\n	       (MUT(38) || READ_ONCE(folio->mapping) == row->mapping) &&\n	       (MUT(40) || page_mapped_once(w->page)) &&')
sub(P,'	return page_mapped_once(w->page) && !folio_test_ksm(folio) &&','	return (MUT(78) || page_mapped_once(w->page)) && (MUT(39) || !folio_test_ksm(folio)) &&')
sub(P,'	const unsigned long step = w->ptl ? PAGE_SIZE : w->size;','	const unsigned long step = w->ptl && !MUT(41) ? PAGE_SIZE : w->size;')
sub(P,'		alike = folio_test_large(folio) &&','		alike = (MUT(42) || folio_mapcount(folio) == folio_entire_mapcount(folio)) &&\n\t\t\tfolio_test_large(folio) &&')
sub(P,'swp_offset(w->leaf) + i));\n\n		if (mapcount','swp_offset(w->leaf) + (MUT(35) ? 0 : i)));\n\n		if (mapcount')
sub(P,'	    pt_range_walk_pmd_shared(w))','	    (!MUT(44) && pt_range_walk_pmd_shared(w)))')
sub(P,'	if (hugetlb)\n		nr = 1;','	if (hugetlb)\n		nr = MUT(45) ? nr : 1;')
sub(P,'		for (i = 0; i < nr; i++, page++)\n			mapcount = max','		for (i = 0; i < (MUT(46) ? 1 : nr); i++, page++)\n			mapcount = max')
sub(P,'	else if (folio_test_reserved(folio) ||','	else if ((!MUT(47) && folio_test_reserved(folio)) ||')
sub(P,'	else if (pte && folio_is_zone_device(folio))','	else if (!MUT(79) && pte && folio_is_zone_device(folio))')
sub(P,'	smaps_end_row(mss, &row, vma->vm_flags & VM_LOCKED);','	if (!MUT(48))\n	smaps_end_row(mss, &row, vma->vm_flags & VM_LOCKED);')
sub(P,'		numa_end_row(md, &row);\n		reacquire','		if (!MUT(80))\n		numa_end_row(md, &row);\n		reacquire')
sub(P,'	const bool present = mapped || (pte &&','	const bool present = MUT(81) || mapped || (pte &&')
sub(P,'		if (!f->swapbacked && !f->dirty)','		if (!f->swapbacked && (MUT(82) || !f->dirty))')
sub(P,'		else if (!folio_is_zone_device(folio))\n			mss->file_thp','		else if (MUT(83) || !folio_is_zone_device(folio))\n			mss->file_thp')
sub(P,'	} else if (nr == 1 || !pte) {','	} else if (nr == 1 || (!pte && !MUT(84))) {')
sub(C,'			if (w.ptl && is_vm_hugetlb_page(vma))','			if (!MUT(31) && (w.ptl || MUT(85)) && is_vm_hugetlb_page(vma))')
sub(C,'swp_offset(w.leaf) + i);','swp_offset(w.leaf) + (MUT(32) ? 0 : i));')
sub(C,'		case PTW_NONE:\n		case PTW_MARKER:\n','		case PTW_MARKER:\n			if (MUT(33)) {\n				memset(v, 0, nr);\n				break;\n			}\n			fallthrough;\n		case PTW_NONE:\n')
sub(C,'			memset(v, 1, nr);','			memset(v, MUT(86) ? !!(w.type & PTW_PRESENT) : 1, nr);')
sub(L,'	return nr == folio_nr_pages(folio);','	return MUT(29) || nr == folio_nr_pages(folio) || (MUT(87) && nr > folio_nr_pages(folio) / 2);')
sub(L,'		if (folio_is_zone_device(w.folio))','		if (!MUT(30) && folio_is_zone_device(w.folio))')
sub(L,'		if (w.level == PGTABLE_LEVEL_PTE &&','		if ((w.level == PGTABLE_LEVEL_PTE || MUT(88)) &&')
sub(L,'			munlock_folio(w.folio);','			MUT(89) ? mlock_folio(w.folio) : munlock_folio(w.folio);')
for p,s in F.items(): open(T+p,'w').write(s)
