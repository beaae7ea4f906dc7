/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The structures of PC/SC part 10: what goes over the wire for each kind of reader, and what its answer stands for. */
#include "pin_structures.h"

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
	{ "a whole block with an Le behind it",
	  PIN_VERIFY,
	  STRUCTURE(V_HEAD(30, 0x82, 8, 0, 8, 4, 2, 0), 14, 0, 0, 0, 0x00, 0x20, 0x00, 0x01, 8, 0xFF, 0xFF,
		    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00),
	  { 0 },
	  STRUCTURE(0, 30, 0x82, 8, 0, 8, 4, 2, 0, 9, 4, 0, PROLOGUE, 0x00, 0x20, 0x00, 0x01, 8, 0xFF, 0xFF,
		    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00),
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_the_wire),
		cmocka_unit_test(as_it_was_captured),
		cmocka_unit_test(status_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
