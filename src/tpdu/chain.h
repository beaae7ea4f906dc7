/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One APDU for a reader that talks to the card alone, cut into messages where it does not fit one: extended APDU level,
 * wLevelParameter and bChainParameter of CCID rev 1.1, 6.1.4 and 6.2.1.
 */
#ifndef OPENCCID_TPDU_CHAIN_H
#define OPENCCID_TPDU_CHAIN_H

#include "base/err.h"
#include "tpdu/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHAIN_MAX_EMPTY = 16 }; /* parts of an answer that bring nothing */

enum chain_state { CHAIN_SENDING, CHAIN_RECEIVING, CHAIN_DONE, CHAIN_FAILED };

struct chain {
	const uint8_t *apdu;
	size_t apdu_len, sent, last; /* last: bytes of the part that is out */
	size_t part;                 /* longest part of a command in one message */
	uint8_t *answer;
	size_t cap, len;
	enum chain_state state;
	bool split;      /* the reader understands parts: extended APDU level */
	bool unfinished; /* the reader's last word was that the chain goes on */
	unsigned empty;
	enum oc_err err;
};

/**
 * chain_begin - start with one APDU
 * @part: payload bytes that fit one message; @split: the reader takes a command in parts and gives an answer in parts
 *
 * Returns OC_E_EXTENDED if the APDU does not fit one message and must not be split.
 */
enum oc_err chain_begin(struct chain *chain, const uint8_t *apdu, size_t len, size_t part, bool split,
			uint8_t *answer, size_t cap);

/*
 * The next part; out has room for the bytes that chain_begin() was told. On STEP_DONE chain->answer holds chain->len bytes. On
 * STEP_FAIL chain->err is why: OC_E_SPACE, OC_E_LIMIT, OC_E_ANSWER (parts in an impossible order), OC_E_CARD (an answer
 * without SW1 SW2), or the error that was fed.
 */
enum step chain_next(struct chain *chain, uint8_t *out, struct block *block);

/* What came back; reply->chain is bChainParameter. */
void chain_feed(struct chain *chain, const struct reply *reply);

#endif
