#!/bin/sh
# the code before e99a78f: with PTW_PRESENT of hugetlb merged (-DPARENT), without empty-is-missing
cd /tmp/helpers/sim
for b in 3 2; do for l in 5 4 3 2; do for w in "" -DWRAP; do
 ./build.sh ext-parent bin-parent -DPARENT=1 -DNO_EIM -DLEVELS=$l -DBITS=$b $w
 for m in normal hugetlb; do echo "== PARENT LEVELS=$l BITS=$b $w $m"; nice -n 19 ./bin-parent $m 30000 2>&1 | head -5 | cut -c1-330; done; done; done; done
./build.sh ext-parent bin-parent -DPARENT=1 -DLEVELS=5 -DBITS=3; echo "== PARENT LEVELS=5 hugetlb, with empty-is-missing"; nice -n 19 ./bin-parent hugetlb 30000 2>&1 | head -4
