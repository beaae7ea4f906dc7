/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/perform.h"

#include <stdio.h>

static void fault(struct performer *p, const struct capture_step *step, const char *sentence)
{
	p->fault(p->arg, step, sentence);
}

static struct slot *slot_of(struct performer *p)
{
	return reader_slot(p->reader, 0);
}

static uint64_t now(struct performer *p)
{
	return p->setup.transport->ops->now(p->setup.transport);
}

typedef enum oc_err command_call(struct slot *slot, const uint8_t *tx, size_t tx_len, uint8_t *rx,
				 size_t *rx_len);

static void do_command(struct performer *p, const struct capture_step *step, command_call *call)
{
	struct result *r = &p->result;
	char sentence[128];

	r->len = sizeof r->bytes;
	if (step->number != CAPTURE_ROOM_PLENTY && step->number < r->len)
		r->len = step->number;
	r->err = call(slot_of(p), step->bytes.value, step->bytes.len, r->bytes, &r->len);
	r->end = CAPTURE_END_BYTES;
	if (r->err != OC_OK && r->len != 0) {
		snprintf(sentence, sizeof sentence, "the call failed (%s) and yet left %zu bytes of answer",
			 capture_result_word(r->err), r->len);
		fault(p, step, sentence);
	}
	if (r->err == OC_OK && r->len < 2 && step->action == CAPTURE_TRANSMIT)
		fault(p, step, "the command is said to have been done, and yet there is no SW1 SW2");
}

/* What an application does with VERIFY_PIN_DIRECT and MODIFY_PIN_DIRECT. */
static enum oc_err enter_pin(struct slot *slot, const struct capture_step *step, const struct ccid_caps *caps,
			     uint8_t *rx, size_t *rx_len)
{
	const enum pin_operation operation = step->action == CAPTURE_MODIFY ? PIN_MODIFY : PIN_VERIFY;
	struct pin_request request;
	const char *why;
	const size_t cap = *rx_len;
	enum oc_err err;

	*rx_len = 0;
	err = pin_request_parse(operation, step->bytes.value, step->bytes.len, caps, &request, &why);
	if (err != OC_OK)
		return err;
	*rx_len = cap;
	return slot_pin(slot, &request, rx, rx_len);
}

static void do_pin(struct performer *p, const struct capture_step *step)
{
	struct result *r = &p->result;

	r->len = sizeof r->bytes;
	r->err = enter_pin(slot_of(p), step, reader_caps(p->reader), r->bytes, &r->len);
	r->end = CAPTURE_END_BYTES;
}

static void do_power_up(struct performer *p)
{
	struct result *r = &p->result;

	r->err = slot_power_up(slot_of(p), r->bytes, &r->len);
	r->end = CAPTURE_END_BYTES;
}

static void do_presence(struct performer *p)
{
	bool present = false;

	p->result.err = slot_presence(slot_of(p), &present);
	p->result.end = present ? CAPTURE_END_PRESENT : CAPTURE_END_ABSENT;
}

static void do_wait(struct performer *p, const struct capture_step *step)
{
	const uint64_t before = now(p);
	const uint32_t ms = step->number;

	if (!slot_has_events(slot_of(p)))
		fault(p, step, "this reader has no interrupt endpoint to wait for");
	p->result.err = slot_wait_event(slot_of(p), ms);
	p->result.end = now(p) - before < ms ? CAPTURE_END_EVENT : CAPTURE_END_QUIET;
}

static void do_protocol(struct performer *p, const struct capture_step *step)
{
	p->result.err = slot_set_protocol(slot_of(p), (enum ccid_protocol)step->number, NULL);
}

void perform(struct performer *p, const struct capture_step *step)
{
	struct result *r = &p->result;

	r->len = 0;
	r->end = CAPTURE_END_PLAIN;
	if ((step->action == CAPTURE_OPEN) == (p->reader != NULL)) {
		fault(p, step,
		      p->reader ? "the reader is open already; \"open\" comes once, and first"
				: "the reader is not open yet; \"open\" comes once, and first");
		return;
	}
	switch (step->action) {
	case CAPTURE_OPEN: r->err = reader_open(&p->setup, &p->reader); break;
	case CAPTURE_POWER_UP: do_power_up(p); break;
	case CAPTURE_POWER_DOWN: r->err = slot_power_down(slot_of(p)); break;
	case CAPTURE_PROTOCOL: do_protocol(p, step); break;
	case CAPTURE_TRANSMIT: do_command(p, step, slot_transmit); break;
	case CAPTURE_ESCAPE: do_command(p, step, slot_escape); break;
	case CAPTURE_VERIFY:
	case CAPTURE_MODIFY: do_pin(p, step); break;
	case CAPTURE_PRESENCE: do_presence(p); break;
	case CAPTURE_WAIT_EVENT: do_wait(p, step); break;
	}
}
