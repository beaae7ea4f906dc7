/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* T=0 by characters, with a malicious card. The input is a byte of flags, the TPDU, and what the card sends. */
#include "card.h"

#include "tpdu/character.h"

enum { HEADER = 5 };

struct session {
	struct character c;
	const uint8_t *tpdu;
	size_t len, sent;
};

/* What goes out is the TPDU, in order and once; what is asked for fits the answer. */
static void check_piece(struct session *s, const uint8_t *out, const struct block *block)
{
	FUZZ_ASSERT(block->len <= s->len - s->sent);
	FUZZ_ASSERT(memcmp(out, s->tpdu + s->sent, block->len) == 0);
	FUZZ_ASSERT(s->sent || block->len == HEADER);
	s->sent += block->len;
	FUZZ_ASSERT(block->expect >= 1 && block->expect <= sizeof s->c.answer);
	FUZZ_ASSERT(block->level_parameter == block->expect);
	FUZZ_ASSERT(!s->c.no_full_packets || (10 + block->expect) % 64 != 0);
}

static bool exchange(struct session *s, struct rd *in)
{
	const size_t before = s->c.len;
	uint8_t *out = fuzz_room(s->len), *memory;
	struct block block;
	struct reply reply;
	const bool going = character_next(&s->c, out, &block) == STEP_SEND;

	if (going)
		check_piece(s, out, &block);
	free(out);
	if (!going || !card_answer(in, &reply, &memory))
		return false;
	character_feed(&s->c, &reply);
	card_check_growth(s->c.answer, before, s->c.len, &reply);
	free(memory);
	return true;
}

static void check_end(struct session *s)
{
	struct character *c = &s->c;
	const size_t most = s->len > HEADER ? 2 : (s->tpdu[4] ? s->tpdu[4] : 256u) + 2;

	if (c->state < CHARACTER_DONE)
		character_feed(c, &card_silence);
	FUZZ_ASSERT(c->state >= CHARACTER_DONE);
	FUZZ_ASSERT(c->len <= most);
	if (c->state == CHARACTER_DONE)
		FUZZ_ASSERT(c->len >= 2 && ((c->answer[c->len - 2] & 0xF0) == 0x60 ||
					    (c->answer[c->len - 2] & 0xF0) == 0x90));
	if (c->state == CHARACTER_FAILED)
		FUZZ_ASSERT(c->err != OC_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_of(data, size);
	const bool no_full_packets = rd_u8(&in) & 1;
	struct session s = { .len = HEADER + rd_u8(&in) };
	const uint8_t *bytes = rd_bytes(&in, s.len);
	uint8_t *tpdu;

	if (!bytes)
		return 0;
	s.tpdu = tpdu = fuzz_copy(bytes, s.len);
	character_begin(&s.c, tpdu, s.len);
	s.c.no_full_packets = no_full_packets;
	while (exchange(&s, &in))
		FUZZ_ASSERT(s.c.nulls <= CHARACTER_MAX_NULLS + 1);
	check_end(&s);
	free(tpdu);
	return 0;
}
