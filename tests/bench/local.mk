# SPDX-License-Identifier: LGPL-2.1-or-later
# What the operations of a driver cost, counted; see doc/performance.md.

if HAVE_UMOCKDEV
if !WITH_TSAN
noinst_PROGRAMS += tests/bench/host
noinst_LTLIBRARIES += tests/bench/libcount.la
endif
endif

# Both are loaded beside somebody else's code: no sanitizer in them.
tests_bench_host_SOURCES = tests/bench/host.c
tests_bench_host_CFLAGS = $(WARN_CFLAGS) $(PCSC_CFLAGS) $(PTHREAD_CFLAGS)
tests_bench_host_LDFLAGS = $(PTHREAD_CFLAGS) -export-dynamic
tests_bench_host_LDADD = $(DL_LIBS)
tests_bench_libcount_la_SOURCES = tests/bench/count.c tests/bench/count.h
tests_bench_libcount_la_CFLAGS = $(WARN_CFLAGS) -U_FORTIFY_SOURCE -fvisibility=hidden -fno-builtin
tests_bench_libcount_la_LDFLAGS = -module -avoid-version -shared -rpath $(abs_builddir)/tests/bench
tests_bench_libcount_la_LIBADD = $(DL_LIBS)

check_SCRIPTS += tests/bench/test-counts.sh

EXTRA_DIST += \
	tests/bench/counts.json \
	tests/bench/guard.py \
	tests/bench/play.py \
	tests/bench/test-counts.sh \
	tests/bench/bench.py \
	tests/bench/client.py \
	tests/bench/inside.py \
	tests/bench/measure.py \
	tests/bench/report.py \
	tests/bench/scenes.py

# Both drivers in turn, paired; takes minutes. BENCH=--scene=tpdu-t0 for a part of it.
if HAVE_UMOCKDEV
bench: all
	top_builddir='$(abs_top_builddir)' top_srcdir='$(abs_top_srcdir)' \
		python3 -B $(srcdir)/tests/bench/bench.py --json bench.json --chart performance.svg $(BENCH)
else
bench:
	@echo "make bench needs the simulator: install umockdev and configure again" >&2; exit 1
endif

# The table that test-counts.sh compares with.
bench-counts: all
	top_builddir='$(abs_top_builddir)' top_srcdir='$(abs_top_srcdir)' \
		python3 -B $(srcdir)/tests/bench/guard.py --update $(srcdir)/tests/bench/counts.json

.PHONY: bench bench-counts
