/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* openccid adopt: make a reader work that is not in the list. */
#include "tool/bundles.h"
#include "tool/local_bundle.h"
#include "tool/options.h"
#include "tool/pcsc.h"
#include "tool/source.h"
#include "tool/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CLASS_SMART_CARD = 0x0B, VERIFY_S = 10 };

/* What was asked for, and what came of it. */
struct adoption {
	struct tool *tool;
	struct local_bundle bundle;
	bool restart; /* pcscd, when anything has changed */
	size_t changed;
	bool trouble; /* something that was asked for by name could not be done */
};

/* ---- pcscd ------------------------------------------------------------------------------------------------------- */

/* It looks for bundles only when it starts. OPENCCID_RESTART is for systems without systemd. */
static bool restart_pcscd(void)
{
	const char *command = getenv("OPENCCID_RESTART");

	if (!command && access("/run/systemd/system", F_OK) < 0)
		return false;
	/* NOLINTNEXTLINE(cert-env33-c): a fixed one, or that of who runs us */
	return system(command ? command : "systemctl try-restart pcscd.service") == 0;
}

static const struct pcsc_slot *wait_for(const struct view *view, struct pcsc_view *pcsc)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	const struct pcsc_slot *slot = NULL;

	for (unsigned tries = 0; !slot && tries < VERIFY_S * 5; tries++) {
		if (tries)
			nanosleep(&pause, NULL);
		pcsc_look(pcsc, true);
		slot = pcsc_slot_of(pcsc, view->info.bus, view->info.address, 0);
	}
	return slot;
}

/* Does pcscd have it now? */
static void verify(struct adoption *a, const struct view *view)
{
	struct out *out = &a->tool->out;
	struct pcsc_view pcsc;
	const struct pcsc_slot *slot = wait_for(view, &pcsc);

	if (slot) {
		out_print(out, "It works: programs see it as \"");
		out_foreign(out, slot->name, strlen(slot->name));
		out_print(out, "\".\n");
		return;
	}
	a->trouble = true;
	out_print(out, "pcscd has not taken it yet. \"openccid doctor %04x:%04x\" says why.\n",
		  view->info.vid, view->info.pid);
}

/* Returns whether it was started anew. */
static bool tell_pcscd(struct adoption *a)
{
	if (a->restart && restart_pcscd())
		return true;
	out_print(&a->tool->out, "pcscd knows it when it is started the next time.\n");
	return false;
}

/* ---- one reader -------------------------------------------------------------------------------------------------- */

/* Why it cannot be adopted; NULL if it can. */
static const char *objection(const struct view *view)
{
	if (view->known && (view->known->flags & QUIRK_OFFERED))
		return "it is in the list of readers: pcscd knows it already";
	if (view->known)
		return "it is known not to work";
	if (view->err != OC_OK)
		return "what it says of itself makes no sense; \"openccid describe\" says more";
	if (view->info.class != CLASS_SMART_CARD)
		return "it is of no class of readers";
	return NULL;
}

static void adopt(struct adoption *a, const struct view *view, bool by_name)
{
	char text[USB_STRING_MAX * 2];
	const char *why = objection(view);
	const char *name = view_name(view, text);

	if (why && by_name) {
		a->trouble = !(view->known && (view->known->flags & QUIRK_OFFERED));
		out_print(&a->tool->out, "%04x:%04x: %s.\n", view->info.vid, view->info.pid, why);
	}
	if (why)
		return;
	if (!local_bundle_add(&a->bundle, view->info.vid, view->info.pid, name)) {
		if (by_name)
			out_print(&a->tool->out, "%04x:%04x is adopted already.\n", view->info.vid,
				  view->info.pid);
		return;
	}
	a->changed++;
	out_print(&a->tool->out, "Adopted %04x:%04x ", view->info.vid, view->info.pid);
	out_foreign(&a->tool->out, name, strlen(name));
	out_print(&a->tool->out, ".\n");
}

/* ---- the verb ---------------------------------------------------------------------------------------------------- */

static bool driver_is_installed(void)
{
	char path[BUNDLES_PATH + 64];

	snprintf(path, sizeof path, "%s/openccid.bundle/Contents/Linux/libopenccid.so", bundles_folder());
	return access(path, R_OK) == 0;
}

static enum tool_exit finish(struct adoption *a, const struct views *views, const char *words)
{
	enum tool_exit exit = a->changed ? local_bundle_write(a->tool, &a->bundle) : TOOL_FINE;

	if (exit != TOOL_FINE)
		return exit;
	if (!a->changed || !tell_pcscd(a))
		return a->trouble ? TOOL_FINDING : TOOL_FINE;
	for (size_t i = 0; i < views->count; i++)
		if ((!words || view_is(&views->at[i], words)) && !objection(&views->at[i]))
			verify(a, &views->at[i]);
	return a->trouble ? TOOL_FINDING : TOOL_FINE;
}

static bool is_meant(const struct views *views, const char *words)
{
	for (size_t i = 0; i < views->count; i++)
		if (view_is(&views->at[i], words))
			return true;
	return false;
}

static enum tool_exit adopt_some(struct adoption *a, const struct views *views, const char *words)
{
	if (words && !is_meant(views, words))
		return tool_complain(a->tool, TOOL_CANNOT,
				     "no smart-card reader that \"%s\" could mean is plugged in; \"openccid "
				     "list\" shows all",
				     words);
	if (!driver_is_installed())
		return tool_complain(a->tool, TOOL_CANNOT, "the driver is not installed in %s",
				     bundles_folder());
	for (size_t i = 0; i < views->count; i++)
		if (!words || view_is(&views->at[i], words))
			adopt(a, &views->at[i], words != NULL);
	return finish(a, views, words);
}

static enum tool_exit undo(struct adoption *a, const struct views *views, const char *words)
{
	const struct views none = { 0 };
	uint16_t vid = 0, pid = 0;

	/* It need not be plugged in any more. */
	if (words && !source_ids(words, &vid, &pid))
		for (size_t i = 0; i < views->count && !vid; i++)
			if (view_is(&views->at[i], words)) {
				vid = views->at[i].info.vid;
				pid = views->at[i].info.pid;
			}
	if (!words) {
		a->changed = a->bundle.count;
		a->bundle.count = 0;
	} else if (local_bundle_remove(&a->bundle, vid, pid)) {
		a->changed = 1;
	}
	if (!a->changed)
		return tool_complain(a->tool, TOOL_CANNOT, "%s",
				     words ? "that reader was not adopted" : "no reader was adopted");
	out_print(&a->tool->out, "Given up: %zu reader%s.\n", a->changed, a->changed == 1 ? "" : "s");
	return finish(a, &none, NULL);
}

enum tool_exit verb_adopt(struct tool *tool, int argc, char **argv)
{
	bool all = false, back = false, no_restart = false;
	const struct option_row rows[] = {
		{ .name = "all",
		  .letter = 'a',
		  .help = "every attached reader that is not in the list",
		  .flag = &all },
		{ .name = "undo", .letter = 'u', .help = "take it back; with --all, for all", .flag = &back },
		{ .name = "no-restart",
		  .help = "leave pcscd alone; it knows the reader when it starts",
		  .flag = &no_restart },
		{ .name = NULL },
	};
	const enum options_end end = options_parse(tool, rows, (struct operands){ 0, 1 }, &argc, argv);
	struct adoption *a;
	struct views views;
	enum tool_exit exit;

	if (end != OPTIONS_GO_ON)
		return options_exit(end);
	if (all == (argc == 1))
		return tool_complain(tool, TOOL_USAGE, "say which reader, or --all, and not both");
	a = calloc(1, sizeof *a);
	if (!a)
		return tool_complain(tool, TOOL_CANNOT, "there is no memory left");
	a->tool = tool;
	a->restart = !no_restart;
	views_find(&views);
	local_bundle_read(&a->bundle);
	exit = back ? undo(a, &views, argc ? argv[0] : NULL) : adopt_some(a, &views, argc ? argv[0] : NULL);
	views_free(&views);
	free(a);
	return exit;
}
