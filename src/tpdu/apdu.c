/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpdu/apdu.h"

#include "base/bytes.h"

enum { HEADER_LEN = 4 };

/* Le of 0 asks for as much as its coding can express. */
static size_t short_ne(uint8_t le)
{
	return le ? le : 256;
}

static size_t extended_ne(size_t le)
{
	return le ? le : 65536;
}

static size_t be16(struct rd *r)
{
	const size_t high = rd_u8(r);

	return high << 8 | rd_u8(r);
}

/* After the header: first byte not 0, or the only one. */
static enum oc_err parse_short(struct rd r, uint8_t b5, struct apdu *a)
{
	if (r.left == 0) {
		a->kind = APDU_2S;
		a->ne = short_ne(b5);
		return OC_OK;
	}
	a->nc = b5;
	a->data = rd_bytes(&r, a->nc);
	if (r.overrun || r.left > 1)
		return OC_E_APDU;
	a->kind = r.left ? APDU_4S : APDU_3S;
	a->ne = r.left ? short_ne(rd_u8(&r)) : 0;
	return OC_OK;
}

/* After the header and 00h: two bytes of Lc or Le follow. */
static enum oc_err parse_extended(struct rd r, struct apdu *a)
{
	const size_t first = be16(&r);

	if (r.overrun)
		return OC_E_APDU;
	if (r.left == 0) {
		a->kind = APDU_2E;
		a->ne = extended_ne(first);
		return OC_OK;
	}
	if (first == 0)
		return OC_E_APDU;
	a->nc = first;
	a->data = rd_bytes(&r, a->nc);
	if (r.overrun || (r.left != 0 && r.left != 2))
		return OC_E_APDU;
	a->kind = r.left ? APDU_4E : APDU_3E;
	a->ne = r.left ? extended_ne(be16(&r)) : 0;
	return OC_OK;
}

enum oc_err apdu_parse(const uint8_t *bytes, size_t len, struct apdu *out)
{
	struct rd r = rd_of(bytes, len);
	const uint8_t *h = rd_bytes(&r, HEADER_LEN);
	uint8_t b5;

	if (!h)
		return OC_E_APDU;
	*out = (struct apdu){
		.bytes = bytes,
		.len = len,
		.kind = APDU_1,
		.cla = h[0],
		.ins = h[1],
		.p1 = h[2],
		.p2 = h[3],
	};
	if (r.left == 0)
		return OC_OK;
	b5 = rd_u8(&r);
	return b5 == 0 && r.left != 0 ? parse_extended(r, out) : parse_short(r, b5, out);
}

const char *apdu_case_name(enum apdu_case kind)
{
	static const char *const names[] = { "case 1",  "case 2S", "case 3S", "case 4S",
					     "case 2E", "case 3E", "case 4E" };

	return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : "no case";
}
