/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The transport that plays a capture against the driver, on a clock of its own. What the driver sends must be what was
 * captured; what was captured is what it gets, after the captured time. For use by one thread.
 *
 *	replay_new()
 *	replay_before()      once for each "before" line, then the call that it names
 *	replay_begin()       the next action; then the call that it names
 *	replay_end()         its expectation; and so on until replay_begin() returns NULL
 *	replay_leave()       then reader_close()
 *	replay_failure(), replay_free()
 */
#ifndef OPENCCID_REPLAY_REPLAY_H
#define OPENCCID_REPLAY_REPLAY_H

#include "ccid/transport.h"
#include "replay/capture.h"

struct replay;

/* Begin at the first step; @capture must outlive the replay. NULL if there is no memory. */
struct replay *replay_new(const struct capture *capture);

/* Its close() leaves the memory to replay_free(), so that the outcome can still be asked for. */
struct transport *replay_transport(struct replay *replay);

/*
 * The driver is about to be brought into a state that the fragment begins in: answer by itself, as a reader without
 * faults would, whatever belongs to that action.
 */
void replay_before(struct replay *replay, const struct capture_step *action);

/* The next thing that the application asked for; NULL at the end of the capture and after a deviation. */
const struct capture_step *replay_begin(struct replay *replay);

/*
 * The driver has done what was asked: all traffic up to the expectation must have happened. Returns the expectation, or
 * NULL after a deviation.
 */
const struct capture_step *replay_end(struct replay *replay);

/* The reader is about to be closed: answer IccPowerOff by itself, and refuse everything else. */
void replay_leave(struct replay *replay);

/* "FILE:LINE: sentence" about the first deviation; NULL if there was none and every step is used up. */
const char *replay_failure(struct replay *replay);

/* Has there been a deviation? What is not used up yet is none. */
bool replay_deviated(const struct replay *replay);

/* Milliseconds that have passed on the replay's clock. */
uint64_t replay_now(const struct replay *replay);

void replay_free(struct replay *replay);

#endif
