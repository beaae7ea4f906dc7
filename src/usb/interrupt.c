/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interrupt endpoint, on which a thread of its own may sleep beside everything else. */
#include "usb/inside.h"

#include <libusb.h>

static enum oc_err fall_asleep(struct usb *u, uint8_t *buf, size_t cap)
{
	enum oc_err err = OC_OK;

	pthread_mutex_lock(&u->lock);
	if (u->gone) {
		err = OC_E_GONE;
	} else if (u->woken) {
		u->woken = false;
		err = OC_E_STOPPED;
	} else {
		err = urb_post(u, &u->interrupt, buf, cap);
		u->sleeping = err == OC_OK;
	}
	pthread_mutex_unlock(&u->lock);
	return err;
}

enum oc_err usb_interrupt(struct transport *t, uint8_t *buf, size_t cap, size_t *len, unsigned ms)
{
	struct usb *u = usb_of(t);
	enum oc_err err;

	*len = 0;
	if (!u->ep_interrupt)
		return OC_E_UNSUPPORTED;
	err = fall_asleep(u, buf, cap);
	if (err != OC_OK)
		return err;
	err = urb_collect(u, &u->interrupt, ms, len);
	pthread_mutex_lock(&u->lock);
	u->sleeping = false;
	if (err == OC_E_TIMEOUT && u->woken) {
		u->woken = false;
		err = OC_E_STOPPED;
	}
	pthread_mutex_unlock(&u->lock);
	return err;
}

/*
 * Who sleeps on the endpoint loses the transfer, which counts as time that passed, and posts it again; not before the halt
 * is cleared, since that takes the lock too.
 */
enum oc_err usb_clear_interrupt(struct transport *t)
{
	struct usb *u = usb_of(t);
	int error = 0;

	if (usb_is_gone(u))
		return OC_E_GONE;
	if (!u->ep_interrupt)
		return OC_OK;
	pthread_mutex_lock(&u->lock);
	if (u->sleeping)
		urb_end(u, &u->interrupt);
	error = libusb_clear_halt(u->handle, u->ep_interrupt);
	pthread_mutex_unlock(&u->lock);
	return usb_error(error);
}

void usb_wake(struct transport *t)
{
	struct usb *u = usb_of(t);

	pthread_mutex_lock(&u->lock);
	u->woken = true;
	if (u->sleeping)
		urb_end(u, &u->interrupt);
	pthread_mutex_unlock(&u->lock);
}
