/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command that a card gets after a PIN entry: the digits in the places that Secure names. */
#ifndef OPENCCID_SIM_PIN_COMMAND_H
#define OPENCCID_SIM_PIN_COMMAND_H

#include "keypad.h"
#include "pinpads.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PIN_COMMAND_MAX = 261,
	SECURE_VERIFY = 0,
	SECURE_MODIFY = 1,
	CONFIRM_NEW = 1,
	CONFIRM_OLD = 2,
};

/* What Secure asks for (CCID rev 1.1, 6.1.11.1 and 6.1.11.2), and what was typed so far. */
struct secure {
	bool asking, announced;
	uint8_t slot, seq, specific[3];
	uint8_t operation, timeout_s, format, block, length_format, offset[2], max, min, confirm, condition,
		messages;
	uint8_t nad, pcb, len;
	uint8_t template[PIN_COMMAND_MAX];
	size_t template_len, template_at; /* where it stands in the message */
	char pin[3][KEYPAD_DIGITS + 1];   /* old (or the only one), new, new again */
	unsigned typed;
	uint64_t due, deadline; /* when the next entry is looked at; when the reader gives up */
};

struct pin_command {
	uint8_t bytes[PIN_COMMAND_MAX];
	size_t len;
};

/* A bare header, or one with an Lc of 00: the reader adds Lc and the data. */
bool sim_pin_open(const struct secure *s);

/* There is room for these digits as the old PIN (or the only one), or as the new one. */
bool sim_pin_fits(const struct secure *s, bool new, const char *digits);

/* The command with the digits of s->pin, or the template as it is where this reader does not complete it. */
void sim_pin_command(const struct secure *s, const struct pinpad_habits *habits, struct pin_command *out);

#endif
