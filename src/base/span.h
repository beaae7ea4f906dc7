/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces of a text that is not ours and has no terminator: the only way the .reader parser looks at a line. */
#ifndef OPENCCID_BASE_SPAN_H
#define OPENCCID_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *at;
	size_t len;
};

/* For printf's "%.*s"; no line is longer than READER_LINE. */
#define SPAN_ARG(s) (int)(s).len, (s).at

static inline bool span_is(struct span s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.at, word, s.len) == 0;
}

static inline bool span_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Take the first n bytes off, or all if there are fewer. */
static inline struct span span_take(struct span *s, size_t n)
{
	const struct span taken = { s->at, n < s->len ? n : s->len };

	s->at += taken.len;
	s->len -= taken.len;
	return taken;
}

static inline struct span span_trim(struct span s)
{
	while (s.len && span_blank(s.at[0]))
		span_take(&s, 1);
	while (s.len && span_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

/* Bytes before the first @c, or all of them. */
static inline size_t span_until(struct span s, char c)
{
	const char *found = s.len ? memchr(s.at, c, s.len) : NULL;

	return found ? (size_t)(found - s.at) : s.len;
}

/* Take the next word off, ended by blanks or, where @also is not 0, by that character; empty at the end. */
static inline struct span span_word(struct span *s, char also)
{
	size_t n = 0;

	while (s->len && (span_blank(s->at[0]) || (also && s->at[0] == also)))
		span_take(s, 1);
	while (n < s->len && !span_blank(s->at[n]) && !(also && s->at[n] == also))
		n++;
	return span_take(s, n);
}

/* Value of a hexadecimal digit, or -1. */
static inline int span_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The whole span as exactly @digits hexadecimal digits. */
static inline bool span_hex(struct span s, size_t digits, uint32_t *value)
{
	uint32_t v = 0;

	if (s.len != digits || digits > 8)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (span_digit(s.at[i]) < 0)
			return false;
		v = v << 4 | (uint32_t)span_digit(s.at[i]);
	}
	*value = v;
	return true;
}

/* The whole span as a decimal number. */
static inline bool span_decimal(struct span s, uint32_t *value)
{
	uint64_t v = 0;

	if (s.len == 0 || s.len > 10)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.at[i] - '0');
	}
	if (v > UINT32_MAX)
		return false;
	*value = (uint32_t)v;
	return true;
}

/* BB.BB, the way bcdDevice is written: 05.20 is 0520h. */
static inline bool span_bcd(struct span s, uint32_t *value)
{
	const struct span high = span_take(&s, 2);
	const struct span dot = span_take(&s, 1);
	uint32_t v[2];

	if (!span_is(dot, ".") || !span_hex(high, 2, &v[0]) || !span_hex(s, 2, &v[1]))
		return false;
	*value = v[0] << 8 | v[1];
	return true;
}

#endif
