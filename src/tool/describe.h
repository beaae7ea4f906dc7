/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A class descriptor in words: its fields, what is wrong with it, and what the driver does because of it. */
#ifndef OPENCCID_TOOL_DESCRIBE_H
#define OPENCCID_TOOL_DESCRIBE_H

#include "tool/json.h"
#include "tool/out.h"
#include "tool/view.h"

#include <stddef.h>

enum { FIELD_VALUE = 24, FIELD_WORDS = 240, PLAN_TEXT = 200 };

/* ---- the fields: descriptor_fields.c */

struct field {
	const char *name;        /* as in the specification */
	uint32_t number;         /* its value, as a program wants it */
	char value[FIELD_VALUE]; /* and as the specification writes it */
	char words[FIELD_WORDS]; /* what that means; "" where the value says it */
};

enum { FIELDS = 20 };

/* Returns how many there are. */
size_t describe_fields(const struct ccid_descriptor *descriptor, struct field field[FIELDS]);

/* ---- what is wrong: descriptor_check.c */

struct check {
	const char *clause; /* of CCID rev 1.1, where it is not table 5.1-1; else NULL */
	bool (*holds)(const struct view *view);
	const char *wrong; /* a sentence without its full stop */
	const char *then;  /* what the driver does */
	bool unusable;     /* nothing works with such a descriptor */
};

/* The next thing that is wrong behind @after, which is NULL at first; NULL at the end. */
const struct check *describe_wrong(const struct view *view, const struct check *after);

/* ---- what the driver does: descriptor_plan.c */

struct plan {
	const char *what; /* one word */
	char text[PLAN_TEXT];
};

enum { PLANS = 10 };

/* For a reader whose err is OC_OK. Returns how many there are. */
size_t describe_plan(const struct view *view, struct plan plan[PLANS]);

/* ---- the section for readers/: reader_section.c */

void describe_section(const struct view *view, struct out *out);

/* "04e6-scm-microsystems.reader" for this vendor, or for one without a file a proposal */
void describe_file_name(const struct view *view, char *text, size_t cap);

#endif
