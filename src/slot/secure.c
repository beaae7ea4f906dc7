/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A PIN that is typed at the reader (CCID rev 1.1, 6.1.11): the reader completes a command with it and gives it to the card;
 * the host never sees it. What comes back is the card's answer, or a status word of the reader's own.
 */
#include "slot/slot.h"

#include "base/bytes.h"
#include "ccid/recover.h"
#include "ccid/status.h"

#include <string.h>

enum {
	PROLOGUE = 3,
	ENTRY_MS = 90000,        /* least wait: a person types */
	ENTRY_MARGIN_MS = 10000, /* on top of bTimeOut: the card works on it, too */
	ABORT_SEQ_AHEAD = 0x80,  /* so that its SlotStatus is no answer to the command after this one */
	SW_LEN = 2,
	SW_TIMEOUT = 0x6400,
	SW_CANCELLED = 0x6401,
	SW1_OF_READER = 0x64,
};

/* ---- ending it from another thread ------------------------------------------------------------------------------- */

static void entry_begins(struct slot *slot)
{
	struct reader *reader = slot->reader;

	pthread_mutex_lock(&reader->events.lock);
	slot->entry.running = true;
	slot->entry.aborted = false;
	slot->entry.sent = true;
	slot->entry.seq = ccid_peek_seq(slot->port);
	pthread_mutex_unlock(&reader->events.lock);
}

static bool entry_ends(struct slot *slot)
{
	struct reader *reader = slot->reader;
	bool aborted;

	pthread_mutex_lock(&reader->events.lock);
	slot->entry.running = false;
	aborted = slot->entry.aborted;
	pthread_mutex_unlock(&reader->events.lock);
	return aborted;
}

/*
 * What answers the ABORT would be in the way of the next command. It takes the place of the answer in the port, which may be
 * the card's: the PIN was typed at the last moment.
 */
static void clear_away_abort(struct slot *slot, struct ccid_reply *reply)
{
	const size_t len = reply->len < sizeof slot->block ? reply->len : sizeof slot->block;

	if (len)
		memcpy(slot->block, reply->data, len);
	reply->data = slot->block;
	reply->len = len;
	ccid_await_abort(slot->port, slot->number, (uint8_t)(slot->entry.seq + ABORT_SEQ_AHEAD));
}

void slot_pin_abort(struct slot *slot)
{
	struct reader *reader = slot->reader;

	/* Held meanwhile, so that no other command begins before the ABORT is out. */
	pthread_mutex_lock(&reader->events.lock);
	if (slot->entry.running && !slot->entry.aborted) {
		const uint8_t seq = (uint8_t)(slot->entry.seq + ABORT_SEQ_AHEAD);
		const enum oc_err err = ccid_abort_beside(slot->port, slot->number, seq);

		slot->entry.aborted = err == OC_OK;
		OC_LOG(reader->log, OC_LOG_INFO, "slot %u: the PIN entry is to be ended: %s", slot->number,
		       oc_strerr(err));
	}
	pthread_mutex_unlock(&reader->events.lock);
}

/* ---- the message ------------------------------------------------------------------------------------------------- */

static unsigned entry_wait_ms(const struct pin_request *request)
{
	const unsigned asked = request->timeout_s * 1000u + ENTRY_MARGIN_MS;

	return asked > ENTRY_MS ? asked : ENTRY_MS;
}

static enum oc_err send_secure(struct slot *slot, const uint8_t prologue[PROLOGUE], struct ccid_reply *reply)
{
	const struct pin_request *request = slot->entry.request;
	struct reader *reader = slot->reader;
	struct transport *t = reader->transport;
	struct ccid_command command;
	enum oc_err err = OC_OK;
	size_t room, len;
	uint8_t *payload;

	*reply = (struct ccid_reply){ 0 };
	if (reader->caps.pin.pause_ms)
		t->ops->pause(t, reader->caps.pin.pause_ms);
	/* Some readers have to be told that a template without data is coming; one that does not know how may do without. */
	if (request->escape)
		err = slot_send_escape(slot, &reader->caps.pin.escape);
	if (err != OC_OK)
		return err;
	payload = ccid_payload(slot->port, &room);
	len = pin_request_put(request, prologue, payload, room);
	if (!len || !slot_fits_message(slot, len))
		return OC_E_UNSUPPORTED;
	command = ccid_secure(slot->number, 0, CCID_APDU_WHOLE, len);
	entry_begins(slot);
	err = slot_exchange(slot, &command, entry_wait_ms(request), reply);
	if (entry_ends(slot))
		clear_away_abort(slot, reply);
	return err;
}

/* ---- what came back ---------------------------------------------------------------------------------------------- */

/* The reader's own verdict, where the card had no say: cancelled, too slow, ... 0: none. */
static uint16_t readers_verdict(const struct slot *slot, enum oc_err err, const struct ccid_reply *reply)
{
	if (err == OC_OK || reply->type == 0 || ccid_icc_of(reply->status) == CCID_ICC_ABSENT)
		return 0;
	if (reply->error == CCID_CMD_ABORTED && slot->entry.aborted)
		return SW_CANCELLED;
	return pin_status_of(reply->error, &slot->reader->caps.pin);
}

/* Two bytes 64 xx where a T=1 block should be are no block of the card. */
static uint16_t bare_status(const struct ccid_reply *reply)
{
	if (reply->len != SW_LEN || reply->data[0] != SW1_OF_READER)
		return 0;
	return (uint16_t)(reply->data[0] << 8 | reply->data[1]);
}

static struct reply carry_secure(struct slot *slot, const struct block *block, unsigned wait_ms)
{
	struct reply r = { .kind = REPLY_FAILED };
	uint8_t prologue[PROLOGUE];
	struct ccid_reply reply;
	size_t room;

	if (!block->by_reader)
		return slot_carry_t1(slot, block, wait_ms);
	memcpy(prologue, ccid_payload(slot->port, &room), sizeof prologue);
	r.err = send_secure(slot, prologue, &reply);
	slot->entry.verdict = readers_verdict(slot, r.err, &reply);
	slot->entry.bare = r.err == OC_OK ? bare_status(&reply) : 0;
	r.data = reply.data;
	r.len = reply.len;
	if (slot->entry.verdict || (slot->entry.bare && slot->entry.bare != SW_TIMEOUT))
		r.kind = REPLY_WITHDRAWN;
	else if (r.err == OC_OK && !slot->entry.bare)
		r.kind = REPLY_BLOCK;
	else if (r.err == OC_E_CARD && reply.error == CCID_XFR_PARITY_ERROR)
		r.kind = REPLY_DAMAGED;
	return r;
}

/* ---- a reader that loses the card over it ------------------------------------------------------------------------ */

static void tell_lost(const struct slot *slot, bool again)
{
	const struct ccid_caps *caps = &slot->reader->caps;
	const char *outcome = again ? "The card was powered off and on, and answers again"
				    : "The card did not come back; pull it and put it back";

	if (caps->fault)
		OC_LOG(slot->reader->log, OC_LOG_CRITICAL,
		       "slot %u: the PIN entry ended with 64 00 of the reader's own, and then the card did "
		       "not answer. This is a fault of firmware %x.%02x: %s. Firmware %x.%02x mends it. %s",
		       slot->number, caps->firmware >> 8, caps->firmware & 0xFF, caps->fault,
		       caps->fixed_in >> 8, caps->fixed_in & 0xFF, outcome);
	else
		OC_LOG(slot->reader->log, OC_LOG_CRITICAL,
		       "slot %u: the PIN entry ended with 64 00 of the reader's own, and then the card did "
		       "not answer: a fault of the reader's firmware %x.%02x, for which there may be an "
		       "update; \"pinpad = broken\" in /etc/openccid keeps applications from its keypad. %s",
		       slot->number, caps->firmware >> 8, caps->firmware & 0xFF, outcome);
}

/*
 * A bare 64 00 may be all that is left of a PIN entry that has taken the reader's mind off the card. Ask the card for
 * something harmless; where it is silent, start it anew. It counts as reset then, which pcscd is told.
 */
static void check_card(struct slot *slot)
{
	const enum ccid_protocol protocol = slot->protocol;
	const size_t len = slot->atr_len;
	uint8_t atr[ATR_MAX];
	enum step end;
	enum oc_err err;

	OC_LOG(slot->reader->log, OC_LOG_INFO,
	       "slot %u: the reader answered 64 00 by itself, outside of a T=1 block; is the card still "
	       "there?",
	       slot->number);
	/* A reader that does S(IFS) by itself is not asked; the next command begins with RESYNCH. */
	if (slot->reader->caps.features & CCID_AUTO_IFSD)
		return;
	memcpy(atr, slot->atr_bytes, sizeof atr);
	err = t1_begin_ifsd(&slot->t1, slot->t1.ifsd);
	if (err == OC_OK)
		err = slot_run_t1(slot, &end);
	if (err == OC_OK && end == STEP_DONE)
		return;
	if (err == OC_E_GONE)
		return;
	err = slot_cold_reset(slot, atr, len);
	if (err == OC_OK)
		err = slot_negotiate(slot, protocol, NULL);
	tell_lost(slot, err == OC_OK);
	slot_lost_card(slot);
}

/* ---- the exchange ------------------------------------------------------------------------------------------------ */

struct answer {
	uint8_t *bytes;
	size_t cap, len;
};

static void put_status(struct answer *answer, uint16_t sw)
{
	answer->bytes[0] = (uint8_t)(sw >> 8);
	answer->bytes[1] = (uint8_t)sw;
	answer->len = SW_LEN;
}

static enum oc_err pin_over_t1(struct slot *slot, struct answer *answer)
{
	const struct pin_request *request = slot->entry.request;
	struct t1 *t1 = &slot->t1;
	enum oc_err err = t1->renew_ifsd ? slot_announce_ifsd(slot) : OC_OK;
	enum step end;

	slot->entry.verdict = slot->entry.bare = 0;
	if (err == OC_OK)
		err = t1_begin_by_reader(t1, request->open ? 0 : request->template_len, answer->bytes,
					 answer->cap);
	if (err == OC_OK)
		err = slot_run_t1_by(slot, carry_secure, &end);
	if (err == OC_OK && end == STEP_FAIL)
		err = t1->err;
	if (slot->entry.verdict || slot->entry.bare) {
		put_status(answer, slot->entry.verdict ? slot->entry.verdict : slot->entry.bare);
		if (slot->entry.bare == SW_TIMEOUT)
			check_card(slot);
		return OC_OK;
	}
	if (t1->dead)
		slot_lost_card(slot);
	if (err == OC_OK && t1->len < SW_LEN)
		err = OC_E_CARD;
	answer->len = err == OC_OK ? t1->len : 0;
	return err;
}

/* T=0, and the APDU levels: the answer is a response APDU. */
static enum oc_err pin_whole(struct slot *slot, struct answer *answer)
{
	static const uint8_t no_prologue[PROLOGUE];
	struct ccid_reply reply;
	const enum oc_err err = send_secure(slot, no_prologue, &reply);
	const uint16_t verdict = readers_verdict(slot, err, &reply);

	if (verdict) {
		put_status(answer, verdict);
		return OC_OK;
	}
	if (err != OC_OK)
		return err;
	if (reply.len < SW_LEN)
		return OC_E_CARD;
	if (reply.len > answer->cap)
		return OC_E_SPACE;
	memcpy(answer->bytes, reply.data, reply.len);
	answer->len = reply.len;
	return OC_OK;
}

static enum oc_err run_entry(struct slot *slot, struct answer *answer)
{
	enum oc_err err = slot_ensure_protocol(slot, SLOT_ANY_PROTOCOL);

	if (err != OC_OK)
		return err;
	if (slot->reader->caps.level == CCID_CHARACTER)
		return OC_E_UNSUPPORTED;
	if (slot->reader->caps.level == CCID_TPDU && slot->protocol == CCID_PROTOCOL_T1)
		return pin_over_t1(slot, answer);
	return pin_whole(slot, answer);
}

static void log_end(const struct slot *slot, const struct pin_request *request, enum oc_err err,
		    const struct answer *answer)
{
	const char *what = request->operation == PIN_MODIFY ? "change" : "verification";

	if (err == OC_OK)
		OC_LOG(slot->reader->log, OC_LOG_INFO, "slot %u: PIN %s at the keypad ended: %02X%02X",
		       slot->number, what, answer->bytes[answer->len - 2], answer->bytes[answer->len - 1]);
	else
		OC_LOG(slot->reader->log, OC_LOG_CRITICAL, "slot %u: PIN %s at the keypad failed: %s; %s",
		       slot->number, what, oc_strerr(err),
		       slot->entry.sent ? "the card may have counted it as a try"
					: "the reader was not asked for it");
}

enum oc_err slot_pin(struct slot *slot, const struct pin_request *request, uint8_t *rx, size_t *rx_len)
{
	struct answer answer = { .bytes = rx, .cap = *rx_len };
	enum oc_err err;

	*rx_len = 0;
	if (answer.cap < SW_LEN)
		return OC_E_SPACE;
	slot_lock(slot);
	slot->entry.request = request;
	slot->entry.sent = false;
	err = run_entry(slot, &answer);
	slot->entry.request = NULL;
	log_end(slot, request, err, &answer);
	bytes_wipe(slot->block, sizeof slot->block);
	slot_wipe(slot);
	slot_unlock(slot);
	if (err == OC_OK)
		*rx_len = answer.len;
	return err;
}
