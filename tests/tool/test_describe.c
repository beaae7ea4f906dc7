/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each thing that can be wrong with a descriptor is found, and nothing else with it; fields and plan in words. */
#include "check.h"
#include "tool/describe.h"

/* A good descriptor: TPDU level, 4 MHz. */
static const uint8_t good[CCID_DESCRIPTOR_LEN] = {
	0x36, 0x21, 0x10, 0x01, 0x00, 0x01, 0x03, 0x00, 0x00, 0x00, 0xA0, 0x0F, 0x00, 0x00,
	0x40, 0x1F, 0x00, 0x00, 0x00, 0x01, 0x2A, 0x00, 0x00, 0x29, 0x40, 0x05, 0x00, 0x00,
	0xFC, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xBA, 0x00,
	0x01, 0x00, 0x0F, 0x01, 0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x01,
};

enum { CCID = 0x0B, VENDOR = 0xFF };

struct change {
	uint8_t class, subclass, protocol;
	bool no_bulk;
	struct {
		uint8_t at, value;
	} byte[4]; /* at 0: none */
};

static void make_view(struct view *view, const struct change *change)
{
	*view = (struct view){ .info = { .class = change->class ? change->class : CCID,
					 .subclass = change->subclass,
					 .protocol = change->protocol,
					 .bulk = !change->no_bulk,
					 .interrupt = true,
					 .extra_len = sizeof good } };
	memcpy(view->info.extra, good, sizeof good);
	for (unsigned i = 0; i < COUNT(change->byte); i++)
		if (change->byte[i].at)
			view->info.extra[change->byte[i].at] = change->byte[i].value;
	view->err = learn_caps(&view->info, "", NULL, &view->learned);
}

static const struct {
	const char *wrong; /* begins with this; NULL: nothing is */
	struct change change;
	const char *also; /* a second thing that cannot be avoided */
} cases[] = {
	{ NULL, { .class = CCID }, NULL },
	{ "there is no class descriptor", { .byte = { { 1, 0x22 } } }, NULL },
	{ "there are no two bulk endpoints", { .no_bulk = true }, NULL },
	{ "the interface is of vendor class", { .class = VENDOR }, NULL },
	{ "bInterfaceSubClass", { .subclass = 1 }, NULL },
	{ "bDescriptorType is FFh", { .byte = { { 1, 0xFF } } }, NULL },
	{ "bcdCCID", { .byte = { { 3, 0x02 } } }, NULL },
	{ NULL, { .byte = { { 2, 0x00 } } }, NULL },
	{ "bVoltageSupport has no voltage",
	  { .byte = { { 5, 0xF8 } } },
	  "bVoltageSupport has reserved bits" },
	{ "bVoltageSupport has reserved bits", { .byte = { { 5, 0x09 } } }, NULL },
	{ "dwProtocols has neither", { .byte = { { 6, 4 } } }, "dwProtocols has reserved bits" },
	{ "dwProtocols has reserved bits", { .byte = { { 8, 1 } } }, NULL },
	{ "dwDefaultClock is 0", { .byte = { { 10, 0 }, { 11, 0 } } }, NULL },
	{ "dwMaximumClock is below", { .byte = { { 15, 0x0E } } }, NULL },
	{ "dwDataRate is not", { .byte = { { 19, 0x80 }, { 20, 0x25 } } }, NULL },
	{ "dwMaxDataRate is below", { .byte = { { 24, 0x20 }, { 25, 0 } } }, NULL },
	{ NULL, { .byte = { { 23, 0x01 }, { 24, 0x2A }, { 25, 0 } } }, NULL },
	{ "dwMaxIFSD is 0", { .byte = { { 28, 0 } } }, NULL },
	{ NULL, { .byte = { { 28, 0 }, { 6, 1 } } }, NULL },
	{ "dwMaxIFSD is above 254", { .byte = { { 28, 255 } } }, NULL },
	{ NULL, { .byte = { { 28, 254 } } }, NULL },
	{ "dwFeatures has both 40h and 80h", { .byte = { { 40, 0xFA } } }, NULL },
	{ "dwFeatures has more than one exchange level", { .byte = { { 42, 3 } } }, NULL },
	{ "dwFeatures has reserved bits", { .byte = { { 43, 1 } } }, NULL },
	{ "dwFeatures has reserved bits", { .byte = { { 42, 0x81 } } }, NULL },
	{ "dwFeatures of a token", { .no_bulk = true, .protocol = 1 }, NULL },
	{ NULL, { .no_bulk = true, .protocol = 2, .byte = { { 40, 0x40 }, { 41, 0x08 }, { 42, 2 } } }, NULL },
	{ "dwMaxCCIDMessageLength is below 15", { .byte = { { 44, 14 }, { 45, 0 } } }, NULL },
	{ "dwMaxCCIDMessageLength is below a packet", { .byte = { { 44, 63 }, { 45, 0 } } }, NULL },
	{ "dwMaxCCIDMessageLength is below 270: a TPDU", { .byte = { { 44, 0x0D } } }, NULL },
	{ NULL, { .byte = { { 44, 0x0E } } }, NULL },
	{ "dwMaxCCIDMessageLength is below 271: a short APDU",
	  { .byte = { { 44, 0x0E }, { 42, 2 } } },
	  NULL },
	{ "dwMaxCCIDMessageLength is above", { .byte = { { 44, 0x13 }, { 45, 0 }, { 46, 1 } } }, NULL },
	{ NULL, { .byte = { { 44, 0x12 }, { 45, 0 }, { 46, 1 } } }, NULL },
	{ "bPINSupport", { .byte = { { 52, 4 } } }, NULL },
	{ "bMaxCCIDBusySlots is 0", { .byte = { { 53, 0 } } }, NULL },
	{ "bMaxCCIDBusySlots is more", { .byte = { { 53, 2 } } }, NULL },
};

static bool begins(const struct check *check, const char *words)
{
	return check ? words && strncmp(check->wrong, words, strlen(words)) == 0 : !words;
}

static void each_fault_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		static struct view view;
		char row[96];
		const struct check *check;

		snprintf(row, sizeof row, "%zu: %.60s", i, cases[i].wrong ? cases[i].wrong : "nothing");
		make_view(&view, &cases[i].change);
		check = describe_wrong(&view, NULL);
		CHECK(row, begins(check, cases[i].wrong));
		if (!check)
			continue;
		CHECK_INT(row, check->unusable,
			  view.err != OC_OK || (view.info.bulk == false && view.info.protocol == 0));
		check = describe_wrong(&view, check);
		CHECK(row, begins(check, cases[i].also));
		CHECK(row, !check || !describe_wrong(&view, check));
	}
	check_done();
}

static const struct {
	const char *name;
	struct change change;
	const char *value, *words;
} fields[] = {
	{ "bcdCCID", { .class = 0 }, "1.10", "" },
	{ "bMaxSlotIndex", { .byte = { { 4, 1 } } }, "1", "2 slots" },
	{ "bVoltageSupport", { .byte = { { 5, 7 } } }, "07h", "5 V, 3 V, 1.8 V" },
	{ "bVoltageSupport", { .byte = { { 5, 0x81 } } }, "81h", "5 V, 80h: reserved" },
	{ "dwDefaultClock", { .class = 0 }, "4000", "4.000 MHz" },
	{ "dwMechanical", { .byte = { { 36, 6 } } }, "00000006h", "ejects cards, captures cards" },
	{ "dwFeatures", { .byte = { { 40, 0 }, { 42, 0 } } }, "00000000h", "the host does everything" },
	{ "dwFeatures",
	  { .byte = { { 40, 2 }, { 42, 0 } } },
	  "00000002h",
	  "parameters from the ATR, character level" },
	{ "wLcdLayout", { .byte = { { 50, 16 }, { 51, 2 } } }, "0210h", "2 lines of 16 characters" },
	{ "bPINSupport", { .byte = { { 52, 3 } } }, "03h", "verifies PINs, changes PINs" },
	{ "bMaxCCIDBusySlots", { .class = 0 }, "1", "" },
};

static void fields_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		static struct view view;
		static struct field field[FIELDS];
		size_t f = 0;

		make_view(&view, &fields[i].change);
		assert_int_equal(describe_fields(&view.learned.descriptor, field), FIELDS);
		while (f < FIELDS - 1 && strcmp(field[f].name, fields[i].name) != 0)
			f++;
		CHECK(fields[i].name, strcmp(field[f].name, fields[i].name) == 0);
		CHECK(fields[i].words, strcmp(field[f].value, fields[i].value) == 0);
		CHECK(fields[i].words, strcmp(field[f].words, fields[i].words) == 0);
	}
	check_done();
}

static const struct {
	const char *what;
	struct change change;
	const char *text;
} plans[] = {
	{ "exchange", { .class = 0 }, "TPDUs" },
	{ "exchange", { .byte = { { 42, 0 } } }, "single characters" },
	{ "exchange", { .byte = { { 42, 2 } } }, "short APDUs" },
	{ "exchange", { .byte = { { 42, 4 } } }, "APDUs of any length" },
	{ "protocols", { .byte = { { 6, 2 } } }, "T=1 only" },
	{ "power", { .class = 0 }, "the reader chooses" },
	{ "power", { .byte = { { 40, 0xB2 }, { 5, 3 } } }, "tries 5 V, then 3 V" },
	{ "power", { .byte = { { 40, 0xB2 }, { 5, 7 } } }, "tries 5 V, then 1.8 V, then 3 V" },
	{ "speed", { .byte = { { 40, 0x7A } } }, "the reader negotiates" },
	{ "speed",
	  { .class = 0 },
	  "the driver sets the parameters, and the reader sends PPS; at most 344105 bps" },
	{ "speed", { .byte = { { 40, 0x3A } } }, "the driver sends PPS" },
	{ "length", { .class = 0 }, "271 bytes in a message, 252 in a block of T=1" },
	{ "presence", { .class = 0 }, "the reader tells" },
	{ "slots", { .byte = { { 4, 1 } } }, "2, 1 busy at a time" },
	{ "keypad", { .byte = { { 52, 1 } } }, "verifies PINs" },
};

static void plans_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(plans); i++) {
		static struct view view;
		struct plan plan[PLANS];
		size_t count, p = 0;

		make_view(&view, &plans[i].change);
		count = describe_plan(&view, plan);
		while (p < count - 1 && strcmp(plan[p].what, plans[i].what) != 0)
			p++;
		CHECK(plans[i].text, strcmp(plan[p].what, plans[i].what) == 0);
		CHECK(plans[i].text, strncmp(plan[p].text, plans[i].text, strlen(plans[i].text)) == 0);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_is_found),
		cmocka_unit_test(fields_are_told),
		cmocka_unit_test(plans_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
