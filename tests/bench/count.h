/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What count.c counts, and where it stands; measure.py reads it by these numbers. */
#ifndef OPENCCID_TESTS_COUNT_H
#define OPENCCID_TESTS_COUNT_H

#include <stdint.h>

#define COUNTS_ENV "BENCH_COUNTS"

enum who { DRIVER, LIBUSB, WHOS, OTHER };

/* Calls, but for COPIED: bytes that memcpy() has moved. */
enum what { ALLOCATIONS, COPIED, IOCTLS, POLLS, TIMERS, READS, WRITES, SLEEPS, WAITS, WHATS = 16 };

struct counts {
	uint64_t of[WHOS][WHATS];
};

#endif
