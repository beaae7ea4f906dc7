/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/doctor.h"

#include "tool/process.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULES "60-openccid.rules"

/* ---- udev -------------------------------------------------------------------------------------------------------- */

bool doctor_has_rules(void)
{
	static const char *const folders[] = { "/etc/udev/rules.d",           "/run/udev/rules.d",
					       "/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d",
					       "/lib/udev/rules.d",           OPENCCID_RULES_DIR };
	const char *other = getenv("OPENCCID_RULES");
	char path[512];

	for (size_t i = 0; i < (other ? 1 : sizeof folders / sizeof folders[0]); i++) {
		snprintf(path, sizeof path, "%s/" RULES, other ? other : folders[i]);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

enum verdict doctor_rules(struct patient *p, struct finding *f)
{
	if (doctor_has_rules())
		return DOCTOR_FINE;
	/* Root needs no rule; and if the node is not for pcscd, that was told. */
	if (p->pcscd_uid == 0 || p->ill)
		return DOCTOR_NOT_ASKED;
	snprintf(f->cause, sizeof f->cause,
		 "The rules that let pcscd use smart-card readers (" RULES ") are not installed.");
	snprintf(f->cure, sizeof f->cure,
		 "Install the driver again (make install puts them into %s), then \"udevadm control "
		 "--reload\" as root, and "
		 "plug the reader in again.",
		 OPENCCID_RULES_DIR);
	return DOCTOR_ILL;
}

/* ---- the device node --------------------------------------------------------------------------------------------- */

static bool may_open(const struct stat *st, uid_t uid)
{
	enum { READ_WRITE = 6 };
	mode_t bits = st->st_mode;

	if (uid == 0)
		return true;
	if (st->st_uid == uid)
		bits >>= 6;
	else if (process_in_group(uid, st->st_gid))
		bits >>= 3;
	return (bits & READ_WRITE) == READ_WRITE;
}

static const char *user_name(uid_t uid, char *text, size_t cap)
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(text, cap, "%s", user->pw_name);
	else
		snprintf(text, cap, "%u", (unsigned)uid);
	return text;
}

static void explain_node(const struct patient *p, const struct stat *st, struct finding *f)
{
	const struct group *group = getgrgid(st->st_gid);
	char user[64];

	user_name(p->pcscd_uid, user, sizeof user);
	snprintf(f->cause, sizeof f->cause,
		 "pcscd, which runs as the user %s, may not use the reader: its node %s belongs to the group "
		 "%s, with mode "
		 "%03o.",
		 user, p->view->node, group ? group->gr_name : "?", (unsigned)st->st_mode & 0777);
	if (!doctor_has_rules())
		snprintf(f->cure, sizeof f->cure,
			 "Install the driver again: its rules for udev (" RULES
			 ") are missing. Then plug the reader in again.");
	else if (group && strcmp(group->gr_name, "pcscd") == 0)
		snprintf(f->cure, sizeof f->cure,
			 "As root: usermod -a -G pcscd %s, then start pcscd again (systemctl restart pcscd).",
			 user);
	else
		snprintf(f->cure, sizeof f->cure,
			 "As root: udevadm control --reload, then plug the reader in again: the rules came "
			 "after it.");
}

enum verdict doctor_node(struct patient *p, struct finding *f)
{
	char driver[USB_DRIVER_MAX];
	const enum usb_claim claim = usb_claimed_by(&p->view->info, driver);
	struct stat st;

	if (p->slot)
		return DOCTOR_FINE;
	if (stat(p->view->node, &st) < 0 || claim == USB_NO_NODE) {
		snprintf(f->cause, sizeof f->cause,
			 "The computer sees the reader, but there is no device node %s for it.",
			 p->view->node);
		snprintf(f->cure, sizeof f->cure,
			 "Plug it in again. In a container the node has to be passed in; elsewhere udev has "
			 "to run.");
		return DOCTOR_ILL;
	}
	if (!may_open(&st, p->pcscd_uid)) {
		explain_node(p, &st, f);
		return DOCTOR_ILL;
	}
	/* Whoever has all the rights and still may not: something beyond the mode of the node forbids it. */
	if (claim == USB_DENIED && (geteuid() == 0 || geteuid() == p->pcscd_uid)) {
		snprintf(f->cause, sizeof f->cause,
			 "The reader may not be opened although its node %s allows it: a sandbox, a "
			 "container or a security "
			 "module forbids it.",
			 p->view->node);
		snprintf(f->cure, sizeof f->cure,
			 "Allow it there: DeviceAllow=char-usb_device rw in a unit of systemd, the device in "
			 "a container, or see "
			 "the log of AppArmor or SELinux (journalctl -k).");
		return DOCTOR_ILL;
	}
	return DOCTOR_FINE;
}

/* ---- who has it -------------------------------------------------------------------------------------------------- */

static void cure_holder(const char *who, struct finding *f)
{
	static const struct {
		const char *name, *cure;
	} known[] = {
		{ "scdaemon", "It belongs to GnuPG. Write the line disable-ccid into ~/.gnupg/scdaemon.conf, "
			      "run \"gpgconf "
			      "--kill scdaemon\", and plug the reader in again." },
		{ "pcscd", "It has not told us of the reader: start it again (systemctl restart pcscd)." },
		{ "qemu",
		  "A virtual machine has it. Take it away from there, and plug the reader in again." },
		{ "VBox",
		  "A virtual machine has it. Take it away from there, and plug the reader in again." },
		{ "", "End that program, or tell it to leave the reader alone, and plug the reader in again. "
		      "Mostly it is "
		      "GnuPG's scdaemon (disable-ccid in ~/.gnupg/scdaemon.conf) or a virtual machine; root "
		      "sees which one." },
	};
	size_t i = 0;

	while (!strstr(who, known[i].name))
		i++;
	snprintf(f->cure, sizeof f->cure, "%s", known[i].cure);
}

/* It is pcscd that has it, or may well be: one that runs, and could not be asked. */
static bool is_pcscd(const struct patient *p)
{
	const bool asked = p->pcsc->trouble == PCSC_FINE || p->pcsc->trouble == PCSC_NOT_RUNNING;

	return p->pcscd_runs && !asked && (strstr(p->holder.who, "pcscd") || !strstr(p->holder.who, "(pid "));
}

enum verdict doctor_holder(struct patient *p, struct finding *f)
{
	const struct view_holder *h = &p->holder;

	if (h->driver == VIEW_PROCESS && is_pcscd(p))
		return DOCTOR_NOT_ASKED;
	if (h->driver == VIEW_PROCESS) {
		snprintf(f->cause, sizeof f->cause, "Another program has the reader: %s.", h->who);
		cure_holder(h->who, f);
		return DOCTOR_ILL;
	}
	/* The driver takes it away from the kernel when it is opened; so with a pcscd that runs this did not succeed. */
	if (h->driver == VIEW_KERNEL && p->pcscd_runs) {
		snprintf(f->cause, sizeof f->cause, "A driver of the kernel, %s, has the reader.", h->who);
		snprintf(f->cure, sizeof f->cure,
			 "As root: modprobe -r %s, and plug the reader in again; for good, \"blacklist %s\" "
			 "in a file in "
			 "/etc/modprobe.d.",
			 h->who, h->who);
		return DOCTOR_ILL;
	}
	return h->driver == VIEW_UNKNOWN ? DOCTOR_NOT_ASKED : DOCTOR_FINE;
}
