/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/json.h"

#include "tool/out.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

struct json json_of(FILE *stream)
{
	return (struct json){ .stream = stream };
}

static void put_character(FILE *stream, const char *text, size_t n)
{
	static const char plain[] = "\"\\\b\f\n\r\t", escaped[] = "\"\\bfnrt";
	const unsigned char c = (unsigned char)text[0];
	const char *special = n == 1 && c ? strchr(plain, c) : NULL;

	if (n == 0)
		fputs("\\ufffd", stream);
	else if (special)
		fprintf(stream, "\\%c", escaped[special - plain]);
	else if (c < 0x20 || c == 0x7F)
		fprintf(stream, "\\u%04x", c);
	else
		fwrite(text, 1, n, stream);
}

static void put_string(FILE *stream, const char *text, size_t len)
{
	fputc('"', stream);
	while (len > 0) {
		const size_t n = out_character(text, len);

		put_character(stream, text, n);
		text += n ? n : 1;
		len -= n ? n : 1;
	}
	fputc('"', stream);
}

static void indent(struct json *j)
{
	fputc('\n', j->stream);
	for (unsigned i = 0; i < j->depth; i++)
		fputs("  ", j->stream);
}

/* What stands before every value: comma, place, key. */
static void begin(struct json *j, const char *key)
{
	if (j->some[j->depth])
		fputc(',', j->stream);
	if (j->depth && !j->inline_from[j->depth])
		indent(j);
	else if (j->some[j->depth])
		fputc(' ', j->stream);
	j->some[j->depth] = true;
	if (!key)
		return;
	put_string(j->stream, key, strlen(key));
	fputs(": ", j->stream);
}

static void open_level(struct json *j, const char *key, char bracket, bool line)
{
	assert(j->depth < JSON_DEPTH && (bracket == '{' || bracket == '['));
	begin(j, key);
	fputc(bracket, j->stream);
	line |= j->inline_from[j->depth];
	j->depth++;
	j->inline_from[j->depth] = line;
	j->some[j->depth] = false;
	j->end[j->depth] = bracket == '{' ? '}' : ']';
}

void json_open(struct json *j, const char *key, char bracket)
{
	open_level(j, key, bracket, false);
}

void json_open_line(struct json *j, const char *key, char bracket)
{
	open_level(j, key, bracket, true);
}

void json_close(struct json *j)
{
	const char end = j->end[j->depth];
	const bool line = j->inline_from[j->depth] || !j->some[j->depth];

	assert(j->depth > 0);
	j->depth--;
	if (!line)
		indent(j);
	fputc(end, j->stream);
	if (j->depth == 0)
		fputc('\n', j->stream);
}

void json_text_n(struct json *j, const char *key, const char *text, size_t len)
{
	begin(j, key);
	put_string(j->stream, text, len);
}

void json_text(struct json *j, const char *key, const char *text)
{
	if (text)
		json_text_n(j, key, text, strlen(text));
	else
		json_null(j, key);
}

void json_number(struct json *j, const char *key, int64_t number)
{
	begin(j, key);
	fprintf(j->stream, "%" PRId64, number);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	fputs(value ? "true" : "false", j->stream);
}

void json_null(struct json *j, const char *key)
{
	begin(j, key);
	fputs("null", j->stream);
}

void json_hex(struct json *j, const char *key, const uint8_t *bytes, size_t len)
{
	begin(j, key);
	fputc('"', j->stream);
	for (size_t i = 0; i < len; i++)
		fprintf(j->stream, "%02X", bytes[i]);
	fputc('"', j->stream);
}
