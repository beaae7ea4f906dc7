/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Character level: the procedure bytes of T=0 (ISO/IEC 7816-3:2006, 10.3), and both protocols through a slot. */
#include "tpdu/character.h"
#include "slot_bench.h"

enum { MOST = 300 };

/*
 * ">hex=N" the characters that must go out, and how many are expected back (wLevelParameter); "<hex" what comes; "x" the
 * reader fails (OC_E_MUTE). "n*hh" is the byte hh n times.
 */
struct row {
	const char *name, *tpdu, *talk;
	enum oc_err err;
	const char *answer;
};

#define READ  "00B0000002"
#define WRITE "00D6000003010203"
#define HEAD  ">00D6000003=1 "
static const struct row rows[] = {
	{ "no data: SW1, then SW2", "0044000000", ">0044000000=1 <90 >=1 <00", OC_OK, "9000" },
	{ "SW1 and SW2 at once", "0044000000", ">0044000000=1 <9000", OC_OK, "9000" },
	{ "NULL, then the status", "0044000000", ">0044000000=1 <60 >=1 <60 >=1 <90 >=1 <00", OC_OK, "9000" },
	{ "61xx", "00A4000000", ">00A4000000=1 <61 >=1 <10", OC_OK, "6110" },
	{ "SW2 may be anything: 60", "0044000000", ">0044000000=1 <90 >=1 <60", OC_OK, "9060" },
	{ "SW2 may be INS", "0044000000", ">0044000000=1 <6C >=1 <44", OC_OK, "6C44" },

	{ "ACK INS: all data, then the status", READ, ">00B0000002=1 <B0 >=2 <AABB >=1 <90 >=1 <00", OC_OK,
	  "AABB9000" },
	{ "data that look like procedure bytes", READ, ">00B0000002=1 <B0 >=2 <6090 >=1 <90 >=1 <00", OC_OK,
	  "60909000" },
	{ "ACK ~INS: one by one", READ, ">00B0000002=1 <4F >=1 <AA >=1 <4F >=1 <BB >=1 <90 >=1 <00", OC_OK,
	  "AABB9000" },
	{ "one, then the rest", "00B0000003", ">00B0000003=1 <4F >=1 <AA >=1 <B0 >=2 <BBCC >=1 <90 >=1 <00",
	  OC_OK, "AABBCC9000" },
	{ "NULL between", READ, ">00B0000002=1 <60 >=1 <4F >=1 <AA >=1 <60 >=1 <B0 >=1 <BB >=1 <60 >=1 <9000",
	  OC_OK, "AABB9000" },
	{ "INS xor 01, of 1997", READ, ">00B0000002=1 <B1 >=2 <AABB >=1 <9000", OC_OK, "AABB9000" },
	{ "INS xor FE, of 1997", READ, ">00B0000002=1 <4E >=1 <AA >=1 <4E >=1 <BB >=1 <9000", OC_OK,
	  "AABB9000" },
	{ "the status instead of data", READ, ">00B0000002=1 <6A >=1 <82", OC_OK, "6A82" },
	{ "the status after one byte", READ, ">00B0000002=1 <4F >=1 <AA >=1 <62 >=1 <82", OC_OK, "AA6282" },
	{ "Le 00 is 256", "00B0000000", ">00B0000000=1 <B0 >=256 <256*AA >=1 <90 >=1 <00", OC_OK,
	  "256*AA9000" },
	{ "Le 00: 6Cxx", "00B0000000", ">00B0000000=1 <6C >=1 <05", OC_OK, "6C05" },
	{ "odd INS", "00B1000001", ">00B1000001=1 <B1 >=1 <AA >=1 <9000", OC_OK, "AA9000" },
	{ "odd INS, inverted", "00B1000001", ">00B1000001=1 <4E >=1 <AA >=1 <9000", OC_OK, "AA9000" },

	{ "command data, all at once", WRITE, HEAD "<D6 >010203=1 <90 >=1 <00", OC_OK, "9000" },
	{ "command data, one by one", WRITE, HEAD "<29 >01=1 <29 >02=1 <29 >03=1 <90 >=1 <00", OC_OK,
	  "9000" },
	{ "command data, one, then the rest", WRITE, HEAD "<29 >01=1 <D6 >0203=1 <90 >=1 <00", OC_OK,
	  "9000" },
	{ "NULL before and after data", WRITE, HEAD "<60 >=1 <D6 >010203=1 <60 >=1 <60 >=1 <90 >=1 <00",
	  OC_OK, "9000" },
	{ "INS xor 01 with data", WRITE, HEAD "<D7 >010203=1 <9000", OC_OK, "9000" },
	{ "INS xor FE with data", WRITE, HEAD "<28 >01=1 <D6 >0203=1 <9000", OC_OK, "9000" },
	{ "the card does not want the data", WRITE, HEAD "<6E >=1 <00", OC_OK, "6E00" },
	{ "the card has enough after one byte", WRITE, HEAD "<29 >01=1 <67 >=1 <00", OC_OK, "6700" },

	{ "no procedure byte", READ, ">00B0000002=1 <00", OC_E_CARD, NULL },
	{ "no procedure byte: the header comes back", READ, ">00B0000002=1 <A4", OC_E_CARD, NULL },
	{ "no procedure byte after data", READ, ">00B0000002=1 <B0 >=2 <AABB >=1 <12", OC_E_CARD, NULL },
	{ "ACK when all data are here", READ, ">00B0000002=1 <B0 >=2 <AABB >=1 <B0", OC_E_CARD, NULL },
	{ "ACK for one more when all data are here", READ, ">00B0000002=1 <B0 >=2 <AABB >=1 <4F", OC_E_CARD,
	  NULL },
	{ "ACK when all data are sent", WRITE, HEAD "<D6 >010203=1 <D6", OC_E_CARD, NULL },
	{ "ACK for one more when all data are sent", WRITE, HEAD "<D6 >010203=1 <29", OC_E_CARD, NULL },
	{ "nothing where a character was asked for", READ, ">00B0000002=1 <", OC_E_CARD, NULL },
	{ "two characters, and no status", READ, ">00B0000002=1 <B0AA", OC_E_CARD, NULL },
	{ "two characters: NULL and something", READ, ">00B0000002=1 <6090", OC_E_CARD, NULL },
	{ "three characters", READ, ">00B0000002=1 <900000", OC_E_CARD, NULL },
	{ "fewer data than asked for", READ, ">00B0000002=1 <B0 >=2 <AA", OC_E_CARD, NULL },
	{ "more data than asked for", READ, ">00B0000002=1 <B0 >=2 <AABBCC", OC_E_CARD, NULL },
	{ "no SW2", READ, ">00B0000002=1 <90 >=1 <", OC_E_CARD, NULL },
	{ "two SW2", READ, ">00B0000002=1 <90 >=1 <0000", OC_E_CARD, NULL },
	{ "mute to the header", READ, ">00B0000002=1 x", OC_E_MUTE, NULL },
	{ "mute in the data", READ, ">00B0000002=1 <B0 >=2 x", OC_E_MUTE, NULL },
	{ "mute before SW2", READ, ">00B0000002=1 <90 >=1 x", OC_E_MUTE, NULL },
};

static size_t from_hex(const char **text, uint8_t *out)
{
	size_t n = 0;

	for (;;) {
		size_t times;
		unsigned value;
		int used;

		if (sscanf(*text, "%zu*%2x%n", &times, &value, &used) != 2) {
			times = 1;
			if (strspn(*text, "0123456789ABCDEF") < 2 ||
			    sscanf(*text, "%2x%n", &value, &used) != 1)
				return n;
		}
		assert_true(n + times <= MOST);
		memset(out + n, (int)value, times);
		n += times;
		*text += used;
	}
}

static void skip_spaces(const char **text)
{
	*text += strspn(*text, " ");
}

static bool expected(const char *name, const char **talk, const uint8_t *out, const struct block *block)
{
	uint8_t want[MOST];
	char *end;
	size_t len;

	CHECK(name, **talk == '>');
	if (*(*talk)++ != '>')
		return false;
	len = from_hex(talk, want);
	CHECK_BYTES(name, out, block->len, want, len);
	CHECK(name, **talk == '=');
	CHECK_INT(name, block->level_parameter, strtol(*talk + 1, &end, 10));
	*talk = end;
	CHECK_INT(name, block->expect, block->level_parameter);
	CHECK_INT(name, block->bwi, 0);
	skip_spaces(talk);
	return true;
}

static void feed(struct character *c, const char **talk)
{
	struct reply reply = { .kind = REPLY_FAILED, .err = OC_E_MUTE };
	uint8_t in[MOST], *exact;

	if (*(*talk)++ == '<')
		reply = (struct reply){ .kind = REPLY_BLOCK, .len = from_hex(talk, in) };
	skip_spaces(talk);
	exact = exact_copy(in, reply.len);
	reply.data = exact;
	character_feed(c, &reply);
	free(exact);
}

static void play(const struct row *row)
{
	uint8_t tpdu[MOST], out[MOST], want[MOST];
	const char *text = row->tpdu, *talk = row->talk, *answer = row->answer ? row->answer : "";
	const size_t len = from_hex(&text, tpdu), want_len = from_hex(&answer, want);
	uint8_t *exact = exact_copy(tpdu, len);
	struct character c;
	struct block block;
	enum step step;

	character_begin(&c, exact, len);
	for (;;) {
		step = character_next(&c, out, &block);
		if (step != STEP_SEND || !expected(row->name, &talk, out, &block))
			break;
		feed(&c, &talk);
	}
	CHECK_STRING(row->name, talk, "");
	CHECK_INT(row->name, step, row->err == OC_OK ? STEP_DONE : STEP_FAIL);
	if (row->err == OC_OK)
		CHECK_BYTES(row->name, c.answer, c.len, want, want_len);
	else
		CHECK_INT(row->name, c.err, row->err);
	CHECK_INT(row->name, character_next(&c, out, &block), step); /* the end stays the end */
	free(exact);
}

static void procedure_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		play(&rows[i]);
	check_done();
}

/* What each of the 256 bytes means where a procedure byte is due. */
static void every_procedure_byte(void **state)
{
	const uint8_t tpdu[] = { 0x00, 0xD6, 0x00, 0x00, 0x03, 1, 2, 3 };

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		const uint8_t in = (uint8_t)byte;
		struct character c;
		struct block block;
		uint8_t out[8];
		char name[16];
		enum step step;

		snprintf(name, sizeof name, "byte %02X", byte);
		character_begin(&c, tpdu, sizeof tpdu);
		CHECK_INT(name, character_next(&c, out, &block), STEP_SEND);
		character_feed(&c, &(const struct reply){ .kind = REPLY_BLOCK, .data = &in, .len = 1 });
		step = character_next(&c, out, &block);
		if (byte == 0xD6 || byte == 0xD7)
			CHECK_INT(name, block.len, 3);
		else if (byte == 0x29 || byte == 0x28)
			CHECK_INT(name, block.len, 1);
		else if (byte >> 4 == 6 || byte >> 4 == 9)
			CHECK(name, step == STEP_SEND && block.len == 0 && block.level_parameter == 1);
		else
			CHECK_INT(name, step, STEP_FAIL);
	}
	check_done();
}

static void null_is_bounded(void **state)
{
	const uint8_t tpdu[] = { 0x00, 0xB0, 0x00, 0x00, 0x02 }, null = 0x60;
	struct character c;
	struct block block;
	uint8_t out[8];
	unsigned n = 0;

	(void)state;
	character_begin(&c, tpdu, sizeof tpdu);
	for (; character_next(&c, out, &block) == STEP_SEND && n <= 2 * CHARACTER_MAX_NULLS; n++)
		character_feed(&c, &(const struct reply){ .kind = REPLY_BLOCK, .data = &null, .len = 1 });
	CHECK_INT("NULL for ever", n, CHARACTER_MAX_NULLS + 1);
	CHECK_INT("NULL for ever", c.err, OC_E_LIMIT);
	check_done();
}

/* Whatever a card says, the engine ends, and keeps inside its answer. */
static void random_characters(void **state)
{
	static const uint8_t likely[] = { 0x60, 0x61, 0x90, 0x6C, 0xB0, 0x4F, 0xB1, 0x4E };
	uint32_t seed = 20061102;
	unsigned done = 0;

	(void)state;
	for (unsigned run = 0; run < 20000; run++) {
		const uint8_t tpdu[] = { 0x00, 0xB0, 0x00, 0x00, (uint8_t)check_random(&seed), 7, 8, 9 };
		const size_t len = check_random(&seed) % 2 ? 5 : 8;
		struct character c;
		struct block block;
		uint8_t out[8], in[MOST];
		unsigned steps = 0;
		enum step step;

		character_begin(&c, tpdu, len);
		while ((step = character_next(&c, out, &block)) == STEP_SEND && steps++ < 100000) {
			size_t n = check_random(&seed) % 32 ? block.expect : check_random(&seed) % MOST;

			CHECK("expects", block.expect >= 1 && block.expect <= 256);
			for (size_t i = 0; i < n; i++)
				in[i] = check_random(&seed) % 16 ? likely[check_random(&seed) % COUNT(likely)]
								 : (uint8_t)check_random(&seed);
			character_feed(&c,
				       &(const struct reply){ .kind = REPLY_BLOCK, .data = in, .len = n });
			CHECK("bounded", c.len <= CHARACTER_ANSWER_MAX && c.sent <= len);
		}
		CHECK("ends", step == STEP_DONE || (step == STEP_FAIL && c.err != OC_OK));
		CHECK("with a status", step != STEP_DONE || c.len >= 2);
		done += step == STEP_DONE;
	}
	CHECK("some of them come through", done > 100);
	check_done();
}

/* ---- through a slot -------------------------------------------------------------------------------------------------- */

/* An XfrBlock that expects n characters back */
#define CHARS(n, len, ...) SENDS(0x6F, len, 0, 0, 0, 0, 0, 0, n, 0, __VA_ARGS__)
#define MORE(n)            SENDS(0x6F, 0, 0, 0, 0, 0, 0, 0, n, 0)
#define READ_2             0x00, 0xB0, 0x00, 0x00, 0x02
#define WRITE_2            0x00, 0xD6, 0x00, 0x00, 0x02
#define T0_UP              POWER_ON(1), ATR_OF(2, 0x3B, 0x00), T0_SET(0x11, 0, 0, 10, 0)
#define T0_AGAIN           T0_SET(0x11, 0, 0, 10, 0)

static const struct {
	const char *name;
	const struct script_step *steps;
	const uint8_t *tx;
	size_t tx_len;
	enum oc_err err;
	uint8_t rx[8];
	size_t rx_len;
} t0_rows[] = {
	{ "2S",
	  STEPS(CHARS(1, 5, READ_2), BLOCK(1, 0xB0), MORE(2), BLOCK(2, 0xAA, 0xBB), MORE(1), BLOCK(1, 0x90),
		MORE(1), BLOCK(1, 0x00)),
	  BYTES(READ_2),
	  OC_OK,
	  { 0xAA, 0xBB, 0x90, 0 },
	  4 },
	{ "1: P3 is 00",
	  STEPS(CHARS(1, 5, 0x00, 0x44, 0x00, 0x00, 0x00), BLOCK(2, 0x90, 0x00)),
	  BYTES(0x00, 0x44, 0x00, 0x00),
	  OC_OK,
	  { 0x90, 0 },
	  2 },
	{ "3S",
	  STEPS(CHARS(1, 5, WRITE_2), BLOCK(1, 0xD6), CHARS(1, 2, 7, 8), BLOCK(1, 0x90), MORE(1),
		BLOCK(1, 0)),
	  BYTES(WRITE_2, 7, 8),
	  OC_OK,
	  { 0x90, 0 },
	  2 },
	{ "4S: GET RESPONSE",
	  STEPS(CHARS(1, 5, WRITE_2), BLOCK(1, 0xD6), CHARS(1, 2, 7, 8), BLOCK(1, 0x61), MORE(1), BLOCK(1, 1),
		CHARS(1, 5, 0x00, 0xC0, 0x00, 0x00, 0x01), BLOCK(1, 0xC0), MORE(1), BLOCK(1, 0xAA), MORE(1),
		BLOCK(2, 0x90, 0)),
	  BYTES(WRITE_2, 7, 8, 0),
	  OC_OK,
	  { 0xAA, 0x90, 0 },
	  3 },
	{ "NULL",
	  STEPS(CHARS(1, 5, READ_2), BLOCK(1, 0x60), MORE(1), BLOCK(1, 0x60), MORE(1), BLOCK(2, 0x6A, 0x82)),
	  BYTES(READ_2),
	  OC_OK,
	  { 0x6A, 0x82 },
	  2 },
	{ "garbage", STEPS(CHARS(1, 5, READ_2), BLOCK(1, 0x12)), BYTES(READ_2), OC_E_CARD, { 0 }, 0 },
	{ "mute", STEPS(CHARS(1, 5, READ_2), XFR_FAILS(0x40, 0xFE)), BYTES(READ_2), OC_E_MUTE, { 0 }, 0 },
	{ "pulled out in the middle",
	  STEPS(CHARS(1, 5, READ_2), BLOCK(1, 0xB0), MORE(2), XFR_FAILS(0x42, 0xFE)),
	  BYTES(READ_2),
	  OC_E_NO_CARD,
	  { 0 },
	  0 },

	/* F6h means that the card has not seen the piece. Only for the first one that is: nothing of the TPDU. */
	{ "F6h to the header",
	  STEPS(CHARS(1, 5, READ_2), XFR_FAILS(0x40, 0xF6), T0_AGAIN, CHARS(1, 5, READ_2), BLOCK(2, 0x90, 0)),
	  BYTES(READ_2),
	  OC_OK,
	  { 0x90, 0 },
	  2 },
	{ "F6h to the header, command data",
	  STEPS(CHARS(1, 5, WRITE_2), XFR_FAILS(0x40, 0xF6), T0_AGAIN, CHARS(1, 5, WRITE_2), BLOCK(1, 0xD6),
		CHARS(1, 2, 7, 8), BLOCK(2, 0x90, 0)),
	  BYTES(WRITE_2, 7, 8),
	  OC_OK,
	  { 0x90, 0 },
	  2 },
	{ "F6h after the header: the card has it, nothing is repeated",
	  STEPS(CHARS(1, 5, READ_2), BLOCK(1, 0xB0), MORE(2), XFR_FAILS(0x40, 0xF6)),
	  BYTES(READ_2),
	  OC_E_PROTOCOL,
	  { 0 },
	  0 },
	{ "F6h after NULL: the card has the header",
	  STEPS(CHARS(1, 5, READ_2), BLOCK(1, 0x60), MORE(1), XFR_FAILS(0x40, 0xF6)),
	  BYTES(READ_2),
	  OC_E_PROTOCOL,
	  { 0 },
	  0 },
	{ "F6h to the command data: the card has the header",
	  STEPS(CHARS(1, 5, WRITE_2), BLOCK(1, 0xD6), CHARS(1, 2, 7, 8), XFR_FAILS(0x40, 0xF6)),
	  BYTES(WRITE_2, 7, 8),
	  OC_E_PROTOCOL,
	  { 0 },
	  0 },
};

static void begin(struct slot_bench *b)
{
	slot_bench_begin(b);
	b->setup.caps.level = CCID_CHARACTER;
	b->setup.caps.features = 0xB0;
}

static void t0_through_a_slot(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(t0_rows); i++) {
		const char *name = t0_rows[i].name;
		uint8_t atr[ATR_MAX], rx[258];
		size_t atr_len, len = sizeof rx;
		struct slot_bench b;

		begin(&b);
		slot_bench_open(&b, STEPS(T0_UP));
		CHECK_INT(name, slot_power_up(b.slot, atr, &atr_len), OC_OK);
		CHECK_INT(name, slot_set_protocol(b.slot, CCID_PROTOCOL_T0, NULL), OC_OK);
		script_continue(&b.script, t0_rows[i].steps);
		CHECK_INT(name, slot_transmit(b.slot, t0_rows[i].tx, t0_rows[i].tx_len, rx, &len),
			  t0_rows[i].err);
		CHECK_BYTES(name, rx, len, t0_rows[i].rx, t0_rows[i].rx_len);
		slot_bench_end(name, &b);
	}
	check_done();
}

/* NULL comes as a character here, not as a time extension: the patience of the reader must end it. */
static void null_for_ever_ends_with_the_patience(void **state)
{
	enum { TIMES = 200 };
	const struct script_step head = CHARS(1, 5, READ_2), more = MORE(1);
	const struct script_step null = GIVES_AFTER(100, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x60), end = END;
	static struct script_step steps[2 * TIMES + 1];
	uint8_t atr[ATR_MAX], rx[258];
	size_t atr_len, len = sizeof rx;
	struct slot_bench b;

	(void)state;
	for (size_t i = 0; i < TIMES; i++) {
		steps[2 * i] = i ? more : head;
		steps[2 * i + 1] = null;
	}
	steps[2 * TIMES] = end;
	begin(&b);
	b.setup.patience_ms = 5000;
	slot_bench_open(&b, STEPS(T0_UP));
	CHECK_INT("up", slot_power_up(b.slot, atr, &atr_len), OC_OK);
	CHECK_INT("up", slot_set_protocol(b.slot, CCID_PROTOCOL_T0, NULL), OC_OK);
	script_continue(&b.script, steps);
	CHECK_INT("NULL", slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_E_TIMEOUT);
	CHECK_INT("NULL", len, 0);
	CHECK("not before", b.script.clock >= 5000);
	CHECK("not long after", b.script.clock <= 6000);
	script_continue(&b.script, &steps[2 * TIMES]);
	b.script.error[0] = 0;
	len = sizeof rx;
	CHECK_INT("the card has to be reset",
		  slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_E_UNPOWERED);
	slot_bench_end("NULL", &b);
	check_done();
}

/* I(0,0) with 00 B0 00 00 02; S(IFS request 254) with its answer */
#define T1_UP    POWER_ON(1), ATR_OF(4, 0x3B, 0x80, 0x01, 0x81), T1_SET(0x11, 0x10, 0, 0x4D, 0, 0x20, 0)
#define T1_AGAIN T1_SET(0x11, 0x10, 0, 0x4D, 0, 0x20, 0)
#define IFSD \
	CHARS(3, 5, 0x00, 0xC1, 0x01, 0xFE, 0x3E), BLOCK(3, 0x00, 0xE1, 0x01), MORE(2), BLOCK(2, 0xFE, 0x1E)
#define I_READ_2 CHARS(3, 9, 0x00, 0x00, 0x05, READ_2, 0xB7)
#define R_EDC    CHARS(3, 4, 0x00, 0x81, 0x00, 0x81)
#define R_OTHER  CHARS(3, 4, 0x00, 0x82, 0x00, 0x82)
#define ANSWER   BLOCK(3, 0x00, 0x00, 0x02), MORE(3), BLOCK(3, 0x90, 0x00, 0x92)

static const struct {
	const char *name;
	const struct script_step *steps;
	enum oc_err err;
	uint8_t rx[8];
	size_t rx_len;
} t1_rows[] = {
	{ "the prologue, then LEN and EDC", STEPS(I_READ_2, ANSWER), OC_OK, { 0x90, 0 }, 2 },
	{ "the whole block at once",
	  STEPS(I_READ_2, BLOCK(6, 0x00, 0x00, 0x02, 0x90, 0x00, 0x92)),
	  OC_OK,
	  { 0x90, 0 },
	  2 },
	{ "S(WTX): bBWI goes with its answer, and with the rest of what follows",
	  STEPS(I_READ_2, BLOCK(3, 0x00, 0xC3, 0x01), MORE(2), BLOCK(2, 0x09, 0xCB),
		SENDS(0x6F, 5, 0, 0, 0, 0, 0, 9, 3, 0, 0x00, 0xE3, 0x01, 0x09, 0xEB),
		BLOCK(3, 0x00, 0x00, 0x02), SENDS(0x6F, 0, 0, 0, 0, 0, 0, 9, 3, 0),
		BLOCK(3, 0x90, 0x00, 0x92)),
	  OC_OK,
	  { 0x90, 0 },
	  2 },
	{ "LEN 00: only the EDC is left",
	  STEPS(I_READ_2, BLOCK(3, 0x00, 0x82, 0x00), MORE(1), BLOCK(1, 0x82), I_READ_2, ANSWER),
	  OC_OK,
	  { 0x90, 0 },
	  2 },
	{ "LEN FF: invalid, and within bounds",
	  STEPS(I_READ_2, BLOCK(3, 0x00, 0x00, 0xFF), SENDS(0x6F, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x01),
		BLOCK(1, 0x55), R_OTHER, ANSWER),
	  OC_OK,
	  { 0x90, 0 },
	  2 },
	{ "a short prologue", STEPS(I_READ_2, BLOCK(2, 0x00, 0x00), R_OTHER, ANSWER), OC_OK, { 0x90, 0 }, 2 },
	{ "nothing at all", STEPS(I_READ_2, XFR_FAILS(0, 0), R_OTHER, ANSWER), OC_OK, { 0x90, 0 }, 2 },
	{ "a short rest",
	  STEPS(I_READ_2, BLOCK(3, 0x00, 0x00, 0x02), MORE(3), BLOCK(2, 0x90, 0x00), R_OTHER, ANSWER),
	  OC_OK,
	  { 0x90, 0 },
	  2 },
	{ "no rest",
	  STEPS(I_READ_2, BLOCK(3, 0x00, 0x00, 0x02), MORE(3), XFR_FAILS(0, 0), R_OTHER, ANSWER),
	  OC_OK,
	  { 0x90, 0 },
	  2 },
	{ "a wrong EDC",
	  STEPS(I_READ_2, BLOCK(3, 0x00, 0x00, 0x02), MORE(3), BLOCK(3, 0x90, 0x00, 0x93), R_EDC, ANSWER),
	  OC_OK,
	  { 0x90, 0 },
	  2 },
	{ "a parity error in the rest",
	  STEPS(I_READ_2, BLOCK(3, 0x00, 0x00, 0x02), MORE(3), XFR_FAILS(0x40, 0xFD), R_EDC, ANSWER),
	  OC_OK,
	  { 0x90, 0 },
	  2 },
	{ "silence in the rest",
	  STEPS(I_READ_2, BLOCK(3, 0x00, 0x00, 0x02), MORE(3), XFR_FAILS(0x40, 0xFE), R_OTHER, ANSWER),
	  OC_OK,
	  { 0x90, 0 },
	  2 },
	{ "F6h to the block: it goes again",
	  STEPS(I_READ_2, XFR_FAILS(0x40, 0xF6), T1_AGAIN, I_READ_2, ANSWER),
	  OC_OK,
	  { 0x90, 0 },
	  2 },
	{ "F6h to the rest: the card has the block, it is not repeated",
	  STEPS(I_READ_2, BLOCK(3, 0x00, 0x00, 0x02), MORE(3), XFR_FAILS(0x40, 0xF6)),
	  OC_E_PROTOCOL,
	  { 0 },
	  0 },
	{ "pulled out", STEPS(I_READ_2, XFR_FAILS(0x42, 0xFE)), OC_E_NO_CARD, { 0 }, 0 },
};

static void t1_through_a_slot(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(t1_rows); i++) {
		const char *name = t1_rows[i].name;
		uint8_t atr[ATR_MAX], rx[258];
		size_t atr_len, len = sizeof rx;
		struct slot_bench b;

		begin(&b);
		slot_bench_open(&b, STEPS(T1_UP, IFSD));
		CHECK_INT(name, slot_power_up(b.slot, atr, &atr_len), OC_OK);
		CHECK_INT(name, slot_set_protocol(b.slot, CCID_PROTOCOL_T1, NULL), OC_OK);
		script_continue(&b.script, t1_rows[i].steps);
		CHECK_INT(name, slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len),
			  t1_rows[i].err);
		CHECK_BYTES(name, rx, len, t1_rows[i].rx, t1_rows[i].rx_len);
		slot_bench_end(name, &b);
	}
	check_done();
}

/* The host does the PPS: as many characters come back as went out. */
static void pps_at_character_level(void **state)
{
	uint8_t atr[ATR_MAX];
	size_t atr_len;
	struct slot_bench b;

	(void)state;
	begin(&b);
	b.setup.caps.features = 0x30;
	slot_bench_open(&b,
			STEPS(POWER_ON(1), ATR_OF(3, 0x3B, 0x10, 0x96), CHARS(4, 4, 0xFF, 0x10, 0x96, 0x79),
			      BLOCK(4, 0xFF, 0x10, 0x96, 0x79), T0_SET(0x96, 0, 0, 10, 0)));
	CHECK_INT("up", slot_power_up(b.slot, atr, &atr_len), OC_OK);
	CHECK_INT("PPS", slot_set_protocol(b.slot, CCID_PROTOCOL_T0, NULL), OC_OK);
	slot_bench_end("PPS", &b);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(procedure_bytes),   cmocka_unit_test(every_procedure_byte),
		cmocka_unit_test(null_is_bounded),   cmocka_unit_test(random_characters),
		cmocka_unit_test(t0_through_a_slot), cmocka_unit_test(null_for_ever_ends_with_the_patience),
		cmocka_unit_test(t1_through_a_slot), cmocka_unit_test(pps_at_character_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
