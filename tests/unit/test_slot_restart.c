/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device that has started afresh behind the driver's back: whoever was at work with its card hears of it, and it works again. */
#include "slot_bench.h"

#define CONTACT      STATUS_ASKED, STATUS_IS(0x01)
#define ESCAPE_SENDS SENDS(0x6B, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x1F, 0x02)
#define ESCAPE_GIVES GIVES(0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0)

/* They outlive the function that begins with them. */
static const struct script_step power_up_steps[] = { POWER_ON(1), ATR_OF(2, 0x3B, 0x00), END };

static void begin_with_card(struct slot_bench *b, unsigned slots)
{
	uint8_t atr[ATR_MAX];
	size_t len;

	slot_bench_begin(b);
	b->setup.caps.slots = slots;
	b->setup.interrupt = true;
	slot_bench_open(b, power_up_steps);
	assert_int_equal(slot_power_up(b->slot, atr, &len), OC_OK);
}

static enum oc_err transmit(struct slot *slot)
{
	static const uint8_t apdu[] = { 0x00, 0xA4, 0x00, 0x00 };
	uint8_t rx[258];
	size_t len = sizeof rx;

	return slot_transmit(slot, apdu, sizeof apdu, rx, &len);
}

static enum oc_err power_up(struct slot *slot)
{
	uint8_t atr[ATR_MAX];
	size_t len;

	return slot_power_up(slot, atr, &len);
}

static enum oc_err ask(struct slot *slot)
{
	bool present;
	const enum oc_err err = slot_presence(slot, &present);

	return err == OC_OK && !present ? OC_E_NO_CARD : err;
}

/* The first call after it, and the next one */
static const struct {
	const char *name;
	enum oc_err (*first)(struct slot *slot);
	const struct script_step *steps;
	enum oc_err err;
	enum oc_err (*next)(struct slot *slot);
	const struct script_step *next_steps;
	enum oc_err next_err;
} rows[] = {
	{ "a command is not sent to a card that has forgotten all before", transmit, STEPS(CONTACT),
	  OC_E_UNPOWERED, ask, STEPS(STATUS_ASKED, STATUS_IS(0x01)), OC_E_NO_CARD },
	{ "the card is reported absent", ask, STEPS(CONTACT, STATUS_ASKED, STATUS_IS(0x01)), OC_E_NO_CARD,
	  ask, STEPS(STATUS_ASKED, STATUS_IS(0x01)), OC_OK },
	{ "also where the reader has powered it by itself", ask,
	  STEPS(STATUS_ASKED, STATUS_IS(0x00), STATUS_ASKED, STATUS_IS(0x00)), OC_E_NO_CARD, ask,
	  STEPS(STATUS_ASKED, STATUS_IS(0x00)), OC_OK },
	{ "powering it works at once", power_up, STEPS(CONTACT, POWER_ON(1), ATR_OF(2, 0x3B, 0x00)), OC_OK,
	  ask, STEPS(STATUS_ASKED, STATUS_IS(0x00)), OC_OK },
	{ "it was pulled meanwhile", ask, STEPS(STATUS_ASKED, STATUS_IS(0x02), STATUS_ASKED, STATUS_IS(0x02)),
	  OC_E_NO_CARD, ask, STEPS(STATUS_ASKED, STATUS_IS(0x01)), OC_OK },
	{ "the reader is gone", ask, STEPS(STATUS_ASKED, UNPLUG), OC_E_GONE, ask, script_nothing, OC_E_GONE },
};

static void the_first_call_after_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slot_bench b;

		begin_with_card(&b, 1);
		script_continue(&b.script, rows[i].steps);
		b.script.restarts++;
		CHECK_INT(rows[i].name, rows[i].first(b.slot), rows[i].err);
		script_continue(&b.script, rows[i].next_steps);
		CHECK_INT(rows[i].name, rows[i].next(b.slot), rows[i].next_err);
		slot_bench_end(rows[i].name, &b);
	}
	check_done();
}

static void what_was_told_at_open_is_told_again(void **state)
{
	static const struct ccid_bytes escape = { .at = { 0x1F, 0x02 }, .len = 2 };
	struct slot_bench b;

	(void)state;
	slot_bench_begin(&b);
	b.setup.caps.open_escape = escape;
	slot_bench_open(&b, STEPS(CONTACT, ESCAPE_SENDS, ESCAPE_GIVES, STATUS_ASKED, STATUS_IS(0x01)));
	b.script.restarts++;
	CHECK_INT("escape", ask(b.slot), OC_OK);
	slot_bench_end("escape", &b);
	check_done();
}

static void all_slots_lose_their_cards(void **state)
{
	struct slot_bench b;
	struct slot *other;

	(void)state;
	begin_with_card(&b, 2);
	other = reader_slot(b.reader, 1);
	script_continue(&b.script, STEPS(SENDS(0x62, 0, 0, 0, 0, 1, 0, 1, 0, 0),
					 GIVES(0x80, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0x3B, 0x00)));
	CHECK_INT("power", power_up(other), OC_OK);
	script_continue(&b.script, STEPS(CONTACT));
	b.script.restarts++;
	CHECK_INT("slot 1", transmit(other), OC_E_UNPOWERED);
	CHECK_INT("slot 0", transmit(b.slot), OC_E_UNPOWERED);
	slot_bench_end("two slots", &b);
	check_done();
}

/* Every slot is to be looked at; but a device that does nothing but start afresh is not worth listening to. */
static void the_listener_goes_on(void **state)
{
	enum { TIMES = 3 };
	struct slot_bench b;

	(void)state;
	begin_with_card(&b, 1);
	script_continue(&b.script, script_nothing);
	slot_wait_event(b.slot, 0);
	for (unsigned i = 0; i < TIMES; i++) {
		b.script.event_err = OC_E_RESTARTED;
		CHECK_INT("goes on", slot_wait_event(b.slot, 1000), OC_OK);
	}
	script_event(&b.script, BYTES(0x50, 0x02));
	CHECK_INT("an event", slot_wait_event(b.slot, 1000), OC_OK);
	for (unsigned i = 0; i < TIMES; i++) {
		b.script.event_err = OC_E_RESTARTED;
		CHECK_INT("goes on", slot_wait_event(b.slot, 1000), OC_OK);
	}
	b.script.event_err = OC_E_RESTARTED;
	slot_wait_event(b.slot, 0);
	CHECK_INT("gives up", slot_wait_event(b.slot, 1000), OC_OK);
	b.script.event_err = OC_OK;
	script_event(&b.script, BYTES(0x50, 0x03));
	slot_wait_event(b.slot, 100);
	CHECK("nobody listens", b.script.event_len);
	b.script.event_len = 0;
	slot_bench_end("listener", &b);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_call_after_it),
		cmocka_unit_test(what_was_told_at_open_is_told_again),
		cmocka_unit_test(all_slots_lose_their_cards),
		cmocka_unit_test(the_listener_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
