/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Line by line: a head opens a section or a block, "key = value" fills it, the indentation closes it. */
#include "quirk/reader_parser.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void reader_fail(struct parser *p, unsigned line, const char *fmt, ...)
{
	char sentence[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof sentence, fmt, ap);
	va_end(ap);
	p->errors++;
	p->sink->error(p->sink->arg, p->file, line, sentence);
}

static struct block *push(struct parser *p, enum place where, void *base, size_t head_indent)
{
	struct block *b = &p->block[p->depth++];

	*b = (struct block){ .where = where, .line = p->line, .head_indent = head_indent, .base = base };
	return b;
}

struct quirk_rule *reader_new_rule(struct parser *p)
{
	struct quirk_rule *rule = &p->s->rule[p->s->rules];

	p->own = NULL;
	if (p->s->rules == READER_RULES) {
		FAIL(p, "more than %d rules in one section; join those with the same conditions",
		     READER_RULES);
		return NULL;
	}
	p->s->rules++;
	*rule = (struct quirk_rule){ .why = "" };
	return rule;
}

/* ---- heads of blocks ------------------------------------------------------------------------------------- */

static void *open_unit(struct parser *p, struct span words)
{
	struct reader_unit *unit = &p->s->unit[p->s->units];
	const struct span bcd = span_word(&words, 0);
	uint32_t value;

	if (!span_bcd(bcd, &value) || span_word(&words, 0).len) {
		FAIL(p,
		     "write 'unit BB.BB:' with bcdDevice in four hexadecimal digits, such as 'unit 05.20:'");
		return NULL;
	}
	if (p->s->units == READER_UNITS) {
		FAIL(p, "more than %d units in one section; leave out those that are alike", READER_UNITS);
		return NULL;
	}
	p->s->units++;
	*unit = (struct reader_unit){ .bcd_device = (uint16_t)value };
	return unit;
}

static bool number_taken(const struct reader_section *s, uint32_t number)
{
	for (unsigned i = 0; i < s->interfaces; i++)
		if (s->interface[i].unit == s->units - 1 && s->interface[i].number == number)
			return true;
	return false;
}

static void *open_interface(struct parser *p, struct span words)
{
	struct reader_section *s = p->s;
	struct reader_interface *interface = &s->interface[s->interfaces];
	const struct span word = span_word(&words, 0);
	uint32_t number;

	if (!span_decimal(word, &number) || number > 255 || span_word(&words, 0).len) {
		FAIL(p, "write 'interface N:' with bInterfaceNumber, such as 'interface 0:'");
		return NULL;
	}
	if (number_taken(s, number)) {
		FAIL(p,
		     "interface %u is given twice in this unit; start another 'unit' block for another "
		     "device",
		     (unsigned)number);
		return NULL;
	}
	if (s->interfaces == READER_INTERFACES) {
		FAIL(p, "more than %d interfaces in one section; leave out units that are alike",
		     READER_INTERFACES);
		return NULL;
	}
	s->interfaces++;
	memset(interface, 0, sizeof *interface);
	interface->unit = s->units - 1;
	interface->number = (uint8_t)number;
	return interface;
}

static bool level_value(struct span word, uint32_t *value)
{
	return reader_find_word(reader_level_words, word, value);
}

/* The words that can start a condition, and how its value is written; a string has no read(). */
static const struct field {
	const char *name;
	const char *form;
	bool (*read)(struct span word, uint32_t *value);
} fields[QUIRK_FIELD_COUNT] = {
	[QUIRK_ON_FIRMWARE] = { "firmware", "a bcdDevice such as 05.20", span_bcd },
	[QUIRK_ON_MESSAGE] = { "message", "a decimal dwMaxCCIDMessageLength such as 271", span_decimal },
	[QUIRK_ON_LEVEL] = { "level", "one of character, tpdu, short-apdu, extended-apdu", level_value },
	[QUIRK_ON_INTERFACE] = { "interface", "a decimal bInterfaceNumber such as 1", span_decimal },
	[QUIRK_ON_PRODUCT] = { "product", "a part of the product string without blanks", NULL },
};

#define NUMBER_OPS "<, <=, =, >=, >"
#define STRING_OPS "contains, lacks"
static const char *const op_words[] = { "<", "<=", "=", ">=", ">", "contains", "lacks", NULL };
_Static_assert(sizeof op_words / sizeof op_words[0] == QUIRK_OP_COUNT + 1, "one word for each enum quirk_op");

static const struct field *find_field(struct span word)
{
	for (size_t i = 0; i < QUIRK_FIELD_COUNT; i++)
		if (span_is(word, fields[i].name))
			return &fields[i];
	return NULL;
}

static bool read_word_value(struct span value, char word[QUIRK_WORD])
{
	if (!value.len || value.len >= QUIRK_WORD)
		return false;
	memcpy(word, value.at, value.len);
	word[value.len] = '\0';
	return true;
}

/* What was meant as the head of a block that describes an interface is no condition. */
static bool is_interface_head(const struct field *field, struct span op, struct span value)
{
	uint32_t number;

	return field == &fields[QUIRK_ON_INTERFACE] && span_decimal(op, &number) && !value.len;
}

/* One "field op value" off the front of @words. */
static bool read_condition(struct parser *p, struct span *words, struct quirk_condition *out)
{
	const struct span name = span_word(words, 0);
	const struct span op = span_word(words, 0);
	const struct span value = span_word(words, 0);
	const struct field *field = find_field(name);
	uint32_t number;

	if (!field) {
		FAIL(p,
		     "'%.*s' cannot be compared; a condition starts with firmware, message, level, interface "
		     "or product",
		     SPAN_ARG(name));
		return false;
	}
	if (is_interface_head(field, op, value)) {
		FAIL(p,
		     "a block 'interface %.*s:' with a descriptor belongs into a 'unit BB.BB:' block, "
		     "indented; a "
		     "rule for one interface starts with 'interface = %.*s:'",
		     SPAN_ARG(op), SPAN_ARG(op));
		return false;
	}
	if (!reader_find_word(op_words, op, &number) || (number < QUIRK_CONTAINS) != (field->read != NULL)) {
		FAIL(p, "write one of %s behind '%s', with blanks around it",
		     field->read ? NUMBER_OPS : STRING_OPS, field->name);
		return false;
	}
	out->field = (uint8_t)(field - fields);
	out->op = (uint8_t)number;
	if (field->read ? field->read(value, &out->value) : read_word_value(value, out->word))
		return true;
	FAIL(p, "'%.*s' does not fit '%s'; write %s", SPAN_ARG(value), field->name, field->form);
	return false;
}

static bool read_conditions(struct parser *p, struct span words, struct quirk_rule *rule)
{
	struct span and;

	do {
		if (rule->conditions == QUIRK_CONDITIONS_MAX) {
			FAIL(p, "more than %d conditions; split the rule in two", QUIRK_CONDITIONS_MAX);
			return false;
		}
		if (!read_condition(p, &words, &rule->condition[rule->conditions]))
			return false;
		rule->conditions++;
		and = span_word(&words, 0);
	} while (span_is(and, "and"));
	if (!and.len)
		return true;
	FAIL(p, "'%.*s' is not expected here; join conditions with 'and' and end the line with ':'",
	     SPAN_ARG(and));
	return false;
}

static void *open_rule(struct parser *p, struct span words)
{
	struct quirk_rule *rule = reader_new_rule(p);

	return rule && read_conditions(p, words, rule) ? rule : NULL;
}

/* A rule that holds whatever the device says, with a reason of its own. */
static void *open_always(struct parser *p, struct span words)
{
	if (!words.len)
		return reader_new_rule(p);
	FAIL(p, "write 'always:' alone, or a condition instead of it");
	return NULL;
}

/* What can be opened: by which words, inside what, and whether its first word is part of the content. */
static const struct head {
	const char *word;
	unsigned inside; /* enum place, ored */
	enum place opens;
	void *(*open)(struct parser *p, struct span words);
	bool whole;
} heads[] = {
	{ "unit", SECTION, UNIT, open_unit, false },
	{ "interface", UNIT, INTERFACE, open_interface, false },
	{ "always", ANY_SECTION, RULE, open_always, false },
	{ "firmware", ANY_SECTION, RULE, open_rule, true },
	{ "message", ANY_SECTION, RULE, open_rule, true },
	{ "level", ANY_SECTION, RULE, open_rule, true },
	{ "interface", ANY_SECTION, RULE, open_rule, true },
	{ "product", ANY_SECTION, RULE, open_rule, true },
};

/* The head that a line starts with. A word that opens two kinds of block means the one that belongs here. */
static const struct head *find_head(struct span line, const struct block *b)
{
	struct span word = span_word(&line, 0);
	const struct head *found = NULL;

	word.len = span_until(word, ':');
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
		if (span_is(word, heads[i].word) && (!found || (heads[i].inside & b->where)))
			found = &heads[i];
	return found;
}

static void open_block(struct parser *p, struct block *b, const struct head *head, struct span line,
		       size_t indent)
{
	const struct span all = { line.at, line.len - 1 };
	struct span words = all;
	void *base = NULL;

	b->filled = true;
	span_word(&words, 0);
	if (!(b->where & head->inside))
		FAIL(p, "'%s' belongs directly into a %s; check the indentation", head->word,
		     head->inside == UNIT ? "unit block" : "[vid:pid] section");
	else
		base = head->open(p, head->whole ? all : words);
	if (p->depth < DEPTH)
		push(p, base ? head->opens : NOWHERE, base, indent);
}

/* ---- closing: is all there? ------------------------------------------------------------------------------ */

static void check_vendor(struct parser *p, const struct block *b)
{
	if (!p->s->rules)
		reader_fail(p, b->line, "this section changes nothing; add a rule or remove it");
	for (unsigned i = 0; i < p->s->rules; i++)
		if (!p->s->rule[i].conditions && !p->s->rule[i].why[0] && !p->s->why[0])
			reader_fail(
				p, b->line,
				"why is missing; say in one line why these readers are treated differently");
}

static void check_section(struct parser *p, const struct block *b)
{
	const struct reader_section *s = p->s;
	const bool withheld = s->status == READER_UNSUPPORTED || s->status == READER_DISABLED;
	bool own = s->stays_awake;

	for (unsigned i = 0; i < s->rules; i++)
		own |= s->rule[i].conditions == 0 && !s->rule[i].why[0];
	if (!s->units)
		reader_fail(p, b->line,
			    "no unit is described; add 'unit BB.BB:' with the descriptor of a real one");
	if ((withheld || own) && !s->why[0])
		reader_fail(p, b->line, "why is missing; say in one line why this reader is %s",
			    withheld ? "not offered" : "treated differently");
}

static void close_block(struct parser *p)
{
	struct block *b = &p->block[--p->depth];
	const struct reader_section *s = p->s;

	if (b->where == NOWHERE)
		return;
	if (b->where == UNIT && (!s->interfaces || s->interface[s->interfaces - 1].unit != s->units - 1))
		reader_fail(p, b->line, "this unit has no interface; add 'interface N:' with its descriptor");
	if (b->where == RULE && !((struct quirk_rule *)b->base)->effects)
		reader_fail(p, b->line, "this rule changes nothing; add an effect or remove it");
	if (p->use != READER_DATABASE)
		return;
	reader_check_required(p, b);
	if ((b->where & ANY_SECTION) && s->settings.leave_1)
		reader_fail(p, b->line,
			    "leave is for the files of an administrator; write 'status = disabled' here");
	if (b->where == SECTION)
		check_section(p, b);
	if (b->where == VENDOR)
		check_vendor(p, b);
}

/* An effect directly in the section has the reason of the section. */
static void share_reason(struct reader_section *s)
{
	for (unsigned i = 0; i < s->rules; i++)
		if (!s->rule[i].why[0])
			memcpy(s->rule[i].why, s->why, sizeof s->why);
}

static void close_section(struct parser *p)
{
	if (!p->depth)
		return;
	while (p->depth)
		close_block(p);
	share_reason(p->s);
	if (p->errors == p->errors_before && p->s->line)
		p->sink->section(p->sink->arg, p->s);
}

/* ---- lines ----------------------------------------------------------------------------------------------- */

/* "[04e6:5116]", "[04e6:*]" or "[*]" */
static bool read_scope(struct span line, struct reader_section *s)
{
	struct span pid_text = { line.at + 1, line.len - 2 };
	uint32_t vid;
	uint32_t pid = 0;
	struct span vid_text;

	if (line.len < 3 || line.at[line.len - 1] != ']')
		return false;
	if (span_is(pid_text, "*")) {
		s->scope = READER_EVERY;
		return true;
	}
	vid_text = span_take(&pid_text, span_until(pid_text, ':'));
	span_take(&pid_text, 1);
	s->scope = span_is(pid_text, "*") ? READER_VENDOR : READER_PRODUCT;
	if (!span_hex(vid_text, 4, &vid) || (s->scope == READER_PRODUCT && !span_hex(pid_text, 4, &pid)))
		return false;
	s->vid = (uint16_t)vid;
	s->pid = (uint16_t)pid;
	return true;
}

static void open_section(struct parser *p, struct span line)
{
	static const enum place places[] = {
		[READER_PRODUCT] = SECTION, [READER_VENDOR] = VENDOR, [READER_EVERY] = EVERY
	};

	close_section(p);
	p->errors_before = p->errors;
	p->own = NULL;
	memset(p->s, 0, sizeof *p->s);
	if (!read_scope(line, p->s)) {
		FAIL(p, "write '[vid:pid]' with four hexadecimal digits each, such as '[04e6:5116]', or "
			"'[vid:*]' "
			"for all products of a vendor");
		push(p, NOWHERE, NULL, 0);
		return;
	}
	if (p->s->scope == READER_EVERY && p->use == READER_DATABASE) {
		FAIL(p, "'[*]' is for the files of an administrator; write '[vid:pid]' or '[vid:*]' here");
		push(p, NOWHERE, NULL, 0);
		return;
	}
	p->s->file = p->file;
	p->s->line = p->line;
	push(p, places[p->s->scope], p->s, 0);
}

/* Close what this indentation leaves; NULL when the line fits nowhere or what it belongs to is not judged. */
static struct block *place_of(struct parser *p, size_t indent)
{
	struct block *b;

	while (p->depth > 1 && indent <= p->block[p->depth - 1].head_indent)
		close_block(p);
	b = &p->block[p->depth - 1];
	if (b->where == NOWHERE)
		return NULL;
	if (p->depth > 1 && !b->indent)
		b->indent = indent;
	if (indent == b->indent)
		return b;
	FAIL(p, "the indentation fits no block above; indent by blanks, all lines of a block alike");
	return NULL;
}

static void content_line(struct parser *p, struct span line, size_t indent)
{
	const struct head *head;
	struct block *b;

	if (!p->depth) {
		FAIL(p, "nothing can stand before the first section; start with '[vid:pid]'");
		return;
	}
	b = place_of(p, indent);
	if (!b)
		return;
	head = find_head(line, b);
	if (head && line.at[line.len - 1] == ':')
		open_block(p, b, head, line, indent);
	else if (span_until(line, '=') < line.len)
		reader_assign(p, b, line);
	else
		FAIL(p,
		     "'%.*s' is neither 'key = value' nor the head of a block: unit, interface, always, "
		     "firmware, message, level or product, ending in ':'",
		     line.len > 60 ? 60 : (int)line.len, line.at);
}

/* A '#' starts a comment where it begins a line or stands between blanks; one inside a name is part of it. */
static struct span without_comment(struct span line)
{
	bool begin = true; /* only blanks so far */

	for (size_t i = 0; i < line.len; i++) {
		const bool before = begin || span_blank(line.at[i - 1]);
		const bool after = begin || i + 1 == line.len || span_blank(line.at[i + 1]);

		if (line.at[i] == '#' && before && after)
			return (struct span){ line.at, i };
		begin = begin && span_blank(line.at[i]);
	}
	return line;
}

static bool printable(struct parser *p, struct span line)
{
	for (size_t i = 0; i < line.len; i++) {
		const unsigned char c = (unsigned char)line.at[i];

		if (c >= 0x20 && c < 0x7f)
			continue;
		if (c == '\t')
			FAIL(p, "a tab; indent and separate with blanks, because tabs have no agreed width");
		else
			FAIL(p, "byte %02xh outside of a comment; only printable ASCII is allowed", c);
		return false;
	}
	return true;
}

static void read_line(struct parser *p, struct span line)
{
	size_t indent = 0;

	p->line++;
	if (line.len > READER_LINE) {
		FAIL(p, "the line has %zu bytes; at most %d are allowed", line.len, READER_LINE);
		return;
	}
	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	line = without_comment(line);
	while (line.len && span_blank(line.at[line.len - 1]))
		line.len--;
	if (!line.len || !printable(p, line))
		return;
	while (line.at[indent] == ' ')
		indent++;
	span_take(&line, indent);
	if (line.at[0] == '[' && indent == 0)
		open_section(p, line);
	else
		content_line(p, line, indent);
}

unsigned reader_file_parse(const char *file, const char *text, size_t len, enum reader_use use,
			   const struct reader_sink *sink)
{
	struct parser p = { .file = file, .use = use, .sink = sink };
	struct span rest = { text, len };

	p.s = calloc(1, sizeof *p.s);
	if (!p.s) {
		reader_fail(&p, 0, "there is no memory left to read this file");
		return p.errors;
	}
	while (rest.len) {
		read_line(&p, span_take(&rest, span_until(rest, '\n')));
		span_take(&rest, 1);
	}
	close_section(&p);
	free(p.s);
	return p.errors;
}

static size_t read_all(FILE *in, char *text, size_t cap)
{
	size_t len = 0;
	size_t n;

	while (len < cap && (n = fread(text + len, 1, cap - len, in)) > 0)
		len += n;
	return len;
}

unsigned reader_file_load(const char *path, enum reader_use use, const struct reader_sink *sink)
{
	struct parser p = { .file = path, .sink = sink };
	FILE *in = fopen(path, "re");
	char *text = in ? malloc(READER_FILE_MAX + 1) : NULL;
	size_t len;

	errno = in ? ENOMEM : errno;
	if (text) {
		errno = 0;
		len = read_all(in, text, READER_FILE_MAX + 1);
		if (ferror(in))
			reader_fail(&p, 0, "cannot be read: %s", strerror(errno));
		else if (len > READER_FILE_MAX)
			reader_fail(&p, 0, "is larger than %d bytes; split it", READER_FILE_MAX);
		else
			p.errors = reader_file_parse(path, text, len, use, sink);
	} else {
		reader_fail(&p, 0, "cannot be read: %s", strerror(errno));
	}
	free(text);
	if (in)
		fclose(in);
	return p.errors;
}
