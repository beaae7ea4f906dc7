/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* openccid redact: a copy of a log or capture without PINs and without chosen data; lengths and check bytes stay right. */
#include "tool/capture_file.h"
#include "tool/options.h"
#include "tool/redact_text.h"
#include "tool/redaction.h"
#include "tool/tool.h"

#include "base/span.h"
#include "ccid/descriptor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "313233" or "31 32 33", several with commas */
static bool choose(struct redaction *r, const char *text)
{
	uint8_t bytes[REDACTION_DATA_MAX];
	size_t len = 0;
	uint32_t value = 0;
	struct span s = { text, strlen(text) };

	while (s.len) {
		struct span two;

		if (span_blank(s.at[0]) || s.at[0] == ',') {
			if (s.at[0] == ',' && !redaction_choose(r, bytes, len))
				return false;
			len = s.at[0] == ',' ? 0 : len;
			span_take(&s, 1);
			continue;
		}
		two = span_take(&s, 2);
		if (!span_hex(two, 2, &value) || len == sizeof bytes)
			return false;
		bytes[len++] = (uint8_t)value;
	}
	return redaction_choose(r, bytes, len);
}

static unsigned levels_of(const struct traffic_reader *reader)
{
	struct ccid_descriptor desc;
	struct ccid_caps caps;

	if (reader->has_descriptor &&
	    ccid_descriptor_decode(reader->descriptor, sizeof reader->descriptor, &desc) == OC_OK &&
	    ccid_caps_derive(&desc, &caps) == OC_OK)
		return REDACT_LEVEL(caps.level);
	return REDACT_ANY_LEVEL;
}

/* Every reader of the file has a conversation of its own. */
static void collect(struct redaction *r, struct traffic *t)
{
	traffic_include_made(t);
	for (unsigned i = 0; i < traffic_readers(t); i++) {
		redact_begin(&r->redact, levels_of(traffic_reader(t, i)));
		traffic_play(t, i, redaction_event, r);
	}
	redaction_settle(r);
}

static void patch_packet(void *arg, unsigned long packet, uint8_t *record, size_t len)
{
	struct redaction *r = arg;
	size_t count;
	const struct redaction_patch *p = redaction_find(r, packet, &count);

	for (size_t i = 0; i < count; i++)
		if (p[i].at <= len && p[i].len <= len - p[i].at)
			memcpy(record + p[i].at, r->pool + p[i].bytes, p[i].len);
}

static enum tool_exit write_copy(struct tool *tool, struct redaction *r, struct traffic *t, FILE *to)
{
	bool good;

	if (r->failed)
		return tool_complain(tool, TOOL_CANNOT, "%s", r->failed);
	if (traffic_is_usb(t) && isatty(fileno(to)))
		return tool_complain(
			tool, TOOL_USAGE,
			"a USB capture is nothing for a terminal; say where it shall go: --output FILE");
	good = traffic_is_usb(t) ? traffic_copy_packets(t, to, patch_packet, r)
				 : redact_text_copy(r, traffic_file(t), to);
	/* A patch that could not be fetched is a secret in the copy. */
	if (r->failed)
		return tool_complain(tool, TOOL_CANNOT, "the copy is not without secrets: %s", r->failed);
	if (!good)
		return tool_complain(tool, TOOL_CANNOT, "the copy could not be written: %s", strerror(errno));
	tool_complain(tool, TOOL_FINE, "%lu message%s changed%s; what is no message was left as it is",
		      r->messages, r->messages == 1 ? "" : "s",
		      r->choices && !r->found ? ", and the chosen data was not found" : "");
	return r->choices && !r->found ? TOOL_FINDING : TOOL_FINE;
}

static enum tool_exit redact(struct tool *tool, struct redaction *r, struct traffic *t, const char *path)
{
	FILE *to = path ? fopen(path, "wbx") : tool->out.stream;
	enum tool_exit exit;

	if (!to)
		return tool_complain(tool, TOOL_CANNOT, "%s: cannot be written: %s", path, strerror(errno));
	collect(r, t);
	exit = write_copy(tool, r, t, to);
	if (path && fclose(to) != 0)
		return tool_complain(tool, TOOL_CANNOT, "%s: cannot be written: %s", path, strerror(errno));
	if (path && exit > TOOL_FINDING)
		remove(path);
	return exit;
}

enum tool_exit verb_redact(struct tool *tool, int argc, char **argv)
{
	const char *path = NULL, *data = NULL;
	bool only = false;
	const struct option_row rows[] = {
		{ .name = "data",
		  .letter = 'd',
		  .help = "hide these bytes, too, wherever they are in a message",
		  .word = "HEX",
		  .argument = &data },
		{ .name = "only-data", .help = "hide nothing else", .flag = &only },
		{ .name = "output",
		  .letter = 'o',
		  .help = "where to write, instead of standard output",
		  .word = "NAME",
		  .argument = &path },
		{ .name = NULL },
	};
	const enum options_end end = options_parse(tool, rows, (struct operands){ 1, 1 }, &argc, argv);
	struct capture_file file = { .tool = tool };
	struct redaction *r;
	enum tool_exit exit;

	if (end != OPTIONS_GO_ON)
		return options_exit(end);
	if (only && !data)
		return tool_complain(tool, TOOL_USAGE, "--only-data needs --data");
	r = malloc(sizeof *r);
	if (!r)
		return tool_complain(tool, TOOL_CANNOT, "there is not enough memory");
	redaction_begin(r, REDACT_ANY_LEVEL);
	r->keep_secrets = only;
	if (data && !choose(r, data))
		exit = tool_complain(tool, TOOL_USAGE,
				     "--data takes bytes as hexadecimal digits, up to %d of them; several "
				     "with commas between",
				     REDACTION_DATA_MAX);
	else if (!capture_file_open(&file, argv[0], NULL))
		exit = file.exit;
	else
		exit = redact(tool, r, file.traffic, path);
	if (file.traffic)
		traffic_close(file.traffic);
	redaction_end(r);
	free(r);
	return file.ended && exit == TOOL_FINE ? TOOL_FINDING : exit;
}
