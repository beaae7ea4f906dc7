/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Protocol and parameters selection, where the host does it (ISO/IEC 7816-3:2006, 9). Pure. */
#ifndef OPENCCID_TPDU_PPS_H
#define OPENCCID_TPDU_PPS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PPS_MAX = 6 };

struct pps {
	uint8_t protocol;
	uint8_t fi_di; /* PPS1, coded as TA1; sent unless it is the default 11h */
	bool has_pps2, has_pps3;
	uint8_t pps2, pps3;
};

/* Write the request (9.2); returns its length, 3 to 6. */
size_t pps_put_request(uint8_t out[PPS_MAX], const struct pps *pps);

/**
 * pps_check_response - does the card accept? (9.3)
 * @fi_di: written on OC_OK: what holds from now on, which is 11h where the card did not take PPS1
 *
 * OC_E_PROTOCOL if the answer is anything else than an acceptance; the card must be reset then.
 */
enum oc_err pps_check_response(const struct pps *pps, const uint8_t *response, size_t len, uint8_t *fi_di);

#endif
