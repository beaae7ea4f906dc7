/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "far.h"

#include "sim/card_spec.h"
#include "usb/usb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum op { SEND, RECV, CONTROL, CLEAR, TYPE, FAULT };

/* A question to the other process, and its answer; bytes follow both. */
struct ask {
	enum op op;
	unsigned ms;
	size_t cap;
	uint8_t setup[8];
};

struct said {
	enum sim_io io;
	size_t len;
};

static struct far {
	struct transport base;
	struct sim_identity identity;
	pid_t pid;
	int fd;
	uint8_t *in;
	size_t cap;
} here;

static uint64_t now_ms(struct transport *t)
{
	struct timespec now;

	(void)t;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pause_ms(struct transport *t, unsigned ms)
{
	const struct timespec span = { .tv_sec = (time_t)(ms / 1000),
				       .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)t;
	nanosleep(&span, NULL);
}

/* Two pieces in one datagram; false at the end of the other side. */
static bool put(int fd, const void *head, size_t head_len, const void *bytes, size_t len)
{
	struct iovec parts[] = { { (void *)(uintptr_t)head, head_len }, { (void *)(uintptr_t)bytes, len } };
	const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)(head_len + len);
}

static bool get(int fd, void *head, size_t head_len, void *bytes, size_t *len)
{
	struct iovec parts[] = { { head, head_len }, { bytes, *len } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	const ssize_t n = recvmsg(fd, &message, 0);

	*len = n > (ssize_t)head_len ? (size_t)n - head_len : 0;
	return n >= (ssize_t)head_len;
}

/* ---- the other process ------------------------------------------------------------------------------------------- */

static enum sim_io wait_for_message(struct sim_reader *r, const struct ask *ask, uint8_t *bytes, size_t *len)
{
	const uint64_t until = now_ms(NULL) + ask->ms;
	enum sim_io io;

	*len = 0;
	while ((io = sim_reader_bulk_in(r, bytes, ask->cap, len, now_ms(NULL))) == SIM_NAK &&
	       now_ms(NULL) < until)
		pause_ms(NULL, 1);
	return io;
}

static enum sim_io type_in(struct sim_reader *r, const uint8_t *masked, size_t len)
{
	char digits[32] = "", end[] = "ok";
	char *words[] = { digits, end };

	for (size_t i = 0; i < len && i < sizeof digits - 1; i++)
		digits[i] = (char)(masked[i] ^ FAR_MASK);
	return sim_reader_type(r, 2, words, now_ms(NULL)) ? SIM_STALL : SIM_DONE;
}

static enum sim_io clear(struct sim_reader *r)
{
	sim_reader_clear_halt(r, false);
	sim_reader_clear_halt(r, true);
	return SIM_DONE;
}

static enum sim_io arrange(struct sim_reader *r, const uint8_t *bytes)
{
	struct sim_fault fault;

	memcpy(&fault, bytes, sizeof fault);
	return sim_reader_fault(r, &fault) ? SIM_STALL : SIM_DONE;
}

/* @len: of what came in, and then of what goes back in the same place */
static enum sim_io obey(struct sim_reader *r, const struct ask *ask, uint8_t *bytes, size_t *len)
{
	const size_t got = *len;

	*len = 0;
	switch (ask->op) {
	case SEND: return sim_reader_bulk_out(r, bytes, got, now_ms(NULL));
	case RECV: return wait_for_message(r, ask, bytes, len);
	case CONTROL: *len = ask->cap; return sim_reader_control(r, ask->setup, bytes, len, now_ms(NULL));
	case CLEAR: return clear(r);
	case TYPE: return type_in(r, bytes, got);
	case FAULT: return arrange(r, bytes);
	}
	return SIM_STALL;
}

static void serve(int fd, const struct sim_identity *identity, const char *card)
{
	static uint8_t bytes[SIM_MESSAGE_MAX];
	struct sim_reader *r = sim_reader_new(identity);
	struct sim_card_spec spec;
	struct ask ask;
	size_t len = sizeof bytes;

	if (!r || sim_card_spec_parse(card, &spec) ||
	    sim_reader_insert(r, 0, sim_card_make(&spec, SIM_5V | SIM_3V | SIM_1V8), now_ms(NULL)) < 0)
		_exit(1);
	while (get(fd, &ask, sizeof ask, bytes, &len)) {
		const enum sim_io io = obey(r, &ask, bytes, &len);
		const bool gives = ask.op == RECV || (ask.op == CONTROL && (ask.setup[0] & 0x80));
		const struct said said = { .io = io, .len = len };

		if (!put(fd, &said, sizeof said, bytes, gives && io == SIM_DONE ? len : 0))
			break;
		len = sizeof bytes;
	}
	_exit(0);
}

/* ---- this one ---------------------------------------------------------------------------------------------------- */

static enum oc_err of_io(enum sim_io io)
{
	if (io == SIM_NAK)
		return OC_E_TIMEOUT;
	return io == SIM_STALL ? OC_E_STALL : OC_OK;
}

/* Ask, and take the answer's bytes, if any, into @in. */
static enum oc_err call(const struct ask *ask, const uint8_t *out, size_t out_len, uint8_t *in, size_t in_len,
			size_t *len)
{
	struct said said;

	if (!put(here.fd, ask, sizeof *ask, out, out_len) || !get(here.fd, &said, sizeof said, in, &in_len))
		return OC_E_GONE;
	if (len)
		*len = said.io == SIM_DONE ? said.len : 0;
	return of_io(said.io);
}

static enum oc_err far_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
			    unsigned ms)
{
	(void)t;
	(void)ms;
	here.in = in;
	here.cap = cap;
	return call(&(struct ask){ .op = SEND }, out, len, NULL, 0, NULL);
}

static enum oc_err far_recv(struct transport *t, size_t *len, unsigned ms)
{
	(void)t;
	return call(&(struct ask){ .op = RECV, .ms = ms, .cap = here.cap }, NULL, 0, here.in, here.cap, len);
}

static enum oc_err far_control(struct transport *t, const struct transport_setup *s, uint8_t *data,
			       size_t *len, unsigned ms)
{
	const bool gives = s->request_type & 0x80;
	const struct ask ask = {
		.op = CONTROL,
		.cap = *len,
		.setup = { s->request_type, s->request, (uint8_t)s->value, (uint8_t)(s->value >> 8),
			   (uint8_t)s->index, (uint8_t)(s->index >> 8), (uint8_t)*len, (uint8_t)(*len >> 8) },
	};

	(void)t;
	(void)ms;
	return call(&ask, data, gives ? 0 : *len, data, gives ? *len : 0, len);
}

static enum oc_err far_clear_halt(struct transport *t)
{
	(void)t;
	return call(&(struct ask){ .op = CLEAR }, NULL, 0, NULL, 0, NULL);
}

static enum oc_err no_interrupt(struct transport *t)
{
	(void)t;
	return OC_OK;
}

static void nothing(struct transport *t)
{
	(void)t;
}

static const struct transport_ops far_ops = {
	.send = far_send,
	.recv = far_recv,
	.control = far_control,
	.clear_halt = far_clear_halt,
	.clear_interrupt = no_interrupt,
	.wake = nothing,
	.gone = nothing,
	.now = now_ms,
	.pause = pause_ms,
	.close = nothing,
};

enum oc_err usb_open(const char *name, const struct oc_log *log, usb_accept accept, struct usb_info *info,
		     struct transport **out)
{
	const struct sim_identity *id = &here.identity;

	(void)name;
	(void)log;
	*info = (struct usb_info){
		.vid = id->vid,
		.pid = id->pid,
		.bcd_device = id->bcd,
		.class = id->class[0],
		.subclass = id->class[1],
		.protocol = id->class[2],
		.bulk = id->endpoints >= 2,
		.extra_len = SIM_DESCRIPTOR_LEN,
	};
	memcpy(info->extra, id->descriptor, SIM_DESCRIPTOR_LEN);
	if (!accept(info))
		return OC_E_NOT_CCID;
	*out = &here.base;
	return OC_OK;
}

size_t usb_descriptors(const struct usb_info *info, uint8_t *bytes, size_t cap)
{
	(void)info;
	(void)bytes;
	(void)cap;
	return 0;
}

bool usb_place_of(const struct usb_info *info, char text[USB_PLACE_MAX])
{
	(void)info;
	text[0] = '\0';
	return false;
}

void usb_pace(struct transport *transport, unsigned ms)
{
	(void)transport;
	(void)ms;
}

bool usb_string(const struct usb_info *info, const char *which, char text[USB_STRING_MAX])
{
	(void)info;
	(void)which;
	text[0] = '\0';
	return false;
}

/* ---- what the test does ------------------------------------------------------------------------------------------ */

bool far_begin(const struct sim_identity *identity, const char *card)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return false;
	here = (struct far){ .base.ops = &far_ops, .identity = *identity, .fd = ends[0], .pid = fork() };
	if (here.pid == 0) {
		close(ends[0]);
		serve(ends[1], identity, card);
	}
	close(ends[1]);
	return here.pid > 0;
}

void far_end(void)
{
	close(here.fd);
	waitpid(here.pid, NULL, 0);
}

void far_type(const uint8_t *masked, size_t len)
{
	if (call(&(struct ask){ .op = TYPE }, masked, len, NULL, 0, NULL) != OC_OK)
		abort();
}

void far_fault(const struct sim_fault *fault)
{
	if (call(&(struct ask){ .op = FAULT }, (const uint8_t *)fault, sizeof *fault, NULL, 0, NULL) != OC_OK)
		abort();
}
