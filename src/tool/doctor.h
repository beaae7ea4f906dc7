/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of "openccid doctor": one function each, in the table of verb_doctor.c in the order in which causes hide each other. */
#ifndef OPENCCID_TOOL_DOCTOR_H
#define OPENCCID_TOOL_DOCTOR_H

#include "tool/ask.h"
#include "tool/bundles.h"
#include "tool/pcsc.h"
#include "tool/view.h"

#include <stdbool.h>
#include <sys/types.h>

enum { DOCTOR_TEXT = 700 };

/* One reader, and what was found out before the first check. */
struct patient {
	const struct view *view;
	const struct pcsc_view *pcsc;
	const struct pcsc_slot *slot; /* its first one, as pcscd has it; NULL if it has not */
	struct view_holder holder;
	struct bundles bundles;
	bool pcscd_runs; /* a process of that name is seen */
	uid_t pcscd_uid; /* whose; else whose it would be */
	bool ill;        /* an earlier check found something */
	bool with_card;  /* the card may be asked, too */
	bool asked;      /* answer is there: nobody held the reader */
	struct ask_answer answer;
};

enum verdict {
	DOCTOR_FINE,
	DOCTOR_ILL,
	DOCTOR_NOT_ASKED, /* it does not apply, or cannot be found out */
	DOCTOR_FATAL,     /* ill, and what comes after it makes no sense */
};

/* For a person who never heard of CCID: a sentence each. For DOCTOR_FINE the cause may say what was seen. */
struct finding {
	char cause[DOCTOR_TEXT];
	char cure[DOCTOR_TEXT];
};

typedef enum verdict doctor_check(struct patient *patient, struct finding *finding);

/* doctor_reader.c: what it is */
doctor_check doctor_descriptor, doctor_listed, doctor_firmware, doctor_autosuspend;
/* doctor_access.c: who may have it, and who has it */
doctor_check doctor_node, doctor_rules, doctor_holder;
/* doctor_pcscd.c: the daemon */
doctor_check doctor_installed, doctor_version, doctor_bundle, doctor_ids, doctor_left, doctor_rivals,
	doctor_running, doctor_admitted, doctor_taken;
/* doctor_unit.c: what systemd lets it do */
doctor_check doctor_unit;
/* doctor_card.c: the reader and its card answer */
doctor_check doctor_answers, doctor_card, doctor_protocol;

/* Is 60-openccid.rules among the rules of udev? */
bool doctor_has_rules(void);

#endif
