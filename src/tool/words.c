/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/words.h"

#include "tpdu/apdu.h"
#include "tpdu/atr.h"
#include "tpdu/t1.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void words_add(struct words *w, const char *fmt, ...)
{
	const size_t room = sizeof w->text - w->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->text + w->len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->len += (size_t)n < room ? (size_t)n : room - 1;
}

void words_time(struct words *w, uint64_t us)
{
	if (us < 100000)
		words_add(w, "%u.%u ms", (unsigned)(us / 1000), (unsigned)(us / 100 % 10));
	else if (us < 10000000)
		words_add(w, "%u.%02u s", (unsigned)(us / 1000000), (unsigned)(us / 10000 % 100));
	else
		words_add(w, "%llu s", (unsigned long long)(us / 1000000));
}

/* ---- commands: ISO/IEC 7816-4, table 4.2 and others that are common ---------------------------------------------- */

static const struct {
	uint8_t ins;
	const char *name;
} commands[] = {
	{ 0x0E, "ERASE BINARY" },
	{ 0x20, "VERIFY" },
	{ 0x21, "VERIFY" },
	{ 0x22, "MANAGE SECURITY ENVIRONMENT" },
	{ 0x24, "CHANGE REFERENCE DATA" },
	{ 0x26, "DISABLE VERIFICATION" },
	{ 0x28, "ENABLE VERIFICATION" },
	{ 0x2A, "PERFORM SECURITY OPERATION" },
	{ 0x2C, "RESET RETRY COUNTER" },
	{ 0x44, "ACTIVATE FILE" },
	{ 0x46, "GENERATE KEY PAIR" },
	{ 0x47, "GENERATE KEY PAIR" },
	{ 0x70, "MANAGE CHANNEL" },
	{ 0x82, "EXTERNAL AUTHENTICATE" },
	{ 0x84, "GET CHALLENGE" },
	{ 0x86, "GENERAL AUTHENTICATE" },
	{ 0x87, "GENERAL AUTHENTICATE" },
	{ 0x88, "INTERNAL AUTHENTICATE" },
	{ 0xA4, "SELECT" },
	{ 0xA5, "SELECT DATA" },
	{ 0xB0, "READ BINARY" },
	{ 0xB1, "READ BINARY" },
	{ 0xB2, "READ RECORD" },
	{ 0xB3, "READ RECORD" },
	{ 0xC0, "GET RESPONSE" },
	{ 0xC2, "ENVELOPE" },
	{ 0xCA, "GET DATA" },
	{ 0xCB, "GET DATA" },
	{ 0xD0, "WRITE BINARY" },
	{ 0xD6, "UPDATE BINARY" },
	{ 0xD7, "UPDATE BINARY" },
	{ 0xDA, "PUT DATA" },
	{ 0xDB, "PUT DATA" },
	{ 0xDC, "UPDATE RECORD" },
	{ 0xE0, "CREATE FILE" },
	{ 0xE2, "APPEND RECORD" },
	{ 0xE4, "DELETE FILE" },
};

static const char *command_name(uint8_t ins)
{
	for (size_t i = 0; i < COUNT(commands); i++)
		if (commands[i].ins == ins)
			return commands[i].name;
	return NULL;
}

void words_command(struct words *w, const uint8_t *apdu, size_t len, size_t shown)
{
	const char *name = shown >= 2 ? command_name(apdu[1]) : NULL;
	struct apdu a;

	if (shown < 2) {
		words_add(w, "a command that is not shown");
		return;
	}
	if (name)
		words_add(w, "%s", name);
	else
		words_add(w, "command %02X %02X", apdu[0], apdu[1]);
	if (apdu_parse(apdu, len, &a) != OC_OK)
		return;
	if (a.nc)
		words_add(w, ", %zu byte%s of data", a.nc, a.nc == 1 ? "" : "s");
	if (a.ne)
		words_add(w, ", Le %zu", a.ne);
}

/* ---- status words: ISO/IEC 7816-4, 5.6 --------------------------------------------------------------------------- */

static const struct {
	uint16_t value, mask;
	bool bad;
	const char *text;
} statuses[] = {
	{ 0x9000, 0xFFFF, false, "done" },
	{ 0x6100, 0xFF00, false, "more can be fetched with GET RESPONSE" },
	{ 0x6282, 0xFFFF, false, "the file ended before Le bytes were read" },
	{ 0x6283, 0xFFFF, true, "the selected file is deactivated" },
	{ 0x63C0, 0xFFFF, true, "the PIN was wrong, and no try is left" },
	{ 0x63C1, 0xFFFF, true, "the PIN was wrong, and one try is left" },
	{ 0x63C0, 0xFFF0, true, "the PIN was wrong; the last digit says how many tries are left" },
	{ 0x6400, 0xFFFF, true, "not executed; at a keypad: nobody typed in time" },
	{ 0x6401, 0xFFFF, true, "cancelled at the keypad" },
	{ 0x6402, 0xFFFF, true, "the two new PINs differ" },
	{ 0x6403, 0xFFFF, true, "the PIN was too short or too long" },
	{ 0x6700, 0xFFFF, true, "wrong length" },
	{ 0x6881, 0xFFFF, true, "this logical channel is not supported" },
	{ 0x6882, 0xFFFF, true, "secure messaging is not supported" },
	{ 0x6900, 0xFFFF, true, "the command is not allowed" },
	{ 0x6982, 0xFFFF, true, "not permitted before a PIN or a key was presented" },
	{ 0x6983, 0xFFFF, true, "the PIN is blocked" },
	{ 0x6984, 0xFFFF, true, "the reference data cannot be used" },
	{ 0x6985, 0xFFFF, true, "not in this state" },
	{ 0x6986, 0xFFFF, true, "no file is selected that this command can work on" },
	{ 0x6A80, 0xFFFF, true, "the data are not correct" },
	{ 0x6A81, 0xFFFF, true, "the card does not have this function" },
	{ 0x6A82, 0xFFFF, true, "the card has no such file or application" },
	{ 0x6A83, 0xFFFF, true, "there is no such record" },
	{ 0x6A84, 0xFFFF, true, "there is not enough room in the file" },
	{ 0x6A86, 0xFFFF, true, "P1 and P2 are not correct" },
	{ 0x6A88, 0xFFFF, true, "there is no such data object" },
	{ 0x6B00, 0xFFFF, true, "P1 and P2 are outside of the file" },
	{ 0x6C00, 0xFF00, false, "another Le is right, the second byte" },
	{ 0x6D00, 0xFFFF, true, "the card does not know this command" },
	{ 0x6E00, 0xFFFF, true, "the card does not know this class" },
	{ 0x6F00, 0xFFFF, true, "the card gives no reason" },
};

static size_t status_row(uint16_t sw)
{
	size_t i = 0;

	while (i < COUNT(statuses) && (sw & statuses[i].mask) != statuses[i].value)
		i++;
	return i;
}

void words_status(struct words *w, const uint8_t *response, size_t len)
{
	size_t i;

	if (len < 2)
		return;
	i = status_row((uint16_t)(response[len - 2] << 8 | response[len - 1]));
	if (len > 2)
		words_add(w, "%zu byte%s and ", len - 2, len == 3 ? "" : "s");
	words_add(w, "%02X %02X", response[len - 2], response[len - 1]);
	if (i < COUNT(statuses))
		words_add(w, ": %s", statuses[i].text);
}

bool words_status_is_bad(uint8_t sw1, uint8_t sw2)
{
	const size_t i = status_row((uint16_t)(sw1 << 8 | sw2));

	return i < COUNT(statuses) ? statuses[i].bad : (sw1 != 0x62 && sw1 != 0x63);
}

/* ---- T=1 --------------------------------------------------------------------------------------------------------- */

static bool edc_fits(const uint8_t *bytes, size_t body, bool crc)
{
	const uint16_t edc = t1_edc(bytes, body, crc);

	return crc ? bytes[body] == edc >> 8 && bytes[body + 1] == (edc & 0xFF) : bytes[body] == edc;
}

bool words_t1_split(const uint8_t *bytes, size_t len, struct t1_block *out)
{
	enum { PROLOGUE = 3 };
	size_t body;

	if (len < PROLOGUE + 1 || bytes[2] == 0xFF)
		return false;
	body = PROLOGUE + (size_t)bytes[2];
	if ((len != body + 1 && len != body + 2) || !edc_fits(bytes, body, len == body + 2))
		return false;
	*out = (struct t1_block){ bytes[0], bytes[1], bytes + PROLOGUE, bytes[2] };
	return true;
}

static void words_r_block(struct words *w, uint8_t pcb)
{
	static const char *const errors[] = { "fine so far", "the block was damaged",
					      "the block makes no sense", "reserved" };

	words_add(w, "T=1 R-block N(R)=%d: %s", pcb & 0x10 ? 1 : 0, errors[pcb & T1_R_ERROR]);
}

static void words_s_block(struct words *w, const struct t1_block *b)
{
	static const char *const kinds[] = { "RESYNCH", "IFS", "ABORT", "WTX" };
	const unsigned kind = b->pcb & 0x1F;

	words_add(w, "T=1 S(%s %s)", kind < COUNT(kinds) ? kinds[kind] : "unknown",
		  b->pcb & 0x20 ? "response" : "request");
	if (b->len == 1)
		words_add(w, " of %u", b->inf[0]);
}

void words_t1(struct words *w, const struct t1_block *block)
{
	if (!(block->pcb & T1_NOT_I))
		words_add(w, "T=1 I-block N(S)=%d, %zu byte%s%s", block->pcb & T1_NS ? 1 : 0, block->len,
			  block->len == 1 ? "" : "s", block->pcb & T1_MORE ? ", more follows" : "");
	else if ((block->pcb & T1_KIND_MASK) == T1_R_BLOCK)
		words_r_block(w, block->pcb);
	else
		words_s_block(w, block);
	if (block->nad)
		words_add(w, ", node address %02X", block->nad);
}

/* ---- the beginning of a session ---------------------------------------------------------------------------------- */

void words_atr(struct words *w, const uint8_t *atr, size_t len)
{
	struct atr a;
	unsigned fi, di;

	if (atr_decode(atr, len, &a) != OC_OK) {
		words_add(w, "an answer to reset that makes no sense");
		return;
	}
	words_add(w, "answer to reset: ");
	for (unsigned t = 0, n = 0; t < 15; t++)
		if (a.protocols & 1u << t)
			words_add(w, "%sT=%u", n++ ? " and " : "", t);
	if (atr_fi_di(a.fi_di, &fi, &di))
		words_add(w, ", Fi/Di %u/%u", fi, di);
	if (a.protocols & 2)
		words_add(w, ", IFSC %u", a.ifsc);
	if (a.specific)
		words_add(w, ", specific mode");
	if (a.has_tck && !a.tck_ok)
		words_add(w, ", its check byte is wrong");
}

bool words_is_pps(const uint8_t *bytes, size_t len)
{
	return len >= 3 && bytes[0] == 0xFF && t1_edc(bytes, len, false) == 0 &&
	       len == 3u + (bytes[1] >> 4 & 1) + (bytes[1] >> 5 & 1) + (bytes[1] >> 6 & 1);
}
