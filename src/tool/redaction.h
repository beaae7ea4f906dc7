/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which bytes of a capture are to be replaced: events in, patches out. They wait in a temporary file, so that memory is bounded
 * whatever the capture. What is written to it is what the copy will hold.
 */
#ifndef OPENCCID_TOOL_REDACTION_H
#define OPENCCID_TOOL_REDACTION_H

#include "ccid/redact.h"
#include "traffic/event.h"

#include <stdio.h>
#include <sys/types.h>

enum { REDACTION_DATA_MAX = 256, REDACTION_CHOSEN_MAX = 16, REDACTION_RUNS_MAX = 64 };

/* The new bytes of one event, from the first that is changed to the last. */
struct redaction_patch {
	unsigned long place; /* line, or packet */
	size_t at, len;      /* in a line: bytes of the message; in a packet: of the record */
	size_t whole;        /* bytes of the message; 0 for a packet */
	size_t bytes;        /* where they stand in the pool */
};

/* Patches in the order of their places, one behind the other in the file. */
struct redaction_run {
	off_t at, end;
	struct redaction_patch next; /* the first that was not fetched; only while there is one */
};

struct redaction {
	struct redact redact;
	bool keep_secrets; /* only the chosen data is replaced */
	struct {
		uint8_t bytes[REDACTION_DATA_MAX];
		size_t len;
	} chosen[REDACTION_CHOSEN_MAX];
	unsigned choices;

	FILE *kept;
	struct redaction_run run[REDACTION_RUNS_MAX];
	unsigned runs;
	unsigned long last;            /* the place of the last patch */
	struct redaction_patch *patch; /* those of the place that was asked for last */
	size_t patches, patch_room;
	uint8_t *pool;
	size_t pooled, pool_room;
	const char *failed;            /* why nothing can be said; NULL: it can */
	unsigned long messages, found; /* that were changed; occurrences of chosen data */
};

void redaction_begin(struct redaction *r, unsigned levels);

/* Data that is to go wherever it is in a message. False for too much of it. */
bool redaction_choose(struct redaction *r, const uint8_t *bytes, size_t len);

/* A traffic_sink; @arg is the redaction. */
void redaction_event(void *arg, const struct event *event);

/* After the last event. */
void redaction_settle(struct redaction *r);

/* The patches of a place: *count of them, valid until the next call. Places are asked for in their order. */
const struct redaction_patch *redaction_find(struct redaction *r, unsigned long place, size_t *count);

void redaction_end(struct redaction *r);

#endif
