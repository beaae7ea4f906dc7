/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usb/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_number(const char *name)
{
	return isdigit((unsigned char)name[0]);
}

/* Does one of the process's descriptors lead to the node? */
static bool holds(const char *pid, const char *node)
{
	char folder[64], target[256];
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(folder, sizeof folder, "/proc/%.20s/fd", pid);
	dir = opendir(folder);
	while (dir && !found && (entry = readdir(dir))) {
		ssize_t n;

		if (!is_number(entry->d_name))
			continue;
		n = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		found = strcmp(target, node) == 0;
	}
	if (dir)
		closedir(dir);
	return found;
}

static void name_process(const char *pid, char *name, size_t cap)
{
	char file[64];
	ssize_t n = -1;
	int fd;

	snprintf(file, sizeof file, "/proc/%.20s/comm", pid);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, name, cap - 1);
		close(fd);
	}
	name[n > 0 ? n : 0] = '\0';
	name[strcspn(name, "\n")] = '\0';
}

bool holder_find(const char *node, char *text, size_t cap)
{
	const struct dirent *entry;
	size_t used = 0;
	DIR *dir = opendir("/proc");

	text[0] = '\0';
	while (dir && (entry = readdir(dir))) {
		char name[64];
		int n;

		if (!is_number(entry->d_name) || strtol(entry->d_name, NULL, 10) == (long)getpid() ||
		    !holds(entry->d_name, node))
			continue;
		name_process(entry->d_name, name, sizeof name);
		n = snprintf(text + used, cap - used, "%s%s (pid %.20s)", used ? ", " : "", name,
			     entry->d_name);
		if (n < 0 || (size_t)n >= cap - used)
			break;
		used += (size_t)n;
	}
	if (dir)
		closedir(dir);
	return used > 0;
}
