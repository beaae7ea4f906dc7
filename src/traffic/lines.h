/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A text file line by line, in constant memory: without colours, with its numbers, and with the time that lines tell. */
#ifndef OPENCCID_TRAFFIC_LINES_H
#define OPENCCID_TRAFFIC_LINES_H

#include "base/span.h"

#include <stdio.h>

enum { LINE_MAX_LEN = 3 * 65554 + 4096 }; /* the longest message in hexadecimal, and what stands before it */

struct lines {
	FILE *file;
	unsigned long number;
	char text[LINE_MAX_LEN];
	uint64_t us; /* what the lines say of the time, added up */
	bool timed;  /* this line says something of it */
	bool has_day;
	uint64_t day_us; /* the last time of day */
};

void lines_begin(struct lines *l, FILE *file);

/* The next line without its end; what is longer than LINE_MAX_LEN is cut. False at the end. */
bool lines_next(struct lines *l, struct span *line);

/**
 * lines_clock - what a line of a log says of the time, taken off its beginning
 *
 * pcscd begins a line with the microseconds since the line before; other programs write the time of day.
 */
void lines_clock(struct lines *l, struct span *line);

/* Bytes in hexadecimal with blanks between, up to the first word that is none; true if all of the span was. */
bool span_bytes(struct span s, uint8_t *bytes, size_t cap, size_t *len);

/* Where @word begins in @s; false if it does not. @rest is what follows it. */
bool span_find(struct span s, const char *word, struct span *rest);

#endif
