/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who hears of a card that lost its power unasked, and when: pcscd's event thread, or a client that is about to reset it. */
#include "slot_bench.h"

#include <pthread.h>

#define READ_2 0x00, 0xB0, 0x00, 0x00, 0x02
#define UP     POWER_ON(1), ATR_OF(2, 0x3B, 0x00), T0_SET(0x11, 0, 0, 0x0A, 0)

/*
 * Calls of the watcher: w waits, p is told that there is a card, - that there is none. Calls of another thread: P and _, the same;
 * e is told that the slot is empty; t sends a command whose answer is that the card has no power, r resets it. x: it loses its power; +: a second passes.
 */
static const struct {
	const char *name, *calls;
} loss_rows[] = {
	{ "a client that resets the card at once puts everything right", "wptPr+pwp" },
	{ "without a reset it is on show for a second, and then absent until that is heard", "wptpwp+w--wp" },
	{ "told where pcscd forgets it, and told again", "wpt+-w+p" },
	{ "a client that comes too late hears no better than pcscd", "wpt+-_w_pP" },
	{ "the watcher sees it by itself: absent at once", "wpx-wp" },
	{ "a client sees it, and resets", "wpxPr+wp" },
	{ "a client sees it, and does not", "wpxP+-wp" },
	{ "a client finds the slot empty, and it is filled before the watcher looks", "wpe+-wp" },
	{ "lost again after a reset", "wptPrptw+-wp" },
};

static enum oc_err restart(struct slot *slot)
{
	uint8_t atr[ATR_MAX];
	size_t len;
	const enum oc_err err = slot_power_up(slot, atr, &len);

	return err == OC_OK ? slot_set_protocol(slot, CCID_PROTOCOL_T0, NULL) : err;
}

static enum oc_err read_2(struct slot *slot)
{
	uint8_t rx[258];
	size_t len = sizeof rx;

	return slot_transmit(slot, BYTES(READ_2), rx, &len);
}

struct elsewhere {
	struct slot *slot;
	char what;
	bool present;
	enum oc_err err;
};

static void *call_elsewhere(void *arg)
{
	struct elsewhere *call = arg;

	if (call->what == 't')
		call->err = read_2(call->slot);
	else if (call->what == 'r')
		call->err = restart(call->slot);
	else
		call->err = slot_presence(call->slot, &call->present);
	return NULL;
}

static struct elsewhere from_elsewhere(struct slot *slot, char what)
{
	struct elsewhere call = { .slot = slot, .what = what };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, call_elsewhere, &call), 0);
	pthread_join(thread, NULL);
	return call;
}

static const struct script_step fails[] = { XFR(5, READ_2), XFR_FAILS(0x41, 0xFE), END },
				starts[] = { UP, END }, active[] = { STATUS_ASKED, STATUS_IS(0x00), END },
				empty[] = { STATUS_ASKED, STATUS_IS(0x02), END },
				inactive[] = { STATUS_ASKED, STATUS_IS(0x01), END };

static void ask(const char *name, struct slot_bench *b, char what, bool powered)
{
	bool present = false;

	script_continue(&b->script, powered ? active : inactive);
	if (what == 'P' || what == '_')
		present = from_elsewhere(b->slot, what).present;
	else
		CHECK_INT(name, slot_presence(b->slot, &present), OC_OK);
	CHECK_INT(name, present, what == 'p' || what == 'P');
}

static void one_call(const char *name, struct slot_bench *b, char what, bool powered)
{
	struct transport *t = &b->script.transport;

	switch (what) {
	case 't':
		script_continue(&b->script, fails);
		CHECK_INT(name, from_elsewhere(b->slot, what).err, OC_E_MUTE);
		break;
	case 'r':
		script_continue(&b->script, starts);
		CHECK_INT(name, from_elsewhere(b->slot, what).err, OC_OK);
		break;
	case 'w': CHECK_INT(name, slot_wait_event(b->slot, 0), OC_OK); break;
	case '+': t->ops->pause(t, 1000); break;
	case 'e':
		script_continue(&b->script, empty);
		CHECK(name, !from_elsewhere(b->slot, what).present);
		break;
	case 'x': break;
	default: ask(name, b, what, powered);
	}
}

/*
 * The card must not be reported as removed while pcscd is about to take the reader away; but if it does not, the slot is empty in
 * the end.
 */
static void who_hears_of_a_lost_reader(void **state)
{
	const struct script_step unplugged[] = { STATUS_ASKED, UNPLUG, END };
	struct slot_bench b;
	bool present = false;

	(void)state;
	slot_bench_begin(&b);
	slot_bench_open(&b, script_nothing);
	ask("there", &b, 'p', true);
	CHECK_INT("waits", slot_wait_event(b.slot, 0), OC_OK);
	/* Asked where pcscd draws no conclusion */
	script_continue(&b.script, empty);
	CHECK_INT("empty", slot_presence(b.slot, &present), OC_OK);
	CHECK("empty", !present);
	script_continue(&b.script, unplugged);
	CHECK_INT("the watcher asks", slot_presence(b.slot, &present), OC_E_GONE);
	CHECK("hears what it knows", present);
	CHECK_INT("a client asks", from_elsewhere(b.slot, 'P').err, OC_E_GONE);
	CHECK("hears that there is none", !from_elsewhere(b.slot, 'P').present);
	CHECK_INT("the watcher waits", slot_wait_event(b.slot, 10000), OC_E_GONE);
	slot_stop_wait(b.slot);
	CHECK("is stopped", slot_await_stop(b.slot, 10000));
	CHECK_INT("asks", slot_presence(b.slot, &present), OC_E_GONE);
	CHECK("still there", present);
	CHECK("is not stopped", !slot_await_stop(b.slot, 10));
	CHECK_INT("asks again", slot_presence(b.slot, &present), OC_E_GONE);
	CHECK("empty", !present);
	slot_bench_end("gone", &b);
	check_done();
}

static void who_hears_of_a_lost_card(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(loss_rows); i++) {
		struct slot_bench b;
		bool powered = true;

		slot_bench_begin(&b);
		slot_bench_open(&b, STEPS(UP, XFR(5, READ_2), BLOCK(4, 1, 2, 0x90, 0)));
		CHECK_INT(loss_rows[i].name, restart(b.slot), OC_OK);
		CHECK_INT(loss_rows[i].name, read_2(b.slot), OC_OK);
		for (const char *at = loss_rows[i].calls; *at; at++) {
			char name[128];

			snprintf(name, sizeof name, "%s (call %zu of %s)", loss_rows[i].name,
				 (size_t)(at - loss_rows[i].calls) + 1, loss_rows[i].calls);
			one_call(name, &b, *at, powered);
			powered = *at == 'r' || (powered && *at != 't' && *at != 'e' && *at != 'x');
		}
		script_continue(&b.script, script_nothing);
		slot_bench_end(loss_rows[i].name, &b);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_hears_of_a_lost_card),
		cmocka_unit_test(who_hears_of_a_lost_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
