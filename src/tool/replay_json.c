/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A replay for programs; openccid(1) describes the fields. */
#include "tool/decode.h"
#include "tool/replaying.h"

static void begin(struct replaying *r)
{
	struct json *j = &r->json;

	*j = json_of(r->out->stream);
	json_open(j, NULL, '{');
	json_text(j, "file", r->file.path);
	json_text(j, "form", traffic_form(r->file.traffic));
	json_text(j, "places", traffic_place(r->file.traffic));
	json_text(j, "driver", OPENCCID_VERSION);
	decoding_put_reader(j, "reader", replaying_reader(r));
	json_open_line(j, "assumed", '[');
	if (r->made_descriptor)
		json_text(j, NULL, "descriptor");
	if (r->plan->atr_made)
		json_text(j, NULL, "atr");
	json_close(j);
	json_open(j, "actions", '[');
}

static void action(struct replaying *r, const struct plan_action *a, const struct replay_told *t)
{
	struct json *j = &r->json;

	json_open_line(j, NULL, '{');
	json_text(j, "action", capture_action_word(a->step.action));
	if (a->made)
		json_null(j, "place");
	else
		json_number(j, "place", (int64_t)a->place);
	json_text(j, "words", t->what.text);
	json_text(j, "then", a->made ? NULL : t->then.text);
	json_text(j, "now", t->now.text);
	json_bool(j, "good", t->good);
	json_bool(j, "differs", t->differs);
	json_number(j, "more", r->whatif.made);
	json_number(j, "fewer", r->whatif.skipped);
	json_close(j);
}

static void end(struct replaying *r)
{
	struct json *j = &r->json;

	json_close(j);
	json_number(j, "differences", r->different);
	json_number(j, "failures", r->failed);
	json_bool(j, "ends_well", !r->bad);
	json_text(j, "last_failure", r->last[0] ? r->last : NULL);
	json_text(j, "saved", r->saved);
	json_close(j);
}

const struct replay_view replay_json = { begin, action, end };
