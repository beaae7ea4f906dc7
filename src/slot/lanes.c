/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many slots of a reader work at a time. Where it is one, all share a port and a lock. Where it is more, each slot has its own,
 * and a lane to the reader; where it is more but not all, who comes later takes a seat when one is free.
 */
#include "slot/slot.h"

#include "ccid/recover.h"
#include "slot/wait.h"

enum { LANES_MAX = 16 };

/* A pause between the packets of a message would let those of another one in. */
static bool wants_lanes(const struct reader_setup *setup)
{
	return setup->caps.busy_slots > 1 && setup->caps.slots <= LANES_MAX && !setup->caps.write_pause_ms &&
	       setup->transport->ops->beside;
}

static enum oc_err open_port(const struct reader_setup *setup, struct transport *transport,
			     struct ccid_port *port)
{
	const enum oc_err err =
		ccid_port_open(port, transport, setup->interface, setup->caps.max_message, setup->log);

	if (err != OC_OK)
		return err;
	redact_begin(&port->redact, REDACT_LEVEL(setup->caps.level));
	if (setup->patience_ms)
		port->extension_cap_ms = setup->patience_ms;
	return OC_OK;
}

static enum oc_err open_lane(struct slot *slot, const struct reader_setup *setup)
{
	struct transport *lane = dispatch_lane(slot->reader->dispatch, slot->number);
	enum oc_err err;

	slot->lock = &slot->own_lock;
	if (slot->number == 0) {
		slot->port->transport = lane;
		return OC_OK;
	}
	err = open_port(setup, lane, &slot->own_port);
	slot->own_port.counter = &slot->reader->port.seq;
	slot->port = &slot->own_port;
	return err;
}

static void init_seats(struct seats *seats, unsigned count)
{
	*seats = (struct seats){ .free = count };
	pthread_mutex_init(&seats->lock, NULL);
	wait_init(&seats->changed);
}

enum oc_err lanes_open(struct reader *reader, const struct reader_setup *setup)
{
	enum oc_err err = open_port(setup, setup->transport, &reader->port);

	init_seats(&reader->seats, setup->caps.busy_slots);
	for (unsigned i = 0; i < reader->slots; i++) {
		struct slot *slot = &reader->slot[i];

		pthread_mutex_init(&slot->own_lock, NULL);
		slot->lock = reader->lock;
		slot->port = &reader->port;
	}
	if (err != OC_OK || !wants_lanes(setup))
		return err;
	reader->dispatch = dispatch_new(setup->transport, reader->slots, reader->port.cap, setup->log);
	if (!reader->dispatch)
		return OC_E_MEMORY;
	for (unsigned i = 0; err == OC_OK && i < reader->slots; i++)
		err = open_lane(&reader->slot[i], setup);
	return err;
}

void lanes_close(struct reader *reader)
{
	for (unsigned i = 0; i < reader->slots; i++) {
		struct slot *slot = &reader->slot[i];

		ccid_port_close(&slot->own_port);
		pthread_mutex_destroy(&slot->own_lock);
	}
	ccid_port_close(&reader->port);
	dispatch_free(reader->dispatch);
	pthread_cond_destroy(&reader->seats.changed);
	pthread_mutex_destroy(&reader->seats.lock);
}

void lanes_tell_recoveries(struct reader *reader)
{
	struct ccid_port *sum = &reader->port;

	for (unsigned i = 0; i < reader->slots; i++) {
		const struct ccid_port *port = &reader->slot[i].own_port;

		sum->given_up += port->given_up;
		for (unsigned rung = 0; rung < CCID_RUNGS; rung++)
			sum->climbed[rung] += port->climbed[rung];
	}
	ccid_tell_recoveries(sum);
}

/* ---- a call comes and goes --------------------------------------------------------------------------------------- */

static void take_seat(struct seats *seats)
{
	unsigned ticket;

	pthread_mutex_lock(&seats->lock);
	ticket = seats->next++;
	while (ticket != seats->serving || !seats->free)
		pthread_cond_wait(&seats->changed, &seats->lock);
	seats->serving++;
	seats->free--;
	pthread_cond_broadcast(&seats->changed);
	pthread_mutex_unlock(&seats->lock);
}

static void leave_seat(struct seats *seats)
{
	pthread_mutex_lock(&seats->lock);
	seats->free++;
	pthread_cond_broadcast(&seats->changed);
	pthread_mutex_unlock(&seats->lock);
}

static bool seats_are_scarce(const struct reader *reader)
{
	return reader->dispatch && reader->caps.busy_slots < reader->slots;
}

void lanes_join(struct reader *reader)
{
	if (seats_are_scarce(reader))
		take_seat(&reader->seats);
}

void lanes_leave(struct reader *reader)
{
	if (seats_are_scarce(reader))
		leave_seat(&reader->seats);
}
