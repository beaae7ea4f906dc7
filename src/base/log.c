/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool oc_log_word(const char *word, size_t len, unsigned *mask)
{
	static const struct {
		const char *word;
		unsigned mask;
	} words[] = {
		{ "critical", OC_LOG_CRITICAL },
		{ "info", OC_LOG_INFO },
		{ "comm", OC_LOG_COMM },
		{ "periodic", OC_LOG_PERIODIC },
		{ "all", OC_LOG_CRITICAL | OC_LOG_INFO | OC_LOG_COMM | OC_LOG_PERIODIC },
		{ "none", 0 },
	};

	*mask = 0;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strlen(words[i].word) == len && memcmp(words[i].word, word, len) == 0) {
			*mask = words[i].mask;
			return true;
		}
	return false;
}

void oc_log_line(const struct oc_log *log, enum oc_log_level level, const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof line)
		memcpy(line + sizeof line - 4, "...", 4);
	log->write(log->arg, level, line);
}
