# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Long commands and long answers: by blocks of T=1, by ENVELOPE and GET RESPONSE at T=0, or in parts of the reader's messages.
Argument: the reader's level of exchange, "tpdu", "short", "extended", or "whole" for an
extended one whose messages hold any APDU.
"""
import sys

from cards import T0, T1, counter, echo, fresh, nothing_illegal, only_reader, pattern, sent
from pcsc import Context, PcscError, check, ctl, pcsc

SIZES = (1, 53, 54, 55, 100, 250, 255, 256, 300, 507, 4000, 32767, 65535)


def sink(card, size):
    """A command with data and without an answer."""
    head = bytes([size]) if size < 256 else bytes([0, size >> 8, size & 255])
    return card.send(bytes.fromhex("80 16 00 00") + head + pattern(size)) == (b"", 0x9000)


def lengths(context, reader, spec, sizes):
    card = fresh(context, reader, spec)
    good = tuple(size for size in sizes if echo(card, size))
    check(good == sizes, f"{spec}: ECHO of {sizes} bytes ({good})")
    some = tuple(size for size in sizes if size in (1, 54, 255, 256, 4000))
    good = tuple(size for size in some if sink(card, size))
    check(good == some, f"{spec}: SINK of {some} bytes ({good})")
    card.disconnect()


def whole_answers(context, reader):
    """Long answers to short commands; T=1 knows no 61xx."""
    card = fresh(context, reader, "t1,chain=100")
    data, sw = card.send(bytes.fromhex("00 CA 01 00 00 00 00"))
    check(len(data) == 600 and sw == 0x9000, "T=1: 600 bytes for an extended Le")
    data, sw = card.send(bytes.fromhex("00 CA 01 00 00 01 2C"))
    check(len(data) == 300 and sw == 0x9000, "T=1: 300 of them for Le 300")
    card = fresh(context, reader, "t0")
    data, sw = card.send(bytes.fromhex("00 CA 01 00 00 00 00"))
    check(len(data) == 600 and sw == 0x9000, "T=0: the same, fetched by GET RESPONSE")


def too_long(context, reader):
    """A reader that takes short APDUs only: told, and nothing happened."""
    card = fresh(context, reader, "t1")
    first = counter(card)
    try:
        echo(card, 300)
        check(False, "an extended APDU is refused")
    except PcscError as error:
        check(True, f"an extended APDU is refused ({error})")
    check(counter(card) == first + 1, "and the card did not see it")


def broken_chain(context, reader, places):
    """A part fails: the application is told, and after a reset nothing is left of the command."""
    card = fresh(context, reader, "t1")
    for after in places:
        ctl("fail", "FE", "6F", "1", "after", after)
        try:
            echo(card, 60000)
            check(False, f"a mute card after {after} parts is an error")
        except PcscError as error:
            check(True, f"a mute card after {after} parts is an error ({error})")
        ctl("clear")
        card.reconnect()
        check(echo(card, 60000), "and after a reconnect the next command works")


def main(level):
    context = Context()
    reader = only_reader(context)
    sizes = SIZES if level != "short" else tuple(size for size in SIZES if size < 252)
    for spec in ("t1", "t1,ifsc=32,crc", "t0", "t1,wtx=40,chain=200"):
        few = sizes if spec in ("t1", "t0") else sizes[:10]
        lengths(context, reader, spec, few)
    if level == "short":
        too_long(context, reader)
    else:
        whole_answers(context, reader)
    if level == "extended":
        broken_chain(context, reader, ("0", "2", "4"))
    if level == "whole":
        broken_chain(context, reader, ("0",))
    if level == "tpdu":
        blocks = sent("XfrBlock")
        card = fresh(context, reader, "t0", T0)
        check(echo(card, 65535), "T=0: 64 KiB both ways")
        check(sent("XfrBlock") - blocks > 257 + 256, "which took an ENVELOPE or a GET RESPONSE for each 255 bytes or less")
    check(fresh(context, reader, "t1").protocol == T1 == pcsc.SCARD_PROTOCOL_T1, "and the protocol of the last card is T=1")
    nothing_illegal()


main(sys.argv[1])
