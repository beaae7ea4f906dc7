/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A capture for programs; openccid(1) describes the fields. */
#include "tool/decode.h"
#include "tool/json.h"

#include <stdlib.h>

static const char *const moods[] = {
	[MOOD_PLAIN] = "plain", [MOOD_GOOD] = "good", [MOOD_ODD] = "odd", [MOOD_BAD] = "bad"
};

void decoding_put_reader(struct json *j, const char *key, const struct traffic_reader *r)
{
	char id[12];

	json_open(j, key, '{');
	json_number(j, "number", r->number);
	json_text(j, "name", decoding_name(r));
	json_text(j, "where", r->where);
	snprintf(id, sizeof id, "%04x:%04x", r->vid, r->pid);
	json_text(j, "id", r->has_id ? id : NULL);
	snprintf(id, sizeof id, "%x.%02x", r->firmware >> 8, r->firmware & 0xFF);
	json_text(j, "firmware", r->has_firmware ? id : NULL);
	json_number(j, "messages", (int64_t)r->messages);
	json_close(j);
}

static void put_findings(struct decoding *d, struct json *j)
{
	struct found found;
	const struct cause *first = causes_first(&d->causes, &found);
	const struct cause *cause;

	json_text(j, "cause", first ? first->id : NULL);
	json_open(j, "findings", '[');
	for (unsigned n = 0; (cause = causes_get(&d->causes, n, &found)); n++) {
		json_open(j, NULL, '{');
		json_text(j, "id", cause->id);
		json_text(j, "mood", moods[cause->mood]);
		json_text(j, "title", cause->title);
		json_text(j, "what", cause->what);
		json_text(j, "help", cause->help);
		json_number(j, "place", (int64_t)found.place);
		json_number(j, "count", (int64_t)found.count);
		json_close(j);
	}
	json_close(j);
}

static void put_summary(struct decoding *d, struct json *j)
{
	const struct summary *s = &d->summary;

	json_open(j, "summary", '{');
	json_number(j, "messages", (int64_t)s->messages);
	json_number(j, "commands", (int64_t)s->commands);
	json_number(j, "apdus", (int64_t)s->apdus);
	json_number(j, "failures", (int64_t)s->failed);
	json_number(j, "timeouts", (int64_t)s->timeouts);
	json_number(j, "extensions", (int64_t)s->extensions);
	json_number(j, "repetitions", (int64_t)s->retries);
	json_number(j, "us", (int64_t)s->us);
	json_number(j, "slowest_us", (int64_t)s->slowest_us);
	json_number(j, "slowest_place", (int64_t)s->slowest_place);
	json_close(j);
}

static void begin(struct decoding *d)
{
	struct json *j = calloc(1, sizeof *j);

	if (!j)
		abort();
	*j = json_of(d->out->stream);
	d->view = j;
	json_open(j, NULL, '{');
	json_text(j, "file", d->file);
	json_text(j, "form", traffic_form(d->traffic));
	json_text(j, "places", traffic_place(d->traffic));
	decoding_put_reader(j, "reader", decoding_reader(d));
	json_open(j, "others", '[');
	for (unsigned i = 0; i < traffic_readers(d->traffic); i++)
		if (i != d->index)
			decoding_put_reader(j, NULL, traffic_reader(d->traffic, i));
	json_close(j);
	put_findings(d, j);
	put_summary(d, j);
	json_open(j, "events", '[');
}

static void row(void *arg, const struct told *told)
{
	struct decoding *d = arg;
	struct json *j = d->view;
	const struct event *e = told->event;

	if (d->brief)
		return;
	json_open_line(j, NULL, '{');
	json_text(j, "kind", event_word(e->kind));
	json_number(j, "place", (int64_t)e->place);
	json_number(j, "us", (int64_t)e->us);
	json_bool(j, "timed", e->timed);
	json_text(j, "name", told->name);
	json_text(j, "mood", moods[told->mood]);
	if (told->words.len)
		json_text(j, "words", told->words.text);
	if (told->card.len)
		json_text(j, "card", told->card.text);
	if (told->waited)
		json_number(j, "wait_us", (int64_t)told->wait_us);
	if (told->retry)
		json_bool(j, "retry", true);
	json_hex(j, "bytes", e->bytes, told->shown < e->len ? told->shown : e->len);
	json_number(j, "length", (int64_t)(e->len + e->missing));
	json_close(j);
}

static void apdu(void *arg, const struct told_apdu *a)
{
	struct decoding *d = arg;
	struct json *j = d->view;

	if (d->brief)
		return;
	json_open_line(j, NULL, '{');
	json_text(j, "kind", "apdu");
	json_number(j, "place", (int64_t)a->place);
	json_number(j, "us", (int64_t)a->us);
	if (a->timed)
		json_number(j, "wait_us", (int64_t)a->wait_us);
	json_text(j, "mood", moods[a->mood]);
	json_text(j, "words", a->words.text);
	json_hex(j, "command", a->command, a->shown);
	json_number(j, "command_length", (int64_t)a->command_len);
	json_hex(j, "response", a->response, a->response_len);
	json_close(j);
}

static void end(struct decoding *d)
{
	struct json *j = d->view;

	json_close(j);
	json_close(j);
	free(j);
}

const struct view view_json = { begin, row, apdu, end };
