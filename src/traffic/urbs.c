/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "traffic/urbs.h"

#include "base/bytes.h"
#include "ccid/message.h"
#include "ccid/status.h"
#include "traffic/pipes.h"

#include <stdlib.h>

enum {
	IN = 0x80,
	FULL_PACKETS = 64, /* a transfer of whole packets may go on; a shorter one is the last */
	SETUP_LEN = 8,
	REQUEST_CLEAR_FEATURE = 1,
	REQUEST_GET_DESCRIPTOR = 6,
	TYPE_STANDARD_ENDPOINT = 0x02,
	TYPE_STANDARD_DEVICE_IN = 0x80,
	KIND_MASK = 0x7F,
	KIND_CLASS_INTERFACE = 0x21,
};

/* ---- messages ---------------------------------------------------------------------------------------------------- */

static void tell(struct traffic *t, int index, enum event_kind kind, uint64_t us, unsigned long place)
{
	const struct event e = { .kind = kind, .us = us, .timed = true, .place = place };

	traffic_tell(t, (unsigned)index, &e);
}

static void flush(struct traffic *t, int index, struct gathered *g, enum event_kind kind)
{
	struct urb_pipes *p = t->pipes[index];
	const struct event e = {
		.kind = kind,
		.us = g->us,
		.timed = true,
		.place = g->place,
		.bytes = g->bytes,
		.len = g->len,
		.missing = g->missing,
		.piece = g->piece,
		.pieces = g->pieces,
	};

	if (g->len == 0)
		return;
	if (kind == EVENT_OUT)
		p->waiting = true;
	else if (g->len < CCID_HEADER_LEN || ccid_command_status_of(g->bytes[7]) != CCID_TIME_EXTENSION)
		p->waiting = false;
	traffic_tell(t, (unsigned)index, &e);
	g->len = g->pieces = 0;
	g->missing = 0;
}

static bool complete(const struct gathered *g, const struct urb *urb)
{
	return g->missing || urb->len % FULL_PACKETS || urb->len == 0 || g->len < CCID_HEADER_LEN ||
	       g->len >= message_len(g->bytes) + CCID_HEADER_LEN || g->len == sizeof g->bytes ||
	       g->pieces == GATHERED_PIECES;
}

static void gather(struct traffic *t, int index, const struct urb *urb, uint64_t us, unsigned long place)
{
	struct urb_pipes *p = t->pipes[index];
	const bool in = urb->endpoint & IN;
	struct gathered *g = in ? &p->received : &p->sent;
	const size_t room = sizeof g->bytes - g->len;
	const size_t n = urb->len < room ? urb->len : room;

	/* Nobody speaks in the middle of a message of the other. */
	if (in)
		flush(t, index, &p->sent, EVENT_OUT);
	else
		flush(t, index, &p->received, EVENT_IN);
	if (g->len == 0)
		g->place = place;
	if (in || g->len == 0)
		g->us = us;
	if (n)
		memcpy(g->bytes + g->len, urb->data, n);
	g->piece[g->pieces++] = (struct event_piece){ place, urb->at, n };
	g->len += n;
	g->missing += urb->missing + (urb->len - n);
	if (complete(g, urb))
		flush(t, index, g, in ? EVENT_IN : EVENT_OUT);
}

/* ---- bulk and interrupt ------------------------------------------------------------------------------------------ */

static void tell_gone(struct traffic *t, int index, uint64_t us, unsigned long place)
{
	if (!t->pipes[index]->gone)
		tell(t, index, EVENT_GONE, us, place);
	t->pipes[index]->gone = true;
}

/* A transfer that did not end well. What was cancelled while nobody waited means nothing. */
static void tell_failure(struct traffic *t, int index, const struct urb *urb, uint64_t us,
			 unsigned long place)
{
	struct urb_pipes *p = t->pipes[index];

	if (urb->status == URB_CANCELLED && p->waiting)
		tell(t, index, EVENT_TIMEOUT, us, place);
	if (urb->status == URB_STALLED)
		tell(t, index, EVENT_STALL, us, place);
	if (urb->status == URB_FAILED)
		tell(t, index, EVENT_ERROR, us, place);
	if (urb->status == URB_DEVICE_GONE)
		tell_gone(t, index, us, place);
}

static void take_bulk(struct traffic *t, const struct urb *urb, uint64_t us, unsigned long place)
{
	const int index = pipes_of_bulk(t, urb);
	const bool in = urb->endpoint & IN;

	if (index < 0)
		return;
	if (urb->len && urb->back == in)
		gather(t, index, urb, us, place);
	else if (urb->back && in)
		flush(t, index, &t->pipes[index]->received, EVENT_IN);
	if (!urb->back || urb->status == URB_FINE)
		return;
	flush(t, index, &t->pipes[index]->sent, EVENT_OUT);
	flush(t, index, &t->pipes[index]->received, EVENT_IN);
	tell_failure(t, index, urb, us, place);
}

static void take_interrupt(struct traffic *t, const struct urb *urb, uint64_t us, unsigned long place)
{
	const int index = pipes_of_interrupt(t, urb);
	const struct event e = {
		.kind = EVENT_INT,
		.us = us,
		.timed = true,
		.place = place,
		.bytes = urb->data,
		.len = urb->len,
		.missing = urb->missing,
	};

	if (index < 0 || !urb->back)
		return;
	if (urb->len)
		traffic_tell(t, (unsigned)index, &e);
	if (urb->status == URB_DEVICE_GONE)
		tell_gone(t, index, us, place);
}

/* ---- control ----------------------------------------------------------------------------------------------------- */

/* A request and its data, as one row of bytes. */
static void tell_request(struct traffic *t, int index, const struct control *c, const struct urb *urb,
			 uint64_t us, unsigned long place)
{
	const bool in = c->bytes[0] & IN;
	uint8_t bytes[sizeof c->bytes];
	struct event e = { .kind = EVENT_CONTROL, .us = us, .timed = true, .place = place, .bytes = bytes };

	memcpy(bytes, c->bytes, sizeof bytes);
	e.len = in ? SETUP_LEN : c->len;
	e.piece = &c->piece;
	e.pieces = !in;
	if (in) {
		const size_t n = urb->len < sizeof bytes - SETUP_LEN ? urb->len : sizeof bytes - SETUP_LEN;

		if (n)
			memcpy(bytes + SETUP_LEN, urb->data, n);
		e.len += n;
		e.missing = urb->missing + (urb->len - n);
	}
	traffic_tell(t, (unsigned)index, &e);
	if (urb->status == URB_STALLED)
		tell(t, index, EVENT_STALL, us, place);
}

static void complete_control(struct traffic *t, const struct control *c, const struct urb *urb, uint64_t us,
			     unsigned long place)
{
	const uint8_t type = c->bytes[0], request = c->bytes[1];
	int index = -1;

	if (type == TYPE_STANDARD_DEVICE_IN && request == REQUEST_GET_DESCRIPTOR && t->scanning)
		pipes_learn_descriptor(t, urb, c->bytes[3]);
	if ((type & KIND_MASK) == KIND_CLASS_INTERFACE)
		index = pipes_of_interface(t, urb, c->bytes[4]);
	if (index >= 0)
		tell_request(t, index, c, urb, us, place);
	if (type == TYPE_STANDARD_ENDPOINT && request == REQUEST_CLEAR_FEATURE) {
		struct urb pipe = *urb;

		pipe.endpoint = c->bytes[4];
		index = pipes_of_bulk(t, &pipe);
		if (index >= 0)
			tell(t, index, EVENT_CLEAR_HALT, us, place);
	}
}

static struct control *control_of(struct traffic *t, const struct urb *urb)
{
	for (unsigned i = 0; i < COUNT(t->control); i++)
		if (t->control[i].open && t->control[i].id == urb->id &&
		    urb_same_device(t->control[i].device, urb->from))
			return &t->control[i];
	return NULL;
}

static void take_control(struct traffic *t, const struct urb *urb, uint64_t us, unsigned long place)
{
	struct control *c = control_of(t, urb);
	size_t n;

	if (urb->back) {
		if (c) {
			complete_control(t, c, urb, us, place);
			c->open = false;
		}
		return;
	}
	if (!urb->has_setup)
		return;
	if (!c)
		c = &t->control[t->next_control++ % COUNT(t->control)];
	*c = (struct control){ .open = true, .device = urb->from, .id = urb->id };
	c->piece = (struct event_piece){ place, urb->at, urb->len };
	memcpy(c->bytes, urb->setup, SETUP_LEN);
	n = urb->len < sizeof c->bytes - SETUP_LEN ? urb->len : sizeof c->bytes - SETUP_LEN;
	if (n)
		memcpy(c->bytes + SETUP_LEN, urb->data, n);
	c->len = SETUP_LEN + n;
}

/* ---- the calls --------------------------------------------------------------------------------------------------- */

void urbs_take(struct traffic *t, const struct urb *urb, uint64_t us, unsigned long packet)
{
	if (t->scanning)
		pipes_learn(t, urb);
	if (urb->transfer == URB_BULK)
		take_bulk(t, urb, us, packet);
	else if (urb->transfer == URB_INTERRUPT)
		take_interrupt(t, urb, us, packet);
	else if (urb->transfer == URB_CONTROL)
		take_control(t, urb, us, packet);
}

void urbs_end(struct traffic *t)
{
	for (unsigned i = 0; i < t->readers; i++) {
		flush(t, (int)i, &t->pipes[i]->sent, EVENT_OUT);
		flush(t, (int)i, &t->pipes[i]->received, EVENT_IN);
		t->pipes[i]->waiting = t->pipes[i]->gone = false;
	}
	memset(t->control, 0, sizeof t->control);
}

void urbs_settle_readers(struct traffic *t)
{
	bool sure = false;
	unsigned kept = 0;

	for (unsigned i = 0; i < t->readers; i++)
		sure |= t->pipes[i]->described || t->pipes[i]->answered;
	for (unsigned i = 0; i < t->readers; i++) {
		if (sure && !t->pipes[i]->described && !t->pipes[i]->answered) {
			free(t->pipes[i]);
			continue;
		}
		t->reader[kept] = t->reader[i];
		t->pipes[kept] = t->pipes[i];
		t->reader[kept].number = kept + 1;
		pipes_settle(t, kept);
		kept++;
	}
	t->readers = kept;
}
