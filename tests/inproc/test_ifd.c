/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The entry points as pcscd calls them, good calls and bad ones: opening, closing, capabilities, control. */
#include "ifd_bench.h"

enum {
	OTHER_LUN = 0x770000, /* never opened */
	WAIT_MS = 60000,      /* longer than any test */
};

/* ---- opening and closing ----------------------------------------------------------------------------------------- */

static const struct opening {
	const char *name; /* of the device */
	DWORD lun;
	const char *says;
} bad_openings[] = {
	{ NULL, OTHER_LUN, "no device name was given for Lun 770000" },
	{ "", OTHER_LUN, "\"\" is no device name" },
	{ "/dev/ttyS0", OTHER_LUN, "\"/dev/ttyS0\" is no device name" },
	{ "usb:04e6/5116:libudev:0", OTHER_LUN, "\"usb:04e6/5116:libudev:0\" is no device name" },
	{ good_name, LUN, "Lun 30000 is open already" },
	{ good_name, LUN + 1, "Lun 30001 cannot be opened: its reader is not open, or has no slot 1" },
	{ good_name, LUN + 0xFFFF,
	  "Lun 3FFFF cannot be opened: its reader is not open, or has no slot 65535" },
	{ good_name, OTHER_LUN + 1, "Lun 770001 cannot be opened: its reader is not open, or has no slot 1" },
};

static void channels_that_cannot_be_opened(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_openings); i++) {
		const struct opening *o = &bad_openings[i];
		char *name = o->name ? (char *)exact_copy(o->name, strlen(o->name) + 1) : NULL;

		forget_log();
		CHECK_INT(o->says, IFDHCreateChannelByName(o->lun, name), IFD_COMMUNICATION_ERROR);
		check_log(o->says, o->says);
		if (o->lun != LUN)
			CHECK_INT(o->says, IFDHCloseChannel(o->lun), IFD_COMMUNICATION_ERROR);
		free(name);
	}
	forget_log();
	CHECK_INT("by number", IFDHCreateChannel(OTHER_LUN, 0x103F8), IFD_COMMUNICATION_ERROR);
	check_log("by number", "Lun 770000: channel 103F8 is no USB device");
	check_works("the reader that is open");
	check_done();
}

static void a_reader_that_was_unplugged(void **state)
{
	(void)state;
	inproc_unplug(device);
	CHECK_INT("close", IFDHCloseChannel(LUN), IFD_SUCCESS);
	forget_log();
	CHECK_INT("open", IFDHCreateChannelByName(LUN, good_name), IFD_NO_SUCH_DEVICE);
	check_log("open", "no device is plugged in");
	inproc_plug(device);
	CHECK_INT("open again", IFDHCreateChannelByName(LUN, good_name), IFD_SUCCESS);
	CHECK_INT("power", power(IFD_POWER_UP), IFD_SUCCESS);
	check_works("it works again");
	check_done();
}

/* To another driver, by the settings: pcscd goes on to that one for any failure but "no such device". */
static void a_reader_that_is_left(void **state)
{
	(void)state;
	CHECK_INT("close", IFDHCloseChannel(LUN), IFD_SUCCESS);
	setenv("OPENCCID_QUIRKS", "04e6:5116:leave", 1);
	forget_log();
	CHECK_INT("open", IFDHCreateChannelByName(LUN, good_name), IFD_COMMUNICATION_ERROR);
	check_log("open",
		  "04e6:5116 interface 0 is left to another driver, as 'leave = yes' in the settings says");
	CHECK("it was not opened", !inproc_is_open(device));
	setenv("OPENCCID_QUIRKS", "04e6:5117:leave", 1);
	CHECK_INT("another one is", IFDHCreateChannelByName(LUN, good_name), IFD_SUCCESS);
	unsetenv("OPENCCID_QUIRKS");
	check_done();
}

static void slots_share_a_reader(void **state)
{
	DWORD len = 1;
	UCHAR slots = 0;

	(void)state;
	CHECK_INT("slots", IFDHGetCapabilities(LUN, TAG_IFD_SLOTS_NUMBER, &len, &slots), IFD_SUCCESS);
	CHECK_INT("slots", slots, 2);
	CHECK_INT("slot 1", IFDHCreateChannelByName(LUN + 1, good_name), IFD_SUCCESS);
	forget_log();
	CHECK_INT("twice", IFDHCreateChannelByName(LUN + 1, good_name), IFD_COMMUNICATION_ERROR);
	check_log("twice", "Lun 30001 is open already");
	forget_log();
	CHECK_INT("slot 2", IFDHCreateChannelByName(LUN + 2, good_name), IFD_COMMUNICATION_ERROR);
	check_log("slot 2", "has no slot 2");
	inproc_insert(device);
	CHECK_INT("slot 0", IFDHICCPresence(LUN), IFD_ICC_PRESENT);
	CHECK_INT("slot 1", IFDHICCPresence(LUN + 1), IFD_ICC_NOT_PRESENT);
	CHECK_INT("close slot 0", IFDHCloseChannel(LUN), IFD_SUCCESS);
	CHECK_INT("slot 0 is closed", IFDHICCPresence(LUN), IFD_COMMUNICATION_ERROR);
	CHECK("slot 1 keeps it open", inproc_is_open(device));
	CHECK_INT("slot 1", IFDHICCPresence(LUN + 1), IFD_ICC_NOT_PRESENT);
	CHECK_INT("close slot 1", IFDHCloseChannel(LUN + 1), IFD_SUCCESS);
	CHECK("the last one closes it", !inproc_is_open(device));
	check_done();
}

static void opened_200_times(void **state)
{
	enum { ROUNDS = 200 };
	long before = 0;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		char row[32];

		snprintf(row, sizeof row, "round %u", round);
		CHECK_INT(row, power(IFD_POWER_UP), IFD_SUCCESS);
		check_works(row);
		CHECK_INT(row, IFDHCloseChannel(LUN), IFD_SUCCESS);
		CHECK(row, !inproc_is_open(device));
		if (round == 0)
			before = blocks_held();
		CHECK_INT(row, blocks_held(), before);
		CHECK_INT(row, IFDHCreateChannelByName(LUN, good_name), IFD_SUCCESS);
	}
	CHECK("an open reader needs memory, or nothing was counted", blocks_held() > before);
	check_done();
}

/* ---- bad arguments ----------------------------------------------------------------------------------------------- */

static UCHAR buffer[300];
static DWORD length;

static RESPONSECODE call_close(DWORD lun)
{
	return IFDHCloseChannel(lun);
}

static RESPONSECODE call_get(DWORD lun)
{
	return IFDHGetCapabilities(lun, TAG_IFD_ATR, &length, buffer);
}

static RESPONSECODE call_set(DWORD lun)
{
	return IFDHSetCapabilities(lun, TAG_IFD_DEVICE_REMOVED, 0, NULL);
}

static RESPONSECODE call_protocol(DWORD lun)
{
	return IFDHSetProtocolParameters(lun, SCARD_PROTOCOL_T0, 0, 0, 0, 0);
}

static RESPONSECODE call_power(DWORD lun)
{
	return IFDHPowerICC(lun, IFD_POWER_UP, buffer, &length);
}

static RESPONSECODE call_transmit(DWORD lun)
{
	const SCARD_IO_HEADER send = { .Protocol = 0 };

	return IFDHTransmitToICC(lun, send, buffer, 5, buffer, &length, NULL);
}

static RESPONSECODE call_control(DWORD lun)
{
	return IFDHControl(lun, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, buffer, sizeof buffer, &length);
}

static RESPONSECODE call_presence(DWORD lun)
{
	return IFDHICCPresence(lun);
}

static const struct call {
	const char *name;
	RESPONSECODE (*run)(DWORD lun);
	bool gives_length; /* which is 0 after a failure */
} calls[] = {
	{ "IFDHCloseChannel", call_close, false },  { "IFDHGetCapabilities", call_get, false },
	{ "IFDHSetCapabilities", call_set, false }, { "IFDHSetProtocolParameters", call_protocol, false },
	{ "IFDHPowerICC", call_power, true },       { "IFDHTransmitToICC", call_transmit, true },
	{ "IFDHControl", call_control, true },      { "IFDHICCPresence", call_presence, false },
};

static void a_lun_that_is_not_open(void **state)
{
	static const DWORD luns[] = { OTHER_LUN, LUN + 1, (DWORD)-1, 0 };
	const wait_function wait = wait_of(LUN);
	const stop_function stop_it = stop_of(LUN);

	(void)state;
	for (size_t i = 0; i < COUNT(luns); i++) {
		for (size_t c = 0; c < COUNT(calls); c++) {
			char says[96];

			snprintf(says, sizeof says, "%s for Lun %lX, which is not open", calls[c].name,
				 luns[i]);
			forget_log();
			length = sizeof buffer;
			CHECK_INT(says, calls[c].run(luns[i]), IFD_COMMUNICATION_ERROR);
			check_log(says, says);
			if (calls[c].gives_length)
				CHECK_INT(says, length, 0);
		}
		/* pcscd's thread may ask once more after the reader was closed: that is nothing to complain of. */
		forget_log();
		CHECK_INT("wait", wait(luns[i], WAIT_MS), IFD_NO_SUCH_DEVICE);
		CHECK_INT("stop", stop_it(luns[i]), IFD_NO_SUCH_DEVICE);
		check_log("wait and stop", NULL);
	}
	check_works("the reader that is open");
	check_done();
}

static void pointers_that_are_null(void **state)
{
	const SCARD_IO_HEADER send = { .Protocol = 0 };
	uint8_t tx[sizeof sink];
	DWORD len = 77;

	(void)state;
	memcpy(tx, sink, sizeof tx);
	CHECK_INT("length of a capability", IFDHGetCapabilities(LUN, TAG_IFD_ATR, NULL, buffer),
		  IFD_COMMUNICATION_ERROR);
	CHECK_INT("ATR", IFDHPowerICC(LUN, IFD_POWER_UP, NULL, &len), IFD_COMMUNICATION_ERROR);
	CHECK_INT("length of the ATR", IFDHPowerICC(LUN, IFD_POWER_UP, buffer, NULL),
		  IFD_COMMUNICATION_ERROR);
	CHECK_INT("length of the answer", IFDHTransmitToICC(LUN, send, tx, sizeof tx, buffer, NULL, NULL),
		  IFD_COMMUNICATION_ERROR);
	CHECK_INT("no command", IFDHTransmitToICC(LUN, send, NULL, 0, buffer, &len, NULL),
		  IFD_COMMUNICATION_ERROR);
	len = sizeof buffer;
	CHECK_INT("no room for an answer", IFDHTransmitToICC(LUN, send, tx, sizeof tx, NULL, &len, NULL),
		  IFD_ERROR_INSUFFICIENT_BUFFER);
	CHECK_INT("no room for an answer", len, 0);
	CHECK_INT("length of a control",
		  IFDHControl(LUN, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, buffer, sizeof buffer, NULL),
		  IFD_COMMUNICATION_ERROR);
	CHECK_INT("control without buffers",
		  IFDHControl(LUN, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, NULL, 0, &len),
		  IFD_ERROR_INSUFFICIENT_BUFFER);
	check_works("the card is as before");
	check_done();
}

/* ---- capabilities ------------------------------------------------------------------------------------------------ */

#define TEXT(s)   s, sizeof(s)
#define NUMBER(n) &(const uint32_t){ n }, 4

static const struct capability {
	const char *name;
	DWORD tag;
	const void *value; /* NULL: not known beforehand */
	size_t len;
} capabilities[] = {
	{ "ATR", TAG_IFD_ATR, sim_default_atr, sizeof sim_default_atr },
	{ "ATR of PC/SC", SCARD_ATTR_ATR_STRING, sim_default_atr, sizeof sim_default_atr },
	{ "readers", TAG_IFD_SIMULTANEOUS_ACCESS, BYTES(255) },
	{ "threads", TAG_IFD_THREAD_SAFE, BYTES(1) },
	{ "threads per slot", TAG_IFD_SLOT_THREAD_SAFE, BYTES(1) },
	{ "slots", TAG_IFD_SLOTS_NUMBER, BYTES(1) },
	{ "wait", TAG_IFD_POLLING_THREAD_WITH_TIMEOUT, NULL, sizeof(wait_function) },
	{ "stop", TAG_IFD_STOP_POLLING_THREAD, NULL, sizeof(stop_function) },
	{ "killable", TAG_IFD_POLLING_THREAD_KILLABLE, BYTES(0) },
	{ "removal", TAG_IFD_DEVICE_REMOVED, BYTES(1) },
	{ "presence", SCARD_ATTR_ICC_PRESENCE, BYTES(2) },
	{ "power", SCARD_ATTR_ICC_INTERFACE_STATUS, BYTES(1) },
	{ "vendor", SCARD_ATTR_VENDOR_NAME, TEXT("a manufacturer") },
	{ "type", SCARD_ATTR_VENDOR_IFD_TYPE, TEXT("a product") },
	{ "serial number", SCARD_ATTR_VENDOR_IFD_SERIAL_NO, TEXT("a serial") },
	{ "version", SCARD_ATTR_VENDOR_IFD_VERSION, NUMBER(0x05230000) },
	{ "channel", SCARD_ATTR_CHANNEL_ID, NUMBER(0x00200102) },
	{ "longest command", SCARD_ATTR_MAXINPUT, NUMBER(261) },
};

/* Ask with this much room, on the heap so that a byte too many is seen. */
static void ask(const struct capability *c, const char *how, size_t room, RESPONSECODE want)
{
	uint8_t *value = malloc(room + 1);
	DWORD len = room;
	char row[64];

	snprintf(row, sizeof row, "%s, %s", c->name, how);
	assert_non_null(value);
	memset(value, UNTOUCHED, room + 1);
	CHECK_INT(row, IFDHGetCapabilities(LUN, c->tag, &len, value), want);
	/* What is not known leaves the room as it was: pcscd answers some of it in our place. */
	CHECK_INT(row, len, want == IFD_ERROR_TAG ? room : c->len);
	if (want == IFD_SUCCESS && c->value)
		CHECK_BYTES(row, value, len, c->value, c->len);
	for (size_t i = want == IFD_SUCCESS ? c->len : 0; i <= room; i++)
		CHECK_INT(row, value[i], UNTOUCHED);
	free(value);
}

static void every_capability(void **state)
{
	(void)state;
	forget_log();
	for (size_t i = 0; i < COUNT(capabilities); i++) {
		const struct capability *c = &capabilities[i];
		DWORD len = 0;

		ask(c, "exact room", c->len, IFD_SUCCESS);
		ask(c, "much room", 300, IFD_SUCCESS);
		ask(c, "one byte too few", c->len - 1, IFD_ERROR_INSUFFICIENT_BUFFER);
		ask(c, "no room", 0, IFD_ERROR_INSUFFICIENT_BUFFER);
		CHECK_INT(c->name, IFDHGetCapabilities(LUN, c->tag, &len, NULL), IFD_SUCCESS);
		CHECK_INT(c->name, len, c->len);
	}
	CHECK("wait", wait_of(LUN) != NULL);
	CHECK("stop", stop_of(LUN) != NULL);
	check_log("asking is nothing to tell", NULL);
	check_done();
}

static const DWORD unknown_tags[] = {
	0,      1,          TAG_IFD_SLOTNUM, TAG_IFD_POLLING_THREAD, SCARD_ATTR_VENDOR_IFD_TYPE + 0x0F,
	0x0FB5, 0xFFFFFFFF, (DWORD)-1
};

static void capabilities_that_are_unknown(void **state)
{
	(void)state;
	forget_log();
	for (size_t i = 0; i < COUNT(unknown_tags); i++) {
		const struct capability c = { "unknown", unknown_tags[i], NULL, 0 };
		DWORD len = 7;
		char row[32];

		snprintf(row, sizeof row, "tag %lX", c.tag);
		ask(&c, row, 16, IFD_ERROR_TAG);
		CHECK_INT(row, IFDHGetCapabilities(LUN, c.tag, &len, NULL), IFD_ERROR_TAG);
		CHECK_INT(row, len, 7);
		CHECK_INT(row, IFDHSetCapabilities(LUN, c.tag, 0, NULL), IFD_ERROR_TAG);
	}
	CHECK_INT("a tag that cannot be set", IFDHSetCapabilities(LUN, TAG_IFD_ATR, 1, buffer),
		  IFD_ERROR_TAG);
	check_log("pcscd asks for what other drivers have", NULL);
	check_works("nothing was set");
	check_done();
}

/* What changes with the card. */
static void capabilities_without_card(void **state)
{
	const struct capability rows[] = {
		{ "ATR", TAG_IFD_ATR, BYTES(0) },
		{ "presence", SCARD_ATTR_ICC_PRESENCE, BYTES(0) },
		{ "power", SCARD_ATTR_ICC_INTERFACE_STATUS, BYTES(0) },
	};
	struct capability none = rows[0];

	(void)state;
	none.len = 0;
	ask(&none, "no card", 33, IFD_SUCCESS);
	ask(&none, "no card, no room", 0, IFD_SUCCESS);
	for (size_t i = 1; i < COUNT(rows); i++)
		ask(&rows[i], "no card", 1, IFD_SUCCESS);
	inproc_insert(device);
	ask(&(const struct capability){ "presence", SCARD_ATTR_ICC_PRESENCE, BYTES(2) }, "card", 1,
	    IFD_SUCCESS);
	ask(&rows[2], "card without power", 1, IFD_SUCCESS);
	ask(&none, "card without power", 33, IFD_SUCCESS);
	check_done();
}

static void no_event_tells(void **state)
{
	(void)state;
	CHECK_INT("a stop", stop_of(LUN)(LUN), IFD_SUCCESS);
	CHECK_INT("ends the wait", wait_of(LUN)(LUN, 10000), IFD_SUCCESS);
	CHECK_INT("as does time", wait_of(LUN)(LUN, 10000), IFD_SUCCESS);
	inproc_insert(device);
	CHECK_INT("pcscd asks", IFDHICCPresence(LUN), IFD_ICC_PRESENT);
	inproc_remove(device);
	CHECK_INT("and asks again", IFDHICCPresence(LUN), IFD_ICC_NOT_PRESENT);
	check_done();
}

/* ---- control ----------------------------------------------------------------------------------------------------- */

static const struct control {
	const char *name;
	DWORD code;
	RESPONSECODE want;
	const char *says;
	const uint8_t *answer;
	size_t len;
} controls[] = {
	/* A reader without keypad has its properties, and nothing else. */
	{ "features", CM_IOCTL_GET_FEATURE_REQUEST, IFD_SUCCESS, NULL,
	  BYTES(0x12, 0x04, 0x42, 0x33, 0x00, 0x12) },
	{ "features, by the other number", 0x00313520, IFD_SUCCESS, NULL,
	  BYTES(0x12, 0x04, 0x42, 0x33, 0x00, 0x12) },
	{ "properties", 0x42330012, IFD_SUCCESS, NULL,
	  BYTES(0x01, 2, 0, 0, 0x08, 4, '5', '.', '2', '3', 0x09, 1, 0, 0x0A, 4, 0, 0, 1, 0, 0x0B, 2, 0xE6,
		0x04, 0x0C, 2, 0x16, 0x51) },
	{ "VERIFY_PIN_DIRECT without keypad", 0x42330006, IFD_ERROR_NOT_SUPPORTED, NULL, NULL, 0 },
	{ "MODIFY_PIN_DIRECT without keypad", 0x42330007, IFD_ERROR_NOT_SUPPORTED, NULL, NULL, 0 },
	{ "MCT_READER_DIRECT", 0x42330008, IFD_ERROR_NOT_SUPPORTED, NULL, NULL, 0 },
	{ "escape as a feature", 0x42330013, IFD_ERROR_NOT_SUPPORTED, NULL, NULL, 0 },
	{ "escape", SCARD_CTL_CODE(1), IFD_ERROR_NOT_SUPPORTED, "Escape command, which is not permitted",
	  NULL, 0 },
	{ "escape, by its newer number", SCARD_CTL_CODE(3500), IFD_ERROR_NOT_SUPPORTED,
	  "Escape command, which is not permitted", NULL, 0 },
	{ "escape, by the other number", 0x003136B0, IFD_ERROR_NOT_SUPPORTED,
	  "Escape command, which is not permitted", NULL, 0 },
	{ "node address of three bytes", SCARD_CTL_CODE(3600), IFD_COMMUNICATION_ERROR, NULL, NULL, 0 },
	{ "where it is plugged in", SCARD_CTL_CODE(3601), IFD_SUCCESS, NULL,
	  BYTES('1', '-', '1', ':', '1', '.', '0') },
	{ "0", 0, IFD_ERROR_NOT_SUPPORTED, NULL, NULL, 0 },
	{ "another of ours", SCARD_CTL_CODE(2), IFD_ERROR_NOT_SUPPORTED, NULL, NULL, 0 },
	{ "another one's", SCARD_CTL_CODE(3501), IFD_ERROR_NOT_SUPPORTED, NULL, NULL, 0 },
	{ "the largest", (DWORD)-1, IFD_ERROR_NOT_SUPPORTED, NULL, NULL, 0 },
};

static void control_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(controls); i++) {
		const struct control *c = &controls[i];
		uint8_t tx[] = { 1, 2, 3 };
		DWORD len = 4711;

		memset(buffer, UNTOUCHED, sizeof buffer);
		forget_log();
		CHECK_INT(c->name, IFDHControl(LUN, c->code, tx, sizeof tx, buffer, sizeof buffer, &len),
			  c->want);
		CHECK_BYTES(c->name, buffer, len, c->answer, c->len);
		CHECK_INT(c->name, buffer[len], UNTOUCHED);
		check_log(c->name, c->says);
		for (DWORD room = 0; room < c->len; room++)
			CHECK_INT(c->name, IFDHControl(LUN, c->code, tx, sizeof tx, buffer, room, &len),
				  IFD_ERROR_INSUFFICIENT_BUFFER);
	}
	CHECK_INT("no Escape was sent", inproc_sent(device, 0x6B), 0);
	check_done();
}

/* No byte asks, one sets; what is refused changes nothing. */
static void node_address(void **state)
{
	static const struct {
		const char *name;
		uint8_t tx[2];
		DWORD tx_len, room;
		RESPONSECODE want;
		uint8_t answer;
		DWORD len;
	} rows[] = {
		{ "none is set", { 0 }, 0, 1, IFD_SUCCESS, 0x00, 1 },
		{ "set", { 0x21 }, 1, 0, IFD_SUCCESS, 0, 0 },
		{ "it is set", { 0 }, 0, 300, IFD_SUCCESS, 0x21, 1 },
		{ "no room to tell", { 0 }, 0, 0, IFD_ERROR_INSUFFICIENT_BUFFER, 0, 0 },
		{ "source and destination alike", { 0x22 }, 1, 0, IFD_COMMUNICATION_ERROR, 0, 0 },
		{ "a bit that must be 0", { 0x81 }, 1, 0, IFD_COMMUNICATION_ERROR, 0, 0 },
		{ "two bytes", { 0x12, 0x12 }, 2, 0, IFD_COMMUNICATION_ERROR, 0, 0 },
		{ "it is still set", { 0 }, 0, 1, IFD_SUCCESS, 0x21, 1 },
		{ "back", { 0x00 }, 1, 0, IFD_SUCCESS, 0, 0 },
		{ "none", { 0 }, 0, 1, IFD_SUCCESS, 0x00, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t *tx = exact_copy(rows[i].tx, rows[i].tx_len);
		DWORD len = 4711;

		memset(buffer, UNTOUCHED, sizeof buffer);
		CHECK_INT(rows[i].name,
			  IFDHControl(LUN, SCARD_CTL_CODE(3600), tx, rows[i].tx_len, buffer, rows[i].room,
				      &len),
			  rows[i].want);
		CHECK_BYTES(rows[i].name, buffer, len, &rows[i].answer, rows[i].len);
		CHECK_INT(rows[i].name, buffer[rows[i].len], UNTOUCHED);
		free(tx);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(with_card, channels_that_cannot_be_opened),
		WITH(with_card, a_reader_that_was_unplugged),
		WITH(with_reader, a_reader_that_is_left),
		WITH(with_two_slots, slots_share_a_reader),
		WITH(with_card, opened_200_times),
		WITH(with_card, a_lun_that_is_not_open),
		WITH(with_card, pointers_that_are_null),
		WITH(with_card, every_capability),
		WITH(with_card, capabilities_that_are_unknown),
		WITH(with_reader, capabilities_without_card),
		WITH(without_interrupt, no_event_tells),
		WITH(with_card, control_codes),
		WITH(with_reader, node_address),
	};

	return cmocka_run_group_tests(tests, log_to_test, NULL);
}
