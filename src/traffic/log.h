/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Logs as text. Each kind of log knows its own lines and leaves the others alone, so that a file may be a mixture. For the files
 * of this folder.
 */
#ifndef OPENCCID_TRAFFIC_LOG_H
#define OPENCCID_TRAFFIC_LOG_H

#include "traffic/inside.h"
#include "traffic/lines.h"

/* A message that a log writes field by field. */
struct fields {
	bool open, out;
	uint8_t bytes[EVENT_ROOM];
	size_t len;
	unsigned long place;
	uint64_t us;
	bool timed;
};

struct log {
	struct traffic *t;
	struct lines lines;
	struct fields fields;
	uint8_t bytes[EVENT_ROOM];
	uint8_t last
		[2]; /* bSlot and bSeq of the last command, for logs that do not write those of the answer */
	uint8_t last_type;
	uint64_t waited; /* a "sent, waited" time that the line itself tells */
};

/* Does this line belong to this kind of log? Then it was used. */
typedef bool log_line(struct log *log, struct span line);

log_line log_pcscd_line, log_openccid_line, log_gnupg_line, log_digest_line;

/* One event of the reader that the log calls @id; @len bytes of log->bytes. */
void log_tell(struct log *log, unsigned id, enum event_kind kind, size_t len, uint64_t missing, bool hidden);

/* The same reader; while scanning it may be a new one. NULL if there are too many. */
struct traffic_reader *log_reader(struct log *log, unsigned id);

/* End a message that was written field by field. */
void log_close_fields(struct log *log);

#endif
