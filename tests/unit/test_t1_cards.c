/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* T=1 with cards that do as they like, and readers that cannot deliver: it ends, and nothing old is taken for new. */
#include "t1_bench.h"

/* ---- cards that do as they like ------------------------------------------------------------------------------------ */

/* A card with one idea: what it answers to block n. */
struct idea {
	const char *name;
	void (*answer)(struct bench *b, unsigned n);
	unsigned most; /* blocks before the engine has to give up */
};

static void say_r(struct bench *b, unsigned pcb)
{
	feed_block(b, (uint8_t)pcb, NULL, 0);
}

static void r0(struct bench *b, unsigned n)
{
	(void)n;
	say_r(b, 0x80);
}

static void r1(struct bench *b, unsigned n)
{
	(void)n;
	say_r(b, 0x90);
}

static void r_in_turn(struct bench *b, unsigned n)
{
	say_r(b, n & 1 ? 0x90 : 0x80);
}

static void r_errors(struct bench *b, unsigned n)
{
	say_r(b, 0x81 + n % 2 + (n & 2 ? 0x10 : 0));
}

static void r_and_damage(struct bench *b, unsigned n)
{
	if (n & 1)
		feed_kind(b, REPLY_DAMAGED, OC_E_CARD);
	else
		say_r(b, 0x80);
}

static void damage_and_silence(struct bench *b, unsigned n)
{
	feed_kind(b, n & 1 ? REPLY_SILENT : REPLY_DAMAGED, OC_E_CARD);
}

static void its_own_words(struct bench *b, unsigned n)
{
	(void)n;
	feed(b, b->out, b->block.len); /* an echo of the line */
}

static void empty_chain(struct bench *b, unsigned n)
{
	(void)n;
	feed_block(b, b->t1.nr ? 0x60 : 0x20, NULL, 0);
}

static void ifs_for_ever(struct bench *b, unsigned n)
{
	const uint8_t ifs = (uint8_t)(1 + n % 254);

	feed_block(b, 0xC1, &ifs, 1);
}

static void abort_for_ever(struct bench *b, unsigned n)
{
	(void)n;
	say_r(b, 0xC2);
}

static void resynch_for_ever(struct bench *b, unsigned n)
{
	(void)n;
	say_r(b, 0xC0);
}

static void wtx_for_ever(struct bench *b, unsigned n)
{
	const uint8_t factor = (uint8_t)n;

	feed_block(b, 0xC3, &factor, 1);
}

static void wtx_and_damage(struct bench *b, unsigned n)
{
	if (n & 1)
		feed_kind(b, REPLY_DAMAGED, OC_E_CARD);
	else
		wtx_for_ever(b, n);
}

static void ifs_and_damage(struct bench *b, unsigned n)
{
	if (n & 1)
		feed_kind(b, REPLY_DAMAGED, OC_E_CARD);
	else
		ifs_for_ever(b, n);
}

static void short_noise(struct bench *b, unsigned n)
{
	const uint8_t noise[3] = { (uint8_t)n, (uint8_t)(n >> 8), 0 };

	feed(b, noise, n % 4);
}

static const struct idea ideas[] = {
	{ "R(0) to everything", r0, 10 },
	{ "R(1) to everything", r1, 10 },
	{ "R(0) and R(1) in turn", r_in_turn, 20 },
	{ "R with errors", r_errors, 20 },
	{ "R and damage in turn", r_and_damage, 30 },
	{ "damage and silence", damage_and_silence, 6 },
	{ "an echo", its_own_words, 100 },
	{ "a chain of empty blocks", empty_chain, 100 },
	{ "S(IFS) to everything", ifs_for_ever, 100 },
	{ "S(IFS) and damage in turn", ifs_and_damage, 200 },
	{ "S(ABORT) to everything", abort_for_ever, 100 },
	{ "S(RESYNCH) to everything", resynch_for_ever, 10 },
	{ "S(WTX) to everything", wtx_for_ever, T1_MAX_WTX + 10 },
	{ "S(WTX) and damage in turn", wtx_and_damage, 2 * T1_MAX_WTX + 10 },
	{ "noise", short_noise, 10 },
};

static void live_with(const struct idea *idea, bool crc, bool chained, bool ifsd)
{
	static const uint8_t long_command[100];
	struct bench b = bench_of(crc);
	unsigned n = 0;

	b.cap = ROOM;
	memset(b.answer, 0xEE, sizeof b.answer);
	if (ifsd)
		assert_int_equal(t1_begin_ifsd(&b.t1, 254), OC_OK);
	else
		assert_int_equal(t1_begin(&b.t1, long_command, chained ? 100 : 4, b.answer, ROOM), OC_OK);
	while (next(&b) == STEP_SEND && n <= idea->most)
		idea->answer(&b, n++);
	CHECK(idea->name, n > 0 && n <= idea->most);
	CHECK_INT(idea->name, next(&b), b.t1.err == OC_OK ? STEP_DONE : STEP_FAIL);
	CHECK(idea->name, !(b.t1.err == OC_OK && !ifsd && b.t1.len == 0));
	check_room(idea->name, &b);
	check_works(idea->name, &b);
}

static void cards_with_one_idea(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ideas); i++)
		for (unsigned how = 0; how < 8; how++)
			live_with(&ideas[i], how & 1, how & 2, how & 4);
	check_done();
}

/* ---- what the reader could not deliver ------------------------------------------------------------------------------ */

/*
 * The reader failed: nobody knows whether the card has the block. N(S) of the next command could be that of the old one,
 * and the card would answer the old one. So the connection is dead, or resynchronised before anything else is sent.
 */
static void failed_transfer(void **state)
{
	(void)state;
	for (unsigned crc = 0; crc < 2; crc++) {
		struct bench b = bench_of(crc);

		check_works("a first exchange", &b);
		begin(&b);
		CHECK_INT("send", next(&b), STEP_SEND);
		feed_kind(&b, REPLY_FAILED, OC_E_TIMEOUT);
		CHECK_INT("ends at once", next(&b), STEP_FAIL);
		CHECK_INT("with its error", b.t1.err, OC_E_TIMEOUT);
		if (t1_begin(&b.t1, command, sizeof command, b.answer, b.cap) != OC_OK) {
			CHECK("refused, so it is dead", b.t1.dead);
			continue;
		}
		check_sent("RESYNCH before the next command", &b, 0xC0);
		feed_block(&b, 0xE0, NULL, 0);
		check_command("then the command, as the first one", &b, 0);
		feed_block(&b, 0x00, command, sizeof command);
		CHECK_INT("it is answered", next(&b), STEP_DONE);
		check_works("and that was all", &b);
	}
	check_done();
}

/* Left in the middle by the caller: the same. */
static void abandoned(void **state)
{
	struct bench b = bench_of(false);

	(void)state;
	check_works("a first exchange", &b);
	begin(&b);
	CHECK_INT("send", next(&b), STEP_SEND);
	if (t1_begin(&b.t1, command, sizeof command, b.answer, b.cap) == OC_OK)
		check_sent("RESYNCH before the next command", &b, 0xC0);
	else
		CHECK("refused, so it is dead", b.t1.dead);
	check_done();
}

/* IFSD after a failed transfer: whatever comes first, the next command must not go out under an old number. */
static void failed_transfer_then_ifsd(void **state)
{
	const uint8_t ifsd = 254;
	struct bench b = bench_of(false);

	(void)state;
	check_works("a first exchange", &b);
	begin(&b);
	CHECK_INT("send", next(&b), STEP_SEND);
	feed_kind(&b, REPLY_FAILED, OC_E_TIMEOUT);
	if (t1_begin_ifsd(&b.t1, ifsd) == OC_OK) {
		CHECK_INT("send", next(&b), STEP_SEND);
		if (b.out[1] == 0xC0)
			return;
		feed_block(&b, 0xE1, &ifsd, 1);
		CHECK_INT("announced", next(&b), STEP_DONE);
	}
	if (t1_begin(&b.t1, command, sizeof command, b.answer, b.cap) == OC_OK)
		check_sent("RESYNCH before the next command", &b, 0xC0);
	else
		CHECK("refused, so it is dead", b.t1.dead);
	check_done();
}

/* F6h: the card saw nothing, so the same block goes out again; once. */
static void refused_by_the_reader(void **state)
{
	struct bench b = bench_of(false);

	(void)state;
	check_works("a first exchange", &b);
	begin(&b);
	for (unsigned i = 0; i < 2; i++) {
		check_command("the command", &b, 0x40);
		feed_kind(&b, REPLY_NOT_SENT, OC_E_PROTOCOL);
	}
	CHECK_INT("a second refusal ends it", next(&b), STEP_FAIL);
	CHECK_INT("with its error", b.t1.err, OC_E_PROTOCOL);
	check_works("nothing is lost but this command", &b);
	check_done();
}

/* The same for each later kind of block, and refusals that are not in a row. */
static void refused_now_and_then(void **state)
{
	static const uint8_t sends[] = { 0x00, 0x90, 0x80, 0x90, 0xE3, 0xE3 };
	static const uint8_t wtx = 7;
	struct bench b = bench_of(false);

	(void)state;
	begin(&b);
	for (unsigned i = 0; i < COUNT(sends); i++) {
		CHECK_INT("first attempt", next(&b), STEP_SEND);
		CHECK_INT("first attempt", b.out[1], sends[i]);
		feed_kind(&b, REPLY_NOT_SENT, OC_E_PROTOCOL);
		CHECK_INT("second attempt", next(&b), STEP_SEND);
		CHECK_INT("second attempt", b.out[1], sends[i]);
		CHECK_INT("its waiting time", b.block.bwi, sends[i] == 0xE3 ? wtx : 0);
		if (i < 3)
			feed_block(&b, i & 1 ? 0x60 : 0x20, &wtx, 1);
		else
			feed_block(&b, 0xC3, &wtx, 1);
	}
	CHECK_INT("the last S(WTX response)", next(&b), STEP_SEND);
	feed_kind(&b, REPLY_NOT_SENT, OC_E_PROTOCOL);
	CHECK_INT("again", next(&b), STEP_SEND);
	feed_kind(&b, REPLY_NOT_SENT, OC_E_PROTOCOL);
	CHECK_INT("a second refusal in a row ends it", next(&b), STEP_FAIL);
	if (t1_begin(&b.t1, command, sizeof command, b.answer, b.cap) == OC_OK)
		check_sent("the card is in the middle of its chain: RESYNCH", &b, 0xC0);
	else
		CHECK("refused, so it is dead", b.t1.dead);
	check_done();
}

/* Damaged answers to S(IFS): the card may well have taken it, and may use it. */
static void ifsd_with_damaged_answers(void **state)
{
	uint8_t inf[100], answer[100];

	(void)state;
	memset(inf, 0x90, sizeof inf);
	for (unsigned crc = 0; crc < 2; crc++) {
		struct bench b = bench_of(crc);

		assert_int_equal(t1_begin_ifsd(&b.t1, 254), OC_OK);
		for (unsigned i = 0; i < 3 && next(&b) == STEP_SEND; i++)
			feed(&b, (const uint8_t[]){ 0, 0xE1, 1, 0xFE, 0, 0 }, crc ? 6 : 5);
		if (t1_begin(&b.t1, command, sizeof command, answer, sizeof answer) == OC_E_UNPOWERED) {
			CHECK("refused, so it is dead", b.t1.dead);
			continue;
		}
		CHECK_INT("send", next(&b), STEP_SEND);
		if (b.out[1] == 0xC0) /* resynchronised: 32 again on both sides */
			continue;
		feed_block(&b, 0x00, inf, sizeof inf);
		CHECK_INT("a block that the card believes to be legal", next(&b), STEP_DONE);
		CHECK_BYTES("answer", answer, b.t1.len, inf, sizeof inf);
	}
	check_done();
}

/* Once dead, nothing but a start revives it. */
static void dead_until_the_start(void **state)
{
	struct bench b;

	(void)state;
	send_first(&b, false);
	for (unsigned i = 0; i < 3; i++, next(&b))
		feed_kind(&b, REPLY_SILENT, OC_E_MUTE);
	CHECK("dead", b.t1.dead);
	feed_block(&b, 0x00, command, sizeof command);
	CHECK_INT("a late block changes nothing", next(&b), STEP_FAIL);
	check_works("still dead", &b);
	t1_start(&b.t1, 32, false, 0);
	CHECK("alive", !b.t1.dead);
	check_works("after a reset", &b);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cards_with_one_idea),
		cmocka_unit_test(failed_transfer),
		cmocka_unit_test(abandoned),
		cmocka_unit_test(failed_transfer_then_ifsd),
		cmocka_unit_test(refused_by_the_reader),
		cmocka_unit_test(refused_now_and_then),
		cmocka_unit_test(ifsd_with_damaged_answers),
		cmocka_unit_test(dead_until_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
