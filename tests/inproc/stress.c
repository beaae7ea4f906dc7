/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two clients with many APDUs each, while a third thread waits for events as pcscd does and a fourth one pulls the card and
 * puts it back. Every answer must belong to its command; everything must end. Made to run under ThreadSanitizer,
 * AddressSanitizer and valgrind.
 *
 * usage: stress [APDUS PER CLIENT]
 */
#include "inproc.h"

#include <ifdhandler.h>
#include <pthread.h>
#include <reader.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LUN = 0, CLIENTS = 2, PLUG_MIN_US = 500, PLUG_SPAN_US = 20000 };

static struct inproc *device;
static unsigned wanted = 10000;
static atomic_bool finished;
static atomic_uint wrong, restarts;

static void nap(unsigned us)
{
	const struct timespec span = { .tv_sec = (time_t)(us / 1000000),
				       .tv_nsec = (long)(us % 1000000) * 1000 };

	nanosleep(&span, NULL);
}

/* A small generator of its own for each thread, so that runs are comparable. */
static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

struct client {
	pthread_t thread;
	unsigned id, answered;
};

/* ECHO: the answer is the command's data and a counter. False: it did not get through, which a pulled card excuses. */
static bool echo(const struct client *c, unsigned number, unsigned *seed)
{
	uint8_t tx[5 + 64 + 1] = { 0x80, 0x10, 0, 0 }, rx[258];
	const uint8_t len = (uint8_t)(5 + next_random(seed) % 60);
	SCARD_IO_HEADER send = { .Protocol = 0 }, recv = { 0 };
	DWORD rx_len = sizeof rx;

	tx[4] = len;
	tx[5] = (uint8_t)c->id;
	memcpy(tx + 6, &number, sizeof number);
	for (unsigned i = 5; i < len; i++)
		tx[5 + i] = (uint8_t)next_random(seed);
	if (IFDHTransmitToICC(LUN, send, tx, 5u + len + 1, rx, &rx_len, &recv) != IFD_SUCCESS)
		return false;
	if (rx_len != len + 4u + 2 || memcmp(rx, tx + 5, len) != 0 || rx[rx_len - 2] != 0x90) {
		/* A card that was pulled and put back between two TPDUs says 6985 to GET RESPONSE. */
		if (rx_len == 2 && rx[0] != 0x90)
			return false;
		atomic_fetch_add(&wrong, 1);
	}
	return true;
}

/* What pcscd does for a client that reconnects. */
static void restart(void)
{
	UCHAR atr[MAX_ATR_SIZE];
	DWORD len = sizeof atr;

	atomic_fetch_add(&restarts, 1);
	if (IFDHPowerICC(LUN, IFD_POWER_UP, atr, &len) == IFD_SUCCESS)
		IFDHSetProtocolParameters(LUN, SCARD_PROTOCOL_T0, 0, 0, 0, 0);
	else
		nap(1000);
}

static void *run_client(void *arg)
{
	struct client *c = arg;
	unsigned seed = c->id * 77 + 1;

	while (c->answered < wanted) {
		if (echo(c, c->answered, &seed))
			c->answered++;
		else
			restart();
	}
	return NULL;
}

static void *run_poller(void *arg)
{
	RESPONSECODE (*wait)(DWORD, int) = NULL;
	DWORD len = sizeof wait;

	(void)arg;
	if (IFDHGetCapabilities(LUN, TAG_IFD_POLLING_THREAD_WITH_TIMEOUT, &len, (PUCHAR)&wait) != IFD_SUCCESS)
		return NULL;
	while (!atomic_load(&finished)) {
		wait(LUN, 50);
		IFDHICCPresence(LUN);
	}
	return NULL;
}

static void *run_plugger(void *arg)
{
	unsigned seed = 4711;

	(void)arg;
	while (!atomic_load(&finished)) {
		nap(PLUG_MIN_US + next_random(&seed) % PLUG_SPAN_US);
		inproc_remove(device);
		nap(next_random(&seed) % PLUG_MIN_US);
		inproc_insert(device);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct client clients[CLIENTS] = { { .id = 0 }, { .id = 1 } };
	char name[] = "usb:04e6/5116:libudev:0:/dev/bus/usb/001/002";
	struct sim_identity identity;
	pthread_t poller, plugger;
	unsigned violations;

	if (argc > 1)
		wanted = (unsigned)strtoul(argv[1], NULL, 10);
	setenv("OPENCCID_LOG", "none", 1);
	sim_identity_default(&identity);
	device = inproc_new(&identity);
	if (!device || IFDHCreateChannelByName(LUN, name) != IFD_SUCCESS) {
		fprintf(stderr, "the simulated reader cannot be opened\n");
		return 1;
	}
	inproc_insert(device);
	pthread_create(&poller, NULL, run_poller, NULL);
	pthread_create(&plugger, NULL, run_plugger, NULL);
	for (unsigned i = 0; i < CLIENTS; i++)
		pthread_create(&clients[i].thread, NULL, run_client, &clients[i]);
	for (unsigned i = 0; i < CLIENTS; i++)
		pthread_join(clients[i].thread, NULL);
	atomic_store(&finished, true);
	pthread_join(plugger, NULL);
	pthread_join(poller, NULL);
	if (IFDHCloseChannel(LUN) != IFD_SUCCESS)
		return 1;

	violations = inproc_violations(device);
	printf("%u + %u answers, %u wrong; %u restarts after the card was pulled; %u messages sent, %u "
	       "violations\n",
	       clients[0].answered, clients[1].answered, atomic_load(&wrong), atomic_load(&restarts),
	       inproc_sent(device, 0x6F), violations);
	for (unsigned i = 0; i < violations && inproc_violation(device, i); i++)
		printf("violation: %s\n", inproc_violation(device, i));
	inproc_free(device);
	return atomic_load(&wrong) || violations ? 1 : 0;
}
