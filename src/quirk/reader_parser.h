/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two halves of the .reader parser share: reader_file.c knows lines and blocks, reader_key.c keys and values. */
#ifndef OPENCCID_QUIRK_READER_PARSER_H
#define OPENCCID_QUIRK_READER_PARSER_H

#include "quirk/reader_file.h"
#include "base/span.h"

/* Where a line can stand. */
enum place {
	NOWHERE = 0, /* a block with a faulty head: its lines are not judged */
	SECTION = 1,
	UNIT = 2,
	INTERFACE = 4,
	RULE = 8,
	VENDOR = 16, /* [vid:*] */
	EVERY = 32,  /* [*] */
	ANY_SECTION = SECTION | VENDOR | EVERY,
};

enum { READER_KEYS_MAX = 128 }; /* more than the parser has */

struct block {
	enum place where;
	unsigned line;
	size_t head_indent;         /* of the line that opened it */
	size_t indent;              /* of its own lines; 0 until the first of them */
	bool filled;                /* something was said */
	void *base;                 /* the struct of its place */
	bool seen[READER_KEYS_MAX]; /* keys[n] has been set here */
};

enum { DEPTH = 3 };

struct parser {
	const char *file;
	enum reader_use use;
	const struct reader_sink *sink;
	unsigned line, errors;
	unsigned errors_before; /* at the head of the section */
	struct reader_section *s;
	struct quirk_rule *own; /* the section's own rule while it is the last one */
	unsigned depth;         /* blocks open; 0 = before the first section */
	struct block block[DEPTH];
};

/* Report one error; the caller goes on. */
void reader_fail(struct parser *p, unsigned line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define FAIL(p, ...) reader_fail((p), (p)->line, __VA_ARGS__)

/* A fresh rule behind the others of the section, or NULL after reporting that there are too many. */
struct quirk_rule *reader_new_rule(struct parser *p);

/* Take one "key = value" into the block. */
void reader_assign(struct parser *p, struct block *b, struct span line);

/* Report the required keys that a block did not get. */
void reader_check_required(struct parser *p, const struct block *b);

/* The place of @value in a list of words that ends with NULL; empty words match nothing. */
bool reader_find_word(const char *const *words, struct span value, uint32_t *out);

extern const char *const reader_level_words[];

#endif
