/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "traffic/lines.h"

enum { DAY_S = 24 * 60 * 60, ESCAPE = 0x1B };

void lines_begin(struct lines *l, FILE *file)
{
	rewind(file);
	l->file = file;
	l->number = 0;
	l->us = l->day_us = 0;
	l->timed = l->has_day = false;
}

/* Colours: ESC [ ... letter */
static size_t without_colours(char *text, size_t len)
{
	size_t to = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == ESCAPE && i + 1 < len && text[i + 1] == '[') {
			i += 2;
			while (i < len && (text[i] < '@' || text[i] > '~'))
				i++;
			continue;
		}
		text[to++] = text[i];
	}
	return to;
}

bool lines_next(struct lines *l, struct span *line)
{
	size_t len = 0;
	int c;

	while ((c = getc_unlocked(l->file)) != EOF && c != '\n')
		if (len < sizeof l->text)
			l->text[len++] = (char)c;
	if (c == EOF && len == 0)
		return false;
	l->number++;
	len = without_colours(l->text, len);
	while (len && (l->text[len - 1] == '\r' || span_blank(l->text[len - 1])))
		len--;
	*line = (struct span){ l->text, len };
	return true;
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Eight digits at the beginning, or behind what the system's log puts there. */
static bool take_delta(struct span *line, uint32_t *us)
{
	struct span s = *line, rest;

	if (!(s.len > 8 && is_digit(s.at[0])) && span_find(s, "]: ", &rest))
		s = rest;
	if (s.len < 9 || s.at[8] != ' ' || !span_decimal((struct span){ s.at, 8 }, us))
		return false;
	span_take(&s, 9);
	*line = s;
	return true;
}

static unsigned two_digits(const char *at)
{
	return (unsigned)(at[0] - '0') * 10 + (unsigned)(at[1] - '0');
}

/* HH:MM:SS, or with a fraction behind it */
static bool take_day(const struct span *line, uint64_t *us)
{
	static const char shape[] = "dd:dd:dd";
	const char *at = line->at;
	uint32_t fraction = 0, unit = 1000000;

	for (size_t i = 0; i + 8 <= line->len && i < 64; i++, at++) {
		size_t n = 0;

		while (n < 8 && (shape[n] == 'd' ? is_digit(at[n]) : at[n] == ':'))
			n++;
		if (n < 8)
			continue;
		if (i + 9 < line->len && (at[8] == '.' || at[8] == ','))
			for (n = 9; i + n < line->len && is_digit(at[n]) && unit > 1; n++) {
				unit /= 10;
				fraction += (uint32_t)(at[n] - '0') * unit;
			}
		*us = (two_digits(at) * 3600u + two_digits(at + 3) * 60u + two_digits(at + 6)) * 1000000ull +
		      fraction;
		return true;
	}
	return false;
}

void lines_clock(struct lines *l, struct span *line)
{
	uint32_t delta;
	uint64_t day;

	l->timed = true;
	if (take_delta(line, &delta)) {
		l->us += delta;
		return;
	}
	if (!take_day(line, &day)) {
		l->timed = false;
		return;
	}
	if (l->has_day)
		l->us += (day >= l->day_us ? day : day + DAY_S * 1000000ull) - l->day_us;
	l->has_day = true;
	l->day_us = day;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

bool span_bytes(struct span s, uint8_t *bytes, size_t cap, size_t *len)
{
	uint32_t value;

	*len = 0;
	for (struct span word = span_word(&s, 0); word.len; word = span_word(&s, 0)) {
		if (*len == cap || !span_hex(word, 2, &value))
			return false;
		bytes[(*len)++] = (uint8_t)value;
	}
	return true;
}

bool span_find(struct span s, const char *word, struct span *rest)
{
	const char *found = s.len ? memmem(s.at, s.len, word, strlen(word)) : NULL;

	if (!found)
		return false;
	*rest = (struct span){ found + strlen(word), s.len - (size_t)(found - s.at) - strlen(word) };
	return true;
}
