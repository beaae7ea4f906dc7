/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usbfs_ioctl.h"

#include "usbfs_server.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { SPEED_FULL = 2 };

struct ioctl {
	struct conn *conn;
	struct usb_file *file;
	const struct usbfs_request *request;
	const uint8_t *bytes;
	uint64_t now;
};

/* The struct of a plain ioctl; all zero if the caller sent less. */
static unsigned first_word(const struct ioctl *c)
{
	unsigned value = 0;

	if (c->request->len >= sizeof value)
		memcpy(&value, c->bytes, sizeof value);
	return value;
}

static int do_claim(const struct ioctl *c)
{
	return usb_claim(c->file, first_word(c));
}

static int do_release(const struct ioctl *c)
{
	return usb_release(c->file, first_word(c));
}

static int do_clear_halt(const struct ioctl *c)
{
	return usb_clear_halt(c->file, first_word(c));
}

static int do_set_configuration(const struct ioctl *c)
{
	return usb_set_configuration(c->file, first_word(c));
}

static int do_set_interface(const struct ioctl *c)
{
	struct usbdevfs_setinterface set = { 0 };

	if (c->request->len >= sizeof set)
		memcpy(&set, c->bytes, sizeof set);
	return usb_set_interface(c->file, set.interface, set.altsetting);
}

static int do_reset(const struct ioctl *c)
{
	return usb_reset(c->file);
}

static int do_speed(const struct ioctl *c)
{
	(void)c;
	return SPEED_FULL;
}

static int do_discard(const struct ioctl *c)
{
	return usb_discard(c->file, c->request->arg[1]);
}

static int do_wrapped(const struct ioctl *c)
{
	const unsigned interface = (unsigned)c->request->arg[1];

	if (c->request->arg[2] == USBDEVFS_DISCONNECT)
		return usb_disconnect_driver(c->file, interface);
	if (c->request->arg[2] == USBDEVFS_CONNECT)
		return usb_connect_driver(c->file, interface);
	return -ENOTTY;
}

static int do_disconnect_claim(const struct ioctl *c)
{
	struct usbdevfs_disconnect_claim claim;
	const char *driver;

	if (c->request->len != sizeof claim)
		return -EINVAL;
	memcpy(&claim, c->bytes, sizeof claim);
	claim.driver[sizeof claim.driver - 1] = '\0';
	if (claim.interface >= usb_dev_interfaces(c->file->dev))
		return -EINVAL;
	driver = usb_driver(c->file, claim.interface);
	if (driver && (claim.flags & USBDEVFS_DISCONNECT_CLAIM_IF_DRIVER) &&
	    strcmp(driver, claim.driver) != 0)
		return -EBUSY;
	if (driver && (claim.flags & USBDEVFS_DISCONNECT_CLAIM_EXCEPT_DRIVER) &&
	    strcmp(driver, claim.driver) == 0)
		return -EBUSY;
	usb_disconnect_driver(c->file, claim.interface);
	return usb_claim(c->file, claim.interface);
}

static int do_submit(const struct ioctl *c)
{
	const uint64_t what = c->request->arg[2];
	const size_t len = (size_t)c->request->arg[3];
	struct urb *urb;
	int error;

	if (len > USBFS_PAYLOAD_MAX || c->request->len > len)
		return -EINVAL;
	urb = urb_new(c->request->arg[1], (uint8_t)what, (uint8_t)(what >> 8), len);
	if (!urb)
		return -ENOMEM;
	urb->flags = (uint32_t)(what >> 16);
	memcpy(urb->data, c->bytes, c->request->len);
	error = usb_submit(c->file, urb, c->now);
	if (error)
		urb_free(urb);
	return error;
}

/* ---- ioctls that give bytes back or may wait: they answer themselves ---- */

/* Those of an xHCI controller: a transfer is one URB, however long it is. */
static void answer_capabilities(const struct ioctl *c)
{
	const uint32_t caps = USBDEVFS_CAP_ZERO_PACKET | USBDEVFS_CAP_BULK_SCATTER_GATHER |
			      USBDEVFS_CAP_NO_PACKET_SIZE_LIM | USBDEVFS_CAP_REAP_AFTER_DISCONNECT;

	conn_answer(c->conn, 0, NULL, &caps, sizeof caps);
}

static void answer_connectinfo(const struct ioctl *c)
{
	const struct usbdevfs_connectinfo info = { .devnum = c->file->dev->devnum };

	conn_answer(c->conn, 0, NULL, &info, sizeof info);
}

static void answer_getdriver(const struct ioctl *c)
{
	char name[USBDEVFS_MAXDRIVERNAME + 1] = "";
	const char *driver = NULL;

	if (first_word(c) < usb_dev_interfaces(c->file->dev))
		driver = usb_driver(c->file, first_word(c));
	if (!driver) {
		conn_answer(c->conn, -ENODATA, NULL, NULL, 0);
		return;
	}
	memcpy(name, driver, strlen(driver) + 1);
	conn_answer(c->conn, 0, NULL, name, sizeof name);
}

static void answer_control(const struct ioctl *c)
{
	uint8_t data[4096] = { 0 };
	const size_t len = (size_t)c->request->arg[1];
	bool in;
	int done;

	if (c->request->len < 8 || len > sizeof data || c->request->len - 8 > len) {
		conn_answer(c->conn, -EINVAL, NULL, NULL, 0);
		return;
	}
	in = c->bytes[0] & 0x80;
	memcpy(data, c->bytes + 8, c->request->len - 8);
	done = usb_control(c->file, c->bytes, data, len, c->now);
	for (unsigned bus = 0; bus < USB_BUSES; bus++)
		c->file->dev->frame[bus]++;
	conn_answer(c->conn, done, NULL, data, in && done > 0 ? (size_t)done : 0);
}

static void answer_bulk(const struct ioctl *c)
{
	const size_t len = (size_t)c->request->arg[2];
	const uint64_t timeout = c->request->arg[3];
	struct urb *urb = NULL;
	int error = -EINVAL;

	if (len <= USBFS_PAYLOAD_MAX && c->request->len <= len) {
		/* odd, hence no caller's URB */
		urb = urb_new((uintptr_t)c->conn | 1, USBDEVFS_URB_TYPE_BULK, (uint8_t)c->request->arg[1],
			      len);
		error = -ENOMEM;
	}
	if (urb) {
		memcpy(urb->data, c->bytes, c->request->len);
		error = usb_submit(c->file, urb, c->now);
	}
	if (error) {
		urb_free(urb);
		conn_answer(c->conn, error, NULL, NULL, 0);
		return;
	}
	c->conn->waits_bulk = true;
	c->conn->bulk_deadline = timeout ? c->now + timeout : SIM_NEVER;
}

static void answer_urb(struct conn *conn, struct urb *urb)
{
	struct usbfs_answer values = { .value = { urb->id, (uint64_t)(int64_t)urb->status, urb->actual } };
	const bool control = urb->type == USBDEVFS_URB_TYPE_CONTROL;
	const bool in = control ? urb->data[0] & 0x80 : urb->ep & 0x80;

	node_update_pipe(conn->node);
	conn_answer(conn, 0, &values, urb->data + (control ? 8 : 0), in ? urb->actual : 0);
	urb_free(urb);
}

static void answer_reap(const struct ioctl *c)
{
	struct urb *urb = usb_reap(c->file);

	if (urb)
		answer_urb(c->conn, urb);
	else if (!c->file->dev)
		conn_answer(c->conn, -ENODEV, NULL, NULL, 0);
	else if (c->request->arg[0] == USBDEVFS_REAPURBNDELAY)
		conn_answer(c->conn, -EAGAIN, NULL, NULL, 0);
	else
		c->conn->waits_reap = true;
}

static const struct ioctl_rule {
	unsigned long request;
	int (*run)(const struct ioctl *c);
	void (*answer)(const struct ioctl *c); /* instead of run */
	bool after_unplug;                     /* works on a device that is gone */
} rules[] = {
	{ USBDEVFS_CLAIMINTERFACE, do_claim, NULL, false },
	{ USBDEVFS_RELEASEINTERFACE, do_release, NULL, false },
	{ USBDEVFS_CLEAR_HALT, do_clear_halt, NULL, false },
	{ USBDEVFS_RESETEP, do_clear_halt, NULL, false },
	{ USBDEVFS_SETCONFIGURATION, do_set_configuration, NULL, false },
	{ USBDEVFS_SETINTERFACE, do_set_interface, NULL, false },
	{ USBDEVFS_RESET, do_reset, NULL, false },
	{ USBDEVFS_GET_SPEED, do_speed, NULL, false },
	{ USBDEVFS_DISCARDURB, do_discard, NULL, true },
	{ USBDEVFS_IOCTL, do_wrapped, NULL, false },
	{ USBDEVFS_DISCONNECT_CLAIM, do_disconnect_claim, NULL, false },
	{ USBDEVFS_SUBMITURB, do_submit, NULL, false },
	{ USBDEVFS_GET_CAPABILITIES, NULL, answer_capabilities, false },
	{ USBDEVFS_CONNECTINFO, NULL, answer_connectinfo, false },
	{ USBDEVFS_GETDRIVER, NULL, answer_getdriver, false },
	{ USBDEVFS_CONTROL, NULL, answer_control, false },
	{ USBDEVFS_BULK, NULL, answer_bulk, false },
	{ USBDEVFS_REAPURB, NULL, answer_reap, true },
	{ USBDEVFS_REAPURBNDELAY, NULL, answer_reap, true },
};

static const struct ioctl_rule *find_rule(uint64_t request)
{
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if (rules[i].request == request)
			return &rules[i];
	return NULL;
}

void usbfs_serve_ioctl(struct conn *conn, const struct usbfs_request *request, const uint8_t *bytes,
		       uint64_t now)
{
	const struct ioctl_rule *rule = find_rule(request->arg[0]);
	const struct ioctl c = {
		.conn = conn, .file = conn->node->file, .request = request, .bytes = bytes, .now = now
	};
	int result;

	if (!rule || (!c.file->dev && !rule->after_unplug)) {
		conn_answer(conn, rule ? -ENODEV : -ENOTTY, NULL, NULL, 0);
		return;
	}
	if (rule->answer) {
		rule->answer(&c);
		return;
	}
	/* what follows from the call is visible when it returns, as with the kernel: poll() right after it counts */
	result = rule->run(&c);
	usbfs_server_run(conn->server, now);
	conn_answer(conn, result, NULL, NULL, 0);
}

/* ---- waiting calls ---- */

static void wake_bulk(struct conn *conn, uint64_t now)
{
	struct usb_file *file = conn->node->file;
	struct urb *urb = usb_take(file, (uintptr_t)conn | 1);
	bool in;

	if (!urb && now >= conn->bulk_deadline) {
		usb_discard(file, (uintptr_t)conn | 1);
		urb = usb_take(file, (uintptr_t)conn | 1);
		if (urb)
			urb->status = -ETIMEDOUT;
	}
	if (!urb)
		return;
	conn->waits_bulk = false;
	in = urb->ep & 0x80;
	conn_answer(conn, urb->status ? urb->status : (int)urb->actual, NULL, urb->data,
		    in && !urb->status ? urb->actual : 0);
	urb_free(urb);
}

uint64_t conn_wake(struct conn *conn, uint64_t now)
{
	struct urb *urb;

	if (conn->node && conn->waits_bulk)
		wake_bulk(conn, now);
	if (conn->node && conn->waits_reap) {
		urb = usb_reap(conn->node->file);
		conn->waits_reap = !urb && conn->node->file->dev;
		if (urb)
			answer_urb(conn, urb);
		else if (!conn->waits_reap)
			conn_answer(conn, -ENODEV, NULL, NULL, 0);
	}
	return conn->waits_bulk ? conn->bulk_deadline : SIM_NEVER;
}

void conn_cancel(struct conn *conn)
{
	if (!conn->node || !conn->waits_bulk)
		return;
	usb_discard(conn->node->file, (uintptr_t)conn | 1);
	urb_free(usb_take(conn->node->file, (uintptr_t)conn | 1));
}
