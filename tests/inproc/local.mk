# SPDX-License-Identifier: LGPL-2.1-or-later
# The whole driver in one process with a simulated reader instead of USB: for sanitizers, valgrind and many threads.

check_PROGRAMS += tests/inproc/stress
tests_inproc_stress_SOURCES = tests/inproc/inproc.c tests/inproc/inproc.h tests/inproc/stress.c
tests_inproc_stress_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_inproc_stress_CFLAGS = $(AM_CFLAGS) $(PCSC_CFLAGS)
tests_inproc_stress_LDADD = src/libifd.la src/libcore.la tests/sim/libsimreader.la
