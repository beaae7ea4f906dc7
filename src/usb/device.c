/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a device while it is open: it goes, or it starts afresh, by us or by the system. And the time that passes. */
#include "usb/inside.h"

#include <errno.h>
#include <libusb.h>
#include <time.h>

/* ---- time -------------------------------------------------------------------------------------------------------- */

uint64_t usb_now(struct transport *t)
{
	struct timespec now;

	(void)t;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Let time pass, but not for a device that is gone. */
void usb_pause(struct transport *t, unsigned ms)
{
	struct usb *u = usb_of(t);
	const uint64_t end = usb_now(t) + ms;
	const struct timespec until = { .tv_sec = (time_t)(end / 1000),
					.tv_nsec = (long)(end % 1000) * 1000000 };

	pthread_mutex_lock(&u->lock);
	while (!u->gone && pthread_cond_timedwait(&u->left, &u->lock, &until) == 0)
		continue;
	pthread_mutex_unlock(&u->lock);
}

/* ---- gone -------------------------------------------------------------------------------------------------------- */

void usb_gone(struct transport *t)
{
	struct usb *u = usb_of(t);

	pthread_mutex_lock(&u->lock);
	__atomic_store_n(&u->gone, true, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&u->left);
	/* Those that are not submitted refuse to be cancelled, which is fine. */
	urb_end(u, &u->in);
	urb_end(u, &u->out);
	urb_end(u, &u->aside);
	if (u->ep_interrupt)
		urb_end(u, &u->interrupt);
	pthread_mutex_unlock(&u->lock);
}

/* ---- restarted --------------------------------------------------------------------------------------------------- */

/* The claim may be gone after it; whoever took it meanwhile is found out by the next transfer. */
unsigned usb_restarts(struct transport *t)
{
	struct usb *u = usb_of(t);
	bool slept;

	if (!sleep_watch_peek(&u->sleep))
		return __atomic_load_n(&u->restarts, __ATOMIC_RELAXED);
	pthread_mutex_lock(&u->lock);
	slept = sleep_watch_look(&u->sleep);
	if (slept && claim_state(u->fd, u->interface) == CLAIM_LOST)
		claim_again(u->fd, u->interface);
	pthread_mutex_unlock(&u->lock);
	return __atomic_add_fetch(&u->restarts, slept, __ATOMIC_RELAXED);
}

/* Each restart counts once, however many transfers it has ended. */
static void note_restart(struct usb *u, unsigned known)
{
	if (usb_restarts(&u->base) == known)
		__atomic_compare_exchange_n(&u->restarts, &known, known + 1, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
}

/*
 * A transfer ended as it does without a device, or with nothing: so it does also when the system suspends the device or resets it.
 * Only the node tells which it was; @err where it was neither.
 */
enum oc_err usb_look_closer(struct usb *u, enum oc_err err, unsigned known)
{
	const enum claim claim = claim_state(u->fd, u->interface);

	if (claim == CLAIM_GONE || (err == OC_OK && claim == CLAIM_HELD))
		return claim == CLAIM_GONE ? OC_E_GONE : err;
	if (claim != CLAIM_HELD && claim_again(u->fd, u->interface) == EBUSY) {
		OC_LOG(u->log, OC_LOG_CRITICAL,
		       "%s: the system has reset the reader, and somebody else has taken it since; end that, "
		       "then plug the reader in again",
		       u->node);
		return OC_E_BUSY;
	}
	note_restart(u, known);
	return OC_E_RESTARTED;
}

/*
 * The kernel takes back what is submitted, so the listener is woken before, and its lock keeps it from listening again until the
 * reset is over. libusb claims the interface again.
 */
enum oc_err usb_reset(struct transport *t)
{
	struct usb *u = usb_of(t);
	int error;

	if (usb_is_gone(u))
		return OC_E_GONE;
	if (u->shared)
		return OC_E_UNSUPPORTED;
	pthread_mutex_lock(&u->lock);
	if (u->sleeping) {
		u->woken = true;
		urb_end(u, &u->interrupt);
	}
	error = libusb_reset_device(u->handle);
	__atomic_add_fetch(&u->restarts, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&u->lock);
	return usb_error(error);
}

/* ---- what libusb says --------------------------------------------------------------------------------------------- */

enum oc_err usb_refusal(int error)
{
	switch (error) {
	case LIBUSB_ERROR_NO_DEVICE:
	case LIBUSB_ERROR_NOT_FOUND: return OC_E_GONE;
	case LIBUSB_ERROR_TIMEOUT: return OC_E_TIMEOUT;
	case LIBUSB_ERROR_PIPE: return OC_E_STALL;
	case LIBUSB_ERROR_NO_MEM: return OC_E_MEMORY;
	case LIBUSB_ERROR_BUSY: return OC_E_BUSY;
	case LIBUSB_ERROR_ACCESS: return OC_E_ACCESS;
	default: return OC_E_IO;
	}
}

enum oc_err usb_called(struct usb *u, int error)
{
	const enum oc_err err = usb_error(error);

	return err == OC_E_GONE ? usb_look_closer(u, err, usb_restarts(&u->base)) : err;
}
