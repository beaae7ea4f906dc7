/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usbip_server.h"

#include "loop.h"
#include "usbip_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINKS_MAX = 16, URBS_MAX = 128, SEND_S = 2 };

struct answer {
	struct answer *next;
	uint64_t due;
	size_t len;
	uint8_t bytes[];
};

struct link {
	struct link *next;
	struct usbip_server *server;
	int fd;
	struct usb_file *file; /* after an import */
	bool ending;           /* as soon as the answers are sent */
	unsigned urbs;         /* submitted, not yet answered */
	struct answer *answers, **last;
	size_t have;
	uint8_t in[USBIP_HEADER_LEN + USBIP_TRANSFER_MAX];
};

struct usbip_server {
	int listener;
	char where[32];
	struct usb_dev *dev;
	struct link *links;
	unsigned count, delay;
	bool held;
};

/* ---- links ---- */

/* As where a device is given back by the kernel that exports it: its port is reset. */
static void give_back(struct link *link)
{
	if (!link->file)
		return;
	if (link->file->dev)
		usb_reset_by_other(link->file->dev);
	usb_file_close(link->file);
	link->file = NULL;
}

static void link_free(struct link *link)
{
	struct link **at = &link->server->links;

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	/* gcc-suppress(analyzer-malloc-leak): the list of answers ends where the last one was put */
	link->server->count--;
	give_back(link);
	while (link->answers) {
		struct answer *answer = link->answers;

		link->answers = answer->next;
		free(answer);
	}
	loop_remove(link->fd);
	close(link->fd);
	free(link);
}

static bool imported(const struct usbip_server *server)
{
	for (const struct link *link = server->links; link; link = link->next)
		if (link->file)
			return true;
	return false;
}

/* ---- answers ---- */

/* head, then data; false when memory is out. */
static bool queue(struct link *link, const void *head, size_t head_len, const void *data, size_t len)
{
	struct answer *answer = calloc(1, sizeof *answer + head_len + len);

	if (!answer)
		return false;
	answer->due = loop_now() + link->server->delay;
	answer->len = head_len + len;
	memcpy(answer->bytes, head, head_len);
	if (len)
		memcpy(answer->bytes + head_len, data, len);
	*link->last = answer;
	link->last = &answer->next;
	return true;
}

static bool queue_wr(struct link *link, const uint8_t *bytes, size_t cap, const struct wr *w)
{
	return !w->overrun && queue(link, bytes, cap - w->left, NULL, 0);
}

static bool answer_urb(struct link *link, const struct urb *urb, int status)
{
	uint8_t header[USBIP_HEADER_LEN];
	struct wr w = wr_of(header, sizeof header);
	const bool control = urb->type == USBDEVFS_URB_TYPE_CONTROL;
	const bool in = control ? urb->data[0] & 0x80 : urb->ep & 0x80;

	usbip_put_ret_submit(&w, (uint32_t)urb->id, status, urb->actual);
	return queue(link, header, sizeof header, urb->data + (control ? 8 : 0), in ? urb->actual : 0);
}

/* What the device has finished. */
static bool collect(struct link *link)
{
	struct urb *urb;
	bool good = true;

	while (link->file && (urb = usb_reap(link->file))) {
		good = answer_urb(link, urb, urb->status) && good;
		link->urbs--;
		urb_free(urb);
	}
	return good;
}

/* false: the link is broken */
static bool send_due(struct link *link, uint64_t now)
{
	while (link->answers && link->answers->due <= now && !link->server->held) {
		struct answer *answer = link->answers;
		const ssize_t sent = send(link->fd, answer->bytes, answer->len, MSG_NOSIGNAL);

		if (sent != (ssize_t)answer->len)
			return false;
		link->answers = answer->next;
		if (!link->answers)
			link->last = &link->answers;
		free(answer);
	}
	return link->answers || !link->ending;
}

/* ---- requests ---- */

static void import(struct link *link, struct usb_dev *dev)
{
	link->file = usb_file_open(dev);
	if (link->file)
		link->file->kernel = true;
	/* the kernel at the other end owns the device, and keeps order among its users */
	for (unsigned i = 0; link->file && i < usb_dev_interfaces(dev); i++)
		link->file->claimed |= 1u << i;
}

static bool serve_list(struct link *link)
{
	struct usbip_server *server = link->server;
	uint8_t bytes[USBIP_LIST_MAX];
	struct wr w = wr_of(bytes, sizeof bytes);

	link->ending = true;
	usbip_put_list(&w, imported(server) ? NULL : server->dev);
	return queue_wr(link, bytes, sizeof bytes, &w);
}

static enum usbip_status try_import(struct link *link, const uint8_t *busid)
{
	struct usbip_server *server = link->server;

	if (!server->dev || strncmp((const char *)busid, usbip_busid(), USBIP_BUSID_LEN) != 0)
		return USBIP_NO_DEVICE;
	if (imported(server))
		return USBIP_BUSY;
	import(link, server->dev);
	return link->file ? USBIP_OK : USBIP_ERROR;
}

static bool serve_import(struct link *link, const uint8_t *busid)
{
	uint8_t bytes[USBIP_OP_LEN + USBIP_DEVICE_LEN];
	struct wr w = wr_of(bytes, sizeof bytes);
	const enum usbip_status status = try_import(link, busid);

	link->ending = status != USBIP_OK;
	usbip_put_import(&w, status, link->server->dev);
	return queue_wr(link, bytes, sizeof bytes, &w);
}

static uint8_t urb_type(uint8_t ep)
{
	if ((ep & 15) == 0)
		return USBDEVFS_URB_TYPE_CONTROL;
	return usb_ep_kind(ep) == USB_EP_INT ? USBDEVFS_URB_TYPE_INTERRUPT : USBDEVFS_URB_TYPE_BULK;
}

static struct urb *make_urb(const struct usbip_command *c, const uint8_t *data)
{
	const uint8_t type = urb_type(c->ep);
	const size_t setup = type == USBDEVFS_URB_TYPE_CONTROL ? sizeof c->setup : 0;
	struct urb *urb = urb_new(c->seqnum, type, c->ep, setup + c->len);

	if (!urb)
		return NULL;
	urb->flags = c->flags & USBDEVFS_URB_ZERO_PACKET;
	memcpy(urb->data, c->setup, setup);
	memcpy(urb->data + setup, data, usbip_command_data(c));
	return urb;
}

/* false: the link is given up */
static bool serve_submit(struct link *link, const struct usbip_command *c, const uint8_t *data)
{
	struct urb *urb;
	bool good;

	if (link->urbs == URBS_MAX)
		return false;
	urb = make_urb(c, data);
	if (!urb)
		return false;
	if (usb_submit(link->file, urb, loop_now()) == 0) {
		link->urbs++;
		return true;
	}
	/* no such endpoint or interface: what a device does not know it stalls */
	good = answer_urb(link, urb, -EPIPE);
	urb_free(urb);
	return good;
}

/* An URB that is taken back gets no answer of its own; one that is answered already cannot be taken back. */
static bool serve_unlink(struct link *link, const struct usbip_command *c)
{
	uint8_t header[USBIP_HEADER_LEN];
	struct wr w = wr_of(header, sizeof header);
	const bool taken = usb_discard(link->file, c->victim) == 0;

	if (taken) {
		urb_free(usb_take(link->file, c->victim));
		link->urbs--;
	}
	usbip_put_ret_unlink(&w, c->seqnum, taken ? -ECONNRESET : 0);
	return queue_wr(link, header, sizeof header, &w);
}

/* What has come so far: how many bytes of it were served, 0: more is needed, -1: the link is given up */
static ssize_t serve_operation(struct link *link)
{
	enum usbip_op op;

	if (link->ending || link->have < USBIP_OP_LEN)
		return 0;
	op = usbip_operation(link->in);
	if (op == USBIP_OP_LIST)
		return serve_list(link) ? USBIP_OP_LEN : -1;
	if (op != USBIP_OP_IMPORT)
		return -1;
	if (link->have < USBIP_OP_LEN + USBIP_BUSID_LEN)
		return 0;
	return serve_import(link, link->in + USBIP_OP_LEN) ? USBIP_OP_LEN + USBIP_BUSID_LEN : -1;
}

static ssize_t serve_command(struct link *link)
{
	struct usbip_command c;
	size_t len;
	bool good;

	if (link->have < USBIP_HEADER_LEN)
		return 0;
	if (!link->file->dev || !usbip_command_parse(link->in, &c) || c.devid != usbip_devid(link->file->dev))
		return -1;
	len = USBIP_HEADER_LEN + usbip_command_data(&c);
	if (link->have < len)
		return 0;
	good = c.unlink ? serve_unlink(link, &c) : serve_submit(link, &c, link->in + USBIP_HEADER_LEN);
	return good ? (ssize_t)len : -1;
}

static bool serve(struct link *link)
{
	ssize_t done;

	while ((done = link->file ? serve_command(link) : serve_operation(link)) > 0) {
		link->have -= (size_t)done;
		memmove(link->in, link->in + done, link->have);
	}
	return done == 0;
}

static void on_readable(void *arg, int fd)
{
	struct link *link = arg;
	const ssize_t got = recv(fd, link->in + link->have, sizeof link->in - link->have, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0)
		link->have += (size_t)got;
	if (got <= 0 || !serve(link))
		link_free(link);
}

/* ---- the server ---- */

static void on_connection(void *arg, int listener)
{
	struct usbip_server *server = arg;
	/* who does not read must not hold everybody up for long */
	const struct timeval limit = { .tv_sec = SEND_S };
	const int yes = 1;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct link *link = fd >= 0 && server->count < LINKS_MAX ? calloc(1, sizeof *link) : NULL;

	if (!link || loop_add(fd, on_readable, link) < 0) {
		if (fd >= 0)
			close(fd);
		free(link);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	link->last = &link->answers;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	link->fd = fd;
	link->server = server;
	link->next = server->links;
	server->links = link;
	server->count++;
}

static bool parse_where(const char *where, struct sockaddr_in *addr)
{
	const char *colon = strrchr(where, ':'), *port = colon ? colon + 1 : where;
	char host[INET_ADDRSTRLEN] = "127.0.0.1", *end;
	unsigned long number;

	if (colon && (size_t)(colon - where) >= sizeof host)
		return false;
	if (colon)
		snprintf(host, sizeof host, "%.*s", (int)(colon - where), where);
	number = strtoul(port, &end, 10);
	if (end == port || *end || number > UINT16_MAX)
		return false;
	*addr = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)number) };
	return inet_pton(AF_INET, host, &addr->sin_addr) == 1;
}

static bool listen_at(struct usbip_server *server, struct sockaddr_in *addr)
{
	const int yes = 1;
	socklen_t len = sizeof *addr;
	struct sockaddr *any = (struct sockaddr *)(void *)addr;
	char host[INET_ADDRSTRLEN];

	if (setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
	    bind(server->listener, any, len) < 0 || listen(server->listener, LINKS_MAX) < 0 ||
	    getsockname(server->listener, any, &len) < 0 ||
	    loop_add(server->listener, on_connection, server) < 0)
		return false;
	inet_ntop(AF_INET, &addr->sin_addr, host, sizeof host);
	snprintf(server->where, sizeof server->where, "%s:%u", host, ntohs(addr->sin_port));
	return true;
}

struct usbip_server *usbip_server_new(const char *where)
{
	struct sockaddr_in addr;
	struct usbip_server *server = calloc(1, sizeof *server);

	if (!server)
		return NULL;
	if (!parse_where(where, &addr)) {
		free(server);
		errno = EINVAL;
		return NULL;
	}
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->listener >= 0 && listen_at(server, &addr))
		return server;
	if (server->listener >= 0)
		close(server->listener);
	free(server);
	return NULL;
}

void usbip_server_free(struct usbip_server *server)
{
	if (!server)
		return;
	usbip_server_cut(server);
	loop_remove(server->listener);
	close(server->listener);
	free(server);
}

const char *usbip_server_where(const struct usbip_server *server)
{
	return server->where;
}

void usbip_server_cut(struct usbip_server *server)
{
	while (server->links)
		link_free(server->links);
}

void usbip_server_plug(struct usbip_server *server, struct usb_dev *dev)
{
	usbip_server_cut(server);
	server->dev = dev;
}

void usbip_server_delay(struct usbip_server *server, unsigned ms)
{
	server->delay = ms;
}

void usbip_server_hold(struct usbip_server *server, bool hold)
{
	server->held = hold;
}

bool usbip_server_imported(const struct usbip_server *server)
{
	return imported(server);
}

uint64_t usbip_server_run(struct usbip_server *server, uint64_t now)
{
	uint64_t next = SIM_NEVER;
	struct link *after;

	for (struct link *link = server->links; link; link = after) {
		after = link->next;
		if (!collect(link) || !send_due(link, now))
			link_free(link);
		else if (link->answers && !server->held && link->answers->due < next)
			next = link->answers->due;
	}
	return next;
}
