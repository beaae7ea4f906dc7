/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The headers of pcsc-lite, and what older ones lack: the numbers are fixed. */
#ifndef OPENCCID_IFD_PCSCLITE_H
#define OPENCCID_IFD_PCSCLITE_H

#include <ifdhandler.h>
#include <reader.h>

#ifndef TAG_IFD_DEVICE_REMOVED
#define TAG_IFD_DEVICE_REMOVED 0x0FB4
#endif

#endif
