/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening and closing a reader, and what all its slots share. */
#include "slot/slot.h"

#include "ccid/recover.h"
#include "ccid/status.h"
#include "slot/wait.h"

#include <stdlib.h>
#include <string.h>

enum {
	OPEN_MS = 1000, /* some readers need most of a second before they answer for the first time */
	CLOSE_MS = 500,
};

/* ---- first contact ----------------------------------------------------------------------------------------------- */

static enum oc_err wait_for_start(struct reader *reader)
{
	struct transport *t = reader->transport;

	if (reader->caps.open_pause_ms && !reader->caps.power_off_at_open)
		t->ops->pause(t, reader->caps.open_pause_ms);
	return OC_OK;
}

static enum oc_err resync(struct reader *reader)
{
	return reader->caps.resync_at_open ? ccid_resync(&reader->port, 0) : OC_OK;
}

/* A reader that still works on something of the session before takes IccPowerOff only after a while. */
static enum oc_err power_off_at_open(struct reader *reader)
{
	const struct ccid_command command = ccid_icc_power_off(0);
	struct transport *t = reader->transport;
	enum oc_err err = OC_OK;

	for (uint32_t i = 0; i < reader->caps.power_off_at_open; i++) {
		struct ccid_reply reply;

		err = ccid_exchange_quiet(&reader->port, &command, CLOSE_MS, &reply);
		if (err == OC_E_GONE || reader->port.silent)
			return err;
		if (err == OC_OK || err == OC_E_NO_CARD)
			break;
	}
	if (reader->caps.open_pause_ms && reader->caps.power_off_at_open)
		t->ops->pause(t, reader->caps.open_pause_ms);
	return OC_OK;
}

static enum oc_err probe(struct reader *reader)
{
	const struct ccid_command command = ccid_get_slot_status(0);
	struct ccid_reply reply;
	enum oc_err err;

	if (reader->caps.resync_at_open)
		return OC_OK; /* it has answered already */
	err = ccid_exchange_quiet(&reader->port, &command, OPEN_MS, &reply);
	if (reply.type != 0)
		return OC_OK; /* refused or not: the reader is there and listens */
	if (err == OC_OK || err == OC_E_GONE || reader->port.silent)
		return err;
	err = ccid_exchange_quiet(&reader->port, &command, OPEN_MS, &reply);
	return reply.type != 0 ? OC_OK : err;
}

/* Only a reader that is gone ends the opening here: whatever else happens, it does without. */
static enum oc_err run_step(struct reader *reader, const struct open_step *step)
{
	const struct ccid_command command = ccid_escape(0, step->len);
	struct ccid_reply reply;
	enum oc_err err;
	size_t cap;

	if (CCID_HEADER_LEN + step->len > reader->caps.max_message)
		return OC_OK;
	memcpy(ccid_payload(&reader->port, &cap), step->bytes, step->len);
	err = ccid_exchange_quiet(&reader->port, &command, step->wait_ms, &reply);
	if (err == OC_OK && step->answer)
		step->answer(step->arg, &reader->caps, reply.data, reply.len);
	return err == OC_E_GONE ? err : OC_OK;
}

enum oc_err reader_make_contact(struct reader *reader)
{
	static enum oc_err (*const stages[])(struct reader *) = { wait_for_start, resync, power_off_at_open,
								  probe };
	enum oc_err err = OC_OK;

	for (size_t i = 0; err == OC_OK && i < sizeof stages / sizeof stages[0]; i++)
		err = stages[i](reader);
	return err;
}

static enum oc_err begin(struct reader *reader, const struct reader_setup *setup)
{
	enum oc_err err = reader_make_contact(reader);

	reader_count_restarts(reader);
	for (size_t i = 0; err == OC_OK && i < setup->step_count; i++)
		err = run_step(reader, &setup->steps[i]);
	return err;
}

/* ---- open and close ---------------------------------------------------------------------------------------------- */

static void init_locks(struct reader *reader)
{
	pthread_mutex_init(&reader->own_lock, NULL);
	pthread_mutex_init(&reader->once_lock, NULL);
	pthread_mutex_init(&reader->events.lock, NULL);
	wait_init(&reader->events.changed);
}

static void destroy(struct reader *reader)
{
	pthread_cond_destroy(&reader->events.changed);
	pthread_mutex_destroy(&reader->events.lock);
	pthread_mutex_destroy(&reader->once_lock);
	pthread_mutex_destroy(&reader->own_lock);
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
	reader->interrupt = setup->interrupt && !setup->caps.no_interrupt;
	reader->slots = setup->caps.slots;
	init_locks(reader);
	for (unsigned i = 0; i < reader->slots; i++) {
		reader->slot[i].reader = reader;
		reader->slot[i].number = (uint8_t)i;
		slot_forget_card(&reader->slot[i]);
		reader->slot[i].present = slot_is_undetected(&reader->slot[i]);
	}
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
	err = lanes_open(reader, setup);
	/* Interfaces of one device share the lock, and others of them may be in use already. */
	pthread_mutex_lock(reader->lock);
	if (err == OC_OK)
		err = begin(reader, setup);
	pthread_mutex_unlock(reader->lock);
	if (err != OC_OK) {
		lanes_close(reader);
		destroy(reader);
		return err;
	}
	*out = reader;
	return OC_OK;
}

static enum oc_err leave_card(struct slot *slot)
{
	const struct ccid_command command = ccid_icc_power_off(slot->number);
	struct ccid_reply reply;
	enum oc_err err = OC_OK;

	slot_lock(slot);
	if (slot->powered)
		err = ccid_exchange_quiet(slot->port, &command, CLOSE_MS, &reply);
	slot_unlock(slot);
	return err;
}

void reader_close(struct reader *reader)
{
	struct transport *t = reader->transport;
	enum oc_err err = OC_OK;

	for (unsigned i = 0; err != OC_E_GONE && i < reader->slots; i++)
		err = leave_card(&reader->slot[i]);
	lanes_tell_recoveries(reader);
	lanes_close(reader);
	destroy(reader);
	t->ops->close(t);
}

void reader_note_gone(struct reader *reader)
{
	pthread_mutex_lock(&reader->events.lock);
	reader->events.broken = OC_E_GONE;
	pthread_cond_broadcast(&reader->events.changed);
	pthread_mutex_unlock(&reader->events.lock);
}

void reader_gone(struct reader *reader)
{
	reader->transport->ops->gone(reader->transport);
	/* Those who wait for the listener, not for the device. */
	reader_note_gone(reader);
}

struct slot *reader_slot(struct reader *reader, unsigned n)
{
	return n < reader->slots ? &reader->slot[n] : NULL;
}

const struct ccid_caps *reader_caps(const struct reader *reader)
{
	return &reader->caps;
}
