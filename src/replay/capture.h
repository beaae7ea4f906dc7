/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A capture: what went between a driver and a reader, as a text file that people can read and correct. The format is
 * described in tests/traces/README.md. This is its parser; src/replay/replay.h plays what it returns.
 */
#ifndef OPENCCID_REPLAY_CAPTURE_H
#define OPENCCID_REPLAY_CAPTURE_H

#include "base/err.h"
#include "ccid/descriptor.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CAPTURE_FILE_MAX = 1 << 20,  /* bytes of a file */
	CAPTURE_BYTES_MAX = 65554,   /* bytes in one line: the longest CCID message */
	CAPTURE_BEFORE_MAX = 8,      /* "before" lines */
	CAPTURE_ERRORS_MAX = 20,     /* errors reported for one file */
	CAPTURE_WITHIN_MS = 10000,   /* virtual time that a capture may take if it does not say */
	CAPTURE_WAIT_MAX = 600000,   /* milliseconds of one wait */
	CAPTURE_PADDING_MAX = 65536, /* bytes of one "padding" line */
};

/* What is known of a byte. */
enum capture_mark {
	CAPTURE_EVIDENCE, /* 6F   it was seen on the wire */
	CAPTURE_FILLED, /* [6F] a plausible value that nobody saw: sent to the driver, but not asked of it */
	CAPTURE_ANY,    /* ..   not known, and not needed */
};

/* Bytes and their marks; both point into the capture. */
struct capture_bytes {
	uint8_t *value;
	uint8_t *mark; /* enum capture_mark */
	size_t len;
};

enum capture_kind {
	CAPTURE_DO,         /* what the application asks for */
	CAPTURE_EXPECT,     /* how that has to end */
	CAPTURE_OUT,        /* bulk-OUT message */
	CAPTURE_IN,         /* bulk-IN transfer */
	CAPTURE_INT,        /* interrupt-IN transfer */
	CAPTURE_TIMEOUT,    /* nothing on bulk-IN until the driver gives up */
	CAPTURE_PADDING,    /* more bytes 00 behind the bulk-IN transfer of the line before */
	CAPTURE_CONTROL,    /* control request: eight bytes of setup, then data */
	CAPTURE_CLEAR_HALT, /* the driver clears the halt of the bulk pipes */
	CAPTURE_MISSING,    /* messages that the log leaves out: their sequence numbers are skipped */
};

/* What the application asks for; the names are those of the calls in slot/reader.h. */
enum capture_action {
	CAPTURE_OPEN,
	CAPTURE_POWER_UP,
	CAPTURE_POWER_DOWN,
	CAPTURE_PROTOCOL,
	CAPTURE_TRANSMIT,
	CAPTURE_ESCAPE,
	CAPTURE_VERIFY, /* a PIN is typed at the reader; the bytes are the structure of PC/SC part 10 */
	CAPTURE_MODIFY,
	CAPTURE_PRESENCE,
	CAPTURE_WAIT_EVENT,
};

/* How an action ends beside its result code. */
enum capture_end {
	CAPTURE_END_PLAIN, /* nothing more to compare */
	CAPTURE_END_BYTES, /* ATR or response APDU */
	CAPTURE_END_ABSENT,
	CAPTURE_END_PRESENT,
	CAPTURE_END_QUIET, /* the wait took its whole time */
	CAPTURE_END_EVENT, /* the wait ended early */
};

enum { CAPTURE_ROOM_PLENTY = 0 };

struct capture_step {
	enum capture_kind kind;
	unsigned line;
	bool made;    /* by us, under a "differs": no evidence */
	bool skipped; /* evidence of what today's driver never causes */
	bool timed;   /* us is known */
	uint32_t us;  /* since the line before */
	struct capture_bytes bytes;

	enum capture_action action; /* CAPTURE_DO */
	uint32_t number;            /* protocol, milliseconds, room, bytes of padding, missing messages */
	enum oc_err result;         /* CAPTURE_EXPECT */
	enum capture_end end;
	bool stalls; /* CAPTURE_CONTROL: the reader refuses it */
};

struct capture {
	const char *file; /* as given */
	struct span name, source, origin, about;

	/* The reader: an id to look up, or a descriptor, or both (then the descriptor counts) */
	bool has_id, has_descriptor, has_firmware, has_interface, has_level;
	uint16_t vid, pid, firmware;
	uint8_t interface, endpoints;
	uint8_t descriptor[CCID_DESCRIPTOR_LEN];
	enum ccid_level level; /* instead of what the descriptor says */

	uint32_t within_ms;
	struct capture_step
		before[CAPTURE_BEFORE_MAX]; /* CAPTURE_DO: the state that the fragment begins in */
	unsigned befores;
	struct capture_step *step;
	size_t steps;

	/* Where the bytes of all steps and the texts above stand */
	uint8_t *values, *marks;
	size_t used;
	char *text;
};

/* Take one error: a sentence for the person who wrote the file. @line is 0 where the whole file is meant. */
typedef void capture_error(void *arg, const char *file, unsigned line, const char *sentence);

/**
 * capture_parse - read a capture that is already in memory
 * @file: its name, for messages; must outlive the capture
 * @text, @len: its bytes; any content is safe
 * @error, @arg: told of every error, at most CAPTURE_ERRORS_MAX of them
 *
 * Memory and time are proportional to @len. Returns NULL if there was any error; otherwise the caller frees the capture
 * with capture_free().
 */
struct capture *capture_parse(const char *file, const char *text, size_t len, capture_error *error,
			      void *arg);

/* The same for a file on disk of at most CAPTURE_FILE_MAX bytes; one that cannot be read is one error. */
struct capture *capture_load(const char *path, capture_error *error, void *arg);

void capture_free(struct capture *capture);

/* The word that the format has for it; never NULL. */
const char *capture_kind_word(enum capture_kind kind);
const char *capture_action_word(enum capture_action action);
const char *capture_result_word(enum oc_err err);

#endif
