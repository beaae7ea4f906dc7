/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A transport around another one that writes down what goes through it, as a capture that Wireshark opens: without secrets, unless
 * asked for them. What it costs is paid only where it is asked for.
 */
#ifndef OPENCCID_TAP_TAP_H
#define OPENCCID_TAP_TAP_H

#include "base/log.h"
#include "ccid/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is written down, and of which device. */
struct tap_setup {
	const char *capture;  /* a file that gets everything; NULL: none */
	const char *recorder; /* a file that gets the last messages before the first failure; NULL: none */
	bool secrets;         /* show what may be a secret */
	const struct oc_log *log;
	unsigned levels; /* exchange levels of the reader, see ccid/redact.h */
	unsigned bus, address;
	uint8_t ep_out, ep_in, ep_interrupt; /* endpoint addresses; 0: none */
	/* Device descriptor, and that of the configuration, as read from the device: Wireshark finds the reader by them. */
	const uint8_t *descriptors;
	size_t descriptors_len;
};

/**
 * tap_wrap - put a tap around @bus
 * @setup: not needed any more afterwards but for capture, recorder and log, which must outlive the transport
 *
 * A file that cannot be used is told in one line, and done without. Returns @bus itself where there is nothing to write; else a
 * transport that owns it.
 */
struct transport *tap_wrap(struct transport *bus, const struct tap_setup *setup);

#endif
