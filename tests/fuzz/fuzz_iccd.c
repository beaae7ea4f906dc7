/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands to a malicious token that speaks ICCD over its control pipe. The input is the version, then commands and what the token
 * makes of them; an answer has to be one to its command, of the token's bytes.
 */
#include "port.h"

#include "ccid/iccd.h"

enum {
	CONTROL_MS = 2000,
	LAST_REQUESTS = 4, /* that may have begun when the time was over */
	RECOVER_MS = 3000,
	MESSAGE = 5000, /* more than one control transfer takes */
};

static void open_port(struct port_bench *b, const struct oc_log *log, struct rd in, uint8_t flags)
{
	struct transport *token;

	bus_begin(&b->bus, in);
	FUZZ_ASSERT(iccd_wrap(&b->bus.transport, flags & 1 ? ICCD_A : ICCD_B, flags, &token) == OC_OK);
	FUZZ_ASSERT(ccid_port_open(&b->port, token, flags, flags & 2 ? MESSAGE : 271, log) == OC_OK);
	b->port.extension_cap_ms = flags & 4 ? 1000 : CCID_EXTENSION_CAP_MS;
}

/* The rest of the face is the bus's own. */
static void check_face(struct transport *token, struct bus *bus)
{
	uint8_t bytes[8];
	size_t len = 0;

	token->ops->pause(token, 5);
	FUZZ_ASSERT(token->ops->now(token) == bus->clock);
	token->ops->wake(token);
	FUZZ_ASSERT(token->ops->interrupt(token, bytes, sizeof bytes, &len, 10) ==
		    (bus->gone ? OC_E_GONE : OC_E_STOPPED));
	token->ops->clear_interrupt(token);
	token->ops->gone(token);
	FUZZ_ASSERT(bus->gone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct oc_log log = { .mask = 15, .write = port_log };
	struct port_bench b = { .slack_ms = LAST_REQUESTS * CONTROL_MS + RECOVER_MS };
	struct transport *token;

	if (!size)
		return 0;
	open_port(&b, &log, rd_of(data + 1, size - 1), data[0]);
	token = b.port.transport;
	while (b.bus.in.left && !b.bus.in.overrun)
		port_exchange(&b);
	check_face(token, &b.bus);
	ccid_port_close(&b.port);
	token->ops->close(token);
	FUZZ_ASSERT(b.bus.closed);
	return 0;
}
