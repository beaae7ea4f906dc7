/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* openccid capture: let the driver write down what goes over the wire, by a file of settings, and take that file away again. */
#include "quirk/reader_file.h"
#include "tool/options.h"
#include "tool/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_LEN = 512, SCOPE_LEN = 16 };

static const char *settings_folder(void)
{
	const char *folder = getenv("OPENCCID_CONFIG");

	return folder ? folder : OPENCCID_CONFIG_DIR;
}

/* Of the files of settings it comes late, and so wins. */
static void settings_path(char path[PATH_LEN])
{
	snprintf(path, PATH_LEN, "%s/zz-capture.reader", settings_folder());
}

/* The driver may run in another folder; what cannot stand in a file of settings is refused. */
static enum tool_exit whole_path(struct tool *tool, const char *file, char path[PATH_LEN])
{
	char here[PATH_LEN] = "";

	if (file[0] != '/' && !getcwd(here, sizeof here))
		return tool_complain(tool, TOOL_CANNOT, "the folder in which this runs is not known: %s",
				     strerror(errno));
	if (snprintf(path, PATH_LEN, "%s%s%s", here, here[0] ? "/" : "", file) >= READER_PATH ||
	    strpbrk(path, "#\n"))
		return tool_complain(
			tool, TOOL_USAGE,
			"\"%s\" cannot be used: the name is too long, or there is a # or an end of "
			"line in it",
			file);
	return TOOL_FINE;
}

/* The section of settings for one reader; [*] where none was named. */
static enum tool_exit find_scope(struct tool *tool, const char *words, char scope[SCOPE_LEN])
{
	struct views views = { 0 };
	uint16_t vid, pid;
	enum tool_exit exit = TOOL_FINE;

	snprintf(scope, SCOPE_LEN, "*");
	if (!words)
		return TOOL_FINE;
	if (!source_ids(words, &vid, &pid)) {
		exit = source_find(tool, words, &views);
		vid = exit == TOOL_FINE ? views.at[0].info.vid : 0;
		pid = exit == TOOL_FINE ? views.at[0].info.pid : 0;
		views_free(&views);
	}
	snprintf(scope, SCOPE_LEN, "%04x:%04x", vid, pid);
	return exit;
}

static enum tool_exit write_settings(struct tool *tool, const char *scope, const char *key, const char *file)
{
	char path[PATH_LEN];
	FILE *out;
	int written;

	settings_path(path);
	/* Mostly nobody has set anything before; where it cannot be made, what follows says why. */
	(void)mkdir(settings_folder(), 0755);
	out = fopen(path, "we");
	if (!out)
		return tool_complain(tool, TOOL_CANNOT, "%s cannot be written: %s", path, strerror(errno));
	written = fprintf(
		out,
		"# Written by \"openccid capture\"; \"openccid capture --stop\" takes it away.\n[%s]\n%s "
		"= %s\n",
		scope, key, file);
	if (fclose(out) == 0 && written > 0)
		return TOOL_FINE;
	return tool_complain(tool, TOOL_CANNOT, "%s cannot be written: %s", path, strerror(errno));
}

static enum tool_exit start(struct tool *tool, const char *file, const char *words, bool recorder)
{
	char scope[SCOPE_LEN], path[PATH_LEN];
	enum tool_exit exit = whole_path(tool, file, path);

	if (exit == TOOL_FINE)
		exit = find_scope(tool, words, scope);
	if (exit == TOOL_FINE)
		exit = write_settings(tool, scope, recorder ? "flight-recorder" : "capture", path);
	if (exit != TOOL_FINE)
		return exit;
	out_print(&tool->out,
		  "1. Unplug the reader and plug it in again: from then on the driver records%s, without "
		  "PINs and "
		  "keys.\n"
		  "2. Let it go wrong.\n"
		  "3. Run \"openccid capture --stop\", and then \"openccid decode %s\".\n"
		  "If the file does not appear, pcscd may not write there; its log says so, and /run/pcscd "
		  "is a "
		  "folder of its own.\n",
		  recorder ? " in memory, and writes the file at the first failure" : "", path);
	return TOOL_FINE;
}

static enum tool_exit stop(struct tool *tool)
{
	char path[PATH_LEN];

	settings_path(path);
	if (unlink(path) == 0) {
		out_print(&tool->out, "Nothing is recorded of readers that are plugged in from now on.\n");
		return TOOL_FINE;
	}
	if (errno == ENOENT)
		return tool_complain(tool, TOOL_FINDING, "nothing was being recorded");
	return tool_complain(tool, TOOL_CANNOT, "%s cannot be removed: %s", path, strerror(errno));
}

enum tool_exit verb_capture(struct tool *tool, int argc, char **argv)
{
	bool recorder = false, ends = false;
	const struct option_row rows[] = {
		{ .name = "last",
		  .letter = 'l',
		  .help = "only the last messages before the first failure",
		  .flag = &recorder },
		{ .name = "stop", .letter = 's', .help = "record no more", .flag = &ends },
		{ .name = NULL },
	};
	const enum options_end end =
		options_parse(tool, rows, (struct operands){ .least = 0, .most = 2 }, &argc, argv);

	if (end != OPTIONS_GO_ON)
		return options_exit(end);
	if (ends == (argc > 0) || (ends && recorder))
		return tool_complain(tool, TOOL_USAGE, "say which file, or --stop");
	return ends ? stop(tool) : start(tool, argv[0], argc > 1 ? argv[1] : NULL, recorder);
}
