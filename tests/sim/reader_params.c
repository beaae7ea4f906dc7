/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parameters of the transmission: what the reader believes the card speaks (CCID rev 1.1, 6.1.5 to 6.1.7, 6.1.14). */
#include "reader_priv.h"

#include "base/bytes.h"

static const uint8_t defaults[2][PARAM_MAX] = {
	{ 0x11, 0x00, 0x00, 0x0A, 0x00 },
	{ 0x11, 0x10, 0x00, 0x4D, 0x00, 0x20, 0x00 },
};

static size_t params_len(uint8_t protocol)
{
	return protocol == 1 ? 7 : 5;
}

static void set_defaults(struct params *p, uint8_t protocol)
{
	p->protocol = protocol & 1;
	memcpy(p->bytes, defaults[p->protocol], PARAM_MAX);
}

static uint32_t rate_of(const struct sim_reader *r, uint8_t fidi)
{
	unsigned fi, di;

	return sim_fidi(fidi, &fi, &di) ? (uint32_t)((uint64_t)r->class.clock_khz * 1000 * di / fi) : 0;
}

/* The fastest speed of the card's Fi that this reader can do. */
static uint8_t best_fidi(const struct sim_reader *r, uint8_t ta1)
{
	for (uint8_t fidi = ta1; fidi & 15; fidi--) {
		uint32_t rate = rate_of(r, fidi);

		if (rate && rate <= r->class.max_rate + 2)
			return fidi;
	}
	return SIM_FIDI_DEFAULT;
}

static void fill_from_atr(struct params *p, const struct sim_atr *atr)
{
	set_defaults(p, atr->first);
	p->bytes[PARAM_FIDI] = atr->specific ? atr->ta1 : SIM_FIDI_DEFAULT;
	p->bytes[PARAM_GUARD] = atr->guard;
	if (p->protocol == 0) {
		p->bytes[PARAM_WAIT] = atr->wi;
		return;
	}
	p->bytes[PARAM_TCCKS] = (uint8_t)(p->bytes[PARAM_TCCKS] | atr->crc);
	p->bytes[PARAM_WAIT] = atr->bwi_cwi;
	p->bytes[PARAM_IFSC] = atr->ifsc;
}

/* A reader with any of the automatic features knows the ATR; another one has to be told. */
void sim_params_after_reset(struct sim_reader *r, struct sim_slot *slot)
{
	uint8_t best = best_fidi(r, slot->atr.ta1);

	slot->rate = r->class.default_rate;
	if (!(r->class.features & (FEAT_PARAM_ATR | FEAT_NEGOTIATES | FEAT_AUTO_PPS))) {
		set_defaults(&slot->params, 0);
		return;
	}
	fill_from_atr(&slot->params, &slot->atr);
	if (!(r->class.features & FEAT_NEGOTIATES) || slot->atr.specific || best == SIM_FIDI_DEFAULT)
		return;
	if (sim_pps_by_reader(slot, slot->params.protocol, best))
		slot->params.bytes[PARAM_FIDI] = best;
}

/* A reader that does not follow Fi/Di by itself speaks at the rate it was given, and both have to agree. */
struct line sim_line_of(const struct sim_reader *r, const struct sim_slot *slot)
{
	const uint8_t fidi = slot->params.bytes[PARAM_FIDI];
	const uint32_t rate = rate_of(r, fidi);
	struct line line = { .card = slot->card, .fidi = fidi };

	if (r->class.features & (FEAT_AUTO_BAUD | FEAT_NEGOTIATES | FEAT_AUTO_PPS))
		return line;
	if (fidi != SIM_FIDI_DEFAULT && (slot->rate + 2 < rate || slot->rate > rate + 2))
		line.fidi = 0;
	return line;
}

static void give_params(struct sim_reader *r, const struct sim_slot *slot, struct reply *reply)
{
	reply->extra = slot->params.protocol;
	reply->len = params_len(slot->params.protocol);
	memcpy(r->scratch, slot->params.bytes, reply->len);
	reply->data = r->scratch;
}

void sim_run_get_parameters(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	if (!sim_slot_active(cmd->slot))
		reply->error = ERR_MUTE;
	else
		give_params(r, cmd->slot, reply);
}

void sim_run_reset_parameters(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	if (!sim_slot_active(cmd->slot)) {
		reply->error = ERR_MUTE;
		return;
	}
	set_defaults(&cmd->slot->params, cmd->slot->params.protocol);
	give_params(r, cmd->slot, reply);
}

/* Which bits of each byte have a fixed value, and the range of the whole (6.1.7). */
static const struct param_rule {
	uint8_t mask, value, min, max;
} rules[2][PARAM_MAX] = {
	{ { 0, 0, 0, 0xFF }, { 0xFD, 0x00, 0, 0xFF }, { 0, 0, 0, 0xFF }, { 0, 0, 1, 0xFF }, { 0, 0, 0, 3 } },
	{ { 0, 0, 0, 0xFF },
	  { 0xFC, 0x10, 0, 0xFF },
	  { 0, 0, 0, 0xFF },
	  { 0, 0, 0, 0x9F },
	  { 0, 0, 0, 3 },
	  { 0, 0, 1, 254 },
	  { 0, 0, 0, 0xFF } },
};

static bool byte_ok(const struct sim_reader *r, uint8_t protocol, size_t at, uint8_t value)
{
	const struct param_rule *rule = &rules[protocol][at];

	if ((value & rule->mask) != rule->value || value < rule->min || value > rule->max)
		return false;
	if (at == PARAM_NAD)
		return value == 0 || (r->class.features & FEAT_NAD);
	if (at != PARAM_FIDI || value == SIM_FIDI_DEFAULT)
		return true;
	return rate_of(r, value) != 0 && rate_of(r, value) <= r->class.max_rate + 2;
}

static int check_bytes(struct sim_reader *r, const struct command *cmd, uint8_t protocol)
{
	for (size_t i = 0; i < cmd->len; i++) {
		if (byte_ok(r, protocol, i, cmd->data[i]))
			continue;
		sim_reader_violate(r, "SetParameters: %02Xh at offset %zu is reserved or beyond this reader",
				   cmd->data[i], SIM_HEADER + i);
		return (int)(ERR_DATA + i);
	}
	return OK;
}

static int check_set_parameters(struct sim_reader *r, const struct command *cmd)
{
	const uint8_t protocol = cmd->specific[0];

	if (protocol > 1 || !(r->class.protocols & 1u << protocol)) {
		sim_reader_violate(r, "SetParameters for protocol %02Xh, dwProtocols is %X", protocol,
				   r->class.protocols);
		return ERR_BYTE7;
	}
	if (cmd->len != params_len(protocol)) {
		sim_reader_violate(r, "SetParameters for T=%u with %zu bytes", protocol, cmd->len);
		return ERR_LENGTH;
	}
	if (!sim_slot_active(cmd->slot))
		return ERR_MUTE;
	if (!(cmd->slot->atr.protocols & 1u << protocol)) {
		sim_reader_violate(r, "SetParameters for T=%u, which the card does not offer", protocol);
		return ERR_BYTE7;
	}
	return check_bytes(r, cmd, protocol);
}

static bool speed_changes(const struct sim_slot *slot, const struct command *cmd)
{
	return cmd->data[PARAM_FIDI] != slot->params.bytes[PARAM_FIDI] ||
	       cmd->specific[0] != slot->params.protocol;
}

void sim_run_set_parameters(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	struct sim_slot *slot = cmd->slot;
	bool by_reader = r->class.features & (FEAT_NEGOTIATES | FEAT_AUTO_PPS);

	reply->error = check_set_parameters(r, cmd);
	if (reply->error != OK)
		return;
	if (slot->used && speed_changes(slot, cmd))
		sim_reader_violate(r, "SetParameters changes protocol or Fi/Di after the first command");
	if (by_reader && speed_changes(slot, cmd) && !slot->atr.specific &&
	    !sim_pps_by_reader(slot, cmd->specific[0], cmd->data[PARAM_FIDI])) {
		reply->error = ERR_DATA + PARAM_FIDI;
		return;
	}
	slot->params.protocol = cmd->specific[0];
	memset(slot->params.bytes, 0, PARAM_MAX);
	memcpy(slot->params.bytes, cmd->data, cmd->len);
	give_params(r, slot, reply);
}

/* Manual speed: only where the reader does not do it by itself. */
void sim_run_set_rate(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	struct rd rd = rd_of(cmd->data, cmd->len);
	uint32_t clock = rd_le32(&rd), rate = rd_le32(&rd);
	struct wr w = wr_of(r->scratch, 8);

	if (r->class.features & (FEAT_AUTO_BAUD | FEAT_NEGOTIATES | FEAT_AUTO_PPS)) {
		reply->error = ERR_UNSUPPORTED;
		return;
	}
	if (clock != r->class.clock_khz || rate == 0 || rate > r->class.max_rate + 2) {
		sim_reader_violate(r, "SetDataRateAndClockFrequency to %u kHz, %u bps: beyond this reader",
				   clock, rate);
		reply->error = clock != r->class.clock_khz ? ERR_DATA : ERR_DATA + 4;
		return;
	}
	cmd->slot->rate = rate;
	wr_le32(&w, clock);
	wr_le32(&w, rate);
	reply->data = r->scratch;
	reply->len = 8;
}
