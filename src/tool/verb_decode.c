/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* openccid decode: a capture of any form in plain words, for programs, or as a page. It is read twice: the cause stands on top. */
#include "tool/capture_file.h"
#include "tool/decode.h"
#include "tool/options.h"
#include "tool/tool.h"

#include "quirk/quirk.h"

#include <stdlib.h>
#include <string.h>

const char *decoding_name(const struct traffic_reader *reader)
{
	const struct quirk_reader *known = reader->has_id ? quirk_find(reader->vid, reader->pid) : NULL;

	if (known)
		return quirk_name(known);
	return reader->name[0] ? reader->name : "a reader";
}

bool told_is_message(const struct told *told)
{
	return (told->event->kind == EVENT_OUT || told->event->kind == EVENT_IN) &&
	       told->event->len >= CCID_HEADER_LEN;
}

const uint8_t *told_payload(const struct told *told, size_t *len, size_t *shown)
{
	const size_t skip = told_is_message(told) ? CCID_HEADER_LEN : 0;

	*len = told->event->len - skip;
	*shown = told->shown > skip ? told->shown - skip : 0;
	return *len ? told->event->bytes + skip : NULL;
}

static void on_ended(void *arg, const struct exchange *x)
{
	struct decoding *d = arg;

	causes_take(&d->causes, x);
}

/* Once for the causes, once to show it. */
static bool decode(struct decoding *d, const struct view *view)
{
	const struct story_sink looks = { .ended = on_ended, .arg = d };
	const struct story_sink shows = { .row = view->row, .apdu = view->apdu, .arg = d };
	struct story *story = malloc(sizeof *story);

	if (!story)
		return false;
	d->causes.story = story;
	story_begin(story, decoding_reader(d), d->secrets, &looks);
	traffic_play(d->traffic, d->index, story_event, story);
	story_end(story);
	d->summary = story->summary;
	view->begin(d);
	if (!d->brief) {
		story_begin(story, decoding_reader(d), d->secrets, &shows);
		traffic_play(d->traffic, d->index, story_event, story);
		story_end(story);
	}
	view->end(d);
	free(story);
	return true;
}

enum tool_exit verb_decode(struct tool *tool, int argc, char **argv)
{
	struct decoding d = { .out = &tool->out };
	struct capture_file file = { .tool = tool };
	const char *reader = NULL;
	bool json = false, html = false;
	struct found found;
	const struct option_row rows[] = {
		{ .name = "json", .letter = 'j', .help = "for programs", .flag = &json },
		{ .name = "html", .help = "as one page for a browser", .flag = &html },
		{ .name = "brief",
		  .letter = 'b',
		  .help = "only the cause and the summary",
		  .flag = &d.brief },
		{ .name = "reader",
		  .letter = 'r',
		  .help = "which one, by number, vid:pid or a part of its name",
		  .word = "R",
		  .argument = &reader },
		{ .name = "secrets",
		  .help = "show PINs and everything else that may be one",
		  .flag = &d.secrets },
		{ .name = NULL },
	};
	const enum options_end end = options_parse(tool, rows, (struct operands){ 1, 1 }, &argc, argv);
	bool good;

	if (end != OPTIONS_GO_ON)
		return options_exit(end);
	if (json && html)
		return tool_complain(tool, TOOL_USAGE, "--json and --html exclude each other");
	if (!capture_file_open(&file, argv[0], reader))
		return file.exit;
	d.file = argv[0];
	d.traffic = file.traffic;
	d.index = file.index;
	good = decode(&d, html ? &view_html : json ? &view_json : &view_text);
	traffic_close(file.traffic);
	if (!good)
		return tool_complain(tool, TOOL_CANNOT, "there is not enough memory");
	return file.ended || causes_first(&d.causes, &found) ? TOOL_FINDING : TOOL_FINE;
}
