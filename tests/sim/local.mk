# SPDX-License-Identifier: LGPL-2.1-or-later
# The software reader. The model is a library without I/O; ccid-sim needs umockdev.

SIM_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE

sim_model = \
	tests/sim/atr.c tests/sim/atr.h \
	tests/sim/card.h \
	tests/sim/card_app.c tests/sim/card_app.h \
	tests/sim/card_log.c tests/sim/card_log.h \
	tests/sim/card_openpgp.c tests/sim/card_openpgp.h \
	tests/sim/card_openpgp_data.c \
	tests/sim/card_pin.c tests/sim/card_pin.h \
	tests/sim/card_script.c tests/sim/card_script.h \
	tests/sim/card_spec.c tests/sim/card_spec.h \
	tests/sim/card_t0.c \
	tests/sim/card_t1.c tests/sim/card_t1.h \
	tests/sim/card_t1_app.c \
	tests/sim/card_t1_block.c \
	tests/sim/hex.h \
	tests/sim/keypad.c tests/sim/keypad.h \
	tests/sim/pin_command.c tests/sim/pin_command.h \
	tests/sim/pinpads.c tests/sim/pinpads.h \
	tests/sim/identity.c tests/sim/identity.h \
	tests/sim/pps.c tests/sim/pps.h \
	tests/sim/reader.c tests/sim/reader.h tests/sim/reader_priv.h \
	tests/sim/reader_commands.c \
	tests/sim/reader_params.c \
	tests/sim/reader_chain.c \
	tests/sim/reader_escape.c \
	tests/sim/reader_secure.c \
	tests/sim/reader_iccd.c \
	tests/sim/reader_record.c \
	tests/sim/reader_t1.c \
	tests/sim/reader_xfr.c

EXTRA_LTLIBRARIES += tests/sim/libsimreader.la
tests_sim_libsimreader_la_SOURCES = $(sim_model)
tests_sim_libsimreader_la_CPPFLAGS = $(SIM_CPPFLAGS)

# What runs under umockdev's preload. GLib hangs there with ThreadSanitizer, and these programs have one thread anyway.
SIM_CFLAGS = $(WARN_CFLAGS) $(HARDEN_CFLAGS)
SIM_LDFLAGS = $(HARDEN_LDFLAGS)
if !WITH_TSAN
SIM_CFLAGS += $(SAN_CFLAGS)
SIM_LDFLAGS += $(SAN_CFLAGS)
endif

if HAVE_UMOCKDEV
# Installed for "openccid simulate".
simulatordir = $(pkglibexecdir)
simulator_PROGRAMS = tests/sim/ccid-sim
simulator_LTLIBRARIES = tests/sim/libccid-sim-preload.la

# The client of the simulator's own test: it opens the reader in both ways that libusb offers.
noinst_PROGRAMS += tests/sim/usb-check
check_SCRIPTS += tests/sim/test-sim.sh tests/sim/test-usbip.sh

# And one that sees which transfers src/usb makes of a message.
if !WITH_TSAN
noinst_PROGRAMS += tests/sim/pace-check
endif
endif

tests_sim_ccid_sim_SOURCES = $(sim_model) \
	tests/sim/children.c tests/sim/children.h \
	tests/sim/control.c \
	tests/sim/identity_file.c \
	tests/sim/loop.c tests/sim/loop.h \
	tests/sim/main.c \
	tests/sim/parts.c tests/sim/parts.h \
	tests/sim/sim.c tests/sim/sim.h \
	tests/sim/testbed.c tests/sim/testbed.h \
	tests/sim/usb_descriptors.c tests/sim/usb_descriptors.h \
	tests/sim/usbdev.c tests/sim/usbdev.h \
	tests/sim/usbfs_ioctl.c tests/sim/usbfs_ioctl.h \
	tests/sim/usbfs_server.c tests/sim/usbfs_server.h \
	tests/sim/usbfs_wire.h \
	tests/sim/usbip_server.c tests/sim/usbip_server.h \
	tests/sim/usbip_wire.c tests/sim/usbip_wire.h \
	src/base/log.c src/quirk/reader_file.c src/quirk/reader_key.c
tests_sim_ccid_sim_CPPFLAGS = $(SIM_CPPFLAGS) \
	-DCCID_SIM_SOURCE_READERS='"$(if $(filter /%,$(top_srcdir)),,../../)$(top_srcdir)/readers"' \
	-DCCID_SIM_DATA_DIR='"$(pkgdatadir)"'
tests_sim_ccid_sim_CFLAGS = $(SIM_CFLAGS) $(UMOCKDEV_CFLAGS)
tests_sim_ccid_sim_LDFLAGS = $(SIM_LDFLAGS)
tests_sim_ccid_sim_LDADD = $(UMOCKDEV_LIBS)

# Loaded into other programs: no sanitizer, no fortified calls to itself, and on 32 bits both names of what takes offsets. The rpath
# makes libtool build it shared.
tests_sim_libccid_sim_preload_la_SOURCES = \
	tests/sim/preload.c tests/sim/preload.h \
	tests/sim/preload_paths.c \
	tests/sim/preload_usbfs.c \
	tests/sim/usbfs_wire.h
tests_sim_libccid_sim_preload_la_CPPFLAGS = $(SIM_CPPFLAGS) -U_FILE_OFFSET_BITS -U_TIME_BITS
tests_sim_libccid_sim_preload_la_CFLAGS = $(WARN_CFLAGS) -U_FORTIFY_SOURCE -fvisibility=hidden
tests_sim_libccid_sim_preload_la_LDFLAGS = -module -avoid-version -shared

tests_sim_usb_check_SOURCES = tests/sim/usb_check.c
tests_sim_usb_check_CPPFLAGS = $(SIM_CPPFLAGS)
tests_sim_usb_check_CFLAGS = $(SIM_CFLAGS) $(LIBUSB_CFLAGS)
tests_sim_usb_check_LDFLAGS = $(SIM_LDFLAGS)
tests_sim_usb_check_LDADD = $(LIBUSB_LIBS)
tests_sim_pace_check_SOURCES = tests/sim/pace_check.c
tests_sim_pace_check_CPPFLAGS = $(SIM_CPPFLAGS)
tests_sim_pace_check_CFLAGS = $(SIM_CFLAGS) $(LIBUSB_CFLAGS) $(PTHREAD_CFLAGS)
tests_sim_pace_check_LDFLAGS = $(SIM_LDFLAGS) $(PTHREAD_CFLAGS)
tests_sim_pace_check_LDADD = src/libusbtransport.la src/libcore.la $(LIBUSB_LIBS) $(DL_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += \
	tests/unit/test_sim_card \
	tests/unit/test_sim_card_openpgp \
	tests/unit/test_sim_card_t1 \
	tests/unit/test_sim_keypad \
	tests/unit/test_sim_levels \
	tests/unit/test_sim_pinpads \
	tests/unit/test_sim_reader
endif

tests_unit_test_sim_card_SOURCES = tests/unit/test_sim_card.c tests/unit/check.h
tests_unit_test_sim_card_CPPFLAGS = $(SIM_CPPFLAGS) -I$(srcdir)/tests/sim -I$(srcdir)/tests/unit
tests_unit_test_sim_card_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sim_card_LDADD = tests/sim/libsimreader.la $(CMOCKA_LIBS)
tests_unit_test_sim_card_openpgp_SOURCES = tests/unit/test_sim_card_openpgp.c tests/unit/check.h
tests_unit_test_sim_card_openpgp_CPPFLAGS = $(SIM_CPPFLAGS) -I$(srcdir)/tests/sim -I$(srcdir)/tests/unit
tests_unit_test_sim_card_openpgp_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sim_card_openpgp_LDADD = tests/sim/libsimreader.la $(CMOCKA_LIBS)
tests_unit_test_sim_card_t1_SOURCES = tests/unit/test_sim_card_t1.c tests/unit/check.h
tests_unit_test_sim_card_t1_CPPFLAGS = $(SIM_CPPFLAGS) -I$(srcdir)/tests/sim -I$(srcdir)/tests/unit
tests_unit_test_sim_card_t1_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sim_card_t1_LDADD = tests/sim/libsimreader.la src/libcore.la $(CMOCKA_LIBS)
tests_unit_test_sim_keypad_SOURCES = tests/unit/test_sim_keypad.c tests/unit/pinpad_bench.h tests/unit/check.h
tests_unit_test_sim_keypad_CPPFLAGS = $(SIM_CPPFLAGS) -I$(srcdir)/tests/sim -I$(srcdir)/tests/unit
tests_unit_test_sim_keypad_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sim_keypad_LDADD = tests/sim/libsimreader.la $(CMOCKA_LIBS)
tests_unit_test_sim_pinpads_SOURCES = tests/unit/test_sim_pinpads.c tests/unit/pinpad_bench.h tests/unit/check.h
tests_unit_test_sim_pinpads_CPPFLAGS = $(SIM_CPPFLAGS) -I$(srcdir)/tests/sim -I$(srcdir)/tests/unit
tests_unit_test_sim_pinpads_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sim_pinpads_LDADD = tests/sim/libsimreader.la $(CMOCKA_LIBS)
tests_unit_test_sim_levels_SOURCES = tests/unit/test_sim_levels.c tests/unit/check.h
tests_unit_test_sim_levels_CPPFLAGS = $(SIM_CPPFLAGS) -I$(srcdir)/tests/sim -I$(srcdir)/tests/unit
tests_unit_test_sim_levels_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sim_levels_LDADD = tests/sim/libsimreader.la $(CMOCKA_LIBS)
tests_unit_test_sim_reader_SOURCES = tests/unit/test_sim_reader.c tests/unit/check.h
tests_unit_test_sim_reader_CPPFLAGS = $(SIM_CPPFLAGS) -I$(srcdir)/tests/sim -I$(srcdir)/tests/unit
tests_unit_test_sim_reader_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sim_reader_LDADD = tests/sim/libsimreader.la $(CMOCKA_LIBS)

EXTRA_DIST += \
	tests/sim/README.md \
	tests/sim/make-bundle \
	tests/sim/test-sim.sh \
	tests/sim/test-usbip.sh \
	tests/sim/usbip.py \
	tests/sim/usbip_story.py
