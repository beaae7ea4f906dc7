/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What people write down by hand, the short form of a trace:
 *
 *	# reader: 04e6:5116 SCR3310
 *	OUT 12 65 00 00 00 00 00 04 00 00 00
 *	IN 484 81 00 00 00 00 00 04 02 81 00
 *	TIMEOUT 3000113 bulk-in
 *
 * The number is the time since the line before it, or "-".
 */
#include "ccid/descriptor.h"
#include "traffic/log.h"

static const struct {
	const char *word;
	enum event_kind kind;
	bool timed; /* a number follows */
} words[] = {
	{ "OUT", EVENT_OUT, true },       { "IN", EVENT_IN, true },
	{ "INT", EVENT_INT, true },       { "TIMEOUT", EVENT_TIMEOUT, true },
	{ "APDU", EVENT_COMMAND, false }, { "RAPDU", EVENT_RESPONSE, false },
};

static void take_reader(struct traffic_reader *reader, struct span value)
{
	struct span rest = value;
	struct span vid = span_take(&rest, 4), colon = span_take(&rest, 1), pid = span_take(&rest, 4);
	uint32_t v, p;

	if (span_hex(vid, 4, &v) && span_is(colon, ":") && span_hex(pid, 4, &p)) {
		reader->has_id = true;
		reader->vid = (uint16_t)v;
		reader->pid = (uint16_t)p;
		value = span_trim(rest);
	}
	snprintf(reader->name, sizeof reader->name, "%.*s", (int)(value.len < 79 ? value.len : 79), value.at);
}

static void take_level(struct traffic_reader *reader, struct span value)
{
	static const struct {
		const char *word;
		enum ccid_level level;
	} levels[] = {
		{ "character", CCID_CHARACTER },   { "tpdu", CCID_TPDU },
		{ "tpdu-t0", CCID_TPDU },          { "tpdu-t1", CCID_TPDU },
		{ "short-apdu", CCID_SHORT_APDU }, { "extended-apdu", CCID_EXTENDED_APDU },
	};

	for (size_t i = 0; i < COUNT(levels); i++)
		if (span_is(value, levels[i].word)) {
			reader->has_level = true;
			reader->level = levels[i].level;
		}
}

static bool header(struct log *log, struct span line)
{
	struct traffic_reader *reader;
	struct span value;

	if (!span_find(line, "# reader: ", &value) && !span_find(line, "# level: ", &value))
		return false;
	reader = log->t->scanning ? log_reader(log, 0) : NULL;
	if (!reader)
		return true;
	if (line.at[2] == 'r')
		take_reader(reader, span_trim(value));
	else
		take_level(reader, span_trim(value));
	return true;
}

bool log_digest_line(struct log *log, struct span line)
{
	struct span rest = line, number;
	const struct span word = span_word(&rest, 0);
	uint32_t us = 0;
	size_t len = 0;

	if (line.len && line.at[0] == '#')
		return header(log, line);
	for (size_t i = 0; i < COUNT(words); i++) {
		if (!span_is(word, words[i].word))
			continue;
		number = words[i].timed ? span_word(&rest, 0) : word;
		log->lines.timed = words[i].timed && span_decimal(number, &us);
		log->lines.us += us;
		if (words[i].kind != EVENT_TIMEOUT && !span_bytes(rest, log->bytes, sizeof log->bytes, &len))
			traffic_complain(log->t, TRAFFIC_NOTE, log->lines.number,
					 "this line is damaged; what can be read of it is used");
		if (len || words[i].kind == EVENT_TIMEOUT)
			log_tell(log, 0, words[i].kind, len, 0, false);
		return true;
	}
	return false;
}
