#!/bin/bash
echo "### $(git log -1 --format='%h %s')"
/tmp/part1/b.sh ${CFGS:-x86_64 s390 ppc64le sparc64 m68k arm64 arm-lpae m68k-sun3}
