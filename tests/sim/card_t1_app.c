/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the T=1 card does with a command: the commands of card_app, without the detours that T=0 needs. */
#include "card_t1.h"

#include <string.h>

enum { ECHO_CLASS = 0x80, ECHO_INS = 0x10, SINK_INS = 0x16, GET_RESPONSE = 0xC0, WRONG_LENGTH = 0x6700 };

static size_t two_bytes(const uint8_t *at)
{
	return (size_t)at[0] << 8 | at[1];
}

static size_t short_ne(uint8_t le)
{
	return le ? le : 256;
}

static size_t long_ne(const uint8_t *le)
{
	return two_bytes(le) ? two_bytes(le) : 65536;
}

/* After CLA INS P1 P2 and a zero byte (ISO 7816-3, 12.1, cases 2E to 4E). */
static bool parse_extended(const uint8_t *apdu, size_t len, struct sim_t1_command *cmd)
{
	if (len < 7)
		return false;
	if (len == 7) {
		cmd->ne = long_ne(apdu + 5);
		return true;
	}
	cmd->nc = two_bytes(apdu + 5);
	cmd->data = apdu + 7;
	if (cmd->nc == 0 || len < 7 + cmd->nc)
		return false;
	if (len == 9 + cmd->nc)
		cmd->ne = long_ne(apdu + 7 + cmd->nc);
	return len == 7 + cmd->nc || len == 9 + cmd->nc;
}

bool sim_t1_parse(const uint8_t *apdu, size_t len, struct sim_t1_command *cmd)
{
	*cmd = (struct sim_t1_command){ .header = apdu };
	if (len < 4)
		return false;
	if (len == 4)
		return true;
	if (len == 5) {
		cmd->ne = short_ne(apdu[4]);
		return true;
	}
	if (apdu[4] == 0)
		return parse_extended(apdu, len, cmd);
	cmd->nc = apdu[4];
	cmd->data = apdu + 5;
	if (len == 6 + cmd->nc)
		cmd->ne = short_ne(apdu[len - 1]);
	return len == 5 + cmd->nc || len == 6 + cmd->nc;
}

/* One command of card_app; its data is added, the longest of its pauses is kept. */
static uint16_t run_step(struct sim_t1_app *a, const uint8_t header[5], const struct sim_t1_command *cmd,
			 struct sim_t1_answer *answer)
{
	struct app_answer part;

	sim_app_run(&a->app, header, cmd->data, cmd->nc, &part);
	memcpy(a->out + answer->len, part.data, part.len);
	answer->len += part.len;
	if (part.waits) {
		answer->waits = part.waits;
		answer->wait_ms = part.wait_ms;
	}
	return part.sw;
}

/* card_app speaks T=0: what it announces by 6Cxx and 61xx is fetched here, inside the card. */
static uint16_t run_short(struct sim_t1_app *a, const struct sim_t1_command *cmd,
			  struct sim_t1_answer *answer)
{
	const struct sim_t1_command nothing = { 0 };
	const bool incoming = sim_app_direction(cmd->header) == APP_IN;
	uint8_t header[5] = { cmd->header[0], cmd->header[1], cmd->header[2], cmd->header[3] };
	uint16_t sw;

	header[4] = (uint8_t)(incoming ? cmd->nc : cmd->ne > 255 ? 0 : cmd->ne);
	sw = run_step(a, header, cmd, answer);
	for (unsigned i = 0; i < 16 && (sw >> 8 == 0x6C || sw >> 8 == 0x61); i++) {
		if (sw >> 8 == 0x61) {
			header[1] = GET_RESPONSE;
			header[2] = header[3] = 0;
		}
		header[4] = (uint8_t)(sw & 0xFF);
		sw = run_step(a, header, &nothing, answer);
	}
	return sw;
}

/* The data and the number of this ECHO, at any length. */
static uint16_t run_echo(struct sim_t1_app *a, const struct sim_t1_command *cmd, struct sim_t1_answer *answer)
{
	if (cmd->nc)
		memcpy(a->out, cmd->data, cmd->nc);
	a->app.counter++;
	for (unsigned i = 0; i < 4; i++)
		a->out[cmd->nc + i] = (uint8_t)(a->app.counter >> (24 - 8 * i));
	answer->len = cmd->nc + 4;
	return 0x9000;
}

static uint16_t run(struct sim_t1_app *a, const struct sim_t1_command *cmd, struct sim_t1_answer *answer)
{
	if (cmd->header[0] == ECHO_CLASS && cmd->header[1] == ECHO_INS)
		return run_echo(a, cmd, answer);
	if (cmd->header[0] == ECHO_CLASS && cmd->header[1] == SINK_INS)
		return 0x9000;
	if (cmd->nc > 255 || (cmd->nc && sim_app_direction(cmd->header) == APP_OUT))
		return WRONG_LENGTH;
	return run_short(a, cmd, answer);
}

void sim_t1_app_run(void *arg, const uint8_t *apdu, size_t apdu_len, struct sim_t1_answer *answer)
{
	struct sim_t1_app *a = arg;
	struct sim_t1_command cmd;
	uint16_t sw = WRONG_LENGTH;

	card_log_add(&a->app.log, apdu, apdu_len);
	*answer = (struct sim_t1_answer){ .data = a->out };
	if (sim_t1_parse(apdu, apdu_len, &cmd)) {
		sw = run(a, &cmd, answer);
		if (answer->len > cmd.ne)
			answer->len = cmd.ne;
	}
	card_log_answer(&a->app.log, sw);
	a->out[answer->len++] = (uint8_t)(sw >> 8);
	a->out[answer->len++] = (uint8_t)(sw & 0xFF);
}

void sim_t1_app_init(struct sim_t1_app *a)
{
	sim_app_init(&a->app);
}
