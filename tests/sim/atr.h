/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The little that the simulated card and reader have to know of an ATR. Not the driver's decoder, on purpose. */
#ifndef OPENCCID_SIM_ATR_H
#define OPENCCID_SIM_ATR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_atr {
	bool valid;         /* length, TS and TCK are right */
	uint8_t ta1;        /* 11h if absent */
	bool specific;      /* TA2 is there: no PPS, TA1 applies at once */
	unsigned protocols; /* bit T for each T offered, T=15 left out */
	uint8_t first;      /* the protocol in force without PPS */
	uint8_t guard, wi;  /* TC1, TC2 */
	uint8_t bwi_cwi, ifsc;
	bool crc;
};

/* Fills out even of a malformed ATR, with what could be read before it broke (ISO 7816-3, 8.2). */
void sim_atr_parse(const uint8_t *atr, size_t len, struct sim_atr *out);

/* Fi/Di of an index byte as in TA1; false for values reserved by ISO 7816-3, tables 7 and 8. */
bool sim_fidi(uint8_t fidi, unsigned *fi, unsigned *di);

#endif
