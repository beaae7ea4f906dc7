/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "script.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MAX_CALLS = 50000, SEQ_AT = 6, ABORT_TYPE = 0x72 };

static struct script *script_of(struct transport *t)
{
	return (struct script *)(void *)t;
}

static void fault(struct script *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fault(struct script *s, const char *fmt, ...)
{
	va_list args;

	if (s->error[0])
		return;
	va_start(args, fmt);
	vsnprintf(s->error, sizeof s->error, fmt, args);
	va_end(args);
}

static void hex(char *out, size_t cap, const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	out[0] = 0;
	for (size_t i = 0; i < len && i < 24 && at + 4 < cap; i++)
		at += (size_t)snprintf(out + at, cap - at, "%02X ", bytes[i]);
}

static void next_step(struct script *s)
{
	s->step++;
	s->since = s->clock;
	s->taken = 0;
}

/* Begin a call: false if the device is gone or the driver runs in circles. */
static bool enter(struct script *s, enum oc_err *err)
{
	pthread_mutex_lock(&s->lock);
	if (++s->calls > MAX_CALLS) {
		fault(s, "more than %d calls: the driver does not come to an end", MAX_CALLS);
		s->gone = true;
	}
	if (s->step->kind == SCRIPT_UNPLUG) {
		s->gone = true;
		next_step(s);
	}
	*err = s->gone ? OC_E_GONE : OC_OK;
	return !s->gone;
}

static enum oc_err leave(struct script *s, enum oc_err err)
{
	pthread_mutex_unlock(&s->lock);
	return err;
}

static bool same_out(const struct script *s, const struct script_step *step, const uint8_t *out, size_t len)
{
	if (len != step->len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (out[i] != step->bytes[i] && (step->raw || i != SEQ_AT))
			return false;
	/* CCID rev 1.1, 5.3.1: both halves of an ABORT carry the same bSeq */
	return !(s->abort_pending && out[0] == ABORT_TYPE && out[SEQ_AT] != s->abort_seq);
}

static void wrong_out(struct script *s, const struct script_step *step, const uint8_t *out, size_t len)
{
	char got[80], want[80];

	hex(got, sizeof got, out, len);
	hex(want, sizeof want, step->bytes, step->kind == SCRIPT_OUT ? step->len : 0);
	fault(s, "sent %zu bytes %s; the script has %s%s (step kind %d)", len, got,
	      step->kind == SCRIPT_OUT ? want : "no send here",
	      s->abort_pending ? " with the bSeq of ABORT" : "", (int)step->kind);
}

static enum oc_err op_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
			   unsigned ms)
{
	struct script *s = script_of(t);
	const struct script_step *step;
	enum oc_err err;

	if (!enter(s, &err))
		return leave(s, err);
	step = s->step;
	s->in = in;
	s->cap = cap;
	if (step->kind != SCRIPT_OUT || !same_out(s, step, out, len)) {
		wrong_out(s, step, out, len);
		return leave(s, OC_E_IO);
	}
	if (s->clock < s->since + step->rest)
		fault(s, "sent too soon: %u ms of rest were due", step->rest);
	s->abort_pending = false;
	s->seq = len > SEQ_AT ? out[SEQ_AT] : 0;
	s->clock += step->ms < ms ? step->ms : ms;
	next_step(s);
	return leave(s, step->err);
}

/* A command beside the one that waits; answers are still counted from that one. */
static enum oc_err op_beside(struct transport *t, const uint8_t *out, size_t len, unsigned ms)
{
	struct script *s = script_of(t);
	enum oc_err err;

	(void)ms;
	if (!enter(s, &err))
		return leave(s, err);
	if (s->step->kind != SCRIPT_OUT || !same_out(s, s->step, out, len)) {
		wrong_out(s, s->step, out, len);
		return leave(s, OC_E_IO);
	}
	s->abort_pending = false;
	err = s->step->err;
	next_step(s);
	return leave(s, err);
}

/* A reader that shares its device, unless the script says otherwise. */
static enum oc_err op_reset(struct transport *t)
{
	struct script *s = script_of(t);
	enum oc_err err;

	if (!enter(s, &err))
		return leave(s, err);
	if (s->step->kind != SCRIPT_RESET)
		return leave(s, OC_E_UNSUPPORTED);
	s->clock += s->step->ms;
	err = s->step->err;
	next_step(s);
	return leave(s, err);
}

/* Copy what fits of the step's bytes; the rest waits for the next read, as it does on the bus. */
static size_t deliver(struct script *s, const struct script_step *step)
{
	size_t total = step->len + step->pad, n = 0;

	for (; n < s->cap && s->taken < total; n++, s->taken++) {
		size_t i = s->taken;
		uint8_t byte = i < step->len ? step->bytes[i] : 0;

		if (i == SEQ_AT && !step->raw && i < step->len)
			byte = (uint8_t)(byte + s->seq);
		s->in[n] = byte;
	}
	if (s->taken == total)
		next_step(s);
	return n;
}

static enum oc_err op_recv(struct transport *t, size_t *len, unsigned ms)
{
	struct script *s = script_of(t);
	static const struct script_step nothing;
	const struct script_step *step;
	enum oc_err err;
	unsigned after;

	if (s->step->kind == SCRIPT_OTHER && s->other) {
		next_step(s);
		s->other(s->other_arg);
	}
	if (!enter(s, &err))
		return leave(s, err);
	step = s->step->kind == SCRIPT_IN ? s->step : &nothing;
	after = s->since + step->ms > s->clock ? (unsigned)(s->since + step->ms - s->clock) : 0;
	if (!s->in)
		fault(s, "recv() without a buffer from send()");
	if (step == &nothing || !s->in || after > ms) {
		s->clock += ms;
		return leave(s, OC_E_TIMEOUT);
	}
	s->clock += after;
	if (step->err != OC_OK) {
		next_step(s);
		return leave(s, step->err);
	}
	*len = deliver(s, step);
	return leave(s, OC_OK);
}

static enum oc_err op_control(struct transport *t, const struct transport_setup *setup, uint8_t *data,
			      size_t *len, unsigned ms)
{
	struct script *s = script_of(t);
	const struct script_step *step;
	enum oc_err err;

	(void)data;
	(void)ms;
	s->control_at = s->clock;
	if (!enter(s, &err))
		return leave(s, err);
	step = s->step;
	if (step->kind != SCRIPT_CONTROL || setup->request_type != step->bytes[0] ||
	    setup->request != step->bytes[1] || (setup->value & 0xFF) != step->bytes[2] ||
	    setup->index != step->bytes[3]) {
		fault(s, "control request %02X %02X %04X %04X is not in the script here (step kind %d)",
		      setup->request_type, setup->request, setup->value, setup->index, (int)step->kind);
		return leave(s, OC_E_STALL);
	}
	if (len)
		*len = 0;
	s->abort_seq = (uint8_t)(setup->value >> 8);
	s->abort_pending = true;
	next_step(s);
	return leave(s, step->err);
}

static enum oc_err clear(struct transport *t, enum script_kind kind, const char *call)
{
	struct script *s = script_of(t);
	enum oc_err err;

	if (!enter(s, &err))
		return leave(s, err);
	if (s->step->kind != kind) {
		fault(s, "%s() is not in the script here (step kind %d)", call, (int)s->step->kind);
		return leave(s, OC_OK);
	}
	err = s->step->err;
	next_step(s);
	return leave(s, err);
}

static enum oc_err op_clear_halt(struct transport *t)
{
	return clear(t, SCRIPT_HALT, "clear_halt");
}

static unsigned op_restarts(struct transport *t)
{
	return script_of(t)->restarts;
}

static enum oc_err op_clear_interrupt(struct transport *t)
{
	return clear(t, SCRIPT_HALT_INTERRUPT, "clear_interrupt");
}

static enum oc_err event_result(struct script *s, uint8_t *buf, size_t cap, size_t *len)
{
	enum oc_err err = s->event_err;

	if (s->gone)
		return OC_E_GONE;
	if (s->woken) {
		s->woken = false;
		return OC_E_STOPPED;
	}
	s->event_err = OC_OK;
	if (err != OC_OK)
		return err;
	if (!s->event_len)
		return OC_E_TIMEOUT;
	*len = s->event_len < cap ? s->event_len : cap;
	memcpy(buf, s->event, *len);
	s->event_len = 0;
	return OC_OK;
}

/* The one call that sleeps in real time, since other threads end it. */
static enum oc_err op_interrupt(struct transport *t, uint8_t *buf, size_t cap, size_t *len, unsigned ms)
{
	struct script *s = script_of(t);
	struct timespec until;
	enum oc_err err;
	int waited = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&s->lock);
	if (++s->listening > 1)
		fault(s, "two threads in interrupt() at a time");
	pthread_cond_broadcast(&s->changed);
	while (!s->gone && !s->woken && !s->event_len && s->event_err == OC_OK && waited != ETIMEDOUT)
		waited = pthread_cond_timedwait(&s->changed, &s->lock, &until);
	s->listening--;
	if (waited == ETIMEDOUT)
		s->clock += ms;
	err = event_result(s, buf, cap, len);
	pthread_mutex_unlock(&s->lock);
	return err;
}

static void op_wake(struct transport *t)
{
	struct script *s = script_of(t);

	pthread_mutex_lock(&s->lock);
	s->woken = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void op_gone(struct transport *t)
{
	struct script *s = script_of(t);

	pthread_mutex_lock(&s->lock);
	s->gone = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static uint64_t op_now(struct transport *t)
{
	struct script *s = script_of(t);
	uint64_t now;

	pthread_mutex_lock(&s->lock);
	now = s->clock;
	pthread_mutex_unlock(&s->lock);
	return now;
}

static void op_pause(struct transport *t, unsigned ms)
{
	struct script *s = script_of(t);

	pthread_mutex_lock(&s->lock);
	s->clock += ms;
	pthread_mutex_unlock(&s->lock);
}

static void op_close(struct transport *t)
{
	script_of(t)->closed = true;
}

static const struct transport_ops ops = {
	.send = op_send,
	.recv = op_recv,
	.beside = op_beside,
	.control = op_control,
	.clear_halt = op_clear_halt,
	.reset = op_reset,
	.restarts = op_restarts,
	.clear_interrupt = op_clear_interrupt,
	.interrupt = op_interrupt,
	.wake = op_wake,
	.gone = op_gone,
	.now = op_now,
	.pause = op_pause,
	.close = op_close,
};

const struct script_step script_nothing[] = { END };

void script_begin(struct script *script, const struct script_step *steps)
{
	memset(script, 0, sizeof *script);
	script->transport.ops = &ops;
	script->step = steps;
	pthread_mutex_init(&script->lock, NULL);
	pthread_cond_init(&script->changed, NULL);
}

void script_continue(struct script *script, const struct script_step *steps)
{
	script_fault(script);
	script->step = steps;
	script->taken = 0;
	script->since = script->clock;
}

void script_event(struct script *script, const uint8_t *bytes, size_t len)
{
	pthread_mutex_lock(&script->lock);
	memcpy(script->event, bytes, len < SCRIPT_EVENT_LEN ? len : SCRIPT_EVENT_LEN);
	script->event_len = len;
	pthread_cond_broadcast(&script->changed);
	pthread_mutex_unlock(&script->lock);
}

bool script_wait_listener(struct script *script)
{
	struct timespec until;
	bool there;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 2;
	pthread_mutex_lock(&script->lock);
	while (!script->listening &&
	       pthread_cond_timedwait(&script->changed, &script->lock, &until) != ETIMEDOUT)
		;
	there = script->listening > 0;
	pthread_mutex_unlock(&script->lock);
	return there;
}

const char *script_fault(struct script *script)
{
	const struct script_step *step = script->step;
	char bytes[80];

	if (step->kind != SCRIPT_STOP) {
		hex(bytes, sizeof bytes, step->bytes, step->len);
		fault(script, "a step of kind %d is left: %s", (int)step->kind, bytes);
	}
	return script->error[0] ? script->error : NULL;
}

void script_end(struct script *script)
{
	pthread_cond_destroy(&script->changed);
	pthread_mutex_destroy(&script->lock);
}

static void log_write(void *arg, enum oc_log_level level, const char *line)
{
	struct script_log *log = arg;

	log->count[level]++;
	snprintf(log->last[level], sizeof log->last[level], "%s", line);
}

void script_log_begin(struct script_log *log)
{
	memset(log, 0, sizeof *log);
	log->log = (struct oc_log){ .mask = 15, .write = log_write, .arg = log };
}
