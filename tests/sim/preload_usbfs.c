/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System calls on a device node, each handed to the simulator as one request. The fd that the program holds is the write
 * end of a pipe which the simulator keeps full while there is nothing to reap, so that poll() sleeps as with usbfs.
 */
#include "preload.h"
#include "usbfs_wire.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { FDS_MAX = 1024 };

struct node {
	pthread_mutex_t lock; /* one request at a time on the socket; also guards offset */
	int sock;             /* 0: not a node of ours */
	uint64_t file;
	off64_t offset;
};

static struct node nodes[FDS_MAX] = { [0 ... FDS_MAX - 1] = { .lock = PTHREAD_MUTEX_INITIALIZER } };

bool usbfs_is_node(const char *path)
{
	static const char shape[] = "/dev/bus/usb/ddd/ddd";

	if (!path || strlen(path) != sizeof shape - 1 || !getenv(SIM_ENV_USBFS))
		return false;
	for (size_t i = 0; i < sizeof shape - 1; i++)
		if (i >= 13 && shape[i] == 'd' ? !isdigit((unsigned char)path[i]) : path[i] != shape[i])
			return false;
	return true;
}

/* Read without the lock on every read() and ioctl() of the process, hence atomic. */
bool usbfs_owns(int fd)
{
	return fd >= 0 && fd < FDS_MAX && __atomic_load_n(&nodes[fd].sock, __ATOMIC_ACQUIRE) != 0;
}

static int fail(int error)
{
	errno = error;
	return -1;
}

static void close_raw(int fd)
{
	int (*next)(int);

	*(void **)&next = preload_next("close");
	next(fd);
}

/* ---- one request and its answer ---- */

struct call {
	struct usbfs_request request;
	const void *in; /* request.len bytes */
	struct usbfs_answer answer;
	void *out; /* room for out_len bytes of the answer's payload */
	size_t out_len;
	int *fd; /* where an fd that comes with the answer goes, or NULL */
};

static int send_request(int sock, const struct call *call)
{
	struct iovec parts[2] = { { .iov_base = (void *)(uintptr_t)&call->request,
				    .iov_len = sizeof call->request },
				  { .iov_base = (void *)(uintptr_t)call->in, .iov_len = call->request.len } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t sent;

	do
		sent = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

static int receive_answer(int sock, struct call *call)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec parts[2] = { { .iov_base = &call->answer, .iov_len = sizeof call->answer },
				  { .iov_base = call->out, .iov_len = call->out_len } };
	struct msghdr msg = {
		.msg_iov = parts, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof control
	};
	struct cmsghdr *cmsg;
	ssize_t got;

	do
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < (ssize_t)sizeof call->answer)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (call->fd && cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(call->fd, CMSG_DATA(cmsg), sizeof(int));
	return 0;
}

/* The simulator's answer as a system call would give it; a simulator that went away is a device that did. */
static int do_call(int sock, struct call *call)
{
	if (send_request(sock, call) < 0 || receive_answer(sock, call) < 0)
		return fail(ENODEV);
	if (call->answer.result < 0)
		return fail(call->answer.error);
	return call->answer.result;
}

static int connect_simulator(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = getenv(SIM_ENV_USBFS);
	int sock;

	if (!path || strlen(path) >= sizeof addr.sun_path)
		return fail(ENOENT);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -1;
	if (connect(sock, (const struct sockaddr *)(const void *)&addr, sizeof addr) == 0)
		return sock;
	close_raw(sock);
	return fail(ENOENT);
}

int usbfs_open(const char *path, int flags)
{
	int fd = -1, sock = connect_simulator();
	struct call call = {
		.request = { .op = USBFS_OPEN, .len = (uint32_t)strlen(path), .arg = { (unsigned)flags } },
		.in = path,
		.fd = &fd
	};
	int saved;

	if (sock < 0)
		return -1;
	if (do_call(sock, &call) < 0 || fd < 0 || fd >= FDS_MAX) {
		saved = fd < 0 ? errno : EMFILE;
		close_raw(sock);
		if (fd >= 0)
			close_raw(fd);
		return fail(saved);
	}
	if (!(flags & O_CLOEXEC))
		fcntl(fd, F_SETFD, 0);
	nodes[fd].file = call.answer.value[0];
	nodes[fd].offset = 0;
	__atomic_store_n(&nodes[fd].sock, sock, __ATOMIC_RELEASE);
	return fd;
}

void usbfs_close(int fd)
{
	int sock;

	if (!usbfs_owns(fd))
		return;
	sock = __atomic_exchange_n(&nodes[fd].sock, 0, __ATOMIC_ACQ_REL);
	if (sock)
		close_raw(sock);
}

/* Calls that answer at once share the node's socket. */
static int quick(int fd, struct call *call)
{
	int result;

	pthread_mutex_lock(&nodes[fd].lock);
	result = nodes[fd].sock ? do_call(nodes[fd].sock, call) : fail(EBADF);
	pthread_mutex_unlock(&nodes[fd].lock);
	return result;
}

/* Calls that may wait have a connection of their own, so that other threads go on. */
static int slow(int fd, struct call *call)
{
	struct call attach = { .request = { .op = USBFS_ATTACH, .arg = { nodes[fd].file } } };
	int sock = connect_simulator();
	int result, saved;

	if (sock < 0)
		return fail(ENODEV);
	result = do_call(sock, &attach);
	if (result == 0)
		result = do_call(sock, call);
	saved = errno;
	close_raw(sock);
	errno = saved;
	return result;
}

ssize_t usbfs_read(int fd, void *buf, size_t len, off64_t offset)
{
	const off64_t at = offset < 0 ? nodes[fd].offset : offset;
	struct call call = { .request = { .op = USBFS_READ, .arg = { (uint64_t)at, len } },
			     .out = buf,
			     .out_len = len };
	int got = quick(fd, &call);

	if (got > 0 && offset < 0)
		nodes[fd].offset += got;
	return got;
}

off64_t usbfs_seek(int fd, off64_t offset, int whence)
{
	off64_t to = whence == SEEK_SET ? offset : whence == SEEK_CUR ? nodes[fd].offset + offset : -1;

	if (to < 0)
		return fail(EINVAL);
	nodes[fd].offset = to;
	return to;
}

/* ---- ioctls ---- */

static struct call ioctl_call(unsigned long request, uint64_t a1, uint64_t a2, uint64_t a3)
{
	return (struct call){ .request = { .op = USBFS_IOCTL, .arg = { request, a1, a2, a3 } } };
}

static int do_control(int fd, unsigned long request, void *arg)
{
	struct usbdevfs_ctrltransfer *t = arg;
	struct call call = ioctl_call(request, t->wLength, 0, 0);
	const uint8_t setup[8] = { t->bRequestType,     t->bRequest,
				   (uint8_t)t->wValue,  (uint8_t)(t->wValue >> 8),
				   (uint8_t)t->wIndex,  (uint8_t)(t->wIndex >> 8),
				   (uint8_t)t->wLength, (uint8_t)(t->wLength >> 8) };
	uint8_t in[8 + 4096];

	if (t->wLength > sizeof in - 8)
		return fail(EINVAL);
	memcpy(in, setup, sizeof setup);
	call.in = in;
	call.request.len = sizeof setup;
	if (t->bRequestType & 0x80) {
		call.out = t->data;
		call.out_len = t->wLength;
	} else if (t->wLength) {
		memcpy(in + 8, t->data, t->wLength);
		call.request.len += t->wLength;
	}
	return slow(fd, &call);
}

static int do_bulk(int fd, unsigned long request, void *arg)
{
	struct usbdevfs_bulktransfer *t = arg;
	struct call call = ioctl_call(request, t->ep, t->len, t->timeout);

	if (t->len > USBFS_PAYLOAD_MAX)
		return fail(EINVAL);
	if (t->ep & 0x80) {
		call.out = t->data;
		call.out_len = t->len;
	} else {
		call.in = t->data;
		call.request.len = t->len;
	}
	return slow(fd, &call);
}

static int do_submit(int fd, unsigned long request, void *arg)
{
	const struct usbdevfs_urb *urb = arg;
	const uint64_t what = urb->type | (uint64_t)urb->endpoint << 8 | (uint64_t)urb->flags << 16;
	struct call call = ioctl_call(request, (uintptr_t)arg, what, (uint64_t)(int64_t)urb->buffer_length);
	const uint8_t *bytes = urb->buffer;

	if (urb->buffer_length < 0 || urb->buffer_length > USBFS_PAYLOAD_MAX)
		return fail(EINVAL);
	call.in = bytes;
	if (urb->type == USBDEVFS_URB_TYPE_CONTROL && urb->buffer_length >= 8 && (bytes[0] & 0x80))
		call.request.len = 8;
	else if (urb->type == USBDEVFS_URB_TYPE_CONTROL || !(urb->endpoint & 0x80))
		call.request.len = (uint32_t)urb->buffer_length;
	return quick(fd, &call);
}

/* The simulator sends the bytes after the answer; where they go is known only then, so a buffer is between. */
static int do_reap(int fd, unsigned long request, void *arg)
{
	struct call call = ioctl_call(request, 0, 0, 0);
	struct usbdevfs_urb *urb;
	uint8_t *bytes = malloc(USBFS_PAYLOAD_MAX);
	int result;

	if (!bytes)
		return fail(ENOMEM);
	call.out = bytes;
	call.out_len = USBFS_PAYLOAD_MAX;
	result = request == USBDEVFS_REAPURB ? slow(fd, &call) : quick(fd, &call);
	if (result == 0) {
		urb = (struct usbdevfs_urb *)(uintptr_t)call.answer.value[0];
		urb->status = (int)(int64_t)call.answer.value[1];
		urb->actual_length = (int)call.answer.value[2];
		if (call.answer.len)
			memcpy((uint8_t *)urb->buffer + (urb->type == USBDEVFS_URB_TYPE_CONTROL ? 8 : 0),
			       bytes, call.answer.len);
		*(void **)arg = urb;
	}
	free(bytes);
	return result;
}

static int do_discard(int fd, unsigned long request, void *arg)
{
	struct call call = ioctl_call(request, (uintptr_t)arg, 0, 0);

	return quick(fd, &call);
}

static int do_wrapped(int fd, unsigned long request, void *arg)
{
	const struct usbdevfs_ioctl *inner = arg;
	struct call call = ioctl_call(request, (unsigned)inner->ifno, (unsigned)inner->ioctl_code, 0);

	return quick(fd, &call);
}

/* Only the interface number of this struct is input; the rest may be uninitialised. */
static int do_getdriver(int fd, unsigned long request, void *arg)
{
	struct usbdevfs_getdriver *g = arg;
	struct call call = ioctl_call(request, 0, 0, 0);

	call.in = &g->interface;
	call.request.len = sizeof g->interface;
	call.out = g->driver;
	call.out_len = sizeof g->driver;
	return quick(fd, &call);
}

/* The name is only looked at with a flag that compares it, and only up to its end. */
static int do_disconnect_claim(int fd, unsigned long request, void *arg)
{
	const struct usbdevfs_disconnect_claim *asked = arg;
	struct usbdevfs_disconnect_claim claim = { .interface = asked->interface, .flags = asked->flags };
	struct call call = ioctl_call(request, 0, 0, 0);

	if (asked->flags)
		memcpy(claim.driver, asked->driver, strnlen(asked->driver, sizeof claim.driver - 1));
	call.in = &claim;
	call.request.len = sizeof claim;
	return quick(fd, &call);
}

static const struct ioctl_rule {
	unsigned long request;
	uint32_t in, out; /* bytes of the struct each way, for those without pointers */
	int (*run)(int fd, unsigned long request, void *arg);
} rules[] = {
	{ USBDEVFS_CONTROL, 0, 0, do_control },
	{ USBDEVFS_BULK, 0, 0, do_bulk },
	{ USBDEVFS_SUBMITURB, 0, 0, do_submit },
	{ USBDEVFS_DISCARDURB, 0, 0, do_discard },
	{ USBDEVFS_REAPURB, 0, 0, do_reap },
	{ USBDEVFS_REAPURBNDELAY, 0, 0, do_reap },
	{ USBDEVFS_IOCTL, 0, 0, do_wrapped },
	{ USBDEVFS_GETDRIVER, 0, 0, do_getdriver },
	{ USBDEVFS_RESETEP, sizeof(int), 0, NULL },
	{ USBDEVFS_CLEAR_HALT, sizeof(int), 0, NULL },
	{ USBDEVFS_SETINTERFACE, sizeof(struct usbdevfs_setinterface), 0, NULL },
	{ USBDEVFS_SETCONFIGURATION, sizeof(int), 0, NULL },
	{ USBDEVFS_CLAIMINTERFACE, sizeof(int), 0, NULL },
	{ USBDEVFS_RELEASEINTERFACE, sizeof(int), 0, NULL },
	{ USBDEVFS_CONNECTINFO, 0, sizeof(struct usbdevfs_connectinfo), NULL },
	{ USBDEVFS_RESET, 0, 0, NULL },
	{ USBDEVFS_DISCONNECT_CLAIM, 0, 0, do_disconnect_claim },
	{ USBDEVFS_GET_CAPABILITIES, 0, sizeof(uint32_t), NULL },
	{ USBDEVFS_GET_SPEED, 0, 0, NULL },
};

static int do_plain(int fd, const struct ioctl_rule *rule, void *arg)
{
	struct call call = ioctl_call(rule->request, 0, 0, 0);

	call.in = arg;
	call.request.len = rule->in;
	call.out = arg;
	call.out_len = rule->out;
	return quick(fd, &call);
}

int usbfs_ioctl(int fd, unsigned long request, void *arg)
{
	/* int arguments sign-extend in some callers */
	request &= 0xFFFFFFFFul;
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		if (rules[i].request != request)
			continue;
		return rules[i].run ? rules[i].run(fd, request, arg) : do_plain(fd, &rules[i], arg);
	}
	return fail(ENOTTY);
}
