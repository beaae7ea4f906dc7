/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every reader that is known: its descriptor is understood, the table built from it agrees, and its rules do what they say. */
#include "check.h"

#include "ccid/descriptor.h"
#include "quirk/quirk.h"
#include "quirk/reader_file.h"

#include <dirent.h>

/* ---- all readers, read once ------------------------------------------------------------------------------ */

/* One interface of one unit, with what the driver makes of it. */
struct seen {
	uint16_t vid, pid, bcd_device;
	uint8_t number;
	struct ccid_descriptor desc;
	struct ccid_caps caps;    /* as derived */
	struct ccid_caps quirked; /* and after the rules */
};

static struct {
	struct seen seen[2048];
	size_t len;
	unsigned sections, errors;
} all;

static void keep_interface(const struct reader_section *s, const struct reader_interface *i)
{
	struct seen *at = &all.seen[all.len++];

	assert_true(all.len < COUNT(all.seen));
	at->vid = s->vid;
	at->pid = s->pid;
	at->number = i->number;
	at->bcd_device = s->unit[i->unit].bcd_device;
	if (ccid_descriptor_decode(i->descriptor, sizeof i->descriptor, &at->desc) != OC_OK)
		fail_msg("%s:%u: a descriptor is not understood", s->file, s->line);
	if (ccid_caps_derive(&at->desc, &at->caps) != OC_OK)
		fail_msg("%s:%u: nothing can be derived from a descriptor", s->file, s->line);
	at->quirked = at->caps;
	quirk_apply(s->vid, s->pid,
		    &(struct quirk_facts){ .bcd_device = at->bcd_device,
					   .message = at->desc.dwMaxCCIDMessageLength,
					   .level = at->caps.level,
					   .interface = i->number,
					   .product = s->unit[i->unit].product },
		    &at->quirked);
	quirk_settle(&at->quirked);
}

static void check_rule(const struct quirk_rule *got, const struct quirk_rule *want)
{
	assert_int_equal(got->conditions, want->conditions);
	assert_int_equal(got->effects, want->effects);
	for (unsigned i = 0; i < want->conditions; i++) {
		assert_int_equal(got->condition[i].field, want->condition[i].field);
		assert_int_equal(got->condition[i].op, want->condition[i].op);
		assert_int_equal(got->condition[i].value, want->condition[i].value);
	}
	for (unsigned i = 0; i < want->effects; i++) {
		assert_int_equal(got->effect[i].key, want->effect[i].key);
		assert_int_equal(got->effect[i].value, want->effect[i].value);
	}
}

/* The generated table must say of a reader what its file says. */
static void check_row(const struct reader_section *s)
{
	const struct quirk_reader *row = quirk_find(s->vid, s->pid);
	const bool offered = s->status == READER_SUPPORTED || s->status == READER_SHOULD_WORK;
	bool vendor_class = false;

	if (!row)
		fail_msg("%s:%u: not in the table", s->file, s->line);
	for (unsigned i = 0; i < s->interfaces; i++)
		vendor_class |= s->interface[i].triple[0] == 0xff;
	assert_string_equal(quirk_name(row), s->name);
	assert_int_equal((row->flags & QUIRK_OFFERED) != 0, offered);
	assert_int_equal((row->flags & QUIRK_VENDOR_CLASS) != 0, vendor_class);
	assert_int_equal(row->rules, s->rules);
	for (unsigned r = 0; r < s->rules; r++)
		check_rule(&quirk_rules[row->first + r], &s->rule[r]);
}

static void on_section(void *arg, const struct reader_section *s)
{
	(void)arg;
	all.sections++;
	check_row(s);
	for (unsigned i = 0; i < s->interfaces; i++)
		keep_interface(s, &s->interface[i]);
}

static void on_error(void *arg, const char *file, unsigned line, const char *sentence)
{
	(void)arg;
	all.errors++;
	print_error("%s:%u: %s\n", file, line, sentence);
}

static bool has_suffix(const char *name, const char *suffix)
{
	const size_t len = strlen(name);

	return len > strlen(suffix) && strcmp(name + len - strlen(suffix), suffix) == 0;
}

static int read_all_readers(void **state)
{
	static const struct reader_sink sink = { .section = on_section, .error = on_error };
	const char *srcdir = getenv("srcdir");
	char folder[2048];
	char path[4096];
	struct dirent *entry;
	DIR *dir;

	(void)state;
	snprintf(folder, sizeof folder, "%s/readers", srcdir ? srcdir : ".");
	dir = opendir(folder);
	if (!dir) {
		print_error("%s cannot be opened; set srcdir to the folder of the sources\n", folder);
		return -1;
	}
	while ((entry = readdir(dir))) {
		if (!has_suffix(entry->d_name, ".reader"))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		reader_file_load(path, READER_DATABASE, &sink);
	}
	closedir(dir);
	return 0;
}

/* Readers are only ever added; raise the numbers with them. */
static void none_is_missing(void **state)
{
	(void)state;
	assert_int_equal(all.errors, 0);
	assert_int_equal(all.len, 773);
	assert_int_equal(all.sections, 656);
	assert_int_equal(quirk_table_len, 656);
}

static void check_plausible(const struct seen *s, const struct ccid_caps *c)
{
	const bool good = c->slots >= 1 && c->slots <= 256 && c->busy_slots >= 1 &&
			  c->busy_slots <= c->slots && c->voltages >= 1 && c->voltages <= 7 &&
			  (c->t0 || c->t1) && c->clock_khz > 0 && c->max_message >= 64 &&
			  c->max_message <= 65554 && c->max_ifsd >= 1 && c->max_ifsd <= 254 &&
			  c->pin_support <= 3 &&
			  (c->features & (CCID_AUTO_PPS | CCID_AUTO_PARAM_NEGOTIATION)) !=
				  (CCID_AUTO_PPS | CCID_AUTO_PARAM_NEGOTIATION);

	if (!good)
		fail_msg("%04x:%04x interface %u: implausible capabilities", s->vid, s->pid, s->number);
}

static void all_are_plausible(void **state)
{
	(void)state;
	for (size_t i = 0; i < all.len; i++) {
		check_plausible(&all.seen[i], &all.seen[i].caps);
		check_plausible(&all.seen[i], &all.seen[i].quirked);
	}
}

/* ---- readers whose descriptors are odd ------------------------------------------------------------------- */

enum fact {
	CLOCK,
	DESC_CLOCK,
	IFSD,
	DESC_IFSD,
	MESSAGE,
	DESC_MESSAGE,
	BUSY,
	DESC_BUSY,
	PPS,
	NEGOTIATION,
	VOLTAGE,
	SLOTS,
	LEVEL,
	PROTOCOLS
};

static uint32_t fact_of(const struct seen *s, enum fact fact)
{
	const struct ccid_caps *c = &s->caps;

	switch (fact) {
	case CLOCK: return c->clock_khz;
	case DESC_CLOCK: return s->desc.dwDefaultClock;
	case IFSD: return c->max_ifsd;
	case DESC_IFSD: return s->desc.dwMaxIFSD;
	case MESSAGE: return c->max_message;
	case DESC_MESSAGE: return s->desc.dwMaxCCIDMessageLength;
	case BUSY: return c->busy_slots;
	case DESC_BUSY: return s->desc.bMaxCCIDBusySlots;
	case PPS: return (c->features & CCID_AUTO_PPS) != 0;
	case NEGOTIATION: return (c->features & CCID_AUTO_PARAM_NEGOTIATION) != 0;
	case VOLTAGE: return c->voltages;
	case SLOTS: return c->slots;
	case LEVEL: return c->level;
	case PROTOCOLS: return (c->t0 ? 1u : 0) | (c->t1 ? 2u : 0);
	}
	return 0;
}

static const struct odd {
	uint16_t vid, pid, bcd_device;
	uint8_t interface;
	enum fact fact;
	uint32_t value;
} odds[] = {
	/* clock of 1024000 kHz: the fields of this one are shifted by a byte, so IFSD, protocols and voltage are lost too */
	{ 0x09be, 0x0002, 0x0200, 1, DESC_CLOCK, 1024000 },
	{ 0x09be, 0x0002, 0x0200, 1, CLOCK, 1024000 },
	{ 0x09be, 0x0002, 0x0200, 1, DESC_IFSD, 0 },
	{ 0x09be, 0x0002, 0x0200, 1, IFSD, 254 },
	{ 0x09be, 0x0002, 0x0200, 1, VOLTAGE, 1 },
	{ 0x09be, 0x0002, 0x0200, 1, PROTOCOLS, 3 },
	{ 0x09be, 0x0002, 0x0200, 1, LEVEL, CCID_TPDU },
	/* clock of 250 kHz */
	{ 0x31aa, 0x3001, 0x0201, 1, DESC_CLOCK, 250 },
	{ 0x31aa, 0x7003, 0x0530, 1, CLOCK, 250 },
	/* IFSD 0 at TPDU level */
	{ 0x1d50, 0x6141, 0x0000, 0, DESC_IFSD, 0 },
	{ 0x1d50, 0x6141, 0x0000, 0, IFSD, 254 },
	{ 0x23a0, 0x0008, 0x0108, 0, IFSD, 254 },
	{ 0x0483, 0x2010, 0x0001, 1, IFSD, 254 },
	/* IFSD above 254 */
	{ 0x1050, 0x0407, 0x0503, 2, DESC_IFSD, 3062 },
	{ 0x1050, 0x0407, 0x0503, 2, IFSD, 254 },
	/* messages of 64 and of 524288 bytes */
	{ 0x04e6, 0x5a11, 0x0001, 0, MESSAGE, 64 },
	{ 0x09d8, 0x0427, 0x0200, 0, MESSAGE, 64 },
	{ 0x09d8, 0x0428, 0x0200, 0, MESSAGE, 64 },
	{ 0x234b, 0x0000, 0x0200, 0, MESSAGE, 64 },
	{ 0x3606, 0x5a11, 0x0001, 0, MESSAGE, 64 },
	{ 0x08c3, 0x0406, 0x2e3d, 0, DESC_MESSAGE, 524288 },
	{ 0x08c3, 0x0406, 0x2e3d, 0, MESSAGE, 65554 },
	/* busy slots 0, and 5 of 2; 8 of 8 and 5 of 5 are meant */
	{ 0x096e, 0x0505, 0x0205, 0, DESC_BUSY, 0 },
	{ 0x096e, 0x0505, 0x0205, 0, BUSY, 1 },
	{ 0x1c34, 0xafc0, 0x0108, 0, SLOTS, 2 },
	{ 0x1c34, 0xafc0, 0x0108, 0, BUSY, 1 },
	{ 0x1c34, 0x6012, 0x0108, 0, DESC_BUSY, 5 },
	{ 0x1c34, 0x6012, 0x0108, 0, BUSY, 2 },
	{ 0x1d50, 0x6141, 0x0000, 0, SLOTS, 8 },
	{ 0x1d50, 0x6141, 0x0000, 0, BUSY, 8 },
	{ 0x1862, 0x0000, 0x0000, 0, BUSY, 5 },
	/* features 40h and 80h together */
	{ 0x1050, 0x0407, 0x0503, 2, NEGOTIATION, 1 },
	{ 0x1050, 0x0407, 0x0503, 2, PPS, 0 },
	{ 0x0529, 0x0602, 0x1000, 0, NEGOTIATION, 1 },
	{ 0x0529, 0x0602, 0x1000, 0, PPS, 0 },
	{ 0x1862, 0x0000, 0x0000, 0, PPS, 0 },
	/* no voltage, beside automatic voltage selection */
	{ 0x21ab, 0x0010, 0x0100, 0, VOLTAGE, 1 },
	/* both products of one id */
	{ 0x04e6, 0x5410, 0x0521, 0, MESSAGE, 263 },
	{ 0x04e6, 0x5410, 0x0204, 0, MESSAGE, 271 },
};

static const struct seen *find_seen(uint16_t vid, uint16_t pid, uint16_t bcd_device, uint8_t interface)
{
	for (size_t i = 0; i < all.len; i++) {
		const struct seen *s = &all.seen[i];

		if (s->vid == vid && s->pid == pid && s->bcd_device == bcd_device && s->number == interface)
			return s;
	}
	fail_msg("%04x:%04x %04x interface %u is not described", vid, pid, bcd_device, interface);
	return NULL;
}

static void odd_descriptors_are_kept_and_repaired(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(odds); i++) {
		const struct odd *o = &odds[i];
		const struct seen *s = find_seen(o->vid, o->pid, o->bcd_device, o->interface);
		const uint32_t got = fact_of(s, o->fact);

		if (got != o->value)
			fail_msg("row %zu, %04x:%04x: expected %u, got %u", i, o->vid, o->pid, o->value, got);
	}
}

/* ---- the rules ------------------------------------------------------------------------------------------- */

/* The message length of 263 is raised where it stands at TPDU level, on these products and on no other. */
static void only_263_at_tpdu_level_is_raised(void **state)
{
	unsigned raised = 0;

	(void)state;
	for (size_t i = 0; i < all.len; i++) {
		const struct seen *s = &all.seen[i];

		if (s->quirked.max_message == s->caps.max_message)
			continue;
		raised++;
		assert_int_equal(s->caps.max_message, 263);
		assert_int_equal(s->caps.level, CCID_TPDU);
		assert_int_equal(s->quirked.max_message, 271);
		assert_true(s->vid == 0x04e6 || s->vid == 0x03f0);
	}
	assert_int_equal(raised, 7);
	assert_int_equal(find_seen(0x04e6, 0x5410, 0x0521, 0)->quirked.max_message, 271);
	assert_int_equal(find_seen(0x04e6, 0x5410, 0x0204, 0)->quirked.max_message, 271);
	assert_int_equal(find_seen(0x04e6, 0x5410, 0x0204, 0)->caps.max_message, 271);
	assert_int_equal(find_seen(0x04e6, 0x5612, 0x0104, 0)->quirked.max_message,
			 263); /* short APDU level */
}

#define ON(field, op, value)                        \
	{                                           \
		QUIRK_ON_##field, QUIRK_##op, value \
	}
#define RULE(n, ...)                                                                     \
	{                                                                                \
		.conditions = n, .condition = { __VA_ARGS__ }, .effects = 1, .effect = { \
			{ QUIRK_MAX_IFSD, 48 }                                           \
		}                                                                        \
	}

/* A device with firmware 05.20 and a message length of 263 at TPDU level; does the rule hold? */
static const struct predicate {
	const char *what;
	struct quirk_rule rule;
	bool holds;
} predicates[] = {
	{ "no condition", RULE(0, { 0, 0, 0 }), true },
	{ "firmware < below", RULE(1, ON(FIRMWARE, LT, 0x0519)), false },
	{ "firmware < same", RULE(1, ON(FIRMWARE, LT, 0x0520)), false },
	{ "firmware < above", RULE(1, ON(FIRMWARE, LT, 0x0521)), true },
	{ "firmware <= below", RULE(1, ON(FIRMWARE, LE, 0x0519)), false },
	{ "firmware <= same", RULE(1, ON(FIRMWARE, LE, 0x0520)), true },
	{ "firmware = below", RULE(1, ON(FIRMWARE, EQ, 0x0519)), false },
	{ "firmware = same", RULE(1, ON(FIRMWARE, EQ, 0x0520)), true },
	{ "firmware = above", RULE(1, ON(FIRMWARE, EQ, 0x0521)), false },
	{ "firmware >= same", RULE(1, ON(FIRMWARE, GE, 0x0520)), true },
	{ "firmware >= above", RULE(1, ON(FIRMWARE, GE, 0x0521)), false },
	{ "firmware > below", RULE(1, ON(FIRMWARE, GT, 0x0519)), true },
	{ "firmware > same", RULE(1, ON(FIRMWARE, GT, 0x0520)), false },
	{ "inside a range", RULE(2, ON(FIRMWARE, GE, 0x0500), ON(FIRMWARE, LT, 0x0521)), true },
	{ "above a range", RULE(2, ON(FIRMWARE, GE, 0x0500), ON(FIRMWARE, LT, 0x0520)), false },
	{ "below a range", RULE(2, ON(FIRMWARE, GE, 0x0521), ON(FIRMWARE, LT, 0x0600)), false },
	{ "message", RULE(1, ON(MESSAGE, EQ, 263)), true },
	{ "other message", RULE(1, ON(MESSAGE, EQ, 271)), false },
	{ "level", RULE(1, ON(LEVEL, EQ, CCID_TPDU)), true },
	{ "other level", RULE(1, ON(LEVEL, EQ, CCID_SHORT_APDU)), false },
	{ "both", RULE(2, ON(MESSAGE, EQ, 263), ON(LEVEL, EQ, CCID_TPDU)), true },
	{ "only the first", RULE(2, ON(MESSAGE, EQ, 263), ON(LEVEL, EQ, CCID_CHARACTER)), false },
	{ "only the second", RULE(2, ON(MESSAGE, EQ, 264), ON(LEVEL, EQ, CCID_TPDU)), false },
	{ "operator from elsewhere", RULE(1, { QUIRK_ON_FIRMWARE, QUIRK_OP_COUNT, 0x0520 }), false },
};

static const struct quirk_facts device = {
	.bcd_device = 0x0520, .message = 263, .level = CCID_TPDU, .product = ""
};
static const struct ccid_caps device_caps = { .level = CCID_TPDU,
					      .max_message = 263,
					      .max_ifsd = 252,
					      .pin_support = 3,
					      .slots = 2,
					      .class_get_response = 0xff };

static void predicates_decide(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(predicates); i++) {
		struct ccid_caps caps = device_caps;

		quirk_apply_rules(&predicates[i].rule, 1, &device, &caps);
		if ((caps.max_ifsd == 48) != predicates[i].holds)
			fail_msg("%s: max_ifsd became %u", predicates[i].what, caps.max_ifsd);
	}
}

/* The facts come from the device at hand, not from a fixed one. */
static void conditions_follow_the_device(void **state)
{
	static const struct quirk_rule rule =
		RULE(3, ON(MESSAGE, EQ, 512), ON(LEVEL, GE, CCID_SHORT_APDU), ON(FIRMWARE, EQ, 0xf0f0));
	struct quirk_facts other = {
		.bcd_device = 0xf0ef, .message = 512, .level = CCID_EXTENDED_APDU, .product = ""
	};
	struct ccid_caps caps = { .level = CCID_EXTENDED_APDU, .max_ifsd = 254 };

	(void)state;
	quirk_apply_rules(&rule, 1, &other, &caps);
	assert_int_equal(caps.max_ifsd, 254);
	other.bcd_device = 0xf0f0;
	quirk_apply_rules(&rule, 1, &other, &caps);
	assert_int_equal(caps.max_ifsd, 48);
}

#define EFFECT(key, value)                                         \
	{                                                          \
		.effects = 1, .effect = { { QUIRK_##key, value } } \
	}

/* Each effect changes its own capability and nothing beside it. */
static void effects_land_where_they_should(void **state)
{
	static const struct {
		struct quirk_rule rule;
		struct ccid_caps want;
	} rows[] = {
		{ EFFECT(MAX_MESSAGE, 65554),
		  { .level = CCID_TPDU,
		    .max_message = 65554,
		    .max_ifsd = 252,
		    .pin_support = 3,
		    .slots = 2,
		    .class_get_response = 0xff } },
		{ EFFECT(MAX_IFSD, 254),
		  { .level = CCID_TPDU,
		    .max_message = 263,
		    .max_ifsd = 254,
		    .pin_support = 3,
		    .slots = 2,
		    .class_get_response = 0xff } },
		{ EFFECT(LEVEL, CCID_EXTENDED_APDU),
		  { .level = CCID_EXTENDED_APDU,
		    .max_message = 263,
		    .max_ifsd = 252,
		    .pin_support = 3,
		    .slots = 2,
		    .class_get_response = 0xff } },
		{ EFFECT(PINPAD, PINPAD_NONE),
		  { .level = CCID_TPDU,
		    .max_message = 263,
		    .max_ifsd = 252,
		    .pin_support = 0,
		    .pinpad = PINPAD_NONE,
		    .slots = 2,
		    .class_get_response = 0xff } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ccid_caps caps = device_caps;

		quirk_apply_rules(&rows[i].rule, 1, &device, &caps);
		quirk_settle(&caps);
		assert_memory_equal(&caps, &rows[i].want, sizeof caps);
	}
}

/* Later rules win; conditions see the device, not what an earlier rule made of it. */
static void later_rules_win(void **state)
{
	static const struct quirk_rule rules[] = {
		{ .effects = 2, .effect = { { QUIRK_MAX_MESSAGE, 271 }, { QUIRK_LEVEL, CCID_SHORT_APDU } } },
		{ .conditions = 2,
		  .condition = { ON(MESSAGE, EQ, 263), ON(LEVEL, EQ, CCID_TPDU) },
		  .effects = 1,
		  .effect = { { QUIRK_MAX_MESSAGE, 300 } } },
		{ .conditions = 1,
		  .condition = { ON(MESSAGE, EQ, 271) },
		  .effects = 1,
		  .effect = { { QUIRK_MAX_MESSAGE, 400 } } },
	};
	struct ccid_caps caps = device_caps;

	(void)state;
	quirk_apply_rules(rules, 3, &device, &caps);
	assert_int_equal(caps.max_message, 300);
	assert_int_equal(caps.level, CCID_SHORT_APDU);
}

static void unlisted_readers_are_left_alone(void **state)
{
	static const struct {
		uint16_t vid, pid;
	} absent[] = {
		{ 0, 0 },           { 0x03eb, 0x6003 }, { 0x04e6, 0 },
		{ 0x04e6, 0xffff }, { 0xc1a6, 0x0132 }, { 0xffff, 0xffff },
	};
	struct ccid_caps caps = device_caps;

	(void)state;
	for (size_t i = 0; i < COUNT(absent); i++)
		assert_null(quirk_find(absent[i].vid, absent[i].pid));
	quirk_apply(0xffff, 0xffff, &device, &caps);
	assert_memory_equal(&caps, &device_caps, sizeof caps);
	for (size_t i = 1; i < quirk_table_len; i++)
		assert_true(((uint32_t)quirk_table[i - 1].vid << 16 | quirk_table[i - 1].pid) <
			    ((uint32_t)quirk_table[i].vid << 16 | quirk_table[i].pid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_is_missing),
		cmocka_unit_test(all_are_plausible),
		cmocka_unit_test(odd_descriptors_are_kept_and_repaired),
		cmocka_unit_test(only_263_at_tpdu_level_is_raised),
		cmocka_unit_test(predicates_decide),
		cmocka_unit_test(conditions_follow_the_device),
		cmocka_unit_test(effects_land_where_they_should),
		cmocka_unit_test(later_rules_win),
		cmocka_unit_test(unlisted_readers_are_left_alone),
	};

	return cmocka_run_group_tests(tests, read_all_readers, NULL);
}
