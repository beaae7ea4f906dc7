/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* openccid simulate: the software reader, for tests and demos. It is a program of its own; this finds it. */
#include "tool/options.h"
#include "tool/tool.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGS_MAX = 256 };

struct line {
	const char *arg[ARGS_MAX + 1];
	int count;
};

static void put(struct line *line, const char *word)
{
	if (line->count < ARGS_MAX)
		line->arg[line->count++] = word;
}

static void put_option(struct line *line, const char *name, const char *value)
{
	if (!value)
		return;
	put(line, name);
	put(line, value);
}

static enum tool_exit start(struct tool *tool, struct line *line)
{
	const char *other = getenv("OPENCCID_SIMULATOR");

	line->arg[0] = other ? other : OPENCCID_LIBEXEC_DIR "/ccid-sim";
	line->arg[line->count] = NULL;
	if (line->count == ARGS_MAX)
		return tool_complain(tool, TOOL_USAGE, "the command has too many words");
	fflush(tool->out.stream);
	execv(line->arg[0], (char *const *)(uintptr_t)line->arg);
	if (errno == ENOENT)
		return tool_complain(tool, TOOL_CANNOT,
				     "the software reader is not installed (%s): it comes with builds that "
				     "find umockdev",
				     line->arg[0]);
	return tool_complain(tool, TOOL_CANNOT, "%s cannot be started: %s", line->arg[0], strerror(errno));
}

enum tool_exit verb_simulate(struct tool *tool, int argc, char **argv)
{
	bool pcscd = false, list = false, debug = false;
	const char *card = NULL, *firmware = NULL, *serial = NULL, *drivers = NULL;
	const struct option_row rows[] = {
		{ .name = "card",
		  .letter = 'c',
		  .help = "what is in its slot; none, t0, t1, openpgp, an ATR",
		  .word = "CARD",
		  .argument = &card },
		{ .name = "firmware",
		  .letter = 'f',
		  .help = "its firmware, as BB.BB",
		  .word = "BB.BB",
		  .argument = &firmware },
		{ .name = "serial", .help = "its serial number", .word = "TEXT", .argument = &serial },
		{ .name = "pcscd",
		  .letter = 'p',
		  .help = "start a pcscd of its own, for the command",
		  .flag = &pcscd },
		{ .name = "drivers",
		  .help = "the folder of that pcscd's drivers",
		  .word = "DIR",
		  .argument = &drivers },
		{ .name = "debug", .help = "that pcscd logs everything", .flag = &debug },
		{ .name = "list", .letter = 'l', .help = "show the readers that there are", .flag = &list },
		{ .name = NULL },
	};
	const enum options_end end = options_parse(tool, rows, (struct operands){ 0, INT_MAX }, &argc, argv);
	struct line line = { .count = 1 };

	if (end != OPTIONS_GO_ON)
		return options_exit(end);
	if (list) {
		put(&line, "--list");
		return start(tool, &line);
	}
	if (argc == 0)
		return tool_complain(tool, TOOL_USAGE,
				     "which reader, as vid:pid? \"openccid simulate --list\" shows them");
	put_option(&line, "--reader", argv[0]);
	put_option(&line, "--card", card);
	put_option(&line, "--firmware", firmware);
	put_option(&line, "--serial", serial);
	put_option(&line, "--drivers", drivers);
	if (pcscd)
		put(&line, "--pcscd");
	if (debug)
		put(&line, "--debug");
	if (argc > 1)
		put(&line, "--");
	for (int i = 1; i < argc; i++)
		put(&line, argv[i]);
	return start(tool, &line);
}
