#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the first reader and its card say of themselves. Needs pyscard."""
import struct
import sys

from smartcard.scard import *

NUMBERS = (
    (SCARD_ATTR_DEFAULT_CLK, "default clock, kHz"),
    (SCARD_ATTR_MAX_DATA_RATE, "fastest data rate, bps"),
    (SCARD_ATTR_MAX_IFSD, "longest block of T=1"),
    (SCARD_ATTR_CURRENT_PROTOCOL_TYPE, "protocol in use, 1 for T=0, 2 for T=1"),
    (SCARD_ATTR_CURRENT_F, "F"),
    (SCARD_ATTR_CURRENT_D, "D"),
    (SCARD_ATTR_CURRENT_W, "work waiting time, etu"),
    (SCARD_ATTR_MAXINPUT, "longest command, bytes"),
)
GET_FEATURE_REQUEST = SCARD_CTL_CODE(3400)


def attribute(card, tag):
    """The bytes of an attribute, or None."""
    code, value = SCardGetAttrib(card, tag)
    return bytes(value) if code == SCARD_S_SUCCESS else None


def number(card, tag):
    """Four bytes in host order."""
    value = attribute(card, tag)
    return struct.unpack("=I", value)[0] if value else "not known"


def features(card):
    """Which features of PC/SC part 10 there are, with their control codes."""
    code, answer = SCardControl(card, GET_FEATURE_REQUEST, [])
    return [(tag, value) for tag, _, value in struct.iter_unpack(">BBI", bytes(answer))] if code == SCARD_S_SUCCESS else []


def main():
    code, context = SCardEstablishContext(SCARD_SCOPE_SYSTEM)
    code, readers = SCardListReaders(context, [])
    if code != SCARD_S_SUCCESS or not readers:
        sys.exit("no reader")
    code, card, _ = SCardConnect(context, readers[0], SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1)
    if code != SCARD_S_SUCCESS:
        sys.exit(SCardGetErrorMessage(code))
    for tag, name in ((SCARD_ATTR_VENDOR_NAME, "vendor"), (SCARD_ATTR_VENDOR_IFD_TYPE, "type")):
        print(f"{name}: {attribute(card, tag).rstrip(bytes(1)).decode()}")
    for tag, name in NUMBERS:
        print(f"{name}: {number(card, tag)}")
    for tag, value in features(card):
        print(f"feature {tag:02X}: control code {value:08X}")
    SCardDisconnect(card, SCARD_LEAVE_CARD)


main()
