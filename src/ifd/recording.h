/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether what goes between the driver and a reader is written down, and where: what the environment and the settings say. */
#ifndef OPENCCID_IFD_RECORDING_H
#define OPENCCID_IFD_RECORDING_H

#include "base/log.h"
#include "ccid/caps.h"
#include "ccid/transport.h"
#include "quirk/reader_file.h"
#include "usb/usb.h"

/*
 * The transport to use instead of @bus, which it owns then; @bus itself where nothing is wanted. @settings must outlive it.
 */
struct transport *recording_begin(struct transport *bus, const struct usb_info *info,
				  const struct ccid_caps *caps, const struct reader_settings *settings,
				  const struct oc_log *log);

#endif
