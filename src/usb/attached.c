/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usb/attached.h"

#include "base/bytes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICE = 1, CONFIGURATION = 2, INTERFACE = 4, ENDPOINT = 5 }; /* USB 2.0, table 9-5 */

struct parser {
	unsigned configuration;
	bool inside;            /* the configuration that counts */
	struct usb_info device; /* what all interfaces share */
	struct usb_info *out;   /* all of them */
	struct usb_info *now;   /* NULL: a setting or a configuration that does not count */
	size_t count;
	bool bulk_in, bulk_out; /* of now */
};

static void take_device(struct parser *p, struct rd *r)
{
	rd_bytes(r, 6); /* bcdUSB, class triple, bMaxPacketSize0 */
	p->device.vid = rd_le16(r);
	p->device.pid = rd_le16(r);
	p->device.bcd_device = rd_le16(r);
}

static void take_configuration(struct parser *p, struct rd *r)
{
	unsigned value;

	rd_bytes(r, 3); /* wTotalLength, bNumInterfaces */
	value = rd_u8(r);
	p->inside = !r->overrun && (p->configuration ? value == p->configuration : p->count == 0);
	p->now = NULL;
}

static bool is_known(const struct parser *p, uint8_t number)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->out[i].interface == number)
			return true;
	return false;
}

static void take_interface(struct parser *p, struct rd *r)
{
	const uint8_t number = rd_u8(r);

	p->now = NULL;
	rd_bytes(r, 2); /* bAlternateSetting, bNumEndpoints */
	if (!p->inside || is_known(p, number) || p->count == USB_INTERFACES_MAX)
		return;
	p->now = &p->out[p->count++];
	*p->now = p->device;
	p->now->interface = number;
	p->now->class = rd_u8(r);
	p->now->subclass = rd_u8(r);
	p->now->protocol = rd_u8(r);
	p->bulk_in = p->bulk_out = false;
}

static void take_endpoint(struct parser *p, struct rd *r)
{
	enum { IN = 0x80, TYPE = 3, BULK = 2, INTERRUPT = 3 };
	const uint8_t address = rd_u8(r);
	const uint8_t type = rd_u8(r) & TYPE;

	if (!p->now || r->overrun)
		return;
	p->bulk_in |= type == BULK && (address & IN);
	p->bulk_out |= type == BULK && !(address & IN);
	p->now->bulk = p->bulk_in && p->bulk_out;
	p->now->interrupt |= type == INTERRUPT && (address & IN);
}

/* Whatever else stands behind an interface or an endpoint */
static void take_extra(struct parser *p, const uint8_t *bytes, size_t len)
{
	struct usb_info *now = p->now;

	if (!now || len > sizeof now->extra - now->extra_len)
		return;
	memcpy(now->extra + now->extra_len, bytes, len);
	now->extra_len += len;
}

static void take(struct parser *p, const uint8_t *bytes, size_t len)
{
	struct rd r = rd_of(bytes, len);

	rd_u8(&r);
	switch (rd_u8(&r)) {
	case DEVICE: take_device(p, &r); break;
	case CONFIGURATION: take_configuration(p, &r); break;
	case INTERFACE: take_interface(p, &r); break;
	case ENDPOINT: take_endpoint(p, &r); break;
	default: take_extra(p, bytes, len); break;
	}
}

size_t usb_interfaces_parse(const uint8_t *bytes, size_t len, unsigned configuration, struct usb_info *out)
{
	struct parser p = { .configuration = configuration, .out = out };

	if (len < 2 || bytes[1] != DEVICE)
		return 0;
	/* Each descriptor is at least two bytes long, so the walk ends. */
	while (len >= 2 && bytes[0] >= 2 && bytes[0] <= len) {
		const size_t own = bytes[0];

		take(&p, bytes, own);
		bytes += own;
		len -= own;
	}
	return p.count;
}

struct walk {
	usb_visit visit;
	void *arg;
	uint8_t bytes[USB_DESCRIPTORS_MAX];
	struct usb_info info[USB_INTERFACES_MAX];
};

/* Folders of interfaces have no busnum, and are passed over. */
static bool visit_device(const char *path, void *arg)
{
	struct walk *walk = arg;
	unsigned long bus, address, configuration;
	size_t count;

	if (!sysfs_number(path, "busnum", 10, &bus) || !sysfs_number(path, "devnum", 10, &address) ||
	    !sysfs_number(path, "bConfigurationValue", 10, &configuration))
		return false;
	count = usb_interfaces_parse(walk->bytes,
				     sysfs_bytes(path, "descriptors", walk->bytes, sizeof walk->bytes),
				     (unsigned)configuration, walk->info);
	for (size_t i = 0; i < count; i++) {
		walk->info[i].bus = (unsigned)bus;
		walk->info[i].address = (unsigned)address;
		walk->visit(walk->arg, path, &walk->info[i]);
	}
	return false;
}

bool usb_attached_each(usb_visit visit, void *arg)
{
	struct walk *walk = calloc(1, sizeof *walk);
	char path[SYSFS_PATH];

	if (!walk)
		return false;
	walk->visit = visit;
	walk->arg = arg;
	sysfs_find(visit_device, walk, path);
	free(walk);
	return true;
}
