/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of "openccid replay" share: the plan, the driver, and what is told and written down of them. */
#ifndef OPENCCID_TOOL_REPLAYING_H
#define OPENCCID_TOOL_REPLAYING_H

#include "tool/capture_file.h"
#include "tool/json.h"
#include "tool/perform.h"
#include "tool/player.h"
#include "tool/whatif.h"
#include "tool/words.h"

struct replaying;

/* One action that has been done. */
struct replay_told {
	struct words what, then, now; /* the action, how the captured driver fared, and today's */
	bool differs, good;
};

/* The two ways of showing it. */
struct replay_view {
	void (*begin)(struct replaying *r);
	void (*action)(struct replaying *r, const struct plan_action *a, const struct replay_told *told);
	void (*end)(struct replaying *r);
};

extern const struct replay_view replay_text, replay_json;

struct replaying {
	struct tool *tool;
	struct out *out;
	const struct replay_view *view;
	struct json json; /* of replay_json */
	struct capture_file file;
	bool secrets, verbose;
	struct plan *plan;
	struct identity identity;
	uint8_t descriptor[CCID_DESCRIPTOR_LEN]; /* made, where it is not known */
	bool made_descriptor, level_used;
	struct performer performer;
	struct whatif whatif;

	FILE *script;
	char *text;
	size_t text_len;
	unsigned different;
	bool bad;             /* the last thing that mattered did not go well */
	bool unreached;       /* the state before the capture */
	unsigned failed;      /* of all */
	char last[WORDS_MAX]; /* the last thing that failed */
	const char *saved;    /* the trace that was written; NULL: none */
};

static inline const struct traffic_reader *replaying_reader(const struct replaying *r)
{
	return traffic_reader(r->file.traffic, r->file.index);
}

/* The folder of the .reader files: OPENCCID_READERS, or the installed one. */
const char *replaying_readers(void);

/* What the driver knows of the reader: by its descriptor, its id, or a common kind that fits. False if it makes no sense. */
bool replaying_find_reader(struct replaying *r);

/* Tell of an action that has been done. */
void replaying_tell(struct replaying *r, const struct plan_action *a);

/* The script that becomes a trace: around the messages of one action. */
void replaying_put_do(struct replaying *r, const struct capture_step *step);
void replaying_put_expect(struct replaying *r);

/* Write it as a trace, and play that. */
enum tool_exit replaying_save(struct replaying *r, const char *path);

#endif
