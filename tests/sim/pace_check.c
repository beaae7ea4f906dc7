/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which bulk-OUT transfers src/usb makes of a message, with and without a pause between the packets. Stands between src/usb
 * and libusb, and lets everything pass; the simulated reader on the other side has to understand the message all the same.
 */
#include "ccid/message.h"
#include "usb/usb.h"

#include <dlfcn.h>
#include <libusb.h>
#include <stdio.h>
#include <string.h>

enum { PIECES_MAX = 8, PAUSE_MS = 20, WAIT_MS = 2000, PAYLOAD_MAX = 300 };

static struct {
	int len[PIECES_MAX];
	unsigned count;
} seen;

static int failures;

static void check(bool ok, const char *what, unsigned row)
{
	if (ok)
		return;
	failures++;
	fprintf(stderr, "pace-check: row %u failed: %s\n", row, what);
}

int libusb_submit_transfer(struct libusb_transfer *transfer)
{
	int (*real)(struct libusb_transfer *);
	void *symbol = dlsym(RTLD_NEXT, "libusb_submit_transfer");

	memcpy(&real, &symbol, sizeof real);
	if (!(transfer->endpoint & LIBUSB_ENDPOINT_IN) && transfer->type == LIBUSB_TRANSFER_TYPE_BULK &&
	    seen.count < PIECES_MAX)
		seen.len[seen.count++] = transfer->length;
	return real(transfer);
}

static bool any_interface(const struct usb_info *info)
{
	return info->bulk;
}

static void say(void *arg, enum oc_log_level level, const char *line)
{
	(void)arg;
	(void)level;
	fprintf(stderr, "%s\n", line);
}

static const struct {
	unsigned pause_ms;
	size_t len; /* of the message */
	int piece[PIECES_MAX];
	unsigned pieces;
} rows[] = {
	{ 0, 10, { 10 }, 1 },
	{ 0, 200, { 200 }, 1 },
	{ PAUSE_MS, 10, { 10 }, 1 },
	{ PAUSE_MS, 64, { 64 }, 1 },
	{ PAUSE_MS, 65, { 64, 1 }, 2 },
	{ PAUSE_MS, 128, { 64, 64 }, 2 },
	{ PAUSE_MS, 200, { 64, 64, 64, 8 }, 4 },
	{ 0, 200, { 200 }, 1 },
};

/* An Escape command of that length, and whatever the reader says to it */
static void play(struct transport *t, unsigned row)
{
	uint8_t out[PAYLOAD_MAX] = { 0 }, in[512];
	const struct ccid_command command = ccid_escape(0, rows[row].len - CCID_HEADER_LEN);
	const uint64_t since = t->ops->now(t);
	struct ccid_reply reply = { 0 };
	size_t len = 0;

	seen.count = 0;
	usb_pace(t, rows[row].pause_ms);
	ccid_put_header(out, &command, (uint8_t)row);
	check(t->ops->send(t, out, rows[row].len, in, sizeof in, WAIT_MS) == OC_OK, "send", row);
	check(t->ops->now(t) - since >= (rows[row].pieces - 1) * rows[row].pause_ms, "pauses", row);
	check(seen.count == rows[row].pieces, "number of transfers", row);
	check(memcmp(seen.len, rows[row].piece, seen.count * sizeof seen.len[0]) == 0, "their lengths", row);
	check(t->ops->recv(t, &len, WAIT_MS) == OC_OK, "an answer", row);
	check(ccid_decode_reply(in, len, &reply) == OC_OK, "a well-formed one", row);
	check(reply.seq == row, "to this message", row);
}

int main(void)
{
	const struct oc_log log = { .mask = OC_LOG_CRITICAL, .write = say };
	struct usb_info info;
	struct transport *t;

	if (usb_open("usb:04e6/5116:libudev:0:/dev/bus/usb/001/002", &log, any_interface, &info, &t) != OC_OK)
		return 1;
	for (unsigned row = 0; row < sizeof rows / sizeof rows[0]; row++)
		play(t, row);
	check(t->ops->clear_interrupt(t) == OC_OK, "clearing the interrupt endpoint", 0);
	t->ops->close(t);
	return failures ? 1 : 0;
}
