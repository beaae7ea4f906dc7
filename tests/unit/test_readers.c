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

	if (!row) {
		fail_msg("%s:%u: not in the table", s->file, s->line);
		return;
	}
	for (unsigned i = 0; i < s->interfaces; i++)
		vendor_class |= s->interface[i].triple[0] == 0xff;
	assert_string_equal(quirk_name(row), s->name);
	assert_int_equal((row->flags & QUIRK_OFFERED) != 0, offered);
	assert_int_equal((row->flags & QUIRK_VENDOR_CLASS) != 0, vendor_class);
	assert_int_equal((row->flags & QUIRK_STAYS_AWAKE) != 0, s->stays_awake);
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
	static char folder[2048], path[4096];
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
	return all.seen; /* fail_msg() does not come back, which compilers do not know */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_is_missing),
		cmocka_unit_test(every_key_is_used),
		cmocka_unit_test(all_are_plausible),
		cmocka_unit_test(odd_descriptors_are_kept_and_repaired),
		cmocka_unit_test(only_263_at_tpdu_level_is_raised),
	};

	return cmocka_run_group_tests(tests, read_all_readers, NULL);
}
