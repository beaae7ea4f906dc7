/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command APDUs through a slot, at TPDU level and at both APDU levels. */
#include "slot_bench.h"

enum { RX_CANARY = 16 };

#define UP       POWER_ON(1), ATR_OF(2, 0x3B, 0x00)
#define SET      T0_SET(0x11, 0, 0, 10, 0)
#define ICC_DATA 0xAA, 0xBB
#define READ_2   0x00, 0xB0, 0x00, 0x00, 0x02
#define SELECT   0x00, 0xA4, 0x04, 0x00, 0x02, 0x3F, 0x00
#define GET_2    0x00, 0xC0, 0x00, 0x00, 0x02

static const struct {
	const char *name;
	enum ccid_level level;
	const struct script_step *steps; /* behind power-up and SetParameters */
	const uint8_t *tx;
	size_t tx_len;
	enum oc_err err;
	uint8_t rx[8];
	size_t rx_len, cap; /* room; 0 = 258 */
} transmit_rows[] = {
	{ "2S",
	  CCID_TPDU,
	  STEPS(XFR(5, READ_2), BLOCK(4, ICC_DATA, 0x90, 0)),
	  BYTES(READ_2),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
	{ "2S: 6Cxx goes back",
	  CCID_TPDU,
	  STEPS(XFR(5, READ_2), BLOCK(2, 0x6C, 5)),
	  BYTES(READ_2),
	  OC_OK,
	  { 0x6C, 5 },
	  2,
	  0 },
	{ "3S: 61xx goes back",
	  CCID_TPDU,
	  STEPS(XFR(7, SELECT), BLOCK(2, 0x61, 0x1A)),
	  BYTES(SELECT),
	  OC_OK,
	  { 0x61, 0x1A },
	  2,
	  0 },
	{ "4S: GET RESPONSE",
	  CCID_TPDU,
	  STEPS(XFR(7, SELECT), BLOCK(2, 0x61, 2), XFR(5, GET_2), BLOCK(4, ICC_DATA, 0x90, 0)),
	  BYTES(SELECT, 0),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
	{ "4S at short APDU level goes as it is",
	  CCID_SHORT_APDU,
	  STEPS(XFR(8, SELECT, 0), BLOCK(4, ICC_DATA, 0x90, 0)),
	  BYTES(SELECT, 0),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
	{ "case 1 at short APDU level goes as it is",
	  CCID_SHORT_APDU,
	  STEPS(XFR(4, 0x00, 0x44, 0x00, 0x00), BLOCK(2, 0x90, 0)),
	  BYTES(0x00, 0x44, 0x00, 0x00),
	  OC_OK,
	  { 0x90, 0 },
	  2,
	  0 },
	{ "a time extension before the answer",
	  CCID_TPDU,
	  STEPS(XFR(5, READ_2), GIVES(0x80, 0, 0, 0, 0, 0, 0, 0x80, 1, 0), BLOCK(4, ICC_DATA, 0x90, 0)),
	  BYTES(READ_2),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
	{ "a padded answer",
	  CCID_TPDU,
	  STEPS(XFR(5, READ_2), GIVES_PADDED(50, 0x80, 4, 0, 0, 0, 0, 0, 0, 0, 0, ICC_DATA, 0x90, 0)),
	  BYTES(READ_2),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },

	/* Nothing is sent */
	{ "three bytes", CCID_TPDU, STEPS(END), BYTES(0, 0xB0, 0), OC_E_APDU, { 0 }, 0, 0 },
	{ "Lc does not fit", CCID_TPDU, STEPS(END), BYTES(0, 0xD6, 0, 0, 5, 1), OC_E_APDU, { 0 }, 0, 0 },
	{ "Lc does not fit, short APDU level",
	  CCID_SHORT_APDU,
	  STEPS(END),
	  BYTES(0, 0xD6, 0, 0, 5, 1),
	  OC_E_APDU,
	  { 0 },
	  0,
	  0 },
	{ "INS 6x with T=0", CCID_TPDU, STEPS(END), BYTES(0, 0x61, 0, 0, 1), OC_E_APDU, { 0 }, 0, 0 },
	{ "extended 2E, INS 6x with T=0",
	  CCID_TPDU,
	  STEPS(END),
	  BYTES(0, 0x61, 0, 0, 0, 1, 0),
	  OC_E_APDU,
	  { 0 },
	  0,
	  0 },
	{ "extended 2E, short APDU level",
	  CCID_SHORT_APDU,
	  STEPS(END),
	  BYTES(0, 0xB0, 0, 0, 0, 1, 0),
	  OC_E_EXTENDED,
	  { 0 },
	  0,
	  0 },
	{ "extended 3E, short APDU level",
	  CCID_SHORT_APDU,
	  STEPS(END),
	  BYTES(0, 0xD6, 0, 0, 0, 0, 1, 7),
	  OC_E_EXTENDED,
	  { 0 },
	  0,
	  0 },

	/* Extended ones with T=0 at TPDU level: by short TPDUs */
	{ "2E: Ne 256 goes as 2S",
	  CCID_TPDU,
	  STEPS(XFR(5, 0x00, 0xB0, 0x00, 0x00, 0x00), BLOCK(4, ICC_DATA, 0x90, 0)),
	  BYTES(0, 0xB0, 0, 0, 0, 1, 0),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
	{ "2E: GET RESPONSE",
	  CCID_TPDU,
	  STEPS(XFR(5, 0x00, 0xB0, 0x00, 0x00, 0x00), BLOCK(4, ICC_DATA, 0x61, 2), XFR(5, GET_2),
		BLOCK(4, 0xCC, 0xDD, 0x90, 0)),
	  BYTES(0, 0xB0, 0, 0, 0, 1, 1),
	  OC_OK,
	  { ICC_DATA, 0xCC, 0xDD, 0x90, 0 },
	  6,
	  0 },
	{ "2E: F6h to GET RESPONSE",
	  CCID_TPDU,
	  STEPS(XFR(5, 0x00, 0xB0, 0x00, 0x00, 0x00), BLOCK(4, ICC_DATA, 0x61, 2), XFR(5, GET_2),
		XFR_FAILS(0x40, 0xF6), SET, XFR(5, GET_2), BLOCK(4, 0xCC, 0xDD, 0x90, 0)),
	  BYTES(0, 0xB0, 0, 0, 0, 1, 1),
	  OC_OK,
	  { ICC_DATA, 0xCC, 0xDD, 0x90, 0 },
	  6,
	  0 },
	{ "3E: Nc 2 goes as 3S",
	  CCID_TPDU,
	  STEPS(XFR(7, SELECT), BLOCK(2, 0x61, 0x1A)),
	  BYTES(0, 0xA4, 4, 0, 0, 0, 2, 0x3F, 0),
	  OC_OK,
	  { 0x61, 0x1A },
	  2,
	  0 },
	{ "4E: Nc 2 goes as 4S",
	  CCID_TPDU,
	  STEPS(XFR(7, SELECT), BLOCK(2, 0x61, 2), XFR(5, GET_2), BLOCK(4, ICC_DATA, 0x90, 0)),
	  BYTES(0, 0xA4, 4, 0, 0, 0, 2, 0x3F, 0, 0, 0),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
	{ "4E at extended APDU level goes as it is",
	  CCID_EXTENDED_APDU,
	  STEPS(XFR(11, 0, 0xA4, 4, 0, 0, 0, 2, 0x3F, 0, 0, 0), BLOCK(4, ICC_DATA, 0x90, 0)),
	  BYTES(0, 0xA4, 4, 0, 0, 0, 2, 0x3F, 0, 0, 0),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
	{ "short APDU at extended APDU level",
	  CCID_EXTENDED_APDU,
	  STEPS(XFR(8, SELECT, 0), BLOCK(4, ICC_DATA, 0x90, 0)),
	  BYTES(SELECT, 0),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
	{ "extended APDU level: the answer comes in parts",
	  CCID_EXTENDED_APDU,
	  STEPS(XFR(5, READ_2), GIVES(0x80, 2, 0, 0, 0, 0, 0, 0, 0, 1, ICC_DATA),
		SENDS(0x6F, 0, 0, 0, 0, 0, 0, 0, 0x10, 0), GIVES(0x80, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0xCC, 0xDD),
		SENDS(0x6F, 0, 0, 0, 0, 0, 0, 0, 0x10, 0), GIVES(0x80, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0x90, 0)),
	  BYTES(READ_2),
	  OC_OK,
	  { ICC_DATA, 0xCC, 0xDD, 0x90, 0 },
	  6,
	  0 },

	/* Answers that do not fit, or are none */
	{ "exact room",
	  CCID_TPDU,
	  STEPS(XFR(5, READ_2), BLOCK(4, ICC_DATA, 0x90, 0)),
	  BYTES(READ_2),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  4 },
	{ "no room",
	  CCID_TPDU,
	  STEPS(XFR(5, READ_2), BLOCK(4, ICC_DATA, 0x90, 0)),
	  BYTES(READ_2),
	  OC_E_SPACE,
	  { 0 },
	  0,
	  3 },
	{ "no room, short APDU level",
	  CCID_SHORT_APDU,
	  STEPS(XFR(5, READ_2), BLOCK(4, ICC_DATA, 0x90, 0)),
	  BYTES(READ_2),
	  OC_E_SPACE,
	  { 0 },
	  0,
	  3 },
	{ "more than asked for",
	  CCID_TPDU,
	  STEPS(XFR(5, READ_2), BLOCK(5, ICC_DATA, 0xCC, 0x90, 0)),
	  BYTES(READ_2),
	  OC_E_CARD,
	  { 0 },
	  0,
	  0 },
	{ "an empty answer",
	  CCID_TPDU,
	  STEPS(XFR(5, READ_2), XFR_FAILS(0, 0)),
	  BYTES(READ_2),
	  OC_E_CARD,
	  { 0 },
	  0,
	  0 },
	{ "an empty answer, short APDU level",
	  CCID_SHORT_APDU,
	  STEPS(XFR(5, READ_2), XFR_FAILS(0, 0)),
	  BYTES(READ_2),
	  OC_E_CARD,
	  { 0 },
	  0,
	  0 },
	{ "one byte, short APDU level",
	  CCID_SHORT_APDU,
	  STEPS(XFR(5, READ_2), BLOCK(1, 0x90)),
	  BYTES(READ_2),
	  OC_E_CARD,
	  { 0 },
	  0,
	  0 },
	{ "mute: not sent again",
	  CCID_TPDU,
	  STEPS(XFR(5, READ_2), XFR_FAILS(0x40, 0xFE)),
	  BYTES(READ_2),
	  OC_E_MUTE,
	  { 0 },
	  0,
	  0 },
	{ "parity error: not sent again",
	  CCID_TPDU,
	  STEPS(XFR(5, READ_2), XFR_FAILS(0x40, 0xFD)),
	  BYTES(READ_2),
	  OC_E_CARD,
	  { 0 },
	  0,
	  0 },
	{ "pulled out",
	  CCID_TPDU,
	  STEPS(XFR(5, READ_2), XFR_FAILS(0x42, 0xFE)),
	  BYTES(READ_2),
	  OC_E_NO_CARD,
	  { 0 },
	  0,
	  0 },
	{ "unplugged", CCID_TPDU, STEPS(XFR(5, READ_2), UNPLUG), BYTES(READ_2), OC_E_GONE, { 0 }, 0, 0 },
	{ "unplugged before GET RESPONSE",
	  CCID_TPDU,
	  STEPS(XFR(7, SELECT), BLOCK(2, 0x61, 2), UNPLUG),
	  BYTES(SELECT, 0),
	  OC_E_GONE,
	  { 0 },
	  0,
	  0 },

	/* F6h: the reader forgot its parameters. They are set again, and the same TPDU goes out once more. */
	{ "F6h to GET RESPONSE",
	  CCID_TPDU,
	  STEPS(XFR(7, SELECT), BLOCK(2, 0x61, 2), XFR(5, GET_2), XFR_FAILS(0x40, 0xF6), SET, XFR(5, GET_2),
		BLOCK(4, ICC_DATA, 0x90, 0)),
	  BYTES(SELECT, 0),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
	{ "F6h to GET RESPONSE twice",
	  CCID_TPDU,
	  STEPS(XFR(7, SELECT), BLOCK(2, 0x61, 2), XFR(5, GET_2), XFR_FAILS(0x40, 0xF6), SET, XFR(5, GET_2),
		XFR_FAILS(0x40, 0xF6)),
	  BYTES(SELECT, 0),
	  OC_E_PROTOCOL,
	  { 0 },
	  0,
	  0 },
	{ "F6h to the command",
	  CCID_TPDU,
	  STEPS(XFR(5, READ_2), XFR_FAILS(0x40, 0xF6), SET, XFR(5, READ_2), BLOCK(4, ICC_DATA, 0x90, 0)),
	  BYTES(READ_2),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
};

/* Power up and set the protocol, then go on with these steps. */
static void up(struct slot_bench *b, enum ccid_level level, const struct script_step *steps)
{
	uint8_t atr[ATR_MAX];
	size_t len;

	slot_bench_begin(b);
	b->setup.caps.level = level;
	b->setup.caps.features = (0x10000u << (level - CCID_TPDU)) | 0xB0;
	slot_bench_open(b, STEPS(UP, SET));
	assert_int_equal(slot_power_up(b->slot, atr, &len), OC_OK);
	assert_int_equal(slot_set_protocol(b->slot, CCID_PROTOCOL_T0, NULL), OC_OK);
	script_continue(&b->script, steps);
	memset(b->log.count, 0, sizeof b->log.count);
}

static void transmitting(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(transmit_rows); i++) {
		const char *name = transmit_rows[i].name;
		const size_t cap = transmit_rows[i].cap ? transmit_rows[i].cap : 258;
		size_t len = cap;
		uint8_t rx[258 + RX_CANARY], *tx = exact_copy(transmit_rows[i].tx, transmit_rows[i].tx_len);
		struct slot_bench b;

		memset(rx, 0xEE, sizeof rx);
		up(&b, transmit_rows[i].level, transmit_rows[i].steps);
		CHECK_INT(name, slot_transmit(b.slot, tx, transmit_rows[i].tx_len, rx, &len),
			  transmit_rows[i].err);
		CHECK_BYTES(name, rx, len, transmit_rows[i].rx, transmit_rows[i].rx_len);
		for (size_t n = cap; n < sizeof rx; n++)
			CHECK(name, rx[n] == 0xEE);
		slot_bench_end(name, &b);
		free(tx);
	}
	check_done();
}

/* What a person has to do about a reader that refuses for good must be in one line, and in one only. */
static void f6_twice_is_told_once(void **state)
{
	const struct script_step steps[] = {
		XFR(7, SELECT), BLOCK(2, 0x61, 2),     XFR(5, GET_2), XFR_FAILS(0x40, 0xF6), SET,
		XFR(5, GET_2),  XFR_FAILS(0x40, 0xF6), END,
	};
	uint8_t rx[258];
	size_t len = sizeof rx;
	struct slot_bench b;

	(void)state;
	up(&b, CCID_TPDU, steps);
	CHECK_INT("F6", slot_transmit(b.slot, ((const uint8_t[]){ SELECT, 0 }), 8, rx, &len), OC_E_PROTOCOL);
	CHECK_INT("critical lines", b.log.count[OC_LOG_CRITICAL], 1);
	/* What happened, and what to do about it, in words. */
	CHECK("who refused", strstr(b.log.last[OC_LOG_CRITICAL], "reader refuse") != NULL);
	CHECK("what to do", strstr(b.log.last[OC_LOG_CRITICAL], "Pull the card") != NULL);
	slot_bench_end("F6", &b);
	check_done();
}

static void the_first_protocol_is_set_by_itself(void **state)
{
	uint8_t atr[ATR_MAX], rx[258];
	size_t atr_len, len = sizeof rx;
	struct slot_state is;
	struct slot_bench b;

	(void)state;
	slot_bench_begin(&b);
	b.setup.caps.features = 0x000100B0;
	slot_bench_open(&b, STEPS(UP, SET, XFR(5, READ_2), BLOCK(4, ICC_DATA, 0x90, 0), XFR(5, READ_2),
				  BLOCK(2, 0x6A, 0x82)));
	CHECK_INT("up", slot_power_up(b.slot, atr, &atr_len), OC_OK);
	CHECK_INT("first", slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_OK);
	CHECK_INT("first", len, 4);
	len = sizeof rx;
	CHECK_INT("second: no SetParameters",
		  slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_OK);
	slot_get_state(b.slot, &is);
	CHECK("set", is.protocol_set && is.protocol == CCID_PROTOCOL_T0);
	slot_bench_end("by itself", &b);
	check_done();
}

static void nothing_goes_to_a_card_without_power(void **state)
{
	uint8_t rx[258];
	size_t len = sizeof rx;
	struct slot_bench b;

	(void)state;
	slot_bench_begin(&b);
	slot_bench_open(&b, script_nothing);
	CHECK_INT("off", slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_E_UNPOWERED);
	CHECK_INT("off", len, 0);
	slot_bench_end("off", &b);
	check_done();
}

/* An exchange that had to be recovered costs the card its power: the next command is refused until it is reset. */
static void after_silence_the_card_must_be_reset(void **state)
{
	const struct script_step silence[] = {
		XFR(5, READ_2),
		CONTROL(OC_OK, 0x21, 0x01, 0, 0),
		SENDS(0x72, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		GIVES(0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		END,
	};
	const struct script_step again[] = { UP, SET, XFR(5, READ_2), BLOCK(2, 0x90, 0), END };
	uint8_t rx[258], atr[ATR_MAX];
	size_t len = sizeof rx, atr_len;
	struct slot_bench b;

	(void)state;
	up(&b, CCID_TPDU, silence);
	CHECK_INT("silence", slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_E_TIMEOUT);
	CHECK_INT("silence", len, 0);
	CHECK("at least three work waiting times", b.script.control_at >= 3 * 893);
	CHECK("not for ever", b.script.control_at <= 20000);
	len = sizeof rx;
	CHECK_INT("next", slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_E_UNPOWERED);
	script_continue(&b.script, again);
	CHECK_INT("reset", slot_power_up(b.slot, atr, &atr_len), OC_OK);
	/* A command that was on its way when the card was lost is not for this one. */
	len = sizeof rx;
	CHECK_INT("late", slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_E_UNPOWERED);
	CHECK_INT("reconnect", slot_set_protocol(b.slot, CCID_PROTOCOL_T0, NULL), OC_OK);
	len = sizeof rx;
	CHECK_INT("works again", slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_OK);
	slot_bench_end("silence", &b);
	check_done();
}

/* Between two ENVELOPEs the reader refuses: what the card has would become a part of the next command. */
static void a_card_with_half_a_command_must_be_reset(void **state)
{
	uint8_t tx[7 + 256] = { 0x00, 0xD6, 0, 0, 0, 1, 0 }, rx[258], slice[10 + 5 + 255],
		       rest[10 + 5 + 8] = { 0 };
	const struct script_step steps[] = {
		{ .kind = SCRIPT_OUT, .bytes = slice, .len = sizeof slice },
		BLOCK(2, 0x90, 0),
		{ .kind = SCRIPT_OUT, .bytes = rest, .len = sizeof rest },
		XFR_FAILS(0x40, 0x05),
		STATUS_ASKED,
		STATUS_IS(0x00),
		END,
	};
	size_t len = sizeof rx;
	bool present = true;
	struct slot_bench b;

	(void)state;
	memcpy(slice, ((const uint8_t[]){ 0x6F, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xC2, 0, 0, 255 }), 15);
	memcpy(slice + 15, tx, 255);
	memcpy(rest, ((const uint8_t[]){ 0x6F, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xC2, 0, 0, 8 }), 15);
	up(&b, CCID_TPDU, steps);
	CHECK_INT("refused", slot_transmit(b.slot, tx, sizeof tx, rx, &len), OC_E_REFUSED);
	len = sizeof rx;
	CHECK_INT("next", slot_transmit(b.slot, tx, sizeof tx, rx, &len), OC_E_UNPOWERED);
	CHECK_INT("then", slot_presence(b.slot, &present), OC_OK);
	CHECK("absent", !present);
	slot_bench_end("half a command", &b);
	check_done();
}

/* The first 261 bytes of an UPDATE BINARY of 263, which goes in two parts */
static const uint8_t first_part[10 + 261] = { 0x6F, 5, 1, 0, 0, 0, 0, 0, 1, 0, 0x00, 0xD6, 0, 0, 0, 1, 0 };
static const uint8_t long_command[263] = { 0x00, 0xD6, 0, 0, 0, 1, 0 };

#define FIRST_PART                                                                \
	{                                                                         \
		.kind = SCRIPT_OUT, .bytes = first_part, .len = sizeof first_part \
	}
#define WANTS_MORE    GIVES(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0x10)
#define REST          SENDS(0x6F, 2, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0)
#define GIVES_FIRST   GIVES(0x80, 2, 0, 0, 0, 0, 0, 0, 0, 1, ICC_DATA)
#define ASKS_FOR_MORE SENDS(0x6F, 0, 0, 0, 0, 0, 0, 0, 0x10, 0)

static const struct {
	const char *name;
	enum ccid_level level;
	const struct script_step *steps;
	const uint8_t *tx;
	size_t tx_len;
	enum oc_err err;
	size_t cap;
	bool kept;
} chain_rows[] = {
	{ "the rest of the command is refused", CCID_EXTENDED_APDU,
	  STEPS(FIRST_PART, WANTS_MORE, REST, XFR_FAILS(0x40, 0x05)), long_command, sizeof long_command,
	  OC_E_REFUSED, 258, false },
	{ "the answer comes to a part of the command", CCID_EXTENDED_APDU,
	  STEPS(FIRST_PART, BLOCK(2, 0x67, 0)), long_command, sizeof long_command, OC_OK, 258, true },
	{ "the first part is refused", CCID_EXTENDED_APDU, STEPS(FIRST_PART, XFR_FAILS(0x40, 0x05)),
	  long_command, sizeof long_command, OC_E_REFUSED, 258, true },
	{ "the rest of the answer is refused", CCID_EXTENDED_APDU,
	  STEPS(XFR(5, READ_2), GIVES_FIRST, ASKS_FOR_MORE, XFR_FAILS(0x40, 0x05)), BYTES(READ_2),
	  OC_E_REFUSED, 258, false },
	{ "the first part of the answer does not fit", CCID_EXTENDED_APDU, STEPS(XFR(5, READ_2), GIVES_FIRST),
	  BYTES(READ_2), OC_E_SPACE, 1, false },
	{ "the last part of the answer does not fit", CCID_EXTENDED_APDU,
	  STEPS(XFR(5, READ_2), GIVES_FIRST, ASKS_FOR_MORE, GIVES(0x80, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0x90, 0)),
	  BYTES(READ_2), OC_E_SPACE, 3, true },
	{ "no chain: byte 9 means nothing at short APDU level", CCID_SHORT_APDU,
	  STEPS(XFR(5, READ_2), GIVES_FIRST), BYTES(READ_2), OC_E_SPACE, 1, true },
};

/* A reader that is left in the middle of a chain would take the next command for its continuation. */
static void a_chain_that_breaks_costs_the_card_its_state(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(chain_rows); i++) {
		const char *name = chain_rows[i].name;
		size_t len = chain_rows[i].cap;
		uint8_t rx[258];
		struct slot_state is;
		struct slot_bench b;

		up(&b, chain_rows[i].level, chain_rows[i].steps);
		CHECK_INT(name, slot_transmit(b.slot, chain_rows[i].tx, chain_rows[i].tx_len, rx, &len),
			  chain_rows[i].err);
		slot_get_state(b.slot, &is);
		CHECK_INT(name, is.powered && !is.strange, chain_rows[i].kept);
		slot_bench_end(name, &b);
	}
	check_done();
}

/* It counts as pulled and put back: absent once, also where the reader says that it is still active. */
static void after_silence_the_card_is_absent(void **state)
{
	const struct script_step steps[] = {
		XFR(5, READ_2),
		CONTROL(OC_OK, 0x21, 0x01, 0, 0),
		SENDS(0x72, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		GIVES(0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		STATUS_ASKED,
		STATUS_IS(0x00),
		STATUS_ASKED,
		STATUS_IS(0x00),
		END,
	};
	uint8_t rx[258];
	size_t len = sizeof rx;
	bool present = true;
	struct slot_bench b;

	(void)state;
	up(&b, CCID_TPDU, steps);
	CHECK_INT("silence", slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_E_TIMEOUT);
	CHECK_INT("first", slot_presence(b.slot, &present), OC_OK);
	CHECK("absent", !present);
	CHECK_INT("then", slot_presence(b.slot, &present), OC_OK);
	CHECK("present", present);
	slot_bench_end("absent", &b);
	check_done();
}

static const struct script_step card_rows[][3] = {
	{ POWER_ON(1), ATR_OF(2, 0x3B, 0x00), SET_T0(0x11, 0, 0, 10, 0) },
	{ POWER_ON(1), ATR_OF(4, 0x3B, 0x80, 0x40, 0xFF), SET_T0(0x11, 0, 0, 0xFF, 0) },
	{ POWER_ON(1), ATR_OF(5, 0x3B, 0x90, 0x96, 0x40, 0xFF), SET_T0(0x96, 0, 0, 0xFF, 0) },
};

/* The wait follows the card's work waiting time: WI of TC2, and the Fi that was set. */
static void the_wait_follows_the_card(void **state)
{
	static const unsigned wwt[] = { 893, 22767, 31334 };

	(void)state;
	for (size_t i = 0; i < COUNT(card_rows); i++) {
		const struct script_step steps[] = {
			card_rows[i][0],
			card_rows[i][1],
			card_rows[i][2],
			GIVES(0x82, 0, 0, 0, 0, 0, 0, 0, 0, 0),
			XFR(5, READ_2),
			CONTROL(OC_OK, 0x21, 0x01, 0, 0),
			SENDS(0x72, 0, 0, 0, 0, 0, 0, 0, 0, 0),
			GIVES(0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0),
			END,
		};
		uint8_t atr[ATR_MAX], rx[258];
		size_t atr_len, len = sizeof rx;
		struct slot_bench b;
		char name[32];

		snprintf(name, sizeof name, "WWT %u ms", wwt[i]);
		slot_bench_begin(&b);
		b.setup.caps.features = 0x000100B0;
		slot_bench_open(&b, steps);
		CHECK_INT(name, slot_power_up(b.slot, atr, &atr_len), OC_OK);
		CHECK_INT(name, slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len),
			  OC_E_TIMEOUT);
		CHECK(name, b.script.control_at >= 3 * wwt[i]);
		CHECK(name, b.script.control_at <= 3 * wwt[i] + 10000);
		slot_bench_end(name, &b);
	}
	check_done();
}

static const struct {
	const char *name;
	const struct script_step *steps;
	enum oc_err err;
	size_t cap;
	bool answer; /* 7, 8, 9 */
} escape_rows[] = {
	{ "escape",
	  STEPS(SENDS(0x6B, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2),
		GIVES(0x83, 3, 0, 0, 0, 0, 0, 0, 0, 0, 7, 8, 9)),
	  OC_OK, 258, true },
	{ "an empty answer",
	  STEPS(SENDS(0x6B, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2), GIVES(0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0)), OC_OK,
	  258, false },
	{ "no room",
	  STEPS(SENDS(0x6B, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2),
		GIVES(0x83, 3, 0, 0, 0, 0, 0, 0, 0, 0, 7, 8, 9)),
	  OC_E_SPACE, 2, false },
	{ "refused",
	  STEPS(SENDS(0x6B, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2), GIVES(0x83, 0, 0, 0, 0, 0, 0, 0x40, 0, 0)),
	  OC_E_REFUSED, 258, false },
};

/* An escape needs no card. */
static void escapes(void **state)
{
	static const uint8_t want[] = { 7, 8, 9 };

	(void)state;
	for (size_t i = 0; i < COUNT(escape_rows); i++) {
		const char *name = escape_rows[i].name;
		uint8_t rx[258] = { 0 };
		size_t len = escape_rows[i].cap;
		struct slot_bench b;

		slot_bench_begin(&b);
		slot_bench_open(&b, escape_rows[i].steps);
		CHECK_INT(name, slot_escape(b.slot, ((const uint8_t[]){ 1, 2 }), 2, rx, &len),
			  escape_rows[i].err);
		CHECK_BYTES(name, rx, len, want, escape_rows[i].answer ? sizeof want : 0);
		slot_bench_end(name, &b);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transmitting),
		cmocka_unit_test(f6_twice_is_told_once),
		cmocka_unit_test(the_first_protocol_is_set_by_itself),
		cmocka_unit_test(nothing_goes_to_a_card_without_power),
		cmocka_unit_test(after_silence_the_card_must_be_reset),
		cmocka_unit_test(a_card_with_half_a_command_must_be_reset),
		cmocka_unit_test(a_chain_that_breaks_costs_the_card_its_state),
		cmocka_unit_test(after_silence_the_card_is_absent),
		cmocka_unit_test(the_wait_follows_the_card),
		cmocka_unit_test(escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
