cd ~/.cache/pgtable-stack/part1
for c in x86_64 s390 sparc64 arm-lpae; do
case $c in x86_64) o="arch/x86/mm/pgtable.o";; s390) o="arch/s390/mm/pgtable.o arch/s390/mm/pgalloc.o arch/s390/mm/vmem.o";; sparc64) o="arch/sparc/mm/init_64.o arch/sparc/mm/tlb.o";; arm-lpae) o="arch/arm/mm/pgd.o";; esac
OBJS="mm/pgtable-generic.o mm/memory.o $o" KFLAGS="W=1 C=2 CHECK=/tmp/part1/sp" /tmp/p1b/b.sh $c; cp /tmp/p1b/log/$c.log /tmp/p1b/log/$c.w1.$1
done
