/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Play one capture against the driver: what the reader is, what the application asks, and whether it ends as it should. */
#ifndef OPENCCID_TOOL_PLAYER_H
#define OPENCCID_TOOL_PLAYER_H

#include "base/log.h"
#include "ccid/descriptor.h"
#include "replay/capture.h"

/* The reader of a capture, as the driver would find it. */
struct identity {
	struct ccid_caps caps;
	uint8_t interface;
	bool interrupt;
};

struct verdict {
	bool good;
	uint64_t ms;    /* that passed on the replay's clock */
	char why[1024]; /* "FILE:LINE: sentence", or empty */
};

/**
 * identify - find out what the driver knows of a reader when it opens it
 * @readers: the folder of the .reader files
 *
 * The descriptor is the one that the capture states, or that of the unit in the .reader file; the rules for the product
 * are applied to it. Returns false with the reason in @verdict.
 */
bool identify(const struct capture *capture, const char *readers, struct identity *out,
	      struct verdict *verdict);

/* Perform every action of the capture, and compare every end. */
void play(const struct capture *capture, const struct identity *identity, const struct oc_log *log,
	  struct verdict *verdict);

/* Give the reason why something is not good; only the first one is kept. */
void fault(struct verdict *verdict, const char *file, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
