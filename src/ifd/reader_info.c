/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd/reader_info.h"

#include "base/bytes.h"

#include <stdio.h>

enum { COMMAND_LEN = 5 };

static bool vendor(const struct usb_info *info, char text[USB_STRING_MAX])
{
	return usb_string(info, "manufacturer", text);
}

static bool product(const struct usb_info *info, char text[USB_STRING_MAX])
{
	return usb_string(info, "product", text);
}

static bool firmware(const struct usb_info *info, char text[USB_STRING_MAX])
{
	snprintf(text, USB_STRING_MAX, "%x.%02x", info->bcd_device >> 8, info->bcd_device & 0xFF);
	return true;
}

static bool driver(const struct usb_info *info, char text[USB_STRING_MAX])
{
	(void)info;
	snprintf(text, USB_STRING_MAX, "%s", PACKAGE_VERSION);
	return true;
}

static const struct item {
	uint8_t command[COMMAND_LEN];
	bool (*tell)(const struct usb_info *info, char text[USB_STRING_MAX]);
} items[] = {
	{ { 0xFF, 0x9A, 0x01, 0x01, 0x00 }, vendor },
	{ { 0xFF, 0x9A, 0x01, 0x03, 0x00 }, product },
	{ { 0xFF, 0x9A, 0x01, 0x06, 0x00 }, firmware },
	{ { 0xFF, 0x9A, 0x01, 0x07, 0x00 }, driver },
};

static const struct item *find_item(const uint8_t *tx, size_t tx_len)
{
	for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
		if (tx_len == COMMAND_LEN && memcmp(items[i].command, tx, COMMAND_LEN) == 0)
			return &items[i];
	return NULL;
}

bool reader_info_asked(const struct binding *b, const uint8_t *tx, size_t tx_len)
{
	return reader_caps(b->device->reader)->reader_info && find_item(tx, tx_len);
}

enum oc_err reader_info_answer(const struct binding *b, const uint8_t *tx, uint8_t *rx, size_t *rx_len)
{
	static const uint8_t done[] = { 0x90, 0x00 }, not_known[] = { 0x6A, 0x82 };
	const struct item *item = find_item(tx, COMMAND_LEN);
	char text[USB_STRING_MAX] = "";
	const size_t cap = *rx_len;
	struct wr w = wr_of(rx, cap);
	const bool known = item && item->tell(&b->device->info, text);

	if (known)
		wr_bytes(&w, text, strlen(text));
	wr_bytes(&w, known ? done : not_known, sizeof done);
	*rx_len = w.overrun ? 0 : cap - w.left;
	return w.overrun ? OC_E_SPACE : OC_OK;
}
