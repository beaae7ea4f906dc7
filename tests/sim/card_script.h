/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A card that follows a script: whatever block it gets, it says the next thing of the script, right or wrong, and keeps a
 * record of what it got. Behind the end of the script it is silent. Without a script it is the card that it was made from.
 */
#ifndef OPENCCID_SIM_CARD_SCRIPT_H
#define OPENCCID_SIM_CARD_SCRIPT_H

#include "card_t1.h"

#include <stdio.h>

enum { SIM_SCRIPT_MAX = 512 };

enum sim_line_kind {
	SIM_LINE_BYTES,
	SIM_LINE_SILENT,
	SIM_LINE_GARBLED, /* a character with a parity error */
};

struct sim_line_bytes {
	enum sim_line_kind kind;
	size_t len;
	uint8_t bytes[SIM_T1_BLOCK_MAX];
};

/* Belongs to whoever tests; outlives the cards that follow it, and their resets. */
struct sim_script {
	bool armed; /* cards follow it */
	struct sim_line_bytes says[SIM_SCRIPT_MAX], got[SIM_SCRIPT_MAX];
	size_t says_len, said, got_len;
};

/* Forget all of it. With a script, be it empty, the card follows it until the next call without. */
void sim_script_clear(struct sim_script *script, bool armed);

/* One thing to say: bytes in hexadecimal, "-" for silence, "~" for a parity error. NULL, or what is wrong. */
const char *sim_script_add(struct sim_script *script, const char *word);

/* What the card got, one block in hexadecimal per line, and how many things it has still to say. */
void sim_script_report(const struct sim_script *script, FILE *to);

/* A card that answers resets and, without a script, everything, as inner does. Owns inner, also if it fails (NULL). */
struct sim_card *sim_card_script_new(struct sim_card *inner, struct sim_script *script);

#endif
