/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Escape commands that a reader wants, or is asked, when it is opened: made from its capabilities. */
#ifndef OPENCCID_IFD_OPENING_H
#define OPENCCID_IFD_OPENING_H

#include "ccid/caps.h"
#include "slot/reader.h"

enum { OPENING_STEPS = 4, OPENING_PROMPTS = 256, FIRMWARE_MAX = 64 };

struct opening {
	struct open_step step[OPENING_STEPS];
	size_t count;
	uint8_t prompts[OPENING_PROMPTS];
};

/*
 * Fill in the steps, for struct reader_setup. @caps, @opening and @firmware must stay until reader_open() has returned.
 * @firmware: becomes the name that firmware_escape brings; stays as it is where there is none
 */
void opening_plan(struct opening *opening, const struct ccid_caps *caps, char firmware[FIRMWARE_MAX]);

#endif
