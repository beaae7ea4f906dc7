/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does the unit of systemd that pcscd runs in keep it from USB? Everybody may ask. */
#include "tool/doctor.h"

#include <stdio.h>
#include <string.h>

#define SHOW                                                              \
	"LD_PRELOAD= systemctl show pcscd.service "                       \
	"--property=ActiveState,PrivateDevices,DevicePolicy,DeviceAllow," \
	"RestrictAddressFamilies 2>/dev/null"

/* What systemctl says, a property a line. */
struct unit {
	char active[32], private_devices[8], policy[16], allowed[512], families[256];
};

static void take_line(struct unit *u, char *line)
{
	const struct {
		const char *name;
		char *value;
		size_t cap;
	} rows[] = {
		{ "ActiveState", u->active, sizeof u->active },
		{ "PrivateDevices", u->private_devices, sizeof u->private_devices },
		{ "DevicePolicy", u->policy, sizeof u->policy },
		{ "DeviceAllow", u->allowed, sizeof u->allowed },
		{ "RestrictAddressFamilies", u->families, sizeof u->families },
	};
	char *equals = strchr(line, '=');

	if (!equals)
		return;
	*equals = '\0';
	equals[1 + strcspn(equals + 1, "\n")] = '\0';
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(line, rows[i].name) == 0)
			snprintf(rows[i].value, rows[i].cap, "%s", equals + 1);
}

/* False where there is no systemd, or pcscd is none of its units. */
static bool ask_systemd(struct unit *u)
{
	char line[1024];
	/* NOLINTNEXTLINE(cert-env33-c): nothing that others say is in it */
	FILE *pipe = popen(SHOW, "re");

	*u = (struct unit){ .active = "" };
	while (pipe && fgets(line, sizeof line, pipe))
		take_line(u, line);
	if (pipe)
		pclose(pipe);
	return strcmp(u->active, "active") == 0;
}

/* "AF_UNIX AF_NETLINK", or "~AF_INET" for all but that */
static bool hears_udev(const char *families)
{
	const bool named = strstr(families, "AF_NETLINK") != NULL;

	return families[0] == '\0' || named == (families[0] != '~');
}

/* What forbids it, and what allows it; NULL: nothing does. */
static const char *forbids(const struct unit *u, const char **allow)
{
	const bool listed = strstr(u->allowed, "char-usb_device") || strstr(u->allowed, "/dev/bus/usb") ||
			    strstr(u->allowed, "char-*");

	*allow = "PrivateDevices=no";
	if (strcmp(u->private_devices, "yes") == 0)
		return "PrivateDevices=yes: it sees no device";
	*allow = "DeviceAllow=char-usb_device rw";
	if ((strcmp(u->policy, "closed") == 0 || strcmp(u->policy, "strict") == 0) && !listed)
		return "DevicePolicy, without a DeviceAllow for USB: it may open no reader";
	*allow = "RestrictAddressFamilies=AF_UNIX AF_NETLINK";
	if (!hears_udev(u->families))
		return "RestrictAddressFamilies, without AF_NETLINK: it does not hear what is plugged in";
	return NULL;
}

enum verdict doctor_unit(struct patient *p, struct finding *f)
{
	const char *why, *allow;
	struct unit u;

	if (p->slot)
		return DOCTOR_FINE;
	if (!p->pcscd_runs || !ask_systemd(&u))
		return DOCTOR_NOT_ASKED;
	why = forbids(&u, &allow);
	if (!why)
		return DOCTOR_FINE;
	snprintf(f->cause, sizeof f->cause, "pcscd is locked up: its unit of systemd says %s.", why);
	snprintf(f->cure, sizeof f->cure,
		 "As root: systemctl edit pcscd.service, write a line [Service] and below it %s, then "
		 "systemctl restart pcscd.",
		 allow);
	return DOCTOR_ILL;
}
