/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has a device node open? Asked only when a reader turns out to be in use, so that the log can name the culprit. */
#ifndef OPENCCID_USB_HOLDER_H
#define OPENCCID_USB_HOLDER_H

#include <stdbool.h>
#include <stddef.h>

/* Name the processes, apart from this one, that have @node open: "scdaemon (pid 123)". False if none can be seen. */
bool holder_find(const char *node, char *text, size_t cap);

#endif
