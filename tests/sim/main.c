/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ccid-sim: a simulated reader on a simulated bus, with or without pcscd, around a command. */
#include "children.h"
#include "loop.h"
#include "parts.h"
#include "sim.h"
#include "usbfs_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_MS = 30000, OPENED_MS = 5000, END_MS = 5000, SETTLE_MS = 20 };

struct options {
	struct child_options child;
	const char *reader, *readers, *card;
	bool pcscd, list, whole;
	const char *usbip; /* where to listen, or NULL */
	unsigned count;    /* of readers */
	char **command;    /* NULL: stay */
};

struct processes {
	pid_t pcscd, command;
	int command_status, pcscd_status;
};

static volatile sig_atomic_t caught; /* SIGINT and the like */
static int wake[2];

static void on_signal(int sig)
{
	const int saved = errno;

	if (sig != SIGCHLD)
		caught = sig;
	if (write(wake[1], "", 1) < 0) {
		/* the pipe is full: then the loop wakes up anyway */
	}
	errno = saved;
}

static void on_wake(void *arg, int fd)
{
	char bytes[64];

	(void)arg;
	if (read(fd, bytes, sizeof bytes) < 0) {
		/* nothing there any more: somebody was quicker */
	}
}

static int catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0 || loop_add(wake[0], on_wake, NULL) < 0)
		return -1;
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		sigaction(signals[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

static void reap(struct processes *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == p->pcscd) {
			p->pcscd = 0;
			p->pcscd_status = status;
		} else if (pid == p->command) {
			p->command = 0;
			p->command_status = status;
		}
	}
}

/* One round of everything. */
static uint64_t move_data(struct sim *sim)
{
	const uint64_t here = usbfs_server_run(sim->server, loop_now());
	const uint64_t there = sim->usbip ? usbip_server_run(sim->usbip, loop_now()) : SIM_NEVER;

	return here < there ? here : there;
}

static void turn(struct sim *sim, struct processes *p, uint64_t until)
{
	const uint64_t next = move_data(sim);

	loop_once(next < until ? next : until);
	move_data(sim);
	reap(p);
}

/* ---- pcscd ---- */

static void show_log(const struct places *places, const struct options *o)
{
	const char *path = o->child.log ? o->child.log : places->log;
	char line[512];
	FILE *log = strcmp(path, "-") == 0 ? NULL : fopen(path, "re");

	while (log && fgets(line, sizeof line, log))
		fprintf(stderr, "pcscd: %s", line);
	if (log)
		fclose(log);
}

static bool claimed(const struct sim *sim)
{
	for (size_t i = 0; sim->dev && i < USB_FILES_MAX; i++)
		if (sim->dev->files[i] && sim->dev->files[i]->claimed)
			return true;
	return false;
}

/* Until a client can connect; then a moment more for the driver to take the reader, which it need not do. */
static int wait_for_pcscd(struct sim *sim, struct processes *p, const struct places *places)
{
	uint64_t end = loop_now() + READY_MS;

	while (p->pcscd && !caught && !children_pcscd_ready(places)) {
		if (loop_now() > end)
			return -1;
		turn(sim, p, loop_now() + SETTLE_MS);
	}
	end = loop_now() + OPENED_MS;
	while (p->pcscd && !caught && !claimed(sim) && loop_now() < end)
		turn(sim, p, loop_now() + SETTLE_MS);
	return p->pcscd || caught ? 0 : -1;
}

static int start_pcscd(struct sim *sim, struct processes *p, const struct places *places,
		       const struct options *o)
{
	p->pcscd = children_pcscd(places, &o->child);
	if (p->pcscd && wait_for_pcscd(sim, p, places) == 0)
		return 0;
	fputs("ccid-sim: pcscd did not start, or does not answer. Its log:\n", stderr);
	show_log(places, o);
	return -1;
}

/* A process that does not end when asked is killed; it is served meanwhile, as it may be closing the reader. */
static void stop(struct sim *sim, struct processes *p, const pid_t *pid)
{
	const uint64_t end = loop_now() + END_MS;

	if (*pid)
		kill(*pid, SIGTERM);
	while (*pid && loop_now() < end)
		turn(sim, p, loop_now() + SETTLE_MS);
	if (*pid)
		kill(*pid, SIGKILL);
	while (*pid)
		turn(sim, p, loop_now() + SETTLE_MS);
}

/* ---- the whole ---- */

static int exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_command(struct sim *sim, struct processes *p, const struct places *places,
		       const struct options *o)
{
	if (o->command)
		p->command = children_command(places, &o->child, o->command);
	else if (sim->usbip)
		children_print_usbip(places, usbip_server_where(sim->usbip));
	else
		children_print_environment(places, &o->child, o->pcscd);
	while (!caught && (o->command ? p->command != 0 : true)) {
		turn(sim, p, SIM_NEVER);
		if (o->pcscd && !p->pcscd && !caught && p->command) {
			fprintf(stderr, "ccid-sim: pcscd ended (status %d) while the command was running\n",
				exit_code(p->pcscd_status));
			break;
		}
	}
	stop(sim, p, &p->command);
	if (caught)
		return 128 + caught;
	return o->command ? exit_code(p->command_status) : 0;
}

/* Where the reader can be found: on the pretended bus of this machine, or by other kernels. */
static int open_bus(struct sim *sim, const struct options *o)
{
	if (o->usbip) {
		sim->usbip = usbip_server_new(o->usbip);
		if (sim->usbip)
			return setenv(SIM_ENV_USBIP, usbip_server_where(sim->usbip), 1);
		fprintf(stderr, "ccid-sim: cannot listen at %s: %s\n", o->usbip, strerror(errno));
		return -1;
	}
	sim->bed = testbed_new();
	if (sim->bed)
		return 0;
	fputs("ccid-sim: libumockdev-preload.so.0 did not load: is umockdev installed?\n", stderr);
	return -1;
}

static int run(struct sim *sim, const struct places *places, const struct options *o)
{
	struct processes p = { 0 };
	const char *why;
	int result = 1;

	snprintf(sim->slept, sizeof sim->slept, "%s" SIM_SLEPT, places->usbfs);
	sim->server = usbfs_server_new(places->usbfs);
	if (!sim->server || control_listen(sim, places->control) < 0 || catch_signals() < 0) {
		fprintf(stderr, "ccid-sim: cannot listen in %s: %s\n", places->dir, strerror(errno));
		return 1;
	}
	if (open_bus(sim, o) < 0)
		return 1;
	sim_plug(sim);
	if (o->count > 1 && (why = sim_plug_more(sim, o->count - 1))) {
		fprintf(stderr, "ccid-sim: %s\n", why);
		return 1;
	}
	if (!o->pcscd || start_pcscd(sim, &p, places, o) == 0)
		result = run_command(sim, &p, places, o);
	stop(sim, &p, &p.pcscd);
	usbip_server_free(sim->usbip);
	usbfs_server_free(sim->server);
	sim->dev = NULL;
	sim_free_more(sim);
	if (sim->bed)
		testbed_free(sim->bed);
	return result;
}

static const char usage[] =
	"usage: ccid-sim [OPTIONS] [-- COMMAND ARGS...]\n"
	"       ccid-sim ctl VERB [WORDS...]\n"
	"       ccid-sim --list\n"
	"\n"
	"Plugs a simulated smart-card reader into a simulated USB bus and runs COMMAND there, or stays until "
	"Ctrl-C.\n"
	"\n"
	"  --reader VID:PID[@bcd][/interface]  which reader (default: 04e6:5116, an SCR3310 that needs no "
	"file)\n"
	"  --whole          all CCID interfaces of that device, not only the first one that fits\n"
	"  --count N        that many of it; ctl and the card are for the first one\n"
	"  --readers DIR    folder of .reader files (default: $CCID_SIM_READERS, or those of the sources, or "
	"installed)\n"
	"  --firmware BB.BB its bcdDevice, whatever the file says\n"
	"  --habits VID:PID[@bcd]|none  it asks for PINs, and takes Escape commands, as that product does\n"
	"  --serial TEXT    give the reader a serial number\n"
	"  --card CARD|none the card in slot 0 at the start (default: t0); README.md lists what a CARD may "
	"be\n"
	"  --atr BYTES      its ATR\n"
	"  --pcscd          start pcscd there; clients find it by PCSCLITE_CSOCK_NAME, which COMMAND has\n"
	"  --drivers DIR    show pcscd this folder instead of its own driver folder\n"
	"  --debug          pcscd logs everything\n"
	"  --log FILE       where it logs to; - is stderr\n"
	"  --no-preload     COMMAND talks to pcscd only and shall not see the USB device\n"
	"  --usbip [ADDRESS:]PORT  no pretended bus: other kernels can attach the reader, over USB/IP\n"
	"  --list           the readers that can be plugged in\n"
	"\n"
	"The exit code is COMMAND's. \"ccid-sim ctl help\" lists what can be done to the reader meanwhile.\n";

enum {
	OPT_READER = 256,
	OPT_READERS,
	OPT_WHOLE,
	OPT_COUNT,
	OPT_SERIAL,
	OPT_FIRMWARE,
	OPT_HABITS,
	OPT_CARD,
	OPT_ATR,
	OPT_PCSCD,
	OPT_DRIVERS,
	OPT_DEBUG,
	OPT_LOG,
	OPT_NO_PRELOAD,
	OPT_USBIP,
	OPT_LIST,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "reader", required_argument, NULL, OPT_READER },
	{ "readers", required_argument, NULL, OPT_READERS },
	{ "whole", no_argument, NULL, OPT_WHOLE },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "serial", required_argument, NULL, OPT_SERIAL },
	{ "firmware", required_argument, NULL, OPT_FIRMWARE },
	{ "habits", required_argument, NULL, OPT_HABITS },
	{ "card", required_argument, NULL, OPT_CARD },
	{ "atr", required_argument, NULL, OPT_ATR },
	{ "pcscd", no_argument, NULL, OPT_PCSCD },
	{ "drivers", required_argument, NULL, OPT_DRIVERS },
	{ "debug", no_argument, NULL, OPT_DEBUG },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "no-preload", no_argument, NULL, OPT_NO_PRELOAD },
	{ "usbip", required_argument, NULL, OPT_USBIP },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static const char *serial, *atr_text, *firmware, *habits;

static int take_option(int option, struct options *o)
{
	switch (option) {
	case OPT_READER: o->reader = optarg; return 0;
	case OPT_READERS: o->readers = optarg; return 0;
	case OPT_WHOLE: o->whole = true; return 0;
	case OPT_COUNT: o->count = (unsigned)strtoul(optarg, NULL, 10); return 0;
	case OPT_SERIAL: serial = optarg; return 0;
	case OPT_FIRMWARE: firmware = optarg; return 0;
	case OPT_HABITS: habits = optarg; return 0;
	case OPT_CARD: o->card = optarg; return 0;
	case OPT_ATR: atr_text = optarg; return 0;
	case OPT_PCSCD: o->pcscd = true; return 0;
	case OPT_DRIVERS: o->child.drivers = optarg; return 0;
	case OPT_DEBUG: o->child.debug = true; return 0;
	case OPT_LOG: o->child.log = optarg; return 0;
	case OPT_NO_PRELOAD: o->child.preload_command = false; return 0;
	case OPT_USBIP: o->usbip = optarg; return 0;
	case OPT_LIST: o->list = true; return 0;
	case OPT_HELP: fputs(usage, stdout); exit(0);
	default: fputs("ccid-sim: \"ccid-sim --help\" tells what can be said\n", stderr); return -1;
	}
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int option;

	*o = (struct options){ .readers = parts_readers(), .card = "t0" };
	o->child.preload_command = true;
	while ((option = getopt_long(argc, argv, "+", long_options, NULL)) != -1)
		if (take_option(option, o) < 0)
			return -1;
	if (optind < argc)
		o->command = argv + optind;
	if (o->usbip)
		o->child.preload_command = false;
	if (!o->usbip || !o->pcscd)
		return 0;
	fputs("ccid-sim: --usbip is for the pcscd of a kernel that attaches the reader: leave --pcscd out\n",
	      stderr);
	return -1;
}

/* BB.BB in hexadecimal digits, for all interfaces */
static bool set_firmware(struct sim *sim)
{
	unsigned high, low;
	char rest;

	if (!firmware)
		return true;
	if (sscanf(firmware, "%2x.%2x%c", &high, &low, &rest) != 2)
		return false;
	for (unsigned i = 0; i < sim->identities; i++)
		sim->identity[i].bcd = (uint16_t)(high << 8 | low);
	return true;
}

static bool set_habits(struct sim *sim)
{
	for (unsigned i = 0; habits && i < sim->identities; i++)
		if (sim_identity_set_habits(&sim->identity[i], habits) < 0)
			return false;
	return true;
}

/* What is plugged in and inserted first; -1 after having said why not. */
static int set_up(struct sim *sim, const struct options *o)
{
	const char *wrong;
	int found;
	char why[512];

	sim_identity_default(&sim->identity[0]);
	found = o->reader ? sim_identity_find_all(o->readers, o->reader, sim->identity,
						  o->whole ? USB_FUNCTIONS_MAX : 1, why, sizeof why)
			  : 1;
	if (found < 0) {
		fprintf(stderr, "ccid-sim: %s\n", why);
		return -1;
	}
	sim->identities = (unsigned)found;
	if (!set_firmware(sim)) {
		fprintf(stderr, "ccid-sim: --firmware is bcdDevice, written like 07.00\n");
		return -1;
	}
	if (!set_habits(sim)) {
		fprintf(stderr, "ccid-sim: --habits is a product, written like 04e6:e003@0700, or none\n");
		return -1;
	}
	if (serial)
		snprintf(sim->identity[0].serial, sizeof sim->identity[0].serial, "%s", serial);
	sim->present[0] = strcmp(o->card, "none") != 0;
	wrong = sim_card_spec_parse(atr_text ? atr_text : sim->present[0] ? o->card : "t0", &sim->next);
	if (wrong) {
		fprintf(stderr, "ccid-sim: %s\n", wrong);
		return -1;
	}
	sim->inside[0] = sim->next;
	sim->supplies = SIM_5V | SIM_3V | SIM_1V8;
	return 0;
}

static int list_readers(const char *dir)
{
	if (sim_identity_list(dir, stdout) >= 0)
		return 0;
	fprintf(stderr, "ccid-sim: cannot read the folder of .reader files \"%s\": name it with --readers\n",
		dir);
	return 1;
}

int main(int argc, char **argv)
{
	static struct sim sim;
	struct options o;
	struct places places;
	int result;

	if (argc > 1 && strcmp(argv[1], "ctl") == 0)
		return control_client(argc - 2, argv + 2);
	if (parse_options(argc, argv, &o) < 0)
		return 2;
	if (o.list)
		return list_readers(o.readers);
	if (set_up(&sim, &o) < 0)
		return 2;
	if ((!o.usbip && children_reexec(argv) < 0) || places_make(&places) < 0) {
		fprintf(stderr, "ccid-sim: cannot start: %s\n", strerror(errno));
		return 1;
	}
	result = run(&sim, &places, &o);
	places_remove(&places);
	return result;
}
