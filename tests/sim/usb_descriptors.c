/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usb_descriptors.h"

#include "base/bytes.h"

#include <errno.h>

enum { DESC_DEVICE = 1, DESC_CONFIG = 2, DESC_STRING = 3, DESC_INTERFACE = 4, DESC_ENDPOINT = 5 };
enum { STR_MANUFACTURER = 1, STR_PRODUCT, STR_SERIAL, STR_INTERFACE, STRINGS };

static const char *string_of(const struct sim_identity *id, unsigned index)
{
	const char *const strings[STRINGS] = { [STR_MANUFACTURER] = id->manufacturer,
					       [STR_PRODUCT] = id->product,
					       [STR_SERIAL] = id->serial,
					       [STR_INTERFACE] = id->interface_name };

	return index < STRINGS && strings[index] && strings[index][0] ? strings[index] : NULL;
}

static uint8_t index_of(const struct sim_identity *id, uint8_t index)
{
	return string_of(id, index) ? index : 0;
}

bool usb_has_interrupt(const struct usb_dev *dev)
{
	return sim_reader_identity(dev->reader)->endpoints >= 3;
}

uint8_t usb_dev_ccid_interface(const struct usb_dev *dev)
{
	return sim_reader_identity(dev->reader)->interface_number & 15;
}

unsigned usb_dev_interfaces(const struct usb_dev *dev)
{
	return usb_dev_ccid_interface(dev) + 1u;
}

static void device_descriptor(const struct sim_identity *id, struct wr *w)
{
	wr_u8(w, 18);
	wr_u8(w, DESC_DEVICE);
	wr_le16(w, 0x0200);
	wr_le32(w, 0x40000000); /* class, subclass, protocol: per interface; bMaxPacketSize0 = 64 */
	wr_le16(w, id->vid);
	wr_le16(w, id->pid);
	wr_le16(w, id->bcd);
	wr_u8(w, index_of(id, STR_MANUFACTURER));
	wr_u8(w, index_of(id, STR_PRODUCT));
	wr_u8(w, index_of(id, STR_SERIAL));
	wr_u8(w, 1);
}

static void endpoint_descriptor(struct wr *w, uint8_t ep, uint8_t type, uint16_t packet, uint8_t interval)
{
	wr_u8(w, 7);
	wr_u8(w, DESC_ENDPOINT);
	wr_u8(w, ep);
	wr_u8(w, type);
	wr_le16(w, packet);
	wr_u8(w, interval);
}

static void interface_descriptor(struct wr *w, uint8_t number, uint8_t endpoints, const uint8_t class[3],
				 uint8_t name)
{
	wr_u8(w, 9);
	wr_u8(w, DESC_INTERFACE);
	wr_u8(w, number);
	wr_u8(w, 0);
	wr_u8(w, endpoints);
	wr_bytes(w, class, 3);
	wr_u8(w, name);
}

static void ccid_descriptors(const struct sim_identity *id, uint8_t number, struct wr *w)
{
	enum { BULK = 2, INTERRUPT = 3 };
	const uint8_t endpoints = id->endpoints >= 3 ? 3 : 2;

	interface_descriptor(w, number, endpoints, id->class, index_of(id, STR_INTERFACE));
	wr_bytes(w, id->descriptor, sizeof id->descriptor);
	endpoint_descriptor(w, USB_EP_OUT, BULK, SIM_PACKET, 0);
	endpoint_descriptor(w, USB_EP_IN, BULK, SIM_PACKET, 0);
	if (endpoints == 3)
		endpoint_descriptor(w, USB_EP_INT, INTERRUPT, SIM_PACKET, 16);
}

/* Where the CCID interface is not the first one, idle vendor interfaces stand before it. */
static void config_descriptor(const struct usb_dev *dev, struct wr *w)
{
	static const uint8_t vendor_class[3] = { 0xFF, 0xFF, 0xFF };
	const struct sim_identity *id = sim_reader_identity(dev->reader);
	const uint8_t number = usb_dev_ccid_interface(dev);
	uint8_t body[512];
	struct wr b = wr_of(body, sizeof body);

	for (uint8_t i = 0; i < number; i++)
		interface_descriptor(&b, i, 0, vendor_class, 0);
	ccid_descriptors(id, number, &b);
	wr_u8(w, 9);
	wr_u8(w, DESC_CONFIG);
	wr_le16(w, (uint16_t)(9 + sizeof body - b.left));
	wr_u8(w, (uint8_t)usb_dev_interfaces(dev));
	wr_u8(w, 1);
	wr_u8(w, 0);
	wr_u8(w, 0x80);
	wr_u8(w, 50);
	wr_bytes(w, body, sizeof body - b.left);
}

size_t usb_dev_descriptors(const struct usb_dev *dev, uint8_t *out, size_t cap)
{
	struct wr w = wr_of(out, cap);

	device_descriptor(sim_reader_identity(dev->reader), &w);
	config_descriptor(dev, &w);
	return cap - w.left;
}

/* UTF-8 in the identity, UTF-16 on the wire; what is beyond the basic plane becomes '?'. */
static uint16_t next_char(const char **text)
{
	const uint8_t *s = (const uint8_t *)*text;
	unsigned extra = s[0] < 0x80 ? 0 : s[0] < 0xE0 ? 1 : s[0] < 0xF0 ? 2 : 3;
	unsigned value = extra ? s[0] & (0x3Fu >> extra) : s[0];

	(*text)++;
	for (; extra && ((uint8_t) * *text & 0xC0) == 0x80; extra--, (*text)++)
		value = value << 6 | ((uint8_t) * *text & 0x3Fu);
	return value > 0xFFFF ? '?' : (uint16_t)value;
}

static int string_descriptor(const struct usb_dev *dev, uint8_t index, struct wr *w)
{
	const char *text = string_of(sim_reader_identity(dev->reader), index);
	uint8_t body[252];
	struct wr b = wr_of(body, sizeof body);

	if (index == 0)
		wr_le16(&b, 0x0409);
	else if (!text)
		return -EPIPE;
	while (text && *text && b.left)
		wr_le16(&b, next_char(&text));
	wr_u8(w, (uint8_t)(2 + sizeof body - b.left));
	wr_u8(w, DESC_STRING);
	wr_bytes(w, body, sizeof body - b.left);
	return 0;
}

static int get_descriptor(const struct usb_dev *dev, const uint8_t *setup, uint8_t *data, size_t len)
{
	uint8_t bytes[600];
	struct wr w = wr_of(bytes, sizeof bytes);
	size_t have;

	if (setup[3] == DESC_DEVICE)
		device_descriptor(sim_reader_identity(dev->reader), &w);
	else if (setup[3] == DESC_CONFIG && setup[2] == 0)
		config_descriptor(dev, &w);
	else if (setup[3] != DESC_STRING || string_descriptor(dev, setup[2], &w) < 0)
		return -EPIPE;
	have = sizeof bytes - w.left;
	if (have > len)
		have = len;
	memcpy(data, bytes, have);
	return (int)have;
}

static int give(uint8_t *data, size_t len, const uint8_t *bytes, size_t have)
{
	if (have > len)
		have = len;
	memcpy(data, bytes, have);
	return (int)have;
}

int usb_standard_request(struct usb_dev *dev, const uint8_t setup[8], uint8_t *data, size_t len)
{
	enum {
		GET_STATUS = 0x00,
		CLEAR_FEATURE = 0x01,
		SET_FEATURE = 0x03,
		GET_DESCRIPTOR = 0x06,
		GET_CONFIGURATION = 0x08,
		SET_CONFIGURATION = 0x09,
		GET_INTERFACE = 0x0A,
		SET_INTERFACE = 0x0B,
	};
	const uint8_t zeros[2] = { 0, 0 };
	const bool in = setup[0] & 0x80;

	if ((setup[0] & 0x60) != 0)
		return -EPIPE;
	if (in && setup[1] == GET_DESCRIPTOR)
		return get_descriptor(dev, setup, data, len);
	if (in && setup[1] == GET_CONFIGURATION)
		return give(data, len, &dev->configuration, 1);
	if (in && setup[1] == GET_STATUS)
		return give(data, len, zeros, 2);
	if (in && setup[1] == GET_INTERFACE)
		return give(data, len, zeros, 1);
	if (setup[0] == 0x02 && setup[1] == CLEAR_FEATURE) {
		sim_reader_clear_halt(dev->reader, setup[4] & 0x80);
		return 0;
	}
	/* what a device without remote wake-up and alternate settings has nothing to do for */
	if (!in && (setup[1] == CLEAR_FEATURE || setup[1] == SET_FEATURE || setup[1] == SET_CONFIGURATION ||
		    (setup[1] == SET_INTERFACE && setup[2] == 0)))
		return 0;
	return -EPIPE;
}
