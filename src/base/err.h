/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One vocabulary of errors for every layer; src/ifd translates it to pcsc-lite's codes in one place. */
#ifndef OPENCCID_BASE_ERR_H
#define OPENCCID_BASE_ERR_H

#define OC_ERRORS(X)                                                                    \
	X(OC_OK, "success")                                                             \
	X(OC_E_SHORT, "the message ends inside its header")                             \
	X(OC_E_LENGTH, "the length field disagrees with the bytes received")            \
	X(OC_E_ANSWER, "the reader's answer does not belong to the command")            \
	X(OC_E_SPACE, "the caller's buffer is too small for the answer")                \
	X(OC_E_TIMEOUT, "the reader did not answer in time")                            \
	X(OC_E_STOPPED, "the wait was ended on request")                                \
	X(OC_E_GONE, "the reader was unplugged")                                        \
	X(OC_E_RESTARTED, "the system has suspended or reset the reader")               \
	X(OC_E_STALL, "the reader halted the endpoint")                                 \
	X(OC_E_IO, "the USB transfer failed")                                           \
	X(OC_E_BUSY, "another program or kernel driver holds the reader")               \
	X(OC_E_ACCESS, "no permission to open the reader's device node")                \
	X(OC_E_LEFT, "the settings leave this reader to another driver")                \
	X(OC_E_NAME, "the device name is not understood")                               \
	X(OC_E_DESCRIPTOR, "the class descriptor is unusable")                          \
	X(OC_E_NOT_CCID, "the interface is not a smart-card interface")                 \
	X(OC_E_UNSUPPORTED, "not supported by this driver with this reader")            \
	X(OC_E_REFUSED, "the reader refused the command")                               \
	X(OC_E_NO_CARD, "no card in the slot")                                          \
	X(OC_E_MUTE, "the card does not answer")                                        \
	X(OC_E_CARD, "communication with the card failed")                              \
	X(OC_E_UNPOWERED, "the card is not powered")                                    \
	X(OC_E_ATR, "the ATR is malformed")                                             \
	X(OC_E_PROTOCOL, "the card or reader does not offer this protocol")             \
	X(OC_E_APDU, "the command is not a well-formed APDU")                           \
	X(OC_E_EXTENDED, "the reader or the card does not take an APDU of this length") \
	X(OC_E_LIMIT, "the card kept the exchange going beyond its bound")              \
	X(OC_E_MEMORY, "out of memory")

enum oc_err {
#define X(id, text) id,
	OC_ERRORS(X)
#undef X
};

/* The sentence of an error, for logs; never NULL. */
const char *oc_strerr(enum oc_err err);

#endif
