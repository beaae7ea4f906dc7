/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bStatus and bError of answers (CCID rev 1.1, 6.2.6 and table 6.2-2), all values. */
#include "ccid/status.h"
#include "check.h"

/* Did the command reach the card? By the meaning of each code; it decides whether repeating is harmless. */
static const struct {
	uint8_t first, last;
	enum ccid_card_saw card;
	const char *name; /* as in the specification; NULL where the range has no name of its own */
} error_rows[] = {
	{ 0x00, 0x00, CARD_NEVER_SAW, "CMD_NOT_SUPPORTED" },
	{ 0x01, 0x7F, CARD_NEVER_SAW, NULL }, /* offset of the field that is wrong */
	{ 0x80, 0x80, CARD_MAY_HAVE_SEEN, NULL },
	{ 0x81, 0xC0, CARD_MAY_HAVE_SEEN, NULL }, /* vendors' own */
	{ 0xC1, 0xDF, CARD_MAY_HAVE_SEEN, NULL },
	{ 0xE0, 0xE0, CARD_NEVER_SAW, "CMD_SLOT_BUSY" },
	{ 0xE1, 0xEE, CARD_MAY_HAVE_SEEN, NULL },
	{ 0xEF, 0xEF, CARD_NEVER_SAW, "PIN_CANCELLED" },
	{ 0xF0, 0xF0, CARD_NEVER_SAW, "PIN_TIMEOUT" },
	{ 0xF1, 0xF1, CARD_MAY_HAVE_SEEN, NULL },
	{ 0xF2, 0xF2, CARD_NEVER_SAW, "BUSY_WITH_AUTO_SEQUENCE" },
	{ 0xF3, 0xF3, CARD_NEVER_SAW, "DEACTIVATED_PROTOCOL" },
	{ 0xF4, 0xF4, CARD_SAW, "PROCEDURE_BYTE_CONFLICT" },
	{ 0xF5, 0xF5, CARD_NEVER_SAW, "ICC_CLASS_NOT_SUPPORTED" }, /* these four belong to power-on */
	{ 0xF6, 0xF6, CARD_NEVER_SAW, "ICC_PROTOCOL_NOT_SUPPORTED" },
	{ 0xF7, 0xF7, CARD_NEVER_SAW, "BAD_ATR_TCK" },
	{ 0xF8, 0xF8, CARD_NEVER_SAW, "BAD_ATR_TS" },
	{ 0xF9, 0xFA, CARD_MAY_HAVE_SEEN, NULL },
	{ 0xFB, 0xFB, CARD_MAY_HAVE_SEEN, "HW_ERROR" },
	{ 0xFC, 0xFC, CARD_SAW, "XFR_OVERRUN" },
	{ 0xFD, 0xFD, CARD_SAW, "XFR_PARITY_ERROR" },
	{ 0xFF, 0xFF, CARD_MAY_HAVE_SEEN, "CMD_ABORTED" },
};

static void what_the_card_saw(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(error_rows); i++) {
		for (unsigned error = error_rows[i].first; error <= error_rows[i].last; error++) {
			const struct ccid_error_info *info = ccid_error_info((uint8_t)error);
			char name[16];

			snprintf(name, sizeof name, "bError %02Xh", error);
			CHECK_INT(name, info->card, error_rows[i].card);
			if (error_rows[i].name)
				CHECK_STRING(name, info->name, error_rows[i].name);
		}
	}
	check_done();
}

/* A mute card may have executed what it did not answer. */
static void a_mute_card_may_have_worked(void **state)
{
	(void)state;
	CHECK_STRING("FE", ccid_error_info(0xFE)->name, "ICC_MUTE");
	CHECK("FE", ccid_error_info(0xFE)->card != CARD_NEVER_SAW);
	check_done();
}

static void every_value_has_an_entry(void **state)
{
	(void)state;
	for (unsigned error = 0; error < 256; error++) {
		const struct ccid_error_info *info = ccid_error_info((uint8_t)error);
		char name[16];

		snprintf(name, sizeof name, "bError %02Xh", error);
		assert_non_null(info);
		CHECK(name, info->name && info->name[0]);
		CHECK(name, info->sentence && strlen(info->sentence) > 8);
		CHECK(name, info->err != OC_OK);
		CHECK(name, oc_strerr(info->err) && oc_strerr(info->err)[0]);
	}
	check_done();
}

static const struct {
	const char *name;
	uint8_t status, error;
	enum oc_err want;
} judge_cases[] = {
	{ "done, active", 0x00, 0x00, OC_OK },
	{ "done, inactive", 0x01, 0x00, OC_OK },
	{ "done, no card", 0x02, 0x00, OC_OK },
	{ "done, bError is of no account", 0x00, 0xFE, OC_OK },
	{ "done, bError 81h on an inactive card", 0x01, 0x81, OC_OK },
	{ "done, reserved bits set", 0x3C, 0x00, OC_OK },
	{ "mute, active", 0x40, 0xFE, OC_E_MUTE },
	{ "mute, inactive", 0x41, 0xFE, OC_E_MUTE },
	{ "mute, no card", 0x42, 0xFE, OC_E_NO_CARD },
	{ "reserved bits do not hide the failure", 0x7C, 0xFE, OC_E_MUTE },
	{ "reserved bits do not hide the missing card", 0x7E, 0xFE, OC_E_NO_CARD },
	{ "parity error", 0x40, 0xFD, OC_E_CARD },
	{ "overrun", 0x40, 0xFC, OC_E_CARD },
	{ "procedure byte conflict", 0x40, 0xF4, OC_E_CARD },
	{ "parity error, card pulled", 0x42, 0xFD, OC_E_NO_CARD },
	{ "hardware error, no card", 0x42, 0xFB, OC_E_NO_CARD },
	{ "no protocol", 0x40, 0xF6, OC_E_PROTOCOL },
	{ "command not supported by the reader", 0x40, 0x00, OC_E_REFUSED },
	{ "slot does not exist: bSlot is wrong", 0x40, 0x05, OC_E_REFUSED },
	{ "parameter at offset 10", 0x40, 0x0A, OC_E_REFUSED },
};

static void judgements(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(judge_cases); i++) {
		struct ccid_reply reply = { .type = 0x80,
					    .status = judge_cases[i].status,
					    .error = judge_cases[i].error };

		CHECK_INT(judge_cases[i].name, ccid_judge(&reply), judge_cases[i].want);
	}
	check_done();
}

/* Every bStatus with every bError: OC_OK exactly where bmCommandStatus is 0; C0h is a failure and no time extension. */
static void only_status_0_is_success(void **state)
{
	(void)state;
	for (unsigned value = 0; value < 65536; value++) {
		struct ccid_reply reply = { .type = 0x80,
					    .status = (uint8_t)(value >> 8),
					    .error = (uint8_t)value };
		char name[40];

		if (reply.status >> 6 == 2) /* a time extension is not final */
			continue;
		snprintf(name, sizeof name, "bStatus %02Xh bError %02Xh", reply.status, reply.error);
		CHECK_INT(name, ccid_judge(&reply) == OC_OK, reply.status >> 6 == 0);
	}
	check_done();
}

static void the_two_bit_fields(void **state)
{
	(void)state;
	for (unsigned status = 0; status < 256; status++) {
		char name[16];

		snprintf(name, sizeof name, "bStatus %02Xh", status);
		CHECK_INT(name, ccid_icc_of((uint8_t)status), status % 4);
		CHECK_INT(name, ccid_command_status_of((uint8_t)status), status / 64);
	}
	for (unsigned icc = 0; icc < 4; icc++)
		for (unsigned other = 0; other < icc; other++)
			CHECK("texts differ", strcmp(ccid_icc_text((enum ccid_icc)icc),
						     ccid_icc_text((enum ccid_icc)other)) != 0);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_card_saw),        cmocka_unit_test(a_mute_card_may_have_worked),
		cmocka_unit_test(every_value_has_an_entry), cmocka_unit_test(judgements),
		cmocka_unit_test(only_status_0_is_success), cmocka_unit_test(the_two_bit_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
