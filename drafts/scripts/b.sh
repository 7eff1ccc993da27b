#!/bin/bash
# b.sh [-c] cfg...   : subset build of the current worktree; -c: (re)configure
C=~/.cache/pgtable-stack; export CCACHE_DIR=$C/ccache
SRC=${SRC:-$C/part1}; R=/work/shared/recipes; L=/tmp/part1/log; mkdir -p $L
[ "$1" = -c ] && { conf=1; shift; }
rcall=0
for cfg; do
  frag=(); extra=; llvm=; mm=$R/mm.config
  case $cfg in
  x86_64) a=x86_64 d=x86 cc=gcc; extra="64BIT=y MEMORY_HOTPLUG=y MEMORY_HOTREMOVE=y ZONE_DEVICE=y DEVICE_PRIVATE=y SPARSEMEM_VMEMMAP=y PCI=y ACPI=y X86_LOCAL_APIC=y";;
  x86_64-rt) a=x86_64 d=x86 cc=gcc; extra="64BIT=y MEMORY_HOTPLUG=y MEMORY_HOTREMOVE=y ZONE_DEVICE=y DEVICE_PRIVATE=y PROVE_LOCKING=y DEBUG_SPINLOCK=y MEM_ALLOC_PROFILING=y PREEMPT_RT=y PAGE_TABLE_CHECK=y";;
  x86_64-xen) a=x86_64 d=x86 cc=gcc; extra="64BIT=y PARAVIRT=y HYPERVISOR_GUEST=y XEN=y XEN_PV=y PROVE_LOCKING=y MEM_ALLOC_PROFILING=y";;
  i386-nopae) a=i386 d=x86 cc=i686-linux-gnu-; frag=($R/i386-nopae.config); extra="HIGHPTE=y";;
  i386-pae) a=i386 d=x86 cc=i686-linux-gnu-; frag=($R/i386-pae.config); extra="HIGHMEM64G=y HIGHPTE=y";;
  s390) a=s390 d=s390 cc=s390x-linux-gnu-; frag=($R/s390.config);;
  s390-dbg) a=s390 d=s390 cc=s390x-linux-gnu-; frag=($R/s390.config); extra="PROVE_LOCKING=y MEM_ALLOC_PROFILING=y";;
  ppc64le) a=powerpc d=powerpc cc=powerpc64le-linux-gnu-; frag=($R/ppc64le-64k.config);;
  ppc64-4k) a=powerpc d=powerpc cc=powerpc64-linux-gnu-; frag=($R/ppc64-4k.config);;
  ppc32-*) a=powerpc d=powerpc cc=powerpc-linux-gnu-; frag=($R/$cfg.config);;
  sparc64) a=sparc64 d=sparc cc=sparc64-linux-gnu-; frag=($R/sparc64.config);;
  sparc64-up) a=sparc64 d=sparc cc=sparc64-linux-gnu-; frag=($R/sparc64.config); extra="SMP=n";;
  sparc32) a=sparc d=sparc cc=sparc64-linux-gnu-; frag=($R/sparc32.config);;
  m68k) a=m68k d=m68k cc=m68k-linux-gnu-; frag=($R/m68k-virt.config);;
  m68k-mcf) a=m68k d=m68k cc=m68k-linux-gnu-; extra="MMU=y COLDFIRE=y M547x=y CLOCK_FREQ=266000000";;
  m68k-sun3) a=m68k d=m68k cc=m68k-linux-gnu-; extra="MMU=y M68KCLASSIC=y SUN3=y";;
  m68k-nommu) a=m68k d=m68k cc=m68k-linux-gnu-; extra="MMU=n COLDFIRE=y M5208=y";;
  arm64) a=arm64 d=arm64 cc=aarch64-linux-gnu-; frag=($R/arm64.config); extra="MEMORY_HOTPLUG=y MEMORY_HOTREMOVE=y ZONE_DEVICE=y DEVICE_PRIVATE=y";;
  arm64-64k) a=arm64 d=arm64 cc=aarch64-linux-gnu-; frag=($R/arm64-64k.config);;
  arm64-16k) a=arm64 d=arm64 cc=aarch64-linux-gnu-; extra="64BIT=y ARM64_16K_PAGES=y";;
  arm-lpae) a=arm d=arm cc=arm-linux-gnueabihf-; frag=($R/arm-lpae.config); extra="HIGHMEM=y HIGHPTE=y";;
  arm-nolpae) a=arm d=arm cc=arm-linux-gnueabihf-; frag=($R/arm-nolpae.config); extra="HIGHMEM=y HIGHPTE=y";;
  riscv64) a=riscv d=riscv cc=riscv64-linux-gnu-; frag=($R/riscv64.config);;
  mips) a=mips d=mips cc=mips64el-linux-gnuabi64-; frag=($R/mips-malta.config);;
  parisc64) a=parisc d=parisc cc=hppa64-linux-gnu-; frag=($R/parisc64.config);;
  alpha) a=alpha d=alpha cc=alpha-linux-gnu-;;
  sh4) a=sh d=sh cc=sh4-linux-gnu-; frag=($R/sh4.config);;
  arc) a=arc d=arc cc=arc-linux-gnu-; frag=($R/arc.config);;
  um) a=um d=um cc=gcc;;
  loongarch) a=loongarch d=loongarch llvm=${LLVMV:-1}; frag=($R/loongarch.config);;
  hexagon) a=hexagon d=hexagon llvm=${LLVMV:-1};;
  *) echo "?? $cfg"; exit 2;;
  esac
  O=$C/obj-p1-$cfg; mk=(nice -n 10 make -s -j2 -C $SRC O=$O ARCH=$a)
  if [ -n "$llvm" ]; then mk+=(LLVM=$llvm); elif [ $cc = gcc ]; then mk+=("CC=ccache gcc"); else mk+=(CROSS_COMPILE=$cc "CC=ccache ${cc}gcc"); fi
  if [ -n "$conf" ] || [ ! -f $O/.config ]; then
    mkdir -p $O; f=/tmp/part1/frag-$cfg; : >$f
    for e in $extra; do case $e in *=n) echo "# CONFIG_${e%=n} is not set";; *) echo "CONFIG_$e";; esac; done >$f
    { "${mk[@]}" tinyconfig && (cd $O && $SRC/scripts/kconfig/merge_config.sh -m -O $O .config $mm "${frag[@]}" $f) && "${mk[@]}" olddefconfig; } >$L/$cfg.conf 2>&1 || { echo "$cfg CONFIG FAILED"; rcall=1; continue; }
  fi
  has() { grep -q "^CONFIG_$1=y" $O/.config; }
  objs=(kernel/fork.o)
  if has MMU; then objs+=(mm/pgtable-generic.o mm/memory.o mm/mremap.o mm/mmu_gather.o mm/filemap.o fs/proc/task_mmu.o)
  else objs+=(mm/nommu.o mm/filemap.o); fi
  has TRANSPARENT_HUGEPAGE && objs+=(mm/huge_memory.o mm/khugepaged.o)
  has DEBUG_VM_PGTABLE && objs+=(mm/debug_vm_pgtable.o)
  has DEVICE_MIGRATION && objs+=(mm/migrate_device.o)
  has HUGETLB_PAGE && objs+=(mm/hugetlb.o)
  [ $cfg = um ] && objs+=(arch/um/kernel/) || objs+=(arch/$d/mm/)
  has XEN_PV && objs+=(arch/x86/xen/)
  [ -n "$OBJS" ] && objs=($OBJS)
  s=$(date +%s)
  "${mk[@]}" ${KFLAGS} "${objs[@]}" >$L/$cfg.log 2>&1; rc=$?
  w=$(grep -c "warning:" $L/$cfg.log)
  printf '%-12s %s warnings=%s %ss objs=%s\n' $cfg $([ $rc = 0 ] && echo OK || echo FAIL) $w $(( $(date +%s)-s )) ${#objs[@]}
  [ $rc = 0 ] || { rcall=1; grep -E "error|Error" $L/$cfg.log | head -5; }
done
exit $rcall
