/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated T=1 card at its contacts: ATR, PPS, blocks as characters, and its commands without the detours of T=0. */
#include "check.h"

#include "atr.h"
#include "card_t1.h"
#include "tpdu/t1.h"

enum { STEPS_MAX = 5 };

/*
 * One exchange: hex to the card at a speed, hex that comes back; none: the card is mute. "+" at the end: the LRC belongs
 * there, in both directions.
 */
struct talk {
	uint8_t fidi;
	const char *send, *expect;
};

struct row {
	const char *name;
	struct sim_t1_atr atr;
	struct sim_t1_options options;
	struct talk steps[STEPS_MAX];
};

#define PLAIN                                \
	{ .ifsc = 254, .bwi = 4, .cwi = 5 }, \
	{                                    \
		0                            \
	}
static const struct row rows[] = {
	{ "I-block", PLAIN, { { 0x11, "000005 8012AABB06+", "000008 AABB000000019000+" } } },
	{ "an unknown INS", PLAIN, { { 0x11, "000004 00F10000+", "000002 6D00+" } } },
	{ "an unknown CLA", PLAIN, { { 0x11, "000004 A0F10000+", "000002 6E00+" } } },
	{ "no APDU", PLAIN, { { 0x11, "000003 00F100+", "000002 6700+" } } },
	{ "case 4 answers at once",
	  PLAIN,
	  { { 0x11, "000008 8010000002ABCD00+", "000008 ABCD000000019000+" } } },
	{ "case 3 brings no data", PLAIN, { { 0x11, "000007 8010000002ABCD+", "000002 9000+" } } },
	{ "Le too small: as much as asked for",
	  PLAIN,
	  { { 0x11, "000005 8012AABB02+", "000004 AABB9000+" } } },
	{ "Le too big: as much as there is",
	  PLAIN,
	  { { 0x11, "000005 8012AABB00+", "000008 AABB000000019000+" } } },
	{ "what T=0 keeps for GET RESPONSE",
	  PLAIN,
	  { { 0x11, "000007 00A40004022F02+", "000002 9000+" },
	    { 0x11, "004008 00A40004022F0200+", "00400C 6F08800200178302 2F029000+" } } },
	{ "GET RESPONSE has nothing", PLAIN, { { 0x11, "000005 00C0000000+", "000002 6985+" } } },
	{ "data for a command that takes none", PLAIN, { { 0x11, "000006 8012000001AA+", "000002 6700+" } } },
	{ "extended case 4",
	  PLAIN,
	  { { 0x11, "00000B 80100000000002ABCD0000+", "000008 ABCD000000019000+" } } },
	{ "SLOW asks for time",
	  PLAIN,
	  { { 0x11, "000005 8014020106+", "00C301 01+" },
	    { 0x11, "00E301 01+", "00C301 01+" },
	    { 0x11, "00E301 01+", "000008 0201000000019000+" } } },
	{ "600 bytes in a chain",
	  { .ifsc = 254 },
	  { .piece = 4 },
	  { { 0x11, "000005 00CA010006+", "002004 00010203+" }, { 0x11, "009000+", "004004 04059000+" } } },
	{ "IFSD", PLAIN, { { 0x11, "00C101 FE+", "00E101 FE+" } } },
	{ "RESYNCH",
	  PLAIN,
	  { { 0x11, "000004 00F10000+", "000002 6D00+" },
	    { 0x11, "00C000+", "00E000+" },
	    { 0x11, "000004 00F10000+", "000002 6D00+" } } },
	{ "a wrong EDC, and the block again",
	  PLAIN,
	  { { 0x11, "000004 00F10000 00", "008100+" }, { 0x11, "000004 00F10000+", "000002 6D00+" } } },
	{ "a block that is cut", PLAIN, { { 0x11, "000004 00F1", "008200+" } } },
	{ "bytes after the EDC", PLAIN, { { 0x11, "000000 00 55", "008200+" } } },
	{ "longer than IFSC", { .ifsc = 4 }, { 0 }, { { 0x11, "000005 8012AABB06+", "008200+" } } },
	{ "another node", PLAIN, { { 0x11, "120004 00F10000+", "008200+" } } },
	{ "CRC",
	  { .crc = true },
	  { 0 },
	  { { 0x11, "000004 00F10000 0000", "008100 AC27" },
	    { 0x11, "000004 00F10000 8877", "000002 6D00 501D" } } },
	{ "PPS",
	  { .ta1 = 0x96 },
	  { 0 },
	  { { 0x11, "FF119678", "FF119678" }, { 0x96, "008000+", "008000+" } } },
	{ "PPS beyond TA1",
	  { .ta1 = 0x94 },
	  { 0 },
	  { { 0x11, "FF119678", "FF01FE" }, { 0x11, "008000+", "008000+" } } },
	{ "PPS with a wrong PCK",
	  { .ta1 = 0x96 },
	  { 0 },
	  { { 0x11, "FF119600", "" }, { 0x11, "008000+", "" } } },
	{ "PPS for T=0", { .ta1 = 0x96 }, { 0 }, { { 0x11, "FF109679", "" } } },
	{ "no PPS in specific mode",
	  { .ta1 = 0x96, .specific = true },
	  { 0 },
	  { { 0x96, "008000+", "008000+" } } },
	{ "a speed that is not the card's", PLAIN, { { 0x94, "008000+", "" }, { 0x11, "008000+", "" } } },
	{ "both protocols: T=0 without PPS",
	  { .t0_too = true },
	  { 0 },
	  { { 0x11, "8012AABB06", "12AABB000000019000" } } },
	{ "both protocols: T=0 by PPS",
	  { .t0_too = true, .ta1 = 0x94 },
	  { 0 },
	  { { 0x11, "FF10947B", "FF10947B" }, { 0x94, "8012AABB06", "12AABB000000019000" } } },
	{ "both protocols: T=1 by PPS",
	  { .t0_too = true, .ta1 = 0x94 },
	  { 0 },
	  { { 0x11, "FF11947A", "FF11947A" }, { 0x94, "000005 8012AABB06+", "000008 AABB000000019000+" } } },
};

static size_t bytes_of(const char *hex, uint8_t *out, size_t cap)
{
	size_t len = 0;
	unsigned value;

	for (; *hex && *hex != '+' && len + 2 < cap; hex += 2) {
		hex += *hex == ' ';
		if (sscanf(hex, "%2x", &value) != 1)
			break;
		out[len++] = (uint8_t)value;
	}
	return *hex == '+' ? sim_t1_seal(out, len, false) : len;
}

static size_t receive(struct sim_card *card, uint8_t fidi, uint8_t *out, size_t cap)
{
	unsigned delay_ms;
	size_t len = 0;

	while (len < cap && card->ops->recv(card, fidi, &out[len], &delay_ms))
		len++;
	return len;
}

static void run_row(const struct row *row)
{
	uint8_t atr[SIM_ATR_MAX], send[300], want[300], got[300];
	const size_t atr_len = sim_t1_build_atr(&row->atr, atr);
	struct sim_card *card = sim_card_t1_new(atr, atr_len, &row->options, SIM_5V);
	size_t got_len;

	assert_non_null(card);
	for (unsigned warm = 0; warm < 2; warm++) {
		card->ops->reset(card, SIM_5V, warm);
		got_len = receive(card, SIM_FIDI_DEFAULT, got, sizeof got);
		CHECK_BYTES(row->name, got, got_len, atr, atr_len);
	}
	for (size_t i = 0; i < STEPS_MAX && row->steps[i].send; i++) {
		const struct talk *step = &row->steps[i];

		card->ops->send(card, step->fidi, send, bytes_of(step->send, send, sizeof send));
		CHECK_BYTES(row->name, got, receive(card, step->fidi, got, sizeof got), want,
			    bytes_of(step->expect, want, sizeof want));
	}
	card->ops->off(card);
	CHECK_INT(row->name, receive(card, SIM_FIDI_DEFAULT, got, sizeof got), 0);
	sim_card_free(card);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		run_row(&rows[i]);
	check_done();
}

static const struct {
	const char *name;
	struct sim_t1_atr what;
	const char *atr;
} atr_rows[] = {
	{ "bare", { 0 }, "3B800181" },
	{ "IFSC, BWI, CWI",
	  { .ifsc = 0xFE, .bwi = 4, .cwi = 5, .history = "OCID1" },
	  "3B858131FE454F43494431BE" },
	{ "CRC, TA1", { .ta1 = 0x96, .crc = true }, "3B9096814101C7" },
	{ "T=0 first", { .t0_too = true, .ifsc = 0x80 }, "3B8080118091" },
	{ "specific mode, classes", { .ta1 = 0x11, .specific = true, .classes = 7 }, "3B90119101811F0788" },
};

static void test_atr(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(atr_rows); i++) {
		uint8_t want[SIM_ATR_MAX + 2], atr[SIM_ATR_MAX];
		const size_t len = sim_t1_build_atr(&atr_rows[i].what, atr);
		const size_t want_len = bytes_of(atr_rows[i].atr, want, sizeof want);
		struct sim_atr seen;

		CHECK_BYTES(atr_rows[i].name, atr, len, want, want_len);
		sim_atr_parse(atr, len, &seen);
		CHECK(atr_rows[i].name, seen.valid && (seen.protocols & 2));
		CHECK_INT(atr_rows[i].name, seen.ifsc, atr_rows[i].what.ifsc ? atr_rows[i].what.ifsc : 32);
		CHECK_INT(atr_rows[i].name, seen.crc, atr_rows[i].what.crc);
	}
	check_done();
}

/* The driver's engine and this card, over characters. */
static enum step converse(struct t1 *t1, struct sim_card *card)
{
	uint8_t out[T1_BLOCK_MAX], got[SIM_T1_BLOCK_MAX];
	struct block block;
	enum step step;

	while ((step = t1_next(t1, out, &block)) == STEP_SEND) {
		struct reply reply = { .kind = REPLY_BLOCK, .data = got };

		card->ops->send(card, SIM_FIDI_DEFAULT, out, block.len);
		reply.len = receive(card, SIM_FIDI_DEFAULT, got, sizeof got);
		if (reply.len == 0)
			reply.kind = REPLY_SILENT;
		t1_feed(t1, &reply);
	}
	return step;
}

/* ECHO of 65,535 bytes and back: the longest that an APDU can be. */
static void test_longest(void **state)
{
	static uint8_t apdu[SIM_T1_APDU_MAX], answer[SIM_T1_ANSWER_MAX];
	const struct sim_t1_options options = {
		.wtx_every = 50, .wtx_factor = 3, .ifs_every = 40, .ifs_next = { 200, 254 }
	};
	struct sim_card *card = sim_card_t1_new(NULL, 0, &options, SIM_5V);
	uint8_t atr[SIM_ATR_MAX];
	struct t1 t1;

	(void)state;
	assert_non_null(card);
	memcpy(apdu, ((const uint8_t[]){ 0x80, 0x10, 0, 0, 0, 0xFF, 0xFF }), 7);
	for (size_t i = 0; i < 65535; i++)
		apdu[7 + i] = (uint8_t)(i ^ i >> 8);
	apdu[sizeof apdu - 2] = apdu[sizeof apdu - 1] = 0xFF;
	card->ops->reset(card, SIM_5V, false);
	receive(card, SIM_FIDI_DEFAULT, atr, sizeof atr);
	t1_start(&t1, 254, false, 0);
	assert_int_equal(t1_begin_ifsd(&t1, 254), OC_OK);
	assert_int_equal(converse(&t1, card), STEP_DONE);
	CHECK_INT("IFSD", t1.ifsd, 254);
	assert_int_equal(t1_begin(&t1, apdu, sizeof apdu, answer, sizeof answer), OC_OK);
	assert_int_equal(converse(&t1, card), STEP_DONE);
	CHECK_INT("length", t1.len, 65535 + 2);
	CHECK("data", memcmp(answer, apdu + 7, 65535) == 0 && answer[65535] == 0x90);
	sim_card_free(card);
	check_done();
}

static void test_supply(void **state)
{
	struct sim_card *card = sim_card_t1_new(NULL, 0, NULL, SIM_3V);
	uint8_t got[SIM_ATR_MAX];

	(void)state;
	assert_non_null(card);
	card->ops->reset(card, SIM_5V, false);
	CHECK_INT("another class", receive(card, SIM_FIDI_DEFAULT, got, sizeof got), 0);
	card->ops->reset(card, SIM_3V, false);
	CHECK("its class", receive(card, SIM_FIDI_DEFAULT, got, sizeof got) > 2);
	sim_card_free(card);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_atr),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_supply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
