/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "traffic/traffic.h"

#include "base/span.h"
#include "traffic/inside.h"
#include "traffic/urbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { SNIFFED = 4096 };

const char *event_word(enum event_kind kind)
{
	static const char *const words[] = {
		[EVENT_OUT] = "out",           [EVENT_IN] = "in",
		[EVENT_INT] = "interrupt",     [EVENT_CONTROL] = "control",
		[EVENT_TIMEOUT] = "timeout",   [EVENT_CLEAR_HALT] = "clear-halt",
		[EVENT_STALL] = "stall",       [EVENT_ERROR] = "error",
		[EVENT_GONE] = "gone",         [EVENT_COMMAND] = "command",
		[EVENT_RESPONSE] = "response",
	};

	return words[kind];
}

void traffic_complain(struct traffic *t, enum traffic_gravity gravity, unsigned long place, const char *fmt,
		      ...)
{
	char sentence[512];
	va_list ap;

	if (gravity == TRAFFIC_FATAL) {
		if (t->failed)
			return;
		t->failed = true;
	} else if (!t->scanning) {
		return;
	}
	va_start(ap, fmt);
	vsnprintf(sentence, sizeof sentence, fmt, ap);
	va_end(ap);
	t->complaint(t->arg, gravity, t->shape ? t->shape->place : "", place, sentence);
}

/* ---- what is it? ------------------------------------------------------------------------------------------------- */

static bool begins(const uint8_t *bytes, size_t len, const char *magic, size_t n)
{
	return len >= n && memcmp(bytes, magic, n) == 0;
}

/* What is no capture, and what to do about it. */
static const struct {
	const char *magic;
	size_t len;
	const char *sentence;
} strangers[] = {
	{ "\x1F\x8B", 2, "the file is compressed; unpack it first: gunzip" },
	{ "\x28\xB5\x2F\xFD", 4, "the file is compressed; unpack it first: unzstd" },
	{ "\xFD"
	  "7zXZ",
	  5, "the file is compressed; unpack it first: unxz" },
	{ "PK\x03\x04", 4, "the file is a zip archive; unpack it first" },
	{ "\xFF\xFE", 2, "the text is UTF-16; convert it first: iconv -f UTF-16 -t UTF-8" },
	{ "\xFE\xFF", 2, "the text is UTF-16; convert it first: iconv -f UTF-16 -t UTF-8" },
};

static const char *const pcap_magics[] = { "\xD4\xC3\xB2\xA1", "\xA1\xB2\xC3\xD4", "\x4D\x3C\xB2\xA1",
					   "\xA1\xB2\x3C\x4D", "\x0A\x0D\x0D\x0A" };

/* The text form of tests/traces begins with its header. */
static bool is_trace(struct span text)
{
	static const char *const keys[] = { "reader", "source", "origin", "about" };

	while (text.len) {
		struct span line = span_take(&text, span_until(text, '\n'));

		span_take(&text, 1);
		line = span_trim(line);
		if (line.len == 0 || line.at[0] == '#')
			continue;
		line = span_take(&line, span_until(line, ':'));
		for (size_t i = 0; i < COUNT(keys); i++)
			if (span_is(line, keys[i]))
				return true;
		return false;
	}
	return false;
}

static const struct traffic_shape *sniff(struct traffic *t)
{
	uint8_t head[SNIFFED];
	const size_t len = fread(head, 1, sizeof head, t->file);

	if (ferror(t->file))
		traffic_complain(t, TRAFFIC_FATAL, 0, "cannot be read: %s", strerror(errno));
	else if (len == 0)
		traffic_complain(t, TRAFFIC_FATAL, 0, "the file is empty");
	rewind(t->file);
	for (size_t i = 0; i < COUNT(strangers); i++)
		if (begins(head, len, strangers[i].magic, strangers[i].len))
			traffic_complain(t, TRAFFIC_FATAL, 0, "%s", strangers[i].sentence);
	for (size_t i = 0; i < COUNT(pcap_magics); i++)
		if (begins(head, len, pcap_magics[i], 4))
			return &traffic_pcap;
	if (memchr(head, 0, len))
		traffic_complain(t, TRAFFIC_FATAL, 0,
				 "this is no capture that I know: neither pcap nor pcapng nor text");
	return is_trace((struct span){ (const char *)head, len }) ? &traffic_trace : &traffic_log;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static FILE *temporary_in(const char *folder)
{
	const int fd = folder && folder[0] ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w+b");

	if (!file && fd >= 0)
		close(fd);
	return file;
}

FILE *traffic_temporary(void)
{
	FILE *file = temporary_in(getenv("TMPDIR"));

	if (!file)
		file = temporary_in("/var/tmp");
	/* Some file systems make no nameless files. */
	return file ? file : tmpfile();
}

static bool copy(FILE *from, FILE *to)
{
	char block[4096];
	size_t n;

	while ((n = fread(block, 1, sizeof block, from)) > 0)
		if (fwrite(block, 1, n, to) != n)
			return false;
	rewind(to);
	return !ferror(from);
}

FILE *traffic_keep(FILE *from)
{
	FILE *kept = traffic_temporary();

	if (kept && copy(from, kept))
		return kept;
	if (kept)
		fclose(kept);
	return NULL;
}

/* What cannot be read twice is kept. NULL after a complaint. */
static FILE *keep(struct traffic *t, FILE *from)
{
	FILE *kept = traffic_keep(from);

	if (!kept)
		traffic_complain(t, TRAFFIC_FATAL, 0,
				 ferror(from) ? "cannot be read: %s"
					      : "cannot be kept in a temporary file: %s",
				 strerror(errno));
	return kept;
}

/* A file in which one can go back. NULL after a complaint. */
static FILE *open_file(struct traffic *t, const char *path)
{
	FILE *file, *kept;

	if (strcmp(path, "-") == 0)
		return keep(t, stdin);
	file = fopen(path, "rb");
	if (!file) {
		traffic_complain(t, TRAFFIC_FATAL, 0, "cannot be opened: %s", strerror(errno));
		return NULL;
	}
	if (fseek(file, 0, SEEK_END) == 0) {
		rewind(file);
		return file;
	}
	kept = keep(t, file);
	fclose(file);
	return kept;
}

static void scan(struct traffic *t)
{
	t->shape = sniff(t);
	if (t->failed)
		return;
	t->scanning = true;
	t->shape->read(t);
	if (ferror(t->file))
		traffic_complain(t, TRAFFIC_ENDS, 0, "it cannot be read to its end");
	if (t->shape == &traffic_pcap)
		urbs_settle_readers(t);
	if (t->full)
		traffic_complain(t, TRAFFIC_NOTE, 0,
				 "there are more than %d readers in it; the others are left out",
				 TRAFFIC_READERS_MAX);
	if (t->readers == 0)
		traffic_complain(
			t, TRAFFIC_FATAL, 0, "there is no message of a smart-card reader in it%s",
			t->shape == &traffic_log
				? "; logs need \"pcscd --debug\", or \"debug-ccid-driver\" of scdaemon"
				: "");
	t->scanning = false;
}

struct traffic *traffic_open(const char *path, traffic_complaint *complaint, void *arg)
{
	struct traffic *t = calloc(1, sizeof *t);

	if (!t) {
		complaint(arg, TRAFFIC_FATAL, "", 0, "there is not enough memory");
		return NULL;
	}
	t->name = path;
	t->complaint = complaint;
	t->arg = arg;
	t->file = open_file(t, path);
	if (!t->failed)
		scan(t);
	if (!t->failed)
		return t;
	traffic_close(t);
	return NULL;
}

void traffic_close(struct traffic *traffic)
{
	for (unsigned i = 0; i < traffic->readers; i++)
		free(traffic->pipes[i]);
	if (traffic->file)
		fclose(traffic->file);
	free(traffic);
}

/* ---- readers ----------------------------------------------------------------------------------------------------- */

struct traffic_reader *traffic_add_reader(struct traffic *t)
{
	struct traffic_reader *reader;

	if (t->readers == TRAFFIC_READERS_MAX) {
		t->full = true;
		return NULL;
	}
	reader = &t->reader[t->readers++];
	reader->number = t->readers;
	return reader;
}

const char *traffic_place(const struct traffic *traffic)
{
	return traffic->shape->place;
}

const char *traffic_form(const struct traffic *traffic)
{
	return traffic->shape->words;
}

unsigned traffic_readers(const struct traffic *traffic)
{
	return traffic->readers;
}

const struct traffic_reader *traffic_reader(const struct traffic *traffic, unsigned index)
{
	return &traffic->reader[index];
}

unsigned traffic_busiest(const struct traffic *traffic)
{
	unsigned best = 0;

	for (unsigned i = 1; i < traffic->readers; i++)
		if (traffic->reader[i].messages > traffic->reader[best].messages)
			best = i;
	return best;
}

static bool fits(const struct traffic_reader *r, const char *word)
{
	char id[12], number[12];

	snprintf(id, sizeof id, "%04x:%04x", r->vid, r->pid);
	snprintf(number, sizeof number, "%u", r->number);
	return strcmp(word, number) == 0 || (r->has_id && strcasecmp(word, id) == 0) ||
	       (word[0] && (strstr(r->name, word) || strcmp(word, r->where) == 0));
}

int traffic_find(const struct traffic *traffic, const char *word)
{
	int found = -1;

	for (unsigned i = 0; i < traffic->readers; i++) {
		if (!fits(&traffic->reader[i], word))
			continue;
		if (found >= 0)
			return -1;
		found = (int)i;
	}
	return found;
}

/* ---- playing ----------------------------------------------------------------------------------------------------- */

static bool is_message(enum event_kind kind)
{
	return kind == EVENT_OUT || kind == EVENT_IN || kind == EVENT_INT;
}

void traffic_tell(struct traffic *t, unsigned index, const struct event *event)
{
	struct event e = *event;

	if (t->scanning) {
		t->reader[index].messages += is_message(event->kind);
		return;
	}
	if (index != t->wanted)
		return;
	if (!t->began) {
		t->began = true;
		t->first_us = e.us;
	}
	e.us = e.us > t->first_us ? e.us - t->first_us : 0;
	e.reader = &t->reader[index];
	t->sink(t->sink_arg, &e);
}

void traffic_play(struct traffic *traffic, unsigned index, traffic_sink *sink, void *arg)
{
	traffic->sink = sink;
	traffic->sink_arg = arg;
	traffic->wanted = index;
	traffic->began = false;
	rewind(traffic->file);
	traffic->shape->read(traffic);
}

void traffic_include_made(struct traffic *traffic)
{
	traffic->made_too = true;
}

FILE *traffic_file(struct traffic *traffic)
{
	rewind(traffic->file);
	return traffic->file;
}

bool traffic_is_usb(const struct traffic *traffic)
{
	return traffic->shape == &traffic_pcap;
}
