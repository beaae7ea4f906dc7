/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which bytes of a capture are to be replaced: events in, patches out. */
#ifndef OPENCCID_TOOL_REDACTION_H
#define OPENCCID_TOOL_REDACTION_H

#include "ccid/redact.h"
#include "traffic/event.h"

enum { REDACTION_DATA_MAX = 256, REDACTION_CHOSEN_MAX = 16 };

/* The new bytes of one event, from the first that is changed to the last. */
struct redaction_patch {
	unsigned long place; /* line, or packet */
	size_t at, len;      /* in a line: bytes of the message; in a packet: of the record */
	size_t whole;        /* bytes of the message; 0 for a packet */
	size_t bytes;        /* where they stand in the pool */
};

struct redaction {
	struct redact redact;
	bool keep_secrets; /* only the chosen data is replaced */
	struct {
		uint8_t bytes[REDACTION_DATA_MAX];
		size_t len;
	} chosen[REDACTION_CHOSEN_MAX];
	unsigned choices;

	struct redaction_patch *patch; /* in the order of their places, once they are settled */
	size_t patches, patch_room;
	uint8_t *pool;
	size_t pooled, pool_room;
	bool failed;                   /* no memory */
	unsigned long messages, found; /* that were changed; occurrences of chosen data */
};

void redaction_begin(struct redaction *r, unsigned levels);

/* Data that is to go wherever it is in a message. False for too much of it. */
bool redaction_choose(struct redaction *r, const uint8_t *bytes, size_t len);

/* A traffic_sink; @arg is the redaction. */
void redaction_event(void *arg, const struct event *event);

/* After the last event. */
void redaction_settle(struct redaction *r);

/* The patches of a place: *count of them from the one that is returned on. */
const struct redaction_patch *redaction_find(const struct redaction *r, unsigned long place, size_t *count);

void redaction_end(struct redaction *r);

#endif
