/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The messages of CCID rev 1.1, chapter 6: PC_to_RDR on bulk-OUT, RDR_to_PC on bulk-IN and interrupt-IN.
 * Encoders and decoders only; nothing here waits, retries or judges.
 */
#ifndef OPENCCID_CCID_MESSAGE_H
#define OPENCCID_CCID_MESSAGE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CCID_HEADER_LEN = 10 };

/* bMessageType of commands (6.1) and of the answers that belong to them (6.2, 6.3) */
enum ccid_type {
	PC_TO_RDR_SET_PARAMETERS = 0x61,
	PC_TO_RDR_ICC_POWER_ON = 0x62,
	PC_TO_RDR_ICC_POWER_OFF = 0x63,
	PC_TO_RDR_GET_SLOT_STATUS = 0x65,
	PC_TO_RDR_SECURE = 0x69,
	PC_TO_RDR_T0_APDU = 0x6A,
	PC_TO_RDR_ESCAPE = 0x6B,
	PC_TO_RDR_GET_PARAMETERS = 0x6C,
	PC_TO_RDR_RESET_PARAMETERS = 0x6D,
	PC_TO_RDR_ICC_CLOCK = 0x6E,
	PC_TO_RDR_XFR_BLOCK = 0x6F,
	PC_TO_RDR_MECHANICAL = 0x71,
	PC_TO_RDR_ABORT = 0x72,
	PC_TO_RDR_SET_DATA_RATE_AND_CLOCK = 0x73,

	RDR_TO_PC_NOTIFY_SLOT_CHANGE = 0x50,
	RDR_TO_PC_HARDWARE_ERROR = 0x51,
	RDR_TO_PC_DATA_BLOCK = 0x80,
	RDR_TO_PC_SLOT_STATUS = 0x81,
	RDR_TO_PC_PARAMETERS = 0x82,
	RDR_TO_PC_ESCAPE = 0x83,
	RDR_TO_PC_DATA_RATE_AND_CLOCK = 0x84,
};

/* The name of a message type as the specification writes it; "unknown message" for others. */
const char *ccid_type_name(uint8_t type);

/* ---- commands -------------------------------------------------------------------------------------------------- */

/* One command: the header's fields. Its payload, len bytes, stands behind the room for the header. */
struct ccid_command {
	uint8_t type;
	uint8_t slot;
	uint8_t specific[3]; /* bytes 7..9, per message */
	size_t len;          /* dwLength */
};

enum ccid_power_select { CCID_POWER_AUTO = 0, CCID_POWER_5V = 1, CCID_POWER_3V = 2, CCID_POWER_1V8 = 3 };
enum ccid_clock_command { CCID_CLOCK_RESTART = 0, CCID_CLOCK_STOP_NOW = 1 };
enum ccid_mechanical {
	CCID_CARD_ACCEPT = 1,
	CCID_CARD_EJECT = 2,
	CCID_CARD_CAPTURE = 3,
	CCID_CARD_LOCK = 4,
	CCID_CARD_UNLOCK = 5,
};
enum ccid_protocol { CCID_PROTOCOL_T0 = 0, CCID_PROTOCOL_T1 = 1 };

/* wLevelParameter at extended APDU level (6.1.4); at the other levels it is 0, or at character level a byte count */
enum ccid_level_parameter {
	CCID_APDU_WHOLE = 0x0000,
	CCID_APDU_BEGINS = 0x0001,
	CCID_APDU_ENDS = 0x0002,
	CCID_APDU_CONTINUES = 0x0003,
	CCID_APDU_NEXT_PART = 0x0010,
};

/* One builder per message of 6.1; @len counts the payload bytes that the caller puts behind the header. */
struct ccid_command ccid_icc_power_on(uint8_t slot, enum ccid_power_select power);
struct ccid_command ccid_icc_power_off(uint8_t slot);
struct ccid_command ccid_get_slot_status(uint8_t slot);
struct ccid_command ccid_xfr_block(uint8_t slot, uint8_t bwi, uint16_t level_parameter, size_t len);
struct ccid_command ccid_get_parameters(uint8_t slot);
struct ccid_command ccid_reset_parameters(uint8_t slot);
struct ccid_command ccid_set_parameters(uint8_t slot, enum ccid_protocol protocol, size_t len);
struct ccid_command ccid_escape(uint8_t slot, size_t len);
struct ccid_command ccid_icc_clock(uint8_t slot, enum ccid_clock_command command);
/* Which of the two classes is given is told by the flags; the other one returns to the reader's own. */
struct ccid_command ccid_t0_apdu(uint8_t slot, bool set_get_response, uint8_t class_get_response,
				 bool set_envelope, uint8_t class_envelope);
struct ccid_command ccid_secure(uint8_t slot, uint8_t bwi, uint16_t level_parameter, size_t len);
struct ccid_command ccid_mechanical(uint8_t slot, enum ccid_mechanical function);
struct ccid_command ccid_abort(uint8_t slot);
struct ccid_command ccid_set_data_rate_and_clock(uint8_t slot);

/* Write the ten bytes of a header with the sequence number bSeq. */
void ccid_put_header(uint8_t header[CCID_HEADER_LEN], const struct ccid_command *command, uint8_t seq);

/* The protocol data structures of SetParameters and Parameters (6.1.7), field by field. */
struct ccid_parameters {
	enum ccid_protocol protocol;
	uint8_t fi_di;      /* as TA1; 11h by default */
	bool inverse;       /* convention, bmTCCKS bit 1 */
	bool crc;           /* T=1: CRC instead of LRC, bmTCCKST1 bit 0 */
	uint8_t guard_time; /* N of TC1 */
	uint8_t waiting;    /* T=0: WI; T=1: BWI << 4 | CWI */
	uint8_t clock_stop; /* 00 never, 01 low, 02 high, 03 either */
	uint8_t ifsc;       /* T=1 only */
	uint8_t nad;        /* T=1 only */
};

enum { CCID_PARAMETERS_T0_LEN = 5, CCID_PARAMETERS_T1_LEN = 7 };

/* Write the structure for SetParameters; returns its length, 5 for T=0 and 7 for T=1. */
size_t ccid_put_parameters(uint8_t out[CCID_PARAMETERS_T1_LEN], const struct ccid_parameters *parameters);

/* Write the eight bytes of SetDataRateAndClockFrequency (6.1.14): kHz, then bps. */
void ccid_put_rate_and_clock(uint8_t out[8], uint32_t clock_khz, uint32_t rate_bps);

/* ---- answers --------------------------------------------------------------------------------------------------- */

struct ccid_reply {
	uint8_t type, slot, seq;
	uint8_t status, error; /* bStatus, bError; see ccid/status.h */
	uint8_t specific;      /* byte 9: bChainParameter, bClockStatus or bProtocolNum, per type */
	const uint8_t *data;   /* abData, inside the message */
	size_t len;            /* dwLength */
	size_t padding;        /* bytes that came after dwLength; tolerated */
};

/**
 * ccid_decode_reply - split one bulk-IN message
 * @msg, @len: the bytes as received
 * @out: written only on OC_OK; out->data points into @msg
 *
 * Returns OC_E_SHORT below 10 bytes, OC_E_LENGTH if fewer bytes came than dwLength says. More bytes are padding.
 * bStatus and bError are copied, not judged.
 * Spec: CCID rev 1.1, 6.2.
 */
enum oc_err ccid_decode_reply(const uint8_t *msg, size_t len, struct ccid_reply *out);

/* The answer type that belongs to a command type (6.1, last column of its table); 0 for what is no command. */
uint8_t ccid_reply_type(uint8_t command_type);

/**
 * ccid_decode_parameters - read RDR_to_PC_Parameters (6.2.3)
 *
 * Returns OC_E_ANSWER if the protocol is neither T=0 nor T=1, or the structure is not exactly 5 or 7 bytes long.
 */
enum oc_err ccid_decode_parameters(const struct ccid_reply *reply, struct ccid_parameters *out);

/* Read RDR_to_PC_DataRateAndClockFrequency (6.2.5); OC_E_ANSWER unless it carries eight bytes. */
enum oc_err ccid_decode_rate_and_clock(const struct ccid_reply *reply, uint32_t *clock_khz,
				       uint32_t *rate_bps);

/* One event out of an interrupt-IN transfer (6.3). */
struct ccid_event {
	uint8_t type;          /* RDR_TO_PC_NOTIFY_SLOT_CHANGE or RDR_TO_PC_HARDWARE_ERROR */
	const uint8_t *states; /* NotifySlotChange: two bits per slot, see ccid_event_slot() */
	size_t states_len;
	uint8_t slot, seq, error; /* HardwareError */
};

/**
 * ccid_next_event - take the next event off an interrupt transfer
 * @at, @left: what is left of the transfer; advanced past the event
 * @slots: number of slots of the reader, which fixes the length of NotifySlotChange
 *
 * Some readers send several events in one transfer. Returns false at the end, and at bytes that are no event
 * (then *@left is not 0).
 */
bool ccid_next_event(const uint8_t **at, size_t *left, unsigned slots, struct ccid_event *out);

/* What NotifySlotChange says of one slot; false for slots it does not mention. */
bool ccid_event_slot(const struct ccid_event *event, unsigned slot, bool *present, bool *changed);

#endif
