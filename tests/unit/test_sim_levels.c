/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated reader beyond T=0: blocks of T=1, characters, APDUs in parts, tokens on the control pipe. */
#include "check.h"

#include "card_spec.h"
#include "hex.h"
#include "reader.h"

enum {
	STEPS_MAX = 8,
	TPDU = 0x000100BA,
	TPDU_IFSD = 0x000104BA,
	CHARACTER = 0x000000BA,
	EXTENDED = 0x000400BA,
	SHORT = 0x000200BA,
};

/*
 * out: the payload of an XfrBlock; with a + at its end, a T=1 block that gets its LRC. in: the payload of the answer, likewise;
 * "!xx" = failed with this bError.
 */
struct step {
	const char *out, *in;
	uint16_t level;
	uint8_t bwi, chain; /* chain: bChainParameter of the answer */
};

struct row {
	const char *name;
	uint32_t features;
	uint16_t max_message;
	const char *card;
	unsigned violations;
	struct step steps[STEPS_MAX];
};

#define CASE_1    "0000 04 80160000+"
#define CASE_1_OK "0000 02 9000+"

static const struct row rows[] = {
	{ "an I-block", TPDU, 271, "t1", 0, { { CASE_1, CASE_1_OK, 0, 0, 0 } } },
	{ "a wrong EDC is the host's fault",
	  TPDU,
	  271,
	  "t1",
	  1,
	  { { "0000 04 80160000 00", "008100+", 0, 0, 0 } } },
	{ "LEN does not fit", TPDU, 271, "t1", 1, { { "0000 05 80160000+", "!01", 0, 0, 0 } } },
	{ "CRC", TPDU, 271, "t1,crc", 0, { { "00C1 01 FC 775C", "00E1 01 FC 7467", 0, 0, 0 } } },
	{ "S(IFS request)", TPDU, 271, "t1", 0, { { "00C1 01 FC+", "00E1 01 FC+", 0, 0, 0 } } },
	{ "S(IFS request) above dwMaxIFSD",
	  TPDU,
	  271,
	  "t1",
	  1,
	  { { "00C1 01 FE+", "00E1 01 FE+", 0, 0, 0 } } },
	{ "automatic IFSD: the card knows it before the first block",
	  TPDU_IFSD,
	  271,
	  "t1",
	  0,
	  { { "0000 05 00CA010028+",
	      "0000 2A 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F2021222324252627 "
	      "9000+",
	      0, 0, 0 } } },
	{ "without it the card keeps to 32",
	  TPDU,
	  271,
	  "t1",
	  0,
	  { { "0000 05 00CA010028+",
	      "0020 20 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F+", 0, 0, 0 },
	    { "009000+", "0040 0A 2021222324252627 9000+", 0, 0, 0 } } },
	{ "bBWI grants what was asked for",
	  TPDU,
	  271,
	  "t1,wtx=1,factor=5",
	  0,
	  { { CASE_1, "00C3 01 05+", 0, 0, 0 }, { "00E3 01 05+", CASE_1_OK, 0, 5, 0 } } },
	{ "bBWI grants something else",
	  TPDU,
	  271,
	  "t1,wtx=1,factor=5",
	  1,
	  { { CASE_1, "00C3 01 05+", 0, 0, 0 }, { "00E3 01 05+", CASE_1_OK, 0, 1, 0 } } },
	{ "bBWI without a reason", TPDU, 271, "t1", 1, { { CASE_1, CASE_1_OK, 0, 3, 0 } } },
	{ "wLevelParameter at TPDU level", TPDU, 271, "t1", 1, { { CASE_1, "!08", 1, 0, 0 } } },
	{ "characters: a prologue, and what it announces",
	  CHARACTER,
	  271,
	  "t1",
	  0,
	  { { CASE_1, "0000 02", 3, 0, 0 }, { "", "9000 92", 3, 0, 0 } } },
	{ "characters: a procedure byte, the rest",
	  CHARACTER,
	  271,
	  "t0",
	  0,
	  { { "8012ABCD06", "12", 1, 0, 0 }, { "", "ABCD000000019000", 8, 0, 0 } } },
	{ "characters: the card is not waited for",
	  CHARACTER,
	  271,
	  "t0",
	  0,
	  { { "8016000000", "9000", 5, 0, 0 } } },
	{ "characters: more than a message", CHARACTER, 20, "t0", 1, { { "8016000000", "9000", 11, 0, 0 } } },
	{ "a command in parts",
	  EXTENDED,
	  18,
	  "t1",
	  0,
	  { { "80160000 08 010203", "", 1, 0, 0x10 },
	    { "0405", "", 3, 0, 0x10 },
	    { "060708", "9000", 2, 0, 0 } } },
	{ "an answer in parts",
	  EXTENDED,
	  18,
	  "t0",
	  0,
	  { { "00CA0101 14", "0001020304050607", 0, 0, 1 },
	    { "", "08090A0B0C0D0E0F", 0x10, 0, 3 },
	    { "", "101112139000", 0x10, 0, 2 } } },
	{ "a part out of order", EXTENDED, 18, "t1", 1, { { "8016", "!08", 3, 0, 0 } } },
	{ "a new command into an answer",
	  EXTENDED,
	  18,
	  "t0",
	  1,
	  { { "00CA0101 14", "0001020304050607", 0, 0, 1 }, { "80160000", "!08", 0, 0, 0 } } },
	{ "nothing to go on with", EXTENDED, 18, "t1", 1, { { "", "!08", 0x10, 0, 0 } } },
	{ "short APDU level: T=1 by the reader",
	  SHORT,
	  271,
	  "t1,chain=3,ifsc=4,wtx=3",
	  0,
	  { { "8010000005 0102030405 09", "010203040500000001 9000", 0, 0, 0 } } },
	{ "short APDU level: no extended APDUs",
	  SHORT,
	  271,
	  "t1",
	  1,
	  { { "80160000 0000 01 AA", "!01", 0, 0, 0 } } },
};

static size_t bytes_of(const char *text, uint8_t *out, size_t cap)
{
	char digits[256];
	const size_t len = strlen(text);
	const bool block = len && text[len - 1] == '+';
	size_t count = 0;

	assert_true(len < sizeof digits);
	memcpy(digits, text, len + 1);
	digits[len - block] = '\0';
	assert_true(hex_parse(digits, out, cap - 2, &count));
	return block ? sim_t1_seal(out, count, false) : count;
}

static struct sim_reader *make_reader(const struct sim_identity *id, const char *card)
{
	struct sim_reader *r = sim_reader_new(id);
	struct sim_card_spec spec;

	assert_non_null(r);
	assert_null(sim_card_spec_parse(card, &spec));
	assert_int_equal(sim_reader_insert(r, 0, sim_card_make(&spec, SIM_5V), 0), 0);
	return r;
}

/* The answer that ends the command; time extensions before it are passed over. */
static size_t ask(struct sim_reader *r, uint8_t *message, size_t len, uint8_t *got, size_t cap)
{
	size_t got_len = 0;

	message[1] = (uint8_t)(len - 10);
	assert_int_equal(sim_reader_bulk_out(r, message, len, 0), SIM_DONE);
	do {
		if (sim_reader_bulk_in(r, got, cap, &got_len, 100000) != SIM_DONE)
			return 0;
	} while (got[7] & 0x80);
	return got_len;
}

static void run_step(const char *name, struct sim_reader *r, const struct step *s)
{
	uint8_t out[128] = { 0x6F, 0, 0, 0, 0, 0, 1, s->bwi, (uint8_t)s->level, (uint8_t)(s->level >> 8) };
	uint8_t got[300] = { 0 }, want[128];
	const size_t len = ask(r, out, 10 + bytes_of(s->out, out + 10, sizeof out - 10), got, sizeof got);

	CHECK(name, len >= 10);
	if (s->in[0] == '!') {
		CHECK_INT(name, bytes_of(s->in + 1, want, sizeof want), 1);
		CHECK_INT(name, got[7], 0x40);
		CHECK_INT(name, got[8], want[0]);
		return;
	}
	CHECK_BYTES(name, got + 10, len - 10, want, bytes_of(s->in, want, sizeof want));
	CHECK_INT(name, got[7], 0);
	CHECK_INT(name, got[9], s->chain);
}

static void power_on(struct sim_reader *r)
{
	uint8_t on[10] = { 0x62 }, got[64];

	assert_true(ask(r, on, sizeof on, got, sizeof got) > 10);
}

static void set_word(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static void test_levels(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct sim_identity id;
		struct sim_reader *r;

		sim_identity_default(&id);
		set_word(id.descriptor + 40, row->features);
		set_word(id.descriptor + 44, row->max_message);
		r = make_reader(&id, row->card);
		power_on(r);
		for (size_t n = 0; n < STEPS_MAX && row->steps[n].out; n++)
			run_step(row->name, r, &row->steps[n]);
		CHECK_INT(row->name, sim_reader_stats(r)->violations, row->violations);
		sim_reader_free(r);
	}
	check_done();
}

/* Each kind of damage, to every second block. */
static void test_damage(void **state)
{
	static const struct step good = { CASE_1, CASE_1_OK, 0, 0, 0 };
	static const struct {
		const char *name;
		enum sim_damage_kind kind;
		struct step bad;
	} kinds[] = {
		{ "in", SIM_DAMAGE_IN, { "0040 04 80160000+", "0040 02 8000 D2", 0, 0, 0 } },
		{ "out", SIM_DAMAGE_OUT, { "0040 04 80160000+", "009100+", 0, 0, 0 } },
		{ "parity", SIM_DAMAGE_PARITY, { "0040 04 80160000+", "!FD", 0, 0, 0 } },
		{ "lost", SIM_DAMAGE_LOST, { "0040 04 80160000+", "!FE", 0, 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct sim_identity id;
		struct sim_reader *r;

		sim_identity_default(&id);
		r = make_reader(&id, "t1");
		power_on(r);
		sim_reader_damage(r, kinds[i].kind, 2);
		run_step(kinds[i].name, r, &good);
		run_step(kinds[i].name, r, &kinds[i].bad);
		CHECK_INT(kinds[i].name, sim_reader_stats(r)->violations, 0);
		sim_reader_free(r);
	}
	check_done();
}

/* ---- tokens ------------------------------------------------------------------------------------------------------------- */

/* setup: eight bytes, and data behind them on the way out; in: what comes back, "stall", or "" */
struct request {
	const char *setup, *in;
};

#define POWER_A                                             \
	{                                                   \
		"A162 0000 0000 2200", "3B6500004F43494431" \
	}
#define POWER_B                                                \
	{ "2162 0100 0000 0000", "" },                         \
	{                                                      \
		"A16F 0000 0000 0010", "00 3B6500004F43494431" \
	}

static const struct token {
	const char *name;
	uint8_t version;
	unsigned violations;
	struct request requests[STEPS_MAX];
} tokens[] = {
	{ "A: an answer to fetch",
	  1,
	  0,
	  { POWER_A,
	    { "A1A0 0000 0000 0100", "00" },
	    { "2165 0000 0000 0500 8012ABCD06", "" },
	    { "A1A0 0000 0000 0100", "10" },
	    { "A16F 0000 0000 0600", "ABCD00000001" },
	    { "A1A0 0000 0000 0100", "20" },
	    { "A16F 0000 0000 0200", "9000" } } },
	{ "A: data to bring",
	  1,
	  0,
	  { POWER_A,
	    { "2165 0000 0000 0500 8016000002", "" },
	    { "A1A0 0000 0000 0100", "10" },
	    { "2165 0000 0000 0200 ABCD", "" },
	    { "A1A0 0000 0000 0100", "20" },
	    { "A16F 0000 0000 0200", "9000" } } },
	{ "A: nothing to fetch", 1, 1, { POWER_A, { "A16F 0000 0000 0200", "stall" } } },
	{ "A: data that P3 does not announce",
	  1,
	  1,
	  { POWER_A, { "2165 0000 0000 0500 8016000002", "" }, { "2165 0000 0000 0300 ABCDEF", "stall" } } },
	{ "B: an APDU",
	  2,
	  0,
	  { POWER_B,
	    { "2165 0000 0000 0700 80160000 02 ABCD", "" },
	    { "A16F 0000 0000 0010", "00 9000" },
	    { "A181 0000 0000 0300", "400000" } } },
	{ "B: unpowered",
	  2,
	  0,
	  { { "A181 0000 0000 0300", "400100" },
	    { "2165 0000 0000 0400 80160000", "" },
	    { "A16F 0000 0000 0010", "4041FE" } } },
	{ "B: a card that thinks",
	  2,
	  0,
	  { POWER_B, { "2165 0000 0000 0500 8014010106", "" }, { "A16F 0000 0000 0010", "800200" } } },
	{ "B: nothing to fetch", 2, 1, { { "A16F 0000 0000 0010", "stall" } } },
	{ "B: a request of CCID", 2, 1, { { "2101 0000 0000 0000", "stall" } } },
};

static void run_request(const char *name, struct sim_reader *r, const struct request *q)
{
	uint8_t bytes[64] = { 0 }, data[4096] = { 0 }, want[64];
	const size_t len = bytes_of(q->setup, bytes, sizeof bytes);
	const bool in = bytes[0] & 0x80;
	size_t got = in ? (size_t)(bytes[6] | bytes[7] << 8) : len - 8;
	enum sim_io io;

	if (!in)
		memcpy(data, bytes + 8, len - 8);
	io = sim_reader_control(r, bytes, data, &got, 0);
	CHECK_INT(name, io, strcmp(q->in, "stall") == 0 ? SIM_STALL : SIM_DONE);
	if (in && io == SIM_DONE) {
		const size_t want_len = bytes_of(q->in, want, sizeof want);

		CHECK_BYTES(name, data, got, want, want_len);
	}
}

static void test_tokens(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(tokens); i++) {
		struct sim_identity id;
		struct sim_reader *r;

		sim_identity_default(&id);
		id.class[2] = tokens[i].version;
		id.endpoints = 0;
		set_word(id.descriptor + 40, 0x00020840);
		r = make_reader(&id, "t0");
		for (size_t n = 0; n < STEPS_MAX && tokens[i].requests[n].setup; n++)
			run_request(tokens[i].name, r, &tokens[i].requests[n]);
		CHECK_INT(tokens[i].name, sim_reader_stats(r)->violations, tokens[i].violations);
		sim_reader_free(r);
	}
	check_done();
}

/* ---- cards in words ----------------------------------------------------------------------------------------------------- */

static void test_words(void **state)
{
	static const struct {
		const char *text;
		const char *atr; /* NULL: refused */
	} words[] = {
		{ "t0", "" },
		{ "t0,ta1=96", "3B7596 0000 4F43494431" },
		{ "t0,ta1=94,specific", "3B9594 1000 4F43494431" },
		{ "t1", "3B858131FE45 4F43494431 BE" },
		{ "dual", "3B858031FE45 4F43494431 BF" },
		{ "openpgp", "3B9A1881B1FE751F03 0031C573C00100059000 F6" },
		{ "openpgp,ta1=11,crc", "3B9A1181F1FE75011F03 0031C573C00100059000 BE" },
		{ "3B 10 94", "3B1094" },
		{ "", NULL },
		{ "t2", NULL },
		{ "t1,ifsc", NULL },
		{ "t1,ifsc=255", NULL },
		{ "t1,crc=1", NULL },
		{ "t1,ta1=1FF", NULL },
		{ "t1,pps=maybe", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		struct sim_card_spec spec = { 0 };
		uint8_t want[SIM_ATR_MAX + 2];

		CHECK(words[i].text,
		      (sim_card_spec_parse(words[i].text, &spec) == NULL) == (words[i].atr != NULL));
		if (words[i].atr) {
			const size_t want_len = bytes_of(words[i].atr, want, sizeof want);

			CHECK_BYTES(words[i].text, spec.atr, spec.atr_len, want, want_len);
		}
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
