/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes events as the USB captures that usbmon and USBPcap make of them. */
#ifndef OPENCCID_TESTS_PCAP_WRITER_H
#define OPENCCID_TESTS_PCAP_WRITER_H

#include "traffic/event.h"

#include <stdio.h>

enum pcap_form {
	FORM_USBMON_48,
	FORM_USBMON_64,
	FORM_USBPCAP,
	FORM_PCAPNG,
	FORM_OTHER_ORDER,
	FORM_MIXED, /* pcapng with interfaces of Ethernet, usbmon and USBPcap, none like the other */
	FORMS
};

struct pcap_writer {
	enum pcap_form form;
	FILE *file;
	uint64_t id;
	uint16_t bus, device;
	unsigned records;
	bool windows; /* FORM_MIXED: on the interface of USBPcap */
	size_t split; /* longest transfer; 0: none is split */
	size_t snap;  /* bytes of data that the capture keeps; 0: all */
};

/* @file is empty, and stays the caller's. */
void writer_begin(struct pcap_writer *w, enum pcap_form form, FILE *file);

/* The descriptors, as they are read when a device is plugged in: a reader with a bulk pair, and an interrupt endpoint. */
void writer_descriptors(struct pcap_writer *w, uint16_t vid, uint16_t pid, const uint8_t *ccid);

void writer_event(struct pcap_writer *w, const struct event *event);

#endif
