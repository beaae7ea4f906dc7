/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything that can happen to one message, as a table. */
#ifndef OPENCCID_TESTS_FAULTS_H
#define OPENCCID_TESTS_FAULTS_H

#include "faulty.h"

/* What the caller of the operation may be told then. */
enum outcome {
	NO_HARM, /* OC_OK: what came can be understood */
	LOST,    /* as BUS; and the reader has started afresh */
	BUS,     /* nothing came, or nothing that can be believed */
	LINE,    /* a block was lost between reader and card */
	REFUSED, /* the reader said no */
	PULLED,  /* the card went away, perhaps just behind the answer */
	GONE,    /* OC_E_GONE */
};

struct fault {
	const char *name;
	enum event event;
	enum outcome outcome;
	void (*strike)(struct faulty *f, const struct strike *strike, struct passing *p);
	int value;
	enum oc_err err;
	unsigned variants; /* 0 is 1 */
	bool always;       /* time extensions without end: all that the driver allows passes */
	bool looks_padded; /* the message is cut by its own dwLength: nobody can tell it from one with padding */
	unsigned extra_ms; /* that it takes by itself */
};

extern const struct fault faults[];
extern const unsigned faults_len;

static inline unsigned fault_variants(const struct fault *fault)
{
	return fault->variants ? fault->variants : 1;
}

#endif
