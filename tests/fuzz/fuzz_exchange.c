/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One command and its answer, with a malicious reader: it ends in time, and only the answer that belongs to it is delivered. The
 * input is the port, then commands and what the reader makes of them.
 */
#include "port.h"

#include "ccid/recover.h"

enum {
	RECOVER_MS = 300 + 600 + 600, /* ABORT in both halves, GetSlotStatus, */
	ONCE_MORE_MS = 300 + 600,     /* ABORT again where a halt has kept back one half, */
	RESET_MS = 600,               /* and GetSlotStatus after a reset */
	RESYNC_MS = 3 * 200 + 600,
	DRAIN_MS = 550, /* padding that is still to come: before the command, and behind an answer */
};

enum action { EXCHANGE, RECOVER, RESYNC, ABORT_BESIDE, ACTIONS };

static void recover(struct port_bench *b, uint8_t slot)
{
	const uint64_t begun = b->bus.clock;
	const enum oc_err err = ccid_recover(&b->port, slot);

	FUZZ_ASSERT(err == OC_OK || err == OC_E_GONE || err == OC_E_TIMEOUT);
	FUZZ_ASSERT(b->bus.clock - begun <= RECOVER_MS + ONCE_MORE_MS + RESET_MS);
	FUZZ_ASSERT(!b->port.overfull && b->port.silent == (err != OC_OK));
}

static void resync(struct port_bench *b, uint8_t slot)
{
	const uint64_t begun = b->bus.clock;
	const enum oc_err err = ccid_resync(&b->port, slot);

	FUZZ_ASSERT(err == OC_OK || err == OC_E_GONE || err == OC_E_TIMEOUT);
	FUZZ_ASSERT(b->bus.clock - begun <= RESYNC_MS);
}

static void abort_beside(struct port_bench *b, uint8_t slot)
{
	const uint8_t seq = (uint8_t)(b->port.seq + 0x80);
	const uint64_t begun = b->bus.clock;
	enum oc_err err = ccid_abort_beside(&b->port, slot, seq);

	if (err == OC_OK && b->bus.posted)
		err = ccid_await_abort(&b->port, slot, seq);
	FUZZ_ASSERT(b->bus.clock - begun <= RECOVER_MS);
	FUZZ_ASSERT(err != OC_E_GONE || b->bus.gone);
}

static void act(struct port_bench *b)
{
	const uint8_t what = rd_u8(&b->bus.in);

	switch ((enum action)(what % ACTIONS)) {
	case EXCHANGE: port_exchange(b); break;
	case RECOVER: recover(b, what); break;
	case RESYNC: resync(b, what); break;
	case ABORT_BESIDE: abort_beside(b, what); break;
	case ACTIONS: break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct port_bench b = { .contiguous = true,
				.slack_ms = RECOVER_MS + ONCE_MORE_MS + RESET_MS + 2 * DRAIN_MS };
	struct oc_log log = { .mask = 15, .write = port_log };
	struct rd in = rd_of(data, size);
	const uint8_t flags = rd_u8(&in);
	const size_t longest = 64 + rd_le16(&in) % 4096;
	const uint64_t extension_ms = 100u * rd_le16(&in);

	if (in.overrun)
		return 0;
	log.secrets = flags & 1;
	bus_begin(&b.bus, in);
	b.bus.resettable = flags & 2;
	FUZZ_ASSERT(ccid_port_open(&b.port, &b.bus.transport, flags, longest, &log) == OC_OK);
	b.port.extension_cap_ms = extension_ms;
	b.port.seq = 0;
	while (b.bus.in.left && !b.bus.in.overrun)
		act(&b);
	ccid_port_close(&b.port);
	return 0;
}
