/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/redaction.h"

#include "base/bytes.h"
#include "ccid/message.h"
#include "tool/words.h"
#include "tpdu/t1.h"
#include "traffic/traffic.h"

#include <stdlib.h>

enum { SETUP_LEN = 8, PROLOGUE = 3, TYPE_TO_HOST = 0x80 };

void redaction_begin(struct redaction *r, unsigned levels)
{
	memset(r, 0, sizeof *r);
	redact_begin(&r->redact, levels);
}

bool redaction_choose(struct redaction *r, const uint8_t *bytes, size_t len)
{
	if (r->choices == REDACTION_CHOSEN_MAX || len == 0 || len > REDACTION_DATA_MAX)
		return false;
	memcpy(r->chosen[r->choices].bytes, bytes, len);
	r->chosen[r->choices++].len = len;
	return true;
}

void redaction_end(struct redaction *r)
{
	if (r->pool)
		bytes_wipe(r->pool, r->pool_room);
	bytes_wipe(r->chosen, sizeof r->chosen);
	free(r->pool);
	free(r->patch);
	if (r->kept)
		fclose(r->kept);
	r->pool = NULL;
	r->patch = NULL;
	r->kept = NULL;
}

/* ---- keeping patches --------------------------------------------------------------------------------------------- */

static const char no_memory[] = "there is not enough memory", no_file[] = "the temporary file cannot be used",
		  no_order[] = "its messages are too much out of order";

/* A patch before the last one begins a run of its own: so each run is in order, and mostly there is one for each reader. */
static bool begin_run(struct redaction *r)
{
	if (r->runs == REDACTION_RUNS_MAX) {
		r->failed = no_order;
		return false;
	}
	r->run[r->runs].at = ftello(r->kept);
	r->runs++;
	return true;
}

static void add(struct redaction *r, struct redaction_patch patch, const uint8_t *bytes)
{
	if (!r->kept)
		r->kept = traffic_temporary();
	if (!r->kept)
		r->failed = no_file;
	if (r->failed || ((r->runs == 0 || patch.place < r->last) && !begin_run(r)))
		return;
	r->last = patch.place;
	if (fwrite(&patch, sizeof patch, 1, r->kept) != 1 ||
	    fwrite(bytes, 1, patch.len, r->kept) != patch.len)
		r->failed = no_file;
	r->run[r->runs - 1].end = ftello(r->kept);
}

/* In a USB capture the bytes from @from to @end stand in one or several packets. */
static void add_pieces(struct redaction *r, const struct event *e, const uint8_t *bytes, size_t from,
		       size_t end)
{
	size_t before = e->kind == EVENT_CONTROL ? SETUP_LEN : 0;

	for (size_t i = 0; i < e->pieces; i++) {
		const struct event_piece *p = &e->piece[i];
		const size_t a = from > before ? from : before;
		const size_t b = end < before + p->len ? end : before + p->len;

		if (a < b)
			add(r,
			    (struct redaction_patch){
				    .place = p->place, .at = p->at + a - before, .len = b - a },
			    bytes + a);
		before += p->len;
	}
}

static void keep(struct redaction *r, const struct event *e, const uint8_t *bytes)
{
	size_t from = 0, end = e->len;

	while (from < end && bytes[from] == e->bytes[from])
		from++;
	while (end > from && bytes[end - 1] == e->bytes[end - 1])
		end--;
	if (from == end)
		return;
	r->messages++;
	if (e->pieces)
		add_pieces(r, e, bytes, from, end);
	else
		add(r,
		    (struct redaction_patch){
			    .place = e->place, .at = from, .len = end - from, .whole = e->len },
		    bytes + from);
}

/* ---- what is replaced -------------------------------------------------------------------------------------------- */

static size_t shown_of(struct redaction *r, const struct event *e)
{
	struct redact_apdu fresh = { 0 };

	switch (e->kind) {
	case EVENT_OUT:
	case EVENT_IN: return redact_message(&r->redact, e->bytes, e->len);
	case EVENT_COMMAND: return redact_command(&fresh, e->bytes, e->len);
	case EVENT_CONTROL: /* tokens get their commands so */
		return e->len >= SETUP_LEN && !(e->bytes[0] & TYPE_TO_HOST) ? SETUP_LEN : e->len;
	case EVENT_RESPONSE:
	case EVENT_INT:
	case EVENT_CLEAR_HALT:
	case EVENT_TIMEOUT:
	case EVENT_STALL:
	case EVENT_ERROR:
	case EVENT_GONE: break;
	}
	return e->len;
}

static void hide_chosen(struct redaction *r, uint8_t *bytes, size_t len, const uint8_t *original)
{
	for (unsigned i = 0; i < r->choices; i++)
		for (size_t at = 0; at + r->chosen[i].len <= len; at++) {
			if (memcmp(original + at, r->chosen[i].bytes, r->chosen[i].len) != 0)
				continue;
			memset(bytes + at, 0, r->chosen[i].len);
			r->found++;
		}
}

/* A block of T=1 whose check bytes were right has right ones again, and its prologue. */
static void mend_block(uint8_t *bytes, const uint8_t *original, size_t len)
{
	struct t1_block b;
	uint16_t edc;

	if (!words_t1_split(original, len, &b))
		return;
	memcpy(bytes, original, PROLOGUE);
	edc = t1_edc(bytes, PROLOGUE + b.len, len == PROLOGUE + b.len + 2);
	if (len == PROLOGUE + b.len + 2)
		bytes[len - 2] = (uint8_t)(edc >> 8);
	bytes[len - 1] = (uint8_t)edc;
}

void redaction_event(void *arg, const struct event *event)
{
	struct redaction *r = arg;
	const bool message = event->kind == EVENT_OUT || event->kind == EVENT_IN;
	const size_t header = message ? CCID_HEADER_LEN : event->kind == EVENT_CONTROL ? SETUP_LEN : 0;
	size_t shown = shown_of(r, event);
	uint8_t *bytes;

	if (event->len <= header)
		return;
	bytes = malloc(event->len);
	if (!bytes) {
		r->failed = no_memory;
		return;
	}
	memcpy(bytes, event->bytes, event->len);
	if (shown < header)
		shown = header;
	if (!r->keep_secrets && shown < event->len)
		memset(bytes + shown, 0, event->len - shown);
	hide_chosen(r, bytes + header, event->len - header, event->bytes + header);
	if (message && memcmp(bytes, event->bytes, event->len) != 0)
		mend_block(bytes + header, event->bytes + header, event->len - header);
	keep(r, event, bytes);
	bytes_wipe(bytes, event->len);
	free(bytes);
}

/* ---- finding them again ------------------------------------------------------------------------------------------ */

static void peek(struct redaction *r, struct redaction_run *run)
{
	if (run->at == run->end)
		return;
	if (fseeko(r->kept, run->at, SEEK_SET) != 0 || fread(&run->next, sizeof run->next, 1, r->kept) != 1) {
		r->failed = no_file;
		run->at = run->end;
	}
}

static bool make_room(struct redaction *r, size_t len)
{
	void *more;

	if (r->patches == r->patch_room) {
		r->patch_room = r->patch_room ? 2 * r->patch_room : 16;
		more = realloc(r->patch, r->patch_room * sizeof *r->patch);
		if (!more)
			return false;
		r->patch = more;
	}
	if (len > r->pool_room - r->pooled) {
		r->pool_room = 2 * (r->pool_room + len);
		more = realloc(r->pool, r->pool_room);
		if (!more)
			return false;
		r->pool = more;
	}
	return true;
}

/* The next patch of a run becomes one of those that are returned. Its bytes stand behind what peek() has read. */
static void fetch(struct redaction *r, struct redaction_run *run)
{
	struct redaction_patch *patch = &run->next;

	if (!make_room(r, patch->len)) {
		r->failed = no_memory;
		return;
	}
	if (fseeko(r->kept, run->at + (off_t)sizeof *patch, SEEK_SET) != 0 ||
	    fread(r->pool + r->pooled, 1, patch->len, r->kept) != patch->len) {
		r->failed = no_file;
		return;
	}
	patch->bytes = r->pooled;
	r->pooled += patch->len;
	r->patch[r->patches++] = *patch;
}

static void pass(struct redaction *r, struct redaction_run *run)
{
	run->at += (off_t)(sizeof run->next + run->next.len);
	peek(r, run);
}

void redaction_settle(struct redaction *r)
{
	for (unsigned i = 0; i < r->runs; i++)
		peek(r, &r->run[i]);
}

const struct redaction_patch *redaction_find(struct redaction *r, unsigned long place, size_t *count)
{
	r->patches = r->pooled = 0;
	for (unsigned i = 0; i < r->runs; i++) {
		struct redaction_run *run = &r->run[i];

		for (; run->at < run->end && !r->failed && run->next.place <= place; pass(r, run))
			if (run->next.place == place)
				fetch(r, run);
	}
	*count = r->patches;
	return r->patch;
}
