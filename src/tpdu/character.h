/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One T=0 TPDU for a reader at character level, where the host sees the procedure bytes (ISO/IEC 7816-3:2006, 10.3;
 * CCID rev 1.1, 6.1.4: wLevelParameter counts the characters expected).
 */
#ifndef OPENCCID_TPDU_CHARACTER_H
#define OPENCCID_TPDU_CHARACTER_H

#include "base/err.h"
#include "tpdu/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CHARACTER_ANSWER_MAX = 256 + 2,
	CHARACTER_MAX_NULLS = 100000, /* the caller's clock ends them earlier */
};

enum character_state {
	CHARACTER_PROCEDURE, /* the next character is a procedure byte */
	CHARACTER_DATA,      /* characters of the answer */
	CHARACTER_SW2,
	CHARACTER_DONE,
	CHARACTER_FAILED,
};

struct character {
	const uint8_t *tpdu; /* CLA INS P1 P2 P3 and command data */
	size_t tpdu_len, sent;
	size_t answer_len; /* data that P3 asks for; 0 with command data */
	uint8_t answer[CHARACTER_ANSWER_MAX];
	size_t len;
	enum character_state state;
	size_t out, expect; /* characters to send next, and to receive then */
	size_t asked;       /* of these, in the piece on its way */
	bool no_full_packets; /* set behind character_begin(): the reader loses an answer that fills its last packet */
	unsigned nulls;
	enum oc_err err;
};

/*
 * How many of the characters that are due to ask for at once, when an answer that ends on a full packet is lost: all, or one
 * where the message of all would have a multiple of 64 bytes.
 */
size_t character_piece(size_t due, bool no_full_packets);

/* @tpdu: at least five bytes; must stay valid until the end. */
void character_begin(struct character *c, const uint8_t *tpdu, size_t len);

/* On STEP_DONE c->answer holds c->len bytes, ending in SW1 SW2. On STEP_FAIL c->err is why; OC_E_CARD: no procedure byte. */
enum step character_next(struct character *c, uint8_t *out, struct block *block);
void character_feed(struct character *c, const struct reply *reply);

#endif
