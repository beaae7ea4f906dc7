/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parts.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PLACES = 2 };

/* Seen from the folder of the program; absolute ones as they are. The last one is told where none is there. */
static const char *const preloads[PLACES] = { ".libs/libccid-sim-preload.so", "libccid-sim-preload.so" };
static const char *const readers[PLACES] = { CCID_SIM_SOURCE_READERS, CCID_SIM_DATA_DIR "/readers" };

static const char *find(char path[PATH_MAX], const char *const place[PLACES])
{
	char exe[PATH_MAX] = "";
	const char *folder;

	if (readlink("/proc/self/exe", exe, sizeof exe - 1) < 0)
		return place[PLACES - 1];
	folder = dirname(exe);
	for (int i = 0; i < PLACES; i++) {
		const char *from = place[i][0] == '/' ? "" : folder;

		if (snprintf(path, PATH_MAX, "%s/%s", from, place[i]) < PATH_MAX && access(path, R_OK) == 0)
			return path;
	}
	return place[PLACES - 1];
}

const char *parts_preload(void)
{
	static char path[PATH_MAX];
	const char *other = getenv("CCID_SIM_PRELOAD");

	return other ? other : find(path, preloads);
}

const char *parts_readers(void)
{
	static char path[PATH_MAX];
	const char *other = getenv("CCID_SIM_READERS");

	return other ? other : find(path, readers);
}
