/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All of src/slot with a malicious reader and a malicious card: open, then what an application asks for, then close. The input is
 * what kind of reader it is, then actions, and what the reader makes of them. Each action has to end in time, and to hand out
 * nothing but what came.
 */
#include "bus.h"
#include "caps.h"

#include "base/log.h"
#include "ccid/descriptor.h"
#include "ccid/exchange.h"
#include "slot/reader.h"
#include "tpdu/apdu.h"

enum {
	PATIENCE_MS = 20000,
	ACTIONS_MAX = 24,
	SANE_KHZ = 1000,
	CARDS_MS = 20 * 60 * 1000,
	ROOM_MAX = 4096,
};

struct session {
	struct bus bus;
	struct reader *reader;
	struct slot *slot;
	const struct ccid_caps *caps;
	uint64_t patience_ms;
};

/* ---- the log ------------------------------------------------------------------------------------------------------ */

static void take_line(void *arg, enum oc_log_level level, const char *line)
{
	(void)arg;
	FUZZ_ASSERT(level && line[0] && strlen(line) < 512);
	for (const char *c = line; *c; c++)
		FUZZ_ASSERT(*c >= ' ' && *c <= '~');
}

/* ---- what kind of reader ------------------------------------------------------------------------------------------ */

static struct ccid_bytes any_escape(uint8_t byte, bool there)
{
	return (struct ccid_bytes){ .len = there ? 2 : 0, .at = { byte, 0x01 } };
}

static void any_quirks(struct rd *r, struct ccid_caps *c)
{
	const uint16_t bits = rd_le16(r);

	c->no_pps = bits & 0x0001;
	c->no_ifsd = bits & 0x0002;
	c->ignore_parameters = bits & 0x0004;
	c->no_full_packets = bits & 0x0008;
	c->resync_at_open = bits & 0x0010;
	c->power_off_at_open = bits & 0x0020 ? 3 : 0;
	c->open_pause_ms = bits & 0x0040 ? 100 : 0;
	c->power_off_first = bits & 0x0080;
	c->leave_emv = any_escape(0x1F, bits & 0x0100);
	c->clear_interrupt = bits & 0x0200;
	c->no_interrupt = bits & 0x0400;
	c->presence_by_event = bits & 0x0800;
	c->undetected_1 = bits & 0x1000 ? 1 : 0;
	c->extra_wait_s = bits & 0x2000 ? 60 : 0;
	c->other_slots_rate = bits & 0x4000 ? 9600 : 0;
	c->pin.escape = any_escape(0x80, bits & 0x8000);
	c->pin.pause_ms = bits & 0x8000 ? 50 : 0;
}

/* A class descriptor out of the input, and the effects of rules. */
static struct ccid_caps any_caps(struct rd *r)
{
	static const uint32_t clocks[] = { 4000, 1, 250, 4800, UINT32_MAX };
	static const uint32_t lengths[] = { 271, 64, 15, 1000, 65556 };
	const uint8_t features = rd_u8(r), level = rd_u8(r), which = rd_u8(r);
	const struct ccid_descriptor d = {
		.bMaxSlotIndex = which >> 6,
		.bVoltageSupport = 7,
		.dwProtocols = 3,
		.dwDefaultClock = clocks[which % 5],
		.dwMaxDataRate = which & 0x20 ? 10753 : 1000000,
		.bNumDataRatesSupported = which & 0x10 ? 5 : 0,
		.dwMaxIFSD = which & 0x08 ? 24 : 254,
		.dwFeatures = features | (level & 0x08 ? CCID_AUTO_IFSD : 0u) | (uint32_t)(level & 7) << 16,
		.dwMaxCCIDMessageLength = lengths[(level >> 4) % 5],
		.bPINSupport = 3,
		.bMaxCCIDBusySlots = 1,
	};
	struct ccid_caps caps = { 0 };

	FUZZ_ASSERT(ccid_caps_derive(&d, &caps) == OC_OK);
	any_quirks(r, &caps);
	if (caps.no_ifsd)
		caps.features |= CCID_AUTO_IFSD;
	check_caps(&caps);
	return caps;
}

static void take_step(void *arg, struct ccid_caps *caps, const uint8_t *bytes, size_t len)
{
	(void)arg;
	(void)caps;
	FUZZ_ASSERT(bus_gave(bytes, len));
}

static enum oc_err open_reader(struct session *s, const struct oc_log *log, struct rd in)
{
	static const uint8_t escape[] = { 0x6A };
	const struct open_step step = { .bytes = escape, .len = 1, .wait_ms = 500, .answer = take_step };
	const uint8_t flags = rd_u8(&in);
	struct reader_setup setup = {
		.transport = &s->bus.transport,
		.log = log,
		.caps = any_caps(&in),
		.interrupt = flags & 1,
		.voltage = (enum voltage_policy)(flags >> 6),
		.patience_ms = flags & 2 ? PATIENCE_MS : 0,
		.steps = &step,
		.step_count = flags & 4 ? 1 : 0,
	};

	bus_begin(&s->bus, in);
	s->patience_ms = flags & 2 ? PATIENCE_MS : CCID_EXTENSION_CAP_MS;
	s->bus.slots = setup.caps.slots;
	s->bus.longest = setup.caps.max_message;
	return reader_open(&setup, &s->reader);
}

/* ---- what an application asks for --------------------------------------------------------------------------------- */

static void power_up(struct session *s)
{
	uint8_t *atr = fuzz_room(ATR_MAX);
	size_t len = 0;
	const enum oc_err err = slot_power_up(s->slot, atr, &len);

	FUZZ_ASSERT((err == OC_OK) == (len != 0) && len <= ATR_MAX);
	FUZZ_ASSERT(bus_gave(atr, len));
	free(atr);
}

static void power_down(struct session *s)
{
	struct slot_state state;

	slot_power_down(s->slot);
	slot_get_state(s->slot, &state);
	FUZZ_ASSERT(!state.powered && !state.protocol_set && !state.atr_len);
}

static void set_protocol(struct session *s)
{
	const uint8_t flags = rd_u8(&s->bus.in);
	const struct pts pts = {
		.has_pts1 = flags & 4,
		.has_pts2 = flags & 8,
		.has_pts3 = flags & 16,
		.pts1 = flags & 4 ? rd_u8(&s->bus.in) : 0,
	};
	const enum ccid_protocol protocol = flags & 1 ? CCID_PROTOCOL_T1 : CCID_PROTOCOL_T0;
	const enum oc_err err = slot_set_protocol(s->slot, protocol, flags & 2 ? &pts : NULL);
	struct slot_state state;

	slot_get_state(s->slot, &state);
	if (err == OC_OK && state.protocol_set)
		FUZZ_ASSERT(state.powered && state.protocol == protocol);
	else if (err != OC_E_PROTOCOL && err != OC_E_UNSUPPORTED) /* refused before anything was changed */
		FUZZ_ASSERT(!state.protocol_set);
}

typedef enum oc_err exchange(struct slot *slot, const uint8_t *tx, size_t tx_len, uint8_t *rx,
			     size_t *rx_len);

/* A command out of the input, with little room or a lot; at least @least bytes of answer where it succeeded. */
static void exchange_bytes(struct session *s, exchange *call, size_t least)
{
	const uint8_t room = rd_u8(&s->bus.in);
	const size_t cap = room & 1 ? room : ROOM_MAX, len = rd_u8(&s->bus.in);
	const uint8_t *given = rd_bytes(&s->bus.in, len);
	uint8_t *tx = fuzz_copy(given, given ? len : 0), *rx = fuzz_room(cap);
	size_t rx_len = cap;
	enum oc_err err;

	err = call(s->slot, tx, given ? len : 0, rx, &rx_len);
	FUZZ_ASSERT(err == OC_OK ? rx_len >= least && rx_len <= cap : rx_len == 0);
	FUZZ_ASSERT(bus_gave(rx, rx_len));
	free(tx);
	free(rx);
}

static void transmit(struct session *s)
{
	exchange_bytes(s, slot_transmit, 2);
}

static void escape(struct session *s)
{
	exchange_bytes(s, slot_escape, 0);
}

/* Longer than a byte can say, and made up. */
static void transmit_long(struct session *s)
{
	const size_t nc = rd_u8(&s->bus.in) * 16u + 256, len = 7 + nc + 2;
	uint8_t *tx = fuzz_room(len), *rx = fuzz_room(ROOM_MAX);
	size_t rx_len = ROOM_MAX;
	enum oc_err err;

	tx[1] = 0xD6;
	tx[5] = (uint8_t)(nc >> 8);
	tx[6] = (uint8_t)nc;
	err = slot_transmit(s->slot, tx, len, rx, &rx_len);
	FUZZ_ASSERT(err == OC_OK ? rx_len >= 2 && rx_len <= ROOM_MAX : rx_len == 0);
	FUZZ_ASSERT(bus_gave(rx, rx_len));
	free(tx);
	free(rx);
}

/* The status words that the reader's verdicts stand for need not have come. */
static bool is_verdict(const uint8_t *rx, size_t len)
{
	return len == 2 && (rx[0] == 0x64 || (rx[0] == 0x6B && rx[1] == 0x80));
}

static void pin(struct session *s)
{
	/* PIN_VERIFY_STRUCTURE: VERIFY, with and without the data of the command */
	static const uint8_t open_template[] = { 30, 30, 0x82, 0x00, 0x00, 8, 4, 2,    1,    9,    4,   0,
						 0,  0,  0,    4,    0,    0, 0, 0x00, 0x20, 0x00, 0x80 };
	static const uint8_t block_template[] = { 30,   30,   0x89, 0x47, 0x04, 8,    4,    2,
						  1,    9,    4,    0,    0,    0,    0,    13,
						  0,    0,    0,    0x00, 0x20, 0x00, 0x80, 0x08,
						  0x20, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
	const uint8_t which = rd_u8(&s->bus.in);
	const size_t cap = which & 2 ? which >> 2 : ROOM_MAX;
	struct pin_request request;
	const char *why;
	uint8_t *rx = fuzz_room(cap);
	size_t len = cap;
	enum oc_err err;

	err = which & 1 ? pin_request_parse(PIN_VERIFY, open_template, sizeof open_template, s->caps,
					    &request, &why)
			: pin_request_parse(PIN_VERIFY, block_template, sizeof block_template, s->caps,
					    &request, &why);
	FUZZ_ASSERT(err == OC_OK);
	err = slot_pin(s->slot, &request, rx, &len);
	FUZZ_ASSERT(err == OC_OK ? len >= 2 && len <= cap : len == 0);
	FUZZ_ASSERT(is_verdict(rx, len) || bus_gave(rx, len));
	free(rx);
}

static void presence(struct session *s)
{
	struct slot_state state;
	bool present = true;
	const enum oc_err err = slot_presence(s->slot, &present);

	slot_get_state(s->slot, &state);
	FUZZ_ASSERT(err == OC_OK || err == OC_E_GONE || !present);
	FUZZ_ASSERT(err != OC_OK || present == state.present);
}

static void wait_event(struct session *s)
{
	const uint64_t begun = s->bus.clock;
	const unsigned ms = rd_u8(&s->bus.in) + 1u;

	if (slot_has_events(s->slot))
		slot_wait_event(s->slot, ms);
	FUZZ_ASSERT(s->bus.clock - begun <= ms);
	slot_stop_wait(s->slot);
	FUZZ_ASSERT(slot_await_stop(s->slot, ms));
}

static void node_address(struct session *s)
{
	const uint8_t nad = rd_u8(&s->bus.in);
	uint8_t now;

	if (slot_set_nad(s->slot, nad) == OC_OK)
		FUZZ_ASSERT(slot_get_nad(s->slot, &now) == OC_OK && now == nad && !(nad & 0x88));
	slot_pin_abort(s->slot);
}

/*
 * What may add up: a protocol is tried at three speeds, each with PPS, SetParameters and S(IFS), before the command goes out. Each wait
 * is that of the card, which is long for the slowest clocks, and what it asks for on top, twice the patience at most.
 */
static uint64_t bound_ms(const struct session *s)
{
	const uint64_t slow = s->caps->clock_khz < SANE_KHZ ? 24 : 1;

	return slow * CARDS_MS + 16 * s->patience_ms;
}

static void act(struct session *s)
{
	static void (*const actions[])(struct session *) = {
		power_up, transmit, set_protocol, escape,     pin,          presence,
		power_up, transmit, power_down,   wait_event, node_address, transmit_long,
	};
	const uint8_t what = rd_u8(&s->bus.in);
	const uint64_t begun = s->bus.clock;

	s->slot = reader_slot(s->reader, (what >> 4) % s->caps->slots);
	bus_forget();
	actions[(what & 15) % (sizeof actions / sizeof actions[0])](s);
	FUZZ_ASSERT(s->bus.clock - begun <= bound_ms(s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct oc_log log = { .mask = 15, .write = take_line };
	struct session s = { .reader = NULL };

	if (open_reader(&s, &log, rd_of(data, size)) != OC_OK)
		return 0;
	s.caps = reader_caps(s.reader);
	for (unsigned i = 0; i < ACTIONS_MAX && s.bus.in.left && !s.bus.in.overrun; i++)
		act(&s);
	reader_close(s.reader);
	FUZZ_ASSERT(s.bus.closed);
	return 0;
}
