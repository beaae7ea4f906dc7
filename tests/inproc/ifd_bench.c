/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ifd_bench.h"

#include <debuglog.h>
#include <stdatomic.h>
#include <time.h>

char good_name[45] = "usb:04e6/5116:libudev:0:/dev/bus/usb/001/002";
const uint8_t sink[4] = { 0x80, 0x16, 0, 0 };
struct inproc *device;

/* ---- memory: every block that the driver or the test holds ------------------------------------------------------- */

static atomic_long blocks;

long blocks_held(void)
{
	return atomic_load(&blocks);
}

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): names that the linker makes */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *block);
/* The linker takes musl, which calls malloc() by its name, for somebody who calls these: they may not be hidden. */
#define VISIBLE __attribute__((visibility("default")))
VISIBLE void *__wrap_malloc(size_t size);
VISIBLE void *__wrap_calloc(size_t n, size_t size);
VISIBLE void *__wrap_realloc(void *old, size_t size);
VISIBLE void __wrap_free(void *block);

void *__wrap_malloc(size_t size)
{
	atomic_fetch_add(&blocks, 1);
	return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	atomic_fetch_add(&blocks, 1);
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	atomic_fetch_add(&blocks, old == NULL);
	return __real_realloc(old, size);
}

void __wrap_free(void *block)
{
	atomic_fetch_sub(&blocks, block != NULL);
	__real_free(block);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* ---- pcscd's log ------------------------------------------------------------------------------------------------- */

static struct {
	pthread_mutex_t lock;
	unsigned lines;
	char last[LOG_LINE];
} said = { .lock = PTHREAD_MUTEX_INITIALIZER };

void log_msg(const int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pthread_mutex_lock(&said.lock);
	if (priority == PCSC_LOG_CRITICAL || priority == PCSC_LOG_INFO) {
		said.lines++;
		vsnprintf(said.last, sizeof said.last, fmt, ap);
	}
	pthread_mutex_unlock(&said.lock);
	va_end(ap);
}

void forget_log(void)
{
	pthread_mutex_lock(&said.lock);
	said.lines = 0;
	said.last[0] = '\0';
	pthread_mutex_unlock(&said.lock);
}

unsigned read_log(char last[LOG_LINE])
{
	unsigned lines;

	pthread_mutex_lock(&said.lock);
	lines = said.lines;
	memcpy(last, said.last, LOG_LINE);
	pthread_mutex_unlock(&said.lock);
	return lines;
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

wait_function wait_of(DWORD lun)
{
	wait_function wait = NULL;
	DWORD len = sizeof wait;

	IFDHGetCapabilities(lun, TAG_IFD_POLLING_THREAD_WITH_TIMEOUT, &len, (PUCHAR)&wait);
	return wait;
}

stop_function stop_of(DWORD lun)
{
	stop_function stop = NULL;
	DWORD len = sizeof stop;

	IFDHGetCapabilities(lun, TAG_IFD_STOP_POLLING_THREAD, &len, (PUCHAR)&stop);
	return stop;
}

RESPONSECODE power_at(DWORD lun, DWORD action)
{
	UCHAR atr[MAX_ATR_SIZE];
	DWORD len = 0;

	return IFDHPowerICC(lun, action, atr, &len);
}

RESPONSECODE power(DWORD action)
{
	return power_at(LUN, action);
}

RESPONSECODE transmit(const uint8_t *tx, size_t tx_len, uint8_t *rx, DWORD *rx_len)
{
	return transmit_at(LUN, tx, tx_len, rx, rx_len);
}

RESPONSECODE transmit_at(DWORD lun, const uint8_t *tx, size_t tx_len, uint8_t *rx, DWORD *rx_len)
{
	SCARD_IO_HEADER send = { .Protocol = 0 }, recv = { .Protocol = 99 };
	uint8_t *copy = exact_copy(tx, tx_len);
	const RESPONSECODE code = IFDHTransmitToICC(lun, send, copy, tx_len, rx, rx_len, &recv);

	free(copy);
	return code;
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

static atomic_uint running, ended;

uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static void *run_call(void *arg)
{
	struct calling *c = arg;

	c->code = c->run(c->lun);
	c->ended = clock_ms();
	__atomic_store_n(&c->number, atomic_fetch_add(&ended, 1) + 1, __ATOMIC_RELEASE);
	return NULL;
}

void begin_calling(struct calling *c, DWORD lun, RESPONSECODE (*run)(DWORD lun))
{
	if (atomic_fetch_add(&running, 1) == 0)
		atomic_store(&ended, 0);
	*c = (struct calling){ .lun = lun, .run = run, .code = -1 };
	assert_int_equal(pthread_create(&c->thread, NULL, run_call, c), 0);
}

void end_calling(struct calling *c)
{
	pthread_join(c->thread, NULL);
	atomic_fetch_sub(&running, 1);
}

bool has_ended(struct calling *c)
{
	return __atomic_load_n(&c->number, __ATOMIC_ACQUIRE) != 0;
}

/* ---- readers ----------------------------------------------------------------------------------------------------- */

static int plug_in(const struct sim_identity *identity)
{
	device = inproc_new(identity);
	return device && IFDHCreateChannelByName(LUN, good_name) == IFD_SUCCESS ? 0 : -1;
}

int with_reader(void **state)
{
	struct sim_identity identity;

	(void)state;
	sim_identity_default(&identity);
	return plug_in(&identity);
}

int with_card(void **state)
{
	if (with_reader(state) < 0)
		return -1;
	inproc_insert(device);
	return power(IFD_POWER_UP) == IFD_SUCCESS ? 0 : -1;
}

int without_interrupt(void **state)
{
	struct sim_identity identity;

	(void)state;
	sim_identity_default(&identity);
	identity.endpoints = 2;
	return plug_in(&identity);
}

int with_two_slots(void **state)
{
	struct sim_identity identity;

	(void)state;
	sim_identity_default(&identity);
	identity.descriptor[4] = 1; /* bMaxSlotIndex */
	return plug_in(&identity);
}

int plug_in_slots(unsigned slots, unsigned busy)
{
	enum { MAX_SLOT_INDEX = 4, BUSY_SLOTS = 53 };
	struct sim_identity identity;

	sim_identity_default(&identity);
	identity.descriptor[MAX_SLOT_INDEX] = (uint8_t)(slots - 1);
	identity.descriptor[BUSY_SLOTS] = (uint8_t)busy;
	if (plug_in(&identity) < 0)
		return -1;
	for (unsigned i = 0; i < slots; i++) {
		inproc_insert_at(device, i);
		if (i > 0 && IFDHCreateChannelByName(LUN + i, good_name) != IFD_SUCCESS)
			return -1;
		if (power_at(LUN + i, IFD_POWER_UP) != IFD_SUCCESS)
			return -1;
	}
	return 0;
}

int pull_slots(unsigned slots)
{
	while (slots-- > 1)
		IFDHCloseChannel(LUN + slots);
	return unplug(NULL);
}

/* Another reader: ids, and what differs in the descriptor from an SCR3310. */
static int plug_in_as(uint16_t vid, uint16_t pid, uint16_t bcd, uint8_t level, uint8_t pin_support)
{
	enum { LEVEL = 42, PIN_SUPPORT = 52 };
	struct sim_identity identity;

	sim_identity_default(&identity);
	identity.vid = vid;
	identity.pid = pid;
	identity.bcd = bcd;
	identity.descriptor[LEVEL] = level;
	identity.descriptor[PIN_SUPPORT] = pin_support;
	return plug_in(&identity);
}

int with_pinpad(void **state)
{
	(void)state;
	if (plug_in_as(0x04E6, 0xE003, 0x0701, 1, 3) < 0)
		return -1;
	inproc_insert(device);
	return power(IFD_POWER_UP) == IFD_SUCCESS ? 0 : -1;
}

int with_display(void **state)
{
	enum { COLUMNS = 50, LINES = 51 };
	struct sim_identity identity;
	int result;

	(void)state;
	sim_identity_default(&identity);
	identity.descriptor[COLUMNS] = 16;
	identity.descriptor[LINES] = 2;
	setenv("OPENCCID_QUIRKS", "04e6:5116:escape=allow", 1);
	result = plug_in(&identity);
	unsetenv("OPENCCID_QUIRKS");
	return result;
}

int with_prox(void **state)
{
	(void)state;
	return plug_in_as(0x08E6, 0x5503, 0x0100, 1, 0);
}

int with_secoder(void **state)
{
	(void)state;
	return plug_in_as(0x0D46, 0x3010, 0x0040, 4, 3);
}

int with_idtoken(void **state)
{
	(void)state;
	if (plug_in_as(0x0D46, 0x301D, 0x0106, 4, 0) < 0)
		return -1;
	inproc_insert(device);
	return power(IFD_POWER_UP) == IFD_SUCCESS ? 0 : -1;
}

int unplug(void **state)
{
	int result;

	(void)state;
	IFDHCloseChannel(LUN);
	result = inproc_is_open(device) ? -1 : 0;
	for (unsigned i = 0; i < inproc_violations(device); i++) {
		print_error("violation: %s\n", inproc_violation(device, i));
		result = -1;
	}
	inproc_free(device);
	return result;
}

int log_to_test(void **state)
{
	(void)state;
	return setenv("OPENCCID_LOG", "critical,info", 1);
}
