/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* usb_open() on a simulated reader in this process: what src/usb is to a real one. */
#ifndef OPENCCID_TESTS_INPROC_H
#define OPENCCID_TESTS_INPROC_H

#include "sim/reader.h"

#include <stdbool.h>

/* The device that the next usb_open() opens, whatever ids its name has; the test owns it, and frees it when it is closed. */
struct inproc;

struct inproc *inproc_new(const struct sim_identity *identity);
void inproc_free(struct inproc *device);

/* Pulled out of its port: what is open ends, and usb_open() does not find it until it is plugged in, and starts afresh. */
void inproc_unplug(struct inproc *device);
void inproc_plug(struct inproc *device);

/* Has somebody opened it? Does somebody sleep at its interrupt endpoint? */
bool inproc_is_open(struct inproc *device);
bool inproc_listened(struct inproc *device);

/* A card pushed in or pulled, while the driver is at work. */
void inproc_insert(struct inproc *device);
void inproc_remove(struct inproc *device);

/* Somebody types: one word, and how it ends ("1234", "ok"). Does the reader ask for a PIN? */
void inproc_type(struct inproc *device, const char *digits, const char *end);
bool inproc_asks(struct inproc *device);

/* What the driver sent that it must not send. */
unsigned inproc_violations(struct inproc *device);
const char *inproc_violation(struct inproc *device, unsigned n);

/* bulk-OUT messages of one type so far */
unsigned inproc_sent(struct inproc *device, uint8_t type);

#endif
