/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What IFDHControl answers: one row per control code. */
#ifndef OPENCCID_IFD_CONTROL_H
#define OPENCCID_IFD_CONTROL_H

#include "ifd/driver.h"

#include <stddef.h>
#include <stdint.h>

/* OC_E_UNSUPPORTED: a code that this reader does not have, or that is not permitted. *@rx_len as in slot_transmit(). */
enum oc_err control_run(struct binding *binding, unsigned long code, const uint8_t *tx, size_t tx_len,
			uint8_t *rx, size_t *rx_len);

#endif
