/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A token that is reader and card in one and speaks over the control pipe (USB ICCD rev 1.0, 6, versions A and B). */
#include "reader_priv.h"

#include "base/bytes.h"

#include <string.h>

enum {
	TO_TOKEN = 0x21,
	FROM_TOKEN = 0xA1,
	POWER_ON = 0x62,
	POWER_OFF = 0x63,
	XFR_BLOCK = 0x65,
	DATA_BLOCK = 0x6F,
	SLOT_STATUS = 0x81,
	ICC_STATUS = 0xA0,

	/* GET_ICC_STATUS of version A */
	READY = 0x00,
	DATA_PHASE = 0x10,
	HAS_SW = 0x20,
	BUSY = 0x40,
	MUTE = 0x80,

	/* bResponseType of version B */
	STATUS_FOLLOWS = 0x40,
	POLLING = 0x80,
	FAILED = 0x40,
	DELAY_UNIT_MS = 10,
};

bool sim_is_iccd(const struct sim_reader *r)
{
	return r->id.endpoints < 2;
}

/* The same as the message of this type would do. */
static struct reply do_message(struct sim_reader *r, uint8_t type, uint8_t level, const uint8_t *data,
			       size_t len)
{
	const uint8_t specific[3] = { 0, level, 0 };
	const struct command cmd = {
		.type = type, .specific = specific, .data = data, .len = len, .slot = &r->slots[0]
	};
	const struct sim_fault *fault = sim_fault_for(r, &cmd);
	struct reply reply = { .error = OK };

	r->stats.out[type]++;
	if (fault)
		reply.error = fault->error;
	else
		sim_message_rule(type)->run(r, &cmd, &reply);
	return reply;
}

/* The card of version A falls silent; it needs no XfrBlock to say so. */
static bool a_mute(struct sim_reader *r, const uint8_t *bytes, size_t len)
{
	const struct command cmd = { .type = MSG_XFR_BLOCK, .data = bytes, .len = len, .slot = &r->slots[0] };

	return sim_fault_for(r, &cmd) != NULL;
}

static enum sim_io out_of_place(struct sim_reader *r, const char *what)
{
	sim_reader_violate(r, "%s out of place", what);
	return SIM_STALL;
}

static enum sim_io give(struct sim_reader *r, const uint8_t *bytes, size_t have, uint8_t *data, size_t *len)
{
	if (have > *len)
		sim_reader_violate(r, "wLength is %zu, the answer has %zu bytes", *len, have);
	*len = have < *len ? have : *len;
	if (bytes)
		memcpy(data, bytes, *len);
	return SIM_DONE;
}

/* ---- version A: T=0, its phases as requests ---------------------------------------------------------------------------- */

/* What follows a header or data: an acknowledgement, with or without data behind it, or SW1. */
static void a_listen(struct sim_reader *r, uint8_t ins)
{
	struct iccd *d = &r->iccd;
	struct line line = sim_line_of(r, &r->slots[0]);
	uint8_t byte = 0;

	d->len = 0;
	d->status = MUTE;
	do {
		if (!sim_line_recv(&line, &byte))
			return;
	} while (byte == 0x60);
	d->ready = r->now + line.delay_ms;
	d->status = HAS_SW;
	if (byte == ins) {
		d->status = DATA_PHASE;
		while (d->len < sizeof d->data && sim_line_recv(&line, &d->data[d->len]))
			d->len++;
		return;
	}
	d->data[d->len++] = byte;
	if (!sim_line_recv(&line, &d->data[d->len++]))
		d->status = MUTE;
}

static enum sim_io a_xfr_block(struct sim_reader *r, const uint8_t *bytes, size_t len)
{
	struct iccd *d = &r->iccd;
	struct line line = sim_line_of(r, &r->slots[0]);
	const bool wants_data = d->status == DATA_PHASE && d->len == 0;

	if (!sim_slot_active(&r->slots[0]) || (d->status != READY && !wants_data))
		return out_of_place(r, "XFR_BLOCK");
	if (wants_data ? len != d->header[4] : len != sizeof d->header)
		return out_of_place(r, "XFR_BLOCK with so many bytes is");
	r->stats.out[MSG_XFR_BLOCK]++;
	if (!wants_data && a_mute(r, bytes, len)) {
		d->status = MUTE;
		return SIM_DONE;
	}
	if (!wants_data)
		memcpy(d->header, bytes, len);
	sim_line_send(&line, bytes, len);
	a_listen(r, d->header[1]);
	return SIM_DONE;
}

/* Data, then the two bytes of the status word. */
static enum sim_io a_data_block(struct sim_reader *r, uint8_t *data, size_t *len)
{
	struct iccd *d = &r->iccd;
	const size_t part = d->status == DATA_PHASE && d->len > 2 ? d->len - 2 : d->len;
	enum sim_io io;

	if ((d->status != DATA_PHASE && d->status != HAS_SW) || d->len == 0 || r->now < d->ready)
		return out_of_place(r, "DATA_BLOCK");
	io = give(r, d->data, part, data, len);
	memmove(d->data, d->data + part, d->len - part);
	d->len -= part;
	d->status = d->len ? HAS_SW : READY;
	return io;
}

static enum sim_io a_power_on(struct sim_reader *r, uint8_t *data, size_t *len)
{
	const struct reply reply = do_message(r, MSG_POWER_ON, 0, NULL, 0);

	r->iccd.status = reply.error == OK ? READY : MUTE;
	r->iccd.ready = 0;
	return reply.error == OK ? give(r, reply.data, reply.len, data, len) : SIM_STALL;
}

/* A token is its own card, so without power it is no less ready; one without a card is mute. */
static enum sim_io a_status(struct sim_reader *r, uint8_t *data, size_t *len)
{
	const bool busy = r->now < r->iccd.ready, empty = r->slots[0].card == NULL;
	const uint8_t status = busy ? BUSY : empty ? MUTE : r->iccd.status;

	return give(r, &status, 1, data, len);
}

/* ---- version B: messages as requests ----------------------------------------------------------------------------------- */

static uint8_t slot_status(const struct sim_reader *r)
{
	return (uint8_t)r->slots[0].power;
}

static enum sim_io b_start(struct sim_reader *r, uint8_t type, uint8_t level, const uint8_t *data, size_t len)
{
	struct iccd *d = &r->iccd;
	struct reply reply;
	struct wr w = wr_of(d->answer, sizeof d->answer);

	if (d->answer_len)
		sim_reader_violate(r, "%s before the last answer was read", sim_message_name(type));
	reply = do_message(r, type, level, data, len);
	if (reply.error == OK) {
		wr_u8(&w, reply.extra);
		wr_bytes(&w, reply.data, reply.len);
	} else {
		wr_u8(&w, STATUS_FOLLOWS);
		wr_u8(&w, FAILED | slot_status(r));
		wr_u8(&w, (uint8_t)reply.error);
	}
	d->answer_len = sizeof d->answer - w.left;
	d->ready = r->now + reply.delay_ms;
	return SIM_DONE;
}

static enum sim_io b_data_block(struct sim_reader *r, uint8_t *data, size_t *len)
{
	struct iccd *d = &r->iccd;
	const size_t have = d->answer_len;
	const uint64_t left = d->ready > r->now ? d->ready - r->now : 0;
	const uint64_t units = left / DELAY_UNIT_MS + 1;
	const uint8_t wait[3] = { POLLING, (uint8_t)units, (uint8_t)(units >> 8) };

	if (!have)
		return out_of_place(r, "DATA_BLOCK");
	if (left)
		return give(r, wait, sizeof wait, data, len);
	d->answer_len = 0;
	return give(r, d->answer, have, data, len);
}

static enum sim_io b_slot_status(struct sim_reader *r, uint8_t *data, size_t *len)
{
	const uint8_t bytes[3] = { STATUS_FOLLOWS, slot_status(r), 0 };

	return give(r, bytes, sizeof bytes, data, len);
}

/* ---- both ---------------------------------------------------------------------------------------------------------------- */

static enum sim_io power_off(struct sim_reader *r)
{
	do_message(r, MSG_POWER_OFF, 0, NULL, 0);
	r->iccd.answer_len = r->iccd.len = 0;
	r->iccd.status = READY;
	r->iccd.ready = 0;
	return SIM_DONE;
}

static enum sim_io to_token(struct sim_reader *r, const uint8_t setup[8], const uint8_t *data, size_t len)
{
	const bool b = r->id.class[2] == 2;

	if (setup[1] == POWER_OFF && len == 0)
		return power_off(r);
	if (setup[1] == POWER_ON && len == 0 && b)
		return b_start(r, MSG_POWER_ON, 0, NULL, 0);
	if (setup[1] != XFR_BLOCK || len == 0)
		return out_of_place(r, "this request to the token");
	return b ? b_start(r, MSG_XFR_BLOCK, setup[3], data, len) : a_xfr_block(r, data, len);
}

static enum sim_io from_token(struct sim_reader *r, const uint8_t setup[8], uint8_t *data, size_t *len)
{
	const bool b = r->id.class[2] == 2;

	if (setup[1] == DATA_BLOCK)
		return b ? b_data_block(r, data, len) : a_data_block(r, data, len);
	if (setup[1] == SLOT_STATUS && b)
		return b_slot_status(r, data, len);
	if (setup[1] == POWER_ON && !b)
		return a_power_on(r, data, len);
	if (setup[1] == ICC_STATUS && !b)
		return a_status(r, data, len);
	return out_of_place(r, "this request from the token");
}

enum sim_io sim_iccd_control(struct sim_reader *r, const uint8_t setup[8], uint8_t *data, size_t *len)
{
	sim_record_message(r, setup[0] & 0x80 ? '<' : '>', setup, 8, r->now);
	if (setup[0] == TO_TOKEN)
		return to_token(r, setup, data, *len);
	if (setup[0] == FROM_TOKEN)
		return from_token(r, setup, data, len);
	return out_of_place(r, "a request of this type");
}
