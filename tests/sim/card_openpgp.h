/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An OpenPGP card of version 3.4 that holds no keys: what programs ask when they look at such a card, and everything
 * about its PINs. It has neither command chaining nor extended lengths, and says so. It writes down what it got of PINs.
 */
#ifndef OPENCCID_SIM_CARD_OPENPGP_H
#define OPENCCID_SIM_CARD_OPENPGP_H

#include "card_t1.h"

#include <stdio.h>

enum {
	OPENPGP_PIN_MAX = 32,
	OPENPGP_AID = 16,
	OPENPGP_HISTORY = 10,
	OPENPGP_DATA_MAX = 256,
};

struct openpgp_pin {
	uint8_t value[OPENPGP_PIN_MAX];
	size_t len, min;
	unsigned tries;
};

enum openpgp_password { OPENPGP_PW1, OPENPGP_PW3, OPENPGP_PINS };

struct openpgp {
	struct card_log log; /* of commands about PINs */
	/* kept over a reset */
	struct openpgp_pin pin[OPENPGP_PINS];
	uint32_t random;
	/* lost by a reset */
	bool selected;
	bool verified[3]; /* P2 81, 82, 83 */
	uint8_t out[OPENPGP_DATA_MAX + 2];
};

extern const uint8_t openpgp_aid[OPENPGP_AID];
extern const uint8_t openpgp_history[OPENPGP_HISTORY];

/* The data object of this tag into @out; its length, or -1 where the card has none. */
int openpgp_object(const struct openpgp *card, unsigned tag, uint8_t out[OPENPGP_DATA_MAX]);

void openpgp_init(struct openpgp *card);
/* The contacts were reset; arg is a struct openpgp. */
void openpgp_reset(void *arg);
/* A sim_t1_run; arg is a struct openpgp. */
void openpgp_run(void *arg, const uint8_t *apdu, size_t len, struct sim_t1_answer *answer);

/* An ATR with the interface bytes of @what and the historical bytes of this card. Returns its length. */
size_t sim_openpgp_build_atr(const struct sim_t1_atr *what, uint8_t atr[SIM_ATR_MAX]);

/* NULL when memory is out. */
struct sim_card *sim_card_openpgp_new(const uint8_t *atr, size_t len, const struct sim_t1_options *options,
				      unsigned supplies);

#endif
