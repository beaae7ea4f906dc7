/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver's own keys in the Info.plist of its bundle. */
#ifndef OPENCCID_IFD_BUNDLE_H
#define OPENCCID_IFD_BUNDLE_H

/* The bits of ifdDriverOptions that this driver honours; their numbers are known to users of pcsc-lite. */
enum {
	OPTION_ESCAPE = 0x01,     /* applications may send PC_to_RDR_Escape */
	OPTION_VOLTAGE_SHIFT = 4, /* bits 4 and 5: enum voltage_policy */
	OPTION_VOLTAGE_MASK = 0x30,
};

struct bundle_keys {
	unsigned log_level;
	unsigned driver_options;
};

/* Read ifdLogLevel and ifdDriverOptions from one file; a key that is absent or no number leaves its field alone. */
void bundle_read(const char *path, struct bundle_keys *keys);

/* The same from the bundle that this library was loaded from: Contents/Info.plist above Contents/<system>/<library>. */
void bundle_read_own(struct bundle_keys *keys);

#endif
