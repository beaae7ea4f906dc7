/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pcscd's compiled-in folders, moved elsewhere by the environment. */
#include "preload.h"
#include "usbfs_wire.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *from;
	const char *env;
} moves[] = {
	{ "/usr/lib/pcsc/drivers", SIM_ENV_DRIVERS },
	{ "/run/pcscd", SIM_ENV_RUN },
	{ "/var/run/pcscd", SIM_ENV_RUN },
};

/* What this machine's udev knows of its own devices is not true of the simulated ones, which may have the same numbers. */
static bool is_udev_data(const char *path)
{
	static const char folder[] = "/run/udev/data/";

	return path && strncmp(path, folder, sizeof folder - 1) == 0 && getenv(SIM_ENV_USBFS);
}

const char *preload_path(const char *path, char buf[PRELOAD_PATH_MAX])
{
	if (is_udev_data(path))
		return "/run/udev/no-data-of-the-simulation";
	for (size_t i = 0; path && i < sizeof moves / sizeof moves[0]; i++) {
		const size_t len = strlen(moves[i].from);
		const char *to;

		if (strncmp(path, moves[i].from, len) != 0 || (path[len] != '\0' && path[len] != '/'))
			continue;
		to = getenv(moves[i].env);
		if (!to || !*to)
			continue;
		if (snprintf(buf, PRELOAD_PATH_MAX, "%s%s", to, path + len) < PRELOAD_PATH_MAX)
			return buf;
	}
	return path;
}

unsigned long preload_slept(void)
{
	const char *socket = getenv(SIM_ENV_USBFS);
	char path[PRELOAD_PATH_MAX], text[32];
	ssize_t got;
	int fd;

	if (!socket || snprintf(path, sizeof path, "%s" SIM_SLEPT, socket) >= (int)sizeof path)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	got = read(fd, text, sizeof text - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return strtoul(text, NULL, 10);
}
