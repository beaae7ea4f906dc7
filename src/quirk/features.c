/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quirk/features.h"

#include "base/bytes.h"

enum {
	ANSWER_LEN = 21,
	CONDITIONS = 7,
	COUNTS_INDEXES = 4, /* byte 8, bit 2: the number of bMsgIndex follows bNumberMessage, as it should */
};

static void apply_conditions(uint8_t told, struct pin_rules *pin)
{
	const uint8_t known = pin->conditions ? pin->conditions : CONDITIONS;

	if (told & known)
		pin->conditions = told & known;
}

static void apply_limits(uint8_t min, uint8_t max, struct pin_rules *pin)
{
	if (max == 0 || min > max)
		return;
	if (!pin->max || max < pin->max)
		pin->max = max;
	if (min > pin->min && min <= pin->max)
		pin->min = min;
}

static void apply_display(uint8_t lines, uint8_t columns, struct ccid_caps *caps)
{
	if (!lines || !columns)
		return;
	caps->lcd_lines = lines;
	caps->lcd_columns = columns;
}

bool features_apply(const uint8_t *answer, size_t len, struct ccid_caps *caps)
{
	struct rd r = rd_of(answer, len);
	const uint8_t lines = rd_u8(&r), columns = rd_u8(&r);
	uint8_t conditions, bits, min, max;

	rd_bytes(&r, 1);
	conditions = rd_u8(&r);
	rd_bytes(&r, 4);
	bits = rd_u8(&r);
	rd_bytes(&r, 4);
	min = rd_u8(&r);
	max = rd_u8(&r);
	if (len != ANSWER_LEN)
		return false;
	apply_display(lines, columns, caps);
	apply_conditions(conditions, &caps->pin);
	apply_limits(min, max, &caps->pin);
	if (bits & COUNTS_INDEXES)
		caps->pin.three_indexes = false;
	return true;
}
