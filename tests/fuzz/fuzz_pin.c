/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PIN structures of PC/SC part 10 as a hostile application would send them. The first bytes of the input make a reader,
 * the rest is the structure. What is taken has to be sane, and has to have come from the input.
 */
#include "fuzz.h"

#include "base/bytes.h"
#include "ccid/pin.h"

#include <string.h>

enum { WIRE = PIN_SECURE_MAX + 8 };

/* Any reader that a rule could describe. */
static struct ccid_caps any_reader(struct rd *r)
{
	const uint8_t flags = rd_u8(r), more = rd_u8(r);
	struct pin_rules pin = {
		.min = rd_u8(r),
		.max = rd_u8(r),
		.conditions = rd_u8(r) & 7,
		.three_indexes = flags & 1,
		.zero_indexes = flags & 2,
		.swap_limits = flags & 4,
		.plain_block = flags & 8,
		.plain_bcd = flags & 16,
		.fixed_length = flags & 32,
		.lc = (uint8_t)(more % 3),
		.timeout_s = more & 4 ? 30 : 0,
		.escape = { .len = more & 8 ? 3 : 0 },
		.verify_messages_1 = more & 16 ? 2 : 0,
		.modify_messages_1 = more & 32 ? 4 : 0,
		.modify_no_messages_1 = more & 64 ? 256 : 0,
	};

	return (struct ccid_caps){ .pin = pin };
}

static void check_request(const struct pin_request *q, const struct ccid_caps *caps)
{
	static const uint8_t takes_pin[] = { 0x20, 0x24, 0x26, 0x28, 0x2C };

	FUZZ_ASSERT(q->min <= q->max && q->max > 0);
	FUZZ_ASSERT(!caps->pin.max || q->max <= caps->pin.max);
	FUZZ_ASSERT(q->min >= caps->pin.min);
	FUZZ_ASSERT(q->condition >= 1 && q->condition <= 7);
	FUZZ_ASSERT(!caps->pin.conditions || !(q->condition & ~caps->pin.conditions));
	FUZZ_ASSERT((q->format & 3) != 3 && !(q->length_format & 0xE0) && q->confirm <= 3);
	FUZZ_ASSERT(q->template_len >= 4 && q->template_len <= PIN_TEMPLATE_MAX);
	FUZZ_ASSERT(memchr(takes_pin, q->template[1], sizeof takes_pin));
	FUZZ_ASSERT(q->indexes >= 1 && q->indexes <= 3);
	FUZZ_ASSERT(!q->escape || (q->open && q->template_len == 4 && q->block == 0));
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

static void check_wire(const struct pin_request *q)
{
	static const uint8_t prologue[3] = { 0x00, 0x40, 0x00 };
	const size_t want =
		(q->operation == PIN_MODIFY ? 14u : 11u) + q->indexes + sizeof prologue + q->template_len;
	uint8_t wire[WIRE];

	FUZZ_ASSERT(pin_request_put(q, prologue, wire, sizeof wire) == want);
	FUZZ_ASSERT(pin_request_put(q, prologue, wire, want) == want);
	FUZZ_ASSERT(pin_request_put(q, prologue, wire, want - 1) == 0);
	FUZZ_ASSERT(wire[0] == (uint8_t)q->operation);
	FUZZ_ASSERT(memcmp(wire + want - q->template_len, q->template, q->template_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_of(data, size);
	const struct ccid_caps caps = any_reader(&r);
	const enum pin_operation operation = rd_u8(&r) & 1 ? PIN_MODIFY : PIN_VERIFY;
	struct pin_request q;
	const char *why = NULL;
	enum oc_err err;

	if (r.overrun)
		return 0;
	err = pin_request_parse(operation, r.at, r.left, &caps, &q, &why);
	FUZZ_ASSERT(err == OC_OK || err == OC_E_LENGTH || err == OC_E_APDU);
	FUZZ_ASSERT(err == OC_OK || why);
	if (err != OC_OK)
		return 0;
	check_request(&q, &caps);
	check_template(&q, r.at, r.left);
	check_wire(&q);
	return 0;
}
