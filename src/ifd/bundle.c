/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd/bundle.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 256 };

/* <string>VALUE</string>, the value in C notation */
static void take_value(const char *line, unsigned *out)
{
	static const char opening[] = "<string>";
	const char *at = strstr(line, opening);
	unsigned long long value;
	char *end;

	if (!at)
		return;
	at += sizeof opening - 1;
	value = strtoull(at, &end, 0);
	if (end != at && *end == '<' && value <= UINT_MAX)
		*out = (unsigned)value;
}

void bundle_read(const char *path, struct bundle_keys *keys)
{
	const struct {
		const char *key;
		unsigned *value;
	} wanted[] = {
		{ "<key>ifdLogLevel</key>", &keys->log_level },
		{ "<key>ifdDriverOptions</key>", &keys->driver_options },
	};
	enum { WANTED = sizeof wanted / sizeof wanted[0] };
	unsigned found = 0;
	char line[LINE];
	FILE *file = fopen(path, "re");

	/* Both stand at the top of the file: the long list of readers behind them is not read. */
	while (file && found < WANTED && fgets(line, sizeof line, file))
		for (unsigned i = 0; i < WANTED; i++)
			if (strstr(line, wanted[i].key)) {
				found++;
				if (fgets(line, sizeof line, file))
					take_value(line, wanted[i].value);
			}
	if (file)
		fclose(file);
}

void bundle_read_own(struct bundle_keys *keys)
{
	static const char plist[] = "/Info.plist";
	char path[PATH_MAX];
	Dl_info info;
	size_t len;

	/* The address of anything inside the library finds the file that it was loaded from. */
	if (!dladdr((const void *)(uintptr_t)bundle_read_own, &info) || !info.dli_fname)
		return;
	snprintf(path, sizeof path, "%s", info.dli_fname);
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(path, '/');

		if (!slash)
			return;
		*slash = '\0';
	}
	len = strlen(path);
	if (len + sizeof plist > sizeof path)
		return;
	memcpy(path + len, plist, sizeof plist);
	bundle_read(path, keys);
}
