/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quirk/quirk.h"
#include "tool/tool.h"
#include "traffic/traffic.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What a report has to say of it. */
static enum tool_exit tell_version(struct out *out)
{
	const char *library = traffic_library(), *simulator = OPENCCID_LIBEXEC_DIR "/ccid-sim";

	out_print(out, "openccid %s\n", OPENCCID_VERSION);
	out_print(out, "readers    %zu in the list\n", quirk_table_len);
	out_print(out, "captures   %s%s\n",
		  library ? "text, and packets by " : "text only: built without libpcap",
		  library ? library : "");
	out_print(out, "simulator  %s\n", access(simulator, X_OK) == 0 ? simulator : "not installed");
	out_print(out, "settings   %s\n", OPENCCID_CONFIG_DIR);
	return TOOL_FINE;
}

static enum tool_exit dispatch(struct tool *tool, int argc, char **argv)
{
	const struct verb *verb;

	if (argc < 2)
		return tool_complain(tool, TOOL_USAGE,
				     "what shall it do? \"openccid help\" shows what it can");
	if (strcmp(argv[1], "--version") == 0)
		return tell_version(&tool->out);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return verb_help(tool, 0, argv + 2);
	verb = tool_verb(argv[1]);
	if (!verb)
		return tool_complain(tool, TOOL_USAGE, "there is no %s \"%s\"; \"openccid help\" shows all",
				     argv[1][0] == '-' ? "option" : "verb", argv[1]);
	tool->verb = verb;
	return verb->run(tool, argc - 2, argv + 2);
}

int main(int argc, char **argv)
{
	struct tool tool = { .out = out_of(stdout), .err = out_of(stderr) };
	const enum tool_exit exit = dispatch(&tool, argc, argv);

	/* A full disk must not pass for success. */
	if (!out_finish(&tool.out) && exit == TOOL_FINE)
		return (int)tool_complain(&tool, TOOL_CANNOT, "the output could not be written");
	return (int)exit;
}
