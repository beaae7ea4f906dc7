/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be wrong with a class descriptor, one row each, in the order of its fields. */
#include "tool/describe.h"

enum {
	HEADER = 10,
	TPDU_MAX = 260,       /* header of five bytes and 255 of data; a T=1 block has 259 at most */
	APDU_MAX = 261,       /* a short one with data and Le */
	LARGEST = 65544 + 10, /* an extended one */
	LEVELS = 0x70000,
	FEATURES = 0x00170FFE,
};

#define D(view) (&(view)->learned.descriptor)

static bool is_token(const struct view *v)
{
	return learn_is_iccd(&v->info);
}

static bool no_descriptor(const struct view *v)
{
	return v->err != OC_OK && D(v)->bDescriptorType == 0;
}

static bool no_pipes(const struct view *v)
{
	return !v->info.bulk && !is_token(v);
}

static bool other_subclass(const struct view *v)
{
	return v->info.subclass != 0 && v->info.class == 0x0B;
}

static bool vendor_class(const struct view *v)
{
	return v->info.class == 0xFF;
}

static bool vendor_type(const struct view *v)
{
	return D(v)->bDescriptorType == 0xFF;
}

static bool version(const struct view *v)
{
	return D(v)->bcdCCID != 0x0100 && D(v)->bcdCCID != 0x0110;
}

static bool no_voltage(const struct view *v)
{
	return !(D(v)->bVoltageSupport & 7) && !is_token(v);
}

static bool odd_voltage(const struct view *v)
{
	return D(v)->bVoltageSupport & ~7u;
}

static bool no_protocol(const struct view *v)
{
	return !(D(v)->dwProtocols & 3);
}

static bool odd_protocol(const struct view *v)
{
	return D(v)->dwProtocols & ~3u;
}

static bool no_clock(const struct view *v)
{
	return D(v)->dwDefaultClock == 0;
}

static bool clocks_swapped(const struct view *v)
{
	return D(v)->dwMaximumClock < D(v)->dwDefaultClock;
}

/* 372/1 at the default clock, within five per cent */
static bool odd_rate(const struct view *v)
{
	const uint64_t right = (uint64_t)D(v)->dwDefaultClock * 1000 / 372;
	const uint64_t is = D(v)->dwDataRate;

	return right && !is_token(v) && (is * 100 < right * 95 || is * 100 > right * 105);
}

static bool rates_swapped(const struct view *v)
{
	return D(v)->dwMaxDataRate < D(v)->dwDataRate;
}

static bool no_ifsd(const struct view *v)
{
	return D(v)->dwMaxIFSD == 0 && (D(v)->dwProtocols & 2);
}

static bool large_ifsd(const struct view *v)
{
	return D(v)->dwMaxIFSD > 254;
}

static bool two_ways_to_negotiate(const struct view *v)
{
	return (D(v)->dwFeatures & CCID_AUTO_PARAM_NEGOTIATION) && (D(v)->dwFeatures & CCID_AUTO_PPS);
}

static bool two_levels(const struct view *v)
{
	const uint32_t levels = D(v)->dwFeatures & LEVELS;

	return levels & (levels - 1);
}

static bool odd_features(const struct view *v)
{
	return D(v)->dwFeatures & ~(uint32_t)FEATURES;
}

static bool token_without_mark(const struct view *v)
{
	return is_token(v) && (D(v)->dwFeatures & 0xFFFF) != 0x0840;
}

static bool message_useless(const struct view *v)
{
	return D(v)->dwMaxCCIDMessageLength < 15;
}

static bool message_below_packet(const struct view *v)
{
	return !message_useless(v) && D(v)->dwMaxCCIDMessageLength < 64 && !is_token(v);
}

static bool message_below_tpdu(const struct view *v)
{
	const uint32_t message = D(v)->dwMaxCCIDMessageLength;

	return message >= 64 && message < TPDU_MAX + HEADER &&
	       (D(v)->dwFeatures & LEVELS) == CCID_LEVEL_TPDU && !is_token(v);
}

static bool message_below_apdu(const struct view *v)
{
	const uint32_t message = D(v)->dwMaxCCIDMessageLength;

	return message >= 64 && message < APDU_MAX + HEADER &&
	       (D(v)->dwFeatures & (CCID_LEVEL_SHORT_APDU | CCID_LEVEL_EXTENDED_APDU)) && !is_token(v);
}

static bool message_huge(const struct view *v)
{
	return D(v)->dwMaxCCIDMessageLength > LARGEST;
}

static bool odd_pin(const struct view *v)
{
	return D(v)->bPINSupport & ~3u;
}

static bool no_busy_slots(const struct view *v)
{
	return D(v)->bMaxCCIDBusySlots == 0;
}

static bool many_busy_slots(const struct view *v)
{
	return D(v)->bMaxCCIDBusySlots > D(v)->bMaxSlotIndex + 1;
}

#define USELESS "the driver cannot use this reader"
#define IGNORES "the driver does not look at it"

static const struct check checks[] = {
	{ "5.1", no_descriptor, "there is no class descriptor of 54 bytes and type 21h", USELESS, true },
	{ "5.2", no_pipes, "there are no two bulk endpoints, and it is no token either", USELESS, true },
	{ "4.3", vendor_class, "the interface is of vendor class FFh, not 0Bh",
	  "the driver takes it where the reader is in its list", false },
	{ "4.3", other_subclass, "bInterfaceSubClass is not 00h", IGNORES, false },
	{ NULL, vendor_type, "bDescriptorType is FFh, not 21h", "the driver takes it", false },
	{ NULL, version, "bcdCCID is neither 1.00 nor 1.10", IGNORES, false },
	{ NULL, no_voltage, "bVoltageSupport has no voltage", "the driver takes it for 5 V", false },
	{ NULL, odd_voltage, "bVoltageSupport has reserved bits", "the driver leaves them out", false },
	{ NULL, no_protocol, "dwProtocols has neither T=0 nor T=1", "the driver takes it for both", false },
	{ NULL, odd_protocol, "dwProtocols has reserved bits", "the driver leaves them out", false },
	{ NULL, no_clock, "dwDefaultClock is 0", "the driver counts with 4 MHz", false },
	{ NULL, clocks_swapped, "dwMaximumClock is below dwDefaultClock", IGNORES, false },
	{ NULL, odd_rate, "dwDataRate is not dwDefaultClock divided by 372", "the driver goes by the clock",
	  false },
	{ NULL, rates_swapped, "dwMaxDataRate is below dwDataRate",
	  "the driver goes no faster than the card's default", false },
	{ NULL, no_ifsd, "dwMaxIFSD is 0", "the driver takes blocks of 254 bytes", false },
	{ NULL, large_ifsd, "dwMaxIFSD is above 254, which no block of T=1 can be",
	  "the driver takes blocks of 254 bytes", false },
	{ NULL, two_ways_to_negotiate, "dwFeatures has both 40h and 80h, which exclude each other",
	  "the driver goes by 40h: the reader negotiates", false },
	{ NULL, two_levels, "dwFeatures has more than one exchange level", "the driver takes the highest",
	  false },
	{ NULL, odd_features, "dwFeatures has reserved bits", "the driver leaves them out", false },
	{ "ICCD 1.0", token_without_mark, "dwFeatures of a token is not 0840h in its lower half", IGNORES,
	  false },
	{ NULL, message_useless, "dwMaxCCIDMessageLength is below 15: no command for a card fits", USELESS,
	  true },
	{ NULL, message_below_packet, "dwMaxCCIDMessageLength is below a packet of 64 bytes",
	  "the driver takes it for 64", false },
	{ NULL, message_below_tpdu,
	  "dwMaxCCIDMessageLength is below 270: a TPDU with 255 bytes of data does not fit",
	  "longer commands are refused; some readers take them all the same, see max-message in "
	  "readers/README.md",
	  false },
	{ NULL, message_below_apdu,
	  "dwMaxCCIDMessageLength is below 271: a short APDU with 255 bytes of data does not fit",
	  "longer commands are refused, or sent in parts at the extended APDU level", false },
	{ NULL, message_huge, "dwMaxCCIDMessageLength is above 65554, the longest APDU",
	  "the driver takes it for 65554", false },
	{ NULL, odd_pin, "bPINSupport has reserved bits", "the driver leaves them out", false },
	{ NULL, no_busy_slots, "bMaxCCIDBusySlots is 0", "the driver takes it for 1", false },
	{ NULL, many_busy_slots, "bMaxCCIDBusySlots is more than there are slots",
	  "the driver takes it for that many", false },
};

const struct check *describe_wrong(const struct view *view, const struct check *after)
{
	const struct check *const end = checks + sizeof checks / sizeof checks[0];

	/* Without a descriptor nothing else can be said of it. */
	if (after && no_descriptor(view) && after != checks)
		return NULL;
	for (const struct check *check = after ? after + 1 : checks; check < end; check++) {
		if (no_descriptor(view) && check > checks + 1)
			return NULL;
		if (check->holds(view))
			return check;
	}
	return NULL;
}
