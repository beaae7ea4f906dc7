/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bringing a reader back to order after an exchange that did not end as it should. */
#ifndef OPENCCID_CCID_RECOVER_H
#define OPENCCID_CCID_RECOVER_H

#include "ccid/exchange.h"

enum { CCID_RESYNC_TRIES = 3 };

/**
 * ccid_recover - make host and reader agree again which command is answered
 * @slot: the slot of the command that failed
 *
 * Rung 1: ABORT on the control pipe and PC_to_RDR_Abort, both with the same slot and one fresh sequence number, then read
 * until the SlotStatus that answers them (CCID rev 1.1, 5.3.1). Rung 2: clear the halt of both bulk pipes, read what is
 * left, GetSlotStatus; a reader that refuses it because it still waits for the second half of ABORT gets both once more.
 * Rung 3: reset the USB port, where the device has no other interface, GetSlotStatus; once it did not help, only after the
 * reader has answered again. Each rung is bounded in time and messages. The failed command is never repeated; the card
 * counts as reset.
 *
 * OC_OK, OC_E_GONE, or OC_E_TIMEOUT when the reader stays silent.
 */
enum oc_err ccid_recover(struct ccid_port *port, uint8_t slot);

/* One line about how often that was needed since the port was opened; nothing where it never was. */
void ccid_tell_recoveries(const struct ccid_port *port);

/* Both halves of an ABORT for a reader that waits for one of them; errors of the bus. Takes at most a second. */
enum oc_err ccid_finish_abort(struct ccid_port *port, uint8_t slot);

/**
 * ccid_resync - the same before the first command, for a reader that remembers what the session before it left undone
 *
 * ABORT in both its halves, tolerant of every error and with a rising sequence number, at most CCID_RESYNC_TRIES times;
 * if nothing answers, rung 2. Takes at most 1.2 s. Errors as above.
 */
enum oc_err ccid_resync(struct ccid_port *port, uint8_t slot);

/*
 * Both halves of an ABORT while another thread waits for the answer to a command; that one ends, mostly with bError FFh. @seq must be
 * far from those in use, so that the SlotStatus that follows is no answer to another command. OC_E_UNSUPPORTED where the
 * transport has no such way; else the error of the bus, OC_E_STALL where the reader does not know the request.
 */
enum oc_err ccid_abort_beside(const struct ccid_port *port, uint8_t slot, uint8_t seq);

/* Take that SlotStatus off the pipe, once the command has ended. */
enum oc_err ccid_await_abort(struct ccid_port *port, uint8_t slot, uint8_t seq);

#endif
