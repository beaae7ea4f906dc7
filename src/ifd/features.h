/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this reader has beside the card: the features of PC/SC part 10, and what can be asked of them. */
#ifndef OPENCCID_IFD_FEATURES_H
#define OPENCCID_IFD_FEATURES_H

#include "ifd/driver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The control code that stands for a feature; applications take it from the list. */
unsigned long features_code(uint8_t tag);

/* Has this reader got the feature? */
bool features_has(struct binding *b, uint8_t tag);

/* Control codes: arguments and *@rx_len as control_run(). OC_E_SPACE if the answer does not fit. */
enum oc_err features_list(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len);
enum oc_err features_pin_properties(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx,
				    size_t *rx_len);
enum oc_err features_display_properties(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx,
					size_t *rx_len);
enum oc_err features_tlv_properties(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx,
				    size_t *rx_len);

#endif
