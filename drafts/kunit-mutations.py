W='/root/.cache/pgtable-stack/7.3.4-1-bpo13+1/p3/linux/mm/pagewalk.c'
s=open(W).read()
def e(a,b):
    global s
    assert s.count(a)==1,(s.count(a),a); s=s.replace(a,b)
e('/* Give up page table and lock, but not the position in the upper tables. */','''#include <linux/moduleparam.h>
int pt_mut;
core_param(pt_mut, pt_mut, int, 0644);
#define MUT(n) (READ_ONCE(pt_mut) == (n))
/* Give up page table and lock, but not the position in the upper tables. */''')
e('''	max_nr = min_t(unsigned long, max_nr, folio_nr_pages(folio) -
					      folio_page_idx(folio, w->page));
	return pte_batch''','''	if (!MUT(1))
	max_nr = min_t(unsigned long, max_nr, folio_nr_pages(folio) -
					      folio_page_idx(folio, w->page));
	return pte_batch''')
e('''					if (!(types & PTW_SPECIAL))
						continue;
					type = PTW_SPECIAL;''','''					if (!(types & PTW_SPECIAL) && !MUT(2))
						continue;
					type = PTW_SPECIAL;''')
e('''	w->__next = min(next, w->__end);''','''	w->__next = min(next + (MUT(3) ? PAGE_SIZE : 0), w->__end);''')
e('''			if (w->__flags & PT_WALK_I_MMAP_WRITE)
				i_mmap_lock_write(''','''			if (MUT(4))
				w->__flags &= ~PT_WALK_I_MMAP_WRITE;
			if (w->__flags & PT_WALK_I_MMAP_WRITE)
				i_mmap_lock_write(''')
e('''		if (pte_none(pte)) {
			while''','''		if (pte_none(pte) || (MUT(5) && pte_is_marker(pte))) {
			while''')
e('''					     FPB_MERGE_YOUNG_DIRTY);''','''					     MUT(6) ? 0 : FPB_MERGE_YOUNG_DIRTY);''')
e('''	pt_item_t type = types & PTW_PRESENT;

	/*
	 * Outside''','''	pt_item_t type = types & PTW_PRESENT;

	if (MUT(7) && !pud_present(pud))
		return false;
	/*
	 * Outside''')
e('''			if (w->__types & PTW_NONE)
				return pt_range_walk_missing(w, PGTABLE_LEVEL_PMD,''','''			if ((w->__types & PTW_NONE) && !MUT(8))
				return pt_range_walk_missing(w, PGTABLE_LEVEL_PMD,''')
e('''	w->ptep = NULL;
	memset(&w->pte, 0,''','''	if (MUT(9))
		return;
	w->ptep = NULL;
	memset(&w->pte, 0,''')
e('''			expected = pte_next_swp_offset(expected);
		if (!pte_same(ptep_get(ptep + nr), expected))''','''			expected = pte_next_swp_offset(expected);
		if (!pte_same(ptep_get(ptep + nr), expected) && !MUT(10))''')
e('''		next = pmd_addr_end(addr, w->__pmd_end);
		pmd =''','''		next = MUT(11) ? ALIGN(addr + 1, PMD_SIZE) : pmd_addr_end(addr, w->__pmd_end);
		pmd =''')
e('''		return (pte_t *)((pmd_t *)ptep + (size >> PMD_SHIFT));''','''		return (pte_t *)((pmd_t *)ptep + (MUT(12) ? 0 : size >> PMD_SHIFT));''')
e('''	pt_range_walk_end(w);
	w->__next = min(''','''	if (!MUT(13))
	pt_range_walk_end(w);
	w->__next = min(''')
e('''				w->ptl = pmd_lock(mm, pmdp);
				continue;''','''				w->ptl = pmd_lock(mm, pmdp);
				if (!MUT(14))
				continue;''')
e('''void pt_range_walk_end(struct pt_range_walk *w)
{
''','''void pt_range_walk_end(struct pt_range_walk *w)
{
	if (MUT(15))
		return;
''')
open(W,'w').write(s)
