/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tap/tap.h"

#include "base/bytes.h"
#include "ccid/message.h"
#include "ccid/redact.h"
#include "ccid/status.h"
#include "tap/record.h"
#include "tap/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	DATA_MAX = 65536 + 512, /* of one record; more of a message is left out */
	DEVICE_LEN = 18,
	DIRECTION_IN = 0x80,
	GET_DESCRIPTOR = 6,
	CLEAR_FEATURE = 1,
	TO_ENDPOINT = 2,
};

struct tap {
	struct transport base;
	struct transport_ops ops; /* without beside() and nudge() where the bus has none */
	struct transport *bus;
	const struct oc_log *log;
	bool secrets;
	uint8_t device, ep_out, ep_in, ep_interrupt;
	uint16_t number; /* of the bus */

	pthread_mutex_t
		lock; /* for everything below: one thread may sleep on the interrupt endpoint, and another one abort */
	struct redact redact;
	struct store_file capture;
	struct store_file dump; /* of the flight recorder */
	const char *recorder;
	struct store_ring *ring; /* NULL: no flight recorder, or it has told what it knew */
	uint64_t id;
	uint64_t in_id; /* of the read that is posted; 0: none */
	uint8_t *in;    /* where it goes */
	uint8_t record[RECORD_HEAD + DATA_MAX];
};

static struct tap *of(struct transport *t)
{
	return (struct tap *)(void *)t;
}

/* ---- records; the lock is held ----------------------------------------------------------------------------------- */

static uint64_t wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* As usbmon would have it */
static int status_of(enum oc_err err)
{
	switch ((int)err) {
	case OC_OK: return 0;
	case OC_E_TIMEOUT:
	case OC_E_STOPPED: return -ENOENT;
	case OC_E_STALL: return -EPIPE;
	case OC_E_GONE:
	case OC_E_RESTARTED: return -ESHUTDOWN;
	case OC_E_LENGTH: return -EOVERFLOW;
	default: return -EPROTO;
	}
}

static void write_down(struct tap *tap, struct record record)
{
	size_t len;

	record.us = wall_us();
	record.bus = tap->number;
	record.device = tap->device;
	if (record.len > DATA_MAX)
		record.len = DATA_MAX;
	len = record_put(tap->record, sizeof tap->record, &record);
	store_file_add(&tap->capture, tap->record, len);
	if (tap->ring)
		store_ring_add(tap->ring, tap->record, len);
}

static uint64_t submit(struct tap *tap, enum record_transfer transfer, uint8_t endpoint, const uint8_t *setup,
		       size_t length, const uint8_t *data, size_t len, size_t shown)
{
	write_down(tap, (struct record){ .id = ++tap->id,
					 .type = RECORD_SUBMIT,
					 .transfer = transfer,
					 .endpoint = endpoint,
					 .setup = setup,
					 .length = length,
					 .data = data,
					 .len = len,
					 .shown = shown });
	return tap->id;
}

static void complete(struct tap *tap, uint64_t id, enum record_transfer transfer, uint8_t endpoint,
		     enum oc_err err, size_t length, const uint8_t *data, size_t shown)
{
	write_down(tap, (struct record){ .id = id,
					 .type = RECORD_COMPLETE,
					 .transfer = transfer,
					 .endpoint = endpoint,
					 .status = status_of(err),
					 .length = length,
					 .data = data,
					 .len = data ? length : 0,
					 .shown = shown });
}

static size_t shown_of(struct tap *tap, const uint8_t *message, size_t len)
{
	const size_t shown = redact_message(&tap->redact, message, len);

	return tap->secrets ? len : shown;
}

/* The first failure: what the flight recorder knows goes into its file. */
static void dump(struct tap *tap)
{
	int error;

	if (!tap->ring)
		return;
	error = store_file_open(&tap->dump, tap->recorder, tap->log);
	if (error) {
		OC_LOG(tap->log, OC_LOG_CRITICAL,
		       "%s: the last messages before the failure cannot be written: %s", tap->recorder,
		       strerror(error));
	} else {
		store_ring_empty(tap->ring, &tap->dump);
		store_file_close(&tap->dump);
		OC_LOG(tap->log, OC_LOG_INFO,
		       "%s has the last messages before the failure; \"openccid decode\" explains them",
		       tap->recorder);
	}
	store_ring_free(tap->ring);
	tap->ring = NULL;
}

/* A card that is missing, or does not answer, is no failure of the reader. */
static bool is_failure(const uint8_t *message, size_t len)
{
	struct ccid_reply reply;

	return ccid_decode_reply(message, len, &reply) == OC_OK && reply.type != RDR_TO_PC_SLOT_STATUS &&
	       ccid_command_status_of(reply.status) == CCID_FAILED &&
	       ccid_icc_of(reply.status) != CCID_ICC_ABSENT && reply.error != CCID_ICC_MUTE;
}

/* ---- the bulk pipes ---------------------------------------------------------------------------------------------- */

static void note_out(struct tap *tap, const uint8_t *out, size_t len, uint64_t *id)
{
	*id = submit(tap, RECORD_BULK, tap->ep_out, NULL, len, out, len, shown_of(tap, out, len));
}

static void note_sent(struct tap *tap, uint64_t id, size_t len, enum oc_err err)
{
	complete(tap, id, RECORD_BULK, tap->ep_out, err, err == OC_OK ? len : 0, NULL, 0);
	if (err != OC_OK && err != OC_E_GONE)
		dump(tap);
}

static enum oc_err tap_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
			    unsigned ms)
{
	struct tap *tap = of(t);
	enum oc_err err;
	uint64_t id;

	pthread_mutex_lock(&tap->lock);
	tap->in = in;
	if (!tap->in_id)
		tap->in_id = submit(tap, RECORD_BULK, tap->ep_in, NULL, cap, NULL, 0, 0);
	note_out(tap, out, len, &id);
	pthread_mutex_unlock(&tap->lock);
	err = tap->bus->ops->send(tap->bus, out, len, in, cap, ms);
	pthread_mutex_lock(&tap->lock);
	note_sent(tap, id, len, err);
	if (err != OC_OK) {
		complete(tap, tap->in_id, RECORD_BULK, tap->ep_in, OC_E_TIMEOUT, 0, NULL, 0);
		tap->in_id = 0;
	}
	pthread_mutex_unlock(&tap->lock);
	return err;
}

static void note_in(struct tap *tap, enum oc_err err, size_t len)
{
	const bool came = err == OC_OK;

	complete(tap, tap->in_id, RECORD_BULK, tap->ep_in, err, came ? len : 0, came ? tap->in : NULL,
		 came ? shown_of(tap, tap->in, len) : 0);
	tap->in_id = 0;
	if ((!came && err != OC_E_GONE) || (came && is_failure(tap->in, len)))
		dump(tap);
}

static enum oc_err tap_recv(struct transport *t, size_t *len, unsigned ms)
{
	struct tap *tap = of(t);
	enum oc_err err;

	pthread_mutex_lock(&tap->lock);
	if (!tap->in_id)
		tap->in_id = submit(tap, RECORD_BULK, tap->ep_in, NULL, 0, NULL, 0, 0);
	pthread_mutex_unlock(&tap->lock);
	err = tap->bus->ops->recv(tap->bus, len, ms);
	pthread_mutex_lock(&tap->lock);
	note_in(tap, err, *len);
	pthread_mutex_unlock(&tap->lock);
	return err;
}

static enum oc_err tap_beside(struct transport *t, const uint8_t *out, size_t len, unsigned ms)
{
	struct tap *tap = of(t);
	enum oc_err err;
	uint64_t id;

	pthread_mutex_lock(&tap->lock);
	note_out(tap, out, len, &id);
	pthread_mutex_unlock(&tap->lock);
	err = tap->bus->ops->beside(tap->bus, out, len, ms);
	pthread_mutex_lock(&tap->lock);
	note_sent(tap, id, len, err);
	pthread_mutex_unlock(&tap->lock);
	return err;
}

/* ---- the control pipe -------------------------------------------------------------------------------------------- */

static void put_setup(uint8_t bytes[RECORD_SETUP], const struct transport_setup *setup, size_t len)
{
	struct wr w = wr_of(bytes, RECORD_SETUP);

	wr_u8(&w, setup->request_type);
	wr_u8(&w, setup->request);
	wr_le16(&w, setup->value);
	wr_le16(&w, setup->index);
	wr_le16(&w, (uint16_t)len);
}

static uint64_t note_request(struct tap *tap, const struct transport_setup *setup, const uint8_t *data,
			     size_t len)
{
	const bool in = setup->request_type & DIRECTION_IN;
	uint8_t bytes[RECORD_SETUP];

	put_setup(bytes, setup, len);
	/* What goes to a token this way may be any part of a command. */
	return submit(tap, RECORD_CONTROL, in ? DIRECTION_IN : 0, bytes, len, in ? NULL : data, in ? 0 : len,
		      tap->secrets ? len : 0);
}

static void note_done(struct tap *tap, uint64_t id, const struct transport_setup *setup, const uint8_t *data,
		      size_t len, enum oc_err err)
{
	const bool in = setup->request_type & DIRECTION_IN;

	complete(tap, id, RECORD_CONTROL, in ? DIRECTION_IN : 0, err, err == OC_OK ? len : 0,
		 in && err == OC_OK && len ? data : NULL, len);
}

static enum oc_err tap_control(struct transport *t, const struct transport_setup *setup, uint8_t *data,
			       size_t *len, unsigned ms)
{
	struct tap *tap = of(t);
	enum oc_err err;
	uint64_t id;

	pthread_mutex_lock(&tap->lock);
	id = note_request(tap, setup, data, *len);
	pthread_mutex_unlock(&tap->lock);
	err = tap->bus->ops->control(tap->bus, setup, data, len, ms);
	pthread_mutex_lock(&tap->lock);
	note_done(tap, id, setup, data, *len, err);
	pthread_mutex_unlock(&tap->lock);
	return err;
}

/* The kernel's request for it, and how that ended */
static void note_halt(struct tap *tap, uint8_t endpoint, enum oc_err err)
{
	const struct transport_setup setup = { .request_type = TO_ENDPOINT,
					       .request = CLEAR_FEATURE,
					       .index = endpoint };

	if (endpoint)
		note_done(tap, note_request(tap, &setup, NULL, 0), &setup, NULL, 0, err);
}

static enum oc_err tap_clear_halt(struct transport *t)
{
	struct tap *tap = of(t);
	const enum oc_err err = tap->bus->ops->clear_halt(tap->bus);

	pthread_mutex_lock(&tap->lock);
	note_halt(tap, tap->ep_out, err);
	note_halt(tap, tap->ep_in, err);
	tap->in_id = 0;
	pthread_mutex_unlock(&tap->lock);
	return err;
}

static enum oc_err tap_clear_interrupt(struct transport *t)
{
	struct tap *tap = of(t);
	const enum oc_err err = tap->bus->ops->clear_interrupt(tap->bus);

	pthread_mutex_lock(&tap->lock);
	note_halt(tap, tap->ep_interrupt, err);
	pthread_mutex_unlock(&tap->lock);
	return err;
}

/* ---- the interrupt pipe ------------------------------------------------------------------------------------------ */

/* A wait in which nothing came is not worth a record. */
static enum oc_err tap_interrupt(struct transport *t, uint8_t *buf, size_t cap, size_t *len, unsigned ms)
{
	struct tap *tap = of(t);
	const enum oc_err err = tap->bus->ops->interrupt(tap->bus, buf, cap, len, ms);
	uint64_t id;

	if (err == OC_E_TIMEOUT || err == OC_E_STOPPED || err == OC_E_UNSUPPORTED)
		return err;
	pthread_mutex_lock(&tap->lock);
	id = submit(tap, RECORD_INTERRUPT, tap->ep_interrupt, NULL, cap, NULL, 0, 0);
	complete(tap, id, RECORD_INTERRUPT, tap->ep_interrupt, err, *len, *len ? buf : NULL, *len);
	pthread_mutex_unlock(&tap->lock);
	return err;
}

/* ---- what leaves no trace ---------------------------------------------------------------------------------------- */

static enum oc_err tap_reset(struct transport *t)
{
	struct tap *tap = of(t);

	return tap->bus->ops->reset ? tap->bus->ops->reset(tap->bus) : OC_E_UNSUPPORTED;
}

static unsigned tap_restarts(struct transport *t)
{
	struct tap *tap = of(t);

	return tap->bus->ops->restarts ? tap->bus->ops->restarts(tap->bus) : 0;
}

static void tap_nudge(struct transport *t)
{
	of(t)->bus->ops->nudge(of(t)->bus);
}

static void tap_wake(struct transport *t)
{
	of(t)->bus->ops->wake(of(t)->bus);
}

static void tap_gone(struct transport *t)
{
	of(t)->bus->ops->gone(of(t)->bus);
}

static uint64_t tap_now(struct transport *t)
{
	return of(t)->bus->ops->now(of(t)->bus);
}

static void tap_pause(struct transport *t, unsigned ms)
{
	of(t)->bus->ops->pause(of(t)->bus, ms);
}

static void tap_close(struct transport *t)
{
	struct tap *tap = of(t);

	tap->bus->ops->close(tap->bus);
	store_file_close(&tap->capture);
	store_ring_free(tap->ring);
	pthread_mutex_destroy(&tap->lock);
	bytes_wipe(tap, sizeof *tap);
	free(tap);
}

static const struct transport_ops tap_ops = {
	.send = tap_send,
	.recv = tap_recv,
	.beside = tap_beside,
	.control = tap_control,
	.clear_halt = tap_clear_halt,
	.clear_interrupt = tap_clear_interrupt,
	.reset = tap_reset,
	.restarts = tap_restarts,
	.interrupt = tap_interrupt,
	.nudge = tap_nudge,
	.wake = tap_wake,
	.gone = tap_gone,
	.now = tap_now,
	.pause = tap_pause,
	.close = tap_close,
};

/* ---- beginning --------------------------------------------------------------------------------------------------- */

/* As the kernel read it when the device was plugged in */
static void note_descriptor(struct tap *tap, unsigned type, const uint8_t *bytes, size_t len)
{
	const struct transport_setup setup = { .request_type = DIRECTION_IN,
					       .request = GET_DESCRIPTOR,
					       .value = (uint16_t)(type << 8) };

	note_done(tap, note_request(tap, &setup, NULL, len), &setup, bytes, len, OC_OK);
}

static void note_descriptors(struct tap *tap, const struct tap_setup *setup)
{
	struct rd r = rd_of(setup->descriptors, setup->descriptors_len);
	const uint8_t *device = rd_bytes(&r, DEVICE_LEN), *configuration = r.at;
	const size_t left = r.left;
	size_t total;

	rd_le16(&r); /* bLength, bDescriptorType */
	total = rd_le16(&r);
	if (r.overrun)
		return;
	note_descriptor(tap, 1, device, DEVICE_LEN);
	note_descriptor(tap, 2, configuration, total < left ? total : left);
}

static void open_capture(struct tap *tap, const struct tap_setup *setup)
{
	int error;

	tap->capture.fd = -1;
	if (!setup->capture)
		return;
	error = store_file_open(&tap->capture, setup->capture, setup->log);
	if (error)
		OC_LOG(setup->log, OC_LOG_CRITICAL, "%s: no capture is written: %s%s", setup->capture,
		       strerror(error), error == EEXIST ? ", and is none of this driver" : "");
	else
		OC_LOG(setup->log, OC_LOG_INFO, "%s gets what goes between the driver and this reader%s",
		       setup->capture,
		       setup->secrets ? "; PINs AND KEYS WILL BE IN IT" : ", without PINs and keys");
}

struct transport *tap_wrap(struct transport *bus, const struct tap_setup *setup)
{
	struct tap *tap = setup->capture || setup->recorder ? calloc(1, sizeof *tap) : NULL;

	if (!tap)
		return bus;
	tap->ops = tap_ops;
	if (!bus->ops->beside)
		tap->ops.beside = NULL;
	if (!bus->ops->nudge)
		tap->ops.nudge = NULL;
	tap->base.ops = &tap->ops;
	tap->bus = bus;
	tap->log = setup->log;
	tap->secrets = setup->secrets;
	tap->number = (uint16_t)setup->bus;
	tap->device = (uint8_t)setup->address;
	tap->ep_out = setup->ep_out;
	tap->ep_in = setup->ep_in;
	tap->ep_interrupt = setup->ep_interrupt;
	tap->recorder = setup->recorder;
	pthread_mutex_init(&tap->lock, NULL);
	redact_begin(&tap->redact, setup->levels);
	open_capture(tap, setup);
	if (setup->recorder)
		tap->ring = store_ring_new();
	note_descriptors(tap, setup);
	return &tap->base;
}
