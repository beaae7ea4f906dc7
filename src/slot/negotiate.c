/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preparing reader and card for a protocol. What the host has to do depends on dwFeatures (CCID rev 1.1, 5.1, 6.1.7, 6.1.14) and
 * on the ATR (ISO/IEC 7816-3:2006, 6.3 and 9): PPS, SetParameters, the data rate, S(IFS request).
 */
#include "slot/slot.h"

#include "ccid/status.h"
#include "tpdu/pps.h"

#include <string.h>

enum {
	TYPE_CLASS_IN = 0xA1,
	REQUEST_GET_DATA_RATES = 0x03, /* CCID rev 1.1, 5.3.3 */
	CONTROL_MS = 500,
	BLOCK_OVERHEAD = 3 + 2, /* prologue and the longer EDC of a T=1 block */
	LONGEST_WAIT_ETU = 9600,
};

static bool host_does_pps(const struct slot *slot)
{
	return slot_host_sends_blocks(slot) && !slot_negotiates_by_itself(slot) &&
	       !(slot->reader->caps.features & CCID_AUTO_PPS) && !slot->reader->caps.no_pps;
}

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
	else if (atr->specific && atr->specific_implicit)
		why = "the card demands a speed that it does not name (TA2)";
	else if (!(protocol == CCID_PROTOCOL_T1 ? caps->t1 : caps->t0))
		why = "the reader does not offer it";
	else if (caps->no_pps && !atr->specific && protocol != atr->first_protocol)
		why = "it is not the card's first one, and this reader cannot do the PPS that changes it";
	if (!why)
		return OC_OK;
	OC_LOG(slot->reader->log, OC_LOG_INFO, "slot %u: T=%d cannot be used: %s", slot->number, protocol,
	       why);
	return OC_E_PROTOCOL;
}

/* ---- the speeds -------------------------------------------------------------------------------------------------- */

/* The reader's list of rates, asked for once, where it says that it has one. */
static void ask_rates(struct slot *slot)
{
	struct reader *reader = slot->reader;
	struct transport *t = slot->port->transport;
	const struct transport_setup setup = {
		.request_type = TYPE_CLASS_IN,
		.request = REQUEST_GET_DATA_RATES,
		.index = slot->port->interface,
	};
	uint8_t bytes[4 * DATA_RATES_MAX];
	size_t len = (size_t)4 * reader->caps.num_rates;

	if (reader->rates.asked || !reader->caps.num_rates)
		return;
	reader->rates.asked = true;
	if (t->ops->control(t, &setup, bytes, &len, CONTROL_MS) == OC_OK)
		speed_take_rates(&reader->rates, bytes, len);
}

static void learn_rates(struct slot *slot)
{
	struct reader *reader = slot->reader;

	pthread_mutex_lock(&reader->once_lock);
	ask_rates(slot);
	pthread_mutex_unlock(&reader->once_lock);
}

/* speed_plan() for what this slot of the reader can do */
static unsigned plan_for_slot(const struct slot *slot, uint8_t ta1, uint8_t remembered,
			      uint8_t plan[SPEED_TRIES])
{
	struct ccid_caps caps = slot->reader->caps;

	if (slot->number > 0 && caps.other_slots_rate)
		caps.max_rate = caps.other_slots_rate;
	return speed_plan(&caps, &slot->reader->rates, ta1, remembered, plan);
}

/* Fi and Di to try, best first. */
static unsigned plan_speeds(struct slot *slot, const struct pts *pts, uint8_t plan[SPEED_TRIES])
{
	struct reader *reader = slot->reader;
	const struct atr *atr = &slot->atr;
	const bool host_decides =
		host_does_pps(slot) || ((reader->caps.features & CCID_AUTO_PPS) && !reader->caps.no_pps);

	/* Specific mode: the card is at TA1 already. */
	plan[0] = atr->specific ? atr->fi_di : SPEED_DEFAULT;
	if (atr->specific || !host_decides)
		return 1;
	if (pts && pts->has_pts1) {
		plan[0] = pts->pts1;
		return 1;
	}
	if (atr->fi_di == SPEED_DEFAULT)
		return 1;
	learn_rates(slot);
	return plan_for_slot(slot, atr->fi_di, speed_recall(&slot->speeds, slot->atr_bytes, slot->atr_len),
			     plan);
}

void slot_try_speed(const struct slot *slot, struct speed_trial *trial)
{
	trial->fi_di = slot->timing.fi_di;
	trial->open = slot->unproven && trial->fi_di != SPEED_DEFAULT && !slot->atr.specific;
	if (!trial->open)
		return;
	memcpy(trial->atr, slot->atr_bytes, sizeof trial->atr);
	trial->atr_len = slot->atr_len;
}

void slot_blame_speed(struct slot *slot, const struct speed_trial *trial)
{
	const struct reader *reader = slot->reader;
	uint8_t plan[SPEED_TRIES];

	if (!trial->open)
		return;
	/* What would be tried after this one? */
	if (plan_for_slot(slot, trial->fi_di, 0, plan) > 1)
		speed_remember(&slot->speeds, trial->atr, trial->atr_len,
			       plan[0] == trial->fi_di ? plan[1] : plan[0]);
	OC_LOG(reader->log, OC_LOG_INFO,
	       "slot %u: nothing came through at Fi/Di %02X; the card will be tried at a lower speed next "
	       "time",
	       slot->number, trial->fi_di);
}

/* ---- PPS --------------------------------------------------------------------------------------------------------- */

static bool pps_needed(const struct slot *slot, enum ccid_protocol protocol, uint8_t fi_di,
		       const struct pts *pts)
{
	if (!host_does_pps(slot) || slot->atr.specific)
		return false;
	return protocol != slot->atr.first_protocol || fi_di != SPEED_DEFAULT ||
	       (pts && (pts->has_pts1 || pts->has_pts2 || pts->has_pts3));
}

/* 9: at the default speed, as the first exchange after the ATR. */
static enum oc_err do_pps(struct slot *slot, enum ccid_protocol protocol, const struct pts *pts,
			  uint8_t *fi_di)
{
	const struct pps pps = {
		.protocol = (uint8_t)protocol,
		.fi_di = *fi_di,
		.has_pps2 = pts && pts->has_pts2,
		.has_pps3 = pts && pts->has_pts3,
		.pps2 = pts ? pts->pts2 : 0,
		.pps3 = pts ? pts->pts3 : 0,
	};
	const unsigned fi_over_di = 372;
	const unsigned card_ms = LONGEST_WAIT_ETU * fi_over_di / slot->timing.clock_khz;
	const unsigned wait = (card_ms < TIMING_LONGEST_MS ? card_ms : TIMING_LONGEST_MS) + USB_MARGIN_MS;
	struct ccid_port *port = slot->port;
	struct ccid_command command;
	struct ccid_reply reply;
	enum oc_err err;
	size_t cap;

	command = ccid_xfr_block(slot->number, 0, 0, pps_put_request(ccid_payload(port, &cap), &pps));
	/* At character level the answer has as many bytes as the request, or fewer where the card declines. */
	if (slot->reader->caps.level == CCID_CHARACTER)
		command.specific[1] = (uint8_t)command.len;
	err = slot_exchange(slot, &command, wait, &reply);
	return err == OC_OK ? pps_check_response(&pps, reply.data, reply.len, fi_di) : err;
}

/* Where the reader follows neither clock nor rate by itself, it is told; one that cannot be told stays as it is. */
static enum oc_err set_rate(struct slot *slot)
{
	const struct ccid_caps *caps = &slot->reader->caps;
	const uint32_t follows = CCID_AUTO_CLOCK | CCID_AUTO_BAUD;
	const struct ccid_command command = ccid_set_data_rate_and_clock(slot->number);
	struct ccid_reply reply;
	const uint32_t bps = atr_rate(slot->timing.fi_di, caps->clock_khz);
	uint32_t made_of_it;
	enum oc_err err;
	size_t cap;

	if ((caps->features & follows) == follows || slot->timing.fi_di == SPEED_DEFAULT || !bps)
		return OC_OK;
	ccid_put_rate_and_clock(ccid_payload(slot->port, &cap), caps->clock_khz, bps);
	err = slot_exchange(slot, &command, CCID_QUICK_MS, &reply);
	if (err == OC_OK && ccid_decode_rate_and_clock(&reply, &slot->clock_khz, &made_of_it) != OC_OK)
		slot->clock_khz = 0;
	return err == OC_E_REFUSED ? OC_OK : err;
}

/* The reader has negotiated by itself: find out what, where the card left it a choice. */
static enum oc_err accept_readers_choice(struct slot *slot)
{
	const uint16_t only = (uint16_t)(1u << slot->protocol);
	struct timing at_ta1 = slot->timing;
	struct ccid_parameters active;
	enum oc_err err;

	/* It may have taken TA1 or not: wait as long as the slower of the two demands. */
	at_ta1.fi_di = slot->atr.fi_di;
	if (waits_of(&at_ta1).wwt_ms > slot_waits(slot)->wwt_ms)
		slot->timing = at_ta1;
	if (slot->atr.protocols == only)
		return OC_OK;
	err = slot_get_parameters(slot, &active);
	if (err == OC_E_REFUSED)
		return OC_OK;
	if (err != OC_OK)
		return err;
	slot->timing.fi_di = active.fi_di;
	/* Some readers can be told to take the other protocol. */
	return active.protocol == slot->protocol ? OC_OK : slot_set_parameters(slot);
}

/* ---- T=1 --------------------------------------------------------------------------------------------------------- */

/* The longest information field that fits a message of the reader. */
static uint8_t block_room(const struct slot *slot)
{
	const uint32_t room = slot->reader->caps.max_message - CCID_HEADER_LEN - BLOCK_OVERHEAD;

	return (uint8_t)(room < T1_MAX_IFS ? room : T1_MAX_IFS);
}

static uint8_t own_ifsd(const struct slot *slot)
{
	const uint8_t room = block_room(slot), most = slot->reader->caps.max_ifsd;

	return room < most ? room : most;
}

static enum oc_err start_t1(struct slot *slot)
{
	t1_start(&slot->t1, slot->atr.ifsc, slot->atr.crc, slot->nad);
	slot->t1.longest = block_room(slot);
	if (!slot_host_sends_blocks(slot))
		return OC_OK;
	return slot_announce_ifsd(slot);
}

/*
 * Where the reader announces it, or where S(IFS request) does harm, the host does not, also after RESYNCH. Then the card may
 * send what the reader takes, or 32 bytes where nobody has told it: both are accepted.
 */
static void assume_ifsd(struct slot *slot)
{
	const uint8_t ifsd = own_ifsd(slot);

	slot->t1.ifsd = ifsd > T1_DEFAULT_IFS ? ifsd : T1_DEFAULT_IFS;
	slot->t1.renew_ifsd = false;
}

enum oc_err slot_announce_ifsd(struct slot *slot)
{
	const uint8_t ifsd = own_ifsd(slot);
	enum step end;
	enum oc_err err;

	if (slot->reader->caps.features & CCID_AUTO_IFSD) {
		assume_ifsd(slot);
		return OC_OK;
	}
	err = ifsd == T1_DEFAULT_IFS ? OC_OK : t1_begin_ifsd(&slot->t1, ifsd);
	if (err != OC_OK || ifsd == T1_DEFAULT_IFS)
		return err;
	err = slot_run_t1(slot, &end);
	if (err == OC_OK && end == STEP_FAIL)
		err = slot->t1.err;
	return err;
}

/* ---- all together ------------------------------------------------------------------------------------------------- */

/* What SetParameters carries, from the ATR */
static void take_parameters(struct slot *slot, enum ccid_protocol protocol, uint8_t fi_di)
{
	slot->protocol = protocol;
	slot->agreed = false;
	slot->clock_khz = 0;
	slot->timing = (struct timing){
		.clock_khz = slot->reader->caps.clock_khz,
		.fi_di = fi_di,
		.guard_time = slot->atr.guard_time,
		.wi = slot->atr.wi,
		.bwi = slot->atr.bwi,
	};
}

/* One try at one speed, with a card fresh from reset. */
static enum oc_err set_up(struct slot *slot, enum ccid_protocol protocol, uint8_t fi_di,
			  const struct pts *pts)
{
	enum oc_err err = OC_OK;

	take_parameters(slot, protocol, fi_di);
	if (slot_negotiates_by_itself(slot)) {
		err = accept_readers_choice(slot);
	} else {
		if (pps_needed(slot, protocol, fi_di, pts))
			err = do_pps(slot, protocol, pts, &slot->timing.fi_di);
		if (err == OC_OK)
			err = slot_set_parameters(slot);
		if (err == OC_OK)
			err = set_rate(slot);
	}
	if (err == OC_OK && protocol == CCID_PROTOCOL_T1)
		err = start_t1(slot);
	return err;
}

/* What a lower speed may help against: the card or the reader did not like this one. */
static bool speed_may_help(enum oc_err err)
{
	return err == OC_E_MUTE || err == OC_E_CARD || err == OC_E_PROTOCOL || err == OC_E_REFUSED;
}

/*
 * A reader that refuses good parameters works with those that it took from the ATR. The card is reset twice, which is what is
 * known to bring such a reader and its card back to the start.
 */
static enum oc_err go_without_parameters(struct slot *slot, const uint8_t *atr, size_t len)
{
	enum oc_err err = slot_cold_reset(slot, atr, len);

	if (err == OC_OK)
		err = slot_cold_reset(slot, atr, len);
	if (err != OC_OK)
		return err;
	OC_LOG(slot->reader->log, OC_LOG_INFO,
	       "slot %u: the reader does not take the card's T=1 parameters; it is left with its own",
	       slot->number);
	take_parameters(slot, CCID_PROTOCOL_T1, SPEED_DEFAULT);
	return start_t1(slot);
}

static enum oc_err try_speeds(struct slot *slot, enum ccid_protocol protocol, const struct pts *pts)
{
	uint8_t plan[SPEED_TRIES];
	const unsigned n = plan_speeds(slot, pts, plan);
	/* What fails may cost the card its power, and the slot the knowledge of it. */
	const size_t len = slot->atr_len;
	uint8_t atr[ATR_MAX];
	enum oc_err err = OC_E_PROTOCOL;

	memcpy(atr, slot->atr_bytes, sizeof atr);

	for (unsigned i = 0; i < n; i++) {
		if (i > 0) {
			OC_LOG(slot->reader->log, OC_LOG_INFO,
			       "slot %u: the card does not come through at Fi/Di %02X (%s); it is reset, and "
			       "tried at %02X",
			       slot->number, plan[i - 1], oc_strerr(err), plan[i]);
			speed_remember(&slot->speeds, atr, len, plan[i]);
			err = slot_cold_reset(slot, atr, len);
			if (err != OC_OK)
				return err;
		}
		err = set_up(slot, protocol, plan[i], pts);
		if (!speed_may_help(err))
			break;
	}
	if (speed_may_help(err) && protocol == CCID_PROTOCOL_T1 && slot->reader->caps.ignore_parameters)
		err = go_without_parameters(slot, atr, len);
	/* After an unsuccessful PPS nothing more may be sent to the card (9.3): it has to be started anew. */
	if (speed_may_help(err))
		slot_lost_card(slot);
	return err;
}

/* Some readers come up with their interrupt endpoint halted, and let go of it only when a card works. */
static void clear_interrupt(struct reader *reader)
{
	struct transport *t = reader->transport;
	bool done;

	if (!reader->caps.clear_interrupt || !reader->interrupt)
		return;
	pthread_mutex_lock(&reader->once_lock);
	done = reader->interrupt_cleared;
	reader->interrupt_cleared = true;
	pthread_mutex_unlock(&reader->once_lock);
	if (!done && t->ops->clear_interrupt(t) != OC_OK)
		OC_LOG(reader->log, OC_LOG_INFO, "the interrupt endpoint could not be cleared");
}

enum oc_err slot_negotiate(struct slot *slot, enum ccid_protocol protocol, const struct pts *pts)
{
	enum oc_err err = check_offered(slot, protocol);

	if (err != OC_OK)
		return err;
	if (pts && (pts->has_pts2 || pts->has_pts3) && (!host_does_pps(slot) || slot->atr.specific))
		return OC_E_UNSUPPORTED; /* there is no way to tell the reader */
	err = try_speeds(slot, protocol, pts);
	slot->protocol_set = err == OC_OK && slot->powered;
	slot->unproven = slot->protocol_set;
	if (err != OC_OK)
		return err;
	clear_interrupt(slot->reader);
	OC_LOG(slot->reader->log, OC_LOG_INFO, "slot %u: T=%d, Fi/Di %02X", slot->number, protocol,
	       slot->timing.fi_di);
	return OC_OK;
}

enum oc_err slot_get_nad(struct slot *slot, uint8_t *nad)
{
	if (!slot_host_sends_blocks(slot))
		return OC_E_UNSUPPORTED;
	slot_lock(slot);
	*nad = slot->nad;
	slot_unlock(slot);
	return OC_OK;
}

enum oc_err slot_set_nad(struct slot *slot, uint8_t nad)
{
	const uint8_t source = nad & 15, destination = nad >> 4;

	if (!slot_host_sends_blocks(slot))
		return OC_E_UNSUPPORTED;
	if ((nad & 0x88) || (nad && source == destination))
		return OC_E_LENGTH;
	slot_lock(slot);
	slot->nad = slot->t1.nad = nad;
	slot_unlock(slot);
	return OC_OK;
}

enum oc_err slot_set_protocol(struct slot *slot, enum ccid_protocol protocol, const struct pts *pts)
{
	enum oc_err err;

	slot_lock(slot);
	slot->strange = false;
	err = slot->powered ? slot_negotiate(slot, protocol, pts) : OC_E_UNPOWERED;
	slot_unlock(slot);
	return err;
}
