/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One APDU in parts, with a malicious reader. The input is the room for the response, the longest part, whether the reader knows
 * parts, the command, and the answers.
 */
#include "card.h"

#include "tpdu/chain.h"

struct session {
	struct chain chain;
	const uint8_t *apdu;
	size_t len, part, sent;
};

/* The parts are the command, in order and once each; level_parameter says which one it is. */
static void check_part(struct session *s, const uint8_t *out, const struct block *block)
{
	const bool first = s->sent == 0, last = s->sent + block->len == s->len;

	if (s->chain.state == CHAIN_RECEIVING) {
		FUZZ_ASSERT(block->len == 0 && block->level_parameter == 0x0010);
		return;
	}
	FUZZ_ASSERT(block->len <= s->part && s->sent + block->len <= s->len);
	FUZZ_ASSERT(memcmp(out, s->apdu + s->sent, block->len) == 0);
	FUZZ_ASSERT(block->level_parameter == (first ? (last ? 0u : 1u) : (last ? 2u : 3u)));
	s->sent += block->len;
}

static bool exchange(struct session *s, struct rd *in, uint8_t *answer)
{
	const size_t before = s->chain.len;
	uint8_t *out = fuzz_room(s->part), *memory;
	struct block block;
	struct reply reply;
	const bool going = chain_next(&s->chain, out, &block) == STEP_SEND;

	if (going)
		check_part(s, out, &block);
	free(out);
	if (!going || !card_answer(in, &reply, &memory))
		return false;
	chain_feed(&s->chain, &reply);
	card_check_growth(answer, before, s->chain.len, &reply);
	FUZZ_ASSERT(s->chain.len == before || s->chain.len - before == reply.len);
	free(memory);
	return true;
}

static void check_end(struct session *s)
{
	enum chain_state state;
	struct block block;

	chain_feed(&s->chain, &card_silence);
	state = s->chain.state;
	FUZZ_ASSERT(state == CHAIN_DONE || state == CHAIN_FAILED);
	if (state == CHAIN_DONE) {
		FUZZ_ASSERT(s->chain.len >= 2 && s->chain.len <= s->chain.cap);
		FUZZ_ASSERT(chain_next(&s->chain, NULL, &block) == STEP_DONE);
	}
	if (state == CHAIN_FAILED) {
		FUZZ_ASSERT(s->chain.err != OC_OK);
		FUZZ_ASSERT(chain_next(&s->chain, NULL, &block) == STEP_FAIL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_of(data, size);
	const size_t cap = rd_le16(&in);
	struct session s = { .part = rd_u8(&in) };
	const bool split = rd_u8(&in) & 1;
	uint8_t *apdu, *answer;
	enum oc_err err;

	s.len = rd_le16(&in);
	if (in.overrun || s.len > in.left || s.len == 0)
		return 0;
	s.apdu = apdu = fuzz_copy(rd_bytes(&in, s.len), s.len);
	answer = fuzz_room(cap);
	err = chain_begin(&s.chain, apdu, s.len, s.part, split, answer, cap);
	FUZZ_ASSERT(err == (s.part == 0 || (s.len > s.part && !split) ? OC_E_EXTENDED : OC_OK));
	/* Every answer is input, so this ends. */
	while (err == OC_OK && exchange(&s, &in, answer))
		FUZZ_ASSERT(s.chain.empty <= CHAIN_MAX_EMPTY + 1);
	if (err == OC_OK)
		check_end(&s);
	free(apdu);
	free(answer);
	return 0;
}
