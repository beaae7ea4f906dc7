/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Line by line: "key: value" in the header, then steps. Each line is one token after the other out of a bounded span. */
#include "replay/capture_parser.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void capture_fail(struct capture_parser *p, unsigned line, const char *fmt, ...)
{
	char sentence[512];
	va_list ap;

	p->failed = true;
	if (p->errors++ >= CAPTURE_ERRORS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(sentence, sizeof sentence, fmt, ap);
	va_end(ap);
	p->error(p->arg, p->c->file, line, sentence);
}

/* ---- the header -------------------------------------------------------------------------------------------------- */

static void key_reader(struct capture_parser *p, struct span value)
{
	struct capture *c = p->c;
	struct span id = span_word(&value, 0);
	struct span vid = span_take(&id, 4);
	struct span colon = span_take(&id, 1);
	uint32_t v, n;

	c->name = span_trim(value);
	if (c->name.len == 0)
		FAIL(p, "the name of the reader is missing behind its id");
	if (span_is(vid, "-") && colon.len == 0)
		return;
	c->has_id = span_hex(vid, 4, &v) && span_is(colon, ":") && span_hex(id, 4, &n);
	if (!c->has_id) {
		FAIL(p, "the reader begins with vid:pid, each four hexadecimal digits, or with \"-\"");
		return;
	}
	c->vid = (uint16_t)v;
	c->pid = (uint16_t)n;
}

static void key_source(struct capture_parser *p, struct span value)
{
	p->c->source = value;
}

static void key_origin(struct capture_parser *p, struct span value)
{
	p->c->origin = value;
}

static void key_about(struct capture_parser *p, struct span value)
{
	p->c->about = value;
}

static void key_text(struct capture_parser *p, struct span value)
{
	(void)p;
	(void)value;
}

static void key_firmware(struct capture_parser *p, struct span value)
{
	uint32_t v = 0;

	p->c->has_firmware = span_bcd(value, &v);
	p->c->firmware = (uint16_t)v;
	if (!p->c->has_firmware)
		FAIL(p, "the firmware is bcdDevice, written like 05.20");
}

static void key_interface(struct capture_parser *p, struct span value)
{
	p->c->interface = (uint8_t)capture_take_number(p, &value, 0, 255);
	p->c->has_interface = true;
	capture_want_nothing_more(p, value);
}

static void key_descriptor(struct capture_parser *p, struct span value)
{
	const struct capture_bytes b = capture_take_bytes(p, value);

	if (!p->failed && b.len != CCID_DESCRIPTOR_LEN)
		FAIL(p, "a class descriptor has %d bytes, these are %zu", CCID_DESCRIPTOR_LEN, b.len);
	if (p->failed)
		return;
	memcpy(p->c->descriptor, b.value, CCID_DESCRIPTOR_LEN);
	p->c->has_descriptor = true;
}

static void key_endpoints(struct capture_parser *p, struct span value)
{
	p->c->endpoints = (uint8_t)capture_take_number(p, &value, 2, 3);
	capture_want_nothing_more(p, value);
}

static void key_level(struct capture_parser *p, struct span value)
{
	static const char *const words[] = {
		[CCID_CHARACTER] = "character",
		[CCID_TPDU] = "tpdu",
		[CCID_SHORT_APDU] = "short-apdu",
		[CCID_EXTENDED_APDU] = "extended-apdu",
	};
	size_t i = 0;

	while (i < COUNT(words) && !span_is(value, words[i]))
		i++;
	if (i == COUNT(words)) {
		FAIL(p, "\"%.*s\" is none of character, tpdu, short-apdu and extended-apdu", SHOWN(value));
		return;
	}
	p->c->level = (enum ccid_level)i;
	p->c->has_level = true;
}

static void key_within(struct capture_parser *p, struct span value)
{
	p->c->within_ms = capture_take_number(p, &value, 1, CAPTURE_WAIT_MAX);
	capture_want_nothing_more(p, value);
}

/* "before: power-up ATR" names the ATR, which is the answer and not an argument. */
static void key_before(struct capture_parser *p, struct span value)
{
	struct capture *c = p->c;
	struct capture_step *step = &c->before[c->befores];
	struct span rest = value;

	if (c->befores == CAPTURE_BEFORE_MAX) {
		FAIL(p, "more than %d \"before\" lines", CAPTURE_BEFORE_MAX);
		return;
	}
	*step = (struct capture_step){ .kind = CAPTURE_DO, .line = p->line, .action = CAPTURE_POWER_UP };
	if (span_is(span_word(&rest, 0), "power-up")) {
		step->bytes = capture_take_bytes(p, rest);
		if (!p->failed && (step->bytes.len < 2 || step->bytes.len > 33))
			FAIL(p, "an ATR has 2 to 33 bytes, these are %zu", step->bytes.len);
	} else {
		capture_take_action(p, value, step);
		if (!p->failed && step->action != CAPTURE_OPEN && step->action != CAPTURE_PROTOCOL &&
		    step->action != CAPTURE_TRANSMIT)
			FAIL(p, "only open, power-up, protocol and transmit can come before a capture");
	}
	if (!p->failed && (c->befores == 0) != (step->action == CAPTURE_OPEN))
		FAIL(p, "the first \"before\" line, and no other, is \"open\"");
	c->befores++;
}

enum { REQUIRED = 1, REPEATED = 2 };

static const struct {
	const char *word;
	unsigned flags;
	void (*take)(struct capture_parser *p, struct span value);
} header_keys[] = {
	{ "reader", REQUIRED, key_reader },  { "source", REQUIRED, key_source },
	{ "origin", REQUIRED, key_origin },  { "about", REQUIRED, key_about },
	{ "firmware", 0, key_firmware },     { "interface", 0, key_interface },
	{ "descriptor", 0, key_descriptor }, { "endpoints", 0, key_endpoints },
	{ "level", 0, key_level },           { "within", 0, key_within },
	{ "before", REPEATED, key_before },  { "reconstructed", REPEATED, key_text },
	{ "redacted", REPEATED, key_text },  { "note", REPEATED, key_text },
};

/* "differs: reason" stands among the steps; all other keys stand before them. */
static void take_key(struct capture_parser *p, struct span key, struct span value)
{
	size_t i = 0;

	if (value.len == 0)
		FAIL(p, "nothing follows \"%.*s:\"", SHOWN(key));
	if (span_is(key, "differs")) {
		if (!p->open)
			FAIL(p, "\"differs:\" needs a \"do\" line before it");
		p->differs = true;
		return;
	}
	while (i < COUNT(header_keys) && !span_is(key, header_keys[i].word))
		i++;
	if (i == COUNT(header_keys)) {
		FAIL(p, "\"%.*s\" is no key of the header", SHOWN(key));
		return;
	}
	if (p->steps_began)
		FAIL(p, "\"%s:\" belongs to the header, before the first step", header_keys[i].word);
	if (p->seen & 1u << i && !(header_keys[i].flags & REPEATED))
		FAIL(p, "\"%s:\" is there twice", header_keys[i].word);
	p->seen |= 1u << i;
	if (value.len)
		header_keys[i].take(p, value);
}

static void check_header(struct capture_parser *p)
{
	for (size_t i = 0; i < COUNT(header_keys); i++)
		if (header_keys[i].flags & REQUIRED && !(p->seen & 1u << i))
			capture_fail(p, 0, "the header lacks \"%s:\"", header_keys[i].word);
	if (p->seen & 1 && !p->c->has_id && !p->c->has_descriptor)
		capture_fail(p, 0, "a reader without vid:pid needs a \"descriptor:\" line");
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static bool printable(struct span line)
{
	for (size_t i = 0; i < line.len; i++)
		if ((line.at[i] < ' ' || line.at[i] > '~') && line.at[i] != '\t')
			return false;
	return true;
}

static void take_line(struct capture_parser *p, struct span line)
{
	struct span rest, word;

	p->failed = false;
	if (!printable(line)) {
		FAIL(p, "the line has characters that are not printable ASCII");
		return;
	}
	line = span_trim(line);
	if (line.len == 0 || line.at[0] == '#')
		return;
	if (p->ended) {
		FAIL(p, "nothing may follow \"end\"");
		return;
	}
	rest = line;
	word = span_word(&rest, 0);
	if (word.at[word.len - 1] == ':') {
		word.len--;
		take_key(p, word, span_trim(rest));
		return;
	}
	p->steps_began = true;
	if (!span_is(line, "end")) {
		capture_take_step(p, line);
		return;
	}
	p->ended = true;
	if (p->open)
		FAIL(p, "the action of line %u has no \"expect\"", p->open->line);
}

static void take_text(struct capture_parser *p, struct span text)
{
	while (text.len) {
		const struct span line = span_take(&text, span_until(text, '\n'));

		p->line++;
		if (text.len == 0) {
			FAIL(p, "the last line has no end; the file is cut short");
			return;
		}
		span_take(&text, 1);
		take_line(p, line);
	}
	check_header(p);
	if (!p->ended)
		capture_fail(p, 0, "the last line should be \"end\"; the file is cut short");
	else if (p->c->steps == 0)
		capture_fail(p, 0, "there is no step in it");
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* One step for each line, one byte for each two characters: nothing has to grow. */
static struct capture *allocate(const char *file, const char *text, size_t len)
{
	struct capture *c = calloc(1, sizeof *c);
	size_t lines = 1;

	if (!c)
		return NULL;
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	c->file = file;
	c->endpoints = 3;
	c->within_ms = CAPTURE_WITHIN_MS;
	c->step = calloc(lines, sizeof *c->step);
	c->values = malloc(len / 2 + 1);
	c->marks = malloc(len / 2 + 1);
	c->text = malloc(len + 1);
	if (!c->step || !c->values || !c->marks || !c->text) {
		capture_free(c);
		return NULL;
	}
	if (len)
		memcpy(c->text, text, len);
	return c;
}

void capture_free(struct capture *capture)
{
	if (!capture)
		return;
	free(capture->step);
	free(capture->values);
	free(capture->marks);
	free(capture->text);
	free(capture);
}

struct capture *capture_parse(const char *file, const char *text, size_t len, capture_error *error, void *arg)
{
	struct capture_parser p = { .error = error, .arg = arg };

	if (len > CAPTURE_FILE_MAX) {
		error(arg, file, 0, "the file is larger than 1 MiB; cut it to the part that shows the point");
		return NULL;
	}
	p.c = allocate(file, text, len);
	if (!p.c) {
		error(arg, file, 0, "there is not enough memory to read it");
		return NULL;
	}
	take_text(&p, (struct span){ p.c->text, len });
	if (p.errors == 0)
		return p.c;
	capture_free(p.c);
	return NULL;
}

struct capture *capture_load(const char *path, capture_error *error, void *arg)
{
	char *text = malloc(CAPTURE_FILE_MAX + 1);
	FILE *file = fopen(path, "rb");
	struct capture *c = NULL;
	size_t len = 0;

	if (!file || !text) {
		error(arg, path, 0, strerror(errno));
	} else {
		len = fread(text, 1, CAPTURE_FILE_MAX + 1, file);
		if (ferror(file))
			error(arg, path, 0, "it cannot be read");
		else
			c = capture_parse(path, text, len, error, arg);
	}
	if (file)
		fclose(file);
	free(text);
	return c;
}
