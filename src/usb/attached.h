/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is plugged in, as the kernel read it: nothing is asked of the devices, and no right is needed. */
#ifndef OPENCCID_USB_ATTACHED_H
#define OPENCCID_USB_ATTACHED_H

#include "usb/sysfs.h"
#include "usb/usb.h"

#include <stddef.h>
#include <stdint.h>

enum { USB_INTERFACES_MAX = 32, USB_DESCRIPTORS_MAX = 8192 };

/**
 * usb_interfaces_parse - the interfaces in a run of standard descriptors. Pure
 * @bytes, @len: a device descriptor and the configurations behind it, as in the file "descriptors" of sysfs; any bytes are safe
 * @configuration: bConfigurationValue of the one that counts; 0: the first one
 * @out: room for USB_INTERFACES_MAX; bus and address stay 0
 *
 * Of each interface the setting that comes first. Returns how many there are: 0 for bytes that are no such descriptors.
 */
size_t usb_interfaces_parse(const uint8_t *bytes, size_t len, unsigned configuration, struct usb_info *out);

/* One interface of an attached device; @path is the device's folder in sysfs. */
typedef void (*usb_visit)(void *arg, const char *path, const struct usb_info *info);

/* Hand out every interface of every attached device, those of one device one after the other. False if there is no memory. */
bool usb_attached_each(usb_visit visit, void *arg);

#endif
