/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this reader has beside the card: the features of PC/SC part 10, and what can be asked of them. */
#ifndef OPENCCID_IFD_FEATURES_H
#define OPENCCID_IFD_FEATURES_H

#include "base/bytes.h"
#include "ifd/driver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The control code that stands for a feature; applications take it from the list. */
unsigned long features_code(uint8_t tag);

/* Has this reader got the feature? */
bool features_has(struct binding *b, uint8_t tag);

/* What their control codes answer. Where it does not fit, the writer has overrun and none of it counts. */
void features_put_list(struct binding *b, struct wr *w);
void features_put_pin_properties(struct binding *b, struct wr *w);
void features_put_display_properties(struct binding *b, struct wr *w);
void features_put_tlv_properties(struct binding *b, struct wr *w);

#endif
