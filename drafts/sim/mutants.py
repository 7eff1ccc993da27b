#!/usr/bin/env python3
"""Does the simulation notice bugs in the walker? One edit each of ext-head/walk.inc."""
import os, shutil, subprocess, sys
os.chdir('/tmp/helpers/sim')
src = open('ext-head/walk.inc').read()
M = [
 ('p4d end not inside pgd end', 'next = p4d_addr_end(addr, next);', 'next = p4d_addr_end(addr, w->__end);', 4, 'normal', ''),
 ('hugetlb: no pgd end', '	end = pgd_addr_end(addr, end);\n', '', 3, 'hugetlb', ''),
 ('hugetlb: no p4d end', '	end = p4d_addr_end(addr, end);\n', '', 5, 'hugetlb', ''),
 ('hugetlb: no pud end', '	end = pud_addr_end(addr, end);\n', '', 4, 'hugetlb', ''),
 ('puds not entry 0', 'pud_offset(p4dp, addr) - pud_index(addr)', 'pud_offset(p4dp, addr)', 4, 'normal', ''),
 ('pmds not entry 0', 'pmd_offset(pudp, addr) - pmd_index(addr)', 'pmd_offset(pudp, addr)', 3, 'normal', ''),
 ('pmd end not inside table', 'next = pmd_addr_end(addr, w->__pmd_end);', 'next = pmd_addr_end(addr, w->__end);', 2, 'normal', ''),
 ('pud end not inside table', 'next = pud_addr_end(addr, w->__pud_end);', 'next = pud_addr_end(addr, w->__end);', 3, 'normal', ''),
 ('hugetlb: empty-is-missing ignored', 'HUGETLB_EMPTY_IS_MISSING ? next : tbl_end', 'tbl_end', 3, 'hugetlb', ''),
 ('pause keeps pud table', '	w->__pud_end = 0;\n', '', 5, 'normal', ''),
 ('lock kept over PMD tables', '				pt_range_walk_leave_table(w);\n				w->__pmd_end = 0;\n				cond_resched();', '				w->__pmd_end = 0;', 3, 'normal', ''),
 ('lock kept over PUD tables', '		pt_range_walk_leave_table(w);\n		cond_resched();\n		level = ', '		level = ', 4, 'normal', ''),
 ('level of folded p4d', '		level = PGTABLE_LEVEL_P4D;\n', '', 4, 'normal', ''),
 ('page inside of PUD leaf', '((addr & ~PUD_MASK) >> PAGE_SHIFT)', '0', 3, 'normal', ''),
 ('addr end wraps', 'return boundary - 1 < end - 1 ? boundary : end;', 'return boundary <= end ? boundary : end;', 3, 'hugetlb', '-DWRAP -DULONG32'),
]
for name, a, b, lv, mode, fl in M[int(sys.argv[1]) if len(sys.argv) > 1 else 0:]:
    assert src.count(a) == 1, (name, src.count(a))
    shutil.rmtree('ext-mut', ignore_errors=True); shutil.copytree('ext-head', 'ext-mut')
    open('ext-mut/walk.inc', 'w').write(src.replace(a, b))
    subprocess.run(['./build.sh', 'ext-mut', 'bin-mut', f'-DLEVELS={lv}', '-DBITS=2'] + fl.split(), check=True, stderr=subprocess.DEVNULL)
    r = subprocess.run(['nice', '-n', '19', './bin-mut', mode, '20000'], capture_output=True, text=True, timeout=900)
    out = (r.stderr + r.stdout).strip().split('\n')
    w = next((l for l in out if 'FAIL' in l or 'ERROR' in l or 'runtime error' in l), out[0])
    print('caught ' if r.returncode else 'MISSED ', f'L{lv} {mode}: {name}: {w[:110]}', flush=True)
