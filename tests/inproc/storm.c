/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * 64 readers in one process, some with several slots, some without an interrupt endpoint. 16 clients open, power, use and close
 * whichever they hit upon, often several the same one; others pull readers and cards and put them back, and tell of it or not. Every
 * answer must belong to its command, everything must end, and nothing may be left behind.
 *
 * usage: storm [SECONDS]
 */
#include "inproc.h"
#include "left.h"

#include <ifdhandler.h>
#include <pthread.h>
#include <reader.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Older headers of pcsc-lite lack it. */
#ifndef TAG_IFD_DEVICE_REMOVED
#define TAG_IFD_DEVICE_REMOVED 0x0FB4
#endif

enum {
	READERS = 64,
	CLIENTS = 16,
	PULLERS = 4,
	PUSHERS = 2,
	ECHO_MAX = 60,
	COMMANDS = 12,
	NAP_US = 3000,
	HUNG_S = 900, /* nothing ends: SIGALRM ends it all */
	SECONDS = 3,
};

static struct {
	struct inproc *device;
	unsigned slots;
	char name[INPROC_NAME];
} readers[READERS];

static atomic_bool finished;
static atomic_uint wrong, answers, openings, refusals, pulls;

static void nap(unsigned us)
{
	nanosleep(&(struct timespec){ .tv_nsec = (long)us * 1000 }, NULL);
}

/* A generator of its own for each thread. */
static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

struct actor {
	pthread_t thread;
	unsigned id, seed, serial;
};

static DWORD any_lun(struct actor *a)
{
	const unsigned reader = next_random(&a->seed) % READERS;

	return (DWORD)reader << 16 | next_random(&a->seed) % readers[reader].slots;
}

/* ---- a client ---------------------------------------------------------------------------------------------------- */

/* ECHO: the answer is the command's data, which no other command has, and a counter. */
static bool echo(struct actor *a, DWORD lun)
{
	uint8_t tx[5 + ECHO_MAX + 1] = { 0x80, 0x10, 0, 0 }, rx[258];
	const uint8_t len = (uint8_t)(12 + next_random(&a->seed) % (ECHO_MAX - 12));
	SCARD_IO_HEADER send = { .Protocol = 0 }, recv = { 0 };
	DWORD rx_len = sizeof rx;

	tx[4] = len;
	memset(tx + 5, (int)a->id, len);
	a->serial++;
	memcpy(tx + 6, &a->serial, sizeof a->serial);
	memcpy(tx + 10, &lun, 2);
	if (IFDHTransmitToICC(lun, send, tx, 5u + len + 1, rx, &rx_len, &recv) != IFD_SUCCESS) {
		atomic_fetch_add(&wrong, rx_len != 0);
		return false;
	}
	/* A card that was pulled and put back between two TPDUs says 6985 to GET RESPONSE. */
	if (rx_len == 2 && rx[0] != 0x90)
		return false;
	if (rx_len != len + 4u + 2 || memcmp(rx, tx + 5, len) != 0 || rx[rx_len - 2] != 0x90)
		atomic_fetch_add(&wrong, 1);
	atomic_fetch_add(&answers, 1);
	return true;
}

static void wait_for_event(DWORD lun, int ms)
{
	RESPONSECODE (*wait)(DWORD, int) = NULL;
	DWORD len = sizeof wait;

	if (IFDHGetCapabilities(lun, TAG_IFD_POLLING_THREAD_WITH_TIMEOUT, &len, (PUCHAR)&wait) == IFD_SUCCESS)
		wait(lun, ms);
}

static void use(struct actor *a, DWORD lun)
{
	UCHAR atr[MAX_ATR_SIZE];
	DWORD len = sizeof atr;

	if (IFDHICCPresence(lun) != IFD_ICC_PRESENT)
		wait_for_event(lun, 1 + (int)(next_random(&a->seed) % 4));
	if (IFDHPowerICC(lun, IFD_POWER_UP, atr, &len) != IFD_SUCCESS)
		return;
	IFDHSetProtocolParameters(lun, SCARD_PROTOCOL_T0, 0, 0, 0, 0);
	for (unsigned i = next_random(&a->seed) % COMMANDS; i > 0 && echo(a, lun); i--)
		continue;
	if (next_random(&a->seed) % 4 == 0)
		IFDHPowerICC(lun, IFD_POWER_DOWN, atr, &len);
}

/* A reader that another client has opened is used as well; slot 0 has to be open first. */
static void *run_client(void *arg)
{
	struct actor *a = arg;

	while (!atomic_load(&finished)) {
		const DWORD lun = any_lun(a), first = lun & ~(DWORD)0xFFFF;
		const bool opened = IFDHCreateChannelByName(first, readers[lun >> 16].name) == IFD_SUCCESS;

		atomic_fetch_add(opened ? &openings : &refusals, 1);
		if (lun != first)
			IFDHCreateChannelByName(lun, readers[lun >> 16].name);
		use(a, lun);
		if (next_random(&a->seed) % 3)
			IFDHCloseChannel(lun);
		if (next_random(&a->seed) % 3)
			IFDHCloseChannel(first);
	}
	return NULL;
}

/* ---- those who pull ---------------------------------------------------------------------------------------------- */

static void *run_puller(void *arg)
{
	struct actor *a = arg;

	while (!atomic_load(&finished)) {
		const DWORD lun = any_lun(a);
		struct inproc *device = readers[lun >> 16].device;

		inproc_unplug(device);
		atomic_fetch_add(&pulls, 1);
		if (next_random(&a->seed) % 2)
			IFDHSetCapabilities(lun, TAG_IFD_DEVICE_REMOVED, 0, NULL);
		nap(next_random(&a->seed) % NAP_US);
		inproc_plug(device);
		nap(next_random(&a->seed) % NAP_US);
	}
	return NULL;
}

static void *run_pusher(void *arg)
{
	struct actor *a = arg;

	while (!atomic_load(&finished)) {
		const DWORD lun = any_lun(a);
		struct inproc *device = readers[lun >> 16].device;

		inproc_remove_at(device, lun & 0xFFFF);
		nap(next_random(&a->seed) % (NAP_US / 4));
		inproc_insert_at(device, lun & 0xFFFF);
		nap(next_random(&a->seed) % NAP_US);
	}
	return NULL;
}

/* ---- begin and end ----------------------------------------------------------------------------------------------- */

/* Of four readers one has no interrupt endpoint, one has slots that work at the same time, one has some that do not. */
static bool make_reader(unsigned n)
{
	enum { MAX_SLOT_INDEX = 4, BUSY_SLOTS = 53 };
	struct sim_identity identity;

	sim_identity_default(&identity);
	identity.endpoints = n % 4 == 1 ? 2 : 3;
	readers[n].slots = n % 4 == 2 ? 4 : n % 4 == 3 ? 2 : 1;
	identity.descriptor[MAX_SLOT_INDEX] = (uint8_t)(readers[n].slots - 1);
	identity.descriptor[BUSY_SLOTS] = n % 8 == 2 ? 4 : n % 8 == 6 ? 2 : 1;
	readers[n].device = inproc_new(&identity);
	if (!readers[n].device)
		return false;
	inproc_name(readers[n].device, readers[n].name);
	for (unsigned i = 0; i < readers[n].slots; i++)
		inproc_insert_at(readers[n].device, i);
	return true;
}

static unsigned close_reader(unsigned n)
{
	unsigned violations;

	for (unsigned i = 0; i < readers[n].slots; i++)
		IFDHCloseChannel((DWORD)n << 16 | i);
	violations = inproc_violations(readers[n].device);
	for (unsigned i = 0; i < violations && inproc_violation(readers[n].device, i); i++)
		printf("violation: %s\n", inproc_violation(readers[n].device, i));
	inproc_free(readers[n].device);
	return violations;
}

static void *nothing(void *arg)
{
	return arg;
}

/* What a sanitizer begins with the first thread is there before it is counted. */
static unsigned count_threads(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, nothing, NULL) == 0)
		pthread_join(thread, NULL);
	nap(1000);
	return left_threads();
}

static void storm(unsigned seconds)
{
	enum { ACTORS = CLIENTS + PULLERS + PUSHERS };
	static struct actor actors[ACTORS];

	for (unsigned i = 0; i < ACTORS; i++) {
		void *(*const run)(void *) = i < CLIENTS             ? run_client
					     : i < CLIENTS + PULLERS ? run_puller
								     : run_pusher;

		actors[i] = (struct actor){ .id = i + 1, .seed = i * 7919 + 1 };
		if (pthread_create(&actors[i].thread, NULL, run, &actors[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < seconds; i++)
		sleep(1);
	atomic_store(&finished, true);
	for (unsigned i = 0; i < ACTORS; i++)
		pthread_join(actors[i].thread, NULL);
}

/* 0, or why not. */
static int judge(unsigned threads, unsigned descriptors, unsigned violations)
{
	const unsigned threads_left = left_threads_settled(threads) - threads;
	const unsigned descriptors_left = left_descriptors() - descriptors;

	printf("%u openings, %u refused; %u answers, %u wrong; readers pulled %u times; %u violations\n",
	       atomic_load(&openings), atomic_load(&refusals), atomic_load(&answers), atomic_load(&wrong),
	       atomic_load(&pulls), violations);
	printf("left: %u readers open, %u threads, %u descriptors\n", inproc_all_open(), threads_left,
	       descriptors_left);
	return atomic_load(&wrong) || violations || inproc_all_open() || threads_left || descriptors_left ||
	       !atomic_load(&answers);
}

int main(int argc, char **argv)
{
	const unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : SECONDS;
	const unsigned threads = count_threads(), descriptors = left_descriptors();
	unsigned violations = 0;

	alarm(HUNG_S + seconds);
	setenv("OPENCCID_LOG", "none", 1);
	for (unsigned i = 0; i < READERS; i++)
		if (!make_reader(i))
			return 1;
	storm(seconds);
	for (unsigned i = 0; i < READERS; i++)
		violations += close_reader(i);
	return judge(threads, descriptors, violations);
}
