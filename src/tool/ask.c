/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/ask.h"

#include "ccid/iccd.h"
#include "slot/reader.h"

#include <stdio.h>
#include <string.h>

static void keep_line(void *arg, enum oc_log_level level, const char *line)
{
	struct ask_answer *answer = arg;

	(void)level;
	snprintf(answer->line, sizeof answer->line, "%s", line);
}

static enum oc_err open_transport(const struct view *view, const struct oc_log *log, struct transport **out)
{
	const struct usb_info *wanted = &view->info;
	struct usb_info info;
	struct transport *token;
	char name[128];
	enum oc_err err;

	snprintf(name, sizeof name, "usb:%04x/%04x:libudev:%u:%s", wanted->vid, wanted->pid,
		 wanted->interface, view->node);
	err = usb_open(name, log, learn_is_reader, &info, out);
	if (err != OC_OK || !learn_is_iccd(&info))
		return err;
	err = iccd_wrap(*out, (enum iccd_version)info.protocol, info.interface, &token);
	if (err == OC_OK)
		*out = token;
	else
		(*out)->ops->close(*out);
	return err;
}

static struct reader *open_reader(const struct view *view, const struct oc_log *log,
				  struct ask_answer *answer)
{
	struct reader_setup setup = {
		.log = log,
		.caps = view->learned.caps,
		.interface = view->info.interface,
		.interrupt = false, /* nobody listens here */
	};
	struct reader *reader = NULL;

	answer->err = view->err;
	if (answer->err == OC_OK)
		answer->err = open_transport(view, log, &setup.transport);
	if (answer->err != OC_OK)
		return NULL;
	usb_pace(setup.transport, setup.caps.write_pause_ms);
	answer->err = reader_open(&setup, &reader);
	if (answer->err != OC_OK)
		setup.transport->ops->close(setup.transport);
	return answer->err == OC_OK ? reader : NULL;
}

static void look(struct reader *reader, struct ask_answer *answer)
{
	struct slot *slot;

	while (answer->slots < ASK_SLOTS && (slot = reader_slot(reader, answer->slots)) != NULL)
		if (slot_presence(slot, &answer->present[answer->slots++]) != OC_OK)
			answer->present[answer->slots - 1] = false;
}

/* The first protocol that the card offers, as the driver would choose it. */
static enum oc_err try_protocol(struct slot *slot, const struct ask_answer *answer)
{
	struct atr atr;

	if (atr_decode(answer->atr, answer->atr_len, &atr) != OC_OK)
		return OC_E_ATR;
	return slot_set_protocol(slot, atr.first_protocol == 1 ? CCID_PROTOCOL_T1 : CCID_PROTOCOL_T0, NULL);
}

static void try_card(struct reader *reader, struct ask_answer *answer)
{
	struct slot *slot;

	answer->card = OC_E_NO_CARD;
	for (answer->slot = 0; answer->slot < answer->slots && !answer->present[answer->slot];)
		answer->slot++;
	slot = answer->slot < answer->slots ? reader_slot(reader, answer->slot) : NULL;
	if (!slot)
		return;
	answer->card = slot_power_up(slot, answer->atr, &answer->atr_len);
	if (answer->card == OC_OK)
		answer->card = try_protocol(slot, answer);
	slot_power_down(slot);
}

static void ask(const struct view *view, struct ask_answer *answer, bool card)
{
	const struct oc_log log = { .mask = OC_LOG_CRITICAL, .write = keep_line, .arg = answer };
	struct reader *reader;

	*answer = (struct ask_answer){ .err = OC_OK };
	reader = open_reader(view, &log, answer);
	if (!reader)
		return;
	look(reader, answer);
	if (card)
		try_card(reader, answer);
	reader_close(reader);
}

void ask_presence(const struct view *view, struct ask_answer *answer)
{
	ask(view, answer, false);
}

void ask_card(const struct view *view, struct ask_answer *answer)
{
	ask(view, answer, true);
}
