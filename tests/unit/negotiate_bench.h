/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole conversations from power-up to the first APDU, one row each, as the tests of the negotiation write them. */
#ifndef OPENCCID_TESTS_NEGOTIATE_BENCH_H
#define OPENCCID_TESTS_NEGOTIATE_BENCH_H

#include "slot_bench.h"

/* dwFeatures; every reader here chooses the voltage (08h) */
enum {
	ATR_PARAM = 0x02,
	CLOCK = 0x10,
	BAUD = 0x20,
	FOLLOWS = CLOCK | BAUD, /* no rate has to be set */
	NEGOTIATES = 0x40,
	PPS = 0x80,
	IFSD = 0x400,
	CHARACTERS = 0,
	TPDU = 0x10000,
	SHORT_APDU = 0x20000,
	EXTENDED_APDU = 0x40000,
};

/* Cards */
#define CARD_T0       ATR_OF(2, 0x3B, 0x00)
#define CARD_T0_96    ATR_OF(3, 0x3B, 0x10, 0x96)
#define CARD_T1       ATR_OF(4, 0x3B, 0x80, 0x01, 0x81)
#define CARD_T1_96    ATR_OF(5, 0x3B, 0x90, 0x96, 0x01, 0x07)
#define CARD_BOTH     ATR_OF(5, 0x3B, 0x80, 0x80, 0x01, 0x01) /* T=0 first */
#define CARD_BOTH_96  ATR_OF(6, 0x3B, 0x90, 0x96, 0x80, 0x01, 0x87)
#define CARD_OTHER    ATR_OF(5, 0x3B, 0x80, 0x81, 0x00, 0x01) /* T=1 first */
#define CARD_OTHER_96 ATR_OF(6, 0x3B, 0x90, 0x96, 0x81, 0x00, 0x87)

/* A cold reset after the card did not come through at a speed */
#define RESET POWERED_OFF, POWER_ON_RESTED(0)

/* PPS and its echo */
#define PPS_DONE(len, ...) XFR(len, __VA_ARGS__), BLOCK(len, __VA_ARGS__)
#define PPS_T0_96          0xFF, 0x10, 0x96, 0x79
#define PPS_T0_95          0xFF, 0x10, 0x95, 0x7A
#define PPS_T0_94          0xFF, 0x10, 0x94, 0x7B
#define PPS_T1_96          0xFF, 0x11, 0x96, 0x78
#define PPS_T1_95          0xFF, 0x11, 0x95, 0x7B
#define PPS_T1             0xFF, 0x01, 0xFE
#define PPS_T0             0xFF, 0x00, 0xFF

/* SetParameters and Parameters; the arguments are the structure, byte by byte */
#define T0_ASKED(...)        SENDS(0x61, 5, 0, 0, 0, 0, 0, 0, 0, 0, __VA_ARGS__)
#define T0_HAS(...)          GIVES(0x82, 5, 0, 0, 0, 0, 0, 0, 0, 0, __VA_ARGS__)
#define T0_DONE(...)         T0_ASKED(__VA_ARGS__), T0_HAS(__VA_ARGS__)
#define T1_ASKED(...)        SENDS(0x61, 7, 0, 0, 0, 0, 0, 1, 0, 0, __VA_ARGS__)
#define T1_HAS(...)          GIVES(0x82, 7, 0, 0, 0, 0, 0, 0, 0, 1, __VA_ARGS__)
#define T1_DONE(...)         T1_ASKED(__VA_ARGS__), T1_HAS(__VA_ARGS__)
#define SET_FAILS(status, e) GIVES(0x82, 0, 0, 0, 0, 0, 0, status, e, 0)
#define GET_PARAMETERS       SENDS(0x6C, 0, 0, 0, 0, 0, 0, 0, 0, 0)
/* 4000 kHz = FA0h, and the rate's bytes */
#define RATE_ASKED(...) SENDS(0x73, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0xA0, 0x0F, 0, 0, __VA_ARGS__)
#define RATE_SET(...) \
	RATE_ASKED(__VA_ARGS__), GIVES(0x84, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0xA0, 0x0F, 0, 0, __VA_ARGS__)
#define BPS_250000 0x90, 0xD0, 0x03, 0x00
#define BPS_125000 0x48, 0xE8, 0x01, 0x00
/* S(IFS request 254), LRC */
#define IFS_ASKED XFR(5, 0x00, 0xC1, 0x01, 0xFE, 0x3E)
#define IFS_SET   IFS_ASKED, BLOCK(5, 0x00, 0xE1, 0x01, 0xFE, 0x1E)

#define READ_2 0x00, 0xB0, 0x00, 0x00, 0x02

#define SAYS(...) .steps = STEPS(__VA_ARGS__)

struct talk {
	const char *name;
	uint32_t features;
	/*
	 * P: power up, 0 and 1: set T=0, T=1, A: an APDU, B: an APDU that T=0 cannot carry (INS 6Bh). '!' behind it: it
	 * fails, with the next one of err[].
	 */
	const char *calls;
	const struct script_step *steps;
	enum oc_err err[4];
	uint32_t max_rate, max_message; /* 0: 500000; 271 */
	uint8_t max_ifsd;               /* 0: 254 */
	const struct pts *pts;

	/* GET_DATA_RATES: how many the descriptor promises, what comes, how often it is asked for */
	uint8_t num_rates;
	const uint8_t *rates;
	size_t rates_len;
	enum oc_err rates_err;
	unsigned asked;
};

/* The script knows nothing of GET_DATA_RATES; this stands before it. */
static struct {
	const struct talk *talk;
	const struct transport_ops *script;
	unsigned asked;
} talk_rates;

static inline enum oc_err talk_control(struct transport *t, const struct transport_setup *setup,
				       uint8_t *data, size_t *len, unsigned ms)
{
	const struct talk *talk = talk_rates.talk;

	if (setup->request_type != 0xA1 || setup->request != 0x03)
		return talk_rates.script->control(t, setup, data, len, ms);
	CHECK_INT(talk->name, setup->value, 0);
	CHECK_INT(talk->name, setup->index, 3);
	CHECK_INT(talk->name, *len, 4 * talk->num_rates);
	CHECK(talk->name, ms <= 1000);
	talk_rates.asked++;
	if (talk->rates_len < *len)
		*len = talk->rates_len;
	if (*len)
		memcpy(data, talk->rates, *len);
	return talk->rates_err;
}

static inline void talk_begin(const struct talk *talk, struct slot_bench *b, struct transport_ops *ops)
{
	const uint32_t level = talk->features & (TPDU | SHORT_APDU | EXTENDED_APDU);
	struct ccid_caps *caps = &b->setup.caps;

	slot_bench_begin(b);
	talk_rates.talk = talk;
	talk_rates.script = b->script.transport.ops;
	talk_rates.asked = 0;
	*ops = *b->script.transport.ops;
	ops->control = talk_control;
	b->script.transport.ops = ops;
	b->setup.interface = 3;
	caps->features = talk->features | CCID_AUTO_VOLTAGE;
	caps->level = level == TPDU         ? CCID_TPDU
		      : level == SHORT_APDU ? CCID_SHORT_APDU
		      : level               ? CCID_EXTENDED_APDU
					    : CCID_CHARACTER;
	caps->max_rate = talk->max_rate ? talk->max_rate : caps->max_rate;
	caps->max_message = talk->max_message ? talk->max_message : caps->max_message;
	caps->max_ifsd = talk->max_ifsd ? talk->max_ifsd : caps->max_ifsd;
	caps->num_rates = talk->num_rates;
	slot_bench_open(b, talk->steps);
}

static inline enum oc_err talk_call(struct slot_bench *b, const struct talk *talk, char call)
{
	static const uint8_t apdu[] = { READ_2 }, impossible[] = { 0x00, 0x6B, 0x00, 0x00, 0x02 };
	uint8_t atr[ATR_MAX], rx[258];
	size_t len = sizeof rx;

	switch (call) {
	case 'P': return slot_power_up(b->slot, atr, &len);
	case '0': return slot_set_protocol(b->slot, CCID_PROTOCOL_T0, talk->pts);
	case '1': return slot_set_protocol(b->slot, CCID_PROTOCOL_T1, talk->pts);
	case 'A': return slot_transmit(b->slot, apdu, sizeof apdu, rx, &len);
	case 'B': return slot_transmit(b->slot, impossible, sizeof impossible, rx, &len);
	default: fail_msg("no such call: %c", call); return OC_OK;
	}
}

static inline void talk_play(const struct talk *talk)
{
	struct transport_ops ops;
	struct slot_bench b;
	unsigned errors = 0;

	talk_begin(talk, &b, &ops);
	for (const char *call = talk->calls; *call; call++) {
		const bool fails = call[1] == '!';
		const enum oc_err err = talk_call(&b, talk, *call),
				  want = fails ? talk->err[errors++] : OC_OK;
		struct slot_state is;
		char name[120];

		snprintf(name, sizeof name, "%s (call %zu of %s)", talk->name,
			 (size_t)(call - talk->calls) + 1, talk->calls);
		CHECK_INT(name, err, want);
		slot_get_state(b.slot, &is);
		if (*call == '0' || *call == '1') {
			CHECK_INT(name, is.protocol_set, !fails);
			CHECK(name,
			      fails || is.protocol == (*call == '1' ? CCID_PROTOCOL_T1 : CCID_PROTOCOL_T0));
		}
		call += fails;
	}
	CHECK_INT(talk->name, talk_rates.asked, talk->asked);
	slot_bench_end(talk->name, &b);
}

#define TALK(rows)                                       \
	do {                                             \
		for (size_t i = 0; i < COUNT(rows); i++) \
			talk_play(&(rows)[i]);           \
		check_done();                            \
	} while (0)

#endif
