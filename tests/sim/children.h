/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pcscd and the user's command: their environment, start and end. */
#ifndef OPENCCID_SIM_CHILDREN_H
#define OPENCCID_SIM_CHILDREN_H

#include <stdbool.h>
#include <sys/types.h>

/* Where things are while the simulator runs; all below one temporary folder. */
struct places {
	char dir[64], usbfs[80], control[80], run[80], conf[80], csock[96], log[80];
};

/* Make the folder; -1 with errno. */
int places_make(struct places *p);
void places_remove(const struct places *p);

/*
 * Start over with umockdev's library loaded, as the testbed needs it. Returns only if that is done already, or with -1.
 */
int children_reexec(char **argv);

struct child_options {
	const char *drivers; /* folder for pcscd's bundles, or NULL for the system's */
	const char *log; /* file for pcscd's output, "-" for stderr, NULL for one in the temporary folder */
	bool debug, preload_command;
};

/* 0 on failure. */
pid_t children_pcscd(const struct places *p, const struct child_options *o);
pid_t children_command(const struct places *p, const struct child_options *o, char **argv);
/* Print the same environment as lines for a shell. */
void children_print_environment(const struct places *p, const struct child_options *o, bool pcscd);
/* The same where the reader is shared over USB/IP at this address. */
void children_print_usbip(const struct places *p, const char *where);
/* Can a client connect? */
bool children_pcscd_ready(const struct places *p);

#endif
