/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/doctor.h"

#include "usb/sysfs.h"

#include <stdio.h>
#include <string.h>

enum verdict doctor_descriptor(struct patient *p, struct finding *f)
{
	if (p->view->err == OC_OK)
		return DOCTOR_FINE;
	snprintf(f->cause, sizeof f->cause,
		 "What the reader says of itself makes no sense, so no driver can know how to speak to it.");
	snprintf(f->cure, sizeof f->cure,
		 "Look whether its maker has a newer firmware. \"openccid describe %04x:%04x\" says what is "
		 "wrong; please "
		 "send that to the project.",
		 p->view->info.vid, p->view->info.pid);
	return DOCTOR_FATAL;
}

enum verdict doctor_listed(struct patient *p, struct finding *f)
{
	if (!p->view->known)
		return DOCTOR_NOT_ASKED;
	if (p->view->known->flags & QUIRK_OFFERED)
		return DOCTOR_FINE;
	snprintf(f->cause, sizeof f->cause,
		 "This model is known not to work with any driver of this kind: it speaks a language of its "
		 "own.");
	snprintf(f->cure, sizeof f->cure, "Ask its maker for a driver, or use another reader.");
	return DOCTOR_FATAL;
}

enum verdict doctor_firmware(struct patient *p, struct finding *f)
{
	const struct ccid_caps *caps = &p->view->learned.caps;

	if (!caps->fixed_in)
		return DOCTOR_FINE;
	snprintf(f->cause, sizeof f->cause, "The firmware of the reader, %x.%02x, has a known fault: %s.",
		 caps->firmware >> 8, caps->firmware & 0xFF, caps->fault ? caps->fault : "");
	snprintf(f->cure, sizeof f->cure,
		 "Get firmware %x.%02x or later from the maker of the reader. Until then the driver goes "
		 "around the fault as "
		 "far as it can.",
		 caps->fixed_in >> 8, caps->fixed_in & 0xFF);
	return DOCTOR_ILL;
}

/* While pcscd has a reader open the kernel keeps it awake; asleep before that, some do not wake up again. */
enum verdict doctor_autosuspend(struct patient *p, struct finding *f)
{
	char control[16], status[16];
	bool sleeps;

	if (!sysfs_attribute(p->view->path, "power/control", control, sizeof control))
		return DOCTOR_NOT_ASKED;
	if (!sysfs_attribute(p->view->path, "power/runtime_status", status, sizeof status))
		status[0] = '\0';
	sleeps =
		strcmp(control, "auto") == 0 && p->view->known && (p->view->known->flags & QUIRK_STAYS_AWAKE);
	if (!sleeps && strcmp(status, "error") != 0)
		return DOCTOR_FINE;
	snprintf(f->cause, sizeof f->cause, "%s",
		 strcmp(status, "error") == 0
			 ? "The computer put the reader to sleep to save power, and it did not wake up again."
			 : "The computer may put the reader to sleep to save power, and this one does not "
			   "wake up again.");
	snprintf(f->cure, sizeof f->cure,
		 "As root: echo on > %s/power/control; for good, take the reader out of what saves power "
		 "(TLP: "
		 "USB_DENYLIST=\"%04x:%04x\"; powertop; a rule of udev).",
		 p->view->path, p->view->info.vid, p->view->info.pid);
	return DOCTOR_ILL;
}
