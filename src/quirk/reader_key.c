/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys of a .reader file as one table, and how each kind of value is read. */
#include "quirk/reader_parser.h"

#include "base/log.h"
#include "ccid/descriptor.h"

#include <stdio.h>

/* ---- the keys ------------------------------------------------------------------------------------------- */

enum kind { TEXT, NUMBER, WORD, YES, BYTES, LIST, SOME_BYTES, BCD, LOG };

static const char *const status_words[] = { "", "supported", "should-work", "unsupported", "disabled", NULL };
const char *const reader_level_words[] = { "character", "tpdu", "short-apdu", "extended-apdu", NULL };
static const char *const autosuspend_words[] = { "", "never", NULL };
static const char *const pinpad_words[] = { "", "none", "broken", "force", NULL };
static const char *const lc_words[] = { "", "strip", "append", NULL };
static const char *const voltage_words[] = { "", "5", "3", "1.8", "reader", NULL };
static const char *const yes_no_words[] = { "", "no", "yes", NULL };
static const char *const permission_words[] = { "", "deny", "allow", NULL };

static const struct effect_kind {
	enum kind kind;
	const char *const *words;
} effect_kinds[QUIRK_KIND_COUNT] = {
	[QUIRK_NUMBER] = { NUMBER, NULL },
	[QUIRK_NUMBER_1] = { NUMBER, NULL },
	[QUIRK_YES] = { YES, NULL },
	[QUIRK_BCD] = { BCD, NULL },
	[QUIRK_BYTES] = { SOME_BYTES, NULL },
	[QUIRK_LEVEL_WORD] = { WORD, reader_level_words },
	[QUIRK_PINPAD_WORD] = { WORD, pinpad_words },
	[QUIRK_LC_WORD] = { WORD, lc_words },
	[QUIRK_PERMISSION_WORD] = { WORD, permission_words },
};

/*
 * Every key. @low and @high bound a number, each item of a list or the bytes of a text; BYTES has exactly @high.
 * @offset is into the struct of its place; for an effect it is the enum quirk_key instead. @size is that of a number or a
 * word there.
 */
static const struct key {
	const char *name;
	unsigned where; /* enum place, ored */
	enum kind kind;
	uint32_t low, high;
	size_t offset;
	size_t size;
	const char *const *words;
	bool required; /* READER_DATABASE only */
	bool effect;
	enum quirk_kind effect_kind;
} keys[] = {
#define AT(type, member) offsetof(struct reader_##type, member), sizeof(((struct reader_##type *)0)->member)
	{ "name", SECTION, TEXT, 1, READER_TEXT - 1, AT(section, name), .required = true },
	{ "status", SECTION, WORD, 0, 0, AT(section, status), status_words, .required = true },
	{ "autosuspend", SECTION, WORD, 0, 0, AT(section, stays_awake), autosuspend_words,
	  .required = false },
	{ "why", ANY_SECTION, TEXT, 1, QUIRK_WHY - 1, AT(section, why), .required = false },
	{ "log", EVERY, LOG, 0, 15, AT(section, settings.log_1), .required = false },
	{ "voltage", EVERY, WORD, 0, 0, AT(section, settings.voltage_1), voltage_words, .required = false },
	{ "max-wait", EVERY, NUMBER, 1, 86400, AT(section, settings.max_wait_s), .required = false },
	{ "capture", ANY_SECTION, TEXT, 1, READER_PATH - 1, AT(section, settings.capture),
	  .required = false },
	{ "flight-recorder", ANY_SECTION, TEXT, 1, READER_PATH - 1, AT(section, settings.recorder),
	  .required = false },
	{ "leave", ANY_SECTION, WORD, 0, 0, AT(section, settings.leave_1), yes_no_words, .required = false },
	{ "variant", UNIT, TEXT, 1, READER_TEXT - 1, AT(unit, variant), .required = false },
	{ "manufacturer", UNIT, TEXT, 1, READER_TEXT - 1, AT(unit, manufacturer), .required = false },
	{ "product", UNIT, TEXT, 1, READER_TEXT - 1, AT(unit, product), .required = false },
	{ "name", INTERFACE, TEXT, 1, READER_TEXT - 1, AT(interface, name), .required = false },
	{ "class", INTERFACE, BYTES, 0, 3, AT(interface, triple), .required = true },
	{ "endpoints", INTERFACE, NUMBER, 0, 3, AT(interface, endpoints), .required = true },
	{ "descriptor", INTERFACE, BYTES, 0, CCID_DESCRIPTOR_LEN, AT(interface, descriptor),
	  .required = true },
	{ "clocks", INTERFACE, LIST, 1, 1000000, AT(interface, clocks), .required = false },
	{ "data-rates", INTERFACE, LIST, 1, 100000000, AT(interface, data_rates), .required = false },
	{ "why", RULE, TEXT, 1, QUIRK_WHY - 1, offsetof(struct quirk_rule, why), QUIRK_WHY,
	  .required = true },
#undef AT
#define X(id, text, how, least, most, member) \
	{ .name = (text),                     \
	  .where = ANY_SECTION | RULE,        \
	  .low = (least),                     \
	  .high = (most),                     \
	  .offset = QUIRK_##id,               \
	  .effect = true,                     \
	  .effect_kind = (how) },
	QUIRK_KEYS(X)
#undef X
};

enum { KEYS = sizeof keys / sizeof keys[0] };
_Static_assert((int)KEYS <= (int)READER_KEYS_MAX, "struct block has a place for each key");

/* ---- values ---------------------------------------------------------------------------------------------- */

static bool read_text(struct parser *p, const struct key *key, struct span value, char *out)
{
	if (value.len > key->high) {
		FAIL(p, "%s has %zu characters; at most %u are kept, shorten it", key->name, value.len,
		     (unsigned)key->high);
		return false;
	}
	memcpy(out, value.at, value.len);
	out[value.len] = '\0';
	return true;
}

static bool read_number(struct parser *p, const struct key *key, struct span value, uint32_t *out)
{
	if (span_decimal(value, out) && *out >= key->low && *out <= key->high)
		return true;
	FAIL(p, "%s = %.*s: write a decimal number from %u to %u", key->name, SPAN_ARG(value),
	     (unsigned)key->low, (unsigned)key->high);
	return false;
}

/* A comma between all non-empty words of a list, for a sentence; those that do not fit become "...". */
static void join_words(const char *const *words, char *out, size_t cap)
{
	static const char more[] = ", ...";
	size_t used = 0;

	out[0] = '\0';
	for (; *words; words++) {
		if (!**words)
			continue;
		if (used + strlen(*words) + 2 + sizeof more > cap) {
			memcpy(out + used, more, sizeof more);
			return;
		}
		used += (size_t)snprintf(out + used, cap - used, "%s%s", used ? ", " : "", *words);
	}
}

bool reader_find_word(const char *const *words, struct span value, uint32_t *out)
{
	for (uint32_t i = 0; words[i]; i++) {
		if (!words[i][0] || !span_is(value, words[i]))
			continue;
		*out = i;
		return true;
	}
	return false;
}

static bool read_word(struct parser *p, const char *key, const char *const *words, struct span value,
		      uint32_t *out)
{
	char known[128];

	if (reader_find_word(words, value, out))
		return true;
	join_words(words, known, sizeof known);
	FAIL(p, "%s = %.*s: write one of %s", key, SPAN_ARG(value), known);
	return false;
}

static bool read_yes(struct parser *p, const struct key *key, struct span value, uint32_t *out)
{
	const bool no = p->use == READER_OVERRIDE && span_is(value, "no");

	*out = no ? 0 : 1;
	if (no || span_is(value, "yes"))
		return true;
	if (p->use == READER_OVERRIDE)
		FAIL(p, "%s = %.*s: write yes, or no to take back what is built in", key->name,
		     SPAN_ARG(value));
	else
		FAIL(p, "%s = %.*s: the only value is yes; leave the line out for no", key->name,
		     SPAN_ARG(value));
	return false;
}

static bool read_bytes(struct parser *p, const struct key *key, struct span value, uint8_t *out)
{
	uint32_t byte;
	uint32_t n = 0;

	for (struct span word; (word = span_word(&value, 0)).len; n++) {
		if (!span_hex(word, 2, &byte)) {
			FAIL(p,
			     "%s: '%.*s' is not a byte; write two hexadecimal digits for each, with blanks "
			     "between",
			     key->name, SPAN_ARG(word));
			return false;
		}
		if (n < key->high)
			out[n] = (uint8_t)byte;
	}
	if (n == key->high)
		return true;
	FAIL(p, "%s has %u bytes; it must have %u", key->name, (unsigned)n, (unsigned)key->high);
	return false;
}

/* Readers that refuse a request sometimes answer it with whatever is in their memory: such lists do not belong here. */
static bool read_list(struct parser *p, const struct key *key, struct span value, struct reader_list *out)
{
	uint32_t number;

	out->count = 0;
	for (struct span word; (word = span_word(&value, ',')).len; out->count++) {
		if (out->count == READER_LIST) {
			FAIL(p, "%s has more than %d entries; leave out a list that cannot be true",
			     key->name, READER_LIST);
			return false;
		}
		if (!span_decimal(word, &number) || number < key->low || number > key->high) {
			FAIL(p,
			     "%s: '%.*s' cannot be; write decimal numbers from %u to %u with commas between, "
			     "or leave out a list that is not true",
			     key->name, SPAN_ARG(word), (unsigned)key->low, (unsigned)key->high);
			return false;
		}
		out->value[out->count] = number;
	}
	return true;
}

/* What the descriptor parser would refuse later is refused here, where a person can correct it. */
static void check_descriptor(struct parser *p, const uint8_t *bytes)
{
	if (bytes[0] < CCID_DESCRIPTOR_LEN)
		FAIL(p, "descriptor: bLength is %02xh; a class descriptor starts with 36h", bytes[0]);
	else if (bytes[1] != 0x21 && bytes[1] != 0xff)
		FAIL(p,
		     "descriptor: bDescriptorType is %02xh; a class descriptor has 21h, or FFh on readers of "
		     "vendor class",
		     bytes[1]);
}

/* ---- key = value ----------------------------------------------------------------------------------------- */

/* The levels of the log: a number as in Info.plist, or words with commas between. */
static bool read_log(struct parser *p, const struct key *key, struct span value, uint32_t *out)
{
	struct span words = value;
	uint32_t mask = 0;
	unsigned one;

	if (!span_decimal(value, &mask)) {
		for (struct span word; (word = span_word(&words, ',')).len; mask |= one) {
			if (oc_log_word(word.at, word.len, &one))
				continue;
			FAIL(p,
			     "%s: '%.*s' is no level; write a number from 0 to 15, or critical, info, comm, "
			     "periodic, all or none, with commas between",
			     key->name, SPAN_ARG(word));
			return false;
		}
	}
	*out = mask + 1;
	if (mask <= key->high)
		return true;
	FAIL(p, "%s = %.*s: write a number from 0 to %u, or words", key->name, SPAN_ARG(value),
	     (unsigned)key->high);
	return false;
}

static void put_number(const struct key *key, uint32_t number, void *at)
{
	const uint8_t byte = (uint8_t)number;

	if (key->size == sizeof byte)
		memcpy(at, &byte, sizeof byte);
	else
		memcpy(at, &number, sizeof number);
}

static void set_plain(struct parser *p, const struct key *key, struct span value, void *base)
{
	void *at = (unsigned char *)base + key->offset;
	uint32_t number;

	switch (key->kind) {
	case TEXT: read_text(p, key, value, at); break;
	case LIST: read_list(p, key, value, at); break;
	case BYTES:
		if (read_bytes(p, key, value, at) && key->high == CCID_DESCRIPTOR_LEN)
			check_descriptor(p, at);
		break;
	case NUMBER:
		if (read_number(p, key, value, &number))
			put_number(key, number, at);
		break;
	case WORD:
		if (read_word(p, key->name, key->words, value, &number))
			put_number(key, number, at);
		break;
	case LOG:
		if (read_log(p, key, value, &number))
			put_number(key, number, at);
		break;
	case YES:
	case SOME_BYTES:
	case BCD: break; /* effects only */
	}
}

/* An effect beside the section's other keys is a rule without conditions, in its place in the file. */
static struct quirk_rule *rule_of(struct parser *p, struct block *b)
{
	if (b->where == RULE)
		return b->base;
	if (!p->own)
		p->own = reader_new_rule(p);
	return p->own;
}

/* A short command: bytes, and perhaps "xx" at the end for one that may be any. */
static bool read_some_bytes(struct parser *p, const struct key *key, struct span value,
			    struct ccid_bytes *out)
{
	uint32_t byte;

	*out = (struct ccid_bytes){ 0 };
	for (struct span word; (word = span_word(&value, 0)).len;) {
		if (span_is(word, "xx") && out->len && !span_trim(value).len) {
			out->open_end = true;
			return true;
		}
		if (out->len == key->high || !span_hex(word, 2, &byte)) {
			FAIL(p,
			     "%s: write up to %u bytes of two hexadecimal digits, with blanks between; a "
			     "last "
			     "'xx' stands for any byte",
			     key->name, (unsigned)key->high);
			return false;
		}
		out->at[out->len++] = (uint8_t)byte;
	}
	return true;
}

static bool read_firmware(struct parser *p, const struct key *key, struct span value, uint32_t *out)
{
	if (span_bcd(value, out))
		return true;
	FAIL(p, "%s = %.*s: write a bcdDevice such as 07.01", key->name, SPAN_ARG(value));
	return false;
}

static bool read_effect(struct parser *p, const struct key *key, struct span value, struct quirk_effect *out)
{
	const struct effect_kind *how = &effect_kinds[key->effect_kind];

	*out = (struct quirk_effect){ .key = (uint8_t)key->offset };
	switch (how->kind) {
	case WORD: return read_word(p, key->name, how->words, value, &out->value);
	case YES: return read_yes(p, key, value, &out->value);
	case BCD: return read_firmware(p, key, value, &out->value);
	case SOME_BYTES: return read_some_bytes(p, key, value, &out->bytes);
	case NUMBER:
	case TEXT:
	case BYTES:
	case LIST:
	case LOG: break;
	}
	if (!read_number(p, key, value, &out->value))
		return false;
	out->value += key->effect_kind == QUIRK_NUMBER_1;
	return true;
}

static void set_effect(struct parser *p, const struct key *key, struct span value, struct block *b)
{
	struct quirk_rule *rule = rule_of(p, b);
	struct quirk_effect effect;

	if (!rule || !read_effect(p, key, value, &effect))
		return;
	if (rule->effects == QUIRK_EFFECTS_MAX)
		FAIL(p, "more than %d effects in one rule; split it in two", QUIRK_EFFECTS_MAX);
	else
		rule->effect[rule->effects++] = effect;
}

static const struct key *find_key(struct span name, enum place where)
{
	for (size_t i = 0; i < KEYS; i++)
		if ((keys[i].where & where) && span_is(name, keys[i].name))
			return &keys[i];
	return NULL;
}

static void fail_unknown_key(struct parser *p, struct span name, enum place where)
{
	const char *known[KEYS + 1];
	char text[300];
	size_t n = 0;

	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].where & where)
			known[n++] = keys[i].name;
	known[n] = NULL;
	join_words(known, text, sizeof text);
	FAIL(p, "unknown key '%.*s'; known here: %s; readers/README.md explains them",
	     name.len > 60 ? 60 : (int)name.len, name.at, text);
}

void reader_assign(struct parser *p, struct block *b, struct span line)
{
	const struct span name = span_trim(span_take(&line, span_until(line, '=')));
	const struct key *key = find_key(name, b->where);

	b->filled = true;
	if (!key) {
		fail_unknown_key(p, name, b->where);
		return;
	}
	span_take(&line, 1);
	line = span_trim(line);
	if (b->seen[key - keys])
		FAIL(p, "%s is given twice in this block; keep one", key->name);
	else if (!line.len)
		FAIL(p, "%s has no value; write it behind the '=' or remove the line", key->name);
	else if (key->effect)
		set_effect(p, key, line, b);
	else
		set_plain(p, key, line, b->base);
	b->seen[key - keys] = true;
}

void reader_check_required(struct parser *p, const struct block *b)
{
	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].required && keys[i].where == b->where && !b->seen[i])
			reader_fail(p, b->line, "%s is missing; see readers/README.md", keys[i].name);
}

const char *reader_status_word(enum reader_status status)
{
	return (size_t)status <= READER_DISABLED ? status_words[status] : "";
}

const char *reader_level_word(enum ccid_level level)
{
	return (size_t)level <= CCID_EXTENDED_APDU ? reader_level_words[level] : "";
}

/* ---- and back again ---------------------------------------------------------------------------------------- */

static void bytes_text(const struct ccid_bytes *bytes, char *text, size_t cap)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < bytes->len && i < CCID_BYTES_MAX && used + 4 < cap; i++)
		used += (size_t)snprintf(text + used, cap - used, "%s%02x", i ? " " : "", bytes->at[i]);
	if (bytes->open_end && used + 4 < cap)
		snprintf(text + used, cap - used, " xx");
}

static const char *word_at(const char *const *words, uint32_t value)
{
	while (*words && value--)
		words++;
	return *words ? *words : "?";
}

void reader_effect_text(const struct quirk_effect *effect, char text[READER_EFFECT_TEXT])
{
	const struct key *key = keys;
	char value[READER_EFFECT_TEXT / 2];

	while (key < keys + KEYS - 1 && !(key->effect && key->offset == effect->key))
		key++;
	switch (key->effect_kind) {
	case QUIRK_NUMBER: snprintf(value, sizeof value, "%u", (unsigned)effect->value); break;
	case QUIRK_NUMBER_1: snprintf(value, sizeof value, "%u", (unsigned)effect->value - 1); break;
	case QUIRK_YES: snprintf(value, sizeof value, "%s", effect->value ? "yes" : "no"); break;
	case QUIRK_BCD:
		snprintf(value, sizeof value, "%02x.%02x", (unsigned)effect->value >> 8 & 0xFF,
			 (unsigned)effect->value & 0xFF);
		break;
	case QUIRK_BYTES: bytes_text(&effect->bytes, value, sizeof value); break;
	case QUIRK_LEVEL_WORD:
	case QUIRK_PINPAD_WORD:
	case QUIRK_LC_WORD:
	case QUIRK_PERMISSION_WORD:
		snprintf(value, sizeof value, "%s",
			 word_at(effect_kinds[key->effect_kind].words, effect->value));
		break;
	case QUIRK_KIND_COUNT: value[0] = '\0'; break;
	}
	snprintf(text, READER_EFFECT_TEXT, "%s = %s", key->name, value);
}
