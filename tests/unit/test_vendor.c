/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Escape commands of vendors: what they bring, and what they say. */
#include "check.h"

#include "quirk/features.h"
#include "quirk/prompts.h"

static const struct {
	const char *name;
	uint8_t answer[22];
	size_t len;
	struct ccid_caps before, after;
	bool taken;
} features[] = {
	{ "nothing to say", { 0 }, 21, { .pin.min = 4, .pin.max = 8 }, { .pin.min = 4, .pin.max = 8 }, true },
	{ "a display", { 2, 16 }, 21, { 0 }, { .lcd_lines = 2, .lcd_columns = 16 }, true },
	{ "half a display",
	  { 2, 0 },
	  21,
	  { .lcd_lines = 4, .lcd_columns = 20 },
	  { .lcd_lines = 4, .lcd_columns = 20 },
	  true },
	{ "conditions", { [3] = 2 }, 21, { 0 }, { .pin.conditions = 2 }, true },
	{ "conditions that are known better",
	  { [3] = 7 },
	  21,
	  { .pin.conditions = 2 },
	  { .pin.conditions = 2 },
	  true },
	{ "conditions that contradict",
	  { [3] = 4 },
	  21,
	  { .pin.conditions = 2 },
	  { .pin.conditions = 2 },
	  true },
	{ "limits", { [13] = 4, [14] = 12 }, 21, { 0 }, { .pin.min = 4, .pin.max = 12 }, true },
	{ "limits that are known better",
	  { [13] = 1, [14] = 25 },
	  21,
	  { .pin.min = 4, .pin.max = 8 },
	  { .pin.min = 4, .pin.max = 8 },
	  true },
	{ "limits that make no sense", { [13] = 9, [14] = 4 }, 21, { 0 }, { 0 }, true },
	{ "it counts its indexes right", { [8] = 4 }, 21, { .pin.three_indexes = true }, { 0 }, true },
	{ "a byte too few", { 2, 16 }, 20, { 0 }, { 0 }, false },
	{ "a byte too many", { 2, 16 }, 22, { 0 }, { 0 }, false },
	{ "nothing at all", { 0 }, 0, { 0 }, { 0 }, false },
};

static void what_features_change(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(features); i++) {
		struct ccid_caps caps = features[i].before;

		CHECK_INT(features[i].name, features_apply(features[i].answer, features[i].len, &caps),
			  features[i].taken);
		CHECK_BYTES(features[i].name, &caps, sizeof caps, &features[i].after, sizeof caps);
	}
	check_done();
}

static void what_prompts_say(void **state)
{
	static const uint8_t head[] = { 0xB2, 0xA0, 0x00, 0x4D, 0x4C };
	uint8_t out[165];

	(void)state;
	for (size_t cap = 0; cap < sizeof out; cap++)
		CHECK_INT("no room", prompts_put(out, cap), 0);
	CHECK_INT("length", prompts_put(out, sizeof out), sizeof out);
	CHECK_BYTES("head", out, sizeof head, head, sizeof head);
	CHECK_BYTES("first", out + 5, 16, "Enter PIN       ", 16);
	CHECK_BYTES("last", out + 149, 16, "PIN blocked     ", 16);
	for (size_t i = sizeof head; i < sizeof out; i++)
		CHECK("printable", out[i] >= 0x20 && out[i] < 0x7F);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_features_change),
		cmocka_unit_test(what_prompts_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
