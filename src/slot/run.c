/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Letting the engines of src/tpdu run: each block goes to the card in an XfrBlock, or in several at character level. */
#include "slot/slot.h"

#include "ccid/status.h"

#include <string.h>

enum { T1_PROLOGUE = 3 };

bool slot_fits_message(const struct slot *slot, size_t len)
{
	const uint32_t max = slot->reader->caps.max_message;

	if (CCID_HEADER_LEN + len <= max)
		return true;
	OC_LOG(slot->reader->log, OC_LOG_CRITICAL,
	       "slot %u: %zu bytes do not fit the reader's messages of %u bytes; they were not sent",
	       slot->number, len, max);
	return false;
}

/* ---- carrying one block ------------------------------------------------------------------------------------------ */

static enum reply_kind what_failed(enum oc_err err, const struct ccid_reply *reply)
{
	if (reply->type == 0)
		return REPLY_FAILED;
	if (err == OC_E_PROTOCOL && reply->error == CCID_ICC_PROTOCOL_NOT_SUPPORTED)
		return REPLY_NOT_SENT;
	if (err == OC_E_CARD && reply->error == CCID_XFR_PARITY_ERROR)
		return REPLY_DAMAGED;
	if (err == OC_E_MUTE && ccid_icc_of(reply->status) == CCID_ICC_ACTIVE)
		return REPLY_SILENT;
	return REPLY_FAILED;
}

/* What the reader answered, in the words of the engines. */
static struct reply in_engine_words(enum oc_err err, const struct ccid_reply *reply)
{
	return (struct reply){ .kind = err == OC_OK ? REPLY_BLOCK : what_failed(err, reply),
			       .data = reply->data,
			       .len = reply->len,
			       .chain = reply->specific,
			       .err = err };
}

/* One XfrBlock whose payload stands in the port already. */
struct reply slot_carry_block(struct slot *slot, const struct block *block, unsigned wait_ms)
{
	const struct ccid_command command =
		ccid_xfr_block(slot->number, block->bwi, block->level_parameter, block->len);
	struct ccid_reply reply;
	const unsigned extra_ms = slot->reader->caps.extra_wait_s * 1000;
	const enum oc_err err = slot_exchange(slot, &command, wait_ms + extra_ms, &reply);

	return in_engine_words(err, &reply);
}

static struct reply carry_tpdu(struct slot *slot, const struct block *block, unsigned wait_ms)
{
	(void)wait_ms;
	return slot_carry_block(slot, block,
				waits_t0_ms(slot_waits(slot), block->len + block->expect) + USB_MARGIN_MS);
}

/* What the card may take anyhow, and what it has asked for by S(WTX) on top, as far as patience goes. */
static unsigned t1_wait_ms(struct slot *slot, const struct block *block)
{
	const size_t bytes = block->len + block->expect;
	const struct waits *waits = slot_waits(slot);
	const uint32_t own = waits_t1_ms(waits, bytes, 1);
	const uint32_t asked = waits_t1_ms(waits, bytes, block->bwi) - own;
	const uint64_t patience = slot->port->extension_cap_ms;

	return own + (asked < patience ? asked : (uint32_t)patience) + USB_MARGIN_MS;
}

struct reply slot_carry_t1(struct slot *slot, const struct block *block, unsigned wait_ms)
{
	(void)wait_ms;
	return slot_carry_block(slot, block, t1_wait_ms(slot, block));
}

/* Character level: the TPDU goes over in the pieces that the card's procedure bytes ask for. */
static struct reply carry_tpdu_by_characters(struct slot *slot, const struct block *block, unsigned wait_ms)
{
	struct ccid_port *port = slot->port;
	struct transport *t = port->transport;
	const uint64_t patience = t->ops->now(t) + port->extension_cap_ms;
	struct character *c = &slot->character;
	bool header = true;
	size_t cap;

	(void)wait_ms;
	memcpy(slot->block, ccid_payload(port, &cap), block->len);
	character_begin(c, slot->block, block->len);
	c->no_full_packets = slot->reader->caps.no_full_packets;
	while (t->ops->now(t) <= patience) {
		struct block piece;
		struct reply reply;
		const enum step step = character_next(c, ccid_payload(port, &cap), &piece);

		if (step == STEP_DONE)
			return (struct reply){ .kind = REPLY_BLOCK, .data = c->answer, .len = c->len };
		if (step == STEP_FAIL)
			return (struct reply){ .kind = REPLY_FAILED, .err = c->err };
		reply = carry_tpdu(slot, &piece, 0);
		/* Once the card has the header, the TPDU must not be repeated. */
		if (reply.kind == REPLY_NOT_SENT && header)
			return reply;
		header = false;
		character_feed(c, &reply);
	}
	/* NULL bytes without end: they come as characters here, not as time extensions. */
	slot_lost_card(slot);
	return (struct reply){ .kind = REPLY_FAILED, .err = OC_E_TIMEOUT };
}

/* Character level: the prologue of the answer first, then as much as its LEN says. */
static struct reply carry_t1_by_characters(struct slot *slot, const struct block *block, unsigned wait_ms)
{
	const bool no_full_packets = slot->reader->caps.no_full_packets;
	struct block piece = *block;
	size_t have = T1_PROLOGUE, total;
	struct reply reply;

	(void)wait_ms;
	piece.level_parameter = T1_PROLOGUE;
	reply = slot_carry_t1(slot, &piece, 0);
	if (reply.kind != REPLY_BLOCK || reply.len != T1_PROLOGUE)
		return reply;
	memcpy(slot->block, reply.data, T1_PROLOGUE);
	total = T1_PROLOGUE + slot->block[2] + (slot->t1.crc ? 2u : 1u);
	while (have < total) {
		piece = (struct block){
			.level_parameter = (uint16_t)character_piece(total - have, no_full_packets),
			.bwi = block->bwi,
			.expect = block->expect,
		};
		reply = slot_carry_t1(slot, &piece, 0);
		/* The card has the block already, whatever the reader says of this piece. */
		if (reply.kind == REPLY_NOT_SENT)
			reply.kind = REPLY_FAILED;
		if (reply.kind != REPLY_BLOCK)
			return reply;
		if (reply.len > sizeof slot->block - have)
			return (struct reply){ .kind = REPLY_DAMAGED, .err = OC_E_CARD };
		if (reply.len)
			memcpy(slot->block + have, reply.data, reply.len);
		have += reply.len;
		if (reply.len != piece.level_parameter)
			break; /* what came is judged as a block */
	}
	return (struct reply){ .kind = REPLY_BLOCK, .data = slot->block, .len = have };
}

/* ---- running an engine ------------------------------------------------------------------------------------------- */

/*
 * The reader refused to hand the block to the card (F6h): it has lost the protocol. Set the parameters again; the engine then
 * repeats the block once, which is harmless, since the card never saw it.
 */
static void answer_refusal(struct slot *slot, struct reply *reply)
{
	OC_LOG(slot->reader->log, OC_LOG_INFO,
	       "slot %u: the reader has lost the card's protocol (F6h); its parameters are set again, and "
	       "the command is "
	       "sent once more",
	       slot->number);
	if (slot_set_parameters(slot) != OC_OK)
		reply->kind = REPLY_FAILED;
}

static void tell_refused(const struct slot *slot)
{
	OC_LOG(slot->reader->log, OC_LOG_CRITICAL,
	       "slot %u: the reader refuses to pass commands to the card (F6h, protocol not supported), also "
	       "after its "
	       "T=%d parameters were set again; the card was not touched. Pull the card and put it back; if "
	       "it happens "
	       "again, the reader's firmware is at fault",
	       slot->number, slot->protocol);
}

/* Is it later than @until, which is set when it is asked for first? */
static bool is_over(struct transport *t, uint64_t *until, uint64_t ms)
{
	const uint64_t now = t->ops->now(t);

	if (!*until)
		*until = now + ms;
	return now > *until;
}

/* Let an engine run to its end. Every engine is bounded by itself; patience bounds what the card asks for in time. */
enum oc_err slot_run(struct slot *slot, const struct engine *e, enum step *end)
{
	struct transport *t = slot->reader->transport;
	uint64_t patience = 0; /* it begins with the second block: one alone has a bound of its own */
	bool first = true, refused = false;

	for (;;) {
		size_t room;
		struct block block;
		struct reply reply;

		*end = e->next(e->self, ccid_payload(slot->port, &room), &block);
		if (*end != STEP_SEND)
			return OC_OK;
		ccid_payload_written(slot->port, block.len);
		if (!slot_fits_message(slot, block.len))
			return OC_E_UNSUPPORTED;
		if (!first && is_over(t, &patience, slot->port->extension_cap_ms)) {
			slot_lost_card(slot);
			return OC_E_TIMEOUT;
		}
		first = false;
		reply = e->carry(slot, &block, e->wait_ms);
		if (reply.kind == REPLY_NOT_SENT && e->uses_parameters) {
			if (refused)
				tell_refused(slot);
			else
				answer_refusal(slot, &reply);
		}
		refused = reply.kind == REPLY_NOT_SENT;
		e->feed(e->self, &reply);
	}
}

/* ---- T=0 --------------------------------------------------------------------------------------------------------- */

static enum step t0_step(void *self, uint8_t *out, struct block *block)
{
	return t0_next(self, out, block);
}

static void t0_take(void *self, const struct reply *reply)
{
	t0_feed(self, reply);
}

enum oc_err slot_run_t0(struct slot *slot, struct t0 *t0, enum step *end)
{
	const bool characters = slot->reader->caps.level == CCID_CHARACTER;
	const struct engine engine = {
		.self = t0,
		.next = t0_step,
		.feed = t0_take,
		.carry = characters ? carry_tpdu_by_characters : carry_tpdu,
		.uses_parameters = true,
	};

	return slot_run(slot, &engine, end);
}

/* ---- T=1 --------------------------------------------------------------------------------------------------------- */

static enum step t1_step(void *self, uint8_t *out, struct block *block)
{
	return t1_next(self, out, block);
}

static void t1_take(void *self, const struct reply *reply)
{
	t1_feed(self, reply);
}

enum oc_err slot_run_t1_by(struct slot *slot,
			   struct reply (*carry)(struct slot *slot, const struct block *block,
						 unsigned wait_ms),
			   enum step *end)
{
	const struct engine engine = {
		.self = &slot->t1,
		.next = t1_step,
		.feed = t1_take,
		.carry = carry,
		.uses_parameters = true,
	};
	return slot_run(slot, &engine, end);
}

enum oc_err slot_run_t1(struct slot *slot, enum step *end)
{
	const bool characters = slot->reader->caps.level == CCID_CHARACTER;

	return slot_run_t1_by(slot, characters ? carry_t1_by_characters : slot_carry_t1, end);
}
