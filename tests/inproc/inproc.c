/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inproc.h"

#include "sim/card_spec.h"
#include "usb/devname.h"
#include "usb/usb.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUS = 1, ADDRESS_FIRST = 2, ADDRESSES = 127 };

/* A device as somebody has opened it: gone for good once it was pulled, while the device may come back. */
struct handle {
	struct transport base;
	struct inproc *device;
	uint8_t *in;
	size_t cap;
	bool gone, woken, nudged;
};

struct inproc {
	unsigned address;
	pthread_mutex_t lock; /* for everything below, and the reader */
	pthread_cond_t changed;
	struct sim_reader *reader;
	struct handle *claimed; /* who has its interface; NULL: nobody, or it was pulled since */
	bool unplugged;
	bool abandoned; /* somebody gave it up in the middle of a command */
	unsigned opened, listeners, waiting, pausing, resets;
};

/* What is plugged in, or was; by address */
static struct {
	pthread_mutex_t lock;
	struct inproc *device[ADDRESSES];
	unsigned opened;
} bus = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct handle *of(struct transport *t)
{
	return (struct handle *)(void *)t;
}

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t now_ms(struct transport *t)
{
	(void)t;
	return clock_ms();
}

static void begin(struct inproc *d)
{
	pthread_mutex_lock(&d->lock);
}

/* Something may have changed: who sleeps looks again. */
static void end(struct inproc *d)
{
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
}

/* Sleep until something changed, at most until the given time. */
static void sleep_until(struct inproc *d, uint64_t ms)
{
	const struct timespec until = { .tv_sec = (time_t)(ms / 1000),
					.tv_nsec = (long)(ms % 1000) * 1000000 };

	pthread_cond_timedwait(&d->changed, &d->lock, &until);
}

static enum oc_err of_io(enum sim_io io)
{
	return io == SIM_STALL ? OC_E_STALL : OC_OK;
}

static enum oc_err inproc_beside(struct transport *t, const uint8_t *out, size_t len, unsigned ms)
{
	struct handle *h = of(t);
	struct inproc *d = h->device;
	enum oc_err err = OC_E_GONE;

	(void)ms;
	begin(d);
	if (!h->gone)
		err = of_io(sim_reader_bulk_out(d->reader, out, len, clock_ms()));
	end(d);
	return err;
}

static enum oc_err inproc_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
			       unsigned ms)
{
	struct handle *h = of(t);

	begin(h->device);
	h->in = in;
	h->cap = cap;
	end(h->device);
	return inproc_beside(t, out, len, ms);
}

/* OC_E_BUSY: nothing yet */
static enum oc_err look(struct handle *h, size_t *len, uint64_t now)
{
	enum sim_io io;

	if (h->gone)
		return OC_E_GONE;
	io = sim_reader_bulk_in(h->device->reader, h->in, h->cap, len, now);
	if (io == SIM_NAK)
		return h->nudged ? OC_E_TIMEOUT : OC_E_BUSY;
	return of_io(io);
}

static enum oc_err inproc_recv(struct transport *t, size_t *len, unsigned ms)
{
	struct handle *h = of(t);
	struct inproc *d = h->device;
	const uint64_t until = clock_ms() + ms;
	enum oc_err err;

	*len = 0;
	begin(d);
	d->waiting++;
	h->nudged = false;
	for (;;) {
		const uint64_t now = clock_ms();
		uint64_t next;

		err = look(h, len, now);
		if (err == OC_E_BUSY && now >= until)
			err = OC_E_TIMEOUT;
		if (err != OC_E_BUSY)
			break;
		next = sim_reader_next(d->reader, now);
		sleep_until(d, next < until ? next : until);
	}
	d->waiting--;
	end(d);
	return err;
}

static enum oc_err inproc_control(struct transport *t, const struct transport_setup *setup, uint8_t *data,
				  size_t *len, unsigned ms)
{
	struct handle *h = of(t);
	struct inproc *d = h->device;
	const uint8_t bytes[8] = { setup->request_type,   setup->request,
				   (uint8_t)setup->value, (uint8_t)(setup->value >> 8),
				   (uint8_t)setup->index, (uint8_t)(setup->index >> 8),
				   (uint8_t)*len,         (uint8_t)(*len >> 8) };
	enum oc_err err = OC_E_GONE;

	(void)ms;
	begin(d);
	if (!h->gone)
		err = of_io(sim_reader_control(d->reader, bytes, data, len, clock_ms()));
	end(d);
	return err;
}

static enum oc_err inproc_clear_halt(struct transport *t)
{
	struct handle *h = of(t);
	enum oc_err err;

	begin(h->device);
	err = h->gone ? OC_E_GONE : OC_OK;
	sim_reader_clear_halt(h->device->reader, false);
	sim_reader_clear_halt(h->device->reader, true);
	end(h->device);
	return err;
}

static enum oc_err inproc_reset(struct transport *t)
{
	struct handle *h = of(t);
	enum oc_err err = OC_E_GONE;

	begin(h->device);
	if (!h->gone) {
		sim_reader_mood(h->device->reader, SIM_MOOD_DEAD, false);
		sim_reader_bus_reset(h->device->reader);
		h->device->resets++;
		err = OC_OK;
	}
	end(h->device);
	return err;
}

static unsigned inproc_restarts(struct transport *t)
{
	return inproc_resets(of(t)->device);
}

static enum oc_err inproc_clear_interrupt(struct transport *t)
{
	(void)t;
	return OC_OK;
}

/* OC_E_BUSY: nothing yet */
static enum oc_err listen(struct handle *h, uint8_t *buf, size_t cap, size_t *len)
{
	uint8_t bytes[SIM_INTERRUPT_MAX];

	if (h->gone)
		return OC_E_GONE;
	if (h->woken) {
		h->woken = false;
		return OC_E_STOPPED;
	}
	if (sim_reader_interrupt(h->device->reader, bytes, len) != SIM_DONE)
		return OC_E_BUSY;
	if (*len > cap)
		return OC_E_LENGTH;
	memcpy(buf, bytes, *len);
	return OC_OK;
}

static enum oc_err inproc_interrupt(struct transport *t, uint8_t *buf, size_t cap, size_t *len, unsigned ms)
{
	struct handle *h = of(t);
	struct inproc *d = h->device;
	const uint64_t until = clock_ms() + ms;
	enum oc_err err;

	*len = 0;
	begin(d);
	d->listeners++;
	for (;;) {
		err = listen(h, buf, cap, len);
		if (err == OC_E_BUSY && clock_ms() >= until)
			err = OC_E_TIMEOUT;
		if (err != OC_E_BUSY)
			break;
		sleep_until(d, until);
	}
	d->listeners--;
	end(d);
	return err;
}

static void set_flag(struct handle *h, bool *flag)
{
	begin(h->device);
	*flag = true;
	end(h->device);
}

static void inproc_wake(struct transport *t)
{
	set_flag(of(t), &of(t)->woken);
}

static void inproc_nudge(struct transport *t)
{
	set_flag(of(t), &of(t)->nudged);
}

static void inproc_gone(struct transport *t)
{
	set_flag(of(t), &of(t)->gone);
}

static void inproc_pause(struct transport *t, unsigned ms)
{
	struct handle *h = of(t);
	const uint64_t until = clock_ms() + ms;

	begin(h->device);
	h->device->pausing++;
	while (!h->gone && clock_ms() < until)
		sleep_until(h->device, until);
	h->device->pausing--;
	end(h->device);
}

static void count_open(struct inproc *d, int more)
{
	pthread_mutex_lock(&bus.lock);
	bus.opened += (unsigned)more;
	d->opened += (unsigned)more;
	pthread_mutex_unlock(&bus.lock);
}

static void inproc_close(struct transport *t)
{
	struct handle *h = of(t);
	struct inproc *d = h->device;

	begin(d);
	if (d->claimed == h) {
		d->claimed = NULL;
		d->abandoned = h->gone;
	}
	end(d);
	free(h);
	count_open(d, -1);
}

static const struct transport_ops inproc_ops = {
	.send = inproc_send,
	.recv = inproc_recv,
	.nudge = inproc_nudge,
	.beside = inproc_beside,
	.control = inproc_control,
	.clear_halt = inproc_clear_halt,
	.reset = inproc_reset,
	.restarts = inproc_restarts,
	.clear_interrupt = inproc_clear_interrupt,
	.interrupt = inproc_interrupt,
	.wake = inproc_wake,
	.gone = inproc_gone,
	.now = now_ms,
	.pause = inproc_pause,
	.close = inproc_close,
};

/* ---- what src/usb offers ----------------------------------------------------------------------------------------- */

static void describe(const struct inproc *d, struct usb_info *info)
{
	const struct sim_identity *identity = sim_reader_identity(d->reader);

	*info = (struct usb_info){
		.vid = identity->vid,
		.pid = identity->pid,
		.bcd_device = identity->bcd,
		.bus = BUS,
		.address = d->address,
		.interface = identity->interface_number,
		.class = identity->class[0],
		.subclass = identity->class[1],
		.protocol = identity->class[2],
		.bulk = true,
		.interrupt = identity->endpoints == 3,
		.lone = true,
		.extra_len = SIM_DESCRIPTOR_LEN,
	};
	memcpy(info->extra, identity->descriptor, SIM_DESCRIPTOR_LEN);
}

/* The device stays the test's, which does not free it meanwhile. */
static struct inproc *find(const struct usb_name *name)
{
	struct inproc *d = NULL;

	pthread_mutex_lock(&bus.lock);
	if (name->located && name->bus == BUS && name->address < ADDRESSES)
		d = bus.device[name->address];
	pthread_mutex_unlock(&bus.lock);
	return d;
}

static enum oc_err claim(struct inproc *d, struct handle *h)
{
	enum oc_err err = OC_OK;

	begin(d);
	if (d->unplugged)
		err = OC_E_GONE;
	else if (d->claimed)
		err = OC_E_BUSY;
	else
		d->claimed = h;
	/* The simulated reader would blame who comes next for the answer that was left unread. */
	if (err == OC_OK && d->abandoned)
		sim_reader_bus_reset(d->reader);
	d->abandoned = d->abandoned && err != OC_OK;
	end(d);
	return err;
}

enum oc_err usb_open(const char *text, const struct oc_log *log, usb_accept accept, struct usb_info *info,
		     struct transport **out)
{
	struct usb_name name;
	struct handle *h;
	struct inproc *d;
	enum oc_err err;

	if (usb_name_parse(text, &name) != OC_OK) {
		OC_LOG(log, OC_LOG_CRITICAL, "\"%.100s\" is no device name of pcscd", text);
		return OC_E_NAME;
	}
	d = find(&name);
	if (d)
		describe(d, info);
	if (d && !accept(info))
		return OC_E_NOT_CCID;
	h = d ? calloc(1, sizeof *h) : NULL;
	err = !d ? OC_E_GONE : !h ? OC_E_MEMORY : claim(d, h);
	if (err != OC_OK) {
		OC_LOG(log, OC_LOG_CRITICAL, err == OC_E_GONE ? "no device is plugged in" : "it is in use");
		free(h);
		return err;
	}
	count_open(d, 1);
	h->base.ops = &inproc_ops;
	h->device = d;
	*out = &h->base;
	return OC_OK;
}

size_t usb_descriptors(const struct usb_info *info, uint8_t *bytes, size_t cap)
{
	(void)info;
	(void)bytes;
	(void)cap;
	return 0;
}

bool usb_place_of(const struct usb_info *info, char text[USB_PLACE_MAX])
{
	snprintf(text, USB_PLACE_MAX, "%u-1:1.%u", info->bus, info->interface);
	return true;
}

void usb_pace(struct transport *transport, unsigned pause_ms)
{
	(void)transport;
	(void)pause_ms;
}

static atomic_bool stringless;

void inproc_strings(bool there)
{
	atomic_store(&stringless, !there);
}

bool usb_string(const struct usb_info *info, const char *which, char text[USB_STRING_MAX])
{
	(void)info;
	snprintf(text, USB_STRING_MAX, "a %s", which);
	return !atomic_load(&stringless);
}

/* ---- what the test does ------------------------------------------------------------------------------------------ */

static bool give_address(struct inproc *d)
{
	pthread_mutex_lock(&bus.lock);
	for (unsigned i = ADDRESS_FIRST; i < ADDRESSES && !d->address; i++) {
		if (bus.device[i])
			continue;
		d->address = i;
		bus.device[i] = d;
	}
	pthread_mutex_unlock(&bus.lock);
	return d->address != 0;
}

struct inproc *inproc_new(const struct sim_identity *identity)
{
	struct inproc *d = calloc(1, sizeof *d);
	pthread_condattr_t monotonic;

	if (!d)
		return NULL;
	d->reader = sim_reader_new(identity);
	if (!d->reader || !give_address(d)) {
		sim_reader_free(d->reader);
		free(d);
		return NULL;
	}
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&d->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return d;
}

void inproc_free(struct inproc *d)
{
	pthread_mutex_lock(&bus.lock);
	bus.device[d->address] = NULL;
	pthread_mutex_unlock(&bus.lock);
	sim_reader_free(d->reader);
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

void inproc_name(const struct inproc *d, char name[INPROC_NAME])
{
	snprintf(name, INPROC_NAME, "usb:04e6/5116:libudev:0:/dev/bus/usb/%03d/%03u", BUS, d->address);
}

void inproc_unplug(struct inproc *d)
{
	begin(d);
	d->unplugged = true;
	if (d->claimed)
		d->claimed->gone = true;
	d->claimed = NULL;
	end(d);
}

void inproc_plug(struct inproc *d)
{
	begin(d);
	sim_reader_faults_clear(d->reader);
	sim_reader_bus_reset(d->reader);
	d->unplugged = false;
	end(d);
}

bool inproc_is_open(struct inproc *d)
{
	bool open;

	pthread_mutex_lock(&bus.lock);
	open = d->opened > 0;
	pthread_mutex_unlock(&bus.lock);
	return open;
}

unsigned inproc_all_open(void)
{
	unsigned opened;

	pthread_mutex_lock(&bus.lock);
	opened = bus.opened;
	pthread_mutex_unlock(&bus.lock);
	return opened;
}

static bool is_any(struct inproc *d, const unsigned *count)
{
	bool any;

	begin(d);
	any = *count > 0;
	pthread_mutex_unlock(&d->lock);
	return any;
}

bool inproc_listened(struct inproc *d)
{
	return is_any(d, &d->listeners);
}

bool inproc_awaited(struct inproc *d)
{
	return is_any(d, &d->waiting);
}

bool inproc_paused(struct inproc *d)
{
	return is_any(d, &d->pausing);
}

static void put_in(struct inproc *d, unsigned slot, unsigned volts)
{
	begin(d);
	sim_reader_insert(d->reader, slot, sim_card_t0_new(NULL, 0, volts), clock_ms());
	end(d);
}

void inproc_insert_at(struct inproc *d, unsigned slot)
{
	put_in(d, slot, SIM_5V | SIM_3V | SIM_1V8);
}

void inproc_remove_at(struct inproc *d, unsigned slot)
{
	begin(d);
	sim_reader_remove(d->reader, slot, clock_ms());
	end(d);
}

void inproc_insert(struct inproc *d)
{
	inproc_insert_at(d, 0);
}

void inproc_remove(struct inproc *d)
{
	inproc_remove_at(d, 0);
}

bool inproc_insert_card(struct inproc *d, const char *words)
{
	struct sim_card_spec spec = { 0 };
	struct sim_card *card = NULL;

	if (!sim_card_spec_parse(words, &spec))
		card = sim_card_make(&spec, SIM_5V | SIM_3V | SIM_1V8);
	begin(d);
	if (card)
		sim_reader_insert(d->reader, 0, card, clock_ms());
	end(d);
	return card != NULL;
}

void inproc_insert_mute(struct inproc *d)
{
	put_in(d, 0, 0);
}

void inproc_silence(struct inproc *d, int type, unsigned count)
{
	const struct sim_fault fault = { .kind = SIM_FAULT_SILENT, .type = type, .ins = -1, .count = count };

	begin(d);
	if (!count)
		sim_reader_faults_clear(d->reader);
	else if (sim_reader_fault(d->reader, &fault) < 0)
		abort();
	end(d);
}

void inproc_stun(struct inproc *d)
{
	begin(d);
	sim_reader_mood(d->reader, SIM_MOOD_DEAD, true);
	end(d);
}

void inproc_refuse_abort(struct inproc *d)
{
	begin(d);
	sim_reader_refuse_abort(d->reader, true);
	end(d);
}

void inproc_type(struct inproc *d, const char *digits, const char *last)
{
	char first[32], second[16];
	char *words[] = { first, second };

	snprintf(first, sizeof first, "%s", digits);
	snprintf(second, sizeof second, "%s", last);
	begin(d);
	if (sim_reader_type(d->reader, 2, words, clock_ms()))
		abort();
	end(d);
}

bool inproc_asks(struct inproc *d)
{
	bool asks;

	begin(d);
	asks = sim_reader_asks(d->reader);
	pthread_mutex_unlock(&d->lock);
	return asks;
}

unsigned inproc_violations(struct inproc *d)
{
	return sim_reader_stats(d->reader)->violations;
}

const char *inproc_violation(struct inproc *d, unsigned n)
{
	return sim_reader_violation(d->reader, n);
}

unsigned inproc_sent(struct inproc *d, uint8_t type)
{
	unsigned sent;

	begin(d);
	sent = sim_reader_stats(d->reader)->out[type];
	pthread_mutex_unlock(&d->lock);
	return sent;
}

unsigned inproc_resets(struct inproc *d)
{
	unsigned resets;

	begin(d);
	resets = d->resets;
	pthread_mutex_unlock(&d->lock);
	return resets;
}
