/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpdu/t0.h"

#include "base/bytes.h"

enum {
	INS_GET_RESPONSE = 0xC0,
	INS_ENVELOPE = 0xC2,
	SHORT_NC = 255,
	SHORT_NE = 256,
	SW1_MORE_DATA = 0x61,
	SW1_WRONG_LE = 0x6C,
	SW_LEN = 2,
};

/* Groups of class bytes: the first row that fits says which bits survive. */
uint8_t t0_get_response_class(uint8_t cla)
{
	static const struct {
		uint8_t mask, value, keep;
	} groups[] = {
		{ 0xFF, 0xFF, 0xFF }, /* no class of a card */
		{ 0xE0, 0x00, 0x03 }, /* 000c ssll: first interindustry, channels 0 to 3 */
		{ 0xC0, 0x40, 0x4F }, /* 01sc llll: further interindustry, channels 4 to 19 */
		{ 0xF0, 0x80, 0x83 }, /* 1000 ssll: GlobalPlatform */
		{ 0xC0, 0xC0, 0xCF }, /* 11sc llll: GlobalPlatform, channels 4 to 19 */
	};

	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
		if ((cla & groups[i].mask) == groups[i].value)
			return cla & groups[i].keep;
	return cla;
}

/* T=0 reads INS as procedure byte: 6xh and 9xh cannot be commands. CLA FFh is
 * for the reader itself, not for a card. */
static bool ins_is_valid(const struct apdu *apdu)
{
	const uint8_t high = apdu->ins & 0xF0;

	return apdu->cla == 0xFF || (high != 0x60 && high != 0x90);
}

enum oc_err t0_begin(struct t0 *t0, const struct apdu *apdu, uint8_t *answer, size_t cap)
{
	if (!ins_is_valid(apdu))
		return OC_E_APDU;
	if (cap < SW_LEN)
		return OC_E_SPACE;
	*t0 = (struct t0){
		.apdu = apdu,
		.fetches = apdu->ne > (apdu->nc ? 0 : SHORT_NE),
		.answer = answer,
		.cap = cap,
		.state = apdu->nc > SHORT_NC ? T0_ENVELOPE : T0_COMMAND,
		.p3 = (uint8_t)(apdu->nc              ? apdu->nc
				: apdu->ne < SHORT_NE ? apdu->ne
						      : 0),
	};
	return OC_OK;
}

static void fail(struct t0 *t0, enum oc_err err)
{
	t0->state = T0_FAILED;
	t0->err = err;
}

/* The longest data that P3 asks for. */
static size_t p3_len(uint8_t p3)
{
	return p3 ? p3 : SHORT_NE;
}

/* 12.2: P3 is Lc, or Le where there is no data; case 1 sends 00. */
static void put_command(const struct t0 *t0, struct wr *w)
{
	const struct apdu *a = t0->apdu;
	const uint8_t header[] = { a->cla, a->ins, a->p1, a->p2, t0->p3 };

	wr_bytes(w, header, sizeof header);
	wr_bytes(w, a->data, a->nc);
}

static size_t slice(const struct t0 *t0)
{
	const size_t left = t0->apdu->len - t0->enveloped;

	return left < T0_ENVELOPE_MAX ? left : T0_ENVELOPE_MAX;
}

/* 12.2.3: the whole APDU, header and length fields too, in slices. */
static void put_envelope(const struct t0 *t0, struct wr *w)
{
	const uint8_t header[] = { t0_get_response_class(t0->apdu->cla), INS_ENVELOPE, 0, 0,
				   (uint8_t)slice(t0) };

	wr_bytes(w, header, sizeof header);
	wr_bytes(w, t0->apdu->bytes + t0->enveloped, slice(t0));
}

static void put_get_response(const struct t0 *t0, struct wr *w)
{
	const uint8_t tpdu[] = { t0_get_response_class(t0->apdu->cla), INS_GET_RESPONSE, 0, 0, t0->p3 };

	wr_bytes(w, tpdu, sizeof tpdu);
}

/* Data that the card may send for the TPDU that is out. */
static size_t allowed(const struct t0 *t0)
{
	if (t0->state == T0_GET_RESPONSE)
		return p3_len(t0->p3);
	if (t0->state == T0_ENVELOPE || t0->apdu->nc || !t0->apdu->ne)
		return 0;
	return p3_len(t0->p3);
}

enum step t0_next(struct t0 *t0, uint8_t out[T0_TPDU_MAX], struct block *block)
{
	static void (*const put[])(const struct t0 *t0, struct wr *w) = {
		[T0_COMMAND] = put_command,
		[T0_ENVELOPE] = put_envelope,
		[T0_GET_RESPONSE] = put_get_response,
	};
	struct wr w = wr_of(out, T0_TPDU_MAX);

	*block = (struct block){ 0 };
	if (t0->state == T0_DONE)
		return STEP_DONE;
	if (t0->state != T0_FAILED && t0->rounds++ >= T0_MAX_ROUNDS)
		fail(t0, OC_E_LIMIT);
	if (t0->state == T0_FAILED)
		return STEP_FAIL;
	put[t0->state](t0, &w);
	block->len = T0_TPDU_MAX - w.left;
	block->expect = allowed(t0) + SW_LEN;
	return STEP_SEND;
}

static void finish(struct t0 *t0, uint8_t sw1, uint8_t sw2)
{
	if (t0->cap - t0->len < SW_LEN) {
		fail(t0, OC_E_SPACE);
		return;
	}
	t0->answer[t0->len++] = sw1;
	t0->answer[t0->len++] = sw2;
	t0->state = T0_DONE;
}

/* The next GET RESPONSE asks for what the card offers, and never for more than
 * is still wanted. */
static void fetch(struct t0 *t0, uint8_t offered)
{
	const size_t wanted = t0->apdu->ne - t0->len;

	t0->p3 = (uint8_t)(p3_len(offered) < wanted ? offered : wanted < SHORT_NE ? wanted : 0);
	t0->state = T0_GET_RESPONSE;
	t0->set_again = false;
}

/* 12.2.5, 12.2.6: what SW1 SW2 ask for while an answer is being fetched. */
static void go_on(struct t0 *t0, size_t got, uint8_t sw1, uint8_t sw2)
{
	const bool has_le = t0->state == T0_GET_RESPONSE || !t0->apdu->nc;
	const bool wanted = t0->len < t0->apdu->ne;

	if (sw1 == SW1_WRONG_LE && has_le && got == 0 && !t0->corrected && wanted) {
		t0->corrected = true;
		if (t0->state == T0_COMMAND)
			t0->p3 = sw2;
		else
			fetch(t0, sw2);
		return;
	}
	if (sw1 != SW1_MORE_DATA || !wanted) {
		finish(t0, sw1, sw2);
		return;
	}
	if (t0->state == T0_GET_RESPONSE && got == 0) {
		/* A card that always has more and never gives it. */
		fail(t0, OC_E_LIMIT);
		return;
	}
	t0->corrected = false;
	fetch(t0, sw2);
}

/* 12.2.3: 9000 takes the next slice; the status of the last one is that of the
 * command. */
static void on_envelope(struct t0 *t0, uint8_t sw1, uint8_t sw2)
{
	const bool first = t0->enveloped == 0;

	if (first && (sw1 == 0x6D || sw1 == 0x6E)) {
		fail(t0, OC_E_EXTENDED);
		return;
	}
	t0->enveloped += slice(t0);
	if (t0->enveloped == t0->apdu->len)
		go_on(t0, 0, sw1, sw2);
	else if (sw1 == 0x90 && sw2 == 0x00)
		t0->set_again = false;
	else
		finish(t0, sw1, sw2);
}

static void feed_block(struct t0 *t0, const uint8_t *data, size_t len)
{
	const size_t got = len - SW_LEN;

	if (len < SW_LEN || got > allowed(t0)) {
		fail(t0, OC_E_CARD);
		return;
	}
	if (got > t0->cap - t0->len) {
		fail(t0, OC_E_SPACE);
		return;
	}
	if (got)
		memcpy(t0->answer + t0->len, data, got);
	t0->len += got;
	if (t0->state == T0_ENVELOPE)
		on_envelope(t0, data[got], data[got + 1]);
	else if (t0->fetches)
		go_on(t0, got, data[got], data[got + 1]);
	else
		finish(t0, data[got], data[got + 1]);
}

/* ENVELOPE: the card has a part of the command, or may have it, and would take the next one for its continuation. */
static bool is_unfinished(const struct t0 *t0, const struct reply *reply)
{
	return t0->state == T0_FAILED && t0->err != OC_E_EXTENDED && t0->enveloped < t0->apdu->len &&
	       (t0->enveloped > 0 || reply->kind != REPLY_NOT_SENT);
}

void t0_feed(struct t0 *t0, const struct reply *reply)
{
	const bool enveloping = t0->state == T0_ENVELOPE;

	if (t0->state == T0_DONE || t0->state == T0_FAILED)
		return;
	if (reply->kind == REPLY_BLOCK)
		feed_block(t0, reply->data, reply->len);
	else if (reply->kind == REPLY_NOT_SENT && !t0->set_again)
		t0->set_again = true;
	else
		fail(t0, reply->err);
	t0->unfinished = enveloping && is_unfinished(t0, reply);
}
