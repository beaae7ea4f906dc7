# SPDX-License-Identifier: LGPL-2.1-or-later
# Fuzz harnesses. "make check" plays their corpus; "make fuzz" lets clang's libFuzzer look for more, FUZZ_SECONDS each.

FUZZERS = pin
fuzz_programs = tests/fuzz/fuzz_pin
check_PROGRAMS += $(fuzz_programs)

tests_fuzz_fuzz_pin_SOURCES = tests/fuzz/fuzz_pin.c tests/fuzz/fuzz.h tests/fuzz/main.c tests/unit/pin_back.h
tests_fuzz_fuzz_pin_LDADD = src/libcore.la

EXTRA_DIST += tests/fuzz/fuzz tests/fuzz/corpus

# In a build of its own, since all of the code has to be instrumented.
fuzz:
	$(srcdir)/tests/fuzz/fuzz $(FUZZERS)

.PHONY: fuzz
