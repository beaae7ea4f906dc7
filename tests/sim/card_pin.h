/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How cards want a PIN: blocks that are looked at byte by byte, so that one that was put together wrongly is noticed. */
#ifndef OPENCCID_SIM_CARD_PIN_H
#define OPENCCID_SIM_CARD_PIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PIN_DIGITS_MAX = 12, PIN_FORMATS = 4 };

/* P2 of VERIFY and CHANGE REFERENCE DATA */
enum pin_format {
	PIN_ASCII = 1,    /* as many bytes as digits */
	PIN_ASCII_FF = 2, /* eight bytes, padded with FF */
	PIN_BCD = 3,      /* eight bytes, two digits each, padded with F */
	PIN_GLP = 4,      /* eight bytes: 2n, n digits in BCD, padded with F */
};

/* Take one PIN off the front of @data; how many bytes it had, or 0 where they are no such block. */
size_t card_pin_take(enum pin_format format, const uint8_t *data, size_t len, size_t digits_expected,
		     char digits[PIN_DIGITS_MAX + 1]);

#endif
