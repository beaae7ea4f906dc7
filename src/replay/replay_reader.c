/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "replay/replay_reader.h"

#include "base/bytes.h"
#include "tpdu/t1.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	SLOT = 5,
	SEQ = 6,
	PROTOCOL = 7, /* bProtocolNum of SetParameters */
	STATUS_INACTIVE = 1,
	RATE_AND_CLOCK_LEN = 8,

	TYPE_CLASS_IN = 0xA1,
	REQUEST_GET_DATA_RATES = 0x03,
	TYPE_CLASS_OUT = 0x21,
	REQUEST_ABORT = 0x01,

	/* ISO/IEC 7816-3:2006, 9.2 and 11.3.2 */
	PPSS = 0xFF,
	PROLOGUE = 3,
	PCB_S_IFS_REQUEST = 0xC1,
	PCB_S_RESPONSE = 0x20,
	PCB_NOT_I = 0x80,
	PCB_I_NS = 0x40,
	PCB_I_MORE = 0x20,
	PCB_R = 0x80,
	PCB_R_NR = 0x10,
};

static const uint8_t fine[] = { 0x90, 0x00 };

/* ---- what the reader says ---------------------------------------------------------------------------------------- */

static size_t say(struct replay_reader *r, uint8_t type, uint8_t status, uint8_t specific,
		  const uint8_t *data, size_t len)
{
	const uint8_t slot = r->answer[SLOT], seq = r->answer[SEQ];
	struct wr w = wr_of(r->answer, sizeof r->answer);

	wr_u8(&w, type);
	wr_le32(&w, (uint32_t)len);
	wr_u8(&w, slot);
	wr_u8(&w, seq);
	wr_u8(&w, status);
	wr_u8(&w, 0);
	wr_u8(&w, specific);
	wr_bytes(&w, data, len);
	return w.overrun ? 0 : sizeof r->answer - w.left;
}

static size_t say_block(struct replay_reader *r, const uint8_t *data, size_t len)
{
	return say(r, RDR_TO_PC_DATA_BLOCK, 0, 0, data, len);
}

static size_t say_parameters(struct replay_reader *r)
{
	const size_t len = r->protocol ? CCID_PARAMETERS_T1_LEN : CCID_PARAMETERS_T0_LEN;

	return say(r, RDR_TO_PC_PARAMETERS, 0, r->protocol, r->parameters, len);
}

/* ---- T=1 --------------------------------------------------------------------------------------------------------- */

static size_t edc_len(const struct replay_reader *r)
{
	return r->crc ? 2 : 1;
}

static bool edc_fits(const struct replay_reader *r, const uint8_t *block, size_t len)
{
	const size_t body = len - edc_len(r);
	const uint16_t edc = t1_edc(block, body, r->crc);

	return block[len - 1] == (edc & 0xFF) && (!r->crc || block[body] == edc >> 8);
}

static bool is_block(const struct replay_reader *r, const uint8_t *bytes, size_t len)
{
	return len >= PROLOGUE + edc_len(r) && bytes[2] + PROLOGUE + edc_len(r) == len &&
	       edc_fits(r, bytes, len);
}

static size_t say_t1(struct replay_reader *r, uint8_t pcb, const uint8_t *inf, size_t len)
{
	uint8_t block[PROLOGUE + 32 + 2];
	struct wr w = wr_of(block, sizeof block);
	uint16_t edc;

	wr_u8(&w, 0);
	wr_u8(&w, pcb);
	wr_u8(&w, (uint8_t)len);
	wr_bytes(&w, inf, len);
	edc = t1_edc(block, sizeof block - w.left, r->crc);
	if (r->crc)
		wr_u8(&w, (uint8_t)(edc >> 8));
	wr_u8(&w, (uint8_t)edc);
	return w.overrun ? 0 : say_block(r, block, sizeof block - w.left);
}

/* A part of a command is acknowledged, its end is answered with success. */
static size_t take_i_block(struct replay_reader *r, uint8_t pcb)
{
	const uint8_t ns = r->ns;

	if (pcb & PCB_I_MORE)
		return say_t1(r, pcb & PCB_I_NS ? PCB_R : PCB_R | PCB_R_NR, NULL, 0);
	r->ns ^= PCB_I_NS;
	return say_t1(r, ns, fine, sizeof fine);
}

static size_t take_t1(struct replay_reader *r, const uint8_t *block)
{
	const uint8_t pcb = block[1];

	if (pcb == PCB_S_IFS_REQUEST && block[2] == 1)
		return say_t1(r, pcb | PCB_S_RESPONSE, block + PROLOGUE, 1);
	if (pcb & PCB_NOT_I || r->action->action != CAPTURE_TRANSMIT)
		return 0;
	return take_i_block(r, pcb);
}

/* ---- the commands ------------------------------------------------------------------------------------------------ */

static size_t power_on(struct replay_reader *r, const uint8_t *payload, size_t len)
{
	(void)payload;
	(void)len;
	if (r->action->action != CAPTURE_POWER_UP)
		return 0;
	r->powered = true;
	r->negotiated = r->crc = false;
	r->ns = r->protocol = 0;
	return say_block(r, r->action->bytes.value, r->action->bytes.len);
}

static size_t slot_status(struct replay_reader *r, const uint8_t *payload, size_t len)
{
	(void)payload;
	(void)len;
	return say(r, RDR_TO_PC_SLOT_STATUS, r->powered ? 0 : STATUS_INACTIVE, 0, NULL, 0);
}

static size_t set_parameters(struct replay_reader *r, const uint8_t *payload, size_t len)
{
	if (len != (r->protocol ? CCID_PARAMETERS_T1_LEN : CCID_PARAMETERS_T0_LEN))
		return 0;
	r->negotiated = true;
	memcpy(r->parameters, payload, len);
	r->crc = r->protocol && payload[1] & 1;
	return say_parameters(r);
}

/* Where nobody has set any, the reader has done it by itself, and has chosen what is asked for. */
static size_t get_parameters(struct replay_reader *r, const uint8_t *payload, size_t len)
{
	static const uint8_t defaults[2][CCID_PARAMETERS_T1_LEN] = {
		{ 0x11, 0x00, 0x00, 0x0A, 0x00 },
		{ 0x11, 0x10, 0x00, 0x4D, 0x00, 0x20, 0x00 },
	};

	(void)payload;
	(void)len;
	if (!r->negotiated) {
		r->protocol = r->action->action == CAPTURE_PROTOCOL && r->action->number;
		memcpy(r->parameters, defaults[r->protocol], sizeof r->parameters);
	}
	return say_parameters(r);
}

static size_t set_rate(struct replay_reader *r, const uint8_t *payload, size_t len)
{
	return len == RATE_AND_CLOCK_LEN ? say(r, RDR_TO_PC_DATA_RATE_AND_CLOCK, 0, 0, payload, len) : 0;
}

/* A request has a byte for each bit of PPS0, and all of it together gives 00; the card agrees by repeating it. */
static bool is_pps(const struct replay_reader *r, const uint8_t *bytes, size_t len)
{
	return !r->negotiated && len >= 3 && bytes[0] == PPSS &&
	       len == 3u + (bytes[1] >> 4 & 1) + (bytes[1] >> 5 & 1) + (bytes[1] >> 6 & 1) &&
	       t1_edc(bytes, len, false) == 0;
}

static size_t xfr_block(struct replay_reader *r, const uint8_t *payload, size_t len)
{
	const struct capture_bytes *apdu = &r->action->bytes;
	const bool transmits = r->action->action == CAPTURE_TRANSMIT;

	if (!r->powered)
		return 0;
	if (is_pps(r, payload, len))
		return say_block(r, payload, len);
	if (transmits && len == apdu->len && memcmp(payload, apdu->value, len) == 0)
		return say_block(r, fine, sizeof fine);
	if (is_block(r, payload, len))
		return take_t1(r, payload);
	return transmits ? say_block(r, fine, sizeof fine) : 0;
}

static const struct {
	uint8_t type;
	size_t (*answer)(struct replay_reader *r, const uint8_t *payload, size_t len);
} commands[] = {
	{ PC_TO_RDR_ICC_POWER_ON, power_on },
	{ PC_TO_RDR_GET_SLOT_STATUS, slot_status },
	{ PC_TO_RDR_SET_PARAMETERS, set_parameters },
	{ PC_TO_RDR_GET_PARAMETERS, get_parameters },
	{ PC_TO_RDR_SET_DATA_RATE_AND_CLOCK, set_rate },
	{ PC_TO_RDR_XFR_BLOCK, xfr_block },
	{ PC_TO_RDR_ABORT, slot_status },
};

/* ---- the calls --------------------------------------------------------------------------------------------------- */

void replay_reader_begin(struct replay_reader *reader, const struct capture_step *action)
{
	reader->action = action;
	reader->taken = 0;
}

size_t replay_reader_command(struct replay_reader *reader, const uint8_t *out, size_t len)
{
	reader->answer[SLOT] = out[SLOT];
	reader->answer[SEQ] = out[SEQ];
	if (reader->taken++ >= REPLAY_READER_PATIENCE)
		return 0;
	if (out[0] == PC_TO_RDR_ICC_POWER_OFF) {
		reader->powered = false;
		return slot_status(reader, NULL, 0);
	}
	if (!reader->action)
		return 0;
	if (out[0] == PC_TO_RDR_SET_PARAMETERS)
		reader->protocol = out[PROTOCOL] & 1;
	for (size_t i = 0; i < COUNT(commands); i++)
		if (commands[i].type == out[0])
			return commands[i].answer(reader, out + CCID_HEADER_LEN, len - CCID_HEADER_LEN);
	return 0;
}

bool replay_reader_request(struct replay_reader *reader, const struct transport_setup *setup, bool *works)
{
	const bool rates = setup->request_type == TYPE_CLASS_IN && setup->request == REQUEST_GET_DATA_RATES;

	*works = setup->request_type == TYPE_CLASS_OUT && setup->request == REQUEST_ABORT;
	return reader->action && reader->taken++ < REPLAY_READER_PATIENCE && (rates || *works);
}
