/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * T=0 with a malicious card. The input is the room for the response, the command, and the card's answers. Each TPDU has to be a
 * legal one that is made of the command alone, and the response has to be made of the card's bytes alone.
 */
#include "card.h"

#include "tpdu/t0.h"

struct session {
	struct t0 t0;
	uint8_t *answer;
	size_t cap;
	uint8_t last[T0_TPDU_MAX];
	size_t last_len, enveloped;
	unsigned steps;
};

static bool is_fetch(const uint8_t *tpdu, size_t len)
{
	return len == 5 && tpdu[1] == 0xC0 && !tpdu[2] && !tpdu[3];
}

/* The slices of ENVELOPE are the command, in order and once each. */
static void check_envelope(struct session *s, const uint8_t *tpdu, size_t len)
{
	FUZZ_ASSERT(tpdu[1] == 0xC2 && tpdu[4] == len - 5);
	FUZZ_ASSERT(s->t0.enveloped + len - 5 <= s->t0.apdu->len);
	FUZZ_ASSERT(memcmp(tpdu + 5, s->t0.apdu->bytes + s->t0.enveloped, len - 5) == 0);
	FUZZ_ASSERT(s->t0.enveloped >= s->enveloped);
	s->enveloped = s->t0.enveloped;
}

static void check_tpdu(struct session *s, const uint8_t *tpdu, const struct block *block)
{
	const struct apdu *a = s->t0.apdu;

	FUZZ_ASSERT(block->len >= 5 && block->len <= T0_TPDU_MAX);
	FUZZ_ASSERT(block->expect >= 2 && block->expect <= 258);
	FUZZ_ASSERT(!block->by_reader && !block->bwi && !block->level_parameter);
	if (s->t0.state == T0_ENVELOPE) {
		check_envelope(s, tpdu, block->len);
	} else if (s->t0.state == T0_GET_RESPONSE) {
		FUZZ_ASSERT(is_fetch(tpdu, block->len));
	} else {
		FUZZ_ASSERT(memcmp(tpdu, a->bytes, 4) == 0 && block->len == 5 + a->nc);
		FUZZ_ASSERT(!a->nc || (tpdu[4] == a->nc && memcmp(tpdu + 5, a->data, a->nc) == 0));
	}
}

/* Only what the card never saw, or has refused for its length, goes out twice. */
static void check_repeated(struct session *s, const uint8_t *tpdu, size_t len, const struct reply *before)
{
	const bool same = len == s->last_len && memcmp(tpdu, s->last, len) == 0;

	if (before && same && s->t0.state == T0_COMMAND)
		FUZZ_ASSERT(before->kind == REPLY_NOT_SENT || (before->len == 2 && before->data[0] == 0x6C));
	memcpy(s->last, tpdu, len);
	s->last_len = len;
}

/* One TPDU and its answer; false at the end of the exchange, or of the input. */
static bool exchange(struct session *s, struct rd *in, struct reply *reply, uint8_t **memory)
{
	const size_t before = s->t0.len;
	uint8_t *tpdu = fuzz_room(T0_TPDU_MAX);
	struct block block;
	const enum step step = t0_next(&s->t0, tpdu, &block);
	const bool going = step == STEP_SEND;

	if (going) {
		check_tpdu(s, tpdu, &block);
		check_repeated(s, tpdu, block.len, s->steps ? reply : NULL);
		s->steps++;
	}
	free(tpdu);
	free(*memory);
	*memory = NULL;
	if (!going || !card_answer(in, reply, memory))
		return false;
	t0_feed(&s->t0, reply);
	card_check_growth(s->answer, before, s->t0.len, reply);
	FUZZ_ASSERT(s->t0.len <= s->cap);
	return true;
}

static void check_end(struct session *s)
{
	struct t0 *t0 = &s->t0;
	uint8_t tpdu[T0_TPDU_MAX];
	struct block block;

	t0_feed(t0, &card_silence);
	FUZZ_ASSERT(t0->state == T0_DONE || t0->state == T0_FAILED);
	if (t0->state == T0_DONE) {
		FUZZ_ASSERT(t0->len >= 2 && t0->len <= t0->apdu->ne + 2);
		FUZZ_ASSERT(t0_next(t0, tpdu, &block) == STEP_DONE);
	}
	if (t0->state == T0_FAILED) {
		FUZZ_ASSERT(t0->err != OC_OK);
		FUZZ_ASSERT(t0_next(t0, tpdu, &block) == STEP_FAIL);
	}
}

static void play(struct rd *in, const struct apdu *apdu, size_t cap)
{
	struct session s = { .answer = fuzz_room(cap), .cap = cap };
	struct reply reply = { 0 };
	uint8_t *memory = NULL;
	const enum oc_err err = t0_begin(&s.t0, apdu, s.answer, cap);

	FUZZ_ASSERT(err == OC_OK || err == OC_E_APDU || (err == OC_E_SPACE && cap < 2));
	while (err == OC_OK && exchange(&s, in, &reply, &memory))
		FUZZ_ASSERT(s.steps <= T0_MAX_ROUNDS);
	if (err == OC_OK)
		check_end(&s);
	free(memory);
	free(s.answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_of(data, size);
	const size_t cap = rd_le16(&in) + 1u, len = rd_le16(&in);
	const uint8_t *given = rd_bytes(&in, len);
	uint8_t *bytes;
	struct apdu apdu;

	if (!given)
		return 0;
	bytes = fuzz_copy(given, len);
	if (apdu_parse(bytes, len, &apdu) == OC_OK)
		play(&in, &apdu, cap);
	free(bytes);
	return 0;
}
