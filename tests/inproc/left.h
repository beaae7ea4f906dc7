/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a process has: threads, descriptors, bytes. A test that has ended must have no more than before. */
#ifndef OPENCCID_TESTS_LEFT_H
#define OPENCCID_TESTS_LEFT_H

#include <dirent.h>
#include <malloc.h>
#include <stddef.h>
#include <time.h>

static inline unsigned left_entries(const char *folder)
{
	DIR *dir = opendir(folder);
	unsigned n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static inline unsigned left_descriptors(void)
{
	return left_entries("/proc/self/fd");
}

static inline unsigned left_threads(void)
{
	return left_entries("/proc/self/task");
}

/* A thread that was joined may stand in the list a moment longer. */
static inline unsigned left_threads_settled(unsigned want)
{
	enum { TRIES = 5000 };
	unsigned n = left_threads();

	for (unsigned i = 0; i < TRIES && n > want; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		n = left_threads();
	}
	return n;
}

/* Bytes that malloc() has given out; 0 where another allocator has taken its place, or the C library does not tell. */
static inline size_t left_bytes(void)
{
#if !defined __GLIBC__
	return 0;
#elif __GLIBC_PREREQ(2, 33)
	return mallinfo2().uordblks;
#else
	return (unsigned)mallinfo().uordblks;
#endif
}

#endif
