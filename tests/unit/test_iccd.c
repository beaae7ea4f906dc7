/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* USB ICCD rev 1.0, versions A and B: which control requests a CCID command becomes, and what becomes of their answers. */
#include "ccid/iccd.h"
#include "slot_bench.h"

enum { INTERFACE = 2, SEQ = 0x2A, CAP = 64, MOST = 4096 };

/* ---- a token that follows a script ----------------------------------------------------------------------------------- */

struct request {
	uint8_t type, request;
	uint16_t value;
	const uint8_t *bytes; /* the data stage, either way */
	size_t len;
	size_t asked; /* from the token: wLength */
	enum oc_err err;
	unsigned rest; /* at least so many ms after the one before */
};

#define DATA(...) .bytes = (const uint8_t[]){ __VA_ARGS__ }, .len = sizeof((const uint8_t[]){ __VA_ARGS__ })
#define PUT(req, value, ...)                        \
	{                                           \
		0x21, req, value, DATA(__VA_ARGS__) \
	}
#define PUT_NOTHING(req, value)            \
	{                                  \
		0x21, req, value, .len = 0 \
	}
#define GET(req, wanted, ...)                                    \
	{                                                        \
		0xA1, req, 0, DATA(__VA_ARGS__), .asked = wanted \
	}
#define GET_LATER(ms, req, wanted, ...)                                      \
	{                                                                    \
		0xA1, req, 0, DATA(__VA_ARGS__), .asked = wanted, .rest = ms \
	}
#define GET_NOTHING(req, wanted)              \
	{                                     \
		0xA1, req, 0, .asked = wanted \
	}
#define GET_FAILS(req, wanted, e)                       \
	{                                               \
		0xA1, req, 0, .asked = wanted, .err = e \
	}
#define PUT_FAILS(req, value, e, ...)                         \
	{                                                     \
		0x21, req, value, DATA(__VA_ARGS__), .err = e \
	}
#define REQUESTS(...)            \
	(const struct request[]) \
	{                        \
		__VA_ARGS__,     \
		{                \
			0        \
		}                \
	}
#define NOTHING                  \
	(const struct request[]) \
	{                        \
		{                \
			0        \
		}                \
	}

struct token {
	struct transport base; /* first */
	const char *name;
	const struct request *next;
	bool for_ever; /* the last request is the one that comes again and again */
	uint64_t clock, last;
	size_t short_by; /* so many bytes less than were sent arrive */
	size_t long_by;  /* so many bytes more than were asked for are said to have come */
	unsigned requests, interrupts, wakes, gones, closes;
};

static struct token *token_of(struct transport *t)
{
	return (struct token *)(void *)t;
}

static enum oc_err take(struct token *token, const struct request *r, uint8_t *data, size_t *len)
{
	if (r->type == 0x21) {
		CHECK_BYTES(token->name, data, *len, r->bytes, r->len);
		*len -= token->short_by;
		return r->err;
	}
	CHECK_INT(token->name, *len, r->asked);
	*len = r->len < *len ? r->len : *len;
	if (*len)
		memcpy(data, r->bytes, *len);
	*len += token->long_by;
	return r->err;
}

static enum oc_err on_control(struct transport *t, const struct transport_setup *setup, uint8_t *data,
			      size_t *len, unsigned ms)
{
	struct token *token = token_of(t);
	const struct request *r = token->next;
	const bool known =
		setup->request_type == r->type && setup->request == r->request && setup->value == r->value;

	token->requests++;
	CHECK(token->name, known);
	CHECK_INT(token->name, setup->index, INTERFACE);
	CHECK(token->name, ms > 0 && ms <= 5000);
	CHECK(token->name, *len <= MOST);
	if (!known) {
		print_error("  sent %02X %02X %04X\n", setup->request_type, setup->request, setup->value);
		return OC_E_STALL;
	}
	CHECK(token->name, token->clock >= token->last + r->rest);
	token->last = token->clock;
	if (!token->for_ever || r[1].type)
		token->next++;
	return take(token, r, data, len);
}

static uint64_t on_now(struct transport *t)
{
	return token_of(t)->clock;
}

static void on_pause(struct transport *t, unsigned ms)
{
	CHECK(token_of(t)->name, ms > 0);
	token_of(t)->clock += ms;
}

static enum oc_err on_interrupt(struct transport *t, uint8_t *buf, size_t cap, size_t *len, unsigned ms)
{
	(void)ms;
	token_of(t)->interrupts++;
	CHECK("interrupt", cap >= 2);
	buf[0] = 0x50;
	buf[1] = 0x03;
	*len = 2;
	return OC_OK;
}

static void on_wake(struct transport *t)
{
	token_of(t)->wakes++;
}

static void on_gone(struct transport *t)
{
	token_of(t)->gones++;
}

static void on_close(struct transport *t)
{
	token_of(t)->closes++;
}

static const struct transport_ops token_ops = {
	.control = on_control,
	.now = on_now,
	.pause = on_pause,
	.interrupt = on_interrupt,
	.wake = on_wake,
	.gone = on_gone,
	.close = on_close,
};

static struct transport *wrap(struct token *token, const char *name, enum iccd_version version,
			      const struct request *requests)
{
	struct transport *t;

	*token = (struct token){ .base.ops = &token_ops, .name = name, .next = requests };
	assert_int_equal(iccd_wrap(&token->base, version, INTERFACE, &t), OC_OK);
	return t;
}

/* ---- one command ------------------------------------------------------------------------------------------------------- */

#define COMMAND(type, len, b7, b8, b9, ...) BYTES(type, len, 0, 0, 0, 0, SEQ, b7, b8, b9, __VA_ARGS__)
#define BARE(type, b7)                      BYTES(type, 0, 0, 0, 0, 0, SEQ, b7, 0, 0)
#define ANSWER(type, len, status, error, b9, ...) \
	BYTES(type, len, 0, 0, 0, 0, SEQ, status, error, b9, __VA_ARGS__)
#define WORD(type, status, error) BYTES(type, 0, 0, 0, 0, 0, SEQ, status, error, 0)
#define NO_ANSWER                 NULL, 0

struct row {
	const char *name;
	const uint8_t *command;
	size_t command_len;
	const struct request *requests;
	const uint8_t *answer;
	size_t answer_len;
	enum oc_err sent, received; /* what send() and recv() return */
};

#define READ_2              0x00, 0xB0, 0x00, 0x00, 0x02
#define WRITE_2             0x00, 0xD6, 0x00, 0x00, 0x02
#define READ                COMMAND(0x6F, 5, 0, 0, 0, READ_2)
#define A_SAYS(state)       GET(0xA0, 1, state)
#define A_SAYS_LATER(state) GET_LATER(10, 0xA0, 1, state)
#define DONE                A_SAYS(0x20), GET(0x6F, 2, 0x90, 0x00)

static const struct row version_a[] = {
	{ "power on", BARE(0x62, 0), REQUESTS(GET(0x62, 64, 0x3B, 0x00)),
	  ANSWER(0x80, 2, 0, 0, 0, 0x3B, 0x00), 0, 0 },
	{ "power off", BARE(0x63, 0), REQUESTS(PUT_NOTHING(0x63, 0)), WORD(0x81, 1, 0), 0, 0 },
	{ "status: ready", BARE(0x65, 0), REQUESTS(A_SAYS(0x00)), WORD(0x81, 0, 0), 0, 0 },
	{ "status: mute, but powered", BARE(0x65, 0), REQUESTS(A_SAYS(0x80)), WORD(0x81, 0, 0), 0, 0 },
	{ "status: busy, then ready", BARE(0x65, 0), REQUESTS(A_SAYS(0x40), A_SAYS_LATER(0x00)),
	  WORD(0x81, 0, 0), 0, 0 },

	{ "2S", READ, REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x10), GET(0x6F, 2, 0xAA, 0xBB), DONE),
	  ANSWER(0x80, 4, 0, 0, 0, 0xAA, 0xBB, 0x90, 0x00), 0, 0 },
	{ "2S: Le 00 asks for 256", COMMAND(0x6F, 5, 0, 0, 0, 0x00, 0xB0, 0x00, 0x00, 0x00),
	  REQUESTS(PUT(0x65, 0, 0x00, 0xB0, 0x00, 0x00, 0x00), A_SAYS(0x10), GET(0x6F, 256, 0xAA, 0xBB),
		   DONE),
	  ANSWER(0x80, 4, 0, 0, 0, 0xAA, 0xBB, 0x90, 0x00), 0, 0 },
	{ "2S: the status alone", READ,
	  REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x20), GET(0x6F, 2, 0x6C, 0x05)),
	  ANSWER(0x80, 2, 0, 0, 0, 0x6C, 0x05), 0, 0 },
	{ "2S: fewer data", READ, REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x10), GET(0x6F, 2, 0xAA), DONE),
	  ANSWER(0x80, 3, 0, 0, 0, 0xAA, 0x90, 0x00), 0, 0 },
	{ "3S: header, then data", COMMAND(0x6F, 7, 0, 0, 0, WRITE_2, 7, 8),
	  REQUESTS(PUT(0x65, 0, WRITE_2), A_SAYS(0x10), PUT(0x65, 0, 7, 8), DONE),
	  ANSWER(0x80, 2, 0, 0, 0, 0x90, 0x00), 0, 0 },
	{ "3S: the card does not want the data", COMMAND(0x6F, 7, 0, 0, 0, WRITE_2, 7, 8),
	  REQUESTS(PUT(0x65, 0, WRITE_2), A_SAYS(0x20), GET(0x6F, 2, 0x6E, 0x00)),
	  ANSWER(0x80, 2, 0, 0, 0, 0x6E, 0x00), 0, 0 },
	{ "1: P3 is 00", COMMAND(0x6F, 4, 0, 0, 0, 0x00, 0x44, 0x00, 0x00),
	  REQUESTS(PUT(0x65, 0, 0x00, 0x44, 0x00, 0x00, 0x00), DONE), ANSWER(0x80, 2, 0, 0, 0, 0x90, 0x00), 0,
	  0 },
	{ "busy at every place", READ,
	  REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x40), A_SAYS_LATER(0x4F), A_SAYS_LATER(0x10),
		   GET(0x6F, 2, 0xAA, 0xBB), A_SAYS(0x41), A_SAYS_LATER(0x20), GET(0x6F, 2, 0x90, 0x00)),
	  ANSWER(0x80, 4, 0, 0, 0, 0xAA, 0xBB, 0x90, 0x00), 0, 0 },
	{ "mute", READ, REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x80)), WORD(0x80, 0x40, 0xFE), 0, 0 },
	{ "mute after the data", READ,
	  REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x10), GET(0x6F, 2, 0xAA, 0xBB), A_SAYS(0x80)),
	  WORD(0x80, 0x40, 0xFE), 0, 0 },

	{ "ready where a status is due", READ, REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x00)), NO_ANSWER, 0,
	  OC_E_ANSWER },
	{ "a state that does not exist", READ, REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x30)), NO_ANSWER, 0,
	  OC_E_ANSWER },
	{ "data twice", READ,
	  REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x10), GET(0x6F, 2, 0xAA, 0xBB), A_SAYS(0x10)), NO_ANSWER, 0,
	  OC_E_ANSWER },
	{ "no state", READ, REQUESTS(PUT(0x65, 0, READ_2), GET_NOTHING(0xA0, 1)), NO_ANSWER, 0, OC_E_SHORT },
	{ "half a status", READ, REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x20), GET(0x6F, 2, 0x90)), NO_ANSWER,
	  0, OC_E_SHORT },
	{ "no status", READ, REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x20), GET_NOTHING(0x6F, 2)), NO_ANSWER, 0,
	  OC_E_SHORT },
	{ "the token stalls the command", READ, REQUESTS(PUT_FAILS(0x65, 0, OC_E_STALL, READ_2)), NO_ANSWER,
	  OC_E_STALL, 0 },
	{ "the token stalls its state", READ, REQUESTS(PUT(0x65, 0, READ_2), GET_FAILS(0xA0, 1, OC_E_STALL)),
	  NO_ANSWER, 0, OC_E_STALL },
	{ "it is unplugged in the data", READ,
	  REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x10), GET_FAILS(0x6F, 2, OC_E_GONE)), NO_ANSWER, 0,
	  OC_E_GONE },
	{ "three bytes are no TPDU", COMMAND(0x6F, 3, 0, 0, 0, 0x00, 0x44, 0x00), NOTHING, NO_ANSWER,
	  OC_E_LENGTH, 0 },
	{ "nor is nothing", BARE(0x6F, 0), NOTHING, NO_ANSWER, OC_E_LENGTH, 0 },
	{ "no ATR", BARE(0x62, 0), REQUESTS(GET_NOTHING(0x62, 64)), WORD(0x80, 0, 0), 0, 0 },
	{ "power on is stalled", BARE(0x62, 0), REQUESTS(GET_FAILS(0x62, 64, OC_E_STALL)), NO_ANSWER, 0,
	  OC_E_STALL },

	{ "no parameters", BARE(0x6C, 0), NOTHING, WORD(0x82, 0x40, 0), 0, 0 },
	{ "none to be set", COMMAND(0x61, 5, 0, 0, 0, 0x11, 0, 0, 10, 0), NOTHING, WORD(0x82, 0x40, 0), 0,
	  0 },
	{ "no Escape", COMMAND(0x6B, 1, 0, 0, 0, 1), NOTHING, WORD(0x83, 0x40, 0), 0, 0 },
	{ "no PIN entry", COMMAND(0x69, 1, 0, 0, 0, 1), NOTHING, WORD(0x80, 0x40, 0), 0, 0 },
	{ "no ABORT", BARE(0x72, 0), NOTHING, WORD(0x81, 0x40, 0), 0, 0 },
	{ "no rates", COMMAND(0x73, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), NOTHING, WORD(0x84, 0x40, 0), 0, 0 },
};

#define B_READ           PUT(0x65, 0, READ_2)
#define B_GET(...)       GET(0x6F, MOST, __VA_ARGS__)
#define B_LATER(ms, ...) GET_LATER(ms, 0x6F, MOST, __VA_ARGS__)

static const struct row version_b[] = {
	{ "power on", BARE(0x62, 0), REQUESTS(PUT_NOTHING(0x62, 1), B_GET(0x00, 0x3B, 0x00)),
	  ANSWER(0x80, 2, 0, 0, 0, 0x3B, 0x00), 0, 0 },
	{ "power on, polling", BARE(0x62, 0),
	  REQUESTS(PUT_NOTHING(0x62, 1), B_GET(0x80, 1, 0), B_LATER(10, 0x00, 0x3B, 0x00)),
	  ANSWER(0x80, 2, 0, 0, 0, 0x3B, 0x00), 0, 0 },
	{ "power off", BARE(0x63, 0), REQUESTS(PUT_NOTHING(0x63, 0), GET(0x81, 3, 0x00, 0x01, 0x00)),
	  WORD(0x81, 1, 0), 0, 0 },
	{ "status: active", BARE(0x65, 0), REQUESTS(GET(0x81, 3, 0x00, 0x00, 0x00)), WORD(0x81, 0, 0), 0, 0 },
	{ "status: not there", BARE(0x65, 0), REQUESTS(GET(0x81, 3, 0x00, 0x02, 0x00)), WORD(0x81, 2, 0), 0,
	  0 },
	{ "status: failed", BARE(0x65, 0), REQUESTS(GET(0x81, 3, 0x40, 0x41, 0xFE)), WORD(0x81, 0x41, 0xFE),
	  0, 0 },
	{ "status: two bytes", BARE(0x65, 0), REQUESTS(GET(0x81, 3, 0x00, 0x01)), NO_ANSWER, 0, OC_E_SHORT },
	{ "status: stalled", BARE(0x65, 0), REQUESTS(GET_FAILS(0x81, 3, OC_E_STALL)), NO_ANSWER, 0,
	  OC_E_STALL },

	{ "an APDU", READ, REQUESTS(B_READ, B_GET(0x00, 0xAA, 0x90, 0x00)),
	  ANSWER(0x80, 3, 0, 0, 0, 0xAA, 0x90, 0x00), 0, 0 },
	{ "an empty answer", READ, REQUESTS(B_READ, B_GET(0x00)), WORD(0x80, 0, 0), 0, 0 },
	{ "a command begins", COMMAND(0x6F, 2, 0, 1, 0, 1, 2), REQUESTS(PUT(0x65, 0x0100, 1, 2), B_GET(0x10)),
	  BYTES(0x80, 0, 0, 0, 0, 0, SEQ, 0, 0, 0x10), 0, 0 },
	{ "a command goes on", COMMAND(0x6F, 2, 0, 3, 0, 1, 2),
	  REQUESTS(PUT(0x65, 0x0300, 1, 2), B_GET(0x10)), BYTES(0x80, 0, 0, 0, 0, 0, SEQ, 0, 0, 0x10), 0, 0 },
	{ "a command ends, the answer begins", COMMAND(0x6F, 2, 0, 2, 0, 1, 2),
	  REQUESTS(PUT(0x65, 0x0200, 1, 2), B_GET(0x01, 0xAA)), ANSWER(0x80, 1, 0, 0, 1, 0xAA), 0, 0 },
	{ "the answer goes on", BYTES(0x6F, 0, 0, 0, 0, 0, SEQ, 0, 0x10, 0),
	  REQUESTS(PUT_NOTHING(0x65, 0x1000), B_GET(0x03, 0xBB)), ANSWER(0x80, 1, 0, 0, 3, 0xBB), 0, 0 },
	{ "the answer ends", BYTES(0x6F, 0, 0, 0, 0, 0, SEQ, 0, 0x10, 0),
	  REQUESTS(PUT_NOTHING(0x65, 0x1000), B_GET(0x02, 0x90, 0x00)), ANSWER(0x80, 2, 0, 0, 2, 0x90, 0x00),
	  0, 0 },

	{ "polling with a delay of 50 ms", READ,
	  REQUESTS(B_READ, B_GET(0x80, 5, 0), B_LATER(50, 0x00, 0x90, 0x00)),
	  ANSWER(0x80, 2, 0, 0, 0, 0x90, 0x00), 0, 0 },
	{ "polling, the host chooses", READ,
	  REQUESTS(B_READ, B_GET(0x80, 0, 0), B_LATER(1, 0x80, 0, 0), B_LATER(1, 0x00, 0x90, 0x00)),
	  ANSWER(0x80, 2, 0, 0, 0, 0x90, 0x00), 0, 0 },
	{ "polling with two bytes", READ, REQUESTS(B_READ, B_GET(0x80, 5)), NO_ANSWER, 0, OC_E_SHORT },
	{ "polling with one byte", READ, REQUESTS(B_READ, B_GET(0x80)), NO_ANSWER, 0, OC_E_SHORT },
	{ "a failure", READ, REQUESTS(B_READ, B_GET(0x40, 0x40, 0xFE)), WORD(0x80, 0x40, 0xFE), 0, 0 },
	{ "a failure, and the card is off", READ, REQUESTS(B_READ, B_GET(0x40, 0x41, 0xFB)),
	  WORD(0x80, 0x41, 0xFB), 0, 0 },
	{ "a failure without reason", READ, REQUESTS(B_READ, B_GET(0x40, 0x40)), NO_ANSWER, 0, OC_E_SHORT },
	{ "a failure without status", READ, REQUESTS(B_READ, B_GET(0x40)), NO_ANSWER, 0, OC_E_SHORT },
	{ "nothing", READ, REQUESTS(B_READ, GET_NOTHING(0x6F, MOST)), NO_ANSWER, 0, OC_E_SHORT },
	{ "type 04", READ, REQUESTS(B_READ, B_GET(0x04, 0x90, 0x00)), NO_ANSWER, 0, OC_E_ANSWER },
	{ "type 11", READ, REQUESTS(B_READ, B_GET(0x11)), NO_ANSWER, 0, OC_E_ANSWER },
	{ "type 41", READ, REQUESTS(B_READ, B_GET(0x41, 0x40, 0xFE)), NO_ANSWER, 0, OC_E_ANSWER },
	{ "type 81", READ, REQUESTS(B_READ, B_GET(0x81, 1, 0)), NO_ANSWER, 0, OC_E_ANSWER },
	{ "type FF", READ, REQUESTS(B_READ, B_GET(0xFF)), NO_ANSWER, 0, OC_E_ANSWER },
	{ "the token stalls the command", READ, REQUESTS(PUT_FAILS(0x65, 0, OC_E_STALL, READ_2)), NO_ANSWER,
	  OC_E_STALL, 0 },
	{ "the token stalls the answer", READ, REQUESTS(B_READ, GET_FAILS(0x6F, MOST, OC_E_STALL)), NO_ANSWER,
	  0, OC_E_STALL },
	{ "it is unplugged while it polls", READ,
	  REQUESTS(B_READ, B_GET(0x80, 5, 0), GET_FAILS(0x6F, MOST, OC_E_GONE)), NO_ANSWER, 0, OC_E_GONE },

	{ "no parameters to be set", COMMAND(0x61, 5, 1, 0, 0, 0x11, 0, 0, 10, 0), NOTHING,
	  WORD(0x82, 0x40, 0), 0, 0 },
	{ "no Escape", COMMAND(0x6B, 1, 0, 0, 0, 1), NOTHING, WORD(0x83, 0x40, 0), 0, 0 },
	{ "dwLength is more than there is", BYTES(0x6F, 6, 0, 0, 0, 0, SEQ, 0, 0, 0, READ_2), NOTHING,
	  NO_ANSWER, OC_E_LENGTH, 0 },
	{ "nine bytes are no command", BYTES(0x6F, 0, 0, 0, 0, 0, SEQ, 0, 0), NOTHING, NO_ANSWER, OC_E_LENGTH,
	  0 },
};

static void play(const struct row *row, enum iccd_version version)
{
	struct token token;
	struct transport *t = wrap(&token, row->name, version, row->requests);
	uint8_t *out = exact_copy(row->command, row->command_len), *in = malloc(CAP);
	size_t len = 77;

	assert_non_null(in);
	memset(in, 0xEE, CAP);
	CHECK_INT(row->name, t->ops->send(t, out, row->command_len, in, CAP, 1000), row->sent);
	if (row->sent == OC_OK)
		CHECK_INT(row->name, t->ops->recv(t, &len, 5000), row->received);
	if (row->sent == OC_OK && row->received == OC_OK)
		CHECK_BYTES(row->name, in, len, row->answer, row->answer_len);
	CHECK(row->name, token.next->type == 0);
	/* The answer is taken: there is no other. */
	if (row->sent == OC_OK && row->received == OC_OK)
		CHECK_INT(row->name, t->ops->recv(t, &len, 5), OC_E_TIMEOUT);
	t->ops->close(t);
	CHECK_INT(row->name, token.closes, 1);
	free(out);
	free(in);
}

static void commands_of_version_a(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(version_a); i++)
		play(&version_a[i], ICCD_A);
	check_done();
}

static void commands_of_version_b(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(version_b); i++)
		play(&version_b[i], ICCD_B);
	check_done();
}

/* ---- patience ------------------------------------------------------------------------------------------------------------ */

/* A token that is busy for ever: asked until the caller's time is over, and not beyond, in steps of a second at most. */
static const struct {
	const char *name;
	enum iccd_version version;
	const struct request *requests;
	unsigned ms, least, most; /* the caller's time; so many requests */
} busy_rows[] = {
	{ "A: every 10 ms", ICCD_A, REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x40)), 1000, 50, 102 },
	{ "A: no time at all", ICCD_A, REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x40)), 0, 2, 2 },
	{ "B: every 50 ms", ICCD_B, REQUESTS(PUT(0x65, 0, READ_2), B_GET(0x80, 5, 0)), 1000, 15, 22 },
	{ "B: the host chooses", ICCD_B, REQUESTS(PUT(0x65, 0, READ_2), B_GET(0x80, 0, 0)), 1000, 10, 1002 },
	{ "B: 655,350 ms", ICCD_B, REQUESTS(PUT(0x65, 0, READ_2), B_GET(0x80, 0xFF, 0xFF)), 5000, 5, 7 },
	{ "B: less than one delay is left", ICCD_B, REQUESTS(PUT(0x65, 0, READ_2), B_GET(0x80, 50, 0)), 499,
	  2, 2 },
};

static void busy_for_ever(void **state)
{
	const uint8_t command[] = { 0x6F, 5, 0, 0, 0, 0, SEQ, 0, 0, 0, READ_2 };

	(void)state;
	for (size_t i = 0; i < COUNT(busy_rows); i++) {
		const char *name = busy_rows[i].name;
		struct token token;
		struct transport *t = wrap(&token, name, busy_rows[i].version, busy_rows[i].requests);
		uint8_t in[CAP];
		size_t len;

		token.for_ever = true;
		CHECK_INT(name, t->ops->send(t, command, sizeof command, in, sizeof in, 1000), OC_OK);
		CHECK_INT(name, t->ops->recv(t, &len, busy_rows[i].ms), OC_E_TIMEOUT);
		CHECK(name, token.clock <= busy_rows[i].ms);
		CHECK(name, token.requests >= busy_rows[i].least && token.requests <= busy_rows[i].most);
		t->ops->close(t);
	}
	check_done();
}

/* ---- lengths --------------------------------------------------------------------------------------------------------------- */

/* Linux takes 4096 bytes in one control transfer. */
static void long_commands(void **state)
{
	static uint8_t command[10 + MOST + 1], in[CAP];
	const struct request requests[] = { { 0x21, 0x65, 0x0100, command + 10, MOST, 0, OC_OK, 0 },
					    B_GET(0x10),
					    { 0 } };

	(void)state;
	/* requests[2] is the end: nothing is sent. */
	for (size_t more = 0; more < 2; more++) {
		const char *name = more ? "4097 bytes" : "4096 bytes";
		struct token token;
		struct transport *t = wrap(&token, name, ICCD_B, more ? &requests[2] : requests);
		size_t len;

		memcpy(command, ((const uint8_t[]){ 0x6F, (uint8_t)more, MOST >> 8, 0, 0, 0, SEQ, 0, 1, 0 }),
		       10);
		memset(command + 10, 7, MOST + 1);
		CHECK_INT(name, t->ops->send(t, command, 10 + MOST + more, in, sizeof in, 1000),
			  more ? OC_E_SPACE : OC_OK);
		if (!more) {
			CHECK_INT(name, t->ops->recv(t, &len, 1000), OC_OK);
			CHECK_BYTES(name, in, len,
				    ((const uint8_t[]){ 0x80, 0, 0, 0, 0, 0, SEQ, 0, 0, 0x10 }), 10);
		}
		t->ops->close(t);
	}
	check_done();
}

/* The caller's buffer is what it is; and what does not arrive at the token was not sent. */
static void room_and_loss(void **state)
{
	const uint8_t command[] = { 0x6F, 5, 0, 0, 0, 0, SEQ, 0, 0, 0, READ_2 };
	struct token token;
	struct transport *t = wrap(&token, "no room", ICCD_B, REQUESTS(B_READ, B_GET(0x00, 1, 2, 3, 4)));
	uint8_t *in = malloc(13);
	size_t len;

	(void)state;
	CHECK_INT("no room", t->ops->send(t, command, sizeof command, in, 13, 1000), OC_OK);
	CHECK_INT("no room", t->ops->recv(t, &len, 1000), OC_E_SPACE);
	t->ops->close(t);
	free(in);

	in = malloc(14);
	t = wrap(&token, "exact room", ICCD_B, REQUESTS(B_READ, B_GET(0x00, 1, 2, 3, 4)));
	CHECK_INT("exact room", t->ops->send(t, command, sizeof command, in, 14, 1000), OC_OK);
	CHECK_INT("exact room", t->ops->recv(t, &len, 1000), OC_OK);
	CHECK_INT("exact room", len, 14);
	t->ops->close(t);

	t = wrap(&token, "a byte is lost", ICCD_B, REQUESTS(B_READ));
	token.short_by = 1;
	CHECK_INT("a byte is lost", t->ops->send(t, command, sizeof command, in, 14, 1000), OC_E_IO);
	t->ops->close(t);

	t = wrap(&token, "more than was asked for", ICCD_A, REQUESTS(PUT(0x65, 0, READ_2), A_SAYS(0x10)));
	token.long_by = 1;
	CHECK_INT("more than was asked for", t->ops->send(t, command, sizeof command, in, 14, 1000), OC_OK);
	CHECK_INT("more than was asked for", t->ops->recv(t, &len, 1000), OC_E_LENGTH);
	t->ops->close(t);
	free(in);
	check_done();
}

/* Version A, case 1: there is no P3 in the command, and what stands behind it must not be taken for one. */
static void data_where_there_are_none(void **state)
{
	const uint8_t command[] = { 0x6F, 4,    0,    0,    0,
				    0,    SEQ,  0,    0,    0,
				    0x00, 0x44, 0x00, 0x00, /* behind it: */ 7 };
	struct token token;
	struct transport *t = wrap(&token, "case 1 with data", ICCD_A,
				   REQUESTS(PUT(0x65, 0, 0x00, 0x44, 0x00, 0x00, 0x00), A_SAYS(0x10)));
	uint8_t in[CAP];
	size_t len;

	(void)state;
	CHECK_INT("case 1 with data", t->ops->send(t, command, 14, in, sizeof in, 1000), OC_OK);
	CHECK_INT("case 1 with data", t->ops->recv(t, &len, 1000), OC_E_ANSWER);
	t->ops->close(t);
	check_done();
}

/* ---- the rest of a transport ------------------------------------------------------------------------------------------------ */

static void other_calls(void **state)
{
	const struct transport_setup abort = { .request_type = 0x21, .request = 0x01, .index = INTERFACE };
	const uint8_t command[] = { 0x65, 0, 0, 0, 0, 0, SEQ, 0, 0, 0 };
	struct token token;
	struct transport *t = wrap(&token, "others", ICCD_B, NOTHING);
	uint8_t in[CAP];
	size_t len = 0;

	(void)state;
	CHECK_INT("nothing was sent", t->ops->recv(t, &len, 10), OC_E_TIMEOUT);
	CHECK_INT("there is no ABORT", t->ops->control(t, &abort, NULL, &len, 100), OC_E_STALL);
	CHECK_INT("and the token never hears of it", token.requests, 0);
	CHECK_INT("sent", t->ops->send(t, command, sizeof command, in, sizeof in, 1000), OC_OK);
	CHECK_INT("cleared", t->ops->clear_halt(t), OC_OK);
	CHECK_INT("forgotten", t->ops->recv(t, &len, 10), OC_E_TIMEOUT);
	CHECK_INT("interrupt", t->ops->interrupt(t, in, sizeof in, &len, 10), OC_OK);
	CHECK_BYTES("interrupt", in, len, ((const uint8_t[]){ 0x50, 0x03 }), 2);
	t->ops->wake(t);
	t->ops->gone(t);
	t->ops->pause(t, 33);
	CHECK_INT("time", t->ops->now(t), token.clock);
	CHECK_INT("time", token.clock >= 33, true);
	CHECK_INT("wake", token.wakes, 1);
	CHECK_INT("gone", token.gones, 1);
	t->ops->close(t);
	CHECK_INT("close", token.closes, 1);
	check_done();
}

/* ---- through a slot --------------------------------------------------------------------------------------------------------- */

static void through_a_slot(const char *name, enum iccd_version version, enum ccid_level level,
			   const struct request *requests)
{
	struct token token;
	struct script_log log;
	struct reader *reader;
	struct slot *slot;
	uint8_t atr[ATR_MAX], rx[258];
	size_t atr_len = 0, len = sizeof rx;
	const struct reader_setup setup = {
		.transport = wrap(&token, name, version, requests),
		.log = &log.log,
		.interface = INTERFACE,
		.caps = { .level = level,
			  .features = 0x848,
			  .slots = 1,
			  .busy_slots = 1,
			  .voltages = 1,
			  .t0 = true,
			  .t1 = true,
			  .clock_khz = 4000,
			  .max_message = 271,
			  .max_ifsd = 254 },
	};

	script_log_begin(&log);
	assert_int_equal(reader_open(&setup, &reader), OC_OK);
	slot = reader_slot(reader, 0);
	CHECK_INT(name, slot_power_up(slot, atr, &atr_len), OC_OK);
	CHECK_BYTES(name, atr, atr_len, ((const uint8_t[]){ 0x3B, 0x00 }), 2);
	CHECK_INT(name, slot_transmit(slot, ((const uint8_t[]){ READ_2 }), 5, rx, &len), OC_OK);
	CHECK_BYTES(name, rx, len, ((const uint8_t[]){ 0xAA, 0xBB, 0x90, 0x00 }), 4);
	reader_close(reader);
	CHECK(name, token.next->type == 0);
	CHECK_INT(name, token.closes, 1);
}

static void from_power_on_to_power_off(void **state)
{
	(void)state;
	through_a_slot("A", ICCD_A, CCID_TPDU,
		       REQUESTS(A_SAYS(0x00), GET(0x62, 64, 0x3B, 0x00), PUT(0x65, 0, READ_2), A_SAYS(0x10),
				GET(0x6F, 2, 0xAA, 0xBB), DONE, PUT_NOTHING(0x63, 0)));
	through_a_slot("B", ICCD_B, CCID_SHORT_APDU,
		       REQUESTS(GET(0x81, 3, 0, 1, 0), PUT_NOTHING(0x62, 1), B_GET(0x00, 0x3B, 0x00),
				PUT(0x65, 0, READ_2), B_GET(0x00, 0xAA, 0xBB, 0x90, 0x00),
				PUT_NOTHING(0x63, 0), GET(0x81, 3, 0, 1, 0)));
	through_a_slot("B, extended, the answer in parts", ICCD_B, CCID_EXTENDED_APDU,
		       REQUESTS(GET(0x81, 3, 0, 1, 0), PUT_NOTHING(0x62, 1), B_GET(0x00, 0x3B, 0x00),
				PUT(0x65, 0, READ_2), B_GET(0x80, 3, 0), B_LATER(30, 0x01, 0xAA),
				PUT_NOTHING(0x65, 0x1000), B_GET(0x02, 0xBB, 0x90, 0x00),
				PUT_NOTHING(0x63, 0), GET(0x81, 3, 0, 1, 0)));
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_of_version_a), cmocka_unit_test(commands_of_version_b),
		cmocka_unit_test(busy_for_ever),         cmocka_unit_test(long_commands),
		cmocka_unit_test(room_and_loss),         cmocka_unit_test(data_where_there_are_none),
		cmocka_unit_test(other_calls),           cmocka_unit_test(from_power_on_to_power_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
