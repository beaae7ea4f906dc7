/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool/replaying.h"

#include "tool/decode.h"

#include <errno.h>
#include <string.h>

void replaying_put_do(struct replaying *r, const struct capture_step *step)
{
	fprintf(r->script, "do %s", capture_action_word(step->action));
	if (step->action == CAPTURE_PROTOCOL)
		fprintf(r->script, " T=%u", step->number);
	if (step->action == CAPTURE_WAIT_EVENT)
		fprintf(r->script, " %u", step->number);
	for (size_t i = 0; i < step->bytes.len; i++)
		fprintf(r->script, " %02X", step->bytes.value[i]);
	fputc('\n', r->script);
}

void replaying_put_expect(struct replaying *r)
{
	static const char *const ends[] = { "", "", " absent", " present", " quiet", " event" };
	const struct result *res = &r->performer.result;

	fprintf(r->script, "expect %s", capture_result_word(res->err));
	if (res->err == OC_OK)
		fputs(ends[res->end], r->script);
	if (res->err == OC_OK && res->end == CAPTURE_END_BYTES)
		for (size_t i = 0; i < res->len; i++)
			fprintf(r->script, " %02X", res->bytes[i]);
	fputs("\n\n", r->script);
}

static void put_bytes_line(FILE *f, const char *key, const uint8_t *bytes, size_t len)
{
	fputs(key, f);
	for (size_t i = 0; i < len; i++)
		fprintf(f, " %02X", bytes[i]);
	fputc('\n', f);
}

static void put_printable(FILE *f, const char *text)
{
	for (; *text; text++)
		fputc(*text >= ' ' && *text <= '~' ? *text : '?', f);
}

static void put_header(struct replaying *r, FILE *f)
{
	const struct traffic_reader *t = replaying_reader(r);

	fputs("# SPDX-License-Identifier: LGPL-2.1-or-later\nreader: ", f);
	if (t->has_id)
		fprintf(f, "%04x:%04x ", t->vid, t->pid);
	else
		fputs("- ", f);
	put_printable(f, decoding_name(t));
	fputs("\nsource: ", f);
	put_printable(f, r->file.path);
	fprintf(f, "\norigin: %s\nabout: say here what it shows\n", traffic_form(r->file.traffic));
	if (t->has_firmware)
		fprintf(f, "firmware: %02x.%02x\n", t->firmware >> 8, t->firmware & 0xFF);
	if (t->interface)
		fprintf(f, "interface: %u\n", t->interface);
	if (t->has_descriptor)
		put_bytes_line(f, "descriptor:", t->descriptor, sizeof t->descriptor);
	else if (r->made_descriptor)
		put_bytes_line(f, "descriptor:", r->descriptor, sizeof r->descriptor);
	if (t->has_descriptor && t->endpoints == 2)
		fputs("endpoints: 2\n", f);
	if (r->level_used) {
		static const char *const levels[] = { "character", "tpdu", "short-apdu", "extended-apdu" };

		fprintf(f, "level: %s\n", levels[t->level]);
	}
	fputs("within: 600000\n", f);
}

static void put_before(struct replaying *r, FILE *f)
{
	for (unsigned i = 0; i < r->plan->befores; i++) {
		const struct capture_step *step = &r->plan->before[i].step;
		char key[64];

		snprintf(key, sizeof key, "before: %s%s", capture_action_word(step->action),
			 step->action != CAPTURE_PROTOCOL ? ""
			 : step->number                   ? " T=1"
							  : " T=0");
		put_bytes_line(f, key, step->bytes.value, step->bytes.len);
	}
	fputc('\n', f);
}

static void on_parse_error(void *arg, const char *file, unsigned line, const char *sentence)
{
	struct replaying *r = arg;

	tool_complain(r->tool, TOOL_FINDING, "%s:%u: %s", file, line, sentence);
}

/* What was saved must play as it was. */
static bool plays(struct replaying *r, const char *path)
{
	struct capture *c = capture_load(path, on_parse_error, r);
	struct identity identity;
	struct verdict verdict;
	bool good;

	if (!c)
		return false;
	good = identify(c, replaying_readers(), &identity, &verdict);
	if (good) {
		play(c, &identity, NULL, &verdict);
		good = verdict.good;
	}
	if (!good)
		tool_complain(r->tool, TOOL_FINDING, "%s", verdict.why);
	capture_free(c);
	return good;
}

enum tool_exit replaying_save(struct replaying *r, const char *path)
{
	bool failed;
	FILE *f;

	if (r->whatif.unsavable)
		return tool_complain(
			r->tool, TOOL_FINDING,
			"not saved: transfers failed on the bus, for which the text form has no line");
	f = fopen(path, "wx");
	if (!f)
		return tool_complain(r->tool, TOOL_CANNOT, "%s: cannot be written: %s", path,
				     strerror(errno));
	put_header(r, f);
	put_before(r, f);
	fwrite(r->text, 1, r->text_len, f);
	fputs("end\n", f);
	failed = ferror(f) != 0;
	if (fclose(f) != 0 || failed)
		return tool_complain(r->tool, TOOL_CANNOT, "%s: cannot be written: %s", path,
				     strerror(errno));
	if (!plays(r, path))
		return tool_complain(r->tool, TOOL_FINDING,
				     "%s: saved, and yet it does not play; correct it by hand", path);
	r->saved = path;
	return TOOL_FINE;
}
