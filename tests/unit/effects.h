/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What each effect of a .reader file does: the same calls to the same reader, without the effect and with it, message by
 * message. The rows stand in effects_*.c.
 */
#ifndef OPENCCID_TESTS_EFFECTS_H
#define OPENCCID_TESTS_EFFECTS_H

#include "quirk/quirk.h"
#include "slot_bench.h"

/* One of the two conversations */
struct effect_talk {
	/*
	 * P Q: power up slot 0, slot 1; 0 1: set T=0, T=1; 2: set T=0 in slot 1; A: READ BINARY of 2 bytes; F: of 54; C: a
	 * case 4; W: 255 bytes of data; ? -: a card is there, is not; r i: the reader notifies of a removal, an
	 * insertion; e n: the slot has events, has none; t: 11 seconds pass. '!' behind it: the call fails, with the next
	 * one of err[].
	 */
	const char *calls;
	const struct script_step *steps; /* from reader_open() on */
	enum oc_err err[3];
	enum oc_err open;     /* what reader_open() returns; then nothing is called */
	const char *firmware; /* the name that was learnt; NULL: none */
	unsigned lcd;         /* lines << 8 | columns, as the driver knows them */
	unsigned ms;          /* at the end so much time has passed */
};

struct effect_row {
	const char *name;
	enum quirk_key key;
	uint32_t value; /* as the parser stores it */
	/* The reader: what differs from that of slot_bench.h, which gets automatic voltage */
	uint32_t features; /* 0: 000100BAh, those of a TPDU reader that does the PPS */
	enum ccid_level level;
	bool level_given, interrupt, timed;
	uint32_t max_message;
	unsigned slots;
	void (*more)(struct ccid_caps *caps);
	struct ccid_bytes bytes; /* instead of value, for QUIRK_BYTES */
	struct effect_talk without, with;
};

extern const struct effect_row effects_open[], effects_card[];
extern const size_t effects_open_len, effects_card_len;

/* The Escape command that brings the prompts, as a whole message; filled in before the rows are played. */
enum { PROMPTS_MESSAGE = 10 + 165 };
extern uint8_t effects_prompts[PROMPTS_MESSAGE];

#define FOUND                       STATUS_ASKED, STATUS_IS(0x01)
#define SAYS(...)                   .steps = STEPS(__VA_ARGS__)
#define OF_BYTES(count, ...)        .bytes = { .len = (count), .at = { __VA_ARGS__ } }
#define ESCAPE_SENT(len, ...)       SENDS(0x6B, len, 0, 0, 0, 0, 0, 0, 0, 0, __VA_ARGS__)
#define ESCAPE_DONE                 GIVES(0x83, 0, 0, 0, 0, 0, 0, 0x01, 0, 0)
#define ESCAPE_FAILS(status, error) GIVES(0x83, 0, 0, 0, 0, 0, 0, status, error, 0)
#define OFF_SENT                    SENDS(0x63, 0, 0, 0, 0, 0, 0, 0, 0, 0)
#define OFF_FAILS(status, error)    GIVES(0x81, 0, 0, 0, 0, 0, 0, status, error, 0)
#define ABORT_CONTROL(code)         CONTROL(code, 0x21, 0x01, 0, 0)
#define ABORT_SENT                  SENDS(0x72, 0, 0, 0, 0, 0, 0, 0, 0, 0)
#define SET_FAILS(status, error)    GIVES(0x82, 0, 0, 0, 0, 0, 0, status, error, 0)
#define GET_PARAMETERS              SENDS(0x6C, 0, 0, 0, 0, 0, 0, 0, 0, 0)
#define CHARS(n, len, ...)          SENDS(0x6F, len, 0, 0, 0, 0, 0, 0, n, 0, __VA_ARGS__)
#define MORE(n)                     SENDS(0x6F, 0, 0, 0, 0, 0, 0, 0, n, 0)

#define CARD_T0      ATR_OF(2, 0x3B, 0x00)
#define CARD_T0_96   ATR_OF(3, 0x3B, 0x10, 0x96)
#define CARD_T1      ATR_OF(4, 0x3B, 0x80, 0x01, 0x81)
#define CARD_T1_96   ATR_OF(5, 0x3B, 0x90, 0x96, 0x01, 0x07)
#define CARD_BOTH_96 ATR_OF(6, 0x3B, 0x90, 0x96, 0x80, 0x01, 0x87) /* T=0 first */
#define RESET        POWERED_OFF, POWER_ON_RESTED(0)
#define T0_READY     T0_SET(0x11, 0, 0, 10, 0)
#define T1_READY     T1_SET(0x11, 0x10, 0, 0x4D, 0, 0x20, 0)
/* S(IFS request) with LRC, and the card's response */
#define IFS_SET(ifsd, lrc, answer_lrc) \
	XFR(5, 0x00, 0xC1, 0x01, ifsd, lrc), BLOCK(5, 0x00, 0xE1, 0x01, ifsd, answer_lrc)
#define READ_2 0x00, 0xB0, 0x00, 0x00, 0x02

#endif
