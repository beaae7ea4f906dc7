/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening and closing. Each reader has a libusb context to itself, so that no reader waits for the events of another one. */
#include "usb/inside.h"

#include "usb/devname.h"
#include "usb/sysfs.h"

#include <libusb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void usb_close(struct transport *t)
{
	struct usb *u = usb_of(t);
	size_t none;

	if (u->in.posted)
		urb_collect(u, &u->in, 0, &none);
	if (u->claimed)
		libusb_release_interface(u->handle, u->interface);
	urb_free(&u->in);
	urb_free(&u->out);
	urb_free(&u->interrupt);
	urb_free(&u->aside);
	if (u->handle)
		libusb_close(u->handle);
	if (u->context)
		libusb_exit(u->context);
	if (u->fd >= 0)
		close(u->fd);
	rest_destroy(&u->rest);
	pthread_mutex_destroy(&u->aside_lock);
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

static enum oc_err allocate(struct usb *u)
{
	enum oc_err err = urb_init(u, &u->in, LIBUSB_TRANSFER_TYPE_BULK, u->ep_in);

	if (err == OC_OK)
		err = urb_init(u, &u->out, LIBUSB_TRANSFER_TYPE_BULK, u->ep_out);
	if (err == OC_OK)
		err = urb_init(u, &u->aside, LIBUSB_TRANSFER_TYPE_BULK, u->ep_out);
	if (err == OC_OK)
		err = urb_init(u, &u->interrupt, LIBUSB_TRANSFER_TYPE_INTERRUPT, u->ep_interrupt);
	return err;
}

static enum oc_err bring_up(struct usb *u, usb_accept accept, struct usb_info *info)
{
	enum oc_err err = usb_open_node(u);

	if (err == OC_OK)
		err = usb_read_descriptors(u, info);
	if (err == OC_OK && !accept(info))
		err = OC_E_NOT_CCID;
	if (err == OC_OK)
		err = usb_take(u, info);
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
	pthread_mutex_init(&u->aside_lock, NULL);
	rest_init(&u->rest);
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
