/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Structures of PC/SC part 10, and what of them goes over the wire, as the tests of src/ccid/pin.c write them. */
#ifndef OPENCCID_TESTS_PIN_STRUCTURES_H
#define OPENCCID_TESTS_PIN_STRUCTURES_H

#include "check.h"

#include "ccid/pin.h"

enum { WIRE = 64, LONGEST = 271 /* dwMaxCCIDMessageLength of most readers */ };

#define V_HEAD(timeout, format, block, lenfmt, max, min, condition, messages) \
	timeout, 0x00, format, block, lenfmt, max, min, condition, messages, 0x09, 0x04, 0x00, 0, 0, 0
#define PROLOGUE 0xA1, 0xA2, 0xA3
/* VERIFY with 6 to 25 digits, ASCII from the first byte on; the reader builds Lc and data */
#define VERIFY V_HEAD(0, 0x82, 0, 0, 25, 6, 2, 1), 4, 0, 0, 0, 0x00, 0x20, 0x00, 0x81
#define ON_WIRE(timeout, format, max, min, condition, messages) \
	0x00, timeout, format, 0, 0, max, min, condition, messages, 0x09, 0x04, 0x00, PROLOGUE
#define TEMPLATE 0x00, 0x20, 0x00, 0x81
/* CHANGE REFERENCE DATA, old and new PIN typed, the new one twice */
#define MODIFY_OF(messages, ...)                                                                             \
	0, 0, 0x82, 0, 0, 0, 0, 25, 6, 3, 2, messages, 0x09, 0x04, 1, 2, 3, 0, 0, 0, 4, 0, 0, 0, 0x00, 0x24, \
		0x00, 0x81
#define MODIFY MODIFY_OF(3)
#define MODIFY_WIRE(messages, ...)                                                                       \
	0x01, 0, 0x82, 0, 0, 0, 0, 25, 6, 3, 2, messages, 0x09, 0x04, __VA_ARGS__, PROLOGUE, 0x00, 0x24, \
		0x00, 0x81
/* A filled block of 8 bytes */
#define FILLED_OF(format, block, lenfmt, max, min)                                                       \
	V_HEAD(30, format, block, lenfmt, max, min, 2, 0), 13, 0, 0, 0, 0x00, 0x20, 0x00, 0x01, 8, 0xFF, \
		0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF

#define STRUCTURE(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static const uint8_t prologue[] = { PROLOGUE };

#endif
