/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A capture that somebody sends, played against the driver: it is refused with a sentence, or told to its end, for people and for
 * programs alike, and nothing in it makes the driver do what it must never do.
 */
#include "fuzz.h"

#include "tool/tool.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the command wrote, and how it ended. */
struct run {
	char *out, *err;
	size_t out_len, err_len;
	enum tool_exit exit;
};

static void run(struct run *r, const char *option, const char *save, const char *path)
{
	static const struct verb verb = { "replay", "FILE", "", verb_replay };
	char *words[] = { strdup(option), strdup("--save"), strdup(save), strdup(path) };
	char *argv[] = { words[0], words[1], words[2], words[3] };
	struct tool tool = { .verb = &verb };

	tool.out.stream = open_memstream(&r->out, &r->out_len);
	tool.err.stream = open_memstream(&r->err, &r->err_len);
	FUZZ_ASSERT(tool.out.stream && tool.err.stream);
	r->exit = verb_replay(&tool, 4, argv);
	fclose(tool.out.stream);
	fclose(tool.err.stream);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		free(words[i]);
}

static void check(const struct run *r)
{
	FUZZ_ASSERT(r->exit == TOOL_FINE || r->exit == TOOL_FINDING || r->exit == TOOL_CANNOT);
	FUZZ_ASSERT(r->exit != TOOL_CANNOT || r->err_len);
	FUZZ_ASSERT(r->exit == TOOL_CANNOT || r->out_len);
	FUZZ_ASSERT(!strstr(r->err, "a fault of the driver"));
}

static char scratch[] = "/tmp/openccid-fuzz-replay-XXXXXX/trace";

static char *scratch_name(void)
{
	return strrchr(scratch, '/');
}

static void remove_scratch(void)
{
	*scratch_name() = '\0';
	rmdir(scratch);
}

/* A place for the traces that are saved. The readers of the list would be read again and again, so there are none. */
static void prepare(void)
{
	static bool prepared;
	char *name = scratch_name();

	if (prepared)
		return;
	prepared = true;
	*name = '\0';
	FUZZ_ASSERT(mkdtemp(scratch));
	*name = '/';
	atexit(remove_scratch);
	setenv("OPENCCID_READERS", "/nonexistent", 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run text, json;
	char path[32];
	const int fd = memfd_create("capture", MFD_CLOEXEC);

	prepare();
	FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	run(&text, "--verbose", scratch, path);
	check(&text);
	remove(scratch);
	run(&json, "--json", scratch, path);
	check(&json);
	remove(scratch);
	FUZZ_ASSERT(text.exit == json.exit);
	FUZZ_ASSERT(!json.out_len ||
		    (json.out[0] == '{' && strcmp(json.out + json.out_len - 3, "\n}\n") == 0));
	free(text.out);
	free(text.err);
	free(json.out);
	free(json.err);
	close(fd);
	return 0;
}
