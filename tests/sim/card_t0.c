/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The T=0 side of the card: ATR, PPS, headers and procedure bytes (ISO 7816-3, clauses 8, 9 and 10). */
#include "card.h"
#include "atr.h"
#include "card_app.h"
#include "pps.h"

#include <stdlib.h>
#include <string.h>

enum { OUT_MAX = 600, NULL_BYTE = 0x60 };

enum t0_state {
	T0_OFF,    /* no power, or mute until the next reset */
	T0_FRESH,  /* ATR given, nothing received: a PPS may come */
	T0_HEADER, /* waits for the five bytes of a header */
	T0_DATA,   /* has acknowledged, waits for P3 bytes */
	T0_PPS,
};

struct t0_card {
	struct sim_card base;
	struct card_app app;
	uint8_t atr[SIM_ATR_MAX];
	size_t atr_len;
	unsigned supplies, supply;
	uint8_t fidi; /* in use */
	struct sim_atr offers;
	uint8_t fidi_next; /* in use after what is being sent */
	enum t0_state state;
	uint8_t in[5 + 255];
	size_t in_len;
	struct {
		uint8_t byte;
		unsigned delay_ms;
	} out[OUT_MAX];
	size_t out_at, out_len;
};

const uint8_t sim_default_atr[9] = { 0x3B, 0x65, 0x00, 0x00, 'O', 'C', 'I', 'D', '1' };

static struct t0_card *t0_of(struct sim_card *card)
{
	return (struct t0_card *)(void *)card;
}

static void put(struct t0_card *t0, const uint8_t *bytes, size_t len, unsigned delay_ms)
{
	for (size_t i = 0; i < len && t0->out_len < OUT_MAX; i++) {
		t0->out[t0->out_len].byte = bytes[i];
		t0->out[t0->out_len].delay_ms = delay_ms;
		t0->out_len++;
	}
}

static void clear_out(struct t0_card *t0)
{
	t0->out_at = t0->out_len = 0;
}

static void t0_off(struct sim_card *card)
{
	struct t0_card *t0 = t0_of(card);

	t0->state = T0_OFF;
	clear_out(t0);
}

static void t0_reset(struct sim_card *card, unsigned supply, bool warm)
{
	struct t0_card *t0 = t0_of(card);

	t0_off(card);
	if (!warm)
		t0->supply = supply;
	if (!(t0->supply & t0->supplies))
		return;
	sim_app_reset(&t0->app);
	t0->fidi = SIM_FIDI_DEFAULT;
	t0->fidi_next = t0->offers.specific ? t0->offers.ta1 : SIM_FIDI_DEFAULT;
	t0->in_len = 0;
	t0->state = T0_FRESH;
	put(t0, t0->atr, t0->atr_len, 0);
}

static void answer(struct t0_card *t0, bool acknowledge)
{
	const size_t len = t0->state == T0_DATA ? t0->in[4] : 0;
	const uint8_t null = NULL_BYTE;
	struct app_answer a;
	uint8_t sw[2];

	card_log_add(t0->base.log, t0->in, 5 + len);
	sim_app_run(&t0->app, t0->in, t0->in + 5, len, &a);
	card_log_answer(t0->base.log, a.sw);
	for (unsigned i = 0; i < a.waits; i++)
		put(t0, &null, 1, a.wait_ms);
	if (acknowledge && a.len) {
		put(t0, &t0->in[1], 1, 0);
		put(t0, a.data, a.len, 0);
	}
	sw[0] = (uint8_t)(a.sw >> 8);
	sw[1] = (uint8_t)a.sw;
	put(t0, sw, sizeof sw, 0);
	t0->state = T0_HEADER;
	t0->in_len = 0;
}

static void on_header(struct t0_card *t0)
{
	switch (sim_app_direction(t0->in)) {
	case APP_IN:
		if (t0->in[4] == 0)
			break;
		put(t0, &t0->in[1], 1, 0);
		t0->state = T0_DATA;
		return;
	case APP_OUT: answer(t0, true); return;
	case APP_NONE: break;
	}
	answer(t0, false);
}

/* Without an answer the card is mute until the next reset. */
static void on_pps(struct t0_card *t0)
{
	struct sim_pps pps;

	if (!sim_pps_answer(&t0->offers, t0->base.pps, t0->in, t0->in_len, &pps) || pps.protocol != 0) {
		t0->state = T0_OFF;
		return;
	}
	t0->fidi_next = pps.fidi;
	put(t0, pps.reply, pps.len, 0);
	t0->state = T0_HEADER;
	t0->in_len = 0;
}

static void take(struct t0_card *t0, uint8_t byte)
{
	if (t0->state == T0_OFF || t0->in_len >= sizeof t0->in)
		return;
	t0->in[t0->in_len++] = byte;
	switch (t0->state) {
	case T0_FRESH: t0->state = byte == 0xFF ? T0_PPS : T0_HEADER; break;
	case T0_PPS:
		if (t0->in_len == sim_pps_size(t0->in, t0->in_len))
			on_pps(t0);
		break;
	case T0_HEADER:
		if (t0->in_len == 5)
			on_header(t0);
		break;
	case T0_DATA:
		if (t0->in_len == 5u + t0->in[4])
			answer(t0, false);
		break;
	case T0_OFF: break;
	}
}

static void t0_send(struct sim_card *card, uint8_t fidi, const uint8_t *bytes, size_t len)
{
	struct t0_card *t0 = t0_of(card);

	clear_out(t0);
	if (fidi != t0->fidi) /* noise at a speed the card does not have: it is lost until the next reset */
		t0->state = T0_OFF;
	for (size_t i = 0; i < len; i++)
		take(t0, bytes[i]);
}

static bool t0_recv(struct sim_card *card, uint8_t fidi, uint8_t *byte, unsigned *delay_ms)
{
	struct t0_card *t0 = t0_of(card);

	if (t0->out_at == t0->out_len || fidi != t0->fidi)
		return false;
	*byte = t0->out[t0->out_at].byte;
	*delay_ms = t0->out[t0->out_at].delay_ms;
	t0->out_at++;
	if (t0->out_at == t0->out_len)
		t0->fidi = t0->fidi_next;
	return true;
}

static void t0_free(struct sim_card *card)
{
	free(t0_of(card));
}

static const struct sim_card_ops t0_ops = {
	.reset = t0_reset,
	.off = t0_off,
	.send = t0_send,
	.recv = t0_recv,
	.free = t0_free,
};

struct sim_card *sim_card_t0_new(const uint8_t *atr, size_t len, unsigned supplies)
{
	struct t0_card *t0 = calloc(1, sizeof *t0);

	if (!t0)
		return NULL;
	if (!atr) {
		atr = sim_default_atr;
		len = sizeof sim_default_atr;
	}
	t0->base.ops = &t0_ops;
	t0->base.log = &t0->app.log;
	t0->atr_len = len < SIM_ATR_MAX ? len : SIM_ATR_MAX;
	memcpy(t0->atr, atr, t0->atr_len);
	sim_atr_parse(t0->atr, t0->atr_len, &t0->offers);
	t0->supplies = supplies;
	sim_app_init(&t0->app);
	return &t0->base;
}

void sim_card_free(struct sim_card *card)
{
	if (card)
		card->ops->free(card);
}
