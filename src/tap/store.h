/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where records go: at the end of a pcap file, or into memory until something goes wrong. For use by one thread at a time. */
#ifndef OPENCCID_TAP_STORE_H
#define OPENCCID_TAP_STORE_H

#include "base/log.h"

#include <stddef.h>
#include <stdint.h>

enum {
	STORE_FILE_MAX = 256 << 20, /* bytes that one reader adds to a file */
	STORE_RING = 256 << 10,     /* bytes of a flight recorder */
};

/* A file that several readers, and one pcscd after the other, add to. */
struct store_file {
	int fd; /* -1: none */
	size_t written;
	const struct oc_log *log;
	const char *path; /* as given */
};

/*
 * Open a capture, and begin it where it is new; 0 or an errno. Only its owner may read it. One that is there is gone on with; anything
 * else, a symbolic link among them, is left alone (EEXIST, ELOOP).
 */
int store_file_open(struct store_file *file, const char *path, const struct oc_log *log);

/* Add whole records. A file that cannot be written to, or is full, is told about once, and left then. */
void store_file_add(struct store_file *file, const uint8_t *records, size_t len);

void store_file_close(struct store_file *file);

/* The last records, the oldest of which make room for new ones. */
struct store_ring;

struct store_ring *store_ring_new(void);
void store_ring_add(struct store_ring *ring, const uint8_t *record, size_t len);
/* Add all to a file, from the oldest on, and forget them. */
void store_ring_empty(struct store_ring *ring, struct store_file *file);
void store_ring_free(struct store_ring *ring);

#endif
