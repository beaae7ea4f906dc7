/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A capture of a hostile author: either an error is told, or everything in it points into it and is within its bounds. */
#include "fuzz.h"

#include "replay/capture.h"

struct seen {
	const char *file;
	unsigned errors;
};

static void on_error(void *arg, const char *file, unsigned line, const char *sentence)
{
	struct seen *seen = arg;

	(void)line;
	FUZZ_ASSERT(strcmp(file, seen->file) == 0 && sentence[0]);
	for (const char *c = sentence; *c; c++)
		FUZZ_ASSERT((*c >= ' ' && *c <= '~') || *c == '\t');
	FUZZ_ASSERT(++seen->errors <= CAPTURE_ERRORS_MAX);
}

static void check_bytes(const struct capture *c, const struct capture_bytes *b)
{
	if (!b->len)
		return;
	FUZZ_ASSERT(b->len <= CAPTURE_BYTES_MAX);
	FUZZ_ASSERT(b->value >= c->values && b->value + b->len <= c->values + c->used);
	FUZZ_ASSERT(b->mark >= c->marks && b->mark + b->len <= c->marks + c->used);
	for (size_t i = 0; i < b->len; i++)
		FUZZ_ASSERT(b->mark[i] <= CAPTURE_ANY);
}

static void check_span(const struct capture *c, struct span s, size_t size)
{
	FUZZ_ASSERT(s.len && s.at >= c->text && s.at + s.len <= c->text + size);
}

/* Each "do" has one "expect" behind it before the next. */
static void check_order(const struct capture *c)
{
	const struct capture_step *open = NULL;

	for (size_t i = 0; i < c->steps; i++) {
		if (c->step[i].kind == CAPTURE_DO) {
			FUZZ_ASSERT(!open);
			open = &c->step[i];
		} else if (c->step[i].kind == CAPTURE_EXPECT) {
			FUZZ_ASSERT(open);
			open = NULL;
		}
	}
	FUZZ_ASSERT(!open);
}

static void check_step(const struct capture *c, const struct capture_step *s)
{
	FUZZ_ASSERT(s->line && capture_kind_word(s->kind)[0] && capture_action_word(s->action)[0]);
	FUZZ_ASSERT(capture_result_word(s->result)[0] && (unsigned)s->end <= CAPTURE_END_EVENT);
	check_bytes(c, &s->bytes);
	if (s->kind == CAPTURE_CONTROL)
		FUZZ_ASSERT(s->bytes.len >= 8);
	if (s->kind == CAPTURE_PADDING)
		FUZZ_ASSERT(s->number <= CAPTURE_PADDING_MAX);
}

static void check(const struct capture *c, size_t size)
{
	FUZZ_ASSERT(c->steps && c->used <= size / 2 + 1 && c->befores <= CAPTURE_BEFORE_MAX);
	FUZZ_ASSERT(c->has_id || c->has_descriptor);
	FUZZ_ASSERT(c->endpoints == 2 || c->endpoints == 3);
	FUZZ_ASSERT(c->within_ms >= 1 && c->within_ms <= CAPTURE_WAIT_MAX);
	FUZZ_ASSERT((unsigned)c->level <= CCID_EXTENDED_APDU);
	check_span(c, c->name, size);
	check_span(c, c->source, size);
	check_span(c, c->origin, size);
	check_span(c, c->about, size);
	for (unsigned i = 0; i < c->befores; i++)
		check_step(c, &c->before[i]);
	for (size_t i = 0; i < c->steps; i++)
		check_step(c, &c->step[i]);
	check_order(c);
}

/* A file says what its text says. */
static void load(const uint8_t *data, size_t size, const struct capture *same, unsigned errors)
{
	FILE *file = tmpfile();
	char path[64];
	struct seen seen = { .file = path };
	struct capture *c;

	FUZZ_ASSERT(file && fwrite(data, 1, size, file) == size && fflush(file) == 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(file));
	c = capture_load(path, on_error, &seen);
	FUZZ_ASSERT(seen.errors == errors && !c == !same);
	FUZZ_ASSERT(!c || (c->steps == same->steps && c->used == same->used));
	capture_free(c);
	fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen seen = { .file = "fuzz.trace" };
	struct capture *c = capture_parse(seen.file, (const char *)data, size, on_error, &seen);

	FUZZ_ASSERT((c == NULL) == (seen.errors != 0));
	if (c)
		check(c, size);
	load(data, size, c, seen.errors);
	capture_free(c);
	return 0;
}
