/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ccid/status.h"

#include <stddef.h>

/* Ranges of bError in descending order; the last one catches the rest. */
static const struct {
	uint8_t first, last;
	struct ccid_error_info info;
} errors[] = {
	{ 0xFF,
	  0xFF,
	  { "CMD_ABORTED", "the command was aborted by the host", CARD_MAY_HAVE_SEEN, OC_E_CARD } },
	{ 0xFE, 0xFE, { "ICC_MUTE", "the card did not answer in time", CARD_SAW, OC_E_MUTE } },
	{ 0xFD,
	  0xFD,
	  { "XFR_PARITY_ERROR", "the card's answer was damaged on the line", CARD_SAW, OC_E_CARD } },
	{ 0xFC,
	  0xFC,
	  { "XFR_OVERRUN", "the card sent more than the reader could take", CARD_SAW, OC_E_CARD } },
	{ 0xFB,
	  0xFB,
	  { "HW_ERROR", "the reader found a hardware fault, such as a short circuit", CARD_MAY_HAVE_SEEN,
	    OC_E_CARD } },
	{ 0xF8,
	  0xF8,
	  { "BAD_ATR_TS", "the first byte of the card's answer to reset is not that of a smart card",
	    CARD_NEVER_SAW, OC_E_MUTE } },
	{ 0xF7,
	  0xF7,
	  { "BAD_ATR_TCK", "the check byte of the card's answer to reset is wrong", CARD_NEVER_SAW,
	    OC_E_MUTE } },
	{ 0xF6,
	  0xF6,
	  { "ICC_PROTOCOL_NOT_SUPPORTED",
	    "the reader says that it cannot speak the card's protocol, and sent nothing to the card",
	    CARD_NEVER_SAW, OC_E_PROTOCOL } },
	{ 0xF5,
	  0xF5,
	  { "ICC_CLASS_NOT_SUPPORTED", "the reader cannot supply the voltage that the card needs",
	    CARD_NEVER_SAW, OC_E_MUTE } },
	{ 0xF4,
	  0xF4,
	  { "PROCEDURE_BYTE_CONFLICT", "the card answered with an invalid T=0 procedure byte", CARD_SAW,
	    OC_E_CARD } },
	{ 0xF3,
	  0xF3,
	  { "DEACTIVATED_PROTOCOL", "the protocol is switched off in the reader", CARD_NEVER_SAW,
	    OC_E_PROTOCOL } },
	{ 0xF2,
	  0xF2,
	  { "BUSY_WITH_AUTO_SEQUENCE", "the reader is still starting the card by itself", CARD_NEVER_SAW,
	    OC_E_REFUSED } },
	{ 0xF0, 0xF0, { "PIN_TIMEOUT", "no PIN was entered in time", CARD_NEVER_SAW, OC_E_REFUSED } },
	{ 0xEF,
	  0xEF,
	  { "PIN_CANCELLED", "the PIN entry was cancelled at the reader", CARD_NEVER_SAW, OC_E_REFUSED } },
	{ 0xE0,
	  0xE0,
	  { "CMD_SLOT_BUSY", "the slot is still busy with an earlier command", CARD_NEVER_SAW,
	    OC_E_REFUSED } },
	{ 0x81,
	  0xC0,
	  { "vendor error", "the reader reports an error of its vendor's own", CARD_MAY_HAVE_SEEN,
	    OC_E_CARD } },
	{ 0x01,
	  0x7F,
	  { "bad parameter", "the reader does not accept the field at this offset of the message",
	    CARD_NEVER_SAW, OC_E_REFUSED } },
	{ 0x00,
	  0x00,
	  { "CMD_NOT_SUPPORTED", "the reader does not know this command, or not in this state",
	    CARD_NEVER_SAW, OC_E_REFUSED } },
	{ 0x00,
	  0xFF,
	  { "reserved error", "the reader reports an error that the specification does not define",
	    CARD_MAY_HAVE_SEEN, OC_E_CARD } },
};

const struct ccid_error_info *ccid_error_info(uint8_t error)
{
	size_t i = 0;

	while (error < errors[i].first || error > errors[i].last)
		i++;
	return &errors[i].info;
}

const char *ccid_icc_text(enum ccid_icc icc)
{
	static const char *const text[] = { "card active", "card present, not powered", "no card",
					    "card state undefined" };

	return text[icc & 3];
}

enum oc_err ccid_judge(const struct ccid_reply *reply)
{
	if (ccid_command_status_of(reply->status) == CCID_DONE)
		return OC_OK;
	if (ccid_command_status_of(reply->status) == CCID_TIME_EXTENSION)
		return OC_E_ANSWER; /* not final; the exchange does not hand it out */
	/* A card pulled in the middle shows as mute, parity error or hardware error; the slot tells which it is. */
	if (ccid_icc_of(reply->status) == CCID_ICC_ABSENT)
		return OC_E_NO_CARD;
	return ccid_error_info(reply->error)->err;
}
