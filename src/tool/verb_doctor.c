/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* openccid doctor: why a reader is not usable, and what to do. */
#include "tool/doctor.h"
#include "tool/json.h"
#include "tool/options.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order in which one cause hides the next. */
static const struct examination {
	const char *name;  /* for programs */
	const char *sound; /* what is so where nothing is wrong */
	doctor_check *run;
} examinations[] = {
	{ "descriptor", "what the reader says of itself makes sense", doctor_descriptor },
	{ "listed", "the model is known to work", doctor_listed },
	{ "node", "pcscd may use the reader", doctor_node },
	{ "rules", "the rules for udev are installed", doctor_rules },
	{ "holder", "nobody else has the reader", doctor_holder },
	{ "installed", "pcscd is installed", doctor_installed },
	{ "version", "pcscd is new enough", doctor_version },
	{ "bundle", "the driver is where pcscd looks for it", doctor_bundle },
	{ "ids", "pcscd knows the model", doctor_ids },
	{ "left", "no setting leaves it to another driver", doctor_left },
	{ "rivals", "no other driver comes first", doctor_rivals },
	{ "running", "pcscd runs", doctor_running },
	{ "admitted", "pcscd lets us in", doctor_admitted },
	{ "unit", "systemd lets pcscd use readers", doctor_unit },
	{ "answers", "the reader answers", doctor_answers },
	{ "taken", "pcscd has the reader", doctor_taken },
	{ "firmware", "its firmware has no known fault", doctor_firmware },
	{ "autosuspend", "the reader comes back from sleep", doctor_autosuspend },
	{ "card", "the card is well", doctor_card },
	{ "protocol", "reader and card speak the same protocol", doctor_protocol },
};

enum { EXAMINATIONS = sizeof examinations / sizeof examinations[0] };

struct visit {
	struct tool *tool;
	bool verbose, as_json, with_card;
	struct json json;
	bool ill; /* something was found */
};

/* ---- one reader -------------------------------------------------------------------------------------------------- */

/* Whose pcscd is, or would be: units of today run it as a user of that name, where there is one. */
static uid_t pcscd_user(void)
{
	const char *other = getenv("OPENCCID_PCSCD_USER");
	const struct passwd *user = getpwnam(other ? other : "pcscd");

	return user ? user->pw_uid : 0;
}

static void admit(struct patient *p, const struct view *view, const struct pcsc_view *pcsc, bool with_card)
{
	const struct usb_info *info = &view->info;

	*p = (struct patient){
		.view = view, .pcsc = pcsc, .with_card = with_card, .pcscd_uid = pcscd_user()
	};
	p->slot = pcsc_slot_of(pcsc, info->bus, info->address, 0);
	p->pcscd_runs = pcsc_daemon(&p->pcscd_uid);
	view_holder_of(view, p->slot != NULL, &p->holder);
	bundles_look(&p->bundles, info->vid, info->pid);
	p->asked = view->err == OC_OK && p->holder.driver == VIEW_FREE;
	if (p->asked && with_card)
		ask_card(view, &p->answer);
	else if (p->asked)
		ask_presence(view, &p->answer);
}

static void tell(struct visit *visit, const struct examination *e, enum verdict verdict,
		 const struct finding *f)
{
	struct out *out = &visit->tool->out;

	if (verdict == DOCTOR_FINE && visit->verbose) {
		out_styled(out, OUT_GOOD, "  ok     ");
		out_print(out, "%s", e->sound);
		if (f->cause[0])
			out_print(out, ": %s", f->cause);
		out_print(out, "\n");
	}
	if (verdict == DOCTOR_NOT_ASKED && visit->verbose)
		out_styled(out, OUT_FAINT, "  -      not looked at: %s\n", e->sound);
	if (verdict != DOCTOR_ILL && verdict != DOCTOR_FATAL)
		return;
	out_styled(out, OUT_BAD, "  wrong  ");
	out_foreign(out, f->cause, strlen(f->cause));
	out_styled(out, OUT_STRONG, "\n  do     ");
	out_foreign(out, f->cure, strlen(f->cure));
	out_print(out, "\n");
}

static void write(struct json *j, const struct examination *e, enum verdict verdict, const struct finding *f)
{
	static const char *const words[] = {
		[DOCTOR_FINE] = "fine",
		[DOCTOR_ILL] = "wrong",
		[DOCTOR_NOT_ASKED] = "unknown",
		[DOCTOR_FATAL] = "wrong",
	};

	json_open(j, NULL, '{');
	json_text(j, "check", e->name);
	json_text(j, "result", words[verdict]);
	json_text(j, "cause", f->cause[0] ? f->cause : NULL);
	json_text(j, "cure", f->cure[0] ? f->cure : NULL);
	json_close(j);
}

/* Returns whether anything is wrong. */
static bool examine_all(struct visit *visit, struct patient *p)
{
	enum verdict verdict = DOCTOR_FINE;

	for (size_t i = 0; i < EXAMINATIONS && verdict != DOCTOR_FATAL; i++) {
		struct finding f = { "", "" };

		verdict = examinations[i].run(p, &f);
		p->ill |= verdict == DOCTOR_ILL || verdict == DOCTOR_FATAL;
		if (visit->as_json)
			write(&visit->json, &examinations[i], verdict, &f);
		else
			tell(visit, &examinations[i], verdict, &f);
	}
	return p->ill;
}

static void examine(struct visit *visit, const struct view *view, const struct pcsc_view *pcsc)
{
	struct out *out = &visit->tool->out;
	char text[USB_STRING_MAX * 2], ids[16];
	const char *name = view_name(view, text);
	struct patient patient;
	bool ill;

	admit(&patient, view, pcsc, visit->with_card);
	snprintf(ids, sizeof ids, "%04x:%04x", view->info.vid, view->info.pid);
	if (visit->as_json) {
		json_open(&visit->json, NULL, '{');
		json_text(&visit->json, "ids", ids);
		json_text(&visit->json, "name", name);
		json_open(&visit->json, "checks", '[');
	} else {
		out_styled(out, OUT_STRONG, "%s ", ids);
		out_foreign(out, name, strlen(name));
		out_print(out, "\n");
	}
	ill = examine_all(visit, &patient);
	visit->ill |= ill;
	if (visit->as_json) {
		json_close(&visit->json);
		json_close(&visit->json);
	} else if (!ill) {
		out_styled(out, OUT_GOOD, "  Nothing is wrong: it should work.\n");
	}
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

/* There is no patient. */
static void tell_none(struct visit *visit, const char *words)
{
	const struct examination plugged = { "plugged", "", NULL };
	struct finding f;

	visit->ill = true;
	if (words)
		snprintf(f.cause, sizeof f.cause,
			 "No smart-card reader that \"%.80s\" could mean is plugged in.", words);
	else
		snprintf(f.cause, sizeof f.cause,
			 "No smart-card reader is plugged in, or the computer does not see it, or it is of a "
			 "kind that is not known.");
	snprintf(f.cure, sizeof f.cure,
		 "Plug it in, without a hub and at another place of the computer. \"lsusb\" shows everything "
		 "that is plugged in: if it "
		 "is not there, the reader or its cable is broken.");
	if (visit->as_json) {
		json_open(&visit->json, NULL, '{');
		json_open(&visit->json, "checks", '[');
		write(&visit->json, &plugged, DOCTOR_FATAL, &f);
		json_close(&visit->json);
		json_close(&visit->json);
	} else {
		tell(visit, &plugged, DOCTOR_FATAL, &f);
	}
}

static void examine_each(struct visit *visit, const struct views *views, const char *words)
{
	static struct pcsc_view pcsc; /* too large for the stack */
	size_t examined = 0;

	visit->json = json_of(visit->tool->out.stream);
	if (visit->as_json)
		json_open(&visit->json, NULL, '[');
	pcsc_look(&pcsc, true);
	for (size_t i = 0; i < views->count; i++)
		if (!words || view_is(&views->at[i], words)) {
			examine(visit, &views->at[i], &pcsc);
			examined++;
		}
	if (!examined)
		tell_none(visit, words);
	if (visit->as_json)
		json_close(&visit->json);
}

enum tool_exit verb_doctor(struct tool *tool, int argc, char **argv)
{
	struct visit visit = { .tool = tool };
	const struct option_row rows[] = {
		{ .name = "card",
		  .letter = 'c',
		  .help = "power the card, too, if nobody uses the reader",
		  .flag = &visit.with_card },
		{ .name = "json", .letter = 'j', .help = "write JSON, for programs", .flag = &visit.as_json },
		{ .name = "verbose",
		  .letter = 'v',
		  .help = "show what is in order, too",
		  .flag = &visit.verbose },
		{ .name = NULL },
	};
	const enum options_end end = options_parse(tool, rows, (struct operands){ 0, 1 }, &argc, argv);
	struct views views;

	if (end != OPTIONS_GO_ON)
		return options_exit(end);
	views_find(&views);
	examine_each(&visit, &views, argc ? argv[0] : NULL);
	views_free(&views);
	return visit.ill ? TOOL_FINDING : TOOL_FINE;
}
