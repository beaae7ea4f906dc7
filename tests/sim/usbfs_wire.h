/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the preload says to the simulator: one request and one answer per system call on a device node, over a
 * SOCK_SEQPACKET unix socket. Both ends are of one build, so structs travel as they are.
 */
#ifndef OPENCCID_SIM_USBFS_WIRE_H
#define OPENCCID_SIM_USBFS_WIRE_H

#include <stdint.h>

#define SIM_ENV_USBFS   "CCID_SIM_USBFS" /* path of that socket */
#define SIM_ENV_USBIP   "CCID_SIM_USBIP" /* ADDRESS:PORT where other kernels find the reader */
#define SIM_SLEPT       ".slept" /* behind that path: milliseconds that the system has slept, as text */
#define SIM_ENV_DRIVERS "CCID_SIM_DRIVERS" /* shown to pcscd as its driver folder */
#define SIM_ENV_RUN     "CCID_SIM_RUN"     /* shown to pcscd as its run folder */

enum usbfs_op {
	USBFS_OPEN = 1, /* payload: path; answer: fd by SCM_RIGHTS, value[0] = file number */
	USBFS_ATTACH,   /* a second connection to file number arg[0], for calls that may wait */
	USBFS_READ,     /* arg[0] offset, arg[1] length; answer: bytes */
	USBFS_IOCTL,    /* arg[0] request; the rest see below */
};

/*
 * arg of USBFS_IOCTL:
 *   plain ioctls            payload: the struct in, answer: the struct out
 *   CONTROL                 payload: 8 bytes SETUP + OUT data; arg[1] wLength
 *   BULK                    payload: OUT data; arg[1] endpoint, arg[2] length, arg[3] time-out in ms; answer: IN data
 *   SUBMITURB               payload: OUT data or SETUP + data; arg[1] urb, arg[2] type | endpoint << 8 | flags << 16,
 *                           arg[3] buffer_length
 *   DISCARDURB              arg[1] urb
 *   REAPURB, REAPURBNDELAY  answer: value[0] urb, value[1] status, value[2] actual_length; IN data
 *   IOCTL (wrapped)         arg[1] interface, arg[2] inner request
 */
struct usbfs_request {
	uint32_t op;
	uint32_t len; /* payload that follows */
	uint64_t arg[4];
};

struct usbfs_answer {
	int32_t result; /* of the system call */
	int32_t error;  /* errno if result is -1 */
	uint32_t len;   /* payload that follows */
	uint32_t pad;
	uint64_t value[3];
};

enum { USBFS_PAYLOAD_MAX = 128 * 1024 };

#endif
