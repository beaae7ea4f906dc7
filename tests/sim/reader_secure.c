/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Secure (CCID rev 1.1, 6.1.11): the reader asks for a PIN, puts it into the command of the host, and gives that to the card.
 * While it asks nothing is queued; sim_secure_tick() looks whether somebody has typed, or the time is over.
 */
#include "reader_priv.h"

#include "base/bytes.h"

#include <string.h>

enum {
	HEADER_LEN = 4,
	ANY_INDEXES = 0xFF,
	PCB_NS = 0x40,

	/* bEntryValidationCondition: what ends an entry */
	BY_SIZE = 1,
	BY_KEY = 2,
	BY_TIME = 4,

	/* bError: where the field stands in the message */
	AT_OPERATION = 10,
	AT_FORMAT = 12,
	AT_BLOCK = 13,
	AT_LENGTH_FORMAT = 14,
	AT_OFFSET_OLD = 15,
	AT_OFFSET_NEW = 16,
	AT_VERIFY_DIGITS = 15,
	AT_VERIFY_CONDITION = 17,
	AT_VERIFY_MESSAGES = 18,
	AT_MODIFY_DIGITS = 17,
	AT_MODIFY_CONFIRM = 19,
	AT_MODIFY_CONDITION = 20,
	AT_MODIFY_MESSAGES = 21,
};

/* ---- the message ------------------------------------------------------------------------------------------------- */

static bool is_modify(const struct secure *s)
{
	return s->operation == SECURE_MODIFY;
}

static unsigned index_count(const struct secure *s, const struct pinpad_habits *habits)
{
	static const uint8_t counts[] = { 1, 2, 2, 3 };

	if (!is_modify(s))
		return 1;
	return habits->three_indexes || s->messages >= sizeof counts ? 3 : counts[s->messages];
}

static void read_limits(struct rd *r, const struct pinpad_habits *habits, struct secure *s)
{
	const uint8_t low = rd_u8(r), high = rd_u8(r);
	const bool swapped = habits->swaps_limits && !is_modify(s);

	s->max = swapped ? high : low;
	s->min = swapped ? low : high;
}

static bool read_message(const struct command *cmd, const struct pinpad_habits *habits, struct secure *s)
{
	struct rd r = rd_of(cmd->data, cmd->len);

	s->operation = rd_u8(&r);
	s->timeout_s = rd_u8(&r);
	s->format = rd_u8(&r);
	s->block = rd_u8(&r);
	s->length_format = rd_u8(&r);
	if (is_modify(s)) {
		s->offset[0] = rd_u8(&r);
		s->offset[1] = rd_u8(&r);
	}
	read_limits(&r, habits, s);
	if (is_modify(s))
		s->confirm = rd_u8(&r);
	s->condition = rd_u8(&r);
	s->messages = rd_u8(&r);
	rd_le16(&r);
	rd_bytes(&r, index_count(s, habits));
	s->nad = rd_u8(&r);
	s->pcb = rd_u8(&r);
	s->len = rd_u8(&r);
	s->template_len = r.left;
	s->template_at = SIM_HEADER + cmd->len - r.left;
	if (r.overrun || r.left < HEADER_LEN || r.left > sizeof s->template)
		return false;
	memcpy(s->template, r.at, r.left);
	return true;
}

static bool bad_condition(const struct secure *s)
{
	return s->condition == 0 || s->condition > (BY_SIZE | BY_KEY | BY_TIME);
}

/* Lc tells how long the data is, and a byte of Le may follow. */
static bool bad_template(const struct secure *s)
{
	const size_t whole = HEADER_LEN + 1u + s->template[HEADER_LEN];

	return !sim_pin_open(s) && s->template_len != whole && s->template_len != whole + 1;
}

/* An insertion offset beyond the data of the template; an open one has none. */
static bool bad_offset(const struct secure *s, bool new)
{
	if (!is_modify(s) || sim_pin_open(s) || (!new && !(s->confirm & CONFIRM_OLD)))
		return false;
	return s->offset[new] >= s->template[HEADER_LEN];
}

/* OK, or the offset of the first field that CCID does not allow. */
static int illegal_field(const struct secure *s)
{
	const uint8_t messages = is_modify(s) ? 3 : 1;
	const struct {
		bool bad;
		int verify, modify;
	} fields[] = {
		{ (s->format & 3) == 3, AT_FORMAT, AT_FORMAT },
		{ s->length_format & 0xE0, AT_LENGTH_FORMAT, AT_LENGTH_FORMAT },
		{ bad_offset(s, false), OK, AT_OFFSET_OLD },
		{ bad_offset(s, true), OK, AT_OFFSET_NEW },
		{ s->max == 0 || s->min > s->max, AT_VERIFY_DIGITS, AT_MODIFY_DIGITS },
		{ s->confirm > (CONFIRM_NEW | CONFIRM_OLD), OK, AT_MODIFY_CONFIRM },
		{ bad_condition(s), AT_VERIFY_CONDITION, AT_MODIFY_CONDITION },
		{ s->messages > messages && s->messages != ANY_INDEXES, AT_VERIFY_MESSAGES,
		  AT_MODIFY_MESSAGES },
		{ bad_template(s), (int)s->template_at, (int)s->template_at },
	};

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (fields[i].bad)
			return is_modify(s) ? fields[i].modify : fields[i].verify;
	return OK;
}

/* OK, or the offset of the first field that this product does not take. */
static int disliked_field(const struct secure *s, const struct pinpad_habits *h)
{
	const bool open = sim_pin_open(s);
	const int messages = is_modify(s) ? h->modify_messages : h->verify_messages;

	if (h->plain_block && open && s->block)
		return AT_BLOCK;
	if (h->plain_block && open && s->length_format)
		return AT_LENGTH_FORMAT;
	if (h->max && (s->max > h->max || s->min < h->min))
		return is_modify(s) ? AT_MODIFY_DIGITS : AT_VERIFY_DIGITS;
	if (h->conditions && (s->condition & ~h->conditions))
		return is_modify(s) ? AT_MODIFY_CONDITION : AT_VERIFY_CONDITION;
	if (messages != ANY_MESSAGES && s->messages != messages)
		return is_modify(s) ? AT_MODIFY_MESSAGES : AT_VERIFY_MESSAGES;
	return h->fixed_only && open ? (int)s->template_at : OK;
}

/* The reader makes the T=1 block itself, and the host gives it the prologue. */
static bool makes_block(const struct sim_reader *r, const struct sim_slot *slot)
{
	return (r->class.features & FEAT_TPDU) && slot->params.protocol == 1;
}

/* What is wrong, but does not keep a reader from going on. */
static void watch(struct sim_reader *r, const struct command *cmd, const struct secure *s)
{
	if (cmd->specific[0] > 1)
		sim_reader_violate(r, "Secure with bBWI %u", cmd->specific[0]);
	if (makes_block(r, cmd->slot) && (s->pcb & ~PCB_NS))
		sim_reader_violate(r, "Secure with PCB %02Xh, which begins no command of one block", s->pcb);
	if (!makes_block(r, cmd->slot) && (s->nad || s->pcb || s->len))
		sim_reader_violate(r, "Secure with bTeoPrologue %02X %02X %02X where no T=1 block is made",
				   s->nad, s->pcb, s->len);
}

/* OK, or bError. */
static int judge(struct sim_reader *r, const struct command *cmd, const struct pinpad_habits *h,
		 const struct secure *s)
{
	const int illegal = illegal_field(s);

	if (cmd->specific[1] || cmd->specific[2]) {
		sim_reader_violate(r, "Secure with wLevelParameter %02X%02Xh", cmd->specific[2],
				   cmd->specific[1]);
		return ERR_BYTE8;
	}
	if (illegal != OK) {
		sim_reader_violate(r, "Secure with a field at offset %d that CCID does not allow", illegal);
		return illegal;
	}
	if (!sim_slot_active(cmd->slot))
		return ERR_MUTE;
	watch(r, cmd, s);
	return disliked_field(s, h);
}

/* ---- the command that the card gets ------------------------------------------------------------------------------ */

static void tpdu_by_t0(struct sim_reader *r, struct sim_slot *slot, const struct pin_command *b,
		       struct reply *reply)
{
	struct line line = sim_line_of(r, slot);
	uint8_t header[5] = { 0 };

	memcpy(header, b->bytes, b->len < sizeof header ? b->len : sizeof header);
	slot->used = true;
	reply->error = sim_t0_tpdu(&line, header, b->len > 5 ? b->bytes + 5 : NULL, r->scratch, &reply->len);
	reply->data = r->scratch;
	reply->delay_ms = line.delay_ms;
}

static void give_to_card(struct sim_reader *r, const struct command *cmd, const struct pin_command *b,
			 struct reply *reply)
{
	struct command xfr = *cmd;

	xfr.data = b->bytes;
	xfr.len = b->len;
	if (r->class.features & (FEAT_SHORT_APDU | FEAT_EXTENDED_APDU))
		sim_xfr_apdu(r, &xfr, reply);
	else if (cmd->slot->params.protocol == 0)
		tpdu_by_t0(r, cmd->slot, b, reply);
	else
		sim_secure_block(r, cmd, &r->secure, b, reply);
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

/* Verification asks once; modification for the old PIN if wanted, the new one, and that again if wanted. */
static unsigned entries_wanted(const struct secure *s)
{
	if (!is_modify(s))
		return 1;
	return 1u + !!(s->confirm & CONFIRM_OLD) + !!(s->confirm & CONFIRM_NEW);
}

/* Which of old, new and new again is typed next. */
static unsigned next_pin(const struct secure *s)
{
	return s->typed + (is_modify(s) && !(s->confirm & CONFIRM_OLD) ? 1 : 0);
}

static struct command command_of(const struct sim_reader *r)
{
	const struct secure *s = &r->secure;

	return (struct command){ .type = MSG_SECURE,
				 .specific = s->specific,
				 .slot_number = s->slot,
				 .seq = s->seq,
				 .slot = &r->slots[s->slot] };
}

/* The answer, and nothing is left of the PIN. */
static void finish(struct sim_reader *r, struct reply *reply)
{
	const struct command cmd = command_of(r);

	reply->type = MSG_DATA_BLOCK;
	sim_send_reply(r, &cmd, reply);
	r->secure = (struct secure){ .asking = false };
}

static void end_with_error(struct sim_reader *r, int error)
{
	struct reply reply = { .error = error };

	finish(r, &reply);
}

static void end_with_status(struct sim_reader *r, uint8_t sw2)
{
	const uint8_t sw[] = { 0x64, sw2 };
	struct reply reply = { .error = OK, .data = sw, .len = sizeof sw };

	finish(r, &reply);
}

static void all_typed(struct sim_reader *r)
{
	const struct pinpad_habits *h = pinpad_habits_of(&r->id);
	const struct command cmd = command_of(r);
	struct reply reply = { .error = OK };
	struct pin_command built;

	if ((r->secure.confirm & CONFIRM_NEW) && strcmp(r->secure.pin[1], r->secure.pin[2]) != 0) {
		end_with_status(r, 0x02);
		return;
	}
	if (h->loses_card) {
		cmd.slot->deaf = true;
		end_with_status(r, 0x00);
		return;
	}
	sim_pin_command(&r->secure, h, &built);
	give_to_card(r, &cmd, &built, &reply);
	finish(r, &reply);
}

static uint64_t next_due(const struct sim_reader *r)
{
	return r->now + (r->keypad.count ? r->keypad.entry[0].after_ms : 0);
}

static void set_deadline(struct sim_reader *r, struct secure *s)
{
	const unsigned seconds = s->timeout_s ? s->timeout_s : pinpad_habits_of(&r->id)->timeout_s;

	s->deadline = r->now + (uint64_t)seconds * r->keypad.second_ms;
}

/* These digits are all that comes. */
static void accept_pin(struct sim_reader *r, const char *digits)
{
	struct secure *s = &r->secure;
	const unsigned which = next_pin(s);
	const size_t n = strlen(digits);

	if (n < s->min || n > s->max || !sim_pin_fits(s, which > 0, digits)) {
		end_with_status(r, 0x03);
		return;
	}
	memmove(s->pin[which], digits, n + 1);
	s->typed++;
	s->due = next_due(r);
	if (s->typed == entries_wanted(s))
		all_typed(r);
}

static void tell_keys(struct sim_reader *r, size_t keys)
{
	const struct command cmd = command_of(r);

	for (size_t i = 0; i < keys && r->queue_len < QUEUE_MAX / 2; i++)
		sim_send_extension(r, &cmd, MSG_DATA_BLOCK, r->now);
}

static bool is_complete(const struct secure *s, const struct keypad_entry *e)
{
	return (e->end == KEYPAD_OK && (s->condition & BY_KEY)) ||
	       ((s->condition & BY_SIZE) && strlen(e->digits) == s->max);
}

static void take_entry(struct sim_reader *r)
{
	struct secure *s = &r->secure;
	struct keypad_entry e;

	if (!keypad_take(&r->keypad, &e))
		return;
	if (r->keypad.extends || pinpad_habits_of(&r->id)->extends_per_key)
		tell_keys(r, e.keys);
	if (is_complete(s, &e)) {
		accept_pin(r, e.digits);
	} else if (e.end == KEYPAD_CANCEL) {
		end_with_error(r, ERR_PIN_CANCELLED);
	} else {
		strcpy(s->pin[next_pin(s)], e.digits);
		s->due = s->deadline;
	}
}

/* The time may be what ends an entry; the next one has its own. */
static void time_is_over(struct sim_reader *r)
{
	struct secure *s = &r->secure;

	if (!(s->condition & BY_TIME) || !*s->pin[next_pin(s)]) {
		end_with_error(r, ERR_PIN_TIMEOUT);
		return;
	}
	set_deadline(r, s);
	accept_pin(r, s->pin[next_pin(s)]);
}

void sim_secure_tick(struct sim_reader *r)
{
	while (r->secure.asking) {
		if (r->now >= r->secure.deadline) {
			time_is_over(r);
			continue;
		}
		if (!r->keypad.count || r->now < r->secure.due)
			return;
		take_entry(r);
	}
}

uint64_t sim_secure_next(const struct sim_reader *r)
{
	if (!r->secure.asking)
		return SIM_NEVER;
	return r->keypad.count && r->secure.due < r->secure.deadline ? r->secure.due : r->secure.deadline;
}

void sim_secure_end(struct sim_reader *r, unsigned slot, int error)
{
	if (r->secure.asking && r->secure.slot == slot)
		end_with_error(r, error);
}

static void ask(struct sim_reader *r, const struct command *cmd, struct secure *s)
{
	memcpy(s->specific, cmd->specific, sizeof s->specific);
	s->asking = true;
	s->due = next_due(r);
	set_deadline(r, s);
	r->secure = *s;
}

/* The Enter key that ended somebody's dialog is taken for one of this entry. */
static bool is_bouncing(const struct sim_reader *r, const struct pinpad_habits *h)
{
	return h->quiet_ms && r->now < r->answered + h->quiet_ms;
}

/* Once for a reader: another slot may not ask while one does. */
void sim_run_secure(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	const struct pinpad_habits *h = pinpad_habits_of(&r->id);
	struct secure s = { .slot = cmd->slot_number, .seq = cmd->seq, .announced = r->announced };

	r->announced = false;
	reply->error = ERR_UNSUPPORTED;
	if (!r->class.pin_support) {
		sim_reader_violate(r, "Secure on a reader without bPINSupport");
		return;
	}
	if (cmd->data[0] > SECURE_MODIFY || !(r->class.pin_support & 1u << cmd->data[0])) {
		sim_reader_violate(r, "Secure with bPINOperation %02Xh, bPINSupport is %02Xh", cmd->data[0],
				   r->class.pin_support);
		reply->error = AT_OPERATION;
		return;
	}
	reply->error = ERR_LENGTH;
	if (!read_message(cmd, h, &s)) {
		sim_reader_violate(r, "Secure with %zu bytes, too few for its fields or too many", cmd->len);
		return;
	}
	reply->error = r->secure.asking ? ERR_SLOT_BUSY : judge(r, cmd, h, &s);
	if (h->dies_of_bad_condition && bad_condition(&s))
		r->dead = reply->none = true;
	if (reply->error == OK && is_bouncing(r, h))
		reply->error = ERR_PIN_CANCELLED;
	if (reply->error != OK)
		return;
	ask(r, cmd, &s);
	reply->none = true;
}

/* ---- the user's side --------------------------------------------------------------------------------------------- */

const char *sim_reader_type(struct sim_reader *r, int argc, char **argv, uint64_t now)
{
	const bool was_empty = r->keypad.count == 0;
	const char *why = keypad_type(&r->keypad, argc, argv);

	r->now = now;
	if (!why && was_empty && r->secure.asking)
		r->secure.due = now + r->keypad.entry[0].after_ms;
	sim_secure_tick(r);
	return why;
}

void sim_reader_keypad_second(struct sim_reader *r, unsigned ms)
{
	r->keypad.second_ms = ms;
}

void sim_reader_keypad_forget(struct sim_reader *r)
{
	r->keypad.count = 0;
}

bool sim_reader_asks(const struct sim_reader *r)
{
	return r->secure.asking;
}

void sim_reader_keypad_extends(struct sim_reader *r, bool on)
{
	r->keypad.extends = on;
}

void sim_reader_keypad(const struct sim_reader *r, FILE *to)
{
	static const char *const which[] = { " for the old PIN", " for the new PIN",
					     " for the new PIN again" };
	const struct secure *s = &r->secure;

	fprintf(to, "%s%s, %u entries wait\n", s->asking ? "asks" : "idle",
		s->asking && is_modify(s) ? which[next_pin(s)] : "", r->keypad.count);
}
