/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpdu/timing.h"

#include "tpdu/atr.h"

enum {
	DEFAULT_FI_DI = 0x11,
	DEFAULT_WI = 10,
	DEFAULT_CLOCK_KHZ = 4000,
	CHARACTER_ETU = 12,
	GAPS = 3,
	MAX_BWI = 9,
	BWT_FD = 372, /* fixed, whatever F and D are (11.4.3) */
};

struct rates {
	uint64_t fi, di, khz;
};

static struct rates rates_of(const struct timing *t)
{
	unsigned fi, di;

	if (!atr_fi_di(t->fi_di, &fi, &di))
		atr_fi_di(DEFAULT_FI_DI, &fi, &di);
	return (struct rates){ fi, di, t->clock_khz ? t->clock_khz : DEFAULT_CLOCK_KHZ };
}

/* A reader may name any clock, and a card ask for any multiple. */
static uint32_t capped(uint64_t ms)
{
	return ms < TIMING_LONGEST_MS ? (uint32_t)ms : TIMING_LONGEST_MS;
}

/* Clock cycles to milliseconds, rounded up: at f kHz a millisecond has f
 * cycles. */
static uint32_t cycles_ms(uint64_t cycles, uint64_t khz)
{
	return capped((cycles + khz - 1) / khz);
}

/* WT = WI x 960 x Fi / f (10.2) */
static uint32_t wwt_ms(const struct timing *t, const struct rates *r)
{
	return cycles_ms((t->wi ? t->wi : DEFAULT_WI) * UINT64_C(960) * r->fi, r->khz);
}

uint32_t timing_wwt_ms(const struct timing *t)
{
	const struct rates r = rates_of(t);

	return wwt_ms(t, &r);
}

/* The characters of a TPDU or block; N = 255 means 12 etu, as N = 0 does (8.3,
 * TC1). */
static uint64_t line_cycles(const struct timing *t, const struct rates *r, size_t bytes)
{
	const uint64_t etu = CHARACTER_ETU + (t->guard_time == 255 ? 0u : t->guard_time);

	return (uint64_t)bytes * etu * r->fi / r->di;
}

uint32_t timing_t0_ms(const struct timing *t, size_t bytes)
{
	const struct rates r = rates_of(t);

	return capped(cycles_ms(line_cycles(t, &r, bytes), r.khz) + (uint64_t)GAPS * wwt_ms(t, &r));
}

/* BWT = 11 etu + 2^BWI x 960 x 372 / f */
static uint32_t bwt_ms(const struct timing *t, const struct rates *r)
{
	const unsigned bwi = t->bwi > MAX_BWI ? MAX_BWI : t->bwi;

	return cycles_ms((UINT64_C(960) * BWT_FD << bwi) + 11 * r->fi / r->di, r->khz);
}

uint32_t timing_bwt_ms(const struct timing *t)
{
	const struct rates r = rates_of(t);

	return bwt_ms(t, &r);
}

uint32_t timing_t1_ms(const struct timing *t, size_t bytes, uint8_t multiplier)
{
	const struct rates r = rates_of(t);

	return capped(cycles_ms(line_cycles(t, &r, bytes), r.khz) +
		      (uint64_t)bwt_ms(t, &r) * (multiplier ? multiplier : 1u));
}
