/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A malicious card behind the engines of src/tpdu: what it answers, one block after the other, is the input. */
#ifndef OPENCCID_TESTS_FUZZ_CARD_H
#define OPENCCID_TESTS_FUZZ_CARD_H

#include "fuzz.h"

#include "base/bytes.h"
#include "tpdu/engine.h"

/* The kinds of answers in the low three bits of a byte, bytes of the card being the most likely. */
static inline struct reply card_kind(uint8_t head)
{
	static const struct reply kinds[8] = {
		{ .kind = REPLY_BLOCK },
		{ .kind = REPLY_BLOCK },
		{ .kind = REPLY_BLOCK },
		{ .kind = REPLY_NOT_SENT, .err = OC_E_PROTOCOL },
		{ .kind = REPLY_DAMAGED, .err = OC_E_CARD },
		{ .kind = REPLY_SILENT, .err = OC_E_MUTE },
		{ .kind = REPLY_WITHDRAWN, .err = OC_E_REFUSED },
		{ .kind = REPLY_FAILED, .err = OC_E_TIMEOUT },
	};

	return kinds[head & 7];
}

/*
 * The next answer: a byte of kind, bChainParameter, a length in two bytes, and the bytes, in memory of their own that the caller
 * frees. False at the end of the input.
 */
static inline bool card_answer(struct rd *in, struct reply *reply, uint8_t **memory)
{
	const uint8_t head = rd_u8(in), chain = rd_u8(in);
	size_t len = rd_le16(in);

	if (in->overrun)
		return false;
	if (len > in->left)
		len = in->left;
	*reply = card_kind(head);
	reply->chain = chain;
	*memory = fuzz_copy(rd_bytes(in, len), len);
	if (reply->kind != REPLY_BLOCK)
		return true;
	reply->data = *memory;
	reply->len = len;
	return true;
}

/* Where the input ends the card is silent: no engine waits for more. */
static const struct reply card_silence = { .kind = REPLY_SILENT, .err = OC_E_MUTE };

/* What an engine added to the response has to be what this answer began with. */
static inline void card_check_growth(const uint8_t *answer, size_t before, size_t len,
				     const struct reply *reply)
{
	FUZZ_ASSERT(len >= before);
	if (len == before)
		return;
	FUZZ_ASSERT(reply->kind == REPLY_BLOCK && len - before <= reply->len);
	FUZZ_ASSERT(memcmp(answer + before, reply->data, len - before) == 0);
}

#endif
