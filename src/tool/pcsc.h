/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What pcscd says of its readers. libpcsclite is loaded when it is needed, so that the command works where it is not installed. No
 * card is connected to, reset or powered for it.
 */
#ifndef OPENCCID_TOOL_PCSC_H
#define OPENCCID_TOOL_PCSC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PCSC_NAME = 128, PCSC_ATR = 33, PCSC_SLOTS = 16 };

enum pcsc_trouble {
	PCSC_FINE,
	PCSC_NO_LIBRARY,  /* libpcsclite is not installed */
	PCSC_NOT_RUNNING, /* no pcscd, and none was started by asking */
	PCSC_DENIED,      /* polkit does not let us */
	PCSC_OTHER,
};

struct pcsc_slot {
	char name[PCSC_NAME];  /* as applications see it */
	bool located;          /* the driver says which device it is: */
	unsigned bus, address; /* each modulo 256 */
	bool present, mute, in_use, exclusive;
	uint8_t atr[PCSC_ATR];
	size_t atr_len;
};

struct pcsc_view {
	enum pcsc_trouble trouble;
	long code; /* of the call that failed */
	struct pcsc_slot slot[PCSC_SLOTS];
	size_t count;
};

/*
 * Is there a pcscd, without asking it? Where PCSCLITE_CSOCK_NAME names a socket, it is whether that is there; else whether a process of
 * that name runs. @uid: whose it is; stays as it was where there is none.
 */
bool pcsc_daemon(uid_t *uid);

/*
 * Ask. @start: also where no pcscd runs, which starts one where systemd listens for it.
 * Where the socket is somewhere else PCSCLITE_CSOCK_NAME says so, as it does to every program.
 */
void pcsc_look(struct pcsc_view *view, bool start);

/* The n-th slot, from 0, of the device with this bus number and address; NULL if pcscd has none. */
const struct pcsc_slot *pcsc_slot_of(const struct pcsc_view *view, unsigned bus, unsigned address,
				     unsigned n);

/* The same as a sentence; "" for PCSC_FINE. */
const char *pcsc_trouble_text(enum pcsc_trouble trouble);

#endif
