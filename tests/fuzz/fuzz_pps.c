/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a hostile card answers to PPS. Accepted is only what was asked for, or less; the request itself always is. */
#include "fuzz.h"

#include "base/bytes.h"
#include "tpdu/pps.h"

enum { DEFAULT = 0x11 };

static void check_request(const struct pps *pps)
{
	uint8_t request[PPS_MAX], fi_di = 0;
	const size_t len = pps_put_request(request, pps);
	uint8_t check = 0;

	FUZZ_ASSERT(len >= 3 && len <= PPS_MAX);
	for (size_t i = 0; i < len; i++)
		check ^= request[i];
	FUZZ_ASSERT(check == 0);
	FUZZ_ASSERT(pps_check_response(pps, request, len, &fi_di) == OC_OK && fi_di == pps->fi_di);
	FUZZ_ASSERT(pps_check_response(pps, request, len - 1, &fi_di) == OC_E_PROTOCOL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_of(data, size);
	const uint8_t flags = rd_u8(&r);
	const struct pps pps = {
		.protocol = flags & 15,
		.has_pps2 = flags & 16,
		.has_pps3 = flags & 32,
		.fi_di = rd_u8(&r),
		.pps2 = rd_u8(&r),
		.pps3 = rd_u8(&r),
	};
	uint8_t fi_di = 0xA5;
	enum oc_err err;

	if (r.overrun)
		return 0;
	check_request(&pps);
	err = pps_check_response(&pps, r.at, r.left, &fi_di);
	FUZZ_ASSERT(err == OC_OK || err == OC_E_PROTOCOL);
	if (err != OC_OK) {
		FUZZ_ASSERT(fi_di == 0xA5);
		return 0;
	}
	FUZZ_ASSERT(fi_di == pps.fi_di || fi_di == DEFAULT);
	FUZZ_ASSERT(r.left >= 3 && r.left <= PPS_MAX && (r.at[1] & 15) == pps.protocol);
	return 0;
}
