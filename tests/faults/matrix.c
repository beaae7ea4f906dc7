/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every fault at every message of every operation, with a reader that obeys ABORT and with one that stalls it, with an application
 * that simply goes on and with one that starts the card anew. What must hold whatever happens: the operation ends in time, says
 * what went wrong in one of the right words, gives no data but that of the card for this command, and the card has done it once
 * at most; afterwards everything works again.
 */
#include "bench.h"
#include "faults.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FORMS = 8, /* of each case: bit 0 ABORT is stalled, 1 the application goes on, 2 the port cannot be reset */
	SHOWN = 30,         /* cases that are printed when they fail */
	PAIRS_ALL = 100000, /* pairs of faults, drawn by lot */
	PAIRS_SAMPLE = 1500,
	REACH = 12, /* the second one strikes at most so many events behind the first */
	NAME = 240,
};

#define BIT(err) (UINT32_C(1) << (err))

/* The words for each outcome. Where the reader can be brought to do it after all, everything is fine. */
static const uint32_t permitted[] = {
	[NO_HARM] = BIT(OC_OK),
	[BUS] = BIT(OC_OK) | BIT(OC_E_TIMEOUT) | BIT(OC_E_IO) | BIT(OC_E_STALL) | BIT(OC_E_ANSWER) |
		BIT(OC_E_SHORT) | BIT(OC_E_LENGTH) | BIT(OC_E_LIMIT) | BIT(OC_E_CARD),
	[LOST] = BIT(OC_OK) | BIT(OC_E_RESTARTED) | BIT(OC_E_TIMEOUT) | BIT(OC_E_UNPOWERED) | BIT(OC_E_CARD) |
		 BIT(OC_E_MUTE) | BIT(OC_E_REFUSED),
	[LINE] = BIT(OC_OK) | BIT(OC_E_CARD) | BIT(OC_E_MUTE),
	[REFUSED] = BIT(OC_OK) | BIT(OC_E_REFUSED) | BIT(OC_E_MUTE) | BIT(OC_E_CARD) | BIT(OC_E_PROTOCOL),
	[PULLED] = BIT(OC_OK) | BIT(OC_E_NO_CARD) | BIT(OC_E_MUTE) | BIT(OC_E_UNPOWERED),
	[GONE] = BIT(OC_E_GONE),
};

struct trial {
	const struct operation *op;
	struct strike strike[FAULTY_STRIKES];
	unsigned strikes;
	unsigned form;
};

static struct counts {
	unsigned long cases, recovered, gone, wrong, late, twice, other, padded;
} counts;

static struct settings {
	bool all;
	const char *only; /* operations whose names begin so */
	unsigned long show;
	unsigned pairs;
} settings;

static struct bench bench;
static unsigned failures;

/* ---- the log of a case that is shown ---- */

static void print_line(void *arg, enum oc_log_level level, const char *line)
{
	const struct bench *b = arg;

	(void)level;
	printf("  %8llu ms  %s\n", (unsigned long long)b->bus.clock, line);
}

static bool is_shown(void)
{
	return settings.show == counts.cases;
}

static struct oc_log log_of(bool shown)
{
	return (struct oc_log){ .mask = shown ? 15 : 0, .secrets = true, .write = print_line, .arg = &bench };
}

/* ---- what is wrong ---- */

static void put_name(const struct trial *t, char name[NAME])
{
	int at = snprintf(name, NAME, "%s", t->op->name);

	for (unsigned i = 0; i < t->strikes && at < NAME; i++) {
		const struct strike *s = &t->strike[i];

		at += snprintf(name + at, NAME - (size_t)at, "; event %u: %s", s->at, s->fault->name);
		if (fault_variants(s->fault) > 1 && at < NAME)
			at += snprintf(name + at, NAME - (size_t)at, " %02X", s->variant);
	}
	if (at < NAME)
		snprintf(name + at, NAME - (size_t)at, "%s%s%s", t->form & 1 ? "; ABORT is stalled" : "",
			 t->form & 2 ? "; goes on" : "", t->form & 4 ? "; no port reset" : "");
}

static void complain(const struct trial *t, unsigned long *count, const char *what, const char *detail)
{
	char name[NAME];

	++*count;
	if (++failures > SHOWN)
		return;
	put_name(t, name);
	printf("case %lu: %s: %s%s%s\n", counts.cases, name, what, *detail ? ": " : "", detail);
}

static bool any_struck(bool (*is)(const struct fault *fault))
{
	for (unsigned i = 0; i < bench.bus.strikes; i++)
		if (bench.bus.strike[i].struck && is(bench.bus.strike[i].fault))
			return true;
	return false;
}

static bool looks_padded(const struct fault *fault)
{
	return fault->looks_padded;
}

static bool refuses(const struct fault *fault)
{
	return fault->outcome == REFUSED;
}

/* How long it may take: once what is promised, and as much again for a second fault. */
static uint64_t bound(const struct trial *t)
{
	uint64_t ms = t->op->bound_ms;

	for (unsigned i = 0; i < t->strikes; i++) {
		const struct fault *fault = t->strike[i].fault;

		ms += fault->extra_ms + (fault->always ? t->op->more_ms : 0) + (i ? t->op->bound_ms : 0);
	}
	return ms;
}

static uint32_t words(void)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < bench.bus.strikes; i++)
		if (bench.bus.strike[i].struck)
			mask |= permitted[bench.bus.strike[i].fault->outcome];
	/* Of two faults the second one may meet the card being started anew. */
	if (bench.bus.strikes > 1)
		mask |= BIT(OC_E_UNPOWERED) | BIT(OC_E_MUTE);
	return mask ? mask : BIT(OC_OK);
}

static void judge_time(const struct trial *t, uint64_t took)
{
	char detail[64];

	snprintf(detail, sizeof detail, "%llu ms of %llu", (unsigned long long)took,
		 (unsigned long long)bound(t));
	if (bench.bus.runaway)
		complain(t, &counts.late, "it does not end", "");
	else if (took > bound(t))
		complain(t, &counts.late, "over its deadline", detail);
}

static void judge_data(const struct trial *t, enum oc_err err, bool padded)
{
	char detail[64];

	snprintf(detail, sizeof detail, "%zu bytes, %02X %02X .. %02X %02X, done %u times", bench.rx_len,
		 bench.rx[0], bench.rx[1], bench.rx[bench.rx_len >= 2 ? bench.rx_len - 2 : 0],
		 bench.rx[bench.rx_len >= 1 ? bench.rx_len - 1 : 0], bench.executed);
	if (bench.executed > 1)
		complain(t, &counts.twice, "the card has done it twice", detail);
	if (err != OC_OK || !t->op->right || t->op->right(&bench))
		return;
	if (padded)
		counts.padded++;
	else
		complain(t, &counts.wrong, "wrong data", detail);
}

/* The reader has taken a part of a chain, and says that it has not: then there is none for the driver. */
static bool denies(const struct fault *fault)
{
	return fault->outcome == REFUSED && fault->event == EVENT_IN;
}

/* A card that nobody can be sure of must not get the next command before it is started anew. */
static void judge_card(const struct trial *t, enum oc_err err, bool denied)
{
	if (bench.bus.gone || !bench_keeps_card(&bench))
		return;
	if (err == OC_E_TIMEOUT)
		complain(t, &counts.other, "the card is kept after silence", "");
	if (sim_reader_in_chain(bench.bus.reader, 0) && !denied)
		complain(t, &counts.other, "the card is kept in the middle of a chain", "");
}

static void judge(const struct trial *t, enum oc_err err, uint64_t took)
{
	bench.refused = any_struck(refuses);
	judge_time(t, took);
	judge_data(t, err, any_struck(looks_padded));
	if (t->op->tells_nothing || (words() & BIT(err)))
		return;
	complain(t, &counts.other, "the wrong word", oc_strerr(err));
}

/* ---- one case ---- */

/* The application did not notice, and sends the next command. */
static void go_on(const struct trial *t)
{
	const uint64_t began = bench.bus.clock;
	enum oc_err err;

	if (!bench.reader || t->op->from == CLOSED)
		return;
	bench.refused = false;
	err = bench_run(&bench);
	judge_time(t, bench.bus.clock - began);
	judge_data(t, err, false);
}

/* As pcscd does it: look, power, set the protocol, and once more. */
static void recover(const struct trial *t)
{
	const char *why = bench_prepare(&bench);
	const uint64_t began = bench.bus.clock;
	enum oc_err err;

	if (why) {
		complain(t, &counts.other, "it does not recover", why);
		return;
	}
	bench.refused = bench.failed = false;
	err = bench_run(&bench);
	if (err != OC_OK)
		complain(t, &counts.other, "it does not recover", oc_strerr(err));
	else
		counts.recovered++;
	judge_time(t, bench.bus.clock - began);
	judge_data(t, err, false);
}

static void aftermath(const struct trial *t)
{
	if (bench.bus.gone) {
		counts.gone++;
		return;
	}
	if (t->form & 2)
		go_on(t);
	recover(t);
}

static void try(const struct trial *t)
{
	const struct oc_log log = log_of(is_shown());
	const char *why;
	uint64_t began;
	enum oc_err err;
	bool denied;

	bench_begin(&bench, t->op, &log);
	bench.bus.refuse_abort = t->form & 1;
	bench.bus.no_reset = t->form & 4;
	why = bench_prepare(&bench);
	if (why)
		complain(t, &counts.other, "before the fault", why);
	faulty_arm(&bench.bus, t->strike, t->strikes);
	began = bench.bus.clock;
	err = bench_run(&bench);
	judge(t, err, bench.bus.clock - began);
	bench.failed = err != OC_OK;
	/* Where the reader stalls ABORT the second one may come first, and there may be nothing left to be struck. */
	if (t->strikes && !bench.bus.strike[0].struck && !bench.bus.strike[t->strikes - 1].struck)
		complain(t, &counts.other, "the fault did not strike", "");
	denied = any_struck(denies);
	faulty_disarm(&bench.bus);
	judge_card(t, err, denied);
	aftermath(t);
	if (is_shown())
		sim_reader_trace(bench.bus.reader, stdout);
	bench.violations = sim_reader_stats(bench.bus.reader)->violations;
	bench_end(&bench);
	counts.cases++;
}

/* ---- all cases ---- */

/* A fault has up to 256 variants; a sample has those that mean something, and a few others. */
static bool in_sample(const struct fault *fault, unsigned variant)
{
	static const uint8_t some[] = { 0x00, 0x01, 0x05, 0x07, 0x0A, 0x7F, 0x80, 0x81, 0xC0, 0xE0, 0xEF,
					0xF0, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xFB, 0xFD, 0xFE };

	if (settings.all || fault_variants(fault) == 1)
		return true;
	return memchr(some, (int)variant, sizeof some) != NULL;
}

/* Which events there are when nothing goes wrong; how many. */
static unsigned record(const struct operation *op, uint8_t kind[FAULTY_EVENTS])
{
	const struct trial t = { .op = op };

	try(&t);
	if (bench.violations)
		complain(&t, &counts.other, "the driver breaks the rules without a fault", "");
	memcpy(kind, bench.bus.kind, FAULTY_EVENTS);
	return bench.bus.events;
}

static void try_forms(struct trial *t)
{
	const unsigned long number = counts.cases;

	for (t->form = 0; t->form < FORMS; t->form++)
		if (settings.all || t->form == number % FORMS || t->form == 0)
			try(t);
}

static void try_event(const struct operation *op, unsigned event, enum event kind)
{
	struct trial t = { .op = op, .strikes = 1 };

	for (unsigned i = 0; i < faults_len; i++) {
		if (faults[i].event != kind)
			continue;
		for (unsigned v = 0; v < fault_variants(&faults[i]); v++) {
			if (!in_sample(&faults[i], v))
				continue;
			t.strike[0] = (struct strike){ .fault = &faults[i], .variant = v, .at = event };
			try_forms(&t);
		}
	}
}

static uint32_t draw(uint32_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state % below;
}

static struct strike draw_strike(uint32_t *state, unsigned at)
{
	const struct fault *fault = &faults[draw(state, faults_len)];

	return (struct strike){ .fault = fault, .variant = draw(state, fault_variants(fault)), .at = at };
}

/* Two faults: one at an event that there is, the other at what follows from it. */
static void try_pairs(const struct operation *op, const uint8_t *kind, unsigned events, unsigned pairs)
{
	uint32_t state = 2463534242u;
	struct trial t = { .op = op, .strikes = 2 };

	while (pairs--) {
		const unsigned first = draw(&state, events);

		do {
			t.strike[0] = draw_strike(&state, first);
		} while (t.strike[0].fault->event != kind[first]);
		t.strike[1] = draw_strike(&state, first + 1 + draw(&state, REACH));
		t.form = draw(&state, FORMS);
		try(&t);
	}
}

static unsigned try_operation(const struct operation *op)
{
	uint8_t kind[FAULTY_EVENTS];
	const unsigned events = record(op, kind);

	for (unsigned i = 0; i < events && i < FAULTY_EVENTS; i++)
		try_event(op, i, (enum event)kind[i]);
	if (events)
		try_pairs(op, kind, events, settings.pairs / operations_len);
	return events;
}

static bool take_arguments(int argc, char **argv)
{
	settings = (struct settings){ .only = "", .show = ULONG_MAX, .pairs = PAIRS_SAMPLE };
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--all") == 0) {
			settings.all = true;
			settings.pairs = PAIRS_ALL;
		} else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
			settings.only = argv[++i];
		} else if (strcmp(argv[i], "--show") == 0 && i + 1 < argc) {
			settings.show = strtoul(argv[++i], NULL, 10);
		} else {
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	unsigned operations_tried = 0, events = 0;

	if (!take_arguments(argc, argv)) {
		fprintf(stderr, "usage: %s [--all] [--only OPERATION] [--show CASE]\n", argv[0]);
		return 2;
	}
	for (unsigned i = 0; i < operations_len; i++) {
		if (strncmp(operations[i].name, settings.only, strlen(settings.only)) != 0)
			continue;
		operations_tried++;
		events += try_operation(&operations[i]);
	}
	printf("%u operations x %u messages x %u faults = %lu; recovered %lu, unplugged %lu; wrong data %lu; "
	       "over deadline %lu; "
	       "executed twice %lu; otherwise wrong %lu; not to be told from padding %lu\n",
	       operations_tried, events, faults_len, counts.cases, counts.recovered, counts.gone,
	       counts.wrong, counts.late, counts.twice, counts.other, counts.padded);
	return failures || !events || counts.recovered + counts.gone != counts.cases;
}
