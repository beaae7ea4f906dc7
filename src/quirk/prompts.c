/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quirk/prompts.h"

#include "base/bytes.h"

enum { WIDTH = 16 };

/* In the order in which the reader keeps them; the star of the seventh becomes a number. */
static const char prompts[][WIDTH + 1] = {
	"Enter PIN       ", "New PIN         ", "Confirm PIN     ", "PIN correct     ", "Wrong PIN!      ",
	"Time-out        ", "* retries left  ", "Insert card     ", "Card error      ", "PIN blocked     ",
};

size_t prompts_put(uint8_t *out, size_t cap)
{
	static const uint8_t head[] = { 0xB2, 0xA0, 0x00, 0x4D, 0x4C };
	struct wr w = wr_of(out, cap);

	wr_bytes(&w, head, sizeof head);
	for (size_t i = 0; i < sizeof prompts / sizeof prompts[0]; i++)
		wr_bytes(&w, prompts[i], WIDTH);
	return w.overrun ? 0 : cap - w.left;
}
