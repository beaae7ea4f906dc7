/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of the entry points share: simulated readers that are opened as pcscd opens them, calls as pcscd makes them,
 * what the driver said, and how many blocks of memory are held.
 */
#ifndef OPENCCID_TESTS_IFD_BENCH_H
#define OPENCCID_TESTS_IFD_BENCH_H

#include "inproc.h"
#include "ifd/pcsclite.h"
#include "unit/check.h"

#include <ifdhandler.h>
#include <pthread.h>
#include <reader.h>

enum { LUN = 0x30000, UNTOUCHED = 0xEE, LOG_LINE = 512 };

extern char good_name[45];
extern const uint8_t sink[4]; /* a command that is answered 9000 */

/* The reader that is plugged in */
extern struct inproc *device;

/* Of the driver and of the test; needs the linker's --wrap. */
long blocks_held(void);

/* The lines at level critical and info since forget_log(): how many, and the last one. */
void forget_log(void);
unsigned read_log(char last[LOG_LINE]);

typedef RESPONSECODE (*wait_function)(DWORD lun, int ms);
typedef RESPONSECODE (*stop_function)(DWORD lun);
wait_function wait_of(DWORD lun);
stop_function stop_of(DWORD lun);

RESPONSECODE power(DWORD action);
RESPONSECODE power_at(DWORD lun, DWORD action);
RESPONSECODE transmit_at(DWORD lun, const uint8_t *tx, size_t tx_len, uint8_t *rx, DWORD *rx_len);
/* @tx goes out from a block of exactly its size; *@rx_len is the room, and then the length. */
RESPONSECODE transmit(const uint8_t *tx, size_t tx_len, uint8_t *rx, DWORD *rx_len);

/* A call in a thread of its own. */
struct calling {
	pthread_t thread;
	DWORD lun;
	RESPONSECODE (*run)(DWORD lun);
	RESPONSECODE code;
	uint64_t ended;  /* when, in milliseconds */
	unsigned number; /* how many of them ended before it since the first one was begun, and this one */
};

uint64_t clock_ms(void);
void nap(void); /* a millisecond */
void begin_calling(struct calling *c, DWORD lun, RESPONSECODE (*run)(DWORD lun));
void end_calling(struct calling *c);
bool has_ended(struct calling *c);

/* Setups: opened as LUN; the first one with a powered card. */
int with_card(void **state);
int with_reader(void **state);
int without_interrupt(void **state);
int with_two_slots(void **state);
/* An SCR3310 with so many slots, of which so many may be busy; opened as LUN, LUN + 1 ..., with a powered card in each. */
int plug_in_slots(unsigned slots, unsigned busy);
int pull_slots(unsigned slots);
/* An SPR332; the first one with a powered card. A KOBIL reader that takes Secoder commands; one whose users ask for its name. */
int with_pinpad(void **state);
int with_secoder(void **state);
int with_idtoken(void **state);
/* One with two lines of 16 characters and no keypad, which applications may send Escape commands. */
int with_display(void **state);
/* One with two interfaces that applications may switch over. */
int with_prox(void **state);
/* Whatever a test did, it ends with a closed reader to which nothing illegal was sent. */
int unplug(void **state);

#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, unplug)

/* Setup of all tests together */
int log_to_test(void **state);

/* Checks are counted in the file that makes them, so these are here. */

static inline void check_last_line(const char *row, const char *text)
{
	char last[LOG_LINE];

	read_log(last);
	if (!strstr(last, text))
		CHECK_STRING(row, last, text);
}

/* One line that has this text in it; with NULL none at all. */
static inline void check_log(const char *row, const char *text)
{
	char last[LOG_LINE];

	CHECK_INT(row, read_log(last), text ? 1 : 0);
	if (text)
		check_last_line(row, text);
}

/* Does the card answer? */
static inline void check_works(const char *row)
{
	uint8_t rx[258];
	DWORD len = sizeof rx;

	CHECK_INT(row, transmit(sink, sizeof sink, rx, &len), IFD_SUCCESS);
	CHECK_BYTES(row, rx, len, ((const uint8_t[]){ 0x90, 0x00 }), 2);
}

#endif
