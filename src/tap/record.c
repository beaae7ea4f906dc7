/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tap/record.h"

#include <string.h>

enum {
	PCAP_MAJOR = 2,
	PCAP_MINOR = 4,
	SNAPLEN = 262144,
	LINKTYPE_USB_LINUX_MMAPPED = 220,
	IN_PROGRESS = -115, /* -EINPROGRESS, which usbmon says of everything that is submitted */
	NO_SETUP = '-',
	NO_DATA_IN = '<',
	NO_DATA_OUT = '>',
};

static const uint32_t pcap_magic = 0xA1B2C3D4; /* microseconds */

struct cursor {
	uint8_t *at;
};

static void put(struct cursor *c, const void *bytes, size_t len)
{
	memcpy(c->at, bytes, len);
	c->at += len;
}

static void put_u8(struct cursor *c, unsigned value)
{
	const uint8_t byte = (uint8_t)value;

	put(c, &byte, sizeof byte);
}

static void put_u16(struct cursor *c, uint16_t value)
{
	put(c, &value, sizeof value);
}

static void put_u32(struct cursor *c, uint32_t value)
{
	put(c, &value, sizeof value);
}

static void put_u64(struct cursor *c, uint64_t value)
{
	put(c, &value, sizeof value);
}

static void put_zeros(struct cursor *c, size_t len)
{
	memset(c->at, 0, len);
	c->at += len;
}

void record_put_file_head(uint8_t out[RECORD_FILE_HEAD])
{
	struct cursor c = { .at = out };

	put_u32(&c, pcap_magic);
	put_u16(&c, PCAP_MAJOR);
	put_u16(&c, PCAP_MINOR);
	put_zeros(&c, 8); /* UTC, and no claim of accuracy */
	put_u32(&c, SNAPLEN);
	put_u32(&c, LINKTYPE_USB_LINUX_MMAPPED);
}

bool record_is_file_head(const uint8_t head[RECORD_FILE_HEAD])
{
	uint8_t ours[RECORD_FILE_HEAD];

	record_put_file_head(ours);
	return memcmp(head, ours, sizeof ours) == 0;
}

/* Where there is no data, the flag says in which direction it would go. */
static unsigned data_flag(const struct record *r)
{
	if (r->len)
		return 0;
	return r->endpoint & 0x80 ? NO_DATA_IN : NO_DATA_OUT;
}

static void put_usbmon(struct cursor *c, const struct record *r)
{
	const bool submit = r->type == RECORD_SUBMIT;

	put_u64(c, r->id);
	put_u8(c, r->type);
	put_u8(c, r->transfer);
	put_u8(c, r->endpoint);
	put_u8(c, r->device);
	put_u16(c, r->bus);
	put_u8(c, r->setup ? 0 : NO_SETUP);
	put_u8(c, data_flag(r));
	put_u64(c, r->us / 1000000);
	put_u32(c, (uint32_t)(r->us % 1000000));
	put_u32(c, (uint32_t)(submit ? IN_PROGRESS : r->status));
	put_u32(c, (uint32_t)r->length);
	put_u32(c, (uint32_t)r->len);
	if (r->setup)
		put(c, r->setup, RECORD_SETUP);
	else
		put_zeros(c, RECORD_SETUP);
	put_zeros(c, 16); /* interval, start_frame, xfer_flags, ndesc */
}

size_t record_put(uint8_t *out, size_t cap, const struct record *r)
{
	const size_t shown = r->shown < r->len ? r->shown : r->len;
	struct cursor c = { .at = out };

	if (cap < RECORD_HEAD || r->len > cap - RECORD_HEAD)
		return 0;
	put_u32(&c, (uint32_t)(r->us / 1000000));
	put_u32(&c, (uint32_t)(r->us % 1000000));
	put_u32(&c, (uint32_t)(RECORD_HEAD - 16 + r->len));
	put_u32(&c, (uint32_t)(RECORD_HEAD - 16 + r->len));
	put_usbmon(&c, r);
	if (shown)
		put(&c, r->data, shown);
	if (r->len > shown)
		memset(c.at, RECORD_HIDDEN, r->len - shown);
	return RECORD_HEAD + r->len;
}
