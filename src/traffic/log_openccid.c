/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines of this driver:
 *
 *	openccid: -> PC_to_RDR_XfrBlock slot 0 seq 1F [00 00 00] 7 bytes: 00 A4 ...
 *	openccid: <- RDR_to_PC_DataBlock slot 0 seq 1F [00 00 00] 2 bytes
 *
 *	openccid: opened SCM SCR 3310 (04e6:5116, firmware 5.20, interface 0): TPDU level, ...
 *
 * Payloads that may hold a PIN are counted and not shown.
 */
#include "base/bytes.h"
#include "ccid/message.h"
#include "traffic/log.h"

static int type_of(struct span name)
{
	for (unsigned type = 0; type < 256; type++)
		if (span_is(name, ccid_type_name((uint8_t)type)))
			return (int)type;
	return -1;
}

/* "slot 0 seq 1F [00 00 00] 7 bytes"; false if it is anything else */
static bool header(struct span *s, uint8_t type, struct wr *w, uint32_t *payload)
{
	uint32_t slot, seq, specific[3];
	struct span three;

	if (!span_is(span_word(s, 0), "slot") || !span_decimal(span_word(s, 0), &slot) || slot > 255 ||
	    !span_is(span_word(s, 0), "seq") || !span_hex(span_word(s, 0), 2, &seq) || !span_find(*s, "[", s))
		return false;
	three = span_take(s, span_until(*s, ']'));
	for (unsigned i = 0; i < 3; i++)
		if (!span_hex(span_word(&three, 0), 2, &specific[i]))
			return false;
	span_take(s, 1);
	if (!span_decimal(span_word(s, 0), payload))
		return false;
	wr_u8(w, type);
	wr_le32(w, *payload);
	wr_u8(w, (uint8_t)slot);
	wr_u8(w, (uint8_t)seq);
	for (unsigned i = 0; i < 3; i++)
		wr_u8(w, (uint8_t)specific[i]);
	return true;
}

/* "PC_to_RDR_XfrBlock to slot 0 failed: the reader did not answer in time" */
static bool failure(struct log *log, struct span line)
{
	static const struct {
		enum oc_err err;
		enum event_kind kind;
	} failures[] = {
		{ OC_E_TIMEOUT, EVENT_TIMEOUT },
		{ OC_E_STALL, EVENT_STALL },
		{ OC_E_IO, EVENT_ERROR },
		{ OC_E_GONE, EVENT_GONE },
	};
	struct span rest, unused;

	if (!span_find(line, "PC_to_RDR_", &rest) || !span_find(rest, " failed: ", &rest))
		return false;
	for (size_t i = 0; i < COUNT(failures); i++)
		if (span_find(rest, oc_strerr(failures[i].err), &unused)) {
			log_tell(log, 0, failures[i].kind, 0, 0, false);
			return true;
		}
	return false;
}

/* "opened NAME (04e6:5116, firmware 5.20, interface 0)" */
static bool opened(struct log *log, struct span line)
{
	struct traffic_reader *reader;
	struct span rest, id, name;
	uint32_t vid, pid;

	if (!span_find(line, "openccid: opened ", &name) || !span_find(name, ", firmware ", &id) ||
	    id.at - name.at < 24)
		return false;
	reader = log->t->scanning ? log_reader(log, 0) : NULL;
	rest = (struct span){ id.at - 20, 9 };
	name.len = (size_t)(rest.at - 2 - name.at);
	if (!reader || !span_hex(span_take(&rest, 4), 4, &vid) || !span_is(span_take(&rest, 1), ":") ||
	    !span_hex(rest, 4, &pid))
		return true;
	snprintf(reader->name, sizeof reader->name, "%.*s", (int)(name.len < 79 ? name.len : 79), name.at);
	reader->has_id = true;
	reader->vid = (uint16_t)vid;
	reader->pid = (uint16_t)pid;
	reader->has_firmware = true;
	for (rest = span_take(&id, span_until(id, ',')); rest.len; span_take(&rest, 1))
		if (span_digit(rest.at[0]) >= 0)
			reader->firmware = (uint16_t)(reader->firmware << 4 | span_digit(rest.at[0]));
	return true;
}

bool log_openccid_line(struct log *log, struct span line)
{
	struct wr w = wr_of(log->bytes, sizeof log->bytes);
	struct span rest = line, bytes;
	uint32_t payload = 0;
	size_t shown = 0;
	bool out;
	int type;

	if (!span_find(line, "-> PC_to_RDR_", &rest) && !span_find(line, "<- RDR_to_PC_", &rest))
		return failure(log, line) || opened(log, line);
	out = rest.at[-10] == 'P' && rest.at[-9] == 'C'; /* the name is shown whole */
	rest.at -= 10;
	rest.len += 10;
	type = type_of(span_word(&rest, 0));
	if (type < 0 || !header(&rest, (uint8_t)type, &w, &payload))
		return false;
	if (span_find(rest, "bytes:", &bytes))
		span_bytes(bytes, log->bytes + CCID_HEADER_LEN, sizeof log->bytes - CCID_HEADER_LEN, &shown);
	if (shown > payload)
		shown = payload;
	log_tell(log, 0, out ? EVENT_OUT : EVENT_IN, CCID_HEADER_LEN + shown, payload - shown,
		 payload > shown);
	return true;
}
