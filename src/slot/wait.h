/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for another thread, for a time that no change of the wall clock makes longer. */
#ifndef OPENCCID_SLOT_WAIT_H
#define OPENCCID_SLOT_WAIT_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

/* A condition for wait_ms(). */
static inline void wait_init(pthread_cond_t *changed)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

/* pthread_cond_wait() for at most @ms; false when the time is over. */
static inline bool wait_ms(pthread_cond_t *changed, pthread_mutex_t *lock, unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	return pthread_cond_timedwait(changed, lock, &until) != ETIMEDOUT;
}

#endif
