/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the secrets of a card command begin: the PINs, PUKs and keys that it brings to the card. Pure; a command may come in any
 * pieces. Where it is not known what the bytes are, they count as secret.
 */
#ifndef OPENCCID_CCID_REDACT_APDU_H
#define OPENCCID_CCID_REDACT_APDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Commands as they follow each other to one card. Zeros: nothing came yet. */
struct redact_apdu {
	size_t at; /* bytes of the header so far, at most five */
	uint8_t cla, ins;
	bool hidden; /* what follows the header is secret */

	/* What ENVELOPE carries: the parts of another command, each in an ENVELOPE of its own */
	struct {
		size_t skip; /* bytes of an extended Lc that come before it */
		size_t left; /* bytes of this part that are still to come, */
		size_t at;   /* and those that came */
		uint8_t cla;
		bool hidden, hidden_before; /* this part is secret, an earlier one was */
	} inner;
};

/* Does a command carry a secret in its data? Looks at what the command is, not at what it carries. */
bool redact_is_secret(uint8_t cla, uint8_t ins);

/* Does it carry another command in its data? */
bool redact_is_envelope(uint8_t ins);

/* The next byte is the first one of a command. */
void redact_apdu_begin(struct redact_apdu *a);

/* The next bytes of it. Returns how many of them may be shown; all others are secret. */
size_t redact_apdu_feed(struct redact_apdu *a, const uint8_t *bytes, size_t len);

/* Something was missed: all is secret up to the next command, and what ENVELOPE carries until a command of another kind comes. */
void redact_apdu_lost(struct redact_apdu *a);

#endif
