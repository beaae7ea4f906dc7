/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The answer to reset (ISO/IEC 7816-3:2006, 8): every interface byte, truncation, and what hostile cards may send. */
#include "tpdu/atr.h"
#include "check.h"

/* What follows from an ATR; a row lists what differs from the defaults of table 6. */
struct facts {
	bool inverse;
	size_t historical_len;
	bool has_tck, tck_bad;
	uint16_t protocols; /* 0 stands for T=0 alone */
	uint8_t first_protocol;
	bool specific, specific_implicit, specific_fixed;
	uint8_t specific_protocol;
	uint8_t fi_di, guard_time, wi, ifsc, bwi_cwi; /* 0 stands for the default */
	bool bwi_cwi_zero, crc;
	uint8_t clock_stop, classes;
};

static const struct {
	const char *name;
	const uint8_t *atr;
	size_t len;
	struct facts want;
} fact_rows[] = {
	{ "3B 00: T=0, no TCK, defaults", BYTES(0x3B, 0x00), { 0 } },
	{ "3B 02 14 50", BYTES(0x3B, 0x02, 0x14, 0x50), { .historical_len = 2 } },
	{ "inverse with TB1 and TC1",
	  BYTES(0x3F, 0x65, 0x25, 0x08, 0x22, 0x04, 0x68, 0x90, 0x00),
	  { .inverse = true, .historical_len = 5, .guard_time = 8 } },
	{ "T=1, IFSC 128, TC1 FF",
	  BYTES(0x3B, 0xFA, 0x13, 0x00, 0xFF, 0x81, 0x31, 0x80, 0x45, 0x00, 0x31, 0xC1, 0x73, 0xC0, 0x01,
		0x00, 0x00, 0x90, 0x00, 0xB1),
	  { .historical_len = 10,
	    .has_tck = true,
	    .protocols = 2,
	    .first_protocol = 1,
	    .fi_di = 0x13,
	    .guard_time = 0xFF,
	    .ifsc = 128,
	    .bwi_cwi = 0x45 } },
	{ "T=1, IFSC 254",
	  BYTES(0x3B, 0xF7, 0x11, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x65, 0x43, 0x61, 0x6E, 0x6F, 0x6B, 0x65,
		0x79, 0x99),
	  { .historical_len = 7,
	    .has_tck = true,
	    .protocols = 2,
	    .first_protocol = 1,
	    .ifsc = 254,
	    .bwi_cwi = 0x65 } },

	/* Groups 1 and 2 */
	{ "TA1 96", BYTES(0x3B, 0x10, 0x96), { .fi_di = 0x96 } },
	{ "TB1 is ignored", BYTES(0x3B, 0x20, 0x25), { 0 } },
	{ "TC1 05", BYTES(0x3B, 0x40, 0x05), { .guard_time = 5 } },
	{ "TC2 20h", BYTES(0x3B, 0x80, 0x40, 0x20), { .wi = 0x20 } },
	{ "TC2 00 is reserved: 10", BYTES(0x3B, 0x80, 0x40, 0x00), { .wi = 10 } },
	{ "TC2 FF", BYTES(0x3B, 0x80, 0x40, 0xFF), { .wi = 255 } },
	{ "TA2: specific, T=0, may change", BYTES(0x3B, 0x80, 0x10, 0x00), { .specific = true } },
	{ "TA2: specific, cannot change",
	  BYTES(0x3B, 0x80, 0x10, 0x80),
	  { .specific = true, .specific_fixed = true } },
	{ "TA2: implicit values",
	  BYTES(0x3B, 0x80, 0x10, 0x10),
	  { .specific = true, .specific_implicit = true } },
	{ "TA2: T=1",
	  BYTES(0x3B, 0x90, 0x95, 0x11, 0x81, 0x95),
	  { .has_tck = true,
	    .protocols = 2,
	    .first_protocol = 1,
	    .specific = true,
	    .specific_protocol = 1,
	    .specific_fixed = true,
	    .fi_di = 0x95 } },
	{ "TA2: T=1, implicit and fixed",
	  BYTES(0x3B, 0x80, 0x11, 0x91, 0x00),
	  { .has_tck = true,
	    .protocols = 2,
	    .first_protocol = 1,
	    .specific = true,
	    .specific_protocol = 1,
	    .specific_fixed = true,
	    .specific_implicit = true } },

	/* T=1: the first TA, TB, TC behind a TD that says T=1, from the third group on */
	{ "T=1 only, defaults",
	  BYTES(0x3B, 0x80, 0x01, 0x81),
	  { .has_tck = true, .protocols = 2, .first_protocol = 1 } },
	{ "T=0 and T=1", BYTES(0x3B, 0x80, 0x80, 0x01, 0x01), { .has_tck = true, .protocols = 3 } },
	{ "IFSC 00 is reserved: 32",
	  BYTES(0x3B, 0x80, 0x80, 0x11, 0x00, 0x11),
	  { .has_tck = true, .protocols = 3 } },
	{ "IFSC FF is reserved: 254",
	  BYTES(0x3B, 0x80, 0x80, 0x11, 0xFF, 0xEE),
	  { .has_tck = true, .protocols = 3, .ifsc = 254 } },
	{ "IFSC 01",
	  BYTES(0x3B, 0x80, 0x80, 0x11, 0x01, 0x10),
	  { .has_tck = true, .protocols = 3, .ifsc = 1 } },
	{ "BWI 9 CWI 15",
	  BYTES(0x3B, 0x80, 0x80, 0x21, 0x9F, 0xBE),
	  { .has_tck = true, .protocols = 3, .bwi_cwi = 0x9F } },
	{ "BWI 10 is reserved: 9",
	  BYTES(0x3B, 0x80, 0x80, 0x21, 0xA5, 0x84),
	  { .has_tck = true, .protocols = 3, .bwi_cwi = 0x95 } },
	{ "BWI 15 is reserved: 9",
	  BYTES(0x3B, 0x80, 0x80, 0x21, 0xF0, 0xD1),
	  { .has_tck = true, .protocols = 3, .bwi_cwi = 0x90 } },
	{ "BWI 0 CWI 0",
	  BYTES(0x3B, 0x80, 0x80, 0x21, 0x00, 0x21),
	  { .has_tck = true, .protocols = 3, .bwi_cwi_zero = true } },
	{ "CRC",
	  BYTES(0x3B, 0x80, 0x80, 0x41, 0x01, 0x40),
	  { .has_tck = true, .protocols = 3, .crc = true } },
	{ "LRC", BYTES(0x3B, 0x80, 0x80, 0x41, 0x00, 0x41), { .has_tck = true, .protocols = 3 } },
	{ "TC for T=1: reserved bits are no CRC",
	  BYTES(0x3B, 0x80, 0x80, 0x41, 0xFE, 0xBF),
	  { .has_tck = true, .protocols = 3 } },
	{ "the first TA for T=1 counts",
	  BYTES(0x3B, 0x80, 0x81, 0x91, 0x40, 0x11, 0x80, 0x41),
	  { .has_tck = true, .protocols = 2, .first_protocol = 1, .ifsc = 0x40 } },
	{ "TA3 behind T=0 is no IFSC",
	  BYTES(0x3B, 0x80, 0x81, 0x90, 0x40, 0x01, 0xD0),
	  { .has_tck = true, .protocols = 3, .first_protocol = 1 } },
	{ "TC2 belongs to T=0, also where TD1 says T=1",
	  BYTES(0x3B, 0x80, 0x41, 0x15, 0xD4),
	  { .has_tck = true, .protocols = 2, .first_protocol = 1, .wi = 0x15 } },

	/* T=15: global bytes; it takes a TCK even beside T=0 alone, and it is no protocol to choose */
	{ "T=0 and T=15: classes A, B, C, clock stop low",
	  BYTES(0x3B, 0x80, 0x80, 0x1F, 0x47, 0x58),
	  { .has_tck = true, .protocols = 1, .clock_stop = 1, .classes = 7 } },
	{ "T=15: clock stop high, class C",
	  BYTES(0x3B, 0x80, 0x80, 0x1F, 0x84, 0x9B),
	  { .has_tck = true, .protocols = 1, .clock_stop = 2, .classes = 4 } },
	{ "T=15: either, classes A and B",
	  BYTES(0x3B, 0x80, 0x80, 0x1F, 0xC3, 0xDC),
	  { .has_tck = true, .protocols = 1, .clock_stop = 3, .classes = 3 } },
	{ "T=1 and T=15 with IFSC",
	  BYTES(0x3B, 0x80, 0x81, 0x91, 0xFE, 0x1F, 0xC7, 0xB6),
	  { .has_tck = true,
	    .protocols = 2,
	    .first_protocol = 1,
	    .ifsc = 254,
	    .clock_stop = 3,
	    .classes = 7 } },
	{ "T=15 without TA", BYTES(0x3B, 0x80, 0x80, 0x0F, 0x0F), { .has_tck = true, .protocols = 1 } },
	{ "T=14",
	  BYTES(0x3B, 0x80, 0x0E, 0x8E),
	  { .has_tck = true, .protocols = 1u << 14, .first_protocol = 14 } },

	/* TCK: noted, not refused */
	{ "wrong TCK",
	  BYTES(0x3B, 0x80, 0x01, 0x82),
	  { .has_tck = true, .tck_bad = true, .protocols = 2, .first_protocol = 1 } },
};

static void check_facts(const char *name, const struct atr *atr, const struct facts *want)
{
	uint8_t bwi_cwi = want->bwi_cwi_zero ? 0 : want->bwi_cwi ? want->bwi_cwi : 0x4D;

	CHECK_INT(name, atr->inverse, want->inverse);
	CHECK_INT(name, atr->historical_len, want->historical_len);
	CHECK_INT(name, atr->has_tck, want->has_tck);
	CHECK(name, !want->has_tck || atr->tck_ok == !want->tck_bad);
	CHECK_INT(name, atr->protocols, want->protocols ? want->protocols : 1);
	CHECK_INT(name, atr->first_protocol, want->first_protocol);
	CHECK_INT(name, atr->specific, want->specific);
	CHECK(name, !want->specific || atr->specific_protocol == want->specific_protocol);
	CHECK(name, !want->specific || atr->specific_implicit == want->specific_implicit);
	CHECK(name, !want->specific || atr->specific_changeable == !want->specific_fixed);
	CHECK_INT(name, atr->fi_di, want->fi_di ? want->fi_di : 0x11);
	CHECK_INT(name, atr->guard_time, want->guard_time);
	CHECK_INT(name, atr->wi, want->wi ? want->wi : 10);
	CHECK_INT(name, atr->ifsc, want->ifsc ? want->ifsc : 32);
	CHECK_INT(name, atr->bwi << 4 | atr->cwi, bwi_cwi);
	CHECK_INT(name, atr->crc, want->crc);
	CHECK_INT(name, atr->clock_stop, want->clock_stop);
	CHECK_INT(name, atr->classes, want->classes);
}

static void what_follows_from_an_atr(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fact_rows); i++) {
		const char *name = fact_rows[i].name;
		uint8_t *bytes = exact_copy(fact_rows[i].atr, fact_rows[i].len);
		size_t k = fact_rows[i].want.historical_len;
		struct atr atr;

		CHECK_INT(name, atr_decode(bytes, fact_rows[i].len, &atr), OC_OK);
		check_facts(name, &atr, &fact_rows[i].want);
		CHECK_INT(name, atr.len, fact_rows[i].len);
		CHECK(name,
		      k == 0 || atr.historical == bytes + fact_rows[i].len - k - fact_rows[i].want.has_tck);
		free(bytes);
	}
	check_done();
}

static void groups_of_a_long_atr(void **state)
{
	const uint8_t *bytes = fact_rows[3].atr;
	struct atr atr;

	(void)state;
	assert_int_equal(atr_decode(bytes, fact_rows[3].len, &atr), OC_OK);
	CHECK_INT("groups", atr.groups, 3);
	CHECK("TA1", atr.group[0].has_ta && atr.group[0].ta == 0x13);
	CHECK("TB1", atr.group[0].has_tb && atr.group[0].tb == 0x00);
	CHECK("TC1", atr.group[0].has_tc && atr.group[0].tc == 0xFF);
	CHECK("TD1", atr.group[0].has_td && atr.group[0].td == 0x81);
	CHECK("group 2", !atr.group[1].has_ta && !atr.group[1].has_tb && !atr.group[1].has_tc);
	CHECK("TD2", atr.group[1].has_td && atr.group[1].td == 0x31 && atr.group[1].t == 1);
	CHECK("TA3", atr.group[2].has_ta && atr.group[2].ta == 0x80 && atr.group[2].t == 1);
	CHECK("TB3", atr.group[2].has_tb && atr.group[2].tb == 0x45);
	CHECK("no TC3, no TD3", !atr.group[2].has_tc && !atr.group[2].has_td);
	check_done();
}

/* Cut off at each position: malformed, nothing written, nothing read beyond the end. A missing TCK alone is only noted. */
static void truncated_at_each_position(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fact_rows); i++) {
		size_t needed = fact_rows[i].len - fact_rows[i].want.has_tck;

		for (size_t len = 0; len < needed; len++) {
			uint8_t *bytes = exact_copy(fact_rows[i].atr, len);
			struct atr atr;
			char name[96];

			atr.len = 4711;
			snprintf(name, sizeof name, "%s, first %zu bytes", fact_rows[i].name, len);
			CHECK_INT(name, atr_decode(bytes, len, &atr), OC_E_ATR);
			CHECK_INT(name, atr.len, 4711);
			free(bytes);
		}
	}
	check_done();
}

static void missing_tck_is_noted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fact_rows); i++) {
		size_t len = fact_rows[i].len - 1;
		uint8_t *bytes;
		struct atr atr = { 0 };

		if (!fact_rows[i].want.has_tck)
			continue;
		bytes = exact_copy(fact_rows[i].atr, len);
		CHECK_INT(fact_rows[i].name, atr_decode(bytes, len, &atr), OC_OK);
		CHECK(fact_rows[i].name, !(atr.has_tck && atr.tck_ok));
		CHECK_INT(fact_rows[i].name, atr.protocols, fact_rows[i].want.protocols);
		CHECK_INT(fact_rows[i].name, atr.historical_len, fact_rows[i].want.historical_len);
		CHECK_INT(fact_rows[i].name, atr.len, len);
		free(bytes);
	}
	check_done();
}

/* A superfluous TCK of a T=0 card, or what a reader left behind. */
static void bytes_behind_the_end_are_left_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fact_rows); i++) {
		uint8_t bytes[ATR_MAX];
		struct atr atr;

		if (fact_rows[i].len >= ATR_MAX)
			continue;
		memset(bytes, 0xA5, sizeof bytes);
		memcpy(bytes, fact_rows[i].atr, fact_rows[i].len);
		CHECK_INT(fact_rows[i].name, atr_decode(bytes, fact_rows[i].len + 1, &atr), OC_OK);
		check_facts(fact_rows[i].name, &atr, &fact_rows[i].want);
		CHECK_INT(fact_rows[i].name, atr.len, fact_rows[i].len);
		CHECK_INT(fact_rows[i].name, atr_decode(bytes, ATR_MAX, &atr), OC_OK);
		CHECK_INT(fact_rows[i].name, atr.len, fact_rows[i].len);
	}
	check_done();
}

static void first_character(void **state)
{
	(void)state;
	for (unsigned ts = 0; ts < 256; ts++) {
		const uint8_t bytes[] = { (uint8_t)ts, 0x00 };
		struct atr atr;
		char name[16];

		snprintf(name, sizeof name, "TS %02Xh", ts);
		CHECK_INT(name, atr_decode(bytes, 2, &atr), ts == 0x3B || ts == 0x3F ? OC_OK : OC_E_ATR);
	}
	check_done();
}

/* 33 bytes are the most. */
static void the_longest_atr(void **state)
{
	uint8_t bytes[64];
	struct atr atr;

	(void)state;
	memset(bytes, 0, sizeof bytes);
	/* TD chain of T=1 with all bytes, 15 historical ones and TCK: 2 + 4 + 4 + 4 + 3 + 15 + 1 = 33 */
	memcpy(bytes,
	       ((const uint8_t[]){ 0x3B, 0xFF, 0x11, 0, 0, 0xF1, 0, 0, 0, 0xF1, 32, 0x4D, 0, 0x71, 0, 0, 0 }),
	       17);
	assert_int_equal(atr_decode(bytes, 33, &atr), OC_OK);
	CHECK_INT("33", atr.len, 33);
	CHECK_INT("33", atr.historical_len, 15);
	/* Handed over with more behind it: the ATR ends where it ends. */
	for (size_t len = 34; len <= sizeof bytes; len++) {
		uint8_t *copy = exact_copy(bytes, len);
		char name[16];

		snprintf(name, sizeof name, "%zu bytes", len);
		CHECK_INT(name, atr_decode(copy, len, &atr), OC_OK);
		CHECK_INT(name, atr.len, 33);
		copy[1] = 0;
		CHECK_INT(name, atr_decode(copy, len, &atr), OC_OK);
		CHECK_INT(name, atr.len, 2);
		free(copy);
	}
	check_done();
}

/* An ATR that announces 34 bytes before its TCK, all of them there. */
static void an_atr_that_is_longer_than_33(void **state)
{
	uint8_t bytes[48] = { 0x3B, 0xFF, 0x11, 0, 0, 0xF1, 0, 0, 0, 0xF1, 32, 0x4D, 0, 0xF1, 0, 0, 0, 0x11 };
	struct atr atr;

	(void)state;
	for (size_t len = 0; len <= sizeof bytes; len++) {
		uint8_t *copy = exact_copy(bytes, len);
		char name[16];

		snprintf(name, sizeof name, "%zu bytes", len);
		CHECK_INT(name, atr_decode(copy, len, &atr), OC_E_ATR);
		free(copy);
	}
	check_done();
}

/* TD bytes that always announce another one: no loop, no overrun, no ATR. */
static void endless_chains(void **state)
{
	(void)state;
	for (unsigned td = 0x80; td < 256; td++) {
		for (size_t len = 2; len <= 40; len++) {
			uint8_t *bytes = check_memory(len);
			struct atr atr;
			char name[40];

			memset(bytes, (int)td, len);
			bytes[0] = 0x3B;
			snprintf(name, sizeof name, "TD %02X, %zu bytes", td, len);
			CHECK_INT(name, atr_decode(bytes, len, &atr), OC_E_ATR);
			free(bytes);
		}
	}
	check_done();
}

/* Noise behind a good TS: whatever is accepted keeps the promises of struct atr. */
static void promises_hold_for_noise(void **state)
{
	uint32_t seed = 0xA7A7;

	(void)state;
	for (unsigned run = 0; run < 50000; run++) {
		uint8_t noise[36];
		size_t len = check_random(&seed) % sizeof noise;

		for (size_t i = 0; i < len; i++)
			noise[i] = (uint8_t)(check_random(&seed) >> 7);
		if (len)
			noise[0] = run & 1 ? 0x3B : 0x3F;
		uint8_t *bytes = exact_copy(noise, len);
		struct atr atr;

		if (atr_decode(bytes, len, &atr) == OC_OK) {
			CHECK("length", atr.len >= 2 && atr.len <= len && atr.len <= ATR_MAX);
			CHECK("groups", atr.groups <= ATR_MAX_GROUPS);
			CHECK("historical", atr.historical_len <= 15);
			CHECK("historical", atr.historical_len == 0 ||
						    (atr.historical >= bytes + 2 &&
						     atr.historical + atr.historical_len <= bytes + atr.len));
			CHECK("wi", atr.wi != 0);
			CHECK("ifsc", atr.ifsc >= 1 && atr.ifsc <= 254);
			CHECK("bwi", atr.bwi <= 9 && atr.cwi <= 15);
			CHECK("protocols", atr.protocols != 0);
			CHECK("first", atr.first_protocol <= 15 && atr.clock_stop <= 3);
		}
		free(bytes);
	}
	check_done();
}

/* ---- tables 7 and 8 ------------------------------------------------------------------------------------------------ */

static const unsigned fi_table[16] = { 372, 372, 558, 744,  1116, 1488, 1860, 0,
				       0,   512, 768, 1024, 1536, 2048, 0,    0 };
static const unsigned di_table[16] = { 0, 1, 2, 4, 8, 16, 32, 64, 12, 20, 0, 0, 0, 0, 0, 0 };

static void tables_of_fi_and_di(void **state)
{
	(void)state;
	for (unsigned ta1 = 0; ta1 < 256; ta1++) {
		unsigned fi = 0, di = 0, want_fi = fi_table[ta1 >> 4], want_di = di_table[ta1 & 15];
		bool want = want_fi && want_di;
		char name[16];

		snprintf(name, sizeof name, "TA1 %02Xh", ta1);
		CHECK_INT(name, atr_fi_di((uint8_t)ta1, &fi, &di), want);
		if (want) {
			CHECK_INT(name, fi, want_fi);
			CHECK_INT(name, di, want_di);
		}
		CHECK_INT(name, atr_rate((uint8_t)ta1, 4000) != 0, want);
	}
	check_done();
}

static const struct {
	uint8_t ta1;
	uint32_t clock_khz, low, high; /* rounding is free */
} rate_rows[] = {
	{ 0x11, 4000, 10752, 10753 },
	{ 0x13, 4000, 43010, 43011 },
	{ 0x18, 4000, 129032, 129033 },
	{ 0x94, 4000, 62500, 62500 },
	{ 0x95, 4000, 125000, 125000 },
	{ 0x96, 4000, 250000, 250000 },
	{ 0x97, 4000, 500000, 500000 },
	{ 0x11, 3580, 9623, 9624 },
	{ 0x01, 4800, 12903, 12904 },
	{ 0x97, 20000, 2500000, 2500000 },
	{ 0x11, 0, 0, 0 },
	{ 0x74, 4000, 0, 0 },
	{ 0x10, 4000, 0, 0 },
	{ 0xE1, 4000, 0, 0 },
	{ 0x1A, 4000, 0, 0 },
};

static void rates(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rate_rows); i++) {
		uint32_t rate = atr_rate(rate_rows[i].ta1, rate_rows[i].clock_khz);
		char name[40];

		snprintf(name, sizeof name, "TA1 %02Xh at %u kHz: %u", rate_rows[i].ta1,
			 rate_rows[i].clock_khz, rate);
		CHECK(name, rate >= rate_rows[i].low && rate <= rate_rows[i].high);
	}
	/* A clock that a hostile descriptor may name: no overflow below the true rate */
	CHECK("huge clock", atr_rate(0x97, 0xFFFFFFFF) >= 0x80000000u);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_follows_from_an_atr),
		cmocka_unit_test(groups_of_a_long_atr),
		cmocka_unit_test(truncated_at_each_position),
		cmocka_unit_test(missing_tck_is_noted),
		cmocka_unit_test(bytes_behind_the_end_are_left_alone),
		cmocka_unit_test(first_character),
		cmocka_unit_test(the_longest_atr),
		cmocka_unit_test(an_atr_that_is_longer_than_33),
		cmocka_unit_test(endless_chains),
		cmocka_unit_test(promises_hold_for_noise),
		cmocka_unit_test(tables_of_fi_and_di),
		cmocka_unit_test(rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
