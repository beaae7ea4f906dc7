/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One command and the one answer that belongs to it: the only place that sends to a reader and reads from it.
 * A port is one CCID interface. Its calls are not locked: the caller holds the reader's lock.
 */
#ifndef OPENCCID_CCID_EXCHANGE_H
#define OPENCCID_CCID_EXCHANGE_H

#include "base/err.h"
#include "base/log.h"
#include "ccid/message.h"
#include "ccid/redact.h"
#include "ccid/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bounds of one exchange */
enum {
	CCID_SEND_MS = 2000,            /* a reader that takes no command for so long is stuck */
	CCID_QUICK_MS = 2000,           /* a command that needs no card */
	CCID_EXTENSION_CAP_MS = 600000, /* all time extensions together of a command that the card works on */
	CCID_ENTRY_EXTENSION_MS = 180000, /* of a PIN that is typed at the reader */
	CCID_QUICK_EXTENSION_MS = 2000,   /* and of every other command, power-on among them */
	CCID_MAX_STALE = 32,              /* answers to earlier commands dropped while waiting for one */
	CCID_MAX_EXTENSIONS = 4096,       /* time extension messages for one command */
};

/* The rungs of the ladder that brings a reader back to order; see ccid/recover.h. */
enum ccid_rung { CCID_RUNG_ABORT, CCID_RUNG_CLEAR_HALT, CCID_RUNG_RESET, CCID_RUNGS };

struct ccid_port {
	struct transport *transport;
	const struct oc_log *log;
	uint8_t interface; /* bInterfaceNumber, for control requests */
	uint8_t seq;       /* bSeq of the next command */
	uint8_t *counter;  /* the same, of another port that it is shared with; NULL: its own */
	bool overfull;     /* the last answer filled the read: padding may follow it */
	bool half_abort;   /* the reader may have seen one half of an ABORT and not the other one */
	bool silent;       /* the last recovery brought nothing: the reader does not answer */
	bool hopeless;     /* not even a reset of its port has helped, and it has not answered since */
	unsigned climbed[CCID_RUNGS]; /* how often each rung was what helped, */
	unsigned given_up;            /* and how often none did */
	uint64_t extension_cap_ms;
	struct redact redact;     /* for the log; the owner may begin it with the level that is known */
	uint8_t *out;             /* header and payload of the command */
	uint8_t *in;              /* the answer */
	size_t cap;               /* bytes in each of the two, */
	size_t out_used, in_used; /* and those written since the last ccid_port_wipe() */
};

/**
 * ccid_port_open - prepare the buffers for messages of up to @max_message bytes
 * @transport: stays owned by the caller
 *
 * The buffers hold whole packets, so that a reader which pads its answers cannot overflow a read.
 * Returns OC_E_MEMORY.
 */
enum oc_err ccid_port_open(struct ccid_port *port, struct transport *transport, uint8_t interface,
			   size_t max_message, const struct oc_log *log);

/* Wipe and free the buffers. */
void ccid_port_close(struct ccid_port *port);

/*
 * Overwrite what the last commands and answers have left in the buffers. No answer points into them any more; it costs as much as
 * was in them.
 */
void ccid_port_wipe(struct ccid_port *port);

/* So many bytes stand at ccid_payload(), whether they will be sent or not. */
void ccid_payload_written(struct ccid_port *port, size_t len);

/* One transfer into port->in, see transport_ops.recv(). */
enum oc_err ccid_port_recv(struct ccid_port *port, size_t *len, unsigned ms);

/* bSeq of the next command, which takes it; several ports may count together. */
static inline uint8_t ccid_next_seq(struct ccid_port *port)
{
	return __atomic_fetch_add(port->counter ? port->counter : &port->seq, 1, __ATOMIC_RELAXED);
}

/* The same, without taking it. */
static inline uint8_t ccid_peek_seq(const struct ccid_port *port)
{
	return __atomic_load_n(port->counter ? port->counter : &port->seq, __ATOMIC_RELAXED);
}

/* Where the payload of the next command goes, and how many bytes fit. */
static inline uint8_t *ccid_payload(struct ccid_port *port, size_t *cap)
{
	*cap = port->cap - CCID_HEADER_LEN;
	return port->out + CCID_HEADER_LEN;
}

/**
 * ccid_exchange - send one command, return the answer that belongs to it
 * @command: its payload, command->len bytes, already stands at ccid_payload()
 * @wait_ms: how long the answer may take; each time extension of the reader grants that much again, times its
 *           multiplier, and all of them together at most port->extension_cap_ms (XfrBlock, Escape),
 *           CCID_ENTRY_EXTENSION_MS (Secure), or CCID_QUICK_EXTENSION_MS (all others)
 * @reply: written on OC_OK and whenever the reader answered; points into the port's buffer until the next call
 *
 * The answer must match in type (or be a failed SlotStatus), slot and bSeq. An answer to an earlier command is dropped,
 * at most CCID_MAX_STALE of them. Padding behind dwLength is tolerated and drained.
 *
 * OC_OK         the reader carried the command out
 * OC_E_TIMEOUT  no answer in time; the reader was brought back to order, see ccid/recover.h
 * OC_E_ANSWER, OC_E_SHORT, OC_E_LENGTH  what came is no answer; as above
 * OC_E_LIMIT    more than CCID_MAX_EXTENSIONS time extensions; as above
 * OC_E_SPACE    the command is longer than the port's buffer; nothing was sent
 * OC_E_GONE, OC_E_IO, OC_E_STALL        the bus failed
 * others        the reader answered "failed": ccid_judge() of the answer, which is logged in words
 *
 * A reader that says CMD_ABORTED after a recovery of which it has seen one half of ABORT only gets both.
 *
 * Nothing is repeated here: whether the card may have seen the command is told by ccid_error_info().
 * Spec: CCID rev 1.1, 6.1, 6.2, 6.2.6 (time extension).
 */
enum oc_err ccid_exchange(struct ccid_port *port, const struct ccid_command *command, unsigned wait_ms,
			  struct ccid_reply *reply);

/* As ccid_exchange() for a command whose refusal is expected and not worth a line in the log. */
enum oc_err ccid_exchange_quiet(struct ccid_port *port, const struct ccid_command *command, unsigned wait_ms,
				struct ccid_reply *reply);

#endif
