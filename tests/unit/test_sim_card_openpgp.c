/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated OpenPGP card: what it says to commands in a row, what it writes down, and its card at the contacts. */
#include "check.h"

#include "card_openpgp.h"
#include "hex.h"

enum { STEPS_MAX = 8, HEX_MAX = 600 };

#define SELECT "00A4040006D27600012401"

struct step {
	const char *send, *expect; /* "!" as send: a reset */
};

static const struct row {
	const char *name;
	struct step steps[STEPS_MAX];
} rows[] = {
	{ "nothing before SELECT", { { "00CA004F00", "6985" }, { "0020008106313233343536", "6985" } } },
	{ "SELECT by the whole name", { { "00A4040010D276000124010304 0000000CC1D00000", "9000" } } },
	{ "SELECT of something else",
	  { { "00A4040006D27600012402", "6A82" }, { "00A4000C023F00", "6A82" } } },
	{ "SELECT of less than the application", { { "00A4040005D276000124", "6A82" } } },
	{ "AID", { { SELECT, "9000" }, { "00CA004F00", "D276000124010304 0000000CC1D00000 9000" } } },
	{ "GET DATA is cut to Le", { { SELECT, "9000" }, { "00CA004F02", "D2769000" } } },
	{ "optional objects", { { SELECT, "9000" }, { "00CA00F900", "6A88" }, { "00CA7F6600", "6A88" } } },
	{ "objects inside another",
	  { { SELECT, "9000" },
	    { "00CA006500", "5B0F436172643C3C53696D756C61746564 5F2D02656E 5F350139 9000" },
	    { "00CA007A00", "9303000000 9000" } } },
	{ "certificates",
	  { { SELECT, "9000" },
	    { "00A5020406 60045C027F21", "9000" },
	    { "00CA7F2100", "9000" },
	    { "00A5030406 60045C027F21", "6A86" },
	    { "00A5000406 60045C025F52", "6A88" } } },
	{ "GET CHALLENGE", { { SELECT, "9000" }, { "0084000003", "3C5E819000" }, { "00840000", "6700" } } },
	{ "VERIFY, and its state",
	  { { SELECT, "9000" },
	    { "00200081", "63C3" },
	    { "0020008106 313233343537", "63C2" },
	    { "00CA00C400", "00202020020003 9000" },
	    { "0020008106 313233343536", "9000" },
	    { "00200081", "9000" },
	    { "00200082", "63C3" } } },
	{ "81 and 82 share their tries",
	  { { SELECT, "9000" },
	    { "0020008201 31", "63C2" },
	    { "0020008101 31", "63C1" },
	    { "00200083", "63C3" },
	    { "0020008107 31323334353637", "6983" },
	    { "0020008106 313233343536", "6983" },
	    { "00200082", "6983" } } },
	{ "VERIFY is taken back",
	  { { SELECT, "9000" },
	    { "0020008308 3132333435363738", "9000" },
	    { "0020FF83", "9000" },
	    { "00200083", "63C3" },
	    { "0020FF8301 31", "6700" },
	    { "00200084", "6A86" },
	    { "00200181", "6A86" } } },
	{ "a reset forgets",
	  { { SELECT, "9000" },
	    { "0020008308 3132333435363738", "9000" },
	    { "!", "" },
	    { "00200083", "6985" },
	    { SELECT, "9000" },
	    { "00200083", "63C3" } } },
	{ "CHANGE REFERENCE DATA",
	  { { SELECT, "9000" },
	    { "002400810E 313233343536 3837363534333231", "9000" },
	    { "0020008106 313233343536", "63C2" },
	    { "0020008108 3837363534333231", "9000" },
	    { "0024008306 313233343536", "63C2" },
	    { "002400830F 3132333435363738 31323334353637", "6A80" },
	    { "00240082", "6A86" },
	    { "00240081", "6700" } } },
	{ "RESET RETRY COUNTER",
	  { { SELECT, "9000" },
	    { "0020008101 31", "63C2" },
	    { "002C028106 363534333231", "6982" },
	    { "002C00810C 313233343536363534333231", "6983" },
	    { "0020008308 3132333435363738", "9000" },
	    { "002C028105 3635343332", "6A80" },
	    { "002C028106 363534333231", "9000" },
	    { "0020008106 363534333231", "9000" } } },
	{ "what it does not know",
	  { { SELECT, "9000" },
	    { "00F1000000", "6D00" },
	    { "8020008106 313233343536", "6E00" },
	    { "1020008106 313233343536", "6E00" },
	    { "002000810006", "6700" },
	    { "00200081 000006 313233343536", "6700" },
	    { "0020", "6700" },
	    { "00200081", "63C3" } } },
};

static size_t bytes_of(const char *hex, uint8_t *out)
{
	size_t len;

	assert_true(hex_parse(hex, out, HEX_MAX / 2, &len));
	return len;
}

static void run_row(const struct row *row)
{
	static struct openpgp card;
	uint8_t send[HEX_MAX / 2], want[HEX_MAX / 2];
	struct sim_t1_answer answer;

	openpgp_init(&card);
	for (size_t i = 0; i < STEPS_MAX && row->steps[i].send; i++) {
		uint8_t *exact;
		size_t len;

		if (strcmp(row->steps[i].send, "!") == 0) {
			openpgp_reset(&card);
			continue;
		}
		len = bytes_of(row->steps[i].send, send);
		exact = exact_copy(send, len);
		openpgp_run(&card, exact, len, &answer);
		free(exact);
		CHECK_BYTES(row->name, answer.data, answer.len, want, bytes_of(row->steps[i].expect, want));
	}
}

static void test_commands(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		run_row(&rows[i]);
	check_done();
}

/* The longest object has to fit into a short answer: tags and lengths add up, one inside the other. */
static void test_application_data(void **state)
{
	static struct openpgp card;
	uint8_t out[OPENPGP_DATA_MAX];
	int len, inner;

	(void)state;
	openpgp_init(&card);
	len = openpgp_object(&card, 0x6E, out);
	assert_true(len >= 1 && len <= 254);
	assert_memory_equal(out + 2, openpgp_aid, OPENPGP_AID);
	assert_memory_equal(out + 2 + OPENPGP_AID + 3, openpgp_history, OPENPGP_HISTORY);
	inner = 2 + OPENPGP_AID + 3 + OPENPGP_HISTORY;
	assert_int_equal(out[inner], 0x73);
	assert_int_equal(out[inner + 1], 0x81);
	assert_int_equal(inner + 3 + out[inner + 2], len);
	assert_int_equal(openpgp_object(&card, 0x73, out), len - inner - 3);
}

/* ---- the log ------------------------------------------------------------------------------------------------------- */

static void report(const struct card_log *log, char *text, size_t size)
{
	FILE *file = tmpfile();
	size_t len;

	assert_non_null(file);
	card_log_print(log, file);
	rewind(file);
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	fclose(file);
}

static void test_log(void **state)
{
	static struct openpgp card;
	static char text[CARD_LOG_COMMANDS * (2 * CARD_LOG_BYTES + 10)];
	struct sim_t1_answer answer;
	uint8_t too_long[5 + 255] = { 0x00, 0x20, 0x00, 0x81, 0xFF };

	(void)state;
	openpgp_init(&card);
	openpgp_run(&card, BYTES(0x00, 0xA4, 0x04, 0x00, 0x06, 0xD2, 0x76, 0x00, 0x01, 0x24, 0x01), &answer);
	openpgp_run(&card, BYTES(0x00, 0x20, 0x00, 0x81, 0x02, 0x31, 0xFF), &answer);
	openpgp_run(&card, BYTES(0x00, 0x24, 0x00, 0x81, 0x01), &answer);
	report(&card.log, text, sizeof text);
	CHECK_STRING("two commands", text, "002000810231FF -> 63C2\n0024008101 -> 6700\n");
	for (unsigned i = 0; i < CARD_LOG_COMMANDS; i++)
		openpgp_run(&card, too_long, sizeof too_long, &answer);
	report(&card.log, text, sizeof text);
	CHECK("the last ones are kept", strncmp(text, "00200081FF00", 12) == 0);
	CHECK_INT("as many as there is room for", strlen(text),
		  CARD_LOG_COMMANDS * (2 * sizeof too_long + strlen(" -> 63C1\n")));
	check_done();
}

/* ---- at the contacts ------------------------------------------------------------------------------------------------- */

static size_t receive(struct sim_card *card, uint8_t *out, size_t cap)
{
	unsigned delay_ms;
	size_t len = 0;

	while (len < cap && card->ops->recv(card, SIM_FIDI_DEFAULT, &out[len], &delay_ms))
		len++;
	return len;
}

/* A block in, a block out; a second reset finds the card unselected. */
static void test_contacts(void **state)
{
	static const struct sim_t1_atr what = { .ifsc = 254, .bwi = 7, .cwi = 5 };
	uint8_t atr[SIM_ATR_MAX], block[SIM_T1_BLOCK_MAX] = { 0, 0, 4, 0x00, 0x20, 0x00, 0x81 }, got[300];
	const uint8_t want[] = { 0x00, 0x00, 0x02, 0x69, 0x85 };
	const size_t atr_len = sim_openpgp_build_atr(&what, atr), len = sim_t1_seal(block, 7, false);
	struct sim_card *card = sim_card_openpgp_new(atr, atr_len, NULL, SIM_5V);
	size_t got_len;

	(void)state;
	assert_non_null(card);
	for (unsigned warm = 0; warm < 2; warm++) {
		card->ops->reset(card, SIM_5V, warm);
		got_len = receive(card, got, sizeof got);
		CHECK_BYTES("ATR", got, got_len, atr, atr_len);
		card->ops->send(card, SIM_FIDI_DEFAULT, block, len);
		CHECK_INT("an answer", receive(card, got, sizeof got), sizeof want + 1);
		CHECK_BYTES("not selected", got, sizeof want, want, sizeof want);
	}
	sim_card_free(card);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_application_data),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_contacts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
