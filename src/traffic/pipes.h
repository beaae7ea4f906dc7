/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What belongs to one reader of a USB capture, and how it is found: by descriptors, or by what is said. For the files of this folder. */
#ifndef OPENCCID_TRAFFIC_PIPES_H
#define OPENCCID_TRAFFIC_PIPES_H

#include "traffic/inside.h"
#include "traffic/urb.h"

enum { GATHERED_PIECES = EVENT_ROOM / 64 + 1 };

/* A message that may come in several transfers. */
struct gathered {
	uint8_t bytes[EVENT_ROOM];
	size_t len;
	uint64_t missing, us;
	unsigned long place;
	struct event_piece piece[GATHERED_PIECES];
	size_t pieces;
};

struct urb_pipes {
	struct urb_device device;
	uint8_t out, in, interrupt; /* endpoints; 0: not known yet */
	uint8_t perhaps_in;         /* a bulk-IN endpoint of the same device */
	bool described;             /* a descriptor says that it is a reader */
	bool answered;              /* a message looked like a command, and one like its answer */
	uint8_t type, slot, seq;    /* of the last command */
	bool waiting;               /* for the answer to it */
	bool gone;
	struct gathered sent, received;
};

/* The index of the reader that a transfer belongs to; -1 if none. */
int pipes_of_bulk(const struct traffic *t, const struct urb *urb);
int pipes_of_interrupt(const struct traffic *t, const struct urb *urb);
int pipes_of_interface(const struct traffic *t, const struct urb *urb, uint8_t interface);

/* While scanning: may this transfer be that of a reader? Then it becomes one. */
void pipes_learn(struct traffic *t, const struct urb *urb);

/* While scanning: a descriptor that the device was asked for. @type is the high byte of wValue. */
void pipes_learn_descriptor(struct traffic *t, const struct urb *urb, uint8_t type);

/* After scanning: what was seen before the reader was known. */
void pipes_settle(struct traffic *t, unsigned index);

/* dwLength of a message with at least a header. */
size_t message_len(const uint8_t *message);

#endif
