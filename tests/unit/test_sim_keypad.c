/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A simulated pinpad without habits: what is typed, what the card gets, what the host is told (CCID rev 1.1, 6.1.11). */
#include "pinpad_bench.h"

#include "keypad.h"

/* ---- how an entry ends, at every level of exchange ------------------------------------------------------------------ */

static const struct {
	const char *name;
	uint32_t features;
	const char *card;
} levels[] = {
	{ "T=0 TPDU", TPDU, "t0" },
	{ "T=1 TPDU", TPDU, "t1" },
	{ "T=0 short APDU", SHORT, "t0" },
	{ "T=1 short APDU", SHORT, "t1" },
	{ "T=0 extended APDU", EXTENDED, "t0" },
	{ "T=1 extended APDU", EXTENDED, "t1" },
};

static const struct outcome {
	const char *name;
	unsigned violations;
	struct step steps[STEPS_MAX];
} outcomes[] = {
	{ "the right PIN", 0, { { PLAIN, "-" }, { RIGHT, "sw9000" }, { "card", "0020000104 31323334" } } },
	{ "a wrong PIN",
	  0,
	  { { PLAIN, "-" }, { "type 12345 ok", "sw63C2" }, { "card", "0020000105 3132333435" } } },
	{ "an Lc of 00 is completed, too",
	  0,
	  { { VERIFY(ASCII, LIMITS, "02", "00", "0020000100"), "-" },
	    { RIGHT, "sw9000" },
	    { "card", "0020000104 31323334" } } },
	{ "typed before it asks", 0, { { "type 1234 ok", "-" }, { PLAIN, "sw9000" } } },
	{ "typed later",
	  0,
	  { { PLAIN, "-" },
	    { "type after 300 1234 ok", "-" },
	    { "wait 299", "-" },
	    { "wait 1", "sw9000" } } },
	{ "cancelled", 0, { { PLAIN, "-" }, { "type 12 cancel", "!EF" }, { "65", "" }, { "card", "" } } },
	{ "nobody types", 0, { { PLAIN, "-" }, { "wait 29999", "-" }, { "wait 1", "!F0" }, { "65", "" } } },
	{ "bTimeOut",
	  0,
	  { { VERIFY_IN("05", ASCII, LIMITS, "02", "00", "000000", BARE), "-" },
	    { "wait 4999", "-" },
	    { "wait 1", "!F0" } } },
	{ "its seconds may be short",
	  0,
	  { { "second 20", NULL },
	    { VERIFY_IN("05", ASCII, LIMITS, "02", "00", "000000", BARE), "-" },
	    { "wait 99", "-" },
	    { "wait 1", "!F0" } } },
	{ "digits, and then nothing",
	  0,
	  { { PLAIN, "-" }, { "type 1234 none", "-" }, { "wait 30000", "!F0" }, { "card", "" } } },
	{ "too late", 0, { { PLAIN, "-" }, { "type after 30000 1234 ok", "-" }, { "wait 30000", "!F0" } } },
	{ "cleared and typed again", 0, { { PLAIN, "-" }, { "type 99 clear 1234 ok", "sw9000" } } },
	{ "cleared, and then too few digits", 0, { { PLAIN, "-" }, { "type 1234 clear 12 ok", "6403" } } },
	{ "cleared, and nothing else", 0, { { PLAIN, "-" }, { "type 1234 clear ok", "6403" } } },
	{ "digits in groups", 0, { { PLAIN, "-" }, { "type 12 34 ok", "sw9000" } } },
	{ "what was typed in vain is forgotten",
	  0,
	  { { "type 99 ok", "-" }, { "forget", NULL }, { PLAIN, "-" }, { RIGHT, "sw9000" } } },
	{ "a time extension for keys that were cleared, too",
	  0,
	  { { "extends", NULL }, { PLAIN, "-" }, { "type 9 clear 1234 ok", "~~~~~sw9000" } } },
	{ "the bSeq of another message",
	  1,
	  { { "65", "" }, { "same", NULL }, { PLAIN, "-" }, { RIGHT, "sw9000" } } },
	{ "too few digits", 0, { { PLAIN, "-" }, { "type 123 ok", "6403" }, { "card", "" } } },
	{ "no digit", 0, { { PLAIN, "-" }, { "type ok", "6403" } } },
	{ "too many digits", 0, { { PLAIN, "-" }, { "type 1234567890123 ok", "6403" }, { "card", "" } } },
	{ "the last digit ends it",
	  0,
	  { { VERIFY(ASCII, "0404", "01", "00", BARE), "-" }, { "type 1234 none", "sw9000" } } },
	{ "the key ends nothing that it must not end",
	  0,
	  { { VERIFY(ASCII, "0804", "01", "00", BARE), "-" }, { RIGHT, "-" }, { "wait 30000", "!F0" } } },
	{ "the time ends it",
	  0,
	  { { VERIFY(ASCII, LIMITS, "04", "00", BARE), "-" },
	    { "type 1234 none", "-" },
	    { "wait 30000", "sw9000" } } },
	{ "the time ends nothing",
	  0,
	  { { VERIFY(ASCII, LIMITS, "04", "00", BARE), "-" }, { "wait 30000", "!F0" } } },
	{ "a time extension for each key",
	  0,
	  { { "extends", NULL }, { PLAIN, "-" }, { RIGHT, "~~~~sw9000" } } },
	{ "and for those that were in vain",
	  0,
	  { { "extends", NULL }, { PLAIN, "-" }, { "type 12 cancel", "~~!EF" } } },
	{ "modify: old, new, new",
	  0,
	  { { CHANGE, "-" },
	    { RIGHT, "-" },
	    { "type 567890 ok", "-" },
	    { "type 567890 ok", "sw9000" },
	    { "card", "002400010A 31323334 353637383930" } } },
	{ "modify: all typed ahead",
	  0,
	  { { "type 1234 ok 567890 ok 567890 ok", "-" }, { CHANGE, "sw9000" } } },
	{ "modify: the new ones differ",
	  0,
	  { { CHANGE, "-" }, { "type 1234 ok 567890 ok 567891 ok", "6402" }, { "card", "" } } },
	{ "modify: cancelled in the middle",
	  0,
	  { { CHANGE, "-" }, { "type 1234 ok 5678 ok cancel", "!EF" }, { "card", "" } } },
	{ "modify: the new one is too short", 0, { { CHANGE, "-" }, { "type 1234 ok 567 ok", "6403" } } },
	{ "modify: without the old one",
	  0,
	  { { MODIFY(ASCII, "0000", LIMITS, "01", "02", "02", "0001", "00240101"), "-" },
	    { "type 567890 ok 567890 ok", "sw6982" },
	    { "card", "0024010106 353637383930" } } },
	{ "modify: not confirmed",
	  0,
	  { { MODIFY(ASCII, "0000", LIMITS, "02", "02", "02", "0001", "00240001"), "-" },
	    { "type 1234 ok 5678 ok", "sw9000" },
	    { "card", "0024000108 3132333435363738" } } },
	{ "modify: the new one alone",
	  0,
	  { { MODIFY(ASCII, "0000", LIMITS, "00", "02", "00", "00", "00240101"), "-" },
	    { "type 5678 ok", "sw6982" },
	    { "card", "0024010104 35363738" } } },
	{ "the card is pulled", 0, { { PLAIN, "-" }, { "pull", "!FE" } } },
	{ "ABORT",
	  0,
	  { { PLAIN, "-" }, { "abort", "!FF" }, { "72", "" }, { PLAIN, "-" }, { RIGHT, "sw9000" } } },
	{ "another command meanwhile", 1, { { PLAIN, "-" }, { "65", "!E0" }, { RIGHT, "sw9000" } } },
};

static void test_outcomes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(outcomes); i++) {
		for (size_t l = 0; l < COUNT(levels); l++) {
			char name[128];
			struct pinpad b;

			snprintf(name, sizeof name, "%s, %s", outcomes[i].name, levels[l].name);
			b = bench_make(name, "", levels[l].features, levels[l].card);
			bench_play(&b, outcomes[i].steps);
			bench_end(&b, outcomes[i].violations);
		}
	}
	check_done();
}

/* ---- where the digits go ---------------------------------------------------------------------------------------------- */

static const struct format {
	const char *name, *secure, *keys, *card;
	const char *comes; /* from a T=0 card at TPDU level, "6403" from the reader */
} formats[] = {
	{ "ASCII, eight bytes", VERIFY("820800", "0804", "02", "00", "0020000208" FF8), RIGHT,
	  "0020000208 31323334FFFFFFFF", "9000" },
	{ "the template is the padding", VERIFY("820800", "0804", "02", "00", "0020000208 0000000000000000"),
	  RIGHT, "0020000208 3132333400000000", "6A80" },
	{ "ASCII, no template for the data", VERIFY("820800", "0804", "02", "00", "00200002"), RIGHT,
	  "0020000208 31323334FFFFFFFF", "9000" },
	{ "ASCII, to the right", VERIFY("860800", "0804", "02", "00", "0020000208" FF8), RIGHT,
	  "0020000208 FFFFFFFF31323334", "6A80" },
	{ "ASCII, a byte later", VERIFY("8A0700", "0704", "02", "00", "0020000208" FF8), RIGHT,
	  "0020000208 FF31323334FFFFFF", "6A80" },
	{ "ASCII, the block is full", VERIFY("820800", "0C04", "02", "00", "0020000208" FF8),
	  "type 12345678 ok", "0020000208 3132333435363738", "63C2" },
	{ "ASCII, the block is too small", VERIFY("820800", "0C04", "02", "00", "0020000208" FF8),
	  "type 123456789 ok", "", "6403" },
	{ "ASCII, the block ends before the data", VERIFY("820400", "0C04", "02", "00", "0020000208" FF8),
	  "type 12345 ok", "", "6403" },
	{ "ASCII, the data is too small", VERIFY("820000", "0C04", "02", "00", "0020000206 FFFFFFFFFFFF"),
	  "type 1234567 ok", "", "6403" },
	{ "BCD", VERIFY("810800", "0C04", "02", "00", "0020000308" FF8), RIGHT, "0020000308 1234FFFFFFFFFFFF",
	  "9000" },
	{ "BCD, an odd number", VERIFY("810800", "0C04", "02", "00", "0020000308" FF8), "type 12345 ok",
	  "0020000308 12345FFFFFFFFFFF", "63C2" },
	{ "BCD, an odd number over zeros",
	  VERIFY("810800", "0C04", "02", "00", "0020000308 0000000000000000"), "type 12345 ok",
	  "0020000308 1234500000000000", "6A80" },
	{ "BCD, as long as it is", VERIFY("810000", "0C04", "02", "00", "00200003"), "type 12345 ok",
	  "0020000303 12345F", "6A80" },
	{ "BCD, to the right", VERIFY("850800", "0C04", "02", "00", "0020000308" FF8), "type 12345 ok",
	  "0020000308 FFFFFFFFFFF12345", "6A80" },
	{ "BCD, four bits later", VERIFY("210000", "0C04", "02", "00", "0020000308" FF8), RIGHT,
	  "0020000308 F1234FFFFFFFFFFF", "6A80" },
	{ "with its length", VERIFY("894704", "0C04", "02", "00", "0020000408 20FFFFFFFFFFFFFF"), RIGHT,
	  "0020000408 241234FFFFFFFFFF", "9000" },
	{ "with its length, in bits", VERIFY("414704", "0C04", "02", "00", "0020000408 20FFFFFFFFFFFFFF"),
	  RIGHT, "0020000408 241234FFFFFFFFFF", "9000" },
	{ "with its length, a block that is longer than the data",
	  VERIFY("894804", "0C04", "02", "00", "0020000408 20FFFFFFFFFFFFFF"), RIGHT,
	  "0020000408 241234FFFFFFFFFF", "9000" },
	{ "with its length in a byte", VERIFY("8A8710", "0704", "02", "00", "0020000208" FF8), RIGHT,
	  "0020000208 0431323334FFFFFF", "6A80" },
	{ "binary", VERIFY("800000", "0C04", "02", "00", BARE), RIGHT, "0020000104 01020304", "6A80" },
	{ "modify, in blocks",
	  MODIFY("820800", "0008", "0804", "03", "02", "03", "000102", "0024000210" FF8 FF8),
	  "type 1234 ok 567890 ok 567890 ok", "0024000210 31323334FFFFFFFF 353637383930FFFF", "9000" },
	{ "modify, the other way round",
	  MODIFY("820800", "0800", "0804", "03", "02", "03", "000102", "0024000210" FF8 FF8),
	  "type 1234 ok 567890 ok 567890 ok", "0024000210 353637383930FFFF 31323334FFFFFFFF", "63C2" },
	{ "modify, lengths in both",
	  MODIFY("894704", "0008", "0C04", "03", "02", "03", "000102",
		 "0024000410 20FFFFFFFFFFFFFF 20FFFFFFFFFFFFFF"),
	  "type 1234 ok 56789 ok 56789 ok", "0024000410 241234FFFFFFFFFF 2556789FFFFFFFFF", "9000" },
	{ "modify, the old one is not asked for",
	  MODIFY("820800", "0808", "0804", "01", "02", "02", "0001", "0024000210 31323334FFFFFFFF" FF8),
	  "type 567890 ok 567890 ok", "0024000210 31323334FFFFFFFF 353637383930FFFF", "9000" },
};

static void test_formats(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(formats); i++) {
		const struct format *f = &formats[i];
		const struct step steps[STEPS_MAX] = { { f->secure, "-" },
						       { f->keys, f->comes },
						       { "card", f->card } };
		struct pinpad b = bench_make(f->name, "", TPDU, "t0");

		bench_play(&b, steps);
		bench_end(&b, 0);
	}
	check_done();
}

/* ---- what the host must not send -------------------------------------------------------------------------------------- */

static const struct mistake {
	const char *name, *secure, *comes;
	const char *card;
} mistakes[] = {
	{ "bPINOperation", "69 02", "!0A", "t0" },
	{ "a message that ends in its fields", "69 00 00 82 00 00 0C04 02 00 0904 00 0000", "!01", "t0" },
	{ "a template of three bytes", VERIFY(ASCII, LIMITS, "02", "00", "002000"), "!01", "t0" },
	{ "bmFormatString", VERIFY("830000", LIMITS, "02", "00", BARE), "!0C", "t0" },
	{ "bmPINLengthFormat", VERIFY("820020", LIMITS, "02", "00", BARE), "!0E", "t0" },
	{ "at most 0 digits", VERIFY(ASCII, "0000", "02", "00", BARE), "!0F", "t0" },
	{ "at least more than at most", VERIFY(ASCII, "0408", "02", "00", BARE), "!0F", "t0" },
	{ "bEntryValidationCondition 00", VERIFY(ASCII, LIMITS, "00", "00", BARE), "!11", "t0" },
	{ "bEntryValidationCondition 08", VERIFY(ASCII, LIMITS, "08", "00", BARE), "!11", "t0" },
	{ "bNumberMessage", VERIFY(ASCII, LIMITS, "02", "02", BARE), "!12", "t0" },
	{ "an Lc without data", VERIFY(ASCII, LIMITS, "02", "00", "0020000208"), "!19", "t0" },
	{ "an Lc that lies", VERIFY(ASCII, LIMITS, "02", "00", "0020000208 FFFFFFFFFF"), "!19", "t0" },
	{ "wLevelParameter",
	  "69/000100"
	  "00 00 82 00 00 0C04 02 00 0904 00 000000 00200001",
	  "!08", "t0" },
	{ "modify: bInsertionOffsetOld",
	  MODIFY("820800", "1008", "0804", "03", "02", "03", "000102", "0024000210" FF8 FF8), "!0F", "t0" },
	{ "modify: bInsertionOffsetNew",
	  MODIFY("820800", "0010", "0804", "03", "02", "03", "000102", "0024000210" FF8 FF8), "!10", "t0" },
	{ "modify: digits", MODIFY(ASCII, "0000", "0408", "03", "02", "03", "000102", "00240001"), "!11",
	  "t0" },
	{ "modify: bConfirmPIN", MODIFY(ASCII, "0000", LIMITS, "04", "02", "03", "000102", "00240001"), "!13",
	  "t0" },
	{ "modify: bEntryValidationCondition",
	  MODIFY(ASCII, "0000", LIMITS, "03", "00", "03", "000102", "00240001"), "!14", "t0" },
	{ "modify: bNumberMessage", MODIFY(ASCII, "0000", LIMITS, "03", "02", "04", "000102", "00240001"),
	  "!15", "t0" },
	{ "modify: an Lc that lies, one index",
	  MODIFY(ASCII, "0000", LIMITS, "03", "02", "00", "00", "0024000110 FF"), "!1C", "t0" },
	{ "modify: an Lc that lies, three indexes",
	  MODIFY(ASCII, "0000", LIMITS, "03", "02", "03", "000102", "0024000110 FF"), "!1E", "t0" },
	{ "a prologue at T=0", VERIFY_IN("00", ASCII, LIMITS, "02", "00", "004000", BARE), "-", "t0" },
	{ "a prologue of no command", VERIFY_IN("00", ASCII, LIMITS, "02", "00", "008000", BARE), "-", "t1" },
	{ "a prologue of half a command", VERIFY_IN("00", ASCII, LIMITS, "02", "00", "002000", BARE), "-",
	  "t1" },
	{ "bBWI",
	  "69/020000"
	  "00 00 82 00 00 0C04 02 00 0904 00 000000 00200001",
	  "-", "t1" },
};

/* Each of them counts once, and nothing is asked where it is refused. */
static void test_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		const struct mistake *m = &mistakes[i];
		const struct step steps[STEPS_MAX] = { { m->secure, m->comes } };
		struct pinpad b = bench_make(m->name, "", TPDU, m->card);

		bench_play(&b, steps);
		bench_end(&b, 1);
	}
	check_done();
}

/* ---- T=1, where the reader makes the block ---------------------------------------------------------------------------- */

#define SECOND VERIFY_IN("00", ASCII, LIMITS, "02", "00", "004000", BARE)

static const struct {
	const char *name, *card;
	struct step steps[STEPS_MAX];
} blocks[] = {
	{ "N(S) goes on",
	  "t1",
	  { { "6F 0000 04 80160000+", "0000 02 9000+" }, { SECOND, "-" }, { RIGHT, "0040 02 9000+" } } },
	{ "a wrong N(S) is the card's to refuse",
	  "t1",
	  { { SECOND, "-" }, { RIGHT, "008200+" }, { "card", "" } } },
	{ "LEN is the reader's",
	  "t1",
	  { { VERIFY_IN("00", ASCII, LIMITS, "02", "00", "0000FF", BARE), "-" }, { RIGHT, "sw9000" } } },
	{ "S(WTX request) is the host's to answer",
	  "t1,wtx=1,factor=5",
	  { { PLAIN, "-" },
	    { RIGHT, "00C3 01 05+" },
	    { "6F/050000 00E3 01 05+", "sw9000" },
	    { "card", "0020000104 31323334" } } },
	{ "what the reader says itself costs no N(S)",
	  "t1",
	  { { PLAIN, "-" }, { "type 12 ok", "6403" }, { PLAIN, "-" }, { RIGHT, "sw9000" } } },
	{ "CRC", "t1,crc", { { PLAIN, "-" }, { RIGHT, NULL }, { "card", "0020000104 31323334" } } },
};

static void test_blocks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(blocks); i++) {
		struct pinpad b = bench_make(blocks[i].name, "", TPDU, blocks[i].card);

		bench_play(&b, blocks[i].steps);
		bench_end(&b, 0);
	}
	check_done();
}

/* ---- the keys --------------------------------------------------------------------------------------------------------- */

static void test_words(void **state)
{
	static const struct {
		const char *text;
		unsigned entries; /* 0: not understood */
	} words[] = {
		{ "1234 ok", 1 },
		{ "ok", 1 },
		{ "cancel", 1 },
		{ "none", 1 },
		{ "12 cancel", 1 },
		{ "after 300 1234 ok", 1 },
		{ "12 34 ok", 1 },
		{ "12 clear 1234 ok", 1 },
		{ "clear ok clear cancel", 2 },
		{ "12345678901234567890123456789012 clear 1 ok", 1 },
		{ "12345678901234567890123456789012 1 ok", 0 },
		{ "clear", 0 },
		{ "after 123456789 ok", 0 },
		{ "123456 ok 654321 ok 654321 ok", 3 },
		{ "ok ok ok ok ok ok ok ok", 8 },
		{ "ok ok ok ok ok ok ok ok ok", 0 },
		{ "12345678901234567890123456789012 ok", 1 },
		{ "123456789012345678901234567890123 ok", 0 },
		{ "", 0 },
		{ "1234", 0 },
		{ "1234 ok 12", 0 },
		{ "12a ok", 0 },
		{ "after ok", 0 },
		{ "after 300", 0 },
		{ "OK", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		struct keypad keypad = { .count = 0 };
		char line[256], *argv[WORDS_MAX];
		const int argc = bench_words(words[i].text, line, argv);

		CHECK(words[i].text, (keypad_type(&keypad, argc, argv) == NULL) == (words[i].entries != 0));
		CHECK_INT(words[i].text, keypad.count, words[i].entries);
	}
	check_done();
}

static void check_report(struct pinpad *b, const char *want)
{
	char text[64] = "";
	FILE *to = fmemopen(text, sizeof text, "w");

	assert_non_null(to);
	sim_reader_keypad(b->reader, to);
	fclose(to);
	CHECK_STRING(b->row, text, want);
}

/* What a test waits for. */
static void test_report(void **state)
{
	struct pinpad b = bench_make("report", "", TPDU, "t0");

	(void)state;
	check_report(&b, "idle, 0 entries wait\n");
	bench_type(&b, "after 10 1234 ok 56 ok");
	check_report(&b, "idle, 2 entries wait\n");
	bench_send(&b, PLAIN);
	check_report(&b, "asks, 2 entries wait\n");
	CHECK_INT("report", sim_reader_next(b.reader, b.now), 10);
	b.now += 10;
	bench_comes(&b, "9000");
	check_report(&b, "idle, 1 entries wait\n");
	bench_end(&b, 0);
	check_done();
}

/* Which PIN it is that a modification asks for. */
static void test_report_modify(void **state)
{
	struct pinpad b = bench_make("report", "", TPDU, "t0");

	(void)state;
	bench_send(&b, CHANGE);
	check_report(&b, "asks for the old PIN, 0 entries wait\n");
	bench_type(&b, "1234 ok");
	check_report(&b, "asks for the new PIN, 0 entries wait\n");
	bench_type(&b, "567890 ok");
	check_report(&b, "asks for the new PIN again, 0 entries wait\n");
	bench_type(&b, "567890 ok");
	check_report(&b, "idle, 0 entries wait\n");
	bench_comes(&b, "9000");
	bench_send(&b, MODIFY(ASCII, "0000", LIMITS, "01", "02", "03", "000102", "00240101"));
	check_report(&b, "asks for the new PIN, 0 entries wait\n");
	bench_end(&b, 0);
	check_done();
}

/* A card that is put in later has a log of its own. */
static void test_card_log(void **state)
{
	struct pinpad b = bench_make("log", "", TPDU, "t0");
	char text[256] = "";
	FILE *to = fmemopen(text, sizeof text, "w");

	(void)state;
	assert_non_null(to);
	bench_send(&b, "6F 8016000002 ABCD");
	bench_comes(&b, "9000");
	bench_send(&b, "6F 80160000");
	bench_comes(&b, "9000");
	card_log_print(sim_reader_card_log(b.reader, 0), to);
	fclose(to);
	CHECK_STRING("log", text, "8016000002ABCD -> 9000\n8016000000 -> 9000\n");
	card_log_clear(sim_reader_card_log(b.reader, 0));
	CHECK_INT("log", sim_reader_card_log(b.reader, 0)->count, 0);
	assert_int_equal(sim_reader_remove(b.reader, 0, 0), 0);
	CHECK("log", sim_reader_card_log(b.reader, 0) == NULL);
	bench_end(&b, 0);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes), cmocka_unit_test(test_formats),
		cmocka_unit_test(test_mistakes), cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_words),    cmocka_unit_test(test_report),
		cmocka_unit_test(test_card_log), cmocka_unit_test(test_report_modify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
