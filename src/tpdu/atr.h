/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The answer to reset: every interface byte, and what follows from them (ISO/IEC 7816-3:2006, 8). Pure. */
#ifndef OPENCCID_TPDU_ATR_H
#define OPENCCID_TPDU_ATR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ATR_MAX = 33, ATR_MAX_GROUPS = 32 };

/* One group TAi TBi TCi TDi */
struct atr_group {
	uint8_t t; /* the protocol the group belongs to: T of TD(i-1); the first two are global but for TC2 */
	bool has_ta, has_tb, has_tc, has_td;
	uint8_t ta, tb, tc, td;
};

struct atr {
	bool inverse; /* TS 3Fh */
	struct atr_group group[ATR_MAX_GROUPS];
	unsigned groups;
	const uint8_t *historical; /* inside the bytes that were decoded */
	size_t historical_len;
	size_t len; /* bytes of the ATR itself; what was given may have been longer */
	bool has_tck, tck_ok;

	/* What follows, with the defaults of table 6 where a byte is absent */
	uint16_t protocols;     /* bit n: T=n is offered */
	uint8_t first_protocol; /* of TD1; 0 without */
	bool specific;          /* TA2 is there: specific mode, no PPS */
	uint8_t specific_protocol;
	bool specific_implicit;   /* TA2 bit 5: Fi and Di are not those of TA1 */
	bool specific_changeable; /* TA2 bit 8 clear: a warm reset may lead to negotiable mode */
	uint8_t fi_di;            /* TA1; 11h */
	uint8_t guard_time;       /* N of TC1; 0 */
	uint8_t wi;               /* TC2; 10, never 0 */
	uint8_t ifsc;             /* 1..254; 32 */
	uint8_t bwi, cwi;         /* 4 and 13; bwi at most 9 */
	bool crc;
	uint8_t clock_stop; /* as bClockStop of the parameters: 00 no, 01 low, 02 high, 03 either */
	uint8_t classes;    /* bit 0 A (5 V), bit 1 B (3 V), bit 2 C (1.8 V); 0 if the card does not say */
};

/**
 * atr_decode - read an answer to reset
 * @bytes, @len: as the reader handed it over
 * @out: written only on OC_OK; out->historical points into @bytes
 *
 * A wrong or missing TCK is noted, not refused: such cards exist, and the reader has checked already. Bytes behind the
 * end are left alone. Values that are reserved become the nearest legal ones.
 * Returns OC_E_ATR unless TS is 3Bh or 3Fh, where the bytes end too early, and for an ATR that does not end within 33 bytes.
 * @len may be larger: out->len tells where the ATR itself ends.
 */
enum oc_err atr_decode(const uint8_t *bytes, size_t len, struct atr *out);

/* Fi and Di of an index byte coded as TA1 (tables 7 and 8); false for the reserved ones. */
bool atr_fi_di(uint8_t ta1, unsigned *fi, unsigned *di);

/* The data rate in bps at this clock; 0 for reserved indexes. */
uint32_t atr_rate(uint8_t ta1, uint32_t clock_khz);

#endif
