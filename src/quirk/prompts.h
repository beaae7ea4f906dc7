/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The texts of a display that has none of its own. Pure. */
#ifndef OPENCCID_QUIRK_PROMPTS_H
#define OPENCCID_QUIRK_PROMPTS_H

#include <stddef.h>
#include <stdint.h>

/* Write the Escape command that brings them; returns its length, or 0 if @cap is too small. */
size_t prompts_put(uint8_t *out, size_t cap);

#endif
