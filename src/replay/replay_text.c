/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "replay/replay_text.h"

#include "ccid/message.h"

#include <stdio.h>
#include <string.h>

struct replay_text replay_hex(const uint8_t *bytes, size_t len)
{
	struct replay_text h = { "" };
	const size_t n = len < 24 ? len : 24;

	for (size_t i = 0; i < n; i++)
		snprintf(h.text + 3 * i, 4, "%02X ", bytes[i]);
	if (n < len)
		memcpy(h.text + 3 * n, "...", sizeof "...");
	else if (n)
		h.text[3 * n - 1] = '\0';
	return h;
}

const char *replay_meaning(const struct capture_step *step)
{
	if (!step)
		return "nothing more";
	switch (step->kind) {
	case CAPTURE_DO: return "the next action";
	case CAPTURE_EXPECT: return "the end of the action";
	case CAPTURE_OUT: return ccid_type_name(step->bytes.value[0]);
	case CAPTURE_IN: return "reading an answer";
	case CAPTURE_INT: return "an interrupt message";
	case CAPTURE_TIMEOUT: return "waiting for an answer that does not come";
	case CAPTURE_PADDING: return "reading an answer";
	case CAPTURE_CONTROL: return "a control request";
	case CAPTURE_CLEAR_HALT: return "clearing the halt of the bulk pipes";
	case CAPTURE_MISSING: return "messages that the log lacks";
	}
	return "nothing";
}

const char *replay_field(size_t at)
{
	static const char *const names[CCID_HEADER_LEN] = {
		"bMessageType", "dwLength", "dwLength", "dwLength", "dwLength",
		"bSlot",        "bSeq",     "byte 7",   "byte 8",   "byte 9",
	};

	return at < CCID_HEADER_LEN ? names[at] : "payload";
}

size_t replay_difference(const struct capture_bytes *want, const uint8_t *got, size_t len, size_t except)
{
	size_t i = 0;

	while (i < len && i < want->len &&
	       (i == except || want->mark[i] != CAPTURE_EVIDENCE || want->value[i] == got[i]))
		i++;
	return i;
}
