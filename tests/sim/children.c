/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "children.h"

#include "parts.h"
#include "usbfs_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ENV_USER_PRELOAD \
	"CCID_SIM_USER_PRELOAD" /* LD_PRELOAD as the user had it: a sanitizer, for instance */
#define ENV_PCSCD_PRELOAD "CCID_SIM_PCSCD_PRELOAD" /* loaded first into pcscd only */
#define ENV_PCSCD         "CCID_SIM_PCSCD"         /* command line of pcscd, split at blanks */

enum { LIST_LEN = 1024 };

static const char umockdev[] = "libumockdev-preload.so.0";

/* ---- places ---- */

int places_make(struct places *p)
{
	const char *tmp = getenv("TMPDIR");

	/* socket addresses have room for 107 characters */
	if (!tmp || strlen(tmp) > 36)
		tmp = "/tmp";
	snprintf(p->dir, sizeof p->dir, "%s/ccid-sim.XXXXXX", tmp);
	if (!mkdtemp(p->dir))
		return -1;
	snprintf(p->usbfs, sizeof p->usbfs, "%s/usbfs", p->dir);
	snprintf(p->control, sizeof p->control, "%s/control", p->dir);
	snprintf(p->run, sizeof p->run, "%s/run", p->dir);
	snprintf(p->conf, sizeof p->conf, "%s/conf", p->dir);
	snprintf(p->csock, sizeof p->csock, "%s/pcscd.comm", p->run);
	snprintf(p->log, sizeof p->log, "%s/pcscd.log", p->dir);
	return mkdir(p->run, 0755) < 0 || mkdir(p->conf, 0755) < 0 ? -1 : 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

void places_remove(const struct places *p)
{
	nftw(p->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- environment ---- */

#ifdef __SANITIZE_ADDRESS__
/* The sanitizer insists on being the first library, here and in pcscd, whose driver will have it, too. */
static int find_sanitizer(struct dl_phdr_info *info, size_t size, void *out)
{
	(void)size;
	if (!info->dlpi_name || !strstr(info->dlpi_name, "/libasan.so"))
		return 0;
	snprintf(out, LIST_LEN, "%s", info->dlpi_name);
	return 1;
}

static void own_sanitizer(char own[LIST_LEN])
{
	own[0] = '\0';
	dl_iterate_phdr(find_sanitizer, own);
	/* what umockdev, GLib and pcscd do not free is not ours to judge */
	setenv("ASAN_OPTIONS", "detect_leaks=0", 0);
}
#else
static void own_sanitizer(char own[LIST_LEN])
{
	own[0] = '\0';
}
#endif

/* The user's libraries stay in front of ours. */
static void preload_list(char *out, size_t cap, const char *first)
{
	const char *user = getenv(ENV_USER_PRELOAD);

	snprintf(out, cap, "%s%s%s%s%s:%s", first ? first : "", first && *first ? ":" : "", user ? user : "",
		 user && *user ? ":" : "", parts_preload(), umockdev);
}

int children_reexec(char **argv)
{
	const char *now = getenv("LD_PRELOAD");
	char own[LIST_LEN], list[LIST_LEN + 512];

	if (now && strstr(now, umockdev))
		return 0;
	own_sanitizer(own);
	if (!own[0] || (now && strstr(now, own)))
		snprintf(list, sizeof list, "%s", now ? now : "");
	else
		snprintf(list, sizeof list, "%s%s%s", own, now && *now ? ":" : "", now ? now : "");
	setenv(ENV_USER_PRELOAD, list, 1);
	/* the user's libraries are for the children: GLib does not live with all of them */
	snprintf(list, sizeof list, "%s%s%s", own, own[0] ? ":" : "", umockdev);
	setenv("LD_PRELOAD", list, 1);
	execv("/proc/self/exe", argv);
	return -1;
}

static void set_preload(const char *first)
{
	char list[LIST_LEN];

	preload_list(list, sizeof list, first);
	setenv("LD_PRELOAD", list, 1);
}

/* What every child gets. pcscd's socket activation must not find somebody else's sockets. */
static void child_environment(const struct places *p, const struct child_options *o)
{
	setenv("PCSCLITE_CSOCK_NAME", p->csock, 1);
	setenv("CCID_SIM_CONTROL", p->control, 1);
	setenv("CCID_SIM_LOG", o->log ? o->log : p->log, 1);
	setenv(SIM_ENV_USBFS, p->usbfs, 1);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

static void restore_preload(bool wanted)
{
	const char *user = getenv(ENV_USER_PRELOAD);

	if (wanted) {
		set_preload(NULL);
	} else if (user && *user) {
		setenv("LD_PRELOAD", user, 1);
	} else {
		unsetenv("LD_PRELOAD");
	}
}

void children_print_environment(const struct places *p, const struct child_options *o, bool pcscd)
{
	char list[LIST_LEN];

	preload_list(list, sizeof list, NULL);
	printf("export CCID_SIM_CONTROL=%s\n", p->control);
	printf("export %s=%s\n", SIM_ENV_USBFS, p->usbfs);
	printf("export UMOCKDEV_DIR=%s\n", getenv("UMOCKDEV_DIR"));
	if (pcscd)
		printf("export PCSCLITE_CSOCK_NAME=%s\n", p->csock);
	printf("# programs that shall see the USB device itself: LD_PRELOAD=%s\n", list);
	if (pcscd)
		printf("# pcscd writes to %s\n", o->log ? o->log : p->log);
	printf("# card in and out: ccid-sim ctl insert, ccid-sim ctl remove; everything else: ccid-sim ctl "
	       "help\n");
	fflush(stdout);
}

void children_print_usbip(const struct places *p, const char *where)
{
	const char *colon = strrchr(where, ':');

	printf("export CCID_SIM_CONTROL=%s\n", p->control);
	printf("# as root, on a machine with the kernel module vhci-hcd: usbip --tcp-port %s attach -r %.*s "
	       "-b 1-1\n",
	       colon + 1, (int)(colon - where), where);
	printf("# card in and out: ccid-sim ctl insert, ccid-sim ctl remove; everything else: ccid-sim ctl "
	       "help\n");
	fflush(stdout);
}

/* ---- processes ---- */

static void child_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
}

static void redirect_output(const struct places *p, const struct child_options *o)
{
	const char *log = o->log ? o->log : p->log;
	int fd = strcmp(log, "-") == 0 ? dup(STDERR_FILENO)
				       : open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		fprintf(stderr, "ccid-sim: cannot write pcscd's log %s: %s\n", log, strerror(errno));
		_exit(127);
	}
	dup2(null, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
}

enum { ARGS_MAX = 32, PCSCD_COMMAND_LEN = 1024 };

/* Nobody has to be asked who may use a reader that is not there: it is this pcscd's only one. Older ones do not know the option. */
static const char no_polkit[] = "--disable-polkit";

static bool pcscd_knows(const char *command, const char *option)
{
	char line[PCSCD_COMMAND_LEN + 16];
	bool known = false;
	FILE *help;

	snprintf(line, sizeof line, "%s --help 2>&1", command);
	help = popen(line, "r");
	while (help && fgets(line, sizeof line, help))
		known |= strstr(line, option) != NULL;
	if (help)
		pclose(help);
	return known;
}

/* $CCID_SIM_PCSCD may be a command line, such as "valgrind -q /usr/sbin/pcscd". */
static void pcscd_arguments(const struct places *p, const struct child_options *o, char *text,
			    const char **args)
{
	static const char *const debug[] = { "--debug", "--apdu" };
	const bool polkit = pcscd_knows(text, no_polkit);
	size_t n = 0;
	char *save = NULL;

	for (char *w = strtok_r(text, " ", &save); w && n < ARGS_MAX - 8; w = strtok_r(NULL, " ", &save))
		args[n++] = w;
	args[n++] = "--foreground";
	args[n++] = "--config";
	args[n++] = p->conf;
	if (polkit)
		args[n++] = no_polkit;
	for (size_t i = 0; o->debug && i < 2; i++)
		args[n++] = debug[i];
	args[n] = NULL;
}

/* Users seldom have the daemon's folder in their path. */
static void add_sbin_to_path(void)
{
	const char *path = getenv("PATH");
	char longer[LIST_LEN];

	snprintf(longer, sizeof longer, "%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
	setenv("PATH", longer, 1);
}

static void exec_pcscd(const struct places *p, const struct child_options *o)
{
	const char *args[ARGS_MAX], *command = getenv(ENV_PCSCD);
	char text[PCSCD_COMMAND_LEN];

	child_signals();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* a Ctrl-C is for the command; pcscd is stopped when that has ended */
	setpgid(0, 0);
	child_environment(p, o);
	setenv(SIM_ENV_RUN, p->run, 1);
	if (o->drivers)
		setenv(SIM_ENV_DRIVERS, o->drivers, 1);
	add_sbin_to_path();
	snprintf(text, sizeof text, "%s", command && *command ? command : "pcscd");
	pcscd_arguments(p, o, text, args);
	redirect_output(p, o);
	set_preload(getenv(ENV_PCSCD_PRELOAD));
	execvp(args[0], (char *const *)(uintptr_t)args);
	fprintf(stderr, "cannot start %s: %s\n", args[0], strerror(errno));
	_exit(127);
}

pid_t children_pcscd(const struct places *p, const struct child_options *o)
{
	pid_t pid = fork();

	if (pid == 0)
		exec_pcscd(p, o);
	return pid < 0 ? 0 : pid;
}

pid_t children_command(const struct places *p, const struct child_options *o, char **argv)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid < 0 ? 0 : pid;
	child_signals();
	child_environment(p, o);
	restore_preload(o->preload_command);
	execvp(argv[0], argv);
	fprintf(stderr, "ccid-sim: cannot start %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

bool children_pcscd_ready(const struct places *p)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ready;

	memcpy(addr.sun_path, p->csock, strlen(p->csock) + 1);
	ready = fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&addr, sizeof addr) == 0;
	if (fd >= 0)
		close(fd);
	return ready;
}
