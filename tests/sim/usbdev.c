/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usbdev.h"

#include "usb_descriptors.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <stdlib.h>
#include <string.h>

static bool is_ccid(const struct usb_dev *dev, unsigned interface)
{
	for (unsigned i = 0; i < dev->functions; i++)
		if (usb_function_interface(&dev->function[i]) == interface)
			return true;
	return false;
}

static void free_device(struct usb_dev *dev)
{
	for (unsigned i = 0; i < dev->functions; i++)
		sim_reader_free(dev->function[i].reader);
	free(dev);
}

struct usb_dev *usb_dev_new(const struct sim_identity *identities, unsigned count, unsigned busnum,
			    unsigned devnum)
{
	struct usb_dev *dev = calloc(1, sizeof *dev);

	if (!dev)
		return NULL;
	dev->busnum = busnum;
	dev->devnum = devnum;
	dev->configuration = 1;
	while (dev->functions < count && dev->functions < USB_FUNCTIONS_MAX) {
		dev->function[dev->functions].reader = sim_reader_new(&identities[dev->functions]);
		if (!dev->function[dev->functions].reader) {
			free_device(dev);
			return NULL;
		}
		dev->functions++;
	}
	return dev;
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

/* ---- frames ---- */

static void enter_frame(const struct usb_dev *dev, struct urb *urb)
{
	for (unsigned bus = 0; bus < USB_BUSES; bus++)
		urb->frame[bus] = dev->frame[bus] + 1;
}

/* How many bytes of bulk data fit one: 19 packets of 64 bytes, 13 of 512 */
static void spend_frames(struct usb_function *f, struct urb *urb)
{
	static const size_t most[USB_BUSES] = { [USB_FULL_SPEED] = 19 * 64, [USB_HIGH_SPEED] = 13 * 512 };

	for (unsigned bus = 0; bus < USB_BUSES; bus++) {
		if ((urb->ep & 0x80) && f->told[bus] > urb->frame[bus])
			urb->frame[bus] = f->told[bus];
		if (urb->actual)
			urb->frame[bus] += (urb->actual - 1) / most[bus];
		if (!(urb->ep & 0x80))
			f->told[bus] = urb->frame[bus];
	}
}

static void learn_frame(struct usb_dev *dev, const struct urb *urb)
{
	for (unsigned bus = 0; dev && bus < USB_BUSES; bus++)
		if (urb->frame[bus] > dev->frame[bus])
			dev->frame[bus] = urb->frame[bus];
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
static int run_out(struct usb_function *f, struct urb *urb, uint64_t now)
{
	enum sim_io io = sim_reader_bulk_out(f->reader, urb->data, urb->len, now);

	if (io == SIM_DONE && urb->len && urb->len % SIM_PACKET == 0 &&
	    (urb->flags & USBDEVFS_URB_ZERO_PACKET))
		io = sim_reader_bulk_out(f->reader, NULL, 0, now);
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
static int run_in(struct usb_function *f, bool no_zlp, struct urb *urb, uint64_t now)
{
	for (;;) {
		size_t packet;

		if (f->in_at == f->in_len && !f->in_zlp) {
			enum sim_io io = sim_reader_bulk_in(f->reader, f->in, sizeof f->in, &f->in_len, now);

			f->in_at = 0;
			if (io != SIM_DONE)
				f->in_len = 0;
			if (io != SIM_DONE)
				return io == SIM_STALL ? -EPIPE : -EAGAIN;
			f->in_zlp = f->in_len % SIM_PACKET == 0 && !no_zlp;
		}
		packet = min_size(f->in_len - f->in_at, SIM_PACKET);
		if (packet > urb->len - urb->actual) {
			f->in_at += packet;
			return -EOVERFLOW;
		}
		memcpy(urb->data + urb->actual, f->in + f->in_at, packet);
		urb->actual += packet;
		f->in_at += packet;
		if (packet == 0)
			f->in_zlp = false;
		if (packet < SIM_PACKET || urb->actual == urb->len)
			return 0;
	}
}

static int run_interrupt(struct usb_function *f, struct urb *urb)
{
	uint8_t buf[SIM_INTERRUPT_MAX];
	size_t len;

	if (sim_reader_interrupt(f->reader, buf, &len) != SIM_DONE)
		return -EAGAIN;
	urb->actual = min_size(len, urb->len);
	memcpy(urb->data, buf, urb->actual);
	return urb->actual < len ? -EOVERFLOW : 0;
}

static int run_bulk(struct usb_function *f, bool no_zlp, struct urb *urb, uint64_t now)
{
	const int status = urb->ep & 0x80 ? run_in(f, no_zlp, urb, now) : run_out(f, urb, now);

	if (status != -EAGAIN)
		spend_frames(f, urb);
	return status;
}

static int run_urb(struct usb_dev *dev, struct urb *urb, uint64_t now)
{
	struct usb_function *f = usb_function_of_endpoint(dev, urb->ep);

	if (usb_ep_kind(urb->ep) == USB_EP_INT)
		return run_interrupt(f, urb);
	return run_bulk(f, dev->no_zlp, urb, now);
}

/* An endpoint works on one URB after the other: where the first has to wait the others do. */
static void run_file(struct usb_file *file, uint64_t now)
{
	struct urb **at = &file->pending;
	uint8_t blocked[USB_EPS * USB_FUNCTIONS_MAX] = { 0 };
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
	uint64_t next = SIM_NEVER;

	for (size_t i = 0; i < USB_FILES_MAX; i++)
		if (dev->files[i])
			run_file(dev->files[i], now);
	for (unsigned i = 0; i < dev->functions; i++) {
		const uint64_t its = sim_reader_next(dev->function[i].reader, now);

		next = its < next ? its : next;
	}
	return next;
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
	free_device(dev);
}

static bool taken_by_other(const struct usb_file *file, unsigned interface)
{
	const struct usb_dev *dev = file->dev;

	if (is_ccid(dev, interface) && (dev->kernel_driver || dev->other_process))
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

/* Transfers end with the claim of their interface. */
static void end_interface(struct usb_file *file, unsigned interface)
{
	struct urb **at = &file->pending;

	while (*at) {
		struct usb_function *f = usb_function_of_endpoint(file->dev, (*at)->ep);

		if (f && usb_function_interface(f) == interface)
			complete(file, at, -ENOENT);
		else
			at = &(*at)->next;
	}
}

int usb_release(struct usb_file *file, unsigned interface)
{
	if (no_interface(file, interface))
		return -ENOENT;
	if (!(file->claimed & 1u << interface))
		return -EINVAL;
	file->claimed &= ~(1u << interface);
	end_interface(file, interface);
	return 0;
}

/* Who is told of what happens to an interface. */
static struct sim_reader *reader_of(struct usb_dev *dev, unsigned interface)
{
	struct usb_function *f = usb_function_of_interface(dev, interface);

	return f ? f->reader : dev->function[0].reader;
}

/* usbfs claims an interface silently when it is used; a driver that relies on that has forgotten something. */
static int use_interface(struct usb_file *file, unsigned interface)
{
	if (no_interface(file, interface))
		return -ENOENT;
	if (file->claimed & 1u << interface)
		return 0;
	sim_reader_violate(reader_of(file->dev, interface),
			   "interface %u is used without having been claimed", interface);
	return usb_claim(file, interface);
}

static void forget_input(struct usb_function *f)
{
	f->in_at = f->in_len = 0;
	f->in_zlp = false;
}

static void reset_functions(struct usb_dev *dev)
{
	for (unsigned i = 0; i < dev->functions; i++) {
		forget_input(&dev->function[i]);
		sim_reader_bus_reset(dev->function[i].reader);
	}
}

static bool anything_claimed(const struct usb_dev *dev)
{
	for (size_t i = 0; i < USB_FILES_MAX; i++)
		if (dev->files[i] && dev->files[i]->claimed)
			return true;
	return dev->kernel_driver || dev->other_process;
}

void usb_dev_configure(struct usb_dev *dev, uint8_t value)
{
	dev->configuration = value;
	reset_functions(dev);
}

int usb_set_configuration(struct usb_file *file, unsigned value)
{
	if (value > 1 && value != UINT32_MAX)
		return -EINVAL;
	if (anything_claimed(file->dev))
		return -EBUSY;
	usb_dev_configure(file->dev, value == 1);
	return 0;
}

int usb_set_interface(struct usb_file *file, unsigned interface, unsigned setting)
{
	int error = use_interface(file, interface);

	if (error)
		return error;
	return setting == 0 ? 0 : -EINVAL;
}

void usb_function_clear_halt(struct usb_function *function, unsigned ep)
{
	const unsigned kind = usb_ep_kind(ep);

	if (kind == USB_EP_INT)
		return;
	if (kind == USB_EP_IN)
		forget_input(function);
	sim_reader_clear_halt(function->reader, kind == USB_EP_IN);
}

int usb_clear_halt(struct usb_file *file, unsigned ep)
{
	struct usb_function *f = usb_function_of_endpoint(file->dev, ep);
	int error;

	if (!f)
		return -ENOENT;
	error = use_interface(file, usb_function_interface(f));
	if (error)
		return error;
	usb_function_clear_halt(f, ep);
	return 0;
}

static void start_afresh(struct usb_dev *dev, int status, bool keep_claims)
{
	for (size_t i = 0; i < USB_FILES_MAX; i++) {
		if (!dev->files[i])
			continue;
		end_all(dev->files[i], status);
		if (!keep_claims && !dev->files[i]->kernel)
			dev->files[i]->claimed = 0;
	}
	reset_functions(dev);
}

/* The kernel unbinds drivers that cannot follow a reset; usbfs is one, so all claims are gone afterwards. */
void usb_reset_by_other(struct usb_dev *dev)
{
	start_afresh(dev, -ENOENT, false);
}

int usb_reset(struct usb_file *file)
{
	usb_reset_by_other(file->dev);
	return 0;
}

void usb_suspend(struct usb_dev *dev, bool claims)
{
	start_afresh(dev, -ESHUTDOWN, claims);
}

const char *usb_driver(const struct usb_file *file, unsigned interface)
{
	if (file->dev->kernel_driver && is_ccid(file->dev, interface))
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
	struct usb_function *f = usb_function_of_interface(file->dev, setup[4]);
	int error;

	file->dev->urbs++;
	if ((setup[0] & 0x1F) == 1) {
		error = use_interface(file, setup[4]);
		if (error)
			return error;
	}
	if (!class)
		return usb_standard_request(file->dev, setup, data, len);
	if ((setup[0] & 0x1F) != 1 || !f || sim_reader_control(f->reader, setup, data, &len, now) != SIM_DONE)
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
	enter_frame(file->dev, urb);
	append(&file->done, urb);
	return 0;
}

int usb_submit(struct usb_file *file, struct urb *urb, uint64_t now)
{
	struct usb_function *f;
	int error;

	if (urb->type == USBDEVFS_URB_TYPE_CONTROL)
		return submit_control(file, urb, now);
	if (urb->type != USBDEVFS_URB_TYPE_BULK && urb->type != USBDEVFS_URB_TYPE_INTERRUPT)
		return -EINVAL;
	f = usb_function_of_endpoint(file->dev, urb->ep);
	if (!f)
		return -ENOENT;
	error = use_interface(file, usb_function_interface(f));
	if (error)
		return error;
	file->dev->urbs++;
	enter_frame(file->dev, urb);
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

	if (!urb)
		return NULL;
	file->done = urb->next;
	learn_frame(file->dev, urb);
	return urb;
}

struct urb *usb_take(struct usb_file *file, uint64_t id)
{
	for (struct urb **at = &file->done; *at; at = &(*at)->next) {
		struct urb *urb = *at;

		if (urb->id != id)
			continue;
		*at = urb->next;
		learn_frame(file->dev, urb);
		return urb;
	}
	return NULL;
}
