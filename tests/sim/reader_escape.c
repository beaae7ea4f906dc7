/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Escape commands, as far as the readers' users have told what they do. */
#include "reader_priv.h"

#include <stdio.h>
#include <string.h>

enum { VID_SCM = 0x04E6, VID_GEMALTO = 0x08E6, PROMPTS = 160 };

static void give(struct sim_reader *r, struct reply *reply, const uint8_t *bytes, size_t len)
{
	if (len)
		memcpy(r->scratch, bytes, len);
	reply->data = r->scratch;
	reply->len = len;
}

static void nothing(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	(void)cmd;
	give(r, reply, NULL, 0);
}

/* "The next Secure has a bare header": true for one command, and only with a card. */
static void announce(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	if (!sim_slot_active(cmd->slot)) {
		reply->error = ERR_MUTE;
		return;
	}
	r->announced = true;
	give(r, reply, NULL, 0);
}

/* Version, modes, protocols, input device (01 keypad), personality, slots, serial number */
static void scm_info(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	const uint8_t info[] = { (uint8_t)(r->id.bcd >> 8),
				 (uint8_t)r->id.bcd,
				 0x00,
				 0x03,
				 0x00,
				 0x03,
				 0x00,
				 r->class.pin_support ? 0x01 : 0x00,
				 0x00,
				 0x01,
				 0x00,
				 0x00,
				 0x00,
				 0x01 };

	(void)cmd;
	give(r, reply, info, sizeof info);
}

static void scm_device(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	const uint8_t usb_ccid[] = { 0x00, 0x01, 0x00, 0x00 };

	(void)cmd;
	give(r, reply, usb_ccid, sizeof usb_ccid);
}

/* Whether the firmware has the light: 00, or the host: 01 */
static void scm_set_led(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	r->led = cmd->data[1];
	give(r, reply, NULL, 0);
}

static void scm_led(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	(void)cmd;
	give(r, reply, &r->led, 1);
}

/* 21 bytes: display, conditions, features, limits of the PIN */
static void gemalto_features(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	uint8_t bytes[21] = { [0] = 2, [1] = 16, [3] = 2, [12] = 1, [13] = 4, [14] = 8 };

	(void)cmd;
	if (!r->class.pin_support)
		reply->error = ERR_UNSUPPORTED;
	give(r, reply, bytes, sizeof bytes);
}

static void gemalto_firmware(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	char text[32];
	const int n =
		snprintf(text, sizeof text, "GemTwRC-V%u.%02X", (unsigned)r->id.bcd >> 8, r->id.bcd & 0xFFu);

	(void)cmd;
	give(r, reply, (const uint8_t *)text, (size_t)n);
}

static void leave_emv(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	const uint8_t done = 0;

	(void)cmd;
	if (!r->emv)
		reply->error = ERR_UNSUPPORTED;
	r->emv = false;
	give(r, reply, &done, 1);
}

static const struct known {
	uint16_t vid, pid; /* 0: all of them */
	uint8_t bytes[8];
	size_t len, more; /* bytes behind them */
	void (*run)(struct sim_reader *r, const struct command *cmd, struct reply *reply);
} known[] = {
	{ VID_SCM, 0xE003, { 0x80, 0x02, 0x00 }, 3, 0, announce },
	{ VID_SCM, 0, { 0x1E }, 1, 0, scm_info },
	{ VID_SCM, 0, { 0x12 }, 1, 0, scm_device },
	{ VID_SCM, 0, { 0x51, 0x00 }, 2, 0, nothing },
	{ VID_SCM, 0, { 0x51, 0x01 }, 2, 0, nothing },
	{ VID_SCM, 0, { 0xB2, 0x00 }, 2, 0, scm_set_led },
	{ VID_SCM, 0, { 0xB2, 0x01 }, 2, 0, scm_set_led },
	{ VID_SCM, 0, { 0xB2, 0xFF }, 2, 0, scm_led },
	{ VID_GEMALTO, 0, { 0x6A }, 1, 0, gemalto_features },
	{ VID_GEMALTO, 0, { 0x02 }, 1, 0, gemalto_firmware },
	{ VID_GEMALTO, 0x3478, { 0xB2, 0xA0, 0x00, 0x4D, 0x4C }, 5, PROMPTS, nothing },
	{ VID_GEMALTO, 0x3478, { 0xB5, 0x00 }, 2, 0, nothing },
	{ 0, 0, { 0x1F, 0x01 }, 2, 0, leave_emv },
};

void sim_run_escape(struct sim_reader *r, const struct command *cmd, struct reply *reply)
{
	const struct sim_product product = sim_identity_habits(&r->id);

	r->announced = false;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		const struct known *k = &known[i];

		if ((k->vid && k->vid != product.vid) || (k->pid && k->pid != product.pid) ||
		    cmd->len != k->len + k->more || memcmp(cmd->data, k->bytes, k->len) != 0)
			continue;
		k->run(r, cmd, reply);
		return;
	}
	reply->error = ERR_UNSUPPORTED;
}
