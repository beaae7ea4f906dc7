# SPDX-License-Identifier: LGPL-2.1-or-later
UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
UNIT_LDADD = src/libcore.la $(CMOCKA_LIBS)
UNIT_SCRIPT = tests/unit/script.c tests/unit/script.h tests/unit/check.h

# The protocol core; those with UNIT_SCRIPT play a reader that follows a script.
if HAVE_CMOCKA
check_PROGRAMS += \
	tests/unit/test_base \
	tests/unit/test_message \
	tests/unit/test_reply \
	tests/unit/test_descriptor \
	tests/unit/test_status \
	tests/unit/test_tap \
	tests/unit/test_apdu \
	tests/unit/test_atr \
	tests/unit/test_t0 \
	tests/unit/test_t0_walk \
	tests/unit/test_timing \
	tests/unit/test_exchange \
	tests/unit/test_recover \
	tests/unit/test_slot_power \
	tests/unit/test_slot_transmit \
	tests/unit/test_slot_link \
	tests/unit/test_slot_loss \
	tests/unit/test_slot_presence \
	tests/unit/test_slot_restart \
	tests/unit/test_pin \
	tests/unit/test_pin_refused \
	tests/unit/test_vendor \
	tests/unit/test_redact \
	tests/unit/test_redact_t1 \
	tests/unit/test_wire_log \
	tests/unit/test_slot_t1 \
	tests/unit/test_slot_pin \
	tests/unit/test_negotiate \
	tests/unit/test_negotiate_speed \
	tests/unit/test_speed \
	tests/unit/test_pps \
	tests/unit/test_chain \
	tests/unit/test_character \
	tests/unit/test_dispatch \
	tests/unit/test_iccd
endif

tests_unit_test_base_SOURCES = tests/unit/test_base.c tests/unit/check.h
tests_unit_test_base_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_base_LDADD = $(UNIT_LDADD)
tests_unit_test_message_SOURCES = tests/unit/test_message.c tests/unit/check.h
tests_unit_test_message_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_message_LDADD = $(UNIT_LDADD)
tests_unit_test_reply_SOURCES = tests/unit/test_reply.c tests/unit/check.h
tests_unit_test_reply_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_reply_LDADD = $(UNIT_LDADD)
tests_unit_test_descriptor_SOURCES = tests/unit/test_descriptor.c tests/unit/check.h
tests_unit_test_descriptor_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_descriptor_LDADD = $(UNIT_LDADD)
tests_unit_test_status_SOURCES = tests/unit/test_status.c tests/unit/check.h
tests_unit_test_status_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_status_LDADD = $(UNIT_LDADD)
tests_unit_test_apdu_SOURCES = tests/unit/test_apdu.c tests/unit/check.h
tests_unit_test_apdu_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_apdu_LDADD = $(UNIT_LDADD)
tests_unit_test_atr_SOURCES = tests/unit/test_atr.c tests/unit/check.h
tests_unit_test_atr_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_atr_LDADD = $(UNIT_LDADD)
tests_unit_test_t0_SOURCES = tests/unit/test_t0.c tests/unit/check.h
tests_unit_test_t0_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_t0_LDADD = $(UNIT_LDADD)
tests_unit_test_t0_walk_SOURCES = tests/unit/test_t0_walk.c tests/unit/check.h
tests_unit_test_t0_walk_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_t0_walk_LDADD = $(UNIT_LDADD)
tests_unit_test_timing_SOURCES = tests/unit/test_timing.c tests/unit/check.h
tests_unit_test_timing_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_timing_LDADD = $(UNIT_LDADD)
tests_unit_test_exchange_SOURCES = tests/unit/test_exchange.c $(UNIT_SCRIPT)
tests_unit_test_exchange_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_exchange_LDADD = $(UNIT_LDADD)
tests_unit_test_recover_SOURCES = tests/unit/test_recover.c $(UNIT_SCRIPT)
tests_unit_test_recover_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_recover_LDADD = $(UNIT_LDADD)
tests_unit_test_slot_power_SOURCES = tests/unit/test_slot_power.c tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_slot_power_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_slot_power_LDADD = $(UNIT_LDADD)
tests_unit_test_slot_transmit_SOURCES = tests/unit/test_slot_transmit.c tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_slot_transmit_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_slot_transmit_LDADD = $(UNIT_LDADD)
tests_unit_test_slot_link_SOURCES = tests/unit/test_slot_link.c tests/unit/negotiate_bench.h tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_slot_link_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_slot_link_LDADD = $(UNIT_LDADD)
tests_unit_test_slot_loss_SOURCES = tests/unit/test_slot_loss.c tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_slot_loss_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_slot_loss_LDADD = $(UNIT_LDADD)
tests_unit_test_slot_presence_SOURCES = tests/unit/test_slot_presence.c tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_slot_presence_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_slot_presence_LDADD = $(UNIT_LDADD)
tests_unit_test_slot_restart_SOURCES = tests/unit/test_slot_restart.c tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_slot_restart_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_slot_restart_LDADD = $(UNIT_LDADD)
tests_unit_test_tap_SOURCES = tests/unit/test_tap.c tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_tap_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_tap_LDADD = $(UNIT_LDADD)
tests_unit_test_slot_pin_SOURCES = tests/unit/test_slot_pin.c tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_slot_pin_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_slot_pin_LDADD = $(UNIT_LDADD)
tests_unit_test_vendor_SOURCES = tests/unit/test_vendor.c tests/unit/check.h
tests_unit_test_vendor_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vendor_LDADD = $(UNIT_LDADD)
tests_unit_test_pin_SOURCES = tests/unit/test_pin.c tests/unit/pin_structures.h tests/unit/check.h
tests_unit_test_pin_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pin_LDADD = $(UNIT_LDADD)
tests_unit_test_pin_refused_SOURCES = tests/unit/test_pin_refused.c tests/unit/pin_back.h tests/unit/pin_structures.h \
	tests/unit/check.h
tests_unit_test_pin_refused_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pin_refused_LDADD = $(UNIT_LDADD)
tests_unit_test_redact_SOURCES = tests/unit/test_redact.c tests/unit/redact_bench.h tests/unit/check.h
tests_unit_test_redact_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_redact_LDADD = $(UNIT_LDADD)
tests_unit_test_redact_t1_SOURCES = tests/unit/test_redact_t1.c tests/unit/redact_bench.h tests/unit/check.h
tests_unit_test_redact_t1_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_redact_t1_LDADD = $(UNIT_LDADD)
tests_unit_test_wire_log_SOURCES = tests/unit/test_wire_log.c tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_wire_log_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_wire_log_LDADD = $(UNIT_LDADD)
tests_unit_test_slot_t1_SOURCES = tests/unit/test_slot_t1.c tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_slot_t1_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_slot_t1_LDADD = $(UNIT_LDADD)
tests_unit_test_negotiate_SOURCES = tests/unit/test_negotiate.c tests/unit/negotiate_bench.h tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_negotiate_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_negotiate_LDADD = $(UNIT_LDADD)
tests_unit_test_negotiate_speed_SOURCES = tests/unit/test_negotiate_speed.c tests/unit/negotiate_bench.h tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_negotiate_speed_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_negotiate_speed_LDADD = $(UNIT_LDADD)
tests_unit_test_speed_SOURCES = tests/unit/test_speed.c tests/unit/check.h
tests_unit_test_speed_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_speed_LDADD = $(UNIT_LDADD)
tests_unit_test_pps_SOURCES = tests/unit/test_pps.c tests/unit/check.h
tests_unit_test_pps_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pps_LDADD = $(UNIT_LDADD)
tests_unit_test_chain_SOURCES = tests/unit/test_chain.c tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_chain_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_chain_LDADD = $(UNIT_LDADD)
tests_unit_test_character_SOURCES = tests/unit/test_character.c tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_character_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_character_LDADD = $(UNIT_LDADD)
tests_unit_test_iccd_SOURCES = tests/unit/test_iccd.c tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_iccd_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_iccd_LDADD = $(UNIT_LDADD)

# The readers' data.
if HAVE_CMOCKA
check_PROGRAMS += \
	tests/unit/test_override \
	tests/unit/test_quirk \
	tests/unit/test_reader_file \
	tests/unit/test_readers
endif

tests_unit_test_override_SOURCES = tests/unit/test_override.c tests/unit/check.h
tests_unit_test_override_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_override_LDADD = $(UNIT_LDADD)
tests_unit_test_quirk_SOURCES = tests/unit/test_quirk.c tests/unit/check.h
tests_unit_test_quirk_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quirk_LDADD = $(UNIT_LDADD)
tests_unit_test_reader_file_SOURCES = tests/unit/test_reader_file.c tests/unit/check.h
tests_unit_test_reader_file_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_reader_file_LDADD = $(UNIT_LDADD)
tests_unit_test_readers_SOURCES = tests/unit/test_readers.c tests/unit/check.h
tests_unit_test_readers_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_readers_LDADD = $(UNIT_LDADD)

# The outer shell.
if HAVE_CMOCKA
check_PROGRAMS += \
	tests/unit/test_bundle \
	tests/unit/test_devname \
	tests/unit/test_effects
endif

tests_unit_test_bundle_SOURCES = tests/unit/test_bundle.c tests/unit/check.h
tests_unit_test_bundle_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_bundle_LDADD = src/libifd.la $(UNIT_LDADD)
tests_unit_test_effects_SOURCES = tests/unit/test_effects.c tests/unit/effects.h tests/unit/effects_open.c \
	tests/unit/effects_card.c tests/unit/slot_bench.h $(UNIT_SCRIPT)
tests_unit_test_effects_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_effects_LDADD = src/libifd.la $(UNIT_LDADD)
tests_unit_test_dispatch_SOURCES = tests/unit/test_dispatch.c tests/unit/check.h
tests_unit_test_dispatch_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dispatch_LDADD = $(UNIT_LDADD)
tests_unit_test_devname_SOURCES = tests/unit/test_devname.c tests/unit/check.h
tests_unit_test_devname_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_devname_LDADD = src/libusbtransport.la $(UNIT_LDADD)

# T=1, against a script and against the simulated card, which has a protocol code of its own.
if HAVE_CMOCKA
check_PROGRAMS += \
	tests/unit/test_t1 \
	tests/unit/test_t1_cards \
	tests/unit/test_t1_faults \
	tests/unit/test_t1_reader \
	tests/unit/test_t1_property
endif

T1_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE -I$(srcdir)/tests/sim -I$(srcdir)/tests/unit
T1_LDADD = tests/sim/libsimreader.la $(UNIT_LDADD)
tests_unit_test_t1_SOURCES = tests/unit/test_t1.c tests/unit/t1_sequences.h tests/unit/t1_talk.h tests/unit/check.h
tests_unit_test_t1_CPPFLAGS = $(T1_CPPFLAGS)
tests_unit_test_t1_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_t1_LDADD = $(T1_LDADD)
tests_unit_test_t1_cards_SOURCES = tests/unit/test_t1_cards.c tests/unit/t1_bench.h tests/unit/check.h
tests_unit_test_t1_cards_CPPFLAGS = $(T1_CPPFLAGS)
tests_unit_test_t1_cards_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_t1_cards_LDADD = $(T1_LDADD)
tests_unit_test_t1_reader_SOURCES = tests/unit/test_t1_reader.c tests/unit/t1_bench.h tests/unit/check.h
tests_unit_test_t1_reader_CPPFLAGS = $(T1_CPPFLAGS)
tests_unit_test_t1_reader_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_t1_reader_LDADD = $(T1_LDADD)
tests_unit_test_t1_faults_SOURCES = tests/unit/test_t1_faults.c tests/unit/t1_bench.h tests/unit/check.h
tests_unit_test_t1_faults_CPPFLAGS = $(T1_CPPFLAGS)
tests_unit_test_t1_faults_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_t1_faults_LDADD = $(T1_LDADD)
tests_unit_test_t1_property_SOURCES = tests/unit/test_t1_property.c tests/unit/check.h
tests_unit_test_t1_property_CPPFLAGS = $(T1_CPPFLAGS)
tests_unit_test_t1_property_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_t1_property_LDADD = $(T1_LDADD)
