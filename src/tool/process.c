/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/process.h"

#include <ctype.h>
#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool has_name(const char *pid, const char *name)
{
	char path[64], comm[32] = "";
	FILE *file;

	snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(comm, sizeof comm, file))
		comm[0] = '\0';
	fclose(file);
	comm[strcspn(comm, "\n")] = '\0';
	return strcmp(comm, name) == 0;
}

pid_t process_find(const char *name, uid_t *uid)
{
	const struct dirent *entry;
	DIR *dir = opendir("/proc");
	struct stat st;
	pid_t pid = 0;

	while (dir && !pid && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && has_name(entry->d_name, name)) {
			pid = (pid_t)strtol(entry->d_name, NULL, 10);
			if (uid)
				*uid = fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 ? st.st_uid : 0;
		}
	if (dir)
		closedir(dir);
	return pid;
}

bool process_in_group(uid_t uid, gid_t gid)
{
	const struct passwd *user = getpwuid(uid);
	const struct group *group = getgrgid(gid);

	if (user && user->pw_gid == gid)
		return true;
	for (char **member = user && group ? group->gr_mem : NULL; member && *member; member++)
		if (strcmp(*member, user->pw_name) == 0)
			return true;
	return false;
}
