/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The T=1 engine between a caller and a card that a test plays block by block. */
#ifndef OPENCCID_TESTS_T1_BENCH_H
#define OPENCCID_TESTS_T1_BENCH_H

#include "tpdu/t1.h"
#include "check.h"

#include "card_t1.h"

enum { ROOM = 64 };

struct bench {
	struct t1 t1;
	bool crc;
	uint8_t out[T1_BLOCK_MAX];
	struct block block;
	uint8_t answer[ROOM];
	size_t cap;
};

static const uint8_t command[] = { 0x00, 0xA4, 0x00, 0x00 };

static inline void begin(struct bench *b)
{
	memset(b->answer, 0xEE, sizeof b->answer);
	assert_int_equal(t1_begin(&b->t1, command, sizeof command, b->answer, b->cap), OC_OK);
}

static inline enum step next(struct bench *b)
{
	return t1_next(&b->t1, b->out, &b->block);
}

static inline void feed(struct bench *b, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = exact_copy(bytes, len);
	const struct reply reply = { .kind = REPLY_BLOCK, .data = copy, .len = len };

	t1_feed(&b->t1, &reply);
	free(copy);
}

static inline void feed_kind(struct bench *b, enum reply_kind kind, enum oc_err err)
{
	const struct reply reply = { .kind = kind, .err = err };

	t1_feed(&b->t1, &reply);
}

/* A block with a right EDC. */
static inline void feed_block(struct bench *b, uint8_t pcb, const uint8_t *inf, size_t len)
{
	uint8_t block[3 + 254 + 2] = { 0, pcb, (uint8_t)len };

	if (len)
		memcpy(block + 3, inf, len);
	feed(b, block, sim_t1_seal(block, 3 + len, b->crc));
}

static inline struct bench bench_of(bool crc)
{
	struct bench b = { .crc = crc, .cap = ROOM };

	t1_start(&b.t1, 32, crc, 0);
	return b;
}

/* A new connection whose first I-block is out. */
static inline void send_first(struct bench *b, bool crc)
{
	*b = bench_of(crc);
	begin(b);
	assert_int_equal(next(b), STEP_SEND);
}

/* What the engine sends now is this block without INF. */
static inline void check_sent(const char *name, struct bench *b, uint8_t pcb)
{
	uint8_t want[5] = { 0, pcb, 0 };
	const size_t len = sim_t1_seal(want, 3, b->crc);

	CHECK_INT(name, next(b), STEP_SEND);
	CHECK_BYTES(name, b->out, b->block.len, want, len);
}

/* ... is the command, in one I-block. */
static inline void check_command(const char *name, struct bench *b, uint8_t pcb)
{
	CHECK_INT(name, next(b), STEP_SEND);
	CHECK_INT(name, b->out[1], pcb);
	CHECK_BYTES(name, b->out + 3, b->out[2], command, sizeof command);
}

static inline void check_room(const char *name, const struct bench *b)
{
	for (size_t i = b->cap; i < ROOM; i++)
		CHECK_INT(name, b->answer[i], 0xEE);
}

/* A whole exchange that nobody disturbs. */
static inline void check_works(const char *name, struct bench *b)
{
	const uint8_t sw[] = { 0x90, 0x00 };

	if (b->t1.dead) {
		CHECK_INT(name, t1_begin(&b->t1, command, sizeof command, b->answer, b->cap), OC_E_UNPOWERED);
		return;
	}
	b->cap = ROOM;
	begin(b);
	CHECK_INT(name, next(b), STEP_SEND);
	CHECK_INT(name, b->out[1], b->t1.ns ? 0x40 : 0x00);
	feed_block(b, b->t1.nr ? 0x40 : 0x00, sw, sizeof sw);
	CHECK_INT(name, next(b), STEP_DONE);
	CHECK_BYTES(name, b->answer, b->t1.len, sw, sizeof sw);
}

#endif
