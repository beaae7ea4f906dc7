/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VERIFY_PIN_DIRECT and MODIFY_PIN_DIRECT of PC/SC part 10. */
#ifndef OPENCCID_IFD_PINPAD_H
#define OPENCCID_IFD_PINPAD_H

#include "ifd/driver.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Control codes: arguments and *@rx_len as control_run(). @tx is PIN_VERIFY_STRUCTURE or PIN_MODIFY_STRUCTURE; the answer is a
 * response APDU: the card's, or 6400, 6401, 6402, 6403; 6B80 for a structure that makes no sense, or that this reader cannot
 * carry out (told in one log line; nothing was sent). OC_E_SPACE for less than two bytes of room; else as slot_pin().
 */
enum oc_err pinpad_verify(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len);
enum oc_err pinpad_modify(struct binding *b, const uint8_t *tx, size_t tx_len, uint8_t *rx, size_t *rx_len);

#endif
