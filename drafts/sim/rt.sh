#!/bin/sh
# levels folded at run time: riscv (PGDIR_SHIFT follows), s390 (constants as for five levels)
cd /tmp/helpers/sim
for rt in 1 2; do for l in 3 4; do
 ./build.sh ext-head bin-rt -DLEVELS=$l -DBITS=2 -DRT=$rt $([ $l = 4 ] && echo -DWRAP)
 for m in normal hugetlb; do nice -n 19 ./bin-rt $m 15000 5000 2>&1 | head -5 | cut -c1-400; done
done; done
