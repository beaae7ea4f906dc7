/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The class descriptor (CCID rev 1.1, table 5.1-1): decoding, finding it among others, and what is believed of it. */
#include "ccid/descriptor.h"
#include "check.h"

/* Byte n has the value n + 0x80, so that each field shows its offset and its byte order. */
static void distinct_bytes(uint8_t bytes[CCID_DESCRIPTOR_LEN])
{
	for (unsigned i = 0; i < CCID_DESCRIPTOR_LEN; i++)
		bytes[i] = (uint8_t)(i + 0x80);
	bytes[0] = CCID_DESCRIPTOR_LEN;
	bytes[1] = 0x21;
}

static uint32_t le(const uint8_t *bytes, size_t size)
{
	uint32_t value = 0;

	for (size_t i = size; i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

#define FIELD(field, offset, size) CHECK_INT(#field, desc.field, le(bytes + (offset), size))

static void every_field_at_its_offset(void **state)
{
	uint8_t bytes[CCID_DESCRIPTOR_LEN];
	struct ccid_descriptor desc;

	(void)state;
	distinct_bytes(bytes);
	assert_int_equal(ccid_descriptor_decode(bytes, sizeof bytes, &desc), OC_OK);
	FIELD(bDescriptorType, 1, 1);
	FIELD(bcdCCID, 2, 2);
	FIELD(bMaxSlotIndex, 4, 1);
	FIELD(bVoltageSupport, 5, 1);
	FIELD(dwProtocols, 6, 4);
	FIELD(dwDefaultClock, 10, 4);
	FIELD(dwMaximumClock, 14, 4);
	FIELD(bNumClockSupported, 18, 1);
	FIELD(dwDataRate, 19, 4);
	FIELD(dwMaxDataRate, 23, 4);
	FIELD(bNumDataRatesSupported, 27, 1);
	FIELD(dwMaxIFSD, 28, 4);
	FIELD(dwSynchProtocols, 32, 4);
	FIELD(dwMechanical, 36, 4);
	FIELD(dwFeatures, 40, 4);
	FIELD(dwMaxCCIDMessageLength, 44, 4);
	FIELD(bClassGetResponse, 48, 1);
	FIELD(bClassEnvelope, 49, 1);
	FIELD(lcd_columns, 50, 1);
	FIELD(lcd_lines, 51, 1);
	FIELD(bPINSupport, 52, 1);
	FIELD(bMaxCCIDBusySlots, 53, 1);
	check_done();
}

static void truncated_at_each_length(void **state)
{
	uint8_t whole[300];

	(void)state;
	memset(whole, 0xEE, sizeof whole);
	distinct_bytes(whole);
	for (size_t len = 0; len <= sizeof whole; len++) {
		uint8_t *bytes = exact_copy(whole, len);
		struct ccid_descriptor desc;
		char name[32];

		memset(&desc, 0x5A, sizeof desc);
		snprintf(name, sizeof name, "%zu bytes", len);
		CHECK_INT(name, ccid_descriptor_decode(bytes, len, &desc),
			  len < 54 ? OC_E_DESCRIPTOR : OC_OK);
		CHECK_INT(name, desc.bMaxCCIDBusySlots, len < 54 ? 0x5A : 0x80 + 53);
		free(bytes);
	}
	check_done();
}

/* bLength and type: each value of one with a good other. */
static void length_byte_and_type(void **state)
{
	uint8_t bytes[CCID_DESCRIPTOR_LEN];
	struct ccid_descriptor desc;
	char name[32];

	(void)state;
	for (unsigned value = 0; value < 256; value++) {
		distinct_bytes(bytes);
		bytes[0] = (uint8_t)value;
		snprintf(name, sizeof name, "bLength %u", value);
		CHECK_INT(name, ccid_descriptor_decode(bytes, sizeof bytes, &desc),
			  value < 54 ? OC_E_DESCRIPTOR : OC_OK);
		distinct_bytes(bytes);
		bytes[1] = (uint8_t)value;
		snprintf(name, sizeof name, "type %02Xh", value);
		CHECK_INT(name, ccid_descriptor_decode(bytes, sizeof bytes, &desc),
			  value == 0x21 || value == 0xFF ? OC_OK : OC_E_DESCRIPTOR);
	}
	check_done();
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

#define ENDPOINT 7, 5, 0x81, 2, 64, 0, 0
#define CLASS(length, type)                                                                                  \
	length, type, 0x10, 1, 0, 7, 3, 0, 0, 0, 0xA0, 0x0F, 0, 0, 0xA0, 0x0F, 0, 0, 0, 0, 0x2A, 0, 0, 0,    \
		0x2A, 0, 0, 0, 254, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xBA, 4, 1, 0, 15, 1, 0, 0, 0xFF, 0xFF, \
		0, 0, 0, 1

static const struct {
	const char *name;
	const uint8_t *bytes;
	size_t len;
	int found; /* offset, or -1 */
} find_cases[] = {
	{ "alone", BYTES(CLASS(54, 0x21)), 0 },
	{ "vendor type", BYTES(CLASS(54, 0xFF)), 0 },
	{ "behind an endpoint", BYTES(ENDPOINT, CLASS(54, 0x21)), 7 },
	{ "in front of an endpoint", BYTES(CLASS(54, 0x21), ENDPOINT), 0 },
	{ "behind an empty descriptor of 2 bytes", BYTES(2, 0x41, CLASS(54, 0x21)), 2 },
	{ "behind a short one of type 21h", BYTES(9, 0x21, 0x10, 1, 0, 1, 0x22, 0x3F, 0, CLASS(54, 0x21)),
	  9 },
	{ "behind a short one of type FFh", BYTES(4, 0xFF, 0, 0, CLASS(54, 0x21)), 4 },
	{ "two: the first", BYTES(CLASS(54, 0x21), CLASS(54, 0x21)), 0 },
	{ "a longer one", BYTES(CLASS(56, 0x21), 1, 2), 0 },
	{ "nothing", BYTES(0), -1 },
	{ "other types only", BYTES(ENDPOINT, ENDPOINT), -1 },
	{ "54 bytes of another type", BYTES(CLASS(54, 0x24)), -1 },
	{ "bLength 0 first", BYTES(0, 0x41, CLASS(54, 0x21)), -1 },
	{ "bLength 1 first", BYTES(1, CLASS(54, 0x21)), -1 },
	{ "bLength beyond the end", BYTES(200, 0x41, 0, 0), -1 },
	{ "one byte", BYTES(54), -1 },
	{ "class descriptor of two bytes", BYTES(54, 0x21), -1 },
	{ "bLength 53", BYTES(CLASS(53, 0x21)), -1 },
	{ "endpoint whose length jumps over the descriptor", BYTES(61, 5, 0x81, 2, 64, 0, 0, CLASS(54, 0x21)),
	  -1 },
};

static void finding_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(find_cases); i++) {
		const char *name = find_cases[i].name;
		uint8_t *bytes = exact_copy(find_cases[i].bytes, find_cases[i].len);
		size_t found_len = 12345;
		const uint8_t *found = ccid_descriptor_find(bytes, find_cases[i].len, &found_len);

		CHECK_INT(name, found ? found - bytes : -1, find_cases[i].found);
		if (found)
			CHECK_INT(name, found_len, find_cases[i].len - (size_t)(found - bytes));
		free(bytes);
	}
	CHECK("no bytes at all", !ccid_descriptor_find(NULL, 0, &(size_t){ 0 }));
	check_done();
}

/* Cut off at each length: found or not, never read beyond the end, and what was found can be decoded. */
static void finding_in_a_truncated_run(void **state)
{
	const uint8_t run[] = { ENDPOINT, CLASS(54, 0x21), ENDPOINT };

	(void)state;
	for (size_t len = 0; len <= sizeof run; len++) {
		uint8_t *bytes = exact_copy(run, len);
		size_t found_len = 0;
		const uint8_t *found = ccid_descriptor_find(bytes, len, &found_len);
		struct ccid_descriptor desc;
		char name[32];

		snprintf(name, sizeof name, "%zu bytes", len);
		CHECK_INT(name, found != NULL, len >= 7 + 54);
		if (found)
			CHECK_INT(name, ccid_descriptor_decode(found, found_len, &desc), OC_OK);
		free(bytes);
	}
	check_done();
}

static void finding_in_noise(void **state)
{
	uint32_t seed = 0xC0FFEE;

	(void)state;
	for (unsigned run = 0; run < 20000; run++) {
		uint8_t noise[160];
		size_t len = check_random(&seed) % sizeof noise, found_len = 0;

		for (size_t i = 0; i < len; i++) {
			uint32_t r = check_random(&seed);

			noise[i] = (uint8_t)(r & 0x300 ? r : r & 0x400 ? 0x21 : 0x36);
		}
		uint8_t *bytes = exact_copy(noise, len);
		const uint8_t *found = ccid_descriptor_find(bytes, len, &found_len);

		if (found)
			CHECK("noise", found_len >= 54 && found + found_len == bytes + len && found[0] >= 54);
		free(bytes);
	}
	check_done();
}

/* ---- what is believed -------------------------------------------------------------------------------------------- */

static struct ccid_descriptor plain(void)
{
	return (struct ccid_descriptor){
		.bDescriptorType = 0x21,
		.bcdCCID = 0x0110,
		.bVoltageSupport = 7,
		.dwProtocols = 3,
		.dwDefaultClock = 4800,
		.dwMaximumClock = 8000,
		.dwDataRate = 12903,
		.dwMaxDataRate = 412903,
		.dwMaxIFSD = 252,
		.dwFeatures = 0x000100BA,
		.dwMaxCCIDMessageLength = 271,
		.bClassGetResponse = 0xFF,
		.bClassEnvelope = 0xFE,
		.lcd_lines = 2,
		.lcd_columns = 16,
		.bPINSupport = 3,
		.bMaxCCIDBusySlots = 1,
	};
}

static void a_plain_descriptor_is_believed(void **state)
{
	struct ccid_descriptor desc = plain();
	struct ccid_caps caps;

	(void)state;
	desc.bMaxSlotIndex = 2;
	desc.bMaxCCIDBusySlots = 2;
	assert_int_equal(ccid_caps_derive(&desc, &caps), OC_OK);
	CHECK_INT("level", caps.level, CCID_TPDU);
	CHECK_INT("features", caps.features, 0x000100BA);
	CHECK_INT("slots", caps.slots, 3);
	CHECK_INT("busy", caps.busy_slots, 2);
	CHECK_INT("voltages", caps.voltages, 7);
	CHECK("protocols", caps.t0 && caps.t1);
	CHECK_INT("clock", caps.clock_khz, 4800);
	CHECK_INT("rate", caps.max_rate, 412903);
	CHECK_INT("message", caps.max_message, 271);
	CHECK_INT("ifsd", caps.max_ifsd, 252);
	CHECK_INT("get response", caps.class_get_response, 0xFF);
	CHECK_INT("envelope", caps.class_envelope, 0xFE);
	CHECK_INT("pin", caps.pin_support, 3);
	CHECK_INT("lines", caps.lcd_lines, 2);
	CHECK_INT("columns", caps.lcd_columns, 16);
	check_done();
}

/* One field is set in the plain descriptor; one field of the outcome is looked at. */
#define SET8(field)  offsetof(struct ccid_descriptor, field), 1
#define SET32(field) offsetof(struct ccid_descriptor, field), 4
enum look { SLOTS, BUSY, VOLTAGES, T0, T1, CLOCK, RATE, MESSAGE, IFSD, LEVEL, F40, F80 };

static const struct {
	const char *name;
	size_t offset, size;
	uint32_t value;
	enum look look;
	long long want;
} derive_cases[] = {
	{ "no clock: 4000 kHz", SET32(dwDefaultClock), 0, CLOCK, 4000 },
	{ "1 kHz is believed", SET32(dwDefaultClock), 1, CLOCK, 1 },
	{ "IFSD 0: 254", SET32(dwMaxIFSD), 0, IFSD, 254 },
	{ "IFSD 1", SET32(dwMaxIFSD), 1, IFSD, 1 },
	{ "IFSD 254", SET32(dwMaxIFSD), 254, IFSD, 254 },
	{ "IFSD 255: 254", SET32(dwMaxIFSD), 255, IFSD, 254 },
	{ "IFSD 256: 254", SET32(dwMaxIFSD), 256, IFSD, 254 },
	{ "IFSD 257: 254", SET32(dwMaxIFSD), 257, IFSD, 254 },
	{ "IFSD FFFFFFFF: 254", SET32(dwMaxIFSD), 0xFFFFFFFF, IFSD, 254 },
	{ "busy slots 0: 1", SET8(bMaxCCIDBusySlots), 0, BUSY, 1 },
	{ "more busy slots than slots", SET8(bMaxCCIDBusySlots), 2, BUSY, 1 },
	{ "busy slots FFh", SET8(bMaxCCIDBusySlots), 0xFF, BUSY, 1 },
	{ "256 slots", SET8(bMaxSlotIndex), 0xFF, SLOTS, 256 },
	{ "one slot", SET8(bMaxSlotIndex), 0, SLOTS, 1 },
	{ "no voltage: 5 V", SET8(bVoltageSupport), 0, VOLTAGES, 1 },
	{ "reserved voltage bits only: 5 V", SET8(bVoltageSupport), 0xF8, VOLTAGES, 1 },
	{ "1.8 V alone", SET8(bVoltageSupport), 4, VOLTAGES, 4 },
	{ "no protocol: T=0", SET32(dwProtocols), 0, T0, 1 },
	{ "no protocol: T=1", SET32(dwProtocols), 0, T1, 1 },
	{ "T=0 alone has T=0", SET32(dwProtocols), 1, T0, 1 },
	{ "T=0 alone has no T=1", SET32(dwProtocols), 1, T1, 0 },
	{ "T=1 alone has no T=0", SET32(dwProtocols), 2, T0, 0 },
	{ "T=1 alone has T=1", SET32(dwProtocols), 2, T1, 1 },
	{ "reserved protocol bits only: both", SET32(dwProtocols), 0xFFFF0000, T1, 1 },
	{ "40h alone", SET32(dwFeatures), 0x00010040, F40, 1 },
	{ "80h alone", SET32(dwFeatures), 0x00010080, F80, 1 },
	{ "40h and 80h: 40h stays", SET32(dwFeatures), 0x000100C0, F40, 1 },
	{ "40h and 80h: 80h goes", SET32(dwFeatures), 0x000100C0, F80, 0 },
	{ "no level bit: character", SET32(dwFeatures), 0x000000BA, LEVEL, CCID_CHARACTER },
	{ "TPDU", SET32(dwFeatures), 0x00010000, LEVEL, CCID_TPDU },
	{ "short APDU", SET32(dwFeatures), 0x00020000, LEVEL, CCID_SHORT_APDU },
	{ "extended APDU", SET32(dwFeatures), 0x00040000, LEVEL, CCID_EXTENDED_APDU },
	{ "wake-up is no level", SET32(dwFeatures), 0x00110000, LEVEL, CCID_TPDU },
	{ "no fastest rate", SET32(dwMaxDataRate), 0, RATE, 0 },
	{ "message of 65554", SET32(dwMaxCCIDMessageLength), 65554, MESSAGE, 65554 },
	{ "message of 65555: capped", SET32(dwMaxCCIDMessageLength), 65555, MESSAGE, 65554 },
	{ "message of FFFFFFFF: capped", SET32(dwMaxCCIDMessageLength), 0xFFFFFFFF, MESSAGE, 65554 },
	{ "message of 64", SET32(dwMaxCCIDMessageLength), 64, MESSAGE, 64 },
};

static long long looked_at(const struct ccid_caps *caps, enum look look)
{
	const long long values[] = {
		[SLOTS] = caps->slots,
		[BUSY] = caps->busy_slots,
		[VOLTAGES] = caps->voltages,
		[T0] = caps->t0,
		[T1] = caps->t1,
		[CLOCK] = caps->clock_khz,
		[RATE] = caps->max_rate,
		[MESSAGE] = caps->max_message,
		[IFSD] = caps->max_ifsd,
		[LEVEL] = (long long)caps->level,
		[F40] = (caps->features & 0x40) != 0,
		[F80] = (caps->features & 0x80) != 0,
	};

	return values[look];
}

static void each_repair(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(derive_cases); i++) {
		struct ccid_descriptor desc = plain();
		const uint8_t byte = (uint8_t)derive_cases[i].value;
		struct ccid_caps caps;

		if (derive_cases[i].size == 1)
			memcpy((char *)&desc + derive_cases[i].offset, &byte, 1);
		else
			memcpy((char *)&desc + derive_cases[i].offset, &derive_cases[i].value, 4);
		CHECK_INT(derive_cases[i].name, ccid_caps_derive(&desc, &caps), OC_OK);
		CHECK_INT(derive_cases[i].name, looked_at(&caps, derive_cases[i].look), derive_cases[i].want);
	}
	check_done();
}

/* No TPDU fits below 15 bytes; from there on the promise of struct ccid_caps holds: 64..65554. */
static void short_messages(void **state)
{
	(void)state;
	for (uint32_t length = 0; length < 70; length++) {
		struct ccid_descriptor desc = plain();
		struct ccid_caps caps;
		char name[32];

		desc.dwMaxCCIDMessageLength = length;
		memset(&caps, 0x5A, sizeof caps);
		snprintf(name, sizeof name, "message of %u", length);
		CHECK_INT(name, ccid_caps_derive(&desc, &caps), length < 15 ? OC_E_DESCRIPTOR : OC_OK);
		if (length >= 15)
			CHECK_INT(name, caps.max_message, length < 64 ? 64 : length);
	}
	check_done();
}

/* Whatever a device says, the promises beside the fields of struct ccid_caps hold. */
static void promises_hold_for_noise(void **state)
{
	uint32_t seed = 0x5EED;

	(void)state;
	for (unsigned run = 0; run < 20000; run++) {
		uint8_t bytes[CCID_DESCRIPTOR_LEN];
		struct ccid_descriptor desc;
		struct ccid_caps caps;

		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)(check_random(&seed) >> 5 & (run & 1 ? 0xFF : 0x81));
		bytes[0] = 54;
		bytes[1] = 0x21;
		assert_int_equal(ccid_descriptor_decode(bytes, sizeof bytes, &desc), OC_OK);
		if (ccid_caps_derive(&desc, &caps) != OC_OK)
			continue;
		CHECK("slots", caps.slots >= 1 && caps.slots <= 256);
		CHECK("busy", caps.busy_slots >= 1 && caps.busy_slots <= caps.slots);
		CHECK("voltages", caps.voltages != 0);
		CHECK("protocols", caps.t0 || caps.t1);
		CHECK("clock", caps.clock_khz != 0);
		CHECK("message", caps.max_message >= 64 && caps.max_message <= 65554);
		CHECK("ifsd", caps.max_ifsd >= 1 && caps.max_ifsd <= 254);
		CHECK("40h or 80h", (caps.features & 0xC0) != 0xC0);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_at_its_offset),
		cmocka_unit_test(truncated_at_each_length),
		cmocka_unit_test(length_byte_and_type),
		cmocka_unit_test(finding_it),
		cmocka_unit_test(finding_in_a_truncated_run),
		cmocka_unit_test(finding_in_noise),
		cmocka_unit_test(a_plain_descriptor_is_believed),
		cmocka_unit_test(each_repair),
		cmocka_unit_test(short_messages),
		cmocka_unit_test(promises_hold_for_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
