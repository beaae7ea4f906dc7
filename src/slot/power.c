/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Powering a card: voltages one after the other, and the answer to reset (CCID rev 1.1, 6.1.1 and 6.1.2). */
#include "slot/slot.h"

#include "ccid/status.h"

#include <stdio.h>
#include <string.h>

enum {
	POWER_ON_MS = 6000, /* one attempt; a reader notices a mute card after about a second */
	POWER_UP_MS = 8000, /* all attempts */
	REST_MS = 10,       /* a card must be off for so long between two voltages (ISO/IEC 7816-3, 6.2.1) */
	SETTLE_MS = 300,    /* contacts of a card that is still being pushed in */
	ANSWER_MS = 2000,   /* is there a card at all? */
	LOOK_AGAIN_MS = 10000, /* between two such questions */
	NOT_EMV = 0xBB,        /* bError of readers that are in EMV mode and do not take this card's ATR */
	BUSY_MS = 100,
	BUSY_TRIES = 20,
	MAX_ATTEMPTS = 5,
};

/* In the order of the voltage classes' numbers in bPowerSelect */
static const char *const select_text[] = { "automatic voltage", "5 V", "3 V", "1.8 V" };

/* Fill in bPowerSelect for each attempt; returns how many there are. The last one repeats the first. */
static unsigned plan_attempts(const struct reader *reader, enum ccid_power_select plan[MAX_ATTEMPTS])
{
	static const enum ccid_power_select ladders[][3] = {
		[VOLTAGE_5V_FIRST] = { CCID_POWER_5V, CCID_POWER_3V, CCID_POWER_1V8 },
		[VOLTAGE_3V_FIRST] = { CCID_POWER_3V, CCID_POWER_5V, CCID_POWER_1V8 },
		[VOLTAGE_1V8_FIRST] = { CCID_POWER_1V8, CCID_POWER_3V, CCID_POWER_5V },
		[VOLTAGE_READER_DECIDES] = { CCID_POWER_5V, CCID_POWER_3V, CCID_POWER_1V8 },
	};
	const bool automatic = reader->caps.features & CCID_AUTO_VOLTAGE;
	unsigned n = automatic || reader->voltage == VOLTAGE_READER_DECIDES;

	plan[0] = CCID_POWER_AUTO;
	for (unsigned i = 0; !automatic && i < 3; i++) {
		const enum ccid_power_select select = ladders[reader->voltage][i];

		if (reader->caps.voltages & 1u << (select - CCID_POWER_5V))
			plan[n++] = select;
	}
	plan[n] = plan[0];
	return n + 1;
}

static enum oc_err power_off(struct slot *slot)
{
	const struct ccid_command command = ccid_icc_power_off(slot->number);
	struct ccid_reply reply;
	const enum oc_err err = slot_exchange(slot, &command, CCID_QUICK_MS, &reply);

	return err == OC_E_NO_CARD ? OC_OK : err;
}

/* IccPowerOn, patient with a reader that is just starting the card by itself. */
static enum oc_err power_on(struct slot *slot, enum ccid_power_select select, uint64_t until,
			    struct ccid_reply *reply)
{
	struct transport *t = slot->reader->transport;
	const struct ccid_command command = ccid_icc_power_on(slot->number, select);
	enum oc_err err = OC_E_TIMEOUT;

	for (unsigned i = 0; i < BUSY_TRIES; i++) {
		const uint64_t now = t->ops->now(t);
		const uint64_t left = now < until ? until - now : 0;

		if (!left)
			return OC_E_TIMEOUT;
		err = slot_exchange(slot, &command, left < POWER_ON_MS ? (unsigned)left : POWER_ON_MS, reply);
		if (err != OC_E_REFUSED || reply->error != CCID_BUSY_WITH_AUTO_SEQUENCE)
			break;
		t->ops->pause(t, BUSY_MS);
	}
	return err;
}

/* IccPowerOn, once more where a reader that took the card for an EMV card has to be told first that it is none. */
static enum oc_err start_card(struct slot *slot, enum ccid_power_select select, uint64_t until,
			      struct ccid_reply *reply)
{
	const struct ccid_bytes *leave_emv = &slot->reader->caps.leave_emv;
	enum oc_err err = power_on(slot, select, until, reply);

	if (err != OC_E_CARD || reply->error != NOT_EMV || !leave_emv->len)
		return err;
	err = slot_send_escape(slot, leave_emv);
	return err == OC_OK ? power_on(slot, select, until, reply) : err;
}

/* An ATR of more than 33 bytes is one with something behind it, or none. */
static enum oc_err keep_atr(struct slot *slot, const uint8_t *bytes, size_t len)
{
	struct atr atr;
	const bool valid = atr_decode(bytes, len, &atr) == OC_OK;

	if (len == 0)
		return OC_E_MUTE;
	if (len > ATR_MAX && !valid)
		return OC_E_ATR;
	if (len > ATR_MAX)
		len = atr.len;
	memcpy(slot->atr_bytes, bytes, len);
	slot->atr_len = len;
	slot->atr_valid = valid;
	slot->powered = true;
	slot->present = true;
	if (valid) {
		slot->atr = atr;
		slot->atr.historical = NULL; /* it pointed into the message */
	}
	return OC_OK;
}

static void log_atr(const struct slot *slot, enum ccid_power_select select)
{
	const struct oc_log *log = slot->reader->log;
	char hex[3 * ATR_MAX + 1] = "";

	for (size_t i = 0; i < slot->atr_len; i++)
		snprintf(hex + 3 * i, 4, " %02X", slot->atr_bytes[i]);
	OC_LOG(log, OC_LOG_INFO, "slot %u: card powered with %s, ATR%s", slot->number, select_text[select],
	       hex);
	if (!slot->atr_valid)
		OC_LOG(log, OC_LOG_CRITICAL,
		       "slot %u: the card's ATR%s is malformed; it is passed on as it came, but no protocol "
		       "can be set",
		       slot->number, hex);
	else if (!slot->atr.tck_ok)
		OC_LOG(log, OC_LOG_INFO, "slot %u: the check byte of the ATR is wrong or missing",
		       slot->number);
}

/* Worth another attempt: the card did not come up, but the reader did what it was told. */
static bool card_failed(enum oc_err err, const struct ccid_reply *reply)
{
	return err == OC_E_MUTE || err == OC_E_CARD || err == OC_E_ATR || err == OC_E_PROTOCOL ||
	       (err == OC_E_REFUSED && reply->type != 0);
}

static enum oc_err climb(struct slot *slot)
{
	struct transport *t = slot->reader->transport;
	const uint64_t until = t->ops->now(t) + POWER_UP_MS;
	enum ccid_power_select plan[MAX_ATTEMPTS];
	const unsigned attempts = plan_attempts(slot->reader, plan);
	enum oc_err err = OC_E_MUTE;

	for (unsigned i = 0; i < attempts; i++) {
		struct ccid_reply reply = { 0 };

		if (i > 0 || slot->reader->caps.power_off_first) {
			if (power_off(slot) == OC_E_GONE)
				return OC_E_GONE;
			t->ops->pause(t, i + 1 == attempts ? SETTLE_MS : REST_MS);
		}
		err = start_card(slot, plan[i], until, &reply);
		if (err == OC_OK)
			err = keep_atr(slot, reply.data, reply.len);
		if (err == OC_OK) {
			slot->select = plan[i];
			log_atr(slot, plan[i]);
			return OC_OK;
		}
		if (!card_failed(err, &reply))
			return err;
	}
	return err;
}

enum oc_err slot_cold_reset(struct slot *slot, const uint8_t *atr, size_t len)
{
	struct transport *t = slot->reader->transport;
	const uint64_t until = t->ops->now(t) + POWER_UP_MS;
	struct ccid_reply reply;
	enum oc_err err;

	slot_forget_card(slot);
	err = power_off(slot);
	if (err != OC_OK)
		return err;
	t->ops->pause(t, REST_MS);
	err = start_card(slot, slot->select, until, &reply);
	if (err == OC_OK)
		err = keep_atr(slot, reply.data, reply.len);
	/* Another card, or one that has changed its mind: pcscd has to see its ATR first. */
	if (err == OC_OK && (slot->atr_len != len || memcmp(atr, slot->atr_bytes, len) != 0)) {
		slot_lost_card(slot);
		err = OC_E_UNPOWERED;
	}
	return err;
}

bool slot_is_undetected(const struct slot *slot)
{
	const uint32_t first_1 = slot->reader->caps.undetected_1;

	return first_1 && slot->number + 1u >= first_1;
}

static void not_answering(struct slot *slot)
{
	struct transport *t = slot->reader->transport;

	slot->present = false;
	slot->look_again = t->ops->now(t) + LOOK_AGAIN_MS;
}

/* Power on, is there an ATR, power off: without a word in the log, as an empty slot is nothing to talk about. */
static bool answers_at(struct slot *slot, enum ccid_power_select select)
{
	struct ccid_port *port = slot->port;
	const struct ccid_command on = ccid_icc_power_on(slot->number, select);
	const struct ccid_command off = ccid_icc_power_off(slot->number);
	struct ccid_reply reply;
	bool answers;

	answers = ccid_exchange_quiet(port, &on, ANSWER_MS, &reply) == OC_OK && reply.len > 0;
	if (!port->silent)
		ccid_exchange_quiet(port, &off, CCID_QUICK_MS, &reply);
	return answers;
}

bool slot_card_answers(struct slot *slot)
{
	struct transport *t = slot->reader->transport;
	enum ccid_power_select plan[MAX_ATTEMPTS];
	unsigned voltages;

	if (t->ops->now(t) < slot->look_again)
		return false;
	voltages = plan_attempts(slot->reader, plan) - 1;
	for (unsigned i = 0; i < voltages && !slot->port->silent; i++) {
		if (answers_at(slot, plan[i]))
			return true;
		t->ops->pause(t, REST_MS);
	}
	not_answering(slot);
	return false;
}

enum oc_err slot_power_up(struct slot *slot, uint8_t *atr, size_t *len)
{
	struct reader *reader = slot->reader;
	enum oc_err err;

	slot_lock(slot);
	slot_forget_card(slot);
	err = climb(slot);
	if (err == OC_OK) {
		memcpy(atr, slot->atr_bytes, slot->atr_len);
		*len = slot->atr_len;
	} else {
		slot_forget_card(slot);
		if (slot_is_undetected(slot))
			not_answering(slot);
		OC_LOG(reader->log, err == OC_E_NO_CARD ? OC_LOG_INFO : OC_LOG_CRITICAL,
		       "slot %u: the card could not be powered: %s%s", slot->number, oc_strerr(err),
		       err == OC_E_MUTE ? "; is it the right way round, and are its contacts clean?" : "");
	}
	slot_unlock(slot);
	return err;
}

enum oc_err slot_power_down(struct slot *slot)
{
	enum oc_err err;

	slot_lock(slot);
	slot_forget_card(slot);
	err = power_off(slot);
	slot_unlock(slot);
	return err;
}
