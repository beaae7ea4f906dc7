/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Control transfers. */
#include "usb/inside.h"

#include "base/bytes.h"

#include <libusb.h>
#include <stdlib.h>
#include <string.h>

/* A control transfer and its data, with SETUP in front */
struct control {
	struct urb urb;
	uint8_t bytes[];
};

static struct control *control_new(struct usb *u, size_t size)
{
	struct control *c = calloc(1, sizeof *c + size);

	if (c && urb_init(u, &c->urb, LIBUSB_TRANSFER_TYPE_CONTROL, 0) == OC_OK)
		return c;
	free(c);
	return NULL;
}

/* One that the kernel kept must not be freed. */
static void control_free(struct control *c, size_t size)
{
	if (c->urb.posted)
		return;
	bytes_wipe(c->bytes, size);
	urb_free(&c->urb);
	free(c);
}

/* Tokens get commands, and PINs in them, this way; libusb's own function leaves a copy of the data in freed memory. */
enum oc_err usb_control(struct transport *t, const struct transport_setup *setup, uint8_t *data, size_t *len,
			unsigned ms)
{
	const bool in = setup->request_type & LIBUSB_ENDPOINT_IN;
	const size_t room = *len, size = LIBUSB_CONTROL_SETUP_SIZE + room;
	struct usb *u = usb_of(t);
	struct control *c;
	enum oc_err err;

	*len = 0;
	if (usb_is_gone(u))
		return OC_E_GONE;
	c = control_new(u, size);
	if (!c)
		return OC_E_MEMORY;
	libusb_fill_control_setup(c->bytes, setup->request_type, setup->request, setup->value, setup->index,
				  (uint16_t)room);
	if (!in && room)
		memcpy(c->bytes + LIBUSB_CONTROL_SETUP_SIZE, data, room);
	err = urb_post(u, &c->urb, c->bytes, size);
	if (err == OC_OK)
		err = urb_collect(u, &c->urb, ms, len);
	if (err == OC_OK && in && *len)
		memcpy(data, c->bytes + LIBUSB_CONTROL_SETUP_SIZE, *len);
	control_free(c, size);
	return err;
}
