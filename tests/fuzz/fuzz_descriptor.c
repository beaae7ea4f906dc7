/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The descriptors of a hostile device, and the rules for a reader applied to what they say. The first bytes of the input are
 * what the rules look at, the rest is a run of descriptors. What comes out has to be within what the driver can work with.
 */
#include "caps.h"

#include "base/bytes.h"
#include "ccid/descriptor.h"
#include "quirk/features.h"
#include "quirk/prompts.h"
#include "quirk/quirk.h"

enum { PRODUCT = 8 };

static uint16_t any_id(struct rd *r, uint16_t *pid)
{
	const uint16_t number = rd_le16(r);
	const struct quirk_reader *row = &quirk_table[number % quirk_table_len];

	*pid = rd_u8(r) & 1 ? row->pid : (uint16_t)(row->pid ^ 0xFFFF);
	return row->vid;
}

/* Without the rules, by every rule of a listed product or of its vendor, and by a keypad that tells its limits. */
static void apply_rules(struct rd *r, const struct ccid_descriptor *d, struct ccid_caps *caps)
{
	char product[PRODUCT + 1] = "";
	struct quirk_facts facts = {
		.bcd_device = rd_le16(r),
		.interface = rd_u8(r),
		.message = d->dwMaxCCIDMessageLength,
		.level = caps->level,
		.product = product,
	};
	const uint8_t *name = rd_bytes(r, PRODUCT);
	uint16_t vid, pid;

	if (name)
		memcpy(product, name, PRODUCT);
	vid = any_id(r, &pid);
	quirk_apply(vid, pid, &facts, caps);
	quirk_settle(caps);
	check_caps(caps);
	FUZZ_ASSERT(caps->firmware == facts.bcd_device);
}

static void take_features(const uint8_t *bytes, size_t len, struct ccid_caps *caps)
{
	struct ccid_caps before;

	memcpy(&before, caps, sizeof before);
	if (!features_apply(bytes, len, caps))
		/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c): copied as it was */
		FUZZ_ASSERT(memcmp(&before, caps, sizeof before) == 0);
	check_caps(caps);
}

static void check_prompts(size_t cap)
{
	uint8_t *room = fuzz_room(cap);
	const size_t len = prompts_put(room, cap);

	FUZZ_ASSERT(len <= cap && (len || cap < 256));
	free(room);
}

static const uint8_t *find(const uint8_t *bytes, size_t len, size_t *found_len)
{
	const uint8_t *at = ccid_descriptor_find(bytes, len, found_len);

	if (at) {
		FUZZ_ASSERT(at >= bytes && at + *found_len == bytes + len);
		FUZZ_ASSERT(*found_len >= CCID_DESCRIPTOR_LEN && at[0] >= CCID_DESCRIPTOR_LEN);
	}
	return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { CONTROL = 14 };
	struct rd r = rd_of(data, size);
	const uint8_t *control = rd_bytes(&r, CONTROL), *at;
	struct ccid_descriptor d;
	struct ccid_caps caps;
	struct rd control_rd;
	size_t len;

	if (!control)
		return 0;
	at = find(r.at, r.left, &len);
	if (!at)
		FUZZ_ASSERT(!r.left || ccid_descriptor_decode(r.at, r.left, &d) != OC_OK);
	if (!at || ccid_descriptor_decode(at, len, &d) != OC_OK)
		return 0;
	if (ccid_caps_derive(&d, &caps) != OC_OK)
		return 0;
	check_caps(&caps);
	control_rd = rd_of(control, CONTROL);
	apply_rules(&control_rd, &d, &caps);
	take_features(at + CCID_DESCRIPTOR_LEN, len - CCID_DESCRIPTOR_LEN, &caps);
	check_prompts(control[0]);
	return 0;
}
