/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usb_descriptors.h"

#include "base/bytes.h"

#include <errno.h>

enum { CONFIG_MAX = 560 };
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

const struct sim_identity *usb_dev_identity(const struct usb_dev *dev)
{
	return sim_reader_identity(dev->function[0].reader);
}

uint8_t usb_function_interface(const struct usb_function *function)
{
	return sim_reader_identity(function->reader)->interface_number & 15;
}

unsigned usb_dev_interfaces(const struct usb_dev *dev)
{
	unsigned last = 0;

	for (unsigned i = 0; i < dev->functions; i++)
		if (usb_function_interface(&dev->function[i]) > last)
			last = usb_function_interface(&dev->function[i]);
	return last + 1;
}

struct usb_function *usb_function_of_interface(struct usb_dev *dev, unsigned interface)
{
	for (unsigned i = 0; i < dev->functions; i++)
		if (usb_function_interface(&dev->function[i]) == interface)
			return &dev->function[i];
	return NULL;
}

/* bNumEndpoints: 3 is all of them, 2 bulk only, 1 interrupt only */
static bool has_endpoint(const struct sim_identity *id, unsigned kind)
{
	return kind == USB_EP_INT ? id->endpoints & 1 : id->endpoints >= 2;
}

unsigned usb_ep_kind(unsigned ep)
{
	static const unsigned kinds[USB_EPS] = { USB_EP_OUT, USB_EP_IN, USB_EP_INT };

	return kinds[((ep & 15) + USB_EPS - 1) % USB_EPS];
}

struct usb_function *usb_function_of_endpoint(struct usb_dev *dev, unsigned ep)
{
	const unsigned kind = usb_ep_kind(ep), at = ((ep & 15) - 1) / USB_EPS;

	if ((ep & 15) == 0 || at >= dev->functions || (ep & 0x80) != (kind & 0x80) ||
	    !has_endpoint(sim_reader_identity(dev->function[at].reader), kind))
		return NULL;
	return &dev->function[at];
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

static void ccid_descriptors(const struct sim_identity *id, unsigned at, struct wr *w)
{
	enum { BULK = 2, INTERRUPT = 3 };
	const uint8_t base = (uint8_t)(at * USB_EPS);

	interface_descriptor(w, id->interface_number & 15, id->endpoints > 3 ? 3 : id->endpoints, id->class,
			     index_of(id, STR_INTERFACE));
	wr_bytes(w, id->descriptor, sizeof id->descriptor);
	if (has_endpoint(id, USB_EP_OUT)) {
		endpoint_descriptor(w, USB_EP_OUT + base, BULK, SIM_PACKET, 0);
		endpoint_descriptor(w, USB_EP_IN + base, BULK, SIM_PACKET, 0);
	}
	if (has_endpoint(id, USB_EP_INT))
		endpoint_descriptor(w, USB_EP_INT + base, INTERRUPT, SIM_PACKET, 16);
}

static const uint8_t vendor_class[3] = { 0xFF, 0xFF, 0xFF };

void usb_dev_interface_class(const struct usb_dev *dev, unsigned interface, uint8_t class[3])
{
	memcpy(class, vendor_class, sizeof vendor_class);
	for (unsigned i = 0; i < dev->functions; i++)
		if (usb_function_interface(&dev->function[i]) == interface)
			memcpy(class, sim_reader_identity(dev->function[i].reader)->class, 3);
}

static void one_interface(const struct usb_dev *dev, unsigned number, struct wr *w)
{

	for (unsigned i = 0; i < dev->functions; i++) {
		if (usb_function_interface(&dev->function[i]) != number)
			continue;
		ccid_descriptors(sim_reader_identity(dev->function[i].reader), i, w);
		return;
	}
	interface_descriptor(w, (uint8_t)number, 0, vendor_class, 0);
}

/* Where an interface below the last CCID interface is none, an idle vendor interface stands. */
static void config_descriptor(const struct usb_dev *dev, struct wr *w)
{
	uint8_t body[CONFIG_MAX];
	struct wr b = wr_of(body, sizeof body);

	for (unsigned i = 0; i < usb_dev_interfaces(dev); i++)
		one_interface(dev, i, &b);
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

	device_descriptor(usb_dev_identity(dev), &w);
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
	const char *text = string_of(usb_dev_identity(dev), index);
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

static int give(uint8_t *data, size_t len, const uint8_t *bytes, size_t have)
{
	if (have > len)
		have = len;
	memcpy(data, bytes, have);
	return (int)have;
}

static int get_descriptor(const struct usb_dev *dev, uint16_t value, uint8_t *data, size_t len)
{
	const uint8_t type = (uint8_t)(value >> 8), index = (uint8_t)value;
	uint8_t bytes[600];
	struct wr w = wr_of(bytes, sizeof bytes);

	if (type == DESC_DEVICE && index == 0)
		device_descriptor(usb_dev_identity(dev), &w);
	else if (type == DESC_CONFIG && index == 0)
		config_descriptor(dev, &w);
	else if (type != DESC_STRING || string_descriptor(dev, index, &w) < 0)
		return -EPIPE;
	return give(data, len, bytes, sizeof bytes - w.left);
}

/* ---- standard requests (USB 2.0, 9.4) ---- */

enum { ENDPOINT_HALT = 0 };

struct request {
	struct usb_dev *dev;
	uint16_t value, index;
	uint8_t *data;
	size_t len;
};

/* The endpoint that is meant; NULL: the device has none of this number. */
static struct usb_function *endpoint_of(const struct request *q)
{
	return q->index > 0xFF ? NULL : usb_function_of_endpoint(q->dev, q->index);
}

static bool endpoint_halted(const struct usb_function *function, unsigned ep)
{
	const unsigned kind = usb_ep_kind(ep);

	return kind != USB_EP_INT && sim_reader_halted(function->reader, kind == USB_EP_IN);
}

static int answer_descriptor(const struct request *q)
{
	return get_descriptor(q->dev, q->value, q->data, q->len);
}

static int answer_configuration(const struct request *q)
{
	return give(q->data, q->len, &q->dev->configuration, 1);
}

/* Bus powered, no remote wake-up; and nothing is defined for interfaces. */
static int answer_status(const struct request *q)
{
	static const uint8_t zeros[2] = { 0, 0 };

	return give(q->data, q->len, zeros, sizeof zeros);
}

static int answer_endpoint_status(const struct request *q)
{
	const struct usb_function *function = endpoint_of(q);
	const bool control = (q->index & ~0x80u) == 0;
	uint8_t status[2] = { 0, 0 };

	if (!function && !control)
		return -EPIPE;
	status[0] = function && endpoint_halted(function, q->index);
	return give(q->data, q->len, status, sizeof status);
}

/* There is one setting of each interface. */
static int answer_interface(const struct request *q)
{
	const uint8_t setting = 0;

	return q->index < usb_dev_interfaces(q->dev) ? give(q->data, q->len, &setting, 1) : -EPIPE;
}

static int set_configuration(const struct request *q)
{
	if (q->value > 1)
		return -EPIPE;
	usb_dev_configure(q->dev, (uint8_t)q->value);
	return 0;
}

static int set_interface(const struct request *q)
{
	struct usb_function *function = usb_function_of_interface(q->dev, q->index);

	if (q->value != 0 || q->index >= usb_dev_interfaces(q->dev))
		return -EPIPE;
	if (!function)
		return 0;
	usb_function_clear_halt(function, USB_EP_OUT);
	usb_function_clear_halt(function, USB_EP_IN);
	return 0;
}

static int clear_endpoint_halt(const struct request *q)
{
	struct usb_function *function = endpoint_of(q);

	if (!function || q->value != ENDPOINT_HALT)
		return -EPIPE;
	usb_function_clear_halt(function, q->index);
	return 0;
}

static int set_endpoint_halt(const struct request *q)
{
	struct usb_function *function = endpoint_of(q);

	if (!function || q->value != ENDPOINT_HALT || usb_ep_kind(q->index) == USB_EP_INT)
		return -EPIPE;
	sim_reader_halt(function->reader, usb_ep_kind(q->index) == USB_EP_IN);
	return 0;
}

/* What is not here is stalled: features of the device (no remote wake-up), of interfaces, and SYNCH_FRAME. */
static const struct {
	uint8_t type, request;
	int (*answer)(const struct request *q);
} standard[] = {
	{ 0x80, 0x00, answer_status },          { 0x81, 0x00, answer_status },
	{ 0x82, 0x00, answer_endpoint_status }, { 0x02, 0x01, clear_endpoint_halt },
	{ 0x02, 0x03, set_endpoint_halt },      { 0x80, 0x06, answer_descriptor },
	{ 0x80, 0x08, answer_configuration },   { 0x00, 0x09, set_configuration },
	{ 0x81, 0x0A, answer_interface },       { 0x01, 0x0B, set_interface },
};

int usb_standard_request(struct usb_dev *dev, const uint8_t setup[8], uint8_t *data, size_t len)
{
	struct rd r = rd_of(setup + 2, 4);
	struct request q = { .dev = dev, .data = data, .len = len };

	q.value = rd_le16(&r);
	q.index = rd_le16(&r);
	for (size_t i = 0; i < sizeof standard / sizeof standard[0]; i++)
		if (standard[i].type == setup[0] && standard[i].request == setup[1])
			return standard[i].answer(&q);
	return -EPIPE;
}
