/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The blocks of a pcapng file. libpcap takes only files whose interfaces are all of one kind; so each kind of USB interface is shown to
 * it alone: the file as it is, but every interface is of that kind, and the packets of the others are empty. Their numbers stay.
 */
#ifndef OPENCCID_TRAFFIC_BLOCKS_H
#define OPENCCID_TRAFFIC_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The kinds of USB interfaces: a bit for each in a set of them. */
extern const uint16_t blocks_links[3];

/* Which interfaces are in a file. */
struct blocks_kinds {
	unsigned usb;   /* a set */
	bool others;    /* and those that are not USB, */
	uint16_t other; /* the first of which is of this link type */
};

/* Does the file begin as pcapng files do? It is left at its beginning, wherever it was. */
bool blocks_fit(FILE *file);

/* Look through the whole file, as far as it makes sense. False without memory. */
bool blocks_look(FILE *file, struct blocks_kinds *kinds);

/* A stream of the file with the interfaces of one link type; NULL without memory. @file has to stay open longer. */
FILE *blocks_open(FILE *file, uint16_t link);

#endif
