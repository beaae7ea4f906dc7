/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* openccid replay: what today's driver would do with the reader of a capture, and how the story ends then. */
#include "tool/options.h"
#include "tool/replaying.h"

#include <stdlib.h>
#include <string.h>

/* ---- doing ------------------------------------------------------------------------------------------------------- */

static void on_fault(void *arg, const struct capture_step *step, const char *sentence)
{
	struct replaying *r = arg;

	r->failed++;
	tool_complain(r->tool, TOOL_FINDING, "%s %u: a fault of the driver: %s",
		      traffic_place(r->file.traffic), step->line, sentence);
}

static bool matters(enum capture_action action)
{
	return action != CAPTURE_WAIT_EVENT && action != CAPTURE_PRESENCE && action != CAPTURE_POWER_DOWN;
}

static void judge(struct replaying *r, const struct plan_action *a)
{
	const struct result *res = &r->performer.result;
	struct words w = { .len = 0 };

	if (!matters(a->step.action) && res->err == OC_OK)
		return;
	r->bad = res->err != OC_OK;
	if (!r->bad)
		return;
	r->failed++;
	words_add(&w, "%s: %s", capture_action_word(a->step.action), oc_strerr(res->err));
	snprintf(r->last, sizeof r->last, "%s", w.text);
}

static void do_action(struct replaying *r, const struct plan_action *a)
{
	if (a->step.action == CAPTURE_WAIT_EVENT && !r->identity.interrupt)
		return;
	if ((a->step.action == CAPTURE_OPEN) == (r->performer.reader != NULL))
		return;
	replaying_put_do(r, &a->step);
	whatif_action(&r->whatif, a, r->script);
	perform(&r->performer, &a->step);
	whatif_end(&r->whatif);
	replaying_put_expect(r);
	replaying_tell(r, a);
	judge(r, a);
}

static bool lost_card(const struct replaying *r)
{
	const enum oc_err err = r->performer.result.err;

	return err == OC_E_UNPOWERED;
}

/* A program that is told that the card was reset connects again. */
static void connect_again(struct replaying *r)
{
	struct plan_action a = { .step = { .kind = CAPTURE_DO, .action = CAPTURE_POWER_UP }, .made = true };
	struct atr atr;

	if (atr_decode(r->plan->atr, r->plan->atr_len, &atr) != OC_OK)
		return;
	do_action(r, &a);
	if (r->performer.result.err != OC_OK)
		return;
	a.step.action = CAPTURE_PROTOCOL;
	a.step.number = atr.first_protocol == 1;
	do_action(r, &a);
}

static bool do_before(struct replaying *r)
{
	for (unsigned i = 0; i < r->plan->befores; i++) {
		const struct plan_action *a = &r->plan->before[i];

		whatif_action(&r->whatif, a, NULL);
		perform(&r->performer, &a->step);
		whatif_end(&r->whatif);
		if (r->performer.result.err != OC_OK) {
			r->bad = r->unreached = true;
			snprintf(r->last, sizeof r->last, "the state before the capture was not reached: %s",
				 oc_strerr(r->performer.result.err));
			return false;
		}
	}
	return true;
}

static void do_all(struct replaying *r)
{
	bool again = false;

	for (size_t i = 0; i < r->plan->actions; i++) {
		const struct plan_action *a = &r->plan->action[i];

		do_action(r, a);
		if (again && lost_card(r))
			continue;
		again = lost_card(r) && a->step.action != CAPTURE_POWER_UP;
		if (again)
			connect_again(r);
	}
}

static void leave(struct replaying *r)
{
	whatif_leave(&r->whatif);
	if (r->performer.reader)
		reader_close(r->performer.reader);
}

/* ---- the verb ---------------------------------------------------------------------------------------------------- */

static enum tool_exit prepare(struct replaying *r)
{
	r->plan = plan_new();
	r->script = open_memstream(&r->text, &r->text_len);
	if (!r->plan || !r->script)
		return tool_complain(r->tool, TOOL_CANNOT, "there is not enough memory");
	traffic_play(r->file.traffic, r->file.index, plan_take, r->plan);
	if (r->plan->too_long)
		return tool_complain(r->tool, TOOL_CANNOT,
				     "%s: it has more than %d events; cut out the part that matters",
				     r->file.path, PLAN_ITEMS_MAX);
	if (r->plan->incomplete)
		return tool_complain(r->tool, TOOL_CANNOT,
				     "%s: payloads are missing in it, so that nothing can be compared",
				     r->file.path);
	if (!replaying_find_reader(r))
		return tool_complain(r->tool, TOOL_CANNOT,
				     "%s: the class descriptor of the reader is not usable", r->file.path);
	if (!plan_settle(r->plan, &r->identity.caps))
		return tool_complain(r->tool, TOOL_CANNOT, "there is not enough memory");
	return TOOL_FINE;
}

static enum tool_exit replay(struct replaying *r, const char *path)
{
	enum tool_exit exit = prepare(r);

	if (exit != TOOL_FINE)
		return exit;
	whatif_begin(&r->whatif, r->plan);
	r->performer.fault = on_fault;
	r->performer.arg = r;
	r->performer.setup = (struct reader_setup){
		.transport = &r->whatif.transport,
		.caps = r->identity.caps,
		.interface = r->identity.interface,
		.interrupt = r->identity.interrupt,
	};
	r->view->begin(r);
	if (do_before(r))
		do_all(r);
	leave(r);
	fflush(r->script);
	if (path && !r->unreached)
		exit = replaying_save(r, path);
	r->view->end(r);
	return exit != TOOL_FINE ? exit : r->bad ? TOOL_FINDING : TOOL_FINE;
}

enum tool_exit verb_replay(struct tool *tool, int argc, char **argv)
{
	const char *reader = NULL, *path = NULL;
	bool secrets = false, verbose = false, json = false;
	const struct option_row rows[] = {
		{ .name = "json", .letter = 'j', .help = "for programs", .flag = &json },
		{ .name = "reader",
		  .letter = 'r',
		  .help = "which one, by number, vid:pid or a part of its name",
		  .word = "R",
		  .argument = &reader },
		{ .name = "save",
		  .help = "write it as a trace for tests/traces",
		  .word = "NAME",
		  .argument = &path },
		{ .name = "secrets",
		  .help = "show PINs and everything else that may be one",
		  .flag = &secrets },
		{ .name = "verbose",
		  .letter = 'v',
		  .help = "show what goes as it was captured, too",
		  .flag = &verbose },
		{ .name = NULL },
	};
	const enum options_end end = options_parse(tool, rows, (struct operands){ 1, 1 }, &argc, argv);
	struct replaying *r;
	enum tool_exit exit;

	if (end != OPTIONS_GO_ON)
		return options_exit(end);
	r = calloc(1, sizeof *r);
	if (!r)
		return tool_complain(tool, TOOL_CANNOT, "there is not enough memory");
	r->tool = tool;
	r->out = &tool->out;
	r->secrets = secrets;
	r->verbose = verbose;
	r->view = json ? &replay_json : &replay_text;
	r->file.tool = tool;
	if (capture_file_open(&r->file, argv[0], reader))
		exit = replay(r, path);
	else
		exit = r->file.exit;
	if (r->file.traffic)
		traffic_close(r->file.traffic);
	if (r->plan)
		plan_free(r->plan);
	if (r->script)
		fclose(r->script);
	free(r->text);
	free(r);
	return exit;
}
