/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The data objects of the OpenPGP card (OpenPGP card 3.4, 4.4). Optional ones without use here are left out. */
#include "card_openpgp.h"

#include <string.h>

enum {
	TOP = 0,
	CARDHOLDER = 0x65,
	APPLICATION = 0x6E,
	DISCRETIONARY = 0x73,
	SECURITY = 0x7A,
	PIN_STATUS = 0xC4,
};

/* RID and application, version 3.4, manufacturer 0000 (a test card), serial number */
const uint8_t openpgp_aid[OPENPGP_AID] = { 0xD2, 0x76, 0x00, 0x01, 0x24, 0x01, 0x03, 0x04,
					   0x00, 0x00, 0x00, 0x0C, 0xC1, 0xD0, 0x00, 0x00 };

/* Selected by name, no EF.DIR; no chaining, no extended length; operational, 9000 */
const uint8_t openpgp_history[OPENPGP_HISTORY] = {
	0x00, 0x31, 0xC5, 0x73, 0xC0, 0x01, 0x00, 0x05, 0x90, 0x00
};

/* GET CHALLENGE; at most 254 random bytes, 256 bytes of certificate and of special objects */
static const uint8_t capabilities[] = { 0x40, 0x00, 0x00, 0xFE, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00 };
static const uint8_t rsa_2048[] = { 0x01, 0x08, 0x00, 0x00, 0x20, 0x00 };
static const uint8_t none[60] = { 0 };

#define TEXT(text) (const uint8_t *)(text), sizeof(text) - 1

/* In the order in which they stand in the object that holds them. */
static const struct object {
	uint16_t tag, inside; /* inside TOP: for itself alone */
	const uint8_t *bytes; /* NULL: made from others, or from the card's state */
	size_t len;
} objects[] = {
	{ 0x4F, APPLICATION, openpgp_aid, OPENPGP_AID },
	{ 0x5F52, APPLICATION, openpgp_history, OPENPGP_HISTORY },
	{ DISCRETIONARY, APPLICATION, NULL, 0 },
	{ 0xC0, DISCRETIONARY, capabilities, sizeof capabilities },
	{ 0xC1, DISCRETIONARY, rsa_2048, sizeof rsa_2048 },
	{ 0xC2, DISCRETIONARY, rsa_2048, sizeof rsa_2048 },
	{ 0xC3, DISCRETIONARY, rsa_2048, sizeof rsa_2048 },
	{ PIN_STATUS, DISCRETIONARY, NULL, 0 },
	{ 0xC5, DISCRETIONARY, none, 60 },
	{ 0xC6, DISCRETIONARY, none, 60 },
	{ 0xCD, DISCRETIONARY, none, 12 },
	{ 0x5B, CARDHOLDER, TEXT("Card<<Simulated") },
	{ 0x5F2D, CARDHOLDER, TEXT("en") },
	{ 0x5F35, CARDHOLDER, TEXT("9") },
	{ 0x93, SECURITY, none, 3 },
	{ CARDHOLDER, TOP, NULL, 0 },
	{ APPLICATION, TOP, NULL, 0 },
	{ SECURITY, TOP, NULL, 0 },
	{ 0x5E, TOP, TEXT("simulated") },
	{ 0x7F21, TOP, TEXT("") }, /* certificates: none */
	{ 0x5F50, TOP, TEXT("https://example.org/key.asc") },
};

enum { OBJECTS = sizeof objects / sizeof objects[0] };

/* PW1 for one signature; the longest PW1, resetting code and PW3; tries left of each. There is no resetting code. */
static size_t put_pin_status(const struct openpgp *card, uint8_t *out)
{
	const uint8_t status[] = { 0x00,
				   OPENPGP_PIN_MAX,
				   OPENPGP_PIN_MAX,
				   OPENPGP_PIN_MAX,
				   (uint8_t)card->pin[OPENPGP_PW1].tries,
				   0,
				   (uint8_t)card->pin[OPENPGP_PW3].tries };

	memcpy(out, status, sizeof status);
	return sizeof status;
}

static size_t put_value(const struct openpgp *card, const struct object *object, uint8_t *out);

/* Tag and length, in BER. */
static size_t put_head(unsigned tag, size_t len, uint8_t *out)
{
	size_t at = 0;

	if (tag > 0xFF)
		out[at++] = (uint8_t)(tag >> 8);
	out[at++] = (uint8_t)tag;
	if (len > 0x7F)
		out[at++] = 0x81;
	out[at++] = (uint8_t)len;
	return at;
}

/* The objects inside another one, each with its tag. The table has two levels and fits into OPENPGP_DATA_MAX. */
static size_t put_inner(const struct openpgp *card, unsigned tag, uint8_t *out)
{
	uint8_t value[OPENPGP_DATA_MAX];
	size_t at = 0;

	for (size_t i = 0; i < OBJECTS; i++) {
		size_t len;

		if (objects[i].inside != tag)
			continue;
		len = put_value(card, &objects[i], value);
		at += put_head(objects[i].tag, len, out + at);
		memcpy(out + at, value, len);
		at += len;
	}
	return at;
}

static size_t put_value(const struct openpgp *card, const struct object *object, uint8_t *out)
{
	if (object->tag == PIN_STATUS)
		return put_pin_status(card, out);
	if (!object->bytes)
		return put_inner(card, object->tag, out);
	memcpy(out, object->bytes, object->len);
	return object->len;
}

int openpgp_object(const struct openpgp *card, unsigned tag, uint8_t out[OPENPGP_DATA_MAX])
{
	for (size_t i = 0; i < OBJECTS; i++)
		if (objects[i].tag == tag)
			return (int)put_value(card, &objects[i], out);
	return -1;
}
