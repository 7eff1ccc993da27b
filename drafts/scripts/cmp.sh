#!/bin/bash
# cmp.sh cfg... : W=1 sparse logs and disassembly, base against part1
cd ~/.cache/pgtable-stack/part1
O='kernel/fork.o mm/pgtable-generic.o mm/memory.o mm/mremap.o mm/mmu_gather.o mm/hugetlb.o mm/huge_memory.o mm/khugepaged.o mm/debug_vm_pgtable.o'
O2='kernel/fork.o mm/pgtable-generic.o mm/memory.o mm/mremap.o mm/mmu_gather.o mm/debug_vm_pgtable.o'
for v in base part1; do
  git checkout -q $([ $v = base ] && echo 85205dd229b0 || echo part1)
  for c; do
    o=$O; case $c in m68k*|arm-nolpae) o=$O2;; esac
    OBJS="$o" KFLAGS="W=1 C=2 CHECK=/tmp/part1/sp" /tmp/part1/b.sh $c
    cp /tmp/part1/log/$c.log /tmp/part1/log/$c.$v.w1
    od=objdump; case $c in s390) od=s390x-linux-gnu-objdump;; arm*) od=arm-linux-gnueabihf-objdump;; m68k*) od=m68k-linux-gnu-objdump;; arm64) od=aarch64-linux-gnu-objdump;; esac
    for f in $o; do $od -dr --no-show-raw-insn ~/.cache/pgtable-stack/obj-p1-$c/$f | sed 's/^.*file format.*//' > /tmp/part1/log/$c.$v.$(basename $f).dis; done
  done
done
for c; do
  n() { sed -E 's/:[0-9]+(:[0-9]+)?:/:N:/g' $1 | grep -E "warning|error" | sort; }
  echo "== $c: new warnings:"; diff <(n /tmp/part1/log/$c.base.w1) <(n /tmp/part1/log/$c.part1.w1) | grep '^>'
  for f in /tmp/part1/log/$c.base.*.dis; do g=${f/.base./.part1.}; cmp -s $f $g && echo "$c $(basename $f .dis) identical" || echo "$c $(basename $f .dis) differs: $(diff $f $g | grep -c '^[<>]') lines"; done
done
