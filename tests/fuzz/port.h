/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands through a port to a malicious reader or token, with what has to hold of each. */
#ifndef OPENCCID_TESTS_FUZZ_PORT_H
#define OPENCCID_TESTS_FUZZ_PORT_H

#include "bus.h"

#include "base/log.h"
#include "ccid/exchange.h"
#include "ccid/status.h"

struct port_bench {
	struct bus bus;
	struct ccid_port port;
	uint64_t slack_ms; /* what a call may take beyond its own bounds, to bring the reader back to order */
	bool contiguous;   /* an answer is one transfer, as it came */
};

/* Each line of the log is one line of text. */
static inline void port_log(void *arg, enum oc_log_level level, const char *line)
{
	(void)arg;
	FUZZ_ASSERT(level && line[0]);
	for (const char *c = line; *c; c++)
		FUZZ_ASSERT(*c >= ' ' && *c <= '~');
}

/* What the driver has builders for and does not send today, too. */
static inline struct ccid_command port_built(uint8_t which, uint8_t slot, uint8_t byte, size_t len)
{
	switch (which & 7) {
	case 0: return ccid_reset_parameters(slot);
	case 1: return ccid_icc_clock(slot, byte & 1 ? CCID_CLOCK_STOP_NOW : CCID_CLOCK_RESTART);
	case 2: return ccid_t0_apdu(slot, byte & 1, byte, byte & 2, byte);
	case 3: return ccid_mechanical(slot, byte & 1 ? CCID_CARD_EJECT : CCID_CARD_LOCK);
	case 4: return ccid_set_parameters(slot, byte & 1 ? CCID_PROTOCOL_T1 : CCID_PROTOCOL_T0, len);
	case 5: return ccid_secure(slot, byte, (uint16_t)(byte << 8), len);
	case 6: return ccid_get_parameters(slot);
	default: return ccid_escape(slot, len);
	}
}

static inline struct ccid_command port_command(struct rd *in)
{
	static const uint8_t types[] = {
		PC_TO_RDR_XFR_BLOCK,       PC_TO_RDR_ICC_POWER_ON,   PC_TO_RDR_ICC_POWER_OFF,
		PC_TO_RDR_GET_SLOT_STATUS, PC_TO_RDR_SECURE,         PC_TO_RDR_ESCAPE,
		PC_TO_RDR_SET_PARAMETERS,  PC_TO_RDR_GET_PARAMETERS,
	};
	const uint8_t which = rd_u8(in), slot = rd_u8(in), byte = rd_u8(in);
	const size_t len = rd_le16(in);

	if (which & 0x80)
		return port_built(which, slot, byte, len);
	return (struct ccid_command){
		.type = types[which % sizeof types], .slot = slot, .specific = { 0, byte }, .len = len
	};
}

static inline uint64_t port_extension_ms(const struct port_bench *b, uint8_t type)
{
	if (type == PC_TO_RDR_XFR_BLOCK || type == PC_TO_RDR_ESCAPE)
		return b->port.extension_cap_ms;
	return type == PC_TO_RDR_SECURE ? CCID_ENTRY_EXTENSION_MS : CCID_QUICK_EXTENSION_MS;
}

/* An answer belongs to its command, and stands where it came, or its bytes came since the command went out. */
static inline void port_check_reply(const struct port_bench *b, const struct ccid_command *command,
				    const struct ccid_reply *reply, uint8_t seq)
{
	const bool failed = ccid_command_status_of(reply->status) != CCID_DONE;

	FUZZ_ASSERT(reply->slot == command->slot && reply->seq == seq);
	FUZZ_ASSERT(reply->type == ccid_reply_type(command->type) ||
		    (failed && reply->type == RDR_TO_PC_SLOT_STATUS));
	FUZZ_ASSERT(ccid_command_status_of(reply->status) != CCID_TIME_EXTENSION);
	FUZZ_ASSERT(reply->data == b->port.in + CCID_HEADER_LEN);
	if (reply->len == 0 && ccid_is_aborted(reply))
		return; /* the ABORT that followed has overwritten its bytes */
	if (b->contiguous)
		FUZZ_ASSERT(CCID_HEADER_LEN + reply->len + reply->padding == b->bus.delivered);
	else
		FUZZ_ASSERT(reply->len <= b->port.cap - CCID_HEADER_LEN);
	FUZZ_ASSERT(bus_gave(reply->data, reply->len));
}

/* One command out of the input, and what comes of it. */
static inline void port_exchange(struct port_bench *b)
{
	const struct ccid_command command = port_command(&b->bus.in);
	const unsigned wait_ms = rd_le16(&b->bus.in) + 1u;
	const uint64_t begun = b->bus.clock;
	const uint8_t seq = b->port.seq;
	struct ccid_reply reply;
	size_t room = 0;
	enum oc_err err;

	bus_forget();
	memset(ccid_payload(&b->port, &room), 0x5A, command.len < room ? command.len : room);
	if (wait_ms & 1)
		err = ccid_exchange(&b->port, &command, wait_ms, &reply);
	else
		err = ccid_exchange_quiet(&b->port, &command, wait_ms, &reply);
	FUZZ_ASSERT((err == OC_E_SPACE) >= (command.len > room));
	FUZZ_ASSERT(b->bus.clock - begun <= wait_ms + port_extension_ms(b, command.type) + b->slack_ms);
	if (command.len > room)
		b->bus.seq++; /* it had a number, and was not sent */
	else if (err == OC_OK || reply.type != 0)
		port_check_reply(b, &command, &reply, seq);
	FUZZ_ASSERT(err != OC_OK || reply.type != 0);
	FUZZ_ASSERT(err == OC_E_GONE || err == OC_E_SPACE || !b->bus.gone || reply.type != 0);
}

#endif
