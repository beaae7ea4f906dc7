/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What bytes of cards mean, in words for people. Pure. */
#ifndef OPENCCID_TOOL_WORDS_H
#define OPENCCID_TOOL_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORDS_MAX = 320 };

/* A text that grows, and is cut where it is full. */
struct words {
	char text[WORDS_MAX];
	size_t len;
};

void words_add(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "SELECT by name, Le 256"; @shown: bytes of the command that may be looked at. */
void words_command(struct words *w, const uint8_t *apdu, size_t len, size_t shown);

/* "90 00: done"; nothing for fewer than two bytes. */
void words_status(struct words *w, const uint8_t *response, size_t len);

/* Is this status word one that a person should look at? */
bool words_status_is_bad(uint8_t sw1, uint8_t sw2);

/* The parts of a T=1 block, without its EDC. */
struct t1_block {
	uint8_t nad, pcb;
	const uint8_t *inf;
	size_t len;
};

/* Is this a whole T=1 block, with a LEN and an EDC (LRC or CRC) that are right? */
bool words_t1_split(const uint8_t *bytes, size_t len, struct t1_block *out);

/* "T=1 I-block N(S)=1, more follows"; @bytes are those of a block that was split. */
void words_t1(struct words *w, const struct t1_block *block);

/* "T=1, Fi/Di 512/32 (TA1 96h), IFSC 254"; what matters in an answer to reset. */
void words_atr(struct words *w, const uint8_t *atr, size_t len);

/* Is this a PPS request or response (ISO/IEC 7816-3, 9.2)? */
bool words_is_pps(const uint8_t *bytes, size_t len);

/* "0.7 ms", "3.0 s" */
void words_time(struct words *w, uint64_t us);

enum {
	INS_VERIFY = 0x20,
	INS_GET_RESPONSE = 0xC0,
	T1_KIND_MASK = 0xC0,
	T1_R_BLOCK = 0x80,
	T1_S_BLOCK = 0xC0,
	T1_NOT_I = 0x80,
	T1_MORE = 0x20,
	T1_NS = 0x40,
	T1_R_ERROR = 0x03,
	T1_IFS_REQUEST = 0xC1,
};

#endif
