/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of a verb as a table, from which both the parser and the help live. */
#ifndef OPENCCID_TOOL_OPTIONS_H
#define OPENCCID_TOOL_OPTIONS_H

#include "tool/tool.h"

struct option_row {
	const char *name;      /* without the dashes; NULL ends the table */
	char letter;           /* the short form, or 0 */
	const char *help;      /* one line */
	bool *flag;            /* set where the option is there, */
	const char *word;      /* or: what its argument is called, */
	const char **argument; /* and where it goes; the last one counts */
};

/* How many operands a verb takes. */
struct operands {
	int least, most;
};

enum options_end {
	OPTIONS_GO_ON, /* argv[0..*argc) are the operands */
	OPTIONS_HELP,  /* the help was shown: end with TOOL_FINE */
	OPTIONS_WRONG, /* the reason was told: end with TOOL_USAGE */
};

/**
 * options_parse - take the options out of the words behind the verb
 * @rows: besides them there is always --help
 * @argc, @argv: the operands are moved to the front; "--" ends the options, and "-" is an operand
 *
 * --name, --name=ARGUMENT, --name ARGUMENT, -n, -n ARGUMENT. Every mistake is told with its reason.
 */
enum options_end options_parse(struct tool *tool, const struct option_row *rows, struct operands operands,
			       int *argc, char **argv);

/* What a verb returns after the two ends that are no going on. */
static inline enum tool_exit options_exit(enum options_end end)
{
	return end == OPTIONS_HELP ? TOOL_FINE : TOOL_USAGE;
}

#endif
