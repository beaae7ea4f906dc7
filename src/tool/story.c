/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/story.h"

#include "base/bytes.h"
#include "ccid/status.h"
#include "tpdu/atr.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The name in the specification, without the direction, which the arrow shows. */
static const char *short_name(uint8_t type)
{
	const char *name = ccid_type_name(type);
	const char *cut = strstr(name, "_to_");

	cut = cut ? strchr(cut + 4, '_') : NULL;
	return cut ? cut + 1 : name;
}

/* ---- commands in words ------------------------------------------------------------------------------------------- */

static void words_parameters(struct words *w, uint8_t protocol, const uint8_t *data, size_t len)
{
	const struct ccid_reply as_reply = { .specific = protocol, .data = data, .len = len };
	struct ccid_parameters p;
	unsigned fi, di;

	if (ccid_decode_parameters(&as_reply, &p) != OC_OK) {
		words_add(w, "a structure that makes no sense");
		return;
	}
	words_add(w, "T=%d", p.protocol);
	if (atr_fi_di(p.fi_di, &fi, &di))
		words_add(w, ", Fi/Di %u/%u", fi, di);
	if (p.protocol == CCID_PROTOCOL_T1)
		words_add(w, ", IFSC %u, %s", p.ifsc, p.crc ? "CRC" : "LRC");
}

static void out_power_on(struct story *s, struct words *w)
{
	static const char *const volts[] = { "the reader chooses the voltage", "5 V", "3 V", "1.8 V" };

	words_add(w, "%s",
		  s->x.specific[0] < COUNT(volts) ? volts[s->x.specific[0]] : "no voltage that exists");
}

static void out_set_parameters(struct story *s, struct words *w)
{
	s->protocol = s->x.specific[0] ? CARD_T1 : CARD_T0;
	words_parameters(w, s->x.specific[0], s->x.payload, s->x.len);
}

static void out_secure(struct story *s, struct words *w)
{
	static const char *const operations[] = { "asks for the PIN at the keypad",
						  "asks for the old and the new PIN at the keypad" };
	const uint8_t operation = s->x.len ? s->x.payload[0] : 0xFF;

	words_add(w, "%s", operation < COUNT(operations) ? operations[operation] : "something about a PIN");
}

static void out_rate(struct story *s, struct words *w)
{
	const struct ccid_reply as_reply = { .data = s->x.payload, .len = s->x.len };
	uint32_t khz, bps;

	if (ccid_decode_rate_and_clock(&as_reply, &khz, &bps) == OC_OK)
		words_add(w, "%u kHz, %u bit/s", khz, bps);
}

static void out_escape(struct story *s, struct words *w)
{
	(void)s;
	words_add(w, "a command of the vendor's own");
}

static const struct {
	uint8_t type;
	void (*words)(struct story *s, struct words *w);
} commands[] = {
	{ PC_TO_RDR_ICC_POWER_ON, out_power_on }, { PC_TO_RDR_SET_PARAMETERS, out_set_parameters },
	{ PC_TO_RDR_SECURE, out_secure },         { PC_TO_RDR_SET_DATA_RATE_AND_CLOCK, out_rate },
	{ PC_TO_RDR_ESCAPE, out_escape },
};

/* ---- the end of a command ---------------------------------------------------------------------------------------- */

static void note_previous(struct story *s)
{
	const struct exchange *x = &s->x;
	const size_t n = x->len < sizeof s->previous - 1 ? x->len : sizeof s->previous - 1;

	s->previous[0] = x->type;
	if (n)
		memcpy(s->previous + 1, x->payload, n);
	s->previous_len = n + 1;
	s->previous_failed = x->outcome != OUTCOME_DONE;
}

static void end_exchange(struct story *s, enum outcome outcome)
{
	struct exchange *x = &s->x;
	struct summary *sum = &s->summary;

	if (x->outcome != OUTCOME_OPEN || x->type == 0)
		return;
	x->outcome = outcome;
	sum->failed += outcome != OUTCOME_DONE;
	sum->timeouts += outcome == OUTCOME_SILENT;
	if (x->timed && x->wait_us > sum->slowest_us && x->type != PC_TO_RDR_SECURE) {
		sum->slowest_us = x->wait_us;
		sum->slowest_place = x->place;
		sum->slowest_type = x->type;
	}
	if (outcome != OUTCOME_DONE && outcome != OUTCOME_REFUSED)
		story_drop_apdu(s);
	note_previous(s);
	if (s->sink.ended)
		s->sink.ended(s->sink.arg, x);
}

static bool is_retry(const struct story *s)
{
	const struct exchange *x = &s->x;

	return s->previous_failed && s->previous_len == x->len + 1 && s->previous[0] == x->type &&
	       (x->len == 0 || memcmp(s->previous + 1, x->payload, x->len) == 0);
}

static size_t shown_of(struct story *s, const struct event *e)
{
	const size_t shown = redact_message(&s->redact, e->bytes, e->len);

	return s->secrets ? e->len : shown;
}

/* ---- what the host sends ----------------------------------------------------------------------------------------- */

static void take_header(struct story *s, const struct event *e)
{
	struct exchange *x = &s->x;

	*x = (struct exchange){
		.type = e->bytes[0],
		.slot = e->bytes[5],
		.seq = e->bytes[6],
		.payload = s->sent,
		.len = e->len - CCID_HEADER_LEN,
		.hidden = e->hidden,
		.place = e->place,
		.us = e->us,
		.timed = true,
	};
	memcpy(x->specific, e->bytes + 7, sizeof x->specific);
	if (x->len)
		memcpy(s->sent, e->bytes + CCID_HEADER_LEN, x->len);
	x->retry = is_retry(s);
	s->summary.retries += x->retry;
}

static void on_out(struct story *s, const struct event *e, struct told *told)
{
	end_exchange(s, OUTCOME_SILENT);
	told->shown = shown_of(s, e);
	if (e->len < CCID_HEADER_LEN || ccid_reply_type(e->bytes[0]) == 0) {
		told->name = "no command";
		told->mood = MOOD_ODD;
		words_add(&told->words, "this is no message of CCID");
		s->x.type = 0;
		return;
	}
	take_header(s, e);
	s->summary.commands++;
	told->name = short_name(s->x.type);
	told->retry = s->x.retry;
	for (size_t i = 0; i < COUNT(commands); i++)
		if (commands[i].type == s->x.type && !e->hidden)
			commands[i].words(s, &told->words);
	if (s->x.type == PC_TO_RDR_XFR_BLOCK && !e->hidden)
		story_to_card(s, s->x.payload, s->x.len, told->shown - CCID_HEADER_LEN, told);
	else
		told->begins = s->x.type != PC_TO_RDR_GET_SLOT_STATUS && s->x.type != PC_TO_RDR_XFR_BLOCK;
	if (s->x.type == PC_TO_RDR_ICC_POWER_ON || s->x.type == PC_TO_RDR_ICC_POWER_OFF) {
		story_drop_apdu(s);
		s->protocol = s->level_known && s->level >= CCID_SHORT_APDU ? CARD_APDU : CARD_UNKNOWN;
	}
}

/* ---- what the reader answers ------------------------------------------------------------------------------------- */

static void words_done(struct story *s, struct told *told)
{
	const struct ccid_reply *r = &s->x.reply;

	if (r->type == RDR_TO_PC_SLOT_STATUS || ccid_icc_of(r->status) != CCID_ICC_ACTIVE)
		words_add(&told->words, "%s", ccid_icc_text(ccid_icc_of(r->status)));
	if (r->error && r->type != RDR_TO_PC_SLOT_STATUS)
		words_add(&told->words, "%sdone, and yet there is an error %02Xh (%s)",
			  told->words.len ? "; " : "", r->error, ccid_error_info(r->error)->name);
	if (r->type == RDR_TO_PC_PARAMETERS)
		words_parameters(&told->words, r->specific, r->data, r->len);
	if (s->x.type == PC_TO_RDR_ICC_POWER_ON)
		words_atr(&told->card, r->data, r->len);
	if (r->padding)
		words_add(&told->words, "%s%zu more bytes behind the message", told->words.len ? "; " : "",
			  r->padding);
}

static void words_failed(struct story *s, struct told *told)
{
	const struct ccid_reply *r = &s->x.reply;
	const struct ccid_error_info *info = ccid_error_info(r->error);

	told->mood = MOOD_BAD;
	words_add(&told->words, "failed, %02Xh %s: %s (%s)", r->error, info->name, info->sentence,
		  ccid_icc_text(ccid_icc_of(r->status)));
}

static void note_state(struct story *s)
{
	const struct exchange *x = &s->x;

	s->heard = true;
	if (x->type == PC_TO_RDR_ICC_POWER_ON && x->reply.len)
		s->powered_well = true;
}

/* The answer that ends the command. */
static void take_answer(struct story *s, struct told *told, struct told_apdu *apdu, bool *complete)
{
	struct exchange *x = &s->x;
	const bool failed = ccid_command_status_of(x->reply.status) != CCID_DONE;

	told->waited = x->timed;
	told->wait_us = x->wait_us;
	if (failed)
		words_failed(s, told);
	else
		words_done(s, told);
	note_state(s);
	if (!failed && (x->type == PC_TO_RDR_XFR_BLOCK || x->type == PC_TO_RDR_SECURE) && !x->hidden)
		*complete = story_from_card(s, x, told, apdu);
	if (failed)
		story_drop_apdu(s);
	end_exchange(s, failed ? OUTCOME_REFUSED : OUTCOME_DONE);
}

static void take_extension(struct story *s, struct told *told)
{
	s->x.extensions++;
	s->summary.extensions++;
	told->mood = MOOD_ODD;
	told->waited = s->x.timed;
	told->wait_us = s->x.wait_us;
	words_add(&told->words, "the card asks for more time");
}

/* Its payload is missing where the log does not show it; that is no fault of the message. */
static enum oc_err decode(const struct event *e, struct ccid_reply *reply)
{
	enum oc_err err = ccid_decode_reply(e->bytes, e->len, reply);
	uint8_t header[CCID_HEADER_LEN];

	if (err != OC_E_LENGTH || e->missing == 0)
		return err;
	memcpy(header, e->bytes, sizeof header);
	memset(header + 1, 0, 4);
	err = ccid_decode_reply(header, sizeof header, reply);
	reply->data = e->bytes + CCID_HEADER_LEN;
	reply->len = e->len - CCID_HEADER_LEN;
	return err;
}

static void tell_broken(struct story *s, const struct event *e, struct told *told, enum oc_err err)
{
	told->mood = MOOD_BAD;
	told->name = e->len ? short_name(e->bytes[0]) : "nothing";
	words_add(&told->words, "%s", oc_strerr(err));
	end_exchange(s, OUTCOME_BROKEN);
}

static void on_in(struct story *s, const struct event *e, struct told *told, struct told_apdu *apdu,
		  bool *complete)
{
	struct exchange *x = &s->x;
	struct ccid_reply reply = { 0 };
	const enum oc_err err = decode(e, &reply);

	told->shown = shown_of(s, e);
	x->timed &= e->timed;
	x->wait_us = e->us - x->us;
	if (err != OC_OK) {
		tell_broken(s, e, told, err);
		return;
	}
	told->name = short_name(reply.type);
	if (x->type == 0 || x->outcome != OUTCOME_OPEN || reply.slot != x->slot || reply.seq != x->seq) {
		told->mood = MOOD_ODD;
		words_add(&told->words, "this answers no command that is open");
		return;
	}
	x->reply = reply;
	x->answered = true;
	x->hidden |= e->hidden;
	if (ccid_command_status_of(reply.status) == CCID_TIME_EXTENSION)
		take_extension(s, told);
	else
		take_answer(s, told, apdu, complete);
}

/* ---- everything else --------------------------------------------------------------------------------------------- */

static void on_interrupt(struct story *s, const struct event *e, struct told *told)
{
	const uint8_t *at = e->bytes;
	size_t left = e->len;
	struct ccid_event event;
	bool changed;

	told->name = "interrupt";
	told->shown = e->len;
	told->begins = true;
	while (ccid_next_event(&at, &left, 1, &event)) {
		told->name = short_name(event.type);
		if (event.type == RDR_TO_PC_HARDWARE_ERROR)
			words_add(&told->words, "slot %u reports a hardware error", event.slot);
		else if (ccid_event_slot(&event, 0, &s->present, &changed)) {
			s->present_told = true;
			words_add(&told->words, "%s%s", s->present ? "a card is there" : "no card",
				  changed ? ", that is new" : "");
		}
	}
}

static void on_control(struct told *told, const struct event *e)
{
	static const struct {
		uint8_t type, request;
		const char *words;
	} requests[] = {
		{ 0x21, 0x01, "ABORT: the host gives up a command" },
		{ 0xA1, 0x02, "GET_CLOCK_FREQUENCIES" },
		{ 0xA1, 0x03, "GET_DATA_RATES" },
	};

	told->name = "control request";
	told->shown = e->len < 8 ? e->len : 8;
	for (size_t i = 0; i < COUNT(requests) && e->len >= 2; i++)
		if (e->bytes[0] == requests[i].type && e->bytes[1] == requests[i].request)
			words_add(&told->words, "%s", requests[i].words);
}

/* Events without bytes. */
static const struct {
	enum event_kind kind;
	const char *name, *words;
	enum mood mood;
	enum outcome outcome; /* OUTCOME_OPEN: the command goes on */
} plain[] = {
	{ EVENT_CLEAR_HALT, "clear halt", "the host sets the endpoints in order", MOOD_ODD, OUTCOME_OPEN },
	{ EVENT_TIMEOUT, "no answer", "the host gave up waiting for the reader", MOOD_BAD, OUTCOME_SILENT },
	{ EVENT_STALL, "stall", "the reader refuses on the level of USB", MOOD_BAD, OUTCOME_FAILED },
	{ EVENT_ERROR, "bus error", "the transfer failed on the bus", MOOD_BAD, OUTCOME_FAILED },
	{ EVENT_GONE, "gone", "the reader was unplugged", MOOD_BAD, OUTCOME_FAILED },
};

static void on_plain(struct story *s, const struct event *e, struct told *told)
{
	for (size_t i = 0; i < COUNT(plain); i++) {
		if (plain[i].kind != e->kind)
			continue;
		told->name = plain[i].name;
		told->mood = plain[i].mood;
		words_add(&told->words, "%s", plain[i].words);
		s->x.timed &= e->timed;
		s->x.wait_us = e->us - s->x.us;
		told->waited = s->x.timed && e->kind == EVENT_TIMEOUT;
		told->wait_us = s->x.wait_us;
		if (plain[i].outcome != OUTCOME_OPEN)
			end_exchange(s, plain[i].outcome);
	}
}

static void on_application(struct story *s, const struct event *e, struct told *told)
{
	struct redact_apdu fresh = { 0 };
	const bool command = e->kind == EVENT_COMMAND;

	told->name = command ? "the application asks" : "the application gets";
	told->begins = command;
	told->shown = command && !s->secrets ? redact_command(&fresh, e->bytes, e->len) : e->len;
	if (command)
		words_command(&told->words, e->bytes, e->len, told->shown);
	else
		words_status(&told->words, e->bytes, e->len);
}

/* ---- the calls --------------------------------------------------------------------------------------------------- */

void story_begin(struct story *story, const struct traffic_reader *reader, bool secrets,
		 const struct story_sink *sink)
{
	struct ccid_descriptor desc;
	struct ccid_caps caps;

	memset(story, 0, sizeof *story);
	story->sink = *sink;
	story->secrets = secrets;
	story->summary.timed = true;
	if (reader->has_level) {
		story->level_known = true;
		story->level = reader->level;
	} else if (reader->has_descriptor &&
		   ccid_descriptor_decode(reader->descriptor, sizeof reader->descriptor, &desc) == OC_OK &&
		   ccid_caps_derive(&desc, &caps) == OC_OK) {
		story->level_known = true;
		story->level = caps.level;
	}
	if (story->level_known && story->level >= CCID_SHORT_APDU)
		story->protocol = CARD_APDU;
	redact_begin(&story->redact, story->level_known ? REDACT_LEVEL(story->level) : REDACT_ANY_LEVEL);
	story_drop_apdu(story);
}

static void explain(struct story *s, const struct event *e, struct told *told, struct told_apdu *apdu,
		    bool *complete)
{
	switch (e->kind) {
	case EVENT_OUT: on_out(s, e, told); break;
	case EVENT_IN: on_in(s, e, told, apdu, complete); break;
	case EVENT_INT: on_interrupt(s, e, told); break;
	case EVENT_CONTROL: on_control(told, e); break;
	case EVENT_COMMAND:
	case EVENT_RESPONSE: on_application(s, e, told); break;
	case EVENT_CLEAR_HALT:
	case EVENT_TIMEOUT:
	case EVENT_STALL:
	case EVENT_ERROR:
	case EVENT_GONE: on_plain(s, e, told); break;
	}
}

void story_event(void *arg, const struct event *event)
{
	struct story *s = arg;
	struct told told = { .event = event, .name = "" };
	struct told_apdu apdu = { 0 };
	bool complete = false;

	s->summary.messages +=
		event->kind == EVENT_OUT || event->kind == EVENT_IN || event->kind == EVENT_INT;
	s->summary.timed &= event->timed || event->us == 0;
	s->summary.us = event->us;
	explain(s, event, &told, &apdu, &complete);
	if (s->sink.row)
		s->sink.row(s->sink.arg, &told);
	s->summary.apdus += complete;
	if (complete && s->sink.apdu)
		s->sink.apdu(s->sink.arg, &apdu);
}

void story_end(struct story *story)
{
	/* A capture may end before the answer comes: that is no silence. */
	story->x.type = 0;
}
