/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long a card may take, in milliseconds, from the parameters in force
 * (ISO/IEC 7816-3:2006, 10.2). Pure. */
#ifndef OPENCCID_TPDU_TIMING_H
#define OPENCCID_TPDU_TIMING_H

#include <stddef.h>
#include <stdint.h>

/*
 * No wait is longer, whatever a descriptor or an ATR says: it is enough for three
 * work waiting times of the slowest card, WI 255 and Fi 2048 at 1 MHz.
 */
enum { TIMING_LONGEST_MS = 30 * 60 * 1000 };

/* The card's side of an exchange: its clock and the parameters it works with
 * now. */
struct timing {
	uint32_t clock_khz;
	uint8_t fi_di;      /* as TA1; a reserved value counts as 11h */
	uint8_t guard_time; /* N of TC1 */
	uint8_t wi;         /* T=0: TC2; 0 counts as 10 */
	uint8_t bwi;        /* T=1: block waiting time integer, at most 9 */
};

/* What follows from it, for every block that is sent: worked out when the parameters change. */
struct waits {
	struct timing of;
	uint32_t khz, character_fi, di; /* a character takes character_fi / di cycles of the clock */
	uint32_t wwt_ms; /* work waiting time: the longest gap between two characters of the card */
	uint32_t bwt_ms; /* block waiting time: the longest wait for the first character of a block */
};

struct waits waits_of(const struct timing *timing);

/* The same, if @waits is not of this timing already; zeros are of none. */
void waits_update(struct waits *waits, const struct timing *timing);

/*
 * One T=0 TPDU: all its characters on the line, and three gaps of a work
 * waiting time, one each before the procedure byte, the data and the status.
 * The reader watches every single gap; the host only has to notice a reader
 * that does not. NULL procedure bytes reach the host as time extensions.
 */
uint32_t waits_t0_ms(const struct waits *waits, size_t bytes);

/*
 * One T=1 block and its answer: all characters on the line, and the block
 * waiting time, @multiplier times after S(WTX) (0 counts as 1). The reader
 * watches the gaps between characters; no card spreads them over its whole
 * character waiting time.
 */
uint32_t waits_t1_ms(const struct waits *waits, size_t bytes, uint8_t multiplier);

#endif
