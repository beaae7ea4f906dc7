/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "traffic/blocks.h"

#include "base/bytes.h"
#include "traffic/urb.h"

#include <stdlib.h>

enum {
	SECTION_HEADER = 0x0A0D0D0A,
	INTERFACE_DESCRIPTION = 1,
	PACKET = 2, /* what older programs wrote */
	SIMPLE_PACKET = 3,
	ENHANCED_PACKET = 6,

	LEAST = 12, /* a block: its type, its length, and its length again; a section header has its byte order there */
	HEAD_MAX = 24, /* as much of a block as is looked at: up to the length of a packet */
	NUMBERED = 8,  /* where the number of the interface stands in a packet */
	CAPTURED = 20, /* and how much of it was captured */
	LINK = 8,      /* in the description of an interface, */
	SNAP = 12,     /* with the longest packet; 0: any */
	ORIGINAL = 8,  /* in a simple packet: its length on the wire */
	INTERFACES_MAX = 65536,
};

static const uint8_t order_mark[] = { 0x4D, 0x3C, 0x2B, 0x1A };

const uint16_t blocks_links[3] = { LINK_USB_LINUX, LINK_USB_LINUX_MMAPPED, LINK_USBPCAP };

struct blocks {
	FILE *file;
	uint16_t link; /* the one that stays */
	bool big;      /* this section has its most significant bytes first */
	uint8_t head[HEAD_MAX];
	size_t len, at; /* of the head that is being handed out */
	uint64_t left;  /* bytes of the block behind it */

	uint8_t foreign[INTERFACES_MAX / 8]; /* a bit for each interface of this section */
	uint32_t interfaces, first_snap;
	struct blocks_kinds kinds;
};

/* ---- numbers in the byte order of the section -------------------------------------------------------------------- */

static uint32_t number_at(const struct blocks *b, size_t at, size_t n)
{
	uint32_t value = 0;

	for (size_t i = 0; i < n; i++)
		value |= (uint32_t)b->head[at + i] << 8 * (b->big ? n - 1 - i : i);
	return value;
}

static void put_at(struct blocks *b, size_t at, size_t n, uint32_t value)
{
	for (size_t i = 0; i < n; i++)
		b->head[at + i] = (uint8_t)(value >> 8 * (b->big ? n - 1 - i : i));
}

/* ---- one block --------------------------------------------------------------------------------------------------- */

static bool is_foreign(const struct blocks *b, uint32_t interface)
{
	return interface >= INTERFACES_MAX || b->foreign[interface / 8] >> interface % 8 & 1;
}

/* What nobody has is left out. */
static void add_interface(struct blocks *b, bool foreign)
{
	const uint32_t i = b->interfaces;

	if (i == INTERFACES_MAX)
		return;
	b->foreign[i / 8] = (uint8_t)((b->foreign[i / 8] & ~(1u << i % 8)) | (unsigned)foreign << i % 8);
	b->interfaces++;
}

static void note_kind(struct blocks_kinds *kinds, uint16_t link)
{
	for (size_t i = 0; i < sizeof blocks_links / sizeof blocks_links[0]; i++)
		if (blocks_links[i] == link) {
			kinds->usb |= 1u << i;
			return;
		}
	if (!kinds->others)
		kinds->other = link;
	kinds->others = true;
}

/* libpcap wants the same length for all interfaces, too. */
static void take_interface(struct blocks *b)
{
	const uint16_t link = (uint16_t)number_at(b, LINK, 2);

	if (b->len < SNAP + 4)
		return;
	note_kind(&b->kinds, link);
	if (b->interfaces == 0)
		b->first_snap = number_at(b, SNAP, 4);
	add_interface(b, link != b->link);
	put_at(b, LINK, 2, b->link);
	put_at(b, SNAP, 4, 0);
}

static void take_packet(struct blocks *b, size_t n)
{
	if (b->len == HEAD_MAX && is_foreign(b, number_at(b, NUMBERED, n)))
		put_at(b, CAPTURED, 4, 0);
}

/* It is of the first interface, whose longest packet says how much was captured. */
static void take_simple_packet(struct blocks *b)
{
	const uint32_t snap = b->first_snap;

	if (is_foreign(b, 0))
		put_at(b, ORIGINAL, 4, 0);
	else if (snap && number_at(b, ORIGINAL, 4) > snap)
		put_at(b, ORIGINAL, 4, snap);
}

static void begin_section(struct blocks *b)
{
	b->big = memcmp(b->head + NUMBERED, order_mark, sizeof order_mark) != 0;
	b->interfaces = b->first_snap = 0;
	memset(b->foreign, 0, sizeof b->foreign);
}

/* Read the head of the next block, and change it. What is no block goes to libpcap as it is, which says so. */
static void next_block(struct blocks *b)
{
	uint32_t type, len, head;

	b->at = 0;
	b->left = UINT64_MAX;
	b->len = fread(b->head, 1, LEAST, b->file);
	if (b->len < LEAST)
		return;
	type = number_at(b, 0, 4);
	if (type == SECTION_HEADER)
		begin_section(b);
	len = number_at(b, 4, 4);
	if (len < LEAST)
		return;
	head = len < HEAD_MAX ? len : HEAD_MAX;
	if (head > LEAST)
		b->len += fread(b->head + LEAST, 1, head - LEAST, b->file);
	b->left = len > b->len ? len - b->len : 0;
	if (type == INTERFACE_DESCRIPTION)
		take_interface(b);
	else if (type == PACKET)
		take_packet(b, 2);
	else if (type == ENHANCED_PACKET)
		take_packet(b, 4);
	else if (type == SIMPLE_PACKET)
		take_simple_packet(b);
}

/* ---- the stream -------------------------------------------------------------------------------------------------- */

static ssize_t read_blocks(void *cookie, char *to, size_t room)
{
	struct blocks *b = cookie;
	size_t n;

	if (b->at == b->len && b->left == 0)
		next_block(b);
	if (b->at < b->len) {
		n = b->len - b->at < room ? b->len - b->at : room;
		memcpy(to, b->head + b->at, n);
		b->at += n;
		return (ssize_t)n;
	}
	n = fread(to, 1, b->left < room ? (size_t)b->left : room, b->file);
	b->left -= n;
	return n == 0 && ferror(b->file) ? -1 : (ssize_t)n;
}

static int close_blocks(void *cookie)
{
	free(cookie);
	return 0;
}

FILE *blocks_open(FILE *file, uint16_t link)
{
	struct blocks *b = calloc(1, sizeof *b);
	FILE *stream = NULL;

	if (b) {
		b->file = file;
		b->link = link;
		rewind(file);
		stream = fopencookie(b, "r",
				     (cookie_io_functions_t){ .read = read_blocks, .close = close_blocks });
	}
	if (!stream)
		free(b);
	return stream;
}

bool blocks_fit(FILE *file)
{
	static const uint8_t mark[] = { 0x0A, 0x0D, 0x0D, 0x0A };
	uint8_t begins[sizeof mark];
	size_t n;

	rewind(file);
	n = fread(begins, 1, sizeof begins, file);
	rewind(file);
	return n == sizeof mark && memcmp(begins, mark, sizeof mark) == 0;
}

bool blocks_look(FILE *file, struct blocks_kinds *kinds)
{
	struct blocks *b = calloc(1, sizeof *b);
	char passed[4096];

	if (!b)
		return false;
	b->file = file;
	rewind(file);
	while (read_blocks(b, passed, sizeof passed) > 0)
		;
	*kinds = b->kinds;
	rewind(file);
	free(b);
	return true;
}
