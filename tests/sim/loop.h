/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One poll() for everything the simulator waits for. */
#ifndef OPENCCID_SIM_LOOP_H
#define OPENCCID_SIM_LOOP_H

#include <stdint.h>

typedef void loop_fn(void *arg, int fd);

/* Call fn when fd can be read; -1 when too many are watched. */
int loop_add(int fd, loop_fn *fn, void *arg);
void loop_remove(int fd);
/* Wait until `until` (ms of loop_now(); UINT64_MAX = for ever) and serve what has come. */
void loop_once(uint64_t until);
uint64_t loop_now(void);

#endif
