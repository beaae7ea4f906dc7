/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text for people: colours where a terminal shows them and nobody objects. What comes from a file or a device cannot steer it. */
#ifndef OPENCCID_TOOL_OUT_H
#define OPENCCID_TOOL_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What a piece of text is, not how it looks. */
enum out_style {
	OUT_PLAIN,
	OUT_STRONG, /* headings, names */
	OUT_GOOD,
	OUT_WARNING,
	OUT_BAD,
	OUT_FAINT, /* what can be skipped */
};

struct out {
	FILE *stream;
	bool colour;
	unsigned columns; /* of the terminal; 0: none, or not known */
};

/* Colours are on where @stream is a terminal, NO_COLOR is not set or empty, and TERM is not "dumb". */
struct out out_of(FILE *stream);

/* The same decision, for tests; each of the two may be NULL. */
bool out_wants_colour(bool terminal, const char *no_color, const char *term);

void out_print(struct out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same in a style, which ends with the text. */
void out_styled(struct out *out, enum out_style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Text that is not ours: valid UTF-8 goes through, control characters and broken bytes are shown as '?', so that nothing can
 * steer the terminal.
 */
void out_foreign(struct out *out, const char *text, size_t len);

/* The columns that COLUMNS says, or else a terminal's driver; 0 for none. */
unsigned out_columns(const char *columns, unsigned driver);

/* Words, broken into lines of at most 96 columns, fewer on a narrow terminal, each after @indent blanks; the text goes on at @column. */
void out_wrapped(struct out *out, unsigned indent, unsigned column, const char *text);

/* Bytes as "6F 05 00"; at most @most of them, then "... (N bytes)". */
void out_hex(struct out *out, const unsigned char *bytes, size_t len, size_t most);

/*
 * The length of the UTF-8 character that @text begins with, 1..4; 0 where it is none: broken, overlong, a surrogate or beyond U+10FFFF.
 * @len is not 0.
 */
size_t out_character(const char *text, size_t len);

/* Has everything reached its place? False after an error of any write; the stream is flushed. */
bool out_finish(struct out *out);

#endif
