#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A PIN that is typed at the reader (PC/SC part 10). Needs pyscard, a reader with a keypad, and a card that takes VERIFY 00 20 00 01."""
import struct
import sys

from smartcard.scard import *

VERIFY_PIN_DIRECT = 0x06
VERIFY = bytes.fromhex("00 20 00 01")  # the reader appends Lc and the PIN
TIMEOUT, ASCII, MIN, MAX, ENTER_KEY, ENGLISH = 30, 0x82, 4, 8, 0x02, 0x0409


def structure(apdu):
    """PIN_VERIFY_STRUCTURE: ASCII digits at the start of the data."""
    return struct.pack("<BBBBBBBBBHB3xI", TIMEOUT, TIMEOUT, ASCII, 0, 0, MAX, MIN, ENTER_KEY, 1, ENGLISH, 0, len(apdu)) + apdu


def main():
    code, context = SCardEstablishContext(SCARD_SCOPE_SYSTEM)
    code, readers = SCardListReaders(context, [])
    if code != SCARD_S_SUCCESS or not readers:
        sys.exit("no reader")
    code, card, _ = SCardConnect(context, readers[0], SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1)
    if code != SCARD_S_SUCCESS:
        sys.exit(SCardGetErrorMessage(code))
    code, answer = SCardControl(card, SCARD_CTL_CODE(3400), [])
    codes = {tag: value for tag, _, value in struct.iter_unpack(">BBI", bytes(answer))}
    if VERIFY_PIN_DIRECT not in codes:
        sys.exit("this reader has no keypad")
    print("type the PIN at the reader", flush=True)
    code, answer = SCardControl(card, codes[VERIFY_PIN_DIRECT], list(structure(VERIFY)))
    if code != SCARD_S_SUCCESS:
        sys.exit(SCardGetErrorMessage(code))
    print(f"status {bytes(answer).hex().upper()}")
    SCardDisconnect(card, SCARD_LEAVE_CARD)


main()
