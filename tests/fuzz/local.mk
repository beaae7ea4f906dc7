# SPDX-License-Identifier: LGPL-2.1-or-later
# Fuzz harnesses. "make check" plays their corpus; "make fuzz" lets clang's libFuzzer look for more, FUZZ_SECONDS each.

FUZZERS = apdu atr capture chain character descriptor exchange iccd pin pps reader_file replay reply session t0 t1 traffic
fuzz_programs = \
	tests/fuzz/fuzz_apdu \
	tests/fuzz/fuzz_atr \
	tests/fuzz/fuzz_capture \
	tests/fuzz/fuzz_chain \
	tests/fuzz/fuzz_character \
	tests/fuzz/fuzz_descriptor \
	tests/fuzz/fuzz_exchange \
	tests/fuzz/fuzz_iccd \
	tests/fuzz/fuzz_pin \
	tests/fuzz/fuzz_pps \
	tests/fuzz/fuzz_reader_file \
	tests/fuzz/fuzz_replay \
	tests/fuzz/fuzz_reply \
	tests/fuzz/fuzz_session \
	tests/fuzz/fuzz_t0 \
	tests/fuzz/fuzz_t1 \
	tests/fuzz/fuzz_traffic
check_PROGRAMS += $(fuzz_programs)

FUZZ_MAIN = tests/fuzz/fuzz.h tests/fuzz/main.c
FUZZ_BUS = tests/fuzz/bus.c tests/fuzz/bus.h

tests_fuzz_fuzz_apdu_SOURCES = tests/fuzz/fuzz_apdu.c $(FUZZ_MAIN)
tests_fuzz_fuzz_apdu_LDADD = src/libcore.la
tests_fuzz_fuzz_atr_SOURCES = tests/fuzz/fuzz_atr.c $(FUZZ_MAIN)
tests_fuzz_fuzz_atr_LDADD = src/libcore.la
tests_fuzz_fuzz_descriptor_SOURCES = tests/fuzz/fuzz_descriptor.c tests/fuzz/caps.h $(FUZZ_MAIN)
tests_fuzz_fuzz_descriptor_LDADD = src/libcore.la
tests_fuzz_fuzz_pin_SOURCES = tests/fuzz/fuzz_pin.c tests/unit/pin_back.h $(FUZZ_MAIN)
tests_fuzz_fuzz_pin_LDADD = src/libcore.la
tests_fuzz_fuzz_pps_SOURCES = tests/fuzz/fuzz_pps.c $(FUZZ_MAIN)
tests_fuzz_fuzz_pps_LDADD = src/libcore.la
tests_fuzz_fuzz_reply_SOURCES = tests/fuzz/fuzz_reply.c $(FUZZ_MAIN)
tests_fuzz_fuzz_reply_LDADD = src/libcore.la
tests_fuzz_fuzz_chain_SOURCES = tests/fuzz/fuzz_chain.c tests/fuzz/card.h $(FUZZ_MAIN)
tests_fuzz_fuzz_chain_LDADD = src/libcore.la
tests_fuzz_fuzz_character_SOURCES = tests/fuzz/fuzz_character.c tests/fuzz/card.h $(FUZZ_MAIN)
tests_fuzz_fuzz_character_LDADD = src/libcore.la
tests_fuzz_fuzz_t0_SOURCES = tests/fuzz/fuzz_t0.c tests/fuzz/card.h $(FUZZ_MAIN)
tests_fuzz_fuzz_t0_LDADD = src/libcore.la
tests_fuzz_fuzz_t1_SOURCES = tests/fuzz/fuzz_t1.c tests/fuzz/card.h $(FUZZ_MAIN)
tests_fuzz_fuzz_t1_LDADD = src/libcore.la
tests_fuzz_fuzz_capture_SOURCES = tests/fuzz/fuzz_capture.c $(FUZZ_MAIN)
tests_fuzz_fuzz_capture_LDADD = src/libreplay.la src/libcore.la
tests_fuzz_fuzz_reader_file_SOURCES = tests/fuzz/fuzz_reader_file.c tests/fuzz/caps.h $(FUZZ_MAIN)
tests_fuzz_fuzz_reader_file_LDADD = src/libcore.la
tests_fuzz_fuzz_exchange_SOURCES = tests/fuzz/fuzz_exchange.c tests/fuzz/port.h $(FUZZ_BUS) $(FUZZ_MAIN)
tests_fuzz_fuzz_exchange_LDADD = src/libcore.la
tests_fuzz_fuzz_iccd_SOURCES = tests/fuzz/fuzz_iccd.c tests/fuzz/port.h $(FUZZ_BUS) $(FUZZ_MAIN)
tests_fuzz_fuzz_iccd_LDADD = src/libcore.la
tests_fuzz_fuzz_session_SOURCES = tests/fuzz/fuzz_session.c tests/fuzz/caps.h $(FUZZ_BUS) $(FUZZ_MAIN)
tests_fuzz_fuzz_session_LDADD = src/libcore.la

tests_fuzz_fuzz_traffic_SOURCES = tests/fuzz/fuzz_traffic.c $(FUZZ_MAIN)
tests_fuzz_fuzz_traffic_LDADD = src/libcommand.la src/libtraffic.la src/libreplay.la src/libcore.la $(PCAP_LIBS)

tests_fuzz_fuzz_replay_SOURCES = tests/fuzz/fuzz_replay.c $(FUZZ_MAIN)
tests_fuzz_fuzz_replay_LDADD = src/libcommand.la src/libtraffic.la src/libplayer.la src/libreplay.la src/libcore.la $(PCAP_LIBS)

EXTRA_DIST += tests/fuzz/fuzz tests/fuzz/seeds tests/fuzz/corpus

# In a build of its own, since all of the code has to be instrumented.
fuzz:
	$(srcdir)/tests/fuzz/fuzz $(FUZZERS)

# The same with AFL++, Debian's package afl++.
fuzz-afl:
	FUZZ_ENGINE=afl $(srcdir)/tests/fuzz/fuzz $(FUZZERS)

print-fuzz-programs:
	@echo $(fuzz_programs)

.PHONY: fuzz fuzz-afl print-fuzz-programs
