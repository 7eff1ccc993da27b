#!/bin/bash
C=~/.cache/pgtable-stack; SRC=$C/part1; R=/work/shared/recipes; L=/tmp/p1b/log
for a; do O=$C/obj-p1-$a; export TARCH=$a; mkdir -p $O
mk=(nice -n 19 make -s -j1 -C $SRC O=$O ARCH=$a CC=/tmp/p1b/ccwrap CROSS_COMPILE=powerpc-linux-gnu-)
if [ ! -f $O/.config ]; then f=(); [ -f $R/$a.config ] && f=($R/$a.config)
 { "${mk[@]}" tinyconfig && (cd $O && $SRC/scripts/kconfig/merge_config.sh -m -O $O .config $R/mm.config "${f[@]}") && "${mk[@]}" olddefconfig; } >$L/$a.conf 2>&1 || { echo $a CONF; tail -5 $L/$a.conf; continue; }; fi
objs=${OBJS:-kernel/fork.o mm/pgtable-generic.o mm/memory.o mm/mremap.o mm/mmu_gather.o $(grep -q ^CONFIG_DEBUG_VM_PGTABLE=y $O/.config && echo mm/debug_vm_pgtable.o) arch/$a/mm/}
"${mk[@]}" -k $objs >$L/$a.log 2>&1; rc=$?
echo "$a rc=$rc warnings=$(grep -c warning: $L/$a.log) errors=$(grep -c error: $L/$a.log)"; grep -E "error:|Error " $L/$a.log | head -${E:-6}
done
