/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ccid/iccd.h"

#include "base/bytes.h"
#include "ccid/message.h"
#include "ccid/status.h"

#include <stdlib.h>

enum {
	/* ICCD, 6: class requests */
	TO_TOKEN = 0x21,
	FROM_TOKEN = 0xA1,
	REQ_POWER_ON = 0x62,
	REQ_POWER_OFF = 0x63,
	REQ_XFR_BLOCK = 0x65,
	REQ_DATA_BLOCK = 0x6F,
	REQ_SLOT_STATUS = 0x81, /* version B */
	REQ_ICC_STATUS = 0xA0,  /* version A */

	/* Version A: GET_ICC_STATUS */
	A_READY = 0x00,
	A_DATA = 0x10,
	A_SW = 0x20,
	A_BUSY = 0x40,
	A_MUTE = 0x80,

	/* Version B: bResponseType */
	B_COMPLETE = 0x00,
	B_LAST_CHAIN = 0x10,
	B_STATUS = 0x40,
	B_POLLING = 0x80,

	CONTROL_MS = 2000,
	POLL_MS = 10,
	LONGEST_POLL_MS = 1000,
	DELAY_UNIT_MS = 10,
	CONTROL_MAX = 4096, /* what Linux takes in one control transfer */
	FAILED = CCID_FAILED << 6,
};

struct iccd {
	struct transport base;
	struct transport *bus;
	enum iccd_version version;
	uint8_t interface;

	/* The command that runs, and where its answer goes */
	struct ccid_command command;
	uint8_t seq;
	bool pending;
	const uint8_t *payload;
	uint8_t *in;
	size_t cap;
	uint8_t buffer[CONTROL_MAX];
};

static struct iccd *of(struct transport *t)
{
	return (struct iccd *)(void *)t;
}

/* ---- control requests -------------------------------------------------------------------------------------------- */

static enum oc_err request(struct iccd *d, uint8_t type, uint8_t req, uint16_t value, uint8_t *data,
			   size_t *len)
{
	const struct transport_setup setup = {
		.request_type = type,
		.request = req,
		.value = value,
		.index = d->interface,
	};

	return d->bus->ops->control(d->bus, &setup, data, len, CONTROL_MS);
}

static enum oc_err put(struct iccd *d, uint8_t req, uint16_t value, const uint8_t *bytes, size_t len)
{
	size_t sent = len;
	enum oc_err err;

	if (len > sizeof d->buffer)
		return OC_E_SPACE;
	if (len)
		memcpy(d->buffer, bytes, len);
	err = request(d, TO_TOKEN, req, value, d->buffer, &sent);
	bytes_wipe(d->buffer, len);
	return err == OC_OK && sent != len ? OC_E_IO : err;
}

static enum oc_err get(struct iccd *d, uint8_t req, size_t *len)
{
	const size_t most = *len;
	const enum oc_err err = request(d, FROM_TOKEN, req, 0, d->buffer, len);

	return err == OC_OK && *len > most ? OC_E_LENGTH : err;
}

/* ---- answers, as a reader would give them ------------------------------------------------------------------------ */

static enum oc_err answer(struct iccd *d, uint8_t status, uint8_t error, uint8_t specific,
			  const uint8_t *data, size_t data_len, size_t *len)
{
	struct wr w = wr_of(d->in, d->cap);

	wr_u8(&w, ccid_reply_type(d->command.type));
	wr_le32(&w, (uint32_t)data_len);
	wr_u8(&w, d->command.slot);
	wr_u8(&w, d->seq);
	wr_u8(&w, status);
	wr_u8(&w, error);
	wr_u8(&w, specific);
	wr_bytes(&w, data, data_len);
	*len = d->cap - w.left;
	d->pending = false;
	return w.overrun ? OC_E_SPACE : OC_OK;
}

static enum oc_err refuse(struct iccd *d, uint8_t error, size_t *len)
{
	return answer(d, FAILED | CCID_ICC_ACTIVE, error, 0, NULL, 0, len);
}

/* Sleep before asking again; OC_E_TIMEOUT when the caller's time is over. */
static enum oc_err wait_a_little(struct iccd *d, unsigned ms, uint64_t until)
{
	const uint64_t now = d->bus->ops->now(d->bus);
	const unsigned span = ms > LONGEST_POLL_MS ? LONGEST_POLL_MS : ms;

	if (now + span >= until)
		return OC_E_TIMEOUT;
	d->bus->ops->pause(d->bus, span);
	return OC_OK;
}

/* ---- version A: T=0 over the control pipe ------------------------------------------------------------------------ */

/* Ask until the token is no longer busy. */
static enum oc_err a_status(struct iccd *d, uint64_t until, uint8_t *status)
{
	for (;;) {
		size_t len = 1;
		enum oc_err err = get(d, REQ_ICC_STATUS, &len);

		if (err == OC_OK && len != 1)
			err = OC_E_SHORT;
		if (err != OC_OK)
			return err;
		*status = d->buffer[0];
		if ((*status & 0xF0) != A_BUSY)
			return OC_OK;
		err = wait_a_little(d, POLL_MS, until);
		if (err != OC_OK)
			return err;
	}
}

/* The data of a TPDU, towards the card or from it; *got bytes stand in the answer's place. */
static enum oc_err a_data(struct iccd *d, uint8_t *data, size_t *got)
{
	const size_t header = 5;
	size_t len;
	enum oc_err err;

	if (d->command.len < header)
		return OC_E_ANSWER; /* case 1 has no data */
	if (d->command.len > header)
		return put(d, REQ_XFR_BLOCK, 0, d->payload + header, d->command.len - header);
	len = d->payload[4] ? d->payload[4] : 256;
	err = get(d, REQ_DATA_BLOCK, &len);
	if (err != OC_OK)
		return err;
	memcpy(data, d->buffer, len);
	*got = len;
	return OC_OK;
}

static enum oc_err a_transfer(struct iccd *d, uint64_t until, size_t *len)
{
	uint8_t data[256 + 2], status;
	size_t got = 0, sw = 2;
	enum oc_err err = a_status(d, until, &status);

	if (err == OC_OK && status == A_DATA) {
		err = a_data(d, data, &got);
		if (err == OC_OK)
			err = a_status(d, until, &status);
	}
	if (err != OC_OK)
		return err;
	if (status == A_MUTE)
		return refuse(d, CCID_ICC_MUTE, len);
	if (status != A_SW)
		return OC_E_ANSWER;
	err = get(d, REQ_DATA_BLOCK, &sw);
	if (err != OC_OK || sw != 2)
		return err != OC_OK ? err : OC_E_SHORT;
	memcpy(data + got, d->buffer, 2);
	err = answer(d, CCID_ICC_ACTIVE, 0, 0, data, got + 2, len);
	bytes_wipe(data, got + 2);
	return err;
}

static enum oc_err a_collect(struct iccd *d, uint64_t until, size_t *len)
{
	uint8_t status;
	enum oc_err err;

	if (d->command.type == PC_TO_RDR_XFR_BLOCK)
		return a_transfer(d, until, len);
	if (d->command.type == PC_TO_RDR_ICC_POWER_ON) {
		size_t atr = 64;

		err = get(d, REQ_POWER_ON, &atr);
		return err == OC_OK ? answer(d, CCID_ICC_ACTIVE, 0, 0, d->buffer, atr, len) : err;
	}
	if (d->command.type == PC_TO_RDR_ICC_POWER_OFF)
		return answer(d, CCID_ICC_INACTIVE, 0, 0, NULL, 0, len);
	err = a_status(d, until, &status);
	/* A card that is mute has not lost its power. */
	return err == OC_OK ? answer(d, CCID_ICC_ACTIVE, 0, 0, NULL, 0, len) : err;
}

static enum oc_err a_start(struct iccd *d)
{
	const size_t header = 5;
	uint8_t tpdu[5] = { 0 };

	if (d->command.type == PC_TO_RDR_ICC_POWER_OFF)
		return put(d, REQ_POWER_OFF, 0, NULL, 0);
	if (d->command.type != PC_TO_RDR_XFR_BLOCK)
		return OC_OK;
	if (d->command.len < header - 1)
		return OC_E_LENGTH;
	memcpy(tpdu, d->payload, d->command.len < header ? d->command.len : header);
	return put(d, REQ_XFR_BLOCK, 0, tpdu, sizeof tpdu);
}

/* ---- version B: APDUs over the control pipe ---------------------------------------------------------------------- */

static enum oc_err b_slot_status(struct iccd *d, size_t *len)
{
	size_t got = 3;
	const enum oc_err err = get(d, REQ_SLOT_STATUS, &got);

	if (err != OC_OK || got != 3)
		return err != OC_OK ? err : OC_E_SHORT;
	return answer(d, d->buffer[1], d->buffer[2], 0, NULL, 0, len);
}

/* One DATA_BLOCK of the token; *again if it asks to be asked later. */
static enum oc_err b_data_block(struct iccd *d, size_t got, uint64_t until, size_t *len, bool *again)
{
	struct rd r = rd_of(d->buffer, got);
	const uint8_t type = rd_u8(&r);
	uint8_t status, error;

	*again = false;
	if (r.overrun)
		return OC_E_SHORT;
	if (type <= 0x03 || type == B_LAST_CHAIN)
		return answer(d, CCID_ICC_ACTIVE, 0, type, r.at, r.left, len);
	if (type == B_POLLING) {
		const unsigned delay = rd_le16(&r) * DELAY_UNIT_MS;

		*again = !r.overrun;
		return r.overrun ? OC_E_SHORT : wait_a_little(d, delay ? delay : POLL_MS, until);
	}
	if (type != B_STATUS)
		return OC_E_ANSWER;
	status = rd_u8(&r);
	error = rd_u8(&r);
	return r.overrun ? OC_E_SHORT : answer(d, status, error, 0, NULL, 0, len);
}

static enum oc_err b_collect(struct iccd *d, uint64_t until, size_t *len)
{
	bool again = true;
	enum oc_err err = OC_OK;

	if (d->command.type != PC_TO_RDR_XFR_BLOCK && d->command.type != PC_TO_RDR_ICC_POWER_ON)
		return b_slot_status(d, len);
	while (err == OC_OK && again) {
		size_t got = sizeof d->buffer;

		err = get(d, REQ_DATA_BLOCK, &got);
		if (err == OC_OK)
			err = b_data_block(d, got, until, len, &again);
	}
	return err;
}

static enum oc_err b_start(struct iccd *d)
{
	if (d->command.type == PC_TO_RDR_ICC_POWER_ON)
		return put(d, REQ_POWER_ON, 1, NULL, 0);
	if (d->command.type == PC_TO_RDR_ICC_POWER_OFF)
		return put(d, REQ_POWER_OFF, 0, NULL, 0);
	if (d->command.type == PC_TO_RDR_XFR_BLOCK)
		return put(d, REQ_XFR_BLOCK, (uint16_t)(d->command.specific[1] << 8), d->payload,
			   d->command.len);
	return OC_OK;
}

/* ---- the transport ----------------------------------------------------------------------------------------------- */

static bool is_known(uint8_t type)
{
	return type == PC_TO_RDR_XFR_BLOCK || type == PC_TO_RDR_ICC_POWER_ON ||
	       type == PC_TO_RDR_ICC_POWER_OFF || type == PC_TO_RDR_GET_SLOT_STATUS;
}

static enum oc_err iccd_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
			     unsigned ms)
{
	struct iccd *d = of(t);
	struct rd r = rd_of(out, len);

	(void)ms;
	d->command.type = rd_u8(&r);
	d->command.len = rd_le32(&r);
	d->command.slot = rd_u8(&r);
	d->seq = rd_u8(&r);
	for (size_t i = 0; i < sizeof d->command.specific; i++)
		d->command.specific[i] = rd_u8(&r);
	d->payload = rd_bytes(&r, d->command.len);
	if (r.overrun)
		return OC_E_LENGTH;
	d->in = in;
	d->cap = cap;
	d->pending = true;
	if (!is_known(d->command.type))
		return OC_OK;
	return d->version == ICCD_A ? a_start(d) : b_start(d);
}

static enum oc_err iccd_recv(struct transport *t, size_t *len, unsigned ms)
{
	struct iccd *d = of(t);
	const uint64_t until = d->bus->ops->now(d->bus) + ms;
	enum oc_err err;

	*len = 0;
	if (!d->pending)
		return OC_E_TIMEOUT;
	if (!is_known(d->command.type))
		return refuse(d, CCID_CMD_NOT_SUPPORTED, len);
	err = d->version == ICCD_A ? a_collect(d, until, len) : b_collect(d, until, len);
	bytes_wipe(d->buffer, sizeof d->buffer);
	return err;
}

/* There is no ABORT on a token (ICCD, 6). */
static enum oc_err iccd_control(struct transport *t, const struct transport_setup *setup, uint8_t *data,
				size_t *len, unsigned ms)
{
	(void)t;
	(void)setup;
	(void)data;
	(void)ms;
	*len = 0;
	return OC_E_STALL;
}

static enum oc_err iccd_clear_halt(struct transport *t)
{
	of(t)->pending = false;
	return OC_OK;
}

static enum oc_err iccd_clear_interrupt(struct transport *t)
{
	return of(t)->bus->ops->clear_interrupt(of(t)->bus);
}

static enum oc_err iccd_interrupt(struct transport *t, uint8_t *buf, size_t cap, size_t *len, unsigned ms)
{
	return of(t)->bus->ops->interrupt(of(t)->bus, buf, cap, len, ms);
}

static unsigned iccd_restarts(struct transport *t)
{
	struct transport *bus = of(t)->bus;

	return bus->ops->restarts ? bus->ops->restarts(bus) : 0;
}

static void iccd_wake(struct transport *t)
{
	of(t)->bus->ops->wake(of(t)->bus);
}

static void iccd_gone(struct transport *t)
{
	of(t)->bus->ops->gone(of(t)->bus);
}

static uint64_t iccd_now(struct transport *t)
{
	return of(t)->bus->ops->now(of(t)->bus);
}

static void iccd_pause(struct transport *t, unsigned ms)
{
	of(t)->bus->ops->pause(of(t)->bus, ms);
}

static void iccd_close(struct transport *t)
{
	struct iccd *d = of(t);

	d->bus->ops->close(d->bus);
	bytes_wipe(d->buffer, sizeof d->buffer);
	free(d);
}

static const struct transport_ops iccd_ops = {
	.send = iccd_send,
	.recv = iccd_recv,
	.control = iccd_control,
	.clear_halt = iccd_clear_halt,
	.restarts = iccd_restarts,
	.clear_interrupt = iccd_clear_interrupt,
	.interrupt = iccd_interrupt,
	.wake = iccd_wake,
	.gone = iccd_gone,
	.now = iccd_now,
	.pause = iccd_pause,
	.close = iccd_close,
};

enum oc_err iccd_wrap(struct transport *bus, enum iccd_version version, uint8_t interface,
		      struct transport **out)
{
	struct iccd *d = calloc(1, sizeof *d);

	if (!d)
		return OC_E_MEMORY;
	d->base.ops = &iccd_ops;
	d->bus = bus;
	d->version = version;
	d->interface = interface;
	*out = (struct transport *)d;
	return OC_OK;
}
