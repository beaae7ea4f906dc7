/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver bundles that pcscd knows, and which readers they claim. */
#ifndef OPENCCID_TOOL_BUNDLES_H
#define OPENCCID_TOOL_BUNDLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BUNDLES_PATH = 512, BUNDLES_MAX = 16, BUNDLE_NAME = 64 };

struct bundle {
	char name[BUNDLE_NAME]; /* "ifd-ccid.bundle" */
	bool ours;              /* its library is this driver */
	bool library;           /* the library that Info.plist names is there */
	bool lists;             /* the reader in question is in its Info.plist */
};

struct bundles {
	char folder[BUNDLES_PATH];
	bool readable; /* the folder */
	struct bundle bundle[BUNDLES_MAX];
	size_t count;
};

/* Where pcscd looks: OPENCCID_DRIVERS, or what was built in. */
const char *bundles_folder(void);

/* Look into each bundle for a reader, as pcscd does when it starts. */
void bundles_look(struct bundles *bundles, uint16_t vid, uint16_t pid);

/* Is the reader in this Info.plist? */
bool plist_lists(const char *path, uint16_t vid, uint16_t pid);

/* The text of the element that follows <key>@key</key>; false if there is none. */
bool plist_text(const char *path, const char *key, char *text, size_t cap);

/* The n-th element, from 0, of the array that follows <key>@key</key>. */
bool plist_item(const char *path, const char *key, size_t n, char *text, size_t cap);

#endif
