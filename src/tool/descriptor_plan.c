/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the driver does with a reader: its capabilities, after every correction, as sentences. */
#include "tool/describe.h"

#include <stdio.h>

static void exchange(const struct view *v, struct plan *p)
{
	static const char *const texts[] = {
		[CCID_CHARACTER] = "single characters: the driver does all of T=0 and T=1",
		[CCID_TPDU] = "TPDUs: the driver does T=0 and T=1",
		[CCID_SHORT_APDU] = "short APDUs: the reader does T=0 and T=1; extended ones are refused",
		[CCID_EXTENDED_APDU] = "APDUs of any length: the reader does T=0 and T=1",
	};

	snprintf(p->text, PLAN_TEXT, "%s", texts[v->learned.caps.level]);
}

static void protocols(const struct view *v, struct plan *p)
{
	const struct ccid_caps *c = &v->learned.caps;

	snprintf(p->text, PLAN_TEXT, "%s", c->t0 && c->t1 ? "T=0 and T=1" : c->t0 ? "T=0 only" : "T=1 only");
}

static void power(const struct view *v, struct plan *p)
{
	static const char *const sets[] = { "5 V",
					    "5 V",
					    "3 V",
					    "5 V, then 3 V",
					    "1.8 V",
					    "5 V, then 1.8 V",
					    "1.8 V, then 3 V",
					    "5 V, then 1.8 V, then 3 V" };
	const struct ccid_caps *c = &v->learned.caps;

	if (c->features & CCID_AUTO_VOLTAGE)
		snprintf(p->text, PLAN_TEXT, "the reader chooses the voltage");
	else
		snprintf(p->text, PLAN_TEXT, "tries %s", sets[c->voltages & 7]);
}

static void speed(const struct view *v, struct plan *p)
{
	const struct ccid_caps *c = &v->learned.caps;
	const char *how = "the driver sends PPS and sets the parameters";

	if (c->features & CCID_AUTO_PARAM_NEGOTIATION)
		how = "the reader negotiates with the card";
	else if (c->no_pps)
		how = "no PPS: the driver stays with the card's default";
	else if (c->features & CCID_AUTO_PPS)
		how = "the driver sets the parameters, and the reader sends PPS";
	snprintf(p->text, PLAN_TEXT, "%s; at most %u bps", how, (unsigned)c->max_rate);
}

static void blocks(const struct view *v, struct plan *p)
{
	const struct ccid_caps *c = &v->learned.caps;

	snprintf(p->text, PLAN_TEXT, "%u bytes in a message, %u in a block of T=1%s",
		 (unsigned)c->max_message, c->max_ifsd,
		 c->no_ifsd                     ? "; no S(IFS request) is sent"
		 : c->features & CCID_AUTO_IFSD ? "; the reader announces that itself"
						: "");
}

static void presence(const struct view *v, struct plan *p)
{
	const struct ccid_caps *c = &v->learned.caps;

	snprintf(p->text, PLAN_TEXT, "%s",
		 learn_is_iccd(&v->info)                 ? "the card is always there"
		 : c->undetected_1                       ? "slots that cannot see their card are tried"
		 : v->info.interrupt && !c->no_interrupt ? "the reader tells when a card comes or leaves"
							 : "pcscd asks from time to time");
}

static void slots(const struct view *v, struct plan *p)
{
	const struct ccid_caps *c = &v->learned.caps;

	snprintf(p->text, PLAN_TEXT, "%u, %u busy at a time", c->slots, c->busy_slots);
}

static void keypad(const struct view *v, struct plan *p)
{
	static const char *const texts[] = { "none is offered", "verifies PINs", "changes PINs",
					     "verifies and changes PINs" };
	const struct ccid_caps *c = &v->learned.caps;

	snprintf(p->text, PLAN_TEXT, "%s%s", texts[c->pin_support & 3],
		 c->pinpad == PINPAD_BROKEN ? ": the firmware cannot use it" : "");
}

static const struct {
	const char *what;
	void (*fill)(const struct view *view, struct plan *plan);
} rows[] = {
	{ "exchange", exchange }, { "protocols", protocols }, { "power", power }, { "speed", speed },
	{ "length", blocks },     { "presence", presence },   { "slots", slots }, { "keypad", keypad },
};

size_t describe_plan(const struct view *view, struct plan plan[PLANS])
{
	const size_t count = sizeof rows / sizeof rows[0];

	_Static_assert(sizeof rows / sizeof rows[0] <= PLANS, "there is room for each row");
	for (size_t i = 0; i < count; i++) {
		plan[i].what = rows[i].what;
		rows[i].fill(view, &plan[i]);
	}
	return count;
}
