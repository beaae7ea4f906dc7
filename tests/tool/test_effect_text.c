/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An effect written as text and read again is the same effect: for every rule of the list. */
#include "check.h"
#include "quirk/override.h"
#include "quirk/quirk.h"
#include "quirk/reader_file.h"

static void complain(void *arg, const char *sentence)
{
	if (check_failed(__FILE__, __LINE__, arg))
		print_error("%s\n", sentence);
}

/* Apply it as an effect, and as a line of a file. */
static void compare(const struct quirk_effect *effect)
{
	const struct quirk_rule rule = { .effects = 1, .effect = { *effect }, .why = "" };
	const struct quirk_facts facts = { .product = "" };
	struct ccid_caps direct, read;
	char text[READER_EFFECT_TEXT], file[READER_EFFECT_TEXT + 32], from[64];
	struct quirk_override *override;

	memset(&direct, 0, sizeof direct);
	memset(&read, 0, sizeof read);
	reader_effect_text(effect, text);
	snprintf(file, sizeof file, "[fff0:fff0]\n%s\n", text);
	override = quirk_override_new(0xFFF0, 0xFFF0, complain, text);
	quirk_override_text(override, "x.reader", file, strlen(file));
	quirk_apply_rules(&rule, 1, &facts, &direct);
	CHECK_INT(text, quirk_override_apply(override, 0xFFF0, 0xFFF0, &facts, &read, from, sizeof from), 1);
	direct.fault = read.fault = NULL;
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c): padding and all began as zeros */
	CHECK(text, memcmp(&direct, &read, sizeof read) == 0);
	quirk_override_free(override);
}

static void every_rule_of_the_list(void **state)
{
	size_t effects = 0;

	(void)state;
	for (const struct quirk_rule *rule = quirk_rules; rule->effects; rule++)
		for (unsigned e = 0; e < rule->effects; e++, effects++)
			compare(&rule->effect[e]);
	CHECK("the list is not empty", effects > 100);
	check_done();
}

static const struct {
	const char *text;
	struct quirk_effect effect;
} cases[] = {
	{ "max-ifsd = 48", { .key = QUIRK_MAX_IFSD, .value = 48 } },
	{ "no-pps = yes", { .key = QUIRK_NO_PPS, .value = 1 } },
	{ "undetected-from = 0", { .key = QUIRK_UNDETECTED_FROM, .value = 1 } },
	{ "fixed-in = 07.01", { .key = QUIRK_FIXED_IN, .value = 0x0701 } },
	{ "level = extended-apdu", { .key = QUIRK_LEVEL, .value = CCID_EXTENDED_APDU } },
	{ "pin-lc = append", { .key = QUIRK_PIN_LC, .value = PIN_LC_APPEND } },
	{ "escape = allow", { .key = QUIRK_ESCAPE, .value = PERMISSION_ALLOW } },
	{ "pin-escape = 80 02 00", { .key = QUIRK_PIN_ESCAPE, .bytes = { 3, false, { 0x80, 2, 0 } } } },
	{ "escape-allowed = 6f xx", { .key = QUIRK_ESCAPE_ALLOWED, .bytes = { 1, true, { 0x6F } } } },
	{ "open-escape = 01 02 03 04 05 06 07 08",
	  { .key = QUIRK_OPEN_ESCAPE, .bytes = { 8, false, { 1, 2, 3, 4, 5, 6, 7, 8 } } } },
};

static void each_kind(void **state)
{
	char text[READER_EFFECT_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		reader_effect_text(&cases[i].effect, text);
		CHECK(cases[i].text, strcmp(text, cases[i].text) == 0);
		compare(&cases[i].effect);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_of_the_list),
		cmocka_unit_test(each_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
