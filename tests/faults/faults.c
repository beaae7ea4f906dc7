/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "faults.h"

#include <string.h>

enum {
	AT_LENGTH = 1,
	AT_SLOT = 5,
	AT_SEQ = 6,
	AT_STATUS = 7,
	AT_ERROR = 8,
	FAILED = 0x40,
	TIME_EXTENSION = 0x80,
	HALF = -1, /* of the message */
	LONGEST = 2048,
};

/* ---- what the host sends ---- */

static void lose_command(struct faulty *f, const struct strike *s, struct passing *p)
{
	(void)f;
	(void)s;
	p->reaches = false;
}

static void fail_unseen(struct faulty *f, const struct strike *s, struct passing *p)
{
	(void)f;
	p->reaches = false;
	p->err = s->fault->err;
}

static void fail_seen(struct faulty *f, const struct strike *s, struct passing *p)
{
	(void)f;
	p->err = s->fault->err;
}

static void stall_out(struct faulty *f, const struct strike *s, struct passing *p)
{
	(void)s;
	f->halted_out = true;
	p->reaches = false;
}

static void pull_card(struct faulty *f, const struct strike *s, struct passing *p)
{
	(void)s;
	(void)p;
	faulty_pull(f);
}

static void unplug(struct faulty *f, const struct strike *s, struct passing *p)
{
	(void)s;
	p->reaches = false;
	f->gone = true;
}

/* value: nothing was on its way then */
static void restart(struct faulty *f, const struct strike *s, struct passing *p)
{
	p->reaches = false;
	faulty_restart(f, s->fault->value);
}

static void storm(struct faulty *f, const struct strike *s, struct passing *p)
{
	(void)p;
	faulty_notify(f, (unsigned)s->fault->value);
}

static void fall_silent(struct faulty *f, const struct strike *s, struct passing *p)
{
	f->deaf = (enum deafness)s->fault->value;
	p->reaches = false;
}

static void damage_block(struct faulty *f, const struct strike *s, struct passing *p)
{
	(void)p;
	faulty_damage(f, (enum sim_damage_kind)s->fault->value);
}

/* The type of the answer to a command (CCID rev 1.1, 6.1). */
static uint8_t answer_type(uint8_t command)
{
	static const uint8_t types[][2] = { { 0x61, 0x82 }, { 0x62, 0x80 }, { 0x69, 0x80 }, { 0x6B, 0x83 },
					    { 0x6C, 0x82 }, { 0x6D, 0x82 }, { 0x6F, 0x80 }, { 0x73, 0x84 } };

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i][0] == command)
			return types[i][1];
	return 0x81;
}

/* The card does not see the command. */
static void refuse(struct faulty *f, const struct strike *s, struct passing *p)
{
	const uint8_t answer[SIM_HEADER] = { [0] = answer_type(p->bytes[0]),
					     [AT_SLOT] = p->bytes[AT_SLOT],
					     [AT_SEQ] = p->bytes[AT_SEQ],
					     [AT_STATUS] = (uint8_t)(FAILED | f->icc),
					     [AT_ERROR] = (uint8_t)s->variant };

	p->reaches = false;
	faulty_pass(f, answer, sizeof answer, f->clock);
}

/* ---- what the reader sends ---- */

static void lose_answer(struct faulty *f, const struct strike *s, struct passing *p)
{
	(void)f;
	(void)s;
	(void)p;
}

static void come_late(struct faulty *f, const struct strike *s, struct passing *p)
{
	(void)s;
	faulty_pass_late(f, p->bytes, p->len);
}

/* The answer waits behind the halt. */
static void stall_in(struct faulty *f, const struct strike *s, struct passing *p)
{
	f->halted_in = true;
	if (s->fault->value)
		faulty_pass(f, p->bytes, p->len, f->clock);
}

static void fail_read(struct faulty *f, const struct strike *s, struct passing *p)
{
	faulty_pass_error(f, s->fault->err);
	if (s->fault->value)
		faulty_pass(f, p->bytes, p->len, f->clock);
}

static void cut(struct faulty *f, const struct strike *s, struct passing *p)
{
	const size_t most = s->fault->value == HALF ? p->len / 2 : (size_t)s->fault->value;

	faulty_pass(f, p->bytes, most < p->len ? most : p->len, f->clock);
}

/* With bytes behind dwLength that look like data. */
static void pad(struct faulty *f, const struct strike *s, struct passing *p)
{
	uint8_t padded[LONGEST];
	const size_t more = (size_t)s->fault->value;

	memset(padded, 0x5A, sizeof padded);
	if (p->len > sizeof padded - more) {
		faulty_pass(f, p->bytes, p->len, f->clock);
		return;
	}
	memcpy(padded, p->bytes, p->len);
	faulty_pass(f, padded, p->len + more, f->clock);
}

static uint32_t length_of(const uint8_t *message)
{
	uint32_t length = 0;

	for (unsigned i = 0; i < 4; i++)
		length |= (uint32_t)message[AT_LENGTH + i] << 8 * i;
	return length;
}

/* dwLength is another one by so much. */
static void lie(struct faulty *f, const struct strike *s, struct passing *p)
{
	uint8_t *message = f->message;
	const uint32_t length = length_of(message) + (uint32_t)s->fault->value;

	for (unsigned i = 0; i < 4; i++)
		message[AT_LENGTH + i] = (uint8_t)(length >> 8 * i);
	faulty_pass(f, message, p->len, f->clock);
}

/* What is not the answer has other data, so that it is seen when it is taken for it. */
static void pass_other(struct faulty *f, size_t len)
{
	for (size_t i = SIM_HEADER; i < len; i++)
		f->message[i] ^= 0x11;
	faulty_pass(f, f->message, len, f->clock);
}

static void wrong_type(struct faulty *f, const struct strike *s, struct passing *p)
{
	f->message[0] ^= (uint8_t)s->fault->value;
	pass_other(f, p->len);
}

static void wrong_slot(struct faulty *f, const struct strike *s, struct passing *p)
{
	f->message[AT_SLOT] = (uint8_t)s->fault->value;
	pass_other(f, p->len);
}

static void wrong_seq(struct faulty *f, const struct strike *s, struct passing *p)
{
	f->message[AT_SEQ] = (uint8_t)(f->message[AT_SEQ] + s->fault->value);
	pass_other(f, p->len);
}

/* The answer to another command, with other data, and then the right one. */
static void stale_first(struct faulty *f, const struct strike *s, struct passing *p)
{
	uint8_t right[LONGEST];
	const size_t len = p->len < sizeof right ? p->len : sizeof right;

	memcpy(right, p->bytes, len);
	f->message[AT_SEQ]--;
	for (int i = 0; i < s->fault->value; i++)
		pass_other(f, len);
	faulty_pass(f, right, len, f->clock);
}

static void nothing_first(struct faulty *f, const struct strike *s, struct passing *p)
{
	(void)s;
	faulty_pass(f, NULL, 0, f->clock);
	faulty_pass(f, p->bytes, p->len, f->clock);
}

static void come_twice(struct faulty *f, const struct strike *s, struct passing *p)
{
	faulty_pass(f, p->bytes, p->len, f->clock);
	faulty_pass(f, p->bytes, p->len, f->clock + (uint64_t)s->fault->value);
}

static void fill(struct faulty *f, const struct strike *s, struct passing *p)
{
	uint8_t noise[64];

	(void)p;
	memset(noise, (int)s->variant, sizeof noise);
	faulty_pass(f, noise, (size_t)s->fault->value, f->clock);
}

static void noise(struct faulty *f, const struct strike *s, struct passing *p)
{
	uint32_t x = 2463534242u + s->variant;
	uint8_t bytes[64];

	(void)p;
	for (size_t i = 0; i < sizeof bytes; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		bytes[i] = (uint8_t)x;
	}
	faulty_pass(f, bytes, 1 + (s->variant * 7u) % sizeof bytes, f->clock);
}

/* The card has done it; then the reader says that it failed. */
static void deny(struct faulty *f, const struct strike *s, struct passing *p)
{
	memset(f->message + AT_LENGTH, 0, 4);
	f->message[AT_STATUS] = (uint8_t)(FAILED | f->icc);
	f->message[AT_ERROR] = (uint8_t)s->fault->value;
	(void)p;
	faulty_pass(f, f->message, SIM_HEADER, f->clock);
}

/* The message that says: it takes longer, once more the waiting time (6.2.6) */
static void make_extension(const struct faulty *f, const struct passing *p, uint8_t message[SIM_HEADER])
{
	memset(message, 0, SIM_HEADER);
	message[0] = p->bytes[0];
	message[AT_SLOT] = p->bytes[AT_SLOT];
	message[AT_SEQ] = p->bytes[AT_SEQ];
	message[AT_STATUS] = (uint8_t)(TIME_EXTENSION | f->icc);
	message[AT_ERROR] = 1;
}

/* value: how many, evenly over extra_ms */
static void extend(struct faulty *f, const struct strike *s, struct passing *p)
{
	const unsigned count = (unsigned)s->fault->value;
	uint8_t message[SIM_HEADER];

	make_extension(f, p, message);
	faulty_repeat(f, message, sizeof message, count, s->fault->extra_ms / count);
	faulty_pass(f, p->bytes, p->len, f->clock + s->fault->extra_ms + 1);
}

/* value: how far they are apart */
static void extend_always(struct faulty *f, const struct strike *s, struct passing *p)
{
	uint8_t message[SIM_HEADER];

	make_extension(f, p, message);
	faulty_repeat(f, message, sizeof message, UINT32_MAX, (unsigned)s->fault->value);
}

static void stale_always(struct faulty *f, const struct strike *s, struct passing *p)
{
	(void)p;
	f->message[AT_SEQ]--;
	faulty_repeat(f, f->message, SIM_HEADER, UINT32_MAX, (unsigned)s->fault->value);
}

static void nothing_always(struct faulty *f, const struct strike *s, struct passing *p)
{
	(void)p;
	faulty_repeat(f, NULL, 0, UINT32_MAX, (unsigned)s->fault->value);
}

static void come_after(struct faulty *f, const struct strike *s, struct passing *p)
{
	faulty_pass(f, p->bytes, p->len, f->clock + (uint64_t)s->fault->value);
}

static void pull_behind(struct faulty *f, const struct strike *s, struct passing *p)
{
	(void)s;
	faulty_pull(f);
	faulty_pass(f, p->bytes, p->len, f->clock);
}

const struct fault faults[] = {
	/* What the host sends */
	{ "the command is lost", .event = EVENT_OUT, .outcome = BUS, .strike = lose_command },
	{ "bulk-OUT halts", .event = EVENT_OUT, .outcome = BUS, .strike = stall_out },
	{ "sending fails (io)", .event = EVENT_OUT, .outcome = BUS, .strike = fail_unseen, .err = OC_E_IO },
	{ "sending fails (io), but the reader has it", .event = EVENT_OUT, .outcome = BUS,
	  .strike = fail_seen, .err = OC_E_IO },
	{ "sending fails (stall)", .event = EVENT_OUT, .outcome = BUS, .strike = fail_unseen,
	  .err = OC_E_STALL },
	{ "sending fails (stall), but the reader has it", .event = EVENT_OUT, .outcome = BUS,
	  .strike = fail_seen, .err = OC_E_STALL },
	{ "sending fails (timeout)", .event = EVENT_OUT, .outcome = BUS, .strike = fail_unseen,
	  .err = OC_E_TIMEOUT },
	{ "sending fails (timeout), but the reader has it", .event = EVENT_OUT, .outcome = BUS,
	  .strike = fail_seen, .err = OC_E_TIMEOUT },
	{ "sending fails (length)", .event = EVENT_OUT, .outcome = BUS, .strike = fail_unseen,
	  .err = OC_E_LENGTH },
	{ "sending fails (length), but the reader has it", .event = EVENT_OUT, .outcome = BUS,
	  .strike = fail_seen, .err = OC_E_LENGTH },
	{ "silence until ABORT", .event = EVENT_OUT, .outcome = BUS, .strike = fall_silent,
	  .value = DEAF_UNTIL_ABORT },
	{ "silence until the halt is cleared", .event = EVENT_OUT, .outcome = BUS, .strike = fall_silent,
	  .value = DEAF_UNTIL_HALT },
	{ "silence until the port is reset", .event = EVENT_OUT, .outcome = BUS, .strike = fall_silent,
	  .value = DEAF_UNTIL_RESET },
	{ "silence for long", .event = EVENT_OUT, .outcome = BUS, .strike = fall_silent,
	  .value = DEAF_FOR_LONG },
	{ "refused with bError", .event = EVENT_OUT, .outcome = REFUSED, .strike = refuse, .variants = 256 },
	{ "the system restarts the reader", .event = EVENT_OUT, .outcome = LOST, .strike = restart },
	{ "the system has restarted the reader", .event = EVENT_OUT, .outcome = LOST, .strike = restart,
	  .value = 1 },
	{ "a storm of slot changes", .event = EVENT_OUT, .outcome = NO_HARM, .strike = storm, .value = 500 },
	{ "the card is pulled before", .event = EVENT_OUT, .outcome = PULLED, .strike = pull_card },
	{ "a T=1 block is wrong for the card", .event = EVENT_OUT, .outcome = LINE, .strike = damage_block,
	  .value = SIM_DAMAGE_OUT },
	{ "a T=1 block of the card is wrong", .event = EVENT_OUT, .outcome = LINE, .strike = damage_block,
	  .value = SIM_DAMAGE_IN },
	{ "a T=1 block of the card has a parity error", .event = EVENT_OUT, .outcome = LINE,
	  .strike = damage_block, .value = SIM_DAMAGE_PARITY },
	{ "a T=1 block of the card is lost", .event = EVENT_OUT, .outcome = LINE, .strike = damage_block,
	  .value = SIM_DAMAGE_LOST },
	{ "the reader is pulled before", .event = EVENT_OUT, .outcome = GONE, .strike = unplug },

	/* What the reader sends */
	{ "the answer is lost", .event = EVENT_IN, .outcome = BUS, .strike = lose_answer },
	{ "it comes too late", .event = EVENT_IN, .outcome = BUS, .strike = come_late },
	{ "it comes after 3 s", .event = EVENT_IN, .outcome = BUS, .strike = come_after, .value = 3000 },
	{ "it comes after 8 s", .event = EVENT_IN, .outcome = BUS, .strike = come_after, .value = 8000 },
	{ "it comes after 100 s", .event = EVENT_IN, .outcome = BUS, .strike = come_after, .value = 100000 },
	{ "bulk-IN halts before it", .event = EVENT_IN, .outcome = BUS, .strike = stall_in, .value = 1 },
	{ "bulk-IN halts and it is lost", .event = EVENT_IN, .outcome = BUS, .strike = stall_in },
	{ "reading fails (io)", .event = EVENT_IN, .outcome = BUS, .strike = fail_read, .err = OC_E_IO },
	{ "reading fails (io), then it comes", .event = EVENT_IN, .outcome = BUS, .strike = fail_read,
	  .value = 1, .err = OC_E_IO },
	{ "reading fails (stall)", .event = EVENT_IN, .outcome = BUS, .strike = fail_read,
	  .err = OC_E_STALL },
	{ "reading fails (stall), then it comes", .event = EVENT_IN, .outcome = BUS, .strike = fail_read,
	  .value = 1, .err = OC_E_STALL },
	{ "reading fails (length)", .event = EVENT_IN, .outcome = BUS, .strike = fail_read,
	  .err = OC_E_LENGTH },
	{ "reading fails (length), then it comes", .event = EVENT_IN, .outcome = BUS, .strike = fail_read,
	  .value = 1, .err = OC_E_LENGTH },
	{ "cut at 0", .event = EVENT_IN, .outcome = BUS, .strike = cut, .value = 0 },
	{ "cut at 1", .event = EVENT_IN, .outcome = BUS, .strike = cut, .value = 1 },
	{ "cut at 5", .event = EVENT_IN, .outcome = BUS, .strike = cut, .value = 5 },
	{ "cut at 9", .event = EVENT_IN, .outcome = BUS, .strike = cut, .value = 9 },
	{ "cut at 10", .event = EVENT_IN, .outcome = BUS, .strike = cut, .value = 10 },
	{ "cut at 11", .event = EVENT_IN, .outcome = BUS, .strike = cut, .value = 11 },
	{ "cut at half", .event = EVENT_IN, .outcome = BUS, .strike = cut, .value = HALF },
	{ "1 bytes too many", .event = EVENT_IN, .outcome = NO_HARM, .strike = pad, .value = 1 },
	{ "64 bytes too many", .event = EVENT_IN, .outcome = NO_HARM, .strike = pad, .value = 64 },
	{ "502 bytes too many", .event = EVENT_IN, .outcome = NO_HARM, .strike = pad, .value = 502 },
	{ "1024 bytes too many", .event = EVENT_IN, .outcome = NO_HARM, .strike = pad, .value = 1024 },
	{ "dwLength is 1 too much", .event = EVENT_IN, .outcome = BUS, .strike = lie, .value = 1 },
	{ "dwLength is 64 too much", .event = EVENT_IN, .outcome = BUS, .strike = lie, .value = 64 },
	{ "dwLength is 65536 too much", .event = EVENT_IN, .outcome = BUS, .strike = lie, .value = 65536 },
	{ "dwLength is 2 GiB too much", .event = EVENT_IN, .outcome = BUS, .strike = lie,
	  .value = INT32_MAX },
	{ "dwLength is 2 GiB too little", .event = EVENT_IN, .outcome = BUS, .strike = lie,
	  .value = INT32_MIN },
	{ "dwLength is 1 too little", .event = EVENT_IN, .outcome = BUS, .strike = lie, .value = -1,
	  .looks_padded = true },
	{ "dwLength is 2 too little", .event = EVENT_IN, .outcome = BUS, .strike = lie, .value = -2,
	  .looks_padded = true },
	{ "wrong type (next)", .event = EVENT_IN, .outcome = BUS, .strike = wrong_type, .value = 0x01 },
	{ "wrong type (of a command)", .event = EVENT_IN, .outcome = BUS, .strike = wrong_type,
	  .value = 0xE0 },
	{ "wrong type (unknown)", .event = EVENT_IN, .outcome = BUS, .strike = wrong_type, .value = 0x08 },
	{ "slot 1", .event = EVENT_IN, .outcome = BUS, .strike = wrong_slot, .value = 1 },
	{ "slot 255", .event = EVENT_IN, .outcome = BUS, .strike = wrong_slot, .value = 255 },
	{ "bSeq is one back", .event = EVENT_IN, .outcome = BUS, .strike = wrong_seq, .value = -1 },
	{ "bSeq is one ahead", .event = EVENT_IN, .outcome = BUS, .strike = wrong_seq, .value = 1 },
	{ "bSeq is 128 away", .event = EVENT_IN, .outcome = BUS, .strike = wrong_seq, .value = 128 },
	{ "a stale answer first", .event = EVENT_IN, .outcome = NO_HARM, .strike = stale_first, .value = 1 },
	{ "five stale answers first", .event = EVENT_IN, .outcome = NO_HARM, .strike = stale_first,
	  .value = 5 },
	{ "a packet of nothing first", .event = EVENT_IN, .outcome = NO_HARM, .strike = nothing_first },
	{ "twice", .event = EVENT_IN, .outcome = NO_HARM, .strike = come_twice },
	{ "twice, the second time a second later", .event = EVENT_IN, .outcome = NO_HARM,
	  .strike = come_twice, .value = 1000 },
	{ "zeros instead", .event = EVENT_IN, .outcome = BUS, .strike = fill, .value = 10, .variants = 1 },
	{ "64 bytes alike instead", .event = EVENT_IN, .outcome = BUS, .strike = fill, .value = 64,
	  .variants = 256 },
	{ "noise instead", .event = EVENT_IN, .outcome = BUS, .strike = noise, .variants = 64 },
	{ "done, and then denied with bError F4", .event = EVENT_IN, .outcome = REFUSED, .strike = deny,
	  .value = 0xF4 },
	{ "done, and then denied with bError FB", .event = EVENT_IN, .outcome = REFUSED, .strike = deny,
	  .value = 0xFB },
	{ "done, and then denied with bError FC", .event = EVENT_IN, .outcome = REFUSED, .strike = deny,
	  .value = 0xFC },
	{ "done, and then denied with bError FD", .event = EVENT_IN, .outcome = REFUSED, .strike = deny,
	  .value = 0xFD },
	{ "done, and then denied with bError FE", .event = EVENT_IN, .outcome = REFUSED, .strike = deny,
	  .value = 0xFE },
	{ "done, and then denied with bError FF", .event = EVENT_IN, .outcome = REFUSED, .strike = deny,
	  .value = 0xFF },
	{ "done, and then denied with bError 00", .event = EVENT_IN, .outcome = REFUSED, .strike = deny,
	  .value = 0x00 },
	{ "done, and then denied with bError 81", .event = EVENT_IN, .outcome = REFUSED, .strike = deny,
	  .value = 0x81 },
	{ "300 time extensions", .event = EVENT_IN, .outcome = NO_HARM, .strike = extend, .value = 300,
	  .extra_ms = 1500 },
	{ "time extensions for ever", .event = EVENT_IN, .outcome = BUS, .strike = extend_always,
	  .value = 1000, .always = true },
	{ "time extensions for ever, fast", .event = EVENT_IN, .outcome = BUS, .strike = extend_always,
	  .value = 10, .always = true },
	{ "stale answers for ever", .event = EVENT_IN, .outcome = BUS, .strike = stale_always, .value = 100 },
	{ "stale answers for ever, at once", .event = EVENT_IN, .outcome = BUS, .strike = stale_always },
	{ "packets of nothing for ever, at once", .event = EVENT_IN, .outcome = BUS,
	  .strike = nothing_always },
	{ "the system restarts the reader instead", .event = EVENT_IN, .outcome = LOST, .strike = restart },
	{ "the card is pulled behind it", .event = EVENT_IN, .outcome = PULLED, .strike = pull_behind },
	{ "the reader is pulled instead", .event = EVENT_IN, .outcome = GONE, .strike = unplug },

	/* Control requests, ABORT among them */
	{ "the request fails (stall)", .event = EVENT_CONTROL, .outcome = BUS, .strike = fail_unseen,
	  .err = OC_E_STALL },
	{ "the request fails (timeout)", .event = EVENT_CONTROL, .outcome = BUS, .strike = fail_unseen,
	  .err = OC_E_TIMEOUT },
	{ "the request fails (io)", .event = EVENT_CONTROL, .outcome = BUS, .strike = fail_unseen,
	  .err = OC_E_IO },
	{ "the request fails (io), but the reader has it", .event = EVENT_CONTROL, .outcome = BUS,
	  .strike = fail_seen, .err = OC_E_IO },
	{ "the reader is pulled at the request", .event = EVENT_CONTROL, .outcome = GONE, .strike = unplug },
	{ "the card is pulled at the request", .event = EVENT_CONTROL, .outcome = PULLED,
	  .strike = pull_card },

	/* Clearing a halt */
	{ "the halt cannot be cleared", .event = EVENT_HALT, .outcome = BUS, .strike = fail_unseen,
	  .err = OC_E_IO },
	{ "the reader is pulled at the halt", .event = EVENT_HALT, .outcome = GONE, .strike = unplug },

	/* Resetting the port */
	{ "the port cannot be reset", .event = EVENT_RESET, .outcome = BUS, .strike = fail_unseen,
	  .err = OC_E_IO },
	{ "the reader is pulled at the reset", .event = EVENT_RESET, .outcome = GONE, .strike = unplug },
};

const unsigned faults_len = sizeof faults / sizeof faults[0];
