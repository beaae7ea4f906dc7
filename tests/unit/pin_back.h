/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way back: from what PC_to_RDR_Secure says to the structure of PC/SC part 10 that an application would write for it. */
#ifndef OPENCCID_TESTS_PIN_BACK_H
#define OPENCCID_TESTS_PIN_BACK_H

#include "base/bytes.h"
#include "ccid/pin.h"

enum { PIN_BACK_MAX = PIN_MODIFY_FIXED + PIN_TEMPLATE_MAX };

/* How to read and write it: what cannot be seen in the bytes. */
struct pin_back {
	unsigned indexes; /* bMsgIndex on the wire */
	bool swapped;     /* minimum and maximum have changed places there */
	bool big_endian;  /* for the structure */
};

static inline void pin_back_number(struct wr *w, uint32_t value, unsigned len, bool big_endian)
{
	for (unsigned i = 0; i < len; i++)
		wr_u8(w, (uint8_t)(value >> 8 * (big_endian ? len - 1 - i : i)));
}

static inline void pin_back_copy(struct wr *w, struct rd *r, unsigned len)
{
	while (len--)
		wr_u8(w, rd_u8(r));
}

/* Indexes that are not on the wire are 0. */
static inline void pin_back_indexes(struct wr *w, struct rd *r, unsigned there, unsigned wanted)
{
	pin_back_copy(w, r, there);
	for (; there < wanted; there++)
		wr_u8(w, 0);
}

/* @wire: payload of PC_to_RDR_Secure. Returns the length of the structure, or 0 for bytes that are none. */
static inline size_t pin_back(const struct pin_back *how, const uint8_t *wire, size_t len,
			      uint8_t out[PIN_BACK_MAX])
{
	struct rd r = rd_of(wire, len);
	struct wr w = wr_of(out, PIN_BACK_MAX);
	const bool modify = rd_u8(&r) == PIN_MODIFY;
	uint8_t first, second;

	pin_back_copy(&w, &r, 1);
	wr_u8(&w, 0); /* bTimerOut2 */
	pin_back_copy(&w, &r, modify ? 5 : 3);
	first = rd_u8(&r);
	second = rd_u8(&r);
	pin_back_number(&w, how->swapped ? (uint32_t)first << 8 | second : (uint32_t)second << 8 | first, 2,
			how->big_endian);
	pin_back_copy(&w, &r, modify ? 3 : 2);
	pin_back_number(&w, rd_le16(&r), 2, how->big_endian);
	pin_back_indexes(&w, &r, how->indexes, modify ? 3 : 1);
	pin_back_copy(&w, &r, 3);
	pin_back_number(&w, (uint32_t)r.left, 4, how->big_endian);
	pin_back_copy(&w, &r, (unsigned)r.left);
	return r.overrun || w.overrun ? 0 : PIN_BACK_MAX - w.left;
}

#endif
