/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* usb_open() on simulated readers in this process: what src/usb is to real ones. */
#ifndef OPENCCID_TESTS_INPROC_H
#define OPENCCID_TESTS_INPROC_H

#include "sim/reader.h"

#include <stdbool.h>

enum { INPROC_NAME = 48 };

/*
 * A reader in a port of its own. usb_open() finds it by bus and address, whatever ids the name has. The test owns it, and frees it
 * when it is closed. Every call may come from any thread.
 */
struct inproc;

/* Plugged in at the first address that is free: bus 1, device 2 for the first one. NULL: no memory, or no address. */
struct inproc *inproc_new(const struct sim_identity *identity);
void inproc_free(struct inproc *device);

/* As pcscd calls it */
void inproc_name(const struct inproc *device, char name[INPROC_NAME]);

/* Pulled out of its port: what is open ends, and usb_open() does not find it until it is plugged in, and starts afresh. */
void inproc_unplug(struct inproc *device);
void inproc_plug(struct inproc *device);

/* Devices have USB strings, unless this says otherwise. */
void inproc_strings(bool there);

/* Has somebody opened it? How many of all devices are open? */
bool inproc_is_open(struct inproc *device);
unsigned inproc_all_open(void);

/* Does somebody sleep at its interrupt endpoint; wait for an answer; let time pass? */
bool inproc_listened(struct inproc *device);
bool inproc_awaited(struct inproc *device);
bool inproc_paused(struct inproc *device);

/* A card pushed in or pulled, while the driver is at work; in slot 0, or in the one that is named. */
void inproc_insert(struct inproc *device);
void inproc_remove(struct inproc *device);
void inproc_insert_at(struct inproc *device, unsigned slot);
void inproc_remove_at(struct inproc *device, unsigned slot);
/* One that is named as on the command line (sim/card_spec.h); false if that is none. */
bool inproc_insert_card(struct inproc *device, const char *words);
/* A card that never answers. */
void inproc_insert_mute(struct inproc *device);

/* Commands of one type get no answer from now on, so many times; 0: all faults are over. */
void inproc_silence(struct inproc *device, int type, unsigned count);
/* The whole reader says nothing until its port is reset. */
void inproc_stun(struct inproc *device);
void inproc_refuse_abort(struct inproc *device);

/* Somebody types: one word, and how it ends ("1234", "ok"). Does the reader ask for a PIN? */
void inproc_type(struct inproc *device, const char *digits, const char *end);
bool inproc_asks(struct inproc *device);

/* What the driver sent that it must not send. */
unsigned inproc_violations(struct inproc *device);
const char *inproc_violation(struct inproc *device, unsigned n);

/* bulk-OUT messages of one type so far; ports that were reset */
unsigned inproc_sent(struct inproc *device, uint8_t type);
unsigned inproc_resets(struct inproc *device);

#endif
