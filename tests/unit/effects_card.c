/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Effects on the protocol, the speed, the size of blocks and messages, and on time. */
#include "effects.h"

enum { HOST_PPS = 0x00010038, READER_PPS = 0x000100BA, SHORT_FEATURES = 0x000200BA, CHARACTERS = 0x000000BA };

/* ---- long messages ------------------------------------------------------------------------------------------------- */

/* WRITE BINARY of 255 bytes 00 as a T=0 TPDU: 270 bytes with the header */
static const uint8_t long_write[270] = {
	[0] = 0x6F, [1] = 0x04, [2] = 0x01, [11] = 0xD6, [14] = 0xFF,
};
#define WRITE_255                                                                 \
	{                                                                         \
		.kind = SCRIPT_OUT, .bytes = long_write, .len = sizeof long_write \
	}

/* READ BINARY of 54 bytes, and the answer's 54 bytes 00, in one message of 64 or in two */
#define READ_54  0x00, 0xB0, 0x00, 0x00, 0x36
#define ZEROS(n) GIVES_PADDED(n, 0x80, n, 0, 0, 0, 0, 0, 0, 0, 0)

/* The same with T=1: an I-block with 53 bytes of information, 51 of them 00, then 9000 and the LRC; 54 behind the prologue */
#define I_READ_54       XFR_3(9, 0x00, 0x00, 0x05, READ_54, 0x83)
#define XFR_3(len, ...) SENDS(0x6F, len, 0, 0, 0, 0, 0, 0, 3, 0, __VA_ARGS__)
static const uint8_t rest_of_block[64] = { [0] = 0x80, [1] = 54, [61] = 0x90, [63] = 0xA5 };
static const uint8_t rest_but_one[63] = { [0] = 0x80, [1] = 53, [60] = 0x90, [62] = 0xA5 };
#define IFS_BY_CHARACTERS \
	XFR_3(5, 0x00, 0xC1, 0x01, 0xFE, 0x3E), BLOCK(3, 0x00, 0xE1, 0x01), MORE(2), BLOCK(2, 0xFE, 0x1E)
#define GIVES_ARRAY(array)                                                \
	{                                                                 \
		.kind = SCRIPT_IN, .bytes = (array), .len = sizeof(array) \
	}

/* A block of 40 bytes of information from the card: 38 times 00, 9000, LRC */
static const uint8_t block_of_40[10 + 3 + 40 + 1] = {
	[0] = 0x80, [1] = 44, [10] = 0x00, [11] = 0x00, [12] = 40, [51] = 0x90, [53] = 40 ^ 0x90,
};
#define I_READ_2     XFR(9, 0x00, 0x00, 0x05, READ_2, 0xB7)
#define I_READ_2_NS1 XFR(9, 0x00, 0x40, 0x05, READ_2, 0xF7)
/* To a block that is no block: R-blocks, then RESYNCH, and the card's answer to it */
#define NOISE  BLOCK(4, 0xFF, 0xFF, 0xFF, 0xFF)
#define R_NAK  XFR(4, 0x00, 0x92, 0x00, 0x92)
#define I_DONE BLOCK(6, 0x00, 0x00, 0x02, 0x90, 0x00, 0x92)
#define RESYNCHED                                                                                          \
	I_READ_2, I_DONE, I_READ_2_NS1, NOISE, R_NAK, NOISE, R_NAK, NOISE, XFR(4, 0x00, 0xC0, 0x00, 0xC0), \
		BLOCK(4, 0x00, 0xE0, 0x00, 0xE0)

#define SET_T1_11 SENDS(0x61, 7, 0, 0, 0, 0, 0, 1, 0, 0, 0x11, 0x10, 0, 0x4D, 0, 0x20, 0)
#define SET_T1_96 SENDS(0x61, 7, 0, 0, 0, 0, 0, 1, 0, 0, 0x96, 0x10, 0, 0x4D, 0, 0x20, 0)
#define SET_T1_95 SENDS(0x61, 7, 0, 0, 0, 0, 0, 1, 0, 0, 0x95, 0x10, 0, 0x4D, 0, 0x20, 0)
/* SetParameters refused for its Fi and Di, and nobody knows what is in force */
#define REFUSED SET_FAILS(0x40, 0x0A), GET_PARAMETERS, SET_FAILS(0x40, 0)
/* The same in slot 1 */
#define SLOT_1_UP \
	SENDS(0x62, 0, 0, 0, 0, 1, 0, 0, 0, 0), GIVES(0x80, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0x3B, 0x10, 0x96)
#define SLOT_1_SET(fi_di)                                           \
	SENDS(0x61, 5, 0, 0, 0, 1, 0, 0, 0, 0, fi_di, 0, 0, 10, 0), \
		GIVES(0x82, 5, 0, 0, 0, 1, 0, 0, 0, 0, fi_di, 0, 0, 10, 0)
/* The answer to the last command is late by so many milliseconds */
#define LATE(ms) GIVES_AFTER(ms, 0x80, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x90, 0x00)
#define T0_UP    FOUND, POWER_ON(0), CARD_T0, T0_READY
/* What follows on a command that was not answered in time */
#define RECOVERED ABORT_CONTROL(OC_OK), ABORT_SENT, STATUS_IS(0x01)

/* TD1 says T=0, TA2 specific mode with T=1 */
#define CARD_SPECIFIC_T1 ATR_OF(6, 0x3B, 0x80, 0x90, 0x81, 0x01, 0x90)

static void no_s_ifs(struct ccid_caps *caps)
{
	caps->max_ifsd = 32;
}

const struct effect_row effects_card[] = {
	/* ---- sizes */
	{ "max-message: a TPDU of 260 bytes", QUIRK_MAX_MESSAGE, 271, .max_message = 263,
	  .without = { "P0W!", SAYS(T0_UP), { OC_E_UNSUPPORTED } },
	  .with = { "P0W", SAYS(T0_UP, WRITE_255, BLOCK(2, 0x90, 0x00)) } },
	{ "max-ifsd", QUIRK_MAX_IFSD, 48,
	  .without = { "P1", SAYS(FOUND, POWER_ON(0), CARD_T1, T1_READY, IFS_SET(254, 0x3E, 0x1E)) },
	  .with = { "P1", SAYS(FOUND, POWER_ON(0), CARD_T1, T1_READY, IFS_SET(48, 0xF0, 0xD0)) } },
	{ "no-ifsd: what the card sends is taken all the same", QUIRK_NO_IFSD, 1,
	  .without = { "P1A", SAYS(FOUND, POWER_ON(0), CARD_T1, T1_READY, IFS_SET(254, 0x3E, 0x1E), I_READ_2,
				   GIVES_ARRAY(block_of_40)) },
	  .with = { "P1A",
		    SAYS(FOUND, POWER_ON(0), CARD_T1, T1_READY, I_READ_2, GIVES_ARRAY(block_of_40)) } },
	{ "no-ifsd: nor after RESYNCH", QUIRK_NO_IFSD, 1,
	  .without = { "P1AA!A",
		       SAYS(FOUND, POWER_ON(0), CARD_T1, T1_READY, IFS_SET(254, 0x3E, 0x1E), RESYNCHED,
			    IFS_SET(254, 0x3E, 0x1E), I_READ_2, I_DONE),
		       { OC_E_CARD } },
	  .with = { "P1AA!A",
		    SAYS(FOUND, POWER_ON(0), CARD_T1, T1_READY, RESYNCHED, I_READ_2, I_DONE),
		    { OC_E_CARD } } },
	{ "no-full-packets: T=0", QUIRK_NO_FULL_PACKETS, 1, CHARACTERS, CCID_CHARACTER, true,
	  .without = { "P0F", SAYS(T0_UP, CHARS(1, 5, READ_54), BLOCK(1, 0xB0), MORE(54), ZEROS(54), MORE(1),
				   BLOCK(2, 0x90, 0x00)) },
	  .with = { "P0F", SAYS(T0_UP, CHARS(1, 5, READ_54), BLOCK(1, 0xB0), MORE(1), ZEROS(1), MORE(53),
				ZEROS(53), MORE(1), BLOCK(2, 0x90, 0x00)) } },
	{ "no-full-packets: T=0, one byte fewer", QUIRK_NO_FULL_PACKETS, 1, CHARACTERS, CCID_CHARACTER, true,
	  .without = { "P0A", SAYS(T0_UP, CHARS(1, 5, READ_2), BLOCK(1, 0xB0), MORE(2), ZEROS(2), MORE(1),
				   BLOCK(2, 0x90, 0x00)) },
	  .with = { "P0A", SAYS(T0_UP, CHARS(1, 5, READ_2), BLOCK(1, 0xB0), MORE(2), ZEROS(2), MORE(1),
				BLOCK(2, 0x90, 0x00)) } },
	{ "no-full-packets: T=1", QUIRK_NO_FULL_PACKETS, 1, CHARACTERS, CCID_CHARACTER, true,

	  .without = { "P1F", SAYS(FOUND, POWER_ON(0), CARD_T1, T1_READY, IFS_BY_CHARACTERS, I_READ_54,
				   BLOCK(3, 0x00, 0x00, 0x35), MORE(54), GIVES_ARRAY(rest_of_block)) },
	  .with = { "P1F", SAYS(FOUND, POWER_ON(0), CARD_T1, T1_READY, IFS_BY_CHARACTERS, I_READ_54,
				BLOCK(3, 0x00, 0x00, 0x35), MORE(1), ZEROS(1), MORE(53),
				GIVES_ARRAY(rest_but_one)) } },
	{ "level: the reader takes whole APDUs", QUIRK_LEVEL, CCID_EXTENDED_APDU,
	  .without = { "P0C", SAYS(T0_UP, XFR(7, 0x00, 0xA4, 0x00, 0x00, 0x02, 0x3F, 0x00), BLOCK(2, 0x61, 2),
				   XFR(5, 0x00, 0xC0, 0x00, 0x00, 0x02), BLOCK(4, 1, 2, 0x90, 0x00)) },
	  .with = { "P0C", SAYS(T0_UP, XFR(8, 0x00, 0xA4, 0x00, 0x00, 0x02, 0x3F, 0x00, 0x02),
				BLOCK(4, 1, 2, 0x90, 0x00)) } },

	/* ---- speed and protocol */
	{ "max-rate", QUIRK_MAX_RATE, 200000,
	  .without = { "P0", SAYS(FOUND, POWER_ON(0), CARD_T0_96, T0_SET(0x96, 0, 0, 10, 0)) },
	  .with = { "P0", SAYS(FOUND, POWER_ON(0), CARD_T0_96, T0_SET(0x95, 0, 0, 10, 0)) } },
	{ "max-rate: none but the default", QUIRK_MAX_RATE, 9600,
	  .without = { "P0", SAYS(FOUND, POWER_ON(0), CARD_T0_96, T0_SET(0x96, 0, 0, 10, 0)) },
	  .with = { "P0", SAYS(FOUND, POWER_ON(0), CARD_T0_96, T0_READY) } },
	{ "other-slots-max-rate", QUIRK_OTHER_SLOTS_RATE, 125000, .slots = 2,
	  .without = { "P0Q2", SAYS(FOUND, POWER_ON(0), CARD_T0_96, T0_SET(0x96, 0, 0, 10, 0), SLOT_1_UP,
				    SLOT_1_SET(0x96)) },
	  .with = { "P0Q2", SAYS(FOUND, POWER_ON(0), CARD_T0_96, T0_SET(0x96, 0, 0, 10, 0), SLOT_1_UP,
				 SLOT_1_SET(0x95)) } },
	{ "no-pps: the host", QUIRK_NO_PPS, 1, HOST_PPS,
	  .without = { "P0", SAYS(FOUND, POWER_ON(0), CARD_BOTH_96, XFR(4, 0xFF, 0x10, 0x96, 0x79),
				  BLOCK(4, 0xFF, 0x10, 0x96, 0x79), T0_SET(0x96, 0, 0, 10, 0)) },
	  .with = { "P0", SAYS(FOUND, POWER_ON(0), CARD_BOTH_96, T0_READY) } },
	{ "no-pps: the reader", QUIRK_NO_PPS, 1, READER_PPS,
	  .without = { "P0", SAYS(FOUND, POWER_ON(0), CARD_BOTH_96, T0_SET(0x96, 0, 0, 10, 0)) },
	  .with = { "P0", SAYS(FOUND, POWER_ON(0), CARD_BOTH_96, T0_READY) } },
	{ "no-pps: another protocol than the card's first one", QUIRK_NO_PPS, 1, HOST_PPS, .more = no_s_ifs,
	  .without = { "P1",
		       SAYS(FOUND, POWER_ON(0), CARD_BOTH_96, XFR(4, 0xFF, 0x11, 0x96, 0x78),
			    BLOCK(4, 0xFF, 0x11, 0x96, 0x78), T1_SET(0x96, 0x10, 0, 0x4D, 0, 0x20, 0)) },
	  .with = { "P1!0", SAYS(FOUND, POWER_ON(0), CARD_BOTH_96, T0_READY), { OC_E_PROTOCOL } } },
	{ "no-pps: a card in specific mode needs none", QUIRK_NO_PPS, 1, HOST_PPS,
	  .without = { "P0", SAYS(FOUND, POWER_ON(0), ATR_OF(5, 0x3B, 0x90, 0x95, 0x10, 0x80),
				  T0_SET(0x95, 0, 0, 10, 0)) },
	  .with = { "P0", SAYS(FOUND, POWER_ON(0), ATR_OF(5, 0x3B, 0x90, 0x95, 0x10, 0x80),
			       T0_SET(0x95, 0, 0, 10, 0)) } },
	{ "no-pps: a card in specific mode with another protocol than its first one", QUIRK_NO_PPS, 1,
	  HOST_PPS, .more = no_s_ifs,
	  .without = { "P1", SAYS(FOUND, POWER_ON(0), CARD_SPECIFIC_T1, T1_READY) },
	  .with = { "P1", SAYS(FOUND, POWER_ON(0), CARD_SPECIFIC_T1, T1_READY) } },
	{ "ignore-parameters", QUIRK_IGNORE_PARAMETERS, 1, .more = no_s_ifs,
	  .without = { "P1!", SAYS(FOUND, POWER_ON(0), CARD_T1, SET_T1_11, REFUSED), { OC_E_PROTOCOL } },
	  .with = { "P1A", SAYS(FOUND, POWER_ON(0), CARD_T1, SET_T1_11, REFUSED, RESET, CARD_T1, RESET,
				CARD_T1, I_READ_2, I_DONE) } },
	{ "ignore-parameters: the lower speeds first", QUIRK_IGNORE_PARAMETERS, 1, .more = no_s_ifs,
	  .without = { "P1!",
		       SAYS(FOUND, POWER_ON(0), CARD_T1_96, SET_T1_96, REFUSED, RESET, CARD_T1_96, SET_T1_95,
			    REFUSED, RESET, CARD_T1_96, SET_T1_11, REFUSED),
		       { OC_E_PROTOCOL } },
	  .with = { "P1", SAYS(FOUND, POWER_ON(0), CARD_T1_96, SET_T1_96, REFUSED, RESET, CARD_T1_96,
			       SET_T1_95, REFUSED, RESET, CARD_T1_96, SET_T1_11, REFUSED, RESET, CARD_T1_96,
			       RESET, CARD_T1_96) } },
	{ "ignore-parameters: not with T=0", QUIRK_IGNORE_PARAMETERS, 1,
	  .without = { "P0!",
		       SAYS(FOUND, POWER_ON(0), CARD_T0, SET_T0(0x11, 0, 0, 10, 0), REFUSED),
		       { OC_E_PROTOCOL } },
	  .with = { "P0!",
		    SAYS(FOUND, POWER_ON(0), CARD_T0, SET_T0(0x11, 0, 0, 10, 0), REFUSED),
		    { OC_E_PROTOCOL } } },
	{ "ignore-parameters: another card came in between", QUIRK_IGNORE_PARAMETERS, 1, .more = no_s_ifs,
	  .without = { "P1!", SAYS(FOUND, POWER_ON(0), CARD_T1, SET_T1_11, REFUSED), { OC_E_PROTOCOL } },
	  .with = { "P1!",
		    SAYS(FOUND, POWER_ON(0), CARD_T1, SET_T1_11, REFUSED, RESET, CARD_T0),
		    { OC_E_UNPOWERED } } },

	/* ---- time */
	{ "extra-wait: T=0", QUIRK_EXTRA_WAIT, 10,
	  .without = { "P0A!", SAYS(T0_UP, XFR(5, READ_2), RECOVERED), { OC_E_TIMEOUT } },
	  .with = { "P0A", SAYS(T0_UP, XFR(5, READ_2), LATE(12000)) } },
	{ "extra-wait: T=1", QUIRK_EXTRA_WAIT, 300, .more = no_s_ifs,
	  .without = { "P1A!",
		       SAYS(FOUND, POWER_ON(0), CARD_T1, T1_READY, I_READ_2, RECOVERED),
		       { OC_E_TIMEOUT } },
	  .with = { "P1A", SAYS(FOUND, POWER_ON(0), CARD_T1, T1_READY, I_READ_2,
				GIVES_AFTER(300000, 0x80, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x00, 0x02, 0x90,
					    0x00, 0x92)) } },
	{ "extra-wait: whole APDUs", QUIRK_EXTRA_WAIT, 10, SHORT_FEATURES, CCID_SHORT_APDU, true,
	  .without = { "P0A!", SAYS(T0_UP, XFR(5, READ_2), RECOVERED), { OC_E_TIMEOUT } },
	  .with = { "P0A", SAYS(T0_UP, XFR(5, READ_2), LATE(20000)) } },
	{ "extra-wait: for nothing but the card", QUIRK_EXTRA_WAIT, 300, .timed = true,
	  .without = { "P!", SAYS(FOUND, POWER_ON(0), RECOVERED), { OC_E_TIMEOUT }, .ms = 6000 },
	  .with = { "P!", SAYS(FOUND, POWER_ON(0), RECOVERED), { OC_E_TIMEOUT }, .ms = 6000 } },
};

const size_t effects_card_len = COUNT(effects_card);
