// A new user of the callback that hugetlb has of its own in struct mm_walk_ops:
// pt_range_walk presents hugetlb like everything else.
//
// Where: hugetlb_entry
// Known: hugetlb_entry.known

@@
identifier ops;
expression fn;
@@
struct mm_walk_ops ops = {
	...,
*	.hugetlb_entry = fn,
	...,
};

@@
struct mm_walk_ops ops;
expression fn;
@@
* ops.hugetlb_entry = fn

@@
struct mm_walk_ops *ops;
expression fn;
@@
* ops->hugetlb_entry = fn
