/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inproc.h"

#include "usb/devname.h"
#include "usb/usb.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct inproc {
	struct transport base;
	struct sim_reader *reader;
	pthread_mutex_t lock; /* for everything below, and the reader */
	pthread_cond_t changed;
	uint8_t *in;
	size_t cap;
	bool gone, woken, unplugged, open;
	unsigned listeners;
};

/* The one device of a test. */
static struct inproc *plugged;

static struct inproc *of(struct transport *t)
{
	return (struct inproc *)(void *)t;
}

static uint64_t now_ms(struct transport *t)
{
	struct timespec now;

	(void)t;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
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

static enum oc_err inproc_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
			       unsigned ms)
{
	struct inproc *d = of(t);
	enum oc_err err;

	(void)ms;
	pthread_mutex_lock(&d->lock);
	d->in = in;
	d->cap = cap;
	err = d->gone ? OC_E_GONE : of_io(sim_reader_bulk_out(d->reader, out, len, now_ms(t)));
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
	return err;
}

static enum oc_err inproc_beside(struct transport *t, const uint8_t *out, size_t len, unsigned ms)
{
	struct inproc *d = of(t);
	enum oc_err err;

	(void)ms;
	pthread_mutex_lock(&d->lock);
	err = d->gone ? OC_E_GONE : of_io(sim_reader_bulk_out(d->reader, out, len, now_ms(t)));
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
	return err;
}

static enum oc_err inproc_recv(struct transport *t, size_t *len, unsigned ms)
{
	struct inproc *d = of(t);
	const uint64_t until = now_ms(t) + ms;
	enum oc_err err = OC_E_TIMEOUT;

	*len = 0;
	pthread_mutex_lock(&d->lock);
	for (;;) {
		const uint64_t now = now_ms(t);
		uint64_t next;
		enum sim_io io;

		if (d->gone) {
			err = OC_E_GONE;
			break;
		}
		io = sim_reader_bulk_in(d->reader, d->in, d->cap, len, now);
		if (io != SIM_NAK) {
			err = of_io(io);
			break;
		}
		if (now >= until)
			break;
		next = sim_reader_next(d->reader, now);
		sleep_until(d, next < until ? next : until);
	}
	pthread_mutex_unlock(&d->lock);
	return err;
}

static enum oc_err inproc_control(struct transport *t, const struct transport_setup *setup, uint8_t *data,
				  size_t *len, unsigned ms)
{
	struct inproc *d = of(t);
	const uint8_t bytes[8] = { setup->request_type,   setup->request,
				   (uint8_t)setup->value, (uint8_t)(setup->value >> 8),
				   (uint8_t)setup->index, (uint8_t)(setup->index >> 8),
				   (uint8_t)*len,         (uint8_t)(*len >> 8) };
	enum oc_err err;

	(void)ms;
	pthread_mutex_lock(&d->lock);
	err = d->gone ? OC_E_GONE : of_io(sim_reader_control(d->reader, bytes, data, len, now_ms(t)));
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
	return err;
}

static enum oc_err inproc_clear_halt(struct transport *t)
{
	struct inproc *d = of(t);

	pthread_mutex_lock(&d->lock);
	sim_reader_clear_halt(d->reader, false);
	sim_reader_clear_halt(d->reader, true);
	pthread_mutex_unlock(&d->lock);
	return OC_OK;
}

static enum oc_err inproc_clear_interrupt(struct transport *t)
{
	(void)t;
	return OC_OK;
}

static enum oc_err inproc_interrupt(struct transport *t, uint8_t *buf, size_t cap, size_t *len, unsigned ms)
{
	struct inproc *d = of(t);
	const uint64_t until = now_ms(t) + ms;
	enum oc_err err = OC_E_TIMEOUT;
	uint8_t bytes[SIM_INTERRUPT_MAX];

	*len = 0;
	pthread_mutex_lock(&d->lock);
	d->listeners++;
	for (;;) {
		if (d->gone) {
			err = OC_E_GONE;
			break;
		}
		if (d->woken) {
			d->woken = false;
			err = OC_E_STOPPED;
			break;
		}
		if (sim_reader_interrupt(d->reader, bytes, len) == SIM_DONE) {
			err = *len <= cap ? OC_OK : OC_E_LENGTH;
			if (err == OC_OK)
				memcpy(buf, bytes, *len);
			break;
		}
		if (now_ms(t) >= until)
			break;
		sleep_until(d, until);
	}
	d->listeners--;
	pthread_mutex_unlock(&d->lock);
	return err;
}

static void set_flag(struct inproc *d, bool *flag, bool value)
{
	pthread_mutex_lock(&d->lock);
	*flag = value;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
}

static void inproc_wake(struct transport *t)
{
	set_flag(of(t), &of(t)->woken, true);
}

static void inproc_gone(struct transport *t)
{
	set_flag(of(t), &of(t)->gone, true);
}

static void inproc_pause(struct transport *t, unsigned ms)
{
	const struct timespec span = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)t;
	nanosleep(&span, NULL);
}

static void inproc_close(struct transport *t)
{
	set_flag(of(t), &of(t)->open, false);
}

static const struct transport_ops inproc_ops = {
	.send = inproc_send,
	.recv = inproc_recv,
	.beside = inproc_beside,
	.control = inproc_control,
	.clear_halt = inproc_clear_halt,
	.clear_interrupt = inproc_clear_interrupt,
	.interrupt = inproc_interrupt,
	.wake = inproc_wake,
	.gone = inproc_gone,
	.now = now_ms,
	.pause = inproc_pause,
	.close = inproc_close,
};

/* ---- what src/usb offers ---- */

enum oc_err usb_open(const char *name, const struct oc_log *log, usb_accept accept, struct usb_info *info,
		     struct transport **out)
{
	const struct sim_identity *identity;
	struct usb_name parsed;

	if (usb_name_parse(name, &parsed) != OC_OK) {
		OC_LOG(log, OC_LOG_CRITICAL, "\"%.100s\" is no device name of pcscd", name);
		return OC_E_NAME;
	}
	if (!plugged || plugged->unplugged) {
		OC_LOG(log, OC_LOG_CRITICAL, "no device is plugged in");
		return OC_E_GONE;
	}
	identity = sim_reader_identity(plugged->reader);
	*info = (struct usb_info){
		.vid = identity->vid,
		.pid = identity->pid,
		.bcd_device = identity->bcd,
		.bus = 1,
		.address = 2,
		.interface = identity->interface_number,
		.class = identity->class[0],
		.subclass = identity->class[1],
		.protocol = identity->class[2],
		.bulk = true,
		.interrupt = identity->endpoints == 3,
		.extra_len = SIM_DESCRIPTOR_LEN,
	};
	memcpy(info->extra, identity->descriptor, SIM_DESCRIPTOR_LEN);
	if (!accept(info))
		return OC_E_NOT_CCID;
	plugged->gone = plugged->woken = false;
	plugged->open = true;
	*out = &plugged->base;
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

bool usb_string(const struct usb_info *info, const char *which, char text[USB_STRING_MAX])
{
	(void)info;
	snprintf(text, USB_STRING_MAX, "a %s", which);
	return true;
}

/* ---- what the test does ---- */

struct inproc *inproc_new(const struct sim_identity *identity)
{
	struct inproc *d = calloc(1, sizeof *d);
	pthread_condattr_t monotonic;

	if (!d)
		return NULL;
	d->base.ops = &inproc_ops;
	d->reader = sim_reader_new(identity);
	if (!d->reader) {
		free(d);
		return NULL;
	}
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&d->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	plugged = d;
	return d;
}

void inproc_free(struct inproc *d)
{
	plugged = NULL;
	sim_reader_free(d->reader);
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

void inproc_insert(struct inproc *d)
{
	pthread_mutex_lock(&d->lock);
	sim_reader_insert(d->reader, 0, sim_card_t0_new(NULL, 0, SIM_5V | SIM_3V | SIM_1V8),
			  now_ms(&d->base));
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
}

void inproc_remove(struct inproc *d)
{
	pthread_mutex_lock(&d->lock);
	sim_reader_remove(d->reader, 0, now_ms(&d->base));
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
}

void inproc_unplug(struct inproc *d)
{
	set_flag(d, &d->unplugged, true);
	set_flag(d, &d->gone, true);
}

void inproc_plug(struct inproc *d)
{
	pthread_mutex_lock(&d->lock);
	sim_reader_bus_reset(d->reader);
	d->unplugged = false;
	pthread_mutex_unlock(&d->lock);
}

bool inproc_is_open(struct inproc *d)
{
	bool open;

	pthread_mutex_lock(&d->lock);
	open = d->open;
	pthread_mutex_unlock(&d->lock);
	return open;
}

bool inproc_listened(struct inproc *d)
{
	bool listened;

	pthread_mutex_lock(&d->lock);
	listened = d->listeners > 0;
	pthread_mutex_unlock(&d->lock);
	return listened;
}

void inproc_type(struct inproc *d, const char *digits, const char *end)
{
	char first[32], last[16];
	char *words[] = { first, last };

	snprintf(first, sizeof first, "%s", digits);
	snprintf(last, sizeof last, "%s", end);
	pthread_mutex_lock(&d->lock);
	if (sim_reader_type(d->reader, 2, words, now_ms(&d->base)))
		abort();
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
}

bool inproc_asks(struct inproc *d)
{
	bool asks;

	pthread_mutex_lock(&d->lock);
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

	pthread_mutex_lock(&d->lock);
	sent = sim_reader_stats(d->reader)->out[type];
	pthread_mutex_unlock(&d->lock);
	return sent;
}
