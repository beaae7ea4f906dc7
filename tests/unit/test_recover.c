/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Host and reader agree again after an exchange that failed (CCID rev 1.1, 5.3.1): each rung, and each way down. */
#include "ccid/recover.h"
#include "check.h"
#include "script.h"

enum {
	WAIT = 1000,
	INTERFACE = 5,
	SLOT = 2,
	RECOVERY_BOUND_MS = 3000, /* a person who waits for pcscd takes this for a pause, not for an end */
};

#define STATUS_SENT         SENDS(0x65, 0, 0, 0, 0, SLOT, 0, 0, 0, 0)
#define STATUS_GIVEN        GIVES(0x81, 0, 0, 0, 0, SLOT, 0, 0x01, 0, 0)
#define ABORT_SENT          SENDS(0x72, 0, 0, 0, 0, SLOT, 0, 0, 0, 0)
#define ABORT_CONTROL(code) CONTROL(code, 0x21, 0x01, SLOT, INTERFACE)
#define OLD(seq_back)       GIVES(0x80, 2, 0, 0, 0, SLOT, 256 - (seq_back), 0, 0, 0, 0x90, 0x00)
#define XFR_SENT            SENDS(0x6F, 0, 0, 0, 0, SLOT, 0, 0, 0, 0)
#define STEPS(...)                   \
	(const struct script_step[]) \
	{                            \
		__VA_ARGS__, END     \
	}

struct bench {
	struct script script;
	struct script_log log;
	struct ccid_port port;
};

static void bench_begin(struct bench *b, const struct script_step *steps)
{
	script_begin(&b->script, steps);
	script_log_begin(&b->log);
	assert_int_equal(ccid_port_open(&b->port, &b->script.transport, INTERFACE, 271, &b->log.log), OC_OK);
	b->port.half_abort = false; /* the reader has answered before */
}

static void bench_end(const char *name, struct bench *b)
{
	ccid_port_close(&b->port);
	SCRIPT_END(name, &b->script);
}

static const struct row {
	const char *name;
	const struct script_step *steps;
	enum oc_err err;
} rows[] = {
	{ "ABORT works", STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, STATUS_GIVEN), OC_OK },
	{ "the aborted command answers late", STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, OLD(1), STATUS_GIVEN),
	  OC_OK },
	{ "it answers late and says CMD_ABORTED",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, GIVES(0x80, 0, 0, 0, 0, SLOT, 0xFF, 0x40, 0xFF, 0),
		STATUS_GIVEN),
	  OC_OK },
	{ "several old answers, packets of nothing and noise",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, OLD(3), ZERO_LENGTH, GIVES(0x80, 0), OLD(2), OLD(1),
		STATUS_GIVEN),
	  OC_OK },
	{ "the status of another slot is none",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, GIVES(0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0), STATUS_GIVEN),
	  OC_OK },
	{ "no card any more",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, GIVES(0x81, 0, 0, 0, 0, SLOT, 0, 2, 0, 0)), OC_OK },
	{ "ABORT stalls: clear halt and GetSlotStatus",
	  STEPS(ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_OK), STATUS_SENT, STATUS_GIVEN), OC_OK },
	{ "ABORT times out",
	  STEPS(ABORT_CONTROL(OC_E_TIMEOUT), HALT_CLEARED(OC_OK), STATUS_SENT, STATUS_GIVEN), OC_OK },
	{ "ABORT stalls; old answers are dropped",
	  STEPS(ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_OK), STATUS_SENT, OLD(2), OLD(1), STATUS_GIVEN),
	  OC_OK },
	{ "no answer to Abort: second rung",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, HALT_CLEARED(OC_OK), STATUS_SENT, STATUS_GIVEN), OC_OK },
	{ "Abort cannot be sent: second rung",
	  STEPS(ABORT_CONTROL(OC_OK), SEND_FAILS(OC_E_STALL, 0x72, 0, 0, 0, 0, SLOT, 0, 0, 0, 0),
		HALT_CLEARED(OC_OK), STATUS_SENT, STATUS_GIVEN),
	  OC_OK },
	{ "bulk-OUT is halted, and so the reader waits for Abort: both halves again",
	  STEPS(ABORT_CONTROL(OC_OK), SEND_FAILS(OC_E_STALL, 0x72, 0, 0, 0, 0, SLOT, 0, 0, 0, 0),
		HALT_CLEARED(OC_OK), STATUS_SENT, GIVES(0x81, 0, 0, 0, 0, SLOT, 0, 0x41, 0xFF, 0),
		ABORT_CONTROL(OC_OK), ABORT_SENT, STATUS_GIVEN),
	  OC_OK },
	{ "the same, and it stays so",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, HALT_CLEARED(OC_OK), STATUS_SENT,
		GIVES(0x81, 0, 0, 0, 0, SLOT, 0, 0x41, 0xFF, 0), ABORT_CONTROL(OC_OK), ABORT_SENT),
	  OC_E_TIMEOUT },
	{ "CMD_ABORTED without an ABORT is an answer",
	  STEPS(ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_OK), STATUS_SENT,
		GIVES(0x81, 0, 0, 0, 0, SLOT, 0, 0x41, 0xFF, 0)),
	  OC_OK },
	{ "a refusal for another reason is an answer",
	  STEPS(ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_OK), STATUS_SENT,
		GIVES(0x81, 0, 0, 0, 0, SLOT, 0, 0x41, 0xE0, 0)),
	  OC_OK },
	{ "bulk-IN stalls in the first rung",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, RECV_FAILS(OC_E_STALL), HALT_CLEARED(OC_OK), STATUS_SENT,
		STATUS_GIVEN),
	  OC_OK },
	{ "the status comes too late for the first rung, in time for the second",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, HALT_CLEARED(OC_OK), STATUS_SENT, OLD(1), STATUS_GIVEN),
	  OC_OK },
	{ "silent until its port is reset",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, HALT_CLEARED(OC_OK), STATUS_SENT, PORT_RESET(500, OC_OK),
		STATUS_SENT, STATUS_GIVEN),
	  OC_OK },
	{ "a halt that cannot be cleared, until its port is reset",
	  STEPS(ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_E_IO), PORT_RESET(500, OC_OK), STATUS_SENT,
		STATUS_GIVEN),
	  OC_OK },
	{ "a reset that does not help",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, HALT_CLEARED(OC_OK), STATUS_SENT, PORT_RESET(500, OC_OK),
		STATUS_SENT),
	  OC_E_TIMEOUT },
	{ "a reset that fails",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, HALT_CLEARED(OC_OK), STATUS_SENT, PORT_RESET(500, OC_E_IO)),
	  OC_E_TIMEOUT },
	{ "it comes back as something else",
	  STEPS(ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_E_IO), PORT_RESET(0, OC_E_GONE)), OC_E_GONE },
	{ "silent for ever", STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, HALT_CLEARED(OC_OK), STATUS_SENT),
	  OC_E_TIMEOUT },
	{ "ABORT stalls, then silent for ever",
	  STEPS(ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_OK), STATUS_SENT), OC_E_TIMEOUT },
	{ "halt cannot be cleared", STEPS(ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_E_IO)), OC_E_TIMEOUT },
	{ "status cannot be sent",
	  STEPS(ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_OK),
		SEND_FAILS(OC_E_IO, 0x65, 0, 0, 0, 0, SLOT, 0, 0, 0, 0)),
	  OC_E_TIMEOUT },

	/* Unplugged at each step */
	{ "gone before the control request", STEPS(UNPLUG), OC_E_GONE },
	{ "gone before Abort", STEPS(ABORT_CONTROL(OC_OK), UNPLUG), OC_E_GONE },
	{ "gone before the status", STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, UNPLUG), OC_E_GONE },
	{ "gone behind a stalled ABORT", STEPS(ABORT_CONTROL(OC_E_STALL), UNPLUG), OC_E_GONE },
	{ "gone behind clear halt", STEPS(ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_OK), UNPLUG),
	  OC_E_GONE },
	{ "gone behind GetSlotStatus",
	  STEPS(ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_OK), STATUS_SENT, UNPLUG), OC_E_GONE },
	{ "ABORT says gone", STEPS(ABORT_CONTROL(OC_E_GONE)), OC_E_GONE },
};

static void each_rung(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bench b;

		bench_begin(&b, rows[i].steps);
		CHECK_INT(rows[i].name, ccid_recover(&b.port, SLOT), rows[i].err);
		CHECK(rows[i].name, b.script.clock <= RECOVERY_BOUND_MS);
		if (rows[i].err == OC_E_GONE)
			CHECK_INT(rows[i].name, b.script.clock, 0);
		CHECK_INT(rows[i].name, b.log.count[OC_LOG_CRITICAL], rows[i].err == OC_E_TIMEOUT);
		bench_end(rows[i].name, &b);
	}
	check_done();
}

/* Each rung is counted where it helped, and the sum is told. */
static void rungs_are_counted(void **state)
{
	static const char told[] = "the reader had to be brought back to order: by abort 2, clear halt 1, "
				   "USB port reset 0; given "
				   "up 1";
	const struct script_step by_abort[] = { ABORT_CONTROL(OC_OK), ABORT_SENT, STATUS_GIVEN, END };
	struct bench b;

	(void)state;
	bench_begin(&b, script_nothing);
	ccid_tell_recoveries(&b.port);
	CHECK_INT("nothing to tell", b.log.count[OC_LOG_INFO], 0);
	for (unsigned i = 0; i < 2; i++) {
		script_continue(&b.script, by_abort);
		CHECK_INT("abort", ccid_recover(&b.port, SLOT), OC_OK);
	}
	CHECK_STRING("the second time", b.log.last[OC_LOG_INFO],
		     "the reader is back in order after: abort (time 2)");
	script_continue(&b.script,
			STEPS(ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_OK), STATUS_SENT, STATUS_GIVEN));
	CHECK_INT("clear halt", ccid_recover(&b.port, SLOT), OC_OK);
	b.port.hopeless = true;
	script_continue(&b.script, STEPS(ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_E_IO)));
	CHECK_INT("given up", ccid_recover(&b.port, SLOT), OC_E_TIMEOUT);
	ccid_tell_recoveries(&b.port);
	CHECK_STRING("the sum", b.log.last[OC_LOG_INFO], told);
	bench_end("counted", &b);
	check_done();
}

/* Before the first command: tolerant of every error, and short. */
static const struct row resync_rows[] = {
	{ "both halves, and the status", STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, STATUS_GIVEN), OC_OK },
	{ "ABORT stalls", STEPS(ABORT_CONTROL(OC_E_STALL), ABORT_SENT, STATUS_GIVEN), OC_OK },
	{ "ABORT times out", STEPS(ABORT_CONTROL(OC_E_TIMEOUT), ABORT_SENT, STATUS_GIVEN), OC_OK },
	{ "Abort cannot be sent at first",
	  STEPS(ABORT_CONTROL(OC_OK), SEND_FAILS(OC_E_TIMEOUT, 0x72, 0, 0, 0, 0, SLOT, 0, 0, 0, 0),
		ABORT_CONTROL(OC_OK), ABORT_SENT, STATUS_GIVEN),
	  OC_OK },
	{ "bulk-IN stalls at first",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, RECV_FAILS(OC_E_STALL), ABORT_CONTROL(OC_OK), ABORT_SENT,
		STATUS_GIVEN),
	  OC_OK },
	{ "the answer to the first one comes while the second one waits",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, ABORT_CONTROL(OC_OK), ABORT_SENT, OLD(1), STATUS_GIVEN),
	  OC_OK },
	{ "never an answer: clear halt",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, ABORT_CONTROL(OC_OK), ABORT_SENT, ABORT_CONTROL(OC_OK),
		ABORT_SENT, HALT_CLEARED(OC_OK), STATUS_SENT, STATUS_GIVEN),
	  OC_OK },
	{ "silent for ever",
	  STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, ABORT_CONTROL(OC_OK), ABORT_SENT, ABORT_CONTROL(OC_OK),
		ABORT_SENT, HALT_CLEARED(OC_OK), STATUS_SENT),
	  OC_E_TIMEOUT },
	{ "nothing works",
	  STEPS(ABORT_CONTROL(OC_E_IO), SEND_FAILS(OC_E_IO, 0x72, 0, 0, 0, 0, SLOT, 0, 0, 0, 0),
		ABORT_CONTROL(OC_E_IO), SEND_FAILS(OC_E_IO, 0x72, 0, 0, 0, 0, SLOT, 0, 0, 0, 0),
		ABORT_CONTROL(OC_E_IO), SEND_FAILS(OC_E_IO, 0x72, 0, 0, 0, 0, SLOT, 0, 0, 0, 0),
		HALT_CLEARED(OC_E_IO)),
	  OC_E_TIMEOUT },
	{ "gone at once", STEPS(UNPLUG), OC_E_GONE },
	{ "gone between the halves", STEPS(ABORT_CONTROL(OC_OK), UNPLUG), OC_E_GONE },
	{ "gone before the status", STEPS(ABORT_CONTROL(OC_OK), ABORT_SENT, UNPLUG), OC_E_GONE },
};

static void before_the_first_command(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(resync_rows); i++) {
		const char *name = resync_rows[i].name;
		struct bench b;

		bench_begin(&b, resync_rows[i].steps);
		CHECK_INT(name, ccid_resync(&b.port, SLOT), resync_rows[i].err);
		CHECK(name, b.script.clock <= 1200);
		CHECK_INT(name, b.port.silent, resync_rows[i].err == OC_E_TIMEOUT);
		bench_end(name, &b);
	}
	check_done();
}

/* Old answers for ever, as fast as the bus carries them: bounded in number. */
static void noise_for_ever(void **state)
{
	enum { MANY = 4000 };
	const struct script_step first[] = { ABORT_CONTROL(OC_OK), ABORT_SENT }, old = OLD(1);
	struct script_step *steps = calloc(MANY + 4, sizeof *steps);
	struct bench b;

	(void)state;
	assert_non_null(steps);
	memcpy(steps, first, sizeof first);
	for (size_t i = 0; i < MANY; i++)
		steps[2 + i] = old;
	bench_begin(&b, steps);
	CHECK_INT("noise", ccid_recover(&b.port, SLOT), OC_E_TIMEOUT);
	CHECK("given up early", b.script.step < steps + 1000);
	ccid_port_close(&b.port);
	script_end(&b.script);
	free(steps);
	check_done();
}

/* The pair carries a bSeq that is neither that of the failed command nor that of the next one. */
static void the_pair_has_a_fresh_seq(void **state)
{
	const struct script_step steps[] = {
		SENDS_RAW(0x6F, 0, 0, 0, 0, SLOT, 0x41, 0, 0, 0),
		ABORT_CONTROL(OC_OK),
		SENDS_RAW(0x72, 0, 0, 0, 0, SLOT, 0x42, 0, 0, 0),
		STATUS_GIVEN,
		SENDS_RAW(0x6F, 0, 0, 0, 0, SLOT, 0x43, 0, 0, 0),
		OLD(2), /* the answer to the aborted one, even later */
		GIVES(0x80, 2, 0, 0, 0, SLOT, 0, 0, 0, 0, 0x6A, 0x82),
		END,
	};
	const struct ccid_command command = ccid_xfr_block(SLOT, 0, 0, 0);
	struct ccid_reply reply;
	struct bench b;

	(void)state;
	bench_begin(&b, steps);
	b.port.seq = 0x41;
	CHECK_INT("silence", ccid_exchange(&b.port, &command, WAIT, &reply), OC_E_TIMEOUT);
	CHECK_INT("next", ccid_exchange(&b.port, &command, WAIT, &reply), OC_OK);
	CHECK_BYTES("next", reply.data, reply.len, ((const uint8_t[]){ 0x6A, 0x82 }), 2);
	bench_end("fresh bSeq", &b);
	check_done();
}

/* An exchange whose bus fails: recovered, the first error comes back, the command is not sent again. */
static const struct {
	const char *name;
	const struct script_step *steps;
	enum oc_err err;
	uint64_t at_most;
} exchange_rows[] = {
	{ "bulk-OUT stalls",
	  STEPS(SEND_FAILS(OC_E_STALL, 0x6F, 0, 0, 0, 0, SLOT, 0, 0, 0, 0), ABORT_CONTROL(OC_E_STALL),
		HALT_CLEARED(OC_OK), STATUS_SENT, STATUS_GIVEN),
	  OC_E_STALL, 0 },
	{ "bulk-OUT fails",
	  STEPS(SEND_FAILS(OC_E_IO, 0x6F, 0, 0, 0, 0, SLOT, 0, 0, 0, 0), ABORT_CONTROL(OC_OK), ABORT_SENT,
		STATUS_GIVEN),
	  OC_E_IO, 0 },
	{ "bulk-IN stalls",
	  STEPS(XFR_SENT, RECV_FAILS(OC_E_STALL), ABORT_CONTROL(OC_E_STALL), HALT_CLEARED(OC_OK), STATUS_SENT,
		STATUS_GIVEN),
	  OC_E_STALL, 0 },
	{ "bulk-IN fails",
	  STEPS(XFR_SENT, RECV_FAILS(OC_E_IO), ABORT_CONTROL(OC_OK), ABORT_SENT, STATUS_GIVEN), OC_E_IO, 0 },
	{ "silent for ever",
	  STEPS(XFR_SENT, ABORT_CONTROL(OC_OK), ABORT_SENT, HALT_CLEARED(OC_OK), STATUS_SENT), OC_E_TIMEOUT,
	  WAIT + RECOVERY_BOUND_MS },
	{ "unplugged before the command", STEPS(UNPLUG), OC_E_GONE, 0 },
	{ "unplugged before the answer", STEPS(XFR_SENT, UNPLUG), OC_E_GONE, 0 },
	{ "unplugged between extension and answer",
	  STEPS(XFR_SENT, GIVES_AFTER(10, 0x80, 0, 0, 0, 0, SLOT, 0, 0x80, 1, 0), UNPLUG), OC_E_GONE, 10 },
	{ "unplugged behind a stale answer", STEPS(XFR_SENT, OLD(1), UNPLUG), OC_E_GONE, 0 },
	{ "unplugged while it is brought to order",
	  STEPS(XFR_SENT, RECV_FAILS(OC_E_STALL), ABORT_CONTROL(OC_OK), ABORT_SENT, UNPLUG), OC_E_GONE, 0 },
};

static void exchanges_that_fail(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(exchange_rows); i++) {
		const struct ccid_command command = ccid_xfr_block(SLOT, 0, 0, 0);
		struct ccid_reply reply;
		struct bench b;

		bench_begin(&b, exchange_rows[i].steps);
		CHECK_INT(exchange_rows[i].name, ccid_exchange(&b.port, &command, WAIT, &reply),
			  exchange_rows[i].err);
		CHECK(exchange_rows[i].name, b.script.clock <= exchange_rows[i].at_most);
		bench_end(exchange_rows[i].name, &b);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rung),
		cmocka_unit_test(rungs_are_counted),
		cmocka_unit_test(before_the_first_command),
		cmocka_unit_test(noise_for_ever),
		cmocka_unit_test(the_pair_has_a_fresh_seq),
		cmocka_unit_test(exchanges_that_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
