/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes to the card and comes from it: blocks of T=1, TPDUs of T=0, parts of APDUs, put together. */
#include "tool/story.h"

#include "ccid/status.h"
#include "tpdu/apdu.h"

#include <string.h>

enum { NO_NS = 0xFF, HEADER_LEN = 5 };

/* ---- putting together -------------------------------------------------------------------------------------------- */

static size_t append(uint8_t *to, size_t used, const uint8_t *bytes, size_t len)
{
	const size_t room = EVENT_BYTES_MAX - used;
	const size_t n = len < room ? len : room;

	if (n)
		memcpy(to + used, bytes, n);
	return used + n;
}

void story_drop_apdu(struct story *s)
{
	s->apdu.open = s->apdu.fetching = s->apdu.more_out = s->apdu.more_in = false;
	s->apdu.ns_out = s->apdu.ns_in = NO_NS;
}

static void open_apdu(struct story *s)
{
	struct assembled *a = &s->apdu;

	a->command_len = a->response_len = a->shown = a->before = a->before_response = 0;
	a->open = true;
	a->hidden = a->fetching = a->more_in = false;
	a->place = s->x.place;
	a->us = s->x.us;
	a->blocks = 0;
}

static void add_command(struct story *s, const uint8_t *bytes, size_t len, size_t shown)
{
	struct assembled *a = &s->apdu;

	a->before = a->command_len;
	if (a->shown == a->command_len)
		a->shown += shown < len ? shown : len;
	a->command_len = append(a->command, a->command_len, bytes, len);
	a->hidden |= s->x.hidden;
	a->blocks++;
}

static bool finish(struct story *s, const struct exchange *x, struct told_apdu *out)
{
	struct assembled *a = &s->apdu;
	const uint8_t *sw = a->response + a->response_len - 2;

	*out = (struct told_apdu){
		.command = a->command,
		.command_len = a->command_len,
		.response = a->response,
		.response_len = a->response_len,
		.shown = a->shown < a->command_len ? a->shown : a->command_len,
		.hidden = a->hidden,
		.place = a->place,
		.us = a->us,
		.wait_us = x->us + x->wait_us - a->us,
		.timed = x->timed,
		.blocks = a->blocks,
	};
	if (!a->hidden && a->response_len < 2)
		out->mood = MOOD_BAD;
	else if (!a->hidden)
		out->mood = words_status_is_bad(sw[0], sw[1]) ? MOOD_ODD : MOOD_GOOD;
	words_command(&out->words, a->command, a->command_len, out->shown);
	words_add(&out->words, " -> ");
	if (a->response_len >= 2)
		words_status(&out->words, a->response, a->response_len);
	else
		words_add(&out->words, a->hidden ? "an answer that is not shown" : "nothing");
	a->open = false;
	return true;
}

/* ---- T=1 --------------------------------------------------------------------------------------------------------- */

static void t1_out(struct story *s, const struct t1_block *b, size_t shown)
{
	struct assembled *a = &s->apdu;
	const uint8_t ns = b->pcb & T1_NS;

	if (b->pcb & T1_NOT_I)
		return;
	if (a->open && a->ns_out == ns && a->command_len > 0 && a->response_len == 0) {
		a->command_len = a->before; /* sent once more */
		a->shown = a->shown < a->before ? a->shown : a->before;
		s->summary.retries++;
	} else if (!a->open || !a->more_out) {
		open_apdu(s);
	}
	a->ns_out = ns;
	a->ns_in = NO_NS;
	a->more_out = b->pcb & T1_MORE;
	add_command(s, b->inf, b->len, shown > 3 ? shown - 3 : 0);
}

static bool t1_in(struct story *s, const struct exchange *x, const struct t1_block *b, struct told_apdu *apdu)
{
	struct assembled *a = &s->apdu;
	const uint8_t ns = b->pcb & T1_NS;

	if (b->pcb & T1_NOT_I || !a->open)
		return false;
	if (a->ns_in == ns && a->response_len > 0)
		a->response_len = a->before_response;
	a->ns_in = ns;
	a->before_response = a->response_len;
	a->response_len = append(a->response, a->response_len, b->inf, b->len);
	a->blocks++;
	if (b->pcb & T1_MORE)
		return false;
	a->more_out = false;
	return finish(s, x, apdu);
}

/* ---- T=0 and APDUs ----------------------------------------------------------------------------------------------- */

/* Is it a command of its own, or does it go on with the one before? */
static bool tpdu_out(struct story *s, const uint8_t *block, size_t len, size_t shown)
{
	struct assembled *a = &s->apdu;
	const bool fetches = a->fetching && len == HEADER_LEN && shown >= 2 && block[1] == INS_GET_RESPONSE;
	const uint16_t part = (uint16_t)(s->x.specific[1] | s->x.specific[2] << 8);

	/* At APDU level the host asks on; at character level the data follow the header. */
	if (a->open && len == 0)
		return false;
	if (fetches) {
		a->open = true;
		a->fetching = false;
		if (a->response_len >= 2)
			a->response_len -= 2;
		a->blocks++;
		return true;
	}
	if (!a->open ||
	    (s->level == CCID_EXTENDED_APDU && part != CCID_APDU_CONTINUES && part != CCID_APDU_ENDS) ||
	    (s->level != CCID_EXTENDED_APDU && s->level != CCID_CHARACTER))
		open_apdu(s);
	add_command(s, block, len, shown);
	return a->command_len == len;
}

/* bChainParameter of 6.2.1: does the answer go on? */
static bool goes_on(const struct story *s, const struct exchange *x)
{
	if (s->level == CCID_EXTENDED_APDU || s->protocol == CARD_APDU)
		return x->reply.specific == 1 || x->reply.specific == 3 || x->reply.specific == 0x10;
	return s->level == CCID_CHARACTER && s->level_known && x->reply.len < 2;
}

static bool tpdu_in(struct story *s, const struct exchange *x, struct told_apdu *apdu)
{
	struct assembled *a = &s->apdu;

	/* Less than SW1 SW2: that is a procedure byte. */
	if (!s->level_known && x->reply.len == 1 && x->specific[1]) {
		s->level_known = true;
		s->level = CCID_CHARACTER;
	}
	if (!(s->level == CCID_CHARACTER && s->level_known && x->reply.len == 1))
		a->response_len = append(a->response, a->response_len, x->reply.data, x->reply.len);
	a->hidden |= x->hidden;
	a->blocks++;
	if (goes_on(s, x))
		return false;
	finish(s, x, apdu);
	a->fetching = a->response_len >= 2 && a->response[a->response_len - 2] == 0x61;
	return true;
}

/* ---- the calls --------------------------------------------------------------------------------------------------- */

static bool speaks_blocks(const struct story *s)
{
	return s->protocol != CARD_APDU && !(s->level_known && s->level != CCID_TPDU);
}

void story_to_card(struct story *s, const uint8_t *block, size_t len, size_t shown, struct told *told)
{
	struct t1_block b;

	if (words_is_pps(block, len)) {
		words_add(&told->card, "PPS: T=%u%s", block[1] & 15,
			  block[1] & 0x10 ? ", another speed" : "");
		s->protocol = block[1] & 15 ? CARD_T1 : CARD_T0;
		told->begins = true;
		return;
	}
	if (speaks_blocks(s) && words_t1_split(block, len, &b)) {
		s->protocol = CARD_T1;
		told->begins = !(b.pcb & T1_NOT_I) && !(s->apdu.open && s->apdu.more_out);
		t1_out(s, &b, shown);
		words_t1(&told->card, &b);
		return;
	}
	told->begins = !s->apdu.open && !s->apdu.fetching;
	if (tpdu_out(s, block, len, shown))
		words_command(&told->card, block, len, shown);
	else if (len == 0)
		words_add(&told->card, "the host asks for the next part");
}

bool story_from_card(struct story *s, const struct exchange *x, struct told *told, struct told_apdu *apdu)
{
	const uint8_t *block = x->reply.data;
	const size_t len = x->reply.len;
	struct t1_block b;

	if (words_is_pps(block, len) && words_is_pps(x->payload, x->len)) {
		words_add(&told->card, "PPS: the card agrees");
		return false;
	}
	if (s->protocol == CARD_T1 && words_t1_split(block, len, &b)) {
		words_t1(&told->card, &b);
		return t1_in(s, x, &b, apdu);
	}
	if (x->type == PC_TO_RDR_SECURE && len == 2 && speaks_blocks(s) && s->protocol != CARD_T0) {
		told->mood = MOOD_ODD;
		words_add(&told->words, "%02X %02X of the reader's own, in no T=1 block", block[0], block[1]);
		return false;
	}
	if (s->protocol == CARD_T1 && x->type == PC_TO_RDR_XFR_BLOCK) {
		words_add(&told->card, len ? "no T=1 block" : "");
		return false;
	}
	if (!s->apdu.open) {
		words_status(&told->card, block, len);
		return false;
	}
	if (tpdu_in(s, x, apdu)) {
		words_status(&told->card, block, len);
		return true;
	}
	if (s->level == CCID_CHARACTER && s->level_known && len == 1)
		words_add(&told->card, "procedure byte %02X", block[0]);
	else if (len)
		words_add(&told->card, "%zu bytes, more follows", len);
	return false;
}
