/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel already knows of a USB device: read from sysfs, not asked of the device again. */
#ifndef OPENCCID_USB_SYSFS_H
#define OPENCCID_USB_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SYSFS_PATH = 320 };

/* The sysfs folder of the device with this bus number and address. */
bool sysfs_find_address(unsigned bus, unsigned address, char path[SYSFS_PATH]);

/* The first device with these ids: its bus number, address, and the number of its first CCID interface. */
bool sysfs_find_ids(uint16_t vid, uint16_t pid, unsigned *bus, unsigned *address, unsigned *interface);

/*
 * Hand each device and each interface to @visit until it returns true; its folder is in @path then. False if it never did.
 */
bool sysfs_find(bool (*visit)(const char *path, void *arg), void *arg, char path[SYSFS_PATH]);

/* A number among the attributes; false if there is none. */
bool sysfs_number(const char *path, const char *name, int base, unsigned long *out);

/* An attribute as bytes, at most @cap. Returns how many; 0 if it cannot be read. */
size_t sysfs_bytes(const char *path, const char *name, uint8_t *bytes, size_t cap);

/* One attribute as text without its newline; cut at @cap, always ended by NUL. */
bool sysfs_attribute(const char *path, const char *name, char *text, size_t cap);

/* The name of the kernel driver that is bound to an interface; false if there is none. */
bool sysfs_interface_driver(const char *path, unsigned interface, char *name, size_t cap);

#endif
