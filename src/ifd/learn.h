/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From what an interface says of itself to what the driver works with. Without pcsc-lite: the command openccid uses it, too. */
#ifndef OPENCCID_IFD_LEARN_H
#define OPENCCID_IFD_LEARN_H

#include "base/err.h"
#include "ccid/descriptor.h"
#include "quirk/override.h"
#include "quirk/quirk.h"
#include "usb/usb.h"

#include <stdbool.h>

enum { LEARN_ORIGINS = 256 };

struct learned {
	struct ccid_descriptor descriptor;
	struct quirk_facts facts; /* what the conditions of rules look at */
	struct ccid_caps caps;
	char from[LEARN_ORIGINS]; /* where rules of the administrator that held came from; "" if none did */
};

/* A token that speaks over the control pipe */
bool learn_is_iccd(const struct usb_info *info);

/* Every interface of a listed device is offered to us: only that of a reader is taken from who else may have it. */
bool learn_is_reader(const struct usb_info *info);

/**
 * learn_caps - what the reader says of itself, made plausible, then corrected by what is known of it and by the administrator
 * @product: its USB product string; "" if it has none. out->facts refers to it
 * @override: may be NULL
 * @out: written on OC_OK. On OC_E_DESCRIPTOR out->descriptor is there where it could be read, else all of it is 0
 */
enum oc_err learn_caps(const struct usb_info *info, const char *product,
		       const struct quirk_override *override, struct learned *out);

#endif
