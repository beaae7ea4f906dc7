/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* T=0 against every class byte and against cards that do as they like: what must hold whatever they answer. */
#include "tpdu/t0.h"
#include "check.h"

/*
 * The class of GET RESPONSE, as ranges of 7816-4, 5.4.1 (first and further interindustry values), of GlobalPlatform's
 * likes of them, and the rest. keep: the bits that say what class and which channel, without secure messaging and chaining.
 */
static const struct {
	uint8_t first, last, keep;
} class_rows[] = {
	{ 0x00, 0x1F, 0x03 },                       /* channels 0..3 */
	{ 0x20, 0x3F, 0xFF },                       /* reserved: kept */
	{ 0x40, 0x7F, 0x4F },                       /* channels 4..19 */
	{ 0x80, 0x8F, 0x83 },                       /* GlobalPlatform, channels 0..3 */
	{ 0x90, 0x9F, 0xFF }, { 0xA0, 0xBF, 0xFF }, /* proprietary: kept */
	{ 0xC0, 0xFE, 0xCF },                       /* GlobalPlatform, channels 4..19 */
	{ 0xFF, 0xFF, 0xFF },
};

static void class_of_get_response(void **state)
{
	unsigned rows = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(class_rows); i++) {
		for (unsigned cla = class_rows[i].first; cla <= class_rows[i].last; cla++, rows++) {
			char name[16];

			snprintf(name, sizeof name, "CLA %02Xh", cla);
			CHECK_INT(name, t0_get_response_class((uint8_t)cla), cla & class_rows[i].keep);
		}
	}
	CHECK_INT("every class has its row", rows, 256);
	check_done();
}

/* ---- a card, and a book of what it sent ------------------------------------------------------------------------------ */

enum { LOG_CAP = 600000, ANSWER_CAP = 65538 + 42 };

struct walk {
	struct apdu apdu;
	struct t0 t0;
	uint8_t *answer; /* ANSWER_CAP bytes */
	size_t cap, canary, ne;
	uint8_t tpdu[T0_TPDU_MAX];
	struct block block;
	uint8_t *sent; /* all data bytes the card sent and the engine took, in order */
	size_t sent_len;
	uint8_t sw[2];
	unsigned tpdus, commands;
};

static void walk_begin(struct walk *w, const uint8_t *bytes, size_t len, size_t cap)
{
	assert_int_equal(apdu_parse(bytes, len, &w->apdu), OC_OK);
	w->canary = cap + 42;
	memset(w->answer, 0xEE, w->canary);
	w->cap = cap;
	w->ne = w->apdu.ne;
	w->sent_len = 0;
	w->tpdus = w->commands = 0;
	assert_int_equal(t0_begin(&w->t0, &w->apdu, w->answer, cap), OC_OK);
}

static enum step walk_next(struct walk *w)
{
	return t0_next(&w->t0, w->tpdu, &w->block);
}

static void walk_feed(struct walk *w, const uint8_t *data, size_t len, uint8_t sw1, uint8_t sw2)
{
	uint8_t in[600];
	struct reply reply = { .kind = REPLY_BLOCK, .data = in, .len = len + 2 };

	w->tpdus++;
	if (len)
		memcpy(in, data, len);
	in[len] = w->sw[0] = sw1;
	in[len + 1] = w->sw[1] = sw2;
	assert_true(w->sent_len + len <= LOG_CAP);
	memcpy(w->sent + w->sent_len, in, len);
	w->sent_len += len;
	t0_feed(&w->t0, &reply);
}

static void check_end(const char *name, const struct walk *w, enum step step)
{
	CHECK(name, step == STEP_DONE || step == STEP_FAIL);
	for (size_t i = w->cap; i < w->canary; i++)
		CHECK(name, w->answer[i] == 0xEE);
	if (step != STEP_DONE) {
		CHECK(name, w->t0.err != OC_OK);
		return;
	}
	CHECK(name, w->t0.len >= 2 && w->t0.len <= w->ne + 2 && w->t0.len <= w->cap);
	CHECK_BYTES(name, w->answer, w->t0.len - 2, w->sent, w->sent_len);
	CHECK_BYTES(name, w->answer + w->t0.len - 2, 2, w->sw, 2);
}

static struct walk *walk_new(void)
{
	struct walk *w = calloc(1, sizeof *w);

	assert_non_null(w);
	w->sent = malloc(LOG_CAP);
	w->answer = malloc(ANSWER_CAP);
	assert_true(w->sent && w->answer);
	return w;
}

static void walk_free(struct walk *w)
{
	free(w->sent);
	free(w->answer);
	free(w);
}

/* ---- cards with one idea ------------------------------------------------------------------------------------------- */

/*
 * The most TPDUs of an exchange in which every one brings the card or the application a step further: the slices of
 * ENVELOPE or the command itself, then each byte of the answer by itself, and a 6Cxx before each.
 */
static unsigned rounds_for(size_t enveloped, size_t ne)
{
	const size_t slices = (enveloped + T0_ENVELOPE_MAX - 1) / T0_ENVELOPE_MAX;

	return (unsigned)((slices ? slices : 1) + 2 * ne);
}

static const uint8_t select_all[] = { 0x00, 0xA4, 0x04, 0x00, 0x01, 0x07, 0x00 };

/* The longest exchange that is still legal: every byte by itself, and a 6Cxx before each. */
static void one_byte_at_a_time(void **state)
{
	struct walk *w = walk_new();
	enum step step;
	bool correct = true;

	(void)state;
	walk_begin(w, select_all, sizeof select_all, 258);
	while ((step = walk_next(w)) == STEP_SEND && w->tpdus < 10000) {
		const uint8_t byte = (uint8_t)w->sent_len;

		if (w->tpdus == 0)
			walk_feed(w, NULL, 0, 0x61, 0x10);
		else if (correct)
			walk_feed(w, NULL, 0, 0x6C, 0x01);
		else if (w->sent_len < 255)
			walk_feed(w, &byte, 1, 0x61, 0x10);
		else
			walk_feed(w, &byte, 1, 0x90, 0x00);
		correct = w->tpdus == 1 || !correct;
	}
	CHECK_INT("done", step, STEP_DONE);
	CHECK_INT("TPDUs", w->tpdus, rounds_for(0, 256));
	CHECK_INT("answer", w->t0.len, 258);
	check_end("one byte at a time", w, step);
	walk_free(w);
	check_done();
}

/* Cards that promise for ever: the same status to everything. */
static const struct {
	const char *name;
	uint8_t sw1, sw2;
	size_t data; /* bytes with each status */
} stubborn[] = {
	{ "61 00 and no data", 0x61, 0x00, 0 },       { "61 10 and no data", 0x61, 0x10, 0 },
	{ "61 01 and one byte each", 0x61, 0x01, 1 }, { "6C 00 for ever", 0x6C, 0x00, 0 },
	{ "6C 10 for ever", 0x6C, 0x10, 0 },
};

static void stubborn_cards(void **state)
{
	struct walk *w = walk_new();

	(void)state;
	for (size_t i = 0; i < COUNT(stubborn); i++) {
		const char *name = stubborn[i].name;
		enum step step;

		walk_begin(w, select_all, sizeof select_all, 258);
		while ((step = walk_next(w)) == STEP_SEND && w->tpdus < 10000)
			walk_feed(w, (const uint8_t[]){ 0xAB }, w->tpdus ? stubborn[i].data : 0,
				  stubborn[i].sw1, stubborn[i].sw2);
		CHECK(name, w->tpdus <= rounds_for(0, 256));
		CHECK(name, step == STEP_DONE || w->t0.err == OC_E_LIMIT);
		check_end(name, w, step);
	}
	walk_free(w);
	check_done();
}

/* An empty 61xx to GET RESPONSE brings nothing and must not start a chase: at once either status or OC_E_LIMIT. */
static void empty_promises_end_soon(void **state)
{
	struct walk *w = walk_new();
	enum step step;

	(void)state;
	walk_begin(w, select_all, sizeof select_all, 258);
	while ((step = walk_next(w)) == STEP_SEND && w->tpdus < 10000)
		walk_feed(w, NULL, 0, 0x61, 0x05);
	CHECK_INT("TPDUs", w->tpdus, 2);
	check_end("empty promise", w, step);
	walk_free(w);
	check_done();
}

/* ---- all the bytes that an extended APDU can ask for, and give ------------------------------------------------------- */

enum { WHOLE = 65536 };

/* A command that asks for 65,536 bytes with no data, and a card that gives them all, so many at a time. */
static void much_to_get(const char *name, size_t at_a_time, unsigned tpdus)
{
	const uint8_t read_all[] = { 0x00, 0xB0, 0x00, 0x00, 0x00, 0x00, 0x00 };
	struct walk *w = walk_new();
	uint8_t data[256];
	enum step step;

	walk_begin(w, read_all, sizeof read_all, WHOLE + 2);
	while ((step = walk_next(w)) == STEP_SEND && w->tpdus <= tpdus) {
		const size_t p3 = w->tpdu[4] ? w->tpdu[4] : 256, n = p3 < at_a_time ? p3 : at_a_time;
		const size_t left = WHOLE + 300 - w->sent_len - n; /* it would even give more */

		CHECK(name, p3 <= WHOLE - w->sent_len);
		CHECK_INT(name, w->tpdu[1], w->tpdus ? 0xC0 : 0xB0);
		for (size_t i = 0; i < n; i++)
			data[i] = (uint8_t)((w->sent_len + i) * 7 / 3);
		walk_feed(w, data, n, 0x61, left > 255 ? 0 : (uint8_t)left);
	}
	CHECK_INT(name, step, STEP_DONE);
	CHECK_INT(name, w->tpdus, tpdus);
	CHECK_INT(name, w->t0.len, WHOLE + 2);
	check_end(name, w, step);
	walk_free(w);
}

static void all_bytes_of_an_answer(void **state)
{
	(void)state;
	much_to_get("256 at a time", 256, 256);
	much_to_get("100 at a time", 100, 656);
	much_to_get("1 at a time", 1, 65536);
	check_done();
}

/* The whole APDU must arrive in ENVELOPEs, in order, and nothing else. */
static void all_bytes_of_a_command(void **state)
{
	const size_t nc = 65535, len = 7 + nc + 2;
	uint8_t *apdu = malloc(len), *seen = malloc(len);
	struct walk *w = walk_new();
	size_t got = 0;
	enum step step;

	(void)state;
	assert_true(apdu && seen);
	for (size_t i = 0; i < len; i++)
		apdu[i] = (uint8_t)(i * 7 / 3);
	memcpy(apdu, ((const uint8_t[]){ 0x00, 0xD6, 0x00, 0x00, 0x00, 0xFF, 0xFF }), 7);
	apdu[len - 2] = apdu[len - 1] = 0;
	walk_begin(w, apdu, len, WHOLE + 2);
	while ((step = walk_next(w)) == STEP_SEND && got < len) {
		const size_t slice = w->tpdu[4];

		CHECK_BYTES("ENVELOPE", w->tpdu, 4, ((const uint8_t[]){ 0, 0xC2, 0, 0 }), 4);
		CHECK_INT("length", w->block.len, 5 + slice);
		CHECK_INT("slice", slice, len - got < 255 ? len - got : 255);
		assert_true(got + slice <= len);
		memcpy(seen + got, w->tpdu + 5, slice);
		got += slice;
		walk_feed(w, NULL, 0, 0x90, 0x00);
	}
	CHECK_INT("done", step, STEP_DONE);
	CHECK_INT("slices", w->tpdus, (len + 254) / 255);
	CHECK_BYTES("the APDU", seen, got, apdu, len);
	check_end("all of a command", w, step);
	walk_free(w);
	free(apdu);
	free(seen);
	check_done();
}

/* 65,535 bytes there and 65,536 back; a 6Cxx before each of them, and a refusal (F6h) of every TPDU: still no bound is met. */
static void the_longest_legal_exchange(void **state)
{
	const size_t nc = 65535, len = 7 + nc + 2;
	uint8_t *apdu = calloc(1, len);
	struct walk *w = walk_new();
	const size_t slices = (len + 254) / 255;
	bool correct = true, refused = false;
	enum step step;

	(void)state;
	assert_non_null(apdu);
	memcpy(apdu, ((const uint8_t[]){ 0x00, 0xD6, 0x00, 0x00, 0x00, 0xFF, 0xFF }), 7);
	walk_begin(w, apdu, len, WHOLE + 2);
	while ((step = walk_next(w)) == STEP_SEND && w->tpdus <= rounds_for(len, WHOLE)) {
		const uint8_t byte = (uint8_t)w->sent_len;

		refused = !refused;
		if (refused) {
			t0_feed(&w->t0,
				&(const struct reply){ .kind = REPLY_NOT_SENT, .err = OC_E_PROTOCOL });
			continue;
		}
		if (w->tpdus < slices) {
			walk_feed(w, NULL, 0, w->tpdus + 1 < slices ? 0x90 : 0x61, 0x00);
			continue;
		}
		if (correct)
			walk_feed(w, NULL, 0, 0x6C, 0x01);
		else
			walk_feed(w, &byte, 1, w->sent_len + 1 < WHOLE ? 0x61 : 0x90, 0x00);
		correct = !correct;
	}
	CHECK_INT("done", step, STEP_DONE);
	CHECK_INT("TPDUs", w->tpdus, rounds_for(len, WHOLE));
	CHECK_INT("answer", w->t0.len, WHOLE + 2);
	check_end("the longest", w, step);
	walk_free(w);
	free(apdu);
	check_done();
}

/* ---- the random walk ----------------------------------------------------------------------------------------------- */

static const uint8_t walk_sw1[] = { 0x61, 0x61, 0x61, 0x61, 0x6C, 0x6C, 0x90, 0x62, 0x63, 0x6A };
static const uint8_t walk_sw2[] = { 0, 1, 2, 3, 5, 16, 127, 128, 254, 255 };

static size_t random_apdu(uint32_t *seed, uint8_t *bytes)
{
	static const uint8_t les[] = { 0, 1, 2, 5, 16, 255 };
	uint8_t le = les[check_random(seed) % COUNT(les)];
	size_t lc = 1 + check_random(seed) % 4;

	memcpy(bytes, ((const uint8_t[]){ 0x00, 0xA4, 0x04, 0x00 }), 4);
	switch (check_random(seed) % 8) {
	case 0: return 4;
	case 1: bytes[4] = le; return 5;
	case 2:
		bytes[4] = (uint8_t)lc;
		memset(bytes + 5, 7, lc);
		return 5 + lc;
	default:
		bytes[4] = (uint8_t)lc;
		memset(bytes + 5, 7, lc);
		bytes[5 + lc] = le;
		return 6 + lc;
	}
}

static void check_tpdu(const struct walk *w, const uint8_t *apdu, size_t taken)
{
	const uint8_t *t = w->tpdu;
	size_t p3 = w->block.len > 4 ? (t[4] ? t[4] : 256u) : 0;

	CHECK("length", w->block.len >= 4 && w->block.len <= T0_TPDU_MAX);
	if (w->commands == 1 && w->tpdus == 0) {
		CHECK_BYTES("the command's header", t, 4, apdu, 4);
		return;
	}
	CHECK_BYTES("GET RESPONSE", t, 4, ((const uint8_t[]){ 0, 0xC0, 0, 0 }), 4);
	CHECK_INT("GET RESPONSE", w->block.len, 5);
	CHECK("never more than Ne", p3 <= w->ne - taken);
}

static void walk_once(struct walk *w, uint32_t *seed)
{
	uint8_t apdu[16], data[600];
	size_t len = random_apdu(seed, apdu);
	size_t cap = check_random(seed) % 8 ? 258 : 2 + check_random(seed) % 64;
	enum step step;
	unsigned sends = 0;

	walk_begin(w, apdu, len, cap);
	while ((step = walk_next(w)) == STEP_SEND) {
		size_t most, n;

		if (++sends > 2 * rounds_for(0, 256))
			fail_msg("no end");
		w->commands = 1;
		check_tpdu(w, apdu, w->sent_len);
		if (check_random(seed) % 64 == 0) { /* refused: the card saw nothing */
			t0_feed(&w->t0,
				&(const struct reply){ .kind = REPLY_NOT_SENT, .err = OC_E_PROTOCOL });
			continue;
		}
		most = w->block.expect > 2 ? w->block.expect - 2 : 0;
		n = check_random(seed) % 4 ? (most ? check_random(seed) % (most + 1) : 0) : 0;
		if (check_random(seed) % 256 == 0) /* more than asked for */
			n = most + 1 + check_random(seed) % 200;
		for (size_t i = 0; i < n; i++)
			data[i] = (uint8_t)check_random(seed);
		walk_feed(w, data, n, walk_sw1[check_random(seed) % COUNT(walk_sw1)],
			  walk_sw2[check_random(seed) % COUNT(walk_sw2)]);
	}
	CHECK("bounded", w->tpdus <= rounds_for(0, w->ne));
	check_end("walk", w, step);
}

static void random_walk(void **state)
{
	struct walk *w = walk_new();
	uint32_t seed = 20061101;

	(void)state;
	for (unsigned run = 0; run < 100000; run++)
		walk_once(w, &seed);
	walk_free(w);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(class_of_get_response),
		cmocka_unit_test(one_byte_at_a_time),
		cmocka_unit_test(stubborn_cards),
		cmocka_unit_test(empty_promises_end_soon),
		cmocka_unit_test(all_bytes_of_an_answer),
		cmocka_unit_test(all_bytes_of_a_command),
		cmocka_unit_test(the_longest_legal_exchange),
		cmocka_unit_test(random_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
