/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keypad.h"

#include <stdlib.h>
#include <string.h>

static bool is_digits(const char *word)
{
	return *word && strspn(word, "0123456789") == strlen(word) && strlen(word) <= KEYPAD_DIGITS;
}

static bool ends_entry(const char *word, enum keypad_end *end)
{
	static const char *const words[] = { "ok", "cancel", "none" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		*end = (enum keypad_end)i;
		return true;
	}
	return false;
}

const char *keypad_type(struct keypad *keypad, int argc, char **argv)
{
	static const char usage[] = "write [after MS] [DIGITS] ok|cancel|none, as often as you like";
	struct keypad typed = *keypad;
	struct keypad_entry entry = { .after_ms = 0 };
	bool open = true;

	for (int i = 0; i < argc; i++) {
		open = true;
		if (strcmp(argv[i], "after") == 0 && i + 1 < argc && is_digits(argv[i + 1])) {
			entry.after_ms = (unsigned)strtoul(argv[++i], NULL, 10);
		} else if (is_digits(argv[i])) {
			strcpy(entry.digits, argv[i]);
		} else if (ends_entry(argv[i], &entry.end)) {
			if (typed.count == KEYPAD_ENTRIES)
				return "nobody has asked for so much: at most 8 entries wait";
			typed.entry[typed.count++] = entry;
			entry = (struct keypad_entry){ .after_ms = 0 };
			open = false;
		} else {
			return usage;
		}
	}
	if (open)
		return usage;
	*keypad = typed;
	return NULL;
}

bool keypad_take(struct keypad *keypad, struct keypad_entry *entry)
{
	if (!keypad->count)
		return false;
	*entry = keypad->entry[0];
	keypad->count--;
	memmove(&keypad->entry[0], &keypad->entry[1], keypad->count * sizeof keypad->entry[0]);
	return true;
}
