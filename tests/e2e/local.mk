# SPDX-License-Identifier: LGPL-2.1-or-later
# What is built and installed, and the whole driver under the real pcscd.

check_SCRIPTS += \
	tests/e2e/test-library.sh \
	tests/e2e/test-install.sh \
	tests/e2e/test-udev.sh \
	tests/e2e/test-sources.sh \
	tests/e2e/test-readers.sh \
	tests/e2e/test-override.sh \
	tests/e2e/test-attributes.sh \
	tests/e2e/test-examples.sh \
	tests/e2e/test-busy.sh \
	tests/e2e/test-sandbox.sh \
	tests/e2e/test-f6.sh \
	tests/e2e/test-reset.sh \
	tests/e2e/test-capture.sh \
	tests/e2e/test-remote.sh \
	tests/e2e/test-suspend.sh \
	tests/e2e/test-clients.sh \
	tests/e2e/test-t1.sh \
	tests/e2e/test-extended.sh \
	tests/e2e/test-iccd.sh \
	tests/e2e/test-slots.sh \
	tests/e2e/test-storm.sh \
	tests/e2e/test-pinpad.sh \
	tests/e2e/test-fw700.sh \
	tests/e2e/test-secrets.sh \
	tests/e2e/test-libccid.sh \
	tests/e2e/test-beside.sh \
	tests/e2e/test-scdaemon.sh \
	tests/e2e/test-openpgp.sh \
	tests/e2e/test-pinpad-clients.sh \
	tests/e2e/test-t1-sequences.sh

# The demo goes with the simulator: beside it, it shows what is installed.
if HAVE_UMOCKDEV
simulator_SCRIPTS = tests/e2e/installed/demo tests/e2e/demo-scene
simulator_DATA = tests/e2e/lib.sh
endif
tests/e2e/installed/demo: tests/e2e/demo Makefile
	$(AM_V_GEN)$(MKDIR_P) tests/e2e/installed && \
	sed -e 's|[@]pkgdatadir[@]|$(pkgdatadir)|' -e 's|[@]usbdropdir[@]|$(usbdropdir)|' $(srcdir)/tests/e2e/demo >$@.tmp && \
	chmod +x $@.tmp && mv -f $@.tmp $@
CLEANFILES += tests/e2e/installed/demo tests/e2e/installed/demo.tmp

EXTRA_DIST += $(check_SCRIPTS) \
	tests/e2e/demo \
	tests/e2e/demo-scene \
	tests/e2e/cards.py \
	tests/e2e/clients.py \
	tests/e2e/facts.py \
	tests/e2e/lib.sh \
	tests/e2e/memory.py \
	tests/e2e/part10.py \
	tests/e2e/pcsc.py \
	tests/e2e/sandbox \
	tests/e2e/sandbox_bites.py \
	tests/e2e/story_attributes.py \
	tests/e2e/story_beside.py \
	tests/e2e/story_busy.py \
	tests/e2e/story_capture.py \
	tests/e2e/story_clients.py \
	tests/e2e/story_extended.py \
	tests/e2e/story_f6.py \
	tests/e2e/story_fw700.py \
	tests/e2e/story_iccd.py \
	tests/e2e/story_libccid.py \
	tests/e2e/story_openpgp.py \
	tests/e2e/story_override.py \
	tests/e2e/story_pinpad.py \
	tests/e2e/story_pinpad_clients.py \
	tests/e2e/story_reader.py \
	tests/e2e/story_remote.py \
	tests/e2e/story_reset.py \
	tests/e2e/story_secrets.py \
	tests/e2e/story_slots.py \
	tests/e2e/story_storm.py \
	tests/e2e/story_suspend.py \
	tests/e2e/story_t1.py

# The client of test-t1-sequences.sh, which starts it inside the simulator.
if HAVE_CMOCKA
noinst_PROGRAMS += tests/e2e/t1_sequences
endif
tests_e2e_t1_sequences_SOURCES = tests/e2e/t1_sequences.c tests/unit/t1_sequences.h tests/unit/t1_talk.h tests/unit/check.h
tests_e2e_t1_sequences_CPPFLAGS = $(SIM_CPPFLAGS) -I$(srcdir)/tests/sim -I$(srcdir)/tests/unit
tests_e2e_t1_sequences_CFLAGS = $(AM_CFLAGS) $(PCSC_CFLAGS) $(CMOCKA_CFLAGS)
tests_e2e_t1_sequences_LDADD = tests/sim/libsimreader.la $(PCSC_LIBS) $(CMOCKA_LIBS)

# Scripts learn from the environment where things are.
AM_TESTS_ENVIRONMENT = \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	OPENCCID_CONFIG='$(abs_top_builddir)/no-settings'; export OPENCCID_CONFIG; unset OPENCCID_QUIRKS; \
	SANITIZED='$(SAN_CFLAGS)'; export SANITIZED; \
	CC='$(CC)'; export CC; CFLAGS='$(CFLAGS)'; export CFLAGS; \
	HARDEN_CFLAGS='$(HARDEN_CFLAGS)'; export HARDEN_CFLAGS; MAKE='$(MAKE)'; export MAKE;
