/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extended APDU level: a command comes and an answer goes in as many messages as they need (CCID rev 1.1, 6.1.4, 6.2.1). */
#include "reader_priv.h"

#include <string.h>

enum {
	WHOLE = 0,
	FIRST = 1,
	LAST = 2,
	MIDDLE = 3,
	MORE = 0x10, /* in a command: the answer may go on; in an answer: the command may */
};

bool sim_reader_in_chain(const struct sim_reader *r, unsigned slot)
{
	const struct chain *c = &r->slots[slot].chain;

	return c->command_len || c->answer_len;
}

static void refuse(struct sim_reader *r, struct chain *c, struct reply *reply, unsigned level,
		   const char *why)
{
	sim_reader_violate(r, "XfrBlock with wLevelParameter %04Xh %s", level, why);
	reply->error = ERR_BYTE8;
	c->command_len = c->answer_len = 0;
}

/* What is left of the answer, or as much of it as fits one message. */
static void give(struct sim_reader *r, struct chain *c, struct reply *reply)
{
	const size_t most = r->class.max_message - SIM_HEADER, left = c->answer_len - c->at;
	const bool first = c->at == 0, last = left <= most;

	reply->data = c->answer + c->at;
	reply->len = last ? left : most;
	reply->extra = first ? (last ? WHOLE : FIRST) : (last ? LAST : MIDDLE);
	c->at += reply->len;
	if (last)
		c->answer_len = 0;
}

static void run(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	struct chain *c = &cmd->slot->chain;
	const struct command whole = {
		.specific = cmd->specific, .data = c->command, .len = c->command_len, .slot = cmd->slot
	};

	c->command_len = 0;
	sim_xfr_apdu(r, &whole, reply);
	if (reply->error != OK)
		return;
	memcpy(c->answer, reply->data, reply->len);
	c->answer_len = reply->len;
	c->at = 0;
	give(r, c, reply);
}

void sim_xfr_chain(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	struct chain *c = &cmd->slot->chain;
	const unsigned level = cmd->specific[1] | (unsigned)cmd->specific[2] << 8;
	const bool begins = level == WHOLE || level == FIRST;

	if (level == MORE) {
		if (!c->answer_len || cmd->len)
			refuse(r, c, reply, level, "but there is no answer to go on with");
		else
			give(r, c, reply);
		return;
	}
	if (level > MIDDLE || c->answer_len || begins != (c->command_len == 0)) {
		refuse(r, c, reply, level, "out of order");
		return;
	}
	if (cmd->len > sizeof c->command - c->command_len || cmd->len == 0) {
		refuse(r, c, reply, level, "and nothing, or too much");
		return;
	}
	memcpy(c->command + c->command_len, cmd->data, cmd->len);
	c->command_len += cmd->len;
	if (level == WHOLE || level == LAST)
		run(r, cmd, reply);
	else
		reply->extra = MORE;
}
