/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim.h"

#include "loop.h"

#include <stdio.h>

static const char *put_card(struct sim *sim, unsigned slot)
{
	struct sim_card *card = sim_card_make(&sim->inside[slot], sim->supplies);

	if (!card)
		return "out of memory";
	return sim_reader_insert(sim->dev->reader, slot, card, loop_now()) < 0
		       ? "no such slot, or there is a card in it"
		       : NULL;
}

const char *sim_plug(struct sim *sim)
{
	enum { BUS = 1, DEVNUM_FIRST = 2, DEVNUM_LAST = 127 };

	if (sim->dev)
		return "the reader is plugged in already";
	/* the kernel gives a device that comes back the next number */
	sim->devnum =
		sim->devnum < DEVNUM_FIRST || sim->devnum == DEVNUM_LAST ? DEVNUM_FIRST : sim->devnum + 1;
	sim->dev = usb_dev_new(&sim->identity, BUS, sim->devnum);
	if (!sim->dev)
		return "out of memory";
	for (unsigned i = 0; i < sim_reader_slots(sim->dev->reader); i++)
		if (sim->present[i])
			put_card(sim, i);
	usbfs_server_plug(sim->server, sim->dev);
	testbed_add(sim->bed, sim->dev);
	return NULL;
}

static void remember_violations(struct sim *sim)
{
	const struct sim_reader *reader = sim->dev->reader;
	const char *text;

	for (unsigned i = 0; (text = sim_reader_violation(reader, i)) && sim->past + i < SIM_PAST_MAX; i++)
		snprintf(sim->past_text[sim->past + i], sizeof sim->past_text[0], "%s", text);
	sim->past += sim_reader_stats(reader)->violations;
}

const char *sim_unplug(struct sim *sim)
{
	if (!sim->dev)
		return "the reader is not plugged in";
	remember_violations(sim);
	usbfs_server_plug(sim->server, NULL);
	sim->dev = NULL;
	testbed_remove(sim->bed);
	return NULL;
}

const char *sim_insert(struct sim *sim, unsigned slot)
{
	const char *why = NULL;

	if (slot >= SIM_SLOTS || sim->present[slot])
		return "no such slot, or there is a card in it";
	sim->inside[slot] = sim->next;
	if (sim->dev)
		why = put_card(sim, slot);
	sim->present[slot] = !why;
	return why;
}

const char *sim_remove(struct sim *sim, unsigned slot)
{
	if (slot >= SIM_SLOTS || !sim->present[slot])
		return "no card in that slot";
	if (sim->dev)
		sim_reader_remove(sim->dev->reader, slot, loop_now());
	sim->present[slot] = false;
	return NULL;
}

unsigned sim_violations(const struct sim *sim)
{
	return sim->past + (sim->dev ? sim_reader_stats(sim->dev->reader)->violations : 0);
}
