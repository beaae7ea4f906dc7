/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ccid/pin.h"

#include "base/bytes.h"
#include "ccid/message.h"
#include "ccid/status.h"

enum {
	HEADER = 4,        /* CLA INS P1 P2 */
	VERIFY_FIXED = 14, /* payload of PC_to_RDR_Secure with neither bMsgIndex nor abPINApdu */
	MODIFY_FIXED = 17,
	UNIT_BYTES = 0x80,    /* bmFormatString: the position counts bytes, not bits */
	FORMAT_POSITION = 15, /* bits 6 to 3 */
	FORMAT_TYPE = 3,
	TYPE_BCD = 1,
	TYPE_NONE = 3,
	LENGTH_RFU = 0xE0, /* bmPINLengthFormat */
	LENGTH_UNIT_BYTES = 0x10,
	CONDITIONS = 7, /* bEntryValidationCondition: maximum reached, key pressed, time-out */
	KEY_PRESSED = 2,
	CONFIRM_NEW = 1,
	CONFIRM_OLD = 2,
	CONFIRM_ALL = 3,
	ANY_MESSAGE = 0xFF,

	SW_MISMATCH = 0x6402,
	SW_CANCELLED = 0x6401,
	SW_TIMEOUT = 0x6400,
	SW_REFUSED = 0x6B80,
};

/* ---- the structure ----------------------------------------------------------------------------------------------- */

/* A number whose byte order is not known yet. */
struct number {
	uint8_t byte[4];
	unsigned len;
};

static struct number rd_number(struct rd *r, unsigned len)
{
	struct number n = { .len = len };

	for (unsigned i = 0; i < len; i++)
		n.byte[i] = rd_u8(r);
	return n;
}

static uint32_t value_of(const struct number *n, bool big_endian)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < n->len; i++)
		value = value << 8 | n->byte[big_endian ? i : n->len - 1 - i];
	return value;
}

struct numbers {
	struct number digits, language, length; /* wPINMaxExtraDigit, wLangId, ulDataLength */
};

/* Both structures field by field; bTimerOut2 has no place in CCID, and bTeoPrologue is the driver's to fill. */
static struct numbers read_fields(struct rd *r, struct pin_request *q)
{
	const bool modify = q->operation == PIN_MODIFY;
	struct numbers n;

	q->timeout_s = rd_u8(r);
	rd_u8(r);
	q->format = rd_u8(r);
	q->block = rd_u8(r);
	q->length_format = rd_u8(r);
	if (modify) {
		q->offset_old = rd_u8(r);
		q->offset_new = rd_u8(r);
	}
	n.digits = rd_number(r, 2);
	if (modify)
		q->confirm = rd_u8(r);
	q->condition = rd_u8(r);
	q->messages = rd_u8(r);
	n.language = rd_number(r, 2);
	for (unsigned i = 0; i < (modify ? 3u : 1u); i++)
		q->index[i] = rd_u8(r);
	rd_bytes(r, 3);
	n.length = rd_number(r, 4);
	return n;
}

static enum oc_err read_structure(const uint8_t *bytes, size_t len, struct pin_request *q, const char **why)
{
	struct rd r = rd_of(bytes, len);
	const struct numbers n = read_fields(&r, q);
	const bool little = value_of(&n.length, false) == r.left;
	const bool big = !little && value_of(&n.length, true) == r.left;
	const uint8_t *template;

	*why = "it is shorter than its fields, or ulDataLength does not fit";
	if (r.overrun || (!little && !big))
		return OC_E_LENGTH;
	*why = "abData is no command: it has less than 4 bytes, or more than a short APDU";
	if (r.left < HEADER || r.left > PIN_TEMPLATE_MAX)
		return OC_E_LENGTH;
	q->max = (uint8_t)value_of(&n.digits, big);
	q->min = (uint8_t)(value_of(&n.digits, big) >> 8);
	q->language = (uint16_t)value_of(&n.language, big);
	q->template_len = r.left;
	template = rd_bytes(&r, r.left);
	memcpy(q->template, template, q->template_len);
	return OC_OK;
}

/* ---- does it make sense? ----------------------------------------------------------------------------------------- */

static uint8_t lc_of(const struct pin_request *q)
{
	return q->template_len > HEADER ? q->template[HEADER] : 0;
}

/* CLA INS P1 P2, alone or with an Lc of 00: the reader builds the rest. */
static bool is_open(const struct pin_request *q)
{
	return q->template_len == HEADER || (q->template_len == HEADER + 1 && lc_of(q) == 0);
}

/* Commands that take a PIN. Anything else could be made to store it where it can be read. */
static bool wrong_command(const struct pin_request *q)
{
	static const uint8_t takes_pin[] = { 0x20, 0x24, 0x26, 0x28, 0x2C };

	return !memchr(takes_pin, q->template[1], sizeof takes_pin);
}

static bool wrong_template(const struct pin_request *q)
{
	const size_t whole = HEADER + 1u + lc_of(q);

	return !q->open && (lc_of(q) == 0 || (q->template_len != whole && q->template_len != whole + 1));
}

static bool wrong_digits(const struct pin_request *q)
{
	return q->max == 0 || q->min > q->max;
}

static bool wrong_format(const struct pin_request *q)
{
	return (q->format & FORMAT_TYPE) == TYPE_NONE || (q->length_format & LENGTH_RFU);
}

static bool wrong_messages(const struct pin_request *q)
{
	const uint8_t most = q->operation == PIN_MODIFY ? 3 : 1;

	return q->messages > most && q->messages != ANY_MESSAGE;
}

static bool wrong_confirmation(const struct pin_request *q)
{
	return q->confirm > CONFIRM_ALL;
}

static unsigned block_size(const struct pin_request *q)
{
	return q->block & 0x0F;
}

/* First byte behind something that starts at a position in bits or bytes. */
static unsigned end_of(unsigned position, bool bytes, unsigned bits)
{
	return ((bytes ? position * 8 : position) + bits + 7) / 8;
}

/*
 * The block may begin at the PIN, or include what stands before it, such as the length: applications do both. So the PIN has to
 * begin inside of the data, and a block of that size has to fit.
 */
static unsigned pin_end(const struct pin_request *q)
{
	const unsigned first = end_of(q->format >> 3 & FORMAT_POSITION, q->format & UNIT_BYTES, 8);

	return first > block_size(q) ? first : block_size(q);
}

static bool outside_data(const struct pin_request *q)
{
	const unsigned length_end =
		end_of(q->length_format & 0x0F, q->length_format & LENGTH_UNIT_BYTES, q->block >> 4);
	const unsigned lc = lc_of(q);

	if (q->open)
		return false;
	if (q->block >> 4 && length_end > lc)
		return true;
	if (q->operation == PIN_VERIFY)
		return pin_end(q) > lc;
	return q->offset_new + pin_end(q) > lc ||
	       ((q->confirm & CONFIRM_OLD) && q->offset_old + pin_end(q) > lc);
}

static bool overlapping(const struct pin_request *q)
{
	const int apart = q->offset_new - q->offset_old;

	return q->operation == PIN_MODIFY && !q->open && (q->confirm & CONFIRM_OLD) &&
	       (unsigned)(apart < 0 ? -apart : apart) < block_size(q);
}

/* PC/SC part 10, 2.5, and CCID rev 1.1, 6.1.11 */
static const struct check {
	bool (*fails)(const struct pin_request *q);
	const char *why;
} checks[] = {
	{ wrong_command, "the command is none that takes a PIN (INS 20, 24, 26, 28, 2C)" },
	{ wrong_template, "the command is neither a bare header nor a short APDU with data" },
	{ wrong_digits, "wPINMaxExtraDigit: the maximum is 0, or below the minimum" },
	{ wrong_format, "bmFormatString names no format, or bmPINLengthFormat has reserved bits" },
	{ wrong_messages, "bNumberMessage is out of range" },
	{ wrong_confirmation, "bConfirmPIN is out of range" },
	{ outside_data, "the PIN block or its length would stand outside of the command's data" },
	{ overlapping, "the blocks of the old and of the new PIN overlap" },
};

/* ---- as this reader wants it ------------------------------------------------------------------------------------- */

static void fit_condition(struct pin_request *q, const struct pin_rules *rules)
{
	const uint8_t known = rules->conditions ? rules->conditions : CONDITIONS;

	if (q->condition == 0 || q->condition > CONDITIONS)
		q->condition = KEY_PRESSED;
	q->condition &= known;
	if (!q->condition)
		q->condition = known & KEY_PRESSED ? KEY_PRESSED : known;
}

/* How many digits fit the PIN block; 0: as many as there are. */
static unsigned block_digits(const struct pin_request *q)
{
	return (q->format & FORMAT_TYPE) == TYPE_BCD ? 2 * block_size(q) : block_size(q);
}

static enum oc_err fit_digits(struct pin_request *q, const struct pin_rules *rules, const char **why)
{
	const unsigned room = block_digits(q);

	if (rules->max && q->max > rules->max)
		q->max = rules->max;
	if (room && q->max > room)
		q->max = (uint8_t)room;
	if (q->min < rules->min)
		q->min = rules->min;
	*why = "no number of digits suits the request, its PIN block and the reader";
	return q->min > q->max ? OC_E_APDU : OC_OK;
}

static void fit_messages(struct pin_request *q, const struct pin_rules *rules)
{
	static const uint8_t indexes_by_messages[] = { 1, 2, 2 };

	if (q->operation == PIN_VERIFY) {
		if (rules->verify_messages_1)
			q->messages = (uint8_t)(rules->verify_messages_1 - 1);
		q->indexes = 1;
		return;
	}
	if (q->messages == 0 && rules->modify_no_messages_1)
		q->messages = (uint8_t)(rules->modify_no_messages_1 - 1);
	if (rules->modify_messages_1)
		q->messages = (uint8_t)(rules->modify_messages_1 - 1);
	q->indexes = 3;
	if (!rules->three_indexes && q->messages < sizeof indexes_by_messages)
		q->indexes = indexes_by_messages[q->messages];
	if (rules->zero_indexes)
		memset(q->index, 0, sizeof q->index);
}

static void fit_template(struct pin_request *q, const struct pin_rules *rules)
{
	if ((q->format & FORMAT_TYPE) == TYPE_BCD && rules->plain_bcd)
		q->format = TYPE_BCD;
	if (!q->open)
		return;
	if (rules->plain_block)
		q->block = q->length_format = 0;
	if (rules->lc == PIN_LC_STRIP)
		q->template_len = HEADER;
	if (rules->lc == PIN_LC_APPEND) {
		q->template[HEADER] = 0;
		q->template_len = HEADER + 1;
	}
	q->escape = rules->escape.len && q->block == 0 && q->template_len == HEADER;
}

/* dwMaxCCIDMessageLength, and what has been added to the request for this reader */
static enum oc_err fit_message(const struct pin_request *q, uint32_t max_message, const char **why)
{
	const size_t fixed = q->operation == PIN_MODIFY ? MODIFY_FIXED : VERIFY_FIXED;

	*why = "the command is longer than a message to this reader may be";
	return CCID_HEADER_LEN + fixed + q->indexes + q->template_len > max_message ? OC_E_APDU : OC_OK;
}

static enum oc_err fit(struct pin_request *q, const struct ccid_caps *caps, const char **why)
{
	const struct pin_rules *rules = &caps->pin;
	enum oc_err err;

	if (q->open && rules->fixed_length) {
		*why = "this reader cannot build the command: it needs the whole PIN block";
		return OC_E_APDU;
	}
	if (q->timeout_s == 0)
		q->timeout_s = rules->timeout_s;
	q->swap_limits = rules->swap_limits && q->operation == PIN_VERIFY;
	fit_condition(q, rules);
	fit_messages(q, rules);
	fit_template(q, rules);
	err = fit_digits(q, rules, why);
	return err == OC_OK ? fit_message(q, caps->max_message, why) : err;
}

enum oc_err pin_request_parse(enum pin_operation operation, const uint8_t *bytes, size_t len,
			      const struct ccid_caps *caps, struct pin_request *out, const char **why)
{
	struct pin_request q = { .operation = operation };
	enum oc_err err = read_structure(bytes, len, &q, why);

	q.open = err == OC_OK && is_open(&q);
	for (size_t i = 0; err == OC_OK && i < sizeof checks / sizeof checks[0]; i++) {
		*why = checks[i].why;
		if (checks[i].fails(&q))
			err = OC_E_APDU;
	}
	if (err == OC_OK)
		err = fit(&q, caps, why);
	if (err == OC_OK)
		*out = q;
	bytes_wipe(&q, sizeof q);
	return err;
}

/* ---- on the wire ------------------------------------------------------------------------------------------------- */

size_t pin_request_put(const struct pin_request *q, const uint8_t prologue[3], uint8_t *out, size_t cap)
{
	const bool modify = q->operation == PIN_MODIFY;
	struct wr w = wr_of(out, cap);

	wr_u8(&w, (uint8_t)q->operation);
	wr_u8(&w, q->timeout_s);
	wr_u8(&w, q->format);
	wr_u8(&w, q->block);
	wr_u8(&w, q->length_format);
	if (modify) {
		wr_u8(&w, q->offset_old);
		wr_u8(&w, q->offset_new);
	}
	wr_u8(&w, q->swap_limits ? q->min : q->max);
	wr_u8(&w, q->swap_limits ? q->max : q->min);
	if (modify)
		wr_u8(&w, q->confirm);
	wr_u8(&w, q->condition);
	wr_u8(&w, q->messages);
	wr_le16(&w, q->language);
	wr_bytes(&w, q->index, q->indexes);
	wr_bytes(&w, prologue, 3);
	wr_bytes(&w, q->template, q->template_len);
	return w.overrun ? 0 : cap - w.left;
}

uint16_t pin_status_of(uint8_t error, const struct pin_rules *rules)
{
	if (rules->refused_error && error == rules->refused_error)
		return SW_REFUSED;
	if (rules->mismatch_error && error == rules->mismatch_error)
		return SW_MISMATCH;
	if (error == CCID_PIN_CANCELLED)
		return SW_CANCELLED;
	if (error == CCID_PIN_TIMEOUT)
		return SW_TIMEOUT;
	return error >= 1 && error < 0x80 ? SW_REFUSED : 0;
}
