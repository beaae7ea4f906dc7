# SPDX-License-Identifier: LGPL-2.1-or-later
"""PC/SC part 10 as applications use it: the list of features, and the structures for a PIN that is typed at the reader."""
import struct
import threading

from pcsc import ctl, must, pcsc

GET_FEATURE_REQUEST = 0x42000000 + 3400
VERIFY_PIN_DIRECT, MODIFY_PIN_DIRECT = 0x06, 0x07
PIN_PROPERTIES, ABORT, TLV_PROPERTIES, ESCAPE = 0x0A, 0x0B, 0x12, 0x13
ASCII, BCD, BYTES = 0x02, 0x01, 0x80


def control(card, code, data=b""):
    return bytes(must("SCardControl", pcsc.SCardControl(card.handle, code, list(data))))


def features(card):
    """Which features the reader offers, with their control codes."""
    found, at = {}, 0
    tlv = control(card, GET_FEATURE_REQUEST)
    while at < len(tlv):
        tag, length, code = struct.unpack(">BBI", tlv[at:at + 6])
        assert length == 4 and tag not in found
        found[tag] = code
        at += 6
    return found


def properties(card):
    """The TLV properties: numbers, and the firmware's name as text."""
    found, at = {}, 0
    tlv = control(card, features(card)[TLV_PROPERTIES])
    while at < len(tlv):
        tag, length = tlv[at], tlv[at + 1]
        value = tlv[at + 2:at + 2 + length]
        found[tag] = value.decode() if tag == 8 else int.from_bytes(value, "little")
        at += 2 + length
    return found


def verify_structure(apdu, timeout=0, fmt=BYTES | ASCII, block=0, length_format=0, least=4, most=8, condition=2,
                     messages=1, language=0x0409):
    return struct.pack("<BBBBBBBBBHB3xI", timeout, timeout, fmt, block, length_format, most, least, condition, messages,
                       language, 0, len(apdu)) + apdu


def modify_structure(apdu, timeout=0, fmt=BYTES | ASCII, block=0, length_format=0, old=0, new=0, least=4, most=8,
                     confirm=3, condition=2, messages=3, language=0x0409, indexes=(0, 1, 2)):
    return struct.pack("<BBBBBBBBBBBBHBBB3xI", timeout, timeout, fmt, block, length_format, old, new, most, least, confirm,
                       condition, messages, language, *indexes, len(apdu)) + apdu


def enter(card, feature, structure):
    """Let the reader ask; returns the status word."""
    answer = control(card, features(card)[feature], structure)
    return answer[-2] << 8 | answer[-1]


def asks():
    """Does the simulated reader wait for somebody to type?"""
    return "asks" in ctl("keypad")


class Entry(threading.Thread):
    """Somebody at the keypad needs somebody who waits."""

    def __init__(self, card, feature, structure):
        super().__init__()
        self.arguments, self.sw = (card, feature, structure), None

    def run(self):
        self.sw = enter(*self.arguments)
