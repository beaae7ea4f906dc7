/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file that somebody sends: whatever it is, it is read, told and redacted, or refused with a sentence. Events stay within their
 * bounds, what is shown within the event, and each patch within the message that it is for.
 */
#include "fuzz.h"

#include "tool/causes.h"
#include "tool/redact_text.h"
#include "tool/redaction.h"
#include "tool/story.h"
#include "traffic/traffic.h"

#include <sys/mman.h>
#include <unistd.h>

struct heard {
	unsigned complaints, fatal;
	unsigned long events;
	uint64_t us;
	struct causes causes;
};

static void complain(void *arg, enum traffic_gravity gravity, const char *where, unsigned long place,
		     const char *sentence)
{
	struct heard *h = arg;

	FUZZ_ASSERT(sentence[0] && (!place || where[0]));
	h->complaints++;
	h->fatal += gravity == TRAFFIC_FATAL;
}

static void on_row(void *arg, const struct told *told)
{
	struct heard *h = arg;

	FUZZ_ASSERT(told->name && told->words.len < WORDS_MAX && told->card.len < WORDS_MAX);
	FUZZ_ASSERT(told->shown <= told->event->len);
	FUZZ_ASSERT(told->event->len <= EVENT_ROOM && told->event->reader);
	FUZZ_ASSERT(told->event->len == 0 || told->event->bytes);
	h->events++;
}

static void on_apdu(void *arg, const struct told_apdu *apdu)
{
	(void)arg;
	FUZZ_ASSERT(apdu->shown <= apdu->command_len && apdu->command_len <= EVENT_BYTES_MAX);
	FUZZ_ASSERT(apdu->response_len <= EVENT_BYTES_MAX);
}

static void on_ended(void *arg, const struct exchange *x)
{
	struct heard *h = arg;

	FUZZ_ASSERT(x->outcome != OUTCOME_OPEN);
	causes_take(&h->causes, x);
}

static void tell(struct traffic *t, unsigned index, struct heard *h)
{
	const struct story_sink sink = { on_row, on_apdu, on_ended, h };
	struct story *story = malloc(sizeof *story);

	FUZZ_ASSERT(story);
	memset(&h->causes, 0, sizeof h->causes);
	h->causes.story = story;
	story_begin(story, traffic_reader(t, index), false, &sink);
	traffic_play(t, index, story_event, story);
	story_end(story);
	free(story);
}

static void no_patch_outside(void *arg, unsigned long packet, uint8_t *record, size_t len)
{
	size_t count;
	const struct redaction_patch *p = redaction_find(arg, packet, &count);

	(void)record;
	for (size_t i = 0; i < count; i++)
		FUZZ_ASSERT(p[i].at <= len && p[i].len <= len - p[i].at);
}

static void redact(struct traffic *t)
{
	FILE *nowhere = fopen("/dev/null", "wb");
	static struct redaction r;

	FUZZ_ASSERT(nowhere);
	redaction_begin(&r, REDACT_ANY_LEVEL);
	traffic_include_made(t);
	for (unsigned i = 0; i < traffic_readers(t); i++)
		traffic_play(t, i, redaction_event, &r);
	redaction_settle(&r);
	if (traffic_is_usb(t))
		traffic_copy_packets(t, nowhere, no_patch_outside, &r);
	else
		FUZZ_ASSERT(redact_text_copy(&r, traffic_file(t), nowhere));
	redaction_end(&r);
	fclose(nowhere);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard h = { .complaints = 0 };
	struct traffic *t;
	char path[32];
	const int fd = memfd_create("capture", MFD_CLOEXEC);

	FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	t = traffic_open(path, complain, &h);
	FUZZ_ASSERT((t == NULL) == (h.fatal > 0));
	if (t) {
		FUZZ_ASSERT(traffic_readers(t) > 0 && traffic_busiest(t) < traffic_readers(t));
		for (unsigned i = 0; i < traffic_readers(t); i++)
			tell(t, i, &h);
		redact(t);
		traffic_close(t);
	}
	close(fd);
	return 0;
}
