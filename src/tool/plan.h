/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What must have been asked of the captured driver, so that today's driver can be asked the same: messages in, actions of an
 * application out. Held in memory; long captures are refused.
 */
#ifndef OPENCCID_TOOL_PLAN_H
#define OPENCCID_TOOL_PLAN_H

#include "replay/capture.h"
#include "traffic/event.h"

enum {
	PLAN_ITEMS_MAX = 100000,
	PLAN_BYTES_MAX = 64 << 20,
};

/* One event, kept. */
struct plan_item {
	enum event_kind kind;
	unsigned long place;
	uint64_t us; /* since the item before */
	bool timed;
	uint8_t *bytes;
	size_t len;
	bool whole; /* none of it is missing */
};

/* One action, and the items that belong to it: the messages that the captured driver needed for it. */
struct plan_action {
	struct capture_step step; /* CAPTURE_DO */
	size_t first, end;
	unsigned long place;
	bool made; /* nobody saw it; it is what comes before, or what pcscd does next */
};

struct plan {
	struct plan_item *item;
	size_t items, bytes;
	uint64_t last_us;
	bool too_long, incomplete; /* payloads are missing */

	struct plan_action *action;
	size_t actions;
	struct plan_action before[CAPTURE_BEFORE_MAX];
	unsigned befores;
	uint8_t atr[33]; /* of the card, as captured, or a made one that fits */
	size_t atr_len;
	bool atr_made;
	uint8_t *pool; /* bytes of the actions */
	size_t pooled, pool_size;
};

struct plan *plan_new(void);

/* A traffic_sink; @arg is the plan. */
void plan_take(void *arg, const struct event *event);

/* After the last event: find the actions. False without memory. */
bool plan_settle(struct plan *plan, const struct ccid_caps *caps);

void plan_free(struct plan *plan);

/* Does the host see procedure bytes? */
bool plan_is_character_level(const struct plan *plan);

/* Does the driver send this Escape command by itself before it asks for a PIN? */
bool plan_is_pin_escape(const struct ccid_caps *caps, const uint8_t *bytes, size_t len);

/* ---- for plan.c and plan_card.c ---------------------------------------------------------------------------------- */

struct t1_block;

/* Add @bytes to those of the action that is being built, @b. */
void plan_put(struct plan *p, struct capture_bytes *b, const uint8_t *bytes, size_t len);

/* bMessageType of a command; 0 for any other item. */
uint8_t plan_type(const struct plan *plan, size_t item);

/* The next thing that is sent or asked for. */
size_t plan_next(const struct plan *plan, size_t item);

/* Is it an XfrBlock with a T=1 block? */
bool plan_block(const struct plan *plan, size_t item, struct t1_block *block);

/* The structure of PC/SC part 10 that becomes this payload of PC_to_RDR_Secure. */
void plan_put_structure(struct plan *plan, struct capture_bytes *out, const uint8_t *payload, size_t len,
			const struct ccid_caps *caps);

/* The state that the fragment begins in. */
void plan_find_before(struct plan *plan, const struct ccid_caps *caps);

#endif
