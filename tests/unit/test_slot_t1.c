/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command APDUs through a slot with T=1 at TPDU level; the rules of T=1 themselves are in test_t1.c. */
#include "slot_bench.h"

enum { RX_CANARY = 16 };

#define ICC_DATA 0xAA, 0xBB
#define READ_2   0x00, 0xB0, 0x00, 0x00, 0x02

#define T1_UP POWER_ON(1), ATR_OF(4, 0x3B, 0x80, 0x01, 0x81), T1_SET(0x11, 0x10, 0, 0x4D, 0, 0x20, 0)
#define IFSD  XFR(5, 0x00, 0xC1, 0x01, 0xFE, 0x3E), BLOCK(5, 0x00, 0xE1, 0x01, 0xFE, 0x1E)
/* I(0,0) with 00 B0 00 00 02, and the answers AA BB 90 00 and 90 00 */
#define I_READ_2    XFR(9, 0x00, 0x00, 0x05, READ_2, 0xB7)
#define I_DATA_9000 BLOCK(8, 0x00, 0x00, 0x04, ICC_DATA, 0x90, 0x00, 0x85)

static const struct {
	const char *name;
	const struct script_step *steps; /* behind power-up, SetParameters and S(IFS) */
	enum oc_err err;
	uint8_t rx[8];
	size_t rx_len, cap;
} t1_rows[] = {
	{ "one block each way", STEPS(I_READ_2, I_DATA_9000), OC_OK, { ICC_DATA, 0x90, 0 }, 4, 0 },
	{ "the card's chain",
	  STEPS(I_READ_2, BLOCK(6, 0x00, 0x20, 0x02, ICC_DATA, 0x33), XFR(4, 0x00, 0x90, 0x00, 0x90),
		BLOCK(6, 0x00, 0x40, 0x02, 0x90, 0x00, 0xD2)),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
	{ "S(WTX): bBWI goes with its answer",
	  STEPS(I_READ_2, BLOCK(5, 0x00, 0xC3, 0x01, 0x09, 0xCB),
		SENDS(0x6F, 5, 0, 0, 0, 0, 0, 9, 0, 0, 0x00, 0xE3, 0x01, 0x09, 0xEB), I_DATA_9000),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
	{ "a damaged answer is asked for again, the command is not sent twice",
	  STEPS(I_READ_2, XFR_FAILS(0x40, 0xFD), XFR(4, 0x00, 0x81, 0x00, 0x81), I_DATA_9000),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
	{ "silence: R(0)",
	  STEPS(I_READ_2, XFR_FAILS(0x40, 0xFE), XFR(4, 0x00, 0x82, 0x00, 0x82), I_DATA_9000),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
	{ "mute with an empty slot: pulled out",
	  STEPS(I_READ_2, XFR_FAILS(0x42, 0xFE)),
	  OC_E_NO_CARD,
	  { 0 },
	  0,
	  0 },
	{ "F6h: the parameters are set again, and the block goes once more",
	  STEPS(I_READ_2, XFR_FAILS(0x40, 0xF6), T1_SET(0x11, 0x10, 0, 0x4D, 0, 0x20, 0), I_READ_2,
		I_DATA_9000),
	  OC_OK,
	  { ICC_DATA, 0x90, 0 },
	  4,
	  0 },
	{ "F6h twice",
	  STEPS(I_READ_2, XFR_FAILS(0x40, 0xF6), T1_SET(0x11, 0x10, 0, 0x4D, 0, 0x20, 0), I_READ_2,
		XFR_FAILS(0x40, 0xF6)),
	  OC_E_PROTOCOL,
	  { 0 },
	  0,
	  0 },
	{ "no room", STEPS(I_READ_2, I_DATA_9000), OC_E_SPACE, { 0 }, 0, 3 },
	{ "an answer without SW1 SW2",
	  STEPS(I_READ_2, BLOCK(5, 0x00, 0x00, 0x01, 0x90, 0x91)),
	  OC_E_CARD,
	  { 0 },
	  0,
	  0 },
	{ "unplugged", STEPS(I_READ_2, UNPLUG), OC_E_GONE, { 0 }, 0, 0 },
};

static void transmitting_with_t1(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(t1_rows); i++) {
		const char *name = t1_rows[i].name;
		const size_t cap = t1_rows[i].cap ? t1_rows[i].cap : 258;
		uint8_t atr[ATR_MAX], rx[258 + RX_CANARY];
		size_t atr_len, len = cap;
		struct slot_bench b;

		memset(rx, 0xEE, sizeof rx);
		slot_bench_begin(&b);
		slot_bench_open(&b, STEPS(T1_UP, IFSD));
		CHECK_INT(name, slot_power_up(b.slot, atr, &atr_len), OC_OK);
		CHECK_INT(name, slot_set_protocol(b.slot, CCID_PROTOCOL_T1, NULL), OC_OK);
		script_continue(&b.script, t1_rows[i].steps);
		CHECK_INT(name, slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len),
			  t1_rows[i].err);
		CHECK_BYTES(name, rx, len, t1_rows[i].rx, t1_rows[i].rx_len);
		for (size_t n = cap; n < sizeof rx; n++)
			CHECK(name, rx[n] == 0xEE);
		slot_bench_end(name, &b);
	}
	check_done();
}

/* T=1 carries what T=0 cannot: any INS, and extended APDUs as they are. Sequence numbers go on from APDU to APDU. */
static void t1_takes_every_apdu(void **state)
{
	const struct script_step steps[] = {
		T1_UP,
		IFSD,
		XFR(11, 0x00, 0x00, 0x07, 0x00, 0x6B, 0x00, 0x00, 0x00, 0x01, 0x00, 0x6D),
		BLOCK(6, 0x00, 0x00, 0x02, 0x90, 0x00, 0x92),
		XFR(9, 0x00, 0x40, 0x05, READ_2, 0xF7),
		BLOCK(8, 0x00, 0x40, 0x04, ICC_DATA, 0x90, 0x00, 0xC5),
		END,
	};
	uint8_t atr[ATR_MAX], rx[258];
	size_t atr_len, len = sizeof rx;
	struct slot_bench b;

	(void)state;
	slot_bench_begin(&b);
	slot_bench_open(&b, steps);
	CHECK_INT("up", slot_power_up(b.slot, atr, &atr_len), OC_OK);
	CHECK_INT("2E with INS 6B, and T=1 is set by itself",
		  slot_transmit(b.slot, ((const uint8_t[]){ 0x00, 0x6B, 0x00, 0x00, 0x00, 0x01, 0x00 }), 7,
				rx, &len),
		  OC_OK);
	CHECK_BYTES("2E", rx, len, ((const uint8_t[]){ 0x90, 0x00 }), 2);
	len = sizeof rx;
	CHECK_INT("next", slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_OK);
	CHECK_BYTES("next", rx, len, ((const uint8_t[]){ ICC_DATA, 0x90, 0x00 }), 4);
	slot_bench_end("T=1", &b);
	check_done();
}

/* A card that does not answer at all is given up after three tries; only a reset helps. */
static void a_dead_t1_card(void **state)
{
	const struct script_step steps[] = {
		I_READ_2,
		XFR_FAILS(0x40, 0xFE),
		XFR(4, 0x00, 0x82, 0x00, 0x82),
		XFR_FAILS(0x40, 0xFE),
		XFR(4, 0x00, 0x82, 0x00, 0x82),
		XFR_FAILS(0x40, 0xFE),
		/* it was heard before: RESYNCH, three times */
		XFR(4, 0x00, 0xC0, 0x00, 0xC0),
		XFR_FAILS(0x40, 0xFE),
		XFR(4, 0x00, 0xC0, 0x00, 0xC0),
		XFR_FAILS(0x40, 0xFE),
		XFR(4, 0x00, 0xC0, 0x00, 0xC0),
		XFR_FAILS(0x40, 0xFE),
		END,
	};
	uint8_t atr[ATR_MAX], rx[258];
	size_t atr_len, len = sizeof rx;
	struct slot_bench b;

	(void)state;
	slot_bench_begin(&b);
	slot_bench_open(&b, STEPS(T1_UP, IFSD));
	CHECK_INT("up", slot_power_up(b.slot, atr, &atr_len), OC_OK);
	CHECK_INT("up", slot_set_protocol(b.slot, CCID_PROTOCOL_T1, NULL), OC_OK);
	script_continue(&b.script, steps);
	CHECK_INT("dead", slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_E_MUTE);
	CHECK_INT("dead", len, 0);
	len = sizeof rx;
	CHECK_INT("next", slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_E_UNPOWERED);
	slot_bench_end("dead", &b);
	check_done();
}

/* ---- the node address -------------------------------------------------------------------------------------------- */

/* ISO/IEC 7816-3, 11.3.2.1: bits 8 and 4 are 0; source and destination alike mean nothing, unless both are 0. */
static void node_addresses(void **state)
{
	struct slot_bench b;

	(void)state;
	slot_bench_begin(&b);
	slot_bench_open(&b, STEPS(END));
	for (unsigned nad = 0; nad < 256; nad++) {
		const bool fine = nad == 0 || (!(nad & 0x88) && nad >> 4 != (nad & 15));
		uint8_t before = 0xEE, after = 0xEE;
		char row[16];

		snprintf(row, sizeof row, "%02X", nad);
		CHECK_INT(row, slot_get_nad(b.slot, &before), OC_OK);
		CHECK_INT(row, slot_set_nad(b.slot, (uint8_t)nad), fine ? OC_OK : OC_E_LENGTH);
		CHECK_INT(row, slot_get_nad(b.slot, &after), OC_OK);
		CHECK_INT(row, after, fine ? nad : before);
	}
	slot_bench_end("every address", &b);
	check_done();
}

static void node_address_by_level(void **state)
{
	static const struct {
		const char *name;
		enum ccid_level level;
		enum oc_err want;
	} rows[] = {
		{ "character", CCID_CHARACTER, OC_OK },
		{ "TPDU", CCID_TPDU, OC_OK },
		{ "short APDU", CCID_SHORT_APDU, OC_E_UNSUPPORTED },
		{ "extended APDU", CCID_EXTENDED_APDU, OC_E_UNSUPPORTED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slot_bench b;
		uint8_t nad = 0xEE;

		slot_bench_begin(&b);
		b.setup.caps.level = rows[i].level;
		slot_bench_open(&b, STEPS(END));
		CHECK_INT(rows[i].name, slot_get_nad(b.slot, &nad), rows[i].want);
		CHECK_INT(rows[i].name, nad, rows[i].want == OC_OK ? 0 : 0xEE);
		CHECK_INT(rows[i].name, slot_set_nad(b.slot, 0x21), rows[i].want);
		slot_bench_end(rows[i].name, &b);
	}
	check_done();
}

/* In each block of ours, with the nibbles swapped in the card's; and it is still there for the next card. */
static void node_address_on_the_wire(void **state)
{
	const struct script_step steps[] = {
		T1_UP,
		XFR(5, 0x21, 0xC1, 0x01, 0xFE, 0x1F),
		BLOCK(5, 0x12, 0xE1, 0x01, 0xFE, 0x0C),
		XFR(9, 0x21, 0x00, 0x05, READ_2, 0x96),
		BLOCK(8, 0x12, 0x00, 0x04, ICC_DATA, 0x90, 0x00, 0x97),
		END,
	};
	struct slot_bench b;

	(void)state;
	slot_bench_begin(&b);
	slot_bench_open(&b, STEPS(END));
	CHECK_INT("set", slot_set_nad(b.slot, 0x21), OC_OK);
	for (unsigned card = 0; card < 2; card++) {
		uint8_t atr[ATR_MAX], rx[258];
		size_t atr_len, len = sizeof rx;

		script_continue(&b.script, steps);
		CHECK_INT("up", slot_power_up(b.slot, atr, &atr_len), OC_OK);
		CHECK_INT("T=1", slot_set_protocol(b.slot, CCID_PROTOCOL_T1, NULL), OC_OK);
		CHECK_INT("read", slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_OK);
		CHECK_BYTES("read", rx, len, ((const uint8_t[]){ ICC_DATA, 0x90, 0x00 }), 4);
	}
	slot_bench_end("node address", &b);
	check_done();
}

static void up_with_patience(struct slot_bench *b, unsigned ms, const struct script_step *steps)
{
	uint8_t atr[ATR_MAX];
	size_t len;

	slot_bench_begin(b);
	b->setup.patience_ms = ms;
	slot_bench_open(b, steps);
	CHECK_INT("up", slot_power_up(b->slot, atr, &len), OC_OK);
	CHECK_INT("up", slot_set_protocol(b->slot, CCID_PROTOCOL_T1, NULL), OC_OK);
}

/* 255 block waiting times are more than anybody waits for: what the card asks for counts as far as patience goes. */
static void more_time_than_patience(void **state)
{
	enum { PATIENCE = 5000, OWN = 3600, RECOVERY = 1200 };
	const struct script_step steps[] = {
		I_READ_2,
		BLOCK(5, 0x00, 0xC3, 0x01, 0xFF, 0x3D),
		SENDS(0x6F, 5, 0, 0, 0, 0, 0, 0xFF, 0, 0, 0x00, 0xE3, 0x01, 0xFF, 0x1D),
		CONTROL(OC_E_STALL, 0x21, 0x01, 0, 0),
		HALT_CLEARED(OC_OK),
		STATUS_ASKED,
		STATUS_IS(0x00),
		END,
	};
	uint8_t rx[258];
	size_t len = sizeof rx;
	struct slot_bench b;
	uint64_t begun;

	(void)state;
	up_with_patience(&b, PATIENCE, STEPS(T1_UP, IFSD));
	script_continue(&b.script, steps);
	begun = b.script.clock;
	CHECK_INT("silent", slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_E_TIMEOUT);
	CHECK("at least patience", b.script.clock - begun >= PATIENCE);
	CHECK("no more than that", b.script.clock - begun <= PATIENCE + OWN + RECOVERY);
	slot_bench_end("silent", &b);
	check_done();
}

/* A card that asks for a little more time again and again: each wait is short, and patience bounds them all. */
static void a_little_more_time_for_ever(void **state)
{
	enum { PATIENCE = 5000, EACH = 1000 };
	const struct script_step first = I_READ_2,
				 asks_for_more = GIVES_AFTER(EACH, 0x80, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0x00,
							     0xC3, 0x01, 0x01, 0xC3);
	const struct script_step granted =
		SENDS(0x6F, 5, 0, 0, 0, 0, 0, 0x01, 0, 0, 0x00, 0xE3, 0x01, 0x01, 0xE3);
	struct script_step steps[2 * (PATIENCE / EACH + 2) + 1];
	const size_t last = COUNT(steps) - 1;
	uint8_t rx[258];
	size_t len = sizeof rx;
	struct slot_bench b;

	(void)state;
	for (size_t i = 0; i < last; i += 2) {
		steps[i] = i ? granted : first;
		steps[i + 1] = asks_for_more;
	}
	steps[last] = (struct script_step)END;
	up_with_patience(&b, PATIENCE, STEPS(T1_UP, IFSD));
	script_continue(&b.script, steps);
	CHECK_INT("for ever", slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len),
		  OC_E_TIMEOUT);
	CHECK_INT("for ever", len, 0);
	script_continue(&b.script, STEPS(END));
	b.script.error[0] = 0;
	len = sizeof rx;
	CHECK_INT("the card is in the middle of a command: it has to be reset",
		  slot_transmit(b.slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_E_UNPOWERED);
	slot_bench_end("for ever", &b);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transmitting_with_t1),    cmocka_unit_test(t1_takes_every_apdu),
		cmocka_unit_test(a_dead_t1_card),          cmocka_unit_test(node_addresses),
		cmocka_unit_test(node_address_by_level),   cmocka_unit_test(node_address_on_the_wire),
		cmocka_unit_test(more_time_than_patience), cmocka_unit_test(a_little_more_time_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
