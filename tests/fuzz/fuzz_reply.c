/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every message of a hostile reader: on bulk-IN, and on its interrupt endpoint. The first byte is the number of its slots. */
#include "fuzz.h"

#include "ccid/message.h"
#include "ccid/pin.h"
#include "ccid/status.h"

static void check_parameters(const struct ccid_reply *m)
{
	uint8_t again[CCID_PARAMETERS_T1_LEN];
	struct ccid_parameters p;
	size_t len;

	if (ccid_decode_parameters(m, &p) != OC_OK)
		return;
	FUZZ_ASSERT((unsigned)p.protocol == m->specific);
	len = ccid_put_parameters(again, &p);
	FUZZ_ASSERT(len == m->len);
	for (size_t i = 0; i < len; i++)
		FUZZ_ASSERT(i == 1 || again[i] == m->data[i]); /* bmTCCKS has bits that mean nothing */
}

static void check_rate_and_clock(const struct ccid_reply *m)
{
	uint32_t clock, rate;
	uint8_t again[8];

	if (ccid_decode_rate_and_clock(m, &clock, &rate) != OC_OK) {
		FUZZ_ASSERT(m->len != sizeof again);
		return;
	}
	ccid_put_rate_and_clock(again, clock, rate);
	FUZZ_ASSERT(m->len == sizeof again && memcmp(again, m->data, sizeof again) == 0);
}

static void check_status(const struct ccid_reply *m)
{
	const struct pin_rules rules = { .refused_error = 0x90, .mismatch_error = 0x91 };
	const enum oc_err err = ccid_judge(m);

	FUZZ_ASSERT((err == OC_OK) == (ccid_command_status_of(m->status) == CCID_DONE));
	FUZZ_ASSERT(ccid_error_info(m->error)->name && ccid_error_info(m->error)->sentence);
	FUZZ_ASSERT(ccid_error_info(m->error)->err != OC_OK);
	FUZZ_ASSERT(ccid_icc_text(ccid_icc_of(m->status)));
	FUZZ_ASSERT(!pin_status_of(m->error, &rules) || m->error);
	FUZZ_ASSERT(ccid_type_name(m->type)[0]);
	FUZZ_ASSERT(m->type < 0x80 || ccid_reply_type(m->type) == 0);
}

static void check_message(const uint8_t *bytes, size_t len)
{
	struct ccid_reply m;
	const enum oc_err err = ccid_decode_reply(bytes, len, &m);

	FUZZ_ASSERT(err == OC_OK || err == (len < CCID_HEADER_LEN ? OC_E_SHORT : OC_E_LENGTH));
	if (err != OC_OK)
		return;
	FUZZ_ASSERT(CCID_HEADER_LEN + m.len + m.padding == len && m.data == bytes + CCID_HEADER_LEN);
	check_parameters(&m);
	check_rate_and_clock(&m);
	check_status(&m);
}

static void check_events(const uint8_t *bytes, size_t len, unsigned slots)
{
	const uint8_t *at = bytes;
	size_t left = len;
	struct ccid_event e;

	while (ccid_next_event(&at, &left, slots, &e)) {
		bool present, changed;

		FUZZ_ASSERT(at > bytes && at + left == bytes + len);
		FUZZ_ASSERT(e.states_len <= (slots + 3) / 4);
		FUZZ_ASSERT(!e.states_len || (e.states >= bytes && e.states + e.states_len <= at));
		for (unsigned i = 0; i < 4 * e.states_len; i++)
			FUZZ_ASSERT(ccid_event_slot(&e, i, &present, &changed));
		FUZZ_ASSERT(!ccid_event_slot(&e, (unsigned)(4 * e.states_len), &present, &changed));
	}
	FUZZ_ASSERT(at + left == bytes + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	check_message(data + 1, size - 1);
	check_events(data + 1, size - 1, data[0] + 1u);
	return 0;
}
