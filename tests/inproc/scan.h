/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks for a secret in all memory of this process that can be written: heap, stacks of all threads, data of every library. */
#ifndef OPENCCID_TESTS_SCAN_H
#define OPENCCID_TESTS_SCAN_H

#include <stddef.h>
#include <stdint.h>

enum {
	SECRET_LEN = 16,
	SECRET_PIECE = 6, /* so many bytes of it in a row are found, wherever they begin */
	SECRET_MASK = 0xA7,
};

/* The secret repeats itself. It is not in memory as it is, but where secret_put() writes it. */
void secret_put(uint8_t *out, size_t len);

/* How often a piece of it is found; the places are printed, up to @shown of them. */
unsigned secret_scan(unsigned shown);

/* The same in a file; @len is how long it is. */
unsigned secret_scan_file(const char *path, size_t *len);

#endif
