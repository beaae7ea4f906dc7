/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CCID_SIM_PARTS_H
#define CCID_SIM_PARTS_H

/*
 * Where the parts of the simulator are: found from the place of the program, in a build folder as well as where it was installed, so
 * that no path of the machine that built it is in it. What the environment says comes first. Both are valid until the next call of the same.
 */

/* The library that is loaded into programs: $CCID_SIM_PRELOAD. */
const char *parts_preload(void);

/* The folder of .reader files: $CCID_SIM_READERS. */
const char *parts_readers(void);

#endif
