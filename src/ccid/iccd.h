/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * USB tokens without a reader, which speak over the control pipe (USB ICCD rev 1.0, versions A and B): a transport that takes
 * and gives CCID messages, so that nothing above it knows the difference.
 */
#ifndef OPENCCID_CCID_ICCD_H
#define OPENCCID_CCID_ICCD_H

#include "ccid/transport.h"

enum iccd_version { ICCD_A = 1, ICCD_B = 2 }; /* bInterfaceProtocol */

/**
 * iccd_wrap - speak ICCD over the control pipe of a transport
 * @bus: belongs to the new transport once this succeeded
 *
 * What a token cannot do (parameters, Escape, PIN entry, ...) is refused as a reader would: command not supported.
 * A token that is busy is asked again after the time that it names, or 10 ms, until the caller's time is over.
 * Returns OC_E_MEMORY.
 */
enum oc_err iccd_wrap(struct transport *bus, enum iccd_version version, uint8_t interface,
		      struct transport **out);

#endif
