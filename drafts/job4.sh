#!/bin/bash
cd /tmp/h/answers
[ ! -e b1.log ] || exit 0
export PGTABLE_STACK_LOCKED=$HOME/.cache/pgtable-stack ACCEL=tcg
T='quick 900 stack/same_answers'
{ echo "stack/same_answers $T swap shmem_swap"; echo "stack/r2 $T -s 2 -n 25"; } >l.b1
echo "stack/same_answers $T shmem shmem_swap file" >l.b2
echo "stack/same_answers $T usual referenced child" >l.b3
cd frozen1
KERNEL=/tmp/sa/k/break1.bz ci/guest answers debug ../l.b1 ../b1 > ../b1.log 2>&1
cd ../frozen2; BROKEN=/tmp/sa/k/break1.bz ci/answers -s 2 -n 25 > ../shrink.log 2>&1
cd ../frozen1
for b in 2 3; do KERNEL=/tmp/sa/k/break$b.bz ci/guest answers debug ../l.b$b ../b$b > ../b$b.log 2>&1; done
ci/answers hugetlb_1g fs_dax dev_dax > ../pmem.log 2>&1
