/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "traffic/pipes.h"

#include "base/bytes.h"
#include "ccid/message.h"
#include "ccid/status.h"

#include <stdlib.h>

enum {
	IN = 0x80,
	DESCRIPTOR_DEVICE = 1,
	DESCRIPTOR_CONFIGURATION = 2,
	DESCRIPTOR_INTERFACE = 4,
	DESCRIPTOR_ENDPOINT = 5,
	CLASS_SMART_CARD = 0x0B,
	CLASS_VENDOR = 0xFF,
	TYPE_BULK = 2,
	TYPE_INTERRUPT = 3,
};

size_t message_len(const uint8_t *message)
{
	struct rd r = rd_of(message + 1, 4);

	return rd_le32(&r);
}

static bool same_device(const struct urb_pipes *p, const struct urb *u)
{
	return p && urb_same_device(p->device, u->from);
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

int pipes_of_bulk(const struct traffic *t, const struct urb *urb)
{
	for (unsigned i = 0; i < t->readers; i++) {
		const struct urb_pipes *p = t->pipes[i];

		if (same_device(p, urb) && urb->endpoint == (urb->endpoint & IN ? p->in : p->out))
			return (int)i;
	}
	return -1;
}

int pipes_of_interrupt(const struct traffic *t, const struct urb *urb)
{
	for (unsigned i = 0; i < t->readers; i++)
		if (same_device(t->pipes[i], urb) && t->pipes[i]->interrupt == urb->endpoint)
			return (int)i;
	return -1;
}

int pipes_of_interface(const struct traffic *t, const struct urb *urb, uint8_t interface)
{
	int any = -1;

	for (unsigned i = 0; i < t->readers; i++) {
		if (!same_device(t->pipes[i], urb))
			continue;
		if (t->reader[i].interface == interface)
			return (int)i;
		any = any < 0 && !t->pipes[i]->described ? (int)i : any;
	}
	return any;
}

/* ---- by what is said --------------------------------------------------------------------------------------------- */

static int add(struct traffic *t, const struct urb *urb)
{
	struct urb_pipes *p = calloc(1, sizeof *p);
	struct traffic_reader *reader = p ? traffic_add_reader(t) : NULL;

	if (!reader) {
		free(p);
		return -1;
	}
	p->device = urb->from;
	t->pipes[t->readers - 1] = p;
	snprintf(reader->where, sizeof reader->where, "bus %u device %u", urb->from.bus, urb->from.device);
	return (int)t->readers - 1;
}

/* A whole command of CCID rev 1.1, 6.1 */
static bool like_a_command(const struct urb *u)
{
	return u->len >= CCID_HEADER_LEN && ccid_reply_type(u->data[0]) &&
	       message_len(u->data) + CCID_HEADER_LEN == u->len + u->missing;
}

static void learn_command(struct traffic *t, const struct urb *urb)
{
	int i = pipes_of_bulk(t, urb);

	if (!like_a_command(urb))
		return;
	if (i < 0)
		i = add(t, urb);
	if (i < 0)
		return;
	t->pipes[i]->out = urb->endpoint;
	t->pipes[i]->type = urb->data[0];
	t->pipes[i]->slot = urb->data[5];
	t->pipes[i]->seq = urb->data[6];
}

static bool answers(const struct urb_pipes *p, const struct urb *u)
{
	return u->len >= CCID_HEADER_LEN && u->data[5] == p->slot && u->data[6] == p->seq &&
	       (u->data[0] == ccid_reply_type(p->type) || u->data[0] == RDR_TO_PC_SLOT_STATUS);
}

static void learn_answer(struct traffic *t, const struct urb *urb)
{
	for (unsigned i = 0; i < t->readers; i++) {
		struct urb_pipes *p = t->pipes[i];

		if (!same_device(p, urb) || !p->type || (p->in && p->in != urb->endpoint) || !answers(p, urb))
			continue;
		p->in = urb->endpoint;
		p->answered = true;
		return;
	}
}

/* A notification of a device that has spoken as a reader. */
static void learn_notification(struct traffic *t, const struct urb *urb)
{
	if (pipes_of_interrupt(t, urb) >= 0 || urb->len < 2 || urb->len > 65 ||
	    (urb->data[0] != RDR_TO_PC_NOTIFY_SLOT_CHANGE && urb->data[0] != RDR_TO_PC_HARDWARE_ERROR))
		return;
	for (unsigned i = 0; i < t->readers; i++)
		if (same_device(t->pipes[i], urb) && !t->pipes[i]->described && !t->pipes[i]->interrupt) {
			t->pipes[i]->interrupt = urb->endpoint;
			return;
		}
	if (t->notifiers == COUNT(t->notifier))
		return;
	t->notifier[t->notifiers].device = urb->from;
	t->notifier[t->notifiers++].endpoint = urb->endpoint;
}

void pipes_settle(struct traffic *t, unsigned index)
{
	struct urb_pipes *p = t->pipes[index];

	if (!p->in)
		p->in = p->perhaps_in;
	for (unsigned i = 0; i < t->notifiers && !p->interrupt && !p->described; i++)
		if (urb_same_device(t->notifier[i].device, p->device))
			p->interrupt = t->notifier[i].endpoint;
}

/* A reader that never answers has an endpoint to be silent on all the same. */
static void note_endpoint(struct traffic *t, const struct urb *urb)
{
	for (unsigned i = 0; i < t->readers; i++)
		if (same_device(t->pipes[i], urb))
			t->pipes[i]->perhaps_in = urb->endpoint;
}

void pipes_learn(struct traffic *t, const struct urb *urb)
{
	if (urb->transfer == URB_BULK && urb->endpoint & IN)
		note_endpoint(t, urb);
	if (urb->transfer == URB_BULK && !urb->back && !(urb->endpoint & IN))
		learn_command(t, urb);
	else if (urb->transfer == URB_BULK && urb->back && urb->endpoint & IN)
		learn_answer(t, urb);
	else if (urb->transfer == URB_INTERRUPT && urb->back && urb->endpoint & IN)
		learn_notification(t, urb);
}

/* ---- by descriptors ---------------------------------------------------------------------------------------------- */

/* One interface of a configuration, as far as it was read. */
struct interface {
	uint8_t number, class, endpoints, out, in, interrupt;
	bool has_ccid;
	uint8_t ccid[CCID_DESCRIPTOR_LEN];
};

/* The same reader may have been learnt before, by what it said. */
static int find_by_endpoint(const struct traffic *t, const struct urb *urb, uint8_t out)
{
	for (unsigned i = 0; i < t->readers; i++)
		if (same_device(t->pipes[i], urb) && t->pipes[i]->out == out)
			return (int)i;
	return -1;
}

static void keep_interface(struct traffic *t, const struct urb *urb, const struct interface *in)
{
	int i = find_by_endpoint(t, urb, in->out);

	/* Half of a pair says that the descriptor was not understood; none at all that it is a token. */
	if (!in->out != !in->in)
		return;
	if (!in->has_ccid || (in->class != CLASS_SMART_CARD && in->class != CLASS_VENDOR))
		return;
	if (i < 0)
		i = add(t, urb);
	if (i < 0)
		return;
	t->pipes[i]->described = true;
	t->pipes[i]->out = in->out;
	t->pipes[i]->in = in->in;
	t->pipes[i]->interrupt = in->interrupt;
	t->reader[i].interface = in->number;
	t->reader[i].endpoints = in->endpoints;
	t->reader[i].class = in->class;
	t->reader[i].has_descriptor = true;
	memcpy(t->reader[i].descriptor, in->ccid, sizeof in->ccid);
}

static void take_endpoint(struct interface *in, struct rd r)
{
	const uint8_t address = rd_u8(&r), kind = rd_u8(&r) & 3;

	if (r.overrun)
		return;
	if (kind == TYPE_BULK && address & IN)
		in->in = address;
	else if (kind == TYPE_BULK)
		in->out = address;
	else if (kind == TYPE_INTERRUPT && address & IN)
		in->interrupt = address;
}

static void take_interface(struct interface *in, struct rd r)
{
	*in = (struct interface){ .number = rd_u8(&r) };
	rd_u8(&r); /* bAlternateSetting */
	in->endpoints = rd_u8(&r);
	in->class = rd_u8(&r);
}

static void take_ccid(struct interface *in, const uint8_t *at, size_t len)
{
	struct ccid_descriptor checked;

	if (in->has_ccid || ccid_descriptor_decode(at, len, &checked) != OC_OK)
		return;
	in->has_ccid = true;
	memcpy(in->ccid, at, sizeof in->ccid);
}

static void learn_configuration(struct traffic *t, const struct urb *urb)
{
	struct interface in = { 0 };
	const uint8_t *at = urb->data;
	size_t left = urb->len;

	/* Each descriptor is at least two bytes long, so this ends. */
	while (left >= 2 && at[0] >= 2 && at[0] <= left) {
		const struct rd body = rd_of(at + 2, at[0] - 2u);

		if (at[1] == DESCRIPTOR_INTERFACE) {
			keep_interface(t, urb, &in);
			take_interface(&in, body);
		} else if (at[1] == DESCRIPTOR_ENDPOINT) {
			take_endpoint(&in, body);
		} else {
			take_ccid(&in, at, at[0]);
		}
		left -= at[0];
		at += at[0];
	}
	keep_interface(t, urb, &in);
}

/* The configuration follows it, and may be cut: so the device is noted as soon as it is a reader, too. */
static void learn_device(struct traffic *t, const struct urb *urb)
{
	struct rd r = rd_of(urb->data, urb->len);
	uint16_t vid, pid, bcd;

	rd_bytes(&r, 8);
	vid = rd_le16(&r);
	pid = rd_le16(&r);
	bcd = rd_le16(&r);
	if (r.overrun)
		return;
	t->last_device = (struct last_device){ urb->from, true, vid, pid, bcd };
}

static void name_readers(struct traffic *t)
{
	const struct last_device *d = &t->last_device;

	for (unsigned i = 0; d->known && i < t->readers; i++) {
		if (!t->pipes[i] || !urb_same_device(t->pipes[i]->device, d->device))
			continue;
		t->reader[i].has_id = t->reader[i].has_firmware = true;
		t->reader[i].vid = d->vid;
		t->reader[i].pid = d->pid;
		t->reader[i].firmware = d->bcd;
	}
}

void pipes_learn_descriptor(struct traffic *t, const struct urb *urb, uint8_t type)
{
	if (type == DESCRIPTOR_DEVICE)
		learn_device(t, urb);
	else if (type == DESCRIPTOR_CONFIGURATION)
		learn_configuration(t, urb);
	name_readers(t);
}
