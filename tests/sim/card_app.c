/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card_app.h"

#include <string.h>

enum {
	CHUNK = 0xE0, /* one GET RESPONSE brings at most this much, so that long answers need several */
	LONG_OBJECT = 600,
	PIN_TRIES = 3,
	MF = 0x3F00,
};

static const uint8_t aid[] = { 0xA0, 0x00, 0x00, 0x0F, 0x0C, 0xC1, 0xD0 };
static const char first_pin[] = "1234", puk[] = "87654321";

struct command {
	const uint8_t *header;
	const uint8_t *data;
	size_t len;
	struct app_answer *answer;
};

static size_t le_of(const struct command *cmd)
{
	return cmd->header[4] ? cmd->header[4] : 256;
}

static unsigned p1p2(const struct command *cmd)
{
	return (unsigned)cmd->header[2] << 8 | cmd->header[3];
}

/* Give len bytes if the host asked for exactly that many; else tell the right number (ISO 7816-3, 12.2: 6Cxx). */
static uint16_t give(const struct command *cmd, const uint8_t *bytes, size_t len)
{
	if (le_of(cmd) != len)
		return (uint16_t)(0x6C00 | (len & 0xFF));
	memcpy(cmd->answer->data, bytes, len);
	cmd->answer->len = len;
	return 0x9000;
}

static uint16_t pending_sw(const struct card_app *app)
{
	size_t left = app->pending_len - app->pending_at;

	if (left == 0)
		return 0x9000;
	return (uint16_t)(0x6100 | (left < CHUNK ? left : CHUNK));
}

/* Keep an answer for GET RESPONSE. */
static uint16_t keep(struct card_app *app, const struct command *cmd, const uint8_t *bytes, size_t len)
{
	memcpy(app->pending, bytes, len);
	app->pending_class = cmd->header[0];
	app->pending_at = 0;
	app->pending_len = len;
	return pending_sw(app);
}

static void put_counter(struct card_app *app, uint8_t out[4])
{
	app->counter++;
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(app->counter >> (24 - 8 * i));
}

static uint16_t keep_fci(struct card_app *app, const struct command *cmd)
{
	const struct app_file *file = app->selected < 0 ? NULL : &app->files[app->selected];
	size_t size = file ? file->len : 0;
	unsigned fid = file ? file->fid : MF;
	const uint8_t fci[] = { 0x6F,
				0x08,
				0x80,
				0x02,
				(uint8_t)(size >> 8),
				(uint8_t)size,
				0x83,
				0x02,
				(uint8_t)(fid >> 8),
				(uint8_t)fid };

	return keep(app, cmd, fci, sizeof fci);
}

static int find_file(const struct card_app *app, unsigned fid)
{
	for (int i = 0; i < APP_FILES; i++)
		if (app->files[i].fid == fid)
			return i;
	return -1;
}

static uint16_t do_select(struct card_app *app, const struct command *cmd)
{
	unsigned fid = MF;
	int found = -1;

	if (cmd->header[2] == 0x04) {
		if (cmd->len == 0 || cmd->len > sizeof aid || memcmp(cmd->data, aid, cmd->len) != 0)
			return 0x6A82;
	} else if (cmd->header[2] != 0x00) {
		return 0x6A86;
	} else if (cmd->len != 0 && cmd->len != 2) {
		return 0x6700;
	} else {
		if (cmd->len == 2)
			fid = (unsigned)cmd->data[0] << 8 | cmd->data[1];
		found = find_file(app, fid);
		if (found < 0 && fid != MF)
			return 0x6A82;
	}
	app->selected = found;
	return cmd->header[3] == 0x0C ? 0x9000 : keep_fci(app, cmd);
}

static uint16_t do_read_binary(struct card_app *app, const struct command *cmd)
{
	const struct app_file *file;
	unsigned offset = p1p2(cmd);
	size_t left;

	if (app->selected < 0)
		return 0x6986;
	file = &app->files[app->selected];
	if (offset >= file->len)
		return 0x6B00;
	left = file->len - offset;
	return give(cmd, file->data + offset, le_of(cmd) < left ? le_of(cmd) : left);
}

static uint16_t do_update_binary(struct card_app *app, const struct command *cmd)
{
	struct app_file *file;
	unsigned offset = p1p2(cmd);

	if (app->selected < 0)
		return 0x6986;
	file = &app->files[app->selected];
	if (file->needs_pin && !app->pin_ok)
		return 0x6982;
	if (cmd->len == 0)
		return 0x6700;
	if (offset > file->len || cmd->len > file->len - offset)
		return 0x6A84;
	memcpy(file->data + offset, cmd->data, cmd->len);
	return 0x9000;
}

static uint16_t do_get_challenge(struct card_app *app, const struct command *cmd)
{
	size_t len = cmd->header[4] && cmd->header[4] <= 64 ? cmd->header[4] : 8;
	uint8_t bytes[64];

	for (size_t i = 0; i < len; i++) {
		app->random = app->random * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)(app->random >> 24);
	}
	return give(cmd, bytes, len);
}

static bool known_format(const struct command *cmd)
{
	return cmd->header[3] >= 1 && cmd->header[3] <= PIN_FORMATS;
}

/* A block that is none is no try. */
static uint16_t compare_pin(struct card_app *app, const char *digits)
{
	app->pin_ok = strcmp(digits, app->pin) == 0;
	if (app->pin_ok) {
		app->tries = PIN_TRIES;
		return 0x9000;
	}
	app->tries--;
	return app->tries ? (uint16_t)(0x63C0 | app->tries) : 0x6983;
}

static uint16_t do_verify(struct card_app *app, const struct command *cmd)
{
	char digits[PIN_DIGITS_MAX + 1];

	if (cmd->header[2] != 0 || !known_format(cmd))
		return 0x6A88;
	if (app->tries == 0)
		return 0x6983;
	if (cmd->len == 0)
		return app->pin_ok ? 0x9000 : (uint16_t)(0x63C0 | app->tries);
	if (card_pin_take((enum pin_format)cmd->header[3], cmd->data, cmd->len, 0, digits) != cmd->len)
		return 0x6A80;
	return compare_pin(app, digits);
}

/* The old PIN and the new one (P1 00), or after VERIFY the new one alone (P1 01). */
static uint16_t do_change(struct card_app *app, const struct command *cmd)
{
	const enum pin_format format = (enum pin_format)cmd->header[3];
	char old[PIN_DIGITS_MAX + 1], new[PIN_DIGITS_MAX + 1];
	size_t at = 0;

	if (cmd->header[2] > 1 || !known_format(cmd))
		return 0x6A88;
	if (app->tries == 0)
		return 0x6983;
	if (cmd->header[2] == 0)
		at = card_pin_take(format, cmd->data, cmd->len, strlen(app->pin), old);
	if ((cmd->header[2] == 0 && !at) || at >= cmd->len ||
	    card_pin_take(format, cmd->data + at, cmd->len - at, 0, new) != cmd->len - at)
		return 0x6A80;
	if (cmd->header[2] == 1 && !app->pin_ok)
		return 0x6982;
	if (cmd->header[2] == 0 && compare_pin(app, old) != 0x9000)
		return app->tries ? (uint16_t)(0x63C0 | app->tries) : 0x6983;
	strcpy(app->pin, new);
	return 0x9000;
}

/* The PUK and a new PIN (P1 00), or the PUK alone (P1 01). */
static uint16_t do_unblock(struct card_app *app, const struct command *cmd)
{
	const enum pin_format format = (enum pin_format)cmd->header[3];
	char code[PIN_DIGITS_MAX + 1], new[PIN_DIGITS_MAX + 1] = "";
	size_t at;

	if (cmd->header[2] > 1 || !known_format(cmd))
		return 0x6A88;
	if (app->puk_tries == 0)
		return 0x6983;
	at = card_pin_take(format, cmd->data, cmd->len, sizeof puk - 1, code);
	if (at && cmd->header[2] == 0 && at < cmd->len)
		at += card_pin_take(format, cmd->data + at, cmd->len - at, 0, new);
	if (!at || at != cmd->len || (cmd->header[2] == 0 && !*new))
		return 0x6A80;
	if (strcmp(code, puk) != 0) {
		app->puk_tries--;
		return app->puk_tries ? (uint16_t)(0x63C0 | app->puk_tries) : 0x6983;
	}
	app->tries = app->puk_tries = PIN_TRIES;
	if (*new)
		strcpy(app->pin, new);
	return 0x9000;
}

/* 0100: 600 bytes over several GET RESPONSEs. 0101: 20 bytes at once. */
static uint16_t do_get_data(struct card_app *app, const struct command *cmd)
{
	uint8_t object[LONG_OBJECT];

	for (unsigned i = 0; i < LONG_OBJECT; i++)
		object[i] = (uint8_t)(i ^ i >> 8);
	if (p1p2(cmd) == 0x0100)
		return keep(app, cmd, object, LONG_OBJECT);
	if (p1p2(cmd) == 0x0101)
		return give(cmd, object, 20);
	return 0x6A88;
}

static uint16_t do_get_response(struct card_app *app, const struct command *cmd)
{
	size_t left = app->pending_len - app->pending_at;
	size_t len = left < CHUNK ? left : CHUNK;
	uint16_t sw;

	if (left == 0)
		return 0x6985;
	if (cmd->header[0] != app->pending_class)
		return 0x6E00;
	if (cmd->header[4] && cmd->header[4] < len)
		len = cmd->header[4];
	sw = give(cmd, app->pending + app->pending_at, len);
	if (sw != 0x9000)
		return sw;
	app->pending_at += len;
	return pending_sw(app);
}

static uint16_t do_echo(struct card_app *app, const struct command *cmd)
{
	uint8_t bytes[255 + 4];

	if (cmd->len)
		memcpy(bytes, cmd->data, cmd->len);
	put_counter(app, bytes + cmd->len);
	return keep(app, cmd, bytes, cmd->len + 4);
}

static uint16_t do_count(struct card_app *app, const struct command *cmd)
{
	uint8_t bytes[6] = { cmd->header[2], cmd->header[3] };

	if (le_of(cmd) != sizeof bytes)
		return 0x6C00 | sizeof bytes;
	put_counter(app, bytes + 2);
	return give(cmd, bytes, sizeof bytes);
}

/* P1 times P2 x 10 ms of thinking, then as COUNT. */
static uint16_t do_slow(struct card_app *app, const struct command *cmd)
{
	cmd->answer->waits = cmd->header[2];
	cmd->answer->wait_ms = cmd->header[3] * 10u;
	return do_count(app, cmd);
}

/*
 * What came in ENVELOPEs, when it is whole: an extended APDU of ECHO, which always has Le, or of SINK, which never has.
 * ISO 7816-3 does not mark the last slice.
 */
static uint16_t run_enveloped(struct card_app *app, const struct command *cmd)
{
	enum { ECHO = 0x10, SINK = 0x16 };
	const uint8_t *apdu = app->envelope;
	const size_t nc = (size_t)apdu[5] << 8 | apdu[6];
	const size_t len = 7 + nc + (apdu[1] == ECHO ? 2 : 0);

	if (apdu[4] != 0 || (apdu[1] != ECHO && apdu[1] != SINK) || app->envelope_len > len)
		return 0x6700;
	if (app->envelope_len < len)
		return 0x9000;
	app->envelope_len = 0;
	if (apdu[1] == SINK)
		return 0x9000;
	memcpy(app->pending, apdu + 7, nc);
	put_counter(app, app->pending + nc);
	app->pending_class = cmd->header[0];
	app->pending_len = nc + 4;
	return pending_sw(app);
}

static uint16_t do_envelope(struct card_app *app, const struct command *cmd)
{
	uint16_t sw;

	if (cmd->len > sizeof app->envelope - app->envelope_len)
		return 0x6700;
	if (cmd->len)
		memcpy(app->envelope + app->envelope_len, cmd->data, cmd->len);
	app->envelope_len += cmd->len;
	sw = app->envelope_len < 7 ? 0x6700 : run_enveloped(app, cmd);
	if (sw == 0x6700)
		app->envelope_len = 0;
	return sw;
}

static uint16_t do_sink(struct card_app *app, const struct command *cmd)
{
	(void)app;
	(void)cmd;
	return 0x9000;
}

static const struct app_command {
	uint8_t class, ins;
	enum app_direction direction;
	uint16_t (*run)(struct card_app *app, const struct command *cmd);
} commands[] = {
	{ 0x00, 0xA4, APP_IN, do_select },        { 0x00, 0xB0, APP_OUT, do_read_binary },
	{ 0x00, 0xD6, APP_IN, do_update_binary }, { 0x00, 0x84, APP_OUT, do_get_challenge },
	{ 0x00, 0x20, APP_IN, do_verify },        { 0x00, 0x24, APP_IN, do_change },
	{ 0x00, 0x2C, APP_IN, do_unblock },       { 0x00, 0xCA, APP_OUT, do_get_data },
	{ 0x00, 0xC0, APP_OUT, do_get_response }, { 0x80, 0xC0, APP_OUT, do_get_response },
	{ 0x80, 0x10, APP_IN, do_echo },          { 0x80, 0x12, APP_OUT, do_count },
	{ 0x80, 0x14, APP_OUT, do_slow },         { 0x80, 0x16, APP_IN, do_sink },
	{ 0x00, 0xC2, APP_IN, do_envelope },      { 0x80, 0xC2, APP_IN, do_envelope },
};

static const struct app_command *find_command(const uint8_t header[5])
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (commands[i].class == header[0] && commands[i].ins == header[1])
			return &commands[i];
	return NULL;
}

static uint16_t unknown_sw(const uint8_t header[5])
{
	return header[0] == 0x00 || header[0] == 0x80 ? 0x6D00 : 0x6E00;
}

enum app_direction sim_app_direction(const uint8_t header[5])
{
	const struct app_command *known = find_command(header);

	return known ? known->direction : APP_NONE;
}

void sim_app_run(struct card_app *app, const uint8_t header[5], const uint8_t *data, size_t len,
		 struct app_answer *answer)
{
	const struct app_command *known = find_command(header);
	const struct command cmd = { .header = header, .data = data, .len = len, .answer = answer };

	*answer = (struct app_answer){ 0 };
	/* only the very next command may fetch an answer */
	if (!known || known->run != do_get_response)
		app->pending_at = app->pending_len = 0;
	if (!known || known->run != do_envelope)
		app->envelope_len = 0;
	answer->sw = known ? known->run(app, &cmd) : unknown_sw(header);
}

void sim_app_reset(struct card_app *app)
{
	app->selected = -1;
	app->pin_ok = false;
	app->pending_at = app->pending_len = 0;
	app->envelope_len = 0;
}

static void fill_file(struct app_file *file, uint16_t fid, size_t len, bool needs_pin)
{
	file->fid = fid;
	file->len = len;
	file->needs_pin = needs_pin;
	for (size_t i = 0; i < len; i++)
		file->data[i] = (uint8_t)(fid + i);
}

void sim_app_init(struct card_app *app)
{
	static const char serial[] = "openccid simulated card";

	memset(app, 0, sizeof *app);
	app->tries = app->puk_tries = PIN_TRIES;
	app->random = 1;
	fill_file(&app->files[0], 0x2F02, sizeof serial - 1, false);
	memcpy(app->files[0].data, serial, sizeof serial - 1);
	fill_file(&app->files[1], 0x0001, 16, false);
	fill_file(&app->files[2], 0x0002, 512, false);
	fill_file(&app->files[3], 0x0003, 64, true);
	strcpy(app->pin, first_pin);
	sim_app_reset(app);
}
