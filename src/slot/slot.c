/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every file of this folder does with a slot: exchange a message, forget a card. */
#include "slot/slot.h"

#include "base/bytes.h"
#include "ccid/status.h"

enum { SHORT_ESCAPE_MS = 2000 };

static void forget_state(struct slot *slot)
{
	memset(slot->atr_bytes, 0, sizeof slot->atr_bytes);
	slot->atr_len = 0;
	slot->atr = (struct atr){ 0 };
	slot->atr_valid = false;
	slot->powered = false;
	slot->protocol_set = false;
	slot->agreed = false;
	slot->clock_khz = 0;
	slot->unproven = false;
	slot->timing = (struct timing){ .clock_khz = slot->reader->caps.clock_khz };
	slot->t1.dead = true; /* the rest belongs to an exchange that may be running */
}

void slot_forget_card(struct slot *slot)
{
	struct reader *reader = slot->reader;

	forget_state(slot);
	pthread_mutex_lock(&reader->events.lock);
	slot->loss.pending = false;
	slot->loss.told = false;
	pthread_mutex_unlock(&reader->events.lock);
}

void slot_wipe(struct slot *slot)
{
	ccid_port_wipe(slot->port);
	if (slot->reader->caps.level != CCID_CHARACTER)
		return; /* the two below belong to it */
	bytes_wipe(slot->block, sizeof slot->block);
	bytes_wipe(&slot->character, sizeof slot->character);
}

static unsigned count_restarts(const struct reader *reader)
{
	struct transport *t = reader->transport;

	return t->ops->restarts ? t->ops->restarts(t) : 0;
}

void reader_count_restarts(struct reader *reader)
{
	reader->restarts = count_restarts(reader);
	for (unsigned i = 0; i < reader->slots; i++)
		reader->slot[i].restarts = reader->restarts;
}

/* What a device was told at open is forgotten when it starts afresh, and so is half an ABORT. Under the lock of slot 0. */
static void take_up_again(struct reader *reader, unsigned restarts)
{
	if (reader->restarts == restarts)
		return;
	reader->restarts = restarts;
	OC_LOG(reader->log, OC_LOG_INFO,
	       "the system has suspended or reset the reader, or its port was reset: its cards start anew");
	pthread_mutex_lock(&reader->once_lock);
	reader->interrupt_cleared = false;
	pthread_mutex_unlock(&reader->once_lock);
	/* Each of them learns of it when it is looked at. */
	for (unsigned i = 0; i < reader->slots; i++)
		slot_raise_event(&reader->slot[i]);
	if (!reader->port.hopeless && reader_make_contact(reader) == OC_OK)
		slot_send_escape(&reader->slot[0], &reader->caps.open_escape);
}

/* The first slot that notices lets slot 0 make contact for all, which may be at work on something else. */
static void start_afresh(struct slot *slot, unsigned restarts)
{
	struct reader *reader = slot->reader;
	struct slot *first = &reader->slot[0];

	slot->restarts = restarts;
	slot->looked = false;
	slot_lost_card(slot);
	if (slot->lock == first->lock) {
		take_up_again(reader, restarts);
		return;
	}
	pthread_mutex_lock(first->lock);
	lanes_join(reader);
	take_up_again(reader, restarts);
	lanes_leave(reader);
	pthread_mutex_unlock(first->lock);
}

/* Who waits for the lock of slot 0 or has a seat must not wait for the other one of them. */
void slot_lock(struct slot *slot)
{
	unsigned restarts;

	pthread_mutex_lock(slot->lock);
	restarts = count_restarts(slot->reader);
	if (restarts != slot->restarts)
		start_afresh(slot, restarts);
	lanes_join(slot->reader);
}

void slot_unlock(struct slot *slot)
{
	lanes_leave(slot->reader);
	pthread_mutex_unlock(slot->lock);
}

void reader_wake_sleepers(struct reader *reader)
{
	pthread_cond_broadcast(&reader->events.changed);
	if (reader->events.listening)
		reader->transport->ops->wake(reader->transport);
}

void slot_raise_event(struct slot *slot)
{
	struct reader *reader = slot->reader;

	pthread_mutex_lock(&reader->events.lock);
	slot->event = true;
	reader_wake_sleepers(reader);
	pthread_mutex_unlock(&reader->events.lock);
}

bool slot_is_watcher(const struct slot *slot)
{
	return !slot->watched || pthread_equal(slot->watcher, pthread_self());
}

void slot_lost_card(struct slot *slot)
{
	struct reader *reader = slot->reader;
	struct transport *t = reader->transport;
	const bool lost = slot->powered;

	forget_state(slot);
	if (!lost)
		return;
	slot->strange = true;
	pthread_mutex_lock(&reader->events.lock);
	slot->loss.pending = true;
	slot->loss.told = false;
	slot->loss.due = t->ops->now(t) + (slot_is_watcher(slot) ? 0 : LOSS_GRACE_MS);
	reader_wake_sleepers(reader);
	pthread_mutex_unlock(&reader->events.lock);
}

enum oc_err slot_exchange(struct slot *slot, const struct ccid_command *command, unsigned wait_ms,
			  struct ccid_reply *reply)
{
	const enum oc_err err = ccid_exchange(slot->port, command, wait_ms, reply);

	if (err == OC_OK || err == OC_E_SPACE || err == OC_E_GONE)
		return err;
	if (reply->type == 0) {
		/* No answer: whatever brought the reader back to order may have cost the card its state. */
		slot_lost_card(slot);
		return err;
	}
	/*
	 * A card that is back before pcscd looks again must be reported absent all the same: the application has
	 * been told that it is gone.
	 */
	if (err == OC_E_NO_CARD || (slot->powered && ccid_icc_of(reply->status) == CCID_ICC_INACTIVE))
		slot_lost_card(slot);
	return err;
}

enum oc_err slot_send_escape(struct slot *slot, const struct ccid_bytes *bytes)
{
	struct ccid_port *port = slot->port;
	const struct ccid_command command = ccid_escape(slot->number, bytes->len);
	struct ccid_reply reply;
	enum oc_err err;
	size_t cap;

	if (!bytes->len)
		return OC_OK;
	memcpy(ccid_payload(port, &cap), bytes->at, bytes->len);
	err = ccid_exchange_quiet(port, &command, SHORT_ESCAPE_MS, &reply);
	if (err != OC_OK && reply.type == 0)
		slot_lost_card(slot);
	return reply.type != 0 ? OC_OK : err;
}

void slot_get_state(struct slot *slot, struct slot_state *out)
{
	slot_lock(slot);
	*out = (struct slot_state){
		.atr_len = slot->atr_len,
		.powered = slot->powered,
		.present = slot->present,
		.protocol_set = slot->protocol_set,
		.strange = slot->strange,
		.protocol = slot->protocol,
	};
	memcpy(out->atr, slot->atr_bytes, sizeof out->atr);
	slot_unlock(slot);
}
