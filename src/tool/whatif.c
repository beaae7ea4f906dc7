/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/whatif.h"

#include "base/bytes.h"
#include "ccid/message.h"
#include "ccid/status.h"
#include "tool/words.h"
#include "tpdu/t1.h"

#include <stdlib.h>

enum { SEQ = 6, TYPE_CLASS_OUT = 0x21, REQUEST_ABORT = 1, UNTIMED_US = 1000, CHAIN_ENDS = 2 };

#define MADE SIZE_MAX

/* ---- the script -------------------------------------------------------------------------------------------------- */

enum seq_mark { SEQ_SEEN, SEQ_FILLED, SEQ_OPEN };

static void put_bytes(struct whatif *w, const uint8_t *bytes, size_t len, enum seq_mark mark)
{
	for (size_t i = 0; i < len; i++)
		if (i != SEQ || mark == SEQ_SEEN)
			fprintf(w->script, " %02X", bytes[i]);
		else if (mark == SEQ_FILLED)
			fprintf(w->script, " [%02X]", bytes[i]);
		else
			fputs(" ..", w->script);
	fputc('\n', w->script);
}

static void give_reason(struct whatif *w)
{
	if (w->script && !w->differs)
		fprintf(w->script, "  differs: today's driver does it another way than the captured one\n");
	w->differs = true;
}

static void put_time(struct whatif *w, const struct plan_item *item)
{
	if (item->timed)
		fprintf(w->script, " %llu",
			(unsigned long long)(item->us > UINT32_MAX ? UINT32_MAX : item->us));
	else
		fputs(" -", w->script);
}

static void put_made(struct whatif *w, const char *word, const uint8_t *bytes, size_t len)
{
	give_reason(w);
	if (!w->script)
		return;
	fprintf(w->script, "  made %s -", word);
	put_bytes(w, bytes, len, SEQ_OPEN);
}

/* A captured line; numbers of messages that the log lacks are counted in first. */
static void put_captured(struct whatif *w, const char *prefix, const struct plan_item *item)
{
	static const struct {
		enum event_kind kind;
		const char *word;
	} words[] = {
		{ EVENT_OUT, "out" }, { EVENT_IN, "in" }, { EVENT_INT, "int" }, { EVENT_TIMEOUT, "timeout" }
	};

	if (item->kind == EVENT_OUT) {
		const uint8_t seq = item->bytes[SEQ];

		if (w->script && w->captured_known && seq != w->captured_next)
			fprintf(w->script, "  missing %u they are not in the capture\n",
				(uint8_t)(seq - w->captured_next));
		w->captured_known = true;
		w->captured_next = (uint8_t)(seq + 1);
	}
	if (!w->script)
		return;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (words[i].kind != item->kind)
			continue;
		fprintf(w->script, "  %s%s", prefix, words[i].word);
		put_time(w, item);
		/* The number of a command that was another one says nothing. */
		put_bytes(w, item->bytes, item->len,
			  w->alike && item->kind == EVENT_IN && !prefix[0] ? SEQ_FILLED : SEQ_SEEN);
	}
}

/* Pass over items that the driver does not cause. */
static void skip_to(struct whatif *w, size_t to)
{
	for (; w->at < to; w->at++) {
		const struct plan_item *item = &w->plan->item[w->at];

		if (item->kind != EVENT_OUT && item->kind != EVENT_IN && item->kind != EVENT_TIMEOUT)
			continue;
		w->skipped += item->kind == EVENT_OUT;
		give_reason(w);
		put_captured(w, "skipped ", item);
	}
}

/* ---- finding what was captured ----------------------------------------------------------------------------------- */

static bool is_exact(const struct plan_item *item, const uint8_t *out, size_t len)
{
	return item->kind == EVENT_OUT && item->len == len && memcmp(item->bytes, out, SEQ) == 0 &&
	       memcmp(item->bytes + SEQ + 1, out + SEQ + 1, len - SEQ - 1) == 0;
}

/* Another voltage, other parameters, another time-out for a PIN: what the reader said to the one, it would say to the other. */
static bool is_alike(const struct plan_item *item, const uint8_t *out)
{
	return item->kind == EVENT_OUT && item->len >= CCID_HEADER_LEN && item->bytes[0] == out[0] &&
	       (out[0] == PC_TO_RDR_ICC_POWER_ON || out[0] == PC_TO_RDR_SET_PARAMETERS ||
		out[0] == PC_TO_RDR_SECURE);
}

static size_t find(const struct whatif *w, const uint8_t *out, size_t len, bool *exact)
{
	*exact = true;
	for (size_t i = w->at; i < w->end; i++)
		if (is_exact(&w->plan->item[i], out, len))
			return i;
	*exact = false;
	for (size_t i = w->at; i < w->end; i++)
		if (is_alike(&w->plan->item[i], out))
			return i;
	return MADE;
}

/* Was the captured reader silent to the next block that it got, so that it would be to this one? */
static bool would_be_silent(const struct whatif *w, uint8_t type)
{
	const struct plan *p = w->plan;

	if (!w->script || w->powered_anew || type != PC_TO_RDR_XFR_BLOCK)
		return false;
	for (size_t i = w->at; i < p->items; i++) {
		if (p->item[i].kind != EVENT_OUT)
			continue;
		if (p->item[i].bytes[0] == PC_TO_RDR_ICC_POWER_ON)
			return false;
		if (p->item[i].bytes[0] == PC_TO_RDR_XFR_BLOCK)
			return i + 1 < p->items && p->item[i + 1].kind == EVENT_TIMEOUT;
	}
	return false;
}

/* A reader that will not answer the next command either does not obey an ABORT. */
static bool is_deaf(const struct whatif *w)
{
	const struct plan *p = w->plan;

	for (size_t i = w->at; i < p->items; i++)
		if (p->item[i].kind == EVENT_OUT)
			return p->item[i].bytes[0] == PC_TO_RDR_GET_SLOT_STATUS && i + 1 < p->items &&
			       p->item[i + 1].kind == EVENT_TIMEOUT;
	return false;
}

/* ---- what a reader without faults says --------------------------------------------------------------------------- */

static size_t say(struct whatif *w, const uint8_t *out, uint8_t type, const uint8_t *data, size_t len)
{
	struct wr r = wr_of(w->made_answer, sizeof w->made_answer);

	wr_u8(&r, type);
	wr_le32(&r, (uint32_t)len);
	wr_u8(&r, out[5]);
	wr_u8(&r, out[SEQ]);
	wr_bytes(&r, (const uint8_t[3]){ 0 }, 3);
	wr_bytes(&r, data, len);
	return r.overrun ? 0 : sizeof w->made_answer - r.left;
}

/* The action that the reader without faults takes this command for. */
static struct capture_step as_action(const struct whatif *w, uint8_t type)
{
	struct capture_step step = { .kind = CAPTURE_DO, .action = CAPTURE_TRANSMIT };

	if (type == PC_TO_RDR_ICC_POWER_ON) {
		step.action = CAPTURE_POWER_UP;
		/* It does not change what it is given. */
		memcpy(&step.bytes.value, &(const uint8_t *){ w->plan->atr }, sizeof step.bytes.value);
		step.bytes.len = w->plan->atr_len;
	} else if (w->action && w->action->action == CAPTURE_PROTOCOL) {
		step.action = CAPTURE_PROTOCOL;
		step.number = w->action->number;
	} else if (w->action && w->action->action == CAPTURE_TRANSMIT) {
		step.bytes = w->action->bytes;
	}
	return step;
}

/* A T=1 block of the card, as an answer. */
static size_t say_block(struct whatif *w, const uint8_t *out, uint8_t pcb, const uint8_t *inf, uint8_t len)
{
	uint8_t block[3 + 255 + 1] = { 0, pcb, len };

	if (len)
		memcpy(block + 3, inf, len);
	block[3 + len] = (uint8_t)t1_edc(block, 3u + len, false);
	return say(w, out, RDR_TO_PC_DATA_BLOCK, block, 4u + len);
}

/* What repairs a T=1 connection: the card agrees to every request, and to R-blocks it says that all is done. */
static size_t answer_repair(struct whatif *w, const uint8_t *out, size_t len)
{
	static const uint8_t fine[] = { 0x90, 0x00 };
	enum { S_RESYNCH = 0xC0, S_RESPONSE = 0x20, R_NR = 0x10 };
	struct t1_block b;

	if (out[0] != PC_TO_RDR_XFR_BLOCK || w->faultless.crc ||
	    !words_t1_split(out + CCID_HEADER_LEN, len - CCID_HEADER_LEN, &b) || !(b.pcb & T1_NOT_I) ||
	    b.pcb == T1_IFS_REQUEST)
		return 0;
	if ((b.pcb & T1_KIND_MASK) == T1_R_BLOCK)
		return say_block(w, out, b.pcb & R_NR ? T1_NS : 0, fine, sizeof fine);
	if (b.pcb == S_RESYNCH)
		w->faultless.ns = 0;
	return b.pcb & S_RESPONSE ? 0 : say_block(w, out, b.pcb | S_RESPONSE, b.inf, (uint8_t)b.len);
}

/* The captured reader powered no card here: one that is mute stays so. */
static size_t stay_mute(struct whatif *w, const uint8_t *out)
{
	const size_t n = say(w, out, RDR_TO_PC_DATA_BLOCK, NULL, 0);

	w->made_answer[7] = CCID_FAILED << 6 | CCID_ICC_INACTIVE;
	w->made_answer[8] = CCID_ICC_MUTE;
	return n;
}

static size_t made_answer(struct whatif *w, const uint8_t *out, size_t len)
{
	static const uint8_t fine[] = { 0x90, 0x00 };
	struct capture_step step = as_action(w, out[0]);
	size_t n;

	if (out[0] == PC_TO_RDR_ESCAPE)
		return say(w, out, RDR_TO_PC_ESCAPE, NULL, 0);
	if (out[0] == PC_TO_RDR_SECURE)
		return say(w, out, RDR_TO_PC_DATA_BLOCK, fine, sizeof fine);
	if (out[0] == PC_TO_RDR_ICC_POWER_ON && w->plan->atr_len == 0)
		return stay_mute(w, out);
	n = answer_repair(w, out, len);
	if (n)
		return n;
	replay_reader_begin(&w->faultless, &step);
	n = replay_reader_command(&w->faultless, out, len);
	memcpy(w->made_answer, w->faultless.answer, n);
	w->faultless.action = NULL;
	/* The next part of an answer that is made is the last one. */
	if (n && out[0] == PC_TO_RDR_XFR_BLOCK && out[8] == CCID_APDU_NEXT_PART)
		w->made_answer[9] = CHAIN_ENDS;
	return n;
}

/* ---- the calls of the transport ---------------------------------------------------------------------------------- */

static struct whatif *of(struct transport *t)
{
	return (struct whatif *)(void *)t;
}

static enum oc_err op_send(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
			   unsigned ms)
{
	struct whatif *w = of(t);
	bool exact;
	size_t found;

	(void)ms;
	if (w->gone || len < CCID_HEADER_LEN)
		return OC_E_GONE;
	w->in = in;
	w->cap = cap;
	w->driver_seq = out[SEQ];
	found = find(w, out, len, &exact);
	if (out[0] == PC_TO_RDR_ICC_POWER_ON)
		w->powered_anew = found == MADE;
	w->faultless.powered |= out[0] == PC_TO_RDR_ICC_POWER_ON;
	if (found == MADE) {
		w->made++;
		put_made(w, "out", out, len);
		w->answer = MADE;
		w->made_len = would_be_silent(w, out[0]) ? 0 : made_answer(w, out, len);
		return OC_OK;
	}
	skip_to(w, exact ? found : found + 1);
	if (exact)
		put_captured(w, "", &w->plan->item[found]);
	else
		put_made(w, "out", out, len);
	w->alike = !exact;
	w->made += !exact;
	w->captured_seq = w->plan->item[found].bytes[SEQ];
	w->at = w->answer = found + 1;
	return OC_OK;
}

static enum oc_err pass_time(struct whatif *w, unsigned ms)
{
	w->us += (uint64_t)ms * 1000;
	return OC_E_TIMEOUT;
}

static enum oc_err recv_made(struct whatif *w, size_t *len, unsigned ms)
{
	if (w->made_len == 0) {
		give_reason(w);
		if (w->script)
			fputs("  made timeout -\n", w->script);
		return pass_time(w, ms);
	}
	*len = w->made_len < w->cap ? w->made_len : w->cap;
	memcpy(w->in, w->made_answer, *len);
	put_made(w, "in", w->made_answer, w->made_len);
	w->made_len = 0;
	w->us += UNTIMED_US;
	return OC_OK;
}

/* The next captured event of the bulk-IN pipe; NULL where the capture has none before the next command. */
static const struct plan_item *next_answer(struct whatif *w)
{
	for (; w->answer < w->plan->items; w->answer++) {
		const struct plan_item *item = &w->plan->item[w->answer];

		if (item->kind == EVENT_OUT)
			return NULL;
		if (item->kind == EVENT_IN || item->kind == EVENT_TIMEOUT || item->kind == EVENT_STALL ||
		    item->kind == EVENT_ERROR || item->kind == EVENT_GONE)
			return item;
	}
	return NULL;
}

/* The reader without faults goes on where the card is: N(S) of its next block. */
static void follow_card(struct whatif *w, const struct plan_item *item)
{
	struct t1_block b;

	if (item->len > CCID_HEADER_LEN &&
	    words_t1_split(item->bytes + CCID_HEADER_LEN, item->len - CCID_HEADER_LEN, &b) &&
	    !(b.pcb & T1_NOT_I))
		w->faultless.ns = (b.pcb & T1_NS) ^ T1_NS;
}

static enum oc_err deliver(struct whatif *w, const struct plan_item *item, size_t *len, unsigned ms)
{
	const uint64_t us = item->timed ? item->us : UNTIMED_US;

	if (us > (uint64_t)ms * 1000)
		return pass_time(w, ms); /* it comes too late for this one, and is asked for again */
	put_captured(w, "", item);
	follow_card(w, item);
	w->us += us;
	w->answer++;
	w->at = w->answer > w->at ? w->answer : w->at;
	*len = item->len < w->cap ? item->len : w->cap;
	if (*len)
		memcpy(w->in, item->bytes, *len);
	if (*len > SEQ)
		w->in[SEQ] = (uint8_t)(item->bytes[SEQ] - w->captured_seq + w->driver_seq);
	return OC_OK;
}

static enum oc_err op_recv(struct transport *t, size_t *len, unsigned ms)
{
	struct whatif *w = of(t);
	const struct plan_item *item;

	if (w->gone)
		return OC_E_GONE;
	if (w->answer == MADE)
		return recv_made(w, len, ms);
	item = next_answer(w);
	if (!item)
		return recv_made(w, len, ms);
	if (item->kind == EVENT_IN)
		return deliver(w, item, len, ms);
	w->answer++;
	w->at = w->answer > w->at ? w->answer : w->at;
	if (item->kind == EVENT_TIMEOUT) {
		put_captured(w, "", item);
		return pass_time(w, ms);
	}
	w->unsavable = true;
	w->gone = item->kind == EVENT_GONE;
	return item->kind == EVENT_GONE ? OC_E_GONE : item->kind == EVENT_STALL ? OC_E_STALL : OC_E_IO;
}

static enum oc_err op_control(struct transport *t, const struct transport_setup *setup, uint8_t *data,
			      size_t *len, unsigned ms)
{
	struct whatif *w = of(t);
	const bool works =
		setup->request_type == TYPE_CLASS_OUT && setup->request == REQUEST_ABORT && !is_deaf(w);

	(void)data;
	(void)ms;
	if (w->gone)
		return OC_E_GONE;
	w->made++;
	give_reason(w);
	if (w->script)
		fprintf(w->script, "  made control - %s %02X %02X %02X .. %02X %02X %02X %02X\n",
			works ? "works" : "stalls", setup->request_type, setup->request, setup->value & 0xFF,
			setup->index & 0xFF, setup->index >> 8, (unsigned)*len & 0xFF,
			(unsigned)*len >> 8 & 0xFF);
	if (works)
		*len = 0;
	return works ? OC_OK : OC_E_STALL;
}

static enum oc_err op_clear_halt(struct transport *t)
{
	struct whatif *w = of(t);

	if (w->gone)
		return OC_E_GONE;
	give_reason(w);
	if (w->script)
		fputs("  made clear-halt\n", w->script);
	return OC_OK;
}

static enum oc_err op_clear_interrupt(struct transport *t)
{
	return of(t)->gone ? OC_E_GONE : OC_OK;
}

static enum oc_err op_interrupt(struct transport *t, uint8_t *buf, size_t cap, size_t *len, unsigned ms)
{
	struct whatif *w = of(t);
	const struct plan_item *item = w->at < w->end ? &w->plan->item[w->at] : NULL;

	if (w->gone)
		return OC_E_GONE;
	if (w->woken) {
		w->woken = false;
		return OC_E_STOPPED;
	}
	if (!item || item->kind != EVENT_INT)
		return pass_time(w, ms);
	w->at++;
	put_captured(w, "", item);
	w->us += item->timed ? item->us : UNTIMED_US;
	*len = item->len < cap ? item->len : cap;
	memcpy(buf, item->bytes, *len);
	return OC_OK;
}

static void op_wake(struct transport *t)
{
	of(t)->woken = true;
}

static void op_gone(struct transport *t)
{
	of(t)->gone = true;
}

static uint64_t op_now(struct transport *t)
{
	return of(t)->us / 1000;
}

static void op_pause(struct transport *t, unsigned ms)
{
	of(t)->us += (uint64_t)ms * 1000;
}

/* The memory is the caller's. */
static void op_close(struct transport *t)
{
	of(t)->gone = true;
}

/* ---- the calls of the verb --------------------------------------------------------------------------------------- */

void whatif_begin(struct whatif *w, const struct plan *plan)
{
	static const struct transport_ops ops = {
		.send = op_send,
		.recv = op_recv,
		.control = op_control,
		.clear_halt = op_clear_halt,
		.clear_interrupt = op_clear_interrupt,
		.interrupt = op_interrupt,
		.wake = op_wake,
		.gone = op_gone,
		.now = op_now,
		.pause = op_pause,
		.close = op_close,
	};

	*w = (struct whatif){ .transport.ops = &ops, .plan = plan, .answer = MADE };
}

void whatif_action(struct whatif *w, const struct plan_action *action, FILE *script)
{
	w->script = script;
	w->action = &action->step;
	w->differs = false;
	w->made = w->skipped = 0;
	if (action->made) {
		w->end = w->at;
		return;
	}
	w->at = action->first > w->at ? action->first : w->at;
	w->end = action->end > w->at ? action->end : w->at;
}

void whatif_end(struct whatif *w)
{
	skip_to(w, w->end);
	if (!w->script)
		w->powered_anew = false;
	w->action = NULL;
	w->answer = MADE;
}

void whatif_leave(struct whatif *w)
{
	w->script = NULL;
	w->at = w->end = w->plan->items;
	w->action = NULL;
}
