/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Positions count bits, the first one is the highest of the first byte of data (CCID rev 1.1, 6.1.11.3 to 6.1.11.5). */
#include "pin_command.h"

#include <string.h>

enum { HEADER_LEN = 4, DATA_AT = 5, BCD = 1, ASCII = 2, RIGHT = 4, PADDING = 0xFF };

bool sim_pin_open(const struct secure *s)
{
	return s->template_len == HEADER_LEN ||
	       (s->template_len == HEADER_LEN + 1 && s->template[HEADER_LEN] == 0);
}

static bool completes(const struct secure *s, const struct pinpad_habits *h)
{
	if (!sim_pin_open(s))
		return true;
	if (s->template_len == HEADER_LEN)
		return h->lc != LC_WITH && (!h->wants_escape || s->announced);
	return h->lc != LC_WITHOUT;
}

static size_t bits_of(unsigned value, bool bytes)
{
	return bytes ? value * 8u : value;
}

/* The places of one PIN in its data, all in bits. */
struct places {
	size_t at, width, block; /* the PIN, one digit, the block that it stands in (0: as long as the PIN) */
	size_t length_at, length; /* the number of digits (0: there is none) */
	size_t pin, end;          /* as long as the PIN is; where the whole ends */
};

static struct places places_of(const struct secure *s, const char *digits)
{
	struct places p = {
		.at = bits_of(s->format >> 3 & 15, s->format & 0x80),
		.width = (s->format & 3) == BCD ? 4 : 8,
		.block = (s->block & 15) * 8u,
		.length_at = bits_of(s->length_format & 15, s->length_format & 0x10),
		.length = s->block >> 4,
	};

	p.pin = strlen(digits) * p.width;
	p.end = p.at + (p.block > p.pin ? p.block : p.pin);
	if (p.length && p.length_at + p.length > p.end)
		p.end = p.length_at + p.length;
	return p;
}

static void put_bits(uint8_t *data, size_t at, unsigned value, size_t width)
{
	for (size_t i = 0; i < width; i++, at++) {
		const uint8_t mask = (uint8_t)(0x80 >> at % 8);
		const bool set = value >> (width - 1 - i) & 1;

		data[at / 8] = (uint8_t)(set ? data[at / 8] | mask : data[at / 8] & ~mask);
	}
}

/* Around the digits stays what the template has there. @room counts bytes; sim_pin_fits() was asked before. */
static void insert(const struct secure *s, const char *digits, uint8_t *data, size_t room)
{
	const struct places p = places_of(s, digits);
	const size_t block_end = p.at + p.block < room * 8 ? p.at + p.block : room * 8;
	size_t at = (s->format & RIGHT) && p.block ? block_end - p.pin : p.at;

	for (const char *d = digits; *d; d++, at += p.width)
		put_bits(data, at, (s->format & 3) == ASCII ? (unsigned)*d : (unsigned)(*d - '0'), p.width);
	if (p.length)
		put_bits(data, p.length_at, (unsigned)strlen(digits), p.length);
}

/* Bytes from the first one of this PIN to the end of the data. */
static size_t room_of(const struct secure *s, bool new)
{
	const size_t lc = s->template[HEADER_LEN];
	const size_t offset = s->operation == SECURE_MODIFY ? s->offset[new] : 0;

	return offset < lc ? lc - offset : 0;
}

/* A block of eight that begins in the second byte of eight is common: only the PIN itself has to fit. */
bool sim_pin_fits(const struct secure *s, bool new, const char *digits)
{
	const struct places p = places_of(s, digits);
	const size_t room = sim_pin_open(s) ? p.end : room_of(s, new) * 8;

	if (p.block && p.pin > p.block)
		return false;
	return p.at + p.pin <= room && (!p.length || p.length_at + p.length <= room);
}

/* Without a template for the data it is as long as it has to be, and padded with ones. */
static void append(const struct secure *s, const char *digits, struct pin_command *out)
{
	const size_t len = (places_of(s, digits).end + 7) / 8;

	memset(out->bytes + out->len, PADDING, len);
	insert(s, digits, out->bytes + out->len, len);
	out->len += len;
}

void sim_pin_command(const struct secure *s, const struct pinpad_habits *habits, struct pin_command *out)
{
	const bool modify = s->operation == SECURE_MODIFY;
	const bool open = sim_pin_open(s);

	*out = (struct pin_command){ .len = s->template_len };
	memcpy(out->bytes, s->template, s->template_len);
	if (!completes(s, habits))
		return;
	if (open)
		out->len = DATA_AT;
	for (unsigned i = modify && !(s->confirm & CONFIRM_OLD) ? 1 : 0; i <= modify; i++) {
		if (open)
			append(s, s->pin[i], out);
		else
			insert(s, s->pin[i], out->bytes + DATA_AT + (modify ? s->offset[i] : 0),
			       room_of(s, i));
	}
	if (open)
		out->bytes[HEADER_LEN] = (uint8_t)(out->len - DATA_AT);
}
