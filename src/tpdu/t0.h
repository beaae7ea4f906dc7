/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * T=0: a command APDU as one or several TPDUs (ISO/IEC 7816-3:2006, 12.2). The
 * reader does the procedure bytes.
 *
 * Cases 1, 2S and 3S go through as they are, and 61xx and 6Cxx go back to the
 * application: it may rely on seeing them. Only case 4S cannot go through,
 * since T=0 has no Le behind data: Le is held back, and the answer is fetched
 * with GET RESPONSE until it has Ne bytes or the card has no more. Extended
 * cases that fit a short one go as that; longer command data goes by ENVELOPE,
 * longer answers come by GET RESPONSE.
 */
#ifndef OPENCCID_TPDU_T0_H
#define OPENCCID_TPDU_T0_H

#include "base/err.h"
#include "tpdu/apdu.h"
#include "tpdu/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	T0_TPDU_MAX = 5 + 255,
	T0_ENVELOPE_MAX = 255,
	/*
   * Every GET RESPONSE must bring a byte, a 6Cxx may come before each, and each
   * TPDU may have to be sent again after F6h: no exchange needs more TPDUs.
   */
	T0_MAX_ROUNDS = 2 * (APDU_MAX / T0_ENVELOPE_MAX + 1 + 2 * 65536),
};

enum t0_state { T0_COMMAND, T0_ENVELOPE, T0_GET_RESPONSE, T0_DONE, T0_FAILED };

struct t0 {
	const struct apdu *apdu; /* the caller's */
	size_t enveloped;        /* bytes of the whole APDU that the card has by ENVELOPE */
	bool fetches;            /* the answer is fetched with GET RESPONSE: cases 4, and 2E
                      beyond 256 bytes */
	uint8_t *answer;         /* the caller's memory: data and SW1 SW2 */
	size_t cap, len;         /* its size; bytes of data in it so far, at the end with SW1 SW2 */
	enum t0_state state;
	uint8_t p3;      /* of the next GET RESPONSE; 0 = 256 */
	bool corrected;  /* the last GET RESPONSE was answered 6Cxx: a second one ends
                     it */
	bool set_again;  /* the reader refused this TPDU once (F6h): parameters were
                     set again */
	bool unfinished; /* it failed between two ENVELOPEs: only a reset makes the
                     card forget the first one */
	unsigned rounds;
	enum oc_err err;
};

/**
 * t0_begin - start with one APDU
 * @apdu: it and its bytes must stay valid until the end
 * @answer, @cap: where the response APDU goes
 *
 * Returns OC_E_APDU for an INS that T=0 cannot carry (6xh and 9xh would be
 * taken for status bytes, 10.3.2), OC_E_SPACE if not even SW1 SW2 fit.
 */
enum oc_err t0_begin(struct t0 *t0, const struct apdu *apdu, uint8_t *answer, size_t cap);

/**
 * t0_next - the next TPDU
 * @out: at least T0_TPDU_MAX bytes, written on STEP_SEND
 *
 * On STEP_DONE t0->answer holds t0->len bytes, ending in SW1 SW2. On STEP_FAIL
 * t0->err is why: OC_E_SPACE the answer does not fit; OC_E_LIMIT the card never
 * came to an end; OC_E_CARD the reader handed over what no card can have sent;
 * OC_E_EXTENDED the card does not know ENVELOPE, and has executed nothing; or
 * the error that was fed. Nothing of a failed answer may be used.
 */
enum step t0_next(struct t0 *t0, uint8_t out[T0_TPDU_MAX], struct block *block);

/**
 * t0_feed - what came back for the TPDU of the last t0_next()
 *
 * REPLY_NOT_SENT makes the same TPDU come again, once: the caller sets the
 * reader's parameters again first (t0->set_again tells). The card never saw it,
 * so this repeats nothing.
 */
void t0_feed(struct t0 *t0, const struct reply *reply);

/**
 * t0_get_response_class - the CLA of GET RESPONSE for a command with this CLA
 *
 * The logical channel is kept; secure messaging and command chaining are not,
 * since they describe the command (ISO/IEC 7816-4, 5.4.1). GlobalPlatform's
 * 80h-8Fh and C0h-FEh are coded alike and treated alike. Other proprietary
 * classes, A0h of GSM among them, are kept as they are.
 */
uint8_t t0_get_response_class(uint8_t cla);

#endif
