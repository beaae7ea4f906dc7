/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpdu/chain.h"

#include <string.h>

enum {
	/* wLevelParameter: the command ... */
	SENDS_WHOLE = 0x0000,
	SENDS_FIRST = 0x0001,
	SENDS_LAST = 0x0002,
	SENDS_MIDDLE = 0x0003,
	ASKS_FOR_MORE = 0x0010,
	/* bChainParameter: the answer ... */
	GIVES_WHOLE = 0x00,
	GIVES_FIRST = 0x01,
	GIVES_LAST = 0x02,
	GIVES_MIDDLE = 0x03,
	WANTS_MORE = 0x10,
};

enum oc_err chain_begin(struct chain *c, const uint8_t *apdu, size_t len, size_t part, bool split,
			uint8_t *answer, size_t cap)
{
	if (part == 0 || (len > part && !split))
		return OC_E_EXTENDED;
	*c = (struct chain){
		.apdu = apdu,
		.apdu_len = len,
		.part = part,
		.answer = answer,
		.cap = cap,
		.split = split,
	};
	return OC_OK;
}

static void fail(struct chain *c, enum oc_err err)
{
	c->state = CHAIN_FAILED;
	c->err = err;
}

static uint16_t level_of(bool first, bool last)
{
	if (first)
		return last ? SENDS_WHOLE : SENDS_FIRST;
	return last ? SENDS_LAST : SENDS_MIDDLE;
}

enum step chain_next(struct chain *c, uint8_t *out, struct block *block)
{
	*block = (struct block){ 0 };
	if (c->state == CHAIN_DONE)
		return STEP_DONE;
	if (c->state == CHAIN_FAILED)
		return STEP_FAIL;
	if (c->state == CHAIN_RECEIVING) {
		block->level_parameter = ASKS_FOR_MORE;
		return STEP_SEND;
	}
	c->last = c->apdu_len - c->sent < c->part ? c->apdu_len - c->sent : c->part;
	memcpy(out, c->apdu + c->sent, c->last);
	block->len = c->last;
	block->level_parameter = level_of(c->sent == 0, c->sent + c->last == c->apdu_len);
	return STEP_SEND;
}

static bool keep(struct chain *c, const struct reply *reply)
{
	if (reply->len > c->cap - c->len) {
		fail(c, OC_E_SPACE);
		return false;
	}
	c->empty += reply->len == 0;
	if (c->empty > CHAIN_MAX_EMPTY) {
		fail(c, OC_E_LIMIT);
		return false;
	}
	if (reply->len)
		memcpy(c->answer + c->len, reply->data, reply->len);
	c->len += reply->len;
	return true;
}

/* A part of the answer, or all of it. A reader may answer before it has the whole command: that ends the sending. */
static void take_part(struct chain *c, const struct reply *reply, bool first, bool last)
{
	if (first != (c->state == CHAIN_SENDING)) {
		fail(c, OC_E_ANSWER);
		return;
	}
	if (!keep(c, reply))
		return;
	c->state = last ? CHAIN_DONE : CHAIN_RECEIVING;
	if (last && c->len < 2)
		fail(c, OC_E_CARD);
}

/* The reader wants the next part of the command, and says nothing else. */
static void go_on(struct chain *c, const struct reply *reply)
{
	if (c->state != CHAIN_SENDING || c->sent + c->last >= c->apdu_len || reply->len != 0) {
		fail(c, OC_E_ANSWER);
		return;
	}
	c->sent += c->last;
}

void chain_feed(struct chain *c, const struct reply *reply)
{
	if (c->state != CHAIN_SENDING && c->state != CHAIN_RECEIVING)
		return;
	if (reply->kind != REPLY_BLOCK) {
		fail(c, reply->err);
		return;
	}
	c->unfinished = c->split && (reply->chain == GIVES_FIRST || reply->chain == GIVES_MIDDLE ||
				     reply->chain == WANTS_MORE);
	/* At the other levels byte 9 means nothing, and some readers leave noise there. */
	switch (c->split ? reply->chain : GIVES_WHOLE) {
	case GIVES_WHOLE: take_part(c, reply, true, true); break;
	case GIVES_FIRST: take_part(c, reply, true, false); break;
	case GIVES_MIDDLE: take_part(c, reply, false, false); break;
	case GIVES_LAST: take_part(c, reply, false, true); break;
	case WANTS_MORE: go_on(c, reply); break;
	default: fail(c, OC_E_ANSWER); break;
	}
}
