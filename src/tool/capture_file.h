/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The FILE of a verb: opened, with complaints on standard error, and the reader in it that is meant. */
#ifndef OPENCCID_TOOL_CAPTURE_FILE_H
#define OPENCCID_TOOL_CAPTURE_FILE_H

#include "tool/tool.h"
#include "traffic/traffic.h"

struct capture_file {
	struct tool *tool; /* set by the caller; the rest here */
	const char *path;
	struct traffic *traffic;
	unsigned index;
	bool ended;          /* the file is broken somewhere */
	enum tool_exit exit; /* what to return where it could not be opened */
};

/* @reader: what the person calls it, or NULL for the busiest. False after a complaint. */
bool capture_file_open(struct capture_file *file, const char *path, const char *reader);

#endif
