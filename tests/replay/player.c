/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "player.h"

#include "slot/reader.h"
#include "tpdu/apdu.h"
#include "replay/replay.h"
#include "replay/replay_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How an action ended. */
struct result {
	enum oc_err err;
	enum capture_end end;
	size_t len;
	uint8_t bytes[RAPDU_MAX];
};

struct player {
	const struct capture *capture;
	struct reader_setup setup;
	struct replay *replay;
	struct reader *reader;
	struct verdict *verdict;
	struct result result;
};

void fault(struct verdict *verdict, const char *file, unsigned line, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!verdict->good)
		return;
	verdict->good = false;
	n = snprintf(verdict->why, sizeof verdict->why, "%s:%u: ", file, line);
	if (n < 0 || (size_t)n >= sizeof verdict->why)
		return;
	va_start(ap, fmt);
	vsnprintf(verdict->why + n, sizeof verdict->why - (size_t)n, fmt, ap);
	va_end(ap);
}

#define FAULT(p, line, ...) fault((p)->verdict, (p)->capture->file, (line), __VA_ARGS__)

/* ---- actions ----------------------------------------------------------------------------------------------------- */

typedef enum oc_err command_call(struct slot *slot, const uint8_t *tx, size_t tx_len, uint8_t *rx,
				 size_t *rx_len);

static void do_command(struct player *p, const struct capture_step *step, command_call *call)
{
	struct result *r = &p->result;

	r->len = sizeof r->bytes;
	if (step->number != CAPTURE_ROOM_PLENTY && step->number < r->len)
		r->len = step->number;
	r->err = call(reader_slot(p->reader, 0), step->bytes.value, step->bytes.len, r->bytes, &r->len);
	r->end = CAPTURE_END_BYTES;
	if (r->err != OC_OK && r->len != 0)
		FAULT(p, step->line, "the call failed (%s) and yet left %zu bytes of answer",
		      capture_result_word(r->err), r->len);
	if (r->err == OC_OK && r->len < 2 && step->action == CAPTURE_TRANSMIT)
		FAULT(p, step->line, "the command is said to have been done, and yet there is no SW1 SW2");
}

/* What an application does with VERIFY_PIN_DIRECT and MODIFY_PIN_DIRECT. */
static enum oc_err enter_pin(struct slot *slot, const struct capture_step *step, const struct ccid_caps *caps,
			     uint8_t *rx, size_t *rx_len)
{
	const enum pin_operation operation = step->action == CAPTURE_MODIFY ? PIN_MODIFY : PIN_VERIFY;
	struct pin_request request;
	const char *why;
	const size_t cap = *rx_len;
	enum oc_err err;

	*rx_len = 0;
	err = pin_request_parse(operation, step->bytes.value, step->bytes.len, caps, &request, &why);
	if (err != OC_OK)
		return err;
	*rx_len = cap;
	return slot_pin(slot, &request, rx, rx_len);
}

static void do_pin(struct player *p, const struct capture_step *step)
{
	struct result *r = &p->result;

	r->len = sizeof r->bytes;
	r->err = enter_pin(reader_slot(p->reader, 0), step, reader_caps(p->reader), r->bytes, &r->len);
	r->end = CAPTURE_END_BYTES;
}

static void do_power_up(struct player *p)
{
	struct result *r = &p->result;

	r->err = slot_power_up(reader_slot(p->reader, 0), r->bytes, &r->len);
	r->end = CAPTURE_END_BYTES;
}

static void do_presence(struct player *p)
{
	bool present = false;

	p->result.err = slot_presence(reader_slot(p->reader, 0), &present);
	p->result.end = present ? CAPTURE_END_PRESENT : CAPTURE_END_ABSENT;
}

static void do_wait(struct player *p, const struct capture_step *step)
{
	const uint64_t before = replay_now(p->replay);
	const uint32_t ms = step->number;

	if (!slot_has_events(reader_slot(p->reader, 0)))
		FAULT(p, step->line, "this reader has no interrupt endpoint to wait for");

	p->result.err = slot_wait_event(reader_slot(p->reader, 0), ms);
	p->result.end = replay_now(p->replay) - before < ms ? CAPTURE_END_EVENT : CAPTURE_END_QUIET;
}

static void perform(struct player *p, const struct capture_step *step)
{
	struct result *r = &p->result;

	r->len = 0;
	r->end = CAPTURE_END_PLAIN;
	if ((step->action == CAPTURE_OPEN) == (p->reader != NULL)) {
		FAULT(p, step->line, "the reader is %s; \"open\" comes once, and first",
		      p->reader ? "open already" : "not open yet");
		return;
	}
	switch (step->action) {
	case CAPTURE_OPEN: r->err = reader_open(&p->setup, &p->reader); break;
	case CAPTURE_POWER_UP: do_power_up(p); break;
	case CAPTURE_POWER_DOWN: r->err = slot_power_down(reader_slot(p->reader, 0)); break;
	case CAPTURE_PROTOCOL:
		r->err = slot_set_protocol(reader_slot(p->reader, 0), (enum ccid_protocol)step->number, NULL);
		break;
	case CAPTURE_TRANSMIT: do_command(p, step, slot_transmit); break;
	case CAPTURE_ESCAPE: do_command(p, step, slot_escape); break;
	case CAPTURE_VERIFY:
	case CAPTURE_MODIFY: do_pin(p, step); break;
	case CAPTURE_PRESENCE: do_presence(p); break;
	case CAPTURE_WAIT_EVENT: do_wait(p, step); break;
	}
}

/* ---- ends -------------------------------------------------------------------------------------------------------- */

static const char *end_word(enum capture_end end)
{
	static const char *const words[] = { "no more", "bytes", "absent", "present", "quiet", "event" };

	return words[end];
}

static void compare(struct player *p, const struct capture_step *expect)
{
	const struct result *r = &p->result;
	size_t at;

	if (r->err != expect->result) {
		FAULT(p, expect->line, "expected %s, but the driver returned %s (%s)",
		      capture_result_word(expect->result), capture_result_word(r->err), oc_strerr(r->err));
		return;
	}
	if (r->err != OC_OK)
		return;
	if (r->end != expect->end) {
		FAULT(p, expect->line, "expected \"%s\", but it was \"%s\"", end_word(expect->end),
		      end_word(r->end));
		return;
	}
	if (r->end != CAPTURE_END_BYTES)
		return;
	at = replay_difference(&expect->bytes, r->bytes, r->len, SIZE_MAX);
	if (at < r->len || at < expect->bytes.len)
		FAULT(p, expect->line,
		      "expected %zu bytes, the driver returned %zu; they differ from byte %zu on",
		      expect->bytes.len, r->len, at + 1);
}

/* ---- one capture ------------------------------------------------------------------------------------------------- */

/* The state that the fragment begins in; nothing of it is evidence. */
static void prepare(struct player *p)
{
	for (unsigned i = 0; i < p->capture->befores && p->verdict->good; i++) {
		const struct capture_step *step = &p->capture->before[i];

		replay_before(p->replay, step);
		perform(p, step);
		/* A deviation says more than that; leave() tells it. */
		if (replay_deviated(p->replay))
			return;
		if (p->result.err != OC_OK)
			FAULT(p, step->line, "the state before the capture was not reached: %s",
			      oc_strerr(p->result.err));
	}
}

static void perform_all(struct player *p)
{
	const struct capture_step *step;

	while (p->verdict->good && (step = replay_begin(p->replay))) {
		const struct capture_step *expect;

		perform(p, step);
		expect = replay_end(p->replay);
		if (expect)
			compare(p, expect);
		else if (!replay_failure(p->replay))
			FAULT(p, step->line, "this action has no end");
		else
			return;
	}
}

static void leave(struct player *p)
{
	struct transport *t = replay_transport(p->replay);
	const char *failure;

	replay_leave(p->replay);
	if (p->reader)
		reader_close(p->reader);
	else
		t->ops->close(t);
	failure = replay_failure(p->replay);
	if (failure && p->verdict->good) {
		p->verdict->good = false;
		snprintf(p->verdict->why, sizeof p->verdict->why, "%s", failure);
	}
}

static void run(struct player *p)
{
	uint64_t began;

	prepare(p);
	began = replay_now(p->replay);
	perform_all(p);
	p->verdict->ms = replay_now(p->replay) - began;
	if (p->verdict->ms > p->capture->within_ms)
		FAULT(p, 0, "it took %llu ms on the replay's clock; the capture allows %u",
		      (unsigned long long)p->verdict->ms, p->capture->within_ms);
	leave(p);
}

void play(const struct capture *capture, const struct identity *identity, const struct oc_log *log,
	  struct verdict *verdict)
{
	struct player *p = calloc(1, sizeof *p);

	*verdict = (struct verdict){ .good = true };
	if (p)
		p->replay = replay_new(capture);
	if (!p || !p->replay) {
		fault(verdict, capture->file, 0, "there is not enough memory");
		free(p);
		return;
	}
	p->capture = capture;
	p->verdict = verdict;
	p->setup = (struct reader_setup){
		.transport = replay_transport(p->replay),
		.log = log,
		.caps = identity->caps,
		.interface = identity->interface,
		.interrupt = identity->interrupt,
	};
	run(p);
	replay_free(p->replay);
	free(p);
}
