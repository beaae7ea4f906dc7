/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The structures of PC/SC part 10: what is refused, and what goes over the wire for each kind of reader. */
#include "check.h"

#include "ccid/pin.h"
#include "pin_back.h"

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

/* ---- what goes out ----------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum pin_operation operation;
	const uint8_t *bytes;
	size_t len;
	struct pin_rules rules;
	const uint8_t *wire;
	size_t wire_len;
	bool escape;
} wires[] = {
	{ "plain",
	  PIN_VERIFY,
	  STRUCTURE(VERIFY),
	  { 0 },
	  STRUCTURE(ON_WIRE(0, 0x82, 25, 6, 2, 1), TEMPLATE),
	  false },
	{ "big endian",
	  PIN_VERIFY,
	  STRUCTURE(0, 0, 0x82, 0, 0, 6, 25, 2, 1, 0x04, 0x09, 0, 0, 0, 0, 0, 0, 0, 4, TEMPLATE),
	  { 0 },
	  STRUCTURE(ON_WIRE(0, 0x82, 25, 6, 2, 1), TEMPLATE),
	  false },
	{ "what the application says of the prologue does not count",
	  PIN_VERIFY,
	  STRUCTURE(0, 0, 0x82, 0, 0, 25, 6, 2, 1, 9, 4, 0, 1, 2, 3, 4, 0, 0, 0, TEMPLATE),
	  { 0 },
	  STRUCTURE(ON_WIRE(0, 0x82, 25, 6, 2, 1), TEMPLATE),
	  false },
	{ "its own time-out stays",
	  PIN_VERIFY,
	  STRUCTURE(V_HEAD(60, 0x82, 0, 0, 25, 6, 2, 1), 4, 0, 0, 0, TEMPLATE),
	  { .timeout_s = 30 },
	  STRUCTURE(ON_WIRE(60, 0x82, 25, 6, 2, 1), TEMPLATE),
	  false },
	{ "pin-timeout instead of none",
	  PIN_VERIFY,
	  STRUCTURE(VERIFY),
	  { .timeout_s = 30 },
	  STRUCTURE(ON_WIRE(30, 0x82, 25, 6, 2, 1), TEMPLATE),
	  false },
	{ "condition 0 is mended",
	  PIN_VERIFY,
	  STRUCTURE(V_HEAD(0, 0x82, 0, 0, 25, 6, 0, 1), 4, 0, 0, 0, TEMPLATE),
	  { 0 },
	  STRUCTURE(ON_WIRE(0, 0x82, 25, 6, 2, 1), TEMPLATE),
	  false },
	{ "condition 8 is mended",
	  PIN_VERIFY,
	  STRUCTURE(V_HEAD(0, 0x82, 0, 0, 25, 6, 8, 1), 4, 0, 0, 0, TEMPLATE),
	  { 0 },
	  STRUCTURE(ON_WIRE(0, 0x82, 25, 6, 2, 1), TEMPLATE),
	  false },
	{ "condition 7 is one",
	  PIN_VERIFY,
	  STRUCTURE(V_HEAD(0, 0x82, 0, 0, 25, 6, 7, 1), 4, 0, 0, 0, TEMPLATE),
	  { 0 },
	  STRUCTURE(ON_WIRE(0, 0x82, 25, 6, 7, 1), TEMPLATE),
	  false },
	{ "pin-conditions: what the reader knows of it",
	  PIN_VERIFY,
	  STRUCTURE(V_HEAD(0, 0x82, 0, 0, 25, 6, 7, 1), 4, 0, 0, 0, TEMPLATE),
	  { .conditions = 2 },
	  STRUCTURE(ON_WIRE(0, 0x82, 25, 6, 2, 1), TEMPLATE),
	  false },
	{ "pin-conditions: nothing in common",
	  PIN_VERIFY,
	  STRUCTURE(V_HEAD(0, 0x82, 0, 0, 25, 6, 4, 1), 4, 0, 0, 0, TEMPLATE),
	  { .conditions = 1 },
	  STRUCTURE(ON_WIRE(0, 0x82, 25, 6, 1, 1), TEMPLATE),
	  false },
	{ "pin-verify-messages = 0",
	  PIN_VERIFY,
	  STRUCTURE(VERIFY),
	  { .verify_messages_1 = 1 },
	  STRUCTURE(ON_WIRE(0, 0x82, 25, 6, 2, 0), TEMPLATE),
	  false },
	{ "pin-min and pin-max",
	  PIN_VERIFY,
	  STRUCTURE(V_HEAD(0, 0x82, 0, 0, 40, 0, 2, 1), 4, 0, 0, 0, TEMPLATE),
	  { .min = 1, .max = 25 },
	  STRUCTURE(ON_WIRE(0, 0x82, 25, 1, 2, 1), TEMPLATE),
	  false },
	{ "pin-swap-limits",
	  PIN_VERIFY,
	  STRUCTURE(VERIFY),
	  { .swap_limits = true },
	  STRUCTURE(ON_WIRE(0, 0x82, 6, 25, 2, 1), TEMPLATE),
	  false },
	{ "pin-swap-limits is for verification",
	  PIN_MODIFY,
	  STRUCTURE(MODIFY),
	  { .swap_limits = true },
	  STRUCTURE(MODIFY_WIRE(3, 1, 2, 3)),
	  false },
	{ "pin-lc = strip",
	  PIN_VERIFY,
	  STRUCTURE(V_HEAD(0, 0x82, 0, 0, 25, 6, 2, 1), 5, 0, 0, 0, TEMPLATE, 0),
	  { .lc = PIN_LC_STRIP },
	  STRUCTURE(ON_WIRE(0, 0x82, 25, 6, 2, 1), TEMPLATE),
	  false },
	{ "pin-lc = append",
	  PIN_VERIFY,
	  STRUCTURE(VERIFY),
	  { .lc = PIN_LC_APPEND },
	  STRUCTURE(ON_WIRE(0, 0x82, 25, 6, 2, 1), TEMPLATE, 0),
	  false },
	{ "Lc of 00 as it was given",
	  PIN_VERIFY,
	  STRUCTURE(V_HEAD(0, 0x82, 0, 0, 25, 6, 2, 1), 5, 0, 0, 0, TEMPLATE, 0),
	  { 0 },
	  STRUCTURE(ON_WIRE(0, 0x82, 25, 6, 2, 1), TEMPLATE, 0),
	  false },
	{ "pin-plain-block",
	  PIN_VERIFY,
	  STRUCTURE(V_HEAD(0, 0x82, 0x48, 4, 16, 6, 2, 1), 4, 0, 0, 0, TEMPLATE),
	  { .plain_block = true, .max = 25 },
	  STRUCTURE(ON_WIRE(0, 0x82, 16, 6, 2, 1), TEMPLATE),
	  false },
	{ "pin-plain-bcd",
	  PIN_VERIFY,
	  STRUCTURE(FILLED_OF(0x89, 0x47, 4, 12, 4)),
	  { .plain_bcd = true },
	  STRUCTURE(0, 30, 0x01, 0x47, 4, 12, 4, 2, 0, 9, 4, 0, PROLOGUE, 0x00, 0x20, 0x00, 0x01, 8, 0xFF,
		    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF),
	  false },
	{ "pin-escape goes before a bare header",
	  PIN_VERIFY,
	  STRUCTURE(VERIFY),
	  { .escape = { 3, false, { 0x80, 2, 0 } } },
	  STRUCTURE(ON_WIRE(0, 0x82, 25, 6, 2, 1), TEMPLATE),
	  true },
	{ "pin-escape, and not before a whole block",
	  PIN_VERIFY,
	  STRUCTURE(FILLED_OF(0x82, 8, 0, 8, 4)),
	  { .escape = { 3, false, { 0x80, 2, 0 } } },
	  STRUCTURE(0, 30, 0x82, 8, 0, 8, 4, 2, 0, 9, 4, 0, PROLOGUE, 0x00, 0x20, 0x00, 0x01, 8, 0xFF, 0xFF,
		    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF),
	  false },
	{ "no more digits than fit the block",
	  PIN_VERIFY,
	  STRUCTURE(FILLED_OF(0x82, 8, 0, 12, 4)),
	  { 0 },
	  STRUCTURE(0, 30, 0x82, 8, 0, 8, 4, 2, 0, 9, 4, 0, PROLOGUE, 0x00, 0x20, 0x00, 0x01, 8, 0xFF, 0xFF,
		    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF),
	  false },
	{ "change, three messages",
	  PIN_MODIFY,
	  STRUCTURE(MODIFY),
	  { 0 },
	  STRUCTURE(MODIFY_WIRE(3, 1, 2, 3)),
	  false },
	{ "change, the reader's own messages",
	  PIN_MODIFY,
	  STRUCTURE(MODIFY_OF(0xFF)),
	  { 0 },
	  STRUCTURE(MODIFY_WIRE(0xFF, 1, 2, 3)),
	  false },
	{ "change, two messages",
	  PIN_MODIFY,
	  STRUCTURE(MODIFY_OF(2)),
	  { 0 },
	  STRUCTURE(MODIFY_WIRE(2, 1, 2)),
	  false },
	{ "change, one message",
	  PIN_MODIFY,
	  STRUCTURE(MODIFY_OF(1)),
	  { 0 },
	  STRUCTURE(MODIFY_WIRE(1, 1, 2)),
	  false },
	{ "change, no message",
	  PIN_MODIFY,
	  STRUCTURE(MODIFY_OF(0)),
	  { 0 },
	  STRUCTURE(MODIFY_WIRE(0, 1)),
	  false },
	{ "pin-three-indexes",
	  PIN_MODIFY,
	  STRUCTURE(MODIFY_OF(0)),
	  { .three_indexes = true },
	  STRUCTURE(MODIFY_WIRE(0, 1, 2, 3)),
	  false },
	{ "pin-zero-indexes",
	  PIN_MODIFY,
	  STRUCTURE(MODIFY),
	  { .zero_indexes = true },
	  STRUCTURE(MODIFY_WIRE(3, 0, 0, 0)),
	  false },
	{ "pin-modify-messages",
	  PIN_MODIFY,
	  STRUCTURE(MODIFY_OF(1)),
	  { .modify_messages_1 = 4 },
	  STRUCTURE(MODIFY_WIRE(3, 1, 2, 3)),
	  false },
	{ "pin-modify-no-messages",
	  PIN_MODIFY,
	  STRUCTURE(MODIFY_OF(0)),
	  { .modify_no_messages_1 = 0x100 },
	  STRUCTURE(MODIFY_WIRE(0xFF, 1, 2, 3)),
	  false },
	{ "pin-modify-no-messages leaves others alone",
	  PIN_MODIFY,
	  STRUCTURE(MODIFY_OF(1)),
	  { .modify_no_messages_1 = 0x100 },
	  STRUCTURE(MODIFY_WIRE(1, 1, 2)),
	  false },
	{ "all of SPR332 together",
	  PIN_MODIFY,
	  STRUCTURE(MODIFY),
	  { .three_indexes = true,
	    .zero_indexes = true,
	    .modify_messages_1 = 1,
	    .max = 25,
	    .min = 1,
	    .escape = { 3, false, { 0x80, 2, 0 } } },
	  STRUCTURE(MODIFY_WIRE(0, 0, 0, 0)),
	  true },
};

static const uint8_t prologue[] = { PROLOGUE };

/* ---- as SPR332 and SPR532 were seen to take it ------------------------------------------------------------------- */

/* Secure, as it was captured; and with it the structure of part 10 that asks for it. T=1: the prologue comes with the block. */
static const struct {
	const char *name;
	uint8_t structure[24];
	size_t len;
	uint8_t prologue[3];
	uint8_t wire[19];
} captured[] = {
	{ "SPR332 with firmware 7.00",
	  { 0, 0, 0x82, 0, 0, 25, 6, 2, 1, 9, 4, 0, 0, 0, 0, 4, 0, 0, 0, 0x00, 0x20, 0x00, 0x82 },
	  23,
	  { 0x00, 0x00, 0x00 },
	  { 0x00, 0x00, 0x82, 0x00, 0x00, 0x19, 0x06, 0x02, 0x01, 0x09, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00,
	    0x20, 0x00, 0x82 } },
	{ "SPR332, PIN 2 of a card",
	  { 0, 0, 0x82, 0, 0, 25, 6, 2, 0xFF, 4, 9, 0, 0, 0, 0, 4, 0, 0, 0, 0x00, 0x20, 0x00, 0x82 },
	  23,
	  { 0x00, 0x40, 0x00 },
	  { 0x00, 0x00, 0x82, 0x00, 0x00, 0x19, 0x06, 0x02, 0xFF, 0x04, 0x09, 0x00, 0x00, 0x40, 0x00, 0x00,
	    0x20, 0x00, 0x82 } },
	{ "SPR532, with an Lc that it does not want",
	  { 0, 0, 0x82, 0, 0, 25, 6, 2, 0xFF, 4, 9, 0, 0, 0, 0, 5, 0, 0, 0, 0x00, 0x20, 0x00, 0x81, 0x00 },
	  24,
	  { 0x00, 0x00, 0x00 },
	  { 0x00, 0x00, 0x82, 0x00, 0x00, 0x19, 0x06, 0x02, 0xFF, 0x04, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00,
	    0x20, 0x00, 0x81 } },
};

static void as_it_was_captured(void **state)
{
	static const struct ccid_caps caps = {
		.max_message = LONGEST,
		.pin = { .lc = PIN_LC_STRIP, .plain_block = true, .escape = { 3, false, { 0x80, 2, 0 } } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(captured); i++) {
		struct pin_request q;
		uint8_t out[WIRE];
		const char *why;
		size_t len;

		CHECK_INT(captured[i].name,
			  pin_request_parse(PIN_VERIFY, captured[i].structure, captured[i].len, &caps, &q,
					    &why),
			  OC_OK);
		len = pin_request_put(&q, captured[i].prologue, out, sizeof out);
		CHECK_BYTES(captured[i].name, out, len, captured[i].wire, sizeof captured[i].wire);
		CHECK(captured[i].name, q.escape);
	}
	check_done();
}

static void on_the_wire(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wires); i++) {
		const struct ccid_caps caps = { .max_message = LONGEST, .pin = wires[i].rules };
		struct pin_request q = { 0 };
		uint8_t out[WIRE];
		const char *why = "";
		size_t len;

		if (pin_request_parse(wires[i].operation, wires[i].bytes, wires[i].len, &caps, &q, &why) !=
		    OC_OK) {
			CHECK_STRING(wires[i].name, why, "taken");
			continue;
		}
		len = pin_request_put(&q, prologue, out, sizeof out);
		CHECK_BYTES(wires[i].name, out, len, wires[i].wire, wires[i].wire_len);
		CHECK_INT(wires[i].name, q.escape, wires[i].escape);
		for (size_t cap = 0; cap < len; cap++)
			CHECK_INT(wires[i].name, pin_request_put(&q, prologue, out, cap), 0);
	}
	check_done();
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

/* One field of a good structure after the other takes each value; what is allowed is said, everything else is refused. */
struct field {
	const char *name;
	size_t offset;
	uint8_t low, high; /* taken; and */
	int also;          /* this one, or -1 */
};

static const uint8_t good_verify[] = { VERIFY };
static const uint8_t good_modify[] = { MODIFY };
static const uint8_t good_filled[] = { FILLED_OF(0x82, 8, 0, 8, 4) };

/* bmFormatString: 3, 7, 11 ... name no format; everything else is taken where the reader builds the data. */
static bool names_a_format(unsigned value)
{
	return (value & 3) != 3;
}

static void check_field(const char *what, enum pin_operation operation, const uint8_t *good, size_t len,
			const struct field *f)
{
	static const struct ccid_caps caps = { .max_message = LONGEST };

	for (unsigned value = 0; value < 256; value++) {
		uint8_t bytes[WIRE];
		struct pin_request q = { .operation = PIN_MODIFY, .max = 77 };
		const bool fine = (value >= f->low && value <= f->high) || (int)value == f->also;
		const char *why = NULL;
		char row[80];
		enum oc_err err;

		memcpy(bytes, good, len);
		bytes[f->offset] = (uint8_t)value;
		err = pin_request_parse(operation, bytes, len, &caps, &q, &why);
		snprintf(row, sizeof row, "%s: %s = %u", what, f->name, value);
		CHECK_INT(row, err == OC_OK, fine);
		CHECK(row, err == OC_OK || (why && q.max == 77));
	}
}

static void fields_of_verify(void **state)
{
	static const struct field fields[] = {
		{ "bTimerOut", 0, 0, 255, -1 },
		{ "bTimerOut2", 1, 0, 255, -1 },
		{ "bmPINLengthFormat", 4, 0, 31, -1 },
		{ "maximum", 5, 6, 255, -1 },
		{ "minimum", 6, 0, 25, -1 },
		{ "bEntryValidationCondition", 7, 0, 255, -1 },
		{ "bNumberMessage", 8, 0, 1, 0xFF },
		{ "wLangId", 9, 0, 255, -1 },
		{ "wLangId, high", 10, 0, 255, -1 },
		{ "bMsgIndex", 11, 0, 255, -1 },
		{ "bTeoPrologue", 12, 0, 255, -1 },
		{ "ulDataLength", 15, 4, 4, -1 },
		{ "ulDataLength, byte 1", 16, 0, 0, -1 },
		{ "ulDataLength, byte 2", 17, 0, 0, -1 },
		{ "ulDataLength, byte 3", 18, 0, 0, -1 },
		{ "CLA", 19, 0, 255, -1 },
		{ "P1", 21, 0, 255, -1 },
		{ "P2", 22, 0, 255, -1 },
	};
	static const uint8_t pin_commands[] = { 0x20, 0x24, 0x26, 0x28, 0x2C };

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++)
		check_field("verify", PIN_VERIFY, good_verify, sizeof good_verify, &fields[i]);
	for (unsigned value = 0; value < 256; value++) {
		const struct field ins = { "INS", 20, (uint8_t)value, (uint8_t)value, -1 };
		const struct field format = { "bmFormatString", 2, (uint8_t)value, (uint8_t)value, -1 };
		uint8_t bytes[sizeof good_verify];
		static const struct ccid_caps caps = { .max_message = LONGEST };
		struct pin_request q;
		const char *why;

		memcpy(bytes, good_verify, sizeof bytes);
		bytes[ins.offset] = (uint8_t)value;
		CHECK_INT(ins.name,
			  pin_request_parse(PIN_VERIFY, bytes, sizeof bytes, &caps, &q, &why) == OC_OK,
			  memchr(pin_commands, (int)value, sizeof pin_commands) != NULL);
		memcpy(bytes, good_verify, sizeof bytes);
		bytes[format.offset] = (uint8_t)value;
		CHECK_INT(format.name,
			  pin_request_parse(PIN_VERIFY, bytes, sizeof bytes, &caps, &q, &why) == OC_OK,
			  names_a_format(value));
	}
	check_done();
}

static void fields_of_modify(void **state)
{
	static const struct field fields[] = {
		{ "bTimerOut", 0, 0, 255, -1 },
		{ "bmPINLengthFormat", 4, 0, 31, -1 },
		{ "bInsertionOffsetOld", 5, 0, 255, -1 },
		{ "bInsertionOffsetNew", 6, 0, 255, -1 },
		{ "maximum", 7, 6, 255, -1 },
		{ "minimum", 8, 0, 25, -1 },
		{ "bConfirmPIN", 9, 0, 3, -1 },
		{ "bEntryValidationCondition", 10, 0, 255, -1 },
		{ "bNumberMessage", 11, 0, 3, 0xFF },
		{ "bMsgIndex1", 14, 0, 255, -1 },
		{ "bMsgIndex2", 15, 0, 255, -1 },
		{ "bMsgIndex3", 16, 0, 255, -1 },
		{ "ulDataLength", 20, 4, 4, -1 },
		{ "ulDataLength, byte 3", 23, 0, 0, -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++)
		check_field("modify", PIN_MODIFY, good_modify, sizeof good_modify, &fields[i]);
	check_done();
}

/* With data in the template, blocks have to stay inside of it. */
static void fields_of_filled(void **state)
{
	static const struct field lc = { "Lc", 23, 8, 8, -1 };
	static const struct {
		const char *name;
		uint8_t format, block, length_format;
		bool fine;
	} rows[] = {
		{ "whole", 0x82, 8, 0, true },
		{ "from byte 1, counted from byte 0", 0x8A, 8, 0, true },
		{ "9 bytes", 0x82, 9, 0, false },
		{ "from byte 7", 0xBA, 8, 0, true },
		{ "from byte 8", 0xC2, 8, 0, false },
		{ "7 bytes from byte 1", 0x8A, 7, 0, true },
		{ "7 bytes from bit 8", 0x42, 7, 0, true },
		{ "7 bytes from bit 9", 0x4A, 7, 0, true },
		{ "a length of 4 bits in bit 4", 0x89, 0x47, 4, true },
		{ "a length of 8 bits in byte 7", 0x8A, 0x87, 0x17, true },
		{ "a length of 8 bits in byte 8", 0x8A, 0x87, 0x18, false },
		{ "a length of 15 bits in byte 7", 0x8A, 0xF7, 0x17, false },
	};

	(void)state;
	check_field("filled", PIN_VERIFY, good_filled, sizeof good_filled, &lc);
	for (size_t i = 0; i < COUNT(rows); i++) {
		static const struct ccid_caps caps = { .max_message = LONGEST };
		uint8_t bytes[sizeof good_filled];
		struct pin_request q;
		const char *why;

		memcpy(bytes, good_filled, sizeof bytes);
		bytes[2] = rows[i].format;
		bytes[3] = rows[i].block;
		bytes[4] = rows[i].length_format;
		CHECK_INT(rows[i].name,
			  pin_request_parse(PIN_VERIFY, bytes, sizeof bytes, &caps, &q, &why) == OC_OK,
			  rows[i].fine);
	}
	check_done();
}

static void blocks_of_modify(void **state)
{
	static const struct {
		const char *name;
		uint8_t old, new, confirm;
		bool fine;
	} rows[] = {
		{ "side by side", 0, 8, 3, true },
		{ "the other way round", 8, 0, 3, true },
		{ "overlapping", 0, 7, 3, false },
		{ "the same", 0, 0, 3, false },
		{ "new behind the end", 0, 9, 3, false },
		{ "old behind the end", 9, 0, 3, false },
		{ "no old one is asked for", 0, 0, 1, true },
		{ "and none can be outside", 255, 8, 1, true },
		{ "new one far outside", 0, 255, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static const struct ccid_caps caps = { .max_message = LONGEST };
		uint8_t bytes[24 + 21] = {
			0,  0, 0x82, 8, 0,    rows[i].old, rows[i].new, 8, 4, rows[i].confirm,
			2,  3, 9,    4, 0,    1,           2,           0, 0, 0,
			21, 0, 0,    0, 0x00, 0x24,        0,           1, 16
		};
		struct pin_request q;
		const char *why;

		CHECK_INT(rows[i].name,
			  pin_request_parse(PIN_MODIFY, bytes, sizeof bytes, &caps, &q, &why) == OC_OK,
			  rows[i].fine);
	}
	check_done();
}

/* Truncated at each byte, and with one too many. */
static void lengths(void **state)
{
	static const struct {
		enum pin_operation operation;
		const uint8_t *bytes;
		size_t len;
	} rows[] = {
		{ PIN_VERIFY, good_verify, sizeof good_verify },
		{ PIN_MODIFY, good_modify, sizeof good_modify },
		{ PIN_VERIFY, good_filled, sizeof good_filled },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static const struct ccid_caps caps = { .max_message = LONGEST };
		struct pin_request q;
		const char *why;

		for (size_t len = 0; len <= rows[i].len + 1; len++) {
			uint8_t *copy = calloc(1, len ? len : 1);

			memcpy(copy, rows[i].bytes, len < rows[i].len ? len : rows[i].len);
			CHECK_INT(
				"cut",
				pin_request_parse(rows[i].operation, len ? copy : NULL, len, &caps, &q, &why),
				len == rows[i].len ? OC_OK : OC_E_LENGTH);
			free(copy);
		}
	}
	check_done();
}

static const struct {
	const char *name;
	const uint8_t *bytes;
	size_t len;
	struct pin_rules rules;
} limit_rows[] = {
	{ "pin-fixed-length", STRUCTURE(VERIFY), { .fixed_length = true } },
	{ "more digits wanted than the reader can", STRUCTURE(VERIFY), { .min = 1, .max = 5 } },
	{ "fewer digits wanted than the reader can", STRUCTURE(VERIFY), { .min = 26, .max = 30 } },
	{ "more digits than fit the block", STRUCTURE(FILLED_OF(0x82, 3, 0, 8, 4)), { 0 } },
};

static void readers_limits(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(limit_rows); i++) {
		const struct ccid_caps caps = { .max_message = LONGEST, .pin = limit_rows[i].rules };
		struct pin_request q;
		const char *why = NULL;

		CHECK_INT(limit_rows[i].name,
			  pin_request_parse(PIN_VERIFY, limit_rows[i].bytes, limit_rows[i].len, &caps, &q,
					    &why),
			  OC_E_APDU);
		CHECK(limit_rows[i].name, why != NULL);
	}
	check_done();
}

/* One byte more than the message that the reader takes is refused, whatever part of it is too long. */
static void longest_message(void **state)
{
	enum { LC = 200, WITHOUT_INDEXES = 10 + 17 + 5 + LC };
	uint8_t bytes[PIN_MODIFY_FIXED + 5 + LC] = { 0, 0, 0x82, 8, 0, 0,      8, 8, 4, 3, 2,    0, 9, 4, 1,
						     2, 3, 0,    0, 0, 5 + LC, 0, 0, 0, 0, 0x24, 0, 1, LC };

	(void)state;
	for (uint8_t messages = 0; messages <= 3; messages++) {
		const uint32_t whole = WITHOUT_INDEXES + (messages == 0 ? 1 : messages == 3 ? 3 : 2);

		bytes[11] = messages;
		for (uint32_t room = whole - 2; room <= whole + 2; room++) {
			const struct ccid_caps caps = { .max_message = room };
			struct pin_request q;
			const char *why = NULL;

			CHECK_INT("room", pin_request_parse(PIN_MODIFY, bytes, sizeof bytes, &caps, &q, &why),
				  room < whole ? OC_E_APDU : OC_OK);
		}
	}
	check_done();
}

/* ---- what the reader says ---------------------------------------------------------------------------------------- */

static void status_words(void **state)
{
	static const struct pin_rules other = { .refused_error = 0xFF, .mismatch_error = 0x84 };
	static const struct pin_rules none;

	(void)state;
	for (unsigned error = 0; error < 256; error++) {
		const uint16_t want = error == 0xEF                ? 0x6401
				      : error == 0xF0              ? 0x6400
				      : error >= 1 && error < 0x80 ? 0x6B80
								   : 0;
		const uint16_t others = error == 0xFF ? 0x6B80 : error == 0x84 ? 0x6402 : want;

		CHECK_INT("every reader", pin_status_of((uint8_t)error, &none), want);
		CHECK_INT("pin-refused-error, pin-mismatch-error", pin_status_of((uint8_t)error, &other),
			  others);
	}
	check_done();
}

/* What was taken once is taken again, from either byte order, and makes the same message. */
static void check_back(const struct pin_request *q, const struct ccid_caps *caps, const uint8_t *wire,
		       size_t len)
{
	for (unsigned big_endian = 0; big_endian < 2; big_endian++) {
		const struct pin_back how = { q->indexes, q->swap_limits, big_endian };
		uint8_t structure[PIN_BACK_MAX], again[WIRE];
		const size_t structure_len = pin_back(&how, wire, len, structure);
		struct pin_request back;
		const char *why = "";

		if (pin_request_parse(q->operation, structure, structure_len, caps, &back, &why) != OC_OK) {
			CHECK_STRING("back", why, "taken");
			continue;
		}
		CHECK_BYTES("back", again, pin_request_put(&back, prologue, again, sizeof again), wire, len);
	}
}

/* Whatever comes in: what is taken is sane, and its message has the length that its fields say. */
static void anything(void **state)
{
	static const struct ccid_caps caps = { .max_message = LONGEST,
					       .pin = { .min = 1, .max = 25, .lc = PIN_LC_APPEND } };
	uint32_t random = 1;
	unsigned taken = 0;

	(void)state;
	for (unsigned round = 0; round < 200000; round++) {
		uint8_t bytes[sizeof good_filled], out[WIRE];
		const enum pin_operation operation = round & 1 ? PIN_MODIFY : PIN_VERIFY;
		const size_t len = operation == PIN_MODIFY ? sizeof good_modify : sizeof good_filled;
		struct pin_request q;
		const char *why;
		size_t put;

		memcpy(bytes, operation == PIN_MODIFY ? good_modify : good_filled, len);
		for (unsigned n = 0; n < 3; n++) {
			random = random * 1664525 + 1013904223;
			bytes[(random >> 8) % len] = (uint8_t)(random >> 24);
		}
		if (pin_request_parse(operation, bytes, len, &caps, &q, &why) != OC_OK)
			continue;
		taken++;
		put = pin_request_put(&q, prologue, out, sizeof out);
		CHECK("anything", q.min >= 1 && q.min <= q.max && q.max <= 25);
		CHECK("anything", q.condition >= 1 && q.condition <= 7);
		CHECK_INT("anything", put,
			  (operation == PIN_MODIFY ? 17u : 14u) + q.indexes + q.template_len);
		check_back(&q, &caps, out, put);
	}
	CHECK("some are taken", taken > 1000);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_the_wire),        cmocka_unit_test(fields_of_verify),
		cmocka_unit_test(fields_of_modify),   cmocka_unit_test(fields_of_filled),
		cmocka_unit_test(blocks_of_modify),   cmocka_unit_test(lengths),
		cmocka_unit_test(readers_limits),     cmocka_unit_test(status_words),
		cmocka_unit_test(anything),           cmocka_unit_test(longest_message),
		cmocka_unit_test(as_it_was_captured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
