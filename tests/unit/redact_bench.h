/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages for src/ccid/redact, made from what they carry. */
#ifndef OPENCCID_TESTS_REDACT_BENCH_H
#define OPENCCID_TESTS_REDACT_BENCH_H

#include "ccid/message.h"
#include "ccid/redact.h"
#include "check.h"

/* Commands that carry a secret, of every class but FFh. */
static const uint8_t secret_ins[] = { 0x01, 0x02, 0x03, 0x20, 0x21, 0x24, 0x25, 0x26, 0x27, 0x28,
				      0x29, 0x2C, 0x2D, 0x2E, 0x2F, 0x32, 0x40, 0x42, 0x44, 0x46,
				      0x47, 0xD4, 0xD8, 0xDA, 0xDB, 0xE2, 0xE3, 0xF4, 0xFE, 0xFF };

/* Returns how many bytes of the payload are shown. The message stands in a block of exactly its size. */
static inline size_t show(struct redact *r, uint8_t type, uint8_t seq, const uint8_t specific[3],
			  const uint8_t *payload, size_t len)
{
	uint8_t *msg = check_memory(CCID_HEADER_LEN + len);
	size_t shown;

	msg[0] = type;
	for (unsigned i = 0; i < 4; i++)
		msg[1 + i] = (uint8_t)(len >> 8 * i);
	msg[5] = 0;
	msg[6] = seq;
	memcpy(msg + 7, specific, 3);
	if (len)
		memcpy(msg + CCID_HEADER_LEN, payload, len);
	shown = redact_message(r, msg, CCID_HEADER_LEN + len);
	free(msg);
	return shown - CCID_HEADER_LEN;
}

#endif
