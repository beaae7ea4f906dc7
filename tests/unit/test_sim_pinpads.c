/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What simulated pinpads of different makers insist on, their Escape commands, and the moods of readers. */
#include "pinpad_bench.h"

#define SPR532  "04e6:e003@0510"
#define SPR332  "04e6:e003@0700"
#define ST_2XXX "046a:003e@0601"
#define XX44    "046a:0010@0104"
#define GEMPC_1 "08e6:3478@0100"
#define GEMPC_2 "08e6:3478@0211"
#define DELL    "413c:2101@0200"
#define SK_3106 "413c:2100@0101"

#define ANNOUNCE                \
	{                       \
		"6B 800200", "" \
	}
#define EIGHT      "0020000208" FF8
#define SIXTEEN    "0024000210" FF8 FF8
#define THREE_PINS "type 1234 ok 567890 ok 567890 ok"
#define CHANGE_TO(messages, indexes, template) \
	MODIFY(ASCII, "0000", LIMITS, "03", "02", messages, indexes, template)
#define FIXED(limits, end, messages, template) VERIFY("820800", limits, end, messages, template)
#define COUNT_BLOCK                            "6F 0000 05 8012ABCD06+"
#define ZEROS_16                               "00000000000000000000000000000000"

static const struct row {
	const char *name, *reader;
	uint32_t features;
	const char *card;
	unsigned violations;
	struct step steps[STEPS_MAX];
} rows[] = {
	{ "SPR532: a bare header without the Escape goes to the card as it is",
	  SPR532,
	  TPDU,
	  "t1",
	  0,
	  { { PLAIN, "-" }, { RIGHT, "sw63C3" }, { "card", "00200001" } } },
	{ "SPR532: with it",
	  SPR532,
	  TPDU,
	  "t1",
	  0,
	  { ANNOUNCE, { PLAIN, "-" }, { RIGHT, "sw9000" }, { "card", "0020000104 31323334" } } },
	{ "SPR532: at T=0", SPR532, TPDU, "t0", 0, { ANNOUNCE, { PLAIN, "-" }, { RIGHT, "sw9000" } } },
	{ "SPR532: it counts for one entry",
	  SPR532,
	  TPDU,
	  "t0",
	  0,
	  { ANNOUNCE,
	    { PLAIN, "-" },
	    { "type 5678 ok", "63C2" },
	    { PLAIN, "-" },
	    { RIGHT, "63C2" },
	    { "card", "0020000100" } } },
	{ "SPR532: also for one that was cancelled",
	  SPR532,
	  TPDU,
	  "t0",
	  0,
	  { ANNOUNCE, { PLAIN, "-" }, { "type cancel", "!EF" }, { PLAIN, "-" }, { RIGHT, "63C3" } } },
	{ "SPR532: it has to come directly before",
	  SPR532,
	  TPDU,
	  "t0",
	  0,
	  { ANNOUNCE, { "65", "" }, { PLAIN, "-" }, { RIGHT, "63C3" } } },
	{ "SPR532: not without a powered card",
	  SPR532,
	  TPDU,
	  "t0",
	  0,
	  { { "63", "" }, { "6B 800200", "!FE" } } },
	{ "SPR532: an Lc of 00 stays",
	  SPR532,
	  TPDU,
	  "t1",
	  0,
	  { ANNOUNCE,
	    { VERIFY(ASCII, LIMITS, "02", "00", "0020000100"), "-" },
	    { RIGHT, "sw63C3" },
	    { "card", "0020000100" } } },
	{ "SPR532: a whole block needs no Escape",
	  SPR532,
	  TPDU,
	  "t1",
	  0,
	  { { FIXED("0804", "02", "00", EIGHT), "-" }, { RIGHT, "sw9000" } } },
	{ "SPR532: bmPINBlockString with a bare header",
	  SPR532,
	  TPDU,
	  "t1",
	  0,
	  { ANNOUNCE, { FIXED("0804", "02", "00", BARE), "!0D" } } },
	{ "SPR532: bmPINLengthFormat with a bare header",
	  SPR532,
	  TPDU,
	  "t1",
	  0,
	  { ANNOUNCE, { VERIFY("820004", LIMITS, "02", "00", BARE), "!0E" } } },
	{ "SPR532: 25 digits",
	  SPR532,
	  TPDU,
	  "t1",
	  0,
	  { ANNOUNCE, { VERIFY(ASCII, "1904", "02", "00", BARE), "-" } } },
	{ "SPR532: 26 digits",
	  SPR532,
	  TPDU,
	  "t1",
	  0,
	  { ANNOUNCE, { VERIFY(ASCII, "1A04", "02", "00", BARE), "!0F" } } },
	{ "SPR532: at least none",
	  SPR532,
	  TPDU,
	  "t1",
	  0,
	  { ANNOUNCE, { VERIFY(ASCII, "1900", "02", "00", BARE), "!0F" } } },
	{ "SPR532: bTimeOut 00 is 15 seconds",
	  SPR532,
	  TPDU,
	  "t1",
	  0,
	  { ANNOUNCE, { PLAIN, "-" }, { "wait 14999", "-" }, { "wait 1", "!F0" } } },
	{ "SPR532: modify has three indexes and bNumberMessage 00",
	  SPR532,
	  TPDU,
	  "t1",
	  0,
	  { ANNOUNCE,
	    { CHANGE_TO("00", "000000", "00240001"), "-" },
	    { THREE_PINS, "sw9000" },
	    { "card", "002400010A 31323334 353637383930" } } },
	{ "SPR532: modify with one index",
	  SPR532,
	  TPDU,
	  "t1",
	  1,
	  { ANNOUNCE, { CHANGE_TO("00", "00", "00240001"), "!01" } } },
	{ "SPR532: modify with bNumberMessage 03",
	  SPR532,
	  TPDU,
	  "t1",
	  0,
	  { ANNOUNCE, { CHANGE_TO("03", "000102", "00240001"), "!15" } } },
	{ "SPR532: modify without the Escape",
	  SPR532,
	  TPDU,
	  "t1",
	  0,
	  { { CHANGE_TO("00", "000000", "00240001"), "-" },
	    { THREE_PINS, "sw6A80" },
	    { "card", "00240001" } } },
	{ "SPR332 7.00: 64 00, and then nothing more from the card",
	  SPR332,
	  TPDU,
	  "t1",
	  0,
	  { ANNOUNCE,
	    { PLAIN, "-" },
	    { RIGHT, "6400" },
	    { COUNT_BLOCK, "-" },
	    { "65", "" },
	    { "62", NULL },
	    { COUNT_BLOCK, "-" },
	    { "card", "" } } },
	{ "SPR332 7.00: until it was switched off",
	  SPR332,
	  TPDU,
	  "t1",
	  0,
	  { ANNOUNCE,
	    { PLAIN, "-" },
	    { RIGHT, "6400" },
	    { "63", "" },
	    { "62", NULL },
	    { COUNT_BLOCK, "0000 08 ABCD00000001 9000+" } } },
	{ "SPR332 7.00: the keys work",
	  SPR332,
	  TPDU,
	  "t1",
	  0,
	  { ANNOUNCE, { PLAIN, "-" }, { "type cancel", "!EF" }, { COUNT_BLOCK, NULL } } },
	{ "SPR332 7.01: as others",
	  "04e6:e003@0701",
	  TPDU,
	  "t1",
	  0,
	  { ANNOUNCE, { PLAIN, "-" }, { RIGHT, "sw9000" } } },
	{ "ST-2xxx: a bare header goes as it is",
	  ST_2XXX,
	  TPDU,
	  "t1",
	  0,
	  { { PLAIN, "-" }, { RIGHT, "~~~~sw63C3" }, { "card", "00200001" } } },
	{ "ST-2xxx: an Lc of 00 is completed",
	  ST_2XXX,
	  TPDU,
	  "t1",
	  0,
	  { { VERIFY(ASCII, LIMITS, "02", "00", "0020000100"), "-" },
	    { RIGHT, "~~~~sw9000" },
	    { "card", "0020000104 31323334" } } },
	{ "ST-2xxx: modify as SPR532",
	  ST_2XXX,
	  TPDU,
	  "t1",
	  0,
	  { { CHANGE_TO("00", "000000", "0024000100"), "-" }, { THREE_PINS, "~~~~~~~~~~~~~~~~sw9000" } } },
	{ "ST-2xxx: does not know the Escape", ST_2XXX, TPDU, "t1", 0, { { "6B 800200", "!00" } } },
	{ "XX44: dies of a condition that does not exist",
	  XX44,
	  SHORT,
	  "t1",
	  1,
	  { { VERIFY(ASCII, LIMITS, "00", "00", "0020000100"), "-" }, { "65", "-" }, { "62", "-" } } },
	{ "XX44: and lives with others",
	  XX44,
	  SHORT,
	  "t1",
	  0,
	  { { VERIFY(ASCII, LIMITS, "02", "00", "0020000100"), "-" }, { RIGHT, "~~~~sw9000" } } },
	{ "XX44: modify with bNumberMessage 03",
	  XX44,
	  SHORT,
	  "t1",
	  0,
	  { { CHANGE_TO("03", "000102", "0024000100"), "-" }, { THREE_PINS, "~~~~~~~~~~~~~~~~sw9000" } } },
	{ "XX44: modify with bNumberMessage 00",
	  XX44,
	  SHORT,
	  "t1",
	  0,
	  { { CHANGE_TO("00", "00", "0024000100"), "!15" } } },
	{ "GemPC Pinpad 1.00: a whole block",
	  GEMPC_1,
	  TPDU,
	  "t0",
	  0,
	  { { FIXED("0804", "02", "01", EIGHT), "-" }, { RIGHT, "9000" } } },
	{ "GemPC Pinpad 1.00: nothing to complete",
	  GEMPC_1,
	  TPDU,
	  "t0",
	  0,
	  { { VERIFY(ASCII, "0804", "02", "01", BARE), "!19" } } },
	{ "GemPC Pinpad 1.00: nothing to complete in a change",
	  GEMPC_1,
	  TPDU,
	  "t0",
	  0,
	  { { MODIFY(ASCII, "0000", "0804", "03", "02", "00", "000000", "00240001"), "!1E" } } },
	{ "GemPC Pinpad 1.00: 9 digits",
	  GEMPC_1,
	  TPDU,
	  "t0",
	  0,
	  { { FIXED("0904", "02", "01", EIGHT), "!0F" } } },
	{ "GemPC Pinpad 1.00: at least 3",
	  GEMPC_1,
	  TPDU,
	  "t0",
	  0,
	  { { FIXED("0803", "02", "01", EIGHT), "!0F" } } },
	{ "GemPC Pinpad: bNumberMessage 00",
	  GEMPC_1,
	  TPDU,
	  "t0",
	  0,
	  { { FIXED("0804", "02", "00", EIGHT), "!12" } } },
	{ "GemPC Pinpad: bNumberMessage FF",
	  GEMPC_2,
	  TPDU,
	  "t0",
	  0,
	  { { FIXED("0804", "02", "FF", EIGHT), "!12" } } },
	{ "GemPC Pinpad: another condition",
	  GEMPC_2,
	  TPDU,
	  "t0",
	  0,
	  { { FIXED("0804", "03", "01", EIGHT), "!11" } } },
	{ "GemPC Pinpad: modify has three indexes",
	  GEMPC_2,
	  TPDU,
	  "t0",
	  0,
	  { { MODIFY("820800", "0008", "0804", "03", "02", "02", "000102", SIXTEEN), "-" },
	    { THREE_PINS, "9000" } } },
	{ "GemPC Pinpad 2.11: completes a bare header",
	  GEMPC_2,
	  TPDU,
	  "t0",
	  0,
	  { { VERIFY(ASCII, LIMITS, "02", "01", BARE), "-" }, { RIGHT, "9000" } } },
	{ "Dell: bNumberMessage 00",
	  DELL,
	  TPDU,
	  "t0",
	  0,
	  { { "wait 250", "-" }, { PLAIN, "-" }, { RIGHT, "9000" } } },
	{ "Dell: too soon after the last answer",
	  DELL,
	  TPDU,
	  "t0",
	  0,
	  { { "wait 1000", "-" },
	    { "65", "" },
	    { "wait 249", "-" },
	    { PLAIN, "!EF" },
	    { "card", "" },
	    { "wait 250", "-" },
	    { PLAIN, "-" },
	    { RIGHT, "9000" } } },
	{ "Dell: too soon after another entry",
	  DELL,
	  TPDU,
	  "t0",
	  0,
	  { { "wait 250", "-" },
	    { PLAIN, "-" },
	    { "wait 1000", "-" },
	    { RIGHT, "9000" },
	    { CHANGE_TO("03", "000102", "00240001"), "!EF" } } },
	{ "Dell: too soon, but a field is wrong anyway",
	  DELL,
	  TPDU,
	  "t0",
	  0,
	  { { VERIFY(ASCII, LIMITS, "02", "01", BARE), "!12" } } },
	{ "others do not mind", SPR532, TPDU, "t0", 0, { ANNOUNCE, { PLAIN, "-" }, { RIGHT, "9000" } } },
	{ "Dell: bNumberMessage 01",
	  DELL,
	  TPDU,
	  "t0",
	  0,
	  { { VERIFY(ASCII, LIMITS, "02", "01", BARE), "!12" } } },
	{ "SK-3106: least and most the other way round",
	  SK_3106,
	  TPDU,
	  "t0",
	  0,
	  { { "wait 250", "-" },
	    { VERIFY(ASCII, "040C", "02", "00", BARE), "-" },
	    { "type 123 ok", "6403" },
	    { "wait 250", "-" },
	    { VERIFY(ASCII, "040C", "02", "00", BARE), "-" },
	    { RIGHT, "9000" } } },
	{ "SK-3106: as CCID has them", SK_3106, TPDU, "t0", 1, { { PLAIN, "!0F" } } },
	{ "Escapes of SCM",
	  SPR532,
	  TPDU,
	  "t0",
	  0,
	  { { "6B 1E", "0510 0003 0003 0001 0001 0000 0001" },
	    { "6B 12", "00010000" },
	    { "6B 51 01", "" },
	    { "6B 51 02", "!00" },
	    { "6B B2 FF", "00" },
	    { "6B B2 01", "" },
	    { "6B B2 FF", "01" },
	    { "6B B2 02", "!00" } } },
	{ "Escapes of Gemalto",
	  GEMPC_1,
	  TPDU,
	  "t0",
	  0,
	  { { "6B 6A", "0210 0002 0000 0000 0000 0000 01 04 08 000000000000" },
	    { "6B 02", "47656D547752432D56312E3030" },
	    { "6B B2A0004D4C" ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_16
		      ZEROS_16,
	      "" },
	    { "6B B2A0004D4C" ZEROS_16, "!00" },
	    { "6B B500", "" } } },
	{ "Escapes that nobody knows",
	  SPR532,
	  TPDU,
	  "t0",
	  0,
	  { { "6B 99", "!00" },
	    { "6B", "!00" },
	    { "6B 8002", "!00" },
	    { "6B 80020000", "!00" },
	    { "6B 6A", "!00" } } },
	{ "mood: EMV until Escape 1F 01",
	  "",
	  TPDU,
	  "t0",
	  0,
	  { { "mood 0", NULL },
	    { "62", "!BB" },
	    { "6B 1F01", "00" },
	    { "62", NULL },
	    { "6B 1F01", "!00" } } },
	{ "mood: stubborn",
	  "",
	  TPDU,
	  "t0",
	  0,
	  { { "mood 1", NULL },
	    { "62", "!FE" },
	    { "63", "" },
	    { "62", NULL },
	    { "62", "!FE" },
	    { "63", "" },
	    { "62", NULL } } },
	{ "mood: out of step until ABORT",
	  "",
	  TPDU,
	  "t0",
	  0,
	  { { "mood 2", NULL },
	    { "65", "-" },
	    { "62", "-" },
	    { "abort", "-" },
	    { "72", "" },
	    { "65", "" } } },
};

static void test_pinpads(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pinpad b = bench_make(rows[i].name, rows[i].reader, rows[i].features, rows[i].card);

		bench_play(&b, rows[i].steps);
		bench_end(&b, rows[i].violations);
	}
	check_done();
}

/* A reader that fell silent wakes up when it is plugged in again, and so does a card that it lost. */
static void test_plugged_again(void **state)
{
	struct pinpad b = bench_make("plugged again", XX44, SHORT, "t1");

	(void)state;
	bench_send(&b, VERIFY(ASCII, LIMITS, "00", "00", "0020000100"));
	bench_comes(&b, "-");
	sim_reader_bus_reset(b.reader);
	bench_send(&b, "62");
	bench_comes(&b, NULL);
	bench_end(&b, 1);
	check_done();
}

/* The habits of another product, its Escape commands included, or none. */
static void test_habits(void **state)
{
	static const struct {
		const char *name, *identity, *habits;
		struct step steps[STEPS_MAX];
	} cases[] = {
		{ "an SPR532 by another name",
		  "1234:0001@0100",
		  "04e6:e003@0510",
		  { { PLAIN, "-" }, { RIGHT, "63C3" }, ANNOUNCE, { PLAIN, "-" }, { RIGHT, "9000" } } },
		{ "the firmware is that of the reader",
		  "1234:0001@0700",
		  "04e6:e003",
		  { ANNOUNCE, { PLAIN, "-" }, { RIGHT, "6400" }, { "6F 8016000000", "-" } } },
		{ "or another one",
		  "04e6:e003@0700",
		  "04e6:e003@0701",
		  { ANNOUNCE, { PLAIN, "-" }, { RIGHT, "9000" } } },
		{ "none",
		  SPR532,
		  "none",
		  { { PLAIN, "-" }, { RIGHT, "9000" }, { "6B 800200", "!00" }, { "6B 1E", "!00" } } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pinpad b =
			bench_make_like(cases[i].name, cases[i].identity, cases[i].habits, TPDU, "t0");

		bench_play(&b, cases[i].steps);
		bench_end(&b, 0);
	}
	check_done();
}

static void test_habits_text(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint16_t vid, pid, bcd;
	} cases[] = {
		{ "04e6:e003", 0, 0x04E6, 0xE003, 0x0523 },
		{ "04E6:E003@0700", 0, 0x04E6, 0xE003, 0x0700 },
		{ "none", 0, 0xFFFF, 0xFFFF, 0x0523 },
		{ "", -1, 0x04E6, 0x5116, 0x0523 },
		{ "04e6", -1, 0x04E6, 0x5116, 0x0523 },
		{ "04e6:e003@", -1, 0x04E6, 0x5116, 0x0523 },
		{ "04e6:e003/0", -1, 0x04E6, 0x5116, 0x0523 },
		{ "04e6:e003@07.00", -1, 0x04E6, 0x5116, 0x0523 },
		{ "04e6:e0031", -1, 0x04E6, 0x5116, 0x0523 },
		{ "0000:e003", -1, 0x04E6, 0x5116, 0x0523 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sim_identity id;
		struct sim_product product;

		sim_identity_default(&id);
		CHECK_INT(cases[i].text, sim_identity_set_habits(&id, cases[i].text), cases[i].result);
		product = sim_identity_habits(&id);
		CHECK_INT(cases[i].text, product.vid, cases[i].vid);
		CHECK_INT(cases[i].text, product.pid, cases[i].pid);
		CHECK_INT(cases[i].text, product.bcd, cases[i].bcd);
	}
	check_done();
}

/* A keypad that is not announced, or cannot change PINs. */
static void test_no_support(void **state)
{
	static const struct {
		const char *name, *secure, *comes;
		uint8_t support;
	} cases[] = {
		{ "no keypad", PLAIN, "!00", 0 },
		{ "verify only: modify", CHANGE, "!0A", 1 },
		{ "modify only: verify", PLAIN, "!0A", 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pinpad b = { .row = cases[i].name };
		struct sim_identity id;

		sim_identity_default(&id);
		id.descriptor[52] = cases[i].support;
		b.reader = sim_reader_new(&id);
		assert_non_null(b.reader);
		bench_send(&b, cases[i].secure);
		bench_comes(&b, cases[i].comes);
		bench_end(&b, 1);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pinpads),     cmocka_unit_test(test_plugged_again),
		cmocka_unit_test(test_no_support),  cmocka_unit_test(test_habits),
		cmocka_unit_test(test_habits_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
