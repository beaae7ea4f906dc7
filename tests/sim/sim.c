/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim.h"

#include "loop.h"

#include <stdio.h>

/* The reader that has this slot; *slot becomes the number that it has there. NULL: no such slot. */
static struct sim_reader *find_slot(const struct sim *sim, unsigned *slot)
{
	for (unsigned i = 0; i < sim->dev->functions; i++) {
		struct sim_reader *reader = sim->dev->function[i].reader;

		if (*slot < sim_reader_slots(reader))
			return reader;
		*slot -= sim_reader_slots(reader);
	}
	return NULL;
}

static const char *put_card(struct sim *sim, unsigned slot)
{
	unsigned number = slot;
	struct sim_reader *reader = find_slot(sim, &number);
	struct sim_card *card;

	if (!reader)
		return "no such slot";
	card = sim_card_make(&sim->inside[slot], sim->supplies);
	if (!card)
		return "out of memory";
	return sim_reader_insert(reader, number, card, loop_now()) < 0 ? "there is a card in it" : NULL;
}

const char *sim_plug(struct sim *sim)
{
	enum { BUS = 1, DEVNUM_FIRST = 2, DEVNUM_LAST = 127 };

	if (sim->dev)
		return "the reader is plugged in already";
	/* the kernel gives a device that comes back the next number */
	sim->devnum =
		sim->devnum < DEVNUM_FIRST || sim->devnum == DEVNUM_LAST ? DEVNUM_FIRST : sim->devnum + 1;
	sim->dev = usb_dev_new(sim->identity, sim->identities, BUS, sim->devnum);
	if (!sim->dev)
		return "out of memory";
	for (unsigned i = 0; i < SIM_SLOTS; i++)
		if (sim->present[i])
			put_card(sim, i);
	for (unsigned i = 0; i < SIM_MOODS; i++)
		sim_reader_mood(sim->dev->function[0].reader, (enum sim_mood)i, sim->mood[i]);
	usbfs_server_plug(sim->server, sim->dev);
	if (sim->usbip)
		usbip_server_plug(sim->usbip, sim->dev);
	if (sim->bed)
		testbed_add(sim->bed, sim->dev);
	return NULL;
}

const char *sim_plug_more(struct sim *sim, unsigned count)
{
	if (!sim->bed)
		return "USB/IP shares one reader";
	for (unsigned i = 0; i < count; i++) {
		struct usb_dev *dev =
			usb_dev_new(sim->identity, sim->identities, sim->dev->busnum, sim->devnum + 1 + i);

		if (!dev || usbfs_server_add(sim->server, dev) < 0) {
			usb_dev_free(dev);
			return "there is no room for so many readers";
		}
		sim->others[i] = testbed_port(sim->bed, 2 + i);
		if (!sim->others[i])
			return "out of memory";
		testbed_add(sim->others[i], dev);
	}
	return NULL;
}

void sim_free_more(struct sim *sim)
{
	for (unsigned i = 0; i < USBFS_OTHERS_MAX && sim->others[i]; i++)
		testbed_free(sim->others[i]);
}

static void remember_violations(struct sim *sim, const struct sim_reader *reader)
{
	const char *text;

	for (unsigned i = 0; (text = sim_reader_violation(reader, i)) && sim->past + i < SIM_PAST_MAX; i++)
		snprintf(sim->past_text[sim->past + i], sizeof sim->past_text[0], "%s", text);
	sim->past += sim_reader_stats(reader)->violations;
}

const char *sim_unplug(struct sim *sim)
{
	if (!sim->dev)
		return "the reader is not plugged in";
	for (unsigned i = 0; i < sim->dev->functions; i++)
		remember_violations(sim, sim->dev->function[i].reader);
	if (sim->usbip)
		usbip_server_plug(sim->usbip, NULL);
	usbfs_server_plug(sim->server, NULL);
	sim->dev = NULL;
	if (sim->bed)
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
	unsigned number = slot;
	struct sim_reader *reader;

	if (slot >= SIM_SLOTS || !sim->present[slot])
		return "no card in that slot";
	reader = sim->dev ? find_slot(sim, &number) : NULL;
	if (reader)
		sim_reader_remove(reader, number, loop_now());
	sim->present[slot] = false;
	return NULL;
}

unsigned sim_violations(const struct sim *sim)
{
	unsigned count = sim->past;

	for (unsigned i = 0; sim->dev && i < sim->dev->functions; i++)
		count += sim_reader_stats(sim->dev->function[i].reader)->violations;
	return count;
}
