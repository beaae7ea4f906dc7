/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The structures of PC/SC part 10: what is refused, and that whatever is taken is sane. */
#include "pin_back.h"
#include "pin_structures.h"

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
		{ "overlapping, the other way round", 7, 0, 3, false },
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

/* A header, or a short APDU with 255 bytes of data and perhaps an Le; every length here is told as it is. */
static void templates(void **state)
{
	static const struct ccid_caps caps = { .max_message = 65554 };

	(void)state;
	for (size_t len = 0; len < PIN_TEMPLATE_MAX + 200; len++) {
		uint8_t bytes[PIN_VERIFY_FIXED + PIN_TEMPLATE_MAX + 200] = {
			V_HEAD(0, 0x82, 8, 0, 8, 4, 2, 1),
			(uint8_t)len,
			(uint8_t)(len >> 8),
			0,
			0,
			0x00,
			0x20,
			0x00,
			0x01,
			0xFF
		};
		const bool whole = len == 4 || len == PIN_TEMPLATE_MAX - 1 || len == PIN_TEMPLATE_MAX;
		const enum oc_err want = len < 4 || len > PIN_TEMPLATE_MAX ? OC_E_LENGTH
					 : whole                           ? OC_OK
									   : OC_E_APDU;
		struct pin_request q;
		const char *why;

		CHECK_INT("template",
			  pin_request_parse(PIN_VERIFY, bytes, PIN_VERIFY_FIXED + len, &caps, &q, &why),
			  want);
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
	{ "no digits at all", STRUCTURE(V_HEAD(0, 0x82, 0, 0, 0, 0, 2, 1), 4, 0, 0, 0, TEMPLATE), { 0 } },
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
		cmocka_unit_test(fields_of_verify), cmocka_unit_test(fields_of_modify),
		cmocka_unit_test(fields_of_filled), cmocka_unit_test(blocks_of_modify),
		cmocka_unit_test(lengths),          cmocka_unit_test(templates),
		cmocka_unit_test(readers_limits),   cmocka_unit_test(longest_message),
		cmocka_unit_test(anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
