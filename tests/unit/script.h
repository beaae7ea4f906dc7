/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A transport that plays a script: the reader is a list of steps, time is a number. A send must be the next step of the
 * list; a receive takes what the list gives; where it gives nothing, there is silence and the clock goes on. What the
 * driver does beside the script is an error, and so is what is left of it at the end: see SCRIPT_END().
 */
#ifndef OPENCCID_TESTS_SCRIPT_H
#define OPENCCID_TESTS_SCRIPT_H

#include "base/log.h"
#include "ccid/transport.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum script_kind {
	SCRIPT_STOP,
	SCRIPT_OUT,
	SCRIPT_IN,
	SCRIPT_CONTROL,
	SCRIPT_HALT,
	SCRIPT_HALT_INTERRUPT,
	SCRIPT_UNPLUG,
	SCRIPT_OTHER,
	SCRIPT_RESET
};

struct script_step {
	enum script_kind kind;
	unsigned ms;     /* IN: after so long; OUT: the send takes so long */
	unsigned rest;   /* OUT: at least so long after the step before */
	enum oc_err err; /* what the call returns */
	bool raw;        /* byte 6 is bSeq itself; else OUT: any, IN: what is added to that of the last OUT */
	const uint8_t *bytes;
	size_t len, pad; /* IN: pad zero bytes follow */
};

#define SCRIPT_BYTES(...) \
	.bytes = (const uint8_t[]){ __VA_ARGS__ }, .len = sizeof((const uint8_t[]){ __VA_ARGS__ })

/* The driver sends these bytes, with any bSeq; SENDS_RAW with this bSeq. */
#define SENDS(...)                                            \
	{                                                     \
		.kind = SCRIPT_OUT, SCRIPT_BYTES(__VA_ARGS__) \
	}
#define SENDS_RAW(...)                                                     \
	{                                                                  \
		.kind = SCRIPT_OUT, .raw = true, SCRIPT_BYTES(__VA_ARGS__) \
	}
/* It sends them, and the bus fails. */
#define SEND_FAILS(code, ...)                                                \
	{                                                                    \
		.kind = SCRIPT_OUT, .err = (code), SCRIPT_BYTES(__VA_ARGS__) \
	}

/* It sends them, and has let so many milliseconds pass before. */
#define SENDS_RESTED(wait, ...)                                               \
	{                                                                     \
		.kind = SCRIPT_OUT, .rest = (wait), SCRIPT_BYTES(__VA_ARGS__) \
	}

/* The reader sends these bytes, byte 6 counted from the bSeq of the last command: 0 is its answer, FFh the one before. */
#define GIVES(...)                                           \
	{                                                    \
		.kind = SCRIPT_IN, SCRIPT_BYTES(__VA_ARGS__) \
	}
#define GIVES_AFTER(wait, ...)                                             \
	{                                                                  \
		.kind = SCRIPT_IN, .ms = (wait), SCRIPT_BYTES(__VA_ARGS__) \
	}
#define GIVES_PADDED(count, ...)                                             \
	{                                                                    \
		.kind = SCRIPT_IN, .pad = (count), SCRIPT_BYTES(__VA_ARGS__) \
	}
#define GIVES_RAW(...)                                                    \
	{                                                                 \
		.kind = SCRIPT_IN, .raw = true, SCRIPT_BYTES(__VA_ARGS__) \
	}
#define ZERO_LENGTH               \
	{                         \
		.kind = SCRIPT_IN \
	}
#define RECV_FAILS(code)                         \
	{                                        \
		.kind = SCRIPT_IN, .err = (code) \
	}

/* Control request with bmRequestType, bRequest, wValue low byte, wIndex; the high byte of wValue is bSeq. */
#define CONTROL(code, type, request, value, index)                                               \
	{                                                                                        \
		.kind = SCRIPT_CONTROL, .err = (code), SCRIPT_BYTES(type, request, value, index) \
	}
/* clear_halt() is called and returns this. */
#define HALT_CLEARED(code)                         \
	{                                          \
		.kind = SCRIPT_HALT, .err = (code) \
	}
/* The same for clear_interrupt() */
#define INTERRUPT_CLEARED(code)                              \
	{                                                    \
		.kind = SCRIPT_HALT_INTERRUPT, .err = (code) \
	}
/* From here on every call returns OC_E_GONE. */
#define UNPLUG                        \
	{                             \
		.kind = SCRIPT_UNPLUG \
	}
/* The port is reset, which takes so long, and returns this. */
#define PORT_RESET(wait, code)                                     \
	{                                                          \
		.kind = SCRIPT_RESET, .ms = (wait), .err = (code), \
	}
/* While the driver waits for an answer, another thread calls script->other(). */
#define OTHER_THREAD                 \
	{                            \
		.kind = SCRIPT_OTHER \
	}
#define END                         \
	{                           \
		.kind = SCRIPT_STOP \
	}

enum { SCRIPT_ERROR_LEN = 400, SCRIPT_EVENT_LEN = 64 };

struct script {
	struct transport transport; /* first */
	const struct script_step *step;
	uint64_t clock;
	uint64_t since;      /* when the last step ended; IN counts its ms from there */
	uint64_t control_at; /* when the last control request came */
	uint8_t seq, abort_seq;
	bool abort_pending, gone, closed;
	uint8_t *in; /* where recv() writes, and how much fits */
	size_t cap, taken;
	unsigned calls;
	unsigned restarts; /* of the device, as the transport tells */
	void (*other)(void *arg);
	void *other_arg;
	char error[SCRIPT_ERROR_LEN]; /* the first thing that went beside the script */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool woken;
	unsigned listening; /* threads in interrupt() */
	uint8_t event[SCRIPT_EVENT_LEN];
	size_t event_len;
	enum oc_err event_err; /* interrupt() returns it, once */
};

/* No step at all. */
extern const struct script_step script_nothing[];

void script_begin(struct script *script, const struct script_step *steps);

/* Go on with other steps; what is left of the ones before is an error. */
void script_continue(struct script *script, const struct script_step *steps);

/* The reader sends these bytes on its interrupt endpoint. */
void script_event(struct script *script, const uint8_t *bytes, size_t len);

/* Wait, in real time, until a thread sleeps in interrupt(); false if none came within two seconds. */
bool script_wait_listener(struct script *script);

/* What went wrong, or NULL; steps that were not used count. */
const char *script_fault(struct script *script);
void script_end(struct script *script);

#define SCRIPT_END(row, script)                                                   \
	do {                                                                      \
		const char *fault_ = script_fault(script);                        \
		if (fault_ && check_failed(__FILE__, __LINE__, row))              \
			print_error("the script was not followed: %s\n", fault_); \
		script_end(script);                                               \
	} while (0)

/* A log that counts its lines per level and keeps the last one of each. */
struct script_log {
	struct oc_log log;
	unsigned count[9];
	char last[9][200];
};

void script_log_begin(struct script_log *log);

#endif
