/* What range_walk_end.cocci must find: the lines marked below. */
struct holder {
	struct pt_range_walk pt;
};

static struct page *no_end(struct vm_area_struct *vma, unsigned long addr)
{
	struct folio_walk fw;

	if (!folio_walk_start(&fw, vma, addr, 0))		/* fires */
		return NULL;
	return fw.page;
}

static int left_early(struct vm_area_struct *vma, unsigned long addr)
{
	struct folio_walk fw;
	struct folio *folio;

	folio = folio_walk_start(&fw, vma, addr, 0);
	if (!folio)
		return -ENOENT;
	if (folio_test_ksm(folio))
		return -EBUSY;					/* fires */
	folio_walk_end(&fw, vma);
	return 0;
}

static int left_behind_guard(struct vm_area_struct *vma, unsigned long addr)
{
	struct folio_walk fw;
	struct folio *folio;

	scoped_guard(mutex, &holder_lock) {
		nothing();
	}
	folio = folio_walk_start(&fw, vma, addr, 0);
	if (!folio)
		return -ENOENT;
	if (folio_test_ksm(folio))
		return -EBUSY;					/* fires */
	folio_walk_end(&fw, vma);
	return 0;
}

static int left_in_branch(struct vm_area_struct *vma, unsigned long addr)
{
	struct folio_walk fw;
	struct folio *folio;

	folio = folio_walk_start(&fw, vma, addr, 0);
	if (folio) {
		if (folio_test_ksm(folio))
			return -EAGAIN;				/* fires */
		folio_walk_end(&fw, vma);
	}
	return 0;
}

static int left_in_condition(struct vm_area_struct *vma, unsigned long addr)
{
	struct folio_walk fw;

	if (folio_walk_start(&fw, vma, addr, 0)) {
		if (fw.level != FW_LEVEL_PTE)
			return -EINVAL;				/* fires */
		folio_walk_end(&fw, vma);
	}
	return 0;
}

static void all_is_well(struct vm_area_struct *vma, unsigned long addr)
{
	struct folio_walk fw;
	struct folio *folio;

	for (; addr < vma->vm_end; addr += PAGE_SIZE) {
		folio = folio_walk_start(&fw, vma, addr, 0);
		if (!folio)
			continue;
		if (folio_test_ksm(folio))
			goto next;
		count(folio);
next:
		folio_walk_end(&fw, vma);
	}
}

static void by_hand(struct vm_area_struct *vma, unsigned long addr)
{
	struct pt_range_walk w;					/* fires */
	struct pt_range_walk i = init(vma, addr);		/* fires */

	while (pt_range_walk_next(&w))
		count(w.folio);
	while (pt_range_walk_next(&i))
		count(i.folio);
}

static int by_macro(struct vm_area_struct *vma, unsigned long addr)
{
	PT_RANGE_WALK(w, vma, addr, vma->vm_end, PTW_ANY, 0, PGWALK_RDLOCK);

	while (pt_range_walk_next(&w)) {
		if (!w.folio)
			return -EAGAIN;
	}
	for_each_pt_range(i, vma, addr, vma->vm_end, PTW_ANY, 0, PGWALK_RDLOCK) {
		if (!i.folio)
			return -EAGAIN;
	}
	return 0;
}
