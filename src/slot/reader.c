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

	pthread_mutex_init(&reader->own_lock, NULL);
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
	pthread_mutex_destroy(&reader->own_lock);
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
	reader->lock = setup->lock ? setup->lock : &reader->own_lock;
	return reader;
}

enum oc_err reader_open(const struct reader_setup *setup, struct reader **out)
{
	struct reader *reader;
	enum oc_err err;

	reader = create(setup);
	if (!reader)
		return OC_E_MEMORY;
	/* Interfaces of one device share the lock, and others of them may be in use already. */
	pthread_mutex_lock(reader->lock);
	err = ccid_port_open(&reader->port, setup->transport, setup->interface, setup->caps.max_message,
			     setup->log);
	if (err == OC_OK && setup->patience_ms)
		reader->port.extension_cap_ms = setup->patience_ms;
	if (err == OC_OK)
		err = probe(reader);
	pthread_mutex_unlock(reader->lock);
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

	pthread_mutex_lock(reader->lock);
	for (unsigned i = 0; i < reader->slots; i++) {
		const struct ccid_command command = ccid_icc_power_off(reader->slot[i].number);
		struct ccid_reply reply;

		if (reader->slot[i].powered &&
		    ccid_exchange_quiet(&reader->port, &command, CLOSE_MS, &reply) == OC_E_GONE)
			break;
	}
	pthread_mutex_unlock(reader->lock);
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
