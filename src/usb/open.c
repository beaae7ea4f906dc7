/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking a device: its node, libusb on it, its interface. Every failure is told to a person. */
#include "usb/inside.h"

#include "usb/holder.h"
#include "usb/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <libusb.h>
#include <stdio.h>
#include <string.h>

/* A context of its own that does not look at every device of the machine is possible since libusb 1.0.27. */
#if LIBUSB_API_VERSION >= 0x0100010A
static int init_context(libusb_context **context)
{
	const struct libusb_init_option option = { .option = LIBUSB_OPTION_NO_DEVICE_DISCOVERY };

	return libusb_init_context(context, &option, 1);
}
#else
static int init_context(libusb_context **context)
{
	/* The older switch is one for the whole process, and would blind other drivers in it. */
	return libusb_init(context);
}
#endif

static enum oc_err open_node(struct usb *u)
{
	u->fd = open(u->node, O_RDWR | O_CLOEXEC);
	if (u->fd >= 0)
		return OC_OK;
	if (errno == EACCES || errno == EPERM) {
		OC_LOG(u->log, OC_LOG_CRITICAL,
		       "%s: no permission to open the reader. Is 60-openccid.rules among the udev rules, and "
		       "is pcscd in the group that it gives the reader to? After installing the rules, plug "
		       "the "
		       "reader in again",
		       u->node);
		return OC_E_ACCESS;
	}
	OC_LOG(u->log, OC_LOG_CRITICAL, "%s: cannot be opened: %s", u->node, strerror(errno));
	return errno == ENOENT || errno == ENODEV || errno == ENXIO ? OC_E_GONE : OC_E_IO;
}

static enum oc_err open_libusb(struct usb *u)
{
	int error = init_context(&u->context);

	if (error == 0)
		error = libusb_wrap_sys_device(u->context, u->fd, &u->handle);
	if (error == 0)
		return OC_OK;
	OC_LOG(u->log, OC_LOG_CRITICAL, "%s: libusb cannot use the device: %s", u->node,
	       libusb_error_name(error));
	return usb_error(error);
}

enum oc_err usb_open_node(struct usb *u)
{
	const enum oc_err err = open_node(u);

	return err == OC_OK ? open_libusb(u) : err;
}

/* The name of the kernel driver on our interface, or "" */
static void kernel_driver(const struct usb *u, const struct usb_info *info, char *name, size_t cap)
{
	char path[SYSFS_PATH];

	name[0] = '\0';
	if (sysfs_find_address(info->bus, info->address, path))
		sysfs_interface_driver(path, u->interface, name, cap);
}

static void tell_busy(const struct usb *u, const struct usb_info *info)
{
	char who[256], driver[64];

	kernel_driver(u, info, driver, sizeof driver);
	if (driver[0] && strcmp(driver, "usbfs") != 0)
		snprintf(who, sizeof who, "the kernel driver %s holds it and could not be detached", driver);
	else if (!holder_find(u->node, who, sizeof who))
		snprintf(who, sizeof who,
			 "most likely GnuPG's scdaemon (put disable-ccid into scdaemon.conf), another driver "
			 "of pcscd, or a virtual machine");
	OC_LOG(u->log, OC_LOG_CRITICAL,
	       "%s: interface %u is in use by somebody else: %s. End that, then plug the reader in again",
	       u->node, u->interface, who);
}

enum oc_err usb_take(struct usb *u, const struct usb_info *info)
{
	char driver[64];
	int error;

	if (libusb_kernel_driver_active(u->handle, u->interface) == 1) {
		kernel_driver(u, info, driver, sizeof driver);
		if (!driver[0])
			snprintf(driver, sizeof driver, "that holds it");
		OC_LOG(u->log, OC_LOG_INFO, "%s: taking interface %u from the kernel driver %s", u->node,
		       u->interface, driver);
	}
	libusb_set_auto_detach_kernel_driver(u->handle, 1);
	error = libusb_claim_interface(u->handle, u->interface);
	if (error == LIBUSB_ERROR_BUSY)
		tell_busy(u, info);
	else if (error != 0)
		OC_LOG(u->log, OC_LOG_CRITICAL, "%s: interface %u cannot be claimed: %s", u->node,
		       u->interface, libusb_error_name(error));
	u->claimed = error == 0;
	return usb_error(error);
}
