/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A capture as a story: what each message says, which command an answer belongs to, what the card got and said, and what went
 * wrong. Events go in, rows for people and programs come out; memory is bounded.
 */
#ifndef OPENCCID_TOOL_STORY_H
#define OPENCCID_TOOL_STORY_H

#include "ccid/message.h"
#include "ccid/redact.h"
#include "tool/words.h"
#include "traffic/event.h"

enum mood { MOOD_PLAIN, MOOD_GOOD, MOOD_ODD, MOOD_BAD };

/* How a command ended. */
enum outcome {
	OUTCOME_OPEN,
	OUTCOME_DONE,
	OUTCOME_REFUSED, /* bmCommandStatus says failed */
	OUTCOME_SILENT,  /* the host gave up */
	OUTCOME_BROKEN,  /* what came is no message */
	OUTCOME_FAILED,  /* the bus, or the reader is gone */
};

/* One command and its answer. */
struct exchange {
	uint8_t type, slot, seq;
	uint8_t specific[3];
	const uint8_t *payload;
	size_t len;  /* bytes of payload that are known */
	bool hidden; /* the log leaves the payload out */
	unsigned long place;
	uint64_t us;
	bool timed; /* every event since is */
	unsigned extensions;
	enum outcome outcome;
	bool answered; /* reply is there: */
	struct ccid_reply reply;
	uint64_t wait_us;
	bool retry; /* the same as the one before, which had failed */
};

enum card_protocol { CARD_UNKNOWN, CARD_T0, CARD_T1, CARD_APDU };

/* An APDU that is put together out of blocks. */
struct assembled {
	uint8_t command[EVENT_BYTES_MAX], response[EVENT_BYTES_MAX];
	size_t command_len, response_len;
	size_t shown;  /* bytes of the command that may be shown */
	size_t before; /* command_len before the last block, response_len: before_response */
	size_t before_response;
	bool open, more_out; /* T=1: the last I-block of the host says that more follows */
	bool more_in;
	uint8_t ns_out, ns_in; /* of the last I-blocks; FFh: none */
	bool hidden;           /* parts are left out of the log */
	bool fetching;         /* 61xx: GET RESPONSE may go on with it */
	unsigned long place;
	uint64_t us;
	unsigned blocks;
};

/* One row: an event, explained. Strings are valid during the call. */
struct told {
	const struct event *event;
	const char *name; /* "XfrBlock"; or what it is */
	enum mood mood;
	struct words words; /* what it means for reader and command; may be empty */
	struct words card;  /* what it carries for the card; may be empty */
	bool waited;        /* an answer, wait_us after its command */
	uint64_t wait_us;
	bool retry;
	size_t shown; /* bytes of the event that may be shown */
	bool begins;  /* the first message of an APDU, or of something else */
};

/* One APDU, complete with its answer. */
struct told_apdu {
	const uint8_t *command, *response;
	size_t command_len, response_len, shown;
	bool hidden;
	enum mood mood;
	struct words words; /* "SELECT, 2 bytes of data: 90 00: done" */
	unsigned long place;
	uint64_t us, wait_us;
	bool timed;
	unsigned blocks;
};

struct story_sink {
	void (*row)(void *arg, const struct told *told);
	void (*apdu)(void *arg, const struct told_apdu *apdu); /* follows the row that completes it */
	void (*ended)(void *arg, const struct exchange *x);    /* a command has come to its end */
	void *arg;
};

struct summary {
	unsigned long messages, commands, apdus, failed, timeouts, extensions, retries;
	uint64_t us; /* from the first to the last event */
	bool timed;
	uint64_t slowest_us;
	unsigned long slowest_place;
	uint8_t slowest_type;
};

struct story {
	struct story_sink sink;
	bool secrets; /* show everything */
	struct redact redact;
	enum ccid_level level;
	bool level_known;
	enum card_protocol protocol;
	bool heard; /* the reader has ever answered */
	bool powered_well;
	bool present_told, present; /* by the last notification */
	unsigned t1_errors;         /* R-blocks with an error in a row */
	unsigned ifs_refused;
	uint8_t last_type;
	struct exchange x;
	uint8_t sent[EVENT_ROOM]; /* payload of x */
	uint8_t previous[64];     /* the command before, for retries */
	size_t previous_len;
	bool previous_failed;
	struct assembled apdu;
	struct summary summary;
};

/* Begin with a reader; @story is large, so it lives on the heap. */
void story_begin(struct story *story, const struct traffic_reader *reader, bool secrets,
		 const struct story_sink *sink);

/* A traffic_sink; @arg is the story. */
void story_event(void *arg, const struct event *event);

void story_end(struct story *story);

/* ---- story_card.c, for story.c: what the payload means for the card ----------------------------------------------- */

/* A block for the card; @shown of it may be shown. Fills told->card. */
void story_to_card(struct story *s, const uint8_t *block, size_t len, size_t shown, struct told *told);

/* A block of the card. True if the APDU is complete, which is in *apdu then. */
bool story_from_card(struct story *s, const struct exchange *x, struct told *told, struct told_apdu *apdu);

/* The command will get no answer any more, or the card was started anew. */
void story_drop_apdu(struct story *s);

#endif
