/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A card in a few words, as a user names it: "t0", "t1,ifsc=32,crc", "dual,ta1=96", "openpgp", or the bytes of an ATR. */
#ifndef OPENCCID_SIM_CARD_SPEC_H
#define OPENCCID_SIM_CARD_SPEC_H

#include "card_openpgp.h"
#include "card_script.h"
#include "card_t1.h"

struct sim_card_spec {
	uint8_t atr[SIM_ATR_MAX];
	size_t atr_len; /* 0: the default T=0 card */
	struct sim_t1_options t1;
	enum sim_pps_mood pps;
	bool openpgp;              /* what the card can do: that of card_openpgp, at T=1 */
	struct sim_script *script; /* NULL: the card has a mind of its own; else borrowed */
};

/* NULL, or a sentence that says what is wrong; *out is then as before. */
const char *sim_card_spec_parse(const char *text, struct sim_card_spec *out);

/* NULL when memory is out. */
struct sim_card *sim_card_make(const struct sim_card_spec *spec, unsigned supplies);

#endif
