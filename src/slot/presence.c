/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is there a card? Asked with GetSlotStatus; waited for on the interrupt endpoint.
 *
 * A reader with several slots has one interrupt endpoint, and one thread of pcscd for each slot. The first thread that
 * waits listens for all; when it leaves, another one takes over.
 */
#include "slot/slot.h"

#include "ccid/status.h"
#include "slot/wait.h"

enum {
	RESTARTS_MAX = 4, /* of the device in a row, without an event or a quiet wait in between */
	EVENT_BUFFER = 1 + 256 / 4 + 64, /* NotifySlotChange of 256 slots, and room for a second event */
};

/*
 * A reader that powers cards by itself shows a swapped card as active again, and one that is not asked shows nothing: only the
 * event told of the removal.
 */
static bool swapped_unnoticed(struct slot *slot)
{
	struct reader *reader = slot->reader;
	bool seen;

	pthread_mutex_lock(&reader->events.lock);
	seen = slot->removal_seen;
	slot->removal_seen = false;
	pthread_mutex_unlock(&reader->events.lock);
	return seen && slot->powered &&
	       ((reader->caps.features & CCID_AUTO_ACTIVATE) || reader->caps.presence_by_event);
}

/* For the watcher only; under events.lock. */
static bool is_loss_due(const struct slot *slot)
{
	struct transport *t = slot->reader->transport;

	return slot->loss.pending && slot_is_watcher(slot) && t->ops->now(t) >= slot->loss.due;
}

/* Is the card reported absent, since it lost its power? Who never waits hears of it once. */
static bool tell_loss(struct slot *slot)
{
	struct reader *reader = slot->reader;
	bool due, first;

	pthread_mutex_lock(&reader->events.lock);
	due = is_loss_due(slot);
	first = due && !slot->loss.told;
	slot->loss.told |= due;
	slot->loss.pending &= slot->watched || !due;
	pthread_mutex_unlock(&reader->events.lock);
	if (first)
		OC_LOG(reader->log, OC_LOG_INFO,
		       "slot %u: the card lost its power; it is treated as a new one", slot->number);
	return due;
}

/* The watcher has to hear of it, also where a client asks and the card is back before the watcher does. */
static void card_is_absent(struct slot *slot)
{
	struct reader *reader = slot->reader;
	bool watcher;

	pthread_mutex_lock(&reader->events.lock);
	watcher = slot_is_watcher(slot);
	pthread_mutex_unlock(&reader->events.lock);
	if (watcher)
		slot_forget_card(slot);
	else
		slot_lost_card(slot);
}

/* What the slot status means, given what was known before. */
static bool judge_presence(struct slot *slot, enum ccid_icc icc)
{
	const bool swapped = swapped_unnoticed(slot);

	if (icc == CCID_ICC_ABSENT) {
		card_is_absent(slot);
		return false;
	}
	if (slot->powered && (icc == CCID_ICC_INACTIVE || swapped))
		slot_lost_card(slot);
	return !tell_loss(slot);
}

/*
 * What is said to who asks: no client is told that there is a card before pcscd's event thread is, which would then start it
 * while the client uses it. The watcher of a device that is gone hears what it knows: to report a card as removed, pcscd's
 * event thread undoes the mark that ends it, if that was set in the same moment, and is waited for by the one who set it.
 */
static bool what_to_say(const struct slot *slot, bool present, bool gone)
{
	if (!slot_is_watcher(slot))
		return present && slot->told_present;
	if (!gone || slot->given_up)
		return present;
	return slot->watched ? slot->heard_present : slot->told_present;
}

static bool say_presence(struct slot *slot, bool present, bool gone)
{
	struct reader *reader = slot->reader;

	pthread_mutex_lock(&reader->events.lock);
	present = what_to_say(slot, present, gone);
	if (slot_is_watcher(slot))
		slot->told_present = present;
	pthread_mutex_unlock(&reader->events.lock);
	return present;
}

/* Also a refusal carries the state of the slot; "mute" is what some readers say of an empty one. */
static enum ccid_icc state_of(const struct ccid_reply *reply)
{
	const bool mute =
		ccid_command_status_of(reply->status) == CCID_FAILED && reply->error == CCID_ICC_MUTE;

	return mute ? CCID_ICC_ABSENT : ccid_icc_of(reply->status);
}

/* From the first look on the notifications tell, those included that came before it. */
static void note_first_look(struct slot *slot, bool present)
{
	struct reader *reader = slot->reader;

	pthread_mutex_lock(&reader->events.lock);
	if (!slot->looked && !slot->notified)
		slot->noted_present = present;
	pthread_mutex_unlock(&reader->events.lock);
	slot->looked = true;
}

static enum oc_err ask_presence(struct slot *slot)
{
	const struct ccid_command command = ccid_get_slot_status(slot->number);
	struct ccid_reply reply;
	const enum oc_err err = ccid_exchange_quiet(slot->port, &command, CCID_QUICK_MS, &reply);

	if (reply.type != 0) {
		const enum ccid_icc icc = state_of(&reply);

		note_first_look(slot, icc != CCID_ICC_ABSENT);
		slot->present = judge_presence(slot, icc);
		return OC_OK;
	}
	if (err != OC_E_GONE)
		slot_lost_card(slot);
	return err;
}

/* presence_by_event: is it known without asking? As long as somebody can listen it is. */
static bool noted(struct slot *slot, bool *present)
{
	struct reader *reader = slot->reader;
	bool listens;

	pthread_mutex_lock(&reader->events.lock);
	*present = slot->noted_present;
	listens = reader->events.broken == OC_OK;
	pthread_mutex_unlock(&reader->events.lock);
	return reader->caps.presence_by_event && reader->interrupt && slot->looked && listens;
}

static bool has_lost_card(struct slot *slot)
{
	struct reader *reader = slot->reader;
	bool lost;

	pthread_mutex_lock(&reader->events.lock);
	lost = slot->loss.pending;
	pthread_mutex_unlock(&reader->events.lock);
	return lost;
}

/* undetected_1: a card that was lost is reported absent all the same; an empty slot is tried now and then. */
static void guess_presence(struct slot *slot)
{
	if (has_lost_card(slot)) {
		slot->present = judge_presence(slot, CCID_ICC_INACTIVE);
		slot->look_again = 0;
		return;
	}
	if (!slot->present)
		slot->present = slot_card_answers(slot);
}

static bool is_gone(struct reader *reader)
{
	bool gone;

	pthread_mutex_lock(&reader->events.lock);
	gone = reader->events.broken == OC_E_GONE;
	pthread_mutex_unlock(&reader->events.lock);
	return gone;
}

enum oc_err slot_presence(struct slot *slot, bool *present)
{
	enum oc_err err = OC_OK;
	bool there;

	slot_lock(slot);
	if (is_gone(slot->reader))
		err = OC_E_GONE;
	else if (slot_is_undetected(slot))
		guess_presence(slot);
	else if (noted(slot, &there))
		slot->present = judge_presence(slot, !there          ? CCID_ICC_ABSENT
						     : slot->powered ? CCID_ICC_ACTIVE
								     : CCID_ICC_INACTIVE);
	else
		err = ask_presence(slot);
	if (err == OC_E_GONE)
		reader_note_gone(slot->reader);
	*present = say_presence(slot, err == OC_OK && slot->present, err == OC_E_GONE);
	slot_unlock(slot);
	return err;
}

/* As judge_presence(), but what it would report is left for slot_presence(). */
static void note_state(struct slot *slot, enum ccid_icc icc)
{
	const bool swapped = swapped_unnoticed(slot);

	if (slot->powered && (icc == CCID_ICC_ABSENT || icc == CCID_ICC_INACTIVE || swapped))
		slot_lost_card(slot);
}

/* A reader that powers cards by itself need not be told to; of any other one "active" is believed after a power-on only. */
static enum slot_contact contact_of(const struct slot *slot, enum ccid_icc icc)
{
	const bool may_be = slot->powered || (slot->reader->caps.features & CCID_AUTO_ACTIVATE);

	if (icc == CCID_ICC_ABSENT)
		return SLOT_EMPTY;
	return icc == CCID_ICC_ACTIVE && may_be ? SLOT_ACTIVE : SLOT_CARD;
}

static enum slot_contact contact_without_asking(const struct slot *slot, bool present)
{
	if (!present)
		return SLOT_EMPTY;
	return slot->powered ? SLOT_ACTIVE : SLOT_CARD;
}

static enum oc_err look(struct slot *slot, enum slot_contact *contact)
{
	const struct ccid_command command = ccid_get_slot_status(slot->number);
	struct ccid_reply reply;
	enum oc_err err;

	err = ccid_exchange_quiet(slot->port, &command, CCID_QUICK_MS, &reply);
	if (reply.type == 0) {
		if (err != OC_E_GONE)
			slot_lost_card(slot);
		return err;
	}
	note_first_look(slot, state_of(&reply) != CCID_ICC_ABSENT);
	note_state(slot, state_of(&reply));
	*contact = contact_of(slot, state_of(&reply));
	return OC_OK;
}

enum oc_err slot_look(struct slot *slot, enum slot_contact *contact)
{
	enum oc_err err = OC_OK;
	bool there;

	slot_lock(slot);
	if (slot_is_undetected(slot)) {
		*contact = contact_without_asking(slot, slot->present);
	} else if (noted(slot, &there)) {
		note_state(slot, there ? CCID_ICC_ACTIVE : CCID_ICC_ABSENT);
		*contact = contact_without_asking(slot, there);
	} else {
		err = look(slot, contact);
	}
	slot_unlock(slot);
	return err;
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

/*
 * The first notification after the reader was opened tells of a card that was there before, or of none: what pcscd knows
 * already is no event. A lone slot is looked at whatever the bits say: some readers set the wrong ones.
 */
static void take_notification(struct slot *slot, bool present, bool changed)
{
	const bool known = !slot->notified && present == slot->told_present;

	slot->notified = true;
	slot->noted_present = present;
	if (known)
		return;
	slot->event |= changed || slot->reader->slots == 1;
	slot->removal_seen |= !present;
}

static void take_event(struct reader *reader, const struct ccid_event *event)
{
	if (event->type == RDR_TO_PC_HARDWARE_ERROR) {
		OC_LOG(reader->log, OC_LOG_CRITICAL,
		       "slot %u: the reader reports a hardware error, code %02X", event->slot, event->error);
		if (event->slot < reader->slots)
			reader->slot[event->slot].event = true;
		return;
	}
	for (unsigned i = 0; i < reader->slots; i++) {
		struct slot *slot = &reader->slot[i];
		bool present, changed;

		if (!ccid_event_slot(event, i, &present, &changed))
			continue;
		take_notification(slot, present, changed);
	}
}

static void take_events(struct reader *reader, const uint8_t *bytes, size_t len)
{
	struct ccid_event event;

	while (ccid_next_event(&bytes, &len, reader->slots, &event))
		take_event(reader, &event);
	if (len)
		OC_LOG(reader->log, OC_LOG_INFO,
		       "ignored %zu bytes of an interrupt message, beginning with %02X", len, bytes[0]);
}

/* Every slot has to be looked at; a device that does nothing but start afresh is not worth listening to. */
static enum oc_err take_restart(struct reader *reader)
{
	for (unsigned i = 0; i < reader->slots; i++) {
		reader->slot[i].event = true;
		reader->slot[i].notified = false;
	}
	return ++reader->events.restarts < RESTARTS_MAX ? OC_OK : OC_E_RESTARTED;
}

/* Listen for everybody; called and left with events.lock held. */
static void listen_for_all(struct reader *reader, unsigned ms)
{
	struct transport *t = reader->transport;
	uint8_t bytes[EVENT_BUFFER];
	size_t len = 0;
	enum oc_err err;

	reader->events.listening = true;
	pthread_mutex_unlock(&reader->events.lock);
	err = t->ops->interrupt(t, bytes, sizeof bytes, &len, ms);
	pthread_mutex_lock(&reader->events.lock);
	reader->events.listening = false;
	if (err == OC_E_RESTARTED)
		err = take_restart(reader);
	else
		reader->events.restarts = 0;
	if (err == OC_OK)
		take_events(reader, bytes, len);
	else if (err != OC_E_TIMEOUT && err != OC_E_STOPPED)
		reader->events.broken = err;
	/* Somebody else has to listen now, or has got an event. */
	pthread_cond_broadcast(&reader->events.changed);
}

bool slot_has_events(const struct slot *slot)
{
	/* What a slot cannot see, no notification tells. */
	return slot->reader->interrupt && !slot_is_undetected(slot);
}

/* Who waits is the watcher; what it was told before is known to pcscd now, which has to look again at once. */
static void begin_to_watch(struct slot *slot)
{
	slot->watcher = pthread_self();
	slot->watched = true;
	slot->heard_present = slot->told_present;
	if (!slot->loss.told)
		return;
	slot->loss.pending = false;
	slot->loss.told = false;
	slot->event = true;
}

static bool is_told_of_events(const struct slot *slot)
{
	return slot_has_events(slot) && slot->reader->events.broken == OC_OK;
}

/* When the wait that began at @since is over if nothing happens. */
static uint64_t watch_until(const struct slot *slot, uint64_t since, unsigned ms)
{
	const uint64_t until = since + (ms > POLL_MS && !is_told_of_events(slot) ? POLL_MS : ms);

	return slot->loss.pending && slot->loss.due < until ? slot->loss.due : until;
}

/* One step of the wait: is it worth another look? Called and left with events.lock held. */
static bool watch(struct slot *slot, uint64_t since, unsigned ms)
{
	struct reader *reader = slot->reader;
	struct transport *t = reader->transport;
	const uint64_t now = t->ops->now(t), until = watch_until(slot, since, ms);

	if (now >= until)
		return false;
	if (is_told_of_events(slot) && !reader->events.listening) {
		listen_for_all(reader, (unsigned)(until - now));
		return true;
	}
	return wait_ms(&reader->events.changed, &reader->events.lock, (unsigned)(until - now));
}

enum oc_err slot_wait_event(struct slot *slot, unsigned ms)
{
	struct reader *reader = slot->reader;
	struct transport *t = reader->transport;
	const uint64_t since = t->ops->now(t);
	enum oc_err err = OC_OK;
	bool goes_on = true;

	pthread_mutex_lock(&reader->events.lock);
	begin_to_watch(slot);
	while (goes_on && !slot->event && !slot->stop) {
		err = reader->events.broken == OC_E_GONE ? OC_E_GONE : OC_OK;
		goes_on = err == OC_OK && watch(slot, since, ms);
	}
	slot->event = false;
	slot->stop = false;
	pthread_mutex_unlock(&reader->events.lock);
	return err;
}

bool slot_await_stop(struct slot *slot, unsigned ms)
{
	struct reader *reader = slot->reader;
	struct transport *t = reader->transport;
	const uint64_t until = t->ops->now(t) + ms;
	bool stopped, in_time = true;

	pthread_mutex_lock(&reader->events.lock);
	while (!slot->stop && in_time) {
		const uint64_t now = t->ops->now(t);

		in_time = now < until &&
			  wait_ms(&reader->events.changed, &reader->events.lock, (unsigned)(until - now));
	}
	stopped = slot->stop;
	slot->stop = false;
	slot->given_up |= !stopped;
	pthread_mutex_unlock(&reader->events.lock);
	return stopped;
}

void slot_stop_wait(struct slot *slot)
{
	struct reader *reader = slot->reader;

	pthread_mutex_lock(&reader->events.lock);
	slot->stop = true;
	reader_wake_sleepers(reader);
	pthread_mutex_unlock(&reader->events.lock);
}
