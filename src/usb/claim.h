/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has an interface, as the kernel says when it is asked through the device node; nothing is taken from anybody. */
#ifndef OPENCCID_USB_CLAIM_H
#define OPENCCID_USB_CLAIM_H

#include "usb/usb.h"

#include <stddef.h>

enum { USB_NODE_MAX = 64, USB_DRIVER_MAX = 256 };

enum usb_claim {
	USB_FREE,    /* nobody */
	USB_KERNEL,  /* a kernel driver, which gives it away when it is asked */
	USB_PROCESS, /* a program has claimed it */
	USB_DENIED,  /* the node may not be opened: not known */
	USB_NO_NODE, /* there is no node */
	USB_CLAIM_UNKNOWN,
};

/* "/dev/bus/usb/BBB/DDD" */
void usb_node(const struct usb_info *info, char node[USB_NODE_MAX]);

/* @driver: the name of the kernel driver for USB_KERNEL, else "" */
enum usb_claim usb_claimed_by(const struct usb_info *info, char driver[USB_DRIVER_MAX]);

#endif
