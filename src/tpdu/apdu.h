/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command APDU: which case it is, and where its parts stand (ISO/IEC 7816-3, 12.1). Pure: bytes in, fields out. */
#ifndef OPENCCID_TPDU_APDU_H
#define OPENCCID_TPDU_APDU_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum apdu_case {
	APDU_1,  /* header only */
	APDU_2S, /* Le in one byte */
	APDU_3S, /* Lc in one byte, data */
	APDU_4S, /* Lc and Le in one byte each, data */
	APDU_2E, /* as above with 00h and two bytes for Lc and Le */
	APDU_3E,
	APDU_4E,
};

enum {
	APDU_SHORT_MAX = 4 + 1 + 255 + 1,
	APDU_MAX = 65544,
	RAPDU_MAX = 65538,
};

struct apdu {
	const uint8_t *bytes; /* the APDU itself */
	size_t len;
	enum apdu_case kind;
	uint8_t cla, ins, p1, p2;
	const uint8_t *data; /* Nc bytes inside the APDU; NULL if Nc is 0 */
	size_t nc;           /* bytes of command data */
	size_t ne;           /* longest answer data asked for; 0 = none */
};

/**
 * apdu_parse - find out the case of a command APDU
 * @bytes, @len: as the application handed it over
 * @out: of no use after an error; out->bytes and out->data point into @bytes
 *
 * Returns OC_E_APDU below four bytes and wherever the length does not fit the length fields.
 * Spec: ISO/IEC 7816-3:2006, 12.1.3 (decoding conventions).
 */
enum oc_err apdu_parse(const uint8_t *bytes, size_t len, struct apdu *out);

/* True for the cases with three-byte length fields. */
static inline bool apdu_extended(const struct apdu *apdu)
{
	return apdu->kind >= APDU_2E;
}

/* "case 4S" and the like, for logs. */
const char *apdu_case_name(enum apdu_case kind);

#endif
