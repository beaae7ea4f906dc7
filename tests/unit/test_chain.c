/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* APDUs in parts: wLevelParameter and bChainParameter of CCID rev 1.1, 6.1.4 and 6.2.1, each rule a conversation. */
#include "tpdu/chain.h"
#include "slot_bench.h"

enum { PART = 4, CANARY = 8 };

/*
 * ">00XX hex" the part that must come with wLevelParameter XX, "<XX hex" the answer with bChainParameter XX, "x" a
 * failure of the reader (OC_E_MUTE). Messages take four bytes.
 */
struct row {
	const char *name, *apdu, *talk;
	enum oc_err err;
	const char *answer;
	size_t cap; /* 0 = 64 */
};

static const struct row split_rows[] = {
	{ "one message each way", "0044", ">0000 0044 <00 9000", OC_OK, "9000", 0 },
	{ "exactly one message", "00440000", ">0000 00440000 <00 9000", OC_OK, "9000", 0 },
	{ "two messages", "0044000001", ">0001 00440000 <10 >0002 01 <00 9000", OC_OK, "9000", 0 },
	{ "the last part is whole", "0044000001020304", ">0001 00440000 <10 >0002 01020304 <00 9000", OC_OK,
	  "9000", 0 },
	{ "three messages", "004400000102030405", ">0001 00440000 <10 >0003 01020304 <10 >0002 05 <00 9000",
	  OC_OK, "9000", 0 },
	{ "four messages", "00440000010203040506070809",
	  ">0001 00440000 <10 >0003 01020304 <10 >0003 05060708 <10 >0002 09 <00 9000", OC_OK, "9000", 0 },
	{ "the answer in two parts", "0044", ">0000 0044 <01 AABB >0010 <02 9000", OC_OK, "AABB9000", 0 },
	{ "the answer in four parts", "0044", ">0000 0044 <01 AA >0010 <03 BB >0010 <03 CC >0010 <02 9000",
	  OC_OK, "AABBCC9000", 0 },
	{ "SW1 and SW2 in two parts", "0044", ">0000 0044 <01 AA90 >0010 <02 00", OC_OK, "AA9000", 0 },
	{ "both ways", "0044000001", ">0001 00440000 <10 >0002 01 <01 AA >0010 <02 9000", OC_OK, "AA9000",
	  0 },
	{ "empty parts", "0044", ">0000 0044 <01 >0010 <03 >0010 <03 AA >0010 <02 9000", OC_OK, "AA9000", 0 },
	{ "an empty last part", "0044", ">0000 0044 <01 AA9000 >0010 <02", OC_OK, "AA9000", 0 },
	{ "the exchange ends before the command is sent", "004400000102030405", ">0001 00440000 <00 6700",
	  OC_OK, "6700", 0 },
	{ "or in its middle", "004400000102030405", ">0001 00440000 <10 >0003 01020304 <00 6700", OC_OK,
	  "6700", 0 },
	{ "exact room", "0044", ">0000 0044 <01 AABB >0010 <02 9000", OC_OK, "AABB9000", 4 },

	{ "no room", "0044", ">0000 0044 <00 AABB9000", OC_E_SPACE, NULL, 3 },
	{ "no room in the second part", "0044", ">0000 0044 <01 AABB >0010 <02 9000", OC_E_SPACE, NULL, 3 },
	{ "no answer", "0044", ">0000 0044 <00", OC_E_CARD, NULL, 0 },
	{ "one byte", "0044", ">0000 0044 <00 90", OC_E_CARD, NULL, 0 },
	{ "one byte in two parts", "0044", ">0000 0044 <01 90 >0010 <02", OC_E_CARD, NULL, 0 },
	{ "the answer begins in its middle", "0044", ">0000 0044 <03 AA", OC_E_ANSWER, NULL, 0 },
	{ "the answer begins with its end", "0044", ">0000 0044 <02 9000", OC_E_ANSWER, NULL, 0 },
	{ "it begins twice", "0044", ">0000 0044 <01 AA >0010 <01 BB", OC_E_ANSWER, NULL, 0 },
	{ "a whole answer in the middle of one", "0044", ">0000 0044 <01 AA >0010 <00 9000", OC_E_ANSWER,
	  NULL, 0 },
	{ "it wants more of a command that is sent", "0044", ">0000 0044 <10", OC_E_ANSWER, NULL, 0 },
	{ "it wants more after the last part", "0044000001", ">0001 00440000 <10 >0002 01 <10", OC_E_ANSWER,
	  NULL, 0 },
	{ "it wants more of the command in the answer", "0044", ">0000 0044 <01 AA >0010 <10", OC_E_ANSWER,
	  NULL, 0 },
	{ "it wants more, and says something", "0044000001", ">0001 00440000 <10 AA", OC_E_ANSWER, NULL, 0 },
	{ "the end of an answer before the command is sent", "0044000001", ">0001 00440000 <02 9000",
	  OC_E_ANSWER, NULL, 0 },
	{ "04 is reserved", "0044", ">0000 0044 <04 9000", OC_E_ANSWER, NULL, 0 },
	{ "0F is reserved", "0044", ">0000 0044 <0F 9000", OC_E_ANSWER, NULL, 0 },
	{ "11 is reserved", "0044", ">0000 0044 <11", OC_E_ANSWER, NULL, 0 },
	{ "FF is reserved", "0044", ">0000 0044 <FF 9000", OC_E_ANSWER, NULL, 0 },
	{ "80 is reserved in the answer", "0044", ">0000 0044 <01 AA >0010 <80 9000", OC_E_ANSWER, NULL, 0 },
	{ "the reader fails", "0044", ">0000 0044 x", OC_E_MUTE, NULL, 0 },
	{ "it fails in the command: nothing is repeated", "004400000102030405",
	  ">0001 00440000 <10 >0003 01020304 x", OC_E_MUTE, NULL, 0 },
	{ "it fails in the answer", "0044", ">0000 0044 <01 AA >0010 x", OC_E_MUTE, NULL, 0 },
};

/* Where nothing may be split, byte 9 of an answer means nothing. */
static const struct row whole_rows[] = {
	{ "one message each way", "0044", ">0000 0044 <00 9000", OC_OK, "9000", 0 },
	{ "noise in byte 9: first", "0044", ">0000 0044 <01 9000", OC_OK, "9000", 0 },
	{ "noise in byte 9: wants more", "0044", ">0000 0044 <10 9000", OC_OK, "9000", 0 },
	{ "noise in byte 9", "0044", ">0000 0044 <A5 9000", OC_OK, "9000", 0 },
	{ "one byte", "0044", ">0000 0044 <00 90", OC_E_CARD, NULL, 0 },
	{ "the reader fails", "0044", ">0000 0044 x", OC_E_MUTE, NULL, 0 },
};

static size_t from_hex(const char **text, uint8_t *out, size_t cap)
{
	size_t n = 0;
	unsigned value;

	for (; **text == ' '; ++*text)
		;
	for (; sscanf(*text, "%2x", &value) == 1 && strspn(*text, "0123456789ABCDEF") >= 2; *text += 2) {
		assert_true(n < cap);
		out[n++] = (uint8_t)value;
	}
	for (; **text == ' '; ++*text)
		;
	return n;
}

static void feed(struct chain *c, const char **talk)
{
	struct reply reply = { .kind = REPLY_FAILED, .err = OC_E_MUTE };
	uint8_t in[64], *exact;
	unsigned chain = 0;

	if (*(*talk)++ == '<') {
		sscanf(*talk, "%2x", &chain);
		*talk += 2;
		reply = (struct reply){ .kind = REPLY_BLOCK, .chain = (uint8_t)chain };
		reply.len = from_hex(talk, in, sizeof in);
	}
	for (; **talk == ' '; ++*talk)
		;
	exact = exact_copy(in, reply.len);
	reply.data = exact;
	chain_feed(c, &reply);
	free(exact);
}

static bool expected(const char *name, const char **talk, const uint8_t *out, const struct block *block)
{
	uint8_t want[64];
	unsigned level = 0;
	size_t len;

	CHECK(name, **talk == '>');
	if (**talk != '>' || sscanf(*talk + 1, "%4x", &level) != 1)
		return false;
	*talk += 5;
	len = from_hex(talk, want, sizeof want);
	CHECK_INT(name, block->level_parameter, level);
	CHECK_INT(name, block->bwi, 0);
	CHECK_BYTES(name, out, block->len, want, len);
	return true;
}

static void play(const struct row *row, bool split)
{
	uint8_t bytes[64], answer[64 + CANARY], out[PART + CANARY], want[64];
	const char *text = row->apdu, *talk = row->talk, *answer_text = row->answer ? row->answer : "";
	const size_t len = from_hex(&text, bytes, sizeof bytes), cap = row->cap ? row->cap : 64;
	const size_t want_len = from_hex(&answer_text, want, sizeof want);
	uint8_t *exact = exact_copy(bytes, len);
	struct block block;
	struct chain c;
	enum step step;

	memset(answer, 0xEE, sizeof answer);
	CHECK_INT(row->name, chain_begin(&c, exact, len, PART, split, answer, cap), OC_OK);
	for (;;) {
		memset(out, 0xEE, sizeof out);
		step = chain_next(&c, out, &block);
		if (step != STEP_SEND || !expected(row->name, &talk, out, &block))
			break;
		CHECK_INT(row->name, out[PART], 0xEE);
		feed(&c, &talk);
	}
	CHECK_STRING(row->name, talk, "");
	CHECK_INT(row->name, step, row->err == OC_OK ? STEP_DONE : STEP_FAIL);
	if (row->err == OC_OK)
		CHECK_BYTES(row->name, answer, c.len, want, want_len);
	else
		CHECK_INT(row->name, c.err, row->err);
	for (size_t i = cap; i < sizeof answer; i++)
		CHECK_INT(row->name, answer[i], 0xEE);
	chain_feed(&c, &(const struct reply){ .kind = REPLY_BLOCK });
	CHECK_INT(row->name, chain_next(&c, out, &block), step); /* the end stays the end */
	free(exact);
}

static void in_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(split_rows); i++)
		play(&split_rows[i], true);
	check_done();
}

static void in_one_piece(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(whole_rows); i++)
		play(&whole_rows[i], false);
	check_done();
}

static void what_is_refused_at_the_start(void **state)
{
	const uint8_t apdu[] = { 0, 1, 2, 3, 4 };
	uint8_t answer[2];
	struct chain c;

	(void)state;
	CHECK_INT("longer than a message", chain_begin(&c, apdu, 5, 4, false, answer, 2), OC_E_EXTENDED);
	CHECK_INT("as long as a message", chain_begin(&c, apdu, 4, 4, false, answer, 2), OC_OK);
	CHECK_INT("longer, in parts", chain_begin(&c, apdu, 5, 4, true, answer, 2), OC_OK);
	CHECK_INT("no room for any part", chain_begin(&c, apdu, 5, 0, true, answer, 2), OC_E_EXTENDED);
	check_done();
}

/* A reader that gives empty parts for ever, or one byte each. */
static void no_end(void **state)
{
	uint8_t answer[300], out[PART];
	const uint8_t apdu[] = { 0, 0x44, 0, 0 };

	(void)state;
	for (size_t give = 0; give < 2; give++) {
		const char *name = give ? "one byte each" : "empty parts";
		struct chain c;
		struct block block;
		unsigned parts = 0;

		assert_int_equal(chain_begin(&c, apdu, sizeof apdu, PART, true, answer, sizeof answer),
				 OC_OK);
		while (chain_next(&c, out, &block) == STEP_SEND && parts < 10000)
			chain_feed(&c, &(const struct reply){ .kind = REPLY_BLOCK,
							      .data = apdu,
							      .len = give,
							      .chain = parts++ ? 3 : 1 });
		CHECK_INT(name, c.err, give ? OC_E_SPACE : OC_E_LIMIT);
		CHECK_INT(name, parts, give ? sizeof answer + 1 : CHAIN_MAX_EMPTY + 1);
	}
	check_done();
}

/* The longest APDU and the longest answer, through messages of 271 bytes. */
static void sixty_four_kibibytes(void **state)
{
	enum { WHOLE = 65544, ANSWER = 65538, ROOM = 261 };
	uint8_t *apdu = check_memory(WHOLE), *seen = check_memory(WHOLE), *answer = check_memory(ANSWER),
		*want = check_memory(ANSWER);
	uint8_t out[ROOM];
	struct chain c;
	struct block block;
	size_t got = 0, given = 0;

	(void)state;
	for (size_t i = 0; i < WHOLE; i++)
		apdu[i] = (uint8_t)(i * 11 / 3);
	for (size_t i = 0; i < ANSWER; i++)
		want[i] = (uint8_t)(i * 7 / 5);
	assert_int_equal(chain_begin(&c, apdu, WHOLE, ROOM, true, answer, ANSWER), OC_OK);
	while (chain_next(&c, out, &block) == STEP_SEND) {
		struct reply reply = { .kind = REPLY_BLOCK, .chain = 0x10 };

		assert_true(got + block.len <= WHOLE && given < ANSWER);
		memcpy(seen + got, out, block.len);
		got += block.len;
		if (got == WHOLE) {
			reply.data = want + given;
			reply.len = ANSWER - given < ROOM ? ANSWER - given : ROOM;
			reply.chain = given ? 3 : 1;
			given += reply.len;
			if (given == ANSWER)
				reply.chain = 2;
		}
		chain_feed(&c, &reply);
	}
	CHECK_INT("done", c.err, OC_OK);
	CHECK_BYTES("command", seen, got, apdu, WHOLE);
	CHECK_BYTES("answer", answer, c.len, want, ANSWER);
	free(apdu);
	free(seen);
	free(answer);
	free(want);
	check_done();
}

/* ---- through a slot -------------------------------------------------------------------------------------------------- */

/* Messages of 64 bytes carry 54 of an APDU. PART1 and PART2 are the 60 of a case 3S: header, Lc 55, 55 data bytes. */
#define TEN(n)                      n, n, n, n, n, n, n, n, n, n
#define PART1                       0x00, 0xD6, 0x00, 0x00, 0x37, TEN(1), TEN(2), TEN(3), TEN(4), 5, 5, 5, 5, 5, 5, 5, 5, 5
#define PART2                       5, 6, 6, 6, 6, 6
#define WRITE_55                    PART1, PART2
#define READ_2                      0x00, 0xB0, 0x00, 0x00, 0x02
#define SENT_FIRST                  SENDS(0x6F, 54, 0, 0, 0, 0, 0, 0, 1, 0, PART1)
#define SENT_LAST                   SENDS(0x6F, 6, 0, 0, 0, 0, 0, 0, 2, 0, PART2)
#define SENT_READ                   XFR(5, READ_2)
#define GO_ON                       GIVES(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0x10)
#define MORE_ASKED                  SENDS(0x6F, 0, 0, 0, 0, 0, 0, 0, 0x10, 0)
#define GIVES_PART(chain, len, ...) GIVES(0x80, len, 0, 0, 0, 0, 0, 0, 0, chain, __VA_ARGS__)
#define UP_SET                      POWER_ON(1), ATR_OF(2, 0x3B, 0x00), T0_SET(0x11, 0, 0, 10, 0)

static const struct {
	const char *name;
	const struct script_step *steps;
	const uint8_t *tx;
	size_t tx_len;
	enum oc_err err;
	uint8_t rx[8];
	size_t rx_len, cap;
	enum oc_err
		next; /* what the next command finds: only a reset helps a reader that waits for the rest of a chain */
} slot_rows[] = {
	{ "a command in two messages",
	  STEPS(SENT_FIRST, GO_ON, SENT_LAST, BLOCK(2, 0x90, 0)),
	  BYTES(WRITE_55),
	  OC_OK,
	  { 0x90, 0 },
	  2,
	  258,
	  OC_OK },
	{ "the card asks for time in the middle",
	  STEPS(SENT_FIRST, GIVES(0x80, 0, 0, 0, 0, 0, 0, 0x80, 1, 0), GO_ON, SENT_LAST,
		GIVES(0x80, 0, 0, 0, 0, 0, 0, 0x80, 1, 0), BLOCK(2, 0x90, 0)),
	  BYTES(WRITE_55),
	  OC_OK,
	  { 0x90, 0 },
	  2,
	  258,
	  OC_OK },
	{ "an answer in two messages",
	  STEPS(SENT_READ, GIVES_PART(1, 2, 0xAA, 0xBB), MORE_ASKED, GIVES_PART(2, 2, 0x90, 0)),
	  BYTES(READ_2),
	  OC_OK,
	  { 0xAA, 0xBB, 0x90, 0 },
	  4,
	  258,
	  OC_OK },
	{ "the command ends early",
	  STEPS(SENT_FIRST, BLOCK(2, 0x67, 0)),
	  BYTES(WRITE_55),
	  OC_OK,
	  { 0x67, 0 },
	  2,
	  258,
	  OC_OK },
	{ "the reader refuses a command in one message",
	  STEPS(SENT_READ, XFR_FAILS(0x40, 0xF6)),
	  BYTES(READ_2),
	  OC_E_PROTOCOL,
	  { 0 },
	  0,
	  258,
	  OC_OK },
	{ "the card is mute in the middle of the command",
	  STEPS(SENT_FIRST, GO_ON, SENT_LAST, XFR_FAILS(0x40, 0xFE)),
	  BYTES(WRITE_55),
	  OC_E_MUTE,
	  { 0 },
	  0,
	  258,
	  OC_E_UNPOWERED },
	{ "it is mute in the middle of the answer",
	  STEPS(SENT_READ, GIVES_PART(1, 1, 0xAA), MORE_ASKED, XFR_FAILS(0x40, 0xFE)),
	  BYTES(READ_2),
	  OC_E_MUTE,
	  { 0 },
	  0,
	  258,
	  OC_E_UNPOWERED },
	{ "no room for the second part",
	  STEPS(SENT_READ, GIVES_PART(1, 2, 0xAA, 0xBB), MORE_ASKED, GIVES_PART(3, 2, 0xCC, 0xDD)),
	  BYTES(READ_2),
	  OC_E_SPACE,
	  { 0 },
	  0,
	  3,
	  OC_E_UNPOWERED },
	{ "no room for the first part, and the reader has more",
	  STEPS(SENT_READ, GIVES_PART(1, 4, 1, 2, 3, 4)),
	  BYTES(READ_2),
	  OC_E_SPACE,
	  { 0 },
	  0,
	  3,
	  OC_E_UNPOWERED },
	{ "no room for the whole: the reader is done",
	  STEPS(SENT_READ, BLOCK(4, 1, 2, 0x90, 0)),
	  BYTES(READ_2),
	  OC_E_SPACE,
	  { 0 },
	  0,
	  3,
	  OC_OK },
	{ "the reader begins in the middle",
	  STEPS(SENT_READ, GIVES_PART(3, 2, 1, 2)),
	  BYTES(READ_2),
	  OC_E_ANSWER,
	  { 0 },
	  0,
	  258,
	  OC_E_UNPOWERED },
	{ "the reader wants more of a command that is sent",
	  STEPS(SENT_READ, GO_ON),
	  BYTES(READ_2),
	  OC_E_ANSWER,
	  { 0 },
	  0,
	  258,
	  OC_E_UNPOWERED },
};

static void through_a_slot(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(slot_rows); i++) {
		const char *name = slot_rows[i].name;
		uint8_t atr[ATR_MAX], rx[258];
		size_t atr_len, len = slot_rows[i].cap;
		struct slot_bench b;

		slot_bench_begin(&b);
		b.setup.caps.level = CCID_EXTENDED_APDU;
		b.setup.caps.features = 0x000400B0;
		b.setup.caps.max_message = 64;
		slot_bench_open(&b, STEPS(UP_SET));
		CHECK_INT(name, slot_power_up(b.slot, atr, &atr_len), OC_OK);
		CHECK_INT(name, slot_set_protocol(b.slot, CCID_PROTOCOL_T0, NULL), OC_OK);
		script_continue(&b.script, slot_rows[i].steps);
		CHECK_INT(name, slot_transmit(b.slot, slot_rows[i].tx, slot_rows[i].tx_len, rx, &len),
			  slot_rows[i].err);
		CHECK_BYTES(name, rx, len, slot_rows[i].rx, slot_rows[i].rx_len);
		script_continue(&b.script, slot_rows[i].next == OC_OK ? STEPS(SENT_READ, BLOCK(2, 0x90, 0))
								      : script_nothing);
		len = sizeof rx;
		CHECK_INT(name, slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len),
			  slot_rows[i].next);
		slot_bench_end(name, &b);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_parts),
		cmocka_unit_test(in_one_piece),
		cmocka_unit_test(what_is_refused_at_the_start),
		cmocka_unit_test(no_end),
		cmocka_unit_test(sixty_four_kibibytes),
		cmocka_unit_test(through_a_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
