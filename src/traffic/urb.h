/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One record of a USB capture: a transfer that was submitted, or that came back. Pure. */
#ifndef OPENCCID_TRAFFIC_URB_H
#define OPENCCID_TRAFFIC_URB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* pcap link types */
enum {
	LINK_USB_LINUX = 189,
	LINK_USB_LINUX_MMAPPED = 220,
	LINK_USBPCAP = 249,
};

enum urb_transfer { URB_ISOCHRONOUS, URB_INTERRUPT, URB_CONTROL, URB_BULK };
enum urb_status { URB_FINE, URB_CANCELLED, URB_STALLED, URB_DEVICE_GONE, URB_FAILED };

/* A file may come from two computers, whose numbers mean nothing to each other. */
struct urb_device {
	uint16_t link, bus, device;
};

struct urb {
	uint64_t id;
	struct urb_device from;
	uint8_t endpoint; /* 80h: IN */
	enum urb_transfer transfer;
	bool back; /* it came back; otherwise it was submitted */
	enum urb_status status;
	bool has_setup;
	uint8_t setup[8];
	const uint8_t *data; /* inside the record, */
	size_t at;           /* here */
	size_t len;
	uint64_t missing; /* bytes of data that the record does not have */
};

static inline bool urb_same_device(struct urb_device a, struct urb_device b)
{
	return a.link == b.link && a.bus == b.bus && a.device == b.device;
}

/**
 * urb_parse - take one record apart
 * @link: the link type; only those above
 * @out: written only where true is returned
 *
 * usbmon's header is in the byte order of this machine: libpcap sees to that. False for what is no transfer, or is too short.
 */
bool urb_parse(unsigned link, const uint8_t *record, size_t len, struct urb *out);

#endif
