/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The containers pcap and pcapng, which libpcap opens: record by record. */
#include "traffic/blocks.h"
#include "traffic/inside.h"
#include "traffic/pipes.h"
#include "traffic/urbs.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *link_name(int link)
{
	const char *name = pcap_datalink_val_to_name(link);

	return name ? name : "unknown";
}

static bool link_fits(struct traffic *t, int link)
{
	if (link == LINK_USB_LINUX || link == LINK_USB_LINUX_MMAPPED || link == LINK_USBPCAP)
		return true;
	traffic_complain(
		t, TRAFFIC_FATAL, 0,
		"its link type is %d (%s); those of USB captures are 189 and 220 (usbmon) and 249 (USBPcap)",
		link, link_name(link));
	return false;
}

/* libpcap closes what it was given, and the file is needed again. */
static FILE *another(FILE *file)
{
	const int fd = dup(fileno(file));
	FILE *again = fd < 0 ? NULL : fdopen(fd, "rb");

	if (again)
		rewind(again);
	else if (fd >= 0)
		close(fd);
	return again;
}

/* @link: of a pcapng file the interfaces of this type; 0 for a pcap file */
static pcap_t *open_again(struct traffic *t, uint16_t link)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	FILE *again = link ? blocks_open(t->file, link) : another(t->file);
	pcap_t *pcap;

	if (!again) {
		traffic_complain(t, TRAFFIC_FATAL, 0, "cannot be opened again: %s", strerror(errno));
		return NULL;
	}
	pcap = pcap_fopen_offline(again, why);
	if (pcap)
		return pcap;
	fclose(again);
	traffic_complain(t, TRAFFIC_FATAL, 0, "libpcap cannot read it: %s", why);
	return NULL;
}

static void told_by_libpcap(struct traffic *t, unsigned long packet, const char *why)
{
	if (packet == 1)
		traffic_complain(t, TRAFFIC_FATAL, packet, "libpcap cannot read it: %s", why);
	else
		traffic_complain(t, TRAFFIC_ENDS, packet, "the file is broken or cut short here: %s", why);
}

static void read_packets(struct traffic *t, pcap_t *pcap)
{
	const unsigned link = (unsigned)pcap_datalink(pcap);
	struct pcap_pkthdr *header;
	const unsigned char *record;
	unsigned long packet = 1;
	struct urb urb;
	int got;

	for (; (got = pcap_next_ex(pcap, &header, &record)) == 1; packet++) {
		const uint64_t us = (uint64_t)header->ts.tv_sec * 1000000 + (uint64_t)header->ts.tv_usec;

		if (urb_parse(link, record, header->caplen, &urb))
			urbs_take(t, &urb, us, packet);
	}
	if (got == PCAP_ERROR)
		told_by_libpcap(t, packet, pcap_geterr(pcap));
	urbs_end(t);
}

static void read_link(struct traffic *t, uint16_t link)
{
	pcap_t *pcap = open_again(t, link);

	if (!pcap)
		return;
	if (link_fits(t, pcap_datalink(pcap)))
		read_packets(t, pcap);
	pcap_close(pcap);
}

/* Which kinds of USB interfaces are in it? None is an error. */
static bool look_at_kinds(struct traffic *t)
{
	struct blocks_kinds kinds = { 0 };

	if (!blocks_look(t->file, &kinds))
		traffic_complain(t, TRAFFIC_FATAL, 0, "there is not enough memory");
	t->kinds = kinds.usb;
	if (!kinds.usb && kinds.others)
		link_fits(t, kinds.other);
	/* libpcap says what is wrong with it. */
	if (!kinds.usb)
		t->kinds = 1;
	return !t->failed;
}

/* Each kind of USB interface by itself: it has readers of its own. */
static void read_pcap(struct traffic *t)
{
	if (!blocks_fit(t->file)) {
		read_link(t, 0);
		return;
	}
	if (t->scanning && !look_at_kinds(t))
		return;
	for (size_t i = 0; i < COUNT(blocks_links) && !t->failed; i++)
		if (t->kinds & 1u << i)
			read_link(t, blocks_links[i]);
}

static bool copy(pcap_t *pcap, pcap_dumper_t *dumper, traffic_patch *patch, void *arg)
{
	struct pcap_pkthdr *header;
	const unsigned char *record;
	uint8_t *changed;

	for (unsigned long packet = 1; pcap_next_ex(pcap, &header, &record) == 1; packet++) {
		if (header->caplen == 0)
			continue; /* of an interface that is left out */
		changed = malloc(header->caplen);
		if (!changed)
			return false;
		memcpy(changed, record, header->caplen);
		patch(arg, packet, changed, header->caplen);
		pcap_dump((unsigned char *)dumper, header, changed);
		free(changed);
	}
	return true;
}

/* A pcap file holds packets of one kind: that of the busiest reader. */
static uint16_t link_to_copy(const struct traffic *t)
{
	return blocks_fit(t->file) ? t->pipes[traffic_busiest(t)]->device.link : 0;
}

const char *traffic_library(void)
{
	return pcap_lib_version();
}

bool traffic_copy_packets(struct traffic *traffic, FILE *to, traffic_patch *patch, void *arg)
{
	pcap_t *pcap = open_again(traffic, link_to_copy(traffic));
	const int fd = dup(fileno(to));
	FILE *again = fd < 0 ? NULL : fdopen(fd, "wb");
	pcap_dumper_t *dumper = pcap && again ? pcap_dump_fopen(pcap, again) : NULL;
	bool good = dumper && copy(pcap, dumper, patch, arg);

	if (dumper) {
		good &= pcap_dump_flush(dumper) == 0 && !ferror(pcap_dump_file(dumper));
		pcap_dump_close(dumper);
	} else if (again) {
		fclose(again);
	}
	if (pcap)
		pcap_close(pcap);
	return good;
}

const struct traffic_shape traffic_pcap = { "USB capture", "packet", read_pcap };
