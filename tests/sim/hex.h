/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef OPENCCID_SIM_HEX_H
#define OPENCCID_SIM_HEX_H

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes as pairs of digits, blanks and colons between them as one likes. */
static inline bool hex_parse(const char *text, uint8_t *out, size_t cap, size_t *len)
{
	for (*len = 0; *text; text++) {
		if (isspace((unsigned char)*text) || *text == ':')
			continue;
		if (hex_digit(text[0]) < 0 || hex_digit(text[1]) < 0 || *len == cap)
			return false;
		out[(*len)++] = (uint8_t)(hex_digit(text[0]) * 16 + hex_digit(text[1]));
		text++;
	}
	return true;
}

#endif
