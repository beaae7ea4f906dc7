/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does the replay notice? A capture that was tampered with must fail, with a sentence that names the place; a text that is
 * no capture must be an error and nothing worse.
 */
#include "tool/player.h"

#include "replay/replay.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { TEXT_MAX = 65536 };

static unsigned checks, bad;

static void check(bool good, const char *what, const char *detail)
{
	checks++;
	bad += !good;
	if (!good)
		printf("not ok - %s: %s\n", what, detail);
}

static const char *source_dir(void)
{
	const char *dir = getenv("srcdir");

	return dir ? dir : ".";
}

/* The first error of a text that is parsed. */
struct first_error {
	unsigned line, count;
	char sentence[600];
};

static void keep_first(void *arg, const char *file, unsigned line, const char *sentence)
{
	struct first_error *first = arg;

	(void)file;
	if (first->count++)
		return;
	first->line = line;
	snprintf(first->sentence, sizeof first->sentence, "%s", sentence);
}

static bool find_identity(const struct capture *capture, struct identity *identity, struct verdict *verdict)
{
	char readers[2048];

	snprintf(readers, sizeof readers, "%s/readers", source_dir());
	return identify(capture, readers, identity, verdict);
}

/* ---- captures that were tampered with ---------------------------------------------------------------------------- */

/* Change every byte that the driver has to send, one after the other: none may go unnoticed. */
static unsigned damage_outs(struct capture *c, const struct identity *identity)
{
	struct verdict verdict;
	unsigned damaged = 0;
	char where[128];

	for (size_t i = 0; i < c->steps; i++) {
		const struct capture_step *step = &c->step[i];

		if (step->kind != CAPTURE_OUT || step->skipped)
			continue;
		for (size_t at = 0; at < step->bytes.len; at++) {
			/* Of a message that we made, bSeq is no part. */
			if (step->bytes.mark[at] != CAPTURE_EVIDENCE || (step->made && at == 6))
				continue;
			step->bytes.value[at] ^= 0x01;
			play(c, identity, NULL, &verdict);
			step->bytes.value[at] ^= 0x01;
			snprintf(where, sizeof where, "line %u, byte %zu: the change went unnoticed",
				 step->line, at + 1);
			check(!verdict.good, c->file, where);
			damaged++;
		}
	}
	play(c, identity, NULL, &verdict);
	check(verdict.good, c->file, verdict.why);
	return damaged;
}

/* Every beginning of a file is an error. */
static void cut_short(const char *path, const char *text, size_t len)
{
	for (size_t n = 0; n < len; n++) {
		struct first_error first = { .sentence = "" };
		char detail[64];
		/* The exact length, so that a read beyond it is seen by tools that watch the heap. */
		char *part = malloc(n ? n : 1);
		struct capture *c;

		if (!part)
			abort();
		memcpy(part, text, n);
		c = capture_parse(path, part, n, keep_first, &first);
		snprintf(detail, sizeof detail, "cut to %zu bytes it should be an error", n);
		check(!c && first.count > 0, path, detail);
		capture_free(c);
		free(part);
	}
}

/* Whatever a character is changed to, parser and replay come to an end. */
static void scribble(const char *path, const char *text, size_t len, const struct identity *identity)
{
	static const char pens[] = { '\0', '\n', ' ', ':', '0', '[', '.', '9', '\xff' };
	char *copy = malloc(len);

	if (!copy)
		abort();
	memcpy(copy, text, len);
	for (size_t i = 0; i < len; i++) {
		struct first_error first = { .sentence = "" };
		struct verdict verdict;
		struct capture *c;

		copy[i] = pens[i % sizeof pens];
		c = capture_parse(path, copy, len, keep_first, &first);
		check((c == NULL) == (first.count > 0), path, "an error and a capture exclude each other");
		if (c) {
			play(c, identity, NULL, &verdict);
			check(verdict.good == (verdict.why[0] == '\0'), path, "a failure needs a reason");
		}
		capture_free(c);
		copy[i] = text[i];
	}
	free(copy);
}

static unsigned try_file(const char *path)
{
	static char text[TEXT_MAX];
	struct first_error first = { .sentence = "" };
	struct capture *c = capture_load(path, keep_first, &first);
	FILE *file = fopen(path, "rb");
	const size_t len = file ? fread(text, 1, sizeof text, file) : 0;
	struct identity identity;
	struct verdict verdict;
	unsigned damaged = 0;

	check(c && len, path, first.sentence);
	if (c && find_identity(c, &identity, &verdict)) {
		damaged = damage_outs(c, &identity);
		cut_short(path, text, len);
		scribble(path, text, len, &identity);
	}
	if (file)
		fclose(file);
	capture_free(c);
	return damaged;
}

static int is_trace(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".trace") == 0;
}

static void tamper_with_all(void)
{
	struct dirent **entries;
	unsigned damaged = 0;
	char path[2048];
	int n;

	snprintf(path, sizeof path, "%s/tests/traces", source_dir());
	n = scandir(path, &entries, is_trace, alphasort);
	check(n > 0, path, "there is no capture; set srcdir to the folder of the sources");
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/tests/traces/%s", source_dir(), entries[i]->d_name);
		damaged += try_file(path);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	check(damaged > 300, "bytes that were changed", "there should be several hundred of them");
}

/* ---- texts that are no captures ---------------------------------------------------------------------------------- */

#define HEADER "reader: 04e6:5116 a reader\nsource: here\norigin: test\nabout: test\n"
#define STATUS "  out - 65 00 00 00 00 00 04 00 00 00\n  in - 81 00 00 00 00 00 04 01 00 00\n"

static const struct {
	const char *text;
	unsigned line;
	const char *says;
} wrong[] = {
	{ "", 0, "lacks \"reader:\"" },
	{ HEADER "do open", 5, "cut short" },
	{ HEADER "end\n", 0, "no step" },
	{ HEADER "do open\nexpect OC_OK\n", 0, "\"end\"" },
	{ HEADER "do open\nend\n", 6, "has no \"expect\"" },
	{ HEADER "do open\ndo presence\n", 6, "line 5 has no \"expect\" yet" },
	{ HEADER "do dance\n", 5, "\"dance\" is nothing that an application can ask for" },
	{ HEADER "do open now\n", 5, "\"now\" is too much" },
	{ HEADER "do transmit\n", 5, "bytes of the command are missing" },
	{ HEADER "do transmit into 0 00\n", 5, "from 1 to" },
	{ HEADER "do transmit 00 ..\n", 5, "left open" },
	{ HEADER "do protocol T=2\n", 5, "T=0 or T=1" },
	{ HEADER "do wait-event 600001\n", 5, "from 1 to 600000" },
	{ HEADER "expect OC_OK\n", 5, "no \"do\"" },
	{ HEADER "do open\nexpect OC_FINE\n", 6, "is no result" },
	{ HEADER "do presence\nexpect OC_OK\n", 6, "\"absent\" or \"present\"" },
	{ HEADER "do wait-event 5\nexpect OC_OK yes\n", 6, "\"quiet\" or \"event\"" },
	{ HEADER "do open\nexpect OC_OK 90 00\n", 6, "too much" },
	{ HEADER "out - 65\n", 5, "needs a \"do\"" },
	{ HEADER "do open\nout 65\n", 6, "header of 10 bytes" },
	{ HEADER "do open\nout x 65\n", 6, "microseconds" },
	{ HEADER "do open\nout - 65 01 00 00 00 00 00 00 00 00\n", 6, "dwLength says 1 bytes, but 0" },
	{ HEADER "do open\nout - 65 0g\n", 6, "\"0g\" is no byte" },
	{ HEADER "do open\nin - 65 ..\n", 6, "byte 2 of an answer is left open" },
	{ HEADER "do open\nint -\n", 6, "interrupt message are missing" },
	{ HEADER "do open\npadding 5\n", 6, "directly behind" },
	{ HEADER "do open\nmade timeout -\n", 6, "\"differs:\" line has to give the reason" },
	{ HEADER "do open\nskipped out - 65 00 00 00 00 00 00 00 00 00\n", 6, "the reason" },
	{ HEADER "do open\ndiffers: so\nskipped clear-halt\n", 7, "cannot be skipped" },
	{ HEADER "do open\ndiffers: so\nmade expect OC_OK\n", 7, "cannot be made" },
	{ HEADER "do open\ndiffers:\n", 6, "nothing follows" },
	{ HEADER "differs: so\n", 5, "needs a \"do\"" },
	{ HEADER "do open\ndiffers: so\nmade control - breaks 21\n", 7, "\"works\" or \"stalls\"" },
	{ HEADER "do open\ndiffers: so\nmade control - works 21\n", 7, "8 bytes of setup" },
	{ HEADER "missing 1\n", 5, "which messages" },
	{ HEADER "dance\n", 5, "no kind of line" },
	{ HEADER "made\n", 5, "no kind of line" },
	{ HEADER "colour: red\n", 5, "no key of the header" },
	{ HEADER "about: again\n", 5, "there twice" },
	{ HEADER "do open\nfirmware: 01.00\n", 6, "before the first step" },
	{ HEADER "firmware: 1\n", 5, "bcdDevice" },
	{ HEADER "interface: 256\n", 5, "from 0 to 255" },
	{ HEADER "endpoints: 4\n", 5, "from 2 to 3" },
	{ HEADER "level: high\n", 5, "none of character" },
	{ HEADER "within: 0\n", 5, "from 1" },
	{ HEADER "descriptor: 36 21\n", 5, "54 bytes, these are 2" },
	{ HEADER "before: power-up 3B 00\n", 5, "first \"before\" line" },
	{ HEADER "before: open\nbefore: open\n", 6, "no other" },
	{ HEADER "before: open\nbefore: power-up 3B\n", 6, "2 to 33" },
	{ HEADER "before: presence\n", 5, "only open, power-up, protocol and transmit" },
	{ HEADER "note: caf\xc3\xa9\n", 5, "printable ASCII" },
	{ HEADER "do open\nexpect OC_OK\nend\nmore\n", 8, "nothing may follow" },
	{ "reader: 4e6:5116 x\n", 1, "four hexadecimal digits" },
	{ "reader: 04e6:5116\n", 1, "name of the reader is missing" },
	{ "reader: - x\nsource: a\norigin: a\nabout: a\n", 0, "needs a \"descriptor:\"" },
};

static void wrong_texts_are_refused(void)
{
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct first_error first = { .sentence = "no error" };
		struct capture *c =
			capture_parse("wrong", wrong[i].text, strlen(wrong[i].text), keep_first, &first);

		check(!c, wrong[i].text, "was taken for a capture");
		check(first.line == wrong[i].line && strstr(first.sentence, wrong[i].says), wrong[i].text,
		      first.sentence);
		capture_free(c);
	}
}

static void errors_are_counted_out(void)
{
	struct first_error first = { .sentence = "" };
	char text[200];

	memset(text, '\n', sizeof text);
	for (size_t i = 0; i < sizeof text; i += 2)
		text[i] = '?';
	check(!capture_parse("many", text, sizeof text, keep_first, &first), "many errors", "was accepted");
	check(first.count == CAPTURE_ERRORS_MAX, "many errors", "their number is not bounded");
}

/* ---- what the replay notices ------------------------------------------------------------------------------------- */

#define OPEN     HEADER "before: open\n"
#define T1       OPEN "before: power-up 3B 80 81 31 FE 45 8B\nbefore: protocol T=1\n"
#define T1_SHORT OPEN "before: power-up 3B 80 81 31 20 45 55\nbefore: protocol T=1\n"
#define ELEVEN   "01 02 03 04 05 06 07 08 09 0A 0B "
/* One command over T=1: PCB and LRC of the block, and the card's block but for its NAD */
#define SELECT(pcb, lrc, answer)                                                                        \
	"do transmit 00 A4 04 00\n  out - 6F 08 00 00 00 00 04 00 00 00 00 " pcb " 04 00 A4 04 00 " lrc \
	"\n  in - 80 06 00 00 00 00 04 00 00 00 00 " answer "\nexpect OC_OK 90 00\nend\n"
#define ACTIVE                                                 \
	"do presence\n  out - 65 00 00 00 00 00 04 00 00 00\n" \
	"  in - 81 00 00 00 00 00 04 00 00 00\nexpect OC_OK present\nend\n"
#define DESCRIPTOR                                                                          \
	"36 21 10 01 00 01 03 00 00 00 a0 0f 00 00 40 1f 00 00 00 01 2a 00 00 29 40 05 00 " \
	"00 fc 00 00 00 00 00 00 00 00 00 00 00 ba 00 01 00 0f 01 00 00 ff ff 00 00 00 01\n"

static const struct {
	const char *text;
	const char *says; /* NULL: nothing, it is good */
} runs[] = {
	{ OPEN "do presence\n" STATUS "expect OC_OK present\nend\n", NULL },
	/* the driver's numbers are mapped, and a stale answer is dropped */
	{ OPEN "do presence\n  out - 65 00 00 00 00 00 FF 00 00 00\n  in - 81 00 00 00 00 00 FE 00 00 00\n"
	       "  in - 81 00 00 00 00 00 FF 02 00 00\nexpect OC_OK absent\nend\n",
	  NULL },
	{ OPEN "do presence\n" STATUS "expect OC_OK absent\nend\n", "wrong:9: expected \"absent\"" },
	{ OPEN "do presence\n" STATUS "expect OC_E_MUTE\nend\n", "returned OC_OK" },
	{ OPEN "do presence\n" STATUS STATUS "expect OC_OK present\nend\n",
	  "wrong:9: the driver came to an end, where PC_to_RDR_GetSlotStatus was expected" },
	{ OPEN "do presence\nexpect OC_OK present\nend\n",
	  "wrong:7: expected the end of the action, but the driver sent PC_to_RDR_GetSlotStatus" },
	{ OPEN "do presence\n  out - 65 00 00 00 00 00 04 00 00 00\nexpect OC_OK present\nend\n",
	  "wrong:8: expected the end of the action, but the driver waits for an answer" },
	{ OPEN "do presence\n  out - 63 00 00 00 00 00 04 00 00 00\nexpect OC_OK present\nend\n",
	  "wrong:7: expected PC_to_RDR_IccPowerOff, but the driver sent PC_to_RDR_GetSlotStatus: byte 1 "
	  "(bMessageType) should be 63 and is 65" },
	{ OPEN "do presence\n  out - 65 01 00 00 00 00 04 00 00 00 00\nexpect OC_OK present\nend\n",
	  "byte 2 (dwLength)" },
	{ OPEN "do presence\n  out - 65 [01] 00 00 00 00 04 00 00 00 00\nexpect OC_OK present\nend\n",
	  "a message of 11 bytes, but the driver sent 10" },
	{ OPEN "do presence\n" STATUS "expect OC_OK present\ndo presence\n" STATUS
	       "expect OC_OK present\nend\n",
	  "wrong:11: this message has bSeq 04 where 05 comes next" },
	{ OPEN "int 5 50 03\ndo presence\n" STATUS "expect OC_OK present\nend\n",
	  "wrong:6: the driver never fetched" },
	{ OPEN "do wait-event 100\n  int 200000 50 03\nexpect OC_OK event\nend\n", "was \"quiet\"" },
	{ OPEN "within: 50\ndo wait-event 100\nexpect OC_OK quiet\nend\n", "it took 100 ms" },
	{ OPEN "do presence\n  timeout -\n" STATUS "expect OC_OK present\nend\n",
	  "wrong:7: expected waiting for an answer that does not come, but the driver sent" },
	{ OPEN "do presence\n  out - 65 00 00 00 00 00 04 00 00 00\n  timeout -\nexpect OC_E_TIMEOUT\nend\n",
	  "wrong:9: expected the end of the action, but the driver made a control request: 21 01" },
	{ OPEN "do presence\n  out - 65 00 00 00 00 00 04 00 00 00\n  timeout -\n"
	       "  control - stalls 21 01 00 .. 01 00 00 00\nexpect OC_E_TIMEOUT\nend\n",
	  "wrong:9: the driver made another control request" },
	{ OPEN "do presence\n  out - 65 00 00 00 00 00 04 00 00 00\n  timeout -\n"
	       "  control - stalls 21 01 00 .. 00 00 00 00\nexpect OC_E_TIMEOUT\nend\n",
	  "wrong:10: expected the end of the action, but the driver cleared the halt" },
	/* padding that ends with the read: only time tells that there is no more of it */
	{ OPEN "do presence\n" STATUS "  padding 502\nexpect OC_OK present\ndo presence\n"
	       "  out - 65 00 00 00 00 00 05 00 00 00\n  in - 81 00 00 00 00 00 05 02 00 00\n"
	       "expect OC_OK absent\nend\n",
	  NULL },
	/* ABORT that is accepted: the message that follows has its number */
	{ OPEN "do presence\n  out - 65 00 00 00 00 00 04 00 00 00\n  timeout -\n"
	       "  control - works 21 01 00 .. 00 00 00 00\n  out - 72 00 00 00 00 00 05 00 00 00\n"
	       "  in - 81 00 00 00 00 00 05 00 00 00\nexpect OC_E_TIMEOUT\nend\n",
	  NULL },
	{ HEADER "do presence\nexpect OC_OK present\nend\n", "the reader is not open yet" },
	/* the reader before the capture: T=1, with a command in one block, in two, and in none */
	{ T1 "before: transmit 00 A4 04 00\n" SELECT("40", "E4", "40 02 90 00 D2"), NULL },
	{ T1_SHORT "before: transmit 00 D6 00 00 21 " ELEVEN ELEVEN ELEVEN
		   "\n" SELECT("00", "A4", "40 02 90 00 D2"),
	  NULL },
	{ T1 SELECT("40", "E4", "40 02 90 00 D2"), "byte 12 (payload) should be 40 and is 00" },
	/* the reader before the capture: PPS at T=1, the CRC as EDC, and T=0 */
	{ OPEN "before: power-up 3B 90 95 81 31 FE 45 0E\nbefore: protocol T=1\n" SELECT("00", "A4",
											 "00 02 90 00 92"),
	  NULL },
	{ OPEN "before: power-up 3B 80 81 71 FE 45 01 CA\nbefore: protocol T=1\nbefore: transmit 00 A4 04 "
	       "00\n" ACTIVE,
	  NULL },
	{ OPEN "before: power-up 3B 00\nbefore: transmit 00 A4 00 00 02 3F 00\n" ACTIVE, NULL },
	{ OPEN "before: power-up 3B 00\nbefore: transmit 00\ndo presence\n" STATUS
	       "expect OC_OK present\nend\n",
	  "wrong:7: the state before the capture was not reached" },
	/* the card is pulled during a T=1 command */
	{ T1 "do transmit 00 A4 04 00\n  out - 6F 08 00 00 00 00 04 00 00 00 00 00 04 00 A4 04 00 A4\n"
	     "  in - 80 00 00 00 00 00 04 42 FE 00\nexpect OC_E_NO_CARD\nend\n",
	  NULL },
	{ OPEN "do open\nexpect OC_OK\nend\n", "the reader is open already" },
	{ OPEN "before: power-up 3B 00\nbefore: protocol T=1\ndo presence\n" STATUS
	       "expect OC_OK present\nend\n",
	  "wrong:7: the state before the capture was not reached" },
	{ OPEN "do power-up\n  out - 62 00 00 00 00 00 04 00 00 00\n"
	       "  in - 80 02 00 00 00 00 04 00 00 00 3B 00\nexpect OC_OK 3B 01\nend\n",
	  "wrong:9: expected 2 bytes, the driver returned 2; they differ from byte 2 on" },
	{ OPEN "do power-up\n  out - 62 00 00 00 00 00 04 00 00 00\n"
	       "  in - 80 02 00 00 00 00 04 00 00 00 3B 00\nexpect OC_OK 3B\nend\n",
	  "expected 1 bytes, the driver returned 2" },
	{ OPEN "endpoints: 2\ndescriptor: " DESCRIPTOR "do wait-event 5\nexpect OC_OK quiet\nend\n",
	  "no interrupt endpoint" },
	{ "reader: 0000:ffff x\nsource: a\norigin: a\nabout: a\ndo open\nexpect OC_OK\nend\n",
	  "no unit of 0000:ffff" },
};

static void deviations_are_told(void)
{
	for (size_t i = 0; i < COUNT(runs); i++) {
		struct first_error first = { .sentence = "" };
		struct capture *c =
			capture_parse("wrong", runs[i].text, strlen(runs[i].text), keep_first, &first);
		struct verdict verdict = { .good = true };
		struct identity identity;

		check(c != NULL, runs[i].text, first.sentence);
		if (c && find_identity(c, &identity, &verdict))
			play(c, &identity, NULL, &verdict);
		check(verdict.good == !runs[i].says, runs[i].text, verdict.why);
		if (runs[i].says && !verdict.good)
			check(strstr(verdict.why, runs[i].says) != NULL, runs[i].text, verdict.why);
		capture_free(c);
	}
}

/* A driver whose numbers jump, which the real one never does. */
static void numbers_must_go_on(void)
{
	static const char text[] = OPEN "do presence\n" STATUS "expect OC_OK present\nend\n";
	uint8_t out[10] = { 0x65, [6] = 9 };
	uint8_t in[64];
	struct first_error first = { .sentence = "" };
	struct capture *c = capture_parse("jump", text, sizeof text - 1, keep_first, &first);
	struct replay *replay = c ? replay_new(c) : NULL;
	struct transport *t = replay ? replay_transport(replay) : NULL;
	size_t len = 0;

	if (!t) {
		check(false, "a driver whose numbers jump", first.sentence);
		return;
	}
	replay_before(replay, &c->before[0]);
	check(t->ops->send(t, out, sizeof out, in, sizeof in, 1) == OC_OK &&
		      t->ops->recv(t, &len, 10) == OC_OK && len == 10 && in[6] == 9,
	      "a driver whose numbers jump", "the first message should pass");
	replay_begin(replay);
	out[6] = 11;
	check(t->ops->send(t, out, sizeof out, in, sizeof in, 1) == OC_E_GONE && replay_failure(replay) &&
		      strstr(replay_failure(replay), "bSeq 0B where its next number is 0A"),
	      "a driver whose numbers jump", "the jump went unnoticed");
	replay_free(replay);
	capture_free(c);
}

int main(void)
{
	wrong_texts_are_refused();
	errors_are_counted_out();
	deviations_are_told();
	numbers_must_go_on();
	tamper_with_all();
	printf("%s - %u of %u checks failed\n", bad ? "not ok" : "ok", bad, checks);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
