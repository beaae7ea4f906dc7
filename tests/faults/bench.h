/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver on a bus that can fail, with a simulated reader at its end; and the operations that are tried there. */
#ifndef OPENCCID_TESTS_FAULTS_BENCH_H
#define OPENCCID_TESTS_FAULTS_BENCH_H

#include "faulty.h"
#include "slot/reader.h"

enum { BENCH_APDU = 1200 };

struct bench;

/* What has to be there before the operation begins. */
enum stage { CLOSED, OPEN, POWERED, READY };

struct operation {
	const char *name;
	const char *card;                       /* words as in tests/sim/README.md */
	uint32_t features;                      /* dwFeatures */
	uint32_t max_message;                   /* 0: 271 */
	uint8_t num_rates;                      /* the reader has a list of so many rates */
	bool supply_1v8;                        /* the only one that the card takes */
	void (*differ)(struct ccid_caps *caps); /* what is known of this reader beside; may be NULL */
	enum stage from;
	enum ccid_protocol protocol;
	enum oc_err (*run)(struct bench *b);
	/* Is what came with OC_OK right? May be NULL. */
	bool (*right)(const struct bench *b);
	bool tells_nothing; /* it returns nothing */
	/* The APDU */
	uint8_t ins, p1;
	size_t nc, ne;
	/*
	 * How long it may take with one fault: what README.md and src/slot/reader.h promise. more_ms comes on top where the
	 * reader asks for time without end.
	 */
	unsigned bound_ms, more_ms;
};

extern const struct operation operations[];
extern const unsigned operations_len;

struct bench {
	struct faulty bus;
	const struct operation *op;
	struct oc_log log;
	struct reader *reader; /* NULL while it is closed */
	uint8_t tag;           /* of this run of the operation: its APDU has it, and so has the answer */
	bool refused;          /* the reader was made to refuse something */
	bool failed;           /* the run before ended with an error */

	uint8_t tx[BENCH_APDU], rx[BENCH_APDU];
	size_t tx_len, rx_len;
	bool present;

	/* What the card has done. */
	unsigned seen;       /* entries of its log that were looked at */
	uint32_t counter;    /* its counter */
	unsigned executed;   /* how often the command of this run */
	unsigned violations; /* what the driver sent that it must not send; set at the end */
};

void bench_begin(struct bench *b, const struct operation *op, const struct oc_log *log);
void bench_end(struct bench *b);

/* What pcscd does before: open, look, power, set the protocol; NULL, or what did not work. */
const char *bench_prepare(struct bench *b);

/* The operation, once. */
enum oc_err bench_run(struct bench *b);

/* Would the next command go to the card, without its being started anew? */
bool bench_keeps_card(const struct bench *b);

/* Put a card in where one was pulled. */
void bench_insert(struct bench *b);

#endif
