/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why a story ends as it does: rules as a table, the most telling first. */
#ifndef OPENCCID_TOOL_CAUSES_H
#define OPENCCID_TOOL_CAUSES_H

#include "tool/story.h"

struct cause {
	const char *id;    /* for programs; does not change */
	enum mood mood;    /* MOOD_BAD: this is what is wrong; MOOD_ODD: worth knowing */
	const char *title; /* a few words */
	const char *what;  /* what happened, in one or two sentences */
	const char *help;  /* what helps; "" where nothing has to be done */
};

enum { CAUSES_MAX = 40 };

struct found {
	unsigned long count, place; /* how often, and where first */
};

struct causes {
	const struct story *story; /* what is known when a command ends */
	struct found found[CAUSES_MAX];
	unsigned silent_before; /* commands without an answer before the first one with */
};

/* A command of the story has ended. */
void causes_take(struct causes *causes, const struct exchange *x);

/* The causes in the order of their weight: the @n-th that was found, or NULL. */
const struct cause *causes_get(const struct causes *causes, unsigned n, struct found *found);

/* The most telling one that is bad; NULL if nothing is wrong. */
const struct cause *causes_first(const struct causes *causes, struct found *found);

#endif
