/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usb/restart.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

/* The kernel looks at 32 bits, whatever the C library takes. musl takes an int, as POSIX says, which some numbers do not fit. */
#ifdef __GLIBC__
typedef unsigned long ioctl_request;
#else
typedef int ioctl_request;
#endif

enum { NAP_MS = 100 }; /* no suspend is shorter */

enum claim claim_state(int fd, unsigned interface)
{
	struct usbdevfs_getdriver who = { .interface = interface };

	if (ioctl(fd, USBDEVFS_GETDRIVER, &who) == 0)
		return strncmp(who.driver, "usbfs", sizeof who.driver) == 0 ? CLAIM_HELD : CLAIM_OTHER;
	return errno == ENODATA ? CLAIM_LOST : CLAIM_GONE;
}

int claim_again(int fd, unsigned interface)
{
	return ioctl(fd, (ioctl_request)USBDEVFS_CLAIMINTERFACE, &interface) == 0 ? 0 : errno;
}

static uint64_t read_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool sleep_watch_peek(struct sleep_watch *watch)
{
	const uint64_t boot = read_ms(CLOCK_BOOTTIME);

	/* Where commands follow closely no suspend fits in between, and one clock is enough. */
	if (boot >= __atomic_load_n(&watch->awake_ms, __ATOMIC_RELAXED) + NAP_MS &&
	    boot > read_ms(CLOCK_MONOTONIC) + __atomic_load_n(&watch->upper_ms, __ATOMIC_RELAXED) + NAP_MS)
		return true; /* for every thread, until one has looked */
	__atomic_store_n(&watch->awake_ms, boot, __ATOMIC_RELAXED);
	return false;
}

/*
 * CLOCK_BOOTTIME goes on during a suspend and CLOCK_MONOTONIC does not. They are not read at the same moment, so the difference is
 * only known within bounds; both are used on the safe side, or a thread that is held up in between would look like a suspend.
 */
bool sleep_watch_look(struct sleep_watch *watch)
{
	const uint64_t before = read_ms(CLOCK_MONOTONIC), boot = read_ms(CLOCK_BOOTTIME);
	const uint64_t after = read_ms(CLOCK_MONOTONIC);
	const bool slept = boot > after + watch->upper_ms + NAP_MS;

	if (slept)
		__atomic_store_n(&watch->upper_ms, boot > before ? boot - before : 0, __ATOMIC_RELAXED);
	return slept;
}
