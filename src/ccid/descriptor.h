/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CCID class descriptor: what a reader says of itself, and what the driver makes of it. */
#ifndef OPENCCID_CCID_DESCRIPTOR_H
#define OPENCCID_CCID_DESCRIPTOR_H

#include "base/err.h"
#include "ccid/caps.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CCID_DESCRIPTOR_LEN = 54 };

/* dwFeatures (CCID rev 1.1, 5.1) */
enum ccid_feature {
	CCID_AUTO_PARAM_ATR = 0x00000002,
	CCID_AUTO_ACTIVATE = 0x00000004,
	CCID_AUTO_VOLTAGE = 0x00000008,
	CCID_AUTO_CLOCK = 0x00000010,
	CCID_AUTO_BAUD = 0x00000020,
	CCID_AUTO_PARAM_NEGOTIATION = 0x00000040,
	CCID_AUTO_PPS = 0x00000080,
	CCID_CLOCK_STOP = 0x00000100,
	CCID_NAD = 0x00000200,
	CCID_AUTO_IFSD = 0x00000400,
	CCID_ICCD = 0x00000800,
	CCID_LEVEL_TPDU = 0x00010000,
	CCID_LEVEL_SHORT_APDU = 0x00020000,
	CCID_LEVEL_EXTENDED_APDU = 0x00040000,
	CCID_USB_WAKEUP = 0x00100000,
};

/* Every field of the descriptor under its name in the specification; units as there (kHz, bps, bytes). */
struct ccid_descriptor {
	uint8_t bDescriptorType;
	uint16_t bcdCCID;
	uint8_t bMaxSlotIndex;
	uint8_t bVoltageSupport; /* bit 0 5 V, bit 1 3 V, bit 2 1.8 V */
	uint32_t dwProtocols;    /* bit 0 T=0, bit 1 T=1 */
	uint32_t dwDefaultClock;
	uint32_t dwMaximumClock;
	uint8_t bNumClockSupported;
	uint32_t dwDataRate;
	uint32_t dwMaxDataRate;
	uint8_t bNumDataRatesSupported;
	uint32_t dwMaxIFSD;
	uint32_t dwSynchProtocols;
	uint32_t dwMechanical;
	uint32_t dwFeatures;
	uint32_t dwMaxCCIDMessageLength;
	uint8_t bClassGetResponse;
	uint8_t bClassEnvelope;
	uint8_t lcd_lines;
	uint8_t lcd_columns;
	uint8_t bPINSupport; /* bit 0 verify, bit 1 modify */
	uint8_t bMaxCCIDBusySlots;
};

/**
 * ccid_descriptor_decode - split a class descriptor into its fields
 * @bytes, @len: the descriptor as the device gave it; a tail beyond 54 bytes is ignored
 * @out: written only on OC_OK
 *
 * Accepts descriptor type 21h and FFh (vendor-class readers). Values are copied, not judged: see ccid_caps_derive().
 * Returns OC_E_DESCRIPTOR if it is shorter than 54 bytes, its bLength is, or the type is another.
 * Spec: CCID rev 1.1, table 5.1-1.
 */
enum oc_err ccid_descriptor_decode(const uint8_t *bytes, size_t len, struct ccid_descriptor *out);

/**
 * ccid_descriptor_find - look for a class descriptor in a run of descriptors
 * @bytes, @len: the bytes between an interface descriptor and the next one, or those after an endpoint descriptor
 *
 * Walks from bLength to bLength and stays inside @len whatever they say. Returns the first descriptor of type 21h, or of
 * type FFh, that has at least 54 bytes, with *@found_len bytes up to the end of the run; NULL if there is none.
 */
const uint8_t *ccid_descriptor_find(const uint8_t *bytes, size_t len, size_t *found_len);

/**
 * ccid_caps_derive - decide what can be believed of a descriptor
 *
 * Repairs what a reader can work in spite of: no clock (4000 kHz assumed), dwMaxIFSD 0 or above 254 (254), busy slots 0 or
 * more than slots, no voltage bit (5 V), no protocol bit (both), 40h and 80h both set (40h counts), a message length above
 * 65554 (capped) or below 64 (a bulk packet takes that much).
 * Returns OC_E_DESCRIPTOR when nothing sensible can be done: a message length below 15 bytes (no TPDU fits).
 */
enum oc_err ccid_caps_derive(const struct ccid_descriptor *desc, struct ccid_caps *out);

#endif
