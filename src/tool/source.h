/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a description of a reader can come from. */
#ifndef OPENCCID_TOOL_SOURCE_H
#define OPENCCID_TOOL_SOURCE_H

#include "tool/tool.h"
#include "tool/view.h"

/**
 * source_find - the interfaces that somebody means
 * @words: an attached reader (view_is()); or a file: "descriptors" of sysfs, hexadecimal text, a class descriptor alone, a .reader file,
 *         a capture, and "-" for standard input; or vid:pid of the list. NULL: every attached reader
 * @views: what was found, at least one; free with views_free() in any case
 *
 * Returns TOOL_FINE, or how the command should end: it was told why.
 */
enum tool_exit source_find(struct tool *tool, const char *words, struct views *views);

/* The readers of a capture, by the descriptors or the ids in it. False if the file is none; else *exit is as above. */
bool source_capture(struct tool *tool, const char *name, const char *path, struct views *views,
		    enum tool_exit *exit);

/* "vid:pid" of the list */
enum tool_exit source_list(struct tool *tool, const char *ids, struct views *views);

/* "vid:pid" in hexadecimal digits */
bool source_ids(const char *words, uint16_t *vid, uint16_t *pid);

#endif
