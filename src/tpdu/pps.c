/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpdu/pps.h"

#include "base/bytes.h"

enum {
	PPSS = 0xFF,
	HAS_PPS1 = 0x10,
	HAS_PPS2 = 0x20,
	HAS_PPS3 = 0x40,
	RFU = 0x80,
	DEFAULT_FI_DI = 0x11,
};

size_t pps_put_request(uint8_t out[PPS_MAX], const struct pps *pps)
{
	const bool has_pps1 = pps->fi_di != DEFAULT_FI_DI;
	struct wr w = wr_of(out, PPS_MAX);
	uint8_t check = 0;
	size_t len;

	wr_u8(&w, PPSS);
	wr_u8(&w, (uint8_t)(pps->protocol | (has_pps1 ? HAS_PPS1 : 0) | (pps->has_pps2 ? HAS_PPS2 : 0) |
			    (pps->has_pps3 ? HAS_PPS3 : 0)));
	if (has_pps1)
		wr_u8(&w, pps->fi_di);
	if (pps->has_pps2)
		wr_u8(&w, pps->pps2);
	if (pps->has_pps3)
		wr_u8(&w, pps->pps3);
	len = PPS_MAX - w.left;
	for (size_t i = 0; i < len; i++)
		check ^= out[i];
	wr_u8(&w, check);
	return len + 1;
}

/* An optional byte is either echoed as it was asked for, or left out. */
static bool echoed(struct rd *r, bool there, bool asked, uint8_t wanted)
{
	return !there || (asked && rd_u8(r) == wanted);
}

enum oc_err pps_check_response(const struct pps *pps, const uint8_t *response, size_t len, uint8_t *fi_di)
{
	struct rd r = rd_of(response, len);
	const uint8_t ppss = rd_u8(&r), pps0 = rd_u8(&r);
	const bool fits = echoed(&r, pps0 & HAS_PPS1, pps->fi_di != DEFAULT_FI_DI, pps->fi_di) &&
			  echoed(&r, pps0 & HAS_PPS2, pps->has_pps2, pps->pps2) &&
			  echoed(&r, pps0 & HAS_PPS3, pps->has_pps3, pps->pps3);
	uint8_t check = 0;

	rd_u8(&r); /* PCK */
	if (!fits || r.overrun || r.left || ppss != PPSS || (pps0 & RFU) || (pps0 & 15) != pps->protocol)
		return OC_E_PROTOCOL;
	for (size_t i = 0; i < len; i++)
		check ^= response[i];
	if (check)
		return OC_E_PROTOCOL;
	*fi_di = pps0 & HAS_PPS1 ? pps->fi_di : DEFAULT_FI_DI;
	return OC_OK;
}
