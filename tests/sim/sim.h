/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulator as a whole: what is plugged in, what is inserted, who may ask for changes. */
#ifndef OPENCCID_SIM_SIM_H
#define OPENCCID_SIM_SIM_H

#include "card_spec.h"
#include "testbed.h"
#include "usbfs_server.h"
#include "usbip_server.h"

enum { SIM_SLOTS = 256, SIM_PAST_MAX = 64 };

struct sim {
	struct sim_identity identity[USB_FUNCTIONS_MAX]; /* one for each interface of the device */
	unsigned identities;
	struct testbed *bed;        /* NULL where the reader is on no bus of this machine */
	struct usbip_server *usbip; /* or NULL */
	struct usbfs_server *server;
	struct usb_dev *dev; /* NULL: unplugged; owned by the server */
	unsigned devnum;
	struct testbed *others[USBFS_OTHERS_MAX]; /* the ports of more of the same, see sim_plug_more() */
	char slept[96];                           /* the file that says how long the system has slept */
	/* The slots of a second reader have the numbers after those of the first one. */
	bool present[SIM_SLOTS]; /* cards stay in the slots of a reader that is unplugged and plugged again */
	struct sim_card_spec inside[SIM_SLOTS]; /* what they are */
	struct sim_card_spec next;              /* what is inserted next */
	unsigned supplies;
	bool mood[SIM_MOODS];     /* that the reader is found in whenever it is plugged in */
	struct sim_script script; /* of the cards that were made to follow it */
	/* violations of readers that were unplugged since */
	unsigned past;
	char past_text[SIM_PAST_MAX][160];
};

/* Each returns NULL, or the sentence that says why not. */
const char *sim_plug(struct sim *sim);
/* More readers like it, without cards; nothing but a driver gets at them. */
const char *sim_plug_more(struct sim *sim, unsigned count);
void sim_free_more(struct sim *sim);
const char *sim_unplug(struct sim *sim);
const char *sim_insert(struct sim *sim, unsigned slot);
const char *sim_remove(struct sim *sim, unsigned slot);
unsigned sim_violations(const struct sim *sim);

/* Listen for `ccid-sim ctl` at path; -1 with errno on failure. */
int control_listen(struct sim *sim, const char *path);
/* The other end: send the words to $CCID_SIM_CONTROL, print the answer; the exit code. */
int control_client(int argc, char **argv);

#endif
