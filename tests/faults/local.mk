# SPDX-License-Identifier: LGPL-2.1-or-later
# Every fault at every message of every operation. "make check" takes a sample, "make check-faults" all of it and pairs of faults.

check_PROGRAMS += tests/faults/matrix
tests_faults_matrix_SOURCES = \
	tests/faults/bench.c tests/faults/bench.h \
	tests/faults/faults.c tests/faults/faults.h \
	tests/faults/faulty.c tests/faults/faulty.h \
	tests/faults/matrix.c
tests_faults_matrix_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_faults_matrix_LDADD = src/libcore.la tests/sim/libsimreader.la

check-faults: tests/faults/matrix
	tests/faults/matrix --all

.PHONY: check-faults
