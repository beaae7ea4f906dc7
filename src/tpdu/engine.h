/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every engine that turns one APDU into several blocks has in common: next() says what goes to the reader now,
 * feed() takes what came back. No I/O, no clock, no allocation; the caller brings the memory.
 */
#ifndef OPENCCID_TPDU_ENGINE_H
#define OPENCCID_TPDU_ENGINE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum step {
	STEP_SEND, /* send the block, then feed what came back */
	STEP_DONE, /* the answer is complete */
	STEP_FAIL, /* it cannot be completed; the engine knows why */
};

/* One block for the reader; its bytes were written to the memory given to next(). */
struct block {
	size_t len;
	uint16_t level_parameter; /* wLevelParameter of XfrBlock */
	uint8_t bwi;              /* bBWI of XfrBlock: block waiting time multiplier, T=1 */
	size_t expect;            /* longest answer that is legal, to compute the wait */
	bool by_reader;           /* the reader makes the block from a template; these are its first bytes */
};

/* What came back for a block. */
enum reply_kind {
	REPLY_BLOCK,     /* bytes */
	REPLY_NOT_SENT,  /* refused by the reader (bError F6h); the card never saw the block */
	REPLY_DAMAGED,   /* the card's answer was damaged on the line (FDh) */
	REPLY_SILENT,    /* the card, though present, did not answer in time (FEh) */
	REPLY_WITHDRAWN, /* given up before the card saw it, by who types at the keypad; not sent again */
	REPLY_FAILED,    /* anything else; reply.err says what */
};

struct reply {
	enum reply_kind kind;
	const uint8_t *data;
	size_t len;
	uint8_t chain;   /* bChainParameter, byte 9 of DataBlock */
	enum oc_err err; /* of every kind but REPLY_BLOCK */
};

#endif
