/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the readers of the forms share: where they find the file, and to whom they tell what they found. */
#ifndef OPENCCID_TRAFFIC_INSIDE_H
#define OPENCCID_TRAFFIC_INSIDE_H

#include "traffic/traffic.h"
#include "traffic/urb.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A control transfer that was submitted. */
struct control {
	bool open;
	struct urb_device device;
	uint64_t id;
	uint8_t bytes[8 + 4096]; /* setup, and data to the device */
	size_t len;
	struct event_piece piece; /* the data to the device */
};

/* What the last device descriptor said; that of the configuration follows it. */
struct last_device {
	struct urb_device device;
	bool known;
	uint16_t vid, pid, bcd;
};

/* What a file may be. */
struct traffic_shape {
	const char *words; /* for people */
	const char *place;
	/* Go through the whole file. */
	void (*read)(struct traffic *t);
};

struct traffic {
	FILE *file;
	const char *name;
	const struct traffic_shape *shape;
	traffic_complaint *complaint;
	void *arg;
	bool scanning;  /* readers are looked for; no event leaves */
	bool made_too;  /* a trace: what was made is told as well */
	bool failed;    /* there was a fatal complaint */
	unsigned kinds; /* pcapng: a set of blocks_links[] */

	struct traffic_reader reader[TRAFFIC_READERS_MAX];
	struct urb_pipes *pipes[TRAFFIC_READERS_MAX]; /* pcap: what belongs to it; NULL for text */
	unsigned readers;
	bool full; /* there were more */
	struct control control[16];
	unsigned next_control;
	struct last_device last_device;
	/* Devices that notified before they were known as readers */
	struct {
		struct urb_device device;
		uint8_t endpoint;
	} notifier[TRAFFIC_READERS_MAX];
	unsigned notifiers;

	traffic_sink *sink; /* while playing */
	void *sink_arg;
	unsigned wanted; /* the reader that is played */
	bool began;
	uint64_t first_us;
};

extern const struct traffic_shape traffic_pcap, traffic_log, traffic_trace;

void traffic_complain(struct traffic *t, enum traffic_gravity gravity, unsigned long place, const char *fmt,
		      ...) __attribute__((format(printf, 4, 5)));

/* A new reader, or NULL where there is no room for one. */
struct traffic_reader *traffic_add_reader(struct traffic *t);

/* One event of the reader with this index: count it, or hand it on if it is wanted. event->us is absolute. */
void traffic_tell(struct traffic *t, unsigned index, const struct event *event);

#endif
