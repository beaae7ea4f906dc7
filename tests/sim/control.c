/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control socket: one line of words in, text out, first "ok" or "error: why". */
#include "sim.h"

#include "loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 1024, WORDS_MAX = 64, PART = 4096, SUSPEND_MS = 60000, LATENCY_MAX_MS = 60000 };

struct request {
	struct sim *sim;
	int argc; /* words after the verb */
	char **argv;
	FILE *out; /* text after "ok" */
};

static const char *const unplugged = "the reader is not plugged in";

/* Decimal, or hexadecimal with 0x; false if it is something else or too big. */
static bool number(const char *word, int base, unsigned long max, unsigned *value)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(word, &end, base);
	if (errno || end == word || *end || v > max)
		return false;
	*value = (unsigned)v;
	return true;
}

static bool slot_of(const struct request *q, unsigned *slot)
{
	*slot = 0;
	return q->argc == 0 || number(q->argv[0], 10, SIM_SLOTS - 1, slot);
}

static const char *do_insert(struct request *q)
{
	unsigned slot;

	return slot_of(q, &slot) ? sim_insert(q->sim, slot) : "the slot is a number from 0 on";
}

static const char *do_remove(struct request *q)
{
	unsigned slot;

	return slot_of(q, &slot) ? sim_remove(q->sim, slot) : "the slot is a number from 0 on";
}

static const char *do_swap(struct request *q)
{
	const char *wrong = do_remove(q);

	return wrong ? wrong : do_insert(q);
}

static const char *do_plug(struct request *q)
{
	return sim_plug(q->sim);
}

/* Programs under the preload find that the system has slept; see preload.c. */
static bool let_clock_run(const struct sim *sim, unsigned ms)
{
	unsigned long slept = 0;
	FILE *file = fopen(sim->slept, "re");
	bool done;

	if (file && fscanf(file, "%lu", &slept) != 1)
		slept = 0;
	if (file)
		fclose(file);
	file = fopen(sim->slept, "we");
	if (!file)
		return false;
	done = fprintf(file, "%lu\n", slept + ms) > 0;
	return fclose(file) == 0 && done;
}

static const char *do_suspend(struct request *q)
{
	const bool claims = q->argc > 0 && strcmp(q->argv[0], "powered") == 0;

	if (!q->sim->dev)
		return unplugged;
	if (q->argc > 0 && !claims)
		return "write \"suspend\", or \"suspend powered\" where the port keeps its power";
	if (!let_clock_run(q->sim, SUSPEND_MS))
		return "the clock of the system cannot be set";
	usb_suspend(q->sim->dev, claims);
	return NULL;
}

static const char *do_reset(struct request *q)
{
	if (!q->sim->dev)
		return unplugged;
	usb_reset_by_other(q->sim->dev);
	return NULL;
}

static const char *do_unplug(struct request *q)
{
	return sim_unplug(q->sim);
}

/* The next card: in a word, in hexadecimal bytes, or in a file that holds them. */
static const char *do_card(struct request *q)
{
	char text[LINE_MAX_LEN] = "";
	FILE *file;

	if (q->argc == 0)
		return "say which card: t0, t1, dual, openpgp, the bytes of an ATR, or a file with them";
	for (int i = 0; i < q->argc; i++)
		strncat(text, q->argv[i], sizeof text - strlen(text) - 1);
	file = q->argc == 1 ? fopen(q->argv[0], "re") : NULL;
	if (file) {
		text[fread(text, 1, sizeof text - 1, file)] = '\0';
		fclose(file);
	}
	return sim_card_spec_parse(text, &q->sim->next);
}

static const char *do_supply(struct request *q)
{
	unsigned supplies = 0;

	for (int i = 0; i < q->argc; i++) {
		const char *w = q->argv[i];

		supplies |= strcmp(w, "5") == 0     ? SIM_5V
			    : strcmp(w, "3") == 0   ? SIM_3V
			    : strcmp(w, "1.8") == 0 ? SIM_1V8
						    : 0;
	}
	if (!supplies)
		return "name the volts the next card works at: 5, 3, 1.8";
	q->sim->supplies = supplies;
	return NULL;
}

/* Of a device with several readers the first one has the faults. */
static struct sim_reader *first_reader(const struct request *q)
{
	return q->sim->dev->function[0].reader;
}

/* [TYPE|any] [COUNT] [after N] [ins XX], in this order, each may be missing */
static const char *parse_fault(const struct request *q, int at, struct sim_fault *fault)
{
	unsigned value;

	if (at < q->argc && strcmp(q->argv[at], "any") == 0) {
		at++;
	} else if (at < q->argc && strlen(q->argv[at]) == 2 && number(q->argv[at], 16, 0xFF, &value)) {
		fault->type = (int)value;
		at++;
	}
	if (at < q->argc && number(q->argv[at], 10, 1000000, &fault->count))
		at++;
	for (; at + 1 < q->argc; at += 2) {
		if (strcmp(q->argv[at], "after") == 0 && number(q->argv[at + 1], 10, 1000000, &fault->after))
			continue;
		if (strcmp(q->argv[at], "ins") != 0 || !number(q->argv[at + 1], 16, 0xFF, &value))
			break;
		fault->ins = (int)value;
	}
	return at < q->argc ? "write [TYPE|any] [COUNT] [after N] [ins XX]; TYPE and INS are two hexadecimal "
			      "digits"
			    : NULL;
}

static const char *add_fault(struct request *q, int at, struct sim_fault fault)
{
	const char *why;

	if (!q->sim->dev)
		return unplugged;
	fault.type = fault.ins = -1;
	fault.count = 1;
	why = parse_fault(q, at, &fault);
	if (why)
		return why;
	return sim_reader_fault(first_reader(q), &fault) < 0 ? "too many faults wait: say \"clear\" first"
							     : NULL;
}

static const char *do_fail(struct request *q)
{
	unsigned error;

	if (q->argc == 0 || !number(q->argv[0], 16, 0xFF, &error))
		return "which bError? two hexadecimal digits, such as FE for a mute card";
	return add_fault(q, 1, (struct sim_fault){ .kind = SIM_FAULT_FAIL, .error = (uint8_t)error });
}

static const char *do_silent(struct request *q)
{
	return add_fault(q, 0, (struct sim_fault){ .kind = SIM_FAULT_SILENT });
}

static const char *do_stall(struct request *q)
{
	return add_fault(q, 0, (struct sim_fault){ .kind = SIM_FAULT_STALL });
}

static const char *do_damage(struct request *q)
{
	static const char *const kinds[SIM_DAMAGES] = { "in", "out", "parity", "lost" };
	unsigned every;

	if (!q->sim->dev)
		return unplugged;
	for (int i = 0; i < SIM_DAMAGES; i++) {
		if (q->argc != 2 || strcmp(q->argv[0], kinds[i]) != 0 ||
		    !number(q->argv[1], 10, 1000000, &every))
			continue;
		sim_reader_damage(first_reader(q), (enum sim_damage_kind)i, every);
		return NULL;
	}
	return "write in, out, parity or lost, and which blocks: 5 is every fifth, 0 none";
}

static const char *do_clear(struct request *q)
{
	if (!q->sim->dev)
		return unplugged;
	sim_reader_faults_clear(first_reader(q));
	return NULL;
}

static bool says(const struct request *q, const char *word)
{
	return q->argc == 1 && strcmp(q->argv[0], word) == 0;
}

static const char *do_hold(struct request *q)
{
	if (!q->sim->dev)
		return unplugged;
	if (!says(q, "kernel-driver") && !says(q, "process") && !says(q, "none"))
		return "who holds the interface? kernel-driver, process or none";
	q->sim->dev->kernel_driver = says(q, "kernel-driver");
	q->sim->dev->other_process = says(q, "process");
	return NULL;
}

static const char *do_access(struct request *q)
{
	if (!says(q, "deny") && !says(q, "allow"))
		return "deny or allow?";
	usbfs_server_deny(q->sim->server, says(q, "deny"));
	return NULL;
}

static const char *do_abort(struct request *q)
{
	if (!q->sim->dev)
		return unplugged;
	if (!says(q, "refuse") && !says(q, "accept"))
		return "refuse or accept?";
	sim_reader_refuse_abort(first_reader(q), says(q, "refuse"));
	return NULL;
}

static const char *do_zlp(struct request *q)
{
	if (!q->sim->dev)
		return unplugged;
	if (!says(q, "on") && !says(q, "off"))
		return "on or off?";
	q->sim->dev->no_zlp = says(q, "off");
	return NULL;
}

static const char *const no_usbip = "the reader is not shared over USB/IP: start ccid-sim with --usbip";

static const char *do_link(struct request *q)
{
	if (!q->sim->usbip)
		return no_usbip;
	if (says(q, "cut"))
		usbip_server_cut(q->sim->usbip);
	else if (says(q, "hold") || says(q, "release"))
		usbip_server_hold(q->sim->usbip, says(q, "hold"));
	else if (q->argc)
		return "cut, hold or release? or nothing, to be told whether somebody has imported the "
		       "reader";
	else
		fprintf(q->out, "%s: %s\n", usbip_server_where(q->sim->usbip),
			usbip_server_imported(q->sim->usbip) ? "imported" : "free");
	return NULL;
}

static const char *do_latency(struct request *q)
{
	unsigned ms;

	if (!q->sim->usbip)
		return no_usbip;
	if (q->argc != 1 || !number(q->argv[0], 10, LATENCY_MAX_MS, &ms))
		return "how many milliseconds does a round trip take?";
	usbip_server_delay(q->sim->usbip, ms);
	return NULL;
}

static const char *do_type(struct request *q)
{
	if (!q->sim->dev)
		return unplugged;
	return sim_reader_type(first_reader(q), q->argc, q->argv, loop_now());
}

static bool set_keypad(struct sim_reader *reader, const char *word)
{
	static const char second[] = "second=";
	unsigned ms;

	if (strncmp(word, second, sizeof second - 1) == 0 &&
	    number(word + sizeof second - 1, 10, 10000, &ms) && ms)
		sim_reader_keypad_second(reader, ms);
	else if (strcmp(word, "forget") == 0)
		sim_reader_keypad_forget(reader);
	else if (strcmp(word, "extends=on") == 0 || strcmp(word, "extends=off") == 0)
		sim_reader_keypad_extends(reader, strcmp(word, "extends=on") == 0);
	else
		return false;
	return true;
}

static const char *do_keypad(struct request *q)
{
	if (!q->sim->dev)
		return unplugged;
	for (int i = 0; i < q->argc; i++)
		if (!set_keypad(first_reader(q), q->argv[i]))
			return "write second=MS, extends=on or off, forget, or nothing to be told what it "
			       "does";
	sim_reader_keypad(first_reader(q), q->out);
	return NULL;
}

static const char *do_card_log(struct request *q)
{
	struct card_log *log;

	if (!q->sim->dev)
		return unplugged;
	log = sim_reader_card_log(first_reader(q), 0);
	if (!log)
		return "no card in slot 0, or one that follows a script";
	if (q->argc && !says(q, "clear"))
		return "write clear, or nothing to see what the card got";
	if (q->argc)
		card_log_clear(log);
	else
		card_log_print(log, q->out);
	return NULL;
}

/* Also for a reader that is plugged in later: some moods matter only while it is opened. */
static const char *do_mood(struct request *q)
{
	static const char *const words[SIM_MOODS] = { "emv", "stubborn", "out-of-step", "dead" };
	const bool on = q->argc == 2 && strcmp(q->argv[1], "on") == 0;

	if (q->argc != 2 || (!on && strcmp(q->argv[1], "off") != 0))
		return "which mood, and is it on or off?";
	for (unsigned i = 0; i < SIM_MOODS; i++) {
		if (strcmp(q->argv[0], words[i]) != 0)
			continue;
		q->sim->mood[i] = on;
		if (q->sim->dev)
			sim_reader_mood(first_reader(q), (enum sim_mood)i, on);
		return NULL;
	}
	return "emv, stubborn, out-of-step or dead?";
}

/* new: cards named before follow a script from now on, this one, which is empty; end: as if there were none */
static const char *do_script(struct request *q)
{
	struct sim_script *script = &q->sim->script;
	const char *why = NULL;

	if (q->argc == 0) {
		sim_script_report(script, q->out);
		return NULL;
	}
	if (strcmp(q->argv[0], "new") != 0 && strcmp(q->argv[0], "add") != 0 && !says(q, "end"))
		return "new, add or end?";
	if (strcmp(q->argv[0], "add") != 0)
		sim_script_clear(script, strcmp(q->argv[0], "new") == 0);
	q->sim->next.script = script;
	for (int i = 1; i < q->argc && !why; i++)
		why = sim_script_add(script, q->argv[i]);
	return why;
}

static const char *do_status(struct request *q)
{
	const struct sim_identity *id = &q->sim->identity[0];
	unsigned first = 0;

	fprintf(q->out, "reader %04x:%04x %s: %s, %u open files, %u violations\n", id->vid, id->pid,
		id->product, q->sim->dev ? "plugged in" : "unplugged", usbfs_server_files(q->sim->server),
		sim_violations(q->sim));
	for (unsigned i = 0; q->sim->dev && i < q->sim->dev->functions; i++)
		first += sim_reader_status(q->sim->dev->function[i].reader, first, q->out);
	return NULL;
}

static void clear_stats(struct sim *sim)
{
	for (unsigned i = 0; i < sim->dev->functions; i++)
		sim_reader_stats_clear(sim->dev->function[i].reader);
	sim->dev->urbs = 0;
	sim->past = 0;
}

static void add_stats(struct sim_stats *sum, const struct sim_stats *s)
{
	for (unsigned type = 0; type < 256; type++) {
		sum->out[type] += s->out[type];
		sum->in[type] += s->in[type];
	}
	sum->extensions += s->extensions;
	sum->interrupts += s->interrupts;
	sum->controls += s->controls;
}

static void print_stats(const struct sim_stats *s, FILE *out)
{
	for (unsigned type = 0; type < 256; type++) {
		const char *name = sim_message_name((uint8_t)type);

		if (s->out[type] || s->in[type])
			fprintf(out, "%02X %-28s %u\n", type, name ? name : "unknown",
				s->out[type] + s->in[type]);
	}
	fprintf(out, "time extensions %u\ninterrupts %u\nclass requests %u\n", s->extensions, s->interrupts,
		s->controls);
}

/* All readers of the device together. */
static const char *do_stats(struct request *q)
{
	struct sim_stats sum = { 0 };

	if (!q->sim->dev)
		return unplugged;
	if (says(q, "clear")) {
		clear_stats(q->sim);
		return NULL;
	}
	for (unsigned i = 0; i < q->sim->dev->functions; i++)
		add_stats(&sum, sim_reader_stats(q->sim->dev->function[i].reader));
	print_stats(&sum, q->out);
	fprintf(q->out, "transfers %u\nviolations %u\n", q->sim->dev->urbs, sim_violations(q->sim));
	fprintf(q->out, "frames of 1 ms %llu\nframes of 125 us %llu\n",
		(unsigned long long)q->sim->dev->frame[USB_FULL_SPEED],
		(unsigned long long)q->sim->dev->frame[USB_HIGH_SPEED]);
	return NULL;
}

static void print_violations(const struct sim_reader *reader, FILE *out)
{
	const char *text;

	for (unsigned i = 0; (text = sim_reader_violation(reader, i)); i++)
		fprintf(out, "%s\n", text);
}

static const char *do_violations(struct request *q)
{
	for (unsigned i = 0; i < q->sim->past && i < SIM_PAST_MAX; i++)
		fprintf(q->out, "%s\n", q->sim->past_text[i]);
	for (unsigned i = 0; q->sim->dev && i < q->sim->dev->functions; i++)
		print_violations(q->sim->dev->function[i].reader, q->out);
	return sim_violations(q->sim) ? "the host sent what it must not send" : NULL;
}

static const char *do_trace(struct request *q)
{
	if (!q->sim->dev)
		return unplugged;
	for (unsigned i = 0; i < q->sim->dev->functions; i++)
		sim_reader_trace(q->sim->dev->function[i].reader, q->out);
	return NULL;
}

static const char *do_help(struct request *q);

static const struct verb {
	const char *name, *words, *help;
	const char *(*run)(struct request *q);
} verbs[] = {
	{ "insert", "[SLOT]", "put a card in", do_insert },
	{ "remove", "[SLOT]", "take the card out", do_remove },
	{ "swap", "[SLOT]", "take the card out and put the next one in, quicker than anybody looks",
	  do_swap },
	{ "plug", "", "plug the reader in", do_plug },
	{ "unplug", "", "pull the reader out", do_unplug },
	{ "suspend", "[powered]", "the system sleeps for a minute and wakes up", do_suspend },
	{ "reset", "", "the system resets the port of the reader", do_reset },
	{ "card", "t0|t1|dual|openpgp[,WORDS]|ATR|FILE", "which card is inserted next", do_card },
	{ "script", "[new|add BLOCK|-|~ ...|end]", "let T=1 cards inserted from now on follow a script",
	  do_script },
	{ "supply", "[5] [3] [1.8]", "the volts the next card works at", do_supply },
	{ "fail", "BERROR [TYPE|any] [COUNT] [after N] [ins XX]",
	  "let commands fail, the card does not see them", do_fail },
	{ "silent", "[TYPE|any] [COUNT] [after N] [ins XX]", "swallow commands", do_silent },
	{ "stall", "[TYPE|any] [COUNT] [after N] [ins XX]", "halt the command pipe at commands", do_stall },
	{ "damage", "in|out|parity|lost N", "spoil every N-th T=1 block", do_damage },
	{ "clear", "", "forget these faults", do_clear },
	{ "hold", "kernel-driver|process|none", "somebody else has the interface (EBUSY)", do_hold },
	{ "access", "deny|allow", "opening the device node fails (EACCES)", do_access },
	{ "abort", "refuse|accept", "stall the ABORT request or obey it", do_abort },
	{ "zlp", "on|off", "end messages of whole packets with an empty packet, or not", do_zlp },
	{ "link", "[cut|hold|release]", "USB/IP: the connection breaks, or is dead until it is released",
	  do_link },
	{ "latency", "MS", "USB/IP: how long a round trip takes", do_latency },
	{ "type", "[after MS] [DIGITS] [clear] ok|cancel|none ...", "somebody types at the keypad", do_type },
	{ "keypad", "[second=MS] [extends=on|off] [forget]",
	  "what the keypad does; how long its seconds last", do_keypad },
	{ "card-log", "[clear]", "the commands that the card in slot 0 got, a line each", do_card_log },
	{ "mood", "emv|stubborn|out-of-step|dead on|off", "find the reader as some are found", do_mood },
	{ "status", "", "the reader and its slots", do_status },
	{ "stats", "[clear]", "messages, transfers, violations", do_stats },
	{ "violations", "", "what the host did wrong; fails if there is anything", do_violations },
	{ "trace", "", "the last messages", do_trace },
	{ "help", "", "this list", do_help },
};

static const char *do_help(struct request *q)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		fprintf(q->out, "%-10s %-46s %s\n", verbs[i].name, verbs[i].words, verbs[i].help);
	return NULL;
}

static const char *run_line(struct sim *sim, char *line, FILE *out)
{
	char *words[WORDS_MAX], *save = NULL;
	struct request q = { .sim = sim, .out = out };
	int count = 0;

	for (char *w = strtok_r(line, " \t\n", &save); w && count < WORDS_MAX;
	     w = strtok_r(NULL, " \t\n", &save))
		words[count++] = w;
	q.argc = count - 1;
	q.argv = words + 1;
	for (size_t i = 0; count && i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(verbs[i].name, words[0]) == 0)
			/* cppcheck-suppress returnDanglingLifetime ; what a verb returns is a text of its own */
			return verbs[i].run(&q);
	return "no such verb: \"help\" lists them";
}

/* ---- the socket ---- */

static void answer(int fd, const char *why, const char *text, size_t len)
{
	char head[256];
	int n = why ? snprintf(head, sizeof head, "error: %s\n", why) : snprintf(head, sizeof head, "ok\n");

	if (n <= 0 || send(fd, head, (size_t)n, MSG_NOSIGNAL) != n)
		return;
	while (len) {
		ssize_t sent = send(fd, text, len < PART ? len : PART, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		text += sent;
		len -= (size_t)sent;
	}
}

static void on_line(void *arg, int fd)
{
	char line[LINE_MAX_LEN], *text = NULL;
	size_t len = 0;
	ssize_t got = recv(fd, line, sizeof line - 1, MSG_DONTWAIT);
	FILE *out = got > 0 ? open_memstream(&text, &len) : NULL;

	if (out) {
		const char *why;

		line[got] = '\0';
		why = run_line(arg, line, out);
		fclose(out);
		answer(fd, why, text, len);
		free(text);
	}
	loop_remove(fd);
	close(fd);
}

static void on_connection(void *arg, int listener)
{
	/* a client that does not read its answer must not hold everybody up for long */
	const struct timeval limit = { .tv_sec = 2 };
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (loop_add(fd, on_line, arg) < 0)
		close(fd);
}

static int control_socket(const char *path, struct sockaddr_un *addr)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof addr->sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(addr->sun_path, path, strlen(path) + 1);
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

int control_listen(struct sim *sim, const char *path)
{
	struct sockaddr_un addr;
	int fd = control_socket(path, &addr);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)(const void *)&addr, sizeof addr) == 0 &&
	    listen(fd, 8) == 0 && loop_add(fd, on_connection, sim) == 0)
		return 0;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int print_answer(int fd)
{
	char buf[PART];
	int result = 1;
	bool first = true;

	for (;;) {
		ssize_t got = recv(fd, buf, sizeof buf, 0);

		if (got <= 0)
			return result;
		if (first)
			result = strncmp(buf, "ok", 2) == 0 ? 0 : 1;
		if (first)
			fwrite(buf, 1, result ? (size_t)got : 0, stderr);
		else
			fwrite(buf, 1, (size_t)got, stdout);
		first = false;
	}
}

int control_client(int argc, char **argv)
{
	const char *path = getenv("CCID_SIM_CONTROL");
	struct sockaddr_un addr;
	char line[LINE_MAX_LEN] = "";
	int fd, result;

	if (!path) {
		fputs("ccid-sim: CCID_SIM_CONTROL is not set: run this inside a ccid-sim, or source what it "
		      "printed\n",
		      stderr);
		return 1;
	}
	for (int i = 0; i < argc; i++) {
		strncat(line, argv[i], sizeof line - strlen(line) - 2);
		strcat(line, " ");
	}
	fd = control_socket(path, &addr);
	if (fd < 0 || connect(fd, (const struct sockaddr *)(const void *)&addr, sizeof addr) < 0) {
		fprintf(stderr, "ccid-sim: nobody listens at %s (%s): is the simulator still running?\n",
			path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return 1;
	}
	result = send(fd, line, strlen(line) + 1, MSG_NOSIGNAL) < 0 ? 1 : print_answer(fd);
	close(fd);
	return result;
}
