/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The asynchronous engine. Transfers have no time-out of their own: who waits keeps the time, and takes the transfer back when it is over.
 */
#include "usb/inside.h"

#include <libusb.h>

#include <time.h>

enum {
	CANCEL_MS = 2000,
	QUIET_MS =
		50, /* so long after the last one who worked is the listener back; shorter than anybody notices */
};

static enum oc_err of_status(enum libusb_transfer_status status)
{
	switch (status) {
	case LIBUSB_TRANSFER_COMPLETED: return OC_OK;
	case LIBUSB_TRANSFER_STALL: return OC_E_STALL;
	case LIBUSB_TRANSFER_NO_DEVICE: return OC_E_GONE;
	case LIBUSB_TRANSFER_CANCELLED:
	case LIBUSB_TRANSFER_TIMED_OUT: return OC_E_TIMEOUT;
	case LIBUSB_TRANSFER_OVERFLOW: return OC_E_LENGTH;
	case LIBUSB_TRANSFER_ERROR: break;
	}
	return OC_E_IO;
}

static void LIBUSB_CALL on_done(struct libusb_transfer *transfer)
{
	struct urb *urb = transfer->user_data;

	__atomic_store_n(&urb->done, 1, __ATOMIC_RELEASE);
}

/* That of the interrupt endpoint: its thread may sleep while somebody else serves the events. */
static void LIBUSB_CALL on_heard(struct libusb_transfer *transfer)
{
	struct usb *u = transfer->user_data;

	pthread_mutex_lock(&u->rest.lock);
	__atomic_store_n(&u->interrupt.done, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&u->rest.stir, 1, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&u->rest.changed);
	pthread_mutex_unlock(&u->rest.lock);
}

static bool is_done(const struct urb *urb)
{
	return __atomic_load_n(&urb->done, __ATOMIC_ACQUIRE);
}

enum oc_err urb_init(struct usb *u, struct urb *urb, uint8_t type, uint8_t endpoint)
{
	const bool listener = urb == &u->interrupt;

	urb->transfer = libusb_alloc_transfer(0);
	if (!urb->transfer)
		return OC_E_MEMORY;
	libusb_fill_bulk_transfer(urb->transfer, u->handle, endpoint, NULL, 0, listener ? on_heard : on_done,
				  listener ? (void *)u : urb, 0);
	urb->transfer->type = type;
	return OC_OK;
}

void urb_free(struct urb *urb)
{
	if (!urb->posted)
		libusb_free_transfer(urb->transfer);
}

enum oc_err urb_post(struct usb *u, struct urb *urb, uint8_t *bytes, size_t len)
{
	urb->transfer->buffer = bytes;
	urb->transfer->length = (int)len;
	return urb_repost(u, urb);
}

enum oc_err urb_repost(struct usb *u, struct urb *urb)
{
	int error;

	urb->restarts = __atomic_load_n(&u->restarts, __ATOMIC_RELAXED);
	__atomic_store_n(&urb->done, 0, __ATOMIC_RELEASE);
	if (urb == &u->interrupt)
		__atomic_store_n(&u->rest.hurry, 0, __ATOMIC_RELAXED);
	error = libusb_submit_transfer(urb->transfer);
	urb->posted = error == 0;
	return usb_error(error);
}

void urb_end(struct usb *u, struct urb *urb)
{
	libusb_cancel_transfer(urb->transfer);
	if (urb != &u->interrupt)
		return;
	pthread_mutex_lock(&u->rest.lock);
	__atomic_store_n(&u->rest.hurry, 1, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&u->rest.changed);
	pthread_mutex_unlock(&u->rest.lock);
}

/* Wait for events of the node, at most @ms, or until *@enough. False where that fails. */
static bool turn(struct usb *u, int *enough, unsigned ms)
{
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	return libusb_handle_events_timeout_completed(u->context, &tv, enough) >= 0;
}

static unsigned left_until(struct usb *u, uint64_t until)
{
	const uint64_t now = usb_now(&u->base);

	return now < until ? (unsigned)(until - now) : 0;
}

/* Serve events until the transfer is done or the time is over. */
static void serve(struct usb *u, struct urb *urb, unsigned ms)
{
	const uint64_t until = usb_now(&u->base) + ms;
	unsigned left = ms;

	while (!is_done(urb) && left && turn(u, &urb->done, left))
		if (!is_done(urb))
			left = left_until(u, until);
}

/* ---- who works, and who listens ---------------------------------------------------------------------------------- */

static const uint64_t at_work = UINT32_MAX, over = (UINT64_C(1) << 32) - 1;

void rest_init(struct rest *rest)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&rest->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&rest->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

void rest_destroy(struct rest *rest)
{
	pthread_cond_destroy(&rest->changed);
	pthread_mutex_destroy(&rest->lock);
}

/* Serve events as one who works: a listener makes way, once for all that follows closely. */
static void work(struct usb *u, struct urb *urb, unsigned ms)
{
	struct rest *rest = &u->rest;

	if (is_done(urb))
		return;
	__atomic_add_fetch(&rest->works, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&rest->listens, __ATOMIC_SEQ_CST) &&
	    !__atomic_exchange_n(&rest->stir, 1, __ATOMIC_ACQ_REL))
		libusb_interrupt_event_handler(u->context);
	serve(u, urb, ms);
	__atomic_add_fetch(&rest->works, over, __ATOMIC_RELEASE);
}

static bool is_in_a_hurry(const struct rest *rest)
{
	return __atomic_load_n(&rest->hurry, __ATOMIC_ACQUIRE);
}

/* True when nobody has worked since the last look; notes this one. */
static bool is_quiet(struct rest *rest)
{
	const uint64_t works = __atomic_load_n(&rest->works, __ATOMIC_SEQ_CST);
	const bool quiet = works == rest->heard && !(works & at_work);

	rest->heard = works;
	return quiet;
}

/* Sleep until nobody works any more, the transfer is done or ended, or @until. */
static void await_quiet(struct usb *u, uint64_t until)
{
	struct rest *rest = &u->rest;

	pthread_mutex_lock(&rest->lock);
	while (!is_done(&u->interrupt) && !is_in_a_hurry(rest) && !is_quiet(rest) && left_until(u, until)) {
		const uint64_t soon = usb_now(&u->base) + QUIET_MS;
		const struct timespec at = { .tv_sec = (time_t)(soon / 1000),
					     .tv_nsec = (long)(soon % 1000) * 1000000 };

		pthread_cond_timedwait(&rest->changed, &rest->lock, &at);
	}
	pthread_mutex_unlock(&rest->lock);
}

/* Serve events as the listener, until its transfer is done or the time is over. */
static void listen_beside(struct usb *u, unsigned ms)
{
	const uint64_t until = usb_now(&u->base) + ms;
	struct rest *rest = &u->rest;
	bool well = true;

	while (well && !is_done(&u->interrupt) && left_until(u, until)) {
		await_quiet(u, until);
		__atomic_store_n(&rest->stir, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&rest->listens, 1, __ATOMIC_SEQ_CST);
		/* Who begins to work from here on sees that somebody listens. */
		if (!is_done(&u->interrupt) && (is_in_a_hurry(rest) || is_quiet(rest)))
			well = turn(u, &rest->stir, left_until(u, until));
		__atomic_store_n(&rest->listens, 0, __ATOMIC_SEQ_CST);
	}
}

/* Take a transfer back, unless it is done. What had arrived before that still counts. */
static bool take_back(struct usb *u, struct urb *urb)
{
	if (is_done(urb))
		return true;
	urb_end(u, urb);
	serve(u, urb, CANCEL_MS);
	return is_done(urb);
}

/* A packet of nothing, which is rare; most control requests have no data. */
static bool is_nothing(const struct libusb_transfer *transfer)
{
	return transfer->actual_length == 0 && transfer->length > 0 &&
	       transfer->type != LIBUSB_TRANSFER_TYPE_CONTROL;
}

enum oc_err urb_collect(struct usb *u, struct urb *urb, unsigned ms, size_t *len)
{
	const struct libusb_transfer *transfer = urb->transfer;
	enum oc_err err;

	*len = 0;
	if (urb == &u->interrupt)
		listen_beside(u, ms);
	else
		work(u, urb, ms);
	if (!take_back(u, urb)) {
		/* The kernel does not give it back: neither it nor its buffer may be used again. */
		OC_LOG(u->log, OC_LOG_CRITICAL,
		       "%s: the kernel does not give a transfer back; unplug the reader", u->node);
		usb_gone(&u->base);
		return OC_E_GONE;
	}
	urb->posted = false;
	if (usb_is_gone(u))
		return OC_E_GONE;
	err = of_status(transfer->status);
	/* Some readers end a message on a full packet without a zero-length one: then the time runs out on whole data. */
	if (err == OC_E_TIMEOUT && transfer->actual_length > 0)
		err = OC_OK;
	if (err == OC_E_GONE || (err == OC_OK && is_nothing(transfer)))
		err = usb_look_closer(u, err, urb->restarts);
	if (err == OC_OK)
		*len = (size_t)transfer->actual_length;
	return err;
}
