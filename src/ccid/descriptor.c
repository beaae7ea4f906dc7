/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ccid/descriptor.h"

#include "base/bytes.h"

enum {
	TYPE_CCID = 0x21,        /* CCID rev 1.1, 5.1 */
	TYPE_VENDOR = 0xFF,      /* the same descriptor under vendor-class interfaces */
	SMALLEST_MESSAGE = 15,   /* header and a five-byte TPDU */
	BULK_PACKET = 64,        /* the smallest packet that a reader must take */
	LARGEST_MESSAGE = 65554, /* header and the longest extended APDU with its Lc and Le */
	ASSUMED_CLOCK_KHZ = 4000,
	LARGEST_IFSD = 254,
};

enum oc_err ccid_descriptor_decode(const uint8_t *bytes, size_t len, struct ccid_descriptor *out)
{
	struct rd r = rd_of(bytes, len);
	const uint8_t length = rd_u8(&r);
	struct ccid_descriptor d = { 0 };

	d.bDescriptorType = rd_u8(&r);
	d.bcdCCID = rd_le16(&r);
	d.bMaxSlotIndex = rd_u8(&r);
	d.bVoltageSupport = rd_u8(&r);
	d.dwProtocols = rd_le32(&r);
	d.dwDefaultClock = rd_le32(&r);
	d.dwMaximumClock = rd_le32(&r);
	d.bNumClockSupported = rd_u8(&r);
	d.dwDataRate = rd_le32(&r);
	d.dwMaxDataRate = rd_le32(&r);
	d.bNumDataRatesSupported = rd_u8(&r);
	d.dwMaxIFSD = rd_le32(&r);
	d.dwSynchProtocols = rd_le32(&r);
	d.dwMechanical = rd_le32(&r);
	d.dwFeatures = rd_le32(&r);
	d.dwMaxCCIDMessageLength = rd_le32(&r);
	d.bClassGetResponse = rd_u8(&r);
	d.bClassEnvelope = rd_u8(&r);
	d.lcd_columns = rd_u8(&r); /* wLcdLayout: XXYY, lines above columns */
	d.lcd_lines = rd_u8(&r);
	d.bPINSupport = rd_u8(&r);
	d.bMaxCCIDBusySlots = rd_u8(&r);
	if (r.overrun || length < CCID_DESCRIPTOR_LEN)
		return OC_E_DESCRIPTOR;
	if (d.bDescriptorType != TYPE_CCID && d.bDescriptorType != TYPE_VENDOR)
		return OC_E_DESCRIPTOR;
	*out = d;
	return OC_OK;
}

const uint8_t *ccid_descriptor_find(const uint8_t *bytes, size_t len, size_t *found_len)
{
	/* Each descriptor is at least two bytes long, so the walk ends. */
	while (len >= 2) {
		const size_t own = bytes[0];

		if ((bytes[1] == TYPE_CCID || bytes[1] == TYPE_VENDOR) && own >= CCID_DESCRIPTOR_LEN &&
		    len >= CCID_DESCRIPTOR_LEN) {
			*found_len = len;
			return bytes;
		}
		if (own < 2 || own > len)
			return NULL;
		bytes += own;
		len -= own;
	}
	return NULL;
}

/* Exactly one bit should be set; with several, the highest level is the one that needs least of the host. */
static enum ccid_level level_of(uint32_t features)
{
	if (features & CCID_LEVEL_EXTENDED_APDU)
		return CCID_EXTENDED_APDU;
	if (features & CCID_LEVEL_SHORT_APDU)
		return CCID_SHORT_APDU;
	if (features & CCID_LEVEL_TPDU)
		return CCID_TPDU;
	return CCID_CHARACTER;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

enum oc_err ccid_caps_derive(const struct ccid_descriptor *desc, struct ccid_caps *out)
{
	struct ccid_caps c = { 0 };

	if (desc->dwMaxCCIDMessageLength < SMALLEST_MESSAGE)
		return OC_E_DESCRIPTOR;
	c.level = level_of(desc->dwFeatures);
	c.features = desc->dwFeatures;
	if (c.features & CCID_AUTO_PARAM_NEGOTIATION)
		c.features &= ~(uint32_t)CCID_AUTO_PPS;
	c.slots = desc->bMaxSlotIndex + 1u;
	c.busy_slots = desc->bMaxCCIDBusySlots ? min_u32(desc->bMaxCCIDBusySlots, c.slots) : 1;
	c.voltages = desc->bVoltageSupport & 7 ? desc->bVoltageSupport & 7 : 1;
	c.t0 = desc->dwProtocols & 1;
	c.t1 = desc->dwProtocols & 2;
	if (!c.t0 && !c.t1)
		c.t0 = c.t1 = true;
	c.clock_khz = desc->dwDefaultClock ? desc->dwDefaultClock : ASSUMED_CLOCK_KHZ;
	c.max_rate = desc->dwMaxDataRate;
	c.num_rates = desc->bNumDataRatesSupported;
	c.max_message = min_u32(desc->dwMaxCCIDMessageLength, LARGEST_MESSAGE);
	if (c.max_message < BULK_PACKET)
		c.max_message = BULK_PACKET;
	c.max_ifsd = desc->dwMaxIFSD ? (uint8_t)min_u32(desc->dwMaxIFSD, LARGEST_IFSD) : LARGEST_IFSD;
	c.class_get_response = desc->bClassGetResponse;
	c.class_envelope = desc->bClassEnvelope;
	c.pin_support = desc->bPINSupport & 3;
	c.lcd_lines = desc->lcd_lines;
	c.lcd_columns = desc->lcd_columns;
	*out = c;
	return OC_OK;
}
