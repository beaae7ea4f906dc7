/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A log or trace, copied line by line with other bytes in it. */
#ifndef OPENCCID_TOOL_REDACT_TEXT_H
#define OPENCCID_TOOL_REDACT_TEXT_H

#include "tool/redaction.h"

#include <stdio.h>

/* Copy all of @from. False where @to could not be written, or there is no memory. */
bool redact_text_copy(struct redaction *r, FILE *from, FILE *to);

#endif
