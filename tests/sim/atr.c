/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "atr.h"

#include "base/bytes.h"

static void interface_byte(struct sim_atr *a, unsigned group, unsigned which, uint8_t t, uint8_t value)
{
	if (group == 1 && which == 0)
		a->ta1 = value;
	else if (group == 1 && which == 2)
		a->guard = value;
	else if (group == 2 && which == 0)
		a->specific = true;
	else if (group == 2 && which == 2)
		a->wi = value;
	else if (group > 2 && t == 1 && which == 0)
		a->ifsc = value;
	else if (group > 2 && t == 1 && which == 1)
		a->bwi_cwi = value;
	else if (group > 2 && t == 1 && which == 2)
		a->crc = value & 1;
}

static void protocol(struct sim_atr *a, unsigned group, uint8_t t)
{
	if (t == 15)
		return;
	if (group == 1)
		a->first = t;
	a->protocols |= 1u << t;
}

void sim_atr_parse(const uint8_t *atr, size_t len, struct sim_atr *out)
{
	struct sim_atr a = { .ta1 = 0x11, .wi = 10, .bwi_cwi = 0x4D, .ifsc = 32 };
	struct rd r = rd_of(atr, len);
	const uint8_t ts = rd_u8(&r), t0 = rd_u8(&r);
	uint8_t next = t0 & 0xF0, t = 0, check = 0;
	bool tck = false;

	for (unsigned group = 1; next && !r.overrun && group < 33; group++) {
		uint8_t present = next;

		next = 0;
		for (unsigned which = 0; which < 3; which++)
			if (present & 0x10u << which)
				interface_byte(&a, group, which, t, rd_u8(&r));
		if (present & 0x80) {
			next = rd_u8(&r);
			t = next & 0x0F;
			next &= 0xF0;
			tck = tck || t != 0;
			protocol(&a, group, t);
		}
	}
	if (a.protocols == 0)
		a.protocols = 1;
	rd_bytes(&r, t0 & 0x0F);
	if (tck)
		rd_u8(&r);
	for (size_t i = 1; i < len; i++)
		check ^= atr[i];
	a.valid = (ts == 0x3B || ts == 0x3F) && !r.overrun && r.left == 0 && (!tck || check == 0);
	*out = a;
}

bool sim_fidi(uint8_t fidi, unsigned *fi, unsigned *di)
{
	static const uint16_t fis[16] = { 372, 372, 558, 744,  1116, 1488, 1860, 0,
					  0,   512, 768, 1024, 1536, 2048, 0,    0 };
	static const uint8_t dis[16] = { 0, 1, 2, 4, 8, 16, 32, 64, 12, 20 };

	*fi = fis[fidi >> 4];
	*di = dis[fidi & 15];
	return *fi && *di;
}
