/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated card at its contacts: what goes in, what comes out, one row per rule. */
#include "check.h"

#include "card.h"

enum { STEPS_MAX = 10 };

/* One exchange: bytes to the card at a speed, the bytes that come back; none: the card is mute. */
struct step {
	uint8_t fidi;
	const char *send, *expect;
};

struct row {
	const char *name;
	const char *atr; /* NULL: the default one */
	struct step steps[STEPS_MAX];
};

static const struct row rows[] = {
	{ "7816-3 10.3.2: header, SW", NULL, { { 0x11, "00A4000C00", "9000" } } },
	{ "10.3.3: ACK, data, SW", NULL, { { 0x11, "00A4000C02", "A4" }, { 0x11, "2F02", "9000" } } },
	{ "outgoing data follows its ACK", NULL, { { 0x11, "8012AABB06", "12AABB000000019000" } } },
	{ "12.2.2: wrong Le",
	  NULL,
	  { { 0x11, "8012AABB00", "6C06" }, { 0x11, "8012AABB06", "12AABB000000019000" } } },
	{ "unknown INS", NULL, { { 0x11, "00F1000000", "6D00" } } },
	{ "unknown CLA", NULL, { { 0x11, "A0A4000002", "6E00" } } },
	{ "NULL bytes", NULL, { { 0x11, "8014020006", "6060140200000000019000" } } },
	{ "GET RESPONSE gives what was announced",
	  NULL,
	  { { 0x11, "8010000002", "10" },
	    { 0x11, "ABCD", "6106" },
	    { 0x11, "80C0000006", "C0ABCD000000019000" } } },
	{ "GET RESPONSE in parts",
	  NULL,
	  { { 0x11, "8010000002", "10" },
	    { 0x11, "ABCD", "6106" },
	    { 0x11, "80C0000002", "C0ABCD6104" },
	    { 0x11, "80C0000004", "C0000000019000" } } },
	{ "GET RESPONSE asks for too much",
	  NULL,
	  { { 0x11, "8010000002", "10" }, { 0x11, "ABCD", "6106" }, { 0x11, "80C0000007", "6C06" } } },
	{ "GET RESPONSE of another class",
	  NULL,
	  { { 0x11, "8010000002", "10" }, { 0x11, "ABCD", "6106" }, { 0x11, "00C0000006", "6E00" } } },
	{ "GET RESPONSE with nothing to give", NULL, { { 0x11, "00C0000006", "6985" } } },
	{ "another command forgets the answer",
	  NULL,
	  { { 0x11, "8010000002", "10" },
	    { 0x11, "ABCD", "6106" },
	    { 0x11, "00A4000C00", "9000" },
	    { 0x11, "80C0000006", "6985" } } },
	{ "PIN: tries count down to blocked",
	  NULL,
	  { { 0x11, "0020000101", "20" },
	    { 0x11, "30", "63C2" },
	    { 0x11, "0020000101", "20" },
	    { 0x11, "30", "63C1" },
	    { 0x11, "0020000101", "20" },
	    { 0x11, "30", "6983" } } },
	{ "PIN: what is none is no try",
	  NULL,
	  { { 0x11, "0020000101", "20" }, { 0x11, "00", "6A80" }, { 0x11, "0020000100", "63C3" } } },
	{ "PIN: padding where there is none",
	  NULL,
	  { { 0x11, "0020000108", "20" }, { 0x11, "31323334FFFFFFFF", "6A80" } } },
	{ "PUK: a new PIN for a blocked one",
	  NULL,
	  { { 0x11, "0020000101", "20" },
	    { 0x11, "30", "63C2" },
	    { 0x11, "0020000101", "20" },
	    { 0x11, "30", "63C1" },
	    { 0x11, "0020000101", "20" },
	    { 0x11, "30", "6983" },
	    { 0x11, "002C00010E", "2C" },
	    { 0x11, "3837363534333231393837363534", "9000" },
	    { 0x11, "0020000106", "20" },
	    { 0x11, "393837363534", "9000" } } },
	{ "PUK: alone, padded",
	  NULL,
	  { { 0x11, "002C010308", "2C" }, { 0x11, "87654321FFFFFFFF", "9000" } } },
	{ "PUK: wrong, and then what is none",
	  NULL,
	  { { 0x11, "002C010108", "2C" },
	    { 0x11, "3837363534333232", "63C2" },
	    { 0x11, "002C010107", "2C" },
	    { 0x11, "38373635343332", "63C1" },
	    { 0x11, "002C000108", "2C" },
	    { 0x11, "3837363534333231", "6A80" },
	    { 0x11, "0020000100", "63C3" } } },
	{ "PIN: eight bytes of ASCII",
	  NULL,
	  { { 0x11, "0020000208", "20" }, { 0x11, "31323334FFFFFFFF", "9000" } } },
	{ "PIN: eight bytes of ASCII, padded wrongly",
	  NULL,
	  { { 0x11, "0020000208", "20" }, { 0x11, "3132333400000000", "6A80" } } },
	{ "PIN: BCD", NULL, { { 0x11, "0020000308", "20" }, { 0x11, "1234FFFFFFFFFFFF", "9000" } } },
	{ "PIN: BCD, a nibble too late",
	  NULL,
	  { { 0x11, "0020000308", "20" }, { 0x11, "F1234FFFFFFFFFFF", "6A80" } } },
	{ "PIN: with its length",
	  NULL,
	  { { 0x11, "0020000408", "20" }, { 0x11, "241234FFFFFFFFFF", "9000" } } },
	{ "PIN: with a wrong length",
	  NULL,
	  { { 0x11, "0020000408", "20" }, { 0x11, "251234FFFFFFFFFF", "6A80" } } },
	{ "PIN: changed, old and new",
	  NULL,
	  { { 0x11, "002400010A", "24" },
	    { 0x11, "31323334353637383930", "9000" },
	    { 0x11, "0020000106", "20" },
	    { 0x11, "353637383930", "9000" } } },
	{ "PIN: not changed with a wrong old one",
	  NULL,
	  { { 0x11, "002400010A", "24" }, { 0x11, "31323335353637383930", "63C2" } } },
	{ "PIN: right",
	  NULL,
	  { { 0x11, "0020000104", "20" }, { 0x11, "31323334", "9000" }, { 0x11, "0020000100", "9000" } } },
	{ "PPS is echoed, then the card speaks faster",
	  "3B1094",
	  { { 0x11, "FF10947B", "FF10947B" }, { 0x94, "00A4000C00", "9000" } } },
	{ "the old speed after a PPS: mute, and lost",
	  "3B1094",
	  { { 0x11, "FF10947B", "FF10947B" }, { 0x11, "00A4000C00", "" }, { 0x94, "00A4000C00", "" } } },
	{ "PPS beyond TA1: PPS1 is left out",
	  "3B1094",
	  { { 0x11, "FF109679", "FF00FF" }, { 0x11, "00A4000C00", "9000" } } },
	{ "PPS with a wrong PCK: mute", "3B1094", { { 0x11, "FF109400", "" } } },
	{ "PPS for T=1: mute", "3B1094", { { 0x11, "FF11947A", "" } } },
	{ "no PPS after the first command",
	  "3B1094",
	  { { 0x11, "00A4000C00", "9000" }, { 0x11, "FF10947B00", "6E00" } } },
	{ "TA2: TA1 counts from the start", "3B90941000", { { 0x94, "00A4000C00", "9000" } } },
	{ "a speed that is not the card's", NULL, { { 0x94, "00A4000C00", "" } } },
};

static size_t bytes_of(const char *hex, uint8_t *out, size_t cap)
{
	size_t len = 0;
	unsigned value;

	for (; hex[0] && hex[1] && len < cap && sscanf(hex, "%2x", &value) == 1; hex += 2)
		out[len++] = (uint8_t)value;
	return len;
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
	uint8_t atr[SIM_ATR_MAX], send[64], want[64], got[600];
	size_t atr_len = row->atr ? bytes_of(row->atr, atr, sizeof atr) : 0;
	struct sim_card *card = sim_card_t0_new(row->atr ? atr : NULL, atr_len, SIM_5V);

	assert_non_null(card);
	card->ops->reset(card, SIM_5V, false);
	receive(card, SIM_FIDI_DEFAULT, got, sizeof got);
	for (size_t i = 0; i < STEPS_MAX && row->steps[i].send; i++) {
		const struct step *step = &row->steps[i];

		card->ops->send(card, step->fidi, send, bytes_of(step->send, send, sizeof send));
		CHECK_BYTES(row->name, got, receive(card, step->fidi, got, sizeof got), want,
			    bytes_of(step->expect, want, sizeof want));
	}
	sim_card_free(card);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		run_row(&rows[i]);
	check_done();
}

static void test_supply(void **state)
{
	struct sim_card *card = sim_card_t0_new(NULL, 0, SIM_3V);
	uint8_t got[64];

	(void)state;
	assert_non_null(card);
	card->ops->reset(card, SIM_5V, false);
	CHECK_INT("another class", receive(card, 0x11, got, sizeof got), 0);
	card->ops->reset(card, SIM_3V, false);
	CHECK_BYTES("its class", got, receive(card, 0x11, got, sizeof got), sim_default_atr,
		    sizeof sim_default_atr);
	card->ops->reset(card, 0, true);
	CHECK_INT("a warm reset keeps the supply", receive(card, 0x11, got, sizeof got),
		  sizeof sim_default_atr);
	card->ops->off(card);
	CHECK_INT("no power", receive(card, 0x11, got, sizeof got), 0);
	sim_card_free(card);
	check_done();
}

/* 600 bytes: 224, 224 and 152. */
static void test_long_answer(void **state)
{
	static const struct {
		const char *send;
		size_t len;
		uint8_t sw1, sw2;
	} parts[] = {
		{ "00CA010000", 2, 0x61, 0xE0 },
		{ "00C00000E0", 1 + 224 + 2, 0x61, 0xE0 },
		{ "00C00000E0", 1 + 224 + 2, 0x61, 0x98 },
		{ "00C0000098", 1 + 152 + 2, 0x90, 0x00 },
	};
	struct sim_card *card = sim_card_t0_new(NULL, 0, SIM_5V);
	uint8_t send[8], got[300];

	(void)state;
	assert_non_null(card);
	card->ops->reset(card, SIM_5V, false);
	receive(card, 0x11, got, sizeof got);
	for (size_t i = 0; i < COUNT(parts); i++) {
		card->ops->send(card, 0x11, send, bytes_of(parts[i].send, send, sizeof send));
		assert_int_equal(receive(card, 0x11, got, sizeof got), parts[i].len);
		CHECK_INT(parts[i].send, got[parts[i].len - 2], parts[i].sw1);
		CHECK_INT(parts[i].send, got[parts[i].len - 1], parts[i].sw2);
	}
	sim_card_free(card);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_supply),
		cmocka_unit_test(test_long_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
