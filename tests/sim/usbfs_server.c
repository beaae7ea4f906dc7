/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usbfs_server.h"

#include "loop.h"
#include "usbfs_ioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct usbfs_server {
	int listener;
	struct usb_dev *dev;
	struct usb_dev *others[USBFS_OTHERS_MAX];
	unsigned other_count;
	bool deny;
	struct open_node *nodes;
	struct conn *conns;
	uint32_t last_number;
	uint8_t request[sizeof(struct usbfs_request) + USBFS_PAYLOAD_MAX];
};

/* ---- answers ---- */

void conn_answer(struct conn *conn, int result, const struct usbfs_answer *values, const void *bytes,
		 size_t len)
{
	struct usbfs_answer answer = values ? *values : (struct usbfs_answer){ 0 };
	struct iovec parts[2] = { { .iov_base = &answer, .iov_len = sizeof answer },
				  { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len } };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = len ? 2 : 1 };
	struct cmsghdr *cmsg;

	answer.result = result < 0 ? -1 : result;
	answer.error = result < 0 ? -result : 0;
	answer.len = (uint32_t)len;
	if (conn->send_fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof control;
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &conn->send_fd, sizeof(int));
		conn->send_fd = -1;
	}
	/* a caller that died is noticed when its socket is read */
	sendmsg(conn->fd, &msg, MSG_NOSIGNAL);
}

/* ---- the pipe behind the caller's fd: full = nothing to reap, no reader = gone ---- */

void node_update_pipe(struct open_node *node)
{
	char byte = 0;

	if (node->pipe_read < 0)
		return;
	if (node->file->done && node->full)
		node->full = read(node->pipe_read, &byte, 1) != 1;
	else if (!node->file->done && !node->full)
		node->full = write(node->pipe_write, &byte, 1) == 1;
	if (node->file->dev)
		return;
	close(node->pipe_read);
	node->pipe_read = -1;
}

/* A pipe of one page has one slot, so one byte fills it and taking that byte empties it. */
static int make_pipe(struct open_node *node)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	node->pipe_read = ends[0];
	node->pipe_write = ends[1];
	if (fcntl(ends[1], F_SETPIPE_SZ, 4096) < 0)
		return -errno;
	return 0;
}

static void node_free(struct usbfs_server *server, struct open_node *node)
{
	for (struct open_node **at = &server->nodes; *at; at = &(*at)->next) {
		if (*at != node)
			continue;
		*at = node->next;
		break;
	}
	if (node->file)
		usb_file_close(node->file);
	if (node->pipe_read >= 0)
		close(node->pipe_read);
	if (node->pipe_write >= 0)
		close(node->pipe_write);
	free(node);
}

static struct usb_dev *find_device(const struct usbfs_server *server, unsigned bus, unsigned address)
{
	if (server->dev && server->dev->busnum == bus && server->dev->devnum == address)
		return server->dev;
	for (unsigned i = 0; i < server->other_count; i++)
		if (server->others[i]->busnum == bus && server->others[i]->devnum == address)
			return server->others[i];
	return NULL;
}

static int node_new(struct usbfs_server *server, struct conn *conn, const char *path)
{
	struct open_node *node;
	struct usb_dev *dev = NULL;
	unsigned bus, address;

	if (sscanf(path, "/dev/bus/usb/%3u/%3u", &bus, &address) == 2)
		dev = find_device(server, bus, address);
	if (!dev)
		return -ENODEV;
	if (server->deny)
		return -EACCES;
	node = calloc(1, sizeof *node);
	if (!node)
		return -ENOMEM;
	node->pipe_read = node->pipe_write = -1;
	node->next = server->nodes;
	server->nodes = node;
	node->file = usb_file_open(dev);
	if (!node->file || make_pipe(node) < 0) {
		node_free(server, node);
		return -ENOMEM;
	}
	node->number = ++server->last_number;
	node_update_pipe(node);
	conn->node = node;
	conn->owner = true;
	conn->send_fd = node->pipe_write;
	return 0;
}

/* ---- connections ---- */

/* The node closes under a call that waits on it. */
static void orphan(struct conn *other, const struct open_node *node)
{
	if (other->node != node)
		return;
	if (other->waits_bulk || other->waits_reap)
		conn_answer(other, -ENODEV, NULL, NULL, 0);
	conn_cancel(other);
	other->waits_bulk = other->waits_reap = false;
	other->node = NULL;
}

static void conn_free(struct usbfs_server *server, struct conn *conn)
{
	for (struct conn **at = &server->conns; *at; at = &(*at)->next) {
		if (*at != conn)
			continue;
		*at = conn->next;
		break;
	}
	conn_cancel(conn);
	if (conn->owner) {
		for (struct conn *other = server->conns; other; other = other->next)
			orphan(other, conn->node);
		node_free(server, conn->node);
	}
	loop_remove(conn->fd);
	close(conn->fd);
	free(conn);
}

static int attach(struct usbfs_server *server, struct conn *conn, uint64_t number)
{
	for (struct open_node *node = server->nodes; node; node = node->next) {
		if (node->number != number)
			continue;
		conn->node = node;
		return 0;
	}
	return -ENODEV;
}

static void serve_open(struct usbfs_server *server, struct conn *conn, const char *path)
{
	struct usbfs_answer values = { 0 };
	int error = conn->node ? -EBADF : node_new(server, conn, path);

	values.value[0] = error ? 0 : conn->node->number;
	conn_answer(conn, error, &values, NULL, 0);
}

static void serve_read(struct conn *conn, const struct usbfs_request *request)
{
	uint8_t bytes[600];
	size_t have, at = (size_t)request->arg[0], want = (size_t)request->arg[1];

	if (!conn->node->file->dev) {
		conn_answer(conn, -ENODEV, NULL, NULL, 0);
		return;
	}
	have = usb_dev_descriptors(conn->node->file->dev, bytes, sizeof bytes);
	at = at < have ? at : have;
	want = want < have - at ? want : have - at;
	conn_answer(conn, (int)want, NULL, bytes + at, want);
}

static void serve(struct usbfs_server *server, struct conn *conn, const struct usbfs_request *request,
		  const uint8_t *bytes)
{
	if (request->op == USBFS_OPEN) {
		serve_open(server, conn, (const char *)bytes);
	} else if (request->op == USBFS_ATTACH) {
		conn_answer(conn, attach(server, conn, request->arg[0]), NULL, NULL, 0);
	} else if (!conn->node) {
		conn_answer(conn, -ENODEV, NULL, NULL, 0);
	} else if (request->op == USBFS_READ) {
		serve_read(conn, request);
	} else if (request->op == USBFS_IOCTL) {
		usbfs_serve_ioctl(conn, request, bytes, loop_now());
	} else {
		conn_answer(conn, -ENOTTY, NULL, NULL, 0);
	}
}

static void on_readable(void *arg, int fd)
{
	struct conn *conn = arg;
	struct usbfs_server *server = conn->server;
	struct usbfs_request request;
	ssize_t got = recv(fd, server->request, sizeof server->request - 1, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < (ssize_t)sizeof request) {
		conn_free(server, conn);
		return;
	}
	memcpy(&request, server->request, sizeof request);
	server->request[got] = 0;
	if (request.len != (size_t)got - sizeof request) {
		conn_free(server, conn);
		return;
	}
	serve(server, conn, &request, server->request + sizeof request);
}

static void on_connection(void *arg, int listener)
{
	struct usbfs_server *server = arg;
	struct conn *conn = calloc(1, sizeof *conn);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0 && conn && loop_add(fd, on_readable, conn) == 0) {
		*conn = (struct conn){ .fd = fd, .server = server, .next = server->conns, .send_fd = -1 };
		server->conns = conn;
		return;
	}
	if (fd >= 0)
		close(fd);
	free(conn);
}

struct usbfs_server *usbfs_server_new(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct usbfs_server *server = calloc(1, sizeof *server);

	if (!server || strlen(path) >= sizeof addr.sun_path) {
		free(server);
		return NULL;
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	server->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (server->listener >= 0 &&
	    bind(server->listener, (const struct sockaddr *)(const void *)&addr, sizeof addr) == 0 &&
	    listen(server->listener, 32) == 0 && loop_add(server->listener, on_connection, server) == 0)
		return server;
	if (server->listener >= 0)
		close(server->listener);
	free(server);
	return NULL;
}

void usbfs_server_free(struct usbfs_server *server)
{
	if (!server)
		return;
	usbfs_server_plug(server, NULL);
	for (unsigned i = 0; i < server->other_count; i++)
		usb_dev_free(server->others[i]);
	/* second connections first: they point to the nodes of the others */
	while (server->conns)
		conn_free(server, server->conns);
	loop_remove(server->listener);
	close(server->listener);
	free(server);
}

void usbfs_server_plug(struct usbfs_server *server, struct usb_dev *dev)
{
	usb_dev_free(server->dev);
	server->dev = dev;
	usbfs_server_run(server, loop_now());
}

int usbfs_server_add(struct usbfs_server *server, struct usb_dev *dev)
{
	if (server->other_count == USBFS_OTHERS_MAX)
		return -1;
	server->others[server->other_count++] = dev;
	return 0;
}

void usbfs_server_deny(struct usbfs_server *server, bool deny)
{
	server->deny = deny;
}

unsigned usbfs_server_files(const struct usbfs_server *server)
{
	unsigned n = 0;

	for (const struct open_node *node = server->nodes; node; node = node->next)
		n++;
	return n;
}

uint64_t usbfs_server_run(struct usbfs_server *server, uint64_t now)
{
	uint64_t next = server->dev ? usb_dev_run(server->dev, now) : SIM_NEVER;

	for (unsigned i = 0; i < server->other_count; i++) {
		const uint64_t at = usb_dev_run(server->others[i], now);

		next = at < next ? at : next;
	}
	for (struct conn *conn = server->conns; conn; conn = conn->next) {
		uint64_t at = conn_wake(conn, now);

		next = at < next ? at : next;
	}
	for (struct open_node *node = server->nodes; node; node = node->next)
		node_update_pipe(node);
	return next;
}
