/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bounded cursors: the only way the driver takes bytes from a device or builds bytes for one. */
#ifndef OPENCCID_BASE_BYTES_H
#define OPENCCID_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Reads: an overrun sticks, yields zeros, and is checked once at the end. */
struct rd {
	const uint8_t *at;
	size_t left;
	bool overrun;
};

static inline struct rd rd_of(const void *bytes, size_t len)
{
	return (struct rd){ .at = bytes, .left = len };
}

/* The next n bytes, or NULL after an overrun. */
static inline const uint8_t *rd_bytes(struct rd *r, size_t n)
{
	const uint8_t *at = r->at;

	if (r->overrun || n > r->left) {
		r->overrun = true;
		return NULL;
	}
	r->at = n ? at + n : at;
	r->left -= n;
	return at;
}

static inline uint8_t rd_u8(struct rd *r)
{
	const uint8_t *b = rd_bytes(r, 1);

	return b ? b[0] : 0;
}

static inline uint16_t rd_le16(struct rd *r)
{
	const uint8_t *b = rd_bytes(r, 2);

	return b ? (uint16_t)((unsigned)b[0] | (unsigned)b[1] << 8) : 0;
}

/* Four bytes that were read already */
static inline uint32_t le32(const uint8_t b[4])
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint32_t rd_le32(struct rd *r)
{
	const uint8_t *b = rd_bytes(r, 4);

	return b ? le32(b) : 0;
}

/* Writes: an overrun sticks, writes nothing more, and is checked once at the end. */
struct wr {
	uint8_t *at;
	size_t left;
	bool overrun;
};

static inline struct wr wr_of(void *bytes, size_t cap)
{
	return (struct wr){ .at = bytes, .left = cap };
}

static inline void wr_bytes(struct wr *w, const void *bytes, size_t n)
{
	if (w->overrun || n > w->left) {
		w->overrun = true;
		return;
	}
	if (n == 0)
		return;
	memcpy(w->at, bytes, n);
	w->at += n;
	w->left -= n;
}

static inline void wr_u8(struct wr *w, uint8_t value)
{
	wr_bytes(w, &value, 1);
}

static inline void wr_le16(struct wr *w, uint16_t value)
{
	const uint8_t b[2] = { (uint8_t)value, (uint8_t)(value >> 8) };

	wr_bytes(w, b, sizeof b);
}

static inline void wr_le32(struct wr *w, uint32_t value)
{
	const uint8_t b[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
			       (uint8_t)(value >> 24) };

	wr_bytes(w, b, sizeof b);
}

/* Host order: a field of a structure of C that an application lays over what it gets. Never for a device. */
static inline void wr_host16(struct wr *w, uint16_t value)
{
	wr_bytes(w, &value, sizeof value);
}

/* Overwrite bytes that may have held a PIN; the compiler must not drop it. */
static inline void bytes_wipe(void *bytes, size_t len)
{
	explicit_bzero(bytes, len);
}

#endif
