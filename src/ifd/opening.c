/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd/opening.h"

#include "quirk/features.h"
#include "quirk/prompts.h"

enum {
	ESCAPE_MS = 1000,
	PROMPTS_MS = 3000, /* the reader writes them into its memory */
};

static const uint8_t features_query[] = { 0x6A };

static void take_features(void *arg, struct ccid_caps *caps, const uint8_t *bytes, size_t len)
{
	(void)arg;
	features_apply(bytes, len, caps);
}

/* A text: what cannot be printed is none of it. */
static void take_firmware(void *arg, struct ccid_caps *caps, const uint8_t *bytes, size_t len)
{
	char *text = arg;
	size_t n = 0;

	(void)caps;
	for (size_t i = 0; i < len && n + 1 < FIRMWARE_MAX; i++)
		if (bytes[i] >= ' ' && bytes[i] < 0x7F)
			text[n++] = (char)bytes[i];
	text[n] = '\0';
}

static void add(struct opening *o, struct open_step step)
{
	if (step.len)
		o->step[o->count++] = step;
}

void opening_plan(struct opening *o, const struct ccid_caps *caps, char firmware[FIRMWARE_MAX])
{
	const struct ccid_bytes *escape = &caps->open_escape, *name = &caps->firmware_escape;

	*o = (struct opening){ 0 };
	add(o, (struct open_step){ .bytes = escape->at, .len = escape->len, .wait_ms = ESCAPE_MS });
	add(o, (struct open_step){
		       .bytes = features_query,
		       .len = caps->ask_features ? sizeof features_query : 0,
		       .wait_ms = ESCAPE_MS,
		       .answer = take_features,
	       });
	add(o, (struct open_step){
		       .bytes = o->prompts,
		       .len = caps->load_prompts ? prompts_put(o->prompts, sizeof o->prompts) : 0,
		       .wait_ms = PROMPTS_MS,
	       });
	add(o, (struct open_step){
		       .bytes = name->at,
		       .len = name->len,
		       .wait_ms = ESCAPE_MS,
		       .answer = take_firmware,
		       .arg = firmware,
	       });
}
