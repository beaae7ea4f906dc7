/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The containers pcap and pcapng, which libpcap opens: record by record. */
#include "traffic/inside.h"
#include "traffic/urb.h"
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
static pcap_t *open_again(struct traffic *t)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	const int fd = dup(fileno(t->file));
	FILE *again = fd < 0 ? NULL : fdopen(fd, "rb");
	pcap_t *pcap;

	if (!again) {
		traffic_complain(t, TRAFFIC_FATAL, 0, "cannot be opened again: %s", strerror(errno));
		return NULL;
	}
	rewind(again);
	pcap = pcap_fopen_offline(again, why);
	if (pcap)
		return pcap;
	fclose(again);
	traffic_complain(t, TRAFFIC_FATAL, 0, "libpcap cannot read it: %s", why);
	return NULL;
}

static void told_by_libpcap(struct traffic *t, unsigned long packet, const char *why)
{
	if (strstr(why, "different from the type of the first interface"))
		traffic_complain(t, TRAFFIC_FATAL, packet,
				 "the file mixes kinds of interfaces; keep those of USB: tshark -r FILE -Y "
				 "usb -F pcap -w NEW");
	else if (packet == 1)
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

static void read_pcap(struct traffic *t)
{
	pcap_t *pcap = open_again(t);

	if (!pcap)
		return;
	if (link_fits(t, pcap_datalink(pcap)))
		read_packets(t, pcap);
	pcap_close(pcap);
}

static bool copy(pcap_t *pcap, pcap_dumper_t *dumper, traffic_patch *patch, void *arg)
{
	struct pcap_pkthdr *header;
	const unsigned char *record;
	uint8_t *changed;

	for (unsigned long packet = 1; pcap_next_ex(pcap, &header, &record) == 1; packet++) {
		changed = malloc(header->caplen ? header->caplen : 1);
		if (!changed)
			return false;
		memcpy(changed, record, header->caplen);
		patch(arg, packet, changed, header->caplen);
		pcap_dump((unsigned char *)dumper, header, changed);
		free(changed);
	}
	return true;
}

bool traffic_copy_packets(struct traffic *traffic, FILE *to, traffic_patch *patch, void *arg)
{
	pcap_t *pcap = open_again(traffic);
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
