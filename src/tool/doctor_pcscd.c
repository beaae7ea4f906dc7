/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From this version on several slots and threads are safe. */
enum { MAJOR = 1, MINOR = 8, PATCH = 9 };

/* ---- installed --------------------------------------------------------------------------------------------------- */

/* The daemon is seldom in the path of users. OPENCCID_PCSCD names another one. */
static bool find_pcscd(char *path, size_t cap)
{
	static const char *const folders[] = { "/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin",
					       "/sbin" };
	const char *other = getenv("OPENCCID_PCSCD");

	if (other) {
		snprintf(path, cap, "%s", other);
		return access(path, X_OK) == 0;
	}
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		snprintf(path, cap, "%s/pcscd", folders[i]);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

enum verdict doctor_installed(struct patient *p, struct finding *f)
{
	char path[256];

	if (p->pcscd_runs || find_pcscd(path, sizeof path))
		return DOCTOR_FINE;
	snprintf(f->cause, sizeof f->cause,
		 "pcscd, the program that all others use to reach smart cards, is not installed.");
	snprintf(f->cure, sizeof f->cure, "Install it: the package is called pcscd or pcsc-lite.");
	return DOCTOR_ILL;
}

enum verdict doctor_version(struct patient *p, struct finding *f)
{
	unsigned v[3] = { 0, 0, 0 };
	char command[300], path[256], line[128] = "";
	FILE *pipe;

	(void)p;
	if (!find_pcscd(path, sizeof path) || strchr(path, '\''))
		return DOCTOR_NOT_ASKED;
	/* What is loaded into us, such as a simulated bus, is not for it. */
	snprintf(command, sizeof command, "LD_PRELOAD= '%s' --version 2>/dev/null", path);
	/* NOLINTNEXTLINE(cert-env33-c): of a path without quotes, which is quoted, and of nothing that others say */
	pipe = popen(command, "re");
	if (!pipe)
		return DOCTOR_NOT_ASKED;
	if (!fgets(line, sizeof line, pipe))
		line[0] = '\0';
	pclose(pipe);
	/* NOLINTNEXTLINE(cert-err34-c): a number that short always fits */
	if (sscanf(line, "pcsc-lite version %4u.%4u.%4u", &v[0], &v[1], &v[2]) < 2)
		return DOCTOR_NOT_ASKED;
	if (v[0] * 10000 + v[1] * 100 + v[2] >= MAJOR * 10000 + MINOR * 100 + PATCH) {
		snprintf(f->cause, sizeof f->cause, "pcscd %u.%u.%u", v[0], v[1], v[2]);
		return DOCTOR_FINE;
	}
	snprintf(f->cause, sizeof f->cause,
		 "pcscd is older than this driver needs: it is %u.%u.%u, and has to be %d.%d.%d.", v[0], v[1],
		 v[2], MAJOR, MINOR, PATCH);
	snprintf(f->cure, sizeof f->cure, "Install a newer pcsc-lite.");
	return DOCTOR_ILL;
}

/* ---- the bundles ------------------------------------------------------------------------------------------------- */

static const struct bundle *ours(const struct bundles *bundles, bool must_list)
{
	for (size_t i = 0; i < bundles->count; i++)
		if (bundles->bundle[i].ours && bundles->bundle[i].library &&
		    (!must_list || bundles->bundle[i].lists))
			return &bundles->bundle[i];
	return NULL;
}

static const struct bundle *other_that_lists(const struct bundles *bundles)
{
	for (size_t i = 0; i < bundles->count; i++)
		if (!bundles->bundle[i].ours && bundles->bundle[i].lists)
			return &bundles->bundle[i];
	return NULL;
}

enum verdict doctor_bundle(struct patient *p, struct finding *f)
{
	if (ours(&p->bundles, false))
		return DOCTOR_FINE;
	snprintf(f->cause, sizeof f->cause, "The driver is not where pcscd looks for drivers, %s.",
		 p->bundles.folder);
	snprintf(f->cure, sizeof f->cure,
		 "Install it again. If pcscd has another folder, \"pcscd --version\" shows it (usbdropdir), "
		 "and configure "
		 "takes it as --with-usbdropdir.");
	return DOCTOR_ILL;
}

enum verdict doctor_ids(struct patient *p, struct finding *f)
{
	const struct bundle *other = other_that_lists(&p->bundles);
	const struct usb_info *info = &p->view->info;

	if (!ours(&p->bundles, false))
		return DOCTOR_NOT_ASKED;
	if (ours(&p->bundles, true))
		return DOCTOR_FINE;
	if (other) {
		snprintf(f->cause, sizeof f->cause,
			 "pcscd does not give this reader to the driver openccid, but to another one: %s.",
			 other->name);
		snprintf(f->cure, sizeof f->cure,
			 "If it does not work there, \"openccid adopt %04x:%04x\" gives it to openccid.",
			 info->vid, info->pid);
		return DOCTOR_ILL;
	}
	snprintf(f->cause, sizeof f->cause,
		 "pcscd does not know this model, %04x:%04x, so it leaves the reader alone.", info->vid,
		 info->pid);
	snprintf(f->cure, sizeof f->cure, "As root: openccid adopt %04x:%04x.", info->vid, info->pid);
	return DOCTOR_ILL;
}

/* An administrator may want another driver for it. */
enum verdict doctor_left(struct patient *p, struct finding *f)
{
	const struct bundle *other = other_that_lists(&p->bundles);

	if (!quirk_override_leaves(p->view->override))
		return DOCTOR_FINE;
	if (other) {
		snprintf(f->cause, sizeof f->cause, "'leave = yes' in %s leaves it to %s", view_settings(),
			 other->name);
		return DOCTOR_FINE;
	}
	snprintf(f->cause, sizeof f->cause,
		 "'leave = yes' in %s leaves this reader to another driver, and pcscd has no other one for "
		 "it.",
		 view_settings());
	snprintf(f->cure, sizeof f->cure,
		 "Take that line out and plug the reader in again, or install the other driver and start "
		 "pcscd anew.");
	return DOCTOR_ILL;
}

/* Two bundles for one reader: pcscd takes one, and the other when that one fails. Worth a word only if the reader is not ours. */
enum verdict doctor_rivals(struct patient *p, struct finding *f)
{
	const struct bundle *other = other_that_lists(&p->bundles);

	if (!ours(&p->bundles, true) || !other || quirk_override_leaves(p->view->override))
		return DOCTOR_FINE;
	snprintf(f->cause, sizeof f->cause, "%s claims it, too; pcscd takes openccid first", other->name);
	return DOCTOR_FINE;
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

enum verdict doctor_running(struct patient *p, struct finding *f)
{
	if (p->pcsc->trouble == PCSC_NO_LIBRARY) {
		snprintf(f->cause, sizeof f->cause,
			 "libpcsclite, by which programs reach pcscd, is not installed.");
		snprintf(f->cure, sizeof f->cure,
			 "Install it: the package is called libpcsclite1 or pcsc-lite-libs.");
		return DOCTOR_ILL;
	}
	if (p->pcsc->trouble != PCSC_NOT_RUNNING)
		return DOCTOR_FINE;
	snprintf(f->cause, sizeof f->cause,
		 "pcscd, the program that all others use to reach smart cards, does not run.");
	snprintf(f->cure, sizeof f->cure,
		 "As root: systemctl enable --now pcscd.socket. If it ends at once, \"journalctl -u pcscd\" "
		 "says why.");
	return DOCTOR_ILL;
}

enum verdict doctor_admitted(struct patient *p, struct finding *f)
{
	if (p->pcsc->trouble == PCSC_FINE)
		return DOCTOR_FINE;
	if (p->pcsc->trouble == PCSC_DENIED) {
		snprintf(f->cause, sizeof f->cause,
			 "pcscd runs, but does not let you in: polkit, which decides about that, allows it "
			 "only to who sits at "
			 "the computer.");
		snprintf(f->cure, sizeof f->cure,
			 "Log in at the computer itself rather than by ssh, or have root allow it: a rule of "
			 "polkit for "
			 "org.debian.pcsc-lite.access_pcsc and access_card.");
		return DOCTOR_ILL;
	}
	if (p->pcsc->trouble != PCSC_OTHER)
		return DOCTOR_NOT_ASKED;
	snprintf(f->cause, sizeof f->cause, "pcscd does not answer as it should (code %08lX).",
		 (unsigned long)p->pcsc->code & 0xFFFFFFFFUL);
	snprintf(f->cure, sizeof f->cure,
		 "As root: systemctl restart pcscd. If that does not help, libpcsclite and pcscd may be of "
		 "different versions.");
	return DOCTOR_ILL;
}

enum verdict doctor_taken(struct patient *p, struct finding *f)
{
	if (p->pcsc->trouble != PCSC_FINE)
		return DOCTOR_NOT_ASKED;
	if (p->slot) {
		snprintf(f->cause, sizeof f->cause, "programs see it as \"%s\"", p->slot->name);
		return DOCTOR_FINE;
	}
	/* What was found already explains it. */
	if (p->ill)
		return DOCTOR_NOT_ASKED;
	snprintf(f->cause, sizeof f->cause, "pcscd runs and knows this model, but has not taken the reader.");
	snprintf(f->cure, sizeof f->cure,
		 "Plug the reader in again. If that does not help, start pcscd anew (systemctl restart pcscd "
		 "as root: it looks "
		 "for drivers only when it starts), and then look into its log: journalctl -u pcscd.");
	return DOCTOR_ILL;
}
