/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Power and parameters of a slot: CCID rev 1.1, 6.1.1 and 6.1.7; ISO/IEC 7816-3, 6.2 and 6.3. */
#include "slot_bench.h"

enum { AUTO = 0x08, SCR3310 = 0x000100BA, SCR3310_5V = 0x000100B2 };

#define POWER_ON_SETTLED(select) SENDS_RESTED(300, 0x62, 0, 0, 0, 0, 0, 0, select, 0, 0)

#define ATR_T0 ATR_OF(2, 0x3B, 0x00)
#define T0_ATR { 0x3B, 0x00 }, 2

static const struct {
	const char *name;
	uint32_t features; /* besides TPDU */
	uint8_t voltages;
	enum voltage_policy policy;
	const struct script_step *steps;
	enum oc_err err;
	uint8_t atr[ATR_MAX];
	size_t atr_len;
} power_rows[] = {
	{ "the reader chooses the voltage", AUTO, 7, VOLTAGE_5V_FIRST, STEPS(POWER_ON(0), ATR_T0), OC_OK,
	  T0_ATR },
	{ "5 V first", 0, 7, VOLTAGE_5V_FIRST, STEPS(POWER_ON(1), ATR_T0), OC_OK, T0_ATR },
	{ "3 V first", 0, 7, VOLTAGE_3V_FIRST, STEPS(POWER_ON(2), ATR_T0), OC_OK, T0_ATR },
	{ "1.8 V first", 0, 7, VOLTAGE_1V8_FIRST, STEPS(POWER_ON(3), ATR_T0), OC_OK, T0_ATR },
	{ "the reader decides by policy", 0, 7, VOLTAGE_READER_DECIDES, STEPS(POWER_ON(0), ATR_T0), OC_OK,
	  T0_ATR },
	{ "a reader without 5 V", 0, 6, VOLTAGE_5V_FIRST, STEPS(POWER_ON(2), ATR_T0), OC_OK, T0_ATR },
	{ "a reader with 1.8 V alone", 0, 4, VOLTAGE_5V_FIRST, STEPS(POWER_ON(3), ATR_T0), OC_OK, T0_ATR },
	{ "mute at 5 V: the next one after a rest", 0, 3, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(1), MUTE, POWERED_OFF, POWER_ON_RESTED(2), ATR_T0), OC_OK, T0_ATR },
	{ "mute at every voltage, awake at the second start", 0, 3, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(1), MUTE, POWERED_OFF, POWER_ON_RESTED(2), MUTE, POWERED_OFF, POWER_ON_RESTED(1),
		ATR_T0),
	  OC_OK, T0_ATR },
	{ "mute with automatic voltage: once more", AUTO, 7, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(0), MUTE, POWERED_OFF, POWER_ON_RESTED(0), ATR_T0), OC_OK, T0_ATR },
	{ "mute for good",
	  AUTO,
	  7,
	  VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(0), MUTE, POWERED_OFF, POWER_ON_RESTED(0), MUTE),
	  OC_E_MUTE,
	  { 0 },
	  0 },
	/* SCR3310: 5 V only, or automatic voltage */
	{ "SCR3310, automatic voltage: a card pushed in a moment ago is mute at first", SCR3310, 1,
	  VOLTAGE_5V_FIRST, STEPS(POWER_ON(0), MUTE, POWERED_OFF, POWER_ON_SETTLED(0), ATR_T0), OC_OK,
	  T0_ATR },
	{ "SCR3310, 5 V: the same", SCR3310_5V, 1, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(1), MUTE, POWERED_OFF, POWER_ON_SETTLED(1), ATR_T0), OC_OK, T0_ATR },
	{ "SCR3310: damaged at first, for the same reason", SCR3310, 1, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(0), POWER_FAILS(0x41, 0xFD), POWERED_OFF, POWER_ON_SETTLED(0), ATR_T0), OC_OK,
	  T0_ATR },
	{ "SCR3310: a card that takes all of its time to be mute", SCR3310, 1, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(0), GIVES_AFTER(5900, 0x80, 0, 0, 0, 0, 0, 0, 0x41, 0xFE, 0), POWERED_OFF,
		POWER_ON_SETTLED(0), GIVES_AFTER(1700, 0x80, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x3B, 0x00)),
	  OC_OK, T0_ATR },
	{ "several voltages: the rest before the last start is as long", 0, 3, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(1), MUTE, POWERED_OFF, POWER_ON_RESTED(2), MUTE, POWERED_OFF, POWER_ON_SETTLED(1),
		ATR_T0),
	  OC_OK, T0_ATR },
	/* bmICCStatus 0: a session before has left the card active */
	{ "the card is active already, and does not answer the reset", AUTO, 7, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(0), POWER_FAILS(0x40, 0xFE), POWERED_OFF, POWER_ON_SETTLED(0), ATR_T0), OC_OK,
	  T0_ATR },
	{ "the card is active already, and the reader fails", AUTO, 7, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(0), POWER_FAILS(0x40, 0xFB), POWERED_OFF, POWER_ON_SETTLED(0), ATR_T0), OC_OK,
	  T0_ATR },
	{ "the card is active already, and the reader aborts", AUTO, 7, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(0), POWER_FAILS(0x40, 0xFF), POWERED_OFF, POWER_ON_SETTLED(0), ATR_T0), OC_OK,
	  T0_ATR },
	{ "no card is no reason to try",
	  0,
	  7,
	  VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(1), POWER_FAILS(0x42, 0xFE)),
	  OC_E_NO_CARD,
	  { 0 },
	  0 },
	{ "bError 07: this bPowerSelect is not liked", 0, 3, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(1), POWER_FAILS(0x41, 0x07), POWERED_OFF, POWER_ON_RESTED(2), ATR_T0), OC_OK,
	  T0_ATR },
	{ "bError 07 for automatic: the voltages", 0, 3, VOLTAGE_READER_DECIDES,
	  STEPS(POWER_ON(0), POWER_FAILS(0x41, 0x07), POWERED_OFF, POWER_ON_RESTED(1), ATR_T0), OC_OK,
	  T0_ATR },
	{ "F2: the reader is starting the card by itself", AUTO, 7, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(0), POWER_FAILS(0x41, 0xF2), POWER_ON_RESTED(0), POWER_FAILS(0x41, 0xF2),
		POWER_ON_RESTED(0), ATR_T0),
	  OC_OK, T0_ATR },
	{ "BAD_ATR_TS at 5 V, good at 3 V", 0, 3, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(1), POWER_FAILS(0x41, 0xF8), POWERED_OFF, POWER_ON_RESTED(2), ATR_T0), OC_OK,
	  T0_ATR },
	{ "a voltage class that is not supported", 0, 3, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(1), POWER_FAILS(0x41, 0xF5), POWERED_OFF, POWER_ON_RESTED(2), ATR_T0), OC_OK,
	  T0_ATR },
	{ "an ATR of no bytes is a mute card",
	  AUTO,
	  7,
	  VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(0), POWER_FAILS(0, 0), POWERED_OFF, POWER_ON_RESTED(0), POWER_FAILS(0, 0)),
	  OC_E_MUTE,
	  { 0 },
	  0 },
	{ "40 bytes that are no ATR",
	  AUTO,
	  7,
	  VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(0), GIVES_PADDED(38, 0x80, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x80), POWERED_OFF,
		POWER_ON_RESTED(0), GIVES_PADDED(38, 0x80, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x80)),
	  OC_E_ATR,
	  { 0 },
	  0 },
	{ "40 bytes that begin with an ATR", AUTO, 7, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(0), GIVES_PADDED(38, 0x80, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0x3B, 0x00)), OC_OK, T0_ATR },
	{ "a malformed ATR is handed out as it came",
	  AUTO,
	  7,
	  VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(0), ATR_OF(3, 0x3B, 0x9F, 0x11)),
	  OC_OK,
	  { 0x3B, 0x9F, 0x11 },
	  3 },
	{ "an ATR with padding behind dwLength", AUTO, 7, VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(0), GIVES_PADDED(52, 0x80, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x3B, 0x00)), OC_OK, T0_ATR },
	{ "unplugged", 0, 7, VOLTAGE_5V_FIRST, STEPS(POWER_ON(1), UNPLUG), OC_E_GONE, { 0 }, 0 },
	{ "unplugged while it rests",
	  0,
	  7,
	  VOLTAGE_5V_FIRST,
	  STEPS(POWER_ON(1), MUTE, UNPLUG),
	  OC_E_GONE,
	  { 0 },
	  0 },
};

static void powering_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(power_rows); i++) {
		const char *name = power_rows[i].name;
		uint8_t atr[ATR_MAX + 8];
		size_t len = 4711;
		struct slot_state is;
		struct slot_bench b;

		memset(atr, 0xEE, sizeof atr);
		slot_bench_begin(&b);
		b.setup.caps.features = CCID_LEVEL_TPDU | power_rows[i].features;
		b.setup.caps.voltages = power_rows[i].voltages;
		b.setup.voltage = power_rows[i].policy;
		slot_bench_open(&b, power_rows[i].steps);
		CHECK_INT(name, slot_power_up(b.slot, atr, &len), power_rows[i].err);
		slot_get_state(b.slot, &is);
		CHECK_INT(name, is.powered, power_rows[i].err == OC_OK);
		CHECK_INT(name, is.atr_len, power_rows[i].atr_len);
		if (power_rows[i].err == OC_OK)
			CHECK_BYTES(name, atr, len, power_rows[i].atr, power_rows[i].atr_len);
		else
			CHECK(name, len == 4711 && atr[0] == 0xEE);
		CHECK(name, atr[ATR_MAX] == 0xEE);
		slot_bench_end(name, &b);
	}
	check_done();
}

/* A card in a reader that is never ready, or never answers: the attempt ends, in time that a person may wait. */
static void powering_up_ends(void **state)
{
	enum { TIMES = 400 };
	struct script_step *steps = calloc(2 * TIMES + 1, sizeof *steps);
	const struct script_step on = POWER_ON(0), busy = POWER_FAILS(0x41, 0xF2);
	uint8_t atr[ATR_MAX];
	size_t len;
	struct slot_bench b;

	(void)state;
	assert_non_null(steps);
	for (size_t i = 0; i < TIMES; i++) {
		steps[2 * i] = on;
		steps[2 * i + 1] = busy;
	}
	slot_bench_begin(&b);
	b.setup.caps.features = CCID_LEVEL_TPDU | AUTO;
	slot_bench_open(&b, steps);
	CHECK("busy for ever", slot_power_up(b.slot, atr, &len) != OC_OK);
	CHECK("busy for ever", b.script.clock < 60000);
	CHECK("busy for ever", b.script.step < steps + 2 * TIMES);
	script_continue(&b.script, steps + 2 * TIMES);
	b.script.error[0] = 0;
	slot_bench_end("busy for ever", &b);
	free(steps);
	check_done();
}

static void powering_down(void **state)
{
	static const struct {
		const char *name;
		uint8_t status, error;
		enum oc_err err;
	} rows[] = {
		{ "off", 0x01, 0, OC_OK },
		{ "empty slot", 0x02, 0, OC_OK },
		{ "empty slot, as a failure", 0x42, 0xFE, OC_OK },
		{ "off already, never on", 0x01, 0, OC_OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct script_step steps[] = {
			POWER_ON(0), ATR_T0, SENDS(0x63, 0, 0, 0, 0, 0, 0, 0, 0, 0),
			GIVES(0x81, 0, 0, 0, 0, 0, 0, rows[i].status, rows[i].error, 0), END
		};
		bool never = strstr(rows[i].name, "never") != NULL;
		uint8_t atr[ATR_MAX];
		size_t len;
		struct slot_state is;
		struct slot_bench b;

		slot_bench_begin(&b);
		b.setup.caps.features |= AUTO;
		slot_bench_open(&b, never ? steps + 2 : steps);
		if (!never)
			CHECK_INT(rows[i].name, slot_power_up(b.slot, atr, &len), OC_OK);
		CHECK_INT(rows[i].name, slot_power_down(b.slot), rows[i].err);
		slot_get_state(b.slot, &is);
		CHECK(rows[i].name, !is.powered && is.atr_len == 0 && !is.protocol_set);
		slot_bench_end(rows[i].name, &b);
	}
	check_done();
}

static void closing_powers_off(void **state)
{
	const struct script_step steps[] = { POWER_ON(0), ATR_T0, POWERED_OFF, END };
	uint8_t atr[ATR_MAX];
	size_t len;
	struct slot_bench b;

	(void)state;
	slot_bench_begin(&b);
	b.setup.caps.features |= AUTO;
	slot_bench_open(&b, steps);
	CHECK_INT("on", slot_power_up(b.slot, atr, &len), OC_OK);
	reader_close(b.reader);
	CHECK("closed", b.script.closed);
	SCRIPT_END("off at the end", &b.script);
	check_done();
}

#define GET_PARAMETERS SENDS(0x6C, 0, 0, 0, 0, 0, 0, 0, 0, 0)

/* ---- protocols ---------------------------------------------------------------------------------------------------- */

#define T0 CCID_PROTOCOL_T0
#define T1 CCID_PROTOCOL_T1
/* FOLLOWS: clock and rate follow the parameters, so that no rate has to be set. */
enum { FOLLOWS = 0x30, NEGOTIATES = 0x40, PPS = 0x80 };

static const struct {
	const char *name;
	enum ccid_level level;
	uint32_t features, max_rate;
	enum ccid_protocol protocol;
	const struct script_step *steps; /* behind IccPowerOn */
	enum oc_err err;
} protocol_rows[] = {
	{ "40h: nothing is sent", CCID_TPDU, NEGOTIATES, 500000, T0, STEPS(ATR_OF(3, 0x3B, 0x10, 0x96)),
	  OC_OK },
	{ "80h: defaults", CCID_TPDU, PPS, 500000, T0, STEPS(ATR_T0, T0_SET(0x11, 0, 0, 10, 0)), OC_OK },
	{ "80h: Fi and Di of TA1", CCID_TPDU, PPS, 500000, T0,
	  STEPS(ATR_OF(3, 0x3B, 0x10, 0x96), T0_SET(0x96, 0, 0, 10, 0)), OC_OK },
	{ "80h, all features of SCR33xx (000100BA): never PPS, but Fi and Di", CCID_TPDU, PPS | 0x02, 344105,
	  T0, STEPS(ATR_OF(3, 0x3B, 0x10, 0x96), T0_SET(0x96, 0, 0, 10, 0)), OC_OK },
	{ "the same with T=0 first and T=1 wanted: no PPS either", CCID_TPDU, PPS | 0x02 | 0x400, 344105, T1,
	  STEPS(ATR_OF(6, 0x3B, 0x90, 0x96, 0x80, 0x01, 0x87), T1_SET(0x96, 0x10, 0, 0x4D, 0, 0x20, 0)),
	  OC_OK },
	{ "80h: TA1 is exactly the fastest rate", CCID_TPDU, PPS, 250000, T0,
	  STEPS(ATR_OF(3, 0x3B, 0x10, 0x96), T0_SET(0x96, 0, 0, 10, 0)), OC_OK },
	{ "80h: TA1 is too fast, one step down", CCID_TPDU, PPS, 249000, T0,
	  STEPS(ATR_OF(3, 0x3B, 0x10, 0x96), T0_SET(0x95, 0, 0, 10, 0)), OC_OK },
	{ "80h: three steps down", CCID_TPDU, PPS, 62500, T0,
	  STEPS(ATR_OF(3, 0x3B, 0x10, 0x97), T0_SET(0x94, 0, 0, 10, 0)), OC_OK },
	{ "80h: no rate but the default", CCID_TPDU, PPS, 0, T0,
	  STEPS(ATR_OF(3, 0x3B, 0x10, 0x96), T0_SET(0x11, 0, 0, 10, 0)), OC_OK },
	{ "80h: inverse, guard time and waiting integer", CCID_TPDU, PPS, 500000, T0,
	  STEPS(ATR_OF(5, 0x3F, 0xC0, 0x08, 0x40, 0x20), T0_SET(0x11, 2, 8, 0x20, 0)), OC_OK },
	{ "80h: slower than the default: the card stays at 372/1", CCID_TPDU, PPS, 500000, T0,
	  STEPS(ATR_OF(3, 0x3B, 0x10, 0x61), T0_SET(0x11, 0, 0, 10, 0)), OC_OK },
	{ "neither: the host does the PPS", CCID_TPDU, 0, 500000, T0,
	  STEPS(ATR_OF(3, 0x3B, 0x10, 0x96), XFR(4, 0xFF, 0x10, 0x96, 0x79), BLOCK(4, 0xFF, 0x10, 0x96, 0x79),
		T0_SET(0x96, 0, 0, 10, 0)),
	  OC_OK },
	{ "neither, but specific mode: TA1 is in force", CCID_TPDU, 0, 500000, T0,
	  STEPS(ATR_OF(5, 0x3B, 0x90, 0x95, 0x10, 0x80), T0_SET(0x95, 0, 0, 10, 0)), OC_OK },
	{ "80h, specific mode", CCID_TPDU, PPS, 500000, T0,
	  STEPS(ATR_OF(5, 0x3B, 0x90, 0x95, 0x10, 0x80), T0_SET(0x95, 0, 0, 10, 0)), OC_OK },
	{ "T=1 is not in the ATR", CCID_SHORT_APDU, PPS, 500000, T1, STEPS(ATR_T0), OC_E_PROTOCOL },
	{ "T=0 is not in the ATR", CCID_TPDU, PPS, 500000, T0, STEPS(ATR_OF(4, 0x3B, 0x80, 0x01, 0x81)),
	  OC_E_PROTOCOL },
	{ "specific mode with the other protocol", CCID_SHORT_APDU, PPS, 500000, T1,
	  STEPS(ATR_OF(6, 0x3B, 0x80, 0x90, 0x80, 0x01, 0x91)), OC_E_PROTOCOL },
	{ "a malformed ATR offers nothing", CCID_TPDU, PPS, 500000, T0, STEPS(ATR_OF(3, 0x3B, 0x9F, 0x11)),
	  OC_E_PROTOCOL },
	{ "short APDU, T=1", CCID_SHORT_APDU, PPS, 500000, T1,
	  STEPS(ATR_OF(4, 0x3B, 0x80, 0x01, 0x81), T1_SET(0x11, 0x10, 0, 0x4D, 0, 0x20, 0)), OC_OK },
	{ "short APDU that negotiates, T=1", CCID_SHORT_APDU, NEGOTIATES, 500000, T1,
	  STEPS(ATR_OF(4, 0x3B, 0x80, 0x01, 0x81)), OC_OK },
	{ "SetParameters refuses Fi/Di, but they are in force", CCID_TPDU, PPS, 500000, T0,
	  STEPS(ATR_OF(3, 0x3B, 0x10, 0x96), SET_T0(0x96, 0, 0, 10, 0),
		GIVES(0x82, 0, 0, 0, 0, 0, 0, 0x40, 0x0A, 0), GET_PARAMETERS, T0_IS_SET(0x96, 0, 0, 10, 0)),
	  OC_OK },
	{ "SetParameters refuses, and T=1 is in force", CCID_TPDU, PPS, 500000, T0,
	  STEPS(ATR_T0, SET_T0(0x11, 0, 0, 10, 0), GIVES(0x82, 0, 0, 0, 0, 0, 0, 0x40, 0x07, 0),
		GET_PARAMETERS, GIVES(0x82, 7, 0, 0, 0, 0, 0, 0, 0, 1, 0x11, 0x10, 0, 0x4D, 0, 0x20, 0)),
	  OC_E_PROTOCOL },
	{ "SetParameters refuses, and nobody knows what is in force", CCID_TPDU, PPS, 500000, T0,
	  STEPS(ATR_T0, SET_T0(0x11, 0, 0, 10, 0), GIVES(0x82, 0, 0, 0, 0, 0, 0, 0x40, 0x07, 0),
		GET_PARAMETERS, GIVES(0x82, 0, 0, 0, 0, 0, 0, 0x40, 0, 0)),
	  OC_E_PROTOCOL },
	{ "SetParameters: the card died", CCID_TPDU, PPS, 500000, T0,
	  STEPS(ATR_T0, SET_T0(0x11, 0, 0, 10, 0), GIVES(0x82, 0, 0, 0, 0, 0, 0, 0x42, 0xFE, 0)),
	  OC_E_NO_CARD },
	{ "SetParameters: unplugged", CCID_TPDU, PPS, 500000, T0,
	  STEPS(ATR_T0, SET_T0(0x11, 0, 0, 10, 0), UNPLUG), OC_E_GONE },
};

/* The steps of a row behind those that every row begins with. */
static size_t join_steps(struct script_step *out, const struct script_step *first,
			 const struct script_step *then)
{
	size_t n = 0;

	while (first->kind != SCRIPT_STOP)
		out[n++] = *first++;
	while (then->kind != SCRIPT_STOP)
		out[n++] = *then++;
	out[n] = (struct script_step)END;
	return n;
}

static void setting_a_protocol(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(protocol_rows); i++) {
		const char *name = protocol_rows[i].name;
		const uint32_t level = 0x10000u << (protocol_rows[i].level - CCID_TPDU);
		struct script_step steps[12];
		uint8_t atr[ATR_MAX];
		size_t len;
		struct slot_state is;
		struct slot_bench b;

		join_steps(steps, STEPS(POWER_ON(0)), protocol_rows[i].steps);
		slot_bench_begin(&b);
		b.setup.caps.level = protocol_rows[i].level;
		b.setup.caps.features = level | AUTO | FOLLOWS | protocol_rows[i].features;
		b.setup.caps.max_rate = protocol_rows[i].max_rate;
		slot_bench_open(&b, steps);
		CHECK_INT(name, slot_power_up(b.slot, atr, &len), OC_OK);
		CHECK_INT(name, slot_set_protocol(b.slot, protocol_rows[i].protocol, NULL),
			  protocol_rows[i].err);
		slot_get_state(b.slot, &is);
		CHECK_INT(name, is.protocol_set, protocol_rows[i].err == OC_OK);
		if (protocol_rows[i].err == OC_OK)
			CHECK_INT(name, is.protocol, protocol_rows[i].protocol);
		slot_bench_end(name, &b);
	}
	check_done();
}

static void no_protocol_without_power(void **state)
{
	struct slot_bench b;

	(void)state;
	slot_bench_begin(&b);
	slot_bench_open(&b, script_nothing);
	CHECK_INT("off", slot_set_protocol(b.slot, T0, NULL), OC_E_UNPOWERED);
	slot_bench_end("off", &b);
	check_done();
}

/* Every message of another slot carries its number; what happens there is nothing to slot 0. */
static void another_slot(void **state)
{
	const struct script_step steps[] = {
		SENDS(0x62, 0, 0, 0, 0, 1, 0, 1, 0, 0),
		GIVES(0x80, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0x3B, 0x00),
		SENDS(0x61, 5, 0, 0, 0, 1, 0, 0, 0, 0, 0x11, 0, 0, 10, 0),
		GIVES(0x82, 5, 0, 0, 0, 1, 0, 0, 0, 0, 0x11, 0, 0, 10, 0),
		SENDS(0x6F, 5, 0, 0, 0, 1, 0, 0, 0, 0, 0x00, 0xB0, 0x00, 0x00, 0x02),
		GIVES(0x80, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0x90, 0x00),
		SENDS(0x63, 0, 0, 0, 0, 1, 0, 0, 0, 0),
		GIVES(0x81, 0, 0, 0, 0, 1, 0, 1, 0, 0),
		END,
	};
	uint8_t atr[ATR_MAX], rx[258];
	size_t atr_len, len = sizeof rx;
	struct slot_state is;
	struct slot_bench b;
	struct slot *slot;

	(void)state;
	slot_bench_begin(&b);
	b.setup.caps.slots = 2;
	slot_bench_open(&b, steps);
	slot = reader_slot(b.reader, 1);
	CHECK_INT("on", slot_power_up(slot, atr, &atr_len), OC_OK);
	CHECK_INT("APDU",
		  slot_transmit(slot, ((const uint8_t[]){ 0x00, 0xB0, 0x00, 0x00, 0x02 }), 5, rx, &len),
		  OC_OK);
	slot_get_state(b.slot, &is);
	CHECK("slot 0 is off", !is.powered && is.atr_len == 0);
	CHECK_INT("off", slot_power_down(slot), OC_OK);
	slot_bench_end("slot 1", &b);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(powering_up),        cmocka_unit_test(powering_up_ends),
		cmocka_unit_test(powering_down),      cmocka_unit_test(closing_powers_off),
		cmocka_unit_test(setting_a_protocol), cmocka_unit_test(no_protocol_without_power),
		cmocka_unit_test(another_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
