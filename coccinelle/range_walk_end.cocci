// A walk that is left without its end, or can be.
//
// Where: folio_walk_start|pt_range_walk

// folio_walk_start() of which there is no way to folio_walk_end().
@ended exists@
expression fw;
position p;
@@
folio_walk_start@p(fw, ...)
... when any
folio_walk_end(fw, ...)

@@
expression fw;
position p != ended.p;
@@
* folio_walk_start@p(fw, ...)

// A return between the two, once there is a folio.
@exists@
expression fw, folio, E;
statement S;
@@
folio = folio_walk_start(fw, ...);
if (\(!folio\|folio == NULL\)) S
... when != folio_walk_end(fw, ...)
    when != folio = E
* return ...;

@exists@
expression fw, folio;
@@
folio = folio_walk_start(fw, ...);
if (\(folio\|folio != NULL\)) {
... when != folio_walk_end(fw, ...)
* return ...;
}

@exists@
expression fw;
@@
if (\(folio_walk_start(fw, ...)\|folio_walk_start(fw, ...) != NULL\)) {
... when != folio_walk_end(fw, ...)
* return ...;
}

// Walks end as their variable goes out of scope, where PT_RANGE_WALK() or a loop
// macro declares it; not otherwise.
@@
identifier w;
@@
* struct pt_range_walk w;

@@
identifier w;
expression E;
@@
* struct pt_range_walk w = E;
