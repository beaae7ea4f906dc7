/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel knows of an open device and keeps in sysfs. */
#include "usb/usb.h"

#include "usb/sysfs.h"

#include <stdio.h>
#include <string.h>

bool usb_string(const struct usb_info *info, const char *which, char text[USB_STRING_MAX])
{
	char path[SYSFS_PATH];

	return sysfs_find_address(info->bus, info->address, path) &&
	       sysfs_attribute(path, which, text, USB_STRING_MAX);
}

size_t usb_descriptors(const struct usb_info *info, uint8_t *bytes, size_t cap)
{
	char path[SYSFS_PATH];

	return sysfs_find_address(info->bus, info->address, path)
		       ? sysfs_bytes(path, "descriptors", bytes, cap)
		       : 0;
}

bool usb_place_of(const struct usb_info *info, char text[USB_PLACE_MAX])
{
	char path[SYSFS_PATH], configuration[8];
	const char *name;
	int n;

	if (!sysfs_find_address(info->bus, info->address, path))
		return false;
	if (!sysfs_attribute(path, "bConfigurationValue", configuration, sizeof configuration))
		return false;
	name = strrchr(path, '/');
	n = snprintf(text, USB_PLACE_MAX, "%s:%s.%u", name ? name + 1 : path, configuration, info->interface);
	return n > 0 && n < USB_PLACE_MAX;
}
