/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which programs run, as /proc shows them to whoever asks. */
#ifndef OPENCCID_TOOL_PROCESS_H
#define OPENCCID_TOOL_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* A process of this name; 0 if none can be seen. @uid may be NULL. */
pid_t process_find(const char *name, uid_t *uid);

/* Is a user in a group: by /etc/passwd and /etc/group, as a service that starts anew gets it? */
bool process_in_group(uid_t uid, gid_t gid);

#endif
