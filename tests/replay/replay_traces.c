/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Play captures against the driver: those named on the command line, or all of tests/traces. One line for each; the exit
 * code is 0 if all went as captured. With -v the driver's log is shown, payloads included.
 */
#include "tool/player.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *source_dir(void)
{
	const char *dir = getenv("srcdir");

	return dir ? dir : ".";
}

static void show_error(void *arg, const char *file, unsigned line, const char *sentence)
{
	(void)arg;
	printf("# %s:%u: %s\n", file, line, sentence);
}

static void show_log(void *arg, enum oc_log_level level, const char *line)
{
	(void)arg;
	(void)level;
	printf("# %s\n", line);
}

static void try_capture(const struct capture *capture, const struct oc_log *log, struct verdict *verdict)
{
	struct identity identity;
	char readers[2048];

	snprintf(readers, sizeof readers, "%s/readers", source_dir());
	if (identify(capture, readers, &identity, verdict))
		play(capture, &identity, log, verdict);
}

static bool run(const char *path, unsigned number, const struct oc_log *log)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct capture *capture = capture_load(path, show_error, NULL);
	struct verdict verdict = { .why = "" };

	if (!capture) {
		printf("not ok %u - %s\n", number, name);
		return false;
	}
	try_capture(capture, log, &verdict);
	if (verdict.good)
		printf("ok %u - %s (%llu ms)\n", number, name, (unsigned long long)verdict.ms);
	else
		printf("not ok %u - %s\n# %s\n", number, name, verdict.why);
	capture_free(capture);
	return verdict.good;
}

static int is_trace(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".trace") == 0;
}

static unsigned run_folder(const char *folder, const struct oc_log *log, unsigned *bad)
{
	struct dirent **entries;
	const int n = scandir(folder, &entries, is_trace, alphasort);
	char path[2048];

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		*bad += !run(path, (unsigned)i + 1, log);
		free(entries[i]);
	}
	if (n < 0)
		return 0;
	free(entries);
	return (unsigned)n;
}

int main(int argc, char **argv)
{
	const bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	const struct oc_log log = { .mask = verbose ? 15 : 0, .secrets = true, .write = show_log };
	const int first = verbose ? 2 : 1;
	unsigned played = 0, bad = 0;
	char folder[1024];

	for (int i = first; i < argc; i++)
		bad += !run(argv[i], ++played, &log);
	if (first == argc || argc == 1) {
		snprintf(folder, sizeof folder, "%s/tests/traces", source_dir());
		played = run_folder(folder, &log, &bad);
	}
	printf("1..%u\n", played);
	if (played == 0)
		printf("# no capture was found; set srcdir to the folder of the sources\n");
	return played == 0 || bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
