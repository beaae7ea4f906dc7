/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What IFDHGetCapabilities answers: one row per tag, from facts of the reader and of the card. doc/attributes-and-control-codes.md explains each. */
#ifndef OPENCCID_IFD_ATTRIBUTES_H
#define OPENCCID_IFD_ATTRIBUTES_H

#include "ifd/driver.h"

#include <stddef.h>
#include <stdint.h>

/* The two functions whose addresses pcscd asks for */
typedef long (*attribute_wait)(unsigned long lun, int timeout_ms);
typedef long (*attribute_stop)(unsigned long lun);

struct attribute_hooks {
	attribute_wait wait;
	attribute_stop stop;
};

/**
 * attribute_get - the value of a capability tag or attribute
 * @value, *@len: room for the value; @value NULL asks for its length only. *@len becomes its length on OC_OK and OC_E_SPACE, and stays
 *                as it is otherwise
 *
 * OC_E_UNSUPPORTED: not known, or there is none; nothing is ever guessed. OC_E_SPACE: it does not fit; nothing was written.
 * Another error of ccid_exchange() where the reader had to be asked.
 */
enum oc_err attribute_get(struct binding *binding, const struct attribute_hooks *hooks, unsigned long tag,
			  void *value, size_t *len);

/* The attributes that are numbers of 32 bits. Of the reader, and of the exchange with the card; errors as above. */
enum oc_err attribute_of_reader(struct binding *binding, unsigned long tag, uint32_t *number);
enum oc_err attribute_of_link(struct binding *binding, unsigned long tag, uint32_t *number);

#endif
