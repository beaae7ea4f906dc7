/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/options.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN = 22 }; /* where the help of an option begins */

/* ---- help -------------------------------------------------------------------------------------------------------- */

static void show_row(struct out *out, const struct option_row *row)
{
	char left[64];

	snprintf(left, sizeof left, "%c%c --%s%s%s", row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
		 row->name, row->word ? " " : "", row->word ? row->word : "");
	out_print(out, "  %-*s %s\n", COLUMN, left, row->help);
}

static void show_help(struct tool *tool, const struct option_row *rows)
{
	static const struct option_row help = { .name = "help", .letter = 'h', .help = "show this" };
	const struct verb *verb = tool->verb;
	struct out *out = &tool->out;

	out_print(out, "usage: openccid %s [OPTION]...%s%s\n\n%s.\n\n", verb->name,
		  verb->operands[0] ? " " : "", verb->operands, verb->summary);
	for (; rows->name; rows++)
		show_row(out, rows);
	show_row(out, &help);
}

/* ---- one option -------------------------------------------------------------------------------------------------- */

static const struct option_row *long_row(const struct option_row *rows, const char *name, size_t len)
{
	for (; rows->name; rows++)
		if (strlen(rows->name) == len && memcmp(rows->name, name, len) == 0)
			return rows;
	return NULL;
}

static const struct option_row *short_row(const struct option_row *rows, char letter)
{
	for (; rows->name; rows++)
		if (rows->letter == letter)
			return rows;
	return NULL;
}

/* The words that are not used up yet. */
struct words {
	int left;
	char **at;
};

static bool wrong(struct tool *tool, const char *reason, const char *word)
{
	tool_complain(tool, TOOL_USAGE, "%s: %s; \"openccid %s --help\" shows what there is", word, reason,
		      tool->verb->name);
	return false;
}

/* @value: what stands behind "=", or NULL */
static bool take(struct tool *tool, const struct option_row *row, const char *word, const char *value,
		 struct words *words)
{
	if (!row)
		return wrong(tool, "there is no such option", word);
	if (row->flag && value)
		return wrong(tool, "this option takes no argument", word);
	if (row->flag) {
		*row->flag = true;
		return true;
	}
	if (!value && words->left == 0)
		return wrong(tool, "the argument of this option is missing", word);
	if (!value) {
		value = *words->at++;
		words->left--;
	}
	*row->argument = value;
	return true;
}

static bool take_word(struct tool *tool, const struct option_row *rows, const char *word, struct words *words)
{
	const bool is_long = word[1] == '-';
	const char *equals = is_long ? strchr(word, '=') : NULL;
	const char *name = word + 2;
	const size_t len = equals ? (size_t)(equals - name) : strlen(name);

	if (!is_long && word[2] != '\0')
		return wrong(tool, "short options stand alone", word);
	return take(tool, is_long ? long_row(rows, name, len) : short_row(rows, word[1]), word,
		    equals ? equals + 1 : NULL, words);
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static enum options_end count(struct tool *tool, struct operands operands, int n, char **argv)
{
	if (n < operands.least) {
		tool_complain(tool, TOOL_USAGE, "%s is missing; \"openccid %s --help\" shows how it goes",
			      tool->verb->operands, tool->verb->name);
		return OPTIONS_WRONG;
	}
	if (n > operands.most) {
		wrong(tool, "this is one word too many", argv[operands.most]);
		return OPTIONS_WRONG;
	}
	return OPTIONS_GO_ON;
}

enum options_end options_parse(struct tool *tool, const struct option_row *rows, struct operands operands,
			       int *argc, char **argv)
{
	struct words words = { .left = *argc, .at = argv };
	bool options = true;
	int n = 0;

	while (words.left > 0) {
		char *word = *words.at++;

		words.left--;
		if (!options || word[0] != '-' || word[1] == '\0') {
			argv[n++] = word;
		} else if (strcmp(word, "--") == 0) {
			options = false;
		} else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
			show_help(tool, rows);
			return OPTIONS_HELP;
		} else if (!take_word(tool, rows, word, &words)) {
			return OPTIONS_WRONG;
		}
	}
	*argc = n;
	return count(tool, operands, n, argv);
}
