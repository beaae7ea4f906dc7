/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of a reader and its slots, for the files of this folder only. */
#ifndef OPENCCID_SLOT_SLOT_H
#define OPENCCID_SLOT_SLOT_H

#include "ccid/exchange.h"
#include "slot/reader.h"
#include "tpdu/timing.h"

#include <pthread.h>

enum {
	USB_MARGIN_MS = 2000, /* on top of what the card may take: the bus, and the reader's own time-out */
};

struct slot {
	struct reader *reader;
	uint8_t number; /* bSlot */

	/* Under reader->lock */
	uint8_t atr_bytes[ATR_MAX];
	size_t atr_len;
	struct atr atr;
	bool atr_valid; /* atr_bytes could be decoded */
	bool powered;
	bool present;
	bool protocol_set;
	enum ccid_protocol protocol;
	struct timing timing;
	bool lost; /* power went away unasked: report the card absent once */

	/* Under reader->events.lock */
	bool event, stop, removal_seen;
	bool notified;     /* the reader has sent a notification since it was opened */
	bool told_present; /* what slot_presence() said last */
};

struct reader {
	struct transport *transport;
	struct ccid_port port; /* under lock */
	struct ccid_caps caps;
	const struct oc_log *log;
	enum voltage_policy voltage;
	bool interrupt;
	pthread_mutex_t lock; /* one command at a time */

	/* Threads that wait for events: one of them listens on the interrupt endpoint for all. */
	struct {
		pthread_mutex_t lock;
		pthread_cond_t changed;
		bool listening;
		enum oc_err broken; /* OC_OK, or why nobody listens any more */
	} events;

	unsigned slots;
	struct slot slot[];
};

/* ccid_exchange() for a slot, under reader->lock: an exchange that had to be recovered costs the card its power. */
enum oc_err slot_exchange(struct slot *slot, const struct ccid_command *command, unsigned wait_ms,
			  struct ccid_reply *reply);

/* Forget everything about the card; under reader->lock. */
void slot_forget_card(struct slot *slot);

/* The power went away unasked: tell pcscd by way of the presence; under reader->lock. */
void slot_lost_card(struct slot *slot);

/* slot_set_protocol() under reader->lock */
enum oc_err slot_negotiate(struct slot *slot, enum ccid_protocol protocol);

/* Send the parameters of the protocol in use once more; under reader->lock. */
enum oc_err slot_set_parameters(struct slot *slot);

#endif
