/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PC/SC part 10 through the entry points: what a reader offers, PINs typed at it, and requests that make no sense. */
#include "ifd_bench.h"

#define VERIFY_PIN 0x42330006
#define MODIFY_PIN 0x42330007
#define MCT        0x42330008
#define PROPERTIES 0x4233000A
#define ABORT      0x4233000B
#define ESCAPE     0x42330013

/* What an application reads as a number of C */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define HOST16(n) (n) >> 8, (n)&0xFF
#else
#define HOST16(n) (n) & 0xFF, (n) >> 8
#endif

static const uint8_t verify[] = { 0, 0, 0x82, 0, 0, 8, 4, 2,    1,    9,    4,   0,
				  0, 0, 0,    4, 0, 0, 0, 0x00, 0x20, 0x00, 0x01 };
static const uint8_t modify[] = { 0, 0, 0x82, 0, 0, 0, 0, 8, 4, 3, 2,    3,    9,    4,
				  0, 1, 2,    0, 0, 0, 4, 0, 0, 0, 0x00, 0x24, 0x00, 0x01 };

static uint8_t answer[300];

static RESPONSECODE control(DWORD code, const uint8_t *tx, size_t tx_len, DWORD room, DWORD *len)
{
	uint8_t *copy = exact_copy(tx, tx_len);
	RESPONSECODE result;

	memset(answer, UNTOUCHED, sizeof answer);
	*len = 4711;
	result = IFDHControl(LUN, code, copy, tx_len, answer, room, len);
	free(copy);
	return result;
}

static void check_status(const char *row, const uint8_t *tx, size_t tx_len, DWORD code, uint8_t sw1,
			 uint8_t sw2)
{
	const uint8_t want[] = { sw1, sw2 };
	DWORD len;

	CHECK_INT(row, control(code, tx, tx_len, sizeof answer, &len), IFD_SUCCESS);
	CHECK_BYTES(row, answer, len, want, sizeof want);
}

/* ---- what is offered --------------------------------------------------------------------------------------------- */

static const struct offer {
	const char *name;
	DWORD code;
	const uint8_t *bytes;
	size_t len;
} offers[] = {
	{ "features", CM_IOCTL_GET_FEATURE_REQUEST,
	  BYTES(0x06, 4, 0x42, 0x33, 0, 0x06, 0x07, 4, 0x42, 0x33, 0, 0x07, 0x0A, 4, 0x42, 0x33, 0, 0x0A,
		0x0B, 4, 0x42, 0x33, 0, 0x0B, 0x12, 4, 0x42, 0x33, 0, 0x12) },
	{ "PIN properties", PROPERTIES, BYTES(HOST16(0), 7, 0) },
	{ "nothing to abort", ABORT, NULL, 0 },
	{ "TLV properties", 0x42330012,
	  BYTES(1, 2, 0, 0, 2, 1, 7, 3, 1, 0, 6, 1, 1, 7, 1, 25, 8, 4, '7', '.', '0', '1', 9, 1, 0, 10, 4, 0,
		0, 1, 0, 11, 2, 0xE6, 0x04, 12, 2, 0x03, 0xE0) },
};

static const struct offer display_offers[] = {
	{ "features", CM_IOCTL_GET_FEATURE_REQUEST,
	  BYTES(0x11, 4, 0x42, 0x33, 0, 0x11, 0x12, 4, 0x42, 0x33, 0, 0x12, 0x13, 4, 0x42, 0x33, 0, 0x13) },
	{ "display properties", 0x42330011, BYTES(HOST16(16), HOST16(2)) },
	{ "TLV properties", 0x42330012,
	  BYTES(1, 2, 16, 2, 4, 2, 16, 0, 5, 2, 2, 0, 8, 4, '5', '.', '2', '3', 9, 1, 1, 10, 4, 0, 0, 1, 0,
		11, 2, 0xE6, 0x04, 12, 2, 0x16, 0x51) },
};

static void check_offers(const struct offer *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		DWORD len;

		CHECK_INT(rows[i].name, control(rows[i].code, NULL, 0, sizeof answer, &len), IFD_SUCCESS);
		CHECK_BYTES(rows[i].name, answer, len, rows[i].bytes, rows[i].len);
		for (DWORD room = 0; room < rows[i].len; room++)
			CHECK_INT(rows[i].name, control(rows[i].code, NULL, 0, room, &len),
				  IFD_ERROR_INSUFFICIENT_BUFFER);
	}
	check_done();
}

static void a_pinpad_offers(void **state)
{
	(void)state;
	check_offers(offers, COUNT(offers));
}

static void a_display_offers(void **state)
{
	(void)state;
	check_offers(display_offers, COUNT(display_offers));
}

/* ---- requests that make no sense ---------------------------------------------------------------------------------- */

static void check_refused(const char *row, DWORD code, const uint8_t *tx, size_t len)
{
	forget_log();
	check_status(row, tx, len, code, 0x6B, 0x80);
	check_log(row, "nothing was sent");
}

static void refused(void **state)
{
	static const struct {
		DWORD code;
		const uint8_t *bytes;
		size_t len;
	} good[] = { { VERIFY_PIN, verify, sizeof verify }, { MODIFY_PIN, modify, sizeof modify } };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		uint8_t bytes[64];

		for (size_t len = 0; len < good[i].len; len++)
			check_refused("cut short", good[i].code, good[i].bytes, len);
		memcpy(bytes, good[i].bytes, good[i].len);
		bytes[good[i].len] = 0;
		check_refused("one too many", good[i].code, bytes, good[i].len + 1);
		bytes[good[i].len - 3] = 0xD6;
		check_refused("another command", good[i].code, bytes, good[i].len);
	}
	CHECK_INT("no Secure was sent", inproc_sent(device, 0x69), 0);
	check_works("the card is as before");
	check_done();
}

static void no_room(void **state)
{
	DWORD len;

	(void)state;
	for (DWORD room = 0; room < 2; room++) {
		CHECK_INT("verify", control(VERIFY_PIN, verify, sizeof verify, room, &len),
			  IFD_ERROR_INSUFFICIENT_BUFFER);
		CHECK_INT("length", len, 0);
	}
	CHECK_INT("no Secure was sent", inproc_sent(device, 0x69), 0);
	check_done();
}

/* ---- somebody types ---------------------------------------------------------------------------------------------- */

static void typed(void **state)
{
	(void)state;
	inproc_type(device, "1234", "ok");
	check_status("right", verify, sizeof verify, VERIFY_PIN, 0x90, 0x00);
	inproc_type(device, "4321", "ok");
	check_status("wrong", verify, sizeof verify, VERIFY_PIN, 0x63, 0xC2);
	inproc_type(device, "1", "cancel");
	check_status("cancelled", verify, sizeof verify, VERIFY_PIN, 0x64, 0x01);
	inproc_type(device, "1234", "ok");
	inproc_type(device, "98765", "ok");
	inproc_type(device, "98765", "ok");
	check_status("changed", modify, sizeof modify, MODIFY_PIN, 0x90, 0x00);
	inproc_type(device, "98765", "ok");
	check_status("the new one", verify, sizeof verify, VERIFY_PIN, 0x90, 0x00);
	CHECK_INT("each was announced", inproc_sent(device, 0x6B), inproc_sent(device, 0x69));
	check_works("the card goes on");
	check_done();
}

/* One entry that nobody types at, in a thread of its own. */
struct waiting {
	pthread_t thread;
	RESPONSECODE code;
	uint8_t sw[2];
	DWORD len;
};

static void *wait_for_pin(void *arg)
{
	struct waiting *w = arg;
	uint8_t tx[sizeof verify];

	memcpy(tx, verify, sizeof tx);
	w->code = IFDHControl(LUN, VERIFY_PIN, tx, sizeof tx, w->sw, sizeof w->sw, &w->len);
	return NULL;
}

static void begin_waiting(struct waiting *w)
{
	*w = (struct waiting){ .code = -1 };
	assert_int_equal(pthread_create(&w->thread, NULL, wait_for_pin, w), 0);
	for (unsigned i = 0; i < 10000 && !inproc_asks(device); i++)
		nap();
	assert_true(inproc_asks(device));
}

static void ended_by_an_application(void **state)
{
	struct waiting w;
	DWORD len;

	(void)state;
	begin_waiting(&w);
	CHECK_INT("abort", control(ABORT, NULL, 0, sizeof answer, &len), IFD_SUCCESS);
	pthread_join(w.thread, NULL);
	CHECK_INT("ended", w.code, IFD_SUCCESS);
	CHECK_BYTES("as if cancelled", w.sw, w.len, ((const uint8_t[]){ 0x64, 0x01 }), 2);
	check_works("the card goes on");
	inproc_type(device, "1234", "ok");
	check_status("and so does the keypad", verify, sizeof verify, VERIFY_PIN, 0x90, 0x00);
	check_done();
}

static void card_pulled(void **state)
{
	struct waiting w;

	(void)state;
	begin_waiting(&w);
	inproc_remove(device);
	pthread_join(w.thread, NULL);
	CHECK_INT("pulled", w.code, IFD_ICC_NOT_PRESENT);
	CHECK_INT("no answer", w.len, 0);
	check_done();
}

static void reader_pulled(void **state)
{
	struct waiting w;

	(void)state;
	begin_waiting(&w);
	IFDHSetCapabilities(LUN, 0x0FB4, 0, NULL); /* TAG_IFD_DEVICE_REMOVED */
	pthread_join(w.thread, NULL);
	CHECK_INT("pulled", w.code, IFD_NO_SUCH_DEVICE);
	check_done();
}

static void closed_meanwhile(void **state)
{
	struct waiting w;

	(void)state;
	begin_waiting(&w);
	CHECK_INT("closed", IFDHCloseChannel(LUN), IFD_SUCCESS);
	pthread_join(w.thread, NULL);
	CHECK("the entry has ended", w.code != IFD_SUCCESS);
	check_done();
}

/* ---- other readers ----------------------------------------------------------------------------------------------- */

static void secoder(void **state)
{
	static const struct {
		const char *name;
		uint8_t bytes[10];
		size_t len;
	} rows[] = {
		{ "nothing", { 0 }, 0 },
		{ "too short", { 0x20, 0x70, 0, 0 }, 4 },
		{ "another class", { 0x00, 0x70, 0, 0, 0 }, 5 },
		{ "below the first", { 0x20, 0x6F, 0, 0, 0 }, 5 },
		{ "above the last", { 0x20, 0x76, 0, 0, 0 }, 5 },
		{ "P1", { 0x20, 0x70, 1, 0, 0 }, 5 },
		{ "P2", { 0x20, 0x70, 0, 1, 0 }, 5 },
		{ "Lind", { 0x20, 0x70, 0, 0, 1 }, 5 },
	};
	static const uint8_t info[] = { 0x20, 0x70, 0, 0, 0, 0, 1, 0, 0, 0 };
	DWORD len;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		forget_log();
		CHECK_INT(rows[i].name, control(MCT, rows[i].bytes, rows[i].len, sizeof answer, &len),
			  IFD_COMMUNICATION_ERROR);
		check_log(rows[i].name, "nothing was sent");
	}
	CHECK_INT("no Escape was sent", inproc_sent(device, 0x6B), 0);
	CHECK_INT("SECODER INFO goes out", control(MCT, info, sizeof info, sizeof answer, &len),
		  IFD_COMMUNICATION_ERROR);
	CHECK_INT("as an Escape", inproc_sent(device, 0x6B), 1);
	check_done();
}

/* Some Escape commands are known to be harmless: exactly these are permitted to everybody. */
static void harmless_escapes(void **state)
{
	static const struct {
		const char *name;
		uint8_t bytes[7];
		size_t len;
		bool permitted;
	} rows[] = {
		{ "switch to one interface", { 0x52, 0xF8, 0x04, 0x01, 0x00, 0x01 }, 6, true },
		{ "switch to the other one", { 0x52, 0xF8, 0x04, 0x01, 0x00, 0x02 }, 6, true },
		{ "without saying to which", { 0x52, 0xF8, 0x04, 0x01, 0x00 }, 5, false },
		{ "with more behind it", { 0x52, 0xF8, 0x04, 0x01, 0x00, 0x01, 0x00 }, 7, false },
		{ "another command", { 0x52, 0xF8, 0x04, 0x02, 0x00, 0x01 }, 6, false },
		{ "the name of the firmware", { 0x02 }, 1, true },
		{ "nothing", { 0 }, 0, false },
	};
	DWORD len;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const unsigned before = inproc_sent(device, 0x6B);
		const RESPONSECODE code =
			control(SCARD_CTL_CODE(1), rows[i].bytes, rows[i].len, sizeof answer, &len);

		CHECK_INT(rows[i].name, inproc_sent(device, 0x6B) - before, rows[i].permitted);
		CHECK(rows[i].name, rows[i].permitted || code == IFD_ERROR_NOT_SUPPORTED);
	}
	CHECK_INT("the feature is not there for all that", control(ESCAPE, NULL, 0, sizeof answer, &len),
		  IFD_ERROR_NOT_SUPPORTED);
	check_done();
}

static void pseudo_apdus(void **state)
{
	static const struct {
		const char *name;
		uint8_t p2;
		const char *text;
	} rows[] = { { "vendor", 1, "a manufacturer" },
		     { "product", 3, "a product" },
		     { "firmware", 6, "1.06" },
		     { "driver", 7, PACKAGE_VERSION } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const uint8_t apdu[] = { 0xFF, 0x9A, 0x01, rows[i].p2, 0x00 };
		const size_t want = strlen(rows[i].text) + 2;
		uint8_t rx[128];
		DWORD len = sizeof rx;

		CHECK_INT(rows[i].name, transmit(apdu, sizeof apdu, rx, &len), IFD_SUCCESS);
		CHECK_INT(rows[i].name, len, want);
		CHECK_BYTES(rows[i].name, rx, len - 2, rows[i].text, want - 2);
		CHECK_BYTES(rows[i].name, rx + len - 2, 2, ((const uint8_t[]){ 0x90, 0x00 }), 2);
		for (size_t room = 0; room < want; room++) {
			len = room;
			CHECK_INT(rows[i].name, transmit(apdu, sizeof apdu, rx, &len),
				  IFD_ERROR_INSUFFICIENT_BUFFER);
		}
	}
	CHECK_INT("none of them went to the card", inproc_sent(device, 0x6F), 0);
	check_works("what does is as ever");
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(with_pinpad, a_pinpad_offers),
		WITH(with_display, a_display_offers),
		WITH(with_pinpad, refused),
		WITH(with_pinpad, no_room),
		WITH(with_pinpad, typed),
		WITH(with_pinpad, ended_by_an_application),
		WITH(with_pinpad, card_pulled),
		WITH(with_pinpad, reader_pulled),
		WITH(with_pinpad, closed_meanwhile),
		WITH(with_secoder, secoder),
		WITH(with_prox, harmless_escapes),
		WITH(with_idtoken, pseudo_apdus),
	};

	return cmocka_run_group_tests(tests, log_to_test, NULL);
}
