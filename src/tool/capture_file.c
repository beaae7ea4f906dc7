/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/capture_file.h"

#include <string.h>

static void complain(void *arg, enum traffic_gravity gravity, const char *where, unsigned long place,
		     const char *sentence)
{
	struct capture_file *file = arg;
	const char *path = strcmp(file->path, "-") == 0 ? "standard input" : file->path;

	file->ended |= gravity == TRAFFIC_ENDS;
	if (place)
		tool_complain(file->tool, TOOL_CANNOT, "%s: %s %lu: %s", path, where, place, sentence);
	else
		tool_complain(file->tool, TOOL_CANNOT, "%s: %s", path, sentence);
}

bool capture_file_open(struct capture_file *file, const char *path, const char *reader)
{
	int found;

	file->path = path;
	file->exit = TOOL_CANNOT;
	file->traffic = traffic_open(path, complain, file);
	if (!file->traffic)
		return false;
	file->index = traffic_busiest(file->traffic);
	if (!reader)
		return true;
	found = traffic_find(file->traffic, reader);
	if (found >= 0) {
		file->index = (unsigned)found;
		return true;
	}
	tool_complain(file->tool, TOOL_USAGE,
		      "%s: no reader, or more than one, is \"%s\"; without --reader all are named", path,
		      reader);
	traffic_close(file->traffic);
	file->traffic = NULL;
	file->exit = TOOL_USAGE;
	return false;
}
