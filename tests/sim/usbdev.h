/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The USB device around one or more reader models, each an interface of its own, as the kernel's usbfs shows it: descriptors, claimed interfaces, URBs.
 * No I/O and no clock here either; usbfs_server.c carries it to other processes.
 */
#ifndef OPENCCID_SIM_USBDEV_H
#define OPENCCID_SIM_USBDEV_H

#include "reader.h"

enum {
	/* of the first reader; those of the next one are 3 higher */
	USB_EP_OUT = 0x01,
	USB_EP_IN = 0x82,
	USB_EP_INT = 0x83,
	USB_EPS = 3,
	USB_FILES_MAX = 32,
	USB_FUNCTIONS_MAX = 4,
};

/*
 * A bus clock that counts frames and knows no time: a transfer takes place in the frame after the host knew what made it send it, and
 * the host knows of its end when it has fetched it. So it says how long something takes at least, whatever the machine does meanwhile.
 */
enum usb_bus { USB_FULL_SPEED, USB_HIGH_SPEED, USB_BUSES }; /* frames of 1 ms and of 125 us */

struct urb {
	struct urb *next;
	uint64_t id; /* the caller's pointer */
	uint8_t type, ep;
	uint32_t flags;
	size_t len, actual;
	int status; /* 0 or -errno, as in struct usbdevfs_urb */
	uint8_t *data;
	uint64_t frame[USB_BUSES]; /* the first that it can be in, then the one that it ended in */
};

/* An open device node. */
struct usb_file {
	struct usb_dev *dev; /* NULL after an unplug */
	uint32_t claimed;    /* bit per interface */
	bool kernel;         /* of another machine, by USB/IP: it keeps all interfaces for good */
	struct urb *pending, *done;
};

/* One CCID interface. */
struct usb_function {
	struct sim_reader *reader;
	/* a message that is only partly read */
	uint8_t in[SIM_MESSAGE_MAX];
	size_t in_at, in_len;
	bool in_zlp;
	uint64_t told[USB_BUSES]; /* the frame in which it had the last command */
};

struct usb_dev {
	struct usb_function function[USB_FUNCTIONS_MAX];
	unsigned functions;
	unsigned busnum, devnum;
	uint8_t configuration;
	bool kernel_driver, other_process; /* pretended holders of the CCID interface */
	bool no_zlp; /* end a message that fills its last packet without a zero-length packet */
	struct usb_file *files[USB_FILES_MAX];
	unsigned urbs;
	uint64_t frame[USB_BUSES]; /* that the host knows of */
};

/* A device with count readers, at most USB_FUNCTIONS_MAX; the identity of the first one is that of the device. */
struct usb_dev *usb_dev_new(const struct sim_identity *identities, unsigned count, unsigned busnum,
			    unsigned devnum);
/* Unplug and free: every open file loses it, its URBs end with -ESHUTDOWN. The reader goes, too. */
void usb_dev_free(struct usb_dev *dev);

/* Device descriptor and configuration, as read from the node or from sysfs. */
size_t usb_dev_descriptors(const struct usb_dev *dev, uint8_t *out, size_t cap);
unsigned usb_dev_interfaces(const struct usb_dev *dev);
/* bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol */
void usb_dev_interface_class(const struct usb_dev *dev, unsigned interface, uint8_t class[3]);
const struct sim_identity *usb_dev_identity(const struct usb_dev *dev);
/* The reader behind an interface, or behind an endpoint that it really has; NULL: none. */
struct usb_function *usb_function_of_interface(struct usb_dev *dev, unsigned interface);
struct usb_function *usb_function_of_endpoint(struct usb_dev *dev, unsigned ep);
/* USB_EP_OUT, USB_EP_IN or USB_EP_INT */
unsigned usb_ep_kind(unsigned ep);
uint8_t usb_function_interface(const struct usb_function *function);

struct usb_file *usb_file_open(struct usb_dev *dev);
void usb_file_close(struct usb_file *file);

/* Each returns 0 (or what is said) or -errno. */
int usb_claim(struct usb_file *file, unsigned interface);
int usb_release(struct usb_file *file, unsigned interface);
int usb_set_configuration(struct usb_file *file, unsigned value);
int usb_set_interface(struct usb_file *file, unsigned interface, unsigned setting);
int usb_clear_halt(struct usb_file *file, unsigned ep);
int usb_reset(struct usb_file *file);
/* The system sleeps and wakes up: the reader was without power. @claims: usbfs could keep them, as where power stayed on. */
void usb_suspend(struct usb_dev *dev, bool claims);
/* SET_CONFIGURATION: the device starts afresh, and its endpoints exist or not. */
void usb_dev_configure(struct usb_dev *dev, uint8_t value);
/* The endpoint works again; a message that was read in part is forgotten. */
void usb_function_clear_halt(struct usb_function *function, unsigned ep);
/* Somebody else resets the port. */
void usb_reset_by_other(struct usb_dev *dev);
/* "usbfs", the pretended driver's name, or NULL. */
const char *usb_driver(const struct usb_file *file, unsigned interface);
int usb_disconnect_driver(struct usb_file *file, unsigned interface);
int usb_connect_driver(struct usb_file *file, unsigned interface);
/* The bytes of the data stage, into data. */
int usb_control(struct usb_file *file, const uint8_t setup[8], uint8_t *data, size_t len, uint64_t now);

/* Takes the URB over if it returns 0; the caller frees it otherwise. */
int usb_submit(struct usb_file *file, struct urb *urb, uint64_t now);
int usb_discard(struct usb_file *file, uint64_t id);
/* The oldest finished URB, now the caller's; NULL if there is none. */
struct urb *usb_reap(struct usb_file *file);
/* A certain one out of the finished ones. */
struct urb *usb_take(struct usb_file *file, uint64_t id);
struct urb *urb_new(uint64_t id, uint8_t type, uint8_t ep, size_t len);
void urb_free(struct urb *urb);

/* Move data; returns when to call again at the latest (SIM_NEVER: when something happens). */
uint64_t usb_dev_run(struct usb_dev *dev, uint64_t now);

#endif
