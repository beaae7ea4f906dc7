/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Logging: a value that is passed in, so that no layer has a global. Text is formatted only when its level is on.
 * The levels and their numbers are those of the Info.plist key ifdLogLevel that users of pcsc-lite know.
 */
#ifndef OPENCCID_BASE_LOG_H
#define OPENCCID_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum oc_log_level {
	OC_LOG_CRITICAL = 1, /* a person has to know: what happened, why, what to do */
	OC_LOG_INFO = 2,     /* one line per event: a reader opened, a card powered */
	OC_LOG_COMM = 4,     /* one line per message on the wire */
	OC_LOG_PERIODIC = 8, /* the same for what happens while nothing happens (presence) */
};

struct oc_log {
	unsigned mask; /* levels that are on */
	bool secrets;  /* payload bytes may be shown; off unless asked for by name */
	/* Take one finished line without newline; called from any thread. */
	void (*write)(void *arg, enum oc_log_level level, const char *line);
	void *arg;
};

static inline bool oc_log_on(const struct oc_log *log, enum oc_log_level level)
{
	return log && log->write && (log->mask & (unsigned)level);
}

/* The level of one word: critical, info, comm, periodic; all and none. False for any other; @mask is 0 then. */
bool oc_log_word(const char *word, size_t len, unsigned *mask);

/* Format and hand over one line of at most 511 characters; longer ones are cut with "...". */
void oc_log_line(const struct oc_log *log, enum oc_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define OC_LOG(log, level, ...)                                   \
	do {                                                      \
		if (oc_log_on((log), (level)))                    \
			oc_log_line((log), (level), __VA_ARGS__); \
	} while (0)

#endif
