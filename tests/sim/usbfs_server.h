/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulator's end of the usbfs socket: open files, their pipes, waiting calls. */
#ifndef OPENCCID_SIM_USBFS_SERVER_H
#define OPENCCID_SIM_USBFS_SERVER_H

#include "usbdev.h"

struct usbfs_server;

enum { USBFS_OTHERS_MAX = 63 };

/* Listen at path; NULL with errno on failure. */
struct usbfs_server *usbfs_server_new(const char *path);
void usbfs_server_free(struct usbfs_server *server);
/* The device that is plugged in, or NULL; the server owns it. An earlier one is unplugged. */
void usbfs_server_plug(struct usbfs_server *server, struct usb_dev *dev);
/* One more device, which stays to the end; -1: too many. */
int usbfs_server_add(struct usbfs_server *server, struct usb_dev *dev);
/* Open files fail with EACCES. */
void usbfs_server_deny(struct usbfs_server *server, bool deny);
unsigned usbfs_server_files(const struct usbfs_server *server);
/* Move data and wake callers; returns when to call again at the latest. */
uint64_t usbfs_server_run(struct usbfs_server *server, uint64_t now);

#endif
