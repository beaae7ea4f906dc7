/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usb/sysfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char devices[] = "/sys/bus/usb/devices";

static ssize_t read_file(const char *path, const char *name, void *bytes, size_t cap)
{
	char file[SYSFS_PATH + 64];
	ssize_t n;
	int fd;

	snprintf(file, sizeof file, "%s/%s", path, name);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, bytes, cap);
	close(fd);
	return n;
}

size_t sysfs_bytes(const char *path, const char *name, uint8_t *bytes, size_t cap)
{
	const ssize_t n = read_file(path, name, bytes, cap);

	return n > 0 ? (size_t)n : 0;
}

bool sysfs_attribute(const char *path, const char *name, char *text, size_t cap)
{
	const ssize_t n = read_file(path, name, text, cap - 1);

	if (n < 0)
		return false;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
}

bool sysfs_number(const char *path, const char *name, int base, unsigned long *out)
{
	char text[32], *end;

	if (!sysfs_attribute(path, name, text, sizeof text))
		return false;
	*out = strtoul(text, &end, base);
	return end != text;
}

bool sysfs_find(bool (*visit)(const char *path, void *arg), void *arg, char path[SYSFS_PATH])
{
	DIR *dir = opendir(devices);
	bool found = false;

	while (dir && !found) {
		const struct dirent *entry = readdir(dir);

		if (!entry)
			break;
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(path, SYSFS_PATH, "%s/%s", devices, entry->d_name) >= SYSFS_PATH)
			continue;
		found = visit(path, arg);
	}
	if (dir)
		closedir(dir);
	return found;
}

struct address {
	unsigned bus, address;
};

static bool fits_address(const char *path, void *arg)
{
	const struct address *wanted = arg;
	unsigned long bus, address;

	return sysfs_number(path, "busnum", 10, &bus) && sysfs_number(path, "devnum", 10, &address) &&
	       bus == wanted->bus && address == wanted->address;
}

bool sysfs_find_address(unsigned bus, unsigned address, char path[SYSFS_PATH])
{
	struct address wanted = { bus, address };

	return sysfs_find(fits_address, &wanted, path);
}

struct ids {
	uint16_t vid, pid;
};

static bool fits_ids(const char *path, void *arg)
{
	const struct ids *wanted = arg;
	unsigned long vid, pid;

	return sysfs_number(path, "idVendor", 16, &vid) && sysfs_number(path, "idProduct", 16, &pid) &&
	       vid == wanted->vid && pid == wanted->pid;
}

/* "<device>:<configuration>.<interface>" next to the device's own folder */
static void interface_path(const char *path, unsigned long configuration, unsigned interface, char *out,
			   size_t cap)
{
	snprintf(out, cap, "%s:%lu.%u", path, configuration, interface);
}

static bool first_ccid_interface(const char *path, unsigned *interface)
{
	unsigned long configuration, class;
	char child[SYSFS_PATH + 32];

	if (!sysfs_number(path, "bConfigurationValue", 10, &configuration))
		return false;
	for (unsigned i = 0; i < 32; i++) {
		interface_path(path, configuration, i, child, sizeof child);
		if (sysfs_number(child, "bInterfaceClass", 16, &class) && class == 0x0B) {
			*interface = i;
			return true;
		}
	}
	return false;
}

bool sysfs_find_ids(uint16_t vid, uint16_t pid, unsigned *bus, unsigned *address, unsigned *interface)
{
	struct ids wanted = { vid, pid };
	unsigned long busnum, devnum;
	char path[SYSFS_PATH];

	if (!sysfs_find(fits_ids, &wanted, path) || !sysfs_number(path, "busnum", 10, &busnum) ||
	    !sysfs_number(path, "devnum", 10, &devnum))
		return false;
	*bus = (unsigned)busnum;
	*address = (unsigned)devnum;
	*interface = 0;
	first_ccid_interface(path, interface);
	return true;
}

bool sysfs_interface_driver(const char *path, unsigned interface, char *name, size_t cap)
{
	unsigned long configuration;
	char folder[SYSFS_PATH + 32], link[sizeof folder + sizeof "/driver"], target[SYSFS_PATH];
	const char *base;
	ssize_t n;

	if (!sysfs_number(path, "bConfigurationValue", 10, &configuration))
		return false;
	interface_path(path, configuration, interface, folder, sizeof folder);
	snprintf(link, sizeof link, "%s/driver", folder);
	n = readlink(link, target, sizeof target - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	base = strrchr(target, '/');
	snprintf(name, cap, "%s", base ? base + 1 : target);
	return true;
}
