/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pcap_writer.h"

#include "base/bytes.h"
#include "traffic/urb.h"

#include <errno.h>
#include <string.h>

enum {
	OUT = 0x02,
	IN = 0x81,
	INTERRUPT = 0x83,
	RECORD_MAX = 256 * 1024,
	LINUX_SUBMITTED = -115,
	LINK_ETHERNET = 1
};

/* One record, whatever the form. */
struct record {
	uint64_t us;
	uint8_t endpoint, transfer;
	bool back;
	int status; /* as Linux numbers them */
	const uint8_t *setup, *data;
	size_t len;
};

/* ---- in either byte order ---------------------------------------------------------------------------------------- */

static bool swapped(const struct pcap_writer *w)
{
	return w->form == FORM_OTHER_ORDER;
}

static void put(struct wr *r, const struct pcap_writer *w, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const size_t at = swapped(w) ? n - 1 - i : i;
		const uint64_t shifted = at < sizeof value ? value >> 8 * at : 0;

		wr_u8(r, (uint8_t)shifted);
	}
}

/* ---- the container ----------------------------------------------------------------------------------------------- */

static void put_block(struct wr *r, const struct pcap_writer *w, uint32_t type, const uint8_t *body,
		      size_t len)
{
	const size_t padded = (len + 3) / 4 * 4;

	put(r, w, type, 4);
	put(r, w, padded + 12, 4);
	wr_bytes(r, body, len);
	put(r, w, 0, padded - len);
	put(r, w, padded + 12, 4);
}

/* The interfaces of a pcapng file; if_tsresol is a power of ten. */
struct interface {
	uint32_t link, snap, resolution;
};

static const struct interface alike[] = { { LINK_USB_LINUX_MMAPPED, RECORD_MAX, 6 },
					  { LINK_USB_LINUX_MMAPPED, RECORD_MAX, 9 } },
			      mixed[] = { { LINK_ETHERNET, 96, 6 },
					  { LINK_USB_LINUX_MMAPPED, RECORD_MAX, 9 },
					  { LINK_USBPCAP, 65535, 6 } };

static bool in_pcapng(const struct pcap_writer *w)
{
	return w->form == FORM_PCAPNG || w->form == FORM_MIXED;
}

static void begin_pcapng(struct pcap_writer *w)
{
	const struct interface *interface = w->form == FORM_MIXED ? mixed : alike;
	const size_t count =
		w->form == FORM_MIXED ? sizeof mixed / sizeof mixed[0] : sizeof alike / sizeof alike[0];
	uint8_t bytes[256], body[64];
	struct wr r = wr_of(bytes, sizeof bytes), b = wr_of(body, sizeof body);

	put(&b, w, 0x1A2B3C4D, 4);
	put(&b, w, 1, 4);
	put(&b, w, UINT64_MAX, 8);
	put_block(&r, w, 0x0A0D0D0A, body, sizeof body - b.left);
	for (size_t i = 0; i < count; i++) {
		b = wr_of(body, sizeof body);
		put(&b, w, interface[i].link, 4);
		put(&b, w, interface[i].snap, 4);
		put(&b, w, 9, 2); /* if_tsresol */
		put(&b, w, 1, 2);
		put(&b, w, interface[i].resolution, 4);
		put(&b, w, 0, 4);
		put_block(&r, w, 1, body, sizeof body - b.left);
	}
	fwrite(bytes, 1, sizeof bytes - r.left, w->file);
}

void writer_begin(struct pcap_writer *w, enum pcap_form form, FILE *file)
{
	static const uint32_t links[FORMS] = { LINK_USB_LINUX, LINK_USB_LINUX_MMAPPED, LINK_USBPCAP, 0,
					       LINK_USB_LINUX_MMAPPED };
	uint8_t bytes[24];
	struct wr r = wr_of(bytes, sizeof bytes);

	*w = (struct pcap_writer){
		.form = form, .file = file, .id = 0xffff8880a5123c40, .bus = 1, .device = 9
	};
	if (in_pcapng(w)) {
		begin_pcapng(w);
		return;
	}
	put(&r, w, 0xA1B2C3D4, 4);
	put(&r, w, 2, 2);
	put(&r, w, 4, 2);
	put(&r, w, 0, 8);
	put(&r, w, RECORD_MAX, 4);
	put(&r, w, links[form], 4);
	fwrite(bytes, 1, sizeof bytes, file);
}

static uint8_t block[RECORD_MAX + 128];

static void put_enhanced(struct pcap_writer *w, uint32_t interface, uint64_t stamp, const uint8_t *bytes,
			 size_t len)
{
	static uint8_t body[RECORD_MAX + 64];
	struct wr b = wr_of(body, sizeof body), r = wr_of(block, sizeof block);

	put(&b, w, interface, 4);
	put(&b, w, stamp >> 32, 4);
	put(&b, w, stamp & UINT32_MAX, 4);
	put(&b, w, len, 4);
	put(&b, w, len, 4);
	wr_bytes(&b, bytes, len);
	put_block(&r, w, 6, body, sizeof body - b.left);
	fwrite(block, 1, sizeof block - r.left, w->file);
}

/* Nothing of Ethernet may pass for USB: it is the record itself. */
static void put_mixed(struct pcap_writer *w, const uint8_t *bytes, size_t len, uint64_t us)
{
	const size_t kept = len < 96 ? len : 96;
	struct wr b = wr_of(block, sizeof block), r;
	uint8_t body[128];

	put_enhanced(w, 0, us, bytes, kept);
	r = wr_of(body, sizeof body);
	put(&r, w, len, 4);
	wr_bytes(&r, bytes, kept);
	put_block(&b, w, 3, body, sizeof body - r.left); /* a simple packet */
	fwrite(block, 1, sizeof block - b.left, w->file);
	put_enhanced(w, w->windows ? 2 : 1, w->windows ? us : us * 1000, bytes, len);
}

static void put_record(struct pcap_writer *w, const uint8_t *bytes, size_t len, uint64_t us)
{
	struct wr r = wr_of(block, sizeof block);
	const uint32_t interface = w->records++ % 2;

	if (w->form == FORM_MIXED) {
		put_mixed(w, bytes, len, us);
		return;
	}
	if (w->form == FORM_PCAPNG) {
		put_enhanced(w, interface, interface ? us * 1000 : us, bytes, len);
		return;
	}
	put(&r, w, us / 1000000, 4);
	put(&r, w, us % 1000000, 4);
	put(&r, w, len, 4);
	put(&r, w, len, 4);
	wr_bytes(&r, bytes, len);
	fwrite(block, 1, sizeof block - r.left, w->file);
}

/* ---- the record -------------------------------------------------------------------------------------------------- */

static void put_usbmon(struct pcap_writer *w, struct wr *r, const struct record *u)
{
	const bool has_data = u->back == (u->endpoint >> 7);
	const size_t kept = w->snap && u->len > w->snap ? w->snap : u->len;

	put(r, w, w->id, 8);
	wr_u8(r, u->back ? 'C' : 'S');
	wr_u8(r, u->transfer);
	wr_u8(r, u->endpoint);
	wr_u8(r, (uint8_t)w->device);
	put(r, w, w->bus, 2);
	wr_u8(r, u->setup ? 0 : '-');
	wr_u8(r, has_data ? 0 : u->endpoint & 0x80 ? '<' : '>');
	put(r, w, u->us / 1000000, 8);
	put(r, w, u->us % 1000000, 4);
	put(r, w, (uint32_t)u->status, 4);
	put(r, w, u->len, 4);
	put(r, w, has_data ? kept : 0, 4);
	if (u->setup)
		wr_bytes(r, u->setup, 8);
	else
		put(r, w, 0, 8);
	if (w->form != FORM_USBMON_48)
		put(r, w, 0, 16);
	if (has_data)
		wr_bytes(r, u->data, kept);
}

static uint32_t windows_status(const struct record *u)
{
	static const struct {
		int linux_one;
		uint32_t windows;
	} same[] = { { 0, 0 },
		     { -ENOENT, 0xC0010000 },
		     { -EPIPE, 0xC0000004 },
		     { -ESHUTDOWN, 0xC0007000 },
		     { -EPROTO, 0xC0000011 } };

	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		if (same[i].linux_one == u->status)
			return same[i].windows;
	return 0;
}

static void put_usbpcap(struct pcap_writer *w, struct wr *r, const struct record *u)
{
	const bool control = u->transfer == URB_CONTROL;
	const size_t len = (u->setup ? 8 : 0) + (u->back == (u->endpoint >> 7) ? u->len : 0);

	put(r, w, control ? 28 : 27, 2);
	put(r, w, w->id, 8);
	put(r, w, windows_status(u), 4);
	put(r, w, control ? 8 : 9, 2);
	wr_u8(r, u->back);
	put(r, w, w->bus, 2);
	put(r, w, w->device, 2);
	wr_u8(r, u->endpoint);
	wr_u8(r, u->transfer);
	put(r, w, len, 4);
	if (control)
		wr_u8(r, u->back ? 3 : 0);
	if (u->setup)
		wr_bytes(r, u->setup, 8);
	if (u->back == (u->endpoint >> 7))
		wr_bytes(r, u->data, u->len);
}

static void put_one(struct pcap_writer *w, const struct record *u)
{
	static uint8_t bytes[RECORD_MAX];
	struct wr r = wr_of(bytes, sizeof bytes);

	if (w->form == FORM_USBPCAP || w->windows)
		put_usbpcap(w, &r, u);
	else
		put_usbmon(w, &r, u);
	put_record(w, bytes, sizeof bytes - r.left, u->us);
}

/* Submitted and come back. */
static void put_transfer(struct pcap_writer *w, struct record u)
{
	const int status = u.status;

	u.back = false;
	u.status = LINUX_SUBMITTED;
	put_one(w, &u);
	u.back = true;
	u.status = status;
	u.setup = NULL;
	put_one(w, &u);
	w->id += 64;
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static void put_message(struct pcap_writer *w, const struct event *e, uint8_t endpoint, uint8_t transfer)
{
	size_t at = 0;

	do {
		const size_t left = e->len - at;
		const size_t n = w->split && left > w->split ? w->split : left;

		put_transfer(w, (struct record){ .us = e->us,
						 .endpoint = endpoint,
						 .transfer = transfer,
						 .data = e->bytes + at,
						 .len = n });
		at += n;
	} while (at < e->len);
}

static void put_control(struct pcap_writer *w, uint64_t us, const uint8_t *setup, const uint8_t *data,
			size_t len, int status)
{
	put_transfer(w, (struct record){ .us = us,
					 .endpoint = setup[0] & 0x80,
					 .transfer = URB_CONTROL,
					 .setup = setup,
					 .data = data,
					 .len = len,
					 .status = status });
}

void writer_descriptors(struct pcap_writer *w, uint16_t vid, uint16_t pid, const uint8_t *ccid)
{
	static const uint8_t ask_device[] = { 0x80, 6, 0, 1, 0, 0, 18, 0 };
	static const uint8_t ask_all[] = { 0x80, 6, 0, 2, 0, 0, 255, 0 };
	static const uint8_t before[] = { 9, 2, 93, 0, 1, 1, 0, 0xA0, 50, 9, 4, 0, 0, 3, 0x0B, 0, 0, 0 };
	static const uint8_t behind[] = { 7,  5, OUT, 2, 64, 0,         0, 7, 5, IN, 2,
					  64, 0, 0,   7, 5,  INTERRUPT, 3, 8, 0, 16 };
	uint8_t device[18] = { 18, 1, 0x10, 1, 0, 0, 0, 8 };
	uint8_t all[sizeof before + CCID_DESCRIPTOR_LEN + sizeof behind];
	struct wr r = wr_of(device + 8, 6);

	wr_le16(&r, vid);
	wr_le16(&r, pid);
	wr_le16(&r, 0x0520);
	put_control(w, 0, ask_device, device, sizeof device, 0);
	r = wr_of(all, sizeof all);
	wr_bytes(&r, before, sizeof before);
	wr_bytes(&r, ccid, CCID_DESCRIPTOR_LEN);
	wr_bytes(&r, behind, sizeof behind);
	put_control(w, 0, ask_all, all, 9, 0); /* the first read is for the length */
	put_control(w, 0, ask_all, all, sizeof all, 0);
}

void writer_event(struct pcap_writer *w, const struct event *e)
{
	static const uint8_t clear[] = { 2, 1, 0, 0, IN, 0, 0, 0 };
	static const struct {
		enum event_kind kind;
		int status;
	} failures[] = { { EVENT_TIMEOUT, -ENOENT },
			 { EVENT_STALL, -EPIPE },
			 { EVENT_ERROR, -EPROTO },
			 { EVENT_GONE, -ESHUTDOWN } };

	if (e->kind == EVENT_OUT || e->kind == EVENT_IN)
		put_message(w, e, e->kind == EVENT_OUT ? OUT : IN, URB_BULK);
	else if (e->kind == EVENT_INT)
		put_message(w, e, INTERRUPT, URB_INTERRUPT);
	else if (e->kind == EVENT_CLEAR_HALT)
		put_control(w, e->us, clear, NULL, 0, 0);
	else if (e->kind == EVENT_CONTROL)
		put_control(w, e->us, e->bytes, e->bytes + 8, e->len - 8, 0);
	for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
		if (failures[i].kind == e->kind)
			put_transfer(w, (struct record){ .us = e->us,
							 .endpoint = IN,
							 .transfer = URB_BULK,
							 .status = failures[i].status });
}
