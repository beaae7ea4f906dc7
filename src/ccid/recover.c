/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ccid/recover.h"

#include "ccid/status.h"

enum {
	REQUEST_ABORT = 0x01, /* CCID rev 1.1, 5.3.1 */
	TYPE_CLASS_OUT = 0x21,
	CONTROL_MS = 300,
	ABORT_MS = 600,
	STATUS_MS = 600,
	RESYNC_MS = 100, /* for each half of an ABORT at open */
	MAX_DRAINED = 64,
};

/* Read until the SlotStatus that answers this command, dropping everything else; *reply is that one on OC_OK. */
static enum oc_err await_status(struct ccid_port *port, uint8_t slot, uint8_t seq, uint64_t until,
				struct ccid_reply *reply)
{
	struct transport *t = port->transport;
	enum oc_err err = OC_OK;

	for (unsigned i = 0; err == OC_OK && i < MAX_DRAINED; i++) {
		const uint64_t now = t->ops->now(t);
		size_t len = 0;

		if (now >= until)
			return OC_E_TIMEOUT;
		err = ccid_port_recv(port, &len, (unsigned)(until - now));
		if (err != OC_OK || ccid_decode_reply(port->in, len, reply) != OC_OK)
			continue;
		if (reply->type == RDR_TO_PC_SLOT_STATUS && reply->slot == slot && reply->seq == seq)
			return OC_OK;
	}
	return err == OC_OK ? OC_E_TIMEOUT : err;
}

/* Send one command without payload and read until its answer. */
static enum oc_err resync_command(struct ccid_port *port, struct ccid_command command, uint8_t seq,
				  unsigned ms, struct ccid_reply *reply)
{
	struct transport *t = port->transport;
	const uint64_t until = t->ops->now(t) + ms;
	enum oc_err err;

	ccid_payload_written(port, 0);
	ccid_put_header(port->out, &command, seq);
	err = t->ops->send(t, port->out, CCID_HEADER_LEN, port->in, port->cap, ms);
	return err == OC_OK ? await_status(port, command.slot, seq, until, reply) : err;
}

/* The first half of ABORT */
static enum oc_err request_abort(const struct ccid_port *port, uint8_t slot, uint8_t seq, unsigned ms)
{
	struct transport *t = port->transport;
	const struct transport_setup setup = {
		.request_type = TYPE_CLASS_OUT,
		.request = REQUEST_ABORT,
		.value = (uint16_t)(seq << 8 | slot),
		.index = port->interface,
	};
	size_t none = 0;

	return t->ops->control(t, &setup, NULL, &none, ms);
}

enum oc_err ccid_abort_beside(const struct ccid_port *port, uint8_t slot, uint8_t seq)
{
	struct transport *t = port->transport;
	const struct ccid_command command = ccid_abort(slot);
	uint8_t message[CCID_HEADER_LEN];
	enum oc_err err;

	if (!t->ops->beside)
		return OC_E_UNSUPPORTED;
	err = request_abort(port, slot, seq, CONTROL_MS);
	if (err != OC_OK)
		return err;
	ccid_put_header(message, &command, seq);
	return t->ops->beside(t, message, sizeof message, ABORT_MS);
}

enum oc_err ccid_await_abort(struct ccid_port *port, uint8_t slot, uint8_t seq)
{
	struct transport *t = port->transport;
	struct ccid_reply reply;

	return await_status(port, slot, seq, t->ops->now(t) + ABORT_MS, &reply);
}

/* Both halves. Where the first one got through or may have, and the other one is not answered, the reader is left half-way. */
static enum oc_err abort_by_both(struct ccid_port *port, uint8_t slot, bool always, unsigned control_ms,
				 unsigned abort_ms)
{
	const uint8_t seq = ccid_next_seq(port);
	struct ccid_reply reply;
	enum oc_err err = request_abort(port, slot, seq, control_ms);

	if (err == OC_E_GONE)
		return err;
	port->half_abort |= err != OC_E_STALL;
	if (err != OC_OK && !always)
		return err;
	err = resync_command(port, ccid_abort(slot), seq, abort_ms, &reply);
	port->half_abort &= err != OC_OK || ccid_command_status_of(reply.status) == CCID_FAILED;
	return err;
}

/* Many readers stall ABORT; then they would not understand its other half either. */
static enum oc_err rung_abort(struct ccid_port *port, uint8_t slot)
{
	return abort_by_both(port, slot, false, CONTROL_MS, ABORT_MS);
}

static enum oc_err rung_clear_halt(struct ccid_port *port, uint8_t slot)
{
	struct transport *t = port->transport;
	enum oc_err err = t->ops->clear_halt(t);
	struct ccid_reply reply;

	if (err != OC_OK)
		return err;
	err = resync_command(port, ccid_get_slot_status(slot), ccid_next_seq(port), STATUS_MS, &reply);
	if (err != OC_OK || !port->half_abort || !ccid_is_aborted(&reply))
		return err;
	/* The halt has kept back one half of ABORT, and without it the reader refuses everything (5.3.1). */
	err = rung_abort(port, slot);
	return err == OC_E_STALL
		       ? OC_OK
		       : err; /* it does not know ABORT: it has answered, which is all that is asked here */
}

/* One that did not help is not tried again until the reader has answered in between. */
static enum oc_err rung_reset(struct ccid_port *port, uint8_t slot)
{
	struct transport *t = port->transport;
	enum oc_err err = OC_E_UNSUPPORTED;
	struct ccid_reply reply;

	if (!port->hopeless && t->ops->reset)
		err = t->ops->reset(t);
	if (err != OC_OK)
		return err;
	err = resync_command(port, ccid_get_slot_status(slot), ccid_next_seq(port), STATUS_MS, &reply);
	port->hopeless = err != OC_OK;
	return err;
}

enum oc_err ccid_finish_abort(struct ccid_port *port, uint8_t slot)
{
	const enum oc_err err = rung_abort(port, slot);

	OC_LOG(port->log, OC_LOG_INFO, "the reader was in the middle of an ABORT, which is finished now: %s",
	       oc_strerr(err));
	return err;
}

static const struct {
	const char *name;
	enum oc_err (*climb)(struct ccid_port *port, uint8_t slot);
} ladder[CCID_RUNGS] = {
	[CCID_RUNG_ABORT] = { "abort", rung_abort },
	[CCID_RUNG_CLEAR_HALT] = { "clear halt", rung_clear_halt },
	[CCID_RUNG_RESET] = { "USB port reset", rung_reset },
};

enum oc_err ccid_recover(struct ccid_port *port, uint8_t slot)
{
	enum oc_err err = OC_E_TIMEOUT, last = OC_E_TIMEOUT;

	port->overfull = false;
	for (size_t i = 0; i < CCID_RUNGS; i++) {
		err = ladder[i].climb(port, slot);
		port->climbed[i] += err == OC_OK;
		if (err == OC_OK)
			OC_LOG(port->log, OC_LOG_INFO, "the reader is back in order after: %s (time %u)",
			       ladder[i].name, port->climbed[i]);
		port->silent = err != OC_OK;
		if (err == OC_OK || err == OC_E_GONE)
			return err;
		/* A rung that does not exist says nothing of the reader. */
		if (err != OC_E_UNSUPPORTED)
			last = err;
	}
	port->given_up++;
	OC_LOG(port->log, OC_LOG_CRITICAL,
	       "the reader does not answer any more (%s); if it stays so, unplug it and plug it in again",
	       oc_strerr(last));
	return OC_E_TIMEOUT;
}

void ccid_tell_recoveries(const struct ccid_port *port)
{
	const unsigned *n = port->climbed;

	if (n[CCID_RUNG_ABORT] + n[CCID_RUNG_CLEAR_HALT] + n[CCID_RUNG_RESET] + port->given_up == 0)
		return;
	OC_LOG(port->log, OC_LOG_INFO,
	       "the reader had to be brought back to order: by abort %u, clear halt %u, USB port reset %u; "
	       "given up "
	       "%u",
	       n[CCID_RUNG_ABORT], n[CCID_RUNG_CLEAR_HALT], n[CCID_RUNG_RESET], port->given_up);
}

enum oc_err ccid_resync(struct ccid_port *port, uint8_t slot)
{
	enum oc_err err = OC_E_TIMEOUT;

	for (unsigned i = 0; i < CCID_RESYNC_TRIES; i++) {
		err = abort_by_both(port, slot, true, RESYNC_MS, RESYNC_MS);
		if (err == OC_OK || err == OC_E_GONE)
			return err;
	}
	err = rung_clear_halt(port, slot);
	port->silent = err != OC_OK;
	return err == OC_OK || err == OC_E_GONE ? err : OC_E_TIMEOUT;
}
