/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel's usbmon would say of one transfer, as a record of a pcap file: link type 220, LINUX_USB_MMAPPED, which Wireshark
 * and tcpdump know. Pure. Numbers are in the byte order of this machine; the file header tells which one it is.
 */
#ifndef OPENCCID_TAP_RECORD_H
#define OPENCCID_TAP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RECORD_FILE_HEAD = 24,
	RECORD_HEAD = 16 + 64, /* of pcap, and of usbmon */
	RECORD_SETUP = 8,
	RECORD_HIDDEN = '*', /* stands where a secret was */
};

enum record_type { RECORD_SUBMIT = 'S', RECORD_COMPLETE = 'C' };
enum record_transfer { RECORD_INTERRUPT = 1, RECORD_CONTROL = 2, RECORD_BULK = 3 };

struct record {
	uint64_t id; /* the same in SUBMIT and COMPLETE */
	uint64_t us; /* of CLOCK_REALTIME */
	enum record_type type;
	enum record_transfer transfer;
	uint8_t endpoint; /* with bit 7 for IN */
	uint8_t device;
	uint16_t bus;
	const uint8_t *setup; /* RECORD_SETUP bytes of a control request at SUBMIT; NULL: none */
	int status;           /* 0 or -errno */
	size_t length;        /* SUBMIT: what is asked for; COMPLETE: what was transferred */
	const uint8_t *data;
	size_t len;   /* bytes at data */
	size_t shown; /* so many of them are; the rest is hidden */
};

/* The head of the file. */
void record_put_file_head(uint8_t out[RECORD_FILE_HEAD]);

/* Is it one that records of this machine may follow? */
bool record_is_file_head(const uint8_t head[RECORD_FILE_HEAD]);

/* One record. Returns its length, RECORD_HEAD + record->len; 0 where @cap is too small. */
size_t record_put(uint8_t *out, size_t cap, const struct record *record);

#endif
