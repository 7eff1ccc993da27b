# The front door: every target is a script in ci/, which does the work.

TESTS ?= quick
# Kernel developers have it in their environment, for other ends.
ifeq ($(origin ARCH),environment)
ARCH :=
endif
export LINUX TESTS STRESS DRY MIRROR KEYRING SIGNOFF ASSISTED_BY PATCH CHECKS SHARD MINUTES ROWS

.PHONY: help run shell about check deps fetch apply applies export build matrix each-patch shards report bench baseline \
	answers coccicheck cover send posted rebase clean
.NOTPARALLEL:
help:
	@echo 'make run          fetch the base, apply the stack, build, boot, test: a table'
	@echo 'make shell        boot the patched kernel to a prompt on this terminal'
	@echo 'make check        all that, and checks the stack and its scripts: what CI runs'
	@echo
	@echo 'make deps         install the Debian packages that make check lacks, no more'
	@echo 'make fetch        fetch the base tree (series says which) into the cache'
	@echo 'make applies      does every patch apply? within seconds, without a build'
	@echo 'make apply        put the stack into a git worktree, a commit per patch'
	@echo 'make export       write the commits of that worktree to patches/, series'
	@echo 'make build        build the patched kernel, and the tests (CONFIG= or ARCH=)'
	@echo 'make matrix       build, check and boot it for each architecture: a table'
	@echo 'make each-patch       does each patch build, boot, keep quiet by itself? (hours)'
	@echo 'make shards       names the parts that "make each-patch SHARD=" can do, as JSON'
	@echo 'make report       all results there are, as a text'
	@echo 'make bench        what the stack costs in instructions, text, locks'
	@echo 'make baseline     run the tests on the unpatched base, keep what they say'
	@echo 'make answers      compare what smaps, mincore, ... say; ARGS: same_answers.c'
	@echo 'make coccicheck   run the rules of coccinelle/ on the patched tree'
	@echo 'make cover PART=1 print its cover letter, figures filled in'
	@echo 'make send PART=1a make the messages of that posting, signed off, and stop'
	@echo 'make posted       keep in posted/ what was sent since'
	@echo 'make rebase BASE= carry the stack over to another base (or LINUX= BASE=)'
	@echo 'make clean        remove worktrees, objects and results from the cache'
	@echo
	@echo 'LINUX=PATH        stand on this git tree (mm-unstable, ...) instead of the base'
	@echo 'ARCH=ROW          a row of ci/data/arches (arm64, ...); several for matrix, each-patch'
	@echo 'PATCH=12|3-7|GLOB for each-patch: these patches only'
	@echo 'SHARD=NAME        for each-patch: this part only, one of make shards'
	@echo 'ROWS=DIR          for each-patch and report: also the rows of other machines, *.tsv'
	@echo 'CONFIG=debug|fast|mm-ci  for run, shell, build, baseline: see configs/ (debug)'
	@echo 'DRY=1             for run: print the QEMU command line, boot nothing'
	@echo 'TESTS=all|REGEX   all tests, or those whose name in ci/data/tests matches'
	@echo 'STRESS=SECONDS    how long stack/walk_stress runs (30)'
	@echo 'XDG_CACHE_HOME    where the cache is: $${XDG_CACHE_HOME:-~/.cache}/pgtable-stack'

run: about run-deps fetch apply
	@CONFIG=$(CONFIG) ci/ktest stack

shell: about run-deps fetch apply
	@CONFIG=$(CONFIG) ci/ktest build
	@ci/guest --shell stack $(or $(CONFIG),debug)

about:
	@CONFIG=$(CONFIG) ci/ktest about

check: deps
	@ci/deps send
	@ci/check

baseline: run-deps fetch
	@CONFIG=$(CONFIG) ci/ktest base

bench: run-deps fetch apply
	@CONFIG=$(CONFIG) ci/bench

answers: run-deps fetch apply
	@ci/answers $(ARGS)

build: run-deps fetch apply
	@$(if $(ARCH),ci/deps matrix && ci/build stack $(ARCH),CONFIG=$(CONFIG) ci/ktest build)

matrix: matrix-deps fetch apply
	@ci/matrix $(ARCH)

each-patch: matrix-deps fetch apply
	@ci/each-patch $(ARCH)

# Nothing but the list on its output.
shards:
	@{ ci/deps && ci/fetch && ci/apply; } >&2
	@ci/each-patch --shards

cover: apply
	@ci/report --cover $(PART)

send: apply send-deps
	@ci/send $(PART)

rebase: apply-deps
	@BASE='$(BASE)' ci/rebase

# What a fresh machine lacks may be what fetching takes. From LINUX= nothing is.
fetch: $(if $(LINUX),,apply-deps)
report cover: apply-deps
coccicheck: deps
posted: fetch
applies apply: fetch
coccicheck report: apply
%-deps:
	@ci/deps $*
deps fetch apply applies export coccicheck posted report clean:
	@ci/$@
