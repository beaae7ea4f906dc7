/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The syntax of .reader files: one parser for the generator, for files read at run time, and for tests. */
#ifndef OPENCCID_QUIRK_READER_FILE_H
#define OPENCCID_QUIRK_READER_FILE_H

#include "ccid/descriptor.h"
#include "quirk/quirk.h"

#include <stddef.h>
#include <stdint.h>

/* Bounds of one section; the parser says which one a file exceeds. */
enum {
	READER_TEXT =
		128, /* bytes of a string with its terminator: a USB string has at most 126 characters */
	READER_PATH = 256,      /* bytes of a file name, with its terminator */
	READER_UNITS = 16,      /* observed units of one product */
	READER_INTERFACES = 32, /* interfaces of all units together */
	READER_RULES = 16,
	READER_LIST = 255,         /* clocks or data rates of one interface: their number is a byte */
	READER_LINE = 2047,        /* bytes of a line */
	READER_FILE_MAX = 1 << 20, /* bytes of a file */
};

enum reader_status {
	READER_NOT_STATED, /* only in a file that overrides: the built-in table decides */
	READER_SUPPORTED,
	READER_SHOULD_WORK,
	READER_UNSUPPORTED,
	READER_DISABLED,
};

struct reader_list {
	unsigned count;
	uint32_t value[READER_LIST];
};

/* One smart-card interface of one unit, as the unit described it. */
struct reader_interface {
	unsigned unit;     /* index into the section's units */
	uint8_t number;    /* bInterfaceNumber */
	uint8_t endpoints; /* bNumEndpoints */
	uint8_t triple[3]; /* bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol */
	uint8_t descriptor[CCID_DESCRIPTOR_LEN];
	char name[READER_TEXT];        /* string of iInterface; empty if it has none */
	struct reader_list clocks;     /* kHz, answer to GET_CLOCK_FREQUENCIES; empty if there was none */
	struct reader_list data_rates; /* bps, answer to GET_DATA_RATES */
};

/* One observed device; strings are empty where it has none. */
struct reader_unit {
	uint16_t bcd_device;
	char variant[READER_TEXT]; /* its trade name where several products share the ids */
	char manufacturer[READER_TEXT];
	char product[READER_TEXT];
};

/* For what a section is. */
enum reader_scope {
	READER_PRODUCT, /* [vid:pid] */
	READER_VENDOR,  /* [vid:*]: reasons and rules only */
	READER_EVERY,   /* [*], in a file that overrides: rules, and the settings of the driver */
};

/* Settings of the driver itself; those that 0 is a value of are kept plus 1. 0: not stated. */
struct reader_settings {
	uint32_t log_1;      /* mask of enum oc_log_level, plus 1 */
	uint32_t voltage_1;  /* tried first: 1 for 5 V, 2 for 3 V, 3 for 1.8 V, 4 where the reader decides */
	uint32_t max_wait_s; /* longest that a command may take */
	uint32_t leave_1;    /* to another driver: 1 no, 2 yes */
	/* Files that get what goes over the wire: all of it, and what came before the first failure. "": not stated. */
	char capture[READER_PATH];
	char recorder[READER_PATH];
};

/* One section. About 80 KiB: allocate it, do not put it on a stack. */
struct reader_section {
	const char *file; /* as given to the parser */
	unsigned line;    /* of its head */
	enum reader_scope scope;
	uint16_t vid, pid; /* 0 where the scope is wider */
	struct reader_settings settings;
	enum reader_status status;
	uint32_t stays_awake; /* 1: udev leaves it awake; 0: not stated */
	char name[READER_TEXT];
	char why[QUIRK_WHY];
	unsigned units, interfaces, rules;
	struct reader_unit unit[READER_UNITS];
	struct reader_interface interface[READER_INTERFACES];
	struct quirk_rule rule[READER_RULES];
};

/* What a file is read for decides what a section must contain. */
enum reader_use {
	READER_DATABASE, /* the project's own: name, status, a unit and the reason of every change are required */
	READER_OVERRIDE, /* an administrator's file: whatever it states */
};

struct reader_sink {
	/* A section without errors, in file order; valid during the call only. */
	void (*section)(void *arg, const struct reader_section *section);
	/* One error: a sentence for the person who wrote the file. @line is 0 where the whole file is meant. */
	void (*error)(void *arg, const char *file, unsigned line, const char *sentence);
	void *arg;
};

/**
 * reader_file_parse - read one .reader file that is already in memory
 * @file: its name, for messages; must outlive the sections
 * @text, @len: its bytes; any content is safe
 *
 * Goes on after an error, so that one run reports all of them; a section with an error is not delivered.
 * Needs one section of memory, whatever the length of the file. Returns the number of errors.
 */
unsigned reader_file_parse(const char *file, const char *text, size_t len, enum reader_use use,
			   const struct reader_sink *sink);

/* The same for a file on disk of at most READER_FILE_MAX bytes; one that cannot be read is one error. */
unsigned reader_file_load(const char *path, enum reader_use use, const struct reader_sink *sink);

/* An effect as a line of a file: "max-ifsd = 48" */
enum { READER_EFFECT_TEXT = 96 };
void reader_effect_text(const struct quirk_effect *effect, char text[READER_EFFECT_TEXT]);

/* The word of a value in the files; never NULL. */
const char *reader_status_word(enum reader_status status);
const char *reader_level_word(enum ccid_level level);

#endif
