/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One APDU through a slot, at the exchange level of the reader (CCID rev 1.1, 3.2 and 6.1.4). */
#include "slot/slot.h"

#include "ccid/status.h"
#include "tpdu/apdu.h"
#include "tpdu/chain.h"

#include <string.h>

enum {
	APDU_LEVEL_MS =
		10000, /* least wait where the reader talks to the card alone and asks for more time itself */
	ESCAPE_MS = 30000, /* some vendors' commands work on the reader's memory */
};

/* The command that one application wants to have done. */
struct call {
	struct apdu apdu;
	uint8_t *rx;
	size_t cap, rx_len;
	unsigned protocol; /* what is set where none was */
};

/* ---- T=0 --------------------------------------------------------------------------------------------------------- */

static enum oc_err transmit_t0(struct slot *slot, struct call *call)
{
	struct t0 t0;
	enum oc_err err = t0_begin(&t0, &call->apdu, call->rx, call->cap);
	enum step end;

	if (err == OC_OK)
		err = slot_run_t0(slot, &t0, &end);
	if (err != OC_OK)
		return err;
	if (end == STEP_FAIL && t0.unfinished)
		slot_lost_card(slot);
	call->rx_len = end == STEP_DONE ? t0.len : 0;
	return end == STEP_DONE ? OC_OK : t0.err;
}

/* ---- T=1 --------------------------------------------------------------------------------------------------------- */

static enum oc_err transmit_t1(struct slot *slot, struct call *call)
{
	struct t1 *t1 = &slot->t1;
	enum oc_err err = t1->renew_ifsd ? slot_announce_ifsd(slot) : OC_OK;
	enum step end;

	if (err == OC_OK)
		err = t1_begin(t1, call->apdu.bytes, call->apdu.len, call->rx, call->cap);
	if (err == OC_OK)
		err = slot_run_t1(slot, &end);
	if (err == OC_OK && end == STEP_FAIL)
		err = t1->err;
	/* Only a reset helps a card that does not follow the protocol any more. */
	if (t1->dead)
		slot_lost_card(slot);
	if (err != OC_OK)
		return err;
	if (t1->len < 2)
		return OC_E_CARD;
	call->rx_len = t1->len;
	return OC_OK;
}

/* ---- APDU levels ------------------------------------------------------------------------------------------------- */

static enum step chain_step(void *self, uint8_t *out, struct block *block)
{
	return chain_next(self, out, block);
}

static void chain_take(void *self, const struct reply *reply)
{
	chain_feed(self, reply);
}

/* The reader sends all of the command to the card, and takes all of the answer, before it says a word. */
static unsigned apdu_wait_ms(struct slot *slot, const struct call *call)
{
	const size_t bytes = call->apdu.len + call->apdu.ne;
	const unsigned card = slot->protocol == CCID_PROTOCOL_T1 ? waits_t1_ms(slot_waits(slot), bytes, 1)
								 : waits_t0_ms(slot_waits(slot), bytes);

	return (card < APDU_LEVEL_MS ? APDU_LEVEL_MS : card) + USB_MARGIN_MS;
}

static enum oc_err transmit_apdu(struct slot *slot, struct call *call)
{
	const struct ccid_caps *caps = &slot->reader->caps;
	struct chain chain;
	const struct engine engine = {
		.self = &chain,
		.next = chain_step,
		.feed = chain_take,
		.carry = slot_carry_block,
		.wait_ms = apdu_wait_ms(slot, call),
	};
	enum oc_err err =
		chain_begin(&chain, call->apdu.bytes, call->apdu.len, caps->max_message - CCID_HEADER_LEN,
			    caps->level == CCID_EXTENDED_APDU, call->rx, call->cap);
	enum step end;

	if (err == OC_OK)
		err = slot_run(slot, &engine, &end);
	if (err != OC_OK)
		return err;
	if (end == STEP_FAIL) {
		/* A reader left in the middle of a chain would take the next command for its continuation. */
		if (chain.unfinished)
			slot_lost_card(slot);
		return chain.err;
	}
	call->rx_len = chain.len;
	return OC_OK;
}

/* ---- the two calls ----------------------------------------------------------------------------------------------- */

enum oc_err slot_ensure_protocol(struct slot *slot, unsigned wanted)
{
	enum ccid_protocol first;

	if (!slot->powered || slot->strange)
		return OC_E_UNPOWERED;
	if (slot->protocol_set)
		return OC_OK;
	if (wanted < SLOT_ANY_PROTOCOL)
		return slot_negotiate(slot, (enum ccid_protocol)wanted, NULL);
	first = slot->atr_valid && slot->atr.first_protocol == 1 ? CCID_PROTOCOL_T1 : CCID_PROTOCOL_T0;
	return slot_negotiate(slot, first, NULL);
}

static enum oc_err transmit_locked(struct slot *slot, struct call *call)
{
	const enum ccid_level level = slot->reader->caps.level;
	struct speed_trial trial;
	enum oc_err err;

	if (apdu_extended(&call->apdu) && level == CCID_SHORT_APDU)
		return OC_E_EXTENDED;
	err = slot_ensure_protocol(slot, call->protocol);
	if (err != OC_OK)
		return err;
	slot_try_speed(slot, &trial);
	if (level == CCID_SHORT_APDU || level == CCID_EXTENDED_APDU)
		err = transmit_apdu(slot, call);
	else if (slot->protocol == CCID_PROTOCOL_T1)
		err = transmit_t1(slot, call);
	else
		err = transmit_t0(slot, call);
	if (err == OC_E_MUTE || err == OC_E_CARD)
		slot_blame_speed(slot, &trial);
	if (err == OC_OK)
		slot->unproven = false;
	return err;
}

static void log_result(const struct slot *slot, const struct call *call, enum oc_err err)
{
	const struct oc_log *log = slot->reader->log;
	const struct apdu *apdu = &call->apdu;

	if (err == OC_E_PROTOCOL || err == OC_E_UNSUPPORTED)
		return; /* told, with its reason, where it was found */
	if (err != OC_OK)
		OC_LOG(log, OC_LOG_CRITICAL, "slot %u: command %02X %02X (%s, %zu bytes) failed: %s",
		       slot->number, apdu->cla, apdu->ins, apdu_case_name(apdu->kind), apdu->len,
		       oc_strerr(err));
	else
		OC_LOG(log, OC_LOG_COMM,
		       "slot %u: command %02X %02X %02X %02X (%s), %zu bytes -> %zu bytes, %02X%02X",
		       slot->number, apdu->cla, apdu->ins, apdu->p1, apdu->p2, apdu_case_name(apdu->kind),
		       apdu->nc, call->rx_len - 2, call->rx[call->rx_len - 2], call->rx[call->rx_len - 1]);
}

enum oc_err slot_transmit_by(struct slot *slot, unsigned *protocol, const uint8_t *tx, size_t tx_len,
			     uint8_t *rx, size_t *rx_len)
{
	struct reader *reader = slot->reader;
	struct call call = { .rx = rx, .cap = *rx_len, .protocol = *protocol };
	enum oc_err err = apdu_parse(tx, tx_len, &call.apdu);

	*rx_len = 0;
	if (err != OC_OK) {
		OC_LOG(reader->log, OC_LOG_CRITICAL,
		       "slot %u: %zu bytes are no APDU: the length does not fit Lc and Le; nothing was sent",
		       slot->number, tx_len);
		return err;
	}
	slot_lock(slot);
	err = transmit_locked(slot, &call);
	log_result(slot, &call, err);
	*protocol = slot->protocol;
	slot_wipe(slot);
	slot_unlock(slot);
	if (err == OC_OK)
		*rx_len = call.rx_len;
	return err;
}

enum oc_err slot_transmit(struct slot *slot, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len)
{
	unsigned protocol = SLOT_ANY_PROTOCOL;

	return slot_transmit_by(slot, &protocol, tx, tx_len, rx, rx_len);
}

enum oc_err slot_escape(struct slot *slot, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len)
{
	struct reader *reader = slot->reader;
	const struct ccid_command command = ccid_escape(slot->number, tx_len);
	const size_t cap = *rx_len;
	struct ccid_reply reply = { 0 };
	enum oc_err err = OC_E_SPACE;
	size_t room;

	*rx_len = 0;
	slot_lock(slot);
	if (slot_fits_message(slot, tx_len)) {
		uint8_t *payload = ccid_payload(slot->port, &room);

		if (tx_len)
			memcpy(payload, tx, tx_len);
		err = slot_exchange(slot, &command, ESCAPE_MS, &reply);
	}
	/* An Escape command needs no card: that there is none is not why it was refused. */
	if (err == OC_E_NO_CARD && reply.error == CCID_CMD_NOT_SUPPORTED)
		err = OC_E_REFUSED;
	if (err == OC_OK && reply.len > cap)
		err = OC_E_SPACE;
	if (err == OC_OK) {
		if (reply.len)
			memcpy(rx, reply.data, reply.len);
		*rx_len = reply.len;
	} else {
		OC_LOG(reader->log, OC_LOG_CRITICAL, "slot %u: Escape command of %zu bytes failed: %s",
		       slot->number, tx_len, oc_strerr(err));
	}
	slot_wipe(slot);
	slot_unlock(slot);
	return err;
}
