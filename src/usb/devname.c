/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usb/devname.h"

#include <string.h>

enum { MAX_BUS = 999, MAX_ADDRESS = 999, MAX_INTERFACE = 255 };

/* Take a number in this base; it must have a digit and stay within max. */
static bool take_number(const char **at, unsigned base, unsigned max, unsigned *out)
{
	static const char digits[] = "0123456789abcdef";
	unsigned value = 0;
	const char *p = *at;

	for (; *p; p++) {
		const int lower = *p >= 'A' && *p <= 'F' ? *p - 'A' + 'a' : *p;
		const char *digit = memchr(digits, lower, base);

		if (!digit)
			break;
		value = value * base + (unsigned)(digit - digits);
		if (value > max)
			return false;
	}
	if (p == *at)
		return false;
	*at = p;
	*out = value;
	return true;
}

static bool take_text(const char **at, const char *text)
{
	const size_t len = strlen(text);

	if (strncmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

static bool take_libudev(const char *at, struct usb_name *n)
{
	return take_number(&at, 10, MAX_INTERFACE, &n->interface) && take_text(&at, ":/dev/bus/usb/") &&
	       take_number(&at, 10, MAX_BUS, &n->bus) && take_text(&at, "/") &&
	       take_number(&at, 10, MAX_ADDRESS, &n->address) && *at == '\0';
}

static bool take_libusb(const char *at, struct usb_name *n)
{
	return take_number(&at, 10, MAX_BUS, &n->bus) && take_text(&at, ":") &&
	       take_number(&at, 10, MAX_ADDRESS, &n->address) && take_text(&at, ":") &&
	       take_number(&at, 10, MAX_INTERFACE, &n->interface) && *at == '\0';
}

enum oc_err usb_name_parse(const char *name, struct usb_name *out)
{
	struct usb_name n = { 0 };
	unsigned vid, pid;
	bool known = true;

	if (!take_text(&name, "usb:") || !take_number(&name, 16, 0xFFFF, &vid) || !take_text(&name, "/") ||
	    !take_number(&name, 16, 0xFFFF, &pid))
		return OC_E_NAME;
	n.vid = (uint16_t)vid;
	n.pid = (uint16_t)pid;
	if (take_text(&name, ":libudev:"))
		n.located = take_libudev(name, &n);
	else if (take_text(&name, ":libusb-1.0:"))
		n.located = take_libusb(name, &n);
	else
		known = false;
	/* A known scheme must be well-formed: opening some other reader instead would be worse than none. */
	if (known ? !n.located : *name != '\0' && *name != ':')
		return OC_E_NAME;
	*out = n;
	return OC_OK;
}
