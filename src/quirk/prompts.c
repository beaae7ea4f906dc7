/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quirk/prompts.h"

#include "base/bytes.h"

enum { PROMPTS = 10, WIDTH = 16 };

size_t prompts_put(uint8_t *out, size_t cap)
{
	static const uint8_t head[] = { 0xB2, 0xA0, 0x00, 0x4D, 0x4C };
	struct wr w = wr_of(out, cap);

	wr_bytes(&w, head, sizeof head);
	for (size_t i = 0; i < PROMPTS * WIDTH; i++)
		wr_u8(&w, ' ');
	return w.overrun ? 0 : cap - w.left;
}
