/* What hugetlb_entry.cocci must find: the lines marked below. */
static const struct mm_walk_ops walk_ops = {
	.pmd_entry = pmd_range,
	.hugetlb_entry = hugetlb_range,		/* fires */
	.walk_lock = PGWALK_RDLOCK,
};

static const struct other_ops other_ops = {
	.hugetlb_entry = hugetlb_range,
};

static int hugetlb_entry(struct mm_walk *walk)
{
	struct mm_walk_ops ops = {
		.hugetlb_entry = hugetlb_range,	/* fires */
	};
	struct mm_walk_ops *p = &ops;

	if (walk->ops->hugetlb_entry)
		return hugetlb_entry(walk);
	ops.hugetlb_entry = hugetlb_range;	/* fires */
	p->hugetlb_entry = hugetlb_range;	/* fires */
	return walk_page_range(walk->mm, 0, -1UL, p, NULL);
}
