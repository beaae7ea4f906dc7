/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of CCID rev 1.1, 6.1, one row each. */
#include "reader_priv.h"

static void slot_off(struct sim_slot *slot)
{
	if (!slot->card)
		return;
	slot->card->ops->off(slot->card);
	slot->power = SLOT_INACTIVE;
	slot->deaf = false;
	slot->rested = true;
}

/* bPowerSelect to a supply class; 0 if this reader cannot do it (6.1.1). */
static unsigned supply_of(const struct sim_reader *r, uint8_t select)
{
	static const uint8_t supplies[4] = { 0, SIM_5V, SIM_3V, SIM_1V8 };

	if (select == 0)
		return r->class.features & FEAT_AUTO_VOLTAGE ? r->class.voltages : 0;
	return select < 4 ? supplies[select] & r->class.voltages : 0;
}

/* With automatic voltage the reader tries one class after the other, lowest first (ISO 7816-3, 6.2.1). */
static size_t power_up(struct sim_reader *r, struct sim_slot *slot, unsigned supplies,
		       uint8_t atr[SIM_ATR_MAX])
{
	const bool warm = sim_slot_active(slot);
	size_t len = 0;

	for (unsigned supply = SIM_1V8; supply && len == 0; supply >>= 1) {
		struct line line = { .card = slot->card, .fidi = SIM_FIDI_DEFAULT };

		if (!(supplies & supply))
			continue;
		slot->card->ops->reset(slot->card, supply, warm);
		while (len < SIM_ATR_MAX && sim_line_recv(&line, &atr[len]))
			len++;
	}
	sim_atr_parse(atr, len, &slot->atr);
	if (len == 0) {
		slot_off(slot);
		return 0;
	}
	slot->power = SLOT_ACTIVE;
	slot->rested = false;
	slot->used = slot->pps = false;
	slot->wtx = 0;
	slot->chain.command_len = slot->chain.answer_len = 0;
	sim_params_after_reset(r, slot);
	return len;
}

static void run_power_on(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	unsigned supplies = supply_of(r, cmd->specific[0]);

	if (!supplies) {
		sim_reader_violate(r, "IccPowerOn with bPowerSelect %02Xh, bVoltageSupport is %02Xh",
				   cmd->specific[0], r->class.voltages);
		reply->error = ERR_BYTE7;
		return;
	}
	if (!cmd->slot->card) {
		reply->error = ERR_MUTE;
		return;
	}
	if (r->emv || (r->stubborn && !cmd->slot->rested)) {
		reply->error = r->emv ? ERR_EMV : ERR_MUTE;
		return;
	}
	reply->len = power_up(r, cmd->slot, supplies, r->scratch);
	reply->data = r->scratch;
	if (reply->len == 0)
		reply->error = ERR_MUTE;
}

static void run_power_off(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	(void)r;
	slot_off(cmd->slot);
	reply->extra = 1; /* bClockStatus: stopped low */
}

static void run_slot_status(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	(void)r;
	reply->extra = sim_slot_active(cmd->slot) ? 0 : 1;
}

static void run_icc_clock(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	if (!(r->class.features & FEAT_CLOCK_STOP))
		reply->error = ERR_UNSUPPORTED;
	else if (cmd->specific[0] > 1)
		reply->error = ERR_BYTE7;
	else if (!sim_slot_active(cmd->slot))
		reply->error = ERR_MUTE;
	else
		reply->extra = cmd->specific[0];
}

/* 6.1.10: only readers that send GET RESPONSE themselves have a use for its class. */
static void run_t0apdu(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	if (!(r->class.features & (FEAT_SHORT_APDU | FEAT_EXTENDED_APDU)))
		reply->error = ERR_UNSUPPORTED;
	else if (cmd->specific[0] > 3)
		reply->error = ERR_BYTE7;
	else
		cmd->slot->class_get_response =
			cmd->specific[0] & 1 ? cmd->specific[1] : r->class.class_get_response;
}

static void run_unsupported(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	(void)r;
	(void)cmd;
	reply->error = ERR_UNSUPPORTED;
}

enum { ANY = SIM_MESSAGE_MAX };

static const struct message_rule rules[] = {
	{ MSG_SET_PARAMETERS, MSG_PARAMETERS, "SetParameters", 0, ANY, 6, sim_run_set_parameters },
	{ MSG_POWER_ON, MSG_DATA_BLOCK, "IccPowerOn", 0, 0, 6, run_power_on },
	{ MSG_POWER_OFF, MSG_SLOT_STATUS, "IccPowerOff", 0, 0, 7, run_power_off },
	{ MSG_GET_SLOT_STATUS, MSG_SLOT_STATUS, "GetSlotStatus", 0, 0, 7, run_slot_status },
	{ MSG_SECURE, MSG_DATA_BLOCK, "Secure", 1, ANY, 0, sim_run_secure },
	{ MSG_T0APDU, MSG_SLOT_STATUS, "T0APDU", 0, 0, 0, run_t0apdu },
	{ MSG_ESCAPE, MSG_ESCAPE_ANSWER, "Escape", 0, ANY, 7, sim_run_escape },
	{ MSG_GET_PARAMETERS, MSG_PARAMETERS, "GetParameters", 0, 0, 7, sim_run_get_parameters },
	{ MSG_RESET_PARAMETERS, MSG_PARAMETERS, "ResetParameters", 0, 0, 7, sim_run_reset_parameters },
	{ MSG_ICC_CLOCK, MSG_SLOT_STATUS, "IccClock", 0, 0, 6, run_icc_clock },
	{ MSG_XFR_BLOCK, MSG_DATA_BLOCK, "XfrBlock", 0, ANY, 0, sim_run_xfr_block },
	{ MSG_MECHANICAL, MSG_SLOT_STATUS, "Mechanical", 0, 0, 6, run_unsupported },
	{ MSG_ABORT, MSG_SLOT_STATUS, "Abort", 0, 0, 7, run_unsupported },
	{ MSG_SET_RATE, MSG_RATE, "SetDataRateAndClockFrequency", 8, 8, 7, sim_run_set_rate },
};

const struct message_rule *sim_message_rule(uint8_t type)
{
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if (rules[i].type == type)
			return &rules[i];
	return NULL;
}

const char *sim_message_name(uint8_t type)
{
	static const char *const answers[] = { "DataBlock", "SlotStatus", "Parameters", "Escape answer",
					       "DataRateAndClockFrequency" };
	const struct message_rule *rule = sim_message_rule(type);

	if (rule)
		return rule->name;
	return type >= MSG_DATA_BLOCK && type <= MSG_RATE ? answers[type - MSG_DATA_BLOCK] : NULL;
}
