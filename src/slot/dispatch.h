/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Several slots of a reader that work at the same time (bMaxCCIDBusySlots above 1) share one pair of bulk pipes. Each slot gets
 * a transport of its own here, a lane, and on it a port of its own; nothing of src/ccid knows of the others.
 *
 * No thread is made. Of those that wait for an answer one listens on bulk-IN for all. What it hears goes by bSlot to the lane that
 * waits for it, or that is owed an answer with this bSeq; what belongs to nobody is dropped. A lane that has its answer
 * leaves, and another one that waits goes on listening.
 */
#ifndef OPENCCID_SLOT_DISPATCH_H
#define OPENCCID_SLOT_DISPATCH_H

#include "base/err.h"
#include "base/log.h"
#include "ccid/transport.h"

#include <stddef.h>

struct dispatch;

/**
 * dispatch_new - make lanes for @slots slots
 * @bus: what they share; stays the caller's, who must speak to it by lanes alone as far as bulk and control pipe go
 * @cap: bytes of the longest read, as that of the ports on the lanes
 *
 * NULL when there is no memory.
 */
struct dispatch *dispatch_new(struct transport *bus, unsigned slots, size_t cap, const struct oc_log *log);

/* No call on a lane may be running. */
void dispatch_free(struct dispatch *d);

/**
 * dispatch_lane - the transport of one slot: what src/ccid calls of struct transport_ops, for one thread at a time but for
 * beside() and control()
 *
 * clear_halt() and reset() concern all slots, so they wait until nobody is on the bus. After clear_halt() the others go on
 * waiting. After reset(), or when the device has started afresh by itself, every command that was running ends with OC_E_RESTARTED. One slot resets for all: a lane that has heard nothing since
 * another one did gets OC_OK without a second reset.
 */
struct transport *dispatch_lane(struct dispatch *d, unsigned slot);

#endif
