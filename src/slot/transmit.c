/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One APDU through a slot, at the exchange level of the reader (CCID rev 1.1, 3.2 and 6.1.4). */
#include "slot/slot.h"

#include "base/bytes.h"
#include "ccid/status.h"
#include "tpdu/apdu.h"
#include "tpdu/t0.h"

#include <string.h>

enum {
	APDU_LEVEL_MS =
		10000, /* least wait where the reader talks to the card alone and asks for more time itself */
	ESCAPE_MS = 10000,
};

static bool fits_message(const struct slot *slot, size_t len)
{
	const uint32_t max = slot->reader->caps.max_message;

	if (CCID_HEADER_LEN + len <= max)
		return true;
	OC_LOG(slot->reader->log, OC_LOG_CRITICAL,
	       "slot %u: a command of %zu bytes does not fit the reader's messages of %u bytes; nothing was "
	       "sent",
	       slot->number, len, max);
	return false;
}

/* Hand out a whole answer, or none: a cut one would be a lie. */
static enum oc_err hand_out(const struct ccid_reply *reply, uint8_t *rx, size_t cap, size_t *rx_len)
{
	if (reply->len > cap)
		return OC_E_SPACE;
	if (reply->len)
		memcpy(rx, reply->data, reply->len);
	*rx_len = reply->len;
	return OC_OK;
}

/* ---- TPDU level, T=0 --------------------------------------------------------------------------------------------- */

/* One TPDU and what came back, in the words of the engine. */
static struct reply exchange_tpdu(struct slot *slot, const struct block *block)
{
	const unsigned wait = timing_t0_ms(&slot->timing, block->len + block->expect) + USB_MARGIN_MS;
	const struct ccid_command command =
		ccid_xfr_block(slot->number, block->bwi, block->level_parameter, block->len);
	struct ccid_reply reply;
	const enum oc_err err = slot_exchange(slot, &command, wait, &reply);

	if (err == OC_OK)
		return (struct reply){ .kind = REPLY_BLOCK, .data = reply.data, .len = reply.len };
	if (reply.type != 0 && reply.error == CCID_ICC_PROTOCOL_NOT_SUPPORTED && err == OC_E_PROTOCOL)
		return (struct reply){ .kind = REPLY_NOT_SENT, .err = err };
	return (struct reply){ .kind = REPLY_FAILED, .err = err };
}

/*
 * The reader refused to hand the TPDU to the card (F6h): it has lost the protocol. Set the parameters again; the engine
 * then repeats the TPDU once, which is harmless, since the card never saw it.
 */
static void answer_refusal(struct slot *slot, const struct t0 *t0, struct reply *reply)
{
	const struct oc_log *log = slot->reader->log;

	if (!t0->set_again) {
		OC_LOG(log, OC_LOG_INFO,
		       "slot %u: the reader has lost the card's protocol (F6h); its parameters are set "
		       "again, and the "
		       "command is sent once more",
		       slot->number);
		if (slot_set_parameters(slot) == OC_OK)
			return;
		reply->kind = REPLY_FAILED;
	}
	OC_LOG(log, OC_LOG_CRITICAL,
	       "slot %u: the reader refuses to pass commands to the card (F6h, protocol not supported), also "
	       "after its "
	       "T=0 parameters were set again; the card was not touched. Pull the card and put it back; if "
	       "it happens "
	       "again, the reader's firmware is at fault",
	       slot->number);
}

static enum oc_err transmit_t0(struct slot *slot, const struct apdu *apdu, uint8_t *rx, size_t cap,
			       size_t *rx_len)
{
	struct t0 t0;
	enum oc_err err = t0_begin(&t0, apdu, rx, cap);

	while (err == OC_OK) {
		size_t room;
		struct block block;
		struct reply reply;
		const enum step step = t0_next(&t0, ccid_payload(&slot->reader->port, &room), &block);

		if (step == STEP_FAIL)
			return t0.err;
		if (step == STEP_DONE) {
			*rx_len = t0.len;
			return OC_OK;
		}
		if (!fits_message(slot, block.len))
			return OC_E_UNSUPPORTED;
		reply = exchange_tpdu(slot, &block);
		if (reply.kind == REPLY_NOT_SENT)
			answer_refusal(slot, &t0, &reply);
		t0_feed(&t0, &reply);
	}
	return err;
}

/* ---- APDU levels ------------------------------------------------------------------------------------------------- */

/* bChainParameter: the answer goes on, or the reader waits for more of the command (6.2.1). */
static bool is_chained(const struct slot *slot, uint8_t chain)
{
	return slot->reader->caps.level == CCID_EXTENDED_APDU &&
	       (chain == 0x01 || chain == 0x03 || chain == 0x10);
}

static unsigned apdu_wait_ms(const struct slot *slot, const struct apdu *apdu)
{
	const unsigned card = timing_t0_ms(&slot->timing, apdu->nc + apdu->ne);

	return (card < APDU_LEVEL_MS ? APDU_LEVEL_MS : card) + USB_MARGIN_MS;
}

static enum oc_err transmit_apdu(struct slot *slot, const struct apdu *apdu, const uint8_t *tx, size_t tx_len,
				 uint8_t *rx, size_t cap, size_t *rx_len)
{
	const struct ccid_command command = ccid_xfr_block(slot->number, 0, CCID_APDU_WHOLE, tx_len);
	struct ccid_reply reply;
	enum oc_err err;
	size_t room;

	if (!fits_message(slot, tx_len))
		return OC_E_UNSUPPORTED;
	memcpy(ccid_payload(&slot->reader->port, &room), tx, tx_len);
	err = slot_exchange(slot, &command, apdu_wait_ms(slot, apdu), &reply);
	if (err != OC_OK)
		return err;
	if (is_chained(slot, reply.specific)) {
		OC_LOG(slot->reader->log, OC_LOG_CRITICAL,
		       "slot %u: the reader splits the answer into several messages, which this driver does "
		       "not join",
		       slot->number);
		return OC_E_UNSUPPORTED;
	}
	if (reply.len < 2)
		return OC_E_CARD;
	return hand_out(&reply, rx, cap, rx_len);
}

/* ---- the two calls ----------------------------------------------------------------------------------------------- */

static enum oc_err ensure_protocol(struct slot *slot)
{
	enum ccid_protocol first;

	if (!slot->powered)
		return OC_E_UNPOWERED;
	if (slot->protocol_set)
		return OC_OK;
	first = slot->atr_valid && slot->atr.first_protocol == 1 ? CCID_PROTOCOL_T1 : CCID_PROTOCOL_T0;
	return slot_negotiate(slot, first);
}

static enum oc_err transmit_locked(struct slot *slot, const struct apdu *apdu, const uint8_t *tx,
				   size_t tx_len, uint8_t *rx, size_t cap, size_t *rx_len)
{
	const enum ccid_level level = slot->reader->caps.level;
	enum oc_err err;

	if (apdu_extended(apdu) && level != CCID_EXTENDED_APDU)
		return OC_E_EXTENDED;
	err = ensure_protocol(slot);
	if (err != OC_OK)
		return err;
	if (level == CCID_TPDU)
		return transmit_t0(slot, apdu, rx, cap, rx_len);
	return transmit_apdu(slot, apdu, tx, tx_len, rx, cap, rx_len);
}

static void log_result(const struct slot *slot, const struct apdu *apdu, enum oc_err err, const uint8_t *rx,
		       size_t rx_len)
{
	const struct oc_log *log = slot->reader->log;

	if (err == OC_E_PROTOCOL || err == OC_E_UNSUPPORTED)
		return; /* told, with its reason, where it was found */
	if (err != OC_OK)
		OC_LOG(log, OC_LOG_CRITICAL, "slot %u: command %02X %02X (%s) failed: %s", slot->number,
		       apdu->cla, apdu->ins, apdu_case_name(apdu->kind), oc_strerr(err));
	else
		OC_LOG(log, OC_LOG_COMM,
		       "slot %u: command %02X %02X %02X %02X (%s), %zu bytes -> %zu bytes, %02X%02X",
		       slot->number, apdu->cla, apdu->ins, apdu->p1, apdu->p2, apdu_case_name(apdu->kind),
		       apdu->nc, rx_len - 2, rx[rx_len - 2], rx[rx_len - 1]);
}

/* The command may have carried a PIN; case 1 grew by its P3. */
static void wipe_command(struct slot *slot, size_t len)
{
	size_t room;
	uint8_t *payload = ccid_payload(&slot->reader->port, &room);

	bytes_wipe(payload, len + 1 < room ? len + 1 : room);
}

enum oc_err slot_transmit(struct slot *slot, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len)
{
	struct reader *reader = slot->reader;
	const size_t cap = *rx_len;
	struct apdu apdu;
	enum oc_err err = apdu_parse(tx, tx_len, &apdu);

	*rx_len = 0;
	if (err != OC_OK) {
		OC_LOG(reader->log, OC_LOG_CRITICAL,
		       "slot %u: %zu bytes are no APDU: the length does not fit Lc and Le; nothing was sent",
		       slot->number, tx_len);
		return err;
	}
	pthread_mutex_lock(&reader->lock);
	err = transmit_locked(slot, &apdu, tx, tx_len, rx, cap, rx_len);
	log_result(slot, &apdu, err, rx, *rx_len);
	wipe_command(slot, tx_len);
	pthread_mutex_unlock(&reader->lock);
	return err;
}

enum oc_err slot_escape(struct slot *slot, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len)
{
	struct reader *reader = slot->reader;
	const struct ccid_command command = ccid_escape(slot->number, tx_len);
	const size_t cap = *rx_len;
	struct ccid_reply reply;
	enum oc_err err = OC_E_SPACE;
	size_t room;

	*rx_len = 0;
	pthread_mutex_lock(&reader->lock);
	if (fits_message(slot, tx_len)) {
		uint8_t *payload = ccid_payload(&reader->port, &room);

		if (tx_len)
			memcpy(payload, tx, tx_len);
		err = slot_exchange(slot, &command, ESCAPE_MS, &reply);
	}
	if (err == OC_OK)
		err = hand_out(&reply, rx, cap, rx_len);
	if (err != OC_OK)
		OC_LOG(reader->log, OC_LOG_CRITICAL, "slot %u: Escape command of %zu bytes failed: %s",
		       slot->number, tx_len, oc_strerr(err));
	pthread_mutex_unlock(&reader->lock);
	return err;
}
