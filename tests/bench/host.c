/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host for one driver, whichever it is: it loads the library and calls it as pcscd does, obeying one line of its input after the
 * other. It measures nothing itself, but marks where an operation begins and ends, for strace and for callgrind.
 */
#include <dlfcn.h>
#include <ifdhandler.h>
#include <pthread.h>
#include <reader.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#define COUNT_FROM_HERE CALLGRIND_ZERO_STATS
#define COUNTED(name)   CALLGRIND_DUMP_STATS_AT(name)
#else
#define COUNT_FROM_HERE
#define COUNTED(name) (void)(name)
#endif

enum {
	SLOTS = 16,
	WORDS = 8,
	APDU = 65544,
	EVENT_MS = 600000, /* pcscd's own numbers: how long it listens at a time, */
	POLL_US = 400000,  /* and how often it asks where nobody can listen */
};

/* What pcscd has for its drivers: at its usual level it writes none of it. */
void log_msg(const int priority, const char *fmt, ...);
void log_xxd(const int priority, const char *msg, const unsigned char *buffer, const int size);

void log_msg(const int priority, const char *fmt, ...)
{
	(void)priority;
	(void)fmt;
}

void log_xxd(const int priority, const char *msg, const unsigned char *buffer, const int size)
{
	(void)priority;
	(void)msg;
	(void)buffer;
	(void)size;
}

static struct driver {
	RESPONSECODE (*create)(DWORD lun, LPSTR name);
	RESPONSECODE (*close)(DWORD lun);
	RESPONSECODE (*get)(DWORD lun, DWORD tag, PDWORD len, PUCHAR value);
	RESPONSECODE (*presence)(DWORD lun);
	RESPONSECODE (*power)(DWORD lun, DWORD action, PUCHAR atr, PDWORD len);
	RESPONSECODE (*protocol)(DWORD lun, DWORD protocol, UCHAR flags, UCHAR pts1, UCHAR pts2, UCHAR pts3);
	RESPONSECODE(*transmit)
	(DWORD lun, SCARD_IO_HEADER send, PUCHAR tx, DWORD tx_len, PUCHAR rx, PDWORD rx_len,
	 PSCARD_IO_HEADER recv);
} driver;

static unsigned protocol;
static const char *device;

/* The thread that pcscd has for each slot. */
static struct listener {
	DWORD lun;
	pthread_t thread;
	RESPONSECODE (*wait)(DWORD lun, int ms);
	RESPONSECODE (*stop)(DWORD lun);
	int ending;
	bool runs;
} listener;

struct work {
	pthread_t thread;
	pthread_barrier_t *start;
	DWORD lun;
	unsigned count;
	const uint8_t *apdu;
	size_t len, got;
	uint8_t answer[APDU];
	long failed;
};

static long failed; /* calls of the operation; it is told, and for others to judge */

static void must(RESPONSECODE code)
{
	failed += code != IFD_SUCCESS;
}

/* ---- the library -------------------------------------------------------------------------------------------------- */

static void load(const char *path)
{
	void *library = dlopen(path, RTLD_LAZY);
	const struct {
		const char *name;
		void *at;
	} wanted[] = {
		{ "IFDHCreateChannelByName", &driver.create },
		{ "IFDHCloseChannel", &driver.close },
		{ "IFDHGetCapabilities", &driver.get },
		{ "IFDHICCPresence", &driver.presence },
		{ "IFDHPowerICC", &driver.power },
		{ "IFDHSetProtocolParameters", &driver.protocol },
		{ "IFDHTransmitToICC", &driver.transmit },
	};

	for (size_t i = 0; library && i < sizeof wanted / sizeof wanted[0]; i++) {
		void *symbol = dlsym(library, wanted[i].name);

		memcpy(wanted[i].at, &symbol, sizeof symbol);
	}
	if (library && driver.transmit)
		return;
	printf("error %s\n", dlerror());
	exit(1);
}

static unsigned char ask_byte(DWORD lun, DWORD tag)
{
	unsigned char value = 0;
	DWORD len = 1;

	return driver.get(lun, tag, &len, &value) == IFD_SUCCESS ? value : 0;
}

/* In the order in which pcscd 1.9 asks */
static void open_reader(DWORD reader)
{
	char name[128];
	unsigned slots;

	snprintf(name, sizeof name, "%s%03u", device, 2 + (unsigned)reader);
	must(driver.create(reader << 16, name));
	ask_byte(reader << 16, TAG_IFD_THREAD_SAFE);
	slots = ask_byte(reader << 16, TAG_IFD_SLOTS_NUMBER);
	ask_byte(reader << 16, TAG_IFD_SLOT_THREAD_SAFE);
	for (DWORD slot = 1; slot < slots && slot < SLOTS; slot++)
		must(driver.create((reader << 16) + slot, name));
}

static void close_reader(DWORD reader)
{
	const unsigned slots = ask_byte(reader << 16, TAG_IFD_SLOTS_NUMBER);

	for (DWORD slot = slots < SLOTS ? slots : SLOTS; slot-- > 1;)
		driver.close((reader << 16) + slot);
	must(driver.close(reader << 16));
}

/* ---- the thread that waits for cards ------------------------------------------------------------------------------ */

static void *ask_function(DWORD tag)
{
	void *function = NULL;
	DWORD len = sizeof function;

	return driver.get(listener.lun, tag, &len, (PUCHAR)&function) == IFD_SUCCESS ? function : NULL;
}

static void *listen_for_cards(void *arg)
{
	(void)arg;
	prctl(PR_SET_NAME, "listener");
	while (!__atomic_load_n(&listener.ending, __ATOMIC_ACQUIRE)) {
		driver.presence(listener.lun);
		if (listener.wait)
			listener.wait(listener.lun, EVENT_MS);
		else
			usleep(POLL_US);
	}
	return NULL;
}

static void start_listening(DWORD lun)
{
	void *functions[2];

	listener = (struct listener){ .lun = lun };
	functions[0] = ask_function(TAG_IFD_POLLING_THREAD_WITH_TIMEOUT);
	functions[1] = ask_function(TAG_IFD_STOP_POLLING_THREAD);
	memcpy(&listener.wait, &functions[0], sizeof functions[0]);
	memcpy(&listener.stop, &functions[1], sizeof functions[1]);
	listener.runs = pthread_create(&listener.thread, NULL, listen_for_cards, NULL) == 0;
}

static void stop_listening(void)
{
	if (!listener.runs)
		return;
	__atomic_store_n(&listener.ending, 1, __ATOMIC_RELEASE);
	if (listener.stop)
		listener.stop(listener.lun);
	pthread_join(listener.thread, NULL);
	listener.runs = false;
}

/* ---- cards --------------------------------------------------------------------------------------------------------- */

static void power(DWORD lun, DWORD action)
{
	UCHAR atr[MAX_ATR_SIZE];
	DWORD len = sizeof atr;

	must(driver.power(lun, action, atr, &len));
}

static void transmit(struct work *work)
{
	const SCARD_IO_HEADER header = { .Protocol = protocol, .Length = sizeof header };
	SCARD_IO_HEADER back = header;

	for (unsigned i = 0; i < work->count; i++) {
		DWORD len = sizeof work->answer;
		const RESPONSECODE code = driver.transmit(work->lun, header, (PUCHAR)(uintptr_t)work->apdu,
							  (DWORD)work->len, work->answer, &len, &back);

		work->failed += code != IFD_SUCCESS;
		work->got = len;
	}
}

static void *busy(void *arg)
{
	struct work *work = arg;

	pthread_barrier_wait(work->start);
	transmit(work);
	return NULL;
}

static uint8_t apdu[APDU];
static size_t apdu_len;
static struct work works[SLOTS];

/* Hexadecimal; "xN" behind it is N bytes more of a pattern. */
static void read_apdu(const char *text)
{
	unsigned byte;

	for (apdu_len = 0; apdu_len < APDU && sscanf(text, "%2x", &byte) == 1; text += 2)
		apdu[apdu_len++] = (uint8_t)byte;
	if (*text != 'x')
		return;
	for (size_t i = strtoul(text + 1, NULL, 10); i && apdu_len < APDU; i--, apdu_len++)
		apdu[apdu_len] = (uint8_t)(apdu_len * 7);
}

static void append(const char *text)
{
	unsigned byte;

	for (; apdu_len < APDU && sscanf(text, "%2x", &byte) == 1; text += 2)
		apdu[apdu_len++] = (uint8_t)byte;
}

/* ---- the lines ----------------------------------------------------------------------------------------------------- */

static double
	elapsed_ms; /* of the operation; only where the machine has nothing else to do does it say much */

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void mark(const char *text)
{
	syscall(SYS_write, -1, text, strlen(text));
}

static unsigned number(char **words, unsigned n)
{
	return words[n] ? (unsigned)strtoul(words[n], NULL, 10) : 0;
}

static void do_open(char **words)
{
	for (DWORD i = number(words, 1), end = i + number(words, 2); i < end; i++)
		open_reader(i);
}

static void do_close(char **words)
{
	for (DWORD i = number(words, 1), end = i + number(words, 2); i < end; i++)
		close_reader(i);
}

static void do_presence(char **words)
{
	const RESPONSECODE code = driver.presence(number(words, 1));

	if (code != IFD_ICC_PRESENT && code != IFD_ICC_NOT_PRESENT)
		must(IFD_COMMUNICATION_ERROR);
}

static void do_power(char **words)
{
	power(number(words, 1), number(words, 2) ? IFD_POWER_UP : IFD_POWER_DOWN);
}

static void do_protocol(char **words)
{
	protocol = number(words, 2);
	must(driver.protocol(number(words, 1), protocol + 1, 0, 0, 0, 0));
}

/* transmit SLOT COUNT APDU [TAIL] */
static void do_transmit(char **words)
{
	struct work *work = &works[0];

	work->failed = 0;
	work->lun = number(words, 1);
	work->count = number(words, 2);
	work->apdu = apdu;
	work->len = apdu_len;
	transmit(work);
	failed += work->failed;
}

/* slots HOW-MANY COUNT APDU: that many slots at the same time */
static pthread_barrier_t start;
static unsigned at_work;

static void prepare_slots(char **words)
{
	at_work = number(words, 1);
	pthread_barrier_init(&start, NULL, at_work + 1);
	for (unsigned i = 0; i < at_work; i++) {
		works[i].lun = i;
		works[i].count = number(words, 2);
		works[i].apdu = apdu;
		works[i].len = apdu_len;
		works[i].failed = 0;
		works[i].start = &start;
		pthread_create(&works[i].thread, NULL, busy, &works[i]);
	}
}

static void do_slots(char **words)
{
	(void)words;
	pthread_barrier_wait(&start);
	for (unsigned i = 0; i < at_work; i++) {
		pthread_join(works[i].thread, NULL);
		failed += works[i].failed;
	}
	pthread_barrier_destroy(&start);
}

static void do_idle(char **words)
{
	usleep(number(words, 1) * 1000);
}

static void do_listen(char **words)
{
	start_listening(number(words, 1));
}

static void do_deaf(char **words)
{
	(void)words;
	stop_listening();
}

static void prepare_apdu(char **words)
{
	if (words[3])
		read_apdu(words[3]);
	if (words[3] && words[4])
		append(words[4]);
}

static void prepare_busy(char **words)
{
	prepare_apdu(words);
	prepare_slots(words);
}

static const struct verb {
	const char *name;
	void (*run)(char **words);
	void (*prepare)(char **words); /* not counted */
} verbs[] = {
	{ "open", do_open, NULL },           { "close", do_close, NULL },
	{ "presence", do_presence, NULL },   { "power", do_power, NULL },
	{ "protocol", do_protocol, NULL },   { "transmit", do_transmit, prepare_apdu },
	{ "slots", do_slots, prepare_busy }, { "idle", do_idle, NULL },
	{ "listen", do_listen, NULL },       { "deaf", do_deaf, NULL },
};

static bool obey(char *line)
{
	char *words[WORDS + 1] = { NULL }, *save = NULL;
	unsigned count = 0;

	for (char *w = strtok_r(line, " \n", &save); w && count < WORDS; w = strtok_r(NULL, " \n", &save))
		words[count++] = w;
	for (size_t i = 0; count && i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(verbs[i].name, words[0]) != 0)
			continue;
		if (verbs[i].prepare)
			verbs[i].prepare(words);
		failed = 0;
		elapsed_ms = now_ms();
		mark("begin");
		COUNT_FROM_HERE;
		verbs[i].run(words);
		COUNTED("operation");
		mark("end");
		elapsed_ms = now_ms() - elapsed_ms;
		return true;
	}
	return false;
}

/* host LIBRARY NAME: the address of the device is put behind the name */
int main(int argc, char **argv)
{
	static char line[2 * APDU + 256];

	if (argc != 3)
		return 2;
	device = argv[2];
	mark("begin");
	COUNT_FROM_HERE;
	load(argv[1]);
	COUNTED("load");
	mark("end");
	printf("ok\n");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		const char *how = obey(line) ? "ok" : "error";

		printf("%s %zu %ld %.3f\n", how, works[0].got, failed, elapsed_ms);
		fflush(stdout);
	}
	return 0;
}
