/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A .reader file of a hostile author. The first byte says how it is read: as one of the project's, as one of an administrator, or as
 * the entries of the environment; 80h and more: as a file in a folder of settings. What is delivered has to be within its bounds, and what is wrong has to be told in one line.
 */
#include "caps.h"

#include "base/log.h"
#include "quirk/override.h"

#include <sys/stat.h>
#include <unistd.h>

enum use { USE_DATABASE, USE_OVERRIDE, USE_ENTRIES, USES, USE_FOLDER = 0x80 };
enum { VID = 0x04E6, PID = 0xE003 };

/* What the keys may be set to. */
static const struct {
	enum quirk_kind kind;
	uint32_t low, high;
} keys[QUIRK_KEY_COUNT] = {
#define X(id, name, how, least, most, member) [QUIRK_##id] = { how, least, most },
	QUIRK_KEYS(X)
#undef X
};

struct seen {
	unsigned errors, sections, errors_at_section;
	bool database;
};

static void check_sentence(const char *sentence)
{
	FUZZ_ASSERT(sentence[0]);
	for (const char *c = sentence; *c; c++)
		FUZZ_ASSERT(*c >= ' ' && *c <= '~');
}

static void on_error(void *arg, const char *file, unsigned line, const char *sentence)
{
	struct seen *seen = arg;

	(void)line;
	FUZZ_ASSERT(strcmp(file, "fuzz.reader") == 0);
	check_sentence(sentence);
	seen->errors++;
}

static void check_text(const char *text, size_t cap)
{
	FUZZ_ASSERT(memchr(text, '\0', cap));
	for (const char *c = text; *c; c++)
		FUZZ_ASSERT(*c >= ' ' && *c <= '~');
}

static void check_effect(const struct quirk_effect *e)
{
	FUZZ_ASSERT(e->key < QUIRK_KEY_COUNT);
	check_escape(&e->bytes);
	if (keys[e->key].kind == QUIRK_NUMBER)
		FUZZ_ASSERT(e->value >= keys[e->key].low && e->value <= keys[e->key].high);
	if (keys[e->key].kind == QUIRK_NUMBER_1)
		FUZZ_ASSERT(e->value >= keys[e->key].low + 1 && e->value <= keys[e->key].high + 1);
	if (keys[e->key].kind == QUIRK_YES)
		FUZZ_ASSERT(e->value <= 1);
	if (keys[e->key].kind == QUIRK_BCD)
		FUZZ_ASSERT(e->value <= 0xFFFF);
	if (keys[e->key].kind == QUIRK_BYTES)
		FUZZ_ASSERT(e->bytes.len);
}

static void check_rule(const struct quirk_rule *rule)
{
	FUZZ_ASSERT(rule->conditions <= QUIRK_CONDITIONS_MAX && rule->effects <= QUIRK_EFFECTS_MAX);
	check_text(rule->why, sizeof rule->why);
	for (unsigned i = 0; i < rule->conditions; i++) {
		const struct quirk_condition *c = &rule->condition[i];

		FUZZ_ASSERT(c->field < QUIRK_FIELD_COUNT && c->op < QUIRK_OP_COUNT);
		FUZZ_ASSERT((c->field == QUIRK_ON_PRODUCT) == (c->op >= QUIRK_CONTAINS));
		check_text(c->word, sizeof c->word);
	}
	for (unsigned i = 0; i < rule->effects; i++)
		check_effect(&rule->effect[i]);
}

static void check_interface(const struct reader_section *s, const struct reader_interface *i)
{
	FUZZ_ASSERT(i->unit < s->units && i->endpoints <= 3);
	FUZZ_ASSERT(i->clocks.count <= READER_LIST && i->data_rates.count <= READER_LIST);
	check_text(i->name, sizeof i->name);
}

static void check_settings(const struct reader_section *s)
{
	const struct reader_settings *set = &s->settings;

	FUZZ_ASSERT(set->log_1 <= 16 && set->voltage_1 <= 4 && set->max_wait_s <= 86400);
	FUZZ_ASSERT(s->scope == READER_EVERY || (!set->log_1 && !set->voltage_1 && !set->max_wait_s));
}

static void on_section(void *arg, const struct reader_section *s)
{
	struct seen *seen = arg;

	seen->sections++;
	FUZZ_ASSERT(s->line && (unsigned)s->scope <= READER_EVERY && (unsigned)s->status <= READER_DISABLED);
	FUZZ_ASSERT(s->units <= READER_UNITS && s->interfaces <= READER_INTERFACES);
	FUZZ_ASSERT(s->rules <= READER_RULES);
	FUZZ_ASSERT(!seen->database || s->scope != READER_PRODUCT ||
		    (s->units && s->interfaces && s->name[0] && s->status));
	FUZZ_ASSERT(!seen->database || s->scope != READER_EVERY);
	check_settings(s);
	check_text(s->name, sizeof s->name);
	check_text(s->why, sizeof s->why);
	for (unsigned i = 0; i < s->units; i++)
		check_text(s->unit[i].product, sizeof s->unit[i].product);
	for (unsigned i = 0; i < s->interfaces; i++)
		check_interface(s, &s->interface[i]);
	for (unsigned i = 0; i < s->rules; i++)
		check_rule(&s->rule[i]);
}

static unsigned parse(const char *text, size_t len, bool database)
{
	struct seen seen = { .database = database };
	const struct reader_sink sink = { .section = on_section, .error = on_error, .arg = &seen };
	const unsigned errors = reader_file_parse("fuzz.reader", text, len,
						  database ? READER_DATABASE : READER_OVERRIDE, &sink);

	FUZZ_ASSERT(errors == seen.errors);
	return errors;
}

static void on_mistake(void *arg, const char *sentence)
{
	check_sentence(sentence);
	FUZZ_ASSERT(++*(unsigned *)arg <= QUIRK_MISTAKES_MAX + 1);
}

/* Whatever was stated, the driver can work with it. */
static void apply(const struct quirk_override *o)
{
	const struct quirk_facts facts = {
		.bcd_device = 0x0520, .message = 271, .level = CCID_TPDU, .product = "Reader with a Keypad"
	};
	struct ccid_caps caps = {
		.level = CCID_TPDU,
		.slots = 4,
		.busy_slots = 4,
		.voltages = 7,
		.t0 = true,
		.clock_khz = 4000,
		.max_message = 271,
		.max_ifsd = 254,
		.pin_support = 3,
	};
	char from[80];

	quirk_override_apply(o, VID, PID, &facts, &caps, from, sizeof from);
	quirk_settle(&caps);
	check_caps(&caps);
	check_text(from, sizeof from);
}

/* As a file in a folder, beside one that is none and one that leads nowhere. */
static void read_folder(struct quirk_override *o, const char *text, size_t len)
{
	char folder[] = "/tmp/openccid-fuzz-XXXXXX", path[3][sizeof folder + sizeof "/X.reader"];
	FILE *file;

	FUZZ_ASSERT(mkdtemp(folder));
	for (unsigned i = 0; i < 3; i++)
		snprintf(path[i], sizeof path[i], "%s/%u.reader", folder, i);
	file = fopen(path[0], "w");
	FUZZ_ASSERT(file && fwrite(text, 1, len, file) == len && fclose(file) == 0);
	FUZZ_ASSERT(mkdir(path[1], 0700) == 0 && symlink("nowhere", path[2]) == 0);
	quirk_override_folder(o, folder);
	quirk_override_folder(o, path[0]);
	FUZZ_ASSERT(unlink(path[0]) == 0 && rmdir(path[1]) == 0 && unlink(path[2]) == 0);
	FUZZ_ASSERT(rmdir(folder) == 0);
	quirk_override_folder(o, folder);
}

static void override(const char *text, size_t len, enum use use)
{
	unsigned mistakes = 0;
	struct quirk_override *o = quirk_override_new(VID, PID, on_mistake, &mistakes);

	FUZZ_ASSERT(o);
	if (use == USE_ENTRIES)
		quirk_override_entries(o, text);
	else if (use == USE_FOLDER)
		read_folder(o, text, len);
	else
		quirk_override_text(o, "/etc/openccid/fuzz.reader", text, len);
	FUZZ_ASSERT(quirk_override_settings(o)->max_wait_s <= 86400);
	apply(o);
	quirk_override_free(o);
}

static enum use use_of(uint8_t byte)
{
	return byte & USE_FOLDER ? USE_FOLDER : (enum use)(byte % USES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const enum use use = size ? use_of(data[0]) : USE_DATABASE;
	char *text;

	if (!size)
		return 0;
	/* Only the entries are a string that ends with a 00h. */
	text = (char *)fuzz_room(size - 1 + (use == USE_ENTRIES));
	memcpy(text, data + 1, size - 1);
	if (use == USE_DATABASE || use == USE_OVERRIDE)
		parse(text, size - 1, use == USE_DATABASE);
	if (use != USE_DATABASE)
		override(text, size - 1, use);
	free(text);
	return 0;
}
