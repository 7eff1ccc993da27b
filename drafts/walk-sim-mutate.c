
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdbool.h>
#include <stdint.h>
#include <assert.h>
#define __bitwise
#define __force
#define BIT(n) (1u<<(n))
#define __always_inline inline __attribute__((always_inline))
#define __cleanup(f) __attribute__((cleanup(f)))
#define likely(x) (x)
#define unlikely(x) (x)
#define PAGE_SHIFT 12
#define PAGE_SIZE 4096UL
#define PAGE_ALIGNED(x) (!((x)&4095))
#define PMD_SHIFT 21
#define PUD_SHIFT 30
#define PMD_MASK (~((1UL<<21)-1))
#define PUD_MASK (~((1UL<<30)-1))
#define IS_ENABLED(x) 0
#define min(a,b) ((a)<(b)?(a):(b))
#define max(a,b) ((a)>(b)?(a):(b))
#define min_t(t,a,b) ((t)(a)<(t)(b)?(t)(a):(t)(b))
#define WARN_ON_ONCE(x) ({int __w=!!(x); assert(!__w); __w;})
#define VM_WARN_ON_ONCE(x) assert(!(x))
#define CONFIG_PGTABLE_HAS_HUGE_LEAVES 1
#define CONFIG_TRANSPARENT_HUGEPAGE 1
typedef uint64_t u64;
typedef struct {u64 v;} pte_t, softleaf_dummy; typedef struct {u64 v;} pmd_t; typedef struct {u64 v;} pud_t; typedef struct{u64 v;} p4d_t; typedef struct{u64 v;} pgd_t;
typedef struct {unsigned long val;} softleaf_t;
typedef int spinlock_t;
struct folio {unsigned long pfn, nr;}; struct page {struct folio *folio;};
static struct page pages[1<<19];
struct mm_struct {int x;}; 
struct vm_area_struct {unsigned long vm_start, vm_end; struct mm_struct *vm_mm; struct file*vm_file;};
struct file {void*f_mapping;};
enum pgtable_level {PGTABLE_LEVEL_PTE,PGTABLE_LEVEL_PMD,PGTABLE_LEVEL_PUD,PGTABLE_LEVEL_P4D,PGTABLE_LEVEL_PGD};
enum page_walk_lock {PGWALK_RDLOCK};
static pud_t puds[512]; static spinlock_t plock, mlock, tlock; static int nlocks, nlockcalls, maps;
static void lk(spinlock_t*l){assert(!*l);*l=1;nlocks++;nlockcalls++;}
static void spin_unlock(spinlock_t*l){assert(*l);*l=0;nlocks--;}
#define ptep_get(p) (*(p))
#define pmdp_get(p) (*(p))
#define pmdp_get_lockless(p) (*(p))
#define pudp_get(p) (*(p))
#define pte_none(p) ((p).v==0)
#define pte_present(p) ((p).v&1)
#define pte_special(p) (!!((p).v&2))
#define pte_young(p) (!!((p).v&4))
#define pte_dirty(p) (!!((p).v&8))
#define pte_write(p) (!!((p).v&16))
#define pte_pfn(p) ((p).v>>12)
#define pte_same(a,b) ((a).v==(b).v)
static pte_t pte_advance_pfn(pte_t p,unsigned long n){p.v+=(u64)n<<12;return p;}
#define pte_next_swp_offset(p) pte_advance_pfn(p,1)
#define pte_batch_hint(p,v) 1
#define is_zero_pfn(n) ((n)==7)
#define is_huge_zero_pmd(p) 0
#define pmd_none(p) ((p).v==0)
#define pmd_present(p) ((p).v&1)
#define pmd_leaf(p) (!!((p).v&128))
#define pmd_young(p) 0
#define pmd_dirty(p) 0
#define pmd_write(p) 0
#define pud_none(p) ((p).v==0)
#define pud_present(p) ((p).v&1)
#define pud_leaf(p) (!!((p).v&128))
#define pmd_index(a) (((a)>>21)&511)
#define pud_index(a) (((a)>>30)&511)
#define pud_offset(p,a) (puds+pud_index(a))
#define TBL(x) ((void*)((x).v&~4095UL))
#define pmd_offset(p,a) ((pmd_t*)TBL(*(p))+pmd_index(a))
static pgd_t pgd0; static p4d_t p4d0;
#define pgd_offset(m,a) (&pgd0)
#define p4d_offset(p,a) (&p4d0)
#define pgd_none_or_clear_bad(p) 0
#define p4d_none_or_clear_bad(p) 0
static unsigned long ae(unsigned long a,unsigned long e,int s){unsigned long b=((a>>s)+1)<<s;return b-1<e-1?b:e;}
#define pmd_addr_end(a,e) ae(a,e,21)
#define pud_addr_end(a,e) ae(a,e,30)
#define p4d_addr_end(a,e) ae(a,e,39)
#define pgd_addr_end(a,e) ae(a,e,39)
static spinlock_t*pmd_lock(struct mm_struct*m,pmd_t*p){lk(&mlock);return &mlock;}
static spinlock_t*pud_lock(struct mm_struct*m,pud_t*p){lk(&plock);return &plock;}
static pte_t*cur_tbl;
static pte_t*pte_offset_map_lock(struct mm_struct*m,pmd_t*p,unsigned long a,spinlock_t**l){assert(!nlocks); if(!(p->v&1)||(p->v&128))return NULL; if(rand()%50==0)return NULL; lk(&tlock);*l=&tlock;maps++;cur_tbl=TBL(*p);return cur_tbl+((a>>12)&511);}
static void pte_unmap_unlock(pte_t*p,spinlock_t*l){assert(p>=cur_tbl&&p<cur_tbl+512);maps--;spin_unlock(l);}
static void cond_resched(void){assert(!nlocks&&!maps);}
static int need_resched(void){return rand()%5==0;}
static struct page*pfn_to_page(unsigned long n){return pages+n;}
static struct page*vm_normal_page(struct vm_area_struct*v,unsigned long a,pte_t p){return pte_special(p)?NULL:pfn_to_page(pte_pfn(p));}
#define vm_normal_page_pmd(vv,a,p) (((p).v&2)?NULL:pfn_to_page((p).v>>12))
#define vm_normal_page_pud(vv,a,p) (((p).v&2)?NULL:pfn_to_page((p).v>>12))
#define page_folio(p) ((p)->folio)
#define folio_test_large(f) ((f)->nr>1)
#define folio_nr_pages(f) ((f)->nr)
#define folio_page_idx(f,p) ((unsigned long)((p)-pages)-(f)->pfn)
enum {SOFTLEAF_NONE,SOFTLEAF_SWAP,SOFTLEAF_MIGRATION_READ,SOFTLEAF_MIGRATION_READ_EXCLUSIVE,SOFTLEAF_MIGRATION_WRITE,SOFTLEAF_DEVICE_PRIVATE_READ,SOFTLEAF_DEVICE_PRIVATE_WRITE,SOFTLEAF_DEVICE_EXCLUSIVE,SOFTLEAF_HWPOISON,SOFTLEAF_MARKER};
#define softleaf_mk_none() ((softleaf_t){0})
static softleaf_t softleaf_from_pte(pte_t p){return (softleaf_t){p.v};}
static softleaf_t softleaf_from_pmd(pmd_t p){return (softleaf_t){p.v};}
#define softleaf_type(l) (((l).val>>4)&15)
#define softleaf_has_pfn(l) (softleaf_type(l)>=2&&softleaf_type(l)<=8)
#define softleaf_to_page(l) pfn_to_page((l).val>>12)
#define FPB_MERGE_YOUNG_DIRTY 1
static unsigned folio_pte_batch_flags(struct folio*f,void*v,pte_t*p,pte_t*e,unsigned m,int fl){unsigned n;m=min(m,(unsigned)(f->pfn+f->nr-pte_pfn(*e)));for(n=1;n<m;n++)if(((p[n].v)&~28UL)!=((e->v+((u64)n<<12))&~28UL))break;return n;}
static void vma_pgtable_walk_begin(struct vm_area_struct*v){} static void vma_pgtable_walk_end(struct vm_area_struct*v){} static void i_mmap_unlock_write(void*m){} 
#define process_mm_walk_lock(a,b)
#define process_vma_walk_lock(a,b)
#define is_vm_hugetlb_page(v) 0
#define huge_pte_dirty pte_dirty
#define huge_pte_write pte_write
typedef unsigned int __bitwise pt_item_t;

/* Nothing there: empty entries of a table, or a table that is missing. */
#define PT_NONE			((__force pt_item_t)BIT(0))
/* Page(s) of one folio, as vm_normal_page() and friends understand it. */
#define PT_FOLIO		((__force pt_item_t)BIT(1))
/* A shared zeropage, small or huge. */
#define PT_ZERO			((__force pt_item_t)BIT(2))
/* Present, but nothing that core-mm may look at as a page. */
#define PT_SPECIAL		((__force pt_item_t)BIT(3))
/*
 * Anything present, not looked at any further: stands for PT_FOLIO, PT_ZERO and
 * PT_SPECIAL, and can't be combined with these. One item may then span several
 * folios, and there is no @folio.
 */
#define PT_PRESENT		((__force pt_item_t)BIT(4))
/* Swap entries with consecutive offsets. */
#define PT_SWAP			((__force pt_item_t)BIT(5))
#define PT_MIGRATION		((__force pt_item_t)BIT(6))
#define PT_DEVICE_PRIVATE	((__force pt_item_t)BIT(7))
#define PT_DEVICE_EXCLUSIVE	((__force pt_item_t)BIT(8))
#define PT_HWPOISON		((__force pt_item_t)BIT(9))
/* A marker: uffd-wp, guard or poison, see softleaf_to_marker(). */
#define PT_MARKER		((__force pt_item_t)BIT(10))

/* All entries that are neither empty nor present. */
#define PT_NONPRESENT		(PT_SWAP | PT_MIGRATION | PT_DEVICE_PRIVATE | \
				 PT_DEVICE_EXCLUSIVE | PT_HWPOISON | PT_MARKER)
/* Each address is in exactly one item. */
#define PT_ANY			(PT_NONE | PT_FOLIO | PT_ZERO | PT_SPECIAL | \
				 PT_NONPRESENT)
/* The same without telling apart what is present. */
#define PT_ANY_COARSE		(PT_NONE | PT_PRESENT | PT_NONPRESENT)

typedef unsigned int __bitwise pt_walk_flags_t;

/*
 * Which bits of the PTEs that map one folio must agree for these to be one
 * item. By default all, so that what holds for the first holds for each.
 *
 * PT_WALK_BATCH_LOOSE: as folio_pte_batch(): accessed, dirty, writable and
 * soft-dirty bits may differ, the item shows those of the first PTE.
 * PT_WALK_BATCH_MERGE_AD: the same, but the item is young or dirty if any PTE
 * is.
 */
#define PT_WALK_BATCH_LOOSE	((__force pt_walk_flags_t)BIT(0))
#define PT_WALK_BATCH_MERGE_AD	((__force pt_walk_flags_t)BIT(1))
/*
 * In a hugetlb VMA hold i_mmap_rwsem for write while an item is presented. For
 * those that change entries in a way that needs it, PMD sharing above all. The
 * walk takes it where the lock order has its place: inside the hugetlb VMA lock
 * and outside of the page-table lock. No effect in other VMAs.
 */
#define PT_WALK_I_MMAP_WRITE	((__force pt_walk_flags_t)BIT(2))

/**
 * struct pt_range_walk - walk over the page-table entries of part of a VMA
 * @vma:	the VMA
 * @addr:	where the item starts
 * @size:	its size in bytes; [@addr, @addr + @size) is within the range
 * @type:	its type, one PT_* bit
 * @level:	level of the entry (or entries) it consists of. For a missing table
 *		that of the empty entry that would point to it
 * @folio:	PT_FOLIO: the folio. Non-present types with a PFN: the folio that
 *		this belongs to. Otherwise NULL
 * @page:	like @folio, the page at @addr. With @size this is a range of pages
 *		of @folio
 * @leaf:	what the non-present types hold, see softleaf_type(); the first of
 *		a run. softleaf_mk_none() for the others
 * @ptl:	the page-table lock that is held, NULL if there is none
 * @ptep:	first entry of the item (PGTABLE_LEVEL_PTE), if @ptl isn't NULL
 * @pmdp:	same for PGTABLE_LEVEL_PMD
 * @pudp:	same for PGTABLE_LEVEL_PUD
 * @pte:	value read there (PGTABLE_LEVEL_PTE), all-zero bits if there is none
 * @pmd:	value read there (PGTABLE_LEVEL_PMD)
 * @pud:	value read there (PGTABLE_LEVEL_PUD)
 *
 * **Items.** The walk goes through [start, end) of one VMA and presents one item
 * at a time, in ascending order. An item is a run of entries at one level in one
 * table, all of one type:
 *
 *  - PT_FOLIO at PTE level: consecutive pages of one folio. What else must
 *    agree, see PT_WALK_BATCH_LOOSE. Other present entries: consecutive PFNs
 *    (PT_SPECIAL) or the same (PT_ZERO), all bits agree.
 *  - PT_SWAP: consecutive offsets in one swap device, all bits agree; other
 *    entries with a PFN: consecutive pages of one folio, all bits agree; markers:
 *    the same marker.
 *  - PT_NONE: as many empty entries as follow each other in the PTE table, or
 *    the hugetlb table. An empty entry at an upper level is a table that is
 *    missing, and one item as large as what that table would map.
 *  - Huge mappings: one entry is one item, of hugetlb all entries that together
 *    map the huge page. The item is clipped to the range, but the entry pointer
 *    and value are those of the whole.
 *
 * Types that weren't asked for are skipped. An address that was skipped is
 * recognised by @addr not being where the last item ended.
 *
 * **Locks.** The caller holds what it said in the lock argument, see enum
 * page_walk_lock, until the walk has ended. While an item is presented, the lock
 * of its table is held and the PTE table is mapped (kmap_local and RCU read
 * lock): the entries can't change except for what hardware sets. There is one
 * exception, a missing table: there, @ptl is NULL, nothing but the caller's own
 * lock keeps others from filling it, and the body may sleep. (It may not in a
 * hole of a table, which has @ptl.) The page-table lock is kept from one item to
 * the next in the same table. Between tables the walk may sleep.
 *
 * **Sleeping and writing.** pt_range_walk_pause() gives up all that the walk
 * holds. The body may change entries of the item under @ptl.
 *
 * **hugetlb** is walked like everything else; in addition the hugetlb VMA lock is
 * held for read while an item is presented, missing tables included, so that
 * these bodies can sleep but not take it again. @level says where
 * the entries really are. @pmd and @pud are for looking at in the
 * architecture's own format; young, dirty and writable are those of
 * pt_range_walk_young() and so on, gathered over all entries that map the page.
 * Entries are written with set_huge_pte_at() and its like only. A PMD table may
 * be shared with other processes: pt_range_walk_pmd_shared().
 *
 * **VM_PFNMAP and VM_MIXEDMAP** are walked like any other, with PT_SPECIAL items
 * where vm_normal_page() says so. (walk_page_range() passes over VM_PFNMAP
 * unless ->test_walk() is there, walk_page_range_vma() doesn't. To pass over it
 * is up to the caller.)
 *
 * Everything public is for reading. Private members start with two underscores.
 */
struct pt_range_walk {
	struct vm_area_struct *vma;
	unsigned long addr;
	unsigned long size;
	pt_item_t type;
	enum pgtable_level level;
	struct folio *folio;
	struct page *page;
	softleaf_t leaf;
	spinlock_t *ptl;
	union {
		pte_t *ptep;
		pmd_t *pmdp;
		pud_t *pudp;
	};
	union {
		pte_t pte;
		pmd_t pmd;
		pud_t pud;
	};

	/* private: */
	pt_item_t __types;
	pt_walk_flags_t __flags;
	enum page_walk_lock __lock;
	bool __begun;
	bool __hugetlb;		/* in a hugetlb VMA */
	bool __hugetlb_locked;	/* its lock is held */
	unsigned long __next;	/* the walk goes on here */
	unsigned long __end;
	/* If not 0, @ptep is mapped, @ptl held, and this is the table's end. */
	unsigned long __pte_end;
	/* Upper tables in use: end of each, 0 if none, and its entry 0. */
	unsigned long __pmd_end;
	unsigned long __pud_end;
	pmd_t *__pmds;
	pud_t *__puds;
	/* hugetlb: end of the table in use, or 0; entry at __haddr; as a pte_t */
	unsigned long __huge_end;
	unsigned long __haddr;
	pte_t *__hptep;
	pte_t __hpte;
};

#define __PT_RANGE_WALK_INIT(_vma, _start, _end, _types, _flags, _lock)	\
	{								\
		.vma = (_vma),						\
		.__next = (_start),					\
		.__end = (_end),					\
		.__types = (_types),					\
		.__flags = (_flags),					\
		.__lock = (_lock),					\
	}

bool __pt_range_walk_next(struct pt_range_walk *w);
bool __pt_range_walk_large(struct pt_range_walk *w, pte_t *ptep, pte_t pte,
			   struct page *page);
void pt_range_walk_pause(struct pt_range_walk *w, unsigned long next);
void pt_range_walk_end(struct pt_range_walk *w);
bool __pt_range_walk_huge_young(const struct pt_range_walk *w);
bool __pt_range_walk_huge_dirty(const struct pt_range_walk *w);
bool __pt_range_walk_huge_write(const struct pt_range_walk *w);
bool pt_range_walk_pmd_shared(const struct pt_range_walk *w);

/**
 * PT_RANGE_WALK - declare a walk that ends with the scope it is declared in
 * @name:	the struct pt_range_walk
 * @vma:	the VMA
 * @start:	first address, page aligned
 * @end:	end of the range, exclusive, page aligned
 * @types:	set of pt_item_t to present
 * @flags:	pt_walk_flags_t, or 0
 * @lock:	what the caller holds, see enum page_walk_lock
 *
 * For those who need the walk in more than one loop, or its position behind the
 * loop; for_each_pt_range() is made of this and pt_range_walk_next().
 */
#define PT_RANGE_WALK(name, vma, start, end, types, flags, lock)	\
	struct pt_range_walk name __cleanup(pt_range_walk_end) =	\
		__PT_RANGE_WALK_INIT(vma, start, end, types, flags, lock)

/**
 * for_each_pt_range - loop over the page-table entries of part of a VMA
 * @w:		name of the struct pt_range_walk to declare, known in the loop
 * @vma:	the VMA
 * @start:	first address, page aligned
 * @end:	end of the range, exclusive, page aligned
 * @types:	set of pt_item_t to present
 * @flags:	pt_walk_flags_t, or 0
 * @lock:	what the caller holds, see enum page_walk_lock
 *
 * The loop can be left by break, return or goto: nothing stays held, as @w goes
 * out of scope. A range that is empty has no items. The cost of an item doesn't
 * depend on its depth in the page tables; only entering a table does.
 *
 * Context: Process context, may sleep between items. The caller holds the lock
 * that it names in @lock, no spinlock, and neither the hugetlb VMA lock nor
 * i_mmap_rwsem of @vma. In the body @w->ptl is held if it isn't NULL.
 */
#define for_each_pt_range(w, vma, start, end, types, flags, lock)	\
	for (PT_RANGE_WALK(w, vma, start, end, types, flags, lock);	\
	     pt_range_walk_next(&(w));)

/**
 * pt_range_walk_item_end - the address behind the item
 * @w: the walk
 *
 * Returns: end of the item, exclusive.
 */
static inline unsigned long pt_range_walk_item_end(const struct pt_range_walk *w)
{
	return w->addr + w->size;
}

/**
 * pt_range_walk_nr_pages - size of the item in pages
 * @w: the walk
 *
 * Returns: number of base pages.
 */
static inline unsigned long pt_range_walk_nr_pages(const struct pt_range_walk *w)
{
	return w->size >> PAGE_SHIFT;
}

/**
 * pt_range_walk_next - go to the next item
 * @w: the walk
 *
 * The first call starts the walk. After it returned false nothing is held.
 *
 * Context: See for_each_pt_range().
 * Returns: true if there is an item, false at the end of the range.
 */
static __always_inline bool pt_range_walk_next(struct pt_range_walk *w)
{
	unsigned long addr = w->__next;

	/* The usual case: a page of a folio comes next in the same PTE table. */
	if ((w->__types & PT_FOLIO) && likely(addr < w->__pte_end)) {
		pte_t *ptep = w->ptep + ((addr - w->addr) >> PAGE_SHIFT);
		pte_t pte = ptep_get(ptep);

		if (likely(pte_present(pte))) {
			struct page *page = vm_normal_page(w->vma, addr, pte);

			if (likely(page)) {
				struct folio *folio = page_folio(page);

				w->addr = addr;
				w->type = PT_FOLIO;
				w->folio = folio;
				w->page = page;
				w->leaf.val = 0;
				w->ptep = ptep;
				w->pte = pte;
				if (folio_test_large(folio))
					return __pt_range_walk_large(w, ptep,
								     pte, page);
				w->size = PAGE_SIZE;
				w->__next = addr + PAGE_SIZE;
				return true;
			}
		}
	}
	return __pt_range_walk_next(w);
}

/**
 * pt_range_walk_young - was the item accessed?
 * @w: the walk, at an item of PT_FOLIO, PT_ZERO, PT_SPECIAL or PT_PRESENT
 *
 * Returns: the accessed bit. For a PTE batch see PT_WALK_BATCH_LOOSE; of
 * PT_PRESENT the first entry counts.
 */
static inline bool pt_range_walk_young(const struct pt_range_walk *w)
{
	if (likely(w->level == PGTABLE_LEVEL_PTE))
		return pte_young(w->pte);
	return __pt_range_walk_huge_young(w);
}

/**
 * pt_range_walk_dirty - is the item's entry dirty?
 * @w: the walk, at an item as for pt_range_walk_young()
 *
 * Returns: the dirty bit, as pt_range_walk_young() does for the accessed bit.
 */
static inline bool pt_range_walk_dirty(const struct pt_range_walk *w)
{
	if (likely(w->level == PGTABLE_LEVEL_PTE))
		return pte_dirty(w->pte);
	return __pt_range_walk_huge_dirty(w);
}

/**
 * pt_range_walk_write - is the item mapped writable?
 * @w: the walk, at an item as for pt_range_walk_young()
 *
 * Returns: whether the (first) entry is writable.
 */
static inline bool pt_range_walk_write(const struct pt_range_walk *w)
{
	if (likely(w->level == PGTABLE_LEVEL_PTE))
		return pte_write(w->pte);
	return __pt_range_walk_huge_write(w);
}

/**
 * struct folio_range_walk - walk over the folios mapped in part of a VMA
 * @pt:	the walk below. @pt.folio is the folio, @pt.page its first page in the
 *	item, pt_range_walk_nr_pages() says how many consecutive ones it has;
 *	the page-table entry is at hand in the same way
 *
 * This is a &struct pt_range_walk that presents PT_FOLIO and nothing else, for
 * those who only have to do with present folios. All that is said there holds
 * here, with one thing less to care for: the page-table lock is always held. The
 * folio must not be used after the body has given that up, or in the next round,
 * without a reference.
 *
 * Like pt_range_walk it walks what the page tables hold at the level where it is,
 * so one folio may come in several items: mapped by several tables, with holes or
 * with bits that differ (see PT_WALK_BATCH_LOOSE), or more than once.
 *
 * To look at one address only, use folio_walk_start().
 */
struct folio_range_walk {
	struct pt_range_walk pt;
};

static inline void __folio_range_walk_end(struct folio_range_walk *fw)
{
	pt_range_walk_end(&fw->pt);
}

/**
 * FOLIO_RANGE_WALK - declare a walk that ends with the scope it is declared in
 * @name:	the struct folio_range_walk
 * @vma:	the VMA
 * @start:	first address, page aligned
 * @end:	end of the range, exclusive, page aligned
 * @flags:	pt_walk_flags_t, or 0
 * @lock:	what the caller holds, see enum page_walk_lock
 */
#define FOLIO_RANGE_WALK(name, vma, start, end, flags, lock)		\
	struct folio_range_walk name __cleanup(__folio_range_walk_end) = { \
		.pt = __PT_RANGE_WALK_INIT(vma, start, end, PT_FOLIO,	\
					   flags, lock),		\
	}

/**
 * for_each_folio_range - loop over the folios mapped in part of a VMA
 * @folio:	the struct folio pointer that is set to each in turn
 * @fw:		name of the struct folio_range_walk to declare, known in the loop
 * @vma:	the VMA
 * @start:	first address, page aligned
 * @end:	end of the range, exclusive, page aligned
 * @flags:	pt_walk_flags_t, or 0
 * @lock:	what the caller holds, see enum page_walk_lock
 *
 * The loop can be left by any means. After its end @folio is NULL, after break
 * it is the folio at hand, which is not locked in place any more.
 *
 * Context: As for for_each_pt_range(). In the body @fw.pt.ptl is held.
 */
#define for_each_folio_range(folio, fw, vma, start, end, flags, lock)	\
	for (FOLIO_RANGE_WALK(fw, vma, start, end, flags, lock);	\
	     ((folio) = folio_range_walk_next(&(fw)));)

/**
 * folio_range_walk_next - go to the next folio
 * @fw: the walk
 *
 * Context: See for_each_folio_range().
 * Returns: the folio, or NULL at the end of the range, with nothing held.
 */
static __always_inline struct folio *
folio_range_walk_next(struct folio_range_walk *fw)
{
	return pt_range_walk_next(&fw->pt) ? fw->pt.folio : NULL;
}

/**
 * folio_range_walk_pause - give up everything held, in the middle of a walk
 * @fw: the walk, at a folio
 * @next: where to go on, see pt_range_walk_pause()
 *
 * Context: In the body of the loop. Drops @fw->pt.ptl; @fw->pt.folio is NULL
 * afterwards.
 */
static inline void folio_range_walk_pause(struct folio_range_walk *fw,
					  unsigned long next)
{
	pt_range_walk_pause(&fw->pt, next);
}

/* Give up page table and lock, but not the position in the upper tables. */
static void pt_range_walk_leave_table(struct pt_range_walk *w)
{
	if (w->__pte_end) {
		pte_unmap_unlock(w->ptep, w->ptl);
		w->__pte_end = 0;
	} else if (w->ptl) {
		spin_unlock(w->ptl);
	}
	w->ptl = NULL;
	w->ptep = NULL;
}

static void pt_range_walk_unlock_hugetlb(struct pt_range_walk *w)
{
	struct vm_area_struct *vma = w->vma;

	w->__huge_end = 0;
	if (!w->__hugetlb_locked)
		return;
	w->__hugetlb_locked = false;
	if (w->__flags & PT_WALK_I_MMAP_WRITE)
		i_mmap_unlock_write(vma->vm_file->f_mapping);
	vma_pgtable_walk_end(vma);
}

/**
 * pt_range_walk_end - end a walk
 * @w: the walk
 *
 * Called by itself when a variable declared with PT_RANGE_WALK() or
 * for_each_pt_range() goes out of scope. May be called earlier, and again.
 *
 * Context: May be called with or without an item being presented. Drops
 * everything that the walk holds.
 */
void pt_range_walk_end(struct pt_range_walk *w)
{
	pt_range_walk_leave_table(w);
	pt_range_walk_unlock_hugetlb(w);
	w->folio = NULL;
	w->page = NULL;
	w->__pmd_end = 0;
	w->__pud_end = 0;
	w->__next = w->__end;
}

/**
 * pt_range_walk_pause - give up everything held, in the middle of a walk
 * @w: the walk, at an item
 * @next: where to go on: @w->addr to look at the same addresses again,
 *	pt_range_walk_item_end() to go on behind the item, or what is between
 *	or behind
 *
 * For bodies that want to sleep, fault, flush or split. Drops the page-table
 * lock and what else the walk holds, so neither entry pointers nor folio are
 * valid any more (@w->folio and the like are cleared; a body that needs the
 * folio takes a reference before). What the body found out before must be
 * considered outdated. pt_range_walk_next() then goes down from the top again,
 * and takes what it finds there, so tables may be freed, replaced, collapsed or
 * split meanwhile.
 *
 * With @next == @w->addr it is up to the body that it doesn't repeat for ever.
 *
 * The VMA must stay what it is: the caller still holds the lock it named at the
 * start. To drop that, leave the loop, look for the VMA again and start a new
 * walk.
 *
 * Context: In the body of the loop. Drops @w->ptl.
 */
void pt_range_walk_pause(struct pt_range_walk *w, unsigned long next)
{
	VM_WARN_ON_ONCE(next < w->addr);
	pt_range_walk_end(w);
	w->__next = min(next, w->__end);
}

static bool pt_range_walk_begin(struct pt_range_walk *w)
{
	struct vm_area_struct *vma = w->vma;

	w->__begun = true;
	process_mm_walk_lock(vma->vm_mm, w->__lock);
	process_vma_walk_lock(vma, w->__lock);

	VM_WARN_ON_ONCE((w->__types & PT_PRESENT) &&
			(w->__types & (PT_FOLIO | PT_ZERO | PT_SPECIAL)));
	VM_WARN_ON_ONCE(!PAGE_ALIGNED(w->__next | w->__end));

	if (w->__next >= w->__end)
		return false;
	if (WARN_ON_ONCE(w->__next < vma->vm_start || w->__end > vma->vm_end)) {
		w->__next = w->__end;
		return false;
	}
	w->__hugetlb = is_vm_hugetlb_page(vma);
	return true;
}

/* Present an item. What is particular to a type or level, the caller sets. */
static __always_inline void pt_range_walk_set(struct pt_range_walk *w,
		pt_item_t type, enum pgtable_level level, unsigned long addr,
		unsigned long next)
{
	w->type = type;
	w->level = level;
	w->addr = addr;
	w->size = next - addr;
	w->__next = next;
	w->folio = NULL;
	w->page = NULL;
	w->leaf = softleaf_mk_none();
}

static void pt_range_walk_set_page(struct pt_range_walk *w, struct page *page)
{
	w->page = page;
	w->folio = page_folio(page);
}

static pt_item_t softleaf_item_type(softleaf_t leaf)
{
	switch (softleaf_type(leaf)) {
	case SOFTLEAF_SWAP:
		return PT_SWAP;
	case SOFTLEAF_MIGRATION_READ:
	case SOFTLEAF_MIGRATION_READ_EXCLUSIVE:
	case SOFTLEAF_MIGRATION_WRITE:
		return PT_MIGRATION;
	case SOFTLEAF_DEVICE_PRIVATE_READ:
	case SOFTLEAF_DEVICE_PRIVATE_WRITE:
		return PT_DEVICE_PRIVATE;
	case SOFTLEAF_DEVICE_EXCLUSIVE:
		return PT_DEVICE_EXCLUSIVE;
	case SOFTLEAF_HWPOISON:
		return PT_HWPOISON;
	default:
		/* softleaf_type() has complained about what it doesn't know. */
		return PT_MARKER;
	}
}

/* Consecutive PFNs, all bits agree. Not for entries that vm_ops look up. */
static __always_inline unsigned int pte_batch_exact(pte_t *ptep, pte_t pte,
		unsigned int max_nr)
{
	unsigned int nr = pte_batch_hint(ptep, pte);

	while (nr < max_nr) {
		pte_t cur = ptep_get(ptep + nr);

		if (!pte_same(cur, pte_advance_pfn(pte, nr)))
			break;
		nr += pte_batch_hint(ptep + nr, cur);
	}
	return min(nr, max_nr);
}

static unsigned int zero_pte_batch(pte_t *ptep, pte_t pte, unsigned int max_nr)
{
	unsigned int nr;

	for (nr = 1; nr < max_nr; nr++) {
		if (!pte_same(ptep_get(ptep + nr), pte))
			break;
	}
	return nr;
}

static unsigned int special_pte_batch(struct vm_area_struct *vma, pte_t *ptep,
		pte_t pte, unsigned long addr, unsigned int max_nr)
{
	unsigned int nr = pte_batch_exact(ptep, pte, max_nr);
	unsigned int i;

	/* Without pte_special() it depends on the address and the PFN. */
	for (i = 1; i < nr; i++) {
		addr += PAGE_SIZE;
		pte = pte_advance_pfn(pte, 1);
		if (is_zero_pfn(pte_pfn(pte)) || vm_normal_page(vma, addr, pte))
			break;
	}
	return i;
}

static unsigned int pt_range_walk_folio_batch(struct pt_range_walk *w,
		pte_t *ptep, pte_t pte, unsigned int max_nr)
{
	struct folio *folio = w->folio;

	/*
	 * Special and yet a normal page: vm_ops->find_normal_page() has found
	 * it, the PFN in the entry says nothing.
	 */
	if (max_nr == 1 || pte_special(pte))
		return 1;
	if (w->__flags & PT_WALK_BATCH_MERGE_AD)
		return folio_pte_batch_flags(folio, NULL, ptep, &w->pte, max_nr,
					     FPB_MERGE_YOUNG_DIRTY);
	if (w->__flags & PT_WALK_BATCH_LOOSE)
		return folio_pte_batch_flags(folio, NULL, ptep, &w->pte, max_nr,
					     0);
	max_nr = min_t(unsigned long, max_nr, folio_nr_pages(folio) -
					      folio_page_idx(folio, w->page));
	return pte_batch_exact(ptep, pte, max_nr);
}

/*
 * The second half of pt_range_walk_next() for large folios. The item has been
 * set up but for its size.
 */
bool __pt_range_walk_large(struct pt_range_walk *w, pte_t *ptep, pte_t pte,
			   struct page *page)
{
	unsigned int max_nr = (w->__pte_end - w->addr) >> PAGE_SHIFT;
	unsigned int nr = pt_range_walk_folio_batch(w, ptep, pte, max_nr);

	w->size = (unsigned long)nr << PAGE_SHIFT;
	w->__next = w->addr + w->size;
	return true;
}

/* How many entries are like @pte, which holds @leaf? */
static unsigned int softleaf_pte_batch(pte_t *ptep, pte_t pte, softleaf_t leaf,
		pt_item_t type, struct page *page, unsigned int max_nr)
{
	pte_t expected = pte;
	unsigned int nr;

	if (type == PT_HWPOISON)
		return 1;
	/* The pages of one folio, only. */
	if (page) {
		struct folio *folio = page_folio(page);

		max_nr = min_t(unsigned long, max_nr, folio_nr_pages(folio) -
						folio_page_idx(folio, page));
	}
	for (nr = 1; nr < max_nr; nr++) {
		if (type != PT_MARKER)
			expected = pte_next_swp_offset(expected);
		if (!pte_same(ptep_get(ptep + nr), expected))
			break;
	}
	return nr;
}

/*
 * Look for an item in the PTE table that is locked and mapped, from @addr on,
 * whose entry is @ptep. @w->ptep and @w->addr stay as they are if there is none.
 */
static bool pt_range_walk_ptes(struct pt_range_walk *w, pte_t *ptep,
			       unsigned long addr)
{
	const unsigned long end = w->__pte_end;
	const pt_item_t types = w->__types;
	unsigned int nr, max_nr;

	for (; addr < end; ptep += nr, addr += (unsigned long)nr << PAGE_SHIFT) {
		struct page *page = NULL;
		softleaf_t leaf = softleaf_mk_none();
		pte_t pte = ptep_get(ptep);
		pt_item_t type;

		max_nr = (end - addr) >> PAGE_SHIFT;
		nr = 1;

		if (pte_none(pte)) {
			while (nr < max_nr && pte_none(ptep_get(ptep + nr)))
				nr++;
			if (!(types & PT_NONE))
				continue;
			type = PT_NONE;
		} else if (pte_present(pte)) {
			nr = pte_batch_hint(ptep, pte);
			if (nr > max_nr)
				nr = max_nr;
			if (types & PT_PRESENT) {
				while (nr < max_nr) {
					pte_t cur = ptep_get(ptep + nr);

					if (!pte_present(cur))
						break;
					nr += pte_batch_hint(ptep + nr, cur);
				}
				nr = min(nr, max_nr);
				type = PT_PRESENT;
			} else if (!(types & (PT_FOLIO | PT_ZERO | PT_SPECIAL))) {
				continue;
			} else {
				page = vm_normal_page(w->vma, addr, pte);
				if (page) {
					if (!(types & PT_FOLIO))
						continue;
					type = PT_FOLIO;
				} else if (is_zero_pfn(pte_pfn(pte))) {
					if (!(types & PT_ZERO))
						continue;
					type = PT_ZERO;
					nr = zero_pte_batch(ptep, pte, max_nr);
				} else {
					if (!(types & PT_SPECIAL))
						continue;
					type = PT_SPECIAL;
					nr = special_pte_batch(w->vma, ptep, pte,
							       addr, max_nr);
				}
			}
		} else {
			if (!(types & PT_NONPRESENT))
				continue;
			leaf = softleaf_from_pte(pte);
			type = softleaf_item_type(leaf);
			if (!(types & type))
				continue;
			if (softleaf_has_pfn(leaf))
				page = softleaf_to_page(leaf);
			nr = softleaf_pte_batch(ptep, pte, leaf, type, page,
						max_nr);
		}

		w->ptep = ptep;
		w->pte = pte;
		pt_range_walk_set(w, type, PGTABLE_LEVEL_PTE, addr, addr);
		w->leaf = leaf;
		if (page) {
			pt_range_walk_set_page(w, page);
			if (type == PT_FOLIO)
				nr = folio_test_large(w->folio) ?
				     pt_range_walk_folio_batch(w, ptep, pte,
							       max_nr) : 1;
		}
		w->size = (unsigned long)nr << PAGE_SHIFT;
		w->__next = addr + w->size;
		return true;
	}
	return false;
}

/* A PMD entry that is no table and not empty; its lock is held. */
static bool pt_range_walk_pmd(struct pt_range_walk *w, pmd_t *pmdp, pmd_t pmd,
			      unsigned long addr, unsigned long next)
{
	const pt_item_t types = w->__types;
	softleaf_t leaf = softleaf_mk_none();
	struct page *page = NULL;
	pt_item_t type;

	if (pmd_present(pmd)) {
		type = types & PT_PRESENT;
#ifdef CONFIG_PGTABLE_HAS_HUGE_LEAVES
		if (!type) {
			if (!(types & (PT_FOLIO | PT_ZERO | PT_SPECIAL)))
				return false;
			page = vm_normal_page_pmd(w->vma, addr, pmd);
			if (page)
				type = PT_FOLIO;
			else if (is_huge_zero_pmd(pmd))
				type = PT_ZERO;
			else
				type = PT_SPECIAL;
		}
#endif
	} else {
		leaf = softleaf_from_pmd(pmd);
		type = softleaf_item_type(leaf);
	}
	if (!(types & type))
		return false;

	if (softleaf_has_pfn(leaf))
		page = softleaf_to_page(leaf);
	pt_range_walk_set(w, type, PGTABLE_LEVEL_PMD, addr, next);
	w->pmdp = pmdp;
	w->pmd = pmd;
	w->leaf = leaf;
	if (page)
		pt_range_walk_set_page(w, page +
				       ((addr & ~PMD_MASK) >> PAGE_SHIFT));
	return true;
}

/* A PUD entry that is no table and not empty; its lock is held. */
static bool pt_range_walk_pud(struct pt_range_walk *w, pud_t *pudp, pud_t pud,
			      unsigned long addr, unsigned long next)
{
	const pt_item_t types = w->__types;
	struct page *page = NULL;
	pt_item_t type = types & PT_PRESENT;

	/* Outside of hugetlb there are no softleaf entries at this level. */
	if (WARN_ON_ONCE(!pud_present(pud)))
		type = PT_MARKER;
#ifdef CONFIG_PGTABLE_HAS_HUGE_LEAVES
	else if (!type) {
		page = vm_normal_page_pud(w->vma, addr, pud);
		type = page ? PT_FOLIO : PT_SPECIAL;
	}
#endif
	if (!(types & type))
		return false;

	pt_range_walk_set(w, type, PGTABLE_LEVEL_PUD, addr, next);
	w->pudp = pudp;
	w->pud = pud;
	if (page)
		pt_range_walk_set_page(w, page +
				       ((addr & ~PUD_MASK) >> PAGE_SHIFT));
	return true;
}

/* There is no entry to show, so don't leave that of the last item. */
static void pt_range_walk_clear_entry(struct pt_range_walk *w)
{
	w->ptep = NULL;
	memset(&w->pte, 0, sizeof(w->pte));
	memset(&w->pmd, 0, sizeof(w->pmd));
	memset(&w->pud, 0, sizeof(w->pud));
	memset(&w->__hpte, 0, sizeof(w->__hpte));
}

/*
 * Present tables that are missing as a hole. Nothing is locked: a table that
 * comes into being afterwards counts as if it had come after the walk.
 */
static bool pt_range_walk_missing(struct pt_range_walk *w,
		enum pgtable_level level, unsigned long addr, unsigned long next)
{
	pt_range_walk_set(w, PT_NONE, level, addr, next);
	pt_range_walk_clear_entry(w);
	return true;
}

#ifdef CONFIG_HUGETLB_PAGE
/*
 * The level at which an architecture keeps the entries of huge pages of this
 * size. If they are smaller than the page, there are several of them.
 */
static enum pgtable_level hugetlb_entry_level(unsigned long sz)
{
	/* These fill PTEs, whatever the size. */
	if (IS_ENABLED(CONFIG_PARISC) || IS_ENABLED(CONFIG_SUPERH))
		return PGTABLE_LEVEL_PTE;
#ifndef __PAGETABLE_PMD_FOLDED
	if (sz >= PUD_SIZE)
		return PGTABLE_LEVEL_PUD;
#endif
	return sz >= PMD_SIZE ? PGTABLE_LEVEL_PMD : PGTABLE_LEVEL_PTE;
}

/* The entry @size bytes behind @ptep, in the same table. */
static pte_t *hugetlb_entry_advance(pte_t *ptep, enum pgtable_level level,
				    unsigned long size)
{
	switch (level) {
	case PGTABLE_LEVEL_PTE:
		return ptep + (size >> PAGE_SHIFT);
	case PGTABLE_LEVEL_PMD:
		return (pte_t *)((pmd_t *)ptep + (size >> PMD_SHIFT));
	default:
		return (pte_t *)((pud_t *)ptep + (size >> PUD_SHIFT));
	}
}

static unsigned long hugetlb_table_end(unsigned long addr, unsigned long end,
				       enum pgtable_level level)
{
	switch (level) {
	case PGTABLE_LEVEL_PTE:
		return pmd_addr_end(addr, end);
	case PGTABLE_LEVEL_PMD:
		return pud_addr_end(addr, end);
	default:
		return p4d_addr_end(addr, end);
	}
}

/* The end of the huge page at @addr, or @end. Mind the top of address space. */
static unsigned long hugetlb_addr_end(struct hstate *h, unsigned long addr,
				      unsigned long end)
{
	unsigned long boundary = (addr & huge_page_mask(h)) + huge_page_size(h);

	return boundary - 1 < end - 1 ? boundary : end;
}

/* Classify what huge_ptep_get() said. 0 if it isn't wanted. */
static pt_item_t hugetlb_item_type(struct pt_range_walk *w, pte_t pte)
{
	const pt_item_t types = w->__types;

	if (huge_pte_none(pte))
		return types & PT_NONE;
	if (pte_present(pte))
		return types & (PT_PRESENT | PT_FOLIO);
	if (!(types & PT_NONPRESENT))
		return (__force pt_item_t)0;
	return types & softleaf_item_type(softleaf_from_pte(pte));
}

static bool pt_range_walk_hugetlb(struct pt_range_walk *w)
{
	struct vm_area_struct *vma = w->vma;
	struct mm_struct *mm = vma->vm_mm;
	struct hstate *h = hstate_vma(vma);
	const unsigned long sz = huge_page_size(h);
	const enum pgtable_level level = hugetlb_entry_level(sz);
	unsigned long addr = w->__next, next;

	for (; addr < w->__end; addr = next) {
		const unsigned long haddr = addr & huge_page_mask(h);
		unsigned long tbl_end;
		pt_item_t type;
		struct page *page;
		pte_t *ptep, pte;

		next = hugetlb_addr_end(h, addr, w->__end);

		if (addr < w->__huge_end) {
			ptep = hugetlb_entry_advance(w->__hptep, level,
						     haddr - w->__haddr);
		} else {
			/* Another table. Let others have their turn. */
			pt_range_walk_leave_table(w);
			pt_range_walk_unlock_hugetlb(w);
			cond_resched();

			vma_pgtable_walk_begin(vma);
			w->__hugetlb_locked = true;
			if (w->__flags & PT_WALK_I_MMAP_WRITE)
				i_mmap_lock_write(vma->vm_file->f_mapping);

			/* Some pages are larger than what a table maps. */
			tbl_end = hugetlb_table_end(addr, w->__end, level);
			tbl_end = max(tbl_end - 1, next - 1) + 1;

			ptep = hugetlb_walk(vma, haddr, sz);
			if (!ptep) {
				/*
				 * Some architectures say so for an empty entry,
				 * too: go on to the next that there is.
				 */
				while (next < tbl_end &&
				       !hugetlb_walk(vma, next, sz))
					next = hugetlb_addr_end(h, next, tbl_end);
				if (!(w->__types & PT_NONE))
					continue;
				pt_range_walk_set(w, PT_NONE, level, addr, next);
				pt_range_walk_clear_entry(w);
				return true;
			}
			w->ptl = huge_pte_lock(h, mm, ptep);
			w->__huge_end = tbl_end;
		}
		w->__hptep = ptep;
		w->__haddr = haddr;

		pte = huge_ptep_get(mm, haddr, ptep);
		type = hugetlb_item_type(w, pte);
		if (!type)
			continue;

		pt_range_walk_set(w, type, level, addr, next);
		w->__hpte = pte;
		switch (level) {
		case PGTABLE_LEVEL_PTE:
			w->ptep = ptep;
			w->pte = pte;
			break;
		case PGTABLE_LEVEL_PMD:
			w->pmdp = (pmd_t *)ptep;
			w->pmd = pmdp_get(w->pmdp);
			break;
		default:
			w->pudp = (pud_t *)ptep;
			w->pud = pudp_get(w->pudp);
			break;
		}

		if (type == PT_NONE || type == PT_PRESENT) {
			/* Is there more of it? */
			while (next < w->__huge_end) {
				ptep = hugetlb_entry_advance(w->__hptep, level,
							     next - haddr);
				pte = huge_ptep_get(mm, next, ptep);
				if (hugetlb_item_type(w, pte) != type)
					break;
				next = hugetlb_addr_end(h, next, w->__huge_end);
			}
			w->size = next - addr;
			w->__next = next;
			return true;
		}

		page = NULL;
		if (type == PT_FOLIO) {
			page = pte_page(pte);
		} else {
			w->leaf = softleaf_from_pte(pte);
			if (softleaf_has_pfn(w->leaf))
				page = softleaf_to_page(w->leaf);
		}
		if (page)
			pt_range_walk_set_page(w, page +
					       ((addr - haddr) >> PAGE_SHIFT));
		return true;
	}
	pt_range_walk_end(w);
	return false;
}
#else
static bool pt_range_walk_hugetlb(struct pt_range_walk *w)
{
	pt_range_walk_end(w);
	return false;
}
#endif /* CONFIG_HUGETLB_PAGE */

/*
 * Go to the PMD table for @*addrp. Returns 1 if there is one, 0 if there is an
 * item at PUD level or above, and -1 if there was nothing that is wanted: then
 * @*addrp has advanced.
 */
static int pt_range_walk_upper(struct pt_range_walk *w, unsigned long *addrp)
{
	const bool want_none = w->__types & PT_NONE;
	struct mm_struct *mm = w->vma->vm_mm;
	unsigned long addr = *addrp, next;
	pud_t *pudp, pud;

	if (addr >= w->__pud_end) {
		enum pgtable_level level;
		pgd_t *pgdp;
		p4d_t *p4dp;

		pt_range_walk_leave_table(w);
		level = PGTABLE_LEVEL_PGD;
		pgdp = pgd_offset(mm, addr);
		next = pgd_addr_end(addr, w->__end);
		if (pgd_none_or_clear_bad(pgdp))
			goto missing;
		level = PGTABLE_LEVEL_P4D;
		p4dp = p4d_offset(pgdp, addr);
		next = p4d_addr_end(addr, w->__end);
		if (p4d_none_or_clear_bad(p4dp)) {
missing:
			*addrp = next;
			if (!want_none)
				return -1;
			pt_range_walk_missing(w, level, addr, next);
			return 0;
		}
		w->__puds = pud_offset(p4dp, addr) - pud_index(addr);
		w->__pud_end = next;
	}

	pudp = w->__puds + pud_index(addr);
again:
	next = pud_addr_end(addr, w->__pud_end);
	pud = pudp_get(pudp);
	if (pud_none(pud)) {
		pt_range_walk_leave_table(w);
		*addrp = next;
		if (!want_none)
			return -1;
		pt_range_walk_missing(w, PGTABLE_LEVEL_PUD, addr, next);
		return 0;
	}
	if (!pud_present(pud) || pud_leaf(pud)) {
		if (!w->ptl) {
			w->ptl = pud_lock(mm, pudp);
			goto again;
		}
		*addrp = next;
		return pt_range_walk_pud(w, pudp, pud, addr, next) ? 0 : -1;
	}
	/*
	 * A table. It stays where it is while the caller holds its lock, other
	 * than PTE tables, and can be used without one.
	 */
	pt_range_walk_leave_table(w);
	w->__pmds = pmd_offset(pudp, addr) - pmd_index(addr);
	w->__pmd_end = next;
	return 1;
}

/* pt_range_walk_next() when there isn't simply another page in the table. */
bool __pt_range_walk_next(struct pt_range_walk *w)
{
	struct mm_struct *mm = w->vma->vm_mm;
	unsigned long addr, next;
	pmd_t *pmdp, pmd;
	spinlock_t *ptl;
	pte_t *ptep;

	if (unlikely(!w->__begun) && !pt_range_walk_begin(w))
		return false;
	if (w->__hugetlb)
		return pt_range_walk_hugetlb(w);

	addr = w->__next;
	if (w->__pte_end) {
		if (addr < w->__pte_end) {
			ptep = w->ptep + ((addr - w->addr) >> PAGE_SHIFT);
			if (pt_range_walk_ptes(w, ptep, addr))
				return true;
			addr = w->__pte_end;
		}
		pt_range_walk_leave_table(w);
		cond_resched();
	} else if (w->ptl && need_resched()) {
		/* Between huge pages in a table. */
		pt_range_walk_leave_table(w);
		cond_resched();
	}

	while (addr < w->__end) {
		if (addr >= w->__pmd_end) {
			int ret;

			/*
			 * A lock that is held now is that of a PUD table, or of
			 * the PMD table that has come to its end.
			 */
			if (w->__pmd_end) {
				pt_range_walk_leave_table(w);
				w->__pmd_end = 0;
				cond_resched();
			}
			ret = pt_range_walk_upper(w, &addr);
			if (!ret)
				return true;
			if (ret < 0)
				continue;
		}

		pmdp = w->__pmds + pmd_index(addr);
		next = pmd_addr_end(addr, w->__pmd_end);
		pmd = pmdp_get_lockless(pmdp);
		if (pmd_none(pmd)) {
			pt_range_walk_leave_table(w);
			if (w->__types & PT_NONE)
				return pt_range_walk_missing(w, PGTABLE_LEVEL_PMD,
							     addr, next);
			addr = next;
			continue;
		}
		if (!pmd_present(pmd) || pmd_leaf(pmd)) {
			if (!w->ptl) {
				/* Look again with the lock held. */
				w->ptl = pmd_lock(mm, pmdp);
				continue;
			}
			if (pt_range_walk_pmd(w, pmdp, pmd, addr, next))
				return true;
			addr = next;
			continue;
		}

		/* A table, unless it is gone by now: then look again. */
		pt_range_walk_leave_table(w);
		ptep = pte_offset_map_lock(mm, pmdp, addr, &ptl);
		if (!ptep)
			continue;
		w->ptep = ptep;
		w->ptl = ptl;
		w->addr = addr;
		w->level = PGTABLE_LEVEL_PTE;
		w->__pte_end = next;
		if (pt_range_walk_ptes(w, ptep, addr))
			return true;
		pt_range_walk_leave_table(w);
		cond_resched();
		addr = next;
	}
	pt_range_walk_end(w);
	return false;
}

bool __pt_range_walk_huge_young(const struct pt_range_walk *w)
{
	if (w->__hugetlb)
		return pte_young(w->__hpte);
	if (w->level == PGTABLE_LEVEL_PMD)
		return pmd_young(w->pmd);
#ifdef CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD
	if (w->level == PGTABLE_LEVEL_PUD)
		return pud_young(w->pud);
#endif
	return false;
}

bool __pt_range_walk_huge_dirty(const struct pt_range_walk *w)
{
	if (w->__hugetlb)
		return huge_pte_dirty(w->__hpte);
	if (w->level == PGTABLE_LEVEL_PMD)
		return pmd_dirty(w->pmd);
#ifdef CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD
	if (w->level == PGTABLE_LEVEL_PUD)
		return pud_dirty(w->pud);
#endif
	return false;
}

bool __pt_range_walk_huge_write(const struct pt_range_walk *w)
{
	if (w->__hugetlb)
		return huge_pte_write(w->__hpte);
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	if (w->level == PGTABLE_LEVEL_PMD)
		return pmd_write(w->pmd);
#endif
#ifdef CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD
	if (w->level == PGTABLE_LEVEL_PUD)
		return pud_write(w->pud);
#endif
	return false;
}

/**
 * pt_range_walk_pmd_shared - is the item in a PMD table shared by processes?
 * @w: the walk, at an item of a hugetlb VMA
 *
 * The table, and with it the mapping, then has one page-table lock and one entry
 * for several processes.
 *
 * Context: In the body of the loop.
 * Returns: true if it is shared.
 */
bool pt_range_walk_pmd_shared(const struct pt_range_walk *w)
{
#ifdef CONFIG_HUGETLB_PAGE
	return w->__hugetlb && w->ptl && w->level == PGTABLE_LEVEL_PMD &&
	       hugetlb_pmd_shared((pte_t *)w->pmdp);
#else
	return false;
#endif
}

#define BASE 0UL
static pte_t want(unsigned long a,int*level,pt_item_t*t){ pud_t u=puds[pud_index(a)]; *level=2; if(pud_none(u)){*t=PT_NONE;return(pte_t){0};} if(pud_leaf(u)){*t=(u.v&2)?PT_SPECIAL:PT_FOLIO;return(pte_t){(u.v>>12)+((a&~PUD_MASK)>>12)};}
 pmd_t m=*pmd_offset(puds+pud_index(a),a);*level=1; if(pmd_none(m)){*t=PT_NONE;return(pte_t){0};}
 if(!pmd_present(m)){softleaf_t l=softleaf_from_pmd(m);*t=softleaf_item_type(l);return(pte_t){(m.v>>12)+((a&~PMD_MASK)>>12)};}
 if(pmd_leaf(m)){*t=(m.v&2)?PT_SPECIAL:PT_FOLIO;return(pte_t){(m.v>>12)+((a&~PMD_MASK)>>12)};}
 pte_t p=((pte_t*)TBL(m))[(a>>12)&511];*level=0; if(pte_none(p))*t=PT_NONE; else if(pte_present(p))*t=!pte_special(p)?PT_FOLIO:is_zero_pfn(pte_pfn(p))?PT_ZERO:PT_SPECIAL; else *t=softleaf_item_type(softleaf_from_pte(p));
 return(pte_t){p.v>>12}; }
static void*tbl(void){void*p=aligned_alloc(4096,4096);memset(p,0,4096);return p;}
static void fill(pte_t*t){int i=0;while(i<512){int n=1+rand()%20,k=rand()%12,j;unsigned long pfn;if(i+n>512)n=512-i;pfn=(16+rand()%2000)*16+rand()%16;
 for(j=0;j<n;j++){u64 v=0;switch(k){case 0:case 1:v=0;break;case 2:case 3:case 4:v=1|((pfn+j)<<12)|(rand()%8?0:4);break;case 5:v=3|(7UL<<12);break;case 6:v=3|((100+pfn+j)<<12);break;default:v=((u64)(k-6+((k>9)?4:0))<<4)|((pfn+j)<<12);if(((v>>4)&15)>9)v=(9UL<<4)|(1<<12);}t[i+j].v=v;}i+=n;}}
static void mutate(unsigned long a){pud_t*u=&puds[pud_index(a)];if(pud_none(*u)){if(rand()%2){u->v=1|(u64)tbl();}return;}if(pud_leaf(*u)){u->v=0;return;}pmd_t*m=pmd_offset(u,a);if(!m->v){if(rand()%2)m->v=129|(512<<12);else{pte_t*t=tbl();fill(t);m->v=1|(u64)t;}}else if(!(m->v&1)||(m->v&128)){if(rand()%2)m->v=0;else{pte_t*t=tbl();fill(t);m->v=1|(u64)t;}}else{void*o=TBL(*m);m->v=rand()%2?0:(2<<4)|(1024<<12);memset(o,0xff,4096);free(o);}}
int main(int c,char**v){ long it,items=0; for(it=0;it<(1<<19);it++){static struct folio fs[1<<19];int big=(it>>4)%3==0;struct folio*f=big?&fs[it&~15]:&fs[it];f->pfn=big?it&~15:it;f->nr=big?16:1;pages[it].folio=f;}
 for(it=0;it<3000;it++){srand(it+1);int i;for(i=0;i<3;i++){int k=rand()%5;if(k==0)puds[i].v=0;else if(k==1)puds[i].v=129|(0x400UL<<12);else{pmd_t*m=tbl();puds[i].v=1|(u64)m;int j,lo=rand()%505;for(j=0;j<512;j++){ if(j>4&&j<508&&(j<lo||j>lo+4))continue;switch(rand()%6){case 0:break;case 1:m[j].v=129|((u64)(512*(rand()%100))<<12);break;case 2:m[j].v=(2<<4)|((u64)(512*(rand()%100))<<12);break;default:{pte_t*t=tbl();fill(t);m[j].v=1|(u64)t;}}}}}
  static struct mm_struct mm; unsigned long end=3UL<<30,s,e;struct vm_area_struct vma={0,end,&mm,NULL};
  int k; for(k=0;k<6;k++){ unsigned types=k%3==0?PT_ANY:k%3==1?PT_ANY_COARSE:(rand()&0x7ef); unsigned fl=rand()%3==0?PT_WALK_BATCH_LOOSE:0;
   static const unsigned long b[]={0,1UL<<30,2UL<<30,3UL<<30}; s=b[rand()%3]+(rand()%2?0:(unsigned long)(rand()%3000)*4096); e=b[1+rand()%3]-(rand()%2?0:(unsigned long)(rand()%3000)*4096); if(s>e)continue;
   unsigned long at=s; int stop=rand()%4==0?rand()%200:-1,rep=0; unsigned long lastend=0;int lastt=0,lastl=-1;
   for_each_pt_range(w,&vma,s,e,types,fl,PGWALK_RDLOCK){ unsigned long a;int l;pt_item_t t; items++; assert(w.size&&!(w.size&4095)&&w.addr>=at&&w.addr+w.size<=e);assert(types&w.type);
    for(a=at;a<w.addr;a+=4096){want(a,&l,&t); if(t&(PT_FOLIO|PT_ZERO|PT_SPECIAL)&&types&PT_PRESENT)t=PT_PRESENT;assert(!(types&t)); if(l==2)a=min(ae(a,w.addr,30),w.addr)-4096;else if(l==1)a=min(ae(a,w.addr,21),w.addr)-4096;}
    for(a=w.addr;a<w.addr+w.size;a+=4096){pte_t x=want(a,&l,&t);pt_item_t t2=t; if(types&PT_PRESENT&&t&(PT_FOLIO|PT_ZERO|PT_SPECIAL))t2=PT_PRESENT;assert(t2==w.type);assert(l==(int)w.level);
      if(w.type==PT_FOLIO){assert(w.page-pages+((a-w.addr)>>12)==x.v);if(l==0)assert(pages[x.v].folio==w.folio);} if(w.type==PT_MIGRATION&&l==0)assert(w.page-pages+((a-w.addr)>>12)==x.v&&pages[x.v].folio==w.folio); if(w.type==PT_SWAP)assert((w.leaf.val>>12)+((a-w.addr)>>12)==x.v);}
    if((w.ptl==NULL)&&rand()%4==0){/*others fill holes*/mutate(w.addr+w.size<e?w.addr+w.size:s);} if(w.type==PT_NONE&&l>0)assert(!w.ptl&&!nlocks&&!w.pte.v&&!w.folio);else assert(w.ptl&&nlocks==1&&*w.ptl);
    if(lastl==0&&l==0&&lastt==(int)w.type&&lastend==w.addr&&(w.type==PT_NONE||w.type==PT_PRESENT))assert(!(w.addr&0x1fffff));
    if(rand()%30==0&&rep++<20){ pt_range_walk_pause(&w,rand()%2?w.addr:w.addr+(w.size>>1&~4095UL)); assert(!nlocks&&!maps); at=w.__next; lastl=-1; if(rand()%2)mutate(at<e?at:s); continue;}
    else if(rand()%30==0){unsigned long n=w.addr+w.size;pt_range_walk_pause(&w,n);assert(!nlocks);at=n;lastl=-1;if(rand()%2)mutate(n<e?n:s);continue;}
    at=w.addr+w.size; lastend=at;lastt=w.type;lastl=l; if(stop>=0&&stop--==0)goto out; }
   {unsigned long a;int l;pt_item_t t;for(a=at;a<e;a+=4096){want(a,&l,&t); if(t&(PT_FOLIO|PT_ZERO|PT_SPECIAL)&&types&PT_PRESENT)t=PT_PRESENT;assert(!(types&t)); if(l==2)a=ae(a,e,30)-4096;else if(l==1)a=ae(a,e,21)-4096;}}
out:  assert(!nlocks&&!maps); } 
  for(i=0;i<3;i++)if(puds[i].v&&!(puds[i].v&128)){pmd_t*m=TBL(puds[i]);int j;for(j=0;j<512;j++)if((m[j].v&1)&&!(m[j].v&128))free(TBL(m[j]));free(m);} }
 printf("ok items=%ld lockcalls=%d\n",items,nlockcalls);return 0;}
