/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The captures that the driver writes: their bytes, their files, and what of the traffic is in them. */
#include "slot_bench.h"
#include "tap/record.h"
#include "tap/store.h"
#include "tap/tap.h"

#include "ccid/redact.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DATA_MAX = 16384 };

static char folder[] = "/tmp/openccid-tap-XXXXXX";

static void path_of(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", folder, name);
}

/* What was read last */
static uint8_t bytes[DATA_MAX];

static size_t read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		return 0;
	len = fread(bytes, 1, DATA_MAX, file);
	fclose(file);
	return len;
}

/* ---- records ------------------------------------------------------------------------------------------------------- */

/* GetSlotStatus to a reader at bus 1, device 9 */
static void a_record_is_what_usbmon_writes(void **state)
{
	static const uint8_t message[] = { 0x65, 0, 0, 0, 0, 0, 5, 0, 0, 0 };
	static const uint8_t usbmon[] = { 0x53, 0x03, 0x02, 0x09 };
	const struct record record = { .id = 7,
				       .us = 3000001,
				       .type = RECORD_SUBMIT,
				       .transfer = RECORD_BULK,
				       .endpoint = 2,
				       .device = 9,
				       .bus = 1,
				       .length = sizeof message,
				       .data = message,
				       .len = sizeof message,
				       .shown = 6 };
	uint8_t out[RECORD_HEAD + sizeof message];
	uint32_t words[4];
	int32_t status;

	(void)state;
	CHECK_INT("no room", record_put(out, sizeof out - 1, &record), 0);
	CHECK_INT("length", record_put(out, sizeof out, &record), sizeof out);
	memcpy(words, out, sizeof words);
	CHECK_INT("seconds", words[0], 3);
	CHECK_INT("microseconds", words[1], 1);
	CHECK_INT("captured", words[2], 64 + sizeof message);
	CHECK("type, transfer, endpoint, device", memcmp(out + 16 + 8, usbmon, sizeof usbmon) == 0);
	CHECK_INT("no setup", out[16 + 14], '-');
	CHECK_INT("data", out[16 + 15], 0);
	memcpy(&status, out + 16 + 28, sizeof status);
	CHECK_INT("in progress", status, -115);
	CHECK("shown", memcmp(out + RECORD_HEAD, message, 6) == 0);
	CHECK("hidden", memcmp(out + RECORD_HEAD + 6, "****", 4) == 0);
	check_done();
}

/* ---- files --------------------------------------------------------------------------------------------------------- */

static void whose_file_it_is(void **state)
{
	struct script_log log;
	struct store_file a, b;
	char path[128], link[128], other[128];
	struct stat st;
	FILE *file;

	(void)state;
	script_log_begin(&log);
	path_of("a", path);
	path_of("link", link);
	path_of("other", other);
	CHECK_INT("new", store_file_open(&a, path, &log.log), 0);
	CHECK_INT("and for another reader", store_file_open(&b, path, &log.log), 0);
	store_file_add(&a, (const uint8_t *)"one", 3);
	store_file_add(&b, (const uint8_t *)"two", 3);
	store_file_close(&a);
	store_file_close(&b);
	CHECK_INT("one head, then both", read_file(path), RECORD_FILE_HEAD + 6);
	CHECK("head", record_is_file_head(bytes));
	CHECK("in order", memcmp(bytes + RECORD_FILE_HEAD, "onetwo", 6) == 0);
	CHECK("the owner's", stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	CHECK_INT("link", symlink(path, link), 0);
	CHECK_INT("not through a link", store_file_open(&a, link, &log.log), ELOOP);
	CHECK_INT("not a folder", store_file_open(&a, folder, &log.log), EISDIR);
	file = fopen(other, "we");
	assert_non_null(file);
	fputs("the letters of somebody who wants to keep them", file);
	fclose(file);
	CHECK_INT("not what is none", store_file_open(&a, other, &log.log), EEXIST);
	CHECK_INT("untouched", read_file(other), 46);
	check_done();
}

static void a_ring_keeps_the_last_ones(void **state)
{
	enum { SIZE = 1000, COUNT_ALL = 2000 };
	struct store_ring *ring = store_ring_new();
	struct script_log log;
	struct store_file file;
	uint8_t record[SIZE] = { 0 };
	unsigned kept, first = 0;
	char path[128];
	FILE *in;

	(void)state;
	script_log_begin(&log);
	assert_non_null(ring);
	for (unsigned i = 0; i < COUNT_ALL; i++) {
		memcpy(record, &i, sizeof i);
		store_ring_add(ring, record, sizeof record);
	}
	path_of("ring", path);
	CHECK_INT("open", store_file_open(&file, path, &log.log), 0);
	store_ring_empty(ring, &file);
	store_ring_empty(ring, &file);
	store_file_close(&file);
	store_ring_free(ring);
	in = fopen(path, "re");
	assert_non_null(in);
	fseek(in, RECORD_FILE_HEAD, SEEK_SET);
	for (kept = 0; fread(bytes, 1, SIZE, in) == SIZE; kept++) {
		unsigned i;

		memcpy(&i, bytes, sizeof i);
		first = kept ? first : i;
		CHECK_INT("in order", i, first + kept);
	}
	fclose(in);
	CHECK_INT("up to the last", first + kept, COUNT_ALL);
	CHECK("many of them", kept >= STORE_RING / SIZE / 2 - 1);
	check_done();
}

/* ---- the tap ------------------------------------------------------------------------------------------------------- */

struct tapped {
	struct slot_bench b;
	char capture[128], recorder[128];
};

/* They outlive the function that begins with them. */
static const struct script_step card_steps[] = { POWER_ON(1), ATR_OF(2, 0x3B, 0x00),
						 T0_SET(0x11, 0, 0, 10, 0), END };

static void begin(struct tapped *t, bool secrets)
{
	struct tap_setup setup = { .capture = t->capture,
				   .recorder = t->recorder,
				   .secrets = secrets,
				   .levels = REDACT_LEVEL(CCID_TPDU),
				   .bus = 1,
				   .address = 2,
				   .ep_out = 0x01,
				   .ep_in = 0x82 };
	uint8_t atr[ATR_MAX];
	size_t len;

	slot_bench_begin(&t->b);
	path_of("tap", t->capture);
	path_of("last", t->recorder);
	unlink(t->capture);
	unlink(t->recorder);
	setup.log = &t->b.log.log;
	t->b.setup.transport = tap_wrap(&t->b.script.transport, &setup);
	assert_ptr_not_equal(t->b.setup.transport, &t->b.script.transport);
	slot_bench_open(&t->b, card_steps);
	assert_int_equal(slot_power_up(t->b.slot, atr, &len), OC_OK);
	assert_int_equal(slot_set_protocol(t->b.slot, CCID_PROTOCOL_T0, NULL), OC_OK);
}

static enum oc_err verify(struct tapped *t, const struct script_step *steps)
{
	static const uint8_t apdu[] = { 0x00, 0x20, 0x00, 0x81, 4, 0x77, 0x66, 0x55, 0x44 };
	uint8_t rx[258];
	size_t len = sizeof rx;

	script_continue(&t->b.script, steps);
	return slot_transmit(t->b.slot, apdu, sizeof apdu, rx, &len);
}

static bool is_in(const char *path, const uint8_t *what, size_t len)
{
	const size_t size = read_file(path);

	for (size_t i = 0; i + len <= size; i++)
		if (memcmp(bytes + i, what, len) == 0)
			return true;
	return false;
}

static void without_the_pin_unless_asked_for(void **state)
{
	static const uint8_t pin[] = { 0x81, 4, 0x77, 0x66, 0x55, 0x44 };
	static const uint8_t hidden[] = { 0x81, 4, '*', '*', '*', '*' };
	struct tapped t;

	(void)state;
	for (unsigned secrets = 0; secrets < 2; secrets++) {
		begin(&t, secrets);
		CHECK_INT("verify",
			  verify(&t, STEPS(XFR(9, 0x00, 0x20, 0x00, 0x81, 4, 0x77, 0x66, 0x55, 0x44),
					   BLOCK(2, 0x90, 0x00))),
			  OC_OK);
		CHECK_INT("pin", is_in(t.capture, pin, sizeof pin), secrets);
		CHECK_INT("hidden", is_in(t.capture, hidden, sizeof hidden), !secrets);
		CHECK("nothing has failed", access(t.recorder, F_OK) != 0);
		slot_bench_end("tapped", &t.b);
	}
	check_done();
}

static void the_first_failure_empties_the_recorder(void **state)
{
	static const uint8_t hidden[] = { 0x81, 4, '*', '*', '*', '*' };
	struct tapped t;
	size_t before;

	(void)state;
	begin(&t, false);
	verify(&t, STEPS(XFR(9, 0x00, 0x20, 0x00, 0x81, 4, 0x77, 0x66, 0x55, 0x44), XFR_FAILS(0x40, 0xFB)));
	before = read_file(t.recorder);
	CHECK("what led to it", is_in(t.recorder, hidden, sizeof hidden));
	verify(&t, STEPS(XFR(9, 0x00, 0x20, 0x00, 0x81, 4, 0x77, 0x66, 0x55, 0x44), XFR_FAILS(0x40, 0xFB)));
	CHECK_INT("the first one only", read_file(t.recorder), before);
	slot_bench_end("recorder", &t.b);
	check_done();
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	static const char *const names[] = { "a", "link", "other", "ring", "tap", "last" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		path_of(names[i], path);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_what_usbmon_writes),
		cmocka_unit_test(whose_file_it_is),
		cmocka_unit_test(a_ring_keeps_the_last_ones),
		cmocka_unit_test(without_the_pin_unless_asked_for),
		cmocka_unit_test(the_first_failure_empties_the_recorder),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
