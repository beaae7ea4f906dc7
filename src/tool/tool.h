/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command `openccid`: what every verb gets, and how it ends. A verb is one file, and one row in verbs.c. */
#ifndef OPENCCID_TOOL_TOOL_H
#define OPENCCID_TOOL_TOOL_H

#include "tool/out.h"

#include <stdbool.h>
#include <stddef.h>

/* How the command ends; openccid(1) documents it. */
enum tool_exit {
	TOOL_FINE = 0,    /* done, and nothing is wrong */
	TOOL_FINDING = 1, /* done, and what was looked at is not as it should be */
	TOOL_USAGE = 2,   /* the command line makes no sense; nothing was done */
	TOOL_CANNOT = 3,  /* a file, a device or a permission that it takes is not there */
};

struct verb;

struct tool {
	const struct verb *verb; /* NULL before it is known */
	struct out out;          /* standard output */
	struct out err;          /* standard error, for complaints */
};

struct verb {
	const char *name;
	const char *operands; /* what follows the options, for the usage line: "FILE", "[READER]", "" */
	const char *summary;  /* one line without a full stop */
	/* @argv: what follows the verb, options and operands. Parses them with options_parse(). */
	enum tool_exit (*run)(struct tool *tool, int argc, char **argv);
};

/* Ends with a row whose name is NULL. */
extern const struct verb tool_verbs[];

/* NULL if there is none of that name. */
const struct verb *tool_verb(const char *name);

/* "openccid VERB: sentence" on standard error. Returns @exit, so that a verb can end with it. */
enum tool_exit tool_complain(struct tool *tool, enum tool_exit exit, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

enum tool_exit verb_adopt(struct tool *tool, int argc, char **argv);
enum tool_exit verb_capture(struct tool *tool, int argc, char **argv);
enum tool_exit verb_describe(struct tool *tool, int argc, char **argv);
enum tool_exit verb_doctor(struct tool *tool, int argc, char **argv);
enum tool_exit verb_decode(struct tool *tool, int argc, char **argv);
enum tool_exit verb_help(struct tool *tool, int argc, char **argv);
enum tool_exit verb_list(struct tool *tool, int argc, char **argv);
enum tool_exit verb_simulate(struct tool *tool, int argc, char **argv);
enum tool_exit verb_redact(struct tool *tool, int argc, char **argv);
enum tool_exit verb_replay(struct tool *tool, int argc, char **argv);

#endif
