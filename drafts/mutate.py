#!/usr/bin/env python3
# One-line faults for pt_range_walk, all in one kernel: pt_mut=N on the command
# line, or /sys/module/kernel/parameters/pt_mut, chooses one.
#
#   mutate.py LINUX     edits mm/pagewalk.c and include/linux/pagewalk.h there
#   mutate.py           lists them
import sys

mutations = {}
edits = {}

def e(n, what, old, new, file='mm/pagewalk.c'):
    assert n not in mutations, n
    mutations[n] = what
    edits.setdefault(file, []).append((n, old, new))

H = 'include/linux/pagewalk.h'

e(1, 'exact batch goes beyond the folio', '''	max_nr = min_t(unsigned long, max_nr, folio_nr_pages(folio) -
					      folio_page_idx(folio, w->page));
	return pte_batch''', '''	if (!MUT(1))
	max_nr = min_t(unsigned long, max_nr, folio_nr_pages(folio) -
					      folio_page_idx(folio, w->page));
	return pte_batch''')
e(2, 'special presented though not wanted', 'if (!(types & PTW_SPECIAL))\n						continue;',
  'if (!(types & PTW_SPECIAL) && !MUT(2))\n						continue;')
e(3, 'a resumed walk skips a page', '	w->__next = min(next, w->__end);',
  '	w->__next = min(next + (MUT(3) ? PAGE_SIZE : 0), w->__end);')
e(4, 'i_mmap_rwsem not taken', '''			if (w->__flags & PTW_I_MMAP_WRITE)
				i_mmap_lock_write(''', '''			if (MUT(4))
				w->__flags &= ~PTW_I_MMAP_WRITE;
			if (w->__flags & PTW_I_MMAP_WRITE)
				i_mmap_lock_write(''')
e(5, 'a marker is a hole', '''		if (pte_none(pte)) {
			while''', '''		if (pte_none(pte) || (MUT(5) && pte_is_marker(pte))) {
			while''')
e(6, 'MERGE_AD loses young and dirty', 'FPB_MERGE_YOUNG_DIRTY);', 'MUT(6) ? 0 : FPB_MERGE_YOUNG_DIRTY);')
e(7, 'PROT_NONE PUD skipped', '''	ptw_type_t type = types & PTW_PRESENT;

	/*
	 * Outside''', '''	ptw_type_t type = types & PTW_PRESENT;

	if (MUT(7) && !pud_present(pud))
		return false;
	/*
	 * Outside''')
e(8, 'missing PTE table not presented', 'if (w->__types & PTW_NONE)\n				return pt_range_walk_missing',
  'if ((w->__types & PTW_NONE) && !MUT(8))\n				return pt_range_walk_missing')
e(9, 'missing table shows the entry before', '	w->ptep = NULL;\n	memset(&w->pte, 0,', '	if (MUT(9))\n		return;\n	w->ptep = NULL;\n	memset(&w->pte, 0,')
e(10, 'softleaf batch takes everything', 'if (!pte_same(ptep_get(ptep + nr), expected))', '''if (MUT(26) && type == PTW_SWAP && !pte_present(ptep_get(ptep + nr)) &&
		    softleaf_is_swap(softleaf_from_pte(ptep_get(ptep + nr))) &&
		    swp_offset(softleaf_from_pte(ptep_get(ptep + nr))) ==
		    swp_offset(softleaf_from_pte(expected)))
			continue;
		if (MUT(27) && type == PTW_SWAP &&
		    pte_same(pte_swp_clear_flags(ptep_get(ptep + nr)),
			     pte_swp_clear_flags(expected)))
			continue;
		if (MUT(28) && type == PTW_MARKER && pte_is_marker(ptep_get(ptep + nr)))
			continue;
		if (!pte_same(ptep_get(ptep + nr), expected) && !MUT(10))''')
mutations[26] = 'swap batch goes on in another device'
mutations[27] = 'swap batch whatever the bits'
mutations[28] = 'one batch of different markers'
e(11, 'PMD entry not clipped to the range', 'next = pmd_addr_end(addr, w->__pmd_end);', 'next = MUT(11) ? ALIGN(addr + 1, PMD_SIZE) : pmd_addr_end(addr, w->__pmd_end);')
e(12, 'hugetlb: next PMD is the same PMD', 'return (pte_t *)((pmd_t *)ptep + (size >> PMD_SHIFT));', 'return (pte_t *)((pmd_t *)ptep + (MUT(12) ? 0 : size >> PMD_SHIFT));')
e(13, 'pause keeps everything', '''	pt_range_walk_end(w);
	w->__next = min(''', '''	if (!MUT(13))
	pt_range_walk_end(w);
	w->__next = min(''')
e(14, 'PMD leaf not looked at again under the lock', '''				w->ptl = pmd_lock(mm, pmdp);
				continue;''', '''				w->ptl = pmd_lock(mm, pmdp);
				if (!MUT(14))
				continue;''')
e(15, 'end releases nothing', '''void pt_range_walk_end(struct pt_range_walk *w)
{
''', '''void pt_range_walk_end(struct pt_range_walk *w)
{
	if (MUT(15))
		return;
''')
e(16, 'pause keeps upper tables', '	w->__pmd_end = 0;\n	w->__pud_end = 0;\n	w->__next = w->__end;', '''	if (!MUT(16))
	w->__pmd_end = 0;
	if (!MUT(16) && !MUT(17))
	w->__pud_end = 0;
	w->__next = w->__end;''')
mutations[17] = 'pause keeps the PUD table (equivalent: PUD tables stay)'
e(18, 'hole of one entry not presented', '			if (!(types & PTW_NONE))\n				continue;\n			type = PTW_NONE;', '			if (!(types & PTW_NONE) || (MUT(18) && nr == 1))\n				continue;\n			type = PTW_NONE;')
e(19, 'missing upper table not presented', '			if (!want_none)\n				return -1;\n			pt_range_walk_missing(w, level', '			if (!want_none || MUT(19))\n				return -1;\n			pt_range_walk_missing(w, level')
e(20, 'missing PMD table not presented', '		if (!want_none)\n			return -1;\n		pt_range_walk_missing(w, PGTABLE_LEVEL_PUD', '		if (!want_none || MUT(20))\n			return -1;\n		pt_range_walk_missing(w, PGTABLE_LEVEL_PUD')
e(21, 'hugetlb VMA lock not taken', '''			vma_pgtable_walk_begin(vma);
			w->__hugetlb_locked = true;''', '''			if (!MUT(21))
			vma_pgtable_walk_begin(vma);
			w->__hugetlb_locked = !MUT(21);''')
e(22, 'young lost in hugetlb', '		return pte_young(w->__hpte);', '		return pte_young(w->__hpte) && !MUT(22);')
e(23, 'young lost in a THP', '		return pmd_young(w->pmd);', '		return pmd_young(w->pmd) && !MUT(23);')
e(24, 'stale leaf in a missing table', '	w->folio = NULL;\n	w->page = NULL;\n	w->leaf = softleaf_mk_none();', '	w->folio = NULL;\n	w->page = NULL;\n	if (!MUT(24))\n	w->leaf = softleaf_mk_none();')
e(25, 'coarse present goes across a hole', '''					if (!pte_present(cur))
						break;''', '''					if (!pte_present(cur) &&
					    !(MUT(25) && pte_none(cur)))
						break;''')
e(29, 'hwpoison entries are batched', '	if (type == PTW_HWPOISON)\n		return 1;', '	if (type == PTW_HWPOISON && !MUT(29))\n		return 1;')
e(30, 'migration batch goes beyond the folio', '	if (folio) {\n		unsigned long size', '	if (folio && !MUT(30)) {\n		unsigned long size')
e(31, 'zeropage batch whatever the bits', 'if (!pte_same(ptep_get(ptep + nr), pte))', 'if (!pte_same(ptep_get(ptep + nr), pte) &&\n		    !(MUT(31) && pte_pfn(ptep_get(ptep + nr)) == pte_pfn(pte) && pte_present(ptep_get(ptep + nr))))')
e(32, 'special batch takes in normal pages', 'if (is_zero_pfn(pte_pfn(pte)) || vm_normal_page(vma, addr, pte))', 'if ((is_zero_pfn(pte_pfn(pte)) || vm_normal_page(vma, addr, pte)) && !MUT(32))')
e(33, 'LOOSE is ignored', 'if (w->__flags & PTW_BATCH_LOOSE)', 'if ((w->__flags & PTW_BATCH_LOOSE) && !MUT(33))')
e(34, 'batch of the fast path one too long', 'unsigned int nr = pt_range_walk_folio_batch(w, ptep, pte, max_nr);', 'unsigned int nr = pt_range_walk_folio_batch(w, ptep, pte, max_nr);\n\n	if (MUT(34) && nr > 1 && nr < max_nr)\n		nr++;')
e(35, 'batch goes beyond the range', 'unsigned int max_nr = (w->__pte_end - w->addr) >> PAGE_SHIFT;', 'unsigned int max_nr = ((MUT(35) ? ALIGN(w->__pte_end, PMD_SIZE) : w->__pte_end) - w->addr) >> PAGE_SHIFT;')
e(36, 'lock dropped between items of a table', '''		if (addr < w->__pte_end) {
			ptep =''', '''		if (MUT(36) && addr < w->__pte_end) {
			/* as if there were no table */
		} else if (addr < w->__pte_end) {
			ptep =''')
edits['mm/pagewalk.c'].append((36, '''				return true;
			addr = w->__pte_end;
		}''', '''				return true;
			addr = w->__pte_end;
		}
		if (MUT(54) && addr < w->__end)
			addr += PAGE_SIZE;'''))
mutations[54] = 'first page of the next table skipped'
e(37, 'i_mmap_rwsem not released', '	if (w->__flags & PTW_I_MMAP_WRITE)\n		i_mmap_unlock_write', '	if ((w->__flags & PTW_I_MMAP_WRITE) && !MUT(37))\n		i_mmap_unlock_write')
e(38, 'hugetlb VMA lock not released', '	vma_pgtable_walk_end(vma);\n}\n\n/**\n * pt_range', '	if (!MUT(38))\n	vma_pgtable_walk_end(vma);\n}\n\n/**\n * pt_range')
e(39, 'THP: always its first page', '((addr & ~PMD_MASK) >> PAGE_SHIFT));', '(MUT(39) ? 0 : (addr & ~PMD_MASK) >> PAGE_SHIFT));')
e(40, 'hugetlb: always its first page', '((addr - haddr) >> PAGE_SHIFT));', '(MUT(40) ? 0 : (addr - haddr) >> PAGE_SHIFT));')
e(41, 'PMD softleaf without @leaf', '	w->leaf = leaf;\n	if (page)\n		pt_range_walk_set_page(w, page +\n				       (', '	if (!MUT(41))\n	w->leaf = leaf;\n	if (page)\n		pt_range_walk_set_page(w, page +\n				       (')
e(42, 'PTE table that has just gone is skipped', '		if (!ptep)\n			continue;\n		w->ptep', '		if (!ptep && MUT(42))\n			addr = next;\n		if (!ptep)\n			continue;\n		w->ptep')
e(43, 'PUD leaf without lock', '		if (!w->ptl) {\n			w->ptl = pud_lock', '		if (!w->ptl && !MUT(43)) {\n			w->ptl = pud_lock')
e(44, 'VMA not write-locked', '	process_vma_walk_lock(vma, w->__lock);', '	if (!MUT(44))\n	process_vma_walk_lock(vma, w->__lock);')
e(45, 'ranges outside of the VMA are walked', '	if (WARN_ON_ONCE(w->__next < vma->vm_start || w->__end > vma->vm_end)) {', '	if (!MUT(45) && WARN_ON_ONCE(w->__next < vma->vm_start || w->__end > vma->vm_end)) {')
e(46, 'pause to behind the end stays there', 'min(next + (MUT(3) ? PAGE_SIZE : 0), w->__end);', 'MUT(46) ? next : min(next + (MUT(3) ? PAGE_SIZE : 0), w->__end);')
e(47, 'PMD lock taken along into the next table', '			if (w->__pmd_end) {\n				pt_range_walk_leave_table(w);', '			if (w->__pmd_end) {\n				if (!MUT(47) || w->__pte_end)\n				pt_range_walk_leave_table(w);')
e(48, 'hugetlb hole takes in what follows', 'if (hugetlb_item_type(w, pte) != type)\n					break;', 'if (hugetlb_item_type(w, pte) != type && !MUT(48))\n					break;')
e(49, 'missing hugetlb table in single pages', 'while (next < tbl_end &&\n				       !hugetlb_walk', 'while (next < tbl_end && !MUT(49) &&\n				       !hugetlb_walk')
e(50, 'missing hugetlb table larger than its span', '			tbl_end = hugetlb_table_end(addr, w->__end, level);', '			tbl_end = MUT(50) ? w->__end : hugetlb_table_end(addr, w->__end, level);')
e(51, 'PMD lock kept in a missing table', '''		if (pmd_none(pmd)) {
			pt_range_walk_leave_table(w);''', '''		if (pmd_none(pmd)) {
			if (!MUT(51))
			pt_range_walk_leave_table(w);''')
e(52, 'coarse: huge mapping skipped', '#define PTW_PRESENT_ANY	(PTW_FOLIO | PTW_ZERO | PTW_SPECIAL | PTW_PRESENT)', '#define PTW_PRESENT_ANY	(PTW_FOLIO | PTW_ZERO | PTW_SPECIAL | (MUT(52) ? 0 : PTW_PRESENT))')
e(53, 'missing upper table larger than its span', '		next = p4d_addr_end(addr, next);', '		if (MUT(53))\n			next = w->__end;\n		else\n		next = p4d_addr_end(addr, next);')
e(55, 'missing PMD table larger than its span', '	next = pud_addr_end(addr, w->__pud_end);', '	next = MUT(55) ? w->__pud_end : pud_addr_end(addr, w->__pud_end);')
e(56, 'huge zero page is special', 'else if (is_huge_zero_pmd(pmd))', 'else if (is_huge_zero_pmd(pmd) && !MUT(56))')
e(57, 'hugetlb softleaf without @leaf', '			w->leaf = softleaf_from_pte(pte);\n			if (softleaf', '			if (!MUT(57))\n			w->leaf = softleaf_from_pte(pte);\n			if (softleaf')
e(58, 'batch of a PFN range goes on in the same folio only', '	if (max_nr == 1 || pte_special(pte))', '	if (max_nr == 1 || (pte_special(pte) && !MUT(58)))')
e(60, 'end forgets the position', '	w->__next = w->__end;\n}\n\n/**\n * pt_range_walk_pause', '	if (!MUT(60))\n	w->__next = w->__end;\n}\n\n/**\n * pt_range_walk_pause')
e(61, 'stale leaf behind the fast path', '				w->leaf.val = 0;', '				if (!MUT(61))\n				w->leaf.val = 0;', H)
e(62, 'stale type in the fast path', '				w->type = PTW_FOLIO;', '				if (!MUT(62))\n				w->type = PTW_FOLIO;', H)
e(63, 'fast path although folios are not wanted', '	if ((w->__types & PTW_FOLIO) && likely(addr < w->__pte_end)) {', '	if (((w->__types & PTW_FOLIO) || MUT(63)) && !MUT(36) && likely(addr < w->__pte_end)) {', H)
e(64, 'fast path: large folio is one page', '				if (folio_test_large(folio))', '				if (folio_test_large(folio) && !MUT(64))', H)
e(65, 'hugetlb: PMD marker or migration is a folio', '	if (pte_present(pte))\n		return types & (PTW_PRESENT | PTW_FOLIO);', '	if (pte_present(pte) || MUT(65))\n		return types & (PTW_PRESENT | PTW_FOLIO);')
e(66, 'hugetlb: entry of the size, not of the table', 'level > PGTABLE_LEVEL_PTE ? next : tbl_end;', 'level > PGTABLE_LEVEL_PTE ? next : (MUT(66) ? next : tbl_end);')

e(67, 'PTE table unlocked, but not unmapped', '		pte_unmap_unlock(w->ptep, w->ptl);\n		w->__pte_end = 0;', '		if (MUT(67))\n			spin_unlock(w->ptl);\n		else\n		pte_unmap_unlock(w->ptep, w->ptl);\n		w->__pte_end = 0;')
e(68, 'hugetlb: page-table lock not taken', '			w->ptl = huge_pte_lock(h, mm, ptep);', '			w->ptl = MUT(68) ? huge_pte_lockptr(h, mm, ptep) : huge_pte_lock(h, mm, ptep);')

def main():
    if len(sys.argv) < 2:
        for n in sorted(mutations):
            print(n, mutations[n], sep='\t')
        return
    for file, list in edits.items():
        path = sys.argv[1] + '/' + file
        s = open(path).read()
        for n, old, new in list:
            if s.count(old) != 1:
                sys.exit(f'mutation {n}: {s.count(old)} times in {file}:\n{old}')
            s = s.replace(old, new)
        if file == H:
            s = s.replace('#ifdef CONFIG_MMU\n', '#ifdef CONFIG_MMU\n\nextern int pt_mut;\n#define MUT(n) (READ_ONCE(pt_mut) == (n))\n', 1)
        else:
            mark = '/* Give up page table and lock, but not the position in the upper tables. */'
            assert s.count(mark) == 1
            s = s.replace(mark, '#include <linux/moduleparam.h>\nint pt_mut;\ncore_param(pt_mut, pt_mut, int, 0644);\n' + mark)
        open(path, 'w').write(s)

main()
