/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reader on a script, as the tests of src/slot use it. */
#ifndef OPENCCID_TESTS_SLOT_BENCH_H
#define OPENCCID_TESTS_SLOT_BENCH_H

#include "check.h"
#include "script.h"
#include "slot/reader.h"

#define STEPS(...)                   \
	(const struct script_step[]) \
	{                            \
		__VA_ARGS__, END     \
	}

#define STATUS_ASKED               SENDS(0x65, 0, 0, 0, 0, 0, 0, 0, 0, 0)
#define STATUS_IS(status)          GIVES(0x81, 0, 0, 0, 0, 0, 0, status, 0, 0)
#define POWER_ON(select)           SENDS(0x62, 0, 0, 0, 0, 0, 0, select, 0, 0)
#define POWER_ON_RESTED(select)    SENDS_RESTED(10, 0x62, 0, 0, 0, 0, 0, 0, select, 0, 0)
#define POWERED_OFF                SENDS(0x63, 0, 0, 0, 0, 0, 0, 0, 0, 0), STATUS_IS(0x01)
#define ATR_OF(len, ...)           GIVES(0x80, len, 0, 0, 0, 0, 0, 0, 0, 0, __VA_ARGS__)
#define POWER_FAILS(status, error) GIVES(0x80, 0, 0, 0, 0, 0, 0, status, error, 0)
#define MUTE                       POWER_FAILS(0x41, 0xFE)

#define XFR(len, ...)            SENDS(0x6F, len, 0, 0, 0, 0, 0, 0, 0, 0, __VA_ARGS__)
#define BLOCK(len, ...)          GIVES(0x80, len, 0, 0, 0, 0, 0, 0, 0, 0, __VA_ARGS__)
#define XFR_FAILS(status, error) GIVES(0x80, 0, 0, 0, 0, 0, 0, status, error, 0)
/* SetParameters for T=0 and its answer; T=1 */
#define SET_T0(fi_di, convention, n, wi, stop) \
	SENDS(0x61, 5, 0, 0, 0, 0, 0, 0, 0, 0, fi_di, convention, n, wi, stop)
#define T0_IS_SET(fi_di, convention, n, wi, stop) \
	GIVES(0x82, 5, 0, 0, 0, 0, 0, 0, 0, 0, fi_di, convention, n, wi, stop)
#define T0_SET(...) SET_T0(__VA_ARGS__), T0_IS_SET(__VA_ARGS__)
#define T1_SET(...)                                          \
	SENDS(0x61, 7, 0, 0, 0, 0, 0, 1, 0, 0, __VA_ARGS__), \
		GIVES(0x82, 7, 0, 0, 0, 0, 0, 0, 0, 1, __VA_ARGS__)

struct slot_bench {
	struct script script;
	struct script_log log;
	struct reader_setup setup;
	struct reader *reader;
	struct slot *slot; /* number 0 */
};

static const struct script_step slot_bench_opening[] = { STATUS_ASKED, STATUS_IS(0x01), END };

/* A TPDU reader that takes SetParameters and does the PPS, one slot, all voltages. */
static inline void slot_bench_begin(struct slot_bench *b)
{
	memset(b, 0, sizeof *b);
	script_begin(&b->script, slot_bench_opening);
	script_log_begin(&b->log);
	b->setup = (struct reader_setup){
		.transport = &b->script.transport,
		.log = &b->log.log,
		.caps = {
			.level = CCID_TPDU,
			.features = 0x000100B0,
			.slots = 1,
			.busy_slots = 1,
			.voltages = 7,
			.t0 = true,
			.t1 = true,
			.clock_khz = 4000,
			.max_rate = 500000,
			.max_message = 271,
			.max_ifsd = 254,
			.class_get_response = 0xFF,
			.class_envelope = 0xFF,
		},
		.interface = 0,
	};
}

static inline void slot_bench_open(struct slot_bench *b, const struct script_step *steps)
{
	assert_int_equal(reader_open(&b->setup, &b->reader), OC_OK);
	b->slot = reader_slot(b->reader, 0);
	assert_non_null(b->slot);
	script_continue(&b->script, steps);
}

/* The end of a row: the reader is unplugged, so that closing it sends nothing. */
static inline void slot_bench_end(const char *row, struct slot_bench *b)
{
	reader_gone(b->reader);
	reader_close(b->reader);
	CHECK(row, b->script.closed);
	SCRIPT_END(row, &b->script);
}

#endif
