/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of an open device share. Of libusb's asynchronous calls they know transfer.c's only: a transfer is aimed, posted and
 * collected, or ended early, whichever engine does it.
 */
#ifndef OPENCCID_USB_INSIDE_H
#define OPENCCID_USB_INSIDE_H

#include "usb/restart.h"
#include "usb/usb.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct libusb_context;
struct libusb_device_handle;
struct libusb_transfer;

/* One transfer that is used again and again. */
struct urb {
	struct libusb_transfer *transfer;
	bool posted;       /* submitted, and not yet collected; only the thread that waits looks at it */
	int done;          /* set by the callback; atomic, and an int because libusb wants one */
	unsigned restarts; /* of the device, when it was submitted */
};

enum { USB_NODE_TEXT = 64 };

/*
 * A thread may sleep on the interrupt endpoint while others work, and the node has one queue for all that has ended: whoever listened
 * there would be woken by each transfer of the others. So it makes way for those who work, and comes back when they are done.
 */
struct rest {
	uint64_t
		works; /* atomic: how many are at work in the lower half, how many have been in the upper one */
	uint64_t heard;       /* what works was when the listener looked last; its own */
	int listens;          /* atomic: the listener waits for events of the node, or is about to */
	int stir;             /* atomic: it shall stop that; an int because libusb wants one */
	pthread_mutex_t lock; /* of what follows; nothing else is taken under it */
	pthread_cond_t changed;
	int hurry; /* its transfer was ended: it has to be collected, whoever works; atomic where it is read */
};

struct usb {
	struct transport base;
	const struct oc_log *log;
	struct libusb_context *context;
	struct libusb_device_handle *handle;
	int fd;
	char node[USB_NODE_TEXT];
	uint8_t interface;
	bool claimed;
	bool shared; /* with other interfaces, which a reset of the device would take by surprise */
	uint8_t ep_in, ep_out, ep_interrupt; /* 0: none */
	size_t packet_out;                   /* wMaxPacketSize of bulk-OUT */
	unsigned pause_ms;                   /* between the packets of a message; 0: write it in one go */
	struct urb in, out, interrupt;
	struct urb aside;           /* what goes out beside a command, */
	pthread_mutex_t aside_lock; /* one at a time */
	struct rest rest;

	pthread_mutex_t lock; /* what other threads may do to a waiting one */
	bool sleeping;        /* interrupt is submitted */
	bool woken;
	bool gone;         /* written under the lock, read without it: atomic */
	unsigned restarts; /* of the device since it was opened; atomic */
	struct sleep_watch sleep;
	pthread_cond_t left; /* gone became true */
};

static inline struct usb *usb_of(struct transport *t)
{
	return (struct usb *)(void *)t;
}

/* ---- transfer.c: the asynchronous engine -------------------------------------------------------------------------- */

/* Of this type, libusb's, on this endpoint of an open device; its callback finds its way to @u or @urb. */
enum oc_err urb_init(struct usb *u, struct urb *urb, uint8_t type, uint8_t endpoint);

/* Not while it is posted, unless the kernel kept it: then it stays where it is. */
void urb_free(struct urb *urb);

/* Move these bytes, which are the kernel's until collect(). */
enum oc_err urb_post(struct usb *u, struct urb *urb, uint8_t *bytes, size_t len);

/* The same ones once more */
enum oc_err urb_repost(struct usb *u, struct urb *urb);

/*
 * Wait at most @ms for a posted transfer, take it back where that was not enough, and collect it; it is not posted afterwards,
 * whatever happened. On OC_OK *@len bytes were moved.
 */
enum oc_err urb_collect(struct usb *u, struct urb *urb, unsigned ms, size_t *len);

/* End it before its time: who collects it gets what had arrived, or OC_E_TIMEOUT. Any thread; one that is not posted refuses. */
void urb_end(struct usb *u, struct urb *urb);

void rest_init(struct rest *rest);
void rest_destroy(struct rest *rest);

/* ---- device.c: what becomes of the device while it is open -------------------------------------------------------- */

static inline bool usb_is_gone(const struct usb *u)
{
	return __atomic_load_n(&u->gone, __ATOMIC_ACQUIRE);
}

/* A transfer that was posted at @known restarts ended with @err: was it the system that restarted the device? */
enum oc_err usb_look_closer(struct usb *u, enum oc_err err, unsigned known);

/* One of libusb's errors: less than 0 */
enum oc_err usb_refusal(int error);

/* What one of libusb's calls returned */
static inline enum oc_err usb_error(int error)
{
	return error < 0 ? usb_refusal(error) : OC_OK;
}

/* What one of libusb's calls returned that wait by themselves: usb_error(), and a closer look where the device seems gone. */
enum oc_err usb_called(struct usb *u, int error);

uint64_t usb_now(struct transport *t);
void usb_pause(struct transport *t, unsigned ms);
unsigned usb_restarts(struct transport *t);
enum oc_err usb_reset(struct transport *t);
void usb_gone(struct transport *t);

/* ---- bulk.c, control.c, interrupt.c: the operations of the transport that concern these pipes ---------------------- */

enum oc_err usb_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
		     unsigned ms);
enum oc_err usb_recv(struct transport *t, size_t *len, unsigned ms);
void usb_nudge(struct transport *t);
enum oc_err usb_beside(struct transport *t, const uint8_t *out, size_t len, unsigned ms);
enum oc_err usb_clear_halt(struct transport *t);

enum oc_err usb_control(struct transport *t, const struct transport_setup *setup, uint8_t *data, size_t *len,
			unsigned ms);

enum oc_err usb_interrupt(struct transport *t, uint8_t *buf, size_t cap, size_t *len, unsigned ms);
enum oc_err usb_clear_interrupt(struct transport *t);
void usb_wake(struct transport *t);

/* ---- open.c, interface.c: the steps of usb_open() ------------------------------------------------------------------ */

/* The node, and libusb on it; a failure is logged with what to do. */
enum oc_err usb_open_node(struct usb *u);

/* What the descriptors say of the interface, for us and for who decides on it. OC_E_NOT_CCID: there is none of this number. */
enum oc_err usb_read_descriptors(struct usb *u, struct usb_info *info);

/* Take the interface, from a kernel driver too; whoever else has it is named in the log. */
enum oc_err usb_take(struct usb *u, const struct usb_info *info);

#endif
