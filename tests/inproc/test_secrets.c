/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * After a command nothing of what it carried is left in memory: not in the driver's buffers, on the heap, or on the stack of the
 * thread that called, whatever the level, the protocol, and the end that it had. The log is at its highest level meanwhile.
 */
#include "base/bytes.h"
#include "far.h"
#include "ifd/driver.h"
#include "scan.h"
#include "slot/slot.h"
#include "unit/check.h"

#include <debuglog.h>
#include <ifdhandler.h>
#include <pthread.h>
#include <reader.h>
#include <sys/mman.h>

enum {
	LUN = 0x30000,
	AT_FEATURES = 40,
	AT_MESSAGE = 44,
	AT_PIN_SUPPORT = 52,
	CHARACTER = 0x000000BA,
	TPDU = 0x000100BA,
	SHORT = 0x000200BA,
	EXTENDED = 0x000400BA,
	BIG = 65544 + 10,
	STACK = 1 << 18,
	SECRETS_MAX = 2000,
	SHOWN = 10,
};

#define VERIFY_PIN 0x42330006
#define ESCAPE     SCARD_CTL_CODE(1)
#define VERIFY                         \
	{                              \
		0x00, 0x20, 0x00, 0x81 \
	}
#define ECHO                           \
	{                              \
		0x80, 0x10, 0x00, 0x00 \
	}
#define SINK                           \
	{                              \
		0x80, 0x16, 0x00, 0x00 \
	}

static const struct row {
	const char *name;
	uint32_t features, max_message;
	uint8_t iccd; /* bInterfaceProtocol, or 0 */
	const char *card;
	unsigned protocol;
	DWORD control; /* instead of an APDU */
	uint8_t header[4];
	size_t len; /* of the secret */
	bool le;
	unsigned fails; /* the n-th XfrBlock that carries it is answered with FEh: mute */
	bool failed;    /* and so is the call */
} rows[] = {
	{ "T=0, characters", CHARACTER, 271, 0, "t0", 0, 0, VERIFY, 16, false, 0, false },
	{ "T=0, characters, many", CHARACTER, 271, 0, "t0", 0, 0, VERIFY, 255, false, 0, false },
	{ "T=0, characters, an answer", CHARACTER, 271, 0, "t0", 0, 0, ECHO, 100, true, 0, false },
	{ "T=0, characters, mute behind the header", CHARACTER, 271, 0, "t0", 0, 0, VERIFY, 100, false, 2,
	  true },
	{ "T=1, characters", CHARACTER, 271, 0, "t1", 1, 0, VERIFY, 100, false, 0, false },
	{ "T=0, TPDU", TPDU, 271, 0, "t0", 0, 0, VERIFY, 16, false, 0, false },
	{ "T=0, TPDU, the longest", TPDU, 271, 0, "t0", 0, 0, VERIFY, 255, false, 0, false },
	{ "T=0, TPDU, an answer", TPDU, 271, 0, "t0", 0, 0, ECHO, 200, true, 0, false },
	{ "T=0, TPDU, mute", TPDU, 271, 0, "t0", 0, 0, VERIFY, 200, false, 1, true },
	{ "T=0, ENVELOPE", TPDU, 271, 0, "t0", 0, 0, SINK, 1000, false, 0, false },
	{ "T=0, ENVELOPE, mute in the middle", TPDU, 271, 0, "t0", 0, 0, SINK, 1000, false, 3, true },
	{ "T=1, one block", TPDU, 271, 0, "t1", 1, 0, VERIFY, 16, false, 0, false },
	{ "T=1, the longest block", TPDU, 271, 0, "t1,crc", 1, 0, VERIFY, 249, false, 0, false },
	{ "T=1, a chain", TPDU, 271, 0, "t1,ifsc=32", 1, 0, VERIFY, 100, false, 0, false },
	{ "T=1, chains both ways", TPDU, 271, 0, "t1,ifsc=32,crc,chain=20,wtx=2", 1, 0, ECHO, 200, true, 0,
	  false },
	{ "T=1, a chain, mute in the middle: the card is asked again", TPDU, 271, 0, "t1,ifsc=32", 1, 0,
	  VERIFY, 200, false, 3, false },
	{ "T=1, extended", TPDU, 271, 0, "t1", 1, 0, SINK, 1500, false, 0, false },
	{ "short APDU, T=0", SHORT, 271, 0, "t0", 0, 0, VERIFY, 16, false, 0, false },
	{ "short APDU, T=1", SHORT, 271, 0, "t1", 1, 0, ECHO, 200, true, 0, false },
	{ "short APDU, mute", SHORT, 271, 0, "t0", 0, 0, VERIFY, 255, false, 1, true },
	{ "extended APDU, whole", EXTENDED, BIG, 0, "t1", 1, 0, SINK, 1500, false, 0, false },
	{ "extended APDU, in parts", EXTENDED, 80, 0, "t1", 1, 0, ECHO, 1500, true, 0, false },
	{ "extended APDU, mute in the middle", EXTENDED, 80, 0, "t1", 1, 0, SINK, 1500, false, 5, true },
	{ "token, version A", TPDU, 271, 1, "t0", 0, 0, VERIFY, 100, false, 0, false },
	{ "token, version A, an answer", TPDU, 271, 1, "t0", 0, 0, ECHO, 100, true, 0, false },
	{ "token, version B", EXTENDED, 271, 2, "t1", 1, 0, ECHO, 200, true, 0, false },
	{ "Escape", TPDU, 271, 0, "t0", 0, ESCAPE, { 0 }, 100, false, 0, true },
	{ "keypad, T=0", TPDU, 271, 0, "t0", 0, VERIFY_PIN, { 0x00, 0x20, 0x00, 0x02 }, 8, false, 0, false },
	{ "keypad, T=1", TPDU, 271, 0, "t1", 1, VERIFY_PIN, { 0x00, 0x20, 0x00, 0x02 }, 8, false, 0, false },
	{ "keypad, APDU",
	  SHORT,
	  271,
	  0,
	  "t1",
	  1,
	  VERIFY_PIN,
	  { 0x00, 0x20, 0x00, 0x02 },
	  8,
	  false,
	  0,
	  false },
};

/* ---- what is asked, and where the caller has it ------------------------------------------------------------------ */

static struct call {
	const struct row *row;
	uint8_t tx[SECRETS_MAX], rx[SECRETS_MAX];
	size_t tx_len;
	DWORD rx_len;
	RESPONSECODE code;
} call;

static void put_apdu(struct wr *w, const struct row *row)
{
	uint8_t *secret;

	wr_bytes(w, row->header, sizeof row->header);
	if (row->len > 255) {
		wr_u8(w, 0);
		wr_u8(w, (uint8_t)(row->len >> 8));
	}
	wr_u8(w, (uint8_t)row->len);
	secret = w->at;
	for (size_t i = 0; i < row->len; i++)
		wr_u8(w, 0);
	secret_put(secret, row->len);
	for (size_t i = 0; row->le && i < (row->len > 255 ? 2u : 1u); i++)
		wr_u8(w, 0);
}

/* PIN_VERIFY_STRUCTURE: eight bytes of ASCII digits go over the secret */
static void put_structure(struct wr *w, const struct row *row)
{
	static const uint8_t fields[] = { 0, 0, 0x82, 0x08, 0, 8, 4, 2, 1, 9, 4, 0, 0, 0, 0 };

	wr_bytes(w, fields, sizeof fields);
	wr_le32(w, (uint32_t)(5 + row->len));
	put_apdu(w, row);
}

static void put_request(const struct row *row)
{
	struct wr w = wr_of(call.tx, sizeof call.tx);

	if (row->control == VERIFY_PIN)
		put_structure(&w, row);
	else if (row->control)
		wr_bytes(&w, call.rx, row->len);
	else
		put_apdu(&w, row);
	call.tx_len = sizeof call.tx - w.left;
	if (row->control == ESCAPE)
		secret_put(call.tx, row->len);
}

static void wipe_request(void)
{
	bytes_wipe(call.tx, sizeof call.tx);
	bytes_wipe(call.rx, sizeof call.rx);
}

/* ---- the call, on a stack that is there afterwards --------------------------------------------------------------- */

static void *make_call(void *arg)
{
	SCARD_IO_HEADER send = { .Protocol = call.row->protocol }, recv = { 0 };

	(void)arg;
	call.rx_len = sizeof call.rx;
	if (call.row->control)
		call.code = IFDHControl(LUN, call.row->control, call.tx, call.tx_len, call.rx, sizeof call.rx,
					&call.rx_len);
	else
		call.code = IFDHTransmitToICC(LUN, send, call.tx, call.tx_len, call.rx, &call.rx_len, &recv);
	return NULL;
}

/* What the test does with the secret is done there as well, and wiped: nothing of it is on a stack that is looked at. */
static void *make_request(void *arg)
{
	(void)arg;
	put_request(call.row);
	return NULL;
}

static void run_on(void *stack, void *(*run)(void *))
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	assert_int_equal(pthread_attr_setstack(&attr, stack, STACK), 0);
	assert_int_equal(pthread_create(&thread, &attr, run, NULL), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
}

/* ---- the reader -------------------------------------------------------------------------------------------------- */

static void put_le32(uint8_t *at, uint32_t value)
{
	struct wr w = wr_of(at, 4);

	wr_le32(&w, value);
}

static void open_reader(const struct row *row)
{
	const struct sim_fault fault = { .kind = SIM_FAULT_FAIL,
					 .error = 0xFE,
					 .type = 0x6F,
					 .ins = -1,
					 .count = 1,
					 .after = row->fails - 1 };
	static const uint8_t digits[] = { '7' ^ FAR_MASK, '3' ^ FAR_MASK, '9' ^ FAR_MASK, '5' ^ FAR_MASK };
	char name[] = "usb:04e6/5116:libudev:0:/dev/bus/usb/001/002";
	struct sim_identity id;
	UCHAR atr[MAX_ATR_SIZE];
	DWORD len = 0;

	sim_identity_default(&id);
	id.endpoints = row->iccd ? 1 : 2;
	id.class[2] = row->iccd;
	put_le32(id.descriptor + AT_FEATURES, row->features);
	put_le32(id.descriptor + AT_MESSAGE, row->max_message);
	id.descriptor[AT_PIN_SUPPORT] = row->control == VERIFY_PIN ? 3 : 0;
	assert_true(far_begin(&id, row->card));
	CHECK_INT(row->name, IFDHCreateChannelByName(LUN, name), IFD_SUCCESS);
	CHECK_INT(row->name, IFDHPowerICC(LUN, IFD_POWER_UP, atr, &len), IFD_SUCCESS);
	CHECK_INT(row->name,
		  IFDHSetProtocolParameters(LUN, row->protocol ? SCARD_PROTOCOL_T1 : SCARD_PROTOCOL_T0, 0, 0,
					    0, 0),
		  IFD_SUCCESS);
	if (row->fails)
		far_fault(&fault);
	if (row->control == VERIFY_PIN)
		far_type(digits, sizeof digits);
}

static bool is_zero(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len && *at == 0) {
		at++;
		len--;
	}
	return len == 0;
}

/* The scan finds pieces; here not a single byte may be left. */
static void check_buffers(const char *row)
{
	struct binding *binding = driver_get(LUN);
	const struct slot *slot = binding->slot;
	const struct ccid_port *port = &slot->reader->port;

	CHECK(row, is_zero(port->out, port->cap));
	CHECK(row, is_zero(port->in, port->cap));
	CHECK(row, is_zero(slot->block, sizeof slot->block));
	CHECK(row, is_zero(slot->character.answer, sizeof slot->character.answer));
	driver_put(binding);
}

/* Open a reader and let it have the row's command. */
static void run(const struct row *row, void *stack)
{
	open_reader(row);
	call.row = row;
	run_on(stack, make_request);
	bytes_wipe(stack, STACK);
	run_on(stack, make_call);
	CHECK_INT(row->name, call.code != IFD_SUCCESS, row->failed);
	CHECK(row->name, call.code != IFD_SUCCESS || call.rx_len >= 2);
}

static void play(const struct row *row, void *stack)
{
	run(row, stack);
	CHECK("the scan finds what is there", secret_scan(0) >= (row->len > 16 ? 2 : 1));
	wipe_request();
	CHECK_INT(row->name, secret_scan(SHOWN), 0);
	check_buffers(row->name);
	IFDHCloseChannel(LUN);
	CHECK_INT(row->name, secret_scan(SHOWN), 0);
	far_end();
}

static void *new_stack(void)
{
	void *stack =
		mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	assert_true(stack != MAP_FAILED);
	return stack;
}

static void play_rows(bool (*fits)(const struct row *row))
{
	void *stack =
		mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	assert_true(stack != MAP_FAILED);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (fits(&rows[i]))
			play(&rows[i], stack);
	munmap(stack, STACK);
}

static bool every_row(const struct row *row)
{
	(void)row;
	return true;
}

static void nothing_is_left(void **state)
{
	(void)state;
	play_rows(every_row);
	check_done();
}

/* ---- captures: of commands that take a secret, and only of those ------------------------------------------------- */

static bool takes_secret(const struct row *row)
{
	static const uint8_t ins_verify = 0x20;

	return row->control || row->header[1] == ins_verify;
}

static void check_capture(const char *path)
{
	size_t len;

	CHECK_INT(path, secret_scan_file(path, &len), 0);
	CHECK(path, len > 100);
	unlink(path);
}

/* So that it is known to be found. */
static void check_shown_when_asked_for(const char *capture)
{
	void *stack = new_stack();
	size_t len;

	setenv("OPENCCID_CAPTURE_SECRETS", "yes", 1);
	run(&rows[0], stack);
	IFDHCloseChannel(LUN);
	far_end();
	unsetenv("OPENCCID_CAPTURE_SECRETS");
	CHECK("with secrets", secret_scan_file(capture, &len) > 0);
	unlink(capture);
	munmap(stack, STACK);
}

static void nothing_is_recorded(void **state)
{
	char folder[] = "/tmp/openccid-secrets-XXXXXX", capture[64], recorder[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(capture, sizeof capture, "%s/capture", folder);
	snprintf(recorder, sizeof recorder, "%s/recorder", folder);
	setenv("OPENCCID_CAPTURE", capture, 1);
	setenv("OPENCCID_FLIGHT_RECORDER", recorder, 1);
	play_rows(takes_secret);
	check_capture(capture);
	check_capture(recorder);
	setenv("OPENCCID_FLIGHT_RECORDER", "", 1);
	check_shown_when_asked_for(capture);
	setenv("OPENCCID_CAPTURE", "", 1);
	rmdir(folder);
	check_done();
}

/* ---- the log ----------------------------------------------------------------------------------------------------- */

static unsigned lines;

void log_msg(const int priority, const char *fmt, ...)
{
	(void)priority;
	(void)fmt;
	lines++;
}

static int at_its_highest(void **state)
{
	(void)state;
	return setenv("OPENCCID_LOG", "all", 1) + setenv("OPENCCID_QUIRKS", "04e6:5116:escape=allow", 1);
}

static void was_written(void **state)
{
	(void)state;
	CHECK("lines", lines > 10 * COUNT(rows));
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_is_left),
					    cmocka_unit_test(nothing_is_recorded),
					    cmocka_unit_test(was_written) };

#ifdef __SANITIZE_THREAD__
	/* Its shadow takes so much of the address space that a search has no end; the other builds run this. */
	puts("SKIP: ThreadSanitizer");
	return 77;
#endif
	return cmocka_run_group_tests(tests, at_its_highest, NULL);
}
