# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What an application gets for a list of APDUs, one line for each, so that two drivers can be compared. Arguments: the cards
(tests/sim/README.md), all put in one after the other; "inside" is the one that is there.
"""
import sys

from cards import fresh, pattern
from pcsc import Context, PcscError, eventually


def lc(size):
    return bytes([size]) if size < 256 else bytes([0, size >> 8, size & 255])


def with_data(head, size, le=b""):
    return bytes.fromhex(head) + lc(size) + pattern(size) + le


APDUS = (
    ("case 1", bytes.fromhex("80 16 00 00")),
    ("case 1, unknown INS", bytes.fromhex("00 F0 00 00")),
    ("case 1, unknown CLA", bytes.fromhex("60 F0 00 00")),
    ("case 2, Le 8", bytes.fromhex("00 84 00 00 08")),
    ("case 2, exact Le", bytes.fromhex("80 12 AB CD 06")),
    ("case 2, wrong Le", bytes.fromhex("80 12 00 00 01")),
    ("case 2, Le 00", bytes.fromhex("00 CA 01 01 00")),
    ("case 2, more than 256 bytes", bytes.fromhex("00 CA 01 00 00")),
    ("case 3, SELECT", bytes.fromhex("00 A4 00 0C 02 2F 02")),
    ("case 3, one byte", with_data("80 16 00 00", 1)),
    ("case 3, 255 bytes", with_data("80 16 00 00", 255)),
    ("case 3, with an answer to fetch", bytes.fromhex("00 A4 00 00 02 3F 00")),
    ("GET RESPONSE by the application", bytes.fromhex("00 C0 00 00 0A")),
    ("case 4, SELECT", bytes.fromhex("00 A4 00 00 02 3F 00 00")),
    ("case 4, one byte", with_data("80 10 00 00", 1, b"\0")),
    ("case 4, 100 bytes", with_data("80 10 00 00", 100, b"\0")),
    ("case 4, 250 bytes", with_data("80 10 00 00", 250, b"\0")),
    ("case 4, Le 5 of 14", with_data("80 10 00 00", 10, b"\5")),
    ("case 4, no such file", bytes.fromhex("00 A4 00 00 02 12 34 00")),
    ("a wrong PIN", bytes.fromhex("00 20 00 01 04 39 39 39 39")),
    ("the right PIN", bytes.fromhex("00 20 00 01 04 31 32 33 34")),
    ("a card that thinks", bytes.fromhex("80 14 03 05 06")),
    ("case 2 extended", bytes.fromhex("00 CA 01 00 00 00 00")),
    ("case 3 extended, 300 bytes", with_data("80 16 00 00", 300)),
    ("case 4 extended, 300 bytes", with_data("80 10 00 00", 300, b"\0\0")),
    ("case 4 extended, 65535 bytes", with_data("80 10 00 00", 65535, b"\0\0")),
    ("case 1 at the end", bytes.fromhex("80 16 00 00")),
)


def result(card, apdu):
    try:
        data, sw = card.send(apdu)
    except PcscError as error:
        try:
            card.reconnect()
        except PcscError:
            return f"{error}, and no reconnect"
        return str(error)
    if apdu[0] == 0x80 and len(data) > 4:
        data = data[:-4] + b"...."  # a number that depends on what was refused before
    shown = data.hex() if len(data) <= 16 else f"{data[:8].hex()}...{data[-4:].hex()}"
    return f"{len(data)} bytes {shown} {sw:04X}".replace("0 bytes  ", "")


def main(specs):
    context = Context()
    if not eventually(context.readers):
        print("no reader is listed")
        return
    reader = context.readers()[0]
    for spec in specs:
        try:
            card = context.connect(reader) if spec == "inside" else fresh(context, reader, spec)
        except PcscError as error:
            print(f"{spec}: {error}")
            continue
        print(f"{spec}: ATR {card.atr().hex()}, T={card.protocol - 1}")
        for name, apdu in APDUS:
            print(f"{spec}: {name}: {result(card, apdu)}", flush=True)
        card.disconnect()


main(sys.argv[1:])
