/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conversations in the short form, and what the story makes of them: APDUs put together, causes, what is hidden, what is counted. */
#include "check.h"
#include "tool/causes.h"
#include "traffic/traffic.h"

struct heard {
	struct causes causes;
	struct words apdus; /* all of them, each with ';' */
	struct words moods; /* of each row that is not plain, and of each APDU */
	unsigned hidden;    /* bytes that may not be shown */
};

static void on_row(void *arg, const struct told *told)
{
	static const char letters[] = {
		[MOOD_PLAIN] = 0, [MOOD_GOOD] = 'g', [MOOD_ODD] = 'o', [MOOD_BAD] = 'b'
	};
	struct heard *h = arg;

	if (letters[told->mood])
		words_add(&h->moods, "%c", letters[told->mood]);
	if (told->event->kind == EVENT_OUT || told->event->kind == EVENT_IN)
		h->hidden += (unsigned)(told->event->len - told->shown);
}

static void on_apdu(void *arg, const struct told_apdu *apdu)
{
	struct heard *h = arg;

	words_add(&h->apdus, "%s", apdu->words.text);
	words_add(&h->apdus, " [%u];", apdu->blocks);
	words_add(&h->moods, "%c", apdu->mood == MOOD_GOOD ? 'g' : apdu->mood == MOOD_ODD ? 'o' : 'b');
}

static void on_ended(void *arg, const struct exchange *x)
{
	struct heard *h = arg;

	causes_take(&h->causes, x);
}

static void complain(void *arg, enum traffic_gravity gravity, const char *where, unsigned long place,
		     const char *sentence)
{
	(void)gravity;
	print_error("%s: %s %lu: %s\n", (const char *)arg, where, place, sentence);
}

static void read_story(const char *row, const char *text, struct heard *h, struct summary *summary)
{
	const struct story_sink sink = { on_row, on_apdu, on_ended, h };
	struct story *story = malloc(sizeof *story);
	char path[64], name[96];
	struct traffic *t;
	FILE *file;

	assert_non_null(story);
	snprintf(name, sizeof name, "%s", row);
	snprintf(path, sizeof path, "/tmp/openccid-story-%ld", (long)getpid());
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	t = traffic_open(path, complain, name);
	remove(path);
	assert_non_null(t);
	*h = (struct heard){ .causes.story = story };
	story_begin(story, traffic_reader(t, 0), false, &sink);
	traffic_play(t, 0, story_event, story);
	story_end(story);
	*summary = story->summary;
	traffic_close(t);
	free(story);
}

#define STATUS_OUT(seq) "OUT - 65 00 00 00 00 00 " seq " 00 00 00\n"
#define STATUS_IN(seq)  "IN 900 81 00 00 00 00 00 " seq " 00 00 00\n"
#define T1_SET                                                       \
	"OUT - 61 07 00 00 00 00 01 01 00 00 11 10 00 45 00 FE 00\n" \
	"IN 900 82 07 00 00 00 00 01 00 00 01 11 10 00 45 00 FE 00\n"
#define POWER "OUT - 62 00 00 00 00 00 00 00 00 00\nIN 9 80 02 00 00 00 00 00 00 00 00 3B 00\n"

static const struct {
	const char *row, *text;
	const char *apdus, *cause, *moods;
	unsigned hidden, retries, extensions, failed;
} stories[] = {
	{ "T=1, a command in two blocks and an answer in two",
	  POWER T1_SET "OUT - 6F 08 00 00 00 00 02 00 00 00 00 20 04 00 A4 04 00 84\n"
		       "IN - 80 04 00 00 00 00 02 00 00 00 00 90 00 90\n"
		       "OUT - 6F 07 00 00 00 00 03 00 00 00 00 40 03 02 3F 00 7E\n"
		       "IN - 80 06 00 00 00 00 03 00 00 00 00 20 02 AA BB 33\n"
		       "OUT - 6F 04 00 00 00 00 04 00 00 00 00 90 00 90\n"
		       "IN - 80 06 00 00 00 00 04 00 00 00 00 40 02 90 00 D2\n",
	  "SELECT, 2 bytes of data -> 2 bytes and 90 00: done [4];", NULL, "g", 0, 0, 0, 0 },
	{ "T=1, the same block twice",
	  POWER T1_SET "OUT - 6F 08 00 00 00 00 02 00 00 00 00 00 04 00 84 00 00 80\n"
		       "IN - 80 04 00 00 00 00 02 00 00 00 00 81 00 81\n"
		       "OUT - 6F 08 00 00 00 00 03 00 00 00 00 00 04 00 84 00 00 80\n"
		       "IN - 80 06 00 00 00 00 03 00 00 00 00 00 02 6D 00 6F\n",
	  "GET CHALLENGE -> 6D 00: the card does not know this command [3];", "t1-errors", "o", 0, 1, 0, 0 },
	{ "T=0 with GET RESPONSE",
	  "OUT - 6F 07 00 00 00 00 02 00 00 00 00 A4 00 00 02 3F 00\nIN - 80 02 00 00 00 00 02 00 00 00 61 "
	  "02\n"
	  "OUT - 6F 05 00 00 00 00 03 00 00 00 00 C0 00 00 02\nIN - 80 04 00 00 00 00 03 00 00 00 01 02 90 "
	  "00\n",
	  "SELECT, 2 bytes of data -> 61 02: more can be fetched with GET RESPONSE [2];"
	  "SELECT, 2 bytes of data -> 2 bytes and 90 00: done [4];",
	  NULL, "gg", 0, 0, 0, 0 },
	{ "an extended APDU in parts",
	  "# level: extended-apdu\n"
	  "OUT - 6F 04 00 00 00 00 02 00 01 00 00 D6 00 00\nIN - 80 00 00 00 00 00 02 00 00 10\n"
	  "OUT - 6F 03 00 00 00 00 03 00 02 00 02 AA BB\nIN - 80 01 00 00 00 00 03 00 00 01 01\n"
	  "OUT - 6F 00 00 00 00 00 04 00 10 00\nIN - 80 02 00 00 00 00 04 00 00 02 90 00\n",
	  "UPDATE BINARY, 2 bytes of data -> 1 byte and 90 00: done [5];", NULL, "g", 0, 0, 0, 0 },
	{ "a PIN is not shown",
	  "# level: short-apdu\n"
	  "OUT - 6F 09 00 00 00 00 02 00 00 00 00 20 00 82 04 31 32 33 34\nIN - 80 02 00 00 00 00 02 00 00 "
	  "00 63 C2\n",
	  "VERIFY, 4 bytes of data -> 63 C2: the PIN was wrong; the last digit says how many tries are left "
	  "[2];",
	  "pin-wrong", "o", 4, 0, 0, 0 },
	{ "a blocked PIN",
	  "# level: short-apdu\n"
	  "OUT - 6F 04 00 00 00 00 02 00 00 00 00 20 00 82\nIN - 80 02 00 00 00 00 02 00 00 00 69 83\n",
	  "VERIFY -> 69 83: the PIN is blocked [2];", "pin-blocked", "o", 0, 0, 0, 0 },
	{ "requests for more time",
	  "# level: short-apdu\n"
	  "OUT - 6F 04 00 00 00 00 02 00 00 00 00 84 00 00\nIN - 80 00 00 00 00 00 02 80 01 00\n"
	  "IN - 80 00 00 00 00 00 02 80 01 00\nIN - 80 02 00 00 00 00 02 00 00 00 90 00\n",
	  "GET CHALLENGE -> 90 00: done [2];", NULL, "oog", 0, 0, 2, 0 },
	{ "F6h on a command, sent once more",
	  "OUT - 6F 05 00 00 00 00 02 00 00 00 00 84 00 00 08\nIN - 80 00 00 00 00 00 02 40 F6 00\n"
	  "OUT - 6F 05 00 00 00 00 03 00 00 00 00 84 00 00 08\nIN - 80 02 00 00 00 00 03 00 00 00 90 00\n",
	  "GET CHALLENGE, Le 8 -> 90 00: done [2];", "protocol-refused", "bg", 0, 1, 0, 1 },
	{ "a late answer",
	  STATUS_OUT("04") "TIMEOUT 100 x\n" STATUS_IN("04") STATUS_OUT("05") STATUS_IN("05"), "",
	  "never-answered", "bo", 0, 1, 0, 1 },
	{ "no answer, and the next command",
	  STATUS_OUT("04") STATUS_IN("04") STATUS_OUT("05") STATUS_OUT("06") STATUS_IN("06"), "",
	  "fell-silent", "", 0, 1, 0, 1 },
	{ "the capture ends before the answer", STATUS_OUT("04") STATUS_IN("04") STATUS_OUT("05"), "", NULL,
	  "", 0, 0, 0, 0 },
	{ "it begins with an answer", STATUS_IN("04") STATUS_OUT("05") STATUS_IN("05"), "", NULL, "o", 0, 0,
	  0, 0 },
	{ "parity",
	  "OUT - 6F 05 00 00 00 00 02 00 00 00 00 84 00 00 08\nIN - 80 00 00 00 00 00 02 40 FD 00\n", "",
	  "parity", "b", 0, 0, 0, 1 },
	{ "the card is pulled",
	  "OUT - 6F 05 00 00 00 00 02 00 00 00 00 84 00 00 08\nIN - 80 00 00 00 00 00 02 42 FE 00\n", "",
	  "card-pulled", "b", 0, 0, 0, 1 },
	{ "overrun",
	  "OUT - 6F 05 00 00 00 00 02 00 00 00 00 84 00 00 08\nIN - 80 00 00 00 00 00 02 40 FC 00\n", "",
	  "overrun", "b", 0, 0, 0, 1 },
	{ "a short circuit", "OUT - 62 00 00 00 00 00 02 01 00 00\nIN - 80 00 00 00 00 00 02 41 FB 00\n", "",
	  "hardware", "b", 0, 0, 0, 1 },
	{ "the voltage", "OUT - 62 00 00 00 00 00 02 01 00 00\nIN - 80 00 00 00 00 00 02 41 F5 00\n", "",
	  "card-voltage", "b", 0, 0, 0, 1 },
	{ "no ATR", "OUT - 62 00 00 00 00 00 02 01 00 00\nIN - 80 00 00 00 00 00 02 41 F8 00\n", "", "no-atr",
	  "b", 0, 0, 0, 1 },
	{ "busy", "OUT - 6C 00 00 00 00 00 02 00 00 00\nIN - 82 00 00 00 00 00 02 40 E0 00\n", "",
	  "slot-busy", "b", 0, 0, 0, 1 },
	{ "half an ABORT", "OUT - 6C 00 00 00 00 00 02 00 00 00\nIN - 82 00 00 00 00 00 02 40 FF 00\n", "",
	  "aborted", "b", 0, 0, 0, 1 },
	{ "not known", "OUT - 6C 00 00 00 00 00 02 00 00 00\nIN - 82 00 00 00 00 00 02 40 00 00\n", "",
	  "refused", "b", 0, 0, 0, 1 },
	{ "an answer of three bytes", STATUS_OUT("04") "IN - 81 00 00\n", "", "cut-short", "b", 3, 0, 0, 1 },
	{ "PIN too late",
	  "OUT - 69 05 00 00 00 00 02 00 00 00 00 00 82 00 00\nIN - 80 00 00 00 00 00 02 40 F0 00\n", "",
	  "pin-late", "b", 0, 0, 0, 1 },
	{ "PIN request refused",
	  "OUT - 69 05 00 00 00 00 02 00 00 00 00 00 82 00 00\nIN - 80 00 00 00 00 00 02 40 0F 00\n", "",
	  "pin-refused", "b", 0, 0, 0, 1 },
	{ "64 00 that is the card's: APDU level",
	  "# level: short-apdu\n"
	  "OUT - 69 05 00 00 00 00 02 00 00 00 00 00 82 00 00\nIN - 80 02 00 00 00 00 02 00 00 00 64 00\n",
	  "", NULL, "", 0, 0, 0, 0 },
};

static void stories_are_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stories); i++) {
		const char *row = stories[i].row;
		const struct cause *first;
		struct summary sum;
		struct found found;
		struct heard h;

		read_story(row, stories[i].text, &h, &sum);
		first = causes_first(&h.causes, &found);
		CHECK_STRING(row, h.apdus.text, stories[i].apdus);
		CHECK_STRING(row, first ? first->id : "-", stories[i].cause ? stories[i].cause : "-");
		CHECK_STRING(row, h.moods.text, stories[i].moods);
		CHECK_INT(row, h.hidden, stories[i].hidden);
		CHECK_INT(row, sum.retries, stories[i].retries);
		CHECK_INT(row, sum.extensions, stories[i].extensions);
		CHECK_INT(row, sum.failed, stories[i].failed);
	}
	check_done();
}

static void times_are_told(void **state)
{
	static const struct {
		uint64_t us;
		const char *want;
	} rows[] = { { 0, "0.0 ms" },       { 731, "0.7 ms" },     { 99999, "99.9 ms" }, { 100000, "0.10 s" },
		     { 1021722, "1.02 s" }, { 9999999, "9.99 s" }, { 65000000, "65 s" } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct words w = { .len = 0 };

		words_time(&w, rows[i].us);
		CHECK_STRING(rows[i].want, w.text, rows[i].want);
	}
	check_done();
}

static void words_are_cut(void **state)
{
	struct words w = { .len = 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		words_add(&w, "0123456789");
	CHECK_INT("full", w.len, WORDS_MAX - 1);
	CHECK_INT("full", strlen(w.text), WORDS_MAX - 1);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stories_are_understood),
		cmocka_unit_test(times_are_told),
		cmocka_unit_test(words_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
