// SPDX-License-Identifier: GPL-2.0
/*
 * pt_range_walk (mm/pagewalk.c, as extracted by extract.sh) in user space, over
 * simulated page tables with LEVELS real levels, the others folded by the real
 * asm-generic/pgtable-nop*.h. Compared, item by item, with a naive reader that
 * knows nothing of folding.
 *
 * -DLEVELS=2..5 -DBITS=n (entries per table: 1 << n) -DWRAP=1 (top of the address
 * space) -DULONG32 (unsigned long is 32 bits) -DPARENT=1 (PTW_PRESENT of hugetlb
 * is merged, as before e99a78f)
 * -DRT=1|2 levels folded at run time instead (LEVELS=3, 4), as riscv or s390 do it
 * args: mode(normal|hugetlb) items [seed]
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdbool.h>
#include <stdint.h>
#include <inttypes.h>
#include <unistd.h>
#include <sys/resource.h>
typedef uint64_t u64;
typedef uintptr_t uptr;
#ifndef LEVELS
#define LEVELS 5
#endif
#ifndef BITS
#define BITS 3
#endif
#ifndef PARENT
#define PARENT 0
#endif
#ifdef ULONG32
#define long int		/* from here on */
#endif

/* ---- the kernel's environment ---- */
#define __bitwise
#define __force
#define BIT(n) (1u << (n))
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __cleanup(f) __attribute__((cleanup(f)))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define min(a, b) ({ __typeof__(a) __a = (a); __typeof__(b) __b = (b); __a < __b ? __a : __b; })
#define max(a, b) ({ __typeof__(a) __a = (a); __typeof__(b) __b = (b); __a > __b ? __a : __b; })
#define min_t(t, a, b) ({ t __x = (a); t __y = (b); __x < __y ? __x : __y; })

static u64 seed0, rs, items_total, walks_total, runs_total, lockcalls, mutations, pauses, early;
static u64 nt[16], nl[8], ncond, nretry, huge_partial;
static int in_walk;
static struct pt_range_walk *cur_w;
static void fail(int line, const char *what);
#define CHECK(x) do { if (!(x)) fail(__LINE__, #x); } while (0)
#define WARN_ON_ONCE(x) ({ int __w = !!(x); if (__w) fail(__LINE__, "WARN " #x); __w; })
#define VM_WARN_ON_ONCE(x) ({ if (x) fail(__LINE__, "VM_WARN " #x); })

static u64 rnd64(void) { rs ^= rs << 13; rs ^= rs >> 7; rs ^= rs << 17; return rs * 0x2545F4914F6CDD1Dull; }
static unsigned int rnd(unsigned int n) { return (unsigned int)(rnd64() >> 33) % n; }

#define CONFIG_HUGETLB_PAGE 1
#define CONFIG_TRANSPARENT_HUGEPAGE 1
#define CONFIG_PGTABLE_HAS_HUGE_LEAVES 1
#define CONFIG_ARCH_HAS_PMD_SOFTLEAVES 1
#if LEVELS >= 3
#define CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD 1
#endif
static bool sim_eim, sim_eim_pteptr, sim_ptefill;
#define IS_ENABLED(x) (x)
#define CONFIG_PPC sim_eim
#define CONFIG_LOONGARCH 0
#define CONFIG_SPARC64 0
#define CONFIG_PARISC sim_ptefill
#define CONFIG_SUPERH 0

#define PAGE_SHIFT 12
#define PAGE_SIZE ((unsigned long)1 << PAGE_SHIFT)
#define PAGE_ALIGNED(x) (!((x) & (PAGE_SIZE - 1)))
#define NR (1 << BITS)
#define PTRS_PER_PTE NR

typedef struct { u64 v; } pgd_t;
#define pgd_val(x) ((x).v)
#define __pgd(x) ((pgd_t){ x })
typedef struct { u64 v; } pte_t;
#define pte_val(x) ((x).v)
struct mm_struct { pgd_t *pgd; };

/* entries */
#define P	1ull	/* present */
#define SPEC	2ull
#define YOUNG	4ull
#define DIRTY	8ull
#define WR	16ull
#define SD	32ull
#define CONT	64ull
#define LEAF	128ull
#define NP	256ull	/* not present, not none; softleaf type in bits 4-7 */
#define FNP	512ull	/* special, but vm_ops->find_normal_page() knows it */
#define SWPX	1024ull
#define AD	(YOUNG | DIRTY)
#define PFN(v)	((unsigned long)((v) >> 12))

/* ---- what the arch header has for the real levels; folded: asm-generic ---- */
#define PTRS_PER_PGD NR
#ifndef RT
#define RT 0
#endif
#if RT == 2		/* s390: levels folded per mm, constants as for five */
#define PGDIR_SHIFT (12 + BITS * 4)
#define pgd_offset(mm, a) ((mm)->pgd + (((a) >> (12 + BITS * (LEVELS - 1))) & (NR - 1)))
#else			/* RT == 1: riscv: levels folded at boot, PGDIR_SHIFT follows */
#define PGDIR_SHIFT (12 + BITS * (LEVELS - 1))
#endif
#define PGDIR_SIZE (1UL << PGDIR_SHIFT)
#define PGDIR_MASK (~(PGDIR_SIZE - 1))
#define ISTBL(v) (((v) & (P | LEAF)) == P)
#define TBL(v) ((void *)(uptr)((v) & ~255ull))
#if LEVELS == 5 || RT
typedef struct { u64 v; } p4d_t;
#define p4d_val(x) ((x).v)
#define P4D_SHIFT (12 + BITS * 3)
#define P4D_SIZE (1UL << P4D_SHIFT)
#define P4D_MASK (~(P4D_SIZE - 1))
#define PTRS_PER_P4D NR
static inline int pgd_none(pgd_t e) { return LEVELS == 5 && !e.v; }
static inline int pgd_bad(pgd_t e) { return LEVELS == 5 && !ISTBL(e.v); }
static inline int pgd_present(pgd_t e) { return LEVELS < 5 || (e.v & P); }
static inline p4d_t *p4d_offset(pgd_t *pgd, unsigned long a) { return LEVELS < 5 ? (p4d_t *)pgd : (p4d_t *)TBL(pgd->v) + ((a >> P4D_SHIFT) & (NR - 1)); }
#elif LEVELS == 4
#include <asm-generic/pgtable-nop4d.h>
#elif LEVELS == 3
#include <asm-generic/pgtable-nopud.h>
#else
#include <asm-generic/pgtable-nopmd.h>
#endif
#if LEVELS >= 4 || RT
typedef struct { u64 v; } pud_t;
#define pud_val(x) ((x).v)
#define PUD_SHIFT (12 + BITS * 2)
#define PUD_SIZE (1UL << PUD_SHIFT)
#define PUD_MASK (~(PUD_SIZE - 1))
#define PTRS_PER_PUD NR
static inline int p4d_none(p4d_t e) { return LEVELS >= 4 && !p4d_val(e); }
static inline int p4d_bad(p4d_t e) { return LEVELS >= 4 && !ISTBL(p4d_val(e)); }
static inline int p4d_present(p4d_t e) { return LEVELS < 4 || (p4d_val(e) & P); }
static inline pud_t *p4d_pgtable(p4d_t e) { return TBL(p4d_val(e)); }
#if LEVELS < 4
static inline pud_t *pud_offset(p4d_t *p4d, unsigned long a) { return (pud_t *)p4d; }
#define pud_offset pud_offset
#endif
#endif
#if LEVELS >= 3
typedef struct { u64 v; } pmd_t;
#define pmd_val(x) ((x).v)
#define PMD_SHIFT (12 + BITS)
#define PMD_SIZE (1UL << PMD_SHIFT)
#define PMD_MASK (~(PMD_SIZE - 1))
#define PTRS_PER_PMD NR
static inline int pud_none(pud_t e) { return !pud_val(e); }
static inline int pud_bad(pud_t e) { return !ISTBL(pud_val(e)); }
static inline int pud_present(pud_t e) { return pud_val(e) & P; }
static inline int pud_leaf(pud_t e) { return !!(pud_val(e) & LEAF); }
static inline pmd_t *pud_pgtable(pud_t e) { return TBL(pud_val(e)); }
#endif
static inline int pmd_none(pmd_t e) { return !pmd_val(e); }
static inline int pmd_bad(pmd_t e) { return !ISTBL(pmd_val(e)); }
static inline int pmd_present(pmd_t e) { return pmd_val(e) & P; }
static inline int pmd_leaf(pmd_t e) { return !!(pmd_val(e) & LEAF); }
#define MYBAD(x) void x##_clear_bad(x##_t *p) { fail(__LINE__, #x "_clear_bad"); }
#include "pgtable.inc"
MYBAD(pgd)
#ifndef __PAGETABLE_P4D_FOLDED
MYBAD(p4d)
#endif
#ifndef __PAGETABLE_PUD_FOLDED
MYBAD(pud)
#endif
MYBAD(pmd)
#if !RT && 5 - defined(__PAGETABLE_P4D_FOLDED) - defined(__PAGETABLE_PUD_FOLDED) - defined(__PAGETABLE_PMD_FOLDED) != LEVELS
#error LEVELS
#endif
#include "level.inc"
enum page_walk_lock { PGWALK_RDLOCK };

/* ---- tables, each its own allocation; found by address for their locks ---- */
typedef struct { int held; } spinlock_t;
struct table { void *mem; int level; spinlock_t lock; struct table *hnext; };
#define HSZ 8192
static struct table *hash[HSZ];
static unsigned int hfn(void *p) { return (unsigned int)(((uptr)p >> 8) * 2654435761u >> 7) % HSZ; }
static struct table *table_of(void *p)
{
	void *m = (void *)((uptr)p & ~(uptr)255);
	struct table *t;

	for (t = hash[hfn(m)]; t; t = t->hnext)
		if (t->mem == m && (uptr)p - (uptr)m < 8 * NR)
			return t;
	fail(__LINE__, "entry pointer is in no table");
	return NULL;
}
static u64 *table_alloc(int level)
{
	struct table *t = calloc(1, sizeof(*t));

	if (posix_memalign(&t->mem, 256, 8 * NR))
		abort();
	memset(t->mem, 0, 8 * NR);
	t->level = level;
	t->hnext = hash[hfn(t->mem)];
	hash[hfn(t->mem)] = t;
	return t->mem;
}
static void table_free(void *m)
{
	struct table **pp, *t = table_of(m);

	CHECK(!t->lock.held);
	for (pp = &hash[hfn(m)]; *pp != t; pp = &(*pp)->hnext)
		;
	*pp = t->hnext;
	free(m);
	free(t);
}

/* real level k: what an entry there maps */
#define SHIFT(k) (12 + BITS * (k))
#define ESZ(k) ((unsigned long)1 << SHIFT(k))
#define SPACE ((unsigned long)1 << SHIFT(LEVELS))
#define NPAGES (SPACE >> 12)
#ifdef WRAP
#define BASE ((unsigned long)0 - SPACE)
#else
#define BASE (SPACE * 3)
#endif
static u64 *root;
static unsigned char dirty[1 << (BITS * LEVELS)];	/* changed since the last item */
static unsigned long space_lo, space_hi;		/* of the VMA */
static void mark_dirty(unsigned long a, unsigned long sz)
{
	memset(dirty + ((a - BASE) >> 12), 1, sz >> 12);
}

/* ---- locks ---- */
static int nlocks, maps, vma_locks, immap_locks;
static void race(void);
static void lk(spinlock_t *l) { CHECK(!l->held); CHECK(!nlocks); l->held = 1; nlocks++; lockcalls++; }
static void spin_unlock(spinlock_t *l) { CHECK(l->held); l->held = 0; nlocks--; }
static spinlock_t *lock_tbl(void *p) { race(); lk(&table_of(p)->lock); return &table_of(p)->lock; }
static spinlock_t *pmd_lock(struct mm_struct *mm, pmd_t *p) { CHECK(table_of(p)->level == 1); return lock_tbl(p); }
static spinlock_t *pud_lock(struct mm_struct *mm, pud_t *p)
{
	CHECK(LEVELS > 2 && table_of(p)->level == 2);
	return lock_tbl(p);
}
static void cond_resched(void) { CHECK(!nlocks && !maps); ncond++; race(); }
static int need_resched(void) { return rnd(5) == 0; }

static pte_t *mapped;
static pte_t *pte_offset_map_lock(struct mm_struct *mm, pmd_t *p, unsigned long a, spinlock_t **l)
{
	CHECK(!nlocks && !maps);
	CHECK(table_of(p)->level == 1);
	race();
	if (!ISTBL(pmd_val(*p)) || rnd(50) == 0) {
		nretry++;
		return NULL;
	}
	mapped = TBL(pmd_val(*p));
	/* the race has been before; RCU would keep the table while we wait */
	*l = &table_of(mapped)->lock;
	lk(*l);
	maps++;
	return mapped + ((a >> 12) & (NR - 1));
}
static void pte_unmap_unlock(pte_t *p, spinlock_t *l)
{
	CHECK(maps == 1 && p >= mapped && p < mapped + NR);
	CHECK(l == &table_of(mapped)->lock);
	maps--;
	spin_unlock(l);
}

/* ---- pages, entries ---- */
#define NPG 16384
#define BIGPG 8192		/* from here on: folios of 256 pages */
#define ZERO_PFN 7
#define HZERO_PFN (NPG - 256)
struct folio { unsigned long pfn, nr; };
struct page { struct folio *folio; };
static struct page pages[NPG];
static struct folio folios[NPG];
struct file { void *f_mapping; };
struct vm_area_struct {
	unsigned long vm_start, vm_end;
	struct mm_struct *vm_mm;
	struct file *vm_file;
	unsigned long hsize;		/* hugetlb */
	bool pfnmap;			/* COW mapping without pte_special() */
	unsigned long pgoff;
};
#define ptep_get(p) (*(p))
#define pmdp_get(p) (*(p))
#define pmdp_get_lockless(p) (*(p))
#define pudp_get(p) (*(p))
#define pte_none(p) ((p).v == 0)
#define pte_present(p) (!!((p).v & P))
#define pte_special(p) (!!((p).v & SPEC))
#define pte_young(p) (!!((p).v & YOUNG))
#define pte_dirty(p) (!!((p).v & DIRTY))
#define pte_write(p) (!!((p).v & WR))
#define pmd_young(p) (!!(pmd_val(p) & YOUNG))
#define pmd_dirty(p) (!!(pmd_val(p) & DIRTY))
#define pmd_write(p) (!!(pmd_val(p) & WR))
#define pud_young(p) (!!(pud_val(p) & YOUNG))
#define pud_dirty(p) (!!(pud_val(p) & DIRTY))
#define pud_write(p) (!!(pud_val(p) & WR))
#define huge_pte_none pte_none
#define huge_pte_dirty pte_dirty
#define huge_pte_write pte_write
#define pte_pfn(p) PFN((p).v)
#define pte_same(a, b) ((a).v == (b).v)
static pte_t pte_advance_pfn(pte_t p, unsigned long n) { p.v += (u64)n << 12; return p; }
#define pte_next_swp_offset(p) pte_advance_pfn(p, 1)
/* blocks of 4, as arm64 has them */
static unsigned int pte_batch_hint(pte_t *p, pte_t v) { return v.v & CONT ? 4 - (((uptr)p >> 3) & 3) : 1; }
#define is_zero_pfn(n) ((n) == ZERO_PFN)
#define is_huge_zero_pmd(p) (PFN(pmd_val(p)) == HZERO_PFN)
#define page_folio(p) ((p)->folio)
#define folio_test_large(f) ((f)->nr > 1)
#define folio_nr_pages(f) ((f)->nr)
#define folio_page_idx(f, p) ((unsigned long)((p) - pages) - (f)->pfn)
static struct page *pfn_to_page(unsigned long n) { CHECK(n < NPG); return pages + n; }
#define pte_page(p) pfn_to_page(pte_pfn(p))

static unsigned long fnp_pfn(u64 v) { return (PFN(v) * 7 + 64) % BIGPG; }
/* what vm_normal_page() says, or -1 */
static long normal_pfn(struct vm_area_struct *vma, unsigned long a, u64 v)
{
	if (v & SPEC)
		return v & FNP ? (long)fnp_pfn(v) : -1;
	if (PFN(v) == ZERO_PFN)
		return -1;
	if (vma->pfnmap && PFN(v) == vma->pgoff + ((a - vma->vm_start) >> 12))
		return -1;
	return PFN(v);
}
static struct page *vm_normal_page(struct vm_area_struct *vma, unsigned long a, pte_t p)
{
	long n = normal_pfn(vma, a, p.v);

	CHECK(a >= vma->vm_start && a < vma->vm_end && (p.v & P));
	return n < 0 ? NULL : pfn_to_page(n);
}
static struct page *normal_huge(u64 v) { CHECK(v & LEAF); return (v & SPEC) || PFN(v) == HZERO_PFN ? NULL : pfn_to_page(PFN(v)); }
#define vm_normal_page_pmd(vma, a, p) normal_huge(pmd_val(p))
#define vm_normal_page_pud(vma, a, p) normal_huge(pud_val(p))

enum { SOFTLEAF_NONE, SOFTLEAF_SWAP, SOFTLEAF_MIGRATION_READ, SOFTLEAF_MIGRATION_READ_EXCLUSIVE,
       SOFTLEAF_MIGRATION_WRITE, SOFTLEAF_DEVICE_PRIVATE_READ, SOFTLEAF_DEVICE_PRIVATE_WRITE,
       SOFTLEAF_DEVICE_EXCLUSIVE, SOFTLEAF_HWPOISON, SOFTLEAF_MARKER };
typedef struct { u64 val; } softleaf_t;
#define softleaf_mk_none() ((softleaf_t){ 0 })
static softleaf_t mk_leaf(u64 v) { CHECK(!(v & P) && (v & NP)); return (softleaf_t){ v }; }
#define softleaf_from_pte(p) mk_leaf((p).v)
#define softleaf_from_pmd(p) mk_leaf(pmd_val(p))
#define softleaf_type(l) ((int)(((l).val >> 4) & 15))
#define softleaf_has_pfn(l) (softleaf_type(l) >= SOFTLEAF_MIGRATION_READ && softleaf_type(l) <= SOFTLEAF_HWPOISON)
#define softleaf_to_page(l) pfn_to_page(PFN((l).val))

#define FPB_MERGE_YOUNG_DIRTY 1
static u64 loose(u64 v) { return v & ~(YOUNG | DIRTY | WR | SD); }
static unsigned int folio_pte_batch_flags(struct folio *f, void *vma, pte_t *p, pte_t *e, unsigned int m, int fl)
{
	pte_t v = *e;
	u64 ad = 0, exp;
	unsigned int n, c;

	CHECK(pte_present(v) && folio_test_large(f) && m >= 1 && pages[PFN(v.v)].folio == f);
	m = min_t(unsigned long, m, f->pfn + f->nr - pte_pfn(v));
	n = pte_batch_hint(p, v);
	exp = loose(v.v) + ((u64)n << 12);
	p += n;
	while (n < m) {
		v = ptep_get(p);
		if (loose(v.v) != exp)
			break;
		if (fl & FPB_MERGE_YOUNG_DIRTY)
			ad |= v.v & AD;
		c = pte_batch_hint(p, v);
		exp += (u64)c << 12;
		p += c;
		n += c;
	}
	e->v |= ad;
	return min(n, m);
}

/* ---- hugetlb ---- */
struct hstate { unsigned long size; };
static struct hstate hst;
#define hstate_vma(v) (&hst)
#define huge_page_size(h) ((h)->size)
#define huge_page_mask(h) (~((h)->size - 1))
#define is_vm_hugetlb_page(v) ((v)->hsize != 0)
static int hlevel(unsigned long sz)
{
	if (sim_ptefill || sz < ESZ(1))
		return 0;
	return LEVELS >= 3 && sz >= ESZ(2) ? 2 : 1;
}
static void vma_pgtable_walk_begin(struct vm_area_struct *v) { CHECK(!nlocks && !maps && !vma_locks); race(); vma_locks++; }
static void vma_pgtable_walk_end(struct vm_area_struct *v) { CHECK(vma_locks == 1 && !immap_locks && !nlocks); vma_locks--; }
static void i_mmap_lock_write(void *m) { CHECK(m == &immap_locks && !nlocks && vma_locks && !immap_locks); immap_locks++; }
static void i_mmap_unlock_write(void *m) { CHECK(m == &immap_locks && immap_locks == 1 && !nlocks); immap_locks--; }
#define process_mm_walk_lock(a, b)
#define process_vma_walk_lock(a, b)
static bool hugetlb_pmd_shared(pte_t *p) { return table_of(p)->level == 1 && (((uptr)p >> 8) & 1); }
/* as huge_pte_offset() in mm/hugetlb.c, and what powerpc, sparc64 make of it */
static pte_t *hugetlb_walk(struct vm_area_struct *vma, unsigned long a, unsigned long sz)
{
	int l = hlevel(sz);
	pgd_t *pgd;
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd;
	pte_t *pte;

	CHECK(vma_locks && !nlocks && !(a & (sz - 1)) && sz == vma->hsize);
	CHECK(a >= vma->vm_start && a < vma->vm_end);
	race();
	pgd = pgd_offset(vma->vm_mm, a);
	if (!pgd_present(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, a);
	if (!p4d_present(*p4d))
		return NULL;
	pud = pud_offset(p4d, a);
	if (l == 2)
		return sim_eim && pud_none(*pud) ? NULL : (pte_t *)pud;
	if (!pud_present(*pud))
		return NULL;
	pmd = pmd_offset(pud, a);
	if (l == 1)
		return sim_eim && pmd_none(*pmd) ? NULL : (pte_t *)pmd;
	if (pmd_none(*pmd))
		return NULL;
	CHECK(ISTBL(pmd_val(*pmd)));
	pte = (pte_t *)TBL(pmd_val(*pmd)) + ((a >> 12) & (NR - 1));
	return sim_eim && !sim_eim_pteptr && pte_none(*pte) ? NULL : pte;
}
static spinlock_t *huge_pte_lock(struct hstate *h, struct mm_struct *mm, pte_t *p)
{
	CHECK(vma_locks && table_of(p)->level == hlevel(h->size));
	return lock_tbl(p);
}
static u64 *raw_entry(unsigned long a, int l);
static u64 gathered(u64 *e, unsigned long sz, int l)
{
	u64 v = *e, k, n = sz >> SHIFT(l), room = NR - (((uptr)e & 255) >> 3);

	if (v & P)
		for (k = 1; k < n && k < room; k++)
			v |= e[k] & AD;
	return v;
}
static pte_t huge_ptep_get(struct mm_struct *mm, unsigned long a, pte_t *p)
{
	int l = hlevel(hst.size);

	CHECK(nlocks == 1 && table_of(p)->lock.held);
	CHECK(!(a & (hst.size - 1)));
	CHECK((u64 *)p == raw_entry(a, l));
	return (pte_t){ gathered((u64 *)p, hst.size, l) };
}

#include "walkh.inc"
#include "walk.inc"

/* ---- naive reader: knows of real levels only ---- */
static u64 *raw_entry(unsigned long a, int l)
{
	u64 *t = root;
	int k;

	for (k = LEVELS - 1; k > l; k--) {
		u64 v = t[(a >> SHIFT(k)) & (NR - 1)];
		if (!ISTBL(v))
			return NULL;
		t = TBL(v);
	}
	return t + ((a >> SHIFT(l)) & (NR - 1));
}
struct rd { unsigned int type; int level; u64 *e, v; long pfn; bool missing; };
static const unsigned int leaftype[16] = { PTW_MARKER, PTW_SWAP, PTW_MIGRATION, PTW_MIGRATION, PTW_MIGRATION,
	PTW_DEVICE_PRIVATE, PTW_DEVICE_PRIVATE, PTW_DEVICE_EXCLUSIVE, PTW_HWPOISON, PTW_MARKER };
static bool has_pfn(unsigned int t) { return t & (PTW_MIGRATION | PTW_DEVICE_PRIVATE | PTW_DEVICE_EXCLUSIVE | PTW_HWPOISON); }
static bool joins(struct vm_area_struct *vma, struct rd *f, struct rd *r, unsigned long i, unsigned int types, unsigned int fl);

static struct rd rd(struct vm_area_struct *vma, unsigned long a, unsigned int types)
{
	struct rd r = { .pfn = -1 };
	unsigned long off = 0, base = a;
	u64 *t = root;
	int k, stop = 0;

	if (vma->hsize) {
		base = a & ~(vma->hsize - 1);
		stop = hlevel(vma->hsize);
	}
	for (k = LEVELS - 1;; k--) {
		r.e = t + ((base >> SHIFT(k)) & (NR - 1));
		r.v = *r.e;
		r.level = k;
		if (k == stop || !ISTBL(r.v))
			break;
		t = TBL(r.v);
	}
	if (vma->hsize) {
		CHECK(k == stop || !r.v);
		r.missing = k != stop || (sim_eim && !r.v && !(sim_eim_pteptr && !stop));
		r.level = stop;
		off = (a - base) >> 12;
		if (!r.missing)
			r.v = gathered(r.e, vma->hsize, stop);
	} else {
		r.missing = !r.v && k;
		off = (a & (ESZ(k) - 1)) >> 12;
	}
	if (!r.v) {
		r.type = PTW_NONE;
	} else if (!(r.v & P)) {
		r.type = leaftype[(r.v >> 4) & 15];
		if (has_pfn(r.type))
			r.pfn = PFN(r.v) + off;
	} else if (vma->hsize) {
		r.type = PTW_FOLIO;
		r.pfn = PFN(r.v) + off;
	} else if (k) {
		r.type = r.v & SPEC ? PTW_SPECIAL : PFN(r.v) == HZERO_PFN ? (k == 1 ? PTW_ZERO : PTW_SPECIAL) : PTW_FOLIO;
		r.pfn = PFN(r.v) + off;
	} else {
		r.pfn = normal_pfn(vma, a, r.v);
		r.type = r.pfn >= 0 ? PTW_FOLIO : PFN(r.v) == ZERO_PFN ? PTW_ZERO : PTW_SPECIAL;
	}
	if ((types & PTW_PRESENT) && (r.type & (PTW_FOLIO | PTW_ZERO | PTW_SPECIAL))) {
		r.type = PTW_PRESENT;
		r.pfn = -1;
	}
	if (!(r.type & (PTW_FOLIO)) && !has_pfn(r.type))
		r.pfn = -1;
	return r;
}

/* May the entry @i behind the first be in the same item? PTEs of one table. */
static bool joins(struct vm_area_struct *vma, struct rd *f, struct rd *r, unsigned long i, unsigned int types, unsigned int fl)
{
	u64 inc = (u64)i << 12;

	switch (f->type) {
	case PTW_FOLIO:
		if ((f->v & SPEC) || !(r->v & P) || i >= folio_nr_pages(pages[f->pfn].folio) - (f->pfn - pages[f->pfn].folio->pfn))
			return false;
		if (fl & (PT_WALK_BATCH_LOOSE | PT_WALK_BATCH_MERGE_AD))
			return loose(r->v) == loose(f->v) + inc;
		return r->v == f->v + inc;
	}
	if (r->type != f->type)
		return false;
	switch (f->type) {
	case PTW_NONE:
	case PTW_PRESENT:
		return true;
	case PTW_ZERO:
	case PTW_MARKER:
		return r->v == f->v;
	case PTW_SPECIAL:
	case PTW_SWAP:
		return r->v == f->v + inc;
	case PTW_HWPOISON:
		return false;
	default:
		return r->v == f->v + inc && pages[f->pfn].folio == pages[r->pfn].folio;
	}
}

/* The end of the item at @a, which is of a type that is wanted. */
static unsigned long item_end(struct vm_area_struct *vma, unsigned long a, unsigned long end, unsigned int types, unsigned int fl, struct rd *f, u64 *merged)
{
	unsigned long n, span;
	struct rd r;

	*merged = f->v;
	if (vma->hsize) {
		unsigned long left = vma->hsize - (a & (vma->hsize - 1));

		n = min(left, end - a);
		span = RT != 2 && f->level == LEVELS - 1 ? ESZ(f->level) : ESZ(f->level + 1);
		/* a folded level is a "table" of one entry, and so is the root below folded ones */
		if (f->level == LEVELS - 1 && LEVELS == 5)
			span = ESZ(5);
		if (f->type == PTW_NONE || (PARENT && f->type == PTW_PRESENT)) {
			while (n < end - a && ((a + n) & (span - 1))) {
				r = rd(vma, a + n, types);
				if (r.type != f->type || r.missing != f->missing)
					break;
				if (!f->missing && sim_eim)
					break;
				/* pages larger than a table come one by one */
				if (vma->hsize >= span)
					break;
				n += min(vma->hsize, end - a - n);
			}
		}
		return a + n;
	}
	n = ESZ(f->level) - (a & (ESZ(f->level) - 1));
	n = min(n, end - a);
	if (f->level)
		return a + n;
	for (n = PAGE_SIZE; n < end - a && ((a + n) & (ESZ(1) - 1)); n += PAGE_SIZE) {
		r = rd(vma, a + n, types);
		if (!joins(vma, f, &r, n >> 12, types, fl))
			break;
		if (f->type == PTW_FOLIO && (fl & PT_WALK_BATCH_MERGE_AD))
			*merged |= r.v & AD;
	}
	return a + n;
}

/* ---- contents ---- */
static bool hugetlb_run;
static struct vm_area_struct *the_vma;

static u64 rnd_bits(void) { return P | (rnd(4) ? 0 : YOUNG) | (rnd(6) ? 0 : DIRTY) | (rnd(4) ? WR : 0) | (rnd(8) ? 0 : SD); }
static void fill_ptes(u64 *t, unsigned long a0)
{
	int i = 0, j;

	if (rnd(30) == 0)
		return;			/* empty table */
	while (i < NR) {
		int n = 1 + rnd(rnd(3) ? NR : 3), k = rnd(16);
		unsigned long pfn = 16 + rnd(BIGPG - 2 * NR - 32);
		u64 b = rnd_bits(), off = rnd(100000);
		bool noise = rnd(3) == 0;

		if (n > NR - i)
			n = NR - i;
		if (rnd(3) == 0)
			pfn = folios[pfn].nr ? pfn : pages[pfn].folio->pfn;
		for (j = 0; j < n; j++) {
			u64 v;

			switch (k) {
			case 0: case 1: case 2:
				v = 0;
				break;
			case 3: case 4: case 5: case 6:
				v = b | (u64)(pfn + j) << 12;
				if (noise && rnd(3) == 0)
					v ^= rnd(2) ? YOUNG : rnd(2) ? DIRTY : rnd(2) ? WR : SD;
				break;
			case 7:		/* PFN as the address says, for pfnmap VMAs */
				v = b | (u64)((the_vma ? the_vma->pgoff + (((unsigned long)(a0 + (i + j) * PAGE_SIZE) - the_vma->vm_start) >> 12) : 5000) % BIGPG) << 12;
				break;
			case 8:
				v = P | (rnd(8) ? SPEC : 0) | (u64)ZERO_PFN << 12;
				break;
			case 9:
				v = P | SPEC | (rnd(10) ? 0 : FNP) | (u64)(j < 5 ? 3 + j : pfn + j) << 12;
				break;
			case 10: case 11:
				v = NP | SOFTLEAF_SWAP << 4 | (noise && !rnd(4) ? SWPX : 0) | (off + j) << 12;
				break;
			case 12: case 13:
				v = NP | (u64)(SOFTLEAF_MIGRATION_READ + (noise ? rnd(3) : 1)) << 4 | (u64)(pfn + j) << 12;
				break;
			case 14:
				v = NP | (u64)(SOFTLEAF_DEVICE_PRIVATE_READ + off % 4) << 4 | (u64)(pfn + j) << 12;
				break;
			default:
				v = NP | SOFTLEAF_MARKER << 4 | (u64)(1 + (noise ? rnd(2) : 0)) << 12;
			}
			t[i + j] = v;
		}
		i += n;
	}
#if BITS >= 2
	/* blocks with the contiguous bit, of one folio */
	for (i = 0; i < NR; i += 4) {
		if (rnd(6) == 0) {
			unsigned long pfn = BIGPG + 4 * rnd((HZERO_PFN - BIGPG) / 4);
			u64 b = rnd_bits() | CONT;

			for (j = 0; j < 4; j++)
				t[i + j] = b | (u64)(pfn + j) << 12;
			if (i >= 4 && rnd(2) && (t[i - 4] & (CONT | P)) == (CONT | P))
				for (j = 0; j < 4; j++)
					t[i + j] = t[i - 4 + j] + (4 << 12);
		}
	}
#endif
}
static u64 rnd_leaf(int level)
{
	unsigned long n = ESZ(level) >> 12, pfn = BIGPG + n * rnd((HZERO_PFN - BIGPG) / n);

	if (level == 1 && rnd(3) == 0)	/* softleaf */
		switch (rnd(3)) {
		case 0: return NP | (u64)(SOFTLEAF_MIGRATION_READ + rnd(3)) << 4 | (u64)pfn << 12;
		case 1: return NP | SOFTLEAF_MARKER << 4 | (u64)(1 + rnd(3)) << 12;
		default: return NP | SOFTLEAF_DEVICE_PRIVATE_READ << 4 | (u64)pfn << 12;
		}
	if (rnd(5) == 0)
		return P | LEAF | YOUNG | (level == 1 ? 0 : SPEC) | (u64)HZERO_PFN << 12;
	return rnd_bits() | LEAF | (rnd(4) ? 0 : SPEC) | (u64)pfn << 12;
}
static void hset(u64 *e, int l, unsigned long sz);
static void build(u64 *t, int level, unsigned long a0, int holes)
{
	int i;

	if (hugetlb_run && level == hlevel(hst.size)) {
		int step = max(1, (int)(hst.size >> SHIFT(level)));
		for (i = 0; i < NR; i += step)
			hset(t + i, level, hst.size);
		return;
	}
	if (!level) {
		fill_ptes(t, a0);
		return;
	}
	for (i = 0; i < NR; i++) {
		int k = rnd(100);

		t[i] = 0;
		if (k < holes)
			continue;
		if (!hugetlb_run && level <= 2 && k < holes + (100 - holes) / (level == 1 ? 3 : 6)) {
			t[i] = rnd_leaf(level);
			continue;
		}
		t[i] = P | (u64)(uptr)table_alloc(level - 1);
		build(TBL(t[i]), level - 1, a0 + i * ESZ(level), holes);
	}
}
static void destroy(u64 *t, int level)
{
	int i;

	for (i = 0; level && i < NR; i++)
		if (ISTBL(t[i]))
			destroy(TBL(t[i]), level - 1);
	table_free(t);
}
/* one huge page */
static void hset(u64 *e, int l, unsigned long sz)
{
	unsigned long n = sz >> 12, i, ne = max(1, (int)(sz >> SHIFT(l))), room = NR - (((uptr)e & 255) >> 3);
	unsigned long pfn = BIGPG + n * rnd((NPG - BIGPG) / n);
	u64 lf = l ? LEAF : 0, v;
	int k = rnd(10);

	if (ne > room)
		ne = room;
	if (k < 4)
		v = 0;
	else if (k < 7)
		v = P | WR * rnd(2) | lf | (u64)pfn << 12;
	else if (k == 7)
		v = NP | (u64)(SOFTLEAF_MIGRATION_READ + rnd(3)) << 4 | (u64)pfn << 12;
	else if (k == 8)
		v = NP | SOFTLEAF_HWPOISON << 4 | (u64)pfn << 12;
	else
		v = NP | SOFTLEAF_MARKER << 4 | (u64)(1 + rnd(2)) << 12;
	for (i = 0; i < ne; i++)
		e[i] = !(v & P) ? v : v + ((u64)(i * (ESZ(l) >> 12)) << 12) + (rnd(6) ? 0 : YOUNG) + (rnd(6) ? 0 : DIRTY);
}

/* What others may do while we hold no page-table lock. */
static bool do_race;
static void race(void)
{
	unsigned long a, lo = the_vma->vm_start, len = the_vma->vm_end - lo;
	u64 *e;

	if (!in_walk || !do_race || rnd(12))
		return;
	CHECK(!nlocks);
	a = cur_w->__next;
	if (rnd(4) == 0)
		a = lo + ((unsigned long)rnd(len >> 12) << 12);
	else
		a += (unsigned long)rnd(rnd(2) ? NR : NR * NR) << 12;
	if (a - BASE >= SPACE || a < lo || a >= lo + len)
		return;
	mutations++;
	if (hugetlb_run) {
		int l = hlevel(hst.size), k;
		u64 *t = root;

		a &= ~(hst.size - 1);
		for (k = LEVELS - 1; k > l; k--) {	/* others fault, and allocate tables */
			e = t + ((a >> SHIFT(k)) & (NR - 1));
			if (!*e)  {
				*e = P | (u64)(uptr)table_alloc(k - 1);
				mark_dirty(a & ~(ESZ(k) - 1), ESZ(k));
			}
			t = TBL(*e);
		}
		hset(t + ((a >> SHIFT(l)) & (NR - 1)), l, hst.size);
		mark_dirty(a, hst.size);
		return;
	}
#if LEVELS >= 3
	if (rnd(4) == 0) {
		e = raw_entry(a, 2);
		if (!e || ISTBL(*e))
			return;
		a &= ~(ESZ(2) - 1);
		mark_dirty(a, ESZ(2));
		if (*e && rnd(2)) {
			*e = 0;
		} else if (rnd(2)) {
			u64 *m = table_alloc(1);

			build(m, 1, a, 40);
			*e = P | (u64)(uptr)m;
		} else {
			while (*e = rnd_leaf(2), !(*e & P))
				;
		}
		return;
	}
#endif
	e = raw_entry(a, 1);
	if (!e)
		return;
	a &= ~(ESZ(1) - 1);
	mark_dirty(a, ESZ(1));
	if (ISTBL(*e))
		table_free(TBL(*e));
	*e = 0;
	switch (rnd(3)) {
	case 0:
		*e = rnd_leaf(1);
		break;
	case 1:
		*e = P | (u64)(uptr)table_alloc(0);
		fill_ptes(TBL(*e), a);
	}
}

/* In the middle of a walk, with nothing held: all may change. */
static void rebuild_top(void)
{
	int i = rnd(NR);
	unsigned long a = BASE + i * ESZ(LEVELS - 1);
	u64 *e = root + i;

	mutations++;
	mark_dirty(a, ESZ(LEVELS - 1));
	if (hugetlb_run && hlevel(hst.size) == LEVELS - 1) {
		i &= ~((int)(hst.size >> SHIFT(LEVELS - 1)) - 1);
		mark_dirty(BASE + i * ESZ(LEVELS - 1), hst.size);
		hset(root + i, LEVELS - 1, hst.size);
		return;
	}
	if (ISTBL(*e))
		destroy(TBL(*e), LEVELS - 2);
	*e = 0;
	if (!hugetlb_run && LEVELS <= 3 && rnd(4) == 0) {
		*e = rnd_leaf(LEVELS - 1);
	} else if (rnd(4)) {
		*e = P | (u64)(uptr)table_alloc(LEVELS - 2);
		build(TBL(*e), LEVELS - 2, a, rnd(50));
	}
}

/* ---- one walk ---- */
static char ctx[600];
static void fail(int line, const char *what)
{
	struct pt_range_walk *w = cur_w;

	fflush(stdout);
	fprintf(stderr, "FAIL line %d: %s\n  LEVELS=%d BITS=%d BASE=%#" PRIx64 " seed=%" PRIu64 " items so far=%" PRIu64 "\n  %s\n",
		line, what, LEVELS, BITS, (u64)BASE, seed0, items_total, ctx);
	if (w)
		fprintf(stderr, "  w: addr=%#" PRIx64 " size=%#" PRIx64 " type=%#x level=%d next=%#" PRIx64 " end=%#" PRIx64
			" pte_end=%#" PRIx64 " pmd_end=%#" PRIx64 " pud_end=%#" PRIx64 " huge_end=%#" PRIx64 " ptl=%p ptep=%p v=%#" PRIx64 "\n",
			(u64)w->addr, (u64)w->size, w->type, w->level, (u64)w->__next, (u64)w->__end, (u64)w->__pte_end,
			(u64)w->__pmd_end, (u64)w->__pud_end, (u64)w->__huge_end, (void *)w->ptl, (void *)w->ptep, w->pte.v);
	_exit(1);
}
#define DIRTYP(a) dirty[((a) - BASE) >> 12]

static bool gap_ok(struct vm_area_struct *vma, unsigned long a, unsigned long end, unsigned int types)
{
	for (; a != end; a += PAGE_SIZE)
		if (!DIRTYP(a) && (rd(vma, a, types).type & types)) {
			fprintf(stderr, "skipped %#" PRIx64 "\n", (u64)a);
			return false;
		}
	return true;
}

static void check_item(struct pt_range_walk *w, unsigned long at, unsigned long s, unsigned long e, unsigned int types, unsigned int fl)
{
	struct vm_area_struct *vma = w->vma;
	unsigned long a, iend = w->addr + w->size;
	struct rd f;
	u64 merged, got;

	items_total++;
	CHECK(w->size && PAGE_ALIGNED(w->size | w->addr));
	CHECK(w->addr >= at && w->addr < e && w->size <= e - w->addr);
	CHECK(w->type && !(w->type & (w->type - 1)) && (types & w->type));
	CHECK(gap_ok(vma, at, w->addr, types));
	f = rd(vma, w->addr, types);
	if (vma->hsize && w->type == PTW_NONE && !w->ptl) {
		/* nothing locked: may be filled meanwhile */
		bool any = false;

		for (a = w->addr; a != iend; a += PAGE_SIZE) {
			struct rd r = rd(vma, a, types);
			any |= DIRTYP(a);
			CHECK(DIRTYP(a) || (r.type == PTW_NONE && r.missing));
		}
		any |= iend != e && DIRTYP(iend);
		CHECK(any || item_end(vma, w->addr, e, types, fl, &f, &merged) == iend);
		CHECK(w->level == hlevel(hst.size));
		f.missing = true;
		f.type = PTW_NONE;
		f.pfn = -1;
		f.v = 0;
	} else {
		bool eimrace = vma->hsize && sim_eim && f.missing && w->ptl;

		if (eimrace) {	/* became empty when already found */
			CHECK(DIRTYP(w->addr));
			f.missing = false;
		}
		CHECK(w->type == f.type);
		CHECK((int)w->level == f.level);
		if (eimrace)
			CHECK(w->size <= hst.size);
		else
			CHECK(item_end(vma, w->addr, e, types, fl, &f, &merged) == iend);
	}
	if (vma->hsize) {
		CHECK(vma_locks == 1 && immap_locks == !!(fl & PT_WALK_I_MMAP_WRITE));
		if ((w->addr & (hst.size - 1)) || (iend & (hst.size - 1)))
			huge_partial++;
		CHECK(pt_range_walk_pmd_shared(w) == (w->ptl && f.level == 1 && hugetlb_pmd_shared((pte_t *)f.e)));
	} else {
		CHECK(!vma_locks && !immap_locks);
	}
	CHECK(maps == (!vma->hsize && f.level == 0));
	got = f.level == 0 ? w->pte.v : f.level == 1 ? pmd_val(w->pmd) : pud_val(w->pud);
	if (f.missing) {
		CHECK(!w->ptl && !nlocks && !w->ptep && !w->pte.v && !pmd_val(w->pmd) && !pud_val(w->pud));
	} else {
		CHECK(w->ptl && nlocks == 1 && w->ptl->held);
		CHECK((f.level == 0 ? (void *)w->ptep : f.level == 1 ? (void *)w->pmdp : (void *)w->pudp) == (void *)f.e);
		CHECK(w->ptl == &table_of(f.e)->lock);
		if (vma->hsize)
			CHECK(got == (f.level ? *f.e : f.v) && w->__hpte.v == f.v);
		else
			CHECK(got == (w->type == PTW_FOLIO ? merged : f.v));
		if (f.v & P) {
			u64 x = vma->hsize ? f.v : got;
			CHECK(pt_range_walk_young(w) == !!(x & YOUNG));
			CHECK(pt_range_walk_dirty(w) == !!(x & DIRTY));
			CHECK(pt_range_walk_write(w) == !!(x & WR));
		}
	}
	CHECK(w->leaf.val == (w->type & PTW_NONPRESENT ? f.v : 0));
	if (f.pfn >= 0) {
		CHECK(w->page == pages + f.pfn && w->folio == pages[f.pfn].folio);
		CHECK(pages[f.pfn + (w->size >> 12) - 1].folio == w->folio);
	} else {
		CHECK(!w->page && !w->folio);
	}
	nt[__builtin_ctz(w->type)]++;
	nl[w->level]++;
	memset(dirty, 0, sizeof(dirty));
}

static void one_walk(struct vm_area_struct *vma)
{
	static const unsigned int sets[] = { PTW_ANY, PTW_ANY_COARSE, PTW_FOLIO, PTW_PRESENT, PTW_NONE, PTW_ANY & ~PTW_NONE, PTW_ANY & ~PTW_FOLIO };
	unsigned long s, e, at, len = (vma->vm_end - vma->vm_start) >> 12;
	unsigned int types = sets[rnd(7)], fl = 0, n = 0, stop = -1u, ppause = rnd(3) ? 0 : 2 + rnd(20);

	if (rnd(3) == 0) {
		types = rnd(2048);
		if (types & PTW_PRESENT)
			types &= ~(PTW_FOLIO | PTW_ZERO | PTW_SPECIAL);
	}
	switch (rnd(4)) {
	case 0: fl = PT_WALK_BATCH_LOOSE; break;
	case 1: fl = PT_WALK_BATCH_MERGE_AD; break;
	}
	if (rnd(3) == 0)
		fl |= PT_WALK_I_MMAP_WRITE;
	if (rnd(2)) {		/* any range, or one between boundaries, or next to these */
		s = rnd(len + 1);
		e = rnd(3) ? s + rnd(rnd(3) ? NR * NR * 3 : 2 * NR) : rnd(len + 1);
		s = vma->vm_start + (s << 12);
		e = e > len ? vma->vm_end : vma->vm_start + (e << 12);
	} else {
		int k = rnd(LEVELS + 1);

		s = vma->vm_start + ((unsigned long)rnd(len) << 12);
		s &= ~(ESZ(k) - 1);
		e = s + rnd(5) * ESZ(rnd(LEVELS + 1));
		if (rnd(3) == 0)
			s += rnd(2) ? PAGE_SIZE : 0 - PAGE_SIZE;
		if (rnd(3) == 0)
			e += rnd(2) ? PAGE_SIZE : 0 - PAGE_SIZE;
		if (s - BASE >= SPACE || s < vma->vm_start || s > vma->vm_end)
			s = vma->vm_start;
		if (e > vma->vm_end || e < s)
			e = vma->vm_end;
	}
	if (rnd(20) == 0)
		s = vma->vm_start, e = vma->vm_end;
	if (s > e) {
		at = s, s = e, e = at;
	}
	if (rnd(4) == 0)
		stop = rnd(20);
	do_race = rnd(3) == 0;
	snprintf(ctx, sizeof(ctx), "%s vma=%#" PRIx64 "-%#" PRIx64 " range=%#" PRIx64 "-%#" PRIx64 " types=%#x flags=%#x race=%d hsize=%#" PRIx64 " eim=%d/%d ptefill=%d walk#%" PRIu64,
		 vma->hsize ? "hugetlb" : "normal", (u64)vma->vm_start, (u64)vma->vm_end, (u64)s, (u64)e, types, fl, do_race,
		 (u64)vma->hsize, sim_eim, sim_eim_pteptr, sim_ptefill, walks_total);
	memset(dirty, 0, sizeof(dirty));
	walks_total++;
	at = s;
	{
		PT_RANGE_WALK(w, vma, s, e, types, fl, PGWALK_RDLOCK);

		cur_w = &w;
		in_walk = 1;
		while (pt_range_walk_next(&w)) {
			in_walk = 0;
			CHECK(n++ < 100000);
			check_item(&w, at, s, e, types, fl);
			at = w.addr + w.size;
			if (n == stop) {
				early++;
				break;
			}
			if (ppause && rnd(ppause) == 0) {
				unsigned long next = at;

				pauses++;
				switch (rnd(5)) {
				case 0: next = w.addr; break;
				case 1: next = w.addr + ((unsigned long)rnd(w.size >> 12) << 12); break;
				case 2:	/* skip ahead, perhaps behind the end */
					next = at + ((unsigned long)rnd(NR * NR) << 12);
					if (next < at)
						next = at;
					break;
				}
				pt_range_walk_pause(&w, next);
				CHECK(!nlocks && !maps && !vma_locks && !immap_locks && !w.folio && !w.page && !w.ptl);
				at = min(next, e);
				if (rnd(3) == 0)
					rebuild_top();
			}
			in_walk = 1;
		}
		in_walk = 0;
		if (n != stop) {
			CHECK(gap_ok(vma, at, e, types) );
			CHECK(!nlocks && !maps && !vma_locks && !immap_locks && !w.ptl);
			if (rnd(4) == 0)
				CHECK(!pt_range_walk_next(&w));
		}
	}
	cur_w = NULL;
	CHECK(!nlocks && !maps && !vma_locks && !immap_locks);
}

static void make_folios(void)
{
	unsigned long i, j, n;

	for (i = 0; i < NPG; i += n) {
		n = i >= BIGPG ? 256 : rnd(3) ? 1 : 1 + rnd(2 * NR);
		if (i < BIGPG && i + n > BIGPG)
			n = BIGPG - i;
		if (i <= 16)
			n = 1;
		folios[i] = (struct folio){ i, n };
		for (j = 0; j < n; j++)
			pages[i + j].folio = &folios[i];
	}
}

int main(int argc, char **argv)
{
	bool huge = argc > 1 && !strcmp(argv[1], "hugetlb");
	u64 want = argc > 2 ? strtoull(argv[2], NULL, 0) : 100000, seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
	int i, sizes = 0;
	u64 persz[8] = { 0 };
	unsigned long hs[8];

	hs[sizes++] = ESZ(0) << (BITS - 1);		/* PTE-contiguous */
	hs[sizes++] = ESZ(1);
	hs[sizes++] = ESZ(1) << 1;
	if (BITS > 2 && (ESZ(1) << (BITS - 1)) >> 12 <= 256)	/* so large is a folio */
		hs[sizes++] = ESZ(1) << (BITS - 1);
	if (LEVELS >= 3) {
		hs[sizes++] = ESZ(2);
		hs[sizes++] = ESZ(2) << 1;
	}
	setrlimit(RLIMIT_CPU, &(struct rlimit){ 600, 600 });
	for (; items_total < want; seed++) {
		struct mm_struct mm;
		struct file file = { &immap_locks };
		struct vm_area_struct vma = { .vm_mm = &mm, .vm_file = &file };
		unsigned long al = PAGE_SIZE, a, b;
		u64 before = items_total;
		int which = 0;

		seed0 = seed;
		rs = seed * 0x9E3779B97F4A7C15ull | 1;
		for (i = 0; i < 5; i++)
			rnd64();
		runs_total++;
		make_folios();
		hugetlb_run = huge;
		sim_eim = sim_eim_pteptr = sim_ptefill = false;
		hst.size = 0;
		if (huge) {
			which = rnd(sizes);
			al = vma.hsize = hst.size = hs[which];
#ifndef NO_EIM
			sim_eim = rnd(2);
#endif
			sim_eim_pteptr = sim_eim && rnd(3) == 0;
			sim_ptefill = rnd(6) == 0;
		} else {
			vma.pfnmap = rnd(4) == 0;
			vma.pgoff = 1000 + rnd(1000);
		}
		a = (unsigned long)rnd(rnd(2) ? NPAGES : NR) << 12;
		b = SPACE - ((unsigned long)rnd(rnd(2) ? NPAGES : NR) << 12);
		if (a > b) {
			unsigned long t = a;
			a = b;
			b = t;
		}
		if (rnd(3) == 0)
			a = 0;
		if (rnd(3) == 0)
			b = SPACE;
		a &= ~(al - 1);
		b &= ~(al - 1);
#ifdef WRAP
		if (b == SPACE)		/* no VMA ends at 0 */
			b -= al;
#endif
		if (a >= b)
			continue;
		vma.vm_start = BASE + a;
		vma.vm_end = BASE + b;
		the_vma = &vma;
		root = table_alloc(LEVELS - 1);
		mm.pgd = (pgd_t *)root;
		build(root, LEVELS - 1, BASE, rnd(3) ? rnd(40) : rnd(100));
		for (i = 0; i < 30; i++)
			one_walk(&vma);
		destroy(root, LEVELS - 1);
		the_vma = NULL;
		persz[which] += items_total - before;
	}
	printf("ok LEVELS=%d BITS=%d%s%s %-7s: items=%" PRIu64 " walks=%" PRIu64 " trees=%" PRIu64 " pauses=%" PRIu64 " early=%" PRIu64 " races=%" PRIu64 " lost=%" PRIu64,
	       LEVELS, BITS,
#ifdef WRAP
	       " WRAP",
#else
	       "",
#endif
	       RT == 1 ? " RT-riscv" : RT == 2 ? " RT-s390" : sizeof(unsigned long) == 4 ? " ULONG32" : "",
	       huge ? "hugetlb" : "normal", items_total, walks_total, runs_total, pauses, early, mutations, nretry);
	printf("\n   none/folio/zero/special/present/swap/migr/devpriv/devexcl/hwpoison/marker:");
	for (i = 0; i < 11; i++)
		printf(" %" PRIu64, nt[i]);
	printf("\n   by level PTE..PGD:");
	for (i = 0; i < 5; i++)
		printf(" %" PRIu64, nl[i]);
	if (huge) {
		printf("; by size");
		for (i = 0; i < sizes; i++)
			printf(" %#" PRIx64 ":%" PRIu64, (u64)hs[i], persz[i]);
		printf("; partial pages %" PRIu64, huge_partial);
	}
	printf("\n");
	return 0;
}
