// The last pgtable_t of generic code become struct ptdesc *.
//
// Generates: mm include/linux
// Patch: mm: use struct ptdesc pointers instead of pgtable_t

@@
typedef pgtable_t;
@@
- pgtable_t
+ struct ptdesc *
