/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ccid/message.h"

#include "base/bytes.h"

/* Each command with its name, and the answer that belongs to it. */
static const struct {
	uint8_t type, reply;
	const char *name;
} types[] = {
	{ PC_TO_RDR_XFR_BLOCK, RDR_TO_PC_DATA_BLOCK, "PC_to_RDR_XfrBlock" }, /* first: most of all */
	{ PC_TO_RDR_SET_PARAMETERS, RDR_TO_PC_PARAMETERS, "PC_to_RDR_SetParameters" },
	{ PC_TO_RDR_ICC_POWER_ON, RDR_TO_PC_DATA_BLOCK, "PC_to_RDR_IccPowerOn" },
	{ PC_TO_RDR_ICC_POWER_OFF, RDR_TO_PC_SLOT_STATUS, "PC_to_RDR_IccPowerOff" },
	{ PC_TO_RDR_GET_SLOT_STATUS, RDR_TO_PC_SLOT_STATUS, "PC_to_RDR_GetSlotStatus" },
	{ PC_TO_RDR_SECURE, RDR_TO_PC_DATA_BLOCK, "PC_to_RDR_Secure" },
	{ PC_TO_RDR_T0_APDU, RDR_TO_PC_SLOT_STATUS, "PC_to_RDR_T0APDU" },
	{ PC_TO_RDR_ESCAPE, RDR_TO_PC_ESCAPE, "PC_to_RDR_Escape" },
	{ PC_TO_RDR_GET_PARAMETERS, RDR_TO_PC_PARAMETERS, "PC_to_RDR_GetParameters" },
	{ PC_TO_RDR_RESET_PARAMETERS, RDR_TO_PC_PARAMETERS, "PC_to_RDR_ResetParameters" },
	{ PC_TO_RDR_ICC_CLOCK, RDR_TO_PC_SLOT_STATUS, "PC_to_RDR_IccClock" },
	{ PC_TO_RDR_MECHANICAL, RDR_TO_PC_SLOT_STATUS, "PC_to_RDR_Mechanical" },
	{ PC_TO_RDR_ABORT, RDR_TO_PC_SLOT_STATUS, "PC_to_RDR_Abort" },
	{ PC_TO_RDR_SET_DATA_RATE_AND_CLOCK, RDR_TO_PC_DATA_RATE_AND_CLOCK,
	  "PC_to_RDR_SetDataRateAndClockFrequency" },
	{ RDR_TO_PC_NOTIFY_SLOT_CHANGE, 0, "RDR_to_PC_NotifySlotChange" },
	{ RDR_TO_PC_HARDWARE_ERROR, 0, "RDR_to_PC_HardwareError" },
	{ RDR_TO_PC_DATA_BLOCK, 0, "RDR_to_PC_DataBlock" },
	{ RDR_TO_PC_SLOT_STATUS, 0, "RDR_to_PC_SlotStatus" },
	{ RDR_TO_PC_PARAMETERS, 0, "RDR_to_PC_Parameters" },
	{ RDR_TO_PC_ESCAPE, 0, "RDR_to_PC_Escape" },
	{ RDR_TO_PC_DATA_RATE_AND_CLOCK, 0, "RDR_to_PC_DataRateAndClockFrequency" },
};

const char *ccid_type_name(uint8_t type)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i].type == type)
			return types[i].name;
	return "unknown message";
}

uint8_t ccid_reply_type(uint8_t command_type)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i].type == command_type)
			return types[i].reply;
	return 0;
}

/* ---- commands -------------------------------------------------------------------------------------------------- */

static struct ccid_command plain(uint8_t type, uint8_t slot, uint8_t b7)
{
	return (struct ccid_command){ .type = type, .slot = slot, .specific = { b7, 0, 0 } };
}

static struct ccid_command transfer(uint8_t type, uint8_t slot, uint8_t bwi, uint16_t level_parameter,
				    size_t len)
{
	return (struct ccid_command){
		.type = type,
		.slot = slot,
		.specific = { bwi, (uint8_t)level_parameter, (uint8_t)(level_parameter >> 8) },
		.len = len,
	};
}

struct ccid_command ccid_icc_power_on(uint8_t slot, enum ccid_power_select power)
{
	return plain(PC_TO_RDR_ICC_POWER_ON, slot, (uint8_t)power);
}

struct ccid_command ccid_icc_power_off(uint8_t slot)
{
	return plain(PC_TO_RDR_ICC_POWER_OFF, slot, 0);
}

struct ccid_command ccid_get_slot_status(uint8_t slot)
{
	return plain(PC_TO_RDR_GET_SLOT_STATUS, slot, 0);
}

struct ccid_command ccid_xfr_block(uint8_t slot, uint8_t bwi, uint16_t level_parameter, size_t len)
{
	return transfer(PC_TO_RDR_XFR_BLOCK, slot, bwi, level_parameter, len);
}

struct ccid_command ccid_get_parameters(uint8_t slot)
{
	return plain(PC_TO_RDR_GET_PARAMETERS, slot, 0);
}

struct ccid_command ccid_reset_parameters(uint8_t slot)
{
	return plain(PC_TO_RDR_RESET_PARAMETERS, slot, 0);
}

struct ccid_command ccid_set_parameters(uint8_t slot, enum ccid_protocol protocol, size_t len)
{
	struct ccid_command command = plain(PC_TO_RDR_SET_PARAMETERS, slot, (uint8_t)protocol);

	command.len = len;
	return command;
}

struct ccid_command ccid_escape(uint8_t slot, size_t len)
{
	struct ccid_command command = plain(PC_TO_RDR_ESCAPE, slot, 0);

	command.len = len;
	return command;
}

struct ccid_command ccid_icc_clock(uint8_t slot, enum ccid_clock_command command)
{
	return plain(PC_TO_RDR_ICC_CLOCK, slot, (uint8_t)command);
}

struct ccid_command ccid_t0_apdu(uint8_t slot, bool set_get_response, uint8_t class_get_response,
				 bool set_envelope, uint8_t class_envelope)
{
	return (struct ccid_command){
		.type = PC_TO_RDR_T0_APDU,
		.slot = slot,
		.specific = { (uint8_t)((set_get_response ? 1 : 0) | (set_envelope ? 2 : 0)),
			      set_get_response ? class_get_response : (uint8_t)0,
			      set_envelope ? class_envelope : (uint8_t)0 },
	};
}

struct ccid_command ccid_secure(uint8_t slot, uint8_t bwi, uint16_t level_parameter, size_t len)
{
	return transfer(PC_TO_RDR_SECURE, slot, bwi, level_parameter, len);
}

struct ccid_command ccid_mechanical(uint8_t slot, enum ccid_mechanical function)
{
	return plain(PC_TO_RDR_MECHANICAL, slot, (uint8_t)function);
}

struct ccid_command ccid_abort(uint8_t slot)
{
	return plain(PC_TO_RDR_ABORT, slot, 0);
}

struct ccid_command ccid_set_data_rate_and_clock(uint8_t slot)
{
	struct ccid_command command = plain(PC_TO_RDR_SET_DATA_RATE_AND_CLOCK, slot, 0);

	command.len = 8;
	return command;
}

void ccid_put_header(uint8_t header[CCID_HEADER_LEN], const struct ccid_command *command, uint8_t seq)
{
	struct wr w = wr_of(header, CCID_HEADER_LEN);

	wr_u8(&w, command->type);
	wr_le32(&w, (uint32_t)command->len);
	wr_u8(&w, command->slot);
	wr_u8(&w, seq);
	wr_bytes(&w, command->specific, sizeof command->specific);
}

size_t ccid_put_parameters(uint8_t out[CCID_PARAMETERS_T1_LEN], const struct ccid_parameters *parameters)
{
	const bool t1 = parameters->protocol == CCID_PROTOCOL_T1;
	const size_t len = t1 ? CCID_PARAMETERS_T1_LEN : CCID_PARAMETERS_T0_LEN;
	struct wr w = wr_of(out, len);

	wr_u8(&w, parameters->fi_di);
	wr_u8(&w,
	      (uint8_t)((t1 ? 0x10 : 0) | (parameters->inverse ? 2 : 0) | (t1 && parameters->crc ? 1 : 0)));
	wr_u8(&w, parameters->guard_time);
	wr_u8(&w, parameters->waiting);
	wr_u8(&w, parameters->clock_stop);
	if (t1) {
		wr_u8(&w, parameters->ifsc);
		wr_u8(&w, parameters->nad);
	}
	return len;
}

void ccid_put_rate_and_clock(uint8_t out[8], uint32_t clock_khz, uint32_t rate_bps)
{
	struct wr w = wr_of(out, 8);

	wr_le32(&w, clock_khz);
	wr_le32(&w, rate_bps);
}

/* ---- answers --------------------------------------------------------------------------------------------------- */

enum oc_err ccid_decode_reply(const uint8_t *msg, size_t len, struct ccid_reply *out)
{
	struct rd r = rd_of(msg, len);
	const uint8_t *h = rd_bytes(&r, CCID_HEADER_LEN);
	const uint8_t *data;
	size_t data_len;

	if (!h)
		return OC_E_SHORT;
	data_len = le32(h + 1);
	data = rd_bytes(&r, data_len);
	if (r.overrun)
		return OC_E_LENGTH;
	*out = (struct ccid_reply){
		.type = h[0],
		.slot = h[5],
		.seq = h[6],
		.status = h[7],
		.error = h[8],
		.specific = h[9], /* meaning depends on the type */
		.data = data,
		.len = data_len,
		.padding = r.left,
	};
	return OC_OK;
}

enum oc_err ccid_decode_parameters(const struct ccid_reply *reply, struct ccid_parameters *out)
{
	const bool t1 = reply->specific == CCID_PROTOCOL_T1;
	struct rd r = rd_of(reply->data, reply->len);
	struct ccid_parameters p = { .protocol = t1 ? CCID_PROTOCOL_T1 : CCID_PROTOCOL_T0 };
	uint8_t tccks;

	if (reply->specific > CCID_PROTOCOL_T1)
		return OC_E_ANSWER;
	p.fi_di = rd_u8(&r);
	tccks = rd_u8(&r);
	p.inverse = tccks & 2;
	p.crc = t1 && (tccks & 1);
	p.guard_time = rd_u8(&r);
	p.waiting = rd_u8(&r);
	p.clock_stop = rd_u8(&r);
	if (t1) {
		p.ifsc = rd_u8(&r);
		p.nad = rd_u8(&r);
	}
	if (r.overrun || r.left != 0)
		return OC_E_ANSWER;
	*out = p;
	return OC_OK;
}

enum oc_err ccid_decode_rate_and_clock(const struct ccid_reply *reply, uint32_t *clock_khz,
				       uint32_t *rate_bps)
{
	struct rd r = rd_of(reply->data, reply->len);
	const uint32_t clock = rd_le32(&r), rate = rd_le32(&r);

	if (r.overrun || r.left != 0)
		return OC_E_ANSWER;
	*clock_khz = clock;
	*rate_bps = rate;
	return OC_OK;
}

bool ccid_next_event(const uint8_t **at, size_t *left, unsigned slots, struct ccid_event *out)
{
	struct rd r = rd_of(*at, *left);
	struct ccid_event e = { .type = rd_u8(&r) };

	if (r.overrun)
		return false;
	if (e.type == RDR_TO_PC_NOTIFY_SLOT_CHANGE) {
		/* A reader may leave out the bytes of its last slots: take what is there. */
		const size_t bytes = (slots + 3) / 4;

		e.states_len = bytes < r.left ? bytes : r.left;
		e.states = rd_bytes(&r, e.states_len);
	} else if (e.type == RDR_TO_PC_HARDWARE_ERROR) {
		e.slot = rd_u8(&r);
		e.seq = rd_u8(&r);
		e.error = rd_u8(&r);
	} else {
		return false;
	}
	if (r.overrun)
		return false;
	*at = r.at;
	*left = r.left;
	*out = e;
	return true;
}

bool ccid_event_slot(const struct ccid_event *event, unsigned slot, bool *present, bool *changed)
{
	unsigned bits;

	if (event->type != RDR_TO_PC_NOTIFY_SLOT_CHANGE || slot / 4 >= event->states_len)
		return false;
	bits = (unsigned)event->states[slot / 4] >> 2 * (slot % 4);
	*present = bits & 1;
	*changed = bits & 2;
	return true;
}
