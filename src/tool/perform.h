/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an application asks for in a capture, done with the driver. */
#ifndef OPENCCID_TOOL_PERFORM_H
#define OPENCCID_TOOL_PERFORM_H

#include "replay/capture.h"
#include "slot/reader.h"
#include "tpdu/apdu.h"

/* How an action ended. */
struct result {
	enum oc_err err;
	enum capture_end end;
	size_t len;
	uint8_t bytes[RAPDU_MAX];
};

struct performer {
	struct reader_setup setup;
	struct reader *reader; /* NULL before "open", and where that failed */
	struct result result;  /* of the last action */
	/* Told what must never be, whatever the capture says. */
	void (*fault)(void *arg, const struct capture_step *step, const char *sentence);
	void *arg;
};

/* Do what one CAPTURE_DO says. */
void perform(struct performer *p, const struct capture_step *step);

#endif
