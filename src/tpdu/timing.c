/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpdu/timing.h"

#include "tpdu/atr.h"

#include <string.h>

enum {
	DEFAULT_FI_DI = 0x11,
	DEFAULT_WI = 10,
	DEFAULT_CLOCK_KHZ = 4000,
	CHARACTER_ETU = 12,
	GAPS = 3,
	MAX_BWI = 9,
	BWT_FD = 372, /* fixed, whatever F and D are (11.4.3) */
};

/* A reader may name any clock, and a card ask for any multiple. */
static uint32_t capped(uint64_t ms)
{
	return ms < TIMING_LONGEST_MS ? (uint32_t)ms : TIMING_LONGEST_MS;
}

/* Clock cycles to milliseconds, rounded up: at f kHz a millisecond has f cycles. */
static uint32_t cycles_ms(uint64_t cycles, uint64_t khz)
{
	return capped((cycles + khz - 1) / khz);
}

/* N = 255 means 12 etu, as N = 0 does (8.3, TC1). */
static unsigned character_etu(const struct timing *t)
{
	return CHARACTER_ETU + (t->guard_time == 255 ? 0u : t->guard_time);
}

/* WT = WI x 960 x Fi / f (10.2); BWT = 11 etu + 2^BWI x 960 x 372 / f (11.4.3) */
static void work_out(struct waits *w, const struct timing *t)
{
	const unsigned bwi = t->bwi > MAX_BWI ? MAX_BWI : t->bwi;
	unsigned fi, di;

	if (!atr_fi_di(t->fi_di, &fi, &di))
		atr_fi_di(DEFAULT_FI_DI, &fi, &di);
	w->of = *t;
	w->khz = t->clock_khz ? t->clock_khz : DEFAULT_CLOCK_KHZ;
	w->character_fi = character_etu(t) * fi;
	w->di = di;
	w->wwt_ms = cycles_ms((t->wi ? t->wi : DEFAULT_WI) * UINT64_C(960) * fi, w->khz);
	w->bwt_ms = cycles_ms((UINT64_C(960) * BWT_FD << bwi) + 11 * fi / di, w->khz);
}

void waits_update(struct waits *w, const struct timing *t)
{
	if (w->khz && memcmp(&w->of, t, sizeof *t) == 0)
		return;
	work_out(w, t);
}

/* The characters of a TPDU or block */
static uint32_t line_ms(const struct waits *w, size_t bytes)
{
	return cycles_ms((uint64_t)bytes * w->character_fi / w->di, w->khz);
}

uint32_t waits_t0_ms(const struct waits *w, size_t bytes)
{
	return capped(line_ms(w, bytes) + (uint64_t)GAPS * w->wwt_ms);
}

uint32_t waits_t1_ms(const struct waits *w, size_t bytes, uint8_t multiplier)
{
	return capped(line_ms(w, bytes) + (uint64_t)w->bwt_ms * (multiplier ? multiplier : 1u));
}

struct waits waits_of(const struct timing *t)
{
	struct waits w;

	work_out(&w, t);
	return w;
}
