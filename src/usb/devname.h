/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The device names that pcscd hands to a driver. Pure. */
#ifndef OPENCCID_USB_DEVNAME_H
#define OPENCCID_USB_DEVNAME_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct usb_name {
	uint16_t vid, pid;
	bool located; /* bus, address and interface are known; otherwise any device with these ids will do */
	unsigned bus, address;
	unsigned interface;
};

/**
 * usb_name_parse - read a device name
 *
 * usb:VVVV/PPPP:libudev:INTERFACE:/dev/bus/usb/BBB/DDD and usb:VVVV/PPPP:libusb-1.0:BUS:ADDRESS:INTERFACE. Of a scheme that
 * is not known only the ids are taken. Returns OC_E_NAME for anything else; @out is written only on OC_OK.
 */
enum oc_err usb_name_parse(const char *name, struct usb_name *out);

#endif
