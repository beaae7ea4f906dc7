/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/options.h"
#include "tool/tool.h"

static void show_all(struct out *out)
{
	out_print(out, "usage: openccid VERB [OPTION]... [OPERAND]...\n"
		       "       openccid --version\n\n"
		       "See what is wrong with a smart-card reader, show it, replay it.\n\n");
	for (const struct verb *verb = tool_verbs; verb->name; verb++) {
		out_print(out, "  ");
		out_styled(out, OUT_STRONG, "%-10s", verb->name);
		out_print(out, " %s\n", verb->summary);
	}
	out_print(out, "\n\"openccid help VERB\" says more, and openccid(1) everything.\n");
}

enum tool_exit verb_help(struct tool *tool, int argc, char **argv)
{
	static const struct option_row rows[] = { { .name = NULL } };
	const enum options_end end = options_parse(tool, rows, (struct operands){ 0, 1 }, &argc, argv);
	const struct verb *verb;
	char help[] = "--help";
	char *asks[] = { help };

	if (end != OPTIONS_GO_ON)
		return options_exit(end);
	if (argc == 0) {
		show_all(&tool->out);
		return TOOL_FINE;
	}
	verb = tool_verb(argv[0]);
	if (!verb)
		return tool_complain(tool, TOOL_USAGE, "there is no verb \"%s\"; \"openccid help\" shows all",
				     argv[0]);
	tool->verb = verb;
	return verb->run(tool, 1, asks);
}
