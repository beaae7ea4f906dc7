/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* openccid describe: what a reader says of itself, what is wrong with that, and what the driver does because of it. */
#include "tool/describe.h"
#include "tool/options.h"
#include "tool/source.h"

#include <stdio.h>
#include <string.h>

static bool is_readable(const struct view *view)
{
	return view->learned.descriptor.bDescriptorType != 0;
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

static void show_title(struct out *out, const struct view *view)
{
	const struct usb_info *info = &view->info;
	char text[USB_STRING_MAX * 2];
	const char *name = view_name(view, text);

	if (info->vid) {
		out_styled(out, OUT_STRONG, "%04x:%04x ", info->vid, info->pid);
		out_foreign(out, name, strlen(name));
		out_print(out, ", firmware %x.%02x, interface %u\n", info->bcd_device >> 8,
			  info->bcd_device & 0xFF, info->interface);
	} else {
		out_styled(out, OUT_STRONG, "A class descriptor without its device\n");
	}
}

static void show_fields(struct out *out, const struct view *view)
{
	struct field field[FIELDS];
	const size_t count = is_readable(view) ? describe_fields(&view->learned.descriptor, field) : 0;

	if (count)
		out_print(out, "\nIt says:\n");
	for (size_t i = 0; i < count; i++) {
		out_print(out, "  %-23s %s", field[i].name, field[i].value);
		if (field[i].words[0])
			out_styled(out, OUT_FAINT, "%*s %s", 10 - (int)strlen(field[i].value), "",
				   field[i].words);
		out_print(out, "\n");
	}
}

static void show_wrong(struct out *out, const struct view *view)
{
	const struct check *check = describe_wrong(view, NULL);

	out_print(out, "\nAgainst the specification (CCID rev 1.1):\n");
	if (!check)
		out_styled(out, OUT_GOOD, "  nothing is wrong\n");
	for (; check; check = describe_wrong(view, check)) {
		out_styled(out, check->unusable ? OUT_BAD : OUT_WARNING, "  %s", check->wrong);
		out_print(out, "%s%s%s;\n    %s\n", check->clause ? " (" : "",
			  check->clause ? check->clause : "", check->clause ? ")" : "", check->then);
	}
}

static void show_plan(struct out *out, const struct view *view)
{
	struct plan plan[PLANS];
	const size_t count = view->err == OC_OK ? describe_plan(view, plan) : 0;

	out_print(out, "\nThe driver:\n");
	for (size_t i = 0; i < count; i++)
		out_print(out, "  %-10s %s\n", plan[i].what, plan[i].text);
	if (!count)
		out_styled(out, OUT_BAD, "  cannot use it\n");
	else if (view->learned.caps.fixed_in)
		out_styled(out, OUT_WARNING,
			   "  this firmware has a known fault: %s; %x.%02x and later have not\n",
			   view->learned.caps.fault ? view->learned.caps.fault : "",
			   view->learned.caps.fixed_in >> 8, view->learned.caps.fixed_in & 0xFF);
}

static void show_list(struct out *out, const struct view *view)
{
	char file[64];

	if (view->known) {
		out_print(out, "\nIt is in the list of readers%s.\n",
			  view->known->flags & QUIRK_OFFERED ? "" : ", as one that does not work");
		return;
	}
	describe_file_name(view, file, sizeof file);
	out_print(out,
		  "\nIt is not in the list of readers. This goes into readers/%s, please send it to the "
		  "project:\n\n",
		  view->info.vid ? file : "VID-VENDOR.reader");
	describe_section(view, out);
}

static void show(struct out *out, const struct view *view)
{
	show_title(out, view);
	show_fields(out, view);
	show_wrong(out, view);
	show_plan(out, view);
	if (is_readable(view))
		show_list(out, view);
}

/* ---- for programs ------------------------------------------------------------------------------------------------ */

static void write_fields(struct json *j, const struct view *view)
{
	struct field field[FIELDS];
	const size_t count = is_readable(view) ? describe_fields(&view->learned.descriptor, field) : 0;

	json_open(j, "fields", '{');
	for (size_t i = 0; i < count; i++)
		json_number(j, field[i].name, field[i].number);
	json_close(j);
}

static void write_wrong(struct json *j, const struct view *view)
{
	json_open(j, "wrong", '[');
	for (const struct check *c = describe_wrong(view, NULL); c; c = describe_wrong(view, c)) {
		json_open(j, NULL, '{');
		json_text(j, "what", c->wrong);
		json_text(j, "driver", c->then);
		json_bool(j, "usable", !c->unusable);
		json_close(j);
	}
	json_close(j);
}

static void write_plan(struct json *j, const struct view *view)
{
	struct plan plan[PLANS];
	const size_t count = view->err == OC_OK ? describe_plan(view, plan) : 0;

	json_open(j, "driver", '{');
	for (size_t i = 0; i < count; i++)
		json_text(j, plan[i].what, plan[i].text);
	json_close(j);
}

static void write(struct json *j, const struct view *view)
{
	char text[16];

	json_open(j, NULL, '{');
	snprintf(text, sizeof text, "%04x:%04x", view->info.vid, view->info.pid);
	json_text(j, "ids", view->info.vid ? text : NULL);
	snprintf(text, sizeof text, "%02x.%02x", view->info.bcd_device >> 8, view->info.bcd_device & 0xFF);
	json_text(j, "firmware", view->info.vid ? text : NULL);
	json_number(j, "interface", view->info.interface);
	json_bool(j, "listed", view->known != NULL);
	json_bool(j, "usable", view->err == OC_OK);
	write_fields(j, view);
	write_wrong(j, view);
	write_plan(j, view);
	json_close(j);
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static enum tool_exit verdict(const struct views *views)
{
	for (size_t i = 0; i < views->count; i++)
		if (describe_wrong(&views->at[i], NULL))
			return TOOL_FINDING;
	return TOOL_FINE;
}

static void show_all(struct tool *tool, const struct views *views, bool as_json, bool section)
{
	struct json j = json_of(tool->out.stream);

	if (as_json)
		json_open(&j, NULL, '[');
	for (size_t i = 0; i < views->count; i++) {
		if (i && !as_json)
			out_print(&tool->out, "\n");
		if (as_json)
			write(&j, &views->at[i]);
		else if (section)
			describe_section(&views->at[i], &tool->out);
		else
			show(&tool->out, &views->at[i]);
	}
	if (as_json)
		json_close(&j);
}

enum tool_exit verb_describe(struct tool *tool, int argc, char **argv)
{
	bool as_json = false, section = false;
	const struct option_row rows[] = {
		{ .name = "json", .letter = 'j', .help = "write JSON, for programs", .flag = &as_json },
		{ .name = "section",
		  .letter = 's',
		  .help = "write its section for readers/, and nothing else",
		  .flag = &section },
		{ .name = NULL },
	};
	const enum options_end end = options_parse(tool, rows, (struct operands){ 0, 1 }, &argc, argv);
	struct views views;
	enum tool_exit exit;

	if (end != OPTIONS_GO_ON)
		return options_exit(end);
	exit = source_find(tool, argc ? argv[0] : NULL, &views);
	if (exit == TOOL_FINE) {
		show_all(tool, &views, as_json, section);
		exit = verdict(&views);
	}
	views_free(&views);
	return exit;
}
