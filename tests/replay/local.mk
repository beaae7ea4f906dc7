# SPDX-License-Identifier: LGPL-2.1-or-later
# Captured traffic, played against the driver.

# The format and the transport that plays it; for tests and tools, no part of the driver.
EXTRA_LTLIBRARIES += src/libreplay.la
src_libreplay_la_SOURCES = \
	src/replay/capture.c src/replay/capture.h src/replay/capture_parser.h \
	src/replay/capture_step.c \
	src/replay/replay.c src/replay/replay.h \
	src/replay/replay_reader.c src/replay/replay_reader.h \
	src/replay/replay_text.c src/replay/replay_text.h

check_PROGRAMS += \
	tests/replay/replay_traces \
	tests/replay/test_replay

tests_replay_replay_traces_SOURCES = tests/replay/replay_traces.c
tests_replay_replay_traces_LDADD = src/libplayer.la src/libreplay.la src/libcore.la
tests_replay_test_replay_SOURCES = tests/replay/test_replay.c
tests_replay_test_replay_LDADD = src/libplayer.la src/libreplay.la src/libcore.la

TRACES = $(sort $(wildcard $(srcdir)/tests/traces/*.trace))
EXTRA_DIST += tests/traces/README.md $(TRACES)
