// A page table reached through struct page: its descriptor has pt_list,
// pt_rcu_head and ptl of its own, and will not lie over a struct page for ever.
//
// Where: pgtable_t|page_ptdesc|ptdesc_page

@@
pgtable_t table;
identifier f = {lru, rcu_head, mapping, private, page_type, _refcount};
@@
* table->f

@@
pgtable_t table;
struct page *page;
@@
(
* (pgtable_t)page
|
* page_ptdesc(table)
|
* page_address(table)
)

@@
expression table;
identifier f;
@@
* ptdesc_page(table)->f

@definition@
expression addr;
position p;
@@
virt_to_ptdesc(...) { <... page_ptdesc@p(virt_to_page(addr)) ...> }

@@
expression addr;
position p != definition.p;
@@
* page_ptdesc@p(virt_to_page(addr))
