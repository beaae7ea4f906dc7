/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is sent after power-up to prepare reader and card: dwFeatures (CCID rev 1.1, 5.1) against the ATR (ISO/IEC
 * 7816-3:2006, 6.3 and 9), every message byte by byte. What happens when a speed fails is in test_negotiate_speed.c.
 */
#include "negotiate_bench.h"

/* Parameters that several rows set */
#define T0_DEFAULT 0x11, 0, 0, 10, 0
#define T0_AT_96   0x96, 0, 0, 10, 0
#define T1_DEFAULT 0x11, 0x10, 0, 0x4D, 0, 0x20, 0
#define T1_AT_96   0x96, 0x10, 0, 0x4D, 0, 0x20, 0

/* More cards: T=1 with IFSC 254, BWI 4, CWI 5 and LRC or CRC; N = 255; clock stop; specific mode */
#define CARD_T1_LRC      ATR_OF(8, 0x3B, 0x90, 0x96, 0x81, 0x31, 0xFE, 0x45, 0x0D)
#define CARD_T1_CRC      ATR_OF(9, 0x3B, 0x90, 0x96, 0x81, 0x71, 0xFE, 0x45, 0x01, 0x4C)
#define CARD_T1_N255     ATR_OF(9, 0x3B, 0xD0, 0x96, 0xFF, 0x81, 0x31, 0xFE, 0x45, 0xB2)
#define CARD_T0_N255     ATR_OF(3, 0x3B, 0x40, 0xFF)
#define CARD_INVERSE     ATR_OF(5, 0x3F, 0xC0, 0x08, 0x40, 0x20)
#define CARD_T0_STOP     ATR_OF(6, 0x3B, 0x80, 0x80, 0x1F, 0xC3, 0xDC)
#define CARD_T1_STOP     ATR_OF(6, 0x3B, 0x80, 0x81, 0x1F, 0x47, 0x59)
#define CARD_T0_SPECIFIC ATR_OF(5, 0x3B, 0x90, 0x95, 0x10, 0x00)
#define CARD_T1_SPECIFIC ATR_OF(6, 0x3B, 0x90, 0x95, 0x11, 0x01, 0x15)
#define CARD_T0_IMPLICIT ATR_OF(5, 0x3B, 0x90, 0x95, 0x10, 0x10)
#define CARD_T1_IMPLICIT ATR_OF(6, 0x3B, 0x90, 0x95, 0x11, 0x11, 0x05)
#define CARD_RESERVED_FI ATR_OF(3, 0x3B, 0x10, 0x76)
#define CARD_RESERVED_DI ATR_OF(3, 0x3B, 0x10, 0x9A)
#define CARD_SLOWER      ATR_OF(3, 0x3B, 0x10, 0x61)

#define HOST (TPDU | FOLLOWS)       /* the host does the PPS */
#define AUTO (TPDU | FOLLOWS | PPS) /* the reader does */

/* 40h: the reader has done all of it; only what it has chosen may be asked for */
static const struct talk by_itself[] = {
	{ "40h, T=0", HOST | NEGOTIATES, "P0", SAYS(POWER_ON(0), CARD_T0) },
	{ "40h, TA1", HOST | NEGOTIATES, "P0", SAYS(POWER_ON(0), CARD_T0_96) },
	{ "40h, no rate is set either", TPDU | NEGOTIATES, "P0", SAYS(POWER_ON(0), CARD_T0_96) },
	{ "40h and 80h: 40h counts", AUTO | NEGOTIATES, "P0", SAYS(POWER_ON(0), CARD_T0_96) },
	{ "40h and 02h", HOST | NEGOTIATES | ATR_PARAM, "P0", SAYS(POWER_ON(0), CARD_T0_96) },
	{ "40h, T=1: IFSD is the host's", HOST | NEGOTIATES, "P1", SAYS(POWER_ON(0), CARD_T1_96, IFS_SET) },
	{ "40h and 400h, T=1", HOST | NEGOTIATES | IFSD, "P1", SAYS(POWER_ON(0), CARD_T1_96) },
	{ "40h, short APDU, T=1", SHORT_APDU | NEGOTIATES, "P1", SAYS(POWER_ON(0), CARD_T1_96) },
	{ "40h, extended APDU, T=1", EXTENDED_APDU | NEGOTIATES, "P1", SAYS(POWER_ON(0), CARD_T1_96) },
	{ "40h, specific mode", HOST | NEGOTIATES, "P0", SAYS(POWER_ON(0), CARD_T0_SPECIFIC) },
	{ "40h, specific mode, T=1", HOST | NEGOTIATES | IFSD, "P1", SAYS(POWER_ON(0), CARD_T1_SPECIFIC) },
	{ "40h, both: the reader has chosen T=0", HOST | NEGOTIATES, "P0",
	  SAYS(POWER_ON(0), CARD_BOTH_96, GET_PARAMETERS, T0_HAS(T0_AT_96)) },
	{ "40h, both: it has chosen T=1", HOST | NEGOTIATES | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_BOTH_96, GET_PARAMETERS, T1_HAS(T1_AT_96)) },
	{ "40h, both: it has chosen the other one, and can be told", HOST | NEGOTIATES, "P0",
	  SAYS(POWER_ON(0), CARD_BOTH_96, GET_PARAMETERS, T1_HAS(T1_AT_96), T0_DONE(T0_AT_96)) },
	{ "40h, both: it cannot be told",
	  HOST | NEGOTIATES,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_BOTH_96, GET_PARAMETERS, T1_HAS(T1_AT_96), T0_ASKED(T0_AT_96),
	       SET_FAILS(0x40, 0x00), GET_PARAMETERS, T1_HAS(T1_AT_96)),
	  { OC_E_PROTOCOL } },
	{ "40h, both: it does not say", HOST | NEGOTIATES, "P0",
	  SAYS(POWER_ON(0), CARD_OTHER, GET_PARAMETERS, SET_FAILS(0x40, 0x00)) },
	{ "40h, both: what it says is no structure",
	  HOST | NEGOTIATES,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_OTHER, GET_PARAMETERS, GIVES(0x82, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3)),
	  { OC_E_ANSWER } },
	{ "40h, short APDU, both: T=1", SHORT_APDU | NEGOTIATES, "P1",
	  SAYS(POWER_ON(0), CARD_OTHER_96, GET_PARAMETERS, T1_HAS(T1_AT_96)) },
	/* Nobody says which Fi the reader chose: a work waiting time at 2048 is 4.9 s, and the card may use all of it. */
	{ "40h, TA1: the wait is long enough for it", HOST | NEGOTIATES, "P0A",
	  SAYS(POWER_ON(0), ATR_OF(3, 0x3B, 0x10, 0xD6), XFR(5, READ_2),
	       GIVES_AFTER(4900, 0x80, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x90, 0x00)) },
	{ "40h: an APDU sets the first protocol", HOST | NEGOTIATES, "PA",
	  SAYS(POWER_ON(0), CARD_T0_96, XFR(5, READ_2), BLOCK(2, 0x90, 0)) },
};

static void the_reader_negotiates(void **state)
{
	(void)state;
	TALK(by_itself);
}

/* 80h: SetParameters with the Fi and Di to use; never a PPS in a block */
static const struct talk by_the_reader[] = {
	{ "80h, T=0", AUTO, "P0", SAYS(POWER_ON(0), CARD_T0, T0_DONE(T0_DEFAULT)) },
	{ "80h, TA1", AUTO, "P0", SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(T0_AT_96)) },
	{ "80h and 02h", AUTO | ATR_PARAM, "P0", SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(T0_AT_96)) },
	{ "80h, T=1", AUTO, "P1", SAYS(POWER_ON(0), CARD_T1, T1_DONE(T1_DEFAULT), IFS_SET) },
	{ "80h and 400h, T=1", AUTO | IFSD, "P1", SAYS(POWER_ON(0), CARD_T1_96, T1_DONE(T1_AT_96)) },
	{ "80h, T=1 with all of it, LRC", AUTO, "P1",
	  SAYS(POWER_ON(0), CARD_T1_LRC, T1_DONE(0x96, 0x10, 0, 0x45, 0, 0xFE, 0), IFS_SET) },
	{ "80h, T=1, CRC: it goes for S(IFS) too", AUTO, "P1",
	  SAYS(POWER_ON(0), CARD_T1_CRC, T1_DONE(0x96, 0x11, 0, 0x45, 0, 0xFE, 0),
	       XFR(6, 0x00, 0xC1, 0x01, 0xFE, 0x54, 0x4E), BLOCK(6, 0x00, 0xE1, 0x01, 0xFE, 0x57, 0x75)) },
	{ "80h, T=1, N 255", AUTO | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_T1_N255, T1_DONE(0x96, 0x10, 0xFF, 0x45, 0, 0xFE, 0)) },
	{ "80h, T=0, N 255", AUTO, "P0", SAYS(POWER_ON(0), CARD_T0_N255, T0_DONE(0x11, 0, 0xFF, 10, 0)) },
	{ "80h, inverse, N 8, WI 32", AUTO, "P0",
	  SAYS(POWER_ON(0), CARD_INVERSE, T0_DONE(0x11, 2, 8, 0x20, 0)) },
	{ "80h, T=0, clock stop either way", AUTO, "P0",
	  SAYS(POWER_ON(0), CARD_T0_STOP, T0_DONE(0x11, 0, 0, 10, 3)) },
	{ "80h, T=1, clock stop low", AUTO | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_T1_STOP, T1_DONE(0x11, 0x10, 0, 0x4D, 1, 0x20, 0)) },
	{ "80h, both, the first: T=0", AUTO, "P0", SAYS(POWER_ON(0), CARD_BOTH_96, T0_DONE(T0_AT_96)) },
	{ "80h, both, the second: T=1", AUTO | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_BOTH_96, T1_DONE(T1_AT_96)) },
	{ "80h, T=1 first, T=0 asked for", AUTO, "P0", SAYS(POWER_ON(0), CARD_OTHER_96, T0_DONE(T0_AT_96)) },
	{ "80h, T=1 first, by itself", AUTO | IFSD, "PA",
	  SAYS(POWER_ON(0), CARD_OTHER_96, T1_DONE(T1_AT_96), XFR(9, 0x00, 0x00, 0x05, READ_2, 0xB7),
	       BLOCK(6, 0x00, 0x00, 0x02, 0x90, 0x00, 0x92)) },
	{ "80h, specific mode", AUTO, "P0", SAYS(POWER_ON(0), CARD_T0_SPECIFIC, T0_DONE(0x95, 0, 0, 10, 0)) },
	{ "80h, specific mode, T=1", AUTO | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_T1_SPECIFIC, T1_DONE(0x95, 0x10, 0, 0x4D, 0, 0x20, 0)) },
	{ "80h, specific mode, the other protocol",
	  AUTO,
	  "P1!",
	  SAYS(POWER_ON(0), CARD_T0_SPECIFIC),
	  { OC_E_PROTOCOL } },
	{ "80h, implicit", AUTO, "P0!", SAYS(POWER_ON(0), CARD_T0_IMPLICIT), { OC_E_PROTOCOL } },
	{ "80h, implicit, T=1", AUTO, "P1!", SAYS(POWER_ON(0), CARD_T1_IMPLICIT), { OC_E_PROTOCOL } },
	{ "80h, Fi is reserved", AUTO, "P0", SAYS(POWER_ON(0), CARD_RESERVED_FI, T0_DONE(T0_DEFAULT)) },
	{ "80h, Di is reserved", AUTO, "P0", SAYS(POWER_ON(0), CARD_RESERVED_DI, T0_DONE(T0_DEFAULT)) },
	{ "80h, slower than the default", AUTO, "P0", SAYS(POWER_ON(0), CARD_SLOWER, T0_DONE(T0_DEFAULT)) },
	{ "80h, the reader is slower", AUTO, "P0", SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(0x95, 0, 0, 10, 0)),
	  .max_rate = 125000 },
	{ "80h, short APDU, T=1", SHORT_APDU | FOLLOWS | PPS, "P1",
	  SAYS(POWER_ON(0), CARD_T1_96, T1_DONE(T1_AT_96)) },
	{ "80h, extended APDU, T=0", EXTENDED_APDU | FOLLOWS | PPS, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(T0_AT_96)) },
	{ "80h, the card has no T=1", AUTO, "P1!", SAYS(POWER_ON(0), CARD_T0), { OC_E_PROTOCOL } },
	{ "80h, the card has no T=0", AUTO, "P0!", SAYS(POWER_ON(0), CARD_T1), { OC_E_PROTOCOL } },

	/* 10h or 20h is missing: the rate, and only where it is not the default's */
	{ "no 10h, no 20h", TPDU | PPS, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(T0_AT_96), RATE_SET(BPS_250000)) },
	{ "no 10h", TPDU | PPS | BAUD, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(T0_AT_96), RATE_SET(BPS_250000)) },
	{ "no 20h", TPDU | PPS | CLOCK, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(T0_AT_96), RATE_SET(BPS_250000)) },
	{ "neither, the default", TPDU | PPS, "P0", SAYS(POWER_ON(0), CARD_T0, T0_DONE(T0_DEFAULT)) },
	{ "neither, specific mode", TPDU | PPS, "P0",
	  SAYS(POWER_ON(0), CARD_T0_SPECIFIC, T0_DONE(0x95, 0, 0, 10, 0), RATE_SET(BPS_125000)) },
	{ "neither, T=1: the rate, then S(IFS)", TPDU | PPS, "P1",
	  SAYS(POWER_ON(0), CARD_T1_96, T1_DONE(T1_AT_96), RATE_SET(BPS_250000), IFS_SET) },
	{ "neither, and the reader refuses: it stays as it is", TPDU | PPS, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(T0_AT_96), RATE_ASKED(BPS_250000),
	       GIVES(0x84, 0, 0, 0, 0, 0, 0, 0x40, 0, 0)) },
	{ "neither, and the reader is unplugged",
	  TPDU | PPS,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(T0_AT_96), RATE_ASKED(BPS_250000), UNPLUG),
	  { OC_E_GONE } },
};

static void the_reader_does_the_pps(void **state)
{
	(void)state;
	TALK(by_the_reader);
}

/* Neither: the PPS in a block where it is needed, then SetParameters with the result */
static const struct talk by_the_host[] = {
	{ "T=0: nothing to select", HOST, "P0", SAYS(POWER_ON(0), CARD_T0, T0_DONE(T0_DEFAULT)) },
	{ "T=1: nothing to select", HOST, "P1", SAYS(POWER_ON(0), CARD_T1, T1_DONE(T1_DEFAULT), IFS_SET) },
	{ "TA1", HOST, "P0", SAYS(POWER_ON(0), CARD_T0_96, PPS_DONE(4, PPS_T0_96), T0_DONE(T0_AT_96)) },
	{ "TA1, 02h changes nothing", HOST | ATR_PARAM, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, PPS_DONE(4, PPS_T0_96), T0_DONE(T0_AT_96)) },
	{ "T=1, TA1", HOST, "P1",
	  SAYS(POWER_ON(0), CARD_T1_96, PPS_DONE(4, PPS_T1_96), T1_DONE(T1_AT_96), IFS_SET) },
	{ "T=1, TA1, 400h", HOST | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_T1_96, PPS_DONE(4, PPS_T1_96), T1_DONE(T1_AT_96)) },
	{ "T=1 with all of it, CRC", HOST | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_T1_CRC, PPS_DONE(4, PPS_T1_96), T1_DONE(0x96, 0x11, 0, 0x45, 0, 0xFE, 0)) },
	{ "both, the first: T=0, no PPS", HOST, "P0", SAYS(POWER_ON(0), CARD_BOTH, T0_DONE(T0_DEFAULT)) },
	{ "both, the second: T=1 by PPS", HOST | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_BOTH, PPS_DONE(3, PPS_T1), T1_DONE(T1_DEFAULT)) },
	{ "T=1 first: no PPS", HOST | IFSD, "P1", SAYS(POWER_ON(0), CARD_OTHER, T1_DONE(T1_DEFAULT)) },
	{ "T=1 first, T=0 by PPS", HOST, "P0",
	  SAYS(POWER_ON(0), CARD_OTHER, PPS_DONE(3, PPS_T0), T0_DONE(T0_DEFAULT)) },
	{ "both and TA1, T=1", HOST | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_BOTH_96, PPS_DONE(4, PPS_T1_96), T1_DONE(T1_AT_96)) },
	{ "both and TA1, the reader is too slow: the protocol alone", HOST | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_BOTH_96, PPS_DONE(3, PPS_T1), T1_DONE(T1_DEFAULT)), .max_rate = 10753 },
	{ "PPS1 is not echoed: the default holds", HOST, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, XFR(4, PPS_T0_96), BLOCK(3, PPS_T0), T0_DONE(T0_DEFAULT)) },
	{ "PPS1 is not echoed, and no rate is set", TPDU, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, XFR(4, PPS_T0_96), BLOCK(3, PPS_T0), T0_DONE(T0_DEFAULT)) },
	{ "specific mode: no PPS", HOST, "P0",
	  SAYS(POWER_ON(0), CARD_T0_SPECIFIC, T0_DONE(0x95, 0, 0, 10, 0)) },
	{ "specific mode, T=1: no PPS", HOST | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_T1_SPECIFIC, T1_DONE(0x95, 0x10, 0, 0x4D, 0, 0x20, 0)) },
	{ "specific mode, the other protocol",
	  HOST,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T1_SPECIFIC),
	  { OC_E_PROTOCOL } },
	{ "implicit", HOST, "P0!", SAYS(POWER_ON(0), CARD_T0_IMPLICIT), { OC_E_PROTOCOL } },
	{ "implicit, T=1", HOST, "P1!", SAYS(POWER_ON(0), CARD_T1_IMPLICIT), { OC_E_PROTOCOL } },
	{ "Fi is reserved", HOST, "P0", SAYS(POWER_ON(0), CARD_RESERVED_FI, T0_DONE(T0_DEFAULT)) },
	{ "Di is reserved", HOST, "P0", SAYS(POWER_ON(0), CARD_RESERVED_DI, T0_DONE(T0_DEFAULT)) },
	{ "slower than the default", HOST, "P0", SAYS(POWER_ON(0), CARD_SLOWER, T0_DONE(T0_DEFAULT)) },
	{ "N 255, T=1", HOST | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_T1_N255, PPS_DONE(4, PPS_T1_96),
	       T1_DONE(0x96, 0x10, 0xFF, 0x45, 0, 0xFE, 0)) },
	{ "the rate, after SetParameters", TPDU, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, PPS_DONE(4, PPS_T0_96), T0_DONE(T0_AT_96), RATE_SET(BPS_250000)) },
	{ "an APDU sets the first protocol", HOST, "PAA",
	  SAYS(POWER_ON(0), CARD_BOTH_96, PPS_DONE(4, PPS_T0_96), T0_DONE(T0_AT_96), XFR(5, READ_2),
	       BLOCK(2, 0x90, 0), XFR(5, READ_2), BLOCK(2, 0x90, 0)) },
	{ "after a reset, the other protocol", HOST | IFSD, "P0AP1A",
	  SAYS(POWER_ON(0), CARD_BOTH, T0_DONE(T0_DEFAULT), XFR(5, READ_2), BLOCK(2, 0x90, 0), POWER_ON(0),
	       CARD_BOTH, PPS_DONE(3, PPS_T1), T1_DONE(T1_DEFAULT), XFR(9, 0x00, 0x00, 0x05, READ_2, 0xB7),
	       BLOCK(6, 0x00, 0x00, 0x02, 0x90, 0x00, 0x92)) },
	{ "and back: T=1 starts with N(S) 0 again", HOST | IFSD, "P1AP0AP1A",
	  SAYS(POWER_ON(0), CARD_BOTH, PPS_DONE(3, PPS_T1), T1_DONE(T1_DEFAULT),
	       XFR(9, 0x00, 0x00, 0x05, READ_2, 0xB7), BLOCK(6, 0x00, 0x00, 0x02, 0x90, 0x00, 0x92),
	       POWER_ON(0), CARD_BOTH, T0_DONE(T0_DEFAULT), XFR(5, READ_2), BLOCK(2, 0x90, 0), POWER_ON(0),
	       CARD_BOTH, PPS_DONE(3, PPS_T1), T1_DONE(T1_DEFAULT), XFR(9, 0x00, 0x00, 0x05, READ_2, 0xB7),
	       BLOCK(6, 0x00, 0x00, 0x02, 0x90, 0x00, 0x92)) },

	/* APDU levels: a block cannot carry a PPS there */
	{ "short APDU, neither", SHORT_APDU | FOLLOWS, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(T0_DEFAULT)) },
	{ "short APDU, neither, and no SetParameters", SHORT_APDU | FOLLOWS, "P1",
	  SAYS(POWER_ON(0), CARD_T1, T1_ASKED(T1_DEFAULT), SET_FAILS(0x40, 0x00), GET_PARAMETERS,
	       SET_FAILS(0x40, 0x00)) },

	/* What one S(IFS request) may announce */
	{ "IFSD is that of the reader", HOST, "P1",
	  SAYS(POWER_ON(0), CARD_T1, T1_DONE(T1_DEFAULT), XFR(5, 0x00, 0xC1, 0x01, 0x31, 0xF1),
	       BLOCK(5, 0x00, 0xE1, 0x01, 0x31, 0xD1)),
	  .max_ifsd = 0x31 },
	{ "IFSD is what fits a message", HOST, "P1",
	  SAYS(POWER_ON(0), CARD_T1, T1_DONE(T1_DEFAULT), XFR(5, 0x00, 0xC1, 0x01, 0x31, 0xF1),
	       BLOCK(5, 0x00, 0xE1, 0x01, 0x31, 0xD1)),
	  .max_message = 64 },
	{ "IFSD 32 is the default", HOST, "P1", SAYS(POWER_ON(0), CARD_T1, T1_DONE(T1_DEFAULT)),
	  .max_ifsd = 32 },
	{ "the card refuses S(IFS)", HOST, "P1",
	  SAYS(POWER_ON(0), CARD_T1, T1_DONE(T1_DEFAULT), IFS_ASKED, BLOCK(4, 0x00, 0x82, 0x00, 0x82),
	       IFS_ASKED, BLOCK(4, 0x00, 0x82, 0x00, 0x82), IFS_ASKED, BLOCK(4, 0x00, 0x82, 0x00, 0x82)) },
};

static void the_host_does_the_pps(void **state)
{
	(void)state;
	TALK(by_the_host);
}

/* The reader refuses SetParameters: what it has is compared with what was asked for. */
static const struct talk compared[] = {
	{ "00h, and the same is in force", HOST, "P0",
	  SAYS(POWER_ON(0), CARD_T0, T0_ASKED(T0_DEFAULT), SET_FAILS(0x40, 0x00), GET_PARAMETERS,
	       T0_HAS(T0_DEFAULT)) },
	{ "Fi/Di, after a PPS, and it is in force", HOST, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, PPS_DONE(4, PPS_T0_96), T0_ASKED(T0_AT_96), SET_FAILS(0x40, 0x0A),
	       GET_PARAMETERS, T0_HAS(T0_AT_96)) },
	{ "80h: the reader's own PPS failed, so the card waits for a reset", AUTO, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, T0_ASKED(T0_AT_96), SET_FAILS(0x40, 0x0A), GET_PARAMETERS,
	       T0_HAS(T0_DEFAULT), RESET, CARD_T0_96, T0_DONE(0x95, 0, 0, 10, 0)) },
	{ "short APDU: the reader has another speed, and that is its business", SHORT_APDU | FOLLOWS | PPS,
	  "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, T0_ASKED(T0_AT_96), SET_FAILS(0x40, 0x0A), GET_PARAMETERS,
	       T0_HAS(T0_DEFAULT)) },
	{ "WI is another, and does not matter", HOST, "P0",
	  SAYS(POWER_ON(0), CARD_T0, T0_ASKED(T0_DEFAULT), SET_FAILS(0x40, 0x0D), GET_PARAMETERS,
	       T0_HAS(0x11, 0, 0, 20, 0)) },
	{ "IFSC is another, and does not matter", HOST | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_T1, T1_ASKED(T1_DEFAULT), SET_FAILS(0x40, 0x0F), GET_PARAMETERS,
	       T1_HAS(0x11, 0x10, 0, 0x4D, 0, 0xFE, 0)) },
	{ "the checksum is another",
	  HOST | IFSD,
	  "P1!",
	  SAYS(POWER_ON(0), CARD_T1, T1_ASKED(T1_DEFAULT), SET_FAILS(0x40, 0x0B), GET_PARAMETERS,
	       T1_HAS(0x11, 0x11, 0, 0x4D, 0, 0x20, 0)),
	  { OC_E_PROTOCOL } },
	{ "the protocol is another",
	  HOST,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T0, T0_ASKED(T0_DEFAULT), SET_FAILS(0x40, 0x07), GET_PARAMETERS,
	       T1_HAS(T1_DEFAULT)),
	  { OC_E_PROTOCOL } },
	{ "the reader is faster than the card",
	  HOST,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T0, T0_ASKED(T0_DEFAULT), SET_FAILS(0x40, 0x0A), GET_PARAMETERS,
	       T0_HAS(T0_AT_96)),
	  { OC_E_PROTOCOL } },
	{ "nobody knows",
	  HOST,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T0, T0_ASKED(T0_DEFAULT), SET_FAILS(0x40, 0x00), GET_PARAMETERS,
	       SET_FAILS(0x40, 0x00)),
	  { OC_E_PROTOCOL } },
	{ "what is in force is no structure",
	  HOST,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T0, T0_ASKED(T0_DEFAULT), SET_FAILS(0x40, 0x00), GET_PARAMETERS,
	       GIVES(0x82, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7)),
	  { OC_E_ANSWER } },
	{ "what is in force is for a memory card",
	  HOST,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T0, T0_ASKED(T0_DEFAULT), SET_FAILS(0x40, 0x00), GET_PARAMETERS,
	       GIVES(0x82, 5, 0, 0, 0, 0, 0, 0, 0, 0x80, 1, 2, 3, 4, 5)),
	  { OC_E_ANSWER } },
	{ "the card was pulled",
	  HOST,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T0, T0_ASKED(T0_DEFAULT), SET_FAILS(0x42, 0xFE)),
	  { OC_E_NO_CARD } },
	{ "unplugged",
	  HOST,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T0, T0_ASKED(T0_DEFAULT), SET_FAILS(0x40, 0x00), GET_PARAMETERS, UNPLUG),
	  { OC_E_GONE } },
	{ "the card was pulled at S(IFS)",
	  HOST,
	  "P1!",
	  SAYS(POWER_ON(0), CARD_T1, T1_DONE(T1_DEFAULT), IFS_ASKED, XFR_FAILS(0x42, 0xFE)),
	  { OC_E_NO_CARD } },
	{ "the card is mute at S(IFS)",
	  HOST,
	  "P1!",
	  SAYS(POWER_ON(0), CARD_T1, T1_DONE(T1_DEFAULT), IFS_ASKED, XFR_FAILS(0x40, 0xFE), IFS_ASKED,
	       XFR_FAILS(0x40, 0xFE), IFS_ASKED, XFR_FAILS(0x40, 0xFE)),
	  { OC_E_MUTE } },
};

static void refused_parameters(void **state)
{
	(void)state;
	TALK(compared);
}

/* ---- what the application asks for ---------------------------------------------------------------------------------- */

static const struct pts pts1_95 = { .has_pts1 = true, .pts1 = 0x95 };
static const struct pts pts1_default = { .has_pts1 = true, .pts1 = 0x11 };
static const struct pts pts2 = { .has_pts2 = true, .pts2 = 0x40 };
static const struct pts pts3 = { .has_pts3 = true, .pts3 = 0x05 };
static const struct pts all_pts = { true, true, true, 0x95, 0x40, 0x05 };

static const struct talk asked_for[] = {
	{ "PTS1 in the PPS", HOST, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, PPS_DONE(4, PPS_T0_95), T0_DONE(0x95, 0, 0, 10, 0)),
	  .pts = &pts1_95 },
	{ "PTS1 in the parameters", AUTO, "P0", SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(0x95, 0, 0, 10, 0)),
	  .pts = &pts1_95 },
	{ "PTS1 is the default", AUTO, "P0", SAYS(POWER_ON(0), CARD_T0_96, T0_DONE(T0_DEFAULT)),
	  .pts = &pts1_default },
	{ "PTS1 is the default, by PPS", HOST, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, PPS_DONE(3, PPS_T0), T0_DONE(T0_DEFAULT)), .pts = &pts1_default },
	{ "PTS1, refused: no other speed is tried",
	  HOST,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T0_96, XFR(4, PPS_T0_95), BLOCK(2, 0x6E, 0x00)),
	  { OC_E_PROTOCOL },
	  .pts = &pts1_95 },
	{ "PTS2", HOST, "P0",
	  SAYS(POWER_ON(0), CARD_T0, PPS_DONE(4, 0xFF, 0x20, 0x40, 0x9F), T0_DONE(T0_DEFAULT)),
	  .pts = &pts2 },
	{ "PTS3", HOST, "P0",
	  SAYS(POWER_ON(0), CARD_T0, PPS_DONE(4, 0xFF, 0x40, 0x05, 0xBA), T0_DONE(T0_DEFAULT)),
	  .pts = &pts3 },
	{ "PTS2 beside the best speed", HOST, "P0",
	  SAYS(POWER_ON(0), CARD_T0_96, PPS_DONE(5, 0xFF, 0x30, 0x96, 0x40, 0x19), T0_DONE(T0_AT_96)),
	  .pts = &pts2 },
	{ "all of them, T=1", HOST | IFSD, "P1",
	  SAYS(POWER_ON(0), CARD_T1_96, PPS_DONE(6, 0xFF, 0x71, 0x95, 0x40, 0x05, 0x5E),
	       T1_DONE(0x95, 0x10, 0, 0x4D, 0, 0x20, 0)),
	  .pts = &all_pts },
	{ "PTS2, which the reader cannot be told",
	  AUTO,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T0),
	  { OC_E_UNSUPPORTED },
	  .pts = &pts2 },
	{ "PTS3, which the reader cannot be told",
	  AUTO,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T0),
	  { OC_E_UNSUPPORTED },
	  .pts = &pts3 },
	{ "PTS2, 40h",
	  HOST | NEGOTIATES,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T0),
	  { OC_E_UNSUPPORTED },
	  .pts = &pts2 },
	{ "PTS2, short APDU",
	  SHORT_APDU | FOLLOWS,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T0),
	  { OC_E_UNSUPPORTED },
	  .pts = &pts2 },
	{ "PTS2, specific mode: there is no PPS to carry it",
	  HOST,
	  "P0!",
	  SAYS(POWER_ON(0), CARD_T0_SPECIFIC),
	  { OC_E_UNSUPPORTED },
	  .pts = &pts2 },
};

static void what_the_application_asks_for(void **state)
{
	(void)state;
	TALK(asked_for);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reader_negotiates),         cmocka_unit_test(the_reader_does_the_pps),
		cmocka_unit_test(the_host_does_the_pps),         cmocka_unit_test(refused_parameters),
		cmocka_unit_test(what_the_application_asks_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
