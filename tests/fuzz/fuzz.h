/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fuzz harnesses share. Each is a function for libFuzzer and AFL++; main.c plays files to it instead. */
#ifndef OPENCCID_TESTS_FUZZ_H
#define OPENCCID_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Holds whatever comes in; also in builds without assert(). */
#define FUZZ_ASSERT(cond)                                                                         \
	do {                                                                                      \
		if (!(cond)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                                  \
		}                                                                                 \
	} while (0)

/* Memory of exactly this size, so that a byte too far is noticed. Never NULL; free() it. */
static inline uint8_t *fuzz_room(size_t len)
{
	uint8_t *room = calloc(1, len ? len : 1);

	FUZZ_ASSERT(room);
	return room;
}

/* The same with a copy of these bytes. */
static inline uint8_t *fuzz_copy(const void *bytes, size_t len)
{
	uint8_t *copy = fuzz_room(len);

	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

#endif
