/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Captures of any form: pcap and pcapng files of usbmon and USBPcap, logs of pcscd with this driver or another one, logs of
 * GnuPG's own driver, and the text form of tests/traces. A file is read as often as it is played, in constant memory.
 *
 *	traffic_open()       what is it, and which readers are in it?
 *	traffic_play()       every event of one reader; any number of times
 *	traffic_close()
 */
#ifndef OPENCCID_TRAFFIC_TRAFFIC_H
#define OPENCCID_TRAFFIC_TRAFFIC_H

#include "traffic/event.h"

#include <stdio.h>

enum { TRAFFIC_READERS_MAX = 16 };

/* What a complaint means for the rest of the file. */
enum traffic_gravity {
	TRAFFIC_NOTE,  /* something is missing or odd; the rest is good */
	TRAFFIC_ENDS,  /* the file ends here, before its end; what was before is good */
	TRAFFIC_FATAL, /* nothing can be read */
};

/* @where: "line" or "packet"; @place is 0 where the whole file is meant. */
typedef void traffic_complaint(void *arg, enum traffic_gravity gravity, const char *where,
			       unsigned long place, const char *sentence);

struct traffic;

/* A file that nobody else sees, gone when it is closed: in TMPDIR or /var/tmp, which may hold large ones. NULL with errno. */
FILE *traffic_temporary(void);

/* All that can be read from @from, in such a file, which stands at its beginning. NULL with errno. */
FILE *traffic_keep(FILE *from);

/**
 * traffic_open - look at a capture from beginning to end
 * @path: "-" is standard input, which is kept in a temporary file
 * @complaint, @arg: told of everything that is wrong; also by traffic_play()
 *
 * NULL after a complaint that was TRAFFIC_FATAL. A file without a reader is one.
 */
struct traffic *traffic_open(const char *path, traffic_complaint *complaint, void *arg);

/* "packet" or "line": what the places of this file are. */
const char *traffic_place(const struct traffic *traffic);

/* What the file is, in words: "pcap file of usbmon". */
const char *traffic_form(const struct traffic *traffic);

/* The readers in it, at least one. */
unsigned traffic_readers(const struct traffic *traffic);
const struct traffic_reader *traffic_reader(const struct traffic *traffic, unsigned index);

/* The one with most messages. */
unsigned traffic_busiest(const struct traffic *traffic);

/* The one that a person names: its number, bus.device, vid:pid, or a part of its name; -1 if none or several fit. */
int traffic_find(const struct traffic *traffic, const char *word);

/* Hand all events of one reader to @sink. Complaints that traffic_open() made already are not repeated. */
void traffic_play(struct traffic *traffic, unsigned index, traffic_sink *sink, void *arg);

/* A trace: from now on play also what is no evidence, but was made by its author. */
void traffic_include_made(struct traffic *traffic);

/* The file itself, for those who copy it; positioned at its beginning. */
FILE *traffic_file(struct traffic *traffic);

/* Is it a USB capture, which is copied with traffic_copy_packets()? */
bool traffic_is_usb(const struct traffic *traffic);

/* Change the record of one packet before it is written. */
typedef void traffic_patch(void *arg, unsigned long packet, uint8_t *record, size_t len);

/* What reads and writes pcap files, with its version; NULL: they are not read. */
const char *traffic_library(void);

/* Write all packets as a pcap file. False where that failed. */
bool traffic_copy_packets(struct traffic *traffic, FILE *to, traffic_patch *patch, void *arg);

void traffic_close(struct traffic *traffic);

#endif
