/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Speeds that a reader offers (GET_DATA_RATES), and cards that do not come through at one: cold reset, the next lower one,
 * the default; and what is remembered of it (ISO/IEC 7816-3:2006, 6.3.1 and 9.3).
 */
#include "negotiate_bench.h"

#define HOST (TPDU | FOLLOWS)
#define AUTO (TPDU | FOLLOWS | PPS)

#define T0_AT(fi_di) T0_DONE(fi_di, 0, 0, 10, 0)
#define T1_AT(fi_di) T1_DONE(fi_di, 0x10, 0, 0x4D, 0, 0x20, 0)
#define AGAIN        POWER_ON(0), CARD_T0_96
#define READ_OK      XFR(5, READ_2), BLOCK(2, 0x90, 0)
#define READ_MUTE    XFR(5, READ_2), XFR_FAILS(0x40, 0xFE)
#define READ_T1      XFR(9, 0x00, 0x00, 0x05, READ_2, 0xB7)
#define R_BLOCK      XFR(4, 0x00, 0x82, 0x00, 0x82)
#define SILENT       XFR_FAILS(0x40, 0xFE)
#define IFS_MUTE     IFS_ASKED, SILENT, IFS_ASKED, SILENT, IFS_ASKED, SILENT

/* The PPS is not accepted */
#define REFUSED(...)  XFR(4, __VA_ARGS__), BLOCK(2, 0x6E, 0x00)
#define DAMAGED(...)  XFR(4, __VA_ARGS__), XFR_FAILS(0x40, 0xFD)
#define NO_WORD(...)  XFR(4, __VA_ARGS__), XFR_FAILS(0x40, 0xFE)
#define SHUT_OFF(...) XFR(4, __VA_ARGS__), XFR_FAILS(0x41, 0xFE)

static const struct talk falling_back[] = {
	{ "PPS refused: the next lower speed", HOST, "P0",
	  SAYS(AGAIN, REFUSED(PPS_T0_96), RESET, CARD_T0_96, PPS_DONE(4, PPS_T0_95), T0_AT(0x95)) },
	{ "PPS with a wrong PCK", HOST, "P0",
	  SAYS(AGAIN, XFR(4, PPS_T0_96), BLOCK(4, 0xFF, 0x10, 0x96, 0x78), RESET, CARD_T0_96,
	       PPS_DONE(4, PPS_T0_95), T0_AT(0x95)) },
	{ "PPS with another PPS1", HOST, "P0",
	  SAYS(AGAIN, XFR(4, PPS_T0_96), BLOCK(4, PPS_T0_94), RESET, CARD_T0_96, PPS_DONE(4, PPS_T0_95),
	       T0_AT(0x95)) },
	{ "PPS, an empty answer", HOST, "P0",
	  SAYS(AGAIN, XFR(4, PPS_T0_96), XFR_FAILS(0, 0), RESET, CARD_T0_96, PPS_DONE(4, PPS_T0_95),
	       T0_AT(0x95)) },
	{ "PPS damaged on the line", HOST, "P0",
	  SAYS(AGAIN, DAMAGED(PPS_T0_96), RESET, CARD_T0_96, PPS_DONE(4, PPS_T0_95), T0_AT(0x95)) },
	{ "PPS unanswered", HOST, "P0",
	  SAYS(AGAIN, NO_WORD(PPS_T0_96), RESET, CARD_T0_96, PPS_DONE(4, PPS_T0_95), T0_AT(0x95)) },
	{ "PPS unanswered, and the reader shut the card off", HOST, "P0",
	  SAYS(AGAIN, SHUT_OFF(PPS_T0_96), RESET, CARD_T0_96, PPS_DONE(4, PPS_T0_95), T0_AT(0x95)) },
	{ "PPS refused twice: the default, without one", HOST, "P0",
	  SAYS(AGAIN, REFUSED(PPS_T0_96), RESET, CARD_T0_96, REFUSED(PPS_T0_95), RESET, CARD_T0_96,
	       T0_AT(0x11)) },
	{ "PPS unanswered twice, T=1: the default", HOST | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_T1_96, NO_WORD(PPS_T1_96), RESET, CARD_T1_96, NO_WORD(PPS_T1_95), RESET,
	       CARD_T1_96, T1_AT(0x11)) },
	{ "the second protocol needs a PPS at the default too", HOST | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_BOTH_96, REFUSED(PPS_T1_96), RESET, CARD_BOTH_96, REFUSED(PPS_T1_95), RESET,
	       CARD_BOTH_96, PPS_DONE(3, PPS_T1), T1_AT(0x11)) },
	/* 9.3: nothing more may be sent to the card that did not accept; the last answer counts */
	{ "the second protocol is refused at all: the card is left alone until it is reset",
	  HOST | IFSD,
	  "P1!A!P0",
	  SAYS(POWER_ON(0), CARD_BOTH, XFR(3, PPS_T1), BLOCK(2, 0x6E, 0x00), POWER_ON(0), CARD_BOTH,
	       T0_AT(0x11)),
	  { OC_E_PROTOCOL, OC_E_UNPOWERED } },
	{ "the reader does not take the speed after the PPS", HOST, "P0",
	  SAYS(AGAIN, PPS_DONE(4, PPS_T0_96), T0_ASKED(0x96, 0, 0, 10, 0), SET_FAILS(0x40, 0x0A),
	       GET_PARAMETERS, T0_HAS(0x11, 0, 0, 10, 0), RESET, CARD_T0_96, PPS_DONE(4, PPS_T0_95),
	       T0_AT(0x95)) },
	{ "80h: mute to SetParameters", AUTO, "P0",
	  SAYS(AGAIN, T0_ASKED(0x96, 0, 0, 10, 0), SET_FAILS(0x40, 0xFE), RESET, CARD_T0_96, T0_AT(0x95)) },
	{ "80h: mute, and the reader shut the card off", AUTO, "P0",
	  SAYS(AGAIN, T0_ASKED(0x96, 0, 0, 10, 0), SET_FAILS(0x41, 0xFE), RESET, CARD_T0_96, T0_AT(0x95)) },
	{ "80h: mute twice", AUTO, "P0",
	  SAYS(AGAIN, T0_ASKED(0x96, 0, 0, 10, 0), SET_FAILS(0x40, 0xFE), RESET, CARD_T0_96,
	       T0_ASKED(0x95, 0, 0, 10, 0), SET_FAILS(0x40, 0xFE), RESET, CARD_T0_96, T0_AT(0x11)) },
	{ "80h: mute three times",
	  AUTO,
	  "P0!",
	  SAYS(AGAIN, T0_ASKED(0x96, 0, 0, 10, 0), SET_FAILS(0x40, 0xFE), RESET, CARD_T0_96,
	       T0_ASKED(0x95, 0, 0, 10, 0), SET_FAILS(0x40, 0xFE), RESET, CARD_T0_96,
	       T0_ASKED(0x11, 0, 0, 10, 0), SET_FAILS(0x40, 0xFE)),
	  { OC_E_MUTE } },
	{ "T=1: mute to S(IFS)", HOST, "P1",
	  SAYS(POWER_ON(0), CARD_T1_96, PPS_DONE(4, PPS_T1_96), T1_AT(0x96), IFS_MUTE, RESET, CARD_T1_96,
	       PPS_DONE(4, PPS_T1_95), T1_AT(0x95), IFS_SET) },
	{ "80h, T=1: mute to S(IFS)", AUTO, "P1",
	  SAYS(POWER_ON(0), CARD_T1_96, T1_AT(0x96), IFS_MUTE, RESET, CARD_T1_96, T1_AT(0x95), IFS_SET) },
	{ "specific mode: there is no other speed",
	  AUTO,
	  "P0!",
	  SAYS(POWER_ON(0), ATR_OF(5, 0x3B, 0x90, 0x95, 0x10, 0x00), T0_ASKED(0x95, 0, 0, 10, 0),
	       SET_FAILS(0x40, 0xFE)),
	  { OC_E_MUTE } },
	{ "unplugged at the PPS", HOST, "P0!", SAYS(AGAIN, XFR(4, PPS_T0_96), UNPLUG), { OC_E_GONE } },
	{ "pulled at the PPS: no reset",
	  HOST,
	  "P0!",
	  SAYS(AGAIN, XFR(4, PPS_T0_96), XFR_FAILS(0x42, 0xFE)),
	  { OC_E_NO_CARD } },
	{ "pulled before the reset",
	  HOST,
	  "P0!",
	  SAYS(AGAIN, REFUSED(PPS_T0_96), SENDS(0x63, 0, 0, 0, 0, 0, 0, 0, 0, 0), STATUS_IS(0x02),
	       POWER_ON_RESTED(0), POWER_FAILS(0x42, 0xFE)),
	  { OC_E_NO_CARD } },
	{ "mute after the reset",
	  HOST,
	  "P0!A!",
	  SAYS(AGAIN, REFUSED(PPS_T0_96), RESET, MUTE),
	  { OC_E_MUTE, OC_E_UNPOWERED } },
	{ "unplugged at the reset",
	  HOST,
	  "P0!",
	  SAYS(AGAIN, REFUSED(PPS_T0_96), POWERED_OFF, UNPLUG),
	  { OC_E_GONE } },
	{ "another card after the reset: pcscd has to see it first",
	  HOST,
	  "P0!A!P0",
	  SAYS(AGAIN, REFUSED(PPS_T0_96), RESET, CARD_T0, POWER_ON(0), CARD_T0, T0_AT(0x11)),
	  { OC_E_UNPOWERED, OC_E_UNPOWERED } },
};

static void cards_that_do_not_come_through(void **state)
{
	(void)state;
	TALK(falling_back);
}

static const struct talk remembered[] = {
	{ "what failed is not tried again", HOST, "P0P0",
	  SAYS(AGAIN, REFUSED(PPS_T0_96), RESET, CARD_T0_96, PPS_DONE(4, PPS_T0_95), T0_AT(0x95), AGAIN,
	       PPS_DONE(4, PPS_T0_95), T0_AT(0x95)) },
	{ "nothing but the default came through", HOST, "P0P0",
	  SAYS(AGAIN, REFUSED(PPS_T0_96), RESET, CARD_T0_96, REFUSED(PPS_T0_95), RESET, CARD_T0_96,
	       T0_AT(0x11), AGAIN, T0_AT(0x11)) },
	{ "it is remembered of this card alone", HOST | IFSD, "P0P1",
	  SAYS(AGAIN, REFUSED(PPS_T0_96), RESET, CARD_T0_96, PPS_DONE(4, PPS_T0_95), T0_AT(0x95), POWER_ON(0),
	       CARD_T1_96, PPS_DONE(4, PPS_T1_96), T1_AT(0x96)) },
	{ "also where the reader shut the card off", AUTO, "P0P0",
	  SAYS(AGAIN, T0_ASKED(0x96, 0, 0, 10, 0), SET_FAILS(0x41, 0xFE), RESET, CARD_T0_96, T0_AT(0x95),
	       AGAIN, T0_AT(0x95)) },
	{ "what came through is tried again", HOST, "P0AP0A",
	  SAYS(AGAIN, PPS_DONE(4, PPS_T0_96), T0_AT(0x96), READ_OK, AGAIN, PPS_DONE(4, PPS_T0_96),
	       T0_AT(0x96), READ_OK) },

	/* The first APDU shows whether the speed is good */
	{ "the first APDU is mute: an error, and slower next time",
	  HOST,
	  "P0A!P0A",
	  SAYS(AGAIN, PPS_DONE(4, PPS_T0_96), T0_AT(0x96), READ_MUTE, AGAIN, PPS_DONE(4, PPS_T0_95),
	       T0_AT(0x95), READ_OK),
	  { OC_E_MUTE } },
	{ "the first APDU is damaged",
	  HOST,
	  "P0A!P0",
	  SAYS(AGAIN, PPS_DONE(4, PPS_T0_96), T0_AT(0x96), XFR(5, READ_2), XFR_FAILS(0x40, 0xFD), AGAIN,
	       PPS_DONE(4, PPS_T0_95), T0_AT(0x95)),
	  { OC_E_CARD } },
	{ "mute, and the reader shut the card off",
	  HOST,
	  "P0A!P0",
	  SAYS(AGAIN, PPS_DONE(4, PPS_T0_96), T0_AT(0x96), XFR(5, READ_2), XFR_FAILS(0x41, 0xFE), AGAIN,
	       PPS_DONE(4, PPS_T0_95), T0_AT(0x95)),
	  { OC_E_MUTE } },
	{ "80h: the same",
	  AUTO,
	  "P0A!P0A",
	  SAYS(AGAIN, T0_AT(0x96), READ_MUTE, AGAIN, T0_AT(0x95), READ_OK),
	  { OC_E_MUTE } },
	{ "lower and lower",
	  HOST,
	  "P0A!P0A!P0A!P0A",
	  SAYS(AGAIN, PPS_DONE(4, PPS_T0_96), T0_AT(0x96), READ_MUTE, AGAIN, PPS_DONE(4, PPS_T0_95),
	       T0_AT(0x95), READ_MUTE, AGAIN, PPS_DONE(4, PPS_T0_94), T0_AT(0x94), READ_MUTE, AGAIN,
	       PPS_DONE(4, 0xFF, 0x10, 0x93, 0x7C), T0_AT(0x93), READ_OK),
	  { OC_E_MUTE, OC_E_MUTE, OC_E_MUTE } },
	{ "the second APDU is mute: that is not the speed",
	  HOST,
	  "P0AA!P0",
	  SAYS(AGAIN, PPS_DONE(4, PPS_T0_96), T0_AT(0x96), READ_OK, READ_MUTE, AGAIN, PPS_DONE(4, PPS_T0_96),
	       T0_AT(0x96)),
	  { OC_E_MUTE } },
	{ "an APDU that was never sent proves nothing",
	  HOST,
	  "P0B!A!P0",
	  SAYS(AGAIN, PPS_DONE(4, PPS_T0_96), T0_AT(0x96), READ_MUTE, AGAIN, PPS_DONE(4, PPS_T0_95),
	       T0_AT(0x95)),
	  { OC_E_APDU, OC_E_MUTE } },
	{ "mute at the default: nothing is lower",
	  HOST,
	  "P0A!P0",
	  SAYS(POWER_ON(0), CARD_T0, T0_AT(0x11), READ_MUTE, POWER_ON(0), CARD_T0, T0_AT(0x11)),
	  { OC_E_MUTE } },
	{ "specific mode: nothing else can be had",
	  HOST,
	  "P0A!P0",
	  SAYS(POWER_ON(0), ATR_OF(5, 0x3B, 0x90, 0x95, 0x10, 0x00), T0_AT(0x95), READ_MUTE, POWER_ON(0),
	       ATR_OF(5, 0x3B, 0x90, 0x95, 0x10, 0x00), T0_AT(0x95)),
	  { OC_E_MUTE } },
	{ "40h: the reader's business",
	  HOST | NEGOTIATES,
	  "P0A!P0A",
	  SAYS(AGAIN, READ_MUTE, AGAIN, READ_OK),
	  { OC_E_MUTE } },
	{ "T=1: the first block is mute, three times",
	  HOST | IFSD,
	  "P1A!P1",
	  SAYS(POWER_ON(0), CARD_T1_96, PPS_DONE(4, PPS_T1_96), T1_AT(0x96), READ_T1, SILENT, R_BLOCK, SILENT,
	       R_BLOCK, SILENT, POWER_ON(0), CARD_T1_96, PPS_DONE(4, PPS_T1_95), T1_AT(0x95)),
	  { OC_E_MUTE } },
	{ "short APDU: the same",
	  SHORT_APDU | FOLLOWS | PPS,
	  "P0A!P0",
	  SAYS(AGAIN, T0_AT(0x96), READ_MUTE, AGAIN, T0_AT(0x95)),
	  { OC_E_MUTE } },
};

static void what_is_remembered(void **state)
{
	(void)state;
	TALK(remembered);
}

/* ---- GET_DATA_RATES --------------------------------------------------------------------------------------------------- */

#define LE32(n) (uint8_t)(n), (uint8_t)((n) >> 8), (uint8_t)((n) >> 16), (uint8_t)((uint32_t)(n) >> 24)
#define LIST(...) \
	.rates = (const uint8_t[]){ __VA_ARGS__ }, .rates_len = sizeof((const uint8_t[]){ __VA_ARGS__ })
#define CARD_T0_97 ATR_OF(3, 0x3B, 0x10, 0x97)
#define UP_97      POWER_ON(0), CARD_T0_97

static const struct talk rates[] = {
	{ "the list has a lower one", HOST, "P0", SAYS(UP_97, PPS_DONE(4, PPS_T0_96), T0_AT(0x96)),
	  .num_rates = 2, LIST(LE32(10753), LE32(250000)), .asked = 1 },
	{ "the list has none: the default", HOST, "P0", SAYS(UP_97, T0_AT(0x11)), .num_rates = 1,
	  LIST(LE32(10753)), .asked = 1 },
	{ "80h", AUTO, "P0", SAYS(UP_97, T0_AT(0x95)), .num_rates = 2, LIST(LE32(125000), LE32(10753)),
	  .asked = 1 },
	{ "asked once, not once per card", HOST | IFSD, "P0P1",
	  SAYS(UP_97, PPS_DONE(4, PPS_T0_95), T0_AT(0x95), POWER_ON(0), CARD_T1_96, PPS_DONE(4, PPS_T1_95),
	       T1_AT(0x95)),
	  .num_rates = 1, LIST(LE32(125000)), .asked = 1 },
	{ "the fall-back keeps to the list", HOST, "P0",
	  SAYS(UP_97, REFUSED(PPS_T0_96), RESET, CARD_T0_97, PPS_DONE(4, PPS_T0_94), T0_AT(0x94)),
	  .num_rates = 2, LIST(LE32(62500), LE32(250000)), .asked = 1 },
	{ "no list is promised: not asked", HOST, "P0", SAYS(AGAIN, PPS_DONE(4, PPS_T0_96), T0_AT(0x96)),
	  .asked = 0 },
	{ "the card is at the default: not asked", HOST, "P0", SAYS(POWER_ON(0), CARD_T0, T0_AT(0x11)),
	  .num_rates = 2, LIST(LE32(10753), LE32(250000)), .asked = 0 },
	{ "40h: not asked", HOST | NEGOTIATES, "P0", SAYS(AGAIN), .num_rates = 2,
	  LIST(LE32(10753), LE32(250000)), .asked = 0 },
	{ "specific mode: not asked", HOST, "P0",
	  SAYS(POWER_ON(0), ATR_OF(5, 0x3B, 0x90, 0x95, 0x10, 0x00), T0_AT(0x95)), .num_rates = 1,
	  LIST(LE32(10753)), .asked = 0 },
	{ "the reader stalls: every rate, and not asked again", HOST, "P0P0",
	  SAYS(AGAIN, PPS_DONE(4, PPS_T0_96), T0_AT(0x96), AGAIN, PPS_DONE(4, PPS_T0_96), T0_AT(0x96)),
	  .num_rates = 2, .rates_err = OC_E_STALL, .asked = 1 },
	{ "the reader hangs", HOST, "P0", SAYS(AGAIN, PPS_DONE(4, PPS_T0_96), T0_AT(0x96)), .num_rates = 2,
	  .rates_err = OC_E_TIMEOUT, .asked = 1 },
	{ "an odd length: no list", HOST, "P0", SAYS(AGAIN, PPS_DONE(4, PPS_T0_96), T0_AT(0x96)),
	  .num_rates = 2, LIST(LE32(10753), 1, 2), .asked = 1 },
	{ "nothing comes: no list", HOST, "P0", SAYS(AGAIN, PPS_DONE(4, PPS_T0_96), T0_AT(0x96)),
	  .num_rates = 2, .asked = 1 },
	{ "all zero: no list", HOST, "P0", SAYS(AGAIN, PPS_DONE(4, PPS_T0_96), T0_AT(0x96)), .num_rates = 2,
	  LIST(LE32(0), LE32(0)), .asked = 1 },
	{ "fewer than promised count", HOST, "P0", SAYS(AGAIN, PPS_DONE(4, PPS_T0_95), T0_AT(0x95)),
	  .num_rates = 9, LIST(LE32(125000)), .asked = 1 },
	{ "more than promised do not", HOST, "P0", SAYS(AGAIN, PPS_DONE(4, PPS_T0_95), T0_AT(0x95)),
	  .num_rates = 1, LIST(LE32(125000), LE32(250000)), .asked = 1 },
	{ "255 are promised", HOST, "P0", SAYS(AGAIN, PPS_DONE(4, PPS_T0_95), T0_AT(0x95)), .num_rates = 255,
	  LIST(LE32(125000)), .asked = 1 },
};

static void the_readers_rates(void **state)
{
	(void)state;
	TALK(rates);
}

/* A reader that says nothing to the PPS is brought to order after the initial waiting time (9600 etu, 893 ms). */
static void silence_to_the_pps(void **state)
{
	const struct talk talk = {
		"silence",
		HOST,
		"P",
		SAYS(AGAIN, XFR(4, PPS_T0_96), CONTROL(OC_OK, 0x21, 0x01, 0, 3),
		     SENDS(0x72, 0, 0, 0, 0, 0, 0, 0, 0, 0), GIVES(0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
	};
	struct transport_ops ops;
	struct slot_bench b;

	(void)state;
	talk_begin(&talk, &b, &ops);
	CHECK_INT("up", talk_call(&b, &talk, 'P'), OC_OK);
	CHECK_INT("silence", talk_call(&b, &talk, '0'), OC_E_TIMEOUT);
	CHECK("as long as the card may take", b.script.control_at >= 893);
	CHECK("and not for ever", b.script.control_at <= 5000);
	CHECK_INT("the card has to be reset", talk_call(&b, &talk, 'A'), OC_E_UNPOWERED);
	slot_bench_end("silence", &b);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cards_that_do_not_come_through),
		cmocka_unit_test(what_is_remembered),
		cmocka_unit_test(the_readers_rates),
		cmocka_unit_test(silence_to_the_pps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
