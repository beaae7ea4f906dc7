/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "traffic/urb.h"

#include "base/bytes.h"

#include <errno.h>

enum {
	ISO_DESCRIPTOR_LEN = 16,
	DATA_THERE = 0,   /* flag_data */
	SETUP_THERE = 0,  /* flag_setup */
	MOST = 256 << 20, /* no transfer is longer */

	USBPCAP_BASE_LEN = 27,
	USBPCAP_BACK = 1, /* info, bit 0 */
	USBPCAP_STAGE_SETUP = 0,
	SETUP_LEN = 8,
};

/* ---- usbmon ------------------------------------------------------------------------------------------------------ */

/* Fields in the byte order of this machine; as they were where the bytes end. */
static void native(struct rd *r, void *field, size_t size)
{
	const uint8_t *bytes = rd_bytes(r, size);

	if (bytes)
		memcpy(field, bytes, size);
}

static uint16_t native16(struct rd *r)
{
	uint16_t value = 0;

	native(r, &value, sizeof value);
	return value;
}

static uint32_t native32(struct rd *r)
{
	uint32_t value = 0;

	native(r, &value, sizeof value);
	return value;
}

static uint64_t native64(struct rd *r)
{
	uint64_t value = 0;

	native(r, &value, sizeof value);
	return value;
}

static enum urb_status linux_status(int32_t status)
{
	switch (-(int64_t)status) {
	case 0:
	case EREMOTEIO: return URB_FINE; /* a short answer */
	case ENOENT:
	case ECONNRESET: return URB_CANCELLED;
	case EPIPE: return URB_STALLED;
	case ENODEV:
	case ESHUTDOWN: return URB_DEVICE_GONE;
	default: return URB_FAILED;
	}
}

/* Data of OUT stands in what was submitted, data of IN in what came back. */
static bool usbmon(struct rd r, bool mmapped, struct urb *u)
{
	uint8_t type, setup_flag, data_flag;
	uint32_t length, captured, descriptors = 0;
	const uint8_t *setup;
	int32_t status;

	u->id = native64(&r);
	type = rd_u8(&r);
	u->transfer = (enum urb_transfer)rd_u8(&r);
	u->endpoint = rd_u8(&r);
	u->from.device = rd_u8(&r);
	u->from.bus = native16(&r);
	setup_flag = rd_u8(&r);
	data_flag = rd_u8(&r);
	rd_bytes(&r, 12); /* the time, which the container has too */
	status = (int32_t)native32(&r);
	length = native32(&r);
	captured = native32(&r);
	setup = rd_bytes(&r, SETUP_LEN);
	if (mmapped) {
		rd_bytes(&r, 12);
		descriptors = native32(&r);
	}
	if (r.overrun || (type != 'S' && type != 'C' && type != 'E') || u->transfer > URB_BULK)
		return false;
	if (u->transfer == URB_ISOCHRONOUS)
		descriptors = 0; /* nothing of it is read */
	rd_bytes(&r, (size_t)(descriptors < 4096 ? descriptors : 4096) * ISO_DESCRIPTOR_LEN);
	u->back = type != 'S';
	u->status = type == 'S' ? URB_FINE : linux_status(status);
	u->has_setup = type == 'S' && u->transfer == URB_CONTROL && setup_flag == SETUP_THERE;
	if (u->has_setup)
		memcpy(u->setup, setup, SETUP_LEN);
	u->len = data_flag == DATA_THERE ? captured : 0;
	if (u->len > r.left)
		u->len = r.left;
	u->data = r.at;
	if (u->back == (u->endpoint >> 7) && length > u->len && length < MOST)
		u->missing = length - u->len;
	return true;
}

/* ---- USBPcap ----------------------------------------------------------------------------------------------------- */

static enum urb_status windows_status(uint32_t status)
{
	switch (status) {
	case 0x00000000:
	case 0xC0000009: return URB_FINE; /* a short answer */
	case 0xC0010000: return URB_CANCELLED;
	case 0xC0000004:
	case 0xC0000030: return URB_STALLED;
	case 0xC0007000: return URB_DEVICE_GONE;
	default: return URB_FAILED;
	}
}

static bool usbpcap(struct rd r, struct urb *u)
{
	const struct rd whole = r;
	const uint16_t header = rd_le16(&r);
	const uint32_t low = rd_le32(&r), high = rd_le32(&r);
	uint8_t transfer, stage = 0;
	uint32_t status, length;

	u->id = (uint64_t)high << 32 | low;
	status = rd_le32(&r);
	rd_bytes(&r, 2); /* the function */
	u->back = rd_u8(&r) & USBPCAP_BACK;
	u->from.bus = rd_le16(&r);
	u->from.device = rd_le16(&r);
	u->endpoint = rd_u8(&r);
	transfer = rd_u8(&r);
	length = rd_le32(&r);
	if (header > USBPCAP_BASE_LEN)
		stage = rd_u8(&r);
	if (r.overrun || transfer > URB_BULK || header < USBPCAP_BASE_LEN || header > whole.left)
		return false;
	u->transfer = (enum urb_transfer)transfer;
	u->status = u->back ? windows_status(status) : URB_FINE;
	u->data = whole.at + header;
	u->len = whole.left - header;
	if (length < MOST && length > u->len)
		u->missing = length - u->len;
	else if (length < u->len)
		u->len = length;
	if (u->transfer == URB_CONTROL && !u->back && stage == USBPCAP_STAGE_SETUP && u->len >= SETUP_LEN) {
		u->has_setup = true;
		memcpy(u->setup, u->data, SETUP_LEN);
		u->data += SETUP_LEN;
		u->len -= SETUP_LEN;
	}
	return true;
}

bool urb_parse(unsigned link, const uint8_t *record, size_t len, struct urb *out)
{
	struct urb u = { .from.link = (uint16_t)link };
	bool good = false;

	if (link == LINK_USB_LINUX || link == LINK_USB_LINUX_MMAPPED)
		good = usbmon(rd_of(record, len), link == LINK_USB_LINUX_MMAPPED, &u);
	else if (link == LINK_USBPCAP)
		good = usbpcap(rd_of(record, len), &u);
	if (good)
		u.at = (size_t)(u.data - record);
	if (good)
		*out = u;
	return good;
}
