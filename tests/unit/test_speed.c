/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which Fi and Di are tried with a card and a reader, and what is remembered (ISO/IEC 7816-3:2006, 8.3 and 9). */
#include "slot/speed.h"
#include "check.h"

#define RATES(...)                                             \
	{                                                      \
		true, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4, \
		{                                              \
			__VA_ARGS__                            \
		}                                              \
	}
#define ANY_RATE          \
	{                 \
		false, 0, \
		{         \
			0 \
		}         \
	}

/* At 4 MHz: 11h 10752, 94h 62500, 95h 125000, 96h 250000, 97h 500000, 13h 43010, 14h 86021, 15h 172043, 18h 129032 */
static const struct {
	const char *name;
	uint32_t clock, max_rate;
	struct data_rates rates;
	uint8_t ta1, remembered;
	uint8_t plan[SPEED_TRIES];
	unsigned n;
} plan_rows[] = {
	{ "the default", 4000, 500000, ANY_RATE, 0x11, 0, { 0x11 }, 1 },
	{ "TA1, one lower, the default", 4000, 500000, ANY_RATE, 0x96, 0, { 0x96, 0x95, 0x11 }, 3 },
	{ "there is nothing between", 4000, 500000, ANY_RATE, 0x12, 0, { 0x12, 0x11 }, 2 },
	{ "the reader is slower than the card", 4000, 250000, ANY_RATE, 0x97, 0, { 0x96, 0x95, 0x11 }, 3 },
	{ "rounding: two bps of tolerance", 4000, 249998, ANY_RATE, 0x96, 0, { 0x96, 0x95, 0x11 }, 3 },
	{ "three are too many", 4000, 249997, ANY_RATE, 0x96, 0, { 0x95, 0x94, 0x11 }, 3 },
	{ "the reader knows the default rate only", 4000, 0, ANY_RATE, 0x96, 0, { 0x11 }, 1 },
	{ "the reader's fastest is the default", 4000, 10753, ANY_RATE, 0x96, 0, { 0x11 }, 1 },
	{ "slower than the default: never", 4000, 500000, ANY_RATE, 0x61, 0, { 0x11 }, 1 },
	{ "Fi slower, Di faster", 4000, 500000, ANY_RATE, 0x62, 0, { 0x11 }, 1 },
	{ "Fi is index 0", 4000, 500000, ANY_RATE, 0x02, 0, { 0x02, 0x11 }, 2 },
	{ "Fi reserved", 4000, 500000, ANY_RATE, 0x76, 0, { 0x11 }, 1 },
	{ "Fi reserved, the last one", 4000, 500000, ANY_RATE, 0xF6, 0, { 0x11 }, 1 },
	{ "Di 0 is reserved", 4000, 500000, ANY_RATE, 0x90, 0, { 0x11 }, 1 },
	/* 1997: A to F were fractions, slower than the default. Nothing is known of what the card takes. */
	{ "Di A is reserved", 4000, 500000, ANY_RATE, 0x9A, 0, { 0x11 }, 1 },
	{ "Di F is reserved", 4000, 500000, ANY_RATE, 0x1F, 0, { 0x11 }, 1 },
	{ "Di 8 is 12, and 8 follows", 4000, 500000, ANY_RATE, 0x18, 0, { 0x18, 0x14, 0x11 }, 3 },
	{ "Di 8, a clock of 3580", 3580, 344086, ANY_RATE, 0x18, 0, { 0x18, 0x14, 0x11 }, 3 },
	{ "Di 8 is too fast for the reader: not 16, which is more",
	  4000,
	  129000,
	  ANY_RATE,
	  0x18,
	  0,
	  { 0x14, 0x13, 0x11 },
	  3 },

	{ "a list that has TA1", 4000, 500000, RATES(10753, 250000), 0x96, 0, { 0x96, 0x11 }, 2 },
	{ "a list that has a lower one", 4000, 500000, RATES(10753, 62500), 0x96, 0, { 0x94, 0x11 }, 2 },
	{ "a list that has none", 4000, 500000, RATES(10753, 9600), 0x96, 0, { 0x11 }, 1 },
	{ "a list that has a faster one", 4000, 500000, RATES(500000), 0x96, 0, { 0x11 }, 1 },
	{ "a list: rounding", 4000, 500000, RATES(250002, 124998), 0x96, 0, { 0x96, 0x95, 0x11 }, 3 },
	{ "a list: rounding has an end", 4000, 500000, RATES(250003, 124997), 0x96, 0, { 0x11 }, 1 },
	{ "a list above the reader's own limit",
	  4000,
	  125000,
	  RATES(250000, 125000),
	  0x96,
	  0,
	  { 0x95, 0x11 },
	  2 },
	{ "a list: Di 12 is not in it, 16 is, and the card does not offer that",
	  4000,
	  500000,
	  RATES(172043, 86021),
	  0x18,
	  0,
	  { 0x14, 0x11 },
	  2 },

	{ "95 was the fastest that came through",
	  4000,
	  500000,
	  ANY_RATE,
	  0x96,
	  0x95,
	  { 0x95, 0x94, 0x11 },
	  3 },
	{ "nothing but the default did", 4000, 500000, ANY_RATE, 0x96, 0x11, { 0x11 }, 1 },
	{ "94 did", 4000, 500000, ANY_RATE, 0x96, 0x94, { 0x94, 0x93, 0x11 }, 3 },
	{ "what is remembered is faster than what is offered",
	  4000,
	  500000,
	  ANY_RATE,
	  0x94,
	  0x96,
	  { 0x94, 0x93, 0x11 },
	  3 },
};

static void plans(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(plan_rows); i++) {
		const struct ccid_caps caps = { .clock_khz = plan_rows[i].clock,
						.max_rate = plan_rows[i].max_rate };
		uint8_t plan[SPEED_TRIES + 1];
		unsigned n;

		memset(plan, 0xEE, sizeof plan);
		n = speed_plan(&caps, &plan_rows[i].rates, plan_rows[i].ta1, plan_rows[i].remembered, plan);
		CHECK_BYTES(plan_rows[i].name, plan, n, plan_rows[i].plan, plan_rows[i].n);
		CHECK_INT(plan_rows[i].name, plan[SPEED_TRIES], 0xEE);
	}
	check_done();
}

/* What must hold for every TA1, clock and fastest rate. */
static void check_plan(const struct ccid_caps *caps, uint8_t ta1, const uint8_t *plan, unsigned n)
{
	static const struct data_rates any;
	const uint32_t offered = atr_rate(ta1, caps->clock_khz), slowest = atr_rate(0x11, caps->clock_khz);
	char name[64];

	snprintf(name, sizeof name, "TA1 %02X, %u kHz, %u bps", ta1, (unsigned)caps->clock_khz,
		 (unsigned)caps->max_rate);
	CHECK(name, n >= 1 && n <= SPEED_TRIES);
	CHECK_INT(name, plan[n - 1], SPEED_DEFAULT);
	for (unsigned i = 0; i + 1 < n; i++) {
		const uint32_t bps = atr_rate(plan[i], caps->clock_khz);

		CHECK_INT(name, plan[i] >> 4, ta1 >> 4);
		CHECK(name, bps > slowest && bps <= offered);
		CHECK(name, speed_possible(caps, &any, plan[i]));
		CHECK(name, bps > atr_rate(plan[i + 1], caps->clock_khz));
	}
}

static void every_plan(void **state)
{
	static const uint32_t clocks[] = { 3580, 4000, 4800, 16000 };
	static const uint32_t rates[] = { 0, 9600, 115200, 129032, 344105, 600000, UINT32_MAX };
	static const struct data_rates any;

	(void)state;
	for (unsigned ta1 = 0; ta1 < 256; ta1++)
		for (size_t c = 0; c < COUNT(clocks); c++)
			for (size_t r = 0; r < COUNT(rates); r++) {
				const struct ccid_caps caps = { .clock_khz = clocks[c],
								.max_rate = rates[r] };
				uint8_t plan[SPEED_TRIES];
				const unsigned n = speed_plan(&caps, &any, (uint8_t)ta1, 0, plan);

				check_plan(&caps, (uint8_t)ta1, plan, n);
			}
	check_done();
}

/* ---- GET_DATA_RATES ------------------------------------------------------------------------------------------------- */

#define LE32(n) (uint8_t)(n), (uint8_t)((n) >> 8), (uint8_t)((n) >> 16), (uint8_t)((uint32_t)(n) >> 24)

static const struct {
	const char *name;
	const uint8_t *bytes;
	size_t len;
	unsigned count;
	uint32_t last;
} rates_rows[] = {
	{ "two", BYTES(LE32(10753), LE32(250000)), 2, 250000 },
	{ "one", BYTES(LE32(9600)), 1, 9600 },
	{ "cut off", BYTES(LE32(10753), LE32(250000), 1, 2), 0, 0 },
	{ "a byte too many", BYTES(LE32(10753), 0), 0, 0 },
	{ "three bytes", BYTES(1, 2, 3), 0, 0 },
	{ "all zero", BYTES(LE32(0), LE32(0)), 0, 0 },
	{ "a zero among them", BYTES(LE32(10753), LE32(0), LE32(250000)), 0, 0 },
	{ "absurd", BYTES(LE32(10753), LE32(0xFFFFFFFF)), 0, 0 },
	{ "twice the same", BYTES(LE32(10753), LE32(10753)), 2, 10753 },
};

static void lists_of_rates(void **state)
{
	struct data_rates rates = { 0 };
	uint8_t many[4 * DATA_RATES_MAX + 8] = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(rates_rows); i++) {
		uint8_t *exact = exact_copy(rates_rows[i].bytes, rates_rows[i].len);

		rates.count = 77;
		speed_take_rates(&rates, exact, rates_rows[i].len);
		CHECK_INT(rates_rows[i].name, rates.count, rates_rows[i].count);
		if (rates_rows[i].count)
			CHECK_INT(rates_rows[i].name, rates.bps[rates.count - 1], rates_rows[i].last);
		free(exact);
	}
	speed_take_rates(&rates, many, 0);
	CHECK_INT("nothing", rates.count, 0);
	for (size_t i = 0; i < sizeof many; i++)
		many[i] = i % 4 == 1;
	speed_take_rates(&rates, many, sizeof many);
	CHECK("more than there can be", rates.count <= DATA_RATES_MAX);
	check_done();
}

/* ---- the memory ------------------------------------------------------------------------------------------------------ */

static void what_is_remembered(void **state)
{
	const uint8_t a[] = { 0x3B, 0x10, 0x96 }, b[] = { 0x3B, 0x10, 0x95 };
	struct speed_memory memory = { 0 };

	(void)state;
	CHECK_INT("nothing yet", speed_recall(&memory, a, sizeof a), 0);
	speed_remember(&memory, a, sizeof a, 0x95);
	CHECK_INT("this card", speed_recall(&memory, a, sizeof a), 0x95);
	CHECK_INT("another card", speed_recall(&memory, b, sizeof b), 0);
	CHECK_INT("the beginning of its ATR is another card", speed_recall(&memory, a, 2), 0);
	speed_remember(&memory, b, sizeof b, 0x11);
	speed_remember(&memory, a, sizeof a, 0x94);
	CHECK_INT("lower still", speed_recall(&memory, a, sizeof a), 0x94);
	CHECK_INT("the other one as it was", speed_recall(&memory, b, sizeof b), 0x11);
	CHECK_INT("no ATR, no memory", speed_recall(&memory, a, 0), 0);
	check_done();
}

/* The oldest make room; telling one again does not push out another. */
static void the_memory_is_bounded(void **state)
{
	struct speed_memory memory = { 0 };
	uint8_t atr[ATR_MAX] = { 0x3B };

	(void)state;
	for (unsigned i = 0; i < SPEED_MEMORY; i++) {
		atr[1] = (uint8_t)i;
		for (unsigned times = 0; times < 3; times++)
			speed_remember(&memory, atr, sizeof atr, (uint8_t)(0x91 + i % 7));
	}
	for (unsigned i = 0; i < SPEED_MEMORY; i++) {
		atr[1] = (uint8_t)i;
		CHECK_INT("all of them", speed_recall(&memory, atr, sizeof atr), 0x91 + i % 7);
	}
	atr[1] = 100;
	speed_remember(&memory, atr, sizeof atr, 0x12);
	CHECK_INT("the new one", speed_recall(&memory, atr, sizeof atr), 0x12);
	atr[1] = 0;
	CHECK_INT("the oldest is gone", speed_recall(&memory, atr, sizeof atr), 0);
	atr[1] = 1;
	CHECK_INT("the next oldest is not", speed_recall(&memory, atr, sizeof atr), 0x92);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans),
		cmocka_unit_test(every_plan),
		cmocka_unit_test(lists_of_rates),
		cmocka_unit_test(what_is_remembered),
		cmocka_unit_test(the_memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
