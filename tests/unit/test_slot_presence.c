/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening a reader, and who is in its slots: by asking, and by sleeping until the reader speaks. */
#include "slot_bench.h"

#include <time.h>

#define ABORT_CONTROL(code) CONTROL(code, 0x21, 0x01, 0, 0)
#define ABORT_SENT          SENDS(0x72, 0, 0, 0, 0, 0, 0, 0, 0, 0)

/* ---- open ----------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum ccid_level level;
	const struct script_step *steps;
	enum oc_err err;
} open_rows[] = {
	{ "a card is in", CCID_TPDU, STEPS(STATUS_ASKED, STATUS_IS(0x01)), OC_OK },
	{ "a card is active", CCID_TPDU, STEPS(STATUS_ASKED, STATUS_IS(0x00)), OC_OK },
	{ "empty", CCID_TPDU, STEPS(STATUS_ASKED, STATUS_IS(0x02)), OC_OK },
	{ "empty, told as a failure", CCID_TPDU,
	  STEPS(STATUS_ASKED, GIVES(0x81, 0, 0, 0, 0, 0, 0, 0x42, 0xFE, 0)), OC_OK },
	{ "busy with its start: it is there", CCID_TPDU,
	  STEPS(STATUS_ASKED, GIVES(0x81, 0, 0, 0, 0, 0, 0, 0x41, 0xE0, 0)), OC_OK },
	{ "an old answer is still in the pipe", CCID_TPDU,
	  STEPS(STATUS_ASKED, GIVES(0x80, 0, 0, 0, 0, 0, 0x77, 0, 0, 0), STATUS_IS(0x01)), OC_OK },
	{ "silent, brought to order, asked again", CCID_TPDU,
	  STEPS(STATUS_ASKED, ABORT_CONTROL(OC_OK), ABORT_SENT, STATUS_IS(0x01), STATUS_ASKED,
		STATUS_IS(0x01)),
	  OC_OK },
	{ "silent for ever", CCID_TPDU,
	  STEPS(STATUS_ASKED, ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_OK), STATUS_ASKED), OC_E_TIMEOUT },
	{ "gone", CCID_TPDU, STEPS(STATUS_ASKED, UNPLUG), OC_E_GONE },
	{ "gone at once", CCID_TPDU, STEPS(UNPLUG), OC_E_GONE },
	{ "character level", CCID_CHARACTER, STEPS(STATUS_ASKED, STATUS_IS(0x01)), OC_OK },
	{ "extended APDU level", CCID_EXTENDED_APDU, STEPS(STATUS_ASKED, STATUS_IS(0x01)), OC_OK },
};

static void opening(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(open_rows); i++) {
		const char *name = open_rows[i].name;
		struct slot_bench b;

		slot_bench_begin(&b);
		b.script.step = open_rows[i].steps;
		b.setup.caps.level = open_rows[i].level;
		CHECK_INT(name, reader_open(&b.setup, &b.reader), open_rows[i].err);
		CHECK(name, b.script.clock < 10000);
		if (open_rows[i].err == OC_OK) {
			CHECK(name, reader_slot(b.reader, 0) && !reader_slot(b.reader, 1));
			slot_bench_end(name, &b);
			continue;
		}
		CHECK(name, !b.script.closed); /* the transport stays the caller's */
		SCRIPT_END(name, &b.script);
	}
	check_done();
}

static void slots_of_a_reader(void **state)
{
	struct slot_bench b;

	(void)state;
	slot_bench_begin(&b);
	b.setup.caps.slots = 5;
	slot_bench_open(&b, script_nothing);
	for (unsigned n = 0; n < 5; n++)
		for (unsigned m = 0; m < n; m++)
			CHECK("slots differ", reader_slot(b.reader, n) &&
						      reader_slot(b.reader, n) != reader_slot(b.reader, m));
	CHECK("no sixth", !reader_slot(b.reader, 5));
	CHECK("no last", !reader_slot(b.reader, ~0u));
	CHECK_INT("caps", reader_caps(b.reader)->slots, 5);
	slot_bench_end("five slots", &b);
	check_done();
}

/* ---- presence by asking ------------------------------------------------------------------------------------------- */

/* bmICCStatus of one GetSlotStatus after the other, with and without a card that was powered; p present, - absent. */
static const struct {
	const char *name;
	bool powered;
	const uint8_t *status;
	size_t count;
	const char *want;
} presence_rows[] = {
	{ "empty", false, BYTES(2, 2), "--" },
	{ "put in", false, BYTES(2, 1, 1), "-pp" },
	{ "pulled out", false, BYTES(1, 2, 2), "p--" },
	{ "a card that the reader activated by itself", false, BYTES(0, 0), "pp" },
	{ "powered and staying so", true, BYTES(0, 0, 0), "ppp" },
	{ "powered, pulled out", true, BYTES(0, 2, 2), "p--" },
	{ "powered, pulled and put back between two questions: absent once", true, BYTES(0, 1, 1, 1),
	  "p-pp" },
	{ "powered, pulled out, put back", true, BYTES(0, 2, 1, 1), "p-pp" },
};

static void presence_by_asking(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(presence_rows); i++) {
		const char *name = presence_rows[i].name;
		struct slot_bench b;
		uint8_t atr[ATR_MAX];
		char got[8] = "";
		size_t len;

		slot_bench_begin(&b);
		slot_bench_open(&b, presence_rows[i].powered ? STEPS(POWER_ON(1), ATR_OF(2, 0x3B, 0x00))
							     : script_nothing);
		if (presence_rows[i].powered)
			CHECK_INT(name, slot_power_up(b.slot, atr, &len), OC_OK);
		for (size_t n = 0; n < presence_rows[i].count; n++) {
			const uint8_t answer[] = { 0x81, 0, 0, 0, 0, 0, 0, presence_rows[i].status[n], 0, 0 };
			const struct script_step steps[] = {
				STATUS_ASKED,
				{ .kind = SCRIPT_IN, .bytes = answer, .len = sizeof answer },
				END
			};
			bool present = false;

			script_continue(&b.script, steps);
			CHECK_INT(name, slot_presence(b.slot, &present), OC_OK);
			got[n] = present ? 'p' : '-';
			script_continue(&b.script, script_nothing);
		}
		CHECK_STRING(name, got, presence_rows[i].want);
		slot_bench_end(name, &b);
	}
	check_done();
}

/* GetSlotStatus that fails still tells; FEh is what some readers say of an empty slot, whatever bmICCStatus is. */
static void presence_told_by_a_failure(void **state)
{
	static const struct {
		const char *name;
		uint8_t status, error;
		bool present;
	} rows[] = {
		{ "empty", 0x42, 0xFE, false },
		{ "FE, card inactive", 0x41, 0xFE, false },
		{ "FE, card active", 0x40, 0xFE, false },
		{ "FE without a failure means nothing", 0x01, 0xFE, true },
		{ "busy", 0x41, 0xE0, true },
		{ "another error", 0x41, 0xFB, true },
		{ "another error, empty", 0x42, 0xFB, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const uint8_t answer[] = { 0x81, 0, 0, 0, 0, 0, 0, rows[i].status, rows[i].error, 0 };
		const struct script_step steps[] = {
			STATUS_ASKED, { .kind = SCRIPT_IN, .bytes = answer, .len = sizeof answer }, END
		};
		bool present = !rows[i].present;
		struct slot_bench b;

		slot_bench_begin(&b);
		slot_bench_open(&b, steps);
		CHECK_INT(rows[i].name, slot_presence(b.slot, &present), OC_OK);
		CHECK_INT(rows[i].name, present, rows[i].present);
		CHECK_INT(rows[i].name, b.log.count[OC_LOG_CRITICAL], 0);
		slot_bench_end(rows[i].name, &b);
	}
	check_done();
}

static void presence_of_a_reader_that_is_gone(void **state)
{
	bool present = true;
	struct slot_bench b;

	(void)state;
	slot_bench_begin(&b);
	slot_bench_open(&b, STEPS(UNPLUG));
	CHECK_INT("gone", slot_presence(b.slot, &present), OC_E_GONE);
	slot_bench_end("gone", &b);
	check_done();
}

/* ---- sleeping ------------------------------------------------------------------------------------------------------- */

struct sleeper {
	struct slot *slot;
	unsigned ms;
	enum oc_err err;
	pthread_t thread;
};

static void *sleep_in_slot(void *arg)
{
	struct sleeper *s = arg;

	s->err = slot_wait_event(s->slot, s->ms);
	return NULL;
}

static void fall_asleep(struct sleeper *s, struct slot *slot, unsigned ms)
{
	s->slot = slot;
	s->ms = ms;
	s->err = OC_E_MEMORY;
	assert_int_equal(pthread_create(&s->thread, NULL, sleep_in_slot, s), 0);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void awake(const char *name, struct sleeper *s, enum oc_err err, double since)
{
	pthread_join(s->thread, NULL);
	CHECK_INT(name, s->err, err);
	CHECK(name, seconds() - since < 2.0);
}

enum { LONG = 20000 };

static void begin_with_interrupt(struct slot_bench *b, unsigned slots)
{
	slot_bench_begin(b);
	b->setup.interrupt = true;
	b->setup.caps.slots = slots;
	slot_bench_open(b, script_nothing);
	CHECK("has events", slot_has_events(b->slot));
}

static void what_ends_a_sleep(void **state)
{
	static const struct {
		const char *name;
		enum { EVENT, TWO_EVENTS, STOP, GONE } what;
		enum oc_err err;
	} rows[] = {
		{ "card inserted", EVENT, OC_OK },
		{ "50 03 50 02", TWO_EVENTS, OC_OK },
		{ "stopped", STOP, OC_OK },
		{ "gone", GONE, OC_E_GONE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slot_bench b;
		struct sleeper s;
		double since = seconds();

		begin_with_interrupt(&b, 1);
		fall_asleep(&s, b.slot, LONG);
		CHECK(rows[i].name, script_wait_listener(&b.script));
		if (rows[i].what == EVENT)
			script_event(&b.script, BYTES(0x50, 0x03));
		else if (rows[i].what == TWO_EVENTS)
			script_event(&b.script, BYTES(0x50, 0x03, 0x50, 0x02));
		else if (rows[i].what == STOP)
			slot_stop_wait(b.slot);
		else
			reader_gone(b.reader);
		awake(rows[i].name, &s, rows[i].err, since);
		slot_bench_end(rows[i].name, &b);
	}
	check_done();
}

static void a_stop_before_the_sleep_ends_it(void **state)
{
	struct slot_bench b;
	double since = seconds();

	(void)state;
	begin_with_interrupt(&b, 1);
	slot_stop_wait(b.slot);
	CHECK_INT("the next one", slot_wait_event(b.slot, LONG), OC_OK);
	CHECK("at once", seconds() - since < 2.0);
	since = seconds();
	CHECK_INT("but not the one after", slot_wait_event(b.slot, 100), OC_OK);
	CHECK("100 ms", seconds() - since >= 0.09);
	slot_bench_end("stop first", &b);
	check_done();
}

static void a_sleep_ends_by_itself(void **state)
{
	struct slot_bench b;
	double since = seconds();

	(void)state;
	begin_with_interrupt(&b, 1);
	CHECK_INT("time passed", slot_wait_event(b.slot, 100), OC_OK);
	CHECK("not before", seconds() - since >= 0.09);
	CHECK("not long after", seconds() - since < 2.0);
	slot_bench_end("100 ms", &b);
	check_done();
}

/* One thread listens for all slots: an event wakes its own slot, the others sleep on until they are stopped. */
static void an_event_wakes_its_own_slot(void **state)
{
	(void)state;
	for (unsigned woken = 0; woken < 2; woken++) {
		const uint8_t event[] = { 0x50, woken ? 0x0C : 0x03 };
		struct slot_bench b;
		struct sleeper s[2];
		double since = seconds();

		begin_with_interrupt(&b, 2);
		fall_asleep(&s[0], reader_slot(b.reader, 0), LONG);
		CHECK("listener", script_wait_listener(&b.script));
		fall_asleep(&s[1], reader_slot(b.reader, 1), LONG);
		nanosleep(&(const struct timespec){ .tv_nsec = 50000000 }, NULL);
		script_event(&b.script, event, sizeof event);
		awake("its own slot", &s[woken], OC_OK, since);
		/* Somebody still listens for the other slot. */
		CHECK("listener", script_wait_listener(&b.script));
		slot_stop_wait(reader_slot(b.reader, 1 - woken));
		awake("the other slot", &s[1 - woken], OC_OK, since);
		slot_bench_end("two slots", &b);
	}
	check_done();
}

/* To stop the slot whose thread listens for all must hand the listening on. */
static void stopping_the_listener(void **state)
{
	struct slot_bench b;
	struct sleeper s[2];
	double since = seconds();

	(void)state;
	begin_with_interrupt(&b, 2);
	fall_asleep(&s[0], reader_slot(b.reader, 0), LONG);
	CHECK("listener", script_wait_listener(&b.script));
	fall_asleep(&s[1], reader_slot(b.reader, 1), LONG);
	nanosleep(&(const struct timespec){ .tv_nsec = 50000000 }, NULL);
	slot_stop_wait(reader_slot(b.reader, 0));
	awake("the listener", &s[0], OC_OK, since);
	CHECK("handed on", script_wait_listener(&b.script));
	script_event(&b.script, BYTES(0x50, 0x0C));
	awake("the other slot", &s[1], OC_OK, since);
	slot_bench_end("handed on", &b);
	check_done();
}

static void gone_wakes_everybody(void **state)
{
	struct slot_bench b;
	struct sleeper s[3];
	double since = seconds();

	(void)state;
	begin_with_interrupt(&b, 3);
	for (unsigned n = 0; n < 3; n++)
		fall_asleep(&s[n], reader_slot(b.reader, n), LONG);
	CHECK("listener", script_wait_listener(&b.script));
	reader_gone(b.reader);
	for (unsigned n = 0; n < 3; n++)
		awake("everybody", &s[n], OC_E_GONE, since);
	CHECK_INT("later", slot_wait_event(b.slot, LONG), OC_E_GONE);
	slot_bench_end("gone", &b);
	check_done();
}

/* The endpoint fails while the device is still there: pcscd has to ask, as of a reader that has none. */
static void a_broken_endpoint(void **state)
{
	struct slot_bench b;
	double since = seconds();

	(void)state;
	begin_with_interrupt(&b, 1);
	b.script.event_err = OC_E_IO;
	CHECK_INT("broken", slot_wait_event(b.slot, LONG), OC_OK);
	CHECK_INT("still broken", slot_wait_event(b.slot, LONG), OC_OK);
	CHECK("after a moment each", seconds() - since >= 0.7 && seconds() - since < 3.0);
	slot_bench_end("broken", &b);
	check_done();
}

static void a_hardware_error_wakes_its_slot(void **state)
{
	struct slot_bench b;
	struct sleeper s;
	double since = seconds();

	(void)state;
	begin_with_interrupt(&b, 2);
	fall_asleep(&s, reader_slot(b.reader, 1), LONG);
	CHECK("listener", script_wait_listener(&b.script));
	script_event(&b.script, BYTES(0x51, 0x01, 0x07, 0x01));
	awake("slot 1", &s, OC_OK, since);
	CHECK_INT("a person is told", b.log.count[OC_LOG_CRITICAL], 1);
	slot_bench_end("hardware error", &b);
	check_done();
}

/* What happens in one slot is no event in another, however often. */
static void events_of_a_neighbour(void **state)
{
	static const uint8_t events[][2] = { { 0x50, 0x03 }, { 0x50, 0x02 }, { 0x50, 0x03 }, { 0x50, 0x02 } };
	struct slot_bench b;
	struct sleeper s;
	double since = seconds();

	(void)state;
	begin_with_interrupt(&b, 2);
	fall_asleep(&s, reader_slot(b.reader, 1), LONG);
	for (size_t i = 0; i < COUNT(events); i++) {
		CHECK("still asleep", script_wait_listener(&b.script));
		script_event(&b.script, events[i], 2);
		nanosleep(&(const struct timespec){ .tv_nsec = 30000000 }, NULL);
	}
	CHECK("still asleep", script_wait_listener(&b.script));
	slot_stop_wait(reader_slot(b.reader, 1));
	awake("stopped", &s, OC_OK, since);
	slot_bench_end("neighbour", &b);
	check_done();
}

/* A reader that activates cards by itself shows the new card as active: only the event tells of the swap. */
static void a_card_swapped_between_two_questions(void **state)
{
	const struct script_step steps[] = {
		POWER_ON(1),  ATR_OF(2, 0x3B, 0x00), STATUS_ASKED, STATUS_IS(0x00),
		STATUS_ASKED, STATUS_IS(0x00),       STATUS_ASKED, STATUS_IS(0x00),
		STATUS_ASKED, STATUS_IS(0x00),       END,
	};
	static const char *const when[] = { "before", "swapped: absent", "absent until it waits", "after" };
	uint8_t atr[ATR_MAX];
	size_t len;
	struct slot_bench b;

	(void)state;
	slot_bench_begin(&b);
	b.setup.interrupt = true;
	b.setup.caps.features |= CCID_AUTO_ACTIVATE;
	slot_bench_open(&b, steps);
	CHECK_INT("power", slot_power_up(b.slot, atr, &len), OC_OK);
	for (unsigned n = 0; n < COUNT(when); n++) {
		const bool absent = n == 1 || n == 2;
		bool present = absent;

		if (n == 1) {
			script_event(&b.script, BYTES(0x50, 0x02, 0x50, 0x03));
			CHECK_INT(when[n], slot_wait_event(b.slot, LONG), OC_OK);
		}
		if (n == 3)
			CHECK_INT(when[n], slot_wait_event(b.slot, LONG), OC_OK);
		CHECK_INT(when[n], slot_presence(b.slot, &present), OC_OK);
		CHECK_INT(when[n], present, !absent);
	}
	slot_bench_end("swapped", &b);
	check_done();
}

/* Messages that are none, or speak of slots that are not there: no crash, and the sleep goes on. */
static void noise_on_the_interrupt_endpoint(void **state)
{
	static const uint8_t noise[][4] = {
		{ 0, 0, 0, 0 }, { 0x51, 0xFF, 0, 1 }, { 0x52, 3, 0x50, 3 }, { 0xFF, 0xFF, 0xFF, 0xFF }
	};
	struct slot_bench b;
	struct sleeper s;
	double since = seconds();

	(void)state;
	begin_with_interrupt(&b, 1);
	fall_asleep(&s, b.slot, LONG);
	for (size_t i = 0; i < COUNT(noise); i++) {
		CHECK("listener", script_wait_listener(&b.script));
		script_event(&b.script, noise[i], 4);
		nanosleep(&(const struct timespec){ .tv_nsec = 30000000 }, NULL);
	}
	CHECK("still asleep", script_wait_listener(&b.script));
	slot_stop_wait(b.slot);
	awake("stopped", &s, OC_OK, since);
	slot_bench_end("noise", &b);
	check_done();
}

static void without_an_interrupt_endpoint(void **state)
{
	struct slot_bench b;
	struct sleeper s;
	double since = seconds();

	(void)state;
	slot_bench_begin(&b);
	slot_bench_open(&b, script_nothing);
	CHECK("no events", !slot_has_events(b.slot));
	CHECK_INT("time to ask", slot_wait_event(b.slot, LONG), OC_OK);
	CHECK("after a moment", seconds() - since >= 0.35 && seconds() - since < 2.0);
	fall_asleep(&s, b.slot, LONG);
	slot_stop_wait(b.slot);
	awake("stopped", &s, OC_OK, since);
	slot_bench_end("polled", &b);
	check_done();
}

/* While one thread sleeps, another one may use the card. */
static void commands_beside_a_sleeper(void **state)
{
	const struct script_step steps[] = { POWER_ON(1), ATR_OF(2, 0x3B, 0x00), END };
	struct slot_bench b;
	struct sleeper s;
	uint8_t atr[ATR_MAX];
	size_t len;
	double since = seconds();

	(void)state;
	begin_with_interrupt(&b, 1);
	fall_asleep(&s, b.slot, LONG);
	CHECK("listener", script_wait_listener(&b.script));
	script_continue(&b.script, steps);
	CHECK_INT("power", slot_power_up(b.slot, atr, &len), OC_OK);
	CHECK("at once", seconds() - since < 2.0);
	slot_stop_wait(b.slot);
	awake("stopped", &s, OC_OK, since);
	slot_bench_end("beside", &b);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening),
		cmocka_unit_test(slots_of_a_reader),
		cmocka_unit_test(presence_by_asking),
		cmocka_unit_test(presence_told_by_a_failure),
		cmocka_unit_test(presence_of_a_reader_that_is_gone),
		cmocka_unit_test(what_ends_a_sleep),
		cmocka_unit_test(a_stop_before_the_sleep_ends_it),
		cmocka_unit_test(a_sleep_ends_by_itself),
		cmocka_unit_test(an_event_wakes_its_own_slot),
		cmocka_unit_test(stopping_the_listener),
		cmocka_unit_test(gone_wakes_everybody),
		cmocka_unit_test(a_broken_endpoint),
		cmocka_unit_test(a_hardware_error_wakes_its_slot),
		cmocka_unit_test(events_of_a_neighbour),
		cmocka_unit_test(a_card_swapped_between_two_questions),
		cmocka_unit_test(noise_on_the_interrupt_endpoint),
		cmocka_unit_test(without_an_interrupt_endpoint),
		cmocka_unit_test(commands_beside_a_sleeper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
