/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The structures of PC/SC part 10 come from applications, and every length in them may lie.
 *
 * Input: 11 bytes choose the operation and the rules of the reader (see choose()), the rest is the structure.
 */
#include "fuzz.h"

#include "../unit/pin_back.h"

#include <string.h>

enum {
	VERIFY_FIXED = 14, /* payload of PC_to_RDR_Secure with neither bMsgIndex nor abPINApdu */
	MODIFY_FIXED = 17,
	VERIFY_LIMITS = 5, /* wPINMaxExtraDigit in it: the maximum, then the minimum */
	MODIFY_LIMITS = 7,
	HEADER_LEN = 10,
	LEAST_MESSAGE = 64,
	UNTOUCHED = 0xEE,
};

/* ---- the reader -------------------------------------------------------------------------------------------------- */

/* bNumberMessage plus 1, as the rules of listed readers have it; 0: as it was asked for */
static uint32_t messages_1(enum pin_operation operation, uint8_t byte)
{
	static const uint16_t verify[] = { 0, 1, 2, 0x100 };
	static const uint16_t modify[] = { 0, 1, 2, 3, 4, 0x100 };

	return operation == PIN_VERIFY ? verify[byte % 4] : modify[byte % 6];
}

static enum pin_operation choose(struct rd *r, struct ccid_caps *caps)
{
	const enum pin_operation operation = rd_u8(r) & 1 ? PIN_MODIFY : PIN_VERIFY;
	struct pin_rules *rules = &caps->pin;
	const uint8_t flags = rd_u8(r);

	rules->three_indexes = flags & 1;
	rules->zero_indexes = flags & 2;
	rules->swap_limits = flags & 4;
	rules->plain_block = flags & 8;
	rules->plain_bcd = flags & 0x10;
	rules->fixed_length = flags & 0x20;
	rules->lc = (flags >> 6) % 3;
	rules->min = rd_u8(r);
	rules->max = rd_u8(r);
	rules->conditions = rd_u8(r) & 7;
	rules->verify_messages_1 = messages_1(PIN_VERIFY, rd_u8(r));
	rules->modify_messages_1 = messages_1(PIN_MODIFY, rd_u8(r));
	rules->modify_no_messages_1 = messages_1(PIN_MODIFY, rd_u8(r));
	rules->timeout_s = rd_u8(r);
	rules->escape.len = rd_u8(r) % 4;
	caps->max_message = LEAST_MESSAGE + rd_u8(r);
	return operation;
}

/* ---- what must hold ---------------------------------------------------------------------------------------------- */

static void check_refused(enum oc_err err, const char *why, const struct pin_request *q)
{
	struct pin_request untouched;

	memset(&untouched, UNTOUCHED, sizeof untouched);
	FUZZ_ASSERT(err == OC_E_LENGTH || err == OC_E_APDU);
	FUZZ_ASSERT(why && *why);
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c): not even its padding */
	FUZZ_ASSERT(memcmp(q, &untouched, sizeof untouched) == 0);
}

static void check_command(const struct pin_request *q, const struct pin_rules *rules)
{
	static const uint8_t permitted[] = { 0x20, 0x24, 0x26, 0x28, 0x2C };
	const bool bare = q->template_len == 4 || (q->template_len == 5 && q->template[4] == 0);

	FUZZ_ASSERT(q->template_len >= 4 && q->template_len <= PIN_TEMPLATE_MAX);
	FUZZ_ASSERT(memchr(permitted, q->template[1], sizeof permitted));
	FUZZ_ASSERT(q->open == bare);
	FUZZ_ASSERT(bare || q->template[4] != 0);
	FUZZ_ASSERT(bare || q->template_len == 5u + q->template[4] || q->template_len == 6u + q->template[4]);
	FUZZ_ASSERT(!(q->open && rules->fixed_length));
	FUZZ_ASSERT(!q->escape || (q->template_len == 4 && rules->escape.len && q->block == 0));
}

/* The template is the application's, but for an Lc that the reader wants or does not want. */
static void check_template(const struct pin_request *q, const uint8_t *bytes, size_t len)
{
	const size_t fixed = q->operation == PIN_MODIFY ? PIN_MODIFY_FIXED : PIN_VERIFY_FIXED;
	const size_t given = len - fixed;
	const size_t same = given < q->template_len ? given : q->template_len;

	FUZZ_ASSERT(memcmp(q->template, bytes + fixed, same) == 0);
	FUZZ_ASSERT(q->open || q->template_len == given);
}

/* First byte behind the field with the PIN's length: position and size in bits. */
static unsigned length_end(const struct pin_request *q)
{
	const unsigned position = q->length_format & 15u, bits = q->block >> 4;

	return (position * (q->length_format & 0x10 ? 8 : 1) + bits + 7) / 8;
}

/* The reader puts PINs where these fields say: nowhere but into the data. */
static void check_places(const struct pin_request *q)
{
	const unsigned lc = q->template[4], block = q->block & 15;

	if (q->open)
		return;
	FUZZ_ASSERT(block <= lc);
	FUZZ_ASSERT(q->block >> 4 == 0 || length_end(q) <= lc);
	if (q->operation == PIN_VERIFY)
		return;
	FUZZ_ASSERT(q->offset_new + block <= lc);
	if (!(q->confirm & 2))
		return;
	FUZZ_ASSERT(q->offset_old + block <= lc);
	FUZZ_ASSERT(q->offset_old >= q->offset_new + block || q->offset_new >= q->offset_old + block);
}

static void check_fields(const struct pin_request *q, const struct pin_rules *rules)
{
	const unsigned digits = (q->block & 15u) * ((q->format & 3) == 1 ? 2 : 1);
	const uint8_t most = q->operation == PIN_MODIFY ? 3 : 1;

	FUZZ_ASSERT(q->max > 0 && q->min <= q->max && q->min >= rules->min);
	FUZZ_ASSERT(!rules->max || q->max <= rules->max);
	FUZZ_ASSERT(!digits || q->max <= digits);
	FUZZ_ASSERT((q->format & 3) != 3 && !(q->length_format & 0xE0) && q->confirm <= 3);
	FUZZ_ASSERT(q->condition >= 1 && q->condition <= 7);
	FUZZ_ASSERT(!rules->conditions || (q->condition & ~rules->conditions) == 0);
	FUZZ_ASSERT(q->messages <= most || q->messages == 0xFF);
	FUZZ_ASSERT(q->indexes >= 1 && q->indexes <= most);
	FUZZ_ASSERT(!rules->zero_indexes || q->operation == PIN_VERIFY ||
		    !(q->index[0] | q->index[1] | q->index[2]));
}

static void check_limits(const struct pin_request *q, const uint8_t *wire)
{
	const uint8_t *limits = wire + (q->operation == PIN_MODIFY ? MODIFY_LIMITS : VERIFY_LIMITS);

	FUZZ_ASSERT(limits[q->swap_limits ? 1 : 0] == q->max);
	FUZZ_ASSERT(limits[q->swap_limits ? 0 : 1] == q->min);
}

/* Returns the length of what goes out; it fits the reader, and is never written into less. */
static size_t check_message(const struct pin_request *q, const struct ccid_caps *caps, uint8_t *wire)
{
	static const uint8_t prologue[] = { 0xA1, 0xA2, 0xA3 };
	const size_t fixed = q->operation == PIN_MODIFY ? MODIFY_FIXED : VERIFY_FIXED;
	const size_t len = fixed + q->indexes + q->template_len;
	uint8_t *exact = malloc(len), *less = malloc(len - 1);

	FUZZ_ASSERT(exact && less);
	FUZZ_ASSERT(len <= PIN_SECURE_MAX && len + HEADER_LEN <= caps->max_message);
	FUZZ_ASSERT(pin_request_put(q, prologue, exact, len) == len);
	FUZZ_ASSERT(pin_request_put(q, prologue, less, len - 1) == 0);
	FUZZ_ASSERT(exact[0] == q->operation);
	check_limits(q, exact);
	FUZZ_ASSERT(memcmp(exact + len - q->template_len, q->template, q->template_len) == 0);
	memcpy(wire, exact, len);
	free(exact);
	free(less);
	return len;
}

/* What was adapted to a reader suits it, in either byte order, and comes out as it went in. */
static void check_back(const struct pin_request *q, const struct ccid_caps *caps, const uint8_t *wire,
		       size_t len, bool big_endian)
{
	const struct pin_back how = { q->indexes, q->swap_limits, big_endian };
	uint8_t structure[PIN_BACK_MAX], again[PIN_SECURE_MAX];
	const size_t structure_len = pin_back(&how, wire, len, structure);
	struct pin_request back;
	const char *why = NULL;

	FUZZ_ASSERT(structure_len);
	FUZZ_ASSERT(pin_request_parse(q->operation, structure, structure_len, caps, &back, &why) == OC_OK);
	FUZZ_ASSERT(check_message(&back, caps, again) == len);
	FUZZ_ASSERT(memcmp(again, wire, len) == 0);
	FUZZ_ASSERT(back.open == q->open && back.escape == q->escape);
}

static void check_taken(const struct pin_request *q, const struct ccid_caps *caps)
{
	uint8_t wire[PIN_SECURE_MAX];
	size_t len;

	check_command(q, &caps->pin);
	check_places(q);
	check_fields(q, &caps->pin);
	len = check_message(q, caps, wire);
	check_back(q, caps, wire, len, false);
	check_back(q, caps, wire, len, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_of(data, size);
	struct ccid_caps caps = { 0 };
	const enum pin_operation operation = choose(&r, &caps);
	const size_t len = r.left;
	uint8_t *copy = malloc(len ? len : 1); /* of its size, so that a step beyond either end is noticed */
	struct pin_request q;
	const char *why = NULL;
	enum oc_err err;

	FUZZ_ASSERT(copy);
	if (r.overrun) {
		free(copy);
		return 0;
	}
	if (len)
		memcpy(copy, r.at, len);
	memset(&q, UNTOUCHED, sizeof q);
	err = pin_request_parse(operation, copy, len, &caps, &q, &why);
	if (err == OC_OK) {
		check_template(&q, copy, len);
		check_taken(&q, &caps);
	} else {
		check_refused(err, why, &q);
	}
	free(copy);
	return 0;
}
