/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A transport to a malicious reader or token on a clock of its own: every byte that it sends, when it does, and how the bus
 * fails, is the input. Once that is used up there is silence. What the driver sends is checked, and what it gets is kept.
 */
#ifndef OPENCCID_TESTS_FUZZ_BUS_H
#define OPENCCID_TESTS_FUZZ_BUS_H

#include "fuzz.h"

#include "base/bytes.h"
#include "ccid/transport.h"

enum { BUS_TAPE = 1 << 20 };

struct bus {
	struct transport transport; /* first */
	struct rd in;
	uint64_t clock;
	unsigned calls, slots;
	size_t longest; /* message that the reader takes; 0: any */
	bool gone, closed;
	bool resettable; /* the port of this device may be reset */
	bool woken;

	/* The last command, and the answer that came for it */
	uint8_t type, slot, seq, abort_seq;
	uint8_t *posted; /* where recv() writes; NULL before the first send() */
	size_t cap, delivered;
	uint8_t counter; /* what long answers are filled with */
};

/* A bus that plays the rest of @in. */
void bus_begin(struct bus *bus, struct rd in);

/* Forget what has come so far. */
void bus_forget(void);

/* Did these bytes come, in this order though not at once, since then? True also where more came than is kept. */
bool bus_gave(const uint8_t *bytes, size_t len);

#endif
