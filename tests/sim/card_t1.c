/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The T=1 card at its contacts: ATR, PPS, and characters that make blocks. */
#include "card_t1.h"
#include "atr.h"
#include "pps.h"

#include <stdlib.h>
#include <string.h>

/* ---- ATR ----------------------------------------------------------------------------------------------------------- */

struct group {
	int ta, tb, tc; /* -1: absent */
	uint8_t t;      /* of the TD before it; unused in the first */
};

static size_t put_group(const struct group *g, const struct group *next, uint8_t *low, uint8_t *atr,
			size_t len)
{
	*low = (uint8_t)(*low | (g->ta >= 0) << 4 | (g->tb >= 0) << 5 | (g->tc >= 0) << 6 |
			 (next != NULL) << 7);
	if (g->ta >= 0)
		atr[len++] = (uint8_t)g->ta;
	if (g->tb >= 0)
		atr[len++] = (uint8_t)g->tb;
	if (g->tc >= 0)
		atr[len++] = (uint8_t)g->tc;
	if (next)
		atr[len++] = next->t;
	return len;
}

/* ISO 7816-3, 8.2.3: TD1 names the first protocol; what belongs to T=1 comes after the second TD. */
static size_t plan_groups(const struct sim_t1_atr *a, struct group groups[4])
{
	size_t n = 0;

	groups[n++] = (struct group){ a->ta1 ? a->ta1 : -1, -1, -1, 0 };
	groups[n++] = (struct group){ a->specific ? 0x01 : -1, -1, -1, a->t0_too ? 0 : 1 };
	if (a->t0_too || a->ifsc || a->bwi || a->cwi || a->crc)
		groups[n++] =
			(struct group){ a->ifsc ? a->ifsc : -1, a->bwi || a->cwi ? a->bwi << 4 | a->cwi : -1,
					a->crc ? 1 : -1, 1 };
	if (a->classes) {
		if (n == 2) /* TA2 would be the specific mode byte */
			groups[n++] = (struct group){ -1, -1, -1, 1 };
		groups[n++] = (struct group){ a->classes, -1, -1, 15 };
	}
	return n;
}

size_t sim_t1_build_atr(const struct sim_t1_atr *what, uint8_t atr[SIM_ATR_MAX])
{
	const size_t history = what->history ? strnlen(what->history, 15) : 0;
	struct group groups[4];
	const size_t n = plan_groups(what, groups);
	size_t low = 1, len = 2;

	atr[0] = 0x3B;
	atr[1] = (uint8_t)history;
	for (size_t i = 0; i < n; i++) {
		len = put_group(&groups[i], i + 1 < n ? &groups[i + 1] : NULL, &atr[low], atr, len);
		low = len - 1;
	}
	if (history)
		memcpy(atr + len, what->history, history);
	len += history;
	atr[len] = 0;
	for (size_t i = 1; i < len; i++)
		atr[len] ^= atr[i];
	return len + 1;
}

/* ---- the card ------------------------------------------------------------------------------------------------------ */

enum { IN_MAX = SIM_T1_BLOCK_MAX + 1 }; /* one more, so that a block that is too long is seen */

enum state {
	OFF,    /* no power, or mute until the next reset */
	FRESH,  /* ATR given, nothing received: a PPS may come */
	T1,     /* blocks */
	OTHERS, /* T=0 was chosen */
};

struct t1_card {
	struct sim_card base;
	struct sim_t1_application application;
	struct sim_t1 t1;
	struct sim_card *t0; /* of a card of both protocols */
	uint8_t atr[SIM_ATR_MAX];
	size_t atr_len;
	struct sim_atr offers;
	unsigned supplies, supply;
	uint8_t fidi, fidi_next; /* in use; in use after what is being sent */
	enum state state;
	uint8_t in[IN_MAX];
	size_t in_len;
	uint8_t out[SIM_T1_BLOCK_MAX];
	size_t out_at, out_len;
	unsigned delay_ms; /* before the next character */
};

static const struct sim_t1_atr default_atr = { .ifsc = 254, .bwi = 4, .cwi = 5, .history = "OCID1" };

static struct t1_card *card_of(struct sim_card *card)
{
	return (struct t1_card *)(void *)card;
}

static void put(struct t1_card *c, const uint8_t *bytes, size_t len)
{
	memcpy(c->out, bytes, len);
	c->out_at = 0;
	c->out_len = len;
	c->delay_ms = 0;
}

static void card_off(struct sim_card *card)
{
	struct t1_card *c = card_of(card);

	c->state = OFF;
	c->in_len = c->out_at = c->out_len = 0;
	if (c->t0)
		c->t0->ops->off(c->t0);
}

/* The T=0 half has the same ATR; the host has it from us. */
static void reset_t0(struct t1_card *c, bool warm)
{
	unsigned delay_ms;
	uint8_t byte;

	if (!c->t0)
		return;
	c->t0->pps = c->base.pps;
	c->t0->ops->reset(c->t0, c->supply, warm);
	for (size_t i = 0; i < c->atr_len; i++)
		c->t0->ops->recv(c->t0, SIM_FIDI_DEFAULT, &byte, &delay_ms);
}

static void card_reset(struct sim_card *card, unsigned supply, bool warm)
{
	struct t1_card *c = card_of(card);

	card_off(card);
	if (!warm)
		c->supply = supply;
	if (!(c->supply & c->supplies))
		return;
	c->application.reset(c->application.arg);
	sim_t1_reset(&c->t1);
	c->fidi = SIM_FIDI_DEFAULT;
	c->fidi_next = c->offers.specific ? c->offers.ta1 : SIM_FIDI_DEFAULT;
	c->state = FRESH;
	put(c, c->atr, c->atr_len);
	reset_t0(c, warm);
}

static void on_pps(struct t1_card *c)
{
	struct sim_pps pps;

	if (!sim_pps_answer(&c->offers, c->base.pps, c->in, c->in_len, &pps)) {
		c->state = OFF;
	} else if (pps.protocol == 0) {
		c->state = OTHERS;
		c->t0->ops->send(c->t0, c->fidi, c->in, c->in_len);
	} else {
		c->state = T1;
		c->fidi_next = pps.fidi;
		put(c, pps.reply, pps.len);
	}
	c->in_len = 0;
}

/* The first characters after the ATR: FFh, which is no NAD and no CLA, begins a PPS. */
static void choose(struct t1_card *c)
{
	if (c->in[0] == 0xFF && !c->offers.specific) {
		if (c->in_len == sim_pps_size(c->in, c->in_len))
			on_pps(c);
	} else if (c->t0 && c->offers.first == 0) {
		c->state = OTHERS;
		c->t0->ops->send(c->t0, c->fidi, c->in, c->in_len);
		c->in_len = 0;
	} else {
		c->state = T1;
	}
}

static void card_send(struct sim_card *card, uint8_t fidi, const uint8_t *bytes, size_t len)
{
	struct t1_card *c = card_of(card);

	if (c->state == OTHERS) {
		c->t0->ops->send(c->t0, fidi, bytes, len);
		return;
	}
	c->out_at = c->out_len = 0;
	if (fidi != c->fidi) /* noise at a speed the card does not have: it is lost until the next reset */
		c->state = OFF;
	if (c->state == OFF)
		return;
	for (size_t i = 0; i < len && c->in_len < IN_MAX; i++)
		c->in[c->in_len++] = bytes[i];
	if (c->state == FRESH && c->in_len)
		choose(c);
}

/* The host listens, so its block is at its end: complete, or cut and for the block machine to refuse. */
static void answer_block(struct t1_card *c)
{
	c->out_len = sim_t1_block(&c->t1, c->in, c->in_len, c->out);
	c->out_at = 0;
	c->delay_ms = c->t1.delay_ms;
	c->in_len = 0;
}

static bool card_recv(struct sim_card *card, uint8_t fidi, uint8_t *byte, unsigned *delay_ms)
{
	struct t1_card *c = card_of(card);

	if (c->state == OTHERS)
		return c->t0->ops->recv(c->t0, fidi, byte, delay_ms);
	if (c->state == T1 && c->in_len)
		answer_block(c);
	if (c->out_at == c->out_len || fidi != c->fidi)
		return false;
	*byte = c->out[c->out_at++];
	*delay_ms = c->delay_ms;
	c->delay_ms = 0;
	if (c->out_at == c->out_len)
		c->fidi = c->fidi_next;
	return true;
}

static void card_free(struct sim_card *card)
{
	struct t1_card *c = card_of(card);

	c->application.free(c->application.arg);
	sim_card_free(c->t0);
	free(c);
}

static const struct sim_card_ops t1_ops = {
	.reset = card_reset,
	.off = card_off,
	.send = card_send,
	.recv = card_recv,
	.free = card_free,
};

struct sim_card *sim_card_t1_with(const uint8_t *atr, size_t len, const struct sim_t1_options *options,
				  unsigned supplies, const struct sim_t1_application *application)
{
	struct sim_t1_options o = options ? *options : (struct sim_t1_options){ 0 };
	struct t1_card *c = calloc(1, sizeof *c);

	if (!c) {
		application->free(application->arg);
		return NULL;
	}
	c->base.ops = &t1_ops;
	c->application = *application;
	c->atr_len = len < SIM_ATR_MAX ? len : SIM_ATR_MAX;
	memcpy(c->atr, atr, c->atr_len);
	sim_atr_parse(c->atr, c->atr_len, &c->offers);
	c->supplies = supplies;
	o.ifsc = c->offers.ifsc;
	o.crc = c->offers.crc;
	sim_t1_init(&c->t1, &o, application->run, application->arg);
	return &c->base;
}

/* ---- with the file system of the T=0 card -------------------------------------------------------------------------- */

static void files_reset(void *arg)
{
	struct sim_t1_app *files = arg;

	sim_app_reset(&files->app);
}

/* The T=0 half of a card of both protocols. */
static bool add_t0(struct t1_card *c)
{
	if (!(c->offers.protocols & 1))
		return true;
	c->t0 = sim_card_t0_new(c->atr, c->atr_len, c->supplies);
	if (c->t0)
		c->t0->log = c->base.log;
	return c->t0 != NULL;
}

struct sim_card *sim_card_t1_new(const uint8_t *atr, size_t len, const struct sim_t1_options *options,
				 unsigned supplies)
{
	struct sim_t1_app *files = calloc(1, sizeof *files);
	const struct sim_t1_application application = {
		.run = sim_t1_app_run, .reset = files_reset, .free = free, .arg = files
	};
	uint8_t usual[SIM_ATR_MAX];
	struct sim_card *card;

	if (!files)
		return NULL;
	sim_t1_app_init(files);
	if (!atr) {
		len = sim_t1_build_atr(&default_atr, usual);
		atr = usual;
	}
	card = sim_card_t1_with(atr, len, options, supplies, &application);
	if (card)
		card->log = &files->app.log;
	if (card && !add_t0(card_of(card))) {
		sim_card_free(card);
		return NULL;
	}
	return card;
}
