/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of a capture: actions, their ends, and the traffic between them. */
#include "replay/capture_parser.h"

#include "ccid/message.h"

enum { SETUP_LEN = 8, SEQ = 6 };

/* ---- pieces ------------------------------------------------------------------------------------------------------ */

/* One byte: 6F, [6F] or two dots. */
static bool take_byte(struct span word, uint8_t *value, uint8_t *mark)
{
	uint32_t v = 0;

	if (span_is(word, "..")) {
		*mark = CAPTURE_ANY;
	} else if (word.len == 4 && word.at[0] == '[' && word.at[3] == ']') {
		*mark = CAPTURE_FILLED;
		word = (struct span){ word.at + 1, 2 };
	} else {
		*mark = CAPTURE_EVIDENCE;
	}
	if (*mark != CAPTURE_ANY && !span_hex(word, 2, &v))
		return false;
	*value = (uint8_t)v;
	return true;
}

/* The rest of a line as bytes. The pool has one place for every two characters of the file, and a byte takes two. */
static struct capture_bytes take_bytes(struct capture_parser *p, struct span rest)
{
	struct capture *c = p->c;
	struct capture_bytes b = { .value = c->values + c->used, .mark = c->marks + c->used };

	for (struct span word = span_word(&rest, 0); word.len; word = span_word(&rest, 0)) {
		if (b.len == CAPTURE_BYTES_MAX) {
			FAIL(p, "more than %d bytes in one line; no message is that long", CAPTURE_BYTES_MAX);
			break;
		}
		if (!take_byte(word, &b.value[b.len], &b.mark[b.len])) {
			FAIL(p,
			     "\"%.*s\" is no byte; write two hexadecimal digits, in brackets if they were "
			     "filled in, or two dots",
			     SHOWN(word));
			break;
		}
		b.len++;
	}
	c->used += b.len;
	return b;
}

/* Bytes that stand for themselves: an APDU, an ATR, a descriptor. */
struct capture_bytes capture_take_bytes(struct capture_parser *p, struct span rest)
{
	const struct capture_bytes b = take_bytes(p, rest);

	for (size_t i = 0; i < b.len; i++)
		if (b.mark[i] == CAPTURE_ANY) {
			FAIL(p, "byte %zu is left open, but this line needs its value", i + 1);
			break;
		}
	return b;
}

uint32_t capture_take_number(struct capture_parser *p, struct span *rest, uint32_t low, uint32_t high)
{
	const struct span word = span_word(rest, 0);
	uint32_t value = low;

	if (!span_decimal(word, &value) || value < low || value > high)
		FAIL(p, "\"%.*s\" should be a decimal number from %u to %u", SHOWN(word), low, high);
	return value;
}

/* Microseconds since the line before, or "-" where the source has no times. */
static void take_time(struct capture_parser *p, struct span *rest, struct capture_step *step)
{
	const struct span word = span_word(rest, 0);

	if (span_is(word, "-"))
		return;
	step->timed = span_decimal(word, &step->us);
	if (!step->timed)
		FAIL(p, "\"%.*s\" should be a time in microseconds, or \"-\" where it is not known",
		     SHOWN(word));
}

void capture_want_nothing_more(struct capture_parser *p, struct span rest)
{
	rest = span_trim(rest);
	if (rest.len)
		FAIL(p, "\"%.*s\" is too much for this line", SHOWN(rest));
}

/* ---- actions and results ----------------------------------------------------------------------------------------- */

static const char *const action_words[] = {
	[CAPTURE_OPEN] = "open",
	[CAPTURE_POWER_UP] = "power-up",
	[CAPTURE_POWER_DOWN] = "power-down",
	[CAPTURE_PROTOCOL] = "protocol",
	[CAPTURE_TRANSMIT] = "transmit",
	[CAPTURE_ESCAPE] = "escape",
	[CAPTURE_VERIFY] = "verify",
	[CAPTURE_MODIFY] = "modify",
	[CAPTURE_PRESENCE] = "presence",
	[CAPTURE_WAIT_EVENT] = "wait-event",
};

const char *capture_action_word(enum capture_action action)
{
	return (size_t)action < COUNT(action_words) ? action_words[action] : "unknown action";
}

static const char *const result_words[] = {
#define X(id, text) #id,
	OC_ERRORS(X)
#undef X
};

const char *capture_result_word(enum oc_err err)
{
	return (size_t)err < COUNT(result_words) ? result_words[err] : "unknown result";
}

/* Does the action have bytes of its own, and bytes for an answer? */
static bool is_command(enum capture_action action)
{
	return action == CAPTURE_TRANSMIT || action == CAPTURE_ESCAPE || action == CAPTURE_VERIFY ||
	       action == CAPTURE_MODIFY;
}

static void take_protocol(struct capture_parser *p, struct span rest, struct capture_step *step)
{
	rest = span_trim(rest);
	if (!span_is(rest, "T=0") && !span_is(rest, "T=1"))
		FAIL(p, "\"%.*s\" should be T=0 or T=1", SHOWN(rest));
	step->number = span_is(rest, "T=1");
}

/* "into N" says how much room the application has for the answer. */
static void take_command(struct capture_parser *p, struct span rest, struct capture_step *step)
{
	struct span after = rest;

	step->number = CAPTURE_ROOM_PLENTY;
	if (span_is(span_word(&after, 0), "into")) {
		step->number = capture_take_number(p, &after, 1, CAPTURE_BYTES_MAX);
		rest = after;
	}
	step->bytes = capture_take_bytes(p, rest);
	if (step->bytes.len == 0)
		FAIL(p, "the bytes of the command are missing");
}

void capture_take_action(struct capture_parser *p, struct span rest, struct capture_step *step)
{
	const struct span word = span_word(&rest, 0);
	size_t i = 0;

	while (i < COUNT(action_words) && !span_is(word, action_words[i]))
		i++;
	if (i == COUNT(action_words)) {
		FAIL(p, "\"%.*s\" is nothing that an application can ask for", SHOWN(word));
		return;
	}
	step->kind = CAPTURE_DO;
	step->action = (enum capture_action)i;
	if (step->action == CAPTURE_PROTOCOL)
		take_protocol(p, rest, step);
	else if (is_command(step->action))
		take_command(p, rest, step);
	else if (step->action == CAPTURE_WAIT_EVENT)
		step->number = capture_take_number(p, &rest, 1, CAPTURE_WAIT_MAX);
	else
		capture_want_nothing_more(p, rest);
}

static void step_do(struct capture_parser *p, struct span rest, struct capture_step *step)
{
	if (p->open)
		FAIL(p, "the action of line %u has no \"expect\" yet", p->open->line);
	capture_take_action(p, rest, step);
	p->open = step;
	p->differs = false;
}

/* Two words for what a presence or a wait can end with; the second one is the true one. */
static void take_either(struct capture_parser *p, struct span rest, struct capture_step *step, const char *no,
			const char *yes, enum capture_end end)
{
	rest = span_trim(rest);
	if (!span_is(rest, no) && !span_is(rest, yes))
		FAIL(p, "\"%.*s\" should be \"%s\" or \"%s\"", SHOWN(rest), no, yes);
	step->end = span_is(rest, yes) ? (enum capture_end)(end + 1) : end;
}

/* An answer belongs to every success of a command, and to nothing else. */
static void take_end(struct capture_parser *p, struct span rest, struct capture_step *step)
{
	const enum capture_action action = p->open->action;

	if (step->result != OC_OK) {
		capture_want_nothing_more(p, rest);
		return;
	}
	if (action == CAPTURE_PRESENCE) {
		take_either(p, rest, step, "absent", "present", CAPTURE_END_ABSENT);
	} else if (action == CAPTURE_WAIT_EVENT) {
		take_either(p, rest, step, "quiet", "event", CAPTURE_END_QUIET);
	} else if (action == CAPTURE_POWER_UP || is_command(action)) {
		step->end = CAPTURE_END_BYTES;
		step->bytes = capture_take_bytes(p, rest);
	} else {
		capture_want_nothing_more(p, rest);
	}
}

static void step_expect(struct capture_parser *p, struct span rest, struct capture_step *step)
{
	const struct span word = span_word(&rest, 0);
	size_t i = 0;

	if (!p->open) {
		FAIL(p, "there is no \"do\" that this could be the end of");
		return;
	}
	while (i < COUNT(result_words) && !span_is(word, result_words[i]))
		i++;
	if (i == COUNT(result_words))
		FAIL(p, "\"%.*s\" is no result; write OC_OK or one of the names in src/base/err.h",
		     SHOWN(word));
	step->result = (enum oc_err)(i % COUNT(result_words));
	take_end(p, rest, step);
	p->open = NULL;
}

/* ---- traffic ----------------------------------------------------------------------------------------------------- */

static bool length_is_known(const struct capture_bytes *b)
{
	for (size_t i = 1; i < 5; i++)
		if (b->mark[i] == CAPTURE_ANY)
			return false;
	return true;
}

static void step_out(struct capture_parser *p, struct span rest, struct capture_step *step)
{
	struct capture_bytes *b = &step->bytes;
	uint32_t length;

	take_time(p, &rest, step);
	*b = take_bytes(p, rest);
	if (p->failed)
		return;
	if (b->len < CCID_HEADER_LEN) {
		FAIL(p, "a command has a header of %d bytes, these are %zu", CCID_HEADER_LEN, b->len);
		return;
	}
	length = (uint32_t)b->value[1] | (uint32_t)b->value[2] << 8 | (uint32_t)b->value[3] << 16 |
		 (uint32_t)b->value[4] << 24;
	if (length_is_known(b) && length != b->len - CCID_HEADER_LEN)
		FAIL(p, "dwLength says %u bytes, but %zu follow the header", length,
		     b->len - CCID_HEADER_LEN);
}

/* Only bSeq may be left open: the driver's own is put there. */
static void step_in(struct capture_parser *p, struct span rest, struct capture_step *step)
{
	take_time(p, &rest, step);
	step->bytes = take_bytes(p, rest);
	for (size_t i = 0; i < step->bytes.len; i++)
		if (step->bytes.mark[i] == CAPTURE_ANY && i != SEQ) {
			FAIL(p, "byte %zu of an answer is left open; the driver has to be given something",
			     i + 1);
			break;
		}
}

static void step_int(struct capture_parser *p, struct span rest, struct capture_step *step)
{
	take_time(p, &rest, step);
	step->bytes = capture_take_bytes(p, rest);
	if (step->bytes.len == 0)
		FAIL(p, "the bytes of the interrupt message are missing");
}

static void step_timeout(struct capture_parser *p, struct span rest, struct capture_step *step)
{
	take_time(p, &rest, step);
	capture_want_nothing_more(p, rest);
}

static void step_padding(struct capture_parser *p, struct span rest, struct capture_step *step)
{
	const size_t n = p->c->steps;

	step->number = capture_take_number(p, &rest, 1, CAPTURE_PADDING_MAX);
	capture_want_nothing_more(p, rest);
	if (n == 0 || p->c->step[n - 1].kind != CAPTURE_IN || p->c->step[n - 1].skipped != step->skipped)
		FAIL(p, "padding belongs directly behind an \"in\" line");
}

static void step_control(struct capture_parser *p, struct span rest, struct capture_step *step)
{
	struct span word;

	take_time(p, &rest, step);
	word = span_word(&rest, 0);
	step->stalls = span_is(word, "stalls");
	if (!step->stalls && !span_is(word, "works"))
		FAIL(p, "\"%.*s\" should be \"works\" or \"stalls\"", SHOWN(word));
	step->bytes = take_bytes(p, rest);
	if (step->bytes.len < SETUP_LEN)
		FAIL(p, "a control request begins with %d bytes of setup, these are %zu", SETUP_LEN,
		     step->bytes.len);
}

static void step_clear_halt(struct capture_parser *p, struct span rest, struct capture_step *step)
{
	(void)step;
	capture_want_nothing_more(p, rest);
}

/* The reason stands behind the number; it is for people. */
static void step_missing(struct capture_parser *p, struct span rest, struct capture_step *step)
{
	step->number = capture_take_number(p, &rest, 1, 255);
	if (!p->failed && span_trim(rest).len == 0)
		FAIL(p, "say behind the number which messages are missing");
}

/* Where a kind of line can stand. */
enum { INSIDE = 1, OUTSIDE = 2, MAY_BE_MADE = 4, MAY_BE_SKIPPED = 8 };

static const struct step_word {
	const char *word;
	enum capture_kind kind;
	unsigned flags;
	void (*take)(struct capture_parser *p, struct span rest, struct capture_step *step);
} step_words[] = {
	{ "do", CAPTURE_DO, INSIDE | OUTSIDE, step_do },
	{ "expect", CAPTURE_EXPECT, INSIDE | OUTSIDE, step_expect },
	{ "out", CAPTURE_OUT, INSIDE | MAY_BE_MADE | MAY_BE_SKIPPED, step_out },
	{ "in", CAPTURE_IN, INSIDE | MAY_BE_MADE | MAY_BE_SKIPPED, step_in },
	{ "int", CAPTURE_INT, INSIDE | OUTSIDE | MAY_BE_MADE | MAY_BE_SKIPPED, step_int },
	{ "timeout", CAPTURE_TIMEOUT, INSIDE | MAY_BE_MADE | MAY_BE_SKIPPED, step_timeout },
	{ "padding", CAPTURE_PADDING, INSIDE | MAY_BE_MADE | MAY_BE_SKIPPED, step_padding },
	{ "control", CAPTURE_CONTROL, INSIDE | MAY_BE_MADE | MAY_BE_SKIPPED, step_control },
	{ "clear-halt", CAPTURE_CLEAR_HALT, INSIDE | MAY_BE_MADE, step_clear_halt },
	{ "missing", CAPTURE_MISSING, INSIDE | OUTSIDE, step_missing },
};

const char *capture_kind_word(enum capture_kind kind)
{
	return (size_t)kind < COUNT(step_words) ? step_words[kind].word : "unknown step";
}

/* What we made, and what we leave out, needs a reason. */
static void check_place(struct capture_parser *p, const struct step_word *w, const struct capture_step *step)
{
	if (!(w->flags & (p->open ? (unsigned)INSIDE : (unsigned)OUTSIDE)))
		FAIL(p, "\"%s\" needs a \"do\" line before it", w->word);
	else if ((step->made && !(w->flags & MAY_BE_MADE)) || (step->skipped && !(w->flags & MAY_BE_SKIPPED)))
		FAIL(p, "\"%s\" cannot be %s", w->word, step->made ? "made" : "skipped");
	else if ((step->made || step->skipped) && !p->differs)
		FAIL(p, "a \"differs:\" line has to give the reason first");
}

void capture_take_step(struct capture_parser *p, struct span line)
{
	struct capture_step *step = &p->c->step[p->c->steps];
	struct span word = span_word(&line, 0);
	size_t i = 0;

	*step = (struct capture_step){ .line = p->line };
	step->made = span_is(word, "made");
	step->skipped = span_is(word, "skipped");
	if (step->made || step->skipped)
		word = span_word(&line, 0);
	while (i < COUNT(step_words) && !span_is(word, step_words[i].word))
		i++;
	if (i == COUNT(step_words)) {
		FAIL(p, "\"%.*s\" is no kind of line", SHOWN(word));
		return;
	}
	step->kind = step_words[i].kind;
	check_place(p, &step_words[i], step);
	step_words[i].take(p, line, step);
	p->c->steps++;
}
