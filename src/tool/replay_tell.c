/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/replaying.h"

#include "ccid/redact.h"
#include "ccid/status.h"
#include "tool/decode.h"

#include <string.h>

static void words_action(const struct replaying *r, struct words *w, const struct capture_step *step)
{
	struct redact_apdu fresh = { 0 };
	size_t shown = step->bytes.len;

	words_add(w, "%s", capture_action_word(step->action));
	if (step->action == CAPTURE_PROTOCOL)
		words_add(w, " T=%u", step->number);
	if (step->action != CAPTURE_TRANSMIT)
		return;
	if (!r->secrets)
		shown = redact_command(&fresh, step->bytes.value, step->bytes.len);
	words_add(w, " ");
	for (size_t i = 0; i < step->bytes.len && i < 24; i++)
		words_add(w, i < shown ? "%02X " : "** ", step->bytes.value[i]);
	words_add(w, "(");
	words_command(w, step->bytes.value, step->bytes.len, shown);
	words_add(w, ")");
}

static void words_result(struct words *w, const struct capture_step *step, const struct result *res)
{
	if (res->err != OC_OK) {
		words_add(w, "%s", oc_strerr(res->err));
		return;
	}
	switch (step->action) {
	case CAPTURE_POWER_UP: words_atr(w, res->bytes, res->len); break;
	case CAPTURE_TRANSMIT:
	case CAPTURE_VERIFY:
	case CAPTURE_MODIFY: words_status(w, res->bytes, res->len); break;
	case CAPTURE_PRESENCE:
		words_add(w, res->end == CAPTURE_END_PRESENT ? "a card is there" : "no card");
		break;
	case CAPTURE_WAIT_EVENT:
		words_add(w, res->end == CAPTURE_END_EVENT ? "it wakes" : "it sleeps on");
		break;
	case CAPTURE_OPEN:
	case CAPTURE_POWER_DOWN:
	case CAPTURE_PROTOCOL:
	case CAPTURE_ESCAPE: words_add(w, "done"); break;
	}
}

/* How the captured driver fared: what the last answer to it said. */
static void words_captured(const struct replaying *r, struct words *w, const struct plan_action *a)
{
	const struct plan *p = r->plan;
	struct ccid_reply reply;

	for (size_t i = a->end; i > a->first; i--) {
		const struct plan_item *item = &p->item[i - 1];

		if (item->kind == EVENT_TIMEOUT) {
			words_add(w, "no answer");
			return;
		}
		if (item->kind != EVENT_IN || ccid_decode_reply(item->bytes, item->len, &reply) != OC_OK)
			continue;
		if (ccid_command_status_of(reply.status) == CCID_FAILED)
			words_add(w, "failed, %02Xh %s", reply.error, ccid_error_info(reply.error)->name);
		else
			words_add(w, "answered");
		return;
	}
	words_add(w, "nothing is captured of it");
}

/* The same for people: only what differs or fails, unless all is asked for. */
static void text_action(struct replaying *r, const struct plan_action *a, const struct replay_told *t)
{
	const struct whatif *w = &r->whatif;
	struct words count = { .len = 0 };

	if (!t->differs && t->good && !r->verbose && !a->made)
		return;
	if (w->made)
		words_add(&count, "%u message%s more", w->made, w->made == 1 ? "" : "s");
	if (w->skipped)
		words_add(&count, "%s%u of the captured ones not sent", w->made ? ", " : "", w->skipped);
	if (a->made)
		out_print(r->out, "What pcscd does next: ");
	else
		out_print(r->out, "%s %lu: ", traffic_place(r->file.traffic), a->place);
	out_styled(r->out, OUT_STRONG, "%s\n", t->what.text);
	if (!a->made)
		out_print(r->out, "  then: %s\n", t->then.text);
	out_print(r->out, "  now:  ");
	out_styled(r->out, t->good ? OUT_GOOD : OUT_BAD, "%s", t->now.text);
	if (t->differs)
		out_print(r->out, " (%s)", count.text);
	out_print(r->out, "\n");
}

static void text_end(struct replaying *r)
{
	if (!r->different && !r->unreached)
		out_print(r->out, "Today's driver does the same as the captured one.\n");
	if (r->bad) {
		out_styled(r->out, OUT_BAD, "It does not end well");
		out_print(r->out, ": %s.\n", r->last);
	} else {
		out_styled(r->out, OUT_GOOD, "It ends well");
		out_print(r->out, "%s.\n", r->failed ? ", after a failure that was told" : "");
	}
	if (r->saved) {
		out_print(r->out, "Saved as ");
		out_foreign(r->out, r->saved, strlen(r->saved));
		out_print(r->out, ". Say in it what it shows, and why the driver differs; take PINs out.\n");
	}
}

static void text_begin(struct replaying *r)
{
	const struct traffic_reader *t = replaying_reader(r);
	const char *name = decoding_name(t);

	out_styled(r->out, OUT_STRONG, "%s", traffic_form(r->file.traffic));
	out_print(r->out, " of ");
	out_foreign(r->out, name, strlen(name));
	out_print(r->out, ", played against the driver %s\n", OPENCCID_VERSION);
	if (r->made_descriptor)
		out_print(r->out, "The reader is not known: one of a common kind is assumed.\n");
	if (r->plan->atr_made)
		out_print(r->out, "The answer to reset is not in it: one that fits is assumed.\n");
}

const struct replay_view replay_text = { text_begin, text_action, text_end };

void replaying_tell(struct replaying *r, const struct plan_action *a)
{
	struct replay_told t = { .differs = r->whatif.made || r->whatif.skipped,
				 .good = r->performer.result.err == OC_OK };

	r->different += t.differs;
	words_action(r, &t.what, &a->step);
	if (!a->made)
		words_captured(r, &t.then, a);
	words_result(&t.now, &a->step, &r->performer.result);
	r->view->action(r, a, &t);
}
