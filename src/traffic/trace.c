/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text form of tests/traces. What was made by us is no event; what today's driver would not cause is one. */
#include "base/span.h"
#include "replay/capture.h"
#include "traffic/inside.h"

#include <stdlib.h>

static void on_error(void *arg, const char *file, unsigned line, const char *sentence)
{
	struct traffic *t = arg;

	(void)file;
	traffic_complain(t, TRAFFIC_FATAL, line, "%s", sentence);
}

static void take_header(struct traffic *t, const struct capture *c)
{
	struct traffic_reader *reader = traffic_add_reader(t);

	if (!reader)
		return;
	snprintf(reader->name, sizeof reader->name, "%.*s", c->name.len < 79 ? (int)c->name.len : 79,
		 c->name.at);
	reader->has_id = c->has_id;
	reader->vid = c->vid;
	reader->pid = c->pid;
	reader->has_firmware = c->has_firmware;
	reader->firmware = c->firmware;
	reader->interface = c->interface;
	reader->endpoints = c->endpoints;
	reader->has_descriptor = c->has_descriptor;
	memcpy(reader->descriptor, c->descriptor, sizeof reader->descriptor);
	reader->has_level = c->has_level;
	reader->level = c->level;
}

static const struct {
	enum capture_kind step;
	enum event_kind event;
} kinds[] = {
	{ CAPTURE_OUT, EVENT_OUT },         { CAPTURE_IN, EVENT_IN },
	{ CAPTURE_INT, EVENT_INT },         { CAPTURE_TIMEOUT, EVENT_TIMEOUT },
	{ CAPTURE_CONTROL, EVENT_CONTROL }, { CAPTURE_CLEAR_HALT, EVENT_CLEAR_HALT },
};

static void tell_step(struct traffic *t, const struct capture_step *step, uint64_t us)
{
	struct event e = {
		.us = us,
		.timed = step->timed,
		.place = step->line,
		.bytes = step->bytes.value,
		.len = step->bytes.len,
	};

	if (step->kind == CAPTURE_DO && step->action == CAPTURE_TRANSMIT) {
		e.kind = EVENT_COMMAND;
		traffic_tell(t, 0, &e);
		return;
	}
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (kinds[i].step != step->kind)
			continue;
		e.kind = kinds[i].event;
		traffic_tell(t, 0, &e);
	}
	if (step->kind == CAPTURE_CONTROL && step->stalls) {
		e.kind = EVENT_STALL;
		e.len = 0;
		traffic_tell(t, 0, &e);
	}
}

static void tell_all(struct traffic *t, const struct capture *c)
{
	uint64_t us = 0;

	if (t->scanning)
		take_header(t, c);
	for (size_t i = 0; i < c->steps; i++) {
		if (c->step[i].made && !t->made_too)
			continue;
		us += c->step[i].timed ? c->step[i].us : 0;
		tell_step(t, &c->step[i], us);
	}
}

static void read_trace(struct traffic *t)
{
	char *text = malloc(CAPTURE_FILE_MAX + 1);
	struct capture *c = NULL;
	size_t len;

	if (!text) {
		traffic_complain(t, TRAFFIC_FATAL, 0, "there is not enough memory");
		return;
	}
	rewind(t->file);
	len = fread(text, 1, CAPTURE_FILE_MAX + 1, t->file);
	if (len > CAPTURE_FILE_MAX)
		traffic_complain(t, TRAFFIC_FATAL, 0, "this form has at most %d bytes", CAPTURE_FILE_MAX);
	else
		c = capture_parse(t->name, text, len, on_error, t);
	if (c)
		tell_all(t, c);
	if (c)
		capture_free(c);
	free(text);
}

const struct traffic_shape traffic_trace = { "trace", "line", read_trace };
