/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a plan assumes of the card before the capture, and what was asked of a keypad. */
#include "tool/plan.h"

#include "base/bytes.h"
#include "ccid/message.h"
#include "ccid/pin.h"
#include "tool/words.h"
#include "tpdu/t1.h"

/* ---- PINs -------------------------------------------------------------------------------------------------------- */

bool plan_is_pin_escape(const struct ccid_caps *caps, const uint8_t *bytes, size_t len)
{
	return caps->pin.escape.len && len == caps->pin.escape.len &&
	       memcmp(bytes, caps->pin.escape.at, len) == 0;
}

/* The structure of PC/SC part 10 that becomes this payload of PC_to_RDR_Secure. */
void plan_put_structure(struct plan *p, struct capture_bytes *out, const uint8_t *payload, size_t len,
			const struct ccid_caps *caps)
{
	struct rd r = rd_of(payload, len);
	const bool modify = rd_u8(&r) == PIN_MODIFY;
	const uint8_t timeout = rd_u8(&r);
	uint8_t fixed[PIN_MODIFY_FIXED] = { timeout, 0 };
	struct wr w = wr_of(fixed + 2, sizeof fixed - 2);
	const size_t before = modify ? 9 : 6; /* up to bNumberMessage */
	uint8_t number;
	size_t indexes;

	if (caps->pin.swap_limits && !modify && len > 7) {
		const uint8_t *limits = payload + 5;
		const uint8_t swapped[] = { payload[2], payload[3], payload[4], limits[1], limits[0] };

		wr_bytes(&w, swapped, sizeof swapped);
		rd_bytes(&r, sizeof swapped);
		wr_u8(&w, rd_u8(&r));
	} else {
		const uint8_t *same = rd_bytes(&r, before);

		if (same)
			wr_bytes(&w, same, before);
	}
	number = rd_u8(&r);
	wr_u8(&w, number);
	wr_le16(&w, rd_le16(&r));
	indexes = modify && (number > 2 || caps->pin.three_indexes) ? 3 : modify && number == 2 ? 2 : 1;
	for (size_t i = 0; i < (modify ? 3u : 1u); i++)
		wr_u8(&w, i < indexes ? rd_u8(&r) : 0);
	rd_bytes(&r, 3); /* bTeoPrologue is the driver's */
	wr_bytes(&w, (const uint8_t[3]){ 0 }, 3);
	wr_le32(&w, (uint32_t)r.left);
	plan_put(p, out, fixed, sizeof fixed - w.left);
	plan_put(p, out, r.at, r.left);
}

/* ---- what came before -------------------------------------------------------------------------------------------- */

static void before(struct plan *p, enum capture_action action, uint32_t number, const uint8_t *bytes,
		   size_t len)
{
	struct plan_action *a = &p->before[p->befores++];

	*a = (struct plan_action){ .step = { .kind = CAPTURE_DO, .action = action, .number = number },
				   .made = true };
	plan_put(p, &a->step.bytes, bytes, len);
}

static bool needs_card(enum capture_action action)
{
	return action == CAPTURE_PROTOCOL || action == CAPTURE_TRANSMIT || action == CAPTURE_VERIFY ||
	       action == CAPTURE_MODIFY;
}

/* T=1 where blocks say so, and where the prologue of Secure is that of a block. */
static bool speaks_t1(const struct plan *p, const struct plan_action *a, const struct ccid_caps *caps)
{
	struct t1_block b;

	if (caps->level >= CCID_SHORT_APDU || !caps->t0 || !caps->t1)
		return caps->t1;
	if (a->step.action == CAPTURE_PROTOCOL)
		return a->step.number;
	return a->step.action != CAPTURE_TRANSMIT || plan_block(p, a->first, &b);
}

/* N(S) of the first block is 1 where there was an odd number of blocks before it. */
static bool odd_block(const struct plan *p, const struct plan_action *a)
{
	struct t1_block b;
	size_t i = a->first;

	if (plan_type(p, i) == PC_TO_RDR_ESCAPE)
		i = plan_next(p, i);
	if (plan_type(p, i) == PC_TO_RDR_SECURE)
		return p->item[i].len > CCID_HEADER_LEN + 13 &&
		       p->item[i].bytes[CCID_HEADER_LEN + 13] & T1_NS;
	return plan_block(p, i, &b) && !(b.pcb & T1_NOT_I) && b.pcb & T1_NS;
}

/* The first SetParameters that says what the ATR must have said; NULL if there is none. */
static const uint8_t *parameters_of(const struct plan *p, bool t1)
{
	const size_t len = CCID_HEADER_LEN + (size_t)(t1 ? CCID_PARAMETERS_T1_LEN : CCID_PARAMETERS_T0_LEN);

	for (size_t i = 0; i < p->items && plan_type(p, i) != PC_TO_RDR_ICC_POWER_ON; i++)
		if (plan_type(p, i) == PC_TO_RDR_SET_PARAMETERS && p->item[i].len == len &&
		    p->item[i].bytes[7] == t1)
			return p->item[i].bytes + CCID_HEADER_LEN;
	return NULL;
}

/* An answer to reset that fits what was done with the card. */
static void make_atr(struct plan *p, bool t1)
{
	const uint8_t *parameters = parameters_of(p, t1);
	const uint8_t ta1 = parameters ? parameters[0] : 0x11;
	const uint8_t t0_atr[] = { 0x3B, 0x12, ta1, 0x14, 0x50 };
	uint8_t t1_atr[] = { 0x3B, 0x90, ta1, 0x81, 0x31, 0xFE, 0x45, 0 };

	if (parameters && t1) {
		t1_atr[5] = parameters[5]; /* IFSC */
		t1_atr[6] = parameters[3]; /* BWI, CWI */
	}
	t1_atr[sizeof t1_atr - 1] = (uint8_t)t1_edc(t1_atr + 1, sizeof t1_atr - 2, false);
	p->atr_made = true;
	p->atr_len = t1 ? sizeof t1_atr : sizeof t0_atr;
	memcpy(p->atr, t1 ? t1_atr : t0_atr, p->atr_len);
}

/* The state that the fragment begins in. */
void plan_find_before(struct plan *p, const struct ccid_caps *caps)
{
	static const uint8_t select[] = { 0x00, 0xA4, 0x04, 0x00 };
	const struct plan_action *first = p->action;
	const struct plan_action *end = p->action + p->actions;
	bool powered, t1;

	while (first < end && !needs_card(first->step.action) && first->step.action != CAPTURE_POWER_UP)
		first++;
	powered = first < end && first->step.action != CAPTURE_POWER_UP;
	/* Where somebody powered the card unseen, the reader was open already. */
	if (powered && p->action[0].step.action == CAPTURE_OPEN)
		p->action[0].step.action = CAPTURE_PRESENCE;
	if (p->actions == 0 || p->action[0].step.action != CAPTURE_OPEN)
		before(p, CAPTURE_OPEN, 0, NULL, 0);
	if (!powered)
		return;
	t1 = speaks_t1(p, first, caps);
	make_atr(p, t1);
	before(p, CAPTURE_POWER_UP, 0, p->atr, p->atr_len);
	if (first->step.action == CAPTURE_PROTOCOL)
		return;
	before(p, CAPTURE_PROTOCOL, t1, NULL, 0);
	if (t1 && odd_block(p, first))
		before(p, CAPTURE_TRANSMIT, 0, select, sizeof select);
}
