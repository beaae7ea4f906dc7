/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/plan.h"

#include "base/bytes.h"
#include "ccid/message.h"
#include "ccid/pin.h"
#include "ccid/status.h"
#include "tool/words.h"

#include <stdlib.h>

enum { SEQ = 6, WAIT_MS = 1000, T0_HEADER_LEN = 5 };

/* ---- keeping ----------------------------------------------------------------------------------------------------- */

struct plan *plan_new(void)
{
	struct plan *p = calloc(1, sizeof *p);

	if (p)
		p->item = calloc(PLAN_ITEMS_MAX, sizeof *p->item);
	if (p && !p->item) {
		free(p);
		return NULL;
	}
	return p;
}

void plan_take(void *arg, const struct event *event)
{
	struct plan *p = arg;
	struct plan_item *item = &p->item[p->items];
	uint8_t *copy;

	if (p->items == PLAN_ITEMS_MAX || p->bytes + event->len > PLAN_BYTES_MAX) {
		p->too_long = true;
		return;
	}
	copy = malloc(event->len ? event->len : 1);
	if (!copy) {
		p->too_long = true;
		return;
	}
	if (event->len)
		memcpy(copy, event->bytes, event->len);
	*item = (struct plan_item){
		.kind = event->kind,
		.place = event->place,
		.us = event->us - p->last_us,
		.timed = event->timed,
		.bytes = copy,
		.len = event->len,
		.whole = event->missing == 0,
	};
	p->incomplete |= event->missing && (event->kind == EVENT_OUT || event->kind == EVENT_IN);
	p->last_us = event->us;
	p->bytes += event->len;
	p->items++;
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->items; i++) {
		bytes_wipe(plan->item[i].bytes, plan->item[i].len);
		free(plan->item[i].bytes);
	}
	free(plan->item);
	free(plan->action);
	if (plan->pool)
		bytes_wipe(plan->pool, plan->pool_size);
	free(plan->pool);
	free(plan);
}

/* ---- looking at items -------------------------------------------------------------------------------------------- */

static bool is_out(const struct plan *p, size_t i)
{
	return i < p->items && p->item[i].kind == EVENT_OUT && p->item[i].len >= CCID_HEADER_LEN;
}

uint8_t plan_type(const struct plan *p, size_t i)
{
	return is_out(p, i) ? p->item[i].bytes[0] : 0;
}

/* The next thing that is sent or asked for. */
size_t plan_next(const struct plan *p, size_t i)
{
	for (i++; i < p->items; i++)
		if (p->item[i].kind == EVENT_OUT || p->item[i].kind == EVENT_COMMAND ||
		    p->item[i].kind == EVENT_INT)
			break;
	return i;
}

/* The final answer to the command at @i; NULL where it got none. */
static const struct plan_item *answer_to(const struct plan *p, size_t i, struct ccid_reply *reply)
{
	for (size_t k = i + 1; k < p->items && p->item[k].kind != EVENT_OUT; k++)
		if (p->item[k].kind == EVENT_IN &&
		    ccid_decode_reply(p->item[k].bytes, p->item[k].len, reply) == OC_OK &&
		    reply->seq == p->item[i].bytes[SEQ] &&
		    ccid_command_status_of(reply->status) != CCID_TIME_EXTENSION)
			return &p->item[k];
	return NULL;
}

static bool went_well(const struct plan *p, size_t i)
{
	struct ccid_reply reply;

	return answer_to(p, i, &reply) && ccid_command_status_of(reply.status) == CCID_DONE;
}

bool plan_block(const struct plan *p, size_t i, struct t1_block *b)
{
	return plan_type(p, i) == PC_TO_RDR_XFR_BLOCK &&
	       words_t1_split(p->item[i].bytes + CCID_HEADER_LEN, p->item[i].len - CCID_HEADER_LEN, b);
}

static bool is_pps(const struct plan *p, size_t i)
{
	return plan_type(p, i) == PC_TO_RDR_XFR_BLOCK &&
	       words_is_pps(p->item[i].bytes + CCID_HEADER_LEN, p->item[i].len - CCID_HEADER_LEN);
}

/* ---- actions ----------------------------------------------------------------------------------------------------- */

void plan_put(struct plan *p, struct capture_bytes *b, const uint8_t *bytes, size_t len)
{
	if (!b->value)
		b->value = p->pool + p->pooled;
	if (len > p->pool_size - p->pooled)
		len = p->pool_size - p->pooled;
	if (len)
		memcpy(p->pool + p->pooled, bytes, len);
	p->pooled += len;
	b->len += len;
}

static struct plan_action *add(struct plan *p, enum capture_action action, size_t first)
{
	struct plan_action *a = &p->action[p->actions++];

	*a = (struct plan_action){
		.step = { .kind = CAPTURE_DO, .action = action, .line = (unsigned)p->item[first].place },
		.first = first,
		.end = first + 1,
		.place = p->item[first].place,
	};
	return a;
}

/* Power on, as often as it takes. */
static size_t take_power_up(struct plan *p, size_t i)
{
	struct plan_action *a = add(p, CAPTURE_POWER_UP, i);
	size_t next = plan_next(p, i);
	struct ccid_reply reply;
	bool well = went_well(p, i);

	while (!well && (plan_type(p, next) == PC_TO_RDR_ICC_POWER_ON ||
			 plan_type(p, next) == PC_TO_RDR_ICC_POWER_OFF)) {
		i = next;
		well = plan_type(p, i) == PC_TO_RDR_ICC_POWER_ON && went_well(p, i);
		next = plan_next(p, i);
	}
	if (well && answer_to(p, i, &reply) && reply.len && reply.len <= sizeof p->atr) {
		memcpy(p->atr, reply.data, reply.len);
		p->atr_len = reply.len;
		p->atr_made = false;
	}
	a->end = next;
	return next;
}

static bool is_s_ifs(const struct plan *p, size_t i)
{
	struct t1_block b;

	return plan_block(p, i, &b) && b.pcb == T1_IFS_REQUEST;
}

static bool negotiates(const struct plan *p, size_t i)
{
	const uint8_t type = plan_type(p, i);

	return type == PC_TO_RDR_SET_PARAMETERS || type == PC_TO_RDR_RESET_PARAMETERS ||
	       type == PC_TO_RDR_SET_DATA_RATE_AND_CLOCK || type == PC_TO_RDR_GET_PARAMETERS ||
	       is_pps(p, i) || is_s_ifs(p, i);
}

static uint32_t protocol_of(const struct plan *p, size_t i)
{
	if (plan_type(p, i) == PC_TO_RDR_SET_PARAMETERS)
		return p->item[i].bytes[7] & 1;
	if (is_pps(p, i))
		return p->item[i].bytes[CCID_HEADER_LEN + 1] & 1;
	return is_s_ifs(p, i);
}

static size_t take_protocol(struct plan *p, size_t i)
{
	struct plan_action *a = add(p, CAPTURE_PROTOCOL, i);

	for (; negotiates(p, i); i = plan_next(p, i))
		a->step.number |= protocol_of(p, i);
	a->end = i;
	return i;
}

/* Has the command of the chain gone out, and its answer come in? */
static bool t1_is_over(const struct plan *p, size_t i)
{
	struct ccid_reply reply;
	struct t1_block b;

	return answer_to(p, i, &reply) && words_t1_split(reply.data, reply.len, &b) &&
	       !(b.pcb & (T1_NOT_I | T1_MORE));
}

static size_t take_t1(struct plan *p, size_t i)
{
	struct plan_action *a = add(p, CAPTURE_TRANSMIT, i);
	uint8_t last_ns = 0xFF;
	bool more = true;
	struct t1_block b;

	while (plan_block(p, i, &b)) {
		if (!(b.pcb & T1_NOT_I)) {
			if (!more && (b.pcb & T1_NS) != last_ns)
				break;
			if ((b.pcb & T1_NS) != last_ns)
				plan_put(p, &a->step.bytes, b.inf, b.len);
			last_ns = b.pcb & T1_NS;
			more = b.pcb & T1_MORE;
		}
		if (t1_is_over(p, i)) {
			i = plan_next(p, i);
			break;
		}
		/* Silence, and something else: the captured driver gave it up. */
		i = plan_next(p, i);
		if (plan_block(p, i, &b) && !(b.pcb & T1_NOT_I) && !more && (b.pcb & T1_NS) == last_ns &&
		    (b.len != a->step.bytes.len || memcmp(b.inf, a->step.bytes.value, b.len) != 0))
			break;
	}
	a->end = i;
	return i;
}

/* A header at character level, then its data, until SW1 SW2 have come. */
static size_t take_characters(struct plan *p, size_t i)
{
	struct plan_action *a = add(p, CAPTURE_TRANSMIT, i);
	struct ccid_reply reply;

	while (plan_type(p, i) == PC_TO_RDR_XFR_BLOCK) {
		const bool answered = answer_to(p, i, &reply);

		plan_put(p, &a->step.bytes, p->item[i].bytes + CCID_HEADER_LEN,
			 p->item[i].len - CCID_HEADER_LEN);
		i = plan_next(p, i);
		if (!answered || reply.len >= 2)
			break;
	}
	a->end = i;
	return i;
}

static uint16_t part_of(const struct plan *p, size_t i)
{
	return (uint16_t)(p->item[i].bytes[8] | p->item[i].bytes[9] << 8);
}

/* One TPDU, or one APDU in as many parts as it has. */
static size_t take_tpdu(struct plan *p, size_t i)
{
	struct plan_action *a = add(p, CAPTURE_TRANSMIT, i);
	uint16_t part;

	do {
		plan_put(p, &a->step.bytes, p->item[i].bytes + CCID_HEADER_LEN,
			 p->item[i].len - CCID_HEADER_LEN);
		i = plan_next(p, i);
		part = plan_type(p, i) == PC_TO_RDR_XFR_BLOCK ? part_of(p, i) : 0;
	} while (part == CCID_APDU_CONTINUES || part == CCID_APDU_ENDS || part == CCID_APDU_NEXT_PART);
	a->end = i;
	return i;
}

/* The log tells the APDU, and the next blocks are its. */
static size_t take_told(struct plan *p, size_t command, size_t i)
{
	struct plan_action *a = add(p, CAPTURE_TRANSMIT, i);

	plan_put(p, &a->step.bytes, p->item[command].bytes, p->item[command].len);
	for (; plan_type(p, i) == PC_TO_RDR_XFR_BLOCK; i = plan_next(p, i))
		;
	a->end = i;
	return i;
}

/* Does the APDU that the log tells begin with what is sent here? */
static bool is_told(const struct plan *p, size_t command, size_t i)
{
	const struct plan_item *c = &p->item[command];
	struct t1_block b;
	const uint8_t *bytes = p->item[i].bytes + CCID_HEADER_LEN;
	size_t len = p->item[i].len - CCID_HEADER_LEN;

	if (plan_block(p, i, &b)) {
		bytes = b.inf;
		len = b.len;
	}
	return command < p->items && len >= 4 && c->len >= 4 && memcmp(bytes, c->bytes, 4) == 0;
}

/* A header alone, and one byte for it. */
static bool is_character_header(const struct plan *p, size_t i)
{
	struct ccid_reply reply;

	return plan_type(p, i) == PC_TO_RDR_XFR_BLOCK && part_of(p, i) &&
	       p->item[i].len == CCID_HEADER_LEN + T0_HEADER_LEN && answer_to(p, i, &reply) && reply.len == 1;
}

bool plan_is_character_level(const struct plan *plan)
{
	for (size_t i = 0; i < plan->items; i++)
		if (is_character_header(plan, i))
			return true;
	return false;
}

static size_t take_xfr(struct plan *p, size_t i, size_t command, const struct ccid_caps *caps)
{
	struct t1_block b;

	if (caps->level < CCID_SHORT_APDU && negotiates(p, i))
		return take_protocol(p, i);
	if (command < p->items && is_told(p, command, i))
		return take_told(p, command, i);
	if (caps->level < CCID_SHORT_APDU && plan_block(p, i, &b))
		return take_t1(p, i);
	if (caps->level == CCID_CHARACTER || is_character_header(p, i))
		return take_characters(p, i);
	return take_tpdu(p, i);
}

/* A reader that does not answer is asked again. */
static size_t take_status(struct plan *p, size_t i, bool open)
{
	struct plan_action *a = add(p, open ? CAPTURE_OPEN : CAPTURE_PRESENCE, i);
	struct ccid_reply reply;
	bool silent = true;

	while (silent && plan_type(p, i) == PC_TO_RDR_GET_SLOT_STATUS) {
		silent = !answer_to(p, i, &reply);
		i = plan_next(p, i);
	}
	a->end = i;
	return i;
}

/* ---- PINs -------------------------------------------------------------------------------------------------------- */

static size_t take_secure(struct plan *p, size_t first, size_t i, const struct ccid_caps *caps)
{
	const uint8_t *payload = p->item[i].bytes + CCID_HEADER_LEN;
	const size_t len = p->item[i].len - CCID_HEADER_LEN;
	struct plan_action *a =
		add(p, len && payload[0] == PIN_MODIFY ? CAPTURE_MODIFY : CAPTURE_VERIFY, first);

	plan_put_structure(p, &a->step.bytes, payload, len, caps);
	a->end = plan_next(p, i);
	return a->end;
}

static size_t take_escape(struct plan *p, size_t i, const struct ccid_caps *caps)
{
	const uint8_t *bytes = p->item[i].bytes + CCID_HEADER_LEN;
	const size_t len = p->item[i].len - CCID_HEADER_LEN;
	size_t next = plan_next(p, i);
	struct plan_action *a;

	while (next < p->items && p->item[next].kind == EVENT_COMMAND)
		next = plan_next(p, next);
	if (plan_type(p, next) == PC_TO_RDR_SECURE && plan_is_pin_escape(caps, bytes, len))
		return take_secure(p, i, next, caps);
	a = add(p, CAPTURE_ESCAPE, i);
	plan_put(p, &a->step.bytes, bytes, len);
	a->end = plan_next(p, i);
	return a->end;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static size_t take_simple(struct plan *p, enum capture_action action, size_t i)
{
	struct plan_action *a = add(p, action, i);

	a->end = plan_next(p, i);
	return a->end;
}

static size_t take_interrupt(struct plan *p, size_t i)
{
	add(p, CAPTURE_WAIT_EVENT, i)->step.number = WAIT_MS;
	return i + 1;
}

/* One action from item @i on; returns the item behind it. @command is the last APDU that the log tells. */
static size_t take_action(struct plan *p, size_t i, size_t command, const struct ccid_caps *caps)
{
	if (p->item[i].kind == EVENT_INT)
		return take_interrupt(p, i);
	switch (plan_type(p, i)) {
	case PC_TO_RDR_GET_SLOT_STATUS:
		return take_status(p, i, p->actions == 0 && p->item[i].bytes[SEQ] == 0);
	case PC_TO_RDR_ICC_POWER_ON: return take_power_up(p, i);
	case PC_TO_RDR_ICC_POWER_OFF: return take_simple(p, CAPTURE_POWER_DOWN, i);
	case PC_TO_RDR_XFR_BLOCK: return take_xfr(p, i, command, caps);
	case PC_TO_RDR_ESCAPE: return take_escape(p, i, caps);
	case PC_TO_RDR_SECURE: return take_secure(p, i, i, caps);
	default: return negotiates(p, i) ? take_protocol(p, i) : i + 1;
	}
}

/* ---- the call ---------------------------------------------------------------------------------------------------- */

bool plan_settle(struct plan *plan, const struct ccid_caps *caps)
{
	size_t command = SIZE_MAX;

	plan->pool_size = plan->bytes + plan->items * 16 + 256;
	plan->pool = malloc(plan->pool_size);
	plan->action = calloc(plan->items + 1, sizeof *plan->action);
	if (!plan->pool || !plan->action)
		return false;
	for (size_t i = 0; i < plan->items;) {
		if (plan->item[i].kind == EVENT_COMMAND)
			command = i;
		if (plan->item[i].kind != EVENT_INT && !is_out(plan, i)) {
			i++;
			continue;
		}
		i = take_action(plan, i, command, caps);
		command = plan->item[i < plan->items ? i : i - 1].kind == EVENT_COMMAND ? command : SIZE_MAX;
	}
	plan_find_before(plan, caps);
	return true;
}
