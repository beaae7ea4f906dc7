/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usb/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void usb_node(const struct usb_info *info, char node[USB_NODE_MAX])
{
	snprintf(node, USB_NODE_MAX, "/dev/bus/usb/%03u/%03u", info->bus, info->address);
}

static enum usb_claim of_error(int error)
{
	switch (error) {
	case EACCES:
	case EPERM: return USB_DENIED;
	case ENOENT:
	case ENODEV:
	case ENXIO: return USB_NO_NODE;
	case ENODATA: return USB_FREE;
	default: return USB_CLAIM_UNKNOWN;
	}
}

enum usb_claim usb_claimed_by(const struct usb_info *info, char driver[USB_DRIVER_MAX])
{
	struct usbdevfs_getdriver ask = { .interface = info->interface };
	enum usb_claim claim = USB_KERNEL;
	char node[USB_NODE_MAX];
	int fd;

	driver[0] = '\0';
	usb_node(info, node);
	/* The driver opens it this way, too: it takes the right to write. */
	fd = open(node, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return of_error(errno);
	if (ioctl(fd, USBDEVFS_GETDRIVER, &ask) < 0)
		claim = of_error(errno);
	else if (strcmp(ask.driver, "usbfs") == 0)
		claim = USB_PROCESS;
	else
		snprintf(driver, USB_DRIVER_MAX, "%s", ask.driver);
	close(fd);
	return claim;
}
