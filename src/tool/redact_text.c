/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/redact_text.h"

#include "traffic/lines.h"

#include <stdlib.h>

/* Two hexadecimal digits that stand alone, in brackets or not. */
struct token {
	size_t at; /* of the first digit, in the line */
};

struct copy {
	struct redaction *r;
	FILE *to;
	char line[LINE_MAX_LEN];
	size_t len;
	bool cut; /* it was longer */
	struct token token[LINE_MAX_LEN / 3 + 1];
	size_t tokens, run; /* the last run of them begins here */

	/* A message that goes on in further lines: GnuPG writes it field by field */
	bool open;
	struct redaction_patch patch;
	uint8_t bytes[EVENT_ROOM];
};

static bool is_end(const struct copy *c, size_t at)
{
	return at >= c->len || span_blank(c->line[at]) || c->line[at] == ']' || c->line[at] == '\r' ||
	       c->line[at] == 0x1B;
}

static bool is_begin(const struct copy *c, size_t at)
{
	return at == 0 || span_blank(c->line[at - 1]) || c->line[at - 1] == '[' || c->line[at - 1] == 'm';
}

static bool is_token(const struct copy *c, size_t at)
{
	return at + 2 <= c->len && is_begin(c, at) && span_digit(c->line[at]) >= 0 &&
	       span_digit(c->line[at + 1]) >= 0 && is_end(c, at + 2);
}

/* Is there anything but blanks and brackets between two places? */
static bool is_gap(const struct copy *c, size_t from, size_t to)
{
	for (; from < to; from++)
		if (!span_blank(c->line[from]) && c->line[from] != '[' && c->line[from] != ']' &&
		    c->line[from] != '.')
			return true;
	return false;
}

static void find_tokens(struct copy *c)
{
	c->tokens = c->run = 0;
	for (size_t at = 0; at < c->len; at++) {
		if (!is_token(c, at))
			continue;
		if (c->tokens && is_gap(c, c->token[c->tokens - 1].at + 2, at))
			c->run = c->tokens;
		c->token[c->tokens++].at = at;
		at += 1;
	}
}

static void put(struct copy *c, size_t token, uint8_t value)
{
	static const char digits[] = "0123456789ABCDEF";

	c->line[c->token[token].at] = digits[value >> 4];
	c->line[c->token[token].at + 1] = digits[value & 15];
}

/* The bytes of a message stand at the end of its line; a time may stand before them. */
static void patch_line(struct copy *c, const struct redaction_patch *p)
{
	const uint8_t *bytes = c->r->pool + p->bytes;
	const size_t run = c->tokens - c->run;
	size_t first;

	/* An open number ("..") is no token, and a damaged line has others: then nothing of it is left. */
	if (run < p->whole) {
		for (size_t i = c->run; i < c->tokens; i++)
			put(c, i, 0);
		return;
	}
	first = c->tokens - p->whole;
	for (size_t i = 0; i < p->len; i++)
		put(c, first + p->at + i, bytes[i]);
}

/* "[0010]  80 02 00" */
static void patch_numbered(struct copy *c)
{
	const struct redaction_patch *p = &c->patch;
	const struct span line = { c->line, c->len };
	struct span rest;
	uint32_t at;

	if (!span_find(line, "ccid-driver:   [", &rest) || !span_decimal(span_take(&rest, 4), &at))
		return;
	for (size_t i = c->run; i < c->tokens; i++) {
		const size_t byte = at + i - c->run;

		if (byte >= p->at && byte < p->at + p->len)
			put(c, i, c->bytes[byte - p->at]);
	}
}

static bool is_headline(const struct copy *c)
{
	const struct span line = { c->line, c->len };
	struct span rest;

	return span_find(line, "ccid-driver: PC_to_RDR_", &rest) ||
	       span_find(line, "ccid-driver: RDR_to_PC_", &rest);
}

/* An open bSeq counts as a byte: it is one token less. */
static void mend_open_number(struct copy *c, struct redaction_patch *p)
{
	const struct span line = { c->line, c->len };
	struct span rest;

	if (!span_find(line, " .. ", &rest) || p->whole == 0)
		return;
	p->whole--;
	if (p->at > 6)
		p->at--;
}

static void go_on_with(struct copy *c, const struct redaction_patch *p)
{
	c->open = p->len <= sizeof c->bytes;
	c->patch = *p;
	if (c->open)
		memcpy(c->bytes, c->r->pool + p->bytes, p->len);
}

static void change(struct copy *c, unsigned long number)
{
	size_t count;
	const struct redaction_patch *p = redaction_find(c->r, number, &count);

	find_tokens(c);
	if (is_headline(c))
		c->open = false;
	for (size_t i = 0; i < count; i++) {
		struct redaction_patch one = p[i];

		if (is_headline(c)) {
			go_on_with(c, &p[i]);
			continue;
		}
		mend_open_number(c, &one);
		patch_line(c, &one);
	}
	if (c->open && count == 0)
		patch_numbered(c);
}

/* One line without its end; what is too long is left out, since nobody can say what is in it. */
static bool next_line(struct copy *c, FILE *from, bool *ended)
{
	int ch;

	c->len = 0;
	c->cut = false;
	while ((ch = getc_unlocked(from)) != EOF && ch != '\n') {
		if (c->len < sizeof c->line)
			c->line[c->len++] = (char)ch;
		else
			c->cut = true;
	}
	*ended = ch == '\n';
	return ch != EOF || c->len > 0;
}

bool redact_text_copy(struct redaction *r, FILE *from, FILE *to)
{
	struct copy *c = calloc(1, sizeof *c);
	unsigned long number = 0;
	bool ended;

	if (!c)
		return false;
	c->r = r;
	while (next_line(c, from, &ended)) {
		change(c, ++number);
		fwrite(c->line, 1, c->len, to);
		if (c->cut)
			fputs(" (cut)", to);
		if (ended)
			fputc('\n', to);
	}
	explicit_bzero(c, sizeof *c);
	free(c);
	return fflush(to) == 0 && !ferror(to);
}
