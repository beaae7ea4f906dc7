/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every effect of a .reader file that does not concern PIN entry or what applications may ask for: see effects.h. */
#include "effects.h"

#include "ifd/opening.h"
#include "quirk/prompts.h"

#include <stdio.h>

enum { PASS_MS = 11000, WAIT_MS = 20000 };

/* Acts below the message layer: tests/sim/pace_check.c shows the packets. */
static const char *const elsewhere[] = { "write-pause", "escape",      "escape-allowed",
					 "mct",         "reader-info", "fixed-in" };

static const char *key_name(unsigned key)
{
	static const char *const names[] = {
#define X(id, name, kind, low, high, member) name,
		QUIRK_KEYS(X)
#undef X
	};
	return names[key];
}

static bool has_row(unsigned key)
{
	for (size_t i = 0; i < effects_open_len; i++)
		if (effects_open[i].key == key)
			return true;
	for (size_t i = 0; i < effects_card_len; i++)
		if (effects_card[i].key == key)
			return true;
	return false;
}

static void every_effect_has_a_row(void **state)
{
	(void)state;
	for (unsigned key = 0; key < QUIRK_KEY_COUNT; key++) {
		bool other = strncmp(key_name(key), "pin", 3) == 0;

		for (size_t i = 0; i < COUNT(elsewhere); i++)
			other |= strcmp(key_name(key), elsewhere[i]) == 0;
		CHECK(key_name(key), other != has_row(key));
	}
	check_done();
}

/* The effect comes about as it does in the driver: by a rule. */
static void apply(const struct effect_row *row, struct ccid_caps *caps)
{
	const struct quirk_rule rule = {
		.effects = 1,
		.effect = { { .key = (uint8_t)row->key, .value = row->value, .bytes = row->bytes } },
	};
	const struct quirk_facts facts = { .product = "" };

	quirk_apply_rules(&rule, 1, &facts, caps);
}

static void prepare(const struct effect_row *row, bool with, struct slot_bench *b)
{
	struct ccid_caps *caps = &b->setup.caps;

	slot_bench_begin(b);
	caps->features = row->features ? row->features : 0x000100BA;
	caps->level = row->level_given ? row->level : CCID_TPDU;
	caps->max_message = row->max_message ? row->max_message : caps->max_message;
	caps->slots = row->slots ? row->slots : caps->slots;
	b->setup.interrupt = row->interrupt;
	if (row->more)
		row->more(caps);
	if (with)
		apply(row, caps);
	quirk_settle(caps);
}

static void notify(struct slot_bench *b, uint8_t bits)
{
	script_event(&b->script, (const uint8_t[]){ 0x50, bits }, 2);
	CHECK_INT("an event", slot_wait_event(b->slot, WAIT_MS), OC_OK);
}

static enum oc_err look(const char *name, struct slot *slot, bool want)
{
	bool present = !want;
	const enum oc_err err = slot_presence(slot, &present);

	CHECK_INT(name, present, want);
	return err;
}

static enum oc_err transmit(struct slot *slot, const uint8_t *tx, size_t len)
{
	uint8_t rx[258];
	size_t rx_len = sizeof rx;

	return slot_transmit(slot, tx, len, rx, &rx_len);
}

static enum oc_err power_up(struct slot *slot)
{
	uint8_t atr[ATR_MAX];
	size_t len;

	return slot ? slot_power_up(slot, atr, &len) : OC_E_NAME;
}

static enum oc_err call(const char *name, struct slot_bench *b, char what)
{
	static const uint8_t write[5 + 255] = { 0x00, 0xD6, 0x00, 0x00, 0xFF };
	struct slot *other = reader_slot(b->reader, 1);
	struct transport *t = &b->script.transport;

	switch (what) {
	case 'P': return power_up(b->slot);
	case 'Q': return power_up(other);
	case '0': return slot_set_protocol(b->slot, CCID_PROTOCOL_T0, NULL);
	case '1': return slot_set_protocol(b->slot, CCID_PROTOCOL_T1, NULL);
	case '2': return slot_set_protocol(other, CCID_PROTOCOL_T0, NULL);
	case 'A': return transmit(b->slot, BYTES(0x00, 0xB0, 0x00, 0x00, 0x02));
	case 'F': return transmit(b->slot, BYTES(0x00, 0xB0, 0x00, 0x00, 0x36));
	case 'C': return transmit(b->slot, BYTES(0x00, 0xA4, 0x00, 0x00, 0x02, 0x3F, 0x00, 0x02));
	case 'W': return transmit(b->slot, write, sizeof write);
	case '?': return look(name, b->slot, true);
	case '-': return look(name, b->slot, false);
	case 'r': notify(b, 0x02); return OC_OK;
	case 'i': notify(b, 0x03); return OC_OK;
	case 'e': CHECK(name, slot_has_events(b->slot)); return OC_OK;
	case 'n': CHECK(name, !slot_has_events(b->slot)); return OC_OK;
	case 'z': return slot_wait_event(b->slot, 0);
	case 't': t->ops->pause(t, PASS_MS); return OC_OK;
	default: fail_msg("no such call: %c", what); return OC_OK;
	}
}

static void make_calls(const char *row, const struct effect_talk *talk, struct slot_bench *b)
{
	unsigned errors = 0;

	for (const char *at = talk->calls; *at; at++) {
		const bool fails = at[1] == '!';
		char name[160];

		snprintf(name, sizeof name, "%s (call %zu of %s)", row, (size_t)(at - talk->calls) + 1,
			 talk->calls);
		CHECK_INT(name, call(name, b, *at), fails ? talk->err[errors++] : OC_OK);
		at += fails;
	}
}

static void play(const struct effect_row *row, bool with)
{
	const struct effect_talk *talk = with ? &row->with : &row->without;
	char firmware[FIRMWARE_MAX] = "", name[120];
	struct opening opening;
	struct slot_bench b;

	snprintf(name, sizeof name, "%s, %s", row->name, with ? "with it" : "without");
	prepare(row, with, &b);
	opening_plan(&opening, &b.setup.caps, firmware);
	b.setup.steps = opening.step;
	b.setup.step_count = opening.count;
	b.script.step = talk->steps;
	CHECK_INT(name, reader_open(&b.setup, &b.reader), talk->open);
	CHECK_STRING(name, firmware, talk->firmware ? talk->firmware : "");
	if (b.reader) {
		b.slot = reader_slot(b.reader, 0);
		CHECK_INT(name, reader_caps(b.reader)->lcd_lines << 8 | reader_caps(b.reader)->lcd_columns,
			  talk->lcd);
		make_calls(name, talk, &b);
	}
	if (row->timed)
		CHECK_INT(name, b.script.clock, talk->ms);
	if (b.reader)
		slot_bench_end(name, &b);
	else
		SCRIPT_END(name, &b.script);
}

static void play_all(const struct effect_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		play(&rows[i], false);
		play(&rows[i], true);
	}
	check_done();
}

static void on_opening_power_and_presence(void **state)
{
	(void)state;
	play_all(effects_open, effects_open_len);
}

static void on_the_way_to_the_card(void **state)
{
	(void)state;
	play_all(effects_card, effects_card_len);
}

/* A step sees the answer, and what it makes of it is what the reader works with from then on. */
static void take_ifsd(void *arg, struct ccid_caps *caps, const uint8_t *bytes, size_t len)
{
	*(size_t *)arg = len;
	caps->max_ifsd = bytes[0];
}

static void the_answer_to_a_step(void **state)
{
	static const uint8_t escape[] = { 0x6A };
	size_t seen = 0;
	const struct open_step step = { escape, sizeof escape, 1000, take_ifsd, &seen };
	struct slot_bench b;

	(void)state;
	slot_bench_begin(&b);
	b.setup.steps = &step;
	b.setup.step_count = 1;
	b.script.step = STEPS(FOUND, ESCAPE_SENT(1, 0x6A), GIVES(0x83, 1, 0, 0, 0, 0, 0, 0x01, 0, 0, 0x30));
	CHECK_INT("answered", reader_open(&b.setup, &b.reader), OC_OK);
	CHECK_INT("answered", seen, 1);
	CHECK_INT("answered", reader_caps(b.reader)->max_ifsd, 0x30);
	slot_bench_end("answered", &b);
	check_done();
}

static int put_prompts_into_a_message(void **state)
{
	(void)state;
	effects_prompts[0] = 0x6B;
	effects_prompts[1] = PROMPTS_MESSAGE - 10;
	return prompts_put(effects_prompts + 10, PROMPTS_MESSAGE - 10) == PROMPTS_MESSAGE - 10 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_effect_has_a_row),
		cmocka_unit_test(on_opening_power_and_presence),
		cmocka_unit_test(on_the_way_to_the_card),
		cmocka_unit_test(the_answer_to_a_step),
	};

	return cmocka_run_group_tests(tests, put_prompts_into_a_message, NULL);
}
