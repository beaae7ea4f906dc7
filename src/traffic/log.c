/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "traffic/log.h"

#include "ccid/message.h"

#include <stdlib.h>

static log_line *const kinds[] = { log_pcscd_line, log_openccid_line, log_gnupg_line, log_digest_line };

static int index_of(const struct log *log, const char *where)
{
	for (unsigned i = 0; i < log->t->readers; i++)
		if (strcmp(log->t->reader[i].where, where) == 0)
			return (int)i;
	return -1;
}

static void where_of(unsigned id, char *where, size_t size)
{
	snprintf(where, size, "reader %06X", id);
}

static int find_or_add(struct log *log, unsigned id)
{
	struct traffic_reader *reader;
	char where[sizeof reader->where];
	int i;

	where_of(id, where, sizeof where);
	i = index_of(log, where);
	if (i >= 0 || !log->t->scanning)
		return i;
	reader = traffic_add_reader(log->t);
	if (!reader)
		return -1;
	memcpy(reader->where, where, sizeof where);
	return (int)log->t->readers - 1;
}

struct traffic_reader *log_reader(struct log *log, unsigned id)
{
	const int i = find_or_add(log, id);

	return i < 0 ? NULL : &log->t->reader[i];
}

static void remember(struct log *log, const uint8_t *bytes, size_t len)
{
	if (len < CCID_HEADER_LEN)
		return;
	log->last_type = bytes[0];
	log->last[0] = bytes[5];
	log->last[1] = bytes[6];
}

void log_tell(struct log *log, unsigned id, enum event_kind kind, size_t len, uint64_t missing, bool hidden)
{
	const struct event e = {
		.kind = kind,
		.us = log->lines.us,
		.timed = log->lines.timed,
		.place = log->lines.number,
		.bytes = log->bytes,
		.len = len,
		.missing = missing,
		.hidden = hidden,
	};
	const int i = find_or_add(log, id);

	if (kind == EVENT_OUT)
		remember(log, log->bytes, len);
	if (i >= 0)
		traffic_tell(log->t, (unsigned)i, &e);
}

void log_close_fields(struct log *log)
{
	struct fields *f = &log->fields;
	struct lines *l = &log->lines;
	const unsigned long number = l->number;
	const uint64_t us = l->us;
	const bool timed = l->timed;

	if (!f->open)
		return;
	f->open = false;
	memcpy(log->bytes, f->bytes, f->len);
	l->number = f->place;
	l->us = f->us;
	l->timed = f->timed;
	log_tell(log, 0, f->out ? EVENT_OUT : EVENT_IN, f->len, 0, false);
	l->number = number;
	l->us = us;
	l->timed = timed;
}

/* A log may name readers that never say anything. */
static void drop_silent(struct traffic *t)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < t->readers; i++) {
		if (t->reader[i].messages == 0)
			continue;
		t->reader[kept] = t->reader[i];
		t->reader[kept].number = kept + 1;
		kept++;
	}
	t->readers = kept;
}

static void read_log(struct traffic *t)
{
	struct log *log = calloc(1, sizeof *log);
	struct span line;

	if (!log) {
		traffic_complain(t, TRAFFIC_FATAL, 0, "there is not enough memory");
		return;
	}
	log->t = t;
	lines_begin(&log->lines, t->file);
	while (lines_next(&log->lines, &line)) {
		lines_clock(&log->lines, &line);
		for (size_t i = 0; i < COUNT(kinds); i++)
			if (kinds[i](log, line))
				break;
	}
	log_close_fields(log);
	if (t->scanning)
		drop_silent(t);
	free(log);
}

const struct traffic_shape traffic_log = { "log", "line", read_log };
