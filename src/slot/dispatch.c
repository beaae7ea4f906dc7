/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slot/dispatch.h"

#include "base/bytes.h"
#include "ccid/message.h"
#include "ccid/status.h"
#include "slot/wait.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	HELD_MS = 1000,  /* an owner that is on its way takes its message at once */
	NUDGE_MS = 5,    /* between two tries to end the call that listens */
	MAX_STRAYS = 64, /* messages for nobody in one call */
	SLOT_AT = 5,
	SEQ_AT = 6,
};

/* An answer that is still to come */
struct debt {
	bool open;
	uint8_t seq;
};

/* The transport of one slot. All under dispatch.lock. */
struct lane {
	struct transport base;
	struct dispatch *dispatch;
	uint8_t slot;
	uint8_t *in; /* where its answers go: the buffer of its port, as of the last send() */
	size_t cap;
	bool waits;               /* a thread is in recv() */
	struct debt sent, beside; /* by send() and by beside() */
	bool cut_off;             /* the command that runs was lost in a reset */
	unsigned resets;          /* of which it has heard an answer since */
};

struct dispatch {
	struct transport *bus;
	const struct oc_log *log;
	pthread_mutex_t lock;
	pthread_cond_t changed;

	/* Under lock. Who does something on the bus says so and lets go of the lock. */
	bool listening;      /* somebody is in recv(), or in the send() that posts its read */
	bool sending;        /* somebody is in send() or beside() */
	unsigned controls;   /* and so many in control() */
	bool closed;         /* somebody has the bus alone, or wants it */
	bool posted;         /* a read was posted by send(), and nobody listens yet */
	struct lane *holder; /* what is in the buffer belongs to this one; NULL: the buffer is free */
	size_t len;
	struct lane *filled; /* whose message has filled the last read: padding may follow. NULL: none has */
	unsigned resets;

	uint8_t *in; /* the read, cap bytes */
	size_t cap;
	unsigned lanes;
	struct lane lane[];
};

static struct lane *lane_of(struct transport *t)
{
	return (struct lane *)(void *)t;
}

static bool is_owed(const struct debt *debt, uint8_t seq)
{
	return debt->open && debt->seq == seq;
}

static void forgive(struct dispatch *d, struct lane *lane)
{
	lane->sent.open = lane->beside.open = false;
	if (d->holder == lane)
		d->holder = NULL;
}

static void changed(struct dispatch *d)
{
	pthread_cond_broadcast(&d->changed);
}

/* ---- who gets what was heard ------------------------------------------------------------------------------------- */

static bool is_owed_to(const struct lane *lane, uint8_t seq)
{
	return is_owed(&lane->sent, seq) || is_owed(&lane->beside, seq);
}

/* Whose it is by its header; NULL where it has none, or an impossible one. */
static struct lane *addressee(struct dispatch *d, size_t len, uint8_t *seq)
{
	struct rd r = rd_of(d->in, len);
	uint8_t slot;

	rd_bytes(&r, SLOT_AT);
	slot = rd_u8(&r);
	*seq = rd_u8(&r);
	return r.overrun || slot >= d->lanes ? NULL : &d->lane[slot];
}

/* Padding that has filled a read may go on in the next one, and look like anything: then only what is owed is a message. */
static struct lane *owner_behind_full_read(struct dispatch *d, size_t len)
{
	struct ccid_reply reply;

	if (ccid_decode_reply(d->in, len, &reply) == OC_OK && reply.slot < d->lanes &&
	    is_owed_to(&d->lane[reply.slot], reply.seq))
		return &d->lane[reply.slot];
	return d->filled->waits ? d->filled : NULL;
}

static struct lane *owner_of(struct dispatch *d, struct lane *listener, size_t len)
{
	struct lane *lane;
	uint8_t seq;

	if (len == 0)
		return NULL; /* the late zero-length packet of an earlier answer */
	if (d->filled)
		return owner_behind_full_read(d, len);
	lane = addressee(d, len, &seq);
	/* What is no message at all is a matter for the one who has heard it. */
	if (!lane)
		return listener;
	if (lane->waits || is_owed_to(lane, seq))
		return lane;
	OC_LOG(d->log, OC_LOG_INFO, "dropped an answer with slot %u seq %02X, which nobody waits for",
	       lane->slot, seq);
	return NULL;
}

/* False where it was for nobody. */
static bool sort_in(struct dispatch *d, struct lane *listener, size_t len)
{
	d->holder = owner_of(d, listener, len);
	d->len = len;
	if (len != d->cap)
		d->filled = NULL;
	else if (d->holder)
		d->filled = d->holder;
	return d->holder != NULL;
}

/* Is this the last that comes for a command? */
static void settle(struct debt *debt, const struct ccid_reply *reply)
{
	if (is_owed(debt, reply->seq) && ccid_command_status_of(reply->status) != CCID_TIME_EXTENSION)
		debt->open = false;
}

static size_t take(struct dispatch *d, struct lane *lane)
{
	const size_t len = d->len < lane->cap ? d->len : lane->cap;
	struct ccid_reply reply;

	memcpy(lane->in, d->in, len);
	bytes_wipe(d->in, d->len);
	d->holder = NULL;
	if (ccid_decode_reply(lane->in, len, &reply) == OC_OK) {
		settle(&lane->sent, &reply);
		settle(&lane->beside, &reply);
	}
	lane->resets = d->resets;
	changed(d);
	return len;
}

/* The device has started afresh: nobody's answer will come. Who has found out knows it already. */
static void cut_off_others(struct dispatch *d, const struct lane *self)
{
	d->holder = d->filled = NULL;
	for (unsigned i = 0; i < d->lanes; i++) {
		struct lane *lane = &d->lane[i];

		lane->cut_off |= lane != self && (lane->waits || lane->sent.open);
		lane->sent.open = lane->beside.open = false;
	}
}

static void heed(struct dispatch *d, const struct lane *self, enum oc_err err)
{
	if (err == OC_E_RESTARTED)
		cut_off_others(d, self);
}

/* ---- one at a time on each pipe; all with the lock held ----------------------------------------------------------- */

/* Somebody's message stands in the buffer, and its owner is on its way. One that does not come has given up. */
static enum oc_err await_holder(struct dispatch *d, unsigned ms, unsigned *strays)
{
	const struct lane *holder = d->holder;

	if (wait_ms(&d->changed, &d->lock, ms < HELD_MS ? ms : HELD_MS) || d->holder != holder ||
	    holder->waits)
		return OC_OK;
	if (ms >= HELD_MS)
		d->holder = NULL;
	return ++*strays > MAX_STRAYS ? OC_E_ANSWER : OC_OK;
}

/* Listen for all. OC_OK: look again; OC_E_TIMEOUT: the time is over. */
static enum oc_err listen(struct dispatch *d, struct lane *lane, unsigned ms, unsigned *strays)
{
	enum oc_err err;
	size_t len = 0;

	d->listening = true;
	d->posted = false;
	pthread_mutex_unlock(&d->lock);
	err = d->bus->ops->recv(d->bus, &len, ms);
	pthread_mutex_lock(&d->lock);
	d->listening = false;
	heed(d, lane, err);
	changed(d);
	if (err == OC_E_TIMEOUT && d->closed)
		return OC_OK; /* it was to make way */
	if (err == OC_OK && !sort_in(d, lane, len) && ++*strays > MAX_STRAYS)
		return OC_E_ANSWER;
	return err;
}

static enum oc_err await_turn(struct dispatch *d, struct lane *lane, unsigned ms, unsigned *strays)
{
	if (d->holder)
		return await_holder(d, ms, strays);
	if (!d->listening && !d->closed)
		return listen(d, lane, ms, strays);
	wait_ms(&d->changed, &d->lock, ms);
	return OC_OK;
}

static enum oc_err await_own(struct dispatch *d, struct lane *lane, size_t *len, unsigned ms)
{
	const struct transport_ops *ops = d->bus->ops;
	const uint64_t until = ops->now(d->bus) + ms;
	unsigned strays = 0;
	enum oc_err err = OC_OK;

	/* Once around without time, too: what has come already counts. */
	do {
		const uint64_t now = ops->now(d->bus);

		if (lane->cut_off) {
			lane->cut_off = false;
			return OC_E_RESTARTED;
		}
		if (d->holder != lane)
			err = await_turn(d, lane, now < until ? (unsigned)(until - now) : 0, &strays);
		if (d->holder == lane) {
			*len = take(d, lane);
			return OC_OK;
		}
	} while (err == OC_OK && ops->now(d->bus) < until);
	return err == OC_OK ? OC_E_TIMEOUT : err;
}

static void begin_sending(struct dispatch *d)
{
	while (d->sending || d->closed)
		pthread_cond_wait(&d->changed, &d->lock);
	d->sending = true;
}

static void end_sending(struct dispatch *d)
{
	d->sending = false;
	changed(d);
}

/* Everybody off the bus: who listens is nudged, the others are quick. */
static void close_bus(struct dispatch *d)
{
	while (d->closed)
		pthread_cond_wait(&d->changed, &d->lock);
	d->closed = true;
	while (d->listening || d->sending || d->controls) {
		if (d->listening && d->bus->ops->nudge)
			d->bus->ops->nudge(d->bus);
		wait_ms(&d->changed, &d->lock, NUDGE_MS);
	}
}

static void open_bus(struct dispatch *d)
{
	d->closed = false;
	changed(d);
}

/* Nothing may be posted while a halt is cleared; what has arrived still counts. */
static void collect(struct dispatch *d, struct lane *lane)
{
	size_t len = 0;

	if (d->posted && d->bus->ops->recv(d->bus, &len, 0) == OC_OK)
		sort_in(d, lane, len);
	d->posted = false;
}

/* ---- the calls of a lane ----------------------------------------------------------------------------------------- */

/* Where nobody listens yet the read is posted first, as ever; else it is out already. */
static enum oc_err lane_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
			     unsigned ms)
{
	struct lane *lane = lane_of(t);
	struct dispatch *d = lane->dispatch;
	enum oc_err err;
	bool first;

	pthread_mutex_lock(&d->lock);
	begin_sending(d);
	forgive(d, lane);
	lane->cut_off = false;
	lane->in = in;
	lane->cap = cap;
	lane->sent = (struct debt){ .open = true, .seq = out[SEQ_AT] };
	first = !d->listening && !d->posted && !d->holder;
	d->listening |= first;
	pthread_mutex_unlock(&d->lock);
	if (first)
		err = d->bus->ops->send(d->bus, out, len, d->in, d->cap, ms);
	else
		err = d->bus->ops->beside(d->bus, out, len, ms);
	pthread_mutex_lock(&d->lock);
	if (first) {
		d->listening = false;
		d->posted = err == OC_OK;
	}
	if (err != OC_OK)
		lane->sent.open = false;
	heed(d, lane, err);
	end_sending(d);
	pthread_mutex_unlock(&d->lock);
	return err;
}

static enum oc_err lane_recv(struct transport *t, size_t *len, unsigned ms)
{
	struct lane *lane = lane_of(t);
	struct dispatch *d = lane->dispatch;
	enum oc_err err;

	*len = 0;
	pthread_mutex_lock(&d->lock);
	lane->waits = true;
	err = await_own(d, lane, len, ms);
	lane->waits = false;
	if (err != OC_OK) {
		forgive(d, lane);
		changed(d);
	}
	pthread_mutex_unlock(&d->lock);
	return err;
}

static enum oc_err lane_beside(struct transport *t, const uint8_t *out, size_t len, unsigned ms)
{
	struct lane *lane = lane_of(t);
	struct dispatch *d = lane->dispatch;
	enum oc_err err;

	pthread_mutex_lock(&d->lock);
	begin_sending(d);
	lane->beside = (struct debt){ .open = true, .seq = out[SEQ_AT] };
	pthread_mutex_unlock(&d->lock);
	err = d->bus->ops->beside(d->bus, out, len, ms);
	pthread_mutex_lock(&d->lock);
	end_sending(d);
	pthread_mutex_unlock(&d->lock);
	return err;
}

static enum oc_err lane_control(struct transport *t, const struct transport_setup *setup, uint8_t *data,
				size_t *len, unsigned ms)
{
	struct dispatch *d = lane_of(t)->dispatch;
	enum oc_err err;

	pthread_mutex_lock(&d->lock);
	while (d->closed)
		pthread_cond_wait(&d->changed, &d->lock);
	d->controls++;
	pthread_mutex_unlock(&d->lock);
	err = d->bus->ops->control(d->bus, setup, data, len, ms);
	pthread_mutex_lock(&d->lock);
	d->controls--;
	changed(d);
	pthread_mutex_unlock(&d->lock);
	return err;
}

static enum oc_err lane_clear_halt(struct transport *t)
{
	struct lane *lane = lane_of(t);
	struct dispatch *d = lane->dispatch;
	enum oc_err err;

	pthread_mutex_lock(&d->lock);
	close_bus(d);
	collect(d, lane);
	forgive(d, lane);
	pthread_mutex_unlock(&d->lock);
	err = d->bus->ops->clear_halt(d->bus);
	pthread_mutex_lock(&d->lock);
	open_bus(d);
	pthread_mutex_unlock(&d->lock);
	return err;
}

static enum oc_err reset_alone(struct dispatch *d, struct lane *lane)
{
	enum oc_err err;

	collect(d, lane);
	pthread_mutex_unlock(&d->lock);
	err = d->bus->ops->reset ? d->bus->ops->reset(d->bus) : OC_E_UNSUPPORTED;
	pthread_mutex_lock(&d->lock);
	forgive(d, lane);
	if (err != OC_E_UNSUPPORTED) {
		d->resets++;
		cut_off_others(d, lane);
	}
	return err;
}

static enum oc_err lane_reset(struct transport *t)
{
	struct lane *lane = lane_of(t);
	struct dispatch *d = lane->dispatch;
	enum oc_err err = OC_OK;

	pthread_mutex_lock(&d->lock);
	close_bus(d);
	if (lane->resets == d->resets)
		err = reset_alone(d, lane);
	lane->resets = d->resets;
	open_bus(d);
	pthread_mutex_unlock(&d->lock);
	return err;
}

static uint64_t lane_now(struct transport *t)
{
	struct transport *bus = lane_of(t)->dispatch->bus;

	return bus->ops->now(bus);
}

static void lane_pause(struct transport *t, unsigned ms)
{
	struct transport *bus = lane_of(t)->dispatch->bus;

	bus->ops->pause(bus, ms);
}

/* ---- making them ------------------------------------------------------------------------------------------------- */

static const struct transport_ops lane_ops = {
	.send = lane_send,
	.recv = lane_recv,
	.beside = lane_beside,
	.control = lane_control,
	.clear_halt = lane_clear_halt,
	.reset = lane_reset,
	.now = lane_now,
	.pause = lane_pause,
};

struct dispatch *dispatch_new(struct transport *bus, unsigned slots, size_t cap, const struct oc_log *log)
{
	struct dispatch *d = calloc(1, sizeof *d + slots * sizeof d->lane[0]);

	if (!d)
		return NULL;
	d->in = calloc(1, cap);
	if (!d->in) {
		free(d);
		return NULL;
	}
	d->bus = bus;
	d->log = log;
	d->cap = cap;
	d->lanes = slots;
	for (unsigned i = 0; i < slots; i++) {
		d->lane[i].base.ops = &lane_ops;
		d->lane[i].dispatch = d;
		d->lane[i].slot = (uint8_t)i;
	}
	pthread_mutex_init(&d->lock, NULL);
	wait_init(&d->changed);
	return d;
}

void dispatch_free(struct dispatch *d)
{
	if (!d)
		return;
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
	bytes_wipe(d->in, d->cap);
	free(d->in);
	free(d);
}

struct transport *dispatch_lane(struct dispatch *d, unsigned slot)
{
	return &d->lane[slot].base;
}
