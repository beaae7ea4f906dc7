/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Comparing bytes with a line of a capture, and telling a person what differs. */
#ifndef OPENCCID_REPLAY_REPLAY_TEXT_H
#define OPENCCID_REPLAY_REPLAY_TEXT_H

#include "replay/capture.h"

/* The first bytes of a message. */
struct replay_text {
	char text[3 * 24 + 8];
};

struct replay_text replay_hex(const uint8_t *bytes, size_t len);

/* What a step stands for, in words; NULL is the end of the capture. */
const char *replay_meaning(const struct capture_step *step);

/* The field of a message that byte @at belongs to. */
const char *replay_field(size_t at);

/*
 * The first byte of @got that is not as in the capture, leaving out the one at @except; where all that both have agree, the
 * length of the shorter one.
 */
size_t replay_difference(const struct capture_bytes *want, const uint8_t *got, size_t len, size_t except);

#endif
