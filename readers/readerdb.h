/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The readers in memory while the generator runs, and what it writes from them. */
#ifndef OPENCCID_READERS_READERDB_H
#define OPENCCID_READERS_READERDB_H

#include "quirk/reader_file.h"

#include <stdbool.h>
#include <stdio.h>

struct entry {
	uint16_t vid, pid;
	char product[5]; /* as its section has it: the id, or "*" */
	char name[READER_TEXT];
	bool offered;      /* supported or should-work */
	bool vendor_class; /* an interface of class FFh */
	bool stays_awake;  /* not to be put to sleep by udev */
	bool by_id;        /* an interface that udev cannot recognise by its class */
	unsigned rules;
	struct quirk_rule rule[READER_RULES];
	const char *file; /* where it was read, for messages */
	unsigned line;
};

/* Entries sorted by id. */
struct entries {
	struct entry *at;
	size_t len, cap;
};

struct readerdb {
	struct entries products;
	struct entries vendors; /* their rules; name, pid and flags are empty */
	unsigned errors;
};

/* Each writes one output, complete and in the order of the entries. */
void emit_table(const struct readerdb *db, const char *version, FILE *out);
void emit_plist(const struct readerdb *db, const char *version, FILE *out);
void emit_udev(const struct readerdb *db, const char *version, FILE *out);
void emit_metainfo(const struct readerdb *db, const char *version, FILE *out);

#endif
