/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One command and its answer (CCID rev 1.1, 6): what is taken for the answer, what is not, and how long it may take. */
#include "ccid/exchange.h"
#include "ccid/status.h"
#include "check.h"
#include "script.h"

enum { WAIT = 1000, INTERFACE = 3, MESSAGE = 271 };

#define STATUS_SENT(slot)                 SENDS(0x65, 0, 0, 0, 0, slot, 0, 0, 0, 0)
#define STATUS_GIVEN(slot, status, error) GIVES(0x81, 0, 0, 0, 0, slot, 0, status, error, 0)
#define ABORT_SENT(slot)                  SENDS(0x72, 0, 0, 0, 0, slot, 0, 0, 0, 0)
#define ABORT_CONTROL(code, slot)         CONTROL(code, 0x21, 0x01, slot, INTERFACE)
/* The first rung of recovery, as it goes well. */
#define ABORTED(slot)             ABORT_CONTROL(OC_OK, slot), ABORT_SENT(slot), STATUS_GIVEN(slot, 0x01, 0)
#define XFR_SENT                  SENDS(0x6F, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0xB0, 0xB1)
#define XFR_GIVEN                 GIVES(0x80, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x90, 0x00)
#define XFR_EXTENSION(multiplier) GIVES_AFTER(100, 0x80, 0, 0, 0, 0, 0, 0, 0x80, multiplier, 0)

struct bench {
	struct script script;
	struct script_log log;
	struct ccid_port port;
};

static void bench_begin(struct bench *b, const struct script_step *steps)
{
	script_begin(&b->script, steps);
	script_log_begin(&b->log);
	assert_int_equal(ccid_port_open(&b->port, &b->script.transport, INTERFACE, MESSAGE, &b->log.log),
			 OC_OK);
}

static void bench_end(const char *name, struct bench *b)
{
	ccid_port_close(&b->port);
	SCRIPT_END(name, &b->script);
}

static enum oc_err get_status(struct bench *b, uint8_t slot, struct ccid_reply *reply)
{
	const struct ccid_command command = ccid_get_slot_status(slot);

	return ccid_exchange(&b->port, &command, WAIT, reply);
}

static enum oc_err xfr_waiting(struct bench *b, unsigned ms, struct ccid_reply *reply)
{
	const struct ccid_command command = ccid_xfr_block(0, 0, 0, 2);
	size_t cap;
	uint8_t *payload = ccid_payload(&b->port, &cap);

	payload[0] = 0xB0;
	payload[1] = 0xB1;
	return ccid_exchange(&b->port, &command, ms, reply);
}

static enum oc_err xfr(struct bench *b, struct ccid_reply *reply)
{
	return xfr_waiting(b, WAIT, reply);
}

/* ---- what is the answer -------------------------------------------------------------------------------------------- */

#define STEPS(...)                   \
	(const struct script_step[]) \
	{                            \
		__VA_ARGS__, END     \
	}

/* One XfrBlock on slot 0 each. */
static const struct {
	const char *name;
	const struct script_step *steps;
	enum oc_err err;
	size_t len; /* of the payload, on OC_OK */
} match_rows[] = {
	{ "the answer", STEPS(XFR_SENT, XFR_GIVEN), OC_OK, 2 },
	{ "an empty answer", STEPS(XFR_SENT, GIVES(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0)), OC_OK, 0 },
	{ "padded by one", STEPS(XFR_SENT, GIVES_PADDED(1, 0x80, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x90, 0)), OC_OK,
	  2 },
	{ "padded to 64", STEPS(XFR_SENT, GIVES_PADDED(52, 0x80, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x90, 0)), OC_OK,
	  2 },
	{ "one stale answer before", STEPS(XFR_SENT, GIVES(0x80, 0, 0, 0, 0, 0, 0xFF, 0, 0, 0), XFR_GIVEN),
	  OC_OK, 2 },
	{ "a stale answer of another type",
	  STEPS(XFR_SENT, GIVES(0x81, 0, 0, 0, 0, 0, 0xFF, 0, 0, 0), XFR_GIVEN), OC_OK, 2 },
	{ "a stale failure is not ours",
	  STEPS(XFR_SENT, GIVES(0x80, 0, 0, 0, 0, 0, 0xFE, 0x42, 0xFE, 0), XFR_GIVEN), OC_OK, 2 },
	{ "a stale time extension is not ours",
	  STEPS(XFR_SENT, GIVES(0x80, 0, 0, 0, 0, 0, 0xFF, 0x80, 5, 0), XFR_GIVEN), OC_OK, 2 },
	{ "late zero-length packets", STEPS(XFR_SENT, ZERO_LENGTH, ZERO_LENGTH, XFR_GIVEN), OC_OK, 2 },
	{ "failed, in a DataBlock", STEPS(XFR_SENT, GIVES(0x80, 0, 0, 0, 0, 0, 0, 0x40, 0xFE, 0)), OC_E_MUTE,
	  0 },
	{ "failed, in a SlotStatus", STEPS(XFR_SENT, GIVES(0x81, 0, 0, 0, 0, 0, 0, 0x40, 0xFE, 0)), OC_E_MUTE,
	  0 },
	{ "failed, no card", STEPS(XFR_SENT, GIVES(0x81, 0, 0, 0, 0, 0, 0, 0x42, 0xFE, 0)), OC_E_NO_CARD, 0 },
	{ "failed, slot busy", STEPS(XFR_SENT, GIVES(0x80, 0, 0, 0, 0, 0, 0, 0x40, 0xE0, 0)), OC_E_REFUSED,
	  0 },
	{ "bmCommandStatus 3 is a failure", STEPS(XFR_SENT, GIVES(0x80, 0, 0, 0, 0, 0, 0, 0xC0, 0xFD, 0)),
	  OC_E_CARD, 0 },

	{ "CMD_ABORTED to the first command: the session before has left half an ABORT",
	  STEPS(XFR_SENT, GIVES(0x80, 0, 0, 0, 0, 0, 0, 0x40, 0xFF, 0), ABORTED(0)), OC_E_CARD, 0 },

	/* No answer: the reader is brought back to order. */
	{ "a SlotStatus that says success",
	  STEPS(XFR_SENT, GIVES(0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0), ABORTED(0)), OC_E_ANSWER, 0 },
	{ "another type", STEPS(XFR_SENT, GIVES(0x82, 0, 0, 0, 0, 0, 0, 0, 0, 0), ABORTED(0)), OC_E_ANSWER,
	  0 },
	{ "an interrupt message on bulk",
	  STEPS(XFR_SENT, GIVES(0x50, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), ABORTED(0)), OC_E_ANSWER, 0 },
	{ "nine bytes", STEPS(XFR_SENT, GIVES(0x80, 0, 0, 0, 0, 0, 0, 0, 0), ABORTED(0)), OC_E_SHORT, 0 },
	{ "one byte", STEPS(XFR_SENT, GIVES(0x80), ABORTED(0)), OC_E_SHORT, 0 },
	{ "less than dwLength", STEPS(XFR_SENT, GIVES(0x80, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0x90, 0), ABORTED(0)),
	  OC_E_LENGTH, 0 },
	{ "dwLength FFFFFFFF",
	  STEPS(XFR_SENT, GIVES(0x80, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0x90, 0), ABORTED(0)),
	  OC_E_LENGTH, 0 },
	{ "silence", STEPS(XFR_SENT, ABORTED(0)), OC_E_TIMEOUT, 0 },
	{ "stale answers, then silence",
	  STEPS(XFR_SENT, GIVES(0x80, 0, 0, 0, 0, 0, 0xFF, 0, 0, 0), ABORTED(0)), OC_E_TIMEOUT, 0 },
};

static void what_is_taken_for_the_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(match_rows); i++) {
		const char *name = match_rows[i].name;
		struct ccid_reply reply = { 0 };
		struct bench b;

		bench_begin(&b, match_rows[i].steps);
		CHECK_INT(name, xfr(&b, &reply), match_rows[i].err);
		if (match_rows[i].err == OC_OK)
			CHECK_BYTES(name, reply.data, reply.len, ((const uint8_t[]){ 0x90, 0 }),
				    match_rows[i].len);
		bench_end(name, &b);
	}
	check_done();
}

/* The answer of another slot with our bSeq is not ours: never delivered, whatever comes after it. */
static void another_slot(void **state)
{
	const struct script_step steps[] = {
		XFR_SENT,
		GIVES(0x80, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0x6A, 0x82),
		XFR_GIVEN,
		END,
	};
	struct ccid_reply reply = { 0 };
	struct bench b;
	enum oc_err err;

	(void)state;
	bench_begin(&b, steps);
	err = xfr(&b, &reply);
	CHECK_INT("another slot", err, OC_OK);
	if (err == OC_OK)
		CHECK_BYTES("another slot", reply.data, reply.len, ((const uint8_t[]){ 0x90, 0 }), 2);
	bench_end("another slot", &b);
	check_done();
}

static void a_failed_reply_is_written(void **state)
{
	const struct script_step steps[] = { XFR_SENT, GIVES(0x81, 0, 0, 0, 0, 0, 0, 0x41, 0xF6, 0), END };
	struct ccid_reply reply = { 0 };
	struct bench b;

	(void)state;
	bench_begin(&b, steps);
	CHECK_INT("F6", xfr(&b, &reply), OC_E_PROTOCOL);
	CHECK_INT("F6", reply.status, 0x41);
	CHECK_INT("F6", reply.error, 0xF6);
	bench_end("F6", &b);
	check_done();
}

/* CCID_MAX_STALE old answers are dropped; one more, and the reader is out of order. */
static void stale_answers_are_bounded(void **state)
{
	(void)state;
	for (unsigned stale = CCID_MAX_STALE - 1; stale <= CCID_MAX_STALE + 1; stale++) {
		const struct script_step sent = XFR_SENT, old = GIVES(0x80, 0, 0, 0, 0, 0, 0xFF, 0, 0, 0);
		const struct script_step good = XFR_GIVEN, recovery[] = { ABORTED(0) };
		struct script_step steps[CCID_MAX_STALE + 8] = { sent };
		struct ccid_reply reply;
		struct bench b;
		unsigned n = 1;
		char name[32];

		while (n <= stale)
			steps[n++] = old;
		if (stale > CCID_MAX_STALE)
			for (size_t i = 0; i < COUNT(recovery); i++)
				steps[n++] = recovery[i];
		else
			steps[n++] = good;
		snprintf(name, sizeof name, "%u stale answers", stale);
		bench_begin(&b, steps);
		CHECK_INT(name, xfr(&b, &reply), stale > CCID_MAX_STALE ? OC_E_ANSWER : OC_OK);
		bench_end(name, &b);
	}
	check_done();
}

/* bSeq counts one up per message, FFh is followed by 00 (CCID rev 1.1, 6). */
static void seq_wraps(void **state)
{
	const struct script_step steps[] = {
		SENDS_RAW(0x65, 0, 0, 0, 0, 0, 0xFE, 0, 0, 0),
		GIVES_RAW(0x81, 0, 0, 0, 0, 0, 0xFE, 0, 0, 0),
		SENDS_RAW(0x65, 0, 0, 0, 0, 0, 0xFF, 0, 0, 0),
		GIVES_RAW(0x81, 0, 0, 0, 0, 0, 0xFF, 0, 0, 0),
		SENDS_RAW(0x65, 0, 0, 0, 0, 0, 0x00, 0, 0, 0),
		GIVES_RAW(0x81, 0, 0, 0, 0, 0, 0x00, 0, 0, 0),
		SENDS_RAW(0x65, 0, 0, 0, 0, 0, 0x01, 0, 0, 0),
		GIVES_RAW(0x81, 0, 0, 0, 0, 0, 0x01, 0, 0, 0),
		END,
	};
	struct ccid_reply reply;
	struct bench b;

	(void)state;
	bench_begin(&b, steps);
	b.port.seq = 0xFE;
	for (unsigned i = 0; i < 4; i++)
		CHECK_INT("wrap", get_status(&b, 0, &reply), OC_OK);
	bench_end("wrap", &b);
	check_done();
}

static void a_command_that_is_too_long(void **state)
{
	const struct script_step none[] = { END };
	struct ccid_command command = ccid_xfr_block(0, 0, 0, 0);
	struct ccid_reply reply;
	struct bench b;
	size_t cap;

	(void)state;
	bench_begin(&b, none);
	ccid_payload(&b.port, &cap);
	CHECK("the payload of the longest message fits", cap >= MESSAGE - 10);
	command.len = cap + 1;
	CHECK_INT("one more", ccid_exchange(&b.port, &command, WAIT, &reply), OC_E_SPACE);
	command.len = SIZE_MAX - 4;
	CHECK_INT("SIZE_MAX", ccid_exchange(&b.port, &command, WAIT, &reply), OC_E_SPACE);
	bench_end("too long", &b);
	check_done();
}

/* ---- time ------------------------------------------------------------------------------------------------------------ */

/* When the wait ends, to the millisecond: that is when the control request of the recovery comes. */
static const struct {
	const char *name;
	const struct script_step *steps;
	unsigned wait;
	uint64_t ends_at;
} time_rows[] = {
	{ "silence", STEPS(XFR_SENT, ABORTED(0)), 1000, 1000 },
	{ "a longer wait", STEPS(XFR_SENT, ABORTED(0)), 29000, 29000 },
	{ "extension x1 grants the wait again", STEPS(XFR_SENT, XFR_EXTENSION(1), ABORTED(0)), 1000, 1100 },
	{ "extension x2", STEPS(XFR_SENT, XFR_EXTENSION(2), ABORTED(0)), 1000, 2100 },
	{ "multiplier 0 says nothing: the wait again", STEPS(XFR_SENT, XFR_EXTENSION(0), ABORTED(0)), 1000,
	  1100 },
	{ "multiplier FF", STEPS(XFR_SENT, XFR_EXTENSION(0xFF), ABORTED(0)), 1000, 255100 },
	{ "extensions count from their message, they do not pile up",
	  STEPS(XFR_SENT, XFR_EXTENSION(2), XFR_EXTENSION(2), ABORTED(0)), 1000, 2200 },
	{ "after x2 the next one may be x1", STEPS(XFR_SENT, XFR_EXTENSION(2), XFR_EXTENSION(1), ABORTED(0)),
	  1000, 1200 },
	{ "stale answers win no time",
	  STEPS(XFR_SENT, GIVES_AFTER(600, 0x80, 0, 0, 0, 0, 0, 0xFF, 0, 0, 0), ABORTED(0)), 1000, 1000 },
	{ "stale extensions win no time",
	  STEPS(XFR_SENT, GIVES_AFTER(600, 0x80, 0, 0, 0, 0, 0, 0xFF, 0x80, 9, 0), ABORTED(0)), 1000, 1000 },
	{ "zero-length packets win no time", STEPS(XFR_SENT, { .kind = SCRIPT_IN, .ms = 600 }, ABORTED(0)),
	  1000, 1000 },
};

static void deadlines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(time_rows); i++) {
		struct ccid_reply reply;
		struct bench b;

		bench_begin(&b, time_rows[i].steps);
		CHECK_INT(time_rows[i].name, xfr_waiting(&b, time_rows[i].wait, &reply), OC_E_TIMEOUT);
		CHECK_INT(time_rows[i].name, b.script.control_at, time_rows[i].ends_at);
		bench_end(time_rows[i].name, &b);
	}
	check_done();
}

static void an_answer_in_the_last_millisecond(void **state)
{
	const struct script_step steps[] = {
		XFR_SENT,
		GIVES_AFTER(900, 0x80, 0, 0, 0, 0, 0, 0, 0x80, 3, 0),
		GIVES_AFTER(3000, 0x80, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x90, 0),
		END,
	};
	struct ccid_reply reply;
	struct bench b;

	(void)state;
	bench_begin(&b, steps);
	CHECK_INT("last millisecond", xfr(&b, &reply), OC_OK);
	CHECK_INT("last millisecond", b.script.clock, 3900);
	bench_end("last millisecond", &b);
	check_done();
}

/* All extensions of one command together: at most the cap, 600 s unless the caller wants another. */
static void extensions_are_capped(void **state)
{
	const struct script_step steps[] = { XFR_SENT, XFR_EXTENSION(0xFF), ABORTED(0), END };
	struct ccid_reply reply;
	struct bench b;

	(void)state;
	bench_begin(&b, steps);
	CHECK_INT("cap of a new port", b.port.extension_cap_ms, CCID_EXTENSION_CAP_MS);
	CHECK_INT("600 s", xfr_waiting(&b, 10000, &reply), OC_E_TIMEOUT);
	CHECK("600 s, not less", b.script.control_at >= CCID_EXTENSION_CAP_MS);
	CHECK("600 s, not more", b.script.control_at <= CCID_EXTENSION_CAP_MS + 10000);
	bench_end("600 s", &b);

	bench_begin(&b, steps);
	b.port.extension_cap_ms = 5000;
	CHECK_INT("5 s", xfr(&b, &reply), OC_E_TIMEOUT);
	CHECK("5 s", b.script.control_at >= 5000 && b.script.control_at <= 6000);
	bench_end("5 s", &b);
	check_done();
}

/* A reader that asks for time for ever, each time a bit: the time is capped, and so is the number. */
static void extensions_for_ever(void **state)
{
	static const struct {
		const char *name;
		unsigned every_ms;
		size_t count;
		enum oc_err err;
	} rows[] = { { "one each 500 ms", 500, 2000, OC_E_TIMEOUT },
		     { "as fast as it can", 0, 3 * CCID_MAX_EXTENSIONS, OC_E_LIMIT } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct script_step sent = XFR_SENT, more = GIVES(0x80, 0, 0, 0, 0, 0, 0, 0x80, 1, 0);
		struct script_step *steps = calloc(rows[i].count + 2, sizeof *steps);
		struct ccid_reply reply;
		struct bench b;
		enum oc_err err;

		assert_non_null(steps);
		steps[0] = sent;
		for (size_t n = 1; n <= rows[i].count; n++) {
			steps[n] = more;
			steps[n].ms = rows[i].every_ms;
		}
		bench_begin(&b, steps);
		err = xfr(&b, &reply);
		CHECK_INT(rows[i].name, err, rows[i].err);
		CHECK(rows[i].name, b.script.control_at <= CCID_EXTENSION_CAP_MS + WAIT);
		CHECK(rows[i].name, (size_t)(b.script.step - steps) <=
					    rows[i].count); /* it gave up before the reader did */
		ccid_port_close(&b.port);
		script_end(&b.script);
		free(steps);
	}
	check_done();
}

/* ---- half an ABORT ------------------------------------------------------------------------------------------------- */

#define CUT_SHORT GIVES(0x80, 0, 0, 0, 0, 0, 0, 0x40, 0xFF, 0)
#define CLIMBED(control)                                                                         \
	XFR_SENT, ABORT_CONTROL(control, 0), ABORT_SENT(0), HALT_CLEARED(OC_OK), STATUS_SENT(0), \
		STATUS_GIVEN(0, 0x01, 0)

/* A recovery of which the reader may have seen one half of ABORT: what it says to the two commands behind it. */
static const struct {
	const char *name;
	const struct script_step *steps;
	enum oc_err first, second;
} half_rows[] = {
	{ "it waits for the other half, and gets both",
	  STEPS(CLIMBED(OC_OK), XFR_SENT, CUT_SHORT, ABORTED(0), XFR_SENT, XFR_GIVEN), OC_E_CARD, OC_OK },
	{ "it refused the other half, and gets both",
	  STEPS(XFR_SENT, ABORT_CONTROL(OC_OK, 0), ABORT_SENT(0), STATUS_GIVEN(0, 0x40, 0xE0), XFR_SENT,
		CUT_SHORT, ABORTED(0), XFR_SENT, XFR_GIVEN),
	  OC_E_CARD, OC_OK },
	{ "it had both, and says CMD_ABORTED for a reason of its own",
	  STEPS(XFR_SENT, ABORTED(0), XFR_SENT, CUT_SHORT, XFR_SENT, XFR_GIVEN), OC_E_CARD, OC_OK },
	{ "it does not", STEPS(CLIMBED(OC_OK), XFR_SENT, XFR_GIVEN, XFR_SENT, CUT_SHORT), OC_OK, OC_E_CARD },
	{ "it is pulled", STEPS(CLIMBED(OC_OK), XFR_SENT, CUT_SHORT, UNPLUG), OC_E_GONE, OC_E_GONE },
};

static void half_an_abort(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(half_rows); i++) {
		const char *name = half_rows[i].name;
		struct ccid_reply reply;
		struct bench b;

		bench_begin(&b, half_rows[i].steps);
		CHECK_INT(name, xfr(&b, &reply), OC_E_TIMEOUT);
		CHECK_INT(name, xfr(&b, &reply), half_rows[i].first);
		CHECK_INT(name, xfr(&b, &reply), half_rows[i].second);
		bench_end(name, &b);
	}
	check_done();
}

/* ---- answers and the size of reads ----------------------------------------------------------------------------------- */

/* Padding that fills the whole read and goes on in further ones must not disturb the next command. */
static void padding_beyond_the_read(void **state)
{
	static const size_t pads[] = { 1, 52, 259, 300, 308, 309, 310, 500, 1000, 5000 };

	(void)state;
	for (size_t i = 0; i < COUNT(pads); i++) {
		struct script_step steps[] = {
			STATUS_SENT(0),
			GIVES_PADDED(0, 0x81, 0, 0, 0, 0, 0, 0, 0x01, 0, 0),
			XFR_SENT,
			XFR_GIVEN,
			STATUS_SENT(1),
			STATUS_GIVEN(1, 0x02, 0),
			END,
		};
		struct ccid_reply reply;
		struct bench b;
		char name[40];

		steps[1].pad = pads[i];
		snprintf(name, sizeof name, "%zu bytes of padding", pads[i]);
		bench_begin(&b, steps);
		CHECK_INT(name, get_status(&b, 0, &reply), OC_OK);
		CHECK_INT(name, reply.status, 0x01);
		CHECK_INT(name, xfr(&b, &reply), OC_OK);
		CHECK_BYTES(name, reply.data, reply.len, ((const uint8_t[]){ 0x90, 0 }), 2);
		CHECK_INT(name, get_status(&b, 1, &reply), OC_OK);
		bench_end(name, &b);
	}
	check_done();
}

/* The same with what comes before the answer; the answer follows at once and must not be taken for padding. */
static void padding_before_the_answer(void **state)
{
	static const size_t pads[] = { 1, 52, 501, 502, 503, 1000, 1014, 1525, 1526, 1527, 49174 };
	const struct script_step before[] = {
		GIVES_PADDED(0, 0x80, 0, 0, 0, 0, 0, 0, 0x80, 1, 0),
		GIVES_PADDED(0, 0x80, 0, 0, 0, 0, 0, 0xFF, 0, 0, 0),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pads) * COUNT(before); i++) {
		struct script_step steps[] = {
			XFR_SENT,       before[i % COUNT(before)], XFR_GIVEN,
			STATUS_SENT(1), STATUS_GIVEN(1, 0x02, 0),  END,
		};
		struct ccid_reply reply;
		struct bench b;
		char name[60];

		steps[1].pad = pads[i / COUNT(before)];
		snprintf(name, sizeof name, "%zu bytes of padding behind %s", steps[1].pad,
			 i % COUNT(before) ? "a stale answer" : "a time extension");
		bench_begin(&b, steps);
		CHECK_INT(name, xfr(&b, &reply), OC_OK);
		CHECK_BYTES(name, reply.data, reply.len, ((const uint8_t[]){ 0x90, 0 }), 2);
		CHECK_INT(name, b.script.clock, 0);
		CHECK_INT(name, get_status(&b, 1, &reply), OC_OK);
		bench_end(name, &b);
	}
	check_done();
}

/* Padding without end is no answer. */
static void padding_for_ever(void **state)
{
	const struct script_step steps[] = { XFR_SENT,
					     GIVES_PADDED(200000, 0x80, 0, 0, 0, 0, 0, 0, 0x80, 1, 0), END };
	struct ccid_reply reply;
	struct bench b;

	(void)state;
	bench_begin(&b, steps);
	CHECK_INT("200000 bytes", xfr(&b, &reply), OC_E_ANSWER);
	ccid_port_close(&b.port);
	script_end(&b.script);
	check_done();
}

/* An answer of exactly the longest message, and one that promises more than any read holds. */
static void the_longest_answer(void **state)
{
	const struct script_step fits[] = { XFR_SENT,
					    GIVES_PADDED(MESSAGE - 10, 0x80, 0x05, 0x01, 0, 0, 0, 0, 0, 0, 0),
					    END };
	const struct script_step beyond[] = {
		XFR_SENT,
		GIVES_PADDED(5000, 0x80, 0x88, 0x13, 0, 0, 0, 0, 0, 0, 0),
		ABORTED(0),
		END,
	};
	struct ccid_reply reply = { 0 };
	struct bench b;

	(void)state;
	bench_begin(&b, fits);
	CHECK_INT("271 bytes", xfr(&b, &reply), OC_OK);
	CHECK_INT("271 bytes", reply.len, MESSAGE - 10);
	bench_end("271 bytes", &b);

	bench_begin(&b, beyond);
	CHECK_INT("5010 bytes", xfr(&b, &reply), OC_E_LENGTH);
	ccid_port_close(&b.port);
	script_end(&b.script);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken_for_the_answer),
		cmocka_unit_test(another_slot),
		cmocka_unit_test(a_failed_reply_is_written),
		cmocka_unit_test(stale_answers_are_bounded),
		cmocka_unit_test(seq_wraps),
		cmocka_unit_test(a_command_that_is_too_long),
		cmocka_unit_test(deadlines),
		cmocka_unit_test(an_answer_in_the_last_millisecond),
		cmocka_unit_test(extensions_are_capped),
		cmocka_unit_test(extensions_for_ever),
		cmocka_unit_test(half_an_abort),
		cmocka_unit_test(padding_beyond_the_read),
		cmocka_unit_test(padding_before_the_answer),
		cmocka_unit_test(padding_for_ever),
		cmocka_unit_test(the_longest_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
