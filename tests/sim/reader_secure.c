/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Secure (CCID rev 1.1, 6.1.11): the reader asks for a PIN, puts it into the command of the host, and gives that to the card.
 * While it asks nothing is queued; sim_secure_tick() looks whether somebody has typed, or the time is over.
 */
#include "reader_priv.h"

#include "base/bytes.h"

#include <string.h>

enum {
	OP_VERIFY = 0,
	OP_MODIFY = 1,
	HEADER_LEN = 4,
	CONFIRM_NEW = 1,
	CONFIRM_OLD = 2,
	ANY_INDEXES = 0xFF,
	COMMAND_MAX = 261,

	/* bError: where the field stands in the message */
	AT_OPERATION = 10,
	AT_FORMAT = 12,
	AT_BLOCK = 13,
	AT_LENGTH_FORMAT = 14,
	AT_VERIFY_DIGITS = 15,
	AT_VERIFY_CONDITION = 17,
	AT_VERIFY_MESSAGES = 18,
	AT_MODIFY_DIGITS = 17,
	AT_MODIFY_CONFIRM = 19,
	AT_MODIFY_CONDITION = 20,
	AT_MODIFY_MESSAGES = 21,
	AT_VERIFY_TEMPLATE = 25,
};

/* ---- the message ------------------------------------------------------------------------------------------------- */

static unsigned index_count(const struct secure *s, const struct pinpad_habits *habits)
{
	static const uint8_t counts[] = { 1, 2, 2, 3 };

	if (s->operation == OP_VERIFY)
		return 1;
	return habits->three_indexes || s->messages >= sizeof counts ? 3 : counts[s->messages];
}

static bool read_message(const struct command *cmd, const struct pinpad_habits *habits, struct secure *s)
{
	struct rd r = rd_of(cmd->data, cmd->len);

	s->operation = rd_u8(&r);
	s->timeout_s = rd_u8(&r);
	s->format = rd_u8(&r);
	s->block = rd_u8(&r);
	s->length_format = rd_u8(&r);
	if (s->operation == OP_MODIFY) {
		s->offset[0] = rd_u8(&r);
		s->offset[1] = rd_u8(&r);
	}
	s->max = rd_u8(&r);
	s->min = rd_u8(&r);
	if (s->operation == OP_MODIFY)
		s->confirm = rd_u8(&r);
	s->condition = rd_u8(&r);
	s->messages = rd_u8(&r);
	rd_le16(&r);
	rd_bytes(&r, index_count(s, habits));
	s->nad = rd_u8(&r);
	s->pcb = rd_u8(&r);
	rd_u8(&r);
	s->template_len = r.left;
	if (r.overrun || r.left < HEADER_LEN || r.left > sizeof s->template)
		return false;
	memcpy(s->template, r.at, r.left);
	return true;
}

static bool is_open(const struct secure *s)
{
	return s->template_len == HEADER_LEN ||
	       (s->template_len == HEADER_LEN + 1 && s->template[HEADER_LEN] == 0);
}

/* OK, or the offset of the first field that is wrong. */
static int check_fields(const struct secure *s, const struct pinpad_habits *h)
{
	const bool modify = s->operation == OP_MODIFY;
	const int messages = modify ? h->modify_messages : h->verify_messages;

	if (s->operation > OP_MODIFY)
		return AT_OPERATION;
	if ((s->format & 3) == 3)
		return AT_FORMAT;
	if (h->plain_block && is_open(s) && s->block)
		return AT_BLOCK;
	if ((s->length_format & 0xE0) || (h->plain_block && is_open(s) && s->length_format))
		return AT_LENGTH_FORMAT;
	if (s->max == 0 || s->min > s->max || (h->max && (s->max > h->max || s->min < h->min)))
		return modify ? AT_MODIFY_DIGITS : AT_VERIFY_DIGITS;
	if (s->confirm > (CONFIRM_NEW | CONFIRM_OLD))
		return AT_MODIFY_CONFIRM;
	if (s->condition == 0 || s->condition > 7 || (h->conditions && (s->condition & ~h->conditions)))
		return modify ? AT_MODIFY_CONDITION : AT_VERIFY_CONDITION;
	if (messages != ANY_MESSAGES ? s->messages != messages
				     : s->messages > (modify ? 3 : 1) && s->messages != ANY_INDEXES)
		return modify ? AT_MODIFY_MESSAGES : AT_VERIFY_MESSAGES;
	return h->fixed_only && is_open(s) ? AT_VERIFY_TEMPLATE : OK;
}

/* ---- the command that the card gets ------------------------------------------------------------------------------ */

struct built {
	uint8_t bytes[COMMAND_MAX];
	size_t len;
};

/* Does this reader complete the template at all? */
static bool completes(const struct secure *s, const struct pinpad_habits *h, bool announced)
{
	if (!is_open(s))
		return true;
	if (s->template_len == HEADER_LEN)
		return h->lc != LC_WITH && (!h->wants_escape || announced);
	return h->lc != LC_WITHOUT;
}

/* Digits as bmFormatString wants them, in @out; returns how many bytes. */
static size_t format_digits(const struct secure *s, const char *digits, uint8_t *out)
{
	enum { BINARY, BCD, ASCII };
	const size_t n = strlen(digits);

	if ((s->format & 3) != BCD) {
		for (size_t i = 0; i < n; i++)
			out[i] = (uint8_t)((s->format & 3) == ASCII ? digits[i] : digits[i] - '0');
		return n;
	}
	for (size_t i = 0; i < (n + 1) / 2; i++)
		out[i] = (uint8_t)((digits[2 * i] - '0') << 4 |
				   (2 * i + 1 < n ? digits[2 * i + 1] - '0' : 0xF));
	return (n + 1) / 2;
}

static size_t bits_of(uint8_t field, uint8_t unit_bytes)
{
	return unit_bytes ? field * 8u : field;
}

/* One PIN into the data that starts at @data; the template is the padding. */
static void insert(const struct secure *s, const char *digits, uint8_t *data, size_t room)
{
	const size_t at = bits_of(s->format >> 3 & 15, s->format & 0x80) / 8;
	const size_t size_bits = s->block >> 4,
		     size_at = bits_of(s->length_format & 15, s->length_format & 0x10);
	uint8_t pin[KEYPAD_DIGITS];
	const size_t len = format_digits(s, digits, pin);
	const size_t block = s->block & 15;
	const size_t end = block && block < room ? block : room;
	size_t start = at;

	if ((s->format & 4) && block && at + len < end)
		start = end - len; /* right justified */
	for (size_t i = 0; i < len && start + i < room; i++)
		data[start + i] = pin[i];
	if (size_bits == 4 && size_at / 8 < room)
		data[size_at / 8] = (uint8_t)((data[size_at / 8] & (size_at % 8 ? 0xF0 : 0x0F)) |
					      strlen(digits) << (size_at % 8 ? 0 : 4));
	else if (size_bits && size_at / 8 < room)
		data[size_at / 8] = (uint8_t)strlen(digits);
}

static struct built build(const struct secure *s, const struct pinpad_habits *h, bool announced)
{
	struct built b = { .len = s->template_len };
	const unsigned first = s->operation == OP_MODIFY && !(s->confirm & CONFIRM_OLD) ? 1 : 0;
	const unsigned last = s->operation == OP_MODIFY ? 1 : 0;

	memcpy(b.bytes, s->template, s->template_len);
	if (!completes(s, h, announced))
		return b;
	if (!is_open(s)) {
		for (unsigned i = first; i <= last; i++) {
			const size_t offset = s->operation == OP_MODIFY ? s->offset[i] : 0;

			if (HEADER_LEN + 1 + offset < b.len)
				insert(s, s->pin[i], b.bytes + HEADER_LEN + 1 + offset,
				       b.bytes[HEADER_LEN] - offset);
		}
		return b;
	}
	b.len = HEADER_LEN + 1;
	for (unsigned i = first; i <= last; i++)
		b.len += format_digits(s, s->pin[i], b.bytes + b.len);
	b.bytes[HEADER_LEN] = (uint8_t)(b.len - HEADER_LEN - 1);
	return b;
}

static void tpdu_by_t0(struct sim_reader *r, struct sim_slot *slot, const struct built *b,
		       struct reply *reply)
{
	struct line line = sim_line_of(r, slot);
	uint8_t header[5] = { 0 };

	memcpy(header, b->bytes, b->len < 5 ? b->len : 5);
	slot->used = true;
	reply->error = sim_t0_tpdu(&line, header, b->len > 5 ? b->bytes + 5 : NULL, r->scratch, &reply->len);
	reply->data = r->scratch;
	reply->delay_ms = line.delay_ms;
}

static void give_to_card(struct sim_reader *r, const struct command *cmd, const struct built *b,
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
		sim_secure_block(r, cmd->slot, r->secure.nad, r->secure.pcb, b->bytes, b->len, reply);
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

/* Verification asks once; modification for the old PIN if wanted, the new one, and that again if wanted. */
static unsigned entries_wanted(const struct secure *s)
{
	if (s->operation == OP_VERIFY)
		return 1;
	return 1u + !!(s->confirm & CONFIRM_OLD) + !!(s->confirm & CONFIRM_NEW);
}

static void finish(struct sim_reader *r, struct reply *reply)
{
	const struct command cmd = { .type = MSG_SECURE,
				     .slot_number = r->secure.slot,
				     .seq = r->secure.seq,
				     .slot = &r->slots[r->secure.slot] };

	r->secure.asking = false;
	reply->type = MSG_DATA_BLOCK;
	sim_send_reply(r, &cmd, reply);
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

static bool digits_differ(const struct secure *s)
{
	return (s->confirm & CONFIRM_NEW) && strcmp(s->pin[1], s->pin[2]) != 0;
}

static void all_typed(struct sim_reader *r)
{
	const struct pinpad_habits *h = pinpad_habits_of(&r->id);
	const struct command cmd = { .type = MSG_SECURE,
				     .specific = r->secure.specific,
				     .slot_number = r->secure.slot,
				     .seq = r->secure.seq,
				     .slot = &r->slots[r->secure.slot] };
	struct reply reply = { .error = OK };
	struct built b;

	if (digits_differ(&r->secure)) {
		end_with_status(r, 0x02);
		return;
	}
	if (h->loses_card) {
		cmd.slot->deaf = true;
		end_with_status(r, 0x00);
		return;
	}
	b = build(&r->secure, h, r->secure.announced);
	give_to_card(r, &cmd, &b, &reply);
	if (h->extends_per_key)
		reply.extensions += (unsigned)strlen(r->secure.pin[r->secure.operation == OP_MODIFY ? 1 : 0]);
	finish(r, &reply);
}

/* Which of old, new and new again is typed next. */
static unsigned next_pin(const struct secure *s)
{
	if (s->operation == OP_VERIFY)
		return 0;
	return s->typed + (s->confirm & CONFIRM_OLD ? 0 : 1);
}

static void take_entry(struct sim_reader *r)
{
	const struct pinpad_habits *h = pinpad_habits_of(&r->id);
	struct secure *s = &r->secure;
	const uint8_t min = h->swaps_limits && s->operation == OP_VERIFY ? s->max : s->min;
	const uint8_t max = h->swaps_limits && s->operation == OP_VERIFY ? s->min : s->max;
	struct keypad_entry e;
	size_t n;

	if (!keypad_take(&r->keypad, &e))
		return;
	n = strlen(e.digits);
	if (e.end == KEYPAD_CANCEL) {
		end_with_error(r, ERR_PIN_CANCELLED);
	} else if (e.end == KEYPAD_NOTHING) {
		s->due = s->deadline;
	} else if (n < min || n > max) {
		end_with_status(r, 0x03);
	} else {
		strcpy(s->pin[next_pin(s)], e.digits);
		s->typed++;
		s->due = r->now + (r->keypad.count ? r->keypad.entry[0].after_ms : 0);
		if (s->typed == entries_wanted(s))
			all_typed(r);
	}
}

void sim_secure_tick(struct sim_reader *r)
{
	while (r->secure.asking) {
		if (r->now >= r->secure.deadline) {
			end_with_error(r, ERR_PIN_TIMEOUT);
			return;
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

void sim_run_secure(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	const struct pinpad_habits *h = pinpad_habits_of(&r->id);
	const bool announced = r->announced;
	struct secure s = { .slot = cmd->slot_number, .seq = cmd->seq, .announced = announced };

	r->announced = false;
	reply->error = ERR_UNSUPPORTED;
	if (!r->class.pin_support) {
		sim_reader_violate(r, "Secure on a reader without bPINSupport");
		return;
	}
	reply->error = ERR_LENGTH;
	if (!read_message(cmd, h, &s)) {
		sim_reader_violate(r, "Secure with %zu bytes, too few for its fields or too many", cmd->len);
		return;
	}
	if (h->dies_of_bad_condition && (s.condition == 0 || s.condition > 7)) {
		r->dead = true;
		reply->none = true;
		return;
	}
	reply->error = sim_slot_active(cmd->slot) ? check_fields(&s, h) : ERR_MUTE;
	if (reply->error != OK)
		return;
	memcpy(s.specific, cmd->specific, sizeof s.specific);
	s.asking = true;
	s.due = r->now + (r->keypad.count ? r->keypad.entry[0].after_ms : 0);
	s.deadline = r->now + (uint64_t)(s.timeout_s ? s.timeout_s : h->timeout_s) * r->keypad.second_ms;
	r->secure = s;
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

bool sim_reader_asks(const struct sim_reader *r)
{
	return r->secure.asking;
}

void sim_reader_keypad(const struct sim_reader *r, FILE *to)
{
	fprintf(to, "%s, %u entries wait\n", r->secure.asking ? "asks" : "idle", r->keypad.count);
}
