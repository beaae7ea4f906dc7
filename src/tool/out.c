/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/out.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool out_wants_colour(bool terminal, const char *no_color, const char *term)
{
	if (no_color && no_color[0])
		return false;
	return terminal && !(term && strcmp(term, "dumb") == 0);
}

unsigned out_columns(const char *columns, unsigned driver)
{
	char *end;
	const unsigned long n = columns ? strtoul(columns, &end, 10) : 0;

	return n && n <= UINT16_MAX && !*end ? (unsigned)n : driver;
}

static unsigned columns_of(FILE *stream)
{
	struct winsize size = { 0 };

	if (ioctl(fileno(stream), TIOCGWINSZ, &size) < 0)
		return 0;
	return out_columns(getenv("COLUMNS"), size.ws_col);
}

struct out out_of(FILE *stream)
{
	return (struct out){
		.stream = stream,
		.columns = columns_of(stream),
		.colour = out_wants_colour(isatty(fileno(stream)) == 1, getenv("NO_COLOR"), getenv("TERM")),
	};
}

void out_print(struct out *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(out->stream, fmt, ap);
	va_end(ap);
}

void out_styled(struct out *out, enum out_style style, const char *fmt, ...)
{
	static const char *const on[] = {
		[OUT_PLAIN] = "",           [OUT_STRONG] = "\033[1m", [OUT_GOOD] = "\033[32m",
		[OUT_WARNING] = "\033[33m", [OUT_BAD] = "\033[1;31m", [OUT_FAINT] = "\033[2m",
	};
	const bool colour = out->colour && style != OUT_PLAIN;
	va_list ap;

	if (colour)
		fputs(on[style], out->stream);
	va_start(ap, fmt);
	vfprintf(out->stream, fmt, ap);
	va_end(ap);
	if (colour)
		fputs("\033[0m", out->stream);
}

/* The first byte of a character of each length, and the smallest code point that needs that length. */
static const struct {
	unsigned char mask, lead;
	unsigned long least;
} shapes[] = {
	{ 0x80, 0x00, 0 },
	{ 0xE0, 0xC0, 0x80 },
	{ 0xF0, 0xE0, 0x800 },
	{ 0xF8, 0xF0, 0x10000 },
};

size_t out_character(const char *text, size_t len)
{
	const unsigned char first = (unsigned char)text[0];
	unsigned long code;
	size_t n = 0;

	while (n < 4 && (first & shapes[n].mask) != shapes[n].lead)
		n++;
	if (n == 4 || len < n + 1)
		return 0;
	code = first & (unsigned char)~shapes[n].mask;
	for (size_t i = 1; i <= n; i++) {
		const unsigned char c = (unsigned char)text[i];

		if ((c & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (c & 0x3F);
	}
	if (code < shapes[n].least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return 0;
	return n + 1;
}

/* C0 and C1 controls, and DEL */
static bool is_control(const char *text, size_t n)
{
	const unsigned char c = (unsigned char)text[0];

	return n == 0 || (n == 1 && (c < 0x20 || c == 0x7F)) ||
	       (n == 2 && c == 0xC2 && (unsigned char)text[1] < 0xA0);
}

void out_foreign(struct out *out, const char *text, size_t len)
{
	while (len > 0) {
		const size_t n = out_character(text, len);
		const size_t step = n ? n : 1;

		if (is_control(text, n))
			fputc('?', out->stream);
		else
			fwrite(text, 1, n, out->stream);
		text += step;
		len -= step;
	}
}

void out_wrapped(struct out *out, unsigned indent, unsigned column, const char *text)
{
	enum { MOST = 96, LEAST = 60 };
	const unsigned narrow = out->columns > LEAST ? out->columns : LEAST;
	const unsigned width = out->columns && narrow < MOST ? narrow : MOST;

	while (*text) {
		const size_t blanks = strspn(text, " ");
		const size_t n = strcspn(text + blanks, " ");

		if (column > indent && column + blanks + n > width) {
			fputc('\n', out->stream);
			column = 0;
		}
		if (column < indent)
			column += (unsigned)fprintf(out->stream, "%*s", (int)(indent - column), "");
		else
			column += (unsigned)fprintf(out->stream, "%*s", (int)blanks, "");
		fwrite(text + blanks, 1, n, out->stream);
		column += (unsigned)n;
		text += blanks + n;
	}
	fputc('\n', out->stream);
}

void out_hex(struct out *out, const unsigned char *bytes, size_t len, size_t most)
{
	for (size_t i = 0; i < len && i < most; i++)
		fprintf(out->stream, "%s%02X", i ? " " : "", bytes[i]);
	if (len > most)
		fprintf(out->stream, " ... (%zu bytes)", len);
}

bool out_finish(struct out *out)
{
	return fflush(out->stream) == 0 && !ferror(out->stream);
}
