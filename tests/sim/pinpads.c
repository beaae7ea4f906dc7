/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pinpads.h"

#include <stddef.h>

/* Rows of one product: the one for a firmware comes first. */
static const struct pinpad_habits habits[] = {
	{ .vid = 0x04E6,
	  .pid = 0xE003,
	  .firmware = 0x0700,
	  .verify_messages = ANY_MESSAGES,
	  .modify_messages = 0,
	  .min = 1,
	  .max = 25,
	  .three_indexes = true,
	  .wants_escape = true,
	  .plain_block = true,
	  .loses_card = true,
	  .lc = LC_WITHOUT,
	  .timeout_s = 15 },
	{ .vid = 0x04E6,
	  .pid = 0xE003,
	  .verify_messages = ANY_MESSAGES,
	  .modify_messages = 0,
	  .min = 1,
	  .max = 25,
	  .three_indexes = true,
	  .wants_escape = true,
	  .plain_block = true,
	  .lc = LC_WITHOUT,
	  .timeout_s = 15 },
	{ .vid = 0x046A,
	  .pid = 0x003E,
	  .verify_messages = ANY_MESSAGES,
	  .modify_messages = 0,
	  .conditions = 2,
	  .min = 1,
	  .max = 25,
	  .three_indexes = true,
	  .extends_per_key = true,
	  .lc = LC_WITH,
	  .timeout_s = 15 },
	{ .vid = 0x046A,
	  .pid = 0x0010,
	  .verify_messages = ANY_MESSAGES,
	  .modify_messages = 3,
	  .max = 15,
	  .extends_per_key = true,
	  .dies_of_bad_condition = true,
	  .lc = LC_WITH,
	  .timeout_s = 30 },
	{ .vid = 0x08E6,
	  .pid = 0x3478,
	  .firmware = 0x0100,
	  .verify_messages = 1,
	  .modify_messages = ANY_MESSAGES,
	  .conditions = 2,
	  .min = 4,
	  .max = 8,
	  .three_indexes = true,
	  .fixed_only = true,
	  .timeout_s = 30 },
	{ .vid = 0x08E6,
	  .pid = 0x3478,
	  .verify_messages = 1,
	  .modify_messages = ANY_MESSAGES,
	  .conditions = 2,
	  .three_indexes = true,
	  .timeout_s = 30 },
	{ .vid = 0x413C,
	  .pid = 0x2101,
	  .verify_messages = 0,
	  .modify_messages = ANY_MESSAGES,
	  .quiet_ms = 250,
	  .timeout_s = 30 },
	{ .vid = 0x413C,
	  .pid = 0x2100,
	  .verify_messages = 0,
	  .modify_messages = ANY_MESSAGES,
	  .swaps_limits = true,
	  .quiet_ms = 250,
	  .timeout_s = 30 },
	{ .verify_messages = ANY_MESSAGES, .modify_messages = ANY_MESSAGES, .timeout_s = 30 },
};

const struct pinpad_habits *pinpad_habits_of(const struct sim_identity *identity)
{
	const struct sim_product product = sim_identity_habits(identity);
	const struct pinpad_habits *h = habits;

	for (; h->vid; h++)
		if (h->vid == product.vid && h->pid == product.pid &&
		    (!h->firmware || h->firmware == product.bcd))
			break;
	return h;
}
