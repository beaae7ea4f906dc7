/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A simulated CCID reader: messages in, messages out. No I/O, no thread, no clock: the time is an argument (milliseconds
 * of any clock that does not go backwards). One caller at a time.
 *
 * It answers like a correct reader of CCID rev 1.1 with the class descriptor of its identity, and keeps a list of
 * violations: what the host sent that the specification or this descriptor does not allow.
 */
#ifndef OPENCCID_SIM_READER_H
#define OPENCCID_SIM_READER_H

#include "card.h"
#include "identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
	SIM_HEADER = 10,
	SIM_MESSAGE_MAX = SIM_HEADER + 65544,
	SIM_PACKET = 64, /* wMaxPacketSize of the bulk endpoints */
	SIM_INTERRUPT_MAX = 1 + 64,
};

#define SIM_NEVER UINT64_MAX

/* What the USB side of a reader answers. */
enum sim_io {
	SIM_DONE,
	SIM_NAK, /* nothing to send now; ask again at sim_reader_next() or after the next call that changes something */
	SIM_STALL, /* the endpoint is halted; bulk endpoints stay so until sim_reader_clear_halt() */
};

struct sim_reader;

/* A reader without cards; NULL when memory is out. */
struct sim_reader *sim_reader_new(const struct sim_identity *identity);
void sim_reader_free(struct sim_reader *r);
const struct sim_identity *sim_reader_identity(const struct sim_reader *r);
unsigned sim_reader_slots(const struct sim_reader *r);

/* ---- the host's side ---- */

/**
 * sim_reader_bulk_out - bytes on the command pipe
 * @bytes, @len: whole packets but for the last one; a message may come in several calls
 *
 * A message is complete with a short packet or with 10 + dwLength bytes. SIM_DONE or SIM_STALL.
 */
enum sim_io sim_reader_bulk_out(struct sim_reader *r, const uint8_t *bytes, size_t len, uint64_t now);

/**
 * sim_reader_bulk_in - the next whole message on the response pipe
 * @buf, @cap: SIM_MESSAGE_MAX bytes are always enough; a longer message is cut
 * @len: bytes written, on SIM_DONE
 */
enum sim_io sim_reader_bulk_in(struct sim_reader *r, uint8_t *buf, size_t cap, size_t *len, uint64_t now);

/* The next message on the interrupt pipe; SIM_NAK for ever where the reader has none. */
enum sim_io sim_reader_interrupt(struct sim_reader *r, uint8_t buf[SIM_INTERRUPT_MAX], size_t *len);

/**
 * sim_reader_control - a class request to the CCID interface (CCID rev 1.1, 5.3)
 * @setup: the eight bytes of SETUP
 * @data, @len: room for the data stage; *len is wLength going in and what was transferred coming out
 */
enum sim_io sim_reader_control(struct sim_reader *r, const uint8_t setup[8], uint8_t *data, size_t *len,
			       uint64_t now);

/* CLEAR_FEATURE(ENDPOINT_HALT), or what else restarts an endpoint. Half received messages are forgotten. */
void sim_reader_clear_halt(struct sim_reader *r, bool in);

/* Is a bulk endpoint halted? SET_FEATURE(ENDPOINT_HALT) halts it. */
bool sim_reader_halted(const struct sim_reader *r, bool in);
void sim_reader_halt(struct sim_reader *r, bool in);

/* A bus reset or SET_CONFIGURATION: everything in progress is forgotten, cards lose power. */
void sim_reader_bus_reset(struct sim_reader *r);

/* When the next delayed message becomes ready; SIM_NEVER if none waits. */
uint64_t sim_reader_next(const struct sim_reader *r, uint64_t now);

/* ---- the user's side ---- */

/* Put a card into a slot. The reader owns it from now on, also when it fails (-1: no such slot, or it is taken). */
int sim_reader_insert(struct sim_reader *r, unsigned slot, struct sim_card *card, uint64_t now);
/* Take it out and free it; -1: no such slot, or it is empty. */
int sim_reader_remove(struct sim_reader *r, unsigned slot, uint64_t now);

enum sim_fault_kind {
	SIM_FAULT_FAIL,   /* answer with command failed and this bError; the card does not see it */
	SIM_FAULT_SILENT, /* swallow the command: no answer, the slot stays free */
	SIM_FAULT_STALL,  /* halt the command pipe instead of taking the message */
};

struct sim_fault {
	enum sim_fault_kind kind;
	uint8_t error;
	int type;       /* bMessageType, -1 = any */
	int ins;        /* only XfrBlocks with this INS, -1 = any */
	unsigned count; /* how often */
	unsigned after; /* let so many matching messages pass first */
};

/* Arrange for a fault; -1 when too many wait already. */
int sim_reader_fault(struct sim_reader *r, const struct sim_fault *fault);
void sim_reader_faults_clear(struct sim_reader *r);

/* What happens to the blocks of a T=1 card where the host sees blocks (TPDU level). */
enum sim_damage_kind {
	SIM_DAMAGE_IN,     /* a bit of the card's block is wrong */
	SIM_DAMAGE_OUT,    /* a bit of the host's block is wrong when the card gets it */
	SIM_DAMAGE_PARITY, /* the reader reports a parity error and keeps the card's block (bError FDh) */
	SIM_DAMAGE_LOST,   /* the card's block does not arrive: mute */
	SIM_DAMAGES,
};

/* Every n-th block from now on; 0: none. */
void sim_reader_damage(struct sim_reader *r, enum sim_damage_kind kind, unsigned every);

/* ABORT on the control pipe is stalled from now on, as many readers do. */
void sim_reader_refuse_abort(struct sim_reader *r, bool refuse);

/* The keypad: words as in README.md; NULL, or why they are not understood. */
const char *sim_reader_type(struct sim_reader *r, int argc, char **argv, uint64_t now);
/* How long a second of its time-outs takes. */
void sim_reader_keypad_second(struct sim_reader *r, unsigned ms);
/* What was typed and nobody has asked for yet is forgotten. */
void sim_reader_keypad_forget(struct sim_reader *r);
/* Whether each key is told to the host by a time extension; some products do so anyway. */
void sim_reader_keypad_extends(struct sim_reader *r, bool on);
/* Does it ask for a PIN? What it does, in one line. */
bool sim_reader_asks(const struct sim_reader *r);
void sim_reader_keypad(const struct sim_reader *r, FILE *to);

/* What the card in this slot was told since it was put in, or since the last clear; NULL: no card, or one without a log. */
struct card_log *sim_reader_card_log(struct sim_reader *r, unsigned slot);

/* Moods that some readers are found in. */
enum sim_mood {
	SIM_MOOD_EMV,         /* IccPowerOn fails with BBh until Escape 1F 01 */
	SIM_MOOD_STUBBORN,    /* ... unless the contacts were switched off before */
	SIM_MOOD_OUT_OF_STEP, /* commands are ignored until an ABORT came on both pipes */
	SIM_MOOD_DEAD,        /* nothing is answered until the bus is reset */
	SIM_MOODS,
};
void sim_reader_mood(struct sim_reader *r, enum sim_mood mood, bool on);

/* ---- what a test asks ---- */

struct sim_stats {
	unsigned out[256], in[256]; /* messages per bMessageType */
	unsigned controls, interrupts, extensions, violations;
};

const struct sim_stats *sim_reader_stats(const struct sim_reader *r);
void sim_reader_stats_clear(struct sim_reader *r);
/* The sentence of violation n (0 = first); NULL past the last one or beyond the 32 that are kept. */
const char *sim_reader_violation(const struct sim_reader *r, unsigned n);
/* Extended APDU level: is there a part of a command without the rest, or of an answer? */
bool sim_reader_in_chain(const struct sim_reader *r, unsigned slot);
/* Something illegal that the layer above saw. */
void sim_reader_violate(struct sim_reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The last messages, oldest first, one line each. */
void sim_reader_trace(const struct sim_reader *r, FILE *to);
/* One line per slot for a person, counted from first on. Returns how many. */
unsigned sim_reader_status(const struct sim_reader *r, unsigned first, FILE *to);

/* The name of a bMessageType ("XfrBlock"), or NULL. */
const char *sim_message_name(uint8_t type);

#endif
