/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plays every file of the folders and the files that are named to the harness: the corpus in each "make check". */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_MAX = 1 << 20, PATH = 4096 };

static unsigned played;

/* From a block of exactly its size, so that a byte too far is noticed. */
static void play_file(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	uint8_t *bytes;

	if (!file || stat(path, &st) != 0 || st.st_size > INPUT_MAX) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(1);
	}
	bytes = malloc(st.st_size ? (size_t)st.st_size : 1);
	if (!bytes || fread(bytes, 1, (size_t)st.st_size, file) != (size_t)st.st_size)
		exit(1);
	LLVMFuzzerTestOneInput(bytes, (size_t)st.st_size);
	played++;
	free(bytes);
	fclose(file);
}

static void play(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char inside[PATH];

	if (!dir) {
		play_file(path);
		return;
	}
	while ((entry = readdir(dir))) {
		const int n = snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);

		if (entry->d_name[0] != '.' && n > 0 && (size_t)n < sizeof inside)
			play_file(inside);
	}
	closedir(dir);
}

/* Without arguments: the corpus of this harness, found by the name of the program (fuzz_pin: corpus/pin). */
static void play_own(const char *program)
{
	static const char prefix[] = "fuzz_";
	const char *slash = strrchr(program, '/'), *srcdir = getenv("srcdir");
	const char *name = strstr(slash ? slash : program, prefix);
	char path[PATH];

	if (!name) {
		fprintf(stderr, "usage: %s FILE-OR-FOLDER...\n", program);
		exit(2);
	}
	snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
		 name + sizeof prefix - 1);
	play(path);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		play_own(argv[0]);
	for (int i = 1; i < argc; i++)
		play(argv[i]);
	printf("%u inputs\n", played);
	return played ? 0 : 1;
}
