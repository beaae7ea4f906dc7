/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A capture in plain words, for the terminal. */
#include "tool/decode.h"

#include <inttypes.h>
#include <string.h>

enum { INDENT = 22, BYTES_SHOWN = 24 };

static const enum out_style styles[] = {
	[MOOD_PLAIN] = OUT_PLAIN, [MOOD_GOOD] = OUT_GOOD, [MOOD_ODD] = OUT_WARNING, [MOOD_BAD] = OUT_BAD
};

static void show_reader(struct out *out, const struct traffic_reader *r)
{
	const char *name = decoding_name(r);

	out_foreign(out, name, strlen(name));
	if (r->has_id)
		out_print(out, " (%04x:%04x%s", r->vid, r->pid, r->has_firmware ? "" : ")");
	if (r->has_id && r->has_firmware)
		out_print(out, ", firmware %x.%02x)", r->firmware >> 8, r->firmware & 0xFF);
}

static void show_others(struct decoding *d)
{
	struct out *out = d->out;

	for (unsigned i = 0; i < traffic_readers(d->traffic); i++) {
		const struct traffic_reader *r = traffic_reader(d->traffic, i);

		if (i == d->index)
			continue;
		out_print(out, "Also in it: ");
		show_reader(out, r);
		out_print(out, "%s%s, %lu messages: --reader %u\n", r->where[0] ? ", " : "", r->where,
			  r->messages, r->number);
	}
}

static void show_cause(struct decoding *d, const char *label, const struct cause *cause,
		       const struct found *found)
{
	struct out *out = d->out;

	out_styled(out, styles[cause->mood], "%s", label);
	out_print(out, ": %s (%s %lu", cause->title, traffic_place(d->traffic), found->place);
	out_print(out, found->count > 1 ? ", %lu times)\n" : ")\n", found->count);
	if (cause->what[0])
		out_wrapped(out, 2, 0, cause->what);
	if (cause->help[0]) {
		out_styled(out, OUT_STRONG, "  What helps: ");
		out_wrapped(out, 2, 14, cause->help);
	}
}

static void show_causes(struct decoding *d)
{
	struct found found;
	const struct cause *first = causes_first(&d->causes, &found);
	const struct cause *cause;

	if (first)
		show_cause(d, "The cause", first, &found);
	else
		out_styled(d->out, OUT_GOOD, "Nothing is wrong in it.\n");
	for (unsigned n = 0; (cause = causes_get(&d->causes, n, &found)); n++)
		if (cause != first)
			show_cause(d, "Also", cause, &found);
}

static void begin(struct decoding *d)
{
	out_styled(d->out, OUT_STRONG, "%s", traffic_form(d->traffic));
	out_print(d->out, " of ");
	show_reader(d->out, decoding_reader(d));
	out_print(d->out, "\n");
	show_others(d);
	show_causes(d);
	if (!d->brief)
		out_print(d->out, "\n%6s %12s\n", traffic_place(d->traffic), "seconds");
}

static void show_bytes(struct decoding *d, const struct told *told)
{
	size_t len, shown;
	const uint8_t *payload = told_payload(told, &len, &shown);
	const size_t most = d->secrets ? len : BYTES_SHOWN;

	if (len == 0)
		return;
	out_print(d->out, "%*s", INDENT + 3, "");
	for (size_t i = 0; i < len && i < most; i++)
		out_styled(d->out, OUT_FAINT, i < shown ? "%s%02X" : "%s**", i ? " " : "", payload[i]);
	if (len > most)
		out_styled(d->out, OUT_FAINT, " ... (%zu bytes)", len);
	out_print(d->out, "\n");
}

static const char *arrow_of(enum event_kind kind)
{
	switch (kind) {
	case EVENT_OUT: return "->";
	case EVENT_IN: return "<-";
	case EVENT_INT: return "<~";
	case EVENT_CONTROL: return "=>";
	case EVENT_TIMEOUT:
	case EVENT_STALL:
	case EVENT_ERROR:
	case EVENT_GONE: return "!!";
	case EVENT_CLEAR_HALT: return "=>";
	case EVENT_COMMAND:
	case EVENT_RESPONSE: return "  ";
	}
	return "  ";
}

static void show_time(struct decoding *d, const struct event *e)
{
	if (e->timed || e->us)
		out_print(d->out, "%6lu %5" PRIu64 ".%06u  ", e->place, e->us / 1000000,
			  (unsigned)(e->us % 1000000));
	else
		out_print(d->out, "%6lu %12s  ", e->place, "-");
}

/* Whatever follows the name of a message. */
static void words_of(struct words *w, const struct told *told)
{
	if (told_is_message(told))
		words_add(w, " %u/%02X", told->event->bytes[5], told->event->bytes[6]);
	if (told->waited) {
		words_add(w, " after ");
		words_time(w, told->wait_us);
	}
	words_add(w, "%s", told->retry ? ", once more" : "");
	if (told->words.len || told->card.len)
		words_add(w, ": %s%s%s", told->words.text, told->words.len && told->card.len ? "; " : "",
			  told->card.text);
}

static void row(void *arg, const struct told *told)
{
	struct decoding *d = arg;
	struct words after = { .len = 0 };

	if (d->brief)
		return;
	show_time(d, told->event);
	out_print(d->out, "%s ", arrow_of(told->event->kind));
	out_styled(d->out, told->mood == MOOD_PLAIN ? OUT_STRONG : styles[told->mood], "%s", told->name);
	words_of(&after, told);
	out_wrapped(d->out, INDENT + 3, INDENT + 2 + (unsigned)strlen(told->name), after.text);
	show_bytes(d, told);
}

static void apdu(void *arg, const struct told_apdu *a)
{
	struct decoding *d = arg;
	struct words took = { .len = 0 }, all = { .len = 0 };

	if (d->brief)
		return;
	if (a->timed)
		words_time(&took, a->wait_us);
	out_print(d->out, "%*s", INDENT, "");
	out_styled(d->out, styles[a->mood], "==");
	words_add(&all, " %s%s%s%s", a->words.text, took.len ? " (" : "", took.text, took.len ? ")" : "");
	out_wrapped(d->out, INDENT + 3, INDENT + 2, all.text);
}

static void count(struct words *w, unsigned long n, const char *one, const char *many)
{
	if (n)
		words_add(w, "%s%lu %s", w->len ? ", " : "", n, n == 1 ? one : many);
}

static void end(struct decoding *d)
{
	const struct summary *s = &d->summary;
	struct words w = { .len = 0 };
	struct found found;
	const struct cause *first = causes_first(&d->causes, &found);

	count(&w, s->messages, "message", "messages");
	count(&w, s->commands, "command", "commands");
	count(&w, s->apdus, "APDU", "APDUs");
	count(&w, s->failed, "failure", "failures");
	count(&w, s->timeouts, "time-out", "time-outs");
	count(&w, s->extensions, "request for more time", "requests for more time");
	count(&w, s->retries, "repetition", "repetitions");
	out_print(d->out, "%s%s.", d->brief ? "" : "\n", w.text);
	if (s->slowest_us) {
		w = (struct words){ .len = 0 };
		words_time(&w, s->slowest_us);
		out_print(d->out, " The longest wait was %s, in %s %lu.", w.text, traffic_place(d->traffic),
			  s->slowest_place);
	}
	out_print(d->out, "\n");
	if (first && !d->brief)
		out_print(d->out, "The cause: %s.\n", first->title);
}

const struct view view_text = { begin, row, apdu, end };
