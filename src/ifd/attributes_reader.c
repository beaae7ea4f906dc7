/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The attributes that are numbers and hold as long as the reader is plugged in: what it says of itself, and what is known of it. */
#include "ifd/attributes.h"

#include "tpdu/apdu.h"

#include <ifdhandler.h>
#include <reader.h>

enum {
	CHANNEL_USB = 0x0020,
	PIN_PAD = 2,   /* SCARD_ATTR_USER_TO_CARD_AUTH_DEVICE */
	PROTOCOLS = 3, /* bits of dwProtocols: T=0 and T=1 */
	MECHANISMS =
		7, /* bits of dwMechanical that mean the same here: takes the card in, ejects it, keeps it */
	SYNCHRONOUS = 0x4000, /* upper word of dwSynchProtocols where it says anything */
	LARGEST_IFSD = 254,
	SLOT_MASK = 0xFFFF,
};

static const struct ccid_caps *caps_of(const struct binding *b)
{
	return reader_caps(b->device->reader);
}

static const struct ccid_descriptor *said_by(const struct binding *b)
{
	return &b->device->descriptor;
}

/* ---- what it is -------------------------------------------------------------------------------------------------- */

/* MMmmbbbb: major, minor, build; there is no build. */
static bool version(const struct binding *b, uint32_t *number)
{
	*number = (uint32_t)b->device->info.bcd_device << 16;
	return true;
}

static bool channel(const struct binding *b, uint32_t *number)
{
	const struct usb_info *info = &b->device->info;

	*number = (uint32_t)CHANNEL_USB << 16 | (info->bus & 0xFF) << 8 | (info->address & 0xFF);
	return true;
}

static bool unit(const struct binding *b, uint32_t *number)
{
	*number = b->device->unit;
	return true;
}

/* Every CCID reader and token knows IccPowerOff. */
static bool power_management(const struct binding *b, uint32_t *number)
{
	(void)b;
	*number = 1;
	return true;
}

static bool auth_device(const struct binding *b, uint32_t *number)
{
	*number = caps_of(b)->pin_support ? PIN_PAD : 0;
	return true;
}

/* Bit 3 means "locks the card" there and "contactless" here. */
static bool mechanics(const struct binding *b, uint32_t *number)
{
	*number = said_by(b)->dwMechanical & MECHANISMS;
	return true;
}

/* ---- what it can do ---------------------------------------------------------------------------------------------- */

/* One that names no protocol is taken to know both, which is a guess. */
static bool protocols(const struct binding *b, uint32_t *number)
{
	const struct ccid_caps *caps = caps_of(b);

	*number = (caps->t0 ? SCARD_PROTOCOL_T0 : 0u) | (caps->t1 ? SCARD_PROTOCOL_T1 : 0u);
	return *number != PROTOCOLS || (said_by(b)->dwProtocols & PROTOCOLS) == PROTOCOLS;
}

static bool synchronous_protocols(const struct binding *b, uint32_t *number)
{
	*number = said_by(b)->dwSynchProtocols;
	return !*number || *number >> 16 == SYNCHRONOUS;
}

static bool default_clock(const struct binding *b, uint32_t *number)
{
	*number = said_by(b)->dwDefaultClock;
	return *number != 0;
}

static bool max_clock(const struct binding *b, uint32_t *number)
{
	*number = said_by(b)->dwMaximumClock;
	return *number != 0;
}

static bool default_rate(const struct binding *b, uint32_t *number)
{
	*number = said_by(b)->dwDataRate;
	return *number != 0;
}

static bool max_rate(const struct binding *b, uint32_t *number)
{
	const struct ccid_caps *caps = caps_of(b);
	const bool other = (b->lun & SLOT_MASK) && caps->other_slots_rate;

	*number = other ? caps->other_slots_rate : caps->max_rate;
	return *number != 0;
}

static bool max_ifsd(const struct binding *b, uint32_t *number)
{
	const struct ccid_caps *caps = caps_of(b);

	*number = caps->max_ifsd;
	return caps->t1 && (said_by(b)->dwMaxIFSD || *number != LARGEST_IFSD);
}

/* Who announces IFSD to a T=1 card: the driver (0), nobody (1), or the reader, which is not known. */
static bool no_ifs_request(const struct binding *b, uint32_t *number)
{
	const struct ccid_caps *caps = caps_of(b);
	const bool blocks = caps->level == CCID_CHARACTER || caps->level == CCID_TPDU;

	*number = caps->no_ifsd;
	return blocks && caps->t1 && (caps->no_ifsd || !(caps->features & CCID_AUTO_IFSD));
}

/* The longest APDU that gets through to this card by this reader, in the protocol in use. */
static bool max_input(const struct binding *b, uint32_t *number)
{
	const struct ccid_caps *caps = caps_of(b);
	const uint32_t room = caps->max_message - CCID_HEADER_LEN;
	const bool apdus = caps->level == CCID_SHORT_APDU;
	struct slot_state state;

	slot_get_state(b->slot, &state);
	if (caps->level == CCID_EXTENDED_APDU ||
	    (!apdus && state.protocol_set && state.protocol == CCID_PROTOCOL_T1))
		*number = APDU_MAX;
	else /* At TPDU level the Le of a short case 4 does not travel. */
		*number = room + !apdus < APDU_SHORT_MAX ? room : APDU_SHORT_MAX;
	return true;
}

static const struct row {
	unsigned long tag;
	bool (*get)(const struct binding *b, uint32_t *number); /* false: not known */
} rows[] = {
	{ SCARD_ATTR_VENDOR_IFD_VERSION, version },
	{ SCARD_ATTR_CHANNEL_ID, channel },
	{ SCARD_ATTR_ASYNC_PROTOCOL_TYPES, protocols },
	{ SCARD_ATTR_DEFAULT_CLK, default_clock },
	{ SCARD_ATTR_MAX_CLK, max_clock },
	{ SCARD_ATTR_DEFAULT_DATA_RATE, default_rate },
	{ SCARD_ATTR_MAX_DATA_RATE, max_rate },
	{ SCARD_ATTR_MAX_IFSD, max_ifsd },
	{ SCARD_ATTR_SYNC_PROTOCOL_TYPES, synchronous_protocols },
	{ SCARD_ATTR_POWER_MGMT_SUPPORT, power_management },
	{ SCARD_ATTR_USER_TO_CARD_AUTH_DEVICE, auth_device },
	{ SCARD_ATTR_CHARACTERISTICS, mechanics },
	{ SCARD_ATTR_MAXINPUT, max_input },
	{ SCARD_ATTR_DEVICE_UNIT, unit },
	{ SCARD_ATTR_SUPRESS_T1_IFS_REQUEST, no_ifs_request },
};

enum oc_err attribute_of_reader(struct binding *b, unsigned long tag, uint32_t *number)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].tag == tag)
			return rows[i].get(b, number) ? OC_OK : OC_E_UNSUPPORTED;
	return OC_E_UNSUPPORTED;
}
