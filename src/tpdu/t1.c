/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tpdu/t1.h"

#include "base/bytes.h"

enum {
	PROLOGUE = 3, /* NAD PCB LEN */

	/* PCB, 11.3.2.2 */
	PCB_I_NS = 0x40,
	PCB_I_MORE = 0x20,
	PCB_I_RFU = 0x1F,
	PCB_R = 0x80,
	PCB_R_NR = 0x10,
	PCB_R_RFU = 0x20,
	PCB_R_ERROR = 0x0F,
	PCB_S = 0xC0,
	PCB_S_RESPONSE = 0x20,
	PCB_KIND = 0xC0,

	R_EDC_ERROR = 1,
	R_OTHER_ERROR = 2,

	S_RESYNCH = 0xC0,
	S_IFS = 0xC1,
	S_ABORT = 0xC2,
	S_WTX = 0xC3,
};

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

/* Eight bytes at a time: a block has up to 258 of them. */
static uint8_t lrc_of(const uint8_t *bytes, size_t len)
{
	uint64_t sum = 0, word;
	uint8_t lrc = 0;

	for (; len >= sizeof word; len -= sizeof word, bytes += sizeof word) {
		memcpy(&word, bytes, sizeof word);
		sum ^= word;
	}
	for (; len; len--)
		lrc ^= *bytes++;
	for (; sum; sum >>= 8)
		lrc ^= (uint8_t)sum;
	return lrc;
}

static uint16_t crc_of(const uint8_t *bytes, size_t len)
{
	uint16_t crc = 0xFFFF;

	for (size_t i = 0; i < len; i++) {
		crc = (uint16_t)(crc ^ bytes[i]);
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? (uint16_t)(crc >> 1 ^ 0x8408) : (uint16_t)(crc >> 1);
	}
	return crc;
}

uint16_t t1_edc(const uint8_t *bytes, size_t len, bool crc)
{
	return crc ? crc_of(bytes, len) : lrc_of(bytes, len);
}

static size_t edc_len(const struct t1 *t1)
{
	return t1->crc ? 2 : 1;
}

static void put_edc(struct wr *w, const uint8_t *block, size_t len, bool crc)
{
	const uint16_t edc = t1_edc(block, len, crc);

	if (crc)
		wr_u8(w, (uint8_t)(edc >> 8));
	wr_u8(w, (uint8_t)edc);
}

static bool is_i(uint8_t pcb)
{
	return !(pcb & 0x80);
}

static bool is_r(uint8_t pcb)
{
	return (pcb & PCB_KIND) == PCB_R;
}

/* Does the I-block that is out leave something to send? */
static bool more_to_send(const struct t1 *t1)
{
	return t1->acked + t1->flight < t1->apdu_len;
}

static bool has_inf(uint8_t pcb)
{
	return (pcb & ~PCB_S_RESPONSE) == S_IFS || (pcb & ~PCB_S_RESPONSE) == S_WTX;
}

static size_t put_block(const struct t1 *t1, uint8_t out[T1_BLOCK_MAX])
{
	struct wr w = wr_of(out, T1_BLOCK_MAX);
	const bool i = is_i(t1->pcb);
	const size_t len = i ? t1->flight : !is_r(t1->pcb) && has_inf(t1->pcb) ? 1 : 0;

	wr_u8(&w, t1->nad);
	wr_u8(&w, t1->pcb);
	wr_u8(&w, (uint8_t)len);
	if (i && t1->by_reader)
		return T1_BLOCK_MAX - w.left;
	if (i)
		wr_bytes(&w, t1->apdu + t1->acked, len);
	else if (len)
		wr_u8(&w, t1->inf);
	put_edc(&w, out, PROLOGUE + len, t1->crc);
	return T1_BLOCK_MAX - w.left;
}

/* ---- what goes out next ------------------------------------------------------------------------------------------ */

static void queue(struct t1 *t1, uint8_t pcb, uint8_t inf)
{
	t1->pcb = pcb;
	t1->inf = inf;
	t1->bwi = 0;
	t1->to_send = true;
}

/* The length of a block is fixed when it is cut: the card may change IFSC while it is out, and acknowledges what was sent. */
static void queue_i(struct t1 *t1)
{
	const size_t left = t1->apdu_len - t1->acked;

	const size_t most = t1->ifsc < t1->longest ? t1->ifsc : t1->longest;

	t1->flight = left < most ? left : most;
	queue(t1, (uint8_t)((t1->ns ? PCB_I_NS : 0) | (more_to_send(t1) ? PCB_I_MORE : 0)), 0);
	t1->state = T1_SENDING;
}

static void queue_r(struct t1 *t1, uint8_t error)
{
	queue(t1, (uint8_t)(PCB_R | (t1->nr ? PCB_R_NR : 0) | error), 0);
}

static void queue_request(struct t1 *t1, uint8_t request, uint8_t inf)
{
	queue(t1, request, inf);
	t1->state = T1_REQUESTING;
	t1->tries = 1;
}

static void finish(struct t1 *t1, enum t1_state state, enum oc_err err)
{
	t1->state = state;
	t1->err = err;
	t1->to_send = false;
}

static void die(struct t1 *t1)
{
	t1->dead = true;
	finish(t1, T1_FAILED, OC_E_MUTE);
}

/* Something new came: all budgets start again. */
static void progress(struct t1 *t1)
{
	t1->invalid = 0;
	t1->repeats = 0;
}

/* ---- when a block is lost: rules 6 and 7 ---------------------------------------------------------------------------- */

/* Rule 6.4: three attempts. The exchange has failed already; err says what it ends with. */
static void resynchronise(struct t1 *t1, enum oc_err err)
{
	t1->err = err;
	queue_request(t1, S_RESYNCH, 0);
}

/* Rule 7.3 for our own requests. */
static void repeat_request(struct t1 *t1)
{
	if (t1->tries++ < T1_TRIES) {
		t1->to_send = true;
		return;
	}
	if (t1->pcb == S_IFS && t1->answered) {
		/*
		 * It talks, but not about IFSD, which stays at the default. Where its answers were only damaged, it may
		 * have agreed: then blocks up to what was announced are taken too.
		 */
		if (t1->refusals < T1_TRIES && t1->inf > t1->ifsd)
			t1->ifsd = t1->inf;
		finish(t1, T1_DONE, OC_OK);
	} else if (t1->pcb == S_IFS && t1->heard) {
		resynchronise(t1, OC_E_MUTE);
	} else if (t1->pcb == S_ABORT) {
		resynchronise(t1, t1->err);
	} else {
		die(t1); /* 6.4: not even RESYNCH; or 7.4.1: nothing valid since the start */
	}
}

/* Rules 7.1, 7.2, 7.3: ask again. Rule 7.4: not for ever. */
static void on_invalid(struct t1 *t1, uint8_t error)
{
	if (t1->state == T1_REQUESTING) {
		repeat_request(t1);
		return;
	}
	if (++t1->invalid < T1_TRIES) {
		if (is_r(t1->pcb))
			t1->to_send = true; /* 7.2: the same R-block */
		else
			queue_r(t1, error);
	} else if (t1->heard) {
		resynchronise(t1, OC_E_CARD); /* 7.4.2 */
	} else {
		die(t1); /* 7.4.1 */
	}
}

/*
 * An R-block that is in order but brings nothing new: it is answered, and not for ever. An I-block that the reader made is
 * nothing that the host could send again.
 */
static bool may_repeat(struct t1 *t1, bool ours)
{
	t1->invalid = 0;
	if (++t1->repeats <= T1_TRIES && !(ours && t1->by_reader))
		return true;
	resynchronise(t1, OC_E_CARD);
	return false;
}

/* ---- what came in ------------------------------------------------------------------------------------------------ */

struct seen {
	uint8_t pcb;
	const uint8_t *inf;
	size_t len;
};

/* The card's answer has to fit; what does not is ended by S(ABORT), so that the next command finds the card in order. */
static bool keep(struct t1 *t1, const struct seen *b)
{
	if (b->len > t1->cap - t1->len) {
		t1->err = OC_E_SPACE;
		return false;
	}
	t1->empty += b->len == 0;
	if (t1->empty > T1_MAX_EMPTY) {
		t1->err = OC_E_LIMIT;
		return false;
	}
	if (b->len)
		memcpy(t1->answer + t1->len, b->inf, b->len);
	t1->len += b->len;
	return true;
}

/* Rule 2.1: an I-block of the card acknowledges ours. */
static void on_i(struct t1 *t1, const struct seen *b)
{
	const bool more = b->pcb & PCB_I_MORE;
	const bool expected = (t1->state == T1_SENDING && !more_to_send(t1)) || t1->state == T1_RECEIVING;

	if (!expected || !(b->pcb & PCB_I_NS) != !t1->nr || b->len > t1->ifsd) {
		on_invalid(t1, R_OTHER_ERROR);
		return;
	}
	progress(t1);
	if (t1->state == T1_SENDING) {
		t1->acked = t1->apdu_len;
		t1->ns ^= 1;
		t1->state = T1_RECEIVING;
	}
	t1->nr ^= 1;
	if (!keep(t1, b)) {
		if (more)
			queue_request(t1, S_ABORT, 0);
		else
			finish(t1, T1_FAILED, t1->err);
		return;
	}
	if (more)
		queue_r(t1, 0);
	else
		finish(t1, T1_DONE, OC_OK);
}

/* Rule 2.2 and 7: N(R) says which I-block the card expects next. */
static void on_r(struct t1 *t1, const struct seen *b)
{
	const bool wants_ours_again = !(b->pcb & PCB_R_NR) == !t1->ns;

	if (t1->state == T1_REQUESTING) {
		t1->refusals++;
		repeat_request(t1);
	} else if (t1->state == T1_ABORTED) {
		t1->ns = b->pcb & PCB_R_NR ? 1 : 0;
		finish(t1, T1_FAILED, OC_E_CARD);
	} else if (t1->state == T1_SENDING && !wants_ours_again && more_to_send(t1)) {
		progress(t1);
		t1->acked += t1->flight;
		t1->ns ^= 1;
		queue_i(t1);
	} else if (may_repeat(t1, t1->state == T1_SENDING && wants_ours_again)) {
		if (t1->state == T1_SENDING && wants_ours_again)
			queue_i(t1);
		else
			queue_r(t1, is_r(t1->pcb) ? t1->pcb & PCB_R_ERROR : R_OTHER_ERROR);
	}
}

/* Rule 3: more time, for the next block only. */
static void on_wtx(struct t1 *t1, uint8_t factor)
{
	if (++t1->waits > T1_MAX_WTX) {
		resynchronise(t1, OC_E_LIMIT);
		return;
	}
	progress(t1);
	queue(t1, S_WTX | PCB_S_RESPONSE, factor);
	t1->bwi = factor;
}

static void on_ifs(struct t1 *t1, uint8_t ifsc)
{
	if (ifsc == 0 || ifsc > T1_MAX_IFS) {
		on_invalid(t1, R_OTHER_ERROR);
		return;
	}
	t1->invalid = 0;
	t1->ifsc = ifsc;
	queue(t1, S_IFS | PCB_S_RESPONSE, ifsc);
}

/* Rule 9: the card gives up its chain, or ours. It sends an R-block next. */
static void on_abort(struct t1 *t1)
{
	t1->invalid = 0;
	t1->state = T1_ABORTED;
	queue(t1, S_ABORT | PCB_S_RESPONSE, 0);
}

static void on_request(struct t1 *t1, const struct seen *b)
{
	if (t1->state == T1_REQUESTING) {
		repeat_request(t1);
		return;
	}
	if (b->pcb == S_WTX) {
		on_wtx(t1, b->inf[0]);
		return;
	}
	if (b->pcb == S_RESYNCH) {
		on_invalid(t1, R_OTHER_ERROR); /* rule 6: only the host may */
		return;
	}
	if (++t1->requests > T1_MAX_REQUESTS) {
		resynchronise(t1, OC_E_LIMIT);
		return;
	}
	if (b->pcb == S_IFS)
		on_ifs(t1, b->inf[0]);
	else
		on_abort(t1);
}

/* Rule 6.3: as at the protocol start. */
static void on_resynchronised(struct t1 *t1)
{
	t1->ns = t1->nr = 0;
	t1->ifsc = t1->atr_ifsc;
	t1->renew_ifsd = t1->ifsd != T1_DEFAULT_IFS;
	/* The card may go back to the initial size. */
	if (t1->ifsd < T1_DEFAULT_IFS)
		t1->ifsd = T1_DEFAULT_IFS;
	t1->in_doubt = false;
	progress(t1);
	if (t1->err == OC_OK)
		queue_i(t1); /* it came before the first block of an APDU */
	else
		finish(t1, T1_FAILED, t1->err);
}

static void on_response(struct t1 *t1, const struct seen *b)
{
	const bool matches = t1->state == T1_REQUESTING && (b->pcb & ~PCB_S_RESPONSE) == t1->pcb &&
			     (b->len == 0 || b->inf[0] == t1->inf);

	if (!matches) {
		on_invalid(t1, R_OTHER_ERROR);
		return;
	}
	if (t1->pcb == S_RESYNCH) {
		on_resynchronised(t1);
	} else if (t1->pcb == S_IFS) {
		t1->ifsd = t1->inf;
		progress(t1);
		finish(t1, T1_DONE, OC_OK);
	} else {
		finish(t1, T1_FAILED, t1->err);
	}
}

/* 11.3.2: is the PCB one that exists, and does LEN fit it? */
static bool well_formed(const struct seen *b)
{
	if (is_i(b->pcb))
		return !(b->pcb & PCB_I_RFU);
	if (is_r(b->pcb))
		return b->len == 0 && !(b->pcb & PCB_R_RFU) && (b->pcb & PCB_R_ERROR) <= R_OTHER_ERROR;
	if ((b->pcb & ~PCB_S_RESPONSE) > S_WTX)
		return false;
	return b->len == (has_inf(b->pcb) ? 1 : 0);
}

static uint8_t swapped(uint8_t nad)
{
	return (uint8_t)(nad << 4 | nad >> 4);
}

/* Take a block apart. What is wrong with it goes into the R-block that answers it. */
static bool decode(const struct t1 *t1, const struct reply *reply, struct seen *out, uint8_t *error)
{
	const size_t edc = edc_len(t1);
	const size_t whole = reply->len;
	struct rd r = rd_of(reply->data, whole);
	const uint8_t nad = rd_u8(&r);
	struct seen b = { .pcb = rd_u8(&r) };
	uint8_t sent[2] = { 0 };
	struct wr w = wr_of(sent, sizeof sent);

	*error = R_OTHER_ERROR;
	b.len = rd_u8(&r);
	b.inf = rd_bytes(&r, b.len);
	if (!reply->data || r.overrun || r.left != edc || b.len > T1_MAX_IFS)
		return false;
	put_edc(&w, reply->data, whole - edc, t1->crc);
	if (memcmp(sent, r.at, edc) != 0) {
		*error = R_EDC_ERROR;
		return false;
	}
	if (nad != swapped(t1->nad) || !well_formed(&b))
		return false;
	*out = b;
	return true;
}

static void on_block(struct t1 *t1, const struct seen *b)
{
	t1->heard = true;
	if (is_i(b->pcb))
		on_i(t1, b);
	else if (is_r(b->pcb))
		on_r(t1, b);
	else if (b->pcb & PCB_S_RESPONSE)
		on_response(t1, b);
	else
		on_request(t1, b);
}

/* ---- the engine -------------------------------------------------------------------------------------------------- */

void t1_start(struct t1 *t1, uint8_t ifsc, bool crc, uint8_t nad)
{
	*t1 = (struct t1){
		.nad = nad,
		.crc = crc,
		.atr_ifsc = ifsc,
		.ifsc = ifsc,
		.ifsd = T1_DEFAULT_IFS,
		.longest = T1_MAX_IFS,
	};
}

static void clear_exchange(struct t1 *t1)
{
	/* An exchange that was left in the middle: nobody knows which numbers the card expects. */
	if (t1->state != T1_IDLE && t1->state != T1_DONE && t1->state != T1_FAILED)
		t1->in_doubt = true;
	t1->apdu = NULL;
	t1->apdu_len = t1->acked = t1->flight = 0;
	t1->answer = NULL;
	t1->cap = t1->len = 0;
	t1->invalid = t1->repeats = t1->tries = 0;
	t1->requests = t1->empty = t1->waits = 0;
	t1->refusals = 0;
	t1->answered = t1->begun = t1->refused = t1->by_reader = false;
	t1->err = OC_OK;
}

static void begin(struct t1 *t1, size_t len, uint8_t *answer, size_t cap)
{
	t1->apdu_len = len;
	t1->answer = answer;
	t1->cap = cap;
	if (t1->in_doubt)
		resynchronise(t1, OC_OK);
	else
		queue_i(t1);
}

enum oc_err t1_begin(struct t1 *t1, const uint8_t *apdu, size_t len, uint8_t *answer, size_t cap)
{
	if (t1->dead)
		return OC_E_UNPOWERED;
	if (len == 0)
		return OC_E_APDU;
	clear_exchange(t1);
	t1->apdu = apdu;
	begin(t1, len, answer, cap);
	return OC_OK;
}

/* RESYNCH, where it has to come first, brings back the IFSC of the ATR. */
static uint8_t ifsc_of_first(const struct t1 *t1)
{
	return t1->in_doubt ? t1->atr_ifsc : t1->ifsc;
}

enum oc_err t1_begin_by_reader(struct t1 *t1, size_t len, uint8_t *answer, size_t cap)
{
	if (t1->dead)
		return OC_E_UNPOWERED;
	clear_exchange(t1);
	if (len > ifsc_of_first(t1) || len > t1->longest)
		return OC_E_LIMIT;
	t1->by_reader = true;
	begin(t1, len, answer, cap);
	return OC_OK;
}

enum oc_err t1_begin_ifsd(struct t1 *t1, uint8_t ifsd)
{
	if (t1->dead)
		return OC_E_UNPOWERED;
	clear_exchange(t1);
	t1->renew_ifsd = false;
	queue_request(t1, S_IFS, ifsd);
	return OC_OK;
}

enum step t1_next(struct t1 *t1, uint8_t out[T1_BLOCK_MAX], struct block *block)
{
	*block = (struct block){ 0 };
	if (t1->state == T1_DONE)
		return STEP_DONE;
	if (t1->state == T1_FAILED || !t1->to_send)
		return STEP_FAIL;
	t1->to_send = false;
	block->len = put_block(t1, out);
	block->bwi = t1->bwi;
	block->by_reader = t1->by_reader && is_i(t1->pcb);
	block->expect = PROLOGUE + t1->ifsd + edc_len(t1);
	return STEP_SEND;
}

/* The reader failed. Unless the card cannot have seen the first block, its numbers are unknown from now on. */
static void give_up(struct t1 *t1, const struct reply *reply)
{
	const bool unseen = reply->kind == REPLY_NOT_SENT || reply->kind == REPLY_WITHDRAWN;

	t1->in_doubt = t1->in_doubt || !unseen || t1->begun;
	finish(t1, T1_FAILED, reply->err);
}

void t1_feed(struct t1 *t1, const struct reply *reply)
{
	struct seen b;
	uint8_t error;

	if (t1->state == T1_IDLE || t1->state == T1_DONE || t1->state == T1_FAILED)
		return;
	t1->answered |= reply->kind == REPLY_BLOCK || reply->kind == REPLY_DAMAGED;
	t1->begun |= reply->kind != REPLY_NOT_SENT && reply->kind != REPLY_WITHDRAWN;
	if (reply->kind == REPLY_BLOCK && decode(t1, reply, &b, &error))
		on_block(t1, &b);
	else if (reply->kind == REPLY_BLOCK)
		on_invalid(t1, error);
	else if (reply->kind == REPLY_DAMAGED)
		on_invalid(t1, R_EDC_ERROR);
	else if (reply->kind == REPLY_SILENT)
		on_invalid(t1, R_OTHER_ERROR);
	else if (reply->kind == REPLY_NOT_SENT && !t1->refused)
		t1->to_send = true;
	else
		give_up(t1, reply);
	t1->refused = reply->kind == REPLY_NOT_SENT;
}
