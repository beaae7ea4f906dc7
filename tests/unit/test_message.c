/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CCID rev 1.1, chapter 6: every command byte for byte, and the structures inside commands and answers. */
#include "ccid/message.h"
#include "check.h"

static void every_command_has_the_bytes_of_table_6_1(void **state)
{
	const struct {
		const char *name;
		struct ccid_command command;
		uint8_t seq;
		uint8_t want[CCID_HEADER_LEN];
	} rows[] = {
		{ "IccPowerOn automatic",
		  ccid_icc_power_on(0, CCID_POWER_AUTO),
		  0,
		  { 0x62, 0, 0, 0, 0, 0, 0, 0, 0, 0 } },
		{ "IccPowerOn 5 V seq 01",
		  ccid_icc_power_on(0, CCID_POWER_5V),
		  1,
		  { 0x62, 0, 0, 0, 0, 0, 1, 1, 0, 0 } },
		{ "IccPowerOn 3 V slot 2",
		  ccid_icc_power_on(2, CCID_POWER_3V),
		  9,
		  { 0x62, 0, 0, 0, 0, 2, 9, 2, 0, 0 } },
		{ "IccPowerOn 1.8 V",
		  ccid_icc_power_on(0, CCID_POWER_1V8),
		  255,
		  { 0x62, 0, 0, 0, 0, 0, 0xFF, 3, 0, 0 } },
		{ "IccPowerOff", ccid_icc_power_off(1), 2, { 0x63, 0, 0, 0, 0, 1, 2, 0, 0, 0 } },
		{ "GetSlotStatus", ccid_get_slot_status(0), 0, { 0x65, 0, 0, 0, 0, 0, 0, 0, 0, 0 } },
		{ "GetSlotStatus slot 255",
		  ccid_get_slot_status(255),
		  3,
		  { 0x65, 0, 0, 0, 0, 0xFF, 3, 0, 0, 0 } },
		{ "XfrBlock T=0 SELECT", ccid_xfr_block(0, 0, 0, 7), 5, { 0x6F, 7, 0, 0, 0, 0, 5, 0, 0, 0 } },
		{ "XfrBlock WTX answer, bBWI 9",
		  ccid_xfr_block(0, 9, 0, 5),
		  4,
		  { 0x6F, 5, 0, 0, 0, 0, 4, 9, 0, 0 } },
		{ "XfrBlock wLevelParameter is little endian",
		  ccid_xfr_block(0, 0xAB, 0x1234, 0),
		  4,
		  { 0x6F, 0, 0, 0, 0, 0, 4, 0xAB, 0x34, 0x12 } },
		{ "XfrBlock wants the next part",
		  ccid_xfr_block(0, 0, CCID_APDU_NEXT_PART, 0),
		  4,
		  { 0x6F, 0, 0, 0, 0, 0, 4, 0, 0x10, 0 } },
		{ "dwLength is little endian, 24 bits",
		  ccid_xfr_block(0, 0, 0, 0x010203),
		  4,
		  { 0x6F, 3, 2, 1, 0, 0, 4, 0, 0, 0 } },
		{ "dwLength, 32 bits", ccid_escape(0, 0x04030201), 4, { 0x6B, 1, 2, 3, 4, 0, 4, 0, 0, 0 } },
		{ "GetParameters", ccid_get_parameters(1), 7, { 0x6C, 0, 0, 0, 0, 1, 7, 0, 0, 0 } },
		{ "ResetParameters", ccid_reset_parameters(1), 7, { 0x6D, 0, 0, 0, 0, 1, 7, 0, 0, 0 } },
		{ "SetParameters T=0",
		  ccid_set_parameters(0, CCID_PROTOCOL_T0, 5),
		  2,
		  { 0x61, 5, 0, 0, 0, 0, 2, 0, 0, 0 } },
		{ "SetParameters T=1 seq 02",
		  ccid_set_parameters(0, CCID_PROTOCOL_T1, 7),
		  2,
		  { 0x61, 7, 0, 0, 0, 0, 2, 1, 0, 0 } },
		{ "Escape", ccid_escape(3, 4), 0x10, { 0x6B, 4, 0, 0, 0, 3, 0x10, 0, 0, 0 } },
		{ "IccClock restart",
		  ccid_icc_clock(0, CCID_CLOCK_RESTART),
		  1,
		  { 0x6E, 0, 0, 0, 0, 0, 1, 0, 0, 0 } },
		{ "IccClock stop",
		  ccid_icc_clock(0, CCID_CLOCK_STOP_NOW),
		  1,
		  { 0x6E, 0, 0, 0, 0, 0, 1, 1, 0, 0 } },
		{ "T0APDU both classes",
		  ccid_t0_apdu(0, true, 0xA0, true, 0x80),
		  1,
		  { 0x6A, 0, 0, 0, 0, 0, 1, 3, 0xA0, 0x80 } },
		{ "T0APDU GET RESPONSE class",
		  ccid_t0_apdu(0, true, 0xA0, false, 0),
		  1,
		  { 0x6A, 0, 0, 0, 0, 0, 1, 1, 0xA0, 0 } },
		{ "T0APDU ENVELOPE class",
		  ccid_t0_apdu(0, false, 0, true, 0x80),
		  1,
		  { 0x6A, 0, 0, 0, 0, 0, 1, 2, 0, 0x80 } },
		{ "T0APDU neither",
		  ccid_t0_apdu(0, false, 0, false, 0),
		  1,
		  { 0x6A, 0, 0, 0, 0, 0, 1, 0, 0, 0 } },
		{ "Secure", ccid_secure(0, 2, 0x0010, 19), 1, { 0x69, 19, 0, 0, 0, 0, 1, 2, 0x10, 0 } },
		{ "Mechanical accept",
		  ccid_mechanical(0, CCID_CARD_ACCEPT),
		  1,
		  { 0x71, 0, 0, 0, 0, 0, 1, 1, 0, 0 } },
		{ "Mechanical eject",
		  ccid_mechanical(0, CCID_CARD_EJECT),
		  1,
		  { 0x71, 0, 0, 0, 0, 0, 1, 2, 0, 0 } },
		{ "Mechanical capture",
		  ccid_mechanical(0, CCID_CARD_CAPTURE),
		  1,
		  { 0x71, 0, 0, 0, 0, 0, 1, 3, 0, 0 } },
		{ "Mechanical lock",
		  ccid_mechanical(0, CCID_CARD_LOCK),
		  1,
		  { 0x71, 0, 0, 0, 0, 0, 1, 4, 0, 0 } },
		{ "Mechanical unlock",
		  ccid_mechanical(0, CCID_CARD_UNLOCK),
		  1,
		  { 0x71, 0, 0, 0, 0, 0, 1, 5, 0, 0 } },
		{ "Abort seq 07", ccid_abort(0), 7, { 0x72, 0, 0, 0, 0, 0, 7, 0, 0, 0 } },
		{ "SetDataRateAndClockFrequency",
		  ccid_set_data_rate_and_clock(0),
		  1,
		  { 0x73, 8, 0, 0, 0, 0, 1, 0, 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t header[CCID_HEADER_LEN + 2];

		memset(header, 0xEE, sizeof header);
		ccid_put_header(header + 1, &rows[i].command, rows[i].seq);
		CHECK_BYTES(rows[i].name, header + 1, CCID_HEADER_LEN, rows[i].want, CCID_HEADER_LEN);
		CHECK(rows[i].name, header[0] == 0xEE && header[CCID_HEADER_LEN + 1] == 0xEE);
	}
	check_done();
}

/* One table for names and for the last column of 6.1: which answer belongs to which command. */
static const struct {
	uint8_t type, answer;
	const char *name;
} types[] = {
	{ 0x61, 0x82, "PC_to_RDR_SetParameters" },
	{ 0x62, 0x80, "PC_to_RDR_IccPowerOn" },
	{ 0x63, 0x81, "PC_to_RDR_IccPowerOff" },
	{ 0x65, 0x81, "PC_to_RDR_GetSlotStatus" },
	{ 0x69, 0x80, "PC_to_RDR_Secure" },
	{ 0x6A, 0x81, "PC_to_RDR_T0APDU" },
	{ 0x6B, 0x83, "PC_to_RDR_Escape" },
	{ 0x6C, 0x82, "PC_to_RDR_GetParameters" },
	{ 0x6D, 0x82, "PC_to_RDR_ResetParameters" },
	{ 0x6E, 0x81, "PC_to_RDR_IccClock" },
	{ 0x6F, 0x80, "PC_to_RDR_XfrBlock" },
	{ 0x71, 0x81, "PC_to_RDR_Mechanical" },
	{ 0x72, 0x81, "PC_to_RDR_Abort" },
	{ 0x73, 0x84, "PC_to_RDR_SetDataRateAndClockFrequency" },
	{ 0x50, 0, "RDR_to_PC_NotifySlotChange" },
	{ 0x51, 0, "RDR_to_PC_HardwareError" },
	{ 0x80, 0, "RDR_to_PC_DataBlock" },
	{ 0x81, 0, "RDR_to_PC_SlotStatus" },
	{ 0x82, 0, "RDR_to_PC_Parameters" },
	{ 0x83, 0, "RDR_to_PC_Escape" },
	{ 0x84, 0, "RDR_to_PC_DataRateAndClockFrequency" },
};

static void every_type_has_its_name_and_its_answer(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		const char *name = "unknown message";
		uint8_t answer = 0;

		for (size_t i = 0; i < COUNT(types); i++) {
			if (types[i].type != type)
				continue;
			name = types[i].name;
			answer = types[i].answer;
		}
		CHECK_STRING(name, ccid_type_name((uint8_t)type), name);
		CHECK_INT(name, ccid_reply_type((uint8_t)type), answer);
	}
	check_done();
}

/* ---- the parameters structure (6.1.7, 6.2.3) -------------------------------------------------------------------- */

static const struct {
	const char *name;
	struct ccid_parameters parameters;
	uint8_t bytes[CCID_PARAMETERS_T1_LEN];
	size_t len;
} parameter_rows[] = {
	{ "T=0 defaults",
	  { .protocol = CCID_PROTOCOL_T0, .fi_di = 0x11, .waiting = 0x0A },
	  { 0x11, 0x00, 0x00, 0x0A, 0x00 },
	  5 },
	{ "T=0 inverse",
	  { .protocol = CCID_PROTOCOL_T0,
	    .fi_di = 0x94,
	    .inverse = true,
	    .guard_time = 0xFF,
	    .waiting = 0xFE,
	    .clock_stop = 3 },
	  { 0x94, 0x02, 0xFF, 0xFE, 0x03 },
	  5 },
	{ "T=1 defaults",
	  { .protocol = CCID_PROTOCOL_T1, .fi_di = 0x11, .waiting = 0x4D, .ifsc = 0x20 },
	  { 0x11, 0x10, 0x00, 0x4D, 0x00, 0x20, 0x00 },
	  7 },
	{ "T=1 of the byte examples",
	  { .protocol = CCID_PROTOCOL_T1, .fi_di = 0x13, .guard_time = 0xFF, .waiting = 0x45, .ifsc = 0x80 },
	  { 0x13, 0x10, 0xFF, 0x45, 0x00, 0x80, 0x00 },
	  7 },
	{ "T=1 CRC",
	  { .protocol = CCID_PROTOCOL_T1,
	    .fi_di = 0x96,
	    .crc = true,
	    .waiting = 0x95,
	    .clock_stop = 1,
	    .ifsc = 0xFE,
	    .nad = 0x21 },
	  { 0x96, 0x11, 0x00, 0x95, 0x01, 0xFE, 0x21 },
	  7 },
	{ "T=1 inverse",
	  { .protocol = CCID_PROTOCOL_T1,
	    .fi_di = 0x11,
	    .inverse = true,
	    .waiting = 0x4D,
	    .clock_stop = 2,
	    .ifsc = 1 },
	  { 0x11, 0x12, 0x00, 0x4D, 0x02, 0x01, 0x00 },
	  7 },
	{ "T=1 CRC inverse",
	  { .protocol = CCID_PROTOCOL_T1,
	    .fi_di = 0x11,
	    .inverse = true,
	    .crc = true,
	    .waiting = 0x4D,
	    .ifsc = 32 },
	  { 0x11, 0x13, 0x00, 0x4D, 0x00, 0x20, 0x00 },
	  7 },
};

static void check_parameters(const char *name, const struct ccid_parameters *got,
			     const struct ccid_parameters *want)
{
	CHECK_INT(name, got->protocol, want->protocol);
	CHECK_INT(name, got->fi_di, want->fi_di);
	CHECK_INT(name, got->inverse, want->inverse);
	CHECK_INT(name, got->crc, want->crc);
	CHECK_INT(name, got->guard_time, want->guard_time);
	CHECK_INT(name, got->waiting, want->waiting);
	CHECK_INT(name, got->clock_stop, want->clock_stop);
	if (want->protocol == CCID_PROTOCOL_T0)
		return;
	CHECK_INT(name, got->ifsc, want->ifsc);
	CHECK_INT(name, got->nad, want->nad);
}

static void parameters_go_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(parameter_rows); i++) {
		const char *name = parameter_rows[i].name;
		uint8_t bytes[CCID_PARAMETERS_T1_LEN] = { 0 };
		struct ccid_parameters got;
		size_t len = ccid_put_parameters(bytes, &parameter_rows[i].parameters);
		struct ccid_reply reply = { .type = 0x82, .data = bytes, .len = len };

		reply.specific = (uint8_t)parameter_rows[i].parameters.protocol;
		CHECK_BYTES(name, bytes, len, parameter_rows[i].bytes, parameter_rows[i].len);
		CHECK_INT(name, ccid_decode_parameters(&reply, &got), OC_OK);
		check_parameters(name, &got, &parameter_rows[i].parameters);
	}
	check_done();
}

/* Every protocol number with every length: only T=0 with five bytes and T=1 with seven are a structure. */
static void other_parameters_are_refused(void **state)
{
	(void)state;
	for (unsigned protocol = 0; protocol < 256; protocol++) {
		for (size_t len = 0; len <= 12; len++) {
			const uint8_t bytes[12] = { 0x11, 0x10, 0, 0x4D, 0, 0x20 };
			uint8_t *data = exact_copy(bytes, len);
			struct ccid_reply reply = { .type = 0x82, .data = data, .len = len };
			struct ccid_parameters got;
			bool good = (protocol == 0 && len == 5) || (protocol == 1 && len == 7);
			char name[32];

			memset(&got, 0x5A, sizeof got);
			reply.specific = (uint8_t)protocol;
			snprintf(name, sizeof name, "protocol %u, %zu bytes", protocol, len);
			CHECK_INT(name, ccid_decode_parameters(&reply, &got), good ? OC_OK : OC_E_ANSWER);
			CHECK_INT(name, got.fi_di, good ? 0x11 : 0x5A);
			free(data);
		}
	}
	check_done();
}

static void rate_and_clock(void **state)
{
	const uint8_t want[8] = { 0xA0, 0x0F, 0, 0, 0x01, 0x2A, 0, 0 };
	uint8_t got[10];

	(void)state;
	memset(got, 0xEE, sizeof got);
	ccid_put_rate_and_clock(got, 4000, 10753);
	CHECK_BYTES("4000 kHz, 10753 bps", got, 8, want, 8);
	CHECK("nothing behind", got[8] == 0xEE && got[9] == 0xEE);
	ccid_put_rate_and_clock(got, 0x04030201, 0xFCFDFEFF);
	CHECK_BYTES("little endian", got, 8, ((const uint8_t[]){ 1, 2, 3, 4, 0xFF, 0xFE, 0xFD, 0xFC }), 8);

	for (size_t len = 0; len <= 10; len++) {
		const uint8_t bytes[10] = { 0xA0, 0x0F, 0, 0, 0x01, 0x2A, 0, 0 };
		uint8_t *data = exact_copy(bytes, len);
		struct ccid_reply reply = { .type = 0x84, .data = data, .len = len };
		uint32_t clock = 1, rate = 2;
		char name[32];

		snprintf(name, sizeof name, "%zu bytes", len);
		CHECK_INT(name, ccid_decode_rate_and_clock(&reply, &clock, &rate),
			  len == 8 ? OC_OK : OC_E_ANSWER);
		CHECK_INT(name, clock, len == 8 ? 4000 : 1);
		CHECK_INT(name, rate, len == 8 ? 10753 : 2);
		free(data);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_has_the_bytes_of_table_6_1),
		cmocka_unit_test(every_type_has_its_name_and_its_answer),
		cmocka_unit_test(parameters_go_there_and_back),
		cmocka_unit_test(other_parameters_are_refused),
		cmocka_unit_test(rate_and_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
