/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines of the driver inside GnuPG's scdaemon. The newer form writes a message field by field:
 *
 *	DBG: ccid-driver: PC_to_RDR_Escape:
 *	DBG: ccid-driver:   dwLength ..........: 3
 *	DBG: ccid-driver:   bSlot .............: 0
 *	DBG: ccid-driver:   bSeq ..............: 56
 *	DBG: ccid-driver:   [0007]  00 00 00
 *	DBG: ccid-driver:   [0010]  80 02 00
 *
 * The older one writes commands whole, and of answers only what it looks at:
 *
 *	DBG: ccid-driver: sending 6B 03 00 00 00 00 11 00 00 00 80 02 00
 *	DBG: ccid-driver: status: 00  error: 00  octet[9]: 00
 *	                 data:  80 02 00
 */
#include "base/bytes.h"
#include "ccid/message.h"
#include "traffic/log.h"

enum { BASE = 10 };

/* Where a field stands, and how its number is written; -1: hexadecimal with "0x", or decimal without. */
static const struct {
	const char *name;
	uint8_t at, len;
} names[] = {
	{ "dwLength", 1, 4 },
	{ "bSlot", 5, 1 },
	{ "bSeq", 6, 1 },
	{ "bStatus", 7, 1 },
	{ "bError", 8, 1 },
	{ "bClockStatus", 9, 1 },
	{ "bProtocolNum", 7, 1 },
	{ "bChainParameter", 9, 1 },
	{ "buffer[9]", 9, 1 },
	{ "bPowerSelect", 7, 1 },
	{ "bBWI", 7, 1 },
	{ "bmChanges", 7, 1 },
	{ "bClockCommand", 7, 1 },
	{ "bFunction", 7, 1 },
	{ "wLevelParameter", 8, 2 },
	{ "bClassGetResponse", 8, 1 },
	{ "bClassEnvelope", 9, 1 },
};

/* Bytes of a message that is still being written; those between are 0 until they come. */
static void put(struct fields *f, size_t at, const uint8_t *bytes, size_t len)
{
	if (at > sizeof f->bytes || len > sizeof f->bytes - at)
		return;
	if (at + len > f->len) {
		memset(f->bytes + f->len, 0, at + len - f->len);
		f->len = at + len;
	}
	memcpy(f->bytes + at, bytes, len);
}

static void begin(struct log *log, uint8_t type, bool out)
{
	struct fields *f = &log->fields;

	log_close_fields(log);
	f->open = true;
	f->out = out;
	f->len = 0;
	f->place = log->lines.number;
	f->us = log->lines.us;
	f->timed = log->lines.timed;
	put(f, BASE - 1, (const uint8_t[]){ 0 }, 1);
	put(f, 0, &type, 1);
}

/* "PC_to_RDR_Escape:" */
static bool headline(struct log *log, struct span word)
{
	if (word.len < 10 || word.at[word.len - 1] != ':')
		return false;
	word.len--;
	for (unsigned type = 0; type < 256; type++)
		if (span_is(word, ccid_type_name((uint8_t)type))) {
			begin(log, (uint8_t)type, ccid_reply_type((uint8_t)type) != 0);
			return true;
		}
	return false;
}

static uint32_t number_of(struct span word)
{
	uint32_t value = 0;

	if (word.len > 2 && word.at[0] == '0' && (word.at[1] == 'x' || word.at[1] == 'X')) {
		span_take(&word, 2);
		span_hex(word, word.len < 8 ? word.len : 8, &value);
	} else {
		span_decimal(word, &value);
	}
	return value;
}

/* "bSeq ..............: 56" */
static bool field(struct log *log, struct span name, struct span line)
{
	uint8_t bytes[4];
	struct wr w = wr_of(bytes, sizeof bytes);
	struct span rest;

	for (size_t i = 0; i < COUNT(names); i++) {
		uint8_t at = names[i].at;

		if (!span_is(name, names[i].name) || !span_find(line, ": ", &rest))
			continue;
		/* An answer has it elsewhere than the command. */
		if (!log->fields.out && span_is(name, "bProtocolNum"))
			at = BASE - 1;
		wr_le32(&w, number_of(span_word(&rest, 0)));
		put(&log->fields, at, bytes, names[i].len);
		return true;
	}
	return false;
}

/* "[0010]  80 02 00" */
static bool numbered(struct log *log, struct span line)
{
	uint8_t bytes[64];
	struct span s = line, number;
	uint32_t at;
	size_t len;

	if (span_take(&s, 1).at[0] != '[')
		return false;
	number = span_take(&s, span_until(s, ']'));
	span_take(&s, 1);
	if (!span_decimal(number, &at))
		return false;
	span_bytes(s, bytes, sizeof bytes, &len);
	put(&log->fields, at, bytes, len);
	return true;
}

/* ---- the older form ---------------------------------------------------------------------------------------------- */

static bool older_command(struct log *log, struct span rest)
{
	size_t len;

	log_close_fields(log);
	if (!span_bytes(rest, log->bytes, sizeof log->bytes, &len) || len < CCID_HEADER_LEN)
		return false;
	log_tell(log, 0, EVENT_OUT, len, 0, false);
	return true;
}

static bool older_answer(struct log *log, struct span rest)
{
	uint32_t status, error, ninth;
	struct span tail;

	if (!span_hex(span_word(&rest, 0), 2, &status) || !span_find(rest, "error: ", &rest) ||
	    !span_hex(span_word(&rest, 0), 2, &error) || !span_find(rest, "octet[9]: ", &tail) ||
	    !span_hex(span_word(&tail, 0), 2, &ninth))
		return false;
	begin(log, ccid_reply_type(log->last_type), false);
	put(&log->fields, 5, log->last, 2);
	put(&log->fields, 7, (const uint8_t[]){ (uint8_t)status, (uint8_t)error, (uint8_t)ninth }, 3);
	return true;
}

static bool older_data(struct log *log, struct span rest)
{
	struct fields *f = &log->fields;
	uint8_t length[4];
	struct wr w = wr_of(length, sizeof length);
	size_t len;

	if (!f->open || f->out || !span_bytes(rest, log->bytes, sizeof log->bytes, &len))
		return false;
	put(f, f->len, log->bytes, len);
	wr_le32(&w, (uint32_t)(f->len - BASE));
	put(f, 1, length, sizeof length);
	return true;
}

static bool older(struct log *log, struct span line)
{
	struct span rest;

	if (span_find(line, "ccid-driver: sending ", &rest))
		return older_command(log, rest);
	if (span_find(line, "ccid-driver: status: ", &rest))
		return older_answer(log, rest);
	return span_find(line, " data: ", &rest) && older_data(log, rest);
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

static bool failure(struct log *log, struct span rest)
{
	struct span unused;

	if (!span_find(rest, "usb_bulk_read error", &unused) && !span_find(rest, "bulk-in", &unused))
		return false;
	log_close_fields(log);
	log_tell(log, 0,
		 span_find(rest, "TIMEOUT", &unused) || span_find(rest, "timed out", &unused) ||
				 span_find(rest, "imeout", &unused)
			 ? EVENT_TIMEOUT
			 : EVENT_ERROR,
		 0, 0, false);
	return true;
}

bool log_gnupg_line(struct log *log, struct span line)
{
	struct span rest, words;

	if (older(log, line))
		return true;
	if (!span_find(line, "ccid-driver: ", &rest))
		return false;
	rest = span_trim(rest);
	words = rest;
	if (rest.len == 0 || headline(log, span_word(&words, 0)))
		return true;
	words = rest;
	if (log->fields.open && (numbered(log, rest) || field(log, span_word(&words, 0), rest)))
		return true;
	return failure(log, rest);
}
