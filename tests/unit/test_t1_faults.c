/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* T=1: every kind of bad block, one at a time, and answers of every size for buffers of every size. */
#include "t1_bench.h"

enum { BLOCKS_MAX = 200 };

/* ---- EDC ----------------------------------------------------------------------------------------------------------- */

/* Dividing by x^16 + x^12 + x^5 + 1 from FFFFh, lowest bit of a byte first; 123456789 is the vector that catalogues use. */
static const struct {
	const char *name;
	const uint8_t *bytes;
	size_t len;
	uint16_t crc;
} crc_rows[] = {
	{ "nothing", NULL, 0, 0xFFFF },
	{ "one zero", BYTES(0), 0x0F87 },
	{ "123456789", BYTES('1', '2', '3', '4', '5', '6', '7', '8', '9'), 0x6F91 },
};

static void crc_vectors(void **state)
{
	uint32_t seed = 13239;
	uint8_t bytes[257] = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(crc_rows); i++) {
		CHECK_INT(crc_rows[i].name, sim_t1_crc(crc_rows[i].bytes, crc_rows[i].len), crc_rows[i].crc);
		CHECK_INT(crc_rows[i].name, t1_edc(crc_rows[i].bytes, crc_rows[i].len, true),
			  crc_rows[i].crc);
	}
	for (size_t len = 0; len <= sizeof bytes; len++) {
		uint8_t sum = 0;

		for (size_t i = 0; i < len; i++) {
			bytes[i] = (uint8_t)check_random(&seed);
			sum ^= bytes[i];
		}
		CHECK_INT("random bytes, CRC", t1_edc(bytes, len, true), sim_t1_crc(bytes, len));
		CHECK_INT("random bytes, LRC", t1_edc(bytes, len, false), sum);
	}
	check_done();
}

/* ---- one bad block ------------------------------------------------------------------------------------------------- */

/* 11.3.2.2: the PCBs that exist, and what the engine says when one of them comes, without INF, for its only I-block. */
static const struct {
	uint8_t pcb, then;
} pcb_rows[] = {
	{ 0x20, 0x90 },                                 /* the chain goes on */
	{ 0x80, 0x00 }, { 0x81, 0x00 }, { 0x82, 0x00 }, /* send it again */
	{ 0x90, 0x82 }, { 0x91, 0x82 }, { 0x92, 0x82 }, /* the answer is missing */
	{ 0xC2, 0xE2 },
};

static void every_pcb(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * 256; i++) {
		struct bench b;
		const uint8_t pcb = (uint8_t)(i / 2);
		uint8_t then = 0x82; /* "other error" for all that do not exist or do not belong here */
		char name[32];

		send_first(&b, i & 1);
		for (size_t k = 0; k < COUNT(pcb_rows); k++)
			if (pcb_rows[k].pcb == pcb)
				then = pcb_rows[k].then;
		snprintf(name, sizeof name, "PCB %02Xh, LEN 0", pcb);
		feed_block(&b, pcb, NULL, 0);
		if (pcb == 0x00) {
			CHECK_INT(name, next(&b), STEP_DONE);
			continue;
		}
		CHECK_INT(name, next(&b), STEP_SEND);
		CHECK_INT(name, b.out[1], then);
	}
	check_done();
}

static size_t good_answer(const struct bench *b, uint8_t out[16])
{
	const uint8_t block[] = { 0x00, 0x00, 0x04, 0xAA, 0xBB, 0x90, 0x00 };

	memcpy(out, block, sizeof block);
	return sim_t1_seal(out, sizeof block, b->crc);
}

static void truncated_at_each_length(void **state)
{
	(void)state;
	for (unsigned crc = 0; crc < 2; crc++)
		for (size_t len = 0; len < (crc ? 9u : 8u); len++) {
			struct bench b;
			uint8_t block[16];

			send_first(&b, crc);
			good_answer(&b, block);
			feed(&b, block, len);
			check_sent("a block that ends too early", &b, 0x82);
			feed(&b, block, good_answer(&b, block));
			CHECK_INT("whole the second time", next(&b), STEP_DONE);
		}
	check_done();
}

static void len_lies(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4 * 256; i++) {
		struct bench b;
		const bool resealed = i & 2;
		uint8_t block[16];
		size_t len;

		if (i / 4 == 4)
			continue;
		send_first(&b, i & 1);
		len = good_answer(&b, block);
		block[2] = (uint8_t)(i / 4);
		if (resealed)
			len = sim_t1_seal(block, 7, b.crc);
		feed(&b, block, len);
		check_sent("LEN disagrees with what came", &b, 0x82);
	}
	check_done();
}

/* Every single damaged bit is found; in LEN it is a length that does not fit. */
static void every_bit(void **state)
{
	(void)state;
	for (unsigned crc = 0; crc < 2; crc++)
		for (unsigned bit = 0; bit < 8 * (crc ? 9u : 8u); bit++) {
			struct bench b;
			uint8_t block[16];
			size_t len;

			send_first(&b, crc);
			len = good_answer(&b, block);
			block[bit / 8] ^= (uint8_t)(1u << bit % 8);
			feed(&b, block, len);
			check_sent("a damaged bit", &b, bit / 8 == 2 ? 0x82 : 0x81);
		}
	check_done();
}

static void surplus_bytes(void **state)
{
	uint8_t block[300] = { 0 };

	(void)state;
	for (size_t more = 1; more < 280; more++) {
		struct bench b;

		send_first(&b, more & 1);
		feed(&b, block, good_answer(&b, block) + more);
		check_sent("bytes after the EDC", &b, 0x82);
	}
	check_done();
}

/* 11.3.2.1: SAD and DAD change places; each of the card's blocks is checked. */
static void nad(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * 256; i++) {
		struct bench b = bench_of(i & 1);
		uint8_t block[16];
		const size_t len = good_answer(&b, block);
		uint8_t want[5] = { 0x52, 0x82, 0 };

		t1_start(&b.t1, 32, b.crc, 0x52);
		begin(&b);
		CHECK_INT("send", next(&b), STEP_SEND);
		CHECK_INT("our NAD", b.out[0], 0x52);
		block[0] = (uint8_t)(i / 2);
		sim_t1_seal(block, 7, b.crc);
		feed(&b, block, len);
		if (i / 2 == 0x25) {
			CHECK_INT("nibbles swapped", next(&b), STEP_DONE);
			CHECK_BYTES("answer", b.answer, b.t1.len, block + 3, 4);
			continue;
		}
		CHECK_INT("other nodes", next(&b), STEP_SEND);
		CHECK_BYTES("other nodes", b.out, b.block.len, want, sim_t1_seal(want, 3, b.crc));
	}
	check_done();
}

/* ---- buffers ------------------------------------------------------------------------------------------------------- */

/* Answers in blocks of 7 bytes: total bytes, for each size of the buffer. */
static void chained_answer(struct bench *b, size_t total)
{
	uint8_t inf[7];
	unsigned blocks = 0;
	size_t at = 0;

	memset(inf, 0xAB, sizeof inf);
	begin(b);
	while (next(b) == STEP_SEND && blocks++ < BLOCKS_MAX) {
		const size_t part = total - at < 7 ? total - at : 7;
		const bool more = at + part < total;

		if (b->out[1] == 0xC2) {
			feed_block(b, 0xE2, NULL, 0);
			continue;
		}
		feed_block(b, (uint8_t)((b->t1.nr ? 0x40 : 0) | (more ? 0x20 : 0)), inf, part);
		at += part;
	}
	CHECK("ends", blocks < BLOCKS_MAX);
}

static void answers_without_room(void **state)
{
	(void)state;
	for (size_t cap = 0; cap <= ROOM; cap++)
		for (size_t total = 1; total <= ROOM; total++) {
			struct bench b = bench_of(cap & 1);

			b.cap = cap;
			chained_answer(&b, total);
			check_room("canaries", &b);
			CHECK_INT("outcome", b.t1.err, total <= cap ? OC_OK : OC_E_SPACE);
			CHECK_INT("outcome", next(&b), total <= cap ? STEP_DONE : STEP_FAIL);
			CHECK("alive", !b.t1.dead);
			check_works("the next APDU", &b);
		}
	check_done();
}

static void nothing_to_send(void **state)
{
	struct bench b = bench_of(false);

	(void)state;
	CHECK_INT("empty APDU", t1_begin(&b.t1, command, 0, b.answer, ROOM), OC_E_APDU);
	CHECK_INT("nothing begun", next(&b), STEP_FAIL);
	check_works("after it", &b);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_vectors),
		cmocka_unit_test(every_pcb),
		cmocka_unit_test(truncated_at_each_length),
		cmocka_unit_test(len_lies),
		cmocka_unit_test(every_bit),
		cmocka_unit_test(surplus_bytes),
		cmocka_unit_test(nad),
		cmocka_unit_test(answers_without_room),
		cmocka_unit_test(nothing_to_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
