/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transfers are asynchronous, and have no time-out of their own: who waits keeps the time, and takes the transfer back when
 * it is over. Each reader has a libusb context to itself, so that no reader waits for the events of another one.
 */
#include "usb/usb.h"

#include "base/bytes.h"
#include "usb/devname.h"
#include "usb/holder.h"
#include "usb/restart.h"
#include "usb/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <libusb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CANCEL_MS = 2000, NODE_MAX = 64, PACKET_MASK = 0x7FF };

/* One transfer that is used again and again. */
struct urb {
	struct libusb_transfer *transfer;
	bool posted;       /* submitted, and not yet collected; only the thread that waits looks at it */
	int done;          /* set by the callback; atomic, and an int because libusb wants one */
	unsigned restarts; /* of the device, when it was submitted */
};

struct usb {
	struct transport base;
	const struct oc_log *log;
	libusb_context *context;
	libusb_device_handle *handle;
	int fd;
	char node[NODE_MAX];
	uint8_t interface;
	bool claimed;
	bool shared; /* with other interfaces, which a reset of the device would take by surprise */
	uint8_t ep_in, ep_out, ep_interrupt; /* 0: none */
	size_t packet_out;                   /* wMaxPacketSize of bulk-OUT */
	unsigned pause_ms;                   /* between the packets of a message; 0: write it in one go */
	struct urb in, out, interrupt;

	pthread_mutex_t lock; /* what other threads may do to a waiting one */
	bool sleeping;        /* interrupt is submitted */
	bool woken;
	bool gone;
	unsigned restarts; /* of the device since it was opened; atomic */
	struct sleep_watch sleep;
	pthread_cond_t left; /* gone became true */
};

static struct usb *usb_of(struct transport *t)
{
	return (struct usb *)(void *)t;
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static uint64_t usb_now(struct transport *t)
{
	struct timespec now;

	(void)t;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Let time pass, but not for a device that is gone. */
static void usb_pause(struct transport *t, unsigned ms)
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

/* ---- transfers --------------------------------------------------------------------------------------------------- */

static enum oc_err of_libusb(int error)
{
	switch (error) {
	case LIBUSB_ERROR_NO_DEVICE:
	case LIBUSB_ERROR_NOT_FOUND: return OC_E_GONE;
	case LIBUSB_ERROR_TIMEOUT: return OC_E_TIMEOUT;
	case LIBUSB_ERROR_PIPE: return OC_E_STALL;
	case LIBUSB_ERROR_NO_MEM: return OC_E_MEMORY;
	case LIBUSB_ERROR_BUSY: return OC_E_BUSY;
	case LIBUSB_ERROR_ACCESS: return OC_E_ACCESS;
	default: return error < 0 ? OC_E_IO : OC_OK;
	}
}

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

static bool is_gone(struct usb *u)
{
	bool gone;

	pthread_mutex_lock(&u->lock);
	gone = u->gone;
	pthread_mutex_unlock(&u->lock);
	return gone;
}

/* The claim may be gone after it; whoever took it meanwhile is found out by the next transfer. */
static unsigned usb_restarts(struct transport *t)
{
	struct usb *u = usb_of(t);
	bool slept;

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
static enum oc_err look_closer(struct usb *u, enum oc_err err, unsigned known)
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

/* The same for libusb's calls that wait by themselves. */
static enum oc_err of_call(struct usb *u, int error)
{
	const enum oc_err err = of_libusb(error);

	return err == OC_E_GONE ? look_closer(u, err, usb_restarts(&u->base)) : err;
}

static enum oc_err post(struct usb *u, struct urb *urb)
{
	int error;

	urb->restarts = __atomic_load_n(&u->restarts, __ATOMIC_RELAXED);
	__atomic_store_n(&urb->done, 0, __ATOMIC_RELEASE);
	error = libusb_submit_transfer(urb->transfer);
	urb->posted = error == 0;
	return of_libusb(error);
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
		libusb_cancel_transfer(urb->transfer);
		serve(u, urb, CANCEL_MS);
	}
}

/* A packet of nothing, which is rare; most control requests have no data. */
static bool is_nothing(const struct libusb_transfer *transfer)
{
	return transfer->actual_length == 0 && transfer->length > 0 &&
	       transfer->type != LIBUSB_TRANSFER_TYPE_CONTROL;
}

/* Wait for a posted transfer and collect it; it is not posted afterwards, whatever happened. */
static enum oc_err collect(struct usb *u, struct urb *urb, unsigned ms, size_t *len)
{
	const struct libusb_transfer *transfer = urb->transfer;
	enum oc_err err;

	serve(u, urb, ms);
	take_back(u, urb);
	if (!is_done(urb)) {
		/* The kernel does not give it back: neither it nor its buffer may be used again. */
		OC_LOG(u->log, OC_LOG_CRITICAL,
		       "%s: the kernel does not give a transfer back; unplug the reader", u->node);
		u->base.ops->gone(&u->base);
		return OC_E_GONE;
	}
	urb->posted = false;
	if (is_gone(u))
		return OC_E_GONE;
	err = of_status(transfer->status);
	/* Some readers end a message on a full packet without a zero-length one: then the time runs out on whole data. */
	if (err == OC_E_TIMEOUT && transfer->actual_length > 0)
		err = OC_OK;
	if (err == OC_E_GONE || (err == OC_OK && is_nothing(transfer)))
		err = look_closer(u, err, urb->restarts);
	*len = err == OC_OK ? (size_t)transfer->actual_length : 0;
	return err;
}

/* One OUT transfer; libusb's buffers are not const, but OUT data is only read. */
static enum oc_err write_piece(struct usb *u, const uint8_t *out, size_t len, unsigned ms)
{
	size_t sent = 0;
	enum oc_err err;

	libusb_fill_bulk_transfer(u->out.transfer, u->handle, u->ep_out, (uint8_t *)(uintptr_t)out, (int)len,
				  on_done, &u->out, 0);
	err = post(u, &u->out);
	if (err == OC_OK)
		err = collect(u, &u->out, ms, &sent);
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
		err = write_piece(u, out + at, piece, ms);
	}
	return err;
}

static enum oc_err usb_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
			    unsigned ms)
{
	struct usb *u = usb_of(t);
	size_t none;
	enum oc_err err;

	if (is_gone(u))
		return OC_E_GONE;
	if (u->in.posted)
		collect(u, &u->in, 0, &none);
	libusb_fill_bulk_transfer(u->in.transfer, u->handle, u->ep_in, in, (int)cap, on_done, &u->in, 0);
	err = post(u, &u->in);
	if (err != OC_OK)
		return err;
	err = write_message(u, out, len, ms);
	if (err != OC_OK)
		collect(u, &u->in, 0, &none);
	return err;
}

static enum oc_err usb_recv(struct transport *t, size_t *len, unsigned ms)
{
	struct usb *u = usb_of(t);

	*len = 0;
	if (is_gone(u))
		return OC_E_GONE;
	if (!u->in.posted) {
		const enum oc_err err = post(u, &u->in);

		if (err != OC_OK)
			return err;
	}
	return collect(u, &u->in, ms, len);
}

static void usb_nudge(struct transport *t)
{
	libusb_cancel_transfer(usb_of(t)->in.transfer);
}

static enum oc_err usb_beside(struct transport *t, const uint8_t *out, size_t len, unsigned ms)
{
	struct usb *u = usb_of(t);
	int sent = 0, error;

	if (is_gone(u))
		return OC_E_GONE;
	error = libusb_bulk_transfer(u->handle, u->ep_out, (uint8_t *)(uintptr_t)out, (int)len, &sent, ms);
	if (error == 0 && (size_t)sent != len)
		return OC_E_TIMEOUT;
	return of_call(u, error);
}

/* A control transfer and its data, with SETUP in front */
struct control {
	struct urb urb;
	uint8_t bytes[];
};

static struct control *control_new(size_t size)
{
	struct control *c = calloc(1, sizeof *c + size);

	if (c)
		c->urb.transfer = libusb_alloc_transfer(0);
	if (c && !c->urb.transfer) {
		free(c);
		return NULL;
	}
	return c;
}

/* One that the kernel kept must not be freed. */
static void control_free(struct control *c, size_t size)
{
	if (c->urb.posted)
		return;
	bytes_wipe(c->bytes, size);
	libusb_free_transfer(c->urb.transfer);
	free(c);
}

/* Tokens get commands, and PINs in them, this way; libusb's own function leaves a copy of the data in freed memory. */
static enum oc_err usb_control(struct transport *t, const struct transport_setup *setup, uint8_t *data,
			       size_t *len, unsigned ms)
{
	const bool in = setup->request_type & LIBUSB_ENDPOINT_IN;
	const size_t room = *len, size = LIBUSB_CONTROL_SETUP_SIZE + room;
	struct usb *u = usb_of(t);
	struct control *c;
	enum oc_err err;

	*len = 0;
	if (is_gone(u))
		return OC_E_GONE;
	c = control_new(size);
	if (!c)
		return OC_E_MEMORY;
	libusb_fill_control_setup(c->bytes, setup->request_type, setup->request, setup->value, setup->index,
				  (uint16_t)room);
	if (!in && room)
		memcpy(c->bytes + LIBUSB_CONTROL_SETUP_SIZE, data, room);
	libusb_fill_control_transfer(c->urb.transfer, u->handle, c->bytes, on_done, &c->urb, 0);
	err = post(u, &c->urb);
	if (err == OC_OK)
		err = collect(u, &c->urb, ms, len);
	if (err == OC_OK && in && *len)
		memcpy(data, c->bytes + LIBUSB_CONTROL_SETUP_SIZE, *len);
	control_free(c, size);
	return err;
}

static enum oc_err usb_clear_halt(struct transport *t)
{
	struct usb *u = usb_of(t);
	int error;

	if (is_gone(u))
		return OC_E_GONE;
	error = libusb_clear_halt(u->handle, u->ep_out);
	if (error == 0)
		error = libusb_clear_halt(u->handle, u->ep_in);
	return of_call(u, error);
}

/*
 * The kernel takes back what is submitted, so the listener is woken before, and its lock keeps it from listening again until the
 * reset is over. libusb claims the interface again.
 */
static enum oc_err usb_reset(struct transport *t)
{
	struct usb *u = usb_of(t);
	int error;

	if (is_gone(u))
		return OC_E_GONE;
	if (u->shared)
		return OC_E_UNSUPPORTED;
	pthread_mutex_lock(&u->lock);
	if (u->sleeping) {
		u->woken = true;
		libusb_cancel_transfer(u->interrupt.transfer);
	}
	error = libusb_reset_device(u->handle);
	__atomic_add_fetch(&u->restarts, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&u->lock);
	return of_libusb(error);
}

/* ---- the interrupt endpoint -------------------------------------------------------------------------------------- */

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
		libusb_fill_interrupt_transfer(u->interrupt.transfer, u->handle, u->ep_interrupt, buf,
					       (int)cap, on_done, &u->interrupt, 0);
		err = post(u, &u->interrupt);
		u->sleeping = err == OC_OK;
	}
	pthread_mutex_unlock(&u->lock);
	return err;
}

static enum oc_err usb_interrupt(struct transport *t, uint8_t *buf, size_t cap, size_t *len, unsigned ms)
{
	struct usb *u = usb_of(t);
	enum oc_err err;

	*len = 0;
	if (!u->ep_interrupt)
		return OC_E_UNSUPPORTED;
	err = fall_asleep(u, buf, cap);
	if (err != OC_OK)
		return err;
	err = collect(u, &u->interrupt, ms, len);
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
static enum oc_err usb_clear_interrupt(struct transport *t)
{
	struct usb *u = usb_of(t);
	int error = 0;

	if (is_gone(u))
		return OC_E_GONE;
	if (!u->ep_interrupt)
		return OC_OK;
	pthread_mutex_lock(&u->lock);
	if (u->sleeping)
		libusb_cancel_transfer(u->interrupt.transfer);
	error = libusb_clear_halt(u->handle, u->ep_interrupt);
	pthread_mutex_unlock(&u->lock);
	return of_libusb(error);
}

static void usb_wake(struct transport *t)
{
	struct usb *u = usb_of(t);

	pthread_mutex_lock(&u->lock);
	u->woken = true;
	if (u->sleeping)
		libusb_cancel_transfer(u->interrupt.transfer);
	pthread_mutex_unlock(&u->lock);
}

static void usb_gone(struct transport *t)
{
	struct usb *u = usb_of(t);

	pthread_mutex_lock(&u->lock);
	u->gone = true;
	pthread_cond_broadcast(&u->left);
	/* Those that are not submitted refuse to be cancelled, which is fine. */
	libusb_cancel_transfer(u->in.transfer);
	libusb_cancel_transfer(u->out.transfer);
	if (u->ep_interrupt)
		libusb_cancel_transfer(u->interrupt.transfer);
	pthread_mutex_unlock(&u->lock);
}

/* ---- open and close ---------------------------------------------------------------------------------------------- */

/* A transfer that the kernel kept must not be freed. */
static void free_urb(struct urb *urb)
{
	if (!urb->posted)
		libusb_free_transfer(urb->transfer);
}

static void usb_close(struct transport *t)
{
	struct usb *u = usb_of(t);
	size_t none;

	if (u->in.posted)
		collect(u, &u->in, 0, &none);
	if (u->claimed)
		libusb_release_interface(u->handle, u->interface);
	free_urb(&u->in);
	free_urb(&u->out);
	free_urb(&u->interrupt);
	if (u->handle)
		libusb_close(u->handle);
	if (u->context)
		libusb_exit(u->context);
	if (u->fd >= 0)
		close(u->fd);
	pthread_cond_destroy(&u->left);
	pthread_mutex_destroy(&u->lock);
	free(u);
}

static const struct transport_ops usb_ops = {
	.send = usb_send,
	.recv = usb_recv,
	.nudge = usb_nudge,
	.beside = usb_beside,
	.control = usb_control,
	.clear_halt = usb_clear_halt,
	.reset = usb_reset,
	.restarts = usb_restarts,
	.clear_interrupt = usb_clear_interrupt,
	.interrupt = usb_interrupt,
	.wake = usb_wake,
	.gone = usb_gone,
	.now = usb_now,
	.pause = usb_pause,
	.close = usb_close,
};

/* A context of its own that does not look at every device of the machine is possible since libusb 1.0.27. */
#if LIBUSB_API_VERSION >= 0x0100010A
static int init_context(libusb_context **context)
{
	const struct libusb_init_option option = { .option = LIBUSB_OPTION_NO_DEVICE_DISCOVERY };

	return libusb_init_context(context, &option, 1);
}
#else
static int init_context(libusb_context **context)
{
	/* The older switch is one for the whole process, and would blind other drivers in it. */
	return libusb_init(context);
}
#endif

static enum oc_err open_node(struct usb *u)
{
	u->fd = open(u->node, O_RDWR | O_CLOEXEC);
	if (u->fd >= 0)
		return OC_OK;
	if (errno == EACCES || errno == EPERM) {
		OC_LOG(u->log, OC_LOG_CRITICAL,
		       "%s: no permission to open the reader. Is 60-openccid.rules among the udev rules, and "
		       "is pcscd in the "
		       "group that it gives the reader to? After installing the rules, plug the reader in "
		       "again",
		       u->node);
		return OC_E_ACCESS;
	}
	OC_LOG(u->log, OC_LOG_CRITICAL, "%s: cannot be opened: %s", u->node, strerror(errno));
	return errno == ENOENT || errno == ENODEV || errno == ENXIO ? OC_E_GONE : OC_E_IO;
}

static enum oc_err open_libusb(struct usb *u)
{
	int error = init_context(&u->context);

	if (error == 0)
		error = libusb_wrap_sys_device(u->context, u->fd, &u->handle);
	if (error == 0)
		return OC_OK;
	OC_LOG(u->log, OC_LOG_CRITICAL, "%s: libusb cannot use the device: %s", u->node,
	       libusb_error_name(error));
	return of_libusb(error);
}

static void add_extra(struct usb_info *info, const unsigned char *extra, int len)
{
	if (len <= 0 || (size_t)len > sizeof info->extra - info->extra_len)
		return;
	memcpy(info->extra + info->extra_len, extra, (size_t)len);
	info->extra_len += (size_t)len;
}

static void note_endpoint(struct usb *u, const struct libusb_endpoint_descriptor *ep)
{
	const bool in = ep->bEndpointAddress & LIBUSB_ENDPOINT_IN;
	const int type = ep->bmAttributes & LIBUSB_TRANSFER_TYPE_MASK;

	if (type == LIBUSB_TRANSFER_TYPE_BULK && in && !u->ep_in)
		u->ep_in = ep->bEndpointAddress;
	if (type == LIBUSB_TRANSFER_TYPE_BULK && !in && !u->ep_out) {
		u->ep_out = ep->bEndpointAddress;
		u->packet_out = ep->wMaxPacketSize & PACKET_MASK;
	}
	if (type == LIBUSB_TRANSFER_TYPE_INTERRUPT && in && !u->ep_interrupt)
		u->ep_interrupt = ep->bEndpointAddress;
}

static void note_interface(struct usb *u, const struct libusb_interface_descriptor *i, struct usb_info *info)
{
	info->class = i->bInterfaceClass;
	info->subclass = i->bInterfaceSubClass;
	info->protocol = i->bInterfaceProtocol;
	add_extra(info, i->extra, i->extra_length);
	for (uint8_t e = 0; e < i->bNumEndpoints; e++) {
		note_endpoint(u, &i->endpoint[e]);
		add_extra(info, i->endpoint[e].extra, i->endpoint[e].extra_length);
	}
	info->bulk = u->ep_in && u->ep_out;
	info->interrupt = u->ep_interrupt != 0;
	info->ep_out = u->ep_out;
	info->ep_in = u->ep_in;
	info->ep_interrupt = u->ep_interrupt;
}

/* Could this be a reader as well? Those of vendors keep it to themselves. */
static bool may_be_reader(const struct libusb_interface *interface)
{
	const uint8_t class = interface->num_altsetting > 0 ? interface->altsetting[0].bInterfaceClass : 0;

	return class == LIBUSB_CLASS_SMART_CARD || class == LIBUSB_CLASS_VENDOR_SPEC;
}

static bool is_lone(const struct usb *u, const struct libusb_config_descriptor *config)
{
	bool lone = true;

	for (uint8_t i = 0; i < config->bNumInterfaces; i++) {
		const struct libusb_interface *interface = &config->interface[i];

		if (interface->num_altsetting > 0 &&
		    interface->altsetting[0].bInterfaceNumber != u->interface)
			lone = lone && !may_be_reader(interface);
	}
	return lone;
}

static enum oc_err read_descriptors(struct usb *u, struct usb_info *info)
{
	libusb_device *device = libusb_get_device(u->handle);
	struct libusb_device_descriptor desc;
	struct libusb_config_descriptor *config;
	bool found = false;
	int error = libusb_get_device_descriptor(device, &desc);

	if (error == 0)
		error = libusb_get_active_config_descriptor(device, &config);
	if (error != 0) {
		OC_LOG(u->log, OC_LOG_CRITICAL, "%s: the device's descriptors cannot be read: %s", u->node,
		       libusb_error_name(error));
		return of_libusb(error);
	}
	info->vid = desc.idVendor;
	info->pid = desc.idProduct;
	info->bcd_device = desc.bcdDevice;
	for (uint8_t i = 0; i < config->bNumInterfaces && !found; i++) {
		const struct libusb_interface *interface = &config->interface[i];

		found = interface->num_altsetting > 0 &&
			interface->altsetting[0].bInterfaceNumber == u->interface;
		if (found)
			note_interface(u, &interface->altsetting[0], info);
	}
	u->shared = config->bNumInterfaces > 1;
	info->lone = is_lone(u, config);
	libusb_free_config_descriptor(config);
	return found ? OC_OK : OC_E_NOT_CCID;
}

/* The name of the kernel driver on our interface, or "" */
static void kernel_driver(const struct usb *u, const struct usb_info *info, char *name, size_t cap)
{
	char path[SYSFS_PATH];

	name[0] = '\0';
	if (sysfs_find_address(info->bus, info->address, path))
		sysfs_interface_driver(path, u->interface, name, cap);
}

static void tell_busy(const struct usb *u, const struct usb_info *info)
{
	char who[256], driver[64];

	kernel_driver(u, info, driver, sizeof driver);
	if (driver[0] && strcmp(driver, "usbfs") != 0)
		snprintf(who, sizeof who, "the kernel driver %s holds it and could not be detached", driver);
	else if (!holder_find(u->node, who, sizeof who))
		snprintf(who, sizeof who,
			 "most likely GnuPG's scdaemon (put disable-ccid into scdaemon.conf), another driver "
			 "of "
			 "pcscd, or a virtual machine");
	OC_LOG(u->log, OC_LOG_CRITICAL,
	       "%s: interface %u is in use by somebody else: %s. End that, then plug the reader in again",
	       u->node, u->interface, who);
}

static enum oc_err claim(struct usb *u, const struct usb_info *info)
{
	char driver[64];
	int error;

	if (libusb_kernel_driver_active(u->handle, u->interface) == 1) {
		kernel_driver(u, info, driver, sizeof driver);
		if (!driver[0])
			snprintf(driver, sizeof driver, "that holds it");
		OC_LOG(u->log, OC_LOG_INFO, "%s: taking interface %u from the kernel driver %s", u->node,
		       u->interface, driver);
	}
	libusb_set_auto_detach_kernel_driver(u->handle, 1);
	error = libusb_claim_interface(u->handle, u->interface);
	if (error == LIBUSB_ERROR_BUSY)
		tell_busy(u, info);
	else if (error != 0)
		OC_LOG(u->log, OC_LOG_CRITICAL, "%s: interface %u cannot be claimed: %s", u->node,
		       u->interface, libusb_error_name(error));
	u->claimed = error == 0;
	return of_libusb(error);
}

static enum oc_err allocate(struct usb *u)
{
	u->in.transfer = libusb_alloc_transfer(0);
	u->out.transfer = libusb_alloc_transfer(0);
	u->interrupt.transfer = libusb_alloc_transfer(0);
	return u->in.transfer && u->out.transfer && u->interrupt.transfer ? OC_OK : OC_E_MEMORY;
}

static enum oc_err bring_up(struct usb *u, usb_accept accept, struct usb_info *info)
{
	enum oc_err err = open_node(u);

	if (err == OC_OK)
		err = open_libusb(u);
	if (err == OC_OK)
		err = read_descriptors(u, info);
	if (err == OC_OK && !accept(info))
		err = OC_E_NOT_CCID;
	if (err == OC_OK)
		err = claim(u, info);
	if (err == OC_OK)
		err = allocate(u);
	return err;
}

static enum oc_err locate(const char *text, const struct oc_log *log, struct usb_name *name)
{
	if (usb_name_parse(text, name) != OC_OK) {
		OC_LOG(log, OC_LOG_CRITICAL, "\"%.100s\" is no device name of pcscd", text);
		return OC_E_NAME;
	}
	if (name->located ||
	    sysfs_find_ids(name->vid, name->pid, &name->bus, &name->address, &name->interface))
		return OC_OK;
	OC_LOG(log, OC_LOG_CRITICAL, "no USB device %04x:%04x is attached", name->vid, name->pid);
	return OC_E_GONE;
}

static void init_lock(struct usb *u)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&u->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&u->left, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

enum oc_err usb_open(const char *text, const struct oc_log *log, usb_accept accept, struct usb_info *info,
		     struct transport **out)
{
	struct usb_name name;
	struct usb *u;
	enum oc_err err;

	*info = (struct usb_info){ 0 };
	err = locate(text, log, &name);
	if (err != OC_OK)
		return err;
	u = calloc(1, sizeof *u);
	if (!u)
		return OC_E_MEMORY;
	u->base.ops = &usb_ops;
	u->log = log;
	u->fd = -1;
	u->interface = (uint8_t)name.interface;
	snprintf(u->node, sizeof u->node, "/dev/bus/usb/%03u/%03u", name.bus, name.address);
	init_lock(u);
	sleep_watch_look(&u->sleep);
	info->bus = name.bus;
	info->address = name.address;
	info->interface = u->interface;
	err = bring_up(u, accept, info);
	if (err != OC_OK) {
		usb_close(&u->base);
		return err;
	}
	*out = &u->base;
	return OC_OK;
}

void usb_pace(struct transport *transport, unsigned pause_ms)
{
	usb_of(transport)->pause_ms = pause_ms;
}

bool usb_string(const struct usb_info *info, const char *which, char text[USB_STRING_MAX])
{
	char path[SYSFS_PATH];

	return sysfs_find_address(info->bus, info->address, path) &&
	       sysfs_attribute(path, which, text, USB_STRING_MAX);
}

size_t usb_descriptors(const struct usb_info *info, uint8_t *bytes, size_t cap)
{
	char path[SYSFS_PATH];

	return sysfs_find_address(info->bus, info->address, path)
		       ? sysfs_bytes(path, "descriptors", bytes, cap)
		       : 0;
}

bool usb_place_of(const struct usb_info *info, char text[USB_PLACE_MAX])
{
	char path[SYSFS_PATH], configuration[8];
	const char *name;
	int n;

	if (!sysfs_find_address(info->bus, info->address, path))
		return false;
	if (!sysfs_attribute(path, "bConfigurationValue", configuration, sizeof configuration))
		return false;
	name = strrchr(path, '/');
	n = snprintf(text, USB_PLACE_MAX, "%s:%s.%u", name ? name + 1 : path, configuration, info->interface);
	return n > 0 && n < USB_PLACE_MAX;
}
