/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card_pin.h"

#include <string.h>

enum { BLOCK = 8, PAD = 0xFF };

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

/* Digits up to the padding, and nothing but padding behind it. */
static size_t take_ascii(const uint8_t *data, size_t len, char *digits)
{
	size_t n = 0;

	while (n < len && n < PIN_DIGITS_MAX && is_digit(data[n])) {
		digits[n] = (char)data[n];
		n++;
	}
	digits[n] = '\0';
	for (size_t i = n; i < len; i++)
		if (data[i] != PAD)
			return 0;
	return n ? len : 0;
}

static uint8_t nibble(const uint8_t *data, size_t n)
{
	return n % 2 ? data[n / 2] & 0xF : data[n / 2] >> 4;
}

static size_t take_bcd(const uint8_t *data, size_t nibbles, char *digits)
{
	size_t n = 0;

	while (n < nibbles && n < PIN_DIGITS_MAX && nibble(data, n) <= 9) {
		digits[n] = (char)('0' + nibble(data, n));
		n++;
	}
	digits[n] = '\0';
	for (size_t i = n; i < nibbles; i++)
		if (nibble(data, i) != 0xF)
			return 0;
	return n;
}

size_t card_pin_take(enum pin_format format, const uint8_t *data, size_t len, size_t digits_expected,
		     char digits[PIN_DIGITS_MAX + 1])
{
	if (format == PIN_ASCII) {
		const size_t n = digits_expected && digits_expected < len ? digits_expected : len;

		/* no padding: it would be taken for a part of the PIN by a card of this kind */
		return take_ascii(data, n, digits) == n && strlen(digits) == n ? n : 0;
	}
	if (len < BLOCK)
		return 0;
	if (format == PIN_ASCII_FF)
		return take_ascii(data, BLOCK, digits);
	if (format == PIN_BCD)
		return take_bcd(data, 2 * BLOCK, digits) ? BLOCK : 0;
	if (data[0] >> 4 != 2 || take_bcd(data + 1, 2 * (BLOCK - 1), digits) != (data[0] & 0xFu))
		return 0;
	return data[0] & 0xF ? BLOCK : 0;
}
