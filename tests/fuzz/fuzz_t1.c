/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * T=1 with a malicious card. The input is the connection, then exchanges with the card's answers. Each block has to be a legal
 * one, the command is handed over once, and the response is made of the card's information fields alone.
 */
#include "card.h"

#include "tpdu/t1.h"

enum {
	PROLOGUE = 3,
	COMMAND_MAX = 1024,
	QUIET_STEPS = 12, /* a silent card: three times each of a block, S(ABORT) or S(IFS), and S(RESYNCH) */
	IS_RAW = 0x08,    /* in the first byte of an answer, beside its kind */
	IS_DAMAGED = 0x10,
};

enum asks { ASKS_APDU, ASKS_PIN, ASKS_IFSD };

struct session {
	struct t1 t1;
	struct rd in;
	uint8_t counter; /* what information fields are filled with */

	/* The exchange that runs */
	enum asks asks;
	uint8_t command[COMMAND_MAX];
	size_t len, offset, flight;
	bool sent, given_up; /* an I-block was out; RESYNCH came after it */
	uint8_t ns, ifsd;
	enum reply_kind before;
	size_t cap;
	uint8_t *answer;
};

static size_t edc_len(const struct session *s)
{
	return s->t1.crc ? 2 : 1;
}

/* The same N(S) is the same part of the command again, the other one is the part behind it. */
static void check_i_block(struct session *s, const uint8_t *out, size_t len)
{
	const uint8_t ns = out[1] & 0x40;

	FUZZ_ASSERT(s->asks != ASKS_IFSD && !s->given_up && !(out[1] & 0x1F));
	if (s->sent && ns != s->ns)
		s->offset += s->flight;
	s->ns = ns;
	s->flight = len;
	FUZZ_ASSERT(s->offset + len <= s->len);
	FUZZ_ASSERT(!(out[1] & 0x20) == (s->offset + len == s->len));
	if (s->asks == ASKS_PIN)
		FUZZ_ASSERT(!s->sent || s->before == REPLY_NOT_SENT || s->before == REPLY_WITHDRAWN);
	else
		FUZZ_ASSERT(memcmp(out + PROLOGUE, s->command + s->offset, len) == 0);
	s->sent = true;
}

static void check_s_block(struct session *s, const uint8_t *out, size_t len)
{
	const uint8_t kind = out[1] & 3;

	FUZZ_ASSERT((out[1] & 0xDC) == 0xC0);
	FUZZ_ASSERT(len == (kind & 1));
	if (out[1] == 0xC0 && s->sent)
		s->given_up = true;
	FUZZ_ASSERT(out[1] != 0xE0); /* RESYNCH is the host's to ask for */
	if (out[1] == 0xC1)
		FUZZ_ASSERT(s->asks == ASKS_IFSD && out[3] == s->ifsd);
}

static void check_edc(const struct session *s, const uint8_t *out, size_t len)
{
	const uint16_t edc = t1_edc(out, len, s->t1.crc);

	if (s->t1.crc)
		FUZZ_ASSERT(out[len] == edc >> 8 && out[len + 1] == (edc & 0xFF));
	else
		FUZZ_ASSERT(out[len] == edc);
}

static void check_block(struct session *s, const uint8_t *out, const struct block *block)
{
	const size_t len = out[2];

	FUZZ_ASSERT(block->len >= PROLOGUE && out[0] == s->t1.nad);
	FUZZ_ASSERT(block->expect > PROLOGUE + edc_len(s) && block->expect <= T1_BLOCK_MAX);
	FUZZ_ASSERT(block->by_reader == (s->asks == ASKS_PIN && !(out[1] & 0x80)));
	if (block->by_reader) {
		FUZZ_ASSERT(block->len == PROLOGUE && len == s->len);
	} else {
		FUZZ_ASSERT(block->len == PROLOGUE + len + edc_len(s) && len <= T1_MAX_IFS);
		check_edc(s, out, PROLOGUE + len);
	}
	if (!(out[1] & 0x80))
		check_i_block(s, out, len);
	else if (out[1] & 0x40)
		check_s_block(s, out, len);
	else
		FUZZ_ASSERT(len == 0 && !(out[1] & 0x20) && (out[1] & 0x0F) <= 2);
}

/* A block with the right NAD and EDC: the input gives PCB, LEN and the information field of an S-block. */
static size_t make_block(struct session *s, uint8_t head, uint8_t *out)
{
	const uint8_t pcb = rd_u8(&s->in), len = rd_u8(&s->in);
	struct wr w = wr_of(out, PROLOGUE + 255 + 2);
	uint16_t edc;

	wr_u8(&w, (uint8_t)(s->t1.nad << 4 | s->t1.nad >> 4));
	wr_u8(&w, pcb);
	wr_u8(&w, len);
	for (unsigned i = 0; i < len; i++)
		wr_u8(&w, (pcb & 0xC0) == 0xC0 ? rd_u8(&s->in) : s->counter++);
	edc = (uint16_t)(t1_edc(out, PROLOGUE + len, s->t1.crc) ^ (head & IS_DAMAGED ? 1 : 0));
	if (s->t1.crc)
		wr_u8(&w, (uint8_t)(edc >> 8));
	wr_u8(&w, (uint8_t)edc);
	return (size_t)(w.at - out);
}

static bool next_answer(struct session *s, struct reply *reply, uint8_t **memory)
{
	uint8_t made[PROLOGUE + 255 + 2];
	const uint8_t head = rd_u8(&s->in);
	size_t len = 0;

	*reply = card_kind(head);
	if (reply->kind == REPLY_BLOCK && !(head & IS_RAW)) {
		len = make_block(s, head, made);
	} else if (reply->kind == REPLY_BLOCK) {
		len = rd_u8(&s->in);
		for (size_t i = 0; i < len; i++)
			made[i] = rd_u8(&s->in);
	}
	if (s->in.overrun)
		return false;
	*memory = fuzz_copy(made, len);
	if (reply->kind == REPLY_BLOCK) {
		reply->data = *memory;
		reply->len = len;
	}
	return true;
}

/* What grew is the information field of this block, an I-block in order, as a whole. */
static void check_growth(const struct session *s, size_t before, const struct reply *reply)
{
	const size_t grown = s->t1.len - before;

	FUZZ_ASSERT(s->t1.len >= before && s->t1.len <= s->cap);
	if (!grown)
		return;
	FUZZ_ASSERT(reply->kind == REPLY_BLOCK && !(reply->data[1] & 0x80) && s->sent && !s->given_up);
	FUZZ_ASSERT(reply->data[2] == grown && reply->len == PROLOGUE + grown + edc_len(s));
	FUZZ_ASSERT(memcmp(s->answer + before, reply->data + PROLOGUE, grown) == 0);
	check_edc(s, reply->data, PROLOGUE + grown);
}

/* One block out, and its answer in. False at the end of the exchange. */
static bool step(struct session *s)
{
	const size_t before = s->t1.len;
	uint8_t *out = fuzz_room(T1_BLOCK_MAX), *memory = NULL;
	struct reply reply;
	struct block block;
	const bool going = t1_next(&s->t1, out, &block) == STEP_SEND;

	if (going)
		check_block(s, out, &block);
	free(out);
	if (!going)
		return false;
	if (!next_answer(s, &reply, &memory))
		reply = card_silence;
	t1_feed(&s->t1, &reply);
	check_growth(s, before, &reply);
	s->before = reply.kind;
	free(memory);
	return true;
}

static void check_end(const struct session *s)
{
	const struct t1 *t1 = &s->t1;

	FUZZ_ASSERT(t1->state == T1_DONE || t1->state == T1_FAILED);
	FUZZ_ASSERT((t1->state == T1_DONE) == (t1->err == OC_OK));
	FUZZ_ASSERT(!t1->dead || t1->state == T1_FAILED);
	if (t1->state == T1_DONE && s->asks != ASKS_IFSD)
		FUZZ_ASSERT(s->sent && s->offset + s->flight == s->len);
	if (s->asks == ASKS_IFSD)
		FUZZ_ASSERT(t1->len == 0);
	FUZZ_ASSERT(t1->ifsc >= 1 && t1->ifsc <= T1_MAX_IFS && t1->ifsd >= 1 && t1->ifsd <= T1_MAX_IFS);
	FUZZ_ASSERT(t1->requests <= T1_MAX_REQUESTS + 1 && t1->empty <= T1_MAX_EMPTY + 1);
}

static enum oc_err begin(struct session *s)
{
	struct t1 *t1 = &s->t1;

	s->asks = (enum asks)(rd_u8(&s->in) % 3);
	s->len = rd_le16(&s->in) % COMMAND_MAX;
	s->ifsd = (uint8_t)(s->len % T1_MAX_IFS + 1);
	s->cap = rd_le16(&s->in) % (2 * COMMAND_MAX);
	s->offset = s->flight = 0;
	s->sent = s->given_up = false;
	s->answer = fuzz_room(s->cap);
	if (s->asks == ASKS_PIN)
		return t1_begin_by_reader(t1, s->len, s->answer, s->cap);
	if (s->asks == ASKS_IFSD)
		return t1_begin_ifsd(t1, s->ifsd);
	return t1_begin(t1, s->command, s->len, s->answer, s->cap);
}

static void exchange(struct session *s)
{
	const bool dead = s->t1.dead;
	const enum oc_err err = begin(s);
	unsigned quiet = 0;

	FUZZ_ASSERT(!dead || err == OC_E_UNPOWERED);
	FUZZ_ASSERT(err == OC_OK || err == OC_E_UNPOWERED || err == OC_E_LIMIT || err == OC_E_APDU);
	while (err == OC_OK && step(s)) {
		quiet += s->in.overrun;
		FUZZ_ASSERT(quiet <= QUIET_STEPS);
	}
	if (err == OC_OK)
		check_end(s);
	free(s->answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session s = { .in = rd_of(data, size) };
	const uint8_t flags = rd_u8(&s.in), nad = rd_u8(&s.in);
	const uint8_t ifsc = rd_u8(&s.in), longest = rd_u8(&s.in);

	if (s.in.overrun)
		return 0;
	for (size_t i = 0; i < COMMAND_MAX; i++)
		s.command[i] = (uint8_t)(i ^ i >> 8);
	t1_start(&s.t1, (uint8_t)(ifsc % T1_MAX_IFS + 1), flags & 1, nad & 0x77);
	s.t1.longest = (uint8_t)(longest % T1_MAX_IFS + 1);
	while (s.in.left && !s.in.overrun)
		exchange(&s);
	return 0;
}
