/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions that are replaced. What is not ours goes on to the next library, which is umockdev's. The fortified
 * and 64-bit names are needed because callers are compiled with them.
 */
#include "preload.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* The next function, looked up at the first call; two threads may both do it and find the same. */
#define NEXT(type, name, ...)             \
	static type (*next)(__VA_ARGS__); \
	if (!next)                        \
	*(void **)&next = preload_next(name)

#define MODE_OF(mode, flags)                      \
	mode_t mode = 0;                          \
	if ((flags) & (O_CREAT | __O_TMPFILE)) {  \
		va_list args;                     \
		va_start(args, flags);            \
		mode = (mode_t)va_arg(args, int); \
		va_end(args);                     \
	}

void *preload_next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

EXPORT int open(const char *path, int flags, ...)
{
	char buf[PRELOAD_PATH_MAX];
	MODE_OF(mode, flags)
	NEXT(int, "open", const char *, int, ...);

	return usbfs_is_node(path) ? usbfs_open(path, flags) : next(preload_path(path, buf), flags, mode);
}

EXPORT int open64(const char *path, int flags, ...)
{
	char buf[PRELOAD_PATH_MAX];
	MODE_OF(mode, flags)
	NEXT(int, "open64", const char *, int, ...);

	return usbfs_is_node(path) ? usbfs_open(path, flags) : next(preload_path(path, buf), flags, mode);
}

EXPORT int openat(int at, const char *path, int flags, ...)
{
	char buf[PRELOAD_PATH_MAX];
	MODE_OF(mode, flags)
	NEXT(int, "openat", int, const char *, int, ...);

	return usbfs_is_node(path) ? usbfs_open(path, flags) : next(at, preload_path(path, buf), flags, mode);
}

EXPORT int openat64(int at, const char *path, int flags, ...)
{
	char buf[PRELOAD_PATH_MAX];
	MODE_OF(mode, flags)
	NEXT(int, "openat64", int, const char *, int, ...);

	return usbfs_is_node(path) ? usbfs_open(path, flags) : next(at, preload_path(path, buf), flags, mode);
}

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): names of the C library */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int at, const char *path, int flags);
int __openat64_2(int at, const char *path, int flags);

EXPORT int __open_2(const char *path, int flags)
{
	return open(path, flags);
}

EXPORT int __open64_2(const char *path, int flags)
{
	return open64(path, flags);
}

EXPORT int __openat_2(int at, const char *path, int flags)
{
	return openat(at, path, flags);
}

EXPORT int __openat64_2(int at, const char *path, int flags)
{
	return openat64(at, path, flags);
}

EXPORT int close(int fd)
{
	NEXT(int, "close", int);

	usbfs_close(fd);
	return next(fd);
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	NEXT(int, "ioctl", int, unsigned long, ...);
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	return usbfs_owns(fd) ? usbfs_ioctl(fd, request, arg) : next(fd, request, arg);
}

EXPORT ssize_t read(int fd, void *buf, size_t len)
{
	NEXT(ssize_t, "read", int, void *, size_t);

	return usbfs_owns(fd) ? usbfs_read(fd, buf, len, -1) : next(fd, buf, len);
}

ssize_t __read_chk(int fd, void *buf, size_t len, size_t room);

EXPORT ssize_t __read_chk(int fd, void *buf, size_t len, size_t room)
{
	NEXT(ssize_t, "__read_chk", int, void *, size_t, size_t);

	return usbfs_owns(fd) ? usbfs_read(fd, buf, len, -1) : next(fd, buf, len, room);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

EXPORT ssize_t pread(int fd, void *buf, size_t len, off_t offset)
{
	NEXT(ssize_t, "pread", int, void *, size_t, off_t);

	return usbfs_owns(fd) ? usbfs_read(fd, buf, len, offset) : next(fd, buf, len, offset);
}

EXPORT ssize_t pread64(int fd, void *buf, size_t len, off64_t offset)
{
	NEXT(ssize_t, "pread64", int, void *, size_t, off64_t);

	return usbfs_owns(fd) ? usbfs_read(fd, buf, len, offset) : next(fd, buf, len, offset);
}

EXPORT off_t lseek(int fd, off_t offset, int whence)
{
	NEXT(off_t, "lseek", int, off_t, int);

	return usbfs_owns(fd) ? (off_t)usbfs_seek(fd, offset, whence) : next(fd, offset, whence);
}

EXPORT off64_t lseek64(int fd, off64_t offset, int whence)
{
	NEXT(off64_t, "lseek64", int, off64_t, int);

	return usbfs_owns(fd) ? usbfs_seek(fd, offset, whence) : next(fd, offset, whence);
}

/* What tells that the system has slept: this clock goes on meanwhile, and CLOCK_MONOTONIC does not. */
EXPORT int clock_gettime(clockid_t clock, struct timespec *now)
{
	NEXT(int, "clock_gettime", clockid_t, struct timespec *);
	const int result = next(clock, now);
	unsigned long slept;

	if (result != 0 || clock != CLOCK_BOOTTIME)
		return result;
	slept = preload_slept();
	now->tv_sec += (time_t)(slept / 1000);
	return result;
}

/* ---- functions that only get another path ---- */

#define WITH_PATH(type, name, declaration, path, call, ...) \
	EXPORT type name declaration                        \
	{                                                   \
		char buf[PRELOAD_PATH_MAX];                 \
		NEXT(type, #name, __VA_ARGS__);             \
                                                            \
		path = preload_path(path, buf);             \
		return next call;                           \
	}

WITH_PATH(FILE *, fopen, (const char *path, const char *mode), path, (path, mode), const char *, const char *)
WITH_PATH(FILE *, fopen64, (const char *path, const char *mode), path, (path, mode), const char *,
	  const char *)
WITH_PATH(DIR *, opendir, (const char *path), path, (path), const char *)
WITH_PATH(void *, dlopen, (const char *path, int flags), path, (path, flags), const char *, int)
WITH_PATH(int, access, (const char *path, int mode), path, (path, mode), const char *, int)
/* Before glibc 2.33 stat() is part of the program that calls it, and another function of the library's. */
#ifdef __GLIBC__
#if !__GLIBC_PREREQ(2, 33)
#define INLINE_STAT
#endif
#endif
#ifdef INLINE_STAT
WITH_PATH(int, __xstat, (int version, const char *path, struct stat *st), path, (version, path, st), int,
	  const char *, struct stat *)
WITH_PATH(int, __lxstat, (int version, const char *path, struct stat *st), path, (version, path, st), int,
	  const char *, struct stat *)
WITH_PATH(int, __xstat64, (int version, const char *path, struct stat64 *st), path, (version, path, st), int,
	  const char *, struct stat64 *)
WITH_PATH(int, __lxstat64, (int version, const char *path, struct stat64 *st), path, (version, path, st), int,
	  const char *, struct stat64 *)
#else
WITH_PATH(int, stat, (const char *path, struct stat *st), path, (path, st), const char *, struct stat *)
WITH_PATH(int, lstat, (const char *path, struct stat *st), path, (path, st), const char *, struct stat *)
WITH_PATH(int, stat64, (const char *path, struct stat64 *st), path, (path, st), const char *, struct stat64 *)
WITH_PATH(int, lstat64, (const char *path, struct stat64 *st), path, (path, st), const char *,
	  struct stat64 *)
#endif
WITH_PATH(int, mkdir, (const char *path, mode_t mode), path, (path, mode), const char *, mode_t)
WITH_PATH(int, chmod, (const char *path, mode_t mode), path, (path, mode), const char *, mode_t)
WITH_PATH(int, unlink, (const char *path), path, (path), const char *)
WITH_PATH(int, remove, (const char *path), path, (path), const char *)

static const struct sockaddr *other_address(const struct sockaddr *addr, socklen_t *len,
					    struct sockaddr_un *out)
{
	char buf[PRELOAD_PATH_MAX];
	const char *path;

	if (!addr || addr->sa_family != AF_UNIX || *len < sizeof(sa_family_t) + 2 || *len > sizeof *out)
		return addr;
	memset(out, 0, sizeof *out);
	memcpy(out, addr, *len);
	if (out->sun_path[0] == '\0' || strnlen(out->sun_path, sizeof out->sun_path) == sizeof out->sun_path)
		return addr;
	path = preload_path(out->sun_path, buf);
	if (path == out->sun_path || strlen(path) >= sizeof out->sun_path)
		return addr;
	memmove(out->sun_path, path, strlen(path) + 1);
	*len = sizeof *out;
	return (const struct sockaddr *)(const void *)out;
}

EXPORT int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_un other;
	NEXT(int, "bind", int, const struct sockaddr *, socklen_t);

	addr = other_address(addr, &len, &other);
	return next(fd, addr, len);
}

EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_un other;
	NEXT(int, "connect", int, const struct sockaddr *, socklen_t);

	addr = other_address(addr, &len, &other);
	return next(fd, addr, len);
}
