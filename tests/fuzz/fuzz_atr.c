/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An answer to reset of a hostile card: every value has to be a legal one, the bytes have to be accounted for, and what is
 * computed from them has to end in a wait that is one.
 */
#include "fuzz.h"

#include "tpdu/atr.h"
#include "tpdu/timing.h"

static void check_values(const struct atr *a)
{
	FUZZ_ASSERT(a->protocols && a->first_protocol < 15);
	FUZZ_ASSERT(a->protocols & 1u << a->first_protocol || a->groups > 1);
	FUZZ_ASSERT(a->wi && a->ifsc >= 1 && a->ifsc <= 254);
	FUZZ_ASSERT(a->bwi <= 9 && a->cwi <= 15);
	FUZZ_ASSERT(a->clock_stop <= 3 && a->classes <= 7);
}

/* TS, T0, the interface bytes, the historical bytes, TCK: nothing else, and nothing twice. */
static void check_length(const struct atr *a, const uint8_t *bytes, size_t size)
{
	size_t len = 2 + a->historical_len;

	FUZZ_ASSERT(a->groups >= 1 && a->groups <= ATR_MAX_GROUPS);
	for (unsigned i = 0; i < a->groups; i++) {
		const struct atr_group *g = &a->group[i];

		len += (g->has_ta ? 1u : 0u) + (g->has_tb ? 1u : 0u) + (g->has_tc ? 1u : 0u) +
		       (g->has_td ? 1u : 0u);
	}
	FUZZ_ASSERT(a->len == len || (a->has_tck && a->len == len + 1));
	FUZZ_ASSERT(a->len <= size && a->len <= ATR_MAX);
	FUZZ_ASSERT(a->historical >= bytes && a->historical + a->historical_len <= bytes + a->len);
}

static void check_timing(const struct atr *a, uint32_t khz)
{
	const struct timing t = {
		.clock_khz = khz,
		.fi_di = a->fi_di,
		.guard_time = a->guard_time,
		.wi = a->wi,
		.bwi = a->bwi,
	};
	const struct waits w = waits_of(&t);
	const uint32_t longest = waits_t1_ms(&w, 518, 255);
	unsigned fi, di;

	FUZZ_ASSERT(w.wwt_ms > 0 && w.bwt_ms > 0);
	FUZZ_ASSERT(waits_t0_ms(&w, 262) >= waits_t0_ms(&w, 1));
	FUZZ_ASSERT(waits_t0_ms(&w, 262) >= w.wwt_ms);
	FUZZ_ASSERT(waits_t1_ms(&w, 518, 1) >= w.bwt_ms);
	FUZZ_ASSERT(longest == TIMING_LONGEST_MS || longest >= UINT64_C(255) * w.bwt_ms);
	FUZZ_ASSERT(atr_fi_di(a->fi_di, &fi, &di) || atr_rate(a->fi_di, khz) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct atr a;
	const enum oc_err err = atr_decode(data, size, &a);

	FUZZ_ASSERT(err == OC_OK || err == OC_E_ATR);
	if (err != OC_OK)
		return 0;
	check_values(&a);
	check_length(&a, data, size);
	check_timing(&a, 4000);
	/* A clock as low as a hostile descriptor can make it. */
	check_timing(&a, 1);
	return 0;
}
