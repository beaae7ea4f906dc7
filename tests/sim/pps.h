/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The card's half of PPS (ISO 7816-3, clause 9). */
#ifndef OPENCCID_SIM_PPS_H
#define OPENCCID_SIM_PPS_H

#include "atr.h"
#include "card.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_PPS_MAX = 6 };

struct sim_pps {
	uint8_t protocol, fidi; /* what both sides use from now on */
	uint8_t reply[SIM_PPS_MAX];
	size_t len;
};

/* How long a PPS is that begins with these bytes; 0: it takes one more byte to know. */
size_t sim_pps_size(const uint8_t *bytes, size_t len);

/**
 * sim_pps_answer - what a card with this ATR says to a complete PPS request
 *
 * A protocol that the ATR does not offer, or a wrong PCK, gets no answer: false. A speed beyond TA1 is left out of the
 * answer (9.3), and the default is in force.
 */
bool sim_pps_answer(const struct sim_atr *offers, enum sim_pps_mood mood, const uint8_t *request, size_t len,
		    struct sim_pps *out);

#endif
