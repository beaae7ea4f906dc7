/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting times in milliseconds (ISO/IEC 7816-3:2006, 10.2). */
#include "tpdu/timing.h"
#include "check.h"

static uint32_t t0_ms(const struct timing *t, size_t bytes)
{
	const struct waits w = waits_of(t);

	return waits_t0_ms(&w, bytes);
}

static uint32_t t1_ms(const struct timing *t, size_t bytes, uint8_t multiplier)
{
	const struct waits w = waits_of(t);

	return waits_t1_ms(&w, bytes, multiplier);
}

/* WWT = WI x 960 x Fi / f: it does not depend on D. Rounding up by one is free. */
static const struct {
	const char *name;
	struct timing timing;
	uint32_t wwt_ms;
} wwt_rows[] = {
	{ "WI 10 at 4 MHz", { 4000, 0x11, 0, 10, 0 }, 893 },
	{ "WI 0 counts as 10", { 4000, 0x11, 0, 0, 0 }, 893 },
	{ "WI 1 at 4 MHz", { 4000, 0x11, 0, 1, 0 }, 90 },
	{ "WI 255 at 4 MHz", { 4000, 0x11, 0, 255, 0 }, 22767 },
	{ "Di is of no account", { 4000, 0x18, 0, 10, 0 }, 893 },
	{ "Fi 512", { 4000, 0x96, 0, 10, 0 }, 1229 },
	{ "Fi 2048, WI 255", { 4000, 0xD1, 0, 255, 0 }, 125338 },
	{ "3580 kHz", { 3580, 0x11, 0, 10, 0 }, 998 },
	{ "reserved Fi counts as 11h", { 4000, 0x71, 0, 10, 0 }, 893 },
	{ "reserved Di counts as 11h", { 4000, 0x9A, 0, 10, 0 }, 893 },
};

static void work_waiting_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wwt_rows); i++) {
		uint32_t got = waits_of(&wwt_rows[i].timing).wwt_ms;

		if (got != wwt_rows[i].wwt_ms + 1)
			CHECK_INT(wwt_rows[i].name, got, wwt_rows[i].wwt_ms);
	}
	check_done();
}

/* Three gaps, and (12 + N) etu for each character; N = 255 is no extra time for T=0. */
static void a_whole_tpdu(void **state)
{
	static const struct {
		const char *name;
		struct timing timing;
		size_t bytes;
		uint32_t characters_ms;
	} rows[] = {
		{ "no bytes", { 4000, 0x11, 0, 10, 0 }, 0, 0 },
		{ "263 at 372/1", { 4000, 0x11, 0, 10, 0 }, 263, 293 },
		{ "263 at 372/1, N 255", { 4000, 0x11, 255, 10, 0 }, 263, 293 },
		{ "263 at 372/1, N 254", { 4000, 0x11, 254, 10, 0 }, 263, 6507 },
		{ "263 at 512/32", { 4000, 0x96, 0, 10, 0 }, 263, 12 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t want = 3 * waits_of(&rows[i].timing).wwt_ms + rows[i].characters_ms;
		uint32_t got = t0_ms(&rows[i].timing, rows[i].bytes);
		char name[80];

		snprintf(name, sizeof name, "%s: %u, not near %u", rows[i].name, got, want);
		/* N = 254 may stretch by Fi/Di of the ATR; rounding may go up a little everywhere. */
		CHECK(name, got + 3 >= want && got <= want + 5);
	}
	check_done();
}

/* Any values, also those of a hostile descriptor: never 0, never wrapped to something short. */
static void never_too_short(void **state)
{
	static const uint32_t clocks[] = { 1, 100, 4000, 20000, 0xFFFFFFFF };

	(void)state;
	for (size_t c = 0; c < COUNT(clocks); c++) {
		for (unsigned fi_di = 0; fi_di < 256; fi_di++) {
			struct timing slow = { clocks[c], (uint8_t)fi_di, 254, 255, 0 };
			struct timing quick = { clocks[c], (uint8_t)fi_di, 0, 1, 0 };
			char name[40];

			snprintf(name, sizeof name, "%u kHz, TA1 %02X", clocks[c], fi_di);
			CHECK(name, t0_ms(&slow, 263) >= t0_ms(&quick, 263));
			CHECK(name, t0_ms(&slow, 263) >= t0_ms(&slow, 2));
			CHECK(name, waits_of(&slow).wwt_ms >= waits_of(&quick).wwt_ms);
		}
	}
	for (size_t c = 0; c < COUNT(clocks); c++) {
		for (uint8_t bwi = 0; bwi <= 9; bwi++) {
			const struct timing t = { clocks[c], 0x11, 0, 10, bwi };
			const uint32_t got = t1_ms(&t, 518, 255);
			char name[40];

			snprintf(name, sizeof name, "%u kHz, BWI %u, 255 times", clocks[c], bwi);
			CHECK(name, got == TIMING_LONGEST_MS || got >= UINT64_C(255) * waits_of(&t).bwt_ms);
		}
	}
	CHECK("no clock at all", t0_ms(&(const struct timing){ 0, 0x11, 0, 10, 0 }, 263) > 0);
	check_done();
}

/* What was worked out is kept only as long as it fits. */
static void worked_out_anew_when_it_changes(void **state)
{
	struct timing t = { 0 };
	struct waits w = { 0 };

	(void)state;
	waits_update(&w, &t);
	CHECK_INT("of no clock", w.wwt_ms, waits_of(&t).wwt_ms);
	CHECK("which is a time", w.wwt_ms > 0);
	for (size_t i = 0; i < COUNT(wwt_rows); i++) {
		t = wwt_rows[i].timing;
		waits_update(&w, &t);
		CHECK_INT(wwt_rows[i].name, w.wwt_ms, waits_of(&t).wwt_ms);
		t.bwi++;
		waits_update(&w, &t);
		CHECK_INT(wwt_rows[i].name, w.bwt_ms, waits_of(&t).bwt_ms);
		t.guard_time++;
		waits_update(&w, &t);
		CHECK_INT(wwt_rows[i].name, waits_t0_ms(&w, 255), t0_ms(&t, 255));
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_waiting_time),
		cmocka_unit_test(a_whole_tpdu),
		cmocka_unit_test(never_too_short),
		cmocka_unit_test(worked_out_anew_when_it_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
