/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The limits of a keypad, as a reader tells them in answer to an Escape command. Pure. */
#ifndef OPENCCID_QUIRK_FEATURES_H
#define OPENCCID_QUIRK_FEATURES_H

#include "ccid/caps.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Edit @caps by the answer. False, and nothing edited, where it is none. */
bool features_apply(const uint8_t *answer, size_t len, struct ccid_caps *caps);

#endif
