/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A simulated card, seen from its contacts: it is reset, it takes characters, it gives characters or stays silent.
 * The transmission is the reader's business, so a reader model cannot cheat.
 */
#ifndef OPENCCID_SIM_CARD_H
#define OPENCCID_SIM_CARD_H

#include "card_log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SIM_ATR_MAX = 33,
	SIM_FIDI_DEFAULT = 0x11, /* 372/1, what every card speaks after a reset */
};

/* Supply classes, bits as in bVoltageSupport. */
enum { SIM_5V = 1, SIM_3V = 2, SIM_1V8 = 4 };

struct sim_card;

struct sim_card_ops {
	/* Reset; the ATR is then waiting in recv(). A warm reset keeps the supply. A card of another class stays mute. */
	void (*reset)(struct sim_card *card, unsigned supply, bool warm);
	/* The contacts lose power. */
	void (*off)(struct sim_card *card);
	/* Characters for the card at the line speed fidi (coded as TA1; 0 = a speed that no card understands). */
	void (*send)(struct sim_card *card, uint8_t fidi, const uint8_t *bytes, size_t len);
	/* The next character and how long the card took for it; false: nothing comes. */
	bool (*recv)(struct sim_card *card, uint8_t fidi, uint8_t *byte, unsigned *delay_ms);
	void (*free)(struct sim_card *card);
};

/* How the card takes a PPS. */
enum sim_pps_mood {
	SIM_PPS_OBEYS,
	SIM_PPS_DECLINES, /* answers without PPS1: the speed stays as it is */
	SIM_PPS_IGNORES,  /* no answer, and none to anything else until the next reset */
	SIM_PPS_LIES,     /* agrees to TA1, and is not understood at that speed */
};

struct sim_card {
	const struct sim_card_ops *ops;
	struct card_log *log; /* of this card; NULL: it keeps none */
	enum sim_pps_mood pps;
	bool garbled; /* what recv() gave since the last send() had a parity error */
};

/* The ATR that a card has when nobody asks for another one: T=0, historical bytes "OCID1". */
extern const uint8_t sim_default_atr[9];

/**
 * sim_card_t0_new - a T=0 card with a small file system; see README.md for its commands
 * @atr, @len: its ATR; NULL for the default one. Copied, cut at 33 bytes.
 * @supplies: classes it answers at (SIM_5V | ...)
 *
 * NULL when memory is out. The card belongs to the caller until it is put into a reader.
 */
struct sim_card *sim_card_t0_new(const uint8_t *atr, size_t len, unsigned supplies);

void sim_card_free(struct sim_card *card);

#endif
