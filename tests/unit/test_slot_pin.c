/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A PIN typed at the reader, through a slot: at each level and with each end that it can have. */
#include "slot_bench.h"

#define READ_2   0x00, 0xB0, 0x00, 0x00, 0x02
#define T0_UP    POWER_ON(1), ATR_OF(2, 0x3B, 0x00), T0_SET(0x11, 0, 0, 0x0A, 0)
#define T1_ATR   ATR_OF(4, 0x3B, 0x80, 0x01, 0x81)
#define T1_PARAM T1_SET(0x11, 0x10, 0, 0x4D, 0, 0x20, 0)
#define IFSD     XFR(5, 0x00, 0xC1, 0x01, 0xFE, 0x3E), BLOCK(5, 0x00, 0xE1, 0x01, 0xFE, 0x1E)
#define T1_UP    POWER_ON(1), T1_ATR, T1_PARAM, IFSD
#define ANNOUNCED \
	SENDS(0x6B, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x02, 0x00), GIVES(0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0)
#define ASKS(pcb)                                                                                       \
	SENDS(0x69, 0x13, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x00, 0x82, 0x00, 0x00, 0x19, 0x06, 0x02, 0x01, \
	      0x09, 0x04, 0x00, 0x00, pcb, 0x00, 0x00, 0x20, 0x00, 0x82)
#define SAYS(status, error) GIVES(0x80, 0, 0, 0, 0, 0, 0, status, error, 0)
#define I_9000(pcb, edc)    BLOCK(6, 0x00, pcb, 0x02, 0x90, 0x00, edc)

/* VERIFY of PIN 2 with 6 to 25 digits; the reader builds Lc and data. */
static const struct pin_request verify = {
	.operation = PIN_VERIFY,
	.format = 0x82,
	.min = 6,
	.max = 25,
	.condition = 2,
	.messages = 1,
	.language = 0x0409,
	.indexes = 1,
	.template = { 0x00, 0x20, 0x00, 0x82 },
	.template_len = 4,
	.open = true,
	.escape = true,
};

/* The next command, as I(0,n): which N(S) does the card expect? */
#define NEXT_I0 XFR(9, 0x00, 0x00, 0x05, READ_2, 0xB7), I_9000(0x00, 0x92)
#define NEXT_I1 XFR(9, 0x00, 0x40, 0x05, READ_2, 0xF7), I_9000(0x40, 0xD2)
#define RESYNCH XFR(4, 0x00, 0xC0, 0x00, 0xC0), BLOCK(4, 0x00, 0xE0, 0x00, 0xE0)

static const struct row {
	const char *name;
	const struct script_step *steps;
	enum oc_err err;
	uint16_t sw;
	const struct script_step *next; /* what READ BINARY sends afterwards; NULL: the card is lost */
} t1_rows[] = {
	{ "done: the reader's block counts as ours", STEPS(ANNOUNCED, ASKS(0x00), I_9000(0x00, 0x92)), OC_OK,
	  0x9000, STEPS(NEXT_I1) },
	{ "wrong PIN: the card's own words",
	  STEPS(ANNOUNCED, ASKS(0x00), BLOCK(6, 0x00, 0x00, 0x02, 0x63, 0xC2, 0xA3)), OC_OK, 0x63C2,
	  STEPS(NEXT_I1) },
	{ "cancelled: the card has not seen a block", STEPS(ANNOUNCED, ASKS(0x00), SAYS(0x40, 0xEF)), OC_OK,
	  0x6401, STEPS(NEXT_I0) },
	{ "nobody typed", STEPS(ANNOUNCED, ASKS(0x00), SAYS(0x40, 0xF0)), OC_OK, 0x6400, STEPS(NEXT_I0) },
	{ "a field that the reader does not take", STEPS(ANNOUNCED, ASKS(0x00), SAYS(0x40, 0x12)), OC_OK,
	  0x6B80, STEPS(NEXT_I0) },
	{ "too short, says the reader in two bare bytes", STEPS(ANNOUNCED, ASKS(0x00), BLOCK(2, 0x64, 0x03)),
	  OC_OK, 0x6403, STEPS(NEXT_I0) },
	{ "a bare 6400, and the card is still there",
	  STEPS(ANNOUNCED, ASKS(0x00), BLOCK(2, 0x64, 0x00), IFSD), OC_OK, 0x6400, STEPS(RESYNCH, NEXT_I0) },
	{ "the Escape command is not known: it goes without",
	  STEPS(SENDS(0x6B, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x02, 0x00),
		GIVES(0x83, 0, 0, 0, 0, 0, 0, 0x40, 0x00, 0), ASKS(0x00), I_9000(0x00, 0x92)),
	  OC_OK, 0x9000, STEPS(NEXT_I1) },
	{ "the reader asks for time meanwhile",
	  STEPS(ANNOUNCED, ASKS(0x00), GIVES_AFTER(80000, 0x80, 0, 0, 0, 0, 0, 0, 0x80, 1, 0),
		GIVES_AFTER(80000, 0x80, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x00, 0x02, 0x90, 0x00, 0x92)),
	  OC_OK, 0x9000, STEPS(NEXT_I1) },
	{ "the card asks for time",
	  STEPS(ANNOUNCED, ASKS(0x00), BLOCK(5, 0x00, 0xC3, 0x01, 0x09, 0xCB),
		SENDS(0x6F, 5, 0, 0, 0, 0, 0, 9, 0, 0, 0x00, 0xE3, 0x01, 0x09, 0xEB), I_9000(0x00, 0x92)),
	  OC_OK, 0x9000, STEPS(NEXT_I1) },
	{ "the card's answer is damaged: it is asked for again",
	  STEPS(ANNOUNCED, ASKS(0x00), SAYS(0x40, 0xFD), XFR(4, 0x00, 0x81, 0x00, 0x81), I_9000(0x00, 0x92)),
	  OC_OK, 0x9000, STEPS(NEXT_I1) },
	{ "the card wants the block again: nobody is asked for the PIN twice",
	  STEPS(ANNOUNCED, ASKS(0x00), BLOCK(4, 0x00, 0x81, 0x00, 0x81), RESYNCH), OC_E_CARD, 0,
	  STEPS(IFSD, NEXT_I0) },
	{ "refused as F6h: nobody is asked twice", STEPS(ANNOUNCED, ASKS(0x00), SAYS(0x40, 0xF6)),
	  OC_E_PROTOCOL, 0, STEPS(RESYNCH, NEXT_I0) },
	{ "pulled out", STEPS(ANNOUNCED, ASKS(0x00), SAYS(0x42, 0xEF)), OC_E_NO_CARD, 0, NULL },
};

static void up(struct slot_bench *b, const struct script_step *steps, enum ccid_protocol protocol)
{
	uint8_t atr[ATR_MAX];
	size_t len;

	slot_bench_open(b, steps);
	assert_int_equal(slot_power_up(b->slot, atr, &len), OC_OK);
	assert_int_equal(slot_set_protocol(b->slot, protocol, NULL), OC_OK);
}

static void keypad(struct slot_bench *b)
{
	slot_bench_begin(b);
	b->setup.caps.pin_support = 3;
	b->setup.caps.pin.escape = (struct ccid_bytes){ .len = 3, .at = { 0x80, 0x02, 0x00 } };
}

static enum oc_err enter(struct slot_bench *b, const struct pin_request *request, uint16_t *sw)
{
	uint8_t rx[16];
	size_t len = sizeof rx;
	const enum oc_err err = slot_pin(b->slot, request, rx, &len);

	assert_int_equal(len, err == OC_OK ? 2 : 0);
	*sw = err == OC_OK ? (uint16_t)(rx[0] << 8 | rx[1]) : 0;
	return err;
}

static enum oc_err read_2(struct slot_bench *b)
{
	static const uint8_t apdu[] = { READ_2 };
	uint8_t rx[16];
	size_t len = sizeof rx;

	return slot_transmit(b->slot, apdu, sizeof apdu, rx, &len);
}

static void over_t1(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(t1_rows); i++) {
		const struct row *row = &t1_rows[i];
		struct slot_bench b;
		uint16_t sw;

		keypad(&b);
		up(&b, STEPS(T1_UP), CCID_PROTOCOL_T1);
		script_continue(&b.script, row->steps);
		CHECK_INT(row->name, enter(&b, &verify, &sw), row->err);
		CHECK_INT(row->name, sw, row->sw);
		script_continue(&b.script, row->next ? row->next : script_nothing);
		CHECK_INT(row->name, read_2(&b), row->next ? OC_OK : OC_E_UNPOWERED);
		slot_bench_end(row->name, &b);
	}
	check_done();
}

#define WHOLE                                                                                           \
	SENDS(0x69, 0x13, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x00, 0x82, 0x00, 0x00, 0x19, 0x06, 0x02, 0x01, \
	      0x09, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x82)

/* T=0 and the APDU levels: what comes back is the response APDU, whatever it is. */
static const struct {
	const char *name;
	const struct script_step *steps;
	enum oc_err err;
	uint16_t sw;
} whole_rows[] = {
	{ "done", STEPS(ANNOUNCED, WHOLE, BLOCK(2, 0x90, 0x00)), OC_OK, 0x9000 },
	{ "a 6400 is the card's here", STEPS(ANNOUNCED, WHOLE, BLOCK(2, 0x64, 0x00)), OC_OK, 0x6400 },
	{ "cancelled", STEPS(ANNOUNCED, WHOLE, SAYS(0x40, 0xEF)), OC_OK, 0x6401 },
	{ "nobody typed", STEPS(ANNOUNCED, WHOLE, SAYS(0x40, 0xF0)), OC_OK, 0x6400 },
	{ "refused", STEPS(ANNOUNCED, WHOLE, SAYS(0x40, 0x0A)), OC_OK, 0x6B80 },
	{ "no answer of two bytes", STEPS(ANNOUNCED, WHOLE, BLOCK(1, 0x90)), OC_E_CARD, 0 },
	{ "no answer at all", STEPS(ANNOUNCED, WHOLE, SAYS(0, 0)), OC_E_CARD, 0 },
	{ "pulled out", STEPS(ANNOUNCED, WHOLE, SAYS(0x42, 0xFE)), OC_E_NO_CARD, 0 },
};

static void whole(void **state)
{
	static const enum ccid_level levels[] = { CCID_TPDU, CCID_SHORT_APDU, CCID_EXTENDED_APDU };

	(void)state;
	for (size_t l = 0; l < COUNT(levels); l++) {
		for (size_t i = 0; i < COUNT(whole_rows); i++) {
			struct slot_bench b;
			uint16_t sw;

			keypad(&b);
			b.setup.caps.level = levels[l];
			up(&b, STEPS(T0_UP), CCID_PROTOCOL_T0);
			script_continue(&b.script, whole_rows[i].steps);
			CHECK_INT(whole_rows[i].name, enter(&b, &verify, &sw), whole_rows[i].err);
			CHECK_INT(whole_rows[i].name, sw, whole_rows[i].sw);
			script_continue(&b.script, script_nothing);
			slot_bench_end(whole_rows[i].name, &b);
		}
	}
	check_done();
}

#define ABORTED                                                                   \
	CONTROL(OC_OK, 0x21, 0x01, 0, 0), SENDS(0x72, 0, 0, 0, 0, 0, 0, 0, 0, 0), \
		GIVES(0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0)

/* The firmware that loses the card over a PIN entry: the ladder, a cold reset, the protocol; then pcscd is told. */
static const struct script_step rescue[] = {
	ANNOUNCED,
	ASKS(0x00),
	BLOCK(2, 0x64, 0x00),
	XFR(5, 0x00, 0xC1, 0x01, 0xFE, 0x3E),
	ABORTED,
	POWERED_OFF,
	POWER_ON_RESTED(1),
	T1_ATR,
	T1_PARAM,
	IFSD,
	END,
};

static void silence_after_6400(void **state)
{
	static const char *const faults[] = { "it always ends so", NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct slot_bench b;
		bool present;
		uint16_t sw;

		keypad(&b);
		b.setup.caps.firmware = 0x0700;
		b.setup.caps.fault = faults[i];
		b.setup.caps.fixed_in = faults[i] ? 0x0701 : 0;
		up(&b, STEPS(T1_UP), CCID_PROTOCOL_T1);
		script_continue(&b.script, rescue);
		assert_int_equal(enter(&b, &verify, &sw), OC_OK);
		assert_int_equal(sw, 0x6400);
		assert_non_null(strstr(b.log.last[OC_LOG_CRITICAL], "firmware 7.00"));
		if (faults[i])
			assert_non_null(strstr(b.log.last[OC_LOG_CRITICAL], faults[i]));
		script_continue(&b.script,
				STEPS(STATUS_ASKED, STATUS_IS(0x00), STATUS_ASKED, STATUS_IS(0x00)));
		assert_int_equal(slot_presence(b.slot, &present), OC_OK);
		assert_false(present);
		assert_int_equal(slot_presence(b.slot, &present), OC_OK);
		assert_true(present);
		slot_bench_end("rescue", &b);
	}
	check_done();
}

/* Another thread ends it, and what answers the ABORT does not disturb the next command. */
static const struct script_step aborted_steps[] = {
	ANNOUNCED,
	ASKS(0x00),
	OTHER_THREAD,
	CONTROL(OC_OK, 0x21, 0x01, 0, 0),
	SENDS(0x72, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	SAYS(0x40, 0xFF),
	GIVES(0x81, 0, 0, 0, 0, 0, 0x80, 0, 0, 0),
	END,
};
/* The PIN was typed at the last moment: the card's answer counts. */
static const struct script_step too_late_steps[] = {
	ANNOUNCED,
	ASKS(0x00),
	OTHER_THREAD,
	CONTROL(OC_OK, 0x21, 0x01, 0, 0),
	SENDS(0x72, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	I_9000(0x00, 0x92),
	GIVES(0x81, 0, 0, 0, 0, 0, 0x80, 0, 0, 0),
	END,
};
/* A reader that does not know ABORT: the entry goes on. */
static const struct script_step not_known_steps[] = {
	ANNOUNCED,
	ASKS(0x00),
	OTHER_THREAD,
	CONTROL(OC_E_STALL, 0x21, 0x01, 0, 0),
	CONTROL(OC_E_STALL, 0x21, 0x01, 0, 0),
	I_9000(0x00, 0x92),
	END,
};
static const struct {
	const char *name;
	const struct script_step *steps;
	uint16_t sw;
	const struct script_step *next;
} abort_rows[] = {
	{ "ended", aborted_steps, 0x6401, STEPS(NEXT_I0) },
	{ "too late", too_late_steps, 0x9000, STEPS(NEXT_I1) },
	{ "not known", not_known_steps, 0x9000, STEPS(NEXT_I1) },
};

static void abort_slot(void *slot)
{
	slot_pin_abort(slot);
	slot_pin_abort(slot); /* once is enough */
}

static void ended_by_another_thread(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(abort_rows); i++) {
		struct slot_bench b;
		uint16_t sw;

		keypad(&b);
		up(&b, STEPS(T1_UP), CCID_PROTOCOL_T1);
		b.script.other = abort_slot;
		b.script.other_arg = b.slot;
		script_continue(&b.script, abort_rows[i].steps);
		CHECK_INT(abort_rows[i].name, enter(&b, &verify, &sw), OC_OK);
		CHECK_INT(abort_rows[i].name, sw, abort_rows[i].sw);
		script_continue(&b.script, abort_rows[i].next);
		CHECK_INT(abort_rows[i].name, read_2(&b), OC_OK);
		script_continue(&b.script, script_nothing);
		slot_bench_end(abort_rows[i].name, &b);
	}
	check_done();
}

/* What can be refused is refused before anything goes out. */
static void nothing_sent(void **state)
{
	struct pin_request filled = verify;
	uint8_t rx[1];
	struct slot_bench b;
	uint16_t sw;
	size_t len;

	(void)state;
	filled.open = filled.escape = false;
	filled.template_len = 33; /* the card takes 32 */
	keypad(&b);
	up(&b, STEPS(T1_UP), CCID_PROTOCOL_T1);
	script_continue(&b.script, script_nothing);
	for (size_t cap = 0; cap < 2; cap++) {
		len = cap;
		assert_int_equal(slot_pin(b.slot, &verify, rx, &len), OC_E_SPACE);
		assert_int_equal(len, 0);
	}
	assert_int_equal(enter(&b, &filled, &sw), OC_E_LIMIT);
	slot_pin_abort(b.slot);
	slot_bench_end("nothing", &b);

	keypad(&b);
	slot_bench_open(&b, script_nothing);
	assert_int_equal(enter(&b, &verify, &sw), OC_E_UNPOWERED);
	slot_bench_end("no power", &b);
	check_done();
}

/* A template with data: its length goes into the prologue, and nothing is announced. */
static void whole_template(void **state)
{
	struct pin_request filled = verify;
	struct slot_bench b;
	uint16_t sw;

	(void)state;
	filled.open = filled.escape = false;
	filled.template[4] = 1;
	filled.template[5] = 0xFF;
	filled.template_len = 6;
	keypad(&b);
	b.setup.caps.pin.pause_ms = 250;
	up(&b, STEPS(T1_UP), CCID_PROTOCOL_T1);
	script_continue(&b.script,
			STEPS(SENDS_RESTED(250, 0x69, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x00, 0x82, 0x00,
					   0x00, 0x19, 0x06, 0x02, 0x01, 0x09, 0x04, 0x00, 0x00, 0x00, 0x06,
					   0x00, 0x20, 0x00, 0x82, 0x01, 0xFF),
			      I_9000(0x00, 0x92)));
	assert_int_equal(enter(&b, &filled, &sw), OC_OK);
	assert_int_equal(sw, 0x9000);
	script_continue(&b.script, script_nothing);
	slot_bench_end("template", &b);
	check_done();
}

#define WAITS(seconds)                                                                                     \
	SENDS(0x69, 0x13, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, seconds, 0x82, 0x00, 0x00, 0x19, 0x06, 0x02, 0x01, \
	      0x09, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x82),                                 \
		ABORTED

/* A person may take long; how long is bounded, and does not rub off on the next command. */
static const struct {
	uint8_t timeout_s;
	const struct script_step *steps;
	unsigned least_ms, most_ms;
} wait_rows[] = { { 0, STEPS(WAITS(0)), 90000, 95000 },
		  { 30, STEPS(WAITS(30)), 90000, 95000 },
		  { 255, STEPS(WAITS(255)), 265000, 270000 } };

static void waits_end(void **state)
{

	(void)state;
	for (size_t i = 0; i < COUNT(wait_rows); i++) {
		struct pin_request slow = verify;
		struct slot_bench b;
		uint64_t before, took;
		uint16_t sw;
		slow.timeout_s = wait_rows[i].timeout_s;
		slow.escape = false;
		keypad(&b);
		up(&b, STEPS(T1_UP), CCID_PROTOCOL_T1);
		script_continue(&b.script, wait_rows[i].steps);
		before = b.script.clock;
		assert_int_equal(enter(&b, &slow, &sw), OC_E_TIMEOUT);
		took = b.script.clock - before;
		assert_true(took >= wait_rows[i].least_ms && took <= wait_rows[i].most_ms);
		script_continue(&b.script, script_nothing);
		slot_bench_end("wait", &b);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ended_by_another_thread),
		cmocka_unit_test(over_t1),
		cmocka_unit_test(whole),
		cmocka_unit_test(silence_after_6400),
		cmocka_unit_test(nothing_sent),
		cmocka_unit_test(whole_template),
		cmocka_unit_test(waits_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
