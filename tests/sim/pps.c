/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pps.h"

enum { NO_SPEED = 0xFF };
enum { PPSS = 0xFF, PPS0_T = 0x0F, PPS0_PPS1 = 0x10, PPS0_RFU = 0x80 };

size_t sim_pps_size(const uint8_t *bytes, size_t len)
{
	if (len < 2)
		return 0;
	return 3u + (bytes[1] >> 4 & 1) + (bytes[1] >> 5 & 1) + (bytes[1] >> 6 & 1);
}

/* Anything from the default up to what TA1 offers, in the column of its Fi. */
static bool speed_offered(const struct sim_atr *offers, uint8_t fidi)
{
	unsigned fi, di, most_fi, most_di;

	if (fidi == SIM_FIDI_DEFAULT)
		return true;
	return sim_fidi(fidi, &fi, &di) && sim_fidi(offers->ta1, &most_fi, &most_di) &&
	       fidi >> 4 == offers->ta1 >> 4 && di <= most_di;
}

static uint8_t xor_of(const uint8_t *bytes, size_t len)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum ^= bytes[i];
	return sum;
}

bool sim_pps_answer(const struct sim_atr *offers, enum sim_pps_mood mood, const uint8_t *request, size_t len,
		    struct sim_pps *out)
{
	struct sim_pps pps = { .fidi = SIM_FIDI_DEFAULT };

	if (len == 0 || len != sim_pps_size(request, len) || request[0] != PPSS || xor_of(request, len) != 0)
		return false;
	pps.protocol = request[1] & PPS0_T;
	if (mood == SIM_PPS_IGNORES || (request[1] & PPS0_RFU) || !(offers->protocols >> pps.protocol & 1))
		return false;
	pps.reply[pps.len++] = PPSS;
	pps.reply[pps.len++] = pps.protocol;
	if ((request[1] & PPS0_PPS1) && mood != SIM_PPS_DECLINES && speed_offered(offers, request[2])) {
		pps.fidi = request[2];
		pps.reply[1] |= PPS0_PPS1;
		pps.reply[pps.len++] = pps.fidi;
	}
	pps.reply[pps.len] = xor_of(pps.reply, pps.len);
	pps.len++;
	if (mood == SIM_PPS_LIES && pps.fidi == offers->ta1)
		pps.fidi = NO_SPEED;
	*out = pps;
	return true;
}
