/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/local_bundle.h"

#include "tool/bundles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_LEN = BUNDLES_PATH + 128 };

#define LOCAL   "openccid-local.bundle"
#define LIBRARY "../../../openccid.bundle/Contents/Linux/libopenccid.so"

static void path_of(const char *name, char path[PATH_LEN])
{
	snprintf(path, PATH_LEN, "%s/%s", bundles_folder(), name);
}

/* ---- in memory --------------------------------------------------------------------------------------------------- */

static size_t place_of(const struct local_bundle *bundle, uint16_t vid, uint16_t pid)
{
	size_t i = 0;

	while (i < bundle->count && (bundle->reader[i].vid != vid || bundle->reader[i].pid != pid))
		i++;
	return i;
}

/* As the generator of the list has it: pcscd knows &amp; alone, and takes everything up to the last '<' of a line. */
static void clean_name(const char *name, char out[ADOPTED_NAME])
{
	size_t len = 0;

	for (; *name && len < ADOPTED_NAME - 1; name++)
		out[len++] = (char)(*name < 0x20 || *name > 0x7E || strchr("<>&", *name) ? ' ' : *name);
	out[len] = '\0';
}

bool local_bundle_add(struct local_bundle *bundle, uint16_t vid, uint16_t pid, const char *name)
{
	struct adopted *reader = &bundle->reader[bundle->count];

	if (bundle->count == ADOPTED_MAX || place_of(bundle, vid, pid) != bundle->count)
		return false;
	*reader = (struct adopted){ .vid = vid, .pid = pid };
	clean_name(name, reader->name);
	bundle->count++;
	return true;
}

bool local_bundle_remove(struct local_bundle *bundle, uint16_t vid, uint16_t pid)
{
	const size_t place = place_of(bundle, vid, pid);

	if (place == bundle->count)
		return false;
	bundle->count--;
	memmove(&bundle->reader[place], &bundle->reader[place + 1],
		(bundle->count - place) * sizeof bundle->reader[0]);
	return true;
}

void local_bundle_read(struct local_bundle *bundle)
{
	char path[PATH_LEN], vid[16], pid[16], name[ADOPTED_NAME];

	bundle->count = 0;
	path_of(LOCAL "/Contents/Info.plist", path);
	for (size_t i = 0; i < ADOPTED_MAX && plist_item(path, "ifdVendorID", i, vid, sizeof vid) &&
			   plist_item(path, "ifdProductID", i, pid, sizeof pid) &&
			   plist_item(path, "ifdFriendlyName", i, name, sizeof name);
	     i++)
		local_bundle_add(bundle, (uint16_t)strtoul(vid, NULL, 16), (uint16_t)strtoul(pid, NULL, 16),
				 name);
}

/* ---- on disk ----------------------------------------------------------------------------------------------------- */

static void put_pair(FILE *out, const char *key, const char *value)
{
	fprintf(out, "\t<key>%s</key>\n\t<string>%s</string>\n", key, value);
}

/* Settings are those of the driver's own bundle, and stand first: the driver stops reading behind them. */
static void put_setting(FILE *out, const char *key)
{
	char path[PATH_LEN], value[32];

	path_of("openccid.bundle/Contents/Info.plist", path);
	put_pair(out, key, plist_text(path, key, value, sizeof value) ? value : "0");
}

static void put_array(FILE *out, const char *key, const struct local_bundle *bundle)
{
	fprintf(out, "\t<key>%s</key>\n\t<array>\n", key);
	for (size_t i = 0; i < bundle->count; i++) {
		const struct adopted *reader = &bundle->reader[i];

		if (strcmp(key, "ifdFriendlyName") == 0)
			fprintf(out, "\t\t<string>%s</string>\n", reader->name);
		else
			fprintf(out, "\t\t<string>0x%04X</string>\n",
				strcmp(key, "ifdVendorID") == 0 ? reader->vid : reader->pid);
	}
	fputs("\t</array>\n", out);
}

static void put_plist(FILE *out, const struct local_bundle *bundle)
{
	static const char *const pairs[][2] = {
		{ "CFBundleExecutable", "libopenccid.so" },
		{ "CFBundleIdentifier", "org.openccid.openccid-local" },
		{ "CFBundleInfoDictionaryVersion", "6.0" },
		{ "CFBundlePackageType", "BNDL" },
		{ "ifdCapabilities", "0x00000000" },
		{ "ifdProtocolSupport", "0x00000001" },
		{ "ifdVersionNumber", "0x00000001" },
		{ "ifdManufacturerString", "openccid" },
		{ "ifdProductString", "readers that openccid adopt wrote down" },
	};

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n", out);
	put_setting(out, "ifdLogLevel");
	put_setting(out, "ifdDriverOptions");
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		put_pair(out, pairs[i][0], pairs[i][1]);
	put_array(out, "ifdVendorID", bundle);
	put_array(out, "ifdProductID", bundle);
	put_array(out, "ifdFriendlyName", bundle);
	fputs("</dict>\n</plist>\n", out);
}

static enum tool_exit cannot(struct tool *tool, const char *path)
{
	return tool_complain(tool, TOOL_CANNOT, "%s cannot be written: %s%s", path, strerror(errno),
			     errno == EACCES || errno == EPERM ? "; it takes root" : "");
}

static bool make_folder(const char *path)
{
	return mkdir(path, 0755) == 0 || errno == EEXIST;
}

/* The library first, the list last: a bundle without a list is none to pcscd. */
static bool make_rest(char path[PATH_LEN])
{
	static const char *const folders[] = { LOCAL, LOCAL "/Contents", LOCAL "/Contents/Linux" };

	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		path_of(folders[i], path);
		if (!make_folder(path))
			return false;
	}
	path_of(LOCAL "/Contents/Linux/libopenccid.so", path);
	return symlink(LIBRARY, path) == 0 || errno == EEXIST;
}

static bool write_plist(const struct local_bundle *bundle, char path[PATH_LEN])
{
	char final[PATH_LEN];
	FILE *out;
	bool ok;

	path_of(LOCAL "/Contents/Info.plist.new", path);
	path_of(LOCAL "/Contents/Info.plist", final);
	out = fopen(path, "we");
	if (!out)
		return false;
	put_plist(out, bundle);
	ok = fflush(out) == 0 && fsync(fileno(out)) == 0 && fchmod(fileno(out), 0644) == 0;
	ok &= fclose(out) == 0;
	return ok && rename(path, final) == 0;
}

static enum tool_exit remove_all(struct tool *tool)
{
	static const char *const names[] = { LOCAL "/Contents/Info.plist",
					     LOCAL "/Contents/Linux/libopenccid.so", LOCAL "/Contents/Linux",
					     LOCAL "/Contents", LOCAL };
	char path[PATH_LEN];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		path_of(names[i], path);
		if (remove(path) < 0 && errno != ENOENT)
			return cannot(tool, path);
	}
	return TOOL_FINE;
}

enum tool_exit local_bundle_write(struct tool *tool, const struct local_bundle *bundle)
{
	char path[PATH_LEN];

	if (bundle->count == 0)
		return remove_all(tool);
	if (!make_rest(path) || !write_plist(bundle, path))
		return cannot(tool, path);
	return TOOL_FINE;
}
