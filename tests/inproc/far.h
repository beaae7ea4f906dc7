/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * usb_open() on a simulated reader in a process of its own: what the reader, its keypad and its card know is not in this one. On
 * the way there nothing is copied in this process. One reader at a time.
 */
#ifndef OPENCCID_TESTS_FAR_H
#define OPENCCID_TESTS_FAR_H

#include "sim/reader.h"

#include <stddef.h>
#include <stdint.h>

/* What is given to far_type() is masked with it, so that the digits are not here either. */
enum { FAR_MASK = 0x5A };

/* Plug a reader in, with this card in it (see tests/sim/README.md); false if it cannot be. */
bool far_begin(const struct sim_identity *identity, const char *card);
void far_end(void);

/* Somebody types these digits, each of them masked, and "ok". */
void far_type(const uint8_t *masked, size_t len);

/* Commands will fail. */
void far_fault(const struct sim_fault *fault);

#endif
