/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the simulated card does with a command, whatever protocol brought it. */
#ifndef OPENCCID_SIM_CARD_APP_H
#define OPENCCID_SIM_CARD_APP_H

#include "card_log.h"
#include "card_pin.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { APP_PENDING_MAX = 65536 + 4, APP_ENVELOPE_MAX = 65544, APP_FILE_MAX = 512, APP_FILES = 4 };

struct app_file {
	uint16_t fid;
	bool needs_pin; /* for UPDATE BINARY */
	size_t len;
	uint8_t data[APP_FILE_MAX];
};

struct card_app {
	/* kept over a reset */
	struct app_file files[APP_FILES];
	unsigned tries;
	char pin[PIN_DIGITS_MAX + 1];
	unsigned puk_tries;
	uint32_t counter; /* counts ECHO and SLOW; an answer with an old number belongs to another command */
	uint32_t random;
	struct card_log log;
	/* lost by a reset */
	int selected; /* index into files, -1 = none */
	bool pin_ok;
	uint8_t pending_class;
	size_t pending_at, pending_len;
	uint8_t pending[APP_PENDING_MAX];
	size_t envelope_len;
	uint8_t envelope[APP_ENVELOPE_MAX]; /* an extended APDU as far as it has come */
};

enum app_direction { APP_NONE, APP_IN, APP_OUT };

struct app_answer {
	uint16_t sw;
	size_t len;
	uint8_t data[256];
	unsigned waits;   /* the card asks for more time so often (T=0: NULL bytes) ... */
	unsigned wait_ms; /* ... and thinks so long each time */
};

void sim_app_init(struct card_app *app);
void sim_app_reset(struct card_app *app);

/* Which way the data of this header goes; APP_NONE: the answer is a status word and nothing else. */
enum app_direction sim_app_direction(const uint8_t header[5]);

/* Run one command. data holds the len bytes of an APP_IN command. */
void sim_app_run(struct card_app *app, const uint8_t header[5], const uint8_t *data, size_t len,
		 struct app_answer *answer);

#endif
