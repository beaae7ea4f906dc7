/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/player.h"

#include "replay/replay.h"
#include "replay/replay_text.h"
#include "tool/perform.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct player {
	const struct capture *capture;
	struct replay *replay;
	struct verdict *verdict;
	struct performer performer;
};

void fault(struct verdict *verdict, const char *file, unsigned line, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!verdict->good)
		return;
	verdict->good = false;
	n = snprintf(verdict->why, sizeof verdict->why, "%s:%u: ", file, line);
	if (n < 0 || (size_t)n >= sizeof verdict->why)
		return;
	va_start(ap, fmt);
	vsnprintf(verdict->why + n, sizeof verdict->why - (size_t)n, fmt, ap);
	va_end(ap);
}

#define FAULT(p, line, ...) fault((p)->verdict, (p)->capture->file, (line), __VA_ARGS__)

static void on_fault(void *arg, const struct capture_step *step, const char *sentence)
{
	struct player *p = arg;

	FAULT(p, step->line, "%s", sentence);
}

/* ---- ends -------------------------------------------------------------------------------------------------------- */

static const char *end_word(enum capture_end end)
{
	static const char *const words[] = { "no more", "bytes", "absent", "present", "quiet", "event" };

	return words[end];
}

static void compare(struct player *p, const struct capture_step *expect)
{
	const struct result *r = &p->performer.result;
	size_t at;

	if (r->err != expect->result) {
		FAULT(p, expect->line, "expected %s, but the driver returned %s (%s)",
		      capture_result_word(expect->result), capture_result_word(r->err), oc_strerr(r->err));
		return;
	}
	if (r->err != OC_OK)
		return;
	if (r->end != expect->end) {
		FAULT(p, expect->line, "expected \"%s\", but it was \"%s\"", end_word(expect->end),
		      end_word(r->end));
		return;
	}
	if (r->end != CAPTURE_END_BYTES)
		return;
	at = replay_difference(&expect->bytes, r->bytes, r->len, SIZE_MAX);
	if (at < r->len || at < expect->bytes.len)
		FAULT(p, expect->line,
		      "expected %zu bytes, the driver returned %zu; they differ from byte %zu on",
		      expect->bytes.len, r->len, at + 1);
}

/* ---- one capture ------------------------------------------------------------------------------------------------- */

/* The state that the fragment begins in; nothing of it is evidence. */
static void prepare(struct player *p)
{
	for (unsigned i = 0; i < p->capture->befores && p->verdict->good; i++) {
		const struct capture_step *step = &p->capture->before[i];

		replay_before(p->replay, step);
		perform(&p->performer, step);
		/* A deviation says more than that; leave() tells it. */
		if (replay_deviated(p->replay))
			return;
		if (p->performer.result.err != OC_OK)
			FAULT(p, step->line, "the state before the capture was not reached: %s",
			      oc_strerr(p->performer.result.err));
	}
}

static void perform_all(struct player *p)
{
	const struct capture_step *step;

	while (p->verdict->good && (step = replay_begin(p->replay))) {
		const struct capture_step *expect;

		perform(&p->performer, step);
		expect = replay_end(p->replay);
		if (expect)
			compare(p, expect);
		else if (!replay_failure(p->replay))
			FAULT(p, step->line, "this action has no end");
		else
			return;
	}
}

static void leave(struct player *p)
{
	struct transport *t = replay_transport(p->replay);
	const char *failure;

	replay_leave(p->replay);
	if (p->performer.reader)
		reader_close(p->performer.reader);
	else
		t->ops->close(t);
	failure = replay_failure(p->replay);
	if (failure && p->verdict->good) {
		p->verdict->good = false;
		snprintf(p->verdict->why, sizeof p->verdict->why, "%s", failure);
	}
}

static void run(struct player *p)
{
	uint64_t began;

	prepare(p);
	began = replay_now(p->replay);
	perform_all(p);
	p->verdict->ms = replay_now(p->replay) - began;
	if (p->verdict->ms > p->capture->within_ms)
		FAULT(p, 0, "it took %llu ms on the replay's clock; the capture allows %u",
		      (unsigned long long)p->verdict->ms, p->capture->within_ms);
	leave(p);
}

void play(const struct capture *capture, const struct identity *identity, const struct oc_log *log,
	  struct verdict *verdict)
{
	struct player *p = calloc(1, sizeof *p);

	*verdict = (struct verdict){ .good = true };
	if (p)
		p->replay = replay_new(capture);
	if (!p || !p->replay) {
		fault(verdict, capture->file, 0, "there is not enough memory");
		free(p);
		return;
	}
	p->capture = capture;
	p->verdict = verdict;
	p->performer.fault = on_fault;
	p->performer.arg = p;
	p->performer.setup = (struct reader_setup){
		.transport = replay_transport(p->replay),
		.log = log,
		.caps = identity->caps,
		.interface = identity->interface,
		.interrupt = identity->interrupt,
	};
	run(p);
	replay_free(p->replay);
	free(p);
}
