/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ioctls of usbfs, carried out on the simulated device. */
#ifndef OPENCCID_SIM_USBFS_IOCTL_H
#define OPENCCID_SIM_USBFS_IOCTL_H

#include "usbdev.h"
#include "usbfs_wire.h"

/* One open() of a device node. */
struct open_node {
	struct open_node *next;
	uint32_t number;
	struct usb_file *file;
	int pipe_read, pipe_write;
	bool full;
};

/* One socket: the node's own, or a second one for a call that may wait. */
struct conn {
	struct conn *next;
	struct usbfs_server *server;
	int fd, send_fd; /* send_fd: goes along with the next answer, -1 = none */
	struct open_node *node;
	bool owner;
	bool waits_reap, waits_bulk;
	uint64_t bulk_deadline;
};

/* Let poll() on the caller's fd say what there is. */
void node_update_pipe(struct open_node *node);
/* result: as of the system call, or -errno. */
void conn_answer(struct conn *conn, int result, const struct usbfs_answer *values, const void *bytes,
		 size_t len);
void usbfs_serve_ioctl(struct conn *conn, const struct usbfs_request *request, const uint8_t *bytes,
		       uint64_t now);
/* Answer a waiting call if it can be; returns its time-out, SIM_NEVER without one. */
uint64_t conn_wake(struct conn *conn, uint64_t now);
/* The caller went away. */
void conn_cancel(struct conn *conn);

#endif
