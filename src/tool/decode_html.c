/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A capture as one page: the cause on top, then a ladder of host, reader and card over time, waits to scale, APDUs folded. It needs
 * nothing but itself: no script, no picture, no network. Written while it is read; only the messages of one APDU are kept.
 */
#include "tool/decode.h"
#include "tool/page_style.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	BYTES_SHOWN = 64,
	GROUP_MAX = 1 << 20, /* characters of the messages of one APDU; longer ones are not folded */
	WAIT_PIXELS = 240,   /* the longest wait */
	WAIT_MOST = 2 * WAIT_PIXELS,
	WAIT_LEAST = 6, /* shorter ones are not drawn */
};

struct page {
	FILE *group; /* the messages since the last APDU, or whatever else began */
	char *text;
	size_t len;
	bool bad;      /* one of them failed */
	bool overfull; /* the group was written already */
	uint64_t scale_us;
};

static const char *const classes[] = {
	[MOOD_PLAIN] = "plain", [MOOD_GOOD] = "good", [MOOD_ODD] = "odd", [MOOD_BAD] = "bad"
};

/* ---- text that is not ours --------------------------------------------------------------------------------------- */

static void put_text(FILE *f, const char *text)
{
	static const char special[] = "&<>\"'";
	static const char *const named[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
	size_t len = strlen(text);

	while (len > 0) {
		const size_t n = out_character(text, len);
		const char *found = n == 1 ? strchr(special, text[0]) : NULL;

		if (found)
			fputs(named[found - special], f);
		else if (n == 0 || (n == 1 && ((unsigned char)text[0] < 0x20 || text[0] == 0x7F)))
			fputs("&#xFFFD;", f);
		else
			fwrite(text, 1, n, f);
		text += n ? n : 1;
		len -= n ? n : 1;
	}
}

static void put_reader(FILE *f, const struct traffic_reader *r)
{
	put_text(f, decoding_name(r));
	if (r->has_id)
		fprintf(f, " (%04x:%04x)", r->vid, r->pid);
	if (r->has_firmware)
		fprintf(f, ", firmware %x.%02x", r->firmware >> 8, r->firmware & 0xFF);
}

/* ---- the head ---------------------------------------------------------------------------------------------------- */

static void put_cause(struct decoding *d, const char *label, const struct cause *c, const struct found *found)
{
	FILE *f = d->out->stream;

	fprintf(f, "<section class=\"cause %s\"><h2>%s: ", classes[c->mood], label);
	put_text(f, c->title);
	fputs("</h2>\n", f);
	if (c->what[0]) {
		fputs("<p>", f);
		put_text(f, c->what);
		fputs("</p>\n", f);
	}
	if (c->help[0]) {
		fputs("<p><strong>What helps:</strong> ", f);
		put_text(f, c->help);
		fputs("</p>\n", f);
	}
	fprintf(f, "<p><a href=\"#p%lu\">Show it: %s %lu</a>", found->place, traffic_place(d->traffic),
		found->place);
	fprintf(f, found->count > 1 ? ", the first of %lu times</p></section>\n" : "</p></section>\n",
		found->count);
}

static void put_causes(struct decoding *d)
{
	struct found found;
	const struct cause *first = causes_first(&d->causes, &found);
	const struct cause *cause;

	if (first)
		put_cause(d, "The cause", first, &found);
	else
		fputs("<section class=\"cause\"><h2>Nothing is wrong in it</h2></section>\n", d->out->stream);
	for (unsigned n = 0; (cause = causes_get(&d->causes, n, &found)); n++)
		if (cause != first)
			put_cause(d, "Also", cause, &found);
}

static void put_fact(FILE *f, const char *name, const char *value)
{
	fprintf(f, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, value);
}

static void put_count(FILE *f, const char *name, unsigned long count)
{
	char text[24];

	snprintf(text, sizeof text, "%lu", count);
	if (count)
		put_fact(f, name, text);
}

static void put_summary(struct decoding *d)
{
	const struct summary *s = &d->summary;
	FILE *f = d->out->stream;
	struct words w = { .len = 0 };

	fputs("<section><h2 class=\"vh\">Summary</h2><dl>\n", f);
	put_count(f, "messages", s->messages);
	put_count(f, "commands", s->commands);
	put_count(f, "APDUs", s->apdus);
	put_count(f, "failures", s->failed);
	put_count(f, "time-outs", s->timeouts);
	put_count(f, "requests for more time", s->extensions);
	put_count(f, "repetitions", s->retries);
	if (s->slowest_us) {
		words_time(&w, s->slowest_us);
		put_fact(f, "longest wait", w.text);
	}
	if (s->us) {
		w = (struct words){ .len = 0 };
		words_time(&w, s->us);
		put_fact(f, "from first to last", w.text);
	}
	fputs("</dl></section>\n", f);
}

static void put_head(struct decoding *d)
{
	FILE *f = d->out->stream;
	const char *slash = strrchr(d->file, '/');

	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';style-src "
	      "'unsafe-inline'\">\n"
	      "<title>",
	      f);
	put_text(f, decoding_name(decoding_reader(d)));
	fputs(": what it said</title>\n<style>\n", f);
	for (size_t i = 0; page_style[i]; i++)
		fprintf(f, "%s\n", page_style[i]);
	fputs("</style></head><body>\n<header><h1>", f);
	put_reader(f, decoding_reader(d));
	fprintf(f, "</h1>\n<p>%s ", traffic_form(d->traffic));
	put_text(f, slash ? slash + 1 : d->file);
	fprintf(f, ", decoded by openccid%s</p></header>\n<main>\n",
		d->secrets ? ", with everything secret that it holds" : "; what may be secret is left out");
}

static void begin(struct decoding *d)
{
	struct page *p = calloc(1, sizeof *p);
	FILE *f = d->out->stream;

	if (!p)
		abort();
	d->view = p;
	p->scale_us = d->summary.slowest_us ? d->summary.slowest_us : 1;
	put_head(d);
	put_causes(d);
	put_summary(d);
	if (d->brief)
		return;
	fprintf(f,
		"<section><h2>What was said</h2>\n<p class=\"small\">Seconds, and %s. Waits are drawn to "
		"scale; an APDU opens to its messages.</p>\n"
		"<div class=\"heads\" aria-hidden=\"true\"><span></span><span "
		"class=\"names\"><span>host</span><span>reader</span>"
		"<span>card</span></span><span class=\"what\"></span></div>\n<ol>\n",
		strcmp(traffic_place(d->traffic), "line") == 0 ? "lines" : "packets");
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

static FILE *group(struct decoding *d)
{
	struct page *p = d->view;

	if (!p->group && !p->overfull)
		/* gcc-suppress(analyzer-malloc-leak): end_group() closes it */
		p->group = open_memstream(&p->text, &p->len);
	return p->group ? p->group : d->out->stream;
}

/* How long it took, in words and as a bar to the scale of the waits, and when. */
static void put_duration(FILE *f, const struct page *p, const struct told_apdu *apdu)
{
	const uint64_t percent = apdu->wait_us * 100 / p->scale_us;
	struct words took = { .len = 0 }, at = { .len = 0 };

	words_time(&took, apdu->wait_us);
	words_time(&at, apdu->us);
	fprintf(f, " <small>(%s, at %s)</small><i class=\"took\" style=\"width:%u%%\"></i>", took.text,
		at.text, (unsigned)(percent < 100 ? percent : 100));
}

/* Write what was kept, folded under a title where it is an APDU. */
static void end_group(struct decoding *d, const struct told_apdu *apdu)
{
	struct page *p = d->view;
	FILE *f = d->out->stream;

	if (apdu && p->group) {
		fprintf(f, "<li><details class=\"%s\"%s><summary>", classes[apdu->mood],
			p->bad ? " open" : "");
		put_text(f, apdu->words.text);
		if (apdu->timed)
			put_duration(f, p, apdu);
		fprintf(f, " <small>#%lu</small>", apdu->place);
		fputs("</summary><ol>\n", f);
	}
	if (p->group) {
		fclose(p->group);
		fwrite(p->text, 1, p->len, f);
		free(p->text);
	}
	if (apdu && p->group)
		fputs("</ol></details></li>\n", f);
	p->group = NULL;
	p->text = NULL;
	p->bad = p->overfull = false;
}

static void limit_group(struct decoding *d)
{
	struct page *p = d->view;

	if (!p->group)
		return;
	fflush(p->group);
	if (p->len < GROUP_MAX)
		return;
	end_group(d, NULL);
	p->overfull = true;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static const struct {
	enum event_kind kind;
	const char *class, *spoken;
	bool arrow;
} lanes[] = {
	{ EVENT_OUT, "out", "Host to reader: ", true },
	{ EVENT_IN, "in", "Reader to host: ", true },
	{ EVENT_INT, "int", "Reader tells: ", true },
	{ EVENT_CONTROL, "out", "Host to reader, control pipe: ", true },
	{ EVENT_CLEAR_HALT, "out", "Host to reader: ", true },
	{ EVENT_TIMEOUT, "in fail", "", true },
	{ EVENT_STALL, "in fail", "", true },
	{ EVENT_ERROR, "in fail", "", true },
	{ EVENT_GONE, "in fail", "", false },
	{ EVENT_COMMAND, "app", "", false },
	{ EVENT_RESPONSE, "app", "", false },
};

static size_t lane_of(enum event_kind kind)
{
	size_t i = 0;

	while (i + 1 < sizeof lanes / sizeof lanes[0] && lanes[i].kind != kind)
		i++;
	return i;
}

/* Time that passes, as a gap in the lanes. */
static void put_wait(FILE *f, const struct page *p, const struct told *told)
{
	const uint64_t pixels = told->wait_us * WAIT_PIXELS / p->scale_us;
	struct words w = { .len = 0 };

	if (!told->waited || pixels < WAIT_LEAST)
		return;
	words_time(&w, told->wait_us);
	fprintf(f,
		"<li class=\"row wait\"><span></span><span class=\"lanes\" "
		"style=\"height:%upx\"></span><span class=\"what\"><b>%s "
		"pass</b></span></li>\n",
		(unsigned)(pixels < WAIT_MOST ? pixels : WAIT_MOST), w.text);
}

static void put_bytes(FILE *f, const struct decoding *d, const struct told *told)
{
	size_t len, shown;
	const uint8_t *payload = told_payload(told, &len, &shown);
	const size_t most = d->secrets ? len : BYTES_SHOWN;

	if (len == 0)
		return;
	fputs("<code>", f);
	for (size_t i = 0; i < len && i < most; i++)
		fprintf(f, i < shown ? "%s%02X" : "%s**", i ? " " : "", payload[i]);
	if (len > most)
		fprintf(f, " ... (%zu bytes)", len);
	fputs("</code>", f);
}

/* Is this where a cause shows first? */
static enum mood mark_of(const struct decoding *d, const struct told *told)
{
	const struct cause *cause;
	struct found found;
	enum mood mood = told->mood;

	for (unsigned n = 0; (cause = causes_get(&d->causes, n, &found)); n++)
		if (found.place == told->event->place && cause->mood > mood)
			mood = cause->mood;
	return mood;
}

static void put_what(FILE *f, const struct decoding *d, const struct told *told)
{
	struct words after = { .len = 0 };

	fprintf(f, "<span class=\"what\"><span class=\"vh\">%s</span><b>",
		lanes[lane_of(told->event->kind)].spoken);
	put_text(f, told->name);
	fputs("</b>", f);
	if (told_is_message(told))
		fprintf(f, " <small>slot %u, number %02X</small>", told->event->bytes[5],
			told->event->bytes[6]);
	if (told->waited) {
		words_time(&after, told->wait_us);
		fprintf(f, " <small>after %s</small>", after.text);
	}
	if (told->retry)
		fputs(" <span class=\"tag\">once more</span>", f);
	if (told->words.len || told->card.len) {
		fputs(" <span class=\"why\">", f);
		put_text(f, told->words.text);
		fputs(told->words.len && told->card.len ? "; " : "", f);
		put_text(f, told->card.text);
		fputs("</span>", f);
	}
	put_bytes(f, d, told);
	fputs("</span>", f);
}

static void row(void *arg, const struct told *told)
{
	struct decoding *d = arg;
	struct page *p = d->view;
	const struct event *e = told->event;
	const size_t lane = lane_of(e->kind);
	const enum mood mood = mark_of(d, told);
	FILE *f;

	if (told->begins)
		end_group(d, NULL);
	p->bad |= mood == MOOD_BAD;
	f = group(d);
	put_wait(f, p, told);
	fprintf(f, "<li class=\"row %s %s\" id=\"p%lu\"><span class=\"when\">", lanes[lane].class,
		classes[mood], e->place);
	if (e->timed || e->us)
		fprintf(f, "%" PRIu64 ".%06u ", e->us / 1000000, (unsigned)(e->us % 1000000));
	fprintf(f, "<span class=\"vh\">%s </span>#%lu</span><span class=\"lanes\" aria-hidden=\"true\">",
		traffic_place(d->traffic), e->place);
	if (lanes[lane].arrow)
		fprintf(f, "<i%s></i>", told->card.len ? " class=\"card\"" : "");
	fputs("</span>", f);
	put_what(f, d, told);
	fputs("</li>\n", f);
	limit_group(d);
}

static void apdu(void *arg, const struct told_apdu *a)
{
	end_group(arg, a);
}

static void end(struct decoding *d)
{
	end_group(d, NULL);
	if (!d->brief)
		fputs("</ol></section>\n", d->out->stream);
	fputs("</main></body></html>\n", d->out->stream);
	free(d->view);
}

const struct view view_html = { begin, row, apdu, end };
