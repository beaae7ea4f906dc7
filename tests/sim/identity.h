/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who a simulated reader is: what its USB descriptors say. */
#ifndef OPENCCID_SIM_IDENTITY_H
#define OPENCCID_SIM_IDENTITY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SIM_DESCRIPTOR_LEN = 54, SIM_RATES_MAX = 64 };

/* A product, and one firmware of it. */
struct sim_product {
	uint16_t vid, pid, bcd;
};

struct sim_identity {
	uint16_t vid, pid, bcd;
	char manufacturer[128], product[128], interface_name[128];
	char serial[64]; /* empty: no serial number string */
	uint8_t interface_number;
	uint8_t class[3];  /* bInterfaceClass, SubClass, Protocol */
	uint8_t endpoints; /* 3: with interrupt, 2: bulk only */
	uint8_t descriptor[SIM_DESCRIPTOR_LEN];
	/* answers to GET_CLOCK_FREQUENCIES (kHz) and GET_DATA_RATES (bps); count 0: the request is stalled */
	size_t clocks_count, rates_count;
	uint32_t clocks[SIM_RATES_MAX], rates[SIM_RATES_MAX];
	struct sim_product habits; /* behaves as this one does; vid 0: as what it is */
};

/* Whose habits and Escape commands it has. */
struct sim_product sim_identity_habits(const struct sim_identity *id);

/* "VID:PID[@bcd]", or "none" for a reader without any; without @bcd the firmware is that of @id. 0, or -1. */
int sim_identity_set_habits(struct sim_identity *id, const char *text);

/* The reader that is plugged in when nobody names one: an SCR3310. */
void sim_identity_default(struct sim_identity *out);

/**
 * sim_identity_find - look an identity up in a folder of .reader files
 * @dir: the folder
 * @spec: VID:PID[@bcd][/interface], hexadecimal ("04e6:5116@0523/0"); the first unit that fits is taken
 * @why, @why_len: on failure, a sentence for the user
 *
 * Returns 0, or -1.
 */
int sim_identity_find(const char *dir, const char *spec, struct sim_identity *out, char *why, size_t why_len);

/* The same for every interface of that unit, in the order of the file; the number of them, or -1. */
int sim_identity_find_all(const char *dir, const char *spec, struct sim_identity *out, unsigned cap,
			  char *why, size_t why_len);

/* One line per unit: spec, class, exchange level, name. Returns the number of lines, -1 if dir cannot be read. */
int sim_identity_list(const char *dir, FILE *to);

#endif
