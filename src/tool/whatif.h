/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A reader that does what was captured wherever the driver does the same, and what a reader without faults would do where it does
 * something else. It writes down what happened, in the text form of tests/traces: evidence as it was, and "made" and "skipped".
 */
#ifndef OPENCCID_TOOL_WHATIF_H
#define OPENCCID_TOOL_WHATIF_H

#include "ccid/transport.h"
#include "replay/replay_reader.h"
#include "tool/plan.h"

#include <stdio.h>

struct whatif {
	struct transport transport;
	const struct plan *plan;
	FILE *script;           /* what happens during the actions; NULL before them */
	uint64_t us;            /* its clock */
	size_t at, end;         /* items of the action that are not used up */
	size_t answer;          /* the next item that may answer the last command; SIZE_MAX: it is made */
	bool differs;           /* the reason stands in the script */
	unsigned made, skipped; /* messages, in this action */
	bool alike;             /* the last command was sent another way, and gets the captured answer */
	bool unsavable;         /* something that the text form has no line for */
	bool powered_anew, gone, woken;

	const struct capture_step *action;
	struct replay_reader faultless;
	uint8_t made_answer[REPLAY_READER_ANSWER_MAX];
	size_t made_len;
	uint8_t *in;
	size_t cap;
	uint8_t driver_seq, captured_seq;
	bool captured_known;
	uint8_t captured_next; /* the number that the next captured command should have */
};

void whatif_begin(struct whatif *w, const struct plan *plan);

/* The driver is about to do this action. @script: where to write, NULL for what came before the capture. */
void whatif_action(struct whatif *w, const struct plan_action *action, FILE *script);

/* It has done it: what was not used is skipped. */
void whatif_end(struct whatif *w);

/* The reader is about to be closed. */
void whatif_leave(struct whatif *w);

#endif
