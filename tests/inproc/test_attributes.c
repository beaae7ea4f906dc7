/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The attributes that are numbers: readers and cards of all kinds, and for each of them what is known. Everything else must not be:
 * a number that nobody told would be a guess. tests/e2e/test-attributes.sh asks the same through pcscd.
 */
#include "ifd_bench.h"

enum {
	DESCRIPTOR_EDITS = 6,
	OTHER = 0x40000, /* the Lun of a second reader */
	SLOT_1 = LUN + 1,
	APDU_LONGEST = 65544, /* header, Lc, 65535 bytes and Le of an extended APDU */
};

/* Every attribute of pcsc-lite's reader.h that has four bytes, and those that are never answered. */
static const DWORD numbers[] = {
	SCARD_ATTR_VENDOR_IFD_VERSION,
	SCARD_ATTR_CHANNEL_ID,
	SCARD_ATTR_ASYNC_PROTOCOL_TYPES,
	SCARD_ATTR_DEFAULT_CLK,
	SCARD_ATTR_MAX_CLK,
	SCARD_ATTR_DEFAULT_DATA_RATE,
	SCARD_ATTR_MAX_DATA_RATE,
	SCARD_ATTR_MAX_IFSD,
	SCARD_ATTR_SYNC_PROTOCOL_TYPES,
	SCARD_ATTR_POWER_MGMT_SUPPORT,
	SCARD_ATTR_USER_TO_CARD_AUTH_DEVICE,
	SCARD_ATTR_USER_AUTH_INPUT_DEVICE,
	SCARD_ATTR_CHARACTERISTICS,
	SCARD_ATTR_CURRENT_PROTOCOL_TYPE,
	SCARD_ATTR_CURRENT_CLK,
	SCARD_ATTR_CURRENT_F,
	SCARD_ATTR_CURRENT_D,
	SCARD_ATTR_CURRENT_N,
	SCARD_ATTR_CURRENT_W,
	SCARD_ATTR_CURRENT_IFSC,
	SCARD_ATTR_CURRENT_IFSD,
	SCARD_ATTR_CURRENT_BWT,
	SCARD_ATTR_CURRENT_CWT,
	SCARD_ATTR_CURRENT_EBC_ENCODING,
	SCARD_ATTR_EXTENDED_BWT,
	SCARD_ATTR_CURRENT_IO_STATE,
	SCARD_ATTR_ESC_RESET,
	SCARD_ATTR_ESC_CANCEL,
	SCARD_ATTR_ESC_AUTHREQUEST,
	SCARD_ATTR_MAXINPUT,
	SCARD_ATTR_DEVICE_UNIT,
	SCARD_ATTR_DEVICE_IN_USE,
	SCARD_ATTR_DEVICE_FRIENDLY_NAME_A,
	SCARD_ATTR_DEVICE_FRIENDLY_NAME_W,
	SCARD_ATTR_DEVICE_SYSTEM_NAME_A,
	SCARD_ATTR_DEVICE_SYSTEM_NAME_W,
	SCARD_ATTR_SUPRESS_T1_IFS_REQUEST,
};

struct known {
	DWORD tag;
	uint32_t number;
};

#define KNOWN(...)             \
	(const struct known[]) \
	{                      \
		__VA_ARGS__,   \
		{              \
			0, 0   \
		}              \
	}

/* An SCR3310 as it is, but for what the rows say themselves */
#define CLOCKS                            \
	{ SCARD_ATTR_DEFAULT_CLK, 4000 }, \
	{                                 \
		SCARD_ATTR_MAX_CLK, 8000  \
	}
#define RATES                                    \
	{ SCARD_ATTR_DEFAULT_DATA_RATE, 10753 }, \
	{                                        \
		SCARD_ATTR_MAX_DATA_RATE, 344105 \
	}
#define PROTOCOLS                                  \
	{                                          \
		SCARD_ATTR_ASYNC_PROTOCOL_TYPES, 3 \
	}
#define NO_SYNC                                   \
	{                                         \
		SCARD_ATTR_SYNC_PROTOCOL_TYPES, 0 \
	}
#define IFSD(n)                        \
	{                              \
		SCARD_ATTR_MAX_IFSD, n \
	}
#define INPUT(n)                       \
	{                              \
		SCARD_ATTR_MAXINPUT, n \
	}
#define ANNOUNCED                                    \
	{                                            \
		SCARD_ATTR_SUPRESS_T1_IFS_REQUEST, 0 \
	}
#define PAD(n)                                         \
	{                                              \
		SCARD_ATTR_USER_TO_CARD_AUTH_DEVICE, n \
	}
#define MECHANIC(n)                           \
	{                                     \
		SCARD_ATTR_CHARACTERISTICS, n \
	}
#define ALWAYS                                                                                \
	{ SCARD_ATTR_VENDOR_IFD_VERSION, 0x05230000 }, { SCARD_ATTR_CHANNEL_ID, 0x00200102 }, \
		{ SCARD_ATTR_POWER_MGMT_SUPPORT, 1 },                                         \
	{                                                                                     \
		SCARD_ATTR_DEVICE_UNIT, 0                                                     \
	}
#define READER_BUT_INPUT ALWAYS, CLOCKS, RATES, PROTOCOLS, NO_SYNC, IFSD(252), ANNOUNCED, PAD(0), MECHANIC(0)
#define READER           READER_BUT_INPUT, INPUT(261)

#define IN_T0                                                       \
	{                                                           \
		SCARD_ATTR_CURRENT_PROTOCOL_TYPE, SCARD_PROTOCOL_T0 \
	}
#define IN_T1                                                       \
	{                                                           \
		SCARD_ATTR_CURRENT_PROTOCOL_TYPE, SCARD_PROTOCOL_T1 \
	}
#define SPEED(f, d)                     \
	{ SCARD_ATTR_CURRENT_F, f },    \
	{                               \
		SCARD_ATTR_CURRENT_D, d \
	}
#define N(n)                            \
	{                               \
		SCARD_ATTR_CURRENT_N, n \
	}
#define W(etu)                            \
	{                                 \
		SCARD_ATTR_CURRENT_W, etu \
	}
#define IFSC(n)                            \
	{                                  \
		SCARD_ATTR_CURRENT_IFSC, n \
	}
#define NOW_IFSD(n)                        \
	{                                  \
		SCARD_ATTR_CURRENT_IFSD, n \
	}
#define BWT(etu)                            \
	{                                   \
		SCARD_ATTR_CURRENT_BWT, etu \
	}
#define CWT(etu)                            \
	{                                   \
		SCARD_ATTR_CURRENT_CWT, etu \
	}
#define EBC(crc)                                     \
	{                                            \
		SCARD_ATTR_CURRENT_EBC_ENCODING, crc \
	}
#define CLOCK(khz)                          \
	{                                   \
		SCARD_ATTR_CURRENT_CLK, khz \
	}

/* Bytes of the class descriptor, by its offsets in CCID rev 1.1, 5.1 */
#define PROTOCOL_BITS(n) \
	{                \
		6, n     \
	}
#define DEFAULT_CLOCK(n)     \
	{ 10, (n)&0xFF },    \
	{                    \
		11, (n) >> 8 \
	}
#define MAXIMUM_CLOCK(n)     \
	{ 14, (n)&0xFF },    \
	{                    \
		15, (n) >> 8 \
	}
#define NO_RATE       \
	{ 19, 0 },    \
	{             \
		20, 0 \
	}
#define NO_MAXIMUM_RATE       \
	{ 23, 0 }, { 24, 0 }, \
	{                     \
		25, 0         \
	}
#define MAXIMUM_IFSD(n) \
	{               \
		28, n   \
	}
#define SYNC_BITS(h, l) \
	{ 32, l },      \
	{               \
		35, h   \
	}
#define MECHANICAL(n) \
	{             \
		36, n \
	}
#define FEATURES(l, m, h)     \
	{ 40, l }, { 41, m }, \
	{                     \
		42, h         \
	}
#define PIN_SUPPORT(n) \
	{              \
		52, n  \
	}

static const struct row {
	const char *name;
	struct {
		uint8_t at, byte;
	} edit[DESCRIPTOR_EDITS];
	const char *quirks; /* as OPENCCID_QUIRKS */
	const char *card;   /* NULL: none */
	int protocol;       /* 1: T=0, 2: T=1, 0: none is set */
	const struct known *known;
} rows[] = {
	/* the card */
	{ .name = "no card", .known = KNOWN(READER) },
	{ .name = "no protocol yet", .card = "t0", .known = KNOWN(READER) },
	{ .name = "T=0",
	  .card = "t0",
	  .protocol = 1,
	  .known = KNOWN(READER, IN_T0, SPEED(372, 1), N(0), W(9600)) },
	{ .name = "T=0, TA1",
	  .card = "t0,ta1=96",
	  .protocol = 1,
	  .known = KNOWN(READER, IN_T0, SPEED(512, 32), N(0), W(307200)) },
	{ .name = "T=0, the reader is too slow for TA1",
	  .card = "t0,ta1=97",
	  .protocol = 1,
	  .known = KNOWN(READER, IN_T0, SPEED(512, 32), N(0), W(307200)) },
	{ .name = "T=0, N and WI",
	  .card = "3B C0 05 40 14",
	  .protocol = 1,
	  .known = KNOWN(READER, IN_T0, SPEED(372, 1), N(5), W(19200)) },
	{ .name = "T=1, LRC",
	  .card = "t1",
	  .protocol = 2,
	  .known = KNOWN(READER_BUT_INPUT, INPUT(APDU_LONGEST), IN_T1, SPEED(372, 1), N(0), IFSC(254),
			 NOW_IFSD(252), BWT(15371), CWT(43), EBC(0)) },
	{ .name = "T=1, CRC",
	  .card = "t1,crc,ifsc=40,bwi=2,ta1=95",
	  .protocol = 2,
	  /* 960 x 372 x 4 x 16 / 512 = 44640 etu */
	  .known = KNOWN(READER_BUT_INPUT, INPUT(APDU_LONGEST), IN_T1, SPEED(512, 16), N(0), IFSC(40),
			 NOW_IFSD(252), BWT(44651), CWT(43), EBC(1)) },
	{ .name = "both, T=1 chosen",
	  .card = "dual",
	  .protocol = 2,
	  .known = KNOWN(READER_BUT_INPUT, INPUT(APDU_LONGEST), IN_T1, SPEED(372, 1), N(0), IFSC(254),
			 NOW_IFSD(252), BWT(15371), CWT(43), EBC(0)) },

	/* the reader */
	{ .name = "one clock is the current one",
	  .edit = { MAXIMUM_CLOCK(4000) },
	  .card = "t0",
	  .protocol = 1,
	  .known = KNOWN(ALWAYS, RATES, PROTOCOLS, NO_SYNC, IFSD(252), ANNOUNCED, PAD(0), MECHANIC(0),
			 INPUT(261), { SCARD_ATTR_DEFAULT_CLK, 4000 }, { SCARD_ATTR_MAX_CLK, 4000 },
			 CLOCK(4000), IN_T0, SPEED(372, 1), N(0), W(9600)) },
	{ .name = "one clock, and no card",
	  .edit = { MAXIMUM_CLOCK(4000) },
	  .known = KNOWN(ALWAYS, RATES, PROTOCOLS, NO_SYNC, IFSD(252), ANNOUNCED, PAD(0), MECHANIC(0),
			 INPUT(261), { SCARD_ATTR_DEFAULT_CLK, 4000 }, { SCARD_ATTR_MAX_CLK, 4000 }) },
	{ .name = "the clock does not change by itself",
	  .edit = { FEATURES(0xAA, 0x00, 0x01) },
	  .card = "t0",
	  .protocol = 1,
	  .known = KNOWN(READER, CLOCK(4000), IN_T0, SPEED(372, 1), N(0), W(9600)) },
	{ .name = "no clock is told",
	  .edit = { DEFAULT_CLOCK(0), MAXIMUM_CLOCK(0) },
	  .card = "t0",
	  .protocol = 1,
	  .known = KNOWN(ALWAYS, RATES, PROTOCOLS, NO_SYNC, IFSD(252), ANNOUNCED, PAD(0), MECHANIC(0),
			 INPUT(261), IN_T0, SPEED(372, 1), N(0), W(9600)) },
	{ .name = "no rates are told",
	  .edit = { NO_RATE, NO_MAXIMUM_RATE },
	  .known = KNOWN(ALWAYS, CLOCKS, PROTOCOLS, NO_SYNC, IFSD(252), ANNOUNCED, PAD(0), MECHANIC(0),
			 INPUT(261)) },
	{ .name = "no protocol is told",
	  .edit = { PROTOCOL_BITS(0) },
	  .known = KNOWN(ALWAYS, CLOCKS, RATES, NO_SYNC, IFSD(252), ANNOUNCED, PAD(0), MECHANIC(0),
			 INPUT(261)) },
	{ .name = "T=0 only: no IFSD",
	  .edit = { PROTOCOL_BITS(1) },
	  .known = KNOWN(ALWAYS, CLOCKS, RATES, { SCARD_ATTR_ASYNC_PROTOCOL_TYPES, 1 }, NO_SYNC, PAD(0),
			 MECHANIC(0), INPUT(261)) },
	{ .name = "no IFSD is told",
	  .edit = { MAXIMUM_IFSD(0) },
	  .known = KNOWN(ALWAYS, CLOCKS, RATES, PROTOCOLS, NO_SYNC, ANNOUNCED, PAD(0), MECHANIC(0),
			 INPUT(261)) },
	{ .name = "but a rule knows it",
	  .edit = { MAXIMUM_IFSD(0) },
	  .quirks = "04e6:5116:max-ifsd=48",
	  .known = KNOWN(ALWAYS, CLOCKS, RATES, PROTOCOLS, NO_SYNC, IFSD(48), ANNOUNCED, PAD(0), MECHANIC(0),
			 INPUT(261)) },
	{ .name = "a rule knows the rate",
	  .quirks = "04e6:5116:max-rate=100000",
	  .known = KNOWN(ALWAYS, CLOCKS, PROTOCOLS, NO_SYNC, IFSD(252), ANNOUNCED, PAD(0), MECHANIC(0),
			 INPUT(261), { SCARD_ATTR_DEFAULT_DATA_RATE, 10753 },
			 { SCARD_ATTR_MAX_DATA_RATE, 100000 }) },
	{ .name = "S(IFS request) does harm",
	  .quirks = "04e6:5116:no-ifsd",
	  .card = "t1",
	  .protocol = 2,
	  .known = KNOWN(ALWAYS, CLOCKS, RATES, PROTOCOLS, NO_SYNC, IFSD(252), PAD(0), MECHANIC(0),
			 { SCARD_ATTR_SUPRESS_T1_IFS_REQUEST, 1 }, INPUT(APDU_LONGEST), IN_T1, SPEED(372, 1),
			 N(0), IFSC(254), BWT(15371), CWT(43), EBC(0)) },
	{ .name = "the reader announces IFSD",
	  .edit = { FEATURES(0xBA, 0x04, 0x01) },
	  .card = "t1",
	  .protocol = 2,
	  .known = KNOWN(ALWAYS, CLOCKS, RATES, PROTOCOLS, NO_SYNC, IFSD(252), PAD(0), MECHANIC(0),
			 INPUT(APDU_LONGEST), IN_T1, SPEED(372, 1), N(0), IFSC(254), BWT(15371), CWT(43),
			 EBC(0)) },
	{ .name = "a motor: locking is another bit here",
	  .edit = { MECHANICAL(0x0F) },
	  .known = KNOWN(ALWAYS, CLOCKS, RATES, PROTOCOLS, NO_SYNC, IFSD(252), ANNOUNCED, PAD(0), MECHANIC(7),
			 INPUT(261)) },
	{ .name = "synchronous cards",
	  .edit = { SYNC_BITS(0x40, 6) },
	  .known = KNOWN(ALWAYS, CLOCKS, RATES, PROTOCOLS, IFSD(252), ANNOUNCED, PAD(0), MECHANIC(0),
			 INPUT(261), { SCARD_ATTR_SYNC_PROTOCOL_TYPES, 0x40000006 }) },
	{ .name = "and what is no such mask",
	  .edit = { SYNC_BITS(0, 6) },
	  .known = KNOWN(ALWAYS, CLOCKS, RATES, PROTOCOLS, IFSD(252), ANNOUNCED, PAD(0), MECHANIC(0),
			 INPUT(261)) },
	{ .name = "a keypad",
	  .edit = { PIN_SUPPORT(1) },
	  .known = KNOWN(ALWAYS, CLOCKS, RATES, PROTOCOLS, NO_SYNC, IFSD(252), ANNOUNCED, PAD(2), MECHANIC(0),
			 INPUT(261)) },
	{ .name = "a keypad that is not to be used",
	  .edit = { PIN_SUPPORT(3) },
	  .quirks = "04e6:5116:pinpad=none",
	  .known = KNOWN(READER) },

	/* the exchange level */
	{ .name = "characters, T=1",
	  .edit = { FEATURES(0x3A, 0x00, 0x00) },
	  .card = "t1",
	  .protocol = 2,
	  .known = KNOWN(READER_BUT_INPUT, INPUT(APDU_LONGEST), IN_T1, SPEED(372, 1), N(0), IFSC(254),
			 NOW_IFSD(252), BWT(15371), CWT(43), EBC(0)) },
	{ .name = "the host's PPS",
	  .edit = { FEATURES(0x3A, 0x00, 0x01) },
	  .card = "t0,ta1=95",
	  .protocol = 1,
	  .known = KNOWN(READER, IN_T0, SPEED(512, 16), N(0), W(153600)) },
	{ .name = "the reader has chosen by itself",
	  .edit = { FEATURES(0x7A, 0x00, 0x01) },
	  .card = "t0,ta1=95",
	  .protocol = 1,
	  .known = KNOWN(READER, IN_T0, SPEED(512, 16), N(0), W(153600)) },
	{ .name = "short APDUs",
	  .edit = { FEATURES(0x7A, 0x04, 0x02) },
	  .card = "t1,ta1=95,ifsc=40",
	  .protocol = 2,
	  .known = KNOWN(ALWAYS, CLOCKS, RATES, PROTOCOLS, NO_SYNC, IFSD(252), PAD(0), MECHANIC(0),
			 INPUT(261), IN_T1, SPEED(512, 16), N(0), IFSC(40), BWT(178571), CWT(43), EBC(0)) },
	{ .name = "extended APDUs",
	  .edit = { FEATURES(0x7A, 0x04, 0x04) },
	  .card = "t0",
	  .protocol = 1,
	  .known = KNOWN(ALWAYS, CLOCKS, RATES, PROTOCOLS, NO_SYNC, IFSD(252), PAD(0), MECHANIC(0),
			 INPUT(APDU_LONGEST), IN_T0, SPEED(372, 1), N(0), W(9600)) },
};

/* ---- asking ------------------------------------------------------------------------------------------------------ */

/* With this much room, and a byte behind it that must stay as it is. */
static RESPONSECODE ask(DWORD lun, DWORD tag, size_t room, uint32_t *number, DWORD *len)
{
	uint8_t *value = malloc(room + 1);
	RESPONSECODE code;

	assert_non_null(value);
	memset(value, UNTOUCHED, room + 1);
	*len = room;
	code = IFDHGetCapabilities(lun, tag, len, value);
	CHECK("nothing behind the room", value[room] == UNTOUCHED);
	if (code == IFD_SUCCESS && *len == sizeof *number)
		memcpy(number, value, sizeof *number);
	free(value);
	return code;
}

static void check_known(const char *name, DWORD lun, DWORD tag, uint32_t want)
{
	uint32_t number = ~want;
	DWORD len;

	for (size_t room = 0; room < sizeof number; room++) {
		CHECK_INT(name, ask(lun, tag, room, &number, &len), IFD_ERROR_INSUFFICIENT_BUFFER);
		CHECK_INT(name, len, sizeof number);
	}
	CHECK_INT(name, ask(lun, tag, sizeof number, &number, &len), IFD_SUCCESS);
	CHECK_INT(name, len, sizeof number);
	CHECK_INT(name, number, want);
	CHECK_INT(name, ask(lun, tag, sizeof number + 4, &number, &len), IFD_SUCCESS);
	CHECK_INT(name, len, sizeof number);
	len = 0;
	CHECK_INT(name, IFDHGetCapabilities(lun, tag, &len, NULL), IFD_SUCCESS);
	CHECK_INT(name, len, sizeof number);
}

static void check_unknown(const char *name, DWORD lun, DWORD tag)
{
	uint32_t number = 0;
	DWORD len;

	CHECK_INT(name, ask(lun, tag, sizeof number, &number, &len), IFD_ERROR_TAG);
	CHECK_INT(name, len, sizeof number);
	CHECK_INT(name, number, 0);
}

static const struct known *find(const struct known *known, DWORD tag)
{
	for (; known->tag; known++)
		if (known->tag == tag)
			return known;
	return NULL;
}

static void check_all(const char *row, DWORD lun, const struct known *known)
{
	for (size_t i = 0; i < COUNT(numbers); i++) {
		const struct known *one = find(known, numbers[i]);
		char name[120];

		snprintf(name, sizeof name, "%s: attribute %08lX", row, numbers[i]);
		if (one)
			check_known(name, lun, numbers[i], one->number);
		else
			check_unknown(name, lun, numbers[i]);
	}
}

/* ---- one reader, one card ---------------------------------------------------------------------------------------- */

static void plug_in(const struct row *row)
{
	struct sim_identity identity;

	sim_identity_default(&identity);
	for (unsigned i = 0; i < DESCRIPTOR_EDITS && row->edit[i].at; i++)
		identity.descriptor[row->edit[i].at] = row->edit[i].byte;
	device = inproc_new(&identity);
	assert_non_null(device);
	if (row->quirks)
		setenv("OPENCCID_QUIRKS", row->quirks, 1);
	CHECK_INT(row->name, IFDHCreateChannelByName(LUN, good_name), IFD_SUCCESS);
	unsetenv("OPENCCID_QUIRKS");
}

static void readers_and_cards(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];

		plug_in(row);
		if (row->card) {
			CHECK(row->name, inproc_insert_card(device, row->card));
			CHECK_INT(row->name, power(IFD_POWER_UP), IFD_SUCCESS);
		}
		if (row->protocol)
			CHECK_INT(row->name, IFDHSetProtocolParameters(LUN, (DWORD)row->protocol, 0, 0, 0, 0),
				  IFD_SUCCESS);
		check_all(row->name, LUN, row->known);
		if (row->card) {
			CHECK_INT(row->name, power(IFD_POWER_DOWN), IFD_SUCCESS);
			check_unknown(row->name, LUN, SCARD_ATTR_CURRENT_PROTOCOL_TYPE);
			check_unknown(row->name, LUN, SCARD_ATTR_CURRENT_F);
		}
		CHECK_INT(row->name, unplug(state), 0);
	}
	check_done();
}

/* Each slot has a card of its own. */
static void two_slots(void **state)
{
	enum { OTHER_SLOTS_RATE = 50000 };

	setenv("OPENCCID_QUIRKS", "04e6:5116:other-slots-max-rate=50000", 1);
	CHECK_INT("plug in", with_two_slots(state), 0);
	unsetenv("OPENCCID_QUIRKS");
	CHECK_INT("slot 1", IFDHCreateChannelByName(SLOT_1, good_name), IFD_SUCCESS);
	inproc_insert_at(device, 1);
	CHECK_INT("slot 1", power_at(SLOT_1, IFD_POWER_UP), IFD_SUCCESS);
	CHECK_INT("slot 1", IFDHSetProtocolParameters(SLOT_1, SCARD_PROTOCOL_T0, 0, 0, 0, 0), IFD_SUCCESS);
	check_known("slot 1", SLOT_1, SCARD_ATTR_CURRENT_PROTOCOL_TYPE, SCARD_PROTOCOL_T0);
	check_unknown("slot 0", LUN, SCARD_ATTR_CURRENT_PROTOCOL_TYPE);
	check_known("slot 0", LUN, SCARD_ATTR_MAX_DATA_RATE, 344105);
	check_known("slot 1", SLOT_1, SCARD_ATTR_MAX_DATA_RATE, OTHER_SLOTS_RATE);
	check_known("slot 0", LUN, SCARD_ATTR_DEVICE_UNIT, 0);
	check_known("slot 1", SLOT_1, SCARD_ATTR_DEVICE_UNIT, 0);
	CHECK_INT("close", IFDHCloseChannel(SLOT_1), IFD_SUCCESS);
	check_done();
}

static void open_as(DWORD lun, const struct inproc *d)
{
	char name[INPROC_NAME];

	inproc_name(d, name);
	CHECK_INT("open", IFDHCreateChannelByName(lun, name), IFD_SUCCESS);
}

/* Readers of the same kind are counted, and keep their number. */
static void units(void **state)
{
	struct sim_identity identity;
	struct inproc *second, *other;

	(void)state;
	sim_identity_default(&identity);
	second = inproc_new(&identity);
	identity.pid++;
	other = inproc_new(&identity);
	assert_true(second && other);
	open_as(OTHER, second);
	open_as(OTHER + 0x10000, other);
	check_known("first", LUN, SCARD_ATTR_DEVICE_UNIT, 0);
	check_known("second", OTHER, SCARD_ATTR_DEVICE_UNIT, 1);
	check_known("of another kind", OTHER + 0x10000, SCARD_ATTR_DEVICE_UNIT, 0);
	CHECK_INT("close", IFDHCloseChannel(LUN), IFD_SUCCESS);
	check_known("it keeps its number", OTHER, SCARD_ATTR_DEVICE_UNIT, 1);
	open_as(LUN, device);
	check_known("the free one is taken", LUN, SCARD_ATTR_DEVICE_UNIT, 0);
	CHECK_INT("close", IFDHCloseChannel(OTHER), IFD_SUCCESS);
	CHECK_INT("close", IFDHCloseChannel(OTHER + 0x10000), IFD_SUCCESS);
	inproc_free(second);
	inproc_free(other);
	check_done();
}

/* ---- bytes and texts --------------------------------------------------------------------------------------------- */

static void type_of_the_card(void **state)
{
	DWORD len = 1;
	UCHAR type = UNTOUCHED;

	(void)state;
	CHECK_INT("no card", IFDHGetCapabilities(LUN, SCARD_ATTR_ICC_TYPE_PER_ATR, &len, &type),
		  IFD_ERROR_TAG);
	inproc_insert(device);
	len = 1;
	CHECK_INT("no power", IFDHGetCapabilities(LUN, SCARD_ATTR_ICC_TYPE_PER_ATR, &len, &type),
		  IFD_ERROR_TAG);
	CHECK_INT("power", power(IFD_POWER_UP), IFD_SUCCESS);
	len = 1;
	CHECK_INT("card", IFDHGetCapabilities(LUN, SCARD_ATTR_ICC_TYPE_PER_ATR, &len, &type), IFD_SUCCESS);
	CHECK_INT("asynchronous", type, 1);
	CHECK_INT("one byte", len, 1);
	check_done();
}

static void a_device_without_strings(void **state)
{
	static const DWORD tags[] = { SCARD_ATTR_VENDOR_NAME, SCARD_ATTR_VENDOR_IFD_TYPE,
				      SCARD_ATTR_VENDOR_IFD_SERIAL_NO };
	UCHAR text[64];

	(void)state;
	inproc_strings(false);
	for (size_t i = 0; i < COUNT(tags); i++) {
		DWORD len = sizeof text;

		CHECK_INT("none", IFDHGetCapabilities(LUN, tags[i], &len, text), IFD_ERROR_TAG);
		CHECK_INT("none", len, sizeof text);
	}
	inproc_strings(true);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_and_cards),
		cmocka_unit_test_teardown(two_slots, unplug),
		WITH(with_reader, units),
		WITH(with_reader, type_of_the_card),
		WITH(with_reader, a_device_without_strings),
	};

	return cmocka_run_group_tests(tests, log_to_test, NULL);
}
