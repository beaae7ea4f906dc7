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

/* Keys that do not end the entry; false for any other word. */
static bool press(struct keypad_entry *entry, const char *word)
{
	if (strcmp(word, "clear") == 0) {
		entry->digits[0] = '\0';
		return true;
	}
	if (!is_digits(word) || strlen(entry->digits) + strlen(word) > KEYPAD_DIGITS)
		return false;
	strcat(entry->digits, word);
	entry->keys += (unsigned)strlen(word);
	return true;
}

/* "after MS"; *at is then its last word. */
static bool waits(struct keypad_entry *entry, int argc, char **argv, int *at)
{
	enum { MS_DIGITS = 8 };

	if (strcmp(argv[*at], "after") != 0 || *at + 1 == argc || !is_digits(argv[*at + 1]) ||
	    strlen(argv[*at + 1]) > MS_DIGITS)
		return false;
	entry->after_ms = (unsigned)strtoul(argv[++*at], NULL, 10);
	return true;
}

const char *keypad_type(struct keypad *keypad, int argc, char **argv)
{
	static const char usage[] = "write [after MS] [DIGITS] [clear] ok|cancel|none, as often as you like; "
				    "an entry has at most 32 digits";
	struct keypad typed = *keypad;
	struct keypad_entry entry = { .after_ms = 0 };
	bool open = true;

	for (int i = 0; i < argc; i++) {
		open = !ends_entry(argv[i], &entry.end);
		if (open && !waits(&entry, argc, argv, &i) && !press(&entry, argv[i]))
			return usage;
		if (open)
			continue;
		if (typed.count == KEYPAD_ENTRIES)
			return "nobody has asked for so much: at most 8 entries wait";
		typed.entry[typed.count++] = entry;
		entry = (struct keypad_entry){ .after_ms = 0 };
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
