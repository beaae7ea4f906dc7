/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules: when they hold, what each effect changes, and what those of the project make of readers. */
#include "check.h"

#include "ccid/descriptor.h"
#include "quirk/quirk.h"

static const char *const key_names[QUIRK_KEY_COUNT] = {
#define X(id, text, kind, low, high, member) [QUIRK_##id] = (text),
	QUIRK_KEYS(X)
#undef X
};

#define ON(what, how, number)                                                  \
	{                                                                      \
		.field = QUIRK_ON_##what, .op = QUIRK_##how, .value = (number) \
	}
#define STRING(how, text)                                                  \
	{                                                                  \
		.field = QUIRK_ON_PRODUCT, .op = QUIRK_##how, .word = text \
	}
#define RULE(n, ...)                                                                     \
	{                                                                                \
		.conditions = n, .condition = { __VA_ARGS__ }, .effects = 1, .effect = { \
			{ .key = QUIRK_MAX_IFSD, .value = 48 }                           \
		}                                                                        \
	}

/* Firmware 05.20, a message length of 263 at TPDU level, interface 1 and a name: does the rule hold? */
static const struct predicate {
	const char *what;
	struct quirk_rule rule;
	bool holds;
} predicates[] = {
	{ "no condition", RULE(0, { .op = 0 }), true },
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
	{ "interface", RULE(1, ON(INTERFACE, EQ, 1)), true },
	{ "other interface", RULE(1, ON(INTERFACE, EQ, 0)), false },
	{ "interface at least", RULE(1, ON(INTERFACE, GE, 2)), false },
	{ "product contains", RULE(1, STRING(CONTAINS, "v2.0")), true },
	{ "product contains all", RULE(1, STRING(CONTAINS, "SCR335 v2.0 USB")), true },
	{ "product contains more", RULE(1, STRING(CONTAINS, "v2.01")), false },
	{ "product in another case", RULE(1, STRING(CONTAINS, "V2.0")), false },
	{ "product lacks", RULE(1, STRING(LACKS, "v3.0")), true },
	{ "product does not lack", RULE(1, STRING(LACKS, "v2.0")), false },
	{ "product and firmware", RULE(2, ON(FIRMWARE, LT, 0x0521), STRING(LACKS, "v2.0")), false },
	{ "number operator on a string",
	  RULE(1, { .field = QUIRK_ON_PRODUCT, .op = QUIRK_LT, .word = "v2.0" }), false },
	{ "string operator on a number",
	  RULE(1, { .field = QUIRK_ON_FIRMWARE, .op = QUIRK_CONTAINS, .value = 0x0520 }), false },
	{ "operator from elsewhere",
	  RULE(1, { .field = QUIRK_ON_FIRMWARE, .op = QUIRK_OP_COUNT, .value = 0x0520 }), false },
};

static const struct quirk_facts device = {
	.bcd_device = 0x0520, .message = 263, .level = CCID_TPDU, .interface = 1, .product = "SCR335 v2.0 USB"
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

/*
 * One row per effect: X(key, value of the effect, 1 where it is bytes, the member). A number or a word has one value that
 * differs from what the device says; the bytes are compared as bytes.
 */
#define SOME_BYTES(some)                      \
	{                                     \
		2 * (some), (some),           \
		{                             \
			0xB5 * (some), (some) \
		}                             \
	}
#define ROWS(X)                                                     \
	X(MAX_MESSAGE, 65554, 0, max_message)                       \
	X(MAX_IFSD, 254, 0, max_ifsd)                               \
	X(MAX_RATE, 9600, 0, max_rate)                              \
	X(OTHER_SLOTS_RATE, 9600, 0, other_slots_rate)              \
	X(LEVEL, CCID_EXTENDED_APDU, 0, level)                      \
	X(SLOTS, 3, 0, slots)                                       \
	X(LCD_LINES, 2, 0, lcd_lines)                               \
	X(LCD_COLUMNS, 16, 0, lcd_columns)                          \
	X(NO_PPS, 1, 0, no_pps)                                     \
	X(NO_IFSD, 1, 0, no_ifsd)                                   \
	X(IGNORE_PARAMETERS, 1, 0, ignore_parameters)               \
	X(NO_FULL_PACKETS, 1, 0, no_full_packets)                   \
	X(RESYNC_AT_OPEN, 1, 0, resync_at_open)                     \
	X(POWER_OFF_AT_OPEN, 10, 0, power_off_at_open)              \
	X(OPEN_PAUSE, 2000, 0, open_pause_ms)                       \
	X(OPEN_ESCAPE, 0, 1, open_escape)                           \
	X(LOAD_PROMPTS, 1, 0, load_prompts)                         \
	X(ASK_FEATURES, 1, 0, ask_features)                         \
	X(FIRMWARE_ESCAPE, 0, 1, firmware_escape)                   \
	X(POWER_OFF_FIRST, 1, 0, power_off_first)                   \
	X(LEAVE_EMV, 0, 1, leave_emv)                               \
	X(CLEAR_INTERRUPT, 1, 0, clear_interrupt)                   \
	X(NO_INTERRUPT, 1, 0, no_interrupt)                         \
	X(PRESENCE_BY_EVENT, 1, 0, presence_by_event)               \
	X(UNDETECTED_FROM, 256, 0, undetected_1)                    \
	X(EXTRA_WAIT, 600, 0, extra_wait_s)                         \
	X(WRITE_PAUSE, 100, 0, write_pause_ms)                      \
	X(ESCAPE, PERMISSION_ALLOW, 0, escape)                      \
	X(ESCAPE_ALLOWED, 0, 1, escape_allowed)                     \
	X(MCT, 1, 0, mct)                                           \
	X(READER_INFO, 1, 0, reader_info)                           \
	X(PINPAD, PINPAD_FORCE, 0, pinpad)                          \
	X(PIN_MIN, 255, 0, pin.min)                                 \
	X(PIN_MAX, 255, 0, pin.max)                                 \
	X(PIN_CONDITIONS, 2, 0, pin.conditions)                     \
	X(PIN_VERIFY_MESSAGES, 256, 0, pin.verify_messages_1)       \
	X(PIN_MODIFY_MESSAGES, 256, 0, pin.modify_messages_1)       \
	X(PIN_MODIFY_NO_MESSAGES, 256, 0, pin.modify_no_messages_1) \
	X(PIN_THREE_INDEXES, 1, 0, pin.three_indexes)               \
	X(PIN_ZERO_INDEXES, 1, 0, pin.zero_indexes)                 \
	X(PIN_SWAP_LIMITS, 1, 0, pin.swap_limits)                   \
	X(PIN_PLAIN_BLOCK, 1, 0, pin.plain_block)                   \
	X(PIN_PLAIN_BCD, 1, 0, pin.plain_bcd)                       \
	X(PIN_FIXED_LENGTH, 1, 0, pin.fixed_length)                 \
	X(PIN_LC, PIN_LC_APPEND, 0, pin.lc)                         \
	X(PIN_TIMEOUT, 30, 0, pin.timeout_s)                        \
	X(PIN_ESCAPE, 0, 1, pin.escape)                             \
	X(PIN_PAUSE, 1000, 0, pin.pause_ms)                         \
	X(PIN_REFUSED_ERROR, 255, 0, pin.refused_error)             \
	X(PIN_MISMATCH_ERROR, 132, 0, pin.mismatch_error)           \
	X(FIXED_IN, 0x0701, 0, fixed_in)

/* Put into @caps what an effect is said to do; bytes for a member of bytes, else a number of its width. */
static void expect(struct ccid_caps *caps, size_t offset, size_t size, const struct quirk_effect *e)
{
	const uint8_t byte = (uint8_t)e->value;
	unsigned char *at = (unsigned char *)caps + offset;

	if (e->bytes.len)
		memcpy(at, &e->bytes, size);
	else
		memcpy(at, size == 1 ? (const void *)&byte : (const void *)&e->value, size);
}

/* Each effect changes its own capability and nothing beside it. */
static void effects_land_where_they_should(void **state)
{
	static const struct {
		size_t offset, size;
		struct quirk_effect effect;
	} rows[] = {
#define X(id, number, some, member)                \
	{ offsetof(struct ccid_caps, member),      \
	  sizeof(((struct ccid_caps *)0)->member), \
	  { .key = QUIRK_##id, .value = (number), .bytes = SOME_BYTES(some) } },
		ROWS(X)
#undef X
	};
	_Static_assert(COUNT(rows) == QUIRK_KEY_COUNT, "one row for each effect");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct quirk_rule rule = { .effects = 1, .effect = { rows[i].effect } };
		struct ccid_caps caps = device_caps;
		struct ccid_caps want = device_caps;

		CHECK_INT(key_names[i], rows[i].effect.key, i);
		quirk_apply_rules(&rule, 1, &device, &caps);
		expect(&want, rows[i].offset, rows[i].size, &rows[i].effect);
		if (rows[i].effect.key == QUIRK_FIXED_IN)
			want.fault = rule.why;
		CHECK_BYTES(key_names[i], &caps, sizeof caps, &want, sizeof want);
		/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c): both are copies of it */
		CHECK(key_names[i], memcmp(&caps, &device_caps, sizeof caps) != 0);
	}
	check_done();
}

/* What the last rule leaves behind must fit together. */
static void settling_makes_ends_meet(void **state)
{
	static const struct {
		const char *what;
		struct ccid_caps before;
		unsigned busy, pin;
		bool auto_ifsd;
	} rows[] = {
		{ "nothing to do", { .slots = 2, .busy_slots = 2, .pin_support = 3 }, 2, 3, false },
		{ "fewer slots", { .slots = 1, .busy_slots = 2, .pin_support = 3 }, 1, 3, false },
		{ "no keypad",
		  { .slots = 1, .busy_slots = 1, .pin_support = 3, .pinpad = PINPAD_NONE },
		  1,
		  0,
		  false },
		{ "a broken one",
		  { .slots = 1, .busy_slots = 1, .pin_support = 3, .pinpad = PINPAD_BROKEN },
		  1,
		  0,
		  false },
		{ "a forced one",
		  { .slots = 1, .busy_slots = 1, .pin_support = 3, .pinpad = PINPAD_FORCE },
		  1,
		  3,
		  false },
		{ "no S(IFS)", { .slots = 1, .busy_slots = 1, .no_ifsd = true }, 1, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ccid_caps caps = rows[i].before;

		quirk_settle(&caps);
		CHECK_INT(rows[i].what, caps.busy_slots, rows[i].busy);
		CHECK_INT(rows[i].what, caps.pin_support, rows[i].pin);
		CHECK_INT(rows[i].what, (caps.features & CCID_AUTO_IFSD) != 0, rows[i].auto_ifsd);
	}
	check_done();
}

/* ---- what the rules of the project make of readers --------------------------------------------------------- */

/* A number of the capabilities after the rules, by the key that sets it. */
static uint32_t quirked(const struct ccid_caps *caps, enum quirk_key key)
{
	static const struct {
		size_t offset, size;
	} members[QUIRK_KEY_COUNT] = {
#define X(id, text, kind, low, high, member) \
	[QUIRK_##id] = { offsetof(struct ccid_caps, member), sizeof(((struct ccid_caps *)0)->member) },
		QUIRK_KEYS(X)
#undef X
	};
	const unsigned char *at = (const unsigned char *)caps + members[key].offset;
	uint32_t value;

	if (members[key].size == 1)
		return *at;
	if (members[key].size == sizeof(struct ccid_bytes))
		return ((const struct ccid_bytes *)at)->len;
	memcpy(&value, at, sizeof value);
	return value;
}

/* Where it matters which unit, which interface or which name: the condition decides, and nothing else. */
static const struct outcome {
	uint16_t vid, pid, bcd_device;
	uint8_t interface;
	enum ccid_level level;
	const char *product;
	enum quirk_key key;
	uint32_t value; /* bytes: their number */
} outcomes[] = {
	{ 0x04e6, 0x5115, 0x0513, 0, CCID_TPDU, "SCR335 USB Reader", QUIRK_MAX_IFSD, 48 },
	{ 0x04e6, 0x5115, 0x0513, 0, CCID_TPDU, "SCR335 USB Reader", QUIRK_FIXED_IN, 0x0514 },
	{ 0x04e6, 0x5115, 0x0514, 0, CCID_TPDU, "SCR335 USB Reader", QUIRK_MAX_IFSD, 252 },
	{ 0x04e6, 0x5115, 0x0204, 0, CCID_TPDU, "SCR335 v2.0 USB SC Reader", QUIRK_MAX_IFSD, 252 },
	{ 0x04e6, 0x5115, 0x0204, 0, CCID_TPDU, "SCR335 v2.0 USB SC Reader", QUIRK_FIXED_IN, 0 },
	{ 0x04e6, 0xe001, 0x0515, 0, CCID_TPDU, "", QUIRK_MAX_IFSD, 48 },
	{ 0x04e6, 0xe001, 0x0516, 0, CCID_TPDU, "", QUIRK_MAX_IFSD, 252 },
	{ 0x04e6, 0xe003, 0x0700, 0, CCID_TPDU, "", QUIRK_PINPAD, PINPAD_BROKEN },
	{ 0x04e6, 0xe003, 0x0700, 0, CCID_TPDU, "", QUIRK_FIXED_IN, 0x0701 },
	{ 0x04e6, 0xe003, 0x0701, 0, CCID_TPDU, "", QUIRK_PINPAD, PINPAD_AS_ANNOUNCED },
	{ 0x04e6, 0xe003, 0x0510, 0, CCID_TPDU, "", QUIRK_PINPAD, PINPAD_AS_ANNOUNCED },
	{ 0x04e6, 0xe003, 0x0510, 0, CCID_TPDU, "", QUIRK_FIXED_IN, 0 },
	{ 0x04e6, 0xe003, 0x0510, 0, CCID_TPDU, "", QUIRK_PIN_ESCAPE, 3 },
	{ 0x04e6, 0xe003, 0x0510, 0, CCID_TPDU, "", QUIRK_PIN_MODIFY_MESSAGES, 1 },
	{ 0x04e6, 0xe003, 0x0505, 0, CCID_TPDU, "", QUIRK_PIN_PLAIN_BCD, 1 },
	{ 0x04e6, 0xe003, 0x0506, 0, CCID_TPDU, "", QUIRK_PIN_PLAIN_BCD, 0 },
	{ 0x04e6, 0xe003, 0x0503, 0, CCID_TPDU, "", QUIRK_MAX_IFSD, 48 },
	{ 0x04e6, 0x5116, 0x0100, 0, CCID_TPDU, "", QUIRK_PIN_ESCAPE, 0 },
	/* all products of a vendor, and the product that refines it */
	{ 0x046a, 0x00a3, 0x0106, 1, CCID_SHORT_APDU, "", QUIRK_PIN_MAX, 15 },
	{ 0x046a, 0x00a1, 0x0102, 2, CCID_EXTENDED_APDU, "", QUIRK_PIN_MAX, 32 },
	{ 0x046a, 0x00a1, 0x0102, 2, CCID_EXTENDED_APDU, "", QUIRK_PIN_LC, PIN_LC_APPEND },
	{ 0x046a, 0xffff, 0x0100, 0, CCID_SHORT_APDU, "", QUIRK_PIN_LC, PIN_LC_APPEND },
	{ 0x046a, 0x00a1, 0x0100, 2, CCID_SHORT_APDU, "", QUIRK_LEVEL, CCID_EXTENDED_APDU },
	{ 0x046a, 0x00a1, 0x0102, 2, CCID_SHORT_APDU, "", QUIRK_LEVEL, CCID_SHORT_APDU },
	{ 0x08e6, 0xffff, 0x0100, 0, CCID_TPDU, "", QUIRK_ASK_FEATURES, 1 },
	{ 0x08e6, 0x3437, 0x0100, 0, CCID_TPDU, "", QUIRK_ESCAPE_ALLOWED, 1 },
	{ 0x08e6, 0x5503, 0x0100, 1, CCID_EXTENDED_APDU, "", QUIRK_ESCAPE_ALLOWED, 5 },
	{ 0x08e6, 0x3478, 0x0100, 0, CCID_TPDU, "", QUIRK_PIN_FIXED_LENGTH, 1 },
	{ 0x08e6, 0x3478, 0x0211, 0, CCID_TPDU, "", QUIRK_PIN_FIXED_LENGTH, 0 },
	{ 0x0982, 0x0008, 0x0100, 0, CCID_TPDU, "", QUIRK_PIN_FIXED_LENGTH, 1 },
	{ 0x0982, 0x0008, 0x0100, 0, CCID_TPDU, "", QUIRK_ASK_FEATURES, 0 },
	{ 0x08e6, 0x3480, 0x0199, 0, CCID_TPDU, "", QUIRK_UNDETECTED_FROM, 2 },
	{ 0x08e6, 0x3480, 0x0200, 0, CCID_TPDU, "", QUIRK_UNDETECTED_FROM, 0 },
	/* one interface of several */
	{ 0x0424, 0x1202, 0x0222, 0, CCID_TPDU, "", QUIRK_POWER_OFF_FIRST, 0 },
	{ 0x0424, 0x1202, 0x0222, 1, CCID_TPDU, "", QUIRK_POWER_OFF_FIRST, 1 },
	{ 0x072f, 0x2301, 0x0105, 2, CCID_EXTENDED_APDU, "", QUIRK_UNDETECTED_FROM, 1 },
	{ 0x072f, 0x2301, 0x0105, 1, CCID_EXTENDED_APDU, "", QUIRK_UNDETECTED_FROM, 0 },
	/* two ends of a range */
	{ 0x072f, 0x2200, 0x0199, 0, CCID_SHORT_APDU, "", QUIRK_PRESENCE_BY_EVENT, 0 },
	{ 0x072f, 0x2200, 0x0200, 0, CCID_SHORT_APDU, "", QUIRK_PRESENCE_BY_EVENT, 1 },
	{ 0x072f, 0x2200, 0x0204, 0, CCID_SHORT_APDU, "", QUIRK_PRESENCE_BY_EVENT, 1 },
	{ 0x072f, 0x2200, 0x0205, 0, CCID_SHORT_APDU, "", QUIRK_PRESENCE_BY_EVENT, 0 },
	{ 0x0529, 0x0620, 0x0012, 0, CCID_TPDU, "", QUIRK_NO_IFSD, 1 },
	{ 0x0529, 0x0620, 0x0100, 0, CCID_TPDU, "", QUIRK_NO_IFSD, 0 },
	{ 0x0a5c, 0x5801, 0x0101, 1, CCID_TPDU, "", QUIRK_MAX_IFSD, 48 },
	{ 0x0a5c, 0x5801, 0x0101, 2, CCID_SHORT_APDU, "", QUIRK_MAX_IFSD, 252 },
};

static void rules_of_the_project_decide(void **state)
{
	char row[96];

	(void)state;
	for (size_t i = 0; i < COUNT(outcomes); i++) {
		const struct outcome *o = &outcomes[i];
		const struct quirk_facts facts = { .bcd_device = o->bcd_device,
						   .message = 271,
						   .level = o->level,
						   .interface = o->interface,
						   .product = o->product };
		struct ccid_caps caps = { .level = o->level, .max_ifsd = 252, .slots = 1, .busy_slots = 1 };

		snprintf(row, sizeof row, "%zu: %04x:%04x %04x/%u %s", i, o->vid, o->pid, o->bcd_device,
			 o->interface, key_names[o->key]);
		quirk_apply(o->vid, o->pid, &facts, &caps);
		CHECK_INT(row, quirked(&caps, o->key), o->value);
		CHECK(row, caps.fixed_in == 0 || (caps.fault && caps.fault[0]));
	}
	check_done();
}

/* Later rules win; conditions see the device, not what an earlier rule made of it. */
static void later_rules_win(void **state)
{
	static const struct quirk_rule rules[] = {
		{ .effects = 2,
		  .effect = { { .key = QUIRK_MAX_MESSAGE, .value = 271 },
			      { .key = QUIRK_LEVEL, .value = CCID_SHORT_APDU } } },
		{ .conditions = 2,
		  .condition = { ON(MESSAGE, EQ, 263), ON(LEVEL, EQ, CCID_TPDU) },
		  .effects = 1,
		  .effect = { { .key = QUIRK_MAX_MESSAGE, .value = 300 } } },
		{ .conditions = 1,
		  .condition = { ON(MESSAGE, EQ, 271) },
		  .effects = 1,
		  .effect = { { .key = QUIRK_MAX_MESSAGE, .value = 400 } } },
	};
	struct ccid_caps caps = device_caps;

	(void)state;
	quirk_apply_rules(rules, 3, &device, &caps);
	assert_int_equal(caps.max_message, 300);
	assert_int_equal(caps.level, CCID_SHORT_APDU);
	assert_int_equal(quirk_apply_rules(rules, 3, &device, &caps), 2);
}

static void unlisted_readers_are_left_alone(void **state)
{
	static const struct {
		uint16_t vid, pid;
	} absent[] = {
		{ 0, 0 },           { 0x03eb, 0x6003 }, { 0x04e6, 0 },
		{ 0x04e6, 0xffff }, { 0xc1a6, 0x0132 }, { 0xffff, 0xffff },
	};
	struct ccid_caps caps = device_caps, want = device_caps;

	(void)state;
	want.firmware = device.bcd_device; /* which the log has a use for */
	for (size_t i = 0; i < COUNT(absent); i++)
		assert_null(quirk_find(absent[i].vid, absent[i].pid));
	quirk_apply(0xffff, 0xffff, &device, &caps);
	assert_memory_equal(&caps, &want, sizeof caps);
	for (size_t i = 1; i < quirk_table_len; i++)
		assert_true(((uint32_t)quirk_table[i - 1].vid << 16 | quirk_table[i - 1].pid) <
			    ((uint32_t)quirk_table[i].vid << 16 | quirk_table[i].pid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(predicates_decide),
		cmocka_unit_test(conditions_follow_the_device),
		cmocka_unit_test(effects_land_where_they_should),
		cmocka_unit_test(settling_makes_ends_meet),
		cmocka_unit_test(rules_of_the_project_decide),
		cmocka_unit_test(later_rules_win),
		cmocka_unit_test(unlisted_readers_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
