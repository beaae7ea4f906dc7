/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the records of a USB capture to messages of readers. For the files of this folder. */
#ifndef OPENCCID_TRAFFIC_URBS_H
#define OPENCCID_TRAFFIC_URBS_H

#include "traffic/inside.h"
#include "traffic/urb.h"

/* One record, in the order of the file. While scanning it may add readers. */
void urbs_take(struct traffic *t, const struct urb *urb, uint64_t us, unsigned long packet);

/* The file is over: hand on what waits for more. */
void urbs_end(struct traffic *t);

/* After scanning: leave only what are readers, the sure ones where there are any. */
void urbs_settle_readers(struct traffic *t);

#endif
