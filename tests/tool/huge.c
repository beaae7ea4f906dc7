/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * usage: tests/tool/huge FORM MEGABYTES COMMAND... - write a capture of that size into a pipe that is the standard input of a command,
 * throw away what the command says, and print how much memory it took at most, in kilobytes. Ends as the command did.
 */
#include "pcap_writer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

/* ---- one exchange after the other -------------------------------------------------------------------------------- */

enum { EXCHANGES = 3, TO_READER = 0, TO_HOST = 1 };

/* A command, one with a PIN, and one that takes its time; the sequence number is filled in. */
static const struct {
	const char *bytes[2];
	size_t len[2];
	unsigned us; /* until the answer */
} exchanges[EXCHANGES] = {
	{ { "\x6F\7\0\0\0\0\0\0\0\0\0\xA4\0\x0C\2\x3F\0", "\x80\2\0\0\0\0\0\0\0\0\x90\0" },
	  { 17, 12 },
	  5000 },
	{ { "\x6F\x9\0\0\0\0\0\0\0\0\0\x20\0\x82\4\x31\x32\x33\x34", "\x80\2\0\0\0\0\0\0\0\0\x90\0" },
	  { 19, 12 },
	  900 },
	{ { "\x6F\5\0\0\0\0\0\0\0\0\0\xB0\0\0\x10", "\x80\x12\0\0\0\0\0\0\0\0\x10\x11\x12\x13\x14\x15\x16\x17"
						    "\x18\x19\x1A\x1B\x1C\x1D\x1E\x1F\x90\0" },
	  { 15, 28 },
	  120000 },
};

struct source {
	FILE *to;
	struct pcap_writer writer;
	uint64_t us;
	unsigned long exchange;
};

typedef void put_message(struct source *s, const uint8_t *bytes, size_t len, bool in, unsigned us);

static void put_in_log(struct source *s, const uint8_t *bytes, size_t len, bool in, unsigned us)
{
	fprintf(s->to, "%08u %s 000000", us, in ? "<-" : "->");
	for (size_t i = 0; i < len; i++)
		fprintf(s->to, " %02X", bytes[i]);
	fputc('\n', s->to);
}

static void put_in_pcap(struct source *s, const uint8_t *bytes, size_t len, bool in, unsigned us)
{
	(void)us;
	writer_event(&s->writer,
		     &(struct event){
			     .kind = in ? EVENT_IN : EVENT_OUT, .us = s->us, .bytes = bytes, .len = len });
}

static void put_exchange(struct source *s, put_message *put)
{
	const size_t n = s->exchange++ % EXCHANGES;
	uint8_t bytes[64];

	for (int way = TO_READER; way <= TO_HOST; way++) {
		const unsigned us = way == TO_HOST ? exchanges[n].us : 41;

		memcpy(bytes, exchanges[n].bytes[way], exchanges[n].len[way]);
		bytes[6] = (uint8_t)s->exchange;
		s->us += us;
		put(s, bytes, exchanges[n].len[way], way == TO_HOST, us);
	}
}

static const struct {
	const char *word;
	put_message *put;
	enum pcap_form form;
} forms[] = {
	{ "log", put_in_log, FORMS },
	{ "pcap", put_in_pcap, FORM_USBMON_64 },
	{ "usbpcap", put_in_pcap, FORM_USBPCAP },
	{ "pcapng", put_in_pcap, FORM_MIXED },
};

/* The size of what is in a pipe is what was counted on its way. */
static void write_capture(size_t form, off_t size, int pipe)
{
	struct source s = { .to = fdopen(pipe, "wb") };
	off_t written = 0;
	char *text;
	size_t len;

	while (s.to && written < size && !ferror(s.to)) {
		FILE *const to = s.to;

		s.to = s.writer.file = open_memstream(&text, &len);
		if (!s.to)
			break;
		if (written == 0 && forms[form].form != FORMS)
			writer_begin(&s.writer, forms[form].form, s.to);
		for (int i = 0; i < 1000; i++)
			put_exchange(&s, forms[form].put);
		fclose(s.to);
		s.to = to;
		fwrite(text, 1, len, to);
		written += (off_t)len;
		free(text);
	}
	_exit(s.to && fclose(s.to) == 0 ? 0 : 1);
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static void run(char **command, int from)
{
	const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (nowhere >= 0 && dup2(from, STDIN_FILENO) >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0)
		execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

int main(int argc, char **argv)
{
	const long megabytes = argc > 3 ? strtol(argv[2], NULL, 10) : 0;
	struct rusage usage;
	size_t form = 0;
	int ends[2], status, written;
	pid_t writer, command;

	while (argc > 3 && form < sizeof forms / sizeof forms[0] && strcmp(forms[form].word, argv[1]) != 0)
		form++;
	if (megabytes <= 0 || form == sizeof forms / sizeof forms[0] || pipe2(ends, O_CLOEXEC) != 0) {
		fputs("usage: huge log|pcap|usbpcap|pcapng MEGABYTES COMMAND...\n", stderr);
		return 2;
	}
	writer = fork();
	if (writer == 0)
		write_capture(form, (off_t)megabytes << 20, ends[1]);
	command = fork();
	if (command == 0)
		run(argv + 3, ends[0]);
	close(ends[0]);
	close(ends[1]);
	if (wait4(command, &status, 0, &usage) < 0 || waitpid(writer, &written, 0) < 0 || written != 0)
		return 2;
	printf("%ld\n", usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
