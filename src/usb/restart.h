/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the system does to an open device behind our back, and how it is found out. At a suspend the kernel ends every transfer as if
 * the device were gone; after a reset by somebody else, or a resume without power meanwhile, it takes the claim away too.
 */
#ifndef OPENCCID_USB_RESTART_H
#define OPENCCID_USB_RESTART_H

#include <stdbool.h>
#include <stdint.h>

enum claim {
	CLAIM_GONE,  /* there is no device any more */
	CLAIM_HELD,  /* the interface is claimed through a device node */
	CLAIM_LOST,  /* nobody has it */
	CLAIM_OTHER, /* a kernel driver has it */
};

/* One system call on the device node; nothing goes over the wire. */
enum claim claim_state(int fd, unsigned interface);

/* Claim it again, past libusb, which believes that it still has it. 0 or an errno. */
int claim_again(int fd, unsigned interface);

/* How long the system has slept since it was started, as far as it is known: never less than this. Zero it, then look once. */
struct sleep_watch {
	uint64_t upper_ms;
	uint64_t awake_ms; /* CLOCK_BOOTTIME when a peek last found no suspend before it; atomic */
};

/* Is it worth a look? From any thread, beside one that looks. No system call where clocks are read without one. */
bool sleep_watch_peek(struct sleep_watch *watch);

/* Has the system slept since the last look? No system call where clocks are read without one. */
bool sleep_watch_look(struct sleep_watch *watch);

#endif
