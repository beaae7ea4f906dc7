/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preparing reader and card for a protocol; what is sent depends on dwFeatures (CCID rev 1.1, 5.1 and 6.1.7). */
#include "slot/slot.h"

#include "ccid/status.h"

enum {
	DEFAULT_FI_DI = 0x11,
	RATE_TOLERANCE = 2, /* rounding of readers, bps */
};

/* Is the protocol possible at all? Says why not. */
static enum oc_err check_offered(const struct slot *slot, enum ccid_protocol protocol)
{
	const struct ccid_caps *caps = &slot->reader->caps;
	const struct atr *atr = &slot->atr;
	const char *why = NULL;

	if (!slot->atr_valid || !(atr->protocols & 1u << protocol))
		why = "the card does not offer it";
	else if (atr->specific && atr->specific_protocol != protocol)
		why = "the card is in specific mode with another one";
	else if (!(protocol == CCID_PROTOCOL_T1 ? caps->t1 : caps->t0))
		why = "the reader does not offer it";
	else if (caps->level == CCID_TPDU && protocol == CCID_PROTOCOL_T1)
		why = "this driver speaks it only with readers at an APDU level";
	else if (caps->level == CCID_TPDU &&
		 !(caps->features & (CCID_AUTO_PPS | CCID_AUTO_PARAM_NEGOTIATION)) && !atr->specific &&
		 atr->first_protocol != protocol)
		why = "it is not the card's first protocol, and the reader does not switch by itself";
	if (!why)
		return OC_OK;
	OC_LOG(slot->reader->log, OC_LOG_INFO, "slot %u: T=%d cannot be used: %s", slot->number, protocol,
	       why);
	return OC_E_PROTOCOL;
}

/* The fastest rate that card and reader have in common: TA1, or a lower Di with the same Fi. */
static uint8_t choose_rate(const struct slot *slot)
{
	const struct ccid_caps *caps = &slot->reader->caps;
	const uint32_t slowest = atr_rate(DEFAULT_FI_DI, caps->clock_khz);

	for (uint8_t ta1 = slot->atr.fi_di; ta1 & 15; ta1--) {
		const uint32_t rate = atr_rate(ta1, caps->clock_khz);

		if (rate > slowest && rate <= (uint64_t)caps->max_rate + RATE_TOLERANCE)
			return ta1;
	}
	return DEFAULT_FI_DI;
}

/*
 * Fi and Di that hold for the card once the parameters are set: those of TA1 in specific mode, whatever was chosen where the
 * reader does PPS from the parameters, else the default that the card is at after reset.
 */
static uint8_t fi_di_for(const struct slot *slot)
{
	if (slot->atr.specific)
		return slot->atr.fi_di;
	if (slot->reader->caps.features & CCID_AUTO_PPS)
		return choose_rate(slot);
	return DEFAULT_FI_DI;
}

static struct ccid_parameters parameters_for(const struct slot *slot)
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

/* A reader that does not take a parameter may have the right ones anyway: ask, and compare what matters. */
static enum oc_err compare_parameters(struct slot *slot, const struct ccid_parameters *wanted)
{
	const struct ccid_caps *caps = &slot->reader->caps;
	const struct ccid_command command = ccid_get_parameters(slot->number);
	const bool by_itself = caps->level != CCID_TPDU || (caps->features & CCID_AUTO_PARAM_NEGOTIATION);
	struct ccid_parameters active;
	struct ccid_reply reply;
	enum oc_err err = slot_exchange(slot, &command, CCID_QUICK_MS, &reply);

	if (err == OC_E_REFUSED)
		return by_itself ? OC_OK : OC_E_PROTOCOL;
	if (err == OC_OK)
		err = ccid_decode_parameters(&reply, &active);
	if (err != OC_OK)
		return err;
	if (active.protocol != wanted->protocol)
		return OC_E_PROTOCOL;
	if (active.fi_di != wanted->fi_di && !by_itself && !(caps->features & CCID_AUTO_PPS))
		return OC_E_PROTOCOL;
	slot->timing.fi_di = active.fi_di;
	return OC_OK;
}

enum oc_err slot_set_parameters(struct slot *slot)
{
	struct ccid_port *port = &slot->reader->port;
	const struct ccid_parameters wanted = parameters_for(slot);
	struct ccid_command command;
	struct ccid_reply reply;
	enum oc_err err;
	size_t cap;

	command = ccid_set_parameters(slot->number, slot->protocol,
				      ccid_put_parameters(ccid_payload(port, &cap), &wanted));
	err = slot_exchange(slot, &command, CCID_QUICK_MS + timing_wwt_ms(&slot->timing), &reply);
	if (err == OC_E_REFUSED && reply.error <= 0x7F)
		return compare_parameters(slot, &wanted);
	return err;
}

enum oc_err slot_negotiate(struct slot *slot, enum ccid_protocol protocol)
{
	const struct ccid_caps *caps = &slot->reader->caps;
	enum oc_err err = check_offered(slot, protocol);

	if (err != OC_OK)
		return err;
	if (slot->atr.specific && slot->atr.specific_implicit) {
		OC_LOG(slot->reader->log, OC_LOG_CRITICAL,
		       "slot %u: the card demands a speed that it does not name (TA2 %s); it cannot be used",
		       slot->number, "implicit");
		return OC_E_PROTOCOL;
	}
	slot->protocol = protocol;
	slot->timing = (struct timing){
		.clock_khz = caps->clock_khz,
		.fi_di = fi_di_for(slot),
		.guard_time = slot->atr.guard_time,
		.wi = slot->atr.wi,
	};
	err = caps->features & CCID_AUTO_PARAM_NEGOTIATION ? OC_OK : slot_set_parameters(slot);
	slot->protocol_set = err == OC_OK && slot->powered;
	if (err == OC_OK)
		OC_LOG(slot->reader->log, OC_LOG_INFO, "slot %u: T=%d, Fi/Di %02X", slot->number, protocol,
		       slot->timing.fi_di);
	return err;
}

enum oc_err slot_set_protocol(struct slot *slot, enum ccid_protocol protocol)
{
	enum oc_err err;

	pthread_mutex_lock(&slot->reader->lock);
	err = slot->powered ? slot_negotiate(slot, protocol) : OC_E_UNPOWERED;
	pthread_mutex_unlock(&slot->reader->lock);
	return err;
}
