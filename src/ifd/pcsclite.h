/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What older headers of pcsc-lite lack; the numbers are fixed, and written as newer ones have them. */
#ifndef OPENCCID_IFD_PCSCLITE_H
#define OPENCCID_IFD_PCSCLITE_H

#ifndef TAG_IFD_DEVICE_REMOVED
#define TAG_IFD_DEVICE_REMOVED 0x0FB4
#endif

#endif
