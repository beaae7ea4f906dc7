# SPDX-License-Identifier: LGPL-2.1-or-later
# The whole driver in one process with a simulated reader instead of USB: for sanitizers, valgrind and many threads.

check_PROGRAMS += tests/inproc/stress
tests_inproc_stress_SOURCES = tests/inproc/inproc.c tests/inproc/inproc.h tests/inproc/stress.c src/usb/devname.c
tests_inproc_stress_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_inproc_stress_CFLAGS = $(AM_CFLAGS) $(PCSC_CFLAGS)
tests_inproc_stress_LDADD = src/libifd.la src/libcore.la tests/sim/libsimreader.la

check_PROGRAMS += tests/inproc/storm
tests_inproc_storm_SOURCES = tests/inproc/inproc.c tests/inproc/inproc.h tests/inproc/left.h tests/inproc/storm.c src/usb/devname.c
tests_inproc_storm_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_inproc_storm_CFLAGS = $(AM_CFLAGS) $(PCSC_CFLAGS)
tests_inproc_storm_LDADD = src/libifd.la src/libcore.la tests/sim/libsimreader.la

check_PROGRAMS += tests/inproc/cycles
tests_inproc_cycles_SOURCES = tests/inproc/inproc.c tests/inproc/inproc.h tests/inproc/left.h tests/inproc/cycles.c src/usb/devname.c
tests_inproc_cycles_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_inproc_cycles_CFLAGS = $(AM_CFLAGS) $(PCSC_CFLAGS)
tests_inproc_cycles_LDADD = src/libifd.la src/libcore.la tests/sim/libsimreader.la

# With ThreadSanitizer: what has threads, and the unit tests of what they share.
check-threads: $(BUILT_SOURCES)
	$(MAKE) check-TESTS TESTS="$(filter tests/inproc/% tests/unit/test_slot_% tests/unit/test_dispatch,$(check_PROGRAMS))"

.PHONY: check-threads

# Every entry point; the linker lets the tests count what is allocated.
IFD_BENCH = \
	tests/inproc/ifd_bench.c tests/inproc/ifd_bench.h \
	tests/inproc/inproc.c tests/inproc/inproc.h \
	tests/unit/check.h src/usb/devname.c
IFD_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
IFD_CFLAGS = $(AM_CFLAGS) $(PCSC_CFLAGS) $(CMOCKA_CFLAGS)
IFD_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=free
IFD_LDADD = src/libifd.la src/libcore.la tests/sim/libsimreader.la $(CMOCKA_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += \
	tests/inproc/test_attributes \
	tests/inproc/test_ifd \
	tests/inproc/test_ifd_card \
	tests/inproc/test_ifd_pin \
	tests/inproc/test_secrets \
	tests/inproc/test_slots \
	tests/inproc/test_unplug
endif

tests_inproc_test_attributes_SOURCES = tests/inproc/test_attributes.c $(IFD_BENCH)
tests_inproc_test_attributes_CPPFLAGS = $(IFD_CPPFLAGS)
tests_inproc_test_attributes_CFLAGS = $(IFD_CFLAGS)
tests_inproc_test_attributes_LDFLAGS = $(IFD_LDFLAGS)
tests_inproc_test_attributes_LDADD = $(IFD_LDADD)
tests_inproc_test_ifd_SOURCES = tests/inproc/test_ifd.c $(IFD_BENCH)
tests_inproc_test_ifd_CPPFLAGS = $(IFD_CPPFLAGS)
tests_inproc_test_ifd_CFLAGS = $(IFD_CFLAGS)
tests_inproc_test_ifd_LDFLAGS = $(IFD_LDFLAGS)
tests_inproc_test_ifd_LDADD = $(IFD_LDADD)
tests_inproc_test_ifd_card_SOURCES = tests/inproc/test_ifd_card.c $(IFD_BENCH)
tests_inproc_test_ifd_card_CPPFLAGS = $(IFD_CPPFLAGS)
tests_inproc_test_ifd_card_CFLAGS = $(IFD_CFLAGS)
tests_inproc_test_ifd_card_LDFLAGS = $(IFD_LDFLAGS)
tests_inproc_test_ifd_card_LDADD = $(IFD_LDADD)
tests_inproc_test_ifd_pin_SOURCES = tests/inproc/test_ifd_pin.c $(IFD_BENCH)
tests_inproc_test_ifd_pin_CPPFLAGS = $(IFD_CPPFLAGS)
tests_inproc_test_ifd_pin_CFLAGS = $(IFD_CFLAGS)
tests_inproc_test_ifd_pin_LDFLAGS = $(IFD_LDFLAGS)
tests_inproc_test_ifd_pin_LDADD = $(IFD_LDADD)
tests_inproc_test_slots_SOURCES = tests/inproc/test_slots.c $(IFD_BENCH)
tests_inproc_test_slots_CPPFLAGS = $(IFD_CPPFLAGS)
tests_inproc_test_slots_CFLAGS = $(IFD_CFLAGS)
tests_inproc_test_slots_LDFLAGS = $(IFD_LDFLAGS)
tests_inproc_test_slots_LDADD = $(IFD_LDADD)
tests_inproc_test_unplug_SOURCES = tests/inproc/test_unplug.c $(IFD_BENCH)
tests_inproc_test_unplug_CPPFLAGS = $(IFD_CPPFLAGS)
tests_inproc_test_unplug_CFLAGS = $(IFD_CFLAGS)
tests_inproc_test_unplug_LDFLAGS = $(IFD_LDFLAGS)
tests_inproc_test_unplug_LDADD = $(IFD_LDADD)

# The reader is in another process, so that only the driver can have left something in this one.
tests_inproc_test_secrets_SOURCES = \
	tests/inproc/far.c tests/inproc/far.h \
	tests/inproc/scan.c tests/inproc/scan.h \
	tests/inproc/test_secrets.c tests/unit/check.h
tests_inproc_test_secrets_CPPFLAGS = $(IFD_CPPFLAGS)
tests_inproc_test_secrets_CFLAGS = $(IFD_CFLAGS)
tests_inproc_test_secrets_LDADD = $(IFD_LDADD)
