/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "identity.h"

#include <string.h>

void sim_identity_default(struct sim_identity *out)
{
	*out = (struct sim_identity){
		.vid = 0x04E6,
		.pid = 0x5116,
		.bcd = 0x0523,
		.manufacturer = "SCM Microsystems Inc.",
		.product = "SCR3310 USB Smart Card Reader",
		.class = { 0x0B, 0x00, 0x00 },
		.endpoints = 3,
		.descriptor = { 0x36, 0x21, 0x10, 0x01, 0x00, 0x01, 0x03, 0x00, 0x00, 0x00, 0xA0,
				0x0F, 0x00, 0x00, 0x40, 0x1F, 0x00, 0x00, 0x00, 0x01, 0x2A, 0x00,
				0x00, 0x29, 0x40, 0x05, 0x00, 0x00, 0xFC, 0x00, 0x00, 0x00, 0x00,
				0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xBA, 0x00, 0x01, 0x00,
				0x0F, 0x01, 0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x01 },
	};
}

struct sim_product sim_identity_habits(const struct sim_identity *id)
{
	return id->habits.vid ? id->habits : (struct sim_product){ id->vid, id->pid, id->bcd };
}

int sim_identity_set_habits(struct sim_identity *id, const char *text)
{
	enum { NOBODY = 0xFFFF };
	unsigned vid, pid, bcd = id->bcd;
	int end = 0, end_bcd = 0;

	if (strcmp(text, "none") == 0) {
		id->habits = (struct sim_product){ NOBODY, NOBODY, id->bcd };
		return 0;
	}
	if (sscanf(text, "%4x:%4x%n@%4x%n", &vid, &pid, &end, &bcd, &end_bcd) < 2 || !vid ||
	    text[end_bcd ? end_bcd : end])
		return -1;
	id->habits = (struct sim_product){ (uint16_t)vid, (uint16_t)pid, (uint16_t)bcd };
	return 0;
}
