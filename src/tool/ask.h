/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Speak to a reader that nobody holds, with the driver itself. */
#ifndef OPENCCID_TOOL_ASK_H
#define OPENCCID_TOOL_ASK_H

#include "tool/view.h"
#include "tpdu/atr.h"

enum { ASK_SLOTS = 16, ASK_LINE = 512 };

struct ask_answer {
	enum oc_err err;     /* of opening the reader */
	char line[ASK_LINE]; /* what the driver said last of it, for people; "" if nothing */
	unsigned slots;      /* that were asked */
	bool present[ASK_SLOTS];
	/* ask_card() only, of the first slot that has one */
	enum oc_err card; /* OC_E_NO_CARD, OC_E_MUTE, ... */
	unsigned slot;
	uint8_t atr[ATR_MAX];
	size_t atr_len;
};

/* Open the reader, and ask for the presence of cards; none is powered. */
void ask_presence(const struct view *view, struct ask_answer *answer);

/* The same, and power the first card, set up its first protocol, and power it off again. */
void ask_card(const struct view *view, struct ask_answer *answer);

#endif
