/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys of a simulated pinpad: what a person has typed and is still to be looked at. */
#ifndef OPENCCID_SIM_KEYPAD_H
#define OPENCCID_SIM_KEYPAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEYPAD_DIGITS = 32, KEYPAD_ENTRIES = 8 };

enum keypad_end { KEYPAD_OK, KEYPAD_CANCEL, KEYPAD_NOTHING };

/* One go: digits, and how it ends. */
struct keypad_entry {
	char digits[KEYPAD_DIGITS + 1];
	enum keypad_end end;
	unsigned keys;     /* digits that were pressed, also those that were cleared again */
	unsigned after_ms; /* from when the reader asks, or from the entry before */
};

struct keypad {
	struct keypad_entry entry[KEYPAD_ENTRIES];
	unsigned count;
	unsigned second_ms; /* how long a second of the keypad takes */
	bool extends;       /* each key is told to the host by a time extension */
};

/* Words such as "1234 ok", "after 300 12 cancel", "12 clear 1234 ok", "none"; NULL, or why not. Nothing is typed then. */
const char *keypad_type(struct keypad *keypad, int argc, char **argv);

/* Take the next entry; false if nobody has typed. */
bool keypad_take(struct keypad *keypad, struct keypad_entry *entry);

#endif
