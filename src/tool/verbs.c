/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every verb, in the order in which the help shows them. */
#include "tool/tool.h"

#include <string.h>

const struct verb tool_verbs[] = {
	{ "decode", "FILE", "Tell what a capture says, in plain words, and what went wrong in it",
	  verb_decode },
	{ "capture", "FILE [READER] | --stop",
	  "Let the driver record what goes over the wire, without PINs and keys", verb_capture },
	{ "redact", "FILE", "Copy a log or capture without PINs and keys, and without chosen data",
	  verb_redact },
	{ "replay", "FILE", "Play a capture against today's driver, and tell how it ends now", verb_replay },
	{ "help", "[VERB]", "Say what the command, or one verb of it, can do", verb_help },
	{ "list", "", "Show every attached reader", verb_list },
	{ "doctor", "[READER]", "Find out why a reader does not work, and what to do", verb_doctor },
	{ "describe", "[READER | FILE | vid:pid]",
	  "Say in words what a reader says of itself, and what is wrong with that", verb_describe },
	{ "adopt", "[READER]", "Make a reader work that is not in the list, and take that back", verb_adopt },
	{ "simulate", "[vid:pid [-- COMMAND...]]",
	  "Plug in a reader made of software, and run a command beside it", verb_simulate },
	{ NULL, NULL, NULL, NULL },
};

const struct verb *tool_verb(const char *name)
{
	for (const struct verb *verb = tool_verbs; verb->name; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}
