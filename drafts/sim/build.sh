#!/bin/sh
# build.sh <extdir> <out> flags...
E=$1; O=$2; shift 2
cd /tmp/helpers/sim && exec nice -n 19 gcc -std=gnu11 -O1 -g -Wall -Wno-unused -fno-strict-aliasing -fsanitize=address,undefined -fno-sanitize-recover=undefined -I$E "$@" -o $O fold-sim.c
