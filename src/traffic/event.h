/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a capture tells, whatever its form: one event after the other, each of one reader. */
#ifndef OPENCCID_TRAFFIC_EVENT_H
#define OPENCCID_TRAFFIC_EVENT_H

#include "ccid/descriptor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	EVENT_BYTES_MAX = 65554,              /* the longest CCID message */
	EVENT_ROOM = EVENT_BYTES_MAX + 65536, /* and what may stand behind it in a transfer */
};

enum event_kind {
	EVENT_OUT,        /* bulk-OUT message */
	EVENT_IN,         /* bulk-IN message, with what follows dwLength */
	EVENT_INT,        /* interrupt-IN transfer */
	EVENT_CONTROL,    /* control request for the reader: eight bytes of setup, then data */
	EVENT_CLEAR_HALT, /* the host clears the halt of an endpoint */
	EVENT_TIMEOUT,    /* the host gave up waiting on bulk-IN */
	EVENT_STALL,      /* the reader halted a bulk endpoint, or refused the control request before */
	EVENT_ERROR,      /* a transfer failed on the bus */
	EVENT_GONE,       /* the reader was unplugged */
	EVENT_COMMAND,    /* APDU of the application, where the log tells it */
	EVENT_RESPONSE,   /* what the application got */
};

/* One reader of a capture. A device with several interfaces is several readers. */
struct traffic_reader {
	unsigned number; /* from 1, in the order of the file */
	char where[40];  /* "bus 1 device 9", as the capture says it; may be empty */
	char name[80];   /* as the capture says it; may be empty; not ours to trust */
	bool has_id, has_firmware, has_descriptor, has_level;
	uint16_t vid, pid, firmware;
	uint8_t interface, endpoints, class; /* class: of the interface; 0: not known */
	uint8_t descriptor[CCID_DESCRIPTOR_LEN];
	enum ccid_level level; /* instead of what the descriptor says */
	unsigned long messages;
};

/* Where a part of an event stands in a USB capture. */
struct event_piece {
	unsigned long place; /* the packet */
	size_t at, len;      /* in its record, as libpcap hands it out */
};

struct event {
	enum event_kind kind;
	const struct traffic_reader *reader;
	unsigned long place; /* line or packet */
	uint64_t us;         /* since the first event; goes on counting where times are missing */
	bool timed;          /* the time since the event before is known */
	const uint8_t *bytes;
	size_t len;
	uint64_t missing; /* bytes behind these that the capture does not have */
	const struct event_piece
		*piece; /* bulk and control transfers of USB captures: where the bytes come from */
	size_t pieces;
	bool hidden; /* they are missing because the log does not show them */
};

/* Take one event; its bytes are valid during the call. */
typedef void traffic_sink(void *arg, const struct event *event);

/* The word for a kind, for programs; never NULL. */
const char *event_word(enum event_kind kind);

#endif
