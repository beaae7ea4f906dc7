/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What real pinpads insist on, as their users have found out. A reader that is not listed does what CCID says. */
#ifndef OPENCCID_SIM_PINPADS_H
#define OPENCCID_SIM_PINPADS_H

#include "identity.h"

#include <stdbool.h>
#include <stdint.h>

enum { ANY_MESSAGES = -1 };

enum template_lc {
	LC_EITHER,  /* completes a bare header, and one with an Lc of 00 */
	LC_WITHOUT, /* completes CLA INS P1 P2 alone; with an Lc the command goes as it is */
	LC_WITH,    /* completes a header with an Lc of 00; without one it goes as it is */
};

struct pinpad_habits {
	uint16_t vid, pid;
	uint16_t firmware;                    /* this bcdDevice alone; 0: all */
	int verify_messages, modify_messages; /* the one bNumberMessage that is taken */
	uint8_t conditions;                   /* bits of bEntryValidationCondition that are taken; 0: all */
	uint8_t min, max;                     /* digits that may be asked for; max 0: any */
	bool three_indexes;                   /* bMsgIndex2 and 3 are there, whatever bNumberMessage says */
	bool wants_escape;                    /* 80 02 00 has to come right before a bare header */
	bool plain_block;           /* bmPINBlockString and bmPINLengthFormat 00 with a bare header */
	bool fixed_only;            /* cannot complete anything */
	bool swaps_limits;          /* takes the maximum for the minimum, and the other way round */
	bool extends_per_key;       /* a time extension for each digit */
	bool dies_of_bad_condition; /* falls silent for good */
	bool loses_card;            /* says 64 00, and has no ear for the card until it is powered anew */
	enum template_lc lc;
	unsigned timeout_s; /* where bTimeOut is 0 */
	unsigned quiet_ms;  /* an entry that begins sooner after the last answer is cancelled */
};

/* Never NULL. */
const struct pinpad_habits *pinpad_habits_of(const struct sim_identity *identity);

#endif
