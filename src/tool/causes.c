/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/causes.h"

#include "ccid/status.h"
#include "tpdu/apdu.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- what the rules look at -------------------------------------------------------------------------------------- */

typedef bool rule(const struct story *s, const struct exchange *x);

static bool refused(const struct exchange *x, uint8_t type, uint8_t error)
{
	return x->outcome == OUTCOME_REFUSED && x->type == type && x->reply.error == error &&
	       ccid_icc_of(x->reply.status) != CCID_ICC_ABSENT;
}

static bool carries_t1(const struct exchange *x, struct t1_block *block)
{
	return x->type == PC_TO_RDR_XFR_BLOCK && words_t1_split(x->payload, x->len, block);
}

/* ---- the keypad -------------------------------------------------------------------------------------------------- */

/* Two bytes 64 00 where a T=1 block belongs: bTeoPrologue and what follows say that the reader makes blocks. */
static bool bare_6400(const struct story *s, const struct exchange *x)
{
	return x->type == PC_TO_RDR_SECURE && x->outcome == OUTCOME_DONE && x->reply.len == 2 &&
	       x->reply.data[0] == 0x64 && x->reply.data[1] == 0x00 &&
	       (!s->level_known || s->level == CCID_TPDU) && s->protocol != CARD_T0;
}

static bool pin_cancelled(const struct story *s, const struct exchange *x)
{
	(void)s;
	return x->type == PC_TO_RDR_SECURE && x->outcome == OUTCOME_REFUSED &&
	       x->reply.error == CCID_PIN_CANCELLED;
}

static bool pin_late(const struct story *s, const struct exchange *x)
{
	(void)s;
	return x->type == PC_TO_RDR_SECURE && x->outcome == OUTCOME_REFUSED &&
	       x->reply.error == CCID_PIN_TIMEOUT;
}

static bool pin_refused(const struct story *s, const struct exchange *x)
{
	(void)s;
	return x->type == PC_TO_RDR_SECURE && x->outcome == OUTCOME_REFUSED && x->reply.error <= 0x7F;
}

/* ---- F6h --------------------------------------------------------------------------------------------------------- */

static bool f6_get_response(const struct story *s, const struct exchange *x)
{
	(void)s;
	return refused(x, PC_TO_RDR_XFR_BLOCK, CCID_ICC_PROTOCOL_NOT_SUPPORTED) && x->len >= 5 &&
	       x->payload[1] == INS_GET_RESPONSE;
}

static bool f6_extended(const struct story *s, const struct exchange *x)
{
	struct apdu a;

	(void)s;
	return refused(x, PC_TO_RDR_XFR_BLOCK, CCID_ICC_PROTOCOL_NOT_SUPPORTED) && x->len > 5 &&
	       x->payload[4] == 0 && apdu_parse(x->payload, x->len, &a) == OC_OK && apdu_extended(&a);
}

static bool f6_other(const struct story *s, const struct exchange *x)
{
	return refused(x, PC_TO_RDR_XFR_BLOCK, CCID_ICC_PROTOCOL_NOT_SUPPORTED) && !f6_get_response(s, x) &&
	       !f6_extended(s, x);
}

/* ---- the card ---------------------------------------------------------------------------------------------------- */

static bool pulled(const struct story *s, const struct exchange *x)
{
	(void)s;
	return x->outcome == OUTCOME_REFUSED && ccid_icc_of(x->reply.status) == CCID_ICC_ABSENT &&
	       (x->type == PC_TO_RDR_XFR_BLOCK || x->type == PC_TO_RDR_SECURE ||
		x->type == PC_TO_RDR_SET_PARAMETERS);
}

static bool mute_at_power(const struct story *s, const struct exchange *x)
{
	return !s->powered_well && refused(x, PC_TO_RDR_ICC_POWER_ON, CCID_ICC_MUTE);
}

static bool mute_at_parameters(const struct story *s, const struct exchange *x)
{
	(void)s;
	return refused(x, PC_TO_RDR_SET_PARAMETERS, CCID_ICC_MUTE);
}

static bool mute_at_command(const struct story *s, const struct exchange *x)
{
	(void)s;
	return refused(x, PC_TO_RDR_XFR_BLOCK, CCID_ICC_MUTE);
}

static bool wrong_atr(const struct story *s, const struct exchange *x)
{
	(void)s;
	return refused(x, PC_TO_RDR_ICC_POWER_ON, CCID_BAD_ATR_TS) ||
	       refused(x, PC_TO_RDR_ICC_POWER_ON, CCID_BAD_ATR_TCK);
}

/* Lc says something else than what follows: at T=0 the card waits for bytes that do not come, or gets too many. */
static bool wrong_lc(const struct story *s, const struct exchange *x)
{
	struct apdu a;

	return x->type == PC_TO_RDR_XFR_BLOCK && x->outcome == OUTCOME_REFUSED && s->protocol != CARD_T1 &&
	       !x->hidden && (!s->level_known || s->level != CCID_CHARACTER) && x->len > 5 &&
	       apdu_parse(x->payload, x->len, &a) != OC_OK;
}

static bool parity(const struct story *s, const struct exchange *x)
{
	return refused(x, PC_TO_RDR_XFR_BLOCK, CCID_XFR_PARITY_ERROR) && !wrong_lc(s, x);
}

static bool overrun(const struct story *s, const struct exchange *x)
{
	(void)s;
	return refused(x, PC_TO_RDR_XFR_BLOCK, CCID_XFR_OVERRUN);
}

static bool hardware(const struct story *s, const struct exchange *x)
{
	(void)s;
	return x->outcome == OUTCOME_REFUSED && x->reply.error == CCID_HW_ERROR;
}

static bool voltage(const struct story *s, const struct exchange *x)
{
	(void)s;
	return refused(x, PC_TO_RDR_ICC_POWER_ON, CCID_ICC_CLASS_NOT_SUPPORTED);
}

/* ---- T=1 --------------------------------------------------------------------------------------------------------- */

/* The card answers a block with an R-block that says that it did not like it. */
static bool card_complains(const struct exchange *x, struct t1_block *sent)
{
	struct t1_block got;

	return carries_t1(x, sent) && x->outcome == OUTCOME_DONE &&
	       words_t1_split(x->reply.data, x->reply.len, &got) && (got.pcb & T1_KIND_MASK) == T1_R_BLOCK &&
	       got.pcb & T1_R_ERROR;
}

static bool ifsd_refused(const struct story *s, const struct exchange *x)
{
	struct t1_block sent;

	(void)s;
	return card_complains(x, &sent) && sent.pcb == T1_IFS_REQUEST;
}

static bool t1_errors(const struct story *s, const struct exchange *x)
{
	struct t1_block sent;

	(void)s;
	if (card_complains(x, &sent))
		return sent.pcb != T1_IFS_REQUEST;
	return carries_t1(x, &sent) && (sent.pcb & T1_KIND_MASK) == T1_R_BLOCK && sent.pcb & T1_R_ERROR;
}

/* ---- the reader -------------------------------------------------------------------------------------------------- */

static bool never_answered(const struct story *s, const struct exchange *x)
{
	return x->outcome == OUTCOME_SILENT && !s->heard;
}

static bool fell_silent(const struct story *s, const struct exchange *x)
{
	return x->outcome == OUTCOME_SILENT && s->heard;
}

static bool bus_failed(const struct story *s, const struct exchange *x)
{
	(void)s;
	return x->outcome == OUTCOME_FAILED;
}

static bool cut_short(const struct story *s, const struct exchange *x)
{
	(void)s;
	return x->outcome == OUTCOME_BROKEN;
}

static bool status_failed(const struct story *s, const struct exchange *x)
{
	(void)s;
	return x->type == PC_TO_RDR_GET_SLOT_STATUS && x->outcome == OUTCOME_REFUSED;
}

static bool busy(const struct story *s, const struct exchange *x)
{
	(void)s;
	return x->outcome == OUTCOME_REFUSED && x->reply.error == CCID_CMD_SLOT_BUSY;
}

static bool aborted(const struct story *s, const struct exchange *x)
{
	(void)s;
	return x->outcome == OUTCOME_REFUSED && x->reply.error == CCID_CMD_ABORTED;
}

static bool other_refusal(const struct story *s, const struct exchange *x)
{
	return x->outcome == OUTCOME_REFUSED && x->type != PC_TO_RDR_ESCAPE && !status_failed(s, x);
}

static bool empty_answer(const struct story *s, const struct exchange *x)
{
	(void)s;
	return x->type == PC_TO_RDR_XFR_BLOCK && x->outcome == OUTCOME_DONE && x->reply.len == 0 &&
	       x->len > 0 && !x->hidden && x->reply.specific == 0;
}

/* T=1 has seven bytes, T=0 five; the number of the protocol must agree. */
static bool misplaced(const struct story *s, const struct exchange *x)
{
	struct ccid_parameters p;

	(void)s;
	return x->outcome == OUTCOME_DONE && x->reply.type == RDR_TO_PC_PARAMETERS && !x->hidden &&
	       ccid_decode_parameters(&x->reply, &p) != OC_OK;
}

static bool contradiction(const struct story *s, const struct exchange *x)
{
	return s->present_told && s->present && x->type == PC_TO_RDR_GET_SLOT_STATUS &&
	       x->outcome == OUTCOME_DONE && ccid_icc_of(x->reply.status) == CCID_ICC_ABSENT;
}

static bool padding(const struct story *s, const struct exchange *x)
{
	(void)s;
	return x->answered && x->reply.padding > 0;
}

static bool error_and_done(const struct story *s, const struct exchange *x)
{
	return x->outcome == OUTCOME_DONE && x->reply.error && !empty_answer(s, x) && !misplaced(s, x);
}

/* ---- what the card says to a PIN --------------------------------------------------------------------------------- */

static bool pin_answer(const struct exchange *x, uint8_t sw1, uint8_t sw2, uint8_t mask)
{
	const uint8_t *data = x->reply.data;
	size_t len = x->reply.len;
	struct t1_block b;

	if (x->outcome != OUTCOME_DONE || (x->type != PC_TO_RDR_XFR_BLOCK && x->type != PC_TO_RDR_SECURE))
		return false;
	if (words_t1_split(data, len, &b)) {
		data = b.inf;
		len = b.len;
	}
	return len == 2 && data[0] == sw1 && (data[1] & mask) == sw2;
}

static bool pin_blocked(const struct story *s, const struct exchange *x)
{
	(void)s;
	return pin_answer(x, 0x69, 0x83, 0xFF) || pin_answer(x, 0x63, 0xC0, 0xFF);
}

static bool pin_wrong(const struct story *s, const struct exchange *x)
{
	return pin_answer(x, 0x63, 0xC0, 0xF0) && !pin_blocked(s, x);
}

/* ---- the table: the first row that holds is the cause -------------------------------------------------------------- */

static const struct {
	struct cause cause;
	rule *holds;
} rows[] = {
	{ { "keypad-firmware", MOOD_BAD, "the reader's firmware fails at entering a PIN",
	    "The reader answered 64 00 by itself, outside of a T=1 block; the card never said that, and "
	    "mostly gets nothing any "
	    "more after it. Firmware 7.00 of the SPR332 is known for this.",
	    "Update the firmware: 7.01 does not have the fault. Until then let the PIN be typed at the "
	    "computer, which this driver "
	    "does by itself." },
	  bare_6400 },
	{ { "protocol-lost", MOOD_BAD, "the reader has lost the card's protocol",
	    "GET RESPONSE was refused with F6h, protocol not supported: the reader has forgotten the "
	    "parameters of the card, and "
	    "sent nothing to it.",
	    "Set the parameters again and send the same once more: the card never saw it. This driver does "
	    "so; with another one "
	    "pull the card and put it back." },
	  f6_get_response },
	{ { "extended-at-t0", MOOD_BAD, "an extended APDU was sent as a T=0 command",
	    "The reader refused it with F6h, protocol not supported: T=0 has no extended length. Nothing "
	    "reached the card.",
	    "Use ENVELOPE, short commands, or T=1 where the card offers it; this driver does the first by "
	    "itself." },
	  f6_extended },
	{ { "protocol-refused", MOOD_BAD, "the reader does not pass commands to the card",
	    "It refused with F6h, protocol not supported: it believes in another protocol than the host, or "
	    "has lost its "
	    "parameters. Nothing reached the card.",
	    "Set the parameters again and send the same once more, as this driver does; or pull the card and "
	    "put it back." },
	  f6_other },
	{ { "unplugged", MOOD_BAD, "the transfer failed on the bus",
	    "The reader was unplugged, reset or halted its endpoint while a command was under way.",
	    "Look at cable and hub; try another port. If it happens always at the same command, the firmware "
	    "fails." },
	  bus_failed },
	{ { "card-pulled", MOOD_BAD, "the card was pulled while it was used",
	    "The reader says that the slot is empty.", "Leave the card in; if you did, clean its contacts." },
	  pulled },
	{ { "never-answered", MOOD_BAD, "the reader does not answer at all",
	    "It was sent a command and said nothing until the host gave up.",
	    "Unplug the reader and plug it in again. If it stays so, its firmware hangs, or something else "
	    "holds it." },
	  never_answered },
	{ { "parameters-mute", MOOD_BAD, "the card fell silent when the parameters were set",
	    "The reader tried the new speed or protocol by itself, and the card did not come through.",
	    "Take a lower speed: this driver resets the card and tries the next one by itself." },
	  mute_at_parameters },
	{ { "wrong-lc", MOOD_BAD, "the command is malformed",
	    "Its Lc does not fit the bytes that follow; a T=0 card then waits for more, or takes them for "
	    "something else.",
	    "The program that sent it is at fault. This driver refuses such a command before it reaches the "
	    "reader." },
	  wrong_lc },
	{ { "card-mute", MOOD_BAD, "the card does not answer to the power",
	    "The reader switched the power on, and no answer to reset came.",
	    "The wrong way round, dirty contacts, pulled back too soon, or no smart card. Put it in again; "
	    "this driver tries all "
	    "voltages, and once more after a pause." },
	  mute_at_power },
	{ { "card-voltage", MOOD_BAD, "the reader cannot supply the voltage that the card needs", "",
	    "Use another reader." },
	  voltage },
	{ { "no-atr", MOOD_BAD, "what the card says at power-on is no answer to reset",
	    "The first or the last byte of it is wrong.", "Clean the contacts; it may be no smart card." },
	  wrong_atr },
	{ { "command-mute", MOOD_BAD, "the card does not answer to a command",
	    "It had answered to the power, and then stayed silent until the reader's time was over.",
	    "The command may have done it: compare with one that works. A contactless card may have left the "
	    "field." },
	  mute_at_command },
	{ { "parity", MOOD_BAD, "the card's answer was damaged on the line",
	    "The reader found parity errors that did not go away.",
	    "Clean the contacts; take a lower speed. If it is always the same command, look at its length." },
	  parity },
	{ { "overrun", MOOD_BAD, "the card sent more than the reader could take", "",
	    "A lower speed may help." },
	  overrun },
	{ { "hardware", MOOD_BAD, "the reader reports a hardware fault",
	    "Such as a short circuit at the contacts.",
	    "Take the card out and look at it; try another card." },
	  hardware },
	{ { "ifsd-refused", MOOD_BAD, "the card does not take S(IFS request)",
	    "It was told how long blocks may be, and answered each time that the block makes no sense.",
	    "Leave it out, the card then sends 32 bytes at a time. This driver gives up after three times "
	    "and goes on so." },
	  ifsd_refused },
	{ { "t1-errors", MOOD_BAD, "card and host do not understand each other's T=1 blocks",
	    "One of them asks the other to repeat a block.",
	    "Clean the contacts; take a lower speed. This driver repeats, resynchronises, and then reports "
	    "an error." },
	  t1_errors },
	{ { "fell-silent", MOOD_BAD, "the reader stopped answering",
	    "It had answered before, and then said nothing until the host gave up.",
	    "What was sent last before it may be the reason. This driver aborts, clears the pipes and starts "
	    "the card anew; if "
	    "nothing helps, unplug the reader." },
	  fell_silent },
	{ { "cut-short", MOOD_BAD, "an answer of the reader makes no sense",
	    "It is shorter than its header or its own length says.",
	    "Either the firmware fails, or the capture has lost a part of it." },
	  cut_short },
	{ { "empty-answer", MOOD_BAD, "the reader says that all went well, and hands over nothing",
	    "Every answer of a card has at least two bytes. The reader has lost it.",
	    "Treat it as an error, as this driver does: the card may have executed the command." },
	  empty_answer },
	{ { "parameters-misplaced", MOOD_BAD, "the bytes of RDR_to_PC_Parameters are in the wrong place",
	    "bProtocolNum is the byte 9, behind bStatus and bError; a host that reads it there finds a "
	    "structure of the wrong "
	    "length.",
	    "A fault of the reader's firmware: report it to its maker." },
	  misplaced },
	{ { "slot-busy", MOOD_BAD, "the slot is still busy with an earlier command",
	    "The host did not wait for its answer, or gave it up without ABORT.", "" },
	  busy },
	{ { "aborted", MOOD_BAD, "the reader waits for the other half of an ABORT",
	    "ABORT comes on two pipes; the reader refuses everything until it has both.",
	    "Send both once more, as this driver does, or plug the reader in again." },
	  aborted },
	{ { "pin-refused", MOOD_BAD, "the reader does not take the request for a PIN",
	    "bError is the place of the field that it does not like.",
	    "See what its rules are in readers/." },
	  pin_refused },
	{ { "pin-blocked", MOOD_BAD, "the PIN is blocked", "The card says that no try is left.",
	    "Only the PUK helps." },
	  pin_blocked },
	{ { "pin-cancelled", MOOD_BAD, "the PIN entry was cancelled at the reader",
	    "Somebody pressed the cancel key, or the reader gave up.", "" },
	  pin_cancelled },
	{ { "pin-late", MOOD_BAD, "nobody typed a PIN in time", "", "" }, pin_late },
	{ { "pin-wrong", MOOD_BAD, "the PIN was wrong", "The card says so.", "" }, pin_wrong },
	{ { "refused", MOOD_BAD, "the reader refused a command", "", "" }, other_refusal },
	{ { "status-contradicts", MOOD_ODD, "the reader contradicts itself about the card",
	    "It notified that a card is there, and then said that there is none.",
	    "Mostly the card was not quite in: push it in once more." },
	  contradiction },
	{ { "status-failed", MOOD_ODD, "the reader failed at saying whether there is a card", "", "" },
	  status_failed },
	{ { "error-and-done", MOOD_ODD, "an answer says that all went well, and carries an error", "", "" },
	  error_and_done },
	{ { "padding", MOOD_ODD, "the reader sends more bytes than the message has",
	    "They follow dwLength and mean nothing; this driver leaves them out.", "" },
	  padding },
};

_Static_assert(COUNT(rows) <= CAUSES_MAX, "struct causes needs more room");

/* ---- the calls --------------------------------------------------------------------------------------------------- */

/* "refused" is only for what nothing else explains. */
static bool explained(const struct causes *c, const struct exchange *x, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (rows[k].holds(c->story, x))
			return true;
	return false;
}

void causes_take(struct causes *causes, const struct exchange *x)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!rows[i].holds(causes->story, x))
			continue;
		if (rows[i].holds == other_refusal && explained(causes, x, i))
			continue;
		if (causes->found[i].count++ == 0)
			causes->found[i].place = x->place;
	}
}

const struct cause *causes_get(const struct causes *causes, unsigned n, struct found *found)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (causes->found[i].count == 0 || n-- > 0)
			continue;
		*found = causes->found[i];
		return &rows[i].cause;
	}
	return NULL;
}

const struct cause *causes_first(const struct causes *causes, struct found *found)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (causes->found[i].count && rows[i].cause.mood == MOOD_BAD) {
			*found = causes->found[i];
			return &rows[i].cause;
		}
	return NULL;
}
