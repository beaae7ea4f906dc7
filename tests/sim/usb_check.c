/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client of the simulated usbfs that knows nothing of drivers: opens the reader as libusb does after enumeration, or
 * around an fd of its own, or makes the system calls itself, and says what is not as the kernel would have it.
 */
#include <errno.h>
#include <fcntl.h>
#include <libusb.h>
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* It has another name since 1.0.25. */
#if LIBUSB_API_VERSION >= 0x01000109
#define LOOK_AT_NOTHING LIBUSB_OPTION_NO_DEVICE_DISCOVERY
#else
#define LOOK_AT_NOTHING LIBUSB_OPTION_WEAK_AUTHORITY
#endif

enum { EP_OUT = 0x01, EP_IN = 0x82, EP_INT = 0x83, TIMEOUT_MS = 1000 };

static const unsigned char get_slot_status[10] = { 0x65, 0, 0, 0, 0, 0, 0x2A };

static int failures;

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	failures++;
	fprintf(stderr, "usb-check: failed: %s\n", what);
}

/* The same conversation for both ways of opening. */
static void converse(libusb_device_handle *handle)
{
	struct libusb_device_descriptor device;
	struct libusb_config_descriptor *config;
	unsigned char in[600], text[64];
	int len = 0, value = 0;

	check(libusb_get_device_descriptor(libusb_get_device(handle), &device) == 0, "device descriptor");
	check(libusb_get_configuration(handle, &value) == 0 && value == 1, "GET_CONFIGURATION");
	check(libusb_get_active_config_descriptor(libusb_get_device(handle), &config) == 0, "configuration");
	check(libusb_get_string_descriptor_ascii(handle, device.iProduct, text, sizeof text) > 0,
	      "product string");
	check(libusb_get_string_descriptor_ascii(handle, 9, text, sizeof text) == LIBUSB_ERROR_PIPE,
	      "a string that is not there is stalled");
	check(libusb_claim_interface(handle, config->bNumInterfaces - 1) == 0, "claim");
	libusb_free_config_descriptor(config);
	check(libusb_control_transfer(handle, 0xA1, 0x03, 0, 0, in, 64, TIMEOUT_MS) == LIBUSB_ERROR_PIPE,
	      "GET_DATA_RATES without a table is stalled");
	memcpy(in, get_slot_status, sizeof get_slot_status);
	check(libusb_bulk_transfer(handle, EP_OUT, in, sizeof get_slot_status, &len, TIMEOUT_MS) == 0 &&
		      len == 10,
	      "bulk OUT");
	check(libusb_bulk_transfer(handle, EP_IN, in, sizeof in, &len, TIMEOUT_MS) == 0 && len == 10 &&
		      in[0] == 0x81 && in[6] == 0x2A,
	      "bulk IN brings the SlotStatus with our bSeq");
	check(libusb_bulk_transfer(handle, EP_IN, in, sizeof in, &len, 50) == LIBUSB_ERROR_TIMEOUT,
	      "bulk IN without a message waits");
	check(libusb_interrupt_transfer(handle, EP_INT, in, 8, &len, TIMEOUT_MS) == 0 && len == 2 &&
		      in[0] == 0x50,
	      "NotifySlotChange");
	check(libusb_bulk_transfer(handle, 0x05, in, 10, &len, TIMEOUT_MS) != 0, "there is no endpoint 5");
	check(libusb_clear_halt(handle, EP_IN) == 0, "clear halt");
}

static int check_open(void)
{
	libusb_device_handle *handle;
	libusb_context *usb;

	if (libusb_init(&usb) != 0)
		return 1;
	handle = libusb_open_device_with_vid_pid(usb, 0x04E6, 0x5116);
	check(handle != NULL, "libusb_open");
	if (handle) {
		converse(handle);
		libusb_close(handle);
	}
	libusb_exit(usb);
	return failures;
}

static int check_wrap(const char *path)
{
	libusb_device_handle *handle = NULL;
	libusb_context *usb;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	check(fd >= 0, "open of the device node");
	libusb_set_option(NULL, LOOK_AT_NOTHING, NULL);
	if (fd < 0 || libusb_init(&usb) != 0)
		return 1;
	check(libusb_wrap_sys_device(usb, fd, &handle) == 0, "libusb_wrap_sys_device");
	if (handle) {
		converse(handle);
		libusb_close(handle);
	}
	libusb_exit(usb);
	close(fd);
	return failures;
}

static int submit(int fd, struct usbdevfs_urb *urb, unsigned char type, unsigned char ep, void *buf, int len)
{
	*urb = (struct usbdevfs_urb){ .type = type, .endpoint = ep, .buffer = buf, .buffer_length = len };
	return ioctl(fd, USBDEVFS_SUBMITURB, urb);
}

static int fails_with(int result, int error)
{
	return result < 0 && errno == error;
}

static void check_urbs(int fd)
{
	struct usbdevfs_urb urb, *reaped = NULL;
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	unsigned char in[64], out[10];

	check(fails_with(ioctl(fd, USBDEVFS_REAPURBNDELAY, &reaped), EAGAIN), "nothing to reap");
	check(poll(&poll_fd, 1, 0) == 0, "poll sleeps while nothing is to be reaped");
	check(submit(fd, &urb, USBDEVFS_URB_TYPE_BULK, EP_IN, in, sizeof in) == 0, "submit");
	check(poll(&poll_fd, 1, 20) == 0, "poll sleeps while an IN URB is pending");
	check(ioctl(fd, USBDEVFS_DISCARDURB, &urb) == 0, "discard");
	check(poll(&poll_fd, 1, 0) == 1 && poll_fd.revents == POLLOUT, "poll wakes up for a discarded URB");
	check(ioctl(fd, USBDEVFS_REAPURBNDELAY, &reaped) == 0 && reaped == &urb && urb.status == -ENOENT,
	      "a discarded URB has -ENOENT");
	check(poll(&poll_fd, 1, 0) == 0, "poll sleeps again");
	check(fails_with(ioctl(fd, USBDEVFS_DISCARDURB, &urb), EINVAL), "discard of what is not pending");
	check(fails_with(submit(fd, &urb, USBDEVFS_URB_TYPE_BULK, 0x07, in, 1), ENOENT), "no such endpoint");
	memcpy(out, get_slot_status, sizeof out);
	check(submit(fd, &urb, USBDEVFS_URB_TYPE_BULK, EP_OUT, out, sizeof out) == 0, "submit OUT");
	check(ioctl(fd, USBDEVFS_REAPURB, &reaped) == 0 && urb.status == 0 && urb.actual_length == 10,
	      "OUT done");
	check(submit(fd, &urb, USBDEVFS_URB_TYPE_BULK, EP_IN, in, 4) == 0, "submit a buffer below a packet");
	check(ioctl(fd, USBDEVFS_REAPURB, &reaped) == 0 && urb.status == -EOVERFLOW, "babble is -EOVERFLOW");
}

static void check_bulk(int fd)
{
	unsigned char bytes[64];
	struct usbdevfs_bulktransfer bulk = { .ep = EP_OUT, .len = 10, .timeout = TIMEOUT_MS, .data = bytes };

	memcpy(bytes, get_slot_status, sizeof get_slot_status);
	check(ioctl(fd, USBDEVFS_BULK, &bulk) == 10, "BULK OUT");
	bulk.ep = EP_IN;
	bulk.len = sizeof bytes;
	check(ioctl(fd, USBDEVFS_BULK, &bulk) == 10 && bytes[0] == 0x81, "BULK IN");
	bulk.timeout = 30;
	check(fails_with(ioctl(fd, USBDEVFS_BULK, &bulk), ETIMEDOUT), "BULK IN without a message times out");
}

static int check_raw(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), other = open(path, O_RDWR | O_CLOEXEC);
	struct usbdevfs_connectinfo info = { 0 };
	struct usbdevfs_getdriver driver = { 0 };
	unsigned char bytes[18];
	unsigned interface = 0;

	check(fd >= 0 && other >= 0, "two opens");
	check(read(fd, bytes, sizeof bytes) == 18 && bytes[1] == 1, "read gives the device descriptor");
	check(read(fd, bytes, 2) == 2 && bytes[1] == 2, "then the configuration");
	check(lseek(fd, 0, SEEK_SET) == 0 && read(fd, bytes, 1) == 1 && bytes[0] == 18, "lseek goes back");
	check(ioctl(fd, USBDEVFS_CONNECTINFO, &info) == 0 && info.devnum > 1, "CONNECTINFO");
	check(ioctl(fd, USBDEVFS_GET_SPEED) == 2, "GET_SPEED is full speed");
	check(fails_with(ioctl(fd, USBDEVFS_GETDRIVER, &driver), ENODATA), "no driver");
	check(ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface) == 0, "claim");
	check(fails_with(ioctl(other, USBDEVFS_CLAIMINTERFACE, &interface), EBUSY),
	      "claimed by the other fd");
	check(ioctl(other, USBDEVFS_GETDRIVER, &driver) == 0 && strcmp(driver.driver, "usbfs") == 0,
	      "by usbfs");
	check_urbs(fd);
	check_bulk(fd);
	check(ioctl(fd, USBDEVFS_RELEASEINTERFACE, &interface) == 0, "release");
	check(fails_with(ioctl(fd, USBDEVFS_HUB_PORTINFO, bytes), ENOTTY), "not an ioctl of ours");
	close(other);
	close(fd);
	check(fails_with(open("/dev/bus/usb/001/099", O_RDWR | O_CLOEXEC), ENODEV), "no such device");
	return failures;
}

/* A reader that goes away under a pending URB, within five seconds. */
static int check_unplug(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	struct usbdevfs_urb urb, *reaped = NULL;
	unsigned char in[64];
	unsigned interface = 0;

	check(fd >= 0 && ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface) == 0, "claim");
	check(submit(fd, &urb, USBDEVFS_URB_TYPE_BULK, EP_IN, in, sizeof in) == 0, "submit");
	check(poll(&poll_fd, 1, 5000) == 1 && (poll_fd.revents & POLLOUT), "poll wakes up");
	check(ioctl(fd, USBDEVFS_REAPURB, &reaped) == 0 && urb.status == -ESHUTDOWN,
	      "the URB has -ESHUTDOWN");
	check(fails_with(ioctl(fd, USBDEVFS_REAPURBNDELAY, &reaped), ENODEV), "then there is no device");
	check(poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLERR), "which poll says, too");
	check(fails_with(ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface), ENODEV), "and every other call");
	check(fails_with((int)read(fd, in, 1), ENODEV), "and read");
	close(fd);
	return failures;
}

/* Inside `ctl hold kernel-driver`. */
static int check_driver(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct usbdevfs_getdriver driver = { 0 };
	struct usbdevfs_ioctl detach = { .ioctl_code = USBDEVFS_DISCONNECT };
	unsigned interface = 0;

	check(ioctl(fd, USBDEVFS_GETDRIVER, &driver) == 0 && strcmp(driver.driver, "usbfs") != 0, "a driver");
	check(fails_with(ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface), EBUSY), "holds the interface");
	check(ioctl(fd, USBDEVFS_IOCTL, &detach) == 0, "can be detached");
	check(fails_with(ioctl(fd, USBDEVFS_IOCTL, &detach), ENODATA), "once");
	check(ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface) == 0, "then the interface is free");
	close(fd);
	return failures;
}

/* Inside `ctl stall`: the next command halts the pipe. */
static int check_stall(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct usbdevfs_urb urb, *reaped = NULL;
	unsigned char out[10];
	unsigned interface = 0, ep = EP_OUT;

	memcpy(out, get_slot_status, sizeof out);
	check(ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface) == 0, "claim");
	for (int i = 0; i < 2; i++) {
		check(submit(fd, &urb, USBDEVFS_URB_TYPE_BULK, EP_OUT, out, sizeof out) == 0, "submit");
		check(ioctl(fd, USBDEVFS_REAPURB, &reaped) == 0 && urb.status == -EPIPE,
		      "stalled until cleared");
	}
	check(ioctl(fd, USBDEVFS_CLEAR_HALT, &ep) == 0, "clear halt");
	check(submit(fd, &urb, USBDEVFS_URB_TYPE_BULK, EP_OUT, out, sizeof out) == 0, "submit");
	check(ioctl(fd, USBDEVFS_REAPURB, &reaped) == 0 && urb.status == 0, "works again");
	close(fd);
	return failures;
}

static const struct {
	const char *name;
	int (*run)(const char *path);
} modes[] = {
	{ "wrap", check_wrap },     { "raw", check_raw },     { "unplug", check_unplug },
	{ "driver", check_driver }, { "stall", check_stall },
};

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "open") == 0)
		return check_open() ? 1 : 0;
	for (size_t i = 0; argc == 3 && i < sizeof modes / sizeof modes[0]; i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			return modes[i].run(argv[2]) ? 1 : 0;
	fputs("usage: usb-check open | wrap|raw|unplug|driver|stall NODE\n", stderr);
	return 2;
}
