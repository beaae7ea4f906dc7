/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Secure PIN entry: the structures of PC/SC part 10 (2.5.2, 2.5.3) checked field by field, and made into the payload of
 * PC_to_RDR_Secure (CCID rev 1.1, 6.1.11) as this reader wants it. Pure; no PIN passes here, but a template may hold data.
 */
#ifndef OPENCCID_CCID_PIN_H
#define OPENCCID_CCID_PIN_H

#include "base/err.h"
#include "ccid/caps.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pin_operation { PIN_VERIFY = 0, PIN_MODIFY = 1 }; /* bPINOperation */

enum {
	PIN_VERIFY_FIXED = 19, /* bytes of PIN_VERIFY_STRUCTURE before abData */
	PIN_MODIFY_FIXED = 24, /* of PIN_MODIFY_STRUCTURE */
	PIN_TEMPLATE_MAX = 261,
	PIN_SECURE_MAX = 20 + PIN_TEMPLATE_MAX, /* payload of PC_to_RDR_Secure */
};

/* One checked and adapted request, ready to be written. */
struct pin_request {
	enum pin_operation operation;
	uint8_t timeout_s;                    /* bTimeOut; 0: the reader's own */
	uint8_t format, block, length_format; /* bmFormatString, bmPINBlockString, bmPINLengthFormat */
	uint8_t offset_old, offset_new;       /* modification only */
	uint8_t min, max;                     /* digits */
	uint8_t confirm;                      /* bConfirmPIN; modification only */
	uint8_t condition;                    /* bEntryValidationCondition */
	uint8_t messages;                     /* bNumberMessage */
	uint16_t language;                    /* wLangId */
	uint8_t index[3];                     /* bMsgIndex; a verification has one */
	unsigned indexes;                     /* how many go over the wire */
	uint8_t template[PIN_TEMPLATE_MAX];
	size_t template_len;
	bool open;        /* the template has no data: the reader builds Lc and the data */
	bool escape;      /* caps->pin.escape has to go before it */
	bool swap_limits; /* min and max change places on the wire */
};

/**
 * pin_request_parse - check a structure of an application, and adapt it to the reader
 * @bytes, @len: as the application gave it; every length in it may lie
 * @caps: of the reader
 * @out: written only on OC_OK
 * @why: set on an error: a sentence for the log, static text
 *
 * Multi-byte fields are little endian; where ulDataLength fits @len only as big endian, all three are read that way.
 * The command must be one that takes a PIN: VERIFY (20h), CHANGE REFERENCE DATA (24h), RESET RETRY COUNTER (2Ch), DISABLE and
 * ENABLE VERIFICATION (26h, 28h); any other could be made to store the PIN where it can be read.
 *
 * OC_E_LENGTH       @len does not fit ulDataLength, or is too short or too long for what it should hold
 * OC_E_APDU         a field is out of range, contradicts another one, or the reader cannot do it: 6B80 for the application
 */
enum oc_err pin_request_parse(enum pin_operation operation, const uint8_t *bytes, size_t len,
			      const struct ccid_caps *caps, struct pin_request *out, const char **why);

/**
 * pin_request_put - write abData of PC_to_RDR_Secure
 * @prologue: bTeoPrologue: NAD, PCB, LEN of the T=1 block at TPDU level, else zeros
 * @out, @cap: where it goes
 *
 * Returns its length, or 0 if it does not fit @cap.
 */
size_t pin_request_put(const struct pin_request *request, const uint8_t prologue[3], uint8_t *out,
		       size_t cap);

/**
 * pin_status_of - the status word that an answer of the reader without a card's answer stands for
 * @error: bError of a failed PC_to_RDR_Secure
 *
 * EFh 6401 (cancelled), F0h 6400 (time-out), 01h..7Fh 6B80 (a field that the reader does not take), and what the rules of the reader
 * say. 0: none; the error of the exchange counts.
 */
uint16_t pin_status_of(uint8_t error, const struct pin_rules *rules);

#endif
