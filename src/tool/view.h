/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every attached reader, with what the driver would make of it. Read from sysfs; the device is not spoken to. */
#ifndef OPENCCID_TOOL_VIEW_H
#define OPENCCID_TOOL_VIEW_H

#include "ifd/learn.h"
#include "quirk/override.h"
#include "tool/tool.h"
#include "usb/claim.h"
#include "usb/sysfs.h"
#include "usb/usb.h"

#include <stdbool.h>
#include <stddef.h>

/* One interface that the driver could open. */
struct view {
	struct usb_info info;
	char path[SYSFS_PATH]; /* the device's folder in sysfs */
	char node[USB_NODE_MAX];
	/* USB strings; "" if there is none */
	char product[USB_STRING_MAX], manufacturer[USB_STRING_MAX], interface_name[USB_STRING_MAX];
	const struct quirk_reader *known; /* its row in the list; NULL if there is none */
	struct quirk_override *override;
	enum oc_err err; /* of learn_caps() */
	struct learned learned;
};

struct views {
	struct view *at;
	size_t count;
	bool no_memory;
};

/*
 * Find the readers: CCID and ICCD class, and vendor class where it is listed. In the order of bus and address. Free with
 * views_free(). Mistakes in the files of settings are left out without a word; the driver tells them.
 */
void views_find(struct views *views);
void views_free(struct views *views);

/* One more view, all 0, or NULL with no_memory set; earlier ones move. views_learn() when all are there. */
struct view *views_add(struct views *views);
void views_learn(struct views *views);

/* The name that the list has, else the USB strings, else "a reader without a name" */
const char *view_name(const struct view *view, char text[USB_STRING_MAX * 2]);

/*
 * Is this the one that somebody means? "vid:pid", "BBB/DDD", "/dev/bus/usb/BBB/DDD", the name in sysfs ("1-1.2"), or a part of
 * its name.
 */
bool view_is(const struct view *view, const char *words);

/* Where settings of the administrator are: OPENCCID_CONFIG, or what was built in. */
const char *view_settings(void);

/* Who has the interface. */
enum view_driver { VIEW_FREE, VIEW_PCSCD, VIEW_KERNEL, VIEW_PROCESS, VIEW_UNKNOWN };

struct view_holder {
	enum view_driver driver;
	char who[256]; /* its name, for VIEW_KERNEL and VIEW_PROCESS; why it is not known, for VIEW_UNKNOWN */
};

/* @held_by_pcscd: pcscd says that it has it */
void view_holder_of(const struct view *view, bool held_by_pcscd, struct view_holder *holder);

#endif
