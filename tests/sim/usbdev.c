/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usbdev.h"

#include "usb_descriptors.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <stdlib.h>
#include <string.h>

static uint32_t ccid_bit(const struct usb_dev *dev)
{
	return 1u << usb_dev_ccid_interface(dev);
}

struct usb_dev *usb_dev_new(const struct sim_identity *identity, unsigned busnum, unsigned devnum)
{
	struct usb_dev *dev = calloc(1, sizeof *dev);

	if (!dev)
		return NULL;
	dev->reader = sim_reader_new(identity);
	dev->busnum = busnum;
	dev->devnum = devnum;
	dev->configuration = 1;
	if (dev->reader)
		return dev;
	free(dev);
	return NULL;
}

/* ---- URBs ---- */

struct urb *urb_new(uint64_t id, uint8_t type, uint8_t ep, size_t len)
{
	struct urb *urb = calloc(1, sizeof *urb);

	if (!urb)
		return NULL;
	*urb = (struct urb){ .id = id, .type = type, .ep = ep, .len = len, .data = calloc(1, len ? len : 1) };
	if (urb->data)
		return urb;
	free(urb);
	return NULL;
}

void urb_free(struct urb *urb)
{
	if (!urb)
		return;
	free(urb->data);
	free(urb);
}

static void append(struct urb **list, struct urb *urb)
{
	while (*list)
		list = &(*list)->next;
	urb->next = NULL;
	*list = urb;
}

static void complete(struct usb_file *file, struct urb **at, int status)
{
	struct urb *urb = *at;

	*at = urb->next;
	urb->status = status;
	append(&file->done, urb);
}

static void end_all(struct usb_file *file, int status)
{
	while (file->pending)
		complete(file, &file->pending, status);
}

/* One transfer on the command pipe. */
static int run_out(struct usb_dev *dev, struct urb *urb, uint64_t now)
{
	enum sim_io io = sim_reader_bulk_out(dev->reader, urb->data, urb->len, now);

	if (io == SIM_DONE && urb->len && urb->len % SIM_PACKET == 0 &&
	    (urb->flags & USBDEVFS_URB_ZERO_PACKET))
		io = sim_reader_bulk_out(dev->reader, NULL, 0, now);
	if (io == SIM_STALL)
		return -EPIPE;
	urb->actual = urb->len;
	return 0;
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Packet by packet: a transfer ends when it is full or with a short packet; a packet that does not fit is babble. */
static int run_in(struct usb_dev *dev, struct urb *urb, uint64_t now)
{
	for (;;) {
		size_t packet;

		if (dev->in_at == dev->in_len && !dev->in_zlp) {
			enum sim_io io =
				sim_reader_bulk_in(dev->reader, dev->in, sizeof dev->in, &dev->in_len, now);

			dev->in_at = 0;
			if (io != SIM_DONE)
				dev->in_len = 0;
			if (io != SIM_DONE)
				return io == SIM_STALL ? -EPIPE : -EAGAIN;
			dev->in_zlp = dev->in_len % SIM_PACKET == 0 && !dev->no_zlp;
		}
		packet = min_size(dev->in_len - dev->in_at, SIM_PACKET);
		if (packet > urb->len - urb->actual) {
			dev->in_at += packet;
			return -EOVERFLOW;
		}
		memcpy(urb->data + urb->actual, dev->in + dev->in_at, packet);
		urb->actual += packet;
		dev->in_at += packet;
		if (packet == 0)
			dev->in_zlp = false;
		if (packet < SIM_PACKET || urb->actual == urb->len)
			return 0;
	}
}

static int run_interrupt(struct usb_dev *dev, struct urb *urb)
{
	uint8_t buf[SIM_INTERRUPT_MAX];
	size_t len;

	if (sim_reader_interrupt(dev->reader, buf, &len) != SIM_DONE)
		return -EAGAIN;
	urb->actual = min_size(len, urb->len);
	memcpy(urb->data, buf, urb->actual);
	return urb->actual < len ? -EOVERFLOW : 0;
}

static int run_urb(struct usb_dev *dev, struct urb *urb, uint64_t now)
{
	switch (urb->ep) {
	case USB_EP_OUT: return run_out(dev, urb, now);
	case USB_EP_IN: return run_in(dev, urb, now);
	default: return run_interrupt(dev, urb);
	}
}

/* An endpoint works on one URB after the other: where the first has to wait the others do. */
static void run_file(struct usb_file *file, uint64_t now)
{
	struct urb **at = &file->pending;
	uint8_t blocked[3] = { 0 };
	size_t blocked_len = 0;

	while (*at) {
		struct urb *urb = *at;
		int status = -EAGAIN;

		if (!memchr(blocked, urb->ep, sizeof blocked))
			status = run_urb(file->dev, urb, now);
		if (status != -EAGAIN) {
			complete(file, at, status);
			continue;
		}
		if (blocked_len < sizeof blocked)
			blocked[blocked_len++] = urb->ep;
		at = &urb->next;
	}
}

uint64_t usb_dev_run(struct usb_dev *dev, uint64_t now)
{
	for (size_t i = 0; i < USB_FILES_MAX; i++)
		if (dev->files[i])
			run_file(dev->files[i], now);
	return sim_reader_next(dev->reader, now);
}

/* ---- files and interfaces ---- */

struct usb_file *usb_file_open(struct usb_dev *dev)
{
	for (size_t i = 0; i < USB_FILES_MAX; i++) {
		if (dev->files[i])
			continue;
		dev->files[i] = calloc(1, sizeof *dev->files[i]);
		if (dev->files[i])
			dev->files[i]->dev = dev;
		return dev->files[i];
	}
	return NULL;
}

static void forget_file(struct usb_file *file)
{
	for (size_t i = 0; file->dev && i < USB_FILES_MAX; i++)
		if (file->dev->files[i] == file)
			file->dev->files[i] = NULL;
	file->dev = NULL;
}

void usb_file_close(struct usb_file *file)
{
	struct urb *urb;

	end_all(file, -ENOENT);
	while ((urb = usb_reap(file)))
		urb_free(urb);
	forget_file(file);
	free(file);
}

void usb_dev_free(struct usb_dev *dev)
{
	if (!dev)
		return;
	for (size_t i = 0; i < USB_FILES_MAX; i++) {
		struct usb_file *file = dev->files[i];

		if (!file)
			continue;
		end_all(file, -ESHUTDOWN);
		file->claimed = 0;
		forget_file(file);
	}
	sim_reader_free(dev->reader);
	free(dev);
}

static bool taken_by_other(const struct usb_file *file, unsigned interface)
{
	const struct usb_dev *dev = file->dev;

	if (1u << interface == ccid_bit(dev) && (dev->kernel_driver || dev->other_process))
		return true;
	for (size_t i = 0; i < USB_FILES_MAX; i++)
		if (dev->files[i] && dev->files[i] != file && (dev->files[i]->claimed & 1u << interface))
			return true;
	return false;
}

static bool no_interface(const struct usb_file *file, unsigned interface)
{
	return interface >= usb_dev_interfaces(file->dev) || file->dev->configuration == 0;
}

int usb_claim(struct usb_file *file, unsigned interface)
{
	if (no_interface(file, interface))
		return -ENOENT;
	if (taken_by_other(file, interface))
		return -EBUSY;
	file->claimed |= 1u << interface;
	return 0;
}

int usb_release(struct usb_file *file, unsigned interface)
{
	if (no_interface(file, interface))
		return -ENOENT;
	if (!(file->claimed & 1u << interface))
		return -EINVAL;
	file->claimed &= ~(1u << interface);
	if (1u << interface == ccid_bit(file->dev))
		end_all(file, -ENOENT);
	return 0;
}

/* usbfs claims an interface silently when it is used; a driver that relies on that has forgotten something. */
static int use_interface(struct usb_file *file, unsigned interface)
{
	if (no_interface(file, interface))
		return -ENOENT;
	if (file->claimed & 1u << interface)
		return 0;
	sim_reader_violate(file->dev->reader, "interface %u is used without having been claimed", interface);
	return usb_claim(file, interface);
}

static void forget_input(struct usb_dev *dev)
{
	dev->in_at = dev->in_len = 0;
	dev->in_zlp = false;
}

static bool anything_claimed(const struct usb_dev *dev)
{
	for (size_t i = 0; i < USB_FILES_MAX; i++)
		if (dev->files[i] && dev->files[i]->claimed)
			return true;
	return dev->kernel_driver || dev->other_process;
}

int usb_set_configuration(struct usb_file *file, unsigned value)
{
	if (value > 1 && value != UINT32_MAX)
		return -EINVAL;
	if (anything_claimed(file->dev))
		return -EBUSY;
	file->dev->configuration = value == 1;
	forget_input(file->dev);
	sim_reader_bus_reset(file->dev->reader);
	return 0;
}

int usb_set_interface(struct usb_file *file, unsigned interface, unsigned setting)
{
	int error = use_interface(file, interface);

	if (error)
		return error;
	return setting == 0 ? 0 : -EINVAL;
}

int usb_clear_halt(struct usb_file *file, unsigned ep)
{
	int error;

	if (ep != USB_EP_OUT && ep != USB_EP_IN && !(ep == USB_EP_INT && usb_has_interrupt(file->dev)))
		return -ENOENT;
	error = use_interface(file, usb_dev_ccid_interface(file->dev));
	if (error)
		return error;
	if (ep == USB_EP_INT)
		return 0;
	if (ep == USB_EP_IN)
		forget_input(file->dev);
	sim_reader_clear_halt(file->dev->reader, ep == USB_EP_IN);
	return 0;
}

/* The kernel unbinds drivers that cannot follow a reset; usbfs is one, so all claims are gone afterwards. */
int usb_reset(struct usb_file *file)
{
	struct usb_dev *dev = file->dev;

	for (size_t i = 0; i < USB_FILES_MAX; i++) {
		if (!dev->files[i])
			continue;
		end_all(dev->files[i], -ENOENT);
		dev->files[i]->claimed = 0;
	}
	forget_input(dev);
	sim_reader_bus_reset(dev->reader);
	return 0;
}

const char *usb_driver(const struct usb_file *file, unsigned interface)
{
	if (file->dev->kernel_driver && 1u << interface == ccid_bit(file->dev))
		return "ccid_kernel";
	if ((file->claimed & 1u << interface) || taken_by_other(file, interface))
		return "usbfs";
	return NULL;
}

int usb_disconnect_driver(struct usb_file *file, unsigned interface)
{
	const char *driver;

	if (no_interface(file, interface))
		return -EINVAL;
	driver = usb_driver(file, interface);
	if (!driver)
		return -ENODATA;
	if (strcmp(driver, "usbfs") == 0)
		return -EBUSY;
	file->dev->kernel_driver = false;
	return 0;
}

int usb_connect_driver(struct usb_file *file, unsigned interface)
{
	if (no_interface(file, interface))
		return -EINVAL;
	return usb_driver(file, interface) ? -EBUSY : 0;
}

/* ---- transfers ---- */

/* Class requests go to the model, the rest of chapter 9 is answered here. */
int usb_control(struct usb_file *file, const uint8_t setup[8], uint8_t *data, size_t len, uint64_t now)
{
	const bool class = (setup[0] & 0x60) == 0x20;
	int error;

	file->dev->urbs++;
	if ((setup[0] & 0x1F) == 1) {
		error = use_interface(file, setup[4]);
		if (error)
			return error;
	}
	if (!class)
		return usb_standard_request(file->dev, setup, data, len);
	if ((setup[0] & 0x1F) != 1 || setup[4] != usb_dev_ccid_interface(file->dev))
		return -EPIPE;
	if (sim_reader_control(file->dev->reader, setup, data, &len, now) != SIM_DONE)
		return -EPIPE;
	return (int)len;
}

static int submit_control(struct usb_file *file, struct urb *urb, uint64_t now)
{
	size_t len;
	int done;

	if (urb->len < 8)
		return -EINVAL;
	len = (size_t)urb->data[6] | (size_t)urb->data[7] << 8;
	if (len > urb->len - 8)
		return -EINVAL;
	done = usb_control(file, urb->data, urb->data + 8, len, now);
	if (done == -EBUSY || done == -ENOENT)
		return done;
	urb->actual = done < 0 ? 0 : (size_t)done;
	urb->status = done < 0 ? done : 0;
	append(&file->done, urb);
	return 0;
}

int usb_submit(struct usb_file *file, struct urb *urb, uint64_t now)
{
	int error;

	if (urb->type == USBDEVFS_URB_TYPE_CONTROL)
		return submit_control(file, urb, now);
	if (urb->type != USBDEVFS_URB_TYPE_BULK && urb->type != USBDEVFS_URB_TYPE_INTERRUPT)
		return -EINVAL;
	if (urb->ep != USB_EP_OUT && urb->ep != USB_EP_IN &&
	    !(urb->ep == USB_EP_INT && usb_has_interrupt(file->dev)))
		return -ENOENT;
	error = use_interface(file, usb_dev_ccid_interface(file->dev));
	if (error)
		return error;
	file->dev->urbs++;
	append(&file->pending, urb);
	return 0;
}

int usb_discard(struct usb_file *file, uint64_t id)
{
	for (struct urb **at = &file->pending; *at; at = &(*at)->next) {
		if ((*at)->id != id)
			continue;
		complete(file, at, -ENOENT);
		return 0;
	}
	return -EINVAL;
}

struct urb *usb_reap(struct usb_file *file)
{
	struct urb *urb = file->done;

	if (urb)
		file->done = urb->next;
	return urb;
}

struct urb *usb_take(struct usb_file *file, uint64_t id)
{
	for (struct urb **at = &file->done; *at; at = &(*at)->next) {
		struct urb *urb = *at;

		if (urb->id != id)
			continue;
		*at = urb->next;
		return urb;
	}
	return NULL;
}
