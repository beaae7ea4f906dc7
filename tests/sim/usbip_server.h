/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The simulated device for other kernels: USB/IP over TCP. A kernel that imports the device has all its interfaces; its
 * transfers, and the requests that it sends on its own behalf, go to the device as they are.
 */
#ifndef OPENCCID_SIM_USBIP_SERVER_H
#define OPENCCID_SIM_USBIP_SERVER_H

#include "usbdev.h"

struct usbip_server;

/* Listen at "PORT" of the loopback interface, or at "ADDRESS:PORT" (IPv4); port 0: any. NULL with errno on failure. */
struct usbip_server *usbip_server_new(const char *where);
void usbip_server_free(struct usbip_server *server);
/* The numbers of the address where it listens, as "127.0.0.1:3240". */
const char *usbip_server_where(const struct usbip_server *server);
/* The device that is plugged in, or NULL; it stays the caller's. Links to an earlier one end. */
void usbip_server_plug(struct usbip_server *server, struct usb_dev *dev);
/* Every answer is this late: a link whose round trip takes so long. */
void usbip_server_delay(struct usbip_server *server, unsigned ms);
/* Answers wait until this is taken back: packets are lost, and sent again later. */
void usbip_server_hold(struct usbip_server *server, bool hold);
/* The connections break. */
void usbip_server_cut(struct usbip_server *server);
bool usbip_server_imported(const struct usbip_server *server);
/* Send what is due; returns when to call again at the latest. After the device has run. */
uint64_t usbip_server_run(struct usbip_server *server, uint64_t now);

#endif
