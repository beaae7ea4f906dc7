/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader as a device: pipes, slots, the queue of answers. */
#include "reader_priv.h"

#include "base/bytes.h"

#include <stdlib.h>

static uint32_t limit(uint32_t value, uint32_t most)
{
	return value < most ? value : most;
}

/* CCID rev 1.1, table 5.1-1. The identity's descriptor may be as odd as real ones: what makes no sense is repaired. */
static void decode_class(const uint8_t *bytes, struct sim_class *c)
{
	struct rd r = rd_of(bytes, SIM_DESCRIPTOR_LEN);

	rd_bytes(&r, 4);
	c->slots = 1u + rd_u8(&r);
	c->voltages = rd_u8(&r) & 7;
	c->protocols = rd_le32(&r) & 3;
	c->clock_khz = rd_le32(&r);
	rd_bytes(&r, 5);
	c->default_rate = rd_le32(&r);
	c->max_rate = rd_le32(&r);
	rd_u8(&r);
	c->max_ifsd = (uint8_t)limit(rd_le32(&r), 254);
	rd_bytes(&r, 8);
	c->features = rd_le32(&r);
	c->max_message = rd_le32(&r);
	c->class_get_response = rd_u8(&r);
	c->class_envelope = rd_u8(&r);
	rd_bytes(&r, 2);
	c->pin_support = rd_u8(&r);
	c->busy_slots = rd_u8(&r);
	if (!c->busy_slots)
		c->busy_slots = 1;
	if (!c->voltages)
		c->voltages = SIM_5V;
	if (!c->protocols)
		c->protocols = 3;
	if (!c->clock_khz)
		c->clock_khz = 4000;
	if (!c->max_ifsd)
		c->max_ifsd = 254;
	/* short APDUs go through even where the descriptor is wrong; at extended level they come in parts */
	if (c->max_message < SIM_HEADER + 261u && (c->features & (FEAT_TPDU | FEAT_SHORT_APDU)))
		c->max_message = SIM_HEADER + 261u;
	if (c->max_message > SIM_MESSAGE_MAX)
		c->max_message = SIM_MESSAGE_MAX;
}

struct sim_reader *sim_reader_new(const struct sim_identity *identity)
{
	struct sim_reader *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->id = *identity;
	decode_class(identity->descriptor, &r->class);
	if (sim_is_iccd(r))
		r->class.features |= FEAT_AUTO_VOLTAGE; /* it is its own supply */
	r->slots = calloc(r->class.slots, sizeof *r->slots);
	r->in = calloc(1, SIM_MESSAGE_MAX);
	if (!r->slots || !r->in) {
		sim_reader_free(r);
		return NULL;
	}
	r->keypad.second_ms = 1000;
	sim_reader_bus_reset(r);
	return r;
}

static void drop_queued(struct sim_reader *r, size_t at)
{
	free(r->queue[at].bytes);
	r->queue_len--;
	memmove(&r->queue[at], &r->queue[at + 1], (r->queue_len - at) * sizeof r->queue[0]);
}

static void drop_all(struct sim_reader *r)
{
	for (size_t i = 0; i < r->queue_len; i++)
		free(r->queue[i].bytes);
	r->queue_len = 0;
}

void sim_reader_free(struct sim_reader *r)
{
	if (!r)
		return;
	drop_all(r);
	for (unsigned i = 0; r->slots && i < r->class.slots; i++)
		sim_card_free(r->slots[i].card);
	free(r->slots);
	free(r->in);
	free(r);
}

const struct sim_identity *sim_reader_identity(const struct sim_reader *r)
{
	return &r->id;
}

unsigned sim_reader_slots(const struct sim_reader *r)
{
	return r->class.slots;
}

bool sim_slot_active(const struct sim_slot *slot)
{
	return slot->power == SLOT_ACTIVE;
}

/* ---- the queue of answers ---- */

static void enqueue(struct sim_reader *r, const uint8_t header[SIM_HEADER], const uint8_t *data, size_t len,
		    uint64_t ready, bool final)
{
	struct queued *q;
	uint8_t *bytes;

	/* The host does not read: a reader loses messages then, too. */
	if (r->queue_len == QUEUE_MAX)
		return;
	bytes = malloc(SIM_HEADER + len);
	if (!bytes)
		return;
	memcpy(bytes, header, SIM_HEADER);
	if (len)
		memcpy(bytes + SIM_HEADER, data, len);
	q = &r->queue[r->queue_len++];
	*q = (struct queued){ .ready = ready, .final = final, .len = SIM_HEADER + len, .bytes = bytes };
}

static uint8_t icc_status(const struct sim_slot *slot)
{
	return slot ? (uint8_t)slot->power : SLOT_EMPTY;
}

/* The header of 6.2. */
static void put_header(uint8_t header[SIM_HEADER], const struct command *cmd, uint8_t type, size_t len,
		       unsigned status, uint8_t error, uint8_t extra)
{
	struct wr w = wr_of(header, SIM_HEADER);

	wr_u8(&w, type);
	wr_le32(&w, (uint32_t)len);
	wr_u8(&w, cmd->slot_number);
	wr_u8(&w, cmd->seq);
	wr_u8(&w, (uint8_t)(status | icc_status(cmd->slot)));
	wr_u8(&w, error);
	wr_u8(&w, extra);
}

void sim_send_extension(struct sim_reader *r, const struct command *cmd, uint8_t type, uint64_t at)
{
	enum { TIME_EXTENSION = 0x80, ONCE = 1 };
	uint8_t header[SIM_HEADER];

	put_header(header, cmd, type, 0, TIME_EXTENSION, ONCE, 0);
	enqueue(r, header, NULL, 0, at, false);
}

/* Data only with success, as no command has a use for it otherwise. */
void sim_send_reply(struct sim_reader *r, const struct command *cmd, const struct reply *reply)
{
	enum { FAILED = 0x40 };
	const bool ok = reply->error == OK;
	const size_t len = ok ? reply->len : 0;
	uint8_t header[SIM_HEADER];
	uint64_t at = r->now;

	for (unsigned i = 0; i < reply->extensions; i++) {
		sim_send_extension(r, cmd, reply->type, at);
		at += reply->delay_ms / reply->extensions;
	}
	put_header(header, cmd, reply->type, len, ok ? 0 : FAILED, ok ? 0 : (uint8_t)reply->error,
		   reply->extra);
	r->answered = r->now + reply->delay_ms;
	enqueue(r, header, reply->data, len, r->answered, true);
}

static bool slot_busy(const struct sim_reader *r, uint8_t slot)
{
	if (r->secure.asking && r->secure.slot == slot)
		return true;
	for (size_t i = 0; i < r->queue_len; i++)
		if (r->queue[i].bytes[5] == slot && r->queue[i].final && r->queue[i].ready > r->now)
			return true;
	return false;
}

/* Does this command make one slot too many busy? */
static bool too_many_busy(const struct sim_reader *r)
{
	unsigned busy = 1;

	for (unsigned i = 0; i < r->class.slots; i++)
		busy += slot_busy(r, (uint8_t)i);
	return busy > r->class.busy_slots;
}

static bool slot_unread(const struct sim_reader *r, uint8_t slot)
{
	for (size_t i = 0; i < r->queue_len; i++)
		if (r->queue[i].bytes[5] == slot)
			return true;
	return false;
}

/* The command in progress ends now with this bError; extensions that are still to come are dropped. */
static void cut_short(struct sim_reader *r, uint8_t slot, uint8_t error)
{
	for (size_t i = r->queue_len; i-- > 0;) {
		struct queued *q = &r->queue[i];

		if (q->bytes[5] != slot || q->ready <= r->now)
			continue;
		if (!q->final) {
			drop_queued(r, i);
			continue;
		}
		q->ready = r->now;
		q->len = SIM_HEADER;
		memset(q->bytes + 1, 0, 4);
		q->bytes[7] = (uint8_t)(0x40 | icc_status(&r->slots[slot]));
		q->bytes[8] = error;
		q->bytes[9] = 0;
	}
}

/* ---- the host's side ---- */

/* 5.3.1: from the control request on everything fails with CMD_ABORTED until the bulk half with the same bSeq came. */
static bool abort_complete(struct sim_slot *slot)
{
	if (!slot->abort_control || !slot->abort_bulk || slot->abort_control_seq != slot->abort_bulk_seq)
		return false;
	slot->abort_control = slot->abort_bulk = false;
	return true;
}

static void finish_abort(struct sim_reader *r, uint8_t number)
{
	struct sim_slot *slot = &r->slots[number];
	const struct command cmd = { .slot_number = number, .seq = slot->abort_bulk_seq, .slot = slot };
	const struct reply reply = { .type = MSG_SLOT_STATUS, .error = OK };

	if (!abort_complete(slot))
		return;
	r->out_of_step = false;
	sim_secure_end(r, number, ERR_ABORTED);
	cut_short(r, number, ERR_ABORTED);
	sim_send_reply(r, &cmd, &reply);
}

static void bulk_abort(struct sim_reader *r, const struct command *cmd)
{
	cmd->slot->abort_bulk = true;
	cmd->slot->abort_bulk_seq = cmd->seq;
	finish_abort(r, cmd->slot_number);
}

/* The checks that come before any command; OK to go on. */
static int check_command(struct sim_reader *r, const struct command *cmd, const struct message_rule *rule)
{
	if (!cmd->slot) {
		sim_reader_violate(r, "%s for slot %u, the last one is %u (bSlot)", rule->name,
				   cmd->slot_number, r->class.slots - 1);
		return ERR_SLOT;
	}
	if (cmd->slot->abort_control)
		return ERR_ABORTED;
	if (slot_busy(r, cmd->slot_number)) {
		sim_reader_violate(r, "%s bSeq %02X while slot %u is busy", rule->name, cmd->seq,
				   cmd->slot_number);
		return ERR_SLOT_BUSY;
	}
	if (too_many_busy(r))
		sim_reader_violate(r, "%s for slot %u makes more than %u slots busy (bMaxCCIDBusySlots)",
				   rule->name, cmd->slot_number, r->class.busy_slots);
	if (slot_unread(r, cmd->slot_number))
		sim_reader_violate(r, "%s bSeq %02X before the answer to the last command was read",
				   rule->name, cmd->seq);
	if (cmd->len < rule->min || cmd->len > rule->max) {
		sim_reader_violate(r, "%s with dwLength %zu, %zu to %zu is allowed", rule->name, cmd->len,
				   rule->min, rule->max);
		return ERR_LENGTH;
	}
	for (unsigned i = 0; i < 3; i++) {
		if (!(rule->rfu & 1u << i) || cmd->specific[i] == 0)
			continue;
		sim_reader_violate(r, "%s with %02Xh in byte %u, which is RFU", rule->name, cmd->specific[i],
				   7 + i);
		return (int)(ERR_BYTE7 + i);
	}
	return OK;
}

static void unknown_type(struct sim_reader *r, const struct command *cmd)
{
	const struct reply reply = { .type = MSG_SLOT_STATUS, .error = ERR_UNSUPPORTED };

	sim_reader_violate(r, "bMessageType %02Xh is no command", cmd->type);
	sim_send_reply(r, cmd, &reply);
}

static void obey(struct sim_reader *r, const struct command *cmd)
{
	const struct message_rule *rule = sim_message_rule(cmd->type);
	const struct sim_fault *fault = sim_fault_for(r, cmd);
	struct reply reply = { .error = OK };

	if (r->dead || (r->out_of_step && cmd->type != MSG_ABORT) ||
	    (fault && fault->kind == SIM_FAULT_SILENT))
		return;
	if (fault && fault->kind == SIM_FAULT_STALL) {
		r->halted_out = true;
		return;
	}
	if (!rule) {
		unknown_type(r, cmd);
		return;
	}
	reply.type = rule->answer;
	if (cmd->type == MSG_ABORT && cmd->slot && cmd->len == 0) {
		bulk_abort(r, cmd);
		return;
	}
	reply.error = check_command(r, cmd, rule);
	if (reply.error == OK && fault)
		reply.error = fault->error;
	else if (reply.error == OK)
		rule->run(r, cmd, &reply);
	if (cmd->type != MSG_ESCAPE && cmd->type != MSG_SECURE)
		r->announced = false;
	if (reply.none)
		sim_secure_tick(r);
	else
		sim_send_reply(r, cmd, &reply);
}

static void take_message(struct sim_reader *r, const uint8_t *bytes, size_t len)
{
	struct rd rd = rd_of(bytes, len);
	struct command cmd = { .type = rd_u8(&rd) };
	const uint32_t length = rd_le32(&rd);

	sim_record_message(r, '>', bytes, len, r->now);
	cmd.slot_number = rd_u8(&rd);
	cmd.seq = rd_u8(&rd);
	cmd.specific = rd_bytes(&rd, 3);
	if (rd.overrun) {
		sim_reader_violate(r, "a message of %zu bytes ends inside its header", len);
		return;
	}
	r->stats.out[cmd.type]++;
	if (cmd.type == MSG_SECURE && r->last_seq == cmd.seq)
		sim_reader_violate(r, "Secure with bSeq %02X, which the message before it had", cmd.seq);
	r->last_seq = cmd.seq;
	cmd.data = rd.at;
	cmd.len = rd.left;
	cmd.slot = cmd.slot_number < r->class.slots ? &r->slots[cmd.slot_number] : NULL;
	if (length == rd.left && len <= r->class.max_message) {
		obey(r, &cmd);
		return;
	}
	sim_reader_violate(r, "bMessageType %02Xh: dwLength %u, %zu bytes came, dwMaxCCIDMessageLength %u",
			   cmd.type, length, rd.left, r->class.max_message);
	const struct message_rule *rule = sim_message_rule(cmd.type);
	const struct reply reply = { .type = rule ? rule->answer : MSG_SLOT_STATUS, .error = ERR_LENGTH };

	sim_send_reply(r, &cmd, &reply);
}

enum sim_io sim_reader_bulk_out(struct sim_reader *r, const uint8_t *bytes, size_t len, uint64_t now)
{
	const bool short_packet = len % SIM_PACKET != 0 || len == 0;
	uint64_t want = SIM_HEADER;

	r->now = now;
	sim_secure_tick(r);
	if (r->halted_out)
		return SIM_STALL;
	if (len == 0 && r->in_len == 0)
		return SIM_DONE; /* the zero-length packet after a message that filled its last packet */
	if (len > SIM_MESSAGE_MAX - r->in_len) {
		sim_reader_violate(r, "a message of more than %d bytes", SIM_MESSAGE_MAX);
		r->in_len = 0;
		r->halted_out = true;
		return SIM_STALL;
	}
	if (len)
		memcpy(r->in + r->in_len, bytes, len);
	r->in_len += len;
	if (r->in_len >= SIM_HEADER) {
		struct rd rd = rd_of(r->in + 1, 4);

		want += rd_le32(&rd);
	}
	if (!short_packet && r->in_len < want)
		return SIM_DONE;
	len = r->in_len;
	r->in_len = 0;
	take_message(r, r->in, len);
	return r->halted_out ? SIM_STALL : SIM_DONE;
}

enum sim_io sim_reader_bulk_in(struct sim_reader *r, uint8_t *buf, size_t cap, size_t *len, uint64_t now)
{
	r->now = now;
	sim_secure_tick(r);
	if (r->halted_in)
		return SIM_STALL;
	for (size_t i = 0; i < r->queue_len; i++) {
		struct queued *q = &r->queue[i];

		if (q->ready > now)
			continue;
		*len = q->len < cap ? q->len : cap;
		memcpy(buf, q->bytes, *len);
		sim_record_message(r, '<', q->bytes, q->len, now);
		r->stats.in[q->bytes[0]]++;
		if (!q->final)
			r->stats.extensions++;
		drop_queued(r, i);
		return SIM_DONE;
	}
	return SIM_NAK;
}

uint64_t sim_reader_next(const struct sim_reader *r, uint64_t now)
{
	uint64_t next = sim_secure_next(r);

	for (size_t i = 0; i < r->queue_len; i++)
		if (r->queue[i].ready > now && r->queue[i].ready < next)
			next = r->queue[i].ready;
	return next;
}

/* NotifySlotChange, 6.3.1 */
enum sim_io sim_reader_interrupt(struct sim_reader *r, uint8_t buf[SIM_INTERRUPT_MAX], size_t *len)
{
	bool any = false;

	if (r->id.endpoints == 0 || r->id.endpoints == 2)
		return SIM_NAK;
	memset(buf, 0, SIM_INTERRUPT_MAX);
	buf[0] = 0x50;
	for (unsigned i = 0; i < r->class.slots; i++) {
		struct sim_slot *slot = &r->slots[i];
		unsigned bits = (slot->card ? 1u : 0u) | (slot->changed ? 2u : 0u);

		any = any || slot->changed;
		buf[1 + i / 4] |= (uint8_t)(bits << 2 * (i % 4));
	}
	if (!any)
		return SIM_NAK;
	for (unsigned i = 0; i < r->class.slots; i++)
		r->slots[i].changed = false;
	*len = 1 + (r->class.slots + 3) / 4;
	r->stats.interrupts++;
	sim_record_message(r, '!', buf, *len, r->now);
	return SIM_DONE;
}

static enum sim_io give_table(const uint32_t *values, size_t count, uint8_t *data, size_t *len)
{
	struct wr w = wr_of(data, *len);

	if (count == 0)
		return SIM_STALL;
	for (size_t i = 0; i < count && w.left >= 4; i++)
		wr_le32(&w, values[i]);
	*len -= w.left;
	return SIM_DONE;
}

static enum sim_io control_abort(struct sim_reader *r, uint8_t number, uint8_t seq)
{
	if (r->refuse_abort)
		return SIM_STALL;
	if (number >= r->class.slots) {
		sim_reader_violate(r, "ABORT for slot %u, the last one is %u", number, r->class.slots - 1);
		return SIM_STALL;
	}
	r->slots[number].abort_control = true;
	r->slots[number].abort_control_seq = seq;
	sim_secure_end(r, number, ERR_ABORTED);
	cut_short(r, number, ERR_ABORTED);
	finish_abort(r, number);
	return SIM_DONE;
}

enum sim_io sim_reader_control(struct sim_reader *r, const uint8_t setup[8], uint8_t *data, size_t *len,
			       uint64_t now)
{
	enum { ABORT = 0x01, GET_CLOCK_FREQUENCIES = 0x02, GET_DATA_RATES = 0x03 };

	r->now = now;
	r->stats.controls++;
	if (sim_is_iccd(r))
		return sim_iccd_control(r, setup, data, len);
	if (setup[0] == 0x21 && setup[1] == ABORT && *len == 0)
		return control_abort(r, setup[2], setup[3]);
	if (setup[0] == 0xA1 && setup[1] == GET_CLOCK_FREQUENCIES)
		return give_table(r->id.clocks, r->id.clocks_count, data, len);
	if (setup[0] == 0xA1 && setup[1] == GET_DATA_RATES)
		return give_table(r->id.rates, r->id.rates_count, data, len);
	sim_reader_violate(r, "class request %02X %02X is not one of CCID's", setup[0], setup[1]);
	return SIM_STALL;
}

void sim_reader_clear_halt(struct sim_reader *r, bool in)
{
	if (in) {
		r->halted_in = false;
		return;
	}
	r->halted_out = false;
	r->in_len = 0;
}

bool sim_reader_halted(const struct sim_reader *r, bool in)
{
	return in ? r->halted_in : r->halted_out;
}

void sim_reader_halt(struct sim_reader *r, bool in)
{
	if (in)
		r->halted_in = true;
	else
		r->halted_out = true;
}

void sim_reader_bus_reset(struct sim_reader *r)
{
	drop_all(r);
	r->halted_in = r->halted_out = false;
	r->in_len = 0;
	r->iccd.answer_len = r->iccd.len = 0;
	r->secure = (struct secure){ .asking = false };
	r->announced = r->dead = r->out_of_step = false;
	r->last_seq = -1;
	r->answered = 0;
	for (unsigned i = 0; i < r->class.slots; i++) {
		struct sim_slot *slot = &r->slots[i];

		slot->abort_control = slot->abort_bulk = false;
		slot->power = slot->card ? SLOT_INACTIVE : SLOT_EMPTY;
		slot->changed = slot->card != NULL;
		slot->deaf = slot->rested = false;
		slot->class_get_response = r->class.class_get_response;
		if (slot->card)
			slot->card->ops->off(slot->card);
	}
}

void sim_reader_mood(struct sim_reader *r, enum sim_mood mood, bool on)
{
	bool *const moods[SIM_MOODS] = {
		[SIM_MOOD_EMV] = &r->emv,
		[SIM_MOOD_STUBBORN] = &r->stubborn,
		[SIM_MOOD_OUT_OF_STEP] = &r->out_of_step,
		[SIM_MOOD_DEAD] = &r->dead,
	};

	*moods[mood] = on;
}

void sim_reader_refuse_abort(struct sim_reader *r, bool refuse)
{
	r->refuse_abort = refuse;
}

/* ---- the user's side ---- */

struct card_log *sim_reader_card_log(struct sim_reader *r, unsigned slot)
{
	return slot < r->class.slots && r->slots[slot].card ? r->slots[slot].card->log : NULL;
}

int sim_reader_insert(struct sim_reader *r, unsigned number, struct sim_card *card, uint64_t now)
{
	struct sim_slot *slot;

	r->now = now;
	if (number >= r->class.slots || r->slots[number].card) {
		sim_card_free(card);
		return -1;
	}
	slot = &r->slots[number];
	slot->card = card;
	slot->power = SLOT_INACTIVE;
	slot->changed = true;
	return 0;
}

int sim_reader_remove(struct sim_reader *r, unsigned number, uint64_t now)
{
	struct sim_slot *slot;

	r->now = now;
	if (number >= r->class.slots || !r->slots[number].card)
		return -1;
	slot = &r->slots[number];
	sim_card_free(slot->card);
	slot->card = NULL;
	slot->power = SLOT_EMPTY;
	slot->changed = true;
	slot->deaf = slot->rested = false;
	sim_secure_end(r, number, ERR_MUTE);
	cut_short(r, (uint8_t)number, ERR_MUTE);
	return 0;
}
