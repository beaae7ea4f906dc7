/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The T=1 card's block machine: what a card answers to a block (ISO 7816-3, 11.3 and 11.6). */
#include "card_t1.h"

#include <string.h>

enum {
	DEFAULT_IFS = 32,
	MAX_IFS = 254,

	I_SEQUENCE = 0x40,
	I_MORE = 0x20,
	R_BLOCK = 0x80,
	R_SEQUENCE = 0x10,
	EDC_WRONG = 1,
	OTHER_WRONG = 2,
	RESYNCH = 0xC0,
	IFS = 0xC1,
	ABORT = 0xC2,
	WTX = 0xC3,
	RESPONSE = 0x20,
};

/* ---- EDC ----------------------------------------------------------------------------------------------------------- */

/* Division by x^16 + x^12 + x^5 + 1, as on paper: each bit in the order of the line enters at the low end of the sum. */
uint16_t sim_t1_crc(const uint8_t *bytes, size_t len)
{
	unsigned rest = 0xFFFF, turned = 0;

	for (size_t i = 0; i < 8 * len; i++) {
		const unsigned in = (unsigned)bytes[i / 8] >> i % 8 & 1u;
		const unsigned out = rest >> 15 & 1u;

		rest = rest << 1 & 0xFFFF;
		if (in ^ out)
			rest ^= 1u << 12 | 1u << 5 | 1u;
	}
	for (unsigned i = 0; i < 16; i++)
		turned |= (rest >> i & 1u) << (15 - i);
	return (uint16_t)turned;
}

size_t sim_t1_seal(uint8_t *block, size_t len, bool crc)
{
	uint8_t sum = 0;

	if (crc) {
		const uint16_t rest = sim_t1_crc(block, len);

		block[len] = (uint8_t)(rest >> 8);
		block[len + 1] = (uint8_t)(rest & 0xFF);
		return len + 2;
	}
	for (size_t i = 0; i < len; i++)
		sum ^= block[i];
	block[len] = sum;
	return len + 1;
}

bool sim_t1_sealed(const uint8_t *block, size_t len, bool crc)
{
	uint8_t sum = 0;

	if (crc)
		return len >= 2 && sim_t1_crc(block, len - 2) == (block[len - 2] << 8 | block[len - 1]);
	for (size_t i = 0; i < len; i++)
		sum ^= block[i];
	return len >= 1 && sum == 0;
}

/* ---- the card's blocks --------------------------------------------------------------------------------------------- */

static uint8_t turned_nad(uint8_t nad)
{
	return (uint8_t)((nad & 0x0F) << 4 | nad >> 4);
}

static size_t emit(const struct sim_t1 *c, uint8_t pcb, const uint8_t *inf, size_t len,
		   uint8_t out[SIM_T1_BLOCK_MAX])
{
	out[0] = turned_nad(c->options.nad);
	out[1] = pcb;
	out[2] = (uint8_t)len;
	if (len)
		memcpy(out + 3, inf, len);
	return sim_t1_seal(out, 3 + len, c->options.crc);
}

static size_t emit_r(const struct sim_t1 *c, unsigned error, uint8_t *out)
{
	return emit(c, (uint8_t)(R_BLOCK | (c->nr ? R_SEQUENCE : 0u) | error), NULL, 0, out);
}

/* The I-block that was chosen by next_part(); its number is the one before ns. */
static size_t emit_i(const struct sim_t1 *c, uint8_t *out)
{
	const uint8_t pcb = (uint8_t)((c->ns ? 0 : I_SEQUENCE) | (c->more ? I_MORE : 0));

	return emit(c, pcb, c->answer.data + c->at, c->part, out);
}

static void next_part(struct sim_t1 *c)
{
	const size_t from = c->answering ? c->at + c->part : 0;
	const size_t left = c->answer.len - from;
	size_t most = c->options.piece && c->options.piece < c->ifsd ? c->options.piece : c->ifsd;

	c->at = from;
	c->part = left < most ? left : most;
	c->more = c->part < left || (c->options.empty_last && left > 0);
	c->answering = true;
	c->ns ^= 1;
}

static size_t emit_question(struct sim_t1 *c, uint8_t *out)
{
	const bool has_inf = c->asked == IFS || c->asked == WTX;

	return emit(c, c->asked, &c->asked_inf, has_inf ? 1 : 0, out);
}

static size_t ask(struct sim_t1 *c, uint8_t question, uint8_t inf, uint8_t *out)
{
	c->asked = question;
	c->asked_inf = inf;
	c->insisted = false;
	return emit_question(c, out);
}

/* Whether something has to be asked before the block that is due. */
static bool question_due(struct sim_t1 *c, uint8_t *question, uint8_t *inf)
{
	const struct sim_t1_options *o = &c->options;

	if (c->due == SIM_T1_ANSWER && c->answer.waits) {
		c->answer.waits--;
		c->delay_ms = c->answer.wait_ms;
		*question = WTX;
		*inf = o->wtx_factor ? o->wtx_factor : 1;
		return true;
	}
	c->own_blocks++;
	if (o->wtx_every && c->own_blocks % o->wtx_every == 0) {
		*question = WTX;
		*inf = o->wtx_factor ? o->wtx_factor : 1;
		return true;
	}
	if (o->ifs_every && c->own_blocks % o->ifs_every == 0) {
		*question = IFS;
		*inf = o->ifs_next[c->announced++ & 1];
		return *inf >= 1 && *inf <= MAX_IFS;
	}
	return false;
}

static size_t send_due(struct sim_t1 *c, uint8_t *out)
{
	const enum sim_t1_due due = c->due;

	c->due = SIM_T1_NOTHING;
	if (due == SIM_T1_ANSWER) {
		next_part(c);
		return emit_i(c, out);
	}
	return emit_r(c, 0, out);
}

static size_t proceed(struct sim_t1 *c, enum sim_t1_due due, uint8_t *out)
{
	uint8_t question, inf;

	c->due = due;
	if (question_due(c, &question, &inf))
		return ask(c, question, inf, out);
	return send_due(c, out);
}

/* ---- the host's blocks --------------------------------------------------------------------------------------------- */

struct in {
	uint8_t pcb;
	const uint8_t *inf;
	size_t len;
};

/* 7.1 to 7.3 as they apply to a card; rule 8: its own question is repeated once, then it listens. */
static size_t on_invalid(struct sim_t1 *c, unsigned error, uint8_t *out)
{
	if (c->options.shy)
		return 0;
	if (!c->asked)
		return emit_r(c, error, out);
	if (c->insisted)
		return 0;
	c->insisted = true;
	return emit_question(c, out);
}

static size_t run_command(struct sim_t1 *c, uint8_t *out)
{
	c->commands++;
	c->run(c->arg, c->command, c->command_len, &c->answer);
	c->command_len = 0;
	return proceed(c, SIM_T1_ANSWER, out);
}

static size_t on_i(struct sim_t1 *c, const struct in *in, uint8_t *out)
{
	const unsigned number = in->pcb & I_SEQUENCE ? 1 : 0;

	if (c->asked || number != c->nr || in->len > c->ifsc || (c->answering && c->more))
		return on_invalid(c, OTHER_WRONG, out);
	c->nr ^= 1;
	c->answering = false;
	if (in->len > sizeof c->command - c->command_len) {
		c->command_len = 0;
		return ask(c, ABORT, 0, out); /* rule 9 */
	}
	memcpy(c->command + c->command_len, in->inf, in->len);
	c->command_len += in->len;
	if (in->pcb & I_MORE)
		return proceed(c, SIM_T1_ACKNOWLEDGE, out);
	return run_command(c, out);
}

/* N(R) names the I-block that the host expects next. */
static size_t on_r(struct sim_t1 *c, const struct in *in, uint8_t *out)
{
	const unsigned wanted = in->pcb & R_SEQUENCE ? 1 : 0;

	if (c->asked)
		return emit_question(c, out);
	if (c->answering && wanted != c->ns)
		return emit_i(c, out);
	if (c->answering && c->more)
		return proceed(c, SIM_T1_ANSWER, out);
	return emit_r(c, 0, out);
}

static size_t on_response(struct sim_t1 *c, const struct in *in, uint8_t *out)
{
	const uint8_t question = c->asked;

	if (!question || in->pcb != (question | RESPONSE) || (in->len && in->inf[0] != c->asked_inf))
		return on_invalid(c, OTHER_WRONG, out);
	c->asked = 0;
	if (question == ABORT)
		return emit_r(c, 0, out);
	if (question == IFS)
		c->ifsc = c->asked_inf;
	if (c->due == SIM_T1_ANSWER && c->answer.waits)
		return proceed(c, c->due, out);
	return send_due(c, out);
}

static size_t on_ifsd(struct sim_t1 *c, const struct in *in, uint8_t *out)
{
	if (c->options.refuse_ifs || in->inf[0] < 1 || in->inf[0] > MAX_IFS)
		return emit_r(c, OTHER_WRONG, out);
	c->ifsd = in->inf[0];
	return emit(c, IFS | RESPONSE, in->inf, 1, out);
}

static size_t on_abort(struct sim_t1 *c, uint8_t *out)
{
	if (c->options.refuse_abort)
		return emit_r(c, OTHER_WRONG, out);
	c->command_len = 0;
	c->answering = false;
	return emit(c, ABORT | RESPONSE, NULL, 0, out);
}

static size_t on_s(struct sim_t1 *c, const struct in *in, uint8_t *out)
{
	if (in->pcb == RESYNCH) {
		sim_t1_reset(c);
		return emit(c, RESYNCH | RESPONSE, NULL, 0, out);
	}
	if (in->pcb & RESPONSE)
		return on_response(c, in, out);
	if (c->asked)
		return on_invalid(c, OTHER_WRONG, out);
	if (in->pcb == IFS)
		return on_ifsd(c, in, out);
	if (in->pcb == ABORT)
		return on_abort(c, out);
	return on_invalid(c, OTHER_WRONG, out); /* a host has no business with S(WTX request) */
}

/* Each PCB that exists in table 11.3.2.2, and the LEN that goes with it; -1: any. */
static const struct {
	uint8_t pcb;
	int len;
} known[] = {
	{ 0x00, -1 }, { 0x20, -1 }, { 0x40, -1 }, { 0x60, -1 }, { 0x80, 0 }, { 0x90, 0 },
	{ 0x81, 0 },  { 0x91, 0 },  { 0x82, 0 },  { 0x92, 0 },  { 0xC0, 0 }, { 0xE0, 0 },
	{ 0xC1, 1 },  { 0xE1, 1 },  { 0xC2, 0 },  { 0xE2, 0 },  { 0xC3, 1 }, { 0xE3, 1 },
};

static bool exists(const struct in *in)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].pcb == in->pcb)
			return known[i].len < 0 || (size_t)known[i].len == in->len;
	return false;
}

/* 0, or what is wrong with the block. */
static unsigned take_apart(const struct sim_t1 *c, const uint8_t *bytes, size_t len, struct in *in)
{
	const size_t edc = c->options.crc ? 2 : 1;

	if (len < 3 + edc || bytes[2] > MAX_IFS || len != 3u + bytes[2] + edc)
		return OTHER_WRONG;
	if (!sim_t1_sealed(bytes, len, c->options.crc))
		return EDC_WRONG;
	*in = (struct in){ .pcb = bytes[1], .inf = bytes + 3, .len = bytes[2] };
	return bytes[0] == c->options.nad && exists(in) ? 0 : OTHER_WRONG;
}

size_t sim_t1_block(struct sim_t1 *c, const uint8_t *bytes, size_t len, uint8_t out[SIM_T1_BLOCK_MAX])
{
	struct in in;
	const unsigned wrong = take_apart(c, bytes, len, &in);

	c->delay_ms = 0;
	if (wrong)
		return on_invalid(c, wrong, out);
	c->insisted = false;
	if (in.pcb < R_BLOCK)
		return on_i(c, &in, out);
	if (in.pcb < RESYNCH)
		return on_r(c, &in, out);
	return on_s(c, &in, out);
}

/* ---- the connection ------------------------------------------------------------------------------------------------ */

void sim_t1_reset(struct sim_t1 *c)
{
	c->ns = c->nr = 0;
	c->ifsc = c->options.ifsc ? c->options.ifsc : DEFAULT_IFS;
	c->ifsd = DEFAULT_IFS;
	c->asked = 0;
	c->due = SIM_T1_NOTHING;
	c->command_len = 0;
	c->answering = c->more = false;
	c->answer = (struct sim_t1_answer){ 0 };
}

void sim_t1_init(struct sim_t1 *c, const struct sim_t1_options *options, sim_t1_run *run, void *arg)
{
	memset(c, 0, sizeof *c);
	c->options = *options;
	c->run = run;
	c->arg = arg;
	sim_t1_reset(c);
}
