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
	unsigned sections, vendors, errors;
	unsigned used[QUIRK_KEY_COUNT]; /* effects in the files, by key */
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
		assert_string_equal(got->condition[i].word, want->condition[i].word);
	}
	assert_string_equal(got->why, want->why);
	for (unsigned i = 0; i < want->effects; i++) {
		assert_int_equal(got->effect[i].key, want->effect[i].key);
		assert_int_equal(got->effect[i].value, want->effect[i].value);
		assert_memory_equal(&got->effect[i].bytes, &want->effect[i].bytes,
				    sizeof want->effect[i].bytes);
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

static void check_vendor(const struct reader_section *s)
{
	for (size_t i = 0; i < quirk_vendors_len; i++) {
		const struct quirk_vendor *row = &quirk_vendors[i];

		if (row->vid != s->vid)
			continue;
		assert_int_equal(row->rules, s->rules);
		for (unsigned r = 0; r < s->rules; r++)
			check_rule(&quirk_rules[row->first + r], &s->rule[r]);
		return;
	}
	fail_msg("%s:%u: not in the table of vendors", s->file, s->line);
}

static void count_effects(const struct reader_section *s)
{
	for (unsigned r = 0; r < s->rules; r++)
		for (unsigned e = 0; e < s->rule[r].effects; e++)
			all.used[s->rule[r].effect[e].key]++;
}

static void on_section(void *arg, const struct reader_section *s)
{
	(void)arg;
	count_effects(s);
	if (s->scope == READER_VENDOR) {
		all.vendors++;
		check_vendor(s);
		return;
	}
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
	assert_int_equal(all.vendors, 2);
	assert_int_equal(quirk_vendors_len, 2);
}

static const char *const key_names[QUIRK_KEY_COUNT] = {
#define X(id, text, kind, low, high, member) [QUIRK_##id] = (text),
	QUIRK_KEYS(X)
#undef X
};

/* A key that nobody needs is code that nobody tries: take it out, or describe the reader that it is for. */
static void every_key_is_used(void **state)
{
	(void)state;
	for (size_t i = 0; i < QUIRK_KEY_COUNT; i++)
		CHECK(key_names[i], all.used[i] > 0);
	check_done();
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
		assert_true(s->vid == 0x04e6 || s->vid == 0x03f0 || s->vid == 0x09c3);
	}
	assert_int_equal(raised, 8);
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
#define STRING(op, text)                              \
	{                                             \
		QUIRK_ON_PRODUCT, QUIRK_##op, 0, text \
	}
#define RULE(n, ...)                                                                     \
	{                                                                                \
		.conditions = n, .condition = { __VA_ARGS__ }, .effects = 1, .effect = { \
			{ QUIRK_MAX_IFSD, 48 }                                           \
		}                                                                        \
	}

/* Firmware 05.20, a message length of 263 at TPDU level, interface 1 and a name: does the rule hold? */
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
	{ "number operator on a string", RULE(1, { QUIRK_ON_PRODUCT, QUIRK_OP_COUNT, 0, "v2.0" }), false },
	{ "string operator on a number", RULE(1, { QUIRK_ON_FIRMWARE, QUIRK_CONTAINS, 0x0520, "" }), false },
	{ "operator from elsewhere", RULE(1, { QUIRK_ON_FIRMWARE, QUIRK_OP_COUNT, 0x0520 }), false },
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
 * One row per effect: X(key, value of the effect, bytes of it, what the member must be). A number or a word has one value
 * that differs from what the device says; the bytes are compared as bytes.
 */
#define NO_BYTES  \
	{         \
		0 \
	}
#define SOME                       \
	{                          \
		2, true,           \
		{                  \
			0xB5, 0x01 \
		}                  \
	}
#define ROWS(X)                                                            \
	X(MAX_MESSAGE, 65554, NO_BYTES, max_message)                       \
	X(MAX_IFSD, 254, NO_BYTES, max_ifsd)                               \
	X(MAX_RATE, 9600, NO_BYTES, max_rate)                              \
	X(OTHER_SLOTS_RATE, 9600, NO_BYTES, other_slots_rate)              \
	X(LEVEL, CCID_EXTENDED_APDU, NO_BYTES, level)                      \
	X(SLOTS, 3, NO_BYTES, slots)                                       \
	X(LCD_LINES, 2, NO_BYTES, lcd_lines)                               \
	X(LCD_COLUMNS, 16, NO_BYTES, lcd_columns)                          \
	X(NO_PPS, 1, NO_BYTES, no_pps)                                     \
	X(NO_IFSD, 1, NO_BYTES, no_ifsd)                                   \
	X(IGNORE_PARAMETERS, 1, NO_BYTES, ignore_parameters)               \
	X(NO_FULL_PACKETS, 1, NO_BYTES, no_full_packets)                   \
	X(RESYNC_AT_OPEN, 1, NO_BYTES, resync_at_open)                     \
	X(POWER_OFF_AT_OPEN, 10, NO_BYTES, power_off_at_open)              \
	X(OPEN_PAUSE, 2000, NO_BYTES, open_pause_ms)                       \
	X(OPEN_ESCAPE, 0, SOME, open_escape)                               \
	X(LOAD_PROMPTS, 1, NO_BYTES, load_prompts)                         \
	X(ASK_FEATURES, 1, NO_BYTES, ask_features)                         \
	X(FIRMWARE_ESCAPE, 0, SOME, firmware_escape)                       \
	X(POWER_OFF_FIRST, 1, NO_BYTES, power_off_first)                   \
	X(LEAVE_EMV, 0, SOME, leave_emv)                                   \
	X(CLEAR_INTERRUPT, 1, NO_BYTES, clear_interrupt)                   \
	X(NO_INTERRUPT, 1, NO_BYTES, no_interrupt)                         \
	X(PRESENCE_BY_EVENT, 1, NO_BYTES, presence_by_event)               \
	X(UNDETECTED_FROM, 256, NO_BYTES, undetected_1)                    \
	X(EXTRA_WAIT, 600, NO_BYTES, extra_wait_s)                         \
	X(WRITE_PAUSE, 100, NO_BYTES, write_pause_ms)                      \
	X(ESCAPE, PERMISSION_ALLOW, NO_BYTES, escape)                      \
	X(ESCAPE_ALLOWED, 0, SOME, escape_allowed)                         \
	X(MCT, 1, NO_BYTES, mct)                                           \
	X(READER_INFO, 1, NO_BYTES, reader_info)                           \
	X(PINPAD, PINPAD_FORCE, NO_BYTES, pinpad)                          \
	X(PIN_MIN, 255, NO_BYTES, pin.min)                                 \
	X(PIN_MAX, 255, NO_BYTES, pin.max)                                 \
	X(PIN_CONDITIONS, 2, NO_BYTES, pin.conditions)                     \
	X(PIN_VERIFY_MESSAGES, 256, NO_BYTES, pin.verify_messages_1)       \
	X(PIN_MODIFY_MESSAGES, 256, NO_BYTES, pin.modify_messages_1)       \
	X(PIN_MODIFY_NO_MESSAGES, 256, NO_BYTES, pin.modify_no_messages_1) \
	X(PIN_THREE_INDEXES, 1, NO_BYTES, pin.three_indexes)               \
	X(PIN_ZERO_INDEXES, 1, NO_BYTES, pin.zero_indexes)                 \
	X(PIN_SWAP_LIMITS, 1, NO_BYTES, pin.swap_limits)                   \
	X(PIN_PLAIN_BLOCK, 1, NO_BYTES, pin.plain_block)                   \
	X(PIN_PLAIN_BCD, 1, NO_BYTES, pin.plain_bcd)                       \
	X(PIN_FIXED_LENGTH, 1, NO_BYTES, pin.fixed_length)                 \
	X(PIN_LC, PIN_LC_APPEND, NO_BYTES, pin.lc)                         \
	X(PIN_TIMEOUT, 30, NO_BYTES, pin.timeout_s)                        \
	X(PIN_ESCAPE, 0, SOME, pin.escape)                                 \
	X(PIN_PAUSE, 1000, NO_BYTES, pin.pause_ms)                         \
	X(PIN_REFUSED_ERROR, 255, NO_BYTES, pin.refused_error)             \
	X(PIN_MISMATCH_ERROR, 132, NO_BYTES, pin.mismatch_error)           \
	X(FIXED_IN, 0x0701, NO_BYTES, fixed_in)

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
#define X(id, number, some_bytes, member)          \
	{ offsetof(struct ccid_caps, member),      \
	  sizeof(((struct ccid_caps *)0)->member), \
	  { .key = QUIRK_##id, .value = (number), .bytes = some_bytes } },
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
	{ 0x0424, 0x1202, 0x0222, 1, CCID_TPDU, "", QUIRK_UNDETECTED_FROM, 1 },
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
		cmocka_unit_test(none_is_missing),
		cmocka_unit_test(every_key_is_used),
		cmocka_unit_test(all_are_plausible),
		cmocka_unit_test(odd_descriptors_are_kept_and_repaired),
		cmocka_unit_test(only_263_at_tpdu_level_is_raised),
		cmocka_unit_test(predicates_decide),
		cmocka_unit_test(conditions_follow_the_device),
		cmocka_unit_test(effects_land_where_they_should),
		cmocka_unit_test(settling_makes_ends_meet),
		cmocka_unit_test(rules_of_the_project_decide),
		cmocka_unit_test(later_rules_win),
		cmocka_unit_test(unlisted_readers_are_left_alone),
	};

	return cmocka_run_group_tests(tests, read_all_readers, NULL);
}
