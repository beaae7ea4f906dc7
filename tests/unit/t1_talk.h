/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* T=1 blocks as text, for the tests: "I(0,1)abc", "R(1)2", "S(IFSr,254)", "#00C300"; see test_t1.c. */
#ifndef OPENCCID_TESTS_T1_TALK_H
#define OPENCCID_TESTS_T1_TALK_H

#include "check.h"

#include "card_t1.h"

#include <ctype.h>

enum { TALK_BLOCK_MAX = 3 + 600 + 2 };

struct talk_frame {
	bool crc;
	uint8_t nad; /* of the host's blocks */
};

struct talk_block {
	size_t len; /* with EDC */
	int wtx;    /* the multiplier of an S(WTX response), -1 for others */
};

/* Letters up to a space or '!'; a number repeats the letter after it. */
static inline size_t talk_data(const char *text, uint8_t *out, size_t cap)
{
	size_t len = 0;

	while (isalnum((unsigned char)*text)) {
		char *end;
		unsigned long times = strtoul(text, &end, 10);

		if (end == text)
			times = 1;
		assert_true(isalpha((unsigned char)*end) && len + times <= cap);
		memset(out + len, *end, times);
		len += times;
		text = end + 1;
	}
	return len;
}

static const struct {
	const char *name;
	uint8_t pcb;
} talk_s_names[] = {
	{ "S(RES)", 0xC0 }, { "S(RESr)", 0xE0 }, { "S(ABT)", 0xC2 }, { "S(ABTr)", 0xE2 },
	{ "S(IFS,", 0xC1 }, { "S(IFSr,", 0xE1 }, { "S(WTX,", 0xC3 }, { "S(WTXr,", 0xE3 },
};

static inline size_t talk_s(const char *text, uint8_t *out, int *wtx)
{
	for (size_t i = 0; i < COUNT(talk_s_names); i++) {
		const size_t n = strlen(talk_s_names[i].name);

		if (strncmp(text, talk_s_names[i].name, n) != 0)
			continue;
		out[1] = talk_s_names[i].pcb;
		out[2] = talk_s_names[i].name[n - 1] == ',';
		out[3] = (uint8_t)atoi(text + n);
		if (out[1] == 0xE3)
			*wtx = out[3];
		return 3u + out[2];
	}
	fail_msg("no such S-block: %s", text);
	return 0;
}

static inline size_t talk_hex(const char *text, uint8_t *out)
{
	size_t len = 0;
	unsigned value;

	for (; isxdigit((unsigned char)text[0]) && sscanf(text, "%2x", &value) == 1; text += 2)
		out[len++] = (uint8_t)value;
	return len;
}

static inline size_t talk_body(const char *text, uint8_t *out, int *wtx)
{
	if (text[0] == 'R') {
		const unsigned error = isdigit((unsigned char)text[4]) ? (unsigned)(text[4] - '0') : 0;

		out[1] = (uint8_t)(0x80 | (text[2] == '1' ? 0x10u : 0u) | error);
		out[2] = 0;
		return 3;
	}
	if (text[0] == 'I') {
		out[1] = (uint8_t)((text[2] == '1' ? 0x40 : 0) | (text[4] == '1' ? 0x20 : 0));
		out[2] = (uint8_t)talk_data(text + 6, out + 3, 600);
		return 3u + talk_data(text + 6, out + 3, 600);
	}
	return talk_s(text, out, wtx);
}

/* Build the block that the text names, up to its next space. */
static inline void talk_parse(const char *text, const struct talk_frame *frame, bool by_host,
			      struct talk_block *b, uint8_t out[TALK_BLOCK_MAX])
{
	const uint8_t nad = frame->nad;
	size_t len;

	b->wtx = -1;
	out[0] = (uint8_t)(by_host ? nad : nad << 4 | nad >> 4);
	len = text[0] == '#' ? talk_hex(text + 1, out) : talk_body(text, out, &b->wtx);
	b->len = sim_t1_seal(out, len, frame->crc);
	/* the engine's own blocks are damaged after it sent them */
	if (!by_host && text[strcspn(text, " !}")] == '!')
		out[b->len - 1] ^= 0x55;
}

/* Each word up to the end or a closing brace; what stands in "3*{ ... }" comes three times. Returns where it stopped. */
static inline const char *talk_words(const char *at, void (*word)(void *arg, const char *word), void *arg)
{
	while (*at && *at != '}') {
		const char *brace = strchr(at, '{');

		if (isdigit((unsigned char)*at) && brace && strncmp(brace - 1, "*{", 2) == 0) {
			const int times = atoi(at);
			const char *end = at;

			for (int i = 0; i < times; i++)
				end = talk_words(brace + 1, word, arg);
			at = *end == '}' ? end + 1 : end;
		} else if (*at == ' ') {
			at++;
		} else {
			word(arg, at);
			at += strcspn(at, " }");
		}
	}
	return at;
}

#endif
