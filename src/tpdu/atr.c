/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpdu/atr.h"

#include "base/bytes.h"

enum {
	TS_DIRECT = 0x3B,
	TS_INVERSE = 0x3F,
	DEFAULT_FI_DI = 0x11,
	DEFAULT_WI = 10,
	DEFAULT_IFSC = 32,
	MAX_IFSC = 254,
	DEFAULT_BWI = 4,
	MAX_BWI = 9,
	DEFAULT_CWI = 13,
};

bool atr_fi_di(uint8_t ta1, unsigned *fi, unsigned *di)
{
	static const uint16_t fi_table[16] = { 372, 372, 558, 744,  1116, 1488, 1860, 0,
					       0,   512, 768, 1024, 1536, 2048, 0,    0 };
	static const uint8_t di_table[16] = { 0, 1, 2, 4, 8, 16, 32, 64, 12, 20 };

	*fi = fi_table[ta1 >> 4];
	*di = di_table[ta1 & 15];
	return *fi && *di;
}

uint32_t atr_rate(uint8_t ta1, uint32_t clock_khz)
{
	unsigned fi, di;

	if (!atr_fi_di(ta1, &fi, &di))
		return 0;
	return (uint32_t)((uint64_t)clock_khz * 1000 * di / fi);
}

/* 8.2.3: Y in the high half of T0 or TDi says which bytes of the group follow. */
static void read_group(struct rd *r, uint8_t y, uint8_t t, struct atr_group *g)
{
	*g = (struct atr_group){
		.t = t,
		.has_ta = y & 0x10,
		.has_tb = y & 0x20,
		.has_tc = y & 0x40,
		.has_td = y & 0x80,
	};
	if (g->has_ta)
		g->ta = rd_u8(r);
	if (g->has_tb)
		g->tb = rd_u8(r);
	if (g->has_tc)
		g->tc = rd_u8(r);
	if (g->has_td)
		g->td = rd_u8(r);
}

static void read_groups(struct rd *r, uint8_t t0, struct atr *a)
{
	uint8_t y = t0, t = 0;

	do {
		struct atr_group *g = &a->group[a->groups];

		read_group(r, y, t, g);
		a->groups++;
		if (!g->has_td)
			return;
		y = g->td;
		t = g->td & 15;
	} while (!r->overrun && a->groups < ATR_MAX_GROUPS);
}

static void note_protocols(struct atr *a)
{
	for (unsigned i = 0; i < a->groups; i++)
		if (a->group[i].has_td) {
			const uint8_t t = a->group[i].td & 15;

			/* T=15 is no protocol: it marks global interface bytes. */
			if (t != 15)
				a->protocols |= (uint16_t)(1u << t);
			if (t != 0)
				a->has_tck = true;
		}
	a->first_protocol = a->group[0].has_td ? a->group[0].td & 15 : 0;
	if (a->first_protocol == 15)
		a->first_protocol = 0;
	if (!a->protocols)
		a->protocols = 1;
}

/* The first group that belongs to T=t and stands behind the two global ones. */
static const struct atr_group *first_group(const struct atr *a, uint8_t t)
{
	for (unsigned i = 2; i < a->groups; i++)
		if (a->group[i].t == t)
			return &a->group[i];
	return NULL;
}

static void note_global(struct atr *a)
{
	const struct atr_group *g1 = &a->group[0], *g2 = a->groups > 1 ? &a->group[1] : NULL;

	a->fi_di = g1->has_ta ? g1->ta : DEFAULT_FI_DI;
	a->guard_time = g1->has_tc ? g1->tc : 0;
	a->wi = g2 && g2->has_tc && g2->tc ? g2->tc : DEFAULT_WI;
	if (g2 && g2->has_ta) {
		a->specific = true;
		a->specific_protocol = g2->ta & 15;
		a->specific_implicit = g2->ta & 0x10;
		a->specific_changeable = !(g2->ta & 0x80);
	}
}

static void note_t1(struct atr *a)
{
	const struct atr_group *g = first_group(a, 1);

	a->ifsc = DEFAULT_IFSC;
	a->bwi = DEFAULT_BWI;
	a->cwi = DEFAULT_CWI;
	if (!g)
		return;
	if (g->has_ta && g->ta)
		a->ifsc = g->ta > MAX_IFSC ? MAX_IFSC : g->ta;
	if (g->has_tb) {
		a->bwi = g->tb >> 4 > MAX_BWI ? MAX_BWI : g->tb >> 4;
		a->cwi = g->tb & 15;
	}
	a->crc = g->has_tc && (g->tc & 1);
}

static void note_t15(struct atr *a)
{
	const struct atr_group *g = first_group(a, 15);

	if (!g || !g->has_ta)
		return;
	a->clock_stop = g->ta >> 6;
	a->classes = g->ta & 7;
}

enum oc_err atr_decode(const uint8_t *bytes, size_t len, struct atr *out)
{
	struct rd r = rd_of(bytes, len < ATR_MAX ? len : ATR_MAX);
	const uint8_t ts = rd_u8(&r), t0 = rd_u8(&r);
	struct atr a = { .inverse = ts == TS_INVERSE };
	uint8_t xor = 0;

	if (ts != TS_DIRECT && ts != TS_INVERSE)
		return OC_E_ATR;
	read_groups(&r, t0, &a);
	a.historical_len = t0 & 15;
	a.historical = rd_bytes(&r, a.historical_len);
	if (r.overrun)
		return OC_E_ATR;
	note_protocols(&a);
	note_global(&a);
	note_t1(&a);
	note_t15(&a);
	a.tck_ok = true;
	if (a.has_tck) {
		a.tck_ok = r.left != 0;
		rd_u8(&r);
	}
	a.len = (size_t)(r.at - bytes);
	for (size_t i = 1; i < a.len; i++)
		xor ^= bytes[i];
	if (a.has_tck && xor)
		a.tck_ok = false;
	*out = a;
	return OC_OK;
}
