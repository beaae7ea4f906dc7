/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of CCID without the secrets in them: PINs, PUKs and keys on their way to the card. Pure, and fit for the traffic of any
 * driver: it is given one message after the other as they went over the bus, and says how much of each may be shown.
 *
 * The beginning of each message may be shown, with the header of the command that it carries; a secret hides everything behind
 * it, check bytes too, since they are computed from it. What it cannot place is secret: where the recording begins in the middle
 * of something, where messages are missing (bSeq has a gap), or where what came makes no sense. Escape commands and their
 * answers, which may carry anything, always are. Answers of the card never are.
 */
#ifndef OPENCCID_CCID_REDACT_H
#define OPENCCID_CCID_REDACT_H

#include "ccid/caps.h"
#include "ccid/redact_apdu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REDACT_SLOTS = 8, /* slots that are followed; payloads for others are secret */
	REDACT_TEXT_MAX = 320,
};

/* The exchange levels that the reader may have */
#define REDACT_LEVEL(level) (1u << (level))
#define REDACT_ANY_LEVEL                                                                          \
	(REDACT_LEVEL(CCID_CHARACTER) | REDACT_LEVEL(CCID_TPDU) | REDACT_LEVEL(CCID_SHORT_APDU) | \
	 REDACT_LEVEL(CCID_EXTENDED_APDU))

/* One T=1 connection */
struct redact_t1 {
	bool known;    /* where in a command the next I-block is */
	bool sent;     /* an I-block went to the card: */
	bool more;     /* its M bit, */
	uint8_t ns;    /* its N(S); */
	bool answered; /* and the card has sent an I-block since */
	struct redact_apdu before, now;
};

/* One T=0 card at character level, where a header and its data travel apart */
struct redact_characters {
	enum { REDACT_LOST, REDACT_READY, REDACT_OPEN } state; /* READY: a header is due; OPEN: its data */
	bool hidden;                                           /* the data is secret, */
	size_t left;                                           /* so many bytes of it */
};

struct redact_slot {
	unsigned protocols; /* that the card may speak now: bits 1 << T */
	uint8_t asked;      /* bMessageType of the last command */
	bool empty;         /* it had no payload */
	bool counted;       /* seq is known */
	uint8_t seq;        /* bSeq of the last command */
	bool fresh;         /* nothing but PPS since the card was powered */
	bool in_parts;      /* extended APDU level: the next part goes on with a command */
	struct redact_apdu apdu, tpdu;
	struct redact_characters characters;
	struct redact_t1 t1;
};

struct redact {
	unsigned levels;
	uint8_t seq; /* bSeq of the last command to any slot */
	struct redact_slot slot[REDACT_SLOTS];
};

/* Begin with a reader of one of these levels; nothing is known about its cards. */
void redact_begin(struct redact *r, unsigned levels);

/**
 * redact_message - how much of a message may be shown?
 * @msg, @len: one whole message of the bulk pipes, in either direction; bytes behind dwLength are never shown
 *
 * Returns the number of bytes that may be shown from the beginning on; 0 where there is not even a header.
 */
size_t redact_message(struct redact *r, const uint8_t *msg, size_t len);

/* Something between the last message and the next one was missed. bSeq tells it too, where the driver counts. */
void redact_lost(struct redact *r);

/* The same for a whole command APDU as an application sends it, or a T=0 TPDU. */
size_t redact_command(struct redact_apdu *a, const uint8_t *apdu, size_t len);

/**
 * redact_text - bytes as text: " 00 20 00 81 04 ** ** ** **"
 * @shown: how many of them may be shown
 *
 * Of many bytes the middle is left out: " 00 D6 00 00 .. (165 bytes) .. 00 00". Returns @out.
 */
const char *redact_text(char out[REDACT_TEXT_MAX], const uint8_t *bytes, size_t len, size_t shown);

#endif
