/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ccid/redact.h"

#include "base/bytes.h"
#include "ccid/message.h"
#include "ccid/status.h"

#include <stdio.h>

enum {
	T0 = 1 << CCID_PROTOCOL_T0,
	T1 = 1 << CCID_PROTOCOL_T1,
	PROTOCOLS = T0 | T1,
	CHARACTER = REDACT_LEVEL(CCID_CHARACTER),
	TPDU = REDACT_LEVEL(CCID_TPDU),
	SHORT_APDU = REDACT_LEVEL(CCID_SHORT_APDU),
	EXTENDED_APDU = REDACT_LEVEL(CCID_EXTENDED_APDU),

	HEADER = 5,   /* of a T=0 TPDU, and of what counts as the header of an APDU */
	PROLOGUE = 3, /* NAD PCB LEN */
	NULL_BYTE = 0x60,
	PPS_MIN = 3,
	PPS_MAX = 6,
	ANSWER = 0x80, /* bMessageType of what comes from the reader */
};

/* What travels in an XfrBlock */
struct xfr {
	const uint8_t *bytes;
	size_t len;
	uint16_t level; /* wLevelParameter */
};

/* ---- a command alone --------------------------------------------------------------------------------------------- */

size_t redact_command(struct redact_apdu *a, const uint8_t *apdu, size_t len)
{
	redact_apdu_begin(a);
	return redact_apdu_feed(a, apdu, len);
}

/* Does the length fit what Lc and Le say? */
static bool is_apdu(const struct xfr *x)
{
	struct rd r = rd_of(x->bytes, x->len);
	size_t lc;

	rd_bytes(&r, HEADER - 1);
	if (r.overrun || r.left <= 1)
		return !r.overrun;
	lc = rd_u8(&r);
	if (lc)
		return r.left == lc || r.left == lc + 1;
	lc = (size_t)rd_u8(&r) << 8;
	lc |= rd_u8(&r);
	return !r.overrun && (r.left == 0 || r.left == lc || r.left == lc + 2);
}

/* ---- APDU levels ------------------------------------------------------------------------------------------------- */

static bool read_apdu(struct redact_slot *s, const struct xfr *x, size_t *shown)
{
	if (!is_apdu(x))
		return false;
	*shown = redact_command(&s->apdu, x->bytes, x->len);
	return true;
}

/* A command that fits no message comes in parts (CCID rev 1.1, 6.1.4). */
static bool read_part(struct redact_slot *s, const struct xfr *x, size_t *shown)
{
	const bool begins = x->level == CCID_APDU_WHOLE || x->level == CCID_APDU_BEGINS;
	const bool goes_on = x->level == CCID_APDU_CONTINUES || x->level == CCID_APDU_ENDS;
	const bool expected = begins || (goes_on && s->in_parts);

	s->in_parts = expected && (x->level == CCID_APDU_BEGINS || x->level == CCID_APDU_CONTINUES);
	if (!expected || (x->level == CCID_APDU_WHOLE && !is_apdu(x)))
		return false;
	if (begins)
		redact_apdu_begin(&s->apdu);
	*shown = redact_apdu_feed(&s->apdu, x->bytes, x->len);
	return true;
}

/* ---- T=0 --------------------------------------------------------------------------------------------------------- */

static bool read_tpdu(struct redact_slot *s, const struct xfr *x, size_t *shown)
{
	struct rd r = rd_of(x->bytes, x->len);

	rd_bytes(&r, HEADER - 1);
	if (r.overrun || (r.left > 1 && rd_u8(&r) != r.left))
		return false;
	*shown = redact_command(&s->tpdu, x->bytes, x->len);
	return true;
}

/* The header says what the bytes are that follow it when the card asks for them. What ENVELOPE carries is not looked into. */
static bool is_header(const struct xfr *x, struct redact_characters *out)
{
	struct rd r = rd_of(x->bytes, x->len);
	const uint8_t cla = rd_u8(&r), ins = rd_u8(&r);

	rd_bytes(&r, 2);
	*out = (struct redact_characters){
		.state = REDACT_OPEN,
		.hidden = redact_is_secret(cla, ins) || redact_is_envelope(ins),
	};
	if (r.overrun || r.left > 1)
		return false;
	out->left = rd_u8(&r);
	return true;
}

/* What cannot be placed is nothing of this level only where wLevelParameter is 0, which asks for no characters. */
static bool read_characters(struct redact_slot *s, const struct xfr *x, size_t *shown)
{
	struct redact_characters *c = &s->characters;
	const bool hidden = c->hidden && c->left;
	struct redact_characters next;
	const bool header = is_header(x, &next);

	*shown = 0;
	if (hidden || c->state == REDACT_LOST) {
		/* It is what is due; or the command before was given up, and this is the next header. */
		c->left -= c->left < x->len ? c->left : x->len;
		if (header && next.hidden)
			*c = next;
		return hidden || x->level;
	}
	if (header)
		*c = next;
	else if (c->state != REDACT_OPEN || c->hidden)
		*c = (struct redact_characters){ .state = REDACT_LOST };
	if (c->state != REDACT_LOST)
		*shown = x->len;
	return *shown || x->level;
}

/* A status word ends the command. */
static void read_procedure(struct redact_characters *c, const uint8_t *bytes, size_t len)
{
	const uint8_t high = len ? bytes[0] & 0xF0 : 0;

	if (len <= 2 && (high == 0x60 || high == 0x90) && bytes[0] != NULL_BYTE)
		*c = (struct redact_characters){ .state = REDACT_READY };
}

/* ---- T=1 --------------------------------------------------------------------------------------------------------- */

enum {
	PCB_NOT_I = 0x80,
	PCB_I_NS = 0x40,
	PCB_I_MORE = 0x20,
	S_RESYNCH_RESPONSE = 0xE0,
	S_ABORT = 0xC2,
	S_ABORT_RESPONSE = 0xE2,
};

/* All I-blocks are secret, until the card has answered one of them with one of its own. */
static void t1_lost(struct redact_t1 *t)
{
	t->known = false;
	redact_apdu_lost(&t->now);
}

/* The next I-block begins a command, whatever its N(S). */
static void t1_begin(struct redact_t1 *t)
{
	t->known = true;
	t->sent = false;
}

/* Is it the last block once more, the next one of a chain, or the first one of a command? Nothing else is possible. */
static void place_block(struct redact_t1 *t, uint8_t ns)
{
	const bool again = t->sent && ns == t->ns;

	if (t->known && again && !t->answered) {
		t->now = t->before;
	} else if (t->known && t->sent && t->more && !t->answered) {
		t->before = t->now;
	} else if (t->known && (!t->sent || (!again && !t->more && t->answered))) {
		redact_apdu_begin(&t->now);
		t->before = t->now;
	} else {
		t1_lost(t);
	}
}

static size_t read_i_block(struct redact_t1 *t, uint8_t pcb, const uint8_t *inf, size_t len)
{
	const uint8_t ns = pcb & PCB_I_NS;

	place_block(t, ns);
	t->sent = true;
	t->ns = ns;
	t->more = pcb & PCB_I_MORE;
	t->answered = false;
	return redact_apdu_feed(&t->now, inf, len);
}

/* An EDC has one byte or two. */
static bool is_block(const uint8_t *bytes, size_t len)
{
	return len >= PROLOGUE && (len == PROLOGUE + bytes[2] + 1u || len == PROLOGUE + bytes[2] + 2u);
}

static bool read_block(struct redact_slot *s, const struct xfr *x, size_t *shown)
{
	struct rd r = rd_of(x->bytes, x->len);
	uint8_t pcb, len;
	size_t n;

	rd_u8(&r);
	pcb = rd_u8(&r);
	len = rd_u8(&r);
	if (!is_block(x->bytes, x->len) || ((pcb & PCB_NOT_I) && len > 1))
		return false;
	*shown = x->len;
	if (pcb == S_ABORT || pcb == S_ABORT_RESPONSE)
		t1_lost(&s->t1);
	if (pcb & PCB_NOT_I)
		return true;
	n = read_i_block(&s->t1, pcb, rd_bytes(&r, len), len);
	if (n < len)
		*shown = PROLOGUE + n;
	return true;
}

/* At character level the prologue comes alone, and the rest is asked for without a word. */
static void read_block_of_card(struct redact_t1 *t, const uint8_t *bytes, size_t len)
{
	const uint8_t pcb = len >= PROLOGUE ? bytes[1] : PCB_NOT_I;

	if (len != PROLOGUE && !is_block(bytes, len))
		return;
	if (pcb == S_RESYNCH_RESPONSE) {
		t1_begin(t);
	} else if (pcb == S_ABORT || pcb == S_ABORT_RESPONSE) {
		t1_lost(t);
	} else if (!(pcb & PCB_NOT_I)) {
		t->answered = true;
		if (!t->known)
			t1_begin(t);
	}
}

/* ---- PC_to_RDR_XfrBlock ------------------------------------------------------------------------------------------ */

static const struct reading {
	unsigned levels, protocols;
	/* How many bytes may be shown; false if it cannot be that. */
	bool (*read)(struct redact_slot *s, const struct xfr *x, size_t *shown);
} readings[] = {
	{ CHARACTER, T0, read_characters },      { TPDU, T0, read_tpdu },
	{ CHARACTER | TPDU, T1, read_block },    { SHORT_APDU, PROTOCOLS, read_apdu },
	{ EXTENDED_APDU, PROTOCOLS, read_part },
};

/* FF PPS0, a byte for each of its upper bits, and what makes the sum 0 (ISO/IEC 7816-3, 9.2) */
static bool is_pps(const struct xfr *x)
{
	size_t len = PPS_MIN;
	uint8_t sum = 0;

	if (x->len < PPS_MIN || x->len > PPS_MAX || x->bytes[0] != 0xFF || (x->bytes[1] & 0x80))
		return false;
	for (unsigned bit = 0x10; bit < 0x80; bit <<= 1)
		len += (x->bytes[1] & bit) != 0;
	for (size_t i = 0; i < x->len; i++)
		sum ^= x->bytes[i];
	return x->len == len && sum == 0;
}

/* Where several readings are possible, what is secret in one of them is secret; what is none of them is, too. */
static size_t read_xfr(const struct redact *r, struct redact_slot *s, const struct xfr *x)
{
	size_t least = x->len;
	bool understood = false;

	s->fresh &= x->len == 0 || is_pps(x);
	if (x->len == 0 || (s->fresh && (r->levels & (CHARACTER | TPDU))))
		return x->len;
	for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++) {
		const struct reading *reading = &readings[i];
		size_t shown = 0;

		if (!(r->levels & reading->levels) || !(s->protocols & reading->protocols) ||
		    !reading->read(s, x, &shown))
			continue;
		understood = true;
		if (shown < least)
			least = shown;
	}
	return understood ? least : 0;
}

/* ---- PC_to_RDR_Secure -------------------------------------------------------------------------------------------- */

enum {
	SECURE_VERIFY = 0,
	SECURE_MODIFY = 1,
	VERIFY_TEMPLATE = 15,
	MODIFY_TEMPLATE = 18, /* with one bMsgIndex; there may be two or three */
	MORE_INDEXES = 2,
};

static bool is_template(const uint8_t *bytes, size_t len)
{
	const struct xfr x = { .bytes = bytes, .len = len };

	return is_apdu(&x) && redact_is_secret(bytes[0], bytes[1]);
}

/* The template is a command: it is shown up to its Lc. */
static size_t read_secure(const uint8_t *bytes, size_t len)
{
	size_t at = VERIFY_TEMPLATE;
	size_t more = 0;

	if (len == 0 || bytes[0] > SECURE_MODIFY)
		return len ? 1 : 0;
	if (bytes[0] == SECURE_MODIFY) {
		at = MODIFY_TEMPLATE;
		more = MORE_INDEXES;
	}
	for (size_t i = 0; i <= more && at + i + HEADER - 1 <= len; i++)
		if (is_template(bytes + at + i, len - at - i))
			return len - at - i > HEADER ? at + i + HEADER : len;
	return at < len ? at : len;
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static void slot_lost(struct redact_slot *s)
{
	s->in_parts = false;
	redact_apdu_lost(&s->apdu);
	redact_apdu_lost(&s->tpdu);
	s->characters = (struct redact_characters){ 0 };
	t1_lost(&s->t1);
}

/* Some drivers count per reader, some per slot. ABORT has a number of its own. */
static bool is_gap(const struct redact *r, const struct redact_slot *s, uint8_t seq)
{
	return !s->counted || (seq != (uint8_t)(s->seq + 1) && seq != (uint8_t)(r->seq + 1));
}

static void note_command(struct redact *r, struct redact_slot *s, uint8_t type, uint8_t seq)
{
	if (type == PC_TO_RDR_ABORT)
		return;
	if (is_gap(r, s, seq))
		slot_lost(s);
	s->counted = true;
	s->seq = r->seq = seq;
	s->asked = type;
}

static size_t read_command(struct redact *r, struct redact_slot *s, uint8_t type, const struct xfr *x)
{
	s->empty = x->len == 0;
	switch (type) {
	case PC_TO_RDR_XFR_BLOCK: return read_xfr(r, s, x);
	case PC_TO_RDR_SECURE:
		t1_lost(&s->t1); /* the reader makes an I-block of it */
		return read_secure(x->bytes, x->len);
	case PC_TO_RDR_SET_PARAMETERS:
	case PC_TO_RDR_SET_DATA_RATE_AND_CLOCK: return x->len;
	default: return 0; /* Escape, and what has no payload */
	}
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

/* The protocols that an ATR offers (ISO/IEC 7816-3, 8.2.3) */
static unsigned offered(const uint8_t *atr, size_t len)
{
	struct rd r = rd_of(atr, len);
	unsigned found = 0;
	uint8_t next;

	rd_u8(&r);
	next = rd_u8(&r);
	while (next & 0x80) {
		for (uint8_t bit = 0x10; bit < 0x80; bit = (uint8_t)(bit << 1))
			if (next & bit)
				rd_u8(&r);
		next = rd_u8(&r);
		if (!r.overrun)
			found |= 1u << (next & 0x0F);
	}
	if (r.overrun)
		return PROTOCOLS;
	return found ? found & PROTOCOLS : T0;
}

static void power_on(struct redact_slot *s, const struct ccid_reply *reply)
{
	*s = (struct redact_slot){
		.protocols = reply->len ? offered(reply->data, reply->len) : PROTOCOLS,
		.asked = s->asked,
		.counted = s->counted,
		.seq = s->seq,
		.fresh = true,
		.characters = { .state = REDACT_READY },
	};
	t1_begin(&s->t1);
}

static void read_answer(struct redact_slot *s, const struct ccid_reply *reply)
{
	if (reply->seq != s->seq || ccid_command_status_of(reply->status) != CCID_DONE)
		return;
	if (reply->type == RDR_TO_PC_PARAMETERS && s->asked == PC_TO_RDR_SET_PARAMETERS) {
		s->protocols = reply->specific <= CCID_PROTOCOL_T1 ? 1u << reply->specific : PROTOCOLS;
	} else if (reply->type == RDR_TO_PC_DATA_BLOCK && s->asked == PC_TO_RDR_ICC_POWER_ON) {
		power_on(s, reply);
	} else if (reply->type == RDR_TO_PC_DATA_BLOCK) {
		read_procedure(&s->characters, reply->data, reply->len);
		/* At character level an answer without a question of its own is the rest of a block. */
		if (!s->empty)
			read_block_of_card(&s->t1, reply->data, reply->len);
	}
}

static bool shows_answer(uint8_t type)
{
	return type == RDR_TO_PC_DATA_BLOCK || type == RDR_TO_PC_SLOT_STATUS ||
	       type == RDR_TO_PC_PARAMETERS || type == RDR_TO_PC_DATA_RATE_AND_CLOCK;
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

void redact_begin(struct redact *r, unsigned levels)
{
	*r = (struct redact){ .levels = levels };
	for (size_t i = 0; i < REDACT_SLOTS; i++) {
		r->slot[i].protocols = PROTOCOLS;
		slot_lost(&r->slot[i]);
	}
}

void redact_lost(struct redact *r)
{
	for (size_t i = 0; i < REDACT_SLOTS; i++)
		slot_lost(&r->slot[i]);
}

static size_t answer_message(struct redact *r, const uint8_t *msg, size_t len)
{
	struct ccid_reply reply;

	if (ccid_decode_reply(msg, len, &reply) != OC_OK || reply.slot >= REDACT_SLOTS)
		return 0;
	read_answer(&r->slot[reply.slot], &reply);
	return shows_answer(reply.type) ? reply.len : 0;
}

static size_t command_message(struct redact *r, const uint8_t *msg, size_t len)
{
	struct rd m = rd_of(msg, len);
	const uint8_t type = rd_u8(&m);
	struct xfr x = { .len = rd_le32(&m) };
	const uint8_t slot = rd_u8(&m), seq = rd_u8(&m);

	rd_u8(&m);
	x.level = rd_le16(&m);
	x.bytes = rd_bytes(&m, x.len);
	if (slot >= REDACT_SLOTS)
		return 0;
	note_command(r, &r->slot[slot], type, seq);
	if (m.overrun) {
		slot_lost(&r->slot[slot]); /* only a part of it was recorded */
		return 0;
	}
	return read_command(r, &r->slot[slot], type, &x);
}

size_t redact_message(struct redact *r, const uint8_t *msg, size_t len)
{
	if (len < CCID_HEADER_LEN)
		return 0;
	return CCID_HEADER_LEN +
	       (msg[0] & ANSWER ? answer_message(r, msg, len) : command_message(r, msg, len));
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static size_t put_bytes(char *out, const uint8_t *bytes, size_t from, size_t to, size_t shown)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		n += (size_t)(i < shown ? sprintf(out + n, " %02X", bytes[i]) : sprintf(out + n, " **"));
	return n;
}

const char *redact_text(char out[REDACT_TEXT_MAX], const uint8_t *bytes, size_t len, size_t shown)
{
	enum { FIRST = 64, LAST = 24 };
	size_t n;

	out[0] = '\0';
	if (len <= FIRST + LAST) {
		put_bytes(out, bytes, 0, len, shown);
		return out;
	}
	n = put_bytes(out, bytes, 0, FIRST, shown);
	n += (size_t)sprintf(out + n, " .. (%zu bytes) ..", len - FIRST - LAST);
	put_bytes(out + n, bytes, len - LAST, len, shown);
	return out;
}
