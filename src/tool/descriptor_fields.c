/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fields of the class descriptor (CCID rev 1.1, table 5.1-1), one row each. */
#include "tool/describe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct bit {
	uint32_t mask;
	const char *words;
};

static const struct bit voltages[] = { { 1, "5 V" }, { 2, "3 V" }, { 4, "1.8 V" }, { 0, NULL } };
static const struct bit protocols[] = { { 1, "T=0" }, { 2, "T=1" }, { 0, NULL } };
static const struct bit synchronous[] = { { 1, "2-wire" }, { 2, "3-wire" }, { 4, "I2C" }, { 0, NULL } };
static const struct bit mechanics[] = {
	{ 1, "accepts cards" }, { 2, "ejects cards" }, { 4, "captures cards" },
	{ 8, "locks cards" },   { 0, NULL },
};
static const struct bit features[] = {
	{ CCID_AUTO_PARAM_ATR, "parameters from the ATR" },
	{ CCID_AUTO_ACTIVATE, "activates a card by itself" },
	{ CCID_AUTO_VOLTAGE, "chooses the voltage" },
	{ CCID_AUTO_CLOCK, "changes the clock" },
	{ CCID_AUTO_BAUD, "changes the rate" },
	{ CCID_AUTO_PARAM_NEGOTIATION, "negotiates parameters" },
	{ CCID_AUTO_PPS, "does PPS" },
	{ CCID_CLOCK_STOP, "stops the clock" },
	{ CCID_NAD, "takes other NAD than 00" },
	{ CCID_AUTO_IFSD, "announces IFSD" },
	{ CCID_ICCD, "a token (ICCD)" },
	{ CCID_LEVEL_TPDU, "TPDU level" },
	{ CCID_LEVEL_SHORT_APDU, "short APDU level" },
	{ CCID_LEVEL_EXTENDED_APDU, "short and extended APDU level" },
	{ CCID_USB_WAKEUP, "wakes the computer" },
	{ 0, NULL },
};
static const struct bit pin[] = { { 1, "verifies PINs" }, { 2, "changes PINs" }, { 0, NULL } };

static void name_bits(struct field *field, const struct bit *bits, const char *none)
{
	uint32_t rest = field->number;
	size_t used = 0;

	snprintf(field->words, sizeof field->words, "%s", field->number ? "" : none);
	for (; bits->mask; bits++) {
		if (!(field->number & bits->mask) || used >= sizeof field->words - 1)
			continue;
		used += (size_t)snprintf(field->words + used, sizeof field->words - used, "%s%s",
					 used ? ", " : "", bits->words);
		rest &= ~bits->mask;
	}
	if (rest && used < sizeof field->words - 1)
		snprintf(field->words + used, sizeof field->words - used, "%s%Xh: reserved", used ? ", " : "",
			 (unsigned)rest);
}

static void words(struct field *field, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void words(struct field *field, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(field->words, sizeof field->words, fmt, ap);
	va_end(ap);
}

static void version_words(struct field *f)
{
	snprintf(f->value, sizeof f->value, "%x.%02x", (unsigned)f->number >> 8, (unsigned)f->number & 0xFF);
}

static void slot_words(struct field *f)
{
	words(f, "%u slot%s", (unsigned)f->number + 1, f->number ? "s" : "");
}

static void voltage_words(struct field *f)
{
	name_bits(f, voltages, "no voltage");
}

static void protocol_words(struct field *f)
{
	name_bits(f, protocols, "no protocol");
}

static void khz(struct field *f)
{
	words(f, "%u.%03u MHz", (unsigned)f->number / 1000, (unsigned)f->number % 1000);
}

static void bps(struct field *f)
{
	words(f, "bits per second");
}

static void clock_count_words(struct field *f)
{
	words(f, f->number ? "the reader lists so many clocks" : "only these two");
}

static void rate_count_words(struct field *f)
{
	words(f, f->number ? "the reader lists so many rates" : "every rate between these two");
}

static void synchronous_words(struct field *f)
{
	name_bits(f, synchronous, "no synchronous cards");
}

static void mechanical_words(struct field *f)
{
	name_bits(f, mechanics, "no mechanics");
}

static void feature_words(struct field *f)
{
	name_bits(f, features, "the host does everything");
	if (f->number && !(f->number & 0x70000) && strlen(f->words) < sizeof f->words - 20)
		strcat(f->words, ", character level");
}

static void message_words(struct field *f)
{
	words(f, "bytes, 10 of them header");
}

static void class_words(struct field *f)
{
	words(f, f->number == 0xFF ? "as the command" : "");
}

static void display_words(struct field *f)
{
	snprintf(f->value, sizeof f->value, "%04Xh", (unsigned)f->number);
	if (f->number)
		words(f, "%u lines of %u characters", (unsigned)f->number >> 8, (unsigned)f->number & 0xFF);
	else
		words(f, "no display");
}

static void pin_words(struct field *f)
{
	name_bits(f, pin, "no keypad");
}

/* How a value is written where its row does not do it: in hexadecimal with so many digits, or in decimal (0). */
static const struct row {
	const char *name;
	size_t offset, size; /* in struct ccid_descriptor */
	int digits;
	void (*words)(struct field *field);
} rows[] = {
#define AT(member) offsetof(struct ccid_descriptor, member), sizeof(((struct ccid_descriptor *)0)->member)
	{ "bcdCCID", AT(bcdCCID), 4, version_words },
	{ "bMaxSlotIndex", AT(bMaxSlotIndex), 0, slot_words },
	{ "bVoltageSupport", AT(bVoltageSupport), 2, voltage_words },
	{ "dwProtocols", AT(dwProtocols), 8, protocol_words },
	{ "dwDefaultClock", AT(dwDefaultClock), 0, khz },
	{ "dwMaximumClock", AT(dwMaximumClock), 0, khz },
	{ "bNumClockSupported", AT(bNumClockSupported), 0, clock_count_words },
	{ "dwDataRate", AT(dwDataRate), 0, bps },
	{ "dwMaxDataRate", AT(dwMaxDataRate), 0, bps },
	{ "bNumDataRatesSupported", AT(bNumDataRatesSupported), 0, rate_count_words },
	{ "dwMaxIFSD", AT(dwMaxIFSD), 0, NULL },
	{ "dwSynchProtocols", AT(dwSynchProtocols), 8, synchronous_words },
	{ "dwMechanical", AT(dwMechanical), 8, mechanical_words },
	{ "dwFeatures", AT(dwFeatures), 8, feature_words },
	{ "dwMaxCCIDMessageLength", AT(dwMaxCCIDMessageLength), 0, message_words },
	{ "bClassGetResponse", AT(bClassGetResponse), 2, class_words },
	{ "bClassEnvelope", AT(bClassEnvelope), 2, class_words },
	{ "wLcdLayout", 0, 0, 4, display_words },
	{ "bPINSupport", AT(bPINSupport), 2, pin_words },
	{ "bMaxCCIDBusySlots", AT(bMaxCCIDBusySlots), 0, NULL },
#undef AT
};

_Static_assert(sizeof rows / sizeof rows[0] == FIELDS, "a row for each field");

static uint32_t number_at(const struct ccid_descriptor *d, const struct row *row)
{
	const uint8_t *at = (const uint8_t *)d + row->offset;
	uint16_t word;
	uint32_t number;

	switch (row->size) {
	case 1: return *at;
	case 2: memcpy(&word, at, sizeof word); return word;
	case 4: memcpy(&number, at, sizeof number); return number;
	default: return (uint32_t)d->lcd_lines << 8 | d->lcd_columns;
	}
}

size_t describe_fields(const struct ccid_descriptor *d, struct field field[FIELDS])
{
	for (size_t i = 0; i < FIELDS; i++) {
		struct field *f = &field[i];

		*f = (struct field){ .name = rows[i].name, .number = number_at(d, &rows[i]) };
		if (rows[i].digits)
			snprintf(f->value, sizeof f->value, "%0*Xh", rows[i].digits, (unsigned)f->number);
		else
			snprintf(f->value, sizeof f->value, "%u", (unsigned)f->number);
		if (rows[i].words)
			rows[i].words(f);
	}
	return FIELDS;
}
