/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last commands that a card got, byte for byte. PINs are among them: these are the PINs of tests. */
#ifndef OPENCCID_SIM_CARD_LOG_H
#define OPENCCID_SIM_CARD_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CARD_LOG_COMMANDS = 32, CARD_LOG_BYTES = 262 };

struct card_log {
	unsigned count; /* since the last clear; the last 32 are kept */
	struct {
		size_t len;  /* as it came; bytes beyond 262 are not kept */
		uint16_t sw; /* 0: no answer yet */
		uint8_t bytes[CARD_LOG_BYTES];
	} entry[CARD_LOG_COMMANDS];
};

void card_log_add(struct card_log *log, const uint8_t *bytes, size_t len);
/* What the card said to the last one. */
void card_log_answer(struct card_log *log, uint16_t sw);
void card_log_clear(struct card_log *log);
/* One per line, oldest first: "0020000104 31323334 -> 9000", without the blank inside; "..." behind what was cut. */
void card_log_print(const struct card_log *log, FILE *to);

#endif
