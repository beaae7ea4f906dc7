/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of the preload: system calls (preload.c), usbfs over a socket (preload_usbfs.c), path changes (preload_paths.c). */
#ifndef OPENCCID_SIM_PRELOAD_H
#define OPENCCID_SIM_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The next definition of a function in the chain of libraries. */
void *preload_next(const char *name);

/* The path to use instead, in buf or the path itself. */
enum { PRELOAD_PATH_MAX = 4096 };
const char *preload_path(const char *path, char buf[PRELOAD_PATH_MAX]);

/* Milliseconds by which the simulated system has slept. */
unsigned long preload_slept(void);

/* A device node of the simulator? */
bool usbfs_is_node(const char *path);
int usbfs_open(const char *path, int flags);
bool usbfs_owns(int fd);
int usbfs_ioctl(int fd, unsigned long request, void *arg);
/* offset < 0: from the file position, which moves */
ssize_t usbfs_read(int fd, void *buf, size_t len, off64_t offset);
off64_t usbfs_seek(int fd, off64_t offset, int whence);
/* Forget the fd; the caller closes it. */
void usbfs_close(int fd);

#endif
