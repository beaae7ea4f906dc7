/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "testbed.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* GLib's headers do not pass our warnings. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wredundant-decls"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#pragma GCC diagnostic ignored "-Wshadow"
#include <umockdev.h>
#pragma GCC diagnostic pop

enum { LIST_MAX = 32, INTERFACES_MAX = 16 };

struct testbed {
	UMockdevTestbed *bed;
	gchar *hub, *device;
	gchar *node; /* a file whose owner and mode are those of the device node; opening it is the preload's business */
	gchar *interface[INTERFACES_MAX];
	unsigned interfaces;
	unsigned port; /* of the hub */
};

/* Alternating names and values, as umockdev wants them. */
struct list {
	gchar *text[LIST_MAX + 1];
	size_t len;
};

static void put(struct list *list, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void put(struct list *list, const char *name, const char *fmt, ...)
{
	va_list args;

	if (list->len + 2 > LIST_MAX)
		return;
	va_start(args, fmt);
	list->text[list->len++] = g_strdup(name);
	list->text[list->len++] = g_strdup_vprintf(fmt, args);
	va_end(args);
}

static void clear(struct list *list)
{
	for (size_t i = 0; i < list->len; i++)
		g_free(list->text[i]);
}

/* The kernel ends each attribute with a newline, and some insist on it. */
static void end_lines(struct list *attributes)
{
	for (size_t i = 1; i < attributes->len; i += 2) {
		gchar *line = g_strconcat(attributes->text[i], "\n", NULL);

		g_free(attributes->text[i]);
		attributes->text[i] = line;
	}
}

static gchar *add(struct testbed *bed, const char *name, const char *parent, struct list *attributes,
		  struct list *properties)
{
	end_lines(attributes);
	gchar *path = umockdev_testbed_add_devicev(bed->bed, "usb", name, parent, attributes->text,
						   properties->text);

	clear(attributes);
	clear(properties);
	return path;
}

static void put_device(struct list *properties, unsigned bus, unsigned dev)
{
	put(properties, "DEVTYPE", "usb_device");
	put(properties, "DEVNAME", "/dev/bus/usb/%03u/%03u", bus, dev);
	put(properties, "MAJOR", "189");
	put(properties, "MINOR", "%u", (bus - 1) * 128 + dev - 1);
	put(properties, "BUSNUM", "%03u", bus);
	put(properties, "DEVNUM", "%03u", dev);
}

static gchar *add_hub(struct testbed *bed)
{
	static uint8_t descriptors[] = { 18, 1, 0, 2, 9, 0,  0, 64, 0x6B, 0x1D, 2,    0, 0, 6, 0,
					 0,  0, 1, 9, 2, 25, 0, 1,  1,    0,    0xE0, 0, 9, 4, 0,
					 0,  1, 9, 0, 0, 0,  7, 5,  0x81, 3,    4,    0, 12 };
	struct list attributes = { 0 }, properties = { 0 };
	gchar *path;

	put(&attributes, "busnum", "1");
	put(&attributes, "devnum", "1");
	put(&attributes, "speed", "480");
	put(&attributes, "idVendor", "1d6b");
	put(&attributes, "idProduct", "0002");
	put(&attributes, "bConfigurationValue", "1");
	put(&attributes, "bDeviceClass", "09");
	put_device(&properties, 1, 1);
	put(&properties, "PRODUCT", "1d6b/2/600");
	path = add(bed, "usb1", NULL, &attributes, &properties);
	umockdev_testbed_set_attribute_binary(bed->bed, path, "descriptors", descriptors, sizeof descriptors);
	return path;
}

struct testbed *testbed_new(void)
{
	struct testbed *bed = calloc(1, sizeof *bed);

	if (!bed)
		return NULL;
	bed->bed = umockdev_testbed_new();
	/* compares inodes of /sys and remembers the result, so it can be asked only now */
	if (umockdev_in_mock_environment()) {
		bed->hub = add_hub(bed);
		bed->port = 1;
		return bed;
	}
	g_object_unref(bed->bed);
	free(bed);
	return NULL;
}

struct testbed *testbed_port(const struct testbed *bed, unsigned port)
{
	struct testbed *another = calloc(1, sizeof *another);

	if (another)
		*another = (struct testbed){ .bed = g_object_ref(bed->bed),
					     .hub = g_strdup(bed->hub),
					     .port = port };
	return another;
}

void testbed_free(struct testbed *bed)
{
	if (!bed)
		return;
	testbed_remove(bed);
	g_free(bed->hub);
	g_object_unref(bed->bed);
	free(bed);
}

static void put_product(struct list *properties, const struct sim_identity *id)
{
	put(properties, "PRODUCT", "%x/%x/%x", id->vid, id->pid, id->bcd);
	put(properties, "TYPE", "0/0/0");
}

static void put_text(struct list *attributes, const char *name, const char *text)
{
	if (text[0])
		put(attributes, name, "%s", text);
}

static gchar *add_device(struct testbed *bed, const struct usb_dev *dev)
{
	const struct sim_identity *id = usb_dev_identity(dev);
	struct list attributes = { 0 }, properties = { 0 };
	uint8_t descriptors[600];
	size_t len = usb_dev_descriptors(dev, descriptors, sizeof descriptors);
	char name[16];
	gchar *path;

	snprintf(name, sizeof name, "1-%u", bed->port);
	put(&attributes, "busnum", "%u", dev->busnum);
	put(&attributes, "devnum", "%u", dev->devnum);
	put(&attributes, "speed", "12");
	put(&attributes, "idVendor", "%04x", id->vid);
	put(&attributes, "idProduct", "%04x", id->pid);
	put(&attributes, "bcdDevice", "%04x", id->bcd);
	put(&attributes, "version", " 2.00");
	put(&attributes, "bConfigurationValue", "%u", dev->configuration);
	put(&attributes, "bNumConfigurations", "1");
	put(&attributes, "bNumInterfaces", "%2u", usb_dev_interfaces(dev));
	put(&attributes, "bDeviceClass", "00");
	put(&attributes, "power/control", "on");
	put(&attributes, "power/persist", "1");
	put_text(&attributes, "manufacturer", id->manufacturer);
	put_text(&attributes, "product", id->product);
	put_text(&attributes, "serial", id->serial);
	put_device(&properties, dev->busnum, dev->devnum);
	put_product(&properties, id);
	put(&properties, "ID_VENDOR_ID", "%04x", id->vid);
	put(&properties, "ID_MODEL_ID", "%04x", id->pid);
	put(&properties, "ID_USB_INTERFACES", ":%02x%02x%02x:", id->class[0], id -> class[1], id -> class[2]);
	path = add(bed, name, bed->hub, &attributes, &properties);
	umockdev_testbed_set_attribute_binary(bed->bed, path, "descriptors", descriptors, (gint)len);
	return path;
}

static gchar *add_interface(struct testbed *bed, struct usb_dev *dev, unsigned number)
{
	static const uint8_t vendor[3] = { 0xFF, 0xFF, 0xFF };
	const struct usb_function *function = usb_function_of_interface(dev, number);
	const struct sim_identity *id = function ? sim_reader_identity(function->reader) : NULL;
	const uint8_t *class = id ? id->class : vendor;
	struct list attributes = { 0 }, properties = { 0 };
	char name[32];

	snprintf(name, sizeof name, "1-%u:1.%u", bed->port, number);
	put(&attributes, "bInterfaceNumber", "%02x", number);
	put(&attributes, "bAlternateSetting", " 0");
	put(&attributes, "bInterfaceClass", "%02x", class[0]);
	put(&attributes, "bInterfaceSubClass", "%02x", class[1]);
	put(&attributes, "bInterfaceProtocol", "%02x", class[2]);
	put(&attributes, "bNumEndpoints", "%02x", id ? id->endpoints : 0);
	if (id)
		put_text(&attributes, "interface", id->interface_name);
	put(&properties, "DEVTYPE", "usb_interface");
	put(&properties, "INTERFACE", "%u/%u/%u", class[0], class[1], class[2]);
	put_product(&properties, usb_dev_identity(dev));
	return add(bed, name, bed->device, &attributes, &properties);
}

/* As udev leaves it where no rule gives it to anybody. */
static gchar *add_node(struct testbed *bed, const struct usb_dev *dev)
{
	gchar *root = umockdev_testbed_get_root_dir(bed->bed);
	gchar *folder = g_strdup_printf("%s/dev/bus/usb/%03u", root, dev->busnum);
	gchar *node = g_strdup_printf("%s/%03u", folder, dev->devnum);

	if (g_mkdir_with_parents(folder, 0755) == 0 && g_file_set_contents(node, "", 0, NULL))
		chmod(node, 0664);
	g_free(folder);
	g_free(root);
	return node;
}

void testbed_add(struct testbed *bed, struct usb_dev *dev)
{
	const unsigned count = usb_dev_interfaces(dev);

	bed->node = add_node(bed, dev);
	bed->device = add_device(bed, dev);
	for (bed->interfaces = 0; bed->interfaces < count; bed->interfaces++)
		bed->interface[bed->interfaces] = add_interface(bed, dev, bed->interfaces);
	umockdev_testbed_uevent(bed->bed, bed->device, "add");
	for (unsigned i = 0; i < bed->interfaces; i++)
		umockdev_testbed_uevent(bed->bed, bed->interface[i], "add");
}

/* As the kernel does: children first, and nothing is left in sysfs when the events arrive. */
void testbed_remove(struct testbed *bed)
{
	if (!bed->device)
		return;
	for (unsigned i = 0; i < bed->interfaces; i++) {
		umockdev_testbed_uevent(bed->bed, bed->interface[i], "remove");
		umockdev_testbed_remove_device(bed->bed, bed->interface[i]);
		g_free(bed->interface[i]);
	}
	umockdev_testbed_uevent(bed->bed, bed->device, "remove");
	umockdev_testbed_remove_device(bed->bed, bed->device);
	unlink(bed->node);
	g_free(bed->node);
	g_free(bed->device);
	bed->node = bed->device = NULL;
	bed->interfaces = 0;
}
