/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes from the reader on bulk-IN (CCID rev 1.1, 6.2) and on interrupt-IN (6.3), well-formed and not. */
#include "ccid/message.h"
#include "check.h"

static const struct {
	const char *name;
	const uint8_t *msg;
	size_t len;
	enum oc_err err;
	struct ccid_reply want; /* data is checked apart */
} decode_cases[] = {
	{ "SlotStatus, present and inactive",
	  BYTES(0x81, 0, 0, 0, 0, 0, 0, 0x01, 0, 0),
	  OC_OK,
	  { .type = 0x81, .status = 1 } },
	{ "SlotStatus, no card, clock stopped low",
	  BYTES(0x81, 0, 0, 0, 0, 3, 0xFF, 0x02, 0, 1),
	  OC_OK,
	  { .type = 0x81, .slot = 3, .seq = 0xFF, .status = 2, .specific = 1 } },
	{ "DataBlock 61 1A",
	  BYTES(0x80, 2, 0, 0, 0, 0, 5, 0, 0, 0, 0x61, 0x1A),
	  OC_OK,
	  { .type = 0x80, .seq = 5, .len = 2 } },
	{ "DataBlock, mute card",
	  BYTES(0x80, 0, 0, 0, 0, 0, 1, 0x41, 0xFE, 0),
	  OC_OK,
	  { .type = 0x80, .seq = 1, .status = 0x41, .error = 0xFE } },
	{ "DataBlock, time extension x2",
	  BYTES(0x80, 0, 0, 0, 0, 0, 5, 0x80, 2, 0),
	  OC_OK,
	  { .type = 0x80, .seq = 5, .status = 0x80, .error = 2 } },
	{ "Parameters refused at offset 10",
	  BYTES(0x82, 0, 0, 0, 0, 0, 2, 0x40, 0x0A, 1),
	  OC_OK,
	  { .type = 0x82, .seq = 2, .status = 0x40, .error = 0x0A, .specific = 1 } },
	{ "Escape",
	  BYTES(0x83, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0x77),
	  OC_OK,
	  { .type = 0x83, .seq = 2, .len = 1 } },
	{ "unknown types are copied too",
	  BYTES(0x99, 0, 0, 0, 0, 1, 2, 3, 4, 5),
	  OC_OK,
	  { .type = 0x99, .slot = 1, .seq = 2, .status = 3, .error = 4, .specific = 5 } },
	{ "one byte of padding",
	  BYTES(0x80, 2, 0, 0, 0, 0, 5, 0, 0, 0, 0x90, 0, 0xAA),
	  OC_OK,
	  { .type = 0x80, .seq = 5, .len = 2, .padding = 1 } },
	{ "padding alone",
	  BYTES(0x81, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1, 2, 3),
	  OC_OK,
	  { .type = 0x81, .seq = 5, .padding = 3 } },
	{ "nothing", BYTES(0), OC_E_SHORT, { 0 } },
	{ "nine bytes", BYTES(0x81, 0, 0, 0, 0, 0, 0, 0, 0), OC_E_SHORT, { 0 } },
	{ "one byte promised, none came", BYTES(0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0), OC_E_LENGTH, { 0 } },
	{ "two promised, one came", BYTES(0x80, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x90), OC_E_LENGTH, { 0 } },
	{ "dwLength FFFFFFFF",
	  BYTES(0x80, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0x90, 0),
	  OC_E_LENGTH,
	  { 0 } },
	{ "dwLength FFFFFFF6: with its header 0",
	  BYTES(0x80, 0xF6, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 1),
	  OC_E_LENGTH,
	  { 0 } },
	{ "dwLength 80000000", BYTES(0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 1), OC_E_LENGTH, { 0 } },
	{ "dwLength 00000100: its second byte counts",
	  BYTES(0x80, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1),
	  OC_E_LENGTH,
	  { 0 } },
	{ "dwLength 00010000: its third byte counts",
	  BYTES(0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1),
	  OC_E_LENGTH,
	  { 0 } },
};

static void check_untouched(const char *name, const struct ccid_reply *got)
{
	struct ccid_reply untouched;

	memset(&untouched, 0x5A, sizeof untouched);
	CHECK(name, got->type == untouched.type && got->len == untouched.len && got->data == untouched.data);
}

static void check_reply(const char *name, const uint8_t *msg, const struct ccid_reply *got,
			const struct ccid_reply *want)
{
	CHECK_INT(name, got->type, want->type);
	CHECK_INT(name, got->slot, want->slot);
	CHECK_INT(name, got->seq, want->seq);
	CHECK_INT(name, got->status, want->status);
	CHECK_INT(name, got->error, want->error);
	CHECK_INT(name, got->specific, want->specific);
	CHECK_INT(name, got->len, want->len);
	CHECK_INT(name, got->padding, want->padding);
	CHECK(name, got->len == 0 || got->data == msg + CCID_HEADER_LEN);
}

static void answers_are_split_into_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(decode_cases); i++) {
		size_t len = strcmp(decode_cases[i].name, "nothing") ? decode_cases[i].len : 0;
		uint8_t *msg = exact_copy(decode_cases[i].msg, len);
		struct ccid_reply got;

		memset(&got, 0x5A, sizeof got);
		CHECK_INT(decode_cases[i].name, ccid_decode_reply(msg, len, &got), decode_cases[i].err);
		if (decode_cases[i].err == OC_OK)
			check_reply(decode_cases[i].name, msg, &got, &decode_cases[i].want);
		else
			check_untouched(decode_cases[i].name, &got);
		free(msg);
	}
	check_done();
}

static void truncation_at_every_length(void **state)
{
	uint8_t whole[CCID_HEADER_LEN + 40] = { 0x80, 33, 0, 0, 0, 2, 9, 0, 0, 0 };

	(void)state;
	for (size_t len = 0; len <= sizeof whole; len++) {
		uint8_t *msg = exact_copy(whole, len);
		enum oc_err want = len < 10 ? OC_E_SHORT : len < 43 ? OC_E_LENGTH : OC_OK;
		struct ccid_reply got;
		char name[32];

		snprintf(name, sizeof name, "%zu of 43 bytes", len);
		memset(&got, 0x5A, sizeof got);
		CHECK_INT(name, ccid_decode_reply(msg, len, &got), want);
		if (want != OC_OK)
			check_untouched(name, &got);
		else
			CHECK(name, got.len == 33 && got.padding == len - 43 && got.data == msg + 10);
		free(msg);
	}
	check_done();
}

/* ---- interrupt-IN ------------------------------------------------------------------------------------------------ */

/* What is made of one transfer: a letter per event (N or H), then - if bytes are left that are no event. */
static const struct {
	const char *name;
	const uint8_t *bytes;
	size_t len;
	unsigned slots;
	const char *want;
} event_cases[] = {
	{ "slot 0 inserted", BYTES(0x50, 0x03), 1, "N" },
	{ "inserted and removed in one transfer", BYTES(0x50, 0x03, 0x50, 0x02), 1, "NN" },
	{ "three in one transfer", BYTES(0x50, 0x03, 0x50, 0x02, 0x50, 0x03), 1, "NNN" },
	{ "four slots fit one byte", BYTES(0x50, 0xFF, 0x50, 0xAA), 4, "NN" },
	{ "five slots take two bytes", BYTES(0x50, 0xFF, 0x03, 0x50, 0xAA, 0x02), 5, "NN" },
	{ "a state byte may look like a type", BYTES(0x50, 0x50, 0x51), 5, "N" },
	{ "hardware error", BYTES(0x51, 0x00, 0x07, 0x01), 1, "H" },
	{ "hardware error, then change", BYTES(0x51, 0x00, 0x07, 0x01, 0x50, 0x02), 1, "HN" },
	{ "change, then hardware error", BYTES(0x50, 0x02, 0x51, 0x00, 0x07, 0x01), 1, "NH" },
	{ "hardware error of 3 bytes", BYTES(0x51, 0x00, 0x07), 1, "-" },
	{ "hardware error of 1 byte", BYTES(0x51), 1, "-" },
	{ "change, then a hardware error cut off", BYTES(0x50, 0x03, 0x51, 0x00), 1, "N-" },
	{ "change without states is still a reason to look", BYTES(0x50), 1, "N" },
	{ "change, then one without states", BYTES(0x50, 0x03, 0x50), 1, "NN" },
	{ "unknown type", BYTES(0x52, 0x03), 1, "-" },
	{ "zeros", BYTES(0, 0, 0, 0), 1, "-" },
	{ "change, then zeros", BYTES(0x50, 0x03, 0, 0), 1, "N-" },
};

static void play_events(const uint8_t *bytes, size_t len, unsigned slots, char *got, size_t cap)
{
	const uint8_t *at = bytes;
	size_t left = len, n = 0;
	struct ccid_event event;

	while (n + 2 < cap && ccid_next_event(&at, &left, slots, &event)) {
		got[n++] = (char)(event.type == 0x50 ? 'N' : event.type == 0x51 ? 'H' : '?');
		/* cppcheck-suppress nullPointerArithmetic ; without bytes there is no event */
		CHECK("stays inside", at == bytes + (len - left) && left < len);
	}
	if (left)
		got[n++] = '-';
	got[n] = 0;
}

static void several_events_in_one_transfer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(event_cases); i++) {
		uint8_t *bytes = exact_copy(event_cases[i].bytes, event_cases[i].len);
		char got[16];

		play_events(bytes, event_cases[i].len, event_cases[i].slots, got, sizeof got);
		CHECK_STRING(event_cases[i].name, got, event_cases[i].want);
		free(bytes);
	}
	play_events(NULL, 0, 1, (char[16]){ 0 }, 16);
	check_done();
}

static void hardware_error_fields(void **state)
{
	const uint8_t bytes[] = { 0x51, 0x02, 0x07, 0x01 };
	const uint8_t *at = bytes;
	size_t left = sizeof bytes;
	struct ccid_event event;
	bool present, changed;

	(void)state;
	assert_true(ccid_next_event(&at, &left, 3, &event));
	CHECK_INT("slot", event.slot, 2);
	CHECK_INT("seq", event.seq, 7);
	CHECK_INT("code", event.error, 1);
	CHECK_INT("all taken", left, 0);
	CHECK("says nothing of presence", !ccid_event_slot(&event, 2, &present, &changed));
	check_done();
}

/* 6.3.1: slot n stands in byte 1 + n / 4, shifted by 2 * (n % 4): bit 0 the state, bit 1 "changed". */
static void bitmap_of_256_slots(void **state)
{
	uint8_t *bytes = calloc(1, 65);
	const uint8_t *at = bytes;
	size_t left = 65;
	struct ccid_event event;

	(void)state;
	assert_non_null(bytes);
	bytes[0] = 0x50;
	for (unsigned slot = 0; slot < 256; slot++)
		bytes[1 + slot / 4] |= (uint8_t)((slot * 7 / 3 & 3u) << (2 * (slot % 4)));
	assert_true(ccid_next_event(&at, &left, 256, &event));
	CHECK_INT("all taken", left, 0);
	for (unsigned slot = 0; slot < 256; slot++) {
		bool present = false, changed = false;
		char name[16];

		snprintf(name, sizeof name, "slot %u", slot);
		CHECK(name, ccid_event_slot(&event, slot, &present, &changed));
		CHECK_INT(name, present, (slot * 7 / 3) & 1);
		CHECK_INT(name, changed, (slot * 7 / 3) >> 1 & 1);
	}
	CHECK("slot 256 is not mentioned", !ccid_event_slot(&event, 256, &(bool){ 0 }, &(bool){ 0 }));
	CHECK("slot UINT_MAX is not mentioned", !ccid_event_slot(&event, ~0u, &(bool){ 0 }, &(bool){ 0 }));
	free(bytes);
	check_done();
}

static const struct {
	const char *name;
	uint8_t states;
	unsigned slot;
	bool present, changed;
} slot_cases[] = {
	{ "50 03: slot 0 inserted", 0x03, 0, true, true },
	{ "50 02: slot 0 removed", 0x02, 0, false, true },
	{ "50 0C: slot 1 inserted", 0x0C, 1, true, true },
	{ "50 0C: slot 0 untouched", 0x0C, 0, false, false },
	{ "50 01: slot 0 still there", 0x01, 0, true, false },
	{ "50 80: slot 3 removed", 0x80, 3, false, true },
};

static void one_slot_of_a_change(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(slot_cases); i++) {
		const uint8_t bytes[] = { 0x50, slot_cases[i].states };
		const uint8_t *at = bytes;
		size_t left = sizeof bytes;
		bool present = !slot_cases[i].present, changed = !slot_cases[i].changed;
		struct ccid_event event;

		CHECK(slot_cases[i].name, ccid_next_event(&at, &left, 4, &event));
		CHECK(slot_cases[i].name, ccid_event_slot(&event, slot_cases[i].slot, &present, &changed));
		CHECK_INT(slot_cases[i].name, present, slot_cases[i].present);
		CHECK_INT(slot_cases[i].name, changed, slot_cases[i].changed);
	}
	check_done();
}

/* A reader may send fewer state bytes than its slots need: what is there may be used, nothing beyond it. */
static void shortened_bitmaps_stay_inside(void **state)
{
	(void)state;
	for (size_t len = 1; len <= 66; len++) {
		uint8_t *bytes = exact_copy((const uint8_t[66]){ 0x50 }, len);
		const uint8_t *at = bytes;
		size_t left = len;
		struct ccid_event event;
		bool present, changed;

		if (ccid_next_event(&at, &left, 256, &event))
			for (unsigned slot = 0; slot < 300; slot++)
				if (ccid_event_slot(&event, slot, &present, &changed))
					CHECK("inside", slot / 4 + 1 < len && slot < 256);
		CHECK("inside", at == bytes + (len - left));
		free(bytes);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_split_into_fields),
		cmocka_unit_test(truncation_at_every_length),
		cmocka_unit_test(several_events_in_one_transfer),
		cmocka_unit_test(hardware_error_fields),
		cmocka_unit_test(bitmap_of_256_slots),
		cmocka_unit_test(one_slot_of_a_change),
		cmocka_unit_test(shortened_bitmaps_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
