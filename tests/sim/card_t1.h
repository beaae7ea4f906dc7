/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A T=1 card, written from the card's side of ISO 7816-3, clause 11. It shares no protocol code with the driver, EDC
 * included, so that one misreading of the standard cannot hide on both sides.
 *
 * Three layers that can be used alone: the block machine (a block in, a block or silence out), the application, and the
 * card at its contacts. Damage on the line is the business of whoever stands between card and host.
 */
#ifndef OPENCCID_SIM_CARD_T1_H
#define OPENCCID_SIM_CARD_T1_H

#include "card.h"
#include "card_app.h"

enum {
	SIM_T1_BLOCK_MAX = 3 + 254 + 2,
	SIM_T1_APDU_MAX = 4 + 3 + 65535 + 2,
	SIM_T1_ANSWER_MAX = 65536 + 2,
};

/* ---- the block machine --------------------------------------------------------------------------------------------- */

struct sim_t1_options {
	uint8_t ifsc; /* 1..254, in force from the ATR on; 0 is taken as 32 */
	bool crc;
	uint8_t nad;     /* of the blocks that the card takes; its own have the nibbles swapped */
	size_t piece;    /* longest information field of the card's chains; 0: as long as the host takes */
	bool empty_last; /* a chain ends with an I-block without data */
	unsigned
		wtx_every; /* before every n-th I- or R-block of its own the card asks for time; 0: never ... */
	uint8_t wtx_factor;  /* ... this many BWT */
	unsigned ifs_every;  /* before every n-th the card announces a new IFSC; 0: never ... */
	uint8_t ifs_next[2]; /* ... these in turn */
	bool refuse_ifs;     /* S(IFS request) of the host is answered with R */
	bool refuse_abort;   /* so is S(ABORT request) */
	bool shy;            /* a block that is damaged or out of place gets no answer at all */
};

/* The answer of the application to one command. */
struct sim_t1_answer {
	const uint8_t *data; /* valid until the next command */
	size_t len;
	unsigned waits;   /* the card asks for time so often before it answers ... */
	unsigned wait_ms; /* ... and thinks so long before it asks */
};

typedef void sim_t1_run(void *arg, const uint8_t *apdu, size_t len, struct sim_t1_answer *answer);

enum sim_t1_due { SIM_T1_NOTHING, SIM_T1_ACKNOWLEDGE, SIM_T1_ANSWER };

struct sim_t1 {
	struct sim_t1_options options;
	sim_t1_run *run;
	void *arg;

	uint8_t ns, nr;     /* of the next I-block: of the card, of the host */
	uint8_t ifsc, ifsd; /* longest field that the card takes, that the host takes */
	uint8_t asked;      /* PCB of the card's S request that is open; 0: none */
	uint8_t asked_inf;
	bool insisted; /* rule 8: it was repeated once without being asked to */
	enum sim_t1_due due;
	unsigned own_blocks, announced;

	uint8_t command[SIM_T1_APDU_MAX];
	size_t command_len;
	struct sim_t1_answer answer;
	bool answering, more; /* an I-block of the answer was sent; others follow it */
	size_t at, part;      /* the I-block that was sent last */
	unsigned commands;    /* that reached the application since the reset */
	unsigned delay_ms;    /* that the last block took */
};

void sim_t1_init(struct sim_t1 *card, const struct sim_t1_options *options, sim_t1_run *run, void *arg);

/* The protocol start, after ATR and PPS. */
void sim_t1_reset(struct sim_t1 *card);

/* One block of the host, damaged or not. Returns the length of the card's block; 0: it stays silent. */
size_t sim_t1_block(struct sim_t1 *card, const uint8_t *in, size_t len, uint8_t out[SIM_T1_BLOCK_MAX]);

/* Append the EDC to a block of len bytes; returns the whole length. */
size_t sim_t1_seal(uint8_t *block, size_t len, bool crc);
/* The EDC is right. */
bool sim_t1_sealed(const uint8_t *block, size_t len, bool crc);

/* CRC of ISO/IEC 13239 as it goes over the line, first byte in the high half. */
uint16_t sim_t1_crc(const uint8_t *bytes, size_t len);

/* ---- the application ----------------------------------------------------------------------------------------------- */

/*
 * The commands of card_app at T=1 (ISO 7816-3, 12.3): no GET RESPONSE, no 6Cxx; the answer is cut to Le. ECHO and SINK take
 * extended lengths.
 */
struct sim_t1_app {
	struct card_app app;
	uint8_t out[SIM_T1_ANSWER_MAX + 8];
};

struct sim_t1_command {
	const uint8_t *header, *data;
	size_t nc, ne;
};

/* Any case of an APDU, short or extended (ISO 7816-3, 12.1); false: it is none. */
bool sim_t1_parse(const uint8_t *apdu, size_t len, struct sim_t1_command *command);

void sim_t1_app_init(struct sim_t1_app *app);
/* A sim_t1_run; arg is a struct sim_t1_app. */
void sim_t1_app_run(void *arg, const uint8_t *apdu, size_t len, struct sim_t1_answer *answer);

/* ---- the card ------------------------------------------------------------------------------------------------------ */

struct sim_t1_atr {
	uint8_t ta1;         /* 0: leave out */
	bool specific;       /* TA2: T=1 at the speed of TA1, no PPS */
	bool t0_too;         /* offers T=0 first, then T=1 */
	uint8_t ifsc;        /* 0: leave out */
	uint8_t bwi, cwi;    /* both 0: leave out */
	bool crc;            /* TC for T=1 */
	uint8_t classes;     /* TA for T=15, as ISO 7816-3 codes it; 0: leave out */
	const char *history; /* historical bytes, at most 15 */
};

/* Build an ATR with TCK. Returns its length. */
size_t sim_t1_build_atr(const struct sim_t1_atr *what, uint8_t atr[SIM_ATR_MAX]);

/**
 * sim_card_t1_new - a T=1 card with the file system of the T=0 card
 * @atr, @len: its ATR, which also sets IFSC and EDC; NULL: T=1, IFSC 254, LRC
 * @options: what the ATR does not say; may be NULL
 * @supplies: classes it answers at (SIM_5V | ...)
 *
 * An ATR that offers T=0 too makes a card of both protocols: T=0 if it comes first and no PPS chooses T=1. The two
 * have a file system each. NULL when memory is out.
 */
struct sim_card *sim_card_t1_new(const uint8_t *atr, size_t len, const struct sim_t1_options *options,
				 unsigned supplies);

/* Another application for the card, which owns it. */
struct sim_t1_application {
	sim_t1_run *run;
	void (*reset)(void *arg);
	void (*free)(void *arg);
	void *arg;
};

/* A card of T=1 alone that runs this application; it is freed also when memory is out (NULL). */
struct sim_card *sim_card_t1_with(const uint8_t *atr, size_t len, const struct sim_t1_options *options,
				  unsigned supplies, const struct sim_t1_application *application);

#endif
