/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/replaying.h"

#include "tool/words.h"

#include <stdlib.h>
#include <string.h>

const char *replaying_readers(void)
{
	const char *folder = getenv("OPENCCID_READERS");

	return folder && folder[0] ? folder : OPENCCID_DATA_DIR "/readers";
}

/* What the header of a capture says of the reader. */
static void as_capture(const struct replaying *r, struct capture *c)
{
	const struct traffic_reader *t = replaying_reader(r);

	*c = (struct capture){
		.file = r->file.path,
		.has_id = t->has_id,
		.vid = t->vid,
		.pid = t->pid,
		.has_firmware = t->has_firmware,
		.firmware = t->firmware,
		.interface = t->interface,
		.has_interface = t->interface != 0,
		.has_level = t->has_level,
		.level = t->level,
		.has_descriptor = t->has_descriptor,
		.endpoints = t->endpoints ? t->endpoints : 3,
	};
	memcpy(c->descriptor, t->descriptor, sizeof c->descriptor);
}

static bool says(const struct plan *p, uint8_t type)
{
	for (size_t i = 0; i < p->items; i++)
		if (p->item[i].kind == EVENT_OUT && p->item[i].len && p->item[i].bytes[0] == type)
			return true;
	return false;
}

static bool sends_blocks(const struct plan *p)
{
	struct t1_block b;

	for (size_t i = 0; i < p->items; i++)
		if (p->item[i].kind == EVENT_OUT && p->item[i].len > CCID_HEADER_LEN &&
		    p->item[i].bytes[0] == PC_TO_RDR_XFR_BLOCK &&
		    words_t1_split(p->item[i].bytes + CCID_HEADER_LEN, p->item[i].len - CCID_HEADER_LEN, &b))
			return true;
	return false;
}

/* A reader that nobody knows is taken for one of the commonest kind that fits what it was sent. */
static void make_descriptor(struct replaying *r, struct capture *c)
{
	static const uint8_t common[CCID_DESCRIPTOR_LEN] = {
		0x36, 0x21, 0x10, 0x01, 0x00, 0x07, 0x03, 0x00, 0x00, 0x00, 0xA0, 0x0F, 0x00, 0x00,
		0xA0, 0x0F, 0x00, 0x00, 0x00, 0x80, 0x25, 0x00, 0x00, 0x00, 0xB0, 0x04, 0x00, 0x00,
		0xFE, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x38, 0x00,
		0x01, 0x00, 0x0F, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x01,
	};
	enum { FEATURES = 40, LEVEL = 42, AUTO_PARAMETERS = 0x02, AUTO_NEGOTIATION = 0x40 };
	const bool sets = says(r->plan, PC_TO_RDR_SET_PARAMETERS) || sends_blocks(r->plan);

	memcpy(r->descriptor, common, sizeof common);
	if (plan_is_character_level(r->plan))
		r->descriptor[LEVEL] = 0;
	if (!sets && !c->has_level && r->descriptor[LEVEL] && says(r->plan, PC_TO_RDR_XFR_BLOCK)) {
		r->descriptor[FEATURES] |= AUTO_PARAMETERS | AUTO_NEGOTIATION;
		r->descriptor[LEVEL] = 0x02; /* short APDU */
	}
	memcpy(c->descriptor, r->descriptor, sizeof r->descriptor);
	c->has_descriptor = r->made_descriptor = true;
}

bool replaying_find_reader(struct replaying *r)
{
	struct verdict verdict;
	struct capture c;

	as_capture(r, &c);
	/* What people write down of the level is less sure than the descriptor. */
	if (c.has_id && !c.has_descriptor && strcmp(traffic_place(r->file.traffic), "line") == 0)
		c.has_level = false;
	r->level_used = c.has_level;
	if (!c.has_descriptor && !c.has_id)
		make_descriptor(r, &c);
	if (identify(&c, replaying_readers(), &r->identity, &verdict))
		return true;
	c.has_firmware = false;
	if (identify(&c, replaying_readers(), &r->identity, &verdict))
		return true;
	c.has_level = r->level_used = replaying_reader(r)->has_level;
	make_descriptor(r, &c);
	return identify(&c, replaying_readers(), &r->identity, &verdict);
}
