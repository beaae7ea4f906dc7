/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the curious are told: what holds between reader and card, and what is in the slot. */
#include "negotiate_bench.h"

#define CARD_T1_LRC  ATR_OF(8, 0x3B, 0x90, 0x96, 0x81, 0x31, 0xFE, 0x45, 0x0D)
#define CARD_T1_CRC  ATR_OF(9, 0x3B, 0x90, 0x96, 0x81, 0x71, 0xFE, 0x45, 0x01, 0x4C)
#define CARD_INVERSE ATR_OF(5, 0x3F, 0xC0, 0x08, 0x40, 0x20)
#define ABSENT       GIVES(0x82, 0, 0, 0, 0, 0, 0, 0x42, 0xFE, 0)

#define HOST (TPDU | FOLLOWS)       /* the host does the PPS */
#define AUTO (TPDU | FOLLOWS | PPS) /* the reader does */

/* ---- what holds -------------------------------------------------------------------------------------------------- */

static const struct row {
	struct talk talk; /* up to the question; "!" for calls that fail as in test_negotiate.c */
	const struct script_step *asked; /* NULL: nothing is */
	enum oc_err err;
	bool known, blocks; /* blocks alone: only what the host knows of them */
	uint8_t fi_di, guard_time, waiting;
	uint8_t ifsc, ifsd;
	bool crc;
	uint32_t clock_khz;
} rows[] = {
	{ .talk = { "no card", AUTO, "", .steps = STEPS(END) }, .err = OC_E_UNPOWERED },
	{ .talk = { "no protocol", AUTO, "P", SAYS(POWER_ON(0), CARD_T0) }, .err = OC_E_UNPOWERED },
	{ .talk = { "T=0", AUTO, "P0", SAYS(POWER_ON(0), CARD_T0, T0_DONE(0x11, 0, 0, 10, 0)) },
	  .known = true,
	  .fi_di = 0x11,
	  .waiting = 10 },
	{ .talk = { "N 8, WI 32", AUTO, "P0", SAYS(POWER_ON(0), CARD_INVERSE, T0_DONE(0x11, 2, 8, 0x20, 0)) },
	  .known = true,
	  .fi_di = 0x11,
	  .guard_time = 8,
	  .waiting = 0x20 },
	{ .talk = { "the host's PPS", HOST, "P0",
		    SAYS(POWER_ON(0), CARD_T0_96, PPS_DONE(4, PPS_T0_96), T0_DONE(0x96, 0, 0, 10, 0)) },
	  .known = true,
	  .fi_di = 0x96,
	  .waiting = 10 },
	{ .talk = { "T=1, LRC", AUTO, "P1",
		    SAYS(POWER_ON(0), CARD_T1_LRC, T1_DONE(0x96, 0x10, 0, 0x45, 0, 0xFE, 0), IFS_SET) },
	  .known = true,
	  .fi_di = 0x96,
	  .waiting = 0x45,
	  .ifsc = 254,
	  .ifsd = 254 },
	{ .talk = { "T=1, CRC", AUTO, "P1",
		    SAYS(POWER_ON(0), CARD_T1_CRC, T1_DONE(0x96, 0x11, 0, 0x45, 0, 0xFE, 0),
			 XFR(6, 0x00, 0xC1, 0x01, 0xFE, 0x54, 0x4E),
			 BLOCK(6, 0x00, 0xE1, 0x01, 0xFE, 0x57, 0x75)) },
	  .known = true,
	  .fi_di = 0x96,
	  .waiting = 0x45,
	  .ifsc = 254,
	  .ifsd = 254,
	  .crc = true },
	{ .talk = { "T=1, IFSD 32 needs no announcement", AUTO, "P1",
		    SAYS(POWER_ON(0), CARD_T1, T1_DONE(0x11, 0x10, 0, 0x4D, 0, 0x20, 0)), .max_ifsd = 32 },
	  .known = true,
	  .fi_di = 0x11,
	  .waiting = 0x4D,
	  .ifsc = 32,
	  .ifsd = 32 },
	{ .talk = { "T=1, the reader announces what nobody knows", AUTO | IFSD, "P1",
		    SAYS(POWER_ON(0), CARD_T1, T1_DONE(0x11, 0x10, 0, 0x4D, 0, 0x20, 0)) },
	  .known = true,
	  .fi_di = 0x11,
	  .waiting = 0x4D,
	  .ifsc = 32 },
	{ .talk = { "the reader is told a clock", TPDU | PPS, "P0",
		    SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(0x96, 0, 0, 10, 0), RATE_SET(BPS_250000)) },
	  .known = true,
	  .fi_di = 0x96,
	  .waiting = 10,
	  .clock_khz = 4000 },
	{ .talk = { "and makes something else of it", TPDU | PPS, "P0",
		    SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(0x96, 0, 0, 10, 0), RATE_ASKED(BPS_250000),
			 GIVES(0x84, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0xFC, 0x0D, 0, 0, BPS_250000)) },
	  .known = true,
	  .fi_di = 0x96,
	  .waiting = 10,
	  .clock_khz = 3580 },
	{ .talk = { "and does not say what", TPDU | PPS, "P0",
		    SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(0x96, 0, 0, 10, 0), RATE_ASKED(BPS_250000),
			 GIVES(0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0)) },
	  .known = true,
	  .fi_di = 0x96,
	  .waiting = 10 },
	/* A reader that negotiates by itself is asked. */
	{ .talk = { "40h", HOST | NEGOTIATES, "P0", SAYS(POWER_ON(0), CARD_T0_96) },
	  .asked = STEPS(GET_PARAMETERS, T0_HAS(0x95, 0, 5, 12, 0)),
	  .known = true,
	  .fi_di = 0x95,
	  .guard_time = 5,
	  .waiting = 12 },
	{ .talk = { "40h, T=1: the blocks are the host's", HOST | NEGOTIATES, "P1",
		    SAYS(POWER_ON(0), CARD_T1_96, IFS_SET) },
	  .asked = STEPS(GET_PARAMETERS, T1_HAS(0x94, 0x11, 0, 0x45, 0, 0xFE, 0)),
	  .known = true,
	  .fi_di = 0x94,
	  .waiting = 0x45,
	  .ifsc = 32,
	  .ifsd = 254 },
	{ .talk = { "40h, it does not tell", HOST | NEGOTIATES, "P0", SAYS(POWER_ON(0), CARD_T0_96) },
	  .asked = STEPS(GET_PARAMETERS, SET_FAILS(0x40, 0x00)) },
	{ .talk = { "40h, no structure", HOST | NEGOTIATES, "P0", SAYS(POWER_ON(0), CARD_T0_96) },
	  .asked = STEPS(GET_PARAMETERS, GIVES(0x82, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3)) },
	{ .talk = { "40h, it speaks of another protocol", HOST | NEGOTIATES, "P0",
		    SAYS(POWER_ON(0), CARD_T0_96) },
	  .asked = STEPS(GET_PARAMETERS, T1_HAS(0x11, 0x10, 0, 0x4D, 0, 0x20, 0)) },
	{ .talk = { "40h, there is no card any more", HOST | NEGOTIATES, "P0",
		    SAYS(POWER_ON(0), CARD_T0_96) },
	  .asked = STEPS(GET_PARAMETERS, ABSENT),
	  .err = OC_E_NO_CARD },
	{ .talk = { "40h, it is pulled", HOST | NEGOTIATES, "P0", SAYS(POWER_ON(0), CARD_T0_96) },
	  .asked = STEPS(GET_PARAMETERS, UNPLUG),
	  .err = OC_E_GONE },
	{ .talk = { "40h, T=1, it does not tell", HOST | NEGOTIATES, "P1",
		    SAYS(POWER_ON(0), CARD_T1_96, IFS_SET) },
	  .asked = STEPS(GET_PARAMETERS, SET_FAILS(0x40, 0x00)),
	  .blocks = true,
	  .ifsc = 32,
	  .ifsd = 254 },
	/* A reader of APDUs may have heard of another IFSC. */
	{ .talk = { "short APDU, T=1", SHORT_APDU | FOLLOWS | PPS, "P1",
		    SAYS(POWER_ON(0), CARD_T1_96, T1_DONE(0x96, 0x10, 0, 0x4D, 0, 0x20, 0)) },
	  .asked = STEPS(GET_PARAMETERS, T1_HAS(0x96, 0x10, 0, 0x4D, 0, 0x64, 0)),
	  .known = true,
	  .fi_di = 0x96,
	  .waiting = 0x4D,
	  .ifsc = 100 },
	{ .talk = { "short APDU, T=1, it does not tell", SHORT_APDU | FOLLOWS | PPS, "P1",
		    SAYS(POWER_ON(0), CARD_T1_96, T1_DONE(0x96, 0x10, 0, 0x4D, 0, 0x20, 0)) },
	  .asked = STEPS(GET_PARAMETERS, SET_FAILS(0x40, 0x00)) },
	{ .talk = { "short APDU, T=0", SHORT_APDU | FOLLOWS | PPS, "P0",
		    SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(0x96, 0, 0, 10, 0)) },
	  .known = true,
	  .fi_di = 0x96,
	  .waiting = 10 },
	{ .talk = { "short APDU, 40h", SHORT_APDU | NEGOTIATES, "P0", SAYS(POWER_ON(0), CARD_T0_96) },
	  .asked = STEPS(GET_PARAMETERS, T0_HAS(0x96, 0, 0, 10, 0)),
	  .known = true,
	  .fi_di = 0x96,
	  .waiting = 10 },
	/* What it does not take, it may have already: then it has its own. */
	{ .talk = { "SetParameters refused", SHORT_APDU | FOLLOWS | PPS, "P0",
		    SAYS(POWER_ON(0), CARD_T0_96, T0_ASKED(0x96, 0, 0, 10, 0), SET_FAILS(0x40, 0x00),
			 GET_PARAMETERS, T0_HAS(0x95, 0, 0, 10, 0)) },
	  .asked = STEPS(GET_PARAMETERS, T0_HAS(0x95, 0, 0, 10, 0)),
	  .known = true,
	  .fi_di = 0x95,
	  .waiting = 10 },
};

static void check_link(const struct row *row, const struct slot_link *is)
{
	const char *name = row->talk.name;
	const bool t1 = strchr(row->talk.calls, '1') != NULL;

	CHECK_INT(name, is->protocol, t1 ? CCID_PROTOCOL_T1 : CCID_PROTOCOL_T0);
	CHECK_INT(name, is->known, row->known);
	CHECK_INT(name, is->blocks, row->known || row->blocks);
	CHECK_INT(name, is->clock_khz, row->clock_khz);
	if (row->known) {
		CHECK_INT(name, is->active.fi_di, row->fi_di);
		CHECK_INT(name, is->active.guard_time, row->guard_time);
		CHECK_INT(name, is->active.waiting, row->waiting);
	}
	if (!t1 || !is->blocks)
		return;
	CHECK_INT(name, is->active.ifsc, row->ifsc);
	CHECK_INT(name, is->ifsd, row->ifsd);
	CHECK_INT(name, is->active.crc, row->crc);
}

static void what_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct transport_ops ops;
		struct slot_link is;
		struct slot_bench b;

		talk_begin(&row->talk, &b, &ops);
		for (const char *call = row->talk.calls; *call; call++)
			CHECK_INT(row->talk.name, talk_call(&b, &row->talk, *call), OC_OK);
		script_continue(&b.script, row->asked ? row->asked : script_nothing);
		CHECK_INT(row->talk.name, slot_get_link(b.slot, &is), row->err);
		if (row->err == OC_OK)
			check_link(row, &is);
		slot_bench_end(row->talk.name, &b);
	}
	check_done();
}

/* With the power of the card it ends. */
static void it_ends(void **state)
{
	const struct talk talk = { "ends", AUTO, "P0",
				   SAYS(POWER_ON(0), CARD_T0, T0_DONE(0x11, 0, 0, 10, 0)) };
	struct transport_ops ops;
	struct slot_link is;
	struct slot_bench b;

	(void)state;
	talk_begin(&talk, &b, &ops);
	CHECK_INT("power", talk_call(&b, &talk, 'P'), OC_OK);
	CHECK_INT("protocol", talk_call(&b, &talk, '0'), OC_OK);
	CHECK_INT("it holds", slot_get_link(b.slot, &is), OC_OK);
	script_continue(&b.script, STEPS(POWERED_OFF));
	CHECK_INT("off", slot_power_down(b.slot), OC_OK);
	CHECK_INT("it does not", slot_get_link(b.slot, &is), OC_E_UNPOWERED);
	slot_bench_end("ends", &b);
	check_done();
}

/* ---- what is in the slot ----------------------------------------------------------------------------------------- */

/*
 * bmICCStatus of one GetSlotStatus after the other. Calls: l looks, which says e empty, c a card, a active; p is pcscd's question,
 * which says p present, - absent.
 */
static const struct look {
	const char *name;
	bool powered;
	uint32_t features;
	const uint8_t *status;
	size_t count;
	const char *calls, *want;
} looks[] = {
	{ "empty, put in, pulled", false, 0, BYTES(2, 1, 2), "lll", "ece" },
	{ "active without power is not believed", false, 0, BYTES(0), "l", "c" },
	{ "but of readers that do it by themselves", false, CCID_AUTO_ACTIVATE, BYTES(0, 1), "ll", "ac" },
	{ "powered", true, 0, BYTES(0, 0), "lp", "ap" },
	{ "a state that is none", true, 0, BYTES(3), "l", "c" },
	{ "a look does not use up the report of a lost card", true, 0, BYTES(1, 1, 1, 1), "llpp", "cc-p" },
	{ "nor that of a pulled one that is back", true, 0, BYTES(2, 1, 1), "lpp", "e-p" },
	{ "a pulled one that stays away", true, 0, BYTES(2, 2, 1), "lpp", "e-p" },
};

static char ask_one(struct slot_bench *b, const struct look *row, char call)
{
	static const char letters[] = { [SLOT_EMPTY] = 'e', [SLOT_CARD] = 'c', [SLOT_ACTIVE] = 'a' };
	enum slot_contact contact = SLOT_EMPTY;
	bool present = false;

	if (call == 'p') {
		CHECK_INT(row->name, slot_presence(b->slot, &present), OC_OK);
		return present ? 'p' : '-';
	}
	CHECK_INT(row->name, slot_look(b->slot, &contact), OC_OK);
	return letters[contact];
}

static void what_is_in_the_slot(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(looks); i++) {
		const struct look *row = &looks[i];
		struct slot_bench b;
		uint8_t atr[ATR_MAX];
		char got[8] = "";
		size_t len;

		slot_bench_begin(&b);
		b.setup.caps.features |= row->features;
		slot_bench_open(&b,
				row->powered ? STEPS(POWER_ON(1), ATR_OF(2, 0x3B, 0x00)) : script_nothing);
		if (row->powered)
			CHECK_INT(row->name, slot_power_up(b.slot, atr, &len), OC_OK);
		for (size_t n = 0; n < row->count; n++) {
			const uint8_t answer[] = { 0x81, 0, 0, 0, 0, 0, 0, row->status[n], 0, 0 };
			const struct script_step steps[] = {
				STATUS_ASKED,
				{ .kind = SCRIPT_IN, .bytes = answer, .len = sizeof answer },
				END
			};

			script_continue(&b.script, steps);
			got[n] = ask_one(&b, row, row->calls[n]);
			script_continue(&b.script, script_nothing);
		}
		CHECK_STRING(row->name, got, row->want);
		slot_bench_end(row->name, &b);
	}
	check_done();
}

/* A slot that cannot see its card is not asked: it counts as there until a power-on shows that it is not. */
static void an_undetected_card(void **state)
{
	enum slot_contact contact = SLOT_ACTIVE;
	uint8_t atr[ATR_MAX];
	struct slot_bench b;
	size_t len;

	(void)state;
	slot_bench_begin(&b);
	b.setup.caps.undetected_1 = 1;
	slot_bench_open(&b, script_nothing);
	CHECK_INT("nobody knows", slot_look(b.slot, &contact), OC_OK);
	CHECK_INT("it counts as there", contact, SLOT_CARD);
	script_continue(&b.script, STEPS(POWER_ON(1), ATR_OF(2, 0x3B, 0x00)));
	CHECK_INT("power", slot_power_up(b.slot, atr, &len), OC_OK);
	script_continue(&b.script, script_nothing);
	CHECK_INT("active", slot_look(b.slot, &contact), OC_OK);
	CHECK_INT("active", contact, SLOT_ACTIVE);
	slot_bench_end("undetected", &b);
	check_done();
}

static void a_reader_that_is_gone(void **state)
{
	enum slot_contact contact = SLOT_ACTIVE;
	struct slot_bench b;

	(void)state;
	slot_bench_begin(&b);
	slot_bench_open(&b, STEPS(STATUS_ASKED, UNPLUG));
	CHECK_INT("gone", slot_look(b.slot, &contact), OC_E_GONE);
	slot_bench_end("gone", &b);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_holds),
		cmocka_unit_test(it_ends),
		cmocka_unit_test(what_is_in_the_slot),
		cmocka_unit_test(an_undetected_card),
		cmocka_unit_test(a_reader_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
