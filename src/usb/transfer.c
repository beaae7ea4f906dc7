/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The asynchronous engine. Transfers have no time-out of their own: who waits keeps the time, and takes the transfer back when it is over.
 */
#include "usb/inside.h"

#include <libusb.h>

enum { CANCEL_MS = 2000 };

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

static bool is_done(const struct urb *urb)
{
	return __atomic_load_n(&urb->done, __ATOMIC_ACQUIRE);
}

enum oc_err urb_init(struct urb *urb)
{
	urb->transfer = libusb_alloc_transfer(0);
	return urb->transfer ? OC_OK : OC_E_MEMORY;
}

void urb_free(struct urb *urb)
{
	if (!urb->posted)
		libusb_free_transfer(urb->transfer);
}

void urb_aim(struct usb *u, struct urb *urb, uint8_t type, uint8_t endpoint, uint8_t *bytes, size_t len)
{
	libusb_fill_bulk_transfer(urb->transfer, u->handle, endpoint, bytes, (int)len, on_done, urb, 0);
	urb->transfer->type = type;
}

enum oc_err urb_post(struct usb *u, struct urb *urb)
{
	int error;

	urb->restarts = __atomic_load_n(&u->restarts, __ATOMIC_RELAXED);
	__atomic_store_n(&urb->done, 0, __ATOMIC_RELEASE);
	error = libusb_submit_transfer(urb->transfer);
	urb->posted = error == 0;
	return usb_error(error);
}

void urb_end(struct urb *urb)
{
	libusb_cancel_transfer(urb->transfer);
}

/* Serve events until the transfer is done or the time is over. */
static void serve(struct usb *u, struct urb *urb, unsigned ms)
{
	const uint64_t until = usb_now(&u->base) + ms;

	while (!is_done(urb)) {
		const uint64_t now = usb_now(&u->base);
		const uint64_t left = now < until ? until - now : 0;
		struct timeval tv = { .tv_sec = (time_t)(left / 1000),
				      .tv_usec = (suseconds_t)(left % 1000 * 1000) };

		if (!left || libusb_handle_events_timeout_completed(u->context, &tv, &urb->done) < 0)
			return;
	}
}

/* Take a transfer back. What had arrived before that still counts. */
static void take_back(struct usb *u, struct urb *urb)
{
	if (!is_done(urb)) {
		urb_end(urb);
		serve(u, urb, CANCEL_MS);
	}
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
	serve(u, urb, ms);
	take_back(u, urb);
	if (!is_done(urb)) {
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
