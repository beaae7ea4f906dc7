/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lanes of a reader with several busy slots: whose a message is, what is posted when, and what concerns all. With one thread. */
#include "check.h"
#include "slot/dispatch.h"

#include <string.h>

enum { CAP = 64, LANES = 3, MESSAGES = 80, MS = 500 };

/* ---- a bus that says what it is told to --------------------------------------------------------------------------- */

struct said {
	uint8_t bytes[CAP];
	size_t len;
	enum oc_err err;
};

struct bus {
	struct transport base;
	struct said said[MESSAGES];
	unsigned next, count;
	uint8_t *in;
	bool posted;
	unsigned sends, besides, halts, resets, wrong; /* wrong: something was posted that must not be */
	enum oc_err reset_says;
	uint64_t now;
};

static struct bus *bus_of(struct transport *t)
{
	return (struct bus *)(void *)t;
}

static enum oc_err bus_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
			    unsigned ms)
{
	struct bus *b = bus_of(t);

	(void)out;
	(void)len;
	(void)ms;
	b->wrong += b->posted || cap != CAP;
	b->in = in;
	b->posted = true;
	b->sends++;
	return OC_OK;
}

static enum oc_err bus_recv(struct transport *t, size_t *len, unsigned ms)
{
	struct bus *b = bus_of(t);
	const struct said *said = &b->said[b->next];

	b->posted = false;
	if (b->next == b->count) {
		b->now += ms;
		return OC_E_TIMEOUT;
	}
	b->next++;
	memcpy(b->in, said->bytes, said->len);
	*len = said->len;
	return said->err;
}

static enum oc_err bus_beside(struct transport *t, const uint8_t *out, size_t len, unsigned ms)
{
	(void)out;
	(void)len;
	(void)ms;
	bus_of(t)->besides++;
	return OC_OK;
}

static enum oc_err bus_clear_halt(struct transport *t)
{
	bus_of(t)->wrong += bus_of(t)->posted;
	bus_of(t)->halts++;
	return OC_OK;
}

static enum oc_err bus_reset(struct transport *t)
{
	bus_of(t)->wrong += bus_of(t)->posted;
	bus_of(t)->resets++;
	return bus_of(t)->reset_says;
}

static uint64_t bus_now(struct transport *t)
{
	return bus_of(t)->now;
}

static const struct transport_ops bus_ops = {
	.send = bus_send,
	.recv = bus_recv,
	.beside = bus_beside,
	.clear_halt = bus_clear_halt,
	.reset = bus_reset,
	.now = bus_now,
};

/* ---- a bench ----------------------------------------------------------------------------------------------------- */

struct bench {
	struct bus bus;
	struct oc_log log;
	struct dispatch *dispatch;
	struct transport *lane[LANES];
	uint8_t in[LANES][CAP];
};

static void begin(struct bench *b)
{
	*b = (struct bench){ .bus = { .base = { &bus_ops } } };
	b->dispatch = dispatch_new(&b->bus.base, LANES, CAP, &b->log);
	assert_non_null(b->dispatch);
	for (unsigned i = 0; i < LANES; i++)
		b->lane[i] = dispatch_lane(b->dispatch, i);
}

static void end(const char *row, struct bench *b)
{
	CHECK_INT(row, b->bus.wrong, 0);
	dispatch_free(b->dispatch);
}

static void say(struct bench *b, enum oc_err err, const uint8_t *bytes, size_t len)
{
	struct said *said = &b->bus.said[b->bus.count++];

	assert_true(b->bus.count <= MESSAGES);
	if (len)
		memcpy(said->bytes, bytes, len);
	said->len = len;
	said->err = err;
}

/* An answer without data. */
static void answer(struct bench *b, uint8_t slot, uint8_t seq, uint8_t status)
{
	const uint8_t bytes[] = { 0x81, 0, 0, 0, 0, slot, seq, status, 0, 0 };

	say(b, OC_OK, bytes, sizeof bytes);
}

static void command(struct bench *b, unsigned slot, uint8_t seq)
{
	const uint8_t bytes[] = { 0x65, 0, 0, 0, 0, (uint8_t)slot, seq, 0, 0, 0 };

	assert_int_equal(b->lane[slot]->ops->send(b->lane[slot], bytes, sizeof bytes, b->in[slot], CAP, MS),
			 OC_OK);
}

static enum oc_err hear(struct bench *b, unsigned slot, size_t *len)
{
	return b->lane[slot]->ops->recv(b->lane[slot], len, MS);
}

static void check_hears(const char *row, struct bench *b, unsigned slot, uint8_t seq)
{
	size_t len = 0;

	CHECK_INT(row, hear(b, slot, &len), OC_OK);
	CHECK_INT(row, len, 10);
	CHECK_INT(row, b->in[slot][5], slot);
	CHECK_INT(row, b->in[slot][6], seq);
}

/* ---- whose it is ------------------------------------------------------------------------------------------------- */

#define NOTHING          \
	{                \
		.len = 0 \
	}
#define FAILS(error)           \
	{                      \
		.err = (error) \
	}
#define SAYS(length, ...)                                 \
	{                                                 \
		.bytes = { __VA_ARGS__ }, .len = (length) \
	}
#define STATUS(slot, seq) SAYS(10, 0x81, 0, 0, 0, 0, slot, seq)

/* Slot 0 has sent a command with bSeq 7, the others none. */
static const struct hearing {
	const char *name;
	struct said said[3];
	enum oc_err want;
	unsigned heard; /* which of them it gets */
} hearings[] = {
	{ "its answer", { STATUS(0, 7) }, OC_OK, 0 },
	{ "one of its own that is late, for the port to drop", { STATUS(0, 6) }, OC_OK, 0 },
	{ "what nobody waits for", { STATUS(1, 7), STATUS(2, 7), STATUS(0, 7) }, OC_OK, 2 },
	{ "an empty packet", { NOTHING, STATUS(0, 7) }, OC_OK, 1 },
	{ "less than a header", { SAYS(5, 0x81, 0, 0, 0, 0) }, OC_OK, 0 },
	{ "a slot that is none", { STATUS(3, 7) }, OC_OK, 0 },
	{ "less than dwLength says, for itself", { SAYS(10, 0x81, 9, 0, 0, 0, 0, 7) }, OC_OK, 0 },
	{ "the same for nobody", { SAYS(10, 0x81, 9, 0, 0, 0, 1, 7), STATUS(0, 7) }, OC_OK, 1 },
	{ "a halt", { FAILS(OC_E_STALL) }, OC_E_STALL, 0 },
	{ "a fault of the bus", { FAILS(OC_E_IO) }, OC_E_IO, 0 },
	{ "the end", { FAILS(OC_E_GONE) }, OC_E_GONE, 0 },
};

static void whose_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(hearings); i++) {
		const struct hearing *h = &hearings[i];
		const struct said *want = &h->said[h->heard];
		struct bench b;
		size_t len = 0;

		begin(&b);
		for (size_t n = 0; n < COUNT(h->said); n++)
			say(&b, h->said[n].err, h->said[n].bytes, h->said[n].len);
		command(&b, 0, 7);
		CHECK_INT(h->name, hear(&b, 0, &len), h->want);
		CHECK_BYTES(h->name, b.in[0], len, want->bytes, want->len);
		end(h->name, &b);
	}
	check_done();
}

/* What a full read has begun belongs to the same slot, unless it is what another one is owed. */
static void behind_a_full_read(void **state)
{
	static const uint8_t full[CAP] = { 0x81, 0, 0, 0, 0, 0, 6 }, rest[20] = { 0x81, 0, 0, 0, 0, 1, 7 };
	struct bench b;
	size_t len = 0;

	(void)state;
	begin(&b);
	say(&b, OC_OK, full, sizeof full);
	say(&b, OC_OK, rest, sizeof rest);
	say(&b, OC_OK, full, sizeof full);
	answer(&b, 1, 8, 0);
	command(&b, 0, 7);
	command(&b, 1, 8);
	CHECK_INT("full", hear(&b, 0, &len), OC_OK);
	CHECK_INT("full", len, CAP);
	CHECK_INT("its rest, though it names another slot", hear(&b, 0, &len), OC_OK);
	CHECK_BYTES("its rest", b.in[0], len, rest, sizeof rest);
	CHECK_INT("full", hear(&b, 0, &len), OC_OK);
	check_hears("the answer of another slot", &b, 1, 8);
	end("all", &b);
	check_done();
}

static void messages_for_nobody_have_an_end(void **state)
{
	struct bench b;
	size_t len = 0;

	(void)state;
	begin(&b);
	for (unsigned i = 0; i < MESSAGES; i++)
		answer(&b, 1, (uint8_t)i, 0);
	command(&b, 0, 7);
	CHECK_INT("it gives up", hear(&b, 0, &len), OC_E_ANSWER);
	CHECK("before they are all read", b.bus.next < MESSAGES);
	end("all", &b);
	check_done();
}

/* ---- what is posted ---------------------------------------------------------------------------------------------- */

static void the_read_is_posted_once(void **state)
{
	struct bench b;
	size_t len = 0;

	(void)state;
	begin(&b);
	answer(&b, 1, 1, 0x80); /* a time extension */
	answer(&b, 1, 1, 0);
	answer(&b, 0, 1, 0);
	command(&b, 0, 1);
	command(&b, 1, 1);
	CHECK_INT("the first one posts it", b.bus.sends, 1);
	CHECK_INT("the other one goes beside", b.bus.besides, 1);
	check_hears("an extension", &b, 1, 1);
	check_hears("the answer", &b, 1, 1);
	check_hears("the other answer", &b, 0, 1);
	command(&b, 2, 9);
	CHECK_INT("posted anew", b.bus.sends, 2);
	CHECK_INT("silence", hear(&b, 2, &len), OC_E_TIMEOUT);
	CHECK_INT("the time has passed", b.bus.now, MS);
	end("all", &b);
	check_done();
}

/* ---- what concerns all ------------------------------------------------------------------------------------------- */

static void a_halt_is_cleared_with_nothing_posted(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	answer(&b, 1, 1, 0);
	command(&b, 0, 1);
	command(&b, 1, 1);
	CHECK_INT("cleared", b.lane[0]->ops->clear_halt(b.lane[0]), OC_OK);
	CHECK_INT("once", b.bus.halts, 1);
	check_hears("what had arrived is not lost", &b, 1, 1);
	end("all", &b);
	check_done();
}

static enum oc_err reset(struct bench *b, unsigned slot)
{
	return b->lane[slot]->ops->reset(b->lane[slot]);
}

static void one_resets_for_all(void **state)
{
	struct bench b;
	size_t len = 0;

	(void)state;
	begin(&b);
	command(&b, 0, 1);
	command(&b, 1, 1);
	CHECK_INT("first", reset(&b, 0), OC_OK);
	CHECK_INT("the other command is lost", hear(&b, 1, &len), OC_E_RESTARTED);
	CHECK_INT("the first one's goes on to the end", hear(&b, 0, &len), OC_E_TIMEOUT);
	CHECK_INT("no second reset", reset(&b, 1), OC_OK);
	CHECK_INT("nor for the one that had no command", reset(&b, 2), OC_OK);
	CHECK_INT("one in all", b.bus.resets, 1);
	answer(&b, 1, 2, 0);
	command(&b, 1, 2);
	check_hears("it works again", &b, 1, 2);
	b.bus.reset_says = OC_E_IO;
	CHECK_INT("and fails again", reset(&b, 1), OC_E_IO);
	CHECK_INT("two in all", b.bus.resets, 2);
	end("all", &b);
	check_done();
}

/* After a suspend, say: one of them finds out, and it is so for all whose command was running. */
static void the_device_starts_afresh(void **state)
{
	struct bench b;
	size_t len = 0;

	(void)state;
	begin(&b);
	say(&b, OC_E_RESTARTED, NULL, 0);
	command(&b, 0, 1);
	command(&b, 1, 1);
	CHECK_INT("who listens", hear(&b, 0, &len), OC_E_RESTARTED);
	CHECK_INT("the other one", hear(&b, 1, &len), OC_E_RESTARTED);
	answer(&b, 0, 2, 0);
	answer(&b, 2, 2, 0);
	command(&b, 0, 2);
	command(&b, 2, 2);
	check_hears("the first one goes on", &b, 0, 2);
	check_hears("and who had no command has lost none", &b, 2, 2);
	end("all", &b);
	check_done();
}

static void a_reset_that_cannot_be(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	b.bus.reset_says = OC_E_UNSUPPORTED;
	answer(&b, 1, 1, 0);
	command(&b, 0, 1);
	command(&b, 1, 1);
	CHECK_INT("not here", reset(&b, 0), OC_E_UNSUPPORTED);
	check_hears("the others go on", &b, 1, 1);
	end("all", &b);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose_it_is),
		cmocka_unit_test(behind_a_full_read),
		cmocka_unit_test(messages_for_nobody_have_an_end),
		cmocka_unit_test(the_read_is_posted_once),
		cmocka_unit_test(a_halt_is_cleared_with_nothing_posted),
		cmocka_unit_test(one_resets_for_all),
		cmocka_unit_test(the_device_starts_afresh),
		cmocka_unit_test(a_reset_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
