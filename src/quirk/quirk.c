/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking up a product and evaluating its rules. */
#include "quirk/quirk.h"

#include "ccid/descriptor.h"

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
	case QUIRK_CONTAINS:
	case QUIRK_LACKS:
	case QUIRK_OP_COUNT: break;
	}
	return false;
}

static bool condition_holds(const struct quirk_condition *c, const struct quirk_facts *facts)
{
	const bool contains = c->field == QUIRK_ON_PRODUCT && strstr(facts->product, c->word) != NULL;

	switch ((enum quirk_field)c->field) {
	case QUIRK_ON_FIRMWARE: return compare(facts->bcd_device, (enum quirk_op)c->op, c->value);
	case QUIRK_ON_MESSAGE: return compare(facts->message, (enum quirk_op)c->op, c->value);
	case QUIRK_ON_LEVEL: return compare((uint32_t)facts->level, (enum quirk_op)c->op, c->value);
	case QUIRK_ON_INTERFACE: return compare(facts->interface, (enum quirk_op)c->op, c->value);
	case QUIRK_ON_PRODUCT: return c->op == QUIRK_CONTAINS ? contains : !contains;
	case QUIRK_FIELD_COUNT: break;
	}
	return false;
}

bool quirk_holds(const struct quirk_rule *rule, const struct quirk_facts *facts)
{
	for (unsigned i = 0; i < rule->conditions && i < QUIRK_CONDITIONS_MAX; i++)
		if (!condition_holds(&rule->condition[i], facts))
			return false;
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
	else if (target->size == sizeof effect->value)
		memcpy(at, &effect->value, sizeof effect->value);
	else
		memcpy(at, &effect->bytes, sizeof effect->bytes);
}

#define X(id, name, kind, low, high, member)                                                               \
	_Static_assert(sizeof(((struct ccid_caps *)0)->member) ==                                          \
			       ((kind) == QUIRK_BYTES                          ? sizeof(struct ccid_bytes) \
				: sizeof(((struct ccid_caps *)0)->member) == 1 ? 1                         \
									       : sizeof(uint32_t)),        \
		       "store() handles bytes, and members of one and of four bytes");
QUIRK_KEYS(X)
#undef X

static void apply_rule(const struct quirk_rule *rule, struct ccid_caps *caps)
{
	for (unsigned e = 0; e < rule->effects && e < QUIRK_EFFECTS_MAX; e++) {
		store(caps, &rule->effect[e]);
		if (rule->effect[e].key == QUIRK_FIXED_IN)
			caps->fault = rule->why;
	}
}

size_t quirk_apply_rules(const struct quirk_rule *rules, size_t count, const struct quirk_facts *facts,
			 struct ccid_caps *caps)
{
	size_t held = 0;

	for (size_t i = 0; i < count; i++) {
		if (!quirk_holds(&rules[i], facts))
			continue;
		apply_rule(&rules[i], caps);
		held++;
	}
	return held;
}

void quirk_apply(uint16_t vid, uint16_t pid, const struct quirk_facts *facts, struct ccid_caps *caps)
{
	const struct quirk_reader *reader = quirk_find(vid, pid);

	caps->firmware = facts->bcd_device;
	for (size_t i = 0; i < quirk_vendors_len; i++)
		if (quirk_vendors[i].vid == vid)
			quirk_apply_rules(quirk_rules + quirk_vendors[i].first, quirk_vendors[i].rules, facts,
					  caps);
	if (reader)
		quirk_apply_rules(quirk_rules + reader->first, reader->rules, facts, caps);
}

void quirk_settle(struct ccid_caps *caps)
{
	if (caps->busy_slots > caps->slots)
		caps->busy_slots = caps->slots;
	if (caps->no_ifsd)
		caps->features |= CCID_AUTO_IFSD;
	if (caps->pinpad == PINPAD_NONE || caps->pinpad == PINPAD_BROKEN)
		caps->pin_support = 0;
}
