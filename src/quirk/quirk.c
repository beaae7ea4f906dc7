/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking up a product and evaluating its rules. */
#include "quirk/quirk.h"

#include <assert.h>
#include <string.h>

/* Where the value of an effect goes. */
static const struct target {
	size_t offset, size;
} targets[QUIRK_KEY_COUNT] = {
#define X(id, name, kind, low, high, member) \
	[QUIRK_##id] = { offsetof(struct ccid_caps, member), sizeof(((struct ccid_caps *)0)->member) },
	QUIRK_KEYS(X)
#undef X
};

const struct quirk_reader *quirk_find(uint16_t vid, uint16_t pid)
{
	const uint32_t wanted = (uint32_t)vid << 16 | pid;
	size_t low = 0;
	size_t high = quirk_table_len;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct quirk_reader *at = &quirk_table[middle];
		const uint32_t here = (uint32_t)at->vid << 16 | at->pid;

		if (here == wanted)
			return at;
		if (here < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool compare(uint32_t is, enum quirk_op op, uint32_t wanted)
{
	switch (op) {
	case QUIRK_LT: return is < wanted;
	case QUIRK_LE: return is <= wanted;
	case QUIRK_EQ: return is == wanted;
	case QUIRK_GE: return is >= wanted;
	case QUIRK_GT: return is > wanted;
	case QUIRK_OP_COUNT: break;
	}
	return false;
}

static bool holds(const struct quirk_rule *rule, const uint32_t facts[QUIRK_FIELD_COUNT])
{
	for (unsigned i = 0; i < rule->conditions && i < QUIRK_CONDITIONS_MAX; i++) {
		const struct quirk_condition *c = &rule->condition[i];

		assert(c->field < QUIRK_FIELD_COUNT);
		if (!compare(facts[c->field], (enum quirk_op)c->op, c->value))
			return false;
	}
	return true;
}

/* The members of struct ccid_caps have different widths; the range in QUIRK_KEYS keeps the value within them. */
static void store(struct ccid_caps *caps, const struct quirk_effect *effect)
{
	const uint8_t byte = (uint8_t)effect->value;
	const struct target *target;
	unsigned char *at;

	assert(effect->key < QUIRK_KEY_COUNT);
	target = &targets[effect->key];
	at = (unsigned char *)caps + target->offset;
	if (target->size == sizeof byte)
		memcpy(at, &byte, sizeof byte);
	else
		memcpy(at, &effect->value, sizeof effect->value);
}

#define X(id, name, kind, low, high, member)                                                \
	_Static_assert(sizeof(((struct ccid_caps *)0)->member) == 1 ||                      \
			       sizeof(((struct ccid_caps *)0)->member) == sizeof(uint32_t), \
		       "store() handles members of one and of four bytes");
QUIRK_KEYS(X)
#undef X

void quirk_apply_rules(const struct quirk_rule *rules, size_t count, const struct ccid_descriptor *desc,
		       uint16_t bcd_device, struct ccid_caps *caps)
{
	const uint32_t facts[QUIRK_FIELD_COUNT] = {
		[QUIRK_ON_FIRMWARE] = bcd_device,
		[QUIRK_ON_MESSAGE] = desc->dwMaxCCIDMessageLength,
		[QUIRK_ON_LEVEL] = (uint32_t)caps->level,
	};

	for (size_t i = 0; i < count; i++) {
		if (!holds(&rules[i], facts))
			continue;
		for (unsigned e = 0; e < rules[i].effects && e < QUIRK_EFFECTS_MAX; e++)
			store(caps, &rules[i].effect[e]);
	}
}

void quirk_apply(const struct quirk_reader *reader, const struct ccid_descriptor *desc, uint16_t bcd_device,
		 struct ccid_caps *caps)
{
	if (reader)
		quirk_apply_rules(quirk_rules + reader->first, reader->rules, desc, bcd_device, caps);
}
