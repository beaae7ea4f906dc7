/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The messages of USB/IP 1.1.1, as bytes. Numbers are big-endian. A connection begins with one operation (a list, or an
 * import); after an import both ends send messages with headers of 48 bytes.
 */
#ifndef OPENCCID_SIM_USBIP_WIRE_H
#define OPENCCID_SIM_USBIP_WIRE_H

#include "usbdev.h"

#include "base/bytes.h"

enum {
	USBIP_OP_LEN = 8,
	USBIP_BUSID_LEN = 32,
	USBIP_DEVICE_LEN = 312,
	USBIP_HEADER_LEN = 48,
	USBIP_TRANSFER_MAX = 128 * 1024, /* of one URB; more than the longest message of a reader */
	/* what a list takes at most: the device, and four bytes for each of 16 interfaces */
	USBIP_LIST_MAX = USBIP_OP_LEN + 4 + USBIP_DEVICE_LEN + 16 * 4,
};

enum usbip_op { USBIP_OP_NONE, USBIP_OP_LIST, USBIP_OP_IMPORT };

/* How an operation ended. */
enum usbip_status { USBIP_OK = 0, USBIP_BUSY = 2, USBIP_NO_DEVICE = 4, USBIP_ERROR = 5 };

struct usbip_command {
	bool unlink; /* or a submit */
	bool isochronous;
	uint32_t seqnum, devid;
	bool in;
	uint8_t ep; /* bEndpointAddress */
	uint32_t flags, len;
	uint32_t victim; /* what an unlink is about */
	uint8_t setup[8];
};

/* What the first USBIP_OP_LEN bytes ask for; USBIP_OP_NONE: not this protocol, or not this version. */
enum usbip_op usbip_operation(const uint8_t *bytes);
/* A header; false: no command, or one that is not served (too long, isochronous). */
bool usbip_command_parse(const uint8_t *header, struct usbip_command *c);
/* The bytes of a submit that follow its header. */
size_t usbip_command_data(const struct usbip_command *c);

/* Answers. @dev may be NULL: there is none. */
void usbip_put_list(struct wr *w, const struct usb_dev *dev);
void usbip_put_import(struct wr *w, enum usbip_status status, const struct usb_dev *dev);
/* Of a finished URB; the data of an IN transfer is to follow. */
void usbip_put_ret_submit(struct wr *w, uint32_t seqnum, int status, size_t actual);
void usbip_put_ret_unlink(struct wr *w, uint32_t seqnum, int status);

/* The one device that there is. */
const char *usbip_busid(void);
uint32_t usbip_devid(const struct usb_dev *dev);

#endif
