/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where log lines go: to pcscd's own log, or to standard error where the driver runs without pcscd. */
#ifndef OPENCCID_IFD_PCSCD_LOG_H
#define OPENCCID_IFD_PCSCD_LOG_H

#include "base/log.h"

void pcscd_log_write(void *arg, enum oc_log_level level, const char *line);

/*
 * The levels that OPENCCID_LOG asks for: a number as ifdLogLevel has it, or words of "critical", "info", "comm", "periodic",
 * "all", "none" with commas between. Words that are none are skipped. @fallback where the text is NULL.
 */
unsigned pcscd_log_mask(const char *text, unsigned fallback);

#endif
