/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which speeds a card and a reader may try, fastest first, and what worked before. Pure. */
#ifndef OPENCCID_SLOT_SPEED_H
#define OPENCCID_SLOT_SPEED_H

#include "ccid/descriptor.h"
#include "tpdu/atr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SPEED_DEFAULT = 0x11, /* Fi 372, Di 1: what every card speaks after a reset */
	SPEED_TRIES = 3,      /* the fastest, the next lower one, the default */
	SPEED_MEMORY = 8,
	DATA_RATES_MAX = 255,
};

/* The reader's answer to GET_DATA_RATES (CCID rev 1.1, 5.3.3) */
struct data_rates {
	bool asked;
	unsigned count; /* 0: no usable list, every rate up to the fastest will do */
	uint32_t bps[DATA_RATES_MAX];
};

/* Speeds that failed, for each card that was in this slot */
struct speed_memory {
	struct {
		uint8_t atr[ATR_MAX];
		size_t len;
		uint8_t fi_di; /* the fastest that is worth trying */
	} entry[SPEED_MEMORY];
	unsigned next;
};

/**
 * speed_plan - what to try, fastest first
 * @remembered: the fastest that is worth trying, or 0 if nothing is known
 * @plan: at least SPEED_TRIES entries, coded as TA1; the last one is always the default
 *
 * Candidates are TA1 and the lower Di with the same Fi, where the rate is above the default's, not above the reader's
 * fastest, and in its list if it has one. Returns how many there are.
 */
unsigned speed_plan(const struct ccid_caps *caps, const struct data_rates *rates, uint8_t ta1,
		    uint8_t remembered, uint8_t plan[SPEED_TRIES]);

/* Can the reader do this rate? */
bool speed_possible(const struct ccid_caps *caps, const struct data_rates *rates, uint8_t fi_di);

/* Parse what GET_DATA_RATES brought; anything odd makes it "no usable list". */
void speed_take_rates(struct data_rates *rates, const uint8_t *bytes, size_t len);

uint8_t speed_recall(const struct speed_memory *memory, const uint8_t *atr, size_t len);
void speed_remember(struct speed_memory *memory, const uint8_t *atr, size_t len, uint8_t fi_di);

#endif
