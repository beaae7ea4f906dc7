/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A reader is plugged in, opened, used and pulled or closed, again and again, as by a loose contact: after thousands of times there are as many
 * threads, descriptors and bytes as after the first ones.
 *
 * usage: cycles [CYCLES]
 */
#include "inproc.h"
#include "left.h"

#include <ifdhandler.h>
#include <reader.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CYCLES = 10000, WARM = 10, HUNG_S = 900, SLOTS = 3, BEFORE = 1, AFTER = 2 };

struct left {
	unsigned threads, descriptors;
	size_t bytes;
};

static struct left count_left(void)
{
	return (struct left){ left_threads(), left_descriptors(), left_bytes() };
}

/* 9000 for whatever it is. */
static bool works(DWORD lun)
{
	static const uint8_t sink[] = { 0x80, 0x16, 0, 0 };
	SCARD_IO_HEADER send = { .Protocol = 0 };
	uint8_t tx[sizeof sink], rx[258];
	UCHAR atr[MAX_ATR_SIZE];
	DWORD len = sizeof atr;

	if (IFDHPowerICC(lun, IFD_POWER_UP, atr, &len) != IFD_SUCCESS)
		return false;
	memcpy(tx, sink, sizeof tx);
	len = sizeof rx;
	return IFDHTransmitToICC(lun, send, tx, sizeof tx, rx, &len, NULL) == IFD_SUCCESS && len == 2 &&
	       rx[0] == 0x90;
}

/* Pulled before it is closed, closed before it is pulled, and closed alone. */
static bool cycle(struct inproc *device, unsigned slots, unsigned way)
{
	char name[INPROC_NAME];
	bool good = true;

	inproc_name(device, name);
	inproc_plug(device);
	for (unsigned i = 0; i < slots; i++)
		good = good && IFDHCreateChannelByName(i, name) == IFD_SUCCESS && works(i);
	if (way == BEFORE)
		inproc_unplug(device);
	for (unsigned i = 0; i < slots; i++)
		good = IFDHCloseChannel(i) == IFD_SUCCESS && good;
	if (way == AFTER)
		inproc_unplug(device);
	return good && !inproc_is_open(device);
}

static struct inproc *make_reader(unsigned slots)
{
	enum { MAX_SLOT_INDEX = 4, BUSY_SLOTS = 53 };
	struct sim_identity identity;
	struct inproc *device;

	sim_identity_default(&identity);
	identity.descriptor[MAX_SLOT_INDEX] = (uint8_t)(slots - 1);
	identity.descriptor[BUSY_SLOTS] = (uint8_t)slots;
	device = inproc_new(&identity);
	for (unsigned i = 0; device && i < slots; i++)
		inproc_insert_at(device, i);
	return device;
}

int main(int argc, char **argv)
{
	const unsigned cycles = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : CYCLES;
	struct inproc *one = make_reader(1), *several = make_reader(SLOTS);
	struct left before = { 0 }, after;
	unsigned good = 0;

	alarm(HUNG_S);
	setenv("OPENCCID_LOG", "none", 1);
	if (!one || !several)
		return 1;
	for (unsigned i = 0; i < cycles; i++) {
		/* Twice: the first count itself leaves something in malloc's cache. */
		if (i == cycles / WARM || i == 2 * (cycles / WARM))
			before = count_left();
		good += i % 4 ? cycle(one, 1, i % 3) : cycle(several, SLOTS, i % 3);
	}
	after = count_left();
	printf("%u of %u cycles were good; after %u of them: %u threads, %u descriptors, %zu bytes; after "
	       "all: %u, "
	       "%u, %zu\n",
	       good, cycles, 2 * (cycles / WARM), before.threads, before.descriptors, before.bytes,
	       after.threads, after.descriptors, after.bytes);
	inproc_free(several);
	inproc_free(one);
	return good != cycles || after.threads != before.threads || after.descriptors != before.descriptors ||
	       after.bytes != before.bytes;
}
