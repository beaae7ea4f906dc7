/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quirk/override.h"

#include "base/span.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* In the order in which they are applied; the built-in table comes behind the first. */
enum layer { EVERY_READER, VENDOR, PRODUCT, ENTRY, LAYERS };

enum { ORIGIN = 64, SENTENCE = 512, ENTRY_MAX = 256, PATH = 4096 };

struct kept {
	enum layer layer;
	char origin[ORIGIN]; /* name of the file without its folder */
	struct quirk_rule rule;
};

struct quirk_override {
	uint16_t vid, pid;
	quirk_mistake mistake;
	void *arg;
	unsigned mistakes;
	unsigned entry; /* number of the entry that is read; 0: a file is */
	struct reader_settings settings;
	uint32_t leave_1[LAYERS]; /* as each of them says last; see struct reader_settings */
	struct kept *kept;
	size_t len, cap;
};

struct quirk_override *quirk_override_new(uint16_t vid, uint16_t pid, quirk_mistake mistake, void *arg)
{
	struct quirk_override *o = calloc(1, sizeof *o);

	if (o)
		*o = (struct quirk_override){ .vid = vid, .pid = pid, .mistake = mistake, .arg = arg };
	return o;
}

void quirk_override_free(struct quirk_override *o)
{
	if (o)
		free(o->kept);
	free(o);
}

const struct reader_settings *quirk_override_settings(const struct quirk_override *o)
{
	static const struct reader_settings none;

	return o ? &o->settings : &none;
}

/* ---- what the parser says --------------------------------------------------------------------------------- */

static void on_error(void *arg, const char *file, unsigned line, const char *sentence)
{
	struct quirk_override *o = arg;
	char text[SENTENCE];

	o->mistakes++;
	if (!o->mistake || o->mistakes > QUIRK_MISTAKES_MAX + 1)
		return;
	if (o->mistakes > QUIRK_MISTAKES_MAX)
		snprintf(text, sizeof text, "there are more mistakes in the settings, which are not shown");
	else if (o->entry)
		snprintf(text, sizeof text, "%.200s, entry %u: %s", file, o->entry, sentence);
	else if (line)
		snprintf(text, sizeof text, "%.200s:%u: %s", file, line, sentence);
	else
		snprintf(text, sizeof text, "%.200s: %s", file, sentence);
	o->mistake(o->arg, text);
}

static void keep_rule(struct quirk_override *o, enum layer layer, const char *file, unsigned line,
		      const struct quirk_rule *rule)
{
	const char *slash = strrchr(file, '/');
	struct kept *k;

	if (o->len == o->cap) {
		const size_t cap = o->cap ? 2 * o->cap : 8;
		struct kept *more = realloc(o->kept, cap * sizeof *more);

		if (!more) {
			on_error(o, file, line, "there is no memory left for this rule");
			return;
		}
		o->kept = more;
		o->cap = cap;
	}
	k = &o->kept[o->len++];
	*k = (struct kept){ .layer = layer, .rule = *rule };
	snprintf(k->origin, sizeof k->origin, "%s", slash ? slash + 1 : file);
}

static void take(uint32_t *setting, uint32_t stated)
{
	if (stated)
		*setting = stated;
}

static void take_path(char path[READER_PATH], const char *stated)
{
	if (stated[0])
		snprintf(path, READER_PATH, "%s", stated);
}

static bool is_meant(const struct quirk_override *o, const struct reader_section *s)
{
	if (s->scope == READER_EVERY)
		return true;
	return s->vid == o->vid && (s->scope == READER_VENDOR || s->pid == o->pid);
}

static void on_section(void *arg, const struct reader_section *s)
{
	static const enum layer layers[] = {
		[READER_EVERY] = EVERY_READER, [READER_VENDOR] = VENDOR, [READER_PRODUCT] = PRODUCT
	};
	struct quirk_override *o = arg;

	const enum layer layer = o->entry ? ENTRY : layers[s->scope];

	if (o->entry && !s->rules && !s->settings.leave_1)
		on_error(o, s->file, 0, "this key changes nothing for a reader");
	if (!is_meant(o, s))
		return;
	take(&o->settings.log_1, s->settings.log_1);
	take(&o->settings.voltage_1, s->settings.voltage_1);
	take(&o->settings.max_wait_s, s->settings.max_wait_s);
	take(&o->leave_1[layer], s->settings.leave_1);
	take_path(o->settings.capture, s->settings.capture);
	take_path(o->settings.recorder, s->settings.recorder);
	for (unsigned i = 0; i < s->rules; i++)
		keep_rule(o, layer, s->file, s->line, &s->rule[i]);
}

static struct reader_sink sink_of(struct quirk_override *o)
{
	return (struct reader_sink){ .section = on_section, .error = on_error, .arg = o };
}

/* ---- files ------------------------------------------------------------------------------------------------ */

void quirk_override_text(struct quirk_override *o, const char *file, const char *text, size_t len)
{
	const struct reader_sink sink = sink_of(o);

	if (o)
		reader_file_parse(file, text, len, READER_OVERRIDE, &sink);
}

static int is_reader_file(const struct dirent *entry)
{
	static const char suffix[] = ".reader";
	const size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > sizeof suffix - 1 &&
	       strcmp(entry->d_name + len - (sizeof suffix - 1), suffix) == 0;
}

/* By bytes: alphasort() depends on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Only a file: a pipe or a device could keep the reader waiting for ever. */
static void read_file(struct quirk_override *o, const char *folder, const char *name)
{
	const struct reader_sink sink = sink_of(o);
	char path[PATH];
	struct stat st;
	const int n = snprintf(path, sizeof path, "%s/%s", folder, name);

	if (n < 0 || (size_t)n >= sizeof path || stat(path, &st) != 0)
		on_error(o, path, 0, "cannot be read");
	else if (!S_ISREG(st.st_mode))
		on_error(o, path, 0, "is no file; remove it or give it another name");
	else
		reader_file_load(path, READER_OVERRIDE, &sink);
}

void quirk_override_folder(struct quirk_override *o, const char *folder)
{
	struct dirent **names = NULL;
	const int n = o ? scandir(folder, &names, is_reader_file, by_name) : 0;

	if (n < 0 && errno != ENOENT) {
		char sentence[128];

		snprintf(sentence, sizeof sentence, "cannot be read: %s", strerror(errno));
		on_error(o, folder, 0, sentence);
	}
	for (int i = 0; i < n; i++) {
		read_file(o, folder, names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

/* ---- entries ---------------------------------------------------------------------------------------------- */

static bool is_id(struct span s)
{
	uint32_t value;

	return span_hex(s, 4, &value);
}

/* A word of letters before the value, so that no entry can be more than one line of a section. */
static bool is_assignment(struct span s)
{
	const struct span key = span_trim((struct span){ s.at, span_until(s, '=') });

	for (size_t i = 0; i < key.len; i++)
		if (key.at[i] != '-' && (key.at[i] < 'a' || key.at[i] > 'z'))
			return false;
	return key.len && span_until(s, '\n') == s.len;
}

/* An entry is a section of one line. */
static void read_entry(struct quirk_override *o, struct span entry)
{
	char text[ENTRY_MAX + 32];
	struct span rest = entry;
	const struct span vid = span_take(&rest, span_until(rest, ':'));
	struct span pid;

	span_take(&rest, 1);
	pid = span_take(&rest, span_until(rest, ':'));
	span_take(&rest, 1);
	if (entry.len > ENTRY_MAX || !is_assignment(rest) || !is_id(vid) ||
	    !(is_id(pid) || span_is(pid, "*"))) {
		on_error(
			o, QUIRK_ENTRIES, 0,
			"write vid:pid:key=value, such as 04e6:e003:pin-max=12, with commas between entries");
		return;
	}
	snprintf(text, sizeof text, "[%.*s:%.*s]\n%.*s%s\n", SPAN_ARG(vid), SPAN_ARG(pid), SPAN_ARG(rest),
		 span_until(rest, '=') < rest.len ? "" : " = yes");
	quirk_override_text(o, QUIRK_ENTRIES, text, strlen(text));
}

void quirk_override_entries(struct quirk_override *o, const char *entries)
{
	struct span rest = { entries, o && entries ? strlen(entries) : 0 };

	for (unsigned number = 1; rest.len; number++) {
		const struct span entry = span_trim(span_take(&rest, span_until(rest, ',')));

		span_take(&rest, 1);
		o->entry = number;
		if (entry.len)
			read_entry(o, entry);
		o->entry = 0;
	}
}

bool quirk_override_leaves(const struct quirk_override *o)
{
	uint32_t leave_1 = 0;

	for (enum layer layer = EVERY_READER; o && layer < LAYERS; layer++)
		take(&leave_1, o->leave_1[layer]);
	return leave_1 == 2;
}

/* ---- applying --------------------------------------------------------------------------------------------- */

/* Add a name to a list, unless it is the last one there. */
static void name_origin(const char *origin, char *from, size_t cap)
{
	const size_t used = strlen(from);
	const size_t own = strlen(origin);

	if (used >= own && strcmp(from + used - own, origin) == 0)
		return;
	snprintf(from + used, cap - used, "%s%s", used ? ", " : "", origin);
}

static size_t apply_layer(const struct quirk_override *o, enum layer layer, const struct quirk_facts *facts,
			  struct ccid_caps *caps, char *from, size_t cap)
{
	size_t held = 0;

	for (size_t i = 0; o && i < o->len; i++) {
		if (o->kept[i].layer != layer || !quirk_apply_rules(&o->kept[i].rule, 1, facts, caps))
			continue;
		name_origin(o->kept[i].origin, from, cap);
		held++;
	}
	return held;
}

size_t quirk_override_apply(const struct quirk_override *o, uint16_t vid, uint16_t pid,
			    const struct quirk_facts *facts, struct ccid_caps *caps, char *from, size_t cap)
{
	size_t held;

	from[0] = '\0';
	held = apply_layer(o, EVERY_READER, facts, caps, from, cap);
	quirk_apply(vid, pid, facts, caps);
	for (enum layer layer = VENDOR; layer < LAYERS; layer++)
		held += apply_layer(o, layer, facts, caps, from, cap);
	return held;
}
