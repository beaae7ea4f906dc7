/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the three ways of showing a capture share. */
#ifndef OPENCCID_TOOL_DECODE_H
#define OPENCCID_TOOL_DECODE_H

#include "tool/causes.h"
#include "tool/out.h"
#include "tool/story.h"
#include "traffic/traffic.h"

struct decoding {
	struct out *out;
	const char *file;
	struct traffic *traffic;
	unsigned index; /* of the reader */
	bool secrets, brief;

	/* After the first pass */
	struct causes causes;
	struct summary summary;
	void *view; /* what the view keeps */
};

struct view {
	void (*begin)(struct decoding *d);
	void (*row)(void *decoding, const struct told *told);
	void (*apdu)(void *decoding, const struct told_apdu *apdu);
	void (*end)(struct decoding *d);
};

extern const struct view view_text, view_json, view_html;

static inline const struct traffic_reader *decoding_reader(const struct decoding *d)
{
	return traffic_reader(d->traffic, d->index);
}

/* The name of the reader in our list, or else what the capture calls it; "a reader" where neither is known. */
const char *decoding_name(const struct traffic_reader *reader);

/* What is known of the reader, for programs. */
struct json;
void decoding_put_reader(struct json *j, const char *key, const struct traffic_reader *reader);

/* Bytes of a message that stand behind its header, and how many of them may be shown. */
const uint8_t *told_payload(const struct told *told, size_t *len, size_t *shown);

/* Is it a CCID message with a header? */
bool told_is_message(const struct told *told);

#endif
