/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sysfs and udev events, by umockdev. The process must run under its preload library. */
#ifndef OPENCCID_SIM_TESTBED_H
#define OPENCCID_SIM_TESTBED_H

#include "usbdev.h"

struct testbed;

/* NULL if the preload library is missing. Sets UMOCKDEV_DIR for child processes. */
struct testbed *testbed_new(void);
void testbed_free(struct testbed *bed);
/* The device appears at 1-1 with its interfaces; the events are sent. */
void testbed_add(struct testbed *bed, struct usb_dev *dev);
void testbed_remove(struct testbed *bed);

#endif
