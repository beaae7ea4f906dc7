/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bus that damages what goes over it: the transport between the driver and a simulated reader. Every message, control request,
 * clearing of a halt and reset is an event with a number; a fault strikes at one of them. Time is a number, and passes only here.
 */
#ifndef OPENCCID_TESTS_FAULTY_H
#define OPENCCID_TESTS_FAULTY_H

#include "ccid/transport.h"
#include "sim/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event { EVENT_OUT, EVENT_IN, EVENT_CONTROL, EVENT_HALT, EVENT_RESET };

enum {
	FAULTY_EVENTS = 256,  /* so many are recorded; there is no bound on how many happen */
	FAULTY_CALLS = 50000, /* a driver that makes more calls for one operation never ends */
	FAULTY_QUEUE = 16,
	FAULTY_STRIKES = 2,
};

/* One event on its way. OUT, CONTROL, HALT: what the caller is told, and whether the reader sees it. */
struct passing {
	const uint8_t *bytes; /* OUT and IN */
	size_t len;
	enum oc_err err;
	bool reaches;
};

struct faulty;
struct fault;

/* A fault at an event: at the first one of its kind from number at on. */
struct strike {
	const struct fault *fault;
	unsigned variant; /* 0 .. fault->variants - 1 */
	unsigned at;
	bool struck;
};

/* What the reader does not hear until something wakes it up. */
enum deafness { HEARS, DEAF_UNTIL_ABORT, DEAF_UNTIL_HALT, DEAF_UNTIL_RESET, DEAF_FOR_LONG };

/* A message for the host; after a damage there may be several, or an error instead. */
struct pending {
	uint64_t ready;
	bool begun; /* a part of it was read: the reader takes no command before the rest is */
	bool late;  /* only when somebody has waited in vain */
	enum oc_err err;
	size_t len;
	uint8_t *bytes;
};

struct faulty {
	struct transport transport; /* first */
	struct sim_reader *reader;
	uint64_t clock;
	uint8_t *in; /* where the read that is posted writes */
	size_t cap;
	unsigned calls; /* since faulty_arm() */
	bool runaway;   /* they were too many */
	bool gone, closed, halted_in, halted_out, refuse_abort;
	bool no_reset;  /* the port cannot be reset, as there is something else on the device */
	bool restarted; /* what is at work has to end */
	unsigned restarts;
	enum deafness deaf;
	bool damaging; /* the next block, or that one which the reader makes of a PIN */
	enum sim_damage_kind damage;
	uint8_t icc; /* bmICCStatus as the reader said last */

	struct strike strike[FAULTY_STRIKES];
	unsigned strikes;
	bool armed;
	unsigned events; /* from faulty_arm() to faulty_disarm() */
	uint8_t kind[FAULTY_EVENTS];

	struct pending queue[FAULTY_QUEUE];
	unsigned queued;
	struct { /* the same again and again, until the host sends something or left is 0 */
		unsigned left, every_ms;
		uint64_t next;
		size_t len;
		uint8_t message[SIM_HEADER];
	} repeating;

	/* What the reader has to say on its interrupt endpoint */
	unsigned notices;
	uint8_t notice;

	/* Called when it has begun to. */
	void (*listen)(void *arg);
	/* Called before a card is pulled: it takes what it knows with it. */
	void (*before_pull)(void *arg);
	void *arg;
	bool pulled;
	uint8_t message[SIM_MESSAGE_MAX]; /* from the reader, before it is damaged */
};

void faulty_begin(struct faulty *f, struct sim_reader *reader);
void faulty_end(struct faulty *f);

/* Count events from 0, and strike at them; 0 strikes: only record. */
void faulty_arm(struct faulty *f, const struct strike *strikes, unsigned count);

/* What is not struck yet will not be. A reader that was deaf has come to itself. What is on its way stays so. */
void faulty_disarm(struct faulty *f);

/* ---- what faults do ---- */

/* Let a message of the reader through, now or later. */
void faulty_pass(struct faulty *f, const uint8_t *bytes, size_t len, uint64_t ready);
/* The same, when the host has waited for it in vain. */
void faulty_pass_late(struct faulty *f, const uint8_t *bytes, size_t len);
/* The read ends with an error. */
void faulty_pass_error(struct faulty *f, enum oc_err err);
/* Up to SIM_HEADER bytes so many times, until the host sends something. */
void faulty_repeat(struct faulty *f, const uint8_t *bytes, size_t len, unsigned count, unsigned every_ms);
/* Spoil the next block of T=1 on the contacts. */
void faulty_damage(struct faulty *f, enum sim_damage_kind kind);
void faulty_pull(struct faulty *f);
/* So many NotifySlotChange, each other than the one before. */
void faulty_notify(struct faulty *f, unsigned count);
/* The system suspends or resets the device: the reader starts afresh; what is at work ends unless it is @quiet. */
void faulty_restart(struct faulty *f, bool quiet);

#endif
