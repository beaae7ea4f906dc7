/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd/attributes.h"

#include "tpdu/apdu.h"

#include <ifdhandler.h>
#include <reader.h>
#include <stdint.h>
#include <string.h>

enum {
	VALUE_MAX = 264, /* MAX_BUFFER_SIZE of pcsc-lite */
	MANY_READERS = 255,
	CHANNEL_USB = 0x0020,
	/* SCARD_ATTR_ICC_PRESENCE */
	PRESENCE_ABSENT = 0,
	PRESENCE_PRESENT = 2,
};

/* A value while it is made */
struct value {
	uint8_t bytes[VALUE_MAX];
	size_t len;
};

typedef bool (*getter)(struct binding *b, const struct attribute_hooks *hooks, struct value *v);

static bool put(struct value *v, const void *bytes, size_t len)
{
	if (len > sizeof v->bytes)
		return false;
	if (len)
		memcpy(v->bytes, bytes, len);
	v->len = len;
	return true;
}

static bool put_u8(struct value *v, unsigned number)
{
	const uint8_t byte = (uint8_t)number;

	return put(v, &byte, 1);
}

/* Numbers are four bytes in host order, whatever DWORD is on this machine. */
static bool put_u32(struct value *v, uint32_t number)
{
	return put(v, &number, sizeof number);
}

static bool put_string(struct binding *b, const char *which, struct value *v)
{
	char text[USB_STRING_MAX];

	return usb_string(&b->device->info, which, text) && put(v, text, strlen(text) + 1);
}

static bool get_one(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	(void)b;
	(void)hooks;
	return put_u8(v, 1);
}

static bool get_zero(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	(void)b;
	(void)hooks;
	return put_u8(v, 0);
}

static bool get_simultaneous_access(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	(void)b;
	(void)hooks;
	return put_u8(v, MANY_READERS);
}

static bool get_slots_number(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	const unsigned slots = reader_caps(b->device->reader)->slots;

	(void)hooks;
	return put_u8(v, slots > MANY_READERS ? MANY_READERS : slots);
}

static bool get_wait(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	return slot_has_events(b->slot) && put(v, &hooks->wait, sizeof hooks->wait);
}

static bool get_stop(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	return slot_has_events(b->slot) && put(v, &hooks->stop, sizeof hooks->stop);
}

static bool get_atr(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	struct slot_state state;

	(void)hooks;
	slot_get_state(b->slot, &state);
	return put(v, state.atr, state.atr_len);
}

static bool get_icc_presence(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	bool present = false;

	(void)hooks;
	return slot_presence(b->slot, &present) == OC_OK &&
	       put_u8(v, present ? PRESENCE_PRESENT : PRESENCE_ABSENT);
}

static bool get_icc_interface_status(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	struct slot_state state;

	(void)hooks;
	slot_get_state(b->slot, &state);
	return put_u8(v, state.powered);
}

static bool get_vendor_name(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	(void)hooks;
	return put_string(b, "manufacturer", v);
}

static bool get_serial(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	(void)hooks;
	return put_string(b, "serial", v);
}

static bool get_version(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	(void)hooks;
	return put_u32(v, (uint32_t)b->device->info.bcd_device << 16); /* MMmmbbbb: major, minor, build */
}

static bool get_channel_id(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	const struct usb_info *info = &b->device->info;

	(void)hooks;
	return put_u32(v, (uint32_t)CHANNEL_USB << 16 | (info->bus & 0xFF) << 8 | (info->address & 0xFF));
}

/* The longest APDU that gets through to this card by this reader, in the protocol in use. */
static bool get_max_input(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	const struct ccid_caps *caps = reader_caps(b->device->reader);
	const uint32_t room = caps->max_message - CCID_HEADER_LEN;
	struct slot_state state;

	(void)hooks;
	slot_get_state(b->slot, &state);
	if (caps->level == CCID_EXTENDED_APDU)
		return put_u32(v, APDU_MAX);
	if (caps->level != CCID_SHORT_APDU && state.protocol_set && state.protocol == CCID_PROTOCOL_T1)
		return put_u32(v, APDU_MAX);
	/* At TPDU level the Le of a short case 4 does not travel. */
	return put_u32(v, room + (caps->level != CCID_SHORT_APDU) < APDU_SHORT_MAX ? room : APDU_SHORT_MAX);
}

static const struct {
	unsigned long tag;
	getter get;
} attributes[] = {
	{ TAG_IFD_ATR, get_atr },
	{ SCARD_ATTR_ATR_STRING, get_atr },
	{ TAG_IFD_SIMULTANEOUS_ACCESS, get_simultaneous_access },
	{ TAG_IFD_THREAD_SAFE, get_one },
	{ TAG_IFD_SLOT_THREAD_SAFE, get_one },
	{ TAG_IFD_SLOTS_NUMBER, get_slots_number },
	{ TAG_IFD_POLLING_THREAD_WITH_TIMEOUT, get_wait },
	{ TAG_IFD_STOP_POLLING_THREAD, get_stop },
	{ TAG_IFD_POLLING_THREAD_KILLABLE, get_zero },
	{ TAG_IFD_DEVICE_REMOVED, get_one },
	{ SCARD_ATTR_ICC_PRESENCE, get_icc_presence },
	{ SCARD_ATTR_ICC_INTERFACE_STATUS, get_icc_interface_status },
	{ SCARD_ATTR_VENDOR_NAME, get_vendor_name },
	{ SCARD_ATTR_VENDOR_IFD_VERSION, get_version },
	{ SCARD_ATTR_VENDOR_IFD_SERIAL_NO, get_serial },
	{ SCARD_ATTR_CHANNEL_ID, get_channel_id },
	{ SCARD_ATTR_MAXINPUT, get_max_input },
};

enum oc_err attribute_get(struct binding *binding, const struct attribute_hooks *hooks, unsigned long tag,
			  void *value, size_t *len)
{
	const size_t cap = *len;
	struct value v = { .len = 0 };
	getter get = NULL;

	*len = 0;
	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
		if (attributes[i].tag == tag)
			get = attributes[i].get;
	if (!get || !get(binding, hooks, &v))
		return OC_E_UNSUPPORTED;
	if (value && v.len > cap)
		return OC_E_SPACE;
	if (value && v.len)
		memcpy(value, v.bytes, v.len);
	*len = v.len;
	return OC_OK;
}
