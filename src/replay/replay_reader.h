/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A reader without faults, with a card in it that does what it is told: it brings the driver into the state that a capture
 * begins in. Nothing of what it says is evidence.
 */
#ifndef OPENCCID_REPLAY_REPLAY_READER_H
#define OPENCCID_REPLAY_REPLAY_READER_H

#include "ccid/message.h"
#include "ccid/transport.h"
#include "replay/capture.h"

enum {
	REPLAY_READER_ANSWER_MAX = CCID_HEADER_LEN + 64,
	REPLAY_READER_PATIENCE = 64, /* commands and requests for one "before" line */
};

struct replay_reader {
	const struct capture_step *action; /* the "before" line; NULL: the reader is being closed */
	unsigned taken;                    /* commands and requests for it */
	bool powered;
	bool negotiated; /* there were parameters since the power came: too late for PPS */
	bool crc;        /* T=1: the EDC of a block is a CRC */
	uint8_t ns;      /* T=1: N(S) of the card's next I-block */
	uint8_t protocol;
	uint8_t parameters[CCID_PARAMETERS_T1_LEN];
	uint8_t answer[REPLAY_READER_ANSWER_MAX];
};

/* The driver is about to do this; NULL: to close the reader, which may switch the card off and nothing else. */
void replay_reader_begin(struct replay_reader *reader, const struct capture_step *action);

/**
 * replay_reader_command - one message of the driver, at least a header long
 *
 * Returns the length of reader->answer, or 0 if no such message belongs to the action.
 */
size_t replay_reader_command(struct replay_reader *reader, const uint8_t *out, size_t len);

/* Is this a control request that belongs to the action? ABORT works; a reader without faults has no rates to tell. */
bool replay_reader_request(struct replay_reader *reader, const struct transport_setup *setup, bool *works);

#endif
