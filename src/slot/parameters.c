/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The protocol parameters of a reader (CCID rev 1.1, 6.1.5, 6.1.7 and 6.2.3). */
#include "slot/slot.h"

#include "ccid/status.h"

/* The reader does all of it when the card is powered. */
bool slot_negotiates_by_itself(const struct slot *slot)
{
	return slot->reader->caps.features & CCID_AUTO_PARAM_NEGOTIATION;
}

/* The host sends blocks, and so has to see to what a block may be. */
bool slot_host_sends_blocks(const struct slot *slot)
{
	return slot->reader->caps.level == CCID_TPDU || slot->reader->caps.level == CCID_CHARACTER;
}

struct ccid_parameters slot_parameters(const struct slot *slot)
{
	const struct atr *atr = &slot->atr;
	const bool t1 = slot->protocol == CCID_PROTOCOL_T1;

	return (struct ccid_parameters){
		.protocol = slot->protocol,
		.fi_di = slot->timing.fi_di,
		.inverse = atr->inverse,
		.crc = atr->crc,
		.guard_time = atr->guard_time,
		.waiting = t1 ? (uint8_t)((unsigned)atr->bwi << 4 | atr->cwi) : atr->wi,
		.clock_stop = atr->clock_stop,
		.ifsc = atr->ifsc,
	};
}

enum oc_err slot_get_parameters(struct slot *slot, struct ccid_parameters *active)
{
	const struct ccid_command command = ccid_get_parameters(slot->number);
	struct ccid_reply reply;
	const enum oc_err err = slot_exchange(slot, &command, CCID_QUICK_MS, &reply);

	return err == OC_OK ? ccid_decode_parameters(&reply, active) : err;
}

/* A reader that does not take a parameter may have the right ones anyway: ask, and compare what matters. */
static enum oc_err compare_parameters(struct slot *slot, const struct ccid_parameters *wanted)
{
	const bool may_differ = !slot_host_sends_blocks(slot) || slot_negotiates_by_itself(slot);
	struct ccid_parameters active;
	const enum oc_err err = slot_get_parameters(slot, &active);

	if (err == OC_E_REFUSED)
		return may_differ ? OC_OK : OC_E_PROTOCOL;
	if (err != OC_OK)
		return err;
	if (active.protocol != wanted->protocol ||
	    (active.crc != wanted->crc && slot_host_sends_blocks(slot)))
		return OC_E_PROTOCOL;
	/* A reader whose PPS failed: the card waits for a reset (ISO/IEC 7816-3, 9.4). */
	if (active.fi_di != wanted->fi_di && !may_differ)
		return OC_E_PROTOCOL;
	slot->timing.fi_di = active.fi_di;
	return OC_OK;
}

enum oc_err slot_set_parameters(struct slot *slot)
{
	struct ccid_port *port = slot->port;
	const struct ccid_parameters wanted = slot_parameters(slot);
	const struct waits *waits = slot_waits(slot);
	const uint32_t card_ms = slot->protocol == CCID_PROTOCOL_T1 ? waits->bwt_ms : waits->wwt_ms;
	struct ccid_command command;
	struct ccid_reply reply;
	enum oc_err err;
	size_t cap;

	command = ccid_set_parameters(slot->number, slot->protocol,
				      ccid_put_parameters(ccid_payload(port, &cap), &wanted));
	/* The reader may do PPS now, so the card has its say too. */
	err = slot_exchange(slot, &command, CCID_QUICK_MS + card_ms, &reply);
	slot->agreed = err == OC_OK;
	if (err == OC_E_REFUSED && reply.error <= 0x7F)
		return compare_parameters(slot, &wanted);
	return err;
}
