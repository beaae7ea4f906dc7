/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd/pcscd_log.h"

#include <debuglog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* pcscd exports it; a program that loads the driver without pcscd need not. */
#pragma weak log_msg

static int priority_of(enum oc_log_level level)
{
	if (level == OC_LOG_CRITICAL)
		return PCSC_LOG_CRITICAL;
	return level == OC_LOG_INFO ? PCSC_LOG_INFO : PCSC_LOG_DEBUG;
}

void pcscd_log_write(void *arg, enum oc_log_level level, const char *line)
{
	(void)arg;
	if (log_msg)
		log_msg(priority_of(level), "openccid: %s", line);
	else
		fprintf(stderr, "openccid: %s\n", line);
}

unsigned pcscd_log_mask(const char *text, unsigned fallback)
{
	unsigned mask = 0;
	unsigned level;
	char *end;
	unsigned long number;

	if (!text)
		return fallback;
	number = strtoul(text, &end, 0);
	if (end != text && *end == '\0')
		return (unsigned)(number & 15);
	while (*text) {
		const size_t len = strcspn(text, ",");

		if (oc_log_word(text, len, &level))
			mask |= level;
		text += len + (text[len] == ',');
	}
	return mask;
}
