/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usbip_wire.h"

enum {
	USBIP_VERSION = 0x0111,
	OP_REQ_DEVLIST = 0x8005,
	OP_REP_DEVLIST = 0x0005,
	OP_REQ_IMPORT = 0x8003,
	OP_REP_IMPORT = 0x0003,
	CMD_SUBMIT = 1,
	CMD_UNLINK = 2,
	RET_SUBMIT = 3,
	RET_UNLINK = 4,
	FULL_SPEED = 2, /* as enum usb_device_speed of the kernel */
	PATH_LEN = 256,
};

#define NOT_ISOCHRONOUS UINT32_MAX

static uint16_t rd_be16(struct rd *r)
{
	const uint8_t *b = rd_bytes(r, 2);

	return b ? (uint16_t)((unsigned)b[0] << 8 | b[1]) : 0;
}

static uint32_t rd_be32(struct rd *r)
{
	const uint32_t high = rd_be16(r);

	return high << 16 | rd_be16(r);
}

static void wr_be16(struct wr *w, uint16_t value)
{
	wr_u8(w, (uint8_t)(value >> 8));
	wr_u8(w, (uint8_t)value);
}

static void wr_be32(struct wr *w, uint32_t value)
{
	wr_be16(w, (uint16_t)(value >> 16));
	wr_be16(w, (uint16_t)value);
}

static void wr_zeros(struct wr *w, size_t n)
{
	while (n--)
		wr_u8(w, 0);
}

static void wr_text(struct wr *w, const char *text, size_t room)
{
	const size_t len = strlen(text);

	wr_bytes(w, text, len);
	wr_zeros(w, room - len);
}

/* ---- operations ---- */

const char *usbip_busid(void)
{
	return "1-1";
}

uint32_t usbip_devid(const struct usb_dev *dev)
{
	return dev->busnum << 16 | dev->devnum;
}

enum usbip_op usbip_operation(const uint8_t *bytes)
{
	struct rd r = rd_of(bytes, USBIP_OP_LEN);
	const uint16_t version = rd_be16(&r), code = rd_be16(&r);

	if (version != USBIP_VERSION)
		return USBIP_OP_NONE;
	return code == OP_REQ_DEVLIST  ? USBIP_OP_LIST
	       : code == OP_REQ_IMPORT ? USBIP_OP_IMPORT
				       : USBIP_OP_NONE;
}

static void put_op(struct wr *w, uint16_t code, enum usbip_status status)
{
	wr_be16(w, USBIP_VERSION);
	wr_be16(w, code);
	wr_be32(w, status);
}

static void put_device(struct wr *w, const struct usb_dev *dev)
{
	const struct sim_identity *id = usb_dev_identity(dev);

	wr_text(w, "/sys/devices/ccid-sim/usb1/1-1", PATH_LEN);
	wr_text(w, usbip_busid(), USBIP_BUSID_LEN);
	wr_be32(w, dev->busnum);
	wr_be32(w, dev->devnum);
	wr_be32(w, FULL_SPEED);
	wr_be16(w, id->vid);
	wr_be16(w, id->pid);
	wr_be16(w, id->bcd);
	wr_zeros(w, 3); /* class, subclass, protocol: per interface */
	wr_u8(w, dev->configuration);
	wr_u8(w, 1);
	wr_u8(w, (uint8_t)usb_dev_interfaces(dev));
}

void usbip_put_list(struct wr *w, const struct usb_dev *dev)
{
	put_op(w, OP_REP_DEVLIST, USBIP_OK);
	wr_be32(w, dev ? 1 : 0);
	if (!dev)
		return;
	put_device(w, dev);
	for (unsigned i = 0; i < usb_dev_interfaces(dev); i++) {
		uint8_t class[3];

		usb_dev_interface_class(dev, i, class);
		wr_bytes(w, class, sizeof class);
		wr_u8(w, 0);
	}
}

void usbip_put_import(struct wr *w, enum usbip_status status, const struct usb_dev *dev)
{
	put_op(w, OP_REP_IMPORT, status);
	if (status == USBIP_OK)
		put_device(w, dev);
}

/* ---- commands ---- */

static void parse_submit(struct rd *r, struct usbip_command *c)
{
	const uint8_t *setup;
	uint32_t packets;

	c->flags = rd_be32(r);
	c->len = rd_be32(r);
	rd_bytes(r, 4); /* start_frame */
	packets = rd_be32(r);
	c->isochronous = packets != 0 && packets != NOT_ISOCHRONOUS;
	rd_bytes(r, 4); /* the interval, which the descriptor knows */
	setup = rd_bytes(r, sizeof c->setup);
	if (setup)
		memcpy(c->setup, setup, sizeof c->setup);
}

bool usbip_command_parse(const uint8_t *header, struct usbip_command *c)
{
	struct rd r = rd_of(header, USBIP_HEADER_LEN);
	const uint32_t command = rd_be32(&r);
	uint32_t direction, ep;

	*c = (struct usbip_command){ .unlink = command == CMD_UNLINK };
	c->seqnum = rd_be32(&r);
	c->devid = rd_be32(&r);
	direction = rd_be32(&r);
	ep = rd_be32(&r);
	if (c->unlink) {
		c->victim = rd_be32(&r);
		return true;
	}
	if (command != CMD_SUBMIT || direction > 1 || ep > 15)
		return false;
	c->in = direction == 1;
	c->ep = (uint8_t)(ep | (c->in ? 0x80u : 0));
	parse_submit(&r, c);
	return c->len <= USBIP_TRANSFER_MAX && !c->isochronous;
}

size_t usbip_command_data(const struct usbip_command *c)
{
	return c->unlink || c->in ? 0 : c->len;
}

/* In answers device, direction and endpoint are zero. */
static void put_header(struct wr *w, uint32_t command, uint32_t seqnum, int status)
{
	wr_be32(w, command);
	wr_be32(w, seqnum);
	wr_zeros(w, 12);
	wr_be32(w, (uint32_t)status);
}

void usbip_put_ret_submit(struct wr *w, uint32_t seqnum, int status, size_t actual)
{
	put_header(w, RET_SUBMIT, seqnum, status);
	wr_be32(w, (uint32_t)actual);
	wr_zeros(w, 4);
	wr_be32(w, NOT_ISOCHRONOUS);
	wr_zeros(w, 12);
}

void usbip_put_ret_unlink(struct wr *w, uint32_t seqnum, int status)
{
	put_header(w, RET_UNLINK, seqnum, status);
	wr_zeros(w, 24);
}
