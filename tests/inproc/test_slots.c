/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reader with several slots: whose cards work at the same time, who waits for whom, and what the trouble of one slot is to the others. */
#include "ifd_bench.h"

enum { SLOTS = 16, ROUNDS = 20, ECHO_MAX = 60 };

static const uint8_t minutes[] = { 0x80, 0x14, 40, 255, 6 }; /* 102 seconds */
static const uint8_t seconds[] = { 0x80, 0x14, 30, 20, 6 };  /* six of them */
static const uint8_t tenths[] = { 0x80, 0x14, 30, 1, 6 };    /* three of them */

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static RESPONSECODE send(DWORD lun, const uint8_t tx[5])
{
	uint8_t rx[258];
	DWORD len = sizeof rx;
	const RESPONSECODE code = transmit_at(lun, tx, 5, rx, &len);

	/* The answer begins with P1 and P2. */
	return code == IFD_SUCCESS && (len != 8 || memcmp(rx, tx + 2, 2) != 0 || rx[6] != 0x90) ? -2 : code;
}

static RESPONSECODE very_slow(DWORD lun)
{
	return send(lun, minutes);
}

static RESPONSECODE slow(DWORD lun)
{
	return send(lun, seconds);
}

static RESPONSECODE short_while(DWORD lun)
{
	return send(lun, tenths);
}

/* Many commands whose answers are like no other slot's. */
static RESPONSECODE echoes(DWORD lun)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t tx[5 + ECHO_MAX + 1] = { 0x80, 0x10, 0, 0 }, rx[258];
		const uint8_t len = (uint8_t)(10 + (i * 7 + lun) % (ECHO_MAX - 10));
		DWORD rx_len = sizeof rx;
		RESPONSECODE code;

		tx[4] = len;
		for (unsigned n = 0; n < len; n++)
			tx[5 + n] = (uint8_t)(lun * 16 + i + n);
		code = transmit_at(lun, tx, 5u + len + 1, rx, &rx_len);
		if (code != IFD_SUCCESS)
			return code;
		if (rx_len != len + 6u || memcmp(rx, tx + 5, len) != 0 || rx[len + 4] != 0x90)
			return -2;
	}
	return IFD_SUCCESS;
}

static RESPONSECODE presence(DWORD lun)
{
	return IFDHICCPresence(lun);
}

/* In a command that has gone out to the reader. */
static void begin_command(struct calling *c, unsigned slot, RESPONSECODE (*run)(DWORD lun))
{
	const unsigned before = inproc_sent(device, 0x6F);

	begin_calling(c, LUN + slot, run);
	while (inproc_sent(device, 0x6F) == before && !has_ended(c))
		nap();
}

static RESPONSECODE result(struct calling *c)
{
	end_calling(c);
	return c->code;
}

/* What pcscd does for an application that connects again. */
static void restart(const char *row, unsigned slot)
{
	CHECK_INT(row, power_at(LUN + slot, IFD_POWER_UP), IFD_SUCCESS);
	CHECK_INT(row, IFDHSetProtocolParameters(LUN + slot, SCARD_PROTOCOL_T0, 0, 0, 0, 0), IFD_SUCCESS);
}

static void check_slots(const char *row, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		CHECK_INT(row, echoes(LUN + i), IFD_SUCCESS);
}

/* ---- at the same time -------------------------------------------------------------------------------------------- */

static void a_slow_card_delays_nobody(void **state)
{
	struct calling first, rest[SLOTS - 1];

	(void)state;
	begin_command(&first, 0, very_slow);
	for (unsigned i = 1; i < SLOTS; i++)
		begin_calling(&rest[i - 1], LUN + i, echoes);
	for (unsigned i = 1; i < SLOTS; i++)
		CHECK_INT("the others", result(&rest[i - 1]), IFD_SUCCESS);
	CHECK("the slow one is at it still", !has_ended(&first));
	inproc_remove(device);
	CHECK_INT("its card is pulled", result(&first), IFD_ICC_NOT_PRESENT);
	CHECK_INT("it is the last one", first.number, SLOTS);
	check_slots("the others go on", 1, SLOTS);
	check_done();
}

/* Each waits for its own, whoever listens. */
static void all_are_slow(void **state)
{
	struct calling all[SLOTS];

	(void)state;
	for (unsigned i = 0; i < SLOTS; i++)
		begin_command(&all[i], i, i % 4 ? short_while : very_slow);
	for (unsigned i = 0; i < SLOTS; i++)
		if (i % 4)
			CHECK_INT("a short while", result(&all[i]), IFD_SUCCESS);
	for (unsigned i = 0; i < SLOTS; i += 4) {
		CHECK("minutes", !has_ended(&all[i]));
		inproc_remove_at(device, i);
		CHECK_INT("pulled", result(&all[i]), IFD_ICC_NOT_PRESENT);
	}
	check_done();
}

/* ---- one after the other ----------------------------------------------------------------------------------------- */

/* It ends with a violation if more slots were busy than the descriptor allows. */
static void one_at_a_time(void **state)
{
	struct calling first, second;

	(void)state;
	begin_command(&first, 0, short_while);
	begin_calling(&second, LUN + 1, echoes);
	CHECK_INT("second", result(&second), IFD_SUCCESS);
	CHECK_INT("first", result(&first), IFD_SUCCESS);
	check_done();
}

static void two_at_a_time(void **state)
{
	struct calling c[4];

	(void)state;
	begin_command(&c[0], 0, very_slow);
	begin_command(&c[1], 1, short_while);
	begin_calling(&c[2], LUN + 2, echoes);
	begin_calling(&c[3], LUN + 3, echoes);
	for (unsigned i = 1; i < 4; i++)
		CHECK_INT("all but the slow one", result(&c[i]), IFD_SUCCESS);
	CHECK("the slow one is at it still", !has_ended(&c[0]));
	inproc_remove(device);
	CHECK_INT("pulled", result(&c[0]), IFD_ICC_NOT_PRESENT);
	check_done();
}

/* ---- trouble in one slot ----------------------------------------------------------------------------------------- */

static void check_lost(const char *name, unsigned slot)
{
	CHECK_INT(name, IFDHICCPresence(LUN + slot), IFD_ICC_NOT_PRESENT);
	CHECK_INT("but not for ever", IFDHICCPresence(LUN + slot), IFD_ICC_PRESENT);
}

/* The reader has swallowed a command of slot 0: it is asked, and asked again by way of ABORT or of a cleared halt. */
static void check_silence(bool refuses_abort)
{
	struct calling busy, first;

	if (refuses_abort)
		inproc_refuse_abort(device);
	begin_command(&busy, 1, slow);
	inproc_silence(device, 0x65, 1);
	begin_calling(&first, LUN, presence);
	CHECK_INT("no answer", result(&first), IFD_RESPONSE_TIMEOUT);
	CHECK_INT("the busy one gets its answer", result(&busy), IFD_SUCCESS);
	CHECK_INT("no reset was needed", inproc_resets(device), 0);
	check_lost("the first one's card counts as lost", 0);
	restart("power", 0);
	check_slots("all work", 0, 4);
	check_done();
}

static void an_abort_concerns_one(void **state)
{
	(void)state;
	check_silence(false);
}

static void a_cleared_halt_loses_nothing(void **state)
{
	(void)state;
	check_silence(true);
}

static void a_reset_concerns_all(void **state)
{
	struct calling busy, first;

	(void)state;
	begin_command(&busy, 1, very_slow);
	inproc_stun(device);
	begin_calling(&first, LUN, presence);
	CHECK_INT("no answer", result(&first), IFD_RESPONSE_TIMEOUT);
	CHECK("the busy one fails", result(&busy) != IFD_SUCCESS);
	CHECK_INT("one reset does for all", inproc_resets(device), 1);
	for (unsigned i = 0; i < 4; i++) {
		check_lost("each is told that its card was lost", i);
		restart("power", i);
	}
	check_slots("all work", 0, 4);
	check_done();
}

static void one_is_closed(void **state)
{
	struct calling busy;

	(void)state;
	begin_command(&busy, 1, short_while);
	CHECK_INT("another one", IFDHCloseChannel(LUN + 2), IFD_SUCCESS);
	CHECK_INT("the busy one", IFDHCloseChannel(LUN + 1), IFD_SUCCESS);
	CHECK_INT("it ends before", result(&busy), IFD_SUCCESS);
	check_slots("the rest", 0, 1);
	check_slots("the rest", 3, 4);
	for (unsigned i = 1; i < 3; i++) {
		CHECK_INT("open again", IFDHCreateChannelByName(LUN + i, good_name), IFD_SUCCESS);
		restart("power", i);
	}
	check_slots("all work", 0, 4);
	check_done();
}

/* ---- setups ------------------------------------------------------------------------------------------------------ */

#define READER(slots, busy)                                  \
	static int with_##busy##_of_##slots(void **state)    \
	{                                                    \
		(void)state;                                 \
		return plug_in_slots(slots, busy);           \
	}                                                    \
	static int without_##busy##_of_##slots(void **state) \
	{                                                    \
		(void)state;                                 \
		return pull_slots(slots);                    \
	}

READER(16, 16)
READER(4, 4)
READER(4, 2)
READER(4, 1)

#define ON(reader, test) cmocka_unit_test_setup_teardown(test, with_##reader, without_##reader)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(16_of_16, a_slow_card_delays_nobody),
		ON(16_of_16, all_are_slow),
		ON(1_of_4, one_at_a_time),
		ON(2_of_4, two_at_a_time),
		ON(4_of_4, an_abort_concerns_one),
		ON(4_of_4, a_cleared_halt_loses_nothing),
		ON(4_of_4, a_reset_concerns_all),
		ON(4_of_4, one_is_closed),
	};

	return cmocka_run_group_tests(tests, log_to_test, NULL);
}
