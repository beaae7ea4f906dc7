# SPDX-License-Identifier: LGPL-2.1-or-later

# ---- the readers' data ----
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_reader_file tests/unit/test_readers
tests_unit_test_reader_file_SOURCES = tests/unit/test_reader_file.c tests/unit/check.h
tests_unit_test_reader_file_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_reader_file_LDADD = src/libcore.la $(CMOCKA_LIBS)
tests_unit_test_readers_SOURCES = tests/unit/test_readers.c tests/unit/check.h
tests_unit_test_readers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_readers_LDADD = src/libcore.la $(CMOCKA_LIBS)
endif
