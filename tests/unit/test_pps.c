/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PPS: the request of ISO/IEC 7816-3:2006, 9.2, and what counts as its acceptance, 9.3. */
#include "tpdu/pps.h"
#include "check.h"

enum { CANARY = 4 };

#define DEFAULT                              \
	{                                    \
		.protocol = 0, .fi_di = 0x11 \
	}
#define T0_94                                \
	{                                    \
		.protocol = 0, .fi_di = 0x94 \
	}
#define T1_96                                \
	{                                    \
		.protocol = 1, .fi_di = 0x96 \
	}
#define T1_ONLY                              \
	{                                    \
		.protocol = 1, .fi_di = 0x11 \
	}
#define T1_PPS2                                                              \
	{                                                                    \
		.protocol = 1, .fi_di = 0x96, .has_pps2 = true, .pps2 = 0x01 \
	}
#define T1_PPS3                                                              \
	{                                                                    \
		.protocol = 1, .fi_di = 0x96, .has_pps3 = true, .pps3 = 0x55 \
	}
#define PPS2_3                                                                                               \
	{                                                                                                    \
		.protocol = 0, .fi_di = 0x11, .has_pps2 = true, .has_pps3 = true, .pps2 = 0x40, .pps3 = 0x02 \
	}
#define ALL                                                                                                  \
	{                                                                                                    \
		.protocol = 1, .fi_di = 0x18, .has_pps2 = true, .has_pps3 = true, .pps2 = 0x40, .pps3 = 0x02 \
	}

static const struct {
	const char *name;
	struct pps pps;
	const uint8_t *bytes;
	size_t len;
} request_rows[] = {
	{ "protocol and PPS1, T=1", T1_96, BYTES(0xFF, 0x11, 0x96, 0x78) },
	{ "protocol and PPS1, T=0", T0_94, BYTES(0xFF, 0x10, 0x94, 0x7B) },
	{ "protocol only, T=1", T1_ONLY, BYTES(0xFF, 0x01, 0xFE) },
	{ "protocol only, T=0", DEFAULT, BYTES(0xFF, 0x00, 0xFF) },
	{ "PPS2", T1_PPS2, BYTES(0xFF, 0x31, 0x96, 0x01, 0x59) },
	{ "PPS3", T1_PPS3, BYTES(0xFF, 0x51, 0x96, 0x55, 0x6D) },
	{ "PPS2 and PPS3 without PPS1", PPS2_3, BYTES(0xFF, 0x60, 0x40, 0x02, 0xDD) },
	{ "all of it, six bytes", ALL, BYTES(0xFF, 0x71, 0x18, 0x40, 0x02, 0xD4) },
	{ "T=14", { .protocol = 14, .fi_di = 0x11 }, BYTES(0xFF, 0x0E, 0xF1) },
};

static void requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(request_rows); i++) {
		uint8_t out[PPS_MAX + CANARY];
		size_t len;

		memset(out, 0xEE, sizeof out);
		len = pps_put_request(out, &request_rows[i].pps);
		CHECK_BYTES(request_rows[i].name, out, len, request_rows[i].bytes, request_rows[i].len);
		for (size_t n = len; n < sizeof out; n++)
			CHECK_INT(request_rows[i].name, out[n], 0xEE);
	}
	check_done();
}

static const struct {
	const char *name;
	struct pps pps;
	const uint8_t *bytes;
	size_t len;
	int fi_di; /* what holds then; -1: refused */
} response_rows[] = {
	{ "echo", T1_96, BYTES(0xFF, 0x11, 0x96, 0x78), 0x96 },
	{ "echo, T=0", T0_94, BYTES(0xFF, 0x10, 0x94, 0x7B), 0x94 },
	{ "echo of the protocol", T1_ONLY, BYTES(0xFF, 0x01, 0xFE), 0x11 },
	{ "PPS1 is left out: Fd and Dd", T1_96, BYTES(0xFF, 0x01, 0xFE), 0x11 },
	{ "echo of all", ALL, BYTES(0xFF, 0x71, 0x18, 0x40, 0x02, 0xD4), 0x18 },
	{ "PPS2 is left out", ALL, BYTES(0xFF, 0x51, 0x18, 0x02, 0xB4), 0x18 },
	{ "PPS3 is left out", ALL, BYTES(0xFF, 0x31, 0x18, 0x40, 0x96), 0x18 },
	{ "all of them are left out", ALL, BYTES(0xFF, 0x01, 0xFE), 0x11 },
	{ "PPS1 alone is left out", ALL, BYTES(0xFF, 0x61, 0x40, 0x02, 0xDC), 0x11 },

	{ "nothing", T1_96, BYTES(0), -1 },
	{ "one byte", T1_96, BYTES(0xFF), -1 },
	{ "two bytes", T1_96, BYTES(0xFF, 0xFF), -1 },
	{ "PCK is missing", T1_96, BYTES(0xFF, 0x11, 0x96), -1 },
	{ "PCK is wrong", T1_96, BYTES(0xFF, 0x11, 0x96, 0x79), -1 },
	{ "PPSS is wrong", T1_96, BYTES(0xFE, 0x11, 0x96, 0x79), -1 },
	{ "another protocol", T1_96, BYTES(0xFF, 0x10, 0x96, 0x79), -1 },
	{ "another protocol, nothing else", T1_ONLY, BYTES(0xFF, 0x00, 0xFF), -1 },
	{ "another PPS1", T1_96, BYTES(0xFF, 0x11, 0x95, 0x7B), -1 },
	{ "another PPS1, the default by name", T1_96, BYTES(0xFF, 0x11, 0x11, 0xFF), -1 },
	{ "PPS1 that nobody asked for", T1_ONLY, BYTES(0xFF, 0x11, 0x96, 0x78), -1 },
	{ "PPS2 that nobody asked for", T1_96, BYTES(0xFF, 0x31, 0x96, 0x01, 0x59), -1 },
	{ "PPS3 that nobody asked for", T1_96, BYTES(0xFF, 0x51, 0x96, 0x55, 0x6D), -1 },
	{ "another PPS2", T1_PPS2, BYTES(0xFF, 0x31, 0x96, 0x02, 0x5A), -1 },
	{ "another PPS3", T1_PPS3, BYTES(0xFF, 0x51, 0x96, 0x54, 0x6C), -1 },
	{ "bit 8 of PPS0", T1_96, BYTES(0xFF, 0x91, 0x96, 0xF8), -1 },
	{ "one byte more", T1_96, BYTES(0xFF, 0x11, 0x96, 0x78, 0x00), -1 },
	{ "twice", T1_ONLY, BYTES(0xFF, 0x01, 0xFE, 0xFF, 0x01, 0xFE), -1 },
	{ "two bytes that are fine by themselves", T1_ONLY, BYTES(0xFF, 0x01), -1 },
	{ "PPS0 promises more than there is", ALL, BYTES(0xFF, 0x71, 0x8E), -1 },
	{ "a T=0 status", T0_94, BYTES(0x6E, 0x00), -1 },
};

static void responses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(response_rows); i++) {
		const char *name = response_rows[i].name;
		const bool empty = strcmp(name, "nothing") == 0;
		const size_t len = empty ? 0 : response_rows[i].len;
		uint8_t *exact = exact_copy(response_rows[i].bytes, len), fi_di = 0xEE;
		const int want = response_rows[i].fi_di;

		CHECK_INT(name, pps_check_response(&response_rows[i].pps, exact, len, &fi_di),
			  want < 0 ? OC_E_PROTOCOL : OC_OK);
		CHECK_INT(name, fi_di, want < 0 ? 0xEE : want);
		free(exact);
	}
	check_done();
}

/* Of all answers of three bytes, exactly one accepts; of those of four, exactly one does, and PCK decides it. */
static void every_answer_to_t1_96(void **state)
{
	const struct pps pps = T1_96;
	unsigned three = 0, four = 0;

	(void)state;
	for (unsigned n = 0; n < 0x100000; n++) {
		const uint8_t bytes[] = { (uint8_t)(n >> 16 | 0xF0), (uint8_t)(n >> 8), (uint8_t)n };
		uint8_t fi_di;

		three += pps_check_response(&pps, bytes, sizeof bytes, &fi_di) == OC_OK;
	}
	for (unsigned n = 0; n < 0x10000; n++) {
		const uint8_t bytes[] = { 0xFF, 0x11, (uint8_t)(n >> 8), (uint8_t)n };
		uint8_t fi_di;

		four += pps_check_response(&pps, bytes, sizeof bytes, &fi_di) == OC_OK;
	}
	CHECK_INT("three bytes", three, 1);
	CHECK_INT("four bytes", four, 1);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(responses),
		cmocka_unit_test(every_answer_to_t1_96),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
