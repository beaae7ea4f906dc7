/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The syntax of .reader files: one row per error, one text with everything in it, and texts nobody would write. */
#include "check.h"

#include "quirk/reader_file.h"

#define HEX54                                                                                              \
	"36 21 10 01 00 07 03 00 00 00 a0 0f 00 00 a0 0f 00 00 00 80 25 00 00 00 c2 01 00 00 fe 00 00 00 " \
	"00 "                                                                                              \
	"00 00 00 00 00 00 00 ba 04 01 00 0f 01 00 00 ff ff 00 00 00 01"
#define HEAD  "[04e6:5116]\nname = A reader\nstatus = supported\n"
#define FACE  "    class = 0b 00 00\n    endpoints = 3\n    descriptor = " HEX54 "\n"
#define UNIT1 "unit 05.23:\n  interface 0:\n" FACE
#define GOOD  HEAD UNIT1

/* What the parser said. */
struct heard {
	unsigned sections, errors, line; /* line and text of the first error */
	char text[512];
	struct reader_section *last; /* a copy where a test wants one */
};

static void on_section(void *arg, const struct reader_section *s)
{
	struct heard *h = arg;

	h->sections++;
	if (h->last)
		*h->last = *s;
}

static void on_error(void *arg, const char *file, unsigned line, const char *sentence)
{
	struct heard *h = arg;

	assert_string_equal(file, "t.reader");
	if (h->errors++)
		return;
	h->line = line;
	snprintf(h->text, sizeof h->text, "%s", sentence);
}

static unsigned parse(struct heard *h, const char *text, size_t len, enum reader_use use)
{
	const struct reader_sink sink = { .section = on_section, .error = on_error, .arg = h };
	const unsigned before = h->errors;
	const unsigned errors = reader_file_parse("t.reader", text, len, use, &sink);

	assert_int_equal(errors, h->errors - before);
	return errors;
}

static const struct bad {
	const char *what, *text;
	unsigned line;
	const char *sentence; /* a part of it */
} bad[] = {
	/* sections */
	{ "key before any section", "name = x\n", 1, "start with '[vid:pid]'" },
	{ "vid too short", "[4e6:5116]\n", 1, "write '[vid:pid]'" },
	{ "pid not hexadecimal", "[04e6:51g6]\n", 1, "write '[vid:pid]'" },
	{ "no closing bracket", "[04e6:5116\n", 1, "write '[vid:pid]'" },
	{ "text behind the bracket", "[04e6:5116] x\n", 1, "write '[vid:pid]'" },
	{ "empty brackets", "[]\n", 1, "write '[vid:pid]'" },
	{ "only a bracket", "[\n", 1, "write '[vid:pid]'" },
	{ "no name", "\n[04e6:5116]\nstatus = supported\n" UNIT1, 2, "name is missing" },
	{ "no status", "[04e6:5116]\nname = x\n" UNIT1, 1, "status is missing" },
	{ "no unit", HEAD, 1, "no unit is described" },
	{ "unsupported without why", "[04e6:5116]\nname = x\nstatus = unsupported\n" UNIT1, 1,
	  "why is missing; say in one line why this reader is not offered" },
	{ "disabled without why", "[04e6:5116]\nname = x\nstatus = disabled\n" UNIT1, 1, "why is missing" },
	{ "effect without why", HEAD "max-ifsd = 48\n" UNIT1, 1,
	  "why is missing; say in one line why this reader is treated differently" },
	{ "a setting of administrators", HEAD "leave = yes\n" UNIT1, 1,
	  "leave is for the files of an administrator; write 'status = disabled' here" },
	/* keys and values */
	{ "unknown key", HEAD "max-mesage = 271\n" UNIT1, 4,
	  "unknown key 'max-mesage'; known here: name, status, autosuspend, why, capture, flight-recorder, "
	  "leave, "
	  "max-message" },
	{ "key of another place", HEAD "product = x\n" UNIT1, 4, "unknown key 'product'" },
	{ "effect in a unit", HEAD "unit 05.23:\n  max-ifsd = 48\n  interface 0:\n" FACE, 5,
	  "known here: variant, manufacturer, product" },
	{ "duplicate key", HEAD "name = y\n" UNIT1, 4, "name is given twice" },
	{ "duplicate effect", HEAD "why = x\nmax-ifsd = 48\nmax-ifsd = 49\n" UNIT1, 6,
	  "max-ifsd is given twice" },
	{ "no value", "[04e6:5116]\nname =\n", 2, "name has no value" },
	{ "only a comment as value", "[04e6:5116]\nname = # x\n", 2, "name has no value" },
	{ "unknown status", "[04e6:5116]\nstatus = good\n", 2,
	  "write one of supported, should-work, unsupported, disabled" },
	{ "empty status word", "[04e6:5116]\nstatus = \"\"\n", 2, "write one of supported" },
	{ "max-message below", GOOD "firmware < 05.20:\n  max-message = 63\n  why = x\n", 10,
	  "write a decimal number from 64 to 65554" },
	{ "max-message above", GOOD "firmware < 05.20:\n  max-message = 65555\n  why = x\n", 10,
	  "from 64 to 65554" },
	{ "max-ifsd 0", GOOD "firmware < 05.20:\n  max-ifsd = 0\n  why = x\n", 10, "from 1 to 254" },
	{ "max-ifsd 255", GOOD "firmware < 05.20:\n  max-ifsd = 255\n  why = x\n", 10, "from 1 to 254" },
	{ "number beyond 32 bits", GOOD "firmware < 05.20:\n  max-ifsd = 4294967298\n  why = x\n", 10,
	  "from 1 to 254" },
	{ "negative number", GOOD "firmware < 05.20:\n  max-ifsd = -1\n  why = x\n", 10, "from 1 to 254" },
	{ "number with a unit", GOOD "firmware < 05.20:\n  max-ifsd = 48 bytes\n  why = x\n", 10,
	  "from 1 to 254" },
	{ "unknown level", GOOD "firmware < 05.20:\n  level = apdu\n  why = x\n", 10,
	  "write one of character, tpdu, short-apdu, extended-apdu" },
	{ "pinpad = no", GOOD "firmware < 05.20:\n  pinpad = no\n  why = x\n", 10,
	  "write one of none, broken, force" },
	{ "class of two bytes", HEAD "unit 05.23:\n  interface 0:\n    class = 0b 00\n", 6,
	  "class has 2 bytes; it must have 3" },
	{ "class not in bytes", HEAD "unit 05.23:\n  interface 0:\n    class = b 0 0\n", 6,
	  "'b' is not a byte" },
	{ "4 endpoints", HEAD "unit 05.23:\n  interface 0:\n    endpoints = 4\n", 6, "from 0 to 3" },
	{ "short descriptor", HEAD "unit 05.23:\n  interface 0:\n    descriptor = 36 21\n", 6,
	  "descriptor has 2 bytes; it must have 54" },
	{ "long descriptor", HEAD "unit 05.23:\n  interface 0:\n    descriptor = " HEX54 " 00\n", 6,
	  "descriptor has 55 bytes" },
	{ "descriptor of another type",
	  HEAD "unit 05.23:\n  interface 0:\n    descriptor = 36 22 10 01 00 07 03 00 00 00 a0 0f 00 00 a0 "
	       "0f 00 00 "
	       "00 80 25 00 00 00 c2 01 00 00 fe 00 00 00 00 00 00 00 00 00 00 00 ba 04 01 00 0f 01 00 00 ff "
	       "ff 00 00 "
	       "00 01\n",
	  6, "bDescriptorType is 22h" },
	{ "descriptor of another length",
	  HEAD "unit 05.23:\n  interface 0:\n    descriptor = 09 21 10 01 00 07 03 00 00 00 a0 0f 00 00 a0 "
	       "0f 00 00 "
	       "00 80 25 00 00 00 c2 01 00 00 fe 00 00 00 00 00 00 00 00 00 00 00 ba 04 01 00 0f 01 00 00 ff "
	       "ff 00 00 "
	       "00 01\n",
	  6, "bLength is 09h" },
	{ "clock 0", GOOD "    clocks = 4000, 0\n", 9,
	  "clocks: '0' cannot be; write decimal numbers from 1 to 1000000" },
	{ "rate above all reason", GOOD "    data-rates = 9600, 100000001\n", 9, "'100000001' cannot be" },
	{ "rate in words", GOOD "    data-rates = fast\n", 9, "data-rates: 'fast' cannot be" },
	/* blocks */
	{ "no class", HEAD "unit 05.23:\n  interface 0:\n    endpoints = 3\n    descriptor = " HEX54 "\n", 5,
	  "class is missing" },
	{ "no endpoints",
	  HEAD "unit 05.23:\n  interface 0:\n    class = 0b 00 00\n    descriptor = " HEX54 "\n", 5,
	  "endpoints is missing" },
	{ "no descriptor", HEAD "unit 05.23:\n  interface 0:\n    class = 0b 00 00\n    endpoints = 3\n", 5,
	  "descriptor is missing" },
	{ "unit without interface", HEAD "unit 05.23:\n  product = x\n" UNIT1, 4,
	  "this unit has no interface" },
	{ "unit without number", HEAD "unit:\n", 4, "write 'unit BB.BB:'" },
	{ "unit with a bad number", HEAD "unit 5.23:\n", 4, "write 'unit BB.BB:'" },
	{ "unit with two numbers", HEAD "unit 05.23 05.24:\n", 4, "write 'unit BB.BB:'" },
	{ "interface without number", HEAD "unit 05.23:\n  interface:\n", 5, "write 'interface N:'" },
	{ "interface 256", HEAD "unit 05.23:\n  interface 256:\n", 5, "write 'interface N:'" },
	{ "interface twice", GOOD "  interface 0:\n" FACE, 9, "interface 0 is given twice in this unit" },
	{ "interface outside of a unit", HEAD "interface 0:\n", 4,
	  "a block 'interface 0:' with a descriptor belongs into a 'unit BB.BB:' block" },
	{ "interface without number outside of a unit", HEAD "interface:\n", 4,
	  "behind 'interface', with blanks around it" },
	{ "unit in a unit", HEAD "unit 05.23:\n  unit 05.24:\n", 5,
	  "'unit' belongs directly into a [vid:pid]" },
	{ "unknown block", HEAD "slot 0:\n", 4, "'slot 0:' is neither" },
	{ "no equals sign", HEAD "supported\n", 4, "'supported' is neither" },
	{ "indented for no reason", "[04e6:5116]\n  name = x\n", 2, "the indentation fits no block" },
	{ "indentation changes", HEAD "unit 05.23:\n  product = x\n   variant = y\n", 6,
	  "the indentation fits" },
	{ "tab", "[04e6:5116]\n\tname = x\n", 2, "a tab; indent" },
	{ "control character", "[04e6:5116]\nname = a\x01z\n", 2, "byte 01h" },
	{ "not ASCII", "[04e6:5116]\nname = \xc3\xa9\n", 2, "byte c3h" },
	/* conditions */
	{ "rule without effect", GOOD "firmware < 05.20:\n  why = x\n", 9, "this rule changes nothing" },
	{ "rule without why", GOOD "firmware < 05.20:\n  max-ifsd = 48\n", 9, "why is missing" },
	{ "no operator", GOOD "firmware 05.20:\n", 9, "write one of <, <=, =, >=, > behind 'firmware'" },
	{ "unknown operator", GOOD "firmware != 05.20:\n", 9, "write one of <, <=, =, >=, >" },
	{ "no value to compare", GOOD "firmware <:\n", 9, "'' does not fit 'firmware'" },
	{ "firmware not BCD", GOOD "firmware < 5:\n", 9, "'5' does not fit 'firmware'; write a bcdDevice" },
	{ "message not a number", GOOD "message = 10fh:\n", 9, "'10fh' does not fit 'message'" },
	{ "level not a level", GOOD "level = 1:\n", 9, "'1' does not fit 'level'" },
	{ "and without condition", GOOD "firmware < 05.20 and:\n", 9, "'' cannot be compared" },
	{ "unknown second field", GOOD "firmware < 05.20 and slots = 2:\n", 9, "'slots' cannot be compared" },
	{ "comma instead of and", GOOD "firmware < 05.20 , level = tpdu:\n", 9, "',' is not expected here" },
	{ "five conditions",
	  GOOD "firmware < 05.20 and firmware < 05.20 and firmware < 05.20 and firmware < 05.20 and level = "
	       "tpdu:\n",
	  9, "more than 4 conditions" },
	{ "interface not a number", GOOD "interface = one:\n", 9,
	  "'one' does not fit 'interface'; write a decimal bInterfaceNumber" },
	{ "interface with an operator of strings", GOOD "interface contains 1:\n", 9,
	  "write one of <, <=, =, >=, > behind 'interface'" },
	{ "product with an operator of numbers", GOOD "product = v2.0:\n", 9,
	  "write one of contains, lacks behind 'product'" },
	{ "product without a word", GOOD "product contains:\n", 9,
	  "'' does not fit 'product'; write a part of the product string" },
	{ "product with two words", GOOD "product contains SCR335 v2.0:\n", 9,
	  "'v2.0' is not expected here" },
	{ "product with a word of 24 characters", GOOD "product lacks abcdefghijklmnopqrstuvwx:\n", 9,
	  "does not fit 'product'" },
	{ "always with a condition", GOOD "always level = tpdu:\n", 9, "write 'always:' alone" },
	{ "always without why", GOOD "always:\n  max-ifsd = 48\n", 9, "why is missing" },
	{ "always without effect", GOOD "always:\n  why = x\n", 9, "this rule changes nothing" },
	/* every kind of effect */
	{ "yes and no", GOOD "always:\n  no-pps = no\n", 10, "no-pps = no: the only value is yes" },
	{ "escape", GOOD "always:\n  escape = maybe\n", 10, "write one of deny, allow" },
	{ "Lc", GOOD "always:\n  pin-lc = keep\n", 10, "write one of strip, append" },
	{ "firmware as a number", GOOD "always:\n  fixed-in = 701\n", 10, "write a bcdDevice such as 07.01" },
	{ "bytes in words", GOOD "always:\n  pin-escape = reset\n", 10,
	  "write up to 8 bytes of two hexadecimal digits" },
	{ "nine bytes", GOOD "always:\n  open-escape = 01 02 03 04 05 06 07 08 09\n", 10,
	  "write up to 8 bytes" },
	{ "half bytes", GOOD "always:\n  open-escape = 1 2\n", 10, "write up to 8 bytes" },
	{ "any byte first", GOOD "always:\n  open-escape = xx 01\n", 10, "write up to 8 bytes" },
	{ "any byte alone", GOOD "always:\n  open-escape = xx\n", 10, "write up to 8 bytes" },
	{ "number plus 1 too high", GOOD "always:\n  undetected-from = 256\n", 10, "from 0 to 255" },
	/* sections of a vendor */
	{ "name of a vendor", "[04e6:*]\nname = x\nno-pps = yes\nwhy = x\n", 2,
	  "unknown key 'name'; known here: why, capture, flight-recorder, leave, max-message" },
	{ "status of a vendor", "[04e6:*]\nstatus = supported\nno-pps = yes\nwhy = x\n", 2,
	  "unknown key 'status'" },
	{ "unit of a vendor", "[04e6:*]\nunit 05.23:\n  interface 0:\n" FACE, 2,
	  "'unit' belongs directly into a [vid:pid]" },
	{ "vendor without rule", "[04e6:*]\nwhy = x\n", 1, "this section changes nothing" },
	{ "vendor without why", "[04e6:*]\nno-pps = yes\n", 1, "why is missing" },
	{ "setting of a vendor", "[04e6:*]\nlog = all\n", 2, "unknown key 'log'" },
	{ "half a star", "[04e6:5*]\n", 1, "or '[vid:*]' for all products of a vendor" },
	{ "star as a vendor", "[*:5116]\n", 1, "write '[vid:pid]'" },
	{ "every reader in the database", "[*]\nlog = all\n", 1,
	  "'[*]' is for the files of an administrator" },
	{ "rule in a unit", HEAD "unit 05.23:\n  firmware < 05.20:\n", 5,
	  "'firmware' belongs directly into" },
};

static void each_error_names_line_and_cure(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct heard h = { 0 };

		parse(&h, bad[i].text, strlen(bad[i].text), READER_DATABASE);
		if (!h.errors || h.line != bad[i].line || !strstr(h.text, bad[i].sentence))
			fail_msg("%s: expected line %u '%s', got line %u '%s'", bad[i].what, bad[i].line,
				 bad[i].sentence, h.line, h.text);
		if (h.sections)
			fail_msg("%s: the faulty section was delivered", bad[i].what);
	}
}

static const char everything[] =
	"# a comment, with \xc3\xa9\n"
	"   # an indented one\n"
	"\n"
	"[04E6:e003]   # ids in either case\r\n"
	"name   = Reader #1 of A:B = C # a comment\n"
	"status = should-work\n"
	"why    = because\n"
	"pinpad = none\n"
	"unit 05.10:\n"
	"  variant = V\n"
	"  manufacturer = M\n"
	"  product = P#\n"
	"  interface 1:\n"
	"      name = I\n"
	"      class = ff 5C 02\n"
	"      endpoints = 0\n"
	"\n"
	"      descriptor = " HEX54 "\n"
	"      clocks = 4000,8000 , 12000\n"
	"      data-rates = 100000000\n"
	"  interface 0:\n" FACE "firmware >= 05.00 and firmware < 05.20 and message = 263 and level = tpdu:\n"
	"  max-message = 271\n"
	"  level = short-apdu\n"
	"  why = W:\n"
	"max-ifsd = 48\n"
	"unit f0.f0:\n"
	"  interface 0:\n" FACE
	"[ffff:ffff]\nname = Last\nstatus = supported\nunit 00.00:\n  interface 255:\n" FACE;

static void check_identity(const struct reader_section *s)
{
	assert_int_equal(s->vid, 0x04e6);
	assert_int_equal(s->pid, 0xe003);
	assert_int_equal(s->line, 4);
	assert_string_equal(s->name, "Reader #1 of A:B = C");
	assert_int_equal(s->status, READER_SHOULD_WORK);
	assert_int_equal(s->units, 2);
	assert_int_equal(s->unit[0].bcd_device, 0x0510);
	assert_string_equal(s->unit[0].variant, "V");
	assert_string_equal(s->unit[0].manufacturer, "M");
	assert_string_equal(s->unit[0].product, "P#");
	assert_int_equal(s->unit[1].bcd_device, 0xf0f0);
	assert_string_equal(s->unit[1].product, "");
}

static void check_interfaces(const struct reader_section *s)
{
	const struct reader_interface *i = &s->interface[0];

	assert_int_equal(s->interfaces, 3);
	assert_int_equal(i->unit, 0);
	assert_int_equal(i->number, 1);
	assert_int_equal(i->endpoints, 0);
	assert_string_equal(i->name, "I");
	assert_memory_equal(i->triple, "\xff\x5c\x02", 3);
	assert_int_equal(i->descriptor[0], 0x36);
	assert_int_equal(i->descriptor[53], 0x01);
	assert_int_equal(i->clocks.count, 3);
	assert_int_equal(i->clocks.value[2], 12000);
	assert_int_equal(i->data_rates.count, 1);
	assert_int_equal(i->data_rates.value[0], 100000000);
	assert_int_equal(s->interface[1].unit, 0);
	assert_int_equal(s->interface[1].number, 0);
	assert_int_equal(s->interface[1].clocks.count, 0);
	assert_int_equal(s->interface[2].unit, 1);
}

/* The section's own effects are rules without conditions, where they stand. */
static void check_rules(const struct reader_section *s)
{
	const struct quirk_rule *r = &s->rule[1];

	assert_int_equal(s->rules, 3);
	assert_int_equal(s->rule[0].conditions, 0);
	assert_int_equal(s->rule[0].effect[0].key, QUIRK_PINPAD);
	assert_int_equal(r->conditions, 4);
	assert_int_equal(r->condition[0].field, QUIRK_ON_FIRMWARE);
	assert_int_equal(r->condition[0].op, QUIRK_GE);
	assert_int_equal(r->condition[0].value, 0x0500);
	assert_int_equal(r->condition[1].op, QUIRK_LT);
	assert_int_equal(r->condition[2].field, QUIRK_ON_MESSAGE);
	assert_int_equal(r->condition[2].value, 263);
	assert_int_equal(r->condition[3].field, QUIRK_ON_LEVEL);
	assert_int_equal(r->condition[3].value, CCID_TPDU);
	assert_int_equal(r->effects, 2);
	assert_int_equal(r->effect[0].value, 271);
	assert_int_equal(r->effect[1].key, QUIRK_LEVEL);
	assert_int_equal(r->effect[1].value, CCID_SHORT_APDU);
	assert_string_equal(s->rule[1].why, "W:");
	assert_int_equal(s->rule[2].effect[0].key, QUIRK_MAX_IFSD);
}

static void everything_is_understood(void **state)
{
	const char *second = strstr(everything, "[ffff");
	struct heard h = { .last = calloc(1, sizeof *h.last) };

	(void)state;
	assert_non_null(h.last);
	if (parse(&h, everything, (size_t)(second - everything), READER_DATABASE))
		fail_msg("line %u: %s", h.line, h.text);
	assert_int_equal(h.sections, 1);
	check_identity(h.last);
	check_interfaces(h.last);
	check_rules(h.last);
	if (parse(&h, everything, sizeof everything - 1, READER_DATABASE))
		fail_msg("line %u: %s", h.line, h.text);
	assert_int_equal(h.sections, 3);
	assert_string_equal(h.last->name, "Last");
	assert_int_equal(h.last->rules, 0);
	assert_int_equal(h.last->interface[0].number, 255);
	free(h.last);
}

/* An administrator's file says only what it changes; the rest is in the table. Bad values are still refused. */
static void overrides_may_be_short(void **state)
{
	static const char text[] = "[04e6:5116]\nmax-ifsd = 48\n[04e6:5117]\nmax-ifsd = 0\n";
	struct heard h = { .last = calloc(1, sizeof *h.last) };

	(void)state;
	assert_non_null(h.last);
	parse(&h, text, sizeof text - 1, READER_OVERRIDE);
	assert_int_equal(h.sections, 1);
	assert_int_equal(h.errors, 1);
	assert_int_equal(h.line, 4);
	assert_int_equal(h.last->status, READER_NOT_STATED);
	assert_int_equal(h.last->rule[0].effect[0].value, 48);
	free(h.last);
}

/* A section for every reader: settings of the driver, and effects. */
static void every_reader_has_settings(void **state)
{
	static const struct row {
		const char *text; /* behind [*] */
		uint32_t log_1, voltage_1, max_wait_s;
		unsigned rules;
		const char *sentence; /* of an error in the second line */
	} rows[] = {
		{ "log = none", 1, 0, 0, 0, NULL },
		{ "log = critical", 2, 0, 0, 0, NULL },
		{ "log = critical,info", 4, 0, 0, 0, NULL },
		{ "log = comm, periodic", 13, 0, 0, 0, NULL },
		{ "log = all", 16, 0, 0, 0, NULL },
		{ "log = 0", 1, 0, 0, 0, NULL },
		{ "log = 15", 16, 0, 0, 0, NULL },
		{ "log = 16", 0, 0, 0, 0, "write a number from 0 to 15" },
		{ "log = 4294967295", 0, 0, 0, 0, "write a number from 0 to 15" },
		{ "log = critical,everything", 0, 0, 0, 0, "'everything' is no level" },
		{ "voltage = 5", 0, 1, 0, 0, NULL },
		{ "voltage = 3", 0, 2, 0, 0, NULL },
		{ "voltage = 1.8", 0, 3, 0, 0, NULL },
		{ "voltage = reader", 0, 4, 0, 0, NULL },
		{ "voltage = 12", 0, 0, 0, 0, "write one of 5, 3, 1.8, reader" },
		{ "max-wait = 1", 0, 0, 1, 0, NULL },
		{ "max-wait = 86400", 0, 0, 86400, 0, NULL },
		{ "max-wait = 0", 0, 0, 0, 0, "from 1 to 86400" },
		{ "max-wait = 86401", 0, 0, 0, 0, "from 1 to 86400" },
		{ "escape = deny", 0, 0, 0, 1, NULL },
		{ "max-ifsd = 48", 0, 0, 0, 1, NULL },
		{ "capture = /run/pcscd/all.pcap", 0, 0, 0, 0, NULL },
		{ "name = x", 0, 0, 0, 0,
		  "known here: why, log, voltage, max-wait, capture, flight-recorder, leave, max-message" },
	};
	struct reader_section *last = calloc(1, sizeof *last);
	char text[128];

	(void)state;
	assert_non_null(last);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct heard h = { .last = last };

		snprintf(text, sizeof text, "[*]\n%s\n", rows[i].text);
		memset(last, 0, sizeof *last);
		parse(&h, text, strlen(text), READER_OVERRIDE);
		CHECK_INT(rows[i].text, h.sections, rows[i].sentence ? 0 : 1);
		CHECK_INT(rows[i].text, h.line, rows[i].sentence ? 2 : 0);
		CHECK(rows[i].text, !rows[i].sentence || strstr(h.text, rows[i].sentence));
		if (!h.sections)
			continue;
		CHECK_INT(rows[i].text, last->scope, READER_EVERY);
		CHECK_INT(rows[i].text, last->settings.log_1, rows[i].log_1);
		CHECK_INT(rows[i].text, last->settings.voltage_1, rows[i].voltage_1);
		CHECK_INT(rows[i].text, last->settings.max_wait_s, rows[i].max_wait_s);
		CHECK_INT(rows[i].text, last->rules, rows[i].rules);
	}
	free(last);
	check_done();
}

/* All products of a vendor, and the conditions and kinds of effects that the large text does not have. */
static void a_vendor_has_rules(void **state)
{
	static const char text[] = "[08E6:*]\n"
				   "why = shared\n"
				   "ask-features = yes\n"
				   "interface = 1 and product lacks v2.0:\n"
				   "  escape-allowed = 52 f8 XX\n"
				   "  why = own\n"
				   "always:\n"
				   "  pin-verify-messages = 0\n"
				   "  fixed-in = 07.01\n"
				   "  why = last\n";
	struct heard h = { .last = calloc(1, sizeof *h.last) };
	const struct quirk_rule *r;

	(void)state;
	assert_non_null(h.last);
	parse(&h, text, sizeof text - 1, READER_DATABASE);
	assert_int_equal(h.errors, 2); /* "XX" is not "xx", and so the rule has no effect */
	assert_int_equal(h.line, 5);
	memset(&h, 0, offsetof(struct heard, last));
	{
		char *good = strdup(text);

		assert_non_null(good);
		memset(strstr(good, "XX"), 'x', 2);
		parse(&h, good, sizeof text - 1, READER_DATABASE);
		free(good);
	}
	assert_int_equal(h.errors, 0);
	assert_int_equal(h.sections, 1);
	r = h.last->rule;
	assert_int_equal(h.last->scope, READER_VENDOR);
	assert_int_equal(h.last->vid, 0x08e6);
	assert_int_equal(h.last->rules, 3);
	assert_string_equal(r[0].why, "shared");
	assert_int_equal(r[1].condition[0].field, QUIRK_ON_INTERFACE);
	assert_int_equal(r[1].condition[0].value, 1);
	assert_int_equal(r[1].condition[1].op, QUIRK_LACKS);
	assert_string_equal(r[1].condition[1].word, "v2.0");
	assert_int_equal(r[1].effect[0].bytes.len, 2);
	assert_true(r[1].effect[0].bytes.open_end);
	assert_memory_equal(r[1].effect[0].bytes.at, "\x52\xf8", 2);
	assert_int_equal(r[2].conditions, 0);
	assert_int_equal(r[2].effect[0].value, 1);
	assert_int_equal(r[2].effect[1].value, 0x0701);
	assert_string_equal(r[2].why, "last");
	free(h.last);
}

/* One faulty section neither hides its neighbours nor their errors. */
static void errors_do_not_spread(void **state)
{
	static const char text[] = "[bad]\nname = x\nfoo\n" GOOD "[04e6:5117]\nfoo = 1\nbar = 2\n" GOOD;
	struct heard h = { 0 };

	(void)state;
	parse(&h, text, sizeof text - 1, READER_DATABASE);
	assert_int_equal(h.sections, 2);
	assert_int_equal(h.errors, 6); /* the bad head; two keys, and name, status and unit of 5117 */
	assert_int_equal(h.line, 1);
}

static void expect_one(const char *text, const char *sentence)
{
	struct heard h = { 0 };

	parse(&h, text, strlen(text), READER_OVERRIDE);
	assert_true(h.errors > 0);
	if (!strstr(h.text, sentence))
		fail_msg("expected '%s', got '%s'", sentence, h.text);
	assert_int_equal(h.sections, 0);
}

/* A section head and then the same piece again and again; %u counts. */
static void expect_too_many(const char *piece, unsigned times, const char *sentence)
{
	static char text[65536];
	size_t used = (size_t)snprintf(text, sizeof text, "%s", "[04e6:5116]\n");

	for (unsigned i = 0; i < times; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s", piece);
	assert_true(used < sizeof text);
	expect_one(text, sentence);
}

static void bounds_are_kept(void **state)
{
	(void)state;
	expect_too_many("unit 01.00:\n  interface 0:\n    endpoints = 3\n", READER_UNITS + 1,
			"more than 16 units");
	expect_too_many("unit 01.00:\n  interface 0:\n    endpoints = 3\n  interface 1:\n    endpoints = 3\n"
			"  interface 2:\n    endpoints = 3\n",
			11, "more than 32 interfaces");
	expect_too_many("firmware < 01.00:\n  max-ifsd = 1\n", READER_RULES + 1, "more than 16 rules");
}

static void long_values_are_refused(void **state)
{
	char text[4096] = "[04e6:5116]\nname = ";
	const size_t head = strlen(text);

	(void)state;
	memset(text + head, 'x', READER_TEXT);
	expect_one(text, "name has 128 characters; at most 127");
	memset(text + head, 'x', READER_LINE);
	expect_one(text, "the line has 2054 bytes");
	memset(text + head, '\0', READER_LINE);
	strcpy(text, "[04e6:5116]\nunit 01.00:\n  interface 0:\n    clocks = ");
	for (unsigned i = 0; i < READER_LIST + 1; i++)
		strcat(text, "1,");
	expect_one(text, "clocks has more than 255 entries");
}

/* Every beginning of a good file, and every one with one byte of it spoilt, ends without harm. */
static void damaged_text_is_harmless(void **state)
{
	static const char spoilers[] = { '\0', '\n', ' ', ':', '=', '[', ']', '#', '\t', '\xff', '9' };
	const size_t len = sizeof everything - 1;
	struct heard h = { 0 };
	char *text;

	(void)state;
	for (size_t n = 0; n <= len; n++) {
		text = malloc(n ? n
				: 1); /* of exactly that size, so that a sanitizer sees a step beyond it */
		assert_non_null(text);
		memcpy(text, everything, n);
		parse(&h, text, n, READER_DATABASE);
		for (size_t s = 0; n && s < sizeof spoilers; s++) {
			text[n / 2] = spoilers[s];
			parse(&h, text, n, READER_OVERRIDE);
		}
		free(text);
	}
	assert_true(h.errors > 0);
	assert_true(h.sections > 0);
}

static void missing_file_is_one_error(void **state)
{
	struct heard h = { 0 };
	const struct reader_sink sink = { .section = on_section, .error = on_error, .arg = &h };

	(void)state;
	assert_int_equal(reader_file_load("t.reader", READER_OVERRIDE, &sink), 1);
	assert_int_equal(h.line, 0);
	assert_non_null(strstr(h.text, "cannot be read: "));
}

static void words_of_values(void **state)
{
	(void)state;
	assert_string_equal(reader_status_word(READER_SHOULD_WORK), "should-work");
	assert_string_equal(reader_status_word(READER_NOT_STATED), "");
	assert_string_equal(reader_level_word(CCID_EXTENDED_APDU), "extended-apdu");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_error_names_line_and_cure),
		cmocka_unit_test(everything_is_understood),
		cmocka_unit_test(overrides_may_be_short),
		cmocka_unit_test(every_reader_has_settings),
		cmocka_unit_test(a_vendor_has_rules),
		cmocka_unit_test(errors_do_not_spread),
		cmocka_unit_test(bounds_are_kept),
		cmocka_unit_test(long_values_are_refused),
		cmocka_unit_test(damaged_text_is_harmless),
		cmocka_unit_test(missing_file_is_one_error),
		cmocka_unit_test(words_of_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
