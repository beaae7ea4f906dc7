/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd/recording.h"

#include "ccid/redact.h"
#include "tap/tap.h"

#include <stdlib.h>
#include <string.h>

enum { DESCRIPTORS_MAX = 4096 };

/* The environment wins over the settings; an empty word there switches it off. */
static const char *path_of(const char *variable, const char *setting)
{
	const char *path = secure_getenv(variable);

	if (!path)
		path = setting;
	return path[0] ? path : NULL;
}

struct transport *recording_begin(struct transport *bus, const struct usb_info *info,
				  const struct ccid_caps *caps, const struct reader_settings *settings,
				  const struct oc_log *log)
{
	const char *secrets = secure_getenv("OPENCCID_CAPTURE_SECRETS");
	uint8_t descriptors[DESCRIPTORS_MAX];
	struct tap_setup setup = {
		.capture = path_of("OPENCCID_CAPTURE", settings->capture),
		.recorder = path_of("OPENCCID_FLIGHT_RECORDER", settings->recorder),
		.secrets = secrets && strcmp(secrets, "yes") == 0,
		.log = log,
		.levels = REDACT_LEVEL(caps->level),
		.bus = info->bus,
		.address = info->address,
		.ep_out = info->ep_out,
		.ep_in = info->ep_in,
		.ep_interrupt = info->ep_interrupt,
		.descriptors = descriptors,
	};

	if (!setup.capture && !setup.recorder)
		return bus;
	setup.descriptors_len = usb_descriptors(info, descriptors, sizeof descriptors);
	return tap_wrap(bus, &setup);
}
