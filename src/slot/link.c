/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What reader and card have agreed on, told to whoever is curious. Nothing is sent to the card for it. */
#include "slot/slot.h"

#include "ccid/status.h"

/* A block of T=1 is the host's: it knows what the card may get, and how it is checked. */
static void take_from_engine(const struct slot *slot, struct slot_link *link)
{
	const bool announced = !(slot->reader->caps.features & CCID_AUTO_IFSD);

	link->blocks = true;
	link->active.ifsc = slot->t1.ifsc;
	link->active.crc = slot->t1.crc;
	link->ifsd = announced ? slot->t1.ifsd : 0;
}

/* A reader that does not tell, or speaks of another protocol, is no error: then they are not known. */
static enum oc_err ask_reader(struct slot *slot, struct slot_link *link)
{
	const enum oc_err err = slot_get_parameters(slot, &link->active);

	link->known = err == OC_OK && link->active.protocol == slot->protocol;
	/* Where the card was lost over it, the slot has taken note of that. */
	return slot->protocol_set && err != OC_E_GONE ? OC_OK : err;
}

/* A reader that exchanges APDUs may hear of another IFSC from the card, and does not tell by itself. */
static bool must_ask(const struct slot *slot)
{
	const bool blocks_unseen = slot->protocol == CCID_PROTOCOL_T1 && !slot_host_sends_blocks(slot);

	return !slot->agreed || blocks_unseen;
}

static enum oc_err find_out(struct slot *slot, struct slot_link *link)
{
	enum oc_err err = OC_OK;

	*link = (struct slot_link){ .protocol = slot->protocol, .clock_khz = slot->clock_khz };
	if (must_ask(slot)) {
		err = ask_reader(slot, link);
	} else {
		link->active = slot_parameters(slot);
		link->known = true;
	}
	link->blocks = link->known;
	if (slot->protocol == CCID_PROTOCOL_T1 && slot_host_sends_blocks(slot))
		take_from_engine(slot, link);
	return err;
}

enum oc_err slot_get_link(struct slot *slot, struct slot_link *out)
{
	enum oc_err err;

	slot_lock(slot);
	err = slot->protocol_set ? find_out(slot, out) : OC_E_UNPOWERED;
	slot_unlock(slot);
	return err;
}
