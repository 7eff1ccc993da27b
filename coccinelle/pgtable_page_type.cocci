// pgtable_t is a struct page again.
//
// Where: typedef.*pgtable_t

@@
@@
* typedef struct page *pgtable_t;
