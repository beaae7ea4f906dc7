/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sysfs and udev events, by umockdev. The process must run under its preload library. */
#ifndef OPENCCID_SIM_TESTBED_H
#define OPENCCID_SIM_TESTBED_H

#include "usbdev.h"

struct testbed;

/* NULL if the preload library is missing. Sets UMOCKDEV_DIR for child processes. */
struct testbed *testbed_new(void);
/* Another port of the same hub, for another device; free it first. NULL: no memory. */
struct testbed *testbed_port(const struct testbed *bed, unsigned port);
void testbed_free(struct testbed *bed);
/* The device appears there with its interfaces; the events are sent. */
void testbed_add(struct testbed *bed, struct usb_dev *dev);
void testbed_remove(struct testbed *bed);

#endif
