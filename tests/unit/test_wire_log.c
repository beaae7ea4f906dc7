/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log of the messages: payloads without the secrets in them, unless somebody has asked for them. */
#include "slot_bench.h"

#define UP           POWER_ON(1), ATR_OF(2, 0x3B, 0x00), T0_SET(0x11, 0, 0, 0x0A, 0)
#define VERIFY       0x00, 0x20, 0x00, 0x81, 0x04, 0x31, 0x32, 0x33, 0x34
#define VERIFY_LINE  "-> PC_to_RDR_XfrBlock slot 0 seq 03 [00 00 00] 9 bytes: 00 20 00 81 04 "
#define ANSWER_LINE  "<- RDR_to_PC_DataBlock slot 0 seq 03 [00 00 00] 2 bytes: 90 00"
#define STATUS_LINE  "<- RDR_to_PC_SlotStatus slot 0 seq 04 [00 00 00] 0 bytes"
#define ESCAPE       0x01, 0x02
#define ESCAPE_LINE  "-> PC_to_RDR_Escape slot 0 seq 05 [00 00 00] 2 bytes: "
#define ESCAPED_LINE "<- RDR_to_PC_Escape slot 0 seq 05 [00 00 00] 2 bytes: "

enum { LINES = 16, LINE = 512 };

/* The lines at COMM and PERIODIC */
struct lines {
	unsigned count;
	char text[LINES][LINE];
};

static void take_line(void *arg, enum oc_log_level level, const char *line)
{
	struct lines *lines = arg;

	if (level == OC_LOG_CRITICAL || level == OC_LOG_INFO || strncmp(line, "slot ", 5) == 0)
		return;
	assert_true(lines->count < LINES);
	snprintf(lines->text[lines->count++], LINE, "%s", line);
}

static const struct row {
	const char *name;
	unsigned mask;
	bool secrets;
	const char *const *want; /* behind those of the opening */
} rows[] = {
	{ "all", 15, false,
	  (const char *const[]){ VERIFY_LINE "** ** ** **", ANSWER_LINE,
				 "-> PC_to_RDR_GetSlotStatus slot 0 seq 04 [00 00 00] 0 bytes", STATUS_LINE,
				 ESCAPE_LINE "** **", ESCAPED_LINE "** **", NULL } },
	{ "all, with secrets", 15, true,
	  (const char *const[]){ VERIFY_LINE "31 32 33 34", ANSWER_LINE,
				 "-> PC_to_RDR_GetSlotStatus slot 0 seq 04 [00 00 00] 0 bytes", STATUS_LINE,
				 ESCAPE_LINE "01 02", ESCAPED_LINE "03 04", NULL } },
	{ "what is periodic is left out, and still counts", OC_LOG_COMM, false,
	  (const char *const[]){ VERIFY_LINE "** ** ** **", ANSWER_LINE, ESCAPE_LINE "** **",
				 ESCAPED_LINE "** **", NULL } },
	{ "only what is periodic", OC_LOG_PERIODIC, false,
	  (const char *const[]){ "-> PC_to_RDR_GetSlotStatus slot 0 seq 04 [00 00 00] 0 bytes", STATUS_LINE,
				 NULL } },
	{ "neither", OC_LOG_CRITICAL | OC_LOG_INFO, true, (const char *const[]){ NULL } },
};

static void a_session(const struct row *row, struct lines *lines)
{
	static const uint8_t verify[] = { VERIFY }, escape[] = { ESCAPE };
	uint8_t atr[ATR_MAX], rx[258];
	size_t atr_len, len = sizeof rx;
	struct slot_bench b;
	bool present;

	slot_bench_begin(&b);
	b.log.log = (struct oc_log){
		.mask = row->mask, .secrets = row->secrets, .write = take_line, .arg = lines
	};
	slot_bench_open(&b, STEPS(UP));
	CHECK_INT(row->name, slot_power_up(b.slot, atr, &atr_len), OC_OK);
	CHECK_INT(row->name, slot_set_protocol(b.slot, CCID_PROTOCOL_T0, NULL), OC_OK);
	script_continue(&b.script, STEPS(XFR(9, VERIFY), BLOCK(2, 0x90, 0), STATUS_ASKED, STATUS_IS(0x00),
					 SENDS(0x6B, 2, 0, 0, 0, 0, 0, 0, 0, 0, ESCAPE),
					 GIVES(0x83, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x03, 0x04)));
	lines->count = 0;
	CHECK_INT(row->name, slot_transmit(b.slot, verify, sizeof verify, rx, &len), OC_OK);
	CHECK_INT(row->name, slot_presence(b.slot, &present), OC_OK);
	len = sizeof rx;
	CHECK_INT(row->name, slot_escape(b.slot, escape, sizeof escape, rx, &len), OC_OK);
	b.log.log.mask = 0;
	slot_bench_end(row->name, &b);
}

static void lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static struct lines got;
		unsigned n = 0;

		a_session(&rows[i], &got);
		for (; n < got.count && rows[i].want[n]; n++)
			CHECK_STRING(rows[i].name, got.text[n], rows[i].want[n]);
		CHECK_INT(rows[i].name, got.count, n);
		CHECK(rows[i].name, rows[i].want[n] == NULL);
	}
	check_done();
}

/* Lines are finished, also of the longest message: nothing is cut by the end of the line. */
static void long_messages(void **state)
{
	static const uint8_t apdu[4 + 3 + 2000] = { 0x00, 0xB0, 0, 0, 0, 2000 >> 8, 2000 & 0xFF };
	uint8_t atr[ATR_MAX], rx[258];
	struct script_step sent[] = { SENDS(0x6F, 0xD7, 7, 0, 0, 0, 0, 0, 0, 0), BLOCK(2, 0x90, 0), END };
	static uint8_t message[10 + sizeof apdu] = { 0x6F, 0xD7, 7 };
	size_t atr_len, len = sizeof rx;
	static struct lines got;
	struct slot_bench b;

	(void)state;
	memcpy(message + 10, apdu, sizeof apdu);
	sent[0].bytes = message;
	sent[0].len = sizeof message;
	slot_bench_begin(&b);
	b.setup.caps.level = CCID_EXTENDED_APDU;
	b.setup.caps.features = 0x000400B0;
	b.setup.caps.max_message = 65544;
	b.log.log = (struct oc_log){ .mask = 15, .write = take_line, .arg = &got };
	got.count = 0;
	slot_bench_open(&b, STEPS(UP));
	CHECK_INT("up", slot_power_up(b.slot, atr, &atr_len), OC_OK);
	CHECK_INT("T=0", slot_set_protocol(b.slot, CCID_PROTOCOL_T0, NULL), OC_OK);
	script_continue(&b.script, sent);
	got.count = 0;
	CHECK_INT("2007 bytes", slot_transmit(b.slot, apdu, sizeof apdu, rx, &len), OC_OK);
	CHECK("the middle is left out", strstr(got.text[0], " 2007 bytes: 00 B0 00 00 00 07 D0 00 ") != NULL);
	CHECK("the count", strstr(got.text[0], " 00 .. (1919 bytes) .. 00 ") != NULL);
	CHECK("whole",
	      strlen(got.text[0]) < 400 && strcmp(got.text[0] + strlen(got.text[0]) - 3, " 00") == 0);
	slot_bench_end("long", &b);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lines), cmocka_unit_test(long_messages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
