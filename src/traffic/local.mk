# SPDX-License-Identifier: LGPL-2.1-or-later
# Captures of any form as a stream of events; for the command and for tests, no part of the driver.

EXTRA_LTLIBRARIES += src/libtraffic.la
src_libtraffic_la_SOURCES = \
	src/traffic/event.h \
	src/traffic/inside.h \
	src/traffic/lines.c src/traffic/lines.h \
	src/traffic/log.c src/traffic/log.h \
	src/traffic/log_digest.c \
	src/traffic/log_gnupg.c \
	src/traffic/log_openccid.c \
	src/traffic/log_pcscd.c \
	src/traffic/pipes.c src/traffic/pipes.h \
	src/traffic/trace.c \
	src/traffic/traffic.c src/traffic/traffic.h \
	src/traffic/urb.c src/traffic/urb.h \
	src/traffic/urbs.c src/traffic/urbs.h
if HAVE_PCAP
src_libtraffic_la_SOURCES += src/traffic/pcap.c src/traffic/blocks.c src/traffic/blocks.h
else
src_libtraffic_la_SOURCES += src/traffic/no_pcap.c
endif
src_libtraffic_la_CFLAGS = $(AM_CFLAGS) $(PCAP_CFLAGS)
