/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the message layer needs of a bus: the calls that libusb, a recorded trace, a scripted test and a fuzzer serve
 * alike. Times are milliseconds; a clock is part of the interface, so that tests can run on a clock of their own.
 */
#ifndef OPENCCID_CCID_TRANSPORT_H
#define OPENCCID_CCID_TRANSPORT_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct transport;

/* The setup stage of a control transfer (USB 2.0, 9.3); the direction is bit 7 of request_type. */
struct transport_setup {
	uint8_t request_type, request;
	uint16_t value, index;
};

struct transport_ops {
	/*
	 * Post a bulk-IN read of @cap bytes into @in, then send @len bytes at @out on bulk-OUT within @ms.
	 * The read stays posted when the call returns OC_OK; recv() collects it. @in must stay valid until then.
	 * On an error nothing stays posted, and the bytes may or may not have reached the reader.
	 */
	enum oc_err (*send)(struct transport *t, const uint8_t *out, size_t len, uint8_t *in, size_t cap,
			    unsigned ms);

	/*
	 * Wait at most @ms for the read posted by send(); post it again into the same place where it was collected already.
	 * On OC_OK *@len bytes came, possibly 0. After an error nothing stays posted, and nothing is written any more.
	 */
	enum oc_err (*recv)(struct transport *t, size_t *len, unsigned ms);

	/*
	 * How often the device has started afresh since it was opened, by reset() or by the system: after a suspend its cards are off,
	 * and what it was told at open is forgotten. A call that was at work meanwhile returns OC_E_RESTARTED. NULL: it never does.
	 */
	unsigned (*restarts)(struct transport *t);

	/*
	 * Make a recv() that waits return before its time, with OC_E_TIMEOUT or what had arrived; where none waits nothing happens. Any
	 * thread. NULL where recv() is never called beside another call.
	 */
	void (*nudge)(struct transport *t);

	/*
	 * Send @len bytes on bulk-OUT beside a command whose answer is awaited; what answers them arrives at recv(). Any thread.
	 * NULL where there is no such pipe.
	 */
	enum oc_err (*beside)(struct transport *t, const uint8_t *out, size_t len, unsigned ms);

	/* One control transfer of at most *@len bytes of data; on OC_OK *@len is what was transferred. */
	enum oc_err (*control)(struct transport *t, const struct transport_setup *setup, uint8_t *data,
			       size_t *len, unsigned ms);

	/* Clear a halt on both bulk endpoints, and the data toggles with it. */
	enum oc_err (*clear_halt)(struct transport *t);

	/* The same for the interrupt endpoint, where there is one; a thread that sleeps in interrupt() may be woken by it. */
	enum oc_err (*clear_interrupt)(struct transport *t);

	/*
	 * Reset the port, once nothing is posted on the bulk pipes: the reader starts afresh, its cards are off. OC_E_UNSUPPORTED where
	 * something else on the same device would suffer; OC_E_GONE if it came back as something else. NULL where there is no port.
	 */
	enum oc_err (*reset)(struct transport *t);

	/*
	 * Sleep until the reader sends on its interrupt endpoint, at most @ms; OC_E_STOPPED once wake() was called,
	 * OC_E_UNSUPPORTED where there is no such endpoint. One thread at a time; runs beside the other calls.
	 */
	enum oc_err (*interrupt)(struct transport *t, uint8_t *buf, size_t cap, size_t *len, unsigned ms);

	/* Make interrupt() return OC_E_STOPPED: the call that sleeps, or if none does the next one. Any thread. */
	void (*wake)(struct transport *t);

	/* The device is known to be gone: every call, also one that waits, returns OC_E_GONE from now on. Any thread. */
	void (*gone)(struct transport *t);

	/* A clock that only goes forward. */
	uint64_t (*now)(struct transport *t);

	/* Let @ms pass. */
	void (*pause)(struct transport *t, unsigned ms);

	/* Release the device and free @t. No other call may be running. */
	void (*close)(struct transport *t);
};

/* Embedded as the first member of each implementation. */
struct transport {
	const struct transport_ops *ops;
};

#endif
