/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The entry points as pcscd calls them: power, protocol, commands, presence, and what ends a call of another thread. */
#include "ifd_bench.h"

enum {
	POLL_MS = 60000, /* longer than any test */
	PROMPT_MS = 100,
	SOON_MS = 500,
	GIVEN_UP_MS = 2500,
	ATTEMPTS = 3, /* a loaded machine may be late once */
};

static const uint8_t challenge[] = { 0x00, 0x84, 0, 0, 8 };
static const uint8_t slow[] = { 0x80, 0x14, 20, 25, 6 }; /* five seconds */
static UCHAR buffer[300];

/* ---- power and protocol ------------------------------------------------------------------------------------------ */

static const struct powering {
	const char *name;
	bool card;
	DWORD action;
	RESPONSECODE want;
	size_t atr_len;
} powerings[] = {
	{ "down without card", false, IFD_POWER_DOWN, IFD_SUCCESS, 0 },
	{ "up without card", false, IFD_POWER_UP, IFD_ERROR_POWER_ACTION, 0 },
	{ "reset without card", false, IFD_RESET, IFD_ERROR_POWER_ACTION, 0 },
	{ "down before up", true, IFD_POWER_DOWN, IFD_SUCCESS, 0 },
	{ "up", true, IFD_POWER_UP, IFD_SUCCESS, sizeof sim_default_atr },
	{ "up again", true, IFD_POWER_UP, IFD_SUCCESS, sizeof sim_default_atr },
	{ "reset", true, IFD_RESET, IFD_SUCCESS, sizeof sim_default_atr },
	{ "0", true, 0, IFD_NOT_SUPPORTED, 0 },
	{ "499", true, IFD_POWER_UP - 1, IFD_NOT_SUPPORTED, 0 },
	{ "503", true, IFD_RESET + 1, IFD_NOT_SUPPORTED, 0 },
	{ "the largest", true, (DWORD)-1, IFD_NOT_SUPPORTED, 0 },
	{ "down", true, IFD_POWER_DOWN, IFD_SUCCESS, 0 },
	{ "down again", true, IFD_POWER_DOWN, IFD_SUCCESS, 0 },
	{ "reset of a card that is off", true, IFD_RESET, IFD_SUCCESS, sizeof sim_default_atr },
	{ "pulled under power: down", false, IFD_POWER_DOWN, IFD_SUCCESS, 0 },
};

static void power_actions(void **state)
{
	bool card = false;

	(void)state;
	for (size_t i = 0; i < COUNT(powerings); i++) {
		const struct powering *p = &powerings[i];
		UCHAR atr[MAX_ATR_SIZE + 1];
		DWORD len = 4711; /* need not be set on entry */

		memset(atr, UNTOUCHED, sizeof atr);
		if (card != p->card)
			(p->card ? inproc_insert : inproc_remove)(device);
		card = p->card;
		CHECK_INT(p->name, IFDHPowerICC(LUN, p->action, atr, &len), p->want);
		CHECK_BYTES(p->name, atr, len, sim_default_atr, p->atr_len);
		CHECK_INT(p->name, atr[len], UNTOUCHED);
	}
	check_done();
}

static void an_empty_slot_is_told(void **state)
{
	(void)state;
	forget_log();
	CHECK_INT("no card", power(IFD_POWER_UP), IFD_ERROR_POWER_ACTION);
	check_last_line("no card", "no card in the slot");
	check_done();
}

static const struct protocol {
	const char *name;
	DWORD protocol;
	RESPONSECODE want;
} protocols[] = {
	{ "T=0", SCARD_PROTOCOL_T0, IFD_SUCCESS },
	{ "T=1, which the card has not", SCARD_PROTOCOL_T1, IFD_PROTOCOL_NOT_SUPPORTED },
	{ "both", SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, IFD_PROTOCOL_NOT_SUPPORTED },
	{ "none", 0, IFD_PROTOCOL_NOT_SUPPORTED },
	{ "RAW", SCARD_PROTOCOL_RAW, IFD_PROTOCOL_NOT_SUPPORTED },
	{ "T=15", SCARD_PROTOCOL_T15, IFD_PROTOCOL_NOT_SUPPORTED },
	{ "the largest", (DWORD)-1, IFD_PROTOCOL_NOT_SUPPORTED },
};

static void protocols_that_are_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(protocols); i++) {
		const struct protocol *p = &protocols[i];

		CHECK_INT(p->name, power(IFD_RESET), IFD_SUCCESS);
		CHECK_INT(p->name, IFDHSetProtocolParameters(LUN, p->protocol, 0, 0, 0, 0), p->want);
		check_works(p->name);
	}
	forget_log();
	CHECK_INT("T=1", IFDHSetProtocolParameters(LUN, SCARD_PROTOCOL_T1, 0, 0, 0, 0),
		  IFD_PROTOCOL_NOT_SUPPORTED);
	check_log("T=1", "T=1 cannot be used: the card does not offer it");
	CHECK_INT("power", power(IFD_POWER_DOWN), IFD_SUCCESS);
	CHECK_INT("a card without power", IFDHSetProtocolParameters(LUN, SCARD_PROTOCOL_T0, 0, 0, 0, 0),
		  IFD_COMMUNICATION_ERROR);
	check_done();
}

/* ---- transmit ---------------------------------------------------------------------------------------------------- */

static const struct sending {
	const char *name;
	const uint8_t *tx;
	size_t tx_len, room;
	RESPONSECODE want;
	size_t rx_len;
	const char *says; /* of what fails */
} sendings[] = {
	{ "no byte", NULL, 0, 258, IFD_COMMUNICATION_ERROR, 0, "0 bytes are no APDU" },
	{ "1 byte", sink, 1, 258, IFD_COMMUNICATION_ERROR, 0, "1 bytes are no APDU" },
	{ "2 bytes", sink, 2, 258, IFD_COMMUNICATION_ERROR, 0, "2 bytes are no APDU" },
	{ "3 bytes", sink, 3, 258, IFD_COMMUNICATION_ERROR, 0, "3 bytes are no APDU" },
	{ "4 bytes", sink, 4, 258, IFD_SUCCESS, 2, NULL },
	{ "Lc beyond the end", BYTES(0x00, 0xA4, 0, 0, 5, 1, 2), 258, IFD_COMMUNICATION_ERROR, 0,
	  "7 bytes are no APDU" },
	{ "bytes behind Le", BYTES(0x00, 0xA4, 0, 0, 1, 1, 2, 3), 258, IFD_COMMUNICATION_ERROR, 0,
	  "8 bytes are no APDU" },
	{ "extended Lc of 0", BYTES(0x00, 0xA4, 0, 0, 0, 0, 0, 1), 258, IFD_COMMUNICATION_ERROR, 0,
	  "8 bytes are no APDU" },
	{ "room for nothing", sink, 4, 0, IFD_ERROR_INSUFFICIENT_BUFFER, 0, "too small" },
	{ "room for one byte", sink, 4, 1, IFD_ERROR_INSUFFICIENT_BUFFER, 0, "too small" },
	{ "room for the status", sink, 4, 2, IFD_SUCCESS, 2, NULL },
	{ "room for no data", challenge, 5, 0, IFD_ERROR_INSUFFICIENT_BUFFER, 0, "too small" },
	{ "room for one byte of data", challenge, 5, 1, IFD_ERROR_INSUFFICIENT_BUFFER, 0, "too small" },
	{ "room for a status without data", challenge, 5, 2, IFD_ERROR_INSUFFICIENT_BUFFER, 0, "too small" },
	{ "room for one byte too few", challenge, 5, 9, IFD_ERROR_INSUFFICIENT_BUFFER, 0, "too small" },
	{ "room for all", challenge, 5, 10, IFD_SUCCESS, 10, NULL },
	{ "GET RESPONSE, one byte too few", BYTES(0x80, 0x10, 0, 0, 2, 0xAA, 0xBB, 0), 7,
	  IFD_ERROR_INSUFFICIENT_BUFFER, 0, "too small" },
	{ "GET RESPONSE", BYTES(0x80, 0x10, 0, 0, 2, 0xAA, 0xBB, 0), 8, IFD_SUCCESS, 8, NULL },
};

static void commands(void **state)
{
	(void)state;
	check_works("nobody has set a protocol");
	for (size_t i = 0; i < COUNT(sendings); i++) {
		const struct sending *s = &sendings[i];
		uint8_t *rx = malloc(s->room + 8);
		DWORD len = s->room;

		assert_non_null(rx);
		memset(rx, UNTOUCHED, s->room + 8);
		if (s->says)
			forget_log();
		CHECK_INT(s->name, transmit(s->tx, s->tx_len, rx, &len), s->want);
		CHECK_INT(s->name, len, s->rx_len);
		if (s->says)
			check_log(s->name, s->says);
		for (size_t k = 0; k < 8; k++)
			CHECK_INT(s->name, rx[s->room + k], UNTOUCHED);
		free(rx);
	}
	check_works("the card is there after all this");
	check_done();
}

static void protocol_information(void **state)
{
	static const struct {
		const char *name;
		DWORD send, recv; /* 99: left alone */
	} rows[] = {
		{ "T=0", 0, 0 },
		{ "RAW", SCARD_PROTOCOL_RAW, 99 },
	};
	uint8_t tx[sizeof sink];

	(void)state;
	memcpy(tx, sink, sizeof tx);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const SCARD_IO_HEADER send = { .Protocol = rows[i].send };
		SCARD_IO_HEADER recv = { .Protocol = 99 };
		DWORD len = sizeof buffer;

		CHECK_INT(rows[i].name, IFDHTransmitToICC(LUN, send, tx, sizeof tx, buffer, &len, &recv),
			  IFD_SUCCESS);
		CHECK_INT(rows[i].name, len, 2);
		CHECK_INT(rows[i].name, recv.Protocol, rows[i].recv);
		len = sizeof buffer;
		CHECK_INT(rows[i].name, IFDHTransmitToICC(LUN, send, tx, sizeof tx, buffer, &len, NULL),
			  IFD_SUCCESS);
	}
	check_done();
}

static void a_card_without_power(void **state)
{
	DWORD len = sizeof buffer;

	(void)state;
	CHECK_INT("down", power(IFD_POWER_DOWN), IFD_SUCCESS);
	forget_log();
	CHECK_INT("transmit", transmit(sink, sizeof sink, buffer, &len), IFD_COMMUNICATION_ERROR);
	CHECK_INT("transmit", len, 0);
	check_log("transmit", "the card is not powered");
	CHECK_INT("up", power(IFD_POWER_UP), IFD_SUCCESS);
	check_works("up");
	check_done();
}

/* ---- presence ---------------------------------------------------------------------------------------------------- */

static void cards_come_and_go(void **state)
{
	(void)state;
	CHECK_INT("empty", IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
	inproc_insert(device);
	CHECK_INT("inserted", IFDHICCPresence(LUN), IFD_ICC_PRESENT);
	CHECK_INT("still there", IFDHICCPresence(LUN), IFD_ICC_PRESENT);
	CHECK_INT("power", power(IFD_POWER_UP), IFD_SUCCESS);
	CHECK_INT("under power", IFDHICCPresence(LUN), IFD_ICC_PRESENT);
	CHECK_INT("pcscd's event thread waits", wait_of(LUN)(LUN, 0), IFD_SUCCESS);
	/* Quicker than pcscd looks: it must not take the new card for the one that it knows. */
	inproc_remove(device);
	inproc_insert(device);
	CHECK_INT("swapped: absent, where pcscd asks before it powers it down", IFDHICCPresence(LUN),
		  IFD_ICC_NOT_PRESENT);
	CHECK_INT("swapped: absent, for its event thread", IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
	CHECK_INT("which goes on", wait_of(LUN)(LUN, 10000), IFD_SUCCESS);
	CHECK_INT("swapped: then present", IFDHICCPresence(LUN), IFD_ICC_PRESENT);
	CHECK_INT("and stays so", IFDHICCPresence(LUN), IFD_ICC_PRESENT);
	CHECK_INT("power", power(IFD_POWER_UP), IFD_SUCCESS);
	CHECK_INT("protocol", IFDHSetProtocolParameters(LUN, SCARD_PROTOCOL_T0, 0, 0, 0, 0), IFD_SUCCESS);
	check_works("the new card");
	inproc_remove(device);
	CHECK_INT("pulled", IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
	CHECK_INT("still empty", IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
	check_done();
}

/* ---- more than one thread ---------------------------------------------------------------------------------------- */

struct worker {
	pthread_t thread;
	wait_function wait; /* NULL: a slow command */
	RESPONSECODE code;
	DWORD len;
	uint64_t ended;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	uint8_t rx[258];

	w->len = sizeof rx;
	w->code = w->wait ? w->wait(LUN, POLL_MS) : transmit(slow, sizeof slow, rx, &w->len);
	w->ended = clock_ms();
	return NULL;
}

/* Returns when the other thread is where it stays for long. */
static void begin(struct worker *w)
{
	const unsigned before = inproc_sent(device, 0x6F);

	assert_int_equal(pthread_create(&w->thread, NULL, work, w), 0);
	while (w->wait ? !inproc_listened(device) : inproc_sent(device, 0x6F) == before)
		nap();
}

static RESPONSECODE device_removed(void)
{
	return IFDHSetCapabilities(LUN, TAG_IFD_DEVICE_REMOVED, 0, NULL);
}

/* What pcscd does: it tells of the removal, then stops its thread. */
static RESPONSECODE removed_and_stopped(void)
{
	const stop_function stop_it = stop_of(LUN);
	const RESPONSECODE code = device_removed();

	return code == IFD_SUCCESS ? stop_it(LUN) : code;
}

static RESPONSECODE stopped(void)
{
	return stop_of(LUN)(LUN);
}

static RESPONSECODE closed(void)
{
	return IFDHCloseChannel(LUN);
}

static RESPONSECODE card_pulled(void)
{
	inproc_remove(device);
	return IFD_SUCCESS;
}

static const struct ending {
	const char *name;
	RESPONSECODE (*act)(void);
	bool polls;
	RESPONSECODE want;
	unsigned within_ms;
} endings[] = {
	{ "a card is pulled while pcscd waits", card_pulled, true, IFD_SUCCESS, PROMPT_MS },
	{ "stopped while pcscd waits", stopped, true, IFD_SUCCESS, PROMPT_MS },
	{ "closed while pcscd waits", closed, true, IFD_SUCCESS, SOON_MS },
	{ "removed and stopped while pcscd waits", removed_and_stopped, true, IFD_SUCCESS, PROMPT_MS },
	/* An error would make pcscd sleep, and its other thread wait for this one. */
	{ "removed while pcscd waits, and never stopped", device_removed, true, IFD_SUCCESS, GIVEN_UP_MS },
	{ "removed in a slow command", device_removed, false, IFD_NO_SUCH_DEVICE, PROMPT_MS },
	{ "closed in a slow command", closed, false, IFD_NO_SUCH_DEVICE, SOON_MS },
};

/* How long both threads took, after the reader was brought back to its first state. */
static uint64_t end_once(const struct ending *e)
{
	struct worker w = { .wait = e->polls ? wait_of(LUN) : NULL };
	uint64_t from, last;

	if (e->polls)
		while (w.wait(LUN, 1) == IFD_SUCCESS && IFDHICCPresence(LUN) != IFD_ICC_PRESENT)
			nap();
	begin(&w);
	from = clock_ms();
	CHECK_INT(e->name, e->act(), IFD_SUCCESS);
	last = clock_ms();
	pthread_join(w.thread, NULL);
	CHECK_INT(e->name, w.code, e->want);
	if (!e->polls)
		CHECK_INT(e->name, w.len, 0);
	IFDHCloseChannel(LUN);
	inproc_remove(device);
	inproc_plug(device);
	inproc_insert(device);
	CHECK_INT(e->name, IFDHCreateChannelByName(LUN, good_name), IFD_SUCCESS);
	CHECK_INT(e->name, power(IFD_POWER_UP), IFD_SUCCESS);
	check_works(e->name);
	return (w.ended > last ? w.ended : last) - from;
}

static void other_threads_are_set_free(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(endings); i++) {
		uint64_t best = UINT64_MAX;

		for (unsigned n = 0; n < ATTEMPTS && best > endings[i].within_ms; n++) {
			const uint64_t took = end_once(&endings[i]);

			best = took < best ? took : best;
		}
		if (best > endings[i].within_ms)
			CHECK_INT(endings[i].name, best, endings[i].within_ms);
	}
	check_done();
}

/* What is called after the removal, until pcscd closes the reader. */
static void a_reader_that_is_gone(void **state)
{
	const wait_function wait = wait_of(LUN);
	const stop_function stop_it = stop_of(LUN);
	DWORD len = sizeof buffer;

	(void)state;
	CHECK_INT("removed", device_removed(), IFD_SUCCESS);
	CHECK_INT("transmit", transmit(sink, sizeof sink, buffer, &len), IFD_NO_SUCH_DEVICE);
	CHECK_INT("transmit", len, 0);
	CHECK_INT("presence", IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
	CHECK_INT("power up", power(IFD_POWER_UP), IFD_NO_SUCH_DEVICE);
	CHECK_INT("power down", power(IFD_POWER_DOWN), IFD_NO_SUCH_DEVICE);
	CHECK_INT("stop", stop_it(LUN), IFD_SUCCESS);
	CHECK_INT("wait", wait(LUN, POLL_MS), IFD_SUCCESS);
	CHECK_INT("removed twice", device_removed(), IFD_SUCCESS);
	CHECK_INT("close", IFDHCloseChannel(LUN), IFD_SUCCESS);
	CHECK_INT("open", IFDHCreateChannelByName(LUN, good_name), IFD_SUCCESS);
	CHECK_INT("power up", power(IFD_POWER_UP), IFD_SUCCESS);
	check_works("opened again");
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(with_reader, power_actions),
		WITH(with_reader, an_empty_slot_is_told),
		WITH(with_card, protocols_that_are_asked_for),
		WITH(with_card, commands),
		WITH(with_card, protocol_information),
		WITH(with_card, a_card_without_power),
		WITH(with_reader, cards_come_and_go),
		WITH(with_card, other_threads_are_set_free),
		WITH(with_card, a_reader_that_is_gone),
	};

	return cmocka_run_group_tests(tests, log_to_test, NULL);
}
