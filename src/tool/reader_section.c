/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The section that readers/ wants of a reader (readers/README.md). */
#include "quirk/reader_file.h"
#include "tool/describe.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* In the files a text is printable ASCII; a '#' behind a blank would begin a comment, and names have no angle brackets. */
static void put_text(struct out *out, const char *key, const char *text)
{
	char last = ' ';

	if (!text[strspn(text, " ")])
		return;
	out_print(out, "%s", key);
	for (size_t i = 0; i < READER_TEXT - 1 && text[i]; i++) {
		const char c = text[i];
		const bool bad = c < 0x20 || c > 0x7E || c == '<' || c == '>' || (c == '#' && last == ' ');

		out_print(out, "%c", bad ? '?' : c);
		last = c;
	}
	out_print(out, "\n");
}

static unsigned endpoints_of(const struct usb_info *info)
{
	return (info->bulk ? 2u : 0u) + (info->interrupt ? 1u : 0u);
}

static void put_descriptor(const struct view *view, struct out *out)
{
	size_t len;
	const uint8_t *bytes = ccid_descriptor_find(view->info.extra, view->info.extra_len, &len);

	out_print(out, "    descriptor =");
	for (unsigned i = 0; bytes && i < CCID_DESCRIPTOR_LEN; i++)
		out_print(out, " %02x", bytes[i]);
	out_print(out, "\n");
}

void describe_section(const struct view *view, struct out *out)
{
	const struct usb_info *info = &view->info;
	char name[USB_STRING_MAX * 2];

	if (info->vid)
		out_print(out, "[%04x:%04x]\n", info->vid, info->pid);
	else
		out_print(out, "[vid:pid]\n");
	put_text(out, "name   = ", view_name(view, name));
	out_print(out, "status = should-work\n");
	out_print(out, "unit %02x.%02x:\n", info->bcd_device >> 8, info->bcd_device & 0xFF);
	put_text(out, "  manufacturer = ", view->manufacturer);
	put_text(out, "  product      = ", view->product);
	out_print(out, "  interface %u:\n", info->interface);
	put_text(out, "    name       = ", view->interface_name);
	out_print(out, "    class      = %02x %02x %02x\n", info->class, info->subclass, info->protocol);
	out_print(out, "    endpoints  = %u\n", endpoints_of(info));
	put_descriptor(view, out);
}

void describe_file_name(const struct view *view, char *text, size_t cap)
{
	char slug[48];
	size_t len = 0;
	bool dash = false;

	for (const char *c = view->manufacturer[0] ? view->manufacturer : "vendor";
	     *c && len < sizeof slug - 2; c++) {
		const char lower = (char)tolower((unsigned char)*c);

		if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9')) {
			if (dash && len)
				slug[len++] = '-';
			slug[len++] = lower;
		}
		dash = !isalnum((unsigned char)*c);
	}
	slug[len] = '\0';
	snprintf(text, cap, "%04x-%s.reader", view->info.vid, len ? slug : "vendor");
}
