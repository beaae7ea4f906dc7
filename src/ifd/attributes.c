/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd/attributes.h"

#include "ifd/pcsclite.h"
#include "tpdu/atr.h"

#include <ifdhandler.h>
#include <reader.h>
#include <string.h>

enum {
	VALUE_MAX = 264, /* MAX_BUFFER_SIZE of pcsc-lite */
	MANY_READERS = 255,
	/* SCARD_ATTR_ICC_PRESENCE */
	PRESENCE_ABSENT = 0,
	PRESENCE_PRESENT = 2,
	/* SCARD_ATTR_ICC_TYPE_PER_ATR */
	TYPE_UNKNOWN = 0,
	TYPE_ASYNCHRONOUS = 1,
};

/* A value while it is made */
struct value {
	uint8_t bytes[VALUE_MAX];
	size_t len;
};

typedef enum oc_err (*getter)(struct binding *b, const struct attribute_hooks *hooks, struct value *v);

static enum oc_err put(struct value *v, const void *bytes, size_t len)
{
	if (len > sizeof v->bytes)
		return OC_E_UNSUPPORTED;
	if (len)
		memcpy(v->bytes, bytes, len);
	v->len = len;
	return OC_OK;
}

static enum oc_err put_u8(struct value *v, unsigned number)
{
	const uint8_t byte = (uint8_t)number;

	return put(v, &byte, 1);
}

static enum oc_err put_string(struct binding *b, const char *which, struct value *v)
{
	char text[USB_STRING_MAX];

	return usb_string(&b->device->info, which, text) ? put(v, text, strlen(text) + 1) : OC_E_UNSUPPORTED;
}

/* ---- what pcscd asks for ----------------------------------------------------------------------------------------- */

static enum oc_err get_one(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	(void)b;
	(void)hooks;
	return put_u8(v, 1);
}

static enum oc_err get_zero(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	(void)b;
	(void)hooks;
	return put_u8(v, 0);
}

static enum oc_err get_simultaneous_access(struct binding *b, const struct attribute_hooks *hooks,
					   struct value *v)
{
	(void)b;
	(void)hooks;
	return put_u8(v, MANY_READERS);
}

static enum oc_err get_slots_number(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	const unsigned slots = reader_caps(b->device->reader)->slots;

	(void)hooks;
	return put_u8(v, slots > MANY_READERS ? MANY_READERS : slots);
}

static enum oc_err get_wait(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	(void)b;
	return put(v, &hooks->wait, sizeof hooks->wait);
}

static enum oc_err get_stop(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	(void)b;
	return put(v, &hooks->stop, sizeof hooks->stop);
}

/* ---- the card ---------------------------------------------------------------------------------------------------- */

static enum oc_err get_atr(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	struct slot_state state;

	(void)hooks;
	slot_get_state(b->slot, &state);
	return put(v, state.atr, state.atr_len);
}

static enum oc_err get_icc_presence(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	enum slot_contact contact;
	const enum oc_err err = slot_look(b->slot, &contact);

	(void)hooks;
	if (err != OC_OK)
		return err;
	return put_u8(v, contact == SLOT_EMPTY ? PRESENCE_ABSENT : PRESENCE_PRESENT);
}

/* Not whether there is a card, but whether its contacts have power. */
static enum oc_err get_icc_interface_status(struct binding *b, const struct attribute_hooks *hooks,
					    struct value *v)
{
	enum slot_contact contact;
	const enum oc_err err = slot_look(b->slot, &contact);

	(void)hooks;
	return err == OC_OK ? put_u8(v, contact == SLOT_ACTIVE) : err;
}

static enum oc_err get_icc_type(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	struct slot_state state;
	struct atr atr;

	(void)hooks;
	slot_get_state(b->slot, &state);
	if (!state.atr_len)
		return OC_E_UNSUPPORTED;
	return put_u8(v,
		      atr_decode(state.atr, state.atr_len, &atr) == OC_OK ? TYPE_ASYNCHRONOUS : TYPE_UNKNOWN);
}

/* ---- the reader's strings ---------------------------------------------------------------------------------------- */

static enum oc_err get_vendor_name(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	(void)hooks;
	return put_string(b, "manufacturer", v);
}

static enum oc_err get_type(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	(void)hooks;
	return put_string(b, "product", v);
}

static enum oc_err get_serial(struct binding *b, const struct attribute_hooks *hooks, struct value *v)
{
	(void)hooks;
	return put_string(b, "serial", v);
}

/* All but the numbers of 32 bits */
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
	{ SCARD_ATTR_ICC_TYPE_PER_ATR, get_icc_type },
	{ SCARD_ATTR_VENDOR_NAME, get_vendor_name },
	{ SCARD_ATTR_VENDOR_IFD_TYPE, get_type },
	{ SCARD_ATTR_VENDOR_IFD_SERIAL_NO, get_serial },
};

/* Numbers are four bytes in host order, whatever DWORD is on this machine. */
static enum oc_err get_number(struct binding *b, unsigned long tag, struct value *v)
{
	uint32_t number;
	enum oc_err err = attribute_of_reader(b, tag, &number);

	if (err == OC_E_UNSUPPORTED)
		err = attribute_of_link(b, tag, &number);
	return err == OC_OK ? put(v, &number, sizeof number) : err;
}

static enum oc_err get(struct binding *b, const struct attribute_hooks *hooks, unsigned long tag,
		       struct value *v)
{
	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
		if (attributes[i].tag == tag)
			return attributes[i].get(b, hooks, v);
	return get_number(b, tag, v);
}

enum oc_err attribute_get(struct binding *binding, const struct attribute_hooks *hooks, unsigned long tag,
			  void *value, size_t *len)
{
	const size_t cap = *len;
	struct value v = { .len = 0 };
	const enum oc_err err = get(binding, hooks, tag, &v);

	/* pcscd goes on with the room for what it answers in our place: the name that it has given the reader. */
	if (err != OC_OK)
		return err;
	*len = v.len;
	if (value && v.len > cap)
		return OC_E_SPACE;
	if (value && v.len)
		memcpy(value, v.bytes, v.len);
	return OC_OK;
}
