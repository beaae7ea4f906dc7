/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * T=1: the block protocol of ISO/IEC 7816-3:2006, clause 11, from the side of the interface device. Rule numbers are those of
 * 11.6. The reader does the characters; this engine does blocks, chaining, and what happens when a block is lost.
 *
 * A command is handed to the card once. When the engine cannot find out whether the card has executed it, it
 * resynchronises and reports an error: the application decides, not the driver.
 */
#ifndef OPENCCID_TPDU_T1_H
#define OPENCCID_TPDU_T1_H

#include "base/err.h"
#include "tpdu/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	T1_BLOCK_MAX = 3 + 254 + 2,
	T1_DEFAULT_IFS = 32,
	T1_MAX_IFS = 254,
	T1_TRIES = 3,         /* transmissions of one request, rules 6.4 and 7.4 */
	T1_MAX_REQUESTS = 32, /* S(IFS request) and S(ABORT request) of the card within one APDU */
	T1_MAX_EMPTY = 32,    /* I-blocks in a chain of the card that bring nothing */
	T1_MAX_WTX =
		100000, /* requests for more time within one APDU; the caller's clock ends them earlier */
};

/* What the engine waits for */
enum t1_state {
	T1_IDLE,
	T1_SENDING,    /* an I-block is out: its acknowledgement, or the answer */
	T1_RECEIVING,  /* the card's chain goes on */
	T1_REQUESTING, /* the answer to an S request of ours */
	T1_ABORTED,    /* the card ended its or our chain: its R-block */
	T1_DONE,
	T1_FAILED,
};

struct t1 {
	/* The connection: from protocol start to the next reset of the card */
	uint8_t nad;        /* of our blocks; the card's have the nibbles swapped */
	bool crc;           /* EDC is a CRC of two bytes, else an LRC of one */
	uint8_t atr_ifsc;   /* as in the ATR, in force again after RESYNCH */
	uint8_t longest;    /* information field that fits the reader's messages; the caller may lower it */
	uint8_t ifsc, ifsd; /* longest information field that the card, that we can take */
	uint8_t ns, nr;     /* N(S) of our next I-block, and of the card's next one */
	bool heard;         /* a valid block came since the start: rule 7.4.2 instead of 7.4.1 */
	bool dead;          /* the card does not follow the protocol any more: only a reset helps */
	bool renew_ifsd;    /* RESYNCH has undone S(IFS): announce IFSD again */
	bool in_doubt;      /* the fate of the last block is unknown: RESYNCH before the next APDU */

	/* The exchange that runs */
	enum t1_state state;
	const uint8_t *apdu;
	size_t apdu_len, acked,
		flight; /* bytes of the APDU, those acknowledged, those in the I-block that is out */
	uint8_t *answer;
	size_t cap, len;
	uint8_t pcb, inf;  /* the block to send, and the INF of an S-block */
	uint8_t bwi;       /* waiting time multiplier that goes with it */
	bool to_send;      /* next() has not handed it out yet */
	bool answered;     /* anything came, be it damaged */
	bool begun;        /* the card may have seen a block of this exchange */
	bool refused;      /* the reader would not pass the last block on; it goes out once more */
	bool by_reader;    /* the reader makes the I-block: nobody else can send it again */
	unsigned invalid;  /* invalid blocks or silence in a row */
	unsigned repeats;  /* R-blocks in a row that brought nothing new */
	unsigned refusals; /* R-blocks that answered an S request */
	unsigned tries;    /* of an S request */
	unsigned requests, empty, waits;
	enum oc_err err;
};

/**
 * t1_start - begin the protocol after a reset, or after PPS
 * @ifsc: from the ATR; @crc: EDC is a CRC; @nad: node address of our blocks, normally 0
 */
void t1_start(struct t1 *t1, uint8_t ifsc, bool crc, uint8_t nad);

/**
 * t1_begin - send one command APDU, of any length
 * @apdu, @len: must stay valid until the end; @answer, @cap: where the response APDU goes
 *
 * Returns OC_E_UNPOWERED when the connection is dead, OC_E_APDU for an empty command.
 */
enum oc_err t1_begin(struct t1 *t1, const uint8_t *apdu, size_t len, uint8_t *answer, size_t cap);

/**
 * t1_begin_by_reader - let the reader send a command that it completes itself, with a PIN (PC_to_RDR_Secure)
 * @len: bytes of the command as far as the host knows it, 1 to IFSC (that of the ATR where RESYNCH comes first); 0 where the
 *       reader builds the data
 *
 * t1_next() hands out the prologue alone for this block, marked by_reader; all others are blocks as ever. When the card does not
 * get it, the exchange ends with an error: it is not the driver's to repeat. Errors as t1_begin(), and OC_E_LIMIT for a command
 * that does not fit one block.
 */
enum oc_err t1_begin_by_reader(struct t1 *t1, size_t len, uint8_t *answer, size_t cap);

/* Tell the card the longest information field that we take, by S(IFS request). A card that refuses stays at 32. */
enum oc_err t1_begin_ifsd(struct t1 *t1, uint8_t ifsd);

/**
 * t1_next - the next block
 * @out: at least T1_BLOCK_MAX bytes, written on STEP_SEND
 *
 * On STEP_DONE t1->answer holds t1->len bytes (none after t1_begin_ifsd()). On STEP_FAIL t1->err is why:
 * OC_E_CARD   the card aborted, or had to be resynchronised: it may or may not have executed the command
 * OC_E_MUTE   the card does not follow the protocol any more, and t1->dead is set
 * OC_E_SPACE  the answer does not fit; OC_E_LIMIT the card never came to an end
 * or the error that was fed. Nothing of a failed answer may be used.
 */
enum step t1_next(struct t1 *t1, uint8_t out[T1_BLOCK_MAX], struct block *block);

/* What came back: a block, REPLY_DAMAGED (parity), REPLY_SILENT (block waiting time is over), or REPLY_FAILED. REPLY_NOT_SENT makes
 * the same block go out again, once: the card never saw it. After REPLY_FAILED the next APDU begins with RESYNCH. */
void t1_feed(struct t1 *t1, const struct reply *reply);

/* The EDC of bytes: LRC (one byte in the low half) or CRC of ISO/IEC 13239, first byte on the line in the high half. */
uint16_t t1_edc(const uint8_t *bytes, size_t len, bool crc);

#endif
