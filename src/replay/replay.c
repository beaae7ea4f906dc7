/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "replay/replay.h"

#include "base/bytes.h"
#include "ccid/message.h"
#include "replay/replay_reader.h"
#include "replay/replay_text.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	SEQ = 6,
	SETUP_LEN = 8,
	REQUEST_ABORT = 0x01,
	TYPE_CLASS_OUT = 0x21,
	PENDING_MAX = 8,
	UNTIMED_US = 1000,
};

enum stage { STAGE_BEFORE, STAGE_CAPTURE, STAGE_LEAVING };

/* A transfer on its way to the driver. */
struct flight {
	bool there;
	const uint8_t *bytes;
	size_t len, padding, at;
	uint8_t seq; /* what stands at bSeq, whatever the bytes say */
	uint64_t due;
};

struct replay {
	struct transport transport;
	const struct capture *capture;
	enum stage stage;
	size_t at; /* the next step */
	uint64_t us;
	uint64_t last; /* when the last message passed */
	bool waited;   /* the time-out at the cursor has been waited for */
	bool answered; /* the last command got at least one transfer */

	/* The read that is posted */
	uint8_t *in;
	size_t cap;
	struct flight flight;

	/* Interrupt transfers that the reader has sent and nobody has fetched */
	struct {
		const struct capture_step *step;
		uint64_t due;
	} pending[PENDING_MAX];
	size_t pendings;

	/* Sequence numbers: the driver's, the captured ones, and the last pair of both */
	bool driver_known, captured_known;
	uint8_t driver_next, captured_next;
	uint8_t driver_seq, captured_seq;

	struct replay_reader reader; /* before the capture, and after it */

	atomic_bool woken, gone;
	bool failed;
	char failure[768];
};

/* ---- deviations -------------------------------------------------------------------------------------------------- */

static void deviate(struct replay *r, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Only the first one counts; from then on the device is gone, so that the driver comes to an end. */
static void deviate(struct replay *r, unsigned line, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (r->failed)
		return;
	r->failed = true;
	n = snprintf(r->failure, sizeof r->failure, "%s:%u: ", r->capture->file, line);
	if (n < 0 || (size_t)n >= sizeof r->failure)
		return;
	va_start(ap, fmt);
	vsnprintf(r->failure + n, sizeof r->failure - (size_t)n, fmt, ap);
	va_end(ap);
}

static bool over(struct replay *r)
{
	return r->failed || atomic_load(&r->gone);
}

/* The line to name where the capture has come to its end. */
static unsigned line_of(const struct replay *r, const struct capture_step *step)
{
	return step ? step->line : r->capture->step[r->capture->steps - 1].line;
}

/* ---- the cursor -------------------------------------------------------------------------------------------------- */

static uint64_t time_of(const struct capture_step *step)
{
	return step->timed ? step->us : UNTIMED_US;
}

static void let_pass(struct replay *r, uint64_t ms)
{
	r->us += ms * 1000;
}

/* Captured numbers go on one by one; a log with holes says so. */
static bool follow_captured(struct replay *r, const struct capture_step *step)
{
	const uint8_t seq = step->bytes.value[SEQ];

	if (step->made || step->bytes.mark[SEQ] != CAPTURE_EVIDENCE)
		return true;
	if (r->captured_known && seq != r->captured_next) {
		deviate(r, step->line,
			"this message has bSeq %02X where %02X comes next; if the log lacks messages, a "
			"\"missing\" line must say so",
			seq, r->captured_next);
		return false;
	}
	r->captured_known = true;
	r->captured_next = (uint8_t)(seq + 1);
	return true;
}

static void queue_interrupt(struct replay *r, const struct capture_step *step)
{
	if (r->pendings == PENDING_MAX) {
		deviate(r, step->line, "more than %d interrupt messages are waiting for the driver",
			PENDING_MAX);
		return;
	}
	r->last = r->us;
	r->pending[r->pendings].step = step;
	r->pending[r->pendings++].due = r->us + time_of(step);
}

/* Pass over what asks nothing of the driver: what is skipped, what is missing, and what the reader says unasked. */
static const struct capture_step *peek(struct replay *r)
{
	while (r->at < r->capture->steps && !over(r)) {
		const struct capture_step *step = &r->capture->step[r->at];

		if (step->skipped && step->kind == CAPTURE_OUT)
			follow_captured(r, step);
		else if (step->kind == CAPTURE_MISSING)
			r->captured_next = (uint8_t)(r->captured_next + step->number);
		else if (step->kind == CAPTURE_INT && !step->skipped)
			queue_interrupt(r, step);
		else if (!step->skipped)
			return step;
		r->at++;
	}
	return NULL;
}

/* The step that the driver's next message has to match: a time-out ends where the driver goes on. */
static const struct capture_step *next_step(struct replay *r)
{
	const struct capture_step *step = peek(r);

	if (step && step->kind == CAPTURE_TIMEOUT && r->waited) {
		r->waited = false;
		r->at++;
		step = peek(r);
	}
	return step;
}

/* ---- what the driver sends --------------------------------------------------------------------------------------- */

/* The driver's numbers go on one by one, too. */
static bool follow_driver(struct replay *r, unsigned line, uint8_t seq)
{
	if (r->driver_known && seq != r->driver_next) {
		deviate(r, line, "the driver sent bSeq %02X where its next number is %02X", seq,
			r->driver_next);
		return false;
	}
	r->driver_known = true;
	r->driver_next = (uint8_t)(seq + 1);
	return true;
}

static bool same_message(struct replay *r, const struct capture_step *step, const uint8_t *out, size_t len)
{
	const struct capture_bytes *b = &step->bytes;
	const size_t at = replay_difference(b, out, len, SEQ);

	if (at < len && at < b->len)
		deviate(r, step->line,
			"expected %s, but the driver sent %s: byte %zu (%s) should be %02X and is %02X, in "
			"%s",
			ccid_type_name(b->value[0]), ccid_type_name(out[0]), at + 1, replay_field(at),
			b->value[at], out[at], replay_hex(out, len).text);
	else if (len != b->len)
		deviate(r, step->line, "expected a message of %zu bytes, but the driver sent %zu: %s", b->len,
			len, replay_hex(out, len).text);
	return !r->failed;
}

static bool match_out(struct replay *r, const uint8_t *out, size_t len)
{
	const struct capture_step *step = next_step(r);

	if (over(r))
		return false;
	if (!step || step->kind != CAPTURE_OUT) {
		deviate(r, line_of(r, step), "expected %s, but the driver sent %s: %s", replay_meaning(step),
			ccid_type_name(out[0]), replay_hex(out, len).text);
		return false;
	}
	if (!same_message(r, step, out, len) || !follow_driver(r, step->line, out[SEQ]) ||
	    !follow_captured(r, step))
		return false;
	if (step->bytes.mark[SEQ] != CAPTURE_ANY)
		r->captured_seq = step->bytes.value[SEQ];
	r->driver_seq = out[SEQ];
	r->at++;
	return true;
}

/* ---- the state before the capture, and after it ------------------------------------------------------------------ */

/* The "before" line in progress, to name it; else the end of the capture. */
static unsigned line_outside(const struct replay *r)
{
	return line_of(r, r->reader.action);
}

static const char *when(const struct replay *r)
{
	return r->stage == STAGE_BEFORE ? "before the capture began" : "while the reader was closed";
}

static enum oc_err answer_by_itself(struct replay *r, const uint8_t *out, size_t len)
{
	size_t n;

	if (!follow_driver(r, line_outside(r), out[SEQ]))
		return OC_E_GONE;
	n = replay_reader_command(&r->reader, out, len);
	if (n == 0) {
		deviate(r, line_outside(r),
			"the driver sent %s (%s) %s, where nothing of that kind is expected",
			ccid_type_name(out[0]), replay_hex(out, len).text, when(r));
		return OC_E_GONE;
	}
	r->answered = false;
	r->flight = (struct flight){
		.there = true,
		.bytes = r->reader.answer,
		.len = n,
		.seq = out[SEQ],
		.due = r->us + UNTIMED_US,
	};
	return OC_OK;
}

static enum oc_err request_by_itself(struct replay *r, const struct transport_setup *setup)
{
	bool works;

	if (replay_reader_request(&r->reader, setup, &works))
		return works ? OC_OK : OC_E_STALL;
	deviate(r, line_outside(r), "the driver made a control request %s: %02X %02X, value %04X", when(r),
		setup->request_type, setup->request, setup->value);
	return OC_E_GONE;
}

/* ---- the calls of the transport ---------------------------------------------------------------------------------- */

static struct replay *of(struct transport *t)
{
	return (struct replay *)(void *)t;
}

static enum oc_err op_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
			   unsigned ms)
{
	struct replay *r = of(t);

	(void)ms;
	if (over(r))
		return OC_E_GONE;
	r->in = in;
	r->cap = cap;
	if (len < CCID_HEADER_LEN) {
		deviate(r, line_of(r, peek(r)), "the driver sent %zu bytes, which is less than a header: %s",
			len, replay_hex(out, len).text);
		return OC_E_GONE;
	}
	if (r->stage != STAGE_CAPTURE)
		return answer_by_itself(r, out, len);
	if (!match_out(r, out, len))
		return OC_E_GONE;
	r->last = r->us;
	r->answered = false;
	return OC_OK;
}

/* Put the next captured answer on its way. */
static void take_off(struct replay *r, const struct capture_step *step)
{
	const struct capture_bytes *b = &step->bytes;
	const struct capture_step *next;
	uint8_t seq = r->driver_seq;

	/* Numbers are as far from the driver's as they were from the captured driver's. */
	if (b->len > SEQ && b->mark[SEQ] == CAPTURE_EVIDENCE)
		seq = (uint8_t)(b->value[SEQ] - r->captured_seq + r->driver_seq);
	r->flight = (struct flight){
		.there = true,
		.bytes = b->value,
		.len = b->len,
		.seq = seq,
		.due = r->last + time_of(step),
	};
	r->at++;
	next = peek(r);
	if (next && next->kind == CAPTURE_PADDING) {
		r->flight.padding = next->number;
		r->at++;
	}
}

/* Fill the posted read. A transfer that fills it goes on in the next read. */
static size_t land(struct replay *r)
{
	struct flight *f = &r->flight;
	const size_t whole = f->len + f->padding;
	const size_t n = whole - f->at < r->cap ? whole - f->at : r->cap;

	for (size_t i = 0; i < n; i++, f->at++)
		r->in[i] = f->at == SEQ ? f->seq : f->at < f->len ? f->bytes[f->at] : 0;
	f->there = f->at < whole;
	r->last = r->us;
	r->answered = true;
	return n;
}

/* Nothing is on its way: is that what was captured? */
static enum oc_err nothing_comes(struct replay *r, const struct capture_step *step, unsigned ms)
{
	if (step && step->kind == CAPTURE_TIMEOUT)
		r->waited = true;
	else if (!r->answered && r->stage == STAGE_CAPTURE)
		deviate(r, line_of(r, step), "expected %s, but the driver waits for an answer",
			replay_meaning(step));
	if (over(r))
		return OC_E_GONE;
	let_pass(r, ms);
	return OC_E_TIMEOUT;
}

static enum oc_err op_recv(struct transport *t, size_t *len, unsigned ms)
{
	struct replay *r = of(t);
	const struct capture_step *step;

	if (over(r))
		return OC_E_GONE;
	step = r->stage == STAGE_CAPTURE ? peek(r) : NULL;
	if (!r->flight.there && step && step->kind == CAPTURE_IN) {
		take_off(r, step);
		step = NULL;
	}
	if (!r->flight.there)
		return nothing_comes(r, step, ms);
	if (r->flight.due > r->us + (uint64_t)ms * 1000) {
		let_pass(r, ms);
		return OC_E_TIMEOUT;
	}
	if (r->flight.due > r->us)
		r->us = r->flight.due;
	*len = land(r);
	return over(r) ? OC_E_GONE : OC_OK;
}

/* ABORT carries the number of the message that follows it (CCID rev 1.1, 5.3.1); refused, the number is lost. */
static bool follow_abort(struct replay *r, const struct capture_step *step, const struct transport_setup *s)
{
	if (s->request_type != TYPE_CLASS_OUT || s->request != REQUEST_ABORT)
		return true;
	if (!follow_driver(r, step->line, (uint8_t)(s->value >> 8)))
		return false;
	/* Accepted, it is used once more by PC_to_RDR_Abort. */
	if (!step->stalls)
		r->driver_next--;
	return true;
}

/* The eight bytes as they go over the bus (USB 2.0, table 9-2), and the data of an OUT request. */
static bool same_request(struct replay *r, const struct capture_step *step, const struct transport_setup *s,
			 const uint8_t *data, size_t len)
{
	const struct capture_bytes *b = &step->bytes;
	const bool to_host = s->request_type & 0x80;
	uint8_t setup[SETUP_LEN];
	struct wr w = wr_of(setup, sizeof setup);

	wr_u8(&w, s->request_type);
	wr_u8(&w, s->request);
	wr_le16(&w, s->value);
	wr_le16(&w, s->index);
	wr_le16(&w, (uint16_t)len);
	for (size_t i = 0; i < SETUP_LEN + (to_host ? 0 : len); i++) {
		const uint8_t got = i < SETUP_LEN ? setup[i] : data[i - SETUP_LEN];

		if (i < b->len && (b->mark[i] != CAPTURE_EVIDENCE || b->value[i] == got))
			continue;
		deviate(r, step->line, "the driver made another control request: %s, byte %zu differs",
			replay_hex(setup, sizeof setup).text, i + 1);
		return false;
	}
	return true;
}

static enum oc_err op_control(struct transport *t, const struct transport_setup *setup, uint8_t *data,
			      size_t *len, unsigned ms)
{
	struct replay *r = of(t);
	const struct capture_step *step;
	size_t n;

	(void)ms;
	if (!over(r) && r->stage != STAGE_CAPTURE)
		return request_by_itself(r, setup);
	step = over(r) ? NULL : next_step(r);
	if (over(r))
		return OC_E_GONE;
	if (!step || step->kind != CAPTURE_CONTROL) {
		deviate(r, line_of(r, step),
			"expected %s, but the driver made a control request: %02X %02X, value %04X",
			replay_meaning(step), setup->request_type, setup->request, setup->value);
		return OC_E_GONE;
	}
	if (!same_request(r, step, setup, data, *len) || !follow_abort(r, step, setup))
		return OC_E_GONE;
	r->at++;
	r->us += time_of(step);
	if (step->stalls)
		return OC_E_STALL;
	n = step->bytes.len - SETUP_LEN;
	*len = n < *len ? n : *len;
	if (setup->request_type & 0x80 && *len)
		memcpy(data, step->bytes.value + SETUP_LEN, *len);
	return OC_OK;
}

static enum oc_err op_clear_halt(struct transport *t)
{
	struct replay *r = of(t);
	const struct capture_step *step = over(r) ? NULL : next_step(r);

	if (over(r))
		return OC_E_GONE;
	if (r->stage != STAGE_CAPTURE || !step || step->kind != CAPTURE_CLEAR_HALT) {
		deviate(r, line_of(r, step), "expected %s, but the driver cleared the halt of its bulk pipes",
			replay_meaning(step));
		return OC_E_GONE;
	}
	r->at++;
	return OC_OK;
}

/* No capture tells of it, since it is nothing that the reader answers. */
static enum oc_err op_clear_interrupt(struct transport *t)
{
	return over(of(t)) ? OC_E_GONE : OC_OK;
}

static enum oc_err op_interrupt(struct transport *t, uint8_t *buf, size_t cap, size_t *len, unsigned ms)
{
	struct replay *r = of(t);
	const struct capture_bytes *b;

	if (!over(r) && r->stage == STAGE_CAPTURE)
		peek(r);
	if (over(r))
		return OC_E_GONE;
	if (r->capture->endpoints < 3)
		return OC_E_UNSUPPORTED;
	if (atomic_exchange(&r->woken, false))
		return OC_E_STOPPED;
	if (r->pendings == 0 || r->pending[0].due > r->us + (uint64_t)ms * 1000) {
		let_pass(r, ms);
		return OC_E_TIMEOUT;
	}
	if (r->pending[0].due > r->us)
		r->us = r->pending[0].due;
	b = &r->pending[0].step->bytes;
	*len = b->len < cap ? b->len : cap;
	memcpy(buf, b->value, *len);
	memmove(r->pending, r->pending + 1, --r->pendings * sizeof r->pending[0]);
	return OC_OK;
}

static void op_wake(struct transport *t)
{
	atomic_store(&of(t)->woken, true);
}

static void op_gone(struct transport *t)
{
	atomic_store(&of(t)->gone, true);
}

static uint64_t op_now(struct transport *t)
{
	return of(t)->us / 1000;
}

static void op_pause(struct transport *t, unsigned ms)
{
	let_pass(of(t), ms);
}

static void op_close(struct transport *t)
{
	atomic_store(&of(t)->gone, true);
}

/* ---- the calls of the player ------------------------------------------------------------------------------------- */

struct replay *replay_new(const struct capture *capture)
{
	static const struct transport_ops ops = {
		.send = op_send,
		.recv = op_recv,
		.control = op_control,
		.clear_halt = op_clear_halt,
		.clear_interrupt = op_clear_interrupt,
		.interrupt = op_interrupt,
		.wake = op_wake,
		.gone = op_gone,
		.now = op_now,
		.pause = op_pause,
		.close = op_close,
	};
	struct replay *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->transport.ops = &ops;
	r->capture = capture;
	atomic_init(&r->woken, false);
	atomic_init(&r->gone, false);
	return r;
}

struct transport *replay_transport(struct replay *replay)
{
	return &replay->transport;
}

void replay_before(struct replay *replay, const struct capture_step *action)
{
	replay->stage = STAGE_BEFORE;
	replay_reader_begin(&replay->reader, action);
}

const struct capture_step *replay_begin(struct replay *replay)
{
	const struct capture_step *step;

	replay->stage = STAGE_CAPTURE;
	step = peek(replay);
	if (over(replay) || !step)
		return NULL;
	replay->at++;
	replay->waited = false;
	return step;
}

const struct capture_step *replay_end(struct replay *replay)
{
	const struct capture_step *step = next_step(replay);

	if (over(replay) || !step)
		return NULL;
	/* Padding may stay in the pipe until the next command; an answer that nobody waited for may not. */
	if (step->kind != CAPTURE_EXPECT || (replay->flight.there && !replay->answered)) {
		deviate(replay, step->line, "the driver came to an end, where %s was expected%s%s",
			replay->flight.there ? "reading an answer" : replay_meaning(step),
			step->kind == CAPTURE_OUT ? ": " : "",
			step->kind == CAPTURE_OUT ? replay_hex(step->bytes.value, step->bytes.len).text : "");
		return NULL;
	}
	replay->at++;
	return step;
}

void replay_leave(struct replay *replay)
{
	replay->stage = STAGE_LEAVING;
	replay_reader_begin(&replay->reader, NULL);
}

const char *replay_failure(struct replay *replay)
{
	if (!replay->failed && replay->at < replay->capture->steps)
		deviate(replay, replay->capture->step[replay->at].line,
			"the replay ended here; this step was not used");
	if (!replay->failed && replay->pendings)
		deviate(replay, replay->pending[0].step->line,
			"the driver never fetched this interrupt message");
	return replay->failed ? replay->failure : NULL;
}

bool replay_deviated(const struct replay *replay)
{
	return replay->failed;
}

uint64_t replay_now(const struct replay *replay)
{
	return replay->us / 1000;
}

void replay_free(struct replay *replay)
{
	free(replay);
}
