/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slot/speed.h"

#include "base/bytes.h"

enum {
	TOLERANCE = 2, /* rounding of readers, bps */
	ABSURD_RATE = 20000000,
};

static bool listed(const struct data_rates *rates, uint32_t bps)
{
	for (unsigned i = 0; i < rates->count; i++)
		if (bps <= rates->bps[i] + TOLERANCE && rates->bps[i] <= bps + TOLERANCE)
			return true;
	return rates->count == 0;
}

bool speed_possible(const struct ccid_caps *caps, const struct data_rates *rates, uint8_t fi_di)
{
	const uint32_t bps = atr_rate(fi_di, caps->clock_khz);

	return bps && bps <= (uint64_t)caps->max_rate + TOLERANCE && listed(rates, bps);
}

unsigned speed_plan(const struct ccid_caps *caps, const struct data_rates *rates, uint8_t ta1,
		    uint8_t remembered, uint8_t plan[SPEED_TRIES])
{
	const uint32_t slowest = atr_rate(SPEED_DEFAULT, caps->clock_khz);
	const uint32_t offered =
		atr_rate(ta1, caps->clock_khz); /* 0 for reserved values: no candidate then */
	const uint32_t known = remembered ? atr_rate(remembered, caps->clock_khz) : offered;
	const uint32_t fastest = known < offered ? known : offered;
	unsigned n = 0;

	/* Lower Di have lower indexes, but for 8 and 9, which are 12 and 20: the rate decides. */
	for (uint8_t fi_di = ta1; (fi_di & 15) && n < SPEED_TRIES - 1; fi_di--) {
		const uint32_t bps = atr_rate(fi_di, caps->clock_khz);

		if (bps > slowest && bps <= fastest && speed_possible(caps, rates, fi_di) &&
		    (n == 0 || bps < atr_rate(plan[n - 1], caps->clock_khz)))
			plan[n++] = fi_di;
	}
	plan[n++] = SPEED_DEFAULT;
	return n;
}

void speed_take_rates(struct data_rates *rates, const uint8_t *bytes, size_t len)
{
	struct rd r = rd_of(bytes, len);

	rates->count = 0;
	if (len % 4 != 0)
		return;
	while (r.left && rates->count < DATA_RATES_MAX) {
		const uint32_t bps = rd_le32(&r);

		if (bps == 0 || bps > ABSURD_RATE) {
			rates->count = 0;
			return;
		}
		rates->bps[rates->count++] = bps;
	}
}

uint8_t speed_recall(const struct speed_memory *memory, const uint8_t *atr, size_t len)
{
	for (unsigned i = 0; i < SPEED_MEMORY; i++)
		if (len && memory->entry[i].len == len && memcmp(memory->entry[i].atr, atr, len) == 0)
			return memory->entry[i].fi_di;
	return 0;
}

void speed_remember(struct speed_memory *memory, const uint8_t *atr, size_t len, uint8_t fi_di)
{
	unsigned place = memory->next;

	for (unsigned i = 0; i < SPEED_MEMORY; i++)
		if (memory->entry[i].len == len && memcmp(memory->entry[i].atr, atr, len) == 0)
			place = i;
	if (place == memory->next)
		memory->next = (memory->next + 1) % SPEED_MEMORY;
	memcpy(memory->entry[place].atr, atr, len);
	memory->entry[place].len = len;
	memory->entry[place].fi_di = fi_di;
}
