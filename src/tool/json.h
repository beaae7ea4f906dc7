/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A writer of JSON (RFC 8259) that keeps nothing: each call writes at once. The caller opens and closes in order; commas, escaping
 * and the layout are done here. One member or element to a line.
 *
 *	struct json j = json_of(stdout);
 *	json_open(&j, NULL, '{');
 *	json_text(&j, "name", "a reader");
 *	json_open(&j, "slots", '[');
 *	json_number(&j, NULL, 1);
 *	json_close(&j);
 *	json_close(&j);
 */
#ifndef OPENCCID_TOOL_JSON_H
#define OPENCCID_TOOL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { JSON_DEPTH = 16 };

struct json {
	FILE *stream;
	unsigned depth;
	bool inline_from[JSON_DEPTH + 1]; /* this level is written on one line */
	bool some[JSON_DEPTH + 1];        /* this level has an element already */
	char end[JSON_DEPTH + 1];         /* what closes it */
};

struct json json_of(FILE *stream);

/* @key is NULL in an array and for the outermost value. @bracket is '{' or '['. */
void json_open(struct json *j, const char *key, char bracket);

/* The same, with all of it on one line. */
void json_open_line(struct json *j, const char *key, char bracket);

void json_close(struct json *j);

/* Text may be any bytes: what is no UTF-8 becomes U+FFFD. NULL is written as null. */
void json_text(struct json *j, const char *key, const char *text);
void json_text_n(struct json *j, const char *key, const char *text, size_t len);
void json_number(struct json *j, const char *key, int64_t number);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

/* Bytes as one string of hexadecimal digits. */
void json_hex(struct json *j, const char *key, const uint8_t *bytes, size_t len);

#endif
