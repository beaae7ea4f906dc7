/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/bundles.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 512, READERS_MAX = 8192 };

const char *bundles_folder(void)
{
	const char *folder = getenv("OPENCCID_DRIVERS");

	return folder ? folder : OPENCCID_DROP_DIR;
}

/* ---- Info.plist, which pcscd reads by lines, too ----------------------------------------------------------------- */

/* What stands in <string>...</string> on this line; NULL if it is another one. */
static char *element(char *line)
{
	static const char opening[] = "<string>";
	char *at = strstr(line, opening), *end;

	if (!at)
		return NULL;
	at += sizeof opening - 1;
	end = strrchr(at, '<');
	if (!end)
		return NULL;
	*end = '\0';
	return at;
}

static bool is_key(const char *line, const char *key)
{
	const char *at = strstr(line, "<key>");
	const size_t len = strlen(key);

	return at && strncmp(at + 5, key, len) == 0 && at[5 + len] == '<';
}

bool plist_text(const char *path, const char *key, char *text, size_t cap)
{
	FILE *file = fopen(path, "re");
	char line[LINE];
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file))
		if (is_key(line, key)) {
			const char *value = fgets(line, sizeof line, file) ? element(line) : NULL;

			if (!value)
				break;
			snprintf(text, cap, "%s", value);
			found = true;
		}
	if (file)
		fclose(file);
	return found;
}

/* The next element of the array that is being read; false behind its end. @inside: false before its key was seen. */
static bool next_item(FILE *file, const char *key, bool *inside, char *text, size_t cap)
{
	char line[LINE];

	while (fgets(line, sizeof line, file)) {
		const char *value;

		*inside |= is_key(line, key);
		if (*inside && strstr(line, "</array>"))
			return false;
		value = *inside ? element(line) : NULL;
		if (value) {
			snprintf(text, cap, "%s", value);
			return true;
		}
	}
	return false;
}

bool plist_item(const char *path, const char *key, size_t n, char *text, size_t cap)
{
	FILE *file = fopen(path, "re");
	bool inside = false, found = file != NULL;

	for (size_t i = 0; found && i <= n; i++)
		found = next_item(file, key, &inside, text, cap);
	if (file)
		fclose(file);
	return found;
}

/* The numbers of an array; pcscd pairs those of one array with those of the other by their order. */
static size_t numbers(FILE *file, const char *key, uint16_t *out)
{
	bool inside = false;
	char text[32];
	size_t count = 0;

	rewind(file);
	while (count < READERS_MAX && next_item(file, key, &inside, text, sizeof text))
		out[count++] = (uint16_t)strtoul(text, NULL, 16);
	return count;
}

bool plist_lists(const char *path, uint16_t vid, uint16_t pid)
{
	FILE *file = fopen(path, "re");
	uint16_t *ids = malloc(sizeof *ids * 2 * READERS_MAX);
	bool found = false;

	if (file && ids) {
		const size_t vids = numbers(file, "ifdVendorID", ids);
		const size_t pids = numbers(file, "ifdProductID", ids + READERS_MAX);

		for (size_t i = 0; i < vids && i < pids && !found; i++)
			found = ids[i] == vid && ids[READERS_MAX + i] == pid;
	}
	free(ids);
	if (file)
		fclose(file);
	return found;
}

/* ---- the folder -------------------------------------------------------------------------------------------------- */

static void look_at(const char *folder, const char *name, uint16_t vid, uint16_t pid, struct bundle *bundle)
{
	char path[BUNDLES_PATH + 128], library[128] = "";

	snprintf(bundle->name, sizeof bundle->name, "%s", name);
	snprintf(path, sizeof path, "%s/%s/Contents/Info.plist", folder, name);
	bundle->lists = plist_lists(path, vid, pid);
	plist_text(path, "CFBundleExecutable", library, sizeof library);
	bundle->ours = strcmp(library, "libopenccid.so") == 0;
	snprintf(path, sizeof path, "%s/%s/Contents/Linux/%s", folder, name, library);
	bundle->library = library[0] && access(path, R_OK) == 0;
}

void bundles_look(struct bundles *bundles, uint16_t vid, uint16_t pid)
{
	static const char suffix[] = ".bundle";
	const struct dirent *entry;
	DIR *dir;

	memset(bundles, 0, sizeof *bundles);
	snprintf(bundles->folder, sizeof bundles->folder, "%s", bundles_folder());
	dir = opendir(bundles->folder);
	bundles->readable = dir != NULL;
	while (dir && bundles->count < BUNDLES_MAX && (entry = readdir(dir))) {
		const size_t len = strlen(entry->d_name);

		if (len > sizeof suffix && len < BUNDLE_NAME &&
		    strcmp(entry->d_name + len - (sizeof suffix - 1), suffix) == 0)
			look_at(bundles->folder, entry->d_name, vid, pid, &bundles->bundle[bundles->count++]);
	}
	if (dir)
		closedir(dir);
}
