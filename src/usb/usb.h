/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The transport that is libusb-1.0: opens the one interface that pcscd names. */
#ifndef OPENCCID_USB_USB_H
#define OPENCCID_USB_USB_H

#include "base/err.h"
#include "base/log.h"
#include "ccid/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { USB_EXTRA_MAX = 512, USB_STRING_MAX = 128 };

/* What the interface says of itself. */
struct usb_info {
	uint16_t vid, pid, bcd_device;
	unsigned bus, address;
	uint8_t interface, class, subclass, protocol;
	bool bulk;                           /* has bulk-IN and bulk-OUT */
	bool interrupt;                      /* has interrupt-IN */
	uint8_t ep_out, ep_in, ep_interrupt; /* their addresses; 0: none. Known once it is open. */
	bool lone;                           /* no other interface of the device may be a reader, too */
	/* Class-specific descriptors: those of the interface, then those behind each of its endpoints. */
	uint8_t extra[USB_EXTRA_MAX];
	size_t extra_len;
};

/* Is this the interface to open? Asked when its descriptors are known, before it is taken from who else may have it. */
typedef bool (*usb_accept)(const struct usb_info *info);

/**
 * usb_open - open a device by the name that pcscd gave it, and claim its interface
 * @accept: decides whether it is taken
 * @info: written as soon as the descriptors are known, also when a later step fails
 * @out: written only on OC_OK; free with its close()
 *
 * Every failure is told in one log line that says why and what to do:
 * OC_E_NAME       the name is not understood
 * OC_E_ACCESS     the node may not be opened: which rule is missing
 * OC_E_BUSY       another program or kernel driver holds the interface: which one, as far as that can be seen
 * OC_E_NOT_CCID   no such interface, or not accepted (no log: pcscd tries every interface of a device)
 * OC_E_GONE, OC_E_IO, OC_E_MEMORY
 */
enum oc_err usb_open(const char *name, const struct oc_log *log, usb_accept accept, struct usb_info *info,
		     struct transport **out);

/*
 * Write messages packet by packet, with a pause between them, for readers that lose packets which follow too fast. What is
 * written stays one message: only its last packet may be short. 0 ms: in one go.
 */
void usb_pace(struct transport *transport, unsigned pause_ms);

/* A string of the device as the kernel read it: "manufacturer", "product" or "serial". False if it has none. */
bool usb_string(const struct usb_info *info, const char *which, char text[USB_STRING_MAX]);

/* The descriptors of the device and of its configurations, as the kernel read them. Returns how many bytes; 0: unknown. */
size_t usb_descriptors(const struct usb_info *info, uint8_t *bytes, size_t cap);

/* Where it is plugged in, as the kernel names it: bus, ports, configuration and interface, such as "1-1.3.2:1.0". */
enum { USB_PLACE_MAX = 64 };
bool usb_place_of(const struct usb_info *info, char text[USB_PLACE_MAX]);

#endif
