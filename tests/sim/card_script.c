/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card_script.h"

#include "hex.h"

#include <stdlib.h>
#include <string.h>

/* ---- the script -------------------------------------------------------------------------------------------------- */

void sim_script_clear(struct sim_script *script, bool armed)
{
	script->says_len = script->said = script->got_len = 0;
	script->armed = armed;
}

const char *sim_script_add(struct sim_script *script, const char *word)
{
	struct sim_line_bytes line = { .kind = SIM_LINE_BYTES };

	if (!script->armed)
		return "there is no script yet: \"script new\" begins one";
	if (script->says_len == SIM_SCRIPT_MAX)
		return "the script is too long";
	if (strcmp(word, "-") == 0)
		line.kind = SIM_LINE_SILENT;
	else if (strcmp(word, "~") == 0)
		line.kind = SIM_LINE_GARBLED;
	else if (!hex_parse(word, line.bytes, sizeof line.bytes, &line.len) || !line.len)
		return "a word of a script is a block in hexadecimal, - for silence, or ~ for a parity error";
	script->says[script->says_len++] = line;
	return NULL;
}

void sim_script_report(const struct sim_script *script, FILE *to)
{
	for (size_t i = 0; i < script->got_len; i++) {
		for (size_t k = 0; k < script->got[i].len; k++)
			fprintf(to, "%02X", script->got[i].bytes[k]);
		fputc('\n', to);
	}
	fprintf(to, "left %zu\n", script->says_len - script->said);
}

/* ---- the card ---------------------------------------------------------------------------------------------------- */

struct script_card {
	struct sim_card base;
	struct sim_card *inner;
	struct sim_script *script;
	struct sim_line_bytes in, out;
	size_t out_at;
};

static struct script_card *card_of(struct sim_card *card)
{
	return (struct script_card *)(void *)card;
}

static void forget_blocks(struct script_card *c)
{
	c->in.len = c->out.len = c->out_at = 0;
	c->base.garbled = false;
}

static void card_reset(struct sim_card *card, unsigned supply, bool warm)
{
	struct script_card *c = card_of(card);

	forget_blocks(c);
	c->inner->ops->reset(c->inner, supply, warm);
}

static void card_off(struct sim_card *card)
{
	struct script_card *c = card_of(card);

	forget_blocks(c);
	c->inner->ops->off(c->inner);
}

static void card_send(struct sim_card *card, uint8_t fidi, const uint8_t *bytes, size_t len)
{
	struct script_card *c = card_of(card);

	c->out.len = c->out_at = 0;
	c->base.garbled = false;
	if (!c->script->armed) {
		c->inner->ops->send(c->inner, fidi, bytes, len);
		return;
	}
	for (size_t i = 0; i < len && c->in.len < sizeof c->in.bytes; i++)
		c->in.bytes[c->in.len++] = bytes[i];
}

/* The host listens, so its block is at its end. */
static void next_line(struct script_card *c)
{
	struct sim_script *s = c->script;

	if (s->got_len < SIM_SCRIPT_MAX)
		s->got[s->got_len++] = c->in;
	c->in.len = 0;
	c->out.kind = SIM_LINE_SILENT;
	if (s->said < s->says_len)
		c->out = s->says[s->said++];
	if (c->out.kind == SIM_LINE_GARBLED)
		c->out.len = 1;
	c->base.garbled = c->out.kind == SIM_LINE_GARBLED;
}

static bool card_recv(struct sim_card *card, uint8_t fidi, uint8_t *byte, unsigned *delay_ms)
{
	struct script_card *c = card_of(card);

	if (c->script->armed && c->in.len)
		next_line(c);
	if (c->out_at == c->out.len)
		return c->inner->ops->recv(c->inner, fidi, byte, delay_ms);
	*byte = c->out.bytes[c->out_at++];
	*delay_ms = 0;
	return true;
}

static void card_free(struct sim_card *card)
{
	struct script_card *c = card_of(card);

	sim_card_free(c->inner);
	free(c);
}

static const struct sim_card_ops script_ops = {
	.reset = card_reset,
	.off = card_off,
	.send = card_send,
	.recv = card_recv,
	.free = card_free,
};

struct sim_card *sim_card_script_new(struct sim_card *inner, struct sim_script *script)
{
	struct script_card *c = inner ? calloc(1, sizeof *c) : NULL;

	if (!c) {
		sim_card_free(inner);
		return NULL;
	}
	c->base.ops = &script_ops;
	c->base.pps = inner->pps;
	c->inner = inner;
	c->script = script;
	return (struct sim_card *)c;
}
