/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of the OpenPGP card (OpenPGP card 3.4, 7.2), and the card that runs them. */
#include "card_openpgp.h"

#include <stdlib.h>
#include <string.h>

enum {
	PIN_TRIES = 3,
	AID_LEAST = 6, /* RID and application */

	VERIFY = 0x20,
	CHANGE = 0x24,
	RESET_RETRIES = 0x2C,

	SW_OK = 0x9000,
	SW_TRIES = 0x63C0,
	SW_WRONG_LENGTH = 0x6700,
	SW_NOT_ALLOWED = 0x6982,
	SW_BLOCKED = 0x6983,
	SW_NOT_SELECTED = 0x6985,
	SW_WRONG_DATA = 0x6A80,
	SW_NOT_FOUND = 0x6A82,
	SW_WRONG_P1P2 = 0x6A86,
	SW_NO_SUCH_DATA = 0x6A88,
	SW_UNKNOWN_INS = 0x6D00,
	SW_UNKNOWN_CLA = 0x6E00,
};

/* ---- PINs ---------------------------------------------------------------------------------------------------------- */

static void set_pin(struct openpgp_pin *pin, const uint8_t *value, size_t len)
{
	memcpy(pin->value, value, len);
	pin->len = len;
	pin->tries = PIN_TRIES;
}

static bool fits(const struct openpgp_pin *pin, size_t len)
{
	return len >= pin->min && len <= OPENPGP_PIN_MAX;
}

/* P2 81 and 82 are PW1 for two purposes, 83 is PW3; NULL: there is no other. */
static struct openpgp_pin *pin_of(struct openpgp *card, uint8_t p2)
{
	if (p2 < 0x81 || p2 > 0x83)
		return NULL;
	return &card->pin[p2 == 0x83 ? OPENPGP_PW3 : OPENPGP_PW1];
}

static uint16_t tries_sw(const struct openpgp_pin *pin)
{
	return pin->tries ? (uint16_t)(SW_TRIES | pin->tries) : SW_BLOCKED;
}

/* Every value that is not the PIN costs a try, whatever its length. */
static uint16_t compare(struct openpgp_pin *pin, const uint8_t *value, size_t len)
{
	if (pin->tries == 0)
		return SW_BLOCKED;
	if (len == pin->len && memcmp(value, pin->value, len) == 0) {
		pin->tries = PIN_TRIES;
		return SW_OK;
	}
	pin->tries--;
	return tries_sw(pin);
}

/* P1 FF takes a successful VERIFY back; without data the state is told. */
static uint16_t do_verify(struct openpgp *card, const struct sim_t1_command *cmd)
{
	struct openpgp_pin *pin = pin_of(card, cmd->header[3]);
	bool *verified;
	uint16_t sw;

	if (!pin || (cmd->header[2] != 0x00 && cmd->header[2] != 0xFF))
		return SW_WRONG_P1P2;
	verified = &card->verified[cmd->header[3] - 0x81];
	if (cmd->header[2] == 0xFF) {
		*verified = false;
		return cmd->nc ? SW_WRONG_LENGTH : SW_OK;
	}
	if (cmd->nc == 0)
		return *verified ? SW_OK : tries_sw(pin);
	sw = compare(pin, cmd->data, cmd->nc);
	*verified = sw == SW_OK;
	return sw;
}

/* The old PIN and the new one, of any length: the card knows where the old one ends. */
static uint16_t do_change(struct openpgp *card, const struct sim_t1_command *cmd)
{
	struct openpgp_pin *pin = cmd->header[3] == 0x82 ? NULL : pin_of(card, cmd->header[3]);
	size_t old;
	uint16_t sw;

	if (!pin || cmd->header[2] != 0)
		return SW_WRONG_P1P2;
	if (cmd->nc == 0)
		return SW_WRONG_LENGTH;
	old = cmd->nc < pin->len ? cmd->nc : pin->len;
	sw = compare(pin, cmd->data, old);
	if (sw != SW_OK)
		return sw;
	if (!fits(pin, cmd->nc - old))
		return SW_WRONG_DATA;
	set_pin(pin, cmd->data + old, cmd->nc - old);
	return SW_OK;
}

/* A new PW1 after VERIFY of PW3 (P1 02). There is no resetting code (P1 00). */
static uint16_t do_reset_retries(struct openpgp *card, const struct sim_t1_command *cmd)
{
	struct openpgp_pin *pin = &card->pin[OPENPGP_PW1];

	if (cmd->header[3] != 0x81 || (cmd->header[2] != 0 && cmd->header[2] != 2))
		return SW_WRONG_P1P2;
	if (cmd->header[2] == 0)
		return SW_BLOCKED;
	if (!card->verified[2])
		return SW_NOT_ALLOWED;
	if (!fits(pin, cmd->nc))
		return SW_WRONG_DATA;
	set_pin(pin, cmd->data, cmd->nc);
	return SW_OK;
}

/* ---- the other commands -------------------------------------------------------------------------------------------- */

/* Any beginning of the name that holds RID and application. */
static uint16_t do_select(struct openpgp *card, const struct sim_t1_command *cmd)
{
	if (cmd->header[2] != 0x04)
		return SW_NOT_FOUND;
	if (cmd->nc < AID_LEAST || cmd->nc > OPENPGP_AID || memcmp(cmd->data, openpgp_aid, cmd->nc) != 0)
		return SW_NOT_FOUND;
	card->selected = true;
	return SW_OK;
}

/* Which of three certificates GET DATA is to give: they are all empty. */
static uint16_t do_select_data(struct openpgp *card, const struct sim_t1_command *cmd)
{
	static const uint8_t certificates[] = { 0x60, 0x04, 0x5C, 0x02, 0x7F, 0x21 };

	(void)card;
	if (cmd->header[2] > 2 || cmd->header[3] != 0x04)
		return SW_WRONG_P1P2;
	if (cmd->nc != sizeof certificates || memcmp(cmd->data, certificates, cmd->nc) != 0)
		return SW_NO_SUCH_DATA;
	return SW_OK;
}

static uint16_t give(const struct sim_t1_command *cmd, struct sim_t1_answer *answer, size_t len)
{
	answer->len = len < cmd->ne ? len : cmd->ne;
	return SW_OK;
}

static uint16_t do_get_data(struct openpgp *card, const struct sim_t1_command *cmd,
			    struct sim_t1_answer *answer)
{
	const int len = openpgp_object(card, (unsigned)cmd->header[2] << 8 | cmd->header[3], card->out);

	return len < 0 ? SW_NO_SUCH_DATA : give(cmd, answer, (size_t)len);
}

static uint16_t do_get_challenge(struct openpgp *card, const struct sim_t1_command *cmd,
				 struct sim_t1_answer *answer)
{
	if (cmd->ne == 0 || cmd->ne > OPENPGP_DATA_MAX)
		return SW_WRONG_LENGTH;
	for (size_t i = 0; i < cmd->ne; i++) {
		card->random = card->random * 1664525u + 1013904223u;
		card->out[i] = (uint8_t)(card->random >> 24);
	}
	return give(cmd, answer, cmd->ne);
}

/* Commands that bring an answer have a `tell`, the others a `take`. */
static const struct openpgp_command {
	uint8_t ins;
	uint16_t (*take)(struct openpgp *card, const struct sim_t1_command *cmd);
	uint16_t (*tell)(struct openpgp *card, const struct sim_t1_command *cmd,
			 struct sim_t1_answer *answer);
} commands[] = {
	{ 0xA4, do_select, NULL },        { VERIFY, do_verify, NULL },
	{ CHANGE, do_change, NULL },      { RESET_RETRIES, do_reset_retries, NULL },
	{ 0xA5, do_select_data, NULL },   { 0xCA, NULL, do_get_data },
	{ 0x84, NULL, do_get_challenge },
};

static uint16_t run(struct openpgp *card, const struct sim_t1_command *cmd, struct sim_t1_answer *answer)
{
	if (cmd->header[0] != 0)
		return SW_UNKNOWN_CLA;
	if (!card->selected && cmd->header[1] != 0xA4)
		return SW_NOT_SELECTED;
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (commands[i].ins != cmd->header[1])
			continue;
		return commands[i].take ? commands[i].take(card, cmd) : commands[i].tell(card, cmd, answer);
	}
	return SW_UNKNOWN_INS;
}

static bool is_about_pins(const uint8_t *apdu, size_t len)
{
	return len >= 4 && (apdu[1] == VERIFY || apdu[1] == CHANGE || apdu[1] == RESET_RETRIES);
}

void openpgp_run(void *arg, const uint8_t *apdu, size_t len, struct sim_t1_answer *answer)
{
	struct openpgp *card = arg;
	struct sim_t1_command cmd;
	uint16_t sw = SW_WRONG_LENGTH;

	*answer = (struct sim_t1_answer){ .data = card->out };
	/* an extended length is none that this card knows */
	if (len <= 4 + 1 + 255 + 1 && sim_t1_parse(apdu, len, &cmd) && (cmd.nc == 0 || apdu[4] != 0))
		sw = run(card, &cmd, answer);
	if (is_about_pins(apdu, len)) {
		card_log_add(&card->log, apdu, len);
		card_log_answer(&card->log, sw);
	}
	card->out[answer->len++] = (uint8_t)(sw >> 8);
	card->out[answer->len++] = (uint8_t)(sw & 0xFF);
}

/* ---- the card ------------------------------------------------------------------------------------------------------ */

void openpgp_init(struct openpgp *card)
{
	static const uint8_t digits[] = "12345678";

	memset(card, 0, sizeof *card);
	card->random = 1;
	card->pin[OPENPGP_PW1].min = 6;
	card->pin[OPENPGP_PW3].min = 8;
	set_pin(&card->pin[OPENPGP_PW1], digits, 6);
	set_pin(&card->pin[OPENPGP_PW3], digits, 8);
}

void openpgp_reset(void *arg)
{
	struct openpgp *card = arg;

	card->selected = false;
	memset(card->verified, 0, sizeof card->verified);
}

/* The historical bytes hold a zero, so they are put in behind the interface bytes. */
size_t sim_openpgp_build_atr(const struct sim_t1_atr *what, uint8_t atr[SIM_ATR_MAX])
{
	struct sim_t1_atr bare = *what;
	size_t len;

	bare.history = NULL;
	len = sim_t1_build_atr(&bare, atr) - 1; /* without TCK */
	atr[1] |= OPENPGP_HISTORY;
	memcpy(atr + len, openpgp_history, OPENPGP_HISTORY);
	len += OPENPGP_HISTORY;
	atr[len] = 0;
	for (size_t i = 1; i < len; i++)
		atr[len] ^= atr[i];
	return len + 1;
}

struct sim_card *sim_card_openpgp_new(const uint8_t *atr, size_t len, const struct sim_t1_options *options,
				      unsigned supplies)
{
	struct openpgp *openpgp = calloc(1, sizeof *openpgp);
	const struct sim_t1_application application = {
		.run = openpgp_run, .reset = openpgp_reset, .free = free, .arg = openpgp
	};
	struct sim_card *card;

	if (!openpgp)
		return NULL;
	openpgp_init(openpgp);
	card = sim_card_t1_with(atr, len, options, supplies, &application);
	if (card)
		card->log = &openpgp->log;
	return card;
}
