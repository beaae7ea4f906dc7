/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ccid/redact_apdu.h"

enum {
	HEADER = 5, /* CLA INS P1 P2, and Lc, P3 or the mark of an extended length */
	EXTENDED_LC = 2,
	CLA_OF_READER = 0xFF, /* PC/SC part 3: the reader, or what is in it, executes the command */
	INS_GET_RESPONSE = 0xC0,
	INS_ENVELOPE = 0xC2,
	INS_ENVELOPE_TLV = 0xC3,
};

/*
 * The class does not matter: channels, chaining, secure messaging and whole families of cards are coded in it, and who reads
 * a log seldom misses the data of another command that happens to have the same INS.
 */
static const struct {
	uint8_t first, last;
} secret_commands[] = {
	{ 0x01, 0x03 }, /* one-time passwords and key stores: a credential is put or used */
	{ 0x20, 0x21 }, /* VERIFY */
	{ 0x24, 0x25 }, /* CHANGE REFERENCE DATA */
	{ 0x26, 0x29 }, /* DISABLE, ENABLE VERIFICATION REQUIREMENT */
	{ 0x2C, 0x2D }, /* RESET RETRY COUNTER */
	{ 0x2E, 0x2F }, /* PERFORM BIOMETRIC OPERATION */
	{ 0x32, 0x32 }, /* a key is imported, on some Java cards, */
	{ 0x40, 0x40 }, /* a PIN created, */
	{ 0x42, 0x42 }, /* verified, */
	{ 0x44, 0x44 }, /* and changed */
	{ 0x46,
	  0x47 }, /* GENERATE ASYMMETRIC KEY PAIR, which some cards take a key with; a PIN is unblocked */
	{ 0xD4, 0xD4 }, /* a PIN is installed */
	{ 0xD8, 0xD8 }, /* PUT KEY */
	{ 0xDA, 0xDB }, /* PUT DATA: keys, and resetting codes */
	{ 0xE2, 0xE3 }, /* STORE DATA; a PIN is installed */
	{ 0xF4, 0xF4 }, /* a key is written */
	{ 0xFE, 0xFF }, /* PIV: a key is imported, the management key is set */
};

/* For the reader: it may take keys, or anything for a card without contacts. These do not. */
static const uint8_t harmless_to_reader[] = { 0x86, 0x88, 0x9A, 0xB0, 0xCA };

static bool is_harmless_to_reader(uint8_t ins)
{
	for (size_t i = 0; i < sizeof harmless_to_reader; i++)
		if (harmless_to_reader[i] == ins)
			return true;
	return false;
}

bool redact_is_secret(uint8_t cla, uint8_t ins)
{
	if (cla == CLA_OF_READER)
		return !is_harmless_to_reader(ins);
	for (size_t i = 0; i < sizeof secret_commands / sizeof secret_commands[0]; i++)
		if (ins >= secret_commands[i].first && ins <= secret_commands[i].last)
			return true;
	return false;
}

bool redact_is_envelope(uint8_t ins)
{
	return ins == INS_ENVELOPE || ins == INS_ENVELOPE_TLV;
}

void redact_apdu_begin(struct redact_apdu *a)
{
	a->at = 0;
	a->hidden = false;
	a->inner.at = 0;
	a->inner.skip = 0;
	a->inner.hidden_before |= a->inner.hidden;
}

void redact_apdu_lost(struct redact_apdu *a)
{
	a->at = HEADER;
	a->hidden = true;
	a->inner.hidden = a->inner.hidden_before = true;
}

/* Another command ends what came in ENVELOPEs, but for the one that fetches its answer. */
static void take_ins(struct redact_apdu *a, uint8_t ins)
{
	a->ins = ins;
	a->hidden = redact_is_secret(a->cla, ins);
	if (!redact_is_envelope(ins) && ins != INS_GET_RESPONSE)
		a->inner.hidden = a->inner.hidden_before = false;
}

static void take_header(struct redact_apdu *a, uint8_t byte)
{
	if (a->at == 0)
		a->cla = byte;
	else if (a->at == 1)
		take_ins(a, byte);
	else if (a->at == HEADER - 1) {
		a->inner.left = byte;
		a->inner.skip = byte ? 0 : EXTENDED_LC;
	}
	a->at++;
}

/*
 * A part may begin a command or go on with one, and nothing says which: it is shown where it is harmless as a beginning, and
 * no part before it was anything else. One byte alone tells nothing, and counts as secret.
 */
static bool is_secret_inside(struct redact_apdu *a, uint8_t byte)
{
	if (a->inner.skip) {
		a->inner.skip--;
		a->inner.left = a->inner.left << 8 | byte;
		return false;
	}
	if (a->inner.left == 0)
		return a->inner.hidden;
	a->inner.left--;
	if (a->inner.at == 0) {
		a->inner.cla = byte;
		a->inner.hidden = true;
	} else if (a->inner.at == 1) {
		a->inner.hidden = redact_is_envelope(byte) || redact_is_secret(a->inner.cla, byte);
	}
	return a->inner.at++ >= HEADER && a->inner.hidden;
}

static bool is_secret_byte(struct redact_apdu *a, uint8_t byte)
{
	if (a->at < HEADER) {
		take_header(a, byte);
		return false;
	}
	if (a->hidden)
		return true;
	return redact_is_envelope(a->ins) && (is_secret_inside(a, byte) || a->inner.hidden_before);
}

/* All bytes are looked at, but once a secret has begun nothing behind it is shown: lengths and fillings tell about it, too. */
size_t redact_apdu_feed(struct redact_apdu *a, const uint8_t *bytes, size_t len)
{
	size_t shown = len;

	for (size_t i = 0; i < len; i++)
		if (is_secret_byte(a, bytes[i]) && shown == len)
			shown = i;
	return shown;
}
