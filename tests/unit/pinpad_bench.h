/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A simulated pinpad, a person at its keys and a host, in one line of a table for each thing that happens. */
#ifndef OPENCCID_TESTS_PINPAD_BENCH_H
#define OPENCCID_TESTS_PINPAD_BENCH_H

#include "check.h"

#include "card_spec.h"
#include "hex.h"
#include "reader.h"

enum {
	STEPS_MAX = 10,
	WORDS_MAX = 24,
	BYTES_MAX = 320,
	TPDU = 0x000100BA,
	SHORT = 0x000200BA,
	EXTENDED = 0x000400BA,
};

/*
 * does: a message of the host, its type, "/" and bytes 7 to 9 unless they are 0, its payload ("6F/050000 00E3 01 05+"; a + seals
 * a T=1 block); or "type WORDS", "wait MS", "second MS", "extends", "mood N", "forget", "same" (the
 * next message has the bSeq of the last one), "pull", "abort" (on the control pipe), or "".
 * comes: the data of the answer ("9000", "" for none); "sw9000" a status, in a T=1 block where the host sees blocks; "!EF" failed
 * with this bError; "~~" so many time extensions, and then the rest; "-" nothing yet; NULL: any data.
 * "card": what the card got last.
 */
struct step {
	const char *does, *comes;
};

struct pinpad {
	const char *row;
	struct sim_reader *reader;
	bool blocks;
	uint64_t now;
	uint8_t seq, data_seq; /* of the last message, and of the last one that a DataBlock answers */
};

/* Secure as in CCID rev 1.1, 6.1.11; form: bmFormatString, bmPINBlockString, bmPINLengthFormat */
#define VERIFY_IN(seconds, form, limits, end, messages, prologue, template) \
	"69 00" seconds form limits end messages "0904 00" prologue template
#define VERIFY(form, limits, end, messages, template) \
	VERIFY_IN("00", form, limits, end, messages, "000000", template)
#define MODIFY(form, offsets, limits, confirm, end, messages, indexes, template) \
	"69 01 00" form offsets limits confirm end messages "0904" indexes "000000" template
#define ASCII  "82 00 00"
#define LIMITS "0C 04"
#define BARE   "00200001"
#define FF8    "FFFFFFFFFFFFFFFF"
#define PLAIN  VERIFY(ASCII, LIMITS, "02", "00", BARE)
#define CHANGE MODIFY(ASCII, "0000", LIMITS, "03", "02", "03", "000102", "00240001")
#define RIGHT  "type 1234 ok"

static inline size_t bench_bytes(const char *text, uint8_t *out)
{
	char digits[2 * BYTES_MAX];
	const size_t len = strlen(text);
	const bool block = len && text[len - 1] == '+';
	size_t count = 0;

	assert_true(len < sizeof digits);
	memcpy(digits, text, len + 1);
	digits[len - block] = '\0';
	assert_true(hex_parse(digits, out, BYTES_MAX - 2, &count));
	return block ? sim_t1_seal(out, count, false) : count;
}

static inline void bench_word(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static inline void bench_send(struct pinpad *b, const char *text)
{
	uint8_t head[BYTES_MAX] = { 0 }, message[10 + BYTES_MAX] = { 0 };
	char specific[7] = "000000";
	const char *payload = text + 2;
	size_t len;

	assert_int_equal(bench_bytes((char[]){ text[0], text[1], '\0' }, head), 1);
	message[0] = head[0];
	if (*payload == '/') {
		assert_int_equal(sscanf(payload, "/%6[0-9A-Fa-f]", specific), 1);
		payload += 7;
	}
	bench_bytes(specific, head);
	memcpy(message + 7, head, 3);
	len = bench_bytes(payload, message + 10);
	bench_word(message + 1, (uint32_t)len);
	message[6] = ++b->seq;
	if (message[0] == 0x62 || message[0] == 0x69 || message[0] == 0x6F)
		b->data_seq = b->seq;
	assert_int_equal(sim_reader_bulk_out(b->reader, message, 10 + len, b->now), SIM_DONE);
}

static inline int bench_words(const char *text, char line[256], char *words[WORDS_MAX])
{
	char *save = NULL;
	int count = 0;

	assert_true(strlen(text) < 256);
	strcpy(line, text);
	for (char *w = strtok_r(line, " ", &save); w && count < WORDS_MAX; w = strtok_r(NULL, " ", &save))
		words[count++] = w;
	return count;
}

static inline void bench_type(struct pinpad *b, const char *text)
{
	char line[256], *words[WORDS_MAX];
	const int count = bench_words(text, line, words);

	CHECK(b->row, sim_reader_type(b->reader, count, words, b->now) == NULL);
}

/* With the bSeq that the message on the bulk pipe will have. */
static inline void bench_abort(struct pinpad *b)
{
	const uint8_t setup[8] = { 0x21, 0x01, 0, (uint8_t)(b->seq + 1) };
	uint8_t none[1];
	size_t len = 0;

	assert_int_equal(sim_reader_control(b->reader, setup, none, &len, b->now), SIM_DONE);
}

static inline void bench_does(struct pinpad *b, const char *does)
{
	const char *space = strchr(does, ' ');
	const unsigned number = space ? (unsigned)strtoul(space, NULL, 10) : 0;

	if (strncmp(does, "type ", 5) == 0)
		bench_type(b, does + 5);
	else if (strncmp(does, "wait ", 5) == 0)
		b->now += number;
	else if (strncmp(does, "second ", 7) == 0)
		sim_reader_keypad_second(b->reader, number);
	else if (strncmp(does, "mood ", 5) == 0)
		sim_reader_mood(b->reader, (enum sim_mood)number, true);
	else if (strcmp(does, "forget") == 0)
		sim_reader_keypad_forget(b->reader);
	else if (strcmp(does, "same") == 0)
		b->seq--;
	else if (strcmp(does, "extends") == 0)
		sim_reader_keypad_extends(b->reader, true);
	else if (strcmp(does, "pull") == 0)
		assert_int_equal(sim_reader_remove(b->reader, 0, b->now), 0);
	else if (strcmp(does, "abort") == 0)
		bench_abort(b);
	else if (*does)
		bench_send(b, does);
}

static inline size_t bench_wanted(const struct pinpad *b, const char *comes, uint8_t *want)
{
	char text[64];

	if (strncmp(comes, "sw", 2) != 0)
		return bench_bytes(comes, want);
	snprintf(text, sizeof text, b->blocks ? "0000 02 %s+" : "%s", comes + 2);
	return bench_bytes(text, want);
}

static inline void bench_answer(struct pinpad *b, const char *comes, const uint8_t *got, size_t len)
{
	uint8_t want[BYTES_MAX] = { 0 };

	CHECK_INT(b->row, got[6], got[0] == 0x80 ? b->data_seq : b->seq);
	if (!comes) {
		CHECK_INT(b->row, got[7] & 0xC0, 0);
		CHECK(b->row, len > 10);
	} else if (*comes == '!') {
		bench_bytes(comes + 1, want);
		CHECK_INT(b->row, got[7] & 0xC0, 0x40);
		CHECK_INT(b->row, got[8], want[0]);
		CHECK_INT(b->row, len, 10);
	} else {
		CHECK_INT(b->row, got[7] & 0xC0, 0);
		CHECK_BYTES(b->row, got + 10, len - 10, want, bench_wanted(b, comes, want));
	}
}

static inline void bench_comes(struct pinpad *b, const char *comes)
{
	uint8_t got[BYTES_MAX] = { 0 };
	size_t len = 0;
	enum sim_io io = sim_reader_bulk_in(b->reader, got, sizeof got, &len, b->now);

	for (; comes && *comes == '~'; comes++) {
		CHECK_INT(b->row, io, SIM_DONE);
		CHECK_INT(b->row, got[7] & 0xC0, 0x80);
		io = sim_reader_bulk_in(b->reader, got, sizeof got, &len, b->now);
	}
	CHECK_INT(b->row, io, comes && *comes == '-' ? SIM_NAK : SIM_DONE);
	if (io == SIM_DONE)
		bench_answer(b, comes, got, len);
}

static inline void bench_card(struct pinpad *b, const char *got)
{
	const struct card_log *log = sim_reader_card_log(b->reader, 0);
	const unsigned last = log ? (log->count + CARD_LOG_COMMANDS - 1) % CARD_LOG_COMMANDS : 0;
	uint8_t want[BYTES_MAX];
	const size_t want_len = bench_bytes(got, want);

	CHECK(b->row, log != NULL);
	if (log)
		CHECK_BYTES(b->row, log->entry[last].bytes, log->count ? log->entry[last].len : 0, want,
			    want_len);
}

/* What only arranges for something is not followed by an answer: its comes is NULL. */
static inline bool bench_is_quiet(const char *does)
{
	static const char *const quiet[] = { "second", "extends", "mood", "forget", "same" };

	for (size_t i = 0; i < COUNT(quiet); i++)
		if (strncmp(does, quiet[i], strlen(quiet[i])) == 0)
			return true;
	return false;
}

static inline void bench_play(struct pinpad *b, const struct step *steps)
{
	for (size_t i = 0; i < STEPS_MAX && steps[i].does; i++) {
		if (strcmp(steps[i].does, "card") == 0) {
			bench_card(b, steps[i].comes);
			continue;
		}
		bench_does(b, steps[i].does);
		if (!bench_is_quiet(steps[i].does))
			bench_comes(b, steps[i].comes);
	}
}

/* A reader of this identity ("" for one without habits) that behaves like another one (NULL: as itself), with a powered card. */
static inline struct pinpad bench_make_like(const char *row, const char *identity, const char *habits,
					    uint32_t features, const char *card)
{
	struct pinpad b = { .row = row, .blocks = (features & TPDU & 0x70000) && card[1] == '1' };
	unsigned vid = 0x1234, pid = 1, bcd = 0x0100;
	struct sim_card_spec spec;
	struct sim_identity id;

	assert_true(!*identity || sscanf(identity, "%4x:%4x@%4x", &vid, &pid, &bcd) == 3);
	sim_identity_default(&id);
	id.vid = (uint16_t)vid;
	id.pid = (uint16_t)pid;
	id.bcd = (uint16_t)bcd;
	bench_word(id.descriptor + 40, features);
	id.descriptor[52] = 3; /* bPINSupport: verify and modify */
	assert_true(!habits || sim_identity_set_habits(&id, habits) == 0);
	b.reader = sim_reader_new(&id);
	assert_non_null(b.reader);
	assert_null(sim_card_spec_parse(card, &spec));
	assert_int_equal(sim_reader_insert(b.reader, 0, sim_card_make(&spec, SIM_5V), 0), 0);
	bench_send(&b, "62");
	bench_comes(&b, NULL);
	return b;
}

static inline struct pinpad bench_make(const char *row, const char *identity, uint32_t features,
				       const char *card)
{
	return bench_make_like(row, identity, NULL, features, card);
}

static inline void bench_end(struct pinpad *b, unsigned violations)
{
	CHECK_INT(b->row, sim_reader_stats(b->reader)->violations, violations);
	sim_reader_free(b->reader);
}

#endif
