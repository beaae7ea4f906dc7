/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* T=1 where the reader makes the command's block itself, with a PIN that the host never sees. */
#include "t1_bench.h"

static void begin_by_reader(struct bench *b, bool crc, size_t len)
{
	*b = bench_of(crc);
	memset(b->answer, 0xEE, sizeof b->answer);
	assert_int_equal(t1_begin_by_reader(&b->t1, len, b->answer, b->cap), OC_OK);
}

/* Its prologue alone is handed out, with N(S) and what is known of LEN. */
static void prologue_only(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		uint8_t prologue[3];
	} rows[] = {
		{ "the reader builds the data", 0, { 0x00, 0x00, 0x00 } },
		{ "a whole template", 13, { 0x00, 0x00, 0x0D } },
		{ "as long as IFSC", 32, { 0x00, 0x00, 0x20 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bench b;

		begin_by_reader(&b, i & 1, rows[i].len);
		CHECK_INT(rows[i].name, next(&b), STEP_SEND);
		CHECK(rows[i].name, b.block.by_reader);
		CHECK_BYTES(rows[i].name, b.out, b.block.len, rows[i].prologue, sizeof rows[i].prologue);
	}
	check_done();
}

/* It has to fit one block: of the IFSC in force, and where RESYNCH comes first, of the one that this brings back. */
static void too_long(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		uint8_t ifsc, longest;
		bool in_doubt, dead;
		enum oc_err err;
	} rows[] = {
		{ "as long as IFSC", 32, 32, 254, false, false, OC_OK },
		{ "longer than IFSC", 33, 32, 254, false, false, OC_E_LIMIT },
		{ "longer than the reader takes", 33, 64, 32, false, false, OC_E_LIMIT },
		{ "IFSC was raised by the card", 33, 64, 254, false, false, OC_OK },
		{ "RESYNCH undoes that", 33, 64, 254, true, false, OC_E_LIMIT },
		{ "IFSC was lowered by the card, and RESYNCH undoes that", 32, 16, 254, true, false, OC_OK },
		{ "dead", 4, 32, 254, false, true, OC_E_UNPOWERED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bench b = bench_of(false);

		b.t1.ifsc = rows[i].ifsc;
		b.t1.longest = rows[i].longest;
		b.t1.in_doubt = rows[i].in_doubt;
		b.t1.dead = rows[i].dead;
		CHECK_INT(rows[i].name, t1_begin_by_reader(&b.t1, rows[i].len, b.answer, b.cap), rows[i].err);
	}
	check_done();
}

enum event { ANSWER, WITHDRAWN, WANTED_AGAIN, FAILED, WAITING, DAMAGED };

static void happen(struct bench *b, enum event event)
{
	static const uint8_t sw[] = { 0x90, 0x00 }, factor[] = { 5 };

	if (event == ANSWER)
		feed_block(b, 0x00, sw, sizeof sw);
	else if (event == WANTED_AGAIN)
		feed_block(b, 0x80, NULL, 0);
	else if (event == WAITING)
		feed_block(b, 0xC3, factor, sizeof factor);
	else if (event == WITHDRAWN)
		feed_kind(b, REPLY_WITHDRAWN, OC_E_REFUSED);
	else
		feed_kind(b, event == DAMAGED ? REPLY_DAMAGED : REPLY_FAILED, OC_E_TIMEOUT);
}

static const struct {
	const char *name;
	enum event event[3];
	unsigned events;
	enum step end; /* STEP_SEND: more is to be done, this block */
	uint8_t pcb;
	uint8_t ns; /* of the next command */
	bool in_doubt;
} ends[] = {
	{ "answered", { ANSWER }, 1, STEP_DONE, 0, 1, false },
	{ "withdrawn: the card has not seen it", { WITHDRAWN }, 1, STEP_FAIL, 0, 0, false },
	{ "failed: nobody knows", { FAILED }, 1, STEP_FAIL, 0, 0, true },
	{ "the card asks for time, and answers", { WAITING, ANSWER }, 2, STEP_DONE, 0, 1, false },
	{ "time is asked for: the answer to that is the host's", { WAITING }, 1, STEP_SEND, 0xE3, 0, false },
	{ "withdrawn after the card was heard", { WAITING, WITHDRAWN }, 2, STEP_FAIL, 0, 0, true },
	{ "damaged: R(0) asks for the answer again", { DAMAGED }, 1, STEP_SEND, 0x81, 0, false },
	{ "damaged, then answered", { DAMAGED, ANSWER }, 2, STEP_DONE, 0, 1, false },
	{ "wanted again: RESYNCH, never a second block", { WANTED_AGAIN }, 1, STEP_SEND, 0xC0, 0, false },
	{ "damaged, then wanted again", { DAMAGED, WANTED_AGAIN }, 2, STEP_SEND, 0xC0, 0, false },
};

static void each_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		struct bench b;
		enum step step;

		begin_by_reader(&b, false, 0);
		for (unsigned e = 0; e < ends[i].events; e++) {
			CHECK_INT(ends[i].name, next(&b), STEP_SEND);
			happen(&b, ends[i].event[e]);
		}
		step = next(&b);
		CHECK_INT(ends[i].name, step, ends[i].end);
		if (step == STEP_SEND)
			CHECK_INT(ends[i].name, b.out[1], ends[i].pcb);
		CHECK(ends[i].name, step != STEP_SEND || !b.block.by_reader);
		CHECK_INT(ends[i].name, b.t1.ns, ends[i].ns);
		CHECK_INT(ends[i].name, b.t1.in_doubt, ends[i].in_doubt);
	}
	check_done();
}

/* RESYNCH comes before the reader is asked, where the numbers are in doubt. */
static void doubt_first(void **state)
{
	struct bench b = bench_of(false);

	(void)state;
	b.t1.in_doubt = true;
	assert_int_equal(t1_begin_by_reader(&b.t1, 0, b.answer, b.cap), OC_OK);
	check_sent("resynch", &b, 0xC0);
	assert_false(b.block.by_reader);
	feed_block(&b, 0xE0, NULL, 0);
	assert_int_equal(next(&b), STEP_SEND);
	assert_true(b.block.by_reader);
	check_done();
}

/* Afterwards the host's own commands go as ever. */
static void no_trace_left(void **state)
{
	static const enum event first[] = { ANSWER, WITHDRAWN };

	(void)state;
	for (size_t i = 0; i < COUNT(first); i++) {
		struct bench b;

		begin_by_reader(&b, false, 0);
		assert_int_equal(next(&b), STEP_SEND);
		happen(&b, first[i]);
		next(&b);
		check_works("next", &b);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prologue_only), cmocka_unit_test(too_long),      cmocka_unit_test(each_end),
		cmocka_unit_test(doubt_first),   cmocka_unit_test(no_trace_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
