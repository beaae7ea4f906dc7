/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors and standard requests of the simulated device (USB 2.0, chapter 9). */
#ifndef OPENCCID_SIM_USB_DESCRIPTORS_H
#define OPENCCID_SIM_USB_DESCRIPTORS_H

#include "usbdev.h"

/* Bytes of the data stage, or -EPIPE where the device stalls. */
int usb_standard_request(struct usb_dev *dev, const uint8_t setup[8], uint8_t *data, size_t len);

#endif
