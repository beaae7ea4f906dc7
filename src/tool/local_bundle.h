/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A second bundle beside that of the driver, for readers that are not in the list: same library, own Info.plist. */
#ifndef OPENCCID_TOOL_LOCAL_BUNDLE_H
#define OPENCCID_TOOL_LOCAL_BUNDLE_H

#include "tool/tool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADOPTED_MAX = 256, ADOPTED_NAME = 128 };

struct adopted {
	uint16_t vid, pid;
	char name[ADOPTED_NAME];
};

struct local_bundle {
	struct adopted reader[ADOPTED_MAX];
	size_t count;
};

/* What is in it; nothing where there is none. */
void local_bundle_read(struct local_bundle *bundle);

/* One more, or one less. False if it was there, or not, already; or there is no room. */
bool local_bundle_add(struct local_bundle *bundle, uint16_t vid, uint16_t pid, const char *name);
bool local_bundle_remove(struct local_bundle *bundle, uint16_t vid, uint16_t pid);

/*
 * Write it, so that pcscd never sees half of it; an empty one is removed. TOOL_CANNOT: it was told why, and nothing has changed.
 */
enum tool_exit local_bundle_write(struct tool *tool, const struct local_bundle *bundle);

#endif
