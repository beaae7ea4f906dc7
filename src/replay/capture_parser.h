/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two halves of the parser share: capture.c knows the header and the lines, capture_step.c the steps. */
#ifndef OPENCCID_REPLAY_CAPTURE_PARSER_H
#define OPENCCID_REPLAY_CAPTURE_PARSER_H

#include "replay/capture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct capture_parser {
	struct capture *c;
	capture_error *error;
	void *arg;
	unsigned line, errors;
	uint32_t seen;                   /* bit n: header_keys[n] was there */
	bool steps_began;                /* the header is over */
	bool ended;                      /* "end" was there */
	bool failed;                     /* in this line */
	bool differs;                    /* a reason was given in this action */
	const struct capture_step *open; /* the "do" that has no "expect" yet */
};

/* Report one error; the caller goes on. @line is 0 where the whole file is meant. */
void capture_fail(struct capture_parser *p, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define FAIL(p, ...) capture_fail((p), (p)->line, __VA_ARGS__)

/* For "%.*s": a hostile word must not fill the sentence. */
static inline int capture_shown(struct span s)
{
	return s.len < 40 ? (int)s.len : 40;
}

#define SHOWN(s) capture_shown(s), (s).at

/* Bytes that stand for themselves: an APDU, an ATR, a descriptor. */
struct capture_bytes capture_take_bytes(struct capture_parser *p, struct span rest);

/* The next word as a decimal number; @low after reporting that it is none. */
uint32_t capture_take_number(struct capture_parser *p, struct span *rest, uint32_t low, uint32_t high);

/* What an application asks for, without the "do". */
void capture_take_action(struct capture_parser *p, struct span rest, struct capture_step *step);

/* One line of the steps. */
void capture_take_step(struct capture_parser *p, struct span line);

void capture_want_nothing_more(struct capture_parser *p, struct span rest);

#endif
