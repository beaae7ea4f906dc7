/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the descriptors of a device say of the interface that is to be opened. */
#include "usb/inside.h"

#include <libusb.h>
#include <string.h>

enum { PACKET_MASK = 0x7FF };

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

enum oc_err usb_read_descriptors(struct usb *u, struct usb_info *info)
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
		return usb_error(error);
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
