/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#include "sim/card_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Where the class descriptor has it (CCID rev 1.1, table 5.1-1) */
	AT_VOLTAGES = 5,
	AT_NUM_RATES = 27,
	AT_FEATURES = 40,
	AT_MESSAGE = 44,
	AT_PIN_SUPPORT = 52,
	LOOKS = 4, /* pcscd looks again and again; after so many it must see the card */
	INS_VERIFY = 0x20,
	INS_ENVELOPE = 0xC2,
};

/* ---- what the card has done ---- */

/* ECHO, COUNT and SLOW count; of ENVELOPEs that one which completes an ECHO. */
static bool counts(uint8_t ins, uint16_t sw)
{
	return ins == 0x10 || ins == 0x12 || ins == 0x14 || (ins == INS_ENVELOPE && sw >> 8 == 0x61);
}

static bool is_ours(const struct bench *b, const uint8_t *command, uint16_t sw)
{
	if (command[1] == INS_ENVELOPE)
		return sw >> 8 == 0x61;
	if (command[1] == INS_VERIFY)
		return true;
	return command[1] == b->op->ins && command[3] == b->tag;
}

static void read_card_log(void *arg)
{
	struct bench *b = arg;
	const struct card_log *log = sim_reader_card_log(b->bus.reader, 0);

	for (; log && b->seen < log->count; b->seen++) {
		const uint8_t *command = log->entry[b->seen % CARD_LOG_COMMANDS].bytes;
		const uint16_t sw = log->entry[b->seen % CARD_LOG_COMMANDS].sw;

		b->counter += counts(command[1], sw);
		b->executed += is_ours(b, command, sw);
	}
}

/* ---- the reader and its card ---- */

static void put_le32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static void identify(const struct operation *op, struct sim_identity *id)
{
	static const uint32_t rates[] = { 10752, 21505, 43010, 86021, 172043, 344086 };

	sim_identity_default(id);
	put_le32(id->descriptor + AT_FEATURES, op->features);
	if (op->max_message)
		put_le32(id->descriptor + AT_MESSAGE, op->max_message);
	id->descriptor[AT_VOLTAGES] = 7;
	id->descriptor[AT_NUM_RATES] = op->num_rates;
	id->descriptor[AT_PIN_SUPPORT] = 3;
	id->rates_count = op->num_rates;
	memcpy(id->rates, rates, sizeof rates);
}

void bench_insert(struct bench *b)
{
	const unsigned all = SIM_5V | SIM_3V | SIM_1V8;
	struct sim_card_spec spec;

	if (sim_card_spec_parse(b->op->card, &spec) != NULL)
		abort();
	if (sim_reader_insert(b->bus.reader, 0, sim_card_make(&spec, b->op->supply_1v8 ? SIM_1V8 : all),
			      b->bus.clock) != 0)
		abort();
	b->bus.pulled = false;
	b->seen = b->counter = 0;
}

/* pcscd's thread, while another one waits for an answer. */
static void listen(void *arg)
{
	struct bench *b = arg;

	while (b->reader && b->bus.notices)
		slot_wait_event(reader_slot(b->reader, 0), 1);
}

void bench_begin(struct bench *b, const struct operation *op, const struct oc_log *log)
{
	struct sim_identity id;
	struct sim_reader *reader;

	memset(b, 0, sizeof *b);
	b->op = op;
	b->log = *log;
	identify(op, &id);
	reader = sim_reader_new(&id);
	if (!reader)
		abort();
	faulty_begin(&b->bus, reader);
	b->bus.before_pull = read_card_log;
	b->bus.listen = listen;
	b->bus.arg = b;
	bench_insert(b);
}

void bench_end(struct bench *b)
{
	if (b->reader)
		reader_close(b->reader);
	faulty_end(&b->bus);
	sim_reader_free(b->bus.reader);
}

/* ---- what pcscd does ---- */

static bool look(struct bench *b)
{
	struct slot *slot = reader_slot(b->reader, 0);
	bool present = false;

	for (unsigned i = 0; i < LOOKS && !present; i++) {
		if (slot_presence(slot, &present) != OC_OK)
			present = false;
		if (!present && b->bus.pulled)
			bench_insert(b);
	}
	return present;
}

static enum oc_err open_reader(struct bench *b)
{
	struct ccid_descriptor desc;
	struct reader_setup setup = { .transport = &b->bus.transport, .log = &b->log, .interrupt = true };

	if (ccid_descriptor_decode(sim_reader_identity(b->bus.reader)->descriptor, SIM_DESCRIPTOR_LEN,
				   &desc) != OC_OK ||
	    ccid_caps_derive(&desc, &setup.caps) != OC_OK)
		abort();
	if (b->op->differ)
		b->op->differ(&setup.caps);
	return reader_open(&setup, &b->reader);
}

const char *bench_prepare(struct bench *b)
{
	struct slot *slot;

	if (b->op->from == CLOSED && b->reader) {
		reader_close(b->reader);
		b->reader = NULL;
	}
	if (b->op->from == CLOSED)
		return NULL;
	if (!b->reader && open_reader(b) != OC_OK)
		return "the reader cannot be opened";
	slot = reader_slot(b->reader, 0);
	if (!look(b))
		return "the card is not seen";
	if (b->op->from >= POWERED && slot_power_up(slot, b->rx, &b->rx_len) != OC_OK)
		return "the card cannot be powered";
	if (b->op->from >= READY && slot_set_protocol(slot, b->op->protocol, NULL) != OC_OK)
		return "the protocol cannot be set";
	return NULL;
}

enum oc_err bench_run(struct bench *b)
{
	enum oc_err err;

	read_card_log(b);
	b->tag++;
	b->executed = 0;
	b->rx_len = sizeof b->rx;
	err = b->op->run(b);
	read_card_log(b);
	return err;
}

bool bench_keeps_card(const struct bench *b)
{
	struct slot_state state = { 0 };

	if (b->reader)
		slot_get_state(reader_slot(b->reader, 0), &state);
	return state.powered && !state.strange;
}

/* ---- the operations ---- */

static enum oc_err run_open(struct bench *b)
{
	return open_reader(b);
}

static void resync(struct ccid_caps *caps)
{
	caps->resync_at_open = true;
}

static void power_off(struct ccid_caps *caps)
{
	caps->power_off_at_open = 3;
	caps->power_off_first = true;
}

static enum oc_err run_close(struct bench *b)
{
	reader_close(b->reader);
	b->reader = NULL;
	return OC_OK;
}

static enum oc_err run_power_up(struct bench *b)
{
	return slot_power_up(reader_slot(b->reader, 0), b->rx, &b->rx_len);
}

static bool right_atr(const struct bench *b)
{
	struct sim_card_spec spec;

	if (sim_card_spec_parse(b->op->card, &spec) != NULL)
		return false;
	if (!spec.atr_len) {
		spec.atr_len = sizeof sim_default_atr;
		memcpy(spec.atr, sim_default_atr, sizeof sim_default_atr);
	}
	return b->rx_len == spec.atr_len && memcmp(b->rx, spec.atr, spec.atr_len) == 0;
}

static enum oc_err run_power_down(struct bench *b)
{
	return slot_power_down(reader_slot(b->reader, 0));
}

static enum oc_err run_protocol(struct bench *b)
{
	return slot_set_protocol(reader_slot(b->reader, 0), b->op->protocol, NULL);
}

static bool right_protocol(const struct bench *b)
{
	struct slot_state state;

	slot_get_state(reader_slot(b->reader, 0), &state);
	return state.protocol_set && state.protocol == b->op->protocol;
}

static enum oc_err run_presence(struct bench *b)
{
	return slot_presence(reader_slot(b->reader, 0), &b->present);
}

/* "Mute" may be what a reader says of an empty slot; and a card that was lost is reported absent. */
static bool right_presence(const struct bench *b)
{
	return b->present || b->bus.pulled || b->refused || b->failed;
}

static enum oc_err run_escape(struct bench *b)
{
	static const uint8_t info[] = { 0x1E };

	return slot_escape(reader_slot(b->reader, 0), info, sizeof info, b->rx, &b->rx_len);
}

static bool right_escape(const struct bench *b)
{
	static const uint8_t info[] = { 0x05, 0x23, 0, 3, 0, 3, 0, 1, 0, 1, 0, 0, 0, 1 };

	return b->rx_len == sizeof info && memcmp(b->rx, info, sizeof info) == 0;
}

/* ---- PIN entry ---- */

/* Somebody types 1234 beforehand. */
static enum oc_err run_pin(struct bench *b)
{
	static const uint8_t verify[] = { 0,    0,    0x82, 0x00, 0x00, 0x0C, 0x04, 0x02,
					  0x00, 0x09, 0x04, 0x00, 0x00, 0x00, 0x00, 4,
					  0,    0,    0,    0x00, 0x20, 0x00, 0x01 };
	char digits[] = "1234", ok[] = "ok", *words[] = { digits, ok };
	struct pin_request request;
	const char *why;

	if (sim_reader_type(b->bus.reader, 2, words, b->bus.clock) != NULL ||
	    pin_request_parse(PIN_VERIFY, verify, sizeof verify, reader_caps(b->reader), &request, &why) !=
		    OC_OK)
		abort();
	return slot_pin(reader_slot(b->reader, 0), &request, b->rx, &b->rx_len);
}

/* The card's word, or the reader's where it was made to say one. */
static bool right_pin(const struct bench *b)
{
	if (b->rx_len != 2)
		return false;
	if (b->rx[0] == 0x90 && b->rx[1] == 0x00)
		return b->executed == 1;
	return b->refused && (b->rx[0] == 0x64 || b->rx[0] == 0x6B);
}

/* ---- APDUs ---- */

static void put_apdu(struct bench *b)
{
	const struct operation *op = b->op;
	const bool extended = op->nc > 255 || op->ne > 256;
	uint8_t *at = b->tx;

	*at++ = 0x80;
	*at++ = op->ins;
	*at++ = op->p1;
	*at++ = b->tag;
	if (extended) {
		*at++ = 0;
		*at++ = (uint8_t)(op->nc >> 8);
	}
	if (op->nc)
		*at++ = (uint8_t)op->nc;
	for (size_t i = 0; i < op->nc; i++)
		*at++ = (uint8_t)(i + 31u * b->tag);
	if (op->ne && extended)
		*at++ = (uint8_t)(op->ne >> 8);
	if (op->ne)
		*at++ = (uint8_t)op->ne;
	b->tx_len = (size_t)(at - b->tx);
}

static enum oc_err run_apdu(struct bench *b)
{
	put_apdu(b);
	return slot_transmit(reader_slot(b->reader, 0), b->tx, b->tx_len, b->rx, &b->rx_len);
}

/* ECHO gives the data, COUNT and SLOW give P1 P2, and then the counter; SINK gives nothing. The card has done it, once. */
static bool right_apdu(const struct bench *b)
{
	const struct operation *op = b->op;
	uint8_t want[BENCH_APDU];
	size_t len = 0;

	if (op->ne && op->nc) {
		for (; len < op->nc; len++)
			want[len] = (uint8_t)(len + 31u * b->tag);
	} else if (op->ne) {
		want[len++] = op->p1;
		want[len++] = b->tag;
	}
	for (unsigned i = 0; op->ne && i < 4; i++)
		want[len++] = (uint8_t)(b->counter >> (24 - 8 * i));
	want[len++] = 0x90;
	want[len++] = 0x00;
	return b->executed == 1 && b->rx_len == len && memcmp(b->rx, want, len) == 0;
}

enum {
	ECHO = 0x10,
	COUNT = 0x12,
	SLOW = 0x14,
	SINK = 0x16,

	CHARACTERS = 0x000000BA,
	TPDU = 0x000100BA,
	TPDU_HOST_PPS = 0x0001003A, /* neither 40h nor 80h */
	TPDU_NEGOTIATES = 0x0001007A,
	TPDU_VOLTAGES = 0x000100B2, /* without 08h */
	SHORT = 0x000200BA,
	EXTENDED = 0x000400BA,

	/* What a card of the default parameters may take for one block, at 4 MHz */
	T0_MS = 3 * 893,
	T1_MS = 1500,
	APDU_MS = 10000,
	EXCHANGE_MS = 2000 + 3000, /* the reader and the bus, and bringing it back to order */
	EXTENSIONS_MS = 600000,
	ENTRY_MORE_MS = 180000,
	QUICK_MORE_MS = 2000,
};

#define OPENING .from = CLOSED, .run = run_open, .bound_ms = 3000, .more_ms = QUICK_MORE_MS
#define POWERING \
	.from = OPEN, .run = run_power_up, .right = right_atr, .bound_ms = 10000, .more_ms = QUICK_MORE_MS
#define PROTOCOL(t)                                                                                    \
	.from = POWERED, .protocol = CCID_PROTOCOL_T##t, .run = run_protocol, .right = right_protocol, \
	.bound_ms = T0_MS + EXCHANGE_MS, .more_ms = EXTENSIONS_MS
#define APDU(t, ms, what, data, answer)                                                                     \
	.from = READY, .protocol = CCID_PROTOCOL_T##t, .run = run_apdu, .right = right_apdu, .ins = (what), \
	.p1 = 3, .nc = (data), .ne = (answer), .bound_ms = (ms) + EXCHANGE_MS, .more_ms = EXTENSIONS_MS
#define PIN(t)                                                                             \
	.from = READY, .protocol = CCID_PROTOCOL_T##t, .run = run_pin, .right = right_pin, \
	.bound_ms = 90000 + EXCHANGE_MS, .more_ms = ENTRY_MORE_MS
#define QUICK(what, ms, more) .from = READY, .run = (what), .bound_ms = (ms) + 3000, .more_ms = (more)

const struct operation operations[] = {
	{ "open", "t0", TPDU, OPENING },
	{ "open, resynchronised", "t0", TPDU, OPENING, .differ = resync },
	{ "open, powered off", "t0", TPDU, OPENING, .differ = power_off },
	{ "power up", "t0", TPDU, POWERING },
	{ "power up, off first", "t0", TPDU, POWERING, .differ = power_off },
	{ "power up, T=1", "t1", TPDU, POWERING },
	{ "power up, the third voltage", "t0", TPDU_VOLTAGES, POWERING, .supply_1v8 = true },
	{ "T=0", "t0", TPDU, PROTOCOL(0) },
	{ "T=0, PPS by the reader", "t0,ta1=96", TPDU, PROTOCOL(0) },
	{ "T=0, PPS by the host", "t0,ta1=96", TPDU_HOST_PPS, PROTOCOL(0) },
	{ "T=0, a list of rates", "t0,ta1=96", TPDU_HOST_PPS, PROTOCOL(0), .num_rates = 6 },
	{ "T=1", "t1", TPDU, PROTOCOL(1) },
	{ "T=1, PPS by the host", "dual,ta1=96", TPDU_HOST_PPS, PROTOCOL(1) },
	{ "T=1, the reader negotiates", "t1,ta1=96", TPDU_NEGOTIATES, PROTOCOL(1) },
	{ "T=1, PPS by the host, characters", "t1,ta1=96", 0x3A, PROTOCOL(1) },
	{ "case 1, T=0 TPDU", "t0", TPDU, APDU(0, T0_MS, SINK, 0, 0) },
	{ "case 2, T=0 TPDU", "t0", TPDU, APDU(0, T0_MS, COUNT, 0, 6) },
	{ "case 2 of a slow card, T=0 TPDU", "t0", TPDU, APDU(0, T0_MS, SLOW, 0, 6) },
	{ "case 3, T=0 TPDU", "t0", TPDU, APDU(0, T0_MS, SINK, 20, 0) },
	{ "case 4, T=0 TPDU", "t0", TPDU, APDU(0, T0_MS, ECHO, 20, 256) },
	{ "case 4E, T=0 TPDU", "t0", TPDU, APDU(0, T0_MS, ECHO, 400, 1000) },
	{ "case 1, T=1 TPDU", "t1", TPDU, APDU(1, T1_MS, SINK, 0, 0) },
	{ "case 2, T=1 TPDU", "t1", TPDU, APDU(1, T1_MS, COUNT, 0, 6) },
	{ "case 3, T=1 TPDU", "t1,crc", TPDU, APDU(1, T1_MS, SINK, 20, 0) },
	{ "case 4, T=1 TPDU", "t1", TPDU, APDU(1, T1_MS, ECHO, 20, 256) },
	{ "case 4, T=1 TPDU in chains", "t1,ifsc=32,chain=32", TPDU, APDU(1, T1_MS, ECHO, 70, 256) },
	{ "case 4, T=1 TPDU, the card asks for time", "t1,ifsc=32,wtx=2,factor=2", TPDU,
	  APDU(1, 2 * T1_MS, ECHO, 40, 256) },
	{ "case 4, T=1 TPDU, the card changes IFSC", "t1,ifs=2", TPDU, APDU(1, T1_MS, ECHO, 40, 256) },
	{ "case 4E, T=1 TPDU", "t1", TPDU, APDU(1, T1_MS, ECHO, 400, 1000) },
	{ "case 4, T=0 characters", "t0", CHARACTERS, APDU(0, T0_MS, ECHO, 20, 256) },
	{ "case 4, T=1 characters", "t1", CHARACTERS, APDU(1, T1_MS, ECHO, 20, 256) },
	{ "case 1, T=0 short APDU", "t0", SHORT, APDU(0, APDU_MS, SINK, 0, 0) },
	{ "case 4, T=0 short APDU", "t0", SHORT, APDU(0, APDU_MS, ECHO, 20, 256) },
	{ "case 4, T=1 short APDU", "t1", SHORT, APDU(1, APDU_MS, ECHO, 20, 256) },
	{ "case 4, T=1 extended APDU", "t1", EXTENDED, APDU(1, APDU_MS, ECHO, 20, 256) },
	{ "case 4E, T=1 extended APDU in parts", "t1", EXTENDED, APDU(1, APDU_MS, ECHO, 600, 1000) },
	{ "case 4E, T=0 extended APDU in parts", "t0", EXTENDED, APDU(0, APDU_MS, ECHO, 600, 1000) },
	{ "PIN, T=0 TPDU", "t0", TPDU, PIN(0) },
	{ "PIN, T=1 TPDU", "t1", TPDU, PIN(1) },
	{ "PIN, T=1 short APDU", "t1", SHORT, PIN(1) },
	{ "Escape", "t0", TPDU, QUICK(run_escape, 30000, EXTENSIONS_MS), .right = right_escape },
	{ "presence", "t0", TPDU, QUICK(run_presence, 2000, QUICK_MORE_MS), .right = right_presence },
	{ "power down", "t0", TPDU, QUICK(run_power_down, 2000, QUICK_MORE_MS) },
	{ "close", "t0", TPDU, QUICK(run_close, 500, QUICK_MORE_MS), .tells_nothing = true },
};

const unsigned operations_len = sizeof operations / sizeof operations[0];
