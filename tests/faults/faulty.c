/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "faulty.h"

#include "faults.h"

#include <stdlib.h>
#include <string.h>

enum { REQUEST_ABORT = 0x01, BYTE_STATUS = 7, TYPE_SECURE = 0x69, RESET_MS = 300, NOTIFY = 0x50 };

static struct faulty *of(struct transport *t)
{
	return (struct faulty *)(void *)t;
}

/* ---- what is on its way to the host ---- */

static void drop(struct faulty *f, unsigned at)
{
	free(f->queue[at].bytes);
	f->queued--;
	memmove(&f->queue[at], &f->queue[at + 1], (f->queued - at) * sizeof f->queue[0]);
}

static struct pending *put(struct faulty *f, const uint8_t *bytes, size_t len, uint64_t ready)
{
	struct pending *q;

	if (f->queued == FAULTY_QUEUE)
		drop(f, 0);
	q = &f->queue[f->queued++];
	*q = (struct pending){ .ready = ready, .len = len, .bytes = malloc(len + 1) };
	if (!q->bytes)
		abort();
	if (len)
		memcpy(q->bytes, bytes, len);
	return q;
}

void faulty_pass(struct faulty *f, const uint8_t *bytes, size_t len, uint64_t ready)
{
	put(f, bytes, len, ready);
}

void faulty_pass_late(struct faulty *f, const uint8_t *bytes, size_t len)
{
	put(f, bytes, len, UINT64_MAX)->late = true;
}

void faulty_pass_error(struct faulty *f, enum oc_err err)
{
	put(f, NULL, 0, f->clock)->err = err;
}

void faulty_repeat(struct faulty *f, const uint8_t *bytes, size_t len, unsigned count, unsigned every_ms)
{
	f->repeating.left = count;
	f->repeating.every_ms = every_ms;
	f->repeating.next = f->clock + every_ms;
	f->repeating.len = len;
	if (len)
		memcpy(f->repeating.message, bytes, len);
}

void faulty_damage(struct faulty *f, enum sim_damage_kind kind)
{
	f->damaging = true;
	f->damage = kind;
}

void faulty_pull(struct faulty *f)
{
	if (f->before_pull)
		f->before_pull(f->arg);
	if (sim_reader_remove(f->reader, 0, f->clock) == 0)
		f->pulled = true;
	f->icc = 2;
}

void faulty_notify(struct faulty *f, unsigned count)
{
	f->notices = count;
	if (f->listen)
		f->listen(f->arg);
}

static void start_afresh(struct faulty *f)
{
	sim_reader_bus_reset(f->reader);
	while (f->queued)
		drop(f, 0);
	f->repeating.left = 0;
	f->halted_in = f->halted_out = f->damaging = false;
	f->icc = f->icc ? f->icc : 1;
	f->restarts++;
	if (f->deaf != DEAF_FOR_LONG)
		f->deaf = HEARS;
}

void faulty_restart(struct faulty *f, bool quiet)
{
	start_afresh(f);
	f->restarted = !quiet;
}

/* The next one that is ready, into the read; false if there is none. A message that is longer than the read comes in parts. */
static bool deliver(struct faulty *f, size_t *len, enum oc_err *err)
{
	for (unsigned i = 0; i < f->queued; i++) {
		struct pending *q = &f->queue[i];

		if (q->ready > f->clock)
			continue;
		*err = q->err;
		*len = q->len < f->cap ? q->len : f->cap;
		if (*len)
			memcpy(f->in, q->bytes, *len);
		q->len -= *len;
		q->begun = true;
		memmove(q->bytes, q->bytes + *len, q->len);
		if (!q->len)
			drop(f, i);
		return true;
	}
	if (!f->repeating.left || f->repeating.next > f->clock)
		return false;
	f->repeating.left--;
	f->repeating.next += f->repeating.every_ms;
	memcpy(f->in, f->repeating.message, f->repeating.len);
	*len = f->repeating.len;
	*err = OC_OK;
	return true;
}

/* When there will be something. */
static uint64_t next_ready(const struct faulty *f)
{
	uint64_t next = sim_reader_next(f->reader, f->clock);

	for (unsigned i = 0; i < f->queued; i++)
		if (f->queue[i].ready < next)
			next = f->queue[i].ready;
	if (f->repeating.left && f->repeating.next < next)
		next = f->repeating.next;
	return next;
}

/* ---- faults ---- */

/* Does a fault strike here? While they are armed, events are counted. */
static bool struck(struct faulty *f, enum event kind, struct passing *passing)
{
	unsigned number;

	if (!f->armed)
		return false;
	number = f->events++;
	if (number < FAULTY_EVENTS)
		f->kind[number] = (uint8_t)kind;
	for (unsigned i = 0; i < f->strikes; i++) {
		struct strike *s = &f->strike[i];

		if (s->struck || s->fault->event != kind || number < s->at)
			continue;
		s->struck = true;
		s->fault->strike(f, s, passing);
		return true;
	}
	return false;
}

void faulty_arm(struct faulty *f, const struct strike *strikes, unsigned count)
{
	f->events = f->calls = 0;
	f->armed = true;
	f->strikes = count;
	if (count)
		memcpy(f->strike, strikes, count * sizeof strikes[0]);
}

void faulty_disarm(struct faulty *f)
{
	f->armed = false;
	f->strikes = 0;
	f->calls = 0;
	f->deaf = HEARS;
}

/* ---- the transport ---- */

/* The device is gone, or the driver has gone mad. */
static bool over(struct faulty *f)
{
	if (++f->calls > FAULTY_CALLS)
		f->runaway = true;
	return f->gone || f->runaway;
}

static void undamage(struct faulty *f)
{
	if (f->damaging)
		sim_reader_damage(f->reader, f->damage, 0);
	f->damaging = false;
}

/* Has the system ended what is at work? */
static bool is_ended(struct faulty *f)
{
	const bool ended = f->restarted;

	f->restarted = false;
	return ended;
}

/* The reader gets it; a block of T=1 may be spoilt on its way to the card or back. */
static enum sim_io hand_over(struct faulty *f, const uint8_t *bytes, size_t len)
{
	enum sim_io io;

	if (f->damaging)
		sim_reader_damage(f->reader, f->damage, 1);
	io = sim_reader_bulk_out(f->reader, bytes, len, f->clock);
	if (bytes[0] != TYPE_SECURE)
		undamage(f);
	return io;
}

static bool half_read(const struct faulty *f)
{
	for (unsigned i = 0; i < f->queued; i++)
		if (f->queue[i].begun)
			return true;
	return false;
}

static void flush(struct faulty *f)
{
	for (unsigned i = f->queued; i-- > 0;)
		if (f->queue[i].begun)
			drop(f, i);
}

static enum oc_err faulty_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
			       unsigned ms)
{
	struct faulty *f = of(t);
	struct passing p = { .bytes = out, .len = len, .reaches = f->deaf == HEARS };

	if (over(f))
		return OC_E_GONE;
	f->in = in;
	f->cap = cap;
	f->repeating.left = 0;
	struck(f, EVENT_OUT, &p);
	if (f->gone)
		return OC_E_GONE;
	if (is_ended(f))
		return OC_E_RESTARTED;
	if (f->halted_out)
		return OC_E_STALL;
	if (half_read(f)) {
		f->clock += ms;
		return OC_E_TIMEOUT;
	}
	if (p.reaches && hand_over(f, out, len) == SIM_STALL)
		return OC_E_STALL;
	if (p.err == OC_E_TIMEOUT)
		f->clock += ms;
	return p.err;
}

/* Take what the reader has to say now, and damage it on the way. */
static bool fetch(struct faulty *f)
{
	struct passing p = { .bytes = f->message };

	if (sim_reader_bulk_in(f->reader, f->message, sizeof f->message, &p.len, f->clock) != SIM_DONE)
		return false;
	undamage(f);
	if (p.len > BYTE_STATUS)
		f->icc = f->message[BYTE_STATUS] & 3;
	if (f->deaf == HEARS && !struck(f, EVENT_IN, &p))
		faulty_pass(f, p.bytes, p.len, f->clock);
	return true;
}

static void let_late_ones_go(struct faulty *f)
{
	for (unsigned i = 0; i < f->queued; i++)
		if (f->queue[i].late)
			f->queue[i].ready = f->clock;
}

static enum oc_err faulty_recv(struct transport *t, size_t *len, unsigned ms)
{
	struct faulty *f = of(t);
	const uint64_t until = f->clock + ms;
	enum oc_err err;

	*len = 0;
	if (over(f))
		return OC_E_GONE;
	for (;;) {
		uint64_t next;

		if (f->gone)
			return OC_E_GONE;
		if (is_ended(f))
			return OC_E_RESTARTED;
		if (f->halted_in)
			return OC_E_STALL;
		if (deliver(f, len, &err))
			return err;
		if (fetch(f))
			continue;
		if (f->clock >= until) {
			let_late_ones_go(f);
			return OC_E_TIMEOUT;
		}
		next = next_ready(f);
		f->clock = next < until ? next : until;
	}
}

/* An ABORT ends what the reader was at, if it gets that far. */
static enum oc_err class_request(struct faulty *f, const struct transport_setup *setup, uint8_t *data,
				 size_t *len)
{
	const uint8_t bytes[8] = { setup->request_type,   setup->request,
				   (uint8_t)setup->value, (uint8_t)(setup->value >> 8),
				   (uint8_t)setup->index, (uint8_t)(setup->index >> 8),
				   (uint8_t)*len,         (uint8_t)(*len >> 8) };
	const bool abort = setup->request == REQUEST_ABORT;

	sim_reader_refuse_abort(f->reader, f->refuse_abort);
	if (sim_reader_control(f->reader, bytes, data, len, f->clock) != SIM_DONE)
		return OC_E_STALL;
	if (abort) {
		f->repeating.left = 0;
		f->deaf = HEARS;
	}
	return OC_OK;
}

static enum oc_err faulty_control(struct transport *t, const struct transport_setup *setup, uint8_t *data,
				  size_t *len, unsigned ms)
{
	struct faulty *f = of(t);
	struct passing p = { .reaches = f->deaf == HEARS || f->deaf == DEAF_UNTIL_ABORT };
	enum oc_err err = OC_E_TIMEOUT;

	if (over(f))
		return OC_E_GONE;
	struck(f, EVENT_CONTROL, &p);
	if (f->gone)
		return OC_E_GONE;
	if (p.reaches)
		err = class_request(f, setup, data, len);
	if (p.err != OC_OK)
		err = p.err;
	if (err == OC_E_TIMEOUT)
		f->clock += ms;
	return err;
}

static enum oc_err faulty_clear_halt(struct transport *t)
{
	struct faulty *f = of(t);
	struct passing p = { .reaches = true };

	if (over(f))
		return OC_E_GONE;
	struck(f, EVENT_HALT, &p);
	if (f->gone)
		return OC_E_GONE;
	if (p.err != OC_OK)
		return p.err;
	f->halted_in = f->halted_out = false;
	flush(f);
	if (f->deaf == DEAF_UNTIL_HALT)
		f->deaf = HEARS;
	sim_reader_clear_halt(f->reader, true);
	sim_reader_clear_halt(f->reader, false);
	return OC_OK;
}

static enum oc_err faulty_reset(struct transport *t)
{
	struct faulty *f = of(t);
	struct passing p = { .reaches = true };

	if (over(f))
		return OC_E_GONE;
	if (f->no_reset)
		return OC_E_UNSUPPORTED;
	f->clock += RESET_MS;
	struck(f, EVENT_RESET, &p);
	if (f->gone)
		return OC_E_GONE;
	if (p.err != OC_OK)
		return p.err;
	start_afresh(f);
	return OC_OK;
}

static unsigned faulty_restarts(struct transport *t)
{
	return of(t)->restarts;
}

static enum oc_err faulty_clear_interrupt(struct transport *t)
{
	return of(t)->gone ? OC_E_GONE : OC_OK;
}

static enum oc_err faulty_interrupt(struct transport *t, uint8_t *buf, size_t cap, size_t *len, unsigned ms)
{
	struct faulty *f = of(t);

	*len = 0;
	if (f->gone)
		return OC_E_GONE;
	if (!f->notices || cap < 2) {
		f->clock += ms;
		return OC_E_TIMEOUT;
	}
	f->notices--;
	f->notice ^= 1;
	buf[0] = NOTIFY;
	buf[1] = 0x02 | f->notice;
	*len = 2;
	return OC_OK;
}

static void faulty_wake(struct transport *t)
{
	(void)t;
}

static void faulty_gone(struct transport *t)
{
	of(t)->gone = true;
}

static uint64_t faulty_now(struct transport *t)
{
	return of(t)->clock;
}

static void faulty_pause(struct transport *t, unsigned ms)
{
	of(t)->clock += ms;
}

/* The test owns it. */
static void faulty_close(struct transport *t)
{
	of(t)->closed = true;
}

static const struct transport_ops faulty_ops = {
	.send = faulty_send,
	.recv = faulty_recv,
	.control = faulty_control,
	.clear_halt = faulty_clear_halt,
	.reset = faulty_reset,
	.restarts = faulty_restarts,
	.clear_interrupt = faulty_clear_interrupt,
	.interrupt = faulty_interrupt,
	.wake = faulty_wake,
	.gone = faulty_gone,
	.now = faulty_now,
	.pause = faulty_pause,
	.close = faulty_close,
};

void faulty_begin(struct faulty *f, struct sim_reader *reader)
{
	memset(f, 0, sizeof *f);
	f->transport.ops = &faulty_ops;
	f->reader = reader;
	f->clock = 1000;
	f->icc = 1;
}

void faulty_end(struct faulty *f)
{
	while (f->queued)
		drop(f, 0);
}
