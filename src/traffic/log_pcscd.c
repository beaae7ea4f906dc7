/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines of pcscd's log that a driver writes which names the reader by six digits and dumps whole messages, and pcscd's own:
 *
 *	00000041 -> 000000 65 00 00 00 00 00 04 00 00 00
 *	00000484 <- 000000 81 00 00 00 00 00 04 02 81 00
 *	00029485 NotifySlotChange: 50 03
 *	00000003 APDU: 00 A4 04 00
 *	00000090 SW: 90 00
 *	00100130 ccid_usb.c:885:ReadUSB() read failed (1/8): LIBUSB_ERROR_TIMEOUT
 */
#include "traffic/log.h"

/* Behind an arrow: six digits, then bytes. */
static bool message(struct log *log, struct span rest, enum event_kind kind)
{
	uint32_t id;
	size_t len;

	if (!span_hex(span_take(&rest, 6), 6, &id) || rest.len == 0 || rest.at[0] != ' ')
		return false;
	if (!span_bytes(rest, log->bytes, sizeof log->bytes, &len))
		traffic_complain(log->t, TRAFFIC_NOTE, log->lines.number,
				 "this message is damaged or cut; what can be read of it is used");
	if (len)
		log_tell(log, id, kind, len, 0, false);
	return true;
}

/* Bytes behind a word; of the reader that is spoken to, which is the first one. */
static bool labelled(struct log *log, struct span line)
{
	static const struct {
		const char *word;
		enum event_kind kind;
	} labels[] = {
		{ "NotifySlotChange: ", EVENT_INT },
		{ "APDU: ", EVENT_COMMAND },
		{ "SW: ", EVENT_RESPONSE },
	};
	struct span rest;
	size_t len;

	for (size_t i = 0; i < COUNT(labels); i++) {
		if (!span_find(line, labels[i].word, &rest))
			continue;
		if (span_bytes(rest, log->bytes, sizeof log->bytes, &len) && len)
			log_tell(log, 0, labels[i].kind, len, 0, false);
		return true;
	}
	return false;
}

static bool failure(struct log *log, struct span line)
{
	static const struct {
		const char *word;
		enum event_kind kind;
	} failures[] = {
		{ "TIMEOUT", EVENT_TIMEOUT },
		{ "timed out", EVENT_TIMEOUT },
		{ "Resource temporarily unavailable", EVENT_TIMEOUT },
		{ "PIPE", EVENT_STALL },
		{ "NO_DEVICE", EVENT_GONE },
		{ "No such device", EVENT_GONE },
		{ "", EVENT_ERROR },
	};
	struct span rest, unused;

	if (!span_find(line, "read failed", &rest) || span_find(line, "InterruptRead", &unused))
		return false;
	for (size_t i = 0; i < COUNT(failures); i++)
		if (failures[i].word[0] == '\0' || span_find(rest, failures[i].word, &unused)) {
			log_tell(log, 0, failures[i].kind, 0, 0, false);
			break;
		}
	return true;
}

/* "usb:08e6/3437" and "Found Vendor/Product: 08E6/3437 (name)" */
static bool identity(struct log *log, struct span line)
{
	struct traffic_reader *reader;
	struct span rest, name;
	uint32_t vid, pid;

	if (!span_find(line, "Found Vendor/Product: ", &rest) && !span_find(line, "device: usb:", &rest))
		return false;
	reader = log->t->scanning ? log_reader(log, 0) : NULL;
	if (!reader || !span_hex(span_take(&rest, 4), 4, &vid) || span_take(&rest, 1).len != 1 ||
	    !span_hex(span_take(&rest, 4), 4, &pid))
		return true;
	reader->has_id = true;
	reader->vid = (uint16_t)vid;
	reader->pid = (uint16_t)pid;
	if (span_find(rest, "(", &name) && !reader->name[0])
		snprintf(reader->name, sizeof reader->name, "%.*s", (int)span_until(name, ')'), name.at);
	return true;
}

bool log_pcscd_line(struct log *log, struct span line)
{
	struct span rest;

	if (span_find(line, "-> ", &rest) && message(log, rest, EVENT_OUT))
		return true;
	if (span_find(line, "<- ", &rest) && message(log, rest, EVENT_IN))
		return true;
	return labelled(log, line) || failure(log, line) || identity(log, line);
}
