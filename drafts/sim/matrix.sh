#!/bin/sh
# matrix.sh <extdir> <items normal> <items hugetlb> <seed>
cd /tmp/helpers/sim; E=$1; trap "rm -f bin-m$$" EXIT
for l in ${LV:-2 3 4 5}; do for b in 2 3 5; do
 [ $b = 5 ] && [ $l -gt 2 ] && continue
 n=0
 for w in "" -DWRAP "-DWRAP -DULONG32"; do
  ./build.sh $E bin-m$$ -DLEVELS=$l -DBITS=$b $w $5 || echo "BUILD FAILED"
  for m in normal hugetlb; do
   [ $m = normal ] && c=$2 || c=$3
   nice -n 19 ./bin-m$$ $m $c $4 2>&1 | head -8 | cut -c1-400
  done
 done; done; done
