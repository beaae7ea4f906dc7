/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/source.h"

#include "base/span.h"
#include "quirk/reader_file.h"
#include "traffic/traffic.h"
#include "usb/attached.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20, CLASS_SMART_CARD = 0x0B };

bool source_ids(const char *words, uint16_t *vid, uint16_t *pid)
{
	unsigned v, p;
	char end;

	if (strlen(words) != 9 || strspn(words, "0123456789abcdefABCDEF:") != 9)
		return false;
	/* NOLINTNEXTLINE(cert-err34-c): a number that short always fits */
	if (sscanf(words, "%4x:%4x%c", &v, &p, &end) != 2)
		return false;
	*vid = (uint16_t)v;
	*pid = (uint16_t)p;
	return true;
}

/* ---- .reader files ----------------------------------------------------------------------------------------------- */

struct collect {
	struct tool *tool;
	struct views *views;
	bool any;          /* every product of the file */
	uint16_t vid, pid; /* or this one */
	unsigned errors;
};

static void take_interface(struct views *views, const struct reader_section *s,
			   const struct reader_interface *i)
{
	const struct reader_unit *unit = &s->unit[i->unit];
	struct view *view = views_add(views);

	if (!view)
		return;
	view->info = (struct usb_info){
		.vid = s->vid,
		.pid = s->pid,
		.bcd_device = unit->bcd_device,
		.interface = i->number,
		.class = i->triple[0],
		.subclass = i->triple[1],
		.protocol = i->triple[2],
		.bulk = i->endpoints >= 2,
		.interrupt = i->endpoints & 1,
		.extra_len = sizeof i->descriptor,
	};
	memcpy(view->info.extra, i->descriptor, sizeof i->descriptor);
	snprintf(view->manufacturer, sizeof view->manufacturer, "%s", unit->manufacturer);
	snprintf(view->product, sizeof view->product, "%s", unit->product);
	snprintf(view->interface_name, sizeof view->interface_name, "%s", i->name);
}

static void on_section(void *arg, const struct reader_section *s)
{
	struct collect *c = arg;

	if (s->scope != READER_PRODUCT || (!c->any && (s->vid != c->vid || s->pid != c->pid)))
		return;
	for (unsigned i = 0; i < s->interfaces; i++)
		take_interface(c->views, s, &s->interface[i]);
}

static void on_error(void *arg, const char *file, unsigned line, const char *sentence)
{
	struct collect *c = arg;

	c->errors++;
	tool_complain(c->tool, TOOL_CANNOT, "%s:%u: %s", file, line, sentence);
}

/* The file of a vendor begins with its id. */
static bool list_file(uint16_t vid, char *path, size_t cap)
{
	const char *folder = getenv("OPENCCID_READERS");
	const struct dirent *entry;
	char begin[8];
	bool found = false;
	DIR *dir;

	if (!folder)
		folder = OPENCCID_DATA_DIR "/readers";
	snprintf(begin, sizeof begin, "%04x-", vid);
	dir = opendir(folder);
	while (dir && !found && (entry = readdir(dir))) {
		found = strncmp(entry->d_name, begin, 5) == 0;
		if (found)
			snprintf(path, cap, "%s/%s", folder, entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

enum tool_exit source_list(struct tool *tool, const char *ids, struct views *views)
{
	struct collect c = { .tool = tool, .views = views };
	const struct reader_sink sink = { .section = on_section, .error = on_error, .arg = &c };
	char path[1024];

	source_ids(ids, &c.vid, &c.pid);
	if (list_file(c.vid, path, sizeof path))
		reader_file_load(path, READER_DATABASE, &sink);
	if (views->count || c.errors)
		return c.errors ? TOOL_CANNOT : TOOL_FINE;
	return tool_complain(tool, TOOL_CANNOT, "%s is neither plugged in nor in the list of readers", ids);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

/* Hexadecimal text with blanks, commas, "0x" and comments behind '#'. The bytes end up where the text was; false: @bad is what is none. */
static bool hex_bytes(char *text, size_t *len, struct span *bad)
{
	struct span rest = { text, *len };
	size_t n = 0;

	while (rest.len) {
		struct span line = span_take(&rest, span_until(rest, '\n'));

		span_take(&rest, 1);
		line.len = span_until((struct span){ line.at, span_until(line, '#') }, '\r');
		for (struct span word = span_word(&line, ','); word.len; word = span_word(&line, ',')) {
			uint32_t byte;

			if (word.len > 2 && word.at[0] == '0' && (word.at[1] | 0x20) == 'x')
				span_take(&word, 2);
			*bad = word;
			while (word.len) {
				if (!span_hex(span_take(&word, 2), 2, &byte))
					return false;
				text[n++] = (char)byte;
			}
		}
	}
	*len = n;
	return true;
}

/* Descriptors of a device, or a class descriptor alone. */
static void from_bytes(const uint8_t *bytes, size_t len, struct views *views)
{
	static struct usb_info info[USB_INTERFACES_MAX];
	const size_t count = usb_interfaces_parse(bytes, len, 0, info);
	size_t found;
	struct view *view;

	for (size_t i = 0; i < count; i++)
		if ((info[i].class == CLASS_SMART_CARD ||
		     ccid_descriptor_find(info[i].extra, info[i].extra_len, &found)) &&
		    (view = views_add(views)) != NULL)
			view->info = info[i];
	if (count || !ccid_descriptor_find(bytes, len, &found) || (view = views_add(views)) == NULL)
		return;
	view->info = (struct usb_info){ .class = CLASS_SMART_CARD, .bulk = true, .interrupt = true };
	view->info.extra_len = CCID_DESCRIPTOR_LEN;
	memcpy(view->info.extra, ccid_descriptor_find(bytes, len, &found), CCID_DESCRIPTOR_LEN);
}

static enum tool_exit from_text(struct tool *tool, const char *file, char *text, size_t len,
				struct views *views)
{
	struct collect c = { .tool = tool, .views = views, .any = true };
	const struct reader_sink sink = { .section = on_section, .error = on_error, .arg = &c };
	struct span bad;

	if (memchr(text, '[', len)) {
		reader_file_parse(file, text, len, READER_DATABASE, &sink);
		return c.errors ? TOOL_CANNOT : TOOL_FINE;
	}
	if (!hex_bytes(text, &len, &bad))
		return tool_complain(tool, TOOL_CANNOT, "%s: \"%.*s\" is not hexadecimal", file,
				     bad.len > 20 ? 20 : (int)bad.len, bad.at);
	from_bytes((const uint8_t *)text, len, views);
	return TOOL_FINE;
}

static bool is_text(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((bytes[i] < 0x20 && !strchr("\t\r\n", bytes[i])) || bytes[i] == 0 || bytes[i] > 0x7E)
			return false;
	return true;
}

static enum tool_exit from_file(struct tool *tool, const char *name, FILE *file, struct views *views)
{
	char *bytes = malloc(FILE_MAX);
	const size_t len = bytes ? fread(bytes, 1, FILE_MAX, file) : 0;
	enum tool_exit exit = TOOL_FINE;

	if (ferror(file))
		exit = tool_complain(tool, TOOL_CANNOT, "%s cannot be read: %s", name, strerror(errno));
	else if (len && is_text(bytes, len))
		exit = from_text(tool, name, bytes, len, views);
	else
		from_bytes((const uint8_t *)bytes, len, views);
	free(bytes);
	if (exit == TOOL_FINE && !views->count)
		return tool_complain(
			tool, TOOL_CANNOT,
			"%s holds no class descriptor of a smart-card reader: it should be 54 bytes "
			"that begin with 36 21, as text or not, or what stands around them",
			name);
	return exit;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static void keep_matching(struct views *views, const char *words)
{
	size_t kept = 0;

	for (size_t i = 0; i < views->count; i++)
		if (!words || view_is(&views->at[i], words))
			views->at[kept++] = views->at[i];
		else
			quirk_override_free(views->at[i].override);
	views->count = kept;
}

/* Standard input, or a file; what cannot be read twice is kept. */
static FILE *open_source(const char *words)
{
	FILE *file = strcmp(words, "-") == 0 ? stdin : fopen(words, "re"), *kept;

	if (!file || fseek(file, 0, SEEK_SET) == 0)
		return file;
	kept = traffic_keep(file);
	if (file != stdin)
		fclose(file);
	return kept;
}

static enum tool_exit find(struct tool *tool, const char *words, struct views *views)
{
	const char *name = strcmp(words, "-") == 0 ? "standard input" : words;
	FILE *file = open_source(words);
	enum tool_exit exit;
	uint16_t vid, pid;
	char path[32];

	if (!file && errno != ENOENT)
		return tool_complain(tool, TOOL_CANNOT, "%s: cannot be opened: %s", name, strerror(errno));
	if (!file && source_ids(words, &vid, &pid))
		return source_list(tool, words, views);
	if (!file)
		return tool_complain(
			tool, TOOL_CANNOT,
			"\"%s\" is no reader that is plugged in, no file that can be read, and no vid:pid; "
			"\"openccid list\" shows what is plugged in",
			words);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(file));
	if (!source_capture(tool, name, path, views, &exit))
		exit = from_file(tool, name, file, views);
	if (file != stdin)
		fclose(file);
	return exit;
}

enum tool_exit source_find(struct tool *tool, const char *words, struct views *views)
{
	enum tool_exit exit;

	views_find(views);
	keep_matching(views, words);
	if (views->count || views->no_memory)
		exit = TOOL_FINE;
	else if (!words)
		exit = tool_complain(tool, TOOL_CANNOT, "no smart-card reader is plugged in");
	else
		exit = find(tool, words, views);
	if (views->no_memory)
		return tool_complain(tool, TOOL_CANNOT, "there is no memory left");
	/* Once more for those that were there: they moved. */
	for (size_t i = 0; i < views->count; i++)
		quirk_override_free(views->at[i].override);
	views_learn(views);
	return exit;
}
