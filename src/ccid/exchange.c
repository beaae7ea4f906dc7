/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ccid/exchange.h"

#include "base/bytes.h"
#include "ccid/recover.h"
#include "ccid/status.h"

#include <stdlib.h>

enum {
	PACKET =
		512, /* wMaxPacketSize of high-speed bulk endpoints, a multiple of all others up to USB 2.0 */
	DRAIN_MS = 50,      /* padding that is still to come follows at once, */
	DRAIN_ALL_MS = 500, /* and 64 KiB of it take no longer at the slowest bus */
	DRAIN_BYTES = 65536 + PACKET,
};

enum oc_err ccid_port_open(struct ccid_port *port, struct transport *transport, uint8_t interface,
			   size_t max_message, const struct oc_log *log)
{
	const size_t cap = (max_message + PACKET - 1) / PACKET * PACKET;
	uint8_t *both = calloc(2, cap);

	if (!both)
		return OC_E_MEMORY;
	*port = (struct ccid_port){
		.transport = transport,
		.log = log,
		.interface = interface,
		.half_abort = true, /* by the session before */
		.extension_cap_ms = CCID_EXTENSION_CAP_MS,
		.out = both,
		.in = both + cap,
		.cap = cap,
	};
	redact_begin(&port->redact, REDACT_ANY_LEVEL);
	return OC_OK;
}

void ccid_port_close(struct ccid_port *port)
{
	if (port->out)
		bytes_wipe(port->out, 2 * port->cap);
	free(port->out);
	*port = (struct ccid_port){ 0 };
}

void ccid_port_wipe(struct ccid_port *port)
{
	bytes_wipe(port->out, port->out_used);
	bytes_wipe(port->in, port->in_used);
	port->out_used = port->in_used = 0;
}

void ccid_payload_written(struct ccid_port *port, size_t len)
{
	const size_t used = len < port->cap - CCID_HEADER_LEN ? CCID_HEADER_LEN + len : port->cap;

	if (used > port->out_used)
		port->out_used = used;
}

enum oc_err ccid_port_recv(struct ccid_port *port, size_t *len, unsigned ms)
{
	const enum oc_err err = port->transport->ops->recv(port->transport, len, ms);
	const size_t used = err == OC_OK && *len <= port->cap ? *len : port->cap;

	/* After an error nobody knows how much came before it. */
	if (used > port->in_used)
		port->in_used = used;
	return err;
}

/* ---- the log of the wire: without PINs and keys, unless somebody has asked for them ------------------------------ */

static enum oc_log_level wire_level(const struct ccid_command *command)
{
	return command->type == PC_TO_RDR_GET_SLOT_STATUS ? OC_LOG_PERIODIC : OC_LOG_COMM;
}

static void log_message(struct ccid_port *port, enum oc_log_level level, const char *arrow,
			const uint8_t *msg, size_t len)
{
	/* What is not logged itself is part of what the next message is understood by. */
	const size_t shown = port->log->secrets ? len : redact_message(&port->redact, msg, len);
	const size_t payload = len - CCID_HEADER_LEN;
	char text[REDACT_TEXT_MAX];

	if (!oc_log_on(port->log, level))
		return;
	redact_text(text, msg + CCID_HEADER_LEN, payload, shown - CCID_HEADER_LEN);
	oc_log_line(port->log, level, "%s %s slot %u seq %02X [%02X %02X %02X] %zu bytes%s%s", arrow,
		    ccid_type_name(msg[0]), msg[5], msg[6], msg[7], msg[8], msg[9], payload,
		    payload ? ":" : "", text);
}

static void note_message(struct ccid_port *port, const struct ccid_command *command, const char *arrow,
			 const uint8_t *msg, size_t len)
{
	if (oc_log_on(port->log, OC_LOG_COMM | OC_LOG_PERIODIC))
		log_message(port, wire_level(command), arrow, msg, len);
}

/* ---- one exchange ------------------------------------------------------------------------------------------------ */

/* A padded answer that filled the read may go on: take the rest off the pipe before the next command. */
static void drain(struct ccid_port *port)
{
	struct transport *t = port->transport;
	const uint64_t until = t->ops->now(t) + DRAIN_ALL_MS;
	size_t len = port->cap;

	port->overfull = false;
	for (size_t total = 0; len == port->cap && total < DRAIN_BYTES && t->ops->now(t) < until;
	     total += len)
		if (ccid_port_recv(port, &len, DRAIN_MS) != OC_OK)
			return;
}

static enum oc_err send_command(struct ccid_port *port, const struct ccid_command *command, uint8_t seq)
{
	struct transport *t = port->transport;

	if (command->len > port->cap - CCID_HEADER_LEN)
		return OC_E_SPACE;
	if (port->overfull)
		drain(port);
	ccid_payload_written(port, command->len);
	ccid_put_header(port->out, command, seq);
	note_message(port, command, "->", port->out, CCID_HEADER_LEN + command->len);
	return t->ops->send(t, port->out, CCID_HEADER_LEN + command->len, port->in, port->cap, CCID_SEND_MS);
}

/* An answer with the right slot and bSeq must also have the type that belongs to the command, or be a failure. */
static bool type_fits(const struct ccid_command *command, const struct ccid_reply *reply)
{
	if (reply->type == ccid_reply_type(command->type))
		return true;
	return reply->type == RDR_TO_PC_SLOT_STATUS && ccid_command_status_of(reply->status) == CCID_FAILED;
}

/*
 * A padded message that filled the read and was not the answer may go on in further transfers. Whatever is no answer to this
 * command belongs to it; the answer itself may follow as soon.
 */
static bool is_tail(struct ccid_port *port, const struct ccid_command *command, uint8_t seq, size_t len)
{
	struct ccid_reply reply;

	if (!port->overfull)
		return false;
	port->overfull = len == port->cap;
	return ccid_decode_reply(port->in, len, &reply) != OC_OK || reply.slot != command->slot ||
	       reply.seq != seq || !type_fits(command, &reply);
}

/* How far a wait may go, and how far time extensions may push it. */
struct wait {
	uint64_t until, limit;
	unsigned base_ms, extensions, stale;
	size_t tail; /* bytes of padding behind what was not the answer */
};

/* The reader asks for more time: bError times the waiting time, counted from now (6.2.6). */
static enum oc_err extend(struct ccid_port *port, struct wait *w, uint8_t multiplier)
{
	const uint64_t more = (uint64_t)w->base_ms * (multiplier ? multiplier : 1);
	const uint64_t now = port->transport->ops->now(port->transport);

	if (++w->extensions > CCID_MAX_EXTENSIONS)
		return OC_E_LIMIT;
	w->until = now + more < w->limit ? now + more : w->limit;
	return OC_OK;
}

/* Look at one transfer: *done when it is the final answer, OC_OK and not done when waiting goes on. */
static enum oc_err consider(struct ccid_port *port, const struct ccid_command *command, uint8_t seq,
			    size_t len, struct wait *w, struct ccid_reply *reply, bool *done)
{
	enum oc_err err;

	if (is_tail(port, command, seq, len)) {
		w->tail += len;
		return w->tail > DRAIN_BYTES ? OC_E_ANSWER : OC_OK;
	}
	/* The late zero-length packet of an earlier answer. */
	if (len == 0)
		return ++w->stale > CCID_MAX_STALE ? OC_E_ANSWER : OC_OK;
	err = ccid_decode_reply(port->in, len, reply);
	if (err != OC_OK)
		return err;
	port->overfull = len == port->cap;
	note_message(port, command, "<-", port->in, len - reply->padding);
	if (reply->slot != command->slot || reply->seq != seq) {
		OC_LOG(port->log, OC_LOG_INFO,
		       "dropped an answer with slot %u seq %02X while waiting for %u %02X", reply->slot,
		       reply->seq, command->slot, seq);
		return ++w->stale > CCID_MAX_STALE ? OC_E_ANSWER : OC_OK;
	}
	if (!type_fits(command, reply))
		return OC_E_ANSWER;
	if (ccid_command_status_of(reply->status) == CCID_TIME_EXTENSION)
		return extend(port, w, reply->error);
	*done = true;
	return OC_OK;
}

/* What the card works on may take as long as the card likes, within the cap; nothing else may. */
static uint64_t extension_cap(const struct ccid_port *port, uint8_t type)
{
	if (type == PC_TO_RDR_XFR_BLOCK || type == PC_TO_RDR_ESCAPE)
		return port->extension_cap_ms;
	if (type == PC_TO_RDR_SECURE)
		return CCID_ENTRY_EXTENSION_MS;
	return CCID_QUICK_EXTENSION_MS;
}

static enum oc_err await_answer(struct ccid_port *port, const struct ccid_command *command, uint8_t seq,
				unsigned wait_ms, struct ccid_reply *reply)
{
	struct transport *t = port->transport;
	uint64_t now = t->ops->now(t);
	struct wait w = {
		.until = now + wait_ms,
		.limit = now + wait_ms + extension_cap(port, command->type),
		.base_ms = wait_ms,
	};
	bool done = false;

	for (;;) {
		enum oc_err err;
		size_t len = 0;

		if (now >= w.until)
			return OC_E_TIMEOUT;
		err = ccid_port_recv(port, &len, (unsigned)(w.until - now));
		if (err == OC_OK)
			err = consider(port, command, seq, len, &w, reply, &done);
		if (err != OC_OK || done)
			return err;
		now = t->ops->now(t);
	}
}

/* A reader that refuses everything because half of an ABORT got lost has to get both (5.3.1). */
static bool awaits_abort(struct ccid_port *port, const struct ccid_reply *reply)
{
	port->half_abort &= ccid_is_aborted(reply);
	return port->half_abort;
}

static enum oc_err exchange(struct ccid_port *port, const struct ccid_command *command, unsigned wait_ms,
			    struct ccid_reply *reply)
{
	const uint8_t seq = ccid_next_seq(port);
	enum oc_err err;

	*reply = (struct ccid_reply){ 0 };
	err = send_command(port, command, seq);
	if (err == OC_E_SPACE || err == OC_E_GONE)
		return err;
	if (err == OC_OK)
		err = await_answer(port, command, seq, wait_ms, reply);
	if (err == OC_OK) {
		port->hopeless = false;
		if (!awaits_abort(port, reply))
			return ccid_judge(reply);
		reply->len = 0; /* its bytes are overwritten now */
		return ccid_finish_abort(port, command->slot) == OC_E_GONE ? OC_E_GONE : ccid_judge(reply);
	}
	*reply = (struct ccid_reply){ 0 };
	if (err == OC_E_GONE)
		return err;
	OC_LOG(port->log, OC_LOG_CRITICAL, "%s to slot %u failed: %s", ccid_type_name(command->type),
	       command->slot, oc_strerr(err));
	return ccid_recover(port, command->slot) == OC_E_GONE ? OC_E_GONE : err;
}

enum oc_err ccid_exchange_quiet(struct ccid_port *port, const struct ccid_command *command, unsigned wait_ms,
				struct ccid_reply *reply)
{
	return exchange(port, command, wait_ms, reply);
}

static void tell_refused(const struct ccid_port *port, const struct ccid_command *command,
			 const struct ccid_reply *reply)
{
	const struct ccid_error_info *info = ccid_error_info(reply->error);

	OC_LOG(port->log, OC_LOG_INFO, "%s to slot %u refused: %s (bError %02X %s; %s)",
	       ccid_type_name(command->type), command->slot, info->sentence, reply->error, info->name,
	       ccid_icc_text(ccid_icc_of(reply->status)));
}

enum oc_err ccid_exchange(struct ccid_port *port, const struct ccid_command *command, unsigned wait_ms,
			  struct ccid_reply *reply)
{
	const enum oc_err err = exchange(port, command, wait_ms, reply);

	if (err != OC_OK && reply->type != 0)
		tell_refused(port, command, reply);
	return err;
}
