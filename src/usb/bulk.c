/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bulk pipes: messages to the reader, and what it answers. */
#include "usb/inside.h"

#include <libusb.h>

/* One OUT transfer; libusb's buffers are not const, but OUT data is only read. */
static enum oc_err write_piece(struct usb *u, struct urb *urb, const uint8_t *out, size_t len, unsigned ms)
{
	size_t sent = 0;
	enum oc_err err;

	err = urb_post(u, urb, (uint8_t *)(uintptr_t)out, len);
	if (err == OC_OK)
		err = urb_collect(u, urb, ms, &sent);
	return err == OC_OK && sent != len ? OC_E_TIMEOUT : err;
}

static enum oc_err write_message(struct usb *u, const uint8_t *out, size_t len, unsigned ms)
{
	const size_t most = u->pause_ms && u->packet_out ? u->packet_out : len;
	enum oc_err err = OC_OK;
	size_t piece;

	for (size_t at = 0; err == OC_OK && at < len; at += piece) {
		piece = len - at < most ? len - at : most;
		if (at)
			usb_pause(&u->base, u->pause_ms);
		err = write_piece(u, &u->out, out + at, piece, ms);
	}
	return err;
}

enum oc_err usb_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
		     unsigned ms)
{
	struct usb *u = usb_of(t);
	size_t none;
	enum oc_err err;

	if (usb_is_gone(u))
		return OC_E_GONE;
	if (u->in.posted)
		urb_collect(u, &u->in, 0, &none);
	err = urb_post(u, &u->in, in, cap);
	if (err != OC_OK)
		return err;
	err = write_message(u, out, len, ms);
	if (err != OC_OK)
		urb_collect(u, &u->in, 0, &none);
	return err;
}

enum oc_err usb_recv(struct transport *t, size_t *len, unsigned ms)
{
	struct usb *u = usb_of(t);

	*len = 0;
	if (usb_is_gone(u))
		return OC_E_GONE;
	if (!u->in.posted) {
		const enum oc_err err = urb_repost(u, &u->in);

		if (err != OC_OK)
			return err;
	}
	return urb_collect(u, &u->in, ms, len);
}

void usb_nudge(struct transport *t)
{
	urb_end(usb_of(t), &usb_of(t)->in);
}

enum oc_err usb_beside(struct transport *t, const uint8_t *out, size_t len, unsigned ms)
{
	struct usb *u = usb_of(t);
	enum oc_err err;

	pthread_mutex_lock(&u->aside_lock);
	err = usb_is_gone(u) ? OC_E_GONE : write_piece(u, &u->aside, out, len, ms);
	pthread_mutex_unlock(&u->aside_lock);
	return err;
}

enum oc_err usb_clear_halt(struct transport *t)
{
	struct usb *u = usb_of(t);
	int error;

	if (usb_is_gone(u))
		return OC_E_GONE;
	error = libusb_clear_halt(u->handle, u->ep_out);
	if (error == 0)
		error = libusb_clear_halt(u->handle, u->ep_in);
	return usb_called(u, error);
}

void usb_pace(struct transport *transport, unsigned pause_ms)
{
	usb_of(transport)->pause_ms = pause_ms;
}
