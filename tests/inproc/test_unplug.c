/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reader is pulled, or closed, in the middle of every call: all threads that are inside are set free at once. How long that takes is
 * measured; the best of several tries counts, as the machine may be busy with something else.
 */
#include "ifd_bench.h"

enum {
	PROMPT_MS = 100,
	TRIES = 8,
	THREADS = 3, /* one is inside, the others wait for it or are told that the reader is closed */
	SLOTS = 4,
	FOREVER = 1000,
	POWER_ON = 0x62,
	POWER_OFF = 0x63,
	SLOT_STATUS = 0x65,
	SET_PARAMETERS = 0x61,
	XFR_BLOCK = 0x6F,
	ESCAPE = 0x6B,
	POLL_MS = 60000,
};

/* ---- the calls --------------------------------------------------------------------------------------------------- */

static RESPONSECODE power_up(DWORD lun)
{
	return power_at(lun, IFD_POWER_UP);
}

static RESPONSECODE power_down(DWORD lun)
{
	return power_at(lun, IFD_POWER_DOWN);
}

static RESPONSECODE set_protocol(DWORD lun)
{
	return IFDHSetProtocolParameters(lun, SCARD_PROTOCOL_T0, 0, 0, 0, 0);
}

/* A card that works for a minute, and says so again and again. */
static RESPONSECODE slow_command(DWORD lun)
{
	static const uint8_t minute[] = { 0x80, 0x14, 60, 100, 6 };
	uint8_t rx[258];
	DWORD len = sizeof rx;
	const RESPONSECODE code = transmit_at(lun, minute, sizeof minute, rx, &len);

	return len ? -2 : code;
}

static RESPONSECODE command(DWORD lun)
{
	uint8_t rx[258];
	DWORD len = sizeof rx;
	const RESPONSECODE code = transmit_at(lun, sink, sizeof sink, rx, &len);

	return len ? -2 : code;
}

static RESPONSECODE pin_entry(DWORD lun)
{
	static const uint8_t verify[] = { 30,   0, 0x82, 0x04, 0x00, 8,    4,    0x02, 1,    0x09, 0x04,
					  0,    0, 0,    0,    0x0D, 0,    0,    0,    0x00, 0x20, 0,
					  0x01, 8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
	uint8_t tx[sizeof verify], rx[2];
	DWORD len;

	memcpy(tx, verify, sizeof tx);
	return IFDHControl(lun, 0x42330006, tx, sizeof tx, rx, sizeof rx, &len);
}

static RESPONSECODE escape(DWORD lun)
{
	uint8_t tx[] = { 0x12 }, rx[64];
	DWORD len;

	return IFDHControl(lun, SCARD_CTL_CODE(1), tx, sizeof tx, rx, sizeof rx, &len);
}

static RESPONSECODE presence(DWORD lun)
{
	return IFDHICCPresence(lun);
}

static RESPONSECODE wait_for_event(DWORD lun)
{
	const wait_function wait = wait_of(lun);

	return wait ? wait(lun, POLL_MS) : IFD_COMMUNICATION_ERROR;
}

static RESPONSECODE open_it(DWORD lun)
{
	return IFDHCreateChannelByName(lun, good_name);
}

static RESPONSECODE close_it(DWORD lun)
{
	return IFDHCloseChannel(lun);
}

/* ---- what is set up for them ------------------------------------------------------------------------------------- */

static void silent_card(void)
{
	inproc_remove(device);
	inproc_insert_mute(device);
}

static bool listened(void)
{
	return inproc_listened(device);
}

static bool awaited(void)
{
	return inproc_awaited(device);
}

static bool paused(void)
{
	return inproc_paused(device);
}

static bool asks(void)
{
	return inproc_asks(device);
}

static const struct situation {
	const char *name;
	RESPONSECODE (*run)(DWORD lun);
	int silent;            /* commands of this type get no answer; 0: all do */
	void (*prepare)(void); /* may be NULL */
	bool (*inside)(void);
	RESPONSECODE want; /* when the reader is pulled */
	bool alone;        /* pcscd never makes this call twice at a time */
} situations[] = {
	{ "power up", power_up, POWER_ON, NULL, awaited, IFD_NO_SUCH_DEVICE, false },
	{ "power up, between two voltages", power_up, 0, silent_card, paused, IFD_NO_SUCH_DEVICE, false },
	{ "power down", power_down, POWER_OFF, NULL, awaited, IFD_NO_SUCH_DEVICE, false },
	{ "protocol", set_protocol, SET_PARAMETERS, NULL, awaited, IFD_NO_SUCH_DEVICE, false },
	{ "a slow card", slow_command, 0, NULL, awaited, IFD_NO_SUCH_DEVICE, false },
	{ "no answer", command, XFR_BLOCK, NULL, awaited, IFD_NO_SUCH_DEVICE, false },
	{ "escape", escape, ESCAPE, NULL, awaited, IFD_NO_SUCH_DEVICE, false },
	{ "presence", presence, SLOT_STATUS, NULL, awaited, IFD_ICC_NOT_PRESENT, false },
	{ "events", wait_for_event, 0, NULL, listened, IFD_SUCCESS, true },
};

static const struct situation entry = { "a PIN", pin_entry, 0, NULL, asks, IFD_NO_SUCH_DEVICE, false };
static const struct situation slots = { "slots", slow_command, 0, NULL, awaited, IFD_NO_SUCH_DEVICE, true };

/* ---- how it ends ------------------------------------------------------------------------------------------------- */

static RESPONSECODE pulled(void)
{
	inproc_unplug(device);
	return IFD_SUCCESS;
}

/* pcscd has seen it go. */
static RESPONSECODE told(void)
{
	return IFDHSetCapabilities(LUN, TAG_IFD_DEVICE_REMOVED, 0, NULL);
}

static RESPONSECODE closed(void)
{
	return IFDHCloseChannel(LUN);
}

static const struct ending {
	const char *name;
	RESPONSECODE (*act)(void);
} endings[] = { { "pulled", pulled }, { "told", told }, { "closed", closed } };

/* All Luns at once, as none of them may wait for another one. */
static RESPONSECODE all_closed(void)
{
	struct calling c[SLOTS];
	RESPONSECODE code = IFD_SUCCESS;

	for (unsigned i = 0; i < SLOTS; i++)
		begin_calling(&c[i], LUN + i, close_it);
	for (unsigned i = 0; i < SLOTS; i++) {
		end_calling(&c[i]);
		code = c[i].code == IFD_SUCCESS ? code : c[i].code;
	}
	return code;
}

static const struct ending slot_endings[] = { { "pulled", pulled },
					      { "told", told },
					      { "closed", all_closed } };

/* ---- one try ----------------------------------------------------------------------------------------------------- */

static void await(bool (*inside)(void))
{
	while (!inside())
		nap();
}

/* The events that are there already are nothing to wait for. */
static void quieten(void)
{
	const wait_function wait = wait_of(LUN);

	while (wait && wait(LUN, 1) == IFD_SUCCESS && IFDHICCPresence(LUN) != IFD_ICC_PRESENT)
		nap();
	while (wait && wait(LUN, 1) == IFD_SUCCESS && inproc_listened(device))
		nap();
}

static uint64_t last_end(struct calling *c, unsigned count, uint64_t end)
{
	for (unsigned i = 0; i < count; i++) {
		end_calling(&c[i]);
		end = c[i].ended > end ? c[i].ended : end;
	}
	return end;
}

/* How long until everybody was out. */
static uint64_t try_once(const struct situation *s, const struct ending *e)
{
	const unsigned threads = s->alone ? 1 : THREADS;
	struct calling c[THREADS];
	char row[80];
	uint64_t from, end;

	snprintf(row, sizeof row, "%s, %s", s->name, e->name);
	if (s->run == wait_for_event)
		quieten();
	if (s->prepare)
		s->prepare();
	inproc_silence(device, s->silent, s->silent ? FOREVER : 0);
	begin_calling(&c[0], LUN, s->run);
	await(s->inside);
	for (unsigned i = 1; i < threads; i++)
		begin_calling(&c[i], LUN, s->run);
	nap();
	from = clock_ms();
	CHECK_INT(row, e->act(), IFD_SUCCESS);
	/* As pcscd does, which then takes the reader away; until then its event thread is kept. */
	if (s->run == wait_for_event && e->act != closed)
		stop_of(LUN)(LUN);
	end = last_end(c, threads, clock_ms());
	/* What is closed may end as if it was stopped. */
	if (e->act != closed)
		CHECK_INT(row, c[0].code, s->want);
	else
		CHECK(row, s->run == wait_for_event || c[0].code != IFD_SUCCESS);
	for (unsigned i = 1; i < threads; i++)
		CHECK(row,
		      c[i].code == s->want || (e->act == closed && c[i].code == IFD_COMMUNICATION_ERROR));
	return end - from;
}

/* Another one is put in. */
static void put_back(const char *row)
{
	IFDHCloseChannel(LUN);
	inproc_remove(device);
	inproc_plug(device);
	inproc_insert(device);
	CHECK_INT(row, IFDHCreateChannelByName(LUN, good_name), IFD_SUCCESS);
	CHECK_INT(row, power(IFD_POWER_UP), IFD_SUCCESS);
	check_works(row);
}

static void check_best(const char *name, const char *how, uint64_t best)
{
	char row[80];

	snprintf(row, sizeof row, "%s, %s: milliseconds", name, how);
	if (best >= PROMPT_MS)
		CHECK_INT(row, best, PROMPT_MS);
}

static void check_situation(const struct situation *s)
{
	for (size_t i = 0; i < COUNT(endings); i++) {
		uint64_t best = UINT64_MAX;

		for (unsigned n = 0; n < TRIES && best >= PROMPT_MS; n++) {
			const uint64_t took = try_once(s, &endings[i]);

			best = took < best ? took : best;
			put_back(s->name);
		}
		check_best(s->name, endings[i].name, best);
	}
}

static void in_every_call(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(situations); i++)
		check_situation(&situations[i]);
	check_done();
}

static void in_a_pin_entry(void **state)
{
	(void)state;
	check_situation(&entry);
	check_done();
}

/* ---- while it is opened and closed ------------------------------------------------------------------------------- */

static uint64_t pull_in(RESPONSECODE (*run)(DWORD lun), bool (*inside)(void), RESPONSECODE want,
			const char *row)
{
	struct calling c;
	uint64_t from;

	begin_calling(&c, LUN, run);
	await(inside);
	from = clock_ms();
	inproc_unplug(device);
	end_calling(&c);
	CHECK_INT(row, c.code, want);
	return c.ended - from;
}

static void check_opening(const char *row, int silent, const char *quirk, bool (*inside)(void))
{
	uint64_t best = UINT64_MAX;

	for (unsigned n = 0; n < TRIES && best >= PROMPT_MS; n++) {
		uint64_t took;

		IFDHCloseChannel(LUN);
		inproc_plug(device);
		inproc_silence(device, silent, silent ? FOREVER : 0);
		if (quirk)
			setenv("OPENCCID_QUIRKS", quirk, 1);
		took = pull_in(open_it, inside, IFD_NO_SUCH_DEVICE, row);
		unsetenv("OPENCCID_QUIRKS");
		best = took < best ? took : best;
		CHECK(row, !inproc_is_open(device));
		inproc_plug(device);
		put_back(row);
	}
	check_best(row, "pulled", best);
}

static void while_it_is_opened(void **state)
{
	(void)state;
	check_opening("no answer", SLOT_STATUS, NULL, awaited);
	check_opening("it needs a moment", 0, "04e6:5116:open-pause=2000", paused);
	check_done();
}

static void while_it_is_closed(void **state)
{
	uint64_t best = UINT64_MAX;

	(void)state;
	for (unsigned n = 0; n < TRIES && best >= PROMPT_MS; n++) {
		uint64_t took;

		inproc_silence(device, POWER_OFF, FOREVER);
		took = pull_in(close_it, awaited, IFD_SUCCESS, "closing");
		best = took < best ? took : best;
		CHECK("closed", !inproc_is_open(device));
		put_back("closing");
	}
	check_best("closing", "pulled", best);
	check_done();
}

/* ---- several slots ----------------------------------------------------------------------------------------------- */

/* Where they work at the same time, each is inside; where not, one of them is. */
static uint64_t try_slots(const struct ending *e)
{
	struct calling c[SLOTS];
	uint64_t from, end;

	for (unsigned i = 0; i < SLOTS; i++)
		begin_calling(&c[i], LUN + i, slots.run);
	await(slots.inside);
	for (unsigned i = 0; i < 10; i++)
		nap();
	from = clock_ms();
	CHECK_INT(e->name, e->act(), IFD_SUCCESS);
	end = last_end(c, SLOTS, clock_ms());
	for (unsigned i = 0; i < SLOTS; i++)
		CHECK(e->name, c[i].code == slots.want || e->act == all_closed);
	for (unsigned i = 0; i < SLOTS; i++)
		IFDHCloseChannel(LUN + SLOTS - 1 - i);
	CHECK(e->name, !inproc_is_open(device));
	return end - from;
}

static void check_slots(unsigned busy)
{
	for (size_t i = 0; i < COUNT(slot_endings); i++) {
		uint64_t best = UINT64_MAX;

		for (unsigned n = 0; n < TRIES && best >= PROMPT_MS; n++) {
			uint64_t took;

			assert_int_equal(plug_in_slots(SLOTS, busy), 0);
			took = try_slots(&slot_endings[i]);
			best = took < best ? took : best;
			assert_int_equal(unplug(NULL), 0);
		}
		check_best(busy > 1 ? "all slots" : "one slot at a time", slot_endings[i].name, best);
	}
}

static void in_every_slot(void **state)
{
	(void)state;
	check_slots(SLOTS);
	check_slots(2);
	check_slots(1);
	check_done();
}

/* ---- setups ------------------------------------------------------------------------------------------------------ */

static int with_escape(void **state)
{
	setenv("OPENCCID_QUIRKS", "04e6:5116:escape=allow", 1);
	return with_card(state);
}

static int without_escape(void **state)
{
	unsetenv("OPENCCID_QUIRKS");
	return unplug(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_every_call, with_escape, without_escape),
		WITH(with_pinpad, in_a_pin_entry),
		WITH(with_card, while_it_is_opened),
		WITH(with_card, while_it_is_closed),
		cmocka_unit_test(in_every_slot),
	};

	return cmocka_run_group_tests(tests, log_to_test, NULL);
}
