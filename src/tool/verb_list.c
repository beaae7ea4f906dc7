/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* openccid list: every attached reader. */
#include "quirk/reader_file.h"
#include "tool/ask.h"
#include "tool/json.h"
#include "tool/options.h"
#include "tool/pcsc.h"
#include "tool/view.h"

#include <stdio.h>
#include <string.h>

/* One reader, and what was found out about it besides. */
struct row {
	const struct view *view;
	struct view_holder holder;
	const struct pcsc_view *pcsc;
	struct ask_answer asked; /* where nobody holds it */
};

static unsigned slots_of(const struct row *row)
{
	return row->view->err == OC_OK ? row->view->learned.caps.slots : 1;
}

/* ---- what is said of it ------------------------------------------------------------------------------------------ */

enum { CARD_TEXT = 160 };

/* State of the card in a slot: a word for programs and text for people */
static const char *card_state(const struct row *row, unsigned slot, char text[CARD_TEXT])
{
	const struct pcsc_slot *known =
		pcsc_slot_of(row->pcsc, row->view->info.bus, row->view->info.address, slot);
	size_t used = (size_t)snprintf(text, CARD_TEXT, "a card that answers:");

	if (!known && row->holder.driver != VIEW_FREE) {
		snprintf(text, CARD_TEXT, "%s",
			 row->holder.driver == VIEW_UNKNOWN
				 ? "not known"
				 : "not asked, since somebody else has the reader");
		return "unknown";
	}
	if (!known) {
		snprintf(text, CARD_TEXT, "%s",
			 slot >= row->asked.slots   ? "not known"
			 : row->asked.present[slot] ? "a card is in"
						    : "no card");
		return slot >= row->asked.slots ? "unknown" : row->asked.present[slot] ? "present" : "empty";
	}
	if (!known->present || known->mute) {
		snprintf(text, CARD_TEXT, "%s", known->present ? "a card that does not answer" : "no card");
		return known->present ? "mute" : "empty";
	}
	for (size_t i = 0; i < known->atr_len; i++)
		used += (size_t)snprintf(text + used, CARD_TEXT - used, " %02X", known->atr[i]);
	return "present";
}

static const char *driver_text(const struct view_holder *holder, char *text, size_t cap)
{
	static const char *const words[] = {
		[VIEW_FREE] = "nobody", [VIEW_PCSCD] = "pcscd",         [VIEW_KERNEL] = "the kernel driver ",
		[VIEW_PROCESS] = "",    [VIEW_UNKNOWN] = "not known: ",
	};

	snprintf(text, cap, "%s%s", words[holder->driver], holder->who);
	return text;
}

static const char *list_text(const struct view *view)
{
	if (!view->known)
		return "not in the list: \"openccid adopt\" makes pcscd use it all the same";
	return view->known->flags & QUIRK_OFFERED
		       ? "in the list"
		       : "in the list, and known not to work: pcscd does not get it";
}

/* Call back for each rule of the list that holds for this reader. */
static void each_rule(const struct view *view, void (*take)(void *arg, const struct quirk_rule *rule),
		      void *arg)
{
	for (size_t i = 0; i < quirk_vendors_len; i++)
		for (unsigned r = 0; r < quirk_vendors[i].rules; r++) {
			const struct quirk_rule *rule = &quirk_rules[quirk_vendors[i].first + r];

			if (quirk_vendors[i].vid == view->info.vid && quirk_holds(rule, &view->learned.facts))
				take(arg, rule);
		}
	for (unsigned r = 0; view->known && r < view->known->rules; r++) {
		const struct quirk_rule *rule = &quirk_rules[view->known->first + r];

		if (quirk_holds(rule, &view->learned.facts))
			take(arg, rule);
	}
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

static void line(struct out *out, const char *label, const char *text)
{
	out_styled(out, OUT_FAINT, "  %-10s ", label);
	out_foreign(out, text, strlen(text));
	out_print(out, "\n");
}

static void show_rule(void *arg, const struct quirk_rule *rule)
{
	struct out *out = arg;
	char text[READER_EFFECT_TEXT];

	for (unsigned e = 0; e < rule->effects; e++) {
		reader_effect_text(&rule->effect[e], text);
		if (e == 0)
			out_styled(out, OUT_FAINT, "  %-10s ", "rule");
		out_print(out, "%s%s", e ? ", " : "", text);
	}
	out_print(out, "\n");
	if (rule->why[0])
		line(out, "", rule->why);
}

static void show_level(struct out *out, const struct view *view)
{
	static const char *const levels[] = { "character", "TPDU", "short APDU", "extended APDU" };
	const struct ccid_caps *caps = &view->learned.caps;
	char text[128];

	if (view->err != OC_OK) {
		line(out, "level", "not known: its class descriptor is missing or makes no sense");
		return;
	}
	snprintf(text, sizeof text, "%s, %u slot%s%s%s", levels[caps->level], caps->slots,
		 caps->slots == 1 ? "" : "s", caps->pin_support ? ", keypad" : "",
		 learn_is_iccd(&view->info) ? ", a token (ICCD)" : "");
	line(out, "level", text);
}

static void show_row(struct out *out, const struct row *row)
{
	const struct view *view = row->view;
	char name[USB_STRING_MAX * 2], text[512];
	const char *title = view_name(view, name);

	out_styled(out, OUT_STRONG, "%04x:%04x ", view->info.vid, view->info.pid);
	out_foreign(out, title, strlen(title));
	out_print(out, "\n");
	snprintf(text, sizeof text, "%s, interface %u", view->node, view->info.interface);
	line(out, "at", text);
	snprintf(text, sizeof text, "%x.%02x", view->info.bcd_device >> 8, view->info.bcd_device & 0xFF);
	line(out, "firmware", text);
	show_level(out, view);
	for (unsigned slot = 0; slot < slots_of(row); slot++) {
		char label[24], card[CARD_TEXT];

		card_state(row, slot, card);
		snprintf(label, sizeof label, slots_of(row) > 1 ? "card %u" : "card", slot + 1);
		line(out, label, card);
	}
	line(out, "driven by", driver_text(&row->holder, text, sizeof text));
	line(out, "list", list_text(view));
	each_rule(view, show_rule, out);
	if (view->learned.from[0])
		line(out, "settings", view->learned.from);
	if (quirk_override_leaves(view->override))
		line(out, "left", "to another driver, by 'leave = yes' in the settings");
}

/* ---- for programs ------------------------------------------------------------------------------------------------ */

static void write_rule(void *arg, const struct quirk_rule *rule)
{
	struct json *j = arg;
	char text[READER_EFFECT_TEXT];

	json_open(j, NULL, '{');
	json_open_line(j, "effects", '[');
	for (unsigned e = 0; e < rule->effects; e++) {
		reader_effect_text(&rule->effect[e], text);
		json_text(j, NULL, text);
	}
	json_close(j);
	json_text(j, "why", rule->why);
	json_close(j);
}

static void write_card(struct json *j, const struct row *row, unsigned slot)
{
	const struct pcsc_slot *known =
		pcsc_slot_of(row->pcsc, row->view->info.bus, row->view->info.address, slot);
	char text[CARD_TEXT];

	json_open_line(j, NULL, '{');
	json_number(j, "slot", slot);
	json_text(j, "card", card_state(row, slot, text));
	if (known && known->atr_len)
		json_hex(j, "atr", known->atr, known->atr_len);
	json_close(j);
}

static void write_driver(struct json *j, const struct view_holder *holder)
{
	static const char *const words[] = {
		[VIEW_FREE] = "none",       [VIEW_PCSCD] = "pcscd",     [VIEW_KERNEL] = "kernel",
		[VIEW_PROCESS] = "process", [VIEW_UNKNOWN] = "unknown",
	};

	json_open_line(j, "driver", '{');
	json_text(j, "kind", words[holder->driver]);
	json_text(j, "name", holder->who[0] ? holder->who : NULL);
	json_close(j);
}

static void write_row(struct json *j, const struct row *row)
{
	const struct view *view = row->view;
	char name[USB_STRING_MAX * 2], text[16];

	json_open(j, NULL, '{');
	snprintf(text, sizeof text, "%04x", view->info.vid);
	json_text(j, "vid", text);
	snprintf(text, sizeof text, "%04x", view->info.pid);
	json_text(j, "pid", text);
	json_text(j, "name", view_name(view, name));
	json_text(j, "node", view->node);
	json_number(j, "interface", view->info.interface);
	snprintf(text, sizeof text, "%02x.%02x", view->info.bcd_device >> 8, view->info.bcd_device & 0xFF);
	json_text(j, "firmware", text);
	json_text(j, "level", view->err == OC_OK ? reader_level_word(view->learned.caps.level) : NULL);
	json_bool(j, "token", learn_is_iccd(&view->info));
	json_bool(j, "keypad", view->learned.caps.pin_support != 0);
	json_open(j, "slots", '[');
	for (unsigned slot = 0; slot < slots_of(row); slot++)
		write_card(j, row, slot);
	json_close(j);
	write_driver(j, &row->holder);
	json_bool(j, "listed", view->known != NULL);
	json_bool(j, "offered", view->known && (view->known->flags & QUIRK_OFFERED));
	json_open(j, "rules", '[');
	each_rule(view, write_rule, j);
	json_close(j);
	json_text(j, "settings", view->learned.from[0] ? view->learned.from : NULL);
	json_bool(j, "left", quirk_override_leaves(view->override));
	json_close(j);
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static void fill(struct row *row, const struct view *view, const struct pcsc_view *pcsc)
{
	*row = (struct row){ .view = view, .pcsc = pcsc };
	view_holder_of(view, pcsc_slot_of(pcsc, view->info.bus, view->info.address, 0) != NULL, &row->holder);
	if (row->holder.driver == VIEW_FREE)
		ask_presence(view, &row->asked);
}

static void show_all(struct tool *tool, const struct views *views, const struct pcsc_view *pcsc, bool as_json)
{
	struct json j = json_of(tool->out.stream);
	struct row row;

	if (as_json)
		json_open(&j, NULL, '[');
	for (size_t i = 0; i < views->count; i++) {
		fill(&row, &views->at[i], pcsc);
		if (as_json)
			write_row(&j, &row);
		else
			show_row(&tool->out, &row);
	}
	if (as_json)
		json_close(&j);
	else if (!views->count)
		out_print(&tool->out, "No smart-card reader is plugged in.\n");
}

enum tool_exit verb_list(struct tool *tool, int argc, char **argv)
{
	bool as_json = false;
	const struct option_row rows[] = {
		{ .name = "json", .letter = 'j', .help = "write JSON, for programs", .flag = &as_json },
		{ .name = NULL },
	};
	const enum options_end end = options_parse(tool, rows, (struct operands){ 0, 0 }, &argc, argv);
	struct pcsc_view pcsc;
	struct views views;

	if (end != OPTIONS_GO_ON)
		return options_exit(end);
	views_find(&views);
	pcsc_look(&pcsc, false);
	show_all(tool, &views, &pcsc, as_json);
	views_free(&views);
	return views.no_memory ? tool_complain(tool, TOOL_CANNOT, "there is no memory left") : TOOL_FINE;
}
