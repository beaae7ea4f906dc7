/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop.h"

#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <time.h>

enum { WATCHES_MAX = 256 };

static struct pollfd fds[WATCHES_MAX];
static struct {
	loop_fn *fn;
	void *arg;
} handlers[WATCHES_MAX];
static nfds_t count;

int loop_add(int fd, loop_fn *fn, void *arg)
{
	if (count == WATCHES_MAX)
		return -1;
	fds[count] = (struct pollfd){ .fd = fd, .events = POLLIN };
	handlers[count].fn = fn;
	handlers[count].arg = arg;
	count++;
	return 0;
}

void loop_remove(int fd)
{
	for (nfds_t i = 0; i < count; i++) {
		if (fds[i].fd != fd)
			continue;
		count--;
		fds[i] = fds[count];
		handlers[i] = handlers[count];
		return;
	}
}

uint64_t loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int wait_ms(uint64_t until)
{
	const uint64_t now = loop_now();

	if (until == UINT64_MAX)
		return -1;
	if (until <= now)
		return 0;
	return until - now > INT_MAX ? INT_MAX : (int)(until - now);
}

/* A handler may add and remove watches: one event per round, then the list is looked at anew. */
void loop_once(uint64_t until)
{
	static nfds_t start;

	if (poll(fds, count, wait_ms(until)) <= 0)
		return;
	for (nfds_t n = 0; n < count; n++) {
		const nfds_t i = (start + n) % count;

		if (!fds[i].revents)
			continue;
		start = i + 1;
		handlers[i].fn(handlers[i].arg, fds[i].fd);
		return;
	}
}
