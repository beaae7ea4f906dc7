/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening and closing a reader, and what all its slots share. */
#include "slot/slot.h"

#include "ccid/status.h"

#include <stdlib.h>
#include <string.h>

enum {
	OPEN_MS = 1000, /* some readers need most of a second before they answer for the first time */
	CLOSE_MS = 500,
};

enum oc_err slot_exchange(struct slot *slot, const struct ccid_command *command, unsigned wait_ms,
			  struct ccid_reply *reply)
{
	const enum oc_err err = ccid_exchange(&slot->reader->port, command, wait_ms, reply);

	if (err == OC_OK || err == OC_E_SPACE || err == OC_E_GONE)
		return err;
	if (reply->type == 0) {
		/* No answer: whatever brought the reader back to order may have cost the card its state. */
		slot_lost_card(slot);
		return err;
	}
	if (err == OC_E_NO_CARD)
		slot_forget_card(slot);
	else if (slot->powered && ccid_icc_of(reply->status) == CCID_ICC_INACTIVE)
		slot_lost_card(slot);
	return err;
}

void slot_forget_card(struct slot *slot)
{
	memset(slot->atr_bytes, 0, sizeof slot->atr_bytes);
	slot->atr_len = 0;
	slot->atr = (struct atr){ 0 };
	slot->atr_valid = false;
	slot->powered = false;
	slot->protocol_set = false;
	slot->lost = false;
	slot->timing = (struct timing){ .clock_khz = slot->reader->caps.clock_khz };
}

/* ---- open and close ---------------------------------------------------------------------------------------------- */

static enum oc_err probe(struct reader *reader)
{
	const struct ccid_command command = ccid_get_slot_status(0);
	struct ccid_reply reply;
	enum oc_err err = ccid_exchange_quiet(&reader->port, &command, OPEN_MS, &reply);

	if (reply.type != 0)
		return OC_OK; /* refused or not: the reader is there and listens */
	if (err == OC_OK || err == OC_E_GONE || reader->port.silent)
		return err;
	err = ccid_exchange_quiet(&reader->port, &command, OPEN_MS, &reply);
	return reply.type != 0 ? OC_OK : err;
}

static void init_locks(struct reader *reader)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&reader->lock, NULL);
	pthread_mutex_init(&reader->events.lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&reader->events.changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void destroy(struct reader *reader)
{
	pthread_cond_destroy(&reader->events.changed);
	pthread_mutex_destroy(&reader->events.lock);
	pthread_mutex_destroy(&reader->lock);
	ccid_port_close(&reader->port);
	free(reader);
}

static struct reader *create(const struct reader_setup *setup)
{
	struct reader *reader = calloc(1, sizeof *reader + setup->caps.slots * sizeof reader->slot[0]);

	if (!reader)
		return NULL;
	reader->transport = setup->transport;
	reader->caps = setup->caps;
	reader->log = setup->log;
	reader->voltage = setup->voltage;
	reader->interrupt = setup->interrupt;
	reader->slots = setup->caps.slots;
	for (unsigned i = 0; i < reader->slots; i++) {
		reader->slot[i].reader = reader;
		reader->slot[i].number = (uint8_t)i;
		slot_forget_card(&reader->slot[i]);
	}
	init_locks(reader);
	return reader;
}

enum oc_err reader_open(const struct reader_setup *setup, struct reader **out)
{
	struct reader *reader;
	enum oc_err err;

	if (setup->caps.level == CCID_CHARACTER) {
		OC_LOG(setup->log, OC_LOG_CRITICAL,
		       "the reader works at character level, which this driver does not speak");
		return OC_E_UNSUPPORTED;
	}
	reader = create(setup);
	if (!reader)
		return OC_E_MEMORY;
	err = ccid_port_open(&reader->port, setup->transport, setup->interface, setup->caps.max_message,
			     setup->log);
	if (err == OC_OK)
		err = probe(reader);
	if (err != OC_OK) {
		destroy(reader);
		return err;
	}
	*out = reader;
	return OC_OK;
}

void reader_close(struct reader *reader)
{
	struct transport *t = reader->transport;

	for (unsigned i = 0; i < reader->slots; i++) {
		const struct ccid_command command = ccid_icc_power_off(reader->slot[i].number);
		struct ccid_reply reply;

		if (reader->slot[i].powered &&
		    ccid_exchange_quiet(&reader->port, &command, CLOSE_MS, &reply) == OC_E_GONE)
			break;
	}
	destroy(reader);
	t->ops->close(t);
}

void reader_gone(struct reader *reader)
{
	reader->transport->ops->gone(reader->transport);
	/* Those who wait for the listener, not for the device. */
	pthread_mutex_lock(&reader->events.lock);
	reader->events.broken = OC_E_GONE;
	pthread_cond_broadcast(&reader->events.changed);
	pthread_mutex_unlock(&reader->events.lock);
}

struct slot *reader_slot(struct reader *reader, unsigned n)
{
	return n < reader->slots ? &reader->slot[n] : NULL;
}

const struct ccid_caps *reader_caps(const struct reader *reader)
{
	return &reader->caps;
}

void slot_get_state(struct slot *slot, struct slot_state *out)
{
	pthread_mutex_lock(&slot->reader->lock);
	*out = (struct slot_state){
		.atr_len = slot->atr_len,
		.powered = slot->powered,
		.present = slot->present,
		.protocol_set = slot->protocol_set,
		.protocol = slot->protocol,
	};
	memcpy(out->atr, slot->atr_bytes, sizeof out->atr);
	pthread_mutex_unlock(&slot->reader->lock);
}
