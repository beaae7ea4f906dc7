/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scan.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WINDOW = 1 << 16, MAPS = 1 << 18 };

/* Sanitizers reserve much more for what they know about memory; nothing of ours is in there. */
#define LONGEST ((uintptr_t)1 << 27)

static const uint8_t masked[SECRET_LEN] = { 0x3C, 0x91, 0xE4, 0x07, 0x5D, 0xBA, 0x28, 0xC6,
					    0x73, 0x1F, 0x8E, 0xD2, 0x45, 0x6B, 0xF9, 0x10 };

/* What is read of other memory; not looked at itself. */
static struct {
	uint8_t window[WINDOW];
	char maps[MAPS];
} own;

void secret_put(uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = masked[i % SECRET_LEN] ^ SECRET_MASK;
}

/* Compared masked, so that no copy of it is made. */
static bool is_piece(const uint8_t *at, size_t from)
{
	for (size_t i = 0; i < SECRET_PIECE; i++)
		if ((uint8_t)(at[i] ^ SECRET_MASK) != masked[(from + i) % SECRET_LEN])
			return false;
	return true;
}

/* Where the secret has this byte, which it has once, counted from 1; 0: nowhere. Most bytes of memory are looked at no further. */
static uint8_t place_of[256];

static bool is_found(const uint8_t *at)
{
	const uint8_t place = place_of[*at ^ SECRET_MASK];

	return place && is_piece(at, place - 1u);
}

static void fill_places(void)
{
	for (unsigned i = 0; i < SECRET_LEN; i++)
		place_of[masked[i]] = (uint8_t)(i + 1);
}

static bool is_own(uintptr_t at)
{
	return at >= (uintptr_t)&own && at < (uintptr_t)(&own + 1);
}

/* Neighbours count once. */
static unsigned scan_window(uintptr_t base, size_t len, const char *line, unsigned shown)
{
	unsigned found = 0;

	for (size_t i = 0; i + SECRET_PIECE <= len; i++) {
		if (is_own(base + i) || !is_found(own.window + i))
			continue;
		if (found++ < shown)
			fprintf(stderr, "found at %lx in %s\n", (unsigned long)(base + i), line);
		i += SECRET_LEN;
	}
	return found;
}

static unsigned scan_range(int fd, uintptr_t from, uintptr_t to, const char *line, unsigned shown)
{
	unsigned found = 0;

	for (uintptr_t at = from; at + SECRET_PIECE <= to; at += WINDOW - SECRET_PIECE) {
		const size_t want = to - at < WINDOW ? to - at : WINDOW;
		const ssize_t n = pread(fd, own.window, want, (off_t)at);

		if (n > 0)
			found += scan_window(at, (size_t)n, line, shown);
	}
	memset(own.window, 0, sizeof own.window);
	return found;
}

/* One line of /proc/self/maps: "from-to rw-p ..." */
static unsigned scan_line(int fd, const char *line, unsigned shown)
{
	char *end;
	const uintptr_t from = (uintptr_t)strtoull(line, &end, 16);
	const uintptr_t to = (uintptr_t)strtoull(end + 1, &end, 16);

	if (end[1] != 'r' || end[2] != 'w' || to - from > LONGEST)
		return 0;
	return scan_range(fd, from, to, line, shown);
}

static void read_maps(void)
{
	const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	while (fd >= 0 && len < sizeof own.maps - 1 &&
	       (n = read(fd, own.maps + len, sizeof own.maps - 1 - len)) > 0)
		len += (size_t)n;
	own.maps[len] = '\0';
	if (fd >= 0)
		close(fd);
}

unsigned secret_scan(unsigned shown)
{
	const int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	unsigned found = 0;
	char *rest;

	fill_places();
	read_maps();
	for (char *line = strtok_r(own.maps, "\n", &rest); fd >= 0 && line;
	     line = strtok_r(NULL, "\n", &rest))
		found += scan_line(fd, line, shown);
	if (fd >= 0)
		close(fd);
	return found;
}

unsigned secret_scan_file(const char *path, size_t *len)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned found = 0;
	ssize_t n;

	*len = 0;
	fill_places();
	while (fd >= 0 && (n = pread(fd, own.window, WINDOW, (off_t)*len)) > 0) {
		found += scan_window(0, (size_t)n, path, 0);
		*len += n > SECRET_PIECE && n == WINDOW ? (size_t)n - SECRET_PIECE : (size_t)n;
	}
	memset(own.window, 0, sizeof own.window);
	if (fd >= 0)
		close(fd);
	return found;
}
