/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The readers that pcscd has opened: which Lun is which slot. The only mutable object at file scope is the table in
 * driver.c, with its lock beside it.
 */
#ifndef OPENCCID_IFD_DRIVER_H
#define OPENCCID_IFD_DRIVER_H

#include "base/err.h"
#include "base/log.h"
#include "ccid/descriptor.h"
#include "ifd/opening.h"
#include "quirk/override.h"
#include "slot/reader.h"
#include "usb/usb.h"

#include <pthread.h>
#include <stdbool.h>

/* One command at a time for all interfaces of a USB device. */
struct shared_lock {
	pthread_mutex_t mutex;
	unsigned users; /* under the table's lock */
};

/* One opened interface; its slots share it. */
struct device {
	struct reader *reader;
	struct usb_info info;
	struct ccid_descriptor descriptor; /* as the device gave it */
	unsigned unit;                     /* among the open readers of the same kind, from 0 */
	struct shared_lock *lock;
	struct quirk_override *override; /* owns rules that the reader's capabilities refer to */
	char firmware[FIRMWARE_MAX];     /* the name that the reader gives its firmware; "" if none */
	unsigned luns;                   /* Luns that stand for one of its slots, */
	unsigned closing;                /* and those of them that are being closed */
};

enum { BINDING_CLOSING = 1 << 30 };

/* What a Lun stands for, held by driver_get() until driver_put(). */
struct binding {
	unsigned long lun;
	struct device *device;
	struct slot *slot;
	/*
	 * Calls that are inside, and BINDING_CLOSING when it is being closed; atomic. It grows and is closed under the table's lock
	 * only, so that a call can leave without it.
	 */
	unsigned users;
};

/* The log of the driver; configured at first use from Info.plist and the environment. */
const struct oc_log *driver_log(void);

/* ifdDriverOptions */
unsigned driver_options(void);

/* Where the administrator's .reader files are. */
const char *driver_folder(void);

/*
 * May an application send this Escape command? The word for this reader decides, else the one for all readers, else bit 0 of
 * ifdDriverOptions. Where nothing is denied by name, a command that is known to be harmless may always be sent.
 * Without bytes: may it send any at all?
 */
bool driver_escape_permitted(const struct binding *binding, const uint8_t *tx, size_t len);

/**
 * driver_open - make a Lun stand for a slot
 * @lun: RRRRSSSSh: reader and slot. Slot 0 opens the device by its name; the others join it.
 *
 * OC_E_NAME for a slot that the reader does not have, or whose slot 0 is not open, or a Lun that is in use; else the
 * errors of usb_open(), ccid_caps_derive() and reader_open(). On an error nothing stays open.
 */
enum oc_err driver_open(unsigned long lun, const char *name);

/* The binding of a Lun, or NULL if there is none. It stays valid until driver_put(). */
struct binding *driver_get(unsigned long lun);
void driver_put(struct binding *binding);

/*
 * Release a Lun. Calls of other threads that are still inside are waited for; they end at once, but for a command where other slots
 * of the reader stay open, which ends when its time is over. The last Lun of a device closes it. False for a Lun that is not known.
 */
bool driver_close(unsigned long lun);

#endif
