/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The attributes SCARD_ATTR_CURRENT_*: what holds for this card until its next reset. Times are counted in etu. */
#include "ifd/attributes.h"

#include <ifdhandler.h>
#include <reader.h>

enum {
	WORK_ETU = 960,    /* ISO/IEC 7816-3, 10.2 */
	BLOCK_FD = 372,    /* 11.4.3 */
	GAP_ETU = 11,      /* the character itself, in BWT and CWT */
	ANY_PROTOCOL = -1, /* of struct row */
};

/* The parameters of a card, taken apart. */
struct terms {
	const struct slot_link *link;
	unsigned f, d;
};

static uint32_t protocol_of(const struct terms *t)
{
	return t->link->protocol == CCID_PROTOCOL_T1 ? SCARD_PROTOCOL_T1 : SCARD_PROTOCOL_T0;
}

static uint32_t f_of(const struct terms *t)
{
	return t->f;
}

static uint32_t d_of(const struct terms *t)
{
	return t->d;
}

static uint32_t n_of(const struct terms *t)
{
	return t->link->active.guard_time;
}

static uint32_t work_waiting_of(const struct terms *t)
{
	return t->link->active.waiting * (uint32_t)WORK_ETU * t->d;
}

/* 2^BWI x 960 x 372 / f on top of a character, as multiples of the etu F / (D x f), rounded up */
static uint32_t block_waiting_of(const struct terms *t)
{
	const unsigned bwi = t->link->active.waiting >> 4;
	const uint64_t cycles = ((uint64_t)WORK_ETU * BLOCK_FD << bwi) * t->d;

	return GAP_ETU + (uint32_t)((cycles + t->f - 1) / t->f);
}

static uint32_t character_waiting_of(const struct terms *t)
{
	return GAP_ETU + (1u << (t->link->active.waiting & 15));
}

static uint32_t ifsc_of(const struct terms *t)
{
	return t->link->active.ifsc;
}

static uint32_t ifsd_of(const struct terms *t)
{
	return t->link->ifsd;
}

static uint32_t crc_of(const struct terms *t)
{
	return t->link->active.crc;
}

/* What has to be known for it */
enum need { NOTHING, BLOCKS, PARAMETERS };

static const struct row {
	unsigned long tag;
	int protocol; /* the only one that it belongs to, or ANY_PROTOCOL */
	enum need need;
	uint32_t (*number)(const struct terms *t);
} rows[] = {
	{ SCARD_ATTR_CURRENT_PROTOCOL_TYPE, ANY_PROTOCOL, NOTHING, protocol_of },
	{ SCARD_ATTR_CURRENT_F, ANY_PROTOCOL, PARAMETERS, f_of },
	{ SCARD_ATTR_CURRENT_D, ANY_PROTOCOL, PARAMETERS, d_of },
	{ SCARD_ATTR_CURRENT_N, ANY_PROTOCOL, PARAMETERS, n_of },
	{ SCARD_ATTR_CURRENT_W, CCID_PROTOCOL_T0, PARAMETERS, work_waiting_of },
	{ SCARD_ATTR_CURRENT_IFSC, CCID_PROTOCOL_T1, BLOCKS, ifsc_of },
	{ SCARD_ATTR_CURRENT_IFSD, CCID_PROTOCOL_T1, BLOCKS, ifsd_of },
	{ SCARD_ATTR_CURRENT_BWT, CCID_PROTOCOL_T1, PARAMETERS, block_waiting_of },
	{ SCARD_ATTR_CURRENT_CWT, CCID_PROTOCOL_T1, PARAMETERS, character_waiting_of },
	{ SCARD_ATTR_CURRENT_EBC_ENCODING, CCID_PROTOCOL_T1, BLOCKS, crc_of },
};

static const struct row *find(unsigned long tag)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].tag == tag)
			return &rows[i];
	return NULL;
}

/* Before its first use a card has no protocol: that is no failure. */
static enum oc_err get_link(struct slot *slot, struct slot_link *link)
{
	const enum oc_err err = slot_get_link(slot, link);

	return err == OC_E_UNPOWERED || err == OC_E_NO_CARD ? OC_E_UNSUPPORTED : err;
}

/* A reader that may change the clock by itself works with its default one only where there is no other. */
static enum oc_err current_clock(struct binding *b, uint32_t *khz)
{
	const struct ccid_descriptor *d = &b->device->descriptor;
	const bool fixed = !(d->dwFeatures & CCID_AUTO_CLOCK) || d->dwMaximumClock == d->dwDefaultClock;
	struct slot_link link;
	const enum oc_err err = get_link(b->slot, &link);

	if (err != OC_OK)
		return err;
	*khz = link.clock_khz ? link.clock_khz : fixed ? d->dwDefaultClock : 0;
	return *khz ? OC_OK : OC_E_UNSUPPORTED;
}

/* Takes the parameters apart, too. */
static bool is_known(const struct row *row, struct terms *t)
{
	const struct slot_link *link = t->link;

	if (row->protocol != ANY_PROTOCOL && row->protocol != (int)link->protocol)
		return false;
	if (row->need == PARAMETERS)
		return link->known && atr_fi_di(link->active.fi_di, &t->f, &t->d);
	return row->need == NOTHING || link->blocks;
}

enum oc_err attribute_of_link(struct binding *b, unsigned long tag, uint32_t *number)
{
	const struct row *row = find(tag);
	struct slot_link link;
	struct terms t = { .link = &link };
	enum oc_err err;

	if (tag == SCARD_ATTR_CURRENT_CLK)
		return current_clock(b, number);
	if (!row)
		return OC_E_UNSUPPORTED;
	err = get_link(b->slot, &link);
	if (err != OC_OK)
		return err;
	if (!is_known(row, &t))
		return OC_E_UNSUPPORTED;
	*number = row->number(&t);
	/* Only N and EBC may be 0: an IFSD of 0 was never told, and WI, IFSC and their like are never 0. */
	return *number || row->number == n_of || row->number == crc_of ? OC_OK : OC_E_UNSUPPORTED;
}
