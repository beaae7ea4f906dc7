/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpdu/character.h"

#include "base/bytes.h"

enum { HEADER = 5, NULL_BYTE = 0x60, MESSAGE_HEADER = 10, PACKET = 64 };

size_t character_piece(size_t due, bool no_full_packets)
{
	return no_full_packets && (MESSAGE_HEADER + due) % PACKET == 0 ? 1 : due;
}

void character_begin(struct character *c, const uint8_t *tpdu, size_t len)
{
	*c = (struct character){
		.tpdu = tpdu,
		.tpdu_len = len,
		.answer_len = len > HEADER ? 0
			      : tpdu[4]    ? tpdu[4]
					   : 256,
		.out = HEADER,
		.expect = 1,
	};
}

static void fail(struct character *c, enum oc_err err)
{
	c->state = CHARACTER_FAILED;
	c->err = err;
}

enum step character_next(struct character *c, uint8_t *out, struct block *block)
{
	*block = (struct block){ 0 };
	if (c->state == CHARACTER_DONE)
		return STEP_DONE;
	if (c->state == CHARACTER_FAILED)
		return STEP_FAIL;
	if (c->out)
		memcpy(out, c->tpdu + c->sent, c->out);
	block->len = c->out;
	c->asked = character_piece(c->expect, c->no_full_packets);
	block->level_parameter = (uint16_t)c->asked;
	block->expect = c->asked;
	c->sent += c->out;
	c->out = 0;
	return STEP_SEND;
}

/* Let the card have, or give, so many characters; a procedure byte follows command data. */
static void transfer(struct character *c, size_t most)
{
	const size_t to_send = c->tpdu_len - c->sent, to_get = c->answer_len - c->len;

	if (to_send) {
		c->out = to_send < most ? to_send : most;
		c->expect = 1;
	} else if (to_get) {
		c->state = CHARACTER_DATA;
		c->expect = to_get < most ? to_get : most;
	} else {
		fail(c, OC_E_CARD); /* the card wants to go on where there is nothing left */
	}
}

static void take_sw1(struct character *c, uint8_t sw1)
{
	c->answer[c->len++] = sw1;
	c->state = CHARACTER_SW2;
	c->expect = 1;
}

/* 10.3.3; INS with bit 0 turned is a habit of older cards, from when it meant VPP. */
static void take_procedure(struct character *c, uint8_t byte)
{
	const uint8_t ins = c->tpdu[1], high = byte & 0xF0;
	const uint8_t inverted = ins ^ 0xFF, inverted_older = ins ^ 0xFE;

	if (byte == NULL_BYTE) {
		if (++c->nulls > CHARACTER_MAX_NULLS)
			fail(c, OC_E_LIMIT);
		c->expect = 1;
	} else if (high == 0x60 || high == 0x90) {
		take_sw1(c, byte);
	} else if (byte == ins || byte == (ins ^ 0x01)) {
		transfer(c, SIZE_MAX);
	} else if (byte == inverted || byte == inverted_older) {
		transfer(c, 1);
	} else {
		fail(c, OC_E_CARD);
	}
}

static void expect_procedure(struct character *c)
{
	c->state = CHARACTER_PROCEDURE;
	c->expect = 1;
}

static void take_byte(struct character *c, uint8_t byte)
{
	if (c->state == CHARACTER_PROCEDURE) {
		take_procedure(c, byte);
		return;
	}
	c->answer[c->len++] = byte;
	if (c->state == CHARACTER_SW2)
		c->state = CHARACTER_DONE;
	else if (--c->expect == 0)
		expect_procedure(c);
}

/* A reader may hand over SW1 SW2 at once where one character was asked for; nothing else may be longer. */
static bool length_fits(const struct character *c, const struct reply *reply)
{
	if (reply->len == c->asked)
		return true;
	return c->state == CHARACTER_PROCEDURE && reply->len == 2 && reply->data[0] != NULL_BYTE &&
	       ((reply->data[0] & 0xF0) == 0x60 || (reply->data[0] & 0xF0) == 0x90);
}

void character_feed(struct character *c, const struct reply *reply)
{
	if (reply->kind != REPLY_BLOCK) {
		fail(c, reply->err);
		return;
	}
	if (!length_fits(c, reply)) {
		fail(c, OC_E_CARD);
		return;
	}
	for (size_t i = 0; i < reply->len && c->state < CHARACTER_DONE; i++)
		take_byte(c, reply->data[i]);
}
