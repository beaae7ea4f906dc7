/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pseudo APDUs that ask for the reader, not the card: answered by the driver for readers whose users expect it. */
#ifndef OPENCCID_IFD_READER_INFO_H
#define OPENCCID_IFD_READER_INFO_H

#include "ifd/driver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is it one of them, and is this a reader for which they are answered? */
bool reader_info_asked(const struct binding *b, const uint8_t *tx, size_t tx_len);

/*
 * Answer FF 9A 01 pp 00: pp is 01 for the vendor's name, 03 for the product's, 06 for the firmware, 07 for the driver's version;
 * 6A 82 for what the device does not tell. @rx, *@rx_len as slot_transmit(); OC_E_SPACE.
 */
enum oc_err reader_info_answer(const struct binding *b, const uint8_t *tx, uint8_t *rx, size_t *rx_len);

#endif
