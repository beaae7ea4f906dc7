/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated reader: messages in, messages out, and what it holds against the host. */
#include "check.h"

#include "reader.h"

enum { STEPS_MAX = 8 };

/* What a row changes of the default reader, an SCR3310: TPDU level, 5 V only, automatic PPS and parameters. */
enum {
	TPDU_AUTO = 0x000100BA,
	TPDU_MANUAL = 0x00010030, /* no automatic voltage, parameters or PPS */
	APDU = 0x000200BA,
	NEGOTIATES = 0x0001005A,
};

struct step {
	const char *out, *in; /* in: "" = no answer */
};

struct row {
	const char *name;
	uint32_t features;
	const char *atr;     /* NULL: the default one; "": no card */
	unsigned violations; /* at the end */
	struct step steps[STEPS_MAX];
};

#define STATUS_0                                               \
	{                                                      \
		"65000000000000000000", "81000000000000010001" \
	}
#define ON                                                    \
	{                                                     \
		"62000000000001000000", "8009000000000100000" \
					"03B6500004F43494431" \
	}
#define ON_5V                                                 \
	{                                                     \
		"62000000000001010000", "8009000000000100000" \
					"03B6500004F43494431" \
	}
#define ON_TA1                                                \
	{                                                     \
		"62000000000001000000", "8003000000000100000" \
					"03B1094"             \
	}
#define ON_TA1_5V                                             \
	{                                                     \
		"62000000000001010000", "8003000000000100000" \
					"03B1094"             \
	}
#define SELECT "00A4000C00"

static const struct row rows[] = {
	{ "6.1.3 inactive card", TPDU_AUTO, NULL, 0, { STATUS_0 } },
	{ "6.1.3 empty slot", TPDU_AUTO, "", 0, { { "65000000000000000000", "81000000000000020001" } } },
	{ "6.1.1 ATR", TPDU_AUTO, NULL, 0, { ON } },
	{ "6.1.1 empty slot", TPDU_AUTO, "", 0, { { "62000000000001000000", "8000000000000142FE00" } } },
	{ "6.1.1 automatic voltage without the feature",
	  TPDU_MANUAL,
	  NULL,
	  1,
	  { { "62000000000001000000", "80000000000001410700" } } },
	{ "6.1.1 a voltage that the reader lacks",
	  TPDU_MANUAL,
	  NULL,
	  1,
	  { { "62000000000001030000", "80000000000001410700" } } },
	{ "6.1.2 then inactive",
	  TPDU_AUTO,
	  NULL,
	  0,
	  { ON, { "63000000000002000000", "81000000000002010001" } } },
	{ "6.1.4 TPDU",
	  TPDU_AUTO,
	  NULL,
	  0,
	  { ON,
	    { "6F050000000002000000" SELECT, "80020000000002000000"
					     "9000" } } },
	{ "6.1.4 unpowered",
	  TPDU_AUTO,
	  NULL,
	  0,
	  { { "6F050000000002000000" SELECT, "8000000000000241FE00" } } },
	{ "6.1.4 four bytes are a header without P3",
	  TPDU_AUTO,
	  NULL,
	  0,
	  { ON,
	    { "6F04000000000200000000A4000C", "80020000000002000000"
					      "9000" } } },
	{ "6.1.4 Le after command data",
	  TPDU_AUTO,
	  NULL,
	  1,
	  { ON, { "6F08000000000200000000A40000023F0000", "80000000000002400100" } } },
	{ "6.1.4 wLevelParameter",
	  TPDU_AUTO,
	  NULL,
	  1,
	  { ON, { "6F050000000002000100" SELECT, "80000000000002400800" } } },
	{ "6.1.4 6Cxx is for the host",
	  TPDU_AUTO,
	  NULL,
	  0,
	  { ON,
	    { "6F05000000000200000080120000"
	      "00",
	      "80020000000002000000"
	      "6C06" } } },
	{ "dwLength above what came",
	  TPDU_AUTO,
	  NULL,
	  1,
	  { ON, { "6F060000000002000000" SELECT, "80000000000002400100" } } },
	{ "no such slot", TPDU_AUTO, NULL, 1, { { "65000000000105000000", "81000000000105420500" } } },
	{ "RFU byte", TPDU_AUTO, NULL, 1, { { "65000000000000000001", "81000000000000410900" } } },
	{ "no such command", TPDU_AUTO, NULL, 1, { { "60000000000000000000", "81000000000000410000" } } },
	{ "6.1.8 no vendor commands",
	  TPDU_AUTO,
	  NULL,
	  0,
	  { { "6B0100000000000000006A", "83000000000000410000" } } },
	{ "6.1.7 automatic PPS",
	  TPDU_AUTO,
	  "3B1094",
	  0,
	  { ON_TA1,
	    { "61050000000002000000"
	      "940000"
	      "0A00",
	      "82050000000002000000"
	      "940000"
	      "0A00" },
	    { "6F050000000003000000" SELECT, "80020000000003000000"
					     "9000" } } },
	{ "no SetParameters, no PPS: the default speed",
	  TPDU_AUTO,
	  "3B1094",
	  0,
	  { ON_TA1,
	    { "6F050000000003000000" SELECT, "80020000000003000000"
					     "9000" } } },
	{ "Fi/Di that the card does not offer",
	  TPDU_AUTO,
	  "3B1094",
	  0,
	  { ON_TA1,
	    { "61050000000002000000"
	      "950000"
	      "0A00",
	      "82000000000002400A00" } } },
	{ "Fi/Di beyond dwMaxDataRate",
	  TPDU_AUTO,
	  "3B1097",
	  1,
	  { { "62000000000001000000", "80030000000001000000"
				      "3B1097" },
	    { "61050000000002000000"
	      "970000"
	      "0A00",
	      "82000000000002400A00" } } },
	{ "a reserved Fi",
	  TPDU_AUTO,
	  "3B1094",
	  1,
	  { ON_TA1,
	    { "61050000000002000000"
	      "710000"
	      "0A00",
	      "82000000000002400A00" } } },
	{ "6.1.7 T=1 bits with T=0",
	  TPDU_AUTO,
	  NULL,
	  1,
	  { ON,
	    { "61050000000002000000"
	      "111000"
	      "0A00",
	      "82000000000002400B00" } } },
	{ "6.1.7 length",
	  TPDU_AUTO,
	  NULL,
	  1,
	  { ON,
	    { "61040000000002000000"
	      "110000"
	      "0A",
	      "82000000000002400100" } } },
	{ "6.1.7 a protocol that the card lacks",
	  TPDU_AUTO,
	  NULL,
	  1,
	  { ON,
	    { "61070000000002010000"
	      "1110004D002000",
	      "82000000000002400700" } } },
	{ "6.1.5",
	  TPDU_AUTO,
	  NULL,
	  0,
	  { ON,
	    { "6C000000000002000000", "82050000000002000000"
				      "110000"
				      "0A00" } } },
	{ "PPS by the host where the reader does it",
	  TPDU_AUTO,
	  "3B1094",
	  1,
	  { ON_TA1,
	    { "6F040000000002000000"
	      "FF10947B",
	      "80000000000002400A00" } } },
	{ "PPS by the host",
	  TPDU_MANUAL,
	  "3B1094",
	  0,
	  { ON_TA1_5V,
	    { "6F040000000002000000"
	      "FF10947B",
	      "80040000000002000000"
	      "FF10947B" },
	    { "61050000000003000000"
	      "940000"
	      "0A00",
	      "82050000000003000000"
	      "940000"
	      "0A00" },
	    { "6F050000000004000000" SELECT, "80020000000004000000"
					     "9000" } } },
	{ "parameters that the card does not know of: mute",
	  TPDU_MANUAL,
	  "3B1094",
	  0,
	  { ON_TA1_5V,
	    { "61050000000003000000"
	      "940000"
	      "0A00",
	      "82050000000003000000"
	      "940000"
	      "0A00" },
	    { "6F050000000004000000" SELECT, "8000000000000440FE00" } } },
	{ "PPS without parameters: mute",
	  TPDU_MANUAL,
	  "3B1094",
	  0,
	  { ON_TA1_5V,
	    { "6F040000000002000000"
	      "FF10947B",
	      "80040000000002000000"
	      "FF10947B" },
	    { "6F050000000004000000" SELECT, "8000000000000440FE00" } } },
	{ "the reader negotiates by itself",
	  NEGOTIATES,
	  "3B1094",
	  0,
	  { ON_TA1,
	    { "6C000000000002000000", "82050000000002000000"
				      "940000"
				      "0A00" },
	    { "6F050000000004000000" SELECT, "80020000000004000000"
					     "9000" } } },
	{ "short APDU, case 4: GET RESPONSE by the reader",
	  APDU,
	  NULL,
	  0,
	  { ON,
	    { "6F080000000002000000"
	      "8010000002ABCD00",
	      "80080000000002000000"
	      "ABCD000000019000" } } },
	{ "short APDU, case 4: no more than Ne",
	  APDU,
	  NULL,
	  0,
	  { ON,
	    { "6F080000000002000000"
	      "8010000002ABCD02",
	      "80040000000002000000"
	      "ABCD6104" } } },
	{ "short APDU, case 2: 6Cxx by the reader",
	  APDU,
	  NULL,
	  0,
	  { ON,
	    { "6F050000000002000000"
	      "8012AABB00",
	      "80080000000002000000"
	      "AABB000000019000" } } },
	{ "short APDU, case 3: 61xx stays",
	  APDU,
	  NULL,
	  0,
	  { ON,
	    { "6F070000000002000000"
	      "8010000002ABCD",
	      "80020000000002000000"
	      "6106" } } },
	{ "short APDU: Lc does not fit",
	  APDU,
	  NULL,
	  1,
	  { ON,
	    { "6F070000000002000000"
	      "8010000003ABCD",
	      "80000000000002400100" } } },
	{ "4.3 time extensions for NULL bytes",
	  TPDU_AUTO,
	  NULL,
	  0,
	  { ON,
	    { "6F050000000002000000"
	      "8014020006",
	      "80000000000002800100" },
	    { NULL, "80000000000002800100" },
	    { NULL, "80080000000002000000"
		    "0200000000019000" } } },
	{ "one command per slot",
	  TPDU_AUTO,
	  NULL,
	  1,
	  { ON,
	    { "6F050000000002000000"
	      "8014010106",
	      "80000000000002800100" },
	    { "65000000000003000000", "81000000000003"
				      "40E000" } } },
};

static size_t bytes_of(const char *hex, uint8_t *out, size_t cap)
{
	size_t len = 0;
	unsigned value;

	for (; hex[0] && hex[1] && len < cap && sscanf(hex, "%2x", &value) == 1; hex += 2)
		out[len++] = (uint8_t)value;
	return len;
}

static struct sim_reader *make_reader(uint32_t features, const char *atr_text)
{
	struct sim_identity id;
	struct sim_reader *r;
	uint8_t atr[SIM_ATR_MAX];
	size_t len = atr_text ? bytes_of(atr_text, atr, sizeof atr) : 0;

	sim_identity_default(&id);
	for (unsigned i = 0; i < 4; i++)
		id.descriptor[40 + i] = (uint8_t)(features >> 8 * i);
	r = sim_reader_new(&id);
	assert_non_null(r);
	if (!atr_text || len)
		sim_reader_insert(r, 0, sim_card_t0_new(len ? atr : NULL, len, SIM_5V), 0);
	return r;
}

static size_t fetch(struct sim_reader *r, uint8_t *got, size_t cap, uint64_t now)
{
	size_t len = 0;

	return sim_reader_bulk_in(r, got, cap, &len, now) == SIM_DONE ? len : 0;
}

static void run_row(const struct row *row)
{
	struct sim_reader *r = make_reader(row->features, row->atr);
	uint8_t out[64], want[64], got[300];

	for (size_t i = 0; i < STEPS_MAX && row->steps[i].in; i++) {
		const struct step *step = &row->steps[i];

		if (step->out)
			CHECK_INT(row->name,
				  sim_reader_bulk_out(r, out, bytes_of(step->out, out, sizeof out), 0),
				  SIM_DONE);
		CHECK_BYTES(row->name, got, fetch(r, got, sizeof got, 0), want,
			    bytes_of(step->in, want, sizeof want));
	}
	CHECK_INT(row->name, sim_reader_stats(r)->violations, row->violations);
	sim_reader_free(r);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		run_row(&rows[i]);
	check_done();
}

static void say(struct sim_reader *r, const char *hex, uint64_t now)
{
	uint8_t out[64];

	assert_int_equal(sim_reader_bulk_out(r, out, bytes_of(hex, out, sizeof out), now), SIM_DONE);
}

static void expect(struct sim_reader *r, const char *name, const char *hex, uint64_t now)
{
	uint8_t want[64], got[300];

	CHECK_BYTES(name, got, fetch(r, got, sizeof got, now), want, bytes_of(hex, want, sizeof want));
}

static void power(struct sim_reader *r)
{
	uint8_t got[64];

	say(r, "62000000000001000000", 0);
	assert_int_equal(fetch(r, got, sizeof got, 0), 19);
}

static void test_delay(void **state)
{
	struct sim_reader *r = make_reader(TPDU_AUTO, NULL);

	(void)state;
	power(r);
	say(r, "6F0500000000020000008014010A06", 1000);
	expect(r, "extension at once", "80000000000002800100", 1000);
	expect(r, "nothing yet", "", 1099);
	CHECK_INT("when", sim_reader_next(r, 1000), 1100);
	expect(r, "then the answer", "80080000000002000000010A000000019000", 1100);
	CHECK_INT("nothing waits", sim_reader_next(r, 1100) == SIM_NEVER, 1);
	sim_reader_free(r);
	check_done();
}

static void test_removal_in_command(void **state)
{
	struct sim_reader *r = make_reader(TPDU_AUTO, NULL);

	(void)state;
	power(r);
	say(r, "6F0500000000020000008014016406", 1000);
	expect(r, "extension", "80000000000002800100", 1000);
	CHECK_INT("removed", sim_reader_remove(r, 0, 1001), 0);
	expect(r, "the command fails, no card", "8000000000000242FE00", 1001);
	expect(r, "and nothing else comes", "", 9999);
	CHECK_INT("no card", sim_reader_remove(r, 0, 1001), -1);
	sim_reader_free(r);
	check_done();
}

static enum sim_io control(struct sim_reader *r, const char *setup_hex, uint64_t now)
{
	uint8_t setup[8], data[64];
	size_t len;

	bytes_of(setup_hex, setup, sizeof setup);
	len = setup[6];
	return sim_reader_control(r, setup, data, &len, now);
}

/* 5.3.1 */
static void test_abort(void **state)
{
	struct sim_reader *r = make_reader(TPDU_AUTO, NULL);

	(void)state;
	power(r);
	say(r, "6F0500000000020000008014016406", 1000);
	expect(r, "extension", "80000000000002800100", 1000);
	CHECK_INT("ABORT", control(r, "2101000300000000", 1001), SIM_DONE);
	expect(r, "the command in progress", "8000000000000240FF00", 1001);
	say(r, "65000000000004000000", 1001);
	expect(r, "until the other half came", "8100000000000440FF00", 1001);
	say(r, "72000000000003000000", 1001);
	expect(r, "both halves", "81000000000003000000", 1001);
	say(r, "65000000000005000000", 1002);
	expect(r, "works again", "81000000000005000000", 1002);
	sim_reader_refuse_abort(r, true);
	CHECK_INT("refused", control(r, "2101000300000000", 1003), SIM_STALL);
	CHECK_INT("violations", sim_reader_stats(r)->violations, 0);
	sim_reader_free(r);
	check_done();
}

static void test_abort_bulk_first(void **state)
{
	struct sim_reader *r = make_reader(TPDU_AUTO, NULL);

	(void)state;
	say(r, "72000000000009000000", 0);
	expect(r, "the first half alone", "", 0);
	CHECK_INT("ABORT", control(r, "2101000900000000", 0), SIM_DONE);
	expect(r, "both halves", "81000000000009010000", 0);
	sim_reader_free(r);
	check_done();
}

static void test_interrupt(void **state)
{
	struct sim_reader *r = make_reader(TPDU_AUTO, NULL);
	uint8_t buf[SIM_INTERRUPT_MAX];
	size_t len = 0;

	(void)state;
	CHECK_INT("inserted", sim_reader_interrupt(r, buf, &len), SIM_DONE);
	CHECK_BYTES("inserted", buf, len, "\x50\x03", 2);
	CHECK_INT("nothing new", sim_reader_interrupt(r, buf, &len), SIM_NAK);
	sim_reader_remove(r, 0, 0);
	CHECK_INT("removed", sim_reader_interrupt(r, buf, &len), SIM_DONE);
	CHECK_BYTES("removed", buf, len, "\x50\x02", 2);
	sim_reader_free(r);
	check_done();
}

/* A message in packets of 64: 10 + 118 bytes fill two of them, so an empty third may follow. */
static void test_packets(void **state)
{
	struct sim_reader *r = make_reader(TPDU_AUTO, NULL);
	uint8_t message[128] = { 0x6F, 118, 0, 0, 0, 0, 2, 0, 0, 0, 0x80, 0x16, 0, 0, 113 };

	(void)state;
	power(r);
	CHECK_INT("first packet", sim_reader_bulk_out(r, message, 64, 0), SIM_DONE);
	expect(r, "half a message", "", 0);
	CHECK_INT("second packet", sim_reader_bulk_out(r, message + 64, 64, 0), SIM_DONE);
	expect(r, "complete by its length", "800200000000020000009000", 0);
	CHECK_INT("empty packet", sim_reader_bulk_out(r, message, 0, 0), SIM_DONE);
	expect(r, "is no message", "", 0);
	CHECK_INT("violations", sim_reader_stats(r)->violations, 0);
	CHECK_INT("cut short", sim_reader_bulk_out(r, message, 100, 0), SIM_DONE);
	expect(r, "a short packet ends it", "80000000000002400100", 0);
	CHECK_INT("violations", sim_reader_stats(r)->violations, 1);
	sim_reader_free(r);
	check_done();
}

static void test_faults(void **state)
{
	static const struct sim_fault fail = {
		.error = 0xFD, .type = 0x6F, .ins = 0x12, .count = 1, .after = 1
	};
	static const struct sim_fault silent = {
		.kind = SIM_FAULT_SILENT, .type = 0x65, .ins = -1, .count = 1
	};
	static const struct sim_fault stall = { .kind = SIM_FAULT_STALL, .type = -1, .ins = -1, .count = 1 };
	struct sim_reader *r = make_reader(TPDU_AUTO, NULL);
	uint8_t status[10] = { 0x65 };

	(void)state;
	power(r);
	sim_reader_fault(r, &fail);
	say(r, "6F0500000000020000008012000006", 0);
	expect(r, "after 1", "800800000000020000000000000000019000", 0);
	say(r, "6F05000000000300000000A4000C00", 0);
	expect(r, "another INS", "800200000000030000009000", 0);
	say(r, "6F0500000000040000008012000006", 0);
	expect(r, "fails", "8000000000000440FD00", 0);
	say(r, "6F0500000000050000008012000006", 0);
	expect(r, "once, and the card did not see it", "800800000000050000000000000000029000", 0);
	sim_reader_fault(r, &silent);
	say(r, "65000000000006000000", 0);
	expect(r, "silent", "", 0);
	say(r, "65000000000007000000", 0);
	expect(r, "once", "81000000000007000000", 0);
	sim_reader_fault(r, &stall);
	CHECK_INT("stall", sim_reader_bulk_out(r, status, sizeof status, 0), SIM_STALL);
	CHECK_INT("halted", sim_reader_bulk_out(r, status, sizeof status, 0), SIM_STALL);
	sim_reader_clear_halt(r, false);
	CHECK_INT("cleared", sim_reader_bulk_out(r, status, sizeof status, 0), SIM_DONE);
	sim_reader_free(r);
	check_done();
}

/* Whatever the host sends: no crash, and the answers keep their form. */
static void test_noise(void **state)
{
	struct sim_reader *r = make_reader(TPDU_AUTO, NULL);
	uint32_t random = 1;
	uint8_t out[96], got[600];

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		size_t len = check_random(&random) % sizeof out, have;

		for (size_t n = 0; n < len; n++)
			out[n] = (uint8_t)check_random(&random);
		if (len > 9 && i % 2) { /* half of them nearly right */
			out[0] = (uint8_t)(0x61 + out[0] % 0x13);
			memset(out + 1, 0, 9);
			out[1] = (uint8_t)(len - 10);
		}
		sim_reader_bulk_out(r, out, len, i);
		have = fetch(r, got, sizeof got, i);
		if (have)
			CHECK_INT("dwLength", 10u + got[1] + 256u * got[2], have);
		if (i % 64 == 0)
			sim_reader_bus_reset(r);
	}
	sim_reader_free(r);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_delay),
		cmocka_unit_test(test_removal_in_command),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_abort_bulk_first),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
