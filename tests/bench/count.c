/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loaded first into a process that has a driver: counts what the driver and libusb ask of the C library, each by itself, in a file that
 * others can look at meanwhile ($BENCH_COUNTS). What the simulation does on their behalf is not counted, nor is what the
 * compiler has put in place of a call.
 */
#include "count.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define CALLER who_has((uintptr_t)__builtin_return_address(0))

/* The next function of that name, which may be the simulation's. */
#define NEXT(type, name, ...)             \
	static type (*next)(__VA_ARGS__); \
	if (!next)                        \
	*(void **)&next = dlsym(RTLD_NEXT, name)

static struct counts none, *counts = &none;

/* ---- who calls ----------------------------------------------------------------------------------------------------- */

enum { RANGES = 256 };

static struct range {
	uintptr_t from, to;
	enum who who;
} ranges[RANGES];
static unsigned known;

static enum who who_is(const char *name)
{
	if (strstr(name, "libusb-1.0"))
		return LIBUSB;
	if (strstr(name, "libopenccid.so") || strstr(name, "libccid.so"))
		return DRIVER;
	return OTHER;
}

static int look(struct dl_phdr_info *info, size_t size, void *arg)
{
	const uintptr_t *wanted = arg;

	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const uintptr_t from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
		const uintptr_t to = from + info->dlpi_phdr[i].p_memsz;
		const unsigned n = __atomic_load_n(&known, __ATOMIC_ACQUIRE);

		if (info->dlpi_phdr[i].p_type != PT_LOAD || *wanted < from || *wanted >= to || n >= RANGES)
			continue;
		/* Two threads may write the same; then one of them is forgotten, and found again. */
		ranges[n] = (struct range){ from, to, who_is(info->dlpi_name) };
		__atomic_store_n(&known, n + 1, __ATOMIC_RELEASE);
		return 1;
	}
	return 0;
}

static enum who who_has(uintptr_t caller)
{
	for (int again = 0; again < 2; again++) {
		const unsigned n = __atomic_load_n(&known, __ATOMIC_ACQUIRE);

		for (unsigned i = 0; i < n; i++)
			if (caller >= ranges[i].from && caller < ranges[i].to)
				return ranges[i].who;
		if (!dl_iterate_phdr(look, &caller))
			return OTHER;
	}
	return OTHER;
}

static void count(enum who who, enum what what, uint64_t n)
{
	if (who != OTHER)
		__atomic_fetch_add(&counts->of[who][what], n, __ATOMIC_RELAXED);
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv(COUNTS_ENV);
	const int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at != MAP_FAILED)
		counts = at;
	if (fd >= 0)
		close(fd);
}

/* ---- memory -------------------------------------------------------------------------------------------------------- */

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): names of the C library */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *at, size_t size);
void *__memcpy_chk(void *to, const void *from, size_t len, size_t cap);
int __poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t cap);
ssize_t __read_chk(int fd, void *bytes, size_t len, size_t cap);

EXPORT void *malloc(size_t size)
{
	count(CALLER, ALLOCATIONS, 1);
	return __libc_malloc(size);
}

EXPORT void *calloc(size_t n, size_t size)
{
	count(CALLER, ALLOCATIONS, 1);
	return __libc_calloc(n, size);
}

EXPORT void *realloc(void *at, size_t size)
{
	count(CALLER, ALLOCATIONS, 1);
	return __libc_realloc(at, size);
}

static void *copy(void *to, const void *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((volatile uint8_t *)to)[i] = ((const uint8_t *)from)[i];
	return to;
}

EXPORT void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
	count(CALLER, COPIED, len);
	return copy(to, from, len);
}

EXPORT void *__memcpy_chk(void *to, const void *from, size_t len, size_t cap)
{
	(void)cap;
	count(CALLER, COPIED, len);
	return copy(to, from, len);
}

/* ---- system calls -------------------------------------------------------------------------------------------------- */

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	NEXT(int, "ioctl", int, unsigned long, ...);

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	count(CALLER, IOCTLS, 1);
	return next(fd, request, arg);
}

EXPORT int poll(struct pollfd *fds, nfds_t n, int ms)
{
	NEXT(int, "poll", struct pollfd *, nfds_t, int);

	count(CALLER, POLLS, 1);
	return next(fds, n, ms);
}

EXPORT int __poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t cap)
{
	NEXT(int, "poll", struct pollfd *, nfds_t, int);

	(void)cap;
	count(CALLER, POLLS, 1);
	return next(fds, n, ms);
}

EXPORT int timerfd_settime(int fd, int flags, const struct itimerspec *set, struct itimerspec *old)
{
	NEXT(int, "timerfd_settime", int, int, const struct itimerspec *, struct itimerspec *);

	count(CALLER, TIMERS, 1);
	return next(fd, flags, set, old);
}

EXPORT ssize_t read(int fd, void *bytes, size_t len)
{
	NEXT(ssize_t, "read", int, void *, size_t);

	count(CALLER, READS, 1);
	return next(fd, bytes, len);
}

EXPORT ssize_t __read_chk(int fd, void *bytes, size_t len, size_t cap)
{
	NEXT(ssize_t, "read", int, void *, size_t);

	(void)cap;
	count(CALLER, READS, 1);
	return next(fd, bytes, len);
}

EXPORT ssize_t write(int fd, const void *bytes, size_t len)
{
	NEXT(ssize_t, "write", int, const void *, size_t);

	count(CALLER, WRITES, 1);
	return next(fd, bytes, len);
}

EXPORT int usleep(useconds_t us)
{
	NEXT(int, "usleep", useconds_t);

	count(CALLER, SLEEPS, 1);
	return next(us);
}

EXPORT int nanosleep(const struct timespec *span, struct timespec *left)
{
	NEXT(int, "nanosleep", const struct timespec *, struct timespec *);

	count(CALLER, SLEEPS, 1);
	return next(span, left);
}

EXPORT int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock)
{
	NEXT(int, "pthread_cond_wait", pthread_cond_t *, pthread_mutex_t *);

	count(CALLER, WAITS, 1);
	return next(cond, lock);
}

EXPORT int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until)
{
	NEXT(int, "pthread_cond_timedwait", pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

	count(CALLER, WAITS, 1);
	return next(cond, lock, until);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
