/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card_log.h"

#include <string.h>

static size_t kept(size_t len)
{
	return len < CARD_LOG_BYTES ? len : CARD_LOG_BYTES;
}

void card_log_add(struct card_log *log, const uint8_t *bytes, size_t len)
{
	const unsigned at = log->count++ % CARD_LOG_COMMANDS;

	log->entry[at].len = len;
	log->entry[at].sw = 0;
	memcpy(log->entry[at].bytes, bytes, kept(len));
}

void card_log_answer(struct card_log *log, uint16_t sw)
{
	if (log->count)
		log->entry[(log->count - 1) % CARD_LOG_COMMANDS].sw = sw;
}

void card_log_clear(struct card_log *log)
{
	memset(log, 0, sizeof *log);
}

void card_log_print(const struct card_log *log, FILE *to)
{
	unsigned i = log->count > CARD_LOG_COMMANDS ? log->count - CARD_LOG_COMMANDS : 0;

	for (; i < log->count; i++) {
		const size_t len = log->entry[i % CARD_LOG_COMMANDS].len;
		const uint8_t *bytes = log->entry[i % CARD_LOG_COMMANDS].bytes;

		for (size_t n = 0; n < kept(len); n++)
			fprintf(to, "%02X", bytes[n]);
		fprintf(to, "%s", kept(len) < len ? "..." : "");
		if (log->entry[i % CARD_LOG_COMMANDS].sw)
			fprintf(to, " -> %04X", log->entry[i % CARD_LOG_COMMANDS].sw);
		fprintf(to, "\n");
	}
}
