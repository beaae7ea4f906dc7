/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd/features.h"

#include <reader.h>
#include <stdio.h>

enum {
	CODE_BASE = 0x42330000, /* private numbers; the tag is added */
	CODE_LEN = 4,

	CAN_VERIFY = 1, /* bPINSupport */
	CAN_MODIFY = 2,
	ALL_CONDITIONS = 7,    /* bEntryValidationCondition */
	PPDU_BY_ESCAPE = 1,    /* bPPDUSupport */
	MAX_APDU = 0x00010000, /* dwMaxAPDUDataSize of readers that take extended APDUs */
};

static const struct ccid_caps *caps_of(const struct binding *b)
{
	return reader_caps(b->device->reader);
}

/* ---- which ------------------------------------------------------------------------------------------------------- */

static bool can_verify(struct binding *b)
{
	return caps_of(b)->pin_support & CAN_VERIFY;
}

static bool can_modify(struct binding *b)
{
	return caps_of(b)->pin_support & CAN_MODIFY;
}

static bool has_keypad(struct binding *b)
{
	return can_verify(b) || can_modify(b);
}

static bool has_display(struct binding *b)
{
	return caps_of(b)->lcd_lines && caps_of(b)->lcd_columns;
}

static bool takes_mct(struct binding *b)
{
	return caps_of(b)->mct;
}

static bool takes_escape(struct binding *b)
{
	return driver_escape_permitted(b, NULL, 0);
}

static bool always(struct binding *b)
{
	(void)b;
	return true;
}

/* PC/SC part 10, 2.2. START and FINISH, GET_KEY and WRITE_DISPLAY need commands that no listed reader documents. */
static const struct feature {
	uint8_t tag;
	bool (*present)(struct binding *b);
} features[] = {
	{ FEATURE_VERIFY_PIN_DIRECT, can_verify },       { FEATURE_MODIFY_PIN_DIRECT, can_modify },
	{ FEATURE_IFD_PIN_PROPERTIES, has_keypad },      { FEATURE_ABORT, has_keypad },
	{ FEATURE_IFD_DISPLAY_PROPERTIES, has_display }, { FEATURE_MCT_READER_DIRECT, takes_mct },
	{ FEATURE_GET_TLV_PROPERTIES, always },          { FEATURE_CCID_ESC_COMMAND, takes_escape },
};

unsigned long features_code(uint8_t tag)
{
	return (unsigned long)CODE_BASE + tag;
}

bool features_has(struct binding *b, uint8_t tag)
{
	for (size_t i = 0; i < sizeof features / sizeof features[0]; i++)
		if (features[i].tag == tag)
			return features[i].present(b);
	return false;
}

static void put_code(struct wr *w, uint8_t tag)
{
	const unsigned long code = features_code(tag);

	wr_u8(w, tag);
	wr_u8(w, CODE_LEN);
	for (unsigned shift = 32; shift; shift -= 8)
		wr_u8(w, (uint8_t)(code >> (shift - 8)));
}

void features_put_list(struct binding *b, struct wr *w)
{
	for (size_t i = 0; i < sizeof features / sizeof features[0]; i++)
		if (features[i].present(b))
			put_code(w, features[i].tag);
}

/* ---- properties -------------------------------------------------------------------------------------------------- */

static uint16_t lcd_layout(const struct ccid_caps *caps)
{
	return (uint16_t)(caps->lcd_lines << 8 | caps->lcd_columns);
}

static uint8_t conditions(const struct ccid_caps *caps)
{
	return caps->pin.conditions ? caps->pin.conditions : ALL_CONDITIONS;
}

/* PIN_PROPERTIES_STRUCTURE, 2.5.5, as pcsc-lite's reader.h has it: no reader tells the two time-outs apart, since CCID has one. */
void features_put_pin_properties(struct binding *b, struct wr *w)
{
	const struct ccid_caps *caps = caps_of(b);

	wr_host16(w, lcd_layout(caps));
	wr_u8(w, conditions(caps));
	wr_u8(w, 0);
}

/* DISPLAY_PROPERTIES_STRUCTURE, 2.5.9 */
void features_put_display_properties(struct binding *b, struct wr *w)
{
	wr_host16(w, caps_of(b)->lcd_columns);
	wr_host16(w, caps_of(b)->lcd_lines);
}

/* ---- TLV properties, 2.6.14: tag, length, number in little endian ------------------------------------------------- */

static void put_number(struct wr *w, uint8_t tag, uint8_t len, uint32_t value)
{
	wr_u8(w, tag);
	wr_u8(w, len);
	for (unsigned i = 0; i < len; i++)
		wr_u8(w, (uint8_t)(value >> 8 * i));
}

/* The name that the reader has for its firmware, where it tells one; else bcdDevice. */
static void firmware_id(const struct device *device, char text[FIRMWARE_MAX])
{
	const unsigned bcd = device->info.bcd_device;

	if (device->firmware[0])
		memcpy(text, device->firmware, FIRMWARE_MAX);
	else
		snprintf(text, FIRMWARE_MAX, "%x.%02x", bcd >> 8, bcd & 0xFF);
}

static void put_firmware_id(struct binding *b, struct wr *w)
{
	char text[FIRMWARE_MAX];

	firmware_id(b->device, text);
	wr_u8(w, PCSCv2_PART10_PROPERTY_sFirmwareID);
	wr_u8(w, (uint8_t)strlen(text));
	wr_bytes(w, text, strlen(text));
}

static void put_display(const struct ccid_caps *caps, struct wr *w)
{
	put_number(w, PCSCv2_PART10_PROPERTY_wLcdLayout, 2, lcd_layout(caps));
	if (!caps->lcd_lines || !caps->lcd_columns)
		return;
	put_number(w, PCSCv2_PART10_PROPERTY_wLcdMaxCharacters, 2, caps->lcd_columns);
	put_number(w, PCSCv2_PART10_PROPERTY_wLcdMaxLines, 2, caps->lcd_lines);
}

static void put_keypad(const struct ccid_caps *caps, struct wr *w)
{
	put_number(w, PCSCv2_PART10_PROPERTY_bEntryValidationCondition, 1, conditions(caps));
	put_number(w, PCSCv2_PART10_PROPERTY_bTimeOut2, 1, 0);
	if (!caps->pin.max)
		return;
	put_number(w, PCSCv2_PART10_PROPERTY_bMinPINSize, 1, caps->pin.min);
	put_number(w, PCSCv2_PART10_PROPERTY_bMaxPINSize, 1, caps->pin.max);
}

void features_put_tlv_properties(struct binding *b, struct wr *w)
{
	const struct ccid_caps *caps = caps_of(b);

	put_display(caps, w);
	if (has_keypad(b))
		put_keypad(caps, w);
	put_firmware_id(b, w);
	put_number(w, PCSCv2_PART10_PROPERTY_bPPDUSupport, 1, takes_escape(b) ? PPDU_BY_ESCAPE : 0);
	put_number(w, PCSCv2_PART10_PROPERTY_dwMaxAPDUDataSize, 4,
		   caps->level == CCID_SHORT_APDU ? 0 : MAX_APDU);
	put_number(w, PCSCv2_PART10_PROPERTY_wIdVendor, 2, b->device->info.vid);
	put_number(w, PCSCv2_PART10_PROPERTY_wIdProduct, 2, b->device->info.pid);
}
