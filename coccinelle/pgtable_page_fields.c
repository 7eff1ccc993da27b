/* What pgtable_page_fields.cocci must find: the lines marked below. */
static void deposit(pgtable_t table, struct list_head *list)
{
	list_add(&table->lru, list);			/* fires */
	list_add(&table->pt_list, list);
}

static void defer(struct page *page, pgtable_t table)
{
	call_rcu(&table->rcu_head, free_now);		/* fires */
	call_rcu(&table->pt_rcu_head, free_now);
	call_rcu(&page->rcu_head, free_now);
	free_table((pgtable_t)page);			/* fires */
	free_desc(page_ptdesc(table));			/* fires */
	free_desc(page_ptdesc(page));
}

static void reach(struct ptdesc *ptdesc, void *addr)
{
	list_del(&ptdesc_page(ptdesc)->lru);		/* fires */
	free_desc(page_ptdesc(virt_to_page(addr)));	/* fires */
	free_desc(virt_to_ptdesc(addr));
	list_del(&ptdesc->pt_list);
}

static inline struct ptdesc *virt_to_ptdesc(const void *addr)
{
	return page_ptdesc(virt_to_page(addr));
}
