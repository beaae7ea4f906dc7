/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bStatus and bError of an answer: what they mean, and whether the card ever saw the command (CCID rev 1.1, 6.2.6). */
#ifndef OPENCCID_CCID_STATUS_H
#define OPENCCID_CCID_STATUS_H

#include "base/err.h"
#include "ccid/message.h"

#include <stdint.h>

enum ccid_icc { CCID_ICC_ACTIVE = 0, CCID_ICC_INACTIVE = 1, CCID_ICC_ABSENT = 2, CCID_ICC_UNKNOWN = 3 };
enum ccid_command_status { CCID_DONE = 0, CCID_FAILED = 1, CCID_TIME_EXTENSION = 2, CCID_STATUS_RFU = 3 };

static inline enum ccid_icc ccid_icc_of(uint8_t status)
{
	return (enum ccid_icc)(status & 3);
}

static inline enum ccid_command_status ccid_command_status_of(uint8_t status)
{
	return (enum ccid_command_status)(status >> 6);
}

/* bError, when bmCommandStatus says "failed" (table 6.2-2). 01h..7Fh is the offset of the field that is wrong. */
enum ccid_error {
	CCID_CMD_NOT_SUPPORTED = 0x00,
	CCID_CMD_SLOT_BUSY = 0xE0,
	CCID_PIN_CANCELLED = 0xEF,
	CCID_PIN_TIMEOUT = 0xF0,
	CCID_BUSY_WITH_AUTO_SEQUENCE = 0xF2,
	CCID_DEACTIVATED_PROTOCOL = 0xF3,
	CCID_PROCEDURE_BYTE_CONFLICT = 0xF4,
	CCID_ICC_CLASS_NOT_SUPPORTED = 0xF5,
	CCID_ICC_PROTOCOL_NOT_SUPPORTED = 0xF6,
	CCID_BAD_ATR_TCK = 0xF7,
	CCID_BAD_ATR_TS = 0xF8,
	CCID_HW_ERROR = 0xFB,
	CCID_XFR_OVERRUN = 0xFC,
	CCID_XFR_PARITY_ERROR = 0xFD,
	CCID_ICC_MUTE = 0xFE,
	CCID_CMD_ABORTED = 0xFF,
};

/* May the card have seen the command that was refused? Decides whether repeating it is harmless. */
enum ccid_card_saw { CARD_NEVER_SAW, CARD_SAW, CARD_MAY_HAVE_SEEN };

struct ccid_error_info {
	const char *name;     /* as in the specification */
	const char *sentence; /* what happened, for a person */
	enum ccid_card_saw card;
	enum oc_err err; /* what the layers above are told */
};

/* What a bError means; never NULL, every value 00h..FFh has an entry. */
const struct ccid_error_info *ccid_error_info(uint8_t error);

/* The text of bmICCStatus: "card active", ... */
const char *ccid_icc_text(enum ccid_icc icc);

/* Did it fail because the host aborts something? */
static inline bool ccid_is_aborted(const struct ccid_reply *reply)
{
	return ccid_command_status_of(reply->status) == CCID_FAILED && reply->error == CCID_CMD_ABORTED;
}

/**
 * ccid_judge - what a matching, final answer means for the command
 *
 * OC_OK if the command was done. Otherwise the error of bError; OC_E_NO_CARD instead of "mute" and the like where
 * bmICCStatus says that the slot is empty.
 */
enum oc_err ccid_judge(const struct ccid_reply *reply);

#endif
