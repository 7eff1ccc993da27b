/* What pgtable_page_type.cocci must find: the lines marked below. */
typedef struct page *pgtable_t;					/* fires */
typedef struct page *pg_t;

struct ptdesc;
