/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the unit tests share: checks that name the row they belong to and go on, so that one run shows every row that
 * fails. A test ends with check_done(), which fails it if any check did.
 */
#ifndef OPENCCID_TESTS_CHECK_H
#define OPENCCID_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BYTES(...)   (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { CHECK_SHOWN = 20 }; /* failures that are printed per test; the others are counted */

static unsigned check_failures;

/* A test that forgets check_done() must not pass for it. */
__attribute__((destructor)) static void check_nothing_left(void)
{
	if (!check_failures)
		return;
	fprintf(stderr, "%u checks failed, and the test did not ask: check_done() is missing\n",
		check_failures);
	_exit(1);
}

static inline bool check_failed(const char *file, int line, const char *row)
{
	if (++check_failures > CHECK_SHOWN)
		return false;
	print_error("%s:%d: row \"%s\": ", file, line, row);
	return true;
}

static inline void check_true(const char *file, int line, const char *row, bool ok, const char *what)
{
	if (!ok && check_failed(file, line, row))
		print_error("not true: %s\n", what);
}

static inline void check_int(const char *file, int line, const char *row, long long got, long long want,
			     const char *what)
{
	if (got != want && check_failed(file, line, row))
		print_error("%s is %lld (%llXh), not %lld (%llXh)\n", what, got, (unsigned long long)got,
			    want, (unsigned long long)want);
}

/* Memory of exactly this size, for the sanitizers; free() it. */
static inline uint8_t *check_memory(size_t len)
{
	uint8_t *room = malloc(len);

	if (!room)
		abort();
	return room;
}

static inline void check_hex(const char *label, const uint8_t *bytes, size_t len)
{
	print_error("  %s (%zu)", label, len);
	for (size_t i = 0; i < len && i < 300; i++)
		print_error(" %02X", bytes[i]);
	print_error("\n");
}

static inline void check_bytes(const char *file, int line, const char *row, const void *got, size_t got_len,
			       const void *want, size_t want_len, const char *what)
{
	if (got_len == want_len && (want_len == 0 || memcmp(got, want, want_len) == 0))
		return;
	if (!check_failed(file, line, row))
		return;
	print_error("%s differs\n", what);
	check_hex("got ", got, got_len);
	check_hex("want", want, want_len);
}

static inline void check_string(const char *file, int line, const char *row, const char *got,
				const char *want, const char *what)
{
	if ((!got || strcmp(got, want) != 0) && check_failed(file, line, row))
		print_error("%s is \"%s\", not \"%s\"\n", what, got ? got : "(null)", want);
}

#define CHECK(row, cond) check_true(__FILE__, __LINE__, row, cond, #cond)
#define CHECK_INT(row, got, want) \
	check_int(__FILE__, __LINE__, row, (long long)(got), (long long)(want), #got)
#define CHECK_BYTES(row, got, got_len, want, want_len) \
	check_bytes(__FILE__, __LINE__, row, got, got_len, want, want_len, #got)
#define CHECK_STRING(row, got, want) check_string(__FILE__, __LINE__, row, got, want, #got)

static inline void check_done(void)
{
	unsigned failures = check_failures;

	check_failures = 0;
	if (failures)
		fail_msg("%u checks failed", failures);
}

/* The bytes in a heap block of exactly their size, so that a read beyond the end is seen by ASan and valgrind. */
static inline uint8_t *exact_copy(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len);

	if (!copy && len)
		abort();
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

/* A small generator of its own: the same numbers on every system. */
static inline uint32_t check_random(uint32_t *state)
{
	uint32_t x = *state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return *state = x;
}

#endif
