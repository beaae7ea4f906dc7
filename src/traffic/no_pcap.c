/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Instead of pcap.c where libpcap was not there when this was built. */
#include "traffic/inside.h"

static void read_pcap(struct traffic *t)
{
	traffic_complain(t, TRAFFIC_FATAL, 0,
			 "this is a pcap file, and openccid was built without libpcap: build it again with "
			 "libpcap's headers");
}

const char *traffic_library(void)
{
	return NULL;
}

bool traffic_copy_packets(struct traffic *traffic, FILE *to, traffic_patch *patch, void *arg)
{
	(void)traffic;
	(void)to;
	(void)patch;
	(void)arg;
	return false;
}

const struct traffic_shape traffic_pcap = { "USB capture", "packet", read_pcap };
